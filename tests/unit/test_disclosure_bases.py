"""A report, or a synthesis, almost the same as the last one: said when it is made, before it goes out."""

from __future__ import annotations

import json
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from evalkit import actions
from evalkit.batch import apart, runner
from evalkit.batch.parts import NOTE, read_note, read_published
from evalkit.batch.plan import Task
from evalkit.batch.published import compare, keep, kept_bases
from evalkit.compute.disclosure_bases import (
    Difference,
    differencing_risk,
    published_bases,
    synthesis_bases,
    territories_apart,
    without_small_differences,
)
from evalkit.compute.synthesis import freeze
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


@pytest.fixture
def without_kernel(monkeypatch):
    """Notebooks are run here, without a kernel nor a page: what they note is noted."""

    def execute(task: Task, *_: object) -> SimpleNamespace:
        with tempfile.TemporaryDirectory() as folder:
            noted = Path(folder, "note")
            monkeypatch.setenv(NOTE, str(noted))
            if task.dossier is None:
                actions.load_synthese(**task.parameters)
            else:
                actions.load_publication(**task.parameters)
            monkeypatch.delenv(NOTE)
            return SimpleNamespace(
                metadata={"evalkit_parties": read_note(noted), "evalkit_publie": read_published(noted)}
            )

    def write(task: Task, notebook: object) -> tuple[tuple[str, ...], dict]:
        page = Path(f"{task.output}.html")
        page.parent.mkdir(exist_ok=True)
        page.write_text("page", encoding="utf-8")
        page.with_name(f"{page.name}.controle.json").write_text("{}", encoding="utf-8")
        return (page.name,), {"anomalies": []}

    monkeypatch.setattr(runner, "execute_notebook", execute)
    monkeypatch.setattr(runner, "write_page", write)
    monkeypatch.setattr(apart, "local_executor", lambda _: ThreadPoolExecutor(1))
    monkeypatch.setattr(apart, "render_apart", runner.render_tasks)


def test_warning_before_a_second_report(tmp_path, without_kernel):
    """DON-110 is told with its place and its cure; the new bases replace the old ones, and hold numbers only."""
    for part in ("2022/ardelle", "2019/ardelle"):
        shutil.copytree(ROOT / "sample_data" / part, tmp_path / part)
    for part in ("2022/campagne.yml", "2022/reference_regionale.json", "2019/campagne.yml"):
        shutil.copy(ROOT / "sample_data" / part, tmp_path / part)
    dossier = tmp_path / "2022" / "ardelle"
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
    assert kept_bases(dossier) == {}


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
def test_two_more_answers_in_the_file_are_told(tmp_path, without_kernel, how):
    """34 answers imported (or dropped in ``brut/``), a report; 36, another report: told by question, before it is made."""
    referentiel = load_referentiel()
    enquete = {survey.code: survey for survey in referentiel.enquetes}["ENQ-ASSO"]
    dossier = tmp_path / "2022" / "ardelle"
    shutil.copytree(ROOT / "sample_data" / "2022" / "ardelle", dossier, ignore=shutil.ignore_patterns("enquetes"))
    shutil.copytree(ROOT / "sample_data" / "2019" / "ardelle", tmp_path / "2019" / "ardelle")
    for part in ("2022/campagne.yml", "2022/reference_regionale.json", "2019/campagne.yml"):
        shutil.copy(ROOT / "sample_data" / part, tmp_path / part)
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


# --- a batch, and syntheses -----------------------------------------------------------------------------------------


def entries_of(folder: Path) -> dict[str, list[str]]:
    """Codes of the warnings of each document of a journal."""
    journal = json.loads((folder / "journal.json").read_text(encoding="utf-8"))
    return {
        one["nom"]: [said["code"] for said in one["avertissements"]]
        for one in journal["documents"]
        if one["genre"] == "rapport"
    }


def test_a_batch_tells_and_keeps_as_a_report_does(campagne, tmp_path, without_kernel):
    """One line per territory, in the journal too; told once; the store readable by its owner only; never twice."""
    dossier, store = campagne / "ardelle", campagne / "ardelle" / ".evalkit" / "publie.json"
    shutil.copytree(dossier, campagne / "brumelle")
    shutil.copy(ROOT / "sample_data" / "2022" / "reference_regionale.json", campagne)
    vers, said = tmp_path / "sorties", []

    def batch() -> actions.BatchResult:
        said.clear()
        return actions.render_batch(campagne, vers, 2, said.append)

    assert batch().ok
    assert not any("don-110" in line for line in said)
    first = json.loads(store.read_text(encoding="utf-8"))["bases"]
    assert first == published_bases(actions.load_publication(dossier))
    assert store.stat().st_mode & 0o777 == 0o600
    assert all(outcome.unchanged for outcome in batch().outcomes), "ce qui est gardé d’un rapport n’est pas une entrée"

    moved = {
        **first,
        "cotations · Q1.1 · commune": first["cotations · Q1.1 · commune"] + 2,
        "ENQ-X · ensemble · A1": 40,
    }
    store.write_text(json.dumps({"format": 1, "bases": moved}), encoding="utf-8")
    shutil.rmtree(vers / "ardelle")
    batch()
    (line,) = [text for text in said if "don-110" in text]
    assert "\n" not in line
    assert line.startswith("Contrat de ville d’Ardelle : avant de diffuser")
    assert "cotations · Q1.1 · commune : 8 réponses dans le dernier rapport, 6 aujourd’hui" in line
    assert entries_of(vers) == {"ardelle": ["DON-110"], "brumelle": []}
    kept = json.loads(store.read_text(encoding="utf-8"))["bases"]
    assert kept == {**first, "ENQ-X · ensemble · A1": 40}, "un résultat qui n’est plus montré peut revenir"

    assert all(outcome.unchanged for outcome in batch().outcomes)
    assert not any("don-110" in line for line in said)
    assert entries_of(vers) == {"ardelle": ["DON-110"], "brumelle": []}, (
        "le rapport sur le disque est toujours celui-là"
    )


