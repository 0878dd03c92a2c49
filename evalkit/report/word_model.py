"""A person's ``modele.docx`` made fit for every report: what it lacks is added, what it says of people is dropped.

A model is any document that Word saved: it may have no numbered list, no paper, or the comments, the notes and the paths of
whoever made it. None of these may stop a report, nor leave with one.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from typing import Any

from evalkit.report.word_xml import qn

# What a part needs without naming it; anything else it must name, or it is left behind.
_AROUND = frozenset({"officeDocument", "core-properties"})
_BESIDE = frozenset({"styles", "numbering", "settings", "fontTable", "theme"})
# Settings that hold words or places of people, or that lead to a part left behind.
_SETTINGS_LEFT = frozenset({"mailMerge", "docVars", "footnotePr", "endnotePr", "attachedTemplate", "saveThroughXslt"})
_LEFT = tuple(
    qn(name) for name in ("printerSettings", "sectPrChange", "commentRangeStart", "commentRangeEnd", "commentReference")
)
_LOCAL = re.compile(r"file:|[a-z]:[\\/]|\\\\", re.IGNORECASE)  # how a path of somebody's machine begins
_SIGNATURES = {"author": "evalkit", "initials": None, "date": None, "dateUtc": None}  # of a tracked change
_MARGINS = ("left_margin", "right_margin", "top_margin", "bottom_margin")


def list_of(numbering: Any, kind: str) -> str | None:
    """Identifier of the first list of a kind (``bullet``, ``decimal``); one that only points to a list style is none."""
    for abstract in numbering.findall(qn("abstractNum")):
        format_ = abstract.find(f"{qn('lvl')}/{qn('numFmt')}")
        if format_ is not None and format_.get(qn("val")) == kind:
            return str(abstract.get(qn("abstractNumId")))
    return None


def complete_lists(numbering: Any, own: Any) -> None:
    """Add evalkit's list of each kind that a numbering part lacks, before the lists that are in use, as Word wants it."""
    for kind in ("bullet", "decimal"):
        if list_of(numbering, kind) is not None:
            continue
        wanted = list_of(own, kind)
        there = numbering.findall(qn("abstractNum"))
        number = max((int(one.get(qn("abstractNumId"))) for one in there), default=0) + 1
        added = copy.deepcopy(
            next(one for one in own.findall(qn("abstractNum")) if one.get(qn("abstractNumId")) == wanted)
        )
        added.set(qn("abstractNumId"), str(number))
        if there:
            there[-1].addnext(added)
        else:
            numbering.insert(len(numbering.findall(qn("numPicBullet"))), added)


def add_num(numbering: Any, num: Any) -> None:
    """Add a list in use after the others: what Word for Mac writes at the end must stay there."""
    last = numbering.find(qn("numIdMacAtCleanup"))
    if last is None:
        numbering.append(num)
    else:
        last.addprevious(num)


def complete_paper(section: Any, own: Any) -> None:
    """Give a section the paper and the margins that it does not say."""
    for name in ("page_width", "page_height", *_MARGINS):
        if getattr(section, name) is None:
            setattr(section, name, getattr(own, name))


def forget_people(document: Any) -> None:
    """Leave behind what a model says of those who made it. To be called once its text is gone.

    Kept: what the sheet needs (styles, lists, settings, fonts, theme) and what a kept part names, as a header does its logo.
    Comments, notes, pictures of the text, people, template, thumbnail, printer and company are named by nothing any more.
    """
    from docx.opc.part import XmlPart

    package = document.part.package
    for key in [key for key, link in package.rels.items() if _last(link.reltype) not in _AROUND]:
        del package.rels[key]
    for part in [part for part in package.iter_parts() if isinstance(part, XmlPart)]:
        _remove(node for node in part.element.iter(*_LEFT))
        if part.element.tag == qn("settings"):
            _remove(node for node in part.element if _is_left(node))
        _unsign(part.element)
        _drop_local(part)
    for part in [part for part in package.iter_parts() if isinstance(part, XmlPart)]:
        _keep_named(part, _BESIDE if part is document.part else frozenset())


def _last(address: str) -> str:
    return address.rpartition("/")[2]


def _is_left(setting: Any) -> bool:
    return isinstance(setting.tag, str) and setting.tag.rpartition("}")[2] in _SETTINGS_LEFT


def _remove(nodes: Iterable[Any]) -> None:
    for node in list(nodes):
        node.getparent().remove(node)


def _unsign(root: Any) -> None:
    """Tracked changes of a header or of a style bear a name and an hour; and a picture may bear the path it came from."""
    for node in root.iter():
        for key, value in list(node.attrib.items()):
            name = key.rpartition("}")[2]
            signed = key.startswith("{") and name in _SIGNATURES
            if signed and _SIGNATURES[name] is None:
                del node.attrib[key]
            elif signed:
                node.set(key, _SIGNATURES[name])
            elif name in ("descr", "title", "name") and _LOCAL.match(value):
                node.set(key, "")


def _drop_local(part: Any) -> None:
    """Links to a file of somebody's machine: nobody else has it, and its path says who they are."""
    for key, link in list(part.rels.items()):
        if link.is_external and _LOCAL.match(link.target_ref):
            del part.rels[key]
            for node in part.element.iter():
                for name in [name for name, value in node.attrib.items() if value == key]:
                    del node.attrib[name]


def _keep_named(part: Any, beside: frozenset[str]) -> None:
    named = {value for node in part.element.iter() for value in node.attrib.values()}
    for key in [key for key, link in part.rels.items() if key not in named and _last(link.reltype) not in beside]:
        del part.rels[key]
