"""Findings, quotations, follow-up and the programme of actions of an invented territory."""

from __future__ import annotations

from collections.abc import Sequence

from outils_dev.exemples import phrases
from outils_dev.exemples.cotations import applicables, jour
from outils_dev.exemples.ecriture import Lignes
from outils_dev.exemples.hasard import tirage
from outils_dev.exemples.territoires import Plan, qpv


def _questions(plan: Plan) -> list[str]:
    codes = {code.split(".")[0] for code in applicables(plan)} - (set() if plan.conseil_citoyen else {"Q3"})
    return sorted(codes, key=["Q1", "Q2", "Q3", "Q4", "LCD", "EFH"].index)


def _dicible(plan: Plan, annee: int, *textes: str) -> bool:
    """Tell whether this territory could have written this, that year."""
    exclus = [] if annee > 2019 else ["crise sanitaire", "2021"]
    exclus += [] if plan.conseil_citoyen else ["conseil citoyen", "conseils citoyens", "conseillers"]
    exclus += ["commune", "agglomération"] if plan.type == "commune" else []
    return not any(exclu in texte for texte in textes for exclu in exclus)


def _dire(plan: Plan, phrase: str, *noms: object) -> str:
    quartier = tirage("quartier dit", plan.dossier, phrase, *noms).choice(qpv(plan))["nom"]
    return _nommer(phrase, plan, f"« {quartier} »")


def _nommer(phrase: str, plan: Plan, quartier: str = "") -> str:
    """Put the names in a phrase, « de » elided before those that ask for it: « l’hôpital d’Ardelle »."""
    return phrase.replace("de {ville}", plan.de_ville).format(quartier=quartier, ville=plan.ville)


def constats(plan: Plan, annee: int) -> Lignes:
    """Rows of ``constats``: successes, obstacles, recommendations that answer an obstacle, actions that answer one too."""
    lignes: Lignes = []
    for question in _questions(plan):
        lignes += _constats_question(plan, annee, question)
    return lignes


def _constats_question(plan: Plan, annee: int, question: str) -> Lignes:
    hasard = tirage("constats", plan.dossier, annee, question)
    axe = not question.startswith("Q")
    n_reussites = hasard.randint(0, 1) if axe else hasard.randint(1, 3)
    n_freins = hasard.randint(1, 2) if axe else hasard.randint(1, 3)
    lignes: Lignes = []

    def ajouter(sorte: str, texte: str, repond_a: str = "", responsable: str = "") -> str:
        prefixe = {"reussite": "R", "frein": "F", "preconisation": "P", "action": "A"}[sorte]
        rang = sum(str(ligne["type"]) == sorte for ligne in lignes) + 1
        identifiant = f"{question}-{prefixe}{rang}"
        a_venir = sorte in ("preconisation", "action")
        lignes.append(
            {
                "id": identifiant,
                "question": question,
                "type": sorte,
                "texte": _dire(plan, texte, annee),
                "origine": "" if a_venir else hasard.choice(phrases.ORIGINES),
                "repond_a": repond_a,
                "responsable": _nommer(responsable, plan),
                "echeance": jour(annee + 1, plan.dossier, identifiant, mois=(1, 12)) if a_venir else "",
                "statut": hasard.choice(("propose", "valide", "valide", "engage")) if a_venir else "",
            }
        )
        return identifiant

    reussites = [texte for texte in phrases.REUSSITES[question] if _dicible(plan, annee, texte)]
    for texte in hasard.sample(reussites, min(n_reussites, len(reussites))):
        ajouter("reussite", texte)
    possibles = [trio for trio in phrases.FREINS[question] if _dicible(plan, annee, *trio)]
    for frein, preconisation, responsable in hasard.sample(possibles, n_freins):
        identifiant = ajouter("frein", frein)
        if hasard.random() < 0.85:
            ajouter("preconisation", preconisation, identifiant, responsable)
    freins = [str(ligne["id"]) for ligne in lignes if ligne["type"] == "frein"]
    if hasard.random() < 0.5:
        suites = [texte for texte in phrases.ACTIONS[question] if _dicible(plan, annee, texte)]
        ajouter("action", hasard.choice(suites), hasard.choice(freins), "chef de projet du contrat")
    return lignes


def verbatims(plan: Plan) -> Lignes:
    """Rows of ``verbatims``: some not publishable, some said by too few to be given to a group."""
    lignes: Lignes = []
    for question in _questions(plan):
        hasard = tirage("verbatims", plan.dossier, question)
        banque = phrases.VERBATIMS[question]
        for texte, theme in hasard.sample(banque, hasard.randint(0, min(3, len(banque)))):
            relu = hasard.random() < 0.75
            lignes.append(
                {
                    "enquete": hasard.choice(("atelier", "entretiens", "consultation des partenaires")),
                    "question": question,
                    "texte": texte,
                    "theme": theme,
                    "nb_personnes": hasard.choice((1, 1, 2, 3, 4, 6)),
                    "publiable": "oui" if relu else "non",
                    "date_relecture": jour(2022, "relecture", plan.dossier, mois=(10, 11)) if relu else "",
                }
            )
    return lignes


