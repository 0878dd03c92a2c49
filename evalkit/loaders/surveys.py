"""Files of answers as the tools write them -> cleaned answers, and the report of what was read, kept and set apart.

One reader serves ``evalkit importer enquete`` and the exports dropped in ``enquetes/brut/``. A source file is only read. What
is not sure is never applied: the faults say what, and a draft of the mapping file proposes.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.errors import EvalkitError, Fault, Place, only_errors
from evalkit.loaders.cells import read_number
from evalkit.loaders.grids import Grid, normalise, read_bytes, read_csv, read_workbook
from evalkit.loaders.persons import file_without_people, without_people
from evalkit.loaders.survey_answers import Reading, read_answers
from evalkit.loaders.survey_columns import Column, Header, header_at, near_questions, read_header, twice
from evalkit.loaders.survey_faults import (
    column_faults,
    mapping_faults,
    misread_faults,
    part_faults,
    row_faults,
    silent_faults,
    undeclared_faults,
    undeclared_questions,
    unknown_survey,
    unweighted_faults,
    weight_faults,
)
from evalkit.loaders.survey_mapping import IGNORED, SPECIAL, Draft, SurveyMapping
from evalkit.loaders.survey_personal import names_somebody
from evalkit.loaders.survey_rows import REASONS, Reason, Seen, Sorting, reason_text, sort_rows
from evalkit.loaders.survey_words import Lexicon, make_lexicon
from evalkit.model.referentiel import Referentiel
from evalkit.model.survey import ENQUETE_PROPERTY, OLD_BOOKS, UNDECLARED_LISTS, Enquete
from evalkit.model.territory import Territory

if TYPE_CHECKING:
    import pandas as pd

_FEWEST = 3  # questions that a file must hold for a questionnaire to be recognised
_SUB_CODE = re.compile(r"^[^\[]+\[([A-Za-z]{1,8}_?\d{1,3})\]")
_NO_MAPPING = SurveyMapping()
Command = Callable[[Sequence[Path]], str]  # what to type to import some files; "" where the message needs none


def _no_command(files: Sequence[Path]) -> str:
    return ""


@dataclass(frozen=True)
class AnswersFile:
    """One file of answers, as read for one questionnaire. Nothing of it is an answer but ``reading``."""

    path: Path
    shown: str
    grid: Grid
    header: Header
    lexicon: Lexicon
    sorting: Sorting
    reading: Reading
    weights: tuple[float, ...] = ()

    def __repr__(self) -> str:  # never an answer in a log or a traceback
        return f"<{type(self).__name__} {self.shown}>"


@dataclass(frozen=True)
class SurveyImport:
    """Answers to one questionnaire, from one file or more.

    ``frame`` has the columns of ``model.survey.ANSWER_COLUMNS`` and one per question found; ``info`` is what the analysis
    needs to know (``n_sollicites``, ``population``, ``collecte`` by part, ``outil``, ``date``, lists that nobody stated).
    """

    enquete: Enquete
    frame: pd.DataFrame
    info: Mapping[str, Any]
    files: tuple[AnswersFile, ...]
    faults: tuple[Fault, ...] = ()
    draft: Draft | None = None
    mapping: SurveyMapping = field(default_factory=SurveyMapping)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.enquete.code} {len(self.frame)}>"

    @property
    def sure(self) -> bool:
        """Whether nothing blocks."""
        return not only_errors(self.faults)


# --- open, recognise ------------------------------------------------------------------------------------------------


def lexicons_of(referentiel: Referentiel, territory: Territory | None) -> dict[str, Lexicon]:
    """Writings of every questionnaire of the framework, by code."""
    return {enquete.code: make_lexicon(enquete, territory) for enquete in referentiel.enquetes}


def open_answers(path: Path, shown: str, lexicons: Mapping[str, Lexicon]) -> tuple[list[Grid], str, list[Fault]]:
    """Sheets of a file, the questionnaire that it says it answers ("" when it says nothing), and warnings.

    Raises
    ------
    EvalkitError
        The file cannot be read (DON-001 to DON-006, DON-026).
    """
    if path.suffix.lower() in (".xlsx", *OLD_BOOKS):
        book = read_workbook(path, shown)
        return list(book.grids), book.properties.get(ENQUETE_PROPERTY, ""), []
    titles = frozenset(
        normalise(title)
        for lexicon in lexicons.values()
        for question in lexicon.enquete.questions
        for title in (question.code, question.libelle)
    )
    grid, warnings = read_csv(path, shown, titles)
    return [grid], "", warnings


def recognise(
    grids: Sequence[Grid], lexicons: Mapping[str, Lexicon], stated: str = "", wanted: str = ""
) -> tuple[Grid, Header, Lexicon] | None:
    """The sheet that holds answers, its titles, and the questionnaire; None when it is not sure.

    ``stated``: what the file itself says; ``wanted``: what the person says. Otherwise the questionnaire with most questions
    in the titles, if it has twice as many as the next one: some labels stand in several questionnaires.
    """
    code = wanted or stated
    candidates = [lexicons[code]] if code in lexicons else list(lexicons.values())
    found = []
    for grid in grids:
        for lexicon in candidates:
            header = read_header(grid, lexicon, own=bool(stated))
            if header is not None and (header.n_sure >= _FEWEST or code):
                found.append((header.n_sure, grid, header, lexicon))
    found.sort(key=lambda item: -item[0])
    others = [n for n, _, _, lexicon in found[1:] if lexicon is not found[0][3]]
    if not found or (others and max(others) * 2 > found[0][0]):
        return None
    return found[0][1], found[0][2], found[0][3]


# --- one file -------------------------------------------------------------------------------------------------------


def read_answers_file(
    path: Path,
    shown: str,
    grid: Grid,
    header: Header,
    lexicon: Lexicon,
    mapping: SurveyMapping = _NO_MAPPING,
    seen: Seen | None = None,
) -> tuple[AnswersFile, list[Fault]]:
    """Read one file whose questionnaire is known. ``seen``: the submissions already read in other files."""
    header = apply_mapping(header, lexicon, mapping)
    sorting = sort_rows(grid, header, lexicon, mapping, seen, shown)
    reading = read_answers(grid, header, sorting.kept, lexicon.by_code, mapping)
    weights, faults = _weights(grid, header, sorting.kept)
    return AnswersFile(path, shown, grid, header, lexicon, sorting, reading, weights), faults


def apply_mapping(header: Header, lexicon: Lexicon, mapping: SurveyMapping) -> Header:
    """The columns, once a person's decisions are applied."""
    columns = []
    for column in header.columns:
        target = mapping.columns.get(normalise(column.title)) if mapping.columns else None
        if target is None and mapping.by_rank and column.kind == "incertaine":
            target = _ranked(column, lexicon)
        columns.append(_decided(column, target, lexicon) if target is not None and column.title else column)
    return replace(header, columns=tuple(columns))


