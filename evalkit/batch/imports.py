"""Importing what a batch needs without what it never uses: some libraries import a debugger or a grammar for nobody."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def absent(name: str) -> Iterator[None]:
    """While it is entered, importing a library fails as when it is not installed; one already imported stays."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


def import_papermill() -> Any:
    """papermill, without the second that jsonschema spends building a grammar of web addresses that no notebook holds."""
    if "papermill" not in sys.modules:
        with absent("rfc3987_syntax"):
            import jsonschema  # noqa: F401 - the one that looks for it, and does without it
    import papermill

    return papermill


def import_kernel_debugger() -> None:
    """ipykernel's debugger, without the debugger of an editor (a tenth of a second per kernel): nobody is there to use it."""
    with absent("debugpy"):
        import ipykernel.debugger  # noqa: F401 - the one that looks for it, and does without it
