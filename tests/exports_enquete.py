"""Files of answers written as each tool writes them, from invented answers: what the reader must give back.

The layouts are those of the tools' exports; the answers are invented. Each function takes the same table of codes and
returns rows of text, the titles first.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from evalkit.model.survey import Enquete, QuestionEnquete, territory_choices
from evalkit.model.territory import Territory

Rows = list[list[Any]]
START = datetime(2022, 10, 3, 9, 0)
CONSENT = "J’ai lu ces informations et j’accepte de répondre."


def _value(row: Any, question: QuestionEnquete) -> str:
    value = row.get(question.code)
    return "" if value is None or value != value else str(value)


def _labels(question: QuestionEnquete, territory: Territory | None) -> dict[str, str]:
    out: dict[str, str] = {}
    for choice in question.choix:
        known = territory_choices(choice.liste, territory) if choice.liste and territory else ()
        out |= dict(known) if choice.liste else {choice.code: choice.libelle}
    return out


def _label(question: QuestionEnquete, code: str, territory: Territory | None) -> str:
    return _labels(question, territory).get(code, code)


def _moment(rank: int) -> datetime:
    return START + timedelta(hours=3 * rank)


def _of_part(enquete: Enquete, frame: pd.DataFrame) -> list[QuestionEnquete]:
    parts = set(frame["partie"])
    return [question for question in enquete.questions if question.partie in parts]


def kobo(
    enquete: Enquete,
    frame: pd.DataFrame,
    territory: Territory | None = None,
    *,
    labels: bool = False,
    multiple: str = "both",
    groups: bool = True,
) -> Rows:
    """KoboToolbox: XML values or labels; multiple choices in one column, in split columns, or both."""
    several = len(enquete.parties) > 1
    groups_of = {part.code: part.libelle if labels else f"groupe_{part.code}" for part in enquete.parties}
    columns: list[tuple[str, Any]] = [("start", lambda r, i: _moment(i).isoformat() + ".000+02:00")]
    columns.append((CONSENT if labels else "consentement", lambda r, i: "Oui" if labels else "oui"))
    if several:
        columns.append(("Quelle partie remplissez-vous ?" if labels else "partie", lambda r, i: r["partie"]))
    for question in _of_part(enquete, frame):
        prefix = f"{groups_of[question.partie]}/" if groups else ""
        title = prefix + (question.libelle if labels else question.code)
        if question.type == "choix_multiple":
            if multiple in ("both", "single"):
                columns.append((title, _kobo_list(question, territory, labels)))
            if multiple in ("both", "split"):
                for code, label in _labels(question, territory).items():
                    columns.append((f"{title}/{label if labels else code}", _kobo_tick(question, code)))
        else:
            columns.append((title, _plain(question, territory, labels)))
    columns += [
        ("_id", lambda r, i: 190000 + i),
        ("_uuid", lambda r, i: f"{i:08d}-aaaa"),
        ("_submission_time", lambda r, i: _moment(i).isoformat()),
        ("_validation_status", lambda r, i: ""),
        ("_submitted_by", lambda r, i: ""),
        ("__version__", lambda r, i: "vAbC"),
        ("_index", lambda r, i: i + 1),
    ]
    return _table(columns, frame)


def _plain(question: QuestionEnquete, territory: Territory | None, labels: bool) -> Any:
    return lambda r, i: _label(question, _value(r, question), territory) if labels else _value(r, question)


def _kobo_list(question: QuestionEnquete, territory: Territory | None, labels: bool) -> Any:
    def cell(row: Any, rank: int) -> str:
        codes = [code for code in _value(row, question).split(";") if code]
        return " ".join(_label(question, code, territory) if labels else code for code in codes)

    return cell


def _kobo_tick(question: QuestionEnquete, code: str) -> Any:
    def cell(row: Any, rank: int) -> str:
        given = _value(row, question)
        return "" if not given else "1" if code in given.split(";") else "0"

    return cell


def odk(enquete: Enquete, frame: pd.DataFrame, territory: Territory | None = None) -> Rows:
    """ODK Central: groups joined by a hyphen, codes, multiple choices in one column."""
    columns: list[tuple[str, Any]] = [
        ("SubmissionDate", lambda r, i: _moment(i).isoformat() + ".000Z"),
        ("consentement", lambda r, i: "oui"),
    ]
    if len(enquete.parties) > 1:
        columns.append(("partie", lambda r, i: r["partie"]))
    for question in _of_part(enquete, frame):
        title = f"groupe_{question.partie}-{question.code}"
        make = _kobo_list if question.type == "choix_multiple" else _plain
        columns.append((title, make(question, territory, False)))
    columns += [
        ("meta-instanceID", lambda r, i: f"uuid:{i}"),
        ("KEY", lambda r, i: f"uuid:{i}"),
        ("SubmitterID", lambda r, i: "5"),
        ("SubmitterName", lambda r, i: "Alice Martin"),
        ("ReviewState", lambda r, i: ""),
    ]
    return _table(columns, frame)


def limesurvey(
    enquete: Enquete, frame: pd.DataFrame, territory: Territory | None = None, *, titles: str = "code_texte"
) -> Rows:
    """LimeSurvey with complete answers; titles: ``code`` (A14[aucune]) or ``code_texte`` (A14[SQ001]. Libellé [choix])."""
    columns: list[tuple[str, Any]] = [
        ("id. ID de la réponse", lambda r, i: i + 1),
        ("submitdate. Date de soumission", lambda r, i: _moment(i).strftime("%Y-%m-%d %H:%M:%S")),
        ("lastpage. Dernière page", lambda r, i: 3),
        ("startlanguage. Langue de départ", lambda r, i: "fr"),
        ("seed. Tête de série", lambda r, i: 1234567 + i),
        ("ipaddr. Adresse IP", lambda r, i: f"192.168.1.{i % 250}"),
    ]
    if titles == "code":
        columns = [(title.split(".")[0], make) for title, make in columns]
    for question in _of_part(enquete, frame):
        name = question.code.replace("_", "")
        if question.type != "choix_multiple":
            title = name if titles == "code" else f"{name}. {question.libelle}"
            columns.append((title, _plain(question, territory, True)))
            continue
        for rank, (code, label) in enumerate(_labels(question, territory).items(), start=1):
            title = f"{name}[{code}]" if titles == "code" else f"{name}[SQ{rank:03d}]. {question.libelle} [{label}]"
            columns.append((title, _lime_tick(question, code)))
    return _table(columns, frame)


def _lime_tick(question: QuestionEnquete, code: str) -> Any:
    def cell(row: Any, rank: int) -> str:
        given = _value(row, question)
        return "Oui" if code in given.split(";") else "Non" if given else "N/A"

    return cell


def framaforms(enquete: Enquete, frame: pd.DataFrame, territory: Territory | None = None) -> Rows:
    """Framaforms: three title rows, one column per choice ticked with « X »."""
    above: list[str] = []
    titles: list[str] = []
    makers: list[Any] = []

    def add(upper: str, title: str, make: Any) -> None:
        above.append(upper)
        titles.append(title)
        makers.append(make)

    add("Détails de la soumission", "Numéro de série", lambda r, i: i + 1)
    add("", "SID", lambda r, i: 5000 + i)
    add("", "Heure de soumission", lambda r, i: _moment(i).strftime("%d/%m/%Y - %H:%M"))
    add("", "Brouillon", lambda r, i: "0")
    add("", "Adresse IP", lambda r, i: f"10.0.0.{i % 250}")
    add("", "UID", lambda r, i: "0")
    add("", "Nom d’utilisateur", lambda r, i: "Anonyme")
    for question in _of_part(enquete, frame):
        if question.type != "choix_multiple":
            add("", question.libelle, _plain(question, territory, True))
            continue
        for rank, (code, label) in enumerate(_labels(question, territory).items()):
            add(question.libelle if rank == 0 else "", label, _frama_tick(question, code))
    body = [[make(row, rank) for make in makers] for rank, row in enumerate(frame.to_dict("records"))]
    return [[enquete.titre, *[""] * (len(titles) - 1)], above, titles, *body]


def _frama_tick(question: QuestionEnquete, code: str) -> Any:
    return lambda r, i: "X" if code in _value(r, question).split(";") else ""


def google(enquete: Enquete, frame: pd.DataFrame, territory: Territory | None = None) -> Rows:
    """Google Forms: full texts, several answers joined by « , »."""
    columns: list[tuple[str, Any]] = [
        ("Horodateur", lambda r, i: _moment(i).strftime("%d/%m/%Y %H:%M:%S")),
        ("Adresse e-mail", lambda r, i: f"personne{i}@exemple.fr"),
    ]
    columns += [(q.libelle, _joined(q, territory, ", ")) for q in _of_part(enquete, frame)]
    return _table(columns, frame)


def microsoft(enquete: Enquete, frame: pd.DataFrame, territory: Territory | None = None) -> Rows:
    """Microsoft Forms: full texts, several answers each followed by « ; »."""
    columns: list[tuple[str, Any]] = [
        ("ID", lambda r, i: i + 1),
        ("Heure de début", lambda r, i: _moment(i)),
        ("Heure de fin", lambda r, i: _moment(i) + timedelta(minutes=9)),
        ("Adresse de messagerie", lambda r, i: "anonymous"),
        ("Nom", lambda r, i: ""),
    ]
    columns += [(q.libelle, _joined(q, territory, ";", True)) for q in _of_part(enquete, frame)]
    return _table(columns, frame)


def _joined(question: QuestionEnquete, territory: Territory | None, mark: str, after: bool = False) -> Any:
    if question.type != "choix_multiple":
        return _plain(question, territory, True)

    def cell(row: Any, rank: int) -> str:
        codes = [code for code in _value(row, question).split(";") if code]
        text = mark.join(_label(question, code, territory) for code in codes)
        return text + mark if after and text else text

    return cell


def _table(columns: Sequence[tuple[str, Any]], frame: pd.DataFrame) -> Rows:
    titles = [title for title, _ in columns]
    body = [[make(row, rank) for _, make in columns] for rank, row in enumerate(frame.to_dict("records"))]
    return [titles, *body]


# --- to files -------------------------------------------------------------------------------------------------------


def write_csv(
    path: Path, rows: Rows, *, separator: str = ";", encoding: str = "utf-8-sig", quoted: bool = True
) -> Path:
    """A CSV of these rows."""
    text = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=separator, quoting=quoting, lineterminator="\r\n").writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding, "replace"))
    return path


def write_xlsx(path: Path, rows: Rows, sheet: str = "Réponses", properties: dict[str, str] | None = None) -> Path:
    """A workbook of these rows, as the tools write them: dates as dates, numbers as numbers."""
    import xlsxwriter

    with xlsxwriter.Workbook(
        str(path), {"strings_to_formulas": False, "default_date_format": "dd/mm/yyyy hh:mm"}
    ) as book:
        target = book.add_worksheet(sheet)
        for name, value in (properties or {}).items():
            book.set_custom_property(name, value)
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if isinstance(cell, datetime):
                    target.write_datetime(r, c, cell)
                elif isinstance(cell, int | float) and not isinstance(cell, bool):
                    target.write_number(r, c, cell)
                elif cell != "":
                    target.write_string(r, c, str(cell))
    return path
