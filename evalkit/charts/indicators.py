"""Indicators of a territory against the frozen regional reference: quartiles, median, own value. No ranking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalkit.charts.theme import (
    ACCENT,
    BAND,
    GRID,
    INK,
    LINE,
    QUIET,
    SIZE,
    WIDTH,
    Chart,
    Page,
    clean,
    describe_source,
    format_unit,
    has_value,
    is_typed,
    label_lines,
    make_chart,
    require_publication,
    rows_of,
    shorten_alt,
    text_frame,
    text_width,
    wrap,
)
from evalkit.wording import format_date, format_number, plural

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.compute.results import Publication
    from evalkit.model.referentiel import Referentiel

NBSP = "\u00a0"
STRIP_LEFT, STRIP_RIGHT, ASIDE_LEFT = 2.5, 4.3, 4.48
SHARES = {"part", "part_favorable"}  # formulas whose values lie between 0 and 100 by construction
OBTENTION_LABELS = {
    "saisie": "saisi",
    "actions": "programme d’actions",
    "contexte": "données ouvertes",
    "enquete": "enquête",
}


@dataclass(frozen=True)
class Strip:
    """One value of the territory and the quartiles over the territories of the region, in the indicator's unit."""

    code: str
    label: str
    unite: str
    share: bool
    origin: str  # how it was obtained, when that has to be said
    year: str
    value: float
    typed: bool
    q1: float
    median: float
    q3: float
    n: int

    @property
    def bounds(self) -> tuple[float, float]:
        """Ends of its axis: 0 and 100 for a share, else from 0 (or below) to a little over the largest value."""
        if self.share:
            return 0.0, 100.0
        low, high = min(0.0, self.value, self.q1), max(0.0, self.value, self.q3)
        room = (high - low or 1.0) * 0.1
        return (low - room if low < 0 else 0.0), high + (room if high > 0 else 0.0)


def draw_indicators(publication: Publication, question: str) -> Chart | None:
    """One strip per indicator of a question that has both a value and a regional reference, each on its own axis.

    Parameters
    ----------
    publication
        Table ``indicateurs`` (last year of each source; a value by actor group is left to the tables) and ``reference``
        (see ``compute.synthesis.freeze``).
    question
        Code of the question.

    Returns
    -------
    Chart or None
        None when there is no reference, or no indicator with both: a table says the rest.

    Raises
    ------
    TypeError
        Not a ``Publication``.
    """
    require_publication(publication)
    strips, alone = read_strips(publication, question)
    if not strips:
        return None
    reference = publication.reference or {}
    page = Page()
    height = _draw_strips(page, publication.referentiel, strips)
    asked = publication.referentiel.questions_par_code[question]
    date = str(reference.get("date", ""))
    note = "Chaque indicateur a son propre axe. La région est un repère, pas un objectif."
    if alone:
        note += f" {plural(alone, 'indicateur renseigné')} sans référence régionale : voir le tableau des indicateurs."
    return make_chart(
        page,
        height,
        publication,
        identifiant=f"indicateurs-{question}",
        titre=f"{question} – {clean(asked.titre)} : indicateurs du territoire et repères de la région",
        alt=_alt(publication.referentiel, question, strips),
        unite="celle de chaque indicateur, écrite avec sa valeur",
        base=_base(strips),
        source=describe_source(publication)
        + f" ; référence régionale {clean(str(reference.get('campagne', '')))}{f' arrêtée au {format_date(date)}' if date else ''}",
        note=note,
        donnees=_table(publication.referentiel, strips),
    )


def read_strips(publication: Publication, question: str) -> tuple[list[Strip], int]:
    """Strips of a question in the order of the framework, and the number of indicators with a value but no reference."""
    regional = (publication.reference or {}).get("indicateurs", {})
    strips: list[Strip] = []
    alone: set[str] = set()
    for code, rows in _latest(publication, question).items():
        for row in rows:
            found = regional.get(f"{code}|{row.obtention}")
            if found:
                strips.append(_strip(publication.referentiel, row, found, len(rows) > 1))
            else:
                alone.add(code)
    return strips, len(alone - {strip.code for strip in strips})


