"""The reference page of the framework, made from it alone: what is sourced, what is proposed, and how to read it.

One list of blocks, rendered as Markdown (checked in under ``docs/reference/``) or as a lone HTML page.
``python -m evalkit.documents.reference_page`` writes the page and the JSON Schemas again after an edit of
``referentiel/``.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from pathlib import Path

from evalkit.documents.blocks import (
    STATUTS,
    Block,
    Bullets,
    Grid,
    Heading,
    Paragraph,
    anchor_of,
    origin,
    render_block_html,
    render_blocks_markdown,
)
from evalkit.documents.surveys_page import render_surveys_markdown
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.referentiel_files import SCHEMA_FOLDER, render_schemas
from evalkit.loaders.resources import resource_dir
from evalkit.model.referentiel import (
    Indicateur,
    Module,
    Question,
    Referentiel,
    SousQuestion,
)
from evalkit.wording import format_date, format_number, join_french

OBTENTIONS = {
    "saisie": "saisie par le pilote (table « indicateurs »)",
    "enquete": "réponses à une enquête",
    "actions": "calcul sur le programme d’actions (table « actions »)",
    "contexte": "données ouvertes",
}
FORMULES = {
    "effectif": "un nombre",
    "ratio": "un rapport, sans borne haute",
    "part": "une part, de 0 à 100 %",
    "part_favorable": "une part de réponses favorables, de 0 à 100 %",
    "moyenne": "une moyenne",
    "mediane": "une médiane",
    "somme": "une somme",
    "evolution": "une évolution entre deux dates",
    "difference_moyennes": "une différence de moyennes",
    "double_difference": "une différence de deux évolutions",
    "distance_distributions": "un écart entre deux répartitions",
    "categorie": "une modalité, choisie dans une liste",
    "verbatim": "des paroles, classées par catégorie",
}
SENS = {
    "hausse": "une hausse est favorable",
    "baisse": "une baisse est favorable",
    "neutre": "décrit une situation, n’est jamais jugé",
}


def render_reference_markdown(referentiel: Referentiel) -> str:
    """The page in Markdown, ending with a line feed; the same at every run."""
    return render_blocks_markdown(_page(referentiel))


def render_reference_html(referentiel: Referentiel) -> str:
    """The page as one HTML file, without script nor external reference."""
    body = "\n".join(render_block_html(block) for block in _page(referentiel))
    title = html.escape(referentiel.libelle)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="fr">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


_STYLE = (
    "body{font:1rem/1.5 sans-serif;color:#1b1b1b;background:#fff;margin:0}main{max-width:52rem;margin:auto;padding:1rem}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}caption{text-align:left;font-weight:bold}"
    "th,td{border:1px solid #767676;padding:.25rem .5rem;text-align:left;vertical-align:top}"
    "h2,h3,h4{break-after:avoid;line-height:1.25}tr{break-inside:avoid}"
)


def _page(referentiel: Referentiel) -> Iterator[Block]:
    yield Heading(1, referentiel.libelle)
    yield Paragraph(
        f"Version {referentiel.version}, valable à partir du {format_date(referentiel.valide_du)}. "
        f"Contenu sous {referentiel.licence}."
    )
    yield Paragraph(referentiel.avertissement, strong="À savoir.")
    yield from _reading_guide(referentiel)
    for module in referentiel.modules:
        yield from _module(referentiel, module)
    yield from _surveys(referentiel)
    yield from _context(referentiel)
    yield from _rules(referentiel)
    yield Heading(2, "Sources", "sources")
    yield Bullets([(s.code, _source(s.titre, s.editeur, s.annee, s.adresse)) for s in referentiel.sources])


def _reading_guide(referentiel: Referentiel) -> Iterator[Block]:
    yield Heading(2, "Lire cette page", "lire")
    yield Paragraph(
        "Chaque objet dit d’où il vient. Un niveau de maturité est toujours arrêté par des personnes : "
        "un indicateur éclaire le débat, il ne donne jamais un niveau."
    )
    yield Bullets([(name, meaning) for name, meaning in STATUTS.values()])
    yield Grid(
        "Ce que contient le référentiel",
        ("Question", "Sous-questions", "Indicateurs", "Origine du libellé"),
        [
            (
                f"{question.code} — {question.titre}",
                str(len(question.sous_questions)),
                str(sum(len(sub.indicateurs) for sub in question.sous_questions) or "aucun"),
                STATUTS[question.statut][0],
            )
            for question in referentiel.questions()
        ],
    )
    yield Grid(
        "L’échelle commune à toutes les sous-questions",
        ("Niveau", "Nom", "Sens", "Preuve minimale"),
        [(str(n.niveau), n.nom, n.sens, n.preuve_minimale) for n in referentiel.echelle.niveaux],
    )
    yield origin(referentiel.echelle)
    yield Bullets([("", rule) for rule in referentiel.echelle.regles])
    yield Grid(
        "Qui répond",
        ("Groupe d’acteurs", "Code à saisir", "Ses cotations sont"),
        [
            (g.libelle, g.code, "la position d’une institution" if g.institution else "un ensemble de réponses")
            for g in referentiel.groupes
        ],
    )
    yield Grid(
        "Avec quels outils",
        ("Code", "Outil", "Nature de la source"),
        [
            (c.code, c.libelle, {"donnees": "données", "enquete": "enquête"}.get(c.nature, c.nature))
            for c in referentiel.collectes
        ],
    )


def _module(referentiel: Referentiel, module: Module) -> Iterator[Block]:
    yield Heading(2, f"Module : {module.libelle}", module.code)
    yield Paragraph(module.presentation)
    yield origin(module)
    for question in module.questions:
        yield from _question(referentiel, question)


def _question(referentiel: Referentiel, question: Question) -> Iterator[Block]:
    yield Heading(3, f"{question.code} — {question.libelle}", anchor_of(question.code))
    if question.criteres:
        yield Paragraph(join_french(list(question.criteres)) + ".", strong="Critères de jugement :")
    yield origin(question)
    for sub in question.sous_questions:
        yield from _sub_question(referentiel, sub)
    if question.questions_associees:
        yield Grid(
            f"Questions évaluatives associées à l’axe {question.code} (elles ne sont pas cotées)",
            ("Code", "Question", "Critère", "Où trouver la réponse", "Origine"),
            [
                (q.code, q.libelle, q.critere, q.sources_reponse, STATUTS[q.statut][0])
                for q in question.questions_associees
            ],
        )


def _sub_question(referentiel: Referentiel, sub: SousQuestion) -> Iterator[Block]:
    yield Heading(4, f"{sub.code} — {sub.titre}", anchor_of(sub.code))
    if sub.libelle != sub.titre:
        yield Paragraph(sub.libelle)
    if sub.criteres:
        yield Paragraph(join_french(list(sub.criteres)) + ".", strong="Critères :")
    if sub.applicable_si and sub.applicable_si.explication:
        yield Paragraph(sub.applicable_si.explication, strong="Sans objet si :")
    yield origin(sub)
    yield Grid(
        f"Échelle de maturité de {sub.code}",
        ("Niveau", "Ce que l’on constate"),
        [(str(level), text) for level, text in sorted(sub.echelle.niveaux.items())],
    )
    yield origin(sub.echelle)
    for indicator in sub.indicateurs:
        yield Paragraph(indicator.definition + ".", strong=f"{indicator.code} — {indicator.libelle}.")
        yield Bullets(list(_indicator(referentiel, indicator)))


def _indicator(referentiel: Referentiel, item: Indicateur) -> Iterator[tuple[str, str]]:
    yield "Comment on l’obtient", " ; ".join(OBTENTIONS[way] for way in item.obtention)
    yield "Outils et répondants", f"{', '.join(item.collecte)} ; {_groups(referentiel, item.repondants)}"
    if asked := _asked(referentiel, item.code):
        yield "Questions d’enquête", asked
    yield "Ce que c’est", f"{FORMULES[item.formule]} ({referentiel.unites_par_code[item.unite].libelle})"
    if item.numerateur and item.denominateur:
        yield "On divise", f"{item.numerateur}, par : {item.denominateur}"
    elif item.numerateur:
        yield "On compte", item.numerateur
    if item.calcul:
        yield "Calcul", item.calcul
    if item.modalites:
        yield "Modalités (code à saisir)", " ; ".join(f"{m.libelle} ({m.code})" for m in item.modalites)
    if item.base:
        yield "Base", item.base
    yield "Lecture", _direction(referentiel, item)
    if item.applicable_si and item.applicable_si.explication:
        yield "Sans objet si", item.applicable_si.explication
    if item.valide_du or item.valide_au:
        yield "Validité", _validity(item)
    said = origin(item)
    yield said.strong.rstrip(" :"), said.text


def _asked(referentiel: Referentiel, code: str) -> str:
    """Questions linked to an indicator: ``ENQ-COM C08 ; CONS-PART P03``."""
    found = []
    for survey in referentiel.enquetes:
        codes = [q.code for q in survey.questions if code in {link.code for link in q.indicateurs}]
        found += [f"{survey.code} {', '.join(codes)}"] if codes else []
    return " ; ".join(found)


def _direction(referentiel: Referentiel, item: Indicateur) -> str:
    if item.cible is None:
        return SENS[item.sens_favorable]
    unit = referentiel.unites_par_code[item.unite]
    low, high = (
        None if bound is None else f"{format_number(bound)} {unit.symbole}".strip()
        for bound in (item.cible.min, item.cible.max)
    )
    if low and high:
        return f"cible : entre {low} et {high}"
    return f"cible : au moins {low}" if low else f"cible : au plus {high}"


def _validity(item: Indicateur) -> str:
    since = f"à partir du {format_date(item.valide_du)}" if item.valide_du else ""
    until = f"jusqu’au {format_date(item.valide_au)}" if item.valide_au else ""
    return " ".join(part for part in (since, until) if part)


def _groups(referentiel: Referentiel, codes: Iterable[str]) -> str:
    return join_french([referentiel.groupes_par_code[code].libelle for code in codes])


def _surveys(referentiel: Referentiel) -> Iterator[Block]:
    if not referentiel.enquetes:
        return
    yield Heading(2, "Questionnaires", "questionnaires")
    yield Paragraph(
        "Chaque question, ses réponses et l’indicateur qu’elle renseigne sont dans la page « Questionnaires » "
        "(docs/reference/enquetes.md). « evalkit outils questionnaire » les écrit pour KoboToolbox et pour le papier."
    )
    yield Grid(
        "Les questionnaires",
        ("Code", "Titre", "Qui répond", "Questions", "Origine"),
        [
            (survey.code, survey.titre, survey.repondants, str(len(survey.questions)), STATUTS[survey.statut][0])
            for survey in referentiel.enquetes
        ],
    )


def _context(referentiel: Referentiel) -> Iterator[Block]:
    yield Heading(2, "Indicateurs de contexte", "contexte")
    yield Paragraph(
        "Des données ouvertes, montrées pour situer le territoire avec leur édition, leur année et leur géographie ; "
        "elles ne sont jamais notées, ni lues comme un effet du contrat."
    )
    yield Grid(
        "Indicateurs de contexte",
        ("Code", "Indicateur", "Variable", "Unité"),
        [
            (
                c.code,
                c.libelle,
                c.variable_source if c.disponible else f"{c.variable_source} : non disponible",
                referentiel.unites_par_code[c.unite].libelle,
            )
            for c in referentiel.contexte
        ],
    )


def _rules(referentiel: Referentiel) -> Iterator[Block]:
    yield Heading(2, "Règles de calcul et de confidentialité", "regles")
    yield Grid(
        "Règles, avec leur date d’effet dans evalkit",
        ("Règle", "Valeur", "Depuis", "Origine"),
        [
            (
                rule.libelle,
                f"{_value(rule.valeur)} {rule.unite or ''}".strip(),
                format_date(rule.depuis),
                origin(rule).text,
            )
            for rule in referentiel.regles
        ],
    )


def _value(value: float | tuple[float, ...] | str) -> str:
    if isinstance(value, tuple):
        return " ; ".join(_value(item) for item in value)
    if isinstance(value, str):
        return value
    return format_number(value, 0 if float(value).is_integer() else 2)


def _source(titre: str, editeur: str, annee: str, adresse: str | None) -> str:
    text = f"{titre}. {editeur}, {annee.rstrip('.')}."
    return f"{text} {adresse}" if adresse else text


def write_generated(root: Path, referentiel_dir: Path) -> list[Path]:
    """Write the page under ``root/docs/reference`` and the schemas inside the framework's folder; return the paths."""
    page = root / "docs" / "reference" / "referentiel.md"
    referentiel = load_referentiel(referentiel_dir)
    contents = {page: render_reference_markdown(referentiel)}
    contents[page.with_name("enquetes.md")] = render_surveys_markdown(referentiel)
    contents |= {referentiel_dir / SCHEMA_FOLDER / name: text for name, text in render_schemas().items()}
    for path, text in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(contents)


if __name__ == "__main__":
    framework = resource_dir("referentiel")
    for written in write_generated(framework.parent, framework):
        print(written)
