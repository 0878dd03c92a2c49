"""The tables of a dossier (DESIGN §5): what a row is, which columns, what each cell may hold.

One declaration serves the reader, the entry workbook, the sample data and the documentation. No file here, no pandas.
After reading, a column of kind ``niveau`` gives two columns: ``niveau`` (float, NaN when silent) and ``silence``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from evalkit.model.territory import Campagne, Territory

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from evalkit.errors import Fault

Kind = Literal[
    "texte",  # free text, printed as text
    "code_sous_question",
    "code_question",
    "code_indicateur",
    "groupe",  # acteurs.yml
    "repondant",  # R01: technical code, never a name
    "fonction",  # responsable: a function, never a person
    "niveau",  # 0 to 5, or a silence
    "date",  # ISO text after reading
    "annee",
    "nombre",
    "effectif",  # whole number >= 0
    "silence",
    "choix",
    "choix_multiple",  # codes joined by ";"
    "oui_non",
    "identifiant",
    "codes_qpv",
]

SILENCES: dict[str, str] = {
    "non_concerne": "sans objet",
    "ne_sait_pas": "ne sait pas",
    "refus": "ne souhaite pas répondre",
    "non_demande": "non demandé",
    "non_repondu": "non renseigné",
}
# What people type for a silence, once lower-cased, without accents or punctuation.
SILENCE_SYNONYMS: dict[str, str] = {
    "so": "non_concerne",
    "sans objet": "non_concerne",
    "non concerne": "non_concerne",
    "nsp": "ne_sait_pas",
    "ne sait pas": "ne_sait_pas",
    "je ne sais pas": "ne_sait_pas",
    "refus": "refus",
    "ne souhaite pas repondre": "refus",
    "je ne souhaite pas repondre": "refus",
    "prefere ne pas repondre": "refus",
    "nd": "non_demande",
    "non demande": "non_demande",
    "nr": "non_repondu",
    "nc": "non_repondu",
    "n.c.": "non_repondu",
    "non renseigne": "non_repondu",
    "non repondu": "non_repondu",
    "non communique": "non_repondu",
}
# A column whose header starts so is written by evalkit beside the cells to fill; the reader skips it without a word.
HELP_COLUMN_PREFIX = "(aide)"
# Sheets of the entry workbook that are there to be read, not filled: the reader skips them. The sheet `territoire` has the
# columns `cle` and `valeur` (lists joined by `;`, facts such as `conseil_citoyen` beside the rest), the sheet `qpv` the
# columns `code`, `nom`, `geographie`, `communes`.
DISPLAY_SHEETS = ("lisez_moi", "referentiel", "listes", "echelles", "fiches")
STATUSES: dict[str, str] = {
    "secret": "secret statistique",
    "non_significatif": "non significatif",
    "non_disponible": "non disponible",
    "non_calculable": "non calculable",
}


@dataclass(frozen=True)
class Column:
    """One column of a table: header (``name``), kind of cell, whether a row without it is refused."""

    name: str
    kind: Kind
    required: bool = False
    choices: tuple[str, ...] = ()
    help: str = ""
    confidential: bool = False  # never printed


@dataclass(frozen=True)
class Table:
    """One table of a dossier: sheet or CSV of that ``name``. ``key``: columns that must be unique together."""

    name: str
    label: str
    row: str  # what one row is
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """One column by its header."""
        return next(column for column in self.columns if column.name == name)


def _amounts() -> tuple[Column, ...]:
    funders = ("p147", "epci", "communes", "departement", "region", "caf", "autres_publics", "prive")
    return tuple(
        Column(f"montant_{name}", "nombre", help="en euros ; vide = non renseigné, jamais zéro") for name in funders
    )


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "cotations",
            "Cotations",
            "une cotation d'une personne ou d'une instance",
            (
                Column("sous_question", "code_sous_question", required=True),
                Column(
                    "repondant",
                    "repondant",
                    required=True,
                    help="code technique (R01), jamais un nom",
                    confidential=True,
                ),
                Column("groupe", "groupe", required=True),
                Column("niveau", "niveau", required=True, help="0 à 5, ou un silence"),
                Column("preuve", "texte", confidential=True),
                Column("commentaire", "texte", help="jamais imprimé", confidential=True),
                Column("date", "date"),
            ),
            key=("sous_question", "repondant"),
        ),
        Table(
            "arbitrages",
            "Niveaux arbitrés",
            "le niveau arrêté en réunion pour une sous-question",
            (
                Column("sous_question", "code_sous_question", required=True),
                Column("niveau", "niveau", required=True),
                Column("preuve", "texte", help="document ou fait daté qui justifie le niveau"),
                Column("date", "date"),
                Column("instance", "texte", help="instance qui a arrêté le niveau"),
            ),
            key=("sous_question",),
        ),
        Table(
            "indicateurs",
            "Indicateurs",
            "une valeur d'un indicateur pour une année",
            (
                Column("indicateur", "code_indicateur", required=True),
                Column("annee", "annee", required=True),
                Column("valeur", "texte", help="nombre, ou code de modalité pour un indicateur à catégories"),
                Column("numerateur", "nombre"),
                Column("denominateur", "nombre"),
                Column("source", "texte", help="d'où vient le chiffre"),
                Column("silence", "silence"),
            ),
            key=("indicateur", "annee", "source"),
        ),
        Table(
            "constats",
            "Constats et préconisations",
            "un constat, dans les mots du pilote, imprimé tel quel",
            (
                Column("id", "identifiant", required=True),
                Column("question", "code_question", required=True),
                Column("type", "choix", required=True, choices=("reussite", "frein", "preconisation", "action")),
                Column("texte", "texte", required=True),
                Column("origine", "texte", help="d'où vient le constat : atelier, enquête, document"),
                Column("repond_a", "texte", help="identifiants des constats auxquels il répond, séparés par ;"),
                Column("responsable", "fonction", help="une fonction, jamais une personne"),
                Column("echeance", "date"),
                Column("statut", "choix", choices=("propose", "valide", "engage", "realise", "abandonne")),
            ),
            key=("id",),
        ),
        Table(
            "suivis",
            "Suivi des préconisations précédentes",
            "ce qu'est devenue une préconisation de la campagne précédente",
            (
                Column("constat_precedent", "identifiant", required=True),
                Column(
                    "statut",
                    "choix",
                    required=True,
                    choices=("realise", "en_cours", "reporte", "abandonne", "sans_suite", "non_renseigne"),
                ),
                Column("date", "date"),
                Column("commentaire_public", "texte"),
            ),
            key=("constat_precedent",),
        ),
        Table(
            "verbatims",
            "Verbatims",
            "une parole rapportée",
            (
                Column("enquete", "texte", help="enquête ou atelier d'où vient la parole"),
                Column("question", "code_question", required=True),
                Column("texte", "texte", required=True),
                Column("theme", "texte"),
                Column("nb_personnes", "effectif", help="personnes ayant exprimé une idée équivalente"),
                Column("publiable", "oui_non", required=True),
                Column("date_relecture", "date"),
            ),
        ),
        Table(
            "actions",
            "Programme d'actions",
            "une action financée",
            (
                Column("action_id", "identifiant", required=True),
                Column("annee", "annee", required=True),
                Column("titre", "texte", required=True),
                Column("porteur_id", "identifiant", confidential=True),
                Column(
                    "porteur_type",
                    "choix",
                    choices=("association", "collectivite", "bailleur", "etablissement", "entreprise", "autre"),
                ),
                Column("porteur_etp_tranche", "texte"),
                Column("porteur_en_qpv", "oui_non"),
                Column("qpv_codes", "codes_qpv"),
                Column("geographie", "choix", choices=("2015", "2024")),
                Column("thematique", "texte"),
                Column("objectif_contrat", "texte"),
                Column("objectif_loi", "texte"),
                *_amounts(),
                Column("classement_financement", "choix", choices=("droit_commun", "specifique", "non_classe")),
                Column("conventionnement", "choix", choices=("annuel", "pluriannuel", "fonctionnement")),
                Column("date_depot", "date"),
                Column("date_notification", "date"),
                Column("date_versement", "date"),
                Column("beneficiaires_total", "effectif"),
                Column("beneficiaires_qpv", "effectif"),
                Column("beneficiaires_femmes", "effectif"),
                Column("bilan_recu", "oui_non"),
                Column("statut_suite", "choix", choices=("reconduite", "relayee", "arretee", "transformee")),
            ),
            key=("action_id", "annee"),
        ),
    )
}


@dataclass(frozen=True, repr=False)
class Dossier:
    """What was read of one territory's folder. Confidential: never drawn, printed or stamped.

    ``tables`` holds every table of :data:`TABLES`, empty when absent, with the declared columns. Dtypes: ``str`` (NaN =
    empty) for text, codes, choices, ISO dates; float for numbers; ``niveau`` float plus ``silence`` str; ``oui_non`` as
    ``str`` ``oui``/``non``/NaN. In ``indicateurs``, ``valeur`` is float and a category code goes to ``modalite`` (str).
    """

    territoire: Territory
    campagne: Campagne
    tables: Mapping[str, pd.DataFrame]
    contexte: pd.DataFrame  # columns of DESIGN §9, rows of the territory's QPV (and of qpv_anciens)
    precedents: pd.DataFrame  # `constats` of the previous campaign, same columns; empty if none
    reference: Mapping[str, Any] | None = None  # parsed reference_regionale.json
    textes: Mapping[str, str] = field(default_factory=dict)  # free sections, by file stem
    local: Mapping[str, Any] | None = None
    avertissements: tuple[Fault, ...] = ()
    # by code of the questionnaire (ENQ-ASSO…): answers (model/survey.ANSWER_COLUMNS and one column per question) and what
    # the import said of them: {"n_sollicites": {partie: int}, "population": …, "collecte": {partie: str}, "outil", "date", "lues", "gardees",
    # "listes_non_declarees": [question] when there are some}
    enquetes: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    enquetes_import: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # questionnaires whose files were left out on request, by code: why, in French
    enquetes_ecartees: Mapping[str, str] = field(default_factory=dict)
    empreinte: str = ""  # keyed fingerprint of the data (`.evalkit/cle`), hexadecimal

    def __repr__(self) -> str:  # never an answer in a log or a traceback
        return f"<{type(self).__name__} {self.territoire.dossier}>"
