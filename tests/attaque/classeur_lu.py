"""What an attacker reads in ``rapport.xlsx``: every sheet, as displayed and to the last digit that is stored.

The tables of a workbook are given the shape of those of a page, so that both are attacked in the same way. Nothing here
comes from what writes the workbook.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

import openpyxl
from openpyxl.utils import range_boundaries

QUOTED = re.compile(r'"([^"]*)"')


@dataclass(frozen=True)
class Table:
    """One table of a document: caption, headers, rows of texts, what is printed around its figure."""

    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figure: str = ""
    small: str = ""


def clean(text: str) -> str:
    """Ordinary spaces only."""
    return re.sub(r"\s+", " ", text.replace("\u202f", " ").replace("\xa0", " ")).strip()


def stored(value: float) -> str:
    """A number with every digit that the file holds, the French way."""
    return str(int(value)) if float(value).is_integer() else repr(float(value)).replace(".", ",")


def displayed(cell: Any) -> str:
    """Text of a cell as a French Excel shows it, but with every stored digit: a hidden decimal is read too."""
    value, code = cell.value, str(cell.number_format)
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%d/%m/%Y}"
    if not isinstance(value, int | float):
        return clean(str(value))
    suffix = clean("".join(QUOTED.findall(code)))
    bare = QUOTED.sub("", code)
    number = stored(round(value * 100, 9)) if "%" in bare else stored(value)
    decimals = len(bare.partition(".")[2].rstrip("%"))
    have = len(number.partition(",")[2])
    if code != "General" and have < decimals:
        number = f"{number}{'' if have else ','}{'0' * (decimals - have)}"
    return clean(f"{number} {suffix}{'%' if '%' in bare else ''}")


def sheets_of(content: bytes) -> dict[str, Table]:
    """Every sheet of a workbook that holds a table, by name."""
    book = openpyxl.load_workbook(BytesIO(content), data_only=True)
    out = {}
    for sheet in book.worksheets:
        for found in sheet.tables.values():
            left, top, right, bottom = range_boundaries(found.ref)
            lines = [[displayed(cell) for cell in row] for row in sheet.iter_rows(top, bottom, left, right)]
            rows = tuple(tuple(line) for line in lines[1:] if any(line))
            out[sheet.title] = Table(sheet.title, tuple(lines[0]), rows)
    return out


def read_workbook(content: bytes, names: Mapping[str, str]) -> list[Table]:
    """The tables that hold something about answers, ratings or amounts, in the shape of a page's.

    ``names``: full name of a group of actors -> the short one that pages use.
    """
    sheets = sheets_of(content)
    shapes = {
        "Groupes": lambda table: _groups(table, names),
        "Répartitions": _distributions,
        "Réponses": _answers,
        "Indicateurs": _indicators,
        "Programme d’actions": _actions,
    }
    assert "Groupes" in sheets or "Indicateurs" in sheets, list(sheets)
    return [shapes[name](table) for name, table in sheets.items() if name in shapes]


def _columns(table: Table, *headers: str) -> tuple[tuple[str, ...], ...]:
    places = [table.headers.index(header) for header in headers]
    return tuple(tuple(row[place] for place in places) for row in table.rows)


def _groups(table: Table, names: Mapping[str, str]) -> Table:
    full = [header.removesuffix(" : n") for header in table.headers if header.endswith(" : n")]
    rows = []
    for row in table.rows:
        at = dict(zip(table.headers, row, strict=True))
        cells = []
        for name in full:
            median = at[f"{name} : médiane"].replace("secret statistique", "secret")
            cells.append(median if median == "aucune cotation" else f"{median} (n = {at[f'{name} : n']})")
        rows.append((row[0], *cells))
    return Table("médiane des cotations", ("Sous-question", *(names[name] for name in full)), tuple(rows))


def _distributions(table: Table) -> Table:
    return Table("Répartition des cotations", table.headers, table.rows)


def _answers(table: Table) -> Table:
    headers = ("Question", "n", "Réponse", "Valeur", "Silences")
    return Table("Réponses", headers, _columns(table, *headers))


def _indicators(table: Table) -> Table:
    rows = [
        (code, f"{top} / {bottom}", f"{source} ({way})")
        for code, top, bottom, source, way in _columns(
            table, "Indicateur", "Numérateur", "Dénominateur", "Source", "Obtention"
        )
    ]
    return Table("Indicateurs", ("Indicateur", "Numérateur / dénominateur", "Source"), tuple(rows))


def _actions(table: Table) -> Table:
    wanted = ("Année", "Thème", "Actions", "Structures", "Programme 147", "Droit commun", "Tous financeurs")
    rows = [(f"{row[0]}, {row[1]}", *row[2:]) for row in _columns(table, *wanted)]
    return Table("Programme d’actions, par année et par thème", ("Année et thème", *wanted[2:]), tuple(rows))
