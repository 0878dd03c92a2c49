"""100 000 answers to one questionnaire: imported, analysed, rendered. Prints ratios to a bare read of the same file.

    python bench/enquete.py [--reponses 100000]

Answers are invented. Times are of this machine; what matters is their ratio to ``csv.reader`` alone on the same file, in the same run.
"""

from __future__ import annotations

import argparse
import csv
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from evalkit import actions
from evalkit.compute.disclosure import protect
from evalkit.compute.evaluation import evaluate
from evalkit.loaders.dossier import load_dossier, territory_of
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.resources import resource_dir
from outils_dev.exemples import exports
from tests.attaque.reponses_inventees import invented_answers


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--reponses", type=int, default=100_000)
    n = parser.parse_args().reponses
    referentiel = load_referentiel()
    survey = next(survey for survey in referentiel.enquetes if survey.code == "ENQ-LOG")
    with tempfile.TemporaryDirectory() as folder:
        campagne = Path(folder) / "2022"
        shutil.copytree(
            resource_dir("sample_data") / "2022",
            campagne,
            ignore=lambda d, names: [
                x
                for x in names
                if Path(d).name == "2022"
                and x not in ("ardelle", "campagne.yml", "contexte.parquet", "reference_regionale.json")
            ],
        )
        dossier = campagne / "ardelle"
        shutil.rmtree(dossier / "enquetes", ignore_errors=True)
        territory = territory_of(dossier, referentiel)
        path = exports.write_csv(
            Path(folder) / "export.csv", exports.kobo(survey, invented_answers(survey, {"ensemble": n}, 1), territory)
        )
        print(f"{n} réponses, {path.stat().st_size / 1e6:.0f} Mo")
        steps = {"lecture nue (csv.reader)": lambda: _bare(path)}
        steps["import"] = lambda: actions.import_surveys([path], dossier)
        steps["lecture du dossier"] = lambda: load_dossier(dossier, referentiel)
        steps["calcul et secret"] = lambda: protect(
            evaluate(referentiel, load_dossier(dossier, referentiel)), referentiel.regles
        )
        steps["rapport"] = lambda: actions.render_report(dossier, Path(folder) / "sorties", formats=("html",))
        bare = 0.0
        for name, step in steps.items():
            start = time.perf_counter()
            result = step()
            spent = time.perf_counter() - start
            bare = bare or spent
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{name:28} {spent:7.1f} s   × {spent / bare:6.1f}   mémoire au plus {peak:5.0f} Mo")
            if name == "import":
                assert result.written, result.report()
            if name == "rapport":
                assert result.ok, result.outcomes
        child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"noyau du rapport : mémoire au plus {child:.0f} Mo")


def _bare(path: Path) -> int:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return len(list(csv.reader(file, delimiter=";")))


if __name__ == "__main__":
    main()
