"""The formulas that an indicator may name (DESIGN §4): entries in, one result out, never a level.

Common rules. A zero denominator gives ``non_calculable``, never 0. No entry gives the silence ``non_repondu``. A value
given without numerator and denominator is kept, and that is said. A silence typed by the territory stays that silence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evalkit.model.referentiel import Formule, Indicateur

NAN = float("nan")
NO_PARTS = "Valeur donnée sans numérateur ni dénominateur : elle ne peut pas être recalculée."
ZERO_DENOMINATOR = "Le dénominateur vaut zéro : la valeur ne peut pas être calculée."
TWO_YEARS = "Il faut au moins deux années de la même source pour parler d’évolution."
DIFFERS = "La valeur saisie diffère du rapport du numérateur au dénominateur ; c’est le rapport qui est montré."
ABOVE_WHOLE = "Le numérateur dépasse le dénominateur : ce n’est pas une part."
UNKNOWN_CATEGORY = "La modalité saisie n’existe pas dans le référentiel."
PAIR_MISSING = "Il manque l’une des deux grandeurs à comparer."
TOLERANCE = 1.0  # a typed value rounded to the unit is not a different value


@dataclass(frozen=True)
class Entry:
    """One row of the table ``indicateurs``. NaN or "" = not given. ``year``: civil year."""

    year: float = NAN
    value: float = NAN
    category: str = ""
    numerator: float = NAN
    denominator: float = NAN
    source: str = ""
    silence: str = ""


@dataclass(frozen=True)
class IndicatorResult:
    """One value of an indicator. ``value`` in the indicator's unit (shares: 0 to 100); NaN: see ``status``.

    ``n``: number of units that the value stands on, NaN if unknown. ``explanation``: French, "" when nothing to say.
    """

    value: float = NAN
    category: str = ""
    numerator: float = NAN
    denominator: float = NAN
    n: float = NAN
    status: str = "ok"
    explanation: str = ""
    year: float = NAN
    source: str = ""


def given(number: float) -> bool:
    """A number is there."""
    return not math.isnan(number)


def _from(entry: Entry, **values: Any) -> IndicatorResult:
    base = IndicatorResult(
        numerator=entry.numerator, denominator=entry.denominator, year=entry.year, source=entry.source
    )
    return replace(base, **values)


def _nothing(entry: Entry) -> IndicatorResult:
    return _from(entry, status=entry.silence or "non_repondu")


def _impossible(entry: Entry, why: str, **values: Any) -> IndicatorResult:
    return _from(entry, status="non_calculable", explanation=why, **values)


def _quotient(entry: Entry, factor: float) -> IndicatorResult:
    """``numerator / denominator × factor``; the value as typed when the parts are not given."""
    if given(entry.numerator) and given(entry.denominator):
        if entry.denominator == 0:
            return _impossible(entry, ZERO_DENOMINATOR)
        value = entry.numerator / entry.denominator * factor
        differs = given(entry.value) and abs(entry.value - value) > TOLERANCE
        return _from(entry, value=value, n=entry.denominator, explanation=DIFFERS if differs else "")
    if given(entry.value):
        return _from(entry, value=entry.value, n=entry.denominator, explanation=NO_PARTS)
    if given(entry.numerator) or given(entry.denominator):
        return _impossible(entry, PAIR_MISSING)
    return _nothing(entry)


def compute_share(indicator: Indicateur, entries: Sequence[Entry]) -> IndicatorResult:
    """``part``, ``part_favorable``: numerator over denominator, 0 to 100; a numerator above is refused."""
    result = _quotient(entries[-1], 100.0)
    if result.status == "ok" and not 0 <= result.value <= 100:
        return _impossible(entries[-1], ABOVE_WHOLE, n=result.n)
    return result


def compute_ratio(indicator: Indicateur, entries: Sequence[Entry]) -> IndicatorResult:
    """``ratio``: numerator over denominator times the declared ``facteur`` (1 when absent); no upper bound."""
    factor = 1.0 if indicator.facteur is None else indicator.facteur
    return replace(_quotient(entries[-1], factor), n=NAN)  # the denominator need not be a number of units


def compute_mean(indicator: Indicateur, entries: Sequence[Entry]) -> IndicatorResult:
    """``moyenne``: sum (numerator) over number (denominator), or the mean as typed."""
    return _quotient(entries[-1], 1.0)


def compute_number(indicator: Indicateur, entries: Sequence[Entry]) -> IndicatorResult:
    """``effectif``, ``somme``, ``verbatim``: the number typed (or the numerator); its n is itself for a count."""
    entry = entries[-1]
    value = entry.value if given(entry.value) else entry.numerator
    if not given(value):
        return _nothing(entry)
    return _from(entry, value=value, n=NAN if indicator.formule is Formule.SOMME else value)


def compute_median(indicator: Indicateur, entries: Sequence[Entry]) -> IndicatorResult:
    """``mediane``: as typed (a median cannot be found again from totals); ``denominateur``: number of cases."""
    entry = entries[-1]
    return _from(entry, value=entry.value, n=entry.denominator) if given(entry.value) else _nothing(entry)


def compute_evolution(indicator: Indicateur, entries: Sequence[Entry]) -> IndicatorResult:
    """``evolution``: from the first to the last year of one source.

    In the unit ``points``: difference; otherwise change in % of the first value. One year: ``non_calculable``.
    """
    known = sorted((e for e in entries if given(_level(e)) and given(e.year)), key=lambda e: e.year)
    if not known:
        return _nothing(entries[-1])
    first, last = known[0], known[-1]
    if first.year == last.year:
        return _impossible(last, TWO_YEARS)
    gap = _level(last) - _level(first)
    said = f"Évolution de {first.year:.0f} à {last.year:.0f}."
    if indicator.unite.startswith("points"):
        return _from(last, value=gap, explanation=said)
    if _level(first) == 0:
        return _impossible(
            last, "La valeur de départ est nulle : l’évolution en pourcentage ne peut pas être calculée."
        )
    return _from(last, value=gap / abs(_level(first)) * 100, explanation=said)


def _level(entry: Entry) -> float:
    if given(entry.value):
        return entry.value
    if given(entry.numerator) and given(entry.denominator):
        return entry.numerator / entry.denominator if entry.denominator else NAN
    return entry.numerator


def compute_difference_of_means(indicator: Indicateur, entries: Sequence[Entry]) -> IndicatorResult:
    """``difference_moyennes``: ``numerateur`` holds the first group's mean, ``denominateur`` the second's."""
    entry = entries[-1]
    if given(entry.numerator) and given(entry.denominator):
        return _from(entry, value=entry.numerator - entry.denominator)
    return _typed(entry)


def _typed(entry: Entry) -> IndicatorResult:
    if given(entry.value):
        return _from(entry, value=entry.value, explanation=NO_PARTS)
    if given(entry.numerator) or given(entry.denominator):
        return _impossible(entry, PAIR_MISSING)
    return _nothing(entry)


def compute_double_difference(indicator: Indicateur, entries: Sequence[Entry]) -> IndicatorResult:
    """``double_difference``: (end − start) of the territory minus (end − start) of the comparison area.

    One row per year and source: ``numerateur`` = value of the neighbourhoods, ``denominateur`` = value of the comparison
    area. First and last year of the source. One year only: ``non_calculable``.
    """
    pairs = sorted(
        (e for e in entries if given(e.numerator) and given(e.denominator) and given(e.year)), key=lambda e: e.year
    )
    if not pairs:
        return _typed(entries[-1])
    first, last = pairs[0], pairs[-1]
    if first.year == last.year:
        return _impossible(last, TWO_YEARS)
    value = (last.numerator - first.numerator) - (last.denominator - first.denominator)
    said = f"De {first.year:.0f} à {last.year:.0f} ; numérateur et dénominateur : valeurs de la dernière année."
    return _from(last, value=value, explanation=said)


def compute_distance(indicator: Indicateur, entries: Sequence[Entry]) -> IndicatorResult:
    """``distance_distributions``: half sum of absolute differences of shares, 0 (same) to 100 (nothing in common).

    One row per class, the class in the column ``source``: ``numerateur`` = number in the first population,
    ``denominateur`` = number (or share) in the second. A class given for one population only: ``non_calculable``.
    """
    rows = [e for e in entries if given(e.numerator) or given(e.denominator)]
    if not rows:
        return _typed(entries[-1])
    last = rows[-1]
    if any(not (given(e.numerator) and given(e.denominator)) for e in rows) or len(rows) < 2:
        return _impossible(last, PAIR_MISSING, numerator=NAN, denominator=NAN, source="")
    first_total, second_total = sum(e.numerator for e in rows), sum(e.denominator for e in rows)
    totals = {"numerator": first_total, "denominator": second_total, "n": first_total, "source": ""}
    if first_total == 0 or second_total == 0:
        return _impossible(last, ZERO_DENOMINATOR, **totals)
    gap = sum(abs(e.numerator / first_total - e.denominator / second_total) for e in rows)
    said = f"Calculé sur {len(rows)} classes ; numérateur et dénominateur : totaux des deux populations."
    return _from(last, value=gap * 50, explanation=said, **totals)


def compute_category(indicator: Indicateur, entries: Sequence[Entry]) -> IndicatorResult:
    """``categorie``: the code of the category, no number, no level."""
    entry = entries[-1]
    if not entry.category:
        return _nothing(entry)
    if entry.category not in {modality.code for modality in indicator.modalites}:
        return _impossible(entry, UNKNOWN_CATEGORY)
    return _from(entry, category=entry.category, n=entry.denominator)


Formula = Callable[[Indicateur, Sequence[Entry]], IndicatorResult]
FORMULAS: dict[Formule, Formula] = {
    Formule.EFFECTIF: compute_number,
    Formule.RATIO: compute_ratio,
    Formule.PART: compute_share,
    Formule.PART_FAVORABLE: compute_share,
    Formule.MOYENNE: compute_mean,
    Formule.MEDIANE: compute_median,
    Formule.SOMME: compute_number,
    Formule.EVOLUTION: compute_evolution,
    Formule.DIFFERENCE_MOYENNES: compute_difference_of_means,
    Formule.DOUBLE_DIFFERENCE: compute_double_difference,
    Formule.DISTANCE_DISTRIBUTIONS: compute_distance,
    Formule.CATEGORIE: compute_category,
    Formule.VERBATIM: compute_number,
}


def _series(indicator: Indicateur, entries: Sequence[Entry]) -> list[list[Entry]]:
    """Entries that make one value together: alone, by source (two years needed) or by year (classes)."""
    ordered = sorted(entries, key=lambda e: (_order(e.year), e.source))
    if indicator.formule in (Formule.EVOLUTION, Formule.DOUBLE_DIFFERENCE):
        keys: list[object] = [e.source for e in ordered]
    elif indicator.formule is Formule.DISTANCE_DISTRIBUTIONS:
        keys = [_order(e.year) for e in ordered]
    else:
        keys = list(range(len(ordered)))
    groups: dict[object, list[Entry]] = {}
    for key, entry in zip(keys, ordered, strict=True):
        groups.setdefault(key, []).append(entry)
    return list(groups.values())


def _order(year: float) -> float:
    return year if given(year) else -1.0


def out_of_period(indicator: Indicateur, year: float) -> bool:
    """The year lies wholly outside the dates between which the indicator is valid."""
    if not given(year):
        return False
    too_early = indicator.valide_du is not None and year < int(indicator.valide_du[:4])
    too_late = indicator.valide_au is not None and year > int(indicator.valide_au[:4])
    return too_early or too_late


def compute_indicator(indicator: Indicateur, entries: Sequence[Entry]) -> tuple[IndicatorResult, ...]:
    """Every value of one indicator, by year then source; no entry gives one result ``non_repondu``.

    Parameters
    ----------
    indicator
        Definition; ``formule`` names the formula.
    entries
        Rows of the table ``indicateurs`` of this indicator, in any order.

    Returns
    -------
    tuple of IndicatorResult
        One per series of entries (see each formula). A year outside the validity dates of the indicator gives the status
        ``hors_periode`` and no value.
    """
    if not entries:
        return (IndicatorResult(status="non_repondu"),)
    formula = FORMULAS[indicator.formule]
    results = []
    for series in _series(indicator, entries):
        result = formula(indicator, series)
        if out_of_period(indicator, result.year):
            result = IndicatorResult(status="hors_periode", year=result.year, source=result.source)
        results.append(result)
    return tuple(results)
