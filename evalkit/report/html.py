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
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit import wording
from evalkit.model.free_text import Block, digest, parse

if TYPE_CHECKING:
    from nbconvert import HTMLExporter
    from nbformat import NotebookNode

    from evalkit.charts.theme import Chart
    from evalkit.report.identity import Identity

STAMP_MIME = "application/vnd.evalkit.stamp+json"
NOTICE_TAG = "notice"
CSP = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:"
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


def rich_text(text: str) -> Html:
    """A free section: paragraphs, lists, subheadings, **bold** and *italic*; everything else, HTML included, stays text."""
    blocks: list[Html] = []
    for kind, group in groupby(parse(text), key=lambda block: block.kind):
        if kind in ("puce", "numero"):
            blocks.append(bullet_list((_styled(block) for block in group), ordered=kind == "numero"))
        else:
            blocks.extend(tag("h4" if kind == "intertitre" else "p", _styled(block)) for block in group)
    return join(*blocks)


def _styled(block: Block) -> Html:
    parts = []
    for run in block.runs:
        said: Html = Html("<br>".join(escape(line) for line in run.text.split("\n")))
        said = tag("em", said) if run.italic else said
        parts.append(tag("strong", said) if run.bold else said)
    return tag("span", *parts, classe="texte-libre")


def free_section(name: str, titre: str, consigne: str, text: str, *, level: int = 3, chapitre: str = "") -> Html:
    """One free section: its heading and what the territory wrote.

    Without a text the page shows nothing: the block is hidden, and only the Word file makes a place to write of it.
    ``chapitre``: heading under which an empty section goes when it is the only one there.
    """
    body = text.strip()
    title = heading(level, titre, f"texte-{wording.slug(name)}") if body else Html("")
    content = tag(
        "div",
        rich_text(body),
        classe="texte-du-territoire",
        data_texte=name,
        data_titre=titre,
        data_consigne=consigne,
        data_empreinte=digest(text),
        data_niveau=str(level),
        data_chapitre=chapitre or None,
        hidden=None if body else "hidden",
    )
    return join(title, content)


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
    found = _carried(nb, STAMP_MIME)
    if found is None:
        raise ValueError("the notebook shows no stamp (show_stamp): it cannot become a document")
    return found


def find_identity(nb: NotebookNode) -> Identity:
    """Identity that an executed notebook carries (show_title); nothing to print when there is none."""
    from evalkit.report.identity import IDENTITY_MIME, Identity

    return Identity(**(_carried(nb, IDENTITY_MIME) or {}))


def _carried(nb: NotebookNode, mime: str) -> dict[str, Any] | None:
    """What the last output of a type holds."""
    found = None
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            found = output.get("data", {}).get(mime, found)
    return None if found is None else dict(found)


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


def whole_page(titre: str, body: str, stamp: Mapping[str, Any], identity: Identity, style: str = "") -> str:
    """A page that no notebook makes (index, sheets of a meeting): same head, same rules as a report's.

    ``style``: added to the common style sheet.
    """
    from evalkit.report.identity import page_header, print_style

    marks = list(stamp.get("marques", []))
    common = (TEMPLATES / "evalkit" / "style.css").read_text(encoding="utf-8")
    return f"""<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{CSP}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="evalkit" content="{escape(json.dumps(stamp, ensure_ascii=False, sort_keys=True))}">
<title>{escape(titre)}</title>
<style>
{common}{style}
{print_style(identity, marks)}
</style>
</head>
<body>
<a class="evitement" href="#contenu">Aller au contenu</a>
{page_header(identity, marks)}
<main id="contenu">
{body}
</main>
</body>
</html>
"""


def _check_nothing_lost(nb: NotebookNode, page: str) -> None:
    """Refuse a page that has fewer tables or figures than the notebook showed: no checker of pages can see what is gone."""
    outputs = [output.get("data", {}).get("text/html", "") for cell in nb.cells for output in cell.get("outputs", [])]
    for element in ("table", "figure"):
        shown = sum(len(re.findall(f"<{element}[ >]", fragment)) for fragment in outputs)
        kept = len(re.findall(f"<{element}[ >]", page))
        if kept < shown:
            raise ValueError(f"the page has {kept} <{element}> where the notebook shows {shown}")


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
        No stamp, a picture without alternative text, a table or a figure lost on the way, or headings that do not make a
        plan.
    """
    from evalkit.report.identity import page_header, print_style

    stamp = find_stamp(nb)
    shown = list(dict.fromkeys([*stamp.get("marques", []), *marques]))
    identity = find_identity(nb)
    titre = _CONTROL.sub("", titre)
    parts = {
        "titre": titre,
        "gabarit": identity.gabarit,
        "entete": page_header(identity, shown),
        "style": print_style(identity, shown),
        "stamp_json": json.dumps(stamp, ensure_ascii=False, sort_keys=True),
    }
    shown_cells = _without_notices(nb)
    page, _ = _exporter().from_notebook_node(shown_cells, resources={"evalkit": parts, "metadata": {"name": titre}})
    _check_nothing_lost(shown_cells, page)
    page, headings = _anchor_headings(page)
    check_headings([level for level, _, _ in headings])
    first = _FIRST_H2.search(page)
    if first:
        page = page[: first.start()] + _contents(headings) + page[first.start() :]
    return re.sub(r"\n{3,}", "\n\n", page)
