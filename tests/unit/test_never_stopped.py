"""A batch is never mixed, never half done, never stopped by one territory: kills, full disks, endless cells, dirty notebooks."""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from evalkit import actions
from evalkit.batch import apart, campaign, execution, runner
from evalkit.batch.plan import Task
from evalkit.batch.state import LOCK_NAME
from evalkit.errors import EvalkitError

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("ardelle", "cambreulle", "corbinghem", "drincelle")
KILLS = int(os.environ.get("EVALKIT_ARRETS", "4"))  # more by hand: EVALKIT_ARRETS=50
linux = pytest.mark.skipif(sys.platform != "linux", reason="signaux et limites de Linux")
SHORT = ("import evalkit\npublication = evalkit.load_publication(dossier)", "evalkit.show_title(publication)")
STAMP = "evalkit.show_stamp(publication)"
# Runs `evalkit` with the notebooks of a folder: lot.py DOSSIER_DES_CARNETS arguments…
DRIVER = """
import sys
from pathlib import Path
from evalkit import actions, cli
from evalkit.batch import decide
from evalkit.loaders import resources
folder, arguments = Path(sys.argv[1]), sys.argv[2:]
def resource_dir(name):
    return folder if name == "notebooks" else resources.resource_dir(name)
actions.resource_dir = decide.resource_dir = resource_dir
actions.TERRITORY_NOTEBOOKS = {"rapport": "rapport_territoire.ipynb"}  # one document per territory says enough here
if __name__ == "__main__":
    cli.main(arguments)
"""


def write_notebook(folder: Path, *cells: str) -> Path:
    """The report notebook of these tests: quick, unless its cells say otherwise."""
    parameters = nbformat.v4.new_code_cell('dossier: str = "x"', metadata={"tags": ["parameters"]})
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    code = [nbformat.v4.new_code_cell(cell) for cell in (*SHORT, *cells, STAMP)]
    folder.mkdir(exist_ok=True)
    path = folder / "rapport_territoire.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[parameters, *code], metadata=kernel), path)
    return path


