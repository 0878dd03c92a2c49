"""docs/comprendre/accessibilite.md names real tests, places every criterion, and claims nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "comprendre" / "accessibilite.md").read_text(encoding="utf-8")
ROWS = [line.split("|")[1:-1] for line in PAGE.splitlines() if re.match(r"\| \d", line)]
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", PAGE))))
def test_every_test_that_the_page_names_exists(name: str) -> None:
    assert re.search(rf"^def {name}\(", TESTS, re.MULTILINE), name


def test_every_criterion_says_by_what_it_is_checked() -> None:
    assert len(ROWS) > 30
    for criterion, demand, by, _ in ROWS:
        assert re.search(r"machine|œil|non vérifié|voir les formats", by), criterion
        assert demand.strip()


def test_no_conformity_is_claimed() -> None:
    assert "ne déclare aucune conformité" in PAGE
    assert not re.search(r"\best conforme\b|\bsont conformes\b|conformité (totale|partielle)", PAGE)
