"""The title rows of a file of answers: which tool wrote it, which column holds which question, which are left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from evalkit.loaders.grids import Grid, is_blank
from evalkit.loaders.survey_personal import personal_content, personal_title
from evalkit.loaders.survey_words import Lexicon, alike, words
from evalkit.model.survey import OTHER

Kind = Literal[
    "question",  # the answer itself
    "choix",  # one choice of a multiple answer: ticked or not
    "autre_texte",  # what was typed beside « Autre »: never kept
    "partie",
    "consentement",
    "poids",
    "identifiant",
    "moment",
    "fin",  # empty = the person did not finish
    "brouillon",
    "statut",
    "personnel",
    "technique",
    "incertaine",
    "inconnue",
]
# Titles that tools write by themselves, in compared form.
_OWN_TITLES: dict[Kind, str] = {
    "identifiant": "uuid|key|instanceid|meta instanceid|id|sid|id de la reponse|response id|numero de la soumission",
    "moment": "submission time|submissiondate|horodateur|timestamp|heure de fin|completion time|end time|heure de soumission|"
    "submitted time|date de la soumission|datestamp|date de la derniere action|date last action|end|heure",
    "fin": "submitdate|date de soumission|date submitted|heure complete|heure completee|completed time|date de fin de saisie",
    "brouillon": "brouillon|draft|is draft",
    "statut": "validation status|reviewstate|etat de validation",
    "technique": "start|today|deviceid|version|version__|__version__|tags|notes|status|index|parent index|parent table name|"
    "lastpage|derniere page|last page|startlanguage|langue de depart|start language|seed|tete de serie|startdate|"
    "date de lancement|date started|refurl|url de renvoi|referrer url|numero de serie|serial|modified time|"
    "heure modifiee|heure de modification|heure de debut|start time|heure de la derniere modification|"
    "last modified time|langue|language|score|points|total points|formversion|edits|attachmentspresent|"
    "attachmentsexpected|rootuuid|ligne|audit|meta audit|meta instancename|instancename|formhub uuid",
}
_BY_TITLE: dict[tuple[str, ...], Kind] = {
    words(title.replace("_", " ")): kind for kind, titles in _OWN_TITLES.items() for title in titles.split("|")
}
# Titles by which a tool is known; the tool with most of them wrote the file.
TOOLS: dict[str, str] = {
    "KoboToolbox": "uuid|submission time|validation status|submitted by|version__|deviceid|index|rootuuid|formhub uuid",
    "ODK": "submissiondate|key|submitterid|submittername|reviewstate|attachmentspresent|attachmentsexpected|instanceid|meta instanceid",
    "LimeSurvey": "submitdate|lastpage|derniere page|last page|startlanguage|langue de depart|start language|seed|"
    "tete de serie|datestamp|ipaddr|refurl|url de renvoi|id de la reponse|response id",
    "Framaforms": "sid|numero de serie|serial|heure de soumission|submitted time|modified time|heure modifiee|"
    "brouillon|draft|uid|details de la soumission|submission details|completed time|heure completee",
    "Google Forms": "horodateur|timestamp",
    "Microsoft Forms": "heure de debut|heure de fin|start time|completion time|adresse de messagerie|"
    "heure de la derniere modification|last modified time",
}
_SIGNS: dict[str, set[tuple[str, ...]]] = {
    tool: {words(title.replace("_", " ")) for title in titles.split("|")} for tool, titles in TOOLS.items()
}
SHEET = "tableur"  # no tool is recognised: titles are read all the same
OWN_TOOL = "evalkit"
_CODE = re.compile(r"^\s*([A-Za-z]\d{2}(?:_?[a-z][a-z0-9_]*?)?)\s*([.:)\-–—]\s+|\s)(?=\S)")
_BRACKET = re.compile(r"^(.*?)\s*\[([^\[\]]*)\]\s*$", re.DOTALL)
_MANGLED = re.compile(r"^X(?=[_.])|^(?:X\.)?U\.FEFF\.|\ufeff")
_LIME_SUB = re.compile(r"^[A-Za-z]\w{0,19}\[([A-Za-z0-9_]{1,20})\](?:\.\s|\s|$)")
_OTHER_TEXT = re.compile(
    r"(?:[_/.\[ -]|^)(?:autres?|other)(?:[_ ]?(?:precisez|precision|texte|text|preciser))?\]?\s*$", re.I
)
_UNDERSCORED = re.compile(r"[A-Z]\d{2}_autre$", re.I)
_NUMBERED = re.compile(r"^\s*\d{1,3}\s*[.)\-–]\s*")
UNKNOWN_CHOICE = "un choix que le questionnaire n’a pas"
_LONGEST_TITLE = 400  # beyond, a cell is a text that somebody wrote, not a title
_DEEPEST_HEADER = 3  # title rows that a tool writes
_SEARCHED = 15


@dataclass(frozen=True)
class Column:
    """One column of the file: its title, and what it holds."""

    index: int
    title: str
    kind: Kind
    question: str = ""
    choice: str = ""
    note: str = ""  # what makes it personal, or the nearest question


@dataclass(frozen=True)
class Header:
    """The title rows of a file, read against one questionnaire."""

    tool: str
    first: int  # first title row
    last: int  # last title row; answers come after
    columns: tuple[Column, ...]

    @property
    def n_sure(self) -> int:
        """Number of questions that a column holds surely."""
        return len({c.question for c in self.columns if c.kind in ("question", "choix")})

    def of(self, kind: Kind) -> list[Column]:
        """Columns of one kind, left to right."""
        return [column for column in self.columns if column.kind == kind]


def read_header(grid: Grid, lexicon: Lexicon, own: bool = False) -> Header | None:
    """Find the title rows and read them; None when no row names a question.

    The rows that name most questions are the titles: a tool writes one to three of them (merged titles above choices).
    """
    best: Header | None = None
    score = (0, 0)
    rows = [i for i, cells in enumerate(grid.rows[: _SEARCHED * 2]) if any(not is_blank(c) for c in cells)][:_SEARCHED]
    for rank, last in enumerate(rows):
        if not any(isinstance(cell, str) for cell in grid.rows[last]):
            continue
        for depth in range(1, min(_DEEPEST_HEADER, rank + 1) + 1):
            columns = tuple(_read_titles(grid, rows[rank - depth + 1 : rank + 1], lexicon))
            header = Header("", rows[rank - depth + 1], last, columns)
            found = (sum(c.kind in ("question", "choix") for c in columns), header.n_sure)
            if found > score:
                best, score = header, found
    return _finished(grid, best, lexicon, own) if best is not None else None


def header_at(grid: Grid, row: int, lexicon: Lexicon) -> Header:
    """Read one row as the titles, although it names no question: a mapping will say what its columns hold."""
    columns = tuple(_read_titles(grid, [row], lexicon))
    return _finished(grid, Header("", row, row, columns), lexicon, own=False)


def _finished(grid: Grid, header: Header, lexicon: Lexicon, own: bool) -> Header:
    last = _labels_below(grid, header, lexicon)
    tool = OWN_TOOL if own else _tool(grid, header)
    return replace(header, tool=tool, last=last, columns=_settled(grid, header, last))


def _labels_below(grid: Grid, header: Header, lexicon: Lexicon) -> int:
    """The last title row: a row of labels may stand under a row of codes (our own workbook, some exports)."""
    after = header.last + 1
    if after >= len(grid.rows):
        return header.last
    below = {column.index: _text(grid, after, column.index) for column in header.columns if column.kind == "question"}
    same = sum(
        lexicon.question(below[column.index]) == column.question and words(below[column.index]) != words(column.title)
        for column in header.columns
        if column.index in below
    )
    return after if same >= max(2, header.n_sure // 2) else header.last


def _text(grid: Grid, row: int, column: int) -> str:
    cell = grid.at(row, column)
    return "" if is_blank(cell) else _MANGLED.sub("", str(cell)).strip()


def _tool(grid: Grid, header: Header) -> str:
    titles = {
        words(name.replace("_", " "))
        for row in range(min(header.first, 3), header.last + 1)
        for index in range(len(grid.rows[row]))
        for name in _names_of(_text(grid, row, index))
    }
    found = {tool: len(titles & signs) for tool, signs in _SIGNS.items()}
    lime = any(_LIME_SUB.match(column.title) for column in header.columns)
    found["LimeSurvey"] += 2 * lime
    best = max(found, key=lambda tool: found[tool])
    needed = 1 if best == "Google Forms" else 2
    return best if found[best] >= needed else SHEET


def _names_of(title: str) -> list[str]:
    """Names that one title gives to a column of the tool: « submitdate. Date de soumission » gives three."""
    return list(dict.fromkeys((title, *title.split(". ", 1))))


# --- one title ------------------------------------------------------------------------------------------------------


def _read_titles(grid: Grid, rows: Sequence[int], lexicon: Lexicon) -> Iterator[Column]:
    width = max(len(grid.rows[row]) for row in rows)
    above = [""] * len(rows)
    for index in range(width):
        texts = [_text(grid, row, index) for row in rows]
        if not texts[-1]:  # nothing in the last title row: a title merged downwards, else a column without title
            yield _read_title(index, [next((text for text in reversed(texts) if text), "")], lexicon)
            continue
        for level, text in enumerate(texts[:-1]):
            above[level] = text or above[level]  # a merged title holds for the columns on its right
        yield _read_title(index, [*above[:-1], texts[-1]] if len(rows) > 1 else texts, lexicon)


def _read_title(index: int, texts: Sequence[str], lexicon: Lexicon) -> Column:
    """What one column holds, from its title and the titles above it."""
    title = texts[-1] or next((text for text in reversed(texts) if text), "")
    shown = f"{texts[-2]} [{title}]" if len(texts) > 1 and texts[-2] and texts[-1] else title
    unknown = Column(index, shown, "inconnue")
    if not title:
        return unknown
    for upper in [text for text in reversed(texts[:-1]) if text] if texts[-1] else []:
        question = _question_of(upper, lexicon)
        choice = lexicon.by_code[question].choice(texts[-1]) if question else ""
        if choice and lexicon.by_code[question].question.type == "choix_multiple":
            return Column(index, shown, "choix", question, choice)
        if question and _OTHER_TEXT.search(texts[-1]):
            return Column(index, shown, "autre_texte", question)
    found = _split_title(title, lexicon)
    if found is not None:
        return replace(found, index=index, title=shown)
    for name in _names_of(title.split("/")[-1]):
        kind = _BY_TITLE.get(words(name.replace("_", " ")))
        if kind:
            return replace(unknown, kind=kind)
    special = _special(index, shown, title)
    if special is not None:
        return special
    doubtful = _doubtful_code(title, lexicon)
    note = "le code d’une question, suivi d’un autre libellé"
    return Column(index, shown, "incertaine", doubtful, note=note) if doubtful else unknown


def _special(index: int, shown: str, title: str) -> Column | None:
    """Columns of our own forms that are not questions."""
    last = words(re.split(r"[/.]|(?<=\w)-(?=\w)", title)[-1])
    if last == ("consentement",) or words(title)[:4] == ("j", "ai", "lu", "ces"):
        return Column(index, shown, "consentement")
    if last == ("partie",) or words(title) == words("Quelle partie remplissez-vous ?"):
        return Column(index, shown, "partie")
    if last == ("poids",):
        return Column(index, shown, "poids")
    return None


def _question_of(text: str, lexicon: Lexicon) -> str:
    """The question that a title names: by its code alone, its label, a code then a label, a number then a label."""
    found = lexicon.question(text) or lexicon.question(_NUMBERED.sub("", text))
    if found:
        return found
    coded = _CODE.match(text)
    code = lexicon.codes.get(coded[1].lower().replace("_", ""), "") if coded else ""
    if not code or coded is None:
        return ""
    rest = text[coded.end() :].strip(" .:-–—)")
    said = lexicon.question(rest)
    if said or not words(rest):
        return code if said == code else ""
    return code if alike(rest, lexicon.enquete.questions_par_code[code].libelle) else ""


def _doubtful_code(title: str, lexicon: Lexicon) -> str:
    """The question whose code a title bears, when what follows says another thing; "" otherwise."""
    for name in dict.fromkeys((title, title.split("/")[-1])):
        coded = _CODE.match(name)
        if coded and coded[2].strip():  # « A02 Date » may be anything
            return lexicon.codes.get(coded[1].lower().replace("_", ""), "")
    return ""


def _split_title(title: str, lexicon: Lexicon) -> Column | None:
    """A question, or a question and one of its choices, written in the ways of the tools."""
    for question, choice in _ways(title):
        code = _question_of(question, lexicon)
        if not code:
            continue
        known = lexicon.by_code[code]
        if choice is None:
            return Column(0, "", "question", code)
        if lexicon.question(choice) == code:  # « A01[A01]. Libellé [] », and a line of a battery
            return Column(0, "", "question", code)
        found = known.choice(choice) if known.question.choix else ""
        if found and known.question.type == "choix_multiple":
            return Column(0, "", "choix", code, found)
        if words(choice)[:1] in (("other",), ("autre",), ("autres",)):
            if known.question.type == "choix_multiple" and known.has_other:
                return Column(0, "", "choix", code, OTHER)
            return Column(0, "", "autre_texte", code)
        if choice:
            note = UNKNOWN_CHOICE if known.question.choix else "un détail de la question"
            return Column(0, "", "incertaine", code, note=note)
    return None


def _ways(title: str) -> Iterator[tuple[str, str | None]]:
    """(question, choice) as tools write them: ``groupe/A01``, ``A01/choix``, ``A01.choix``, ``A01[choix]``, ``Libellé [choix]``."""
    if len(title) > _LONGEST_TITLE:
        yield title, None
        return
    lime = _LIME_SUB.match(title)
    bracket = _BRACKET.match(title)
    if lime:
        label = bracket[2] if bracket and not title.endswith(f"[{lime[1]}]") else ""
        yield title.split("[", 1)[0], label or lime[1]
    elif bracket:
        yield bracket[1], bracket[2] or None
    if bracket and bracket[2]:
        yield bracket[2], None  # a line of a battery: its own text is the question
    if not lime:
        yield title, None
    for mark in ("/", ".", "-"):
        parts = title.split(mark)
        if len(parts) == 1 or (mark != "/" and " " in title):
            continue
        for start in range(len(parts)):
            yield mark.join(parts[start:]), None
            for middle in range(start + 1, len(parts)):
                yield mark.join(parts[start:middle]), mark.join(parts[middle:])
    suffix = re.match(r"^(.*[/.]|)([A-Z]\d{2})_([a-z].*)$", title)
    if suffix:
        yield suffix[2], suffix[3]


# --- the columns that name no question ------------------------------------------------------------------------------


def _settled(grid: Grid, header: Header, last: int) -> tuple[Column, ...]:
    """Columns, those that name or reach a person told from those that are only unknown."""
    out = []
    answered = {column.question for column in header.columns if column.kind in ("question", "choix")}
    beside = _typed_beside_other(header)
    for column in header.columns:
        if column.index in beside:
            column = replace(column, kind="autre_texte", choice="")
        whole = _whole_beside(grid, header, last, column)
        if whole is not None:
            out.append(replace(column, kind="technique", note=f"même réponse que la colonne {whole.question}"))
            continue
        if column.kind == "autre_texte" and column.question not in answered:
            column = replace(column, kind="inconnue")
        if column.kind in ("inconnue", "technique"):
            cells = (grid.at(row, column.index) for row in range(last + 1, len(grid.rows)))
            why = personal_title(column.title) or (personal_content(cells) if column.kind == "inconnue" else "")
            column = replace(column, kind="personnel", note=why) if why else column
        out.append(column)
    return tuple(out)


def _whole_beside(grid: Grid, header: Header, last: int, column: Column) -> Column | None:
    """The one column that says, wherever it is ticked, what a column of an unknown choice says: its code is asked for there."""
    if column.kind != "incertaine" or column.note != UNKNOWN_CHOICE:
        return None
    whole = next((c for c in header.columns if c.kind == "question" and c.question == column.question), None)
    if whole is None:
        return None
    rows = range(last + 1, len(grid.rows))
    ticked = [row for row in rows if str(grid.at(row, column.index) or "").strip() not in ("", "0")]
    return None if any(is_blank(grid.at(row, whole.index)) for row in ticked) else whole


def _typed_beside_other(header: Header) -> set[int]:
    """Columns « A36_autre » that hold what was typed, when other columns hold the answers to A36 (``A36``, ``A36/autre``)."""
    held = Counter((c.question, c.choice) for c in header.columns if c.kind in ("question", "choix"))
    return {
        c.index
        for c in header.columns
        if c.kind == "choix"
        and c.choice == OTHER
        and _UNDERSCORED.search(c.title)
        and (held[c.question, ""] or held[c.question, OTHER] > 1)
    }


def near_questions(header: Header, lexicon: Lexicon) -> dict[int, str]:
    """Unknown columns whose title is close to a question that no column holds: index -> question."""
    taken = {column.question for column in header.columns if column.kind in ("question", "choix")}
    out = {}
    for column in header.of("inconnue"):
        if len(column.title) > _LONGEST_TITLE:
            continue
        near = lexicon.nearest(_NUMBERED.sub("", column.title.split("/")[-1]))
        near = near or lexicon.nearest(_BRACKET.sub(r"\1", column.title))
        if near and near not in taken:
            out[column.index] = near
    return out


def twice(header: Header) -> Mapping[str, list[Column]]:
    """Questions that two columns hold, and choices that two columns hold."""
    counted = Counter((c.question, c.choice) for c in header.columns if c.kind in ("question", "choix"))
    return {
        f"{question}{f' ({choice})' if choice else ''}": [
            c
            for c in header.columns
            if c.kind in ("question", "choix") and (c.question, c.choice) == (question, choice)
        ]
        for (question, choice), n in counted.items()
        if n > 1
    }
