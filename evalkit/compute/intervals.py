"""Confidence interval of a share, only where the way answers were collected allows one (DESIGN §6.6).

Wilson's interval (E. B. Wilson, JASA 22, 1927), with the finite population correction: drawing n of N without replacement
carries as much information as n (N − 1) / (N − n) independent draws.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

NAN = float("nan")


@dataclass(frozen=True)
class Interval:
    """Bounds of a share, 0 to 100. NaN: no interval is allowed, or none is needed."""

    low: float = NAN
    high: float = NAN


def critical_value(confidence: float) -> float:
    """Two-sided critical value of the normal law.

    >>> round(critical_value(0.95), 4)
    1.96
    """
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def wilson(share: float, n: float, confidence: float) -> Interval:
    """Wilson's interval.

    Parameters
    ----------
    share
        Observed share, 0 to 1.
    n
        Number of independent answers, or effective number; infinite: the share is known.
    confidence
        0.95 for 95 %.

    >>> bounds = wilson(0.4, 10, 0.95)
    >>> round(bounds.low, 2), round(bounds.high, 2)
    (16.82, 68.73)
    """
    if math.isinf(n):
        return Interval(share * 100, share * 100)
    square = critical_value(confidence) ** 2
    centre = share + square / (2 * n)
    half = math.sqrt(square * (share * (1 - share) / n + square / (4 * n * n)))
    scale = 100 / (1 + square / n)
    # Exactly 0 and 100 at the ends, where the formula leaves a rounding error.
    low = 0.0 if share == 0 else max(0.0, (centre - half) * scale)
    return Interval(low, 100.0 if share == 1 else min(100.0, (centre + half) * scale))


def corrected_size(n: float, population: float) -> float:
    """Number of independent draws worth ``n`` answers out of ``population``: infinite when everybody answered.

    >>> corrected_size(50, 100)
    99.0
    """
    if math.isinf(population):
        return n
    return n * (population - 1) / (population - n) if population > n else math.inf


def effective_size(weights: Iterable[float]) -> float:
    """Kish's effective number of answers: (sum of weights)² over the sum of their squares; 0 when there is none.

    >>> effective_size([1, 1, 1, 1]), effective_size([3, 1])
    (4.0, 1.6)
    """
    given = list(weights)
    squares = math.fsum(w * w for w in given)
    return math.fsum(given) ** 2 / squares if squares else 0.0


def interval_for(
    collecte: str, share: float, n: float, answered: float, asked: float, population: float, confidence: float
) -> Interval:
    """Interval of one share of one part of a questionnaire.

    Parameters
    ----------
    collecte
        ``aleatoire``, ``recensement`` or ``ouvert`` (never an interval).
    share
        0 to 1.
    n
        Answers to the question, effective number when weighted.
    answered, asked
        Answers kept in the part; people or institutions asked (NaN if unknown).
    population
        ``aleatoire``: size of the population that was drawn from, NaN if unknown (no correction then).

    Returns
    -------
    Interval
        Empty for an open collection, a census whose number asked is unknown, a census that everybody answered.
    """
    if collecte == "ouvert" or n <= 0 or share != share:
        return Interval()
    whole = asked if collecte == "recensement" else population
    if whole != whole:
        return Interval() if collecte == "recensement" else wilson(share, n, confidence)
    if whole <= answered:  # nobody is missing
        return Interval()
    # The question may have fewer answers than the part: its own population is reduced in the same proportion.
    return wilson(share, corrected_size(n, n * whole / answered), confidence)
