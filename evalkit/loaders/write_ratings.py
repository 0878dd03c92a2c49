"""Write a rating into the table ``cotations`` of a dossier: the CSV, or the sheet of the workbook.

A copy of the file is kept first, the new file replaces the old one at once, and what was written is read back by the
same reader as everything else: if it finds anything wrong, the old file comes back and the reader's own messages go up.
"""

from __future__ import annotations

import csv
import io
import os
import unicodedata
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pandas as pd

from evalkit.errors import EvalkitError, Place, fail, only_errors
from evalkit.loaders.dossier import load_dossier
from evalkit.loaders.files_beside import first_free
from evalkit.loaders.grids import Grid
from evalkit.loaders.tables import read_table, vocabulary
from evalkit.model.dossier import SILENCES, TABLES

if TYPE_CHECKING:
    from evalkit.model.dossier import Dossier
    from evalkit.model.referentiel import Referentiel

TABLE = "cotations"
CSV_NAME = "cotations.csv"
WORKBOOK_NAME = "evaluation.xlsx"
BACKUPS = Path(".evalkit") / "sauvegardes"
HEADERS = tuple(column.name for column in TABLES[TABLE].columns)
NEVER_COMPUTED = "DON-021"  # what the reader says of a formula whose result is not in the file
FORMULAS = "des cellules calculées par une formule, dont le résultat se perdrait"
_SEARCHED_ROWS = 30  # the header of a sheet stands in its first rows, below a title or not
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, repr=False)
class Rating:
    """One rating by one person or body. ``niveau`` is None when ``silence`` says why there is none."""

    sous_question: str
    repondant: str
    groupe: str
    niveau: int | None = None
    silence: str = ""
    preuve: str = ""
    commentaire: str = ""
    date: str = ""

    def __post_init__(self) -> None:
        if (self.niveau is None) == (not self.silence):
            raise ValueError("a rating has a level or a silence, one of them")
        if self.silence and self.silence not in SILENCES:
            raise ValueError(f"unknown silence {self.silence}")

    def __repr__(self) -> str:  # never an answer in a log or a traceback
        return f"<Rating {self.sous_question}>"

    def cells(self) -> dict[str, str | int]:
        """What goes in each column of ``cotations``."""
        level: str | int = self.silence if self.niveau is None else self.niveau
        cells: dict[str, str | int] = {name: str(getattr(self, name)) for name in HEADERS if name != "niveau"}
        return {**cells, "niveau": level}


def append_rating(dossier: str | Path, rating: Rating, referentiel: Referentiel) -> Path:
    """Add one rating; see :func:`append_ratings`."""
    return append_ratings(dossier, [rating], referentiel)


def append_ratings(dossier: str | Path, ratings: Sequence[Rating], referentiel: Referentiel) -> Path:
    """Add ratings to the table ``cotations`` of a dossier, all or none.

    Parameters
    ----------
    dossier
        Folder of a territory, or a lone workbook.
    ratings
        Rows to add, in this order, after those already there.
    referentiel
        Framework that the reader checks codes against.

    Returns
    -------
    Path
        The file that was written: ``cotations.csv`` or the workbook. Its former content is under
        ``.evalkit/sauvegardes/``.

    Raises
    ------
    EvalkitError
        The reader's faults (a rating already there, a name instead of a code…), or USA-041 when the file cannot be
        replaced or would lose something. In every case the file is as it was.
    """
    dossier = Path(dossier)
    before = load_dossier(dossier, referentiel)
    target = ratings_file(dossier)
    old = target.read_bytes() if target.exists() else None
    is_csv = target.suffix.lower() == ".csv"
    new = _csv_with(old, ratings) if is_csv else _workbook_with(target, ratings)
    if old is not None:
        _keep_copy(target, old)
    kept = False
    _replace(target, new)
    try:
        _check_nothing_else_changed(target, before, load_dossier(dossier, referentiel), len(ratings))
        kept = True
    except EvalkitError as error:
        if any(fault.code == NEVER_COMPUTED for fault in error.faults):
            raise _refusal(target, FORMULAS) from error
        raise
    finally:
        if not kept:
            _put_back(target, old)
    return target


