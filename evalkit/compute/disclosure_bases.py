"""Differences in time: what comparing a report with the one it replaces would tell (DESIGN §6.7).

Two reports of one territory, the second with a few more answers: subtracting one from the other gives the answers of those
few. Only numbers of answers are kept between two reports, and only of figures that were shown: they are printed anyway.

Two frozen references of one campaign, likewise: the kept one, dated, and the new one. Subtracting a distribution over 35
territories from one over 36 gives the 36th. They must be of the same territories, or differ by as many as a distribution
needs (``seuil_territoires``); and a figure that fewer of them moved is left out of the new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evalkit.compute.results import Publication, table_rows

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
    for row in table_rows(publication.groupes):
        if row["mediane"] == row["mediane"]:
            out[SEPARATOR.join((RATINGS, row["sous_question"], row["groupe"]))] = int(row["n"])
    shown = {(r["enquete"], r["partie"], r["question"]) for r in table_rows(publication.reponses) if r["n"] == r["n"]}
    for row in table_rows(publication.items):
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


# --- frozen references ----------------------------------------------------------------------------------------------

FROZEN_FIGURES = ("indicateurs", "niveaux", "questions")


def territories_apart(kept: Mapping[str, Any], new: Mapping[str, Any]) -> int:
    """Number of territories that are in one of two frozen references and not in the other.

    Where a reference does not name its territories (made before they were), only the numbers can be compared.
    """
    before, now = kept.get("territoires"), new.get("territoires")
    if isinstance(before, list) and isinstance(now, list):
        return len(set(map(str, before)) ^ set(map(str, now)))
    return abs(_whole(kept.get("n_territoires")) - _whole(new.get("n_territoires")))


def without_small_differences(
    new: Mapping[str, Any], kept: Iterable[Mapping[str, Any]], minimum: float
) -> tuple[dict[str, Any], list[str]]:
    """The new reference without the figures that a kept one, of other territories, would give for fewer than ``minimum``.

    Returns
    -------
    (content, left out)
        The keys left out are sorted. Between references of the same territories nothing is left out: a dossier that was
        completed in between is not a territory that can be subtracted.
    """
    out = {name: dict(new[name]) for name in FROZEN_FIGURES}
    gone: set[str] = set()
    for other in kept:
        if not territories_apart(other, new):
            continue
        for name in FROZEN_FIGURES:
            known = other.get(name)
            for key, figure in new[name].items():
                before = known.get(key) if isinstance(known, Mapping) else None
                n = _whole(before.get("n")) if isinstance(before, Mapping) else 0
                if n and 0 < abs(figure["n"] - n) < minimum and out[name].pop(key, None):
                    gone.add(key)
    return {**new, **out}, sorted(gone)


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0
