"""Context of the neighbourhoods: open data by QPV, in the order of their codes, shown and never scored."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalkit.charts.theme import (
    ACCENT,
    BAND,
    GRID,
    INK,
    LINE,
    QUIET,
    WIDTH,
    Chart,
    Page,
    clean,
    format_unit,
    has_value,
    list_names,
    make_chart,
    require_publication,
    rows_of,
    shorten_alt,
    text_frame,
    text_width,
    wrap,
)
from evalkit.wording import agree, label_status, plural

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.compute.results import Publication
    from evalkit.model.referentiel import Referentiel

BAR_LEFT = 2.75
ROW = 0.21


@dataclass(frozen=True)
class Bar:
    """One neighbourhood (or one comparison area): its value, or why there is none."""

    code: str
    name: str
    value: float | None
    silence: str


@dataclass(frozen=True)
class Series:
    """The figures of one variable, one edition, one geography."""

    bars: tuple[Bar, ...]
    compared: tuple[Bar, ...]
    variable: str
    unite: str
    edition: str
    year: str
    geographie: str
    source: str
    former: bool  # QPV of 2015 of the same communes, for a contract of 2024
    several: bool  # the same edition has other variables for this figure
    others: tuple[str, ...]  # other editions or variables, left to the table


def draw_context(publication: Publication, indicateur: str) -> Chart | None:
    """Bars by QPV, sorted by code; a comparison value only where a file gives it; each silence written.

    Parameters
    ----------
    publication
        Table ``contexte``. Only one variable, edition (the latest) and geography is drawn: they are never mixed.
    indicateur
        Code ``CTX.n``.

    Returns
    -------
    Chart or None
        None when no QPV has a value.

    Raises
    ------
    TypeError
        Not a ``Publication``.
    """
    require_publication(publication)
    series = read_series(publication, indicateur)
    if series is None:
        return None
    referentiel = publication.referentiel
    label = next((clean(c.libelle) for c in referentiel.contexte if c.code == indicateur), indicateur)
    page = Page()
    height = _draw_bars(page, referentiel, series)
    unit = referentiel.unites_par_code.get(series.unite)
    former = " – quartiers de 2015 des mêmes communes" if series.former else ""
    known = [bar for bar in series.bars if bar.value is not None]
    return make_chart(
        page,
        height,
        publication,
        identifiant=f"contexte-{indicateur}",
        titre=f"{label}{f' – variable {series.variable}' if series.several else ''}{former}",
        alt=_alt(referentiel, label, series),
        unite=unit.libelle.partition(",")[0] if unit else series.unite,
        base=f"{plural(len(series.bars), 'quartier prioritaire', 'quartiers prioritaires')}, {len(known)} avec une valeur",
        source=_source(publication, series),
        note=_note(series),
        donnees=_table(referentiel, series),
    )


def read_series(publication: Publication, indicateur: str) -> Series | None:
    """What is drawn of one context figure, or None when no QPV has a value."""
    table = publication.contexte
    rows = table[table["indicateur"] == indicateur]
    with_value = rows[rows["valeur"].notna() & rows["qpv"].isin(_codes(publication))]
    if with_value.empty:
        return None
    own = with_value[~with_value["ancien"]]
    former = own.empty
    candidates = with_value if former else own
    edition = max(candidates["edition"].fillna(""))
    latest = candidates[candidates["edition"].fillna("") == edition]
    variables = sorted(set(latest["variable"]), key=lambda name: (_rank(publication, indicateur, name), name))
    first = latest[latest["variable"] == variables[0]].sort_values("qpv", kind="stable").iloc[0]
    same = rows[
        (rows["edition"].fillna("") == edition)
        & (rows["variable"] == first["variable"])
        & (rows["ancien"] == first["ancien"])
    ]
    same = same[same["geographie"] == first["geographie"]]
    mine = same["qpv"].isin(_codes(publication))
    keys = rows[["variable", "edition"]].fillna("").drop_duplicates().itertuples(index=False, name=None)
    others = [(str(v), str(e)) for v, e in keys if (v, e) != (first["variable"], edition)]
    return Series(
        bars=_bars(same[mine]),
        compared=_bars(same[~mine]),
        variable=str(first["variable"]),
        unite=str(first["unite"]),
        edition=edition,
        year=_text(first["annee_reference"]),
        geographie=_text(first["geographie"]),
        source=_text(first["source"]),
        former=former,
        several=len(variables) > 1,
        others=_by_variable(others),
    )


def _by_variable(keys: list[tuple[str, str]]) -> tuple[str, ...]:
    """Other editions, variable by variable: « TP60 (éditions 2017 et 2019) »."""
    editions = {name: sorted(edition for other, edition in keys if other == name) for name, _ in sorted(keys)}
    return tuple(
        f"{name} ({agree(len(found), 'édition', 'éditions')} {list_names(found)})" for name, found in editions.items()
    )


def _rank(publication: Publication, indicateur: str, variable: str) -> int:
    """Place of a variable among those that the framework names for an indicator: the first named is the one drawn."""
    named = next((c.variable_source for c in publication.referentiel.contexte if c.code == indicateur), "")
    place = named.find(variable)
    return place if place >= 0 else len(named)


def _codes(publication: Publication) -> set[str]:
    return {qpv.code for qpv in (*publication.territoire.qpv, *publication.territoire.qpv_anciens)}


def _text(value: object) -> str:
    return clean(value) if isinstance(value, str) else ""


def _bars(rows: pd.DataFrame) -> tuple[Bar, ...]:
    ordered = rows.drop_duplicates("qpv").sort_values("qpv", kind="stable")
    return tuple(
        Bar(
            code=str(row.qpv),
            name=_text(row.nom),
            value=float(row.valeur) if has_value(row.valeur) else None,
            silence=row.silence if isinstance(row.silence, str) else "non_disponible",
        )
        for row in rows_of(ordered)
    )


def _draw_bars(page: Page, referentiel: Referentiel, series: Series) -> float:
    values = [bar.value for bar in (*series.bars, *series.compared) if bar.value is not None and _fits(series, bar)]
    low, high = min(0.0, *values), max(0.0, *values)
    room = max(text_width(format_unit(referentiel, value, series.unite)) for value in values) + 0.12
    left = BAR_LEFT + (room if low < 0 else 0)
    scale = (WIDTH - room - left) / (high - low or 1.0)
    zero = left - low * scale
    y = top = 0.03
    for bar in series.bars:
        y = _draw_bar(page, referentiel, series, bar, (zero, scale, y), {"face": ACCENT})
    bottom = y
    if series.compared:
        page.line([0, WIDTH], [y + 0.04, y + 0.04], color=GRID)
        y += 0.09
        for bar in series.compared:
            y = _draw_bar(
                page, referentiel, series, bar, (zero, scale, y), {"face": "white", "edge": INK, "hatch": "////"}
            )
        bottom = y
    page.line([zero, zero], [top - 0.01, bottom], color=BAND, lw=1)
    return y + 0.04


def _fits(series: Series, bar: Bar) -> bool:
    """A comparison area several times larger than any neighbourhood (its population, say) would crush the bars."""
    largest = max(abs(own.value) for own in series.bars if own.value is not None)
    return bar.value is None or abs(bar.value) <= 3 * largest


def _draw_bar(
    page: Page,
    referentiel: Referentiel,
    series: Series,
    bar: Bar,
    place: tuple[float, float, float],
    style: dict[str, Any],
) -> float:
    """One row; returns the y below it."""
    zero, scale, y = place
    lines = wrap(area_name(bar.code, bar.name), BAR_LEFT - 0.12, max_lines=2)
    height = max(ROW, len(lines) * LINE + 0.06)
    page.paragraph(0, y + (height - len(lines) * LINE) / 2, lines)
    top = y + height / 2 - 0.067
    if bar.value is None:
        page.text(zero + 0.06, top, label_status(bar.silence), color=QUIET)
        return y + height
    value = format_unit(referentiel, bar.value, series.unite)
    if not _fits(series, bar):
        page.text(zero + 0.06, top, f"{value} (hors échelle)")
        return y + height
    end = zero + bar.value * scale
    page.rect(min(zero, end), y + height / 2 - 0.065, abs(end - zero), 0.13, **style)
    page.text(end + (0.06 if bar.value >= 0 else -0.06), top, value, ha="left" if bar.value >= 0 else "right")
    return y + height


NATIONAL = "ensemble"  # the code under which publishers give their national row


def area_name(code: str, name: str) -> str:
    """Code and name of a neighbourhood or of a comparison area, the publisher's national row said as such.

    >>> area_name("QP059001", "La Tannerie"), area_name("Ensemble", "Ensemble")
    ('QP059001 La Tannerie', 'Ensemble des QPV de France (ligne nationale du fichier)')
    """
    if code.casefold() == NATIONAL:
        return "Ensemble des QPV de France (ligne nationale du fichier)"
    return f"{code} {name}".strip()


def short_source(source: str) -> str:
    """Publisher and file of an imported figure, without the theme that its title already says.

    >>> short_source("Insee, revenus par quartier prioritaire, édition 2021 (REVN_2021.csv)")
    'Insee (REVN_2021.csv)'
    >>> short_source("Relevé de la ville")
    'Relevé de la ville'
    """
    found = re.fullmatch(r"([^,()]+),.*(\([^()]+\))", source.strip())
    return f"{found[1].strip()} {found[2]}" if found else source


def _source(publication: Publication, series: Series) -> str:
    parts = [short_source(series.source) or "source non précisée", f"variable {series.variable}"]
    parts += [f"édition {series.edition}"] if series.edition else []
    parts += [f"année de référence {series.year}" if series.year else "année de référence non précisée"]
    parts += [f"géographie des quartiers de {series.geographie}"] if series.geographie else []
    parts += ["données fictives"] if publication.territoire.fictif else []
    return clean(", ".join(parts))


def _note(series: Series) -> str:
    notes = []
    if series.former:
        notes.append("Ancienne géographie : ces quartiers de 2015 ne sont pas ceux du contrat.")
    if series.others:
        notes.append(f"Le tableau donne aussi : {list_names(series.others)}.")
    return " ".join(notes)


def _said(referentiel: Referentiel, series: Series, bar: Bar) -> str:
    return label_status(bar.silence) if bar.value is None else format_unit(referentiel, bar.value, series.unite)


def _alt(referentiel: Referentiel, label: str, series: Series) -> str:
    known = [bar.value for bar in series.bars if bar.value is not None]
    low, high = (format_unit(referentiel, value, series.unite) for value in (min(known), max(known)))
    when = f" ({series.year})" if series.year else ""
    span = f"{low}" if low == high else f"de {low} à {high}"
    head = f"{label}{when} : {span} dans {plural(len(known), 'quartier')} sur {len(series.bars)}."
    rows = [
        f"{_named(bar)[1] or bar.code} : {_said(referentiel, series, bar)}." for bar in (*series.bars, *series.compared)
    ]
    return shorten_alt([head, *rows])


def _named(bar: Bar) -> tuple[str, str]:
    return ("—", area_name(bar.code, bar.name)) if bar.code.casefold() == NATIONAL else (bar.code, bar.name)


def _table(referentiel: Referentiel, series: Series) -> pd.DataFrame:
    columns = ["Code", "Quartier ou périmètre", "Valeur"]
    rows = [
        dict(zip(columns, [*_named(bar), _said(referentiel, series, bar)], strict=True))
        for bar in (*series.bars, *series.compared)
    ]
    return text_frame(rows, columns)
