"""What holds whatever the data: no silence becomes a zero, order never matters, masking twice is masking once…"""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.compute.actions import SecrecyRules, may_show, summarise_actions
from evalkit.compute.disclosure import (
    gives_a_cell,
    mask_actions,
    mask_distributions,
    mask_groups,
    mask_indicators,
    mask_verbatims,
    protect,
)
from evalkit.compute.evaluation import evaluate
from evalkit.compute.maturity import aggregate_question, lower_median
from evalkit.compute.results import as_table
from evalkit.compute.rules import Rules
from evalkit.model.dossier import SILENCES
from tests.fabrique import GROUPS, make_dossier, make_referentiel, ratings, sample_dossier, settled

REFERENTIEL = make_referentiel()
RULES = Rules(REFERENTIEL.regles)
INSTITUTIONS = ("pilote", "etat")
# No time limit per example: a busy machine is not a broken property.
settings.register_profile("sans_delai", deadline=None)
settings.load_profile("sans_delai")
few = settings(max_examples=12)

level_or_silence = st.one_of(st.integers(0, 5), st.sampled_from(sorted(SILENCES)))
group = st.sampled_from([code for code, *_ in GROUPS])
sub_question = st.sampled_from(["Q1.1", "Q1.2", "Q2.1"])
ratings_by_cell = st.dictionaries(st.tuples(sub_question, group), st.lists(level_or_silence, max_size=14), max_size=6)
settlements = st.dictionaries(st.sampled_from(sorted(REFERENTIEL.sous_questions)), level_or_silence)
action_rows = st.lists(
    st.tuples(
        st.sampled_from(["emploi", "santé", "culture", "sport"]),
        st.sampled_from([f"P{i}" for i in range(7)]),
        st.one_of(st.none(), st.integers(0, 5000)),
        st.sampled_from(["droit_commun", "specifique"]),
    ),
    max_size=24,
)


def _dossier(cells, levels=None, actions=()):
    rows = [row for (sub, name), given_levels in cells.items() for row in ratings(sub, name, given_levels)]
    programme = [
        {
            "action_id": f"A{rank}",
            "annee": 2022,
            "titre": "Action",
            "thematique": theme,
            "porteur_id": holder,
            "montant_p147": amount,
            "classement_financement": kind,
        }
        for rank, (theme, holder, amount, kind) in enumerate(actions)
    ]
    arbitrages = [settled(sub, level) for sub, level in (levels or {}).items()]
    return make_dossier({"cotations": rows, "arbitrages": arbitrages, "actions": programme})


@few
@given(ratings_by_cell, settlements)
def test_no_silence_becomes_a_zero(cells, levels):
    """Only ratings are counted as ratings; a question without a settled level has no level, not level 0."""
    evaluation = evaluate(REFERENTIEL, _dossier(cells, levels))
    for row in evaluation.groupes.to_dict("records"):
        rated = [v for v in cells[(row["sous_question"], row["groupe"])] if isinstance(v, int)]
        assert row["n"] == len(rated)
        assert row["n_silences"] == len(cells[(row["sous_question"], row["groupe"])]) - len(rated)
        assert math.isnan(row["mediane"]) == (not rated)
    for row in evaluation.niveaux.to_dict("records"):
        value = levels.get(row["sous_question"])
        assert math.isnan(row["niveau"]) if not isinstance(value, int) else row["niveau"] == value


@few
@given(ratings_by_cell, settlements, st.randoms(use_true_random=False))
def test_order_of_rows_never_matters(cells, levels, random):
    """Shuffling every table of the dossier changes nothing."""
    dossier = _dossier(cells, levels, [("emploi", f"P{i}", 100 * i, "specifique") for i in range(5)])
    shuffled = {
        name: table.sample(frac=1, random_state=random.randrange(1000)).reset_index(drop=True)
        for name, table in dossier.tables.items()
    }
    first, second = evaluate(REFERENTIEL, dossier), evaluate(REFERENTIEL, replace(dossier, tables=shuffled))
    for name, table in first.tables().items():
        pd.testing.assert_frame_equal(table, second.tables()[name], obj=name)


def test_order_of_rows_never_matters_on_the_sample():
    """The same with every table filled."""
    dossier = sample_dossier()
    turned = {name: table.iloc[::-1].reset_index(drop=True) for name, table in dossier.tables.items()}
    other = replace(
        dossier, tables=turned, contexte=dossier.contexte.iloc[::-1], precedents=dossier.precedents.iloc[::-1]
    )
    first, second = evaluate(REFERENTIEL, dossier), evaluate(REFERENTIEL, other)
    for name, table in first.tables().items():
        pd.testing.assert_frame_equal(table, second.tables()[name], obj=name)


@given(st.lists(st.integers(0, 5), max_size=12), st.integers(0, 12))
def test_level_stays_on_the_scale_and_bounds_contain_it(levels, missing):
    """0 ≤ low bound ≤ level ≤ high bound ≤ 5, and coverage is settled over applicable."""
    found = aggregate_question([float(v) for v in levels], len(levels) + missing, 0.75)
    if not levels and not missing:
        assert found.statut == "non_applicable"
        return
    assert found.couverture == len(levels) / (len(levels) + missing)
    assert 0 <= found.borne_basse <= found.borne_haute <= 5
    if found.statut == "calcule":
        assert found.borne_basse <= found.mediane <= found.borne_haute
        assert 0 <= found.minimum <= found.mediane <= 5
        assert found.couverture >= 0.75
    else:
        assert math.isnan(found.mediane)


