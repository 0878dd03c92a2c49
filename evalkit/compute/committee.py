"""What the steering committee's two pages retain: agreements, points to debate, recommendations. Chosen by rule alone.

From a ``Publication``: nothing that is masked can weigh in the choice, hence none of it can be guessed from what is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from evalkit.compute.results import Publication

KEPT = 3
CLOSED = ("realise", "abandonne")  # nothing is left to decide


@dataclass(frozen=True)
class Retained:
    """At most :data:`KEPT` rows of a result table, in their order, and how many the rule could have taken."""

    rows: tuple[dict[str, Any], ...]
    n_possible: int


@dataclass(frozen=True)
class Committee:
    """What the two pages retain.

    ``n_incompletes``: open recommendations left out because they name no function in charge, or no date.
    """

    accords: Retained
    debats: Retained
    preconisations: Retained
    n_incompletes: int


def choose_for_committee(publication: Publication) -> Committee:
    """Choose what is put before the steering committee.

    Returns
    -------
    Committee
        ``accords``: rows of ``triangulation`` whose medians are close, where no group is split and whose settled level, if
        any, is not outside what these medians say; most groups compared first, then smallest gap, then code. ``debats``: rows to debate, in their order of discussion (split groups first,
        then size of the gap, then code). ``preconisations``: rows of ``constats``, open, with a function in charge and a
        date; nearest date first, then id.
    """
    triangulation = publication.triangulation
    close = triangulation[(triangulation["statut"] == "medianes_proches") & triangulation["partages"].isna()]
    close = close[close["n_groupes"] >= FEWEST_GROUPS]
    kept = [_agrees_with_level(publication, row) for row in close.to_dict("records")]
    close = close.loc[close.index[kept]]
    debated = triangulation[(triangulation["statut"] == "ecart_a_debattre") | triangulation["partages"].notna()]
    found = publication.constats
    is_open = (found["type"] == "preconisation") & ~found["statut"].isin(CLOSED)
    whole = found["responsable"].notna() & found["echeance"].notna()
    return Committee(
        accords=_retain(close, ["n_groupes", "ecart", "sous_question"], [False, True, True]),
        debats=_retain(debated, ["ordre", "sous_question"], [True, True]),
        preconisations=_retain(_numbered(found[is_open & whole]), ["echeance", "numero", "id"], [True, True, True]),
        n_incompletes=int((is_open & ~whole).sum()),
    )


# Two institutions of one person each that say the same thing are no agreement of a territory.
FEWEST_GROUPS = 3


def _agrees_with_level(publication: Publication, row: Any) -> bool:
    """Whether the settled level lies among the medians that are shown: settled elsewhere, it is no agreement."""
    levels, groups = publication.niveaux, publication.groupes
    level = levels.loc[levels["sous_question"] == row["sous_question"], "niveau"].dropna()
    compared = groups["groupe"].isin(str(row["groupes"]).split(";"))
    medians = groups.loc[(groups["sous_question"] == row["sous_question"]) & compared, "mediane"].dropna()
    return not len(level) or not len(medians) or bool(medians.min() <= level.iloc[0] <= medians.max())


def _numbered(findings: pd.DataFrame) -> pd.DataFrame:
    """With the number of each ``id``: P2 comes before P10. Without a number, last."""
    figures = findings["id"].astype("str").str.extract(r"(\d+)", expand=False)
    return findings.assign(numero=pd.to_numeric(figures, errors="coerce"))


def _retain(frame: pd.DataFrame, by: list[str], ascending: list[bool]) -> Retained:
    first = frame.sort_values(by, ascending=ascending, kind="stable").head(KEPT)
    rows = tuple({str(name): value for name, value in row.items()} for row in first.to_dict("records"))
    return Retained(rows, len(frame))
