"""What each file of ``referentiel/`` holds, and its JSON Schema for editors."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from evalkit.model.referentiel import (
    Collecte,
    Documented,
    EchelleGenerique,
    Groupe,
    IndicateurContexte,
    IsoDate,
    Question,
    Regle,
    Source,
    Text,
    Unite,
)
from evalkit.model.survey import Enquete

SCHEMA_FOLDER = "schemas"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class IdentityFile(_File):
    """``referentiel.yml``."""

    code: Text
    libelle: Text
    version: Text = Field(description="Entre guillemets ; change à chaque évolution publiée.")
    valide_du: IsoDate
    valide_au: IsoDate | None = None
    licence: Text
    avertissement: Text = Field(description="Imprimé dans chaque document.")
    modules: tuple[Text, ...] = Field(min_length=1, description="Dossiers de modules/, dans l’ordre de lecture.")


class ActorsFile(_File):
    """``acteurs.yml``."""

    groupes: tuple[Groupe, ...] = Field(min_length=1)
    collectes: tuple[Collecte, ...]


class UnitsFile(_File):
    """``unites.yml``."""

    unites: tuple[Unite, ...]


class SourcesFile(_File):
    """``sources.yml``."""

    sources: tuple[Source, ...]


class RulesFile(_File):
    """``regles.yml``."""

    regles: tuple[Regle, ...]


class ContextFile(_File):
    """``contexte.yml``."""

    contexte: tuple[IndicateurContexte, ...]


class ModuleFile(Documented):
    """``modules/<module>/module.yml``."""

    code: Text = Field(pattern=r"^[a-z_]+$", description="Nom du dossier.")
    libelle: Text
    presentation: Text


# Name of the schema -> model. The first six are files of the root, of the same name.
ROOT_FILES: dict[str, type[BaseModel]] = {
    "referentiel": IdentityFile,
    "echelles": EchelleGenerique,
    "acteurs": ActorsFile,
    "unites": UnitsFile,
    "sources": SourcesFile,
    "regles": RulesFile,
    "contexte": ContextFile,
}
FILE_MODELS: dict[str, type[BaseModel]] = {**ROOT_FILES, "module": ModuleFile, "question": Question, "enquete": Enquete}


def render_schemas() -> dict[str, str]:
    """JSON Schema of each kind of file: file name (``question.json``) -> text, the same at every run."""
    return {
        f"{name}.json": json.dumps(
            _for_editors(model.model_json_schema()), ensure_ascii=False, indent=1, sort_keys=True
        )
        + "\n"
        for name, model in FILE_MODELS.items()
    }


def _for_editors(schema: Any, *, names: bool = False) -> Any:
    """Drop generated titles and developers' docstrings; what is left to read is the French of the fields."""
    if isinstance(schema, list):
        return [_for_editors(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    dropped = set() if names else {"title"} | ({"description"} if "properties" in schema or "enum" in schema else set())
    return {
        key: _for_editors(value, names=key in ("properties", "$defs"))
        for key, value in schema.items()
        if key not in dropped
    }
