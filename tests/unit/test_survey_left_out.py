"""``--sans-enquete``: a report is made although one survey is not sure, and says everywhere which one, and why."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from evalkit import actions
from evalkit.batch.parts import parts_of
from evalkit.errors import EvalkitError
from evalkit.loaders.dossier import check_dossier, load_dossier
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.resources import resource_dir
from evalkit.report import sections
from outils_dev.exemples import exports

SAMPLES = resource_dir("sample_data") / "2022"
REFERENTIEL = load_referentiel()
UNSURE = [
    ["Où se situe le lieu principal de votre activité ?", "A03", "A06", "A09", "A10"],
    ["Dans un QPV", "12,5", "Ne souhaite pas répondre", "Oui, avec l’État", "5"],
]


@pytest.fixture
def campagne(tmp_path: Path) -> Path:
    """Ardelle, whose partners' answers are imported; the associations' export lies in ``brut/``, with a title never seen."""
    shutil.copytree(SAMPLES / "ardelle", tmp_path / "2022" / "ardelle")
    for name in ("campagne.yml", "reference_regionale.json"):
        shutil.copy(SAMPLES / name, tmp_path / "2022" / name)
    enquetes = tmp_path / "2022" / "ardelle" / "enquetes"
    for path in enquetes.glob("enq-asso*"):
        path.unlink()
    shutil.rmtree(enquetes / "brut", ignore_errors=True)
    (enquetes / "brut").mkdir()
    exports.write_csv(enquetes / "brut" / "associations.csv", UNSURE)
    return tmp_path / "2022"


def text_of(html: object) -> str:
    return " ".join(BeautifulSoup(str(html), "html.parser").get_text(" ").split())


def test_the_survey_is_left_out_and_the_rest_is_there(campagne: Path) -> None:
    dossier = campagne / "ardelle"
    with pytest.raises(EvalkitError):
        load_dossier(dossier, REFERENTIEL)
    read = load_dossier(dossier, REFERENTIEL, sans_enquete=["enq-asso"])
    assert "ENQ-ASSO" not in read.enquetes
    assert "CONS-PART" in read.enquetes
    assert re.search(r"\(DON-\d{3}\)", read.enquetes_ecartees["ENQ-ASSO"])
    assert not any("associations.csv" in str(fault) for fault in read.avertissements)
    assert any("associations.csv" in str(fault) for fault in check_dossier(dossier, REFERENTIEL).faults), (
        "« verifier » le dit toujours"
    )


def test_other_surveys_are_published_the_same(campagne: Path) -> None:
    """Nothing is gained by comparing a report with and without: the other questionnaires hide the same cells."""
    shutil.rmtree(campagne / "ardelle")
    shutil.copytree(SAMPLES / "ardelle", campagne / "ardelle")
    whole = actions.load_publication(campagne / "ardelle")
    part = actions.load_publication(campagne / "ardelle", sans_enquete="ENQ-ASSO")
    for name in ("enquetes", "items", "reponses"):
        kept = getattr(whole, name)
        kept = kept[kept["enquete"] != "ENQ-ASSO"].reset_index(drop=True)
        assert not kept.empty
        assert kept.equals(getattr(part, name)), name
    assert "ENQ-ASSO" not in "".join(part.indicateurs["source"].dropna())


@pytest.mark.parametrize("show", [sections.show_brief, sections.show_conduct, sections.show_surveys])
def test_the_report_says_it(show: object, campagne: Path) -> None:
    publication = actions.load_publication(campagne / "ardelle", sans_enquete="ENQ-ASSO")
    said = text_of(show(publication))  # type: ignore[operator]
    assert "L’enquête ENQ-ASSO" in said
    assert "laissée de côté à la demande" in said
    assert publication.enquetes_ecartees["ENQ-ASSO"] in said
    assert "Rien ici n’en est tiré." in said


def test_a_survey_that_reads_well_is_said_to(campagne: Path) -> None:
    """Leaving out answers that are readable is a choice, and the reader is told."""
    publication = actions.load_publication(campagne / "ardelle", sans_enquete="ENQ-ASSO, CONS-PART")
    assert "son fichier se lit pourtant sans anomalie" in text_of(sections.show_brief(publication))
    stamp = text_of(sections.show_stamp(publication))
    assert "sans_enquete : ENQ-ASSO, CONS-PART" in stamp or "sans_enquete : CONS-PART, ENQ-ASSO" in stamp


def test_the_last_survey_left_out_is_still_said(campagne: Path) -> None:
    for path in (campagne / "ardelle" / "enquetes").glob("*.*"):
        path.unlink()
    publication = actions.load_publication(campagne / "ardelle", sans_enquete="ENQ-ASSO")
    assert publication.enquetes.empty
    assert "Les enquêtes" in text_of(sections.show_surveys(publication))
    assert "laissée de côté" in text_of(sections.show_surveys(publication))


@pytest.mark.parametrize(
    ("typed", "word"),
    [("ENQ-ASO", "un de ces codes"), ("ENQ-LOGEMENT", "un de ces codes")],
)
def test_an_unknown_code_is_refused(typed: str, word: str, campagne: Path, tmp_path: Path) -> None:
    with pytest.raises(EvalkitError, match="USA-002") as refused:
        actions.render_report(campagne / "ardelle", tmp_path / "s", sans_enquete=[typed])
    assert word in str(refused.value)


def test_nothing_to_leave_out_is_refused(campagne: Path, tmp_path: Path) -> None:
    for path in (campagne / "ardelle" / "enquetes").glob("enq-com*"):
        path.unlink()
    for path in (campagne / "ardelle" / "enquetes" / "brut").glob("enq-com*"):
        path.unlink()
    with pytest.raises(EvalkitError) as refused:
        actions.render_report(campagne / "ardelle", tmp_path / "s", sans_enquete=["ENQ-ASSO", "ENQ-COM"])
    assert "USA-002" in str(refused.value)
    assert "--sans-enquete ENQ-COM : rien à laisser de côté" in str(refused.value)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ENQ-ASSO", "un territoire de ce lot, le signe ="),
        ("autre=ENQ-ASSO", "un territoire de ce lot, le signe ="),
        ("ardelle=ENQ-XX", "un de ces codes"),
    ],
)
def test_a_batch_wants_the_territory(typed: str, expected: str, campagne: Path, tmp_path: Path) -> None:
    with pytest.raises(EvalkitError, match="USA-002") as refused:
        actions.render_batch(campagne, tmp_path / "s", 1, sans_enquete=[typed])
    assert expected in str(refused.value)
    assert not (tmp_path / "s").exists()


def test_a_batch_renders_it_and_never_twice(campagne: Path, tmp_path: Path) -> None:
    """Left out: rendered, then left as it is. Without the option: made again, and refused with its faults."""
    vers, left_out = tmp_path / "sorties", ["ardelle=ENQ-ASSO"]
    made = actions.render_batch(campagne, vers, 1, sans_enquete=left_out).outcomes
    assert [(outcome.kind, outcome.ok) for outcome in made] == [("rapport", True), ("comite", True)]
    pages = [vers / "ardelle" / f"{kind}.html" for kind in ("rapport", "comite")]
    first = [page.read_text(encoding="utf-8") for page in pages]
    for page in first:
        assert "laissée de côté à la demande" in page
        stamp = json.loads(BeautifulSoup(page, "html.parser").find("meta", attrs={"name": "evalkit"})["content"])
        assert stamp["parametres"]["sans_enquete"] == "ENQ-ASSO"
    again = actions.render_batch(campagne, vers, 1, sans_enquete=left_out).outcomes
    assert all(outcome.unchanged for outcome in again)
    table = campagne / "ardelle" / "cotations.csv"
    table.write_bytes(table.read_bytes() + b"\r\n")
    compared = actions.render_batch(campagne, vers, 1, sans_enquete=left_out).outcomes
    assert all(outcome.unchanged for outcome in compared), "les parties se comparent sans l’enquête laissée de côté"
    assert all("les paramètres ont changé" in explained for explained in actions.explain_batch(campagne, vers))
    assert all(line.endswith(" : à jour") for line in actions.explain_batch(campagne, vers, sans_enquete=left_out))
    refused = actions.render_batch(campagne, vers, 1).outcomes
    assert not any(outcome.ok for outcome in refused)
    assert {fault.place.file.partition("/")[0] for one in refused for fault in one.faults} == {"ardelle"}
    actions.render_batch(campagne, vers, 1, sans_enquete=left_out)
    assert [page.read_text(encoding="utf-8") for page in pages] == first


def test_the_workbook_leaves_it_out_too(campagne: Path, tmp_path: Path) -> None:
    """The one format that is not made from the page reads the dossier as the page did, and says so."""
    import openpyxl

    vers = tmp_path / "sorties"
    result = actions.render_report(campagne / "ardelle", vers, formats=("html", "xlsx"), sans_enquete=["ENQ-ASSO"])
    assert result.ok
    assert result.format_faults == ()
    assert result.outcomes[0].others.checks["rapport.xlsx"]["anomalies"] == []
    book = openpyxl.load_workbook(vers / "ardelle" / "rapport.xlsx")
    said = {sheet.title: [str(c.value) for row in sheet.iter_rows() for c in row if c.value] for sheet in book}
    assert any("laissée de côté à la demande" in text for text in said["Lisez-moi"])
    assert not [
        text
        for name, texts in said.items()
        if name != "Lisez-moi"
        for text in texts
        if "ENQ-ASSO" in text and "·" in text
    ]


def test_why_it_was_left_out_is_a_part_of_the_report(campagne: Path) -> None:
    read = load_dossier(campagne / "ardelle", REFERENTIEL, sans_enquete=["ENQ-ASSO"])
    other = replace(read, enquetes_ecartees={"ENQ-ASSO": "autre raison"})
    first, second = parts_of(read, REFERENTIEL), parts_of(other, REFERENTIEL)
    assert [name for name in first if first[name] != second[name]] == ["ecartees"]


# --- an export that answers no known questionnaire -------------------------------------------------------------------


@pytest.fixture
def unknown(campagne: Path) -> Path:
    """Ardelle, where everything reads well but one file of ``brut/``, whose titles are those of no questionnaire."""
    shutil.rmtree(campagne / "ardelle")
    shutil.copytree(SAMPLES / "ardelle", campagne / "ardelle")
    (campagne / "ardelle" / "enquetes" / "brut").mkdir(exist_ok=True)
    export = campagne / "ardelle" / "enquetes" / "brut" / "sondage, été.csv"
    export.write_text("Humeur;Météo\nbonne;soleil\n", encoding="utf-8")
    return campagne / "ardelle"


def test_a_file_that_nothing_recognises_is_left_out_by_its_name(unknown: Path) -> None:
    with pytest.raises(EvalkitError, match="DON-090"):
        load_dossier(unknown, REFERENTIEL)
    publication = actions.load_publication(unknown, "brut/sondage, été.csv, ENQ-COM")
    assert set(publication.enquetes_ecartees) == {"brut/sondage, été.csv", "ENQ-COM"}
    assert "ENQ-ASSO" in set(publication.enquetes["enquete"]), "les autres enquêtes sont là"
    said = text_of(sections.show_brief(publication))
    assert "Le fichier de réponses « brut/sondage, été.csv » a été laissé de côté à la demande" in said
    assert "questionnaire non reconnu (DON-090)" in said


@pytest.mark.parametrize("typed", ["brut/sondage, été.csv", "sondage, été.csv", "enquetes\\brut\\sondage, été.csv"])
def test_the_report_of_a_file_left_out(typed: str, unknown: Path, tmp_path: Path) -> None:
    result = actions.render_report(unknown, tmp_path / "s", formats=("html",), sans_enquete=[typed])
    assert result.ok, result.outcomes
    page = (tmp_path / "s" / "ardelle" / "rapport.html").read_text(encoding="utf-8")
    assert "brut/sondage, été.csv" in page
    again = actions.render_batch(unknown.parent, tmp_path / "s", 1, sans_enquete=[f"ardelle={typed}"])
    assert again.ok, again.outcomes


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("brut/absent.csv", "pas un export dont le questionnaire n’est pas reconnu"),
        ("brut/reponses Fatima Bouzid.csv", "dont le nom nomme quelqu’un"),
        ("brut/0612345678.csv", "dont le nom nomme quelqu’un"),
    ],
)
def test_a_file_that_cannot_be_left_out(typed: str, word: str, unknown: Path, tmp_path: Path) -> None:
    with pytest.raises(EvalkitError, match="USA-002") as refused:
        actions.render_report(unknown, tmp_path / "s", sans_enquete=[typed])
    assert word in str(refused.value)
    assert "Bouzid" not in str(refused.value)


def test_the_remedy_can_be_typed(unknown: Path) -> None:
    """DON-090 proposes an option that a terminal keeps whole; and none that would be refused for the name of the file."""
    told = [fault.fix for fault in check_dossier(unknown, REFERENTIEL).faults if fault.code == "DON-090"]
    assert ['--sans-enquete "brut/sondage, été.csv"' in fix for fix in told] == [True]
    brut = unknown / "enquetes" / "brut"
    (brut / "sondage, été.csv").rename(brut / "reponses Fatima Bouzid.csv")
    told = [fault.fix for fault in check_dossier(unknown, REFERENTIEL).faults if fault.code == "DON-090"]
    assert ["--sans-enquete" not in fix and "renommez-le d’abord" in fix for fix in told] == [True]


def test_a_notebook_refuses_a_name_too(unknown: Path) -> None:
    """The parameter of a notebook is the other door: what it leaves out is printed in the same documents."""
    brut = unknown / "enquetes" / "brut"
    (brut / "sondage, été.csv").rename(brut / "reponses Fatima Bouzid.csv")
    with pytest.raises(EvalkitError, match="dont le nom nomme quelqu’un"):
        actions.load_publication(unknown, sans_enquete="brut/reponses Fatima Bouzid.csv")


def test_a_copy_is_not_left_out(unknown: Path) -> None:
    """Its twin is read: « nothing here comes from it » would be false."""
    brut = unknown / "enquetes" / "brut"
    (brut / "sondage, été.csv").unlink()
    for name in ("a.csv", "b.csv"):
        exports.write_csv(brut / name, [["A03", "A06", "A09", "A10", "A17"], ["12", "Oui", "Non", "5", "Oui"]])
    with pytest.raises(EvalkitError) as refused:
        actions.load_publication(unknown, sans_enquete="brut/b.csv")
    assert "le même fichier que" in str(refused.value)
    assert "USA-002" in str(refused.value)


def test_a_file_that_cannot_be_opened_is_said_to(unknown: Path) -> None:
    export = unknown / "enquetes" / "brut" / "sondage, été.csv"
    export.unlink()
    (export.parent / "vide.csv").write_bytes(b"")
    publication = actions.load_publication(unknown, sans_enquete="brut/vide.csv")
    said = text_of(sections.show_brief(publication))
    assert (
        "laissé de côté à la demande de qui a produit ce document : il n’a pas pu être lu (fichier vide (DON-004))"
        in said
    )
    assert "à quel questionnaire" not in said


def test_half_of_a_questionnaire_is_never_left_out(campagne: Path, tmp_path: Path) -> None:
    """An export that answers a questionnaire is left out with it, by its code."""
    with pytest.raises(EvalkitError) as refused:
        load_dossier(campagne / "ardelle", REFERENTIEL, sans_enquete=["brut/associations.csv"])
    assert "pas un export dont le questionnaire n’est pas reconnu" in str(refused.value)


def test_sheets_and_working_file_leave_out_too(unknown: Path, tmp_path: Path) -> None:
    """What a meeting or a pilot works with is made in the same way, and says what it lacks."""
    import openpyxl

    without = ["brut/sondage, été.csv", "enq-asso"]
    with pytest.raises(EvalkitError, match="DON-090"):
        actions.write_consensus_sheets(unknown, tmp_path / "c.html")
    page = actions.write_consensus_sheets(unknown, tmp_path / "c.html", without).read_text(encoding="utf-8")
    assert "Le fichier de réponses « brut/sondage, été.csv »" in text_of(page)
    assert "L’enquête ENQ-ASSO" in text_of(page)
    with pytest.raises(EvalkitError, match="DON-090"):
        actions.write_working_file(unknown)
    target, _ = actions.write_working_file(unknown, sans_enquete=without)
    said = [str(cell.value) for row in openpyxl.load_workbook(target)["Lisez-moi"] for cell in row]
    assert sum("laissé" in text and "de côté à la demande" in text for text in said) == 2


# --- what the report says of the surveys that are there --------------------------------------------------------------


@pytest.fixture(scope="module")
def ardelle() -> object:
    return actions.load_publication(SAMPLES / "ardelle")


def test_in_brief_says_who_answered(ardelle) -> None:
    """Every part, as many as the table says, of how many asked; what is fragile or too small; no figure of the answers."""
    said = text_of(sections.show_brief(ardelle))
    sentence = said[said.index("Ont répondu à une enquête") :]
    assert "Partenaires, 16 réponses sur 24 sollicités (base fragile)" in sentence
    assert "Associations, 34 réponses sur 52 sollicités ;" in sentence
    assert "Communes, 6 réponses sur 7 sollicités (trop peu pour qu’un résultat soit montré)" in sentence
    assert "Habitants de 18 ans et plus, 64 réponses." in sentence
    assert "Une enquête ouverte à tous décrit ceux qui ont répondu, pas les autres." in sentence
    counts = {int(n) for column in ("n_reponses", "n_sollicites") for n in ardelle.enquetes[column].dropna()}
    without_age = sentence.replace("18 ans", "")
    assert {int(n) for n in re.findall(r"\d+", without_age)} <= counts


def test_no_survey_says_nothing_in_brief(campagne: Path) -> None:
    shutil.rmtree(campagne / "ardelle" / "enquetes")
    assert "enquête" not in text_of(sections.show_brief(actions.load_publication(campagne / "ardelle")))


def test_a_fraction_says_what_is_over_what(ardelle) -> None:
    said = text_of(sections.show_question(ardelle, "Q4"))
    assert "424 / 128 (somme des notes / réponses à 4 questions)" in said.replace("\u00a0", " ")
    assert "(favorables moins défavorables / répondants)" in said
    assert "part de « En forte hausse » ou « En hausse », moins part de « En baisse » ou « En forte baisse »" in said
    assert "se lit « 13 répondants concernés sur 33 »" in said
    row = said[said.index("Effets constatés pour les habitants") :]
    assert "n = 30 répondants (parts des répondants ; plusieurs réponses possibles)" in row.replace("\u00a0", " ")
    assert "citations" not in said
