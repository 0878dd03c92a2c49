"""Rendering a plan: each territory in a kernel of its own, thrown away after; one failure leaves the others.

``run_plan`` takes any ``concurrent.futures.Executor``. papermill and nbclient are used as they are (``batch.execution``): a
notebook gives the same document in JupyterLab, under papermill and here.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from evalkit.batch.execution import (
    EXCLUDED,
    PARTS,
    PUBLISHED,
    TITLE,
    NotebookFailure,
    Session,
    execute_notebook,
    time_fault,
)
from evalkit.batch.formats import Others, Tell, silent, write_others
from evalkit.batch.interruption import Interruption
from evalkit.batch.plan import Plan, Task, jobs
from evalkit.errors import EvalkitError, Fault, Place, only_errors

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
Render = Callable[[Sequence[Task]], "Iterable[Outcome]"]
# A territory, and what ended of it: documents, or all of it.
_Ended = tuple[Sequence[Task], "list[tuple[Task, Outcome]] | Future[list[Outcome]]"]


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
    published: dict[str, Any] = field(default_factory=dict, repr=False)  # its bases, to keep once this outcome is told
    others: Others = field(default_factory=Others)  # the other formats: what was made, what could not be


class RendererLost(Exception):
    """The process that was rendering a task ended without a word."""


class TimeIsUp(Exception):
    """A task went on past its time limit."""


def run_plan(
    plan: Plan,
    executor: Executor,
    on_progress: Progress | None = None,
    render: Render | None = None,
    interruption: Interruption | None = None,
) -> list[Outcome]:
    """Render every task; outcomes in the order of the plan, whatever the order of completion.

    ``on_progress`` is told of each document: as soon as it is whole where the executor's workers are threads of this process,
    with the others of its territory elsewhere. ``render``: what the executor runs on the tasks of one territory,
    :func:`render_tasks` unless given (``apart.render_apart``: in a process of their own). ``interruption``: how Ctrl-C is obeyed;
    what was finished before is told first.
    """
    interruption = interruption or Interruption()
    outcomes: dict[str, Outcome] = {}

    def note(task: Task, outcome: Outcome) -> None:
        outcomes[str(task.output)] = outcome
        if on_progress:
            on_progress(outcome, len(outcomes), len(plan.tasks))

    ended: SimpleQueue[_Ended] = SimpleQueue()
    left = _submit(plan, executor, render or render_tasks, ended)
    try:
        while left:
            with interruption.waiting():
                job, found = _next(ended)
            if not isinstance(found, list):
                left -= 1
                found = _rest_of(job, found, outcomes)
            for task, outcome in found:
                note(task, outcome)
    except KeyboardInterrupt:
        while not ended.empty():
            job, found = ended.get()
            if not isinstance(found, list):
                found = [] if found.cancelled() else _rest_of(job, found, outcomes)
            for task, outcome in found:
                note(task, outcome)
        raise
    return [outcomes[str(task.output)] for task in plan.tasks]


def _submit(plan: Plan, executor: Executor, render: Render, ended: SimpleQueue[_Ended]) -> int:
    """Submit each territory; what ends, documents then territories, comes in ``ended``. Returns how many territories."""
    together = jobs(plan.tasks)
    here = isinstance(executor, ThreadPoolExecutor)
    for job in together:
        future = (
            executor.submit(_tell_each, render, job, ended) if here else executor.submit(_render_whole, render, job)
        )
        future.add_done_callback(lambda one, job=job: ended.put((job, one)))  # type: ignore[misc]
    return len(together)


def _tell_each(render: Render, job: Sequence[Task], ended: SimpleQueue[_Ended]) -> list[Outcome]:
    outcomes = []
    for task, outcome in zip(job, render(job), strict=True):
        ended.put((job, [(task, outcome)]))
        outcomes.append(outcome)
    return outcomes


def _render_whole(render: Render, job: Sequence[Task]) -> list[Outcome]:
    return list(render(job))


def _next(ended: SimpleQueue[_Ended]) -> _Ended:
    """What ends next. On Windows, Ctrl-C does not wake a wait without a limit."""
    while True:
        with suppress(Empty):
            return ended.get(timeout=1)


def _rest_of(
    job: Sequence[Task], future: Future[list[Outcome]], told: Mapping[str, Outcome]
) -> list[tuple[Task, Outcome]]:
    """Outcomes of a territory that were not told yet; those of tasks whose rendering raised are crashes."""
    error = CancelledError() if future.cancelled() else future.exception()
    found = future.result() if error is None else [crashed(task, error) for task in job]
    return [(task, outcome) for task, outcome in zip(job, found, strict=True) if str(task.output) not in told]


def default_processes() -> int:
    """Processors this process may use, four at most: a batch must leave a laptop usable."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(4, usable))


