"""HTML of a report: escaped fragments, tables, figures, the stamp, and the whole page.

Text given by people goes through :func:`escape` and nothing else: it is never read as HTML nor as Markdown. The page has
no script and no external reference (DESIGN §7).
"""

from __future__ import annotations

import base64
import html as _html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit import wording

if TYPE_CHECKING:
    from nbconvert import HTMLExporter
    from nbformat import NotebookNode

    from evalkit.charts.theme import Chart

STAMP_MIME = "application/vnd.evalkit.stamp+json"
NOTICE_TAG = "notice"
TEMPLATES = Path(__file__).parent / "templates"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class Html(str):
    """A fragment of HTML that a notebook shows as it is. Empty: nothing is shown."""

    __slots__ = ()

    def __repr__(self) -> str:  # the notebook also keeps a plain text: short, never the content
        return "<Html>"

    def __html__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return str(self)


class Stamped(Html):
    """A fragment that carries the document's stamp along, as a second representation of the same output."""

    stamp: Mapping[str, Any]

    def __new__(cls, fragment: str, stamp: Mapping[str, Any]) -> Stamped:
        """Keep the stamp beside the fragment."""
        new = super().__new__(cls, fragment)
        new.stamp = dict(stamp)
        return new

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": str(self), "text/plain": repr(self), STAMP_MIME: dict(self.stamp)}


def escape(text: object) -> Html:
    """Make any text harmless: markup characters escaped, control characters dropped. An ``Html`` passes unchanged.

    >>> escape("<script> & co")
    <Html>
    >>> str(escape("<script> & co"))
    '&lt;script&gt; &amp; co'
    """
    if isinstance(text, Html):
        return text
    return Html(_html.escape(_CONTROL.sub("", str(text)), quote=True))


_BEFORE = re.compile(r"(?<=\S) (?=[;:?!»](?:\s|$|[).]))")


def typeset(text: str) -> str:
    """Hold French double punctuation to the word before it, and quotation marks to what they quote.

    >>> typeset("Question : « oui » ?").count("\\xa0")
    4
    """
    return _BEFORE.sub(wording.NO_BREAK_SPACE, text).replace("« ", "«" + wording.NO_BREAK_SPACE)


def _child(value: object) -> Html:
    return value if isinstance(value, Html) else escape(typeset(str(value)))


