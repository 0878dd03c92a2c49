"""Kernels prepared in advance: each used once, drawing what an ordinary one draws, gone when its territory is done."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from evalkit.batch import apart, kernels, runner
from evalkit.batch.plan import Task

ROOT = Path(__file__).resolve().parents[2]
ORDINARY = "ordinaire"
WAYS = [
    pytest.param(
        "fork", marks=pytest.mark.skipif(sys.platform != "linux", reason="seul Linux sait copier un processus prêt")
    ),
    "file",
    ORDINARY,
]
PYPLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 2], [3, 4])\nplt.show()"


def make_task(folder: Path, name: str, *cells: str, **changes: object) -> Task:
    """A task on a notebook whose cells are given."""
    parameters = nbformat.v4.new_code_cell('dossier: str = "x"', metadata={"tags": ["parameters"]})
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    content = nbformat.v4.new_notebook(
        cells=[parameters, *[nbformat.v4.new_code_cell(cell) for cell in cells]], metadata=kernel
    )
    path = folder / f"{name}.ipynb"
    nbformat.write(content, path)
    return Task(name, path, {"dossier": name}, folder / name / "rapport", title=name, **changes)


@pytest.fixture(scope="module", params=WAYS)
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """The three ways of having a kernel: forked, started in advance, ordinary."""
    if request.param == "file":
        os.environ[apart.WITHOUT_FORK] = "1"
    apart.end_renderers()
    yield request.param
    apart.end_renderers()
    os.environ.pop(apart.WITHOUT_FORK, None)


def run(way: str, task: Task) -> list[dict[str, object]]:
    """Outputs of the executed notebook."""
    execute = runner.execute_notebook
    (notebook,) = [execute(task)] if way == ORDINARY else apart._source().stream(execute, task, 120)
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def text(outputs: list[dict[str, object]]) -> str:
    return "".join(str(output.get("text", "")) for output in outputs)


def test_no_figure_is_lost(way: str, tmp_path: Path) -> None:
    """A kernel that imported matplotlib before it knew where to draw would lose every pyplot figure, in silence."""
    found = run(way, make_task(tmp_path, "a", PYPLOT, PYPLOT))
    assert [("image/png" in output["data"]) for output in found if "data" in output] == [True, True]


def test_each_territory_has_a_kernel_of_its_own(way: str, tmp_path: Path) -> None:
    code = (
        "import os\nprint(os.getpid(), os.environ.get('SALE'), 'sale' in globals())\nos.environ['SALE'] = '1'\nsale = 1"
    )
    first, second = (text(run(way, make_task(tmp_path, name, code))).split() for name in "ab")
    assert first[0] != second[0]
    assert first[1:] == second[1:] == ["None", "False"]


def test_kernels_draw_lots_of_their_own(way: str, tmp_path: Path) -> None:
    """Forked generators would give every territory the same numbers."""
    code = "import random, numpy\nprint(random.random(), numpy.random.random())"
    first, second = (text(run(way, make_task(tmp_path, name, code))).split() for name in "ab")
    assert not set(first) & set(second)


def test_what_is_printed_keeps_its_place(way: str, tmp_path: Path) -> None:
    """Streams that have nothing to say are not waited for: what was printed still comes before what is shown next, in its own cell."""
    first = "import sys\nprint('un')\ndisplay('deux')\nprint('trois', file=sys.stderr)\ndisplay('quatre')\nprint('cinq', end='')"
    second = "print('six')\n'sept'"
    code = "from IPython.display import display\n"
    found = run(way, make_task(tmp_path, "a", code + first, second))
    said = [str(one.get("text") or one["data"]["text/plain"]).strip().strip("'") for one in found]
    assert said == ["un", "deux", "trois", "quatre", "cinq", "six", "sept"]


def test_temporary_files_are_gone_with_the_territory(way: str, tmp_path: Path) -> None:
    code = "import tempfile, os\nf = tempfile.mkdtemp()\nprint(f, os.environ['IPYTHONDIR'])"
    left, profile = text(run(way, make_task(tmp_path, "a", code))).split()
    assert not Path(left).exists()
    assert not Path(profile).exists()


def test_a_deep_temporary_folder_stops_nobody(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of a socket holds 107 bytes: where the folder's own is longer, the kernel speaks otherwise."""
    deep = tmp_path / ("dossier-profond-" * 7)
    deep.mkdir()
    assert len(str(deep)) > 107
    monkeypatch.setenv("TMPDIR", str(deep))
    monkeypatch.setattr(tempfile, "tempdir", None)
    apart.end_renderers()  # those that follow are started in that folder
    try:
        assert text(run(way, make_task(tmp_path, "profond", "print('fait')"))).strip() == "fait"
    finally:
        apart.end_renderers()


