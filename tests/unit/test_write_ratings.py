"""Writing a rating: the row added, the rest of the file as it was, a copy kept, nothing written when it is refused."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.datavalidation import DataValidation

from evalkit.errors import EvalkitError
from evalkit.loaders import write_ratings
from evalkit.loaders.dossier import load_dossier
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.write_ratings import HEADERS, Rating, append_rating, append_ratings, check_rating, ratings_file
from evalkit.model.referentiel import Referentiel

FAULTY = Path(__file__).resolve().parents[1] / "fichiers_fautifs"
CAMPAGNE = """libelle: "Campagne d'essai"
fictif: oui
annee: 2022
date_reference: "2022-11-30"
referentiel_version: "{version}"
modules: ["cooperations"]
publication_nominative_annoncee: non
"""
TERRITOIRE = """nom: "Contrat de ville de Valbrune"
fictif: oui
departement: "59"
generation: "2015"
type: "communaute_agglomeration"
communes: ["Valbrune"]
modules: ["cooperations"]
faits:
  conseil_citoyen: oui
qpv:
  - code: "QF059001"
    nom: "Les Essais"
    geographie: "2015"
    communes: ["Valbrune"]
"""
OLD = "sous_question;repondant;groupe;niveau;preuve;commentaire;date\r\nQ1.1;R01;pilote;4;relevé;;2022-03-16\r\n"
NEW = Rating("Q1.1", "R02", "association", 3, preuve="Délibération n° 12", commentaire="à revoir")


@pytest.fixture(scope="session")
def referentiel() -> Referentiel:
    return load_referentiel()


@pytest.fixture
def dossier(tmp_path: Path, referentiel: Referentiel) -> Path:
    folder = tmp_path / "2022" / "valbrune"
    folder.mkdir(parents=True)
    (folder.parent / "campagne.yml").write_text(CAMPAGNE.format(version=referentiel.version), encoding="utf-8")
    (folder / "territoire.yml").write_text(TERRITOIRE, encoding="utf-8")
    (folder / "cotations.csv").write_bytes(OLD.encode("utf-8-sig"))
    return folder


def rows(content: bytes, encoding: str = "utf-8-sig", separator: str = ";") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(encoding)), delimiter=separator))


def backups(dossier: Path) -> list[str]:
    return sorted(path.name for path in (dossier / ".evalkit" / "sauvegardes").glob("*"))


# --- what a rating is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [{}, {"niveau": 3, "silence": "refus"}, {"silence": "peut-être"}])
def test_a_rating_is_a_level_or_a_silence(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="silence"):
        Rating("Q1.1", "R02", "etat", **wrong)


def test_level_zero_is_a_level() -> None:
    assert Rating("Q1.1", "R02", "etat", 0).cells()["niveau"] == 0


def test_a_silence_is_written_as_such() -> None:
    assert Rating("Q1.1", "R02", "etat", silence="refus").cells()["niveau"] == "refus"


def test_a_rating_does_not_show_itself_in_a_traceback() -> None:
    assert "R02" not in repr(NEW)
    assert "revoir" not in repr(NEW)


# --- CSV --------------------------------------------------------------------------------------------------------------


def test_csv_what_was_there_stays_byte_for_byte(dossier: Path, referentiel: Referentiel) -> None:
    target = append_rating(dossier, NEW, referentiel)
    content = target.read_bytes()
    assert content.startswith(OLD.encode("utf-8-sig"))
    assert rows(content)[1]["preuve"] == "Délibération n° 12"
    read = load_dossier(dossier, referentiel).tables["cotations"]
    assert list(read["niveau"]) == [4.0, 3.0]
    assert list(read["repondant"]) == ["R01", "R02"]


def test_csv_the_former_file_is_kept_each_time(dossier: Path, referentiel: Referentiel) -> None:
    append_rating(dossier, NEW, referentiel)
    append_rating(dossier, Rating("Q1.1", "R03", "commune", silence="ne_sait_pas"), referentiel)
    assert backups(dossier) == ["cotations.1.csv", "cotations.2.csv"]
    assert (dossier / ".evalkit" / "sauvegardes" / "cotations.1.csv").read_bytes() == OLD.encode("utf-8-sig")
    assert not list(dossier.glob("*.partiel")) + list(dossier.glob(".*.partiel"))


def test_csv_silence_is_read_back_as_a_silence(dossier: Path, referentiel: Referentiel) -> None:
    append_rating(dossier, Rating("Q1.1", "R03", "commune", silence="ne_sait_pas"), referentiel)
    last = load_dossier(dossier, referentiel).tables["cotations"].iloc[-1]
    assert last["silence"] == "ne_sait_pas"
    assert last["niveau"] != last["niveau"]


def test_csv_is_made_when_there_is_none(dossier: Path, referentiel: Referentiel) -> None:
    (dossier / "cotations.csv").unlink()
    target = append_rating(dossier, NEW, referentiel)
    assert list(rows(target.read_bytes())[0]) == list(HEADERS)
    assert not (dossier / ".evalkit" / "sauvegardes").exists()


@pytest.mark.parametrize(
    ("old", "encoding", "separator"),
    [
        ("niveau;Sous question;Répondant;groupe\nrefus;Q1.1;R01;etat", "cp1252", ";"),
        ("repondant,groupe,sous_question,niveau\nR01,etat,Q1.1,4\n", "utf-8", ","),
        ("repondant\tgroupe\tsous_question\tniveau\tpreuve\nR01\tetat\tQ1.1\t4\té\n", "utf-8", "\t"),
    ],
)
def test_csv_keeps_its_own_habits(old: str, encoding: str, separator: str) -> None:
    """Order of columns, separator, encoding and line ends of the file are respected."""
    content = write_ratings._csv_with(old.encode(encoding), [Rating("Q1.2", "R09", "commune", 2, preuve="été")])
    text = content.decode(encoding)
    assert "\r" not in text
    last = list(csv.reader(io.StringIO(text), delimiter=separator))[-1]
    headers = [write_ratings._header_name(cell) for cell in text.splitlines()[0].split(separator)]
    assert last[headers.index("sous_question")] == "Q1.2"
    assert last[headers.index("repondant")] == "R09"
    assert last[headers.index("niveau")] == "2"
    assert len(last) == len(headers)


def test_csv_changes_encoding_only_when_a_letter_asks_for_it() -> None:
    old = "sous_question;repondant;groupe;niveau;preuve\nQ1.1;R01;etat;4;é\n".encode("cp1252")
    content = write_ratings._csv_with(old, [Rating("Q1.1", "R02", "etat", 2, preuve="relevé ✔")])
    assert [row["preuve"] for row in rows(content)] == ["é", "relevé ✔"]


def test_csv_text_is_never_a_formula() -> None:
    content = write_ratings._csv_with(None, [Rating("Q1.1", "R02", "etat", 2, preuve="=2+3", commentaire="a\nb;c")])
    row = rows(content)[0]
    assert row["preuve"] == "'=2+3"
    assert row["commentaire"] == "a b;c"


# --- refused: nothing is written ------------------------------------------------------------------------------------


def test_a_duplicate_is_refused_in_the_reader_s_words(dossier: Path, referentiel: Referentiel) -> None:
    with pytest.raises(EvalkitError) as caught:
        append_ratings(dossier, [NEW, Rating("Q1.1", "R01", "pilote", 2)], referentiel)
    assert "DON-" in str(caught.value)
    assert "cotations.csv" in str(caught.value)
    assert (dossier / "cotations.csv").read_bytes() == OLD.encode("utf-8-sig")


def test_a_name_is_refused_and_the_file_comes_back(dossier: Path, referentiel: Referentiel) -> None:
    with pytest.raises(EvalkitError, match="DON-"):
        append_rating(dossier, Rating("Q1.1", "Madame Untel", "association", 2), referentiel)
    assert (dossier / "cotations.csv").read_bytes() == OLD.encode("utf-8-sig")


def test_no_file_is_left_when_the_first_rating_is_refused(dossier: Path, referentiel: Referentiel) -> None:
    (dossier / "cotations.csv").unlink()
    with pytest.raises(EvalkitError):
        append_rating(dossier, Rating("Q9.9", "R02", "association", 2), referentiel)
    assert not (dossier / "cotations.csv").exists()


def test_a_file_that_cannot_be_replaced(
    dossier: Path, referentiel: Referentiel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows, a file open in Excel: said kindly, and nothing half written."""

    def locked(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", locked)
    with pytest.raises(EvalkitError, match="USA-041") as caught:
        append_rating(dossier, NEW, referentiel)
    assert "fermez ce fichier dans le tableur" in str(caught.value)
    assert (dossier / "cotations.csv").read_bytes() == OLD.encode("utf-8-sig")
    assert not list(dossier.glob(".*.partiel"))


@pytest.mark.parametrize(
    ("rating", "word"),
    [
        (Rating("Q1.1", "Madame Untel", "association", 2), "repondant"),
        (Rating("Q9.9", "R02", "association", 2), "Q9.9"),
        (Rating("Q1.1", "R02", "asso", 2), "asso"),
        (Rating("Q1.1", "R02", "association", 7), "7"),
    ],
)
def test_a_cell_is_checked_before_any_file_is_touched(rating: Rating, word: str, referentiel: Referentiel) -> None:
    with pytest.raises(EvalkitError, match="DON-") as caught:
        check_rating(rating, referentiel)
    assert word in str(caught.value)


def test_a_good_rating_passes(referentiel: Referentiel) -> None:
    check_rating(NEW, referentiel)
    check_rating(Rating("Q1.1", "R02", "etat", silence="non_repondu"), referentiel)


# --- workbook ---------------------------------------------------------------------------------------------------------


def make_workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "cotations"
    sheet.append([*HEADERS, "(aide) descripteur"])
    sheet.append(["Q1.1", "R01", "pilote", 4, "relevé", None, "2022-03-16", "=1+1"])
    levels = DataValidation(type="list", formula1='"0,1,2,3,4,5"')
    levels.add("D2:D500")
    sheet.add_data_validation(levels)
    sheet.freeze_panes = "A2"
    sheet.protection.sheet = True
    other = book.create_sheet("constats")
    other.append(["id", "question", "type", "texte"])
    other.append(["C1", "Q1", "reussite", "Un texte"])
    book.save(path)


@pytest.fixture
def workbook(dossier: Path) -> Path:
    (dossier / "cotations.csv").unlink()
    make_workbook(dossier / "evaluation.xlsx")
    return dossier / "evaluation.xlsx"


def test_workbook_row_added_and_the_rest_kept(workbook: Path, referentiel: Referentiel) -> None:
    assert append_rating(workbook.parent, NEW, referentiel) == workbook
    book = openpyxl.load_workbook(workbook)
    sheet = book["cotations"]
    assert [cell.value for cell in sheet[3]][:5] == ["Q1.1", "R02", "association", 3, "Délibération n° 12"]
    assert [str(v.sqref) for v in sheet.data_validations.dataValidation] == ["D2:D500"]
    assert sheet.freeze_panes == "A2"
    assert sheet.protection.sheet
    assert book["constats"]["D2"].value == "Un texte"
    assert backups(workbook.parent) == ["evaluation.1.xlsx"]
    read = load_dossier(workbook.parent, referentiel).tables["cotations"]
    assert list(read["niveau"]) == [4.0, 3.0]


def test_workbook_text_is_never_a_formula(workbook: Path, referentiel: Referentiel) -> None:
    append_rating(workbook.parent, Rating("Q1.1", "R02", "etat", 2, preuve="=2+3"), referentiel)
    cell = openpyxl.load_workbook(workbook)["cotations"]["E3"]
    assert (cell.value, cell.data_type) == ("=2+3", "s")


def test_workbook_a_computed_cell_would_be_lost(workbook: Path, referentiel: Referentiel) -> None:
    """A level typed as a formula: the reader sees its result, openpyxl would forget it, so nothing is written."""
    shutil.copyfile(FAULTY / "USA-041-classeur-avec-formules" / "evaluation.xlsx", workbook)
    before = workbook.read_bytes()
    assert list(load_dossier(workbook.parent, referentiel).tables["cotations"]["niveau"]) == [4.0]
    with pytest.raises(EvalkitError, match="USA-041") as caught:
        append_rating(workbook.parent, NEW, referentiel)
    assert "formule" in str(caught.value)
    assert workbook.read_bytes() == before


def test_csv_beats_a_workbook_without_the_sheet(dossier: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "constats"
    book.save(dossier / "evaluation.xlsx")
    (dossier / "cotations.csv").unlink()
    assert ratings_file(dossier).name == "cotations.csv"
