"""What every test shares: generated cases are the same at each run when `CI=true`, new ones elsewhere."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Une intégration qui échoue un jour sur dix n'apprend rien ; sur le poste de chacun, les cas changent et cherchent.
settings.register_profile("integration", derandomize=True)
if os.environ.get("CI") == "true":
    settings.load_profile("integration")


@pytest.fixture(scope="session", autouse=True)
def samples_stay_as_they_are() -> Iterator[None]:
    """A test renders a copy: what a run leaves in the samples would change what the next tests read."""
    before = _sample_files()
    yield
    assert sorted(_sample_files() - before) == [], "des essais ont écrit dans sample_data/"


def _sample_files() -> set[tuple[str, int]]:
    samples = Path(__file__).resolve().parents[1] / "sample_data"
    return {(str(path.relative_to(samples)), path.stat().st_mtime_ns) for path in samples.rglob("*") if path.is_file()}
