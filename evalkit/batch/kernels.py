"""Kernels made ready before they are wanted: each serves one territory, then is thrown away.

A notebook needs a kernel, and a kernel spends two seconds importing. Here the importing is done beforehand: on Linux by a
parent that forks (``batch.warm``), elsewhere by a process started while the previous territory is drawn. Either way the
kernel waits for one order (arguments, environment, folder) and becomes an ordinary ipykernel.

jupyter_client's own extension point, a kernel provisioner, hands it over; papermill, nbclient and the notebook see no difference.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Any, Protocol

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner
from jupyter_core.utils import run_sync

PROVISIONER = "evalkit-prepare"
_OURS = (
    "JPY_INTERRUPT_EVENT",
    "IPY_INTERRUPT_EVENT",
    "JPY_PARENT_PID",
)  # what ties a kernel to the process that made it
_POLL_S = 0.005
_CALL_BACK_MS = 5
_LAUNCHER = "ipykernel_launcher"


class Prepared(Protocol):
    """A process that has imported everything and waits for its order."""

    pid: int

    def order(self, content: dict[str, Any]) -> None:
        """Send the one order; the process becomes a kernel."""

    def poll(self) -> int | None:
        """Exit status, or None while it lives."""


class ForkedKernel:
    """A kernel forked from this process, with the little that jupyter_client asks of a ``Popen``."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid = pid
        self._pipe = pipe
        self.returncode: int | None = None

    def order(self, content: dict[str, Any]) -> None:
        """Send the order and close the pipe: there will be no other."""
        with os.fdopen(self._pipe, "wb") as pipe:
            pipe.write(json.dumps(content).encode())

    def poll(self) -> int | None:
        """Exit status, or None while it lives."""
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                pid, status = self.pid, 0
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self) -> int | None:
        """Exit status, once it is dead."""
        while self.poll() is None:
            time.sleep(_POLL_S)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it is dead."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class StartedKernel:
    """A kernel process started in advance (where nothing can be forked); a ``Popen`` that can be given its order."""

    def __init__(self) -> None:
        from subprocess import PIPE

        from jupyter_client.launcher import launch_kernel

        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        self._process = launch_kernel([sys.executable, "-P", "-m", __name__], stdin=PIPE, env=environment)
        self.pid = self._process.pid

    def order(self, content: dict[str, Any]) -> None:
        """Send the order and close the pipe."""
        assert self._process.stdin is not None
        with self._process.stdin as pipe:
            pipe.write(json.dumps(content).encode())

    def __getattr__(self, name: str) -> Any:  # poll, wait, kill, stdin… : the process itself
        return getattr(self._process, name)


class Stock:
    """Kernels ready in this process. Where ``make`` is given, one taken is replaced at once by the next."""

    def __init__(self) -> None:
        self._ready: deque[Any] = deque()
        self.make: Callable[[], Any] | None = None
        self.taken = 0

    def put(self, kernel: Any) -> None:
        """Add a kernel."""
        self._ready.append(kernel)

    def fill(self) -> None:
        """Start one in advance, unless one already waits."""
        if self.make is not None and not self._ready:
            self.put(self.make())

    def take(self) -> Any | None:
        """A living kernel, or None; the next one starts importing while this one works."""
        while self._ready:
            kernel = self._ready.popleft()
            if kernel.poll() is None:
                self.taken += 1
                self.fill()
                return kernel
        return None

    def drop(self) -> None:
        """End those that nobody took."""
        while self._ready:
            kernel = self._ready.popleft()
            kernel.kill()
            kernel.wait()


STOCK = Stock()


