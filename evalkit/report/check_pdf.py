"""The automatic check of a PDF: its structure tree is read back. Conformity to PDF/UA is never claimed."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from evalkit.report.numbers import compare_numbers, numbers_of
from evalkit.report.page_identity import TWO_PAGES, read_identity
from evalkit.report.pdf_structure import has_caption, is_element, kids

LIMIT_BYTES = 2_000_000
FAMILY = "Evalkit"  # name of our letters in pdf.css
_HEADINGS = ("/H1", "/H2", "/H3", "/H4", "/H5", "/H6")


def check_pdf(content: bytes, page: str) -> dict[str, Any]:
    """Check a PDF made of a page.

    Returns
    -------
    dict
        As :func:`evalkit.report.check.check_page`: ``anomalies``, ``comptes``, ``verifie_par``, ``non_verifie``.
    """
    import pikepdf

    with pikepdf.open(io.BytesIO(content)) as pdf:
        tree = read_tree(pdf)
        anomalies = [
            *_identity(pdf),
            *_structure(tree),
            *_fonts(pdf),
            *_links(pdf),
            *_against_page(tree, page),
            *_sides(pdf, page),
            *([f"fichier de {len(content)} octets, plus de {LIMIT_BYTES}"] if len(content) > LIMIT_BYTES else []),
        ]
        return {
            "anomalies": anomalies,
            "comptes": {
                "pages": len(pdf.pages),
                "figures": len(tree.figures),
                "tableaux": len(tree.tables),
                "titres": len(tree.levels),
                "octets": len(content),
            },
            "verifie_par": "evalkit (arbre de structure relu avec pikepdf)",
            "non_verifie": [
                "conformité à PDF/UA (aucun validateur complet n'est employé)",
                "justesse des textes de remplacement",
                "contrastes",
                "lecture par un lecteur d'écran",
            ],
        }


def _sides(pdf: Any, page: str) -> list[str]:
    """Whether the steering committee's document holds on the two sides of one sheet."""
    if read_identity(page).gabarit != TWO_PAGES or len(pdf.pages) == 2:
        return []
    return [f"{len(pdf.pages)} page(s) au lieu de deux"]


# --- reading the structure ------------------------------------------------------------------------------------------------


@dataclass
class Tree:
    """What the structure tree holds, in reading order. A table cut by a page must be one: a part has no caption."""

    levels: list[int] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)  # alternative texts
    tables: list[list[Any]] = field(default_factory=list)  # header cells of each, continuations apart
    parts: int = 0  # of tables, announced as tables of their own
    rows: int = 0  # repeated headers left out; a row cut by a page counts twice
    last: dict[Any, str] = field(default_factory=dict)  # page -> what its last words belong to
    texts: list[str] = field(default_factory=list)  # as read; what is only repeated or numbered by the layout left out


def read_tree(pdf: Any) -> Tree:
    """Walk the structure tree of an open PDF; text is read through the fonts' own tables, as assistive tools do."""
    tree = Tree()
    if "/StructTreeRoot" in pdf.Root:
        _walk(pdf.Root.StructTreeRoot, None, {page.obj.objgen: _page_texts(page) for page in pdf.pages}, tree)
    return tree


def _walk(
    node: Any, page: Any, texts: dict[Any, dict[int, str]], tree: Tree, silent: bool = False, block: str = ""
) -> None:
    kind = str(node.get("/S", ""))
    block = kind if kind in _HEADINGS or kind in ("/P", "/TR", "/Caption", "/Figure", "/LI") else block
    page = node.get("/Pg", page)
    inside = kids(node)
    again = kind == "/Table" and not has_caption(node)
    _note(kind, node, tree, again)
    tree.rows += kind == "/TR" and not silent
    for kid in inside:
        if isinstance(kid, int):
            tree.last[page.objgen] = block
            if not silent:
                tree.texts.append(texts.get(page.objgen, {}).get(kid, ""))
        elif is_element(kid):
            _walk(kid, page, texts, tree, silent or kid.S == "/Lbl" or (again and kid.S == "/THead"), block)


def _note(kind: str, node: Any, tree: Tree, again: bool) -> None:
    if kind in _HEADINGS:
        tree.levels.append(int(kind[-1]))
    elif kind == "/Figure":
        tree.figures.append(str(node.get("/Alt", "")))
    elif kind == "/Table":
        tree.parts += again
        if not again:
            tree.tables.append([])
    elif kind == "/TH" and tree.tables:
        tree.tables[-1].append(node)


def _page_texts(page: Any) -> dict[int, str]:
    """Text of each piece of marked content of a page, by its number."""
    import pikepdf

    maps = {name: _unicode_map(font) for name, font in (page.obj.Resources.get("/Font") or {}).items()}
    found: dict[int, str] = {}
    stack: list[int | None] = []
    current: dict[int, str] = {}
    for instruction in pikepdf.parse_content_stream(page):
        operands, operator = instruction.operands, instruction.operator
        name = str(operator)
        if name == "BDC":
            properties = operands[1]
            number = properties.get("/MCID") if isinstance(properties, pikepdf.Dictionary) else None
            stack.append(None if number is None else int(number))
        elif name == "BMC":
            stack.append(None)
        elif name == "EMC" and stack:
            stack.pop()
        elif name == "Tf":
            current = maps.get(str(operands[0]), {})
        elif name in ("Tj", "TJ") and stack and stack[-1] is not None:
            parts = operands[0] if name == "TJ" else [operands[0]]
            said = "".join(_decode(bytes(part), current) for part in parts if isinstance(part, pikepdf.String))
            found[stack[-1]] = found.get(stack[-1], "") + said
    return found


