"""Small Word reports for tests, and what a person does to them in Word: typing, tracked changes, pictures."""

from __future__ import annotations

import html as _html
import io
import json
import zipfile
from collections.abc import Iterable

from lxml import etree

from evalkit.model.free_text import QUESTION_HELP, QUESTION_TITLE, SECTIONS_BY_NAME
from evalkit.report.html import TEMPLATES, free_section, heading, join, paragraph, tag
from evalkit.report.word import render_docx

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STYLE = (TEMPLATES / "evalkit" / "style.css").read_text(encoding="utf-8")
STAMP = {
    "date_reference": "2022-11-30",
    "empreinte": "00ff" * 8,
    "evalkit": "0.1.0",
    "identite": {"territoire": "Contrat de ville d’Essai", "campagne": "Campagne d’essai"},
    "marques": ["DONNÉES FICTIVES"],
    "n_masques": 3,
    "parametres": {"campagne": "2022", "territoire": "essai"},
    "referentiel": {"code": "EVAL", "version": "2022.1"},
}


def make_page(content: str = "", texts: dict[str, str] | None = None, **stamp: object) -> str:
    """A whole page: a title, some content, the free sections (``texts``: what the territory wrote)."""
    texts = texts or {}
    blocks = [
        free_section(
            name,
            SECTIONS_BY_NAME[name].titre if name in SECTIONS_BY_NAME else QUESTION_TITLE,
            SECTIONS_BY_NAME[name].consigne if name in SECTIONS_BY_NAME else QUESTION_HELP,
            texts.get(name, ""),
            chapitre="Le mot du territoire" if name == "presentation" and not texts.get(name) else "",
        )
        for name in dict.fromkeys(["presentation", "q1", *texts])
    ]
    nav = '<nav class="sommaire" aria-label="Sommaire"><p>Sommaire</p><ol><li><a href="#resultats">Résultats</a></li></ol></nav>'
    main = join(
        tag("h1", "Évaluation du contrat de ville d’Essai", id="titre"),
        tag("span", ""),
        heading(2, "Résultats"),
        paragraph("Voici."),
        content,
        heading(2, "Paroles"),
        *blocks,
    )
    stamped = _html.escape(json.dumps({**STAMP, **stamp}, ensure_ascii=False, sort_keys=True))
    return (
        f'<!DOCTYPE html>\n<html lang="fr"><head><meta charset="utf-8"><meta name="evalkit" content="{stamped}">'
        f'<title>Contrat de ville d’Essai</title><style>{STYLE}</style></head><body><p class="marque">DONNÉES FICTIVES</p>'
        f'<main id="contenu">{str(main).replace("<h2", nav + "<h2", 1)}</main></body></html>'
    )


def make_docx(content: str = "", texts: dict[str, str] | None = None, **stamp: object) -> bytes:
    """A Word report of such a page."""
    return render_docx(make_page(content, texts, **stamp))


def part(docx: bytes, name: str = "word/document.xml") -> etree._Element:
    with zipfile.ZipFile(io.BytesIO(docx)) as archive:
        return etree.fromstring(archive.read(name))


def replace_part(docx: bytes, name: str, content: bytes | None) -> bytes:
    """The package with one part changed, or without it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx)) as before, zipfile.ZipFile(out, "w") as after:
        for entry in before.namelist():
            if entry != name:
                after.writestr(entry, before.read(entry))
            elif content is not None:
                after.writestr(entry, content)
    return out.getvalue()


def controls(docx: bytes) -> dict[str, etree._Element]:
    """Content controls of a Word report, by the name of their section."""
    found = {}
    for control in part(docx).iter(f"{{{W}}}sdt"):
        mark = control.find(f"{{{W}}}sdtPr/{{{W}}}tag")
        if mark is not None:
            found[mark.get(f"{{{W}}}val").split(":")[1]] = control
    return found


def typed(docx: bytes, name: str, paragraphs: Iterable[str]) -> bytes:
    """The report once a person has replaced a section: ``paragraphs`` are ``w:p`` elements without their namespace."""
    root = part(docx)
    for control in root.iter(f"{{{W}}}sdt"):
        mark = control.find(f"{{{W}}}sdtPr/{{{W}}}tag")
        if mark is None or mark.get(f"{{{W}}}val").split(":")[1] != name:
            continue
        prompt = control.find(f"{{{W}}}sdtPr/{{{W}}}showingPlcHdr")
        if prompt is not None:
            prompt.getparent().remove(prompt)
        content = control.find(f"{{{W}}}sdtContent")
        for child in list(content):
            content.remove(child)
        for xml in paragraphs:
            content.append(etree.fromstring(f'<root xmlns:w="{W}">{xml}</root>')[0])
    return replace_part(docx, "word/document.xml", etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def p(*runs: str, properties: str = "") -> str:
    """A paragraph typed in Word."""
    return f"<w:p>{f'<w:pPr>{properties}</w:pPr>' if properties else ''}{''.join(runs)}</w:p>"


def r(text: str, properties: str = "") -> str:
    """A run."""
    inside = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return f'<w:r>{inside}<w:t xml:space="preserve">{_html.escape(text, quote=False)}</w:t></w:r>'


def ins(*runs: str) -> str:
    """Words inserted while changes are tracked."""
    return f'<w:ins w:id="90" w:author="relecture">{"".join(runs)}</w:ins>'


def gone(text: str) -> str:
    """Words deleted while changes are tracked."""
    return (
        f'<w:del w:id="91" w:author="relecture"><w:r><w:delText xml:space="preserve">{text}</w:delText></w:r></w:del>'
    )


def unwrapped(docx: bytes, *, twice: bool = False) -> bytes:
    """The report as LibreOffice saves it: no control, the bookmarks inside the paragraphs; ``twice``: one written as two."""
    root = part(docx)
    for control in list(root.iter(f"{{{W}}}sdt")):
        before, after = control.getprevious(), control.getnext()
        if before is None or before.tag != f"{{{W}}}bookmarkStart":
            continue
        lines = list(control.find(f"{{{W}}}sdtContent"))
        lines[0].insert(1 if lines[0].find(f"{{{W}}}pPr") is not None else 0, before)
        lines[-1].append(after)
        if twice:
            again = etree.fromstring(etree.tostring(before))
            again.set(f"{{{W}}}id", str(int(before.get(f"{{{W}}}id")) + 500))
            lines[-1].insert(0, again)
            after.set(f"{{{W}}}id", again.get(f"{{{W}}}id"))
        parent, place = control.getparent(), control.getparent().index(control)
        parent.remove(control)
        for rank, line in enumerate(lines):
            parent.insert(place + rank, line)
    return replace_part(docx, "word/document.xml", etree.tostring(root, xml_declaration=True, encoding="UTF-8"))
