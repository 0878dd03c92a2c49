"""Small things done with files that evalkit keeps beside those of people: a name nothing has yet, a JSON read if it can be."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def first_free(name: Callable[[int], Path], start: int = 1) -> Path:
    """The first of these numbered names that nothing has: no file of a person is ever overwritten.

    A number and no date, so that two machines agree.
    """
    return next(path for path in map(name, itertools.count(start)) if not path.exists())


def place_of(dossier: Path) -> Path:
    """Where a dossier lies: a link stays where it is when its campaign is there, else it is what it leads to."""
    there = dossier.resolve()
    if dossier.name in ("", ".."):
        return there
    here = dossier.parent.resolve() / dossier.name
    moved = there.parent != here.parent
    return here if moved and (here.parent / "campagne.yml").is_file() else there


def read_json_object(path: Path) -> dict[str, Any]:
    """What a JSON file of ours says; nothing when it is not there, damaged, or not an object."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
