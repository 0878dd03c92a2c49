"""Conditions, exact laws, the programme of actions, the confidentiality door, syntheses."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from evalkit.compute.conditions import evaluate_condition
from evalkit.compute.disclosure import protect
from evalkit.compute.evaluation import evaluate
from evalkit.compute.maturity import lower_median, ordinary_median
from evalkit.compute.results import COLUMNS, SYNTHESIS_COLUMNS, Evaluation, Publication
from evalkit.compute.synthesis import freeze, protect_synthesis, synthesize
from evalkit.compute.triangulation import false_alarm, median_law
from evalkit.model.base import Condition
from evalkit.model.territory import Qpv
from tests.fabrique import (
    RULES,
    action,
    make_campagne,
    make_dossier,
    make_evaluation,
    make_indicator,
    make_publication,
    make_question,
    make_referentiel,
    make_sub_question,
    make_territory,
    ratings,
    sample_dossier,
    settled,
)

LAW = RULES["fausses_alertes_distribution"]


@pytest.mark.parametrize(
    ("condition", "facts", "expected"),
    [
        ({"tous": [{"fait": "npnru", "egal": True}]}, {"npnru": True}, True),
        ({"tous": [{"fait": "npnru", "egal": True}]}, {"npnru": 1}, False),
        ({"tous": [{"fait": "npnru", "egal": True}]}, {"npnru": "oui"}, True),
        ({"tous": [{"fait": "npnru", "egal": True}]}, {}, None),
        ({"tous": [{"fait": "a", "egal": 1}, {"fait": "b", "egal": 1}]}, {"a": 2}, False),
        ({"un_de": [{"fait": "a", "egal": 1}, {"fait": "b", "egal": 1}]}, {"a": 1}, True),
        ({"un_de": [{"fait": "a", "egal": 1}, {"fait": "b", "egal": 1}]}, {"a": 2}, None),
        ({"tous": [{"fait": "nb_communes", "superieur_ou_egal": 3}]}, {"nb_communes": 3}, True),
        ({"tous": [{"fait": "nb_communes", "superieur": 3}]}, {"nb_communes": 3}, False),
        ({"tous": [{"fait": "type", "parmi": ["commune", "metropole"]}]}, {"type": "metropole"}, True),
        ({"tous": [{"fait": "type", "different": "commune"}]}, {}, None),
        ({"tous": [{"fait": "type", "renseigne": True}]}, {"type": float("nan")}, False),
        ({"tous": [{"fait": "type", "superieur": 3}]}, {"type": "commune"}, None),
    ],
)
def test_condition_has_three_answers(condition, facts, expected):
    """True, false, or unknown when a missing fact could change the answer."""
    assert evaluate_condition(Condition.model_validate(condition), facts).value is expected


def test_unknown_fact_keeps_the_object_and_is_reported():
    """A territory that does not say whether it has a council keeps the sub-question, and is told."""
    rule = {"tous": [{"fait": "conseil_citoyen", "egal": True}], "explication": "Pas de conseil citoyen."}
    referentiel = make_referentiel([make_question("Q1", [make_sub_question("Q1.1", applicable_si=rule)])])
    for facts, applicable, words in (
        ({}, True, "conseil_citoyen"),
        ({"conseil_citoyen": False}, False, "Pas de conseil"),
    ):
        dossier = make_dossier(territoire=make_territory(faits=facts))
        (row,) = evaluate(referentiel, dossier).niveaux.to_dict("records")
        assert row["applicable"] is applicable
        assert words in row["explication"]
    assert set(evaluate(referentiel, dossier).indicateurs["statut"]) == {"non_applicable"}


@pytest.mark.parametrize(("n", "low"), [(1, False), (4, False), (4, True), (5, False), (6, False)])
def test_median_law_equals_the_sum_over_every_possible_draw(n, low):
    """The closed form agrees with listing the six to the n draws."""
    if n > 5:
        assert sum(median_law(n, LAW, low=low)) == pytest.approx(1)
        return
    expected = [0.0] * 11
    for draw in itertools.product(range(6), repeat=n):
        median = lower_median(draw) if low else ordinary_median(draw)
        expected[int(2 * median)] += math.prod(LAW[level] for level in draw)
    assert list(median_law(n, LAW, low=low)) == pytest.approx(expected)


@pytest.mark.parametrize("sizes", [(5, 5), (5, 6, 12), (8, 12, 14, 30)])
def test_false_alarm_agrees_with_a_simulation(sizes):
    """Groups drawn from one distribution show a gap above one as often as computed."""
    generator, draws, alarms = random.Random(20221215), 20000, 0
    for _ in range(draws):
        medians = [(lower_median if n < 11 else ordinary_median)(generator.choices(range(6), LAW, k=n)) for n in sizes]
        alarms += max(medians) - min(medians) > 1
    expected = false_alarm(sizes, LAW, 1, 11)
    assert alarms / draws == pytest.approx(expected, abs=4 * math.sqrt(expected / draws))


def test_one_group_has_no_false_alarm_rate():
    """A rate needs two sampled groups."""
    assert math.isnan(false_alarm((12,), LAW, 1, 11))


def test_order_of_discussion_is_split_groups_first_then_the_size_of_the_gap():
    """A split group comes before any gap; then the largest gap; what cannot be compared comes last, ties by code."""
    apart = {"Q1.1": (3, 3), "Q1.2": (1, 3), "Q1.3": (1, 5)}
    cotations = [
        *(row for sub, (one, _) in apart.items() for row in ratings(sub, "commune", [one] * 6)),
        *(row for sub, (_, other) in apart.items() for row in ratings(sub, "partenaire", [other] * 6)),
        *ratings("Q1.4", "association", [0] * 6 + [5] * 6),
    ]
    table = make_publication(make_dossier({"cotations": cotations})).triangulation
    ordered = table.sort_values("ordre")["sous_question"].tolist()
    assert ordered == ["Q1.4", "Q1.3", "Q1.2", "Q1.1", "Q2.1", "Q2.2", "Q2.3", "Q2.4"]


@pytest.mark.parametrize(
    ("formule", "niveau", "announced", "status"),
    [
        ("part", "commune", False, "secret"),
        ("part", "commune", True, "ok"),
        ("part", "association", True, "secret"),
        ("part_favorable", "commune", True, "secret"),
    ],
)
def test_institutions_are_shown_by_name_only_when_that_was_announced(formule, niveau, announced, status):
    """Four communes: shown when it was announced to them; persons, and opinions, keep the threshold of persons."""
    indicator = make_indicator("Q1.1.a", formule, collecte=["ENQ-COM"], niveau=niveau)
    referentiel = make_referentiel([make_question("Q1", [make_sub_question("Q1.1", [indicator])])])
    rows = [{"indicateur": "Q1.1.a", "annee": 2022, "numerateur": 3, "denominateur": 4, "source": "questionnaire"}]
    campagne = make_campagne(publication_nominative_annoncee=announced)
    evaluation = evaluate(referentiel, make_dossier({"indicateurs": rows}, campagne=campagne))
    assert protect(evaluation, referentiel.regles).indicateurs["statut"].tolist() == [status]


def _from_actions(rule, rows, formule="part", **changes):
    indicator = make_indicator("Q1.1.a", formule, obtention=["actions"], actions=rule, collecte=["BASE-ACT"], **changes)
    referentiel = make_referentiel([make_question("Q1", [make_sub_question("Q1.1", [indicator])])])
    evaluation = evaluate(referentiel, make_dossier({"actions": rows}))
    return evaluation.indicateurs.iloc[0], protect(evaluation, referentiel.regles).indicateurs.iloc[0]


REPORTED = {"type": "part", "numerateur_si": {"tous": [{"fait": "bilan_recu", "egal": "oui"}]}}


def test_actions_that_do_not_tell_are_left_aside():
    """Two reports out of three known answers: the action without an answer counts nowhere, and it is said."""
    answers = ["oui", "oui", "non", None]
    rows = [action(f"A{i}", f"P{i}", "emploi", 10.0, bilan_recu=answer) for i, answer in enumerate(answers)]
    row, _ = _from_actions(REPORTED, rows)
    assert (row["numerateur"], row["denominateur"], row["n"]) == (2, 3, 3)
    assert row["valeur"] == pytest.approx(200 / 3)
    assert "1 action laissée de côté" in row["explication"]


def test_median_delay_in_days():
    """Median of the delays of the actions that have both dates; a missing date is not a delay of zero."""
    dates = [("2022-01-01", "2022-01-11"), ("2022-01-01", "2022-01-31"), ("2022-01-01", None)]
    rows = [
        action(f"A{i}", f"P{i}", "emploi", 1.0, date_notification=start, date_versement=end)
        for i, (start, end) in enumerate(dates)
    ]
    rule = {"type": "mediane_jours", "debut": "date_notification", "fin": "date_versement"}
    row, _ = _from_actions(rule, rows, "mediane", unite="jours")
    assert (row["valeur"], row["n"]) == (20, 2)


def test_leverage_is_a_ratio_of_sums():
    """Other funders' euros for one euro of the programme, over actions that give both."""
    rows = [action(f"A{i}", f"P{i}", "emploi", 100.0, montant_epci=50.0) for i in range(4)]
    rule = {"type": "ratio", "somme": ["montant_epci"], "rapporte_a": ["montant_p147"]}
    row, shown = _from_actions(rule, rows, "ratio")
    assert row["valeur"] == shown["valeur"] == 0.5


