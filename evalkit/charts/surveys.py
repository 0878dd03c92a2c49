"""Charts of surveys: opinions from 1 to 5 stacked on both sides of the middle, and other choices as bars.

A silence is never in a bar: it is written apart, at the right. A segment too small for its figure has it under the bar, so
that no figure vanishes; a hidden question says « secret (n = 7) ».
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    contrast,
    describe_source,
    group_name,
    has_value,
    make_chart,
    require_publication,
    rows_of,
    shorten_alt,
    text_frame,
    text_width,
    wrap,
)
from evalkit.model.survey import choice_labels
from evalkit.wording import capitalize, format_number, format_percent, label_status, plural

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.compute.results import Publication
    from evalkit.model.survey import Enquete, QuestionEnquete

NBSP = "\u00a0"
SILENCES = (
    ("n_ne_sait_pas", "ne sait pas"),
    ("n_refus", "refus"),
    ("n_non_concerne", "sans objet"),
    ("n_non_repondu", "sans réponse"),
)
# Unfavourable to favourable; told apart without red and green, and by their lightness alone once printed in grey.
DIVERGING = ("#7A2E05", "#D98C5F", "#D9DEE3", "#9CC3DD", "#0072B2")
UNIT = "part des réponses exprimées, en %"
LABEL_WIDTH, BAR_LEFT, BAR_RIGHT, ASIDE_LEFT = 2.1, 2.2, 5.35, 5.47
BAR = 0.2


@dataclass(frozen=True)
class SurveyItem:
    """One question of one questionnaire as published. ``shares``: by choice, 0 to 100, None when secret or no answer."""

    enquete: Enquete
    question: QuestionEnquete
    partie: str
    group: str  # name of the group, or of the part
    n: int
    status: str
    choices: tuple[tuple[str, str, float | None, float, float], ...]  # code, label, share, bounds (NaN: none)
    silences: tuple[tuple[str, float], ...]  # label, number (NaN: secret)
    n_silences: int
    undeclared: bool = False  # the import says that nobody stated its list (of bodies): « Autre » is all that is left

    @property
    def shown(self) -> bool:
        """Some share may be drawn."""
        return not self.undeclared and any(share is not None for _, _, share, _, _ in self.choices)

    @property
    def key(self) -> str:
        """Readable key."""
        return f"{self.enquete.code} {self.question.code}"


def read_items(publication: Publication) -> list[SurveyItem]:
    """Every question of the imported questionnaires, in their order.

    Raises
    ------
    TypeError
        Not a ``Publication``.
    """
    require_publication(publication)
    surveys = {enquete.code: enquete for enquete in publication.referentiel.enquetes}
    answers: dict[tuple[str, str, str], list[Any]] = {}
    for row in rows_of(publication.reponses):
        answers.setdefault((row.enquete, row.partie, row.question), []).append(row)
    out = []
    for row in rows_of(publication.items):
        enquete = surveys[row.enquete]
        out.append(
            SurveyItem(
                enquete=enquete,
                question=enquete.questions_par_code[row.question],
                partie=str(row.partie),
                group=part_name(publication, enquete, str(row.partie)),
                n=int(row.n_exprimes),
                status=str(row.statut),
                choices=_choices(publication, enquete, row, answers.get((row.enquete, row.partie, row.question), [])),
                silences=tuple((label, float(getattr(row, column))) for column, label in SILENCES),
                n_silences=int(row.n_concernes) - int(row.n_exprimes),
                undeclared=int(row.n_exprimes) > 0 and (row.enquete, row.question) in publication.listes_non_declarees,
            )
        )
    return out


def _label(labels: Mapping[str, str], code: str) -> str:
    """Label of an answer; one that only the survey's own list holds (a body) is written from its code."""
    return clean(labels.get(code) or code.replace("_", " ").capitalize())


def _choices(
    publication: Publication, enquete: Enquete, item: Any, rows: Iterable[Any]
) -> tuple[tuple[str, str, float | None, float, float], ...]:
    labels = choice_labels(enquete.questions_par_code[item.question], publication.territoire)
    return tuple(
        (
            str(row.choix),
            " ou ".join(_label(labels, code) for code in str(row.choix).split("+")),  # levels put together
            float(row.part) if has_value(row.part) else None,
            float(row.borne_basse),
            float(row.borne_haute),
        )
        for row in rows
    )


def part_name(publication: Publication, enquete: Enquete, partie: str) -> str:
    """Who answered: the actor group, else the part's own name."""
    part = enquete.parties_par_code[partie]
    if part.groupe is None:
        return clean(part.repondants)
    group = group_name(publication.referentiel, part.groupe).replace(NBSP, " ")
    return f"{group}, {clean(part.libelle).lower()}" if len(enquete.parties) > 1 else group


