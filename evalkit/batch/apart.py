"""Rendering a territory in a process of its own, thrown away after: the same call whatever the executor, the machine or the system.

On Linux the process is forked from a warm parent (``batch.warm``), one per process that asks. Elsewhere, or where
``EVALKIT_SANS_FORK`` is set, it is a worker process that keeps a kernel ready in advance, one per territory.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from inspect import isgeneratorfunction
from multiprocessing.connection import Connection
from typing import Any

from evalkit.batch.plan import Task
from evalkit.batch.runner import Outcome, RendererLost, TimeIsUp, crashed, render_until_failure
from evalkit.errors import EvalkitError, fail

WITHOUT_FORK = "EVALKIT_SANS_FORK"
_CLUSTER_S = 10
_CLEANING_S = 5
_WARM = "evalkit.batch.warm"
# One thread only: neither OpenBLAS's, nor the one that pyarrow's jemalloc starts as soon as it is imported. The system's own
# memory pool gives back what each territory borrowed: fifteen megabytes less per kernel.
_SETTINGS = {
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    # Pictures come and go: their memory is kept for the next one rather than given back and zeroed again by the system.
    "MALLOC_MMAP_THRESHOLD_": str(64 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_TOP_PAD_": str(8 << 20),
}
GRACE_S = 30.0  # beyond the time limit of the task: the renderer ends itself first, and says in which cell


def can_fork() -> bool:
    """Whether territories are forked from a warm parent here."""
    return sys.platform == "linux" and not os.environ.get(WITHOUT_FORK)


def render_apart(job: Sequence[Task]) -> Iterator[Outcome]:
    """Render the tasks of one territory in a process of their own; one outcome each, as they come, whatever becomes of the process.

    A document that failed, or was being rendered when the process ended without a word (memory, a signal) or went on past its
    time, takes the process with it: what remains has a new one. One that failed after another had been rendered there is tried
    again, alone: the other may be why.
    """
    done = 0
    while done < len(job):
        left, before = job[done:], done
        try:
            source = _source()
            for outcome in source.stream(render_until_failure, left, max(task.seconds for task in left) + GRACE_S):
                done += 1
                yield outcome
                if done == len(job) and source.once:
                    return
        except (RendererLost, TimeIsUp) as error:
            if done == before:
                done += 1
                yield crashed(left[0], error)


def end_renderers() -> None:
    """End every process that this one keeps ready; those at work end too."""
    global _SOURCE
    with _LOCK:
        source, _SOURCE = _SOURCE, None
    if source is not None:
        source.close()


@contextmanager
def local_executor(processes: int) -> Iterator[Executor]:
    """So many territories at a time on this machine, each in a process of its own (:func:`render_apart`)."""
    global _STOPPING
    get_ready()
    executor = ThreadPoolExecutor(max(1, processes))
    try:
        yield executor
    finally:
        with _LOCK:
            _STOPPING = True  # a thread that was about to render must not start another warm parent
        try:
            executor.shutdown(wait=False, cancel_futures=True)
            end_renderers()
            executor.shutdown()
        finally:
            _STOPPING = False


@contextmanager
def kernel_starting() -> Iterator[None]:
    """Start a kernel now for the document that this process is about to render: it imports while the dossier is checked."""
    from evalkit.batch.kernels import STOCK, StartedKernel

    STOCK.put(StartedKernel())
    try:
        yield
    finally:
        STOCK.drop()


@contextmanager
def dask_executor(address: str) -> Iterator[Executor]:
    """An existing Dask cluster; each of its worker processes renders each territory in a process of its own.

    Raises
    ------
    EvalkitError
        LOT-012: the cluster does not answer, or the extra is not installed.
    """
    try:
        from distributed import Client

        client = Client(address, timeout=_CLUSTER_S, set_as_default=False)
    except ImportError:
        raise _no_cluster(address, "le complément « dask » n'est pas installé") from None
    except (OSError, ValueError) as error:
        raise _no_cluster(address, f"pas de réponse ({type(error).__name__})") from None
    with client:
        yield client.get_executor(pure=False)


def _no_cluster(address: str, read: str) -> EvalkitError:
    return fail(
        "LOT-012",
        "ligne de commande",
        read=f"--dask {address} : {read}",
        expected="l'adresse d'un ordonnanceur Dask en marche, par exemple tcp://machine:8786",
        fix='vérifiez l\'adresse ; pour installer le complément : pip install "evalkit[dask]" ; sinon retirez --dask',
    )


def get_ready() -> None:
    """Start importing now, in the background: the first task will not wait as long."""
    _source()


def answer(connection: Connection, function: Callable[[Any], Any], argument: Any) -> None:
    """Send what a function yields (or the one thing that it returns) as it comes, then that there is no more."""
    for value in function(argument) if isgeneratorfunction(function) else [function(argument)]:
        connection.send((True, value))
    connection.send((False, None))


def _answers(connection: Connection, seconds: float, end: Callable[[], None]) -> Iterator[Any]:
    """What :func:`answer` sends from the other side. One that is late is waited for no more: ``end`` ends the process."""
    more = True
    while more:
        if not connection.poll(seconds):
            end()
            raise TimeIsUp
        more, value = connection.recv()
        if more:
            yield value


class _Forking:
    """A warm parent of ours, and the calls in progress."""

    once = True  # the process of a call ends by itself: the next one need not wait for it

    def __init__(self) -> None:
        self._process, self._control, self._scratch = _start_warm_parent(dict(os.environ))
        self._lock = threading.Lock()
        self._ready = False

    def _connect(self) -> Connection:
        """A connection to a new renderer."""
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            try:
                if not self._ready:
                    self._ready = bool(self._control.recv(1))
                    if not self._ready:
                        raise RendererLost
                socket.send_fds(self._control, [b"r"], [theirs.fileno()])
            except OSError as error:
                ours.close()
                raise RendererLost from error
        return Connection(ours.detach())

    def stream(self, function: Callable[[Any], Any], argument: Any, seconds: float) -> Iterator[Any]:
        """What ``function(argument)`` yields, or returns, in a process of its own; each within ``seconds``."""
        with self._connect() as connection:
            try:
                pid = connection.recv()
                connection.send((function, argument))
                yield from _answers(connection, seconds, lambda: os.kill(pid, 9))
            except (EOFError, ConnectionError) as error:
                raise RendererLost from error

    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        self._process.kill()  # every renderer, and every kernel, dies with it
        self._process.wait()
        self._control.close()
        shutil.rmtree(self._scratch, ignore_errors=True)


def _start_warm_parent(environment: dict[str, str]) -> tuple[Any, socket.socket, str]:
    """Start the warm parent; returns its process, the socket that asks it for renderers, and their temporary folder."""
    from subprocess import DEVNULL, Popen
    from tempfile import mkdtemp

    scratch = mkdtemp(prefix="ek")  # a short name: those of sockets are limited to 107 characters
    ours, theirs = socket.socketpair()
    with theirs:
        process = Popen(
            [sys.executable, "-P", "-m", _WARM, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=DEVNULL,
            env={**environment, **_SETTINGS, "TMPDIR": scratch},
            start_new_session=True,  # Ctrl-C speaks to the batch alone, which then ends the others cleanly
        )
    return process, ours, scratch


class _Starting:
    """One long-lived worker process per thread that asks; each keeps one kernel ready."""

    once = False  # the next call speaks to the same process, by the same connection

    def __init__(self) -> None:
        from tempfile import mkdtemp

        self._local = threading.local()
        self._all: list[Any] = []
        self._closed = False
        self._lock = threading.Lock()
        self._scratch = mkdtemp(prefix="ek")  # what a worker that is ended would leave behind
        self._worker()

    def _worker(self) -> Any:
        worker = getattr(self._local, "worker", None)
        if worker is None or not worker[0].is_alive():
            from multiprocessing import get_context

            context = get_context("spawn")
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, self._scratch), daemon=True)
            with self._lock:
                if self._closed:
                    raise RendererLost
                process.start()
                self._all.append(process)
            theirs.close()
            worker = self._local.worker = (process, ours)
        return worker

    def stream(self, function: Callable[[Any], Any], argument: Any, seconds: float) -> Iterator[Any]:
        process, connection = self._worker()
        try:
            connection.send((function, argument))
            yield from _answers(connection, seconds, lambda: _kill(process))
        except (EOFError, ConnectionError) as error:
            _kill(process)
            raise RendererLost from error
        finally:
            if not process.is_alive():
                self._local.worker = None

    def alive(self) -> bool:
        return True

    def close(self) -> None:
        with self._lock:
            self._closed = True
        for process in self._all:
            _kill(process)
        for process in self._all:
            process.join(2)
        shutil.rmtree(self._scratch, ignore_errors=True)


def _kill(process: Any) -> None:
    """End a worker process, and the kernels that it started."""
    if not process.is_alive():
        return  # its number may be that of another program by now
    below = _started_by(process.pid)
    process.kill()
    _end_all(below)


def _started_by(pid: int) -> list[Any]:
    import psutil

    with suppress(psutil.Error):
        return list(psutil.Process(pid).children(recursive=True))
    return []


def _end_all(processes: list[Any]) -> None:
    import psutil

    for one in processes:
        with suppress(psutil.Error):  # gone, or going
            one.kill()


def _end_with_the_batch(scratch: str) -> None:
    """Wait for the end of the process that started this one, however it ends: nothing goes on after it."""
    from multiprocessing import parent_process

    batch = parent_process()
    assert batch is not None
    batch.join()
    _end_all(_started_by(os.getpid()))
    shutil.rmtree(scratch, ignore_errors=True)
    os._exit(1)


def _work(connection: Connection, scratch: str) -> None:
    """Body of a worker process: one territory after the other, each in a kernel of its own started beforehand."""
    import signal
    import tempfile

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the batch decides when to stop
    watch = threading.Thread(target=_end_with_the_batch, args=(scratch,), daemon=True)
    watch.start()

    from evalkit.batch.kernels import STOCK, StartedKernel

    os.environ |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), scratch)
    tempfile.tempdir = None
    STOCK.make = StartedKernel
    STOCK.fill()
    try:
        while True:
            function, argument = connection.recv()
            answer(connection, function, argument)
    except (EOFError, ConnectionError):
        STOCK.make = None
        STOCK.drop()
        watch.join(_CLEANING_S)  # the batch is gone: what it left is removed


_LOCK = threading.Lock()
_SOURCE: _Forking | _Starting | None = None
_STOPPING = False


def _source() -> _Forking | _Starting:
    global _SOURCE
    with _LOCK:
        if _STOPPING:
            raise RendererLost
        if _SOURCE is not None and not _SOURCE.alive():
            _SOURCE.close()
            _SOURCE = None
        if _SOURCE is None:
            _SOURCE = _Forking() if can_fork() else _Starting()
        return _SOURCE
