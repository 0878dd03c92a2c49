"""Which rows of a file of answers are kept, and which are set apart: by rule, counted, listed by number, never lost."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from evalkit.loaders.cells import read_date
from evalkit.loaders.grids import Grid, Raw, is_blank
from evalkit.loaders.survey_columns import Column, Header
from evalkit.loaders.survey_mapping import SurveyMapping
from evalkit.loaders.survey_words import NO, YES, Lexicon, words
from evalkit.wording import plural

Reason = Literal[
    "titres",
    "calcul",
    "consentement",
    "inachevee",
    "rejetee",
    "essai",
    "hors_periode",
    "sans_reponse",
    "partie",
    "doublon",
]
REASONS: dict[Reason, tuple[str, str]] = {  # one, several
    "titres": ("ligne de titres répétée", "lignes de titres répétées"),
    "calcul": ("ligne de calcul (total, moyenne…)", "lignes de calcul (total, moyenne…)"),
    "consentement": ("consentement refusé ou non donné", "consentements refusés ou non donnés"),
    "inachevee": ("questionnaire non terminé", "questionnaires non terminés"),
    "rejetee": ("rejetée dans l’outil de collecte", "rejetées dans l’outil de collecte"),
    "essai": ("essai", "essais"),
    "hors_periode": ("en dehors de la période d’enquête", "en dehors de la période d’enquête"),
    "sans_reponse": ("sans aucune réponse", "sans aucune réponse"),
    "partie": ("partie du questionnaire incertaine", "parties du questionnaire incertaines"),
    "doublon": ("envoyée deux fois", "envoyées deux fois"),
}


def reason_text(reason: Reason, n: int) -> str:
    """How many, and why.

    >>> reason_text("doublon", 1), reason_text("essai", 3)
    ('1 envoyée deux fois', '3 essais')
    """
    return plural(n, *REASONS[reason])


_TRIAL = frozenset(
    {("test",), ("tests",), ("essai",), ("essais",), ("ceci", "est", "un", "test"), ("c", "est", "un", "test")}
)
_REJECTED = frozenset(
    {
        ("validation", "status", "not", "approved"),
        ("not", "approved"),
        ("non", "approuve"),
        ("non", "approuvee"),
        ("rejected",),
        ("rejete",),
        ("rejetee",),
    }
)
# A consent begins like this, and holds no word that takes it back: « oui, mais… », « j’ai lu ces informations et je refuse ».
_AGREES = (
    ("oui",),
    ("yes",),
    ("j", "accepte"),
    ("i", "agree"),
    ("j", "ai", "lu", "ces"),
    ("d", "accord"),
    ("accepte",),
)
_TAKES_BACK = frozenset("mais sauf non pas ne n sans jamais aucun aucune refuse refus no not don but".split())
_ENGLISH = frozenset(
    {("timestamp",), ("completion", "time"), ("submitted", "time"), ("end", "time"), ("date", "submitted")}
)
_SUMS = frozenset(
    {(w,) for w in "total totaux moyenne somme sum average mean mediane".split()} | {("total", "general")}
)
_REFUSES = frozenset("refuse refus non no".split())
_UNIVERSAL = frozenset({("uuid",), ("key",), ("instanceid",), ("meta", "instanceid")})
_SAME_MOMENT = timedelta(minutes=10)  # the same answers sent again so soon are one answer sent twice
# « 9:05 », « 9h05 », « 9 h », « 9 heures 30 », « 9:05 PM » ; an hour alone needs its « h ».
_TIME = re.compile(
    r"(?<!\d)(\d{1,2})\s?(?:(?::|h(?:eures?)?)\s?(\d{2})(?::(\d{2})(?:\.\d+)?)?|h(?:eures?)?(?!\s?\d|[a-z]))\s*([ap]m)?",
    re.IGNORECASE,
)
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:[.,][0-9]{1,9})?")
_ISO_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[t ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:z|[+-]\d{2}:?\d{2})?)?")
_DAY = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})|(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})")


@dataclass
class Sorting:
    """Rows of a file. Numbers count the rows that are not blank, from 1, in the order of the file."""

    numbers: dict[int, int] = field(default_factory=dict)  # row of the grid -> number
    kept: list[int] = field(default_factory=list)
    apart: dict[Reason, list[int]] = field(default_factory=dict)
    parts: dict[int, str] = field(default_factory=dict)
    last_day: str = ""  # ISO date of the last answer kept, "" when no column gives it
    twins: list[tuple[int, int]] = field(default_factory=list)  # rows with the same answers, both kept
    elsewhere: list[tuple[int, str]] = field(default_factory=list)  # rows with the answers of a row of another file
    changed: list[tuple[int, str]] = field(
        default_factory=list
    )  # rows with the identifier, not the answers, of one kept
    doubtful_consent: str = ""  # the one sentence of a consent column, when nobody can tell that it says yes
    undated: list[int] = field(default_factory=list)  # rows kept whose moment cannot be read

    @property
    def n_read(self) -> int:
        """Rows that are not blank, after the titles."""
        return len(self.numbers)


@dataclass
class Seen:
    """Submissions read in the other files of the same questionnaire, as prints of 16 bytes: no answer is held twice.

    ``identities``: identifier -> titles, answers, and where they were read (file, number); ``contents``: answers -> when and
    where.
    """

    identities: dict[bytes, tuple[bytes, bytes, str, int]] = field(default_factory=dict, repr=False)
    contents: dict[bytes, list[tuple[datetime | None, str, int]]] = field(default_factory=dict, repr=False)


def sort_rows(
    grid: Grid, header: Header, lexicon: Lexicon, mapping: SurveyMapping, seen: Seen | None = None, shown: str = ""
) -> Sorting:
    """Tell the rows kept from those set apart; every row read is in one of the two.

    ``seen``: submissions read in another file of the same questionnaire; those kept here are added to it, under the name
    ``shown`` of this file. None when no other file is read: nothing is remembered then.
    """
    out = Sorting()
    width = [c for c in header.columns if c.title]
    broken = {row for row, _ in grid.broken}
    for row in range(header.last + 1, len(grid.rows)):
        if row in broken or any(not is_blank(cell) for cell in grid.rows[row]):
            out.numbers[row] = len(out.numbers) + 1
    moments = _moments(grid, header, list(out.numbers))
    rules = _Rules(grid, header, lexicon, mapping, moments, out.numbers)
    out.doubtful_consent = rules.doubtful_consent
    rules.trials = mapping.trials(shown.rpartition("/")[2])
    for row in out.numbers:
        reason = rules.reason(row, width)
        if reason:
            out.apart.setdefault(reason, []).append(row)
        else:
            out.kept.append(row)
            out.parts[row] = rules.part(row)
    _set_copies_apart(out, rules, moments, seen, shown)
    out.undated = [row for row in out.kept if row not in moments]
    days = [moments[row].date().isoformat() for row in out.kept if row in moments]
    out.last_day = max(days, default="")
    return out


class _Rules:
    """The rules, applied to one row at a time; the first that holds gives the reason."""

    def __init__(
        self,
        grid: Grid,
        header: Header,
        lexicon: Lexicon,
        mapping: SurveyMapping,
        moments: Mapping[int, datetime],
        numbers: Mapping[int, int],
    ) -> None:
        self.grid, self.header, self.lexicon, self.mapping = grid, header, lexicon, mapping
        self.moments, self.numbers = moments, numbers
        self.trials: frozenset[int] = frozenset()
        self.answers = [c for c in header.columns if c.kind in ("question", "choix")]
        whole = {c.question for c in header.columns if c.kind == "question"}
        self.told = [c for c in self.answers if c.kind == "question" or c.question not in whole]
        self.form = _print_of(c.title for c in self.told)  # answers under other titles (codes, labels) are not compared
        self.own = {kind: header.of(kind) for kind in ("consentement", "fin", "brouillon", "statut", "partie")}
        self.doubtful_consent = self._doubtful_consent()
        named = sorted(header.of("identifiant"), key=lambda c: words(c.title) in (("id",), ("sid",)))
        self.names = named[:1]
        # A number (1, 2, 3…) is only unique in its own file; an identifier made by the tool is everywhere.
        self.universal = bool(named) and words(named[0].title) in _UNIVERSAL
        codes = lexicon.enquete.questions_par_code
        self.texts = [c for c in self.answers if codes[c.question].type == "texte"]
        self.by_part: dict[str, list[Column]] = {}
        for column in self.told:
            self.by_part.setdefault(codes[column.question].partie, []).append(column)
        self.checks: tuple[tuple[Reason, Callable[[int], bool]], ...] = (
            ("consentement", self.refused),
            ("inachevee", self.unfinished),
            ("rejetee", self.rejected),
            ("essai", self.trial),
            ("hors_periode", self.outside),
            ("sans_reponse", self.silent),
            ("partie", lambda row: not self.part(row)),
        )

    def reason(self, row: int, titled: Sequence[Column]) -> Reason | None:
        if self.repeats_titles(row, titled):
            return "titres"
        if self.sums_up(row):
            return "calcul"
        return next((reason for reason, holds in self.checks if holds(row)), None)

    def given(self, row: int, kind: str) -> list[Raw]:
        return [self.grid.at(row, column.index) for column in self.own[kind]]

    def repeats_titles(self, row: int, titled: Sequence[Column]) -> bool:
        same = 0
        for column in titled:
            cell = self.grid.at(row, column.index)
            if is_blank(cell):
                continue
            if not isinstance(cell, str) or words(cell) != words(
                str(self.grid.at(self.header.last, column.index) or "")
            ):
                return False
            same += 1
        return same > 1

    def sums_up(self, row: int) -> bool:
        """« Total », « Moyenne » at the head of a row: a person computed it under the answers."""
        first = next((cell for cell in self.grid.rows[row] if not is_blank(cell)), None)
        return isinstance(first, str) and words(first) in _SUMS

    def refused(self, row: int) -> bool:
        given = self.given(row, "consentement")
        if self.doubtful_consent and any(not is_blank(cell) for cell in given):
            return False  # asked, rather than set apart
        said = [cell for cell in given if not is_blank(cell)]
        return bool(given) and not (said and all(_says_yes(cell) for cell in said))

    def _doubtful_consent(self) -> str:
        """The sentence that everybody was shown and ticked, where it does not begin as a yes, or holds a « sans », a « ne »."""
        said = {str(c) for row in self.numbers for c in self.given(row, "consentement") if not is_blank(c)}
        if len(said) != 1:
            return ""
        (text,) = said
        return text if len(words(text)) > 2 and not _says_yes(text) and _REFUSES.isdisjoint(words(text)) else ""

    def unfinished(self, row: int) -> bool:
        ends, drafts = self.given(row, "fin"), self.given(row, "brouillon")
        return (bool(ends) and all(_no_end(cell) for cell in ends)) or any(_says_yes(cell) for cell in drafts)

    def rejected(self, row: int) -> bool:
        return any(isinstance(c, str) and words(c.replace("_", " ")) in _REJECTED for c in self.given(row, "statut"))

    def trial(self, row: int) -> bool:
        texts = (self.grid.at(row, column.index) for column in self.texts)
        said = any(isinstance(cell, str) and words(cell) in _TRIAL for cell in texts)
        return said or self.numbers[row] in self.trials

    def outside(self, row: int) -> bool:
        moment = self.moments.get(row)
        if moment is None:
            return False
        day = moment.date().isoformat()
        since, until = self.mapping.depuis, self.mapping.jusqu_au
        return bool((since and day < since) or (until and day > until))

    def silent(self, row: int) -> bool:
        return all(_is_nothing(self.grid.at(row, c.index), c) for c in self.told)

    def part(self, row: int) -> str:
        """Part of the questionnaire that a row answers; "" when it cannot be told."""
        parts = [part.code for part in self.lexicon.enquete.parties]
        if len(parts) == 1:
            return parts[0]
        answered = self._answered_parts(row)
        decided, said = self.mapping.partie, self._said_part(row)
        if decided:  # a person settles a row that answers both, never one that answers only another part
            return decided if not answered or decided in answered else ""
        if said is not None:
            return said if answered in ([], [said]) else ""
        return answered[0] if len(answered) == 1 else ""

    def _said_part(self, row: int) -> str | None:
        """The part that a row says it answers; None when it says nothing."""
        said = (cell for cell in self.given(row, "partie") if isinstance(cell, str) and not is_blank(cell))
        return next((self._named_part(cell) for cell in said), None)

    def _answered_parts(self, row: int) -> list[str]:
        return [
            part
            for part, columns in self.by_part.items()
            if any(not _is_nothing(self.grid.at(row, c.index), c) for c in columns)
        ]

    def _named_part(self, cell: str) -> str:
        given = words(cell)
        for part in self.lexicon.enquete.parties:
            label = words(part.libelle)
            if given in (words(part.code), label, words(f"{part.libelle} : {part.repondants}")):
                return part.code
        return ""

    def content(self, row: int) -> tuple[bytes, bool]:
        """Print of the answers of a row, and whether they say much (:func:`_says_much`)."""
        cells = [self.grid.at(row, column.index) for column in self.told]
        return _print_of(cells), _says_much(cells)

    def everywhere(self, identity: str, content: bytes) -> bytes:
        """What tells a submission in every file: its identifier, with its answers when it is but a number."""
        return _print_of((identity,) if self.universal else (identity, content))

    def identity(self, row: int) -> str:
        """Identifier that the tool gave to a submission; "" without one."""
        cells = (self.grid.at(row, column.index) for column in self.names)
        return next((str(_one_writing(cell)) for cell in cells if not is_blank(cell)), "")


def _set_copies_apart(
    out: Sorting, rules: _Rules, moments: Mapping[int, datetime], seen: Seen | None, shown: str
) -> None:
    """The same submission twice (same identifier, or same answers at the same moment): the first is kept.

    The same answers without either may be those of two people: both are kept, and it is said. Few answers are only the same
    when they were sent in the very same second: within ten minutes, or in one minute of a tool that gives no seconds, two
    people may well tick the same two boxes.
    """
    before = Seen() if seen is None else seen
    by_content: dict[bytes, list[int]] = {}
    mine: dict[str, tuple[bytes, int]] = {}
    kept: list[int] = []
    for row in out.kept:
        identity, moment = rules.identity(row), moments.get(row)
        content, much = rules.content(row)
        twins = by_content.get(content, [])
        others = before.contents.get(content, [])
        at_once = any(_at_once(moments.get(twin), moment, much) for twin in twins)
        sent_before = any(_at_once(other, moment, much) for other, _, _ in others)
        same = _same_identity(out, rules, mine, before, identity, content)
        if at_once or sent_before or same is not None:
            out.apart.setdefault("doublon", []).append(row)
            if same:
                out.changed.append((row, same))
            continue
        if twins and much:
            out.twins.append((twins[0], row))
        if others and much:
            _, file, number = others[0]
            out.elsewhere.append((row, f"n° {number} de {file}"))
        kept.append(row)
        if identity:
            mine[identity] = (content, row)
        by_content.setdefault(content, []).append(row)
    out.parts = {row: out.parts[row] for row in kept}
    out.kept = kept
    if seen is None:
        return
    for identity, (content, row) in mine.items():
        seen.identities[rules.everywhere(identity, content)] = (rules.form, content, shown, out.numbers[row])
    for content, rows in by_content.items():
        seen.contents.setdefault(content, []).extend((moments.get(row), shown, out.numbers[row]) for row in rows)


def _same_identity(
    out: Sorting, rules: _Rules, mine: Mapping[str, tuple[bytes, int]], seen: Seen, identity: str, content: bytes
) -> str | None:
    """Where the row kept with this identifier stands when its answers are others, "" when they are the same; None without one."""
    if not identity:
        return None
    if identity in mine:
        first, row = mine[identity]
        return f"n° {out.numbers[row]}" if first != content else ""
    known = seen.identities.get(rules.everywhere(identity, content))
    if known is None:
        return None
    form, first, file, number = known
    return f"n° {number} de {file}" if form == rules.form and first != content else ""


def _print_of(cells: Iterable[Any]) -> bytes:
    """Print of some cells: enough to tell that two rows are the same, without holding what they say."""
    said = repr(tuple(_one_writing(cell) for cell in cells))
    return hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _one_writing(cell: Any) -> Any:
    """One writing per value: a text file and a workbook give "3", 3 or 3.0, a text or a date, for the same cell.

    A long number and one that begins with zeros stay texts: they are names, and a float would mix them up.
    """
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, int | float):
        return float(cell)
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=None, microsecond=0).isoformat()
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day).isoformat()
    if cell is None or is_blank(cell):
        return None
    text = " ".join(str(cell).replace("\ufeff", "").split()).casefold()
    if _PLAIN_NUMBER.fullmatch(text):
        return float(text.replace(",", "."))
    moment = read_moment(text) if _ISO_MOMENT.fullmatch(text) else None
    return moment.isoformat() if moment else text


def _at_once(first: datetime | None, second: datetime | None, much: bool) -> bool:
    if first is None or second is None or not (first.time() != time() or second.time() != time()):
        return False  # a day is not a moment
    if not much:
        return first == second and first.second != 0
    return abs(second - first) <= _SAME_MOMENT


def _says_much(content: Sequence[Raw]) -> bool:
    """Enough answers for two people to be unlikely to give the same ones."""
    return sum(not is_blank(cell) for cell in content) >= 10


def _is_nothing(cell: Raw, column: Column) -> bool:
    if is_blank(cell):
        return True
    if column.kind == "choix":
        given = words(cell) if isinstance(cell, str) else ()
        return cell in (0, False) or given == ("n", "a") or (len(given) == 1 and given[0] in NO)
    return isinstance(cell, str) and words(cell) == ("n", "a")


def _says_yes(cell: Raw) -> bool:
    if cell is True or cell == 1:
        return True
    if not isinstance(cell, str):
        return False
    given = words(cell)
    if len(given) == 1 and given[0] in YES:
        return True
    return any(given[: len(start)] == start for start in _AGREES) and not _TAKES_BACK & set(given)


def _no_end(cell: Raw) -> bool:
    return is_blank(cell) or (isinstance(cell, str) and (words(cell) in (("n", "a"), ())))


# --- moments --------------------------------------------------------------------------------------------------------


def _moments(grid: Grid, header: Header, rows: Sequence[int]) -> dict[int, datetime]:
    """When each answer was sent. A column where day and month cannot be told apart gives nothing."""
    for column in (*header.of("fin"), *header.of("moment")):
        cells = {row: grid.at(row, column.index) for row in rows}
        month_first = _month_first(cell for cell in cells.values() if isinstance(cell, str))
        if month_first is False and words(column.title) in _ENGLISH and not _day_first(cells.values()):
            month_first = True  # nothing tells the day from the month, but the tool was in English
        found = {row: moment for row, cell in cells.items() if (moment := read_moment(cell, month_first))}
        if found:
            return found
    return {}


def _day_first(cells: Iterable[Raw]) -> bool:
    found = (_DAY.search(cell) for cell in cells if isinstance(cell, str))
    return any(int(day[4]) > 12 for day in found if day and day[4])


def _month_first(cells: object) -> bool | None:
    """Whether a column writes the month before the day; None when it does both, or when nothing tells."""
    firsts, seconds, short = [], [], False
    for cell in cells:  # type: ignore[attr-defined]
        found = _DAY.search(cell)
        if found and found[4]:
            firsts.append(int(found[4]))
            seconds.append(int(found[5]))
            short = short or len(found[6]) == 2
    day_second = any(n > 12 for n in seconds)
    day_first = any(n > 12 for n in firsts)
    if day_first and day_second:
        return None
    return True if day_second else False if day_first or not short else None


def read_moment(cell: Raw, month_first: bool | None = False) -> datetime | None:
    """A day, and its time when there is one; None for anything else.

    >>> read_moment("2022-10-03T09:34:15.147+02:00")
    datetime.datetime(2022, 10, 3, 9, 34, 15)
    >>> read_moment("03/10/2022 21:05"), read_moment("10/3/2022 9:05 PM", month_first=True)
    (datetime.datetime(2022, 10, 3, 21, 5), datetime.datetime(2022, 10, 3, 21, 5))
    """
    if isinstance(cell, str) and cell.startswith("1980-01-01"):
        return None  # what LimeSurvey writes for an anonymous answer: finished, at a moment that nobody knows
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=None)
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day)
    if not isinstance(cell, str):
        return None
    day = _DAY.search(cell)
    if day is None:
        return _in_words(cell)
    if day[1]:
        year, month, number = int(day[1]), int(day[2]), int(day[3])
    elif month_first is None:
        return None
    else:
        first, second = int(day[4]), int(day[5])
        month, number = (first, second) if month_first else (second, first)
        year = int(day[6]) + (2000 if len(day[6]) == 2 else 0)
    return _at(year, month, number, _TIME.search(cell, day.end()))


def _in_words(cell: str) -> datetime | None:
    """« 3 oct. 2022 09:12 », « lundi 3 octobre 2022 à 9h12 »."""
    clock = _TIME.search(cell)
    day = re.sub(r"(?:\s*[,à])?\s*$", "", cell[: clock.start()] if clock else cell)
    read = read_date(day)
    if not isinstance(read.value, str) or len(read.value) != len("2022-10-03"):
        return None
    year, month, number = map(int, read.value.split("-"))
    return _at(year, month, number, clock)


def _at(year: int, month: int, number: int, clock: re.Match[str] | None) -> datetime | None:
    hour, minute, second_ = (int(clock[1]), int(clock[2] or 0), int(clock[3] or 0)) if clock else (0, 0, 0)
    if clock and clock[4]:
        hour = hour % 12 + (12 if clock[4].lower() == "pm" else 0)
    try:
        return datetime(year, month, number, hour, minute, second_)
    except ValueError:
        return None
