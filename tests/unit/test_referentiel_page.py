"""The reference page: up to date, readable, and honest about what is sourced."""

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from evalkit.documents.reference_page import (
    STATUTS,
    render_reference_html,
    render_reference_markdown,
    write_generated,
)
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.resources import resource_dir
from evalkit.model.referentiel import Referentiel

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "referentiel.md"


@pytest.fixture(scope="module")
def referentiel() -> Referentiel:
    return load_referentiel()


@pytest.fixture(scope="module")
def page(referentiel) -> str:
    return render_reference_markdown(referentiel)


def test_the_checked_in_page_is_up_to_date(page):
    assert PAGE.read_text("utf-8") == page, "python -m evalkit.documents.reference_page"


def test_everything_is_there(referentiel, page):
    """Each code, each label, each descriptor, each rule, each source."""
    plain = re.sub(r"\\(.)", r"\1", page)
    for sub in referentiel.sous_questions.values():
        assert f"#### {sub.code} — {sub.titre}" in plain
        assert all(text in plain for text in sub.echelle.niveaux.values())
    assert all(f"**{code} — {item.libelle}.**" in plain for code, item in referentiel.indicateurs.items())
    assert all(rule.libelle in plain for rule in referentiel.regles)
    assert all(f"- **{source.code}** :" in plain for source in referentiel.sources)
    assert referentiel.avertissement in plain


def test_origin_is_said_as_often_as_there_are_objects(referentiel, page):
    """Modules, questions, sub-questions, ladders, indicators and the scale each say where they come from."""
    objects = len(referentiel.modules) + 6 + 2 * len(referentiel.sous_questions) + len(referentiel.indicateurs) + 1
    said = re.findall(r"\*\*Origine(?: :)?\*\*(?: :)? (\w+)\.", page)
    assert len(said) == objects
    assert set(said) == {name for name, _ in STATUTS.values()}


def test_nothing_technical_reaches_the_reader(page):
    found = re.search(r"\b(None|nan|Formule\.|StrEnum)\b|\n\n\n|\.\. ", page)
    assert not found, found


def test_html_is_accessible_and_alone(referentiel):
    soup = BeautifulSoup(render_reference_html(referentiel), "html.parser")
    assert soup.html is not None
    assert soup.html["lang"] == "fr"
    levels = [int(title.name[1]) for title in soup.find_all(re.compile("^h[1-6]$"))]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert all(cell.get("scope") for cell in soup.find_all("th"))
    assert all(table.caption for table in soup.find_all("table"))
    assert not soup.find_all(["script", "img", "link"])
    anchors = [title["id"] for title in soup.find_all(id=True)]
    assert len(anchors) == len(set(anchors))


def test_text_of_the_framework_stays_text(referentiel):
    """A label with marks of HTML or Markdown changes nothing around it."""
    odd = referentiel.model_copy(update={"libelle": "<b>a|b</b> & *c*"})
    assert "&lt;b&gt;a|b&lt;/b&gt; &amp; *c*" in render_reference_html(odd)
    assert "# &lt;b>a\\|b&lt;/b> & \\*c\\*" in render_reference_markdown(odd)


def test_writing_again_changes_nothing(tmp_path, page):
    """The generator writes what is checked in."""
    copy = tmp_path / "referentiel"
    shutil.copytree(resource_dir("referentiel"), copy)
    written = write_generated(tmp_path, copy)
    assert (tmp_path / "docs/reference/referentiel.md") in written
    assert (tmp_path / "docs/reference/referentiel.md").read_text("utf-8") == page
