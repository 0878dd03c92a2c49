"""Rules of the reading of answers that a quick look would miss: each was once wrong, and is shown here on a small file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from evalkit.loaders.survey_mapping import SurveyMapping, draft_text, read_mapping
from evalkit.loaders.survey_report import readable_report
from evalkit.loaders.survey_rows import read_moment
from evalkit.loaders.survey_store import Surveys, read_dossier_surveys
from evalkit.loaders.survey_words import alike, says_nothing
from evalkit.loaders.surveys import read_surveys
from tests.unit.survey_cases import LEXICONS, mapping_of, of, read, write_answers

CODES = ("A02", "A03", "A10", "A11", "A12", "A36")
LONG = (
    "A02",
    "A03",
    "A04",
    "A05",
    "A07",
    "A10",
    "A11",
    "A12",
    "A13",
    "A34",
    "A35",
    "A36",
)  # enough to tell people apart
ROW = {"A02": "dans_un_qpv", "A03": "4", "A10": "4", "A11": "oui_ecrit", "A12": "3", "A36": "lien_social"}


def long_row(n: int) -> dict[str, str]:
    """Answers to many questions, the same for the same ``n``."""
    return {**{code: str(n) for code in LONG}, "A02": "dans_un_qpv", "A36": "lien_social"}


def write(path: Path, rows: Sequence[Mapping[str, str]], titles: Sequence[str] = CODES) -> Path:
    return write_answers(path, rows, titles)


# --- nothing in silence -----------------------------------------------------------------------------------------------


def test_no_answer_shows_in_a_traceback(tmp_path: Path) -> None:
    """The default text of what holds answers is what a log or a notebook prints."""
    imported = read([write(tmp_path / "a.csv", [{**ROW, "A36": "confiance"}])])
    texts = [repr(imported), repr(imported.files[0]), repr(imported.files[0].grid), repr(imported.files[0].reading)]
    texts.append(repr(Surveys(frames={"ENQ-ASSO": imported.frame})))
    assert not [text for text in texts if "confiance" in text]


def test_one_column_against_its_split_columns(tmp_path: Path) -> None:
    """KoboToolbox writes several choices twice: where the two disagree, nothing is computed and the rows are named."""
    titles = ("A02", "A03", "A10", "A36", "A36/lien_social", "A36/confiance")
    same = {**ROW, "A36": "lien_social confiance", "A36/lien_social": "1", "A36/confiance": "1"}
    apart = {**ROW, "A36": "lien_social", "A36/lien_social": "0", "A36/confiance": "1"}
    empty = {**ROW, "A36": "lien_social"}  # the tool left the boxes empty
    fine = read([write(tmp_path / "a.csv", [same, empty], titles)])
    assert not of(fine.faults, "DON-104")
    assert fine.frame["A36"].tolist() == ["lien_social;confiance", "lien_social"]
    torn = of(read([write(tmp_path / "b.csv", [same, apart], titles)]).faults, "DON-104")
    assert len(torn) == 1
    assert "la question A36 dite deux fois" in str(torn[0])
    assert "n° 2" in str(torn[0])
    decided = mapping_of(tmp_path, 'colonnes:\n  "A36": "ignorer"\n')
    assert not of(read([tmp_path / "b.csv"], decided).faults, "DON-104")


@pytest.mark.parametrize(("whole", "asked"), [("ccas", 0), ("", 1)])
def test_split_columns_of_an_open_list_beside_the_whole(whole: str, asked: int, tmp_path: Path) -> None:
    """Asked about only when the whole column does not say the same."""
    path = write(tmp_path / "a.csv", [{**ROW, "A20": whole, "A20/ccas": "1"}], (*CODES, "A20", "A20/ccas"))
    assert len(of(read([path]).faults, "DON-091")) == asked
    decided = mapping_of(tmp_path, 'reponses:\n  "A20":\n    "ccas": "CCAS"\n')
    assert not of(read([path], decided).faults, "DON-104")


def test_text_typed_beside_other(tmp_path: Path) -> None:
    """``A36_autre`` beside ``A36`` or ``A36/autre`` is what was typed, not a box that was ticked."""
    rows = [
        {**ROW, "A36": "lien_social autre", "A36_autre": "la fanfare"},
        {**ROW, "A36": "confiance", "A36_autre": "voir plus bas"},
    ]
    imported = read([write(tmp_path / "a.csv", rows, (*CODES, "A36_autre"))])
    assert imported.frame["A36"].tolist() == ["lien_social;autre", "confiance"]
    assert imported.sure, "\n".join(map(str, imported.faults))
    boxes = [{**ROW, "A36/lien_social": "1", "A36/autre": "0", "A36_autre": ""}]
    titles = ("A02", "A03", "A10", "A36/lien_social", "A36/autre", "A36_autre")
    assert read([write(tmp_path / "b.csv", boxes, titles)]).sure


def test_overlapping_exports_without_identifier(tmp_path: Path) -> None:
    """Google Forms gives no identifier: the answers of a second, later export are not counted twice."""
    titles = ("Horodateur", *LONG)
    first = [{**long_row(n), "Horodateur": f"0{n}/10/2022 09:1{n}:00"} for n in (1, 2)]
    second = [*first, {**long_row(3), "Horodateur": "03/10/2022 11:00:00"}]
    imported = read([write(tmp_path / "a.csv", first, titles), write(tmp_path / "b.csv", second, titles)])
    assert len(imported.frame) == 3
    assert "2 envoyées deux fois (n° 1, 2)" in str(of(imported.faults, "DON-099")[0])


def test_same_answers_in_two_files_without_date(tmp_path: Path) -> None:
    """Without a moment they may be two people: both are kept, and it is said where they are."""
    paths = [
        write(tmp_path / "a.csv", [long_row(1)], LONG),
        write(tmp_path / "b.csv", [long_row(2), long_row(1)], LONG),
    ]
    imported = read(paths)
    assert len(imported.frame) == 3
    assert "n° 2 et n° 1 de a.csv" in str(of(imported.faults, "DON-103")[0])


def test_one_export_as_text_and_as_workbook_counts_once(tmp_path: Path) -> None:
    titles = ("Horodateur", *LONG)
    row = {"Horodateur": "2022-10-03 09:12:07", **long_row(3)}
    text = write(tmp_path / "a.csv", [row, {**row, "A36": " lien_social"}], titles)
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(titles)
    typed = [int(v) if v.isdigit() else v for v in long_row(3).values()]
    sheet.append([datetime(2022, 10, 3, 9, 12, 7), *typed])
    book.save(tmp_path / "b.xlsx")
    assert len(read([text, tmp_path / "b.xlsx"]).frame) == 1


@pytest.mark.parametrize(("second", "kept"), [("09:12:07", 1), ("09:12:08", 2)])
def test_few_answers_are_the_same_only_in_the_same_second(second: str, kept: int, tmp_path: Path) -> None:
    rows = [{"Horodateur": f"2022-10-03 {at}", **ROW} for at in ("09:12:07", second)]
    text = write(tmp_path / "a.csv", rows, ("Horodateur", *CODES))
    assert len(read([text]).frame) == kept


def test_third_copy_is_compared_with_every_other(tmp_path: Path) -> None:
    """09:00, then 09:30 (another person), then 09:32: the third is the second sent again."""
    rows = [{**long_row(1), "Horodateur": f"03/10/2022 09:{minute}:00"} for minute in ("00", "30", "32")]
    imported = read([write(tmp_path / "a.csv", rows, ("Horodateur", *LONG))])
    assert len(imported.frame) == 2
    assert "1 envoyée deux fois (n° 3)" in str(of(imported.faults, "DON-099")[0])


# --- decisions of a person --------------------------------------------------------------------------------------------


def test_trials_of_several_files(tmp_path: Path) -> None:
    """Numbers start again in each file: a number without its file is refused, with what to write."""
    paths = [
        write(tmp_path / f"{name}.csv", [{**ROW, "A03": f"{n}"} for n in range(2 + rank)])
        for rank, name in enumerate("ab")
    ]
    bare = of(read(paths, mapping_of(tmp_path, "essais: [1]\n")).faults, "DON-093")
    assert len(bare) == 1
    assert 'essais: {"a.csv": [1, 2]}' in str(bare[0])
    named = read(paths, mapping_of(tmp_path, 'essais: {"b.csv": [1]}\n'))
    assert named.sure
    assert named.info["motifs"] == "1 essai"
    assert named.files[0].sorting.apart == {}
    assert len(named.files[1].sorting.apart["essai"]) == 1
    absent = read(paths, mapping_of(tmp_path, 'essais: {"c.csv": [1]}\n'))
    assert "« c.csv », fichier absent" in str(of(absent.faults, "DON-100")[-1])


def test_codes_of_the_tool_in_the_order_of_the_questionnaire(tmp_path: Path) -> None:
    """A LimeSurvey export in codes: one decision, proposed in the draft, reads titles and answers by their rank."""
    titles = ("id", "submitdate", "A02", "A03", "A11", "A36[SQ001]", "A36[SQ002]")
    row = {"id": "1", "submitdate": "2022-10-03 09:00:00", "A02": "A1", "A03": "4", "A11": "AO02", "A36[SQ002]": "Y"}
    path = write(tmp_path / "a.csv", [row], titles)
    doubtful = read([path])
    assert not doubtful.sure
    assert doubtful.draft is not None
    draft = draft_text(doubtful.draft, "commande")
    assert "#codes: par_rang" in draft
    decided = tmp_path / "enq-asso.correspondance.yml"
    decided.write_text(draft.replace("#codes:", "codes:"), encoding="utf-8")
    mapping, faults = read_mapping(decided, decided.name, LEXICONS)
    assert mapping is not None, faults
    sure = read([path], mapping)
    assert sure.sure, "\n".join(map(str, sure.faults))
    assert sure.frame[["A02", "A11", "A36"]].iloc[0].tolist() == ["dans_un_qpv", "oui_ecrit", "acces_aux_droits"]


def test_period_without_dates_is_said(tmp_path: Path) -> None:
    rows = [{**ROW, "A03": str(n)} for n in range(3)]
    imported = read([write(tmp_path / "a.csv", rows)], mapping_of(tmp_path, 'depuis: "2022-10-01"\n'))
    assert len(imported.frame) == 3
    assert any("3 réponses sans date lisible" in str(fault) for fault in of(imported.faults, "DON-100"))


def test_a_decided_part_never_takes_the_answers_of_another(tmp_path: Path) -> None:
    path = write(
        tmp_path / "cc.csv", [{"K02": "4", "K03_femmes_habitants": "5"}, {}], ("K02", "K03_femmes_habitants", "K04")
    )
    decided = SurveyMapping(enquete="ENQ-CC", partie="individuel")
    found, _ = read_surveys([(path, path.name)], LEXICONS, {"ENQ-CC": decided}, "ENQ-CC")
    assert found[0].frame.empty
    assert "1 partie du questionnaire incertaine" in str(of(found[0].faults, "DON-099")[0])


def test_mapping_file_of_another_questionnaire(tmp_path: Path) -> None:
    path = tmp_path / "enq-asso.correspondance.yml"
    path.write_text('enquete: "ENQ-COM"\n', encoding="utf-8")
    mapping, faults = read_mapping(path, path.name, LEXICONS)
    assert mapping is None
    assert "renommez le fichier en enq-com.correspondance.yml" in str(faults[0])


# --- numbers, notes, words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("1,000", "1000 si la virgule sépare les milliers, 1 si c’est une décimale"),
        ("612345678", "neuf chiffres ou plus"),
        ("12 / 15", "pas un nombre"),
    ],
)
def test_numbers_that_are_doubtful(written: str, why: str, tmp_path: Path) -> None:
    faults = of(read([write(tmp_path / "a.csv", [{**ROW, "A03": written}])]).faults, "DON-092")
    assert len(faults) == 1
    assert why in str(faults[0])
    assert "612345678" not in str(faults[0])


@pytest.mark.parametrize(
    ("written", "value"), [("12,5", "12.5"), ("0,125", "0.125"), ("1 000", "1000"), ("1000,50", "1000.5")]
)
def test_numbers_that_are_sure(written: str, value: str, tmp_path: Path) -> None:
    assert read([write(tmp_path / "a.csv", [{**ROW, "A03": written}])]).frame["A03"].tolist() == [value]


def test_a_percent_cell_is_not_blurred(tmp_path: Path) -> None:
    """0,29 shown as 29 % is 29, not 28,999999999999996."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["A02", "A03", "A10", "A07"])
    sheet.append(["dans_un_qpv", 4, 4, 0.29])
    sheet["D2"].number_format = "0 %"
    book.save(tmp_path / "a.xlsx")
    assert read([tmp_path / "a.xlsx"]).frame["A07"].tolist() == ["29"]


