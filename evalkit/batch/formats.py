"""The other formats of a page, written beside it: each with its check, none at the price of the others.

A Word file that a person corrected is never overwritten: it is kept under another name, and said.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.batch.plan import Task
from evalkit.errors import EvalkitError, Fault, Place
from evalkit.loaders.files_beside import first_free, read_json_object
from evalkit.report.formats import FORMATS, PAGE, Format, Source
from evalkit.wording import typed

if TYPE_CHECKING:
    from evalkit.compute.results import Publication

Tell = Callable[[str], None]
Write = Callable[[Path, bytes], None]
CHECK_SUFFIX = ".controle.json"
_FILE_PRINT, _PAGE_PRINT = "empreinte_fichier", "empreinte_page"


def silent(_: str) -> None:
    """Progress when nobody watches."""


@dataclass(frozen=True)
class Others:
    """What became of the other formats of one page: names made, checks by name, faults, and what a person must know."""

    documents: tuple[str, ...] = ()
    checks: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()


def write_others(task: Task, write: Write, tell: Tell = silent) -> Others:
    """Make what the task asks for besides its page, which is there. A format that fails leaves the others, and is told.

    ``write``: how a file appears whole or not at all. A bug of ours keeps its traceback, once the other formats are made.
    """
    asked = [name for name in task.formats if name in FORMATS]
    beside = [path for name in FORMATS if name not in asked and (path := Path(f"{task.output}.{name}")).is_file()]
    if not asked and not beside:
        return Others()
    page = Path(f"{task.output}.{PAGE}").read_bytes().decode("utf-8")
    source = _source(task, page)
    documents: list[str] = []
    checks: dict[str, dict[str, Any]] = {}
    faults: list[Fault] = []
    notes: list[str] = []
    broken: list[Exception] = []
    for name in asked:
        lack = FORMATS[name].needs()  # on the machine that makes it, which may not be the one that was asked
        if lack is not None:
            faults.append(lack)
            continue
        tell(f"{FORMATS[name].libelle}…")
        path = Path(f"{task.output}.{name}")
        try:
            checks[path.name] = _write_one(FORMATS[name], source, path, write, notes, task)
            documents.append(path.name)
        except EvalkitError as error:
            faults.extend(error.faults)
        except OSError:
            faults.append(_not_written(path))
        except Exception as error:
            broken.append(error)
    if broken:
        raise broken[0]
    notes += _out_of_date(beside, page)
    return Others(tuple(documents), checks, tuple(faults), tuple(notes))


def _source(task: Task, page: str) -> Source:
    def publication() -> Publication:
        return _publication(task)

    if task.model is None:
        return Source(page, publication=publication)
    try:
        return Source(page, task.model.read_bytes(), str(task.model), publication)
    except OSError:  # said as a model that cannot be used
        return Source(page, b"", str(task.model), publication)


def _publication(task: Task) -> Publication:
    """What may be shown of the task's territory, read again: the check says if it is not what the page was made from."""
    from evalkit.compute.disclosure import protect
    from evalkit.compute.evaluation import evaluate
    from evalkit.loaders.dossier import load_dossier
    from evalkit.loaders.referentiel import load_referentiel

    if task.dossier is None:
        raise ValueError("a workbook is about one territory")
    referentiel = load_referentiel()
    read = load_dossier(task.dossier, referentiel, sans_enquete=task.left_out)
    return protect(evaluate(referentiel, read), referentiel.regles)


def _write_one(kind: Format, source: Source, path: Path, write: Write, notes: list[str], task: Task) -> dict[str, Any]:
    content = kind.make(source)
    check = kind.check(content, source.page)
    check |= {_FILE_PRINT: _print(content), _PAGE_PRINT: _print(source.page.encode("utf-8"))}
    if kind.editable:
        was = _read_check(path).get(_FILE_PRINT)
        kept = _keep_corrected(path, {was, _print(content)})
        if kept is not None:
            notes.append(f"{path.name} {_why_kept(path, was)} : il est gardé sous {kept.name}.{_and_then(kept, task)}")
    text = json.dumps(check, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    write(path, content)
    write(path.with_name(path.name + CHECK_SUFFIX), text.encode("utf-8"))
    return check


def _and_then(kept: Path, task: Task) -> str:
    """How to take back what was typed in a Word report; nothing when nothing is left to take.

    No other document has places to write that are read, and a lone workbook has no ``textes/``.
    """
    from evalkit.documents.import_texts import has_something_to_take
    from evalkit.loaders.word_texts import read_word_texts

    if kept.suffix != ".docx" or task.kind != "rapport" or task.dossier is None or not task.dossier.is_dir():
        return ""
    try:
        left = has_something_to_take(read_word_texts(kept), task.dossier)
    except EvalkitError:  # the import would say why; it cannot be proposed
        return ""
    if not left:
        return " Rien n’y reste à reprendre."
    return f" Pour reprendre les textes tapés dedans : evalkit importer textes {typed(str(kept))} --vers {typed(str(task.dossier))}"


def _print(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _why_kept(path: Path, was: object) -> str:
    """What is known of a document that is put aside: without its check, nobody can tell whether it was changed."""
    if was is None:
        return f"a peut-être été modifié ({path.name}{CHECK_SUFFIX} manque, rien ne le dit plus)"
    return "avait été modifié"


def _keep_corrected(path: Path, ours: Container[object]) -> Path | None:
    """Put aside a document that is none of ours, known by their prints; None when there is nothing to keep."""
    if not path.is_file() or _print(path.read_bytes()) in ours:
        return None
    return path.rename(first_free(lambda number: path.with_name(f"{path.stem}-corrige-{number}{path.suffix}")))


def _read_check(path: Path) -> dict[str, Any]:
    return read_json_object(path.with_name(path.name + CHECK_SUFFIX))


def _out_of_date(beside: list[Path], page: str) -> list[str]:
    """Documents of an earlier run that lie beside this page and may say something else."""
    now = _print(page.encode("utf-8"))
    old = [path.name for path in beside if _read_check(path).get(_PAGE_PRINT) != now]
    return [f"{name} date d’un rapport précédent : refaites-le avec --format, ou supprimez-le" for name in old]


def _not_written(path: Path) -> Fault:
    return Fault(
        "DOC-003",
        Place(file=str(path)),
        read="un fichier ouvert ailleurs, ou un emplacement où l’on ne peut pas écrire",
        expected="un fichier que rien n’a ouvert, et un disque où il reste de la place",
        fix="fermez ce document s’il est ouvert (Word, lecteur de PDF), puis relancez",
    )
