"""Evaluate the contrats de ville with one common framework: a folder in, a report out.

The names that notebooks use; each is imported when first asked for, so that ``import evalkit`` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from evalkit.version import __version__

_ACTIONS = ("load_publication", "load_synthese")
_SECTIONS: tuple[str, ...] = ()

__all__ = ["__version__"]


def __getattr__(name: str) -> Any:
    if name in _ACTIONS:
        return getattr(import_module("evalkit.actions"), name)
    if name in _SECTIONS:
        return getattr(import_module("evalkit.report.sections"), name)
    raise AttributeError(f"module 'evalkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_ACTIONS, *_SECTIONS])
