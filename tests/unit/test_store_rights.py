"""What is confidential is readable by its owner only, whatever the ordinary rights of the files that are written."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from evalkit import actions
from evalkit.batch.runner import write_whole
from evalkit.loaders.resources import resource_dir

SAMPLES = resource_dir("sample_data") / "2022"
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows n'a pas de droits par fichier à la façon d'Unix")


@pytest.fixture(autouse=True)
def ordinary_mask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_store_and_the_answers_are_their_owners_only(tmp_path: Path) -> None:
    """A campaign from nothing: keys, state of the batch, bases, imported answers; the pages are for everybody."""
    campagne = tmp_path / "2022"
    shutil.copytree(SAMPLES / "estrinoy", campagne / "estrinoy", ignore=shutil.ignore_patterns(".evalkit", "enquetes"))
    for name in ("campagne.yml", "reference_regionale.json"):
        shutil.copy(SAMPLES / name, campagne / name)
    export = next((SAMPLES / "estrinoy" / "enquetes" / "brut").glob("enq-asso*.csv"))
    result = actions.import_surveys([export], campagne / "estrinoy")
    assert result.written, result.report()
    assert actions.render_batch(campagne, tmp_path / "s", 1).ok
    assert actions.render_synthesis(campagne, tmp_path / "s").ok
    stores = [campagne / ".evalkit", campagne / "estrinoy" / ".evalkit"]
    found = {path.name: rights(path) for store in stores for path in store.iterdir()}
    assert {"cle", "publie.json", "lot.json", "synthese.json"} <= set(found)
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}
    assert [oct(rights(store)) for store in stores] == ["0o700", "0o700"]
    for path in result.written:
        assert oct(rights(path)) == "0o600"
        assert oct(rights(path.with_suffix(".import.json"))) == "0o600"
    assert oct(rights(tmp_path / "s" / "estrinoy" / "rapport.html")) == "0o644"


def test_a_private_file_never_was_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From its first byte: the unfinished file too; one left by a killed run does not lend its rights; replaced, it is closed."""
    seen: list[int] = []
    swap = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (seen.append(rights(Path(a))), swap(a, b)))
    target = tmp_path / "x.json"
    target.write_text("ancien")
    left = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    left.write_text("reste")
    assert rights(target) == rights(left) == 0o644
    write_whole(target, b"nouveau", private=True)
    assert (target.read_bytes(), rights(target), seen) == (b"nouveau", 0o600, [0o600])
    write_whole(target, b"page")
    assert rights(target) == 0o644
