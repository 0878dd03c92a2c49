"""The attacker with everything in hand: pages of every territory, syntheses, frozen references, the index, read together.

Beyond the tables of one page, it reads alternative texts, captions and sentences; it sets the quartiles of a synthesis or
of a reference against the values that territories print, and puts what is left into the equations of the territory that
prints nothing; it subtracts distributions over territories from one another. What protects them shares no code with it.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations, pairwise, zip_longest
from typing import Any

import numpy as np
from bs4 import BeautifulSoup, Tag

from tests.attaque.attaquant import INSTITUTIONS, SMALLEST, Attacker, Cell, Found, Loot, Table, read_tables

Rule = tuple[dict[Cell, float], float, float]
Key = tuple[str, str]  # indicator, way of obtaining it
CODE = re.compile(r"\b[A-Z]\d{2}(?:_[a-z0-9]+)*\b")
SIZE = re.compile(r"n = ([\d ]*\d)")
NUMBER = re.compile(r"^([-−]?[\d ]*\d)(?:,(\d+))?(?![\d,])")
YEAR = re.compile(r" en \d{4}\b")
SAID = r"\s*»?\s*[:,]\s*(?:(?P<share>\d[\d ]*)(?:,(?P<decimals>\d+))? ?%|(?P<count>\d+) réponses?\b)"
ENDS = re.compile(r"réponses 4 et 5, ([\d,]+) % ; réponses 1 et 2, ([\d,]+) %")
SUB = re.compile(r"^([A-Z]+\d*\.\d+)\b")
MEDIAN = re.compile(r"((?:« [^»]+ »(?:, | et )?)+) \(médiane (\d(?:,5)?)\)")
EXAMPLE = re.compile(r"sous-question ([A-Z]+\d*\.\d+) de ce territoire")
RATINGS = re.compile(r"([^;:.]+) : (\d+) cotations?, médiane (\d(?:,5)?)")
RANGE = re.compile(r"([A-Z]+\d*\.\d+) : [^.]*?groupes (?:de (\d(?:,5)?) )?à (\d(?:,5)?)")
SPLIT = re.compile(r"partagé : les? groupes? ((?:« [^»]+ »(?:, | et )?)+)")
BLOCK = re.compile(r"([A-Z]+\d*(?:\.\d+)?) \(n = (\d+)\) : \d+ au niveau \d")
FEW_TERRITORIES = 5
TEXTS = ("p", "li", "dt", "dd", "caption", "small", "figcaption", "summary", "h1", "h2", "h3", "h4", "td", "th")


@dataclass
class Everything:
    """What has been published. ``pages``: several documents may speak of one territory."""

    pages: dict[str, list[str]]
    syntheses: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    index: str = ""


@dataclass
class CrossLoot(Loot):
    """What crossing gives besides; empty lists are the promise kept."""

    unprinted: list[str] = field(default_factory=list)  # a synthesis counts values that no territory prints
    blocks: list[str] = field(default_factory=list)  # a distribution over fewer than five territories
    n_statements: int = 0  # figures of answers read in texts
    n_compared: int = 0  # figures of syntheses and references set against the pages
    n_blocks: int = 0  # distributions over territories

    def nothing(self) -> bool:
        """No promise broken."""
        return super().nothing() and not self.unprinted and not self.blocks


def plain(text: str) -> str:
    """Ordinary spaces only."""
    return re.sub(r"\s+", " ", text.replace("\u202f", " ").replace("\xa0", " ")).strip()


def texts_of(page: str) -> list[str]:
    """Alternative texts, captions, sentences and cells of a page, in order, each once."""
    soup = BeautifulSoup(page, "html.parser")
    found = [plain(str(image.get("alt", ""))) for image in soup.find_all("img")]
    found += [plain(tag.get_text(" ")) for tag in soup.find_all(TEXTS)]
    return list(dict.fromkeys(text for text in found if text))


def _halves(text: str) -> float:
    return float(text.replace(" ", "").replace(",", "."))


# --- values of indicators, printed or told by quartiles -------------------------------------------------------------


@dataclass(frozen=True)
class Spread:
    """Quartiles of one indicator over territories: each between two bounds, the rounding of what is printed."""

    where: str
    members: frozenset[str]
    n: int
    quartiles: tuple[tuple[float, float], ...]  # empty: not shown


def _between(text: str) -> tuple[float, float] | None:
    """The bounds of a printed number: « 62 % » is between 61,5 and 62,5."""
    known = NUMBER.match(text)
    if not known:
        return None
    decimals = known[2] or ""
    half = 0.5 * 10 ** -len(decimals)
    value = float(known[1].replace(" ", "").replace("−", "-") + (f".{decimals}" if decimals else ""))
    return value - half, value + half


def _way(source: str) -> str:
    survey = re.match(r"^([A-Z-]+) · .*\(enquête\)", source)
    if survey:
        return f"enquête {survey[1]}"
    known = re.findall(r"\((saisie|programme d’actions)\)", source)
    return known[-1] if known else source.split(",")[0]


def printed_values(tables: Iterable[Table]) -> dict[Key, tuple[float, float]]:
    """Last value of each indicator as a page prints it."""
    chosen: dict[Key, tuple[str, tuple[float, float]]] = {}
    for table in tables:
        if "Dernière valeur" not in table.headers or "Source" not in table.headers:
            continue
        last, ratio, source = (
            table.headers.index(h) for h in ("Dernière valeur", "Numérateur / dénominateur", "Source")
        )
        for row in table.rows:
            head, several, _ = row[last].partition(" : ")  # « oui : 62 % ; non : 38 % » is not one value
            known = None if several and not YEAR.search(head) else _between(row[last])
            if known is None:
                continue
            parts = (
                [_halves(part) for part in re.findall(r"[\d ]*\d(?:,\d+)?", row[ratio].partition(" (")[0])]
                if " / " in row[ratio]
                else []
            )
            if len(parts) == 2 and parts[1]:
                exact = [
                    v
                    for v in (parts[0] / parts[1], parts[0] / parts[1] * 100)
                    if known[0] - 1e-9 <= v <= known[1] + 1e-9
                ]
                known = (exact[0], exact[0]) if exact and parts[0].is_integer() else known
            key = (row[0].split(" ")[0], _way(row[source]))
            if key not in chosen or row[source] < chosen[key][0]:
                chosen[key] = (row[source], known)
    return {key: value for key, (_, value) in chosen.items()}


def _numerators(spread: Spread, known: Sequence[tuple[float, float]], n: int, free: int) -> list[int]:
    """Numerators over ``n`` that agree with the quartiles, ``free`` other values being unknown."""
    low, high = [v for v, _ in known] + [0.0] * free, [v for _, v in known] + [100.0] * free
    out = []
    for top in range(n + 1):
        share = 100 * top / n
        least, most = (np.quantile([*values, share], [0.25, 0.5, 0.75]) for values in (low, high))
        if all(a <= q[1] + 1e-6 and b >= q[0] - 1e-6 for a, b, q in zip(least, most, spread.quartiles, strict=True)):
            out.append(top)
    return out


# --- syntheses and references ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """A distribution over territories."""

    n: int
    shown: bool


@dataclass
class Overview:
    """A synthesis or a frozen reference. ``territories``: unknown in an old reference."""

    where: str
    perimeter: str
    territories: frozenset[str]
    spreads: dict[Key, Spread] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)


def read_synthesis(page: str, names: Mapping[str, str]) -> Overview:
    """What a synthesis prints. ``names``: folder by name of territory."""
    title = plain(BeautifulSoup(page, "html.parser").find("h1").get_text(" "))  # type: ignore[union-attr]
    department = re.search(r"département (\w+)", title)
    tables = read_tables(page)
    listed = [row[0] for table in tables if table.caption.startswith("Territoires comptés") for row in table.rows]
    members = frozenset(names[name] for name in listed)
    out = Overview(title, department[1] if department else "", members)
    for table in tables:
        if "1er quartile" in table.headers and "Obtention" in table.headers:
            for row in table.rows:
                key = (row[0].split(" ")[0], row[1])
                quartiles = [bounds for bounds in map(_between, row[4:7]) if bounds]
                n = int(row[2].replace(" ", ""))
                out.spreads[key] = Spread(title, members, n, tuple(quartiles) if len(quartiles) == 3 else ())
                out.blocks[" ".join(key)] = Block(n, len(quartiles) == 3)
        elif table.headers[1:2] == ("Niveau 0",) and "n" in table.headers:
            for row in table.rows:
                n = int(row[table.headers.index("n")].replace(" ", ""))
                out.blocks[row[0].split(" ")[0]] = Block(n, bool(n) and row[1].replace(" ", "").isdigit())
        elif table.headers == (
            "Sous-question",
            "Territoires comparables",
            "dont écart à débattre",
            "dont groupe partagé",
        ):
            for row in table.rows:
                out.blocks[f"écarts {row[0].split(' ')[0]}"] = Block(int(row[1]), row[2].replace(" ", "").isdigit())
    for text in texts_of(page):
        for code, n in BLOCK.findall(text):
            out.blocks[code] = Block(int(n), True)
    return out


def read_reference(text: str) -> Overview:
    """What a frozen reference holds."""
    content = json.loads(text)
    members = frozenset(content.get("territoires", ()))
    where = f"référence du {content['date']}, {content['n_territoires']} territoires"
    out = Overview(where, "", members)
    for name, figure in content["indicateurs"].items():
        code, way = name.split("|")
        way = way.replace("enquete ", "enquête ").replace("actions", "programme d’actions")
        exact = tuple((figure[q], figure[q]) for q in ("q1", "mediane", "q3"))
        out.spreads[code, way] = Spread(where, members, figure["n"], exact)
        out.blocks[f"{code} {way}"] = Block(figure["n"], True)
    for kind in ("niveaux", "questions"):
        out.blocks |= {code: Block(figure["n"], True) for code, figure in content[kind].items()}
    return out


def small_blocks(syntheses: Sequence[Overview], references: Sequence[Overview]) -> Iterator[str]:
    """Distributions over one to four territories: shown, or left when some are taken away from others."""
    for one in (*syntheses, *references):
        for code, block in one.blocks.items():
            if block.shown and 0 < block.n < FEW_TERRITORIES:
                yield f"{one.where} : {code} sur {block.n}"
    departments = [one for one in syntheses if one.perimeter]
    for region in (one for one in syntheses if not one.perimeter):
        for code, block in region.blocks.items():
            shown = [one.blocks[code].n for one in departments if code in one.blocks and one.blocks[code].shown]
            left = block.n - sum(shown)
            if block.shown and shown and 0 < left < FEW_TERRITORIES:
                yield f"{region.where} sans les départements montrés : {code} sur {left}"
    for first, second in combinations(references, 2):
        if first.territories != second.territories or not first.territories:
            for code in first.blocks.keys() & second.blocks.keys():
                left = abs(first.blocks[code].n - second.blocks[code].n)
                if 0 < left < FEW_TERRITORIES:
                    yield f"{second.where} moins {first.where} : {code} sur {left}"


# --- ratings told by sentences --------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def determined_levels(n: int, medians: frozenset[float], split: bool) -> list[tuple[int, int]]:
    """Levels whose count is known exactly from n and every median told (lower or ordinary); ``split``: said « partagé »."""
    kept = []
    for cuts in combinations(range(n + 5), 5):
        ends = (-1, *cuts, n + 5)
        counts = [b - a - 1 for a, b in pairwise(ends)]
        ranks = [level for level, count in enumerate(counts) for _ in range(count)]
        low, high = ranks[(n - 1) // 2], ranks[n // 2]
        if not medians <= {float(low), (low + high) / 2}:
            continue
        if split and (4 * sum(counts[:2]) < n or 4 * sum(counts[4:]) < n):
            continue
        kept.append(counts)
    return [(level, kept[0][level]) for level in range(6) if kept and len({counts[level] for counts in kept}) == 1]


class CrossAttacker(Attacker):
    """Attacks everything that was published, together."""

    def __init__(self, referentiel: Any):
        super().__init__(referentiel)
        self._rules: list[Rule] = []
        self._surveys_of = {q.code: e.code for e in referentiel.enquetes for q in e.questions}
        self._short = {group.libelle: group.court for group in referentiel.groupes}

    def attack_together(self, everything: Everything, only: Collection[str] = ()) -> CrossLoot:
        """Read everything, deduce everything; ``only``: bound the answers of these territories (all by default)."""
        loot = CrossLoot()
        tables = {name: [t for page in pages for t in read_tables(page)] for name, pages in everything.pages.items()}
        found = {name: self._read_surveys(tables[name], pages) for name, pages in everything.pages.items()}
        names = {_name_of(pages[0]): name for name, pages in everything.pages.items()}
        syntheses = [read_synthesis(page, names) for page in everything.syntheses]
        references = [read_reference(text) for text in everything.references]
        loot.n_blocks = sum(len(one.blocks) for one in (*syntheses, *references))
        loot.blocks += small_blocks(syntheses, references)
        told = self._told_by_quartiles((*syntheses, *references), tables, found, loot)
        said = _index_texts(everything.index)
        for name, pages in everything.pages.items():
            if only and name not in only:
                continue
            texts = [*(text for page in pages for text in texts_of(page)), *said.get(name, ())]
            statements = list(self._statements(texts, found[name]))
            loot.n_statements += len(statements)
            self._rules = [*statements, *told[name]]
            _add(loot, self.attack(pages))
            self._told_ratings(tables[name], texts, loot, name)
        self._rules = []
        return loot

    def _hearsay(self, found: dict[str, Found], cells: dict[Cell, int]) -> list[Rule]:
        return [rule for rule in self._rules if all(cell in cells for cell in rule[0])]

    # sentences about answers

    def _statements(self, texts: Iterable[str], found: Mapping[str, Found]) -> Iterator[Rule]:
        for text in texts:
            places = [m for m in CODE.finditer(text) if m[0] in self.questions and m[0] in found]
            for place, after in zip_longest(places, places[1:]):
                part = text[place.end() : after.start() if after else None]
                size = SIZE.search(part)
                n = int(size[1].replace(" ", "")) if size else found[place[0]].n
                yield from self._said_of(place[0], part, n)

    def _said_of(self, code: str, part: str, n: int) -> Iterator[Rule]:
        choices = [c for c in self.questions[code].choix if not c.silence]
        ends = ENDS.search(part)
        if ends and len(choices) == 5:
            for text, group in ((ends[1], choices[3:]), (ends[2], choices[:2])):
                yield _share_rule(code, [c.code for c in group], *text.partition(",")[::2], n)
        labels = [plain(c.libelle).rstrip(".") for c in choices]
        for size in range(len(labels), 0, -1):
            for first in range(len(labels) - size + 1):
                wanted = re.escape(" ou ".join(labels[first : first + size]))
                for said in re.finditer(rf"(?:^|[.;:«,?!(»])\s*{wanted}{SAID}", part, re.IGNORECASE):
                    codes = [c.code for c in choices[first : first + size]]
                    if said["count"]:
                        yield dict.fromkeys([(code, c) for c in codes], 1.0), float(said["count"]), float(said["count"])
                    else:
                        yield _share_rule(code, codes, said["share"], said["decimals"] or "", n)

    # quartiles against printed values

    def _told_by_quartiles(
        self,
        overviews: Iterable[Overview],
        tables: Mapping[str, list[Table]],
        found: Mapping[str, dict[str, Found]],
        loot: CrossLoot,
    ) -> dict[str, list[Rule]]:
        out: dict[str, list[Rule]] = defaultdict(list)
        values = {name: printed_values(mine) for name, mine in tables.items()}
        for overview in overviews:
            for key, spread in overview.spreads.items():
                if key[1] == "données ouvertes" or not spread.members <= set(values):
                    continue
                loot.n_compared += 1
                known = [values[name][key] for name in sorted(spread.members) if key in values[name]]
                missing = spread.n - len(known)
                if missing <= 0:
                    continue
                loot.unprinted.append(f"{spread.where} : {' '.join(key)}, {spread.n} valeurs, {len(known)} imprimées")
                silent = {
                    name: code
                    for name in sorted(spread.members)
                    if key not in values[name] and (code := self._asked(key, found[name]))
                }
                if spread.quartiles and len(silent) == missing:
                    for name, code in silent.items():
                        out[name] += self._told(key[0], code, found[name][code].n, spread, known, missing - 1)
        return out

    def _asked(self, key: Key, found: Mapping[str, Found]) -> str:
        """The question of that survey that gives the indicator, when people answered it."""
        survey = key[1].partition(" ")[2]
        for code, indicator in self.links:
            if indicator == key[0] and self._surveys_of[code] == survey and code in found and found[code].n:
                return code
        return ""

    def _told(
        self, indicator: str, code: str, n: int, spread: Spread, known: Sequence[tuple[float, float]], free: int
    ) -> list[Rule]:
        link = self.links[code, indicator]
        several = self.questions[code].type == "choix_multiple" and len(link.favorables) > 1
        if link.calcul != "part" or link.base_si or link.favorable_si or link.minimum > 1 or several:
            return []
        tops = _numerators(spread, known, n, free)
        if not tops:
            return []
        return [(dict.fromkeys([(code, c) for c in link.favorables], 1.0), float(min(tops)), float(max(tops)))]

    # sentences about ratings

    def _told_ratings(self, tables: Sequence[Table], texts: Sequence[str], loot: CrossLoot, name: str) -> None:
        printed = _printed_medians(tables)
        medians: dict[tuple[str, str], set[float]] = defaultdict(set)
        for key, (_, median) in printed.items():
            if median is not None:
                medians[key].add(median)
        split: set[tuple[str, str]] = set()
        for sub, group, median in self._said_medians(texts, split):
            if (sub, group) in printed:
                medians[sub, group].add(median)
        for (sub, group), told in medians.items():
            n = printed[sub, group][0]
            if group in INSTITUTIONS or not n or n >= SMALLEST:
                continue
            if printed[sub, group][1] is None:
                loot.medians.append(f"{name} {sub} {group} : médiane secrète, dite {sorted(told)}")
            exact = determined_levels(n, frozenset(told), (sub, group) in split)
            loot.ratings += [f"{name} {sub} {group} : niveau {level} = {count}" for level, count in exact]
        loot.medians += [f"{name} {text}" for text in _outside(texts, printed)]
        for table in tables:
            if "nombre de cotations à chaque niveau" in table.caption:
                for row in table.rows:
                    n = sum(int(count) for count in row[1:] if count.isdigit())
                    if 0 < n < SMALLEST:
                        loot.ratings.append(f"{name} {table.caption[:8]} {row[0]} : répartition de {n} cotations")

    def _said_medians(self, texts: Sequence[str], split: set[tuple[str, str]]) -> Iterator[tuple[str, str, float]]:
        example = ""
        for text in texts:
            known = EXAMPLE.search(text)
            example = known[1] if known else example
            start = SUB.match(text)
            if start:
                for groups in SPLIT.findall(text):
                    split |= {(start[1], self._short.get(g, g)) for g in re.findall(r"« ([^»]+) »", groups)}
                for groups, median in MEDIAN.findall(text):
                    for group in re.findall(r"« ([^»]+) »", groups):
                        yield start[1], self._short.get(group, group), _halves(median)
            elif example:
                for group, _, median in RATINGS.findall(text):
                    yield example, self._short.get(group.strip(), group.strip()), _halves(median)


def _share_rule(code: str, codes: Iterable[str], whole: str, decimals: str, n: int) -> Rule:
    value = float(whole.replace(" ", "") + (f".{decimals}" if decimals else ""))
    half = 0.5 * 10 ** -len(decimals)
    return dict.fromkeys([(code, c) for c in codes], 1.0), (value - half) * n / 100, (value + half) * n / 100


def _printed_medians(tables: Iterable[Table]) -> dict[tuple[str, str], tuple[int, float | None]]:
    """n and median of each group, by sub-question."""
    out: dict[tuple[str, str], tuple[int, float | None]] = {}
    for table in tables:
        if "ce que disent les groupes" not in table.caption and "médiane des cotations" not in table.caption:
            continue
        first = 2 if table.headers[:2] == ("Sous-question", "Niveau arbitré") else 1
        for row in table.rows:
            for group, text in zip(table.headers[first:], row[first:], strict=True):
                n, median = SIZE.search(text), re.match(r"^(\d(?:,5)?) \(n", text)
                if n:
                    size = int(n[1].replace(" ", ""))
                    out[row[0].split(" ")[0], group] = (size, _halves(median[1]) if median else None)
    return out


def _outside(texts: Iterable[str], printed: Mapping[tuple[str, str], tuple[int, float | None]]) -> Iterator[str]:
    """« groupes de 1 à 4 » where no printed median is as low, or as high: that of a hidden group."""
    shown: dict[str, list[float]] = defaultdict(list)
    for (sub, _), (_, median) in printed.items():
        if median is not None:
            shown[sub].append(median)
    for text in texts:
        for sub, low, high in RANGE.findall(text):
            told = [_halves(bound) for bound in (low or high, high)]
            if shown[sub] and told != [min(shown[sub]), max(shown[sub])]:
                yield f"{sub} : groupes de {told[0]} à {told[1]}, montrés de {min(shown[sub])} à {max(shown[sub])}"


def _name_of(page: str) -> str:
    """Name of a territory, as lists of territories print it."""
    title = plain(BeautifulSoup(page, "html.parser").find("h1").get_text(" "))  # type: ignore[union-attr]
    short = re.sub(r"^.*?contrats? de ville (?:de la |de l[’']|du |des |de |d[’'])", "", title, flags=re.IGNORECASE)
    return short[:1].upper() + short[1:]


def _index_texts(page: str) -> dict[str, list[str]]:
    """Everything that the index says, by territory: its row, or what stands under its title among the failures."""
    out: dict[str, list[str]] = defaultdict(list)
    soup = BeautifulSoup(page, "html.parser")
    titles = {}
    for grid in soup.find_all("table"):
        headers = [plain(cell.get_text(" ")) for cell in grid.select("thead th")]
        if "Dossier" not in headers:
            continue
        for row in grid.select("tbody tr"):
            cells = [plain(cell.get_text(" ")) for cell in row.find_all(["th", "td"])]
            name = cells[headers.index("Dossier")]
            titles[cells[0]] = name
            out[name] += cells
    for heading in soup.find_all("h3"):
        name = titles.get(plain(heading.get_text(" ")), plain(heading.get_text(" ")))
        for tag in heading.find_next_siblings():
            if not isinstance(tag, Tag) or tag.name in ("h2", "h3"):
                break
            out[name].append(plain(tag.get_text(" ")))
    return out


def _add(loot: CrossLoot, one: Loot) -> None:
    loot.n_hidden += one.n_hidden
    loot.n_small_groups += one.n_small_groups
    widths = [width for width in (loot.narrowest, one.narrowest) if width is not None]
    loot.narrowest = min(widths) if widths else None
    for name in ("exposed", "small_cells", "small_bases", "ratings", "medians", "amounts"):
        getattr(loot, name).extend(getattr(one, name))
