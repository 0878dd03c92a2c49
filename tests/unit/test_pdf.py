"""The PDF of a page: tagged, read back, the same words and numbers, the same bytes; and a check that sees what is wrong."""

from __future__ import annotations

import base64
import doctest
import io
import re
from importlib import metadata
from typing import Any

import pytest
from PIL import Image

from evalkit.batch.inputs import LIBRARIES
from evalkit.report import numbers, pdf
from evalkit.report.html import Html, table
from evalkit.report.numbers import compare_numbers, numbers_of
from evalkit.report.page_identity import read_identity
from tests.unit.machine import need_pdf
from tests.unit.word_cases import make_page


def picture(alt: str = "Une figure.", height: int = 20) -> str:
    """A palette PNG in a figure."""
    image = Image.new("P", (40, height))
    image.putpalette([0, 85, 140, 255, 255, 255] + [0] * 762)
    image.putpixel((3, 3), 1)
    out = io.BytesIO()
    image.save(out, "PNG")
    data = base64.b64encode(out.getvalue()).decode()
    return f'<figure><img src="data:image/png;base64,{data}" alt="{alt}" width="40" height="{height}"></figure>'


def long_table(rows: int = 90) -> Html:
    """A table of more than a page, with French numbers."""
    cells = [[f"Ligne {n}", f"{n}\u202f{n:03d},5", f"{n}\u202f%"] for n in range(1, rows)]
    return table(["Nom", "Valeur 2022", "Part"], cells, caption="Un long tableau", numeric=[1, 2])


def content() -> str:
    return Html(f"{long_table()}{picture()}")


@pytest.fixture(scope="module")
def page() -> str:
    return make_page(content(), {"q1": "Un mot."})


@pytest.fixture(scope="module")
def made(page: str) -> bytes:
    need_pdf()
    return pdf.render_pdf(page)


def check(made: bytes, page: str) -> dict[str, Any]:
    from evalkit.report.check_pdf import check_pdf

    return check_pdf(made, page)


def test_doctests_pass() -> None:
    assert doctest.testmod(pdf).failed == 0
    assert doctest.testmod(numbers).failed == 0


def test_the_structure_tree_says_what_the_page_says(made: bytes, page: str) -> None:
    """Language, title, outline, alternative texts, headers, no row cut, no lone heading, the same numbers: nothing to say."""
    found = check(made, page)
    assert found["anomalies"] == []
    assert (found["comptes"]["figures"], found["comptes"]["tableaux"]) == (1, 1)
    assert found["comptes"]["pages"] > 1, "le tableau doit passer d'une page à l'autre"


def elements(node: Any) -> Any:
    """Every structure element under one."""
    from evalkit.report.pdf_structure import is_element, kids

    for kid in kids(node):
        if is_element(kid):
            yield kid
            yield from elements(kid)


def test_a_table_cut_by_a_page_stays_one_table(made: bytes, page: str) -> None:
    """One header, every row in it, each cell tied to headers that exist; the header drawn again is read by nothing."""
    import pikepdf

    from evalkit.report.pdf_structure import find

    with pikepdf.open(io.BytesIO(made)) as document:
        root = document.Root.StructTreeRoot
        (grid,) = find(root, "/Table")
        assert len(list(find(grid, "/THead"))) == 1
        assert len(list(find(grid, "/TR"))) == 90
        names = {bytes(cell.ID) for cell in find(grid, "/TH")}
        assert {bytes(name) for cell in find(grid, "/TD") for name in cell.A.Headers} <= names
        last = list(find(grid, "/TR"))[-1]
        assert str(next(find(last, "/TH")).A.Scope) == "/Row"
        assert len({row.Pg.objgen for row in find(grid, "/TR")}) > 1, "le tableau doit passer d'une page à l'autre"
        reached = {node.objgen for node in elements(root)}
        arrays = [array for array in list(root.ParentTree.Nums)[1::2] if isinstance(array, pikepdf.Array)]
        assert all(one is None or one.objgen in reached for array in arrays for one in array)
        assert all(b"/Artifact BMC" in one.Contents.read_bytes() for one in document.pages), "au moins les marges"
        assert document.check_pdf_syntax() == []


