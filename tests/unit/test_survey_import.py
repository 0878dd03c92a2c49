"""Files of answers, as each tool writes them, give back the answers that were put in; nothing personal is kept."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from evalkit import actions
from evalkit.compute.evaluation import evaluate
from evalkit.documents.answers_workbook import answers_workbook
from evalkit.errors import EvalkitError, only_errors
from evalkit.loaders.dossier import check_dossier, load_dossier, territory_of
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.resources import resource_dir
from evalkit.loaders.survey_mapping import draft_text, read_mapping
from evalkit.loaders.survey_report import import_report
from evalkit.loaders.survey_rows import read_moment
from evalkit.loaders.surveys import SurveyImport, lexicons_of, read_surveys
from evalkit.model.survey import Enquete
from outils_dev.exemples import exports
from tests.attaque.reponses_inventees import SIZES, invented_answers

REFERENTIEL = load_referentiel()
SURVEYS = {survey.code: survey for survey in REFERENTIEL.enquetes}
SAMPLES = resource_dir("sample_data") / "2022"
TERRITORY = territory_of(SAMPLES / "ardelle", REFERENTIEL)
LEXICONS = lexicons_of(REFERENTIEL, TERRITORY)

Maker = Callable[[Enquete, pd.DataFrame, Any], exports.Rows]
LAYOUTS: dict[str, tuple[str, Maker]] = {
    "kobo-codes": ("KoboToolbox", exports.kobo),
    "kobo-libelles": ("KoboToolbox", lambda e, f, t: exports.kobo(e, f, t, labels=True)),
    "kobo-une-colonne": ("KoboToolbox", lambda e, f, t: exports.kobo(e, f, t, labels=True, multiple="single")),
    "kobo-colonnes-separees": ("KoboToolbox", lambda e, f, t: exports.kobo(e, f, t, multiple="split")),
    "kobo-sans-groupes": ("KoboToolbox", lambda e, f, t: exports.kobo(e, f, t, groups=False)),
    "odk": ("ODK", exports.odk),
    "limesurvey-codes": ("LimeSurvey", lambda e, f, t: exports.limesurvey(e, f, t, titles="code")),
    "limesurvey-textes": ("LimeSurvey", exports.limesurvey),
    "framaforms": ("Framaforms", exports.framaforms),
    "google": ("Google Forms", exports.google),
    "microsoft": ("Microsoft Forms", exports.microsoft),
}


def answers(code: str, seed: int = 1) -> pd.DataFrame:
    return invented_answers(SURVEYS[code], SIZES[0][code], seed)


def read_one(path: Path, **options: Any) -> SurveyImport:
    found, lost = read_surveys([(path, path.name)], LEXICONS, **options)
    assert not lost, "\n".join(map(str, lost))
    return found[0]


def same_answers(imported: SurveyImport, expected: pd.DataFrame) -> list[str]:
    """Cells that differ: a free text is only known to be there, the order of several choices does not matter."""
    wrong = []
    for question in imported.enquete.questions:
        if question.code not in imported.frame:
            wrong += [f"{question.code} absente"] if expected[question.code].notna().any() else []
            continue
        for rank, (ours, theirs) in enumerate(zip(imported.frame[question.code], expected[question.code], strict=True)):
            got = set() if ours != ours or ours == "non_demande" else set(str(ours).split(";"))
            want = set() if theirs != theirs or theirs is None else set(str(theirs).split(";"))
            if question.type == "texte" and want:
                want = {"renseigne"}
            if got != want:
                wrong.append(f"{question.code} ligne {rank + 1} : {got} au lieu de {want}")
    return wrong


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize("code", sorted(SURVEYS))
def test_answers_come_back(code: str, layout: str, tmp_path: Path) -> None:
    """Every questionnaire through every layout: tool, questionnaire, part and each answer."""
    tool, make = LAYOUTS[layout]
    frame = answers(code)
    rows = make(SURVEYS[code], frame, TERRITORY)
    path = tmp_path / f"export.{'xlsx' if layout == 'microsoft' else 'csv'}"
    (exports.write_xlsx if layout == "microsoft" else exports.write_csv)(path, rows)
    imported = read_one(path)
    assert not only_errors(imported.faults), "\n".join(map(str, only_errors(imported.faults)))
    assert (imported.enquete.code, imported.info["outil"]) == (code, tool)
    assert len(imported.frame) == len(frame)
    assert imported.frame["partie"].tolist() == frame["partie"].tolist()
    assert same_answers(imported, frame) == []
    assert imported.info["date"][:7] == "2022-10"


def test_kobo_workbook_and_csv_say_the_same(tmp_path: Path) -> None:
    rows = exports.kobo(SURVEYS["ENQ-ASSO"], answers("ENQ-ASSO"), TERRITORY)
    book = read_one(exports.write_xlsx(tmp_path / "a.xlsx", rows))
    text = read_one(exports.write_csv(tmp_path / "a.csv", rows))
    assert book.frame.equals(text.frame)


@pytest.mark.parametrize("code", sorted(SURVEYS))
def test_our_own_workbook(code: str, tmp_path: Path) -> None:
    """The workbook for paper answers: its questionnaire is known, its columns too, a row typed comes back."""
    import openpyxl

    survey, frame = SURVEYS[code], answers(code).head(5)
    path = tmp_path / "saisie.xlsx"
    path.write_bytes(answers_workbook(survey, REFERENTIEL, TERRITORY))
    book = openpyxl.load_workbook(path)
    sheet = book["reponses"]
    columns = {cell.value: cell.column for cell in sheet[1]}
    labels = {q.code: {c.code: c.libelle for c in q.choix} for q in survey.questions}
    for rank, row in enumerate(frame.to_dict("records")):
        if "partie" in columns:
            sheet.cell(rank + 3, columns["partie"], survey.parties_par_code[row["partie"]].libelle)
        for question in survey.questions:
            value = row[question.code]
            if value != value or value is None:
                continue
            if question.code in columns:
                typed = labels[question.code].get(value, value)
                sheet.cell(rank + 3, columns[question.code], float(value) if question.type == "nombre" else typed)
            for choice in str(value).split(";") if question.type == "choix_multiple" else []:
                if f"{question.code}[{choice}]" in columns:
                    sheet.cell(rank + 3, columns[f"{question.code}[{choice}]"], "x")
    book.save(path)
    imported = read_one(path)
    assert not only_errors(imported.faults)
    assert (imported.info["outil"], len(imported.frame)) == ("evalkit", len(frame))
    assert same_answers(imported, frame.reset_index(drop=True)) == []


# --- what French spreadsheets do ------------------------------------------------------------------------------------


def small_rows() -> exports.Rows:
    return [
        ["A02", "A03", "A06", "A09", "A10"],
        ["Dans un QPV", "12,5", "Ne souhaite pas répondre", "Oui, avec l’État", "5 – tout à fait d’accord"],
        ["Hors de la commune", "1 200", "10 000 à 49 999 €", "Non", "3"],
    ]


SMALL = {
    "A02": ["dans_un_qpv", "hors_commune"],
    "A03": ["12.5", "1200"],
    "A06": ["refus", "10_000_49_999_euros"],
    "A09": ["oui_avec_etat", "non"],
    "A10": ["5", "3"],
}


def retyped() -> exports.Rows:
    rows = small_rows()
    rows[1] = ["DANS UN QPV ", "12,5", "ne souhaite pas repondre", "oui avec l'État", "5 - Tout à fait d'accord"]
    rows[2] = ["« Hors de la commune »", "1\u202f200", "10\u00a0000 à 49\u00a0999 €", "NON", "3,0"]
    return rows


FRENCH: dict[str, Callable[[Path], Path]] = {
    "utf-8": lambda p: exports.write_csv(p, small_rows(), encoding="utf-8"),
    "bom": lambda p: exports.write_csv(p, small_rows()),
    "cp1252": lambda p: exports.write_csv(p, small_rows(), encoding="cp1252"),
    "utf-16": lambda p: exports.write_csv(p, small_rows(), encoding="utf-16"),
    "virgule": lambda p: exports.write_csv(p, small_rows(), separator=","),
    "tabulation": lambda p: exports.write_csv(p, small_rows(), separator="\t", quoted=False),
    "retape": lambda p: exports.write_csv(p, retyped()),
    "lignes-vides": lambda p: exports.write_csv(
        p, [[""] * 5, small_rows()[0], [""] * 5, small_rows()[1], ["\u00a0"] * 5, small_rows()[2]]
    ),
    "titre-au-dessus": lambda p: exports.write_csv(p, [["Enquête associations 2022", "", "", "", ""], *small_rows()]),
    "titres-repetes": lambda p: exports.write_csv(p, [*small_rows()[:2], small_rows()[0], small_rows()[2]]),
}


@pytest.mark.parametrize("how", sorted(FRENCH))
def test_french_writings(how: str, tmp_path: Path) -> None:
    imported = read_one(FRENCH[how](tmp_path / "export.csv"))
    assert not only_errors(imported.faults), "\n".join(map(str, only_errors(imported.faults)))
    assert {code: imported.frame[code].tolist() for code in SMALL} == SMALL


def test_sep_line(tmp_path: Path) -> None:
    path = exports.write_csv(tmp_path / "export.csv", small_rows(), encoding="utf-8", quoted=False)
    path.write_bytes(b"sep=;\r\n" + path.read_bytes())
    assert read_one(path).frame["A02"].tolist() == SMALL["A02"]


def test_merged_titles(tmp_path: Path) -> None:
    """A title merged above one column per choice holds for all of them."""
    import xlsxwriter

    path = tmp_path / "export.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 2, 0, 4, "Quels effets constatez-vous pour les habitants ?")
        for column, title in enumerate(["A02", "A10", "Lien social", "Accès aux droits", "Autre"]):
            sheet.write_string(1, column, title)
        for column, cell in enumerate(["dans_un_qpv", "4", "x", "", "un jardin"]):
            sheet.write_string(2, column, cell)
    imported = read_one(path, wanted="ENQ-ASSO")
    assert set(imported.frame["A36"][0].split(";")) == {"lien_social", "autre"}


@pytest.mark.parametrize(
    "text",
    [
        "2022-10-03T09:34:15.147+02:00",
        "03/10/2022 09:34:15",
        "3/10/2022 9:34",
        "2022/10/03 9:34:15 AM UTC+2",
        "03/10/2022 - 09:34",
        "3 octobre 2022",
        "03.10.2022",
    ],
)
def test_dates_are_read_day_first(text: str) -> None:
    moment = read_moment(text)
    assert moment is not None
    assert moment.date().isoformat() == "2022-10-03"


def test_american_dates_are_told_by_their_column(tmp_path: Path) -> None:
    rows = [["Timestamp", *small_rows()[0]]]
    for day, row in zip(("10/3/2022 9:05:00", "10/13/2022 21:05:00"), small_rows()[1:], strict=True):
        rows.append([day, *row])
    assert read_one(exports.write_csv(tmp_path / "a.csv", rows)).info["date"] == "2022-10-13"


def test_limesurvey_other_and_not_shown(tmp_path: Path) -> None:
    """« -oth- » is « Autre »; « N/A » is a question that was not put; the text beside is not kept."""
    rows = [
        ["id", "submitdate", "lastpage", "L03", "L03[other]", "L06", "L07", "L10[other]"],
        ["1", "2022-10-03 09:00:00", "3", "-oth-", "péniche", "Non", "N/A", "mon beau-frère"],
        ["2", "2022-10-03 19:00:00", "3", "Locataire du parc social", "", "Oui, dans le parc social", "Pas encore", ""],
        ["3", "", "2", "Locataire du parc social", "", "", "", ""],
    ]
    imported = read_one(exports.write_csv(tmp_path / "a.csv", rows))
    assert not only_errors(imported.faults), [str(f) for f in imported.faults]
    assert imported.frame["L03"].tolist() == ["autre", "locataire_parc_social"]
    assert imported.frame["L07"].tolist() == ["non_demande", "pas_encore"]
    assert imported.frame["L10"].tolist()[0] == "autre"
    assert list(imported.files[0].sorting.apart) == ["inachevee"]


# --- nothing personal is kept ---------------------------------------------------------------------------------------

SECRETS = {
    "Nom et prénom": "Morel Jeanne-Aurore",
    "Courriel": "jeanne.morel@exemple.fr",
    "Pour vous rappeler": "06 12 34 56 78",
    "Où habitez-vous ?": "12 bis rue des Lilas",
    "ipaddr": "192.168.14.77",
    "Point": "50.6292 3.0573 0 0",
    "deviceid": "collect:0uAiKDfbbpqENdqw",
    "_submitted_by": "agent_morel",
    "A38": "Mme Petitpierre décide de tout, appelez le 0320999999",
    "Autre, précisez": "parole-temoin-5b1",
}


@pytest.fixture
def dossier(tmp_path: Path) -> Path:
    """A sample territory, without answers, beside its campaign."""
    for name in ("campagne.yml", "reference_regionale.json"):
        (tmp_path / "2022").mkdir(exist_ok=True)
        shutil.copy(SAMPLES / name, tmp_path / "2022" / name)
    shutil.copytree(SAMPLES / "ardelle", tmp_path / "2022" / "ardelle")
    shutil.rmtree(tmp_path / "2022" / "ardelle" / "enquetes", ignore_errors=True)
    return tmp_path / "2022" / "ardelle"


def with_secrets(tmp_path: Path) -> Path:
    rows = small_rows()
    rows[0] += SECRETS
    for row in rows[1:]:
        row += list(SECRETS.values())
    return exports.write_csv(tmp_path / "export.csv", rows)


def test_nothing_personal_is_stored_nor_said(dossier: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = actions.import_surveys([with_secrets(tmp_path)], dossier)
    assert result.written
    said = (
        result.report() + json.dumps(result.as_dict(), ensure_ascii=False) + repr(result) + "".join(capfd.readouterr())
    )
    written = b"".join(p.read_bytes() for p in dossier.rglob("*") if p.is_file()).decode("utf-8", "replace")
    for secret in SECRETS.values():
        assert secret not in said
        assert secret not in written
    dropped = result.as_dict()[0]["fichiers"][0]["colonnes_ecartees"]
    assert set(SECRETS) - {"A38", "Autre, précisez"} == set(dropped)
    assert "A38 (n° 1, 2)" in result.report()


def test_the_source_is_never_changed(dossier: Path, tmp_path: Path) -> None:
    path = with_secrets(tmp_path)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    actions.import_surveys([path], dossier)
    shutil.copytree(
        path.parent, dossier / "enquetes" / "brut", ignore=lambda d, names: [n for n in names if n != path.name]
    )
    check_dossier(dossier, REFERENTIEL)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


# --- the dossier ----------------------------------------------------------------------------------------------------


def put_raw(dossier: Path, rows: exports.Rows, name: str = "export.csv") -> Path:
    (dossier / "enquetes" / "brut").mkdir(parents=True, exist_ok=True)
    return exports.write_csv(dossier / "enquetes" / "brut" / name, rows)


def test_dropped_or_imported_the_figures_are_the_same(dossier: Path) -> None:
    """An export left in ``brut/`` and the same one imported give the same tables and the same print."""
    path = put_raw(dossier, exports.google(SURVEYS["ENQ-ASSO"], answers("ENQ-ASSO"), TERRITORY))
    dropped = load_dossier(dossier, REFERENTIEL)
    assert not list((dossier / "enquetes").glob("*.csv")), "a raw export is read, never copied"
    actions.import_surveys([path], dossier)
    imported = load_dossier(dossier, REFERENTIEL)  # the export still lies in brut/: it is the one imported
    first, second = evaluate(REFERENTIEL, dropped), evaluate(REFERENTIEL, imported)
    for name in ("enquetes", "items", "reponses", "indicateurs"):
        assert getattr(first, name).equals(getattr(second, name)), name
    assert dropped.empreinte == imported.empreinte != ""


def test_a_dossier_that_lost_its_key_still_gives_its_answers(dossier: Path) -> None:
    """Sent by e-mail without its hidden folder: the table is the imported one, the export in ``brut/`` too."""
    path = put_raw(dossier, exports.google(SURVEYS["ENQ-ASSO"], answers("ENQ-ASSO"), TERRITORY))
    actions.import_surveys([path], dossier)
    before = load_dossier(dossier, REFERENTIEL).enquetes["ENQ-ASSO"]
    shutil.rmtree(dossier / ".evalkit")
    assert load_dossier(dossier, REFERENTIEL).enquetes["ENQ-ASSO"].equals(before)


def test_answers_change_the_print(dossier: Path) -> None:
    without = load_dossier(dossier, REFERENTIEL).empreinte
    rows = small_rows()
    put_raw(dossier, rows)
    with_answers = load_dossier(dossier, REFERENTIEL).empreinte
    rows[1][0] = "Hors de la commune"
    put_raw(dossier, rows)
    assert len({without, with_answers, load_dossier(dossier, REFERENTIEL).empreinte}) == 3


def test_what_is_not_sure_stops_everything(dossier: Path) -> None:
    rows = small_rows()
    rows[0][0] = "Où se situe le lieu principal de votre activité ?"
    rows[0][1:] = ["A03", "A06", "A09", "A10"]
    path = put_raw(dossier, rows)
    with pytest.raises(EvalkitError) as error:
        load_dossier(dossier, REFERENTIEL)
    assert f"evalkit importer enquete {path} --vers {dossier}" in str(error.value)


def test_a_draft_proposes_and_is_not_applied(dossier: Path, tmp_path: Path) -> None:
    """As written, the draft changes nothing; once its lines are taken out of the comments, the import goes through."""
    rows = small_rows()
    rows[0][0] = "Où se situe le lieu principal de votre activité ?"
    rows[1][3] = "Oui, avec les États"
    path = exports.write_csv(tmp_path / "export.csv", rows)
    first = actions.import_surveys([path], dossier)
    assert not first.written
    (draft,) = first.drafts
    before = draft.read_bytes()
    again = actions.import_surveys([path], dossier)
    assert not again.written, "a proposal was applied in silence"
    assert draft.read_bytes() == before, "the draft was changed"
    assert not again.kept
    text = draft.read_text(encoding="utf-8")
    draft.write_text(
        re.sub(r"(?m)^( *)#(?=\")", r"\1", text), encoding="utf-8"
    )  # as a person does: the # and nothing else
    again = actions.import_surveys([path], dossier, actions.SurveyOptions(sollicites=("7",)))
    assert again.written, again.report()
    dossier_read = load_dossier(dossier, REFERENTIEL)
    assert dossier_read.enquetes["ENQ-ASSO"]["A02"].tolist() == SMALL["A02"]
    assert dossier_read.enquetes["ENQ-ASSO"]["A09"].tolist() == ["oui_avec_etat", "non"]
    assert dossier_read.enquetes_import["ENQ-ASSO"]["n_sollicites"] == {"ensemble": 7}


def test_decisions_are_kept_when_more_are_needed(dossier: Path, tmp_path: Path) -> None:
    """A second import that stumbles elsewhere keeps what was decided, and what was said of who was asked."""
    rows = small_rows()
    rows[1][3] = "Oui, avec les États"
    path = exports.write_csv(tmp_path / "export.csv", rows)
    options = actions.SurveyOptions(sollicites=("7",))
    (draft,) = actions.import_surveys([path], dossier, options).drafts
    text = draft.read_text(encoding="utf-8")
    assert "sollicites" in text
    assert "--sollicites 7" in text
    draft.write_text(re.sub(r"(?m)^( *)#(?=\")", r"\1", text), encoding="utf-8")
    rows[2][0] = "Hors de la comune"
    exports.write_csv(path, rows)
    second = actions.import_surveys([path], dossier)
    assert not second.written
    assert len(second.kept) == 1
    text = draft.read_text(encoding="utf-8")
    assert '    "Oui, avec les États": "oui_avec_etat"' in text
    assert '    #"Hors de la comune": "hors_commune"' in text
    draft.write_text(re.sub(r"(?m)^( *)#(?=\")", r"\1", text), encoding="utf-8")
    assert actions.import_surveys([path], dossier).written
    assert load_dossier(dossier, REFERENTIEL).enquetes_import["ENQ-ASSO"]["n_sollicites"] == {"ensemble": 7}


def test_a_scale_is_never_guessed(tmp_path: Path) -> None:
    """« plutôt d’accord » is near « pas du tout d’accord » : it is shown, and nothing is proposed for it."""
    rows = small_rows()
    rows[1][4] = "plutôt d’accord"
    imported = read_one(exports.write_csv(tmp_path / "a.csv", rows))
    (wrong,) = imported.files[0].reading.misread
    assert (wrong.text, wrong.near) == ("plutôt d’accord", "")


def read_bodies(text: str, tmp_path: Path, declared: str = "") -> SurveyImport:
    rows = [["Horodateur", "A20", *small_rows()[0]], ["03/10/2022 09:00:00", text, *small_rows()[1]]]
    mappings = {}
    if declared:
        file = tmp_path / "enq-asso.correspondance.yml"
        file.write_text(f'enquete: "ENQ-ASSO"\nreponses:\n  "A20":\n{declared}', encoding="utf-8")
        mapping, faults = read_mapping(file, file.name, LEXICONS)
        assert mapping is not None, "\n".join(map(str, faults))
        mappings = {"ENQ-ASSO": mapping}
    return read_one(exports.write_csv(tmp_path / "a.csv", rows), mappings=mappings)


@pytest.mark.parametrize(
    "text", ["jeanne morel", "morel", "madame durand du ccas", "CCAS, Centre social", "ccas autre"]
)
def test_an_open_list_keeps_nothing_that_is_not_declared(text: str, tmp_path: Path) -> None:
    """The bodies of a contract are declared by a person: anything else is a free text, and may be somebody's name."""
    imported = read_bodies(text, tmp_path)
    assert imported.frame["A20"].tolist() == ["autre"]
    assert "orel" not in "".join(map(str, imported.faults)) + str(import_report(imported))