class Bench:
    """A small campaign, a notebook, and ``evalkit`` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.campagne, self.carnets = folder, folder / "2022", folder / "carnets"
        for name in ("campagne.yml", "contexte.parquet", "reference_regionale.json", *NAMES):
            source = ROOT / "sample_data" / "2022" / name
            self.campagne.mkdir(exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, self.campagne / name)
        write_notebook(self.carnets)
        (folder / "lot.py").write_text(DRIVER, encoding="utf-8")

    def start(self, vers: str, *options: str, **environment: str) -> subprocess.Popen:
        command = [sys.executable, self.folder / "lot.py", self.carnets, "lot", self.campagne]
        return subprocess.Popen(
            [*map(str, command), "--vers", str(self.folder / vers), *options],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, vers: str, *options: str, **environment: str) -> tuple[int, str]:
        process = self.start(vers, *options, **environment)
        out, err = process.communicate(timeout=240)
        return process.returncode, out + err

    def pages(self, vers: str) -> dict[str, bytes]:
        folder = self.folder / vers
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.glob("*/*"))}

    def noted(self) -> int:
        """Bytes of what is noted of the documents that are done, as soon as they are."""
        path = self.campagne / ".evalkit" / "lot.suite.jsonl"
        return path.stat().st_size if path.is_file() else 0

    def again(self) -> None:
        """Forget what was made."""
        for path in (self.campagne / ".evalkit").glob("lot*"):
            path.unlink()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def faults(folder: Path) -> dict[str, list[str]]:
    journal = json.loads((folder / "journal.json").read_text(encoding="utf-8"))
    return {entry["nom"]: [fault["code"] for fault in entry["anomalies"]] for entry in journal["documents"]}


# --- the same bytes -----------------------------------------------------------------------------------------------------


@linux
def test_same_bytes_whatever_the_processes_the_zone_and_the_locale(bench: Bench) -> None:
    """One, two, four processes; Paris and Auckland; French and C; forked kernels and kernels started in advance."""
    ways = {
        "un": (("--processus", "1"), {"TZ": "Europe/Paris", "LC_ALL": "C.UTF-8"}),
        "deux": (("--processus", "2"), {"TZ": "Pacific/Auckland", "LC_ALL": "fr_FR.UTF-8", "LANG": "fr_FR.UTF-8"}),
        "quatre": (("--processus", "4"), {"TZ": "UTC", "LC_ALL": "C"}),
        "sans-copie": (("--processus", "2"), {apart.WITHOUT_FORK: "1"}),
    }
    found = {}
    for vers, (options, environment) in ways.items():
        bench.again()
        code, said = bench.run(vers, *options, **environment)
        assert code == 0, said
        found[vers] = bench.pages(vers)
    assert len(found["un"]) == 2 * len(NAMES)
    assert all(pages == found["un"] for pages in found.values())


@linux
def test_a_dirty_notebook_stains_nobody(bench: Bench) -> None:
    """Globals, environment, matplotlib, locale, folder, temporary files, left dirty by one territory, change no other's bytes."""
    dirt = """
import builtins, locale, os, random, sys, tempfile, warnings
import matplotlib, numpy, pandas
from evalkit.charts import theme
from evalkit import wording
if "ardelle" in dossier:
    builtins.sale = 1
    os.environ["SALE"] = os.environ["TZ"] = "Asia/Tokyo"
    matplotlib.rcParams["path.sketch"] = (9, 99, 9)
    pandas.set_option("display.precision", 1)
    theme.INK, wording.NO_BREAK_SPACE = "#FF0000", "_"
    sys.path.insert(0, "/sale")
    locale.setlocale(locale.LC_ALL, "C.UTF-8")
    open(os.path.join(tempfile.gettempdir(), "sale"), "w").write("x")
    os.makedirs(os.environ["IPYTHONDIR"] + "/profile_default/startup", exist_ok=True)
    open(os.environ["IPYTHONDIR"] + "/profile_default/startup/sale.py", "w").write("sale = 1")
    os.chdir("/")
"""
    tell = """
import os, tempfile, sys, matplotlib
from evalkit.report.html import Html
Html("<p>" + repr((
    globals().get("sale"), hasattr(builtins, "sale"), os.environ.get("SALE"), matplotlib.rcParams["path.sketch"],
    pandas.get_option("display.precision"), os.path.exists(tempfile.gettempdir() + "/sale"), "/sale" in sys.path,
)).replace("<", "") + "</p>") if "ardelle" not in dossier else None
"""
    write_notebook(bench.carnets, dirt, tell)
    for vers, environment in (("copies", {}), ("file", {apart.WITHOUT_FORK: "1"})):
        bench.again()
        code, said = bench.run(vers, "--processus", "1", **environment)  # ardelle first, then the others
        assert code == 0, said
        bench.again()
        others = [part for name in NAMES[1:] for part in ("--seulement", name)]
        code, said = bench.run(f"{vers}-sans-ardelle", "--processus", "1", *others, **environment)
        assert code == 0, said
        mixed, alone = bench.pages(vers), bench.pages(f"{vers}-sans-ardelle")
        assert {name: mixed[name] for name in alone} == alone
        assert b"(None, False, None, None, 6, False, False)" in mixed["cambreulle/rapport.html"]


# --- stopped in the middle ----------------------------------------------------------------------------------------------


@linux
def test_killed_at_any_moment_it_leaves_whole_files_and_finishes_later(bench: Bench) -> None:
    start = time.monotonic()
    code, said = bench.run("entier", "--processus", "2")
    assert code == 0, said
    lasts, whole = time.monotonic() - start, bench.pages("entier")
    chance = random.Random(20221130)
    for number in range(KILLS):
        vers = f"arret-{number}"
        bench.again()
        for attempt in range(20):
            process = bench.start(vers, "--processus", "2")
            # Past half of the time, where files are being written; each attempt starts from what the last one left.
            with_time = chance.uniform(0.5, 1.0) * lasts if attempt < 3 else 240
            try:
                process.communicate(timeout=with_time)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
            _nothing_half(bench, vers, whole)
            if process.returncode == 0:
                break
        assert bench.pages(vers) == whole
        assert sorted(faults(bench.folder / vers).items()) == [(name, []) for name in sorted(NAMES)]
        assert bench.run(vers)[1].startswith("4 documents déjà à jour"), "plus rien à faire"


def _nothing_half(bench: Bench, vers: str, whole: dict[str, bytes]) -> None:
    for name, content in bench.pages(vers).items():
        if not name.rpartition("/")[2].startswith("."):  # an unfinished file never has a document's name
            assert content == whole[name], name
    journal = bench.folder / vers / "journal.json"
    assert not journal.exists() or json.loads(journal.read_text(encoding="utf-8"))["campagne"] == "2022"


