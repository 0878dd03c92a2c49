"""Method of a document: the walked example, rules, definitions, sources, masked values, stamp. Common to all documents."""

from __future__ import annotations

from typing import Any

from evalkit.charts.maturity import draw_ladder
from evalkit.compute.results import Publication, PublicationSynthese
from evalkit.model.referentiel import Referentiel
from evalkit.report import sentences, tables
from evalkit.report.guard import require_publication, require_synthesis
from evalkit.report.html import (
    Html,
    Stamped,
    bullet_list,
    definition_list,
    figure,
    heading,
    join,
    paragraph,
    table,
    tag,
)
from evalkit.report.identity import FICTIF, marks_of
from evalkit.report.sentences import is_missing, level_text, median_text, records
from evalkit.version import __version__
from evalkit.wording import format_date, format_percent, plural

Published = Publication | PublicationSynthese

DEFINITIONS = (
    ("Niveau arbitré", "Niveau de 0 à 5 arrêté en réunion pour une sous-question, avec la preuve qui le justifie."),
    ("Auto-évaluation", "Cotation donnée par le pilote du contrat. Elle ne remplace pas le niveau arbitré."),
    ("Médiane", "Valeur du milieu quand les cotations sont rangées : la moitié sont au-dessous, la moitié au-dessus."),
    ("Médiane basse", "Quand le nombre de valeurs est pair, la plus petite des deux valeurs du milieu."),
    ("Couverture", "Part des sous-questions arbitrées parmi celles qui concernent le territoire."),
    ("Écart à débattre", "La plus grande et la plus petite des médianes des groupes diffèrent de plus d’un point."),
    ("Groupe partagé", "Groupe dont une part notable cote très bas et une part notable cote très haut."),
    ("Secret statistique", "La valeur existe mais n’est pas montrée : elle décrirait trop peu de personnes."),
    ("Non renseigné", "Rien n’a été donné. Ce n’est jamais un zéro."),
    ("Sans objet", "La sous-question ne concerne pas ce territoire ; elle ne compte pas dans la couverture."),
    ("Solidité des sources", "Nombre de natures de sources (enquête, atelier, document, données) qui se recoupent."),
)


def show_example(publication: Publication) -> Html:
    """« Comment un niveau est obtenu »: one real sub-question walked from its answers to the question's level."""
    publication = require_publication(publication)
    sub = _example(publication)
    if sub is None:
        return Html("")
    question = publication.referentiel.question_de[sub]
    return join(
        heading(2, "Comment un niveau est obtenu"),
        paragraph(
            f"L’exemple suit la sous-question {sub} de ce territoire, avec les seuls chiffres publiés :",
            tag("em", publication.referentiel.sous_questions[sub].libelle),
        ),
        heading(3, "1. Les réponses des groupes"),
        paragraph(_answers(publication, sub)),
        tables.distribution(publication, sub),
        heading(3, "2. La comparaison des groupes"),
        paragraph(_comparison(publication, sub)),
        heading(3, "3. Le niveau arrêté en réunion"),
        paragraph(_settlement(publication, sub)),
        figure(draw_ladder(publication, sub)),
        heading(3, "4. Le niveau de la question"),
        paragraph(_aggregation(publication, question)),
    )


def _example(publication: Publication) -> str | None:
    """A settled sub-question: the one where most groups can be shown, the first in reading order between equals."""
    settled = publication.niveaux[publication.niveaux["statut"] == "arbitre"]["sous_question"]
    shown = publication.groupes[publication.groupes["mediane"].notna()].groupby("sous_question").size()
    best: str | None = None
    for sub in settled:
        if best is None or int(shown.get(sub, 0)) > int(shown.get(best, 0)):
            best = str(sub)
    return best


