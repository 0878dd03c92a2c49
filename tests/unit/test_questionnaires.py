"""Questionnaires: complete, linked both ways, and the page that describes them is up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.documents.surveys_page import notice_sentences, render_surveys_markdown
from evalkit.loaders.referentiel import load_referentiel
from evalkit.model.referentiel import Referentiel

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
