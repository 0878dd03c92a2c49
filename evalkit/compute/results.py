"""What a computation gives: small tidy tables, each column declared once.

:class:`Evaluation` is confidential. :class:`Publication` is what may be shown; only ``compute.disclosure.protect`` makes
one. They share their tables but not their type, so that a chart given an ``Evaluation`` refuses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd

from evalkit.model.referentiel import Referentiel
from evalkit.model.territory import Campagne, Territory

# column -> (dtype, meaning). dtype: str (NaN = nothing), float (NaN = no value, see `statut`), int, bool.
COLUMNS: dict[str, dict[str, tuple[str, str]]] = {
    # One row per evaluated sub-question and actor group of acteurs.yml that has at least one row in `cotations`.
    "groupes": {
        "question": ("str", "code"),
        "sous_question": ("str", "code"),
        "groupe": ("str", "code of acteurs.yml"),
        "n": ("int", "ratings expressed (silences excluded); always shown"),
        "mediane": (
            "float",
            "ordinary median, halves allowed; NaN if n = 0 or secret. In a Publication: lower median if n < 11",
        ),
        "mediane_basse": ("float", "lower median"),
        "n_silences": ("int", "silences of every kind; always shown"),
        "n_non_concerne": ("float", "silences of this kind; NaN when the kinds are secret (see n_silences)"),
        "n_ne_sait_pas": ("float", "silences of this kind; NaN when the kinds are secret (see n_silences)"),
        "n_refus": ("float", "silences of this kind; NaN when the kinds are secret (see n_silences)"),
        "n_non_demande": ("float", "silences of this kind; NaN when the kinds are secret (see n_silences)"),
        "n_non_repondu": ("float", "silences of this kind; NaN when the kinds are secret (see n_silences)"),
        "statut": ("str", "ok, secret, aucune_cotation"),
    },
    # Six rows per row of `groupes`. In a Publication: rows of groups whose distribution may be shown are ok, others secret.
    "distributions": {
        "question": ("str", "code"),
        "sous_question": ("str", "code"),
        "groupe": ("str", "code"),
        "niveau": ("int", "0 to 5, every level present"),
        "n": ("float", "ratings at this level; NaN if secret"),
        "part": ("float", "share of the expressed ratings, 0 to 100; NaN if secret or n = 0"),
        "statut": ("str", "ok, secret, aucune_cotation"),
    },
    # One row per sub-question of the evaluated modules.
    "niveaux": {
        "question": ("str", "code"),
        "sous_question": ("str", "code"),
        "applicable": ("bool", "False: an applicability rule excludes it"),
        "explication": ("str", "sentence of the applicability rule, NaN otherwise"),
        "niveau": ("float", "settled level 0-5, NaN if not settled"),
        "statut": ("str", "arbitre, non_arbitre, non_applicable"),
        "silence": ("str", "silence typed in place of a settled level, NaN otherwise"),
        "preuve": ("str", "proof named with the settled level, NaN: declared without proof"),
        "date": ("str", "ISO date of the settlement"),
        "instance": ("str", "body that settled"),
        "auto_evaluation": ("float", "rating of the group `pilote` (lower median if several), NaN if none"),
    },
    # One row per question of the evaluated modules.
    "questions": {
        "question": ("str", "code"),
        "n_applicables": ("int", "applicable sub-questions"),
        "n_arbitrees": ("int", "settled among them"),
        "couverture": ("float", "settled / applicable, 0 to 1; NaN if none applicable"),
        "mediane": ("float", "lower median of settled levels; NaN under the minimal coverage"),
        "minimum": ("float", "minimum of settled levels; NaN under the minimal coverage"),
        "borne_basse": ("float", "median with every unsettled level at 0; NaN if none applicable"),
        "borne_haute": ("float", "median with every unsettled level at 5; NaN if none applicable"),
        "statut": ("str", "calcule, couverture_insuffisante, aucun_arbitrage, non_applicable"),
    },
    # One row per applicable sub-question.
    "triangulation": {
        "question": ("str", "code"),
        "sous_question": ("str", "code"),
        "n_groupes": ("int", "displayable groups"),
        "groupes": ("str", "their codes joined by ;"),
        "ecart": ("float", "largest minus smallest median (published medians in a Publication); NaN under two groups"),
        "groupe_bas": ("str", "group(s) with the smallest median, joined by ;"),
        "groupe_haut": ("str", "group(s) with the largest median, joined by ;"),
        "statut": ("str", "medianes_proches, ecart_a_debattre, trop_peu_de_reponses"),
        "partages": ("str", "groups that are split (`partagé`), joined by ;, NaN if none"),
        "position_institution": ("bool", "the gap rests on pilote or etat"),
        "fausse_alerte": (
            "float",
            "probability of a gap > 1 by chance, 0 to 1; NaN with fewer than two sampled groups",
        ),
        "effectifs_faibles": ("bool", "fausse_alerte above the rule's limit"),
        "ordre": ("int", "order of discussion, 1 first: split first, then size of the gap, ties by code"),
    },
    # One row per applicable sub-question.
    "solidite": {
        "question": ("str", "code"),
        "sous_question": ("str", "code"),
        "n_sources": ("int", "kinds of sources with at least one element"),
        "sources": ("str", "enquete;atelier;document;donnees present, joined by ;"),
        "annee_recente": ("float", "most recent year among them, NaN if undated"),
        "solidite": ("str", "forte, moyenne, faible, aucune"),
    },
    # One row per indicator value; an indicator with nothing gives one row with its silence, per way of obtaining it.
    "indicateurs": {
        "question": ("str", "code"),
        "sous_question": ("str", "code"),
        "indicateur": ("str", "code"),
        "obtention": ("str", "saisie, actions, contexte, enquete"),
        "source": ("str", "as typed, or computed from"),
        "groupe": ("str", "actor group, NaN when not by group"),
        "annee": ("float", "year of the value, NaN if none"),
        "valeur": ("float", "in the indicator's unit; NaN: see statut"),
        "modalite": ("str", "category code for `categorie`, NaN otherwise"),
        "numerateur": ("float", "NaN if not given"),
        "denominateur": ("float", "NaN if not given"),
        "n": ("float", "number of units the value stands on, NaN if unknown"),
        "unite": ("str", "code of unites.yml"),
        "statut": (
            "str",
            "ok, a silence (non_repondu…), non_calculable, non_disponible, secret, non_applicable, hors_periode",
        ),
        "explication": ("str", "why there is no value, or what limits it, NaN otherwise"),
    },
    "constats": {
        "id": ("str", ""),
        "question": ("str", "code"),
        "type": ("str", "reussite, frein, preconisation, action"),
        "texte": ("str", "the pilot's words"),
        "origine": ("str", ""),
        "repond_a": ("str", "ids joined by ;"),
        "responsable": ("str", "a function"),
        "echeance": ("str", "ISO date"),
        "statut": ("str", ""),
    },
    # One row per recommendation of the previous campaign, followed or not.
    "suivis": {
        "id": ("str", "id of the previous recommendation"),
        "question": ("str", "code"),
        "texte": ("str", "its text, NaN if the previous campaign does not have it"),
        "statut": ("str", "realise, en_cours, reporte, abandonne, sans_suite, non_renseigne"),
        "date": ("str", "ISO date"),
        "commentaire_public": ("str", ""),
    },
    # In a Publication: only publishable quotations; `attribuable` when nb_personnes reaches the rule.
    "verbatims": {
        "question": ("str", "code"),
        "texte": ("str", ""),
        "theme": ("str", ""),
        "enquete": ("str", ""),
        "nb_personnes": ("float", "NaN if unknown"),
        "publiable": ("bool", ""),
        "attribuable": ("bool", "may be given to a group"),
    },
    # Programme of actions by year and theme (and a row `ensemble` per year). Amounts are sums of what is given.
    "actions": {
        "annee": ("int", ""),
        "thematique": ("str", "theme, `ensemble` for the year"),
        "n_actions": ("int", ""),
        "n_porteurs": ("int", "distinct holders, 0 if not given"),
        "montant_p147": ("float", "euros; NaN if no action gives it"),
        "montant_droit_commun": ("float", "euros of actions classified droit_commun; NaN if none"),
        "montant_total": ("float", "euros, all funders; NaN if none given"),
        "n_montants": ("int", "actions with at least one amount"),
        "n_bilans": ("float", "actions with a report received; NaN if never filled"),
        "statut": ("str", "ok, secret (every amount of the row)"),
        "statut_droit_commun": ("str", "ok, secret (montant_droit_commun alone, or with the others)"),
    },
    # Open data of the territory's QPV: shown, never scored.
    "contexte": {
        "qpv": ("str", "code, or the code of the comparison area"),
        "nom": ("str", ""),
        "ancien": ("bool", "QPV 2015 of the same communes, for a 2024 contract"),
        "indicateur": ("str", "CTX.n"),
        "theme": ("str", "DEMO, REVN, IPRO"),
        "variable": ("str", "publisher's name"),
        "valeur": ("float", ""),
        "unite": ("str", "code of unites.yml"),
        "silence": ("str", "publisher's silence: secret, non_significatif, non_disponible, NaN if there is a value"),
        "edition": ("str", ""),
        "annee_reference": ("str", "year(s) the value describes, NaN if not known"),
        "geographie": ("str", "2015 or 2024"),
        "source": ("str", ""),
    },
    # One row per questionnaire and part that has answers.
    "enquetes": {
        "enquete": ("str", "code"),
        "partie": ("str", "code"),
        "groupe": ("str", "actor group, NaN for residents"),
        "collecte": ("str", "aleatoire, recensement, ouvert"),
        "n_sollicites": ("float", "asked; NaN if unknown"),
        "n_reponses": ("int", "answers kept; always shown"),
        "n_lues": ("float", "rows read in the files of the questionnaire, all parts; NaN if unknown"),
        "n_a_part": ("float", "of these, rows set apart before any computation; NaN if unknown"),
        "motifs_a_part": ("str", "how many for which reason; NaN when there is none"),
        "taux": ("float", "n_reponses / n_sollicites, 0 to 100; NaN if unknown"),
        "ponderee": ("bool", "weights differ from 1"),
        "n_efficace": ("float", "Kish effective n when weighted, else n_reponses"),
        "statut": ("str", "ok, base_fragile, secret"),
    },
    # One row per question of these questionnaires.
    "items": {
        "enquete": ("str", "code"),
        "partie": ("str", "code"),
        "question": ("str", "code of the survey question (A10)"),
        "type": ("str", "choix_unique, choix_multiple, likert, nombre, texte"),
        "n_concernes": ("int", "respondents to whom the question was put"),
        "n_exprimes": ("int", "with an answer that is not a silence: the base of percentages"),
        "n_ne_sait_pas": ("float", "NaN if secret"),
        "n_refus": ("float", "NaN if secret"),
        "n_non_concerne": ("float", "NaN if secret"),
        "n_non_repondu": ("float", "NaN if secret"),
        "moyenne": ("float", "only where it has a meaning (nombre, note); NaN otherwise"),
        "mediane": ("float", "same"),
        "statut": ("str", "ok, base_fragile, secret, aucune_reponse"),
    },
    # One row per question and possible answer, every level present even when unused. Text questions: one row per theme.
    "reponses": {
        "enquete": ("str", "code"),
        "partie": ("str", "code"),
        "question": ("str", "code"),
        "choix": ("str", "code of the answer; codes joined by + where neighbouring levels were put together"),
        "n": ("float", "NaN if secret"),
        "part": ("float", "0 to 100 of n_exprimes (respondents for choix_multiple); NaN if secret or no base"),
        "borne_basse": ("float", "95 % interval, NaN where none is allowed (collecte)"),
        "borne_haute": ("float", "same"),
        "statut": ("str", "ok, base_fragile, secret, aucune_reponse"),
    },
    # Who answered: one row per group of acteurs.yml, zeros included.
    "repondants": {
        "groupe": ("str", "code"),
        "n_repondants": ("int", "distinct respondents with at least one row in cotations"),
        "n_cotations": ("int", "ratings expressed"),
        "n_silences": ("int", "rows with a silence"),
    },
    # What is hidden and why, without the values.
    "masques": {
        "table": ("str", "name of the table"),
        "cle": ("str", "readable key of the cell, e.g. Q1.1 · association · distribution"),
        "raison": ("str", "code of the rule of regles.yml"),
    },
}


def as_table(
    name: str,
    rows: list[dict[str, Any]] | pd.DataFrame,
    declared_in: Mapping[str, Mapping[str, tuple[str, str]]] = COLUMNS,
) -> pd.DataFrame:
    """Build a result table (or, with ``declared_in=SYNTHESIS_COLUMNS``, a table of a synthesis): declared columns only, in order, with declared dtypes, index 0..n-1.

    Raises
    ------
    KeyError
        A row has a column that the table does not declare, or lacks one.
    """
    declared = declared_in[name]
    if isinstance(rows, list):
        if rows and set(rows[0]) != set(declared):
            raise KeyError(f"{name}: columns differ from the declared ones: {sorted(set(rows[0]) ^ set(declared))}")
        frame = pd.DataFrame({column: [row[column] for row in rows] for column in declared})
    else:
        frame = rows[list(declared)].reset_index(drop=True)
    # A conversion to the dtype that a column already has is not free: these tables are small and many.
    differing = {column: dtype for column, (dtype, _) in declared.items() if frame[column].dtype != dtype}
    return frame.astype(differing) if differing else frame


def table_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a small table as plain mappings, in their order: what ``to_dict("records")`` gives, in a fraction of its time.

    >>> table_rows(pd.DataFrame({"question": ["Q1", None], "n": [3, 4]}))
    [{'question': 'Q1', 'n': 3}, {'question': nan, 'n': 4}]
    """
    names = [str(name) for name in table.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns_of(table), strict=True)]


