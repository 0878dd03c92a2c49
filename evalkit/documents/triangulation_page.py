"""Tables of ``docs/comprendre/triangulation.md``: false alarms and differences that can be seen, by number and size of groups."""

from __future__ import annotations

from evalkit.compute.rules import Rules
from evalkit.compute.triangulation import detection
from evalkit.model.referentiel import Referentiel
from evalkit.wording import agree, format_number, format_percent, join_french

SIZES = (5, 8, 15, 40)
GROUPS = (2, 3, 4)
SHIFTS = (0.5, 1.0, 1.5, 2.0)
START, END = "<!-- tableaux : début -->", "<!-- tableaux : fin -->"


def triangulation_tables(referentiel: Referentiel) -> str:
    """Markdown of the tables, from the rules of ``regles.yml``, with the markers between which they stand in the page."""
    rules = Rules(referentiel.regles).triangulation(published=True)
    law, gap, low = rules.distribution, rules.gap, rules.low_median_under
    said = [format_percent(p * 100 / sum(law)) for p in law]
    intro = (
        f"Répartition de référence, niveaux 0 à 5 : {join_french(said)}. Écart à débattre : plus de {format_number(gap)} "
        f"niveau entre médianes. Sous {format_number(low)} cotations, la médiane comparée est la médiane basse."
    )

    def line(label: str, groups: int, shift: float) -> list[str]:
        return [label, *(_percent(detection((n,) * groups, law, shift, gap, low)) for n in SIZES)]

    blocks = [START, intro, "### Fausses alertes", _table("Groupes", [line(str(k), k, 0.0) for k in GROUPS])]
    for groups in GROUPS:
        blocks.append(f"### {groups} groupes, dont un voit plus haut que les autres")
        named = [(f"{format_number(s, 1)} {agree(s, 'niveau', 'niveaux')}", s) for s in SHIFTS]
        blocks.append(_table("Différence réelle", [line(label, groups, s) for label, s in named]))
    return "\n\n".join([*blocks, END])


def _percent(probability: float) -> str:
    """Whole percents; what is rare is not written as never."""
    return f"moins de {format_percent(1)}" if 0 < probability < 0.005 else format_percent(probability * 100)


def _table(corner: str, lines: list[list[str]]) -> str:
    grid = [[corner, *(f"{n} cotations" for n in SIZES)], ["---", *["---:"] * len(SIZES)], *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in grid)
