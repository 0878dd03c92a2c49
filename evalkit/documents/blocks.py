"""Blocks of a generated page, rendered as Markdown or HTML: titles, paragraphs, lists, tables, and where an object comes from."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evalkit.model.base import Documented

STATUTS = {
    "source": ("sourcé", "défini par le texte ou le document cité"),
    "adapte": ("adapté", "traduction mesurable d’une règle ou d’un constat cité"),
    "propose": ("proposé", "proposition de ce référentiel, dans l’esprit des sources citées"),
}


@dataclass(frozen=True)
class Heading:
    """A title; ``anchor`` is a code (``q1-1``)."""

    level: int
    text: str
    anchor: str = ""


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; ``strong`` comes first, in bold."""

    text: str
    strong: str = ""


@dataclass(frozen=True)
class Bullets:
    """A list of (label, text) pairs; an empty label prints the text alone."""

    items: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Grid:
    """A table with a caption, headers and rows of text."""

    caption: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]


Block = Heading | Paragraph | Bullets | Grid


def render_blocks_markdown(blocks: Iterable[Block]) -> str:
    """Blocks as one Markdown page, which says that it is generated."""
    lines = ["<!-- Page produite à partir de referentiel/ : ne pas la modifier à la main. -->", ""]
    for block in blocks:
        lines += [*_markdown(block), ""]
    return "\n".join(lines).rstrip() + "\n"


def origin(item: Documented) -> Paragraph:
    """Where an object comes from: sourced, adapted or proposed, with its note and its sources."""
    name = STATUTS[item.statut][0]
    note = f" {item.statut_note}" if item.statut_note else ""
    sources = f" Sources : {', '.join(item.references)}." if item.references else ""
    return Paragraph(f"{name}.{note}{sources}", strong="Origine :")


def anchor_of(code: str) -> str:
    """Anchor of a code: ``Q1.1`` -> ``q1-1``."""
    return code.lower().replace(".", "-")


def _markdown(block: Block) -> list[str]:
    if isinstance(block, Heading):
        anchor = [f'<a id="{block.anchor}"></a>', ""] if block.anchor else []
        return [*anchor, f"{'#' * block.level} {_md(block.text)}"]
    if isinstance(block, Paragraph):
        return [f"**{_md(block.strong)}** {_md(block.text)}" if block.strong else _md(block.text)]
    if isinstance(block, Bullets):
        return [f"- **{_md(label)}** : {_md(text)}" if label else f"- {_md(text)}" for label, text in block.items]
    rows = [block.headers, ["---"] * len(block.headers), *block.rows]
    table = ["| " + " | ".join(cell if cell == "---" else _md(cell) for cell in row) + " |" for row in rows]
    return [f"**{_md(block.caption)}**", "", *table]


def _md(text: str) -> str:
    """Text as text: what Markdown would read as a mark is escaped; addresses are kept as they are."""
    if "://" in text:
        return text.replace("|", "\\|").replace("<", "&lt;")
    for mark in ("\\", "*", "_", "`", "|", "[", "]"):
        text = text.replace(mark, f"\\{mark}")
    return text.replace("<", "&lt;")


def render_block_html(block: Block) -> str:
    """One block as HTML, every text escaped."""
    if isinstance(block, Heading):
        anchor = f' id="{html.escape(block.anchor)}"' if block.anchor else ""
        return f"<h{block.level}{anchor}>{html.escape(block.text)}</h{block.level}>"
    if isinstance(block, Paragraph):
        strong = f"<strong>{html.escape(block.strong)}</strong> " if block.strong else ""
        return f"<p>{strong}{html.escape(block.text)}</p>"
    if isinstance(block, Bullets):
        items = (
            f"<li><strong>{html.escape(label)}</strong> : {html.escape(text)}</li>"
            if label
            else f"<li>{html.escape(text)}</li>"
            for label, text in block.items
        )
        return "<ul>\n" + "\n".join(items) + "\n</ul>"
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in block.headers)
    body = "\n".join(
        f'<tr><th scope="row">{html.escape(row[0])}</th>'
        + "".join(f"<td>{html.escape(c)}</td>" for c in row[1:])
        + "</tr>"
        for row in block.rows
    )
    return f"<table>\n<caption>{html.escape(block.caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
