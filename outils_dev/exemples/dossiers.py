"""Put a territory together, and write the campaigns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from evalkit.actions import freeze_reference
from evalkit.documents.entry_workbook import write_entry_workbook
from evalkit.loaders.open_data_context import read_context_files, write_context
from evalkit.model.dossier import TABLES
from evalkit.model.referentiel import Referentiel
from evalkit.model.territory import FactValue, Qpv, Territory
from outils_dev.exemples import contexte, paroles, valeurs
from outils_dev.exemples.cotations import applicables, arbitrages, cotations
from outils_dev.exemples.ecriture import Lignes, ecrire, ecrire_cle, ecrire_csv, vides, yaml
from outils_dev.exemples.enquetes import ecrire_enquetes
from outils_dev.exemples.hasard import tirage
from outils_dev.exemples.lisezmoi import lisezmoi
from outils_dev.exemples.territoires import PLANS, TOUS_MODULES, Plan, communes, qpv

TITRE = "DONNÉES FICTIVES : territoire inventé, fabriqué par outils_dev/fabriquer_exemples.py."
Modalites = Mapping[str, tuple[str, ...]]


def faits(plan: Plan) -> dict[str, FactValue]:
    """Facts that applicability rules read."""
    hasard = tirage("faits", plan.dossier)
    return {
        "conseil_citoyen": plan.conseil_citoyen,
        "npnru": plan.nb_qpv >= 3 and hasard.random() < 0.6,
        "cite_educative": hasard.random() < 0.3,
        "delegue_prefet": plan.effectifs[1] > 0,
    }


def territoire(plan: Plan, annee: int = 2022) -> dict[str, object]:
    """Content of ``territoire.yml``."""
    fiche: dict[str, object] = {
        "nom": plan.nom,
        "fictif": True,
        "departement": plan.departement,
        "generation": "2015",
        "type": plan.type,
        "epci": plan.epci,
        "communes": list(communes(plan)),
        "modules": list(plan.modules),
        "faits": faits(plan),
        "enseigne": plan.enseigne if annee == 2022 else "",
        "qpv": qpv(plan),
    }
    return {cle: valeur for cle, valeur in fiche.items() if valeur not in ("", [])}


def indicateurs(plan: Plan, modalites: Modalites) -> Lignes:
    """Rows of ``indicateurs``: 2021, and 2020 for the territories that keep a series."""
    codes = [*valeurs.PARTS, *valeurs.RATIOS, *valeurs.NOMBRES, *valeurs.CATEGORIES]
    retenus = set(applicables(plan)) - (set() if plan.conseil_citoyen else {"Q3.1"})
    annees = (2020, 2021) if tirage("serie", plan.dossier).random() < 0.4 else (2021,)
    connus = {"Q3.1.a": plan.nb_qpv, "Q1.3.a": sum(contexte.population(q["code"]) for q in qpv(plan))}
    lignes = [
        valeurs.ligne(plan.dossier, plan.niveau, code, annee, modalites.get(code, ()), connus)
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
    tables["constats"] = paroles.constats(plan, 2022)
    tables["verbatims"] = paroles.verbatims(plan)
    tables["actions"] = paroles.actions(plan) if plan.couverture > 0.5 else []
    if plan.suivi:
        tables["suivis"] = paroles.suivis(plan, paroles.constats(plan, 2019))
    return tables


def tables_2019(plan: Plan) -> dict[str, Lignes]:
    """The fewer tables of the 2019 campaign: three groups, settled levels, findings."""
    tables = vides(TABLES)
    tables["cotations"] = cotations(plan, 2019, ("pilote", "etat", "commune", "partenaire"))
    tables["arbitrages"] = arbitrages(plan, 2019, tables["cotations"])
    tables["constats"] = paroles.constats(plan, 2019)
    return tables


def campagne(annee: int, version: str) -> dict[str, object]:
    """Content of ``campagne.yml``."""
    fiche: dict[str, object] = {
        "libelle": f"Évaluation {'finale' if annee == 2022 else 'à mi-parcours'} des contrats de ville (exemple fictif)",
        "fictif": True,
        "annee": annee,
        "date_reference": f"{annee}-11-30",
        "referentiel_version": version,
        "modules": list(TOUS_MODULES),
        "publication_nominative_annoncee": False,
    }
    return {**fiche, "campagne_precedente": "2019"} if annee == 2022 else fiche


def _textes(plan: Plan) -> dict[str, str]:
    """Free sections of the report, for the territories that wrote some."""
    if plan.forme == "vide" or (tirage("textes", plan.dossier).random() < 0.4 and not plan.enseigne):
        return {}
    quartiers = [str(quartier["nom"]) for quartier in qpv(plan)]
    return {
        "presentation": (
            f"{plan.ville} est un territoire **inventé**. Son contrat de ville concerne {len(quartiers)} "
            f"quartier{'s' if len(quartiers) > 1 else ''} prioritaire{'s' if len(quartiers) > 1 else ''}"
            f"{' : ' + ', '.join(quartiers) if len(quartiers) <= 7 else ''}.\n\n"
            "L’évaluation a été conduite par l’équipe du contrat avec un comité pluraliste, de mars à octobre 2022. "
            "Les cotations ont été données séparément par chaque groupe, puis discutées.\n"
        ),
    }


def _ecrire_dossier(vers: Path, annee: int, plan: Plan, tables: dict[str, Lignes], referentiel: Referentiel) -> None:
    campagne_ = vers / str(annee)
    forme = plan.forme if annee == 2022 else "csv"
    if forme == "classeur":
        _ecrire_classeur(campagne_ / f"{plan.dossier}.xlsx", annee, plan, tables, referentiel)
        ecrire_cle(campagne_ / ".evalkit" / f"{plan.dossier}.cle", f"{annee}/{plan.dossier}")
        return
    dossier = campagne_ / plan.dossier
    ecrire_cle(dossier / ".evalkit" / "cle", f"{annee}/{plan.dossier}")
    if forme == "dossier_xlsx":
        _ecrire_classeur(dossier / "evaluation.xlsx", annee, plan, tables, referentiel)
    else:
        ecrire(dossier / "territoire.yml", yaml(territoire(plan, annee), TITRE))
        ecrire_csv(dossier, tables, "csv" if forme == "vide" else forme)
    for nom, texte in _textes(plan).items() if annee == 2022 else ():
        ecrire(dossier / "textes" / f"{nom}.md", texte)
    if annee == 2022:
        ecrire_enquetes(dossier, plan, referentiel, identite(plan, annee))


def _ecrire_classeur(chemin: Path, annee: int, plan: Plan, tables: dict[str, Lignes], referentiel: Referentiel) -> None:
    chemin.parent.mkdir(parents=True, exist_ok=True)
    write_entry_workbook(chemin, referentiel, identite(plan, annee), None, plan.modules, tables)


def identite(plan: Plan, annee: int) -> Territory:
    """The territory as the reader would give it."""
    fiche = territoire(plan, annee)
    quartiers = tuple(
        Qpv(code=q["code"], nom=q["nom"], geographie="2015", communes=tuple(q["communes"])) for q in qpv(plan)
    )
    return Territory(
        dossier=plan.dossier,
        nom=plan.nom,
        departement=plan.departement,
        generation="2015",
        type=plan.type,
        epci=plan.epci,
        communes=communes(plan),
        qpv=quartiers,
        modules=plan.modules,
        fictif=True,
        faits=faits(plan),
        enseigne=str(fiche.get("enseigne", "")),
    )


def fabriquer_campagnes(vers: Path, referentiel: Referentiel) -> int:
    """Write everything under ``vers``; return the number of dossiers written."""
    modalites = {code: tuple(m.code for m in i.modalites) for code, i in referentiel.indicateurs.items()}
    nombre = 0
    for annee, plans in ((2019, [plan for plan in PLANS if plan.suivi]), (2022, list(PLANS))):
        ecrire(vers / str(annee) / "campagne.yml", yaml(campagne(annee, referentiel.version), TITRE))
        for plan in plans:
            tables = tables_2022(plan, modalites) if annee == 2022 else tables_2019(plan)
            _ecrire_dossier(vers, annee, plan, tables, referentiel)
            nombre += 1
    for nom, contenu in contexte.fichiers().items():
        ecrire(vers / "2022" / "contexte_source" / nom, contenu)
    ecrire(vers / "LISEZMOI.md", lisezmoi())
    return nombre


def ecrire_contexte(campagne_: Path) -> None:
    """Import the invented INSEE-like files into ``contexte.parquet``, by the ordinary importer."""
    (campagne_ / "contexte.parquet").unlink(missing_ok=True)
    lu = read_context_files(sorted((campagne_ / "contexte_source").glob("*.csv")), fictif=True).checked()
    write_context(lu.frame, campagne_)


def ecrire_reference(campagne_: Path, version: str) -> None:
    """Freeze the regional reference of the invented campaign, as ``evalkit synthese --figer`` does, and name it."""
    ecrire(campagne_ / "campagne.yml", yaml(campagne(2022, version), TITRE))
    (campagne_ / "reference_regionale.json").unlink(missing_ok=True)
    freeze_reference(campagne_)
    nommee = {**campagne(2022, version), "reference_regionale": "reference_regionale.json"}
    ecrire(campagne_ / "campagne.yml", yaml(nommee, TITRE))
