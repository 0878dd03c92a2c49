"""The automatic check of a page: what a machine can see. It never claims conformity.

The page is read once, tag by tag, by a few lines of ours: a general HTML library needs longer than the drawing of three charts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from itertools import pairwise
from typing import Any

# nbconvert writes this when a picture has no alternative text: an accessibility checker is happy, a reader is not.
INVENTED_ALT = "No description has been provided"
_LOADING = {"img", "link", "iframe", "source", "video", "audio", "object", "embed"}
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
# A comment, or a tag with its attributes (a « > » between quotes does not end it).
_TAG = re.compile(r"""<!--.*?(?:-->|$)|<(/?)([a-zA-Z][^\s/>]*)((?:[^>"']|"[^"]*"|'[^']*')*)>""", re.DOTALL)
_ATTRIBUTE = re.compile(r"""([^\s=/"'>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_RAW = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("script", "style", "title", "textarea")}


@dataclass
class _Table:
    """One table: its headers (whether each says what it is the header of), and whether it has a caption."""

    scopes: list[bool] = field(default_factory=list)
    caption: bool = False


@dataclass
class _Page:
    """What was seen of a page."""

    levels: list[int] = field(default_factory=list)
    images: list[str] = field(default_factory=list)  # their alternative texts
    tables: list[_Table] = field(default_factory=list)
    scripts: int = 0
    targets: list[str] = field(default_factory=list)
    imports: int = 0  # style sheets that load another
    language: str = ""
    stamp: str = ""


def check_page(html: str) -> dict[str, Any]:
    """Check one HTML page.

    Returns
    -------
    dict
        ``anomalies`` (French sentences, empty when nothing was found), ``comptes`` (figures, tables, headings),
        ``fictif`` (the stamp says that the data are invented), ``verifie_par``, ``non_verifie`` (what no machine checked).
    """
    page = _read(html)
    anomalies = [*_headings(page), *_figures(page), *_tables(page), *_references(page), *_language(page)]
    return {
        "anomalies": anomalies,
        "comptes": {
            "figures": len(page.images),
            "tableaux": len(page.tables),
            "titres": len(page.levels),
            "octets": len(html.encode("utf-8")),
        },
        "fictif": bool(page.stamp and json.loads(page.stamp).get("fictif")),
        "verifie_par": "evalkit (structure de la page)",
        "non_verifie": [
            "justesse des textes de remplacement",
            "ordre de lecture au clavier",
            "contrastes",
            "lecture par un lecteur d'écran",
        ],
    }


def _tags(html: str) -> Iterator[tuple[str, bool, str, str]]:
    """Tags in their order: name, whether it closes, attributes as written, raw text (of a style sheet or a script)."""
    at = 0
    while match := _TAG.search(html, at):
        at = match.end()
        if match[2] is None:
            continue
        name, closes, raw = match[2].lower(), bool(match[1]), ""
        if not closes and name in _RAW:
            end = _RAW[name].search(html, at)
            raw = html[at : end.start() if end else len(html)]
            at += len(raw)
        yield name, closes, match[3], raw


def _read(html: str) -> _Page:
    page = _Page()
    open_tables: list[_Table] = []
    for name, closes, written, raw in _tags(html):
        if name == "table":
            if closes and open_tables:
                open_tables.pop()
            elif not closes:
                open_tables.append(_Table())
                page.tables.append(open_tables[-1])
        elif not closes:
            if name == "th":
                scope = bool(_attributes(written).get("scope"))
                for table in open_tables:
                    table.scopes.append(scope)
            elif name == "caption":
                for table in open_tables:
                    table.caption = True
            elif name in _HEADINGS:
                page.levels.append(int(name[1]))
            else:
                _read_other(page, name, written, raw)
    return page


def _read_other(page: _Page, name: str, written: str, raw: str) -> None:
    """What a page shows, loads or says of itself."""
    if name in _LOADING:
        said = _attributes(written)
        page.targets.append(said.get("src") or said.get("href") or said.get("data") or "")
        if name == "img":
            page.images.append(said.get("alt", ""))
    elif name == "script":
        page.scripts += 1
    elif name == "style":
        page.imports += "@import" in raw
    elif name == "html":
        page.language = page.language or _attributes(written).get("lang", "")
    elif name == "meta" and not page.stamp:
        said = _attributes(written)
        page.stamp = said.get("content", "") if said.get("name") == "evalkit" else ""


def _attributes(written: str) -> dict[str, str]:
    """Attributes of a tag; the first of a name counts."""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(written):
        found.setdefault(match[1].lower(), unescape(match[2] or match[3] or match[4] or ""))
    return found


def _headings(page: _Page) -> list[str]:
    found = []
    if page.levels.count(1) != 1:
        found.append(f"{page.levels.count(1)} titre(s) de premier niveau au lieu d'un")
    found.extend(
        f"saut du titre de niveau {before} au niveau {after}"
        for before, after in pairwise(page.levels)
        if after > before + 1
    )
    return found


def _figures(page: _Page) -> list[str]:
    return [
        f"figure {number} sans texte de remplacement"
        for number, alt in enumerate(page.images, start=1)
        if not alt.strip() or INVENTED_ALT in alt
    ]


def _tables(page: _Page) -> list[str]:
    found = []
    for number, table in enumerate(page.tables, start=1):
        if not table.scopes:
            found.append(f"tableau {number} sans en-tête")
        elif not all(table.scopes):
            found.append(f"tableau {number} : un en-tête n'est pas relié à ses cellules")
        if not table.caption:
            found.append(f"tableau {number} sans titre")
    return found


def _references(page: _Page) -> list[str]:
    """What a page would load from elsewhere: nothing may be."""
    return [
        *["un script"] * page.scripts,
        *(
            f"référence extérieure : {target[:60]}"
            for target in page.targets
            if target and not target.startswith(("data:", "#"))
        ),
        *["une feuille de style appelle une adresse"] * page.imports,
    ]


def _language(page: _Page) -> list[str]:
    return [] if page.language == "fr" else ["langue de la page non déclarée"]