def test_indicator_on_amounts_of_two_holders_is_secret():
    """What the table of the programme hides does not come back through an indicator."""
    rows = [action(f"A{i}", f"P{i % 2}", "emploi", 100.0, montant_epci=50.0) for i in range(4)]
    rule = {"type": "ratio", "somme": ["montant_epci"], "rapporte_a": ["montant_p147"]}
    row, shown = _from_actions(rule, rows, "ratio")
    assert row["valeur"] == 0.5
    assert shown["statut"] == "secret"
    assert shown[["valeur", "numerateur", "denominateur"]].isna().all()
    assert shown["n"] == 4


def test_small_number_of_beneficiaries_is_secret():
    """Three inhabitants among twelve beneficiaries: the count is masked, twelve being shown nowhere else."""
    rows = [action("A1", "P1", "emploi", 1.0, beneficiaires_qpv=3.0, beneficiaires_total=12.0)]
    rule = {"type": "somme", "somme": ["beneficiaires_qpv"]}
    row, shown = _from_actions(rule, rows, "somme", unite="nombre")
    assert row["valeur"] == 3
    assert shown["statut"] == "secret"


@pytest.mark.parametrize(
    ("residents", "everybody", "status"),
    [
        (10, 100, "secret"),  # ten residents
        (11, 100, "ok"),
        (90, 1000, "ok"),  # 9 %: a share of nine is not nine persons
        (89, 100, "ok"),
        (90, 100, "secret"),  # ten others, found by subtraction
        (0, 10, "secret"),  # ten persons in all
        (0, 100, "ok"),
        (100, 100, "ok"),
    ],
)
def test_share_of_beneficiaries_hides_small_numbers_of_persons_only(residents, everybody, status):
    """Numerator, denominator and what is left between them are numbers of persons; the share itself is not."""
    row = action("A1", "P1", "emploi", 1.0, beneficiaires_qpv=float(residents), beneficiaires_total=float(everybody))
    rule = {"type": "ratio", "somme": ["beneficiaires_qpv"], "rapporte_a": ["beneficiaires_total"]}
    _, shown = _from_actions(rule, [row])
    assert shown["statut"] == status
    assert math.isnan(shown["valeur"]) == (status == "secret")


