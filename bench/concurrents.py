"""What ``bench/lot.py`` compares evalkit with, in processes of their own: ``concurrents.py nue|papermill|parties CAMPAGNE [DOSSIER]``."""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from fonction_nue import NOTEBOOKS, draw_page
from lot import PROCESSES, dossiers_of


def bare(task: tuple[Path, Path]) -> None:
    """Draw, check and write the pages of one territory."""
    from evalkit.report.check import check_page

    dossier, folder = task
    (folder / dossier.name).mkdir(parents=True)
    for kind, notebook in NOTEBOOKS.items():
        page = draw_page(dossier, notebook=notebook)
        check = check_page(page)
        target = folder / dossier.name / f"{kind}.html"
        target.write_text(page, encoding="utf-8")
        target.with_name(f"{kind}.html.controle.json").write_text(json.dumps(check), encoding="utf-8")


@lru_cache(maxsize=1)
def _exporter() -> Any:
    from nbconvert import HTMLExporter

    return HTMLExporter(exclude_input=True)


def with_papermill(task: tuple[Path, Path]) -> None:
    """papermill, then nbconvert's own pages."""
    import papermill

    dossier, folder = task
    for kind, notebook in NOTEBOOKS.items():
        parameters, where = {"dossier": str(dossier)}, str(notebook.parent)
        executed = papermill.execute_notebook(str(notebook), None, parameters, progress_bar=False, cwd=where)
        page, _ = _exporter().from_notebook_node(executed)
        (folder / f"{dossier.name}-{kind}.html").write_text(page, encoding="utf-8")


def parts(campagne: Path) -> dict[str, float]:
    """Milliseconds of processor by part of one report, in a warm process."""
    import evalkit.actions
    import evalkit.charts.theme
    import evalkit.compute.disclosure
    import evalkit.compute.evaluation
    import evalkit.loaders.dossier
    import evalkit.report.html
    from evalkit.report.check import check_page

    spent: dict[str, float] = defaultdict(float)

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            start = time.process_time()
            try:
                return function(*args, **named)
            finally:
                spent[name] += (time.process_time() - start) * 1000

        return call

    dossiers = dossiers_of(campagne)[:4]
    draw_page(dossiers[0])
    for module, function, name in (
        (evalkit.loaders.dossier, "load_dossier", "lire le dossier"),
        (evalkit.compute.evaluation, "evaluate", "évaluer"),
        (evalkit.compute.disclosure, "protect", "protéger"),
        (evalkit.report.html, "render_notebook", "page HTML"),
    ):
        setattr(module, function, timed(name, getattr(module, function)))
    evalkit.charts.theme.Page.render = timed("images", evalkit.charts.theme.Page.render)  # type: ignore[method-assign]
    runs = []
    for dossier in dossiers[1:]:
        spent.clear()
        start = time.process_time()
        page = timed("total", draw_page)(dossier)
        timed("contrôle", check_page)(page)
        spent["total"] = (time.process_time() - start) * 1000
        runs.append({**spent, "tableaux, phrases, graphiques": spent["total"] - sum(spent.values()) + spent["total"]})
    return {name: round(median(run[name] for run in runs), 1) for name in runs[0]}


def main() -> None:
    """Run one of them."""
    kind, campagne = sys.argv[1], Path(sys.argv[2])
    if kind == "parties":
        print(json.dumps(parts(campagne), ensure_ascii=False))
        return
    tasks = [(dossier, Path(sys.argv[3])) for dossier in dossiers_of(campagne)]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as executor:
        list(executor.map({"nue": bare, "papermill": with_papermill}[kind], tasks))


if __name__ == "__main__":
    main()
