"""HTML of a report: escaping, tables, figures, the page made from a notebook."""

import doctest
import json
import re
from types import SimpleNamespace

import nbformat
import pandas as pd
import pytest

from evalkit.report import html
from evalkit.report.html import STAMP_MIME, Absent, Html, Stamped, figure, free_text, heading, render_notebook, table

HOSTILE = [
    "<script>alert(1)</script>",
    "Pain & chocolat",
    "\"guillemets\" et 'apostrophes'",
    "🙂 été",
    "x" * 5000,
    "$x^2$ et *gras* _souligné_ # titre [lien](http://exemple.test)",
    "</td></table><h1>Intrus</h1>",
    "nul\x00 et retour\x08",
]


def notebook(*outputs, markdown=("## Méthode",)):
    """An executed notebook: a stamp, the given HTML outputs, Markdown cells."""
    nb = nbformat.v4.new_notebook()
    stamp = Stamped("<p>Cachet</p>", {"empreinte": "00ff", "marques": ["DONNÉES FICTIVES"]})
    cells = [*outputs, *[("md", text) for text in markdown], stamp]
    for item in cells:
        if isinstance(item, tuple):
            nb.cells.append(nbformat.v4.new_markdown_cell(item[1]))
            continue
        data = {"text/html": str(item), "text/plain": repr(item)}
        if isinstance(item, Stamped):
            data[STAMP_MIME] = item.stamp
        cell = nbformat.v4.new_code_cell("evalkit.show_x(publication)")
        cell.outputs = [
            nbformat.v4.new_output("stream", name="stderr", text="Traceback /chemin/secret"),
            nbformat.v4.new_output("execute_result", data=data, execution_count=3),
        ]
        cell.metadata["papermill"] = {"start_time": "2026-01-01T00:00:00", "duration": 1.5}
        nb.cells.append(cell)
    nb.metadata["papermill"] = {"output_path": "/chemin/secret.ipynb", "start_time": "2026-01-01"}
    return nb


def chart(**changes):
    """Something with the fields of a chart."""
    values = {
        "identifiant": "fig-essai",
        "titre": "Titre du graphique",
        "alt": 'Trois groupes ; le plus haut à 4 "net".',
        "png": b"\x89PNG",
        "largeur_px": 640,
        "hauteur_px": 200,
        "unite": "niveau",
        "base": "12 cotations",
        "source": "atelier",
        "note": "",
        "donnees": pd.DataFrame({"Groupe": ["Communes"], "Médiane": ["3"]}),
    }
    return SimpleNamespace(**{**values, **changes})


def test_doctests_of_html_pass():
    """The examples of the module are true."""
    assert doctest.testmod(html).failed == 0


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_typed_by_people_stays_text(text):
    """Nothing typed becomes markup, whether in a paragraph, a cell or a caption."""
    from bs4 import BeautifulSoup

    fragment = free_text(text) + table(["Clé", "Texte"], [[text, text]], caption=text)
    page = render_notebook(notebook(Html("<h1>Titre</h1>"), Html(fragment)), titre=text)
    soup = BeautifulSoup(page, "html.parser")
    assert soup.find("script") is None
    assert [h.get_text() for h in soup.find_all("h1")] == ["Titre"]
    assert soup.find("a", href=re.compile("http")) is None
    assert "\x00" not in page
    assert soup.find("span", class_="texte-libre").get_text() == re.sub("[\x00\x08]", "", text)


def test_long_words_cannot_push_the_page_aside():
    """5,000 characters without a space are broken by the style sheet."""
    page = render_notebook(notebook(Html("<h1>Titre</h1>")), titre="Essai")
    assert "overflow-wrap: anywhere" in page


