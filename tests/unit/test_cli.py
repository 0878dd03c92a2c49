"""The command line: French everywhere, an example per command, the right exit code, no traceback for a person's mistake."""

import re
import shutil
import subprocess
import sys
from typing import Any

import pytest
import typer

from evalkit import cli
from evalkit.loaders.resources import resource_dir

COMMANDS = [
    [],
    ["demo"],
    ["nouveau"],
    ["verifier"],
    ["rapport"],
    ["lot"],
    ["synthese"],
    ["importer"],
    ["importer", "contexte"],
    ["importer", "territoires"],
    ["importer", "enquete"],
    ["importer", "textes"],
    ["outils"],
    ["outils", "modele"],
    ["outils", "referentiel"],
    ["outils", "questionnaire"],
    ["outils", "consensus"],
    ["outils", "travail"],
    ["atelier"],
]
ENGLISH = re.compile(
    r"\b(Usage:|Options:|Commands:|Arguments:|Show this|required|default:|Error|Missing|No such|Try|DIRECTORY|INTEGER)"
)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as stop:
        cli.main(list(arguments))
    captured = capsys.readouterr()
    return int(stop.value.code or 0), captured.out + captured.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_french_help_with_an_example(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run(capsys, *command, "--help")
    assert code == 0
    assert re.search(r"Exemples? :\s+evalkit ", text), text
    assert not ENGLISH.search(text), text


def test_no_command_escapes_these_tests() -> None:
    def names(group: Any, path: list[str]) -> list[list[str]]:
        below = [names(command, [*path, name]) for name, command in getattr(group, "commands", {}).items()]
        return [path, *(found for part in below for found in part)]

    assert sorted(names(typer.main.get_command(cli.app), [])) == sorted(COMMANDS)


def test_the_working_file_is_announced_as_confidential(capsys: pytest.CaptureFixture[str], tmp_path) -> None:
    shutil.copytree(resource_dir("sample_data") / "2022" / "estrinoy", tmp_path / "estrinoy")
    for name in ("campagne.yml", "reference_regionale.json"):
        shutil.copy(resource_dir("sample_data") / "2022" / name, tmp_path)
    dossier = tmp_path / "estrinoy"
    code, text = run(capsys, "outils", "travail", str(dossier))
    assert code == 0, text
    assert str(dossier / "travail.xlsx") in text
    assert "CONFIDENTIEL" in text
    assert "conservé" not in text.replace("conservez", "")
    (dossier / "travail.xlsx").write_bytes(b"x")
    assert "travail.1.xlsx" in run(capsys, "outils", "travail", str(dossier))[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["verifer"], "verifer"),
        (["lot"], "CAMPAGNE n'est pas donné"),
        (["lot", "x", "--vert", "y"], "vouliez-vous dire --vers"),
        (["rapport", "--vers"], "--vers"),
        (["demo", "--processus", "zéro"], "--processus"),
        (["verifier"], "CHEMIN n'est pas donné"),
        (["verifier", "mes", "territoires"], "« territoires » en trop"),
        (["lot", "x", "--processus", "0"], "un nombre entier de 1 à 64"),
        (["lot", "x", "--expliquer=oui"], "--expliquer seule"),
        (["lot", "x", "--vers", ""], "une valeur vide après --vers"),
        (["lot", "x", "--dask="], "une valeur vide après --dask"),
        (["lot", " "], "une valeur vide après lot"),
    ],
)
def test_a_typing_mistake_is_told_in_french(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = run(capsys, *arguments)
    assert code == 2
    assert "[USA-002]" in text
    assert words in text
    assert not ENGLISH.search(text), text


@pytest.mark.parametrize("command", ["verifier", "rapport", "lot", "synthese"])
def test_a_missing_folder_is_told_with_its_path(command: str, capsys: pytest.CaptureFixture[str], tmp_path) -> None:
    code, text = run(capsys, command, str(tmp_path / "absent"))
    assert code == 2
    assert "[USA-001]" in text
    assert "absent" in text


def test_a_campaign_given_as_a_territory_is_told(capsys: pytest.CaptureFixture[str], tmp_path) -> None:
    (tmp_path / "campagne.yml").write_text("libelle: x\n", encoding="utf-8")
    code, text = run(capsys, "rapport", str(tmp_path))
    assert code == 2
    assert "[USA-003]" in text
    assert "evalkit lot" in text


def test_pages_never_go_among_the_data(capsys: pytest.CaptureFixture[str], tmp_path) -> None:
    (tmp_path / "campagne.yml").write_text("libelle: x\n", encoding="utf-8")
    for command in ("lot", "synthese"):
        code, text = run(capsys, command, str(tmp_path), "--vers", str(tmp_path / "x" / ".."))
        assert (code, "[USA-003]" in text, str(tmp_path / "sorties") in text) == (2, True, True), text
    assert [path.name for path in tmp_path.iterdir()] == ["campagne.yml"]


@pytest.mark.skipif(sys.platform == "win32", reason="le signal d'un clavier")
def test_ctrl_c_while_it_starts_is_told_in_french() -> None:
    code = "import sys\nfrom evalkit import __main__\n"
    code += (
        "class Stop:\n    def find_spec(self, name, *_):\n        if name == 'evalkit.cli': raise KeyboardInterrupt\n"
    )
    code += "sys.meta_path.insert(0, Stop())\n__main__.run()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (130, "Interrompu. Rien n'était commencé.")


def test_a_territory_given_as_a_campaign_is_told(capsys: pytest.CaptureFixture[str], tmp_path) -> None:
    code, text = run(capsys, "lot", str(tmp_path))
    assert code == 2
    assert "evalkit rapport" in text


def test_the_reference_is_that_of_the_whole_campaign(capsys: pytest.CaptureFixture[str], tmp_path) -> None:
    code, text = run(capsys, "synthese", str(tmp_path), "--departement", "59", "--figer")
    assert code == 2
    assert "--figer seul" in text


def test_help_is_the_same_at_each_reading(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--aide, --help, -h" in run(capsys, "lot", "--help")[1]


def test_commands_to_type_are_given_as_this_person_types_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    """Someone who never activated an environment cannot type `evalkit`."""
    monkeypatch.setenv("EVALKIT_COMMANDE", "python3 demarrer.py")
    assert "python3 demarrer.py rapport" in run(capsys, "lot", str(tmp_path))[1]
    help_text = run(capsys, "lot", "--help")[1]
    assert "Usage : python3 demarrer.py lot" in help_text
    assert "  python3 demarrer.py lot campagnes/2026" in help_text


def test_a_campaign_without_its_identity_is_told(capsys: pytest.CaptureFixture[str], tmp_path) -> None:
    (tmp_path / "valbrune").mkdir()
    (tmp_path / "valbrune" / "territoire.yml").write_text("nom: x\n", encoding="utf-8")
    code, text = run(capsys, "verifier", str(tmp_path))
    assert code == 2
    assert "[USA-003]" in text
    assert "campagne.yml" in text


def test_a_folder_that_is_no_dossier_is_named(capsys: pytest.CaptureFixture[str], tmp_path) -> None:
    """Forty folders by e-mail: one whose files are badly named is told, never lost."""
    samples = resource_dir("sample_data") / "2022"
    shutil.copytree(samples / "estrinoy", tmp_path / "2022" / "estrinoy")
    for name in ("campagne.yml", "reference_regionale.json"):
        shutil.copy(samples / name, tmp_path / "2022")
    (tmp_path / "2022" / "reçu de Lens").mkdir()
    (tmp_path / "2022" / "reçu de Lens" / "Eval Lens v3 (2).xlsx").write_bytes(b"x")
    assert (
        "Laissés de côté, faute de fichier au nom prévu : reçu de Lens"
        in run(capsys, "verifier", str(tmp_path / "2022"))[1]
    )
