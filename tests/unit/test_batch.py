"""Batches: checked before anything runs, one failure leaves the others, files whole or absent, a journal people can read."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import nbformat
import pytest

from evalkit.batch import execution, runner
from evalkit.batch.interruption import Interruption
from evalkit.batch.journal import entry_of, journal_of, summary, write_entries
from evalkit.batch.plan import Task, check_parameters, make_plan, notebook_parameters
from evalkit.errors import EvalkitError, Fault, Place

PARAMETERS = """# commentaire
dossier: str = "../sample_data/2022/ardelle"  # dossier du territoire
nominatif: bool = False  # nommer les territoires
"""


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """A notebook with one parameters cell."""
    cell = nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    other = nbformat.v4.new_code_cell("autre = 1")
    path = tmp_path / "carnet.ipynb"
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell, other], metadata=kernel), path)
    return path


def task(notebook: Path, name: str, **parameters: object) -> Task:
    return Task(name, notebook, parameters or {"dossier": name}, notebook.parent / name / "rapport", title=name)


def test_parameters_are_read_from_the_tagged_cell_only(notebook: Path) -> None:
    assert notebook_parameters(notebook) == {"dossier": "str", "nominatif": "bool"}


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"dosier": "x"}, "vouliez-vous dire « dossier »"),
        ({"nominatif": "oui"}, "True ou False"),
        ({"dossier": 3}, "un texte"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_runs(
    notebook: Path, parameters: dict[str, object], words: str
) -> None:
    """papermill would only warn: the report would then be drawn with the default value."""
    with pytest.raises(EvalkitError) as refused:
        make_plan([task(notebook, "a"), task(notebook, "b", **parameters)])
    assert [fault.code for fault in refused.value.faults] == ["LOT-001"]
    assert words in str(refused.value)


def test_right_parameters_pass(notebook: Path) -> None:
    assert check_parameters(notebook, {"dossier": "x", "nominatif": True}) == []


def test_two_documents_at_one_place_are_refused(notebook: Path) -> None:
    """Also when the names differ by case only: on Windows they are one file."""
    with pytest.raises(EvalkitError, match="LOT-004"):
        make_plan([task(notebook, "Lens"), task(notebook, "lens")])


def test_one_failure_leaves_the_others(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fake(one: Task, *_: object) -> object:
        if one.name == "b":
            raise execution.NotebookFailure([Fault("LOT-002", Place(note="territoire « b »"), "x", "y", "z")], 4)
        return one.name

    monkeypatch.setattr(runner, "execute_notebook", fake)
    monkeypatch.setattr(runner, "write_page", lambda one, _: ((f"{one.name}.html",), {"anomalies": []}))
    with ThreadPoolExecutor(2) as executor:
        outcomes = runner.run_plan(make_plan(task(notebook, name) for name in "cba"), executor)
    assert [(o.name, o.ok) for o in outcomes] == [("c", True), ("b", False), ("a", True)], "l'ordre est celui du plan"
    assert outcomes[1].cell == 4


class _Whole(Executor):
    """An executor that is not made of threads of this process: a territory ends whole."""

    def submit(self, fn, /, *args, **kwargs):
        future: Future = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def test_ctrl_c_tells_the_territories_that_were_whole_elsewhere(notebook: Path) -> None:
    """On a cluster too: what is finished is kept."""
    seen: list[str] = []

    def note(outcome: runner.Outcome, *_: int) -> None:
        seen.append(outcome.name)
        if len(seen) == 1:
            signal.raise_signal(signal.SIGINT)

    def render(job: Sequence[Task]) -> list[runner.Outcome]:
        return [runner.Outcome(one.name, one.kind, True) for one in job]

    plan = make_plan(task(notebook, name) for name in "abc")
    with pytest.raises(KeyboardInterrupt), Interruption() as interruption:
        runner.run_plan(plan, _Whole(), note, render, interruption)
    assert seen == ["a", "b", "c"]


class _Cancelling(Executor):
    """A cluster that lost its scheduler."""

    def submit(self, fn, /, *args, **kwargs):
        future: Future = Future()
        future.cancel()
        future.set_running_or_notify_cancel()
        return future


def test_a_cancelled_territory_is_one_line_of_the_journal(notebook: Path) -> None:
    outcomes = runner.run_plan(make_plan([task(notebook, "a")]), _Cancelling())
    assert [fault.code for fault in outcomes[0].faults] == ["LOT-005"]


def test_an_outcome_carries_no_class_of_nbformat() -> None:
    """Whoever receives it would import nbformat whole: a second, twenty megabytes."""
    node = nbformat.from_dict({"/d": {"bases": [{"n": 12}]}})
    plain = runner._plain(node)
    assert plain == {"/d": {"bases": [{"n": 12}]}}
    assert {type(plain), type(plain["/d"]), type(plain["/d"]["bases"][0])} == {dict}


class _Crashing(Executor):
    """An executor whose process dies: the future carries an exception that is not ours."""

    def submit(self, fn, /, *args, **kwargs):
        future: Future = Future()
        future.set_exception(RuntimeError("mort"))
        return future


def test_a_dead_process_is_one_line_of_the_journal(notebook: Path) -> None:
    outcomes = runner.run_plan(make_plan([task(notebook, "a")]), _Crashing())
    assert [fault.code for fault in outcomes[0].faults] == ["LOT-005"]
    assert "mort" not in str(outcomes[0].faults[0]), "un message de cellule peut contenir des données"


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "rapport.html"
    runner.write_whole(target, b"ancien")
    monkeypatch.setattr(runner.os, "replace", _disk_full)
    with pytest.raises(OSError, match="disque plein"):
        runner.write_whole(target, b"nouveau")
    assert target.read_bytes() == b"ancien"
    assert [path.name for path in tmp_path.iterdir()] == ["rapport.html"], "aucun reste"


def _disk_full(*_: object) -> None:
    raise OSError(28, "disque plein")


def test_an_unwritable_output_is_told_in_french(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "execute_notebook", lambda *_: None)
    monkeypatch.setattr(runner, "write_page", _disk_full)
    outcome = runner.render_task(task(notebook, "a"))
    assert [fault.code for fault in outcome.faults] == ["LOT-003"]


def test_the_journal_says_what_happened(tmp_path: Path) -> None:
    fault = Fault("LOT-002", Place(file="rapport.ipynb", note="cellule 4"), "x", "y", "z")
    outcomes = [
        runner.Outcome("a", "rapport", True, ("rapport.html",), title="Ardelle"),
        runner.Outcome("b", "rapport", False, faults=(fault,), cell=4, title="Brème"),
    ]
    content = journal_of("2022", [entry_of(outcome) for outcome in outcomes])
    write_entries(tmp_path / "journal.json", content)
    journal = json.loads((tmp_path / "journal.json").read_text(encoding="utf-8"))
    assert journal == content
    assert (journal["reussis"], journal["echecs"]) == (1, 1)
    text = summary(outcomes)
    assert text.startswith("1 document produit.")
    assert "1 document n'a pas pu être produit" in text
    assert "Brème" in text
    assert "[LOT-002]" in text


def test_a_kernel_that_does_not_start_is_tried_again_then_told(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def dead(*_: object) -> object:
        tries.append(1)
        raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr(execution.Session, "_execute_once", dead)
    outcome = runner.render_task(task(notebook, "a"))
    assert len(tries) == execution.KERNEL_ATTEMPTS
    assert [fault.code for fault in outcome.faults] == ["LOT-005"]
    assert "JUPYTER_RUNTIME_DIR" not in os.environ, "rien ne reste d'un noyau dans le processus"


@pytest.mark.skipif(sys.platform != "linux", reason="ailleurs, les noyaux se parlent par ports")
def test_two_kernels_started_at_once_do_not_meet(notebook: Path) -> None:
    """Each kernel has its own sockets: none in the notebooks' folder, where two kernels would take each other's."""
    code = nbformat.v4.new_code_cell("from ipykernel.kernelapp import IPKernelApp\nIPKernelApp.instance().ip")
    content = nbformat.read(notebook, 4)
    content.cells.append(code)
    nbformat.write(content, notebook)
    with ThreadPoolExecutor(1) as executor:
        done = [executor.submit(runner.execute_notebook, task(notebook, name)).result() for name in "ab"]
    addresses = [nb.cells[-1].outputs[0]["data"]["text/plain"] for nb in done]
    assert len(set(addresses)) == 2
    assert sorted(path.name for path in notebook.parent.iterdir()) == ["carnet.ipynb"]


def test_ctrl_c_in_the_middle_of_anything_is_obeyed_at_the_next_wait(notebook: Path) -> None:
    """Some libraries, while they are imported, take a KeyboardInterrupt for an error of their own: it must not be lost."""
    seen: list[str] = []
    plan = make_plan(task(notebook, name) for name in "abc")
    go_on = Event()

    def taken_for_an_error(outcome: runner.Outcome, *_: int) -> None:
        seen.append(outcome.name)
        for _ in range(2):  # the second is raised at once
            try:
                signal.raise_signal(signal.SIGINT)
            except BaseException:
                seen.append("avalé")

    def render(job: Sequence[Task]) -> list[runner.Outcome]:
        if job[0].name != "a":
            go_on.wait(10)
        return [runner.Outcome(one.name, one.kind, True) for one in job]

    before = signal.getsignal(signal.SIGINT)
    with ThreadPoolExecutor(1) as executor:
        with pytest.raises(KeyboardInterrupt), Interruption() as interruption:
            runner.run_plan(plan, executor, taken_for_an_error, render, interruption)
        go_on.set()
    assert seen == ["a", "avalé"]
    assert signal.getsignal(signal.SIGINT) is before


def test_each_document_is_told_as_soon_as_it_is_whole(notebook: Path) -> None:
    """Not with the last of its territory; and Ctrl-C says what was finished before it stops."""
    plan = make_plan([replace(task(notebook, name), dossier=notebook.parent) for name in "abc"])
    seen: list[str] = []
    told, finished = Event(), Event()

    def render(job: Sequence[Task]) -> Iterator[runner.Outcome]:
        yield runner.Outcome("a", "rapport", True)
        assert told.wait(10), "dit pendant que son territoire n'est pas fini"
        yield runner.Outcome("b", "rapport", True)
        finished.set()
        time.sleep(0.1)
        yield runner.Outcome("c", "rapport", True)

    def note(outcome: runner.Outcome, *_: int) -> None:
        seen.append(outcome.name)
        told.set()
        if outcome.name == "a":
            assert finished.wait(10)  # the second is whole when Ctrl-C comes
            signal.raise_signal(signal.SIGINT)

    with ThreadPoolExecutor(1) as executor, pytest.raises(KeyboardInterrupt), Interruption() as interruption:
        runner.run_plan(plan, executor, note, render, interruption)
    assert seen[:2] == ["a", "b"]


def test_ctrl_c_ends_a_wait_or_is_obeyed_at_the_end() -> None:
    with pytest.raises(KeyboardInterrupt), Interruption() as interruption, interruption.waiting():
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), Interruption():
        signal.raise_signal(signal.SIGINT)  # nothing yet: it is obeyed at the end


def test_a_second_ctrl_c_is_not_kept_waiting_and_a_third_changes_nothing() -> None:
    reached: list[str] = []

    def thrice() -> None:
        with Interruption():
            signal.raise_signal(signal.SIGINT)  # noted, until the next wait
            reached.append("premier")
            try:
                signal.raise_signal(signal.SIGINT)
                reached.append("second")
            finally:
                signal.raise_signal(signal.SIGINT)  # what ends is not ended half-way
                reached.append("fin")

    with pytest.raises(KeyboardInterrupt):
        thrice()
    assert reached == ["premier", "fin"]


def test_while_a_batch_stops_another_ctrl_c_changes_nothing() -> None:
    reached: list[str] = []

    def twice() -> None:
        with Interruption() as interruption:
            try:
                with interruption.waiting():
                    signal.raise_signal(signal.SIGINT)
            finally:
                signal.raise_signal(signal.SIGINT)
                reached.append("fin")

    with pytest.raises(KeyboardInterrupt):
        twice()
    assert reached == ["fin"]


def test_every_document_that_is_missing_is_counted_and_its_reason_said_once() -> None:
    """A report and the committee's pages fail for the same dossier: two documents, one message."""
    fault = Fault("LOT-002", Place(file="rapport.ipynb", note="cellule 4"), "x", "y", "z")
    lost = [runner.Outcome("b", kind, False, faults=(fault,), title="Brème") for kind in ("rapport", "comite")]
    text = summary([runner.Outcome("a", "rapport", True, ("rapport.html",), title="Ardelle"), *lost])
    assert "2 documents n'ont pas pu être produits" in text
    assert text.count("[LOT-002]") == 1