@pytest.mark.parametrize(
    ("written", "note"),
    [
        ("5 – tout à fait d’accord", "5"),
        ("4 - plutôt d'accord", "4"),
        ("5 – pas du tout d’accord", None),
        ("1: tout à fait d’accord", None),
    ],
)
def test_note_and_label_that_disagree(written: str, note: str | None, tmp_path: Path) -> None:
    imported = read([write(tmp_path / "a.csv", [{**ROW, "A10": written}, {**ROW, "A10": "3"}])])
    values = [None if value != value else value for value in imported.frame["A10"]]
    assert values == [note, "3"]
    assert bool(of(imported.faults, "DON-092")) is (note is None)


@pytest.mark.parametrize("typed", ["RAS", "-", "—", "néant", "Sans objet", "R.A.S."])
def test_nothing_typed_in_other_is_not_an_answer(typed: str, tmp_path: Path) -> None:
    titles = ("A02", "A03", "A10", "A36[lien_social]", "A36[other]")
    rows = [{**ROW, "A36[lien_social]": "Oui", "A36[other]": typed}, {**ROW, "A36[other]": "la fanfare"}]
    assert read([write(tmp_path / "a.csv", rows, titles)]).frame["A36"].tolist() == ["lien_social", "autre"]
    assert says_nothing(typed)


