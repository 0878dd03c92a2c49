"""100 000 answers to one questionnaire: imported, analysed, rendered. Prints ratios to a bare read of the same file.

    python bench/enquete.py [--reponses 100000]

Answers are invented. Times are of this machine; what matters is their ratio to ``csv.reader`` alone on the same file, in the same run.
Each step, the making of the file too, runs in a process of its own: the memory printed is what that step alone takes.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

CODE = "ENQ-LOG"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--reponses", type=int, default=100_000)
    n = parser.parse_args().reponses
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measured(make_dossier, folder, n)
        print(f"{n} réponses, {(folder / 'export.csv').stat().st_size / 1e6:.0f} Mo")
        bare = 0.0
        for step in STEPS:
            spent, processor, peak, kernel = measured(step, folder, n)
            bare = bare or spent
            line = f"{STEPS[step]:28} {spent:7.1f} s   × {spent / bare:6.1f}   processeur {processor:6.1f} s"
            print(f"{line}   mémoire au plus {peak:5.0f} Mo" + (f", noyau {kernel:.0f} Mo" if kernel else ""))


def measured(step: Callable[[Path, int], object], folder: Path, n: int) -> tuple[float, float, float, float]:
    """Run one step in a new process: its time, its processor time, its own peak memory, that of its own children (MB)."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(step, folder, n, theirs))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        raise SystemExit(f"l’étape « {STEPS.get(step, step.__name__)} » a échoué") from None
    finally:
        process.join()


def _run(step: Callable[[Path, int], object], folder: Path, n: int, answer) -> None:
    start, before = time.perf_counter(), time.process_time()
    step(folder, n)
    spent, processor = time.perf_counter() - start, time.process_time() - before
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor += children.ru_utime + children.ru_stime
    answer.send((spent, processor, _peak(), children.ru_maxrss / 1024))


def _peak() -> float:
    """Peak memory of this process. Linux counts in ``ru_maxrss`` what the parent held when it started this one: not here."""
    status = Path("/proc/self/status")
    if status.is_file():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# --- steps ------------------------------------------------------------------------------------------------------------


def make_dossier(folder: Path, n: int) -> None:
    """A territory without answers, and the export."""
    from evalkit.loaders.dossier import territory_of
    from evalkit.loaders.referentiel import load_referentiel
    from evalkit.loaders.resources import resource_dir
    from outils_dev.exemples import exports
    from tests.attaque.reponses_inventees import invented_answers

    referentiel = load_referentiel()
    survey = next(survey for survey in referentiel.enquetes if survey.code == CODE)
    samples, campagne = resource_dir("sample_data") / "2022", folder / "2022"
    shutil.copytree(samples / "ardelle", campagne / "ardelle")
    for name in ("campagne.yml", "contexte.parquet", "reference_regionale.json"):
        shutil.copy(samples / name, campagne / name)
    shutil.rmtree(_dossier(folder) / "enquetes", ignore_errors=True)
    territory = territory_of(_dossier(folder), referentiel)
    rows = exports.kobo(survey, invented_answers(survey, {"ensemble": n}, 1), territory)
    exports.write_csv(folder / "export.csv", rows)


def _dossier(folder: Path) -> Path:
    return folder / "2022" / "ardelle"


def read_bare(folder: Path, n: int) -> None:
    with (folder / "export.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.reader(file, delimiter=";"))) > n


def run_import(folder: Path, n: int) -> None:
    from evalkit import actions

    result = actions.import_surveys([folder / "export.csv"], _dossier(folder))
    assert result.written, result.report()


def load(folder: Path, n: int):
    from evalkit.loaders.dossier import load_dossier
    from evalkit.loaders.referentiel import load_referentiel

    referentiel = load_referentiel()
    return referentiel, load_dossier(_dossier(folder), referentiel)


def compute(folder: Path, n: int) -> None:
    from evalkit.compute.disclosure import protect
    from evalkit.compute.evaluation import evaluate

    referentiel, dossier = load(folder, n)
    protect(evaluate(referentiel, dossier), referentiel.regles)


def render(folder: Path, n: int) -> None:
    from evalkit import actions

    result = actions.render_report(_dossier(folder), folder / "sorties", formats=("html",))
    assert result.ok, result.outcomes


STEPS = {
    read_bare: "lecture nue (csv.reader)",
    run_import: "import",
    load: "lecture du dossier",
    compute: "calcul et secret",
    render: "rapport",
}

if __name__ == "__main__":
    main()