def _answers(publication: Publication, sub: str) -> str:
    names = publication.referentiel.groupes_par_code
    said = []
    for row in records(publication.groupes[publication.groupes["sous_question"] == sub]):
        n = plural(row["n"], "cotation")
        label = names[row["groupe"]].libelle
        if is_missing(row["mediane"]):
            why = "aucune cotation exprimée" if row["n"] == 0 else "médiane non publiée, trop peu de cotations"
            said.append(f"{label} : {n}, {why}" if row["n"] else f"{label} : {why}")
        else:
            said.append(f"{label} : {n}, médiane {median_text(row['mediane'])}")
    if not said:
        return "Aucun groupe n’a coté cette sous-question : le niveau a été arrêté sans cotation préalable."
    return " ; ".join(said) + ". Les réponses sans niveau ne sont comptées dans aucune médiane."


def _comparison(publication: Publication, sub: str) -> str:
    rows = records(publication.triangulation[publication.triangulation["sous_question"] == sub])
    if not rows:
        return "Les groupes ne sont pas comparés."
    text = sentences.discussion_point(publication, rows[0])
    return f"{text[:1].upper()}{text[1:]} Aucune moyenne n’est faite entre les groupes."


def _settlement(publication: Publication, sub: str) -> str:
    row = records(publication.niveaux[publication.niveaux["sous_question"] == sub])[0]
    when = f" le {format_date(str(row['date']))}" if not is_missing(row["date"]) else ""
    by = f" ({row['instance']})" if not is_missing(row["instance"]) else ""
    proof = (
        "Aucune preuve n’est nommée : le niveau est compté et imprimé « déclaré sans preuve »."
        if is_missing(row["preuve"])
        else f"Preuve nommée : {row['preuve']}."
    )
    own = (
        f" L’auto-évaluation du pilote était {median_text(row['auto_evaluation'])} ; elle n’entre pas dans le calcul."
        if not is_missing(row["auto_evaluation"])
        else ""
    )
    return f"Le niveau {level_text(publication.referentiel, row['niveau'])} a été arrêté{when}{by}. {proof}{own}"


def _aggregation(publication: Publication, question: str) -> str:
    frame = publication.niveaux[publication.niveaux["question"] == question]
    levels = sorted(int(level) for level in frame.loc[frame["statut"] == "arbitre", "niveau"])
    row = sentences.question_row(publication, question)
    if row is None:
        return ""
    ordered = ", ".join(str(level) for level in levels)
    needed = format_percent(publication.referentiel.seuil("couverture_minimale") * 100)
    said = (
        f"Les niveaux arrêtés de la question {question}, du plus petit au plus grand : {ordered}. "
        f"La couverture est de {sentences.settled_text(len(levels), int(row['n_applicables']))} "
        f"({format_percent(row['couverture'] * 100)}) ; il faut au moins {needed}."
    )
    if row["statut"] != "calcule":
        return f"{said} La question n’a donc pas de niveau d’ensemble."
    rank = (len(levels) + 1) // 2
    place = "le 1er" if rank == 1 else f"le {rank}e"
    return (
        f"{said} La médiane basse est {place} de ces {len(levels)} niveaux : {median_text(row['mediane'])}. "
        f"Le plus bas est {median_text(row['minimum'])}."
        if len(levels) > 1
        else f"{said} Ce seul niveau donne celui de la question : {median_text(row['mediane'])}."
    )


# --- common to reports and syntheses -------------------------------------------------------------------------------------


def _published(value: Published) -> Published:
    return require_synthesis(value) if isinstance(value, PublicationSynthese) else require_publication(value)


def show_method(value: Published) -> Html:
    """How levels are made, in a few lines."""
    referentiel = _published(value).referentiel
    needed = format_percent(referentiel.seuil("couverture_minimale") * 100)
    lines = [
        "Chaque groupe d’acteurs cote les sous-questions sur une échelle de 0 à 5. Une réponse sans niveau n’est jamais un zéro.",
        "Le niveau d’une sous-question est celui qu’une réunion a arrêté. Sans arbitrage, les médianes des groupes sont montrées côte à côte et aucun niveau n’est donné.",
        f"Le niveau d’une question est la médiane basse des niveaux arrêtés, donnée à partir de {needed} de couverture, avec le niveau le plus bas.",
        "Les indicateurs et le contexte éclairent le débat ; aucun niveau n’en est déduit. Aucun territoire n’est classé.",
    ]
    return join(bullet_list(lines), _scale(referentiel))


