"""The automatic check of the published workbook: what a machine can see in the file. It never claims conformity."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from evalkit.report.numbers import numbers_of
from evalkit.report.page_identity import PageIdentity, read_identity
from evalkit.wording import NARROW_SPACE, format_date, format_number

FRAMEWORK = frozenset(
    {"Indicateurs définis", "Définitions", "Règles"}
)  # said once for every territory, not in its page
# A unit (« pour 10 000 habitants ») belongs to the definition; a rank of discussion is the order of the page's list.
NO_FIGURES = frozenset({"Unité", "Ordre de discussion"})
_QUOTED = re.compile(r'"([^"]*)"')
_GROUPS = re.compile(
    r"(?<=\d)[ \u00a0\u202f](?=\d{3}(?!\d))"
)  # a text keeps the space that was typed, a page sets its own
_SHOWN = 5  # examples given


def check_xlsx(content: bytes, page: str) -> dict[str, Any]:
    """Check a published workbook against the page of the same territory.

    Returns
    -------
    dict
        As :func:`evalkit.report.check.check_page`: ``anomalies``, ``comptes``, ``verifie_par``, ``non_verifie``.
    """
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    identity = read_identity(page)
    formulas, outside = _formulas(content)
    anomalies = [
        *_properties(book, identity),
        *[anomaly for sheet in book.worksheets for anomaly in _sheet(sheet, identity)],
        *([f"{outside} formule(s) ou lien(s) vers un autre fichier"] if outside else []),
        *_against_page(book, page),
    ]
    return {
        "anomalies": anomalies,
        "comptes": {
            "feuilles": len(book.worksheets),
            "lignes": sum(sheet.max_row for sheet in book.worksheets),
            "formules": formulas,
            "nombres_compares": sum(sum(numbers.values()) for numbers in _numbers(book).values()),
            "octets": len(content),
        },
        "verifie_par": "evalkit (contenu du classeur relu avec openpyxl)",
        "non_verifie": [
            "résultat des formules dans Excel (les essais les recalculent avec LibreOffice)",
            "lecture par un lecteur d'écran",
        ],
    }


def displayed(cell: Any) -> str:
    """Text of a cell as a French Excel shows it; a date in words, as pages write it.

    >>> from types import SimpleNamespace as Cell
    >>> displayed(Cell(value=0.425, number_format='0.0" "%')), displayed(Cell(value=1234, number_format="#,##0"))
    ('42,5 %', '1\\u202f234')
    """
    value, code = cell.value, str(cell.number_format)
    if value is None:
        return ""
    if isinstance(value, datetime):
        return format_date(
            f"{value:%Y-%m-%d}"
        )  # the numbers of the page's way of writing it, without « 06 » nor « 09 »
    if not isinstance(value, int | float):
        return str(value)
    suffix, bare = "".join(_QUOTED.findall(code)), _QUOTED.sub("", code)
    if "%" in bare:
        value, suffix = round(value * 100, 9), f"{suffix}%"
    if code == "General":
        return (str(int(value)) if float(value).is_integer() else str(value)).replace(".", ",").replace("-", "−")
    text = format_number(value, len(bare.partition(".")[2].rstrip("%")))
    return (text if bare.startswith("#") else text.replace(NARROW_SPACE, "")) + suffix


def _formulas(content: bytes) -> tuple[int, int]:
    """Number of formulas, and of those (or links) that look elsewhere."""
    formulas, outside = 0, 0
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            outside += name.startswith("xl/externalLinks/")
            if name.startswith("xl/worksheets/sheet"):
                found = re.findall(r"<f>(.*?)</f>", archive.read(name).decode("utf-8"))
                formulas += len(found)
                outside += sum("[" in formula.partition("[[")[0] or "://" in formula for formula in found)
    return formulas, outside


def _properties(book: Any, identity: PageIdentity) -> list[str]:
    known = {one.name: one.value for one in book.custom_doc_props.props}
    found = [] if book.properties.title else ["pas de titre dans les propriétés du fichier"]
    if known.get("langue") != "fr-FR":
        found.append("langue du fichier non déclarée")
    if known.get("evalkit_empreinte") != (str(identity.stamp.get("empreinte") or "") or "non calculée"):
        found.append("l'empreinte des données n'est pas celle de la page")
    return found


def _sheet(sheet: Any, identity: PageIdentity) -> list[str]:
    found = []
    if not all(mark in str(sheet.oddHeader.center.text or "") for mark in identity.marques):
        found.append(f"feuille « {sheet.title} » : une mention manque à l'impression")
    broken = [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.data_type == "e"]
    if broken:
        found.append(f"feuille « {sheet.title} » : erreur de calcul en {', '.join(broken[:_SHOWN])}")
    if sheet.tables and not (sheet.freeze_panes and sheet.print_title_rows):
        found.append(f"feuille « {sheet.title} » : ligne d'en-tête non répétée")
    return found


def _numbers(book: Any) -> dict[str, Counter[str]]:
    """Numbers of each sheet that says something of the territory, as displayed."""
    return {
        sheet.title: numbers_of(_GROUPS.sub(NARROW_SPACE, "\n".join(text for _, text in _figures(sheet))))
        for sheet in book.worksheets
        if sheet.tables and sheet.title not in FRAMEWORK
    }


def _figures(sheet: Any) -> Iterator[tuple[str, str]]:
    """Place and text of a sheet's cells, but for the columns whose numbers are no figure of the territory."""
    from openpyxl.utils import range_boundaries

    passed = set()
    for table in sheet.tables.values():
        left, top, right, bottom = range_boundaries(table.ref)
        columns = [column for column in range(left, right + 1) if sheet.cell(top, column).value in NO_FIGURES]
        passed |= {(row, column) for row in range(top, bottom + 1) for column in columns}
    for row in sheet.iter_rows():
        yield from ((cell.coordinate, displayed(cell)) for cell in row if (cell.row, cell.column) not in passed)


def _against_page(book: Any, page: str) -> list[str]:
    """Every number of the workbook is one that the page prints, in the same way."""
    from bs4 import BeautifulSoup

    main = BeautifulSoup(page, "html.parser").find("main")
    if main is None:
        return ["page d'origine illisible"]
    known = numbers_of(_GROUPS.sub(NARROW_SPACE, "\n".join(main.strings)))
    found = []
    for title, numbers in _numbers(book).items():
        added = sorted(set(numbers) - set(known))
        if added:
            more = "…" if len(added) > _SHOWN else ""
            told = ", ".join(f"{number} ({_first_cell(book[title], number)})" for number in added[:_SHOWN])
            found.append(f"feuille « {title} » : {len(added)} nombre(s) absent(s) de la page : {told}{more}")
    return found


def _first_cell(sheet: Any, number: str) -> str:
    """Where to look: the first cell that says this number."""
    return next(cell for cell, text in _figures(sheet) if number in numbers_of(_GROUPS.sub(NARROW_SPACE, text)))
