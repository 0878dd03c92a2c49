"""Executing notebooks with papermill, unchanged: the documents of one territory in one kernel, thrown away after.

Starting a kernel costs more than drawing two pages. The notebooks of one territory therefore follow one another in the same
kernel, without the names of the one before; a failure throws it away, and so does the end of the territory. What a notebook
changes in a library (matplotlib's settings, the locale) would last until then: those of evalkit change nothing.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from evalkit.batch.imports import import_papermill
from evalkit.batch.plan import Task
from evalkit.errors import EvalkitError, Fault, Place
from evalkit.wording import plural

KERNEL_ATTEMPTS = 2
_LONGEST_SOCKET, _LAST_PORT = 107, 65535  # bytes of a socket's name on Linux; a kernel adds a number to it
# Metadata that never leave the process: the page shows none.
PARTS, EXCLUDED, PUBLISHED, TITLE = "evalkit_parties", "evalkit_exclus", "evalkit_publie", "evalkit_titre"


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


def execute_notebook(task: Task, session: Session | None = None) -> Any:
    """Execute the task's notebook with papermill; returns the executed notebook, nothing is left on disk.

    ``session``: the kernel of the documents of the same territory; one of its own when there is none.

    A kernel that dies before answering is started once more: on a loaded machine that is bad luck, not a bad dossier.

    Raises
    ------
    NotebookFailure
        A cell failed, went on too long, or no kernel answered.
    EvalkitError
        Every fault of the dossier, when a cell refused it.
    """
    if session is None:
        with Session() as session:
            return session.execute(task)
    return session.execute(task)


class Session:
    """The kernel of one territory: started by its first notebook, without its names for the next ones, ended with the last."""

    def __init__(self) -> None:
        self._kernel: _Kernel | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def execute(self, task: Task) -> Any:
        """Execute one notebook (:func:`execute_notebook`). One that fails takes the kernel with it."""
        try:
            return self._execute(task)
        except BaseException:
            with suppress(Exception):  # why it failed is what a person must read
                self.end()
            raise

    def _execute(self, task: Task) -> Any:
        import_papermill()  # before nbclient, which would import jsonschema whole
        from nbclient.exceptions import CellTimeoutError, DeadKernelError

        left = _Countdown(time.monotonic() + task.seconds)
        for attempt in range(KERNEL_ATTEMPTS):
            left.cells = 0
            try:
                return self._execute_once(task, left)
            except CellTimeoutError:
                raise NotebookFailure([time_fault(task, left.cells)], left.cells) from None
            except (DeadKernelError, RuntimeError) as error:
                self.end()
                if attempt + 1 == KERNEL_ATTEMPTS:
                    raise NotebookFailure([_dead_kernel_fault(task, error)], None) from None
        raise AssertionError("unreachable: the loop returns or raises")

    def _execute_once(self, task: Task, left: _Countdown) -> Any:
        if self._kernel is None:
            self._kernel = _Kernel(task)
        return self._kernel.execute(task, left)

    def end(self) -> None:
        """End the kernel and remove its folder; the next notebook would start another one."""
        kernel, self._kernel = self._kernel, None
        if kernel is not None:
            kernel.end()


class _Kernel:
    """One kernel, its folder, and the clients that spoke to it."""

    def __init__(self, task: Task) -> None:
        from traitlets.config import Config

        from evalkit.batch.kernels import LendingManager, use_prepared_kernels

        # The kernel inherits this environment: same figures everywhere, and one thread per process that computes.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        # A short name: those of sockets are limited to 107 characters.
        self._folder = TemporaryDirectory(prefix="ek", ignore_cleanup_errors=True)
        use_prepared_kernels(self._folder.name, task.memory_mb)
        config = Config()
        sockets = os.path.join(self._folder.name, "k")  # without it, all kernels of one folder are mixed up
        if sys.platform == "linux" and _fits_a_socket(sockets):
            # By files rather than ports: two kernels cannot want the same one.
            config.KernelManager.transport = "ipc"
            config.KernelManager.ip = sockets
        self._manager = LendingManager(kernel_name="python3", config=config)
        self._noted = Path(self._folder.name, "parties.json")

    def execute(self, task: Task, left: _Countdown) -> Any:
        papermill = import_papermill()
        from papermill.exceptions import PapermillExecutionError

        from evalkit.batch.parts import take_notes
        from evalkit.report.html import find_identity

        self._manager.folder = str(task.notebook.parent)
        try:
            with self._environment():
                notebook = papermill.execute_notebook(
                    str(task.notebook),
                    None,
                    parameters=dict(task.parameters),
                    kernel_name="python3",
                    progress_bar=False,
                    request_save_on_cell_execute=False,
                    autosave_cell_every=0,
                    timeout_func=left,
                    cwd=self._manager.folder,
                    km=self._manager,  # nbclient starts it when it has no kernel yet, and leaves it running
                    on_notebook_start=self._manager.make_as_new,
                    # A kernel says on the console how it listens: that is not an anomaly, and is not shown.
                    extra_arguments=["--IPKernelApp.log_level=50", "--HistoryManager.enabled=False"],
                )
        except PapermillExecutionError as error:
            if error.ename == EvalkitError.__name__:
                _refuse_dossier(task)
            raise NotebookFailure([_cell_fault(task, error)], error.exec_count) from None
        notebook.metadata[PARTS], notebook.metadata[EXCLUDED], notebook.metadata[PUBLISHED] = take_notes(self._noted)
        # The name of the very reading that the figures come from, and nothing to read again.
        notebook.metadata[TITLE] = find_identity(notebook).nom
        return notebook

    @contextmanager
    def _environment(self) -> Iterator[None]:
        """What the kernel inherits when it starts: where it writes what it read, and where its connection files are."""
        from evalkit.batch.parts import NOTE

        before = {name: os.environ.get(name) for name in (NOTE, "JUPYTER_RUNTIME_DIR")}
        os.environ |= {NOTE: str(self._noted), "JUPYTER_RUNTIME_DIR": self._folder.name}
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

    def end(self) -> None:
        try:
            self._manager.end()
        finally:
            self._folder.cleanup()


def _fits_a_socket(name: str) -> bool:
    """Whether the sockets of a kernel can bear this name: in a deep temporary folder they cannot, and ports are used."""
    return len(os.fsencode(f"{name}-{_LAST_PORT}")) <= _LONGEST_SOCKET


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
