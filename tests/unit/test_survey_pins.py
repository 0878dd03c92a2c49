"""Rules of the reading of answers that a small change could undo without a word: each was broken by hand, and seen here."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from evalkit import actions
from evalkit.batch.parts import parts_of
from evalkit.compute.evaluation import evaluate
from evalkit.errors import only_errors
from evalkit.loaders import surveys as reader
from evalkit.loaders.dossier import check_dossier, load_dossier, territory_of
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.resources import resource_dir
from evalkit.loaders.survey_mapping import SurveyMapping, read_mapping
from evalkit.loaders.surveys import SurveyImport, lexicons_of, read_surveys
from evalkit.report import sections
from outils_dev.exemples import exports
from tests.attaque.reponses_inventees import SIZES, invented_answers

REFERENTIEL = load_referentiel()
SURVEYS = {survey.code: survey for survey in REFERENTIEL.enquetes}
SAMPLES = resource_dir("sample_data") / "2022"
TERRITORY = territory_of(SAMPLES / "ardelle", REFERENTIEL)
LEXICONS = lexicons_of(REFERENTIEL, TERRITORY)
TITLES = ["A02", "A06", "A09", "A10"]
ROW = ["Dans un QPV", "Ne souhaite pas répondre", "Oui, avec l’État", "5"]


def mapping_of(code: str, text: str, tmp_path: Path) -> dict[str, SurveyMapping]:
    """A mapping file, read as the import reads it."""
    path = tmp_path / f"{code.lower()}.correspondance.yml"
    path.write_text(f'enquete: "{code}"\n{text}', encoding="utf-8")
    mapping, faults = read_mapping(path, path.name, LEXICONS)
    assert mapping is not None, "\n".join(map(str, faults))
    return {code: mapping}


def read(rows: exports.Rows, tmp_path: Path, **options: Any) -> SurveyImport:
    """One CSV file, whose questionnaire is recognised."""
    (found,), lost = read_surveys([(exports.write_csv(tmp_path / "a.csv", rows), "a.csv")], LEXICONS, **options)
    assert not lost, "\n".join(map(str, lost))
    return found


def apart(imported: SurveyImport) -> dict[str, list[int]]:
    """Numbers of the rows set apart, by reason."""
    sorting = imported.files[0].sorting
    return {reason: [sorting.numbers[row] for row in rows] for reason, rows in sorting.apart.items()}


def text_of(html: object) -> str:
    return " ".join(BeautifulSoup(str(html), "html.parser").get_text(" ").split())


@pytest.fixture
def dossier(tmp_path: Path) -> Path:
    """Ardelle without answers, beside its campaign."""
    shutil.copytree(SAMPLES / "ardelle", tmp_path / "2022" / "ardelle", ignore=shutil.ignore_patterns("enquetes"))
    for name in ("campagne.yml", "reference_regionale.json"):
        shutil.copy(SAMPLES / name, tmp_path / "2022" / name)
    return tmp_path / "2022" / "ardelle"


def drop(dossier: Path, rows: exports.Rows, name: str = "export.csv") -> Path:
    """An export left in ``brut/``."""
    (dossier / "enquetes" / "brut").mkdir(parents=True, exist_ok=True)
    return exports.write_csv(dossier / "enquetes" / "brut" / name, rows)


def decide(dossier: Path, code: str, text: str) -> None:
    """Decisions written in the dossier."""
    path = dossier / "enquetes" / f"{code.lower()}.correspondance.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'enquete: "{code}"\n{text}', encoding="utf-8")


# --- weights, population, way of collecting --------------------------------------------------------------------------


def weighted_rows() -> exports.Rows:
    """Twelve associations: four say yes with a weight of 3, eight say no with a weight of 1."""
    rows: exports.Rows = [["Redressement", *TITLES]]
    for rank in range(12):
        yes = rank < 4
        answers = ["Dans un QPV", "Ne souhaite pas répondre", "Oui, avec l’État" if yes else "Non", "5"]
        rows.append(["3" if yes else "1", *answers])
    return rows


def test_a_column_declared_as_weights_weighs(dossier: Path, tmp_path: Path) -> None:
    """From the mapping to the frame, to the shares, to the effective number of answers, and to the imported table."""
    decide(dossier, "ENQ-ASSO", 'sollicites: 40\ncolonnes:\n  "Redressement": "poids"\n')
    path = drop(dossier, weighted_rows())
    loaded = load_dossier(dossier, REFERENTIEL)
    assert loaded.enquetes["ENQ-ASSO"]["poids"].tolist() == [3.0] * 4 + [1.0] * 8
    evaluation = evaluate(REFERENTIEL, loaded)
    (survey,) = evaluation.enquetes.to_dict("records")
    assert survey["ponderee"]
    assert survey["n_efficace"] == pytest.approx(20**2 / (4 * 9 + 8))
    answers = evaluation.reponses
    shares = answers[answers["question"] == "A09"].set_index("choix")["part"]
    assert shares["oui_avec_etat"] == pytest.approx(100 * 12 / 20)
    assert shares["non"] == pytest.approx(100 * 8 / 20)
    assert actions.import_surveys([path], dossier).written
    again = load_dossier(dossier, REFERENTIEL).enquetes["ENQ-ASSO"]
    assert again["poids"].tolist() == loaded.enquetes["ENQ-ASSO"]["poids"].tolist()


def bounds(dossier: Path, text: str) -> tuple[str, float, float]:
    """Way of collecting, and bounds of the share of « oui », with these decisions."""
    decide(dossier, "ENQ-ASSO", text)
    evaluation = evaluate(REFERENTIEL, load_dossier(dossier, REFERENTIEL))
    row = evaluation.reponses.query("question == 'A09' and choix == 'oui_avec_etat'").iloc[0]
    return evaluation.enquetes["collecte"].iloc[0], row["borne_basse"], row["borne_haute"]


def test_population_and_way_of_collecting_change_the_interval(dossier: Path) -> None:
    """A sample drawn among 14 tells more than the same among 400; open to all, there is no interval."""
    drop(dossier, [row[1:] for row in weighted_rows()])
    few = bounds(dossier, "sollicites: 12\npopulation: 14\ncollecte: aleatoire\n")
    many = bounds(dossier, "sollicites: 12\npopulation: 400\ncollecte: aleatoire\n")
    assert few[0] == many[0] == "aleatoire"
    assert many[1] < few[1] < few[2] < many[2]
    info = load_dossier(dossier, REFERENTIEL).enquetes_import["ENQ-ASSO"]
    assert (info["population"], info["collecte"]) == ({"ensemble": 400.0}, {"ensemble": "aleatoire"})
    way, low, high = bounds(dossier, "sollicites: 12\ncollecte: ouvert\n")
    assert way == "ouvert"
    assert low != low
    assert high != high


def test_what_was_typed_is_kept_with_the_table(dossier: Path, tmp_path: Path) -> None:
    path = exports.write_csv(tmp_path / "a.csv", [row[1:] for row in weighted_rows()])
    options = actions.SurveyOptions(sollicites=["12"], population=["14"], collecte=["aleatoire"])
    actions.import_surveys([path], dossier, options)
    info = load_dossier(dossier, REFERENTIEL).enquetes_import["ENQ-ASSO"]
    assert (info["n_sollicites"], info["population"], info["collecte"]) == (
        {"ensemble": 12.0},
        {"ensemble": 14.0},
        {"ensemble": "aleatoire"},
    )


# --- rows set apart --------------------------------------------------------------------------------------------------


def test_drafts_are_set_apart(tmp_path: Path) -> None:
    frame = invented_answers(SURVEYS["ENQ-ASSO"], SIZES[0]["ENQ-ASSO"], 1).head(6)
    rows = exports.framaforms(SURVEYS["ENQ-ASSO"], frame, TERRITORY)
    for row in (rows[4], rows[6]):
        row[rows[2].index("Brouillon")] = "1"
    imported = read(rows, tmp_path)
    assert apart(imported) == {"inachevee": [2, 4]}
    assert imported.frame["ligne"].tolist() == [1, 3, 5, 6]
    assert imported.info["motifs"] == "2 questionnaires non terminés"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ('depuis: "2022-10-02"\n', [1]),
        ('jusqu_au: "2022-10-03"\n', [4]),
        ('depuis: "2022-10-02"\njusqu_au: "2022-10-03"\n', [1, 4]),
        ('depuis: "2022-10-01"\njusqu_au: "2022-10-04"\n', []),
    ],
)
def test_the_period_is_that_of_the_mapping(text: str, numbers: list[int], tmp_path: Path) -> None:
    """Both days included; the last day kept is the date of the survey."""
    rows = [["Horodateur", *TITLES], *([f"0{day}/10/2022 23:59:00", *ROW] for day in (1, 2, 3, 4))]
    imported = read(rows, tmp_path, mappings=mapping_of("ENQ-ASSO", text, tmp_path))
    assert apart(imported) == ({"hors_periode": numbers} if numbers else {})
    assert imported.info["date"] == ("2022-10-03" if 4 in numbers else "2022-10-04")


def test_the_part_of_the_mapping_settles_what_is_not_told(tmp_path: Path) -> None:
    """Rows that answer both parts are set apart, unless the mapping says which part this file is about."""
    rows = [["K02", "K14", "K22", "K25"], ["6", "2", "Me sentir utile", "Réseau"]]
    labels = {q.code: [c.libelle for c in q.choix] for q in SURVEYS["ENQ-CC"].questions}
    rows[1][2:] = [labels["K22"][1], labels["K25"][3]]
    assert apart(read(rows, tmp_path)) == {"partie": [1]}
    for part in ("collectif", "individuel"):
        imported = read(rows, tmp_path, mappings=mapping_of("ENQ-CC", f'partie: "{part}"\n', tmp_path))
        assert apart(imported) == {}
        assert imported.frame["partie"].tolist() == [part]


# --- what a cell may hold --------------------------------------------------------------------------------------------


def notes(imported: SurveyImport) -> dict[tuple[str, str], int]:
    """What was read otherwise than written: by question and way, how many times."""
    return dict(imported.files[0].reading.repaired)


def test_too_many_choices_and_a_choice_that_stands_alone(tmp_path: Path) -> None:
    """All are kept, and told: P20 allows three; « aucune » of A14 is given with another."""
    partner = {q.code: q for q in SURVEYS["CONS-PART"].questions}
    labels = [choice.libelle for choice in partner["P20"].choix]
    rows = [["P20", "P03", "P04", "P08"], [";".join(labels[:4]), "3", "3", "3"], [";".join(labels[:3]), "3", "3", "3"]]
    imported = read(rows, tmp_path)
    assert notes(imported) == {("P20", "plus de 3 choix : tous sont gardés"): 1}
    assert [len(cell.split(";")) for cell in imported.frame["P20"]] == [4, 3]

    question = {q.code: q for q in SURVEYS["ENQ-ASSO"].questions}["A14"]
    alone = next(choice.libelle for choice in question.choix if choice.exclusif)
    other = next(choice.libelle for choice in question.choix if not choice.exclusif)
    imported = read([["A14", *TITLES], [f"{other};{alone}", *ROW], [alone, *ROW]], tmp_path)
    said = "un choix qui devrait être seul est donné avec d’autres : tous sont gardés"
    assert notes(imported) == {("A14", said): 1}


@pytest.mark.parametrize(("text", "value"), [("12 %", "12"), ("12,5%", "12.5"), ("0,5 %", "0.5"), ("12", "12")])
def test_a_percentage_typed(text: str, value: str, tmp_path: Path) -> None:
    imported = read([["A07", *TITLES], [text, *ROW]], tmp_path)
    assert imported.frame["A07"].tolist() == [value]


def test_a_percentage_shown_by_the_sheet(tmp_path: Path) -> None:
    """0,12 shown as « 12 % » is 12; the same 0,12 shown as a number is 0,12; where the unit is no share, it stays what it is."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["A07", "A12", *TITLES])
    sheet.append([0.12, 0.5, *ROW])
    sheet.append([0.12, 0.5, *ROW])
    sheet["A2"].number_format = "0%"
    sheet["B2"].number_format = "0%"
    book.save(tmp_path / "a.xlsx")
    (imported,), _ = read_surveys([(tmp_path / "a.xlsx", "a.xlsx")], LEXICONS)
    assert imported.frame["A07"].tolist() == ["12", "0.12"]
    assert imported.frame["A12"].tolist() == ["0.5", "0.5"]


