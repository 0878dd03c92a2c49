"""Tables of a report: published figures laid out, each cell said in words when it has no value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pandas as pd

from evalkit.charts.context import NATIONAL, area_name, short_source
from evalkit.charts.theme import is_typed
from evalkit.compute.results import Publication, PublicationSynthese
from evalkit.compute.surveys import read_source, way_of
from evalkit.model.referentiel import Referentiel
from evalkit.report.html import Absent, Html, free_text, join, table, tag
from evalkit.report.sentences import (
    Row,
    is_missing,
    median_text,
    number_text,
    points_to_discuss,
    records,
    value_text,
)
from evalkit.wording import (
    NO_BREAK_SPACE,
    capitalize,
    format_date,
    format_number,
    format_percent,
    join_french,
    label_status,
    place_name,
    plural,
    quote,
    sort_key,
)

OBTENTIONS = {
    "saisie": "saisie",
    "actions": "programme d’actions",
    "contexte": "données ouvertes",
    "enquete": "enquête",
}
SURVEY_RATIO = (
    "Enquêtes : « 13 / 33 » se lit « 13 répondants concernés sur 33 », sauf mention ; les silences n’y sont pas."
)
PROVENANCES = {"source": "sourcé", "adapte": "adapté", "propose": "proposé"}
FINDINGS = {"reussite": "Réussite", "frein": "Frein", "preconisation": "Préconisation", "action": "Action proposée"}
MASKED_TABLES = {
    "groupes": "Médianes des groupes",
    "distributions": "Répartitions des cotations",
    "triangulation": "Écarts entre groupes",
    "indicateurs": "Indicateurs",
    "actions": "Programme d’actions",
    "verbatims": "Paroles rapportées",
    "enquetes": "Enquêtes",
    "items": "Questions des enquêtes",
    "reponses": "Réponses aux enquêtes",
    "niveaux": "Niveaux",
    "questions": "Niveaux des questions",
    "ecarts": "Écarts entre groupes",
    "modalites": "Modalités des indicateurs",
    "typologie": "Typologie",
    "repondants": "Répondants",
    "contexte": "Contexte",
    "constats": "Constats",
    "nominatif": "Tableau nominatif",
}
_NOTHING = Absent("—")


def _date(value: object) -> object:
    return _NOTHING if is_missing(value) else format_date(str(value)).replace(" ", NO_BREAK_SPACE)


def _text(value: object) -> object:
    return _NOTHING if is_missing(value) else free_text(value)


# --- territory: who answered, levels ---------------------------------------------------------------------------------


def respondents(publication: Publication) -> Html:
    """Who answered, by actor group, groups that did not answer included."""
    names = publication.referentiel.groupes_par_code
    rows = [
        [names[row["groupe"]].libelle, *(number_text(row[c]) for c in ("n_repondants", "n_cotations", "n_silences"))]
        for row in records(publication.repondants)
    ]
    headers = ["Groupe d’acteurs", "Répondants", "Cotations exprimées", "Réponses sans niveau"]
    return table(headers, rows, caption="Qui a répondu", numeric=(1, 2, 3))


def brief(publication: Publication) -> Html:
    """Level of each question that has one, its lowest settled level, its coverage, and what is to be discussed."""
    referentiel = publication.referentiel
    frame = publication.questions[publication.questions["statut"] == "calcule"]
    rows: list[list[object]] = [
        [
            f"{row['question']} — {referentiel.questions_par_code[row['question']].titre}",
            _named_level(referentiel, row["mediane"], "strong"),
            _named_level(referentiel, row["minimum"], "span"),
            f"{int(row['n_arbitrees'])} sur {int(row['n_applicables'])}",
            _to_discuss(publication, row["question"]),
        ]
        for row in records(frame)
    ]
    headers = [
        "Question",
        "Niveau",
        "Plus bas niveau d’une sous-question",
        "Sous-questions arbitrées",
        "Points à discuter",
    ]
    least = format_percent(referentiel.seuil("couverture_minimale") * 100)
    note = (
        f"Niveau : médiane basse des niveaux arbitrés, donnée à partir de {least} de sous-questions arbitrées. "
        "Points à discuter : sous-questions où les groupes d’acteurs s’écartent, sur celles où ils se comparent."
    )
    return table(headers, rows, caption="Niveau de chaque question, de 0 à 5", note=note)


def _named_level(referentiel: Referentiel, level: float, element: str) -> Html:
    """« 3 · Structuration », on one line as far as it goes."""
    name = next((step.nom for step in referentiel.echelle.niveaux if step.niveau == int(level)), "")
    return tag(element, f"{int(level)}{NO_BREAK_SPACE}·{NO_BREAK_SPACE}{name}")


def _to_discuss(publication: Publication, code: str) -> object:
    """« 1 sur 6 comparées »; said in words when no sub-question could be compared, never a zero."""
    frame = publication.triangulation
    mine = frame[(frame["question"] == code) & frame["statut"].isin(("ecart_a_debattre", "medianes_proches"))]
    found = points_to_discuss(publication, code)
    compared = len(set(mine["sous_question"]) | set(found["sous_question"]))
    return f"{len(found)} sur {compared}" if compared else Absent("groupes non comparés")


def sub_questions(publication: Publication, code: str) -> Html:
    """Settled level, proof, self-assessment and strength of evidence of each sub-question of a question."""
    frame = publication.niveaux[publication.niveaux["question"] == code]
    solidity = dict(zip(publication.solidite["sous_question"], publication.solidite["solidite"], strict=True))
    meeting = _shared_meeting(frame)
    rows = [_sub_question_row(publication.referentiel, row, solidity, meeting) for row in records(frame)]
    headers = ["Sous-question", "Niveau arbitré", "Preuve", "Auto-évaluation du pilote", "Solidité des sources"]
    return table(headers, rows, caption=f"{code} : niveaux des sous-questions", note=_level_note(frame, meeting))


def _sub_question_row(referentiel: Referentiel, row: Row, solidity: dict[str, str], meeting: str) -> list[object]:
    sub = referentiel.sous_questions[row["sous_question"]]
    title = join(tag("strong", sub.code), tag("span", sub.titre), separator=" ")
    if row["statut"] == "non_applicable":
        why = label_status("non_applicable") if is_missing(row["explication"]) else str(row["explication"])
        return [title, Absent(why), _NOTHING, _NOTHING, _NOTHING]
    own = _NOTHING if is_missing(row["auto_evaluation"]) else median_text(row["auto_evaluation"])
    known = solidity.get(sub.code)
    strength = _NOTHING if known is None else label_status(known)
    if row["statut"] != "arbitre":
        typed = "" if is_missing(row["silence"]) else f" ({label_status(row['silence'])})"
        return [title, Absent(f"non arbitré{typed}"), _NOTHING, own, strength]
    level = int(row["niveau"])
    cell = join(tag("strong", str(level)), tag("span", sub.echelle.niveaux[level]), separator=" · ")
    return [title, cell, _proof(row, meeting), own, strength]


def _meeting(row: Row) -> str:
    """When and by which body a level was settled; empty when neither is known."""
    settled = [
        f"le {format_date(str(row['date']))}" if not is_missing(row["date"]) else "",
        f"par : {row['instance']}" if not is_missing(row["instance"]) else "",
    ]
    return ", ".join(part for part in settled if part)


def _shared_meeting(frame: pd.DataFrame) -> str:
    """The meeting that settled all the levels of a question, said once under the table; empty when they differ."""
    meetings = {_meeting(row) for row in records(frame[frame["statut"] == "arbitre"])}
    return meetings.pop() if len(meetings) == 1 and (frame["statut"] == "arbitre").sum() > 1 else ""


def _proof(row: Row, meeting: str) -> object:
    where = "" if _meeting(row) == meeting or not _meeting(row) else f"arrêté {_meeting(row)}"
    proof = tag("em", "déclaré sans preuve") if is_missing(row["preuve"]) else free_text(row["preuve"])
    return join(proof, f"({where})" if where else "", separator=" ")


def _level_note(frame: pd.DataFrame, meeting: str) -> str:
    if (frame["statut"] == "arbitre").sum() == 0:
        return ""
    said = f"Niveaux arrêtés {meeting}. " if meeting else ""
    return (
        f"{said}evalkit vérifie qu’une preuve est nommée, non qu’elle est exacte. Le tiret « — » : rien n’a été donné."
    )


def group_medians(publication: Publication, code: str) -> Html:
    """Median and number of ratings of each group, sub-question by sub-question."""
    frame = publication.groupes[publication.groupes["question"] == code]
    present = [g for g in publication.referentiel.groupes if g.code in set(frame["groupe"])]
    rows = []
    for sub in dict.fromkeys(frame["sous_question"]):
        mine = {row["groupe"]: row for row in records(frame[frame["sous_question"] == sub])}
        rows.append([sub, *(_median_cell(mine.get(group.code)) for group in present)])
    caption = f"{code} : médiane des cotations de chaque groupe, et nombre de cotations exprimées (n)"
    return table(["Sous-question", *(g.libelle for g in present)], rows, caption=caption)


def _median_cell(row: Row | None) -> object:
    if row is None:
        return Absent("aucune cotation")
    n = f"(n\u00a0=\u00a0{int(row['n'])})"
    if is_missing(row["mediane"]):
        return Absent(f"{label_status(row['statut'])} {n}")
    return f"{median_text(row['mediane'])} {n}"


def distribution(publication: Publication, sub: str) -> Html:
    """Published distributions of one sub-question: number of ratings at each level, group by group."""
    frame = publication.distributions[
        (publication.distributions["sous_question"] == sub) & (publication.distributions["statut"] == "ok")
    ]
    rows = []
    for group in publication.referentiel.groupes:
        mine = frame[frame["groupe"] == group.code].sort_values("niveau")
        if len(mine) == 6:
            rows.append([group.libelle, *(number_text(n) for n in mine["n"])])
    caption = f"{sub} : nombre de cotations à chaque niveau (groupes dont la répartition peut être publiée)"
    return table(["Groupe", *(f"Niveau {k}" for k in range(6))], rows, caption=caption, numeric=range(1, 7))


# --- territory: indicators, findings, actions -------------------------------------------------------------------------


def indicators(publication: Publication, rows: pd.DataFrame, code: str) -> Html:
    """Indicators that have a value: latest value, its numerator and denominator, earlier ones, source, reference."""
    series: dict[tuple[str, ...], list[Row]] = {}
    for row in records(rows):
        key = tuple(str(row[column]) for column in ("indicateur", "obtention", "groupe"))
        series.setdefault((*key, _origin(row)), []).append(row)
    lines = [_indicator_row(publication, values) for values in series.values()]
    headers = ["Indicateur", "Dernière valeur", "Numérateur / dénominateur", "Valeurs antérieures", "Source"]
    notes = ["Pas de référence régionale pour cette campagne."]
    if publication.reference is not None:
        headers.append("Région : médiane (quartiles), territoires")
        notes = []
    if (rows["obtention"] == "enquete").any():
        notes.append(SURVEY_RATIO)
    lines = [line[: len(headers)] for line in lines]
    return table(headers, lines, caption=f"{code} : indicateurs renseignés", note=" ".join(notes))


def is_distribution(row: Row) -> bool:
    """One possible answer of a survey question, among others."""
    return bool(row["obtention"] == "enquete") and not is_missing(row["modalite"])


def _origin(row: Row) -> str:
    """What a value comes from: the answers to one survey question make one line together."""
    return " · ".join(str(row["source"]).split(" · ")[:2]) if is_distribution(row) else str(row["source"])


def _distribution_row(publication: Publication, values: list[Row]) -> list[object]:
    """One line for the answers to a survey question, in the order of the questionnaire."""
    row = values[0]
    several = row["unite"] == "pourcent_citations"  # said once, beside n, rather than after each share
    shown = [{**v, "unite": "pourcent"} if several else v for v in values]
    shares = [f"{str(v['source']).split(' · ')[-1]} : {indicator_value(publication.referentiel, v)}" for v in shown]
    line = _indicator_row(publication, [{**row, "modalite": None, "source": _origin(row)}])
    people = f"n\u00a0=\u00a0{plural(row['n'], 'répondant')}"
    note = tag("small", "(parts des répondants ; plusieurs réponses possibles)") if several else ""
    return [line[0], " ; ".join(shares), join(tag("span", people), note, separator=" "), *line[3:]]


def _indicator_row(publication: Publication, values: list[Row]) -> list[object]:
    if is_distribution(values[0]):
        return _distribution_row(publication, values)
    referentiel = publication.referentiel
    ordered = sorted(values, key=lambda row: -1.0 if is_missing(row["annee"]) else row["annee"])
    row = ordered[-1]
    known = referentiel.indicateurs.get(row["indicateur"])
    name = join(tag("strong", row["indicateur"]), tag("span", known.libelle if known else ""), separator=" ")
    before = join(*(_said(referentiel, earlier, full=True) for earlier in reversed(ordered[:-1])), separator=" ; ")
    source = OBTENTIONS.get(row["obtention"], str(row["obtention"]))
    if not is_missing(row["source"]) and str(row["source"]) != source:
        source = f"{row['source']} ({source})"
    if not is_missing(row["groupe"]):
        source += f", {referentiel.groupes_par_code[row['groupe']].pluriel}"
    latest = _said(referentiel, row)
    return [name, latest, _explained_ratio(referentiel, row), before or _NOTHING, source, _reference(publication, row)]


def _said(referentiel: Referentiel, row: Row, full: bool = False) -> Html:
    """A shown value, and under it, small, what limits it: « 9 actions laissées de côté », « base fragile »…"""
    limit = "" if is_missing(row["explication"]) else tag("small", row["explication"], classe="reserve")
    return join(tag("span", _dated(referentiel, row, full)), limit, separator=" ")


def _dated(referentiel: Referentiel, row: Row, full: bool = False) -> str:
    """« 58 % en 2020 », with « (18 / 31) » when ``full``."""
    value = str(indicator_value(referentiel, row))
    year = "" if is_missing(row["annee"]) else f" en{NO_BREAK_SPACE}{int(row['annee'])}"
    known = full and not is_missing(row["numerateur"]) and not is_missing(row["denominateur"])
    return f"{value}{year}{f' ({_ratio(row)})' if known else ''}"


def indicator_value(referentiel: Referentiel, row: Row) -> object:
    """Value of an indicator as printed: a number and its unit, a category in words, or a status in words."""
    if row["statut"] != "ok":
        return Absent(label_status(row["statut"]))
    if not is_missing(row["modalite"]) and row["obtention"] != "enquete":
        known = referentiel.indicateurs.get(row["indicateur"])
        labels = {m.code: m.libelle for m in known.modalites} if known else {}
        return labels.get(row["modalite"], str(row["modalite"]))
    if is_missing(row["valeur"]):
        return Absent(label_status("non_disponible"))
    return value_text(referentiel, row["unite"], row["valeur"], typed=is_typed(referentiel, row))


def _ratio(row: Row) -> object:
    if is_missing(row["numerateur"]) or is_missing(row["denominateur"]):
        return _NOTHING if is_missing(row["n"]) else f"n\u00a0=\u00a0{number_text(row['n'])}"
    return f"{number_text(row['numerateur'])}\u00a0/\u00a0{number_text(row['denominateur'])}"


def _explained_ratio(referentiel: Referentiel, row: Row) -> object:
    """``286 / 92 (somme des notes / réponses à 3 questions)``: what is over what, where it is not persons over persons."""
    ratio, said = _ratio(row), _what_is_divided(referentiel, row)
    return join(tag("span", ratio), tag("small", f"({said})"), separator=" ") if said and "/" in str(ratio) else ratio


def _what_is_divided(referentiel: Referentiel, row: Row) -> str:
    if row["obtention"] != "enquete" or is_missing(row["source"]):
        return ""
    code, questions = read_source(str(row["source"]))
    survey = next((one for one in referentiel.enquetes if one.code == code), None)
    known = survey.questions_par_code.get(questions[0]) if survey and questions else None
    link = next((link for link in known.indicateurs if link.code == row["indicateur"]), None) if known else None
    answers = f"réponses à {plural(len(questions), 'question')}" if len(questions) > 1 else "réponses"
    words = {
        "moyenne": f"somme des notes / {answers}",
        "solde": "favorables moins défavorables / répondants",
        "rapport": "sommes des nombres donnés",
    }
    return words.get(link.calcul, "") if link else ""


def regional_figures(publication: Publication, row: Row) -> Row | None:
    """Quartiles and number of territories of the frozen regional reference for this row; None when it has none."""
    known = (publication.reference or {}).get("indicateurs", {}).get(f"{row['indicateur']}|{way_of(row)}")
    return known or None


def _reference(publication: Publication, row: Row) -> object:
    known = regional_figures(publication, row)
    if known is None:
        return Absent(label_status("non_disponible"))
    q1, median, q3 = (value_text(publication.referentiel, row["unite"], known[key]) for key in ("q1", "mediane", "q3"))
    return f"{median} ({q1} – {q3}), n\u00a0=\u00a0{number_text(known['n'])}"


def recommendations(frame: pd.DataFrame, code: str) -> Html:
    """Recommendations and proposed actions, in the pilot's own words."""
    rows = [
        [
            row["id"],
            free_text(row["texte"]),
            _NOTHING if is_missing(row["repond_a"]) else join_french(str(row["repond_a"]).replace(" ", "").split(";")),
            _text(row["responsable"]),
            _date(row["echeance"]),
            _NOTHING if is_missing(row["statut"]) else label_status(row["statut"]),
        ]
        for row in records(frame[frame["type"].isin(("preconisation", "action"))])
    ]
    headers = ["N°", "Préconisation ou action", "Répond à", "Responsable", "Échéance", "État"]
    return table(headers, rows, caption=f"{code} : préconisations et actions proposées")