def _ranked(column: Column, lexicon: Lexicon) -> str | None:
    """``A14[SQ002]`` for a person who says that the tool's codes follow the order of the questionnaire."""
    found = _SUB_CODE.match(column.title)
    choice = lexicon.by_code[column.question].by_rank(found[1]) if found else ""
    return f"{column.question}[{choice}]" if choice else None


def _decided(column: Column, target: str, lexicon: Lexicon) -> Column:
    if target == IGNORED:
        return replace(column, kind="technique", question="", choice="", note="laissée de côté à votre demande")
    if target in SPECIAL:
        return replace(column, kind=target, question="", choice="", note="")  # type: ignore[arg-type]
    question, _, choice = target.rstrip("]").partition("[")
    return replace(column, kind="choix" if choice else "question", question=question, choice=choice, note="")


def _weights(grid: Grid, header: Header, rows: Sequence[int]) -> tuple[tuple[float, ...], list[Fault]]:
    columns = header.of("poids")
    if not columns:
        return (), []
    column, out, bad = columns[0], [], []
    for row in rows:
        value = read_number(grid.at(row, column.index)).value
        good = isinstance(value, float) and value > 0
        out.append(value if isinstance(value, float) and good else 1.0)
        if not good:
            bad.append(row)
    return tuple(out), weight_faults(grid, column, bad)


# --- one questionnaire ----------------------------------------------------------------------------------------------


@dataclass
class _Group:
    """Files that answer the same questionnaire."""

    lexicon: Lexicon
    mapping: SurveyMapping
    files: list[AnswersFile] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    seen: Seen | None = None  # what the files before hold; None when a single file is read


