"""A workbook to type paper answers in: one row per answer, one column per question, the codes of the framework as titles.

``evalkit importer enquete`` reads it back under the same codes. Same inputs, same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import xlsxwriter

from evalkit.documents.surveys_page import describe_condition
from evalkit.model.referentiel import Referentiel
from evalkit.model.survey import ENQUETE_PROPERTY, Enquete, QuestionEnquete, territory_choices
from evalkit.model.territory import Territory

SHEET = "reponses"
_ROWS = 500  # rows ready to be filled
_CREATED = datetime(2022, 1, 1)  # fixed: the clock never enters a document
_LONGEST_LIST = 255  # characters of the choices that a cell may propose by itself
HELP = (
    "Une ligne par réponse papier, dans la feuille « reponses ». Les deux premières lignes ne se changent pas.",
    "Une seule réponse possible : choisissez dans la liste. Plusieurs réponses possibles : une colonne par réponse, tapez x.",
    "Une question laissée vide par la personne reste vide. Une question qui ne la concernait pas reste vide aussi.",
    "Ne tapez ni nom, ni adresse, ni numéro : un texte libre n’est pas gardé, on compte seulement qu’il y en a un.",
    "Puis : evalkit importer enquete CE-FICHIER --vers DOSSIER-DU-TERRITOIRE",
)


@dataclass(frozen=True)
class _Column:
    title: str
    label: str
    choices: tuple[str, ...] = ()
    number: QuestionEnquete | None = None


def write_answers_workbook(path: Path, enquete: Enquete, referentiel: Referentiel, territory: Territory | None) -> Path:
    """Write the workbook of one questionnaire; the territory's QPV and communes as choices when one is given."""
    path.write_bytes(answers_workbook(enquete, referentiel, territory))
    return path


def answers_workbook(enquete: Enquete, referentiel: Referentiel, territory: Territory | None) -> bytes:
    """The workbook, as bytes."""
    content = BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"title": f"{enquete.titre} — saisie des réponses", "created": _CREATED})
        book.set_custom_property(ENQUETE_PROPERTY, enquete.code)
        book.set_custom_property("evalkit_referentiel", referentiel.version)
        columns = list(_columns(enquete, territory))
        sheet = book.add_worksheet(SHEET)
        lists = book.add_worksheet("listes")
        _fill(book, sheet, lists, columns)
        help_sheet = book.add_worksheet("lisez_moi")
        help_sheet.set_column(0, 0, 120)
        for row, sentence in enumerate((f"{enquete.code} — {enquete.titre}", *HELP)):
            help_sheet.write_string(row, 0, sentence, book.add_format({"text_wrap": True, "bold": row == 0}))
        sheet.activate()
    return content.getvalue()


def _columns(enquete: Enquete, territory: Territory | None) -> Iterator[_Column]:
    if len(enquete.parties) > 1:
        yield _Column("partie", "Partie du questionnaire", tuple(part.libelle for part in enquete.parties))
    for question in enquete.questions:
        asked = f" ({describe_condition(question.posee_si, enquete)})" if question.posee_si else ""
        label = f"{question.libelle}{asked}"
        choices = _labels(question, territory)
        if question.type == "choix_multiple" and choices:
            for code, text in choices:
                yield _Column(f"{question.code}[{code}]", f"{label} [{text}]", ("x",))
        elif question.type == "choix_multiple":
            yield _Column(question.code, f"{label} (réponses séparées par ;)")
        elif question.type == "nombre":
            yield _Column(question.code, f"{label} ({question.unite})" if question.unite else label, (), question)
        else:
            yield _Column(question.code, label, tuple(text for _, text in choices))


def _labels(question: QuestionEnquete, territory: Territory | None) -> list[tuple[str, str]]:
    """(code, label) of the choices; empty when a list is left to the territory and the territory does not give it."""
    out: list[tuple[str, str]] = []
    for choice in question.choix:
        known = territory_choices(choice.liste, territory) if choice.liste and territory else ()
        if choice.liste and not known:
            return []
        out += known if choice.liste else [(choice.code, choice.libelle)]
    return out


def _fill(book: Any, sheet: Any, lists: Any, columns: list[_Column]) -> None:
    bold = book.add_format({"bold": True, "bg_color": "#e8eef4", "border": 1})
    wrapped = book.add_format({"text_wrap": True, "valign": "top", "font_size": 9, "border": 1, "bg_color": "#f6f6f6"})
    sheet.freeze_panes(2, 0)
    sheet.set_row(1, 90)
    sheet.set_column(0, len(columns) - 1, 18)
    for index, column in enumerate(columns):
        sheet.write_string(0, index, column.title, bold)
        sheet.write_string(1, index, column.label, wrapped)
        rule = _validation(lists, index, column)
        if rule:
            sheet.data_validation(2, index, _ROWS + 1, index, rule)
    lists.hide()


def _validation(lists: Any, index: int, column: _Column) -> dict[str, Any]:
    if column.choices:
        source: Any = list(column.choices)
        if len(",".join(column.choices)) > _LONGEST_LIST or any("," in text for text in column.choices):
            for row, text in enumerate(column.choices):
                lists.write_string(row, index, text)
            letters = xlsxwriter.utility.xl_col_to_name(index)
            source = f"=listes!${letters}$1:${letters}${len(column.choices)}"
        return {
            "validate": "list",
            "source": source,
            "error_title": "Réponse hors de la liste",
            "error_message": "Choisissez dans la liste, ou laissez vide.",
        }
    if column.number is None:
        return {}
    bounds = column.number.bornes
    low = bounds.min if bounds and bounds.min is not None else -1e9
    high = bounds.max if bounds and bounds.max is not None else 1e9
    return {
        "validate": "decimal",
        "criteria": "between",
        "minimum": low,
        "maximum": high,
        "error_title": "Un nombre",
        "error_message": "Tapez un nombre, sans unité, ou laissez vide.",
    }
