"""Sections of a territory's report: one function each, called by the notebook.

Each takes a ``Publication`` (anything else is refused) and returns :class:`~evalkit.report.html.Html`, empty when there is
nothing to say: no empty table, no empty chart, no heading over nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from evalkit.charts.context import NATIONAL, draw_context
from evalkit.charts.indicators import draw_indicators
from evalkit.charts.maturity import draw_coverage, draw_question_groups
from evalkit.compute.results import Publication
from evalkit.model.free_text import QUESTION_HELP, QUESTION_TITLE, SECTIONS_BY_NAME, question_name, split_title
from evalkit.model.referentiel import Module, Question
from evalkit.report import sentences, tables
from evalkit.report.guard import require_publication
from evalkit.report.html import (
    Html,
    bullet_list,
    definition_list,
    figure,
    free_section,
    free_text,
    heading,
    join,
    paragraph,
    table,
    tag,
)
from evalkit.report.identity import Identified, identity_of
from evalkit.report.sections_surveys import brief_sentences, conduct_sentence
from evalkit.report.sentences import is_missing, records
from evalkit.wording import agree, capitalize, format_date, join_french, plural, quote, slug

TYPES = {
    "commune": "commune",
    "communaute_de_communes": "communauté de communes",
    "communaute_agglomeration": "communauté d’agglomération",
    "communaute_urbaine": "communauté urbaine",
    "metropole": "métropole",
}


def show_title(publication: Publication) -> Html:
    """Title, identity of the contract, list of its neighbourhoods."""
    publication = require_publication(publication)
    territory, campaign = publication.territoire, publication.campagne
    warning = paragraph(
        tag("strong", "Données fictives."),
        "Ce territoire, ses quartiers et ses chiffres sont inventés ; ils servent à montrer l’outil.",
        classe="encadre",
    )
    pairs = [
        ("Département", territory.departement),
        ("Contrat", ", ".join(part for part in (territory.code, f"génération {territory.generation}") if part)),
        ("Porteur", _holder(territory.type, territory.epci)),
        ("Communes", join_french(territory.communes)),
        ("Modules évalués", join_french(module.libelle for module in _modules(publication))),
        ("Campagne", campaign.libelle),
        ("Date de référence", format_date(campaign.date_reference)),
    ]
    title = join(
        tag("h1", report_title(territory.nom)),
        paragraph(f"{campaign.libelle} — {publication.referentiel.libelle}", classe="sous-titre"),
        warning if _is_invented(publication) else "",
        paragraph(publication.referentiel.avertissement, classe="note"),
        definition_list(pairs),
        _neighbourhoods(publication),
        bullet_list(sentences.to_attach(qpv) for qpv in territory.qpv_a_rattacher),
    )
    return Identified(title, identity_of(publication))


def report_title(name: str) -> str:
    """Title of a report; the contract's name may already say what it is.

    >>> report_title("Contrat de ville d’Ardelle"), report_title("Ardelle")
    ('Évaluation du contrat de ville d’Ardelle', 'Évaluation du contrat de ville : Ardelle')
    """
    if name.lower().startswith("contrat de ville"):
        return f"Évaluation du {name[0].lower()}{name[1:]}"
    return f"Évaluation du contrat de ville : {name}"


def _holder(kind: str, name: str) -> str:
    """Kind and name of the institution that holds the contract; the name may already say its kind.

    >>> _holder("communaute_agglomeration", "Communauté d'agglomération d’Ardelle")
    "Communauté d'agglomération d’Ardelle"
    >>> _holder("commune", "Ardelle")
    'commune — Ardelle'
    """
    label = TYPES.get(kind, kind)
    if slug(name).startswith(slug(label)):
        return name
    return " — ".join(part for part in (label, name) if part)


def _is_invented(publication: Publication) -> bool:
    return publication.territoire.fictif or publication.campagne.fictif


def _modules(publication: Publication) -> list[Module]:
    evaluated = set(publication.questions["question"])
    return [m for m in publication.referentiel.modules if evaluated & {question.code for question in m.questions}]


def _neighbourhoods(publication: Publication) -> Html:
    rows = [
        [
            qpv.code,
            qpv.nom,
            join_french(qpv.communes) or "—",
            qpv.geographie,
            *([qpv.a_verifier] if any(other.a_verifier for other in publication.territoire.qpv) else []),
        ]
        for qpv in publication.territoire.qpv
    ]
    headers = ["Code", "Quartier", "Communes", "Géographie"]
    if rows and len(rows[0]) > len(headers):
        headers.append("À vérifier")
    n = len(rows)
    caption = f"{plural(n, 'quartier prioritaire', 'quartiers prioritaires')} du contrat"
    return table(headers, rows, caption=caption) or paragraph("Le dossier ne liste aucun quartier prioritaire.")


def show_brief(publication: Publication) -> Html:
    """« En bref »: coverage, the level of each question and the rule, then why others have none."""
    publication = require_publication(publication)
    titles = publication.referentiel.questions_par_code
    levels = publication.questions
    settled = int(levels["n_arbitrees"].sum()) > 0  # else the same sentence six times says nothing more
    pairs = [
        (f"{code} — {titles[code].titre}", sentences.brief_line(publication, code))
        for code in levels.loc[levels["statut"] != "calcule", "question"]
        if settled
    ]
    unfilled = "L’évaluation de ce territoire est non renseignée : ce document donne son identité et son contexte."
    return join(
        paragraph(unfilled, classe="encadre") if sentences.is_unfilled(publication) else "",
        bullet_list(sentences.coverage_lines(publication)),
        tables.brief(publication) if settled else "",
        definition_list(pairs, classe="mots"),
        _split_first(publication),
        paragraph(" ".join(surveys)) if (surveys := brief_sentences(publication)) else "",
    )


def _split_first(publication: Publication) -> Html:
    frame = publication.triangulation
    split = sorted(frame.loc[frame["partages"].notna(), "sous_question"])
    if not split:
        return Html("")
    n = len(split)
    said = f"{agree(n, 'La sous-question', 'Les sous-questions')} {join_french(split)} {agree(n, 'partage', 'partagent')} au moins un groupe : à discuter en premier."
    return paragraph(said)


def show_conduct(publication: Publication) -> Html:
    """How it was evaluated: who answered, coverage, warnings of the reading, surveys."""
    publication = require_publication(publication)
    n = publication.n_avertissements
    warnings = f"La lecture du dossier a donné {plural(n, 'avertissement')} ; « evalkit verifier » en donne la liste."
    answered = int(publication.repondants["n_repondants"].sum()) > 0
    return join(
        paragraph(sentences.respondents(publication)),
        tables.respondents(publication) if answered else "",
        figure(draw_coverage(publication)),
        paragraph(conduct_sentence(publication)),
        paragraph(warnings) if n else "",
    )


# --- context -------------------------------------------------------------------------------------------------------------


def show_context(publication: Publication) -> Html:
    """Open data of the neighbourhoods: shown, never scored."""
    publication = require_publication(publication)
    frame = publication.contexte
    known = frame[frame["indicateur"].notna()]
    current, former = known[~known["ancien"]], known[known["ancien"]]
    unknown = frame[frame["indicateur"].isna()]["variable"].nunique()
    own = {qpv.code for qpv in (*publication.territoire.qpv, *publication.territoire.qpv_anciens)}
    compared = set(current.loc[~current["qpv"].isin(own), "qpv"].astype(str))
    return join(
        paragraph("Ces chiffres situent le territoire ; ils n’entrent dans aucun niveau."),
        paragraph(_context_absence(publication, current)),
        *_context_blocks(publication, current, 3),
        paragraph(_comparison(compared)) if len(current) else "",
        _unavailable(publication),
        paragraph(
            f"{plural(unknown, 'variable importée', 'variables importées')} {agree(unknown, 'n’est rattachée', 'ne sont rattachées')} à aucune donnée de contexte du référentiel et {agree(unknown, 'n’est pas affichée', 'ne sont pas affichées')}."
        )
        if unknown
        else "",
        _former(publication, former),
    )


def _context_absence(publication: Publication, current: pd.DataFrame) -> str:
    if len(current):
        return ""
    if publication.territoire.generation == "2024":
        return (
            "Aucun chiffre de l’Insee par quartier prioritaire de 2024 n’est fourni : aucune donnée de contexte n’est "
            "donnée pour les quartiers de ce contrat."
        )
    return "Aucune donnée de contexte n’a été importée pour les quartiers de ce contrat."


def _comparison(compared: set[str]) -> str:
    if compared and {code.casefold() for code in compared} == {NATIONAL}:
        return (
            "« Ensemble des QPV de France » est la ligne nationale, donnée par certains fichiers seulement. Comparaison avec la commune, "
            "l’intercommunalité ou le département : non disponible, aucun fichier importé ne la donne."
        )
    if compared:
        return "Les territoires de comparaison viennent des mêmes fichiers que les quartiers."
    return "Comparaison avec la commune, l’intercommunalité ou le département : non disponible, aucun fichier importé ne la donne."


def _context_blocks(publication: Publication, frame: pd.DataFrame, level: int) -> Iterable[Html]:
    labels = {item.code: item for item in publication.referentiel.contexte}
    order = [code for code in labels if code in set(frame["indicateur"])]
    for code in order:
        mine = frame[frame["indicateur"] == code]
        if mine["valeur"].isna().all() and mine["silence"].isna().all():
            continue
        chart = draw_context(publication, code) if not mine["ancien"].any() else None
        # The chart carries its own table: ours takes its place where it says more (several editions or variables).
        single = chart is not None and len(mine[["variable", "edition", "annee_reference"]].drop_duplicates()) == 1
        parts = [tables.context(publication, part, code) for _, part in mine.groupby("geographie") if not single]
        shown = figure(chart, titled=False, values=join(*parts) or None) if chart is not None else join(*parts)
        yield join(heading(level, f"{code} — {labels[code].libelle}"), shown)


def _unavailable(publication: Publication) -> Html:
    missing = [item for item in publication.referentiel.contexte if not item.disponible]
    return join(
        *(
            paragraph(f"{item.code} ({item.libelle}) : aucune variable sourcée ; rien n’est affiché à la place.")
            for item in missing
        )
    )


def _former(publication: Publication, former: pd.DataFrame) -> Html:
    if former.empty:
        return Html("")
    labels = {item.code: item.libelle for item in publication.referentiel.contexte}
    return join(
        heading(3, "Quartiers 2015 des mêmes communes (ancienne géographie)"),
        paragraph(
            "Ces quartiers de 2015 sont rapprochés par leur commune. Ils n’ont pas les mêmes contours que les quartiers "
            "de 2024 : leurs chiffres ne se rattachent à aucun d’eux et ne s’y comparent pas."
        ),
        *(
            tables.context(publication, part, str(code))
            for code, part in former.groupby("indicateur")
            if code in labels
        ),
    )


# --- questions -----------------------------------------------------------------------------------------------------------


def show_question(publication: Publication, code: str) -> Html:
    """The section of one question or axis; empty when its module is not evaluated."""
    publication = require_publication(publication)
    row = sentences.question_row(publication, code)
    if row is None:
        return Html("")
    question = publication.referentiel.questions_par_code[code]
    head = join(
        heading(2, f"{code} — {question.titre}", slug(code)),
        paragraph(tag("em", question.libelle)) if question.libelle != question.titre else "",
        paragraph(sentences.question_level(publication, row), classe="encadre niveau"),
    )
    if _is_silent(publication, code):
        return join(head, _why_not_applicable(publication, code), _question_comment(publication, code))
    return join(
        head,
        _groups(publication, code),
        _discussion(publication, code),
        _indicators(publication, code),
        _findings(publication, code),
        _quotations(publication, code),
        _question_comment(publication, code),
        _associated(question),
    )


def show_other_questions(publication: Publication, *shown: str) -> Html:
    """Sections of the questions that the notebook does not name: a question added to the framework is never lost."""
    publication = require_publication(publication)
    others = [code for code in publication.questions["question"] if code not in shown]
    return join(*(show_question(publication, code) for code in others))


def _is_silent(publication: Publication, code: str) -> bool:
    """Nothing was given for this question: no level, no rating, no typed value, no finding."""
    levels = publication.niveaux[publication.niveaux["question"] == code]
    values = publication.indicateurs[publication.indicateurs["question"] == code]
    return (
        not (levels["statut"] == "arbitre").any()
        and not (publication.groupes["question"] == code).any()
        and not ((values["statut"] == "ok") & (values["obtention"] != "contexte")).any()
        and not (publication.constats["question"] == code).any()
        and not (publication.verbatims["question"] == code).any()
    )


def _why_not_applicable(publication: Publication, code: str) -> Html:
    levels = publication.niveaux[publication.niveaux["question"] == code]
    reasons = dict.fromkeys(levels.loc[~levels["applicable"], "explication"].dropna())
    return paragraph(*reasons)


def _groups(publication: Publication, code: str) -> Html:
    chart = draw_question_groups(publication, code)
    by_group = figure(chart) if chart is not None else tables.group_medians(publication, code)
    return join(
        heading(3, "Niveaux et preuves", f"{code}-niveaux"),
        tables.sub_questions(publication, code),
        _why_not_applicable(publication, code),
        join(heading(3, "Les groupes côte à côte", f"{code}-groupes"), by_group) if by_group else "",
    )


def _discussion(publication: Publication, code: str) -> Html:
    points = sentences.points_to_discuss(publication, code)
    titles = publication.referentiel.sous_questions
    items = [
        join(
            tag("strong", f"{row['sous_question']} {titles[row['sous_question']].titre} :"),
            sentences.discussion_point(publication, row),
            separator=" ",
        )
        for row in records(points)
    ]
    summary = paragraph(sentences.triangulation_summary(publication, code))
    if not items:
        return summary
    title = heading(3, "À discuter, dans cet ordre", f"{code}-a-discuter")
    return join(title, summary, bullet_list(items, ordered=True))


def _indicators(publication: Publication, code: str) -> Html:
    mine = publication.indicateurs[publication.indicateurs["question"] == code]
    if mine.empty:
        return Html("")
    given = mine[mine["statut"] == "ok"]
    lacking = mine[(mine["statut"] != "ok") & ~mine["indicateur"].isin(set(given["indicateur"]))]
    total, known = mine["indicateur"].nunique(), given["indicateur"].nunique()
    said = f"{plural(known, 'indicateur renseigné', 'indicateurs renseignés')} sur {total}. Un indicateur éclaire le débat ; aucun niveau n’en est déduit."
    missing = bullet_list(capitalize(line) for line in sentences.without_value(publication, lacking))
    chart = draw_indicators(publication, code) if known else None
    values = tables.indicators(publication, given, code)  # holds what the chart shows, and more
    return join(
        heading(3, "Indicateurs", f"{code}-indicateurs"),
        paragraph(said),
        figure(chart, values=values) if chart is not None else values,
        join(paragraph("Indicateurs sans valeur :"), missing) if missing else "",
    )


def _findings(publication: Publication, code: str) -> Html:
    frame = publication.constats[publication.constats["question"] == code]
    facts = [
        join(
            tag("strong", f"{tables.FINDINGS[row['type']]} ({row['id']}) :"),
            free_text(row["texte"]),
            "" if is_missing(row["origine"]) else tag("span", f"({row['origine']})", classe="note"),
            separator=" ",
        )
        for row in records(frame)
        if row["type"] in ("reussite", "frein")
    ]
    advice = tables.recommendations(frame, code)
    return join(
        join(heading(3, "Constats", f"{code}-constats"), bullet_list(facts)) if facts else "",
        join(heading(3, "Préconisations", f"{code}-preconisations"), advice) if advice else "",
    )


def _quotations(publication: Publication, code: str) -> Html:
    frame = publication.verbatims[(publication.verbatims["question"] == code) & publication.verbatims["publiable"]]
    quotes = []
    for row in records(frame):
        origin = "" if is_missing(row["enquete"]) or not row["attribuable"] else f" — {row['enquete']}"
        shared = (
            f" ({plural(row['nb_personnes'], 'personne')} ont exprimé une idée proche)" if row["attribuable"] else ""
        )
        quotes.append(tag("blockquote", paragraph(free_text(row["texte"])), paragraph(f"{origin}{shared}".strip())))
    return join(heading(3, "Paroles recueillies", f"{code}-paroles"), *quotes) if quotes else Html("")


def _associated(question: Question) -> Html:
    proposed = all(item.statut == "propose" for item in question.questions_associees)
    items = [
        join(
            tag("strong", f"{item.code} :"),
            item.libelle,
            tag("span", f"({item.critere}{'' if proposed else f', {tables.PROVENANCES[item.statut]}'})", classe="note"),
            separator=" ",
        )
        for item in question.questions_associees
    ]
    if not items:
        return Html("")
    words = "Questions proposées, à se poser" if proposed else "Questions à se poser"
    said = "Ces questions accompagnent le débat ; elles ne sont pas cotées."
    whose = "Ce sont des propositions, non le texte de l’IREV." if proposed else ""
    title = heading(3, words, f"{question.code}-questions-associees")
    return join(title, paragraph(said, whose), bullet_list(items))


# --- after the questions ---------------------------------------------------------------------------------------------------


def show_citizens_councils(publication: Publication) -> Html:
    """Whether there is a citizens' council, and where to read about it."""
    publication = require_publication(publication)
    questions = publication.niveaux
    excluded = dict.fromkeys(questions.loc[~questions["applicable"], "explication"].dropna())
    link = (
        tag("a", "Voir la question Q3.", href="#q3")
        if sentences.question_row(publication, "Q3") is not None
        else Html("")
    )
    council = publication.territoire.faits.get("conseil_citoyen") is False
    return join(
        heading(2, "Les conseils citoyens"),
        paragraph(sentences.citizens_council(publication), *(excluded if council else ()), link),
    )