def follow_up(publication: Publication) -> Html:
    """Recommendations of the previous campaign and what became of each."""
    rows = [
        [
            row["id"],
            row["question"] if not is_missing(row["question"]) else _NOTHING,
            _text(row["texte"]),
            label_status(row["statut"]),
            _date(row["date"]),
            _text(row["commentaire_public"]),
        ]
        for row in records(publication.suivis)
    ]
    headers = ["N°", "Question", "Préconisation", "Suite donnée", "Date", "Commentaire"]
    return table(headers, rows, caption="Suites données aux préconisations de la campagne précédente")


def actions(publication: Publication) -> Html:
    """Programme of actions by year and theme."""
    rows = [_action_row(row) for row in records(publication.actions)]
    headers = ["Année et thème", "Actions", "Structures", "Programme 147", "Droit commun", "Tous financeurs", "Bilans"]
    note = (
        "Montants en euros, sommes de ce qui est renseigné ; structures : porteurs distincts ; bilans : bilans reçus."
    )
    caption = "Programme d’actions, par année et par thème"
    return table(headers, rows, caption=caption, numeric=range(1, 7), note=note)


def _action_row(row: Row) -> list[object]:
    theme = "ensemble" if row["thematique"] == "ensemble" else str(row["thematique"])
    hidden = {"montant_droit_commun": row["statut_droit_commun"] == "secret"}  # may be hidden alone
    amounts = []
    for name in ("montant_p147", "montant_droit_commun", "montant_total"):
        masked = row["statut"] == "secret" or hidden.get(name, False)
        lacking = Absent(label_status("secret" if masked else "non_repondu"))
        amounts.append(lacking if is_missing(row[name]) else number_text(row[name]))
    holders = number_text(row["n_porteurs"]) if row["n_porteurs"] else _NOTHING
    reports = _NOTHING if is_missing(row["n_bilans"]) else number_text(row["n_bilans"])
    return [f"{int(row['annee'])}, {theme}", number_text(row["n_actions"]), holders, *amounts, reports]