def columns_of(table: pd.DataFrame) -> list[list[Any]]:
    """Columns of a small table as lists of plain Python values."""
    return [_plain(table[name]) for name in table.columns]


def _plain(column: pd.Series) -> list[Any]:
    values: list[Any] = column.tolist()
    if column.dtype == object:
        return [value.item() if isinstance(value, np.generic) else value for value in values]
    return values


@dataclass(frozen=True, repr=False)
class _Tables:
    territoire: Territory
    campagne: Campagne
    referentiel: Referentiel
    groupes: pd.DataFrame
    distributions: pd.DataFrame
    niveaux: pd.DataFrame
    questions: pd.DataFrame
    triangulation: pd.DataFrame
    solidite: pd.DataFrame
    indicateurs: pd.DataFrame
    constats: pd.DataFrame
    suivis: pd.DataFrame
    verbatims: pd.DataFrame
    actions: pd.DataFrame
    contexte: pd.DataFrame
    repondants: pd.DataFrame
    masques: pd.DataFrame
    enquetes: pd.DataFrame
    items: pd.DataFrame
    reponses: pd.DataFrame
    reference: Mapping[str, Any] | None = None  # frozen regional reference, see `compute.synthesis.freeze`
    textes: Mapping[str, str] = field(default_factory=dict)
    local: Mapping[str, Any] | None = None
    enquetes_ecartees: Mapping[str, str] = field(default_factory=dict)  # left out on request, by code: why
    listes_non_declarees: frozenset[tuple[str, str]] = frozenset()  # (questionnaire, question): the import says so
    empreinte: str = ""
    n_avertissements: int = 0

    def __repr__(self) -> str:  # never a value in a log or a traceback
        return f"<{type(self).__name__} {self.territoire.dossier}>"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every result table by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name in COLUMNS}


