"""What every sheet of a document repeats: territory, campaign, logo, stamp, marks. Read back from the page, nowhere else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from evalkit.wording import format_date, plural

_SHOWN = 12  # characters of the fingerprint on every page; the whole of it is printed at the end of the document
TWO_PAGES = "deux-pages"  # layout of the steering committee's document


@dataclass(frozen=True)
class PageIdentity:
    """What a document's header and footer say; ``stamp``: the whole stamp, as data; ``logo``: ``data:`` address of a PNG."""

    titre: str
    territoire: str
    campagne: str
    cachet: str
    marques: tuple[str, ...]
    stamp: dict[str, Any]
    logo: str = ""
    logo_texte: str = ""
    gabarit: str = ""  # how the document is laid out on paper

    @property
    def marque(self) -> str:
        """The marks in one line, empty when there is none."""
        return " — ".join(self.marques)


def read_identity(page: str) -> PageIdentity:
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
    logo = head.select_one("p.identite img.logo")
    return PageIdentity(
        titre=titre,
        territoire=names.get("territoire") or titre,
        campagne=names.get("campagne", ""),
        cachet=_stamp_line(stamp),
        marques=tuple(mark.get_text().strip() for mark in head.find_all("p", class_="marque")),
        stamp=stamp,
        logo=str(logo["src"]) if logo else "",
        logo_texte=str(logo["alt"]) if logo else "",
        gabarit=TWO_PAGES if head.select_one(f"body.{TWO_PAGES}") else "",
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
