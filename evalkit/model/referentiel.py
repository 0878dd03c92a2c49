"""The framework: what a module, a question, a sub-question, a ladder, an indicator and a rule are.

Keys are French because evaluators write them in YAML; every model is frozen and refuses unknown keys. Links between
objects (sources, units, actor groups, formulas) are checked by ``loaders.referentiel``, which knows files and lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StrictStr

from evalkit.model.base import (
    Code,
    Condition,
    Documented,
    IsoDate,
    Strict,
    Text,
)
from evalkit.model.survey import Enquete

Sens = Literal["hausse", "baisse", "neutre", "cible"]
Obtention = Literal["saisie", "enquete", "actions", "contexte"]
Niveau = Literal["contrat", "commune", "qpv", "conseil_citoyen", "action", "association"]


class Formule(StrEnum):
    """Names of the formulas of ``compute.formulas`` (DESIGN §4)."""

    EFFECTIF = "effectif"
    RATIO = "ratio"
    PART = "part"
    PART_FAVORABLE = "part_favorable"
    MOYENNE = "moyenne"
    MEDIANE = "mediane"
    SOMME = "somme"
    EVOLUTION = "evolution"
    DIFFERENCE_MOYENNES = "difference_moyennes"
    DOUBLE_DIFFERENCE = "double_difference"
    DISTANCE_DISTRIBUTIONS = "distance_distributions"
    CATEGORIE = "categorie"
    VERBATIM = "verbatim"


class Echelle(Documented):
    """The ladder of a sub-question: six descriptors, levels 0 to 5."""

    niveaux: dict[int, Text] = Field(description="Un descripteur par niveau, de 0 à 5.")


class Modalite(Strict):
    """One answer of a ``categorie`` indicator; ``code`` is what people type, never a maturity level."""

    code: Annotated[StrictStr, Field(pattern=r"^[a-z0-9_]+$")]
    libelle: Text


class Cible(Strict):
    """Target interval, in the indicator's unit; ``None`` = open on that side."""

    min: float | None = None
    max: float | None = None


class CalculActions(Strict):
    """How an indicator is computed from the table ``actions``, declaratively (checked at load time).

    ``denominateur_si`` (every type): the rows that count, all of them when it is absent. ``part``: rows that also meet
    ``numerateur_si`` (and have at least ``financeurs_min`` of the amounts ``financeurs`` above zero) over the rows that
    count; with ``somme`` set, the sum of these columns over each instead of a number of rows; with ``distinct`` set,
    the number of different values of that column. ``ratio``: sum of ``somme`` over sum of ``rapporte_a``.
    ``mediane_jours``: median of (``fin`` − ``debut``) in days. ``concentration``: sum of ``somme`` by value of
    ``distinct``; share of the largest ``part_superieure`` of these values (number rounded up) in the whole.
    The numerator and the denominator so obtained enter the indicator's own formula, like typed ones.
    """

    type: Literal["part", "ratio", "effectif", "somme", "mediane_jours", "concentration"]
    numerateur_si: Condition | None = None
    denominateur_si: Condition | None = None
    financeurs_min: Annotated[int, Field(ge=1)] | None = None
    financeurs: tuple[Text, ...] = ()
    somme: tuple[Text, ...] = ()
    rapporte_a: tuple[Text, ...] = ()
    distinct: Text | None = None
    part_superieure: Annotated[float, Field(gt=0, lt=1)] | None = None
    debut: Text | None = None
    fin: Text | None = None


class Indicateur(Documented):
    """An indicator. It informs the debate; no level is ever derived from its value."""

    code: Code
    libelle: Text
    definition: Text
    obtention: tuple[Obtention, ...] = Field(min_length=1)
    formule: Formule
    numerateur: Text | None = None
    denominateur: Text | None = None
    calcul: Text | None = Field(default=None, description="Formule écrite pour le lecteur (jamais exécutée).")
    facteur: float | None = Field(default=None, description="Multiplie le rapport d'un `ratio` (100, 10000…).")
    modalites: tuple[Modalite, ...] = ()
    base: Text | None = None
    unite: Text
    sens_favorable: Sens
    cible: Cible | None = None
    niveau: Niveau
    collecte: tuple[Text, ...] = Field(description="Codes des outils de collecte (acteurs.yml, collectes).")
    repondants: tuple[Text, ...]
    actions: CalculActions | None = Field(default=None, description="Obligatoire si `actions` figure dans obtention.")
    contexte: tuple[Text, ...] = Field(
        default=(), description="Codes CTX.n ; obligatoire si `contexte` dans obtention."
    )
    applicable_si: Condition | None = None
    valide_du: IsoDate | None = None
    valide_au: IsoDate | None = None
    verifie_le: IsoDate | None = None


class SousQuestion(Documented):
    """A sub-question: what is rated on a ladder and informed by indicators."""

    code: Code
    titre: Text = Field(description="Intitulé court, pour les graphiques et les tableaux.")
    libelle: Text
    criteres: tuple[Text, ...] = ()
    echelle: Echelle
    indicateurs: tuple[Indicateur, ...] = ()
    applicable_si: Condition | None = None


class QuestionAssociee(Documented):
    """Evaluative question attached to a cross-cutting axis (LCD-E1…), asked to the reader, not rated."""

    code: Code
    libelle: Text
    critere: Text
    sources_reponse: Text


