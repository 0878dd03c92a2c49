"""The page that tells what the invented territories teach."""

from __future__ import annotations

from collections import Counter

from outils_dev.exemples.territoires import PLANS

_CAS = (
    (
        "ardelle",
        "le cas ordinaire et complet",
        "`cotations.csv` : six groupes pour chaque question ; `arbitrages.csv` : les 40 sous-questions ont un niveau, une ligne chacune ; "
        "`suivis.csv` : ce que sont devenues les préconisations de `2019/ardelle/constats.csv`",
    ),
    (
        "morvecque",
        "le petit groupe que le secret protège",
        "`cotations.csv`, colonne `groupe` : trois associations, cinq conseillers citoyens, dix partenaires, onze communes. "
        "La médiane demande cinq cotations exprimées, la distribution onze : un « ne sait pas » suffit à passer dessous",
    ),
    (
        "houdrincq",
        "des groupes qui ne sont pas d’accord",
        "`cotations.csv`, sous-questions Q3.1 à Q3.6 : le pilote cote haut, les conseillers citoyens bas ; sous-questions Q4.2 et Q4.3 : "
        "les associations se partagent entre 0 ou 1 et 4 ou 5",
    ),
    (
        "wastrelles",
        "une couverture trop faible",
        "`arbitrages.csv` : un tiers des sous-questions seulement ont un niveau ; quelques autres portent un silence. "
        "Le fichier est enregistré comme le fait un ancien tableur (cp1252, dates 31/12/2022)",
    ),
    (
        "estrinoy",
        "pas de conseil citoyen",
        "`territoire.yml`, `conseil_citoyen: non` : les sous-questions Q3.2 à Q3.6 ne s’appliquent pas, et rien n’y vaut zéro",
    ),
    (
        "vaudremies",
        "un dossier tenu dans un classeur",
        "`evaluation.xlsx`, feuille `arbitrages` : le descripteur à côté du niveau ; feuille `suivis` : les préconisations de 2019 "
        "(`2019/vaudremies/constats.csv`)",
    ),
)


def lisezmoi() -> str:
    """Text of ``sample_data/LISEZMOI.md``."""
    departements = Counter(plan.departement for plan in PLANS)
    quartiers = Counter[str]()
    for plan in PLANS:
        quartiers[plan.departement] += plan.nb_qpv
    lignes = [
        "# Exemples fictifs",
        "",
        "**DONNÉES FICTIVES.** Les territoires, les quartiers (codes `QF…`), les réponses, les paroles et les chiffres de ce dossier sont",
        "inventés. Aucun nom n’est celui d’une commune de la région. Rien ici ne décrit un contrat de ville réel.",
        "",
        "Ces données sont placées sous **Licence Ouverte 2.0** (Etalab) : réutilisez-les en disant d’où elles viennent.",
        "",
        f"- `2022/` : {len(PLANS)} contrats de ville et {sum(quartiers.values())} quartiers, dans les proportions de la région ;",
        f"- `2019/` : la campagne précédente de {sum(plan.suivi for plan in PLANS)} d’entre eux ;",
        "- `2022/contexte_source/` : des fichiers inventés à la disposition de ceux de l’Insee, lus comme eux ;",
        "- les clés `.evalkit/` livrées ici ne protègent rien : elles servent à ce que chacun obtienne les mêmes cachets.",
        "",
        "| département | contrats | quartiers |",
        "|---|---|---|",
        *(f"| {code} | {departements[code]} | {quartiers[code]} |" for code in sorted(departements)),
        "",
        "## Six cas pour apprendre",
        "",
        "| dossier | ce qu’il montre | où regarder |",
        "|---|---|---|",
        *(f"| `2022/{dossier}` | {montre} | {ou} |" for dossier, montre, ou in _CAS),
        "",
        "## Les autres",
        "",
        "Chacun est différent : de un à vingt quartiers, des groupes absents ou petits, une couverture de zéro à complète, des fichiers CSV",
        "de trois habitudes, des classeurs (`ostrevelle.xlsx` et `crespelieu.xlsx` sont des dossiers d’un seul fichier). `thunelles` n’a que",
        "son identité : son rapport dit « non renseigné », et aucun zéro.",
        "",
        "Trois territoires ont passé des questionnaires (dossier `enquetes/`) : `ardelle` les cinq (un export Google Forms laissé tel quel dans",
        "`brut/`, quatre importés), `morvecque` deux (peu de réponses : presque tout y est secret), `estrinoy` un (toutes ses associations ont",
        "répondu : il n’y a pas de marge d’erreur).",
        "",
        "## Les refaire",
        "",
        "```",
        "python -m outils_dev.fabriquer_exemples",
        "```",
        "",
        "Le même programme redonne les mêmes fichiers, octet pour octet.",
    ]
    return "\n".join(lignes) + "\n"
