"""A person's ``modele.docx``, as Word saves them: none stops a report, none lets its author out, every sheet says whose it is."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from docx.opc.constants import RELATIONSHIP_TYPE as RT
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from lxml import etree

from evalkit.report.check_docx import check_docx
from evalkit.report.html import Html, bullet_list
from evalkit.report.page_identity import read_identity
from evalkit.report.word import render_docx
from evalkit.report.word_package import shipped_model
from tests.unit.test_pdf import picture
from tests.unit.test_word import dressed, opened, restyled
from tests.unit.word_cases import W, make_page, part, replace_part

NS = f'xmlns:w="{W}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PERSON = "Jeanne Dupont"
PLACE = "file:///C:/Users/jeanne.dupont/Modeles/Rapport.dotx"


@pytest.fixture(scope="module")
def page() -> str:
    return make_page(Html(f"{picture()}{bullet_list(['un'], ordered=True)}{bullet_list(['deux'])}"))


def lists_of(made: bytes) -> dict[str, str]:
    """Kind of the list that each listed paragraph is in."""
    numbering = part(made, "word/numbering.xml")
    kinds = {
        one.get(f"{{{W}}}abstractNumId"): one.find(f"{{{W}}}lvl/{{{W}}}numFmt").get(f"{{{W}}}val")
        for one in numbering.iter(f"{{{W}}}abstractNum")
        if one.find(f"{{{W}}}lvl/{{{W}}}numFmt") is not None
    }
    used = {
        num.get(f"{{{W}}}numId"): kinds[num.find(f"{{{W}}}abstractNumId").get(f"{{{W}}}val")]
        for num in numbering.iter(f"{{{W}}}num")
        if num.find(f"{{{W}}}abstractNumId").get(f"{{{W}}}val") in kinds
    }
    return {p.text: used[str(p._p.pPr.numPr.numId.val)] for p in opened(made).paragraphs if p.text in ("un", "deux")}


# --- what a model lacks -----------------------------------------------------------------------------------------------------


def points_to_a_list_style(document: Any) -> None:
    """What Word writes for a list style: a list without levels, before the others."""
    root = document.part.numbering_part.element
    link = f'<w:abstractNum {NS} w:abstractNumId="7"><w:numStyleLink w:val="Liste"/></w:abstractNum>'
    root.insert(0, parse_xml(link))


def without(kind: str) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        root = document.part.numbering_part.element
        for one in root.findall(f"{{{W}}}abstractNum"):
            if one.find(f"{{{W}}}lvl/{{{W}}}numFmt").get(f"{{{W}}}val") == kind:
                root.remove(one)

    return change


def without_any_list(document: Any) -> None:
    root = document.part.numbering_part.element
    for child in list(root):
        root.remove(child)
    root.append(parse_xml(f'<w:numIdMacAtCleanup {NS} w:val="3"/>'))


@pytest.mark.parametrize(
    "change",
    [points_to_a_list_style, without("decimal"), without("bullet"), without_any_list],
    ids=["style de liste", "sans numéros", "sans puces", "sans rien"],
)
def test_a_model_may_lack_any_list(change: Callable[[Any], None], page: str) -> None:
    """The missing kind is evalkit's own, at the place where Word wants it."""
    made = render_docx(page, restyled(change))
    assert lists_of(made) == {"un": "decimal", "deux": "bullet"}
    tags = [etree.QName(node).localname for node in part(made, "word/numbering.xml")]
    assert tags == sorted(tags, key=["abstractNum", "num", "numIdMacAtCleanup"].index)
    assert check_docx(made, page)["anomalies"] == []


@pytest.mark.parametrize("gone", ["pgSz", "pgMar", "sectPr"])
def test_a_model_without_paper_nor_margins_gets_ours(gone: str, page: str) -> None:
    def change(document: Any) -> None:
        found = next(document.element.body.iter(f"{{{W}}}{gone}"))
        found.getparent().remove(found)

    made = render_docx(page, restyled(change))
    ours, section = opened(shipped_model()).sections[-1], opened(made).sections[-1]
    names = ("page_width", "page_height", "left_margin", "right_margin", "top_margin", "bottom_margin")
    assert [getattr(section, name) for name in names] == [getattr(ours, name) for name in names]
    assert check_docx(made, page)["anomalies"] == []


