"""The page that lists what a campaign's run produced: reports, failures, syntheses. Same rules as a report page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.model.territory import Campagne
from evalkit.report.html import Absent, Html, bullet_list, heading, join, paragraph, table, tag, whole_page
from evalkit.report.identity import FICTIF, Identity
from evalkit.report.sentences import place_name
from evalkit.version import __version__
from evalkit.wording import format_date, plural, sort_key

_SYNTHESES = {"synthese.html": "Synthèse régionale"}


def render_index(campagne: Campagne, documents: Sequence[Mapping[str, Any]], syntheses: Sequence[str]) -> str:
    """Make ``index.html``.

    Parameters
    ----------
    campagne
        The campaign whose documents are listed.
    documents
        Entries of the journal (``nom, titre, genre, etat, fichiers, anomalies, controle``).
    syntheses
        File names of the syntheses that exist beside the index; a "diffusion restreinte" one is never listed.

    Returns
    -------
    str
        A whole HTML page; the same bytes for the same journal: no time, no duration.
    """
    reports = sorted((d for d in documents if d["genre"] == "rapport"), key=lambda d: sort_key(d["titre"]))
    done = [d for d in reports if d["etat"] == "reussi"]
    committees = {d["nom"]: d for d in documents if d["genre"] == "comite" and d["etat"] == "reussi"}
    failed = sorted((d for d in documents if d["etat"] != "reussi"), key=lambda d: sort_key(d["titre"]))
    body = join(
        tag("h1", campagne.libelle),
        paragraph(
            f"{plural(len(done), 'rapport')} sur {plural(len(reports), 'territoire')}, en date du {format_date(campagne.date_reference)}.",
            "Les territoires sont rangés par ordre alphabétique ; aucun n’est classé.",
        ),
        _syntheses(syntheses),
        _reports(done, committees),
        _failures(failed),
    )
    fictif = campagne.fictif or any(document["controle"].get("fictif") for document in documents)
    return _page(campagne, body, fictif)


def _syntheses(names: Sequence[str]) -> Html:
    if not names:
        return Html("")
    labels = {name: _SYNTHESES.get(name, f"Synthèse du département {name[9:-5]}") for name in names}
    links = [tag("a", labels[name], href=name) for name in names]
    return join(heading(2, "Synthèses"), bullet_list(links))


def _reports(documents: Sequence[Mapping[str, Any]], committees: Mapping[str, Mapping[str, Any]]) -> Html:
    rows = []
    for document in documents:
        committee = committees.get(document["nom"])
        pair = [document, *([committee] if committee else [])]
        anomalies = [anomaly for one in pair for anomaly in one["controle"].get("anomalies", [])]
        control = "rien à signaler" if not anomalies else "; ".join(anomalies)
        two_pages = _links(committee, f"Comité de pilotage : {place_name(document['titre'])}") if committee else ""
        rows.append([_links(document, document["titre"]), two_pages or Absent("—"), document["nom"], control])
    headers = ["Rapport du territoire", "Deux pages", "Dossier", "Contrôle automatique des pages"]
    grid = table(headers, rows, caption="Documents des territoires")
    return join(heading(2, "Rapports"), grid) if rows else Html("")


def _links(document: Mapping[str, Any], text: str) -> Html:
    return join(*(tag("a", text, href=f"{document['nom']}/{name}") for name in document["fichiers"]), separator=" ")


def _failures(documents: Sequence[Mapping[str, Any]]) -> Html:
    if not documents:
        return Html("")
    blocks: list[Html] = [
        heading(2, "À corriger"),
        paragraph("Ces documents n’ont pas été produits. Les messages disent où et comment corriger."),
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
