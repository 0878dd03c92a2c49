"""HTML page -> Word document: the same words, figures and tables, with real styles that a person can correct.

Written with python-docx from the elements that ``report.html`` makes, rather than by a general converter: header rows,
captions, alternative texts, right-aligned numbers, content controls and styles by meaning are then set once, here, and an
element that is not known stops everything instead of losing its content.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from evalkit.model.free_text import BOOKMARK_PREFIX, CONTROL_PREFIX, PROMPT, is_portable, words_print
from evalkit.report.page_identity import TWO_PAGES, PageIdentity, read_identity
from evalkit.report.word_model import add_num, list_of
from evalkit.report.word_package import ModelError, fill_margins, open_model, save, set_properties, style_ids, tighten
from evalkit.report.word_xml import (
    BLANKS,
    LINE_END,
    Piece,
    content_control,
    el,
    field_parts,
    paragraph,
    qn,
    run,
    squeeze,
)

__all__ = ["ModelError", "render_docx"]

DPI = 144  # of the charts' pictures
EMU_PER_INCH = 914400
TWIPS_PER_INCH = 1440
CONTENTS_NOTE = "Pour les numéros de page : clic droit dans ce sommaire, puis « Mettre à jour les champs »."
TALLEST = 0.66  # of the height of the text: room for what presents the picture, and for the end of what comes before
NARROWED = 0.64  # of the width of the text, for the chart of the steering committee's document
OVERLEAF = "trois-accords"  # what its second side begins with
_PARAGRAPH_STYLES = {"note": "evalkit note", "encadre": "evalkit encadré", "sous-titre": "subtitle"}
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_INLINE = {"strong", "b", "em", "i", "span", "small", "a", "br", "code", "sup", "sub", "abbr"}
_SKIPPED = {"summary", "script", "style", "template"}


def render_docx(page: str, model: bytes | None = None) -> bytes:
    """Make the Word document of a page of ``report.html``.

    Parameters
    ----------
    page
        A whole HTML document.
    model
        ``modele.docx`` as a person restyled it; evalkit's own when ``None``.

    Returns
    -------
    bytes
        The same for the same page and model.

    Raises
    ------
    ModelError
        The model is not a Word document.
    ValueError
        The page holds an element that is not known here.
    """
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(page, "html.parser")
    identity = read_identity(page)
    document = open_model(model)
    if identity.gabarit == TWO_PAGES:
        tighten(document)
    writer = _Writer(document, identity)
    writer.write(soup.find("main"))
    fill_margins(writer.document, identity)
    set_properties(writer.document, identity, writer.texts, _rest(writer.document) if writer.texts else [])
    return save(writer.document)


def _rest(document: Any) -> list[str]:
    """Prints of the paragraphs outside the free sections: what is typed there later can then be told."""
    prints = set()
    for one in document.element.body.iter(qn("p")):
        if next(one.iterancestors(qn("sdt")), None) is None:  # neither a free section, nor the contents
            prints.add(words_print("".join(text.text or "" for text in one.iter(qn("t")))))
    return sorted(prints - {""})


class _Writer:
    """Walks a page once and appends to the body; keeps what must be unique (bookmarks, pictures, lists)."""

    def __init__(self, document: Any, identity: PageIdentity) -> None:
        self.document = document
        self.identity = identity
        self.styles = style_ids(document)
        self.bookmarks: dict[str, str] = {}
        self.pictures = 0
        self.texts: list[dict[str, str]] = []  # free sections, in order
        self.chapter = ""
        section = document.sections[-1]
        self.width = section.page_width - section.left_margin - section.right_margin
        self.height = section.page_height - section.top_margin - section.bottom_margin
        self.blocks: dict[str, Callable[[Any], Iterator[Any]]] = {
            "p": self._paragraph,
            "ul": self._list,
            "ol": self._list,
            "dl": self._definitions,
            "table": self._table,
            "figure": self._flow,
            "figcaption": self._figcaption,
            "img": self._picture,
            "blockquote": self._quote,
            "nav": self._contents,
            "div": self._division,
            "section": self._flow,
            "article": self._flow,
            "details": self._flow,
            "pre": self._paragraph,
            **dict.fromkeys(_HEADINGS, self._heading),
        }

    def write(self, main: Any) -> None:
        """Append a page's content to the document."""
        for number, heading in enumerate(main.find_all(list(_HEADINGS)), start=1):
            self.bookmarks[heading.get("id", "")] = f"_evalkit{number}"
        body = self.document.element.body
        made = [paragraph(self._id("evalkit marque"), [run(Piece(mark))]) for mark in self.identity.marques]
        for node in (*made, *self._flow(main)):
            body.insert(len(body) - 1, node)  # before the section's properties

    def _id(self, name: str) -> str:
        return self.styles[name]

    # --- blocks --------------------------------------------------------------------------------------------------------

    def _flow(self, node: Any, style: str = "") -> Iterator[Any]:
        """Children of a container; words between two blocks make a paragraph of their own."""
        loose: list[Any] = []
        for child in node.children:
            name = getattr(child, "name", None)
            if name is None or name in _INLINE:
                loose.append(child)
            elif name not in _SKIPPED:
                yield from self._loose(loose, style)
                if name not in self.blocks:
                    raise ValueError(f"no Word equivalent is written for <{name}>")
                yield from self.blocks[name](child)
        yield from self._loose(loose, style)

    def _loose(self, nodes: list[Any], style: str) -> Iterator[Any]:
        content = self._runs(nodes)
        nodes.clear()
        if content:
            yield paragraph(style, content)

    def _paragraph(self, node: Any) -> Iterator[Any]:
        content = self._runs(node.children)
        if content:
            yield paragraph(self._style_of(node), content)

    def _style_of(self, node: Any) -> str:
        for name in node.get("class", []):
            if name in _PARAGRAPH_STYLES:
                return self._id(_PARAGRAPH_STYLES[name])
        return ""

    def _heading(self, node: Any) -> Iterator[Any]:
        level = min(_HEADINGS[node.name], 4)
        turned = self.identity.gabarit == TWO_PAGES and node.get("id") == OVERLEAF
        over = [el("pageBreakBefore")] if turned else []
        yield self._titled(level, self._runs(node.children), self.bookmarks.get(node.get("id", ""), ""), *over)

    def _titled(self, level: int, content: list[Any], bookmark: str = "", *properties: Any) -> Any:
        if bookmark:
            number = int(re.sub(r"\D", "", bookmark))
            content = [el("bookmarkStart", id=number, name=bookmark), *content, el("bookmarkEnd", id=number)]
        return paragraph(self._id(f"heading {level}"), content, *properties)

    def _division(self, node: Any) -> Iterator[Any]:
        if node.get("data-texte"):
            yield from self._free_section(node)
        elif not node.has_attr("hidden"):
            yield from self._flow(node)

    def _quote(self, node: Any) -> Iterator[Any]:
        for line in node.find_all("p") or [node]:
            content = self._runs(line.children)
            if content:
                yield paragraph(self._id("quote"), content)

    def _list(self, node: Any, depth: int = 0) -> Iterator[Any]:
        ordered = node.name == "ol"
        style = self._id("list number" if ordered else "list bullet")
        number = self._new_list(ordered)
        for item in node.find_all("li", recursive=False):
            nested = item.find_all(["ul", "ol"], recursive=False)
            words = [child for child in item.children if child not in nested]
            level = el("numPr", el("ilvl", val=depth), el("numId", val=number))
            yield paragraph(style, self._runs(words), level)
            for inner in nested:
                yield from self._list(inner, depth + 1)

    def _new_list(self, ordered: bool) -> int:
        """A list of its own, so that each numbered list starts at 1."""
        root = self.document.part.numbering_part.element
        abstract = list_of(root, "decimal" if ordered else "bullet")
        used = [int(node.get(qn("numId"))) for node in root.findall(qn("num"))]
        number = max(used, default=0) + 1
        restart = el("lvlOverride", el("startOverride", val=1), ilvl=0) if ordered else None
        add_num(root, el("num", el("abstractNumId", val=abstract), restart, numId=number))
        return number

    def _definitions(self, node: Any) -> Iterator[Any]:
        """Terms and meanings; a record (``fiche``) puts each on one line, as a form does."""
        record = "fiche" in node.get("class", [])
        term: list[Any] = []
        for item in node.find_all(["dt", "dd"]):
            content = self._runs(item.children)
            if item.name == "dt":
                term = content
                if not record:
                    yield paragraph(self._id("evalkit terme"), content)
            elif record:
                yield paragraph(self._id("evalkit fiche"), [*term, run(Piece("\t")), *content])
                term = []
            else:
                yield paragraph(self._id("evalkit définition"), content)

    def _contents(self, node: Any) -> Iterator[Any]:
        """Table of contents: a field that Word updates, already holding the chapters and their links."""
        if self.identity.gabarit == TWO_PAGES:
            return
        title = node.find("p")
        links = [link for link in node.find_all("a") if link.get("href", "").startswith("#")]
        opening, closing = field_parts('TOC \\o "2-2" \\h \\z \\u')
        lines = []
        for rank, link in enumerate(links):
            words = self._runs(link.children)
            target = el("hyperlink", *words, anchor=self.bookmarks.get(link["href"][1:], ""), history=1)
            lines.append(paragraph(self._id("toc 2"), [*(opening if rank == 0 else []), target]))
        if lines:  # within the field: gone as soon as Word has made the contents again
            lines.append(paragraph(self._id("toc 2"), [run(Piece(CONTENTS_NOTE, italic=True)), *closing]))
        head = paragraph(self._id("toc heading"), self._runs(title.children if title else []))
        gallery = el("docPartObj", el("docPartGallery", val="Table of Contents"), el("docPartUnique"))
        yield el("sdt", el("sdtPr", el("id", val=1), gallery), el("sdtContent", head, *lines))

    # --- free sections ---------------------------------------------------------------------------------------------------

    def _free_section(self, node: Any) -> Iterator[Any]:
        """A content control to write in; an empty one gets its heading here, since the page shows none."""
        empty, prompt = node.has_attr("hidden"), ""
        name, title = node["data-texte"], node["data-titre"]
        if empty:
            chapter = node.get("data-chapitre", "")
            if chapter and chapter != self.chapter:
                yield self._titled(int(node["data-niveau"]) - 1, [run(Piece(chapter))])
            self.chapter = chapter or self.chapter
            yield self._titled(int(node["data-niveau"]), [run(Piece(title))])
            prompt = f"{PROMPT} {node.get('data-consigne') or 'ce que le territoire veut en dire'}."
            content = [paragraph("", [run(Piece(prompt, style=self._id("placeholder text")))])]
        else:
            content = list(self._flow(node)) or [paragraph("")]
        if not is_portable(name):
            yield from content
            return
        print_ = hashlib.blake2b(name.encode("utf-8"), digest_size=4).digest()
        number = int.from_bytes(print_, "big") % 2_000_000_000 + 2
        tag = f"{CONTROL_PREFIX}:{name}:{node['data-empreinte']}"
        self.texts.append({"nom": name, "titre": title, "base": node["data-empreinte"], "invite": prompt})
        mark = _FIRST_TEXT + len(self.texts)
        yield el("bookmarkStart", id=mark, name=f"{BOOKMARK_PREFIX}{len(self.texts)}")
        yield content_control(number, title, tag, content, empty=empty)
        yield el("bookmarkEnd", id=mark)

    # --- figures and tables ------------------------------------------------------------------------------------------------

    def _figcaption(self, node: Any) -> Iterator[Any]:
        for part in node.find_all(["strong", "small"], recursive=False):
            content = self._runs(part.children)
            style = "caption" if part.name == "strong" else "evalkit note"
            if content:
                yield paragraph(self._id(style), content, el("keepNext"))

    def _picture(self, node: Any) -> Iterator[Any]:
        from docx.oxml.shape import CT_Inline

        content = base64.b64decode(node["src"].partition("base64,")[2])
        relation, image = self.document.part.get_or_add_image(io.BytesIO(content))
        self.pictures += 1
        width, height = self._size(image.px_width, image.px_height)
        inline = CT_Inline.new_pic_inline(self.pictures, relation, f"figure-{self.pictures}.png", width, height)
        inline.docPr.set("descr", node.get("alt", ""))
        inline.docPr.set("name", f"Figure {self.pictures}")
        yield paragraph(self._id("evalkit figure"), [el("r", el("drawing", inline))])

    def _size(self, width: int, height: int) -> tuple[Any, Any]:
        """Size on paper: as drawn, no wider than the text, low enough to stay with what presents it."""
        from docx.shared import Emu

        wide, high = width * EMU_PER_INCH / DPI, height * EMU_PER_INCH / DPI
        room = self.width * (NARROWED if self.identity.gabarit == TWO_PAGES else 1.0)
        ratio = min(1.0, room / wide, self.height * TALLEST / high)
        return Emu(round(wide * ratio)), Emu(round(high * ratio))

    def _table(self, node: Any) -> Iterator[Any]:
        caption = node.find("caption")
        said = BLANKS.sub(" ", caption.get_text()).strip() if caption else ""
        if caption is not None:
            yield paragraph(self._id("caption"), self._runs(caption.children), el("keepNext"))
        rows = node.find_all("tr")
        widths = _column_widths(rows, round(self.width / EMU_PER_INCH * TWIPS_PER_INCH))
        properties = el(
            "tblPr",
            el("tblStyle", val=self._id("evalkit tableau")),
            el("tblW", w=sum(widths), type="dxa"),
            el("tblLayout", type="fixed"),
            el("tblLook", val="04A0", firstRow=1, lastRow=0, firstColumn=1, lastColumn=0, noHBand=1, noVBand=1),
            el("tblCaption", val=said) if said else None,
        )
        grid = el("tblGrid", *(el("gridCol", w=width) for width in widths))
        yield el("tbl", properties, grid, *(self._row(row, widths) for row in rows))
        yield paragraph("", [], el("spacing", before=0, after=0, line=120, lineRule="exact"))

    def _row(self, row: Any, widths: list[int]) -> Any:
        head = row.parent.name == "thead"
        properties = el("trPr", el("cantSplit"), el("tblHeader") if head else None)
        cells = row.find_all(["th", "td"], recursive=False)
        if len(cells) != len(widths):
            raise ValueError("a table row has not one cell per column")
        return el("tr", properties, *(self._cell(cell, width, head) for cell, width in zip(cells, widths, strict=True)))

    def _cell(self, cell: Any, width: int, head: bool) -> Any:
        classes = cell.get("class", [])
        right = el("jc", val="right") if "nombre" in classes else None
        keep = el("keepNext") if head else None
        style = self._id("evalkit titre de colonne" if head else "evalkit cellule")
        look = self._id("evalkit absent") if "absent" in classes else ""
        content = self._runs(cell.children, style=look)
        return el("tc", el("tcPr", el("tcW", w=width, type="dxa")), paragraph(style, content, keep, right))

    # --- words --------------------------------------------------------------------------------------------------------------

    def _runs(self, nodes: Iterable[Any], style: str = "") -> list[Any]:
        """Runs and links of inline content."""
        out: list[Any] = []
        for piece in squeeze(self._pieces(nodes, Piece("", style=style))):
            made = run(piece)
            if piece.link.startswith("#"):
                made = el("hyperlink", made, anchor=self.bookmarks.get(piece.link[1:], ""), history=1)
            elif piece.link:
                relation = self.document.part.relate_to(piece.link, _LINK, is_external=True)
                made = el("hyperlink", made, r_id=relation, history=1)
            out.append(made)
        return out

    def _pieces(self, nodes: Iterable[Any], look: Piece, kept: bool = False) -> Iterator[Piece]:
        for node in nodes:
            name = getattr(node, "name", None)
            if name is None:
                text = str(node).replace("\n", LINE_END) if kept else str(node)
                yield Piece(text, look.bold, look.italic, look.style, look.link)
            elif name == "br":
                yield Piece(LINE_END)
            elif name in _INLINE or name == "p":
                classes = node.get("class", [])
                if "reserve" in classes or "charge" in classes:
                    yield Piece(LINE_END)
                inner = self._look(name, classes, look, node)
                yield from self._pieces(node.children, inner, kept or "texte-libre" in classes)
            elif name not in _SKIPPED:
                raise ValueError(f"no Word equivalent is written for <{name}> among words")

    def _look(self, name: str, classes: list[str], look: Piece, node: Any) -> Piece:
        small = name == "small" or "note" in classes
        link = node.get("href", "") if name == "a" else look.link
        style = self._id("hyperlink") if link else self._id("evalkit petit") if small else look.style
        return Piece("", look.bold or name in ("strong", "b"), look.italic or name in ("em", "i"), style, link)


