"""What a file of answers holds and a quick look would miss is said, with its cure: nothing is settled in silence."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from bs4 import BeautifulSoup

from evalkit import actions
from evalkit.charts.surveys import read_items
from evalkit.errors import Fault, Place
from evalkit.loaders import survey_rows, surveys
from evalkit.loaders.dossier import check_dossier
from evalkit.loaders.grids import read_csv
from evalkit.loaders.persons import fault_without_people, file_without_people, without_people
from evalkit.loaders.survey_columns import TOOLS
from evalkit.loaders.survey_mapping import SurveyMapping, draft_text
from evalkit.loaders.survey_rows import Seen, sort_rows
from evalkit.report import sections_surveys
from evalkit.report.workbook import render_rapport_xlsx
from tests.unit.survey_cases import LEXICONS, REFERENTIEL, SAMPLES, mapping_of, of, read, write_answers

GIVEN = {
    "A02": "dans_un_qpv", "A06": "refus", "A08": "4_6_ans", "A09": "non", "A10": "4", "A11": "non", "A17": "oui",
    "A18": "non", "A19": "non", "A28": "non", "A31": "maintenu", "A33": "stable", "A36": "lien_social",
}  # fmt: skip
CODES = ("A03", *GIVEN)


def answers(n: int = 1, **more: str) -> dict[str, str]:
    """Answers to many questions, the same for the same ``n``."""
    return {"A03": str(n), **GIVEN, **more}


def write(path: Path, rows: Sequence[Mapping[str, str]], titles: Sequence[str] = CODES) -> Path:
    return write_answers(path, rows, titles)


# --- what is held ----------------------------------------------------------------------------------------------------


def test_what_is_compared_is_held_as_prints(tmp_path: Path) -> None:
    """A hundred thousand rows are compared through prints of 16 bytes, never through a second copy of the answers."""
    path = write(tmp_path / "a.csv", [answers(1, _uuid="u-1"), answers(2, _uuid="u-2")], ("_uuid", *CODES))
    lexicon, seen = LEXICONS["ENQ-ASSO"], Seen()
    grid = read_csv(path)[0]
    header = surveys.recognise([grid], LEXICONS, wanted="ENQ-ASSO")[1]  # type: ignore[index]
    sort_rows(grid, header, lexicon, SurveyMapping(), seen, "a.csv")
    assert (len(seen.identities), len(seen.contents)) == (2, 2)
    assert {(type(key), len(key)) for key in (*seen.identities, *seen.contents)} == {(bytes, 16)}


def test_one_file_is_compared_with_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered of a file when no other is read; two files share what they remember."""
    given: list[Seen | None] = []

    def spy(*args: Any) -> Any:
        given.append(args[4])
        return sort_rows(*args)

    monkeypatch.setattr(surveys, "sort_rows", spy)
    paths = [write(tmp_path / name, [answers(n)]) for n, name in enumerate(("a.csv", "b.csv"), 1)]
    read(paths[:1])
    read(paths)
    assert given[0] is None
    assert given[1] is given[2] is not None


def test_a_cell_is_held_once(tmp_path: Path) -> None:
    rows = read_csv(write(tmp_path / "a.csv", [answers(1), answers(1)]))[0].rows
    assert all(first is second for first, second in zip(rows[1], rows[2], strict=True))


# --- an export beside the import --------------------------------------------------------------------------------------


@pytest.fixture
def dossier(tmp_path: Path) -> Path:
    """A sample territory without answers."""
    shutil.copytree(SAMPLES / "ardelle", tmp_path / "2022" / "ardelle")
    for name in ("campagne.yml", "reference_regionale.json"):
        shutil.copy(SAMPLES / name, tmp_path / "2022")
    shutil.rmtree(tmp_path / "2022" / "ardelle" / "enquetes", ignore_errors=True)
    return tmp_path / "2022" / "ardelle"


