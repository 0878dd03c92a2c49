"""No answer and no free text leaves the dossier by a side door: journal, traceback, console, page, temporary file."""

from __future__ import annotations

import base64
import re
import shutil
import tempfile
import traceback
import zipfile
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from evalkit import cli
from evalkit.batch.journal import entry_of, journal_of, write_entries
from evalkit.batch.plan import Task
from evalkit.batch.runner import render_task
from evalkit.compute.disclosure import protect
from evalkit.compute.evaluation import evaluate
from evalkit.loaders.dossier import load_dossier, territory_of
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.resources import resource_dir
from outils_dev.exemples import exports
from tests.attaque.reponses_inventees import invented_answers, invented_surveys
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
    write_entries(tmp_path / "sorties" / "journal.json", journal_of("2022", [entry_of(outcome)]))
    console = capfd.readouterr()
    assert MARKER not in console.out + console.err
    assert MARKER not in repr(outcome)
    assert MARKER not in "\n".join(map(str, outcome.faults))
    assert notebook.read_bytes() == before
    elsewhere = [p for p in tmp_path.rglob("*") if p.is_file() and not p.is_relative_to(planted.parent)]
    assert elsewhere
    for path in elsewhere:
        assert MARKER.encode() not in path.read_bytes(), path


def unfolded(path):
    """A file's bytes; those of each part of a Word document or a workbook; the words, properties and pieces of a PDF."""
    yield path.read_bytes()
    if path.suffix in (".docx", ".xlsx"):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    if path.suffix == ".pdf":
        import pikepdf

        from evalkit.report.check_pdf import read_tree

        with pikepdf.open(path) as document:
            yield "".join(read_tree(document).texts).encode()
            yield from (
                one.read_bytes()
                for one in document.objects
                if isinstance(one, pikepdf.Stream) and "/Subtype" not in one
            )
            yield b"".join(one.unparse() for one in document.objects)


@pytest.mark.complet
def test_a_rendered_report_and_its_console_say_nothing_of_it(planted, tmp_path, capfd):
    from evalkit import actions

    said: list[str] = []
    result = actions.render_report(planted, tmp_path / "sorties", said.append)
    assert result.ok
    console = capfd.readouterr()
    assert MARKER not in console.out + console.err + "\n".join(said)
    for path in [*(tmp_path / "sorties").rglob("*"), *(planted / ".evalkit").rglob("*")]:
        assert path.is_dir() or not any(MARKER.encode() in part for part in unfolded(path)), path


# --- answers that come from an export -------------------------------------------------------------------------------

LAYOUTS = {"kobo": exports.kobo, "limesurvey": exports.limesurvey, "google": exports.google}
PERSONAL = {"Nom et prénom": MARKER, "Courriel": f"{MARKER}@exemple.fr", "Observations diverses": MARKER}


def campaign_of_one(folder: Path) -> Path:
    """A sample campaign of one territory, without answers."""
    shutil.copytree(
        SAMPLES / "2022" / "ardelle", folder / "2022" / "ardelle", ignore=shutil.ignore_patterns("enquetes")
    )
    shutil.copytree(SAMPLES / "2019" / "ardelle", folder / "2019" / "ardelle")
    for part in ("2022/campagne.yml", "2022/reference_regionale.json", "2019/campagne.yml"):
        shutil.copy(SAMPLES / part, folder / part)
    return folder / "2022" / "ardelle"


def marked_export(dossier: Path, layout: str, unknown: str) -> Path:
    """An export in ``enquetes/brut/``: the marker in every free text, in personal columns, in a column that nothing reads,
    and once in place of an answer to the question ``unknown``."""
    referentiel = load_referentiel()
    enquete = {survey.code: survey for survey in referentiel.enquetes}["ENQ-ASSO"]
    frame = invented_answers(enquete, {"ensemble": 34}, 1)
    texts = [q.code for q in enquete.questions if q.type == "texte"]
    frame[texts] = frame[texts].where(frame[texts].isna(), MARKER)
    frame.loc[2, unknown] = MARKER
    rows = LAYOUTS[layout](enquete, frame, territory_of(dossier, referentiel))
    rows[0] += PERSONAL
    for row in rows[1:]:
        row += list(PERSONAL.values())
    (dossier / "enquetes" / "brut").mkdir(parents=True)
    return exports.write_csv(dossier / "enquetes" / "brut" / "export.csv", rows)