def test_survey_keeps_its_row_until_it_is_imported():
    """A survey not imported is said, never replaced by a typed value."""
    table = make_publication().indicateurs
    row = table[(table["indicateur"] == "Q1.1.b") & (table["obtention"] == "enquete")].iloc[0]
    assert row["statut"] == "non_disponible"
    assert "non importée" in row["explication"]


def test_double_difference_without_comparison_is_not_available():
    """No value of the EPCI in the context: said, and nothing is computed from two geographies or editions."""
    indicator = make_indicator("Q1.1.a", "double_difference", obtention=["contexte"], contexte=["CTX.1"])
    referentiel = make_referentiel([make_question("Q1", [make_sub_question("Q1.1", [indicator])])])
    row = evaluate(referentiel, sample_dossier()).indicateurs.iloc[0]
    assert row["statut"] == "non_disponible"
    assert "EPCI" in row["explication"]
    assert math.isnan(row["valeur"])


def test_evaluation_and_publication_are_unrelated_types():
    """Neither is the other, and the doors refuse the wrong one."""
    assert not issubclass(Evaluation, Publication)
    assert not issubclass(Publication, Evaluation)
    publication = make_publication()
    with pytest.raises(TypeError):
        protect(publication, publication.referentiel.regles)
    with pytest.raises(TypeError):
        protect_synthesis(publication, publication.referentiel.regles)
    assert "3" not in repr(make_evaluation())


