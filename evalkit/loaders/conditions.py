"""Conditions written in YAML (applicability rules, filters over actions): what makes them impossible."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evalkit.loaders.pydantic_faults import nearest, show_value
from evalkit.loaders.yaml_files import KeyPath
from evalkit.model.base import OPERATORS

_FRAMEWORK_CODE = re.compile(r"^[A-Z]+\d*(\.\d+(\.[a-z])?)?$")


@dataclass(frozen=True)
class Problem:
    """One thing wrong, at a path inside the condition."""

    path: KeyPath
    read: str
    expected: str
    fix: str


def check_condition(
    condition: Any, facts: Mapping[str, str], choices: Mapping[str, tuple[str, ...]], *, must_explain: bool
) -> Iterator[Problem]:
    """Every problem of one condition.

    Parameters
    ----------
    condition
        As read; ``None`` has no problem, a malformed one is said by the models.
    facts
        Names that may be compared -> kind (``bool`` for true/false, ``int`` for numbers, text otherwise).
    choices
        Closed list of values, for the names that have one.
    must_explain
        The reader must be told why the object does not apply.
    """
    if not isinstance(condition, dict):
        return
    groups = [key for key in ("tous", "un_de") if condition.get(key) is not None]
    if len(groups) != 1:
        yield Problem(
            (),
            "« tous » et « un_de » ensemble" if groups else "ni « tous » ni « un_de »",
            "« tous » (toutes les comparaisons) ou « un_de » (au moins une)",
            "gardez-en un seul",
        )
    if must_explain and not condition.get("explication"):
        yield Problem(
            (),
            "pas d’explication",
            "« explication » : la phrase qui dit au lecteur pourquoi l’objet ne s’applique pas",
            "ajoutez une ligne « explication: … »",
        )
    for group in groups:
        comparisons = condition[group]
        if not isinstance(comparisons, list):
            continue
        if not comparisons:
            yield Problem((group,), "une liste vide", "au moins une comparaison", "ajoutez une comparaison")
        for index, comparison in enumerate(comparisons):
            if isinstance(comparison, dict):
                yield from _comparison(comparison, (group, index), facts, choices)
        if group == "tous":
            yield from _contradictions([item for item in comparisons if isinstance(item, dict)], (group,))


def _comparison(
    comparison: Mapping[Any, Any], path: KeyPath, facts: Mapping[str, str], choices: Mapping[str, tuple[str, ...]]
) -> Iterator[Problem]:
    name = comparison.get("fait")
    operators = [operator for operator in OPERATORS if comparison.get(operator) is not None]
    if isinstance(name, str) and name not in facts:
        yield _unknown(name, path, facts)
    if len(operators) != 1:
        yield Problem(
            path,
            "aucun opérateur" if not operators else "plusieurs opérateurs : " + ", ".join(operators),
            "un opérateur et un seul parmi : " + ", ".join(OPERATORS),
            "gardez une comparaison par ligne de la liste",
        )
        return
    operator = operators[0]
    value = comparison[operator]
    allowed = choices.get(str(name))
    values = value if isinstance(value, list) else [value]
    if allowed and operator in ("egal", "different", "parmi"):
        for wrong in (item for item in values if item not in allowed):
            near = nearest(str(wrong), allowed)
            fix = f"écrivez {near} ?" if near else "corrigez la valeur"
            yield Problem((*path, operator), show_value(wrong), "l’une de ces valeurs : " + ", ".join(allowed), fix)
    if operator == "parmi" and value == []:
        yield Problem(
            (*path, operator), "une liste vide", "au moins une valeur", "aucune valeur ne conviendrait jamais"
        )
    kind = facts.get(str(name), "")
    if kind == "bool" and not (operator == "renseigne" or isinstance(value, bool)):
        yield Problem((*path, operator), show_value(value), "true ou false", "écrivez true ou false, sans guillemets")
    if kind.startswith("int") and operator == "egal" and (isinstance(value, bool) or not isinstance(value, int)):
        yield Problem((*path, operator), show_value(value), "un nombre entier", "écrivez un nombre, sans guillemets")


def _unknown(name: str, path: KeyPath, facts: Mapping[str, str]) -> Problem:
    if _FRAMEWORK_CODE.match(name):
        return Problem(
            (*path, "fait"),
            f"« {name} », qui est un code du référentiel",
            "un fait du territoire : une règle qui dépendrait d’un résultat tournerait en rond",
            "remplacez-le par l’un de ces faits : " + ", ".join(sorted(facts)),
        )
    near = nearest(name, facts)
    return Problem(
        (*path, "fait"),
        f"« {name} »",
        "l’un de ces noms : " + ", ".join(sorted(facts)),
        f"écrivez {near} ?" if near else "corrigez le nom",
    )


def _contradictions(comparisons: list[dict[Any, Any]], path: KeyPath) -> Iterator[Problem]:
    """Comparisons of one fact that no territory can satisfy together."""
    by_fact: dict[str, list[dict[Any, Any]]] = {}
    for comparison in comparisons:
        by_fact.setdefault(str(comparison.get("fait")), []).append(comparison)
    for name, same in by_fact.items():
        if _impossible(same):
            yield Problem(
                path,
                f"deux comparaisons de « {name} » qui ne peuvent pas être vraies ensemble",
                "des comparaisons qu’un territoire peut satisfaire",
                "supprimez l’une des deux, ou employez « un_de »",
            )


def _impossible(same: list[dict[Any, Any]]) -> bool:
    low, high, strict = float("-inf"), float("inf"), False
    allowed: list[Any] | None = None
    for item in same:
        for value in (item.get("superieur_ou_egal"), item.get("superieur")):
            low = max(low, value) if isinstance(value, int | float) else low
        for value in (item.get("inferieur_ou_egal"), item.get("inferieur")):
            high = min(high, value) if isinstance(value, int | float) else high
        strict = strict or item.get("superieur") is not None or item.get("inferieur") is not None
        if item.get("egal") is not None or isinstance(item.get("parmi"), list):
            values = [item["egal"]] if item.get("egal") is not None else item["parmi"]
            allowed = values if allowed is None else [value for value in allowed if value in values]
    forbidden = [item["different"] for item in same if item.get("different") is not None]
    if allowed is not None:
        return not [value for value in allowed if value not in forbidden and _between(value, low, high)]
    return low > high or (low == high and strict)


def _between(value: Any, low: float, high: float) -> bool:
    return not isinstance(value, int | float) or isinstance(value, bool) or low <= value <= high
