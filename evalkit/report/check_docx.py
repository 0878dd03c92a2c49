"""The automatic check of a Word document: what a machine can see in the package. It never claims conformity."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from lxml import etree

from evalkit.report.numbers import compare_numbers, numbers_of
from evalkit.report.page_identity import TWO_PAGES, PageIdentity, read_identity
from evalkit.report.word_xml import qn, text_of

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
_BLANKS = re.compile(r"\s+")


def check_docx(content: bytes, page: str) -> dict[str, Any]:
    """Check a Word document made of a page.

    Returns
    -------
    dict
        As :func:`evalkit.report.check.check_page`: ``anomalies``, ``comptes``, ``verifie_par``, ``non_verifie``.
    """
    parts = _parts(content)
    body, styles = parts["word/document.xml"], parts["word/styles.xml"]
    names = {style.get(qn("styleId")): style.find(qn("name")).get(qn("val")) for style in styles.iter(qn("style"))}
    tables, figures = list(body.iter(qn("tbl"))), list(body.iter(_DRAWING))
    levels = _levels(body, names)
    identity = read_identity(page)
    anomalies = [
        *_language(styles),
        *_headings(levels),
        *[f"figure {n} sans texte de remplacement" for n, one in enumerate(figures, 1) if not one.get("descr")],
        *_tables(tables),
        *_contents(body, identity),
        *_margins(parts, identity),
        *_against_page(body, names, page, len(tables), len(figures)),
    ]
    return {
        "anomalies": anomalies,
        "comptes": {
            "figures": len(figures),
            "tableaux": len(tables),
            "titres": len(levels),
            "textes_a_ecrire": sum(1 for _ in body.iter(qn("showingPlcHdr"))),
            "octets": len(content),
        },
        "verifie_par": "evalkit (contenu du fichier Word)",
        "non_verifie": [
            "justesse des textes de remplacement",
            "contrastes, si le modèle a été modifié",
            "lecture par un lecteur d'écran",
            "les numéros de page du sommaire : à mettre à jour dans Word",
        ],
    }


def _parts(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {
            name: etree.fromstring(archive.read(name))
            for name in archive.namelist()
            if name.startswith(("word/", "docProps/")) and name.endswith((".xml", ".xml.rels"))
        }


def _levels(body: Any, names: dict[str, str]) -> list[int]:
    found = []
    for style in body.iter(qn("pStyle")):
        match = re.fullmatch(r"heading (\d)", names.get(style.get(qn("val")), "").lower())
        if match:
            found.append(int(match[1]))
    return found


def _language(styles: Any) -> list[str]:
    languages = {node.get(qn("val")) for node in styles.iter(qn("lang")) if node.get(qn("val"))}
    return [] if languages == {"fr-FR"} else ["langue du texte : " + (", ".join(sorted(languages)) or "non déclarée")]


def _headings(levels: list[int]) -> list[str]:
    found = [f"saut du titre de niveau {a} au niveau {b}" for a, b in pairwise(levels) if b > a + 1]
    if levels.count(1) != 1:
        found.insert(0, f"{levels.count(1)} titre(s) de premier niveau au lieu d'un")
    return found


def _tables(tables: Iterable[Any]) -> list[str]:
    found = []
    for number, table in enumerate(tables, start=1):
        rows = table.findall(qn("tr"))
        if not rows or rows[0].find(f"{qn('trPr')}/{qn('tblHeader')}") is None:
            found.append(f"tableau {number} sans ligne d'en-tête répétée")
        if any(row.find(f"{qn('trPr')}/{qn('cantSplit')}") is None for row in rows):
            found.append(f"tableau {number} : une ligne peut être coupée par une page")
        if table.find(f"{qn('tblPr')}/{qn('tblCaption')}") is None:
            found.append(f"tableau {number} sans titre")
    return found


def _contents(body: Any, identity: PageIdentity) -> list[str]:
    if identity.gabarit == TWO_PAGES:
        return []
    codes = ["".join(node.itertext()) for node in body.iter(qn("instrText"))]
    return [] if any(code.strip().startswith("TOC ") for code in codes) else ["pas de sommaire automatique"]


def _margins(parts: dict[str, Any], identity: PageIdentity) -> list[str]:
    """What every page must repeat, the first and the even ones too: territory, campaign, marks, stamp."""
    wanted = (
        ("territoire", identity.territoire),
        ("campagne", identity.campagne),
        ("cachet", identity.cachet),
        ("mention", identity.marque),
    )
    found = []
    for kind, where in _printed_margins(parts).items():
        header, footer = (_margin(parts, side, kind) for side in ("header", "footer"))
        said = " ".join(_flat(text_of(part)) for part in (header, footer) if part is not None)
        found += [
            f"{what} absent de l'en-tête et du pied de page{where}"
            for what, text in wanted
            if text and _flat(text) not in said
        ]
        spoken = [one.get("descr") for one in header.iter(_DRAWING)] if header is not None else []
        if identity.logo and identity.logo_texte not in spoken:
            found.append(f"logo absent de l'en-tête{where}")
    return found


def _printed_margins(parts: dict[str, Any]) -> dict[str, str]:
    """Kinds of pages that have a header of their own, with the words that tell which."""
    settings = parts.get("word/settings.xml")
    first = any(_is_on(one) for one in parts["word/document.xml"].iter(qn("titlePg")))
    even = settings is not None and any(_is_on(one) for one in settings.iter(qn("evenAndOddHeaders")))
    return {
        "default": "",
        **({"first": " (première page)"} if first else {}),
        **({"even": " (pages paires)"} if even else {}),
    }


def _is_on(mark: Any) -> bool:
    return mark.get(qn("val"), "1") not in ("0", "false", "off")


def _margin(parts: dict[str, Any], side: str, kind: str) -> Any:
    """Header or footer of a kind of page; ``None`` when there is none."""
    targets = {link.get("Id"): link.get("Target") for link in parts["word/_rels/document.xml.rels"]}
    for reference in parts["word/document.xml"].iter(qn(f"{side}Reference")):
        if reference.get(qn("type")) == kind:
            return parts.get("word/" + str(targets.get(reference.get(qn("r:id")))))
    return None


def _against_page(body: Any, names: dict[str, str], page: str, tables: int, figures: int) -> list[str]:
    """The same words, figures, tables and numbers as the page."""
    from bs4 import BeautifulSoup

    main = BeautifulSoup(page, "html.parser").find("main")
    if main is None:
        return ["page d'origine illisible"]
    for gone in [*main.find_all(hidden=True), *main.find_all(["summary", "nav"])]:
        gone.decompose()
    found = []
    for said, there, here in (
        ("figures", len(main.find_all("img")), figures),
        ("tableaux", len(main.find_all("table")), tables),
    ):
        if there != here:
            found.append(f"{here} {said} au lieu des {there} de la page")
    own = _own_text(body)
    words = _flat(own)
    lost = [text for text in (_flat(piece) for piece in main.stripped_strings) if text not in words]
    if lost:
        found.append(f"{len(lost)} passage(s) de la page absent(s) d'ici : « {lost[0][:60]} »…")
    return found + compare_numbers(numbers_of("\n".join(main.strings)), numbers_of(own))


def _own_text(body: Any) -> str:
    """Words of the page in the body: not the table of contents, nor what invites people to write."""
    copied = etree.fromstring(etree.tostring(body))
    for control in list(copied.iter(qn("sdt"))):
        properties = control.find(qn("sdtPr"))
        if properties.find(qn("showingPlcHdr")) is not None or properties.find(qn("docPartObj")) is not None:
            control.getparent().remove(control)
    return text_of(copied)


def _flat(text: str) -> str:
    return _BLANKS.sub(" ", text).strip()