# --- territory: context ------------------------------------------------------------------------------------------------


def context(publication: Publication, frame: pd.DataFrame, indicateur: str) -> Html:
    """One context figure: a row per area, a column per edition (and variable), silences in words."""
    known = {item.code: item for item in publication.referentiel.contexte}.get(indicateur)
    columns = _context_columns(frame)
    several = len({column[0] for column in columns}) > 1
    dated = any(year for _, _, year in columns)
    headers = ["Quartier", *(_context_header(column, several, dated) for column in columns)]
    values = {(row["qpv"], *_context_key(row)): row for row in records(frame)}
    areas = dict(zip(frame["qpv"], frame["nom"], strict=True))
    rows = []
    for area in sorted(areas, key=lambda code: (code.casefold() == NATIONAL, code)):
        name = area_name(area, "" if is_missing(areas[area]) else str(areas[area]))
        cells = [_context_cell(publication.referentiel, values.get((area, *column))) for column in columns]
        rows.append([name, *cells])
    generations = join_french(sorted(set(frame["geographie"].dropna())))
    sources = join_french(sorted({short_source(str(said)) for said in frame["source"].dropna()}, key=sort_key))
    label = known.libelle if known else indicateur
    caption = f"{indicateur} : {label} (quartiers prioritaires de {generations})"
    undated = "" if dated else "Année de référence non précisée par le fichier."
    note = " ".join(part for part in (f"Source : {sources}." if sources else "", undated) if part)
    return table(headers, rows, caption=caption, numeric=range(1, len(columns) + 1), note=note)


