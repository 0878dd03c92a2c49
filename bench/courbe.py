"""Does ``evalkit lot`` cost the same per territory for 40 as for 1,600? One run of each size, watched from outside.

    python bench/courbe.py --tailles 40 400 1600 --json courbe.json
    python bench/courbe.py --tailles 400 --dask

For each size: seconds per territory of the clock and of the processor, the same for the first and the last quarter of the
territories (the start, which happens once, is told apart), memory (sum of PSS over the process tree, Linux) in each quarter, and
an unchanged run of the whole command. ``paliers``: clock and memory of the first 40 and 400 territories of a longer run. ``--dask``: the same plan on a local cluster of two worker processes. The territories are
the samples, copied under other names when they are not enough. Everything is written in a temporary folder, removed after
(about 1 MB per territory).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from lot import PROCESSES, descendants, dossiers_of, make_campaign, processor, run
from lot import pss as memory_of

EVERY_S = 1.0
STEPS = (40, 400)


@dataclass(frozen=True)
class Sample:
    """What was seen at one moment."""

    seconds: float
    done: int
    memory_mb: float


class Watch(threading.Thread):
    """Counts finished pages and memory, once a second; tells the progress every other minute."""

    def __init__(self, folder: Path, number: int) -> None:
        super().__init__(daemon=True)
        self.samples: list[Sample] = []
        self._folder, self._number = folder, number
        self._stop_asked = threading.Event()

    def run(self) -> None:
        start = told = time.perf_counter()
        while not self._stop_asked.wait(EVERY_S):
            now = time.perf_counter()
            memory = sum(memory_of(pid) for pid in descendants(os.getpid()))
            self.samples.append(Sample(now - start, self._done(), memory))
            if now - told > 120:
                told = now
                say(f"  {self.samples[-1].done} sur {self._number} après {now - start:.0f} s, {memory:.0f} Mo")

    def _done(self) -> int:
        try:
            return sum(
                os.path.exists(os.path.join(entry.path, "rapport.html"))
                for entry in os.scandir(self._folder)
                if entry.is_dir()
            )
        except FileNotFoundError:
            return 0

    def stop(self) -> None:
        self._stop_asked.set()
        self.join()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def quarters(samples: list[Sample], number: int) -> dict[str, Any]:
    """Clock per territory and memory of each quarter; the time before the first page is the start."""
    first = next((one for one in samples if one.done), samples[-1])
    limits = [first.done + (number - first.done) * part / 4 for part in range(5)]
    reached = [next((one for one in samples if one.done >= limit), samples[-1]) for limit in limits]
    spans = list(pairwise(reached))
    pace = [(b.seconds - a.seconds) / max(1, b.done - a.done) for a, b in spans]
    kept = [[one.memory_mb for one in samples if a.seconds <= one.seconds <= b.seconds] or [0.0] for a, b in spans]
    return {
        "avant_la_premiere_page_s": round(first.seconds, 1),
        "mur_par_territoire_par_quart_s": [round(one, 3) for one in pace],
        "dernier_quart_sur_premier": round(pace[-1] / pace[0], 2) if pace[0] else None,
        "memoire_mediane_par_quart_mo": [round(median(one)) for one in kept],
        "memoire_max_par_quart_mo": [round(max(one)) for one in kept],
        "memoire_max_mo": round(max(one.memory_mb for one in samples)),
        "paliers": {str(size): _step(samples, size) for size in STEPS if size < number},
    }


def _step(samples: list[Sample], size: int) -> dict[str, float]:
    """The beginning of a longer run, up to so many territories: the start counted."""
    seen = [one for one in samples if one.done <= size]
    return {
        "mur_par_territoire_s": round(seen[-1].seconds / max(1, seen[-1].done), 3),
        "memoire_mediane_mo": round(median(one.memory_mb for one in seen)),
        "memoire_max_mo": round(max(one.memory_mb for one in seen)),
    }


@contextmanager
def cluster(wanted: bool) -> Iterator[list[object]]:
    """Options of the command: the address of a local cluster of two worker processes, where it is wanted."""
    if not wanted:
        yield ["--processus", PROCESSES]
        return
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=PROCESSES, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as made:
        yield ["--dask", made.scheduler_address]


def measure(number: int, dask: bool) -> dict[str, Any]:
    """One size, in a temporary folder of its own."""
    with tempfile.TemporaryDirectory(prefix="evalkit-courbe-") as name, cluster(dask) as options:
        campagne, folder = make_campaign(Path(name), number), Path(name) / "sorties"
        expected = len(dossiers_of(campagne))
        command = [sys.executable, "-m", "evalkit", "lot", campagne, "--vers", folder, *options]
        watch = Watch(folder, expected)
        watch.start()
        start, before = time.perf_counter(), processor()
        run(command)
        seconds, cpu = time.perf_counter() - start, processor() - before
        watch.stop()
        pages = list(folder.glob("*/rapport.html"))
        assert len(pages) == expected, f"{len(pages)} pages pour {expected} territoires"
        weight = sum(page.stat().st_size for page in pages) / 2**20
        again = []
        for _ in range(3):
            start = time.perf_counter()
            run(command)
            again.append(time.perf_counter() - start)
        shutil.rmtree(folder)
        return {
            "territoires": expected,
            "dask": dask,
            "mur_s": round(seconds, 1),
            "mur_par_territoire_s": round(seconds / expected, 3),
            # A worker of a cluster is not a child of the command: its processor time is not counted here.
            "processeur_par_territoire_s": None if dask else round(cpu / expected, 3),
            "page_mo": round(weight / expected, 2),
            "inchange_s": round(median(again), 3),
            **quarters(watch.samples, expected),
        }


def main() -> None:
    """Measure each size and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tailles", type=int, nargs="+", default=[40, 400, 1600])
    parser.add_argument("--dask", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    measured = []
    for number in options.tailles:
        say(f"{number} territoires{' sur une grappe Dask' if options.dask else ''}…")
        measured.append(measure(number, options.dask))
        say(f"  {json.dumps(measured[-1], ensure_ascii=False)}")
        if options.json:  # at once: a long measure that is interrupted leaves the sizes that it finished
            report = {"charge_de_la_machine": round(os.getloadavg()[0], 2), "tailles": measured}
            options.json.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(measured, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