def check_rating(rating: Rating, referentiel: Referentiel) -> None:
    """Check the cells of a rating exactly as the reader would, without a file.

    Raises
    ------
    EvalkitError
        The reader's faults: unknown code, a name instead of a respondent's code, a level outside the scale…
    """
    cells = rating.cells()
    grid = Grid("cotation saisie dans l'atelier", [list(HEADERS), [_text_cell(cells[name]) for name in HEADERS]])
    faults = read_table(grid, TABLES[TABLE], vocabulary(referentiel)).faults
    if errors := only_errors(faults):
        raise EvalkitError([replace(fault, place=_without_line(fault.place)) for fault in errors])


def _without_line(place: Place) -> Place:
    return replace(place, line=None, cell="")


def ratings_file(dossier: Path) -> Path:
    """File that holds ``cotations``: the workbook when it has that sheet, else the CSV, which may not exist yet."""
    if dossier.is_file():
        return dossier
    existing = next((path for path in sorted(dossier.iterdir()) if _plain(path.name) == CSV_NAME), None)
    if existing is not None:
        return existing
    workbook = dossier / WORKBOOK_NAME
    if workbook.is_file() and _sheet_name(_sheet_names(workbook)) is not None:
        return workbook
    return dossier / CSV_NAME


def _plain(text: object) -> str:
    """Lower case, no accent, single spaces: how headers and sheet names are compared."""
    decomposed = unicodedata.normalize("NFKD", str(text or ""))
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).lower().split())


def _header_name(text: object) -> str:
    return _plain(text).replace(" ", "_").replace("-", "_")


def _sheet_names(workbook: Path) -> list[str]:
    book = openpyxl.load_workbook(workbook, read_only=True)
    try:
        return list(book.sheetnames)
    finally:
        book.close()


def _sheet_name(names: Sequence[str]) -> str | None:
    return next((name for name in names if _header_name(name) == TABLE), None)


# --- CSV -----------------------------------------------------------------------------------------------------------------


def _csv_with(old: bytes | None, ratings: Sequence[Rating]) -> bytes:
    """Give the bytes of the file with the rows added; what was there stays byte for byte whenever it can."""
    if not old or not old.strip():
        return _csv_rows(HEADERS, [HEADERS], ";", "\r\n").encode("utf-8-sig") + _encode_rows(ratings, HEADERS)
    encoding = _encoding_of(old)
    text = old.decode(encoding)
    end = "\r\n" if "\r\n" in text else "\n"
    first = next(line for line in text.splitlines() if line.strip())
    separator = max(";,\t", key=first.count)
    headers = [_header_name(cell) for cell in next(csv.reader([first], delimiter=separator))]
    rows = [[_text_cell(r.cells().get(name, "")) for name in headers] for r in ratings]
    added = ("" if text.endswith(("\n", "\r")) else end) + _csv_rows(headers, rows, separator, end)
    try:
        return old + added.encode("utf-8" if encoding == "utf-8-sig" else encoding)
    except UnicodeEncodeError:  # a letter that the old file's encoding does not have
        return (text + added).encode("utf-8-sig")


def _encode_rows(ratings: Sequence[Rating], headers: Sequence[str]) -> bytes:
    rows = [[_text_cell(rating.cells()[name]) for name in headers] for rating in ratings]
    return _csv_rows(headers, rows, ";", "\r\n").encode()


def _encoding_of(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _csv_rows(headers: Sequence[str], rows: Sequence[Sequence[str]], separator: str, end: str) -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator, lineterminator=end).writerows(row[: len(headers)] for row in rows)
    return stream.getvalue()


def _text_cell(value: str | int) -> str:
    """Text that a spreadsheet will not take for a formula, on one line."""
    text = " ".join(str(value).split())
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA_STARTS) else text


# --- workbook ------------------------------------------------------------------------------------------------------------