def undeclared_text() -> str:
    """What stands in place of « Autre : 100 % »; where to write the list is said to who imports, not to who reads."""
    return "liste des structures non déclarée"


def secret_text(n: int) -> str:
    """What stands in place of a hidden question.

    >>> secret_text(7)
    'secret (n\\xa0=\\xa07)'
    """
    return f"secret (n{NBSP}={NBSP}{format_number(n)})"


def silence_text(item: SurveyItem) -> str:
    """« ne sait pas 3, sans réponse 4 », « 7 silences » when their kinds are secret, "" when there is none."""
    if item.n_silences == 0:
        return ""
    if any(n != n for _, n in item.silences):
        return plural(item.n_silences, "silence")
    return ", ".join(f"{label}{NBSP}{format_number(n)}" for label, n in item.silences if n)


# --- opinions from 1 to 5 -------------------------------------------------------------------------------------------


def likert_families(items: Sequence[SurveyItem]) -> list[list[SurveyItem]]:
    """Likert questions that share their labels: one chart each, several groups side by side."""
    families: dict[tuple[str, ...], list[SurveyItem]] = {}
    for item in items:
        if item.question.type == "likert" and len(item.choices) == len(DIVERGING):
            families.setdefault(tuple(label for _, label, *_ in item.choices), []).append(item)
    return list(families.values())


def draw_likert(publication: Publication, items: Sequence[SurveyItem], identifiant: str, titre: str) -> Chart | None:
    """Diverging stacked bars of opinions: one bar per question and group, the middle answer across the axis.

    Parameters
    ----------
    publication
        Where ``items`` were read from (:func:`read_items`).
    items
        Likert questions of five answers, with the same labels; of several questionnaires when they ask the same thing.

    Returns
    -------
    Chart or None
        None when nobody answered any of them.

    Raises
    ------
    TypeError
        Not a ``Publication``.
    """
    require_publication(publication)
    if not any(item.n for item in items):
        return None
    page = Page()
    height = _draw_likert(page, items)
    return make_chart(
        page,
        height,
        publication,
        identifiant=identifiant,
        titre=titre,
        alt=_likert_alt(titre, items),
        unite=UNIT,
        base=_base(items),
        source=describe_source(publication, what=_surveys(items)),
        note=_note(items),
        donnees=_likert_table(items),
    )


def _scale(items: Sequence[SurveyItem]) -> float:
    """Inches per point of percentage, the same for every bar of a chart: the longest side fills its half."""
    longest = 50.0
    for item in items:
        shares = [share for _, _, share, _, _ in item.choices if share is not None]
        if len(shares) == len(DIVERGING):
            longest = max(longest, *(sum(side) + shares[2] / 2 for side in (shares[:2], shares[3:])))
    return (BAR_RIGHT - BAR_LEFT) / 2 / longest


def _draw_likert(page: Page, items: Sequence[SurveyItem]) -> float:
    y = _draw_likert_key(page, [label for _, label, *_ in items[0].choices])
    bodies = [
        (item, wrap(f"{item.question.code}{NBSP}· {clean(item.question.libelle)}", LABEL_WIDTH)) for item in items
    ]
    heights = [max(0.16 + LINE * len(lines), _aside_height(item), 0.5) + 0.12 for item, lines in bodies]
    scale = _scale(items)
    for (item, lines), height in zip(bodies, heights, strict=True):
        page.line([0, WIDTH], [y, y], color=GRID)
        page.text(0, y + 0.06, item.group, size=SIZE, bold=True)
        page.paragraph(0, y + 0.22, lines)
        _draw_opinions(page, item, y + 0.1, scale)
        _draw_aside(page, item, y + 0.06)
        y += height
    page.line([0, WIDTH], [y, y], color=GRID)
    return y + 0.04


def _draw_likert_key(page: Page, labels: Sequence[str]) -> float:
    x, y = 0.0, 0.02
    for color, label in zip(DIVERGING, labels, strict=True):
        width = 0.22 + text_width(label) + 0.16
        if x + width > WIDTH and x:
            x, y = 0.0, y + 0.17
        page.rect(x, y + 0.005, 0.16, 0.13, face=color, edge=QUIET, lw=0.5)
        page.text(x + 0.22, y, label)
        x += width
    return y + 0.24


