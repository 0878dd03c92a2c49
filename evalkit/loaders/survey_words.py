"""Words of a questionnaire: which question a title names, which choice an answer names, however they are written.

Nothing is guessed: a text names a question or a choice when it says the same words (accents, case, quotes, spaces and
punctuation do not matter), and nothing else. The nearest one is only ever proposed.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache

from evalkit.loaders.cells import silence_of
from evalkit.model.survey import OTHER, Enquete, QuestionEnquete, territory_choices
from evalkit.model.territory import Territory

Words = tuple[str, ...]
# How tools and people write yes, no, and "I have nothing to say here"; in compared form, one word.
YES = frozenset("1 true vrai oui yes x y o coche checked selected selectionne".split())
NO = frozenset("0 false faux non no n unchecked".split())
_NOTHING = frozenset(
    {("ras",), ("rien",), ("neant",), ("aucun",), ("aucune",), ("rien", "a", "signaler"), ("sans",), ("vide",)}
)
_TAGS = re.compile(r"<[^<>]{1,300}>")
_THOUSANDS = re.compile(r"(?<=\d)[\s\u00a0\u202f\u2009](?=\d{3}(?!\d))")
_WORDS = re.compile(r"[a-z0-9]+")
TOOL_CODE = re.compile(r"(?:A|AO|SQ|choice|option)_?0*(\d{1,3})", re.IGNORECASE)  # a surname and a figure is none
_BETWEEN_CODES = re.compile(r"[\s;,|/]+")
_PARTS = re.compile(r"\s*[;|\n]\s*")
_NEAR = 0.8  # likeness of the letters from which a title is proposed, never applied
_NEAR_WORDS = 0.6  # share of common words from which it is proposed too: the same question in another order
_ALIKE, _ALIKE_WORDS = 0.6, 0.4  # a title that bears our code may have other words, not say another thing
_FEWEST_WORDS = 4  # shorter texts have too few words for that
_LONGEST_LIST = 300  # words of a cell that lists answers
_MOST_WAYS = 2  # ways to read one cell that are looked for: two are enough to know that it is doubtful


@lru_cache(maxsize=100_000)
def words(text: str) -> Words:
    """Words of a text, in compared form.

    >>> words("« Oui, avec l’État »"), words("10 000 à 49 999 €")
    (('oui', 'avec', 'l', 'etat'), ('10000', 'a', '49999'))
    """
    text = html.unescape(_TAGS.sub(" ", text)) if "<" in text or "&" in text else text
    text = _THOUSANDS.sub("", text.replace("œ", "oe").replace("Œ", "OE"))
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return tuple(_WORDS.findall(text.lower()))


def exact(text: str) -> str:
    """A writing as a person decides of it: signs count, case and the kind of spaces and quotes do not.

    >>> exact(" L’Oui  > 5"), exact("-5") == exact("5")
    ("l'oui > 5", False)
    """
    return " ".join(unicodedata.normalize("NFKC", text).replace("’", "'").casefold().split())


def tool_codes(text: str) -> bool:
    """Whether a text is only codes that a tool gives to its choices: ``A1``, « AO01, AO03 ».

    >>> tool_codes("A1"), tool_codes("A1; A3"), tool_codes("Dupont 3"), tool_codes("")
    (True, True, False, False)
    """
    written = [part for part in _BETWEEN_CODES.split(text.strip()) if part]
    return bool(written) and all(TOOL_CODE.fullmatch(part) for part in written)


def says_nothing(text: str) -> bool:
    """Whether what was typed in a box for free text says that there is nothing: a dash, « RAS », « néant », « sans objet ».

    >>> says_nothing("—"), says_nothing("R.A.S."), says_nothing("Le centre social")
    (True, True, False)
    """
    given = words(text)
    if not given:  # a dash says nothing; a word in another alphabet, a sign such as a heart do say something
        return all(unicodedata.category(c)[0] in "PZC" for c in text)
    return given in _NOTHING or "".join(given) in ("ras", "na") or bool(silence_of(text))


@dataclass(frozen=True)
class QuestionWords:
    """One question and the writings of its choices. ``open_list``: the territory does not state its list."""

    question: QuestionEnquete
    choices: Mapping[Words, str] = field(default_factory=dict)
    open_list: bool = False

    @property
    def has_other(self) -> bool:
        """Whether « Autre » is one of the choices."""
        return any(choice.code == OTHER for choice in self.question.choix)

    def choice(self, text: str) -> str:
        """Code of the choice (or silence) that a text names, "" when it names none."""
        given = words(text)
        if not given:
            return ""
        return self.choices.get(given) or self._silence(text)

    def _silence(self, text: str) -> str:
        """The silence that a text names, under the code that this question gives it."""
        kind = silence_of(text)
        own = [choice.code for choice in self.question.choix if choice.silence == kind] if kind else []
        return own[0] if own else kind

    def several(self, text: str) -> list[str] | None:
        """Codes of the choices that one cell lists, whatever separates them; None when they cannot be told surely.

        A label may hold the separator itself (« Oui, avec l’État ») : the cell is read as the one succession of whole
        labels that uses all its words.
        """
        whole = self._cover(words(text))
        if whole is not None:
            return whole
        found: list[str] = []
        for part in _PARTS.split(text.strip("; |\n")):
            codes = self._cover(words(part)) if words(part) else []
            if codes is None:
                return None
            found += codes
        return list(dict.fromkeys(found)) or None

    def _cover(self, given: Words) -> list[str] | None:
        """The one way to read words as whole labels, each once; None when there is none, or more than one."""
        if len(given) > _LONGEST_LIST:  # a text, not a list of answers
            return None
        ways = self._ways(given, {})
        if not ways and self.has_other:  # « Autre : » and what was typed after it, which is never kept
            at = given.index(OTHER) if OTHER in given else -1
            rest = given[at + 1 :]
            ways = [(*way, OTHER) for way in self._ways(given[:at], {})] if at >= 0 and not self._holds(rest) else []
        sets = {frozenset(way) for way in ways}
        return list(dict.fromkeys(ways[0])) if len(sets) == 1 else None

    def _holds(self, given: Words) -> bool:
        """Whether a whole label stands somewhere in these words."""
        return any(given[start : start + len(label)] == label for label in self.choices for start in range(len(given)))

    def _ways(self, given: Words, known: dict[int, list[tuple[str, ...]]]) -> list[tuple[str, ...]]:
        if not given:
            return [()]
        if len(given) in known:
            return known[len(given)]
        longest = max((len(label) for label in self.choices), default=0)
        out: list[tuple[str, ...]] = []
        for size in range(min(longest, len(given)), 0, -1):
            code = self.choices.get(given[:size])
            if code:
                out += [(code, *rest) for rest in self._ways(given[size:], known)]
            if len({frozenset(way) for way in out}) >= _MOST_WAYS:
                break
        known[len(given)] = out
        return out

    def by_rank(self, text: str) -> str:
        """Code of the choice that a tool's own code (``A2``, ``AO02``, ``SQ002``) stands for if it follows the order of the list.

        A multiple answer may hold several of them (« A1, A3 ») : their codes, joined by ``;``.
        """
        if any(choice.liste for choice in self.question.choix):
            return ""  # the ranks are those of a list that each territory has in its own order
        written = [part for part in _BETWEEN_CODES.split(text.strip()) if part]
        if len(written) > 1 and self.question.type != "choix_multiple":
            return ""
        codes = [self._ranked(part) for part in written]
        return ";".join(dict.fromkeys(codes)) if codes and all(codes) else ""

    def _ranked(self, text: str) -> str:
        found = TOOL_CODE.fullmatch(text)
        rank = int(found[1]) if found else 0
        return self.question.choix[rank - 1].code if 0 < rank <= len(self.question.choix) else ""

    def nearest(self, text: str) -> str:
        """Code of the choice whose writing is nearest to a text; "" when none is near."""
        return _nearest(words(text), self.choices, by_words=False)


@dataclass(frozen=True)
class Lexicon:
    """The writings of one questionnaire for one territory."""

    enquete: Enquete
    by_code: Mapping[str, QuestionWords]
    labels: Mapping[Words, str]
    codes: Mapping[str, str]  # compared form of a code -> code

    def question(self, text: str) -> str:
        """Code of the question that a text names, by its code or by its label; "" when it names none."""
        return self.codes.get(text.strip().lower().replace("_", "")) or self.labels.get(words(text), "")

    def nearest(self, text: str) -> str:
        """Code of the question whose label is nearest; "" when none is near."""
        return _nearest(words(text), self.labels)


def make_lexicon(enquete: Enquete, territory: Territory | None) -> Lexicon:
    """Writings of a questionnaire; the lists of the territory (its QPV, its communes) stand among the choices."""
    labels: dict[Words, str] = {}
    for question in enquete.questions:
        labels.setdefault(words(question.libelle), question.code)
    return Lexicon(
        enquete,
        {question.code: _question_words(question, territory) for question in enquete.questions},
        labels,
        {question.code.lower().replace("_", ""): question.code for question in enquete.questions},
    )


def _question_words(question: QuestionEnquete, territory: Territory | None) -> QuestionWords:
    found: dict[Words, str] = {}
    open_list = False
    for choice in question.choix:
        if choice.liste:
            known = territory_choices(choice.liste, territory) if territory else ()
            open_list = open_list or not known
            pairs: Iterable[tuple[str, str]] = known
        else:
            pairs = ((choice.code, choice.libelle),)
        for code, label in pairs:
            for writing in _writings(question, code, label):
                found.setdefault(writing, code)
    return QuestionWords(question, found, open_list)


def _writings(question: QuestionEnquete, code: str, label: str) -> list[Words]:
    """Every way to write one choice: its code, its label; for a note from 1 to 5, its words without the figure."""
    out = [words(label), words(code)]
    if question.type == "likert" and code.isdigit() and len(out[0]) > 1 and out[0][0] == code:
        out.append(out[0][1:])
    return [writing for writing in out if writing]


def _nearest(given: Words, known: Mapping[Words, str], *, by_words: bool = True) -> str:
    if not given:
        return ""
    best, likeness = "", _NEAR
    matcher = SequenceMatcher(
        None, "", " ".join(given), autojunk=False
    )  # prepared once for the text, then set to each label
    for label, code in known.items():
        matcher.set_seq1(" ".join(label))
        if matcher.real_quick_ratio() >= likeness and matcher.quick_ratio() >= likeness:
            ratio = matcher.ratio()
            if ratio >= likeness:
                best, likeness = code, ratio
    return best or (_nearest_by_words(set(given), known) if by_words else "")


def alike(text: str, label: str) -> bool:
    """Whether a text may be a label written otherwise: shortened, or with other words in a part of it.

    >>> alike("Votre commune", "Quelle est votre commune ?"), alike("Âge du répondant", "Combien d’adhérents avez-vous ?")
    (True, False)
    """
    given, known = words(text), words(label)
    if set(given) <= set(known):
        return True
    common = len(set(given) & set(known)) / len(set(given) | set(known))
    return (
        common >= _ALIKE_WORDS
        or SequenceMatcher(None, " ".join(known), " ".join(given), autojunk=False).ratio() >= _ALIKE
    )


def _nearest_by_words(given: set[str], known: Mapping[Words, str]) -> str:
    def common(label: Words) -> float:
        return len(given & set(label)) / len(given | set(label))

    label = max(known, key=common, default=())
    return known[label] if len(given) >= _FEWEST_WORDS and label and common(label) >= _NEAR_WORDS else ""
