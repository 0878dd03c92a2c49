"""Ratings and settled levels: who rates what, how high, how sure, and who stays silent."""

from __future__ import annotations

from statistics import median_low

from outils_dev.exemples.hasard import tirage
from outils_dev.exemples.territoires import GROUPES, Plan

_COOPERATIONS = tuple(f"Q{question}.{rang}" for question in (1, 2, 3, 4) for rang in range(1, 7))
SOUS_QUESTIONS: dict[str, tuple[str, ...]] = {
    "cooperations": _COOPERATIONS,
    "discriminations": tuple(f"LCD.{rang}" for rang in range(1, 9)),
    "egalite_femmes_hommes": tuple(f"EFH.{rang}" for rang in range(1, 9)),
}
# Which groups are asked, besides the pilot and the State: by sub-question, else by question.
SONDES: dict[str, tuple[str, ...]] = {
    "Q1": ("commune", "partenaire"),
    "Q1.2": ("commune", "partenaire", "association"),
    "Q1.4": ("commune", "partenaire", "association"),
    "Q2": ("commune", "partenaire"),
    "Q2.4": ("partenaire", "association", "conseiller_citoyen"),
    "Q2.6": ("partenaire", "association", "conseiller_citoyen"),
    "Q3": ("partenaire", "conseiller_citoyen"),
    "Q3.4": ("association", "conseiller_citoyen"),
    "Q4": ("commune", "association"),
    "Q4.5": ("partenaire", "association"),
    "LCD": ("partenaire", "association"),
    "EFH": ("partenaire", "association"),
}
# Some things are harder everywhere.
DIFFICULTE = {
    "Q2.1": -0.7,
    "Q2.3": -0.5,
    "Q2.6": -0.4,
    "Q3.4": -0.6,
    "Q4.3": -0.5,
    "LCD": -0.9,
    "EFH": -0.4,
    "Q1.1": 0.5,
}
SILENCES = ("ne_sait_pas", "ne_sait_pas", "ne_sait_pas", "non_concerne", "non_repondu", "non_demande", "refus")
PREUVES = (
    "compte rendu du comité de pilotage du {date}",
    "délibération du {date}",
    "rapport annuel 2021 présenté le {date}",
    "avenant signé le {date}",
    "tableau de suivi partagé, mis à jour le {date}",
    "relevé de décisions du comité technique du {date}",
    "bilan de la programmation 2021",
    "convention bilatérale signée le {date}",
    "charte des conseils citoyens, version du {date}",
    "règlement de l’appel à projets 2022",
)
INSTANCES = ("comité d’évaluation", "comité technique élargi", "comité de pilotage", "atelier de restitution")
COMMENTAIRES = (
    "à rediscuter avec la commune voisine",
    "réponse donnée après échange en équipe",
    "je réponds pour mon service seulement",
    "peu de recul, poste occupé depuis un an",
    "vu en réunion, document à retrouver",
)


def applicables(plan: Plan) -> list[str]:
    """Sub-questions the territory had to look at."""
    codes = [code for module in plan.modules for code in SOUS_QUESTIONS[module]]
    return [code for code in codes if plan.conseil_citoyen or code == "Q3.1" or not code.startswith("Q3")]


def _vrai(plan: Plan, code: str) -> float:
    if code == "Q3.1" and not plan.conseil_citoyen:
        return 0.2
    question = code.split(".")[0]
    ecart = DIFFICULTE.get(code, DIFFICULTE.get(question, 0.0))
    return plan.niveau + ecart + tirage("niveau", plan.dossier, code).gauss(0, 0.7)


def _biais(plan: Plan, groupe: str, code: str) -> float:
    usuel = {"pilote": 0.35, "etat": 0.1, "conseiller_citoyen": -0.35, "association": -0.15}.get(groupe, 0.0)
    return usuel + plan.biais.get(groupe, 0.0) + tirage("groupe", plan.dossier, groupe, code).gauss(0, 0.35)


def _repondants(plan: Plan) -> list[tuple[str, str]]:
    sortie: list[tuple[str, str]] = []
    for groupe, effectif in zip(GROUPES, plan.effectifs, strict=True):
        sortie += [(f"R{len(sortie) + rang + 1:02d}", groupe) for rang in range(effectif)]
    return sortie


