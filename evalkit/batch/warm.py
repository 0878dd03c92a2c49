"""The warm parent: a process that has imported everything, then forks one process per territory.

Started by ``batch.apart`` as ``python -m evalkit.batch.warm DESCRIPTOR``. It has one thread and no ZMQ socket, now and for ever: it receives
connections, forks, and nothing else. Each fork (the renderer) first forks the kernel that it will need, then runs papermill and
makes the page. Renderer and kernel are thrown away with the territory; when this process dies, they die too.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import socket
import sys
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import NoReturn

from evalkit.batch.apart import answer
from evalkit.batch.kernels import STOCK, ForkedKernel, become_kernel, import_for_kernel, is_left, read_order

_PR_SET_PDEATHSIG = 1


def import_for_rendering() -> None:
    """Import what executes a notebook and makes its page; build the exporter once for all territories."""
    from evalkit.batch.imports import import_papermill

    import_papermill()
    import ipykernel.kernelspec  # noqa: F401
    import nbformat
    from jupyter_client.provisioning import KernelProvisionerFactory

    from evalkit.report.check import check_page
    from evalkit.report.html import STAMP_MIME, render_notebook

    stamp = nbformat.v4.new_output("display_data", {"text/html": "<h1>x</h1>", STAMP_MIME: {"fictif": True}})
    cells = [nbformat.v4.new_markdown_cell("x"), nbformat.v4.new_code_cell("1", outputs=[stamp])]
    notebook = nbformat.v4.new_notebook(cells=cells)
    check_page(render_notebook(notebook, titre="x"))
    KernelProvisionerFactory.instance()  # looks for what is installed


def main() -> None:
    """Import, then fork one renderer per connection until the other end closes."""
    control = socket.socket(fileno=int(sys.argv[1]))
    import_for_kernel(lambda: _end() if is_left(control.fileno()) else None)
    import_for_rendering()
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        raise SystemExit(f"the warm parent has {threads} threads: a fork would be unsafe")
    gc.collect()
    gc.freeze()  # what is shared stays shared: a collection in a fork does not touch these pages
    signal.signal(signal.SIGCHLD, _bury)
    with suppress(ConnectionError):
        control.sendall(b"p")
        while descriptors := socket.recv_fds(control, 1, 1)[1]:
            parent = os.getpid()
            if os.fork() == 0:
                control.close()
                _renderer(Connection(descriptors[0]), parent)
            os.close(descriptors[0])
    _end()


def _end() -> NoReturn:
    """The batch was killed: nothing survives it, neither a process nor a temporary file."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)  # the renderers, of this group; their kernels die with them
    with suppress(ChildProcessError):
        while True:
            os.wait()
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os._exit(0)


def _bury(*_: object) -> None:
    """Take leave of the renderers that ended; their processor time is then counted as the batch's."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _renderer(connection: Connection, parent: int) -> None:
    """Render the tasks of one territory and end. Never returns."""
    status = 1
    try:
        _die_with_parent(parent)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        connection.send(os.getpid())
        STOCK.put(fork_kernel())
        function, argument = connection.recv()
        answer(connection, function, argument)
        status = 0
    except (EOFError, ConnectionError):
        pass  # whoever asked is gone
    except BaseException:  # a bug of ours keeps its traceback; the batch says that the process was lost
        traceback.print_exc()
    finally:
        STOCK.drop()
        os._exit(status)


def fork_kernel() -> ForkedKernel:
    """Fork a kernel that waits for its order. The calling process must have one thread and no ZMQ socket."""
    receiving, sending = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        os.close(receiving)
        return ForkedKernel(pid, sending)
    status = 1
    try:
        os.setpgid(0, 0)  # a group of its own: ending the kernel ends what it started
        _die_with_parent(parent)
        os.close(sending)
        order = read_order(receiving)
        if order is not None:
            _own_streams()
            become_kernel(order)
        status = 0
    finally:
        os._exit(status)


def _own_streams() -> None:
    """No keyboard, and no stream shared with the processes of the other territories."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.close(nowhere)


def _die_with_parent(parent: int) -> None:
    """Ask Linux to end this process when ``parent``, which forked it, ends, however it ends: even before this was asked."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    main()