_FIRST_TEXT = 100_000  # bookmarks of the free sections come after those of the headings
_LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"
_CHARACTER = 110  # twentieths of a point, about, for one letter of a cell
_NARROW, _BOLD = 92, 104
_PADDING = 160
_SHORT = 15  # a date, a count with its base: better on one line
_LONGEST = 90  # characters beyond which a column asks for no more


def _column_widths(rows: list[Any], total: int) -> list[int]:
    """Widths that sum to the text's: at least the longest word of each column, the rest by what it holds."""
    texts = [
        [BLANKS.sub(" ", cell.get_text(" ")).strip() for cell in row.find_all(["th", "td"], recursive=False)]
        for row in rows
    ]
    columns = [[row[i] for row in texts if i < len(row)] for i in range(max((len(row) for row in texts), default=0))]
    tries = ((_SHORT, _CHARACTER), (0, _CHARACTER), (0, _NARROW))
    least = next(
        (widths for short, letter in tries if sum(widths := [_least(c, short, letter) for c in columns]) <= total),
        [_least(column, 0, _NARROW) for column in columns],
    )
    asked = [
        min(max((len(text) for text in column), default=1), _LONGEST) * _CHARACTER + _PADDING for column in columns
    ]
    if sum(least) > total:
        return _shares(least, total)
    spare = total - sum(least)
    wanted = [max(0, want - low) for want, low in zip(asked, least, strict=True)]
    extra = _shares(wanted, spare) if sum(wanted) else _shares([1] * len(columns), spare)
    return [low + more for low, more in zip(least, extra, strict=True)]


def _least(column: list[str], short: int, letter: int) -> int:
    """Width of the longest thing that should stay on one line: a word, or a whole text no longer than ``short``.

    A title of column is bold: its letters do not narrow as much.
    """
    sizes = [
        len(part) * (max(letter, _BOLD) if rank == 0 else letter)
        for rank, text in enumerate(column)
        for part in ([text] if len(text) <= short else re.split(r"[ -]", text))
    ]
    return max(sizes, default=letter) + _PADDING


def _shares(weights: list[int], total: int) -> list[int]:
    whole = sum(weights)
    out = [weight * total // whole for weight in weights]
    out[-1] += total - sum(out)
    return out