class PreparedProvisioner(LocalProvisioner):
    """Local provisioner that takes a kernel of :data:`STOCK` where there is one, and starts an ordinary one otherwise."""

    scratch = ""  # a folder of this territory alone, given by the runner
    memory_mb = 0

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Give the order to a prepared kernel; the command must be the one that it stands for."""
        environment = dict(kwargs.get("env") or os.environ)
        environment.update(own_folders(self.scratch))
        kwargs["env"] = environment
        kernel = STOCK.take() if _LAUNCHER in cmd and cmd[0] == sys.executable else None
        if kernel is None:
            return await super().launch_kernel(cmd, **kwargs)
        kernel.order(
            {
                "arguments": cmd[cmd.index(_LAUNCHER) + 1 :],
                "environnement": environment,
                "dossier": str(kwargs.get("cwd") or Path.cwd()),
                "memoire_mo": self.memory_mb,
            }
        )
        self.process, self.pid = kernel, kernel.pid
        self.pgid = kernel.pid if hasattr(os, "getpgid") else None  # each leads a group of its own
        self.cwd = kwargs.get("cwd", Path.cwd())
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:
        """End the kernel, and see it ended: nobody then looks at it again a tenth of a second later."""
        await super().kill(restart)
        if isinstance(self.process, ForkedKernel):
            self.process.wait()

    async def wait(self) -> int | None:
        """Wait for the end of a prepared kernel without the tenth of a second between two looks."""
        if not isinstance(self.process, ForkedKernel):
            return await super().wait()
        status = self.process.wait()
        self.process = None
        return status


class LendingManager(AsyncKernelManager):
    """A kernel lent to several notebooks of one territory in turn: each finds it without a name of the one before."""

    folder = ""  # where the next notebook runs

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.client_factory = PromptClient
        self._lent: list[AsyncKernelClient] = []

    def client(self, **options: Any) -> Any:
        """A client for the next notebook."""
        client: AsyncKernelClient = super().client(**options)
        self._lent.append(client)
        return client

    async def make_as_new(self, **_: Any) -> None:
        """Called by nbclient when a notebook begins: it has no name of the one before, and is in its own folder."""
        if len(self._lent) < 2:
            return
        client = self._lent[-1]
        asked = client.execute(_AS_NEW.format(self.folder), silent=True, store_history=False)
        try:
            reply = await client.shell_channel.get_msg(timeout=_RESET_S)
            while reply["parent_header"].get("msg_id") != asked:
                reply = await client.shell_channel.get_msg(timeout=_RESET_S)
        except Empty:
            reply = {"content": {"status": "silence"}}
        if reply["content"]["status"] != "ok":
            raise RuntimeError("a kernel could not be made as new")  # thrown away, and another one is started

    def end(self) -> None:
        """End the kernel and close what spoke to it."""
        run_sync(self._end)()

    async def _end(self) -> None:
        for client in self._lent:
            client.stop_channels()
        self._lent.clear()
        if self.has_kernel:
            await self.shutdown_kernel(now=True)  # nothing to save in a kernel that is thrown away


class PromptClient(AsyncKernelClient):
    """A client that is ready when the kernel says so, instead of after a fifth of a second of silence.

    It always calls before its kernel answers: ZMQ would call back after a tenth of a second, during which nothing else happens.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.context.setsockopt(zmq.RECONNECT_IVL, _CALL_BACK_MS)

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        end = time.monotonic() + (float("inf") if timeout is None else timeout)
        while time.monotonic() < end:
            asked = self.kernel_info()
            if await self._answered(asked):
                return
            if not await self._async_is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
        raise RuntimeError(f"Kernel didn't respond in {timeout} seconds")

    wait_for_ready = _async_wait_for_ready

    async def _answered(self, asked: str) -> bool:
        """Whether the kernel answered on both channels; what it said while starting is left behind."""
        try:
            reply = await self.shell_channel.get_msg(timeout=1)
            while reply["parent_header"].get("msg_id") != asked:
                reply = await self.shell_channel.get_msg(timeout=1)
            while True:
                said = await self.iopub_channel.get_msg(timeout=0.2)
                mine = said["parent_header"].get("msg_id") == asked
                if mine and said["content"].get("execution_state") == "idle":
                    self._handle_kernel_info_reply(reply)
                    return True
        except Empty:
            return False


def own_folders(scratch: str) -> dict[str, str]:
    """Environment that keeps what a notebook leaves behind (temporary files, IPython profile) away from the next one."""
    if not scratch:
        return {}
    temporary = os.path.join(scratch, "tmp")
    os.makedirs(temporary, exist_ok=True)
    return dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary) | {"IPYTHONDIR": os.path.join(scratch, "ipython")}


def use_prepared_kernels(scratch: str, memory_mb: int) -> None:
    """Make this process's notebooks run in the kernels of :data:`STOCK`."""
    from importlib.metadata import EntryPoint

    factory = KernelProvisionerFactory.instance()
    target = f"{PreparedProvisioner.__module__}:{PreparedProvisioner.__name__}"
    factory.provisioners[PROVISIONER] = EntryPoint(PROVISIONER, target, factory.GROUP_NAME)
    factory.default_provisioner_name = PROVISIONER
    PreparedProvisioner.scratch, PreparedProvisioner.memory_mb = scratch, memory_mb


_RESET_S = 60
_AS_NEW = """
import os
os.chdir({!r})
get_ipython().reset(new_session=True)
"""

# --- inside the kernel's process ----------------------------------------------------------------------------------------