def test_a_report_that_failed_keeps_nothing(campagne, tmp_path, without_kernel, monkeypatch):
    """Nothing was published: what was kept stays."""

    def full_disk(task: Task, notebook: object) -> None:
        raise OSError(28, "plein")

    monkeypatch.setattr(runner, "write_page", full_disk)
    assert not actions.render_batch(campagne, tmp_path / "sorties", 1).ok
    assert not (campagne / "ardelle" / ".evalkit" / "publie.json").exists()


def synthesis_of(*names: str, n: int = 0) -> dict:
    """What is kept of a synthesis over these territories."""
    return {name: value for name, value in reference(*names, n=n).items() if name != "questions"} | {"ecarts": {}}


def settled(campagne: Path, bases: dict, departement: str = "") -> list[str]:
    task = Task(
        "synthese", Path("x.ipynb"), {"campagne": str(campagne), "departement": departement}, campagne, kind="synthese"
    )
    noted = {"synthese": {"bases": bases, "minimum": 5}}
    said = [str(fault) for fault in compare(task, noted)]
    keep(task, noted)
    return said


def test_a_synthesis_almost_the_same_as_the_last_one_is_told(tmp_path):
    """35 then 36: told once, against the last synthesis and against every frozen reference; a department has its own."""
    assert settled(tmp_path, synthesis_of(*"abcdef")) == []
    (warning,) = settled(tmp_path, synthesis_of(*"abcdefg"))
    assert "LOT-015" in warning
    assert "/.evalkit/synthese.json" in warning
    assert "1 territoire de différence" in warning
    assert "2 résultats que moins de 5 territoires font bouger" in warning
    assert settled(tmp_path, synthesis_of(*"abcdefg")) == []
    assert settled(tmp_path, synthesis_of(*"abcdefg", n=5)) == [], "mêmes territoires, un dossier corrigé"
    assert settled(tmp_path, synthesis_of(*"abcdef"), "59") == [], "le département n’avait pas de synthèse"
    assert settled(tmp_path, synthesis_of(*"abcdefghijklm")) == []
    (swapped,) = settled(tmp_path, synthesis_of(*"abcdefghijkln"))
    assert "2 territoires de différence" in swapped, "un de moins, un de plus"

    (tmp_path / "reference_regionale.2022-01-01.json").write_text(
        json.dumps(reference(*"abcdefghijk")), encoding="utf-8"
    )
    said = settled(tmp_path, synthesis_of(*"abcdefghijkln"))
    assert len(said) == 1, "la dernière synthèse est la même, la référence gardée non"
    assert "reference_regionale.2022-01-01.json" in said[0]
    assert settled(tmp_path, synthesis_of(*"abcdefghijkln"), "62") == [], "une référence est celle de la région"
    assert {path.name for path in (tmp_path / ".evalkit").iterdir()} == {
        "synthese.json",
        "synthese-59.json",
        "synthese-62.json",
    }
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / ".evalkit").iterdir())


def test_what_is_kept_of_a_synthesis_compares_with_a_reference(campagne, tmp_path, without_kernel):
    """Same names, same numbers as a frozen reference; told by the command; nothing but numbers of territories."""
    for name in ("brumelle", "cendreval", "dornoy", "estrelle"):
        shutil.copytree(campagne / "ardelle", campagne / name)
    frozen_now = freeze(actions.load_synthese(campagne), "2022-11-30")
    said: list[str] = []
    assert actions.render_synthesis(campagne, tmp_path / "sorties", tell=said.append, formats=("html",)).ok
    assert not any("lot-015" in line for line in said)
    kept = json.loads((campagne / ".evalkit" / "synthese.json").read_text(encoding="utf-8"))
    assert len(kept["territoires"]) == 5
    for name in ("indicateurs", "niveaux", "questions"):
        assert frozen_now[name]
        assert kept[name] == {key: {"n": figure["n"]} for key, figure in frozen_now[name].items()}
    shutil.copytree(campagne / "ardelle", campagne / "fauquelle")
    actions.render_synthesis(campagne, tmp_path / "sorties", tell=said.append, formats=("html",))
    (line,) = [text for text in said if "lot-015" in text]
    assert "1 territoire de différence" in line
    assert "résultats que moins de 5 territoires font bouger" in line
    with pytest.raises(TypeError):
        synthesis_bases(make_publication())