def typed(capfd: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Exit code of a command, and all that it said on the console."""
    with pytest.raises(SystemExit) as stop:
        cli.main([str(argument) for argument in arguments])
    said = capfd.readouterr()
    return int(stop.value.code or 0), said.out + said.err


def holding(folder: Path, but: Path) -> list[Path]:
    """Files under a folder that hold the marker, whatever way of writing it, the source apart."""
    forms = [MARKER.encode(), MARKER.encode("utf-16-le"), base64.b64encode(MARKER.encode())[:-4]]
    files = [path for path in folder.rglob("*") if path.is_file() and path != but]
    assert files
    return [path for path in files if any(form in part for part in unfolded(path) for form in forms)]


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_an_export_says_nothing_beyond_itself(tmp_path, layout, monkeypatch, capfd):
    """Refused because of the marker typed as an answer, then read by a mapping, then imported: console and files."""
    temporary = tmp_path / "temporaire"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    dossier = campaign_of_one(tmp_path)
    source = marked_export(dossier, layout, unknown="A06")
    before = source.read_bytes()
    assert before.count(MARKER.encode()) > 100

    code, said = typed(capfd, "verifier", dossier)
    assert (code, "DON-092" in said) == (11, True)
    batch, told = typed(capfd, "lot", dossier.parent, "--vers", tmp_path / "sorties")
    assert (batch, "DON-092" in (tmp_path / "sorties" / "journal.json").read_text(encoding="utf-8")) == (11, True)
    refused, more = typed(capfd, "importer", "enquete", source, "--vers", dossier, "--sollicites", 40)
    draft = dossier / "enquetes" / "enq-asso.correspondance.yml"
    assert (refused, draft.is_file()) == (11, True)
    assert MARKER not in said + told + more
    assert holding(tmp_path, source) == []

    text = draft.read_text(encoding="utf-8")
    draft.write_text(re.sub(r"(?m)^#? ?incomprises:.*$", "", text) + "\nincomprises: non_repondu\n", encoding="utf-8")
    code, said = typed(capfd, "verifier", dossier)
    assert code == 0, said
    done, more = typed(capfd, "importer", "enquete", source, "--vers", dossier, "--sollicites", 40)
    assert done == 0, more
    assert (dossier / "enquetes" / "enq-asso.csv").is_file()
    assert (dossier / "enquetes" / "enq-asso.import.json").is_file()
    assert MARKER not in said + more
    assert holding(tmp_path, source) == []
    assert source.read_bytes() == before


@pytest.mark.parametrize("imported", [False, True])
def test_a_report_on_an_export_says_nothing_of_it(tmp_path, imported, capfd):
    """Left in ``brut/`` or imported: the report, the journal, the notebook's leftovers, what is kept between two runs."""
    dossier = campaign_of_one(tmp_path)
    source = marked_export(dossier, "kobo", unknown="A38")
    if imported:
        assert typed(capfd, "importer", "enquete", source, "--vers", dossier, "--sollicites", 40)[0] == 0
    code, said = typed(capfd, "rapport", dossier, "--vers", tmp_path / "sorties")
    assert code == 0, said
    page = (tmp_path / "sorties" / "ardelle" / "rapport.html").read_text(encoding="utf-8")
    assert "ENQ-ASSO" in page
    code, more = typed(capfd, "lot", dossier.parent, "--vers", tmp_path / "lot")
    assert code == 0, more
    assert MARKER not in said + more
    assert holding(tmp_path, source) == []
