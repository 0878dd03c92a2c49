"""Rendering a plan: each task in a kernel of its own, thrown away after; one failure leaves the others.

``run_plan`` takes any ``concurrent.futures.Executor``. papermill and nbclient are used as they are: a notebook gives the
same document in JupyterLab, under papermill and here.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from evalkit.batch.formats import Others, Tell, silent, write_others
from evalkit.batch.plan import Plan, Task
from evalkit.errors import EvalkitError, Fault, Place, only_errors
from evalkit.wording import plural

KERNEL_ATTEMPTS = 2
_LONGEST_SOCKET, _LAST_PORT = 107, 65535  # bytes of a socket's name on Linux; a kernel adds a number to it
# Metadata that never leave the process: the page shows none.
_PARTS, _EXCLUDED, _PUBLISHED = "evalkit_parties", "evalkit_exclus", "evalkit_publie"
_DISK_WORDS = {
    errno.EACCES: "un emplacement où vous n'avez pas le droit d'écrire, ou un fichier ouvert ailleurs",
    errno.EPERM: "un emplacement où vous n'avez pas le droit d'écrire",
    errno.EROFS: "un disque en lecture seule",
    errno.ENOSPC: "un disque plein",
    errno.EDQUOT: "un disque plein (votre quota est atteint)",
    errno.EFBIG: "un fichier plus gros que ce disque n'en accepte",
    errno.ENOENT: "un dossier de sortie renommé, déplacé ou supprimé pendant le travail",
    errno.EEXIST: "un fichier, là où il faut un dossier",
    errno.ENOTDIR: "un fichier, là où il faut un dossier",
    errno.EISDIR: "un dossier, là où il faut un fichier",
    errno.ENAMETOOLONG: "un nom trop long pour ce disque",
}
Progress = Callable[["Outcome", int, int], None]


@dataclass(frozen=True)
class Outcome:
    """What became of one task. ``faults``: why it failed, in French; empty when it succeeded."""

    name: str
    kind: str
    ok: bool
    documents: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    notebook: str = ""
    cell: int | None = None
    seconds: float = 0.0
    title: str = ""
    check: dict[str, Any] = field(default_factory=dict)
    unchanged: bool = False  # what it is made from has not changed: the document on disk was left as it is
    parts: dict[str, str] = field(default_factory=dict, repr=False)  # what it was made from (keyed digests)
    excluded: tuple[tuple[str, str], ...] = ()  # dossiers that a synthesis leaves out, and why
    warnings: tuple[Fault, ...] = ()  # what comparing it with the one published before would tell
    others: Others = field(default_factory=Others)  # the other formats: what was made, what could not be


class RendererLost(Exception):
    """The process that was rendering a task ended without a word."""


class TimeIsUp(Exception):
    """A task went on past its time limit."""


def run_plan(
    plan: Plan,
    executor: Executor,
    on_progress: Progress | None = None,
    render: Callable[[Task], Outcome] | None = None,
) -> list[Outcome]:
    """Render every task; outcomes in the order of the plan, whatever the order of completion.

    ``render``: what the executor runs, :func:`render_task` unless given (``apart.render_apart``: in a process of its own).
    """
    futures = {executor.submit(render or render_task, task): task for task in plan.tasks}
    outcomes: dict[str, Outcome] = {}
    for done, future in enumerate(as_completed(futures), start=1):
        task = futures[future]
        error = future.exception()
        outcome = future.result() if error is None else _crashed(task, error)
        outcomes[str(task.output)] = outcome
        if on_progress:
            on_progress(outcome, done, len(futures))
    return [outcomes[str(task.output)] for task in plan.tasks]


def default_processes() -> int:
    """Processors this process may use, four at most: a batch must leave a laptop usable."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(4, usable))


