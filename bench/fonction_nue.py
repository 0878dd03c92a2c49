"""The least that makes a report's page: a plain function that runs the notebook's cells and writes the page. No kernel, no isolation.

It is the floor that the batch is measured against, and what the tests compare pages with.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "notebooks" / "rapport_territoire.ipynb"
NOTEBOOKS = {"rapport": NOTEBOOK, "comite": ROOT / "notebooks" / "comite.ipynb"}  # both documents of a territory


def draw_page(dossier: Path, titre: str = "", notebook: Path = NOTEBOOK) -> str:
    """HTML of the report of one dossier, the same as ``evalkit rapport`` gives."""
    import nbformat

    from evalkit.report.html import find_identity, render_notebook

    content = nbformat.read(notebook, 4)
    names: dict[str, Any] = {}
    for cell in content.cells:
        if cell.cell_type != "code":
            continue
        if "parameters" in cell.metadata.get("tags", []):
            run_cell(cell.source, names)
            names["dossier"] = str(dossier)
            continue
        cell.outputs = [nbformat.from_dict(one) for one in _outputs(run_cell(cell.source, names))]
    return str(render_notebook(content, titre=titre or find_identity(content).nom))


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Run a cell; the value of its last expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None


def _outputs(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    bundle = value._repr_mimebundle_() if hasattr(value, "_repr_mimebundle_") else {"text/html": value._repr_html_()}
    return [{"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": bundle}]
