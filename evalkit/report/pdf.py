"""HTML page -> tagged PDF. The page is the one content: nothing is added but headers, footers and page numbers.

WeasyPrint lays out and tags; what it leaves out of the structure is completed by :mod:`evalkit.report.pdf_structure`, and
pictures go back to the palette they were drawn with. The PDF/UA-1 variant is asked for; conformity
is not claimed: :mod:`evalkit.report.check_pdf` says what a machine could check.
"""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path
from typing import Any

from evalkit.report.html import TEMPLATES
from evalkit.report.identity import css_text, printed_logo
from evalkit.report.page_identity import PageIdentity, read_identity

VARIANT = "pdf/ua-1"
_FACES = (
    ("DejaVuSans.ttf", "normal", "normal"),
    ("DejaVuSans-Bold.ttf", "bold", "normal"),
    ("DejaVuSans-Oblique.ttf", "normal", "italic"),
    ("DejaVuSans-BoldOblique.ttf", "bold", "italic"),
)


def render_pdf(page: str) -> bytes:
    """Make the PDF of a page of ``report.html``; the same bytes for the same page on the same machine.

    Raises
    ------
    ImportError
        WeasyPrint or pikepdf is not installed.
    OSError
        Pango, the system library that WeasyPrint draws with, is not there.
    """
    return _finish(_lay_out(page, read_identity(page)))


def _lay_out(page: str, identity: PageIdentity) -> bytes:
    import weasyprint
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    document = weasyprint.HTML(string=_with_style(page, identity), base_url="about:blank", url_fetcher=_fetcher())
    return document.write_pdf(pdf_variant=VARIANT, pdf_tags=True, font_config=fonts)


def _fetcher() -> Any:
    """Give what the page carries in itself, and our fonts; ask the network and the disk for nothing else."""
    from weasyprint.urls import URLFetcher

    allowed = {_font_address(name) for name, _, _ in _FACES}

    class Fetcher(URLFetcher):
        def fetch(self, url: str, headers: Any = None) -> Any:
            if not url.startswith("data:") and url not in allowed:
                raise ValueError("a report loads nothing from elsewhere")
            return super().fetch(url, headers)

    return Fetcher()


@lru_cache(maxsize=1)
def _fonts_folder() -> Path:
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"


def _font_address(name: str) -> str:
    return (_fonts_folder() / name).as_uri()


def _with_style(page: str, identity: PageIdentity) -> str:
    faces = "\n".join(
        f'@font-face {{ font-family: "Evalkit"; src: url("{_font_address(name)}"); font-weight: {weight}; font-style: {style}; }}'
        for name, weight, style in _FACES
    )
    rules = (TEMPLATES / "evalkit" / "pdf.css").read_text(encoding="utf-8")
    margins = _margins(identity)
    return page.replace("</head>", f"<style>\n{faces}\n{rules}\n{margins}\n</style>\n</head>", 1)


def _margins(identity: PageIdentity) -> str:
    """Words of each sheet's margins; with a logo, it takes the corner and the words go to the middle."""
    head = "\n".join(part for part in (identity.territoire, identity.campagne) if part)
    corner = f'@top-left {{ content: "{css_text(head)}" }}'
    if identity.logo:
        picture = f'content: url("{printed_logo(identity.logo)}"); width: 62mm'
        words = f'content: "{css_text(head)}"; width: 58mm; text-align: left'
        corner = f"@top-left {{ {picture} }} @top-center {{ {words} }}"
    return (
        f'@page {{ {corner} @top-right {{ content: "{css_text(identity.marque)}" }} '
        f'@bottom-left {{ content: "{css_text(identity.cachet)}" }} }}'
    )


# --- what WeasyPrint leaves out ------------------------------------------------------------------------------------------


def _finish(content: bytes) -> bytes:
    import pikepdf

    from evalkit.report.pdf_structure import complete_structure

    with pikepdf.open(io.BytesIO(content)) as pdf:
        complete_structure(pdf)
        for image in [o for o in pdf.objects if isinstance(o, pikepdf.Stream) and o.get("/Subtype") == "/Image"]:
            _shrink(pdf, image)
        out = io.BytesIO()
        pdf.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate, linearize=False)
    return out.getvalue()


def _shrink(pdf: Any, image: Any) -> None:
    """Give a picture its palette back when it has one: the same pixels in a third of the bytes."""
    import zlib

    import numpy as np
    import pikepdf

    if image.get("/ColorSpace") != "/DeviceRGB" or "/SMask" in image:
        return
    picture = pikepdf.PdfImage(image).as_pil_image().convert("RGB")
    pixels = np.asarray(picture)
    codes = (pixels[..., 0].astype(np.uint32) << 16) | (pixels[..., 1].astype(np.uint32) << 8) | pixels[..., 2]
    colours, indices = np.unique(codes, return_inverse=True)
    if len(colours) > 256:
        return
    palette = b"".join(int(colour).to_bytes(3, "big") for colour in colours)
    content = zlib.compress(indices.astype(np.uint8).tobytes(), 9)
    image.write(content, filter=pikepdf.Name.FlateDecode, decode_parms=None)
    image.ColorSpace = pikepdf.Array(
        [pikepdf.Name.Indexed, pikepdf.Name.DeviceRGB, len(colours) - 1, pikepdf.String(palette)]
    )
    image.BitsPerComponent = 8
