"""Every notebook runs from top to bottom with its default parameters, as "Run All" does."""

from __future__ import annotations

from pathlib import Path

import nbformat
import papermill
import pytest

from evalkit.loaders.resources import resource_dir

NOTEBOOKS = sorted(resource_dir("notebooks").glob("*.ipynb"))


@pytest.mark.carnets
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_with_its_defaults(path: Path, tmp_path: Path) -> None:
    """papermill on the sample data: no cell fails, and the last code cell shows something."""
    out = tmp_path / path.name
    papermill.execute_notebook(path, out, cwd=path.parent, kernel_name="python3", progress_bar=False)
    cells = [cell for cell in nbformat.read(out, as_version=4).cells if cell.cell_type == "code"]
    assert not [o for cell in cells for o in cell.outputs if o.output_type == "error"]
    assert any(o.output_type in ("display_data", "execute_result") for o in cells[-1].outputs)


@pytest.mark.carnets
def test_the_workshop_runs_on_a_given_territory(tmp_path: Path) -> None:
    """The parameter is really used: a folder that does not exist is refused with its message."""
    notebook = resource_dir("notebooks") / "atelier.ipynb"
    with pytest.raises(papermill.PapermillExecutionError, match="absent-de-partout"):
        papermill.execute_notebook(
            notebook,
            tmp_path / "sortie.ipynb",
            parameters={"dossier": "absent-de-partout"},
            cwd=tmp_path,
            kernel_name="python3",
            progress_bar=False,
        )