@pytest.mark.parametrize(
    ("imported", "dropped", "words", "cure"),
    [
        ("08/10/2022 9:00", "03/10/2022 9:00", "plus ancien (1 réponse jusqu’au 3 octobre 2022)", "sortez-le de « brut »"),
        ("03/10/2022 9:00", "08/10/2022 9:00", "plus récent (1 réponse jusqu’au 8 octobre 2022)", "pour qu’il le remplace"),
        ("03/10/2022 9:00", "", "1 réponse, sans date lisible", "rien ne dit lequel est le plus récent"),
        ("", "03/10/2022 9:00", "déjà importé (ardelle/enquetes/enq-asso.csv) : 1 réponse, sans", "rien ne dit lequel"),
        ("03/10/2022 9:00", "03/10/2022 11:00", "1 réponse jusqu’au 3 octobre 2022 ; déjà", "rien ne dit lequel"),
    ],
)  # fmt: skip
def test_the_newer_of_two_exports_is_told(
    imported: str, dropped: str, words: str, cure: str, dossier: Path, tmp_path: Path
) -> None:
    """The cure goes with the dates: an older export left in ``brut/`` must never be proposed in place of the newer one."""
    titles = ("Horodateur", *CODES)
    source = write(tmp_path / "premier.csv", [answers(1, Horodateur=imported)], titles)
    assert actions.import_surveys([source], dossier).written
    write(dossier / "enquetes" / "brut" / "autre.csv", [answers(2, Horodateur=dropped)], titles)
    found = of(check_dossier(dossier, REFERENTIEL).faults, "DON-095")
    assert len(found) == 1
    assert words in found[0].read
    assert found[0].fix.startswith(cure)


def test_a_report_whose_date_is_none_is_damaged(dossier: Path, tmp_path: Path) -> None:
    """The date is shown: what is not a date is told as a damaged report, not printed nor crashed on."""
    assert actions.import_surveys([write(tmp_path / "a.csv", [answers(1)])], dossier).written
    report = dossier / "enquetes" / "enq-asso.import.json"
    report.write_text(
        report.read_text(encoding="utf-8").replace('"date": ""', '"date": "2022-13-45"'), encoding="utf-8"
    )
    assert of(check_dossier(dossier, REFERENTIEL).faults, "DON-094")


# --- the document -----------------------------------------------------------------------------------------------------


def test_a_census_says_what_is_known_of_it() -> None:
    """A questionnaire meant for everybody was perhaps not sent to everybody: the document only says what was planned."""
    text = str(sections_surveys.show_surveys(actions.load_publication(SAMPLES / "ardelle")))
    assert "prévue auprès de tous" in text
    assert "tous ont été sollicités" not in text


# --- the same submission, other answers -------------------------------------------------------------------------------


def test_a_changed_submission_is_told(tmp_path: Path) -> None:
    """Same identifier, other answers: the first read is kept, and both are named, in one file or two."""
    titles = ("_uuid", *CODES)
    first, other = answers(1, _uuid="u-1"), answers(7, _uuid="u-1")
    one = read([write(tmp_path / "a.csv", [first, other], titles)])
    assert one.frame["A03"].tolist() == ["1"]
    assert "n° 2, mis à part ; n° 1, gardé" in str(of(one.faults, "DON-107")[0])
    paths = [write(tmp_path / "b.csv", [first], titles), write(tmp_path / "c.csv", [answers(3), other], titles)]
    two = read(paths)
    assert two.frame["A03"].tolist() == ["1", "3"]
    assert "n° 2, mis à part ; n° 1 de b.csv, gardé" in str(of(two.faults, "DON-107")[0])
    same = read([write(tmp_path / "d.csv", [first, first], titles)])
    assert len(same.frame) == 1
    assert not of(same.faults, "DON-107")


def test_the_other_of_two_submissions_can_be_kept(tmp_path: Path) -> None:
    """The cure that is given works."""
    path = write(tmp_path / "a.csv", [answers(1, _uuid="u-1"), answers(7, _uuid="u-1")], ("_uuid", *CODES))
    imported = read([path], mapping_of(tmp_path, "essais: [1]\n"))
    assert imported.frame["A03"].tolist() == ["7"]


