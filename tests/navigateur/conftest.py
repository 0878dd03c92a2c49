"""A real browser, a real JupyterLab, both on this machine; nothing may go out on the network."""

from __future__ import annotations

import os
import re
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

from evalkit import actions
from evalkit.loaders.resources import resource_dir
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

    def make(width: int = 1280, height: int = 900, bypass_csp: bool = False) -> Watched:
        """``bypass_csp``: let the test run scripts in a page whose own policy forbids them."""
        size = {"width": width, "height": height}
        context = browser.new_context(viewport=size, locale="fr-FR", bypass_csp=bypass_csp)
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


TEACHING = re.compile(r"^\| `2022/([a-z-]+)` \|", re.MULTILINE)
DRESSED = 'marque: "brouillon"\nlogo: "logo.png"\nlogo_texte: "Logo de l’agglomération d’Ardelle"\n'


@pytest.fixture(scope="session")
def teaching_cases() -> list[str]:
    """Names of the six teaching cases, the ordinary one first."""
    names = TEACHING.findall((resource_dir("sample_data") / "LISEZMOI.md").read_text(encoding="utf-8"))
    assert len(names) == 6
    return names


@pytest.fixture(scope="session")
def rendered(browser: Any, tmp_path_factory: pytest.TempPathFactory, teaching_cases: list[str]) -> Path:
    """Outputs of a campaign of the six teaching cases, the first with a logo and a mark (``browser`` first: it may skip)."""
    root = tmp_path_factory.mktemp("campagne")
    for year in ("2019", "2022"):
        (root / year).mkdir()
        for path in (resource_dir("sample_data") / year).iterdir():
            if path.is_file() and path.suffix != ".xlsx":
                shutil.copy2(path, root / year)
            elif path.name in teaching_cases:
                shutil.copytree(path, root / year / path.name)
    _dress(root / "2022" / teaching_cases[0])
    result = actions.render_batch(root / "2022", root / "sorties", processes=2)
    assert result.ok
    assert actions.render_synthesis(root / "2022", root / "sorties").ok
    actions.write_consensus_sheets(root / "2022" / teaching_cases[0], root / "sorties" / "consensus.html")
    return root / "sorties"


def _dress(dossier: Path) -> None:
    """Give a territory a logo and a mark."""
    from PIL import Image, ImageDraw

    logo = Image.new("RGB", (600, 240), "#1f4e79")
    ImageDraw.Draw(logo).ellipse((30, 30, 210, 210), fill="#ffffff")
    logo.save(dossier / "logo.png")
    with (dossier / "territoire.yml").open("a", encoding="utf-8") as file:
        file.write(DRESSED)


@pytest.fixture(scope="session")
def documents(rendered: Path, teaching_cases: list[str]) -> dict[str, Path]:
    """One page of each kind."""
    first = rendered / teaching_cases[0]
    others = {name: rendered / f"{name}.html" for name in ("synthese", "index", "consensus")}
    return {"rapport": first / "rapport.html", "comite": first / "comite.html", **others}


@pytest.fixture(scope="session")
def run_axe() -> Callable[[Any], dict[str, Any]]:
    """Run axe-core in a page opened with ``bypass_csp``; every rule it has, good practices included.

    A page as it was delivered is audited once for each width and medium, whatever the number of tests that ask.
    """
    try:
        import axe_playwright_python
    except ImportError:
        missing("axe-playwright-python n'est pas installé")
    source = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    known: dict[Any, dict[str, Any]] = {}

    def run(page: Any) -> dict[str, Any]:
        medium, html = page.evaluate("() => [matchMedia('print').matches, document.documentElement.outerHTML]")
        key = (page.url, page.viewport_size["width"], medium, hash(html))
        if key not in known:
            page.evaluate(source)
            known[key] = page.evaluate("() => axe.run(document)")
        return known[key]

    return run