def _latest(publication: Publication, question: str) -> dict[str, list[Any]]:
    """Values by indicator: the last year of each way of obtaining and source, which stay side by side."""
    table = publication.indicateurs
    table = table[(table["question"] == question) & (table["statut"] == "ok") & table["groupe"].isna()]
    newest: dict[str, dict[tuple[str, str], Any]] = {}
    for row in rows_of(table[table["valeur"].notna()]):
        mine = newest.setdefault(str(row.indicateur), {})
        key = (str(row.obtention), str(row.source))
        if key not in mine or not has_value(mine[key].annee) or row.annee > mine[key].annee:
            mine[key] = row
    known = publication.referentiel.indicateurs
    return {code: [newest[code][key] for key in sorted(newest[code])] for code in known if code in newest}


def _strip(referentiel: Referentiel, row: Any, found: Mapping[str, Any], several: bool) -> Strip:
    """One strip; where it comes from is said when the indicator has several values."""
    indicator = referentiel.indicateurs[str(row.indicateur)]
    origin = clean(row.source) if isinstance(row.source, str) else OBTENTION_LABELS.get(str(row.obtention), "")
    return Strip(
        code=indicator.code,
        label=clean(indicator.libelle),
        unite=str(row.unite),
        share=indicator.formule.value in SHARES,
        origin=origin if several else "",
        year=str(int(row.annee)) if has_value(row.annee) else "",
        value=float(row.valeur),
        typed=is_typed(referentiel, row._asdict()),
        q1=float(found["q1"]),
        median=float(found["mediane"]),
        q3=float(found["q3"]),
        n=int(found["n"]),
    )


def _draw_strips(page: Page, referentiel: Referentiel, strips: Sequence[Strip]) -> float:
    y = _draw_key(page)
    for strip in strips:
        label = label_lines(strip.code, strip.label, STRIP_LEFT - 0.2)
        origin = wrap(strip.origin, STRIP_LEFT - 0.2, max_lines=2) if strip.origin else []
        aside = _aside(referentiel, strip)
        height = max(len(label) * 0.15 + len(origin) * LINE, len(aside) * LINE + 0.01, 0.42) + 0.1
        page.line([0, WIDTH], [y, y], color=GRID)
        under = page.paragraph(0, y + 0.05, label, size=SIZE, step=0.15)
        page.paragraph(0, under, origin, color=QUIET)
        _draw_strip(page, referentiel, strip, y + 0.17)
        top = y + 0.05
        for line, bold in aside:
            page.text(ASIDE_LEFT, top, line, size=SIZE if bold else 8.0, bold=bold, color=INK if bold else QUIET)
            top += LINE + (0.01 if bold else 0)
        y += height
    page.line([0, WIDTH], [y, y], color=GRID)
    return y + 0.03


def _draw_key(page: Page) -> float:
    x, y = 0.0, 0.02
    page.marker([x + 0.06], [y + 0.067], color=ACCENT, size=9)
    x += 0.2 + page.text(x + 0.17, y, "territoire") + 0.2
    page.rect(x, y + 0.005, 0.3, 0.13, face=BAND, edge=QUIET, lw=0.7)
    x += 0.37 + page.text(x + 0.37, y, "moitié centrale des territoires de la région") + 0.2
    page.line([x, x], [y - 0.01, y + 0.15], color=INK, lw=1.8)
    page.text(x + 0.08, y, "médiane de la région")
    return y + 0.25