def _note(plan: Plan, code: str, groupe: str, repondant: str, recul: float) -> int:
    hasard = tirage("cotation", plan.dossier, code, repondant)
    if groupe == "association" and code in plan.partage:
        return hasard.choice((0, 1, 1)) if int(repondant[1:]) % 2 else hasard.choice((4, 4, 5))
    bruit = 0.3 if groupe in ("pilote", "etat") else 0.85
    return min(5, max(0, round(_vrai(plan, code) + _biais(plan, groupe, code) + recul + hasard.gauss(0, bruit))))


def jour(annee: int, *noms: object, mois: tuple[int, int] = (3, 6)) -> str:
    """An ISO date of that year, in the given months, fixed by its names."""
    hasard = tirage("date", annee, *noms)
    return f"{annee}-{hasard.randint(*mois):02d}-{hasard.randint(1, 28):02d}"


def cotations(plan: Plan, annee: int, groupes: tuple[str, ...] = GROUPES) -> list[dict[str, object]]:
    """Rows of ``cotations``: a level from 0 to 5 or a silence, never an empty cell taken for zero."""
    lignes: list[dict[str, object]] = []
    for code in applicables(plan):
        sondes = ("pilote", "etat", *SONDES.get(code, SONDES[code.split(".")[0]]))
        for repondant, groupe in _repondants(plan):
            if groupe not in sondes or groupe not in groupes:
                continue
            hasard = tirage("reponse", plan.dossier, annee, code, repondant)
            muet = hasard.random() < (0.02 if groupe in ("pilote", "etat") else 0.06)
            recul = -0.6 if annee < 2022 else 0.0
            niveau = hasard.choice(SILENCES) if muet else str(_note(plan, code, groupe, repondant, recul))
            institution = groupe in ("pilote", "etat")
            lignes.append(
                {
                    "sous_question": code,
                    "repondant": repondant,
                    "groupe": groupe,
                    "niveau": niveau,
                    "preuve": _preuve(plan, code, annee) if institution and not muet else "",
                    "commentaire": hasard.choice(COMMENTAIRES) if hasard.random() < 0.04 else "",
                    "date": jour(annee, "atelier", plan.dossier, groupe),
                }
            )
    return lignes


def _preuve(plan: Plan, code: str, annee: int) -> str:
    hasard = tirage("preuve", plan.dossier, code, annee)
    an, mois, quantieme = jour(annee, "preuve", plan.dossier, code, mois=(1, 3)).split("-")
    return hasard.choice(PREUVES).format(date=f"{quantieme}/{mois}/{an}")


def arbitrages(plan: Plan, annee: int, notes: list[dict[str, object]]) -> list[dict[str, object]]:
    """Rows of ``arbitrages``: the level settled in a meeting, near what was rated, for the share the territory covered."""
    lignes: list[dict[str, object]] = []
    codes = applicables(plan)
    ordre = list(codes)
    tirage("couverture", plan.dossier, annee).shuffle(ordre)
    arretes = set(ordre[: round(plan.couverture * len(codes))])
    for code in codes:
        exprimees = [int(str(n["niveau"])) for n in notes if n["sous_question"] == code and str(n["niveau"]).isdigit()]
        hasard = tirage("arbitrage", plan.dossier, annee, code)
        if code not in arretes:
            if hasard.random() < 0.25:
                silence = hasard.choice(("non_repondu", "ne_sait_pas", "non_demande"))
                lignes.append({"sous_question": code, "niveau": silence})
            continue
        niveau = median_low(exprimees) if exprimees else round(max(0.0, min(5.0, plan.niveau)))
        lignes.append(
            {
                "sous_question": code,
                "niveau": niveau,
                "preuve": _preuve(plan, code, annee) if hasard.random() < 0.85 else "",
                "date": jour(annee, "arbitrage", plan.dossier, code.split(".")[0], mois=(9, 10)),
                "instance": tirage("instance", plan.dossier, code.split(".")[0]).choice(INSTANCES),
            }
        )
    return lignes