ContextKey = tuple[str, str, str]


def _context_key(row: Row) -> ContextKey:
    year = "" if is_missing(row["annee_reference"]) else str(row["annee_reference"])
    return str(row["variable"]), str(row["edition"]), year


def _context_columns(frame: pd.DataFrame) -> list[ContextKey]:
    return sorted({_context_key(row) for row in records(frame)}, key=lambda key: (key[0], key[1], key[2]))


def _context_header(column: ContextKey, several: bool, dated: bool) -> str:
    variable, edition, year = column
    described = f" (année {year})" if year else " (année non précisée)" if dated else ""
    return f"{f'{variable}, ' if several else ''}édition {edition}{described}"


def _context_cell(referentiel: Referentiel, row: Row | None) -> object:
    if row is None or (is_missing(row["valeur"]) and is_missing(row["silence"])):
        return Absent(label_status("non_disponible"))
    if is_missing(row["valeur"]):
        return Absent(label_status(row["silence"]))
    return value_text(referentiel, row["unite"], row["valeur"])


# --- method ------------------------------------------------------------------------------------------------------------


def mask_counts(frame: pd.DataFrame, referentiel: Referentiel) -> list[tuple[str, str, int]]:
    """(table, rule, number of hidden values), in a fixed order; never the values."""
    rules = {rule.code: rule.libelle for rule in referentiel.regles}
    counts = Counter((str(row["table"]), str(row["raison"])) for row in records(frame))
    return [
        (MASKED_TABLES.get(name, capitalize(name)), rules.get(reason, reason), n)
        for (name, reason), n in sorted(counts.items())
    ]


