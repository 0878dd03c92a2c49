"""What every published file needs: decode it, split it, read its numbers, compare its names."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalkit.errors import Fault, Place

SPACES = "\u00a0\u202f\u2009\u2007 "
MAX_BYTES = 200_000_000
_NUMBER = re.compile(r"^[-−+]?\d+([.,]\d+)?$")
_GROUPED = re.compile(r"^[-−+]?\d{1,3}( \d{3})+([.,]\d+)?$")
_ARTICLE = re.compile(r"^(le|la|les|l) ")
_SILENCES = {
    "": "non_disponible",
    "s": "secret",
    "ns": "non_significatif",
    "nd": "non_disponible",
    "n/d": "non_disponible",
}


@dataclass(frozen=True)
class PublishedTable:
    """A CSV as published: cleaned headers (``""`` = unnamed column), rows of text with their line, and what was repaired."""

    name: str
    headers: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    faults: tuple[Fault, ...] = ()
    n_unnamed: int = 0
    n_blank: int = 0

    def index(self, *names: str) -> int | None:
        """Position of the first of these columns, whatever their case; ``None`` if the table has none."""
        lowered = [header.lower() for header in self.headers]
        return next((lowered.index(name.lower()) for name in names if name.lower() in lowered), None)


@dataclass
class Cell:
    """A number read from a cell: ``value`` (NaN when silent) and ``silence`` (``""`` when there is a value)."""

    value: float = math.nan
    silence: str = ""
    readable: bool = True


@dataclass
class FaultList:
    """Faults of one file, in reading order, kept short: beyond ``limit`` of a kind, the last one counts the others."""

    limit: int = 30
    faults: list[Fault] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=dict)

    def add(self, fault: Fault) -> None:
        """Keep a fault, unless its kind already filled its share."""
        self._counts[fault.code] = self._counts.get(fault.code, 0) + 1
        if self._counts[fault.code] <= self.limit:
            self.faults.append(fault)

    def closed(self, file: str) -> tuple[Fault, ...]:
        """Every fault kept, then one line per kind that overflowed."""
        more = [
            Fault(
                code, Place(file), f"{count - self.limit} autres cas du même genre", "", "corrigez d'abord ceux d'avant"
            )
            for code, count in sorted(self._counts.items())
            if count > self.limit
        ]
        return (*self.faults, *more)


def decode(path: Path) -> str | None:
    """Text of a file (UTF-8 with or without BOM, else cp1252); ``None`` when it is empty, too big or not text."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        raw = path.read_bytes()
    except OSError:
        return None
    if not raw.strip() or b"\x00" in raw[:4096]:
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def unreadable(path: Path) -> Fault:
    """The message for a file that is empty, absent, too big or not a text file."""
    return Fault(
        "DON-086",
        Place(str(path)),
        "un fichier absent, vide ou qui n'est pas du texte",
        "le fichier CSV tel que l'éditeur le publie",
        "téléchargez-le de nouveau ; si c'est un classeur, enregistrez la feuille au format CSV",
    )


def read_table(path: Path) -> tuple[PublishedTable | None, list[Fault]]:
    """Read a published CSV, whatever its encoding, its separator and its empty columns.

    Returns
    -------
    tuple
        The table, or ``None`` with DON-086 (unreadable) or DON-070 (the same header twice). Cells are text, with their
        outer spaces removed; blank rows are counted and dropped.
    """
    text = decode(path)
    if text is None or "<html" in text[:500].lower():
        return None, [unreadable(path)]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
    raw = [(lines.line_num, row) for row in lines]
    headers = tuple(_clean(header) for header in raw[0][1])
    doubled = sorted({header for header in headers if header and headers.count(header) > 1})
    if doubled:
        return None, [_doubled_header(path, header) for header in doubled]
    rows = tuple((line, tuple(_clean(cell) for cell in row)) for line, row in raw[1:])
    kept = tuple((line, row) for line, row in rows if any(row))
    faults = [*_repaired_headers(path, raw[0][1], headers), *_stray_cells(path, headers, kept)]
    return PublishedTable(path.name, headers, kept, tuple(faults), headers.count(""), len(rows) - len(kept)), []


