"""Sections of a regional or departmental synthesis. No ranking: territories come in alphabetical order, never by level."""

from __future__ import annotations

from evalkit.charts.synthesis import (
    draw_synthesis_coverage,
    draw_synthesis_levels,
    draw_synthesis_nominatif,
    draw_synthesis_questions,
)
from evalkit.compute.results import PublicationSynthese
from evalkit.report import sentences, tables
from evalkit.report.guard import require_synthesis
from evalkit.report.html import Html, bullet_list, figure, heading, join, paragraph, tag
from evalkit.report.identity import Identified, identity_of
from evalkit.report.sentences import records
from evalkit.wording import format_date, format_number, plural, slug


def show_synthesis_title(synthesis: PublicationSynthese) -> Html:
    """Title and perimeter."""
    synthesis = require_synthesis(synthesis)
    campaign = synthesis.campagne
    where = f"département {synthesis.perimetre}" if synthesis.perimetre else f"région {campaign.region}"
    invented = campaign.fictif or any(territory.fictif for territory in synthesis.territoires)
    warning = paragraph(
        tag("strong", "Données fictives."),
        "Ces territoires et leurs chiffres sont inventés ; ils servent à montrer l’outil.",
        classe="encadre",
    )
    restricted = paragraph(
        tag("strong", "Diffusion restreinte."),
        "Ce document nomme des territoires : il n’est pas destiné à la publication.",
        classe="encadre",
    )
    title = join(
        tag("h1", f"Synthèse des contrats de ville : {where}"),
        paragraph(
            f"{campaign.libelle} — date de référence : {format_date(campaign.date_reference)}", classe="sous-titre"
        ),
        warning if invented else "",
        restricted if synthesis.nominatif else "",
        paragraph(sentences.perimeter(synthesis)),
        paragraph(synthesis.referentiel.avertissement, classe="note"),
    )
    return Identified(title, identity_of(synthesis))


def show_perimeter(synthesis: PublicationSynthese) -> Html:
    """Territories counted, territories left out and why."""
    synthesis = require_synthesis(synthesis)
    return join(tables.included(synthesis), tables.excluded(synthesis))


def show_synthesis_brief(synthesis: PublicationSynthese) -> Html:
    """One sentence per question, and the coverage."""
    synthesis = require_synthesis(synthesis)
    frame = synthesis.tables["questions"]
    titles = synthesis.referentiel.questions_par_code
    items = [
        join(
            tag("strong", f"{code} — {titles[code].titre} :"),
            sentences.synthesis_question(synthesis, frame[frame["question"] == code]),
            separator=" ",
        )
        for code in dict.fromkeys(frame["question"])
    ]
    return join(paragraph(_settled(synthesis)), bullet_list(items))


def _settled(synthesis: PublicationSynthese) -> str:
    frame = synthesis.tables["territoires"]
    if frame.empty:
        return "Aucun territoire n’est compté."
    settled, total = int(frame["n_arbitrees"].sum()), int(frame["n_applicables"].sum())
    silent = int((frame["n_arbitrees"] == 0).sum())
    said = f"Sur l’ensemble du périmètre : {plural(settled, 'sous-question arbitrée')} sur {format_number(total)}."
    if silent:
        said += f" Évaluation non renseignée dans {plural(silent, 'territoire')}."
    return said


def show_synthesis_respondents(synthesis: PublicationSynthese) -> Html:
    """Who answered over the perimeter."""
    synthesis = require_synthesis(synthesis)
    frame = synthesis.tables["repondants"]
    total = int(frame["n_repondants"].sum())
    if total == 0:
        return paragraph("Aucune cotation n’a été recueillie.")
    return join(
        paragraph(f"{plural(total, 'répondant')} en tout, comptés une fois par territoire."),
        tables.synthesis_respondents(synthesis),
    )


def show_synthesis_coverage(synthesis: PublicationSynthese) -> Html:
    """Coverage of the questions, and the levels of the questions over the territories."""
    synthesis = require_synthesis(synthesis)
    return join(
        figure(draw_synthesis_coverage(synthesis)) or tables.synthesis_coverage(synthesis),
        figure(draw_synthesis_questions(synthesis)),
    )


def show_synthesis_question(synthesis: PublicationSynthese, code: str) -> Html:
    """One question over the territories: levels, indicators; empty when no territory evaluates it."""
    synthesis = require_synthesis(synthesis)
    frame = synthesis.tables["questions"]
    mine = frame[frame["question"] == code]
    if mine.empty:
        return Html("")
    question = synthesis.referentiel.questions_par_code[code]
    levels = synthesis.tables["niveaux"]
    chart = figure(draw_synthesis_levels(synthesis, code))
    settled = bool((levels.loc[levels["question"] == code, "n_territoires"] > 0).any())
    spread = tables.synthesis_indicators(synthesis, code)
    categories = tables.synthesis_categories(synthesis, code)
    return join(
        heading(2, f"{code} — {question.titre}", slug(code)),
        paragraph(tag("em", question.libelle)) if question.libelle != question.titre else "",
        paragraph(sentences.synthesis_question(synthesis, mine), classe="encadre"),
        chart or (tables.synthesis_sub_questions(synthesis, code) if settled else ""),
        join(heading(3, "Indicateurs", f"{code}-indicateurs"), spread, categories)
        if spread or categories
        else paragraph(_no_spread(synthesis, code)),
    )


