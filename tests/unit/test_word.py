"""The Word document of a page: real styles, the same words, a model that people restyle, and a check that sees faults."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import docx
import pytest
from bs4 import BeautifulSoup
from lxml import etree
from PIL import Image

from evalkit.report import word
from evalkit.report.check_docx import check_docx
from evalkit.report.html import Html, bullet_list, definition_list, free_text, table, tag
from evalkit.report.identity import Identity, page_header
from evalkit.report.word import ModelError, render_docx
from evalkit.report.word_package import shipped_model
from tests.unit.test_pdf import long_table, picture
from tests.unit.word_cases import W, controls, make_docx, make_page, part, replace_part

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "<b>x</b> & \"y\" 'z' 🙂 = 1+1 \u202f\u00a0"


@pytest.fixture(scope="module")
def page() -> str:
    content = Html(f"{long_table(12)}{picture()}{bullet_list(['un', tag('strong', 'deux')], ordered=True)}")
    return make_page(content, {"q1": "Un **mot**.\n\n- a\n- b"})


@pytest.fixture(scope="module")
def made(page: str) -> bytes:
    return render_docx(page)


def opened(content: bytes) -> Any:
    return docx.Document(io.BytesIO(content))


def test_the_document_says_what_the_page_says(made: bytes, page: str) -> None:
    found = check_docx(made, page)
    assert found["anomalies"] == []
    assert found["comptes"]["textes_a_ecrire"] == 1


def test_the_same_page_gives_the_same_bytes(made: bytes, page: str) -> None:
    """No date in the package: neither in its properties nor in its entries."""
    assert render_docx(page) == made
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert opened(made).core_properties.created.year == 2022


def test_the_contents_say_how_to_get_page_numbers_inside_the_field(made: bytes) -> None:
    """In the field's result: made again by Word, the sentence goes with the old lines; no prompt when the file opens."""
    (contents,) = [one for one in part(made).iter(f"{{{W}}}sdt") if one.find(f".//{{{W}}}docPartGallery") is not None]
    last = list(contents.iter(f"{{{W}}}p"))[-1]
    marks = [one.get(f"{{{W}}}fldCharType") for one in contents.iter(f"{{{W}}}fldChar")]
    assert "numéros de page" in "".join(one.text for one in last.iter(f"{{{W}}}t"))
    assert [one.get(f"{{{W}}}fldCharType") for one in last.iter(f"{{{W}}}fldChar")] == ["end"] == marks[-1:]
    assert b"updateFields" not in zipfile.ZipFile(io.BytesIO(made)).read("word/settings.xml")


def test_a_picture_leaves_room_on_its_page(made: bytes) -> None:
    """A picture that stays with the table under it, or that takes the whole page, leaves half of the page before it blank."""
    styles = {one.get(f"{{{W}}}styleId"): one for one in part(made, "word/styles.xml").iter(f"{{{W}}}style")}
    (figure,) = [one for one in styles.values() if one.find(f"{{{W}}}name").get(f"{{{W}}}val") == "Evalkit Figure"]
    assert figure.find(f"{{{W}}}pPr/{{{W}}}keepNext") is None
    tall = render_docx(make_page(Html(picture(height=2000))))
    section, shape = opened(tall).sections[0], opened(tall).inline_shapes[0]
    room = section.page_height - section.top_margin - section.bottom_margin
    assert shape.height <= room * 0.66 + 1


def test_styles_are_real(made: bytes) -> None:
    """Headings, captions, lists and the table's style are Word's own, not an appearance."""
    document = opened(made)
    styles = {paragraph.text: paragraph.style.name for paragraph in document.paragraphs}
    assert styles["Évaluation du contrat de ville d’Essai"] == "Heading 1"
    assert styles["Résultats"] == "Heading 2"
    assert styles["Un long tableau"] == "Caption"
    assert styles["deux"] == "List Number"
    assert document.tables[0].style.name == "Evalkit Tableau"
    assert document.core_properties.language == "fr-FR"


def test_the_header_row_is_marked_and_numbers_stand_on_the_right(made: bytes) -> None:
    grid = opened(made).tables[0]
    assert grid.rows[0]._tr.find(f".//{{{W}}}tblHeader") is not None
    assert grid.rows[1]._tr.find(f".//{{{W}}}tblHeader") is None
    assert grid.rows[1].cells[1].paragraphs[0].alignment == docx.enum.text.WD_ALIGN_PARAGRAPH.RIGHT
    assert grid.rows[3].cells[1].text == "3\u202f003,5"


