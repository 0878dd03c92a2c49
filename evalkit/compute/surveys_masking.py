"""Which results of a survey may be shown: primary masking (DESIGN §6.7). Secondary suppression comes after, elsewhere.

- The threshold is that of the part (``Partie.seuil``): persons, or institutions (1 where the publication by name was
  announced). Under it nothing of the part is shown but how many answered.
- A distribution, a mean or an indicator is shown when its own base, the expressed answers, reaches that threshold.
- Sensitive questions (``donnee_sensible`` oui or indirect) and quotations by theme: a cell of 1 to 10 is hidden too, and
  0 % and 100 % under a base of 30. A possible answer of a multiple choice has two cells, those who gave it and the others.
- Kinds of silences are shown from the same threshold of persons asked; of a sensitive question none is when one of them
  counts 1 to 10, since the total is known.

Numbers of people asked and of answers are never hidden. Nothing changes on tables that are already masked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from evalkit.compute.results import as_table, table_rows
from evalkit.compute.rules import Rules
from evalkit.compute.surveys import COUNTED_SILENCES, NAN, SEPARATOR, read_source
from evalkit.model.referentiel import Referentiel
from evalkit.model.survey import Partie, QuestionEnquete

Masks = list[dict[str, str]]
Rows = list[dict[str, Any]]
SECRET_SURVEY = "Trop peu de réponses : la valeur n’est pas publiée."
SECRET_SENSITIVE = "Question sensible et effectif trop petit : la valeur n’est pas publiée."
SURVEY_TABLES = ("enquetes", "items", "reponses", "indicateurs")


class _Context:
    """Thresholds and sensitivity by questionnaire, part and question."""

    def __init__(self, referentiel: Referentiel, rules: Rules, announced: bool):
        self.rules, self.announced = rules, announced
        self.surveys = {enquete.code: enquete for enquete in referentiel.enquetes}

    def rule(self, partie: Partie) -> str:
        if partie.seuil == "seuil_institutions" and self.announced:
            return "seuil_institutions_nominatif"
        return partie.seuil

    def part(self, row: Mapping[str, Any]) -> Partie:
        return self.surveys[row["enquete"]].parties_par_code[row["partie"]]

    def question(self, row: Mapping[str, Any]) -> QuestionEnquete:
        return self.surveys[row["enquete"]].questions_par_code[row["question"]]

    def small(self, n: float) -> bool:
        """1 to 10."""
        return 0 < n < self.rules["seuil_cellule"]

    def cell_rule(self, n: float, base: float, *, both: bool) -> str:
        """Rule that hides a cell of a sensitive question, "" when it may be shown; ``both``: the others are a cell too."""
        if self.small(n) or (both and self.small(base - n)):
            return "seuil_cellule"
        return "seuil_extremes" if n in (0, base) and base < self.rules["seuil_extremes"] else ""


def is_sensitive(question: QuestionEnquete) -> bool:
    """The cell rule applies to this question."""
    return question.donnee_sensible != "non" or question.type == "texte"


def _key(row: Mapping[str, Any], *more: str) -> str:
    part = "" if row["partie"] == "ensemble" else str(row["partie"])
    return SEPARATOR.join(text for text in (row["enquete"], part, row.get("question", ""), *more) if text)


def _mask(table: str, rule: str, key: str) -> dict[str, str]:
    return {"table": table, "cle": key, "raison": rule}


def _mask_parts(rows: Rows, context: _Context) -> Masks:
    masks = Masks()
    for row in rows:
        rule = context.rule(context.part(row))
        if row["n_reponses"] < context.rules[rule]:
            row.update(n_efficace=NAN, statut="secret")
            masks.append(_mask("enquetes", rule, _key(row)))
    return masks


def _mask_items(rows: Rows, context: _Context) -> Masks:
    masks = Masks()
    for row in rows:
        rule, sensitive = context.rule(context.part(row)), is_sensitive(context.question(row))
        kinds = [row[f"n_{kind}"] for kind in COUNTED_SILENCES]
        few = row["n_concernes"] < context.rules[rule] and row["n_concernes"] > row["n_exprimes"]
        if few or (sensitive and any(context.small(n) or n != n for n in kinds)):
            row.update({f"n_{kind}": NAN for kind in COUNTED_SILENCES})
            masks.append(_mask("items", "seuil_cellule", _key(row, "nature des silences")))
        if 0 < row["n_exprimes"] < context.rules[rule]:
            row.update(moyenne=NAN, mediane=NAN, statut="secret")
            masks.append(_mask("items", rule, _key(row)))
    return masks


def _mask_answers(rows: Rows, items: Rows, context: _Context) -> Masks:
    masks = Masks()
    of = {(item["enquete"], item["partie"], item["question"]): item for item in items}
    told: set[tuple[str, str, str]] = set()
    for row in rows:
        key = (row["enquete"], row["partie"], row["question"])
        base, question = of[key]["n_exprimes"], context.question(row)
        rule = context.rule(context.part(row)) if of[key]["statut"] == "secret" else ""
        whole = bool(rule)
        if not rule and base and is_sensitive(question):
            several = question.type in ("choix_multiple", "texte")
            rule = "seuil_cellule" if row["n"] != row["n"] else context.cell_rule(row["n"], base, both=several)
        if not rule:
            continue
        row.update(n=NAN, part=NAN, borne_basse=NAN, borne_haute=NAN, statut="secret")
        if not whole:
            masks.append(_mask("reponses", rule, _key(row, str(row["choix"]))))
        elif key not in told:
            told.add(key)
            masks.append(_mask("reponses", rule, _key(row, "répartition")))
    return masks


def _indicator_rule(row: Mapping[str, Any], context: _Context, closed: Collection[tuple[str, str]]) -> tuple[str, str]:
    """(rule, sentence) that hide a survey's value; empty when it may be shown. ``closed``: questions with a hidden cell."""
    enquete, codes = read_source(str(row["source"]))
    survey = context.surveys[enquete]
    questions = [survey.questions_par_code[code] for code in codes]
    rule = context.rule(survey.parties_par_code[questions[0].partie])
    if row["statut"] == "secret" or row["n"] < context.rules[rule]:
        return rule, SECRET_SURVEY
    if not any(is_sensitive(question) for question in questions) or row["valeur"] != row["valeur"]:
        return "", ""
    calculs = {link.calcul for question in questions for link in question.indicateurs if link.code == row["indicateur"]}
    if calculs & {"part", "distribution"} and row["denominateur"] == row["n"]:
        cell = context.cell_rule(row["numerateur"], row["n"], both=True)
        return cell, SECRET_SENSITIVE if cell else ""
    # Its cells are not known here (weights, a difference of shares): shown only where every cell of the question is.
    if calculs & {"part", "distribution", "solde"} and any((enquete, code) in closed for code in codes):
        return "seuil_cellule", SECRET_SENSITIVE
    return "", ""


