"""Small invented objects for tests: a framework, a dossier, an evaluation, a publication. No file is read.

``make_publication()`` gives a valid :class:`Publication` of an invented territory: two questions of four sub-questions, six
groups with few and many ratings, a secret median, a split group, indicators of every status, actions with a hidden
theme. Everything is deterministic.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from evalkit.compute.disclosure import protect
from evalkit.compute.evaluation import evaluate
from evalkit.compute.results import COLUMNS, Evaluation, Publication, as_table
from evalkit.model.dossier import TABLES, Dossier
from evalkit.model.referentiel import Referentiel
from evalkit.model.territory import Campagne, Qpv, Territory

RULES: dict[str, Any] = {
    "couverture_minimale": 0.75,
    "ecart_debat": 1,
    "partage_part": 0.25,
    "partage_bas": 1,
    "partage_haut": 4,
    "fausses_alertes_max": 0.10,
    "fausses_alertes_distribution": (0.05, 0.15, 0.30, 0.30, 0.15, 0.05),
    "seuil_personnes": 11,
    "base_fragile": 29,
    "seuil_institutions": 11,
    "seuil_institutions_nominatif": 1,
    "seuil_mediane_atelier": 5,
    "seuil_distribution_atelier": 11,
    "seuil_cellule": 11,
    "seuil_extremes": 30,
    "seuil_territoires": 5,
    "seuil_verbatim_groupe": 3,
    "seuil_dominance": 0.85,
    "seuil_unites_montant": 3,
    "largeur_minimale": 5,
    "niveau_confiance": 0.95,
    "solidite_forte": 3,
    "solidite_moyenne": 2,
}
GROUPS = (
    ("pilote", "Pilote", "pilotes", True, "#1b4f72", "D"),
    ("etat", "État", "services de l’État", True, "#7b241c", "s"),
    ("commune", "Commune", "communes", False, "#1e8449", "^"),
    ("partenaire", "Partenaire", "partenaires", False, "#b9770e", "v"),
    ("association", "Association", "associations", False, "#6c3483", "o"),
    ("conseiller_citoyen", "Conseiller citoyen", "conseillers citoyens", False, "#34495e", "P"),
)
SAMPLED = ("commune", "partenaire", "association", "conseiller_citoyen")
PROPOSED = {"statut": "propose", "references": ["SOURCE-A"]}
LADDER = {level: f"Descripteur du niveau {level}, inventé pour les essais." for level in range(6)}


def make_indicator(code: str, formule: str = "part", **changes: Any) -> dict[str, Any]:
    """One indicator as plain data, ready for ``Referentiel``."""
    return {
        "code": code,
        "libelle": f"Indicateur {code}",
        "definition": "Définition inventée pour les essais.",
        "obtention": ["saisie"],
        "formule": formule,
        "numerateur": "ce que l’on compte",
        "denominateur": "ce à quoi on le rapporte",
        "unite": "pourcent",
        "sens_favorable": "hausse",
        "niveau": "contrat",
        "collecte": ["DOC"],
        "repondants": ["pilote"],
        **PROPOSED,
        **changes,
    }


def default_indicators(sub: str) -> list[dict[str, Any]]:
    """Indicators of one sub-question; the first question has one of several kinds."""
    if sub == "Q1.1":
        return [
            make_indicator("Q1.1.a"),
            make_indicator("Q1.1.b", obtention=["saisie", "enquete"], collecte=["DOC", "ENQ-COM"]),
            make_indicator("Q1.1.c", "ratio", facteur=10000.0, unite="etp"),
        ]
    if sub == "Q1.2":
        modalites = [{"code": "absent", "libelle": "absent"}, {"code": "complet", "libelle": "complet"}]
        return [make_indicator("Q1.2.a", "categorie", modalites=modalites, unite="categorie", numerateur=None)]
    if sub == "Q1.3":
        rule = {"type": "part", "numerateur_si": {"tous": [{"fait": "bilan_recu", "egal": "oui"}]}}
        return [
            make_indicator("Q1.3.a", obtention=["actions"], collecte=["BASE-ACT"], actions=rule, niveau="action"),
            make_indicator("Q1.3.b", "effectif", unite="nombre", denominateur=None, sens_favorable="neutre"),
        ]
    return [make_indicator(f"{sub}.a")]


def make_sub_question(code: str, indicators: list[dict[str, Any]] | None = None, **changes: Any) -> dict[str, Any]:
    """One sub-question as plain data."""
    return {
        "code": code,
        "titre": f"Sous-question {code}",
        "libelle": f"La sous-question inventée {code} est-elle claire ?",
        "criteres": ["efficacité"],
        "echelle": {"niveaux": LADDER, **PROPOSED},
        "indicateurs": default_indicators(code) if indicators is None else indicators,
        **PROPOSED,
        **changes,
    }


def make_question(code: str, subs: list[dict[str, Any]] | int = 4, **changes: Any) -> dict[str, Any]:
    """One question as plain data, with ``subs`` sub-questions (a number or a list)."""
    if isinstance(subs, int):
        subs = [make_sub_question(f"{code}.{rank}") for rank in range(1, subs + 1)]
    return {
        "code": code,
        "titre": f"Question {code}",
        "libelle": f"La question inventée {code} a-t-elle une réponse ?",
        "sous_questions": subs,
        **PROPOSED,
        **changes,
    }


LIKERT = (
    *({"code": str(i), "libelle": str(i)} for i in range(1, 6)),
    {"code": "nsp", "libelle": "ne sait pas", "silence": "ne_sait_pas"},
)


def survey_question(code: str, kind: str = "likert", choices: str = "", **changes: Any) -> dict[str, Any]:
    """One question of a questionnaire; ``choices``: codes separated by spaces, ``nsp`` and ``refus`` being silences."""
    silences = {"nsp": "ne_sait_pas", "refus": "refus", "sans_objet": "non_concerne"}
    choix = [
        {"code": c, "libelle": f"réponse {c}", **({"silence": silences[c]} if c in silences else {})}
        for c in choices.split()
    ]
    base = {"code": code, "libelle": f"Question inventée {code} ?", "type": kind, "partie": "ensemble"}
    given = list(LIKERT) if kind == "likert" and not choix else choix
    return {**base, "choix": given, "usage": "contexte", "donnee_sensible": "non", **changes}


def make_enquete(questions: list[dict[str, Any]], code: str = "ENQ-ASSO", **partie: Any) -> dict[str, Any]:
    """A questionnaire as plain data, with one part ``ensemble`` unless ``parties`` is given; ``partie`` changes that part."""
    part = {
        "code": "ensemble",
        "libelle": "Associations",
        "repondants": "associations financées",
        "groupe": "association",
        "collecte": "recensement",
        "seuil": "seuil_personnes",
    }
    return {
        "code": code,
        "titre": f"Questionnaire inventé {code}",
        "outil": "outil inventé",
        "repondants": "une réponse par association",
        "duree": "10 minutes",
        "terrain": "3 semaines",
        "confidentialite": "anonyme",
        "notice": ["Aucun résultat n’est publié sous {seuil} réponses."],
        "parties": partie.pop("parties", None) or [{**part, **partie}],
        "questions": questions,
        **PROPOSED,
    }


def make_answers(columns: dict[str, list[Any]], **others: Any) -> pd.DataFrame:
    """A frame of answers; ``None`` = left empty. ``others``: ``partie`` or ``poids``, one value or one per row."""
    n = max((len(cells) for cells in columns.values()), default=0)
    kinds = {
        name: "float" if all(isinstance(c, int | float | None) for c in cells) else "str"
        for name, cells in columns.items()
    }
    frame = pd.DataFrame({"ligne": range(1, n + 1), "partie": "ensemble", "poids": 1.0, **others, **columns})
    return frame.astype({**kinds, "partie": "str", "poids": "float"})


def make_referentiel(
    questions: list[dict[str, Any]] | None = None, enquetes: list[dict[str, Any]] | None = None, **rules: Any
) -> Referentiel:
    """A small framework: module ``cooperations``, questions Q1 and Q2 of four sub-questions unless given.

    ``rules`` replaces values of :data:`RULES`.
    """
    questions = [make_question("Q1"), make_question("Q2")] if questions is None else questions
    natures = {
        "DOC": "document",
        "BASE-ACT": "donnees",
        "OUVERT": "donnees",
        "ENQ-COM": "enquete",
        "ATELIER": "atelier",
    }
    units = (("pourcent", "%", 0), ("nombre", "", 0), ("etp", "ETP pour 10 000 hab.", 1), ("jours", "jours", 0))
    return Referentiel.model_validate(
        {
            "code": "essai",
            "libelle": "Référentiel inventé pour les essais",
            "version": "0.0.1",
            "valide_du": "2022-01-01",
            "licence": "Licence Ouverte 2.0",
            "avertissement": "Tout est inventé.",
            "modules": [
                {
                    "code": "cooperations",
                    "libelle": "Coopérations",
                    "presentation": "Module inventé.",
                    "questions": questions,
                    **PROPOSED,
                }
            ],
            "echelle": {
                "niveaux": [
                    {"niveau": i, "nom": f"Niveau {i}", "sens": "inventé", "preuve_minimale": "un document"}
                    for i in range(6)
                ],
                **PROPOSED,
            },
            "groupes": [
                {
                    "code": code,
                    "libelle": name,
                    "pluriel": plural,
                    "court": name,
                    "institution": institution,
                    "couleur": colour,
                    "marqueur": marker,
                }
                for code, name, plural, institution, colour, marker in GROUPS
            ],
            "collectes": [{"code": code, "libelle": code, "nature": nature} for code, nature in natures.items()],
            "unites": [
                *({"code": c, "libelle": c, "symbole": s, "decimales": d} for c, s, d in units),
                {"code": "categorie", "libelle": "catégorie", "symbole": ""},
                {"code": "habitants", "libelle": "habitants", "symbole": "hab."},
                {"code": "euros", "libelle": "euros", "symbole": "€"},
            ],
            "sources": [{"code": "SOURCE-A", "titre": "Source inventée", "editeur": "Éditeur", "annee": "2022"}],
            "regles": [
                {"code": code, "libelle": code, "valeur": value, "depuis": "2022-01-01", **PROPOSED}
                for code, value in {**RULES, **rules}.items()
            ],
            "enquetes": enquetes or [],
            "contexte": [
                {
                    "code": "CTX.1",
                    "libelle": "Population municipale",
                    "unite": "habitants",
                    "niveau": "qpv",
                    "variable_source": "POP_MUN",
                    **PROPOSED,
                }
            ],
        }
    )


def make_territory(dossier: str = "valbrune", nom: str = "Valbrune", **changes: Any) -> Territory:
    """An invented territory."""
    values: dict[str, Any] = {
        "departement": "59",
        "generation": "2015",
        "type": "communaute_agglomeration",
        "communes": ("Valbrune", "Ormélie"),
        "qpv": (Qpv("QF590001", "Les Trois-Sources", "2015"), Qpv("QF590002", "Le Clos-Vert", "2015")),
        "modules": ("cooperations",),
        "fictif": True,
        "faits": {"conseil_citoyen": True, "npnru": False},
    }
    return Territory(dossier=dossier, nom=nom, **{**values, **changes})


def make_campagne(**changes: Any) -> Campagne:
    """An invented campaign."""
    values: dict[str, Any] = {
        "code": "2022",
        "libelle": "Campagne d’essai 2022",
        "referentiel_version": "0.0.1",
        "date_reference": "2022-12-15",
        "annee": 2022,
        "modules": ("cooperations",),
        "fictif": True,
    }
    return Campagne(**{**values, **changes})


_NUMBERS = {"nombre", "effectif", "annee"}


def make_table(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """A table of a dossier as the reader gives it: declared columns, dtypes of ``Dossier``; absent cells are empty."""
    dtypes = {column.name: "float" if column.kind in _NUMBERS else "str" for column in TABLES[name].columns}
    if name in ("cotations", "arbitrages"):
        dtypes |= {"niveau": "float", "silence": "str"}
    if name == "indicateurs":
        dtypes |= {"valeur": "float", "modalite": "str"}
    frame = pd.DataFrame(rows, columns=list(dtypes))
    return frame.astype(dtypes)


def ratings(sub: str, groupe: str, levels: list[int | str]) -> list[dict[str, Any]]:
    """Rows of ``cotations``: one per level (a number) or silence (its code)."""
    return [
        {
            "sous_question": sub,
            "repondant": f"{groupe[:3].upper()}{rank:02d}",
            "groupe": groupe,
            **({"niveau": float(level)} if isinstance(level, int) else {"silence": level}),
        }
        for rank, level in enumerate(levels, start=1)
    ]


def settled(sub: str, niveau: int | str, **changes: Any) -> dict[str, Any]:
    """One row of ``arbitrages``."""
    cell: dict[str, Any] = {"niveau": float(niveau)} if isinstance(niveau, int) else {"silence": niveau}
    base = {"sous_question": sub, "date": "2022-11-10", "instance": "comité de pilotage"}
    return {**base, "preuve": "compte rendu du 10 novembre 2022", **cell, **changes}


CONTEXT_COLUMNS = {
    "qpv": "str",
    "theme": "str",
    "variable": "str",
    "indicateur": "str",
    "valeur": "float",
    "unite": "str",
    "silence": "str",
    "edition": "str",
    "annee_reference": "str",
    "geographie": "str",
    "source": "str",
}


def make_context(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The context table of a dossier."""
    return pd.DataFrame(rows, columns=list(CONTEXT_COLUMNS)).astype(CONTEXT_COLUMNS)