def _separator(text: str) -> str:
    first = text.splitlines()[0]
    return max((";", "\t", ","), key=first.count)


def _clean(cell: str) -> str:
    return cell.strip(SPACES + "\t\r\n")


def _doubled_header(path: Path, header: str) -> Fault:
    return Fault(
        "DON-070",
        Place(str(path), line=1, column=header),
        f"la colonne « {header} » deux fois",
        "un nom de colonne une seule fois",
        "supprimez la colonne en trop, ou reprenez le fichier publié",
    )


def _repaired_headers(path: Path, raw: list[str], headers: tuple[str, ...]) -> list[Fault]:
    changed = [(before, after) for before, after in zip(raw, headers, strict=True) if before != after and after]
    return [
        Fault(
            "DON-083",
            Place(str(path), line=1, column=after),
            f"un en-tête avec une espace en trop : « {before} »",
            f"« {after} »",
            "rien à faire : l'en-tête a été lu sans ses espaces",
        )
        for before, after in changed
    ]


def _stray_cells(path: Path, headers: tuple[str, ...], rows: tuple[tuple[int, tuple[str, ...]], ...]) -> list[Fault]:
    for line, row in rows:
        for position, cell in enumerate(row):
            if cell and (position >= len(headers) or not headers[position]):
                return [
                    Fault(
                        "DON-084",
                        Place(str(path), line=line, note=f"colonne n° {position + 1}"),
                        f"« {cell[:40]} » dans une colonne sans nom",
                        "des colonnes sans nom toujours vides",
                        "donnez un nom à cette colonne si elle compte ; elle n'a pas été importée",
                    )
                ]
    return []


def read_json(path: Path) -> tuple[Any, list[Fault]]:
    """Read a JSON or GeoJSON file; ``None`` with DON-072 and the line when it is broken."""
    text = decode(path)
    if text is None:
        return None, [unreadable(path)]
    try:
        return json.loads(text), []
    except (json.JSONDecodeError, RecursionError) as error:
        return None, [
            Fault(
                "DON-072",
                Place(str(path), line=getattr(error, "lineno", None)),
                "un fichier interrompu ou mal formé",
                "un fichier GeoJSON (ou JSON) complet",
                "téléchargez-le de nouveau : il a sans doute été coupé",
            )
        ]


def read_number(cell: str) -> Cell:
    """Read a French number: decimal comma, thousands grouped by any no-break space; a silence stays a silence.

    An empty cell is ``non_disponible``: the publisher does not tell secrecy from absence. A point followed by exactly three
    digits is refused, since it may be a thousands separator.
    """
    lowered = cell.lower()
    if lowered in _SILENCES:
        return Cell(silence=_SILENCES[lowered])
    text = "".join(" " if character in SPACES else character for character in cell)
    if not (_NUMBER.match(text) or _GROUPED.match(text)) or re.search(r"\.\d{3}$", text):
        return Cell(readable=False)
    return Cell(value=float(text.replace(" ", "").replace("−", "-").replace(",", ".")))


def plain(text: str) -> str:
    """Lower case, no accent, no ligature, words separated by one space: ``Mons-en-Barœul`` -> ``mons en baroeul``."""
    text = text.replace("œ", "oe").replace("Œ", "Oe").replace("æ", "ae").replace("Æ", "Ae")
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()
    return re.sub(r"[^a-z0-9]+", " ", bare).strip()


def commune_key(name: str) -> str:
    """Key of a commune's name: no leading article (some files drop it), ``st`` and ``saint`` alike."""
    words = [{"st": "saint", "ste": "sainte"}.get(word, word) for word in plain(name).split()]
    return _ARTICLE.sub("", " ".join(words))


def slug(name: str, length: int = 60) -> str:
    """Folder name: ASCII, lower case, hyphens."""
    return plain(name).replace(" ", "-")[:length].strip("-")
