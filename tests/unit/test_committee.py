"""The steering committee's two pages: what is retained is chosen by rule, ties by code, and fewer than three is said."""

from __future__ import annotations

import doctest
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest
from bs4 import BeautifulSoup

from evalkit import actions
from evalkit.charts.levels import read_levels
from evalkit.compute.committee import choose_for_committee
from evalkit.compute.results import Publication, as_table
from evalkit.loaders.resources import resource_dir
from evalkit.report import sections, sections_committee, sentences
from evalkit.report.sections_committee import TEXT_LIMIT, shorten
from tests.fabrique import make_evaluation, make_publication

SUBS = [f"Q{question}.{rank}" for question in (1, 2) for rank in range(1, 5)]


@lru_cache(maxsize=1)
def base() -> Publication:
    """One publication for all these tests: masking it takes seconds."""
    return make_publication()


def gap(sub: str, statut: str = "medianes_proches", n: int = 3, ecart: float = 0.0, **changes: Any) -> dict[str, Any]:
    groups = ("commune", "partenaire", "association", "conseiller_citoyen")[:n]
    return {
        "question": sub.partition(".")[0],
        "sous_question": sub,
        "n_groupes": n,
        "groupes": ";".join(groups),
        "ecart": ecart,
        "groupe_bas": groups[0],
        "groupe_haut": groups[-1],
        "statut": statut,
        "partages": None,
        "position_institution": False,
        "fausse_alerte": float("nan"),
        "effectifs_faibles": False,
        "ordre": 0,
        **changes,
    }


def finding(code: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": code,
        "question": "Q1",
        "type": "preconisation",
        "texte": f"Texte de {code}.",
        "origine": None,
        "repond_a": None,
        "responsable": "direction de la cohésion",
        "echeance": "2023-06-15",
        "statut": "valide",
        **changes,
    }


def publish(gaps: Sequence[dict[str, Any]] = (), findings: Sequence[dict[str, Any]] = ()) -> Publication:
    """A publication with these rows only; every group of every sub-question has a published median of 3."""
    medians = [
        {**dict.fromkeys(base().groupes.columns, 0), "question": sub.partition(".")[0],
         "sous_question": sub, "groupe": group, "n": 12, "mediane": 3.0, "mediane_basse": 3.0, "statut": "ok"}
        for sub in SUBS
        for group in ("commune", "partenaire", "association", "conseiller_citoyen")
    ]  # fmt: skip
    return replace(
        base(),
        niveaux=base().niveaux.assign(niveau=float("nan")),  # settled levels: only where a test says so
        groupes=as_table("groupes", medians),
        triangulation=as_table("triangulation", list(gaps)),
        constats=as_table("constats", list(findings)),
    )


def kept(rows: Sequence[dict[str, Any]], name: str = "sous_question") -> list[str]:
    return [row[name] for row in rows]


def text_of(fragment: str) -> str:
    return BeautifulSoup(fragment, "html.parser").get_text(" ").replace("\xa0", " ")


def test_doctests_of_the_pages_pass() -> None:
    assert doctest.testmod(sections_committee).failed == 0


# --- what is chosen -----------------------------------------------------------------------------------------------------


def test_agreements_are_those_most_groups_share_then_the_closest_then_by_code() -> None:
    gaps = [
        gap("Q2.2", n=4, ecart=1.0),
        gap("Q1.4", n=4, ecart=0.5),
        gap("Q1.3", n=3, ecart=0.0),
        gap("Q1.2", n=4, ecart=0.5),
        gap("Q1.1", "ecart_a_debattre", n=4, ecart=2.0),
        gap("Q2.1", "trop_peu_de_reponses", n=1),
    ]
    chosen = choose_for_committee(publish(gaps)).accords
    assert kept(chosen.rows) == ["Q1.2", "Q1.4", "Q2.2"]
    assert chosen.n_possible == 4