def masks(frame: pd.DataFrame, referentiel: Referentiel) -> Html:
    """What is hidden, counted by table and by rule; never the values."""
    rows = [[name, rule, number_text(n)] for name, rule, n in mask_counts(frame, referentiel)]
    headers = ["Tableau", "Règle appliquée", "Valeurs masquées"]
    return table(headers, rows, caption="Registre des valeurs masquées", numeric=(2,))


def rules(referentiel: Referentiel) -> Html:
    """Thresholds and rules used, each with its date and where it comes from."""
    rows = [
        [
            rule.libelle,
            _rule_value(rule.valeur, rule.unite),
            _date(rule.depuis),
            join_french([PROVENANCES[rule.statut], *rule.references]),
        ]
        for rule in referentiel.regles
    ]
    return table(
        ["Règle", "Valeur", "Depuis le", "Statut et références"],
        rows,
        caption="Chaque règle, depuis quand, et d’où elle vient",
    )


_SHARES = {"part", "probabilité", "probabilités"}


def _rule_value(value: int | float | tuple[float, ...] | str, unit: str | None) -> str:
    """A threshold and its unit: shares as percentages, levels as « niveau 4 », the rest with its plural.

    >>> _rule_value(0.75, "part"), _rule_value(4, "niveau"), _rule_value(1, "institutions")
    ('75\\u202f%', 'niveau 4', '1 institution')
    """
    values = value if isinstance(value, tuple) else (value,)
    if unit in _SHARES:
        return " ; ".join(v if isinstance(v, str) else f"{_plain_number(round(v * 100, 6))}\u202f%" for v in values)
    said = " ; ".join(v if isinstance(v, str) else _plain_number(v) for v in values)
    if unit == "niveau":
        return f"niveau {said}"
    if unit and len(values) == 1 and not isinstance(value, str | tuple) and abs(value) < 2:
        unit = {"niveaux": "niveau"}.get(unit, unit.removesuffix("s"))
    return f"{said} {unit}" if unit else said