class Question(Documented):
    """An evaluative question (Q1…) or a cross-cutting axis (LCD, EFH): one file."""

    code: Code
    titre: Text = Field(description="Intitulé court.")
    libelle: Text
    criteres: tuple[Text, ...] = ()
    sous_questions: tuple[SousQuestion, ...] = Field(min_length=1)
    questions_associees: tuple[QuestionAssociee, ...] = ()
    applicable_si: Condition | None = None


class Module(Documented):
    """A module: a folder of ``referentiel/modules/`` with ``module.yml`` and one file per question."""

    code: Text = Field(pattern=r"^[a-z_]+$", description="Nom du dossier.")
    libelle: Text
    presentation: Text
    questions: tuple[Question, ...] = Field(default=(), description="Lues dans les fichiers du dossier, jamais ici.")


class NiveauGenerique(Strict):
    """One step of the generic ladder (echelles.yml)."""

    niveau: Annotated[int, Field(ge=0, le=5)]
    nom: Text
    sens: Text
    preuve_minimale: Text


class EchelleGenerique(Documented):
    """The generic six-level scale and the proof that each level asks for."""

    niveaux: tuple[NiveauGenerique, ...]
    regles: tuple[Text, ...] = ()


class Groupe(Strict):
    """An actor group. ``institution``: speaks for its institution, is not a sample."""

    code: Text
    libelle: Text
    pluriel: Text
    court: Text
    institution: bool = False
    couleur: Text
    marqueur: Text


class Collecte(Strict):
    """A data-collection tool code (``ENQ-ASSO``…) and what it is."""

    code: Text
    libelle: Text
    nature: Literal["enquete", "atelier", "document", "donnees"]


class Unite(Strict):
    """A unit; ``symbole`` is printed after the number, after a space when ``espace``."""

    code: Text
    libelle: Text
    symbole: str
    decimales: Annotated[int, Field(ge=0, le=4)] = 0
    espace: bool = True


class Source(Strict):
    """A cited source."""

    code: Text
    titre: Text
    editeur: Text
    annee: Text
    adresse: str | None = None


class Regle(Documented):
    """One dated rule of ``regles.yml``: a threshold or a share, who says so and since when."""

    code: Text
    libelle: Text
    valeur: int | float | tuple[float, ...] | str
    unite: str | None = None
    depuis: IsoDate


class IndicateurContexte(Documented):
    """A context figure (CTX.n): shown, never scored. The publisher's names by edition are in contexte/."""

    code: Code
    libelle: Text
    unite: Text
    niveau: Niveau
    variable_source: Text
    disponible: bool = True


class Referentiel(Strict):
    """The whole framework, checked and frozen."""

    code: Text
    libelle: Text
    version: Text
    valide_du: IsoDate
    valide_au: IsoDate | None = None
    licence: Text
    avertissement: Text = Field(
        description="Imprimé : ce qui est sourcé, ce qui est proposé, rien n'est prêté à l'IREV."
    )
    modules: tuple[Module, ...] = ()
    echelle: EchelleGenerique
    groupes: tuple[Groupe, ...]
    collectes: tuple[Collecte, ...]
    unites: tuple[Unite, ...]
    sources: tuple[Source, ...]
    regles: tuple[Regle, ...]
    contexte: tuple[IndicateurContexte, ...] = ()
    enquetes: tuple[Enquete, ...] = ()

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))

    def questions(self) -> Iterator[Question]:
        """Every question, in the order of the modules and files."""
        for module in self.modules:
            yield from module.questions

    @cached_property
    def questions_par_code(self) -> dict[str, Question]:
        """Question by code."""
        return {question.code: question for question in self.questions()}

    @cached_property
    def sous_questions(self) -> dict[str, SousQuestion]:
        """Sub-question by code, in reading order."""
        return {sub.code: sub for question in self.questions() for sub in question.sous_questions}

    @cached_property
    def question_de(self) -> dict[str, str]:
        """Code of the question of each sub-question and of each indicator."""
        out: dict[str, str] = {}
        for question in self.questions():
            for sub in question.sous_questions:
                out[sub.code] = question.code
                out.update({indicator.code: question.code for indicator in sub.indicateurs})
        return out

    @cached_property
    def sous_question_de(self) -> dict[str, str]:
        """Code of the sub-question of each indicator."""
        return {i.code: sub.code for sub in self.sous_questions.values() for i in sub.indicateurs}

    @cached_property
    def indicateurs(self) -> dict[str, Indicateur]:
        """Indicator by code, in reading order."""
        return {i.code: i for sub in self.sous_questions.values() for i in sub.indicateurs}

    @cached_property
    def groupes_par_code(self) -> dict[str, Groupe]:
        """Actor group by code, in the order of acteurs.yml."""
        return {groupe.code: groupe for groupe in self.groupes}

    @cached_property
    def unites_par_code(self) -> dict[str, Unite]:
        """Unit by code."""
        return {unite.code: unite for unite in self.unites}

    def regle(self, code: str) -> Regle:
        """One rule by code; a KeyError here is a bug of ours (the loader checks that every rule we use exists)."""
        return {regle.code: regle for regle in self.regles}[code]

    def seuil(self, code: str) -> float:
        """Value of a numeric rule."""
        value = self.regle(code).valeur
        if not isinstance(value, int | float):
            raise TypeError(f"rule {code} is not a number")
        return value
