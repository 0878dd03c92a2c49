"""Marker of the tests that start a kernel."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "carnets: exécute un carnet avec papermill (lent)")