def _plain_number(value: float) -> str:
    decimals = 0 if float(value).is_integer() else len(repr(float(value)).partition(".")[2])
    return format_number(value, decimals)


def provenance(referentiel: Referentiel, modules: Iterable[str]) -> Html:
    """How many objects of the evaluated modules are sourced, adapted, proposed."""
    kept = [module for module in referentiel.modules if module.code in set(modules)]
    questions = [question for module in kept for question in module.questions]
    subs = [sub for question in questions for sub in question.sous_questions]
    kinds: tuple[tuple[str, list[Any]], ...] = (
        ("Questions et axes", questions),
        ("Sous-questions", subs),
        ("Échelles", [sub.echelle for sub in subs]),
        ("Indicateurs", [indicator for sub in subs for indicator in sub.indicateurs]),
    )
    rows = [
        [name, *(number_text(sum(item.statut == status for item in items)) for status in PROVENANCES)]
        for name, items in kinds
        if items
    ]
    headers = ["Élément du référentiel", *(capitalize(word) for word in PROVENANCES.values())]
    return table(headers, rows, caption="D’où vient le référentiel : nombre d’éléments par statut", numeric=(1, 2, 3))


def sources(referentiel: Referentiel, modules: Iterable[str]) -> Html:
    """Sources cited by the evaluated modules and by the rules."""
    rows = [
        [
            source.code,
            source.titre,
            ", ".join(str(part) for part in (source.editeur, source.annee) if part),
            source.adresse or "",
        ]
        for source in sorted(_cited(referentiel, set(modules)), key=lambda source: sort_key(source.code))
    ]
    rows = [[code, join(f"{title}. {editor}.", where, separator=" ")] for code, title, editor, where in rows]
    return table(["Code", "Titre, éditeur, année, adresse"], rows, caption="Sources citées par le référentiel")


def _cited(referentiel: Referentiel, modules: set[str]) -> list[Any]:
    codes: set[str] = {code for rule in referentiel.regles for code in rule.references}
    codes.update(referentiel.echelle.references)
    for module in referentiel.modules:
        if module.code not in modules:
            continue
        for question in module.questions:
            objects: list[Any] = [module, question, *question.sous_questions]
            objects += [sub.echelle for sub in question.sous_questions]
            objects += [indicator for sub in question.sous_questions for indicator in sub.indicateurs]
            codes.update(code for item in objects for code in item.references)
    return [source for source in referentiel.sources if source.code in codes]


# --- syntheses ---------------------------------------------------------------------------------------------------------


def _count(value: object, status: str) -> object:
    return Absent(label_status(status)) if is_missing(value) else number_text(float(str(value)))


def included(synthesis: PublicationSynthese) -> Html:
    """Territories of the perimeter, in alphabetical order."""
    frame = synthesis.tables["territoires"]
    rows = [
        [
            place_name(str(row["nom"])),
            row["departement"],
            number_text(row["n_qpv"]),
            number_text(row["n_repondants"]),
            f"{number_text(row['n_arbitrees'])} sur {number_text(row['n_applicables'])}",
        ]
        for row in sorted(records(frame), key=lambda row: sort_key(place_name(str(row["nom"]))))
    ]
    headers = ["Territoire", "Département", "Quartiers", "Répondants", "Sous-questions arbitrées"]
    return table(headers, rows, caption="Territoires comptés, par ordre alphabétique", numeric=(2, 3, 4))


def excluded(synthesis: PublicationSynthese) -> Html:
    """Territories left out and why."""
    rows = [[name, why] for name, why in sorted(synthesis.exclus, key=lambda pair: sort_key(pair[0]))]
    return table(["Dossier", "Raison"], rows, caption="Territoires laissés de côté")