def _no_spread(synthesis: PublicationSynthese, code: str) -> str:
    """Why no indicator is given, when territories have values but too few."""
    frame = synthesis.tables["indicateurs"]
    if not (frame.loc[frame["question"] == code, "n_territoires"] > 0).any():
        return ""
    least = int(synthesis.referentiel.seuil("seuil_territoires"))
    return f"Indicateurs : moins de {least} territoires ont une valeur publiable, aucune répartition n’est donnée."


def show_other_synthesis_questions(synthesis: PublicationSynthese, *shown: str) -> Html:
    """Questions that the notebook does not name: one added to the framework is never lost."""
    synthesis = require_synthesis(synthesis)
    codes = dict.fromkeys(synthesis.tables["questions"]["question"])
    return join(*(show_synthesis_question(synthesis, code) for code in codes if code not in shown))


def show_synthesis_gaps(synthesis: PublicationSynthese) -> Html:
    """Where groups disagree most often, in the order of the framework."""
    synthesis = require_synthesis(synthesis)
    frame = synthesis.tables["ecarts"]
    return join(paragraph(sentences.synthesis_gaps(frame)), tables.synthesis_gaps(synthesis))


def show_synthesis_findings(synthesis: PublicationSynthese) -> Html:
    """Findings counted by question and type."""
    synthesis = require_synthesis(synthesis)
    return join(
        paragraph(sentences.synthesis_findings(synthesis.tables["constats"])), tables.synthesis_findings(synthesis)
    )


def show_synthesis_context(synthesis: PublicationSynthese) -> Html:
    """Context of the perimeter: sums of what can be added, by edition and geography."""
    synthesis = require_synthesis(synthesis)
    frame = synthesis.tables["contexte"]
    if frame.empty:
        return paragraph("Aucune donnée de contexte n’a été importée pour les quartiers du périmètre.")
    sums = frame[frame["somme"].notna()]
    labels = {item.code: item.libelle for item in synthesis.referentiel.contexte}
    lines = [
        f"{labels.get(row['indicateur'], row['variable'])}, édition {row['edition']} : "
        f"{sentences.value_text(synthesis.referentiel, row['unite'], row['somme'])} dans "
        f"{plural(row['n_valeurs'], 'quartier')} de {row['geographie']}"
        for row in records(sums)
    ]
    return join(bullet_list(lines), tables.synthesis_context(synthesis))


def show_typology(synthesis: PublicationSynthese) -> Html:
    """Territories counted by class, without a name."""
    synthesis = require_synthesis(synthesis)
    return tables.typology(synthesis) or paragraph("Aucune typologie ne peut être donnée.")


def show_named(synthesis: PublicationSynthese) -> Html:
    """Named table, only when asked for: alphabetical, restricted circulation."""
    synthesis = require_synthesis(synthesis)
    if not synthesis.nominatif:
        return Html("")
    return join(
        heading(2, "Tableau nominatif (diffusion restreinte)"),
        paragraph("Par ordre alphabétique : ce tableau n’est pas un classement."),
        figure(draw_synthesis_nominatif(synthesis)),
        tables.named(synthesis),
    )


def show_limits(synthesis: PublicationSynthese) -> Html:
    """What may not be concluded from the document."""
    synthesis = require_synthesis(synthesis)
    least = int(synthesis.referentiel.seuil("seuil_territoires"))
    out = len(synthesis.exclus)
    items = [
        "Un niveau décrit une démarche et ses preuves, non la valeur d’un territoire ou de ses habitants : aucun classement ne peut en être tiré.",
        "Les territoires ne sont pas un échantillon : rien n’est extrapolé à ceux qui n’ont pas répondu.",
        f"Une répartition entre moins de {least} territoires n’est pas donnée.",
        "Un écart de contexte ou d’indicateur entre territoires n’est pas un effet du contrat.",
        "Les quartiers de 2015 et de 2024 n’ont pas les mêmes contours : leurs chiffres ne s’additionnent pas et ne se comparent pas.",
        f"{plural(out, 'territoire')} n’entrent pas dans les comptes : les résultats ne parlent pas d’eux."
        if out > 1
        else ("1 territoire n’entre pas dans les comptes : les résultats ne parlent pas de lui." if out else ""),
    ]
    return bullet_list(items)