def test_every_table_has_its_declared_columns():
    """Tables keep their columns and dtypes, empty dossier included."""
    for publication in (make_publication(), make_publication(make_dossier())):
        for name, table in publication.tables().items():
            assert list(table.columns) == list(COLUMNS[name])
            assert [str(t) for t in table.dtypes] == [
                str(table.astype({c: d}).dtypes[c]) for c, (d, _) in COLUMNS[name].items()
            ]


def test_empty_dossier_invents_no_zero():
    """Nothing filled: no level, no median, no value; coverage is nothing settled out of what applies."""
    publication = make_publication(make_dossier())
    assert publication.groupes.empty
    assert publication.niveaux["niveau"].isna().all()
    assert publication.questions["mediane"].isna().all()
    assert publication.questions["couverture"].tolist() == [0, 0]
    assert publication.indicateurs["valeur"].isna().all()
    assert "ok" not in set(publication.indicateurs["statut"])
    assert publication.actions.empty


def test_quotation_of_one_person_is_not_given_to_a_group():
    """Printed when publishable; the survey it comes from is hidden under three persons."""
    base = {"question": "Q1", "publiable": "oui", "enquete": "atelier des associations"}
    rows = [{**base, "texte": "Seul.", "nb_personnes": 2}, {**base, "texte": "À plusieurs.", "nb_personnes": 3}]
    table = make_publication(make_dossier({"verbatims": rows})).verbatims.set_index("texte")
    assert table.loc["À plusieurs.", "enquete"] == "atelier des associations"
    assert table["enquete"].isna()["Seul."]


def test_previous_recommendation_without_follow_up_is_said():
    """Every recommendation of the previous campaign has a row, followed or not."""
    assert dict(make_publication().suivis[["id", "statut"]].values.tolist()) == {
        "P1": "en_cours",
        "P2": "non_renseigne",
    }


# --- syntheses ------------------------------------------------------------------------------------------------------


def _territories(count, departement="59", start=0, level=3):
    return [
        make_evaluation(
            make_dossier(
                {
                    "arbitrages": [settled("Q1.1", level)],
                    "indicateurs": [
                        {"indicateur": "Q1.1.a", "annee": 2022, "numerateur": rank, "denominateur": 20, "source": "s"}
                    ],
                },
                territoire=make_territory(f"t{departement}{rank}", f"Ville {rank}", departement=departement),
            )
        )
        for rank in range(start, start + count)
    ]


def _synthesis(evaluations, known=(), perimetre="", nominatif=False):
    referentiel = make_referentiel()
    synthese = synthesize(referentiel, make_campagne(), evaluations, (("absent", "dossier illisible"),), perimetre)
    return protect_synthesis(synthese, referentiel.regles, known, nominatif)


def _levels(publication, sub="Q1.1"):
    table = publication.tables["niveaux"]
    return table[table["sous_question"] == sub]


