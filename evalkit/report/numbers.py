"""Numbers as a reader sees them: taken from each format and compared, so that no document says another figure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

# Grouped by no-break spaces (narrow or not), decimal comma, sign; never split: a plain space or a line end ends a number.
# The figures of a code (A23, QF060001) are none: a code is taken whole, and left.
_NUMBER = re.compile(r"[A-Za-z]\d+|([+−-]?\d{1,3}(?:[\u202f\u00a0]\d{3})+(?:,\d+)?|[+−-]?\d+(?:,\d+)?)")
_SHOWN = 5  # examples given in a check


def numbers_of(text: str) -> Counter[str]:
    """Count every number of a text, exactly as displayed.

    >>> numbers_of("1\\u202f039 cotations, 75,5\\u202f % et −3")
    Counter({'1\\u202f039': 1, '75,5': 1, '−3': 1})
    """
    return Counter(found for found in _NUMBER.findall(text) if found)


def compare_numbers(page: Counter[str], other: Counter[str]) -> list[str]:
    """What another format says and the page does not, or the reverse: French sentences, empty when they agree."""
    lost, added = page - other, other - page
    said = []
    if lost:
        said.append(f"{sum(lost.values())} nombre(s) de la page absent(s) d'ici : {_examples(lost)}")
    if added:
        said.append(f"{sum(added.values())} nombre(s) qui ne sont pas dans la page : {_examples(added)}")
    return said


def _examples(numbers: Iterable[str]) -> str:
    listed = sorted(numbers)
    return ", ".join(listed[:_SHOWN]) + ("…" if len(listed) > _SHOWN else "")
