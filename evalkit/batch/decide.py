"""What must be made again, and why: from content alone, before any heavy library is imported."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from evalkit.batch import inputs
from evalkit.batch.plan import SYNTHESIS_NOTEBOOK, Task
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
    key: bytes = field(repr=False)
    _seen: dict[str, str] = field(default_factory=dict, repr=False)

    def file(self, path: Path) -> str:
        """Digest of a file that several documents may share: read once."""
        return self._once(str(path), inputs.file_digest)

    def dossier(self, path: str) -> str:
        """Digest of a dossier of another campaign: read once."""
        return self._once(path, inputs.dossier_digest)

    def _once(self, path: str, read: Callable[[bytes, Path], str]) -> str:
        if path not in self._seen:
            self._seen[path] = read(self.key, Path(path))
        return self._seen[path]


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
    return Photo(candidats, shared, key)


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


def made_from(task: Task, campagne: Path, campaign: Campaign, photo: Photo) -> dict[str, str]:
    """Digests, by kind, of the bytes that one document is made from."""
    said = json.dumps([campagne.name, _options(task, photo)], ensure_ascii=False, sort_keys=True, default=str)
    found = {
        **photo.shared,
        "carnet": photo.file(task.notebook),
        "parametres": inputs.digest(photo.key, said.encode()),
    }
    if task.dossier is None:
        return found | {"territoires": _territories(campagne, campaign, photo)}
    return found | {
        "reference": photo.file(campagne / campaign.reference) if campaign.reference else "",
        "dossier": photo.candidats.get(task.dossier.name, ""),
        "precedent": _previous(campagne, campaign, task.dossier, photo),
    }


def _territories(campagne: Path, campaign: Campaign, photo: Photo) -> str:
    """Digest of what a synthesis reads: every dossier, with the previous campaign, and not the reference."""
    before = [inputs.without_key(_previous(campagne, campaign, path, photo)) for path in campaign.dossiers]
    now = {name: inputs.without_key(found) for name, found in photo.candidats.items()}
    return inputs.digest(photo.key, json.dumps([now, before]).encode())


def is_synthesis(kept: Mapping[str, Any]) -> bool:
    """Whether what the state keeps is about a synthesis that was made."""
    return bool(kept["journal"]["genre"] == "synthese" and kept["journal"]["etat"] == "reussi")


def late_synthesis(kept: Mapping[str, Any], campagne: Path, campaign: Campaign, photo: Photo) -> list[str]:
    """Why a synthesis that was made is not up to date with the campaign; empty when it is, or when it could not be made."""
    if not is_synthesis(kept) or not kept["faits_de"]:
        return []
    notebook = photo.file(resource_dir("notebooks") / SYNTHESIS_NOTEBOOK)
    now = {**photo.shared, "carnet": notebook, "territoires": _territories(campagne, campaign, photo)}
    return [_FRENCH[name] for name in now if now[name] != kept["faits_de"].get(name)]


# Where things are and how long they may take does not change what is drawn; the notebook and the dossier are read apart.
_NOT_OPTIONS = frozenset("notebook output dossier known key seconds memory_mb parameters".split())
_OPTIONS = tuple(one.name for one in fields(Task) if one.name not in _NOT_OPTIONS)


def _options(task: Task, photo: Photo) -> dict[str, Any]:
    """All that is asked of a document besides its data: whatever a task comes to hold is part of it."""
    options = {name: getattr(task, name) for name in _OPTIONS}
    options = {name: photo.file(value) if isinstance(value, Path) else value for name, value in options.items()}
    parameters = {name: value for name, value in task.parameters.items() if name not in ("dossier", "campagne")}
    return options | {"parametres": parameters}


def _previous(campagne: Path, campaign: Campaign, dossier: Path, photo: Photo) -> str:
    """Digest of the same territory in the previous campaign."""
    if not campaign.precedente:
        return ""
    return photo.dossier(os.path.join(campagne.parent, campaign.precedente, dossier.name))


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
    folder = str(task.output.parent)
    lost = [
        name
        for name, photo in kept["sorties"].items()
        if not inputs.still_the_same(os.path.join(folder, name), photo, key)
    ]
    if lost:
        missing = {name for name in lost if not os.path.exists(os.path.join(folder, name))}
        if missing == set(kept["sorties"]):
            reasons = ["rien de lui n'est dans ce dossier de sortie"]
        else:
            reasons = [f"{name} {'manque' if name in missing else 'a été modifié'}" for name in lost]
        return Decision(task.document, "produire", (*reasons, *(_FRENCH[name] for name in changed)), found)
    if not changed:
        return Decision(task.document, "garder", (), found)
    reasons = [_FRENCH[name] for name in changed]
    sure = not kept["parties"] or any(name in _ALWAYS for name in changed)
    return Decision(task.document, "produire" if sure else "comparer", tuple(reasons), found)


def explain(decisions: Iterable[Decision]) -> list[str]:
    """One French line per document: what will be done, and why."""
    words = {
        "garder": "à jour",
        "comparer": "à relire, et à refaire si ce que le document en dit a changé",
        "produire": "à produire",
    }
    return [
        f"{one.name} : {'pas réessayé' if one.action == 'garder' and one.reasons else words[one.action]}"
        + (f" ({' ; '.join(one.reasons)})" if one.reasons else "")
        for one in decisions
    ]
