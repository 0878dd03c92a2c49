"""What a document is made from, photographed: keyed digests of files, with no heavy library.

Two levels. Here, the bytes: unchanged bytes, unchanged document, and that is known in a fraction of a second. Where bytes changed,
``batch.parts`` reads the dossier and compares what the report really uses (a workbook saved again is the same data).

Every input is read in full at each run: a date that lies hides nothing. Only outputs, fifty times bigger, are trusted on
their size and times, under the rule of :func:`still_the_same`.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parent.parent
_NOT_DRAWING = ("cli.py", "ui", "documents", "batch", "_donnees", "__pycache__")
_DRAWING_IN_BATCH = ("runner.py", "execution.py", "imports.py", "kernels.py", "streams.py", "parts.py", "formats.py")
# Those that make a difference to what is read, computed, drawn or written.
LIBRARIES = frozenset(
    """pandas numpy scipy pyarrow matplotlib pillow nbconvert nbclient nbformat papermill ipykernel ipython jinja2 mistune
    traitlets pydantic pydantic-core ruamel-yaml pyyaml openpyxl python-calamine beautifulsoup4 matplotlib-inline
    python-docx lxml weasyprint pydyf tinycss2 cssselect2 tinyhtml5 pyphen fonttools pikepdf xlsxwriter""".split()
)
_PICTURES = frozenset({".png", ".jpg", ".jpeg"})
_TABLES = frozenset({".csv", ".xlsx", ".yml", ".yaml", ".parquet", ".json", ".xls", ".ods", ".xlsm", ".xlsb", ".md"})
_READ = _TABLES | _PICTURES
_NEVER_READ = frozenset({"travail.xlsx"})
_SUBFOLDERS = ("textes", "enquetes", "brut")
_BEFORE_KEY = "-"
# A file changed within this time of being photographed may have changed again since without its times telling.
_TICK_NS = 2_000_000_000


class Digest:
    """Keyed BLAKE2b of named pieces; the same pieces under other names are another digest."""

    def __init__(self, key: bytes) -> None:
        self._hash = hashlib.blake2b(key=key[:64], digest_size=16)

    def add(self, name: str, content: bytes) -> None:
        """Add one named piece."""
        head = name.encode("utf-8", "surrogateescape")
        self._hash.update(len(head).to_bytes(4, "big") + head + len(content).to_bytes(8, "big") + content)

    def text(self) -> str:
        """Hexadecimal."""
        return self._hash.hexdigest()


def digest(key: bytes, content: bytes) -> str:
    """Keyed digest of one content."""
    whole = Digest(key)
    whole.add("", content)
    return whole.text()


def _read(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.readall()
    except OSError as error:  # what cannot be read is a state too: mended, it is another one
        return f"<{type(error).__name__}>".encode()


def folder_digest(key: bytes, folder: str | Path) -> str:
    """Digest of a dossier: every file that may be read, the names of the others; then that of the key that stamps."""
    whole = Digest(key)
    _add_folder(whole, str(folder), "", _SUBFOLDERS)
    return whole.text() + _BEFORE_KEY + digest(key, _read(os.path.join(folder, ".evalkit", "cle")))


def without_key(dossier: str) -> str:
    """The part of a dossier's digest that the key which stamps it does not change: no synthesis is stamped with it."""
    return dossier.partition(_BEFORE_KEY)[0]


def _add_folder(whole: Digest, folder: str, prefix: str, subfolders: Iterable[str]) -> None:
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.name, entry.path, entry.is_dir()) for entry in entries)
    except OSError as error:
        whole.add(prefix, f"<{type(error).__name__}>".encode())
        return
    for name, path, is_folder in found:
        if name.startswith((".", "~")) or name in _NEVER_READ:
            continue
        may_be_read = os.path.splitext(name)[1].lower() in _READ
        if is_folder:
            if name in subfolders:
                _add_folder(whole, path, f"{prefix}{name}/", _SUBFOLDERS)
            elif may_be_read:  # a folder that bears the name of a file is a fault of the dossier
                whole.add(f"{prefix}{name}/", b"<folder>")
            continue
        read = bool(prefix) or may_be_read
        whole.add(prefix + name, _read(path) if read else b"<name>")


