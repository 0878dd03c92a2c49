"""Reproducible chance: every draw has its own name, so that adding one changes none of the others."""

from __future__ import annotations

import random

GRAINE = "evalkit-exemples-1"


def tirage(*noms: object) -> random.Random:
    """Give a generator that depends on its names only (never on the order of calls, nor on the interpreter's hash)."""
    return random.Random("|".join([GRAINE, *(str(nom) for nom in noms)]))
