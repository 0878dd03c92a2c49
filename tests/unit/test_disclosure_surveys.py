"""Surveys protected together, on the real questionnaires with counts chosen by hand."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from evalkit.compute.disclosure import protect
from evalkit.compute.disclosure_surveys import merged_codes, protect_surveys
from evalkit.compute.evaluation import evaluate
from evalkit.compute.rules import Rules
from evalkit.loaders.referentiel import load_referentiel
from tests.attaque.reponses_inventees import invented_surveys
from tests.fabrique import make_dossier

REFERENTIEL = load_referentiel()
RULES = Rules(REFERENTIEL.regles)


def housing(l08: dict[str, int], **others: list[str]) -> pd.DataFrame:
    """Answers of residents: all looked for a home; ``l08`` counts answers; those who say yes give ``visite`` to L09."""
    rows = [
        {"L06": "oui_parc_prive", "L08": code, "L09": "visite" if code.startswith("oui") else None}
        for code, count in l08.items()
        for _ in range(count)
    ]
    for rank, row in enumerate(rows, start=1):
        row |= {"ligne": rank, "partie": "ensemble", "poids": 1.0}
        row |= {code: values[rank - 1] for code, values in others.items()}
    questions = [q.code for e in REFERENTIEL.enquetes if e.code == "ENQ-LOG" for q in e.questions]
    frame = pd.DataFrame(rows, columns=["ligne", "partie", "poids", *questions])
    return frame.astype({"ligne": "int", "partie": "str", "poids": "float", **dict.fromkeys(questions, "str")})


def publish(frame: pd.DataFrame, enquete: str = "ENQ-LOG"):
    evaluation = evaluate(REFERENTIEL, make_dossier({}, enquetes={enquete: frame}))
    return evaluation, protect(evaluation, REFERENTIEL.regles)


def answers(publication, question: str) -> dict[str, float | None]:
    rows = publication.reponses[publication.reponses["question"] == question]
    return {r["choix"]: None if r["n"] != r["n"] else r["n"] for r in rows.to_dict("records")}


def test_a_hidden_filter_withdraws_the_questions_that_follow():
    """Seven persons said yes: « asked to seven persons » would say so, whatever is hidden of L08."""
    _, publication = publish(housing({"non_jamais": 40, "oui_une_fois": 4, "oui_plusieurs_fois": 3}))
    assert answers(publication, "L08")["oui_une_fois"] is None
    assert "L09" not in set(publication.items["question"])
    assert "L09" not in set(publication.reponses["question"])
    assert "ENQ-LOG · L09 · question retirée" in set(publication.masques["cle"])


def test_a_shown_filter_keeps_the_questions_that_follow():
    _, publication = publish(housing({"non_jamais": 40, "oui_une_fois": 24, "oui_plusieurs_fois": 23}))
    assert answers(publication, "L08") == {"non_jamais": 40, "oui_une_fois": 24, "oui_plusieurs_fois": 23}
    assert "L09" in set(publication.items["question"])


def test_one_hidden_answer_takes_a_second_with_it():
    """Three « plusieurs fois » under a total of 67: the smallest other answer goes too, and what counts both is withdrawn."""
    _, publication = publish(housing({"non_jamais": 40, "oui_une_fois": 24, "oui_plusieurs_fois": 3}))
    assert answers(publication, "L08") == {"non_jamais": 40, "oui_une_fois": None, "oui_plusieurs_fois": None}
    lines = publication.masques[publication.masques["cle"].str.startswith("ENQ-LOG · L08")]
    assert dict(zip(lines["cle"], lines["raison"], strict=True)) == {
        "ENQ-LOG · L08 · oui_une_fois": "seuil_cellule",
        "ENQ-LOG · L08 · oui_plusieurs_fois": "seuil_cellule",
    }, "telling which one is small would give it back"


def test_the_share_and_its_interval_go_with_the_count():
    _, publication = publish(housing({"non_jamais": 40, "oui_une_fois": 24, "oui_plusieurs_fois": 3}))
    hidden = publication.reponses[publication.reponses["statut"] == "secret"]
    assert not hidden.empty
    assert hidden[["n", "part", "borne_basse", "borne_haute"]].isna().all().all()
    shown = publication.reponses[publication.reponses["statut"].isin(["ok", "base_fragile"])]
    assert (shown["n"] == shown["n"].round()).all()


def councillors(confidence: dict[str, int]) -> pd.DataFrame:
    codes = [code for code, count in confidence.items() for _ in range(count)]
    questions = [q.code for e in REFERENTIEL.enquetes if e.code == "ENQ-CC" for q in e.questions]
    rows = [{"ligne": i, "partie": "individuel", "poids": 1.0, "K26": code} for i, code in enumerate(codes, start=1)]
    frame = pd.DataFrame(rows, columns=["ligne", "partie", "poids", *questions])
    return frame.astype({"ligne": "int", "partie": "str", "poids": "float", **dict.fromkeys(questions, "str")})


def test_neighbouring_levels_are_put_together_before_anything_is_hidden():
    """« En hausse » 4 and « stable » 20 make one row; the balance, which would separate them again, is hidden."""
    evaluation, publication = publish(councillors({"en_hausse": 4, "stable": 20, "en_baisse": 30}), "ENQ-CC")
    assert answers(publication, "K26") == {"en_hausse+stable": 24, "en_baisse": 30}
    assert merged_codes("en_hausse+stable") == ("en_hausse", "stable")
    mine = evaluation.indicateurs["source"].astype(str).str.contains("K26")
    assert (evaluation.indicateurs.loc[mine, "statut"] == "ok").any()
    shown = publication.indicateurs
    assert not (shown.loc[shown["source"].astype(str).str.contains("K26"), "statut"] == "ok").any()
    assert "ENQ-CC · individuel · K26 · niveaux regroupés" in set(publication.masques["cle"])


@pytest.fixture(scope="module", params=[0, 1])
def both(request):
    evaluation = evaluate(REFERENTIEL, make_dossier({}, enquetes=invented_surveys(REFERENTIEL, request.param)))
    return evaluation, protect(evaluation, REFERENTIEL.regles)


def test_numbers_of_answers_are_never_hidden(both):
    """Every question that is printed keeps its numbers; every questionnaire is there."""
    evaluation, publication = both
    assert publication.enquetes["n_reponses"].tolist() == evaluation.enquetes["n_reponses"].tolist()
    keys = ["enquete", "partie", "question"]
    counts = [*keys, "n_concernes", "n_exprimes"]
    merged = publication.items[counts].merge(evaluation.items[counts], on=keys, suffixes=("", "_vrai"))
    assert len(merged) == len(publication.items)
    assert (merged["n_exprimes"] == merged["n_exprimes_vrai"]).all()
    assert (merged["n_concernes"] == merged["n_concernes_vrai"]).all()


def test_protecting_twice_is_protecting_once(both):
    _, publication = both
    tables, _ = protect_surveys(publication.tables(), RULES, REFERENTIEL)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, publication.tables()[name], obj=name)


def test_what_is_hidden_is_said_and_is_not_zero(both):
    _, publication = both
    hidden = publication.reponses[publication.reponses["statut"] == "secret"]
    assert len(hidden) > 50
    assert hidden[["n", "part"]].isna().all().all()
    assert not publication.masques["cle"].str.contains(r"\d{2,} sur ").any()


def test_order_of_answers_changes_nothing():
    surveys = invented_surveys(REFERENTIEL, 1)
    turned = {code: frame.iloc[::-1].reset_index(drop=True) for code, frame in surveys.items()}
    dossier = make_dossier({}, enquetes=surveys)
    first = protect(evaluate(REFERENTIEL, dossier), REFERENTIEL.regles)
    second = protect(evaluate(REFERENTIEL, replace(dossier, enquetes=turned)), REFERENTIEL.regles)
    for name in ("items", "reponses", "indicateurs", "masques"):
        pd.testing.assert_frame_equal(first.tables()[name], second.tables()[name], obj=name)


def test_weights_do_not_open_what_is_hidden():
    """Shares follow the weights, secrecy follows persons."""
    frame = housing({"non_jamais": 40, "oui_une_fois": 24, "oui_plusieurs_fois": 3})
    frame["poids"] = [2.0 if rank % 2 else 0.5 for rank in range(len(frame))]
    _, publication = publish(frame)
    assert answers(publication, "L08")["oui_plusieurs_fois"] is None
    assert sum(value is None for value in answers(publication, "L08").values()) >= 2
