"""A report almost the same as the last one: said before it is made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from evalkit import actions
from evalkit.batch.runner import Outcome
from evalkit.compute.disclosure_bases import (
    Difference,
    differencing_risk,
    published_bases,
    territories_apart,
    without_small_differences,
)
from evalkit.errors import EvalkitError
from evalkit.loaders.dossier import territory_of
from evalkit.loaders.referentiel import load_referentiel
from outils_dev.exemples import exports
from tests.attaque.reponses_inventees import invented_answers
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
    actions.render_report(dossier, tmp_path / "sorties", said.append, formats=("html",))
    assert not any("DON-110" in text for text in said)
    first = (dossier / ".evalkit" / "publie.json").read_text(encoding="utf-8")
    actions.render_report(dossier, tmp_path / "sorties", said.append, formats=("html",))
    assert not any("DON-110" in text for text in said)

    shutil.copytree(FAULTY, dossier, dirs_exist_ok=True)
    kept = json.loads((FAULTY / ".evalkit" / "publie.json").read_text(encoding="utf-8"))["bases"]
    now = json.loads(first)["bases"]
    assert any(0 < abs(now[key] - n) < 11 for key, n in kept.items()), "the faulty file no longer provokes anything"
    actions.render_report(dossier, tmp_path / "sorties", said.append, formats=("html",))
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


# --- two frozen references ------------------------------------------------------------------------------------------


def reference(*names: str, n: int = 0) -> dict:
    """A frozen reference of these territories, one figure over all of them."""
    size = len(names)
    return {
        "n_territoires": size,
        "territoires": list(names),
        "indicateurs": {"Q1.1.a|saisie": {"n": n or size, "q1": 1.0, "mediane": 2.0, "q3": 3.0}},
        "niveaux": {"Q1.1": {"n": size, "effectifs": [size, 0, 0, 0, 0, 0]}},
        "questions": {},
    }


def test_territories_in_one_reference_and_not_in_the_other():
    assert territories_apart(reference(*"abcdef"), reference(*"abcdef")) == 0
    assert territories_apart(reference(*"abcdef"), reference(*"abcdefg")) == 1
    assert territories_apart(reference(*"abcdef"), reference(*"abcdeg")) == 2, "un de moins, un de plus : ce sont deux"
    unnamed = {"n_territoires": 6}
    assert territories_apart(unnamed, reference(*"abcdefghi")) == 3
    assert territories_apart({"n_territoires": "six"}, reference(*"abc")) == 3


def test_a_figure_moved_by_a_few_territories_is_left_out():
    kept, new = reference(*"abcdef", n=6), reference(*"abcdefghijkl", n=8)
    content, gone = without_small_differences(new, [kept], 5)
    assert gone == ["Q1.1.a|saisie"]
    assert content["indicateurs"] == {}
    assert content["niveaux"] == new["niveaux"], "six territoires de plus : il reste"
    assert without_small_differences(reference(*"abcdef", n=6), [reference(*"abcdef", n=5)], 5)[1] == []
    assert without_small_differences(new, [{"niveaux": "abîmé"}], 5)[1] == []


def frozen(monkeypatch, campagne: Path, *names: str, **more: int):
    monkeypatch.setattr(
        "evalkit.compute.synthesis.freeze", lambda *_: {"date": "2022-11-30"} | reference(*names, **more)
    )
    said: list[str] = []
    return (*actions.freeze_reference(campagne, said.append), said)


@pytest.fixture
def campagne(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "sample_data" / "2022" / "ardelle", tmp_path / "2022" / "ardelle")
    shutil.copytree(ROOT / "sample_data" / "2019" / "ardelle", tmp_path / "2019" / "ardelle")
    for part in ("2022/campagne.yml", "2019/campagne.yml"):
        shutil.copy(ROOT / "sample_data" / part, tmp_path / part)
    return tmp_path / "2022"


def test_a_reference_that_a_kept_one_would_undo_is_refused(campagne, monkeypatch):
    """One territory more: refused, the file in place untouched. Same territories, or five more: made."""
    target, kept, said = frozen(monkeypatch, campagne, *"abcdef")
    assert (kept, said) == (None, [])
    before = target.read_bytes()
    with pytest.raises(EvalkitError) as refused:
        frozen(monkeypatch, campagne, *"abcdefg")
    text = str(refused.value)
    assert "LOT-013" in text
    assert "7 territoires aujourd’hui, 1 territoire de différence" in text
    assert "supprimez-le" in text
    assert target.read_bytes() == before
    assert frozen(monkeypatch, campagne, *"abcdef", n=5)[1] is not None, "mêmes territoires, un dossier corrigé"
    _, kept, said = frozen(monkeypatch, campagne, *"abcdefghijk", n=8)
    assert kept is not None
    assert "LOT-014" in said[0]
    assert "Q1.1.a|saisie" in said[0]
    assert json.loads(target.read_text(encoding="utf-8"))["indicateurs"] == {}


def test_every_kept_reference_counts_not_only_the_last(campagne, monkeypatch):
    """Six, then thirteen, then seven: far from the last one, one territory from the first."""
    frozen(monkeypatch, campagne, *"abcdef")
    frozen(monkeypatch, campagne, *"abcdefghijkmn")
    with pytest.raises(EvalkitError, match=r"reference_regionale\.2022-11-30\.json"):
        frozen(monkeypatch, campagne, *"abcdefl")
    for path in campagne.glob("reference_regionale.2*.json"):
        path.unlink()
    assert frozen(monkeypatch, campagne, *"abcdefl")[1] is not None, (
        "celle qui n’a pas circulé, supprimée, ne compte plus"
    )


# --- answers imported from files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["importer", "deposer"])
def test_two_more_answers_in_the_file_are_told(tmp_path, monkeypatch, how):
    """34 answers imported (or dropped in ``brut/``), a report; 36, another report: told by question, before it is made."""
    referentiel = load_referentiel()
    enquete = {survey.code: survey for survey in referentiel.enquetes}["ENQ-ASSO"]
    dossier = tmp_path / "2022" / "ardelle"
    shutil.copytree(ROOT / "sample_data" / "2022" / "ardelle", dossier, ignore=shutil.ignore_patterns("enquetes"))
    shutil.copytree(ROOT / "sample_data" / "2019" / "ardelle", tmp_path / "2019" / "ardelle")
    for part in ("2022/campagne.yml", "2022/reference_regionale.json", "2019/campagne.yml"):
        shutil.copy(ROOT / "sample_data" / part, tmp_path / part)
    monkeypatch.setattr("evalkit.batch.runner.render_task", lambda task: Outcome(task.name, "rapport", True))
    everybody = invented_answers(enquete, {"ensemble": 36}, 3)

    def report_on(n: int) -> list[str]:
        rows = exports.google(enquete, everybody.head(n), territory_of(dossier, referentiel))
        if how == "importer":
            actions.import_surveys([exports.write_csv(tmp_path / f"{n}.csv", rows)], dossier)
        else:
            (dossier / "enquetes" / "brut").mkdir(parents=True, exist_ok=True)
            exports.write_csv(dossier / "enquetes" / "brut" / "export.csv", rows)
        said: list[str] = []
        actions.render_report(dossier, tmp_path / "sorties", said.append, formats=("html",))
        return [text for text in said if "DON-110" in text]

    assert report_on(34) == []
    kept = json.loads((dossier / ".evalkit" / "publie.json").read_text(encoding="utf-8"))["bases"]
    assert sum(key.startswith("ENQ-ASSO") for key in kept) > 20, "les questions d’enquête ne sont pas gardées"
    (warning,) = report_on(36)
    assert "publie.json (ENQ-ASSO · ensemble · A" in warning
    assert "autres résultats" in warning
    assert report_on(36) == []
