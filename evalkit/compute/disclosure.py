"""The door between what was computed and what may be shown (DESIGN §6.7). Only :func:`protect` opens it.

Primary masking of ratings, indicators and actions stands here; surveys, with their secondary suppression, in
``compute.disclosure_surveys``.

Choices made here, each the more careful one:

- members of a group in a workshop: median from 5 ratings (lower median under 11), distribution from 11. Under 11 a median
  is also hidden when, with n, it would give one cell of the distribution exactly;
- pilote and État speak for their institution: their position is shown from one rating, as a lower median under 11. Several
  persons may have rated for it, so their distribution follows the same threshold as everybody's;
- kinds of silences (who refused, who did not know) are shown when the group has at least 11 rows; under that only their
  total is;
- figures about persons are shown from a base of 11, with « base fragile » up to 29. A typed figure is about persons when it is a share of favourable
  answers, a share, mean or median that only surveys and workshops give, or a share that describes a citizens' council and
  that its survey asks about (a little too wide: proposals of a council are counted with it). An unknown base counts as
  too small. Plain numbers, sessions, signatories, documents are not persons;
- what only communes were asked (surveys of institutions, at the level of communes) follows the thresholds of
  institutions: 11, or 1 where the publication by name was announced;
- amounts of the programme: see ``compute.actions``. An indicator on amounts is hidden when the year's total is;
- a quotation is printed when publishable; under three persons the survey or workshop it comes from is not, since that
  would give it to a group.

n is never hidden. Every ``mask_…`` function changes nothing on a table that it has already masked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import pandas as pd

from evalkit.compute.actions import AMOUNTS, PEOPLE
from evalkit.compute.disclosure_surveys import protect_surveys
from evalkit.compute.evaluation import triangulation_rows
from evalkit.compute.maturity import LEVELS, NAN
from evalkit.compute.results import COLUMNS, Evaluation, Publication, as_table, table_rows
from evalkit.compute.rules import Rules
from evalkit.model.dossier import SILENCES
from evalkit.model.referentiel import Formule, Indicateur, Referentiel, Regle

Masks = list[dict[str, str]]
Masked = tuple[pd.DataFrame, Masks]
SECRET_FOR_BASE = "Base inférieure au seuil de publication."
SECRET_UNKNOWN_BASE = "La base n’est pas donnée : le seuil de publication ne peut pas être vérifié."
FRAGILE_BASE = "Base fragile : peu de réponses."
SECRET_AMOUNT = "Trop peu de porteurs, ou un porteur qui domine : montants non publiés."
SECRET_COUNT = "Effectif inférieur au seuil de publication."


def _mask(table: str, rule: str, *key: Any) -> dict[str, str]:
    return {"table": table, "cle": " · ".join(str(part) for part in key), "raison": rule}


# --- ratings --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def gives_a_cell(n: int, lower_median: int) -> bool:
    """With n and its lower median known, one count of the six-level distribution is known exactly.

    The lower median is the value of rank j = ⌈n/2⌉: at most j − 1 ratings below it, at least j up to it. A level below the
    median then has 0 to j − 1 ratings, a level above it 0 to n − j, the median itself up to n.
    """
    rank = (n + 1) // 2
    ranges = []
    for level in LEVELS:
        if level < lower_median:
            ranges.append((0, rank - 1))
        elif level > lower_median:
            ranges.append((0, n - rank))
        else:
            low = 1
            low = max(low, rank if lower_median == LEVELS[0] else low)  # nothing can lie below level 0
            low = max(low, n - rank + 1 if lower_median == LEVELS[-1] else low)  # nor above level 5
            ranges.append((low, n))
    return any(low == high for low, high in ranges)


def mask_groups(groupes: pd.DataFrame, rules: Rules, institutions: Iterable[str]) -> Masked:
    """Medians and kinds of silences that may be shown. Shape and n unchanged; a hidden median is NaN, ``secret``."""
    speaking, small = set(institutions), rules["seuil_distribution_atelier"]
    rows, masks = table_rows(groupes), Masks()
    for row in rows:
        key = (row["sous_question"], row["groupe"])
        if row["n"] + row["n_silences"] < small and row["n_silences"] > 0:
            row.update({f"n_{code}": NAN for code in SILENCES})
            masks.append(_mask("groupes", "seuil_cellule", *key, "nature des silences"))
        if row["n"] == 0 or row["n"] >= small:
            continue
        row["mediane"] = row["mediane_basse"]
        reason = "" if row["groupe"] in speaking else _why_hidden(row, rules)
        if reason:
            row.update(mediane=NAN, mediane_basse=NAN, statut="secret")
            masks.append(_mask("groupes", reason, *key, "médiane"))
    return as_table("groupes", rows), masks


def _why_hidden(row: Mapping[str, Any], rules: Rules) -> str:
    if row["n"] < rules["seuil_mediane_atelier"]:
        return "seuil_mediane_atelier"
    if row["statut"] == "secret" or gives_a_cell(int(row["n"]), int(row["mediane_basse"])):
        return "seuil_cellule"
    return ""


def mask_distributions(distributions: pd.DataFrame, sizes: Mapping[tuple[str, str], int], rules: Rules) -> Masked:
    """Distributions of groups with enough ratings; the others are NaN, ``secret``.

    ``sizes``: number of ratings by (sub-question, group).
    """
    rows, masks = table_rows(distributions), Masks()
    for row in rows:
        key = (row["sous_question"], row["groupe"])
        if row["statut"] == "aucune_cotation" or sizes[key] >= rules["seuil_distribution_atelier"]:
            continue
        row.update(n=NAN, part=NAN, statut="secret")
        if row["niveau"] == LEVELS[0]:  # one line of the register per distribution
            masks.append(_mask("distributions", "seuil_distribution_atelier", *key, "distribution"))
    return as_table("distributions", rows), masks


# --- indicators -----------------------------------------------------------------------------------------------------


def persons_threshold(indicator: Indicateur, referentiel: Referentiel, rules: Rules, *, announced: bool) -> str:
    """Code of the rule under whose value a figure of this indicator is hidden, "" when it counts no person.

    ``announced``: the publication by name was announced to institutions.
    """
    natures = {tool.code: tool.nature for tool in referentiel.collectes}
    kinds = {natures[code] for code in indicator.collecte if code in natures}
    asked = "enquete" in kinds and kinds <= {"enquete", "atelier"} and indicator.formule in _ON_ANSWERS
    opinion = indicator.formule is Formule.PART_FAVORABLE
    council = indicator.niveau == "conseil_citoyen" and "enquete" in kinds and indicator.formule in _ON_MEMBERS
    if not (asked or opinion or council):
        return ""
    if asked and indicator.niveau == "commune":
        return "seuil_institutions_nominatif" if announced else "seuil_institutions"
    return "seuil_personnes"


_ON_ANSWERS = (Formule.PART, Formule.MOYENNE, Formule.MEDIANE)
_ON_MEMBERS = (Formule.PART, Formule.DISTANCE_DISTRIBUTIONS)


def _hidden_indicator(
    row: Mapping[str, Any], indicator: Indicateur, rule: str, rules: Rules, closed: Mapping[float, set[str]]
) -> tuple[str, str]:
    """(rule that hides the row, sentence); empty texts when it may be shown."""
    columns = (*indicator.actions.somme, *indicator.actions.rapporte_a) if indicator.actions else ()
    if row["obtention"] == "actions":
        if any(c in AMOUNTS for c in columns):
            if row["statut"] == "secret" or _total_is_closed(indicator, closed.get(row["annee"], set())):
                return "seuil_unites_montant", SECRET_AMOUNT
        elif row["statut"] == "secret" or (any(c in PEOPLE for c in columns) and _counts_few(row, indicator, rules)):
            return "seuil_cellule", SECRET_COUNT
        return "", ""
    if row["statut"] == "secret":
        return rule or "seuil_personnes", SECRET_FOR_BASE
    if row["obtention"] != "saisie" or not rule:
        return "", ""
    base = row["n"] if row["n"] == row["n"] else row["denominateur"]
    if base != base:
        return rule, SECRET_UNKNOWN_BASE
    return (rule, SECRET_FOR_BASE) if base < rules[rule] else ("", "")


def _counts_few(row: Mapping[str, Any], indicator: Indicateur, rules: Rules) -> bool:
    """One of the numbers of persons that the row shows, or gives by subtraction, is too small to be shown.

    A share shows its numerator and its denominator, hence their difference; its value is not a number of persons.
    """
    counts = [row["valeur"]]
    if indicator.formule in (Formule.PART, Formule.RATIO):
        counts = [row["numerateur"], row["denominateur"], row["denominateur"] - row["numerateur"]]
    return any(0 < count < rules["seuil_cellule"] for count in counts)


def _total_is_closed(indicator: Indicateur, hidden: set[str]) -> bool:
    """The year's total, or its part in ordinary-law credits, is hidden and this indicator would give it back."""
    calculation = indicator.actions
    conditions = [c for c in (calculation.numerateur_si, calculation.denominateur_si) if c] if calculation else []
    named = {comparison.fait for c in conditions for comparison in (*(c.tous or ()), *(c.un_de or ()))}
    return "statut" in hidden or ("statut_droit_commun" in hidden and "classement_financement" in named)


