"""Two sheets that both workbooks have: « Niveaux » (one row per sub-question) and « Questions », computed from it live.

The same formulas stand in the published workbook, over published levels, and in the working file, over levels that people
may change: a level is retraced in the same way in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.compute.results import Evaluation, Publication
from evalkit.model.referentiel import Referentiel
from evalkit.report import workbook_formulas as formulas
from evalkit.report.sentences import is_missing, records
from evalkit.report.workbook_formulas import NO, YES, QuestionCells
from evalkit.report.workbook_sheets import FIRST, Cell, Column, Formula, Number, letter
from evalkit.wording import label_status

Row = Mapping[str, Any]
LEVELS, QUESTIONS, RULES = "Niveaux", "Questions", "Règles"
LEVEL_COLUMNS = (
    Column("Question", 10),
    Column("Sous-question", 14),
    Column("Intitulé", 40),
    Column("Concerne le territoire", 11),
    Column("Niveau arbitré", 16),
    Column("Niveau compté", 10),
    Column("Supposé au plus bas (0)", 11),
    Column("Supposé au plus haut (5)", 11),
    Column("État", 13),
)
APPLICABLE, LEVEL, COUNTED, LOWEST, HIGHEST, STATUS = (letter(i) for i in (3, 4, 5, 6, 7, 8))
QUESTION_COLUMNS = (
    Column("Question", 10),
    Column("Intitulé", 40),
    Column("Niveau (médiane basse)", 20),
    Column("Plus bas niveau d’une sous-question", 20),
    Column("Sous-questions arbitrées", 14),
    Column("Sous-questions applicables", 14),
    Column("Couverture", 12),
    Column("Borne basse", 10),
    Column("Borne haute", 10),
    Column("État", 22),
)
LEVEL_NOTE = (
    "Niveau compté : le niveau arbitré d’une sous-question qui concerne le territoire. Les deux colonnes suivantes "
    "mettent 0, puis 5, là où rien n’est arbitré."
)
QUESTION_NOTE = (
    "Niveau : médiane basse des niveaux comptés (feuille « Niveaux »). Bornes : la même médiane avec 0, puis 5, à la place "
    "de ce qui n’est pas arbitré."
)


def coverage_note(referentiel: Referentiel) -> str:
    """Which coverage a level asks for."""
    least = referentiel.seuil("couverture_minimale") * 100
    return f"Couverture : arbitrées sur applicables. Sous {least:.0f} % (feuille « Règles »), aucun niveau d’ensemble n’est donné."


def level_formulas(line: int, row: Row) -> list[Cell]:
    """Cells F to I of one sub-question, with what evalkit computed."""
    applicable, level = f"{APPLICABLE}{line}", f"{LEVEL}{line}"
    value = row["niveau"]
    known = not is_missing(value) and row["statut"] == "arbitre"
    bounds: list[Cell] = []
    for instead in (0, 5):
        kept = float(value) if known else float(instead)
        given = kept if row["applicable"] else ""
        bounds.append(Formula(f"={formulas.supposed(applicable, level, instead)}", given))
    return [
        Formula(f"={formulas.counted(applicable, level)}", float(value) if known else ""),
        *bounds,
        Formula(f"={formulas.level_status(applicable, level)}", label_status(row["statut"])),
    ]


def applicable_word(row: Row) -> str:
    """« oui » or « non »: what the formulas read."""
    return YES if row["applicable"] else NO


def question_rows(value: Evaluation | Publication) -> list[list[Cell]]:
    """Rows of the sheet « Questions »: every figure is a formula over the sheet « Niveaux »."""
    owners = value.niveaux["question"].tolist()
    titles = value.referentiel.questions_par_code
    rows: list[list[Cell]] = []
    for line, row in enumerate(records(value.questions), start=FIRST):
        code = str(row["question"])
        first = FIRST + owners.index(code)
        cells = _cells(first, first + owners.count(code) - 1, line)
        rows.append([code, titles[code].titre, *_figures(cells, row)])
    return rows


def _cells(first: int, last: int, line: int) -> QuestionCells:
    def over(column: str) -> str:
        return f"{LEVELS}!${column}${first}:${column}${last}"

    own = {name: f"${letter(index)}{line}" for name, index in (("n_settled", 4), ("n_applicable", 5), ("coverage", 6))}
    return QuestionCells(over(APPLICABLE), over(COUNTED), over(LOWEST), over(HIGHEST), **own)


def _figures(cells: QuestionCells, row: Row) -> Sequence[Cell]:
    why = label_status(row["statut"])
    outside = label_status("non_applicable")

    def given(name: str, instead: str) -> float | str:
        return instead if is_missing(row[name]) else float(row[name])

    return (
        Formula(f"={cells.level()}", given("mediane", why)),
        Formula(f"={cells.minimum()}", given("minimum", why)),
        Formula(f"={cells.number_settled()}", float(row["n_arbitrees"])),
        Formula(f"={cells.number_applicable()}", float(row["n_applicables"])),
        Formula(f"={cells.share()}", given("couverture", outside), Number(0, percent=True)),
        Formula(f"={cells.bound(cells.lowest)}", given("borne_basse", outside)),
        Formula(f"={cells.bound(cells.highest)}", given("borne_haute", outside)),
        Formula(f"={cells.status()}", why),
    )


def rule_rows(referentiel: Referentiel) -> list[tuple[str, list[Cell]]]:
    """(code, row) of every rule: label, value, unit, date, provenance; shares as percentages."""
    rows: list[tuple[str, list[Cell]]] = []
    for rule in referentiel.regles:
        since = str(rule.depuis)
        references = ", ".join([label_status(rule.statut), *rule.references])
        rows.append(
            (rule.code, [rule.libelle, _rule_value(rule.valeur, rule.unite), _unit(rule.unite), since, references])
        )
    return rows


RULE_COLUMNS = (
    Column("Règle", 70),
    Column("Valeur", 22),
    Column("Unité", 16),
    Column("Depuis le", 12),
    Column("Statut et références", 40),
)
_SHARES = ("part", "probabilité", "probabilités")


def _unit(unit: str | None) -> str:
    return "" if unit in (None, *_SHARES) else str(unit)


def _rule_value(value: object, unit: str | None) -> Cell:
    if isinstance(value, tuple):
        return " ; ".join(
            str(round(float(item) * 100, 6)).removesuffix(".0").replace(".", ",") + " %" for item in value
        )
    if not isinstance(value, int | float):
        return str(value)
    if unit in _SHARES:
        return Number(float(value), decimals=0 if round(value * 100, 9).is_integer() else 1, percent=True)
    return Number(float(value), decimals=0 if float(value).is_integer() else len(repr(float(value)).partition(".")[2]))
