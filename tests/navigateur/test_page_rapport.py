"""A rendered report in a real browser: nothing asked for, nothing wrong, readable on a telephone and by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.navigateur
OVERFLOWING = """() => [...document.querySelectorAll('body *')]
    .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .filter(e => !e.closest('.defile') && !e.closest('.evite'))
    .map(e => e.tagName + '.' + e.className).slice(0, 8)"""


@pytest.fixture(scope="session")
def report(documents: dict[str, Path]) -> Path:
    """The report of the ordinary example, with a logo and a mark."""
    return documents["rapport"]


@pytest.fixture(params=[320, 1280], ids="{} px".format)
def opened(request: pytest.FixtureRequest, report: Path, watched_page: Callable[..., Any]) -> Any:
    watched = watched_page(width=request.param)
    watched.page.goto(report.as_uri(), wait_until="load")
    return watched


def test_nothing_is_asked_for_and_nothing_is_wrong(opened: Any, report: Path) -> None:
    assert opened.errors == []
    assert opened.outside(report.as_uri()) == []


def test_the_page_does_not_scroll_sideways(opened: Any) -> None:
    width, content = opened.page.evaluate(
        "() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]"
    )
    assert content <= width, opened.page.evaluate(OVERFLOWING)


def test_one_title_and_every_picture_is_there(opened: Any) -> None:
    assert opened.page.locator("h1").count() == 1
    broken = "() => [...document.images].filter(i => !i.complete || !i.naturalWidth || !i.alt.trim()).length"
    assert opened.page.evaluate("() => document.images.length") > 0
    assert opened.page.evaluate(broken) == 0


def test_the_first_tab_reaches_the_skip_link_and_it_works(opened: Any) -> None:
    page = opened.page
    page.keyboard.press("Tab")
    target = page.evaluate("() => document.activeElement.getAttribute('href')")
    assert target is not None
    assert target.startswith("#")
    assert page.evaluate("() => document.activeElement.getBoundingClientRect().left") >= 0, (
        "visible quand il a le focus"
    )
    page.keyboard.press("Enter")
    assert page.evaluate("() => decodeURIComponent(location.hash)") == target
    assert page.locator(target).count() == 1


def test_the_keyboard_is_never_trapped(opened: Any) -> None:
    """Tab goes through links and scrolling tables, forward, without staying on the same one."""
    page = opened.page
    seen = []
    for _ in range(12):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("() => [...document.querySelectorAll('*')].indexOf(document.activeElement)"))
    assert seen == sorted(set(seen))