def mask_indicators(
    indicateurs: pd.DataFrame, actions: pd.DataFrame, referentiel: Referentiel, rules: Rules, *, announced: bool
) -> Masked:
    """Values of indicators that may be shown. ``n`` stays; value, category, numerator and denominator go.

    ``actions``: the table of the programme, already masked.
    """
    closed: dict[float, set[str]] = {}
    for total in table_rows(actions[actions["thematique"] == "ensemble"]):
        closed[float(total["annee"])] = {name for name in ("statut", "statut_droit_commun") if total[name] == "secret"}
    thresholds: dict[str, str] = {}
    rows, masks = table_rows(indicateurs), Masks()
    for row in rows:
        if row["statut"] not in ("ok", "secret", "non_calculable"):
            continue
        code = row["indicateur"]
        indicator = referentiel.indicateurs[code]
        if code not in thresholds:
            thresholds[code] = persons_threshold(indicator, referentiel, rules, announced=announced)
        rule, said = _hidden_indicator(row, indicator, thresholds[code], rules, closed)
        if rule and row["statut"] == "non_calculable":  # nothing to hide but what was typed
            row.update(numerateur=NAN, denominateur=NAN)
        elif rule:
            row.update(valeur=NAN, modalite=None, numerateur=NAN, denominateur=NAN, statut="secret", explication=said)
            masks.append(_mask("indicateurs", rule, code, row["obtention"], _year(row["annee"])))
        elif row["statut"] == "ok" and row["obtention"] == "saisie" and thresholds[code] == "seuil_personnes":
            row["explication"] = _say_fragile(row, rules)
    return as_table("indicateurs", rows), masks


