"""The automatic check of a page: what a machine can see. It never claims conformity."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

# nbconvert writes this when a picture has no alternative text: an accessibility checker is happy, a reader is not.
INVENTED_ALT = "No description has been provided"
# What exporters and libraries write in the place of a description: the name of a file, of a type, of an object.
_NO_DESCRIPTION = re.compile(
    rf"^(?:{INVENTED_ALT}.*|<?figure size .*|.*\.(?:png|jpe?g|svg|gif|webp)|image|picture|figure|graph(?:ique|ic)?|png|chart"
    r"|output[ _-]?\d*|untitled|sans titre|\W*|\d+)$",
    re.IGNORECASE | re.DOTALL,
)
MAX_BYTES = 2_500_000
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def check_page(html: str) -> dict[str, Any]:
    """Check one HTML page.

    Returns
    -------
    dict
        ``anomalies`` (French sentences, empty when nothing was found), ``comptes`` (figures, tables, headings),
        ``fictif`` (the stamp says that the data are invented), ``verifie_par``, ``non_verifie`` (what no machine checked).
    """
    page = _read(html)
    anomalies = [
        *_headings(page),
        *_figures(page),
        *_charts(page),
        *_tables(page),
        *_references(page),
        *_language(page),
        *_weight(html),
    ]
    return {
        "anomalies": anomalies,
        "comptes": {
            "figures": len(list(page.iter("img"))),
            "tableaux": len(list(page.iter("table"))),
            "titres": len(list(page.iter(*_HEADINGS))),
            "octets": len(html.encode("utf-8")),
        },
        "fictif": _is_invented(page),
        "verifie_par": "evalkit (structure de la page)",
        "non_verifie": [
            "justesse des textes de remplacement",
            "ordre de lecture au clavier",
            "contrastes",
            "lecture par un lecteur d'écran",
        ],
    }


def _read(html: str) -> Any:
    """The page as a tree. lxml: a parser in Python needs longer than the drawing of three charts."""
    from lxml.html import HTMLParser, document_fromstring

    return document_fromstring((html or "<html/>").encode("utf-8"), HTMLParser(encoding="utf-8", huge_tree=True))


def _is_invented(page: Any) -> bool:
    found = page.xpath("//meta[@name='evalkit']/@content")
    return bool(found and json.loads(found[0]).get("fictif"))


def _headings(page: Any) -> list[str]:
    levels = [int(tag.tag[1]) for tag in page.iter(*_HEADINGS)]
    found = []
    if levels.count(1) != 1:
        found.append(f"{levels.count(1)} titre(s) de premier niveau au lieu d'un")
    found.extend(
        f"saut du titre de niveau {before} au niveau {after}"
        for before, after in pairwise(levels)
        if after > before + 1
    )
    return found


def _figures(page: Any) -> list[str]:
    found = []
    for number, image in enumerate(page.iter("img"), start=1):
        alt = (image.get("alt") or "").strip()
        if not alt or INVENTED_ALT in alt or _NO_DESCRIPTION.match(alt):
            found.append(f"figure {number} sans texte de remplacement")
    return found


def _charts(page: Any) -> list[str]:
    """A chart without its values: lost on the way, or never given."""
    return [
        f"graphique {number} sans le tableau de ses données"
        for number, figure in enumerate(page.iter("figure"), start=1)
        if figure.find(".//img") is not None and figure.find(".//td") is None
    ]


def _weight(html: str) -> list[str]:
    size = len(html.encode("utf-8"))
    return [f"page de {size // 1000} ko, au-delà de {MAX_BYTES // 1000} ko"] if size > MAX_BYTES else []


def _tables(page: Any) -> list[str]:
    found = []
    for number, table in enumerate(page.iter("table"), start=1):
        headers = list(table.iter("th"))
        if not headers:
            found.append(f"tableau {number} sans en-tête")
        elif any(not header.get("scope") for header in headers):
            found.append(f"tableau {number} : un en-tête n'est pas relié à ses cellules")
        if table.find(".//caption") is None:
            found.append(f"tableau {number} sans titre")
    return found


def _references(page: Any) -> list[str]:
    """What a page would load from elsewhere: nothing may be."""
    found = ["un script"] * len(list(page.iter("script")))
    for tag in page.iter("img", "link", "iframe", "source", "video", "audio", "object", "embed"):
        target = tag.get("src") or tag.get("href") or tag.get("data") or ""
        if target and not target.startswith(("data:", "#")):
            found.append(f"référence extérieure : {target[:60]}")
    styles = (style.text_content() for style in page.iter("style"))
    found.extend("une feuille de style appelle une adresse" for style in styles if "@import" in style)
    return found


def _language(page: Any) -> list[str]:
    return [] if page.get("lang") == "fr" else ["langue de la page non déclarée"]