@linux
@pytest.mark.parametrize("way", ["copies", "file"])
@pytest.mark.parametrize("moment", ["prépare", "dessine"])
def test_killed_at_its_worst_it_leaves_no_process_and_no_temporary_file(bench: Bench, way: str, moment: str) -> None:
    """While it imports, while it draws; forked kernels and kernels started in advance: what it started ends with it."""
    process, temporary, mark = start_apart(bench, way)

    def reached() -> bool:
        if moment == "prépare":
            return any(name in line for line in _alive(mark) for name in ("batch.warm", "spawn_main"))
        return bench.noted() > 0

    while not reached() and process.poll() is None:
        time.sleep(0.05)
    process.kill()
    process.wait()
    told = bench.noted()
    assert wait_until(lambda: not _alive(mark)), _alive(mark)
    assert wait_until(lambda: not list(temporary.iterdir())), list(temporary.iterdir())
    assert "Traceback" not in process.communicate(timeout=10)[1]
    assert bench.noted() == told
    assert bench.run("out")[0] == 0, "la relance finit le reste"


def start_apart(bench: Bench, way: str) -> tuple[subprocess.Popen, Path, str]:
    """A batch that is starting, the folder of its temporary files, and what marks every process that it starts."""
    temporary, name = bench.folder / "tmp", "EVALKIT_ESSAI"
    temporary.mkdir()
    environment = {"TMPDIR": str(temporary), name: str(bench.folder)}
    if way == "file":
        environment[apart.WITHOUT_FORK] = "1"
    return bench.start("out", "--processus", "2", **environment), temporary, f"{name}={bench.folder}"


def wait_until(what: Callable[[], bool], seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.05)
    return what()


