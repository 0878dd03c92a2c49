"""Invented answers to the questionnaires of the framework: any size, every condition respected, no clock, seeded."""

from __future__ import annotations

from random import Random
from typing import Any

import pandas as pd

from evalkit.compute.conditions import evaluate_comparison
from evalkit.model.referentiel import Referentiel
from evalkit.model.survey import Enquete, QuestionEnquete


def invented_answers(enquete: Enquete, sizes: dict[str, int], seed: int) -> pd.DataFrame:
    """Answers to one questionnaire; ``sizes``: number by part."""
    draw = Random(f"{enquete.code}-{seed}")
    tilt = {question.code: _tilt(question, draw) for question in enquete.questions}
    rows = []
    for partie, size in sizes.items():
        for _ in range(size):
            row: dict[str, Any] = {"ligne": len(rows) + 1, "partie": partie, "poids": 1.0}
            for question in enquete.questions:
                if question.partie == partie and _is_asked(question, row):
                    row[question.code] = _answer(question, tilt[question.code], draw)
            rows.append(row)
    columns = ["ligne", "partie", "poids", *(question.code for question in enquete.questions)]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"ligne": "int", "partie": "str", "poids": "float", **dict.fromkeys(columns[3:], "str")})


def _tilt(question: QuestionEnquete, draw: Random) -> list[float]:
    """Odds of each answer: some rare, some never given."""
    return [draw.choice((0, 0.3, 1, 3, 8)) + 0.02 for _ in question.choix]


def _is_asked(question: QuestionEnquete, row: dict[str, Any]) -> bool:
    condition = question.posee_si
    if condition is None:
        return True
    every = [_holds(c, row) for c in condition.tous or ()]
    some = [_holds(c, row) for c in condition.un_de or ()]
    return all(every) and (not some or any(some))


def _holds(comparison: Any, row: dict[str, Any]) -> bool:
    value = row.get(comparison.fait)
    if value is None:
        return False
    return any(evaluate_comparison(comparison, code) for code in str(value).split(";"))


def _answer(question: QuestionEnquete, tilt: list[float], draw: Random) -> str | None:
    if draw.random() < 0.05:
        return None
    if question.type == "texte":
        return "Réponse inventée."
    if question.type == "nombre":
        low = question.bornes.min if question.bornes and question.bornes.min is not None else 0
        high = question.bornes.max if question.bornes and question.bornes.max is not None else low + 40
        return str(int(draw.triangular(low, high, low + (high - low) / 4)))
    codes = [c.code for c in question.choix if not c.liste]
    odds = [t for c, t in zip(question.choix, tilt, strict=True) if not c.liste]
    if not codes:
        return None
    if question.type != "choix_multiple":
        return draw.choices(codes, odds)[0]
    alone = {c.code for c in question.choix if c.exclusif or c.silence}
    first = draw.choices(codes, odds)[0]
    if first in alone:
        return first
    more = [c for c, t in zip(codes, odds, strict=True) if c not in alone and draw.random() < t / 12]
    return ";".join(list(dict.fromkeys([first, *more]))[: question.maximum or 3])


# Number of answers by questionnaire and part, from very few to many.
SIZES: tuple[dict[str, dict[str, int]], ...] = (
    {
        "ENQ-ASSO": {"ensemble": 34},
        "ENQ-COM": {"ensemble": 6},
        "CONS-PART": {"ensemble": 13},
        "ENQ-CC": {"collectif": 3, "individuel": 19},
        "ENQ-LOG": {"ensemble": 60},
    },
    {
        "ENQ-ASSO": {"ensemble": 12},
        "ENQ-COM": {"ensemble": 14},
        "CONS-PART": {"ensemble": 8},
        "ENQ-CC": {"collectif": 11, "individuel": 27},
        "ENQ-LOG": {"ensemble": 240},
    },
)


def invented_surveys(referentiel: Referentiel, seed: int) -> dict[str, pd.DataFrame]:
    """Answers to every questionnaire, sizes by ``seed``."""
    sizes = SIZES[seed % len(SIZES)]
    return {e.code: invented_answers(e, sizes[e.code], seed) for e in referentiel.enquetes}
