"""The same plan on a Dask cluster of several worker processes: the same bytes, and a lost worker loses nothing."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from test_never_stopped import NAMES, Bench, write_notebook

from evalkit import actions
from evalkit.batch import campaign, runner
from evalkit.batch.plan import Task
from evalkit.errors import EvalkitError

distributed = pytest.importorskip("distributed", reason="complément « dask » absent")


@pytest.fixture(scope="module")
def cluster() -> Iterator[object]:
    """Two worker processes on this machine."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


def render(bench: Bench, vers: str, dask: str = "") -> list[runner.Outcome]:
    found = campaign.survey(bench.campagne)
    notebook = bench.carnets / "rapport_territoire.ipynb"
    tasks = [
        Task(path.name, notebook, {"dossier": str(path)}, bench.folder / vers / path.name / "rapport", dossier=path)
        for path in found.campaign.dossiers
    ]
    found.choose(bench.campagne, tasks)
    return campaign.render(actions._run(bench.campagne, bench.folder / vers, 2, lambda text: None, dask), found)


def test_same_bytes_as_on_this_machine(tmp_path: Path, cluster: object) -> None:
    bench = Bench(tmp_path)
    assert all(outcome.ok for outcome in render(bench, "ici"))
    bench.again()
    assert [outcome.ok for outcome in render(bench, "grappe", cluster.scheduler_address)] == [True] * len(NAMES)
    assert bench.pages("grappe") == bench.pages("ici")
    assert all(outcome.unchanged for outcome in render(bench, "grappe", "tcp://127.0.0.1:1")), (
        "rien à faire : pas de grappe"
    )


def test_a_lost_worker_loses_nothing(tmp_path: Path, cluster: object) -> None:
    bench = Bench(tmp_path)
    write_notebook(bench.carnets, "import time\ntime.sleep(1)")
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        victim = sorted(client.run(os.getpid).values())[0]
    killed: list[int] = []

    def kill() -> None:
        while not list((bench.folder / "out").glob("*/rapport.html")):
            time.sleep(0.05)
        os.kill(victim, signal.SIGKILL)
        killed.append(victim)

    thread = Thread(target=kill, daemon=True)
    thread.start()
    outcomes = render(bench, "out", cluster.scheduler_address)
    thread.join(60)
    assert killed
    assert {outcome.name: outcome.ok for outcome in outcomes} == dict.fromkeys(NAMES, True)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "n'importe quoi"])
def test_a_cluster_that_does_not_answer_is_told(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evalkit.batch.apart._CLUSTER_S", 1)
    with pytest.raises(EvalkitError, match="LOT-012"):
        render(Bench(tmp_path), "out", address)
