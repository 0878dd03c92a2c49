"""Charts of a synthesis: how many territories stand at each level, never which one is first.

Each row is a small histogram on the six levels, all rows on one scale, the number of territories over each bar: a level
held by one territory of forty stays readable, which a slice of a stacked bar would not, and no colour has to be matched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalkit.charts.theme import (
    ACCENT,
    BAND,
    GRID,
    INK,
    LINE,
    PALE,
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
    wrap,
)
from evalkit.wording import format_number, format_percent, plural, sort_key

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.compute.results import PublicationSynthese
    from evalkit.model.referentiel import Referentiel

LEVELS = range(6)
PLOT_LEFT, SLOT, ASIDE_LEFT = 2.2, 0.46, 5.1
BAR_HEIGHT = 0.34


@dataclass(frozen=True)
class Histogram:
    """Territories by level for one sub-question or one question; ``counts`` None: ``reason`` says why."""

    code: str
    title: str
    counts: tuple[float | None, ...] | None  # None in a cell: secret
    reason: str
    n: int
    others: tuple[str, ...]  # territories that are not counted, in words


# --- levels of the sub-questions -----------------------------------------------------------------------------------


def draw_synthesis_levels(pub_synthese: PublicationSynthese, question: str) -> Chart | None:
    """Territories by settled level, a row per sub-question; a secret row says so.

    Returns None when no territory has settled any sub-question of the question.

    Raises
    ------
    TypeError
        Not a ``PublicationSynthese``.
    """
    require_publication(pub_synthese)
    asked = pub_synthese.referentiel.questions_par_code[question]
    titles = {sub.code: clean(sub.titre) for sub in asked.sous_questions}
    table = pub_synthese.tables["niveaux"]
    rows = _histograms(pub_synthese, table[table["question"] == question], "sous_question", titles, _others_levels)
    if not any(row.n and row.counts is not None for row in rows):  # all secret: a chart would be empty
        return None
    return _chart(
        pub_synthese,
        rows,
        identifiant=f"synthese-niveaux-{question}",
        titre=f"{question} – {clean(asked.titre)} : territoires selon le niveau arbitré de chaque sous-question",
        head="Sous-question",
    )


def draw_synthesis_questions(pub_synthese: PublicationSynthese) -> Chart | None:
    """Territories by level of each question, for those where it could be computed; None when it never could.

    Raises
    ------
    TypeError
        Not a ``PublicationSynthese``.
    """
    require_publication(pub_synthese)
    titles = {code: clean(q.titre) for code, q in pub_synthese.referentiel.questions_par_code.items()}
    rows = _histograms(pub_synthese, pub_synthese.tables["questions"], "question", titles, _others_questions)
    if not any(row.n and row.counts is not None for row in rows):  # all secret: a chart would be empty
        return None
    return _chart(
        pub_synthese,
        rows,
        identifiant="synthese-questions",
        titre="Territoires selon le niveau de chaque question (médiane des niveaux arbitrés)",
        head="Question",
    )


def _others_levels(row: Any) -> tuple[str, ...]:
    said = []
    if row.n_non_arbitre:
        said.append(f"non arbitré : {format_number(row.n_non_arbitre)}")
    if row.n_non_applicable:
        said.append(f"sans objet : {format_number(row.n_non_applicable)}")
    return tuple(said)


def _others_questions(row: Any) -> tuple[str, ...]:
    named = (
        ("couverture insuffisante", row.n_couverture_insuffisante),
        ("aucun niveau arbitré", row.n_aucun_arbitrage),
        ("sans objet", row.n_non_applicable),
    )
    return tuple(f"{label} : {format_number(n)}" for label, n in named if n)


def _histograms(
    publication: PublicationSynthese, table: pd.DataFrame, key: str, titles: dict[str, str], others: Any
) -> list[Histogram]:
    """One histogram per code, in the order of the framework."""
    threshold = int(publication.referentiel.seuil("seuil_territoires"))
    out = []
    for code, title in titles.items():
        rows = table[table[key] == code].sort_values("niveau", kind="stable")
        if rows.empty:
            continue
        first = rows_of(rows)[0]
        reasons = {"secret": f"secret (moins de {threshold} territoires)", "aucun_arbitrage": "aucun niveau arbitré"}
        reason = reasons.get(str(first.statut), "")
        counts = None if reason else tuple(float(v) if has_value(v) else None for v in rows["n"])
        out.append(Histogram(code, title, counts, reason, int(first.n_territoires), others(first)))
    return out


def _chart(
    publication: PublicationSynthese, rows: Sequence[Histogram], *, identifiant: str, titre: str, head: str
) -> Chart:
    page = Page()
    height = _draw_histograms(page, publication.referentiel, rows)
    some = any(None in (row.counts or ()) for row in rows)
    return make_chart(
        page,
        height,
        publication,
        identifiant=identifiant,
        titre=titre,
        alt=_alt(rows),
        unite="nombre de territoires à chaque niveau, de 0 à 5",
        base=f"{plural(len(publication.territoires), 'territoire')} ; n de chaque ligne : territoires comptés",
        source=describe_source(publication),
        note="« s » : secret." if some else "",
        donnees=_table(rows, head),
    )


def _draw_histograms(page: Page, referentiel: Referentiel, rows: Sequence[Histogram]) -> float:
    y = 0.02
    for level in LEVELS:
        page.text(_x(level), y, str(level), bold=True, color=QUIET, ha="center")
    y += 0.19
    largest = max((v for row in rows for v in (row.counts or ()) if v is not None), default=1.0) or 1.0
    for row in rows:
        label = label_lines(row.code, row.title, PLOT_LEFT - 0.15)
        aside = [line for text in row.others for line in wrap(text, WIDTH - ASIDE_LEFT)]
        height = max(len(label) * 0.15, (1 + len(aside)) * LINE, BAR_HEIGHT + 0.2 if row.counts else 0.2) + 0.14
        page.line([0, WIDTH], [y, y], color=GRID)
        page.paragraph(0, y + 0.07, label, size=SIZE, step=0.15)
        page.text(ASIDE_LEFT, y + 0.07, f"n = {format_number(row.n)}", bold=True)
        page.paragraph(ASIDE_LEFT, y + 0.07 + LINE, aside, color=QUIET)
        _draw_histogram(page, row, y + height - 0.07, largest)
        y += height
    page.line([0, WIDTH], [y, y], color=BAND)
    return _draw_names(page, referentiel, y + 0.05)


def _x(level: float) -> float:
    return PLOT_LEFT + (level + 0.5) * SLOT


def _draw_histogram(page: Page, row: Histogram, floor: float, largest: float) -> None:
    if row.counts is None:
        page.text(_x(2.5), floor - 0.16, row.reason, color=QUIET, ha="center")
        return
    page.line([_x(-0.4), _x(5.4)], [floor, floor], color=BAND, lw=0.8)
    for level, count in enumerate(row.counts):
        tall = BAR_HEIGHT * (count or 0) / largest
        if count:
            page.rect(_x(level) - 0.15, floor - tall, 0.3, tall, face=ACCENT)
        said = "s" if count is None else format_number(count)
        page.text(_x(level), floor - tall - 0.15, said, color=INK if count else QUIET, ha="center")


def _draw_names(page: Page, referentiel: Referentiel, y: float) -> float:
    lowest = y
    for step in sorted(referentiel.echelle.niveaux, key=lambda s: s.niveau):
        low = step.niveau % 2 == 1
        if low:
            page.line([_x(step.niveau)] * 2, [y - 0.05, y + 0.15], color=GRID)
        lines = wrap(step.nom, 2 * SLOT - 0.02, max_lines=3 if low else 1)
        lowest = max(lowest, page.paragraph(_x(step.niveau), y + (0.17 if low else 0), lines, ha="center", color=QUIET))
    return lowest + 0.05


def _alt(rows: Sequence[Histogram]) -> str:
    sentences = []
    for row in rows:
        if row.counts is None:
            sentences.append(f"{row.code} : {row.reason}.")
            continue
        said = [
            f"{'secret' if v is None else format_number(v)} au niveau {i}"
            for i, v in enumerate(row.counts)
            if v is None or v
        ]
        sentences.append(f"{row.code} (n = {row.n}) : {', '.join(said)}.")
    return shorten_alt(["Nombre de territoires par niveau.", *sentences])


def _table(rows: Sequence[Histogram], head: str) -> pd.DataFrame:
    columns = [head, *(f"Niveau {level}" for level in LEVELS), "n", "Non comptés"]
    out = []
    for row in rows:
        cells = (
            [row.reason or "secret"] * 6
            if row.counts is None
            else ["secret" if v is None else format_number(v) for v in row.counts]
        )
        out.append(
            dict(
                zip(
                    columns,
                    [f"{row.code} {row.title}", *cells, format_number(row.n), " ; ".join(row.others) or "—"],
                    strict=True,
                )
            )
        )
    return text_frame(out, columns)


# --- coverage ------------------------------------------------------------------------------------------------------


def draw_synthesis_coverage(pub_synthese: PublicationSynthese) -> Chart | None:
    """Median coverage of each question over the territories; None when no question has one.

    Raises
    ------
    TypeError
        Not a ``PublicationSynthese``.
    """
    require_publication(pub_synthese)
    table = pub_synthese.tables["questions"].drop_duplicates("question")
    by_code = {str(row.question): row for row in rows_of(table)}
    rows = [by_code[code] for code in pub_synthese.referentiel.questions_par_code if code in by_code]
    known = [row for row in rows if has_value(row.couverture_mediane)]
    if not any(row.couverture_mediane > 0 for row in known):
        return None
    page = Page()
    height = _draw_coverage(page, pub_synthese.referentiel, rows)
    titles = {code: clean(q.titre) for code, q in pub_synthese.referentiel.questions_par_code.items()}
    said = [f"{row.question} : {_coverage_text(row)}" for row in rows]
    return make_chart(
        page,
        height,
        pub_synthese,
        identifiant="synthese-couverture",
        titre="Couverture médiane des questions : part des sous-questions dont le niveau est arbitré",
        alt=shorten_alt(["Couverture médiane des territoires.", *(f"{s}." for s in said)]),
        unite="pour cent des sous-questions applicables d’un territoire (médiane des territoires)",
        base=plural(len(pub_synthese.territoires), "territoire"),
        source=describe_source(pub_synthese),
        note="",
        donnees=text_frame(
            [
                {
                    "Question": f"{row.question} {titles[str(row.question)]}",
                    "Couverture médiane": _coverage(row),
                    "Niveau calculé": format_number(row.n_territoires),
                    "Sans niveau": " ; ".join(_others_questions(row)) or "—",
                }
                for row in rows
            ],
            ["Question", "Couverture médiane", "Niveau calculé", "Sans niveau"],
        ),
    )


def _coverage(row: Any) -> str:
    value = row.couverture_mediane
    return format_percent(100 * value) if has_value(value) else "secret ou sans objet"


def _coverage_text(row: Any) -> str:
    return f"{_coverage(row)}, niveau calculé pour {plural(row.n_territoires, 'territoire')}"


def _draw_coverage(page: Page, referentiel: Referentiel, rows: Sequence[Any]) -> float:
    y, right = 0.02, 4.4
    for row in rows:
        label = label_lines(
            str(row.question), referentiel.questions_par_code[str(row.question)].titre, PLOT_LEFT - 0.15
        )
        aside = wrap(f"niveau calculé : {format_number(row.n_territoires)}", WIDTH - ASIDE_LEFT)
        height = max(len(label) * 0.15, len(aside) * LINE, 0.24) + 0.14
        page.line([0, WIDTH], [y, y], color=GRID)
        page.paragraph(0, y + 0.07, label, size=SIZE, step=0.15)
        page.paragraph(ASIDE_LEFT, y + 0.07, aside, color=QUIET)
        value = row.couverture_mediane
        if has_value(value):
            page.rect(PLOT_LEFT, y + 0.07, right - PLOT_LEFT, 0.17, face=PALE, edge=BAND, lw=0.6)
            page.rect(PLOT_LEFT, y + 0.07, (right - PLOT_LEFT) * value, 0.17, face=ACCENT)
            page.text(right + 0.1, y + 0.085, format_percent(100 * value), bold=True)
        else:
            page.text(PLOT_LEFT, y + 0.085, _coverage(row), color=QUIET)
        y += height
    page.line([0, WIDTH], [y, y], color=GRID)
    return y + 0.03


# --- with names, restricted ----------------------------------------------------------------------------------------

SHORT_STATUS = {
    "couverture_insuffisante": ("insuff.", "couverture insuffisante"),
    "aucun_arbitrage": ("aucun", "aucun niveau arbitré"),
    "non_applicable": ("s. o.", "sans objet"),
    "secret": ("secret", "secret"),
}
NAME_WIDTH = 1.85
RESTRICTED = "Diffusion restreinte"


def draw_synthesis_nominatif(pub_synthese: PublicationSynthese) -> Chart | None:
    """Level of each question by territory, territories in alphabetical order, marked « diffusion restreinte ».

    Returns None unless the synthesis was protected for a restricted use (``nominatif``) and some question has a level.

    Raises
    ------
    TypeError
        Not a ``PublicationSynthese``.
    """
    require_publication(pub_synthese)
    table = pub_synthese.tables.get("nominatif")
    if not pub_synthese.nominatif or table is None or not (table["statut"] == "calcule").any():
        return None
    codes = [code for code in pub_synthese.referentiel.questions_par_code if code in set(table["question"])]
    cells = {(str(row.territoire), str(row.question)): row for row in rows_of(table)}
    names = table.drop_duplicates("territoire")[["territoire", "nom"]].itertuples(index=False, name=None)
    territories = sorted(names, key=lambda pair: (_alphabetical(str(pair[1])), pair[0]))
    page = Page()
    height = _draw_named(page, codes, territories, cells)
    used = {str(row.statut) for row in cells.values()} & set(SHORT_STATUS)
    return make_chart(
        page,
        height,
        pub_synthese,
        identifiant="synthese-nominatif",
        titre="Niveau de chaque question par territoire, par ordre alphabétique (diffusion restreinte)",
        alt=_named_alt(codes, territories, cells),
        unite="niveau de la question, de 0 à 5 (médiane des niveaux arbitrés)",
        base=plural(len(territories), "territoire"),
        source=describe_source(pub_synthese),
        note=" ; ".join(f"« {s} » : {long}" for code, (s, long) in SHORT_STATUS.items() if code in used).capitalize(),
        donnees=_named_table(codes, territories, cells),
    )


def _draw_named(
    page: Page, codes: Sequence[str], territories: Sequence[tuple[str, str]], cells: dict[tuple[str, str], Any]
) -> float:
    step = (WIDTH - NAME_WIDTH) / len(codes)
    track = min(0.5, step * 0.6)
    page.text(0, 0.02, RESTRICTED.upper(), bold=True)
    y = 0.02
    for rank, code in enumerate(codes):
        page.text(
            NAME_WIDTH + rank * step, y, wrap(code, step - 0.05, bold=True, max_lines=1)[0], bold=True, color=QUIET
        )
    y += 0.2
    marks: tuple[list[float], list[float]] = ([], [])
    for line, (folder, name) in enumerate(territories):
        lines = wrap(name or folder, NAME_WIDTH - 0.1, max_lines=2)
        height = max(0.19, len(lines) * LINE + 0.05)
        if line % 5 == 0:
            page.line([0, WIDTH], [y, y], color=GRID)
        page.paragraph(0, y + (height - len(lines) * LINE) / 2, lines)
        middle = y + height / 2
        for rank, code in enumerate(codes):
            row = cells.get((folder, code))
            x = NAME_WIDTH + rank * step
            if row is None or not has_value(row.mediane):
                page.text(x, middle - 0.067, _short(row), color=QUIET)
                continue
            page.line([x, x + track], [middle, middle], color=BAND, lw=0.8)
            marks[0].append(x + track * row.mediane / 5)
            marks[1].append(middle)
            page.text(x + track + 0.09, middle - 0.067, format_level(row.mediane), bold=True)
        y += height
    page.marker(*marks, color=ACCENT, size=6.5)
    page.line([0, WIDTH], [y, y], color=GRID)
    return y + 0.04


def _alphabetical(name: str) -> tuple[str, str]:
    """Order by the place: « Contrat de ville d’Aldrebourg » stands under A."""
    return sort_key(re.sub(r"(?i)^contrats? de ville (de la |de l['’]|du |des |de |d['’])?", "", name))


def _short(row: Any) -> str:
    return "—" if row is None else SHORT_STATUS.get(str(row.statut), ("—", ""))[0]


def _named_alt(codes: Sequence[str], territories: Sequence[tuple[str, str]], cells: dict[tuple[str, str], Any]) -> str:
    sentences = [
        f"{RESTRICTED}. Niveau des questions de {plural(len(territories), 'territoire')}, par ordre alphabétique."
    ]
    for folder, name in territories:
        said = [f"{code} {_cell(cells.get((folder, code)))}" for code in codes]
        sentences.append(f"{name or folder} : {', '.join(said)}.")
    return shorten_alt(sentences)


def _cell(row: Any) -> str:
    if row is None:
        return "—"
    if has_value(row.mediane):
        return format_level(row.mediane)
    return SHORT_STATUS.get(str(row.statut), ("", "—"))[1]


def _named_table(
    codes: Sequence[str], territories: Sequence[tuple[str, str]], cells: dict[tuple[str, str], Any]
) -> pd.DataFrame:
    rows = [
        {"Territoire": clean(name or folder), **{code: _cell(cells.get((folder, code))) for code in codes}}
        for folder, name in territories
    ]
    return text_frame(rows, ["Territoire", *codes])