def _mask_indicators(rows: Rows, answers: Rows, context: _Context) -> Masks:
    masks = Masks()
    closed = {(row["enquete"], row["question"]) for row in answers if row["statut"] == "secret"}
    for row in rows:
        if row["obtention"] != "enquete" or row["statut"] not in ("ok", "secret", "non_calculable"):
            continue
        rule, said = _indicator_rule(row, context, closed)
        if rule and row["statut"] == "non_calculable":  # nothing to hide but what would have been divided
            row.update(numerateur=NAN, denominateur=NAN)
        elif rule:
            said = row["explication"] if row["statut"] == "secret" else said
            row.update(valeur=NAN, numerateur=NAN, denominateur=NAN, statut="secret", explication=said)
            masks.append(_mask("indicateurs", rule, SEPARATOR.join((row["indicateur"], str(row["source"])))))
    return masks


def mask_surveys(
    tables: Mapping[str, pd.DataFrame], rules: Rules, referentiel: Referentiel, *, announced: bool = False
) -> tuple[dict[str, pd.DataFrame], Masks]:
    """Primary masking of the survey tables and of the rows of ``indicateurs`` that surveys give.

    Parameters
    ----------
    tables
        ``enquetes``, ``items``, ``reponses``, ``indicateurs`` of a territory (others are not looked at).
    announced
        The publication by name was announced to institutions before they answered.

    Returns
    -------
    (tables, masks)
        The same four tables, rows in the same order: a hidden figure is NaN, ``secret``; and the lines of the register.
    """
    context = _Context(referentiel, rules, announced)
    rows = {name: table_rows(tables[name]) for name in SURVEY_TABLES}
    masks = [
        *_mask_parts(rows["enquetes"], context),
        *_mask_items(rows["items"], context),
        *_mask_answers(rows["reponses"], rows["items"], context),
        *_mask_indicators(rows["indicateurs"], rows["reponses"], context),
    ]
    return {name: as_table(name, rows[name]) for name in SURVEY_TABLES}, masks