def test_a_split_group_is_never_an_agreement_and_is_debated_first() -> None:
    """Medians may be close while a group is torn: that is a debate."""
    gaps = [gap("Q1.1", partages="association", n=4, ordre=1), gap("Q1.2", "ecart_a_debattre", ecart=3.0, ordre=2)]
    committee = choose_for_committee(publish(gaps))
    assert committee.accords.rows == ()
    assert kept(committee.debats.rows) == ["Q1.1", "Q1.2"]


@pytest.mark.parametrize(("level", "agreed"), [(2, False), (3, True), (None, True)])
def test_a_level_settled_outside_the_medians_is_no_agreement(level: int | None, agreed: bool) -> None:
    """Every median is 3: settled at 2, nobody may call it an agreement; each group says its n."""
    publication = publish([gap("Q1.1")])
    levels = publication.niveaux.copy()
    levels.loc[levels["sous_question"] == "Q1.1", "niveau"] = float("nan") if level is None else level
    publication = replace(publication, niveaux=levels)
    assert bool(choose_for_committee(publication).accords.rows) is agreed
    said = text_of(str(sections_committee.show_committee_agreements(publication)))
    assert said.count("(n = 12)") == (3 if agreed else 0)


def test_debates_follow_the_order_of_discussion_then_the_code() -> None:
    gaps = [gap(sub, "ecart_a_debattre", ecart=2.0, ordre=rank) for sub, rank in zip(SUBS, (4, 2, 2, 1), strict=False)]
    chosen = choose_for_committee(publish(gaps)).debats
    assert kept(chosen.rows) == ["Q1.4", "Q1.2", "Q1.3"]
    assert chosen.n_possible == 4


def test_recommendations_are_open_whole_and_the_nearest_first() -> None:
    """Neither done, nor abandoned, nor without a function in charge or a date; ties by id; actions are not recommendations."""
    findings = [
        finding("P5", echeance="2023-01-10"),
        finding("P4"),
        finding("P3"),
        finding("P2", statut=None, echeance="2024-01-01"),
        finding("P1", statut="realise", echeance="2022-01-01"),
        finding("P0", statut="abandonne", echeance="2022-01-01"),
        finding("P6", responsable=None),
        finding("P7", echeance=None),
        finding("A1", type="action", echeance="2022-01-01"),
    ]
    committee = choose_for_committee(publish(findings=findings))
    assert kept(committee.preconisations.rows, "id") == ["P5", "P3", "P4"]
    assert committee.preconisations.n_possible == 4
    assert committee.n_incompletes == 2


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_rows_never_matters(seed: int) -> None:
    gaps = [gap(sub, n=3 + (rank % 2), ecart=rank % 3 / 2) for rank, sub in enumerate(SUBS)]
    findings = [finding(f"P{rank}", echeance=f"2023-0{1 + rank % 2}-01") for rank in range(6)]
    publication = publish(gaps, findings)
    shuffled = replace(
        publication,
        triangulation=publication.triangulation.sample(frac=1, random_state=seed).reset_index(drop=True),
        constats=publication.constats.sample(frac=1, random_state=seed).reset_index(drop=True),
    )
    assert repr(choose_for_committee(shuffled)) == repr(choose_for_committee(publication))


# --- what is said -------------------------------------------------------------------------------------------------------

SHOWN = [
    (sections.show_committee_agreements, lambda n: {"gaps": [gap(sub, ordre=1) for sub in SUBS[:n]]}, "accord"),
    (
        sections.show_committee_debates,
        lambda n: {"gaps": [gap(sub, "ecart_a_debattre", ecart=2.0) for sub in SUBS[:n]]},
        "point à débattre",
    ),
    (
        sections.show_committee_recommendations,
        lambda n: {"findings": [finding(f"P{rank}") for rank in range(n)]},
        "préconisation",
    ),
]