@pytest.mark.parametrize(
    ("question", "text", "why"),
    [
        ("A05", "2,5", "un nombre à virgule, là où l’on compte"),
        ("A07", "100,5", "un nombre hors de ce qui est permis (de 0 à 100)"),
        ("A07", "-1", "un nombre hors de ce qui est permis (de 0 à 100)"),
        ("A05", "-2", "un nombre hors de ce qui est permis (au moins 0)"),
    ],
)
def test_numbers_out_of_bounds(question: str, text: str, why: str, tmp_path: Path) -> None:
    imported = read([[question, *TITLES], [text, *ROW]], tmp_path)
    assert [wrong.why for wrong in imported.files[0].reading.misread] == [why]
    assert not imported.sure
    for kept in ("0", "100", "12"):
        assert read([[question, *TITLES], [kept, *ROW]], tmp_path).frame[question].tolist() == [kept]


@pytest.mark.parametrize("text", ["Ardelle", "ARDELLE", "ardelle"])
def test_communes_are_those_of_the_territory(text: str, tmp_path: Path) -> None:
    """The answers to « votre commune » are the communes of the territory, under their name."""
    titles = ["L01", "L05", "L10", "L13"]
    labels = {q.code: [c.libelle for c in q.choix] for q in SURVEYS["ENQ-LOG"].questions}
    row = [labels[code][-2] for code in titles[1:]]
    assert read([titles, [text, *row]], tmp_path).frame["L01"].tolist() == ["ardelle"]
    elsewhere = read([titles, ["Roubaix", *row]], tmp_path)
    assert [wrong.question for wrong in elsewhere.files[0].reading.misread] == ["L01"]