def test_a_title_of_column_is_never_cut_inside_a_word() -> None:
    """« Communes » in bold, once printed « Commune » over « s »: its column is wider than the same word in a cell asks."""
    heads = ["Sous-question", "Niveau arbitré", "Pilote", "État", "Communes", "Partenaires", "Associations", "Écart"]
    cells = [
        "Q1.4 Coopération opérationnelle",
        "3",
        *["4 (n\u00a0=\u00a01)"] * 3,
        "3 (n\u00a0=\u00a013)",
        "aucune cotation",
    ]
    cells.append("2, à débattre, position de l’institution, effectifs faibles")
    rows = BeautifulSoup(
        "<table><tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr>"
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr></table>",
        "html.parser",
    ).find_all("tr")
    widths = word._column_widths(rows, 9638)
    assert sum(widths) == 9638
    assert widths[4] >= 8 * 100 + 160


def test_a_picture_has_its_words(made: bytes) -> None:
    (shape,) = opened(made).inline_shapes
    assert shape._inline.docPr.get("descr") == "Une figure."


def test_the_table_of_contents_is_a_field_with_its_entries(made: bytes) -> None:
    """Word can update it; before that it already names the chapters and leads to them."""
    root = part(made)
    assert any("TOC" in (node.text or "") for node in root.iter(f"{{{W}}}instrText"))
    anchors = {link.get(f"{{{W}}}anchor") for link in root.iter(f"{{{W}}}hyperlink")}
    bookmarks = {mark.get(f"{{{W}}}name") for mark in root.iter(f"{{{W}}}bookmarkStart")}
    assert anchors
    assert anchors <= bookmarks


def test_numbered_lists_start_again(page: str) -> None:
    twice = render_docx(
        make_page(Html(bullet_list(["a"], ordered=True) + "<p>x</p>" + bullet_list(["b"], ordered=True)))
    )
    numbers = {p._p.pPr.numPr.numId.val for p in opened(twice).paragraphs if p.style.name == "List Number"}
    assert len(numbers) == 2
    lists = {num.get(f"{{{W}}}numId"): num for num in part(twice, "word/numbering.xml").iter(f"{{{W}}}num")}
    starts = [lists[str(number)].find(f"{{{W}}}lvlOverride/{{{W}}}startOverride") for number in numbers]
    assert [start.get(f"{{{W}}}val") for start in starts] == ["1", "1"]


def test_empty_sections_are_places_to_write(made: bytes) -> None:
    """A content control that cannot be deleted by mistake, with what to write; a written one holds its text."""
    found = controls(made)
    empty, written = found["presentation"], found["q1"]
    assert empty.find(f"{{{W}}}sdtPr/{{{W}}}showingPlcHdr") is not None
    assert "Cliquez ici pour écrire" in "".join(empty.itertext())
    assert written.find(f"{{{W}}}sdtPr/{{{W}}}showingPlcHdr") is None
    assert "".join(written.itertext()).strip() == "Un mot.ab"
    assert found["q1"].find(f"{{{W}}}sdtPr/{{{W}}}lock").get(f"{{{W}}}val") == "sdtLocked"


def test_text_typed_by_people_stays_text() -> None:
    content = table(["Clé", "Texte"], [[HOSTILE, HOSTILE]], caption=HOSTILE) + definition_list([("mot", HOSTILE)])
    made = make_docx(Html(content + tag("p", free_text("ligne 1\nligne 2"))))
    document = opened(made)
    assert document.tables[0].rows[1].cells[1].text.startswith("<b>x</b> & \"y\" 'z' 🙂 = 1+1")
    assert any(paragraph.text == "ligne 1\nligne 2" for paragraph in document.paragraphs)


def test_an_element_that_is_not_known_stops_everything() -> None:
    """Better no document than one that lost a table."""
    with pytest.raises(ValueError, match="video"):
        make_docx(Html("<video>x</video>"))
    with pytest.raises(ValueError, match="cell"):
        make_docx(Html('<table><tr><th colspan="2">a</th></tr><tr><td>a</td><td>b</td></tr></table>'))


# --- the check -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (b'descr="Une figure."', b'descr=""', "sans texte de remplacement"),
        (b"<w:tblHeader/>", b"", "ligne d'en-tête"),
        (b"<w:cantSplit/>", b"", "coupée par une page"),
        (b"3\xe2\x80\xaf003,5", b"3 003,5", "3\u202f003,5"),
        (b"Voici.", b"Voila.", "Voici."),
        (b' TOC \\o "2-2"', b" X", "sommaire"),
        (b'w:val="Heading1"', b'w:val="Heading2"', "premier niveau"),
    ],
)
def test_the_check_sees_what_is_wrong(made: bytes, page: str, before: bytes, after: bytes, words: str) -> None:
    raw = etree.tostring(part(made), encoding="UTF-8", xml_declaration=True)
    assert before in raw
    broken = replace_part(made, "word/document.xml", raw.replace(before, after, 1))
    assert any(words in anomaly for anomaly in check_docx(broken, page)["anomalies"])