def test_title_with_our_code_and_another_question(tmp_path: Path) -> None:
    """« A03. Âge du répondant » is not our A03; « A03 – Années d’existence de votre association » may be."""
    titles = ("A02", "A03. Âge du répondant", "A10", "A11")
    doubtful = read([write(tmp_path / "a.csv", [{**ROW, titles[1]: "44"}], titles)])
    assert "suivi d’un autre libellé" in str(of(doubtful.faults, "DON-091")[0])
    assert "A03" not in doubtful.frame
    titles = ("A02", "A03. Depuis combien d’années existe votre association ?", "A10", "A11")
    assert read([write(tmp_path / "b.csv", [{**ROW, titles[1]: "44"}], titles)]).frame["A03"].tolist() == ["44"]
    assert not alike("Âge du répondant", "Depuis combien d’années votre association existe-t-elle ?")


@pytest.mark.parametrize("written", ["> 5", "< 5", "-5", "5?"])
def test_a_decision_is_about_one_writing(written: str, tmp_path: Path) -> None:
    """What is decided of « -5 » says nothing of 5."""
    path = write(tmp_path / "a.csv", [{**ROW, "A10": written}, {**ROW, "A10": "5"}])
    assert of(read([path]).faults, "DON-092"), "un signe change le sens"
    decided = read([path], mapping_of(tmp_path, f'reponses:\n  "A10":\n    "{written}": "non_repondu"\n'))
    assert decided.frame["A10"].tolist() == ["non_repondu", "5"]


