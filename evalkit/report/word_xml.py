"""Small pieces of WordprocessingML: elements, runs, properties. No decision about the document is taken here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
BLANKS = re.compile(r"[ \t\n\r\f]+")  # what a browser collapses: a no-break space is none of them
LINE_END = "\v"  # a line end that is kept, inside a run's text


def qn(name: str) -> str:
    """Qualified name: ``w`` unless ``r:`` is written."""
    return f"{{{R}}}{name[2:]}" if name.startswith("r:") else f"{{{W}}}{name}"


def el(name: str, /, *children: Any, **attributes: object) -> Any:
    """One element; ``None`` children are left out; attributes are in the ``w`` namespace (``r_id``: in ``r``)."""
    node = etree.Element(qn(name))
    for key, value in attributes.items():
        node.set(qn(f"r:{key[2:]}" if key.startswith("r_") else key.rstrip("_")), str(value))
    node.extend(child for child in children if child is not None)
    return node


@dataclass(frozen=True)
class Piece:
    """Words in one appearance. ``style``: identifier of a character style; ``link``: bookmark or address."""

    text: str
    bold: bool = False
    italic: bool = False
    style: str = ""
    link: str = ""


def squeeze(pieces: Iterable[Piece]) -> list[Piece]:
    """Blanks as a browser shows them: one between words, none at the ends of a line. No-break spaces stay."""
    out: list[Piece] = []
    open_line = True
    for piece in pieces:
        text = re.sub(f" ?{LINE_END} ?", LINE_END, BLANKS.sub(" ", piece.text))
        if open_line:
            text = text.removeprefix(" ")
        if not text:
            continue
        open_line = text[-1] in (" ", LINE_END)
        out.append(Piece(text, piece.bold, piece.italic, piece.style, piece.link))
    while out and not out[-1].text.rstrip(f" {LINE_END}"):
        out.pop()
    if out:
        last = out[-1]
        out[-1] = Piece(last.text.rstrip(f" {LINE_END}"), last.bold, last.italic, last.style, last.link)
    return out


def run(piece: Piece) -> Any:
    """A run."""
    properties = [
        el("rStyle", val=piece.style) if piece.style else None,
        el("b") if piece.bold else None,
        el("i") if piece.italic else None,
    ]
    node = el("r")
    if any(item is not None for item in properties):
        node.append(el("rPr", *properties))
    for number, line in enumerate(piece.text.split(LINE_END)):
        if number:
            node.append(el("br"))
        for rank, part in enumerate(line.split("\t")):
            if rank:
                node.append(el("tab"))
            if part:
                words = el("t")
                words.text = part
                words.set(_SPACE, "preserve")
                node.append(words)
    return node


def paragraph(style: str, content: Sequence[Any] = (), *properties: Any) -> Any:
    """A paragraph. ``properties``: what comes after the style in ``pPr``, in the order of the standard."""
    inside = [el("pStyle", val=style) if style else None, *properties]
    node = el("p")
    if any(item is not None for item in inside):
        node.append(el("pPr", *inside))
    node.extend(content)
    return node


def field_parts(instruction: str) -> tuple[list[Any], list[Any]]:
    """Runs that open and close a field around its last known result."""
    code = el("instrText")
    code.text = f" {instruction} "
    code.set(_SPACE, "preserve")
    opening = [
        el("r", el("fldChar", fldCharType="begin")),
        el("r", code),
        el("r", el("fldChar", fldCharType="separate")),
    ]
    return opening, [el("r", el("fldChar", fldCharType="end"))]


def content_control(number: int, alias: str, tag: str, content: Sequence[Any], *, empty: bool) -> Any:
    """A rich-text content control that people may fill but not delete by mistake; ``empty``: it shows what to write."""
    properties = el(
        "sdtPr",
        el("alias", val=alias[:64]),
        el("tag", val=tag),
        el("id", val=number),
        el("lock", val="sdtLocked"),
        el("showingPlcHdr") if empty else None,
    )
    return el("sdt", properties, el("sdtContent", *content))


def text_of(node: Any) -> str:
    """Words under an element, one line per paragraph or cell, tabs and line ends as blanks."""
    out: list[str] = []
    for item in node.iter():
        if item.tag == qn("t"):
            out.append(item.text or "")
        elif item.tag in (qn("tab"), qn("br"), qn("p")):
            out.append("\n" if item.tag == qn("p") else " ")
    return "".join(out)
