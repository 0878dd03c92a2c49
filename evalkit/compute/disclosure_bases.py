"""Differences in time: what comparing a report with the one it replaces would tell (DESIGN §6.7).

Two reports of one territory, the second with a few more answers: subtracting one from the other gives the answers of those
few. Only numbers of answers are kept between two reports, and only of figures that were shown: they are printed anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import pandas as pd

from evalkit.compute.results import Publication

SEPARATOR = " · "
RATINGS = "cotations"


@dataclass(frozen=True)
class Difference:
    """A base that moved by a few answers. ``key``: what was counted, readable; ``before``, ``now``: numbers printed."""

    key: str
    before: int
    now: int

    @property
    def source(self) -> str:
        """Where the answers come from: a questionnaire, or ``cotations``."""
        return self.key.split(SEPARATOR)[0]


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", table.to_dict("records"))


def published_bases(publication: Publication) -> dict[str, int]:
    """Number of answers under each figure that is shown, by readable key; figures that are hidden are left out.

    Raises
    ------
    TypeError
        Not a :class:`Publication`.
    """
    if not isinstance(publication, Publication):
        raise TypeError(f"published_bases needs a Publication, not {type(publication).__name__}")
    out: dict[str, int] = {}
    for row in _records(publication.groupes):
        if row["mediane"] == row["mediane"]:
            out[SEPARATOR.join((RATINGS, row["sous_question"], row["groupe"]))] = int(row["n"])
    shown = {(r["enquete"], r["partie"], r["question"]) for r in _records(publication.reponses) if r["n"] == r["n"]}
    for row in _records(publication.items):
        key = (row["enquete"], row["partie"], row["question"])
        if key in shown or row["mediane"] == row["mediane"]:
            out[SEPARATOR.join(key)] = int(row["n_exprimes"])
    return dict(sorted(out.items()))


def differencing_risk(previous: Mapping[str, int], current: Mapping[str, int], small: float) -> list[Difference]:
    """Bases shown both times that differ by 1 to ``small`` − 1 answers, in the order of their keys.

    Parameters
    ----------
    previous, current
        What :func:`published_bases` gave for the last published report and for this one.
    small
        ``seuil_cellule``: the smallest number of persons whose answers may be told.
    """
    return [
        Difference(key, previous[key], now)
        for key, now in sorted(current.items())
        if key in previous and 0 < abs(now - previous[key]) < small
    ]