def _workbook_with(path: Path, ratings: Sequence[Rating]) -> bytes:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        book = openpyxl.load_workbook(path, rich_text=True)
    if lost := [str(w.message) for w in said if "will be removed" in str(w.message)]:
        raise _refusal(path, f"{len(lost)} élément(s) de mise en forme que seul un tableur sait réécrire")
    name = _sheet_name(book.sheetnames)
    sheet: Any = book[name] if name is not None else book.create_sheet(TABLE)
    if name is None:
        sheet.append(list(HEADERS))
    header_row, columns = _find_header(path, sheet)
    row = _last_filled_row(sheet, header_row, columns) + 1
    for offset, rating in enumerate(ratings):
        for header, value in rating.cells().items():
            if value != "" and header in columns:
                cell = sheet.cell(row + offset, columns[header])
                cell.value = value
                if isinstance(value, str):
                    cell.data_type = "s"  # text that starts with "=" stays text
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _find_header(path: Path, sheet: Any) -> tuple[int, dict[str, int]]:
    for row in sheet.iter_rows(min_row=1, max_row=_SEARCHED_ROWS):
        columns = {_header_name(cell.value): cell.column for cell in reversed(row) if cell.value is not None}
        if {"sous_question", "repondant", "niveau"} <= set(columns):
            return row[0].row, {name: columns[name] for name in HEADERS if name in columns}
    raise _refusal(path, f"une feuille « {sheet.title} » dont la ligne d'en-têtes n'a pas été reconnue")


def _last_filled_row(sheet: Any, header_row: int, columns: dict[str, int]) -> int:
    for row in range(sheet.max_row, header_row, -1):
        if any(sheet.cell(row, column).value not in (None, "") for column in columns.values()):
            return row
    return header_row


# --- files ---------------------------------------------------------------------------------------------------------------


def _keep_copy(target: Path, content: bytes) -> Path:
    """Keep the former content under the first free number; no date, so that two machines agree."""
    folder = target.parent / BACKUPS
    folder.mkdir(parents=True, exist_ok=True)
    copy = first_free(lambda number: folder / f"{target.stem}.{number}{target.suffix}")
    copy.write_bytes(content)
    return copy


def _replace(target: Path, content: bytes) -> None:
    """Write beside, then replace at once: a reader never sees half a file."""
    temporary = target.with_name(f".{target.name}.partiel")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise _refusal(target, "un fichier que cette machine ne laisse pas remplacer") from error


def _put_back(target: Path, old: bytes | None) -> None:
    if old is None:
        target.unlink(missing_ok=True)
    else:
        _replace(target, old)


def _refusal(target: Path, read: str) -> EvalkitError:
    return fail(
        "USA-041",
        target,
        read=read,
        expected="un fichier fermé, que l'on peut écrire, et dont rien ne se perd en ajoutant une ligne",
        fix="fermez ce fichier dans le tableur puis recommencez ; sinon, saisissez la cotation vous-même dans la table "
        "« cotations ». Rien n'a été enregistré.",
    )


def _check_nothing_else_changed(target: Path, before: Dossier, after: Dossier, n_added: int) -> None:
    """Compare what is read before and after: rows added at the end of ``cotations``, nothing more, nothing less.

    openpyxl forgets the computed results of formulas: a pilot who typed ``=3+1`` in a cell would lose the 4.
    """
    changed = []
    for name, old in before.tables.items():
        new = after.tables[name].iloc[: len(old)] if name == TABLE else after.tables[name]
        if not _same(old, new):
            changed.append(name)
    if len(after.tables[TABLE]) != len(before.tables[TABLE]) + n_added or before.territoire != after.territoire:
        changed.append(TABLE)
    if changed:
        tables = ", ".join(f"« {name} »" for name in dict.fromkeys(changed))
        raise _refusal(target, f"{FORMULAS} ({tables})")


def _same(old: pd.DataFrame, new: pd.DataFrame) -> bool:
    return old.reset_index(drop=True).equals(new.reset_index(drop=True))
