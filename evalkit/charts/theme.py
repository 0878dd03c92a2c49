"""One look for every chart: a page of shapes and words measured in inches, one palette, one way out to PNG.

Why neither seaborn nor matplotlib axes: what is drawn here is a handful of published medians and counts, not samples, so
there is nothing for seaborn to estimate. matplotlib's Agg draws the shapes. The words are set by Pillow, with the DejaVu
Sans that matplotlib ships: the same letters for a sixth of the time (matplotlib 3.11 lays out and rasterises glyph by
glyph, about 2 ms a label), each width known before anything is placed, hence no trial layout; and a ``$`` stays a ``$``.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from evalkit.charts.raster import Sheet
from evalkit.wording import format_date, format_number, join_french

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.compute.results import Publication, PublicationSynthese
    from evalkit.model.referentiel import Groupe, Referentiel

MARGIN = 0.04  # inches, so that no edge of a mark is cut
WIDTH = 6.7 - 2 * MARGIN  # inches to draw in; the picture is 17 cm wide, a printed column
DPI = 144
SIZE = 8.5  # points, as printed
SMALL = 8.0
LINE = 0.142  # inches from one line of small text to the next
ALT_LIMIT = 600

# Text and marks: at least 3:1 on white (a test computes it). PALE, GRID and BAND are backgrounds and never carry a figure alone.
INK = "#1F2933"
QUIET = "#52606D"
GRID = "#DDE2E7"
PALE = "#EEF1F4"
BAND = "#B9C2CB"
LINK = "#84919E"  # the stroke between two marks: pale enough to leave them in front, dark enough to be seen
ACCENT = "#00558C"
# Told apart by people who do not see red and green alike; the shape says it again in black and white.
PALETTE = ("#00558C", "#B3440A", "#00735C", "#8C3F7D", "#333F48", "#8A5A00")
SHAPES = ("o", "s", "^", "D", "v", "P", "X", "p")
_SHAPE_NAMES = {
    "rond": "o",
    "cercle": "o",
    "carre": "s",
    "triangle": "^",
    "triangle_haut": "^",
    "triangle_bas": "v",
    "losange": "D",
    "croix": "X",
    "plus": "P",
    "pentagone": "p",
    "hexagone": "h",
    "etoile": "*",
}

Align = Literal["left", "center", "right"]


@dataclass(frozen=True, repr=False)
class Chart:
    """A picture and all that a reader needs with it.

    ``png``: 8-bit palette PNG, ``largeur_px`` × ``hauteur_px`` at 144 dots per inch. ``unite``, ``base``, ``source`` and
    ``note`` are French sentences without their heading (« Source : » is the caption's to write); ``note`` may be empty.
    ``alt`` says what the figures say, in 600 characters at most. ``donnees`` holds the same published values, French
    headers, every cell already text.
    """

    identifiant: str
    titre: str
    alt: str
    png: bytes
    largeur_px: int
    hauteur_px: int
    unite: str
    base: str
    source: str
    note: str
    donnees: pd.DataFrame

    def __repr__(self) -> str:
        return f"<Chart {self.identifiant}>"


def require_publication(obj: object) -> None:
    """Refuse anything that has not passed the door of confidentiality.

    Raises
    ------
    TypeError
        ``obj`` is neither a ``Publication`` nor a ``PublicationSynthese`` (an ``Evaluation``, say).
    """
    from evalkit.compute.results import Publication, PublicationSynthese

    if not isinstance(obj, Publication | PublicationSynthese):
        raise TypeError(f"charts draw a Publication or a PublicationSynthese, not a {type(obj).__name__}")


# --- words ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def _font(size: float, bold: bool) -> Any:
    import matplotlib
    from PIL import ImageFont

    path = f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans{'-Bold' if bold else ''}.ttf"
    # The basic layout: the same on every machine, whatever shaping library is installed there.
    return ImageFont.truetype(path, size * DPI / 72, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=8192)
def text_width(text: str, size: float = SMALL, bold: bool = False) -> float:
    """Width of one line of text, in inches."""
    return float(_font(size, bold).getlength(text)) / DPI


def clean(text: str) -> str:
    """One line of printable text: control characters and runs of ordinary spaces become one space."""
    return re.sub(r"[ \t\r\n\x00-\x1f\x7f]+", " ", text).strip()


def _cut(word: str, width: float, size: float, bold: bool) -> Iterable[str]:
    """Cut a word wider than the line into pieces that fit."""
    while text_width(word, size, bold) > width and len(word) > 1:
        # A letter is never wider than 1.1 em nor (on the whole) narrower than 0.2 em: bisect between.
        low, high = 1, min(len(word), int(width * 72 / (size * 0.2)) + 1)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if text_width(word[:middle], size, bold) <= width else (low, middle - 1)
        yield word[:low]
        word = word[low:]
    yield word


def wrap(text: str, width: float, size: float = SMALL, bold: bool = False, max_lines: int = 0) -> list[str]:
    """Break a text into lines no wider than ``width`` inches; past ``max_lines`` it ends with « … ».

    Breaks at ordinary spaces only: a no-break space holds. A word wider than the line is cut.
    """
    budget = int(width * 72 / (size * 0.2)) * max_lines if max_lines else 20_000
    lines: list[str] = []
    current = ""
    for word in clean(text[: budget + 1]).split(" "):
        for piece in _cut(word, width, size, bold):
            joined = f"{current} {piece}" if current else piece
            if current and text_width(joined, size, bold) > width:
                lines.append(current)
                joined = piece
            current = joined
    lines.append(current)
    if not max_lines or (len(lines) <= max_lines and len(text) <= budget):
        return lines
    last = lines[max_lines - 1] if len(lines) >= max_lines else lines[-1]
    kept = last
    while kept and text_width(f"{kept}…", size, bold) > width:
        kept = kept[:-1]
    if kept != last and " " in kept:  # end on a whole word where there is one
        kept = kept[: kept.rindex(" ")]
    last = kept
    return [*lines[: min(max_lines, len(lines)) - 1], f"{last.rstrip(' ,;:')}…"]


# --- the page ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Words:
    """One line of text on the page: its box in inches, from the top left corner."""

    x: float
    y: float
    width: float
    height: float
    text: str
    size: float
    bold: bool
    color: str


@dataclass
class Page:
    """A sheet to draw on: x to the right, y down, in inches. Its height is known last."""

    width: float = WIDTH
    words: list[Words] = field(default_factory=list)
    _shapes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = SMALL,
        bold: bool = False,
        color: str = INK,
        ha: Align = "left",
    ) -> float:
        """Set one line, its top at ``y``; returns its width."""
        width = text_width(text, size, bold)
        left = x - {"left": 0.0, "center": width / 2, "right": width}[ha]
        self.words.append(Words(left, y, width, size / 72 * 1.17, text, size, bold, color))
        return width

    def paragraph(self, x: float, y: float, lines: Sequence[str], *, step: float = LINE, **style: Any) -> float:
        """Set lines one under the other; returns the y under the last one."""
        for line in lines:
            self.text(x, y, line, **style)
            y += step
        return y

    def line(
        self, xs: Sequence[float], ys: Sequence[float], *, color: str = GRID, lw: float = 0.7, dash: bool = False
    ) -> None:
        """Draw a line through points."""
        self._shapes.append(("line", {"xs": xs, "ys": ys, "color": color, "lw": lw, "dash": dash}))

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        face: str = "none",
        edge: str = "none",
        lw: float = 0.8,
        hatch: str = "",
    ) -> None:
        """Draw a rectangle from its top left corner. A hatch takes the colour of the edge."""
        box = {"x": x, "y": y, "width": width, "height": height}
        self._shapes.append(("rect", {**box, "face": face, "edge": edge, "lw": lw, "hatch": hatch}))

    def marker(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        *,
        shape: str = "o",
        color: str = INK,
        size: float = 7.5,
        hollow: bool = False,
    ) -> None:
        """Draw one marker at each point, edged in white so that neighbours stay apart."""
        self._shapes.append(
            ("marker", {"xs": xs, "ys": ys, "shape": shape, "color": color, "size": size, "hollow": hollow})
        )

    def render(self, height: float) -> tuple[bytes, int, int]:
        """Make the PNG: shapes by Agg, words over them. Same page, same bytes."""
        sheet = Sheet(self.width + 2 * MARGIN, height + 2 * MARGIN, DPI, MARGIN)
        for kind, options in self._shapes:
            sheet.draw(kind, options)
        for w in self.words:
            left, top = round((w.x + MARGIN) * DPI), round((w.y + MARGIN) * DPI)
            sheet.write(left, top, w.text, w.color, _font(w.size, w.bold))
        used = {options.get(name, "") for _, options in self._shapes for name in ("color", "face", "edge")}
        flat = {color for color in used if color.startswith("#")} | {w.color for w in self.words}
        return sheet.png(sorted(flat))


# --- what all charts say the same way ------------------------------------------------------------------------------


def contrast(first: str, second: str = "#FFFFFF") -> float:
    """Contrast ratio of two colours ``#RRGGBB`` (WCAG 2.2, relative luminance), 1 to 21."""

    def luminance(color: str) -> float:
        channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def group_style(referentiel: Referentiel, code: str) -> tuple[str, str]:
    """Colour and marker of an actor group: those of acteurs.yml when they can be read on paper, else the theme's."""
    codes = list(referentiel.groupes_par_code)
    rank = codes.index(code) if code in codes else len(codes)
    color, shape = PALETTE[rank % len(PALETTE)], SHAPES[rank % len(SHAPES)]
    group = referentiel.groupes_par_code.get(code)
    if group is not None:
        if re.fullmatch(r"#[0-9A-Fa-f]{6}", group.couleur) and contrast(group.couleur) >= 3:
            color = group.couleur
        wished = _SHAPE_NAMES.get(group.marqueur, group.marqueur)
        shape = wished if wished in {*SHAPES, *_SHAPE_NAMES.values()} else shape
    return color, shape


def group_name(referentiel: Referentiel, code: str) -> str:
    """Short name of a group, its spaces unbreakable."""
    group: Groupe | None = referentiel.groupes_par_code.get(code)
    return (group.court if group else code).replace(" ", "\u00a0")


def format_level(value: float) -> str:
    """A level or a median of levels: no decimal unless it is a half."""
    return format_number(value, 0 if float(value).is_integer() else 1)


def format_unit(referentiel: Referentiel, value: float, unite: str, *, typed: bool = False) -> str:
    """A value with its unit's symbol and decimals, as unites.yml declares them; ``typed``: see :func:`is_typed`."""
    from evalkit.wording import format_with_unit, typed_decimals

    unit = referentiel.unites_par_code.get(unite)
    if unit is None:
        return format_number(value, 0 if float(value).is_integer() else 1)
    decimals = typed_decimals(value, unit.decimales) if typed else unit.decimales
    return format_with_unit(value, unit.symbole, decimals, unit.espace)


def is_typed(referentiel: Referentiel, row: Mapping[str, Any]) -> bool:
    """Tell whether the value of a row of ``indicateurs`` is the one that was typed, not one computed from its parts."""
    indicator = referentiel.indicateurs.get(str(row["indicateur"]))
    if indicator is None or row["obtention"] != "saisie":
        return False
    formula = indicator.formule.value
    parts = has_value(row["numerateur"]) and has_value(row["denominateur"])
    return formula in ("effectif", "somme", "mediane", "verbatim") or (formula != "evolution" and not parts)


def shorten_alt(sentences: Iterable[str]) -> str:
    """Join sentences into an alternative text of 600 characters at most; says so when some are left to the table."""
    rest = "La suite est dans le tableau."
    kept: list[str] = []
    for sentence in (re.sub(r"\.\.$", ".", clean(s)) for s in sentences if s):
        if len(" ".join([*kept, sentence, rest])) > ALT_LIMIT:
            return " ".join([*kept, rest]) if kept else f"{sentence[: ALT_LIMIT - len(rest) - 3]}… {rest}"
        kept.append(sentence)
    return " ".join(kept)


def describe_source(publication: Publication | PublicationSynthese, *, what: str = "") -> str:
    """Source of a chart, short: which survey if any, whose data, at which date. The framework is said once, with the method."""
    from evalkit.compute.results import Publication

    who = publication.territoire.nom if isinstance(publication, Publication) else _perimeter(publication)
    invented = publication.territoire.fictif if isinstance(publication, Publication) else publication.campagne.fictif
    data = f"données{' fictives' if invented else ''} au {format_date(publication.campagne.date_reference)}"
    return clean(", ".join([*([what] if what else []), who, data]))


def _perimeter(publication: PublicationSynthese) -> str:
    count = len(publication.territoires)
    where = f"département {publication.perimetre}" if publication.perimetre else publication.campagne.region
    return f"{where}, {format_number(count)} territoire{'s' if count > 1 else ''}"


def make_chart(page: Page, height: float, publication: Publication | PublicationSynthese, **parts: Any) -> Chart:
    """Finish a page: the mark of invented data where it is due, the PNG, and the ``Chart``."""
    from evalkit.compute.results import Publication

    fictif = publication.territoire.fictif if isinstance(publication, Publication) else publication.campagne.fictif
    if fictif:
        page.text(page.width, height, "Données fictives", color=QUIET, ha="right")
        height += 0.16
    png, width_px, height_px = page.render(height)
    parts.setdefault("note", "")
    return Chart(png=png, largeur_px=width_px, hauteur_px=height_px, **parts)


def rows_of(table: pd.DataFrame) -> list[Any]:
    """Rows of a result table as named tuples."""
    from evalkit.compute.results import columns_of

    row = _row_type(tuple(table.columns))
    return [row(*values) for values in zip(*columns_of(table), strict=True)]


@lru_cache(maxsize=128)
def _row_type(columns: tuple[str, ...]) -> Any:
    """Making a type of tuple takes longer than reading the table: one for each set of columns."""
    return namedtuple("Row", columns)


def has_value(value: Any) -> bool:
    """Whether a cell of a result table holds something (NaN, of text or number, is nothing)."""
    return bool(value == value) and value is not None


def text_frame(rows: list[dict[str, str]], columns: Sequence[str]) -> pd.DataFrame:
    """Printable table: the columns given, in order, every cell text."""
    import pandas as pd

    return pd.DataFrame({column: [row.get(column, "") for row in rows] for column in columns}, dtype="str")


def label_lines(code: str, titre: str, width: float, max_lines: int = 4) -> list[str]:
    """Code and title of a row, wrapped."""
    return wrap(f"{code}\u00a0· {titre}", width, SIZE, max_lines=max_lines)


def list_names(names: Iterable[str]) -> str:
    """Names in a sentence: the no-break spaces of labels become ordinary ones."""
    return join_french([name.replace("\u00a0", " ") for name in names])
