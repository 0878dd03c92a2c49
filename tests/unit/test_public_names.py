"""The names that notebooks use: declared once, light to import."""

import subprocess
import sys

import evalkit
from evalkit.report import sections


def test_notebooks_get_every_section() -> None:
    assert set(sections.__all__) <= set(evalkit.__all__)
    assert {"load_publication", "load_synthese"} <= set(evalkit.__all__)
    for name in evalkit.__all__:
        assert getattr(evalkit, name) is not None


def test_importing_evalkit_draws_nothing_in() -> None:
    """`import evalkit` must not import pandas, matplotlib or papermill: help and unchanged runs stay instantaneous."""
    code = "import sys, evalkit, evalkit.cli; print(sorted({'pandas', 'matplotlib', 'papermill', 'nbconvert', 'scipy'} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
