"""A notebook stays thin: parameters, then short cells that call evalkit and sentences."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import nbformat
import pytest

from evalkit.loaders.resources import resource_dir

NOTEBOOKS = sorted(resource_dir("notebooks").glob("*.ipynb"))
FORBIDDEN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.While, ast.Lambda, ast.comprehension)
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def code_cells(path: Path) -> list[Any]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def is_parameters(cell: Any) -> bool:
    return "parameters" in cell.metadata.get("tags", [])


def test_there_are_notebooks() -> None:
    assert "atelier" in [path.stem for path in NOTEBOOKS]


@each_notebook
def test_one_parameters_cell_first_of_the_code(path: Path) -> None:
    cells = code_cells(path)
    assert [is_parameters(cell) for cell in cells] == [True] + [False] * (len(cells) - 1)


@each_notebook
def test_each_parameter_has_a_type_a_default_and_a_comment(path: Path) -> None:
    cell = code_cells(path)[0]
    for line in cell.source.splitlines():
        statement = ast.parse(line).body
        assert len(statement) == 1, f"un paramètre par ligne : {line}"
        assert isinstance(statement[0], ast.AnnAssign), f"« nom: type = valeur  # commentaire » : {line}"
        assert isinstance(statement[0].value, ast.Constant), f"une valeur simple, rien de calculé : {line}"
        assert "  # " in line, f"ce que le paramètre veut dire, en français : {line}"


@each_notebook
def test_no_output_is_stored(path: Path) -> None:
    for cell in code_cells(path):
        assert cell.outputs == []
        assert cell.execution_count is None
    assert "widgets" not in read(path).metadata


@each_notebook
def test_cells_are_short_and_hold_no_logic(path: Path) -> None:
    for cell in code_cells(path):
        code = [line for line in cell.source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        assert len(code) <= 5, cell.source
        found = [type(node).__name__ for node in ast.walk(ast.parse(cell.source)) if isinstance(node, FORBIDDEN)]
        assert not found, f"{found} : la logique va dans evalkit"


@each_notebook
def test_it_starts_with_a_title_and_says_what_it_is_for(path: Path) -> None:
    first = read(path).cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")


@each_notebook
def test_only_what_any_machine_has_is_asked_for(path: Path) -> None:
    """The kernel's name is the ordinary one, and no machine's path or Python version is kept."""
    metadata = read(path).metadata
    assert metadata["kernelspec"]["name"] == "python3"
    assert "version" not in metadata.get("language_info", {})
    assert set(metadata) <= {"kernelspec", "language_info"}


@each_notebook
def test_no_widget_in_a_report(path: Path) -> None:
    sources = "".join(cell.source for cell in code_cells(path))
    assert path.stem == "atelier" or ("evalkit.ui" not in sources and "ipywidgets" not in sources)
