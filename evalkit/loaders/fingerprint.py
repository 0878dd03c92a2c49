"""Keyed fingerprint of a dossier's data: says that two documents come from the same data, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.errors import fail
from evalkit.model.territory import PRESENTATION

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.model.territory import Territory

STATE_FOLDER = ".evalkit"
_SHORTEST_KEY = 16  # bytes
_PRINTED_IN_ORDER = ("constats", "verbatims")  # the report follows the order in which these are written


def key_path(dossier: Path) -> Path:
    """Where the key of a dossier lies: ``<dossier>/.evalkit/cle``, or ``.evalkit/<nom>.cle`` beside a lone workbook."""
    if dossier.is_dir():
        return dossier / STATE_FOLDER / "cle"
    return dossier.parent / STATE_FOLDER / f"{dossier.stem}.cle"


def read_key(dossier: Path) -> bytes:
    """The key of a dossier, empty when there is none, or none that keeps a fingerprint from being guessed."""
    try:
        key = bytes.fromhex(key_path(dossier).read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return b""
    return key if len(key) >= _SHORTEST_KEY else b""


def ensure_key(dossier: Path) -> bytes:
    """The key of a dossier, made once, readable by its owner only where the system allows it.

    Raises
    ------
    EvalkitError
        DON-027: the key is there but damaged, or nothing can be written beside the dossier.
    """
    dossier = Path(dossier)
    found = read_key(dossier)
    if found:
        return found
    path = key_path(dossier)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise fail(
            "DON-027",
            path,
            read="une clé abîmée, ou un emplacement où l’on ne peut pas écrire",
            expected="un fichier que l’on peut créer à côté du dossier",
            fix="si le fichier existe, reprenez-le d’une sauvegarde ou supprimez-le ; sinon vérifiez les droits",
        ) from error
    key = secrets.token_bytes(32)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
    return key


def fingerprint(
    key: bytes,
    territory: Territory,
    tables: Mapping[str, pd.DataFrame],
    textes: Mapping[str, str],
    local: Mapping[str, Any] | None,
    enquetes: Mapping[str, pd.DataFrame] | None = None,
    enquetes_import: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """Hexadecimal BLAKE2b of the data as read, so that the way they were saved does not matter; "" without a key.

    Answers to questionnaires count by their content: whether they were imported or left in ``brut/`` makes no difference.
    """
    if not key:
        return ""
    content = {
        "territoire": {name: value for name, value in asdict(territory).items() if name not in PRESENTATION},
        "tables": {name: _rows(name, tables[name]) for name in sorted(tables)},
        "textes": dict(textes),
        "local": local,
    }
    if enquetes:
        content["enquetes"] = {code: _answers(enquetes[code]) for code in sorted(enquetes)}
        content["enquetes_import"] = {
            code: {key: value for key, value in info.items() if key != "outil"}
            for code, info in (enquetes_import or {}).items()
        }
    content = _text_keys(content)
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), key=key[:64], digest_size=16).hexdigest()


def _text_keys(value: Any) -> Any:
    """Plain data whose keys are all text: a YAML file may mix ``3:`` and ``a:``, which cannot be put in order together."""
    if isinstance(value, Mapping):
        return {str(key): _text_keys(item) for key, item in value.items()}
    return [_text_keys(item) for item in value] if isinstance(value, list | tuple) else value


def _answers(frame: pd.DataFrame) -> list[Any]:
    """Titles, then answers in an order that does not depend on the file."""
    columns = sorted(column for column in frame.columns if column != "ligne")
    return [columns, *_rows("", frame[columns])]


def _rows(name: str, table: pd.DataFrame) -> list[list[Any]]:
    columns = [table[column].tolist() for column in table.columns]
    rows = [["" if cell != cell else cell for cell in row] for row in zip(*columns, strict=True)]
    return rows if name in _PRINTED_IN_ORDER else sorted(rows, key=lambda row: [str(cell) for cell in row])