def test_the_same_submission_under_other_titles_is_not_called_changed(tmp_path: Path) -> None:
    """An export in codes and one in labels say the same thing otherwise."""
    labels = {q.code: q.libelle for q in LEXICONS["ENQ-ASSO"].enquete.questions}
    row = answers(1, _uuid="u-1")
    other = {labels.get(title, title): value for title, value in row.items()} | {labels["A02"]: "Dans un QPV"}
    paths = [
        write(tmp_path / "a.csv", [row], ("_uuid", *CODES)),
        write(tmp_path / "b.csv", [other], ("_uuid", *(labels[code] for code in CODES))),
    ]
    imported = read(paths)
    assert len(imported.frame) == 1
    assert not of(imported.faults, "DON-107")


@pytest.mark.parametrize(("first", "second"), [(3, 3.0), (True, 1.0)])
def test_one_number_is_one_answer(first: object, second: object) -> None:
    """A workbook gives 3 or 3.0, as it was saved by one program or another; « oui » stays no number."""
    same = not isinstance(first, bool)
    assert (survey_rows._print_of((first,)) == survey_rows._print_of((second,))) is same


# --- weights, population ----------------------------------------------------------------------------------------------


def test_weights_of_one_file_only(tmp_path: Path) -> None:
    """Weights 1 beside weights of another unit would be invented: nothing is computed until a person says."""
    weighted = write(tmp_path / "a.csv", [answers(1, poids="0,5"), answers(2, poids="250")], ("poids", *CODES))
    plain = write(tmp_path / "b.csv", [answers(3)])
    imported = read([weighted, plain])
    assert not imported.sure
    assert "des poids dans ce fichier, aucun dans b.csv" in str(of(imported.faults, "DON-106")[0])
    ignored = read([weighted, plain], mapping_of(tmp_path, 'colonnes:\n  "poids": "ignorer"\n'))
    assert ignored.sure
    assert ignored.frame["poids"].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("decided", "words"),
    [
        ("population: 2\n", "une population de 2 pour 3 réponses"),
        ("population: 20\nsollicites: 40\n", "une population de 20 pour 40 sollicités"),
        ("population: 40\nsollicites: 40\n", ""),
        ("population: 3\n", ""),
    ],
)
def test_a_population_smaller_than_its_answers(decided: str, words: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [answers(n) for n in (1, 2, 3)])
    found = of(read([path], mapping_of(tmp_path, decided)).faults, "DON-097")
    assert [words in str(fault) for fault in found] == [True] * bool(words)


# --- what Excel does not show -----------------------------------------------------------------------------------------


