"""The documents of one territory share a kernel: each finds it as new, none outlives a failure, none depends on the other."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from evalkit.batch import apart, execution, inputs, parts, published, runner
from evalkit.batch.plan import Task, jobs
from tests.unit.test_kernels import make_task, text

ROOT = Path(__file__).resolve().parents[2]
PID = "import os\nprint(os.getpid())"


def said(notebook: object) -> str:
    return text([output for cell in notebook.cells for output in cell.get("outputs", [])]).strip()  # type: ignore[attr-defined]


def test_two_documents_share_a_kernel_that_the_second_finds_as_new(tmp_path: Path) -> None:
    """No name, the notebook's own folder, cells counted from one; nothing of it is left after."""
    dirty = f"{PID}\nsale = 1\nos.chdir('/')"
    clean = f"{PID}\nprint('sale' in globals(), os.getcwd(), get_ipython().execution_count)"
    (tmp_path / "b").mkdir()
    first, second = make_task(tmp_path, "a", dirty), make_task(tmp_path / "b", "b", clean)
    before = dict(os.environ)
    with execution.Session() as session:
        one = said(session.execute(first))
        two = said(session.execute(second)).split()
        assert two[:3] == [one, "False", str(tmp_path / "b")]
        alone = said(execution.execute_notebook(second)).split()
    assert alone[1:] == two[1:]
    assert alone[0] != one
    assert {n: v for n, v in os.environ.items() if n != "OPENBLAS_NUM_THREADS"} == {
        n: v for n, v in before.items() if n != "OPENBLAS_NUM_THREADS"
    }
    assert not Path(f"/proc/{one}").exists() or os.name != "posix"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [("raise ValueError", "LOT-002"), ("while True: pass", "LOT-008"), ("import os\nos._exit(1)", "LOT-005")],
)
def test_a_kernel_that_failed_is_not_used_again(tmp_path: Path, wrong: str, code: str) -> None:
    bad = make_task(tmp_path, "a", f"open({str(tmp_path / 'pid')!r}, 'w').write(str(__import__('os').getpid()))", wrong)
    bad = Task(bad.name, bad.notebook, bad.parameters, bad.output, seconds=3)
    with execution.Session() as session:
        with pytest.raises(execution.NotebookFailure) as told:
            session.execute(bad)
        assert [fault.code for fault in told.value.faults] == [code]
        assert said(session.execute(make_task(tmp_path, "b", PID))) != (tmp_path / "pid").read_text()


def test_the_tasks_of_a_territory_are_one_job(tmp_path: Path) -> None:
    def one(name: str, kind: str, dossier: Path | None) -> Task:
        return Task(name, tmp_path / "x.ipynb", {}, tmp_path / name / kind, kind=kind, dossier=dossier)

    tasks = [one(n, k, tmp_path / n) for n in "ab" for k in ("rapport", "comite")] + [one("synthese", "synthese", None)]
    assert [[(task.name, task.kind) for task in job] for job in jobs(tasks)] == [
        [("a", "rapport"), ("a", "comite")],
        [("b", "rapport"), ("b", "comite")],
        [("synthese", "synthese")],
    ]
    assert [len(job) for job in jobs(tasks[-1:] * 2)] == [1, 1], "deux synthèses ne partagent rien"


def outcome(task: Task, ok: bool = True) -> runner.Outcome:
    return runner.Outcome(task.name, task.kind, ok)


def test_after_a_failure_what_remains_has_a_new_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was rendered is not rendered again; what was lost after another document is tried once more, alone."""
    asked: list[str] = []

    class Source:
        once = True

        def stream(self, function: object, job: list[Task], seconds: float) -> Iterator[runner.Outcome]:
            asked.append("".join(task.name for task in job))
            for rank, task in enumerate(job):
                if task.name == "c":
                    raise runner.TimeIsUp if rank == 0 else runner.RendererLost
                if task.name == "b" and rank:
                    return  # failed after another: nothing is said of it
                yield outcome(task, ok=task.name != "b")
                if task.name == "b":
                    return

    monkeypatch.setattr(apart, "_source", Source)
    job = [make_task(tmp_path, name, "1") for name in "abcde"]
    found = list(apart.render_apart(job))
    assert asked == ["abcde", "bcde", "cde", "de"]
    assert [one.ok for one in found] == [True, False, False, True, True]
    assert [fault.code for fault in found[2].faults] == ["LOT-008"]
    asked.clear()
    assert [one.ok for one in apart.render_apart([job[0], job[2]])] == [True, False]
    assert asked == ["ac", "c"]


@pytest.mark.parametrize("once", [True, False])
def test_the_end_of_a_process_is_waited_for_only_where_it_serves_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, once: bool
) -> None:
    """While one ends its kernel, the next territory may begin; a connection that serves again must be read to its end."""
    ended: list[str] = []

    def stream(function: object, job: list[Task], seconds: float) -> Iterator[runner.Outcome]:
        yield from map(outcome, job)
        ended.append("lu jusqu'au bout")

    monkeypatch.setattr(apart, "_source", lambda: SimpleNamespace(once=once, stream=stream))
    assert len(list(apart.render_apart([make_task(tmp_path, name, "1") for name in "ab"]))) == 2
    assert ended == ([] if once else ["lu jusqu'au bout"])


def test_rendering_stops_at_the_first_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "render_task", lambda task, **_: outcome(task, ok=task.name != "b"))
    job = [make_task(tmp_path, name, "1") for name in "abc"]
    assert [(one.name, one.ok) for one in runner.render_until_failure(job)] == [("a", True)]
    assert [(one.name, one.ok) for one in runner.render_until_failure(job[1:])] == [("b", False)]


def test_what_was_published_is_kept_once_its_warning_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run lost before that compares again with the document that circulates: the warning is not lost with it."""
    dossier = tmp_path / "2022" / "a"
    (dossier / ".evalkit").mkdir(parents=True)
    path = dossier / ".evalkit" / "publie.json"
    path.write_text(json.dumps({"bases": {"Q1": 30, "Q2": 12}}), encoding="utf-8")
    noted = {str(dossier.resolve()): {"bases": {"Q1": 33}, "minimum": 11}}
    task = replace(make_task(tmp_path, "a", "1"), dossier=dossier)
    for _ in range(2):
        assert [fault.code for fault in published.compare(task, noted)] == ["DON-110"]
    published.keep(task, noted)
    assert json.loads(path.read_text(encoding="utf-8"))["bases"] == {"Q1": 33, "Q2": 12}
    assert published.compare(task, noted) == ()