def make_dossier(
    tables: dict[str, list[dict[str, Any]]] | None = None,
    *,
    territoire: Territory | None = None,
    campagne: Campagne | None = None,
    contexte: list[dict[str, Any]] | None = None,
    precedents: list[dict[str, Any]] | None = None,
    **others: Any,
) -> Dossier:
    """A dossier with the given rows (``tables``: name -> rows); what is not given is empty."""
    tables = tables or {}
    return Dossier(
        territoire=territoire or make_territory(),
        campagne=campagne or make_campagne(),
        tables={name: make_table(name, tables.get(name, [])) for name in TABLES},
        contexte=make_context(contexte or []),
        precedents=make_table("constats", precedents or []),
        **{"empreinte": "00ff" * 16, **others},
    )


def action(action_id: str, porteur: str, thematique: str, p147: float | None, **changes: Any) -> dict[str, Any]:
    """One row of ``actions``."""
    base = {"action_id": action_id, "annee": 2022, "titre": f"Action {action_id}", "porteur_id": porteur}
    return {**base, "thematique": thematique, "montant_p147": p147, "bilan_recu": "oui", **changes}


def sample_tables() -> dict[str, list[dict[str, Any]]]:
    """Rows of a plausible invented dossier, with small groups, a split group and silences."""
    cotations = [
        *ratings("Q1.1", "pilote", [4]),
        *ratings("Q1.1", "etat", [3]),
        *ratings("Q1.1", "commune", [3, 3, 2, 4, 3, "ne_sait_pas"]),
        *ratings("Q1.1", "association", [0, 1, 1, 0, 1, 2, 4, 4, 5, 4, 4, 5]),
        *ratings("Q1.1", "conseiller_citoyen", [2, 1, "ne_sait_pas"]),
        *ratings("Q1.2", "pilote", [3]),
        *ratings("Q1.2", "partenaire", [2, 3, 3, 3, 2, 3, 4, 2]),
        *ratings("Q1.2", "association", [1, 1, 2, 1, 2, 2, 1, 1, 1, 2, 3, 1]),
        *ratings("Q1.3", "commune", [2, 3, 2, 2, 3]),
        *ratings("Q1.3", "partenaire", [2, 2, 3, 3, 2, 2]),
        *ratings("Q2.1", "pilote", [2]),
        *ratings("Q2.1", "association", ["refus", "non_repondu"]),
        *ratings("Q2.2", "commune", [5, 5, 5, 5, 5]),
    ]
    arbitrages = [settled("Q1.1", 3), settled("Q1.2", 2, preuve=None), settled("Q1.3", 2), settled("Q2.1", 1)]
    indicateurs = [
        {"indicateur": "Q1.1.a", "annee": 2021, "numerateur": 14, "denominateur": 20, "source": "comptes rendus"},
        {"indicateur": "Q1.1.a", "annee": 2022, "numerateur": 17, "denominateur": 20, "source": "comptes rendus"},
        {"indicateur": "Q1.1.b", "annee": 2022, "numerateur": 3, "denominateur": 0, "source": "comptes rendus"},
        {"indicateur": "Q1.1.c", "annee": 2022, "numerateur": 3.5, "denominateur": 12400, "source": "organigramme"},
        {"indicateur": "Q1.2.a", "annee": 2022, "modalite": "complet", "source": "matrice de rôles"},
        {"indicateur": "Q1.3.b", "annee": 2022, "valeur": 12, "source": "relevé"},
        {"indicateur": "Q1.4.a", "annee": 2022, "silence": "non_demande"},
    ]
    constats = [
        {
            "id": "C1",
            "question": "Q1",
            "type": "reussite",
            "texte": "Le comité se réunit & décide.",
            "origine": "atelier",
        },
        {"id": "C2", "question": "Q1", "type": "frein", "texte": "Les rôles restent flous.", "statut": "valide"},
        {
            "id": "C3",
            "question": "Q1",
            "type": "preconisation",
            "texte": "Écrire une matrice de rôles.",
            "repond_a": "C2",
            "responsable": "direction de la cohésion sociale",
            "echeance": "2023-06-30",
            "statut": "propose",
        },
    ]
    verbatims = [
        {"question": "Q1", "texte": "On sait enfin qui appeler.", "nb_personnes": 4, "publiable": "oui"},
        {"question": "Q1", "texte": "Trop de réunions.", "nb_personnes": 1, "publiable": "oui"},
        {"question": "Q1", "texte": "À relire.", "nb_personnes": 5, "publiable": "non"},
    ]
    actions = [
        action("A1", "P1", "éducation", 10000.0, classement_financement="droit_commun"),
        action("A2", "P2", "éducation", 8000.0, montant_epci=2000.0),
        action("A3", "P3", "éducation", 6000.0),
        action("A4", "P1", "emploi", 9000.0, bilan_recu="non"),
        action("A5", "P4", "emploi", None),
        action("A6", "P2", "santé", 5000.0),
        action("A7", "P3", "santé", 5500.0),
        action("A8", "P5", "santé", 4500.0),
        action("A9", "P6", "santé", 4000.0),
    ]
    return {
        "cotations": cotations,
        "arbitrages": arbitrages,
        "indicateurs": indicateurs,
        "constats": constats,
        "verbatims": verbatims,
        "actions": actions,
        "suivis": [{"constat_precedent": "P1", "statut": "en_cours", "date": "2022-05-01"}],
    }