def test_no_row_is_cut_and_no_heading_is_left_alone() -> None:
    """Rows of many lines, headings everywhere: what would be cut goes to the next page, and the check would see it."""
    need_pdf()
    words = " ".join(["mot"] * 160)
    tall = table(["Nom", "Texte"], [[f"Ligne {n}", words] for n in range(1, 25)], caption="De hautes lignes")
    chapters = "".join(f'<h3 id="t{n}">Titre {n}</h3><p>{words}</p>' for n in range(40))
    page = make_page(Html(tall + chapters), {"q1": "Un mot."})
    made = pdf.render_pdf(page)
    assert check(made, page)["anomalies"] == []
    cut = page.replace("</head>", "<style>tr { break-inside: auto !important }</style></head>")
    found = " ; ".join(check(pdf.render_pdf(cut), cut)["anomalies"])
    assert "lignes de tableau" in found


def test_the_same_page_gives_the_same_bytes(made: bytes, page: str) -> None:
    assert pdf.render_pdf(page) == made


def test_numbers_are_read_back_with_their_no_break_spaces(made: bytes) -> None:
    import pikepdf

    from evalkit.report.check_pdf import read_tree

    said = numbers_of("\n".join(read_tree(pikepdf.open(io.BytesIO(made))).texts))
    assert said["42\u202f042,5"] == 1


def test_every_page_repeats_who_where_and_the_mark(made: bytes) -> None:
    """Territory, campaign, stamp, mark and page number, outside the reading order."""
    import pikepdf

    from evalkit.report.check_pdf import _decode, _unicode_map

    with pikepdf.open(io.BytesIO(made)) as document:
        for number, one in enumerate(document.pages, start=1):
            fonts = {name: _unicode_map(font) for name, font in one.obj.Resources.Font.items()}
            said, table_ = "", {}
            for instruction in pikepdf.parse_content_stream(one):
                if str(instruction.operator) == "Tf":
                    table_ = fonts[str(instruction.operands[0])]
                elif str(instruction.operator) in ("Tj", "TJ"):
                    parts = instruction.operands[0]
                    parts = [parts] if isinstance(parts, pikepdf.String) else parts
                    said += "".join(_decode(bytes(x), table_) for x in parts if isinstance(x, pikepdf.String))
            for words in ("Contrat de ville d’Essai", "Campagne d’essai", "DONNÉES FICTIVES", "empreinte 00ff00ff00ff"):
                assert words in said, (number, words)
            assert f"{number} / {len(document.pages)}" in said


def test_the_letters_are_ours(made: bytes) -> None:
    """The only fonts are those that come with a dependency: the same pages on any machine."""
    import pikepdf

    with pikepdf.open(io.BytesIO(made)) as document:
        names = {str(font.BaseFont) for one in document.pages for font in one.obj.Resources.Font.values()}
    assert names
    assert all("Evalkit" in name for name in names), names


def test_the_check_sees_a_letter_taken_from_the_machine(made: bytes) -> None:
    import pikepdf

    from evalkit.report.check_pdf import _fonts

    with pikepdf.open(io.BytesIO(made)) as document:
        assert _fonts(document) == []
        font = next(iter(document.pages[0].obj.Resources.Font.values()))
        font.BaseFont = pikepdf.Name("/ABCDEF+Noto-Sans-CJK")
        assert "Noto-Sans-CJK" in _fonts(document)[0]