def synthesis_respondents(synthesis: PublicationSynthese) -> Html:
    """Who answered over the perimeter."""
    names = synthesis.referentiel.groupes_par_code
    rows = [
        [names[row["groupe"]].libelle, number_text(row["n_territoires"]), number_text(row["n_repondants"])]
        for row in records(synthesis.tables["repondants"])
    ]
    headers = ["Groupe d’acteurs", "Territoires où il a répondu", "Répondants"]
    return table(headers, rows, caption="Qui a répondu", numeric=(1, 2))


def synthesis_sub_questions(synthesis: PublicationSynthese, code: str) -> Html:
    """Territories by settled level, sub-question by sub-question."""
    frame = synthesis.tables["niveaux"]
    mine = frame[frame["question"] == code]
    rows = []
    for sub in dict.fromkeys(mine["sous_question"]):
        lines = records(mine[mine["sous_question"] == sub].sort_values("niveau"))
        first = lines[0]
        title = join(tag("strong", sub), tag("span", synthesis.referentiel.sous_questions[sub].titre), separator=" ")
        counts = [_count(line["n"], "secret" if line["statut"] == "ok" else line["statut"]) for line in lines]
        if first["statut"] != "ok":
            counts = [_NOTHING] * 6
        total = number_text(first["n_territoires"])
        rows.append(
            [title, *counts, total, number_text(first["n_non_arbitre"]), number_text(first["n_non_applicable"])]
        )
    headers = ["Sous-question", *(str(level) for level in range(6)), "Total", "Non arbitré", "Sans objet"]
    caption = f"{code} : nombre de territoires par niveau arbitré (0 à 5)"
    least = int(synthesis.referentiel.seuil("seuil_territoires"))
    note = f"« — » : moins de {least} territoires ont arrêté un niveau, la répartition n’est pas donnée."
    hidden = bool((mine["statut"] != "ok").any())
    return table(headers, rows, caption=caption, numeric=range(1, 10), note=note if hidden else "")


def synthesis_coverage(synthesis: PublicationSynthese) -> Html:
    """Coverage of each question: how many territories have a level, and why others have none."""
    frame = synthesis.tables["questions"].drop_duplicates("question")
    rows = []
    for row in records(frame):
        share = row["couverture_mediane"]
        rows.append(
            [
                f"{row['question']} {synthesis.referentiel.questions_par_code[row['question']].titre}",
                *(
                    number_text(row[column])
                    for column in (
                        "n_territoires",
                        "n_couverture_insuffisante",
                        "n_aucun_arbitrage",
                        "n_non_applicable",
                    )
                ),
                _median_coverage(row, share),
            ]
        )
    headers = [
        "Question",
        "Niveau calculé",
        "Couverture insuffisante",
        "Aucun niveau arbitré",
        "Sans objet",
        "Couverture médiane",
    ]
    return table(headers, rows, caption="Nombre de territoires selon la couverture", numeric=range(1, 6))


def _median_coverage(row: Row, share: float) -> object:
    """A median coverage; where no territory has settled anything it is « non renseigné », not 0 %."""
    if not row["n_territoires"] and not row["n_couverture_insuffisante"]:
        return Absent(label_status("non_renseigne"))
    return Absent(label_status("non_disponible")) if is_missing(share) else format_percent(share * 100)


def synthesis_gaps(synthesis: PublicationSynthese) -> Html:
    """Where groups disagree, in the order of the framework."""
    frame = synthesis.tables["ecarts"]
    kept = frame[frame["n_territoires"] > 0]
    rows = [
        [
            f"{row['sous_question']} {synthesis.referentiel.sous_questions[row['sous_question']].titre}",
            number_text(row["n_territoires"]),
            _count(row["n_debat"], row["statut"]),
            _count(row["n_partage"], row["statut"]),
        ]
        for row in records(kept)
    ]
    headers = ["Sous-question", "Territoires comparables", "dont écart à débattre", "dont groupe partagé"]
    return table(headers, rows, caption="Écarts entre groupes d’acteurs", numeric=(1, 2, 3))


def synthesis_indicators(synthesis: PublicationSynthese, code: str) -> Html:
    """Distribution of each indicator over territories: quartiers and how many have a value."""
    frame = synthesis.tables["indicateurs"]
    mine = frame[(frame["question"] == code) & (frame["n_territoires"] > 0)]
    if not mine["mediane"].notna().any():  # nothing may be given: a sentence of the section says so
        return Html("")
    referentiel = synthesis.referentiel
    rows: list[list[object]] = []
    for row in records(mine):
        known = referentiel.indicateurs.get(row["indicateur"])
        name = join(tag("strong", row["indicateur"]), tag("span", known.libelle if known else ""), separator=" ")
        values = [
            Absent(label_status("secret" if row["statut"] == "ok" else row["statut"]))
            if is_missing(row[column])
            else value_text(referentiel, row["unite"], row[column])
            for column in ("q1", "mediane", "q3")
        ]
        way = OBTENTIONS.get(row["obtention"], str(row["obtention"]).replace("enquete", OBTENTIONS["enquete"]))
        rows.append([name, way, number_text(row["n_territoires"]), number_text(row["n_sans_valeur"]), *values])
    headers = ["Indicateur", "Obtention", "Territoires", "Sans valeur", "1er quartile", "Médiane", "3e quartile"]
    caption = f"{code} : répartition des indicateurs entre les territoires"
    return table(headers, rows, caption=caption, numeric=range(2, 7))


