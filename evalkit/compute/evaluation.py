"""A framework and a dossier in, an :class:`Evaluation` out. Pure: no file, no clock, no randomness."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from evalkit.compute.actions import compute_from_actions, summarise_actions
from evalkit.compute.conditions import Verdict, evaluate_condition, is_missing
from evalkit.compute.evidence import Evidence, kind_of_value, strength
from evalkit.compute.formulas import Entry, IndicatorResult, compute_indicator, out_of_period
from evalkit.compute.maturity import (
    NAN,
    GroupRatings,
    aggregate_question,
    distribution_rows,
    group_ratings,
    group_row,
    median_of_counts,
)
from evalkit.compute.results import COLUMNS, Evaluation, as_table, table_rows
from evalkit.compute.rules import Rules
from evalkit.compute.surveys import compute_surveys, survey_indicators
from evalkit.compute.triangulation import GroupView, order_of_discussion, triangulate
from evalkit.model.base import Condition
from evalkit.model.dossier import Dossier
from evalkit.model.referentiel import Indicateur, Question, Referentiel, SousQuestion
from evalkit.model.survey import UNDECLARED_LISTS

Rows = list[dict[str, Any]]
PILOT = "pilote"  # the group of acteurs.yml whose rating is the self-assessment
SURVEY_ABSENT = "Enquête non importée : sa valeur n’est pas disponible."
CONTEXT_APART = (
    "Les données de contexte ne donnent pas cette valeur pour le territoire : elles sont montrées à part, quartier par "
    "quartier, avec leur édition, leur année et leur géographie."
)
CONTEXT_NO_COMPARISON = (
    "Aucune valeur de comparaison (EPCI) n’est fournie, dans une même géographie, à deux dates : l’écart d’évolution "
    "n’est pas calculé."
)


@dataclass(frozen=True)
class _Scope:
    """One evaluated sub-question with its applicability, already decided for its question and itself."""

    question: Question
    sub: SousQuestion
    applicable: bool
    explanation: str


def _why(verdict: Verdict, condition: Condition | None) -> str:
    if verdict.value is False:
        return (condition.explication if condition else None) or "Sans objet pour ce territoire."
    if verdict.value is None:
        facts = ", ".join(f"« {fact} »" for fact in verdict.unknown)
        return f"À vérifier : le territoire ne dit pas {facts} ; la règle est supposée remplie."
    return ""


def _both(condition: Condition | None, facts: Mapping[str, Any], applicable: bool, why: str) -> tuple[bool, str]:
    """Add one rule to what is already decided: the first reason not to apply is the one that is told."""
    if not applicable:
        return applicable, why
    verdict = evaluate_condition(condition, facts)
    if verdict.value is False:
        return False, _why(verdict, condition)
    return True, " ".join(text for text in (why, _why(verdict, condition)) if text)


def _scopes(referentiel: Referentiel, dossier: Dossier) -> list[_Scope]:
    wanted = dossier.territoire.modules or dossier.campagne.modules
    facts = dossier.territoire.facts()
    scopes = []
    for module in referentiel.modules:
        if wanted and module.code not in wanted:
            continue
        for question in module.questions:
            applicable, why = _both(question.applicable_si, facts, True, "")
            for sub in question.sous_questions:
                scopes.append(_Scope(question, sub, *_both(sub.applicable_si, facts, applicable, why)))
    return scopes


def _columns(table: pd.DataFrame, *names: str) -> list[list[Any]]:
    return [table[name].tolist() for name in names]


def _text(value: Any) -> str | None:
    return None if is_missing(value) else str(value)


def _number(value: Any) -> float:
    return NAN if is_missing(value) else float(value)


# --- ratings and levels ---------------------------------------------------------------------------------------------


def _groups(
    scopes: Sequence[_Scope], ratings: Mapping[tuple[str, str], GroupRatings], groups: Sequence[str]
) -> tuple[Rows, Rows]:
    rows: Rows = []
    cells: Rows = []
    for scope in scopes:
        if not scope.applicable:
            continue
        for group in groups:
            found = ratings.get((scope.sub.code, group))
            if found is not None:
                rows.append(group_row(scope.question.code, scope.sub.code, group, found))
                cells += distribution_rows(scope.question.code, scope.sub.code, group, found)
    return rows, cells


def _levels(scopes: Sequence[_Scope], dossier: Dossier, ratings: Mapping[tuple[str, str], GroupRatings]) -> Rows:
    settled = {row["sous_question"]: row for row in table_rows(dossier.tables["arbitrages"])}
    rows: Rows = []
    for scope in scopes:
        found = settled.get(scope.sub.code, {}) if scope.applicable else {}
        level = _number(found.get("niveau"))
        known = level == level
        own = ratings.get((scope.sub.code, PILOT)) if scope.applicable else None
        rows.append(
            {
                "question": scope.question.code,
                "sous_question": scope.sub.code,
                "applicable": scope.applicable,
                "explication": scope.explanation or None,
                "niveau": level,
                "statut": ("arbitre" if known else "non_arbitre") if scope.applicable else "non_applicable",
                "silence": None if known else _text(found.get("silence")),
                "preuve": _text(found.get("preuve")) if known else None,
                "date": _text(found.get("date")),
                "instance": _text(found.get("instance")),
                "auto_evaluation": median_of_counts(own.counts, low=True) if own else NAN,
            }
        )
    return rows


def _questions(scopes: Sequence[_Scope], levels: Rows, minimal_coverage: float) -> Rows:
    by_question: dict[str, Rows] = {}
    for scope, row in zip(scopes, levels, strict=True):
        by_question.setdefault(scope.question.code, []).append(row)
    out: Rows = []
    for question, rows in by_question.items():
        applicable = [row for row in rows if row["applicable"]]
        settled = [row["niveau"] for row in applicable if row["statut"] == "arbitre"]
        out.append({"question": question, **asdict(aggregate_question(settled, len(applicable), minimal_coverage))})
    return out


def triangulation_rows(
    order: Sequence[tuple[str, str]],
    groups: Rows,
    counts: Mapping[tuple[str, str], tuple[float, ...]],
    referentiel: Referentiel,
    *,
    published: bool,
) -> Rows:
    """Rows of the table ``triangulation``.

    Parameters
    ----------
    order
        (question, sub-question) of every applicable sub-question, in reading order.
    groups
        Rows of the table ``groupes`` (published ones when ``published``).
    counts
        Six counts by (sub-question, group), only where the distribution is known.
    """
    rules = Rules(referentiel.regles).triangulation(published=published)
    institutions = {code for code, group in referentiel.groupes_par_code.items() if group.institution}
    views: dict[str, list[GroupView]] = defaultdict(list)
    for row in groups:
        key = (row["sous_question"], row["groupe"])
        views[key[0]].append(
            GroupView(key[1], key[1] in institutions, int(row["n"]), _number(row["mediane"]), counts.get(key))
        )
    rows = [{"question": q, "sous_question": sub, **triangulate(views[sub], rules)} for q, sub in order]
    for row, rank in zip(rows, order_of_discussion(rows), strict=True):
        row["ordre"] = rank
    return rows


# --- indicators -----------------------------------------------------------------------------------------------------


def _entries(table: pd.DataFrame) -> dict[str, list[Entry]]:
    names = ("indicateur", "annee", "valeur", "modalite", "numerateur", "denominateur", "source", "silence")
    out: dict[str, list[Entry]] = defaultdict(list)
    for code, year, value, category, top, bottom, source, silence in zip(*_columns(table, *names), strict=True):
        out[code].append(
            Entry(
                year=_number(year),
                value=_number(value),
                category=_text(category) or "",
                numerator=_number(top),
                denominator=_number(bottom),
                source=_text(source) or "",
                silence=_text(silence) or "",
            )
        )
    return out


def _from_context(indicator: Indicateur) -> tuple[IndicatorResult, ...]:
    """No figure of the neighbourhoods is added up, averaged or differenced here: what would need it is not available."""
    comparison = indicator.formule.value == "double_difference"
    why = CONTEXT_NO_COMPARISON if comparison else CONTEXT_APART
    return (IndicatorResult(status="non_disponible", explanation=why),)


class _Indicators:
    """Values of every indicator of one dossier, by way of obtaining them."""

    def __init__(self, referentiel: Referentiel, dossier: Dossier):
        self.entries = _entries(dossier.tables["indicateurs"])
        self.actions = table_rows(dossier.tables["actions"])
        self.secrecy = Rules(referentiel.regles).secrecy()
        self.facts = dossier.territoire.facts()
        self.year = float(dossier.campagne.annee)
        self.surveys: dict[str, Rows] = defaultdict(list)
        for row in survey_indicators(referentiel, dossier):
            self.surveys[row["indicateur"]].append(row)

    def _results(self, indicator: Indicateur, obtention: str) -> tuple[IndicatorResult, ...]:
        if obtention == "saisie":
            found = self.entries.get(indicator.code, [])
            if not found and out_of_period(indicator, self.year):
                return (IndicatorResult(status="hors_periode"),)
            return compute_indicator(indicator, found)
        if obtention == "actions":
            return compute_from_actions(indicator, self.actions, self.secrecy)
        if obtention == "contexte":
            return _from_context(indicator)
        return (IndicatorResult(status="non_disponible", explanation=SURVEY_ABSENT),)

    def rows(self, scope: _Scope) -> Rows:
        """Rows of the table ``indicateurs`` for one sub-question."""
        out: Rows = []
        for indicator in scope.sub.indicateurs:
            applicable, why = _both(indicator.applicable_si, self.facts, scope.applicable, "")
            why = why if scope.applicable else scope.explanation
            for obtention in indicator.obtention:
                if applicable and obtention == "enquete" and indicator.code in self.surveys:
                    out += self.surveys[indicator.code]
                    continue
                results: tuple[IndicatorResult, ...]
                if applicable:
                    results = self._results(indicator, obtention)
                else:
                    results = (IndicatorResult(status="non_applicable"),)
                out += [_indicator_row(scope, indicator, obtention, result, why) for result in results]
        return out


def _indicator_row(
    scope: _Scope, indicator: Indicateur, obtention: str, result: IndicatorResult, why: str
) -> dict[str, Any]:
    return {
        "question": scope.question.code,
        "sous_question": scope.sub.code,
        "indicateur": indicator.code,
        "obtention": obtention,
        "source": result.source or None,
        "groupe": None,
        "annee": result.year,
        "valeur": result.value,
        "modalite": result.category or None,
        "numerateur": result.numerator,
        "denominateur": result.denominator,
        "n": result.n,
        "unite": indicator.unite,
        "statut": result.status,
        "explication": " ".join(text for text in (result.explanation, why) if text) or None,
    }


# --- evidence -------------------------------------------------------------------------------------------------------


def _year_of(date: Any) -> float:
    return NAN if is_missing(date) else float(str(date)[:4])


def _evidence(referentiel: Referentiel, dossier: Dossier, levels: Rows, indicators: Rows) -> dict[str, list[Evidence]]:
    natures = {tool.code: tool.nature for tool in referentiel.collectes}
    institutions = {code for code, group in referentiel.groupes_par_code.items() if group.institution}
    out: dict[str, list[Evidence]] = defaultdict(list)
    for row in levels:
        if row["preuve"]:
            out[row["sous_question"]].append(Evidence("document", _year_of(row["date"])))
    for row in indicators:
        if row["statut"] in ("ok", "secret"):
            kind = kind_of_value(referentiel.indicateurs[row["indicateur"]], row["obtention"], natures)
            out[row["sous_question"]].append(Evidence(kind, row["annee"]))
    columns = _columns(dossier.tables["cotations"], "sous_question", "groupe", "niveau", "date")
    for sub, group, level, date in zip(*columns, strict=True):
        if level == level and group not in institutions:
            out[sub].append(Evidence("atelier", _year_of(date)))
    return out


# --- the pilot's words, the neighbourhoods, who answered ------------------------------------------------------------


def _follow_up(dossier: Dossier) -> Rows:
    given = {row["constat_precedent"]: row for row in table_rows(dossier.tables["suivis"])}
    before = [row for row in table_rows(dossier.precedents) if row["type"] == "preconisation"]
    before += [{"id": code} for code in given if code not in {row["id"] for row in before}]
    return [
        {
            "id": row["id"],
            "question": _text(row.get("question")),
            "texte": _text(row.get("texte")),
            "statut": given.get(row["id"], {}).get("statut", "non_renseigne"),
            "date": _text(given.get(row["id"], {}).get("date")),
            "commentaire_public": _text(given.get(row["id"], {}).get("commentaire_public")),
        }
        for row in before
    ]


def _quotations(dossier: Dossier, minimum: float) -> Rows:
    return [
        {
            "question": row["question"],
            "texte": row["texte"],
            "theme": _text(row["theme"]),
            "enquete": _text(row["enquete"]),
            "nb_personnes": _number(row["nb_personnes"]),
            "publiable": row["publiable"] == "oui",
            "attribuable": _number(row["nb_personnes"]) >= minimum,
        }
        for row in table_rows(dossier.tables["verbatims"])
    ]


def _context(dossier: Dossier) -> Rows:
    present = {qpv.code: qpv.nom for qpv in dossier.territoire.qpv}
    former = {qpv.code: qpv.nom for qpv in dossier.territoire.qpv_anciens if qpv.code not in present}
    rows = table_rows(dossier.contexte)
    out = [
        {
            **{name: row[name] for name in COLUMNS["contexte"] if name not in ("nom", "ancien")},
            "nom": present.get(row["qpv"]) or former.get(row["qpv"]) or row["qpv"],
            "ancien": row["qpv"] in former,
        }
        for row in rows
    ]
    return sorted(out, key=lambda r: (r["ancien"], *(str(r[c]) for c in ("qpv", "theme", "variable", "edition"))))


def _respondents(dossier: Dossier, groups: Sequence[str]) -> Rows:
    people: dict[str, set[str]] = defaultdict(set)
    rated: dict[str, int] = defaultdict(int)
    silent: dict[str, int] = defaultdict(int)
    columns = _columns(dossier.tables["cotations"], "groupe", "repondant", "niveau")
    for group, person, level in zip(*columns, strict=True):
        people[group].add(person)
        rated[group] += level == level
        silent[group] += level != level
    return [
        {"groupe": g, "n_repondants": len(people[g]), "n_cotations": rated[g], "n_silences": silent[g]} for g in groups
    ]


def _stable(table: pd.DataFrame, *keys: str) -> pd.DataFrame:
    """Sorted by its keys, so that the order of the rows in a file never shows."""
    return table.sort_values(list(keys), kind="stable", na_position="last")


def evaluate(referentiel: Referentiel, dossier: Dossier) -> Evaluation:
    """Compute everything about one territory (DESIGN §6, points 1 to 6).

    Parameters
    ----------
    referentiel
        The framework, with its rules.
    dossier
        What was read of the territory's folder; its tables are not changed.

    Returns
    -------
    Evaluation
        Confidential. ``compute.disclosure.protect`` makes what may be shown of it.
    """
    scopes = _scopes(referentiel, dossier)
    return Evaluation(
        territoire=dossier.territoire,
        campagne=dossier.campagne,
        referentiel=referentiel,
        **{name: as_table(name, given) for name, given in _result_rows(referentiel, dossier, scopes).items()},
        reference=dossier.reference,
        textes=dossier.textes,
        local=dossier.local,
        enquetes_ecartees=dossier.enquetes_ecartees,
        listes_non_declarees=frozenset(
            (code, question)
            for code, info in dossier.enquetes_import.items()
            for question in info.get(UNDECLARED_LISTS, ())
        ),
        empreinte=dossier.empreinte,
        n_avertissements=len(dossier.avertissements),
    )


def _result_rows(
    referentiel: Referentiel, dossier: Dossier, scopes: Sequence[_Scope]
) -> dict[str, Rows | pd.DataFrame]:
    """Rows of every result table, by name."""
    rules = Rules(referentiel.regles)
    order = [(s.question.code, s.sub.code) for s in scopes if s.applicable]
    groups = list(referentiel.groupes_par_code)
    ratings = group_ratings(*_columns(dossier.tables["cotations"], "sous_question", "groupe", "niveau", "silence"))
    group_rows, cells = _groups(scopes, ratings, groups)
    levels = _levels(scopes, dossier, ratings)
    values = _Indicators(referentiel, dossier)
    indicators = [row for scope in scopes for row in values.rows(scope)]
    evidence = _evidence(referentiel, dossier, levels, indicators)
    counts = {key: tuple(float(c) for c in found.counts) for key, found in ratings.items()}
    return {
        "groupes": group_rows,
        "distributions": cells,
        "niveaux": levels,
        "questions": _questions(scopes, levels, rules["couverture_minimale"]),
        "triangulation": triangulation_rows(order, group_rows, counts, referentiel, published=False),
        "solidite": [
            {
                "question": question,
                "sous_question": sub,
                **strength(evidence[sub], rules["solidite_forte"], rules["solidite_moyenne"]),
            }
            for question, sub in order
        ],
        "indicateurs": indicators,
        "constats": _stable(dossier.tables["constats"], "question", "id"),
        "suivis": sorted(_follow_up(dossier), key=lambda row: (row["question"] or "~", row["id"])),
        "verbatims": sorted(_quotations(dossier, rules["seuil_verbatim_groupe"]), key=_quotation_key),
        "actions": summarise_actions(values.actions, values.secrecy),
        "contexte": _context(dossier),
        "repondants": _respondents(dossier, groups),
        "masques": [],
        **compute_surveys(referentiel, dossier),
    }


def _quotation_key(row: dict[str, Any]) -> tuple[str, str, str]:
    return (row["question"], row["theme"] or "~", row["texte"])
