"""What must be made again, and why: from content alone, before any heavy library is imported."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from evalkit.batch import inputs
from evalkit.batch.plan import Task
from evalkit.batch.state import State
from evalkit.loaders.resources import resource_dir

# A difference here is a difference in the document, or may be one: it is drawn again. The others are looked into first.
_ALWAYS = ("evalkit", "bibliotheques", "carnet", "parametres")
_FRENCH = {
    "evalkit": "evalkit a changé (code ou modèles de page)",
    "bibliotheques": "une bibliothèque a changé de version",
    "carnet": "le carnet a changé",
    "parametres": "les paramètres ont changé",
    "referentiel": "le référentiel a changé",
    "campagne": "campagne.yml a changé",
    "contexte": "contexte.parquet a changé",
    "reference": "la référence régionale a changé",
    "dossier": "le dossier a changé",
    "precedent": "le dossier de la campagne précédente a changé",
    "territoires": "un dossier de la campagne a changé",
}
_MADE_AGAIN = "LOT-"  # a failure of the machine may not happen twice; one of the data will


@dataclass(frozen=True)
class Photo:
    """A campaign as it is on disk: digests of its dossiers (``candidats``, by name in the folder) and of what they share."""

    candidats: Mapping[str, str]
    shared: Mapping[str, str]


@dataclass(frozen=True)
class Decision:
    """What to do of one document. ``action``: ``garder``, ``comparer`` (its parts, before drawing) or ``produire``."""

    name: str
    action: str
    reasons: tuple[str, ...] = ()
    made_from: Mapping[str, str] = field(default_factory=dict)


def take_photo(campagne: Path, state: State) -> Photo:
    """Read every file of a campaign that a document may be made from."""
    key = state.key
    candidats = {}
    for name, path in candidates(campagne):
        candidats[name] = inputs.folder_digest(key, path) if path.is_dir() else inputs.workbook_digest(key, path)
    shared = {
        "evalkit": inputs.code_digest(key),
        "bibliotheques": inputs.digest(key, json.dumps(inputs.library_versions()).encode()),
        "referentiel": inputs.tree_digest(key, resource_dir("referentiel"), (".yml", ".yaml")),
        "campagne": inputs.file_digest(key, campagne / "campagne.yml"),
        "contexte": inputs.file_digest(key, campagne / "contexte.parquet"),
    }
    return Photo(candidats, shared)


# The folders that `loaders.dossier.list_dossiers` never looks into (a test compares the two lists).
NOT_CANDIDATES = frozenset({"contexte_source", "enquetes", "sorties", "textes", "__pycache__"})


def candidates(campagne: Path) -> list[tuple[str, Path]]:
    """Whatever may be a dossier, by name: the loaders say later which ones are."""
    found = []
    with os.scandir(campagne) as entries:
        for entry in entries:
            if entry.name.startswith((".", "~", "_")):
                continue
            if (entry.is_dir() and entry.name not in NOT_CANDIDATES) or (
                entry.is_file() and entry.name.lower().endswith(".xlsx") and entry.name != "travail.xlsx"
            ):
                found.append((entry.name, Path(entry.path)))
    return sorted(found)


@dataclass(frozen=True)
class Campaign:
    """The little that is needed of a campaign before anything is read: its dossiers, and what ``campagne.yml`` names."""

    dossiers: tuple[Path, ...]
    precedente: str
    reference: str


def know_campaign(campagne: Path, photo: Photo, state: State) -> Campaign:
    """Dossiers and links of a campaign: those known, if nothing that could change them has changed; else read.

    Raises
    ------
    EvalkitError
        Every fault of ``campagne.yml``.
    """
    seen = {"candidats": dict(photo.candidats), "campagne": photo.shared["campagne"]}
    kept = state.content.get("campagne")
    if not kept or kept["vu"] != seen:
        from evalkit.loaders.dossier import list_dossiers, load_campagne

        identity = load_campagne(campagne)
        kept = {
            "vu": seen,
            "dossiers": [path.name for path in list_dossiers(campagne)],
            "precedente": identity.campagne_precedente,
            "reference": identity.reference_regionale,
        }
        state.content["campagne"] = kept
    dossiers = tuple(campagne / name for name in kept["dossiers"])
    return Campaign(dossiers, kept["precedente"] or "", kept["reference"] or "")


def made_from(task: Task, campagne: Path, campaign: Campaign, photo: Photo, key: bytes) -> dict[str, str]:
    """Digests, by kind, of the bytes that one document is made from."""
    said = json.dumps([campagne.name, _options(task, key)], ensure_ascii=False, sort_keys=True, default=str)
    found = {
        **photo.shared,
        "carnet": inputs.file_digest(key, task.notebook),
        "parametres": inputs.digest(key, said.encode()),
    }
    if task.dossier is None:  # a synthesis: every dossier, read with the previous campaign, and not the reference
        before = [_previous(campagne, campaign, path, key) for path in campaign.dossiers]
        return found | {"territoires": inputs.digest(key, json.dumps([dict(photo.candidats), before]).encode())}
    reference = inputs.file_digest(key, campagne / campaign.reference) if campaign.reference else ""
    return found | {
        "reference": reference,
        "dossier": photo.candidats.get(task.dossier.name, ""),
        "precedent": _previous(campagne, campaign, task.dossier, key),
    }


# Where things are and how long they may take does not change what is drawn; the notebook and the dossier are read apart.
_NOT_OPTIONS = frozenset("notebook output dossier known key seconds memory_mb parameters".split())


def _options(task: Task, key: bytes) -> dict[str, Any]:
    """All that is asked of a document besides its data: whatever a task comes to hold is part of it."""
    options = {one.name: getattr(task, one.name) for one in fields(task) if one.name not in _NOT_OPTIONS}
    options = {
        name: inputs.file_digest(key, value) if isinstance(value, Path) else value for name, value in options.items()
    }
    parameters = {name: value for name, value in task.parameters.items() if name not in ("dossier", "campagne")}
    return options | {"parametres": parameters}


def _previous(campagne: Path, campaign: Campaign, dossier: Path, key: bytes) -> str:
    """Digest of the same territory in the previous campaign."""
    return (
        inputs.dossier_digest(key, campagne.parent / campaign.precedente / dossier.name) if campaign.precedente else ""
    )


def decide(task: Task, found: Mapping[str, str], kept: Mapping[str, Any], key: bytes) -> Decision:
    """Whether a document must be made again.

    Parameters
    ----------
    found
        What it would be made from now (:func:`made_from`).
    kept
        What the state knows of the last time: ``faits_de``, ``parties``, ``sorties``, ``journal``.
    """
    if not kept:
        return Decision(task.document, "produire", ("jamais produit",), found)
    before = kept["faits_de"]
    changed = [name for name in found if found[name] != before.get(name)]
    if kept["journal"]["etat"] != "reussi":
        codes = [fault["code"] for fault in kept["journal"]["anomalies"]]
        if changed or not codes or any(code.startswith(_MADE_AGAIN) for code in codes):
            return Decision(task.document, "produire", ("il avait échoué",), found)
        return Decision(task.document, "garder", ("il ne peut pas être fait : son dossier n'a pas changé",), found)
    lost = [name for name, photo in kept["sorties"].items() if not _same_output(task.output.parent / name, photo, key)]
    if lost:
        reasons = [f"{name} manque ou a été modifié" for name in lost]
        return Decision(task.document, "produire", (*reasons, *(_FRENCH[name] for name in changed)), found)
    if not changed:
        return Decision(task.document, "garder", (), found)
    reasons = [_FRENCH[name] for name in changed]
    sure = not kept["parties"] or any(name in _ALWAYS for name in changed)
    return Decision(task.document, "produire" if sure else "comparer", tuple(reasons), found)


def _same_output(path: Path, kept: Mapping[str, Any], key: bytes) -> bool:
    return inputs.still_the_same(path, kept, key)


def explain(decisions: Iterable[Decision]) -> list[str]:
    """One French line per document: what will be done, and why."""
    words = {"garder": "à jour", "comparer": "à comparer", "produire": "à produire"}
    return [
        f"{one.name} : {words[one.action]}" + (f" ({'; '.join(one.reasons)})" if one.reasons else "")
        for one in decisions
    ]