# --- what a model says of people ---------------------------------------------------------------------------------------------


def add(source: Any, kind: str, name: str, content: str = PERSON) -> None:
    """A part that Word writes beside the text."""
    package = source.package if isinstance(source, Part) else source
    source.relate_to(Part(PackURI(name), "application/xml", content.encode("utf-8"), package), kind)


def signed(document: Any) -> None:
    """A model as an office leaves it: comments, template, company, thumbnail, tracked header, notes, photo, printer."""
    main, package = document.part, document.part.package
    document.add_comment(document.add_paragraph("Relire.").runs, text="À revoir.", author=PERSON, initials="JD")
    add(main, "http://schemas.microsoft.com/office/2011/relationships/commentsExtended", "/word/commentsExtended.xml")
    add(main, "http://schemas.microsoft.com/office/2011/relationships/people", "/word/people.xml")
    add(main, f"{OFFICE}/footnotes", "/word/footnotes.xml")
    add(main, f"{OFFICE}/customXml", "/customXml/item1.xml")
    add(main, f"{OFFICE}/image", "/word/media/photo.jpeg")
    add(main, f"{OFFICE}/printerSettings", "/word/printerSettings1.bin")
    add(package, f"{OFFICE}/extended-properties", "/docProps/app.xml")
    add(package, "http://schemas.openxmlformats.org/package/2006/relationships/metadata/thumbnail", "/docProps/t.jpeg")
    settings = main.part_related_by(RT.SETTINGS)
    relation = settings.relate_to(PLACE, f"{OFFICE}/attachedTemplate", is_external=True)
    settings.element.insert(0, parse_xml(f'<w:attachedTemplate {NS} r:id="{relation}"/>'))
    settings.element.append(parse_xml(f'<w:docVars {NS}><w:docVar w:name="a" w:val="{PERSON}"/></w:docVars>'))
    header = document.sections[0].header
    tracked = (
        f'<w:ins {NS} w:id="9" w:author="{PERSON}" w:date="2022-03-04T08:00:00Z"><w:r><w:t>Ville</w:t></w:r></w:ins>'
    )
    header.paragraphs[0]._p.append(parse_xml(tracked))
    place = header.part.relate_to(PLACE, f"{OFFICE}/hyperlink", is_external=True)
    header.paragraphs[0]._p.append(
        parse_xml(f'<w:hyperlink {NS} r:id="{place}"><w:r><w:t>lien</w:t></w:r></w:hyperlink>')
    )
    core = document.core_properties
    core.author = core.last_modified_by = core.comments = core.identifier = core.content_status = PERSON
    core.last_printed = core.created


def test_nobody_is_recognised_in_a_document_made_from_a_persons_model(page: str) -> None:
    """What a model says of its author never leaves: neither words, nor parts, nor paths."""
    model = restyled(signed)
    with zipfile.ZipFile(io.BytesIO(model)) as archive:
        assert sum(PERSON.encode() in archive.read(name) for name in archive.namelist()) >= 9, "il y a de quoi fuir"
    made = render_docx(page, model)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        said = {name: archive.read(name) for name in archive.namelist()}
    assert [name for name, content in said.items() if b"jeanne" in content.lower() or b"2022-03-04" in content] == []
    odd = ("comments", "people", "footnotes", "customXml", "photo", "app.xml", "docProps/t.", "printer")
    assert [name for name in said if any(word in name for word in odd)] == []
    assert b"lastPrinted" not in said["docProps/core.xml"]
    assert b"Ville" in said["word/header1.xml"], "ce que l'en-tête dit est gardé"
    assert check_docx(made, page)["anomalies"] == []
    assert render_docx(page, model) == made


def test_no_part_names_what_was_left_behind(page: str) -> None:
    """Word refuses a file with a relation that leads nowhere."""
    made = render_docx(page, restyled(signed))
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        names = set(archive.namelist())
        for name in [name for name in names if name.startswith("word/") and name.endswith(".xml")]:
            folder, _, file = name.rpartition("/")
            rels = f"{folder}/_rels/{file}.rels"
            there = {one.get("Id") for one in etree.fromstring(archive.read(rels))} if rels in names else set()
            root = etree.fromstring(archive.read(name))
            named = {v for node in root.iter() for k, v in node.attrib.items() if k.startswith(f"{{{OFFICE}}}")}
            assert named <= there, name