def suivis(plan: Plan, precedents: Sequence[dict[str, object]]) -> Lignes:
    """Rows of ``suivis``: what became of the recommendations of 2019; one in ten is forgotten."""
    ordre = ["realise", "en_cours", "realise", "reporte", "en_cours", "sans_suite", "abandonne", "non_renseigne"]
    tirage("suivis", plan.dossier).shuffle(ordre)
    lignes: Lignes = []
    for rang, constat in enumerate(ligne for ligne in precedents if ligne["type"] == "preconisation"):
        hasard = tirage("suivi", plan.dossier, constat["id"])
        if hasard.random() < 0.1:
            continue
        statut = ordre[rang % len(ordre)]
        commentaires = phrases.SUIVIS[statut]
        lignes.append(
            {
                "constat_precedent": constat["id"],
                "statut": statut,
                "date": jour(2022, "suivi", plan.dossier, constat["id"]) if statut != "non_renseigne" else "",
                "commentaire_public": commentaires[(rang // len(ordre) + hasard.randint(0, 9)) % len(commentaires)],
            }
        )
    return lignes


_PORTEURS = ("association",) * 7 + ("collectivite", "bailleur", "etablissement", "entreprise", "autre")
_TRANCHES = ("0", "moins de 2", "de 2 à 9", "10 et plus")


def actions(plan: Plan) -> Lignes:
    """Rows of ``actions``: the programme of 2021, fifteen to sixty actions with their funders, dates and publics."""
    nombre = min(60, 15 + 2 * plan.nb_qpv + tirage("programme", plan.dossier).randint(0, 12))
    return [_action(plan, rang) for rang in range(1, nombre + 1)]


def _action(plan: Plan, rang: int) -> dict[str, object]:
    hasard = tirage("action", plan.dossier, rang)
    titre, theme, objectif = hasard.choice(phrases.PROGRAMME)
    quartiers = hasard.sample(qpv(plan), min(len(qpv(plan)), hasard.choice((1, 1, 1, 2, 3))))
    total = hasard.randint(8, 240)
    publics = round(total * hasard.uniform(0.35, 1.0))
    association = hasard.choice(_PORTEURS)
    fini = hasard.random() < 0.9
    ligne: dict[str, object] = {
        "action_id": f"A{rang:03d}",
        "annee": 2021,
        "titre": f"{titre} – {quartiers[0]['nom']}",
        "porteur_id": f"S{hasard.randint(1, max(6, 8 + plan.nb_qpv * 2)):03d}",
        "porteur_type": association,
        "porteur_etp_tranche": hasard.choice(_TRANCHES) if association == "association" else "",
        "porteur_en_qpv": hasard.choice(("oui", "oui", "non", "")),
        "qpv_codes": ";".join(sorted(quartier["code"] for quartier in quartiers)),
        "geographie": "2015",
        "thematique": theme,
        "objectif_contrat": objectif,
        "objectif_loi": "",
        "classement_financement": hasard.choice(("specifique", "specifique", "droit_commun", "non_classe")),
        "conventionnement": hasard.choice(("annuel", "annuel", "pluriannuel", "fonctionnement")),
        "beneficiaires_total": total if fini else "",
        "beneficiaires_qpv": publics if fini else "",
        "beneficiaires_femmes": round(total * hasard.uniform(0.2, 0.75)) if fini and hasard.random() < 0.7 else "",
        "bilan_recu": hasard.choice(("oui", "oui", "oui", "non")) if fini else "",
        "statut_suite": hasard.choice(("reconduite", "reconduite", "relayee", "arretee", "transformee", "")),
    }
    return {**ligne, **_montants(plan, rang), **_dates(plan, rang)}


def _montants(plan: Plan, rang: int) -> dict[str, object]:
    hasard = tirage("montants", plan.dossier, rang)
    chances = {"epci": 0.6, "communes": 0.75, "departement": 0.3, "region": 0.25, "caf": 0.35, "autres_publics": 0.2}
    sommes: dict[str, object] = {"montant_p147": 500 * hasard.randint(2, 36)}
    for financeur, chance in chances.items():
        if hasard.random() < chance:
            sommes[f"montant_{financeur}"] = 250 * hasard.randint(2, 40)
    if hasard.random() < 0.3:
        sommes["montant_prive"] = round(hasard.uniform(120, 6500), 2)
    return sommes


def _dates(plan: Plan, rang: int) -> dict[str, object]:
    hasard = tirage("dates", plan.dossier, rang)
    notification, versement = hasard.randint(4, 7), hasard.randint(7, 11)
    return {
        "date_depot": f"2020-{hasard.randint(11, 12)}-{hasard.randint(1, 28):02d}",
        "date_notification": f"2021-{notification:02d}-{hasard.randint(1, 28):02d}",
        "date_versement": f"2021-{versement:02d}-28" if hasard.random() < 0.85 else "",
    }