SAMPLE = Path(__file__).resolve().parents[2] / "sample_data" / "2022" / "cambreulle"


def _named(tmp_path: Path, *cells: str) -> tuple[runner.Outcome, Path]:
    """What becomes of a document without a given title, whose notebook runs these cells on a sample."""
    parameters = nbformat.v4.new_code_cell('dossier: str = ""', metadata={"tags": ["parameters"]})
    content = nbformat.v4.new_notebook(cells=[parameters, *(nbformat.v4.new_code_cell(cell) for cell in cells)])
    content.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(content, tmp_path / "court.ipynb")
    output = tmp_path / "cambreulle" / "rapport"
    asked = Task("cambreulle", tmp_path / "court.ipynb", {"dossier": str(SAMPLE)}, output, dossier=SAMPLE)
    return runner.render_task(asked), output.with_suffix(".html")


def test_a_page_bears_the_name_that_its_notebook_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name comes from the reading that the figures come from: the dossier is not read a second time for it."""
    monkeypatch.setattr(runner, "title_of", lambda dossier: "relu")
    read = "import evalkit\npublication = evalkit.load_publication(dossier)"
    outcome, page = _named(tmp_path, read, "evalkit.show_title(publication)", "evalkit.show_stamp(publication)")
    assert (outcome.ok, outcome.title) == (True, "Contrat de ville de Cambreulle")
    assert "<title>Contrat de ville de Cambreulle</title>" in page.read_text(encoding="utf-8")


def test_a_notebook_that_fails_is_told_with_the_name_of_its_territory(tmp_path: Path) -> None:
    outcome, page = _named(tmp_path, "1 / 0")
    assert (outcome.ok, outcome.title) == (False, "Contrat de ville de Cambreulle")
    assert not page.exists()