def sample_context() -> list[dict[str, Any]]:
    """Context rows: one value, one silence."""
    base = {
        "theme": "DEMO",
        "variable": "POP_MUN",
        "indicateur": "CTX.1",
        "unite": "habitants",
        "edition": "2019",
        "annee_reference": "2013",
        "geographie": "2015",
        "source": "fichier inventé",
    }
    return [
        {**base, "qpv": "QF590001", "valeur": 4200.0},
        {**base, "qpv": "QF590002", "silence": "non_disponible"},
    ]


def sample_dossier(**changes: Any) -> Dossier:
    """The dossier of :func:`sample_tables`."""
    precedents = [
        {"id": "P1", "question": "Q1", "type": "preconisation", "texte": "Réunir le comité deux fois par an."},
        {"id": "P2", "question": "Q2", "type": "preconisation", "texte": "Partager les bilans."},
    ]
    given = {"contexte": sample_context(), "precedents": precedents, "textes": {"introduction": "Texte libre."}}
    return make_dossier(sample_tables(), **{**given, **changes})


def make_evaluation(dossier: Dossier | None = None, referentiel: Referentiel | None = None) -> Evaluation:
    """The evaluation of a dossier (the sample one unless given)."""
    return evaluate(referentiel or make_referentiel(), dossier or sample_dossier())


def make_publication(dossier: Dossier | None = None, **tables: list[dict[str, Any]]) -> Publication:
    """The publication of a dossier (the sample one unless given).

    ``tables`` replaces whole tables of it, by rows that may leave columns out.
    """
    evaluation = make_evaluation(dossier)
    publication = protect(evaluation, evaluation.referentiel.regles)
    given = {name: as_table(name, [{**_blank(name), **row} for row in rows]) for name, rows in tables.items()}
    return replace(publication, **given)


def _blank(name: str) -> dict[str, Any]:
    empty: dict[str, Any] = {"str": None, "float": float("nan"), "int": 0, "bool": False}
    return {column: empty[dtype] for column, (dtype, _) in COLUMNS[name].items()}
