"""Every document of the forty sample territories, in every format, checked by axe and by reading each file back.

Long (a quarter of an hour on two processors): ``python3 demarrer.py test --complet``, or alone, with its figures:
``pytest -m complet tests/navigateur/test_quarante.py -s``.
"""

from __future__ import annotations

import shutil
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from evalkit import actions
from evalkit.batch.runner import default_processes
from evalkit.loaders.resources import resource_dir
from evalkit.report.formats import FORMATS, Source, formats_of
from tests.navigateur.conftest import Watched
from tests.navigateur.test_accessibilite import MAX_BYTES, VIEWS, found
from tests.unit.machine import need_pdf

pytestmark = [pytest.mark.navigateur, pytest.mark.complet]
LIMITS = {"html": MAX_BYTES, "pdf": 2_000_000}


@dataclass
class Made:
    """One document in one format: what the check found, its weight, how long it took."""

    document: str
    form: str
    anomalies: list[str]
    size: int
    seconds: float


@dataclass
class Campaign:
    """All that was made of the sample campaign."""

    folder: Path
    pages: list[Path]
    made: list[Made] = field(default_factory=list)


def make_others(page: Path, dossier: Path) -> list[Made]:
    """Every other format of a page, made and read back."""
    text = page.read_bytes().decode("utf-8")
    out = []
    for name in formats_of(page.stem, FORMATS):
        start = time.perf_counter()
        content = FORMATS[name].make(Source(text, publication=lambda: actions.load_publication(dossier)))
        seconds = time.perf_counter() - start
        anomalies = FORMATS[name].check(content, text)["anomalies"]
        out.append(Made(page.stem, name, [f"{dossier.name} : {one}" for one in anomalies], len(content), seconds))
    return out


@pytest.fixture(scope="module")
def campaign(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """The forty territories, their reports and two pages, in every format (``browser`` first: it may skip)."""
    need_pdf()
    root = tmp_path_factory.mktemp("quarante")
    samples = resource_dir("sample_data")
    for year in ("2019", "2022"):
        shutil.copytree(samples / year, root / year, ignore=shutil.ignore_patterns("lot*", "publie.json"))
    result = actions.render_batch(root / "2022", root / "sorties", default_processes())
    assert result.ok
    whole = Campaign(root / "sorties", [path for path in actions.document_paths(result) if path.suffix == ".html"])
    for outcome in result.outcomes:
        size = (whole.folder / outcome.name / outcome.documents[0]).stat().st_size
        whole.made.append(Made(outcome.kind, "html", outcome.check["anomalies"], size, outcome.seconds))
    sources = {path.stem: path for path in (root / "2022").iterdir() if path.is_dir() or path.suffix == ".xlsx"}
    with ProcessPoolExecutor(default_processes()) as pool:
        for made in pool.map(make_others, whole.pages, [sources[page.parent.name] for page in whole.pages]):
            whole.made.extend(made)
    return whole


def test_every_document_of_every_territory_is_clean_and_light(campaign: Campaign) -> None:
    by: dict[tuple[str, str], list[Made]] = defaultdict(list)
    for one in campaign.made:
        by[one.document, one.form].append(one)
    print("\ndocument format  nombre  anomalies  taille médiane, plus grande (ko)  durée médiane, plus longue (s)")
    for (document, form), some in by.items():
        sizes, times = [one.size / 1000 for one in some], [one.seconds for one in some]
        print(
            f"{document:8} {form:6} {len(some):7} {sum(len(one.anomalies) for one in some):10}"
            f"  {median(sizes):8.0f} {max(sizes):8.0f}  {median(times):20.2f} {max(times):8.2f}"
        )
    assert len(by["rapport", "html"]) == 40
    assert {form: len(by["rapport", form]) for form in FORMATS} == dict.fromkeys(FORMATS, 40)
    assert {form: len(by["comite", form]) for form in ("html", "docx", "pdf")} == dict.fromkeys(
        ("html", "docx", "pdf"), 40
    )
    assert [anomaly for one in campaign.made for anomaly in one.anomalies] == []
    assert [one for one in campaign.made if one.size > LIMITS.get(one.form, MAX_BYTES)] == []


def test_axe_finds_nothing_in_any_page(campaign: Campaign, watched_page: Any, run_axe: Any) -> None:
    """WCAG 2.1 A and AA, on a telephone, on a screen, on paper; good practices counted apart."""
    violations: dict[str, Any] = {}
    practices: dict[str, Any] = {}
    passed = 0
    for width, medium in VIEWS.values():
        opened: Watched = watched_page(width=width, bypass_csp=True)
        for path in campaign.pages:
            opened.page.goto(path.as_uri(), wait_until="load")
            opened.page.emulate_media(media=medium)
            results = run_axe(opened.page)
            name = f"{path.parent.name}/{path.name}, {width} px, {medium}"
            passed += len(results["passes"])
            violations |= {name: bad} if (bad := found(results, "violations")) else {}
            practices |= {name: bad} if (bad := found(results, "violations", best_practice=True)) else {}
    audits = len(campaign.pages) * len(VIEWS)
    print(
        f"\naxe : {audits} pages lues, {passed} règles passées, {len(violations)} pages en défaut, {len(practices)} à améliorer"
    )
    assert violations == {}
    assert practices == {}