def test_hidden_rows_and_columns_are_read_and_said(tmp_path: Path) -> None:
    """A filter left on in Excel loses nobody, and it is told."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(list(CODES))
    for n in (1, 2, 3):
        sheet.append(list(answers(n).values()))
    shown = tmp_path / "visible.xlsx"
    book.save(shown)
    assert not of(read([shown]).faults, "DON-108")
    sheet.row_dimensions[3].hidden = True
    sheet.row_dimensions[9].hidden = True  # blank: nothing was read there
    sheet.column_dimensions["B"].hidden = True
    path = tmp_path / "filtre.xlsx"
    book.save(path)
    imported = read([path])
    assert imported.frame["A03"].tolist() == ["1", "2", "3"]
    (told,) = of(imported.faults, "DON-108")
    assert "1 ligne et 1 colonne masquées" in told.read
    assert "n° 2, soit ligne 3 de la feuille ; colonne B" in told.read
    assert "les numéros d’envoi ci-dessus (n°) dans « essais »" in told.fix
    assert len(read([path], mapping_of(tmp_path, "essais: [2]\n")).frame) == 2


# --- two files of one name --------------------------------------------------------------------------------------------


def test_trials_of_two_files_of_one_name(dossier: Path, tmp_path: Path) -> None:
    """« export.csv » is two files: its trials are asked about, and messages tell the files apart by their folder."""
    paths = [
        write(tmp_path / folder / "export.csv", [answers(n), answers(n + 5)]) for n, folder in ((1, "mai"), (2, "juin"))
    ]
    (dossier / "enquetes").mkdir()
    mapping = dossier / "enquetes" / "enq-asso.correspondance.yml"
    mapping.write_text('enquete: "ENQ-ASSO"\nessais: {"export.csv": [1]}\n', encoding="utf-8")
    result = actions.import_surveys(paths, dossier)
    assert not result.written
    assert "le nom de 2 fichiers" in str(of(result.faults, "DON-093")[0])
    assert {"mai/export.csv", "juin/export.csv"} <= {fault.place.file for fault in result.faults}
    renamed = paths[1].rename(paths[1].with_name("autre.csv"))
    again = actions.import_surveys([paths[0], renamed], dossier)
    assert again.written
    assert len(again.imports[0].frame) == 3


def test_one_path_typed_twice_counts_once(dossier: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "export.csv", [answers(1), answers(2)])
    result = actions.import_surveys([path, path], dossier)
    assert not result.written
    assert of(result.lost, "DON-095")


# --- codes of the tool ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["A1, A3", "A1;A3", "A1 A3", "SQ001|SQ003", "A3, A1, A3"])
def test_several_codes_in_one_cell(written: str, tmp_path: Path) -> None:
    """« par_rang » reads every code of a multiple answer; without it nothing is guessed, and the line is proposed."""
    path = write(tmp_path / "a.csv", [answers(1, A36=written)])
    doubtful = read([path])
    assert not doubtful.sure
    assert doubtful.draft is not None
    assert "#codes: par_rang" in draft_text(doubtful.draft, "commande")
    (told,) = of(doubtful.faults, "DON-092")
    assert written in told.read, "un code d’outil n’est à personne : il se montre"
    sure = read([path], mapping_of(tmp_path, "codes: par_rang\n"))
    assert sure.sure, "\n".join(map(str, sure.faults))
    choices = [choice.code for choice in LEXICONS["ENQ-ASSO"].enquete.questions_par_code["A36"].choix]
    assert set(sure.frame["A36"].iloc[0].split(";")) == {choices[0], choices[2]}


def test_what_is_proposed_for_several_codes_can_be_taken(tmp_path: Path) -> None:
    """A proposal whose # is taken away is a decision that the reader accepts."""
    path = write(tmp_path / "a.csv", [answers(1, A36="A1, A3")])
    draft = draft_text(read([path]).draft, "commande")  # type: ignore[arg-type]
    line = next(line for line in draft.splitlines() if '"A1, A3"' in line)
    decided = mapping_of(tmp_path, f'reponses:\n  "A36":\n{line.replace("#", "")}\n')
    assert read([path], decided).sure


def test_several_codes_are_no_answer_to_a_question_that_wants_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [answers(1, A02="A1, A3")])
    assert of(read([path], mapping_of(tmp_path, "codes: par_rang\n")).faults, "DON-092")


# --- bodies that nobody declared --------------------------------------------------------------------------------------


def test_undeclared_bodies_are_told(tmp_path: Path) -> None:
    """« Autre : 100 % » means nothing: it is said on import, with what to write; and no more once one is declared."""
    path = write(tmp_path / "a.csv", [answers(n, A20="Centre social des Lilas") for n in (1, 2)], (*CODES, "A20"))
    (told,) = of(read([path]).faults, "DON-109")
    assert "A20 : 2 réponses" in told.read
    assert "enquetes/enq-asso.correspondance.yml" in told.fix
    assert "Lilas" not in str(told), "le nom d’une structure peut être celui d’une personne"
    declared = mapping_of(tmp_path, 'reponses:\n  "A20":\n    "Centre social des Lilas": "centre_social"\n')
    sure = read([path], declared)
    assert not of(sure.faults, "DON-109")
    assert sure.frame["A20"].tolist() == ["centre_social", "centre_social"]