@pytest.mark.parametrize(
    "text", ["CCAS, Centre social, autre", "ccas centre_social autre", "CCAS;Centre social;Autre;"]
)
def test_declared_bodies_are_told_apart(text: str, tmp_path: Path) -> None:
    imported = read_bodies(text, tmp_path, '    "CCAS": "ccas"\n    "Centre social": "centre_social"\n')
    assert set(imported.frame["A20"][0].split(";")) == {"ccas", "centre_social", "autre"}


def test_anonymous_limesurvey_answers_are_finished(tmp_path: Path) -> None:
    """LimeSurvey dates an anonymous answer of 1980: it is kept, and says nothing of when."""
    rows = exports.limesurvey(SURVEYS["ENQ-LOG"], answers("ENQ-LOG"), TERRITORY, titles="code")
    for row in rows[1:]:
        row[1] = "1980-01-01 00:00:00"
    imported = read_one(exports.write_csv(tmp_path / "a.csv", rows))
    assert (len(imported.frame), imported.info["date"]) == (len(rows) - 1, "")


def test_overlapping_exports_count_nobody_twice(dossier: Path, tmp_path: Path) -> None:
    """The first fortnight's export, then the whole one: the same numbers with the same answers are the same people."""
    rows = exports.limesurvey(SURVEYS["ENQ-ASSO"], answers("ENQ-ASSO"), TERRITORY)
    first = exports.write_csv(tmp_path / "1.csv", rows[:15])
    whole = exports.write_csv(tmp_path / "2.csv", rows)
    assert actions.import_surveys([first, whole], dossier).as_dict()[0]["gardees"] == len(rows) - 1


