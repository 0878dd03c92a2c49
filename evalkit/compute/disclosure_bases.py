"""Differences in time: what comparing a report with the one it replaces would tell (DESIGN §6.7).

Two reports of one territory, the second with a few more answers: subtracting one from the other gives the answers of those
few. Only numbers of answers are kept between two reports, and only of figures that were shown: they are printed anyway.

Two frozen references of one campaign, likewise: the kept one, dated, and the new one. Subtracting a distribution over 35
territories from one over 36 gives the 36th. They must be of the same territories, or differ by as many as a distribution
needs (``seuil_territoires``); and a figure that fewer of them moved is left out of the new one.

A synthesis is told by the same rule (:func:`moved_by_few`), against the last one of its perimeter and the kept references: it
is not refused, since it may never leave the office, but nobody can say that they were not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evalkit.compute.results import Publication, PublicationSynthese, table_rows

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
# By table of a synthesis, what names a figure.
SYNTHESIS_FIGURES = {
    "niveaux": ("sous_question",),
    "questions": ("question",),
    "indicateurs": ("indicateur", "obtention"),
    "modalites": ("indicateur",),
    "ecarts": ("sous_question",),
}


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
    gone = {pair for other in kept for pair in moved_by_few(new, other, minimum)}
    out = {
        name: {key: figure for key, figure in new[name].items() if (name, key) not in gone} for name in FROZEN_FIGURES
    }
    return {**new, **out}, sorted(key for _, key in gone)


def moved_by_few(new: Mapping[str, Any], other: Mapping[str, Any], minimum: float) -> list[tuple[str, str]]:
    """Figures (table, key) that 1 to ``minimum`` − 1 territories moved between two publications of other territories."""
    if not territories_apart(other, new):
        return []
    found = []
    for name in SYNTHESIS_FIGURES:
        known = other.get(name)
        for key, figure in new.get(name, {}).items():
            before = known.get(key) if isinstance(known, Mapping) else None
            n = _whole(before.get("n")) if isinstance(before, Mapping) else 0
            if n and 0 < abs(figure["n"] - n) < minimum:
                found.append((name, key))
    return found


def synthesis_bases(publication: PublicationSynthese) -> dict[str, Any]:
    """Territories of a synthesis, and how many stand under each figure that it shows. No value, no level.

    Same names as in a frozen reference (``compute.synthesis.freeze``), so that one can be compared with the other.

    Raises
    ------
    TypeError
        Not a :class:`PublicationSynthese`.
    """
    if not isinstance(publication, PublicationSynthese):
        raise TypeError(f"synthesis_bases needs a PublicationSynthese, not {type(publication).__name__}")
    out: dict[str, Any] = {
        "n_territoires": len(publication.territoires),
        "territoires": sorted(territory.dossier for territory in publication.territoires),
    }
    for table, columns in SYNTHESIS_FIGURES.items():
        shown = [row for row in table_rows(publication.tables[table]) if row["statut"] == "ok"]
        out[table] = {
            "|".join(str(row[column]) for column in columns): {"n": int(row["n_territoires"])} for row in shown
        }
    return out


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0
