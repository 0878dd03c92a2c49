"""axe-core over the pages of a campaign, on a telephone, on a screen and on paper; then what axe does not see.

axe passes an alternative text that says nothing, a table that vanished, an order of reading that jumps: these have tests of
their own. Nothing here claims conformity: docs/comprendre/accessibilite.md says what is checked, and what is not.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.navigateur.conftest import Watched

pytestmark = pytest.mark.navigateur
DOCUMENTS = ("rapport", "comite", "synthese", "index", "consensus")
VIEWS = {"320 px": (320, "screen"), "1280 px": (1280, "screen"), "papier": (794, "print")}
MAX_BYTES = 2_500_000
Open = Callable[..., Watched]


@pytest.fixture(params=VIEWS)
def view(request: pytest.FixtureRequest) -> tuple[int, str]:
    return VIEWS[request.param]


@pytest.fixture(params=DOCUMENTS)
def document(request: pytest.FixtureRequest, documents: dict[str, Path]) -> Path:
    return documents[request.param]


@pytest.fixture
def shown(document: Path, view: tuple[int, str], watched_page: Open) -> Any:
    width, media = view
    page = watched_page(width=width, bypass_csp=True).page
    page.goto(document.as_uri(), wait_until="load")
    page.emulate_media(media=media)
    return page


def found(results: dict[str, Any], kind: str, *, best_practice: bool = False) -> dict[str, list[str]]:
    """Rules that axe reports, with the elements: those of WCAG A and AA, or the good practices it adds to them."""
    return {
        rule["id"]: [node["html"][:120] for node in rule["nodes"]]
        for rule in results[kind]
        if ("best-practice" in rule["tags"]) is best_practice
    }


# --- axe ----------------------------------------------------------------------------------------------------------------


def test_no_violation_of_wcag_a_and_aa(shown: Any, run_axe: Callable[[Any], dict[str, Any]]) -> None:
    results = run_axe(shown)
    assert found(results, "violations") == {}
    assert len(results["passes"]) >= 20, "axe a bien lu la page"


def test_good_practices_are_followed_too(shown: Any, run_axe: Callable[[Any], dict[str, Any]]) -> None:
    """Listed apart: they are not in WCAG."""
    assert found(run_axe(shown), "violations", best_practice=True) == {}


def test_axe_is_left_with_nothing_to_decide(shown: Any, run_axe: Callable[[Any], dict[str, Any]]) -> None:
    """But the contrast of a lone figure, or of what a wide table has scrolled out of sight: measured by the next test."""
    undecided = found(run_axe(shown), "incomplete")
    undecided.pop("color-contrast", None)
    assert undecided == {}


# Contrast of each element that holds words of its own, against the nearest background that is not transparent.
FAINT = """() => {
    const parts = c => c.match(/[0-9.]+/g).map(Number);
    const light = c => { const v = parts(c).slice(0, 3).map(x => x / 255).map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
        return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
    const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
        if ((parts(c)[3] ?? 1) > 0) return c; } return 'rgb(255, 255, 255)'; };
    const words = e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    const measured = [...document.querySelectorAll('body *')].filter(e => words(e) && e.checkVisibility()).map(e => {
        const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => x - y);
        return [(b + 0.05) / (a + 0.05), e.outerHTML.slice(0, 80)]; });
    return [measured.length, measured.filter(([ratio]) => ratio < 4.5)]; }"""


def test_every_word_is_measured_at_four_and_a_half_to_one(shown: Any) -> None:
    count, faint = shown.evaluate(FAINT)
    assert count > 10
    assert faint == []


@pytest.mark.parametrize(
    ("breakage", "rule"),
    [
        ("document.documentElement.removeAttribute('lang')", "html-has-lang"),
        ("document.images[0].removeAttribute('alt')", "image-alt"),
        ("document.querySelector('main p').style.color = '#c9cfd6'", "color-contrast"),
        ("document.querySelector('main a').textContent = ''", "link-name"),
    ],
)
def test_axe_sees_a_page_broken_on_purpose(
    breakage: str,
    rule: str,
    documents: dict[str, Path],
    watched_page: Open,
    run_axe: Callable[[Any], dict[str, Any]],
) -> None:
    page = watched_page(bypass_csp=True).page
    page.goto(documents["comite"].as_uri())
    page.evaluate(f"() => {{ {breakage} }}")
    assert rule in found(run_axe(page), "violations")


# --- reading order, keyboard --------------------------------------------------------------------------------------------

# What is read, in the order of the document: top, left and words of each block.
BLOCKS = """() => [...document.querySelectorAll('main :is(h1,h2,h3,h4,p,li,figure,table,dt)')]
    .filter(e => e.checkVisibility() && !e.closest('.defile:not(:scope)')?.closest('li'))
    .map(e => { const r = e.getBoundingClientRect(); return [r.top + scrollY, r.left, e.tagName + ' ' + e.textContent.slice(0, 40)]; })"""
ACTIVE = """() => { const e = document.activeElement; const s = getComputedStyle(e); const r = e.getBoundingClientRect();
    return e === document.body ? null : {
        rank: [...document.querySelectorAll('*')].indexOf(e), top: r.top + scrollY, outline: s.outlineStyle,
        seen: r.width > 0 && r.height > 0 && r.right > 0, name: e.tagName + ' ' + (e.ariaLabel || e.textContent).slice(0, 50)}; }"""


def test_what_is_read_goes_down_the_page(shown: Any) -> None:
    """The order of the document is the order of the eye, down the page or on to the next column."""
    blocks = shown.evaluate(BLOCKS)
    assert len(blocks) > 5
    backwards = [(a, b) for a, b in pairwise(blocks) if b[0] < a[0] - 1 and b[1] <= a[1]]
    assert backwards == []


@pytest.mark.parametrize("width", [320, 1280])
def test_a_keyboard_alone_goes_through_the_whole_page(width: int, document: Path, watched_page: Open) -> None:
    """Every link, table and data panel once, in the order of the document, visible, with a visible focus; none traps."""
    page = watched_page(width=width).page
    page.goto(document.as_uri(), wait_until="load")
    stops: list[dict[str, Any]] = []
    for _ in range(400):
        page.keyboard.press("Tab")
        stop = page.evaluate(ACTIVE)
        if stop is None or (stops and stop["rank"] == stops[0]["rank"]):
            break
        stops.append(stop)
    else:
        pytest.fail("le clavier ne sort pas de la page")
    ranks = [stop["rank"] for stop in stops]
    assert ranks == sorted(set(ranks))
    assert [stop["name"] for stop in stops if not stop["seen"]] == []
    assert [stop["name"] for stop in stops if stop["outline"] == "none"] == []
    reachable = page.evaluate("() => document.querySelectorAll('a[href], [tabindex=\"0\"], summary').length")
    assert len(stops) >= reachable
    assert page.evaluate("() => document.querySelectorAll('[tabindex]:not([tabindex=\"0\"])').length") == 0


# --- reflow, paper ------------------------------------------------------------------------------------------------------

SPACED = """() => { const s = new CSSStyleSheet(); s.replaceSync(
    '* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; } p { margin-bottom: 2em !important; }');
    document.adoptedStyleSheets = [s]; }"""
WIDE = """() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"""
CUT = """() => [...document.querySelectorAll('main :is(p,li,h1,h2,h3,dd,dt), header p')]
    .filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'visible')
    .map(e => e.textContent.slice(0, 40))"""


@pytest.mark.parametrize("spaced", [False, True], ids=["texte normal", "texte espacé"])
def test_nothing_scrolls_sideways_but_tables_and_charts(spaced: bool, document: Path, watched_page: Open) -> None:
    """320 px, also with the spacing of WCAG 1.4.12: no word is cut and the page does not move sideways."""
    page = watched_page(width=320, bypass_csp=True).page
    page.goto(document.as_uri(), wait_until="load")
    if spaced:
        page.evaluate(SPACED)
    content, width = page.evaluate(WIDE)
    assert content <= width
    assert page.evaluate(CUT) == []


def test_each_chart_is_followed_by_its_values_even_closed_on_screen(document: Path, watched_page: Open) -> None:
    """On paper the table of every chart is printed, whatever the reader did on the screen; the page has no script to help."""
    page = watched_page(bypass_csp=True).page
    page.goto(document.as_uri(), wait_until="load")
    page.evaluate("() => document.querySelectorAll('details').forEach(d => d.removeAttribute('open'))")
    page.emulate_media(media="print")
    figures = page.locator("figure")
    for figure in figures.all():
        assert figure.locator("img").count() == 1
        table = figure.locator("table").first
        assert table.locator("tbody tr").count() > 0
        box = table.bounding_box()
        assert box is not None
        assert box["height"] > 10
        picture = figure.locator("img").bounding_box()
        assert picture is not None
        assert box["y"] >= picture["y"] + picture["height"], "après le graphique"


def test_a_document_stays_light(document: Path) -> None:
    assert document.stat().st_size < MAX_BYTES