def _alive(mark: str) -> list[str]:
    """Command lines of the processes that bear a mark in their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@linux
@pytest.mark.parametrize("way", ["copies", "file"])
def test_a_second_ctrl_c_hurries_nothing_and_leaves_nothing(bench: Bench, way: str) -> None:
    process, temporary, mark = start_apart(bench, way)
    while not bench.noted() and process.poll() is None:
        time.sleep(0.05)
    start = time.monotonic()
    for _ in range(3):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.15)
    _, said = process.communicate(timeout=60)
    assert time.monotonic() - start < 30, "le but est de 5 s ; une machine chargée est lente"
    assert (process.returncode, "Interrompu" in said, "Traceback" in said, "Warning" in said) == (
        130,
        True,
        False,
        False,
    ), said
    assert wait_until(lambda: not _alive(mark)), _alive(mark)
    assert wait_until(lambda: not list(temporary.iterdir())), list(temporary.iterdir())
    done = {
        entry["nom"]
        for entry in json.loads((bench.folder / "out/journal.json").read_text(encoding="utf-8"))["documents"]
    }
    whole = {name.partition("/")[0] for name in bench.pages("out") if name.endswith("rapport.html")}
    assert done <= whole, "ce qui est dit terminé est là (un document fini à l'instant même peut ne pas être dit)"


@linux
def test_ctrl_c_stops_cleanly_and_says_what_is_done(bench: Bench) -> None:
    write_notebook(bench.carnets, "import time\nif 'ardelle' not in dossier: time.sleep(600)")
    process = bench.start("out", "--processus", "1")
    while not bench.noted() and process.poll() is None:
        time.sleep(0.05)
    time.sleep(0.5)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "1 document terminé sur 4" in err
    assert "Interrompu" in err
    assert faults(bench.folder / "out") == {"ardelle": []}, "le journal dit ce qui est fait"
    assert time.monotonic() - start < 30, "garde-fou : bench/lot.py mesure les 5 secondes"


@linux
def test_two_batches_on_one_output_refuse_each_other(bench: Bench) -> None:
    write_notebook(bench.carnets, "import time\ntime.sleep(600)")
    first = bench.start("out", "--processus", "1")
    try:
        while not (bench.folder / "out" / LOCK_NAME).exists() and first.poll() is None:
            time.sleep(0.05)
        time.sleep(0.2)
        code, said = bench.run("out", "--processus", "1")
        assert code == 13
        assert "[LOT-011]" in said
    finally:
        first.kill()
        first.communicate()
    write_notebook(bench.carnets)
    code, said = bench.run("out")
    assert code == 0, "le dossier est libre dès que l'autre est mort"


# --- one territory fails, the others go on ------------------------------------------------------------------------------


def go_on(bench: Bench, monkeypatch: pytest.MonkeyPatch, cell: str, **changes: object) -> dict[str, list[str]]:
    """Codes by territory when Ardelle's notebook runs a bad cell, in this process's own batch."""
    notebook = write_notebook(bench.carnets, f"if 'ardelle' in dossier:\n    {cell}")
    found = campaign.survey(bench.campagne)
    tasks = [
        Task(
            path.name,
            notebook,
            {"dossier": str(path)},
            bench.folder / "out" / path.name / "rapport",
            dossier=path,
            **changes,
        )
        for path in found.campaign.dossiers
    ]
    found.choose(bench.campagne, tasks)
    run = actions._run(bench.campagne, bench.folder / "out", 2, lambda text: None)
    outcomes = campaign.render(run, found)
    assert len(outcomes) == len(NAMES)
    return {outcome.name: [fault.code for fault in outcome.faults] for outcome in outcomes}


@linux
@pytest.mark.parametrize(
    ("cell", "code", "changes"),
    [
        ("__import__('time').sleep(600)", "LOT-008", {"seconds": 8}),
        ("exec('while True: pass')", "LOT-008", {"seconds": 8}),
        ("bytearray(3 * 10**9)", "LOT-009", {"memory_mb": 1500}),
        ("__import__('numpy').ones(10**9)", "LOT-009", {"memory_mb": 1500}),
        ("__import__('os').kill(__import__('os').getpid(), 9)", "LOT-005", {}),
        ("1 / 0", "LOT-002", {}),
    ],
    ids=["dort", "tourne", "mémoire", "tableau", "tué", "erreur"],
)
def test_a_cell_that_goes_wrong_is_one_line_and_the_others_go_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, cell: str, code: str, changes: dict[str, object]
) -> None:
    found = go_on(bench, monkeypatch, cell, **changes)
    assert found == {**{name: [] for name in NAMES}, "ardelle": [code]}
    assert faults(bench.folder / "out") == found


@linux
def test_a_full_disk_is_one_line_per_document(bench: Bench) -> None:
    """Simulated by a limit on the size of files: the page does not fit, the check and the journal do."""
    write_notebook(bench.carnets, "from evalkit.report.html import tag\ntag('p', 'x' * 200_000)")
    process = subprocess.run(
        [
            "bash",
            "-c",
            f"ulimit -f 100; exec {sys.executable} {bench.folder / 'lot.py'} {bench.carnets} lot {bench.campagne} --vers {bench.folder / 'out'}",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert process.returncode == 13, process.stderr
    assert faults(bench.folder / "out") == {name: ["LOT-003"] for name in NAMES}
    assert "Traceback" not in process.stderr + process.stdout
    assert not [name for name in bench.pages("out") if ".tmp" in name], "aucun reste"
    code, said = bench.run("out")
    assert code == 0, said


_WRITE_PAGE = runner.write_page


def quick(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: Callable[[Task], object],
    tell: Callable[[str], object] = lambda text: None,
) -> list[runner.Outcome]:
    """Render in this process, without kernels; ``meanwhile`` happens before each page is written."""
    from concurrent.futures import ThreadPoolExecutor

    def write_page(task: Task, _: object) -> tuple[tuple[str, ...], dict[str, object]]:
        meanwhile(task)
        return original(task, None)

    original = _WRITE_PAGE
    monkeypatch.setattr("evalkit.report.html.render_notebook", lambda nb, titre: f"<html><h1>{titre}</h1></html>")
    monkeypatch.setattr(runner, "execute_notebook", lambda *_: None)
    monkeypatch.setattr(runner, "write_page", write_page)
    monkeypatch.setattr(apart, "local_executor", lambda _: ThreadPoolExecutor(1))
    monkeypatch.setattr(apart, "render_apart", runner.render_tasks)
    return list(actions.render_batch(bench.campagne, bench.folder / "out", 1, tell).outcomes)


def test_a_territory_whose_folder_cannot_be_written_leaves_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bench.folder / "out").mkdir()
    (bench.folder / "out" / "ardelle").write_text("un fichier, là où il faut un dossier", encoding="utf-8")
    outcomes = quick(bench, monkeypatch, lambda task: None)
    assert {o.name: [f.code for f in o.faults] for o in outcomes} == {**{n: [] for n in NAMES}, "ardelle": ["LOT-003"]}


def test_a_read_only_disk_is_told_before_anything_is_rendered(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    rendered: list[Task] = []
    with pytest.raises(EvalkitError, match="disque en lecture seule") as told:
        quick(bench, monkeypatch, rendered.append)
    assert [fault.code for fault in told.value.faults] == ["LOT-003"]
    assert not rendered


def test_a_campaign_where_nothing_can_be_noted_is_rendered_all_the_same(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bench.campagne / ".evalkit").write_text("un fichier, là où il faut un dossier", encoding="utf-8")
    said: list[str] = []
    for _ in range(2):
        outcomes = quick(bench, monkeypatch, lambda task: None, said.append)
        assert [outcome.ok and not outcome.unchanged for outcome in outcomes] == [True] * 2 * len(NAMES)
    assert sum("[LOT-010]" in line for line in said) == 2


def test_an_output_folder_renamed_meanwhile_does_not_come_back(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made stays where the person put it; what follows says so; nothing is written under the old name."""
    out, moved = bench.folder / "out", bench.folder / "ailleurs"

    def meanwhile(task: Task) -> None:
        if task.name == NAMES[1]:
            out.rename(moved)

    with pytest.raises(EvalkitError, match="LOT-003") as told:
        quick(bench, monkeypatch, meanwhile)
    assert "renommé" in str(told.value)
    assert not out.exists()
    assert (moved / NAMES[0] / "rapport.html").is_file()
    assert not list(moved.rglob("*.tmp"))