def _draw_opinions(page: Page, item: SurveyItem, y: float, scale: float) -> None:
    shares = [share for _, _, share, _, _ in item.choices]
    known = [share for share in shares if share is not None]
    if len(known) < len(shares):  # a cell is hidden: no bar could be drawn without telling its length
        said = secret_text(item.n) if item.status != "aucune_reponse" else label_status("aucune_reponse")
        page.text((BAR_LEFT + BAR_RIGHT) / 2, y + 0.03, said, color=QUIET, ha="center")
        if known:
            rest = ", ".join(f"{c}{NBSP}: {format_percent(s)}" for c, _, s, _, _ in item.choices if s is not None)
            page.paragraph(BAR_LEFT, y + 0.2, wrap(rest, BAR_RIGHT - BAR_LEFT), color=QUIET)
        return
    middle = (BAR_LEFT + BAR_RIGHT) / 2
    left = middle - (known[0] + known[1] + known[2] / 2) * scale
    outside: list[tuple[float, str]] = []
    for share, color in zip(known, DIVERGING, strict=True):
        right, text = left + share * scale, format_number(share)
        if share > 0:
            page.rect(left, y, right - left, BAR, face=color, edge=QUIET, lw=0.6)
        if share > 0 and text_width(text) + 0.06 <= right - left:
            ink = INK if contrast(color, INK) > contrast(color) else "#FFFFFF"
            page.text((left + right) / 2, y + 0.035, text, color=ink, ha="center")
        elif share > 0:
            outside.append(((left + right) / 2, text))
        left = right
    page.line([middle] * 2, [y - 0.05, y], color=INK, lw=1.2)
    for x, place, text in spread(outside):
        page.line([x, place], [y + BAR, y + BAR + 0.05], color=QUIET)
        page.text(place, y + BAR + 0.05, text, ha="center")


def spread(labels: Sequence[tuple[float, str]]) -> list[tuple[float, float, str]]:
    """Keep labels apart: (place of the segment, place of its label, text), inside the columns of the bars."""
    places: list[float] = []
    for x, text in labels:
        half = text_width(text) / 2
        least = BAR_LEFT + half
        if places:
            least = places[-1] + text_width(labels[len(places) - 1][1]) / 2 + half + 0.06
        places.append(max(x, least))
    limit = BAR_RIGHT
    for rank in range(len(places) - 1, -1, -1):
        half = text_width(labels[rank][1]) / 2
        places[rank] = min(places[rank], limit - half)
        limit = places[rank] - half - 0.06
    return [(x, place, text) for (x, text), place in zip(labels, places, strict=True)]


def _aside(item: SurveyItem) -> list[str]:
    weak = ["base fragile"] if item.status == "base_fragile" else []
    said = silence_text(item)
    return [*weak, *(wrap(said, WIDTH - ASIDE_LEFT) if said else [])]


def _aside_height(item: SurveyItem) -> float:
    return 0.17 + LINE * len(_aside(item))


def _draw_aside(page: Page, item: SurveyItem, y: float) -> None:
    page.text(ASIDE_LEFT, y, f"n{NBSP}={NBSP}{format_number(item.n)}", size=SIZE, bold=True)
    page.paragraph(ASIDE_LEFT, y + 0.16, _aside(item), color=QUIET)


def _surveys(items: Sequence[SurveyItem]) -> str:
    return ", ".join(dict.fromkeys(item.enquete.code for item in items))


def _base(items: Sequence[SurveyItem]) -> str:
    counts = sorted({item.n for item in items})
    said = str(counts[0]) if len(counts) == 1 else f"de {counts[0]} à {counts[-1]}"
    return (
        f"réponses exprimées, {said} selon la question ; silences à part"
        if len(counts) > 1
        else (f"{plural(counts[0], 'réponse exprimée', 'réponses exprimées')} ; silences à part")
    )


def _note(items: Sequence[SurveyItem]) -> str:
    hidden = [item for item in items if item.status == "secret"]
    said = []
    if hidden:
        said.append(f"{plural(len(hidden), 'question')} au secret : trop peu de réponses.")
    if len({item.group for item in items}) > 1:
        said.append("Chaque groupe a répondu à son questionnaire ; leurs réponses ne sont pas additionnées.")
    return " ".join(said)


def share_text(item: SurveyItem, share: float | None) -> str:
    """A share in a table, « secret (n = 7) », or that nobody answered."""
    if share is not None:
        return format_percent(share)
    return label_status("aucune_reponse") if item.status == "aucune_reponse" else secret_text(item.n)


