"""What a territory's report really uses, part by part: digests of the data as read, not of the files.

Written down by the kernel that read them (:func:`note`), compared before drawing again (:func:`parts_of`): a workbook saved
again, a comment added to a YAML file, a module that the territory does not evaluate change the bytes and change nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.batch.inputs import digest

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.model.dossier import Dossier
    from evalkit.model.referentiel import Referentiel

NOTE = "EVALKIT_PARTIES"  # environment of a kernel: where it writes the parts of what it has read
_NAMES = {
    "territoire": "l'identité du territoire",
    "campagne": "campagne.yml",
    "contexte": "les chiffres de contexte de ses quartiers",
    "precedents": "les constats de la campagne précédente",
    "reference": "la référence régionale",
    "textes": "les textes libres",
    "local": "la couche locale",
    "ecartees": "les enquêtes laissées de côté",
    "avertissements": "le nombre de points douteux",
    "empreinte": "la clé d'empreinte",
    "referentiel": "la partie commune du référentiel",
}


def parts_of(dossier: Dossier, referentiel: Referentiel) -> dict[str, str]:
    """Digest of each part of a dossier as read, and of the parts of the framework that its report shows.

    Not keyed: to be kept only after :func:`keyed`.
    """
    content: dict[str, Any] = {
        "territoire": asdict(dossier.territoire),
        "campagne": asdict(dossier.campagne),
        "contexte": _columns(dossier.contexte),
        "precedents": _columns(dossier.precedents),
        "reference": dossier.reference,
        "textes": dict(dossier.textes),
        "local": dossier.local,
        "ecartees": dict(dossier.enquetes_ecartees),
        "avertissements": len(dossier.avertissements),
        "empreinte": dossier.empreinte,
    }
    content |= {f"table {name}": _columns(table) for name, table in dossier.tables.items()}
    content |= {f"enquete {code}": _columns(table) for code, table in dossier.enquetes.items()}
    content |= {f"import {code}": said for code, said in dossier.enquetes_import.items()}
    wanted = dossier.territoire.modules or dossier.campagne.modules
    framework = framework_parts(referentiel)
    kept = [name for name in framework if name == "referentiel" or not wanted or name.partition(" ")[2] in wanted]
    return {name: _hash(value) for name, value in content.items()} | {name: framework[name] for name in kept}


_FRAMEWORK: list[tuple[Any, dict[str, str]]] = []  # the last framework seen, held so that its identity is its own


def framework_parts(referentiel: Referentiel) -> dict[str, str]:
    """Digest of each module, and of all that is common to them."""
    if not (_FRAMEWORK and _FRAMEWORK[0][0] is referentiel):
        common = referentiel.model_copy(update={"modules": ()}).model_dump(mode="json")
        common["modules"] = [module.code for module in referentiel.modules]
        parts = {"referentiel": _hash(common)}
        parts |= {f"module {module.code}": _hash(module.model_dump(mode="json")) for module in referentiel.modules}
        _FRAMEWORK[:] = [(referentiel, parts)]
    return dict(_FRAMEWORK[0][1])


def _columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    return {str(name): table[name].tolist() for name in table.columns}


def _hash(content: Any) -> str:
    text = json.dumps(_text_keys(content), ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


_PLAIN = {str, int, float, bool, type(None)}


def _text_keys(value: Any) -> Any:
    if isinstance(value, list) and _PLAIN.issuperset(map(type, value)):
        return value  # a column, most of the time: nothing in it has keys
    if isinstance(value, Mapping):  # `3:` and `"3":` are two keys, and cannot be put in order together as they are
        return {f"{type(key).__name__}:{key}": _text_keys(item) for key, item in value.items()}
    return [_text_keys(item) for item in value] if isinstance(value, list | tuple) else value


def keyed(parts: Mapping[str, str], key: bytes) -> dict[str, str]:
    """The same digests under the campaign's key: what is kept says nothing to whoever does not have it."""
    return {name: digest(key, value.encode()) for name, value in parts.items()}


