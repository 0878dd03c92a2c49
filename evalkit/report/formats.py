"""The formats of a document: what each is made from, how it is checked, and what it needs on the machine.

All come from one page (DESIGN §7), but the workbook, which comes from the same publication. To add one, give
:data:`FORMATS` an entry: the command line, the batches, the index and the messages know it from there.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from evalkit.errors import EvalkitError, Fault, Place

if TYPE_CHECKING:
    from evalkit.compute.results import Publication

PAGE = "html"  # always made: the others come from it


@dataclass(frozen=True)
class Source:
    """What a document is made from.

    ``model``: bytes of a person's ``modele.docx``; ``model_name``: where it lies. ``publication``: reads the territory again,
    for what is not made from the page.
    """

    page: str
    model: bytes | None = None
    model_name: str = ""
    publication: Callable[[], Publication] | None = None


@dataclass(frozen=True)
class Format:
    """One format. ``make``: source -> bytes; ``check``: bytes and page -> the automatic check; ``needs``: what lacks here.

    ``editable``: people correct it, so one that they changed is kept when it is made again. ``kinds``: the documents that
    exist in this format; empty for all.
    """

    nom: str
    libelle: str
    make: Callable[[Source], bytes]
    check: Callable[[bytes, str], dict[str, Any]]
    needs: Callable[[], Fault | None]
    editable: bool = False
    kinds: frozenset[str] = frozenset()


def _make_pdf(source: Source) -> bytes:
    from evalkit.report.pdf import render_pdf

    return render_pdf(source.page)


def _check_pdf(content: bytes, page: str) -> dict[str, Any]:
    from evalkit.report.check_pdf import check_pdf

    return check_pdf(content, page)


def _make_docx(source: Source) -> bytes:
    from evalkit.report.word import ModelError, render_docx

    try:
        return render_docx(source.page, source.model)
    except ModelError as error:
        fault = Fault(
            "DOC-002",
            Place(file=source.model_name),
            read="un fichier que l’on ne peut pas lire comme un modèle Word",
            expected="un document .docx, tel que l’écrit « evalkit outils modele »",
            fix="enregistrez-le dans Word au format .docx, ou retirez-le pour revenir au modèle d’evalkit",
        )
        raise EvalkitError([fault]) from error


def _check_docx(content: bytes, page: str) -> dict[str, Any]:
    from evalkit.report.check_docx import check_docx

    return check_docx(content, page)


def _make_xlsx(source: Source) -> bytes:
    from evalkit.report.page_identity import read_identity
    from evalkit.report.workbook import render_rapport_xlsx

    if source.publication is None:
        raise ValueError("a workbook is made from a publication")
    publication = source.publication()
    if publication.empreinte != read_identity(source.page).stamp.get("empreinte"):
        raise EvalkitError([_changed_meanwhile()])
    return render_rapport_xlsx(publication)


def _changed_meanwhile() -> Fault:
    return Fault(
        "DOC-004",
        Place(note="Excel"),
        read="un dossier modifié pendant que ses documents se faisaient",
        expected="les mêmes données pour la page et pour le classeur",
        fix="enregistrez et fermez les fichiers du dossier, puis relancez",
    )


def _check_xlsx(content: bytes, page: str) -> dict[str, Any]:
    from evalkit.report.check_xlsx import check_xlsx

    return check_xlsx(content, page)


def _nothing() -> Fault | None:
    return None


def _pdf_needs() -> Fault | None:
    """What lacks to make a PDF: the extra, or the system library that draws the letters."""
    try:
        import pikepdf  # noqa: F401
        import weasyprint  # noqa: F401
    except ImportError:
        return _lack("le complément « pdf » n’est pas installé", 'tapez : pip install "evalkit[pdf]"')
    except OSError:
        return _lack("la bibliothèque système Pango manque", _PANGO.get(sys.platform, _PANGO["linux"]))
    return None


_PANGO = {
    "linux": "sous Debian ou Ubuntu, tapez : sudo apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
    "darwin": "tapez : brew install pango",
    "win32": "installez MSYS2, puis le paquet mingw-w64-x86_64-pango (docs/guides/word-et-pdf.md), ou enregistrez le Word en PDF depuis Word",
}


def _lack(read: str, fix: str) -> Fault:
    return Fault(
        "DOC-001", Place(note="PDF"), read=read, expected="WeasyPrint, pikepdf et Pango pour écrire un PDF", fix=fix
    )


FORMATS: dict[str, Format] = {
    "docx": Format("docx", "Word", _make_docx, _check_docx, _nothing, editable=True),
    "pdf": Format("pdf", "PDF", _make_pdf, _check_pdf, _pdf_needs),
    "xlsx": Format("xlsx", "Excel", _make_xlsx, _check_xlsx, _nothing, editable=True, kinds=frozenset({"rapport"})),
}
_USUAL_NAMES = {
    "excel": "xlsx",
    "xls": "xlsx",
    "classeur": "xlsx",
    "word": "docx",
    "doc": "docx",
    "htm": PAGE,
    "web": PAGE,
    "page": PAGE,
}


def read_formats(text: str) -> tuple[str, ...]:
    """Formats typed by a person, in the order they are made; the page is always one of them.

    >>> read_formats("PDF, docx")
    ('html', 'docx', 'pdf')

    Raises
    ------
    EvalkitError
        USA-002: a format that does not exist.
    """
    asked = {word.lower().lstrip(".") for word in re.split(r"[\s,;+]+", text) if word}
    known = [PAGE, *FORMATS]
    faults = [_unknown(word, known) for word in sorted(asked - set(known))]
    if faults or not asked:
        raise EvalkitError(faults or [_unknown(text, known)])
    return tuple(name for name in known if name == PAGE or name in asked)


def _unknown(word: str, known: Sequence[str]) -> Fault:
    near = _USUAL_NAMES.get(word) or next(iter(get_close_matches(word, known, n=1)), "")
    return Fault(
        "USA-002",
        Place(file="ligne de commande"),
        read=f"--format {word}".rstrip(),
        expected=f"un ou plusieurs de ces formats, séparés par des virgules : {', '.join(known)}",
        fix=f"écrivez --format {near}" if near else f"par exemple : --format {','.join(known)}",
    )


def formats_of(kind: str, names: Iterable[str]) -> tuple[str, ...]:
    """Those of these formats in which such a document exists: there is no workbook of two pages nor of a synthesis."""
    return tuple(name for name in names if name not in FORMATS or kind in (FORMATS[name].kinds or {kind}))


def possible_formats(asked: Iterable[str] | None, kind: str = "rapport") -> tuple[tuple[str, ...], tuple[Fault, ...]]:
    """Formats that this machine can make among those asked for (all, for ``None``), and why not the others.

    Raises
    ------
    EvalkitError
        USA-002: such a document does not exist in a format that a person asked for.
    """
    wanted = [PAGE, *FORMATS] if asked is None else list(asked)
    known = formats_of(kind, [PAGE, *FORMATS])
    strange = [name for name in wanted if name not in known]
    if asked is not None and strange:
        raise EvalkitError([_unknown(name, known) for name in strange])
    wanted = [name for name in wanted if name in known]
    lacking = {name: FORMATS[name].needs() for name in wanted if name in FORMATS}
    faults = tuple(fault for fault in lacking.values() if fault is not None)
    return tuple(name for name in wanted if lacking.get(name) is None), faults


def in_one_sentence(fault: Fault) -> str:
    """A format not made, said in one line to someone who did not ask for it."""
    what = fault.place.note or fault.place.file
    return f"[{fault.code}] {f'Pas de {what}' if fault.place.note else what} : {fault.read} ; {fault.fix}."