def tag(name: str, *children: object, **attributes: object) -> Html:
    """One element; children are escaped unless they are ``Html``; ``classe``, ``pour`` and ``_`` stand for ``class``, ``for`` and ``-``."""
    renamed = {"classe": "class", "pour": "for"}
    parts = [
        f' {renamed.get(key, key.replace("_", "-"))}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    ]
    return Html(f"<{name}{''.join(parts)}>{''.join(_child(child) for child in children)}</{name}>")


def join(*fragments: str, separator: str = "\n") -> Html:
    """Put fragments one after the other, leaving out the empty ones."""
    return Html(separator.join(_child(fragment) for fragment in fragments if fragment))


def heading(level: int, text: str, anchor: str = "") -> Html:
    """A heading with an ASCII anchor."""
    return tag(f"h{level}", text, id=anchor or wording.slug(text))


def paragraph(*sentences: object, classe: str | None = None) -> Html:
    """A paragraph made of sentences; empty if none has anything to say."""
    said = [sentence for sentence in sentences if sentence]
    return tag("p", join(*[_child(s) for s in said], separator=" "), classe=classe) if said else Html("")


def free_text(text: object) -> Html:
    """Words typed by a person: line ends kept, nothing interpreted."""
    return tag("span", escape(str(text).strip()), classe="texte-libre")


_BOLD = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")


def rich_text(text: str) -> Html:
    """A free section: paragraphs, « - » lists and **bold**; everything else, HTML included, stays text."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip()):
        lines = [line.strip() for line in block.split("\n") if line.strip()]
        if lines and all(line.startswith(("- ", "* ")) for line in lines):
            blocks.append(bullet_list(_bold(line[2:]) for line in lines))
        elif lines:
            blocks.append(tag("p", _bold("\n".join(line.lstrip("#").strip() for line in lines))))
    return join(*blocks)


def _bold(text: str) -> Html:
    return tag("span", Html(_BOLD.sub(r"<strong>\1</strong>", escape(text))), classe="texte-libre")


def bullet_list(items: Iterable[object], ordered: bool = False) -> Html:
    """A list; empty if there is no item."""
    lines = [tag("li", item) for item in items if item]
    return tag("ol" if ordered else "ul", *lines) if lines else Html("")


def definition_list(pairs: Iterable[tuple[object, object]], classe: str = "fiche") -> Html:
    """Terms and what they mean; pairs without a value are left out."""
    lines = [join(tag("dt", term), tag("dd", value)) for term, value in pairs if value]
    return tag("dl", *lines, classe=classe) if lines else Html("")


class Absent(str):
    """Text of a cell that has no value: a silence, a status. Shown differently, in words."""

    __slots__ = ()


def _cell(value: object, numeric: bool) -> Html:
    if isinstance(value, Absent):
        return tag("td", value, classe="nombre absent" if numeric else "absent")
    if numeric:
        short = len(str(value)) < 24 and not isinstance(value, Html)
        return tag("td", value, classe="nombre chiffre" if short else "nombre")
    seen = re.sub(r"<[^>]+>", "", value) if isinstance(value, Html) else str(value)
    return tag("td", value, classe="libre" if len(seen) > 24 else None)


def table(
    headers: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    caption: str,
    numeric: Iterable[int] = (),
    note: str = "",
) -> Html:
    """A table with its caption, column and row headers, in a container that scrolls on narrow screens.

    Parameters
    ----------
    headers
        One per column; the first column holds the row headers.
    rows
        Cells: ``Html`` as it is, :class:`Absent` for what has no value, anything else escaped.
    caption
        What the table shows, with unit and year where they are the same for all.
    numeric
        Positions of the columns of numbers, aligned on the right.
    note
        A line under the table (source, base).

    Returns
    -------
    Html
        Empty when there is no row: an empty table is never printed.
    """
    if not rows:
        return Html("")
    right = set(numeric)
    head = [tag("th", h, scope="col", classe="nombre" if i in right else None) for i, h in enumerate(headers)]
    body = []
    for row in rows:
        cells = [_cell(value, i in right) for i, value in enumerate(row) if i]
        long = not isinstance(row[0], Html) and len(str(row[0])) > 16
        body.append(tag("tr", tag("th", row[0], scope="row", classe="libre" if long else None), *cells))
    grid = tag(
        "table", tag("caption", caption), tag("thead", tag("tr", *head)), tag("tbody", join(*body, separator="\n"))
    )
    region = tag("div", grid, classe="defile", tabindex="0", role="region", aria_label=f"Tableau : {caption}")
    return join(region, paragraph(note, classe="note"))


def figure(chart: Chart | None, titled: bool = True, values: Html | None = None) -> Html:
    """A chart: caption, picture with its alternative text, and the same values as a table. Nothing for ``None``.

    ``titled``: print its title; not when a heading says the same just above. ``values``: a table of the section that
    already holds every value of the chart, printed in the place of the chart's own so that no figure is said twice.
    """
    if chart is None:
        return Html("")
    data = base64.b64encode(chart.png).decode("ascii")
    image = Html(
        f'<img src="data:image/png;base64,{data}" alt="{escape(chart.alt)}"'
        f' width="{int(chart.largeur_px)}" height="{int(chart.hauteur_px)}">'
    )
    labels = (("Unité", chart.unite), ("Base", chart.base), ("Source", chart.source))
    said = [f"{name} : {text.rstrip('.')}." for name, text in labels if text]
    small = tag("small", " ".join([*said, chart.note]).strip()) if said or chart.note else Html("")
    frame = chart.donnees
    if not values:
        from evalkit.compute.results import columns_of

        rows = [[_chart_cell(value) for value in row] for row in zip(*columns_of(frame), strict=True)]
        values = table([str(column) for column in frame.columns], rows, caption=f"Données : {chart.titre}")
    details = tag("details", tag("summary", "Données du graphique"), values, open="open") if values else Html("")
    return tag(
        "figure",
        tag("figcaption", tag("strong", chart.titre) if titled else "", small),
        image,
        details,
        id=chart.identifiant,
    )


def _chart_cell(value: object) -> object:
    if isinstance(value, float):  # a number that the chart did not format: written the French way, missing said
        if value != value:
            return Absent(wording.label_status("non_disponible"))
        return wording.format_number(value, 0 if value.is_integer() else 1)
    if isinstance(value, str) and value in set(wording.STATUS_LABELS.values()):
        return Absent(value)
    return str(value).replace("n = ", f"n{wording.NO_BREAK_SPACE}={wording.NO_BREAK_SPACE}")


# --- the page ---------------------------------------------------------------------------------------------------------


def _image_output(output: NotebookNode) -> Html:
    """A bare picture of a notebook: refused unless its metadata say what it shows."""
    alt = output.metadata.get("image/png", {}).get("alt") or output.metadata.get("alt")
    if not alt:
        raise ValueError("a picture of the notebook has no alternative text: use report.html.figure")
    data = "".join(output.data["image/png"].split())
    return Html(f'<figure><img src="data:image/png;base64,{data}" alt="{escape(alt)}"></figure>')


@lru_cache(maxsize=1)
def _exporter() -> HTMLExporter:
    """Exporter of our template; one per process (its environment is slow to build).

    nbconvert's own goes through the page once more to make its cells focusable and to give a description to the pictures that
    have none: ours has no such cell, and refuses such a picture (``_image_output``, ``report.check``). Nor does it need
    preprocessors, which validate the whole notebook each.
    """
    from nbconvert import HTMLExporter, TemplateExporter
    from traitlets.config import Config

    class PageExporter(HTMLExporter):
        def from_notebook_node(self, nb: NotebookNode, resources: Any = None, **kw: Any) -> Any:
            return TemplateExporter.from_notebook_node(self, nb, resources, **kw)

    config = Config()
    config.Exporter.default_preprocessors = []
    config.HTMLExporter.exclude_anchor_links = True
    exporter = PageExporter(config=config, template_name="evalkit", extra_template_basedirs=[str(TEMPLATES)])
    exporter.register_filter("highlight_code", escape)  # named by the templates that ours extends; no code is shown
    exporter.register_filter("evalkit_image", _image_output)
    return exporter


def find_stamp(nb: NotebookNode) -> dict[str, Any]:
    """Stamp of an executed notebook: the last output of mime :data:`STAMP_MIME`.

    Raises
    ------
    ValueError
        The notebook shows no stamp: a document without one is not published.
    """
    found: dict[str, Any] | None = None
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            found = output.get("data", {}).get(STAMP_MIME, found)
    if found is None:
        raise ValueError("the notebook shows no stamp (show_stamp): it cannot become a document")
    return dict(found)


_HEADING = re.compile(r"<h([1-6])(?: id=\"([^\"]*)\")?>(.*?)</h\1>", re.DOTALL)
_FIRST_H2 = re.compile(r"<h2[ >]")


def _anchor_headings(page: str) -> tuple[str, list[tuple[int, str, str]]]:
    """Give every heading a unique ASCII anchor; return the page and (level, anchor, inner HTML) in order."""
    seen: dict[str, int] = {}
    found: list[tuple[int, str, str]] = []

    def rewrite(match: re.Match[str]) -> str:
        level, given, inner = int(match[1]), match[2], match[3].strip()
        text = _html.unescape(re.sub(r"<[^>]+>", "", inner))
        base = wording.slug(given if given else text) or "section"
        seen[base] = seen.get(base, 0) + 1
        anchor = base if seen[base] == 1 else f"{base}-{seen[base]}"
        found.append((level, anchor, _html.escape(text)))
        return f'<h{level} id="{anchor}">{inner}</h{level}>'

    return _HEADING.sub(rewrite, page), found


def check_headings(levels: Sequence[int]) -> None:
    """Refuse a page whose headings do not make a plan.

    Raises
    ------
    ValueError
        Not exactly one first-level heading, not first, or a level is jumped on the way down.
    """
    if levels.count(1) != 1 or levels[0] != 1:
        raise ValueError(f"a page has exactly one h1, and it comes first: {levels[:5]}")
    for before, after in pairwise(levels):
        if after > before + 1:
            raise ValueError(f"heading level jumps from h{before} to h{after}")


def _contents(headings: Sequence[tuple[int, str, str]]) -> str:
    lines = [f'<li><a href="#{anchor}">{text}</a></li>' for level, anchor, text in headings if level == 2]
    if not lines:
        return ""
    return f'<nav class="sommaire" aria-label="Sommaire">\n<p>Sommaire</p>\n<ol>\n{"".join(lines)}\n</ol>\n</nav>\n'


def _without_notices(nb: NotebookNode) -> NotebookNode:
    """The notebook without the cells that speak to its user (tag ``notice``): they are not part of the document."""
    import nbformat

    kept = [cell for cell in nb.cells if NOTICE_TAG not in cell.metadata.get("tags", [])]
    return nbformat.from_dict({**nb, "cells": kept})


def render_notebook(nb: NotebookNode, *, titre: str, marques: Sequence[str] = ()) -> str:
    """Make the page of an executed notebook.

    Parameters
    ----------
    nb
        Executed notebook (papermill's or nbclient's); one of its outputs carries the stamp.
    titre
        Title of the browser's tab and of the file; plain text.
    marques
        Marks printed on every page besides those of the stamp (« BROUILLON »…).

    Returns
    -------
    str
        A whole HTML document, the same bytes for the same outputs: no time, no path, no cell number.

    Raises
    ------
    ValueError
        No stamp, a picture without alternative text, or headings that do not make a plan.
    """
    stamp = find_stamp(nb)
    stamp_json = json.dumps(stamp, ensure_ascii=False, sort_keys=True)
    shown = list(dict.fromkeys([*stamp.get("marques", []), *marques]))
    titre = _CONTROL.sub("", titre)
    resources = {"evalkit": {"titre": titre, "marques": shown, "stamp_json": stamp_json}, "metadata": {"name": titre}}
    page, _ = _exporter().from_notebook_node(_without_notices(nb), resources=resources)
    page, headings = _anchor_headings(page)
    check_headings([level for level, _, _ in headings])
    first = _FIRST_H2.search(page)
    if first:
        page = page[: first.start()] + _contents(headings) + page[first.start() :]
    return re.sub(r"\n{3,}", "\n\n", page)
