"""Cells of a file of answers -> the codes of the questionnaire, column by column.

Each different writing of a column is read once. A free text is never kept: only that something was written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from evalkit.loaders.cells import as_text, plain_number, read_number, show, silence_of
from evalkit.loaders.grids import Grid, Raw, is_blank
from evalkit.loaders.survey_columns import Column, Header
from evalkit.loaders.survey_mapping import SurveyMapping
from evalkit.loaders.survey_personal import personal_text
from evalkit.loaders.survey_words import NO, YES, QuestionWords, says_nothing, tool_codes, words
from evalkit.model.dossier import SILENCES
from evalkit.model.survey import OTHER

WRITTEN = "renseigne"  # what is kept of a free text
NOT_PUT = "non_demande"
_NOT_SHOWN = frozenset({("n", "a"), ("na",)})  # LimeSurvey: the question was not displayed
# « 4 - plutôt d’accord », « 4/5 », « 4,0 » are the note 4 ; « 4 ou 5 », « 3,9 » are none.
_NOTE = re.compile(r"(\d)(?:[.,]0+|\s*/\s*5|(?:\s*[-–—:.)]\s*|\s+)\D+)")
_BARE_NOTE = re.compile(r"\s*(?:\d(?:[.,]0+)?\s*[.)]?|\D+)\s*")
_TURNS = re.compile("[<>≤≥≠~]")  # « > 5 » is not 5, « ≠ Oui » is not a yes
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,300}>")
_MINUS = re.compile(r"\s*[-−–]\s*\d")
BROKEN = "formule"
UNDECLARED = "structures que le fichier de correspondance ne déclare pas, comptées dans « Autre »"
_LIME_OTHER = "-oth-"
_NOTHING_TYPED = "« RAS », un tiret… dans « Autre » : aucune réponse"
_ENGLISH_THOUSANDS = re.compile(r"\s*[1-9]\d{0,2}(?:,\d{3})+\s*")
_LIKE_A_PHONE = (
    1e8  # a number this large, where no bound is stated, is a telephone without its zero, or a slip of the hand
)
_LONGEST_NUMBER = 7  # digits of a number that a message may repeat: more may be a telephone
# Words that everybody writes, whoever they are.
_COMMON = frozenset(
    """a ai ans assez au aucun aucune aussi autre autres aux avec beaucoup bien ca ce ces dans de depuis des du elle en encore
    environ est et etait il ils jamais je l la le les leur mais meme moins moyen moyennement n ne non notre nous on ou oui par
    parfois pas peu plus plutot pour qu quartier quartiers que quelques qui s sais sait sans se si sont souvent sur tout toute
    toutes tous tres un une vers voir vous y accord d jour jours mois semaine semaines an annee annees euros dizaine quinzaine
    vingtaine trentaine centaine zero deux trois quatre cinq six sept huit neuf dix""".split()
)
_LONG_WORD, _MISTYPED = 4, 0.8  # letters of a word that may be mistyped, likeness to the right one
_SHORT = 6  # words of a writing that may be shown when it is made of those of the question
OFFERS_OTHER = ("Google Forms", "Microsoft Forms", "Framaforms")  # tools where « Autre » is replaced by what was typed


@dataclass(frozen=True)
class Misread:
    """One writing that is no answer of the question. ``text`` is "" when it may be personal; ``near``: code proposed."""

    question: str
    column: Column
    rows: tuple[int, ...]  # rows of the grid
    text: str = ""
    near: str = ""
    why: str = ""


@dataclass
class Reading:
    """Answers to the questions of one file: one list per question, one cell per row kept."""

    answers: dict[str, list[str | None]] = field(default_factory=dict, repr=False)  # never in a log or a traceback
    misread: list[Misread] = field(default_factory=list)
    repaired: Counter[tuple[str, str]] = field(default_factory=Counter)  # (question, how it was read) -> cells
    contacts: dict[str, list[int]] = field(default_factory=dict)  # free texts that hold a way to reach somebody
    torn: dict[str, list[int]] = field(default_factory=dict)  # questions whose columns disagree -> rows


@dataclass(frozen=True)
class _Cell:
    """What one writing gives: a value, a note when it was read otherwise than written, or why it was not."""

    value: str | None = None
    note: str = ""
    why: str = ""


def read_answers(
    grid: Grid, header: Header, rows: Sequence[int], known: Mapping[str, QuestionWords], mapping: SurveyMapping
) -> Reading:
    """Read every question of a file, for the rows that are kept."""
    out = Reading()
    for code, question in known.items():
        question = _with_declared(question, mapping)
        single = [c for c in header.columns if c.kind == "question" and c.question == code]
        ticked = [c for c in header.columns if c.kind == "choix" and c.question == code]
        if not single and not ticked:
            continue
        reader = _reader(question, header.tool, mapping)
        if single:
            out.answers[code] = _read_column(out, grid, single[0], rows, reader, question)
            _compare_ticks(out, grid, ticked, rows, question)
        else:
            out.answers[code] = _read_ticks(out, grid, ticked, rows, question)
        if question.question.type == "choix_multiple":
            _tell_too_many(out, question, out.answers[code])
    return out


def _with_declared(question: QuestionWords, mapping: SurveyMapping) -> QuestionWords:
    """The bodies that a person declared join the choices of an open list."""
    declared = mapping.answers.get(question.question.code) if question.open_list else None
    if not declared:
        return question
    return replace(question, choices={**question.choices, **{words(text): code for text, code in declared.items()}})


# --- one column -----------------------------------------------------------------------------------------------------


def _read_column(
    out: Reading,
    grid: Grid,
    column: Column,
    rows: Sequence[int],
    reader: Callable[[Raw], _Cell],
    question: QuestionWords,
) -> list[str | None]:
    known: dict[object, _Cell] = {}
    wrong: dict[object, list[int]] = {}
    values: list[str | None] = []
    for row in rows:
        raw = grid.at(row, column.index)
        percent = (
            question.question.unite == "%" and (row, column.index) in grid.percent and isinstance(raw, float | int)
        )
        key: object = (type(raw), raw, percent)
        if (row, column.index) in grid.broken:  # Excel shows an error, or a formula that was never computed
            key = BROKEN
            known[key] = _Cell(why="une formule sans résultat, ou une erreur d’Excel")
        if key not in known:
            known[key] = reader(round(raw * 100, 9) if percent and isinstance(raw, float | int) else raw)
        cell = known[key]
        values.append(cell.value)
        if cell.why:
            wrong.setdefault(key, []).append(row)
        elif cell.note:
            out.repaired[question.question.code, cell.note] += 1
        if question.question.type == "texte" and cell.value == WRITTEN and personal_text(str(raw)):
            out.contacts.setdefault(question.question.code, []).append(row)
    for key, lines in wrong.items():
        raw = None if key == BROKEN else key[1]  # type: ignore[index]
        out.misread.append(_misread(question, column, raw, lines, known[key].why))
    out.misread = _gathered(out.misread)
    return values


def _gathered(found: Sequence[Misread]) -> list[Misread]:
    """Writings that are not shown are told together: one by one, they would say nothing more."""
    out: dict[object, Misread] = {}
    for wrong in found:
        key = (wrong.column, wrong.text, wrong.why)
        same = out.get(key)
        out[key] = wrong if same is None else replace(same, rows=tuple(sorted((*same.rows, *wrong.rows))))
    return list(out.values())


def _misread(question: QuestionWords, column: Column, raw: Raw, rows: Sequence[int], why: str) -> Misread:
    """What may be said of a writing that is not understood: near a choice, a short number, or given by several people."""
    text = as_text(raw)
    scale = (
        question.question.type == "likert"
    )  # « plutôt d’accord » is near « pas du tout d’accord » : nothing is proposed
    near = question.nearest(text) if question.question.choix and not scale else ""
    number = text.replace(",", "").replace(" ", "").lstrip("-").isdigit() and len(text) <= _LONGEST_NUMBER
    near = near if not personal_text(text) else ""
    own = not personal_text(text) and (bool(near) or len(words(text)) <= _SHORT) and _in_its_words(question, text)
    shown = number or own or tool_codes(text)  # a tool's code is nobody's own words
    return Misread(question.question.code, column, tuple(rows), text if shown else "", near, why)


def _in_its_words(question: QuestionWords, text: str) -> bool:
    """Every word is one of the question or of its choices, perhaps mistyped: a surname is none."""
    known = {word for label in question.choices for word in label} | set(words(question.question.libelle))
    return all(word in known or word in _COMMON or _mistyped(word, known) for word in words(text))


def _mistyped(word: str, known: set[str]) -> bool:
    return len(word) >= _LONG_WORD and bool(get_close_matches(word, known, 1, _MISTYPED))


def _reader(question: QuestionWords, tool: str, mapping: SurveyMapping) -> Callable[[Raw], _Cell]:
    kind = question.question.type
    by_kind = {"nombre": _number, "texte": _text, "choix_multiple": _several}.get(kind, _one)

    def read(raw: Raw) -> _Cell:
        if is_blank(raw):
            return _Cell()
        text = as_text(raw)
        if words(text) in _NOT_SHOWN and tool == "LimeSurvey":
            return _Cell(NOT_PUT)
        decided = mapping.answer(question.question.code, text) if mapping.answers else ""
        decided = decided or (question.by_rank(text) if mapping.by_rank and not question.choice(text) else "")
        if decided:
            return _Cell(decided)
        return by_kind(question, raw, text, tool)

    return read


def _one(question: QuestionWords, raw: Raw, text: str, tool: str) -> _Cell:
    if question.question.type == "likert" and _MINUS.match(text):
        return _Cell(why="un nombre négatif, là où il faut une note")
    if _TURNS.search(_TAG.sub(" ", text)):
        return _Cell(why="un signe (<, >, ≠…) qui change le sens de la réponse")
    found = question.choice(text)
    if found and question.question.type == "likert" and len(words(text)) == 1 and not _BARE_NOTE.fullmatch(text):
        return _Cell(why="une note et un signe")
    if found:
        return _Cell(found)
    if text.strip() == _LIME_OTHER and question.has_other:
        return _Cell(OTHER)
    first = words(text)[:1]
    note = _NOTE.fullmatch(text.strip()) if question.question.type == "likert" else None
    if note and question.choices.get((note[1],)):
        said = " ".join(words(text)[1:])
        if said and (question.choice(said) or note[1]) != note[1]:
            return _Cell(why="une note et un libellé qui ne vont pas ensemble")
        return _Cell(question.choices[note[1],], f"lue comme la note {note[1]}")
    if first in (("y",), ("n",)) and len(words(text)) == 1:
        code = question.choice("oui" if first == ("y",) else "non")
        if code:
            return _Cell(code, f"« {text} » lue comme « {code} »")
    typed = question.several(text)  # « Autre : » and what was typed
    if typed == [OTHER]:
        return _Cell(OTHER, "texte libre compté dans « Autre »")
    return _left_over(question, text, tool)


def _several(question: QuestionWords, raw: Raw, text: str, tool: str) -> _Cell:
    found = question.several(text)
    if found:
        return _Cell(";".join(found))
    silence = question.choice(text)
    if silence:
        return _Cell(silence)
    if question.has_other and (question.open_list or tool in OFFERS_OTHER):
        return _with_other(question, text)
    return _Cell(why="pas une suite de réponses du questionnaire")


def _with_other(question: QuestionWords, text: str) -> _Cell:
    """Known choices, and one text typed in place of « Autre »."""
    found, rest = [], []
    for part in text.replace(", ", ";").replace("\n", ";").split(";"):
        codes = question.several(part) if words(part) else ([] if says_nothing(part) else None)
        if codes:
            found += codes
        elif codes is None and not says_nothing(part):
            rest.append(part)
    if any(question.nearest(part) for part in rest):
        return _Cell(why="pas une suite de réponses du questionnaire")
    if not rest:
        return _Cell(";".join(dict.fromkeys(found)) or None, _NOTHING_TYPED)
    said = UNDECLARED if question.open_list else "texte libre compté dans « Autre »"
    return _Cell(";".join(dict.fromkeys([*found, OTHER])), said)


def _open_list(question: QuestionWords, text: str) -> _Cell:
    """Names of bodies that no list gives: they are free texts, and may be names of persons. Counted as « Autre », never kept.

    A person declares the bodies in the mapping file, under the answers of the question.
    """
    return _Cell(OTHER, UNDECLARED) if question.has_other else _Cell(why="une structure que rien ne déclare")


def _left_over(question: QuestionWords, text: str, tool: str) -> _Cell:
    if question.has_other and (question.open_list or tool in OFFERS_OTHER) and says_nothing(text):
        return _Cell(None, _NOTHING_TYPED)
    if question.open_list:
        return _open_list(question, text)
    if tool in OFFERS_OTHER and question.has_other and not question.nearest(text):
        return _Cell(OTHER, "texte libre compté dans « Autre »")
    return _Cell(why="pas une réponse du questionnaire")


def _number(question: QuestionWords, raw: Raw, text: str, tool: str) -> _Cell:
    item = question.question
    if personal_text(text):
        return _Cell(why="un numéro ou un nom, là où il faut un nombre")
    if isinstance(raw, str) and _ENGLISH_THOUSANDS.fullmatch(raw):
        whole, decimal = raw.strip().replace(",", ""), raw.strip().split(",")[0]
        return _Cell(why=f"{whole} si la virgule sépare les milliers, {decimal} si c’est une décimale")
    read = read_number(raw, percent=item.unite == "%")
    if read.silence:
        return _Cell(question.choice(text) or read.silence)
    if read.fault or not isinstance(read.value, float):
        return _Cell(why="pas un nombre")
    low, high = (item.bornes.min, item.bornes.max) if item.bornes else (None, None)
    if (low is not None and read.value < low) or (high is not None and read.value > high):
        limits = (
            f"de {low:g} à {high:g}"
            if low is not None and high is not None
            else f"au moins {low:g}"
            if low is not None
            else f"au plus {high:g}"
        )
        return _Cell(why=f"un nombre hors de ce qui est permis ({limits})")
    if high is None and read.value >= _LIKE_A_PHONE:
        return _Cell(why="un nombre de neuf chiffres ou plus : un numéro de téléphone, ou une faute de frappe ?")
    if item.entier and not read.value.is_integer():
        return _Cell(why="un nombre à virgule, là où l’on compte")
    return _Cell(plain_number(read.value), read.repair)


def _text(question: QuestionWords, raw: Raw, text: str, tool: str) -> _Cell:
    return _Cell(silence_of(text) or WRITTEN)


# --- one column per choice ------------------------------------------------------------------------------------------


def _read_ticks(
    out: Reading, grid: Grid, columns: Sequence[Column], rows: Sequence[int], question: QuestionWords
) -> list[str | None]:
    wrong: dict[tuple[Column, str], list[int]] = {}
    values = list(_ticks(grid, columns, rows, question, wrong))
    for (column, text), lines in wrong.items():
        out.misread.append(_misread(question, column, text, lines, "ni coché, ni non coché"))
    return values


def _ticks(
    grid: Grid,
    columns: Sequence[Column],
    rows: Sequence[int],
    question: QuestionWords,
    wrong: dict[tuple[Column, str], list[int]],
) -> Iterator[str | None]:
    """What the boxes of each row say; ``wrong`` receives what they hold that says nothing."""
    known: dict[tuple[int, object], str | None] = {}
    said: dict[tuple[str, ...], str] = {}  # the same boxes ticked give the same text, held once
    for row in rows:
        codes, hidden = [], False
        for column in columns:
            raw = grid.at(row, column.index)
            key = (column.index, raw if not isinstance(raw, bool) else str(raw))
            if key not in known:
                known[key] = _ticked(raw, column, question)
            state = known[key]
            if state is None:
                wrong.setdefault((column, as_text(raw)), []).append(row)
            elif state == NOT_PUT:
                hidden = True
            elif state:
                codes.append(column.choice)
        given = tuple(dict.fromkeys(codes))
        yield said.setdefault(given, ";".join(given)) or (NOT_PUT if hidden else None)


def _compare_ticks(
    out: Reading, grid: Grid, columns: Sequence[Column], rows: Sequence[int], question: QuestionWords
) -> None:
    """A tool that writes the same answers twice (one column, and one per choice) says the same thing twice, or it is told."""
    if not columns:
        return
    compared = {column.choice for column in columns}
    code = question.question.code
    known: dict[tuple[str | None, str | None], bool] = {}
    for row, one, split in zip(rows, out.answers[code], _ticks(grid, columns, rows, question, {}), strict=True):
        if (one, split) not in known:
            known[one, split] = _disagree(one, split, compared)
        if known[one, split]:
            out.torn.setdefault(code, []).append(row)


def _disagree(one: str | None, split: str | None, compared: Set[str]) -> bool:
    if one in SILENCES or (split or NOT_PUT) == NOT_PUT:
        return False  # a tool leaves the boxes of a question without an answer empty
    return {choice for choice in (one or "").split(";") if choice in compared} != set((split or "").split(";"))


def _ticked(raw: Raw, column: Column, question: QuestionWords) -> str | None:
    """``coche``, "" (not ticked), ``non_demande``, or None when it is none of them."""
    if is_blank(raw):
        return ""
    given = words(as_text(raw))
    if _MINUS.match(as_text(raw)):
        return None  # -1, -9 : ways to write that an answer is missing, that no rule tells
    if given in _NOT_SHOWN:
        return NOT_PUT
    if len(given) == 1 and given[0] in NO:
        return ""
    if len(given) == 1 and given[0] in YES:
        return "coche"
    if column.choice == OTHER:  # what was typed beside « Autre »
        return "" if says_nothing(as_text(raw)) else "coche"
    return "coche" if question.choice(as_text(raw)) == column.choice else None


def _tell_too_many(out: Reading, question: QuestionWords, values: Sequence[str | None]) -> None:
    """More choices than allowed, or a choice that stands alone given with others: kept, and said."""
    item = question.question
    alone = {choice.code for choice in item.choix if choice.exclusif}
    for value in values:
        codes = value.split(";") if value else []
        if item.maximum and len(codes) > item.maximum:
            out.repaired[item.code, f"plus de {item.maximum} choix : tous sont gardés"] += 1
        if len(codes) > 1 and alone & set(codes):
            out.repaired[item.code, "un choix qui devrait être seul est donné avec d’autres : tous sont gardés"] += 1


def shown_text(misread: Misread) -> str:
    """The writing as a message may repeat it."""
    if misread.text:
        return show(misread.text)
    n = len(misread.rows)
    return (
        "une réponse qui n’est pas montrée (elle peut être personnelle)"
        if n == 1
        else f"{n} réponses qui ne sont pas montrées (elles peuvent être personnelles)"
    )