def render_task(task: Task, tell: Tell = silent) -> Outcome:
    """Render one task in this process: execute the notebook, make the page and what is made of it, each checked and whole.

    Not if the parts of what it is made from are those that ``task.known`` gives.
    """
    from evalkit.batch.published import settle

    start = time.perf_counter()
    told: dict[str, Any] = {"title": task.title}

    def outcome(ok: bool, **more: Any) -> Outcome:
        seconds = round(time.perf_counter() - start, 2)
        return Outcome(task.name, task.kind, ok, notebook=task.notebook.name, seconds=seconds, **told, **more)

    try:
        parts = parts_now(task) if task.known else {}
        if parts and parts == task.known:
            return outcome(True, unchanged=True, parts=parts)
        if task.dossier and not task.title:
            told["title"] = title_of(task.dossier)
            task = replace(task, title=told["title"])
        notebook = execute_notebook(task)
        documents, check = write_page(task, notebook)
        metadata = getattr(notebook, "metadata", {})
        excluded = tuple(metadata.pop(_EXCLUDED, ()))
        warnings = settle(
            task, metadata.pop(_PUBLISHED, {})
        )  # the page is there: whatever becomes of the other formats
        others = write_others(task, write_whole, tell)
        return outcome(
            True,
            documents=(*documents, *others.documents),
            check=check,
            others=others,
            parts=_parts_read(task, metadata),
            excluded=excluded,
            warnings=warnings,
        )
    except EvalkitError as error:
        return outcome(False, faults=tuple(only_errors(error.faults)))
    except NotebookFailure as failure:
        return outcome(False, faults=tuple(failure.faults), cell=failure.cell)
    except OSError as error:
        return outcome(False, faults=(disk_fault(task.output, error),))


def parts_now(task: Task) -> dict[str, str]:
    """Parts of the task's dossier as it is now.

    Raises
    ------
    EvalkitError
        The dossier cannot be read any more: its faults.
    """
    from evalkit.batch.parts import keyed, parts_of
    from evalkit.loaders.dossier import load_dossier
    from evalkit.loaders.referentiel import load_referentiel

    if task.dossier is None:
        return {}
    referentiel = load_referentiel()
    read = load_dossier(task.dossier, referentiel, sans_enquete=task.left_out)
    return keyed(parts_of(read, referentiel), task.key)


def title_of(dossier: Path) -> str:
    """Name of a territory; the name of its folder when its identity cannot be read (the notebook will say why)."""
    from evalkit.loaders.dossier import territory_of
    from evalkit.loaders.referentiel import load_referentiel

    try:
        return territory_of(dossier, load_referentiel()).nom
    except EvalkitError:
        return dossier.stem


def _parts_read(task: Task, metadata: dict[str, Any]) -> dict[str, str]:
    from evalkit.batch.parts import keyed

    return keyed(metadata.pop(_PARTS, {}), task.key) if task.key else {}


class NotebookFailure(Exception):
    """A cell failed: which one, and what to tell a person."""

    def __init__(self, faults: list[Fault], cell: int | None) -> None:
        super().__init__("\n\n".join(str(fault) for fault in faults))
        self.faults = faults
        self.cell = cell


@dataclass
class _Countdown:
    """Time left for the cells of one notebook, and how many were begun."""

    end: float
    cells: int = 0

    def __call__(self, cell: Any) -> float:
        self.cells += cell.get("cell_type") == "code"
        return max(0.1, self.end - time.monotonic())


def execute_notebook(task: Task) -> Any:
    """Execute the task's notebook with papermill; returns the executed notebook, nothing is left on disk.

    A kernel that dies before answering is started once more: on a loaded machine that is bad luck, not a bad dossier.
    """
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    # Le noyau hérite de cet environnement : figures reproductibles, et un seul fil par processus de calcul.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    left = _Countdown(time.monotonic() + task.seconds)
    for attempt in range(KERNEL_ATTEMPTS):
        left.cells = 0
        try:
            with _own_runtime_folder() as folder:
                return _execute_once(task, folder, left)
        except CellTimeoutError:
            raise NotebookFailure([time_fault(task, left.cells)], left.cells) from None
        except (DeadKernelError, RuntimeError) as error:
            if attempt + 1 == KERNEL_ATTEMPTS:
                raise NotebookFailure([_dead_kernel_fault(task, error)], None) from None
    raise AssertionError("unreachable: the loop returns or raises")


