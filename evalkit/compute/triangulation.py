"""Do the groups see the same thing? Gap of medians, split groups, and how often chance alone would give such a gap.

DESIGN §6.4. Ratings only; no mean across groups. Pilote and État speak for their institution: they are outside the
probability of a false alarm, and a gap that rests on them is said to be a position of the institution.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import Any

from evalkit.compute.maturity import LEVELS, NAN

STEPS = range(2 * len(LEVELS) - 1)  # medians by half levels: 0, 0.5 … 5


@dataclass(frozen=True)
class TriangulationRules:
    """Values of regles.yml used here. ``low_median_under``: size under which the lower median is the one compared."""

    gap: float
    split_share: float
    split_low: float
    split_high: float
    false_alarm_limit: float
    distribution: tuple[float, ...]
    sample_minimum: float
    distribution_minimum: float
    low_median_under: float = 0


@dataclass(frozen=True)
class GroupView:
    """What is known of one group on one sub-question. ``counts``: six counts, None when they may not be shown."""

    group: str
    institution: bool
    n: int
    median: float
    counts: tuple[float, ...] | None = None


def is_split(counts: Sequence[float], rules: TriangulationRules) -> bool:
    """« Partagé »: at least a quarter of the ratings ≤ 1 and a quarter ≥ 4 (shares and levels from the rules)."""
    n = sum(counts)
    low = sum(c for level, c in enumerate(counts) if level <= rules.split_low)
    high = sum(c for level, c in enumerate(counts) if level >= rules.split_high)
    return n > 0 and min(low, high) >= rules.split_share * n - 1e-9


def _at_most(n: int, rank: int, p: float) -> float:
    """Probability that the value of that rank (1 = smallest) of n draws is in an event of probability ``p``."""
    p = min(max(p, 0.0), 1.0)
    return math.fsum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(rank, n + 1))


@lru_cache(maxsize=1024)
def median_law(n: int, distribution: tuple[float, ...], *, low: bool) -> tuple[float, ...]:
    """Exact law of the median of ``n`` independent draws.

    Parameters
    ----------
    n
        Number of draws, at least 1.
    distribution
        Probability of each level, 0 to 5.
    low
        Lower median; otherwise the ordinary one, halves allowed.

    Returns
    -------
    tuple of float
        Probability of each half level: index 2 × median.
    """
    total = math.fsum(distribution)
    cumulated = [math.fsum(distribution[: level + 1]) / total for level in LEVELS]
    rank = (n + 1) // 2
    up_to = [_at_most(n, rank, p) for p in cumulated]
    exact = [up_to[0], *(up_to[level] - up_to[level - 1] for level in LEVELS[1:])]
    law = [0.0] * len(STEPS)
    for level in LEVELS:
        law[2 * level] = exact[level]
    if low or n % 2 == 1:
        return tuple(law)
    half = n // 2
    for a in LEVELS:
        below_a = cumulated[a - 1] if a else 0.0
        for b in range(a + 1, len(LEVELS)):
            above_b, beyond_b = 1 - cumulated[b - 1], 1 - cumulated[b]
            both = comb(n, half) * (cumulated[a] ** half - below_a**half) * (above_b**half - beyond_b**half)
            law[a + b] += both
            law[2 * a] -= both
    return tuple(law)


@lru_cache(maxsize=4096)
def false_alarm(sizes: tuple[int, ...], distribution: tuple[float, ...], gap: float, low_under: float) -> float:
    """Probability that groups of these sizes, all drawn from one distribution, show a gap of medians above ``gap``.

    Exact: the groups' medians are independent, and the largest minus the smallest stays within ``gap`` when all of them
    lie in a window that starts at the smallest. NaN with fewer than two groups.
    """
    return _beyond(tuple(median_law(n, distribution, low=n < low_under) for n in sizes), gap)


def _beyond(laws: Sequence[tuple[float, ...]], gap: float) -> float:
    """Probability that independent medians of these laws differ by more than ``gap``; NaN with fewer than two."""
    if len(laws) < 2:
        return NAN
    width = math.floor(2 * gap + 1e-9)

    def all_within(first: int, last: int) -> float:
        return math.prod(math.fsum(law[first : last + 1]) for law in laws) if first <= last else 0.0

    within = math.fsum(all_within(m, m + width) - all_within(m + 1, m + width) for m in STEPS)
    return min(max(1.0 - within, 0.0), 1.0)


def shift_distribution(distribution: Sequence[float], shift: float) -> tuple[float, ...]:
    """The same opinions, ``shift`` levels higher (0 or more), 5 staying the highest.

    A shift of 1.5 is: half of the people 1 level higher, half of them 2.

    >>> shift_distribution((0, 0, 0, 1, 0, 0), 1.5)
    (0.0, 0.0, 0.0, 0.0, 0.5, 0.5)
    """
    whole, part = int(shift), shift - int(shift)
    out = [0.0] * len(LEVELS)
    for level, probability in enumerate(distribution):
        for step, weight in ((whole, 1 - part), (whole + 1, part)):
            out[min(level + step, LEVELS[-1])] += probability * weight
    return tuple(out)


def detection(
    sizes: Sequence[int], distribution: tuple[float, ...], shift: float, gap: float, low_under: float
) -> float:
    """Probability that a gap above ``gap`` shows when the first group is ``shift`` levels higher than all the others.

    Exact, as :func:`false_alarm`, which it equals for a shift of 0.
    """
    moved = shift_distribution(distribution, shift)
    laws = [median_law(n, distribution if rank else moved, low=n < low_under) for rank, n in enumerate(sizes)]
    return _beyond(laws, gap)


def displayable(views: Sequence[GroupView], rules: TriangulationRules) -> list[GroupView]:
    """Groups whose median may be shown: institutions that rated, other groups from the minimal number of ratings."""
    return [
        v for v in views if not math.isnan(v.median) and (v.n >= 1 if v.institution else v.n >= rules.sample_minimum)
    ]


def _gap(views: Sequence[GroupView]) -> float:
    medians = [v.median for v in views]
    return max(medians) - min(medians) if len(medians) > 1 else NAN


def triangulate(views: Sequence[GroupView], rules: TriangulationRules) -> dict[str, Any]:
    """One row of the table ``triangulation``, without its codes and its order of discussion.

    Parameters
    ----------
    views
        Groups that rated the sub-question, in the order of acteurs.yml.
    """
    shown = displayable(views, rules)
    gap = _gap(shown)
    debated = gap > rules.gap
    sampled = [v for v in shown if not v.institution]
    alarm = false_alarm(tuple(sorted(v.n for v in sampled)), rules.distribution, rules.gap, rules.low_median_under)
    split = [
        v.group
        for v in views
        if v.counts is not None and v.n >= rules.distribution_minimum and is_split(v.counts, rules)
    ]
    status = "ecart_a_debattre" if debated else "medianes_proches"
    lowest, highest = min((v.median for v in shown), default=NAN), max((v.median for v in shown), default=NAN)
    enough = not math.isnan(gap)  # two groups at least
    return {
        "n_groupes": len(shown),
        "groupes": ";".join(v.group for v in shown) or None,
        "ecart": gap,
        "groupe_bas": ";".join(v.group for v in shown if v.median == lowest) if enough else None,
        "groupe_haut": ";".join(v.group for v in shown if v.median == highest) if enough else None,
        "statut": status if enough else "trop_peu_de_reponses",
        "partages": ";".join(split) or None,
        "position_institution": debated and not _gap(sampled) > rules.gap,
        "fausse_alerte": alarm,
        "effectifs_faibles": alarm > rules.false_alarm_limit,
    }


def order_of_discussion(rows: Sequence[dict[str, Any]]) -> list[int]:
    """Rank of each row: split groups first, then the size of the gap, then the reading order of the framework."""

    def key(position: int) -> tuple[bool, float, int]:
        gap = rows[position]["ecart"]
        return (rows[position]["partages"] is None, -gap if gap == gap else math.inf, position)

    ranks = [0] * len(rows)
    for rank, position in enumerate(sorted(range(len(rows)), key=key), start=1):
        ranks[position] = rank
    return ranks
