"""The steering committee's pages, printed: two sides of A4, whatever the territory."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest

from evalkit import actions
from evalkit.compute.results import Publication
from evalkit.loaders.dossier import list_dossiers
from evalkit.loaders.resources import resource_dir
from evalkit.report import sections
from evalkit.report.check_pdf import check_pdf
from evalkit.report.html import render_notebook
from evalkit.report.pdf import render_pdf
from evalkit.report.word import render_docx
from tests.unit.machine import laid_out, need_pdf

pytestmark = pytest.mark.navigateur
A4 = "595 842"  # points
LONG_NAME = (
    "Contrat de ville de la communauté d’agglomération des Pays de la Haute-Brune, du Val-Traînant et des Deux-Moulins"
)


def print_pages(page: Any) -> list[str]:
    """Sizes in points of the sheets that Chromium prints of an open page, as its own print dialog would."""
    pdf = page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/Type\s*/Page\b[^s].*?/MediaBox\s*\[([^\]]*)\]", pdf, re.DOTALL)
    return [" ".join(str(round(float(number))) for number in box.split()[2:]) for box in boxes]


def committee_page(publication: Publication) -> str:
    """The page of ``notebooks/comite.ipynb`` for a publication, its cells run here rather than in a kernel."""
    nb = nbformat.read(resource_dir("notebooks") / "comite.ipynb", as_version=4)
    for cell in nb.cells:
        called = re.match(r"evalkit\.(show_\w+)\(publication\)$", cell.source) if cell.cell_type == "code" else None
        if called:
            shown = getattr(sections, called[1])(publication)
            bundle = shown._repr_mimebundle_() if hasattr(shown, "_repr_mimebundle_") else {"text/html": str(shown)}
            cell.outputs = [nbformat.v4.new_output("execute_result", data=bundle, execution_count=1)]
    return render_notebook(nb, titre=f"Comité de pilotage : {publication.territoire.nom}")


def test_two_sides_of_a4_on_every_teaching_case(rendered: Path, teaching_cases: list[str], watched_page: Any) -> None:
    page = watched_page().page
    for name in teaching_cases:
        page.goto((rendered / name / "comite.html").as_uri())
        assert print_pages(page) == [A4, A4], name


def test_the_run_of_the_notebook_gives_the_page_that_is_measured_here(
    rendered: Path, teaching_cases: list[str]
) -> None:
    dossier = rendered.parent / "2022" / teaching_cases[1]
    page = (rendered / teaching_cases[1] / "comite.html").read_text(encoding="utf-8")
    assert committee_page(actions.load_publication(dossier)) == page


def worst(name: str) -> Publication:
    """The worst a pilot can do: a name of three lines, words that go on well past what is printed, every questionnaire."""
    publication = actions.load_publication(resource_dir("sample_data") / "2022" / name)
    surveys = actions.load_publication(resource_dir("sample_data") / "2022" / "ardelle").enquetes
    findings = publication.constats.assign(
        texte=publication.constats["texte"] + " Et bien d’autres mots encore" * 30,
        responsable=publication.constats["responsable"].where(
            publication.constats["responsable"].isna(), "direction générale adjointe chargée de la cohésion " * 5
        ),
    )
    territory = replace(publication.territoire, nom=LONG_NAME, marque="diffusion_restreinte")
    return replace(publication, territoire=territory, constats=findings, enquetes=surveys)


@pytest.mark.parametrize("name", ["wastrelles", "houdrincq"])
def test_two_sides_also_with_a_long_name_and_long_recommendations(name: str, watched_page: Any, tmp_path: Path) -> None:
    """On paper from the browser, in PDF, and in Word as LibreOffice lays it out."""
    need_pdf()
    import pikepdf

    source = committee_page(worst(name))
    page = watched_page().page
    page.set_content(source)
    assert print_pages(page) == [A4, A4]
    content = render_pdf(source)
    assert check_pdf(content, source)["anomalies"] == []
    word = tmp_path / "comite.docx"
    word.write_bytes(render_docx(source))
    with pikepdf.open(laid_out(word, tmp_path)) as pdf:
        assert len(pdf.pages) == 2


@pytest.mark.complet
def test_two_sides_on_the_forty_examples(watched_page: Any) -> None:
    page = watched_page().page
    found = {}
    for dossier in list_dossiers(resource_dir("sample_data") / "2022"):
        page.set_content(committee_page(actions.load_publication(dossier)))
        found[dossier.stem] = print_pages(page)
    assert len(found) == 40
    assert {name: sheets for name, sheets in found.items() if sheets != [A4, A4]} == {}