@pytest.mark.parametrize(("count", "status"), [(4, "secret"), (5, "ok"), (6, "ok")])
def test_distribution_over_territories_needs_five(count, status):
    """Under five territories the distribution is secret; their number stays."""
    found = _levels(_synthesis(_territories(count)))
    assert set(found["statut"]) == {status}
    assert set(found["n_territoires"]) == {count}
    assert found["n"].isna().all() == (status == "secret")


def test_quartiles_of_the_last_year_and_what_is_frozen():
    """Quartiles of 0, 5, 10, 15, 20 % over five territories; the reference holds them and nothing secret."""
    publication = _synthesis(_territories(5))
    reference = freeze(publication, "2022-12-31")
    assert reference["indicateurs"] == {"Q1.1.a|saisie": {"n": 5, "q1": 5.0, "mediane": 10.0, "q3": 15.0}}
    assert reference["niveaux"] == {"Q1.1": {"n": 5, "effectifs": [0, 0, 0, 5, 0, 0]}}
    assert reference["date"] == "2022-12-31"
    assert freeze(_synthesis(_territories(4)), "2022-12-31")["niveaux"] == {}


def test_a_synthesis_takes_the_last_year_of_each_territory():
    """Five territories went from 10 % to 50 %: the synthesis and what is frozen say 50 %."""
    rows = [
        {"indicateur": "Q1.1.a", "annee": year, "numerateur": top, "denominateur": 20, "source": "relevé"}
        for year, top in ((2022, 10), (2021, 2))
    ]
    given = [
        make_evaluation(make_dossier({"indicateurs": rows}, territoire=make_territory(f"t{i}", f"Ville {i}")))
        for i in range(5)
    ]
    table = _synthesis(given).tables["indicateurs"].set_index(["indicateur", "obtention"])
    assert table.loc[("Q1.1.a", "saisie"), ["n_territoires", "q1", "mediane", "q3"]].tolist() == [5, 50, 50, 50]


@pytest.mark.parametrize(("count", "median"), [(4, None), (5, 0.25)])
def test_median_coverage_needs_five_territories_even_when_none_has_a_level(count, median):
    """One sub-question settled out of four everywhere: no level, and the coverage of four territories stays hidden."""
    rows = _synthesis(_territories(count)).tables["questions"].query("question == 'Q1'")
    assert set(rows["n_territoires"]) == {0}
    assert rows["couverture_mediane"].isna().all() if median is None else set(rows["couverture_mediane"]) == {median}


def _with_context(rank):
    """A territory with its own neighbourhood: 1,000 inhabitants, a rate of 20 %."""
    own = Qpv(f"QF59000{rank}", f"Quartier {rank}", "2015")
    base = {"qpv": own.code, "theme": "DEMO", "indicateur": "CTX.1", "edition": "2019", "geographie": "2015"}
    rows = [
        {**base, "variable": "POP_MUN", "unite": "habitants", "valeur": 1000.0},
        {**base, "variable": "TAUX", "unite": "pourcent", "valeur": 20.0},
        {**base, "variable": "POP_MUN", "unite": "habitants", "valeur": 500.0, "edition": "2021"},
    ]
    territory = make_territory(f"t{rank}", f"Ville {rank}", qpv=(own,))
    return make_evaluation(make_dossier(territoire=territory, contexte=rows))


def test_only_additive_figures_are_summed_each_edition_apart():
    """Inhabitants of six neighbourhoods add up, edition by edition; a rate never does."""
    table = _synthesis([_with_context(rank) for rank in range(6)]).tables["contexte"]
    sums = {(row["variable"], row["edition"]): row["somme"] for row in table.to_dict("records")}
    assert sums[("POP_MUN", "2019")] == 6000
    assert sums[("POP_MUN", "2021")] == 3000
    assert math.isnan(sums[("TAUX", "2019")])
    assert table["n_qpv"].tolist() == [6, 6, 6]