def read_surveys(
    files: Iterable[tuple[Path, str]],
    lexicons: Mapping[str, Lexicon],
    mappings: Mapping[str, SurveyMapping] | None = None,
    wanted: str = "",
    command: Command = _no_command,
) -> tuple[list[SurveyImport], list[Fault]]:
    """Read files of answers, grouped by questionnaire.

    Parameters
    ----------
    files
        (path, name in messages).
    lexicons, mappings
        By questionnaire: :func:`lexicons_of`, and what a person decided.
    wanted
        Questionnaire that the person names; "" to recognise it.
    command
        What to type for some files when they are not sure.

    Returns
    -------
    tuple
        One :class:`SurveyImport` per questionnaire, in the order of the framework, each with its faults (a blocking one
        means that its frame must not be used); and the faults of the files that could not be read at all.
    """
    mappings = mappings or {}
    groups: dict[str, _Group] = {}
    lost: list[Fault] = []
    contents: dict[bytes, str] = {}
    files = list(files)
    for path, shown in files:
        try:
            same = _same_file(contents, path, shown)
            if same is not None:
                lost.append(same)
                continue
            grids, stated, warnings = open_answers(path, shown, lexicons)
        except EvalkitError as error:
            lost += error.faults
            continue
        found = recognise(grids, lexicons, stated, wanted) or _recognise_mapped(grids, lexicons, mappings)
        if found is None and wanted:
            found = _mapped_only(grids, lexicons[wanted])  # no title is known: each will have to be decided
        if found is None:
            lost.append(unknown_survey(grids[0] if grids else None, shown, lexicons, command([path])))
            continue
        grid, header, lexicon = found
        code = lexicon.enquete.code
        if code not in groups:
            seen = Seen() if len(files) > 1 else None
            groups[code] = _Group(lexicon, mappings.get(code, _NO_MAPPING), seen=seen)
        group = groups[code]
        read, faults = read_answers_file(path, shown, grid, header, lexicon, group.mapping, group.seen)
        group.files.append(read)
        group.faults += [*warnings, *faults, *_other_sheets(grids, grid, lexicon, shown)]
    return [_gather(groups[code], command) for code in lexicons if code in groups], lost


def _same_file(contents: dict[bytes, str], path: Path, shown: str) -> Fault | None:
    """DON-095: the same file, byte for byte, under two names: everybody would count twice."""
    digest = hashlib.sha256(read_bytes(path, shown)).digest()
    first = contents.get(digest)
    if first is None:
        contents[digest] = shown
        return None
    fix = "n’en gardez qu’un"
    return Fault("DON-095", Place(shown), f"le même fichier que {first}", "chaque export une seule fois", fix)


def _other_sheets(grids: Sequence[Grid], read: Grid, lexicon: Lexicon, shown: str) -> list[Fault]:
    """DON-095: sheets of the same workbook that hold answers too. Only one is read: which one is for a person to say."""
    found = [g for g in grids if g is not read and (h := read_header(g, lexicon)) is not None and h.n_sure >= _FEWEST]
    fix = "mettez toutes les réponses dans une seule feuille, ou une feuille par fichier, et supprimez les autres"
    return [
        Fault(
            "DON-095",
            Place(shown, grid.sheet),
            f"une feuille de réponses de plus que « {read.sheet} »",
            "une seule feuille de réponses par classeur",
            fix,
        )
        for grid in found
    ]


def _recognise_mapped(
    grids: Sequence[Grid], lexicons: Mapping[str, Lexicon], mappings: Mapping[str, SurveyMapping]
) -> tuple[Grid, Header, Lexicon] | None:
    """A file whose titles a mapping names, when its own do not tell the questionnaire."""
    best: tuple[int, str] = (0, "")
    for code, mapping in mappings.items():
        titles = {normalise(cell) for grid in grids for row in grid.rows[:5] for cell in row if isinstance(cell, str)}
        best = max(best, (len(titles & set(mapping.columns)), code))
    if not best[0]:
        return None
    code = best[1]
    return recognise(grids, lexicons, wanted=code) or _mapped_only(grids, lexicons[code])


def _mapped_only(grids: Sequence[Grid], lexicon: Lexicon) -> tuple[Grid, Header, Lexicon] | None:
    """No title is known by itself: the first row that is not blank holds them."""
    for grid in grids:
        for index, row in enumerate(grid.rows):
            if sum(isinstance(cell, str) for cell in row) > 1:
                return grid, header_at(grid, index, lexicon), lexicon
    return None