def show_actions(publication: Publication) -> Html:
    """The programme of funded actions; empty when the dossier has none."""
    publication = require_publication(publication)
    frame = publication.actions
    if frame.empty:
        return Html("")
    years = [row for row in records(frame) if row["thematique"] == "ensemble"]
    return join(
        heading(2, "Le programme d’actions"),
        *(paragraph(sentences.actions_year(publication, row)) for row in years),
        tables.actions(publication),
    )


def show_follow_up(publication: Publication) -> Html:
    """Follow-up of the previous campaign; empty when there is none."""
    publication = require_publication(publication)
    if publication.suivis.empty:
        return Html("")
    return join(
        heading(2, "Suites de la campagne précédente"),
        paragraph(sentences.follow_up(publication)),
        tables.follow_up(publication),
    )


CHAPTER = "Le mot du territoire"
LAST_CHAPTER = "Conclusions du territoire"
_LAST = ("enseignements", "suites")
_WRITTEN_BY = "Textes rédigés par le territoire, reproduits tels quels."


def show_texts(publication: Publication) -> Html:
    """The territory's own words before the results: the presentation, and the texts it named itself."""
    publication = require_publication(publication)
    placed = {*_LAST, *(question_name(code) for code in publication.questions["question"])}
    own = [name for name in sorted(publication.textes) if name not in placed and name not in SECTIONS_BY_NAME]
    return _chapter(publication, CHAPTER, ["presentation", *own])