@pytest.mark.parametrize(
    ("question", "written"), [("A10", "≠ 4"), ("A10", "4+"), ("A02", "≠ Dans un QPV"), ("A02", "<Dans un QPV")]
)
def test_a_sign_is_not_dropped(question: str, written: str, tmp_path: Path) -> None:
    imported = read([write(tmp_path / "a.csv", [{**ROW, question: written}])])
    assert of(imported.faults, "DON-092")
    assert imported.frame[question].isna().all()


@pytest.mark.parametrize("typed", ["مركز اجتماعي", "Центр", "❤"])
def test_other_alphabets_say_something(typed: str, tmp_path: Path) -> None:
    titles = ("A02", "A03", "A10", "A36[lien_social]", "A36[other]")
    rows = [{**ROW, "A36[lien_social]": "Oui", "A36[other]": typed}]
    assert read([write(tmp_path / "a.csv", rows, titles)]).frame["A36"].tolist() == ["lien_social;autre"]
    assert not says_nothing(typed)


def test_ranks_say_nothing_of_a_list_of_the_territory(tmp_path: Path) -> None:
    """A1 of A01 is the first neighbourhood, whose rank the tool alone knows."""
    path = write(tmp_path / "a.csv", [{**ROW, "A01": "A1"}], ("A01", *CODES))
    imported = read([path], mapping_of(tmp_path, "codes: par_rang\n"))
    assert not imported.sure
    assert imported.frame["A01"].isna().all()


def test_a_total_under_the_answers_is_nobody(tmp_path: Path) -> None:
    rows = [
        {**ROW, "nom_interne": "1"},
        {"nom_interne": "Total", "A03": "105"},
        {"nom_interne": "Moyenne", "A03": "7,5"},
    ]
    imported = read([write(tmp_path / "a.csv", rows, ("nom_interne", *CODES))])
    assert len(imported.frame) == 1
    assert "2 lignes de calcul" in str(of(imported.faults, "DON-099")[0])