def workbook_digest(key: bytes, workbook: Path) -> str:
    """Digest of a dossier that is one workbook, with the key that stamps and the pictures beside it: one may be its logo."""
    whole = Digest(key)
    whole.add(workbook.name, _read(str(workbook)))
    for name, path in _pictures_in(str(workbook.parent)):
        whole.add(name, _read(path))
    stamps = _read(str(workbook.parent / ".evalkit" / f"{workbook.stem}.cle"))
    return whole.text() + _BEFORE_KEY + digest(key, stamps)


def _pictures_in(folder: str) -> list[tuple[str, str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((e.name, e.path) for e in entries if os.path.splitext(e.name)[1].lower() in _PICTURES)
    except OSError:
        return []


def dossier_digest(key: bytes, path: Path) -> str:
    """Digest of a dossier, folder or workbook; "" when there is nothing there."""
    if path.is_dir():
        return folder_digest(key, path)
    return workbook_digest(key, path) if path.is_file() else ""


def file_digest(key: bytes, path: Path) -> str:
    """Digest of one file; "" when there is none."""
    return digest(key, _read(str(path))) if path.is_file() else ""


def tree_digest(key: bytes, root: Path, suffixes: tuple[str, ...] = (), skip: Iterable[str] = ()) -> str:
    """Digest of every file of a tree; ``skip``: names at its root that are left out."""
    whole = Digest(key)
    left_out = set(skip)
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in left_out and name != "__pycache__")
        at_root = Path(folder) == root
        for name in sorted(files):
            if not (at_root and name in left_out) and name.endswith(suffixes or ("",)):
                path = os.path.join(folder, name)
                whole.add(os.path.relpath(path, root).replace(os.sep, "/"), _read(path))
    return whole.text()


def code_digest(key: bytes) -> str:
    """Digest of evalkit itself: what reads, computes, draws and writes; not the commands nor the batch."""
    whole = Digest(key)
    whole.add("evalkit", tree_digest(key, _PACKAGE, skip=_NOT_DRAWING).encode())
    for name in _DRAWING_IN_BATCH:
        whole.add(name, _read(str(_PACKAGE / "batch" / name)))
    return whole.text()


def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries that matter, from the names of their folders (nothing is imported)."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for place in sys.path:
        try:
            names = os.listdir(place or ".")
        except OSError:
            continue
        for name in names:
            if name.endswith(".dist-info"):
                package, _, version = name.removesuffix(".dist-info").partition("-")
                package = package.lower().replace("_", "-").replace(".", "-")
                if package in LIBRARIES:
                    found.setdefault(package, version)
    return dict(sorted(found.items()))


def signature(path: str | Path) -> list[int] | None:
    """Size and times of an output, None when it is not there."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def still_the_same(path: str | Path, kept: Mapping[str, Any], key: bytes) -> bool:
    """Whether an output is the one that was written.

    Its size and times are those kept, and were old enough when they were kept for a later change to show; else its bytes
    are read. ``kept``: ``empreinte``, ``stat`` and ``vu_ns``, as made by :func:`photograph_output`.
    """
    now = signature(path)
    if now is None or now[0] != kept["stat"][0]:
        return False
    if now == kept["stat"] and _settled(kept):
        return True
    return digest(key, _read(str(path))) == kept["empreinte"]


def photograph_output(path: str | Path, key: bytes, now_ns: int) -> dict[str, Any]:
    """What recognises an output later: the digest of its bytes, its size and times, and when they were seen."""
    stat = signature(path)
    return {"empreinte": digest(key, _read(str(path))), "stat": stat or [0, 0, 0, 0], "vu_ns": now_ns}


def _settled(kept: Mapping[str, Any]) -> bool:
    """Whether an output was old enough when it was last seen: a change made since would show in its times."""
    return bool(kept["vu_ns"] - max(kept["stat"][1], kept["stat"][2]) > _TICK_NS)


def seen_again(path: str | Path, kept: Mapping[str, Any], key: bytes, now_ns: int) -> dict[str, Any]:
    """The same photograph, taken again once the output has settled: the next run will not have to read its bytes.

    What was settled, or is not the output that was written, is given back as it is.
    """
    if _settled(kept) or digest(key, _read(str(path))) != kept["empreinte"] or signature(path) != kept["stat"]:
        return dict(kept)
    return {**kept, "vu_ns": now_ns}
