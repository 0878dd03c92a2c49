"""The Word package around the text: the model's styles, headers and footers, properties, and a file with no clock in it."""

from __future__ import annotations

import base64
import copy
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

from evalkit.model.free_text import REST_PROPERTY, STAMP_PROPERTY, TEXTS_PROPERTY
from evalkit.report.html import TEMPLATES
from evalkit.report.page_identity import PageIdentity
from evalkit.report.word_model import complete_lists, complete_paper, forget_people
from evalkit.report.word_xml import el, qn

MODEL = TEMPLATES / "modele.docx"
_CUSTOM_TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/custom-properties"
_CUSTOM_CONTENT = "application/vnd.openxmlformats-officedocument.custom-properties+xml"
_CUSTOM = "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"
_VT = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
_FORMAT_ID = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"
LOGO_MM = (60.0, 9.0)  # width and height it may take in a header
_FIRST_LOGO = 90_001  # numbers of the pictures in headers, after any that a document may hold
_EPOCH = (1980, 1, 1, 0, 0, 0)


class ModelError(ValueError):
    """A person's ``modele.docx`` cannot be used."""


@lru_cache(maxsize=1)
def shipped_model() -> bytes:
    """The model that comes with evalkit (made by ``outils_dev/modele_word.py``)."""
    return MODEL.read_bytes()


def open_model(model: bytes | None) -> Any:
    """A python-docx document with the model's styles, headers and margins, and no text.

    Raises
    ------
    ModelError
        What was given is not a Word document.
    """
    import docx

    try:
        document = docx.Document(io.BytesIO(shipped_model() if model is None else model))
        body = document.element.body
        section = body.get_or_add_sectPr()
    except Exception as error:  # not a package, or one that python-docx cannot follow: whatever it says, in English
        raise ModelError("not a Word document") from error
    for child in list(body):
        if child is not section:
            body.remove(child)
    if model is not None:
        _complete(document)
        forget_people(document)
    _speak_french(document)
    return document


def _complete(document: Any) -> None:
    """Give a person's model the styles, lists and paper that it lacks: a style removed in Word must not lose a report."""
    import docx

    own = docx.Document(io.BytesIO(shipped_model()))
    known = {name.lower() for name in style_ids(document)}
    for style in own.styles.element.findall(qn("style")):
        name = style.find(qn("name")).get(qn("val"))
        if name.lower() not in known and style.get(qn("default")) is None:
            document.styles.element.append(copy.deepcopy(style))
    if any(link.reltype.endswith("/numbering") for link in document.part.rels.values()):
        complete_lists(document.part.numbering_part.element, own.part.numbering_part.element)
    else:
        document.part.relate_to(own.part.numbering_part, _relation("numbering"))
    complete_paper(document.sections[-1], own.sections[-1])


def _relation(name: str) -> str:
    return f"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{name}"


def style_ids(document: Any) -> dict[str, str]:
    """Identifier of each style, by its name: Word translates identifiers, never names."""
    found = {}
    for style in document.styles.element.findall(qn("style")):
        name = style.find(qn("name"))
        if name is not None:
            found[name.get(qn("val")).lower()] = style.get(qn("styleId"))
    return found


def _speak_french(document: Any) -> None:
    defaults = document.styles.element.find(f"{qn('docDefaults')}/{qn('rPrDefault')}/{qn('rPr')}")
    if defaults is not None:
        for old in defaults.findall(qn("lang")):
            defaults.remove(old)
        defaults.append(el("lang", val="fr-FR", eastAsia="fr-FR", bidi="fr-FR"))


_TIGHT_GAP, _TIGHT_LINE, _TIGHT_SIZE = 0.4, 245, 0.92  # gaps and letters by proportion; lines in 240ths


def tighten(document: Any) -> None:
    """Make the model's styles denser, in their own proportions, for a document that must hold on two sides."""
    for spacing in document.styles.element.iter(qn("spacing")):
        for name in ("before", "after"):
            if spacing.get(qn(name)):
                spacing.set(qn(name), str(round(int(spacing.get(qn(name))) * _TIGHT_GAP)))
        if spacing.get(qn("lineRule")) == "auto" and int(spacing.get(qn("line"), "0")) > _TIGHT_LINE:
            spacing.set(qn("line"), str(_TIGHT_LINE))
    for size in (*document.styles.element.iter(qn("sz")), *document.styles.element.iter(qn("szCs"))):
        size.set(qn("val"), str(round(int(size.get(qn("val"))) * _TIGHT_SIZE)))


# --- headers and footers -----------------------------------------------------------------------------------------------


def fill_margins(document: Any, identity: PageIdentity) -> None:
    """Replace the words in braces of every header and footer; add a line for those that the model does not say."""
    words = {
        "{territoire}": identity.territoire,
        "{campagne}": identity.campagne,
        "{marques}": identity.marque,
        "{cachet}": identity.cachet,
    }
    pairs = _margin_pairs(document)
    if identity.logo:
        heights = [_add_logo(header, identity, number) for number, (header, _) in enumerate(pairs)]
        document.sections[-1].top_margin += max(heights)  # the text begins lower by what the header gained
    for header, footer in pairs:
        said = _replace(header._element, words) | _replace(footer._element, words)
        for token, text in words.items():
            if token not in said and text:
                (footer if token == "{cachet}" else header).add_paragraph(text)