def _gather(group: _Group, how: Command) -> SurveyImport:
    """Faults, frame and facts of one questionnaire, from its files."""
    faults = list(group.faults)
    command = how([file.path for file in group.files])
    for file in group.files:
        near = near_questions(file.header, group.lexicon)
        faults += column_faults(file, near, twice(file.header), command)
        faults += misread_faults(file, group.mapping, command)
        faults += row_faults(file)
    faults += unweighted_faults(group.files)
    info = _info(group)
    frame = _frame(group)
    faults += part_faults(group.lexicon.enquete, frame, info, [file.shown for file in group.files], command)
    faults += silent_faults(group.lexicon.enquete, group.files, group.mapping)
    undeclared = undeclared_questions(group.lexicon, frame, group.mapping)
    if undeclared:
        info[UNDECLARED_LISTS] = undeclared
    faults += undeclared_faults(group.lexicon, frame, group.files, undeclared)
    faults += mapping_faults(group.files, group.mapping)
    ordered = tuple(dict.fromkeys(faults))
    draft = _draft(group, undeclared) if only_errors(ordered) else None
    return SurveyImport(group.lexicon.enquete, frame, info, tuple(group.files), ordered, draft, group.mapping)


def _info(group: _Group) -> dict[str, Any]:
    days = [file.sorting.last_day for file in group.files if file.sorting.last_day]
    tools = list(dict.fromkeys(file.header.tool for file in group.files))
    return {
        "outil": ", ".join(tools),
        "lues": sum(file.sorting.n_read for file in group.files),
        "gardees": sum(len(file.sorting.kept) for file in group.files),
        "motifs": _reasons(group),
        "date": max(days, default=""),
        "n_sollicites": dict(group.mapping.asked),
        "population": dict(group.mapping.population),
        "collecte": dict(group.mapping.collecte),
    }


def _reasons(group: _Group) -> str:
    """Why rows were set apart, over the files: « 1 essai, 2 envoyée deux fois »."""
    counted: Counter[Reason] = Counter()
    for file in group.files:
        counted.update({reason: len(rows) for reason, rows in file.sorting.apart.items()})
    return ", ".join(reason_text(reason, counted[reason]) for reason in REASONS if counted[reason])


def _frame(group: _Group) -> pd.DataFrame:
    import pandas as pd

    codes = [code for code in group.lexicon.by_code if any(code in file.reading.answers for file in group.files)]
    numbers: list[int] = []
    parts: list[str] = []
    weights: list[float] = []
    cells: dict[str, list[str | None]] = {code: [] for code in codes}
    offset = 0
    for file in group.files:
        kept = file.sorting.kept
        numbers += [offset + file.sorting.numbers[row] for row in kept]
        offset += file.sorting.n_read
        parts += [file.sorting.parts[row] for row in kept]
        weights += list(file.weights) or [1.0] * len(kept)
        for code in codes:
            cells[code] += file.reading.answers.get(code) or [None] * len(kept)
    columns = {
        "ligne": pd.Series(numbers, dtype="int64"),
        "partie": pd.Series(parts, dtype="str"),
        "poids": pd.Series(weights, dtype="float64"),
        **{code: pd.Series(values, dtype="str") for code, values in cells.items()},
    }
    return pd.DataFrame(columns)


def _names_somebody(title: str) -> bool:
    """Whether a title is not to be written in a draft."""
    return names_somebody(title) or without_people(title) != title


def _draft(group: _Group, bodies: Sequence[str]) -> Draft:
    """What is to be decided, over the files of one questionnaire."""
    columns: dict[str, str] = {}
    answers: dict[str, dict[str, str]] = {}
    hidden, coded = 0, False
    for file in group.files:
        near = near_questions(file.header, group.lexicon)
        for column in file.header.columns:
            if column.kind == "incertaine":
                columns[column.title] = column.question
                coded = coded or _ranked(column, group.lexicon) is not None
            elif column.kind == "consentement" and file.sorting.doubtful_consent:
                columns[column.title] = ""
            elif column.kind == "inconnue" and column.title and not _names_somebody(column.title):
                columns[column.title] = near.get(column.index, "")
        for wrong in file.reading.misread:
            ranked = group.lexicon.by_code[wrong.question].by_rank(wrong.text)
            coded = coded or bool(ranked)
            if wrong.text and wrong.column.kind == "question":
                answers.setdefault(wrong.question, {})[wrong.text] = wrong.near or ranked
            else:
                hidden += len(wrong.rows)
    listed = {question: tuple(found.items()) for question, found in answers.items()}
    names = ", ".join(file_without_people(file.path.name) for file in group.files)
    return Draft(group.lexicon.enquete, names, tuple(columns.items()), listed, coded, hidden, tuple(bodies))
