"""Validation errors of pydantic, said in French, with the line of the YAML file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from evalkit.errors import Fault, Place
from evalkit.loaders.yaml_files import KeyPath, YamlFile

# pydantic's type of error -> what was expected.
_EXPECTED = {
    "string_type": "un texte (entre guillemets si c’est un nombre, une date, « true » ou « null »)",
    "string_too_short": "un texte qui n’est pas vide",
    "int_type": "un nombre entier",
    "int_parsing": "un nombre entier",
    "int_from_float": "un nombre entier",
    "float_type": "un nombre",
    "float_parsing": "un nombre, avec un point pour les décimales",
    "bool_type": "true ou false",
    "bool_parsing": "true ou false",
    "tuple_type": "une liste : [a, b], ou un tiret par ligne",
    "list_type": "une liste : [a, b], ou un tiret par ligne",
    "dict_type": "des lignes « clé: valeur »",
    "model_type": "des lignes « clé: valeur »",
    "model_attributes_type": "des lignes « clé: valeur »",
    "too_short": "une liste d’au moins un élément",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "au moins {}"),
    "less_than_equal": ("le", "au plus {}"),
    "greater_than": ("gt", "plus de {}"),
    "less_than": ("lt", "moins de {}"),
}


def faults_of(error: ValidationError, model: type[BaseModel], document: YamlFile, shown: str) -> list[Fault]:
    """Every fault of one file, one per place (a union of types gives several errors for one value)."""
    out: dict[KeyPath, Fault] = {}
    for detail in error.errors(include_url=False):
        # pydantic counts the valid children only: a list that is not empty was not too short.
        if detail["type"] == "too_short" and detail["input"]:
            continue
        path = _path_in(document.data, detail["loc"])
        # A missing or unknown key is about a key; two of them under one parent are two faults.
        key = detail["loc"] if detail["type"] in ("missing", "extra_forbidden") else path
        out.setdefault(key, _fault(detail, model, document, path, shown))
    return list(out.values())


def nearest(word: str, known: Iterable[str]) -> str:
    """``"« pourcent »"``: the nearest known word, « » quoted, or the empty text."""
    found = difflib.get_close_matches(str(word), sorted(known), n=1, cutoff=0.6)
    return f"« {found[0]} »" if found else ""


def show_value(value: Any) -> str:
    """A value as the person wrote it, shortened."""
    if value is None:
        return "rien"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "des lignes « clé: valeur »"
    if isinstance(value, list | tuple):
        return "une liste"
    text = str(value)
    return f"« {text if len(text) <= 80 else text[:77] + '…'} »"


def _fault(detail: ErrorDetails, model: type[BaseModel], document: YamlFile, path: KeyPath, shown: str) -> Fault:
    place = Place(shown, line=document.line(path), note=_owner(document.data, path))
    kind, key = detail["type"], str(detail["loc"][-1]) if detail["loc"] else ""
    if kind == "missing":
        return Fault(
            "REF-006", place, f"la clé « {key} » manque", f"la clé « {key} »", f"ajoutez une ligne « {key}: … »"
        )
    if kind == "extra_forbidden":
        return _unknown_key(key, _fields_at(model, detail["loc"][:-1]), place)
    last = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
    code = "REF-011" if last == "formule" else "REF-007"
    expected, allowed = _expected(detail)
    near = nearest(str(detail["input"]), allowed)
    fix = f"écrivez {near} ?" if near else f"corrigez la valeur de « {last} »" if last else "corrigez la valeur"
    return Fault(
        code, place, f"{last} : {show_value(detail['input'])}" if last else show_value(detail["input"]), expected, fix
    )


def _unknown_key(key: str, known: list[str], place: Place) -> Fault:
    near = nearest(key, known)
    return Fault(
        "REF-005",
        place,
        f"la clé « {key} »",
        "l’une de ces clés : " + ", ".join(known) if known else "une clé connue",
        f"écrivez {near} ? Sinon, supprimez la ligne" if near else "supprimez la ligne, ou corrigez le nom de la clé",
    )


def _expected(detail: ErrorDetails) -> tuple[str, list[str]]:
    """What was expected, and the values allowed when they are a closed list."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in ("literal_error", "enum"):
        allowed = [word.strip().strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(",")]
        return "l’une de ces valeurs : " + ", ".join(allowed), allowed
    if kind == "string_pattern_mismatch":
        return _pattern(str(context["pattern"])), []
    if kind in _BOUNDS:
        name, text = _BOUNDS[kind]
        return "un nombre : " + text.format(context[name]), []
    return _EXPECTED.get(kind, "une valeur d’une autre forme"), []


def _pattern(pattern: str) -> str:
    if r"\d{4}" in pattern:
        return 'une date entre guillemets, comme "2024-11-18"'
    if "A-Z" in pattern:
        return "un code qui commence par une majuscule ou un chiffre, sans accent ni espace"
    return "un code en minuscules, sans accent ni espace (lettres, chiffres, « _ »)"


def _path_in(data: Any, loc: tuple[Any, ...]) -> KeyPath:
    """The longest part of pydantic's path that exists in the file (it adds names of types for unions)."""
    path: list[str | int] = []
    for step in loc:
        if (isinstance(data, dict) and step in data) or (
            isinstance(data, list) and isinstance(step, int) and step < len(data)
        ):
            data = data[step]
        else:
            break
        path.append(step)
    return tuple(path)


def _owner(data: Any, path: KeyPath) -> str:
    """Code of the nearest object around a path (``Q1.1.b``), to help find it."""
    owner = ""
    for step in (None, *path):
        if step is not None:
            data = data[step]
        if isinstance(data, dict) and isinstance(data.get("code"), str):
            owner = data["code"]
    return owner


def _fields_at(model: type[BaseModel], loc: tuple[Any, ...]) -> list[str]:
    """Names of the keys allowed at a path."""
    current: type[BaseModel] | None = model
    for step in loc:
        if isinstance(step, str) and current is not None and step in current.model_fields:
            current = _model_in(current.model_fields[step].annotation)
    return list(current.model_fields) if current else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)