# --- recognising -----------------------------------------------------------------------------------------------------


def codes_found(titles: list[str], row: list[str], tmp_path: Path) -> list[str]:
    path = exports.write_csv(tmp_path / "a.csv", [titles, row])
    found, lost = read_surveys([(path, "a.csv")], LEXICONS)
    assert len(found) + len(lost) == 1
    return [one.enquete.code for one in found]


def test_two_questions_are_not_enough_to_recognise(tmp_path: Path) -> None:
    """Two titles may be anybody's; three tell. With the person's word, fewer do."""
    assert codes_found(["A02", "A09", "Humeur"], ["Dans un QPV", "Non", "bonne"], tmp_path) == []
    assert codes_found(["A02", "A09", "A10"], ["Dans un QPV", "Non", "5"], tmp_path) == ["ENQ-ASSO"]
    path = exports.write_csv(tmp_path / "a.csv", [["A02", "Humeur"], ["Dans un QPV", "bonne"]])
    (told,), _ = read_surveys([(path, "a.csv")], LEXICONS, wanted="ENQ-ASSO")
    assert told.frame["A02"].tolist() == ["dans_un_qpv"]
    assert reader._FEWEST == 3


def test_a_questionnaire_must_have_twice_the_questions_of_the_next(tmp_path: Path) -> None:
    """Labels common to partners and communes: four titles of which three are common stay unsure; six of which three are not."""
    partner = {q.code: q.libelle for q in SURVEYS["CONS-PART"].questions}
    commune = {q.libelle for q in SURVEYS["ENQ-COM"].questions}
    shared = [label for label in partner.values() if label in commune][:3]
    alone = [label for label in partner.values() if label not in commune]
    assert len(shared) == 3
    assert codes_found([*shared, *alone[:1]], ["3"] * 4, tmp_path) == []
    assert codes_found([*shared, *alone[:2]], ["3"] * 5, tmp_path) == []
    assert codes_found([*shared, *alone[:3]], ["3"] * 6, tmp_path) == ["CONS-PART"]