def test_a_draft_has_a_place_for_the_bodies(tmp_path: Path) -> None:
    """The block is there to fill; left as it is, it decides nothing."""
    path = write(tmp_path / "a.csv", [answers(1, A20="CCAS", A02="ailleurs")], (*CODES, "A20"))
    draft = draft_text(read([path]).draft, "commande")  # type: ignore[arg-type]
    block = draft[draft.index('  "A20":') :]
    assert '#"Centre social des Lilas": "centre_social"' in block
    assert "CCAS" not in draft
    untouched = mapping_of(tmp_path, draft.partition("\n")[2].replace('enquete: "ENQ-ASSO"\n', ""))
    assert not untouched.answers.get("A20")


@pytest.mark.parametrize("bodies", [["CCAS", "Maison des jeunes"], ["CCAS", ""]])
def test_the_document_says_that_the_list_is_not_declared(bodies: list[str], dossier: Path, tmp_path: Path) -> None:
    rows = [answers(n, A20=bodies[n % 2]) for n in range(1, 41)]
    path = write(tmp_path / "a.csv", rows, (*CODES, "A20"))
    assert actions.import_surveys([path], dossier).written
    publication = actions.load_publication(dossier)
    said = " ".join(BeautifulSoup(str(sections_surveys.show_surveys(publication)), "html.parser").get_text(" ").split())
    row = said[said.index("A20 Avec quelles structures") :][:400]
    assert "liste des structures non déclarée" in row
    assert "correspondance.yml" not in row
    assert "Autre :" not in row
    book = openpyxl.load_workbook(io.BytesIO(render_rapport_xlsx(publication)))
    cells = [[str(cell.value) for cell in line] for line in book["Réponses"] if line[2].value == "A20"]
    assert len(cells) == 1
    assert any(
        cell.startswith("liste des structures non déclarée") and "correspondance" not in cell for cell in cells[0]
    )


def test_a_declared_list_that_nobody_ticked_is_no_undeclared_list(dossier: Path, tmp_path: Path) -> None:
    """Bodies are declared and everybody answers another: « Autre » is then the answer. One rule: what the import says."""
    rows = [answers(n, A20="CCAS") for n in range(1, 41)]
    path = write(tmp_path / "a.csv", rows, (*CODES, "A20"))
    (dossier / "enquetes").mkdir()
    mapping = dossier / "enquetes" / "enq-asso.correspondance.yml"
    mapping.write_text('enquete: "ENQ-ASSO"\nreponses:\n  "A20":\n    "Le Relais": "relais"\n', encoding="utf-8")
    result = actions.import_surveys([path], dossier)
    assert result.written
    assert not of(result.faults, "DON-109")
    publication = actions.load_publication(dossier)
    assert not [item.key for item in read_items(publication) if item.undeclared]
    mapping.unlink()
    (dossier / "enquetes" / "brut").mkdir()
    for name in ("enq-asso.csv", "enq-asso.import.json"):
        (dossier / "enquetes" / name).unlink()
    path.rename(dossier / "enquetes" / "brut" / "a.csv")
    raw = actions.load_publication(dossier)
    assert [item.key for item in read_items(raw) if item.undeclared] == ["ENQ-ASSO A20"]
    assert raw.empreinte != publication.empreinte


# --- names of files, of sheets, of columns ----------------------------------------------------------------------------

WHO = ("Fatima", "Bouzid", "0612345678", "06 12 34 56 78", "f.bouzid@exemple.fr")


def named_export(folder: Path, titles: Sequence[str] = ("avis de Fatima Bouzid sur le local", *CODES)) -> Path:
    """An export whose file, sheet and one title name somebody."""
    folder.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "0612345678"
    sheet.append(list(titles))
    for n in (1, 2):
        sheet.append([answers(n, **{titles[0]: "bien"}).get(title, "") for title in titles])
    path = folder / "reponses Fatima Bouzid.xlsx"
    book.save(path)
    return path


