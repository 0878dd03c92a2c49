"""The workshop driven once by a real browser, from opening the notebook to the file on disk."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.loaders.resources import resource_dir
from evalkit.ui.launch import copy_for_session, prepare_workspace

LIMIT_MS = 30_000
pytestmark = pytest.mark.navigateur


@pytest.fixture
def session(tmp_path: Path) -> tuple[Path, Path]:
    """A workspace with a copy of an invented territory kept in CSV files: (workspace, dossier)."""
    example = sorted(path.parent for path in resource_dir("sample_data").glob("2022/*/cotations.csv"))[0]
    workspace = tmp_path / "espace"
    workspace.mkdir()
    return workspace, copy_for_session(example, workspace, say=lambda _: None)


def read_rows(dossier: Path) -> list[dict[str, str]]:
    with (dossier / "cotations.csv").open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=";"))


def run_all_cells(page: Any) -> None:
    page.get_by_text(re.compile(r"\| Idle$")).first.wait_for(timeout=LIMIT_MS)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator("#jp-mainmenu-run").get_by_text("Run All Cells", exact=True).click()


def test_enter_see_save(
    session: tuple[Path, Path], open_lab: Callable[[Path, Path], str], watched_page: Callable[..., Any]
) -> None:
    workspace, dossier = session
    before = read_rows(dossier)
    address = open_lab(workspace, prepare_workspace(dossier, workspace))
    watched = watched_page()
    page = watched.page
    page.set_default_timeout(LIMIT_MS)
    page.goto(address)
    run_all_cells(page)

    page.get_by_label("Sous-question").wait_for()
    status = page.get_by_role("status")
    status.filter(has_text="0 cotation à enregistrer").wait_for()
    page.get_by_label("Sous-question").select_option(index=1)
    page.get_by_role("heading", name=re.compile(r"^Q1\.2 – ")).wait_for()
    page.get_by_label("Groupe", exact=True).select_option(index=4)  # association
    page.get_by_label("Répondant").fill("R901")
    page.get_by_label("Niveau", exact=True).select_option(index=5)  # level 4
    page.get_by_label("Commentaire").fill("un mot pour moi seul")
    page.get_by_role("button", name="Ajouter").click()
    status.filter(has_text="1 cotation à enregistrer").wait_for()
    assert read_rows(dossier) == before, "rien ne s'écrit avant « Enregistrer »"
    assert "un mot pour moi seul" not in page.locator(".jp-OutputArea").all_inner_texts()[-1]

    pictures = page.locator(".evalkit-atelier img")
    assert pictures.count() == 2
    assert all(len(picture.get_attribute("alt")) > 40 for picture in pictures.all())

    page.get_by_role("button", name="Enregistrer").click()
    status.filter(has_text="1 cotation enregistrée").wait_for()
    after = read_rows(dossier)
    assert after[:-1] == before
    assert (after[-1]["sous_question"], after[-1]["repondant"], after[-1]["niveau"]) == ("Q1.2", "R901", "4")
    assert after[-1]["commentaire"] == "un mot pour moi seul"
    assert [path.name for path in (dossier / ".evalkit" / "sauvegardes").iterdir()] == ["cotations.1.csv"]

    # A name where a code is due: refused in words, in the page, and the file does not move.
    page.get_by_label("Répondant").fill("Madame Untel")
    page.get_by_label("Niveau", exact=True).select_option(index=1)
    page.get_by_role("button", name="Ajouter").click()
    status.filter(has_text="Corriger").wait_for()
    assert read_rows(dossier) == after

    assert watched.errors == []
    assert watched.outside(address.split("/lab")[0], address.split("/lab")[0].replace("http", "ws")) == []
