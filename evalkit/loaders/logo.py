"""The logo that ``territoire.yml`` names -> a small PNG held as text, so that a page can carry it without a reference.

The picture is drawn again: what a camera or an office suite hides in a file (place, author, date) never leaves the dossier,
and every document has the same type to print.
"""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evalkit.errors import Fault, Place
from evalkit.loaders.pydantic_faults import nearest

MAX_BYTES = 1024 * 1024
MAX_PIXELS = 25_000_000
LARGEST = (480, 240)  # pixels kept: 4 cm × 2 cm on paper at 300 dots per inch
DATA_PREFIX = "data:image/png;base64,"
SUFFIXES = (".png", ".jpg", ".jpeg")  # any other would change without a batch seeing it (``batch.inputs``)
_EXPECTED = "une image PNG ou JPEG de 1 Mo au plus, posée dans le dossier du territoire"


def read_logo(folder: Path, name: str, place: Place) -> tuple[str, list[Fault]]:
    """Read the logo of a dossier.

    Parameters
    ----------
    folder
        Folder of the dossier (for a lone workbook, the folder it lies in).
    name
        File name as typed: never a path, so that nothing outside the dossier is ever read.
    place
        Where the name was typed.

    Returns
    -------
    tuple
        ``data:`` address of a PNG, metadata dropped, ``LARGEST`` at most ("" when unusable), and DON-050 if it is.
    """
    wrong = _wrong_name(folder, name) or _wrong_weight(folder / name)
    if wrong:
        return "", [Fault("DON-050", place, wrong[0], _EXPECTED, wrong[1])]
    try:
        return DATA_PREFIX + base64.b64encode(_draw_again(folder / name)).decode("ascii"), []
    except _Unusable as unusable:
        return "", [Fault("DON-050", place, f"« {name} », {unusable}", _EXPECTED, unusable.fix)]


class _Unusable(Exception):
    """What is wrong with a picture, and how to mend it."""

    def __init__(self, read: str, fix: str) -> None:
        super().__init__(read)
        self.fix = fix


def _wrong_name(folder: Path, name: str) -> tuple[str, str] | None:
    if "/" in name or "\\" in name or name.startswith(".") or ":" in name:
        return f"« {name} », un chemin", "copiez l’image dans le dossier du territoire, et n’écrivez que son nom"
    if (folder / name).is_file():
        if Path(name).suffix.lower() in SUFFIXES:
            return None
        return (
            f"« {name} », un fichier d’un autre type",
            "enregistrez l’image sous le type PNG, puis écrivez son nouveau nom",
        )
    there = sorted(file.name for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    near = nearest(name, there)
    fix = f"écrivez {near} ?" if near else "copiez l’image dans le dossier, ou retirez la ligne « logo »"
    return f"« {name} », un fichier absent du dossier", fix


def _wrong_weight(file: Path) -> tuple[str, str] | None:
    size = file.stat().st_size
    if size <= MAX_BYTES:
        return None
    weight = f"{size / MAX_BYTES:.1f}".replace(".", ",")
    return f"« {file.name} », {weight} Mo", "réduisez l’image : 500 pixels de large suffisent"


@contextmanager
def _whole_pictures() -> Iterator[None]:
    """A picture cut short is damaged, whatever another library of this process allows (WeasyPrint takes them as they are)."""
    from PIL import ImageFile

    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _eight_bits(picture: Any) -> Any:
    """A grey picture of 16 bits brought down to 8: Pillow, left to itself, makes white of all that is over 255."""
    import numpy as np
    from PIL import Image

    if not picture.mode.startswith("I"):
        return picture
    values = np.asarray(picture)
    grey = Image.fromarray((values >> 8).clip(0, 255).astype("uint8"), "L")
    clear = picture.info.get("transparency")
    if clear is not None:
        grey.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype("uint8"), "L"))
    return grey


def _draw_again(file: Path) -> bytes:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings(), _whole_pictures():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is lower
            with Image.open(file, formats=("PNG", "JPEG")) as source:
                if source.width * source.height > MAX_PIXELS:
                    raise _Unusable(
                        f"{source.width} × {source.height} pixels", "réduisez l’image : 500 pixels de large suffisent"
                    )
                picture: Any = _eight_bits(ImageOps.exif_transpose(source))
                picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    except UnidentifiedImageError as error:
        fix = "ouvrez l’image et enregistrez-la sous le type PNG ; renommer le fichier ne suffit pas"
        raise _Unusable("un fichier qui n’est ni PNG ni JPEG", fix) from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _Unusable(
            "une image abîmée", "reprenez le fichier d’origine, puis enregistrez-le sous le type PNG"
        ) from error
    picture.thumbnail(LARGEST)
    picture.info.clear()  # what Pillow would write again: the colour profile bears the name of a screen, so of its owner
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()
