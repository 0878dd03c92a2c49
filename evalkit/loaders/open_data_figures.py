"""Published figures reproduced from the files at hand, and those that cannot be, with the reason."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from evalkit.errors import EvalkitError
from evalkit.loaders.open_data_context import NATIONAL_ROW, read_context_files
from evalkit.loaders.open_data_lists import read_contracts, read_qpv_list
from evalkit.loaders.open_data_text import read_table

FIGURE_COLUMNS = ("id", "territoire", "mesure", "valeur_publiee", "valeur_obtenue", "reproduit", "raison", "source")
NOT_REPRODUCED = {
    "F02": "population de 2012 : les fichiers donnent celles de 2013 et de 2018",
    "F04": "la population de la région en 2018 n'est dans aucun de ces fichiers",
    "F08": "aucun fichier ne donne la population des quartiers de 2024",
    "F09": "se déduit de F08, qui n'est pas reproductible ici",
    "F12": "hors de l'objet : subventions d'une ville d'une autre région",
}


def check_published_figures(folder: Path | str) -> pd.DataFrame:
    """Compare every published figure of ``figures_publiees.csv`` with the files of a data folder.

    Returns
    -------
    DataFrame
        :data:`FIGURE_COLUMNS`, one row per figure: ``valeur_publiee`` and ``valeur_obtenue`` (float, NaN when not
        reproduced), ``reproduit`` (bool), ``raison`` (text, NaN when reproduced).

    Raises
    ------
    EvalkitError
        A file of the folder is missing or broken.
    """
    root = Path(folder)
    table, faults = read_table(root / "figures_publiees.csv")
    if table is None:
        raise EvalkitError(faults)
    measures = _measures(root)
    rows = []
    for _, row in table.rows:
        cells = dict(zip(table.headers, row, strict=False))
        published = float(cells["valeur_publiee"].replace(",", "."))
        got = measures[cells["id"]]() if cells["id"] in measures else math.nan
        same = got == published
        reason = (
            NOT_REPRODUCED.get(cells["id"], "aucun calcul n'est décrit") if math.isnan(got) else "valeur différente"
        )
        rows.append(
            (
                cells["id"],
                cells["territoire"],
                cells["mesure"],
                published,
                got,
                same,
                None if same else reason,
                cells["source"],
            )
        )
    return pd.DataFrame(rows, columns=list(FIGURE_COLUMNS)).astype({"raison": "str"})


def _measures(root: Path) -> dict[str, Callable[[], float]]:
    """How each figure is computed; rounding is the publisher's."""
    context = read_context_files(sorted((root / "insee_qpv").glob("DEMO_*.csv"))).checked().frame
    population = context[context["variable"] == "POP_MUN"]
    local = population[population["qpv"] != NATIONAL_ROW]
    listed = read_qpv_list(root / "qpv" / "qpv2024_hdf_liste_derivee.csv").quartiers
    contracts = read_contracts(root / "contrats_ville" / "contrats_ville_2024_hdf.geojson").contrats
    national = population[population["qpv"] == NATIONAL_ROW]["valeur"]
    return {
        "F01": lambda: float(local["qpv"].nunique()),
        "F03": lambda: float(round(local.loc[local["edition"] == "2021", "valeur"].sum() / 100) * 100),
        "F05": lambda: float(len({entry.code for entry in listed})),
        "F06": lambda: float(sum(entry.departement == "59" for entry in listed)),
        "F07": lambda: float(sum(entry.departement == "62" for entry in listed)),
        "F10": lambda: float(len(contracts)),
        "F11": lambda: float(national.iloc[0]) if len(national) and national.nunique() == 1 else math.nan,
    }
