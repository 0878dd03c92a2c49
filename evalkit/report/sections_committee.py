"""The steering committee's two pages: what was asked, where the territory stands, what is agreed, debated, recommended.

Two sides of A4 for people who will not read the report: what is retained is chosen by ``compute.committee``, and each
section says its rule, so that nobody wonders who picked.
"""

from __future__ import annotations

from dataclasses import replace

from evalkit.charts.levels import draw_question_levels, read_levels
from evalkit.compute.committee import KEPT, Retained, choose_for_committee
from evalkit.compute.results import Publication
from evalkit.model.referentiel import Referentiel
from evalkit.report import sentences
from evalkit.report.guard import require_publication
from evalkit.report.html import (
    Html,
    Stamped,
    bullet_list,
    definition_list,
    figure,
    free_text,
    join,
    paragraph,
    tag,
)
from evalkit.report.identity import FICTIF, Identified, identity_of
from evalkit.report.sections_method import make_stamp
from evalkit.report.sections_surveys import NO_SURVEY, answered_parts, left_out_sentences
from evalkit.report.sentences import Row, codes, is_missing, level_text, median_text
from evalkit.wording import (
    NO_BREAK_SPACE,
    agree,
    at_least_left,
    capitalize,
    format_date,
    format_number,
    join_french,
    label_status,
    plural,
    pluralize,
    quote,
)

TEXT_LIMIT = 260  # characters of a recommendation, so that three of them hold on the page whatever was typed
NAME_LIMIT = 90
_WORDS = ("", "un", "deux", "trois")


def show_committee_title(publication: Publication) -> Html:
    """Title, date, and where the rest is."""
    publication = require_publication(publication)
    name, campaign = publication.territoire.nom, publication.campagne
    own = f"{name[0].lower()}{name[1:]}" if name.lower().startswith("contrat de ville") else name
    invented = paragraph(
        tag("strong", "Données fictives."),
        "Ce territoire et ses chiffres sont inventés ; ils servent à montrer l’outil.",
        classe="encadre",
    )
    title = join(
        tag("h1", f"Comité de pilotage : {own}"),
        paragraph(
            f"{campaign.libelle}, état au {format_date(campaign.date_reference)}.",
            "Deux pages tirées du rapport, qui donne les preuves, les effectifs et la méthode.",
            classe="sous-titre",
        ),
        invented if FICTIF in make_stamp(publication)["marques"] else "",
    )
    return Identified(title, replace(identity_of(publication), gabarit="deux-pages"))


def show_committee_asked(publication: Publication) -> Html:
    """What was asked, and of whom."""
    publication = require_publication(publication)
    titles = publication.referentiel.questions_par_code
    pairs = []
    for code in publication.questions["question"]:
        question = titles[code]
        asked = question.libelle if question.libelle != question.titre else "axe transversal du référentiel"
        pairs.append((f"{code} — {question.titre}", asked))
    left_out = left_out_sentences(publication)
    answers = answered_parts(publication)
    none = "" if answers or left_out else NO_SURVEY
    said = [f"Enquêtes : {answers}."] if answers else []
    return join(
        paragraph(_answered(publication), none),
        *(paragraph(text) for text in (*said, *left_out)),
        definition_list(pairs),
    )


def _answered(publication: Publication) -> str:
    frame = publication.repondants
    asked = int(publication.questions["n_applicables"].sum())
    n = int(frame["n_repondants"].sum())
    scope = f"{plural(len(publication.questions), 'question')}, {plural(asked, 'sous-question')} qui concernent ce territoire"
    if n == 0:
        return f"{scope}. Aucune cotation n’a été recueillie."
    present = int((frame["n_repondants"] > 0).sum())
    ratings = int(frame["n_cotations"].sum())
    names = publication.referentiel.groupes_par_code
    absent = [quote(names[code].libelle) for code in frame.loc[frame["n_repondants"] == 0, "groupe"]]
    missing = (
        f" N’{agree(len(absent), 'a pas répondu : le groupe', 'ont pas répondu : les groupes')} {join_french(absent)}."
        if absent
        else ""
    )
    return (
        f"{scope}. {plural(n, 'répondant')} de {plural(present, 'groupe')} d’acteurs {agree(n, 'a', 'ont')} donné "
        f"{format_number(ratings)} {agree(ratings, 'cotation', 'cotations')} de 0 à 5 ; une réunion arrête ensuite chaque niveau.{missing}"
    )


