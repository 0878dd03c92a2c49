"""A questionnaire to pass: an XLSForm (KoboToolbox, ODK) and a form to print, both from ``referentiel/enquetes/``.

Question codes are those of the framework, so that answers come back under them. The notice comes first, then the consent,
which opens the questions. Same inputs, same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path

import xlsxwriter

from evalkit.documents.questionnaire_page import TO_COMPLETE, render_printable_form
from evalkit.documents.surveys_page import notice_sentences
from evalkit.documents.xlsform_expressions import check_expression, constraint, relevance
from evalkit.model.referentiel import Referentiel
from evalkit.model.survey import Enquete, QuestionEnquete, territory_choices
from evalkit.model.territory import Territory

CONSENT = "consentement"
PART = "partie"
CONSENT_LABEL = "J’ai lu ces informations et j’accepte de répondre."
LANGUAGE = "Français (fr)"
_CREATED = datetime(2022, 1, 1)  # fixed: the clock never enters a document
_LABEL, _HINT, _MESSAGE = f"label::{LANGUAGE}", f"hint::{LANGUAGE}", f"constraint_message::{LANGUAGE}"
SURVEY_COLUMNS = ("type", "name", _LABEL, _HINT, "required", "relevant", "constraint", _MESSAGE, "appearance")
CHOICE_COLUMNS = ("list_name", "name", _LABEL)
_WIDTHS = {_LABEL: 70, _HINT: 40, "relevant": 40, "constraint": 40, _MESSAGE: 40, "type": 26, "name": 24}
_TYPES = {"choix_unique": "select_one", "choix_multiple": "select_multiple", "likert": "select_one"}

Row = Mapping[str, str]


@dataclass
class Form:
    """The three sheets of an XLSForm, as text. ``a_completer``: what the pilot still has to write in it."""

    survey: list[Row] = field(default_factory=list)
    choices: list[Row] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    a_completer: list[str] = field(default_factory=list)


def build_form(enquete: Enquete, referentiel: Referentiel, territoire: Territory | None = None) -> Form:
    """The form of one questionnaire; the lists of the territory in it when one is given."""
    form = Form(
        settings={
            "form_title": enquete.titre,
            "form_id": enquete.code.lower().replace("-", "_"),
            "version": referentiel.version,
            "default_language": LANGUAGE,
        }
    )
    _opening(form, enquete, referentiel)
    for part in enquete.parties:
        opened = f"${{{CONSENT}}} = 'oui'"
        if len(enquete.parties) > 1:
            opened += f" and ${{{PART}}} = '{part.code}'"
        group = f"groupe_{part.code}"
        form.survey.append({"type": "begin_group", "name": group, _LABEL: part.libelle, "relevant": opened})
        for question in enquete.questions:
            if question.partie == part.code:
                _add_question(form, enquete, question, territoire)
        form.survey.append({"type": "end_group", "name": group})
    for number, sentence in enumerate(enquete.fin, start=1):
        form.survey.append({"type": "note", "name": f"fin_{number}", _LABEL: sentence})
    return form


def _opening(form: Form, enquete: Enquete, referentiel: Referentiel) -> None:
    """Notice, consent, and who answers when the questionnaire has several parts."""
    for number, sentence in enumerate(notice_sentences(enquete, referentiel), start=1):
        form.survey.append({"type": "note", "name": f"mention_{number}", _LABEL: sentence})
        form.a_completer += [f"mention {number} : {words}" for words in TO_COMPLETE.findall(sentence)]
    form.survey.append(
        {"type": f"select_one {CONSENT}", "name": CONSENT, _LABEL: CONSENT_LABEL, "required": "yes"},
    )
    _add_choices(form, CONSENT, [("oui", "Oui"), ("non", "Non")])
    refused = "Vous pouvez fermer ce questionnaire sans l’envoyer. Merci."
    form.survey.append({"type": "note", "name": "refus", _LABEL: refused, "relevant": f"${{{CONSENT}}} = 'non'"})
    if len(enquete.parties) > 1:
        asked = {"type": f"select_one {PART}", "name": PART, _LABEL: "Quelle partie remplissez-vous ?"}
        form.survey.append({**asked, "required": "yes", "relevant": f"${{{CONSENT}}} = 'oui'"})
        _add_choices(form, PART, [(part.code, f"{part.libelle} : {part.repondants}") for part in enquete.parties])


def _add_question(form: Form, enquete: Enquete, question: QuestionEnquete, territoire: Territory | None) -> None:
    rule = constraint(question)
    form.survey.append(
        {
            "type": _type(question),
            "name": question.code,
            _LABEL: question.libelle,
            _HINT: _hint(question),
            "relevant": relevance(question.posee_si, enquete.questions_par_code),
            "constraint": rule,
            _MESSAGE: _message(question) if rule else "",
            "appearance": "multiline" if question.type == "texte" else "",
        }
    )
    if question.choix:
        _add_choices(form, question.code, _choices(form, question, territoire))


def _type(question: QuestionEnquete) -> str:
    if question.choix:
        return f"{_TYPES[question.type]} {question.code}"
    if question.type == "nombre":
        return "integer" if question.entier else "decimal"
    return "text"


def _choices(form: Form, question: QuestionEnquete, territoire: Territory | None) -> list[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    for choice in question.choix:
        known = territory_choices(choice.liste, territoire) if choice.liste and territoire else ()
        if choice.liste and not known:
            text = f"[à compléter : {choice.libelle}, une ligne par choix]"
            form.a_completer.append(f"feuille « choices », liste {question.code} : {choice.libelle}")
            out.append((choice.code, text))
        else:
            out += known or [(choice.code, choice.libelle)]
    return out


def _add_choices(form: Form, name: str, choices: Sequence[tuple[str, str]]) -> None:
    form.choices += [{"list_name": name, "name": code, _LABEL: label} for code, label in choices]


def _hint(question: QuestionEnquete) -> str:
    several = "Plusieurs réponses possibles." if question.type == "choix_multiple" and not question.maximum else ""
    if question.maximum:
        several = f"{question.maximum} réponses au plus."
    unit = f"En {question.unite}." if question.unite and question.unite != "%" else ""
    percent = "En pourcentage, de 0 à 100." if question.unite == "%" else ""
    return " ".join(text for text in (question.consigne or "", several, unit, percent) if text)


def _message(question: QuestionEnquete) -> str:
    """What the person reads when an answer is refused."""
    said = []
    bounds = question.bornes
    if bounds and bounds.min is not None and bounds.max is not None:
        said.append(f"Un nombre entre {bounds.min:g} et {bounds.max:g}.")
    elif bounds and bounds.min is not None:
        said.append(f"Un nombre d’au moins {bounds.min:g}.")
    elif bounds and bounds.max is not None:
        said.append(f"Un nombre d’au plus {bounds.max:g}.")
    if question.maximum:
        said.append(f"{question.maximum} réponses au plus.")
    alone = [f"« {choice.libelle} »" for choice in question.choix if choice.exclusif]
    if alone:
        said.append(f"{' ou '.join(alone)} : sans autre réponse.")
    if question.longueur_max:
        said.append(f"{question.longueur_max} caractères au plus.")
    return " ".join(said)


def check_form(form: Form) -> list[str]:
    """Every broken expression, name or list of a form; empty when it can be given out.

    A question may only name questions that come before it; names and codes are ASCII.
    """
    faults: list[str] = []
    lists: dict[str, list[str]] = {}
    for choice in form.choices:
        lists.setdefault(choice["list_name"], []).append(choice["name"])
    known: dict[str, Sequence[str]] = {}
    depth = 0
    for row in form.survey:
        kind, name = row["type"].partition(" ")[0], row.get("name", "")
        depth += {"begin_group": 1, "end_group": -1}.get(kind, 0)
        faults += [f"{name} : un groupe se ferme sans être ouvert"] if depth < 0 else []
        listed = row["type"].partition(" ")[2]
        faults += [f"{name} : la liste « {listed} » n’existe pas"] if listed and listed not in lists else []
        if row.get("relevant"):
            faults += [f"{name} : {fault}" for fault in check_expression(row["relevant"], known)]
        if kind not in ("note", "begin_group", "end_group"):
            faults += [f"{name} : nom employé deux fois"] if name in known else []
            known[name] = lists.get(listed, [])
        if row.get("constraint"):
            faults += [f"{name} : {fault}" for fault in check_expression(row["constraint"], known, own=name)]
        faults += [] if name.isascii() and name.replace("_", "").isalnum() else [f"« {name} » n’est pas un nom"]
    faults += ["un groupe n’est pas fermé"] if depth > 0 else []
    for listed, codes in lists.items():
        wrong = [code for code in codes if not code.isascii() or " " in code or codes.count(code) > 1]
        faults += [f"liste {listed} : le choix « {code} » est répété ou mal écrit" for code in dict.fromkeys(wrong)]
    return faults


def write_xlsform(
    path: Path, enquete: Enquete, referentiel: Referentiel, territoire: Territory | None = None
) -> list[str]:
    """Write the XLSForm; return what the pilot still has to complete in it.

    Raises
    ------
    ValueError
        The form would be broken: a mistake of ours, never written to disk.
    """
    form = build_form(enquete, referentiel, territoire)
    if faults := check_form(form):
        raise ValueError(f"{enquete.code}: {' ; '.join(faults)}")
    content = BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    book.set_properties({"title": enquete.titre, "author": "evalkit", "created": _CREATED})
    head = book.add_format({"bold": True, "bottom": 1})
    text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    sheets = (
        ("survey", SURVEY_COLUMNS, form.survey),
        ("choices", CHOICE_COLUMNS, form.choices),
        ("settings", tuple(form.settings), [form.settings]),
    )
    for name, columns, rows in sheets:
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for column, title in enumerate(columns):
            sheet.set_column(column, column, _WIDTHS.get(title, 16))
            sheet.write_string(0, column, title, head)
            for number, row in enumerate(rows, start=1):
                if row.get(title):  # text always: a label that begins with « = » is never a formula
                    sheet.write_string(number, column, row[title], text)
    book.close()
    path.write_bytes(content.getvalue())
    return form.a_completer


def write_printable_form(
    path: Path, enquete: Enquete, referentiel: Referentiel, territoire: Territory | None = None
) -> Path:
    """Write the form to print, one accessible HTML file without script; return its path."""
    path.write_text(render_printable_form(enquete, referentiel, territoire), encoding="utf-8", newline="\n")
    return path
