"""Charts of maturity: groups side by side on the levels, position on a ladder, coverage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalkit.charts.theme import (
    ACCENT,
    BAND,
    GRID,
    INK,
    LINE,
    LINK,
    PALE,
    QUIET,
    SIZE,
    WIDTH,
    Chart,
    Page,
    clean,
    describe_source,
    format_level,
    group_name,
    group_style,
    has_value,
    label_lines,
    list_names,
    make_chart,
    require_publication,
    rows_of,
    shorten_alt,
    text_frame,
    text_width,
    wrap,
)
from evalkit.wording import capitalize, format_number, format_percent, plural

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.compute.results import Publication
    from evalkit.model.referentiel import Referentiel, SousQuestion

NBSP = "\u00a0"
LEVELS = range(6)
INSTITUTION, WEAK = "position de l’institution", "effectifs faibles"
UNIT_LEVEL = "niveau de maturité, de 0 à 5 (médiane des cotations de chaque groupe)"

# Columns of the page, in inches: label, levels, text.
PLOT_LEFT, SLOT, ASIDE_LEFT = 2.15, 0.48, 5.15
LANE = 0.135


@dataclass(frozen=True)
class GroupPoint:
    """What may be said of one group on one sub-question."""

    code: str
    name: str
    n: int
    median: float | None  # None: secret or no rating
    status: str


@dataclass(frozen=True)
class Row:
    """One sub-question of a chart, everything in it published."""

    code: str
    title: str
    settled: float | None
    points: tuple[GroupPoint, ...]
    gap: float | None
    debate: bool
    caveats: tuple[str, ...]  # what limits a gap to debate
    split: tuple[str, ...]

    @property
    def shown(self) -> tuple[GroupPoint, ...]:
        """Groups with a published median."""
        return tuple(p for p in self.points if p.median is not None)

    @property
    def hidden(self) -> tuple[GroupPoint, ...]:
        """Groups that answered and whose median is secret."""
        return tuple(p for p in self.points if p.status == "secret")


def read_points(publication: Publication, sous_question: str) -> tuple[GroupPoint, ...]:
    """Groups of one sub-question in the order of acteurs.yml."""
    table = publication.groupes
    rows = table[table["sous_question"] == sous_question]
    order = list(publication.referentiel.groupes_par_code)
    points = [
        GroupPoint(
            code=str(row.groupe),
            name=group_name(publication.referentiel, str(row.groupe)),
            n=int(row.n),
            median=float(row.mediane) if row.statut == "ok" and has_value(row.mediane) else None,
            status=str(row.statut),
        )
        for row in rows_of(rows)
    ]
    return tuple(sorted(points, key=lambda p: (order.index(p.code) if p.code in order else len(order), p.code)))


def read_row(publication: Publication, level: Any, sub: SousQuestion) -> Row:
    """Gather what one sub-question shows; ``level`` is its row of the table ``niveaux``."""
    table = publication.triangulation
    found = table[table["sous_question"] == sub.code]
    gap: float | None = None
    debate, caveats, split = False, tuple[str, ...](), tuple[str, ...]()
    if len(found):
        line = found.iloc[0]
        gap = float(line["ecart"]) if has_value(line["ecart"]) else None
        debate = bool(line["statut"] == "ecart_a_debattre")
        said = (("position_institution", INSTITUTION), ("effectifs_faibles", WEAK))
        caveats = tuple(text for column, text in said if debate and line[column])
        if has_value(line["partages"]):
            split = tuple(group_name(publication.referentiel, g) for g in str(line["partages"]).split(";") if g)
    settled = float(level.niveau) if level.statut == "arbitre" and has_value(level.niveau) else None
    return Row(sub.code, sub.titre, settled, read_points(publication, sub.code), gap, debate, caveats, split)


def _levels_by_code(publication: Publication) -> dict[str, Any]:
    return {str(row.sous_question): row for row in rows_of(publication.niveaux)}


# --- groups side by side -------------------------------------------------------------------------------------------


def draw_question_groups(publication: Publication, question: str) -> Chart | None:
    """Dot plot of one question: a row per applicable sub-question, a mark per group, the settled level framed.

    Parameters
    ----------
    publication
        Published tables ``niveaux``, ``groupes``, ``triangulation``. A group's median that is secret is said in words.
    question
        Code of the question, e.g. ``Q1``.

    Returns
    -------
    Chart or None
        None when no sub-question has a settled level nor any rating: nothing to draw.

    Raises
    ------
    TypeError
        Not a ``Publication``.
    """
    require_publication(publication)
    asked = publication.referentiel.questions_par_code[question]
    levels = _levels_by_code(publication)
    subs = [(s, levels[s.code]) for s in asked.sous_questions if s.code in levels]
    rows = [read_row(publication, level, sub) for sub, level in subs if level.applicable]
    if not any(row.settled is not None or row.shown or row.hidden for row in rows):
        return None
    excluded = [sub.code for sub, level in subs if not level.applicable]
    page = Page()
    height = _draw_groups(page, publication.referentiel, rows)
    groups = sorted(
        {p.code for row in rows for p in row.points}, key=list(publication.referentiel.groupes_par_code).index
    )
    return make_chart(
        page,
        height,
        publication,
        identifiant=f"groupes-{question}",
        titre=f"{question} – {clean(asked.titre)} : ce que disent les groupes, et le niveau arbitré",
        alt=_groups_alt(question, rows),
        unite=UNIT_LEVEL,
        base=_groups_base(rows),
        source=describe_source(publication),
        note=_groups_note(rows, excluded),
        donnees=_groups_table(publication.referentiel, rows, groups),
    )


def _x(level: float) -> float:
    return PLOT_LEFT + (level + 0.5) * SLOT


def _draw_groups(page: Page, referentiel: Referentiel, rows: Sequence[Row]) -> float:
    y = _draw_key(page, referentiel, rows)
    top = y
    for level in LEVELS:
        page.text(_x(level), y, str(level), bold=True, color=QUIET, ha="center")
    y += 0.19
    bodies = [(row, label_lines(row.code, row.title, PLOT_LEFT - 0.1), _aside(row)) for row in rows]
    heights = [_row_height(*body) for body in bodies]
    bottom = y + sum(heights)
    for level in LEVELS:
        page.line([_x(level)] * 2, [top + 0.16, bottom], color=GRID)
    for (row, label, aside), height in zip(bodies, heights, strict=True):
        page.line([0, WIDTH], [y, y], color=GRID)
        under = page.paragraph(0, y + 0.07, label, size=SIZE, step=0.15)
        page.paragraph(0, under + 0.02, _secrets(row), color=QUIET)
        _draw_row(page, referentiel, row, y, height)
        text_y = y + 0.07
        for text, style in aside:
            page.text(ASIDE_LEFT, text_y, text, **style)
            text_y += LINE
        _draw_counts(page, referentiel, row, text_y + 0.02)
        y += height
    page.line([0, WIDTH], [bottom, bottom], color=BAND)
    return _draw_level_names(page, referentiel, bottom + 0.05)


def _row_height(row: Row, label: Sequence[str], aside: Sequence[Any]) -> float:
    stack = max([_stack(row).count(m) for m in _stack(row)], default=1)
    counts = -(-len(row.shown) // _count_grid(row)[1])
    left = len(label) * 0.15 + len(_secrets(row)) * LINE + 0.02
    return max(left, len(aside) * LINE + counts * 0.155 + 0.02, stack * LANE + 0.08, 0.3) + 0.14


def _stack(row: Row) -> list[float]:
    return [p.median for p in row.shown if p.median is not None]


def _draw_row(page: Page, referentiel: Referentiel, row: Row, y: float, height: float) -> None:
    middle = y + height / 2
    if row.settled is not None:
        page.rect(_x(row.settled) - 0.155, y + 0.05, 0.31, height - 0.1, face=PALE, edge=INK, lw=1.4)
    medians = _stack(row)
    if row.gap and len(medians) > 1:
        page.line([_x(min(medians)), _x(max(medians))], [middle, middle], color=LINK, lw=4)
    for value in sorted(set(medians)):
        here = [p for p in row.shown if p.median == value]
        for rank, point in enumerate(here):
            color, shape = group_style(referentiel, point.code)
            page.marker([_x(value)], [middle + (rank - (len(here) - 1) / 2) * LANE], shape=shape, color=color)
    if not row.shown:
        said = "secret" if row.hidden else "aucune cotation"
        away = 3 if row.settled is None else (4.5 if row.settled < 3 else 1.5)  # clear of the settled level
        page.text(PLOT_LEFT + away * SLOT, middle - 0.065, said, color=QUIET, ha="center")


def _aside(row: Row) -> list[tuple[str, dict[str, Any]]]:
    """Text at the right of a row: settled level, gap, split groups."""
    settled = row.settled is not None
    level = f"arbitré{NBSP}: {format_level(row.settled)}" if row.settled is not None else "non arbitré"
    out: list[tuple[str, dict[str, Any]]] = [(level, {"bold": settled, "color": INK if settled else QUIET})]
    parts = []
    if row.gap is not None:
        parts.append(f"écart {format_level(row.gap)}{', à débattre' if row.debate else ''}")
        parts += row.caveats
    parts += [f"partagé{NBSP}: {name}" for name in row.split]
    for text in parts:
        out += [(line, {}) for line in wrap(text, WIDTH - ASIDE_LEFT)]
    return out


def _secrets(row: Row) -> list[str]:
    """Groups whose median is secret, in words, under the title of the row."""
    if not row.hidden:
        return []
    if len(row.hidden) == 1:
        text = f"secret{NBSP}: {row.hidden[0].name} (n{NBSP}={NBSP}{format_number(row.hidden[0].n)})"
    else:
        text = f"secret (n){NBSP}: " + ", ".join(f"{p.name}{NBSP}{format_number(p.n)}" for p in row.hidden)
    return wrap(text, PLOT_LEFT - 0.1, max_lines=4)


def _count_grid(row: Row) -> tuple[float, int]:
    """Width of a cell « mark, number » and cells on a line."""
    widest = max((text_width(format_number(p.n)) for p in row.shown), default=0.0)
    step = max(0.46, widest + 0.22)
    return step, max(1, int((WIDTH - ASIDE_LEFT - 0.08) / step))


def _draw_counts(page: Page, referentiel: Referentiel, row: Row, y: float) -> None:
    """Number of ratings of each group, after its mark."""
    step, per_line = _count_grid(row)
    for rank, point in enumerate(row.shown):
        x = ASIDE_LEFT + 0.2 + (rank % per_line) * step
        top = y + (rank // per_line) * 0.155
        color, shape = group_style(referentiel, point.code)
        if rank == 0:
            page.text(ASIDE_LEFT, top, "n", color=QUIET)
        page.marker([x], [top + 0.067], shape=shape, color=color, size=6)
        page.text(x + 0.08, top, format_number(point.n), color=QUIET)


def _draw_key(page: Page, referentiel: Referentiel, rows: Sequence[Row]) -> float:
    """Names of the marks, on as many lines as needed; returns the y below."""
    codes = [g for g in referentiel.groupes_par_code if any(p.code == g for row in rows for p in row.shown)]
    entries: list[tuple[str, str]] = [(code, clean(referentiel.groupes_par_code[code].pluriel)) for code in codes]
    entries += [("#niveau", "niveau arbitré")] if any(row.settled is not None for row in rows) else []
    entries += [("#ecart", "écart entre les groupes")] if any(row.gap for row in rows) else []
    x, y = 0.0, 0.02
    for code, raw in entries:
        name = wrap(raw, 2.4, max_lines=1)[0]
        sign = {"#niveau": 0.27, "#ecart": 0.4}.get(code, 0.17)
        width = sign + text_width(name)
        if x and x + width > WIDTH:
            x, y = 0.0, y + 0.19
        middle = y + 0.065
        if code == "#niveau":
            page.rect(x, y - 0.01, 0.2, 0.15, face=PALE, edge=INK, lw=1.4)
        elif code == "#ecart":
            page.line([x, x + 0.33], [middle, middle], color=LINK, lw=4)
        else:
            color, shape = group_style(referentiel, code)
            page.marker([x + 0.06], [middle], shape=shape, color=color)
        page.text(x + sign, y, name)
        x += width + 0.22
    return y + (0.27 if entries else 0)


def _draw_level_names(page: Page, referentiel: Referentiel, y: float) -> float:
    """Names of the six levels under the axis, every other one lower, so that each has the width of two slots."""
    lowest = y
    for step in sorted(referentiel.echelle.niveaux, key=lambda s: s.niveau):
        low = step.niveau % 2 == 1
        if low:
            page.line([_x(step.niveau)] * 2, [y - 0.05, y + 0.15], color=GRID)
        lines = wrap(step.nom, 2 * SLOT - 0.06, max_lines=3 if low else 1)
        lowest = max(lowest, page.paragraph(_x(step.niveau), y + (0.17 if low else 0), lines, ha="center", color=QUIET))
    return lowest + 0.05


def _groups_alt(question: str, rows: Sequence[Row]) -> str:
    """One short sentence a row; what holds for several rows is said once, first."""
    sentences = [f"{question}, niveaux de 0 à 5."]
    marked = (
        ("Médiane d’un groupe ou plus sous secret", [row.code for row in rows if row.hidden]),
        ("Effectifs faibles", [row.code for row in rows if WEAK in row.caveats]),
        ("Écart qui tient à la position de l’institution", [row.code for row in rows if INSTITUTION in row.caveats]),
    )
    sentences += [f"{said} : {list_names(codes)}." for said, codes in marked if codes]
    for row in rows:
        medians = _stack(row)
        parts = [f"arbitré {format_level(row.settled)}" if row.settled is not None else "non arbitré"]
        if medians:
            low, high = format_level(min(medians)), format_level(max(medians))
            said = f"groupes à {low}" if low == high else f"groupes de {low} à {high}"
            debate = ", à débattre" if row.debate else ""
            parts.append(f"{said}{debate} (n = {sum(p.n for p in row.shown)})")
        else:
            parts.append("aucune médiane publiée" if row.hidden else "aucune cotation")
        sentences.append(f"{row.code} : {', '.join(parts)}.")
    return shorten_alt(sentences)


def _groups_base(rows: Sequence[Row]) -> str:
    ratings = sum(p.n for row in rows for p in row.points)
    settled = sum(row.settled is not None for row in rows)
    return (
        f"{plural(len(rows), 'sous-question applicable')}, {settled} {'arbitrée' if settled < 2 else 'arbitrées'} ; "
        f"{plural(ratings, 'cotation exprimée')}"
    )


def _groups_note(rows: Sequence[Row], excluded: Sequence[str]) -> str:
    notes = []
    if any(row.hidden for row in rows):
        notes.append("Secret : trop peu de cotations dans le groupe pour que sa médiane soit publiée.")
    if excluded:
        notes.append(f"Sans objet pour ce territoire : {list_names(excluded)}.")
    return " ".join(notes)


def _gap_cell(row: Row) -> str:
    if row.gap is None:
        return "—"
    return ", ".join([format_level(row.gap), *(["à débattre"] if row.debate else []), *row.caveats])


def _groups_table(referentiel: Referentiel, rows: Sequence[Row], groups: Sequence[str]) -> pd.DataFrame:
    names = {code: clean(referentiel.groupes_par_code[code].court) for code in groups}
    out = []
    for row in rows:
        cells = dict.fromkeys(names.values(), "aucune cotation")
        for point in row.points:
            if point.median is not None:
                cells[names[point.code]] = f"{format_level(point.median)} (n = {point.n})"
            elif point.status == "secret":
                cells[names[point.code]] = f"secret (n = {point.n})"
        out.append(
            {
                "Sous-question": f"{row.code} {clean(row.title)}",
                "Niveau arbitré": "non arbitré" if row.settled is None else format_level(row.settled),
                **cells,
                "Écart": _gap_cell(row),
            }
        )
    return text_frame(out, ["Sous-question", "Niveau arbitré", *names.values(), "Écart"])


# --- the ladder ----------------------------------------------------------------------------------------------------


def draw_ladder(publication: Publication, sous_question: str) -> Chart | None:
    """The six steps of a sub-question with their descriptors, the settled one framed, the groups' medians beside.

    Returns None when the sub-question does not apply or when nothing is known of it (no settled level, no rating).

    Raises
    ------
    TypeError
        Not a ``Publication``.
    """
    require_publication(publication)
    sub = publication.referentiel.sous_questions[sous_question]
    level = _levels_by_code(publication).get(sous_question)
    if level is None or not level.applicable:
        return None
    row = read_row(publication, level, sub)
    if row.settled is None and not row.shown:
        return None
    page = Page()
    height = _draw_steps(page, publication.referentiel, sub, row)
    note = [f"{p.name.replace(NBSP, ' ')} : secret (n = {p.n})" for p in row.hidden]
    return make_chart(
        page,
        height,
        publication,
        identifiant=f"echelle-{sous_question}",
        titre=f"{sous_question} – {clean(sub.titre)} : position sur l’échelle",
        alt=_ladder_alt(sub, row),
        unite=UNIT_LEVEL,
        base=plural(sum(p.n for p in row.points), "cotation exprimée"),
        source=describe_source(publication),
        note=capitalize(" ; ".join(note)) + "." if note else "",
        donnees=_ladder_table(sub, row),
    )


STEP_TEXT, STEP_RIGHT = 0.42, 4.75


def _draw_steps(page: Page, referentiel: Referentiel, sub: SousQuestion, row: Row) -> float:
    y = 0.02
    page.text(STEP_RIGHT + 0.2, y, "Médiane des groupes", color=QUIET)
    y += 0.2
    names = {step.niveau: clean(step.nom) for step in referentiel.echelle.niveaux}
    for level in reversed(LEVELS):
        here = [p for p in row.shown if p.median == level]
        between = [p for p in row.shown if p.median == level - 0.5]
        settled = row.settled == level
        head = wrap(
            names.get(level, ""), STEP_RIGHT - STEP_TEXT - (1.25 if settled else 0.1), bold=settled, max_lines=1
        )
        lines = wrap(sub.echelle.niveaux.get(level, ""), STEP_RIGHT - STEP_TEXT - 0.12, SIZE, max_lines=8)
        height = max(0.29 + len(lines) * 0.15, len(here) * 0.17 + 0.12)
        page.rect(
            0,
            y,
            STEP_RIGHT,
            height,
            face=PALE if settled else "none",
            edge=INK if settled else GRID,
            lw=1.6 if settled else 0.7,
        )
        page.text(0.21, y + 0.07, str(level), size=13, bold=settled, color=INK if settled else QUIET, ha="center")
        page.text(STEP_TEXT, y + 0.06, head[0], bold=settled, color=INK if settled else QUIET)
        if settled:
            page.text(STEP_RIGHT - 0.08, y + 0.06, "niveau arbitré", bold=True, ha="right")
        page.paragraph(STEP_TEXT, y + 0.215, lines, size=SIZE, step=0.15)
        _draw_beside(page, referentiel, here, y + height / 2)
        y += height
        gap = len(between) * 0.17 + (0.06 if between else 0.07)
        _draw_beside(page, referentiel, between, y + gap / 2)
        y += gap
    if row.settled is None:
        page.text(0, y, "Niveau non arbitré", bold=True)
        y += 0.17
    return y + 0.02


def _draw_beside(page: Page, referentiel: Referentiel, points: Sequence[GroupPoint], middle: float) -> None:
    for rank, point in enumerate(points):
        y = middle + (rank - (len(points) - 1) / 2) * 0.17
        color, shape = group_style(referentiel, point.code)
        page.line([STEP_RIGHT + 0.03, STEP_RIGHT + 0.16], [y, y], color=BAND, lw=1)
        page.marker([STEP_RIGHT + 0.22], [y], shape=shape, color=color)
        end = f" (n{NBSP}={NBSP}{point.n})"
        if not float(point.median or 0).is_integer():
            end = f"{NBSP}: {format_level(point.median or 0)}{end}"
        room = WIDTH - STEP_RIGHT - 0.34 - text_width(end)
        page.text(STEP_RIGHT + 0.34, y - 0.067, wrap(point.name, room, max_lines=1)[0] + end)


def _ladder_alt(sub: SousQuestion, row: Row) -> str:
    sentences = [f"{sub.code}."]
    if row.settled is None:
        sentences.append("Niveau non arbitré.")
    else:
        text = wrap(sub.echelle.niveaux.get(int(row.settled), ""), 18, max_lines=1)[0]
        sentences.append(f"Niveau arbitré {format_level(row.settled)} sur 5 : « {text} ».")
    if row.shown:
        said = [f"{p.name} {format_level(p.median or 0)} (n = {p.n})" for p in row.shown]
        sentences.append(f"Médianes des groupes : {list_names(said)}.")
    if row.hidden:
        sentences.append(f"Sous secret : {list_names(f'{p.name} (n = {p.n})' for p in row.hidden)}.")
    if row.gap:
        caveats = f" ({', '.join(row.caveats)})" if row.caveats else ""
        sentences.append(f"Écart {format_level(row.gap)}{', à débattre' if row.debate else ''}{caveats}.")
    return shorten_alt(sentences)


def _ladder_table(sub: SousQuestion, row: Row) -> pd.DataFrame:
    out = []
    for level in LEVELS:
        here = [f"{p.name} {format_level(p.median or 0)} (n = {p.n})" for p in row.shown if _step_of(p.median) == level]
        out.append(
            {
                "Niveau": str(level),
                "Descripteur": clean(sub.echelle.niveaux.get(level, "")),
                "Niveau arbitré": "oui" if row.settled == level else "",
                "Médianes des groupes": ", ".join(here).replace(NBSP, " "),
            }
        )
    return text_frame(out, ["Niveau", "Descripteur", "Niveau arbitré", "Médianes des groupes"])


def _step_of(median: float | None) -> int:
    """A median between two steps is listed on the lower one, with its value."""
    return -1 if median is None else int(median)


# --- coverage ------------------------------------------------------------------------------------------------------


def draw_coverage(publication: Publication) -> Chart | None:
    """One square per applicable sub-question, full when its level is settled; None when none is.

    Raises
    ------
    TypeError
        Not a ``Publication``.
    """
    require_publication(publication)
    table = publication.questions
    rows = [r for r in rows_of(table) if r.n_applicables > 0]
    settled, total = sum(int(r.n_arbitrees) for r in rows), sum(int(r.n_applicables) for r in rows)
    if not settled:
        return None
    page = Page()
    height = _draw_squares(page, publication.referentiel, rows)
    outside = [str(r.question) for r in rows_of(table) if r.n_applicables == 0]
    said = [f"{r.question} : {r.n_arbitrees} sur {r.n_applicables}" for r in rows]
    return make_chart(
        page,
        height,
        publication,
        identifiant="couverture",
        titre="Sous-questions dont le niveau est arbitré",
        alt=shorten_alt(
            [
                f"{settled} sous-questions arbitrées sur {total} applicables."
                if settled > 1
                else f"1 sous-question arbitrée sur {total} applicables.",
                *(f"{s}." for s in said),
            ]
        ),
        unite="nombre de sous-questions",
        base=plural(total, "sous-question applicable"),
        source=describe_source(publication),
        note=f"Sans objet pour ce territoire : {list_names(outside)}." if outside else "",
        donnees=text_frame(
            [
                {
                    "Question": f"{r.question} {clean(publication.referentiel.questions_par_code[str(r.question)].titre)}",
                    "Arbitrées": str(r.n_arbitrees),
                    "Applicables": str(r.n_applicables),
                    "Couverture": format_percent(100 * r.n_arbitrees / r.n_applicables),
                }
                for r in rows
            ],
            ["Question", "Arbitrées", "Applicables", "Couverture"],
        ),
    )


def _draw_squares(page: Page, referentiel: Referentiel, rows: Sequence[Any]) -> float:
    y, left, side, step = 0.02, 2.75, 0.19, 0.25
    page.rect(left, y, 0.13, 0.13, face=ACCENT, edge=ACCENT)
    page.text(left + 0.2, y, "niveau arbitré")
    page.rect(left + 1.25, y, 0.13, 0.13, edge=QUIET, lw=1)
    page.text(left + 1.45, y, "pas encore arbitré")
    y += 0.24
    per_line = min(int((WIDTH - left - 1.2) / step), max(int(row.n_applicables) for row in rows))
    for row in rows:
        lines = label_lines(str(row.question), referentiel.questions_par_code[str(row.question)].titre, left - 0.2, 3)
        bands = -(-int(row.n_applicables) // per_line)
        height = max(len(lines) * 0.15, bands * step) + 0.12
        page.line([0, WIDTH], [y, y], color=GRID)
        page.paragraph(0, y + 0.06, lines, size=SIZE, step=0.15)
        for i in range(int(row.n_applicables)):
            x, top = left + (i % per_line) * step, y + 0.06 + (i // per_line) * step
            full = i < row.n_arbitrees
            page.rect(x, top, side, side, face=ACCENT if full else "white", edge=ACCENT if full else QUIET, lw=1)
        text = f"{row.n_arbitrees} sur {row.n_applicables}"
        page.text(left + per_line * step + 0.15, y + 0.085, text, size=SIZE, bold=True)
        y += height
    page.line([0, WIDTH], [y, y], color=GRID)
    return y + 0.03
