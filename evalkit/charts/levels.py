"""Where each question stands on the levels 0 to 5: the one chart of the steering committee's pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalkit.charts.theme import (
    ACCENT,
    BAND,
    GRID,
    INK,
    QUIET,
    SIZE,
    WIDTH,
    Chart,
    Page,
    clean,
    describe_source,
    format_level,
    has_value,
    label_lines,
    make_chart,
    require_publication,
    rows_of,
    shorten_alt,
    text_frame,
)
from evalkit.compute.maturity import count_left_to_settle
from evalkit.wording import at_least_left, capitalize, label_status, plural

if TYPE_CHECKING:
    from evalkit.compute.results import Publication
    from evalkit.model.referentiel import Referentiel

LEVELS = range(6)
SCALE = (float(LEVELS[0]), float(LEVELS[-1]))
LEFT, SLOT, ASIDE = 2.35, 0.46, 5.05  # inches: labels, levels, words
ROW = 0.33
LOWEST = "Plus bas niveau d’une sous-question"
TO_SETTLE = "à arrêter en réunion"
REST = "Selon ce qui reste à arrêter"


@dataclass(frozen=True)
class QuestionLevel:
    """What is published of one question."""

    code: str
    titre: str
    niveau: float | None  # None: no level, `raison` says why
    plus_bas: float | None
    bornes: tuple[float, float] | None  # None where they would say nothing more
    arbitrees: str
    raison: str
    reste: int  # sub-questions that a meeting must still settle before there is a level


def read_levels(publication: Publication) -> list[QuestionLevel]:
    """Questions of the evaluated modules, in their order."""
    titles = publication.referentiel.questions_par_code
    least = publication.referentiel.seuil("couverture_minimale")
    return [_read(row, titles[str(row.question)].titre, least) for row in rows_of(publication.questions)]


def _read(row: Any, titre: str, least: float) -> QuestionLevel:
    known = row.statut == "calcule"
    low, high = row.borne_basse, row.borne_haute
    bounds = (float(low), float(high)) if has_value(low) and has_value(high) and low != high else None
    if bounds == SCALE:
        bounds = None  # « de 0 à 5 » is not a finding, and a full bar could be read as the highest level
    return QuestionLevel(
        code=str(row.question),
        titre=clean(titre),
        niveau=float(row.mediane) if known else None,
        plus_bas=float(row.minimum) if known else None,
        bornes=bounds,
        arbitrees=f"{int(row.n_arbitrees)} sur {int(row.n_applicables)}",
        raison="" if known else label_status(str(row.statut)),
        reste=count_left_to_settle(int(row.n_arbitrees), int(row.n_applicables), least),
    )


def draw_question_levels(publication: Publication) -> Chart | None:
    """The level of each question, its lowest settled level, and where it could still go; None without a settled level.

    Raises
    ------
    TypeError
        Not a ``Publication``.
    """
    require_publication(publication)
    rows = read_levels(publication)
    if not int(publication.questions["n_arbitrees"].sum()):
        return None
    page = Page()
    height = _draw(page, rows)
    total = int(publication.questions["n_applicables"].sum())
    return make_chart(
        page,
        height,
        publication,
        identifiant="niveaux-des-questions",
        titre="Niveau de chaque question, de 0 à 5",
        alt=shorten_alt(_said(row) for row in rows),
        unite="niveau de maturité, de 0 à 5 (médiane basse des niveaux arbitrés)",
        base=plural(total, "sous-question applicable"),
        source=describe_source(publication),
        donnees=levels_table(publication.referentiel, rows),
    )


def _said(row: QuestionLevel) -> str:
    if row.niveau is None or row.plus_bas is None:
        return f"{row.code} {row.titre} : pas de niveau, {_why(row)}."
    level, lowest = format_level(row.niveau), format_level(row.plus_bas)
    return f"{row.code} {row.titre} : niveau {level}, sous-question la plus basse {lowest}."


def _why(row: QuestionLevel) -> str:
    return f"à arrêter ({at_least_left(row.reste)})" if row.reste else row.raison


def levels_table(referentiel: Referentiel, rows: Sequence[QuestionLevel]) -> Any:
    """The same values, printable."""
    names = {step.niveau: step.nom for step in referentiel.echelle.niveaux}

    def named(level: float | None, why: str) -> str:
        return why if level is None else f"{format_level(level)}\u00a0·\u00a0{names[int(level)]}"

    lines = [
        {
            "Question": f"{row.code} — {row.titre}",
            "Niveau": named(
                row.niveau, "À arrêter" if row.reste else capitalize(row.raison)
            ),  # how many: the next column
            LOWEST: named(row.plus_bas, "—"),
            "Sous-questions arbitrées": row.arbitrees,
            REST: _range(row),
        }
        for row in rows
    ]
    undecided = any(row.bornes for row in rows)
    return text_frame(lines, [name for name in lines[0] if name != REST or undecided])


def _range(row: QuestionLevel) -> str:
    if row.bornes is None:
        return "—"
    low, high = row.bornes
    return f"de {format_level(low)} à {format_level(high)}"


def _x(level: float) -> float:
    return LEFT + SLOT * (level + 0.5)


def _draw(page: Page, rows: Sequence[QuestionLevel]) -> float:
    top = _draw_key(page, any(row.bornes for row in rows))
    heights = [max(ROW, 0.15 * len(_label(row)) + 0.12) for row in rows]
    bottom = top + sum(heights)
    for level in LEVELS:
        page.line([_x(level)] * 2, [top, bottom], color=GRID)
        page.text(_x(level), bottom + 0.04, str(level), ha="center", color=QUIET)
    y = top
    for row, height in zip(rows, heights, strict=True):
        _draw_row(page, row, y, height)
        y += height
    page.line([0, WIDTH], [y, y], color=GRID)
    return y + 0.22


def _label(row: QuestionLevel) -> list[str]:
    return label_lines(row.code, row.titre, LEFT - 0.1, 2)


def _draw_key(page: Page, with_bounds: bool) -> float:
    entries = [("D", ACCENT, False, "niveau de la question"), ("o", QUIET, True, "plus bas niveau d’une sous-question")]
    x = 0.06
    for shape, color, hollow, words in entries:
        page.marker([x], [0.08], shape=shape, color=color, hollow=hollow)
        x += 0.14 + page.text(x + 0.14, 0.015, words) + 0.25
    if with_bounds:
        page.rect(x, 0.045, 0.3, 0.07, face=BAND, edge=QUIET, lw=0.7)
        page.text(x + 0.38, 0.015, "selon ce qui reste à arrêter")
    return 0.27


def _draw_row(page: Page, row: QuestionLevel, y: float, height: float) -> None:
    lines, middle = _label(row), y + height / 2
    page.line([0, WIDTH], [y, y], color=GRID)
    page.paragraph(0, middle - 0.075 * len(lines), lines, size=SIZE, step=0.15)
    if row.bornes:
        low, high = row.bornes
        page.rect(_x(low), middle - 0.035, _x(high) - _x(low), 0.07, face=BAND, edge=QUIET, lw=0.7)
    if row.niveau is None or row.plus_bas is None:
        page.text(ASIDE, middle - 0.07, TO_SETTLE if row.reste else row.raison, color=INK)
        return
    page.marker([_x(row.plus_bas)], [middle], shape="o", color=QUIET, size=10.5, hollow=True)
    page.marker([_x(row.niveau)], [middle], shape="D", color=ACCENT, size=8)
    page.text(ASIDE, middle - 0.075, f"niveau {format_level(row.niveau)}", size=SIZE, bold=True)