def test_a_dossier_renamed_meanwhile_is_one_line(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    original = runner.render_task

    def renamed(task: Task, *others: object) -> runner.Outcome:
        if task.name == NAMES[1] and task.dossier and task.dossier.exists():
            task.dossier.rename(bench.folder / "parti")
        return original(task, *others)

    monkeypatch.setattr(runner, "render_task", renamed)

    def execute(task: Task, *_: object) -> None:
        execution._refuse_dossier(task)  # what a notebook's first cell does

    monkeypatch.setattr(runner, "execute_notebook", execute)
    monkeypatch.setattr("evalkit.report.html.render_notebook", lambda nb, titre: f"<html><h1>{titre}</h1></html>")
    from concurrent.futures import ThreadPoolExecutor

    monkeypatch.setattr(apart, "local_executor", lambda _: ThreadPoolExecutor(1))
    monkeypatch.setattr(apart, "render_apart", runner.render_tasks)
    outcomes = actions.render_batch(bench.campagne, bench.folder / "out", 1).outcomes
    codes = {o.name: [f.code for f in o.faults] for o in outcomes}
    assert codes == {**{n: [] for n in NAMES}, NAMES[1]: ["DON-027"]}


@linux
def test_a_lost_renderer_is_one_line_and_the_next_one_works(tmp_path: Path) -> None:
    task = Task("a", tmp_path / "absent.ipynb", {}, tmp_path / "a" / "rapport", title="a")
    try:
        with pytest.raises(runner.RendererLost):
            list(apart._source().stream(os._exit, 3, 60))
        with pytest.raises(runner.TimeIsUp):
            list(apart._source().stream(time.sleep, 600, 0.5))
        assert list(apart._source().stream(str.upper, "ok", 60)) == ["OK"]
        assert next(apart.render_apart([task])).faults
    finally:
        apart.end_renderers()


def test_what_a_lost_process_said_is_never_repeated(tmp_path: Path) -> None:
    task = Task("a", tmp_path / "a.ipynb", {}, tmp_path / "a" / "rapport")
    told = [runner.crashed(task, error).faults[0] for error in (runner.TimeIsUp("R01 : 5"), RuntimeError("R01 : 5"))]
    assert [fault.code for fault in told] == ["LOT-008", "LOT-005"]
    assert all("R01" not in str(fault) for fault in told)


def test_the_state_forgets_only_the_line_being_written(tmp_path: Path) -> None:
    from evalkit.batch.state import State

    state = State(tmp_path)
    state.record("a", {"n": 1})
    state.record("b", {"n": 2})
    follow = tmp_path / ".evalkit" / "lot.suite.jsonl"
    follow.write_bytes(follow.read_bytes()[:-7])
    assert State(tmp_path).entries == {"a": {"n": 1}}
    state.close()
    other = State(tmp_path)
    assert other.entries == {"a": {"n": 1}, "b": {"n": 2}}
    assert not follow.exists()