def _say_fragile(row: Mapping[str, Any], rules: Rules) -> str | None:
    """What is said of a shown value, with « base fragile » when it stands on few persons."""
    said = row["explication"] if isinstance(row["explication"], str) else ""
    base = row["n"] if row["n"] == row["n"] else row["denominateur"]
    if base > rules["base_fragile"] or FRAGILE_BASE in said:
        return said or None
    return f"{said} {FRAGILE_BASE}".strip()


def _year(year: float) -> str:
    return f"{year:.0f}" if year == year else "sans année"


# --- programme of actions, quotations -------------------------------------------------------------------------------


def mask_actions(actions: pd.DataFrame, rules: Rules) -> Masked:
    """Amounts of the programme that may be shown.

    ``compute.actions`` has already chosen, with the holders in hand; here a hidden amount left alone under a shown total
    would still be found (a table made elsewhere), so the smallest other theme, or the total, is hidden with it.
    """
    rows, masks = table_rows(actions), Masks()
    for row in rows:
        if row["n_montants"] and row["n_porteurs"] < rules["seuil_unites_montant"]:
            row["statut"] = "secret"
        if row["statut"] == "secret":
            row["statut_droit_commun"] = "secret"
    for year in sorted({row["annee"] for row in rows}):
        of_year = [row for row in rows if row["annee"] == year]
        _hide_companion(of_year, "statut", "montant_total")
        for row in of_year:
            if row["statut"] == "secret":
                row["statut_droit_commun"] = "secret"
        _hide_companion(of_year, "statut_droit_commun", "montant_droit_commun")
    for row in rows:
        if row["statut"] == "secret":
            row.update(montant_p147=NAN, montant_total=NAN)
            masks.append(_mask("actions", "seuil_unites_montant", row["annee"], row["thematique"], "montants"))
        if row["statut_droit_commun"] == "secret":
            row.update(montant_droit_commun=NAN)
            if row["statut"] != "secret":
                key = (row["annee"], row["thematique"], "montant de droit commun")
                masks.append(_mask("actions", "seuil_unites_montant", *key))
    return as_table("actions", rows), masks


