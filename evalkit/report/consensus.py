"""Consensus sheets: one page per sub-question where groups differ, made for the meeting that settles its level.

Everything on a sheet is published: medians, and the distributions that may be shown. What is settled goes into the table
``arbitrages`` of the dossier.
"""

from __future__ import annotations

from typing import Any

from evalkit.compute.results import Publication
from evalkit.report import sentences
from evalkit.report.guard import require_publication
from evalkit.report.html import Absent, Html, heading, join, paragraph, table, tag, whole_page
from evalkit.report.identity import identity_of
from evalkit.report.sections_method import make_stamp
from evalkit.report.sections_surveys import left_out_sentences
from evalkit.report.sentences import Row, is_missing, median_text, number_text, records
from evalkit.wording import format_date, label_status, plural, slug

LEVELS = range(6)
NOTHING_TO_DISCUSS = (
    "Aucune sous-question ne montre d’écart à débattre ni de groupe partagé entre les groupes dont les cotations peuvent "
    "être comparées. Ce n’est pas un accord : de petits groupes peuvent différer sans que cela se voie."
)
PRINT_STYLE = """
.feuille { break-before: page; margin-top: 3rem; }
.feuille h2 { margin-top: 0; }
.feuille td.case, .a-remplir td { height: 2.6rem; }
.a-remplir tr.haute td { height: 5.5rem; }
.a-remplir th { width: 32%; }
.a-remplir td { border: 1px solid var(--encre); }
@media print {
  body { font-size: 0.82rem; }
  .feuille { margin-top: 0; }
  table { font-size: 0.8rem; }
  .defile { overflow: visible; margin: 0.4rem 0; }
}
"""


def sheets_to_make(publication: Publication) -> list[Row]:
    """Rows of ``triangulation`` worth a sheet, in the order of discussion: split groups first, then the size of the gap."""
    frame = publication.triangulation
    kept = frame[(frame["statut"] == "ecart_a_debattre") | frame["partages"].notna()]
    return [*records(kept.sort_values(["ordre", "sous_question"], kind="stable"))]


def show_consensus(publication: Publication) -> Html:
    """One sheet per sub-question to discuss; a sentence when there is none."""
    publication = require_publication(publication)
    rows = sheets_to_make(publication)
    if not rows:
        return paragraph(NOTHING_TO_DISCUSS)
    return join(*(_sheet(publication, row) for row in rows))


def _sheet(publication: Publication, row: Row) -> Html:
    code = str(row["sous_question"])
    sub = publication.referentiel.sous_questions[code]
    said = sentences.discussion_point(publication, row)
    return tag(
        "section",
        heading(2, f"{code} — {sub.titre}", f"consensus-{slug(code)}"),
        paragraph(tag("em", sub.libelle)),
        paragraph(said[:1].upper() + said[1:], classe="encadre"),
        _groups(publication, code),
        _ladder(publication, code),
        _to_fill(publication, code),
        classe="feuille",
    )


def _groups(publication: Publication, code: str) -> Html:
    """What each group said: n, published median, distribution where it may be shown."""
    cells: dict[str, dict[int, Row]] = {}
    for cell in records(publication.distributions[publication.distributions["sous_question"] == code]):
        cells.setdefault(cell["groupe"], {})[int(cell["niveau"])] = cell
    found = {row["groupe"]: row for row in records(publication.groupes[publication.groupes["sous_question"] == code])}
    rows: list[list[object]] = []
    for group in publication.referentiel.groupes:
        row = found.get(group.code)
        if row is None:
            continue
        median: object = (
            Absent(label_status(row["statut"])) if is_missing(row["mediane"]) else median_text(row["mediane"])
        )
        levels = [_count(cells.get(group.code, {}).get(level)) for level in LEVELS]
        rows.append([group.libelle, str(int(row["n"])), median, *levels, str(int(row["n_silences"]))])
    headers = ["Groupe", "n", "Médiane", *(f"Niv. {level}" for level in LEVELS), "Silences"]
    caption = (
        f"{code} : ce que chaque groupe a coté (une répartition n’est montrée que si le groupe est assez nombreux)"
    )
    return table(headers, rows, caption=caption, numeric=range(1, 10))


def _count(cell: Row | None) -> object:
    if cell is None or is_missing(cell["n"]):
        return Absent("secret" if cell is None or cell["statut"] == "secret" else "—")
    return number_text(cell["n"])


def _ladder(publication: Publication, code: str) -> Html:
    """The six descriptors, each with a box to tick."""
    niveaux = publication.referentiel.sous_questions[code].echelle.niveaux
    rows = [[str(level), niveaux[level], "☐"] for level in LEVELS]
    return table(["Niveau", "Ce que l’on constate", "Choix"], rows, caption=f"{code} : l’échelle")


def _to_fill(publication: Publication, code: str) -> Html:
    settled = publication.niveaux[publication.niveaux["sous_question"] == code].iloc[0]
    already = ""
    if settled["statut"] == "arbitre":
        date = "" if is_missing(settled["date"]) else f" le {format_date(str(settled['date']))}"
        already = (
            f"Niveau déjà arrêté{date} : {int(settled['niveau'])}. Cette feuille sert à le confirmer ou à le revoir."
        )
    fields = (
        ("Niveau arrêté (0 à 5), ou « non arrêté »", ""),
        ("Preuve : document ou fait daté", "haute"),
        ("Ce qui sépare encore les groupes", "haute"),
        ("Date", ""),
        ("Instance", ""),
    )
    lines = [tag("tr", tag("th", label, scope="row"), tag("td", ""), classe=size or None) for label, size in fields]
    caption = tag("caption", f"À remplir en réunion, puis à reporter dans la table « arbitrages », ligne {code}")
    return join(paragraph(already), tag("table", caption, tag("tbody", *lines), classe="a-remplir"))


def render_consensus(publication: Publication) -> str:
    """The whole page, ready to print: one sheet of paper per sub-question; same publication, same bytes."""
    publication = require_publication(publication)
    stamp: dict[str, Any] = make_stamp(publication)
    territory, campaign = publication.territoire, publication.campagne
    title = f"Feuilles de consensus : {territory.nom}"
    n = len(sheets_to_make(publication))
    count = plural(n, "sous-question à débattre", "sous-questions à débattre")
    intro = (
        paragraph(
            f"{count}, dans l’ordre de discussion. Une feuille par sous-question : lire ce que chaque groupe a coté, relire "
            "l’échelle, s’accorder sur un niveau que l’on peut prouver. Ne pas s’accorder est un résultat : écrire pourquoi."
        )
        if n
        else ""
    )
    body = join(
        tag("h1", title),
        paragraph(f"{campaign.libelle} — {publication.referentiel.libelle}", classe="sous-titre"),
        *(paragraph(said) for said in left_out_sentences(publication)),
        intro,
        show_consensus(publication),
    )
    return whole_page(title, body, stamp, identity_of(publication), PRINT_STYLE)
