"""A report almost the same as the last one: said before it is made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from evalkit import actions
from evalkit.batch.runner import Outcome
from evalkit.compute.disclosure_bases import Difference, differencing_risk, published_bases
from tests.fabrique import make_evaluation, make_publication

ROOT = Path(__file__).resolve().parents[2]
FAULTY = ROOT / "tests" / "fichiers_fautifs" / "DON-110-base-voisine"


def test_bases_that_moved_by_one_to_ten():
    previous = {"a": 30, "b": 30, "c": 30, "d": 30, "gone": 12}
    current = {"a": 30, "b": 31, "c": 20, "d": 41, "new": 15}
    assert differencing_risk(previous, current, 11) == [Difference("b", 30, 31), Difference("c", 30, 20)]


def test_hidden_figures_have_no_base():
    publication = make_publication()
    bases = published_bases(publication)
    hidden = publication.groupes[publication.groupes["statut"] == "secret"]
    assert not hidden.empty
    for row in hidden.to_dict("records"):
        assert f"cotations · {row['sous_question']} · {row['groupe']}" not in bases
    assert bases["cotations · Q1.1 · association"] == 12
    with pytest.raises(TypeError):
        published_bases(make_evaluation())


def test_warning_before_a_second_report(tmp_path, monkeypatch):
    """DON-110 is told with its place and its cure; the new bases replace the old ones, and hold numbers only."""
    for part in ("2022/ardelle", "2019/ardelle"):
        shutil.copytree(ROOT / "sample_data" / part, tmp_path / part)
    for part in ("2022/campagne.yml", "2022/reference_regionale.json", "2019/campagne.yml"):
        shutil.copy(ROOT / "sample_data" / part, tmp_path / part)
    dossier = tmp_path / "2022" / "ardelle"
    monkeypatch.setattr("evalkit.batch.runner.render_task", lambda task, *_: Outcome(task.name, "rapport", True))
    said: list[str] = []
    actions.render_report(dossier, tmp_path / "sorties", said.append)
    assert not any("DON-110" in text for text in said)
    first = (dossier / ".evalkit" / "publie.json").read_text(encoding="utf-8")
    actions.render_report(dossier, tmp_path / "sorties", said.append)
    assert not any("DON-110" in text for text in said)

    shutil.copytree(FAULTY, dossier, dirs_exist_ok=True)
    kept = json.loads((FAULTY / ".evalkit" / "publie.json").read_text(encoding="utf-8"))["bases"]
    now = json.loads(first)["bases"]
    assert any(0 < abs(now[key] - n) < 11 for key, n in kept.items()), "the faulty file no longer provokes anything"
    actions.render_report(dossier, tmp_path / "sorties", said.append)
    (warning,) = [text for text in said if "DON-110" in text]
    assert "publie.json (cotations · Q1.1 · commune)" in warning
    assert "9 réponses dans le dernier rapport" in warning
    assert "retirez-le" in warning
    assert (dossier / ".evalkit" / "publie.json").read_text(encoding="utf-8") == first
    assert all(isinstance(n, int) for n in now.values())


def test_a_damaged_file_of_bases_stops_nothing(tmp_path):
    dossier = tmp_path / "x"
    (dossier / ".evalkit").mkdir(parents=True)
    (dossier / ".evalkit" / "publie.json").write_text("pas du JSON", encoding="utf-8")
    assert actions._kept_bases(dossier) == {}