def synthesis_categories(synthesis: PublicationSynthese, code: str) -> Html:
    """Categories of indicators, counted over territories."""
    frame = synthesis.tables["modalites"]
    frame = frame[frame["n_territoires"] > 0]
    if not frame["n"].notna().any():
        return Html("")
    referentiel = synthesis.referentiel
    rows: list[list[object]] = []
    for row in records(frame):
        known = referentiel.indicateurs.get(row["indicateur"])
        if referentiel.question_de.get(row["indicateur"]) != code or known is None:
            continue
        labels = {m.code: m.libelle for m in known.modalites}
        name = f"{row['indicateur']} {known.libelle} : {quote(labels.get(row['modalite'], str(row['modalite'])))}"
        rows.append([name, _count(row["n"], row["statut"]), number_text(row["n_territoires"])])
    headers = ["Indicateur et modalité", "Territoires", "Sur"]
    return table(headers, rows, caption=f"{code} : indicateurs à catégories", numeric=(1, 2))


def synthesis_findings(synthesis: PublicationSynthese) -> Html:
    """Findings counted by question and type."""
    titles = synthesis.referentiel.questions_par_code
    rows = [
        [
            f"{row['question']} {titles[row['question']].titre}" if row["question"] in titles else row["question"],
            FINDINGS.get(row["type"], str(row["type"])),
            number_text(row["n_constats"]),
            number_text(row["n_territoires"]),
        ]
        for row in records(synthesis.tables["constats"])
    ]
    headers = ["Question", "Type de constat", "Constats", "Territoires"]
    return table(headers, rows, caption="Constats consignés par les territoires", numeric=(2, 3))


def synthesis_context(synthesis: PublicationSynthese) -> Html:
    """Context of the perimeter; sums for additive figures only, geographies never mixed."""
    referentiel = synthesis.referentiel
    labels = {item.code: item.libelle for item in referentiel.contexte}
    rows: list[list[object]] = []
    for row in records(synthesis.tables["contexte"]):
        year = "" if is_missing(row["annee_reference"]) else f", année {row['annee_reference']}"
        name = f"{labels.get(row['indicateur'], row['indicateur'])} ({row['variable']})"
        edition = f"édition {row['edition']}{year}, quartiers {row['geographie']}"
        total = (
            Absent("sans objet") if is_missing(row["somme"]) else value_text(referentiel, row["unite"], row["somme"])
        )
        spread = [
            _NOTHING if is_missing(row[column]) else value_text(referentiel, row["unite"], row[column])
            for column in ("q1", "mediane", "q3")
        ]
        rows.append([name, edition, f"{number_text(row['n_valeurs'])} sur {number_text(row['n_qpv'])}", total, *spread])
    headers = ["Donnée", "Édition", "Quartiers avec valeur", "Somme", "1er quartile", "Médiane", "3e quartile"]
    note = "Somme : seulement pour ce qui s’additionne. Quartiles et médiane : entre quartiers, sans pondération."
    return table(headers, rows, caption="Contexte des quartiers du périmètre", numeric=range(2, 7), note=note)


def typology(synthesis: PublicationSynthese) -> Html:
    """Territories counted by class; no name."""
    rows = [[row["classe"], _count(row["n"], row["statut"])] for row in records(synthesis.tables["typologie"])]
    return table(["Classe", "Territoires"], rows, caption="Typologie des territoires", numeric=(1,))


def named(synthesis: PublicationSynthese) -> Html:
    """Named table, alphabetical: restricted circulation."""
    frame = synthesis.tables["nominatif"]
    rows = []
    for row in sorted(records(frame), key=lambda row: (sort_key(place_name(str(row["nom"]))), str(row["question"]))):
        level = Absent(label_status(row["statut"])) if is_missing(row["mediane"]) else median_text(row["mediane"])
        low = _NOTHING if is_missing(row["minimum"]) else median_text(row["minimum"])
        share = _NOTHING if is_missing(row["couverture"]) else format_percent(row["couverture"] * 100)
        rows.append([place_name(str(row["nom"])), row["departement"], row["question"], level, low, share])
    headers = ["Territoire", "Département", "Question", "Niveau", "Plus bas", "Couverture"]
    caption = "Niveaux par territoire, par ordre alphabétique (diffusion restreinte)"
    return table(headers, rows, caption=caption, numeric=(3, 4, 5))
