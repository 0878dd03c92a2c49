"""Where the framework, the notebooks and the sample data are: in a checkout, or inside the installed package."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from evalkit.errors import fail

Resource = Literal["referentiel", "notebooks", "sample_data"]
_PACKAGE = Path(__file__).resolve().parent.parent


def resource_dir(name: Resource) -> Path:
    """Folder of a resource.

    A checkout wins over the copy shipped in the wheel, so that an edit of ``referentiel/`` is seen at once.

    Raises
    ------
    EvalkitError
        USA-001: neither place has it (a damaged installation).
    """
    for candidate in (_PACKAGE.parent / name, _PACKAGE / "_donnees" / name):
        if candidate.is_dir():
            return candidate
    raise fail(
        "USA-001",
        _PACKAGE.parent / name,
        read="dossier absent",
        expected=f"le dossier « {name} » livré avec evalkit",
        fix="réinstallez evalkit : python3 demarrer.py demo",
    )


def is_installed_copy(path: Path) -> bool:
    """Tell whether a path lies inside the installed package, where nothing must be written."""
    return (_PACKAGE / "_donnees") in path.resolve().parents or path.resolve() == _PACKAGE / "_donnees"
