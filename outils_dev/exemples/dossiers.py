"""Put a territory together, and write the campaigns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from evalkit.model.dossier import TABLES
from outils_dev.exemples import valeurs
from outils_dev.exemples.cotations import applicables, arbitrages, cotations
from outils_dev.exemples.ecriture import Lignes, ecrire, ecrire_cle, ecrire_csv, vides, yaml
from outils_dev.exemples.hasard import tirage
from outils_dev.exemples.territoires import PLANS, Plan, communes, qpv

Modalites = Mapping[str, tuple[str, ...]]


def territoire(plan: Plan) -> dict[str, object]:
    """Content of ``territoire.yml``."""
    hasard = tirage("faits", plan.dossier)
    fiche: dict[str, object] = {
        "nom": plan.nom,
        "fictif": True,
        "departement": plan.departement,
        "generation": "2015",
        "type": plan.type,
        "epci": plan.epci,
        "communes": list(communes(plan)),
        "modules": list(plan.modules),
        "faits": {
            "conseil_citoyen": plan.conseil_citoyen,
            "npnru": plan.nb_qpv >= 3 and hasard.random() < 0.6,
            "cite_educative": hasard.random() < 0.3,
            "delegue_prefet": plan.effectifs[1] > 0,
        },
        "enseigne": plan.enseigne,
        "qpv": qpv(plan),
    }
    return {cle: valeur for cle, valeur in fiche.items() if valeur not in ("", [])}


def indicateurs(plan: Plan, modalites: Modalites) -> Lignes:
    """Rows of ``indicateurs``: 2021, and 2020 for the territories that keep a series."""
    codes = [*valeurs.PARTS, *valeurs.RATIOS, *valeurs.NOMBRES, *valeurs.CATEGORIES]
    retenus = applicables(plan)
    annees = (2020, 2021) if tirage("serie", plan.dossier).random() < 0.4 else (2021,)
    lignes = [
        valeurs.ligne(plan.dossier, plan.niveau, code, annee, modalites.get(code, ()))
        for code in sorted(codes)
        if code.rsplit(".", 1)[0] in retenus
        for annee in annees
    ]
    return [ligne for ligne in lignes if ligne]


def tables_2022(plan: Plan, modalites: Modalites) -> dict[str, Lignes]:
    """Every table of a territory for the 2022 campaign."""
    tables = vides(TABLES)
    if plan.forme == "vide":
        return tables
    tables["cotations"] = cotations(plan, 2022)
    tables["arbitrages"] = arbitrages(plan, 2022, tables["cotations"])
    tables["indicateurs"] = indicateurs(plan, modalites)
    return tables


def campagne_2022(version: str) -> dict[str, object]:
    """Content of ``2022/campagne.yml``."""
    return {
        "libelle": "Évaluation finale des contrats de ville 2015-2022 (exemple fictif)",
        "fictif": True,
        "annee": 2022,
        "date_reference": "2022-11-30",
        "referentiel_version": version,
        "modules": ["cooperations", "discriminations", "egalite_femmes_hommes"],
        "campagne_precedente": "2019",
        "publication_nominative_annoncee": False,
    }


def fabriquer_campagnes(vers: Path, referentiel: Path, seulement: Sequence[str] | None = None) -> int:
    """Write the campaigns under ``vers``; return the number of dossiers written."""
    modalites: Modalites = {}
    titre = "Territoire inventé : DONNÉES FICTIVES. Fabriqué par outils_dev/fabriquer_exemples.py."
    ecrire(vers / "2022" / "campagne.yml", yaml(campagne_2022("2022.1"), titre))
    retenus = [plan for plan in PLANS if seulement is None or plan.dossier in seulement]
    for plan in retenus:
        dossier = vers / "2022" / plan.dossier
        forme = plan.forme if plan.forme in ("csv", "csv_bom", "csv_cp1252") else "csv"
        ecrire(dossier / "territoire.yml", yaml(territoire(plan), titre))
        ecrire_csv(dossier, tables_2022(plan, modalites), forme)
        ecrire_cle(dossier / ".evalkit" / "cle", f"2022/{plan.dossier}")
    return len(retenus)
