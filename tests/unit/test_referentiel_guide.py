"""The guide « Ajouter un indicateur » works as written: its two YAML blocks are taken from the page and run."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from evalkit.compute.formulas import Entry, compute_indicator
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.resources import resource_dir
from evalkit.loaders.yaml_files import parse_yaml
from evalkit.model.referentiel import Referentiel

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "ajouter-un-indicateur.md"
ENTRY, CASES = re.findall(r"^```yaml\n(.*?)^```", GUIDE.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def cases() -> list[dict[str, Any]]:
    document, faults = parse_yaml(CASES, GUIDE)
    assert document is not None
    assert faults == []
    return document.data


def entry_of(table: str) -> Entry:
    header, row = ([cell.strip() for cell in line.strip().strip("|").split("|")] for line in table.strip().splitlines())
    cells = dict(zip(header, row, strict=True))
    numbers = {key: float(cells[name]) for key, name in NUMBERS.items() if cells.get(name)}
    return Entry(**numbers, silence=cells.get("silence", ""))


NUMBERS = {"year": "annee", "value": "valeur", "numerator": "numerateur", "denominator": "denominateur"}


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Referentiel:
    target = tmp_path_factory.mktemp("guide") / "referentiel"
    shutil.copytree(resource_dir("referentiel"), target)
    question = target / "modules" / "cooperations" / "q1-gouvernance.yml"
    question.write_text(question.read_text("utf-8") + ENTRY, "utf-8")
    return load_referentiel(target)


def test_the_entry_of_the_guide_is_loaded(extended):
    """The new indicator is the last of Q1.6, and the only change."""
    before = list(load_referentiel().indicateurs)
    assert [code for code in extended.indicateurs if code not in before] == ["Q1.6.d"]
    assert extended.sous_questions["Q1.6"].indicateurs[-1].code == "Q1.6.d"


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["nom"])
def test_the_cases_of_the_guide_hold(case, extended):
    (result,) = compute_indicator(extended.indicateurs[case["indicateur"]], [entry_of(case["donnees"])])
    expected = case["attendu"]
    assert result.status == expected["statut"]
    assert result.value == pytest.approx(
        expected["valeur"] if expected["valeur"] is not None else float("nan"), nan_ok=True
    )