# --- the model -------------------------------------------------------------------------------------------------------------


def restyled(change: Any) -> bytes:
    """evalkit's model once a person has changed it and saved it."""
    document = opened(shipped_model())
    change(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_the_shipped_model_is_the_one_described() -> None:
    """``outils_dev/modele_word.py`` says what is in ``modele.docx``."""
    done = subprocess.run(
        [sys.executable, "outils_dev/modele_word.py", "--verifier"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_a_restyled_model_dresses_the_report(page: str) -> None:
    def change(document: Any) -> None:
        document.styles["Heading 2"].font.name = "Marianne"
        document.sections[0].left_margin = docx.shared.Cm(4)
        document.add_paragraph("Ce texte du modèle n’est pas repris.")

    made = render_docx(page, restyled(change))
    document = opened(made)
    assert document.styles["Heading 2"].font.name == "Marianne"
    assert document.sections[0].left_margin == pytest.approx(docx.shared.Cm(4), abs=1000)
    assert "n’est pas repris" not in "".join(p.text for p in document.paragraphs)
    assert check_docx(made, page)["anomalies"] == []


def test_words_in_braces_are_filled_even_when_word_cuts_them(page: str) -> None:
    def change(document: Any) -> None:
        line = document.sections[0].header.paragraphs[0]
        for run in list(line.runs):
            run._r.getparent().remove(run._r)
        for piece in ("Rapport {terri", "toi", "re} — fin"):
            line.add_run(piece)

    header = opened(render_docx(page, restyled(change))).sections[0].header
    said = "\n".join(paragraph.text for paragraph in header.paragraphs)
    assert "Rapport Contrat de ville d’Essai — fin" in said
    assert "DONNÉES FICTIVES" in said, "ce que le modèle ne dit plus est ajouté"
    assert "{" not in said


def test_a_model_without_headers_nor_our_styles_still_says_everything(page: str) -> None:
    """Any Word document may be a model: python-docx's own, in English, letter-size."""
    out = io.BytesIO()
    docx.Document().save(out)
    made = render_docx(page, out.getvalue())
    assert check_docx(made, page)["anomalies"] == []


@pytest.mark.parametrize("content", [b"", b"pas un docx", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_not_a_model_is_told(page: str, content: bytes) -> None:
    with pytest.raises(ModelError):
        render_docx(page, content)


# --- logo, two sides --------------------------------------------------------------------------------------------------


def dressed(two_pages: bool) -> str:
    """A page with a logo, laid out as a report or on two sides."""
    identity = Identity("Contrat de ville d’Essai", a_logo(), "Logo de l’Essai")
    header = page_header(identity, ["DONNÉES FICTIVES"])
    body = '<body class="deux-pages">' if two_pages else "<body>"
    second = tag("h2", "Trois accords", id="trois-accords")
    page = make_page(Html(f"{picture()}{second}"))
    return page.replace('<body><p class="marque">DONNÉES FICTIVES</p>', f"{body}{header}")


def a_logo() -> str:
    stream = io.BytesIO()
    Image.new("RGB", (600, 240), "#1f4e79").save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def test_the_logo_is_in_the_header_with_its_text() -> None:
    """On every sheet, never wider than the model allows; a header that lost it is an anomaly."""
    page = dressed(two_pages=False)
    made = render_docx(page)
    assert render_docx(page) == made
    header = opened(made).sections[0].header
    (said,) = header._element.iter("{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr")
    assert said.get("descr") == "Logo de l’Essai"
    assert check_docx(made, page)["anomalies"] == []
    without = render_docx(page.replace('class="logo"', 'class="autre"'))
    assert "logo absent de l'en-tête" in check_docx(without, page)["anomalies"]


def test_a_document_of_two_sides_is_denser_and_turns_where_it_must() -> None:
    ordinary, two = render_docx(dressed(two_pages=False)), render_docx(dressed(two_pages=True))
    size = [opened(made).styles["Normal"].font.size.pt for made in (ordinary, two)]
    assert size[1] < size[0]
    turned = [p.text for p in opened(two).paragraphs if p._p.find(f".//{{{W}}}pageBreakBefore") is not None]
    assert turned == ["Trois accords"]
    assert b"TOC " in etree.tostring(part(ordinary))
    assert b"TOC " not in etree.tostring(part(two))
    assert check_docx(two, dressed(two_pages=True))["anomalies"] == []
