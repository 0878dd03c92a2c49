"""The surveys of a territory: who was asked, who answered, what may be concluded, and what they said by question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from evalkit.charts.surveys import (
    SurveyItem,
    draw_choices,
    draw_likert,
    likert_families,
    part_name,
    read_items,
    secret_text,
    share_text,
    silence_text,
    undeclared_text,
)
from evalkit.compute.results import Publication
from evalkit.compute.surveys import EVERYBODY
from evalkit.model.referentiel import Referentiel
from evalkit.report.guard import require_publication
from evalkit.report.html import Absent, Html, bullet_list, figure, heading, join, paragraph, table
from evalkit.report.sentences import Row, is_missing, number_text, records
from evalkit.wording import agree, format_number, format_percent, join_french, label_status, plural, quote

COLLECTE = {
    "aleatoire": "tirage au hasard",
    "recensement": "prévue auprès de tous",  # what the questionnaire plans: nobody says that it was done
    "ouvert": "ouvert à tous",
}
SHORT = 3  # answers that read well in one line
NO_SURVEY = "Aucune enquête importée."


def conduct_sentence(publication: Publication) -> str:
    """One or two sentences for « Comment l’évaluation a été conduite »."""
    return " ".join([*_imported(publication), *left_out_sentences(publication)]) or NO_SURVEY


def _imported(publication: Publication) -> list[str]:
    rows = records(publication.enquetes)
    if not rows:
        return []
    titles = {enquete.code: enquete for enquete in publication.referentiel.enquetes}
    said = [f"{part_name(publication, titles[r['enquete']], r['partie'])} ({_answered(r)})" for r in rows]
    n = len({row["enquete"] for row in rows})
    verb = agree(n, "questionnaire a été importé", "questionnaires ont été importés")
    return [f"{format_number(n)} {verb} : {join_french(said)}."]


def left_out_sentences(publication: Publication) -> list[str]:
    """What was left out on request, and why: one sentence per questionnaire or export, none when nothing was."""
    return left_out_texts(publication.referentiel, publication.enquetes_ecartees)


def left_out_texts(referentiel: Referentiel, left_out: Mapping[str, str]) -> list[str]:
    """The same, for a document that is not published; ``left_out``: by questionnaire or export, why."""
    titles = {enquete.code: enquete.titre for enquete in referentiel.enquetes}
    return [_left_out(code, titles.get(code, ""), why) for code, why in left_out.items()]


def _left_out(code: str, title: str, reason: str) -> str:
    asked = "à la demande de qui a produit ce document"
    if not title:  # an export, by its name
        return f"Le fichier de réponses {quote(code)} a été laissé de côté {asked} : {reason}. Rien ici n’en est tiré."
    why = f"son fichier n’est pas sûr ({reason})" if reason else "son fichier se lit pourtant sans anomalie"
    return f"L’enquête {code} ({quote(title)}) a été laissée de côté {asked} : {why}. Rien ici n’en est tiré."


def brief_sentences(publication: Publication) -> list[str]:
    """What « En bref » says of the surveys: who answered, how many of how many asked, what is fragile, what is left out."""
    answers = answered_parts(publication)
    said = [f"Ont répondu à une enquête : {answers}."] if answers else []
    if (publication.enquetes["collecte"] == "ouvert").any():
        said.append("Une enquête ouverte à tous décrit ceux qui ont répondu, pas les autres.")
    return [*said, *left_out_sentences(publication)]


def answered_parts(publication: Publication) -> str:
    """Who answered which questionnaire, how many of how many asked; empty when nothing was imported."""
    titles = {enquete.code: enquete for enquete in publication.referentiel.enquetes}
    rows = records(publication.enquetes)
    return " ; ".join(_brief_part(part_name(publication, titles[r["enquete"]], r["partie"]), r) for r in rows)


_BRIEF_LIMITS = {"base_fragile": "base fragile", "secret": "trop peu pour qu’un résultat soit montré"}


def _brief_part(name: str, row: Row) -> str:
    asked = "" if is_missing(row["n_sollicites"]) else f" sur {plural(row['n_sollicites'], 'sollicité')}"
    limit = _BRIEF_LIMITS.get(str(row["statut"]), "")
    return f"{name}, {plural(row['n_reponses'], 'réponse')}{asked}" + f" ({limit})" * bool(limit)


def _answered(row: Row) -> str:
    n = plural(row["n_reponses"], "réponse")
    if is_missing(row["n_sollicites"]):
        return n
    return f"{n} sur {format_number(row['n_sollicites'])}, soit {format_percent(row['taux'])}"


def show_surveys(publication: Publication) -> Html:
    """Section « Les enquêtes »; empty when nothing was imported, nor left out."""
    publication = require_publication(publication)
    left_out = join(*(paragraph(said, classe="encadre") for said in left_out_sentences(publication)))
    if publication.enquetes.empty:
        return join(heading(2, "Les enquêtes"), left_out) if left_out else Html("")
    items = read_items(publication)
    open_items = [item for item in items if item.question.donnee_sensible == "non"]
    sensitive = [item for item in items if item.question.donnee_sensible != "non"]
    return join(
        heading(2, "Les enquêtes"),
        left_out,
        paragraph(
            "Chaque groupe a répondu à son propre questionnaire. Leurs réponses sont montrées côte à côte ; elles ne sont "
            "jamais additionnées, et aucune n’est convertie en niveau."
        ),
        _who(publication),
        *_by_question(publication, open_items),
        _others(publication, open_items),
        _sensitive(publication, sensitive),
    )


# --- who answered, what may be concluded ----------------------------------------------------------------------------


def _who(publication: Publication) -> Html:
    titles = {enquete.code: enquete for enquete in publication.referentiel.enquetes}
    rows: list[list[object]] = []
    for row in records(publication.enquetes):
        enquete = titles[row["enquete"]]
        part = enquete.parties_par_code[row["partie"]]
        unknown = Absent(label_status("non_repondu"))
        rows.append(
            [
                f"{enquete.code} — {enquete.titre}",
                part.repondants,
                unknown if is_missing(row["n_sollicites"]) else format_number(row["n_sollicites"]),
                format_number(row["n_reponses"]),
                unknown if is_missing(row["taux"]) else format_percent(row["taux"]),
                COLLECTE[row["collecte"]],
                " ".join(conclusions(publication, row)),
            ]
        )
    headers = ["Questionnaire", "Qui", "Sollicités", "Réponses", "Taux", "Collecte", "Ce que l’on peut en conclure"]
    return join(table(headers, rows, caption="Questionnaires importés", numeric=(2, 3, 4)), _set_apart(publication))


def _set_apart(publication: Publication) -> Html:
    """How many rows of the files count for nothing: said once per questionnaire, nothing when there is none."""
    counted = {row["enquete"]: row for row in records(publication.enquetes) if not is_missing(row["n_a_part"])}
    said = [
        f"{code}, {format_number(row['n_a_part'])} sur {plural(row['n_lues'], 'ligne')}"
        + (f" ({row['motifs_a_part']})" if not is_missing(row["motifs_a_part"]) else "")
        for code, row in counted.items()
        if row["n_a_part"] > 0
    ]
    if not said:
        return Html("")
    return paragraph(f"Mis à part avant tout calcul : {' ; '.join(said)}.")


def conclusions(publication: Publication, row: Row) -> list[str]:
    """What the answers of one part allow to say; ``row``: a row of the table ``enquetes``."""
    if row["statut"] == "secret":
        return ["Trop peu de réponses : aucun résultat n’est montré."]
    said = []
    if row["statut"] == "base_fragile":
        limit = publication.referentiel.seuil("base_fragile")
        said.append(f"Base fragile ({format_number(limit)} réponses au plus) : à lire avec prudence.")
    if row["collecte"] == "ouvert":
        said.append(
            "Les résultats décrivent ceux qui ont répondu : ni marge d’erreur, ni généralisation aux autres habitants."
        )
    elif row["collecte"] == "aleatoire":
        said.append("Échantillon tiré au hasard : un intervalle à 95 % accompagne les parts.")
    elif not is_missing(row["n_sollicites"]) and row["n_sollicites"] <= row["n_reponses"]:
        said.append(EVERYBODY)
    elif is_missing(row["n_sollicites"]):
        said.append("Le nombre de sollicités n’est pas connu : ni taux de réponse, ni intervalle.")
    else:
        said.append("L’intervalle à 95 % vaut si les non-répondants ressemblaient aux répondants.")
    if row["ponderee"]:
        effective = (
            "" if is_missing(row["n_efficace"]) else f" ({number_text(round(row['n_efficace']))} réponses efficaces)"
        )
        said.append(f"Réponses pondérées{effective}.")
    return said


# --- what they said -------------------------------------------------------------------------------------------------


def _first_indicator(item: SurveyItem) -> str:
    return item.question.indicateurs[0].code if item.question.indicateurs else ""


def _by_question(publication: Publication, items: Sequence[SurveyItem]) -> Iterable[Html]:
    """One block per evaluative question: the items that feed its indicators, groups side by side."""
    known = publication.referentiel.question_de
    rank = {code: position for position, code in enumerate(publication.referentiel.indicateurs)}
    for code, question in publication.referentiel.questions_par_code.items():
        mine = [item for item in items if known.get(_first_indicator(item)) == code]
        ordered = sorted(mine, key=lambda item: rank[_first_indicator(item)])
        if ordered:
            yield join(
                heading(3, f"{code} — {question.titre} : ce que disent les enquêtes", f"{code}-enquetes"),
                *_blocks(publication, ordered, code),
            )


def _blocks(publication: Publication, items: Sequence[SurveyItem], where: str) -> Iterable[Html]:
    families = likert_families(items)
    drawn = {item.key for family in families for item in family}
    for number, family in enumerate(families, start=1):
        titre = f"{where} : opinions, de « {_end(family, 0)} » à « {_end(family, -1)} »"
        yield figure(draw_likert(publication, family, f"opinions-{where.lower()}-{number}", titre))
    others = [item for item in items if item.key not in drawn and item.question.type not in ("nombre", "texte")]
    for item in others:
        if _wants_chart(item):
            yield figure(draw_choices(publication, item))
    yield _short_answers([item for item in others if not _wants_chart(item)], where)
    yield _numbers(publication, [item for item in items if item.question.type == "nombre"], where)
    yield _texts(publication, [item for item in items if item.question.type == "texte"])


def _end(family: Sequence[SurveyItem], position: int) -> str:
    return family[0].choices[position][1]


def _wants_chart(item: SurveyItem) -> bool:
    """Many possible answers, shown: bars. A « oui, non » or a secret is read faster in a line."""
    return item.shown and len(item.choices) > SHORT


def _short_answers(items: Sequence[SurveyItem], where: str) -> Html:
    """One line per question with few possible answers, and per question that is secret."""
    rows: list[list[object]] = []
    for item in items:
        weak = " (base fragile)" if item.status == "base_fragile" else ""
        said: object = Absent(_nothing(item))
        if item.shown:
            said = " ; ".join(
                f"{label} : {_with_bounds(item, share, low, high)}" for _, label, share, low, high in item.choices
            )
        name = f"{item.question.code} {item.question.libelle}"
        rows.append([name, item.group, f"{format_number(item.n)}{weak}", said, silence_text(item) or "aucun"])
    headers = ["Question", "Qui a répondu", "n", "Réponses (intervalle à 95 % s’il en est un)", "Silences"]
    return table(headers, rows, caption=f"{where} : réponses en peu de choix, et questions au secret", numeric=(2,))


def _with_bounds(item: SurveyItem, share: float | None, low: float, high: float) -> str:
    text = share_text(item, share)
    return text if low != low else f"{text} (de {format_number(low)} à {format_number(high)})"


def _nothing(item: SurveyItem) -> str:
    if item.undeclared:
        return f"{undeclared_text()} ({plural(item.n, 'réponse')})"
    return label_status("aucune_reponse") if item.n == 0 else secret_text(item.n)


def _numbers(publication: Publication, items: Sequence[SurveyItem], where: str) -> Html:
    """Means and medians of the questions whose answer is a number."""
    table_rows = {(r["enquete"], r["partie"], r["question"]): r for r in records(publication.items)}
    rows: list[list[object]] = []
    for item in items:
        row = table_rows[(item.enquete.code, item.partie, item.question.code)]
        unit = f" ({item.question.unite})" if item.question.unite else ""
        figures: list[object] = [
            Absent(_nothing(item)) if is_missing(row[name]) else number_text(round(row[name], 1))
            for name in ("mediane", "moyenne")
        ]
        weak = " (base fragile)" if item.status == "base_fragile" else ""
        rows.append(
            [
                f"{item.question.code} {item.question.libelle}{unit}",
                item.group,
                f"{format_number(item.n)}{weak}",
                *figures,
                silence_text(item) or "aucun",
            ]
        )
    headers = ["Question", "Qui a répondu", "n", "Médiane", "Moyenne", "Silences"]
    return table(headers, rows, caption=f"{where} : réponses chiffrées", numeric=(2, 3, 4))


def _texts(publication: Publication, items: Sequence[SurveyItem]) -> Html:
    """Open questions: how many wrote something, by theme where it may be said; never the text."""
    lines = []
    for item in items:
        themes = [f"{label} ({_theme(publication, item, code)})" for code, label, *_ in item.choices]
        said = f" ; thèmes : {join_french(themes)}" if themes else ""
        lines.append(
            f"{item.question.code} {item.question.libelle} — {item.group} : "
            f"{plural(item.n, 'réponse écrite', 'réponses écrites')}{said}."
        )
    if not lines:
        return Html("")
    return join(paragraph("Questions ouvertes (les réponses ne sont citées qu’après relecture) :"), bullet_list(lines))


def _theme(publication: Publication, item: SurveyItem, code: str) -> str:
    frame = publication.reponses
    keys = (("enquete", item.enquete.code), ("partie", item.partie), ("question", item.question.code), ("choix", code))
    for column, value in keys:
        frame = frame[frame[column] == value]
    n = frame["n"].iloc[0]
    return label_status("secret") if is_missing(n) else format_number(n)


def _others(publication: Publication, items: Sequence[SurveyItem]) -> Html:
    """Questions that feed no indicator of the framework: tables, one per questionnaire part."""
    known = publication.referentiel.question_de
    mine = [item for item in items if _first_indicator(item) not in known]
    blocks = []
    for code, partie in dict.fromkeys((item.enquete.code, item.partie) for item in mine):
        part = [item for item in mine if (item.enquete.code, item.partie) == (code, partie)]
        where = f"{code}, {part[0].group}"
        texts = [item for item in part if item.question.type == "texte"]
        numbers = [item for item in part if item.question.type == "nombre"]
        blocks.append(
            join(_answers_table(part, where), _numbers(publication, numbers, where), _texts(publication, texts))
        )
    if not blocks:
        return Html("")
    return join(heading(3, "Qui sont les répondants, et autres questions", "enquetes-autres"), *blocks)


def _answers_table(items: Sequence[SurveyItem], where: str) -> Html:
    rows: list[list[object]] = []
    for item in items:
        if item.question.type in ("nombre", "texte"):
            continue
        weak = ", base fragile" if item.status == "base_fragile" else ""
        silent = f" ; {silence_text(item)}" if item.n_silences else ""
        name = f"{item.question.code} {item.question.libelle}"
        if not item.shown:
            rows.append([name, "toutes les réponses", Absent(_nothing(item))])
            continue
        for _, label, share, _, _ in item.choices:
            value = share_text(item, share)
            rows.append([name, label, Absent(value) if share is None else value])
        rows.append([name, f"(n\u00a0=\u00a0{format_number(item.n)}{weak}{silent})", ""])
    return table(["Question", "Réponse", "Part"], rows, caption=f"{where} : autres questions", numeric=(2,))


def _sensitive(publication: Publication, items: Sequence[SurveyItem]) -> Html:
    """Sensitive questions, last, with the rule that protects who answered."""
    if not items:
        return Html("")
    cell, ends = (publication.referentiel.seuil(code) for code in ("seuil_cellule", "seuil_extremes"))
    rule = (
        f"Pour ces questions, une réponse donnée par moins de {format_number(cell)} personnes n’est pas montrée, ni 0 % ni "
        f"100 % quand moins de {format_number(ends)} personnes ont répondu."
    )
    surveys = dict.fromkeys(item.enquete.code for item in items)
    parts = (join(*_blocks(publication, [i for i in items if i.enquete.code == code], code)) for code in surveys)
    return join(heading(3, "Questions sensibles", "enquetes-sensibles"), paragraph(rule), *parts)
