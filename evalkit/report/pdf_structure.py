"""What WeasyPrint leaves out of a PDF's structure tree: tables whole again, and what each header cell heads.

A table that a page cuts is drawn, and tagged, as two tables with the same headers. Here it becomes one again: the rows join
the first part. What the tree then no longer holds, the header drawn a second time and the margins of each page, is marked
as artifacts: nothing reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Page, Pdf, String


def complete_structure(pdf: Pdf) -> None:
    """Join the parts of each table, then say of each header cell what it heads."""
    root = pdf.Root.StructTreeRoot
    _join_tables(root)
    _make_artifacts(pdf, root)
    _give_scope(pdf, root)


def kids(node: Any) -> list[Any]:
    """What a structure element holds: elements, and numbers of marked content."""
    held = node.get("/K")
    return list(held) if isinstance(held, Array) else [] if held is None else [held]


def is_element(kid: Any) -> bool:
    """Tell a structure element from a reference to content."""
    return isinstance(kid, Dictionary) and "/S" in kid


def find(node: Any, kind: str) -> Iterator[Any]:
    """Elements of a kind under one, in reading order."""
    for kid in kids(node):
        if is_element(kid):
            if kind == kid.S:
                yield kid
            yield from find(kid, kind)


def has_caption(table: Any) -> bool:
    """Every table of ours has a caption; a part of one that goes on has none."""
    return any(is_element(kid) and kid.S == "/Caption" for kid in kids(table))


def _join_tables(root: Any) -> None:
    whole: Any = None
    for table in list(find(root, "/Table")):
        if has_caption(table) or whole is None:
            whole = table
            continue
        bodies = list(find(whole, "/TBody"))
        if not bodies:  # nothing to join it to: left as it is, and the check says so
            whole = table
            continue
        names = dict(zip(_header_names(table), _header_names(whole), strict=False))
        for row in [row for body in find(table, "/TBody") for row in kids(body)]:
            row.P = bodies[-1]
            bodies[-1].K = Array([*kids(bodies[-1]), row])
            _rename_headers(row, names)
        _detach(table)


def _header_names(table: Any) -> list[bytes]:
    return [bytes(cell.ID) for head in find(table, "/THead") for cell in find(head, "/TH") if "/ID" in cell]


def _rename_headers(row: Any, names: dict[bytes, bytes]) -> None:
    for cell in find(row, "/TD"):
        held = cell.get("/A", {}).get("/Headers")
        if held is not None:
            cell.A.Headers = Array([String(names.get(bytes(name), bytes(name))) for name in held])


def _detach(node: Any) -> None:
    """Take an element out of its parent, and the parents that hold nothing any more."""
    parent = node.P
    left = [kid for kid in kids(parent) if not (is_element(kid) and kid.objgen == node.objgen)]
    parent.K = Array(left)
    if not left and parent.get("/S") not in (None, "/Document"):
        _detach(parent)


def _make_artifacts(pdf: Pdf, root: Any) -> None:
    """Mark what the tree does not hold as drawn for the eye only, and point to it no longer."""
    reached = {node.objgen for node in _elements(root)}
    numbers = list(root.ParentTree.Nums)
    owners = {int(key): held for key, held in zip(numbers[::2], numbers[1::2], strict=True)}
    for page in pdf.pages:
        held = owners[int(page.obj.StructParents)]
        marks = {mark for mark, owner in enumerate(held) if owner is None or owner.objgen not in reached}
        if marks:
            _mark_page(pdf, page, marks)
            for mark in marks:
                held[mark] = None


def _elements(node: Any) -> Iterator[Any]:
    for kid in kids(node):
        if is_element(kid):
            yield kid
            yield from _elements(kid)


def _mark_page(pdf: Pdf, page: Page, marks: set[int]) -> None:
    out: list[Any] = []
    for instruction in pikepdf.parse_content_stream(page):
        operands = instruction.operands
        if (
            str(instruction.operator) == "BDC"
            and isinstance(operands[1], Dictionary)
            and operands[1].get("/MCID") in marks
        ):
            out.append(([Name.Artifact], pikepdf.Operator("BMC")))
        else:
            out.append(instruction)
    page.obj.Contents = pdf.make_stream(pikepdf.unparse_content_stream(out))


def _give_scope(pdf: Pdf, root: Any) -> None:
    """Scope of each header cell, and the index of those that data cells refer to."""
    named: list[tuple[bytes, Any]] = []

    def walk(node: Any, in_head: bool) -> None:
        in_head = in_head or node.get("/S") == "/THead"
        if node.get("/S") == "/TH":
            attributes = node.get("/A", Dictionary(O=Name.Table))
            attributes.Scope = Name.Column if in_head else Name.Row
            node.A = attributes
            if "/ID" in node:
                named.append((bytes(node.ID), node))
        for kid in kids(node):
            if is_element(kid):
                walk(kid, in_head)

    walk(root, False)
    if named:
        named.sort(key=lambda pair: pair[0])
        leaf = Dictionary(
            Limits=Array([String(named[0][0]), String(named[-1][0])]),
            Names=Array([part for name, node in named for part in (String(name), node)]),
        )
        root.IDTree = pdf.make_indirect(Dictionary(Kids=Array([pdf.make_indirect(leaf)])))
