"""A page of shapes and words made into a small PNG: Agg for the shapes, Pillow for the words, nothing in between.

matplotlib's figures and artists are left out: what they would ask Agg is asked directly, with the renderer and the graphics
context that its back ends share. Same strokes, a third of the time; and nothing that a personal ``matplotlibrc`` or a notebook
sets can reach these pictures.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

_HATCH_WIDTH = 0.6  # points
_MARKER_SIZES = {
    "P": 1.3,
    "X": 1.2,
    "^": 1.2,
    "v": 1.2,
    "*": 1.5,
    "s": 0.95,
    "D": 0.85,
}  # so that all weigh the same to the eye
_WHITE = (1 << 15) - 1
_FIVE_BITS = 0xF8F8F8
_COMPRESSION = 6

Shape = tuple[str, Mapping[str, Any]]


class Sheet:
    """A white sheet to draw on with Agg. Places are given in inches, y down; ``margin`` is added on each side."""

    def __init__(self, width: float, height: float, dpi: int, margin: float) -> None:
        import numpy as np
        from matplotlib.backends.backend_agg import RendererAgg

        # Agg wants its origin at the bottom, and whole pixels (those that only a rounding error would lose are kept).
        self._scale, self._margin, self._bottom = dpi, margin, height - margin
        right, top = width * dpi, height * dpi
        self._agg = RendererAgg(int(right + 1e-6), int(top + 1e-6), dpi)
        self._pixels = np.asarray(self._agg.buffer_rgba())  # the renderer's own memory
        self._contexts: dict[Any, Any] = {}
        self._fill([(-1, -1), (right + 1, -1), (right + 1, top + 1), (-1, top + 1)])

    def draw(self, kind: str, options: Mapping[str, Any]) -> None:
        """Draw one shape: ``line``, ``rect`` or ``marker``, with the options of the methods of ``theme.Page``."""
        getattr(self, f"_{kind}")(**options)

    def write(self, x: int, y: int, text: str, color: str, font: Any) -> None:
        """Write one line of text, its top left corner at a pixel. What falls outside is cut."""
        left, top, letters = _letters(text, font)
        x, y = x + left, y + top
        letters = letters[max(0, -y) : self._pixels.shape[0] - y, max(0, -x) : self._pixels.shape[1] - x]
        if letters.size:
            x, y = max(0, x), max(0, y)
            under = self._pixels[y : y + letters.shape[0], x : x + letters.shape[1]]
            # 255 ways between what is there and the ink, rounded as Pillow does it; sixteen bits are enough.
            mixed = under * (255 - letters) + _ink(color) * letters + 128
            under[...] = (mixed + (mixed >> 8)) >> 8

    def png(self, flat: Iterable[str]) -> tuple[bytes, int, int]:
        """The file, its width and its height. ``flat``: colours that must come out exact."""
        height, width, _ = self._pixels.shape
        return _encode(self._pixels.view("<u4").ravel(), (width, height), flat, self._scale), width, height

    def _place(self, xs: Iterable[float], ys: Iterable[float]) -> list[tuple[float, float]]:
        scale, margin, bottom = self._scale, self._margin, self._bottom
        return [((x + margin) * scale, (bottom - y) * scale) for x, y in zip(xs, ys, strict=True)]

    def _fill(self, corners: Sequence[tuple[float, float]]) -> None:
        from matplotlib.path import Path

        self._agg.draw_path(
            self._context(None, 0.0), Path([*corners, corners[0]], _closed()), _as_is(), _rgba("#FFFFFF")
        )

    def _line(self, xs: Sequence[float], ys: Sequence[float], color: str, lw: float, dash: bool) -> None:
        from matplotlib.path import Path

        self._agg.draw_path(self._context(color, lw, dash=dash), Path(self._place(xs, ys)), _as_is())

    def _rect(
        self, x: float, y: float, width: float, height: float, face: str, edge: str, lw: float, hatch: str
    ) -> None:
        from matplotlib.path import Path

        corners = self._place((x, x + width, x + width, x), (y, y, y + height, y + height))
        outline = Path([*corners, corners[0]], _closed())
        context = self._context(None if edge == "none" else edge, lw, join="miter", hatch=hatch)
        self._agg.draw_path(context, outline, _as_is(), None if face == "none" else _rgba(face))

    def _marker(
        self, xs: Sequence[float], ys: Sequence[float], shape: str, color: str, size: float, hollow: bool
    ) -> None:
        from matplotlib.path import Path

        size *= _MARKER_SIZES.get(shape, 1)
        pixels = size * self._scale / 72
        style = _marker_style(shape)
        snap = style.get_snap_threshold()
        context = self._context(
            color if hollow else "#FFFFFF",
            1.4 if hollow else 0.8,
            join=style.get_joinstyle(),
            cap=style.get_capstyle(),
            snap=snap if snap is None or isinstance(snap, bool) else bool(pixels >= snap),
        )
        outline, turned = style.get_path(), style.get_transform().scale(pixels)
        face = _rgba("#FFFFFF" if hollow else color)
        self._agg.draw_markers(context, outline, turned, Path(self._place(xs, ys)), _as_is(), face)

    def _context(
        self,
        color: str | None,
        lw: float,
        *,
        dash: bool = False,
        join: Any = "round",
        cap: Any = "butt",
        snap: bool | None = None,
        hatch: str = "",
    ) -> Any:
        """Graphics context of one manner of drawing; no colour: no stroke."""
        key = (color, lw, dash, join, cap, snap, hatch)
        if key not in self._contexts:
            context = self._agg.new_gc()
            context.set_linewidth(lw if color else 0.0)
            context.set_joinstyle(join)
            context.set_capstyle(cap)
            context.set_snap(snap)
            context.set_foreground(_rgba(color or "#FFFFFF"), isRGBA=True)
            context.set_dashes(0, [2 * lw, 2 * lw] if dash else None)
            if hatch:
                context.set_hatch(hatch)
                context.set_hatch_color(_rgba(color or "#FFFFFF"))
                context.set_hatch_linewidth(_HATCH_WIDTH)
            self._contexts[key] = context
        return self._contexts[key]


@lru_cache(maxsize=1)
def _as_is() -> Any:
    from matplotlib.transforms import IdentityTransform

    return IdentityTransform()


@lru_cache(maxsize=1)
def _closed() -> Any:
    from matplotlib.path import Path

    return [Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY]


@lru_cache(maxsize=256)
def _rgba(color: str) -> tuple[float, float, float, float]:
    from matplotlib.colors import to_rgba

    red, green, blue, alpha = to_rgba(color)
    return red, green, blue, alpha


@lru_cache(maxsize=32)
def _marker_style(shape: str) -> Any:
    from matplotlib.markers import MarkerStyle

    return MarkerStyle(shape)


# --- words -------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _ink(color: str) -> Any:
    import numpy as np
    from PIL.ImageColor import getrgb

    return np.array([*getrgb(color), 255], dtype=np.uint16)


@lru_cache(maxsize=1024)
def _letters(text: str, font: Any) -> tuple[int, int, Any]:
    """A line of text as coverages from 0 to 255, and where it lies: the same words come back in every territory."""
    import numpy as np
    from PIL import Image, ImageDraw

    left, top, right, bottom = font.getbbox(text)
    mask = Image.new("L", (max(0, int(right - left)), max(0, int(bottom - top))))
    ImageDraw.Draw(mask).text((-left, -top), text, fill=255, font=font)
    return int(left), int(top), np.asarray(mask, dtype=np.uint16)[:, :, None]


# --- the file ----------------------------------------------------------------------------------------------------------


def _encode(pixels: Any, size: tuple[int, int], flat: Iterable[str], dpi: int) -> bytes:
    """A 256-colour PNG, a fifth of the weight of true colour. ``pixels``: one word each, from red to (unused) alpha."""
    import numpy as np
    from PIL import Image

    # A page is mostly white: only the rest is coded, counted and looked up pixel by pixel.
    inked = np.flatnonzero(pixels & _FIVE_BITS != _FIVE_BITS)
    codes = _codes(pixels[inked])
    counts = np.bincount(codes, minlength=1 << 15)
    counts[_WHITE] = pixels.size - inked.size
    colors = _all_colors().copy()
    for color in dict.fromkeys([*flat, "#FFFFFF"]):
        value = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
        code = value[0] >> 3 << 10 | value[1] >> 3 << 5 | value[2] >> 3
        colors[code] = value
        counts[code] += pixels.size * 3  # among the 256 whatever its surface
    present = np.flatnonzero(counts)
    kept = present[np.argsort(-counts[present], kind="stable")[:256]]
    palette = colors[kept].astype(np.float32)  # whole numbers under 2**24: exact
    distance = (palette**2).sum(axis=1) - 2 * (colors[present].astype(np.float32) @ palette.T)
    index = np.zeros(1 << 15, dtype=np.uint8)
    index[present] = distance.argmin(axis=1)  # the nearest: the square of the colour itself is the same for all
    indexed = np.full(pixels.size, index[_WHITE], dtype=np.uint8)
    indexed[inked] = index[codes]
    small = Image.frombuffer("P", size, indexed, "raw", "P", 0, 1)
    small.putpalette(colors[kept].astype(np.uint8).tobytes())
    out = io.BytesIO()
    small.save(out, "PNG", compress_level=_COMPRESSION, dpi=(dpi, dpi))
    return out.getvalue()


def _codes(pixels: Any) -> Any:
    """Fifteen-bit code of the colour of each pixel."""
    return ((pixels & 0xF8) << 7 | pixels >> 6 & 0x3E0 | pixels >> 19 & 0x1F).astype("intp")


@lru_cache(maxsize=1)
def _all_colors() -> Any:
    """The colour that each fifteen-bit code stands for."""
    import numpy as np

    return ((np.arange(1 << 15)[:, None] >> np.array([10, 5, 0]) & 31) * 255 // 31).astype(np.int32)
