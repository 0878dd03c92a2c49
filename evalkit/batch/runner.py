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
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from evalkit.batch.formats import Others, Tell, silent, write_others
from evalkit.batch.plan import Plan, Task
from evalkit.errors import EvalkitError, Fault, Place

CELL_TIMEOUT_S = 300
KERNEL_ATTEMPTS = 2
_DISK_WORDS = {
    errno.EACCES: "un emplacement où vous n'avez pas le droit d'écrire, ou un fichier ouvert ailleurs",
    errno.EPERM: "un emplacement où vous n'avez pas le droit d'écrire",
    errno.EROFS: "un disque en lecture seule",
    errno.ENOSPC: "un disque plein",
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
    others: Others = field(default_factory=Others)  # the other formats: what was made, what could not be


def run_plan(plan: Plan, executor: Executor, on_progress: Progress | None = None) -> list[Outcome]:
    """Render every task; outcomes in the order of the plan, whatever the order of completion."""
    futures = {executor.submit(render_task, task): task for task in plan.tasks}
    outcomes: dict[str, Outcome] = {}
    for done, future in enumerate(as_completed(futures), start=1):
        task = futures[future]
        error = future.exception()
        outcome = future.result() if error is None else _crashed(task, error)
        outcomes[str(task.output)] = outcome
        if on_progress:
            on_progress(outcome, done, len(futures))
    return [outcomes[str(task.output)] for task in plan.tasks]


@contextmanager
def local_executor(processes: int) -> Iterator[Executor]:
    """Processes on this machine, started clean (``spawn``: same behaviour on Linux, macOS and Windows)."""
    with ProcessPoolExecutor(max_workers=max(1, processes), mp_context=get_context("spawn")) as executor:
        yield executor


def default_processes() -> int:
    """Processors this process may use, four at most: a batch must leave a laptop usable."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(4, usable))


def render_task(task: Task, tell: Tell = silent) -> Outcome:
    """Render one task in this process: execute the notebook, make the page and what is made of it, each checked and whole."""
    start = time.perf_counter()
    try:
        notebook = execute_notebook(task)
        documents, check = write_page(task, notebook)
        others = write_others(task, write_whole, tell)
    except EvalkitError as error:
        return Outcome(
            task.name, task.kind, False, faults=tuple(error.faults), notebook=task.notebook.name, title=task.title
        )
    except NotebookFailure as failure:
        return Outcome(
            task.name,
            task.kind,
            False,
            faults=tuple(failure.faults),
            notebook=task.notebook.name,
            cell=failure.cell,
            seconds=round(time.perf_counter() - start, 2),
            title=task.title,
        )
    except OSError as error:
        return Outcome(
            task.name,
            task.kind,
            False,
            faults=(disk_fault(task.output, error),),
            notebook=task.notebook.name,
            title=task.title,
        )
    seconds = round(time.perf_counter() - start, 2)
    return Outcome(
        task.name,
        task.kind,
        True,
        (*documents, *others.documents),
        notebook=task.notebook.name,
        seconds=seconds,
        title=task.title,
        check=check,
        others=others,
    )


class NotebookFailure(Exception):
    """A cell failed: which one, and what to tell a person."""

    def __init__(self, faults: list[Fault], cell: int | None) -> None:
        super().__init__("\n\n".join(str(fault) for fault in faults))
        self.faults = faults
        self.cell = cell


def execute_notebook(task: Task) -> Any:
    """Execute the task's notebook with papermill; returns the executed notebook, nothing is left on disk.

    A kernel that dies before answering is started once more: on a loaded machine that is bad luck, not a bad dossier.
    """
    from nbclient.exceptions import DeadKernelError

    # Le noyau hérite de cet environnement : figures reproductibles, et un seul fil par processus de calcul.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for attempt in range(KERNEL_ATTEMPTS):
        try:
            with _own_runtime_folder() as folder:
                return _execute_once(task, folder)
        except (DeadKernelError, RuntimeError) as error:
            if attempt + 1 == KERNEL_ATTEMPTS:
                raise NotebookFailure([_dead_kernel_fault(task, error)], None) from None
    raise AssertionError("unreachable: the loop returns or raises")


def _execute_once(task: Task, folder: str) -> Any:
    import papermill
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    config = Config()
    if sys.platform == "linux":  # par fichiers plutôt que par ports : deux noyaux ne peuvent pas vouloir le même
        config.KernelManager.transport = "ipc"
        config.KernelManager.ip = os.path.join(folder, "k")  # sans lui, tous les noyaux d'un même dossier se confondent
    try:
        return papermill.execute_notebook(
            str(task.notebook),
            None,
            parameters=dict(task.parameters),
            kernel_name="python3",
            progress_bar=False,
            request_save_on_cell_execute=False,
            autosave_cell_every=0,
            execution_timeout=CELL_TIMEOUT_S,
            cwd=str(task.notebook.parent),
            config=config,
            shutdown_kernel="immediate",  # rien à sauver dans un noyau que l'on jette
            # Le noyau annonce sur la console comment il écoute : ce n'est pas une anomalie, on ne la montre pas.
            extra_arguments=["--IPKernelApp.log_level=50"],
        )
    except PapermillExecutionError as error:
        raise NotebookFailure([_cell_fault(task, error)], error.exec_count) from None


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

    html = render_notebook(notebook, titre=task.title)
    check = check_page(html)
    page = Path(f"{task.output}.html")
    page.parent.mkdir(parents=True, exist_ok=True)
    write_whole(page, html.encode("utf-8"))
    write_whole(page.with_name(page.name + ".controle.json"), _json_bytes(check))
    return (page.name,), check


def write_whole(path: Path, content: bytes) -> None:
    """Write beside, then rename: a reader never sees half a file, an interruption leaves the old one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
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
    return Fault(
        "LOT-002",
        Place(file=task.notebook.name, note=f"territoire « {task.name} », cellule {error.exec_count}"),
        read=f"le carnet s'est arrêté ({error.ename})",
        expected="un carnet qui va jusqu'au bout",
        fix="lancez « evalkit verifier » sur ce dossier ; s'il ne signale rien, c'est un défaut d'evalkit : transmettez-nous ce message",
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
    fault = Fault(
        "LOT-005",
        Place(note=f"territoire « {task.name} »"),
        read=f"le processus s'est arrêté ({type(error).__name__})",
        expected="un rapport",
        fix="relancez ; si cela se reproduit, réduisez --processus à 1 et transmettez-nous ce message",
    )
    return Outcome(task.name, task.kind, False, faults=(fault,), notebook=task.notebook.name, title=task.title)
