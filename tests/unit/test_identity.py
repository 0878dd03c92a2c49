"""Name, logo and mark on every page: read safely, printed everywhere, and without a word to say on what is masked."""

from __future__ import annotations

import base64
import io
import shutil
import zlib
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image, ImageDraw

from evalkit.batch.inputs import folder_digest
from evalkit.compute.disclosure import protect
from evalkit.errors import Place
from evalkit.loaders import logo as logos
from evalkit.loaders.dossier import load_dossier
from evalkit.loaders.fingerprint import fingerprint
from evalkit.loaders.logo import DATA_PREFIX, LARGEST, read_logo
from evalkit.loaders.referentiel import load_referentiel
from evalkit.model.territory import MARQUES, Campagne
from evalkit.report import sections
from evalkit.report.consensus import render_consensus
from evalkit.report.html import STAMP_MIME, render_notebook
from evalkit.report.identity import IDENTITY_MIME, Identity, css_text, marks_of, page_header, print_style
from evalkit.report.index import render_index
from tests.fabrique import make_evaluation, make_publication, make_territory, sample_dossier

SAMPLES = Path(__file__).resolve().parents[2] / "sample_data"
HERE = Place("territoire.yml", line=5)


def picture(path: Path, size: tuple[int, int] = (900, 300), kind: str = "PNG", **options: object) -> Path:
    image = Image.new("RGB", size, (0, 80, 160))
    ImageDraw.Draw(image).ellipse((10, 10, size[1] - 10, size[1] - 10), fill=(255, 200, 0))
    image.save(path, kind, **options)
    return path


def logo_of(tmp_path: Path) -> str:
    uri, faults = read_logo(tmp_path, picture(tmp_path / "logo.png").name, HERE)
    assert not faults
    return uri


def png_of(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.removeprefix(DATA_PREFIX))))


def with_identity(tmp_path: Path, marque: str = "brouillon"):
    """A publication whose territory has a logo, a mark, and a name that tries to get out of its place."""
    territory = make_territory(
        nom='Val "brune" </style><script>', marque=marque, logo=logo_of(tmp_path), logo_texte='Logo de "Valbrune"'
    )
    publication = make_publication()
    return replace(publication, territoire=replace(territory, fictif=publication.territoire.fictif))


def page_of(publication) -> str:
    """The page of a two-cell notebook: title and stamp, as in every report notebook."""
    nb = nbformat.v4.new_notebook()
    for shown in (sections.show_title(publication), sections.show_stamp(publication)):
        bundle = shown._repr_mimebundle_()
        nb.cells.append(nbformat.v4.new_code_cell("x"))
        nb.cells[-1].outputs = [nbformat.v4.new_output("execute_result", data=bundle, execution_count=1)]
    return render_notebook(nb, titre="Essai")


# --- the logo -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "kind"), [("logo.png", "PNG"), ("Logo.JPG", "JPEG"), ("logo.jpeg", "JPEG")])
def test_a_logo_becomes_a_small_png_held_as_text(name: str, kind: str, tmp_path: Path) -> None:
    picture(tmp_path / name, kind=kind)
    uri, faults = read_logo(tmp_path, name, HERE)
    assert not faults
    image = png_of(uri)
    assert image.format == "PNG"
    assert image.size == (480, 160), "ses proportions gardées"
    assert image.width <= LARGEST[0]
    assert image.height <= LARGEST[1]


