"""How long ``evalkit lot`` takes, as ratios to what a person would write, in one run, on the real notebooks and the sample territories.

    python bench/lot.py --territoires 8 --tours 2
    python bench/lot.py --territoires 40 --tours 3 --json lot.json
    python bench/lot.py --territoires 400 --seulement evalkit nue

Four ways, one after the other in each round, all making both documents of the same territories (the report and the two pages
of the steering committee), with the same charts:

- ``boucle``: the two commands of the tutorials, per territory (``papermill`` then ``jupyter nbconvert``);
- ``papermill``: ``papermill.execute_notebook`` and one ``HTMLExporter`` in two processes;
- ``nue``: a plain function that makes the very pages of evalkit, in two processes (no kernel, no isolation: the floor);
- ``evalkit``: ``evalkit lot``, two processes.

Quote the ratios, never a number of seconds alone; on a busy machine, the processor's, not the clock's. Memory is the sum of PSS over the process tree (Linux), sampled.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from fonction_nue import NOTEBOOKS

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "sample_data" / "2022"
ENV = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent)}
# A person's Python keeps its compiled modules: nobody compiles evalkit at each start.
ENV.pop("PYTHONDONTWRITEBYTECODE", None)
PROCESSES = 2


def make_campaign(folder: Path, number: int) -> Path:
    """A campaign of ``number`` territories: the samples, copied under other names when they are not enough."""
    campagne = folder / "2022"
    shutil.copytree(SAMPLES.parent / "2019", folder / "2019")
    campagne.mkdir()
    for name in ("campagne.yml", "contexte.parquet", "reference_regionale.json"):
        shutil.copy2(SAMPLES / name, campagne / name)
    samples = [path.parent.parent for path in sorted(SAMPLES.glob("*/.evalkit/cle"))]
    for rank in range(number):
        source = samples[rank % len(samples)]
        turn = rank // len(samples)
        shutil.copytree(source, campagne / (f"{source.name}-{turn:03d}" if turn else source.name))
    return campagne


def dossiers_of(campagne: Path) -> list[Path]:
    return sorted(path.parent.parent for path in campagne.glob("*/.evalkit/cle"))


def naive(campagne: Path, folder: Path) -> None:
    """The two commands of the papermill and nbconvert tutorials, per territory."""
    tools = Path(sys.executable).parent
    for dossier in dossiers_of(campagne):
        for kind, notebook in NOTEBOOKS.items():
            executed = folder / f"{dossier.name}-{kind}.ipynb"
            cwd = ["--no-progress-bar", "--cwd", notebook.parent]
            run([tools / "papermill", *cwd, notebook, executed, "-p", "dossier", dossier])
            run([tools / "jupyter", "nbconvert", "--log-level", "ERROR", "--to", "html", "--no-input", executed])


def papermill_twice(campagne: Path, folder: Path) -> None:
    """papermill and one exporter per process, two processes: what someone in a hurry would write."""
    run([sys.executable, Path(__file__).with_name("concurrents.py"), "papermill", campagne, folder])


def bare(campagne: Path, folder: Path) -> None:
    """The plain function, two processes."""
    run([sys.executable, Path(__file__).with_name("concurrents.py"), "nue", campagne, folder])


def ours(campagne: Path, folder: Path) -> None:
    """``evalkit lot``; nothing is known of a run before."""
    shutil.rmtree(campagne / ".evalkit", ignore_errors=True)
    run([sys.executable, "-m", "evalkit", "lot", campagne, "--vers", folder, "--processus", PROCESSES])


WAYS: dict[str, Callable[[Path, Path], None]] = {
    "boucle": naive,
    "papermill": papermill_twice,
    "nue": bare,
    "evalkit": ours,
}


def run(command: list[object]) -> None:
    """Run a command; what it says is shown when it fails."""
    done = subprocess.run([str(part) for part in command], env=ENV, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"échec : {' '.join(str(part) for part in command)}\n{done.stdout}\n{done.stderr}")


class Memory(threading.Thread):
    """Samples the sum of PSS over the children of this process, twice a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.samples: list[float] = []
        self._stop_asked = threading.Event()

    def run(self) -> None:
        while not self._stop_asked.wait(0.5):
            self.samples.append(sum(pss(pid) for pid in descendants(os.getpid())))

    def stop(self) -> dict[str, float]:
        """Highest in each half: a flat run has the same twice."""
        self._stop_asked.set()
        self.join()
        half = len(self.samples) // 2
        parts = self.samples[:half] or [0.0], self.samples[half:] or [0.0]
        return {"memoire_max_mo": max(map(max, parts)), "debut_mo": max(parts[0]), "fin_mo": max(parts[1])}