@pytest.mark.parametrize("text", ["3,9", "4 ou 5", "-3", "6", "3 sur 10"])
def test_a_note_is_one_figure(text: str, tmp_path: Path) -> None:
    rows = small_rows()
    rows[1][4] = text
    assert read_one(exports.write_csv(tmp_path / "a.csv", rows)).files[0].reading.misread


def test_what_follows_other_is_not_swallowed(tmp_path: Path) -> None:
    rows = [["Horodateur", "A36", *small_rows()[0]]]
    rows.append(["03/10/2022 09:00:00", "Lien social, autre chose, Accès aux droits, un jardin", *small_rows()[1]])
    imported = read_one(exports.write_csv(tmp_path / "a.csv", rows))
    given = set(imported.frame["A36"].fillna("")[0].split(";"))
    assert imported.files[0].reading.misread or {"lien_social", "acces_aux_droits"} <= given


def test_a_file_whose_titles_say_nothing_gets_a_draft(dossier: Path, tmp_path: Path) -> None:
    path = exports.write_csv(tmp_path / "a.csv", [["Votre avis", "Votre lieu"], ["bien", "nord"], ["mal", "sud"]])
    result = actions.import_surveys([path], dossier, actions.SurveyOptions(enquete="ENQ-ASSO"))
    (draft,) = result.drafts
    assert '#"Votre avis": "ignorer"' in draft.read_text(encoding="utf-8")


