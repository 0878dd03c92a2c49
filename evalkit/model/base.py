"""What every object of the framework is made of: texts, codes, dated rules, status, declarative conditions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictStr

Text = Annotated[StrictStr, Field(min_length=1)]
IsoDate = Annotated[StrictStr, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Code = Annotated[StrictStr, Field(pattern=r"^[A-Z0-9][A-Za-z0-9._-]*$")]
Statut = Literal["source", "adapte", "propose"]
OPERATORS = (
    "egal",
    "different",
    "superieur_ou_egal",
    "inferieur_ou_egal",
    "superieur",
    "inferieur",
    "parmi",
    "renseigne",
)


class Strict(BaseModel):
    """Frozen, and refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Documented(Strict):
    """What every object of the framework carries: where it comes from, and how sure that is."""

    statut: Statut = Field(
        description="source = défini par un texte cité ; adapte = traduction ; propose = proposition"
    )
    statut_note: str | None = Field(default=None, description="Phrase qui nuance le statut.")
    references: tuple[Text, ...] = Field(default=(), description="Codes de sources.yml.")


class Comparison(Strict):
    """``{fait: conseil_citoyen, egal: true}``: one fact (or column) and exactly one operator."""

    fait: Text
    egal: bool | int | float | str | None = None
    different: bool | int | float | str | None = None
    superieur_ou_egal: int | float | None = None
    inferieur_ou_egal: int | float | None = None
    superieur: int | float | None = None
    inferieur: int | float | None = None
    parmi: tuple[str | int | float, ...] | None = None
    renseigne: bool | None = None


class Condition(Strict):
    """``tous`` (all) or ``un_de`` (any) of comparisons, with the sentence that explains it to the reader."""

    tous: tuple[Comparison, ...] | None = None
    un_de: tuple[Comparison, ...] | None = None
    explication: Text | None = Field(default=None, description="Dit au lecteur pourquoi l'objet ne s'applique pas.")
