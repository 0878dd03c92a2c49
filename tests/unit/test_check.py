"""The automatic check of a page: what it must see, and the lost tables that no check of a page can see."""

from __future__ import annotations

import re
from typing import Any

import nbformat
import pytest

from evalkit.report import html
from evalkit.report.check import MAX_BYTES, check_page
from evalkit.report.html import Html, Stamped, render_notebook, table

TABLE = table(["Groupe", "n"], [["Communes", "5"]], caption="Réponses")


def page(body: str) -> str:
    return f'<!DOCTYPE html><html lang="fr"><body><main><h1>Titre</h1>{body}</main></body></html>'


def figure(alt: str, values: str = TABLE) -> str:
    return f'<figure><img src="data:image/png;base64,AAAA" alt="{alt}">{values}</figure>'


def anomalies(body: str) -> list[str]:
    return check_page(page(body))["anomalies"]


def test_a_sound_page_has_no_anomaly() -> None:
    assert anomalies(figure("Trois groupes ; le plus haut à 4.")) == []


@pytest.mark.parametrize(
    "alt",
    [
        "",
        "   ",
        "No description has been provided for this image",
        "&lt;Figure size 640x480 with 1 Axes&gt;",
        "graphique.png",
        "image",
        "Figure",
        "output_3",
        "…",
        "12",
    ],
)
def test_an_alternative_text_that_an_exporter_invents_is_an_anomaly(alt: str) -> None:
    """A checker of rules is content with any text; the person who hears it is not."""
    assert anomalies(figure(alt)) == ["figure 1 sans texte de remplacement"]


def test_a_chart_without_its_values_is_an_anomaly() -> None:
    assert anomalies(figure("Trois groupes ; le plus haut à 4.", "")) == ["graphique 1 sans le tableau de ses données"]


def test_a_page_too_heavy_is_an_anomaly() -> None:
    assert anomalies(f"<p>{'x' * MAX_BYTES}</p>") == ["page de 2500 ko, au-delà de 2500 ko"]


def notebook() -> Any:
    nb = nbformat.v4.new_notebook()
    for shown in (Html("<h1>Titre</h1>"), TABLE, Stamped("<p>Cachet</p>", {"empreinte": "00ff"})):
        data = {"text/html": str(shown)}
        if isinstance(shown, Stamped):
            data[html.STAMP_MIME] = shown.stamp
        cell = nbformat.v4.new_code_cell("x")
        cell.outputs = [nbformat.v4.new_output("execute_result", data=data, execution_count=1)]
        nb.cells.append(cell)
    return nb


def test_a_table_lost_on_the_way_stops_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """The base template of nbconvert prints nothing for some outputs, without a word: such a page is never delivered."""
    assert "<table" in render_notebook(notebook(), titre="Essai")
    real = html._exporter().from_notebook_node

    def lossy(nb: Any, resources: Any = None) -> Any:
        made, rest = real(nb, resources=resources)
        return re.sub(r"<table.*?</table>", "", made, flags=re.DOTALL), rest

    monkeypatch.setattr(html._exporter(), "from_notebook_node", lossy)
    with pytest.raises(ValueError, match=r"0 <table> where the notebook shows 1"):
        render_notebook(notebook(), titre="Essai")