def test_a_trailing_separator_loses_nothing(tmp_path: Path) -> None:
    """Excel adds a separator to every line: the last, untitled column is not the question above it."""
    frame = answers("ENQ-ASSO")
    rows = exports.framaforms(SURVEYS["ENQ-ASSO"], frame, TERRITORY)
    imported = read_one(exports.write_csv(tmp_path / "a.csv", [[*row, ""] for row in rows]))
    assert same_answers(imported, frame) == []


@pytest.mark.parametrize("row", [["-1"], ["formule"]])
def test_what_is_no_answer_is_told(row: list[str], tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for line in small_rows():
        book.active.append(line)
    book.active["E2"] = -1 if row == ["-1"] else "=1+2"
    book.save(tmp_path / "a.xlsx")
    assert read_one(tmp_path / "a.xlsx", wanted="ENQ-ASSO").files[0].reading.misread


def test_the_same_day_is_not_the_same_moment(tmp_path: Path) -> None:
    rows = exports.kobo(SURVEYS["ENQ-ASSO"], answers("ENQ-ASSO").head(3), TERRITORY)
    titles = rows[0]
    moment, identity = titles.index("_submission_time"), titles.index("_uuid")
    same = list(rows[1])
    same[identity], same[moment], rows[1][moment] = "autre", "2022-10-03", "2022-10-03"
    imported = read_one(exports.write_csv(tmp_path / "a.csv", [*rows, same]))
    assert len(imported.frame) == 4


def test_an_export_is_never_written_over(dossier: Path) -> None:
    (dossier / "enquetes").mkdir()
    path = exports.write_csv(dossier / "enquetes" / "enq-asso.csv", small_rows())
    before = path.read_bytes()
    with pytest.raises(EvalkitError, match="USA-003"):
        actions.import_surveys([path], dossier)
    assert path.read_bytes() == before


def test_endless_cells_end(tmp_path: Path) -> None:
    rows = [["Horodateur", "A15", *small_rows()[0]], ["a." * 3000, "aucun " * 3000, *small_rows()[1]]]
    assert read_one(exports.write_csv(tmp_path / "a.csv", rows)).files[0].sorting.n_read == 1


def test_a_second_sheet_of_answers_is_never_left_in_silence(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for name, hidden in (("Lundi", False), ("Ancienne", True)):
        sheet = book.active if name == "Lundi" else book.create_sheet(name)
        sheet.title, sheet.sheet_state = name, "hidden" if hidden else "visible"
        for line in small_rows():
            sheet.append(line)
    book.save(tmp_path / "a.xlsx")
    imported = read_one(tmp_path / "a.xlsx")
    assert [fault.code for fault in only_errors(imported.faults)] == ["DON-095"]


def test_the_same_file_twice_is_refused(dossier: Path, tmp_path: Path) -> None:
    path = exports.write_csv(tmp_path / "a.csv", small_rows())
    shutil.copy(path, tmp_path / "a (1).csv")
    result = actions.import_surveys([path, tmp_path / "a (1).csv"], dossier)
    assert not result.written
    assert [fault.code for fault in result.lost] == ["DON-095"]


def test_cells_under_no_title_are_told(tmp_path: Path) -> None:
    rows = small_rows()
    rows[2] += ["12"]
    said = [str(f) for f in read_one(exports.write_csv(tmp_path / "a.csv", rows)).faults if f.code == "DON-100"]
    assert any("décalées (n° 2)" in text for text in said)


def test_a_decision_that_meets_nothing_is_told(dossier: Path, tmp_path: Path) -> None:
    (dossier / "enquetes").mkdir()
    file = dossier / "enquetes" / "enq-asso.correspondance.yml"
    file.write_text('enquete: "ENQ-ASSO"\ncolonnes:\n  "Coef": "poids"\n', encoding="utf-8")
    result = actions.import_surveys([exports.write_csv(tmp_path / "a.csv", small_rows())], dossier)
    assert any("« Coef »" in str(fault) for fault in result.faults if fault.code == "DON-100")


def test_a_person_in_a_title_is_not_repeated(tmp_path: Path) -> None:
    rows = small_rows()
    rows[0].append("Mme Durand 06 11 22 33 44")
    rows[1].append("oui")
    rows[2].append("non")
    imported = read_one(exports.write_csv(tmp_path / "a.csv", rows))
    assert "Durand" not in "".join(map(str, imported.faults)) + str(import_report(imported))


def test_a_personal_column_whose_title_names_somebody_is_not_repeated(tmp_path: Path) -> None:
    rows = small_rows()
    rows[0].append("Votre interlocuteur au conseil citoyen (Zoubida Belkacem)")
    rows[1].append("06 11 22 33 44")
    rows[2].append("06 11 22 33 45")
    imported = read_one(exports.write_csv(tmp_path / "a.csv", rows))
    said = "".join(map(str, imported.faults)) + str(import_report(imported))
    assert "Zoubida" not in said
    assert any("titre qui nomme" in str(f) for f in imported.faults if f.code == "DON-098")


def test_two_files_of_one_questionnaire(dossier: Path, tmp_path: Path) -> None:
    """Parts answered in two forms, and a submission exported twice: read together, counted once."""
    frame = answers("ENQ-CC")
    rows = exports.kobo(SURVEYS["ENQ-CC"], frame, TERRITORY)
    half = len(rows) // 2
    first = exports.write_csv(tmp_path / "1.csv", rows[: half + 1])
    second = exports.write_csv(tmp_path / "2.csv", [rows[0], *rows[half:]])
    result = actions.import_surveys([first, second], dossier)
    assert result.written, result.report()
    report = result.as_dict()[0]
    assert report["gardees"] == len(frame)
    assert report["fichiers"][1]["mises_a_part"]["doublon"]["numeros"] == [1]
    assert load_dossier(dossier, REFERENTIEL).enquetes["ENQ-CC"]["ligne"].is_unique


def test_numbers_of_two_files_are_not_the_same_people(dossier: Path, tmp_path: Path) -> None:
    """Two forms number their answers 1, 2, 3… each: nobody is taken for a copy of somebody else."""
    frame = answers("ENQ-CC")
    paths = []
    for part in ("collectif", "individuel"):
        mine = frame[frame["partie"] == part].reset_index(drop=True)
        rows = exports.limesurvey(SURVEYS["ENQ-CC"], mine, TERRITORY)
        paths.append(exports.write_csv(tmp_path / f"{part}.csv", rows))
    result = actions.import_surveys(paths, dossier)
    assert result.as_dict()[0]["gardees"] == len(frame)


def test_two_short_answers_alike_are_two_people(tmp_path: Path) -> None:
    """A few same answers within a minute, at a stand, are not one answer sent twice."""
    rows = [["Horodateur", *small_rows()[0]]] + [[f"03/10/2022 09:0{n}:00", *small_rows()[1]] for n in range(3)]
    imported = read_one(exports.write_csv(tmp_path / "a.csv", rows))
    assert (len(imported.frame), imported.files[0].sorting.apart) == (3, {})


@pytest.mark.parametrize("name", ["n_sollicites", "collecte", "lues", "fichiers", "date", "empreinte_table"])
def test_a_damaged_report_is_told(name: str, dossier: Path, tmp_path: Path) -> None:
    actions.import_surveys([exports.write_csv(tmp_path / "a.csv", small_rows())], dossier)
    report = dossier / "enquetes" / "enq-asso.import.json"
    content = json.loads(report.read_text(encoding="utf-8"))
    for wrong in ("beaucoup", None, {"ensemble": "beaucoup"}, [1, 2]):
        if name == "date" and isinstance(wrong, str | None):
            continue  # any text is one: it only gives a year when it starts with one
        report.write_text(json.dumps({**content, name: wrong}), encoding="utf-8")
        codes = {fault.code for fault in only_errors(check_dossier(dossier, REFERENTIEL).faults)}
        assert codes <= {"DON-094"}, (name, wrong)


def test_a_surname_is_never_shown(tmp_path: Path) -> None:
    """Written by one or by ten, in a column of choices: neither in a message nor in a draft."""
    rows = small_rows()
    rows = [rows[0], *(["Delattre", *rows[1][1:]] for _ in range(10))]
    imported = read_one(exports.write_csv(tmp_path / "a.csv", rows))
    assert imported.draft is not None
    assert "elattre" not in "".join(map(str, imported.faults)) + draft_text(imported.draft, "")


def test_a_table_changed_by_hand_is_kept_aside(dossier: Path, tmp_path: Path) -> None:
    path = exports.write_csv(tmp_path / "export.csv", small_rows())
    (table,) = actions.import_surveys([path], dossier).written
    mine = table.read_bytes() + b"3;ensemble;1;;;;;\r\n"
    table.write_bytes(mine)
    result = actions.import_surveys([path], dossier)
    assert [kept.read_bytes() for kept in result.kept] == [mine]
    assert load_dossier(dossier, REFERENTIEL).enquetes["ENQ-ASSO"].shape[0] == 2


def test_twice_the_same_import_writes_the_same_bytes(dossier: Path, tmp_path: Path) -> None:
    path = exports.write_csv(tmp_path / "export.csv", exports.kobo(SURVEYS["ENQ-LOG"], answers("ENQ-LOG"), TERRITORY))
    first = [p.read_bytes() for p in actions.import_surveys([path], dossier).written]
    report = (dossier / "enquetes" / "enq-log.import.json").read_bytes()
    assert [p.read_bytes() for p in actions.import_surveys([path], dossier).written] == first
    assert (dossier / "enquetes" / "enq-log.import.json").read_bytes() == report


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (actions.SurveyOptions(enquete="ENQ-RIEN"), "--enquete ENQ-RIEN"),
        (actions.SurveyOptions(sollicites=("beaucoup",)), "--sollicites beaucoup"),
        (actions.SurveyOptions(sollicites=("individuel=3",)), "--sollicites individuel=3"),
        (actions.SurveyOptions(collecte=("hasard",)), "--collecte hasard"),
    ],
)
def test_options_badly_typed(options: actions.SurveyOptions, word: str, dossier: Path, tmp_path: Path) -> None:
    path = exports.write_csv(tmp_path / "export.csv", small_rows())
    with pytest.raises(EvalkitError) as error:
        actions.import_surveys([path], dossier, options)
    assert word in str(error.value)
    assert error.value.exit_code == 2


def test_a_lone_workbook_has_no_place_for_answers(tmp_path: Path) -> None:
    path = exports.write_csv(tmp_path / "export.csv", small_rows())
    with pytest.raises(EvalkitError, match="USA-003"):
        actions.import_surveys([path], SAMPLES / "ostrevelle.xlsx")


def test_report_counts_every_row(tmp_path: Path) -> None:
    rows = exports.kobo(SURVEYS["ENQ-ASSO"], answers("ENQ-ASSO"), TERRITORY)
    report = import_report(read_one(exports.write_csv(tmp_path / "a.csv", [*rows, rows[0], rows[5]])))
    apart = sum(len(entry["numeros"]) for entry in report["fichiers"][0]["mises_a_part"].values())
    assert (report["lues"], report["gardees"], apart) == (36, 34, 2)