def test_what_an_import_stores_names_nobody(dossier: Path, tmp_path: Path) -> None:
    """The report of an import travels with the answers: file, sheet and titles are told by initials."""
    result = actions.import_surveys([named_export(tmp_path / "x")], dossier)
    assert result.written, result.report()
    stored = (dossier / "enquetes" / "enq-asso.import.json").read_text(encoding="utf-8")
    assert not [word for word in WHO if word in stored]
    (file,) = json.loads(stored)["fichiers"]
    assert file["nom"] == "reponses F… B….xlsx"
    assert file["feuille"] == "(coordonnées)"
    assert file["colonnes_non_lues"] == ["avis de F… B… sur le local"]


def test_a_draft_names_nobody(dossier: Path, tmp_path: Path) -> None:
    result = actions.import_surveys(
        [named_export(tmp_path / "x", ("Fatima Bouzid, votre avis", *CODES[1:], "A20[xx]"))], dossier
    )
    assert result.drafts
    text = result.drafts[0].read_text(encoding="utf-8")
    assert not [word for word in WHO if word in text]


def test_the_journal_and_the_index_name_nobody(dossier: Path, tmp_path: Path) -> None:
    """A territory that cannot be made is told in files that go with the reports."""
    named_export(dossier / "enquetes" / "brut", ("Humeur", "Temps"))
    result = actions.render_batch(dossier.parent, tmp_path / "s", 1)
    assert not result.ok
    assert any("Bouzid" in str(fault) for outcome in result.outcomes for fault in outcome.faults), "la console le nomme"
    for name in ("journal.json", "index.html"):
        text = (tmp_path / "s" / name).read_text(encoding="utf-8")
        assert "DON-090" in text
        assert "reponses F… B….xlsx" in text
        assert not [word for word in WHO if word in text], name


def test_a_message_about_the_dossier_keeps_its_places() -> None:
    """A quarter or a territory is what has to be found again; the name of an export is told by initials wherever it stands."""
    own = Fault("DON-009", Place("Noyelles-Godault.xlsx", "Bois Blancs"), "« Bois Blancs »", "« Vallée Verte »", "rien")
    assert fault_without_people(own) == own
    told = fault_without_people(
        Fault("DON-009", Place("ardelle"), "voir enquetes/brut/avis Fatima Bouzid.csv, 0612345678")
    )
    assert told.read == "voir enquetes/brut/avis F… B….csv, (coordonnées)"
    export = fault_without_people(Fault("DON-091", Place("a/enquetes/brut/x.csv"), "« avis de Fatima Bouzid »"))
    assert export.read == "« avis de F… B… »"


def test_no_title_of_ours_is_taken_for_somebody() -> None:
    """Questions, answers and the titles of the tools are written as they are."""
    texts = [q.libelle for lexicon in LEXICONS.values() for q in lexicon.enquete.questions]
    texts += [c.libelle for lexicon in LEXICONS.values() for q in lexicon.enquete.questions for c in q.choix]
    texts += [title for titles in TOOLS.values() for title in titles.split("|")]
    texts += [
        "Adresse IP",
        "Form Responses 1",
        "Réponses au formulaire 1",
        "Feuil1",
        "Salle Jean Moulin",
        "Aulnoye-Aymeries",
    ]
    assert [text for text in texts if without_people(text) != text] == []


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("brut/reponses_BOUZID_Fatima.csv", "brut/reponses_B…_F….csv"),
        ("brut/f.bouzid@exemple.fr.csv", "brut/(coordonnées).csv"),
        ("brut/Export J. Dupont mai.xlsx", "brut/Export J… D… mai.xlsx"),
        ("brut/export-associations.csv", "brut/export-associations.csv"),
    ],
)
def test_names_of_files(written: str, stored: str) -> None:
    assert file_without_people(written) == stored