def test_a_prepared_kernel_has_already_imported(tmp_path: Path) -> None:
    """What makes it fast: pandas and evalkit are there before the first cell."""
    if not apart.can_fork():
        pytest.skip("seul Linux sait copier un processus prêt")
    code = "import sys\nprint([name for name in ('pandas', 'scipy.optimize', 'evalkit.report.sections') if name not in sys.modules])"
    try:
        assert text(run("fork", make_task(tmp_path, "a", code))).strip() == "[]"
    finally:
        apart.end_renderers()


@pytest.mark.skipif(sys.platform != "linux", reason="seul Linux sait copier un processus prêt")
def test_a_forked_kernel_that_draws_a_report_imports_nothing_more(tmp_path: Path) -> None:
    """What it imports, each territory imports: a debugger that nobody uses cost a tenth of a second each time."""
    content = nbformat.read(ROOT / "notebooks/rapport_territoire.ipynb", 4)
    content.cells.append(nbformat.v4.new_code_cell("import json, sys\nprint(json.dumps(sorted(sys.modules)))"))
    nbformat.write(content, tmp_path / "a.ipynb")
    task = Task("a", tmp_path / "a.ipynb", {"dossier": str(ROOT / "sample_data/2022/cambreulle")}, tmp_path / "a")
    try:
        found = run("fork", task)
    finally:
        apart.end_renderers()
    drawn = set(json.loads(text(found).splitlines()[-1]))
    ready = (
        "import json, sys\nfrom evalkit.batch import warm\nwarm.import_for_kernel()\nwarm.import_for_rendering()\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", ready], capture_output=True, text=True, check=True)
    assert drawn - set(json.loads(done.stdout)) <= {"runpy", "resource"}, (
        "ce qui n'est pas importé d'avance l'est à chaque territoire"
    )
    assert "debugpy" not in drawn


@pytest.mark.skipif(sys.platform != "linux", reason="lit /proc")
def test_nothing_survives_the_batch(tmp_path: Path) -> None:
    """Renderers and kernels at work end with the process that asked for them, whatever they are doing."""
    from concurrent.futures import ThreadPoolExecutor

    task = make_task(
        tmp_path, "a", f"open({str(tmp_path / 'la')!r}, 'w').write(str(__import__('os').getpid()))", "while True: pass"
    )
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(lambda: list(apart._source().stream(runner.execute_notebook, task, 120)))
        while not ((tmp_path / "la").is_file() and (tmp_path / "la").read_text()) and not future.done():
            time.sleep(0.02)
        kernel = int((tmp_path / "la").read_text())
        assert Path(f"/proc/{kernel}").exists()
        apart.end_renderers()
        assert isinstance(future.exception(10), runner.RendererLost)
    for _ in range(200):
        if not _runs(kernel):
            return
        time.sleep(0.02)
    raise AssertionError("le noyau tourne encore")


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_stock_gives_living_kernels_once() -> None:
    class Fake:
        def __init__(self, status: int | None) -> None:
            self.status = status

        def poll(self) -> int | None:
            return self.status

    stock = kernels.Stock()
    alive = Fake(None)
    stock.put(Fake(-9))
    stock.put(alive)
    assert stock.take() is alive, "un noyau mort n'est jamais donné"
    assert stock.take() is None
    stock.make = lambda: Fake(None)
    stock.fill()
    first = stock.take()
    assert first is not None
    assert stock.take() is not first, "chacun sert une fois ; le suivant était déjà commencé"


def test_no_renderer_starts_once_the_batch_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a thread is between two territories: it must not start another warm parent, which nobody would end."""
    monkeypatch.setattr(apart, "_STOPPING", True)
    monkeypatch.setattr(apart, "_Forking", pytest.fail)
    monkeypatch.setattr(apart, "_Starting", pytest.fail)
    with pytest.raises(runner.RendererLost):
        apart.get_ready()