def show_committee_levels(publication: Publication) -> Html:
    """Where the territory stands on each question: the chart and its table."""
    publication = require_publication(publication)
    chart = draw_question_levels(publication)
    if chart is None:
        return paragraph(
            "Évaluation non renseignée : aucune sous-question n’a de niveau arrêté en réunion. Aucun niveau n’est donné.",
            _all_to_settle(publication),
        )
    referentiel = publication.referentiel
    least = format_number(referentiel.seuil("couverture_minimale") * 100)
    rule = (
        f"Le niveau d’une question est la médiane basse des niveaux arrêtés, donnée à partir de {least}\u202f% de "
        "sous-questions arbitrées. Aucun territoire n’est classé."
    )
    return join(figure(chart, titled=False), paragraph(_scale(referentiel), rule, classe="note"))


def _all_to_settle(publication: Publication) -> str:
    """What gives every question a level, of all that may be settled; "" when nothing applies."""
    least = sum(row.reste for row in read_levels(publication))
    total = int(publication.questions["n_applicables"].sum())
    return (
        f"À arrêter en réunion : {at_least_left(least, 'sous-question')}, sur {format_number(total)}." if least else ""
    )


def _scale(referentiel: Referentiel) -> str:
    """What the levels mean, in one line: their names."""
    steps = sorted(referentiel.echelle.niveaux, key=lambda step: step.niveau)
    return f"Niveaux : {', '.join(f'{step.niveau}{NO_BREAK_SPACE}({step.nom.lower()})' for step in steps)}."


def show_committee_agreements(publication: Publication) -> Html:
    """Up to three sub-questions that the groups see alike."""
    publication = require_publication(publication)
    chosen = choose_for_committee(publication).accords
    rule = (
        "Choix : trois groupes au moins à médiane montrée, niveau arbitré (s’il l’est) entre ces médianes ; d’abord le plus de "
        "groupes, puis le plus petit écart, puis l’ordre des codes."
    )
    none = "aucune sous-question n’a trois groupes comparables aux médianes proches."
    return join(
        paragraph(_few(chosen, "accord", none), rule, classe="note"),
        bullet_list((_agreement(publication, row) for row in chosen.rows), ordered=True),
    )


def _agreement(publication: Publication, row: Row) -> Html:
    groups = publication.groupes
    here = groups[(groups["sous_question"] == row["sous_question"]) & groups["groupe"].isin(codes(row["groupes"]))]
    low, high = float(here["mediane"].min()), float(here["mediane"].max())
    seen = f"à {median_text(low)}" if low == high else f"de {median_text(low)} à {median_text(high)}"
    compared = f"médianes {seen} : {_short_names(publication, row)}"
    return join(_sub_title(publication, row), f"{compared} ; {_settled(publication, row)}.", separator=" ")


def _short_names(publication: Publication, row: Row) -> str:
    """The groups compared, each with its n: they are displayable, their medians are on the page."""
    wanted, groups = codes(row["groupes"]), publication.groupes
    mine = groups[groups["sous_question"] == row["sous_question"]].set_index("groupe")["n"]
    return join_french(
        [
            f"{group.court} (n{NO_BREAK_SPACE}={NO_BREAK_SPACE}{format_number(mine[group.code])})"
            for group in publication.referentiel.groupes
            if group.code in wanted
        ]
    )


def _settled(publication: Publication, row: Row) -> str:
    levels = publication.niveaux
    level = levels.loc[levels["sous_question"] == row["sous_question"], "niveau"].iloc[0]
    if is_missing(level):
        return "niveau à arrêter en réunion"
    return f"niveau arbitré {level_text(publication.referentiel, level)}"


def _sub_title(publication: Publication, row: Row) -> Html:
    code = str(row["sous_question"])
    return tag("strong", f"{code} — {shorten(publication.referentiel.sous_questions[code].titre, NAME_LIMIT)} :")


