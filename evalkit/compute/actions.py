"""The programme of actions: the table by year and theme, and the indicators computed from it (``CalculActions``).

An empty amount is unknown, never zero: rows that do not tell are left aside, and it is said. Amounts that stand on too
few holders, or on one that outweighs the others, get the status ``secret`` here, where the holders are still known; the
values are blanked by ``compute.disclosure``, the only door to a publication.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import median
from typing import Any

from evalkit.compute.conditions import evaluate_rows, is_missing
from evalkit.compute.formulas import NAN, Entry, IndicatorResult, compute_indicator
from evalkit.model.dossier import TABLES
from evalkit.model.referentiel import CalculActions, Indicateur

Row = Mapping[str, Any]
AMOUNTS = tuple(c.name for c in TABLES["actions"].columns if c.name.startswith("montant_"))
PEOPLE = tuple(c.name for c in TABLES["actions"].columns if c.name.startswith("beneficiaires_"))
WHOLE = "ensemble"
NO_THEME = "sans thématique"
SOURCE = "programme d’actions"
# status of the result table -> amounts it hides; the largest amount last (the smallest theme is hidden first)
STATUSES_OF_AMOUNTS = {
    "statut": ("montant_p147", "montant_total"),
    "statut_droit_commun": ("montant_droit_commun",),
}
_WHOLE_DATE = len("2022-03-01")
MIN_HOLDERS_FOR_DECILE = 10  # under ten holders « the largest tenth » is one holder, whatever the rounding


@dataclass(frozen=True)
class SecrecyRules:
    """``units``: fewest holders of an amount; ``dominance``: largest share of one holder; ``cell``: smallest count."""

    units: float
    dominance: float
    cell: float


def shown_sum(row: Row, columns: Iterable[str]) -> float:
    """Sum of the given amounts of one action; NaN when none is given."""
    values = [row[c] for c in columns if not is_missing(row.get(c))]
    return float(sum(values)) if values else NAN


def may_show(parts: Iterable[tuple[Any, float]], rules: SecrecyRules) -> bool:
    """Amounts by holder may be shown as a total: enough holders, none above the dominance share.

    ``parts``: (holder, amount). Actions without a holder count together as one unknown holder. Nothing: true.
    """
    totals: dict[str, float] = defaultdict(float)
    for holder, amount in parts:
        if not math.isnan(amount):
            totals["" if is_missing(holder) else str(holder)] += amount
    whole = sum(totals.values())
    if not totals:
        return True
    if len(totals) < rules.units:
        return False
    return whole <= 0 or max(totals.values()) <= rules.dominance * whole


# --- the table by year and theme ------------------------------------------------------------------------------------


def _amount_columns(rows: Sequence[Row]) -> dict[str, list[tuple[Any, float]]]:
    """The three published amounts as (holder, amount) per action."""
    ordinary = [r for r in rows if r.get("classement_financement") == "droit_commun"]
    return {
        "montant_p147": [(r.get("porteur_id"), shown_sum(r, ("montant_p147",))) for r in rows],
        "montant_droit_commun": [(r.get("porteur_id"), shown_sum(r, AMOUNTS)) for r in ordinary],
        "montant_total": [(r.get("porteur_id"), shown_sum(r, AMOUNTS)) for r in rows],
    }


def _total(parts: Sequence[tuple[Any, float]]) -> float:
    known = [amount for _, amount in parts if not math.isnan(amount)]
    return math.fsum(known) if known else NAN


def _summary(year: int, theme: str, rows: Sequence[Row]) -> dict[str, Any]:
    holders = {r.get("porteur_id") for r in rows if not is_missing(r.get("porteur_id"))}
    reports = [r.get("bilan_recu") for r in rows if not is_missing(r.get("bilan_recu"))]
    amounts = _amount_columns(rows)
    return {
        "annee": year,
        "thematique": theme,
        "n_actions": len(rows),
        "n_porteurs": len(holders),
        **{name: _total(parts) for name, parts in amounts.items()},
        "n_montants": sum(not math.isnan(amount) for _, amount in amounts["montant_total"]),
        "n_bilans": float(reports.count("oui")) if reports else NAN,
        "statut": "ok",
        "statut_droit_commun": "ok",
    }


def _columns_may_show(rows: Sequence[Row], columns: Sequence[str], rules: SecrecyRules) -> bool:
    amounts = _amount_columns(rows)
    return all(may_show(amounts[column], rules) for column in columns)


def _hidden_themes(
    by_theme: Mapping[str, Sequence[Row]], columns: Sequence[str], already: set[str], rules: SecrecyRules
) -> set[str]:
    """Themes whose amounts are hidden: those that fail, then the smallest others until the hidden sum is safe.

    The year's total is shown, so whoever subtracts the shown themes learns the sum of the hidden ones: that sum must
    itself pass the rule, in each column, and stand on two themes at least.
    """
    hidden = already | {t for t, rows in by_theme.items() if not _columns_may_show(rows, columns, rules)}
    size = {theme: _total(_amount_columns(rows)[columns[-1]]) for theme, rows in by_theme.items()}
    others = sorted((t for t in by_theme if t not in hidden and not math.isnan(size[t])), key=lambda t: (size[t], t))
    while hidden and others and not _sum_is_safe({t: by_theme[t] for t in hidden}, columns, rules):
        hidden.add(others.pop(0))
    return hidden


def _sum_is_safe(hidden: Mapping[str, Sequence[Row]], columns: Sequence[str], rules: SecrecyRules) -> bool:
    merged = [row for rows in hidden.values() for row in rows]
    if not _columns_may_show(merged, columns, rules):
        return False
    totals = {theme: {c: _total(parts) for c, parts in _amount_columns(rows).items()} for theme, rows in hidden.items()}
    return all(sum(not math.isnan(totals[t][column]) for t in totals) != 1 for column in columns)


def _year_rows(year: int, by_theme: Mapping[str, Sequence[Row]], rules: SecrecyRules) -> list[dict[str, Any]]:
    """The year's total, then its themes in alphabetical order, each with what must not be shown."""
    everything = [row for theme in sorted(by_theme) for row in by_theme[theme]]
    whole = _summary(year, WHOLE, everything)
    themes = {theme: _summary(year, theme, by_theme[theme]) for theme in sorted(by_theme)}
    hidden: set[str] = set()
    for status, columns in STATUSES_OF_AMOUNTS.items():
        hidden = _hidden_themes(by_theme, columns, hidden, rules)
        exposed = hidden and not _sum_is_safe({t: by_theme[t] for t in hidden}, columns, rules)
        if exposed or whole["statut"] == "secret" or not _columns_may_show(everything, columns, rules):
            whole[status] = "secret"
        for theme in hidden:
            themes[theme][status] = "secret"
    return [whole, *themes.values()]