def test_every_consent_must_say_yes(tmp_path: Path) -> None:
    rows = [{**ROW, "consentement": "Oui", "g/consentement": "Non"}, {**ROW, "A03": "8", "consentement": "Oui"}]
    assert len(read([write(tmp_path / "a.csv", rows, (*CODES, "consentement", "g/consentement"))]).frame) == 1


def test_a_row_that_says_one_part_and_answers_the_other(tmp_path: Path) -> None:
    path = write(
        tmp_path / "cc.csv", [{"partie": "individuel", "K02": "4", "K04": "5"}], ("partie", "K02", "K04", "K07")
    )
    found, _ = read_surveys([(path, path.name)], LEXICONS, {}, "ENQ-CC")
    assert found[0].frame.empty


@pytest.mark.parametrize(
    ("question", "written"),
    [
        ("A11", "oui Fatima"),
        ("A11", "Non, Bouzid"),
        ("A02", "Ailleurs dans la commune Dupont"),
        ("A36", "Lien social Kowalski"),
        ("A02", "Dupont12"),
    ],
)
def test_a_name_beside_an_answer_is_never_shown(question: str, written: str, tmp_path: Path) -> None:
    imported = read([write(tmp_path / "a.csv", [{**ROW, question: written}])])
    said = "\n".join(map(str, imported.faults)) + readable_report(imported)
    said += draft_text(imported.draft, "commande") if imported.draft else ""
    for name in ("Fatima", "Bouzid", "Dupont", "Kowalski"):
        assert name not in said


def test_a_title_that_is_a_name_is_not_repeated(tmp_path: Path) -> None:
    imported = read([write(tmp_path / "a.csv", [{**ROW, "Jean Dupont": "x"}], (*CODES, "Jean Dupont"))])
    assert "Dupont" not in "\n".join(map(str, imported.faults)) + readable_report(imported)


# --- consent, moments -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("J’ai lu ces informations et j’accepte de répondre.", True),
        ("Oui", True),
        ("J’accepte", True),
        ("Oui, j'accepte que mes réponses soient utilisées", True),
        ("Oui, mais pas pour l’analyse", False),
        ("J’ai lu ces informations et je refuse", False),
        ("Non", False),
        ("", False),
    ],
)
def test_consent(said: str, kept: bool, tmp_path: Path) -> None:
    rows = [{**ROW, "consentement": said}, {**ROW, "A03": "9", "consentement": "oui"}]
    imported = read([write(tmp_path / "a.csv", rows, (*CODES, "consentement"))])
    assert len(imported.frame) == 1 + kept
    assert ("consentement" in imported.files[0].sorting.apart) is not kept


@pytest.mark.parametrize(
    "said", ["J’accepte que mes réponses soient utilisées sans mon nom", "Je consens à répondre à cette enquête"]
)
def test_consent_of_one_sentence_is_asked(said: str, tmp_path: Path) -> None:
    """A form's own sentence, the same for everybody: a person says what it is worth; nobody is set apart meanwhile."""
    rows = [{**ROW, "A03": str(n), "consentement": said} for n in range(3)] + [{**ROW, "consentement": ""}]
    path = write(tmp_path / "a.csv", rows, (*CODES, "consentement"))
    asked = read([path])
    assert "cette phrase dit-elle oui ?" in str(of(asked.faults, "DON-091")[0])
    assert asked.draft is not None
    assert '#"consentement": "ignorer"' in draft_text(asked.draft, "commande")
    decided = read([path], mapping_of(tmp_path, 'colonnes:\n  "consentement": "ignorer"\n'))
    assert decided.sure
    assert len(decided.frame) == 4


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("03/10/2022 à 9h34", "2022-10-03T09:34:00"),
        ("3 oct. 2022 09:12", "2022-10-03T09:12:00"),
        ("lundi 3 octobre 2022 à 21 h 05", "2022-10-03T21:05:00"),
        ("le 3 octobre 2022", "2022-10-03T00:00:00"),
        ("03/10/2022 9h", "2022-10-03T09:00:00"),
        ("03/10/2022 à 21 h", "2022-10-03T21:00:00"),
        ("lundi 3 octobre 2022 à 9 heures", "2022-10-03T09:00:00"),
        ("3 octobre 2022 à 9 heures 30", "2022-10-03T09:30:00"),
        ("03/10/2022 9 habitants", "2022-10-03T00:00:00"),
        ("45000 h", ""),
    ],
)
def test_moments_as_people_write_them(written: str, iso: str) -> None:
    found = read_moment(written)
    assert (found.isoformat() if found else "") == iso