def test_a_tools_own_codes_are_proposed_by_rank(tmp_path: Path) -> None:
    """``AO02`` may be the second choice: proposed, never applied; a plain number, or a rank that does not exist, proposes nothing."""
    rows = [["A02", "A06", "A09", "A10"], ["AO02", "A1", "A99", "5"], ["AO02", "A1", "A99", "5"]]
    imported = read(rows, tmp_path)
    assert imported.draft is not None
    choices = {q.code: [c.code for c in q.choix] for q in SURVEYS["ENQ-ASSO"].questions}
    proposed = {question: dict(found) for question, found in imported.draft.answers.items()}
    assert proposed["A02"] == {"AO02": choices["A02"][1]}
    assert proposed["A06"] == {"A1": choices["A06"][0]}
    assert proposed["A09"] == {"A99": ""}
    assert imported.frame["A02"].isna().all(), "rien n’est appliqué"


@pytest.mark.parametrize(
    "cells", [["collect:0uAiKDfbbpqENdqw", "collect:7qPzKDfbbpqENxyz"], ["352099001761481", "352099001761482"]]
)
def test_devices_are_recognised_by_what_a_column_holds(cells: list[str], tmp_path: Path) -> None:
    """A title that says nothing, and the numbers of two telephones: dropped, told, written nowhere."""
    rows = [["Matériel", *TITLES], *([cell, *ROW] for cell in cells)]
    imported = read(rows, tmp_path)
    (column,) = imported.files[0].header.of("personnel")
    assert (column.title, column.note) == ("Matériel", "appareil")
    said = actions.SurveyFiles((imported,)).report()
    assert not any(cell in said for cell in cells)


