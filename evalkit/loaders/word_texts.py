"""A report corrected in Word -> the free sections that people typed there.

Only evalkit's content controls are read. Tracked insertions are accepted, tracked deletions are dropped, as if every
change had been accepted in Word; nothing of the rest of the document is taken.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from evalkit.errors import Fault, Place, fail
from evalkit.model.free_text import (
    BOOKMARK_PREFIX,
    CONTROL_PREFIX,
    PROMPT,
    REST_PROPERTY,
    STAMP_PROPERTY,
    TEXTS_PROPERTY,
    Block,
    Kind,
    Run,
    is_portable,
    serialise,
    tidy_runs,
    words_print,
)
from evalkit.wording import plural, quote

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_LARGEST = 100_000_000  # bytes, once unfolded
_TAG = re.compile(rf"{CONTROL_PREFIX}:(.+):([0-9a-f]{{10}})")
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_TAKEN = {
    f"{_W}{name}"
    for name in (
        "ins",
        "moveTo",
        "hyperlink",
        "smartTag",
        "customXml",
        "sdt",
        "sdtContent",
        "fldSimple",
        "dir",
        "bdo",
        "r",
    )
} | {f"{_MC}AlternateContent", f"{_MC}Choice"}
_NOT_TEXT = {
    f"{_W}object": "un objet",
    f"{_W}sym": "un signe d’une police de symboles",
    f"{_W}ruby": "un texte annoté",
    f"{_M}oMath": "une équation",
}
_PICTURES = (f"{_W}drawing", f"{_W}pict")
_NOTES = {f"{_W}footnoteReference": "une note de bas de page", f"{_W}endnoteReference": "une note de fin"}
_BOX = "la forme d’une zone de texte (ses mots sont repris)"


@dataclass(frozen=True)
class WordText:
    """One free section as it stands in Word. ``base``: print of the text that evalkit had put there."""

    nom: str
    titre: str
    base: str
    texte: str


@dataclass
class WordTexts:
    """What a Word report holds for ``textes/``."""

    stamp: dict[str, Any]
    sections: list[WordText] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_word_texts(path: Path) -> WordTexts:
    """Read the free sections of a Word report.

    Raises
    ------
    EvalkitError
        DON-001: not a Word document. DON-120: no free section in it. DON-121: it does not say whose it is.
    """
    parts = _open(path)
    properties = _properties(parts.get("docProps/custom.xml"))
    stamp = properties.get(STAMP_PROPERTY)
    stamp = stamp if isinstance(stamp, dict) else {}
    found = WordTexts(stamp)
    reader = _Reader(parts, path, _declared(properties.get(TEXTS_PROPERTY)))
    for control in parts["word/document.xml"].iter(f"{_W}sdt"):
        match = _ours(control)
        if match:
            found.sections.append(reader.read_control(control, match[1], match[2]))
    read = {section.nom for section in found.sections}
    found.sections += reader.read_bookmarks(parts["word/document.xml"], read)
    found.faults = reader.faults
    known = _rest(properties.get(REST_PROPERTY, ""))
    if found.sections and known:
        found.faults += reader.outside(parts["word/document.xml"], known)
    if not found.sections:
        raise fail(
            "DON-120",
            path,
            read="aucune section à écrire dans ce fichier",
            expected="un rapport Word produit par evalkit, enregistré par Word au format .docx",
            fix="reprenez le rapport.docx produit par evalkit ; le texte tapé ailleurs se copie à la main dans textes/",
        )
    if not stamp:
        raise fail(
            "DON-121",
            path,
            read="un fichier qui ne dit plus de quel territoire il est",
            expected="le rapport Word produit par evalkit, enregistré par Word",
            fix="copiez vos textes dans le rapport.docx d’origine, ou dans les fichiers de textes/",
        )
    return found


def _open(path: Path) -> dict[str, Any]:
    """XML parts of the package that matter here."""
    wanted = ("word/document.xml", "word/styles.xml", "word/numbering.xml", "docProps/custom.xml")
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in wanted if name in archive.namelist()]
            if sum(archive.getinfo(name).file_size for name in names) > _LARGEST:
                raise ValueError("too large once unfolded")
            parts = {name: etree.fromstring(archive.read(name), parser) for name in names}
        parts["word/document.xml"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error, RuntimeError, etree.XMLSyntaxError) as error:
        raise fail(
            "DON-001",
            path,
            read="un fichier que l’on ne peut pas lire comme un document Word",
            expected="un document .docx",
            fix="ouvrez-le dans Word, puis Fichier > Enregistrer sous > Document Word (.docx), sans mot de passe",
        ) from error
    return parts


def _properties(custom: Any) -> dict[str, Any]:
    """What evalkit wrote in the properties of the file."""
    found: dict[str, Any] = {}
    for item in custom if custom is not None else ():
        with suppress(ValueError, RecursionError):
            if item.get("name") in (STAMP_PROPERTY, TEXTS_PROPERTY):
                found[item.get("name")] = json.loads("".join(item.itertext()))
            elif item.get("name") == REST_PROPERTY:
                found[REST_PROPERTY] = "".join(item.itertext())
    return found


def _rest(content: str) -> set[str]:
    """Prints of the paragraphs outside the sections; none when a program cut the property: it would accuse everybody."""
    count, *prints = content.split() or ["0"]
    return set(prints) if count == str(len(prints)) else set()


def _ours(control: Any) -> re.Match[str] | None:
    """Name and print of a free section, from its content control; None for a control of somebody else."""
    tag = control.find(f"{_W}sdtPr/{_W}tag")
    match = _TAG.fullmatch(tag.get(f"{_W}val") or "") if tag is not None else None
    return match if match and is_portable(match[1]) else None


def _holder(paragraph: Any) -> Any:
    """The free section a paragraph is typed in: the nearest, when one was pasted inside another."""
    return next((one for one in paragraph.iterancestors(f"{_W}sdt") if _ours(one)), None)


def _declared(content: Any) -> list[dict[str, str]]:
    """The free sections that the report was made with, in order; a section that is not ours keeps its rank."""
    keys = ("nom", "titre", "base", "invite")
    listed = content if isinstance(content, list) else []
    return [{key: str(one.get(key, "")) if isinstance(one, dict) else "" for key in keys} for one in listed]


def _is_hidden(run: Any) -> bool:
    """Text that Word does not print: it must not be published."""
    mark = run.find(f"{_W}rPr/{_W}vanish")
    return mark is not None and mark.get(f"{_W}val", "1") not in ("0", "false", "off")


def _is_deleted(parent: Any) -> bool:
    """A tracked deletion around a paragraph, or of the table row that holds it."""
    if parent.tag == f"{_W}tr":
        return parent.find(f"{_W}trPr/{_W}del") is not None
    return parent.tag in (f"{_W}del", f"{_W}moveFrom")


class _Reader:
    """Reads free sections with the styles and lists of their document."""

    def __init__(self, parts: dict[str, Any], path: Path, declared: list[dict[str, str]]) -> None:
        self.path = path
        self.declared = declared
        self.prompts = {one["nom"]: one["invite"] for one in declared if one["invite"]}
        self.faults: list[Fault] = []
        self.taken: set[Any] = set()  # paragraphs of the free sections
        self.styles = _style_names(parts.get("word/styles.xml"))
        self.list_styles = _list_styles(parts.get("word/styles.xml"))
        self.bullets = _bullets(parts.get("word/numbering.xml"))

    def read_control(self, control: Any, nom: str, base: str) -> WordText:
        """A section in its content control, as Word keeps it."""
        alias = control.find(f"{_W}sdtPr/{_W}alias")
        titre = alias.get(f"{_W}val") if alias is not None else nom
        content = control.find(f"{_W}sdtContent")
        inside = [] if content is None else content.iter(f"{_W}p")
        paragraphs = [one for one in inside if _holder(one) is control]  # one pasted inside another is read once
        self.taken |= set(paragraphs)
        if control.find(f"{_W}sdtPr/{_W}showingPlcHdr") is not None:  # the prompt, unless somebody typed all the same
            said = "".join(word for paragraph in paragraphs for run in paragraph.iter(f"{_W}r") for word in _words(run))
            paragraphs = [] if said.strip() in ("", self.prompts.get(nom, PROMPT).strip()) else paragraphs
        return self._text(nom, titre, base, paragraphs)

    def read_bookmarks(self, document: Any, read: set[str]) -> Iterator[WordText]:
        """Sections whose control was dropped (LibreOffice does), found by the bookmarks that stand around them."""
        marks: dict[str, list[Any]] = {}
        for mark in document.iter(f"{_W}bookmarkStart"):
            marks.setdefault(mark.get(f"{_W}name", ""), []).append(mark)
        for number, one in enumerate(self.declared, start=1):
            starts = marks.get(f"{BOOKMARK_PREFIX}{number}")
            if one["nom"] in read or not is_portable(one["nom"]):
                continue
            paragraphs = _between(document, starts) if starts else []
            if not paragraphs:
                self.faults.append(_gone_fault(self.path, one["titre"]))
            else:
                self.taken |= set(paragraphs)
                yield self._text(one["nom"], one["titre"], one["base"], paragraphs)

    def outside(self, document: Any, known: set[str]) -> list[Fault]:
        """DON-125: what was typed outside the free sections, counted under the headings of the report, never repeated."""
        place, seen = "", set()
        new: Counter[str] = Counter()
        for paragraph in document.iter(f"{_W}p"):
            if paragraph in self.taken or _is_fallback(paragraph):
                continue
            gone = any(_is_deleted(parent) for parent in paragraph.iterancestors())
            text = "" if gone else "".join(run.text for run in self._runs(paragraph))
            print_ = words_print(text)
            seen.add(print_)
            if print_ in known and re.match(r"heading \d", self._style(paragraph)):
                place = " ".join(text.split())
            elif print_ and print_ not in known and not self._style(paragraph).startswith("toc "):
                new[place] += 1
        gone_ = len(known - seen) if not new else 0
        return [_outside_fault(self.path, new, gone_)] if new or gone_ else []

    def _text(self, nom: str, titre: str, base: str, paragraphs: list[Any]) -> WordText:
        """One section; what cannot be taken from it is said."""
        paragraphs = [one for one in paragraphs if not _is_fallback(one)]
        blocks = self._blocks(paragraphs)
        prompt = self.prompts.get(nom, PROMPT)
        if blocks and blocks[0].text.startswith(prompt):  # left there, alone or before what was typed
            rest = blocks[0].text[len(prompt) :].strip() if nom in self.prompts else ""
            blocks = [*([Block("paragraphe", (Run(rest),))] if rest else []), *blocks[1:]]
        left = sorted({said for paragraph in paragraphs for said in self._left_out(paragraph)})
        if left:
            self.faults.append(_left_out_fault(self.path, titre, left))
        return WordText(nom, titre, base, serialise(blocks))

    def _blocks(self, paragraphs: list[Any]) -> list[Block]:
        out: list[Block] = []
        pending: tuple[Run, ...] = ()
        for paragraph in paragraphs:
            if any(_is_deleted(parent) for parent in paragraph.iterancestors()):
                continue
            runs = (*pending, *self._runs(paragraph))
            mark = paragraph.find(f"{_W}pPr/{_W}rPr")
            gone = mark is not None and any(mark.find(f"{_W}{name}") is not None for name in ("del", "moveFrom"))
            pending = runs if gone else ()
            if not gone:
                out.append(Block(self._kind(paragraph), tidy_runs(runs)))
        if pending:
            out.append(Block("paragraphe", tidy_runs(pending)))
        return [block for block in out if block.text.strip()]

    def _kind(self, paragraph: Any) -> Kind:
        properties = paragraph.find(f"{_W}pPr")
        if re.match(r"heading \d", self._style(paragraph)):
            return "intertitre"
        style = properties.find(f"{_W}pStyle") if properties is not None else None
        identifier = style.get(f"{_W}val") if style is not None else ""
        number = properties.find(f"{_W}numPr/{_W}numId") if properties is not None else None
        listed = number.get(f"{_W}val") if number is not None else self.list_styles.get(identifier, "0")
        if listed in ("0", ""):
            return "paragraphe"
        return "puce" if listed in self.bullets else "numero"

    def _style(self, paragraph: Any) -> str:
        style = paragraph.find(f"{_W}pPr/{_W}pStyle")
        return self.styles.get(style.get(f"{_W}val"), "") if style is not None else ""

    def _runs(self, node: Any) -> Iterator[Run]:
        for child in node:
            if child.tag == f"{_W}r":
                text = "" if _is_hidden(child) else "".join(_words(child))
                if text:
                    yield Run(text, self._is(child, "b", "strong"), self._is(child, "i", "emphasis"))
            elif child.tag in _TAKEN:
                yield from self._runs(child)

    def _is(self, run: Any, sign: str, style_name: str) -> bool:
        properties = run.find(f"{_W}rPr")
        if properties is None:
            return False
        mark, style = properties.find(f"{_W}{sign}"), properties.find(f"{_W}rStyle")
        if mark is not None:
            return mark.get(f"{_W}val", "1") not in ("0", "false", "off")
        return style is not None and self.styles.get(style.get(f"{_W}val"), "") == style_name

    def _left_out(self, paragraph: Any) -> set[str]:
        nodes = [node for node in paragraph.iter("{*}*") if not _is_fallback(node)]
        names = {node.tag for node in nodes}
        hidden = any(node.tag == f"{_W}r" and _is_hidden(node) for node in nodes)
        said = {words for name, words in {**_NOT_TEXT, **_NOTES}.items() if name in names}
        said |= {words for node in nodes if node.tag in _PICTURES for words in _drawn(node)}
        said |= {"un texte masqué dans Word"} if hidden else set()
        in_table = any(parent.tag == f"{_W}tc" for parent in paragraph.iterancestors())
        return said | ({"la forme d’un tableau (ses mots sont repris)"} if in_table else set())


def _gone_fault(path: Path, titre: str) -> Fault:
    """DON-123: a zone that was deleted is no text that was erased; nothing of ``textes/`` is touched for it."""
    return Fault(
        "DON-123",
        Place(str(path), note=titre),
        read="une zone à écrire supprimée du document",
        expected="la zone, même vide",
        fix="rien n’a changé dans textes/ pour cette section ; pour retirer son texte, supprimez son fichier dans textes/",
    )


def _is_fallback(node: Any) -> bool:
    """Tell whether an element is the second writing that Word gives of something, for older programs."""
    return any(parent.tag == f"{_MC}Fallback" for parent in node.iterancestors())


def _drawn(drawing: Any) -> Iterator[str]:
    """What a drawing is: a picture, a text box, or both."""
    box = drawing.find(f".//{_W}txbxContent") is not None
    if box:
        yield _BOX
    if not box or any(True for _ in drawing.iter("{*}blip", "{*}imagedata")):
        yield "une image"


def _between(document: Any, starts: list[Any]) -> list[Any]:
    """Paragraphs from a bookmark to its end; those that only touch it by an end without words are left out.

    LibreOffice may write one bookmark as several of the same name: from the first start to the last end.
    """
    first, names = starts[0], {start.get(f"{_W}id") for start in starts}
    ends = [end for end in document.iter(f"{_W}bookmarkEnd") if end.get(f"{_W}id") in names]
    if not ends:
        return []
    found: list[Any] = []
    started = False
    for node in document.iter(f"{_W}p", f"{_W}bookmarkStart", f"{_W}bookmarkEnd"):
        if node is first:
            started = True
            home = _home(first)
            found += [home] if home is not None and not _words_before(home, first) else []
        elif node is ends[-1]:
            home = _home(node)
            return [p for p in found if p is not home or _words_before(home, node)]
        elif started and node.tag == f"{_W}p":
            found.append(node)
    return []


def _home(node: Any) -> Any:
    return next(node.iterancestors(f"{_W}p"), None)


def _words_before(paragraph: Any, node: Any) -> bool:
    """Tell whether a paragraph says something before one of its elements."""
    for one in paragraph.iter():
        if one is node:
            return False
        if one.tag == f"{_W}t" and (one.text or "").strip():
            return True
    return False


def _words(run: Any) -> Iterator[str]:
    for node in run:
        name = etree.QName(node).localname
        if name == "t":
            yield node.text or ""
        elif name == "tab":
            yield " "
        elif name in ("br", "cr"):
            yield "\n"
        elif name == "noBreakHyphen":
            yield "\u2011"
        elif node.find(f"{_MC}Choice/{{*}}symEx") is not None:  # an emoji: its character is in the second writing
            for other in node.findall(f"{_MC}Fallback"):
                yield from _words(other)


def _style_names(styles: Any) -> dict[str, str]:
    """Name of each style by its identifier: Word translates identifiers, never names."""
    found = {}
    for style in styles.iter(f"{_W}style") if styles is not None else ():
        name = style.find(f"{_W}name")
        if name is not None:
            found[style.get(f"{_W}styleId")] = name.get(f"{_W}val", "").lower()
    return found


def _list_styles(styles: Any) -> dict[str, str]:
    """List that a paragraph style belongs to."""
    found = {}
    for style in styles.iter(f"{_W}style") if styles is not None else ():
        number = style.find(f"{_W}pPr/{_W}numPr/{_W}numId")
        if number is not None:
            found[style.get(f"{_W}styleId")] = number.get(f"{_W}val", "0")
    return found


def _bullets(numbering: Any) -> set[str]:
    """Lists whose first level is a bullet."""
    if numbering is None:
        return set()
    kinds = {
        abstract.get(f"{_W}abstractNumId"): abstract.find(f"{_W}lvl/{_W}numFmt")
        for abstract in numbering.iter(f"{_W}abstractNum")
    }
    found = set()
    for number in numbering.findall(f"{_W}num"):
        link = number.find(f"{_W}abstractNumId")
        kind = kinds.get(link.get(f"{_W}val")) if link is not None else None
        if kind is not None and kind.get(f"{_W}val") == "bullet":
            found.add(number.get(f"{_W}numId"))
    return found


def _outside_fault(path: Path, new: Counter[str], gone: int) -> Fault:
    where = ", ".join(
        f"{n} sous {quote(title)}" if title else f"{n} avant le premier titre" for title, n in new.items()
    )
    total = sum(new.values())
    changed = f"{plural(total, 'paragraphe ajouté ou changé', 'paragraphes ajoutés ou changés')} : {where}"
    removed = f"{plural(gone, 'paragraphe retiré', 'paragraphes retirés')}"
    return Fault(
        "DON-125",
        Place(file=str(path), note="hors des zones à écrire"),
        read=changed if total else removed,
        expected="un texte tapé dans une zone à écrire ; rien d’autre n’est repris du Word",
        fix="copiez-le dans une zone à écrire puis recommencez ; un chiffre se corrige dans evaluation.xlsx",
    )


def _left_out_fault(path: Path, titre: str, left: list[str]) -> Fault:
    return Fault(
        "DON-123",
        Place(file=str(path), note=titre),
        read=" ; ".join(left),
        expected="du texte : paragraphes, listes, intertitres, gras, italique",
        fix="dites-le en mots, ou ajoutez-le dans Word au dernier moment, sur le document à diffuser",
    )