def test_a_picture_keeps_its_pixels_and_its_palette(made: bytes) -> None:
    import pikepdf

    with pikepdf.open(io.BytesIO(made)) as document:
        (image,) = [o for o in document.objects if isinstance(o, pikepdf.Stream) and o.get("/Subtype") == "/Image"]
        assert image.ColorSpace[0] == "/Indexed"
        shown = pikepdf.PdfImage(image).as_pil_image().convert("RGB")
    assert (shown.getpixel((0, 0)), shown.getpixel((3, 3))) == ((0, 85, 140), (255, 255, 255))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('alt="Une figure."', 'alt=""', "sans texte de remplacement"),
        ('<html lang="fr">', "<html>", "langue"),
        ("th", "td", "sans en-tête"),
        ("<h3", "<h4", "saut du titre"),
    ],
)
def test_the_check_sees_what_the_page_lacks(page: str, before: str, after: str, words: str) -> None:
    """A picture without words, no language: made anyway, and said."""
    need_pdf()
    broken = re.sub(rf"(</?){before}(?=[ >])", rf"\1{after}", page) if before == "th" else page.replace(before, after)
    assert broken != page
    assert any(words in anomaly for anomaly in check(pdf.render_pdf(broken), broken)["anomalies"])


def test_the_check_sees_a_number_that_differs(made: bytes, page: str) -> None:
    found = check(made, page.replace("42\u202f042,5", "42\u202f043,5"))["anomalies"]
    assert any("42\u202f043,5" in anomaly for anomaly in found)
    assert any("42\u202f042,5" in anomaly for anomaly in found)


def test_the_check_sees_a_figure_and_a_row_that_differ(made: bytes, page: str) -> None:
    more = page.replace("</main>", f"{picture()}{table(['a'], [['b']], caption='c')}</main>")
    found = " ; ".join(check(made, more)["anomalies"])
    assert "1 figures au lieu des 2" in found
    assert "1 tableaux au lieu des 2" in found
    assert "lignes de tableau" in found


def test_nothing_is_asked_of_the_network_nor_of_the_disk(page: str, tmp_path: Any) -> None:
    """A page that points elsewhere loads nothing: neither a file of this machine nor an address."""
    need_pdf()
    secret = tmp_path / "secret.png"
    Image.new("RGB", (7, 7)).save(secret)
    hostile = page.replace("</main>", f'<p><img alt="x" src="{secret.as_uri()}"></p></main>')
    import pikepdf

    with pikepdf.open(io.BytesIO(pdf.render_pdf(hostile))) as document:
        sizes = [o.Width for o in document.objects if isinstance(o, pikepdf.Stream) and o.get("/Subtype") == "/Image"]
    assert sizes == [40]


@pytest.mark.parametrize("name", ['Pain " & </style> \\ d’été', "x} @page { content: none", "a\nb"])
def test_a_strange_name_stays_a_name(name: str) -> None:
    need_pdf()
    import pikepdf

    odd = make_page(identite={"territoire": name, "campagne": name})
    with pikepdf.open(io.BytesIO(pdf.render_pdf(odd))) as document:
        assert len(document.pages) >= 1
    assert "<" not in (style := pdf._margins(read_identity(odd)))
    assert style.count("@page") == 1


def test_numbers_are_compared_as_displayed() -> None:
    """A narrow space lost, a comma become a point, a digit more: each is another number."""
    page = numbers_of("1\u202f039 cotations, 75,5\u202f%, −3")
    assert compare_numbers(page, numbers_of("−3 ; 75,5\u202f% ; 1\u202f039")) == []
    for other in (
        "1 039 cotations, 75,5\u202f%, −3",
        "1\u202f039, 75.5, −3",
        "1\u202f039, 75,5, 3",
        "1\u202f039, 75,5",
    ):
        assert compare_numbers(page, numbers_of(other)), other


def test_a_batch_watches_every_library_that_lays_out_a_page() -> None:
    """Another version of one of them may move a line end: documents made with the old one are no longer up to date."""
    asked = [name for name in metadata.requires("weasyprint") or [] if "extra ==" not in name]
    names = {re.split(r"[ <>=!\[;]", name)[0].lower() for name in asked} - {"cffi"}  # a bridge: it draws nothing
    assert names
    assert names <= LIBRARIES
