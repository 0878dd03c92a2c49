"""No answer and no free text leaves the dossier by a side door: journal, traceback, console, page, temporary file."""

from __future__ import annotations

import shutil
import tempfile
import traceback
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from evalkit.batch.journal import write_journal
from evalkit.batch.plan import Task
from evalkit.batch.runner import render_task
from evalkit.compute.disclosure import protect
from evalkit.compute.evaluation import evaluate
from evalkit.loaders.dossier import load_dossier
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.resources import resource_dir
from tests.attaque.reponses_inventees import invented_surveys
from tests.attaque.test_attaque import page_of

MARKER = "phrase-temoin-7c21"
SAMPLES = resource_dir("sample_data")


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A territory whose comments and unpublishable quotations hold the marker."""
    for part in ("2022/ardelle", "2019/ardelle"):
        shutil.copytree(SAMPLES / part, tmp_path / part)
    for part in ("2022/campagne.yml", "2022/reference_regionale.json", "2019/campagne.yml"):
        shutil.copy(SAMPLES / part, tmp_path / part)
    dossier = tmp_path / "2022" / "ardelle"
    for name, column, text in (("cotations", "commentaire", MARKER), ("verbatims", "texte", MARKER)):
        path = dossier / f"{name}.csv"
        lines = path.read_text(encoding="utf-8").splitlines()
        separator = ";" if ";" in lines[0] else ","
        columns = lines[0].lstrip("\ufeff").split(separator)
        cells = [""] * len(columns)
        example = dict(zip(columns, lines[1].split(separator), strict=False))
        for i, header in enumerate(columns):
            cells[i] = text if header == column else example.get(header, "")
        if name == "cotations":
            cells[columns.index("repondant")] = "Z99"
        else:
            cells[columns.index("publiable")] = "non"
        path.write_text("\n".join([*lines, separator.join(cells)]) + "\n", encoding="utf-8")
    return dossier


def with_marked_answers(dossier, referentiel):
    surveys = invented_surveys(referentiel, 0)
    texts = {q.code for e in referentiel.enquetes for q in e.questions if q.type == "texte"}
    marked = {
        code: frame.assign(**{c: frame[c].where(frame[c].isna(), MARKER) for c in frame.columns if c in texts})
        for code, frame in surveys.items()
    }
    return replace(dossier, enquetes=marked)


def test_nothing_of_it_in_the_page_nor_in_what_names_the_objects(planted, no_pictures):
    referentiel = load_referentiel()
    dossier = with_marked_answers(load_dossier(planted, referentiel), referentiel)
    assert any(MARKER in str(frame.to_dict()) for frame in dossier.enquetes.values())
    assert MARKER in str(dossier.tables["cotations"].to_dict())
    evaluation = evaluate(referentiel, dossier)
    publication = protect(evaluation, referentiel.regles)
    assert MARKER not in page_of(publication)
    for thing in (dossier, evaluation, publication):
        assert MARKER not in repr(thing)
        assert MARKER not in str(thing)


def test_a_fault_of_ours_says_nothing_of_an_answer(planted):
    """An answer that the questionnaire does not have: refused with its question, without its text."""
    referentiel = load_referentiel()
    dossier = load_dossier(planted, referentiel)
    surveys = invented_surveys(referentiel, 0)
    surveys["ENQ-LOG"].loc[0, "L06"] = MARKER
    try:
        evaluate(referentiel, replace(dossier, enquetes=surveys))
    except ValueError:
        told = traceback.format_exc()
    assert "L06" in told
    assert MARKER not in told


def test_a_notebook_that_fails_leaves_nothing_behind(planted, tmp_path, monkeypatch, capfd):
    """Its cell raises with the text in hand: the journal, the console and every file written say nothing of it."""
    temporary = tmp_path / "temporaire"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    cells = [
        nbformat.v4.new_code_cell('dossier: str = ""', metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(
            "from pathlib import Path\ntexte = (Path(dossier) / 'cotations.csv').read_text(encoding='utf-8')\n"
            "print(texte[-200:])\nraise ValueError(texte[-200:])"
        ),
    ]
    notebook = tmp_path / "carnet.ipynb"
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), notebook)
    before = notebook.read_bytes()
    output = tmp_path / "sorties" / "ardelle" / "rapport"
    output.parent.mkdir(parents=True)
    outcome = render_task(Task("ardelle", notebook, {"dossier": str(planted)}, output, title="Ardelle"))
    assert not outcome.ok
    write_journal(tmp_path / "sorties" / "journal.json", "2022", (outcome,))
    console = capfd.readouterr()
    assert MARKER not in console.out + console.err
    assert MARKER not in repr(outcome)
    assert MARKER not in "\n".join(map(str, outcome.faults))
    assert notebook.read_bytes() == before
    elsewhere = [p for p in tmp_path.rglob("*") if p.is_file() and not p.is_relative_to(planted.parent)]
    assert elsewhere
    for path in elsewhere:
        assert MARKER.encode() not in path.read_bytes(), path


@pytest.mark.complet
def test_a_rendered_report_and_its_console_say_nothing_of_it(planted, tmp_path, capfd):
    from evalkit import actions

    said: list[str] = []
    result = actions.render_report(planted, tmp_path / "sorties", said.append)
    assert result.ok
    console = capfd.readouterr()
    assert MARKER not in console.out + console.err + "\n".join(said)
    for path in [*(tmp_path / "sorties").rglob("*"), *(planted / ".evalkit").rglob("*")]:
        assert path.is_dir() or MARKER.encode() not in path.read_bytes(), path