# --- the dossier, what is told ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["notes.csv", "export-kobo.xlsx", "lisez-moi.txt"])
def test_a_file_of_enquetes_that_is_not_read_is_told(name: str, dossier: Path) -> None:
    """DON-033, with its place and where to put it; the files that evalkit writes or keeps are not told."""
    drop(dossier, [TITLES, ROW])
    decide(dossier, "ENQ-ASSO", "sollicites: 40\n")
    for kept in ("enq-asso.modifie.csv", "enq-asso.correspondance.ancien.yml", ".cache", "~verrou.xlsx"):
        (dossier / "enquetes" / kept).write_text("x", encoding="utf-8")
    (dossier / "enquetes" / name).write_text("x", encoding="utf-8")
    told = [fault for fault in check_dossier(dossier, REFERENTIEL).faults if fault.code == "DON-033"]
    assert [fault.place.file for fault in told] == [f"ardelle/enquetes/{name}"]
    assert "enquetes/brut" in told[0].fix


def test_what_is_set_apart_is_printed(dossier: Path) -> None:
    """The report: how many rows, of how many, and why; nothing when nothing was set apart."""
    rows = [["Horodateur", "A36", *TITLES]]
    rows += [[f"03/10/2022 09:{rank:02}:00", "Lien social", *ROW] for rank in range(12)]
    drop(dossier, rows)
    decide(dossier, "ENQ-ASSO", "sollicites: 40\n")
    assert "Mis à part" not in text_of(sections.show_surveys(actions.load_publication(dossier)))
    decide(dossier, "ENQ-ASSO", 'sollicites: 40\nessais: [1, 2]\ndepuis: "2022-10-03"\n')
    said = text_of(sections.show_surveys(actions.load_publication(dossier)))
    assert "Mis à part avant tout calcul : ENQ-ASSO, 2 sur 12 lignes (2 essais)." in said.replace("\u00a0", " ")