def show_committee_debates(publication: Publication) -> Html:
    """Up to three sub-questions that divide the groups."""
    publication = require_publication(publication)
    chosen = choose_for_committee(publication).debats
    rule = "Choix : d’abord les groupes partagés, puis le plus grand écart entre groupes, puis l’ordre des codes."
    none = (
        "aucune sous-question ne montre d’écart entre les groupes que l’on peut comparer. De petits groupes peuvent différer "
        "sans que cela se voie."
    )
    items = [
        join(
            _sub_title(publication, row),
            f"{sentences.discussion_point(publication, row).rstrip('.')} ; {_settled(publication, row)}.",
            separator=" ",
        )
        for row in chosen.rows
    ]
    return join(
        paragraph(_few(chosen, "point à débattre", none), rule, classe="note"), bullet_list(items, ordered=True)
    )


def show_committee_recommendations(publication: Publication) -> Html:
    """Up to three open recommendations, with the function in charge and the date."""
    publication = require_publication(publication)
    committee = choose_for_committee(publication)
    chosen = committee.preconisations
    rule = "Choix : les préconisations ouvertes dont l’échéance est la plus proche, puis l’ordre des numéros."
    none = "aucune préconisation ouverte ne nomme à la fois une fonction responsable et une échéance."
    left = committee.n_incompletes
    incomplete = (
        f"{plural(left, 'préconisation ouverte', 'préconisations ouvertes')} sans fonction responsable ou sans échéance : à compléter."
        if left
        else ""
    )
    return join(
        paragraph(_few(chosen, "préconisation", none), rule, incomplete, classe="note"),
        bullet_list((_recommendation(publication, row) for row in chosen.rows), ordered=True),
    )


def _recommendation(publication: Publication, row: Row) -> Html:
    text = free_text(shorten(str(row["texte"]), TEXT_LIMIT))
    due = str(row["echeance"])  # a day, or a month, which is over when the next one begins
    late = " (échéance dépassée)" if due < publication.campagne.date_reference[: len(due)] else ""
    state = "" if is_missing(row["statut"]) else f", {label_status(str(row['statut']))}"
    who = shorten(str(row["responsable"]), NAME_LIMIT)
    article = "le " if len(due) == len("2022-11-30") else ""
    when = f"{article}{format_date(due)}".replace(" ", NO_BREAK_SPACE)
    return join(
        tag("strong", f"{row['id']} ({row['question']}) :"),
        text,
        tag("span", f"{capitalize(who)}, pour {when}{late}{state}.", classe="charge"),
        separator=" ",
    )


def _few(chosen: Retained, word: str, none: str) -> str:
    """Says it when there are fewer than three; how many were possible otherwise.

    >>> _few(Retained((), 0), "accord", "rien ne se compare.")
    'Aucun accord : rien ne se compare.'
    """
    n = len(chosen.rows)
    one = "une" if word.startswith("préconisation") else "un"
    if n == 0:
        return f"Auc{one} {word} : {none}"
    if n == 1:
        return f"{capitalize(one)} {word}, seulement."
    if n < KEPT:
        return f"{capitalize(_WORDS[n])} {pluralize(word)}, seulement."
    return f"{capitalize(_WORDS[n])} {pluralize(word)} sur {format_number(chosen.n_possible)}."


def shorten(text: str, limit: int) -> str:
    """A text cut at a word, the cut shown: « […] » sends to the report.

    >>> shorten("Tenir un registre public", 15)
    'Tenir un […]'
    """
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    kept = text[: limit - 4]
    return f"{kept.rpartition(' ')[0] or kept} […]"


def show_committee_stamp(publication: Publication) -> Stamped:
    """The stamp in one paragraph, carried along as data like that of every document."""
    publication = require_publication(publication)
    stamp = make_stamp(publication)
    referentiel = publication.referentiel
    framework = f"{referentiel.libelle}, version {referentiel.version}."
    parts = (
        f"empreinte des données {stamp['empreinte'] or 'non calculée'}",
        f"evalkit {stamp['evalkit']}",
        f"date de référence {format_date(stamp['date_reference'])}",
        f"{plural(stamp['n_masques'], 'valeur masquée', 'valeurs masquées')}",
        f"données {'fictives' if stamp['fictif'] else 'déclarées par le territoire et données ouvertes'}",
    )
    said = paragraph(framework, referentiel.avertissement, f"{capitalize(' ; '.join(parts))}.", classe="note")
    return Stamped(said, stamp)