def _hide_companion(rows: Sequence[dict[str, Any]], status: str, amount: str) -> None:
    """One hidden theme under a shown total: hide the smallest other theme with it, or else the total."""
    whole = [row for row in rows if row["thematique"] == "ensemble"]
    themes = [row for row in rows if row["thematique"] != "ensemble"]
    hidden = [row for row in themes if row[status] == "secret"]
    if len(hidden) != 1 or any(row[status] == "secret" for row in whole):
        return
    others = [row for row in themes if row[status] != "secret" and row[amount] == row[amount]]
    chosen = [min(others, key=lambda row: (row[amount], row["thematique"]))] if others else whole
    for row in chosen:
        row[status] = "secret"


def mask_verbatims(verbatims: pd.DataFrame) -> Masked:
    """Publishable quotations only; where one comes from is hidden when it may not be given to a group."""
    rows = [row for row in table_rows(verbatims) if row["publiable"]]
    masks = Masks()
    for rank, row in enumerate(rows, start=1):
        if not row["attribuable"] and isinstance(row["enquete"], str):
            row["enquete"] = None
            masks.append(_mask("verbatims", "seuil_verbatim_groupe", row["question"], f"verbatim {rank}", "provenance"))
    return as_table("verbatims", rows), masks


# --- the door -------------------------------------------------------------------------------------------------------


def _published_triangulation(evaluation: Evaluation, groups: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    levels = table_rows(evaluation.niveaux)
    order = [(row["question"], row["sous_question"]) for row in levels if row["applicable"]]
    counts: dict[tuple[str, str], list[float]] = {}
    for row in table_rows(cells):
        if row["statut"] == "ok":
            counts.setdefault((row["sous_question"], row["groupe"]), []).append(row["n"])
    known = {key: tuple(values) for key, values in counts.items()}
    rows = triangulation_rows(order, table_rows(groups), known, evaluation.referentiel, published=True)
    return as_table("triangulation", rows)


def protect(evaluation: Evaluation, rules: Sequence[Regle], known: Iterable[Publication] = ()) -> Publication:
    """Make what may be shown of a territory. The only maker of :class:`Publication`.

    Parameters
    ----------
    evaluation
        What was computed, confidential.
    rules
        ``referentiel.regles``: thresholds, dated.
    known
        What has been published already. A territory is protected first and alone: nothing of it is needed here, since no
        table crosses two publications of one territory.

    Raises
    ------
    TypeError
        ``evaluation`` is not an :class:`Evaluation`.
    """
    if not isinstance(evaluation, Evaluation):
        raise TypeError(f"protect needs an Evaluation, not {type(evaluation).__name__}")
    values = Rules(rules)
    referentiel = evaluation.referentiel
    institutions = [code for code, group in referentiel.groupes_par_code.items() if group.institution]
    groups, masked_groups = mask_groups(evaluation.groupes, values, institutions)
    keys = zip(groups["sous_question"], groups["groupe"], strict=True)
    sizes = dict(zip(keys, groups["n"].tolist(), strict=True))
    cells, masked_cells = mask_distributions(evaluation.distributions, sizes, values)
    actions, masked_actions = mask_actions(evaluation.actions, values)
    announced = evaluation.campagne.publication_nominative_annoncee
    indicators, masked_indicators = mask_indicators(
        evaluation.indicateurs, actions, referentiel, values, announced=announced
    )
    surveys, masked_surveys = protect_surveys(
        evaluation.tables() | {"indicateurs": indicators}, values, referentiel, announced=announced
    )
    indicators = surveys["indicateurs"]
    verbatims, masked_verbatims = mask_verbatims(evaluation.verbatims)
    masks = [*masked_groups, *masked_cells, *masked_indicators, *masked_actions, *masked_surveys, *masked_verbatims]
    tables = evaluation.tables() | {
        **surveys,
        "groupes": groups,
        "distributions": cells,
        "triangulation": _published_triangulation(evaluation, groups, cells),
        "indicateurs": indicators,
        "verbatims": verbatims,
        "actions": actions,
        "masques": as_table("masques", masks),
    }
    return Publication(
        territoire=evaluation.territoire,
        campagne=evaluation.campagne,
        referentiel=referentiel,
        **{name: tables[name] for name in COLUMNS},
        reference=evaluation.reference,
        textes=evaluation.textes,
        local=evaluation.local,
        enquetes_ecartees=evaluation.enquetes_ecartees,
        listes_non_declarees=evaluation.listes_non_declarees,
        empreinte=evaluation.empreinte,
        n_avertissements=evaluation.n_avertissements,
    )
