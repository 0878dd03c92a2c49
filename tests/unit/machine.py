"""What a test needs on the machine: skipped with the reason on people's computers, a failure where everything must be there."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from evalkit.report.formats import FORMATS


def missing(reason: str) -> None:
    """Skip with the reason; under ``CI=true``, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"essai impossible : {reason}")
    pytest.skip(reason)


def need_pdf() -> None:
    """WeasyPrint, pikepdf and Pango."""
    fault = FORMATS["pdf"].needs()
    if fault is not None:
        missing(fault.read)


def need_program(name: str) -> str:
    """Path of a program of the system."""
    found = shutil.which(name)
    if found is None:
        missing(f"le programme {name} n'est pas là")
    return str(found)


def laid_out(document: Path, folder: Path) -> Path:
    """A Word document as LibreOffice prints it."""
    profile = f"-env:UserInstallation={(folder / 'profil').as_uri()}"
    command = [need_program("soffice"), profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder)]
    subprocess.run([*command, str(document)], check=True, capture_output=True)
    return folder / f"{document.stem}.pdf"