def descendants(root: int) -> list[int]:
    """Processes below one, itself left out (Linux)."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    found, todo = [], [root]
    while todo:
        children = [pid for pid, parent in parents.items() if parent == todo[0]]
        found += children
        todo = todo[1:] + children
    return found


def pss(pid: int) -> float:
    """Megabytes of one process, what it shares counted by halves; 0 when it is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024
    except (OSError, StopIteration):
        return 0.0


def measure(way: Callable[[Path, Path], None], campagne: Path) -> dict[str, float]:
    """Wall seconds and memory of one way; every territory must have its page, and its figures."""
    expected = len(dossiers_of(campagne))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        memory = Memory()
        memory.start()
        start, before = time.perf_counter(), processor()
        way(campagne, folder)
        seconds, cpu = time.perf_counter() - start, processor() - before
        told = memory.stop()
        pages = [page for page in folder.rglob("*.html") if page.name != "index.html"]
        assert len(pages) == expected * len(NOTEBOOKS), f"{len(pages)} pages pour {expected} territoires"
        figures = {page: page.read_text(encoding="utf-8").count('src="data:image/png') for page in pages}
        reports = [n for page, n in figures.items() if "comite" not in page.name]
        assert min(reports) > 0, "un rapport a perdu ses figures"
        if way is ours:
            told |= unchanged(campagne, folder)
    each = {"mur_par_territoire_s": seconds / expected, "processeur_par_territoire_s": cpu / expected}
    return {"mur_s": seconds, "processeur_s": cpu, "figures": sum(figures.values()), **each, **told}


def processor() -> float:
    """Seconds of processor of every process that this one started and that ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def unchanged(campagne: Path, folder: Path) -> dict[str, float]:
    """The same run again: nothing to render."""
    start = time.perf_counter()
    run([sys.executable, "-m", "evalkit", "lot", campagne, "--vers", folder, "--processus", PROCESSES])
    return {"inchange_s": time.perf_counter() - start}


def where_time_goes() -> dict[str, float]:
    """Milliseconds of one report by part, in a warm process (median of three territories)."""
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("concurrents.py"), "parties", str(SAMPLES)],
        env=ENV,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def compare(rounds: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    """Medians by way, and the ratios of each round to evalkit, medians too."""
    result: dict[str, Any] = {
        name: {key: round(median(one[key] for one in runs), 3) for key in runs[0]} for name, runs in rounds.items()
    }
    if "evalkit" in rounds:
        for name in rounds:
            pairs = list(zip(rounds[name], rounds["evalkit"], strict=True))
            result[name]["fois_evalkit"] = round(median(a["mur_s"] / b["mur_s"] for a, b in pairs), 2)
            result[name]["fois_evalkit_processeur"] = round(
                median(a["processeur_s"] / b["processeur_s"] for a, b in pairs), 2
            )
    return result


def main() -> None:
    """Print the measures and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--territoires", type=int, default=8)
    parser.add_argument("--tours", type=int, default=1)
    parser.add_argument("--seulement", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    load = round(os.getloadavg()[0], 2)
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in options.seulement}
    with tempfile.TemporaryDirectory() as folder:
        campagne = make_campaign(Path(folder), options.territoires)
        for turn in range(options.tours):
            order = options.seulement if turn % 2 == 0 else options.seulement[::-1]
            for name in order:
                rounds[name].append(measure(WAYS[name], campagne))
                print(
                    f"tour {turn + 1}, {name} : {rounds[name][-1]['mur_s']:.1f} s, processeur {rounds[name][-1]['processeur_s']:.1f} s",
                    file=sys.stderr,
                    flush=True,
                )
    drawn = {one["figures"] for runs in rounds.values() for one in runs}
    assert len(drawn) == 1, f"toutes les façons doivent dessiner les mêmes figures : {drawn}"
    report = {
        "territoires": options.territoires,
        "tours": options.tours,
        "charge_de_la_machine": {"avant": load, "apres": round(os.getloadavg()[0], 2)},
        **compare(rounds),
        "ou_va_le_temps_ms": where_time_goes(),
    }
    text = json.dumps(report, ensure_ascii=False, indent=2)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
