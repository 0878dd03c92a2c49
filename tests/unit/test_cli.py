"""The command line: French everywhere, an example per command, the right exit code, no traceback for a person's mistake."""

import re

import pytest

from evalkit import cli

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
    ["outils"],
    ["outils", "referentiel"],
    ["outils", "questionnaire"],
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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["verifer"], "verifer"),
        (["lot"], "CAMPAGNE n'est pas donné"),
        (["lot", "x", "--vert", "y"], "vouliez-vous dire --vers"),
        (["rapport", "--vers"], "--vers"),
        (["demo", "--processus", "zéro"], "--processus"),
        (["verifier"], "CHEMIN n'est pas donné"),
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


def test_a_territory_given_as_a_campaign_is_told(capsys: pytest.CaptureFixture[str], tmp_path) -> None:
    code, text = run(capsys, "lot", str(tmp_path))
    assert code == 2
    assert "evalkit rapport" in text


def test_help_is_the_same_at_each_reading(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--aide, --help, -h" in run(capsys, "lot", "--help")[1]