def _decode(codes: bytes, table: dict[int, str]) -> str:
    return "".join(table.get(int.from_bytes(codes[i : i + 2], "big"), "\ufffd") for i in range(0, len(codes), 2))


def _unicode_map(font: Any) -> dict[int, str]:
    """What each glyph of a font says (``ToUnicode``), two-byte codes."""
    if "/ToUnicode" not in font:
        return {}
    text = font.ToUnicode.read_bytes().decode("latin-1")
    table: dict[int, str] = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", text, re.DOTALL):
        for code, said in re.findall(r"<([0-9a-fA-F]+)>\s*<([0-9a-fA-F]*)>", block):
            table[int(code, 16)] = bytes.fromhex(said).decode("utf-16-be", "replace")
    for block in re.findall(r"beginbfrange(.*?)endbfrange", text, re.DOTALL):
        for low, high, said in re.findall(r"<([0-9a-fA-F]+)>\s*<([0-9a-fA-F]+)>\s*<([0-9a-fA-F]+)>", block):
            first = int(said, 16)
            table.update({code: chr(first + code - int(low, 16)) for code in range(int(low, 16), int(high, 16) + 1)})
    return table


# --- anomalies -----------------------------------------------------------------------------------------------------------


def _identity(pdf: Any) -> list[str]:
    root = pdf.Root
    with pdf.open_metadata() as meta:
        part = meta.get("pdfuaid:part")
    checks = [
        (str(root.get("/Lang", "")).startswith("fr"), "langue du document non déclarée"),
        (bool(str(pdf.docinfo.get("/Title", "")).strip()), "document sans titre"),
        (bool(root.get("/ViewerPreferences", {}).get("/DisplayDocTitle")), "le titre n'est pas affiché par le lecteur"),
        (bool(root.get("/MarkInfo", {}).get("/Marked")), "document non balisé"),
        ("/StructTreeRoot" in root, "pas d'arbre de structure"),
        (part == "1", "variante PDF/UA-1 non annoncée"),
        ("/Outlines" in root and "/First" in root.Outlines, "pas de signets"),
        (all("/StructParents" in page.obj for page in pdf.pages), "une page hors de l'arbre de structure"),
    ]
    return [words for holds, words in checks if not holds]


def _structure(tree: Tree) -> list[str]:
    found = []
    if tree.levels.count(1) != 1:
        found.append(f"{tree.levels.count(1)} titre(s) de premier niveau au lieu d'un")
    found += [f"saut du titre de niveau {a} au niveau {b}" for a, b in pairwise(tree.levels) if b > a + 1]
    found += [f"figure {n} sans texte de remplacement" for n, alt in enumerate(tree.figures, 1) if not alt.strip()]
    if tree.parts:
        found.append(f"{tree.parts} morceau(x) de tableau annoncé(s) comme un tableau")
    alone = sum(block in (*_HEADINGS, "/Caption") for block in tree.last.values())
    if alone:
        found.append(f"{alone} titre(s) seul(s) en bas de page")
    for number, headers in enumerate(tree.tables, start=1):
        if not headers:
            found.append(f"tableau {number} sans en-tête")
        elif any("/Scope" not in header.get("/A", {}) for header in headers):
            found.append(f"tableau {number} : un en-tête ne dit pas ce qu'il titre")
    return found


def _fonts(pdf: Any) -> list[str]:
    found = set()
    for page in pdf.pages:
        for font in (page.obj.Resources.get("/Font") or {}).values():
            name = str(font.get("/BaseFont", "?"))[1:]
            described = font.DescendantFonts[0] if "/DescendantFonts" in font else font
            if not {"/FontFile", "/FontFile2", "/FontFile3"} & set(described.get("/FontDescriptor", {}).keys()):
                found.add(f"police non incorporée : {name}")
            if not name.partition("+")[2].startswith(FAMILY):
                found.add(f"un signe absent de nos polices, dessiné avec une police de cette machine : {name}")
            if "/ToUnicode" not in font:
                found.add(f"police dont le texte ne se lit pas : {name}")
    return sorted(found)


def _links(pdf: Any) -> list[str]:
    links = [a for page in pdf.pages for a in page.obj.get("/Annots", []) if a.get("/Subtype") == "/Link"]
    bare = sum("/StructParent" not in link or not str(link.get("/Contents", "")).strip() for link in links)
    return [f"{bare} lien(s) sans texte ou hors de l'arbre de structure"] if bare else []


def _against_page(tree: Tree, page: str) -> list[str]:
    """The same headings, figures, table rows and numbers as the page."""
    from bs4 import BeautifulSoup

    main = BeautifulSoup(page, "html.parser").find("main")
    if main is None:
        return ["page d'origine illisible"]
    for gone in main.find_all(hidden=True):
        gone.decompose()
    found = []
    for said, there, here in (
        ("titres", len(main.find_all(re.compile("^h[1-6]$"))), len(tree.levels)),
        ("figures", len(main.find_all("img")), len(tree.figures)),
        ("tableaux", len(main.find_all("table")), len(tree.tables)),
        ("lignes de tableau (une ligne coupée compte deux fois)", len(main.find_all("tr")), tree.rows),
    ):
        if there != here:
            found.append(f"{here} {said} au lieu des {there} de la page")
    numbers = numbers_of("\n".join(main.strings))
    return found + compare_numbers(numbers, numbers_of("\n".join(tree.texts)))
