"""Questionnaires: complete, linked both ways, described by an up-to-date page, and written as forms that work."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from openpyxl import load_workbook
from pyxform.xls2xform import convert

from evalkit import actions
from evalkit.documents.questionnaire import (
    LANGUAGE,
    Form,
    build_form,
    check_form,
    write_printable_form,
    write_xlsform,
)
from evalkit.documents.questionnaire_page import render_printable_form
from evalkit.documents.surveys_page import notice_sentences, render_surveys_markdown
from evalkit.documents.xlsform_expressions import check_expression, relevance
from evalkit.errors import EvalkitError
from evalkit.loaders.referentiel import load_referentiel
from evalkit.model.base import Condition
from evalkit.model.referentiel import Referentiel
from evalkit.model.survey import Enquete
from evalkit.model.territory import Qpv, Territory

LABEL, MESSAGE = f"label::{LANGUAGE}", f"constraint_message::{LANGUAGE}"
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "enquetes.md"
SURVEYS = {"CONS-PART": 29, "ENQ-ASSO": 38, "ENQ-CC": 39, "ENQ-COM": 24, "ENQ-LOG": 24}
SILENT = {"ne sait pas": "ne_sait_pas", "ne souhaite pas répondre": "refus", "sans objet": "non_concerne"}


@pytest.fixture(scope="module")
def referentiel() -> Referentiel:
    return load_referentiel()


def test_the_five_questionnaires_are_complete(referentiel):
    """Questions, parts and thresholds; numbers asked together are distinct questions."""
    assert {survey.code: len(survey.questions) for survey in referentiel.enquetes} == SURVEYS
    asked = {question.code.split("_")[0] for survey in referentiel.enquetes for question in survey.questions}
    assert len(asked) == 141
    parts = {(s.code, p.code): (p.groupe, p.collecte, p.seuil) for s in referentiel.enquetes for p in s.parties}
    assert parts == {
        ("CONS-PART", "ensemble"): ("partenaire", "recensement", "seuil_institutions"),
        ("ENQ-ASSO", "ensemble"): ("association", "recensement", "seuil_personnes"),
        ("ENQ-CC", "collectif"): ("conseiller_citoyen", "recensement", "seuil_institutions"),
        ("ENQ-CC", "individuel"): ("conseiller_citoyen", "recensement", "seuil_personnes"),
        ("ENQ-COM", "ensemble"): ("commune", "recensement", "seuil_institutions"),
        ("ENQ-LOG", "ensemble"): (None, "ouvert", "seuil_personnes"),
    }


def test_silences_are_flagged_wherever_they_are_written(referentiel):
    """« Ne sait pas », refusals and « sans objet » never enter a percentage."""
    for survey in referentiel.enquetes:
        for question in survey.questions:
            for choice in question.choix:
                wanted = SILENT.get(choice.libelle.lower())
                assert wanted is None or choice.silence == wanted, (question.code, choice.code)


def test_every_indicator_that_counts_on_a_survey_is_fed_by_it(referentiel):
    """Both ways, on the real framework, without the checks of the loader."""
    fed = {(s.code, link.code) for s in referentiel.enquetes for q in s.questions for link in q.indicateurs}
    wanted = {
        (tool, code)
        for code, item in referentiel.indicateurs.items()
        if "enquete" in item.obtention
        for tool in item.collecte
        if tool in SURVEYS
    }
    own = {(s.code, item.code) for s in referentiel.enquetes for item in s.indicateurs_propres}
    assert fed == wanted | own
    assert own == {("ENQ-LOG", f"LOG.{number}") for number in range(1, 8)}


def test_categories_of_an_indicator_are_the_choices_of_its_question(referentiel):
    """The same codes, typed or surveyed, whenever the list is the same."""
    for survey in referentiel.enquetes:
        for question in survey.questions:
            for link in question.indicateurs:
                known = referentiel.indicateurs.get(link.code)
                if known is None or link.calcul != "distribution" or link.code == "Q4.6.e":
                    continue
                choices = {choice.code for choice in question.choix if choice.silence is None}
                assert choices == {modality.code for modality in known.modalites}, question.code


def test_the_notice_says_the_thresholds_that_are_applied(referentiel):
    """Changing a rule changes what respondents read; parts of different thresholds are told apart."""
    for survey in referentiel.enquetes:
        text = " ".join(notice_sentences(survey, referentiel))
        assert f"en dessous de {referentiel.seuil(survey.parties[0].seuil):.0f} réponses" in text
        assert "{" not in text
    rules = tuple(
        rule.model_copy(update={"valeur": 23}) if rule.code == "seuil_personnes" else rule
        for rule in referentiel.regles
    )
    other = referentiel.model_copy(update={"regles": rules})
    texts = {survey.code: " ".join(notice_sentences(survey, other)) for survey in other.enquetes}
    assert "en dessous de 23 réponses" in texts["ENQ-LOG"]
    assert "en dessous de 11 (volet collectif) et 23 (volet individuel) réponses" in texts["ENQ-CC"]


def test_the_checked_in_page_is_up_to_date(referentiel):
    page = render_surveys_markdown(referentiel)
    assert PAGE.read_text("utf-8") == page, "python -m evalkit.documents.reference_page"
    for survey in referentiel.enquetes:
        assert f"## {survey.code} — " in page
        for question in survey.questions:
            assert f"| {question.code.replace('_', chr(92) + '_')} |" in page


# --- the XLSForm and the form to print --------------------------------------------------------------------------------


def territory() -> Territory:
    return Territory(
        dossier="essai",
        nom="Valbrune",
        departement="59",
        generation="2015",
        communes=("Valbrune", "Hérœuil-sur-Lys"),
        qpv=(Qpv("QF059001", "Les <Acacias>", "2015"), Qpv("QF059002", "Le Moulin", "2015")),
    )


def survey_of(referentiel: Referentiel, code: str) -> Enquete:
    return next(survey for survey in referentiel.enquetes if survey.code == code)


def rows_of(form: Form) -> dict[str, Mapping[str, str]]:
    return {row["name"]: row for row in form.survey if row["type"] != "end_group"}


@pytest.mark.parametrize("code", sorted(SURVEYS))
@pytest.mark.parametrize("given", [None, territory()], ids=["sans territoire", "avec territoire"])
def test_pyxform_converts_without_a_warning(code, given, referentiel, tmp_path):
    """Every question is in the form that a phone opens, under its code, in order."""
    survey = survey_of(referentiel, code)
    path = tmp_path / "form.xlsx"
    write_xlsform(path, survey, referentiel, given)
    result = convert(str(path), validate=False)
    assert result.warnings == []
    found = re.findall(r'<bind[^>]* nodeset="[^"]*/([A-Z]\d\d\w*)"', result.xform)
    assert found == [
        question.code for part in survey.parties for question in survey.questions if question.partie == part.code
    ]
    assert 'lang="Français (fr)"' in result.xform


def test_the_notice_and_the_consent_come_first(referentiel):
    """Nothing is asked before the person has read and agreed."""
    for survey in referentiel.enquetes:
        form = build_form(survey, referentiel)
        names = [row["name"] for row in form.survey]
        notices = [row[LABEL] for row in form.survey if row["name"].startswith("mention_")]
        assert notices == notice_sentences(survey, referentiel)
        assert names[: len(notices) + 1] == [f"mention_{n}" for n in range(1, len(notices) + 1)] + ["consentement"]
        groups = [row for row in form.survey if row["type"] == "begin_group"]
        assert len(groups) == len(survey.parties)
        assert all(row["relevant"].startswith("${consentement} = 'oui'") for row in groups)
        required = [row["name"] for row in form.survey if row.get("required")]
        assert required == ["consentement"] + (["partie"] if len(survey.parties) > 1 else [])


def test_conditions_and_limits_become_expressions(referentiel):
    log = rows_of(build_form(survey_of(referentiel, "ENQ-LOG"), referentiel))
    assert log["L14"]["relevant"] == "selected(${L13}, 'rien')"
    assert log["L09"]["relevant"] == "${L08} = 'oui_une_fois' or ${L08} = 'oui_plusieurs_fois'"
    assert log["L24"]["constraint"] == "string-length(.) <= 300"
    assert log["L05"]["constraint"] == (
        "count-selected(.) <= 3 and not(selected(., 'ne_sait_pas') and count-selected(.) > 1)"
    )
    assert log["L05"][MESSAGE] == "3 réponses au plus. « Ne sait pas » : sans autre réponse."
    asso = rows_of(build_form(survey_of(referentiel, "ENQ-ASSO"), referentiel))
    assert (asso["A07"]["type"], asso["A07"]["constraint"]) == ("decimal", ". >= 0 and . <= 100")
    partners = rows_of(build_form(survey_of(referentiel, "CONS-PART"), referentiel))
    assert (partners["P10"]["relevant"], partners["P14_recenses"]["type"]) == ("${P09} != ''", "integer")


@pytest.mark.parametrize(
    ("condition", "expression"),
    [
        ({"tous": [{"fait": "A04", "superieur": 2.5}, {"fait": "A28", "different": "non"}]},
         "(${A04} > 2.5) and (${A28} != '' and not(${A28} = 'non'))"),
        ({"un_de": [{"fait": "A15", "parmi": ["etat", "aucun"]}, {"fait": "A29", "renseigne": False}]},
         "(selected(${A15}, 'etat') or selected(${A15}, 'aucun')) or (${A29} = '')"),
        ({"tous": [{"fait": "A04", "egal": 3}]}, "${A04} = 3"),
    ],
)  # fmt: skip
def test_every_operator_is_translated(condition, expression, referentiel):
    questions = survey_of(referentiel, "ENQ-ASSO").questions_par_code
    written = relevance(Condition.model_validate(condition), questions)
    assert written == expression
    choices = {code: [choice.code for choice in question.choix] for code, question in questions.items()}
    assert check_expression(written, choices) == []


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("(${A28} = 'oui'", "« ) » manque"),
        ("${A28} = 'oui')", "« ) » en trop"),
        ("${A99} = 'oui'", "« A99 » n’existe pas"),
        ("${A28} = 'ouii'", "« ouii » n’est pas un choix de A28"),
        ("selected(${A15} 'etat')", "« , » manque"),
        ("selected(${A15}, 'etats')", "« etats » n’est pas un choix de A15"),
        ("count_selected(${A15}) > 1", "illisible"),
        ("contains(${A15}, 'x')", "la fonction « contains » est inconnue"),
        ("${A28} = ", "« une valeur » manque"),
        ("${A28} == 'oui'", "là où il faut une valeur"),
        ("${A28} = 'oui' et ${A28} = 'non'", "« et » en trop"),
        (". <= 3", "hors d’une contrainte"),
        ("${A28 = 'oui'", "illisible"),
        ("not(${A28} = 'oui'", "« ) » manque"),
    ],
)
def test_a_broken_expression_is_seen(expression, words):
    """The converter lets most of these through; we do not."""
    faults = check_expression(expression, {"A28": ["oui", "non"], "A15": ["etat", "aucun"]})
    assert words in " ; ".join(faults), faults


def test_a_broken_form_is_never_written(referentiel, tmp_path):
    """A condition on a later question or on a choice that does not exist, and nothing reaches the disk."""
    survey = survey_of(referentiel, "ENQ-LOG")
    later = Condition.model_validate({"tous": [{"fait": "L16", "egal": "oui"}]})
    wrong = Condition.model_validate({"tous": [{"fait": "L02", "egal": "peut_etre"}]})
    for code, condition in (("L09", later), ("L09", wrong)):
        questions = tuple(
            question.model_copy(update={"posee_si": condition}) if question.code == code else question
            for question in survey.questions
        )
        with pytest.raises(ValueError, match="L09 : "):
            write_xlsform(tmp_path / "x.xlsx", survey.model_copy(update={"questions": questions}), referentiel)
    assert not list(tmp_path.iterdir())


def test_names_lists_and_groups_are_checked():
    form = Form(
        survey=[
            {"type": "begin_group", "name": "groupe_a"},
            {"type": "select_one absente", "name": "A01"},
            {"type": "text", "name": "A01"},
            {"type": "text", "name": "é b"},
        ],
        choices=[{"list_name": "l", "name": "x y"}, {"list_name": "l", "name": "z"}, {"list_name": "l", "name": "z"}],
    )
    text = " ; ".join(check_form(form))
    for words in ("« absente » n’existe pas", "employé deux fois", "« é b »", "n’est pas fermé", "« x y »", "« z »"):
        assert words in text


def test_the_territory_gives_its_lists(referentiel, tmp_path):
    """QPV under their own codes in lower case, communes in ASCII; what is not known is left to fill, and said."""
    asso = build_form(survey_of(referentiel, "ENQ-ASSO"), referentiel, territory())
    assert [(row["name"], row[LABEL]) for row in asso.choices if row["list_name"] == "A01"] == [
        ("qf059001", "Les <Acacias>"),
        ("qf059002", "Le Moulin"),
        ("hors_qpv", "Hors QPV"),
    ]
    assert [line for line in asso.a_completer if "choices" in line] == [
        "feuille « choices », liste A20 : Structures du contrat"
    ]
    log = build_form(survey_of(referentiel, "ENQ-LOG"), referentiel, territory())
    assert [row["name"] for row in log.choices if row["list_name"] == "L01"][:2] == ["valbrune", "heroeuil_sur_lys"]


def test_cells_are_text_and_bytes_do_not_change(referentiel, tmp_path):
    survey = survey_of(referentiel, "ENQ-CC")
    odd = survey.model_copy(update={"notice": ("=1+1 {seuil}", *survey.notice)})
    for name in ("a.xlsx", "b.xlsx"):
        write_xlsform(tmp_path / name, odd, referentiel)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    sheet = load_workbook(tmp_path / "a.xlsx")["survey"]
    assert sheet["C2"].value.startswith("=1+1 11")
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}


@pytest.mark.parametrize("code", sorted(SURVEYS))
def test_the_form_to_print_is_accessible(code, referentiel, tmp_path):
    """Headings in order, each question a named group, each box with its label, nothing from outside."""
    survey = survey_of(referentiel, code)
    path = write_printable_form(tmp_path / "f.html", survey, referentiel, territory())
    text = path.read_text("utf-8")
    soup = BeautifulSoup(text, "html.parser")
    assert soup.html is not None
    assert soup.html["lang"] == "fr"
    levels = [int(title.name[1]) for title in soup.find_all(re.compile("^h[1-6]$"))]
    assert levels[0] == 1
    assert set(levels[1:]) == {2}
    fieldsets = soup.find_all("fieldset")
    assert [field["id"] for field in fieldsets] == [
        q.code for part in survey.parties for q in survey.questions if q.partie == part.code
    ]
    assert all(field.legend and field.legend.get_text(strip=True) for field in fieldsets)
    labelled = {label["for"] for label in soup.find_all("label")}
    for field in soup.find_all(["input", "textarea"]):
        assert field.get("aria-label") or field["id"] in labelled
    identifiers = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(identifiers) == len(set(identifiers))
    assert all(tag["aria-describedby"] in identifiers for tag in soup.find_all(attrs={"aria-describedby": True}))
    assert not soup.find_all(["script", "link", "img", "iframe"])
    assert "http" not in text.replace("http-equiv", "")
    assert "<Acacias>" not in text


def test_nothing_technical_is_printed(referentiel, tmp_path):
    for survey in referentiel.enquetes:
        text = BeautifulSoup(render_printable_form(survey, referentiel), "html.parser").get_text()
        assert not re.search(r"\bNone\b|\{|\}|ne_sait_pas|seuil_", text)


def test_the_command_writes_the_three_files(tmp_path):
    files = actions.write_questionnaire("enq-log", tmp_path / "q")
    assert sorted(path.name for path in (tmp_path / "q").iterdir()) == [
        "enq-log-saisie.xlsx",
        "enq-log.html",
        "enq-log.xlsx",
    ]
    assert "mention 1 : nom de l’organisme" in files.a_completer
    with pytest.raises(EvalkitError, match="ENQ-RIEN"):
        actions.write_questionnaire("ENQ-RIEN", tmp_path)
