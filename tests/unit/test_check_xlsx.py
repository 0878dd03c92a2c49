"""The check of the published workbook sees what would make it say something else than the page."""

from __future__ import annotations

import doctest
import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest

from evalkit.report import check_xlsx as module
from evalkit.report.check_xlsx import FRAMEWORK, check_xlsx
from evalkit.report.sections_method import make_stamp
from evalkit.report.workbook import render_rapport_xlsx
from tests.attaque.classeur_lu import sheets_of
from tests.fabrique import make_publication
from tests.unit.word_cases import make_page


@pytest.fixture(scope="module")
def made() -> bytes:
    return render_rapport_xlsx(make_publication())


@pytest.fixture(scope="module")
def page(made: bytes) -> str:
    """A page that prints the numbers of the workbook, and bears the stamp of the same data."""
    book = openpyxl.load_workbook(io.BytesIO(made), data_only=True)
    words = [
        module.displayed(cell)
        for sheet in book.worksheets
        if sheet.title not in FRAMEWORK
        for row in sheet.iter_rows()
        for cell in row
    ]
    from evalkit.report.html import paragraph

    return make_page(paragraph(" ; ".join(words)), **make_stamp(make_publication()))


def changed(content: bytes, change: Callable[[Any], None]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    change(book)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_doctests_pass() -> None:
    assert doctest.testmod(module).failed == 0


def test_nothing_is_found_in_what_evalkit_wrote(made: bytes, page: str) -> None:
    found = check_xlsx(made, page)
    assert found["anomalies"] == []
    assert found["comptes"]["formules"] > 50
    assert found["comptes"]["nombres_compares"] > 250  # codes are no numbers
    assert found["comptes"]["feuilles"] >= len(sheets_of(made))
    assert found["non_verifie"]


def first_number(sheet: Any) -> Any:
    return next(cell for row in sheet.iter_rows(min_row=8) for cell in row if isinstance(cell.value, int | float))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda book: setattr(first_number(book["Groupes"]), "value", 98765), "98\u202f765"),
        (lambda book: setattr(first_number(book["Niveaux"]), "value", "=[autre.xlsx]A!B1"), "vers un autre fichier"),
        (lambda book: setattr(first_number(book["Niveaux"]), "value", "#REF!"), "erreur de calcul"),
        (lambda book: setattr(book["Niveaux"].oddHeader.center, "text", ""), "mention"),
        (lambda book: setattr(book["Groupes"], "freeze_panes", None), "en-tête"),
        (lambda book: setattr(book.properties, "title", None), "titre"),
        (lambda book: book.custom_doc_props.__delitem__("evalkit_empreinte"), "empreinte"),
        (lambda book: book.custom_doc_props.__delitem__("langue"), "langue"),
    ],
)
def test_what_was_changed_is_seen(made: bytes, page: str, change: Callable[[Any], None], words: str) -> None:
    assert any(words in one for one in check_xlsx(changed(made, change), page)["anomalies"])


@pytest.mark.parametrize(("sheet", "column"), [("Indicateurs", "Unité"), ("Groupes", "Ordre de discussion")])
def test_a_unit_and_a_rank_are_no_figures(made: bytes, page: str, sheet: str, column: str) -> None:
    """« pour 10 000 habitants » of an indicator without value, the 34th of a list: the page need not print these numbers."""

    def change(book: Any) -> None:
        head = next(cell for row in book[sheet].iter_rows() for cell in row if cell.value == column)
        book[sheet].cell(head.row + 1, head.column).value = 98765

    assert check_xlsx(changed(made, change), page)["anomalies"] == []


def test_a_column_without_figures_is_that_of_its_table_only(made: bytes, page: str) -> None:
    """Under the table of that header, the same column of the sheet may hold figures."""

    def change(book: Any) -> None:
        sheet = book["Groupes"]
        head = next(cell for row in sheet.iter_rows() for cell in row if cell.value == "Ordre de discussion")
        sheet.cell(sheet.max_row + 2, head.column).value = 98765

    assert any("98765" in one for one in check_xlsx(changed(made, change), page)["anomalies"])
