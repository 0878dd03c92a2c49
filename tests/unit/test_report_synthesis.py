"""Sections of a synthesis: distributions, counts, reasons; never a ranking."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from evalkit.compute.results import SYNTHESIS_COLUMNS, PublicationSynthese, Synthese, as_table
from evalkit.model.territory import Qpv
from evalkit.report import sections, sentences, tables
from evalkit.report.html import Html, render_notebook
from tests.fabrique import make_campagne, make_referentiel, make_territory
from tests.unit.test_report_territory import plain, run_notebook

NAMES = ("Zéphirine", "Écluse-Haute", "Arbrelle", "Montfiguier", "Belorme", "Ozeraie")
SYNTHESIS_SECTIONS = [
    name
    for name in sections.__all__
    if "synthesis" in name or name in ("show_limits", "show_perimeter", "show_typology", "show_named")
]
NAN = float("nan")


def rows_of_levels():
    """Six territories: Q1.1 settled in all, Q1.2 in three only (secret)."""
    counts = (0, 1, 2, 2, 1, 0)
    common = {"question": "Q1", "n_non_applicable": 0}
    shown = [
        {
            **common,
            "sous_question": "Q1.1",
            "niveau": level,
            "n": float(counts[level]),
            "part": counts[level] / 6 * 100,
            "n_territoires": 6,
            "n_non_arbitre": 0,
            "statut": "ok",
        }
        for level in range(6)
    ]
    hidden = [
        {
            **common,
            "sous_question": "Q1.2",
            "niveau": level,
            "n": NAN,
            "part": NAN,
            "n_territoires": 3,
            "n_non_arbitre": 3,
            "statut": "secret",
        }
        for level in range(6)
    ]
    return shown + hidden


def rows_of_questions():
    """Q1 has a level in five territories, Q2 in none."""
    out = []
    for question, counts, total in (("Q1", (0, 1, 2, 1, 1, 0), 5), ("Q2", (NAN,) * 6, 0)):
        for level in range(6):
            out.append(
                {
                    "question": question,
                    "niveau": level,
                    "n": float(counts[level]),
                    "part": counts[level] / 5 * 100 if total else NAN,
                    "n_territoires": total,
                    "n_couverture_insuffisante": 1 if total else 0,
                    "n_aucun_arbitrage": 0 if total else 6,
                    "n_non_applicable": 0,
                    "couverture_mediane": 0.75 if total else 0.0,
                    "statut": "ok" if total else "aucun_arbitrage",
                }
            )
    return out


def make_synthesis(**changes):
    """A published synthesis of six invented territories."""
    territories = tuple(make_territory(name.lower(), name) for name in NAMES)
    identity = {"departement": "59", "n_qpv": 2, "n_applicables": 8, "n_arbitrees": 4, "n_repondants": 12}
    indicator = {"question": "Q1", "sous_question": "Q1.1", "indicateur": "Q1.1.a", "obtention": "saisie"}
    figures = {"n_territoires": 6, "n_sans_valeur": 0, "q1": 60.0, "mediane": 72.0, "q3": 85.0, "statut": "ok"}
    rows = {
        "territoires": [{"territoire": name.lower(), "nom": name, **identity} for name in NAMES],
        "niveaux": rows_of_levels(),
        "questions": rows_of_questions(),
        "indicateurs": [{**indicator, "unite": "pourcent", **figures}],
        "modalites": [
            {"indicateur": "Q1.2.a", "modalite": "complet", "n": NAN, "n_territoires": 3, "statut": "secret"}
        ],
        "ecarts": [
            {
                "question": "Q1",
                "sous_question": "Q1.1",
                "n_territoires": 6,
                "n_debat": 2.0,
                "n_partage": 1.0,
                "statut": "ok",
            }
        ],
        "constats": [{"question": "Q1", "type": "frein", "n_constats": 4, "n_territoires": 3}],
        "repondants": [
            {"groupe": "association", "n_territoires": 5, "n_repondants": 60},
            {"groupe": "etat", "n_territoires": 6, "n_repondants": 6},
        ],
        "contexte": [
            {
                "indicateur": "CTX.1",
                "variable": "POP_MUN",
                "edition": "2019",
                "annee_reference": "2013",
                "geographie": "2015",
                "unite": "habitants",
                "n_qpv": 12,
                "n_valeurs": 11,
                "somme": 40200.0,
                "q1": 1500.0,
                "mediane": 2800.0,
                "q3": 4100.0,
                "source": "fichier inventé",
            }
        ],
        "typologie": [{"classe": "couverture suffisante", "n": 5.0, "statut": "ok"}],
        "nominatif": [
            {
                "territoire": name.lower(),
                "nom": name,
                "departement": "59",
                "question": "Q1",
                "mediane": float(rank % 5),
                "minimum": 0.0,
                "couverture": 1.0,
                "statut": "calcule",
            }
            for rank, name in enumerate(NAMES)
        ],
    }
    values = {
        "campagne": make_campagne(),
        "referentiel": make_referentiel(),
        "perimetre": "",
        "nominatif": False,
        "territoires": territories,
        "exclus": (("valmorte", "date illisible (DON-010)"),),
        "tables": {name: as_table(name, rows[name], SYNTHESIS_COLUMNS) for name in SYNTHESIS_COLUMNS},
        "masques": as_table("masques", []),
        "empreinte": "ab" * 16,
    }
    return PublicationSynthese(**{**values, **changes})


@pytest.mark.parametrize("name", SYNTHESIS_SECTIONS)
def test_no_section_accepts_what_is_not_protected(name):
    """A confidential synthesis is refused."""
    base = make_synthesis()
    raw = Synthese(base.campagne, base.referentiel, "", base.territoires, (), {})
    extra = ("Q1",) if name == "show_synthesis_question" else ()
    with pytest.raises(TypeError, match="PublicationSynthese"):
        getattr(sections, name)(raw, *extra)


def test_the_whole_synthesis_renders_with_its_plan():
    """Every section at once: headings, tables, figures, no missing-value mark."""
    page = render_notebook(run_notebook("synthese_regionale.ipynb", synthese=make_synthesis()), titre="Synthèse")
    assert not {"nan", "None", "NaN"} & set(plain(page).split())
    assert page.count("<img ") == page.count(' alt="')
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_territories_come_in_french_alphabetical_order():
    """Alphabetical, É with e; never by level."""
    shown = plain(sections.show_perimeter(make_synthesis()))
    order = sorted(NAMES, key=shown.index)
    assert order == ["Arbrelle", "Belorme", "Écluse-Haute", "Montfiguier", "Ozeraie", "Zéphirine"]


def test_the_excluded_are_named_with_the_reason():
    """What is left out is said, and why."""
    assert "date illisible (DON-010)" in plain(sections.show_perimeter(make_synthesis()))
    said = plain(sections.show_synthesis_title(make_synthesis()))
    assert "6 contrats de ville de la région Hauts-de-France et 12 quartiers prioritaires." in said
    assert "1 territoire est laissé de côté, avec la raison." in said


def test_neighbourhoods_of_two_contracts_are_counted_apart():
    """Named by both contracts, it is one neighbourhood left out of both."""
    waiting = Qpv("QF590009", "Le Pont", "2024", (), "touche deux contrats (Arbrelle et Belorme)")
    synthesis = make_synthesis()
    both = [replace(territory, qpv_a_rattacher=(waiting,)) for territory in synthesis.territoires[:2]]
    shown = replace(synthesis, territoires=(*both, *synthesis.territoires[2:]))
    said = "1 quartier qui touche plusieurs contrats, sans source qui tranche, n’est compté dans aucun."
    assert said in sentences.perimeter(shown)
    assert "plusieurs contrats" not in sentences.perimeter(synthesis)
    assert synthesis.referentiel.avertissement in plain(sections.show_synthesis_title(synthesis))


def test_levels_are_counted_and_a_distribution_over_few_is_not_given():
    """Counts agree with the table; under five territories the distribution is withheld."""
    said = plain(sections.show_synthesis_brief(make_synthesis()))
    assert "1 au niveau 1, 2 au niveau 2, 1 au niveau 3 et 1 au niveau 4." in said
    assert "Hors du compte : 1 territoire avec une couverture insuffisante." in said
    assert "Aucun territoire n’a de niveau d’ensemble pour cette question." in said
    table = plain(tables.synthesis_sub_questions(make_synthesis(), "Q1"))
    assert "Q1.2 Sous-question Q1.2 — — — — — — 3 3 0" in table
    assert "moins de 5 territoires" in table


def test_names_come_only_when_asked_and_marked():
    """The named table is restricted, and the mark travels in the stamp."""
    assert sections.show_named(make_synthesis()) == ""
    named = make_synthesis(nominatif=True)
    assert "n’est pas un classement" in plain(sections.show_named(named))
    assert "DIFFUSION RESTREINTE" in sections.show_stamp(named).stamp["marques"]
    assert "DIFFUSION RESTREINTE" not in sections.show_stamp(make_synthesis()).stamp["marques"]


def test_a_department_says_its_perimeter():
    """The same notebook, one department."""
    shown = plain(sections.show_synthesis_title(make_synthesis(perimetre="59")))
    assert "département 59" in shown


def test_sums_are_given_by_edition_and_geography():
    """A population is added within one edition and one geography, and says over how many neighbourhoods."""
    said = plain(sections.show_synthesis_context(make_synthesis()))
    assert "édition 2019 : 40 200 hab. dans 11 quartiers de 2015" in said


def test_an_empty_synthesis_does_not_crash():
    """No territory, no value: sentences, no table."""
    tables = {name: as_table(name, [], SYNTHESIS_COLUMNS) for name in SYNTHESIS_COLUMNS}
    empty = make_synthesis(tables=tables, territoires=(), exclus=())
    page = render_notebook(run_notebook("synthese_regionale.ipynb", synthese=empty), titre="Synthèse")
    assert "Aucune cotation n’a été recueillie" in plain(page)


def test_fragments_are_html():
    """Sections without anything to say give an empty fragment, never None."""
    assert isinstance(sections.show_synthesis_question(replace(make_synthesis()), "EFH"), Html)


def test_gaps_are_counted_where_there_is_one():
    """A sub-question where no territory has a gap, or whose count is secret, is not one that divides."""
    rows = [
        {"sous_question": "Q1.1", "statut": "ok", "n_debat": 2.0},
        {"sous_question": "Q1.2", "statut": "ok", "n_debat": 0.0},
        {"sous_question": "Q1.3", "statut": "secret", "n_debat": NAN},
    ]
    assert sentences.synthesis_gaps(pd.DataFrame(rows)).startswith("1 sous-question donne lieu à un écart à débattre")
    assert sentences.synthesis_gaps(pd.DataFrame(rows[1:])).startswith("Aucun écart à débattre")


def test_a_coverage_of_territories_not_evaluated_is_not_a_zero():
    """Nobody settled anything: « non renseigné »; a median of 0 among territories that did settle some stays 0 %."""
    synthesis = make_synthesis()
    asked = synthesis.tables["questions"].assign(n_territoires=0, n_couverture_insuffisante=0, couverture_mediane=0.0)
    silent = replace(synthesis, tables={**synthesis.tables, "questions": asked})
    shown = plain(tables.synthesis_coverage(silent))
    assert "non renseigné" in shown
    assert "0 %" not in shown
