"""The attacker finds nothing in what is published, and finds something as soon as a rule is weakened."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace

import pytest

from evalkit.compute import disclosure
from evalkit.compute.disclosure import protect
from evalkit.compute.evaluation import evaluate
from evalkit.compute.results import Evaluation, Publication
from evalkit.compute.synthesis import protect_synthesis, synthesize
from evalkit.loaders.dossier import list_dossiers, load_campagne, load_dossier
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.resources import resource_dir
from evalkit.report import sections
from evalkit.report.workbook import render_rapport_xlsx
from tests.attaque.attaquant import Attacker, Loot, total
from tests.attaque.reponses_inventees import invented_surveys

TEACHING = ("ardelle", "morvecque", "houdrincq", "wastrelles", "estrinoy", "vaudremies")
CAMPAGNE = resource_dir("sample_data") / "2022"
QUESTIONS = ("Q1", "Q2", "Q3", "Q4", "LCD", "EFH")


def page_of(publication: Publication) -> str:
    """Everything that the report prints of a territory."""
    parts = [
        sections.show_title(publication),
        sections.show_brief(publication),
        sections.show_conduct(publication),
        *(sections.show_question(publication, code) for code in QUESTIONS),
        sections.show_other_questions(publication, *QUESTIONS),
        sections.show_citizens_councils(publication),
        sections.show_surveys(publication),
        sections.show_actions(publication),
        sections.show_example(publication),
        sections.show_masks(publication),
        sections.show_stamp(publication),
    ]
    return "\n".join(str(part) for part in parts)


def with_surveys(evaluation_dossier, referentiel, seed: int) -> Evaluation:
    dossier = replace(evaluation_dossier, enquetes=invented_surveys(referentiel, seed))
    return evaluate(referentiel, dossier)


@pytest.fixture(scope="module")
def referentiel():
    return load_referentiel()


@pytest.fixture(scope="module")
def surveyed(referentiel) -> list[Evaluation]:
    """Two invented territories with answers to the five questionnaires."""
    return [
        with_surveys(load_dossier(CAMPAGNE / name, referentiel), referentiel, seed)
        for seed, name in enumerate(("ardelle", "morvecque"))
    ]


def rules_with(referentiel, **values: float):
    return [r.model_copy(update={"valeur": values[r.code]}) if r.code in values else r for r in referentiel.regles]


def attack(referentiel, evaluations: Iterable[Evaluation], rules=None, *, read: str = "page") -> Loot:
    """Attack each territory by its page, its workbook, or both (``read``)."""
    attacker = Attacker(referentiel)
    loots = []
    for evaluation in evaluations:
        publication = protect(evaluation, rules or referentiel.regles)
        pages = [page_of(publication)] if "page" in read else []
        workbooks = [render_rapport_xlsx(publication)] if "classeur" in read else []
        loots.append(attacker.attack(pages, workbooks))
    return total(loots)


def test_nothing_is_found_in_two_territories_with_surveys(referentiel, surveyed, no_pictures):
    loot = attack(referentiel, surveyed)
    assert loot.n_hidden > 100, "the attacker did not read the pages"
    assert loot.nothing(), loot


def test_nothing_more_is_found_in_the_workbook(referentiel, surveyed, no_pictures):
    """Beside the page, the workbook hides the same cells, each as well."""
    evaluations = [surveyed[0], evaluate(referentiel, load_dossier(CAMPAGNE / "morvecque", referentiel))]
    by_page, loot = attack(referentiel, evaluations), attack(referentiel, evaluations, read="page et classeur")
    assert loot.nothing(), loot
    assert loot.n_hidden > 50
    assert (loot.n_hidden, loot.n_small_groups) == (by_page.n_hidden, by_page.n_small_groups)


def test_the_workbook_prints_what_the_page_prints(referentiel, surveyed, no_pictures):
    """Answers, number of people asked, numerators, medians and sizes: the same facts, no more precise."""
    attacker = Attacker(referentiel)
    for evaluation in surveyed:
        publication = protect(evaluation, referentiel.regles)
        page = attacker.facts([page_of(publication)])
        workbook = attacker.facts([], [render_rapport_xlsx(publication)])
        assert len(page["answers"]) > 50
        assert set(workbook["answers"]) == set(page["answers"])
        for code, mine in workbook["answers"].items():
            theirs = page["answers"][code]
            assert (mine.n, mine.rows) == (theirs.n, theirs.rows), code
            assert theirs.asked in (None, mine.asked), code  # a page leaves out the silences of some hidden questions
        said = {key: text for key, text in page["groups"].items() if key[1] != "Écart"}
        assert {key: text for key, text in workbook["groups"].items() if key in said} == said
        assert page["fractions"] == workbook["fractions"]


def test_nothing_is_found_in_the_teaching_cases(referentiel, no_pictures):
    loot = attack(referentiel, (evaluate(referentiel, load_dossier(CAMPAGNE / n, referentiel)) for n in TEACHING))
    assert loot.n_small_groups > 50, "the attacker did not read the medians"
    assert loot.nothing(), loot


@pytest.mark.parametrize(
    ("weakened", "broken"),
    [
        ({"largeur_minimale": 0}, "exposed"),
        ({"seuil_cellule": 1, "seuil_extremes": 0}, "small_cells"),
        ({"seuil_personnes": 1, "seuil_institutions": 1}, "small_bases"),
    ],
)
def test_a_weakened_rule_is_found_out(referentiel, surveyed, no_pictures, weakened, broken):
    loot = attack(referentiel, surveyed, rules_with(referentiel, **weakened))
    assert getattr(loot, broken), f"{weakened}: the attacker cannot fail"


def test_a_weakened_rule_is_found_out_in_the_workbook_alone(referentiel, surveyed):
    lower = rules_with(referentiel, seuil_personnes=1, seuil_institutions=1)
    assert attack(referentiel, surveyed[:1], lower, read="classeur").small_bases


def test_weakened_rules_on_ratings_are_found_out(referentiel, no_pictures, monkeypatch):
    evaluations = [evaluate(referentiel, load_dossier(CAMPAGNE / n, referentiel)) for n in ("morvecque", "houdrincq")]
    lower = rules_with(referentiel, seuil_mediane_atelier=1)
    assert attack(referentiel, evaluations, lower).medians
    assert attack(referentiel, evaluations, lower, read="classeur").medians
    monkeypatch.setattr(disclosure, "gives_a_cell", lambda n, median: False)
    assert attack(referentiel, evaluations, lower).ratings
    assert attack(referentiel, evaluations, lower, read="classeur").ratings


def test_stamp_holds_no_count_but_that_of_hidden_values(referentiel, surveyed):
    """Numbers of a stamp: how many values are hidden, and nothing about answers."""
    stamp = sections.show_stamp(protect(surveyed[0], referentiel.regles)).stamp
    numbers = {key for key, value in stamp.items() if isinstance(value, int) and not isinstance(value, bool)}
    assert numbers <= {"n_masques", "n_avertissements"}


def test_a_synthesis_knows_nothing_but_what_territories_publish(referentiel):
    """Every published territory taken as known, a synthesis adds nothing: it is made of their published figures only."""
    names = list_dossiers(CAMPAGNE)[:6]
    campagne = load_campagne(CAMPAGNE)
    evaluations = [with_surveys(load_dossier(d, referentiel), referentiel, i) for i, d in enumerate(names)]
    published = [protect(e, referentiel.regles) for e in evaluations]
    first = protect_synthesis(synthesize(referentiel, campagne, evaluations), referentiel.regles)
    second = protect_synthesis(synthesize(referentiel, campagne, published), referentiel.regles)
    for name, table in first.tables.items():
        assert table.equals(second.tables[name]), name
    shown = sum((p.indicateurs["obtention"] == "enquete") & (p.indicateurs["statut"] == "ok") for p in published).sum()
    assert shown > 0
    counted = first.tables["indicateurs"]
    for row in counted[counted["obtention"] == "enquete"].to_dict("records"):
        publishing = sum(
            bool(
                (
                    (p.indicateurs["indicateur"] == row["indicateur"])
                    & (p.indicateurs["obtention"] == "enquete")
                    & (p.indicateurs["statut"] == "ok")
                ).any()
            )
            for p in published
        )
        assert row["n_territoires"] <= publishing


@pytest.mark.complet
def test_nothing_is_found_in_the_forty_territories(referentiel, no_pictures):
    """Each with invented answers to the five questionnaires."""
    dossiers = [load_dossier(path, referentiel) for path in list_dossiers(CAMPAGNE)]
    evaluations = (with_surveys(d, referentiel, seed) for seed, d in enumerate(dossiers))
    loot = attack(referentiel, evaluations, read="page et classeur")
    assert loot.n_hidden > 4000
    assert loot.nothing(), loot


@pytest.mark.complet
def test_nothing_is_found_in_rendered_pages(referentiel, tmp_path):
    """Two real pages, made by the command."""
    from evalkit import actions

    shutil.copytree(CAMPAGNE.parent, tmp_path / "exemples")
    for name in ("ardelle", "morvecque"):
        result = actions.render_report(tmp_path / "exemples" / CAMPAGNE.name / name, tmp_path, formats=("html",))
        assert result.ok, [str(fault) for outcome in result.outcomes for fault in outcome.faults]
        page = (tmp_path / name / "rapport.html").read_text(encoding="utf-8")
        loot = Attacker(referentiel).attack([page])
        assert loot.nothing(), loot