_READ: list[tuple[Any, Any]] = []  # the last territory that this kernel read


def read_once(asked: Any, read: Callable[[], Any]) -> Any:
    """What ``read()`` gives; under a batch, what it gave for the same request: both documents of a territory show one reading.

    Elsewhere every call reads again: in JupyterLab a person corrects the dossier and runs the cell again.
    """
    target = os.environ.get(NOTE)  # one per kernel: what another one read is never served
    if not target:
        return read()
    if not (_READ and _READ[0][0] == (target, asked)):
        _READ[:] = [((target, asked), read())]
    return _READ[0][1]


def note(dossier: Dossier, referentiel: Referentiel) -> None:
    """Write down the parts of what was just read, where the batch that runs this kernel asked for them."""
    target = os.environ.get(NOTE)
    if not target:
        return
    path, parts = Path(target), _parts_once(dossier, referentiel)
    if path.exists() and read_note(path) != parts:
        parts = {}  # two dossiers, or two states of one: which one was drawn is not known
    path.write_text(json.dumps(parts), encoding="utf-8")


_NOTED: list[tuple[Any, Any, dict[str, str]]] = []  # the last reading noted, held so that its identity is its own


def _parts_once(dossier: Dossier, referentiel: Referentiel) -> dict[str, str]:
    if not (_NOTED and _NOTED[0][0] is dossier and _NOTED[0][1] is referentiel):
        _NOTED[:] = [(dossier, referentiel, parts_of(dossier, referentiel))]
    return dict(_NOTED[0][2])


def note_excluded(excluded: Sequence[tuple[str, str]]) -> None:
    """Write down the dossiers that a synthesis leaves out, and why, where the batch asked for the parts."""
    target = os.environ.get(NOTE)
    if target:
        Path(f"{target}.exclus").write_text(json.dumps(list(excluded)), encoding="utf-8")


def take_notes(path: Path) -> tuple[dict[str, str], list[tuple[str, str]], dict[str, Any]]:
    """What one notebook wrote down (parts, dossiers left out, bases), taken away: the next one of this kernel writes its own."""
    found = read_note(path), read_excluded(path), read_published(path)
    for written in (path, Path(f"{path}.exclus"), Path(f"{path}.publie")):
        written.unlink(missing_ok=True)
    return found


def read_excluded(path: Path) -> list[tuple[str, str]]:
    """Dossiers left out by the synthesis whose kernel wrote beside ``path``."""
    try:
        return [
            (str(name), str(codes)) for name, codes in json.loads(Path(f"{path}.exclus").read_text(encoding="utf-8"))
        ]
    except (OSError, ValueError):
        return []


def note_published(what: str, bases: Mapping[str, Any], minimum: float) -> None:
    """Write down the bases of what was just made publishable, where the batch asked for the parts.

    ``what``: path of the dossier, or ``synthese``: a notebook may read several. ``minimum``: under which a difference tells who.
    """
    target = os.environ.get(NOTE)
    if not target:
        return
    path = Path(f"{target}.publie")
    noted = {**read_note(path), what: {"bases": bases, "minimum": minimum}}
    path.write_text(json.dumps(noted), encoding="utf-8")


def read_published(path: Path) -> dict[str, Any]:
    """What :func:`note_published` wrote beside ``path``."""
    return read_note(Path(f"{path}.publie"))


def read_note(path: Path) -> dict[str, str]:
    """Parts written down by a kernel; none when its notebook did not read a dossier, or read several."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def explain(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """French names of the parts that differ."""
    return [label(name) for name in sorted({*before, *now}) if before.get(name) != now.get(name)]


def label(part: str) -> str:
    """How a part is called in front of people."""
    kind, _, name = part.partition(" ")
    kinds = {
        "table": f"la table « {name} »",
        "enquete": f"les réponses à {name}",
        "import": f"l'import de {name}",
        "module": f"le module « {name} » du référentiel",
    }
    return kinds.get(kind) or _NAMES[part]