# --- what is told, and how much of it ---------------------------------------------------------------------------------


def test_many_bad_weights_are_few_messages(tmp_path: Path) -> None:
    rows = [{**ROW, "A03": str(n), "poids": "lourd"} for n in range(40)]
    faults = of(read([write(tmp_path / "a.csv", rows, (*CODES, "poids"))]).faults, "DON-106")
    assert len(faults) == 12
    assert "ici et sur 28 autres lignes" in str(faults[-1])


def test_many_doubtful_titles_are_few_messages(tmp_path: Path) -> None:
    titles = (*CODES, *(f"A14[SQ{n:03}]" for n in range(30)))
    faults = of(read([write(tmp_path / "a.csv", [ROW], titles)]).faults, "DON-091")
    assert len(faults) == 21
    assert "10 autres titres" in str(faults[-1])


def test_many_answers_not_understood_are_few_messages(tmp_path: Path) -> None:
    rows = [{**ROW, "A02": f"A{n}"} for n in range(1, 33)]
    faults = of(read([write(tmp_path / "a.csv", rows)]).faults, "DON-092")
    assert len(faults) == 21
    assert "12 autres réponses différentes" in str(faults[-1])


def test_the_report_names_every_column(tmp_path: Path) -> None:
    titles = (*CODES, "_id", "Nom", *(f"Humeur {n}" for n in range(30)))
    rows = [{**ROW, "Nom": "Durand", "Humeur 29": "bonne"}]
    said = readable_report(read([write(tmp_path / "a.csv", rows, titles)]))
    assert "6 questions reconnues : A02 ; A03 ; A10 ; A11 ; A12 ; A36" in said
    assert "30 colonnes non lues : Humeur 0" in said
    assert "Humeur 29" in said
    assert "1 colonne personnelle écartée : Nom (nom)" in said
    assert "1 colonne de l’outil : _id" in said
    assert "Durand" not in said
    assert "bonne" not in said


def test_what_lies_in_the_folder_of_exports(tmp_path: Path) -> None:
    """What is not read is told: archives, sub-folders, documents; a mapping under another name is not applied."""
    folder = tmp_path / "ardelle" / "enquetes"
    (folder / "brut" / "octobre").mkdir(parents=True)
    (folder / "brut" / "export.zip").write_bytes(b"PK")
    (folder / "brut" / "compte rendu.docx").write_bytes(b"PK")
    (folder / "brut" / "export.xlsm").write_bytes(b"PK")
    (folder / "enq-asso_v2.correspondance.yml").write_text('enquete: "ENQ-ASSO"\nsollicites: 7\n', encoding="utf-8")
    write(folder / "brut" / "a.csv", [ROW])
    found = read_dossier_surveys(tmp_path / "ardelle", "ardelle", LEXICONS, b"")
    told = {str(fault.place): fault.fix for fault in found.faults if fault.code == "DON-033"}
    assert "décompressez-le" in told["ardelle/enquetes/brut/export.zip"]
    assert "sans sous-dossier" in told["ardelle/enquetes/brut/octobre"]
    assert "ardelle/enquetes/brut/compte rendu.docx" in told
    assert "enq-asso.correspondance.yml" in told["ardelle/enquetes/enq-asso_v2.correspondance.yml"]
    assert [f for f in found.faults if "export.xlsm" in str(f.place) and f.code != "DON-033"]
    assert found.infos["ENQ-ASSO"]["n_sollicites"] == {}


def test_a_folder_of_exports_that_cannot_be_opened(tmp_path: Path) -> None:
    folder = tmp_path / "ardelle" / "enquetes"
    folder.mkdir(parents=True)
    (folder / "brut").write_text("un fichier", encoding="utf-8")
    found = read_dossier_surveys(tmp_path / "ardelle", "ardelle", LEXICONS, b"")
    assert [fault.code for fault in found.faults] == ["DON-027"]


def test_a_folder_of_surveys_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rights are not tried: an administrator reads everything."""
    (tmp_path / "ardelle" / "enquetes").mkdir(parents=True)

    def closed(self: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", closed)
    found = read_dossier_surveys(tmp_path / "ardelle", "ardelle", LEXICONS, b"")
    assert [(fault.code, str(fault.place)) for fault in found.faults] == [("DON-027", "ardelle/enquetes")]
