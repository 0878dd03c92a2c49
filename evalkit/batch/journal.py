"""What happened in a batch: success, failure (territory, notebook, cell, cause), duration; in French and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evalkit.batch.runner import Outcome, write_whole
from evalkit.wording import format_number, plural


def as_dict(campagne: str, outcomes: Sequence[Outcome], earlier: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """The journal as plain data; keys in French because people open it.

    ``earlier``: entries of a previous run; those that this run did again are replaced, the others stay.
    """
    redone = {outcome.name for outcome in outcomes}
    documents = [entry for entry in earlier if entry["nom"] not in redone] + [_entry(outcome) for outcome in outcomes]
    documents.sort(key=lambda entry: entry["nom"])
    succeeded = sum(entry["etat"] == "reussi" for entry in documents)
    return {
        "campagne": campagne,
        "reussis": succeeded,
        "echecs": len(documents) - succeeded,
        "documents": documents,
    }


def _entry(outcome: Outcome) -> dict[str, Any]:
    return {
        "nom": outcome.name,
        "titre": outcome.title,
        "genre": outcome.kind,
        "etat": "reussi" if outcome.ok else "echec",
        "fichiers": list(outcome.documents),
        "duree_s": outcome.seconds,
        "carnet": outcome.notebook,
        "cellule": outcome.cell,
        "anomalies": [fault.as_dict() for fault in outcome.faults],
        "controle": outcome.check,
    }


def read_documents(path: Path) -> list[dict[str, Any]]:
    """Entries of the last run's journal; none when there is no journal, or one that cannot be read."""
    try:
        return list(json.loads(path.read_text(encoding="utf-8"))["documents"])
    except (OSError, ValueError, KeyError, TypeError):
        return []


def write_journal(
    path: Path, campagne: str, outcomes: Sequence[Outcome], earlier: Sequence[dict[str, Any]] = ()
) -> None:
    """Write ``journal.json``, whole or not at all."""
    text = json.dumps(as_dict(campagne, outcomes, earlier), ensure_ascii=False, indent=2) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode("utf-8"))


def progress_line(outcome: Outcome, done: int, total: int) -> str:
    """One line of progress for a terminal."""
    state = f"{format_number(outcome.seconds, 1)} s" if outcome.ok else "ÉCHEC"
    return f"[{done}/{total}] {outcome.title or outcome.name} : {state}"


def summary(outcomes: Sequence[Outcome]) -> str:
    """The French account of a batch: how many, then each failure with its messages."""
    failed = [outcome for outcome in outcomes if not outcome.ok]
    lines = [plural(len(outcomes) - len(failed), "document produit", "documents produits") + "."]
    if failed:
        lines.append(plural(len(failed), "document n'a pas pu l'être :", "documents n'ont pas pu l'être :"))
    for outcome in failed:
        lines.append(f"\n--- {outcome.title or outcome.name}")
        lines.extend(str(fault) for fault in outcome.faults)
    return "\n".join(lines)