@pytest.mark.parametrize(("show", "make", "word"), SHOWN, ids=["accords", "debats", "preconisations"])
@pytest.mark.parametrize("n", range(5))
def test_fewer_than_three_is_said(show: Any, make: Any, word: str, n: int) -> None:
    fragment = show(publish(**make(n)))
    text = text_of(fragment)
    assert BeautifulSoup(fragment, "html.parser").find_all("li").__len__() == min(n, 3)
    if n == 0:
        assert text.startswith("Aucun")
    elif n < 3:
        assert "seulement." in text
    else:
        assert f"sur {n}." in text
    assert word.partition(" ")[0] in text
    assert "Choix :" in text, "la règle est dite, même quand rien n'est retenu"


def test_a_recommendation_names_a_function_and_a_date_and_says_what_is_late() -> None:
    findings = [finding("P1", echeance="2020-03-01"), finding("P2", responsable=None)]
    text = text_of(sections.show_committee_recommendations(publish(findings=findings)))
    assert "Direction de la cohésion, pour le 1er mars 2020 (échéance dépassée), validé." in text
    assert "1 préconisation ouverte sans fonction responsable ou sans échéance : à compléter." in text


def test_long_words_of_a_pilot_are_cut_in_sight_and_stay_text() -> None:
    long = "<b>Réunir</b> " + "les porteurs " * 60
    fragment = sections.show_committee_recommendations(publish(findings=[finding("P1", texte=long)]))
    assert "<b>" not in fragment
    assert "[…]" in fragment
    assert len(shorten(long, TEXT_LIMIT)) <= TEXT_LIMIT
    assert shorten("x" * 500, 50) == "x" * 46 + " […]"


def test_the_figures_are_those_that_are_published() -> None:
    """Levels, lowest levels, counts: the table of the page against the publication, cell by cell."""
    publication = base()
    page = BeautifulSoup(sections.show_committee_levels(publication), "html.parser")
    rows = [[cell.get_text() for cell in line.find_all(["th", "td"])] for line in page.find("tbody").find_all("tr")]
    assert len(rows) == len(publication.questions)
    for cells, row in zip(rows, publication.questions.itertuples(), strict=True):
        assert cells[0].startswith(f"{row.question} —")
        assert cells[3] == f"{row.n_arbitrees} sur {row.n_applicables}"
        if row.statut == "calcule":
            assert (cells[1][0], cells[2][0]) == (str(int(row.mediane)), str(int(row.minimum)))
        else:
            assert not cells[1][0].isdigit(), "pas de niveau : la raison, en mots"
    assert page.find("img")["alt"]


def test_nothing_settled_is_said_and_never_a_zero() -> None:
    publication = base()
    empty = publication.questions.assign(
        n_arbitrees=0, couverture=0.0, mediane=float("nan"), minimum=float("nan"), statut="aucun_arbitrage"
    )
    fragment = sections.show_committee_levels(replace(publication, questions=empty))
    assert "non renseignée" in fragment
    assert "<img" not in fragment


def test_only_a_publication_is_shown() -> None:
    for name in sections.__all__:
        if name.startswith("show_committee"):
            with pytest.raises(TypeError, match="Publication"):
                getattr(sections, name)(make_evaluation())


def test_a_masked_gap_cannot_be_chosen() -> None:
    """What is chosen rests on published rows only: hiding a median takes its sub-question out of the choice."""
    gaps = [gap("Q1.1", "trop_peu_de_reponses", n=1, ecart=float("nan"))]
    committee = choose_for_committee(publish(gaps))
    assert committee.accords.rows == ()
    assert committee.debats.rows == ()


# --- the scale, the surveys, what is still to settle ----------------------------------------------------------------------


def test_the_six_levels_are_named_in_one_line() -> None:
    text = text_of(sections.show_committee_levels(base()))
    steps = base().referentiel.echelle.niveaux
    line = ", ".join(f"{step.niveau} ({step.nom.lower()})" for step in steps)
    assert f"Niveaux : {line}." in text
    assert len(steps) == 6


