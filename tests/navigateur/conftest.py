"""A real browser, a real JupyterLab, both on this machine; nothing may go out on the network."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from evalkit.ui.launch import free_port, start_jupyterlab

TOKEN = "jeton-de-test"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)


def missing(reason: str) -> None:
    """Skip with the reason; where everything must be there (``CI=true``), fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"test de navigateur impossible : {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright n'est pas installé")
    chromium = next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)
    if chromium is None:
        missing("aucun Chromium trouvé sur cette machine")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
        yield running
        running.close()


@dataclass
class Watched:
    """A page and what it did behind the scenes."""

    page: Any
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def outside(self, *allowed: str) -> list[str]:
        """Addresses asked for that start with none of ``allowed``."""
        return [address for address in self.requests if not address.startswith((*allowed, "data:", "blob:"))]


@pytest.fixture
def watched_page(browser: Any) -> Iterator[Callable[..., Watched]]:
    contexts = []

    def make(width: int = 1280, height: int = 900) -> Watched:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="fr-FR")
        contexts.append(context)
        watched = Watched(context.new_page())
        watched.page.on("request", lambda request: watched.requests.append(request.url))
        watched.page.on("pageerror", lambda error: watched.errors.append(str(error)))
        watched.page.on(
            "console", lambda message: watched.errors.append(message.text) if message.type == "error" else None
        )
        return watched

    yield make
    for context in contexts:
        context.close()


def wait_for_server(process: subprocess.Popen[bytes], address: str, log: Path, limit_s: float = 60.0) -> None:
    """Ask until the server answers; stop at once if it died."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"JupyterLab s'est arrêté :\n{log.read_text(errors='replace')[-2000:]}")
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"JupyterLab n'a pas répondu en {limit_s:.0f} s :\n{log.read_text(errors='replace')[-2000:]}")


@pytest.fixture
def open_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path, Path], str]]:
    """Start JupyterLab on a workspace with settings of its own; gives the address of the notebook, token included."""
    for name in ("CONFIG", "DATA", "RUNTIME"):
        monkeypatch.setenv(f"JUPYTER_{name}_DIR", str(tmp_path / "jupyter" / name.lower()))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "jupyter" / "ipython"))
    started: list[subprocess.Popen[bytes]] = []

    def start(workspace: Path, notebook: Path) -> str:
        port = free_port()
        log = tmp_path / "jupyterlab.log"
        with log.open("wb") as stream:
            process = start_jupyterlab(
                workspace, notebook, port=port, token=TOKEN, stdout=stream, stderr=subprocess.STDOUT
            )
        started.append(process)
        wait_for_server(process, f"http://127.0.0.1:{port}/api?token={TOKEN}", log)
        return f"http://127.0.0.1:{port}/lab/tree/{notebook.name}?token={TOKEN}"

    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=30)