def import_papermill() -> Any:
    """papermill, without the second that jsonschema spends building a grammar of web addresses that no notebook holds."""
    grammar = "rfc3987_syntax"
    if "papermill" not in sys.modules and grammar not in sys.modules:
        sys.modules[grammar] = None  # type: ignore[assignment]  # jsonschema does without it, as when it is not installed
        try:
            import jsonschema  # noqa: F401 - the one that looks for it
        finally:
            del sys.modules[grammar]
    import papermill

    return papermill


def _fits_a_socket(name: str) -> bool:
    """Whether the sockets of a kernel can bear this name: in a deep temporary folder they cannot, and ports are used."""
    return len(os.fsencode(f"{name}-{_LAST_PORT}")) <= _LONGEST_SOCKET


def _execute_once(task: Task, folder: str, left: _Countdown) -> Any:
    papermill = import_papermill()
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    from evalkit.batch.kernels import use_prepared_kernels
    from evalkit.batch.parts import NOTE, read_excluded, read_note, read_published

    use_prepared_kernels(folder, task.memory_mb)
    config = Config()
    config.KernelManager.client_class = "evalkit.batch.kernels.PromptClient"
    sockets = os.path.join(folder, "k")  # sans lui, tous les noyaux d'un même dossier se confondent
    if sys.platform == "linux" and _fits_a_socket(sockets):
        # Par fichiers plutôt que par ports : deux noyaux ne peuvent pas vouloir le même.
        config.KernelManager.transport = "ipc"
        config.KernelManager.ip = sockets
    noted = Path(folder, "parties.json")
    os.environ[NOTE] = str(noted)
    try:
        notebook = papermill.execute_notebook(
            str(task.notebook),
            None,
            parameters=dict(task.parameters),
            kernel_name="python3",
            progress_bar=False,
            request_save_on_cell_execute=False,
            autosave_cell_every=0,
            timeout_func=left,
            cwd=str(task.notebook.parent),
            config=config,
            shutdown_kernel="immediate",  # rien à sauver dans un noyau que l'on jette
            # Le noyau annonce sur la console comment il écoute : ce n'est pas une anomalie, on ne la montre pas.
            extra_arguments=["--IPKernelApp.log_level=50", "--HistoryManager.enabled=False"],
        )
    except PapermillExecutionError as error:
        if error.ename == EvalkitError.__name__:
            _refuse_dossier(task)
        raise NotebookFailure([_cell_fault(task, error)], error.exec_count) from None
    finally:
        os.environ.pop(NOTE, None)
    notebook.metadata[_PARTS] = read_note(noted)
    notebook.metadata[_EXCLUDED] = read_excluded(noted)
    notebook.metadata[_PUBLISHED] = read_published(noted)
    return notebook


def _refuse_dossier(task: Task) -> None:
    """A cell refused the dossier: its message went through the notebook as text; read again, it has its faults and places.

    Raises
    ------
    EvalkitError
        Every fault of the dossier; nothing is raised when it can be read after all.
    """
    from evalkit.loaders.dossier import load_dossier
    from evalkit.loaders.referentiel import load_referentiel

    if task.dossier is not None:
        load_dossier(task.dossier, load_referentiel(), sans_enquete=task.left_out)


@contextmanager
def _own_runtime_folder() -> Iterator[str]:
    """A short folder for this kernel's connection files, removed after: socket names are limited to 107 characters."""
    before = os.environ.get("JUPYTER_RUNTIME_DIR")
    with TemporaryDirectory(prefix="ek", ignore_cleanup_errors=True) as folder:
        os.environ["JUPYTER_RUNTIME_DIR"] = folder
        try:
            yield folder
        finally:
            if before is None:
                os.environ.pop("JUPYTER_RUNTIME_DIR", None)
            else:
                os.environ["JUPYTER_RUNTIME_DIR"] = before