def test_a_former_neighbourhood_is_not_counted_with_the_present_ones():
    """A contract of 2024 shows its 2015 neighbourhoods apart: their figures enter no count of the region."""
    now, before = Qpv("QN590001", "Présent", "2024"), Qpv("QF590001", "Ancien", "2015")
    row = {"theme": "DEMO", "indicateur": "CTX.1", "variable": "POP_MUN", "unite": "habitants", "edition": "2019"}
    contexte = [{**row, "qpv": before.code, "geographie": "2015", "valeur": 4200.0}]
    territory = make_territory(generation="2024", qpv=(now,), qpv_anciens=(before,))
    assert _synthesis([make_evaluation(make_dossier(territoire=territory, contexte=contexte))]).tables["contexte"].empty


def test_gaps_are_counted_over_territories_with_two_displayable_groups():
    """Five territories can be compared, a sixth has one group only: five are counted."""
    one = ratings("Q1.1", "commune", [1] * 6)
    both = [*one, *ratings("Q1.1", "partenaire", [4] * 6)]
    given = [
        make_evaluation(make_dossier({"cotations": rows}, territoire=make_territory(f"t{i}", f"Ville {i}")))
        for i, rows in enumerate([both] * 5 + [one])
    ]
    row = _synthesis(given).tables["ecarts"].set_index("sous_question").loc["Q1.1"]
    assert row[["n_territoires", "n_debat", "n_partage"]].tolist() == [5, 5, 0]


@pytest.mark.parametrize(("group", "sources"), [("pilote", None), ("etat", None), ("commune", "atelier")])
def test_the_position_of_an_institution_is_not_a_workshop(group, sources):
    """What pilote or État says of itself is no further source of evidence."""
    table = make_publication(make_dossier({"cotations": ratings("Q1.1", group, [3])})).solidite
    row = table.set_index("sous_question").loc["Q1.1"]
    assert (row["sources"] if sources else None) == sources
    assert row["n_sources"] == (1 if sources else 0)


def test_department_is_hidden_when_the_region_would_give_back_the_others():
    """Seven territories, five in one department: region minus department leaves two, so the department is hidden."""
    everything = [*_territories(5, "59"), *_territories(2, "62")]
    region = _synthesis(everything)
    assert set(_levels(region)["statut"]) == {"ok"}
    assert set(_levels(_synthesis(everything, [region], "59"))["statut"]) == {"secret"}
    assert set(_levels(_synthesis(everything, (), "59"))["statut"]) == {"ok"}
    department = _synthesis(everything, (), "59")
    assert set(_levels(_synthesis(everything, [department]))["statut"]) == {"secret"}


def test_departments_of_five_are_all_shown():
    """Five and five: what is left is five or nothing."""
    everything = [*_territories(5, "59"), *_territories(5, "62")]
    region = _synthesis(everything)
    first = _synthesis(everything, [region], "59")
    second = _synthesis(everything, [region, first], "62")
    assert {*_levels(first)["statut"], *_levels(second)["statut"]} == {"ok"}


def test_territories_are_alphabetical_whatever_their_order_and_their_levels():
    """No ranking: the order given and the levels change nothing."""
    publication = _synthesis(list(reversed(_territories(6, level=5))), nominatif=True)
    assert publication.tables["territoires"]["nom"].tolist() == [f"Ville {i}" for i in range(6)]
    assert publication.tables["nominatif"]["nom"].drop_duplicates().tolist() == [f"Ville {i}" for i in range(6)]
    assert _synthesis(_territories(6)).tables["nominatif"].empty
    assert publication.exclus == (("absent", "dossier illisible"),)
    assert set(publication.tables) == set(SYNTHESIS_COLUMNS)


def test_module_not_evaluated_is_not_counted():
    """A territory that evaluates another module is in the perimeter, and in no count of this one."""
    other = make_evaluation(make_dossier(territoire=make_territory("autre", "Autre", modules=("autre_module",))))
    publication = _synthesis([*_territories(5), other])
    row = _levels(publication).iloc[0]
    assert row["n_territoires"] + row["n_non_arbitre"] + row["n_non_applicable"] == 5
    assert len(publication.territoires) == 6