@few
@given(ratings_by_cell, settlements, action_rows)
def test_masking_twice_is_masking_once(cells, levels, actions):
    """Every masking function leaves alone what it has already masked."""
    evaluation = evaluate(REFERENTIEL, _dossier(cells, levels, actions))
    published = protect(evaluation, REFERENTIEL.regles)
    keys = zip(published.groupes["sous_question"], published.groupes["groupe"], strict=True)
    sizes = dict(zip(keys, published.groupes["n"].tolist(), strict=True))
    again = {
        "groupes": mask_groups(published.groupes, RULES, INSTITUTIONS)[0],
        "distributions": mask_distributions(published.distributions, sizes, RULES)[0],
        "actions": mask_actions(published.actions, RULES)[0],
        "verbatims": mask_verbatims(published.verbatims)[0],
        "indicateurs": mask_indicators(published.indicateurs, published.actions, REFERENTIEL, RULES, announced=False)[
            0
        ],
    }
    for name, table in again.items():
        pd.testing.assert_frame_equal(table, published.tables()[name], obj=name)


@few
@given(ratings_by_cell)
def test_n_is_never_hidden(cells):
    """What is hidden keeps its n and its number of silences."""
    evaluation = evaluate(REFERENTIEL, _dossier(cells))
    published = protect(evaluation, REFERENTIEL.regles)
    for name in ("n", "n_silences"):
        assert published.groupes[name].tolist() == evaluation.groupes[name].tolist()
    assert published.repondants.equals(evaluation.repondants)


@few
@given(ratings_by_cell)
def test_small_groups_show_nothing_but_their_lower_median(cells):
    """Under five ratings nothing; from five to ten a lower median; the distribution from eleven."""
    evaluation = evaluate(REFERENTIEL, _dossier(cells))
    published = protect(evaluation, REFERENTIEL.regles)
    for row in published.groupes.to_dict("records"):
        own = [v for v in cells[(row["sous_question"], row["groupe"])] if isinstance(v, int)]
        if row["groupe"] not in INSTITUTIONS and 0 < row["n"] < 5:
            assert row["statut"] == "secret"
            assert math.isnan(row["mediane"])
            assert math.isnan(row["mediane_basse"])
        elif 0 < row["n"] < 11:
            assert row["mediane"] == lower_median(own)
    small = {(r["sous_question"], r["groupe"]) for r in published.groupes.to_dict("records") if r["n"] < 11}
    for row in published.distributions.to_dict("records"):
        if (row["sous_question"], row["groupe"]) in small and row["statut"] != "aucune_cotation":
            assert math.isnan(row["n"])
            assert math.isnan(row["part"])


@given(action_rows)
def test_no_hidden_amount_comes_back_by_subtraction(actions):
    """Total minus the shown themes never is one hidden theme, nor a sum that could not itself be shown."""
    rules = RULES.secrecy()
    rows = _dossier({}, None, actions).tables["actions"].to_dict("records")
    masked, _ = mask_actions(as_table("actions", summarise_actions(rows, rules)), RULES)
    amounts = {"montant_p147": "statut", "montant_total": "statut", "montant_droit_commun": "statut_droit_commun"}
    whole = next((row for row in masked.to_dict("records") if row["thematique"] == "ensemble"), None)
    if whole is None:
        return
    for column, status in amounts.items():
        shown = {row["thematique"] for row in masked.to_dict("records") if row[status] == "ok"}
        for row in masked.to_dict("records"):
            assert math.isnan(row[column]) or row[status] == "ok"
        if "ensemble" not in shown:
            continue
        left = [
            r
            for r in rows
            if r["thematique"] not in shown
            and (column != "montant_droit_commun" or r["classement_financement"] == "droit_commun")
        ]
        amounts_left = [
            (r["porteur_id"], float(r["montant_p147"])) for r in left if r["montant_p147"] == r["montant_p147"]
        ]
        assert may_show(amounts_left, rules)
        themes = {r["thematique"] for r in left if r["montant_p147"] == r["montant_p147"]}
        assert len(themes) != 1


@given(st.integers(1, 7), st.integers(0, 5))
def test_closed_form_agrees_with_every_possible_distribution(n, median):
    """``gives_a_cell`` says what listing every distribution with that n and lower median says."""
    possible = [
        c for c in _distributions(n, 6) if lower_median([i for i, k in enumerate(c) for _ in range(k)]) == median
    ]
    assert gives_a_cell(n, median) == any(len({c[level] for c in possible}) == 1 for level in range(6))


def _distributions(n, cells):
    if cells == 1:
        yield (n,)
        return
    for first in range(n + 1):
        for rest in _distributions(n - first, cells - 1):
            yield (first, *rest)


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.floats(0, 1e6)), max_size=12))
def test_amounts_shown_stand_on_three_holders_none_above_the_share(parts):
    """The rule itself, checked against its words."""
    rules = SecrecyRules(units=3, dominance=0.85, cell=11)
    totals: dict[str, float] = {}
    for holder, amount in parts:
        totals[holder] = totals.get(holder, 0.0) + amount
    whole = sum(totals.values())
    expected = not totals or (len(totals) >= 3 and (whole == 0 or max(totals.values()) <= 0.85 * whole))
    assert may_show(parts, rules) == expected
