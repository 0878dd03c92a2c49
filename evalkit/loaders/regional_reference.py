"""``reference_regionale.json``: is it what evalkit freezes? A report never draws a file that it could not have written."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalkit.loaders.cells import read_date

_LEVELS = 6
_QUARTILES = ("q1", "mediane", "q3")


def kept_references(campagne: Path) -> dict[Path, dict[str, Any]]:
    """Frozen references of a campaign, the last one and the dated ones; one that cannot be read tells nothing."""
    out = {}
    for path in sorted(campagne.glob("reference_regionale*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(content, dict):
            out[path] = content
    return out


def wrong_reference(content: Any, minimum: float) -> str:
    """What is wrong, as read, in French; "" when the content is a reference.

    Parameters
    ----------
    content
        Plain data of the JSON file.
    minimum
        Fewest territories that a published figure stands on (rule ``seuil_territoires``).
    """
    if not isinstance(content, dict) or content.get("format") != 1 or isinstance(content.get("format"), bool):
        return "un fichier d’une autre forme"
    missing = [name for name in ("campagne", "date", "referentiel_version") if not isinstance(content.get(name), str)]
    blocks = {name: content.get(name) for name in ("indicateurs", "niveaux", "questions")}
    missing += [name for name, block in blocks.items() if not isinstance(block, dict)]
    if missing:
        return f"un fichier sans {', '.join(f'« {name} »' for name in missing)}"
    if len(str(read_date(content["date"]).value)) != len("2022-11-30"):
        return "une date qui n’en est pas une"
    if not _names(content.get("territoires", [])):
        return "des noms de territoires illisibles"
    for name, block in blocks.items():
        entries: Mapping[str, Any] = block or {}
        for code, entry in entries.items():
            said = _wrong_entry(entry, minimum, quartiles=name == "indicateurs")
            if said:
                return f"« {code} » : {said}"
    return ""


def _wrong_entry(entry: Any, minimum: float, *, quartiles: bool) -> str:
    if not isinstance(entry, dict) or not _whole(entry.get("n")):
        return "sans nombre de territoires"
    if entry["n"] < minimum:
        return f"un chiffre établi sur moins de {minimum:.0f} territoires"
    if quartiles:
        values = [entry.get(name) for name in _QUARTILES]
        numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v)]
        if len(numbers) != len(_QUARTILES) or numbers != sorted(numbers):
            return "des quartiles absents, ou qui ne se suivent pas"
        return ""
    counts = entry.get("effectifs")
    if not isinstance(counts, list) or len(counts) != _LEVELS or not all(_whole(count) for count in counts):
        return "des effectifs absents, ou illisibles"
    return "" if sum(counts) == entry["n"] else "des effectifs dont la somme n’est pas le nombre de territoires"


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