def show_conclusions(publication: Publication) -> Html:
    """The territory's own words after the results: what it learnt, what it will do."""
    return _chapter(require_publication(publication), LAST_CHAPTER, list(_LAST))


def _chapter(publication: Publication, title: str, names: list[str]) -> Html:
    """Free sections under one heading; when none is written, nothing is seen (the Word file makes room for them)."""
    written = [name for name in names if publication.textes.get(name, "").strip()]
    blocks = [_free_section(publication, name, chapitre="" if written else title) for name in names]
    if not written:
        return join(*blocks)
    return join(heading(2, title), paragraph(_WRITTEN_BY, classe="note"), *blocks)


def _free_section(publication: Publication, name: str, chapitre: str = "") -> Html:
    text = publication.textes.get(name, "")
    own_title, body = split_title(text)
    known = SECTIONS_BY_NAME.get(name)
    titre = own_title or (known.titre if known else _text_title(name))
    return free_section(name, titre, known.consigne if known else "", body, chapitre=chapitre)


def _question_comment(publication: Publication, code: str) -> Html:
    """What the territory says of a question: ``textes/q1.md``…"""
    own_title, body = split_title(publication.textes.get(question_name(code), ""))
    return free_section(question_name(code), own_title or QUESTION_TITLE, QUESTION_HELP, body)


def _text_title(name: str) -> str:
    """Title of a free section without one, from the file's name, which carries no accent."""
    words = {"presentation": "présentation", "synthese": "synthèse", "methode": "méthode", "gouvernance": "gouvernance"}
    return capitalize(" ".join(words.get(word, word) for word in name.replace("_", " ").replace("-", " ").split()))


def show_local(publication: Publication) -> Html:
    """Questions that the territory added: labelled, out of every shared level."""
    publication = require_publication(publication)
    questions = (publication.local or {}).get("questions") or []
    items = [
        join(tag("strong", str(item.get("code", ""))), str(item.get("libelle", "")), separator=" ")
        for item in questions
        if isinstance(item, dict)
    ]
    if not items:
        return Html("")
    said = (
        f"Ces questions sont propres au territoire ({quote('local.yml')}) : elles n’entrent dans aucun niveau commun."
    )
    return join(heading(2, "Questions locales"), paragraph(said), bullet_list(items))
