"""An attacker: reads published documents only, writes the equations they imply, and bounds every hidden figure.

It knows what anybody may know: the framework and its questionnaires (public), the pages and the workbooks
(``classeur_lu``). It shares no code with what protects them: the tables are read from the documents, the equations are
written again here.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from bs4 import BeautifulSoup, Tag
from scipy.optimize import Bounds, LinearConstraint, milp

from evalkit.model.referentiel import Referentiel
from evalkit.model.survey import QuestionEnquete
from tests.attaque.classeur_lu import Table, clean, read_workbook

SECRET = re.compile(r"\bsecret\b")
N = re.compile(r"n = ([\d ]+)")
SHARE = re.compile(r"^([\d ]+(?:,\d+)?) ?%$")
FRACTION = re.compile(r"^([\d ]+(?:,\d+)?) / ([\d ]+)(?: \(|$)")
BASE = re.compile(r", ([\d ]+) réponses? exprimées?")
FIGURE = re.compile(r"^enquete-.*-([a-z]\d{2}\w*)$")
QUESTION = re.compile(r"^([A-Z]\d{2}(?:_[a-z0-9]+)*)\b")
SILENT = re.compile(r"(\d+) silences?|(?:ne sait pas|refus|sans réponse|non concernés?|sans objet|[a-zà-ÿ’ ]+?) (\d+)")
INSTITUTIONS = ("Pilote", "État")
SMALLEST, WIDTH, SMALL_BASE = 11, 5, 11

Cell = tuple[str, str]  # question, answer


def _int(text: str) -> int:
    return int(text.replace(" ", ""))


@dataclass
class Found:
    """What is printed of one question: n, people asked, rows (codes, share or None when hidden)."""

    n: int
    asked: int | None = None
    rows: list[tuple[tuple[str, ...], float | None, int]] = field(default_factory=list)  # codes, share, decimals


@dataclass
class Loot:
    """What the attacker got. Each list holds readable keys; empty lists are the promise kept."""

    n_hidden: int = 0
    narrowest: int | None = None  # width of the tightest feasible interval of a hidden cell whose base is not smaller
    exposed: list[str] = field(default_factory=list)  # hidden, yet bounded more tightly than min(5, base)
    small_cells: list[str] = field(default_factory=list)  # a count of 1 to 10 of a sensitive question, found exactly
    small_bases: list[str] = field(default_factory=list)  # a share over fewer than eleven answers
    n_small_groups: int = 0
    ratings: list[str] = field(default_factory=list)  # a rating count of a group under 11 found exactly
    medians: list[str] = field(default_factory=list)  # a median over fewer than five
    amounts: list[str] = field(default_factory=list)  # a hidden amount found by subtraction

    def nothing(self) -> bool:
        """No promise broken."""
        lists = (self.exposed, self.small_cells, self.small_bases, self.ratings, self.medians, self.amounts)
        return not any(lists)


def read_tables(page: str) -> list[Table]:
    """Every table of a page."""
    out = []
    for table in BeautifulSoup(page, "html.parser").find_all("table"):
        caption, figure = table.find("caption"), table.find_parent("figure")
        head = table.find("thead")
        rows = [tuple(clean(c.get_text(" ")) for c in row.find_all(["th", "td"])) for row in table.select("tbody tr")]
        small = figure.find("small") if isinstance(figure, Tag) else None
        out.append(
            Table(
                clean(caption.get_text(" ")) if caption else "",
                tuple(clean(c.get_text(" ")) for c in head.find_all("th")) if head else (),
                tuple(rows),
                str(figure.get("id", "")) if isinstance(figure, Tag) else "",
                clean(small.get_text(" ")) if small else "",
            )
        )
    return out


def read_stamp(page: str) -> dict[str, Any]:
    """The JSON of the stamp."""
    meta = BeautifulSoup(page, "html.parser").find("meta", attrs={"name": "evalkit"})
    return json.loads(str(meta["content"])) if isinstance(meta, Tag) else {}


# --- surveys: from pages to equations -------------------------------------------------------------------------------


class Attacker:
    """Attacks the pages of one territory, or several pages that speak of the same answers."""

    def __init__(self, referentiel: Referentiel):
        self.questions: dict[str, QuestionEnquete] = {
            question.code: question for enquete in referentiel.enquetes for question in enquete.questions
        }
        self.links = {
            (question.code, link.code): link for question in self.questions.values() for link in question.indicateurs
        }
        self.n_shown = 0
        self.names = {group.libelle: group.court for group in referentiel.groupes}

    def attack(self, pages: Iterable[str], workbooks: Iterable[bytes] = ()) -> Loot:
        """Read everything, deduce everything."""
        pages = list(pages)
        tables = [table for page in pages for table in read_tables(page)]
        tables += [table for workbook in workbooks for table in read_workbook(workbook, self.names)]
        loot = Loot()
        self._ratings(tables, loot)
        self._amounts(tables, loot)
        found = self._read_surveys(tables, pages)
        self._surveys(found, self._fractions(tables), loot)
        return loot

    def facts(self, pages: Iterable[str], workbooks: Iterable[bytes] = ()) -> dict[str, Any]:
        """What is printed, before any deduction: answers by question, medians and sizes of groups."""
        pages = list(pages)
        tables = [table for page in pages for table in read_tables(page)]
        tables += [table for workbook in workbooks for table in read_workbook(workbook, self.names)]
        answers = self._read_surveys(tables, pages)
        return {"answers": answers, "fractions": set(self._fractions(tables)), "groups": _printed_groups(tables)}

    # reading

    def _codes(self, question: QuestionEnquete, label: str) -> tuple[str, ...]:
        """Answers that a printed row stands for: one, or neighbouring levels joined by « ou »."""
        labels = [(c.code, clean(c.libelle).rstrip(".").casefold()) for c in question.choix]
        wanted = label.rstrip(".").casefold()
        for i in range(len(labels)):
            for j in range(i + 1, len(labels) + 1):
                if " ou ".join(text for _, text in labels[i:j]) == wanted:
                    return tuple(code for code, _ in labels[i:j])
        return (wanted,)

    def _add(self, found: dict[str, Found], code: str, n: int, label: str, text: str) -> None:
        question = self.questions[code]
        item = found.setdefault(code, Found(n))
        share = SHARE.match(text)
        hidden = SECRET.search(text) is not None
        if not share and not hidden:
            return  # nobody answered
        codes = self._codes(question, label)
        if any(row[0] == codes for row in item.rows):
            return  # printed twice
        decimals = len(share[1].partition(",")[2]) if share else 0
        value = float(share[1].replace(" ", "").replace(",", ".")) if share else None
        item.rows.append((codes, value, decimals))

    def _read_surveys(self, tables: list[Table], pages: list[str]) -> dict[str, Found]:
        found: dict[str, Found] = {}
        for table in tables:
            if table.headers[:2] == ("Réponse", "Part") and (known := FIGURE.match(table.figure)):
                self._read_choices(table, known[1].upper()[:1] + known[1][1:], found)
            elif len(table.headers) > 3 and table.headers[3].startswith("Réponses ("):
                self._read_lines(table, found)
            elif table.headers[:3] == ("Question", "Qui a répondu", "n") and "Médiane" not in table.headers:
                self._read_opinions(table, found)
            elif table.headers == ("Question", "Réponse", "Part"):
                self._read_others(table, found)
            elif table.headers == ("Question", "n", "Réponse", "Valeur", "Silences"):
                self._read_rows(table, found)
        for page in pages:
            for paragraph in BeautifulSoup(page, "html.parser").find_all("p"):
                text = clean(paragraph.get_text(" "))
                code, n = QUESTION.match(text), N.search(text)
                if (
                    code
                    and n
                    and text.rstrip(".)").endswith(n[0])
                    and SECRET.search(text)
                    and code[1] in self.questions
                ):
                    self._all_hidden(found, code[1], _int(n[1]))
        return found

    def _read_choices(self, table: Table, code: str, found: dict[str, Found]) -> None:
        base = BASE.search(table.small)
        assert base, table.small
        assert code in self.questions, table.figure
        n = _int(base[1])
        for row in table.rows:
            self._add(found, code, n, row[0], row[1])
        if code in found:
            said = table.small.partition("silences à part : ")[2].partition(". Source")[0]
            found[code].asked = n + _silences(said)

    def _read_opinions(self, table: Table, found: dict[str, Found]) -> None:
        for row in table.rows:
            code = QUESTION.match(row[0])
            if not code or code[1] not in self.questions:
                continue
            for label, text in zip(table.headers[3:-1], row[3:-1], strict=True):
                self._add(found, code[1], _int(row[2]), label, text)
            if code[1] in found:
                found[code[1]].asked = _int(row[2]) + _silences(row[-1])

    def _read_lines(self, table: Table, found: dict[str, Found]) -> None:
        """Questions of few answers: « oui : 62 % ; non : secret (n = 34) » in one cell."""
        for row in table.rows:
            code = QUESTION.match(row[0])
            assert code, row
            n = _int(row[2].partition("(")[0].strip())
            if " : " not in row[3]:
                if SECRET.search(row[3]):
                    self._all_hidden(found, code[1], n)
                continue
            for answer in row[3].split(" ; "):
                label, _, text = answer.rpartition(" : ")
                self._add(found, code[1], n, label, text.partition(" (de ")[0])
            if code[1] in found:
                found[code[1]].asked = n + _silences(row[4])

    def _read_others(self, table: Table, found: dict[str, Found]) -> None:
        waiting: list[tuple[str, str]] = []
        for row in table.rows:
            code = QUESTION.match(row[0])
            assert code, row
            assert code[1] in self.questions, row
            n = N.search(row[1])
            if row[1] == "toutes les réponses":
                hidden = N.search(row[2])
                if hidden and SECRET.search(row[2]):
                    self._all_hidden(found, code[1], _int(hidden[1]))
            elif n and row[1].startswith("("):
                for label, text in waiting:
                    self._add(found, code[1], _int(n[1]), label, text)
                if code[1] in found:
                    found[code[1]].asked = _int(n[1]) + _silences(row[1].partition(";")[2])
                waiting = []
            else:
                waiting.append((row[1], row[2]))

    def _read_rows(self, table: Table, found: dict[str, Found]) -> None:
        """One answer per row, as in the workbook."""
        for code, n, label, text, silences in table.rows:
            if self.questions[code].type in ("nombre", "texte"):
                continue
            if label == "toutes les réponses":
                if SECRET.search(text):
                    self._all_hidden(found, code, _int(n))
            else:
                self._add(found, code, _int(n), label, text)
            if code in found:
                found[code].asked = _int(n) + _silences(silences)

    def _all_hidden(self, found: dict[str, Found], code: str, n: int) -> None:
        question = self.questions[code]
        if question.type in ("nombre", "texte"):
            return
        codes = [c.code for c in question.choix if not c.silence and not c.liste]
        codes += [f"{c.liste} {i}" for c in question.choix if c.liste for i in (1, 2)]  # the territory's own list
        found.setdefault(code, Found(n, rows=[((c,), None, 0) for c in codes]))

    def _fractions(self, tables: list[Table]) -> list[tuple[str, str, str, int]]:
        """(indicator, question, answer of a distribution, numerator) printed among the indicators."""
        out = []
        for table in tables:
            if "Numérateur / dénominateur" not in table.headers:
                continue
            fraction, source = table.headers.index("Numérateur / dénominateur"), table.headers.index("Source")
            for row in table.rows:
                known, parts = FRACTION.match(row[fraction]), row[source].split(" · ")
                if (
                    known
                    and len(parts) > 1
                    and (code := QUESTION.match(parts[1]))
                    and "," not in parts[1].split("(")[0]
                ):
                    answer = parts[2].rpartition(" (")[0] if len(parts) > 2 else ""
                    out.append(
                        (
                            row[0].split(" ")[0],
                            code[1],
                            answer,
                            round(float(known[1].replace(" ", "").replace(",", "."))),
                        )
                    )
        return out

    # deducing

    def _surveys(self, found: dict[str, Found], fractions: list[tuple[str, str, str, int]], loot: Loot) -> None:
        cells: dict[Cell, int] = {}
        equations: list[tuple[dict[Cell, float], float, float]] = []
        hidden: list[Cell] = []
        for code, item in found.items():
            mine = self._question_cells(code, item)
            cells |= dict.fromkeys(mine, item.n)
            equations += self._question_equations(code, item, mine)
            for codes, share, _ in item.rows:
                if share is None or len(codes) > 1:
                    hidden += [(code, c) for c in codes]
                elif item.n < SMALL_BASE:
                    loot.small_bases.append(f"{code} {codes[0]} : {share} % de {item.n}")
        equations += self._fraction_equations(fractions, found, cells)
        equations += self._follow_up_equations(found, cells)
        equations += self._hearsay(found, cells)
        self.n_shown += len(cells) - len(hidden)
        ranges = _ranges(cells, equations)
        loot.n_hidden += len(hidden)
        for cell in hidden:
            low, high = ranges[cell]
            if cells[cell] >= WIDTH:
                loot.narrowest = high - low if loot.narrowest is None else min(loot.narrowest, high - low)
            if high - low < min(WIDTH, cells[cell]):
                loot.exposed.append(f"{cell[0]} {cell[1]} : de {low} à {high} sur {cells[cell]}")
        for cell, (low, high) in ranges.items():
            sensitive = self.questions[cell[0]].donnee_sensible != "non"
            if sensitive and low == high and 0 < low < SMALLEST:
                loot.small_cells.append(f"{cell[0]} {cell[1]} : {low} sur {cells[cell]}")

    def _hearsay(self, found: dict[str, Found], cells: dict[Cell, int]) -> list[tuple[dict[Cell, float], float, float]]:
        """What else is known of these cells: nothing here; texts and other documents in ``croisements``."""
        return []

    def _question_cells(self, code: str, item: Found) -> list[Cell]:
        return [(code, c) for codes, _, _ in item.rows for c in codes]

    def _question_equations(
        self, code: str, item: Found, mine: list[Cell]
    ) -> list[tuple[dict[Cell, float], float, float]]:
        question, out = self.questions[code], []
        for codes, share, decimals in item.rows:
            if share is not None:
                half = 0.5 * 10**-decimals
                ends = ((share - half) * item.n / 100, (share + half) * item.n / 100)
                out.append((dict.fromkeys([(code, c) for c in codes], 1.0), *ends))
        if question.type != "choix_multiple":
            return [*out, (dict.fromkeys(mine, 1.0), item.n, item.n)]
        out.append((dict.fromkeys(mine, 1.0), item.n, item.n * len(mine)))
        for alone in (c.code for c in question.choix if c.exclusif and (code, c.code) in mine):
            out += [({(code, alone): 1.0, other: 1.0}, 0, item.n) for other in mine if other != (code, alone)]
        return out

    def _fraction_equations(
        self, fractions: list[tuple[str, str, str, int]], found: dict[str, Found], cells: dict[Cell, int]
    ) -> list[tuple[dict[Cell, float], float, float]]:
        out = []
        for indicator, code, answer, top in fractions:
            link = self.links.get((code, indicator))
            if link is None or code not in found or link.base_si or link.favorable_si or link.minimum > 1:
                continue
            wanted = self._codes(self.questions[code], answer) if answer else link.favorables
            terms = {(code, c): 1.0 for c in wanted if (code, c) in cells}
            if link.calcul not in ("part", "distribution") or len(terms) != len(wanted) or not terms:
                continue
            several = self.questions[code].type == "choix_multiple" and len(terms) > 1
            out.append((terms, top, top * len(terms) if several else top))
            if several:
                out += [({cell: 1.0}, 0, top) for cell in terms]
        return out

    def _follow_up_equations(
        self, found: dict[str, Found], cells: dict[Cell, int]
    ) -> list[tuple[dict[Cell, float], float, float]]:
        """« Si oui… »: the number of people asked is the number of those who gave the answer."""
        out = []
        for code, item in found.items():
            condition = self.questions[code].posee_si
            comparisons = [*(condition.tous or ()), *(condition.un_de or ())] if condition else []
            if len(comparisons) != 1 or item.asked is None:
                continue
            before = comparisons[0].fait
            wanted = comparisons[0].parmi or (comparisons[0].egal,)
            terms = {(before, str(c)): 1.0 for c in wanted if (before, str(c)) in cells}
            several = before in self.questions and self.questions[before].type == "choix_multiple" and len(terms) > 1
            if len(terms) == len(wanted) and not several:
                out.append((terms, item.asked, item.asked))
        return out

    # ratings and amounts

    def _ratings(self, tables: list[Table], loot: Loot) -> None:
        for (sub, group), text in _printed_groups(tables).items():
            n, median = N.search(text), re.match(r"^(\d)(?:,5)? \(n", text)
            if not n or not median or group in INSTITUTIONS:
                continue
            size, key = _int(n[1]), f"{sub} {group}"
            if size < 5:
                loot.medians.append(f"{key} : médiane sur {size}")
            if size < SMALLEST:
                loot.n_small_groups += 1
                determined = _levels_determined(size, int(median[1]))
                loot.ratings += [f"{key} : niveau {level} = {count}" for level, count in determined]
        for table in tables:
            if table.caption == "Répartition des cotations":
                small = [row for row in table.rows if _int(row[-1]) < SMALLEST]
                loot.ratings += [f"{row[0]} {row[1]} : répartition de {row[-1]} cotations" for row in small]

    def _amounts(self, tables: list[Table], loot: Loot) -> None:
        for table in tables:
            if not table.caption.startswith("Programme d’actions, par année"):
                continue
            years: dict[str, list[tuple[str, ...]]] = defaultdict(list)
            for row in table.rows:
                years[row[0].split(",")[0]].append(row)
            for year, rows in years.items():
                for column in (3, 4, 5):
                    whole = [r for r in rows if r[0].endswith(", ensemble")]
                    hidden = [r for r in rows if r not in whole and SECRET.search(r[column])]
                    if len(hidden) == 1 and whole and not SECRET.search(whole[0][column]):
                        loot.amounts.append(f"{year} {hidden[0][0]} {table.headers[column]}")


def _printed_groups(tables: list[Table]) -> dict[tuple[str, str], str]:
    """« 3 (n = 12) », « secret (n = 4) » by sub-question and group."""
    out: dict[tuple[str, str], str] = {}
    for table in tables:
        if "ce que disent les groupes" in table.caption or "médiane des cotations" in table.caption:
            first = 2 if table.headers[:2] == ("Sous-question", "Niveau arbitré") else 1
            for row in table.rows:
                for group, text in zip(table.headers[first:], row[first:], strict=True):
                    out[row[0].split(" ")[0], group] = text
    return out


def _silences(text: str) -> int:
    return sum(int(count or kind) for count, kind in SILENT.findall(clean(text)))


def _levels_determined(n: int, lower_median: int) -> list[tuple[int, int]]:
    """Levels whose count n and the lower median give exactly."""
    rank, cells = (n + 1) // 2, {("r", str(level)): n for level in range(6)}
    below = {("r", str(level)): 1.0 for level in range(lower_median)}
    up_to = {("r", str(level)): 1.0 for level in range(lower_median + 1)}
    equations = [(dict.fromkeys(cells, 1.0), float(n), float(n)), (up_to, float(rank), float(n))]
    if below:
        equations.append((below, 0.0, float(rank - 1)))
    ranges = _ranges(cells, equations)
    return [(int(level), low) for (_, level), (low, high) in ranges.items() if low == high]


def _ranges(
    cells: dict[Cell, int], equations: list[tuple[dict[Cell, float], float, float]]
) -> dict[Cell, tuple[int, int]]:
    """Smallest and largest whole value of every cell, piece by piece."""
    about: dict[Cell, list[int]] = defaultdict(list)
    for rank, (terms, _, _) in enumerate(equations):
        for cell in terms:
            about[cell].append(rank)
    out: dict[Cell, tuple[int, int]] = {}
    left = set(cells)
    while left:
        piece, ranks, waiting = set[Cell](), set[int](), [min(left)]
        while waiting:
            cell = waiting.pop()
            if cell in piece:
                continue
            piece.add(cell)
            ranks.update(about[cell])
            waiting += [other for rank in about[cell] for other in equations[rank][0] if other not in piece]
        left -= piece
        out |= _piece_ranges(sorted(piece), cells, [equations[rank] for rank in sorted(ranks)])
    return out


def _piece_ranges(
    piece: list[Cell], cells: dict[Cell, int], equations: list[tuple[dict[Cell, float], float, float]]
) -> dict[Cell, tuple[int, int]]:
    upper = np.array([float(cells[cell]) for cell in piece])
    if not equations:
        return {cell: (0, cells[cell]) for cell in piece}
    rows = np.array([[terms.get(cell, 0.0) for cell in piece] for terms, _, _ in equations])
    low, high = np.array([e[1] for e in equations]), np.array([e[2] for e in equations])
    rule = LinearConstraint(rows, low - 1e-6, high + 1e-6)
    out = {}
    for i, cell in enumerate(piece):
        goal, ends = np.zeros(len(piece)), []
        for sign in (1.0, -1.0):
            goal[i] = sign
            solved = milp(goal, constraints=rule, bounds=Bounds(0, upper), integrality=np.ones(len(piece)))
            assert solved.success, f"the published figures contradict one another around {cell}: {solved.message}"
            ends.append(round(sign * solved.fun))
        out[cell] = (ends[0], ends[1])
    return out


def total(loots: Iterable[Loot]) -> Loot:
    """Everything found over several territories."""
    out = Loot()
    for loot in loots:
        out.n_hidden += loot.n_hidden
        out.n_small_groups += loot.n_small_groups
        for name in ("exposed", "small_cells", "small_bases", "ratings", "medians", "amounts"):
            getattr(out, name).extend(getattr(loot, name))
    return out
