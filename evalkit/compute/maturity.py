"""Ratings and settled levels: statistics per group, settled level, aggregate per question (DESIGN §6.1 to 3).

Plain rows in, plain rows out; ``compute.evaluation`` makes the tables. Levels are whole numbers from 0 to 5; a silence is
counted as a silence and never enters a median.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from evalkit.model.dossier import SILENCES

LEVELS = range(6)
NAN = float("nan")


def lower_median(levels: Iterable[float]) -> float:
    """Median; the lower of the two middle values when there are two. NaN when empty.

    >>> lower_median([1, 2, 4, 5])
    2.0
    """
    ordered = sorted(levels)
    return float(ordered[(len(ordered) - 1) // 2]) if ordered else NAN


def ordinary_median(levels: Iterable[float]) -> float:
    """Usual median, halves allowed. NaN when empty.

    >>> ordinary_median([1, 2, 4, 5])
    3.0
    """
    ordered = sorted(levels)
    if not ordered:
        return NAN
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def median_of_counts(counts: Sequence[float], *, low: bool) -> float:
    """Median of a distribution given by its six counts."""
    levels = [level for level in LEVELS for _ in range(int(counts[level]))]
    return lower_median(levels) if low else ordinary_median(levels)


@dataclass
class GroupRatings:
    """Ratings of one sub-question by one group: count at each level, count of each silence."""

    counts: list[int] = field(default_factory=lambda: [0] * len(LEVELS))
    silences: Counter[str] = field(default_factory=Counter)

    @property
    def n(self) -> int:
        """Ratings expressed."""
        return sum(self.counts)


def group_ratings(
    subs: Sequence[str], groups: Sequence[str], levels: Sequence[float], silences: Sequence[Any]
) -> dict[tuple[str, str], GroupRatings]:
    """Count ratings by (sub-question, group).

    Four columns of ``cotations`` of the same length; ``levels``: NaN when silent. A row with neither level nor silence is
    a ``non_repondu``.
    """
    out: dict[tuple[str, str], GroupRatings] = defaultdict(GroupRatings)
    for sub, group, level, silence in zip(subs, groups, levels, silences, strict=True):
        cell = out[(sub, group)]
        if level == level:
            cell.counts[int(level)] += 1
        else:
            cell.silences[silence if silence in SILENCES else "non_repondu"] += 1
    return out


def group_row(question: str, sub: str, group: str, ratings: GroupRatings) -> dict[str, Any]:
    """One row of the table ``groupes``."""
    return {
        "question": question,
        "sous_question": sub,
        "groupe": group,
        "n": ratings.n,
        "mediane": median_of_counts(ratings.counts, low=False),
        "mediane_basse": median_of_counts(ratings.counts, low=True),
        "n_silences": sum(ratings.silences.values()),
        **{f"n_{code}": float(ratings.silences[code]) for code in SILENCES},
        "statut": "ok" if ratings.n else "aucune_cotation",
    }


def distribution_rows(question: str, sub: str, group: str, ratings: GroupRatings) -> list[dict[str, Any]]:
    """Six rows of the table ``distributions``; no share when nobody rated."""
    return [
        {
            "question": question,
            "sous_question": sub,
            "groupe": group,
            "niveau": level,
            "n": float(count),
            "part": count / ratings.n * 100 if ratings.n else NAN,
            "statut": "ok" if ratings.n else "aucune_cotation",
        }
        for level, count in enumerate(ratings.counts)
    ]


@dataclass(frozen=True)
class QuestionLevel:
    """Aggregate of one question; field by field a row of the table ``questions``."""

    n_applicables: int
    n_arbitrees: int
    couverture: float
    mediane: float
    minimum: float
    borne_basse: float
    borne_haute: float
    statut: str


def count_left_to_settle(settled: int, n_applicable: int, minimal_coverage: float) -> int:
    """How many more sub-questions must be settled before a question has a level.

    >>> count_left_to_settle(3, 6, 0.75), count_left_to_settle(5, 6, 0.75), count_left_to_settle(6, 8, 0.75)
    (2, 0, 0)
    """
    needed = next(n for n in range(n_applicable + 1) if n >= (minimal_coverage - 1e-9) * n_applicable)
    return max(0, needed - settled)


def aggregate_question(settled: Sequence[float], n_applicable: int, minimal_coverage: float) -> QuestionLevel:
    """Level of a question from its settled sub-questions.

    Parameters
    ----------
    settled
        Settled levels (0 to 5) of the applicable sub-questions that have one.
    n_applicable
        Number of applicable sub-questions.
    minimal_coverage
        Share (0 to 1) of settled sub-questions under which no level is given.

    Returns
    -------
    QuestionLevel
        Lower median and minimum of the settled levels, NaN under the minimal coverage; bounds: the lower median with
        every unsettled sub-question at 0, then at 5.
    """
    if n_applicable == 0:
        return QuestionLevel(0, 0, NAN, NAN, NAN, NAN, NAN, "non_applicable")
    missing = n_applicable - len(settled)
    low = lower_median([*settled, *[0.0] * missing])
    high = lower_median([*settled, *[5.0] * missing])
    coverage = len(settled) / n_applicable
    if not settled:
        return QuestionLevel(n_applicable, 0, 0.0, NAN, NAN, low, high, "aucun_arbitrage")
    if count_left_to_settle(len(settled), n_applicable, minimal_coverage):
        return QuestionLevel(n_applicable, len(settled), coverage, NAN, NAN, low, high, "couverture_insuffisante")
    level, least = lower_median(settled), float(min(settled))
    return QuestionLevel(n_applicable, len(settled), coverage, level, least, low, high, "calcule")