def test_a_change_of_what_executes_notebooks_makes_every_document_again() -> None:
    """The modules of the batch that a document's bytes depend on are those that run its notebook and write it."""
    batch = Path(execution.__file__).parent
    drawing = {"papermill", "import_papermill", "read_once", "write_page", "own_folders", "FORMATS"}
    needed = {
        path.name
        for path in batch.glob("*.py")
        if any(
            f"def {word}" in (text := path.read_text(encoding="utf-8")) or f"{word}.execute_notebook(" in text
            for word in drawing
        )
    }
    assert needed | {"formats.py", "streams.py"} == set(inputs._DRAWING_IN_BATCH)


def test_a_territory_is_read_once_per_kernel_and_each_time_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never what another kernel, or another request, has read."""
    reads: list[str] = []

    def read(name: str) -> str:
        return str(parts.read_once(name, lambda: reads.append(name) or f"{name} {len(reads)}"))

    monkeypatch.delenv(parts.NOTE, raising=False)
    assert [read("a"), read("a")] == ["a 1", "a 2"]
    monkeypatch.setenv(parts.NOTE, "noyau 1")
    assert [read("a"), read("a"), read("b"), read("a")] == ["a 3", "a 3", "b 4", "a 5"]
    monkeypatch.setenv(parts.NOTE, "noyau 2")
    assert read("a") == "a 6"


def test_a_first_report_does_not_wait_for_a_grammar_of_web_addresses(tmp_path: Path) -> None:
    """jsonschema builds one for a second when it can; no notebook holds a web address to check."""
    task = make_task(tmp_path, "a", "1")
    code = f"""
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from evalkit.batch import execution
from evalkit.batch.plan import Task
execution.execute_notebook(Task("a", Path({str(task.notebook)!r}), {{}}, Path({str(tmp_path)!r})))
print([name for name in ("lark", "rfc3987_syntax") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_document_is_the_same_alone_and_after_the_other(tmp_path: Path) -> None:
    """The committee's pages made in the kernel of the report, and in their own: same bytes, same parts noted."""
    samples, dossier = ROOT / "sample_data" / "2022", tmp_path / "2022" / "ardelle"
    shutil.copytree(samples / "ardelle", dossier)
    for name in ("campagne.yml", "contexte.parquet", "reference_regionale.json"):
        shutil.copy2(samples / name, tmp_path / "2022")

    def task(kind: str, folder: str) -> Task:
        notebook = ROOT / "notebooks" / {"rapport": "rapport_territoire.ipynb", "comite": "comite.ipynb"}[kind]
        (tmp_path / folder).mkdir(exist_ok=True)
        return Task(
            "ardelle",
            notebook,
            {"dossier": str(dossier)},
            tmp_path / folder / kind,
            kind=kind,
            dossier=dossier,
            key=b"k",
        )

    together = list(runner.render_until_failure([task("rapport", "deux"), task("comite", "deux")]))
    alone = [runner.render_task(task(kind, "seul")) for kind in ("comite", "rapport")]
    assert [one.faults for one in (*together, *alone)] == [()] * 4
    for kind in ("rapport", "comite"):
        assert (tmp_path / "deux" / f"{kind}.html").read_bytes() == (tmp_path / "seul" / f"{kind}.html").read_bytes()
    assert together[0].parts == together[1].parts == alone[0].parts == alone[1].parts != {}


def test_nothing_is_left_where_nothing_can_be_forked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the workers: what they and their kernels were writing goes with them."""
    monkeypatch.setenv(apart.WITHOUT_FORK, "1")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    apart.end_renderers()
    (one,) = apart._source().stream(execution.execute_notebook, make_task(tmp_path, "a", PID), 120)
    assert said(one)
    apart.end_renderers()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ipynb"]
