"""What the workshop shows, as HTML: the ladder, the groups' medians, the charts, what has just happened.

Everything about people's ratings comes from a ``Publication``. No widget here, no rule either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.charts.maturity import GroupPoint, draw_ladder, draw_question_groups, read_points
from evalkit.charts.theme import require_publication
from evalkit.report.html import Absent, Html, bullet_list, escape, figure, join, paragraph, table, tag
from evalkit.report.sentences import median_text
from evalkit.wording import label_status, plural, quote

if TYPE_CHECKING:
    from pathlib import Path

    from evalkit.compute.results import Publication
    from evalkit.errors import EvalkitError
    from evalkit.model.referentiel import Referentiel, SousQuestion
    from evalkit.ui.state import AtelierState

_STATUTS = {
    "source": "défini par un texte cité",
    "adapte": "adapté d'un texte cité",
    "propose": "proposé, à discuter et à amender",
}
# The notebook's own style sheet knows nothing of the report's: pictures must fit narrow windows, nothing more.
STYLE = Html(
    "<style>.evalkit-atelier img{max-width:100%;height:auto}.evalkit-atelier figure{margin:1em 0}"
    ".evalkit-atelier small{display:block}.evalkit-atelier caption{text-align:left;font-weight:bold}.evalkit-atelier th{text-align:left}"
    ".evalkit-atelier [role=status]{border-left:4px solid #00558C;padding:.3em .8em;white-space:pre-line}</style>"
)


def show_ladder(referentiel: Referentiel, sub: SousQuestion) -> Html:
    """Six descriptors, 0 to 5, and where they come from."""
    names = {step.niveau: step.nom for step in referentiel.echelle.niveaux}
    steps = [
        join(tag("strong", f"{level} – {names[level]}"), escape(f"\u00a0: {text}"), separator="")
        for level, text in sorted(sub.echelle.niveaux.items())
    ]
    origin = f"Statut de l'échelle : {_STATUTS[sub.echelle.statut]}."
    return tag(
        "section",
        tag("h3", f"{sub.code} – {sub.titre}"),
        paragraph(sub.libelle),
        bullet_list(steps),
        paragraph(origin, sub.echelle.statut_note, classe="note"),
        classe="evalkit-atelier",
    )


def _median(point: GroupPoint) -> object:
    if point.median is not None:
        return f"{median_text(point.median)} (n\u00a0=\u00a0{point.n})"
    if point.status == "secret":
        return Absent(f"secret (n\u00a0=\u00a0{point.n})")
    return Absent(f"{label_status(point.status)} (n\u00a0=\u00a0{point.n})")


def groups_sentence(publication: Publication, sub: SousQuestion) -> str:
    """Say the medians in one line: « Associations : 3 (n = 12) ; Communes : secret (n = 3) »."""
    require_publication(publication)
    points = read_points(publication, sub.code)
    if not points:
        return f"Aucune cotation sur {sub.code} pour l'instant."
    return " ; ".join(f"{point.name}\u00a0: {_median(point)}" for point in points) + "."


def show_groups(publication: Publication, sub: SousQuestion) -> Html:
    """Published medians of the groups on one sub-question, then the two charts drawn from the same figures."""
    require_publication(publication)
    points = read_points(publication, sub.code)
    question = publication.referentiel.question_de[sub.code]
    medians = table(
        ["Groupe", "Médiane des cotations"],
        [[point.name, _median(point)] for point in points],
        caption=f"{sub.code} – médiane par groupe, de 0 à 5",
        numeric=[1],
        note="n : nombre de cotations exprimées. « secret » : groupe trop petit pour que sa médiane soit montrée.",
    )
    return tag(
        "section",
        STYLE,
        medians or paragraph(groups_sentence(publication, sub)),
        _on_screen(figure(draw_ladder(publication, sub.code))),
        _on_screen(figure(draw_question_groups(publication, question))),
        classe="evalkit-atelier",
    )


def _on_screen(picture: Html) -> Html:
    """Fold the table of values under a chart: open on paper, a click away in a room."""
    return Html(picture.replace(' open="open"', ""))


def show_status(*sentences: str) -> Html:
    """What has just happened, read aloud by screen readers."""
    return tag("div", STYLE, tag("p", " ".join(sentences), role="status"), classe="evalkit-atelier")


def show_fault(error: EvalkitError) -> Html:
    """The faults that stopped an action, in the words of the catalogue."""
    return tag("div", STYLE, tag("p", str(error), role="status"), classe="evalkit-atelier")


def unsaved_sentence(state: AtelierState) -> str:
    """Say how many ratings are entered and not saved, and how many are for the screen only."""
    shown = len(state.on_screen_only())
    new = len(state.a_enregistrer) - shown
    said = f"{plural(new, 'cotation à enregistrer', 'cotations à enregistrer')}."
    if not shown:
        return said
    return f"{said} {plural(shown, 'cotation changée', 'cotations changées')} à l'écran seulement."


def saved_sentence(count: int, written: Path) -> str:
    """Say what was written and where the former file is."""
    return (
        f"{plural(count, 'cotation enregistrée', 'cotations enregistrées')} dans « {written.name} » ; "
        "l'ancien fichier est gardé dans « .evalkit/sauvegardes »."
    )


def territory_title(state: AtelierState) -> Html:
    """Name of the territory; says loudly when it is invented."""
    territory = state.dossier.territoire
    mark = paragraph(tag("strong", "DONNÉES FICTIVES")) if territory.fictif else Html("")
    note = paragraph(f"Rien n'est écrit avant le bouton {quote('Enregistrer')}.")
    return tag("section", tag("h2", f"Atelier – {territory.nom}"), mark, note, classe="evalkit-atelier")