def _likert_alt(titre: str, items: Sequence[SurveyItem]) -> str:
    sentences = [f"{titre}."]
    for item in items:
        who = f"{item.group}, {item.question.code}"
        shares = [share for _, _, share, _, _ in item.choices]
        if any(share is None for share in shares):
            sentences.append(f"{who} : {share_text(item, None)}.")
            continue
        low, high = (format_percent(sum(part)) for part in ([s or 0 for s in shares[:2]], [s or 0 for s in shares[3:]]))
        sentences.append(f"{who} (n = {item.n}) : réponses 4 et 5, {high} ; réponses 1 et 2, {low}.")
    return shorten_alt(sentences)


def _likert_table(items: Sequence[SurveyItem]) -> pd.DataFrame:
    labels = [label for _, label, *_ in items[0].choices]
    columns = ["Question", "Qui a répondu", "n", *labels, "Silences"]
    rows = []
    for item in items:
        cells = [share_text(item, share) for _, _, share, _, _ in item.choices]
        name = f"{item.question.code} {clean(item.question.libelle)}"
        said = silence_text(item) or "aucun"
        rows.append(dict(zip(columns, [name, item.group, format_number(item.n), *cells, said], strict=True)))
    return text_frame(rows, columns)


# --- other choices --------------------------------------------------------------------------------------------------


def draw_choices(publication: Publication, item: SurveyItem) -> Chart | None:
    """Bars of the answers to one question, with their interval where one is allowed.

    Returns
    -------
    Chart or None
        None when nobody answered, or when no share may be shown (a sentence says it).

    Raises
    ------
    TypeError
        Not a ``Publication``.
    """
    require_publication(publication)
    if not item.shown:
        return None
    page = Page()
    titre = f"{item.question.code} – {clean(item.question.libelle)}"
    height = _draw_choices(page, item)
    several = item.question.type == "choix_multiple"
    interval = any(low == low for _, _, _, low, _ in item.choices)
    return make_chart(
        page,
        height,
        publication,
        identifiant=f"enquete-{item.enquete.code}-{item.partie}-{item.question.code}".lower(),
        titre=titre,
        alt=_choices_alt(titre, item),
        unite="part des répondants, en % (plusieurs réponses possibles)" if several else UNIT,
        base=f"{item.group}, {plural(item.n, 'réponse exprimée', 'réponses exprimées')}"
        + (" (base fragile)" if item.status == "base_fragile" else "")
        + (f" ; silences à part : {silence_text(item)}" if item.n_silences else ""),
        source=describe_source(publication, what=item.enquete.code),
        note="Trait fin : intervalle à 95 %, sous la réserve dite avec l’enquête." if interval else "",
        donnees=_choices_table(item),
    )


def _draw_choices(page: Page, item: SurveyItem) -> float:
    left, right, y = 2.6, 5.6, 0.04
    scale = (right - left) / 100
    for _, label, share, low, high in item.choices:
        lines = wrap(label, left - 0.1)
        height = max(LINE * len(lines), 0.17) + 0.09
        page.paragraph(0, y + 0.03, lines)
        page.line([left, left], [y, y + height], color=QUIET)
        if share is None:
            page.text(left + 0.06, y + 0.03, share_text(item, None), color=QUIET)
            y += height
            continue
        page.rect(left, y + 0.03, share * scale, 0.14, face=DIVERGING[3], edge=ACCENT, lw=0.8)
        end = left + share * scale
        if low == low:
            page.line([left + low * scale, left + high * scale], [y + 0.1] * 2, color=INK, lw=1.4)
            end = max(end, left + high * scale)
        page.text(end + 0.07, y + 0.03, format_percent(share), bold=True)
        y += height
    page.line([left, right], [y + 0.02] * 2, color=BAND)
    for mark in (0, 50, 100):
        page.text(left + mark * scale, y + 0.04, format_percent(mark), color=QUIET, ha="center")
    return y + 0.22


def _choices_alt(titre: str, item: SurveyItem) -> str:
    said = [f"{label}, {share_text(item, share)}" for _, label, share, _, _ in item.choices]
    return shorten_alt([f"{titre} {item.group}, n = {item.n}.", *(f"{text}." for text in said)])


def _choices_table(item: SurveyItem) -> pd.DataFrame:
    interval = any(low == low for _, _, _, low, _ in item.choices)
    columns = ["Réponse", "Part", *(["Intervalle à 95 %"] if interval else [])]
    rows = []
    for _, label, share, low, high in item.choices:
        cells: Mapping[str, str] = {"Réponse": capitalize(label), "Part": share_text(item, share)}
        if low == low:
            cells = {**cells, columns[-1]: f"de {format_number(low)} à {format_percent(high)}"}
        rows.append(dict(cells))
    return text_frame(rows, columns)
