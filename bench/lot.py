"""How long ``evalkit lot`` takes, as a ratio to the loop a person would write (papermill, then nbconvert, per territory).

    python bench/lot.py --territoires 8 --repetitions 1

Both run in the same call, one after the other on the same territories and the same notebook: quote the ratios, never a number
of seconds alone.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "notebooks" / "rapport_territoire.ipynb"
ENV = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}


def naive(dossiers: list[Path], folder: Path) -> None:
    """The two commands of the papermill and nbconvert tutorials, per territory."""
    bin_dir = Path(sys.executable).parent
    for dossier in dossiers:
        executed = folder / f"{dossier.name}.ipynb"
        run(
            [
                bin_dir / "papermill",
                "--no-progress-bar",
                "--cwd",
                NOTEBOOK.parent,
                NOTEBOOK,
                executed,
                "-p",
                "dossier",
                dossier,
            ]
        )
        run([bin_dir / "jupyter", "nbconvert", "--log-level", "ERROR", "--to", "html", "--no-input", executed])


def ours(dossiers: list[Path], folder: Path) -> None:
    """``evalkit lot`` on the same territories."""
    only = [part for dossier in dossiers for part in ("--seulement", dossier.name)]
    run([sys.executable, "-m", "evalkit", "lot", dossiers[0].parent, "--vers", folder, *only])


def run(command: list[object]) -> None:
    """Run a command; what it says is shown when it fails."""
    done = subprocess.run([str(part) for part in command], env=ENV, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"échec : {' '.join(str(part) for part in command)}\n{done.stdout}\n{done.stderr}")


def measure(function: Callable[[list[Path], Path], None], dossiers: list[Path]) -> dict[str, float]:
    """Wall and processor seconds, and the largest process so far in MB; every territory must have its page."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        function(dossiers, Path(folder))
        pages = [page for page in Path(folder).rglob("*.html") if page.name != "index.html"]
        assert len(pages) == len(dossiers), f"{len(pages)} pages pour {len(dossiers)} territoires"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"mur_s": time.perf_counter() - start, "cpu_s": cpu, "plus_gros_processus_mo": after.ru_maxrss / 1024}


def main() -> None:
    """Print the measures and their ratio as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--territoires", type=int, default=8)
    parser.add_argument("--repetitions", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    campagne = ROOT / "sample_data" / "2022"
    dossiers = sorted(path.parent for path in campagne.glob("*/.evalkit"))[: options.territoires]
    dossiers = [dossier for dossier in dossiers if dossier != campagne]
    rounds: dict[str, list[dict[str, float]]] = {"boucle": [], "evalkit": []}
    for _ in range(options.repetitions):
        rounds["evalkit"].append(measure(ours, dossiers))
        rounds["boucle"].append(measure(naive, dossiers))
    result = {name: {key: median(one[key] for one in runs) for key in runs[0]} for name, runs in rounds.items()}
    ratio = median(b["mur_s"] / o["mur_s"] for b, o in zip(rounds["boucle"], rounds["evalkit"], strict=True))
    report = {"territoires": len(dossiers), "repetitions": options.repetitions, **result, "boucle_sur_evalkit": ratio}
    text = json.dumps(report, ensure_ascii=False, indent=2)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