def summarise_actions(rows: Sequence[Row], rules: SecrecyRules) -> list[dict[str, Any]]:
    """Rows of the result table ``actions``: ``ensemble`` per year, then one per theme.

    Amounts are always there; ``statut`` (every amount) and ``statut_droit_commun`` (that amount alone) say which must not
    be shown. When no choice of themes protects the hidden ones from a subtraction, the total is hidden too.
    """
    years: dict[int, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        theme = NO_THEME if is_missing(row.get("thematique")) else str(row["thematique"])
        years[int(row["annee"])][theme].append(row)
    return [out for year in sorted(years) for out in _year_rows(year, years[year], rules)]


# --- indicators computed from the programme -------------------------------------------------------------------------


def _meets_funders(row: Row, calculation: CalculActions) -> bool | None:
    """At least ``financeurs_min`` of the named amounts above zero; unknown when the row gives no amount at all.

    A row that gives one amount is taken to list its funders: its empty cells are then not funders.
    """
    if calculation.financeurs_min is None:
        return True
    values = [row.get(name) for name in calculation.financeurs]
    positive = sum(float(v) > 0 for v in values if v is not None and not is_missing(v))
    if positive >= calculation.financeurs_min:
        return True
    return None if all(is_missing(v) for v in values) else False


def _selection(rows: Sequence[Row], calculation: CalculActions) -> tuple[list[Row], list[Row], int]:
    """(rows of the numerator, rows that count, rows left aside because they do not tell)."""
    counts = evaluate_rows(calculation.denominateur_si, rows)
    meets = evaluate_rows(calculation.numerateur_si, rows)
    numerator: list[Row] = []
    whole: list[Row] = []
    aside = 0
    for row, counted, met in zip(rows, counts, meets, strict=True):
        if counted is False:
            continue
        funded = _meets_funders(row, calculation)
        answer = False if False in (met, funded) else (None if None in (met, funded) else True)
        if counted is None or answer is None or _amount_missing(row, calculation):
            aside += 1
            continue
        whole.append(row)
        if answer:
            numerator.append(row)
    return numerator, whole, aside


def _amount_missing(row: Row, calculation: CalculActions) -> bool:
    """The sums that the calculation needs cannot be told for this row."""
    needed = [columns for columns in (calculation.somme, calculation.rapporte_a) if columns]
    return any(math.isnan(shown_sum(row, columns)) for columns in needed)


def _quantity(rows: Sequence[Row], calculation: CalculActions) -> float:
    if calculation.distinct and calculation.type != "concentration":
        return float(len({r.get(calculation.distinct) for r in rows if not is_missing(r.get(calculation.distinct))}))
    if calculation.somme:
        return math.fsum(shown_sum(r, calculation.somme) for r in rows)
    return float(len(rows))


def _days(row: Row, calculation: CalculActions) -> float:
    start, end = row.get(calculation.debut or ""), row.get(calculation.fin or "")
    if is_missing(start) or is_missing(end) or min(len(str(start)), len(str(end))) < _WHOLE_DATE:
        return NAN  # a month without its day gives no number of days: the row is left aside
    return float((date.fromisoformat(str(end)) - date.fromisoformat(str(start))).days)


def _entry(year: int, rows: Sequence[Row], calculation: CalculActions) -> tuple[Entry, int, int]:
    """(entry for the indicator's formula, units it stands on, rows left aside)."""
    numerator, whole, aside = _selection(rows, calculation)
    base = Entry(year=year, source=SOURCE)
    if calculation.type == "mediane_jours":
        delays = [d for d in (_days(r, calculation) for r in whole) if not math.isnan(d) and d >= 0]
        aside += len(whole) - len(delays)
        value = float(median(delays)) if delays else NAN
        return replace(base, value=value), len(delays), aside
    if not whole:
        return base, 0, aside
    if calculation.type in ("effectif", "somme"):
        return replace(base, value=_quantity(numerator, calculation)), len(numerator), aside
    if calculation.type == "ratio":
        over = math.fsum(shown_sum(r, calculation.rapporte_a) for r in whole)
        return replace(base, numerator=_quantity(whole, calculation), denominator=over), len(whole), aside
    if calculation.type == "concentration":
        return _concentration(base, whole, calculation, aside)
    top, bottom = _quantity(numerator, calculation), _quantity(whole, calculation)
    units = int(bottom) if calculation.distinct else len(whole)
    return replace(base, numerator=top, denominator=bottom), units, aside


def _concentration(base: Entry, rows: Sequence[Row], calculation: CalculActions, aside: int) -> tuple[Entry, int, int]:
    key = calculation.distinct or "porteur_id"
    totals: dict[str, float] = defaultdict(float)
    for row in rows:
        if is_missing(row.get(key)):
            aside += 1
        else:
            totals[str(row[key])] += shown_sum(row, calculation.somme)
    if len(totals) < MIN_HOLDERS_FOR_DECILE:
        return base, len(totals), aside
    largest = math.ceil(len(totals) * (calculation.part_superieure or 0.1) - 1e-9)
    ordered = sorted(totals.values(), reverse=True)
    return (
        replace(base, numerator=math.fsum(ordered[:largest]), denominator=math.fsum(ordered)),
        len(totals),
        aside,
    )


def _is_secret(rows: Sequence[Row], calculation: CalculActions, n: int, rules: SecrecyRules) -> bool:
    numerator, whole, _ = _selection(rows, calculation)
    chosen = {id(row) for row in numerator}
    rest = [row for row in whole if id(row) not in chosen]
    for columns in (calculation.somme, calculation.rapporte_a):
        if any(c in AMOUNTS for c in columns):
            groups = (numerator, whole, rest) if calculation.type == "part" else (whole,)
            for group in groups:
                if not may_show([(r.get("porteur_id"), shown_sum(r, columns)) for r in group], rules):
                    return True
        elif any(c in PEOPLE for c in columns):
            sums = [_quantity(group, calculation) for group in (numerator, rest)]
            if any(0 < s < rules.cell for s in sums):
                return True
    if calculation.type == "concentration":
        return math.ceil(n * (calculation.part_superieure or 0.1) - 1e-9) < rules.units
    return False


def _aside_sentence(aside: int) -> str:
    if not aside:
        return ""
    if aside == 1:
        return "1 action laissée de côté : l’information n’y est pas renseignée."
    return f"{aside} actions laissées de côté : l’information n’y est pas renseignée."


def compute_from_actions(
    indicator: Indicateur, rows: Sequence[Row], rules: SecrecyRules
) -> tuple[IndicatorResult, ...]:
    """Values of one indicator computed from the programme of actions, one per year.

    Parameters
    ----------
    indicator
        With ``actions`` filled. What the calculation gives enters the indicator's own formula, like typed figures.
    rows
        Records of the table ``actions``.
    rules
        Which amounts and counts are too small to be shown: their result has the status ``secret`` and keeps its value.

    Returns
    -------
    tuple of IndicatorResult
        ``n``: actions (or holders) that the value stands on. No action at all: one result ``non_repondu``.
    """
    calculation = indicator.actions
    if calculation is None or not rows:
        return (IndicatorResult(status="non_repondu", source=SOURCE),)
    by_year: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_year[int(row["annee"])].append(row)
    results = []
    for year in sorted(by_year):
        entry, units, aside = _entry(year, by_year[year], calculation)
        (result,) = compute_indicator(indicator, [entry])
        said = " ".join(text for text in (result.explanation, _aside_sentence(aside)) if text)
        if calculation.type == "concentration" and 0 < units < MIN_HOLDERS_FOR_DECILE:
            result = replace(result, status="non_calculable")
            said = "Moins de dix porteurs : la part du dixième le plus financé n’a pas de sens."
        if result.status == "ok" and _is_secret(by_year[year], calculation, units, rules):
            result = replace(result, status="secret")
        results.append(replace(result, n=float(units), explanation=said))
    return tuple(results)
