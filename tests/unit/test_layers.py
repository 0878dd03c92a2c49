"""Each layer imports only below itself; a module that no layer claims fails."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ORDER = [
    "version",
    "errors",
    "wording",
    "model",
    "loaders",
    "compute",
    "charts",
    "report",
    "documents",
    "batch",
    "actions",
    "ui",
    "cli",
]
FORBIDDEN = {
    "errors": {"wording"},
    "wording": {"errors"},
    "model": {"wording"},
    "compute": {"loaders", "wording"},
    "charts": {"loaders"},
    "report": {"loaders"},
}
# `cli` stands above `ui`: `evalkit atelier` opens the other door.
TOP = {"__init__", "__main__"}
FILES = sorted((ROOT / "evalkit").rglob("*.py"))


def layer_of(path: Path) -> str:
    return path.relative_to(ROOT / "evalkit").parts[0].removesuffix(".py")


def imported_layers(path: Path) -> set[str]:
    """Layers that a file imports at run time, wherever the import stands (also inside functions)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module)
            if node.module == "evalkit":
                names |= {f"evalkit.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("evalkit.")}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_layer_imports_only_lower_layers(path: Path) -> None:
    layer = layer_of(path)
    if layer in TOP:
        return
    assert layer in ORDER, f"{path} appartient à une couche inconnue : ajoutez-la à ORDER ou déplacez le fichier"
    above = set(ORDER[ORDER.index(layer) + 1 :])
    bad = imported_layers(path) & (above | FORBIDDEN.get(layer, set()))
    assert not bad, f"{path.relative_to(ROOT)} importe {sorted(bad)}"


def test_model_and_compute_touch_no_file() -> None:
    """`model` has no pandas at run time; `compute` opens no file and reads no clock."""
    banned = {"model": {"pandas", "pathlib", "os"}, "compute": {"pathlib", "os", "time", "random"}}
    for path in FILES:
        if layer_of(path) not in banned:
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:  # top level: TYPE_CHECKING blocks are not run
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            roots = {name.split(".")[0] for name in names}
            assert not roots & banned[layer_of(path)], f"{path} importe {roots & banned[layer_of(path)]}"


def test_compute_and_report_read_no_clock() -> None:
    """Same inputs, same bytes: nothing asks what time it is, nothing is drawn at random."""
    for path in FILES:
        if layer_of(path) not in {"compute", "charts", "report", "documents"}:
            continue
        called = {
            node.attr
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Attribute)
        }
        assert not called & {"now", "today", "utcnow", "perf_counter", "random", "default_rng"}, path


def test_every_package_says_what_it_is_for() -> None:
    for path in (ROOT / "evalkit").rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path