def test_verifier_says_what_surveys_will_lack(dossier: Path) -> None:
    def said() -> list[str]:
        return [
            line for line in check_dossier(dossier, REFERENTIEL).manques if "questionnaire" in line or "taux" in line
        ]

    assert said() == [
        "aucune réponse aux questionnaires : déposez les exports dans enquetes/brut/ quand vous les aurez"
    ]
    drop(dossier, [TITLES, ROW])
    unknown = "taux de réponse : nombre de sollicités inconnu pour ENQ-ASSO"
    absent = "questionnaires sans réponse : " + ", ".join(code for code in SURVEYS if code != "ENQ-ASSO")
    assert said() == [unknown, absent]
    decide(dossier, "ENQ-ASSO", "sollicites: 40\n")
    assert said() == [absent]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("sollicites: 41\n", "import ENQ-ASSO"),
        ("sollicites: 40\ncollecte: ouvert\n", "import ENQ-ASSO"),
        ("sollicites: 40\npopulation: 90\n", "import ENQ-ASSO"),
        ("sollicites: 40\nessais: [2]\n", "enquete ENQ-ASSO"),
    ],
)
def test_a_decision_that_changes_renders_again(text: str, part: str, dossier: Path, tmp_path: Path) -> None:
    """What the import said is a part of the report, and of the print of the data; a comment is not."""
    drop(dossier, [TITLES, *([ROW] * 3)])
    decide(dossier, "ENQ-ASSO", "sollicites: 40\n")
    first = load_dossier(dossier, REFERENTIEL)
    decide(dossier, "ENQ-ASSO", "# relu\nsollicites: 40\n")
    assert parts_of(load_dossier(dossier, REFERENTIEL), REFERENTIEL) == parts_of(first, REFERENTIEL)
    decide(dossier, "ENQ-ASSO", text)
    second = load_dossier(dossier, REFERENTIEL)
    before, now = parts_of(first, REFERENTIEL), parts_of(second, REFERENTIEL)
    assert part in {name for name in before if before[name] != now[name]}
    assert first.empreinte != second.empreinte


def test_a_changed_decision_is_seen_by_a_batch(dossier: Path, tmp_path: Path) -> None:
    """``lot --expliquer`` sees a changed mapping and a changed import; what is said of the tool alone changes nothing printed."""
    path = drop(dossier, [TITLES, *([ROW] * 3)])
    decide(dossier, "ENQ-ASSO", "sollicites: 40\n")
    vers = tmp_path / "s"
    assert actions.render_batch(dossier.parent, vers, 1).ok
    both = ("ardelle", "ardelle (comite)")
    assert actions.explain_batch(dossier.parent, vers) == [f"{name} : à jour" for name in both]
    decide(dossier, "ENQ-ASSO", "sollicites: 44\n")
    told = actions.explain_batch(dossier.parent, vers)
    assert told == [
        f"{name} : à relire, et à refaire si ce que le document en dit a changé (le dossier a changé)" for name in both
    ]
    assert not any(outcome.unchanged for outcome in actions.render_batch(dossier.parent, vers, 1).outcomes)
    assert "44" in (vers / "ardelle" / "rapport.html").read_text(encoding="utf-8")
    actions.import_surveys([path], dossier, actions.SurveyOptions(sollicites=["45"]))
    assert not any(outcome.unchanged for outcome in actions.render_batch(dossier.parent, vers, 1).outcomes)


def test_exports_are_read_and_never_touched(dossier: Path, tmp_path: Path) -> None:
    """``verifier``, ``rapport``, ``lot`` and ``importer``: same bytes, same date, no file more in ``brut/``."""
    frame = invented_answers(SURVEYS["ENQ-ASSO"], {"ensemble": 14}, 2)
    path = drop(dossier, exports.google(SURVEYS["ENQ-ASSO"], frame, TERRITORY))
    decide(dossier, "ENQ-ASSO", "sollicites: 40\n")
    brut = dossier / "enquetes" / "brut"

    def photo() -> list[tuple[str, str, int]]:
        return [
            (one.name, hashlib.sha256(one.read_bytes()).hexdigest(), one.stat().st_mtime_ns)
            for one in sorted(brut.iterdir())
        ]

    before = photo()
    verification = actions.verify(dossier)
    assert not verification.n_errors
    assert photo() == before
    assert actions.render_report(dossier, tmp_path / "r").ok
    assert photo() == before
    assert actions.render_batch(dossier.parent, tmp_path / "l", 1).ok
    assert photo() == before
    assert actions.import_surveys([path], dossier).written
    assert photo() == before
    content = json.loads((dossier / "enquetes" / "enq-asso.import.json").read_text(encoding="utf-8"))
    assert content["gardees"] == 14
    table = pd.read_csv(dossier / "enquetes" / "enq-asso.csv", sep=";", encoding="utf-8-sig", dtype=str)
    assert len(table) == 14
    assert not only_errors(check_dossier(dossier, REFERENTIEL).faults)