def test_the_logo_of_a_models_header_stays(page: str) -> None:
    def change(document: Any) -> None:
        import base64

        content = base64.b64decode(picture().partition("base64,")[2].partition('"')[0])
        shape = document.sections[0].header.paragraphs[0].add_run().add_picture(io.BytesIO(content))
        shape._inline.docPr.set("descr", r"C:\Users\jeanne.dupont\logo.png")

    header = opened(render_docx(page, restyled(change))).sections[0].header
    (said,) = header._element.iter("{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr")
    assert said.get("descr") == ""
    assert [link for link in header.part.rels.values() if link.reltype == RT.IMAGE]


# --- headers and footers of each kind of page ---------------------------------------------------------------------------------


def even_pages(document: Any) -> None:
    document.settings.odd_and_even_pages_header_footer = True
    document.sections[0].even_page_header.paragraphs[0].text = "Page paire {territoire}"


def first_page(document: Any) -> None:
    document.sections[0].different_first_page_header_footer = True
    document.sections[0].first_page_header.paragraphs[0].text = "{marques}"


def first_page_without_header(document: Any) -> None:
    document.sections[0].different_first_page_header_footer = True


def mark_on_the_first_page_only(document: Any) -> None:
    first_page(document)
    for run in document.sections[0].header.paragraphs[0].runs[1:]:
        run.text = ""


def described_but_unused(document: Any) -> None:
    even_pages(document)
    document.settings.odd_and_even_pages_header_footer = False


def margins_said(made: bytes) -> list[str]:
    """Words of each pair of header and footer that a document describes."""
    section = opened(made).sections[-1]
    pairs = [
        (section.header, section.footer),
        (section.first_page_header, section.first_page_footer),
        (section.even_page_header, section.even_page_footer),
    ]
    return [
        "\n".join(line.text for one in pair for line in one.paragraphs)
        for pair in pairs
        if not all(one.is_linked_to_previous for one in pair)
    ]


@pytest.mark.parametrize(
    "change", [even_pages, first_page, first_page_without_header, mark_on_the_first_page_only, described_but_unused]
)
def test_every_sheet_says_whose_it_is(change: Callable[[Any], None], page: str) -> None:
    """Odd or even, first or next: territory, campaign, stamp and marks, once each, and no word in braces."""
    made, identity = render_docx(page, restyled(change)), read_identity(page)
    wanted = (identity.territoire, identity.campagne, identity.cachet, "DONNÉES FICTIVES")
    found = margins_said(made)
    assert len(found) == 2
    assert [[said.count(words) for words in wanted] for said in found] == [[1, 1, 1, 1]] * 2
    assert "{" not in "".join(found)
    assert check_docx(made, page)["anomalies"] == []


@pytest.mark.parametrize("change", [even_pages, first_page])
def test_the_logo_is_on_every_kind_of_sheet(change: Callable[[Any], None]) -> None:
    page = dressed(two_pages=False)
    made = render_docx(page, restyled(change))
    assert check_docx(made, page)["anomalies"] == []
    numbers = [
        one.get("id")
        for name in ("header1", "header2")
        for one in part(made, f"word/{name}.xml").iter(
            "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
        )
    ]
    assert len(set(numbers)) == 2


@pytest.mark.parametrize(
    ("change", "where"), [(even_pages, "(pages paires)"), (first_page, "(première page)"), (None, "pied de page")]
)
def test_the_check_reads_each_kind_of_sheet(change: Callable[[Any], None] | None, where: str, page: str) -> None:
    """A mark that one kind of sheet lost is an anomaly, whatever the others say."""
    made = render_docx(page, restyled(change) if change else None)
    name = "word/header2.xml" if change else "word/header1.xml"
    raw = etree.tostring(part(made, name), encoding="UTF-8")
    assert "DONNÉES FICTIVES".encode() in raw
    broken = replace_part(made, name, raw.replace("DONNÉES FICTIVES".encode(), b""))
    (said,) = check_docx(broken, page)["anomalies"]
    assert said.startswith("mention absent")
    assert said.endswith(where)
