"""Applicability rules: a declarative condition read on facts, or on the rows of a table. Nothing is evaluated as code.

Three answers: true, false, unknown (``None``). An unknown fact makes neither true nor false: the object stays applicable
and what is unknown is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evalkit.model.base import Comparison, Condition

_YES_NO = {"oui": True, "non": False}


@dataclass(frozen=True)
class Verdict:
    """Answer of a condition. ``value``: True, False, or None when unknown; ``unknown``: facts that were missing."""

    value: bool | None
    unknown: tuple[str, ...] = ()


def is_missing(value: Any) -> bool:
    """Nothing known: None, NaN or an empty text."""
    return value is None or value == "" or (isinstance(value, float) and value != value)


def _same(value: Any, expected: Any) -> bool:
    if isinstance(expected, bool) and isinstance(value, str):
        value = _YES_NO.get(value, value)
    if isinstance(value, bool) and isinstance(expected, str):
        expected = _YES_NO.get(expected, expected)
    if isinstance(value, bool) != isinstance(expected, bool):
        return False  # True is not the number 1
    return bool(value == expected)


def _ordered(test: Callable[[float, float], bool], value: Any, bound: float) -> bool | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None  # a text cannot be compared with a number: unknown, not false
    return test(value, bound)


def evaluate_comparison(comparison: Comparison, value: Any) -> bool | None:
    """One comparison on one value; None when the value is missing (except for ``renseigne``)."""
    missing = is_missing(value)
    if comparison.renseigne is not None:
        return missing is not comparison.renseigne
    if missing:
        return None
    if comparison.egal is not None:
        return _same(value, comparison.egal)
    if comparison.different is not None:
        return not _same(value, comparison.different)
    if comparison.parmi is not None:
        return any(_same(value, expected) for expected in comparison.parmi)
    if comparison.superieur_ou_egal is not None:
        return _ordered(lambda a, b: a >= b, value, comparison.superieur_ou_egal)
    if comparison.inferieur_ou_egal is not None:
        return _ordered(lambda a, b: a <= b, value, comparison.inferieur_ou_egal)
    if comparison.superieur is not None:
        return _ordered(lambda a, b: a > b, value, comparison.superieur)
    if comparison.inferieur is not None:
        return _ordered(lambda a, b: a < b, value, comparison.inferieur)
    return None


def _all(answers: Iterable[bool | None]) -> bool | None:
    given = list(answers)
    if False in given:
        return False
    return None if None in given else True


def _any(answers: Iterable[bool | None]) -> bool | None:
    given = list(answers)
    if True in given:
        return True
    return None if None in given else False


def evaluate_condition(condition: Condition | None, facts: Mapping[str, Any]) -> Verdict:
    """Read a condition on facts; no condition is true.

    Parameters
    ----------
    condition
        ``tous`` (all) and ``un_de`` (any) of comparisons; both given = both must hold.
    facts
        Value by name; an absent name, None, NaN or an empty text is unknown.
    """
    if condition is None:
        return Verdict(True)
    comparisons = [*(condition.tous or ()), *(condition.un_de or ())]
    answers = {id(c): evaluate_comparison(c, facts.get(c.fait)) for c in comparisons}
    parts: list[bool | None] = []
    if condition.tous is not None:
        parts.append(_all(answers[id(c)] for c in condition.tous))
    if condition.un_de is not None:
        parts.append(_any(answers[id(c)] for c in condition.un_de))
    value = _all(parts)
    unknown = [c.fait for c in comparisons if answers[id(c)] is None] if value is None else []
    return Verdict(value, tuple(dict.fromkeys(unknown)))


def evaluate_rows(condition: Condition | None, rows: Sequence[Mapping[str, Any]]) -> list[bool | None]:
    """Read a condition on each row of a table (records); an absent column is unknown everywhere."""
    return [evaluate_condition(condition, row).value for row in rows]