def render_tasks(tasks: Sequence[Task], tell: Tell = silent) -> list[Outcome]:
    """Render the tasks of one territory in this process, one after the other; a kernel that failed is not used again."""
    with Session() as session:
        return [render_task(task, tell, session) for task in tasks]


def render_until_failure(tasks: Sequence[Task]) -> Iterator[Outcome]:
    """Render tasks up to the first that fails: what it left behind is thrown away with the process.

    Its outcome is given if it is the first of all; after another document, it may fail because of it, and nothing is said.
    """
    title = ""
    with Session() as session:
        for rank, task in enumerate(tasks):
            outcome = render_task(replace(task, title=task.title or title), session=session)
            title = outcome.title  # of the same territory: read once
            if outcome.ok or rank == 0:
                yield outcome
            if not outcome.ok:
                return


def render_task(task: Task, tell: Tell = silent, session: Session | None = None) -> Outcome:
    """Render one task in this process: execute the notebook, make the page and what is made of it, each checked and whole.

    Not if the parts of what it is made from are those that ``task.known`` gives. ``session``: the kernel of its territory.
    """
    from evalkit.batch.published import compare

    start, title = time.perf_counter(), task.title

    def named() -> str:
        return title or (title_of(task.dossier) if task.dossier else "")

    def outcome(ok: bool, **more: Any) -> Outcome:
        more = {"title": title if ok else named(), **more}
        seconds = round(time.perf_counter() - start, 2)
        return Outcome(task.name, task.kind, ok, notebook=task.notebook.name, seconds=seconds, **more)

    try:
        parts = parts_now(task) if task.known else {}
        if parts and parts == task.known:
            return outcome(True, unchanged=True, parts=parts)
        notebook = execute_notebook(task, session)
        metadata = getattr(notebook, "metadata", {})
        shown = metadata.pop(TITLE, "")
        title = title or shown or named()
        documents, check = write_page(replace(task, title=title), notebook)
        excluded = tuple(metadata.pop(EXCLUDED, ()))
        published = _plain(metadata.pop(PUBLISHED, {}))
        others = write_others(task, write_whole, tell)
        return outcome(
            True,
            documents=(*documents, *others.documents),
            check=check,
            others=others,
            parts=_parts_read(task, metadata),
            excluded=excluded,
            warnings=compare(task, published),
            published=published,
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
    except (EvalkitError, OSError):
        return dossier.stem


def _plain(value: Any) -> Any:
    """The same without a class of nbformat, which whoever receives the outcome would have to import whole."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _parts_read(task: Task, metadata: dict[str, Any]) -> dict[str, str]:
    from evalkit.batch.parts import keyed

    return keyed(metadata.pop(PARTS, {}), task.key) if task.key else {}


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


def disk_fault(path: Path, error: OSError) -> Fault:
    """What the system says of a place where nothing can be written."""
    return Fault(
        "LOT-003",
        Place(file=str(path)),
        read=_DISK_WORDS.get(error.errno or 0, error.strerror or type(error).__name__),
        expected="un dossier de sortie où l'on peut écrire",
        fix="libérez de la place ou choisissez un autre dossier avec --vers, puis relancez : ce qui est fait ne sera pas perdu",
    )


def crashed(task: Task, error: BaseException) -> Outcome:
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