def test_what_a_camera_hides_in_a_file_stays_in_the_dossier(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "12 rue de la Mairie"
    picture(tmp_path / "logo.jpg", kind="JPEG", exif=exif)
    assert b"rue de la Mairie" in (tmp_path / "logo.jpg").read_bytes()
    uri, _ = read_logo(tmp_path, "logo.jpg", HERE)
    assert b"rue de la Mairie" not in base64.b64decode(uri.removeprefix(DATA_PREFIX))


def test_a_grey_logo_of_16_bits_keeps_its_greys(tmp_path: Path) -> None:
    """A scanner writes such files; read carelessly, every grey over 255 of 65 535 is white."""
    values = np.tile(np.array([0, 0x4000, 0x8000, 0xFFFF], dtype="uint16"), (4, 1))
    grey = Image.fromarray(values)
    grey.save(tmp_path / "logo.png")
    assert Image.open(tmp_path / "logo.png").mode == "I;16"
    uri, faults = read_logo(tmp_path, "logo.png", HERE)
    assert not faults
    assert [png_of(uri).getpixel((x, 1)) for x in range(4)] == [(v, v, v) for v in (0, 0x40, 0x80, 0xFF)]


def test_a_grey_logo_of_16_bits_keeps_what_is_clear(tmp_path: Path) -> None:
    """Its colour declared clear (tRNS) is a value of 16 bits too."""
    values = np.tile(np.array([0x1234, 0x8000], dtype="uint16"), (4, 1))
    out = io.BytesIO()
    Image.fromarray(values).save(out, "PNG")
    chunk = b"tRNS\x12\x34"
    head, body = out.getvalue()[:33], out.getvalue()[33:]  # signature and IHDR, then the rest
    clear = len(chunk[4:]).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    (tmp_path / "logo.png").write_bytes(head + clear + body)
    uri, faults = read_logo(tmp_path, "logo.png", HERE)
    assert not faults
    made = png_of(uri).convert("RGBA")
    assert [made.getpixel((x, 1))[3] for x in range(2)] == [0, 255]
    assert made.getpixel((1, 1))[:3] == (0x80, 0x80, 0x80)


@pytest.mark.parametrize("name", ["logo.img", "logo", "logo.png.bak"])
def test_a_logo_that_a_batch_would_not_see_change_is_refused(name: str, tmp_path: Path) -> None:
    """Only the pictures that ``batch.inputs`` watches: another would stay the old one in documents left as they are."""
    picture(tmp_path / name)
    uri, (fault,) = read_logo(tmp_path, name, HERE)
    assert uri == ""
    assert fault.code == "DON-050"
    assert name in fault.read
    assert "sous le type PNG" in fault.fix


def test_every_accepted_logo_is_watched_by_a_batch(tmp_path: Path) -> None:
    """The same file name with other pixels is another input, whatever the suffix that is accepted."""
    for suffix in logos.SUFFIXES:
        folder = tmp_path / suffix[1:]
        folder.mkdir()
        kind = "PNG" if suffix == ".png" else "JPEG"
        picture(folder / f"logo{suffix}", kind=kind)
        before = folder_digest(b"cle", folder)
        picture(folder / f"logo{suffix}", size=(800, 300), kind=kind)
        assert folder_digest(b"cle", folder) != before


def test_a_folder_that_bears_the_name_of_a_file_is_part_of_the_dossier(tmp_path: Path) -> None:
    """It is a fault (DON-027): once renamed, the territory must be tried again."""
    before = folder_digest(b"cle", tmp_path)
    (tmp_path / "constats.csv").mkdir()
    spoiled = folder_digest(b"cle", tmp_path)
    assert spoiled != before
    (tmp_path / "constats.csv").rename(tmp_path / "vieux")
    assert folder_digest(b"cle", tmp_path) == before


@pytest.mark.parametrize(("name", "kind"), [("logo.png", "PNG"), ("logo.jpg", "JPEG")])
def test_the_name_of_a_screen_stays_in_the_dossier(name: str, kind: str, tmp_path: Path) -> None:
    """A colour profile says which machine drew the logo: « iMac de Jeanne Dupont »."""
    profile = b"\0" * 128 + b"iMac de Jeanne Dupont"
    picture(tmp_path / name, kind=kind, icc_profile=profile, dpi=(301, 301))
    with Image.open(tmp_path / name) as before:
        assert before.info["icc_profile"] == profile, "il y a de quoi fuir"
    image = png_of(read_logo(tmp_path, name, HERE)[0])
    image.load()
    assert image.info == {}


def test_transparency_is_kept(tmp_path: Path) -> None:
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(tmp_path / "logo.png")
    assert png_of(read_logo(tmp_path, "logo.png", HERE)[0]).mode == "RGBA"


@pytest.mark.parametrize(
    ("limit", "value", "words"), [("MAX_BYTES", 100, "Mo"), ("MAX_PIXELS", 100, "900 × 300 pixels")]
)
def test_a_logo_too_big_is_refused_before_it_is_drawn(
    limit: str, value: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(tmp_path / "logo.png")
    monkeypatch.setattr(logos, limit, value)
    uri, faults = read_logo(tmp_path, "logo.png", HERE)
    assert uri == ""
    assert [fault.code for fault in faults] == ["DON-050"]
    assert words in faults[0].read
    assert "500 pixels" in faults[0].fix


@pytest.mark.parametrize("name", ["../logo.png", "..\\logo.png", "/etc/logo.png", "C:logo.png", ".evalkit", ".."])
def test_nothing_outside_the_dossier_is_read(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "valtest"
    folder.mkdir()
    picture(tmp_path / "logo.png")
    assert [fault.code for fault in read_logo(folder, name, HERE)[1]] == ["DON-050"]


def test_the_logo_of_a_lone_workbook_lies_beside_it_and_is_read_from_the_sheet(tmp_path: Path) -> None:
    import openpyxl

    campagne = tmp_path / "2022"
    campagne.mkdir()
    shutil.copy2(SAMPLES / "2022" / "campagne.yml", campagne)
    book = openpyxl.load_workbook(SAMPLES / "2022" / "ostrevelle.xlsx")
    values = {"logo": "logo.png", "logo_texte": "Logo d’Ostrevelle", "marque": "Diffusion restreinte"}
    for row in book["territoire"].iter_rows(min_row=2):
        if row[0].value in values:
            row[1].value = values.pop(row[0].value)
    assert not values, "le classeur demande ces trois clés"
    book.save(campagne / "ostrevelle.xlsx")
    picture(campagne / "logo.png")
    territory = load_dossier(campagne / "ostrevelle.xlsx", load_referentiel(), with_reference=False).territoire
    assert territory.logo.startswith(DATA_PREFIX)
    assert (territory.logo_texte, territory.marque) == ("Logo d’Ostrevelle", "diffusion_restreinte")


# --- on every page ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", MARQUES)
def test_every_page_bears_name_logo_and_mark(mark: str, tmp_path: Path) -> None:
    """Report, steering committee, meeting sheets: on screen in the header, on paper in the margins of each sheet."""
    publication = with_identity(tmp_path, mark)
    for page in (page_of(publication), render_consensus(publication)):
        soup = BeautifulSoup(page, "html.parser")
        header = soup.find("header")
        assert MARQUES[mark] in [p.get_text() for p in header.find_all("p", class_="marque")]
        assert header.find("span", class_="nom").get_text() == publication.territoire.nom
        assert header.find("img")["alt"] == 'Logo de "Valbrune"'
        assert header.find("img")["src"] == publication.territoire.logo
        style = soup.find("style").get_text()
        assert "@top-left" in style
        assert "@top-right" in style
        assert css_text(MARQUES[mark]) in style
        assert MARQUES[mark] in soup.find("meta", attrs={"name": "evalkit"})["content"]
        assert soup.find("script") is None, "un nom n'est jamais du code"


def test_the_committee_pages_carry_the_same_identity(tmp_path: Path) -> None:
    publication = with_identity(tmp_path)
    title = sections.show_committee_title(publication)._repr_mimebundle_()[IDENTITY_MIME]
    assert title == {**sections.show_title(publication)._repr_mimebundle_()[IDENTITY_MIME], "gabarit": "deux-pages"}
    assert sections.show_committee_stamp(publication)._repr_mimebundle_()[STAMP_MIME]["marques"] == marks_of(
        publication
    )


def test_without_logo_nor_mark_nothing_is_invented() -> None:
    assert page_header(Identity(), []) == ""
    assert print_style(Identity(), []) == ""
    assert "<img" not in page_header(Identity("Valbrune"), [])
    with pytest.raises(ValueError, match="read in its place"):
        Identity("Valbrune", DATA_PREFIX + "AAAA", "")
    with pytest.raises(ValueError, match="held in the page"):
        Identity("Valbrune", "https://exemple.test/logo.png", "Logo")


def test_an_index_bears_the_name_of_its_campaign() -> None:
    campagne = Campagne("2022", "Campagne d’essai", "2022.1", "2022-11-30", 2022)
    page = BeautifulSoup(render_index(campagne, [], []), "html.parser")
    assert page.find("header").get_text(strip=True) == "Campagne d’essai"


def test_a_text_in_a_style_sheet_cannot_leave_its_place() -> None:
    assert "<" not in css_text("</style><script>")
    assert '"' not in css_text('"; } body { display: none }')
    assert "\n" not in css_text("a\nb")


# --- and nothing else ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", MARQUES)
def test_a_mark_changes_nothing_of_what_is_masked(mark: str) -> None:
    """Same masks, same tables, to the last cell, on a synthetic case and on the example with small groups."""
    referentiel = load_referentiel()
    from evalkit.compute.evaluation import evaluate

    real = evaluate(referentiel, load_dossier(SAMPLES / "2022" / "morvecque", referentiel))
    for evaluation, rules in ((make_evaluation(), make_publication().referentiel.regles), (real, referentiel.regles)):
        plain = protect(evaluation, rules)
        marked = protect(replace(evaluation, territoire=replace(evaluation.territoire, marque=mark)), rules)
        assert len(plain.masques) > 0
        for name, table in plain.tables().items():
            assert marked.tables()[name].equals(table), name
        assert sections.show_masks(marked) == sections.show_masks(plain)


def test_a_draft_and_the_public_document_come_from_the_same_data(tmp_path: Path) -> None:
    """The fingerprint does not move with the dress of a document; it moves with its data."""
    dossier = sample_dossier()
    key = b"k" * 32
    dressed = replace(dossier.territoire, marque="public", logo=logo_of(tmp_path), logo_texte="Logo")
    plain = fingerprint(key, dossier.territoire, dossier.tables, {}, None)
    assert fingerprint(key, dressed, dossier.tables, {}, None) == plain
    assert fingerprint(key, replace(dressed, nom="Autre"), dossier.tables, {}, None) != plain
