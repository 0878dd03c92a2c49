"""What happened in a batch: success, failure (territory, notebook, cell, cause), duration; in French and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evalkit.batch.formats import Others
from evalkit.batch.runner import Outcome, write_whole, writing
from evalkit.errors import Fault, Place
from evalkit.wording import format_number, plural


def journal_of(campagne: str, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The journal of these entries, by name."""
    documents = list(entries)
    documents.sort(key=lambda entry: entry["nom"])
    succeeded = sum(entry["etat"] == "reussi" for entry in documents)
    return {
        "campagne": campagne,
        "reussis": succeeded,
        "echecs": len(documents) - succeeded,
        "documents": documents,
    }


def entry_of(outcome: Outcome) -> dict[str, Any]:
    """One entry of the journal."""
    return {
        "nom": outcome.name,
        "titre": outcome.title,
        "genre": outcome.kind,
        "etat": "reussi" if outcome.ok else "echec",
        "fichiers": list(outcome.documents),
        "duree_s": outcome.seconds,
        "carnet": outcome.notebook,
        "cellule": outcome.cell,
        "anomalies": _stored(outcome.faults),
        "avertissements": _stored(outcome.warnings),
        "controle": outcome.check,
        "controles": outcome.others.checks,
        "formats_manquants": _stored(outcome.others.faults),
    }


def _stored(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    """Messages as a journal keeps them: it goes with the reports, and the name of an export may be somebody's."""
    if not faults:
        return []
    from evalkit.loaders.persons import fault_without_people  # heavy: a run that changes nothing must not wait for it

    return [fault_without_people(fault).as_dict() for fault in faults]


def outcome_of(entry: Mapping[str, Any]) -> Outcome:
    """The outcome that an entry of the journal tells."""
    return Outcome(
        entry["nom"],
        entry["genre"],
        entry["etat"] == "reussi",
        tuple(entry["fichiers"]),
        tuple(_fault_of(told) for told in entry["anomalies"]),
        entry["carnet"],
        entry["cellule"],
        entry["duree_s"],
        entry["titre"],
        dict(entry["controle"]),
        others=Others(tuple(entry["controles"]), dict(entry["controles"])),
        warnings=tuple(_fault_of(told) for told in entry.get("avertissements", ())),
    )


def _fault_of(told: Mapping[str, Any]) -> Fault:
    return Fault(told["code"], Place(**told["emplacement"]), told["lu"], told["attendu"], told["corriger"])


def read_documents(path: Path) -> list[dict[str, Any]]:
    """Entries of the last run's journal; none when there is no journal, or one that cannot be read."""
    try:
        documents = list(json.loads(path.read_text(encoding="utf-8"))["documents"])
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return []
    return [entry for entry in documents if _is_entry(entry)]


def _is_entry(entry: Any) -> bool:
    """What :func:`entry_of` makes: an index is never drawn from anything else, and never leads out of its folder."""
    model, fault = entry_of(Outcome("", "", True)), Fault("LOT-002", Place()).as_dict()
    return (
        isinstance(entry, dict)
        and all(type(entry.get(name)) is type(model[name]) for name in ("nom", "titre", "genre", "etat", "controle"))
        and isinstance(entry.get("fichiers"), list)
        and all(isinstance(name, str) and Path(name).name == name for name in (entry["nom"], *entry["fichiers"]))
        and isinstance(entry.get("anomalies"), list)
        and all(isinstance(told, dict) and fault.keys() <= told.keys() for told in entry["anomalies"])
    )


def write_entries(path: Path, content: Mapping[str, Any]) -> None:
    """Write a whole journal (:func:`journal_of`); LOT-003 where nothing can be written."""
    text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    with writing(path):  # its folder is there since the start: gone, it was renamed, and must not come back
        write_whole(path, text.encode("utf-8"))


def progress_line(outcome: Outcome, done: int, total: int) -> str:
    """One line of progress for a terminal."""
    state = f"{format_number(outcome.seconds, 1)} s" if outcome.ok else "ÉCHEC"
    if outcome.unchanged and outcome.ok:
        state = "à jour"
    pages = ", pages du comité" * (outcome.kind == "comite")
    return f"[{done}/{total}] {outcome.title or outcome.name}{pages} : {state}"


def warning_line(outcome: Outcome) -> str:
    """One line for what comparing a document with the one before would tell; "" when there is nothing to say."""
    if not outcome.warnings:
        return ""
    said = " ; ".join(f"{fault.place.note or fault.place.file} : {fault.read}" for fault in outcome.warnings)
    code = outcome.warnings[0].code
    return f"{outcome.title or outcome.name} : avant de diffuser, lisez docs/erreurs.md#{code.lower()} ({said})"


def _anomaly_lines(outcomes: Sequence[Outcome]) -> list[str]:
    """What the automatic checks found, document by document: a document that was made is not always one to send."""
    lines = []
    for outcome in outcomes:
        if outcome.ok:
            page = outcome.documents[0] if outcome.documents else outcome.kind
            for name, check in {page: outcome.check, **outcome.others.checks}.items():
                found = check.get("anomalies", [])
                more = f" (et {len(found) - 1} autres)" if len(found) > 1 else ""
                lines += [f"{outcome.title or outcome.name}, {name}, à relire : {found[0]}{more}"] if found else []
    return lines


def summary(outcomes: Sequence[Outcome]) -> str:
    """The French account of a batch: how many, then each failure with its messages."""
    failed = [outcome for outcome in outcomes if not outcome.ok]
    reports = {outcome.name for outcome in failed if outcome.kind == "rapport"}
    kept = sum(outcome.unchanged for outcome in outcomes if outcome.ok)
    made = sum(max(1, len(outcome.documents)) for outcome in outcomes if outcome.ok and not outcome.unchanged)
    lines = [plural(made, "document produit", "documents produits") + "."] if made or not kept else []
    if kept:
        lines.append(
            plural(kept, "document déjà à jour, laissé tel quel", "documents déjà à jour, laissés tels quels") + "."
        )
    lines.extend(note for outcome in outcomes for note in outcome.others.notes)
    lines.extend(_anomaly_lines(outcomes))
    if failed:
        lines.append(
            plural(len(failed), "document n'a pas pu être produit :", "documents n'ont pas pu être produits :")
        )
    for outcome in failed:
        if outcome.kind == "comite" and outcome.name in reports:
            continue  # what stops a report stops the two pages made from the same dossier: said once
        lines.append(f"\n--- {outcome.title or outcome.name}")
        lines.extend(str(fault) for fault in outcome.faults)
    return "\n".join(lines)
