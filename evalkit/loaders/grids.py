"""Files -> grids of raw cells: what a file really is, its encoding, its separator, the address of every cell.

Nothing is interpreted here: a cell is text (CSV) or what the workbook holds (text, number, date, true or false). A file
that cannot be trusted is refused before it is opened in full.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from evalkit.errors import EvalkitError, Fault, Place

MAX_FILE_BYTES = 200_000_000  # refused before opening
MAX_UNZIPPED_BYTES = 500_000_000  # a workbook that unpacks to more is refused before unpacking
MAX_CELLS = 5_000_000  # rows x columns of a sheet
MAX_FIELD_CHARS = 1_000_000
_MOST_SHARED = 20_000  # different texts held once: beyond, they are moments and identifiers, which nobody repeats
SEPARATORS = ";,\t|"
Raw = str | int | float | bool | date | datetime | None
# What French texts are made of: anything else in a file without Unicode marks makes its encoding doubtful.
_USUAL = set("àâäæçéèêëîïôöœùûüÿÀÂÄÆÇÉÈÊËÎÏÔÖŒÙÛÜŸ’‘“”«»–—…€°²³½¼·•§\u00a0ñáíóúãõß×±µº™®©")
_CELL = re.compile(rb"<c\b([^>]*?)(?:/>|>(.*?)</c>)", re.DOTALL)
_REF = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_JOINTS = re.compile(r"[\s\-–_’'\u200b\ufeff]+")
_HIDDEN = re.compile(rb'<(?:row|col)\b[^>]*\bhidden="(?:1|true)"[^>]*>')
_NUMBER_GIVEN = re.compile(rb'\b(r|min|max)="(\d{1,7})"')
_MOST_COLUMNS = 16_384
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True)
class Grid:
    """One sheet or one CSV: rows of raw cells (``rows[0]`` is the first line), and where they lie.

    ``lines`` gives, for a CSV, the line on which each record starts. ``broken`` holds what Excel shows in a cell that has
    no value (``#N/A``, or "" for a formula that was never computed); ``percent`` the cells shown as percentages, whose
    value is a fraction of 1; ``merged`` the merged ranges; ``hidden_rows`` and ``hidden_columns`` what Excel does not show
    (hidden by hand, or by a filter).
    """

    file: str
    rows: Sequence[Sequence[Raw]] = field(repr=False)  # never in a log or a traceback: they may be answers
    sheet: str = ""
    lines: Sequence[int] = ()
    broken: dict[tuple[int, int], str] = field(default_factory=dict)
    percent: frozenset[tuple[int, int]] = frozenset()
    merged: Sequence[tuple[tuple[int, int], tuple[int, int]]] = ()
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()

    @property
    def is_csv(self) -> bool:
        """Whether cells are addressed by line and column header."""
        return not self.sheet

    def place(self, row: int, column: int | None = None, header: str = "", note: str = "") -> Place:
        """Address of a cell (or of a row when ``column`` is None)."""
        if self.is_csv:
            return Place(
                self.file, line=self.lines[row] if row < len(self.lines) else row + 1, column=header, note=note
            )
        cell = f"{column_letters(column)}{row + 1}" if column is not None else ""
        return Place(self.file, self.sheet, cell, None if cell else row + 1, note=note)

    def at(self, row: int, column: int) -> Raw:
        """Content of a cell; None when the row is shorter."""
        cells = self.rows[row]
        return cells[column] if column < len(cells) else None


@dataclass(frozen=True)
class Workbook:
    """A workbook: its sheets, and its custom properties (framework version)."""

    file: str
    grids: tuple[Grid, ...]
    properties: dict[str, str]


def column_letters(index: int) -> str:
    """``0`` -> ``A``, ``27`` -> ``AB``."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _column_index(letters: bytes) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + letter - 64
    return index - 1


def is_blank(value: Raw) -> bool:
    """Nothing to read: empty, or spaces of any kind."""
    return value is None or (isinstance(value, str) and not value.strip(" \t\r\n\u00a0\u202f\u2007\u2009\ufeff"))


# --- what a file really is ----------------------------------------------------------------------------------------------


def refuse(code: str, shown: str, read: str, expected: str, fix: str, line: int | None = None) -> EvalkitError:
    """Make an error about a whole file."""
    return EvalkitError([Fault(code, Place(shown, line=line), read, expected, fix)])


def read_bytes(path: Path, shown: str) -> bytes:
    """Content of a file of reasonable size.

    Raises
    ------
    EvalkitError
        DON-004 (empty), DON-005 (too large), DON-027 (unreadable).
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise refuse(
                "DON-005",
                shown,
                f"un fichier de {size / 1e6:.0f} Mo".replace(".", ","),
                f"un fichier de {MAX_FILE_BYTES / 1e6:.0f} Mo au plus",
                "vérifiez que c’est le bon fichier ; supprimez les images et les lignes vides qu’il contient",
            )
        data = path.read_bytes()
    except OSError as error:
        raise refuse(
            "DON-027",
            shown,
            "fichier absent, ou ouvert par un autre programme",
            "un fichier que l’on peut lire",
            "fermez-le dans Excel, puis recommencez",
        ) from error
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise refuse(
            "DON-004",
            shown,
            "un fichier vide",
            "un fichier rempli",
            "si vous n’avez rien pour cette table, supprimez le fichier ; sinon enregistrez-le de nouveau",
        )
    return data


def _not_a_workbook(data: bytes, shown: str) -> EvalkitError | None:
    head = data[:2000].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    workbook = "un classeur Excel (.xlsx)"
    again = "ouvrez-le dans Excel, puis « Enregistrer sous », type « Classeur Excel (*.xlsx) »"
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            return refuse(
                "DON-002",
                shown,
                "un classeur protégé par un mot de passe",
                "un classeur que l’on peut ouvrir",
                "dans Excel : Fichier, Informations, Protéger le classeur, Chiffrer avec mot de passe, effacez le mot de "
                "passe, puis enregistrez",
            )
        return refuse("DON-006", shown, "un classeur de l’ancien format Excel (.xls)", workbook, again)
    if head.startswith((b"<!doctype", b"<html", b"<table", b"<?xml")):
        return refuse("DON-001", shown, "une page web enregistrée sous ce nom", workbook, again)
    if not data.startswith(b"PK"):
        return refuse("DON-001", shown, "un fichier qui n’est pas un classeur", workbook, again)
    return None


def _open_zip(data: bytes, shown: str) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        names = {info.filename: info.file_size for info in archive.infolist()}
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise _damaged(shown) from error
    if sum(names.values()) > MAX_UNZIPPED_BYTES:
        raise refuse(
            "DON-005",
            shown,
            f"un classeur qui se déplie en {sum(names.values()) / 1e6:.0f} Mo",
            f"un classeur de {MAX_UNZIPPED_BYTES / 1e6:.0f} Mo au plus une fois déplié",
            "repartez du classeur « evaluation.xlsx » fourni par evalkit",
        )
    if "xl/workbook.xml" in names:
        return archive
    if "mimetype" in names and b"opendocument" in archive.read("mimetype"):
        raise refuse(
            "DON-006",
            shown,
            "un classeur LibreOffice (.ods)",
            "un classeur Excel (.xlsx)",
            "dans LibreOffice : « Enregistrer sous », type « Excel 2007-365 (.xlsx) »",
        )
    what = "un document Word" if "word/document.xml" in names else "une archive qui n’est pas un classeur"
    raise refuse("DON-001", shown, what, "un classeur Excel (.xlsx)", "déposez le classeur lui-même")


def _damaged(shown: str) -> EvalkitError:
    return refuse(
        "DON-001",
        shown,
        "un classeur abîmé ou incomplet",
        "un classeur qu’Excel ouvre sans message",
        "ouvrez-le dans Excel, acceptez la réparation, puis enregistrez-le ; sinon reprenez une sauvegarde",
    )


# --- workbooks ----------------------------------------------------------------------------------------------------------


def read_workbook(path: Path, shown: str = "") -> Workbook:
    """Read every sheet of a workbook.

    Raises
    ------
    EvalkitError
        DON-001, DON-002, DON-004, DON-005, DON-006: the file is not a workbook that can be read.
    """
    from xml.etree.ElementTree import ParseError

    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

    shown = shown or path.name
    data = read_bytes(path, shown)
    refused = _not_a_workbook(data, shown)
    if refused:
        raise refused
    archive = _open_zip(data, shown)
    try:
        parts = _sheet_parts(archive)
        percent = _percent_styles(archive)
        scans = {name: _scan(archive.read(part), percent, shown, name) for name, part in parts.items()}
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        kinds = {meta.name: meta.typ for meta in book.sheets_metadata}
        grids = tuple(
            _sheet_grid(book, shown, name, scans.get(name))
            for name in book.sheet_names
            if kinds.get(name) == SheetTypeEnum.WorkSheet
        )
        return Workbook(shown, grids, _properties(archive))
    except (
        CalamineError,
        ParseError,
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        OSError,
        RuntimeError,
        ValueError,
    ) as error:
        raise _damaged(shown) from error


@dataclass
class _Scan:
    """What the values alone do not say: errors, formulas without a result, percentages, what is hidden."""

    broken: dict[tuple[int, int], str] = field(default_factory=dict)
    percent: set[tuple[int, int]] = field(default_factory=set)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)


def _sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Sheet name -> file inside the workbook."""
    from xml.etree import ElementTree

    names = set(archive.namelist())
    relations = {}
    if "xl/_rels/workbook.xml.rels" in names:
        for item in ElementTree.fromstring(_safe_xml(archive.read("xl/_rels/workbook.xml.rels"))):
            target = item.get("Target", "").lstrip("/")
            relations[item.get("Id", "")] = target if target.startswith("xl/") else f"xl/{target}"
    parts = {}
    for item in ElementTree.fromstring(_safe_xml(archive.read("xl/workbook.xml"))).iter():
        if item.tag.endswith("}sheet"):
            link = next((value for key, value in item.attrib.items() if key.endswith("}id")), "")
            part = relations.get(link, "")
            if part in names:
                parts[item.get("name", "")] = part
    return parts


def _safe_xml(data: bytes) -> bytes:
    """Refuse declarations of entities: a workbook has none, and they can grow without end."""
    if b"<!DOCTYPE" in data[:4000] or b"<!ENTITY" in data:
        raise ValueError("entities are not expected in a workbook")
    return data


def _percent_styles(archive: zipfile.ZipFile) -> set[bytes]:
    """Numbers of the cell styles that show a percentage."""
    if "xl/styles.xml" not in archive.namelist():
        return set()
    styles = archive.read("xl/styles.xml")
    formats = {b"9", b"10"}
    for item in re.findall(rb"<numFmt\b[^>]*>", styles):
        number = re.search(rb'numFmtId="(\d+)"', item)
        code = re.search(rb'formatCode="([^"]*)"', item)
        if number and code and b"%" in code[1]:
            formats.add(number[1])
    block = re.search(rb"<cellXfs\b.*?</cellXfs>", styles, re.DOTALL)
    used = re.findall(rb'<xf\b[^>]*?numFmtId="(\d+)"', block[0]) if block else []
    return {str(index).encode() for index, number in enumerate(used) if number in formats}


def _scan(xml: bytes, percent: set[bytes], shown: str, sheet: str) -> _Scan:
    found, height, width = _Scan(), 0, 0
    _scan_hidden(xml, found)
    for match in _CELL.finditer(xml):
        attributes, body = match[1], match[2] or b""
        reference = _REF.search(attributes)
        if reference is None or not body:
            continue
        position = (int(reference[2]) - 1, _column_index(reference[1]))
        height, width = max(height, position[0] + 1), max(width, position[1] + 1)
        value = re.search(rb"<v[^>]*>(.*?)</v>", body, re.DOTALL)
        if b't="e"' in attributes:
            found.broken[position] = value[1].decode("utf-8", "replace") if value else "#ERREUR"
        elif b"<f" in body and (value is None or (not value[1] and b't="str"' not in attributes)):
            found.broken[position] = ""
        style = re.search(rb'\bs="(\d+)"', attributes)
        if style and style[1] in percent:
            found.percent.add(position)
    if height * width > MAX_CELLS:
        raise EvalkitError(
            [
                Fault(
                    "DON-005",
                    Place(shown, sheet),
                    f"une feuille de {height} lignes sur {width} colonnes",
                    f"moins de {MAX_CELLS} cellules",
                    "une cellule est sans doute remplie très loin : Ctrl+Fin la montre ; supprimez ces lignes et colonnes",
                )
            ]
        )
    return found


def _scan_hidden(xml: bytes, found: _Scan) -> None:
    """Rows and columns that the sheet does not show."""
    for tag in _HIDDEN.findall(xml):
        given = dict(_NUMBER_GIVEN.findall(tag))
        if tag.startswith(b"<row") and b"r" in given:
            found.hidden_rows.add(int(given[b"r"]) - 1)
        elif b"min" in given and b"max" in given:  # « to the end of the sheet » is no more columns than a sheet has
            found.hidden_columns.update(range(int(given[b"min"]) - 1, min(int(given[b"max"]), _MOST_COLUMNS)))


def _sheet_grid(book: Any, shown: str, name: str, scan: _Scan | None) -> Grid:
    sheet = book.get_sheet_by_name(name)
    rows = [[None if value == "" else value for value in row] for row in sheet.to_python(skip_empty_area=False)]
    scan = scan or _Scan()
    merged = tuple(sheet.merged_cell_ranges or ())
    hidden = frozenset(scan.hidden_rows), frozenset(scan.hidden_columns)
    return Grid(shown, rows, name, (), scan.broken, frozenset(scan.percent), merged, *hidden)


def _properties(archive: zipfile.ZipFile) -> dict[str, str]:
    from xml.etree import ElementTree

    if "docProps/custom.xml" not in archive.namelist():
        return {}
    root = ElementTree.fromstring(_safe_xml(archive.read("docProps/custom.xml")))
    return {item.get("name", ""): "".join(item.itertext()) for item in root}


# --- CSV ----------------------------------------------------------------------------------------------------------------


def read_csv(path: Path, shown: str = "", headers: frozenset[str] = frozenset()) -> tuple[Grid, list[Fault]]:
    """Read a CSV as text.

    Parameters
    ----------
    path, shown
        The file, and its name in messages.
    headers
        Normalised headers expected (:func:`normalise`): the separator is the one that shows most of them.

    Returns
    -------
    tuple
        The grid, and DON-035 when the encoding had to be supposed.

    Raises
    ------
    EvalkitError
        DON-001, DON-004, DON-005, DON-026: the file is not a text that can be read.
    """
    shown = shown or path.name
    data = read_bytes(path, shown)
    text, warnings = _decode(data, shown)
    offset, first = 0, text.split("\n", 1)[0].strip()
    declared = ""
    if re.fullmatch(r'"?sep=(.)"?', first, re.IGNORECASE) or first.lower() == "sep=":
        declared = first.strip('"')[4:5] or "\t"
        text, offset = text.split("\n", 1)[1] if "\n" in text else "", 1
    separator = declared or _separator(text, headers)
    rows, lines = _records(text, separator, offset, shown)
    return Grid(shown, rows, "", lines), warnings


def _decode(data: bytes, shown: str) -> tuple[str, list[Fault]]:
    if data.startswith((b"PK\x03\x04", _OLE, b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"\x1f\x8b")):
        raise _not_text(shown, "un classeur ou une archive renommés en .csv")
    if data.lstrip(b"\xef\xbb\xbf \r\n\t")[:200].lower().startswith((b"<!doctype html", b"<html")):
        raise _not_text(shown, "une page web enregistrée sous ce nom")
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            try:
                return _newlines(data.decode(name)), []
            except UnicodeDecodeError as error:
                raise _not_text(shown, "un texte dont l’encodage est abîmé") from error
    if b"\x00" in data:
        half = len(data) // 2
        for zeros, name in ((data[1::2].count(0), "utf-16-le"), (data[0::2].count(0), "utf-16-be")):
            if zeros > 0.8 * half and len(data) % 2 == 0:
                return _newlines(data.decode(name, "replace")), [_doubtful(shown, "UTF-16 sans marque")]
        raise _not_text(shown, "un fichier qui n’est pas du texte")
    try:
        return _newlines(data.decode("utf-8")), []
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    strange = {char for char in text if ord(char) > 126 and char not in _USUAL}
    return _newlines(text), [_doubtful(shown, "Windows (cp1252)")] if strange else []


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _not_text(shown: str, read: str) -> EvalkitError:
    return refuse(
        "DON-001",
        shown,
        read,
        "un fichier CSV : du texte, une ligne par enregistrement",
        "ouvrez-le dans Excel, puis « Enregistrer sous », type « CSV UTF-8 (délimité par des virgules) »",
    )


def _doubtful(shown: str, supposed: str) -> Fault:
    return Fault(
        "DON-035",
        Place(shown),
        f"des caractères inhabituels, lus comme {supposed}",
        "un fichier en UTF-8",
        "vérifiez les accents dans le rapport ; sinon enregistrez en « CSV UTF-8 »",
    )


def _separator(text: str, headers: frozenset[str]) -> str:
    start = "\n".join(text.split("\n")[:30])

    def score(separator: str) -> tuple[int, int]:
        cells = [cell.strip().strip('"') for line in start.split("\n") for cell in line.split(separator)]
        known = len({normalise(cell) for cell in cells} & headers)
        widths = Counter(line.count(separator) for line in start.split("\n") if line.strip())
        return known, max((n for n in widths if n), default=0)

    best = max(SEPARATORS, key=lambda separator: (score(separator), -SEPARATORS.index(separator)))
    return best if score(best)[1] or score(best)[0] else ";"


def _records(text: str, separator: str, offset: int, shown: str) -> tuple[list[list[Raw]], list[int]]:
    csv.field_size_limit(max(csv.field_size_limit(), MAX_FIELD_CHARS))
    rows: list[list[Raw]] = []
    lines: list[int] = []
    known: dict[str, Raw] = {}
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=_is_strict(text, separator))
    start = 1
    try:
        for record in reader:
            rows.append([_shared(value, known) for value in record])
            lines.append(start + offset)
            start = reader.line_num + 1
    except csv.Error as error:
        raise refuse(
            "DON-026",
            shown,
            "un guillemet ouvert et jamais refermé",
            "un nombre pair de guillemets doubles dans chaque cellule",
            "ajoutez ou supprimez le guillemet de cette ligne",
            line=start + offset,
        ) from error
    return rows, lines


def _is_strict(text: str, separator: str) -> bool:
    """An odd number of quotes in the file is a fault; text around quotes (``dit "oui"``) is not."""
    return text.count('"') % 2 == 1


def _shared(value: str, known: dict[str, Raw]) -> Raw:
    """A cell, held once however many rows say the same: answers are few, and a file has a hundred thousand rows."""
    if value in known:
        return known[value]
    cell = _cell(value)
    if len(known) < _MOST_SHARED:
        known[value] = cell
    return cell


def _cell(value: str) -> Raw:
    """Text of a cell; the apostrophe that protects ``=…`` from Excel is taken away."""
    if value[:1].isalnum():  # nearly every cell: nothing to take away, nothing to look at
        return value
    if is_blank(value):
        return None
    return value[1:] if value[:1] == "'" and value[1:2] in tuple("=+-@\t\r") else value


def normalise(text: object) -> str:
    """How headers, sheets and choices are compared: no accent, no case, ``_`` for any run of spaces and hyphens."""
    return _normalise(str(text))


@lru_cache(maxsize=20_000)
def _normalise(text: str) -> str:
    text = text.replace("œ", "oe").replace("Œ", "OE")
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _JOINTS.sub("_", text.strip().lower()).strip("_*: ")