def test_a_table_has_caption_scopes_and_a_scrolling_region():
    """A screen reader hears what a table is, and each cell's headers; a keyboard can scroll it."""
    fragment = table(["Groupe", "n"], [["Communes", "5"], ["État", Absent("secret")]], caption="Réponses", numeric=(1,))
    assert '<caption>Réponses</caption><thead><tr><th scope="col">Groupe</th>' in fragment
    assert fragment.count('scope="row"') == 2
    assert 'tabindex="0" role="region" aria-label="Tableau : Réponses"' in fragment.replace("\xa0", " ")
    assert '<td class="nombre absent">secret</td>' in fragment


def test_an_empty_table_is_never_printed():
    """No row, no table."""
    assert table(["a", "b"], [], caption="Vide") == ""


def test_a_figure_states_what_it_shows_and_gives_its_data():
    """Alternative text, caption and the same values as a table, open so that they are printed."""
    fragment = figure(chart())
    assert 'alt="Trois groupes ; le plus haut à 4 &quot;net&quot;."' in fragment
    assert '<details open="open">' in fragment
    assert '<th scope="row">Communes</th><td>3</td>' in fragment
    assert "Unité : niveau." in fragment.replace("\xa0", " ")
    assert figure(None) == ""


def test_the_page_keeps_every_output_and_hides_inputs_paths_and_streams():
    """Outputs of cells are printed (pitfall of the base template); inputs, times, paths and streams are not."""
    one = table(["a", "b"], [["x", "1"]], caption="Un")
    page = render_notebook(notebook(Html("<h1>Titre</h1>"), one, figure(chart())), titre="Essai")
    assert page.count("<table") == 2
    assert page.count("<figure") == 1
    for hidden in ("show_x", "secret", "2026-01-01", "Traceback", "<Html>", "No description"):
        assert hidden not in page, hidden


def test_the_page_loads_nothing_and_runs_nothing():
    """No script, no external reference: the page is whole, and its policy says so."""
    page = render_notebook(notebook(Html("<h1>Titre</h1>"), figure(chart())), titre="Essai")
    assert "<script" not in page
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page)
    assert "@import" not in page
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:" in page
    assert '<html lang="fr">' in page


def test_the_stamp_ends_in_a_meta_and_its_marks_on_the_page():
    """The stamp is read back from the page as data."""
    from bs4 import BeautifulSoup

    page = render_notebook(notebook(Html("<h1>Titre</h1>")), titre="Essai", marques=("BROUILLON",))
    soup = BeautifulSoup(page, "html.parser")
    assert json.loads(soup.find("meta", attrs={"name": "evalkit"})["content"])["empreinte"] == "00ff"
    assert [p.get_text() for p in soup.find_all("p", class_="marque")] == ["DONNÉES FICTIVES", "BROUILLON"]
    assert re.search(r"@media print \{.*position: fixed", page, re.DOTALL)


