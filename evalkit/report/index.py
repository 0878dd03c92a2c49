"""The page that lists what a campaign's run produced: reports, failures, syntheses. Same rules as a report page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.model.territory import Campagne
from evalkit.report.html import TEMPLATES, Html, escape, heading, join, paragraph, table, tag
from evalkit.version import __version__
from evalkit.wording import format_date, plural, sort_key

_CSP = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:"
_FICTIF = "DONNÉES FICTIVES"
_SYNTHESES = {"synthese.html": "Synthèse régionale"}
_FINE = "rien à signaler"
_FORMATS = {"docx": "Word", "pdf": "PDF", "xlsx": "Excel"}


def render_index(
    campagne: Campagne,
    documents: Sequence[Mapping[str, Any]],
    syntheses: Sequence[str],
    controles: Mapping[str, Mapping[str, Any]] | None = None,
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

    Returns
    -------
    str
        A whole HTML page; the same bytes for the same journal: no time, no duration.
    """
    reports = sorted((d for d in documents if d["genre"] == "rapport"), key=lambda d: sort_key(d["titre"]))
    done = [d for d in reports if d["etat"] == "reussi"]
    failed = [d for d in reports if d["etat"] != "reussi"]
    body = join(
        tag("h1", campagne.libelle),
        paragraph(
            f"{plural(len(done), 'rapport')} sur {plural(len(reports), 'territoire')}, en date du {format_date(campagne.date_reference)}.",
            "Les territoires sont rangés par ordre alphabétique ; aucun n’est classé.",
        ),
        _syntheses(syntheses, controles or {}),
        _reports(done),
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


def _control(checks: Mapping[str, Mapping[str, Any]]) -> str:
    """What the automatic checks found, by format."""
    found = []
    for name, check in checks.items():
        kind = _FORMATS.get(name.rpartition(".")[2], "")
        found += [f"{kind} : {anomaly}" if kind else anomaly for anomaly in check.get("anomalies", [])]
    return "; ".join(found) or _FINE


def _reports(documents: Sequence[Mapping[str, Any]]) -> Html:
    rows = []
    for document in documents:
        others = document.get("controles") or {}
        lacking = [f"non produit : {fault['lu']}" for fault in document.get("formats_manquants") or []]
        checked = {"rapport.html": document["controle"], **others}
        control = "; ".join([*([] if _control(checked) == _FINE and lacking else [_control(checked)]), *lacking])
        links = _links(document["titre"], document["fichiers"], f"{document['nom']}/")
        rows.append([links, document["nom"], control])
    grid = table(["Territoire", "Dossier", "Contrôle automatique"], rows, caption="Rapports des territoires")
    return join(heading(2, "Rapports"), grid) if rows else Html("")


def _failures(documents: Sequence[Mapping[str, Any]]) -> Html:
    if not documents:
        return Html("")
    blocks: list[Html] = [
        heading(2, "À corriger"),
        paragraph("Ces territoires n’ont pas de rapport. Les messages disent où et comment corriger."),
    ]
    for document in documents:
        blocks.append(heading(3, document["titre"]))
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
    style = (TEMPLATES / "evalkit" / "style.css").read_text(encoding="utf-8")
    stamp = {
        "campagne": campagne.code,
        "date_reference": campagne.date_reference,
        "evalkit": __version__,
        "fictif": fictif,
        "referentiel": campagne.referentiel_version,
    }
    mark = tag("p", _FICTIF, classe="marque") if fictif else Html("")
    return f"""<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_CSP}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="evalkit" content="{escape(json.dumps(stamp, ensure_ascii=False, sort_keys=True))}">
<title>{escape(campagne.libelle)}</title>
<style>
{style}
</style>
</head>
<body>
<a class="evitement" href="#contenu">Aller au contenu</a>
{mark}
<main id="contenu">
{body}
</main>
</body>
</html>
"""
