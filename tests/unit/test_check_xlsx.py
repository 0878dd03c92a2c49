"""The check of the published workbook sees what would make it say something else than the page."""

from __future__ import annotations

import doctest
import io
from collections.abc import Callable
from types import SimpleNamespace
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


def test_a_number_that_the_page_does_not_print_is_told_with_its_cell(made: bytes, page: str) -> None:
    cells: list[str] = []

    def change(book: Any) -> None:
        cell = first_number(book["Groupes"])
        cell.value = 98765
        cells.append(cell.coordinate)

    said = check_xlsx(changed(made, change), page)["anomalies"]
    assert any(f"98\u202f765 ({cells[0]})" in one for one in said)


def test_the_interval_of_an_opinion_is_not_in_the_workbook(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page draws opinions by their shares alone; a choice keeps the interval that its line prints."""
    from evalkit.report import workbook_published

    item = SimpleNamespace(
        key="P12", question=SimpleNamespace(type="likert"), choices=[("1", "Non", 40.0, 25.0, 68.0)] * 5
    )
    other = SimpleNamespace(key="P1", question=SimpleNamespace(type="choix_unique"), choices=item.choices)
    for one in (item, other):
        one.enquete, one.partie, one.question.code = SimpleNamespace(code="E"), "p", one.key
    seen = {}
    publication = make_publication(items=[_row("P12"), _row("P1")])
    monkeypatch.setattr(workbook_published, "read_items", lambda _: [item, other])
    monkeypatch.setattr(
        workbook_published, "replace", lambda one, **changes: SimpleNamespace(**{**vars(one), **changes})
    )
    monkeypatch.setattr(workbook_published, "_answer_rows", lambda one, *_: seen.update({one.key: one.choices}) or [])
    workbook_published._answers(publication)
    assert all(low != low and high != high for *_, low, high in seen["P12"])
    assert [choice[3:] for choice in seen["P1"]] == [(25.0, 68.0)] * 5


def _row(code: str) -> dict[str, Any]:
    return {"enquete": "E", "partie": "p", "question": code}