def test_no_stamp_no_page():
    """A document without a stamp is refused."""
    with pytest.raises(ValueError, match="stamp"):
        render_notebook(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Titre")]), titre="x")


def test_contents_cover_headings_made_by_outputs_with_ascii_anchors():
    """The table of contents links Markdown headings and those that sections produced, twice the same included."""
    outputs = [Html("<h1>Titre</h1>"), heading(2, "Équité & suites"), heading(2, "Méthode")]
    page = render_notebook(notebook(*outputs), titre="Essai")
    links = re.findall(r'<li><a href="#([^"]+)">([^<]+)</a>', page)
    expected = [("equite-suites", "Équité &amp; suites"), ("methode", "Méthode"), ("methode-2", "Méthode")]
    assert links == expected
    for anchor, _ in links:
        assert page.count(f'id="{anchor}"') == 1


@pytest.mark.parametrize("levels", [[], [2], [1, 1], [2, 1], [1, 3], [1, 2, 4]])
def test_headings_that_do_not_make_a_plan_are_refused(levels):
    """One h1, first; no level jumped on the way down."""
    with pytest.raises(ValueError, match=r"h1|jumps"):
        html.check_headings(levels)


def test_headings_may_go_back_up_freely():
    """A chapter may end at any depth."""
    html.check_headings([1, 2, 3, 4, 2, 3])


def test_notices_to_the_user_of_the_notebook_are_not_in_the_document():
    """Cells tagged « notice » are read in JupyterLab only."""
    nb = notebook(Html("<h1>Titre</h1>"))
    nb.cells.insert(0, nbformat.v4.new_markdown_cell("# Mode d'emploi", metadata={"tags": ["notice"]}))
    assert "Mode d'emploi" not in render_notebook(nb, titre="Essai")


def test_a_bare_picture_without_alternative_text_is_refused():
    """A picture that says nothing to a blind reader does not pass."""
    nb = notebook(Html("<h1>Titre</h1>"))
    picture = nbformat.v4.new_output("display_data", data={"image/png": "iVBORw0KGgo="}, metadata={})
    nb.cells[0].outputs.append(picture)
    with pytest.raises(ValueError, match="alternative text"):
        render_notebook(nb, titre="Essai")


def test_same_outputs_same_bytes():
    """Nothing in the page comes from the clock, the path or the run."""
    first = render_notebook(notebook(Html("<h1>Titre</h1>")), titre="Essai")
    again = notebook(Html("<h1>Titre</h1>"))
    again.metadata["papermill"] = {"output_path": "/ailleurs"}
    assert render_notebook(again, titre="Essai") == first


TRICKY_PAGES = (
    "",
    "<p>5 < 6 et 7 > 2 <b>gras</b>",
    '<HTML LANG="fr"><h1>a</h1><h3>b</h3><IMG ALT=x SRC=data:,><img alt="" src=data:x><img src="http://x/y.png">',
    "<html lang=fr><table><tr><th>a</table><table><caption>x</caption><tr><th scope=col>a<table><tr><td></table></table>",
    '<script src="a>b">if(a<b){"<img>"}</script><style>@import url(x); a>b{}</style><!-- <img> --><link href=\'#a\'>',
    '<object data="x.pdf"></object><iframe src=\'https://ailleurs\'></iframe><h1 title="a>b">x</h1><!-- sans fin <img>',
    '<meta name="evalkit" content="{&quot;fictif&quot;: true}"><img alt="d&#39;un « > »" src="data:,">',
)


@pytest.mark.parametrize("page", TRICKY_PAGES)
def test_the_check_sees_what_a_general_reader_of_html_sees(page):
    """The check reads tags by itself: it must find what BeautifulSoup finds, quotes, comments and scripts included."""
    from bs4 import BeautifulSoup

    from evalkit.report.check import check_page

    soup = BeautifulSoup(page, "html.parser")
    found = check_page(page)
    wanted = {"figures": "img", "tableaux": "table", "titres": ["h1", "h2", "h3", "h4", "h5", "h6"]}
    assert {name: found["comptes"][name] for name in wanted} == {
        name: len(soup.find_all(tags)) for name, tags in wanted.items()
    }
    faults = found["anomalies"]
    assert faults.count("un script") == len(soup.find_all("script"))
    loading = [
        tag.get("src") or tag.get("href") or tag.get("data")
        for tag in soup.find_all(["img", "link", "iframe", "object"])
    ]
    outside = [target for target in loading if target and not target.startswith(("data:", "#"))]
    assert sum("extérieure" in fault for fault in faults) == len(outside)
    without = [image for image in soup.find_all("img") if not image.get("alt")]
    assert sum("texte de remplacement" in fault for fault in faults) == len(without)
    tables = soup.find_all("table")
    assert sum("sans titre" in fault for fault in faults) == sum(not table.find("caption") for table in tables)
    loose = [table for table in tables if any(not header.get("scope") for header in table.find_all("th"))]
    assert sum("pas relié" in fault for fault in faults) == len(loose)
    assert ("une feuille de style appelle une adresse" in faults) == ("@import" in page)
    assert ("langue de la page non déclarée" in faults) == (soup.html is None or soup.html.get("lang") != "fr")
    assert found["fictif"] == ("fictif" in page)
