"""The report of an import: what was read, kept, set apart and why; which columns were read, left, dropped. No answer in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evalkit.errors import only_errors, only_warnings
from evalkit.loaders.grids import normalise
from evalkit.loaders.persons import (
    export_fault_without_people,
    file_without_people,
    place_without_people,
    without_people,
)
from evalkit.loaders.survey_personal import names_somebody
from evalkit.loaders.survey_rows import REASONS, reason_text
from evalkit.wording import plural

if TYPE_CHECKING:
    from evalkit.loaders.survey_columns import Column
    from evalkit.loaders.survey_mapping import SurveyMapping
    from evalkit.loaders.surveys import AnswersFile, SurveyImport

FORMAT = 1
_OWN_KINDS = ("partie", "consentement", "poids", "identifiant", "moment", "fin", "brouillon", "statut", "technique")
_NAMING_TITLE = "(titre qui nomme quelqu’un)"
_LONGEST_TITLE = 60


def import_report(imported: SurveyImport) -> dict[str, Any]:
    """Plain data, keys in French. For every file ``lues`` is ``gardees`` plus the numbers set apart.

    It is kept with the answers, and travels with them: files, sheets and titles name nobody in it.
    """
    files = [_file(file, imported.mapping) for file in imported.files]
    return {
        "format": FORMAT,
        "enquete": imported.enquete.code,
        "par_partie": {str(k): int(v) for k, v in imported.frame["partie"].value_counts().sort_index().items()},
        "fichiers": files,
        "anomalies": [export_fault_without_people(fault).as_dict() for fault in imported.faults],
        **imported.info,
    }


def _file(file: AnswersFile, mapping: SurveyMapping) -> dict[str, Any]:
    sorting = file.sorting
    columns = [replace(c, title=_stored_title(c, mapping)) for c in file.header.columns]
    header = replace(file.header, columns=tuple(columns))
    numbers = sorting.numbers
    return {
        "nom": file_without_people(file.path.name),
        "outil": header.tool,
        "feuille": without_people(file.grid.sheet, joined=True),
        "lues": sorting.n_read,
        "gardees": len(sorting.kept),
        "mises_a_part": {
            reason: {"motif": REASONS[reason][0], "numeros": [numbers[row] for row in rows]}
            for reason, rows in sorting.apart.items()
        },
        "jumelles": [[numbers[first], numbers[second]] for first, second in sorting.twins],
        "colonnes_lues": {
            column.title: f"{column.question}[{column.choice}]" if column.choice else column.question
            for column in header.columns
            if column.kind in ("question", "choix")
        },
        "colonnes_de_l_outil": [column.title for column in header.columns if column.kind in _OWN_KINDS],
        "colonnes_ecartees": {column.title: column.note for column in header.of("personnel")},
        "colonnes_non_lues": [
            column.title
            for column in header.columns
            if column.kind in ("inconnue", "autre_texte", "incertaine") and column.title
        ],
        "reponses_non_comprises": [
            {
                "question": wrong.question,
                "numeros": [numbers[row] for row in wrong.rows],
                "ou": str(place_without_people(file.grid.place(wrong.rows[0], wrong.column.index, wrong.column.title))),
                "motif": wrong.why,
            }
            for wrong in file.reading.misread
        ],
        "lues_autrement": [
            {"question": question, "comment": how, "nombre": n}
            for (question, how), n in sorted(file.reading.repaired.items())
        ],
    }


def _stored_title(column: Column, mapping: SurveyMapping) -> str:
    """A title as the report keeps it. One that the questionnaire itself knows (a place of the territory) is nobody's."""
    if names_somebody(column.title):
        return _NAMING_TITLE
    known = column.kind in ("question", "choix") and normalise(column.title) not in mapping.columns
    return column.title if known else without_people(column.title)


def readable_report(imported: SurveyImport) -> str:
    """The report as a person reads it."""
    return "\n".join(_lines(imported))


def _lines(imported: SurveyImport) -> Iterator[str]:
    yield f"{imported.enquete.code} — {imported.enquete.titre}"
    for file in imported.files:
        yield from _file_lines(file)
    labels = {part.code: part.libelle.lower() for part in imported.enquete.parties}
    counted = imported.frame["partie"].value_counts().to_dict()
    for part in imported.enquete.parties:
        n, asked = int(counted.get(part.code, 0)), imported.info["n_sollicites"].get(part.code)
        if (n and len(labels) > 1) or asked:
            of = f" sur {asked:.0f} sollicités" if asked else ""
            yield f"  {labels[part.code]} : {plural(n, 'réponse')}{of}"
    if imported.info["date"]:
        yield f"  dernière réponse le {_day(imported.info['date'])}"
    errors, warnings = only_errors(imported.faults), only_warnings(imported.faults)
    if errors:
        yield f"\n{plural(len(errors), 'point')} à régler avant que ces réponses comptent :\n"
        yield "\n\n".join(str(fault) for fault in errors)
    if warnings:
        yield "\nÀ relire :\n"
        yield "\n\n".join(str(fault) for fault in warnings)


def _file_lines(file: AnswersFile) -> Iterator[str]:
    sorting, header = file.sorting, file.header
    sheet = f", feuille « {file.grid.sheet} »" if file.grid.sheet else ""
    yield f"  {file.path.name}{sheet} : réponses {_from(header.tool)}"
    yield f"    {plural(sorting.n_read, 'ligne lue', 'lignes lues')} = {plural(len(sorting.kept), 'gardée')}" + "".join(
        f" + {reason_text(reason, len(rows))}" for reason, rows in sorting.apart.items()
    )
    questions = list(dict.fromkeys(c.question for c in header.columns if c.kind in ("question", "choix")))
    own = [c for c in header.columns if c.kind in _OWN_KINDS]
    left = [c for c in header.columns if c.kind in ("inconnue", "autre_texte") and c.title]
    dropped = header.of("personnel")
    yield _listed(len(questions), "question reconnue", "questions reconnues", questions)
    yield _listed(len(own), "colonne de l’outil", "colonnes de l’outil", [_title(c) for c in own])
    yield _listed(len(left), "colonne non lue", "colonnes non lues", [_title(c) for c in left])
    texts = [f"{_title(c)} ({c.note})" for c in dropped]
    yield _listed(len(dropped), "colonne personnelle écartée", "colonnes personnelles écartées", texts)


def _listed(n: int, one: str, several: str, names: Sequence[str]) -> str:
    """How many, and which, every one of them."""
    return f"    {plural(n, one, several)}" + (f" : {' ; '.join(names)}" if names else "")


def _title(column: Column) -> str:
    text = " ".join(column.title.split())
    if names_somebody(text):
        return _NAMING_TITLE
    return text if len(text) <= _LONGEST_TITLE else text[: _LONGEST_TITLE - 1] + "…"


def _from(tool: str) -> str:
    if tool == "evalkit":
        return "du classeur de saisie d’evalkit"
    return "d’un tableur" if tool == "tableur" else f"d’{tool}" if tool[:1] in "eO" else f"de {tool}"


def _day(iso: str) -> str:
    year, month, day = iso.split("-")
    return f"{day}/{month}/{year}"
