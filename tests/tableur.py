"""A real spreadsheet: LibreOffice without a window, which forgets every stored result and computes the formulas again."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest

NAMES = ("soffice", "libreoffice")
WINDOWS = Path("C:/Program Files/LibreOffice/program/soffice.exe")
Place = tuple[str, str]  # sheet, cell


def soffice() -> str:
    """Path of LibreOffice; skip with the reason, fail where everything must be there (``CI=true``)."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None and WINDOWS.is_file():
        found = str(WINDOWS)
    if found is None:
        reason = "aucun LibreOffice (Calc) trouvé sur cette machine : les formules ne peuvent pas être recalculées"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def without_results(content: bytes, changes: Mapping[Place, Any] | None = None) -> bytes:
    """The same workbook with its formulas and no stored result; ``changes``: cells typed over (None: emptied)."""
    book = openpyxl.load_workbook(BytesIO(content))
    for (sheet, cell), value in (changes or {}).items():
        book[sheet][cell].value = value
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def recompute(contents: Mapping[str, bytes], folder: Path) -> dict[str, bytes]:
    """Open each workbook in LibreOffice, compute, save; one start of the program for all of them."""
    program = soffice()
    source, target = folder / "avant", folder / "apres"
    source.mkdir()
    for name, content in contents.items():
        (source / f"{name}.xlsx").write_bytes(content)
    done = subprocess.run(
        [
            program,
            f"-env:UserInstallation={(folder / 'profil').as_uri()}",
            "--headless",
            "--convert-to",
            "xlsx:Calc MS Excel 2007 XML",
            "--outdir",
            str(target),
            *(str(path) for path in sorted(source.glob("*.xlsx"))),
        ],
        capture_output=True,
        text=True,
    )
    made = {name: target / f"{name}.xlsx" for name in contents}
    assert all(path.is_file() for path in made.values()), done.stdout + done.stderr
    return {name: path.read_bytes() for name, path in made.items()}


@lru_cache(maxsize=8)
def values(content: bytes) -> dict[Place, Any]:
    """Every stored value, by sheet and cell."""
    book = openpyxl.load_workbook(BytesIO(content), data_only=True)
    return {
        (sheet.title, cell.coordinate): cell.value
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    }


@lru_cache(maxsize=8)
def formula_places(content: bytes) -> list[Place]:
    """Every cell that holds a formula."""
    book = openpyxl.load_workbook(BytesIO(content))
    return [
        (sheet.title, cell.coordinate)
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]
