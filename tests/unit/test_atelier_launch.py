"""The workshop's door: copies of the notebooks, and a JupyterLab that stays on this machine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nbformat
import pytest

from evalkit.errors import EvalkitError
from evalkit.ui import launch

FAULTY = Path(__file__).resolve().parents[1] / "fichiers_fautifs"


@pytest.fixture
def dossier(tmp_path: Path) -> Path:
    folder = tmp_path / "campagnes" / "2026" / "valbrune"
    folder.mkdir(parents=True)
    (folder.parent / "campagne.yml").write_text("annee: 2026\n")
    return folder


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two small model notebooks: one about a territory, one about a campaign."""
    folder = tmp_path / "modeles"
    folder.mkdir()
    for name, source in (
        ("atelier", 'dossier: str = "é"  # dossier du territoire\nannee: int = 2022'),
        ("synthese", 'campagne: str = "../x"  # campagne'),
    ):
        cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]}, id="parametres")
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / f"{name}.ipynb")
    monkeypatch.setattr(launch, "resource_dir", lambda name: folder if name == "notebooks" else tmp_path / "exemples")
    return folder


def sources(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, as_version=4).cells]


def test_parameters_are_filled_and_comments_stay(dossier: Path, models: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "chez moi"
    notebook = launch.prepare_workspace(dossier, workspace)
    assert notebook == workspace / "atelier.ipynb"
    assert sources(notebook) == [
        'dossier: str = "../campagnes/2026/valbrune"  # dossier du territoire\nannee: int = 2022'
    ]
    assert sources(workspace / "synthese.ipynb") == ['campagne: str = "../campagnes/2026"  # campagne']


def test_the_models_do_not_move(dossier: Path, models: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in models.iterdir()}
    launch.prepare_workspace(dossier, tmp_path / "w")
    assert {path.name: path.read_bytes() for path in models.iterdir()} == before


def test_a_notebook_edited_by_a_person_stays(dossier: Path, models: Path, tmp_path: Path) -> None:
    """Opening the workshop again on the same dossier leaves the person's own cells."""
    notebook = launch.prepare_workspace(dossier, tmp_path / "w")
    content = nbformat.read(notebook, as_version=4)
    content.cells.append(nbformat.v4.new_markdown_cell("mes notes"))
    nbformat.write(content, notebook)
    said: list[str] = []
    launch.prepare_workspace(dossier, tmp_path / "w", say=said.append)
    assert sources(notebook)[-1] == "mes notes"
    assert said == []


def test_another_notebook_of_that_name_is_kept_and_it_is_said(dossier: Path, models: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "w"
    workspace.mkdir()
    said: list[str] = []
    for mine in ("le mien", "le mien, plus tard"):
        (workspace / "atelier.ipynb").write_text(mine)
        launch.prepare_workspace(dossier, workspace, say=said.append)
    assert (workspace / "atelier.ancien-1.ipynb").read_text() == "le mien"
    assert (workspace / "atelier.ancien-2.ipynb").read_text() == "le mien, plus tard"
    assert "atelier.ancien-1.ipynb" in said[0]
    assert "atelier.ancien-2.ipynb" in said[1]


def test_another_dossier_gets_its_own_copy(dossier: Path, models: Path, tmp_path: Path) -> None:
    other = dossier.with_name("autre")
    other.mkdir()
    workspace = tmp_path / "w"
    launch.prepare_workspace(dossier, workspace)
    launch.prepare_workspace(other, workspace)
    assert "2026/autre" in sources(workspace / "atelier.ipynb")[0]
    assert "2026/valbrune" in sources(workspace / "atelier.ancien-1.ipynb")[0]


def test_a_lone_workbook_has_no_campaign(models: Path, tmp_path: Path) -> None:
    workbook = tmp_path / "evaluation.xlsx"
    workbook.touch()
    launch.prepare_workspace(workbook, tmp_path / "w")
    assert sorted(path.name for path in (tmp_path / "w").iterdir()) == ["atelier.ipynb"]


def test_no_such_dossier(tmp_path: Path) -> None:
    with pytest.raises(EvalkitError, match="USA-001"):
        launch.prepare_workspace(tmp_path / "absent", tmp_path / "w")


def test_the_example_is_copied_never_opened(dossier: Path, models: Path, tmp_path: Path) -> None:
    """A trainer plays on a copy; the next session in the same folder finds it again, another folder starts afresh."""
    shutil.copytree(dossier.parent, tmp_path / "exemples" / "2022")
    example = tmp_path / "exemples" / "2022" / "valbrune"
    (example / "cotations.csv").write_text("sous_question\n")
    said: list[str] = []
    assert launch.open_workshop(None, tmp_path / "seance", launch=False, tell=said.append) == 0
    copy = tmp_path / "seance" / "donnees" / "2022" / "valbrune"
    assert 'dossier: str = "donnees/2022/valbrune"' in sources(tmp_path / "seance" / "atelier.ipynb")[0]
    (copy / "cotations.csv").write_text("changé\n")
    launch.open_workshop(example, tmp_path / "seance", launch=False, tell=said.append)
    assert (copy / "cotations.csv").read_text() == "changé\n"
    assert (example / "cotations.csv").read_text() == "sous_question\n"
    launch.open_workshop(None, tmp_path / "seance-2", launch=False, tell=said.append)
    assert (tmp_path / "seance-2" / "donnees" / "2022" / "valbrune" / "cotations.csv").read_text() == "sous_question\n"


def test_jupyterlab_stays_on_this_machine(tmp_path: Path) -> None:
    notebook = tmp_path / "atelier.ipynb"
    command = launch.jupyterlab_command(tmp_path, notebook, port=8899, browser=False)
    assert "--ServerApp.ip=127.0.0.1" in command
    assert "--ServerApp.open_browser=False" in command
    assert "--LabApp.extension_manager=readonly" in command
    assert not [part for part in command if "token" in part.lower()], "le jeton se lirait dans la liste des processus"
    overrides = json.loads((tmp_path / ".evalkit" / "jupyterlab" / "overrides.json").read_text())
    assert overrides["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def test_without_jupyterlab_a_french_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    absent = (FAULTY / "USA-040-sans-jupyterlab.txt").read_text(encoding="utf-8").split()
    monkeypatch.setattr(launch, "find_spec", lambda name: None if name in absent else object())
    with pytest.raises(EvalkitError) as caught:
        launch.launch_jupyterlab(tmp_path, tmp_path / "atelier.ipynb")
    text = str(caught.value)
    assert "USA-040" in text
    assert "jupyterlab" in text
    assert 'pip install "evalkit[atelier]"' in text
