"""Surveys: shares, silences, weights, intervals, indicators, primary masking, charts, section, triangulation tables."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from bench.triangulation import simulate
from evalkit.charts.surveys import draw_choices, draw_likert, likert_families, read_items, spread
from evalkit.charts.theme import text_width
from evalkit.compute.disclosure import protect
from evalkit.compute.evaluation import SURVEY_ABSENT, evaluate
from evalkit.compute.intervals import corrected_size, effective_size, interval_for, wilson
from evalkit.compute.rules import Rules
from evalkit.compute.surveys import compute_surveys, survey_indicators
from evalkit.compute.surveys_masking import mask_surveys
from evalkit.compute.triangulation import detection, false_alarm, shift_distribution
from evalkit.documents.triangulation_page import END, START, triangulation_tables
from evalkit.loaders.referentiel import load_referentiel
from evalkit.report.sections_surveys import conduct_sentence, show_surveys
from tests.fabrique import (
    make_answers,
    make_campagne,
    make_dossier,
    make_enquete,
    make_indicator,
    make_question,
    make_referentiel,
    make_sub_question,
    survey_question,
)
from tests.unit.test_cas import check, load_cases

ROOT = Path(__file__).resolve().parents[2]
CODE = "Q1.1.a"
LIKERT = "1 2 3 4 5 nsp".split()


def framework(questions: list[dict[str, Any]], formule: str = "part", unite: str = "pourcent", **part: Any):
    indicator = make_indicator(CODE, formule, unite=unite, obtention=["enquete"], collecte=["ENQ-COM"])
    subs = [make_sub_question("Q1.1", [indicator]), make_sub_question("Q1.2")]
    return make_referentiel([make_question("Q1", subs)], [make_enquete(questions, **part)])


def dossier_of(frame: pd.DataFrame, asked: float | None = None, **others: Any):
    info: dict[str, Any] = {"date": "2022-10-01"}
    if asked is not None:
        info["n_sollicites"] = {"ensemble": asked}
    return make_dossier(enquetes={"ENQ-ASSO": frame}, enquetes_import={"ENQ-ASSO": {**info, **others}})


# --- cases that an eye can check ------------------------------------------------------------------------------------


def _case(case: dict[str, Any]):
    asked = dict(case["question"])
    kind, choices, link = asked.pop("type"), asked.pop("choix", ""), asked.pop("lien", None)
    links = [{"code": CODE, **link}] if link else []
    questions = [survey_question("A01", kind, choices, indicateurs=links, **asked)]
    cells = case.get("reponses") or [c for c, n in case["effectifs"].items() for _ in range(n)]
    columns: dict[str, list[Any]] = {"A01": cells}
    if "posee_si" in case:
        ((before, value),) = case["posee_si"].items()
        questions[0]["posee_si"] = {"tous": [{"fait": before, "egal": value}]}
        questions.insert(0, survey_question(before, "choix_unique", "oui non"))
        columns = {before: case["avant"], **columns}
    part = {"seuil": case["seuil"]} if "seuil" in case else {}
    weights = {"poids": case["poids"]} if "poids" in case else {}
    referentiel = framework(questions, case.get("formule", "part"), **part)
    return referentiel, dossier_of(make_answers(columns, **weights), case.get("sollicites"))


@pytest.mark.parametrize("case", [c for kind, _, c in load_cases() if kind == "enquetes"], ids=lambda c: c["nom"])
def test_case(case: dict[str, Any]) -> None:
    """The rule said by the case holds."""
    referentiel, dossier = _case(case)
    found = compute_surveys(referentiel, dossier)
    item = found["items"][-1]
    parts = {row["choix"]: row["part"] for row in found["reponses"] if row["question"] == "A01"}
    for key, expected in case["attendu"].items():
        if key == "parts":
            assert set(expected) <= set(parts)
            for code, share in expected.items():
                check(parts[code], share, code)
        elif key == "indicateur":
            (row,) = survey_indicators(referentiel, dossier)
            for name, value in expected.items():
                check(row[name], value, name)
        elif key == "publie":
            _check_published(case, referentiel, dossier, expected)
        elif key == "n_efficace":
            check(found["enquetes"][0][key], expected, key)
        else:
            check(item[key], expected, key)


def _check_published(case: dict[str, Any], referentiel: Any, dossier: Any, expected: dict[str, Any]) -> None:
    tables = evaluate(referentiel, dossier).tables()
    masked, _ = mask_surveys(tables, Rules(referentiel.regles), referentiel, announced=case.get("annonce", False))
    item = masked["items"].to_dict("records")[-1]
    found = {**item, "n": masked["enquetes"]["n_reponses"].iloc[0], "item": item["statut"]}
    found["enquete"] = masked["enquetes"]["statut"].iloc[0]
    parts = masked["reponses"].set_index("choix")["part"].to_dict()
    for key, value in expected.items():
        if key == "parts":
            for code, share in value.items():
                check(parts[code], share, code)
        else:
            check(found[key], value, key)
    again, _ = mask_surveys(masked, Rules(referentiel.regles), referentiel, announced=case.get("annonce", False))
    for name, table in masked.items():
        pd.testing.assert_frame_equal(table, again[name])


# --- intervals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "n"), [(0, 11), (1, 11), (7, 30), (15, 30), (30, 30), (400, 1000)])
def test_wilson_is_scipy_s(k: int, n: int) -> None:
    ours, theirs = wilson(k / n, n, 0.95), binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low * 100, theirs.high * 100))


def test_finite_population_by_hand() -> None:
    """50 of 100: worth 50 × 99 / 50 = 99 draws; 20 of 30: worth 20 × 29 / 10 = 58."""
    assert corrected_size(50, 100) == 99
    assert corrected_size(20, 30) == pytest.approx(58)
    census = interval_for("recensement", 0.5, 20, 20, 30, math.nan, 0.95)
    theirs = binomtest(29, 58).proportion_ci(0.95, method="wilson")
    assert (census.low, census.high) == pytest.approx((theirs.low * 100, theirs.high * 100))


def test_interval_only_where_the_collection_allows_it() -> None:
    """Open: never; census answered by all, or whose size is unknown: none; random draw of unknown population: no correction."""
    for arguments in (("ouvert", 100), ("recensement", 20), ("recensement", math.nan)):
        bounds = interval_for(arguments[0], 0.5, 20, 20, arguments[1], 1000, 0.95)
        assert math.isnan(bounds.low)
        assert math.isnan(bounds.high)
    assert interval_for("aleatoire", 0.5, 20, 20, 40, math.nan, 0.95) == wilson(0.5, 20, 0.95)
    corrected = interval_for("aleatoire", 0.5, 20, 20, 40, 100, 0.95)
    assert corrected == wilson(0.5, 20 * 99 / 80, 0.95)


def test_effective_number_by_hand() -> None:
    assert effective_size([2, 1, 1]) == pytest.approx(16 / 6)
    assert effective_size([]) == 0


# --- indicators and evaluation --------------------------------------------------------------------------------------


def test_survey_value_replaces_the_missing_one() -> None:
    link = [{"code": CODE, "calcul": "part", "favorables": ["4", "5"]}]
    referentiel = framework([survey_question("A01", indicateurs=link)], "part_favorable")
    absent = evaluate(referentiel, make_dossier()).indicateurs
    assert absent.loc[absent["indicateur"] == CODE, "explication"].tolist() == [SURVEY_ABSENT]
    dossier = dossier_of(make_answers({"A01": ["4"] * 9 + ["1"] * 3}), 24)
    evaluation = evaluate(referentiel, dossier)
    (row,) = evaluation.indicateurs[evaluation.indicateurs["indicateur"] == CODE].to_dict("records")
    assert (row["valeur"], row["numerateur"], row["denominateur"], row["groupe"]) == (75, 9, 12, "association")
    assert row["source"] == "ENQ-ASSO · A01"
    assert "si les non-répondants ressemblaient aux répondants" in row["explication"]
    assert "enquete" in evaluation.solidite.set_index("sous_question").loc["Q1.1", "sources"]


def test_battery_is_the_mean_of_all_its_answers() -> None:
    """Two notes by one, one by the other: (5 + 4 + 2) / 3, standing on the smaller number of answers."""
    link = [{"code": CODE, "calcul": "moyenne"}]
    questions = [survey_question("A01", indicateurs=link), survey_question("A02", indicateurs=link)]
    referentiel = framework(questions, "moyenne", "nombre")
    (row,) = survey_indicators(referentiel, dossier_of(make_answers({"A01": ["5", "4"], "A02": ["2", "nsp"]})))
    assert (row["valeur"], row["numerateur"], row["denominateur"], row["n"]) == (11 / 3, 11, 3, 1)
    assert row["source"] == "ENQ-ASSO · A01, A02"


def test_ratio_of_numbers_over_those_who_gave_both() -> None:
    questions = [
        survey_question("A01", "nombre", indicateurs=[{"code": CODE, "calcul": "rapport", "role": "les_deux"}]),
        survey_question("A02", "nombre", indicateurs=[{"code": CODE, "calcul": "rapport", "role": "denominateur"}]),
    ]
    (row,) = survey_indicators(
        framework(questions), dossier_of(make_answers({"A01": [1.0, 2.0, 50.0], "A02": [3.0, 4.0, None]}))
    )
    assert (row["valeur"], row["numerateur"], row["denominateur"], row["n"]) == (30, 3, 10, 2)


def test_distribution_gives_one_row_per_answer_even_unused() -> None:
    link = [{"code": CODE, "calcul": "distribution"}]
    referentiel = framework([survey_question("A01", "choix_multiple", "a b c", indicateurs=link)], "categorie")
    rows = survey_indicators(referentiel, dossier_of(make_answers({"A01": ["a;b", "a"]})))
    assert [(row["modalite"], row["valeur"], row["denominateur"]) for row in rows] == [
        ("a", 100, 2),
        ("b", 50, 2),
        ("c", 0, 2),
    ]


def test_two_questionnaires_are_never_pooled() -> None:
    link = [{"code": CODE, "calcul": "part", "favorables": ["4", "5"]}]
    base = framework([survey_question("A01", indicateurs=link)], "part_favorable")
    second = make_enquete([survey_question("C01", indicateurs=link)], "ENQ-COM", groupe="commune")
    referentiel = make_referentiel(
        [base.modules[0].questions[0].model_dump(mode="json", exclude_none=True)],
        [make_enquete([survey_question("A01", indicateurs=link)]), second],
    )
    dossier = make_dossier(
        enquetes={"ENQ-ASSO": make_answers({"A01": ["5", "5"]}), "ENQ-COM": make_answers({"C01": ["1", "5"]})}
    )
    rows = survey_indicators(referentiel, dossier)
    assert [(row["groupe"], row["valeur"]) for row in rows] == [("association", 100), ("commune", 50)]


def test_an_undeclared_answer_is_refused_without_being_told() -> None:
    referentiel = framework([survey_question("A01", "choix_unique", "oui non")])
    with pytest.raises(ValueError, match="A01") as caught:
        compute_surveys(referentiel, dossier_of(make_answers({"A01": ["oui", "Dupont"]})))
    assert "Dupont" not in str(caught.value)


# --- properties -----------------------------------------------------------------------------------------------------

CELLS = st.lists(st.sampled_from([*LIKERT, "refus", None]), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(CELLS, st.randoms(use_true_random=False))
def test_shares_sum_to_100_and_silences_stay_out(cells: list[Any], random: Any) -> None:
    referentiel = framework([survey_question("A01")])
    frame = make_answers({"A01": cells}, poids=[1 + (i % 3) / 7 for i in range(len(cells))]).astype({"A01": "str"})
    found = compute_surveys(referentiel, dossier_of(frame))
    (item,) = found["items"]
    expressed = [c for c in cells if c in set("12345")]
    assert item["n_exprimes"] == len(expressed)
    kinds = ("ne_sait_pas", "refus", "non_concerne", "non_repondu")
    assert item["n_concernes"] == len(cells) == len(expressed) + sum(item[f"n_{kind}"] for kind in kinds)
    assert [row["choix"] for row in found["reponses"]] == list("12345")
    if expressed:
        assert sum(row["part"] for row in found["reponses"]) == pytest.approx(100)
    order = list(range(len(cells)))
    random.shuffle(order)
    shuffled = compute_surveys(referentiel, dossier_of(frame.iloc[order].reset_index(drop=True)))
    for name, rows in found.items():
        pd.testing.assert_frame_equal(pd.DataFrame(rows), pd.DataFrame(shuffled[name]), check_exact=True)


# --- charts and section ---------------------------------------------------------------------------------------------


def publication(n: int = 20, **part: Any):
    link = [{"code": CODE, "calcul": "part", "favorables": ["4", "5"]}]
    questions = [
        survey_question("A01", indicateurs=link),
        survey_question("A02", "choix_unique", "oui non nsp"),
        survey_question("A03", "nombre", unite="jours"),
        survey_question("A04", "choix_unique", "oui non", donnee_sensible="oui"),
        survey_question("A05", "texte", donnee_sensible="indirect"),
    ]
    levels = ["1", "2", "4", "4", "5", "nsp", None, "4", "5", "5"]
    columns = {
        "A01": [levels[i % 10] for i in range(n)],
        "A02": [("oui", "non", "nsp")[i % 3] for i in range(n)],
        "A03": [float(i) for i in range(n)],
        "A04": ["oui"] * n,
        "A05": ["mon secret à moi"] * n,
    }
    referentiel = framework(questions, "part_favorable", **part)
    dossier = dossier_of(make_answers(columns), 40)
    return protect(evaluate(referentiel, dossier), referentiel.regles)


def test_likert_chart_says_n_silences_and_unused_levels() -> None:
    shown = publication()
    (family,) = likert_families(read_items(shown))
    chart = draw_likert(shown, family, "essai", "Essai")
    assert chart is not None
    (row,) = chart.donnees.to_dict("records")
    assert (row["n"], row["3"], row["5"]) == ("16", "0\u202f%", "38\u202f%")
    assert "ne sait pas" in row["Silences"]
    assert "n = 16" in chart.alt
    assert draw_likert(shown, family, "essai", "Essai").png == chart.png


def test_secret_item_is_written_so() -> None:
    shown = publication(9)
    (family,) = likert_families(read_items(shown))
    chart = draw_likert(shown, family, "essai", "Essai")
    assert chart is not None
    assert chart.donnees["5"].tolist() == ["secret (n\xa0=\xa07)"]
    assert draw_choices(shown, read_items(shown)[1]) is None


def test_charts_refuse_an_evaluation() -> None:
    referentiel = framework([survey_question("A01")])
    evaluation = evaluate(referentiel, dossier_of(make_answers({"A01": ["1"]})))
    with pytest.raises(TypeError):
        read_items(evaluation)  # type: ignore[arg-type]


@given(st.lists(st.floats(2.3, 5.2), min_size=1, max_size=5))
def test_outside_labels_never_overlap(places: list[float]) -> None:
    labels = [(x, "12") for x in sorted(places)]
    put = spread(labels)
    for (_, left, _), (_, right, _) in pairwise(put):
        assert right - left >= text_width("12") - 1e-9


def test_section_says_who_what_and_the_limits() -> None:
    page = show_surveys(publication())
    assert "Base fragile" in page
    assert "50\u202f%" in page  # response rate
    assert "si les non-répondants ressemblaient aux répondants" in page
    assert "mon secret à moi" not in page
    assert page.index("Questions sensibles") > page.index("A02")
    assert "0\u202f% ni" not in page.split("Questions sensibles")[0]


def test_open_survey_claims_nothing_more() -> None:
    shown = publication(collecte="ouvert", groupe=None)
    assert shown.reponses["borne_basse"].isna().all()
    assert "ni marge d’erreur" in show_surveys(shown)


def test_no_survey_no_section() -> None:
    referentiel = make_referentiel()
    empty = protect(evaluate(referentiel, make_dossier()), referentiel.regles)
    assert show_surveys(empty) == ""
    assert conduct_sentence(empty) == "Aucune enquête importée."
    assert "1 questionnaire a été importé" in conduct_sentence(publication())


# --- the five questionnaires ----------------------------------------------------------------------------------------


def test_five_questionnaires_give_their_indicators() -> None:
    """Invented answers to every question of every questionnaire: computed, masked, shown."""
    referentiel = load_referentiel()
    random = np.random.default_rng(3)
    frames = {enquete.code: _invented(enquete, random, 30) for enquete in referentiel.enquetes}
    asked = {e.code: {"n_sollicites": {p.code: 60 for p in e.parties}} for e in referentiel.enquetes}
    campaign = make_campagne(modules=())
    dossier = make_dossier(enquetes=frames, enquetes_import=asked, campagne=campaign)
    evaluation = evaluate(referentiel, dossier)
    assert len(evaluation.items) == sum(len(e.questions) for e in referentiel.enquetes)
    values = evaluation.indicateurs
    values = values[(values["obtention"] == "enquete") & (values["statut"] == "ok")]
    shares = values[values["unite"] == "pourcent"]["valeur"]
    assert shares.between(0, 100).all()
    assert set(values["groupe"].dropna()) <= set(referentiel.groupes_par_code)
    single = evaluation.reponses.merge(evaluation.items[["enquete", "question", "type", "n_exprimes"]])
    single = single[single["type"].isin(["choix_unique", "likert"]) & (single["n_exprimes"] > 0)]
    assert np.allclose(single.groupby(["enquete", "question"])["part"].sum(), 100)


def _invented(enquete: Any, random: np.random.Generator, n: int) -> pd.DataFrame:
    rows = []
    for rank in range(n * len(enquete.parties)):
        part = enquete.parties[rank % len(enquete.parties)].code
        row: dict[str, Any] = {"ligne": rank + 1, "partie": part, "poids": 1.0}
        for question in enquete.questions:
            codes = [choice.code for choice in question.choix if not choice.liste]
            cell: Any = None
            if question.partie == part and question.type in ("choix_unique", "likert", "choix_multiple"):
                cell = str(random.choice(codes))
            elif question.partie == part and question.type == "nombre":
                cell = float(random.integers(0, 20))
            row[question.code] = cell
        rows.append(row)
    return pd.DataFrame(rows)


# --- triangulation --------------------------------------------------------------------------------------------------


def test_page_of_the_triangulation_is_up_to_date() -> None:
    page = (ROOT / "docs/comprendre/triangulation.md").read_text(encoding="utf-8")
    written = page[page.index(START) : page.index(END) + len(END)]
    assert written == triangulation_tables(load_referentiel()), "récrivez les tableaux de la page"


@pytest.mark.parametrize(("groups", "size", "shift"), [(2, 5, 0.0), (3, 8, 1.0), (4, 15, 1.5), (2, 40, 2.0)])
def test_exact_probability_agrees_with_draws(groups: int, size: int, shift: float) -> None:
    rules = Rules(make_referentiel().regles).triangulation(published=True)
    exact = detection((size,) * groups, rules.distribution, shift, rules.gap, rules.low_median_under)
    draws = 20_000
    seen = simulate(size, groups, shift, rules, draws)
    assert abs(seen - exact) < 4 * math.sqrt(max(exact * (1 - exact), 1 / draws) / draws)


def test_no_shift_is_a_false_alarm() -> None:
    law = (0.05, 0.15, 0.3, 0.3, 0.15, 0.05)
    assert detection((5, 8), law, 0.0, 1, 11) == pytest.approx(false_alarm((5, 8), law, 1, 11))
    assert sum(shift_distribution(law, 1.5)) == pytest.approx(1)


# --- consensus sheets -----------------------------------------------------------------------------------------------


def test_one_consensus_sheet_per_subject_to_discuss(tmp_path: Path) -> None:
    from evalkit.report.consensus import NOTHING_TO_DISCUSS, render_consensus, show_consensus
    from tests.fabrique import make_evaluation, sample_dossier

    referentiel = make_referentiel()
    shown = protect(make_evaluation(sample_dossier(), referentiel), referentiel.regles)
    frame = shown.triangulation
    wanted = frame[(frame["statut"] == "ecart_a_debattre") | frame["partages"].notna()]
    page = render_consensus(shown)
    assert page.count('class="feuille"') == len(wanted) > 0
    first = wanted.sort_values("ordre")["sous_question"].iloc[0]
    assert page.index(f"{first} — ") == min(page.index(f"{code} — ") for code in wanted["sous_question"])
    assert all(text in page for text in ("Descripteur du niveau 5", "Preuve", "Instance", "DONNÉES FICTIVES", "☐"))
    assert "<script" not in page
    assert "http:" not in page
    assert render_consensus(shown) == page
    empty = protect(evaluate(referentiel, make_dossier()), referentiel.regles)
    assert NOTHING_TO_DISCUSS.split(" ")[0] in show_consensus(empty)
    with pytest.raises(TypeError):
        show_consensus(make_evaluation())  # type: ignore[arg-type]


def test_consensus_sheets_are_written(tmp_path: Path) -> None:
    from evalkit.actions import write_consensus_sheets

    page = write_consensus_sheets(ROOT / "sample_data/2022/ardelle", tmp_path / "feuilles" / "c.html")
    assert "Feuilles de consensus" in page.read_text(encoding="utf-8")


def test_synthesis_compares_a_survey_with_the_same_survey_only() -> None:
    """Associations here, communes there: two rows of the synthesis, never one distribution."""
    from evalkit.compute.synthesis import protect_synthesis, synthesize
    from tests.fabrique import make_territory

    link = [{"code": CODE, "calcul": "part", "favorables": ["4", "5"]}]
    indicator = make_indicator(CODE, "part_favorable", obtention=["enquete"], collecte=["ENQ-COM"])
    surveys = [
        make_enquete([survey_question("A01", indicateurs=link)]),
        make_enquete([survey_question("C01", indicateurs=link)], "ENQ-COM", groupe="commune"),
    ]
    referentiel = make_referentiel([make_question("Q1", [make_sub_question("Q1.1", [indicator])])], surveys)
    frames = {"ENQ-ASSO": make_answers({"A01": ["5"] * 20 + ["1"] * 20}), "ENQ-COM": make_answers({"C01": ["5"] * 40})}
    evaluations = [
        evaluate(referentiel, make_dossier(territoire=make_territory(f"{code.lower()}-{rank}"), enquetes={code: frame}))
        for code, frame in frames.items()
        for rank in range(6)
    ]
    synthese = synthesize(referentiel, make_campagne(), evaluations)
    table = protect_synthesis(synthese, referentiel.regles).tables["indicateurs"]
    ways = {row["obtention"]: row["mediane"] for row in table.to_dict("records") if row["n_territoires"]}
    assert ways == {"enquete ENQ-ASSO": 50, "enquete ENQ-COM": 100}
