"""Forty invented contracts: who they are, how they answered, and in which form their dossier comes.

Every name is invented. The number of QPV by department follows the region's (17, 91, 18, 64 and 9 for departments 02,
59, 60, 62 and 80), the number of contracts is of the same order as the real one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from evalkit.wording import elide
from outils_dev.exemples.hasard import tirage

TOUS_MODULES = ("cooperations", "discriminations", "egalite_femmes_hommes")
GROUPES = ("pilote", "etat", "commune", "partenaire", "association", "conseiller_citoyen")
MOYENS = (1, 1, 5, 12, 14, 12)
H_ASPIRE = ("Houdrincq",)


class Quartier(TypedDict):
    """An invented neighbourhood, as written in ``territoire.yml``."""

    code: str
    nom: str
    geographie: str
    communes: list[str]


@dataclass(frozen=True)
class Plan:
    """What the generator must know of one invented territory.

    ``effectifs``: respondents of the six groups, in the order of :data:`GROUPES`. ``niveau``: usual maturity, 0 to 5.
    ``couverture``: share of the sub-questions that were settled. ``forme``: csv, csv_bom, csv_cp1252, dossier_xlsx
    (a folder with a workbook), classeur (one lone workbook), vide (identity only).
    """

    dossier: str
    ville: str
    departement: str
    type: str
    nb_qpv: int
    niveau: float
    couverture: float
    effectifs: tuple[int, ...] = MOYENS
    forme: str = "csv"
    modules: tuple[str, ...] = TOUS_MODULES
    conseil_citoyen: bool = True
    suivi: bool = False
    biais: Mapping[str, float] = field(default_factory=dict)
    partage: tuple[str, ...] = ()  # sub-questions on which the associations are split in two
    enseigne: str = ""

    @property
    def de_ville(self) -> str:
        """The main town after « de », elided where it must be: « d’Ardelle »."""
        return f"de {self.ville}" if self.ville in H_ASPIRE else elide("de", self.ville)

    @property
    def nom(self) -> str:
        """Name of the contract, as printed."""
        return f"Contrat de ville {self.de_ville}"

    @property
    def epci(self) -> str:
        """Name of the inter-municipal body ("" for a town alone)."""
        libelle = {
            "communaute_de_communes": "Communauté de communes",
            "communaute_agglomeration": "Communauté d’agglomération",
            "communaute_urbaine": "Communauté urbaine",
            "metropole": "Métropole",
        }.get(self.type, "")
        return f"{libelle} {self.de_ville}" if libelle else ""


_COM, _CC, _CA, _CU, _MET = (
    "commune",
    "communaute_de_communes",
    "communaute_agglomeration",
    "communaute_urbaine",
    "metropole",
)
COEUR = ("cooperations",)

PLANS: tuple[Plan, ...] = (
    # --- six teaching cases -----------------------------------------------------------------------------------------
    Plan(
        "ardelle",
        "Ardelle",
        "59",
        _CA,
        6,
        2.9,
        1.0,
        (1, 1, 6, 13, 15, 12),
        suivi=True,
        enseigne="Le cas ordinaire et complet : six groupes ont répondu, toutes les sous-questions sont arbitrées.",
    ),
    Plan(
        "morvecque",
        "Morvecque",
        "62",
        _CC,
        3,
        2.4,
        0.92,
        (1, 1, 11, 10, 3, 5),
        "csv_bom",
        enseigne="Le petit groupe que le secret protège : trois associations seulement ont coté, leur médiane ne paraît pas.",
    ),
    Plan(
        "houdrincq",
        "Houdrincq",
        "59",
        _CU,
        10,
        2.7,
        0.95,
        (1, 1, 9, 16, 24, 15),
        biais={"pilote": 1.2, "conseiller_citoyen": -1.5, "association": -0.4},
        partage=("Q4.2", "Q4.3"),
        enseigne="Les groupes ne sont pas d’accord : l’écart à débattre sur les conseils citoyens, le groupe partagé sur les financements.",
    ),
    Plan(
        "wastrelles",
        "Wastrelles",
        "02",
        _CC,
        2,
        2.1,
        0.33,
        (1, 1, 4, 6, 8, 6),
        "csv_cp1252",
        enseigne="La couverture est faible : un tiers des sous-questions seulement sont arbitrées, aucun niveau de question n’est donné.",
    ),
    Plan(
        "estrinoy",
        "Estrinoy",
        "60",
        _CA,
        4,
        2.6,
        0.9,
        (1, 1, 4, 11, 12, 0),
        conseil_citoyen=False,
        enseigne="Il n’y a pas de conseil citoyen : les sous-questions Q3.2 à Q3.6 ne s’appliquent pas, et ne valent pas zéro.",
    ),
    Plan(
        "vaudremies",
        "Vaudremies",
        "62",
        _CA,
        7,
        3.2,
        0.96,
        (1, 1, 7, 14, 17, 11),
        "dossier_xlsx",
        suivi=True,
        enseigne="Un dossier tenu dans un classeur, et le suivi des préconisations de 2019.",
    ),
    # --- the thirty-four others -------------------------------------------------------------------------------------
    Plan("thunelles", "Thunelles", "80", _COM, 1, 1.0, 0.0, (0, 0, 0, 0, 0, 0), "vide"),
    Plan("lansbecque", "Lansbecque", "59", _MET, 20, 3.4, 1.0, (2, 1, 14, 30, 42, 26), suivi=True),
    Plan("cambreulle", "Cambreulle", "59", _CA, 15, 2.8, 0.88, (1, 1, 10, 22, 31, 18), "csv_cp1252", suivi=True),
    Plan("noirmesle", "Noirmesle", "59", _CA, 9, 2.2, 0.79, (1, 1, 8, 11, 19, 10)),
    Plan("hellezies", "Hellezies", "59", _CA, 7, 3.0, 0.92, (1, 1, 5, 12, 11, 9), "csv_bom"),
    Plan("tourbelies", "Tourbelies", "59", _CC, 5, 1.8, 0.71, (1, 1, 6, 7, 10, 8)),
    Plan("marquivoy", "Marquivoy", "59", _CC, 4, 2.5, 0.83, (1, 0, 5, 9, 12, 7), "dossier_xlsx"),
    Plan("ravelinghem", "Ravelinghem", "59", _CA, 4, 2.9, 0.96, (1, 1, 3, 12, 11, 11), suivi=True),
    Plan("wirbecque", "Wirbecque", "59", _CC, 3, 2.3, 0.75, (1, 1, 4, 8, 9, 0), conseil_citoyen=False),
    Plan("ysolepont", "Pont-sur-Ysole", "59", _COM, 2, 2.6, 0.88, (1, 1, 0, 10, 12, 10), "csv_cp1252"),
    Plan("drincelle", "Drincelle", "59", _COM, 2, 1.6, 0.54, (1, 0, 0, 5, 6, 4)),
    Plan("ostrevelle", "Ostrevelle", "59", _CC, 2, 3.3, 1.0, (1, 1, 5, 11, 13, 8), "classeur"),
    Plan("saulzelle", "Saulzelle", "59", _COM, 1, 2.0, 0.67, (1, 1, 0, 3, 5, 0), conseil_citoyen=False, modules=COEUR),
    Plan("vermelois", "Vermelois", "59", _COM, 1, 2.8, 0.92, (1, 1, 0, 7, 11, 9), "csv_bom"),
    Plan("gravecques", "Gravecques", "62", _CA, 15, 3.1, 0.96, (1, 1, 12, 25, 34, 21), suivi=True),
    Plan("merlinghem", "Merlinghem", "62", _CA, 12, 2.6, 0.85, (1, 1, 11, 15, 22, 14), "csv_bom"),
    Plan("bailloncq", "Bailloncq", "62", _CA, 9, 2.0, 0.77, (1, 1, 8, 12, 15, 9), "dossier_xlsx", suivi=True),
    Plan("corbinghem", "Corbinghem", "62", _CA, 6, 2.7, 0.90, (1, 1, 6, 13, 12, 11)),
    Plan("feuchelle", "Feuchelle", "62", _CC, 5, 3.5, 1.0, (1, 1, 5, 11, 16, 12), "csv_cp1252"),
    Plan("aldrebourg", "Aldrebourg", "62", _CC, 4, 2.2, 0.65, (1, 0, 4, 6, 8, 5)),
    Plan("crespelieu", "Crespelieu", "62", _CC, 1, 1.9, 0.58, (1, 1, 3, 5, 6, 0), "classeur", conseil_citoyen=False),
    Plan("thubrelle", "Thubrelle", "62", _COM, 1, 2.9, 0.88, (1, 1, 0, 8, 11, 7)),
    Plan("escarbelle", "Escarbelle", "62", _COM, 1, 3.0, 0.96, (1, 1, 0, 11, 10, 6), "csv_bom"),
    Plan("brevaucourt", "Brévaucourt", "02", _CA, 5, 2.8, 0.92, (1, 1, 6, 12, 14, 11), "dossier_xlsx", suivi=True),
    Plan("thernelle", "Thernelle", "02", _CA, 4, 2.3, 0.81, (1, 1, 5, 9, 11, 8)),
    Plan("lorquivoy", "Lorquivoy", "02", _CC, 3, 2.6, 0.88, (1, 1, 4, 8, 10, 6), "csv_cp1252"),
    Plan("nogelles", "Nogelles", "02", _CC, 2, 1.7, 0.46, (1, 0, 3, 4, 5, 3), modules=COEUR),
    Plan("montrelieu", "Montrelieu", "02", _COM, 1, 2.5, 0.75, (1, 1, 0, 6, 7, 5)),
    Plan("pierredane", "Pierredane", "60", _CA, 7, 3.2, 0.98, (1, 1, 8, 17, 21, 13), suivi=True),
    Plan("avrenoy", "Avrenoy", "60", _CA, 3, 2.7, 0.85, (1, 1, 4, 10, 11, 9), "dossier_xlsx"),
    Plan("liancelle", "Liancelle", "60", _CC, 2, 2.1, 0.73, (1, 1, 3, 7, 8, 5), "csv_bom"),
    Plan("oisdrelle", "Oisdrelle", "60", _COM, 2, 2.9, 0.90, (1, 1, 0, 9, 12, 11)),
    Plan("sommelange", "Sommelange", "80", _CA, 6, 3.0, 0.94, (1, 1, 5, 15, 18, 12), "dossier_xlsx", suivi=True),
    Plan("fressinelle", "Fressinelle", "80", _CC, 2, 2.2, 0.69, (1, 1, 4, 6, 7, 0), conseil_citoyen=False),
)

_RACINES = (
    "Alvr",
    "Brauvel",
    "Cosmar",
    "Drevin",
    "Esquam",
    "Flaudr",
    "Gorven",
    "Hestrom",
    "Ivrem",
    "Jausel",
    "Kervel",
    "Loudrin",
    "Mesvran",
    "Noudel",
    "Oltrem",
    "Pruvel",
    "Quemin",
    "Rouvrel",
    "Sarvin",
    "Tilvran",
    "Urvel",
    "Vlaem",
    "Warnoul",
    "Ysomb",
)
_FINALES = {
    "59": ("eghem", "ebecque", "oncq", "ignies", "ecourt"),
    "62": ("inghem", "elles", "imetz", "ecques"),
    "02": ("ecourt", "evillers", "elieu"),
    "60": ("ivillers", "oy-le-Val", "emont-sous-Bois"),
    "80": ("oncourt-en-Plaine", "evilliers", "oy-sur-Dorme"),
}
QUARTIERS = (
    "Les Tisserands",
    "Le Grand Large",
    "La Briqueterie",
    "Cité des Fondeurs",
    "Les Peupliers",
    "Le Moulin Blanc",
    "Les Glycines",
    "Quartier des Verriers",
    "La Sucrerie",
    "Les Hauts Champs",
    "Résidence du Canal",
    "Le Pont Tournant",
    "Les Dentellières",
    "Cité du Puits Neuf",
    "La Plaine des Sports",
    "Les Coquelicots",
    "Le Faubourg du Lin",
    "Les Bateliers",
    "Le Vallon",
    "Les Terrils Verts",
    "Quartier de la Filature",
    "Les Mariniers",
    "Le Champ de Mai",
    "Les Trois Ormes",
    "La Corderie",
    "Les Maraîchers",
    "Le Clos des Houblons",
    "Cité des Cheminots",
    "Les Bleuets",
    "Le Vieux Four",
    "La Chicorée",
    "Les Peigneurs",
    "Quartier du Beffroi Neuf",
    "Les Saules",
    "La Tannerie",
    "Les Ateliers",
)


def communes(plan: Plan) -> tuple[str, ...]:
    """Invented towns of a territory that have a QPV: its main town, then others nobody else has."""
    if plan.type == "commune":
        return (plan.ville,)
    nombre = max(1, min(plan.nb_qpv, 1 + plan.nb_qpv * 3 // 5))
    reserve = [racine + finale for finale in _FINALES[plan.departement] for racine in _RACINES]
    tirage("communes", plan.departement).shuffle(reserve)
    debut = 0
    for autre in PLANS:
        if autre.dossier == plan.dossier:
            break
        if autre.departement == plan.departement and autre.type != "commune":
            debut += max(1, min(autre.nb_qpv, 1 + autre.nb_qpv * 3 // 5)) - 1
    return (plan.ville, *reserve[debut : debut + nombre - 1])


def qpv(plan: Plan) -> list[Quartier]:
    """Neighbourhoods of a territory, as written in ``territoire.yml``: invented codes ``QF…``, numbered by department."""
    rang = 1
    for autre in PLANS:
        if autre.dossier == plan.dossier:
            break
        rang += autre.nb_qpv if autre.departement == plan.departement else 0
    noms = list(QUARTIERS)
    tirage("quartiers", plan.dossier).shuffle(noms)
    villes = communes(plan)
    return [
        {
            "code": f"QF{int(plan.departement):03d}{rang + i:03d}",
            "nom": noms[i],
            "geographie": "2015",
            "communes": [villes[i % len(villes)]],
        }
        for i in range(plan.nb_qpv)
    ]
