"""What each variable of a publisher means in each edition: ``referentiel/contexte/*.yml``, checked and frozen."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError

from evalkit.errors import EvalkitError, Fault, Place
from evalkit.loaders.resources import resource_dir
from evalkit.loaders.yaml_files import YamlCodes, YamlFile, read_yaml

Text = Annotated[StrictStr, Field(min_length=1)]
Edition = Annotated[StrictStr, Field(pattern=r"^\d{4}$")]
_CODES = YamlCodes("DON-088", "DON-088", "DON-088", "DON-088")
_M = TypeVar("_M", bound=BaseModel)
_NOT_THEMES = ("sources.yml", "rattachements.yml")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


class Variable(_Model):
    """One column of the publisher. ``annee_reference``: the year it describes, by edition; absent = not known to us."""

    nom: Text
    libelle: Text
    unite: Text
    additive: bool = Field(description="Vrai si la somme de plusieurs quartiers a un sens.")
    indicateur: Annotated[StrictStr, Field(pattern=r"^CTX\.\d+$")] | None = None
    niveau: Literal["qpv", "commune", "epci", "departement"] = "qpv"
    comparaison_de: Annotated[StrictStr, Field(pattern=r"^CTX\.\d+$")] | None = None
    editions: tuple[Edition, ...] = Field(min_length=1)
    annee_reference: dict[Edition, Text] = {}
    note: Text | None = None
    statut: Literal["source", "adapte", "propose"]
    references: tuple[Text, ...] = ()


class Theme(_Model):
    """One family of files: how to recognise it, its identifiers, its release notes and its variables."""

    theme: Annotated[StrictStr, Field(pattern=r"^[A-Z]{4}$")]
    libelle: Text
    editeur: Text
    geographie: Literal["2015", "2024"]
    colonnes_distinctives: tuple[Text, ...] = Field(min_length=1)
    code: Text
    nom: Text
    communes: Text
    notes: tuple[Text, ...] = ()
    variables: tuple[Variable, ...] = Field(min_length=1)

    @cached_property
    def par_nom(self) -> dict[str, Variable]:
        """Variable by the publisher's name."""
        return {variable.nom: variable for variable in self.variables}

    @cached_property
    def editions(self) -> tuple[str, ...]:
        """Editions that at least one variable describes, sorted."""
        return tuple(sorted({edition for variable in self.variables for edition in variable.editions}))


class CommuneCorrection(_Model):
    """A commune whose name changed from one file to another."""

    nom: Text
    devient: Text
    source: Text
    note: Text | None = None


class QpvCorrection(_Model):
    """The contract of a neighbourhood that its communes put in two contracts: never without a source."""

    qpv: Text
    contrat: Text
    siren: Text
    statut: Literal["source", "adapte", "propose"]
    source: Text
    motif: Text


class Corrections(_Model):
    """``rattachements.yml``."""

    communes: tuple[CommuneCorrection, ...] = ()
    quartiers: tuple[QpvCorrection, ...] = ()


class ContextDictionary(_Model):
    """Every theme described, and the corrections of the joins."""

    themes: tuple[Theme, ...]
    corrections: Corrections = Corrections()

    @cached_property
    def par_theme(self) -> dict[str, Theme]:
        """Theme by code."""
        return {theme.theme: theme for theme in self.themes}

    def variable(self, theme: str, name: str) -> Variable | None:
        """Meaning of a variable in a theme (the same name may mean something else in another theme)."""
        found = self.par_theme.get(theme)
        return found.par_nom.get(name) if found else None


def load_context_dictionary(path: Path | None = None) -> ContextDictionary:
    """Read ``referentiel/contexte/``.

    Parameters
    ----------
    path
        The folder ``contexte`` (the one shipped with evalkit by default).

    Raises
    ------
    EvalkitError
        DON-088, every fault of every file.
    """
    folder = path or resource_dir("referentiel") / "contexte"
    faults: list[Fault] = []
    themes: list[Theme] = []
    for file in sorted(folder.glob("*.yml")):
        if file.name not in _NOT_THEMES:
            theme = _read(file, Theme, faults)
            themes += [theme] if isinstance(theme, Theme) else []
    corrections = Corrections()
    if (folder / "rattachements.yml").exists():
        corrections = _read(folder / "rattachements.yml", Corrections, faults) or corrections
    if not themes and not faults:
        faults.append(_fault(folder, None, "aucun thème", "un fichier YAML par thème (demo.yml, revn.yml…)"))
    if faults:
        raise EvalkitError(faults)
    return ContextDictionary(themes=tuple(themes), corrections=corrections)


def _read(file: Path, model: type[_M], faults: list[Fault]) -> _M | None:
    found, problems = read_yaml(file, _CODES)
    faults += problems
    if found is None or problems:
        return None
    try:
        return model.model_validate(found.data or {})
    except ValidationError as error:
        # pydantic counts the valid items only: a list that holds a broken item was not too short
        real = (item for item in error.errors() if not (item["type"] == "too_short" and item["input"]))
        faults += [_explain(file, found, item) for item in real]
        return None


_KINDS = {"extra_forbidden": "une clé inconnue", "missing": "une clé qui manque"}
_CURES = {"extra_forbidden": "une clé connue (vérifiez l'orthographe)", "missing": "cette clé, remplie"}


def _explain(file: Path, found: YamlFile, item: Any) -> Fault:
    path = tuple(item["loc"])
    kind = _KINDS.get(item["type"], f"une valeur refusée : « {item.get('input')} »"[:120])
    where = " > ".join(str(part + 1) if isinstance(part, int) else str(part) for part in path)
    expected = _CURES.get(item["type"], "une valeur du bon genre (voir les autres entrées du fichier)")
    return _fault(file, found.line(path), f"{kind} ({where})", expected)


def _fault(file: Path, line: int | None, read: str, expected: str) -> Fault:
    return Fault("DON-088", Place(str(file), line=line), read, expected, "corrigez cette ligne du dictionnaire")
