"""Strength of evidence of a sub-question: how many kinds of sources speak about it, and how recent they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evalkit.compute.maturity import NAN
from evalkit.model.referentiel import Indicateur

KINDS = ("enquete", "atelier", "document", "donnees")  # order in which they are printed


@dataclass(frozen=True)
class Evidence:
    """One element of evidence: its kind and its year (NaN when undated)."""

    kind: str
    year: float = NAN


def kind_of_value(indicator: Indicateur, obtention: str, natures: Mapping[str, str]) -> str:
    """Kind of source behind a value of an indicator.

    A survey's value is ``enquete``; one from open data or from the programme of actions is ``donnees``; a typed value is
    of the kind of the first of its tools that is not a survey (a survey only if there is no other).

    Parameters
    ----------
    natures
        Nature of each collection tool, by code.
    """
    if obtention == "enquete":
        return "enquete"
    if obtention in ("actions", "contexte"):
        return "donnees"
    kinds = [natures[code] for code in indicator.collecte if code in natures]
    return next((kind for kind in kinds if kind != "enquete"), kinds[0] if kinds else "document")


def strength(elements: Iterable[Evidence], strong: float, medium: float) -> dict[str, Any]:
    """One row of the table ``solidite``, without its codes.

    Parameters
    ----------
    elements
        Everything that speaks about the sub-question.
    strong, medium
        Fewest kinds of sources for « forte » and « moyenne » (regles.yml); one is « faible », none « aucune ».
    """
    found = list(elements)
    kinds = [kind for kind in KINDS if any(e.kind == kind for e in found)]
    years = [e.year for e in found if e.year == e.year]
    if not kinds:
        word = "aucune"
    elif len(kinds) >= strong:
        word = "forte"
    else:
        word = "moyenne" if len(kinds) >= medium else "faible"
    return {
        "n_sources": len(kinds),
        "sources": ";".join(kinds) or None,
        "annee_recente": max(years, default=NAN),
        "solidite": word,
    }