def _draw_strip(page: Page, referentiel: Referentiel, strip: Strip, middle: float) -> None:
    low, high = strip.bounds
    scale = (STRIP_RIGHT - STRIP_LEFT) / (high - low)

    def at(value: float) -> float:
        return STRIP_LEFT + (min(max(value, low), high) - low) * scale

    page.line([STRIP_LEFT, STRIP_RIGHT], [middle, middle], color=BAND, lw=0.8)
    page.rect(at(strip.q1), middle - 0.075, max(at(strip.q3) - at(strip.q1), 0.02), 0.15, face=BAND, edge=QUIET, lw=0.7)
    page.line([at(strip.median)] * 2, [middle - 0.11, middle + 0.11], color=INK, lw=1.8)
    page.marker([at(strip.value)], [middle], color=ACCENT, size=9)
    left, right = _end(referentiel, low, strip.unite), _end(referentiel, high, strip.unite)
    page.text(STRIP_LEFT, middle + 0.1, left, color=QUIET)
    if text_width(left) + text_width(right) + 0.1 < STRIP_RIGHT - STRIP_LEFT:
        page.text(STRIP_RIGHT, middle + 0.1, right, color=QUIET, ha="right")


def _end(referentiel: Referentiel, value: float, unite: str) -> str:
    """End of an axis: the number alone (the unit stands with the value), the sign « % » when it is one."""
    unit = referentiel.unites_par_code.get(unite)
    number = format_number(value, unit.decimales if unit else 0)
    return f"{number}\u202f%" if unit and unit.symbole == "%" else number


def _aside(referentiel: Referentiel, strip: Strip) -> list[tuple[str, bool]]:
    room = WIDTH - ASIDE_LEFT
    year = f" ({strip.year})" if strip.year else ""
    own = format_unit(referentiel, strip.value, strip.unite, typed=strip.typed)
    number = [_end(referentiel, value, strip.unite) for value in (strip.median, strip.q1, strip.q3)]
    region = f"région{NBSP}: médiane {number[0]}, quartiles {number[1]} et {number[2]} (n{NBSP}={NBSP}{strip.n})"
    return [(line, True) for line in wrap(own + year, room, SIZE, True)] + [
        (line, False) for line in wrap(region, room)
    ]


def _base(strips: Sequence[Strip]) -> str:
    counts = sorted({strip.n for strip in strips})
    said = (
        plural(counts[-1], "territoire") if len(counts) == 1 else f"de {counts[0]} à {plural(counts[-1], 'territoire')}"
    )
    return f"{plural(len({s.code for s in strips}), 'indicateur')} ; {said} dans la référence régionale"


def _alt(referentiel: Referentiel, question: str, strips: Sequence[Strip]) -> str:
    sentences = [f"{question}, indicateurs du territoire et région."]
    for strip in strips:
        q1, q3 = (_end(referentiel, value, strip.unite) for value in (strip.q1, strip.q3))
        median = _end(referentiel, strip.median, strip.unite)
        own = format_unit(referentiel, strip.value, strip.unite, typed=strip.typed)
        place = (
            "dans la moitié centrale"
            if strip.q1 <= strip.value <= strip.q3
            else ("sous le premier quartile" if strip.value < strip.q1 else "au-dessus du troisième quartile")
        )
        sentences.append(f"{strip.code} : {own}, {place} (quartiles {q1} et {q3}, médiane {median}, n = {strip.n}).")
    return shorten_alt(sentences)


def _table(referentiel: Referentiel, strips: Sequence[Strip]) -> pd.DataFrame:
    columns = [
        "Indicateur",
        "Année",
        "Territoire",
        "Premier quartile",
        "Médiane",
        "Troisième quartile",
        "Territoires (n)",
    ]
    rows = []
    for strip in strips:
        own = format_unit(referentiel, strip.value, strip.unite, typed=strip.typed)
        q1, median, q3 = (format_unit(referentiel, v, strip.unite) for v in (strip.q1, strip.median, strip.q3))
        name = f"{strip.code} {strip.label}" + (f" ({strip.origin})" if strip.origin else "")
        rows.append(dict(zip(columns, [name, strip.year or "—", own, q1, median, q3, str(strip.n)], strict=True)))
    return text_frame(rows, columns)
