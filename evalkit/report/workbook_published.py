"""``rapport.xlsx``: the published tables of a territory, one sheet each, for people who want to sort, filter or add up.

Made from a :class:`Publication` only. Every figure is the one that the page prints, rounded as it is there; what is masked
is written « secret statistique », never 0 and never empty. Formulas (levels, bounds, gaps) read published cells only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from evalkit.charts.context import area_name
from evalkit.charts.surveys import SurveyItem, likert_families, read_items, share_text, silence_text, undeclared_text
from evalkit.charts.theme import clean
from evalkit.compute.results import Publication
from evalkit.report import sentences, tables
from evalkit.report import workbook_formulas as formulas
from evalkit.report.guard import require_publication
from evalkit.report.html import Absent
from evalkit.report.sections_method import DEFINITIONS, make_stamp
from evalkit.report.sections_surveys import COLLECTE, conclusions, left_out_sentences
from evalkit.report.sections_territory import report_title
from evalkit.report.sentences import is_missing, median_text, number_text, records
from evalkit.report.workbook_levels import (
    LEVEL_COLUMNS,
    LEVEL_NOTE,
    LEVELS,
    QUESTION_COLUMNS,
    QUESTION_NOTE,
    QUESTIONS,
    RULE_COLUMNS,
    RULES,
    applicable_word,
    coverage_note,
    level_formulas,
    question_rows,
    rule_rows,
)
from evalkit.report.workbook_sheets import (
    FIRST,
    HEADER_ROW,
    Book,
    Cell,
    Column,
    Formula,
    Number,
    Sheet,
    letter,
    row_height,
    safe_text,
    shown,
    whole_day,
)
from evalkit.wording import format_date, format_number, format_percent, join_french, label_status

Row = dict[str, Any]
PUBLISHED = "Chiffres publiés seulement"
SECRET = Absent(label_status("secret"))
NOTHING = Absent("—")
GROUPS, GAPS_FIRST = "Groupes", 2  # first column of the groups' pairs (median, n)


def render_rapport_xlsx(publication: Publication, marques: Sequence[str] = ()) -> bytes:
    """Make the published workbook of a territory.

    Parameters
    ----------
    publication
        What may be shown; anything else is refused.
    marques
        Marks printed on every sheet besides « DONNÉES FICTIVES » (« BROUILLON »…).

    Returns
    -------
    bytes
        A whole ``.xlsx``, the same bytes for the same inputs.

    Raises
    ------
    TypeError
        Not a ``Publication``.
    """
    publication = require_publication(publication)
    stamp = make_stamp(publication)
    marks = list(dict.fromkeys([*stamp["marques"], *marques]))
    name = publication.territoire.nom
    day = publication.campagne.date_reference
    book = Book(marks or [PUBLISHED], f"{name} – {format_date(day)}", day)
    book.set_properties(report_title(name), publication.referentiel.libelle, stamp_properties(stamp))
    sheets = [sheet for make in _SHEETS for sheet in [make(publication)] if sheet.rows]
    _read_me(book, publication, stamp, sheets)
    for sheet in sheets:
        book.add_sheet(sheet)
    _names(book, publication)
    return book.close()


def stamp_properties(stamp: dict[str, Any]) -> dict[str, str]:
    """The stamp as properties of the file, each short enough for Excel."""
    return {
        "evalkit": str(stamp["evalkit"]),
        "evalkit_referentiel": f"{stamp['referentiel']['code']} {stamp['referentiel']['version']}",
        "evalkit_empreinte": str(stamp["empreinte"]) or "non calculée",
        "evalkit_date_reference": str(stamp["date_reference"]),
        "evalkit_valeurs_masquees": str(stamp["n_masques"]),
        "evalkit_fictif": "oui" if stamp["fictif"] else "non",
    }


def _names(book: Book, publication: Publication) -> None:
    """Names of the rules that formulas read."""
    for position, (code, _) in enumerate(rule_rows(publication.referentiel)):
        if code in formulas.RULES:
            book.define_name(code, RULES, (HEADER_ROW + 1 + position, 1))


# --- the first sheet ------------------------------------------------------------------------------------------------


def _read_me(book: Book, publication: Publication, stamp: dict[str, Any], sheets: Sequence[Sheet]) -> None:
    """What this workbook is, what its words mean, what each sheet holds, and its stamp."""
    out = book.open_sheet("Lisez-moi", report_title(publication.territoire.nom))
    out.set_column(0, 0, 30)
    out.set_column(1, 1, 110)
    bold, plain = book.style(bold=True), book.style()
    line = 3
    for term, said in (*_about(publication), *_stamp_lines(publication, stamp)):
        out.write_string(line, 0, term, bold)
        out.write_string(line, 1, safe_text(said), book.style(num_format="@", quote_prefix=True))
        out.set_row(line, row_height([(said, 110)]))
        line += 1
    out.write_string(line + 1, 0, "Feuilles", bold)
    for position, sheet in enumerate(sheets, start=line + 2):
        out.write_url(
            position, 0, f"internal:'{sheet.name}'!A1", book.style(font_color="#0000EE", underline=1), sheet.name
        )
        out.write_string(position, 1, sheet.title, plain)
    out.repeat_rows(0, 1)


def _about(publication: Publication) -> list[tuple[str, str]]:
    territory = publication.territoire
    invented = publication.territoire.fictif or publication.campagne.fictif
    said = [
        (
            "Ce que c’est",
            "Les tableaux publiés du rapport, mêmes chiffres et mêmes arrondis. Rien de plus précis n’y est.",
        ),
        (
            "Secret statistique",
            "La valeur existe mais n’est pas montrée : elle décrirait trop peu de personnes. Ce n’est pas zéro.",
        ),
        ("Tiret « — »", "Rien n’a été donné. Ce n’est pas zéro."),
        *(("Enquête laissée de côté", sentence) for sentence in left_out_sentences(publication)),
        (
            "Formules",
            "Niveaux, bornes et écarts se recalculent, à partir de cases publiées seulement (feuilles « Questions », « Niveaux », « Groupes »).",
        ),
        ("Territoire", f"{territory.nom} (département {territory.departement}, génération {territory.generation})"),
        ("Communes", join_french(territory.communes) or "—"),
        (
            "Quartiers",
            join_french(f"{qpv.nom} ({qpv.code}, géographie {qpv.geographie})" for qpv in territory.qpv) or "—",
        ),
        ("Campagne", publication.campagne.libelle),
        ("Référentiel", publication.referentiel.avertissement),
    ]
    warning = "Ce territoire, ses quartiers et ses chiffres sont inventés ; ils servent à montrer l’outil."
    return [("Données fictives", warning), *said] if invented else said


def _stamp_lines(publication: Publication, stamp: dict[str, Any]) -> list[tuple[str, str]]:
    """The stamp, in words then as data."""
    referentiel = publication.referentiel
    return [
        ("Cachet : référentiel", f"{referentiel.libelle}, version {referentiel.version} ({referentiel.licence})"),
        ("Cachet : empreinte", stamp["empreinte"] or "non calculée"),
        ("Cachet : evalkit", stamp["evalkit"]),
        ("Cachet : date de référence", format_date(stamp["date_reference"])),
        ("Cachet : valeurs masquées", str(stamp["n_masques"])),
        ("Cachet : données", "fictives" if stamp["fictif"] else "déclarées par le territoire et données ouvertes"),
        ("Cachet pour les machines", json.dumps(stamp, ensure_ascii=False, sort_keys=True)),
    ]


# --- levels ---------------------------------------------------------------------------------------------------------


def _given(value: object) -> Cell:
    return NOTHING if is_missing(value) else str(value)


def _day(value: object) -> Cell:
    return NOTHING if is_missing(value) else whole_day(value, format_date(str(value)))


def _questions(publication: Publication) -> Sheet:
    note = (QUESTION_NOTE, coverage_note(publication.referentiel))
    title = "Niveau de chaque question, de 0 à 5"
    return Sheet(QUESTIONS, title, QUESTION_COLUMNS, question_rows(publication), note, 2)


def _levels(publication: Publication) -> Sheet:
    solidity = dict(zip(publication.solidite["sous_question"], publication.solidite["solidite"], strict=True))
    columns = (
        *LEVEL_COLUMNS,
        Column("Ce que dit ce niveau", 50),
        Column("Preuve nommée", 40),
        Column("Arrêté le", 12),
        Column("Instance", 24),
        Column("Auto-évaluation du pilote", 14),
        Column("Solidité des sources", 12),
        Column("Pourquoi sans objet, ou à vérifier", 40),
    )
    rows = [
        _level_row(publication, row, line, solidity)
        for line, row in enumerate(records(publication.niveaux), start=FIRST)
    ]
    own = (
        "evalkit vérifie qu’une preuve est nommée, non qu’elle est exacte. L’auto-évaluation n’entre dans aucun calcul."
    )
    return Sheet(LEVELS, "Niveau arbitré de chaque sous-question, de 0 à 5", columns, rows, (LEVEL_NOTE, own), 3)


def _level_row(publication: Publication, row: Row, line: int, solidity: dict[str, str]) -> list[Cell]:
    sub = publication.referentiel.sous_questions[row["sous_question"]]
    settled = row["statut"] == "arbitre"
    said = "" if is_missing(row["silence"]) else f" ({label_status(row['silence'])})"
    level: Cell = int(row["niveau"]) if settled else Absent(f"{label_status(row['statut'])}{said}")
    proof: Cell = NOTHING
    if settled:
        proof = Absent("déclaré sans preuve") if is_missing(row["preuve"]) else str(row["preuve"])
    own = row["auto_evaluation"]
    strength = solidity.get(sub.code)
    return [
        row["question"],
        sub.code,
        sub.titre,
        applicable_word(row),
        level,
        *level_formulas(line, row),
        sub.echelle.niveaux[int(row["niveau"])] if settled else NOTHING,
        proof,
        _day(row["date"]) if settled else NOTHING,
        _given(row["instance"]) if settled else NOTHING,
        NOTHING if is_missing(own) else shown(median_text(own)),
        NOTHING if strength is None else label_status(strength),
        _given(row["explication"]),
    ]


# --- groups side by side --------------------------------------------------------------------------------------------


def _groups(publication: Publication) -> Sheet:
    """One row per sub-question: median and number of ratings of each group, and the gap computed from them."""
    groups = publication.referentiel.groupes
    pairs = [c for g in groups for c in (Column(f"{g.libelle} : médiane", 13), Column(f"{g.libelle} : n", 12))]
    columns = (
        Column("Sous-question", 10),
        Column("Intitulé", 36),
        *pairs,
        Column("Groupes comparés", 10),
        Column("Écart", 11),
        Column("Constat", 18),
        Column("Groupes partagés", 18),
        Column("Réserves sur l’écart", 24),
        Column("Ordre de discussion", 11),
    )
    found = {(row["sous_question"], row["groupe"]): row for row in records(publication.groupes)}
    rated = {sub for sub, _ in found}
    rows = [row for row in records(publication.triangulation) if row["sous_question"] in rated]
    medians = [letter(GAPS_FIRST + 2 * rank) for rank in range(len(groups))]
    count, gap = letter(GAPS_FIRST + 2 * len(groups)), letter(GAPS_FIRST + 2 * len(groups) + 1)
    out: list[list[Cell]] = []
    for line, row in enumerate(rows, start=FIRST):
        code = row["sous_question"]
        cells = [cell for g in groups for cell in _group_cells(found.get((code, g.code)))]
        own = [f"{column}{line}" for column in medians]
        out.append(
            [
                code,
                publication.referentiel.sous_questions[code].titre,
                *cells,
                *_gap_cells(publication, row, own, f"{gap}{line}"),
            ]
        )
    notes = (
        "n : cotations exprimées (les réponses sans niveau n’y sont pas). Sous onze cotations, la médiane est la médiane basse.",
        f"Groupes comparés : ceux dont la médiane est publiée. Écart : la plus grande médiane moins la plus petite (colonnes {count} et {gap}).",
        "Aucune moyenne n’est faite entre les groupes. Pilote et État sont des positions d’institution.",
    )
    return Sheet(GROUPS, "Ce que disent les groupes, sous-question par sous-question", columns, out, notes, 2)


def _group_cells(row: Row | None) -> tuple[Cell, Cell]:
    if row is None:
        return Absent(label_status("aucune_cotation")), 0
    if is_missing(row["mediane"]):
        return Absent(label_status(row["statut"])), int(row["n"])
    return shown(median_text(row["mediane"])), int(row["n"])


def _gap_cells(publication: Publication, row: Row, medians: list[str], gap: str) -> list[Cell]:
    few = label_status("trop_peu_de_reponses")
    split = [publication.referentiel.groupes_par_code[code].libelle for code in sentences.codes(row["partages"])]
    limits = [
        "position de l’institution" if row["position_institution"] else "",
        "effectifs faibles" if row["statut"] == "ecart_a_debattre" and row["effectifs_faibles"] else "",
    ]
    return [
        Formula(f"={formulas.number_compared(medians)}", float(row["n_groupes"])),
        Formula(
            f"={formulas.gap(medians)}", few if is_missing(row["ecart"]) else float(row["ecart"]), Number(0, half=True)
        ),
        Formula(f"={formulas.gap_status(gap)}", label_status(row["statut"])),
        " ; ".join(split) or NOTHING,
        " ; ".join(limit for limit in limits if limit) or NOTHING,
        int(row["ordre"]),
    ]


def _distributions(publication: Publication) -> Sheet:
    """Published distributions: number of ratings at each level, and their total by formula."""
    frame = publication.distributions[publication.distributions["statut"] == "ok"]
    names = publication.referentiel.groupes_par_code
    rows: list[list[Cell]] = []
    for (sub, group), part in frame.groupby(["sous_question", "groupe"], sort=False):
        counts = [int(n) for n in part.sort_values("niveau")["n"]]
        line = FIRST + len(rows)
        total = Formula(f"=SUM(C{line}:H{line})", float(sum(counts)))
        rows.append([str(sub), names[str(group)].libelle, *counts, total])
    columns = (
        Column("Sous-question", 14),
        Column("Groupe", 28),
        *(Column(f"Niveau {k}", 10) for k in range(6)),
        Column("Total", 10),
    )
    notes = ("Nombre de cotations à chaque niveau, pour les seuls groupes dont la répartition peut être publiée.",)
    return Sheet("Répartitions", "Répartition des cotations", columns, rows, notes, 2)


def _respondents(publication: Publication) -> Sheet:
    names = publication.referentiel.groupes_par_code
    rows: list[list[Cell]] = [
        [names[row["groupe"]].libelle, int(row["n_repondants"]), int(row["n_cotations"]), int(row["n_silences"])]
        for row in records(publication.repondants)
    ]
    columns = (
        Column("Groupe d’acteurs", 30),
        Column("Répondants", 14),
        Column("Cotations exprimées", 14),
        Column("Réponses sans niveau", 14),
    )
    notes = ("Une réponse sans niveau (ne sait pas, sans objet, refus…) n’est jamais comptée comme un zéro.",)
    return Sheet("Répondants", "Qui a répondu", columns, rows, notes)


# --- indicators -----------------------------------------------------------------------------------------------------


def _indicators(publication: Publication) -> Sheet:
    columns = (
        Column("Question", 10),
        Column("Indicateur", 11),
        Column("Intitulé", 42),
        Column("Année", 8),
        Column("Valeur", 22),
        Column("Numérateur", 13),
        Column("Dénominateur", 13),
        Column("n", 9),
        Column("Unité", 24),
        Column("Obtention", 16),
        Column("Source", 36),
        Column("Groupe", 20),
        Column("Réserve, ou pourquoi sans valeur", 44),
        Column("Région : 1er quartile", 13),
        Column("Région : médiane", 13),
        Column("Région : 3e quartile", 13),
        Column("Région : territoires", 11),
    )
    rows = [_indicator_row(publication, row) for row in records(publication.indicateurs)]
    notes = (
        "Un indicateur éclaire le débat ; aucun niveau n’en est déduit. Définitions : feuille « Indicateurs définis ».",
        "n : unités sur lesquelles porte la valeur (personnes, actions, structures…), selon l’indicateur.",
    )
    return Sheet("Indicateurs", "Indicateurs, valeur par valeur", columns, rows, notes, 3)


def _indicator_row(publication: Publication, row: Row) -> list[Cell]:
    referentiel = publication.referentiel
    known = referentiel.indicateurs.get(row["indicateur"])
    unit = referentiel.unites_par_code.get(row["unite"])
    value = tables.indicator_value(referentiel, row)
    group = "" if is_missing(row["groupe"]) else referentiel.groupes_par_code[row["groupe"]].libelle
    masked, absent = row["statut"] == "secret", row["statut"] not in ("secret", "ok")
    answer = tables.is_distribution(row)
    return [
        row["question"],
        row["indicateur"],
        known.libelle if known else "",
        NOTHING if is_missing(row["annee"]) else Number(float(row["annee"]), plain=True),
        value if isinstance(value, Absent) else shown(str(value)),
        # Ce que la page ne donne pas : la fraction d'une réponse parmi d'autres, ou de ce qui n'a pas de valeur.
        *(NOTHING if absent or answer else _part(row[name], masked) for name in ("numerateur", "denominateur")),
        _part(row["n"], masked),
        unit.libelle if unit else row["unite"],
        tables.OBTENTIONS.get(row["obtention"], str(row["obtention"])),
        _given(row["source"]),
        group or NOTHING,
        _given(row["explication"]),
        *_region(publication, row),
    ]


def _part(value: Any, masked: bool) -> Cell:
    if is_missing(value):
        return SECRET if masked else NOTHING
    return shown(number_text(value))


def _region(publication: Publication, row: Row) -> list[Cell]:
    """Quartiles of the frozen regional reference; it says nothing beside a value that is not there."""
    known = tables.regional_figures(publication, row) if row["statut"] == "ok" else None
    if known is None:
        return [NOTHING] * 4
    quartiles: list[Cell] = [
        shown(sentences.value_text(publication.referentiel, row["unite"], known[key]))
        for key in ("q1", "mediane", "q3")
    ]
    return [*quartiles, shown(number_text(known["n"]))]


def _definitions_of_indicators(publication: Publication) -> Sheet:
    """What each indicator of the sheet « Indicateurs » is."""
    referentiel = publication.referentiel
    rows: list[list[Cell]] = []
    for code in dict.fromkeys(publication.indicateurs["indicateur"]):
        known = referentiel.indicateurs.get(code)
        if known is None:
            continue
        unit = referentiel.unites_par_code.get(known.unite)
        rows.append(
            [
                code,
                known.libelle,
                known.definition,
                known.numerateur or NOTHING,
                known.denominateur or NOTHING,
                unit.libelle if unit else known.unite,
                _DIRECTIONS.get(str(getattr(known.sens_favorable, "value", known.sens_favorable)), NOTHING),
                tables.PROVENANCES[known.statut],
            ]
        )
    columns = (
        Column("Indicateur", 11),
        Column("Intitulé", 36),
        Column("Définition", 70),
        Column("Numérateur", 40),
        Column("Dénominateur", 40),
        Column("Unité", 24),
        Column("Sens favorable", 14),
        Column("Statut", 10),
    )
    note = "Statut : « sourcé » (texte existant), « adapté » ou « proposé ». Rien de proposé n’est le texte de l’IREV."
    return Sheet("Indicateurs définis", "Définition et unité de chaque indicateur", columns, rows, (note,), 2)


_DIRECTIONS = {
    "hausse": "à la hausse",
    "baisse": "à la baisse",
    "neutre": "neutre : ne se juge pas",
    "cible": "vers une cible",
}


# --- surveys --------------------------------------------------------------------------------------------------------


def _surveys(publication: Publication) -> Sheet:
    titles = {enquete.code: enquete for enquete in publication.referentiel.enquetes}
    unknown = Absent(label_status("non_repondu"))
    rows: list[list[Cell]] = []
    for row in records(publication.enquetes):
        enquete = titles[row["enquete"]]
        rows.append(
            [
                enquete.code,
                enquete.titre,
                enquete.parties_par_code[row["partie"]].repondants,
                unknown if is_missing(row["n_sollicites"]) else shown(format_number(row["n_sollicites"])),
                int(row["n_reponses"]),
                unknown if is_missing(row["taux"]) else shown(format_percent(row["taux"])),
                COLLECTE[row["collecte"]],
                " ".join(conclusions(publication, row)),
            ]
        )
    columns = (
        Column("Questionnaire", 14),
        Column("Titre", 36),
        Column("Qui", 30),
        Column("Sollicités", 12),
        Column("Réponses", 12),
        Column("Taux", 10),
        Column("Collecte", 20),
        Column("Ce que l’on peut en conclure", 70),
    )
    return Sheet("Enquêtes", "Questionnaires importés", columns, rows)


def _answers(publication: Publication) -> Sheet:
    known = {_item_key(row): row for row in records(publication.items)}
    themes: dict[tuple[str, ...], list[Any]] = {}
    for row in records(publication.reponses):
        themes.setdefault(_item_key(row), []).append(row["n"])
    rows: list[list[Cell]] = []
    items = read_items(publication)
    opinions = {item.key for family in likert_families(items) for item in family}
    for item in items:
        key = (item.enquete.code, item.partie, item.question.code)
        shown_there = item if item.key not in opinions else _without_intervals(item)
        rows += _answer_rows(shown_there, known[key], themes.get(key, []))
    columns = (
        Column("Questionnaire", 14),
        Column("Qui a répondu", 20),
        Column("Question", 14),
        Column("Libellé", 36),
        Column("n", 9),
        Column("Réponse", 28),
        Column("Valeur", 18),
        Column("Intervalle à 95 % : de", 12),
        Column("Intervalle à 95 % : à", 12),
        Column("Silences", 30),
        Column("Réserve", 14),
    )
    notes = (
        "n : réponses exprimées. Chaque groupe a répondu à son questionnaire ; leurs réponses ne sont jamais additionnées.",
        "Intervalle : seulement quand la collecte le permet (feuille « Enquêtes »), et pas pour les échelles d’opinion. Une question à plusieurs réponses dépasse 100 %.",
    )
    return Sheet("Réponses", "Réponses aux questionnaires", columns, rows, notes, 3)


def _item_key(row: Row) -> tuple[str, ...]:
    return str(row["enquete"]), str(row["partie"]), str(row["question"])


def _answer_rows(item: SurveyItem, row: Row, counts: Sequence[Any]) -> list[list[Cell]]:
    """Rows of one question. ``counts``: answers by theme, used for open questions only."""
    head: list[Cell] = [item.enquete.code, item.group, item.question.code, clean(item.question.libelle), item.n]
    weak = label_status("base_fragile") if item.status == "base_fragile" else NOTHING
    tail: list[Cell] = [silence_text(item) or "aucun", weak]
    if item.question.type == "nombre":
        unit = f" ({item.question.unite})" if item.question.unite else ""
        said = [
            (f"{name}{unit}", _mean(item, row[column]))
            for name, column in (("médiane", "mediane"), ("moyenne", "moyenne"))
        ]
        return [[*head, name, value, NOTHING, NOTHING, *tail] for name, value in said]
    if item.question.type == "texte":
        written: list[list[Cell]] = [[*head, "réponses écrites", item.n, NOTHING, NOTHING, *tail]]
        for (_, label, *_), n in zip(item.choices, counts, strict=True):
            written.append(
                [
                    *head,
                    f"thème : {label}",
                    SECRET if is_missing(n) else shown(format_number(n)),
                    NOTHING,
                    NOTHING,
                    *tail,
                ]
            )
        return written
    if not item.shown:
        return [[*head, "toutes les réponses", _hidden(item), NOTHING, NOTHING, *tail]]
    return [
        [
            *head,
            label,
            _hidden(item) if share is None else shown(share_text(item, share)),
            *_bounds(low, high),
            *tail,
        ]
        for _, label, share, low, high in item.choices
    ]


def _without_intervals(item: SurveyItem) -> SurveyItem:
    """An opinion as the page shows it, by its shares alone: the workbook says no number that the page does not."""
    nothing = float("nan")
    return replace(
        item, choices=tuple((code, label, share, nothing, nothing) for code, label, share, *_ in item.choices)
    )


def _hidden(item: SurveyItem) -> Cell:
    if item.undeclared:
        return Absent(undeclared_text())
    return Absent(label_status("aucune_reponse")) if item.n == 0 else SECRET


def _mean(item: SurveyItem, value: Any) -> Cell:
    return _hidden(item) if is_missing(value) else shown(number_text(round(value, 1)))


def _bounds(low: float, high: float) -> tuple[Cell, Cell]:
    if is_missing(low) or is_missing(high):
        return NOTHING, NOTHING
    return shown(format_percent(low)), shown(format_percent(high))


# --- programme, words, context --------------------------------------------------------------------------------------


def _actions(publication: Publication) -> Sheet:
    columns = (
        Column("Année", 8),
        Column("Thème", 36),
        Column("Actions", 10),
        Column("Structures", 11),
        Column("Programme 147", 16),
        Column("Droit commun", 16),
        Column("Tous financeurs", 16),
        Column("Bilans reçus", 10),
    )
    notes = (
        "Montants en euros, sommes de ce qui est renseigné. La ligne « ensemble » est le total de l’année : ne l’ajoutez pas aux thèmes.",
    )
    rows = [_action_row(row) for row in records(publication.actions)]
    return Sheet("Programme d’actions", "Programme d’actions, par année et par thème", columns, rows, notes, 2)


def _action_row(row: Row) -> list[Cell]:
    closed = {"montant_droit_commun": row["statut_droit_commun"] == "secret"}
    amounts: list[Cell] = []
    for name in ("montant_p147", "montant_droit_commun", "montant_total"):
        hidden = row["statut"] == "secret" or closed.get(name, False)
        lacking = SECRET if hidden else Absent(label_status("non_repondu"))
        amounts.append(lacking if is_missing(row[name]) else shown(number_text(row[name])))
    return [
        Number(float(row["annee"]), plain=True),
        row["thematique"],
        int(row["n_actions"]),
        int(row["n_porteurs"]) if row["n_porteurs"] else NOTHING,
        *amounts,
        NOTHING if is_missing(row["n_bilans"]) else int(row["n_bilans"]),
    ]


def _findings(publication: Publication) -> Sheet:
    rows: list[list[Cell]] = [
        [
            row["id"],
            row["question"],
            tables.FINDINGS[row["type"]],
            row["texte"],
            _given(row["origine"]),
            " ; ".join(sentences.codes(row["repond_a"])) or NOTHING,
            _given(row["responsable"]),
            _day(row["echeance"]),
            NOTHING if is_missing(row["statut"]) else label_status(row["statut"]),
        ]
        for row in records(publication.constats)
    ]
    columns = (
        Column("N°", 9),
        Column("Question", 10),
        Column("Nature", 16),
        Column("Texte", 70),
        Column("Origine", 24),
        Column("Répond à", 14),
        Column("Responsable", 26),
        Column("Échéance", 12),
        Column("Avancement", 12),
    )
    return Sheet(
        "Constats", "Constats, préconisations et actions proposées, dans les mots du territoire", columns, rows
    )


def _follow_up(publication: Publication) -> Sheet:
    rows: list[list[Cell]] = [
        [
            row["id"],
            _given(row["question"]),
            _given(row["texte"]),
            label_status(row["statut"]),
            _day(row["date"]),
            _given(row["commentaire_public"]),
        ]
        for row in records(publication.suivis)
    ]
    columns = (
        Column("N°", 9),
        Column("Question", 10),
        Column("Préconisation", 70),
        Column("Suite donnée", 18),
        Column("Date", 12),
        Column("Commentaire", 50),
    )
    return Sheet("Suites", "Suites données aux préconisations de la campagne précédente", columns, rows)


def _quotations(publication: Publication) -> Sheet:
    """Publishable quotations; where one comes from and how many share it only when it may be given to a group."""
    rows: list[list[Cell]] = [
        [
            row["question"],
            row["texte"],
            _given(row["enquete"]) if row["attribuable"] else NOTHING,
            int(row["nb_personnes"]) if row["attribuable"] and not is_missing(row["nb_personnes"]) else NOTHING,
        ]
        for row in records(publication.verbatims[publication.verbatims["publiable"]])
    ]
    columns = (
        Column("Question", 10),
        Column("Parole rapportée", 90),
        Column("Provenance", 24),
        Column("Personnes d’une idée proche", 14),
    )
    return Sheet("Paroles", "Paroles recueillies, relues et déclarées publiables", columns, rows)


def _context(publication: Publication) -> Sheet:
    referentiel = publication.referentiel
    labels = {item.code: item.libelle for item in referentiel.contexte}
    frame = publication.contexte[publication.contexte["indicateur"].isin(labels)]
    rows: list[list[Cell]] = [
        [
            row["indicateur"],
            labels[row["indicateur"]],
            row["variable"],
            row["qpv"],
            area_name(row["qpv"], "" if is_missing(row["nom"]) else str(row["nom"])),
            row["geographie"],
            _context_value(publication, row),
            row["edition"],
            _given(row["annee_reference"]),
            row["source"],
        ]
        for row in records(frame)
    ]
    columns = (
        Column("Donnée", 9),
        Column("Intitulé", 44),
        Column("Variable", 20),
        Column("Code du quartier", 14),
        Column("Quartier", 36),
        Column("Géographie", 11),
        Column("Valeur", 20),
        Column("Édition", 10),
        Column("Année", 11),
        Column("Source", 50),
    )
    notes = (
        "Ces chiffres situent le territoire ; ils n’entrent dans aucun niveau.",
        "Les quartiers de 2015 et de 2024 sont des objets différents : leurs chiffres ne s’additionnent ni ne se comparent.",
    )
    return Sheet("Contexte", "Le contexte des quartiers (données ouvertes)", columns, rows, notes, 2)


def _context_value(publication: Publication, row: Row) -> Cell:
    if not is_missing(row["valeur"]):
        return shown(sentences.value_text(publication.referentiel, row["unite"], row["valeur"]))
    return Absent(label_status("non_disponible" if is_missing(row["silence"]) else row["silence"]))


# --- method ---------------------------------------------------------------------------------------------------------


def _rules(publication: Publication) -> Sheet:
    rows = [row for _, row in rule_rows(publication.referentiel)]
    return Sheet(RULES, "Seuils et règles utilisés, depuis quand et d’où ils viennent", RULE_COLUMNS, rows)


def _masks(publication: Publication) -> Sheet:
    counts = tables.mask_counts(publication.masques, publication.referentiel)
    columns = (Column("Tableau", 30), Column("Règle appliquée", 90), Column("Valeurs masquées", 12))
    note = "Ce qui est masqué, compté par tableau et par règle ; jamais la valeur."
    return Sheet("Valeurs masquées", "Registre des valeurs masquées", columns, [list(row) for row in counts], (note,))


def _words(publication: Publication) -> Sheet:
    rows: list[list[Cell]] = [[term, meaning] for term, meaning in DEFINITIONS]
    return Sheet("Définitions", "Les mots de ce classeur", (Column("Terme", 28), Column("Sens", 120)), rows)


_SHEETS: tuple[Callable[[Publication], Sheet], ...] = (
    _questions,
    _levels,
    _groups,
    _distributions,
    _respondents,
    _indicators,
    _findings,
    _surveys,
    _answers,
    _actions,
    _follow_up,
    _quotations,
    _context,
    _definitions_of_indicators,
    _words,
    _rules,
    _masks,
)
