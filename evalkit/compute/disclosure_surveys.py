"""What surveys may show, all their tables together: groupings, primary masking, then secondary suppression (DESIGN §6.7).

What a reader of a report knows, and that the equations below say:

- the counts of a question with one answer add up to the number of expressed answers; those of a multiple choice reach it
  at least, and an exclusive answer leaves out every other;
- a share times its base is the count: both are hidden together;
- an indicator restates a question: its numerator is the sum of the favourable answers, so both get the same masks;
- a question put only to those who gave some answer (« si oui… ») tells, by the number of people asked, how many gave it.
  When that number must not be known the follow-up question is withdrawn, with its own, and the register says so.

Answers of the same people to two questions are otherwise not linked. On questions with ordered levels, neighbouring
levels are put together before anything is hidden: their row is then named ``code+code``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast

import pandas as pd

from evalkit.compute.results import as_table, table_rows
from evalkit.compute.rules import Rules
from evalkit.compute.secondary import Cell, Equation, Key, System, merge_levels, suppress, total_equation
from evalkit.compute.surveys import NAN, SEPARATOR, read_source
from evalkit.compute.surveys_masking import SECRET_SENSITIVE, SURVEY_TABLES, is_sensitive, mask_surveys
from evalkit.model.referentiel import Referentiel
from evalkit.model.survey import LienIndicateur, QuestionEnquete

Rows = list[dict[str, Any]]
Masks = list[dict[str, str]]
Question = tuple[str, str, str]  # questionnaire, part, question
# One reason, one sentence, for a hidden cell and for the one that protects it: telling them apart would say that the first
# lies between 1 and 10 and the second does not, and often give both.
RULE = "seuil_cellule"
SAME_RULE = ("seuil_cellule", "seuil_extremes")
MERGED = "+"
SECRET_FOLLOW_UP = "Le nombre de personnes à qui la question a été posée ferait retrouver un effectif masqué."
_VALUES = ("n", "part", "borne_basse", "borne_haute")


def _of(row: Mapping[str, Any]) -> Question:
    return row["enquete"], row["partie"], row["question"]


def merged_codes(choice: str) -> tuple[str, ...]:
    """Codes of the answers that a row of ``reponses`` stands for.

    >>> merged_codes("1+2"), merged_codes("oui")
    (('1', '2'), ('oui',))
    """
    return tuple(choice.split(MERGED))


class _Survey:
    """The survey tables of one territory, true values, and what the questionnaires say of them."""

    def __init__(self, rows: Mapping[str, Rows], referentiel: Referentiel):
        self.items = {_of(row): row for row in rows["items"]}
        self.answers: dict[Question, Rows] = defaultdict(list)
        for row in rows["reponses"]:
            self.answers[_of(row)].append(row)
        self.indicators = rows["indicateurs"]
        self._surveys = {enquete.code: enquete for enquete in referentiel.enquetes}

    def question(self, key: Question) -> QuestionEnquete:
        return self._surveys[key[0]].questions_par_code[key[2]]

    def find(self, enquete: str, code: str) -> Question | None:
        """The item of a question of a questionnaire, when it was computed."""
        partie = self._surveys[enquete].questions_par_code[code].partie
        key = (enquete, partie, code)
        return key if key in self.items else None

    def merged(self) -> set[Question]:
        """Questions some levels of which were put together."""
        return {key for key, rows in self.answers.items() if any(MERGED in row["choix"] for row in rows)}

    def restated(self, row: Mapping[str, Any]) -> list[Question]:
        """Questions that an indicator obtained from a survey restates."""
        enquete, codes = read_source(str(row["source"]))
        return [key for code in codes if (key := self.find(enquete, code)) is not None]

    def cells(self, key: Question) -> dict[str, Key]:
        """Cell of each published row of a question, by ``choix``."""
        return {row["choix"]: ("reponses", *key, row["choix"]) for row in self.answers[key]}

    def holding(self, key: Question, codes: Collection[str]) -> list[Key] | None:
        """Cells that together count these answers exactly; None when no set of rows does (a silence, a grouping)."""
        cells = self.cells(key)
        inside = {choice for choice in cells if set(merged_codes(choice)) <= set(codes)}
        covered = {code for choice in inside for code in merged_codes(choice)}
        return [cells[choice] for choice in cells if choice in inside] if covered == set(codes) else None


# --- groupings --------------------------------------------------------------------------------------------------------


def _merge_ordered(survey: _Survey, rules: Rules) -> Masks:
    """Put neighbouring levels together where some would be hidden; rows of ``reponses`` change in place."""
    masks = Masks()
    for key, item in survey.items.items():
        question, rows = survey.question(key), survey.answers[key]
        ordered = question.type in ("likert", "choix_unique") and question.ordonnee
        if not ordered or not is_sensitive(question) or len(rows) < 3 or item["n_exprimes"] < rules["seuil_personnes"]:
            continue
        if any(row["n"] != row["n"] or MERGED in row["choix"] for row in rows):
            continue  # already protected
        groups = merge_levels([int(row["n"]) for row in rows], rules["seuil_cellule"], rules["seuil_extremes"])
        if groups is None or len(groups) == len(rows):
            continue
        survey.answers[key] = [_merged_row([rows[i] for i in group]) for group in groups]
        masks.append(_line("reponses", "seuil_cellule", key, "niveaux regroupés"))
    return masks


def _merged_row(rows: Rows) -> dict[str, Any]:
    """One row for several neighbouring levels; no interval: that of a sum is not the sum of theirs."""
    if len(rows) == 1:
        return rows[0]
    total = {"n": sum(row["n"] for row in rows), "part": sum(row["part"] for row in rows)}
    return {
        **rows[0],
        "choix": MERGED.join(row["choix"] for row in rows),
        **total,
        "borne_basse": NAN,
        "borne_haute": NAN,
    }


def _line(table: str, rule: str, key: Question, *more: str) -> dict[str, str]:
    part = "" if key[1] == "ensemble" else key[1]
    return {"table": table, "cle": SEPARATOR.join(t for t in (key[0], part, key[2], *more) if t), "raison": rule}


# --- equations --------------------------------------------------------------------------------------------------------


def _question_part(survey: _Survey, key: Question, hidden: Collection[Key]) -> tuple[dict[Key, Cell], list[Equation]]:
    """Cells of one question and what ties them."""
    question, n = survey.question(key), int(survey.items[key]["n_exprimes"])
    by_choice = survey.cells(key)
    cells = {
        by_choice[row["choix"]]: Cell(round(row["n"]), max(n, round(row["n"])))
        for row in survey.answers[key]
        if row["n"] == row["n"]
    }
    keys = list(cells)
    if not keys or len(keys) < len(survey.answers[key]) or question.type == "texte":
        return cells, []
    total = sum(cell.value for cell in cells.values())  # answers that break a rule of the form must not stop us
    if question.type != "choix_multiple":
        return cells, [total_equation(keys, total)]
    most = max(total, n * min(question.maximum or len(keys), len(keys)))
    equations = [Equation(dict.fromkeys(keys, 1.0), min(total, n), most)]
    alone = [k for c in question.choix if c.exclusif and (k := by_choice.get(c.code)) in cells and k is not None]
    if set(keys) & set(hidden) and not set(keys) <= set(hidden):
        pairs = [(first, k) for first in alone for k in keys if k != first]
        equations += [
            Equation(dict.fromkeys(pair, 1.0), 0, max(n, sum(cells[k].value for k in pair))) for pair in pairs
        ]
    return cells, equations


def _restating(
    survey: _Survey, rank: int, row: Mapping[str, Any], links: Sequence[LienIndicateur]
) -> tuple[Cell, list[Equation]] | None:
    """The numerator of an indicator as a cell, and its equations; None when it does not simply count answers."""
    questions = survey.restated(row)
    if len(questions) != 1 or row["denominateur"] != row["n"] or row["numerateur"] != row["numerateur"]:
        return None
    key, link = questions[0], links[0]
    codes = [row["modalite"]] if link.calcul == "distribution" else list(link.favorables)
    plain = link.base_si is None and link.favorable_si is None and link.minimum == 1
    if link.calcul not in ("part", "distribution") or not plain or not codes:
        return None
    mine, found = ("indicateurs", str(rank)), survey.holding(key, codes)
    if found is None:
        return None
    cell = Cell(round(row["numerateur"]), int(row["n"]), derived=True)
    if survey.question(key).type != "choix_multiple" or len(found) == 1:
        return cell, [Equation(dict.fromkeys(found, 1.0) | {mine: -1.0}, 0, 0)]
    at_least_one = [Equation({k: 1.0, mine: -1.0}, -float(row["n"]), 0) for k in found]
    return cell, [Equation(dict.fromkeys(found, 1.0) | {mine: -1.0}, 0, float(row["n"]) * len(found)), *at_least_one]


def _asked_because(survey: _Survey, key: Question) -> tuple[list[Question], list[Key] | None]:
    """(questions on which this one depends, cells whose sum is the number of people asked, None if not that simple)."""
    condition = survey.question(key).posee_si
    if condition is None:
        return [], None
    comparisons = [*(condition.tous or ()), *(condition.un_de or ())]
    filters = [f for c in comparisons if (f := survey.find(key[0], c.fait)) is not None]
    if len(comparisons) != 1 or not filters:
        return filters, None
    wanted = comparisons[0].parmi if comparisons[0].parmi is not None else (comparisons[0].egal,)
    if wanted == (None,) or (survey.question(filters[0]).type == "choix_multiple" and len(wanted) > 1):
        return filters, None
    return filters, survey.holding(filters[0], [str(code) for code in wanted])


class _Linked:
    """Every cell of the surveys of a territory and every equation; what cannot be written as one is kept apart."""

    def __init__(self, survey: _Survey, referentiel: Referentiel, primary: set[Key], rules: Rules):
        self.survey, self.hidden = survey, set(primary)
        self.cells: dict[Key, Cell] = {}
        self.equations: list[Equation] = []
        self.with_any: dict[Key, list[Question]] = {}  # hidden as soon as a cell of these questions is
        for key in survey.items:
            cells, equations = _question_part(survey, key, primary)
            self.cells |= cells
            self.equations += equations
        self._add_indicators(referentiel)
        self._add_follow_ups(rules)

    def _add_indicators(self, referentiel: Referentiel) -> None:
        links = {
            (enquete.code, question.code, link.code): link
            for enquete in referentiel.enquetes
            for question in enquete.questions
            for link in question.indicateurs
        }
        for rank, row in enumerate(self.survey.indicators):
            if row["obtention"] != "enquete" or row["statut"] not in ("ok", "secret") or row["valeur"] != row["valeur"]:
                continue
            enquete, codes = read_source(str(row["source"]))
            mine = [links[k] for code in codes if (k := (enquete, code, row["indicateur"])) in links]
            found = _restating(self.survey, rank, row, mine) if mine else None
            key = ("indicateurs", str(rank))
            if found is None or not self._holds(found[1], {key: found[0]}):
                self.with_any[key] = self.survey.restated(row)
                continue
            self.cells[key] = found[0]
            self.equations += found[1]

    def _holds(self, equations: Sequence[Equation], more: Mapping[Key, Cell]) -> bool:
        """The equations name cells that are there and are true of them."""
        cells = {**self.cells, **more}
        return all(
            set(equation.terms) <= set(cells)
            and equation.low <= sum(c * cells[k].value for k, c in equation.terms.items()) <= equation.high
            for equation in equations
        )

    def _add_follow_ups(self, rules: Rules) -> None:
        for key, item in self.survey.items.items():
            filters, matching = _asked_because(self.survey, key)
            if not filters:
                continue
            mine, asked = ("suite", *key), int(item["n_concernes"])
            known = matching is not None and all(k in self.cells for k in matching)
            if not known or matching is None or sum(self.cells[k].value for k in matching) != asked:
                self.with_any[mine] = filters
                continue
            base = int(self.survey.items[filters[0]]["n_exprimes"])
            self.cells[mine] = Cell(asked, base, derived=True)
            self.equations.append(Equation(dict.fromkeys(matching, 1.0) | {mine: -1.0}, 0, 0))
            sensitive = is_sensitive(self.survey.question(filters[0]))
            if sensitive and (0 < asked < rules["seuil_cellule"] or 0 < base - asked < rules["seuil_cellule"]):
                self.hidden.add(mine)

    def protect(self, width: float) -> set[Key]:
        """Every key to hide: cells, indicators (``indicateurs``, rank), follow-up questions (``suite``, question)."""
        hidden = set(self.hidden)
        systems = list(self._systems())
        before: list[set[Key]] = [set() for _ in systems]
        while True:
            for rank, system in enumerate(systems):
                mine = hidden & set(system.cells)
                if mine != before[rank]:
                    before[rank] = set(suppress(system, mine, width))
                    hidden |= before[rank]
            closed = {cast("Question", k[1:4]) for k in hidden if k[0] in ("reponses", "suite")} | self.survey.merged()
            more = {key for key, questions in self.with_any.items() if closed & set(questions)}
            more |= self._after_withdrawn({cast("Question", k[1:]) for k in hidden if k[0] == "suite"})
            if more <= hidden:
                return hidden
            hidden |= more

    def _after_withdrawn(self, withdrawn: set[Question]) -> set[Key]:
        """A withdrawn question takes with it its cells, the indicators that restate it, and what depends on it."""
        out: set[Key] = set()
        for key in withdrawn:
            out |= {k for k in self.survey.cells(key).values() if k in self.cells}
        for key in self.survey.items:
            if set(_asked_because(self.survey, key)[0]) & withdrawn:
                out.add(("suite", *key))
        for rank, row in enumerate(self.survey.indicators):
            if row["obtention"] == "enquete" and set(self.survey.restated(row)) & withdrawn:
                out.add(("indicateurs", str(rank)))
        return out

    def _systems(self) -> Iterable[System]:
        """Independent pieces, so that each is small."""
        group: dict[Key, Key] = {}

        def top(key: Key) -> Key:
            while group.get(key, key) != key:
                key = group[key]
            return key

        for equation in self.equations:
            first, *others = equation.terms
            for other in others:
                group[top(other)] = top(first)
        pieces: dict[Key, dict[Key, Cell]] = defaultdict(dict)
        for key, cell in self.cells.items():
            pieces[top(key)][key] = cell
        ties: dict[Key, list[Equation]] = defaultdict(list)
        for equation in self.equations:
            ties[top(next(iter(equation.terms)))].append(equation)
        return [System(cells, tuple(ties[root])) for root, cells in pieces.items()]


# --- applying it to the tables ----------------------------------------------------------------------------------------


def protect_surveys(
    tables: Mapping[str, pd.DataFrame], rules: Rules, referentiel: Referentiel, *, announced: bool = False
) -> tuple[dict[str, pd.DataFrame], Masks]:
    """Protect the survey tables of a territory and the indicators they feed, all together.

    Parameters
    ----------
    tables
        ``enquetes``, ``items``, ``reponses``, ``indicateurs`` with their true values.
    announced
        The publication by name was announced to institutions before they answered.

    Returns
    -------
    (tables, masks)
        What is hidden is NaN, ``secret``; levels put together make one row; a withdrawn follow-up question has no row.
        ``masks``: lines of the register.
    """
    rows = {name: table_rows(tables[name]) for name in SURVEY_TABLES}
    survey = _Survey(rows, referentiel)
    masks = _merge_ordered(survey, rules)
    rows["reponses"] = [row for key in survey.items for row in survey.answers[key]]
    true = {name: as_table(name, rows[name]) for name in SURVEY_TABLES}
    first, primary_masks = mask_surveys(true, rules, referentiel, announced=announced)
    shown = {name: table_rows(first[name]) for name in SURVEY_TABLES}
    masks += primary_masks
    primary: set[Key] = {("reponses", *_of(r), r["choix"]) for r in shown["reponses"] if r["statut"] == "secret"}
    primary |= {
        ("indicateurs", str(rank))
        for rank, row in enumerate(shown["indicateurs"])
        if row["statut"] == "secret" and row["obtention"] == "enquete"
    }
    linked = _Linked(survey, referentiel, primary, rules)
    hidden = linked.protect(rules["largeur_minimale"])
    masks = _blank(shown, survey, hidden, hidden - primary, masks)
    return {name: as_table(name, shown[name]) for name in SURVEY_TABLES}, masks


def _blank(shown: dict[str, Rows], survey: _Survey, hidden: set[Key], added: set[Key], masks: Masks) -> Masks:
    """Hide in the published rows what was added; the register, without lines on what is withdrawn."""
    withdrawn = {cast("Question", key[1:]) for key in hidden if key[0] == "suite"}
    closed = {_of(row) for row in shown["reponses"] if ("reponses", *_of(row), row["choix"]) in hidden}
    closed |= survey.merged()
    masks = [line for line in masks if not _is_about(line, withdrawn)]
    for row in shown["reponses"]:
        if ("reponses", *_of(row), row["choix"]) in added:
            row.update(dict.fromkeys(_VALUES, NAN), statut="secret")
            if _of(row) not in withdrawn:
                masks.append(_line("reponses", RULE, _of(row), str(row["choix"])))
    for row in shown["items"]:
        told = row["moyenne"] == row["moyenne"] or row["mediane"] == row["mediane"]
        if _of(row) in closed and told and _of(row) not in withdrawn:
            row.update(moyenne=NAN, mediane=NAN)
            masks.append(_line("items", RULE, _of(row), "moyenne et médiane"))
    for rank, row in enumerate(shown["indicateurs"]):
        if row["obtention"] != "enquete" or ("indicateurs", str(rank)) not in hidden:
            continue
        lost = bool(set(survey.restated(row)) & withdrawn)
        if row["statut"] != "secret":
            masks.append(
                {"table": "indicateurs", "cle": SEPARATOR.join((row["indicateur"], str(row["source"]))), "raison": RULE}
            )
        said = SECRET_FOLLOW_UP if lost else SECRET_SENSITIVE if row["statut"] != "secret" else row["explication"]
        row.update(valeur=NAN, numerateur=NAN, denominateur=NAN, statut="secret", explication=said)
        if lost:
            row.update(n=NAN)
    for name in ("items", "reponses"):
        shown[name] = [row for row in shown[name] if _of(row) not in withdrawn]
    masks += [_line("items", RULE, key, "question retirée") for key in withdrawn]
    told = [{**line, "raison": RULE} if line["raison"] in SAME_RULE else line for line in masks]
    return sorted(told, key=lambda line: (SURVEY_TABLES.index(line["table"]), line["cle"]))


def _is_about(line: Mapping[str, str], questions: Collection[Question]) -> bool:
    starts = [_line("", "", key)["cle"] for key in questions]
    return line["table"] in ("items", "reponses") and any(
        line["cle"] == start or line["cle"].startswith(start + SEPARATOR) for start in starts
    )
