"""The catalogue of messages: each is provoked once, explained once, and reads in four parts."""

import pickle
import re
from pathlib import Path

import pytest

from evalkit.errors import CATALOGUE, EvalkitError, ExitCode, Fault, Place, only_errors, only_warnings

ROOT = Path(__file__).resolve().parents[2]
HELP = ROOT / "docs" / "erreurs.md"
BROKEN_FILES = ROOT / "tests" / "fichiers_fautifs"
# Families that come from a file; the others come from what is typed or from the machine, and are provoked in tests.
FROM_FILES = ("REF", "DON")


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_message_is_explained_once(code: str) -> None:
    """Each message has exactly one entry in the help page, with a cure."""
    headings = re.findall(rf"^## {code}\b", HELP.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(headings) == 1, f"docs/erreurs.md doit expliquer {code} une fois"


@pytest.mark.parametrize("code", sorted(code for code in CATALOGUE if code.startswith(FROM_FILES)))
def test_every_file_message_has_its_broken_file(code: str) -> None:
    """Each message about a file has a faulty file that provokes it."""
    assert list(BROKEN_FILES.glob(f"{code}*")), f"ajoutez un fichier fautif {code}-… dans tests/fichiers_fautifs/"


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_message_is_emitted_somewhere(code: str) -> None:
    """A message that nothing emits is dead text."""
    uses = [
        p
        for p in (ROOT / "evalkit").rglob("*.py")
        if p.name != "errors.py" and f'"{code}"' in p.read_text(encoding="utf-8")
    ]
    assert uses, f"aucun module n'émet {code}"


def test_no_help_entry_without_message() -> None:
    """The help page explains nothing that no longer exists."""
    explained = set(re.findall(r"^## ([A-Z]{3}-\d{3})", HELP.read_text(encoding="utf-8"), re.MULTILINE))
    assert explained <= set(CATALOGUE)


def test_a_fault_reads_in_four_parts() -> None:
    """Where, read, expected, cure: in this order, one per line."""
    fault = Fault(
        "USA-001", Place("a.xlsx", sheet="cotations", cell="C14", note="Q1.1"), "rien", "un fichier", "donnez-le"
    )
    lines = str(fault).splitlines()
    assert lines[0] == "[USA-001] Fichier ou dossier introuvable"
    assert [line.split()[0] for line in lines[1:]] == ["Où", "Lu", "Attendu", "Corriger", "Aide"]
    assert "a.xlsx, feuille « cotations », cellule C14 (Q1.1)" in lines[1]


def test_faults_survive_the_way_back_from_a_process() -> None:
    """A worker process sends its faults to the parent unchanged."""
    error = EvalkitError([Fault("LOT-006", Place("x"), "a", "b", "c")])
    again = pickle.loads(pickle.dumps(error))
    assert again.faults == error.faults
    assert again.exit_code == ExitCode.INCOMPLETE_BATCH


def test_severity_sorts_faults() -> None:
    """What blocks and what does not are told apart by the catalogue alone."""
    faults = [Fault(code, Place()) for code in CATALOGUE]
    assert len(only_errors(faults)) + len(only_warnings(faults)) == len(CATALOGUE)