def import_for_kernel(between: Callable[[], None] = lambda: None) -> None:
    """Import what a report notebook will import, and draw once, so that no territory waits for it.

    ``between``: called before each import; it may end the process, when nobody waits for it any more.

    Nothing here may choose or import a pyplot backend, nor start a thread: a kernel forked after would draw nothing, or hang.
    """
    from importlib import import_module

    from evalkit.batch.imports import import_kernel_debugger

    import_kernel_debugger()
    for name in _KERNEL_MODULES:
        between()
        import_module(name)
    from evalkit.batch.parts import framework_parts
    from evalkit.charts.theme import Page
    from evalkit.loaders.open_data_context import shipped_dictionary
    from evalkit.loaders.referentiel import load_referentiel

    shipped_dictionary()
    framework_parts(load_referentiel())
    page = Page()
    page.text(0, 0, "evalkit", bold=True)
    page.marker([1], [1])
    page.rect(1, 1, 1, 1, face="#FFFFFF", hatch="//")
    page.line([0, 1], [0, 1])
    page.render(2)


_STREAM = "evalkit.batch.streams.QuietStream"
_KERNEL_MODULES = """
    pandas pandas.core.methods.to_dict pandas.core.arrays.arrow.extension_types encodings.ascii
    pyarrow pyarrow.parquet pyarrow.dataset pyarrow.pandas_compat scipy.optimize matplotlib.backends.backend_agg matplotlib.markers
    PIL.Image PIL.ImageDraw PIL.ImageFont PIL.PngImagePlugin
    ipykernel.kernelapp ipykernel.ipkernel ipykernel.zmqshell tornado.platform.asyncio zmq.utils.garbage
    IPython.core.completer IPython.core.completerlib IPython.core.debugger IPython.core.logger IPython.core.oinspect
    IPython.extensions.storemagic encodings.latin_1 encodings.cp1252 faulthandler evalkit.batch.published evalkit.batch.streams
    evalkit.actions evalkit.compute.evaluation evalkit.compute.disclosure evalkit.compute.disclosure_bases
    evalkit.compute.synthesis
    evalkit.loaders.dossier evalkit.loaders.referentiel evalkit.loaders.open_data_context
    evalkit.report.sections evalkit.charts.context evalkit.charts.indicators evalkit.charts.maturity
    evalkit.charts.surveys evalkit.charts.synthesis
""".split()


def become_kernel(order: dict[str, Any]) -> None:
    """Turn this process into the kernel that was ordered; returns when the kernel ends."""
    import random
    import tempfile

    import matplotlib
    import numpy

    environment = order["environnement"] | {name: os.environ[name] for name in _OURS if name in os.environ}
    environment.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")  # what ipykernel would choose
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(order["dossier"])
    tempfile.tempdir = None  # looked for again: the warm parent's is not this territory's
    if hasattr(time, "tzset"):
        time.tzset()
    random.seed()
    numpy.random.seed()  # the legacy generator is global: a forked one would draw the same numbers in every territory
    # matplotlib was imported before the kernel could tell it where to draw: without this, every pyplot figure would be
    # missing from the notebook, in silence.
    matplotlib.rcParams["backend"] = environment["MPLBACKEND"]
    limit_memory(order["memoire_mo"])

    from ipykernel.kernelapp import IPKernelApp

    arguments = [*order["arguments"], f"--IPKernelApp.outstream_class={_STREAM}"]
    sys.argv = [_LAUNCHER, *arguments]
    app = IPKernelApp.instance()
    app.initialize(arguments)
    app.start()


def limit_memory(megabytes: int) -> None:
    """Refuse more than this to the process, where the system can: a cell that eats memory then fails alone."""
    if not megabytes or sys.platform != "linux":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))


def is_left(descriptor: int) -> bool:
    """Whether whoever writes in a pipe or a socket is gone without a word to read, where the system can say it without waiting."""
    if sys.platform == "win32":
        return False
    from fcntl import ioctl
    from termios import FIONREAD

    watch = select.poll()
    watch.register(descriptor, select.POLLHUP)
    return bool(watch.poll(0)) and not any(ioctl(descriptor, FIONREAD, bytes(4)))


def read_order(pipe: int) -> dict[str, Any] | None:
    """Wait for the order; None when the other end is gone."""
    with os.fdopen(pipe, "rb") as stream:
        content = stream.read()
    return dict(json.loads(content)) if content else None


def main() -> None:
    """Process started in advance: import everything, wait for the order, be the kernel."""
    pipe = sys.stdin.fileno()
    import_for_kernel(lambda: sys.exit(1) if is_left(pipe) else None)
    order = read_order(os.dup(pipe))
    if order is not None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - kept open as long as the kernel lives
        become_kernel(order)


if __name__ == "__main__":
    main()