def test_the_surveys_are_said_in_one_line_with_the_published_counts() -> None:
    """Which questionnaires, how many answers; none is said too, and what was left out is not « none »."""
    asked = text_of(sections.show_committee_asked(with_surveys()))
    line = asked.partition("Enquêtes : ")[2].partition(". ")[0]
    for n in with_surveys().enquetes["n_reponses"]:
        assert f"{n} réponse" in line
    none = replace(base(), enquetes=as_table("enquetes", []), enquetes_ecartees={})
    assert "Aucune enquête importée." in text_of(sections.show_committee_asked(none))
    left = text_of(
        sections.show_committee_asked(
            replace(with_surveys(), enquetes=none.enquetes, enquetes_ecartees={"ENQ-ASSO": ""})
        )
    )
    assert "laissée de côté" in left
    assert "Aucune enquête importée." not in left


@lru_cache(maxsize=1)
def with_surveys() -> Publication:
    """A teaching case with four questionnaires, one of them in several parts."""
    return actions.load_publication(resource_dir("sample_data") / "2022" / "ardelle")


def test_what_is_still_to_settle_is_said_with_how_many() -> None:
    """Three settled of six, 75 % asked: two more at least; the same words count the same thing wherever they are."""
    publication = base()
    lacking = publication.questions.assign(
        n_arbitrees=3, n_applicables=6, couverture=0.5, mediane=float("nan"), minimum=float("nan"),
        statut="couverture_insuffisante",
    )  # fmt: skip
    changed = replace(publication, questions=lacking)
    page = BeautifulSoup(sections.show_committee_levels(changed), "html.parser")
    assert "À arrêter" in text_of(str(page.find("tbody")))
    assert "3 sur 6" in text_of(str(page.find("tbody")))
    assert "à arrêter (2 au moins)" in text_of(page.find("img")["alt"])
    code = str(lacking["question"].iloc[0])
    assert "À arrêter en réunion : encore 2 sous-questions au moins." in text_of(sentences.brief_line(changed, code))
    none = lacking.assign(n_arbitrees=0, couverture=0.0, statut="aucun_arbitrage")
    said = text_of(sections.show_committee_levels(replace(publication, questions=none)))
    assert f"À arrêter en réunion : encore {5 * len(none)} sous-questions au moins, sur {6 * len(none)}." in said


def test_the_stamp_says_where_the_framework_comes_from_in_a_sentence_of_its_own() -> None:
    """« version 2022.1 ; Les quatre questions… »: no capital after a semicolon, there or further on."""
    said = text_of(sections.show_committee_stamp(base()))
    framework = base().referentiel
    assert f"version {framework.version}. {framework.avertissement} Empreinte des données " in said
    assert not re.search(r"; [A-ZÉÀ]", said)


def test_the_lowest_settled_level_says_that_it_is_one_sub_question() -> None:
    """« Plus bas niveau » alone could be read as the lowest of the groups, or of the territory."""
    page = BeautifulSoup(sections.show_committee_levels(base()), "html.parser")
    assert "Plus bas niveau d’une sous-question" in [cell.get_text() for cell in page.find("thead").find_all("th")]
    brief = BeautifulSoup(sections.show_brief(base()), "html.parser")
    assert "Plus bas niveau d’une sous-question" in [cell.get_text() for cell in brief.find("thead").find_all("th")]


def test_a_question_that_may_still_be_anything_has_no_bar() -> None:
    """« De 0 à 5 » is not a finding: a bar over the whole scale could be read as the highest level."""
    whole = base().questions.assign(n_arbitrees=1, statut="couverture_insuffisante", borne_basse=0.0, borne_haute=5.0)
    narrow = whole.assign(borne_basse=1.0)
    assert {row.bornes for row in read_levels(replace(base(), questions=whole))} == {None}
    assert {row.bornes for row in read_levels(replace(base(), questions=narrow))} == {(1.0, 5.0)}
