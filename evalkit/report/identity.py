"""What says, on every page, whose document this is and how it may circulate: name, logo, marks.

On screen: a header. On paper: the margins of each sheet, because a header that is not on the page being held says nothing.
Nothing here reads a figure: a mark never changes what is masked.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from evalkit.model.territory import MARQUES
from evalkit.report.html import Html, join, tag

if TYPE_CHECKING:
    from evalkit.compute.results import Publication, PublicationSynthese

IDENTITY_MIME = "application/vnd.evalkit.identite+json"
FICTIF = "DONNÉES FICTIVES"
_LOGO = re.compile(r"data:image/png;base64,[A-Za-z0-9+/]+=*")
_PRINTED_MM = (
    60.0,
    9.0,
)  # the margin holds 15 mm: 9 mm of logo stay clear of the text and of what a printer cannot reach


@dataclass(frozen=True)
class Identity:
    """Name printed on every page; ``logo``: ``data:`` address of a PNG, with the text read in its place.

    ``gabarit``: how the document is laid out on paper, ``deux-pages`` for the steering committee's; "" for the others.
    """

    nom: str = ""
    logo: str = ""
    logo_texte: str = ""
    gabarit: str = ""

    def __post_init__(self) -> None:
        if self.logo and not (_LOGO.fullmatch(self.logo) and self.logo_texte):
            raise ValueError("a logo is a PNG held in the page, with the text read in its place")


class Identified(Html):
    """A fragment that carries the document's identity along, as a second representation of the same output."""

    identity: Identity

    def __new__(cls, fragment: str, identity: Identity) -> Identified:
        """Keep the identity beside the fragment."""
        new = super().__new__(cls, fragment)
        new.identity = identity
        return new

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": str(self), "text/plain": repr(self), IDENTITY_MIME: asdict(self.identity)}


def identity_of(value: Publication | PublicationSynthese) -> Identity:
    """Identity of a document about one territory, or of a synthesis (which bears no territory's logo)."""
    from evalkit.compute.results import Publication

    if isinstance(value, Publication):
        territory = value.territoire
        return Identity(territory.nom, territory.logo, territory.logo_texte)
    where = f"Département {value.perimetre}" if value.perimetre else value.campagne.region
    return Identity(" — ".join(part for part in (value.campagne.libelle, where) if part))


def marks_of(value: Publication | PublicationSynthese) -> list[str]:
    """Marks of a document, the gravest first: invented data, then how it may circulate."""
    from evalkit.compute.results import Publication

    if isinstance(value, Publication):
        invented = value.territoire.fictif or value.campagne.fictif
        circulation = MARQUES.get(value.territoire.marque, "")
    else:
        invented = value.campagne.fictif or any(territory.fictif for territory in value.territoires)
        circulation = MARQUES["diffusion_restreinte"] if value.nominatif else ""
    return [mark for mark in (FICTIF if invented else "", circulation) if mark]


def page_header(identity: Identity, marks: Sequence[str]) -> Html:
    """Header of a page: its marks, then logo and name. Empty when there is neither."""
    sober = " sobre" if set(marks) <= {MARQUES["public"]} else ""
    banner = tag("div", *(tag("p", mark, classe="marque") for mark in marks), classe=f"marques{sober}") if marks else ""
    own = [_logo(identity), tag("span", identity.nom, classe="nom") if identity.nom else ""]
    line = tag("p", *(part for part in own if part), classe="identite") if any(own) else ""
    return tag("header", join(banner, line), classe="entete") if banner or line else Html("")


def _logo(identity: Identity) -> Html:
    if not identity.logo:
        return Html("")
    width, height = _size(identity.logo)
    alt = tag("i", identity.logo_texte)[3:-4]  # escaped and typeset as any text
    return Html(f'<img class="logo" src="{identity.logo}" alt="{alt}" width="{width}" height="{height}">')


def print_style(identity: Identity, marks: Sequence[str]) -> str:
    """Style of the margins of each printed sheet: logo on the left, name and marks on the right."""
    said = " · ".join(part for part in (identity.nom, *marks) if part)
    boxes = []
    if identity.logo:
        boxes.append(f'@top-left {{ content: url("{printed_logo(identity.logo)}"); vertical-align: middle; }}')
    if said:
        boxes.append(f'@top-right {{ content: "{css_text(said)}"; font: 8pt sans-serif; color: #4d5660; }}')
    return f"@page {{ {' '.join(boxes)} }}" if boxes else ""


def css_text(text: str) -> str:
    """Any text as the inside of a CSS string: whatever could end it, or the style sheet, is written as a number.

    >>> css_text('Ville "d’Ardelle" </style>')
    'Ville \\\\22 d\\\\2019 Ardelle\\\\22  \\\\3c \\\\2f style\\\\3e '
    """
    return re.sub(r"[^A-Za-z0-9 ]", lambda found: f"\\{ord(found[0]):x} ", text)


def _size(logo: str) -> tuple[int, int]:
    """Width and height in pixels, from the head of the PNG."""
    head = base64.b64decode(logo.partition(",")[2][:48])
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def printed_logo(logo: str) -> str:
    """The logo at its size on paper. A margin takes a picture at its natural size: an SVG around the PNG gives it one."""
    width, height = _size(logo)
    scale = min(_PRINTED_MM[0] / width, _PRINTED_MM[1] / height)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * scale:.2f}mm" height="{height * scale:.2f}mm" '
        f'viewBox="0 0 {width} {height}"><image width="{width}" height="{height}" href="{logo}"/></svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode("ascii")).decode("ascii")