def _scale(referentiel: Referentiel) -> Html:
    rows = [[f"{step.niveau} — {step.nom}", step.sens, step.preuve_minimale] for step in referentiel.echelle.niveaux]
    return table(["Niveau", "Sens", "Preuve minimale"], rows, caption="L’échelle commune, de 0 à 5")


def show_rules(value: Published) -> Html:
    """Thresholds and rules in force, with their dates."""
    return tables.rules(_published(value).referentiel)


def show_definitions(value: Published) -> Html:
    """Words of the document, then the evaluated sub-questions and where they come from."""
    _published(value)
    return definition_list(DEFINITIONS, classe="mots")


def _evaluated_modules(value: Published) -> list[str]:
    frame = value.questions if isinstance(value, Publication) else value.tables["questions"]
    codes = set(frame["question"])
    return [m.code for m in value.referentiel.modules if codes & {question.code for question in m.questions}]


def show_sources(value: Published) -> Html:
    """What is sourced, adapted or proposed in the framework, and the sources cited."""
    referentiel = _published(value).referentiel
    modules = _evaluated_modules(value)
    notes = [
        f"{module.libelle} ({tables.PROVENANCES[module.statut]}) : {module.statut_note}"
        for module in referentiel.modules
        if module.code in modules and module.statut_note
    ]
    return join(
        paragraph(referentiel.avertissement, classe="encadre"),
        bullet_list(notes),
        tables.provenance(referentiel, modules),
        tables.sources(referentiel, modules),
    )


def show_masks(value: Published) -> Html:
    """Register of masked values: how many, by which rule; never the values."""
    value = _published(value)
    return join(paragraph(sentences.masked(value.masques)), tables.masks(value.masques, value.referentiel))


def make_stamp(value: Published) -> dict[str, Any]:
    """Stamp of a document: what made it, from what, under which rules. No clock, no path.

    Raises
    ------
    TypeError
        Given something that has not been protected.
    """
    value = _published(value)
    if isinstance(value, Publication):
        parameters: dict[str, Any] = {"campagne": value.campagne.code, "territoire": value.territoire.dossier}
        if value.enquetes_ecartees:
            parameters["sans_enquete"] = ", ".join(value.enquetes_ecartees)
    else:
        parameters = {"campagne": value.campagne.code, "departement": value.perimetre, "nominatif": value.nominatif}
    marks = marks_of(value)
    return {
        "referentiel": {"code": value.referentiel.code, "version": value.referentiel.version},
        "empreinte": value.empreinte,
        "evalkit": __version__,
        "parametres": parameters,
        "identite": {"territoire": _subject(value), "campagne": value.campagne.libelle},
        "date_reference": value.campagne.date_reference,
        "n_masques": len(value.masques),
        "fictif": FICTIF in marks,
        "marques": marks,
    }


def _subject(value: Published) -> str:
    """What the document is about, as its headers say it."""
    if isinstance(value, Publication):
        return value.territoire.nom
    return f"Synthèse — {f'département {value.perimetre}' if value.perimetre else f'région {value.campagne.region}'}"


def show_stamp(value: Published) -> Stamped:
    """The stamp, printed and carried along as data."""
    stamp = make_stamp(value)
    parameters = ", ".join(f"{key} : {_parameter(item)}" for key, item in stamp["parametres"].items() if item != "")
    pairs = (
        ("Référentiel", f"{value.referentiel.libelle}, version {value.referentiel.version}"),
        ("Empreinte des données", stamp["empreinte"] or "non calculée"),
        ("evalkit", stamp["evalkit"]),
        ("Paramètres", parameters),
        ("Date de référence", format_date(stamp["date_reference"])),
        ("Valeurs masquées", str(stamp["n_masques"])),
        ("Données", "fictives" if stamp["fictif"] else "déclarées par le territoire et données ouvertes"),
        ("Licence du référentiel", value.referentiel.licence),
    )
    return Stamped(definition_list(pairs), stamp)


def _parameter(item: object) -> str:
    return ("oui" if item else "non") if isinstance(item, bool) else str(item)