def write_page(task: Task, notebook: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Make the HTML page and its check; both appear whole or not at all."""
    from evalkit.report.check import check_page
    from evalkit.report.html import render_notebook

    titre = f"Comité de pilotage : {task.title}" if task.kind == "comite" else task.title
    html = render_notebook(notebook, titre=titre)
    check = check_page(html)
    page = Path(f"{task.output}.html")
    page.parent.mkdir(
        exist_ok=True
    )  # not its parents: an output folder renamed meanwhile must not come back under its old name
    write_whole(page, html.encode("utf-8"))
    write_whole(page.with_name(page.name + ".controle.json"), _json_bytes(check))
    return (page.name,), check


def write_whole(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write beside, then rename: a reader never sees half a file, an interruption leaves the old one.

    ``private``: readable by its owner only, from its first byte, where the system allows it (``.evalkit/``).
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        if private:
            temporary.unlink(missing_ok=True)  # one left by a killed run would keep its own rights
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
        else:
            temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        with suppress(OSError):  # what went wrong above is what a person must read
            temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Writing that cannot be done is told in French, with the place.

    Raises
    ------
    EvalkitError
        LOT-003.
    """
    try:
        yield
    except OSError as error:
        raise EvalkitError([disk_fault(path, error)]) from error


def _json_bytes(content: Any) -> bytes:
    import json

    return (json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode("utf-8")


def _cell_fault(task: Task, error: Any) -> Fault:
    # Le message d'une cellule peut contenir des données : on ne garde que sa nature et son emplacement.
    if error.ename.endswith("MemoryError"):  # celui de Python, ou celui de numpy
        return Fault(
            "LOT-009",
            Place(file=task.notebook.name, note=f"territoire « {task.name} », cellule {error.exec_count}"),
            read=f"plus de {task.memory_mb} Mo demandés par le carnet" if task.memory_mb else "plus de mémoire libre",
            expected="un document fait dans la mémoire permise",
            fix="regardez ce que fait cette cellule du carnet ; sinon fermez d'autres programmes et relancez",
        )
    return Fault(
        "LOT-002",
        Place(file=task.notebook.name, note=f"territoire « {task.name} », cellule {error.exec_count}"),
        read=f"le carnet s'est arrêté ({error.ename})",
        expected="un carnet qui va jusqu'au bout",
        fix="lancez « evalkit verifier » sur ce dossier ; s'il ne signale rien, c'est un défaut d'evalkit : transmettez-nous ce message",
    )


def time_fault(task: Task, cell: int | None = None) -> Fault:
    """A document that was not finished in time."""
    where = f"territoire « {task.name} »" + (f", cellule {cell}" if cell else "")
    return Fault(
        "LOT-008",
        Place(file=task.notebook.name, note=where),
        read=f"plus de {plural(round(task.seconds), 'seconde')}",
        expected="un document fini dans le temps permis",
        fix="relancez-le seul (--seulement) ; si cela se reproduit, regardez ce que fait cette cellule du carnet",
    )


def _dead_kernel_fault(task: Task, error: Exception) -> Fault:
    return Fault(
        "LOT-005",
        Place(file=task.notebook.name, note=f"territoire « {task.name} »"),
        read=f"le noyau du carnet n'a pas répondu ({type(error).__name__}), {KERNEL_ATTEMPTS} fois",
        expected="un noyau qui démarre",
        fix="relancez, avec --processus 1 si la machine a peu de mémoire",
    )


def disk_fault(path: Path, error: OSError) -> Fault:
    """What the system says of a place where nothing can be written."""
    return Fault(
        "LOT-003",
        Place(file=str(path)),
        read=_DISK_WORDS.get(error.errno or 0, error.strerror or type(error).__name__),
        expected="un dossier de sortie où l'on peut écrire",
        fix="libérez de la place ou choisissez un autre dossier avec --vers, puis relancez : ce qui est fait ne sera pas perdu",
    )


def _crashed(task: Task, error: BaseException) -> Outcome:
    """What is said of a task whose process was lost or stopped: never the words of the exception, which may hold data."""
    fault = Fault(
        "LOT-005",
        Place(note=f"territoire « {task.name} »"),
        read=f"le processus s'est arrêté ({type(error).__name__})",
        expected="un rapport",
        fix="relancez ; si cela se reproduit, réduisez --processus à 1 et transmettez-nous ce message",
    )
    if isinstance(error, TimeIsUp):
        fault = time_fault(task)
    return Outcome(task.name, task.kind, False, faults=(fault,), notebook=task.notebook.name, title=task.title)