def _margin_pairs(document: Any) -> list[tuple[Any, Any]]:
    """Header and footer of each kind of page: every page, and the first or the even ones where the model has them apart.

    A kind that the model describes without using it is one too: a person who turns it on must not find words in braces.
    """
    section = document.sections[-1]
    kinds = (
        (True, section.header, section.footer),
        (section.different_first_page_header_footer, section.first_page_header, section.first_page_footer),
        (document.settings.odd_and_even_pages_header_footer, section.even_page_header, section.even_page_footer),
    )
    return [
        (header, footer)
        for printed, header, footer in kinds
        if printed or not (header.is_linked_to_previous and footer.is_linked_to_previous)
    ]


def _add_logo(header: Any, identity: PageIdentity, number: int) -> int:
    """Put the territory's logo at the top of a header, with the text read in its place; returns its height."""
    from docx.shared import Mm

    content = base64.b64decode(identity.logo.partition(",")[2])
    first = header.paragraphs[0] if header.paragraphs else header.add_paragraph()
    line = first.insert_paragraph_before(style=first.style)
    line.paragraph_format.space_after = Mm(1)
    picture = line.add_run().add_picture(io.BytesIO(content))
    ratio = min(Mm(LOGO_MM[0]) / picture.width, Mm(LOGO_MM[1]) / picture.height)
    picture.width, picture.height = round(picture.width * ratio), round(picture.height * ratio)
    said = picture._inline.docPr
    said.set("id", str(_FIRST_LOGO + number))
    said.set("name", "Logo")
    said.set("descr", identity.logo_texte)
    return int(picture.height)


def _replace(root: Any, words: dict[str, str]) -> set[str]:
    """Replace tokens in a part, even when Word cut one into several runs; return those found."""
    found: set[str] = set()
    for line in root.iter(qn("p")):
        texts = list(line.iter(qn("t")))
        whole = "".join(node.text or "" for node in texts)
        here = {token for token in words if token in whole}
        found |= here
        for token in here:
            if not any(token in (node.text or "") for node in texts):
                texts[0].text, rest = "".join(node.text or "" for node in texts), texts[1:]
                for node in rest:
                    node.text = ""
            for node in texts:
                node.text = (node.text or "").replace(token, words[token])
    return found


# --- properties and file -----------------------------------------------------------------------------------------------


def set_properties(
    document: Any, identity: PageIdentity, texts: Sequence[Mapping[str, str]], rest: Sequence[str]
) -> None:
    """Title, subject, language, date of the data; the stamp, the free sections and what is outside, for ``importer textes``."""
    date = str(identity.stamp.get("date_reference") or "2022-01-01")
    year, month, day = (int(part) for part in (date + "-01-01").split("-")[:3])
    core = document.core_properties
    for old in list(core._element):  # a model's: who wrote it, when it was printed, its state
        core._element.remove(old)
    core.title, core.subject, core.language = identity.titre, identity.campagne, "fr-FR"
    core.author = core.last_modified_by = "evalkit"
    core.created = core.modified = datetime(year, month, day)
    core.revision = 1
    core.comments = core.keywords = core.category = ""
    kept = {STAMP_PROPERTY: identity.stamp, TEXTS_PROPERTY: list(texts)}
    properties = {key: json.dumps(v, ensure_ascii=False, sort_keys=True) for key, v in kept.items()}
    _add_custom_properties(document, properties | ({REST_PROPERTY: " ".join([str(len(rest)), *rest])} if rest else {}))


def _add_custom_properties(document: Any, properties: Mapping[str, str]) -> None:
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part

    said = "".join(
        f'<property fmtid="{_FORMAT_ID}" pid="{number}" name="{name}"><vt:lpwstr>{escape(text)}</vt:lpwstr></property>'
        for number, (name, text) in enumerate(properties.items(), start=2)
    )
    content = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<Properties xmlns="{_CUSTOM}" xmlns:vt="{_VT}">{said}</Properties>'
    )
    package = document.part.package
    for key in [key for key, link in package.rels.items() if link.reltype == _CUSTOM_TYPE]:
        del package.rels[key]
    part = Part(PackURI("/docProps/custom.xml"), _CUSTOM_CONTENT, content.encode("utf-8"), package)
    package.relate_to(part, _CUSTOM_TYPE)


def save(document: Any) -> bytes:
    """Bytes of the package: entries in order, no date, the same for the same content."""
    raw, out = io.BytesIO(), io.BytesIO()
    document.save(raw)
    with zipfile.ZipFile(raw) as before, zipfile.ZipFile(out, "w") as after:
        names = sorted(before.namelist(), key=lambda name: (name != "[Content_Types].xml", name))
        for name in names:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            after.writestr(entry, before.read(name))
    return out.getvalue()