@dataclass(frozen=True, repr=False)
class Evaluation(_Tables):
    """Everything computed for one territory. Confidential: nothing that draws or prints accepts it."""


@dataclass(frozen=True, repr=False)
class Publication(_Tables):
    """What may be shown of one territory. Made by ``compute.disclosure.protect`` only."""


# Tables of a published synthesis. A distribution over fewer than five territories is `secret` (regles.yml).
SYNTHESIS_COLUMNS: dict[str, dict[str, tuple[str, str]]] = {
    # Every territory of the perimeter, alphabetical; never ordered by a result.
    "territoires": {
        "territoire": ("str", "folder"),
        "nom": ("str", ""),
        "departement": ("str", ""),
        "n_qpv": ("int", ""),
        "n_applicables": ("int", "applicable sub-questions of the evaluated modules"),
        "n_arbitrees": ("int", "settled among them"),
        "n_repondants": ("int", "distinct respondents"),
    },
    # Six rows per sub-question of the framework.
    "niveaux": {
        "question": ("str", ""),
        "sous_question": ("str", ""),
        "niveau": ("int", "0 to 5"),
        "n": ("float", "territories settled at this level; NaN if secret"),
        "part": ("float", "0 to 100 of the territories with a settled level; NaN if secret"),
        "n_territoires": ("int", "territories with a settled level"),
        "n_non_arbitre": ("int", "applicable, not settled"),
        "n_non_applicable": ("int", ""),
        "statut": ("str", "ok, secret, aucun_arbitrage"),
    },
    # Six rows per question: the question's level (lower median), for the territories where it was computed.
    "questions": {
        "question": ("str", ""),
        "niveau": ("int", "0 to 5"),
        "n": ("float", "territories; NaN if secret"),
        "part": ("float", "0 to 100; NaN if secret"),
        "n_territoires": ("int", "territories with a computed level"),
        "n_couverture_insuffisante": ("int", ""),
        "n_aucun_arbitrage": ("int", ""),
        "n_non_applicable": ("int", ""),
        "couverture_mediane": ("float", "median over territories of the coverage, 0 to 1"),
        "statut": ("str", "ok, secret, aucun_arbitrage"),
    },
    # One row per indicator and way of obtaining it, last year given by each territory.
    "indicateurs": {
        "question": ("str", ""),
        "sous_question": ("str", ""),
        "indicateur": ("str", ""),
        "obtention": ("str", ""),
        "unite": ("str", ""),
        "n_territoires": ("int", "with a value"),
        "n_sans_valeur": ("int", "concerned, without a value"),
        "q1": ("float", "first quartile over territories; NaN if secret"),
        "mediane": ("float", ""),
        "q3": ("float", ""),
        "statut": ("str", "ok, secret, aucune_valeur"),
    },
    # One row per category of `categorie` indicators.
    "modalites": {
        "indicateur": ("str", ""),
        "modalite": ("str", "code"),
        "n": ("float", "territories; NaN if secret"),
        "n_territoires": ("int", ""),
        "statut": ("str", "ok, secret, aucune_valeur (no territory)"),
    },
    # One row per sub-question: where groups agree or not.
    "ecarts": {
        "question": ("str", ""),
        "sous_question": ("str", ""),
        "n_territoires": ("int", "with two displayable groups at least"),
        "n_debat": ("float", "territories where it is `ecart_a_debattre`; NaN if secret"),
        "n_partage": ("float", "territories with a split group; NaN if secret"),
        "statut": ("str", "ok, secret, aucune_valeur (no territory)"),
    },
    # Findings counted by question and type, and by number of territories.
    "constats": {
        "question": ("str", ""),
        "type": ("str", ""),
        "n_constats": ("int", ""),
        "n_territoires": ("int", ""),
    },
    # Who answered over the perimeter.
    "repondants": {
        "groupe": ("str", ""),
        "n_territoires": ("int", "with at least one respondent of the group"),
        "n_repondants": ("int", ""),
    },
    # Context figures over the QPV of the perimeter; sums only for additive ones (population).
    "contexte": {
        "indicateur": ("str", "CTX.n"),
        "variable": ("str", ""),
        "edition": ("str", ""),
        "annee_reference": ("str", ""),
        "geographie": ("str", ""),
        "unite": ("str", ""),
        "n_qpv": ("int", "QPV of the perimeter in that geography"),
        "n_valeurs": ("int", "with a value"),
        "somme": ("float", "NaN when not additive"),
        "q1": ("float", "over QPV"),
        "mediane": ("float", "over QPV"),
        "q3": ("float", "over QPV"),
        "source": ("str", ""),
    },
    # Typology: territories counted by coverage class and by number of questions with a level; no name.
    "typologie": {
        "classe": ("str", "readable class"),
        "n": ("float", "territories; NaN if secret"),
        "statut": ("str", "ok, secret"),
    },
    # Only with --nominatif: one row per territory (alphabetical) and question. Marked "diffusion restreinte".
    "nominatif": {
        "territoire": ("str", ""),
        "nom": ("str", ""),
        "departement": ("str", ""),
        "question": ("str", ""),
        "mediane": ("float", ""),
        "minimum": ("float", ""),
        "couverture": ("float", ""),
        "statut": ("str", "as `questions` of a territory"),
    },
}
SYNTHESIS_TABLES = (
    "niveaux",
    "questions",
    "indicateurs",
    "constats",
    "triangulation",
    "repondants",
    "actions",
    "contexte",
)


@dataclass(frozen=True, repr=False)
class Synthese:
    """The same tables for many territories, concatenated, each with a first column ``territoire``. Confidential."""

    campagne: Campagne
    referentiel: Referentiel
    perimetre: str  # "" for the region, else a department code
    territoires: tuple[Territory, ...]
    exclus: tuple[tuple[str, str], ...]  # (folder, why), left out and why
    tables: Mapping[str, pd.DataFrame]  # keys of SYNTHESIS_TABLES

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.campagne.code} {self.perimetre}>"


@dataclass(frozen=True, repr=False)
class PublicationSynthese:
    """What may be shown of a synthesis. Distributions over territories, never a list ordered by level.

    Tables: see :data:`SYNTHESIS_COLUMNS`.
    """

    campagne: Campagne
    referentiel: Referentiel
    perimetre: str
    nominatif: bool
    territoires: tuple[Territory, ...]
    exclus: tuple[tuple[str, str], ...]
    tables: Mapping[str, pd.DataFrame]
    masques: pd.DataFrame
    empreinte: str = ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.campagne.code} {self.perimetre}>"
