"""The page that lists what a campaign's run produced: reports, failures, syntheses. Same rules as a report page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.model.territory import Campagne
from evalkit.report.html import Absent, Html, heading, join, paragraph, table, tag, whole_page
from evalkit.report.identity import FICTIF, Identity
from evalkit.version import __version__
from evalkit.wording import format_date, place_name, plural, sort_key

_SYNTHESES = {"synthese.html": "Synthèse régionale"}
_FINE = "rien à signaler"
_FORMATS = {"docx": "Word", "pdf": "PDF", "xlsx": "Excel"}


def render_index(
    campagne: Campagne,
    documents: Sequence[Mapping[str, Any]],
    syntheses: Sequence[str],
    controles: Mapping[str, Mapping[str, Any]] | None = None,
    territoires: Sequence[str] = (),
) -> str:
    """Make ``index.html``.

    Parameters
    ----------
    campagne
        The campaign whose documents are listed.
    documents
        Entries of the journal (``nom, titre, genre, etat, fichiers, anomalies, controle``).
    syntheses
        File names of the syntheses that exist beside the index; a "diffusion restreinte" one is never listed.
    controles
        Automatic check of each of these syntheses and of their other formats, by file name.
    territoires
        Names of all the dossiers of the campaign: those without a document are told.

    Returns
    -------
    str
        A whole HTML page; the same bytes for the same journal: no time, no duration.
    """
    reports = sorted((d for d in documents if d["genre"] == "rapport"), key=lambda d: sort_key(place_name(d["titre"])))
    done = [d for d in reports if d["etat"] == "reussi"]
    committees = {d["nom"]: d for d in documents if d["genre"] == "comite" and d["etat"] == "reussi"}
    failed = [d for d in documents if _to_correct(d, documents)]
    failed.sort(key=lambda d: sort_key(place_name(d["titre"])))
    waiting = sorted(set(territoires) - {document["nom"] for document in reports}, key=sort_key)
    total = len(reports) + len(waiting)
    body = join(
        tag("h1", campagne.libelle),
        paragraph(
            f"{plural(len(done), 'rapport')} sur {plural(total, 'territoire')}, en date du {format_date(campagne.date_reference)}.",
            "Les territoires sont rangés par ordre alphabétique ; aucun n’est classé.",
        ),
        paragraph(f"Pas encore produits ici, par dossier : {', '.join(waiting)}.") if waiting else Html(""),
        _syntheses(syntheses, controles or {}),
        _reports(done, committees),
        _failures(failed),
    )
    fictif = campagne.fictif or any(document["controle"].get("fictif") for document in documents)
    return _page(campagne, body, fictif)


def _syntheses(names: Sequence[str], checks: Mapping[str, Mapping[str, Any]]) -> Html:
    if not names:
        return Html("")
    rows = []
    for name in names:
        stem = name.removesuffix(".html")
        title = _SYNTHESES.get(name, f"Synthèse du département {stem.removeprefix('synthese-')}")
        files = [name, *(other for other in sorted(checks) if other != name and other.rpartition(".")[0] == stem)]
        rows.append([_links(title, files, ""), _control({file: checks.get(file, {}) for file in files})])
    grid = table(["Synthèse", "Contrôle automatique"], rows, caption="Synthèses de la campagne")
    return join(heading(2, "Synthèses"), grid)


def _links(title: str, files: Sequence[str], folder: str) -> Html:
    """The page under its title, then its other formats under theirs, each link saying of what."""
    links = []
    for name in files:
        kind = _FORMATS.get(name.rpartition(".")[2])
        spoken = f"{kind} : {title}" if kind else None
        links.append(tag("a", kind or title, href=f"{folder}{name}", aria_label=spoken))
    return join(*links, separator=" · ")


def _said(document: Mapping[str, Any]) -> list[str]:
    """What the automatic checks of a document found, and the formats that could not be made."""
    lacking = [f"non produit : {fault['lu']}" for fault in document.get("formats_manquants") or []]
    return [*_anomalies({"": document["controle"], **(document.get("controles") or {})}), *lacking]


def _control(checks: Mapping[str, Mapping[str, Any]]) -> str:
    return "; ".join(_anomalies(checks)) or _FINE


def _anomalies(checks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What the automatic checks found, by format."""
    found = []
    for name, check in checks.items():
        kind = _FORMATS.get(name.rpartition(".")[2], "")
        found += [f"{kind} : {anomaly}" if kind else anomaly for anomaly in check.get("anomalies", [])]
    return found


def _reports(documents: Sequence[Mapping[str, Any]], committees: Mapping[str, Mapping[str, Any]]) -> Html:
    rows = []
    for document in documents:
        committee = committees.get(document["nom"])
        pair = [one for one in (document, committee) if one]
        control = "; ".join(dict.fromkeys(said for one in pair for said in _said(one))) or _FINE
        spoken = f"Comité de pilotage : {place_name(document['titre'])}"
        folder = f"{document['nom']}/"
        two_pages = _links(spoken, committee["fichiers"], folder) if committee else Absent("—")
        links = _links(document["titre"], document["fichiers"], folder)
        rows.append([links, two_pages, document["nom"], control])
    headers = ["Rapport du territoire", "Deux pages", "Dossier", "Contrôle automatique"]
    grid = table(headers, rows, caption="Documents des territoires")
    return join(heading(2, "Rapports"), grid) if rows else Html("")


def _to_correct(document: Mapping[str, Any], documents: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a document is missing, for a reason that is not already told about its territory's report."""
    told = [d["nom"] for d in documents if d["genre"] == "rapport" and d["etat"] != "reussi"]
    return document["etat"] != "reussi" and not (document["genre"] == "comite" and document["nom"] in told)


def _failures(documents: Sequence[Mapping[str, Any]]) -> Html:
    if not documents:
        return Html("")
    blocks: list[Html] = [
        heading(2, "À corriger"),
        paragraph(
            "Ces documents n’ont pas été produits. Les messages disent où et comment corriger.",
            "Ceux qu’un lot précédent aurait produits sont restés en place : ils ne disent pas les données d’aujourd’hui.",
        ),
    ]
    for document in documents:
        of = " : comité de pilotage" if document["genre"] == "comite" else ""
        blocks.append(heading(3, f"{document['titre']}{of}"))
        blocks.extend(_fault(anomaly) for anomaly in document["anomalies"])
    return join(*blocks)


def _fault(anomaly: Mapping[str, Any]) -> Html:
    pairs = [
        ("Où", anomaly["ou"]),
        ("Lu", anomaly["lu"]),
        ("Attendu", anomaly["attendu"]),
        ("Corriger", anomaly["corriger"]),
    ]
    lines = [join(tag("dt", name), tag("dd", text)) for name, text in pairs if text]
    return join(paragraph(tag("strong", f"{anomaly['code']} — {anomaly['titre']}")), tag("dl", *lines, classe="fiche"))


def _page(campagne: Campagne, body: Html, fictif: bool) -> str:
    stamp = {
        "campagne": campagne.code,
        "date_reference": campagne.date_reference,
        "evalkit": __version__,
        "fictif": fictif,
        "marques": [FICTIF] if fictif else [],
        "referentiel": campagne.referentiel_version,
    }
    return whole_page(campagne.libelle, body, stamp, Identity(campagne.libelle))
