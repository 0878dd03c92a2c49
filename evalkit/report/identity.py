"""What every page of a document repeats: territory, campaign, stamp, marks. Read from the page itself, nowhere else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from evalkit.wording import format_date, plural

_SHOWN = 12  # characters of the fingerprint on every page; the whole of it is printed at the end of the document


@dataclass(frozen=True)
class Identity:
    """Words of a document's header and footer; ``stamp``: the whole stamp, as data."""

    titre: str
    territoire: str
    campagne: str
    cachet: str
    marques: tuple[str, ...]
    stamp: dict[str, Any]

    @property
    def marque(self) -> str:
        """The marks in one line, empty when there is none."""
        return " — ".join(self.marques)


def read_identity(page: str) -> Identity:
    """Identity of a page made by ``report.html``.

    Raises
    ------
    ValueError
        The page carries no stamp: nothing can be made from it.
    """
    from bs4 import BeautifulSoup

    head = BeautifulSoup(page.partition("<main")[0], "html.parser")
    meta = head.find("meta", attrs={"name": "evalkit"})
    if meta is None or head.title is None:
        raise ValueError("the page carries no stamp: it cannot become another document")
    stamp = json.loads(str(meta["content"]))
    titre = head.title.get_text().strip()
    names = stamp.get("identite", {})
    return Identity(
        titre=titre,
        territoire=names.get("territoire") or titre,
        campagne=names.get("campagne", ""),
        cachet=_stamp_line(stamp),
        marques=tuple(mark.get_text().strip() for mark in head.find_all("p", class_="marque")),
        stamp=stamp,
    )


def _stamp_line(stamp: dict[str, Any]) -> str:
    referentiel = stamp.get("referentiel")
    version = referentiel.get("version", "") if isinstance(referentiel, dict) else referentiel
    print_ = str(stamp.get("empreinte") or "")[:_SHOWN]
    parts = [
        f"référentiel {version}" if version else "",
        f"empreinte {print_}" if print_ else "",
        f"evalkit {stamp['evalkit']}" if stamp.get("evalkit") else "",
        f"données au {format_date(stamp['date_reference'])}" if stamp.get("date_reference") else "",
        plural(stamp["n_masques"], "valeur masquée") if "n_masques" in stamp else "",
    ]
    return " · ".join(part for part in parts if part)
