"""A questionnaire: its parts, its questions, what each answer may be, and which indicator it feeds.

Keys are French because evaluators write them in YAML (``referentiel/enquetes/<enquete>.yml``); every model is frozen and
refuses unknown keys. Links to indicators, groups, rules and sources are checked by ``loaders.referentiel``.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cached_property
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StrictStr

from evalkit.model.base import Condition, Documented, Strict, Text
from evalkit.model.territory import Territory

ENQUETE_PROPERTY = "evalkit_enquete"  # custom property of our workbook for answers: which questionnaire it is
QuestionCode = Annotated[StrictStr, Field(pattern=r"^[A-Z]\d{2}(_[a-z0-9]+)*$")]
ChoiceCode = Annotated[StrictStr, Field(pattern=r"^[a-z0-9_]+$")]
TypeReponse = Literal["choix_unique", "choix_multiple", "likert", "nombre", "texte"]
Collecte = Literal["aleatoire", "recensement", "ouvert"]
Sensible = Literal["non", "indirect", "oui"]
Calcul = Literal[
    "part", "moyenne", "mediane", "somme", "distribution", "solde", "rapport", "verbatim", "reseau", "appui"
]
SilenceReponse = Literal["non_concerne", "ne_sait_pas", "refus"]


class ChoixReponse(Strict):
    """One possible answer. ``silence``: it is not an opinion (« ne sait pas »…), it never enters a percentage.

    ``exclusif``: cannot be given with another one in a ``choix_multiple`` (« aucun »). ``liste``: the choices come from the
    territory (``qpv``, ``communes``, ``structures``) and replace this line in the questionnaire of that territory.
    """

    code: ChoiceCode
    libelle: Text
    silence: SilenceReponse | None = None
    exclusif: bool = False
    liste: Literal["qpv", "communes", "structures"] | None = None


class Bornes(Strict):
    """Limits of a number, in its unit; None = open."""

    min: float | None = None
    max: float | None = None


class FavorableSi(Strict):
    """What makes a number or a text count as favourable in a ``part``: exactly one of these keys."""

    inferieur: float | None = None
    superieur_ou_egal: float | None = None
    renseigne: Literal[True] | None = None


class LienIndicateur(Strict):
    """How the answers to this question give an indicator, each questionnaire giving its own value (never pooled).

    ``part``: answers in ``favorables`` (at least ``minimum`` of them in a ``choix_multiple``), or numbers and texts that
    meet ``favorable_si``, over expressed answers (silences out; for ``renseigne``, over the respondents of the part who
    were asked). ``moyenne``/``mediane``/``somme``: of the number times ``coefficient``, or of the Likert position 1–5;
    several questions of one questionnaire linked by ``moyenne`` to one indicator are averaged together, all answers
    alike. ``distribution``: shares of every choice (citations over respondents). ``solde``: share of ``favorables``
    minus share of ``defavorables``, in points. ``rapport``: numeric questions of one part are summed over respondents
    who answered all of them, each times its ``coefficient``, on the side that its ``role`` says; numerator over
    denominator. ``reseau``: ties named. ``verbatim``: free text, counted by theme only. ``appui``: is read beside the
    indicator without giving its value (``note`` says why). ``base_si``: only the answers that meet it count.
    """

    code: Text
    calcul: Calcul
    favorables: tuple[ChoiceCode, ...] = ()
    defavorables: tuple[ChoiceCode, ...] = ()
    minimum: Annotated[int, Field(ge=1)] = 1
    favorable_si: FavorableSi | None = None
    role: Literal["numerateur", "denominateur", "les_deux"] | None = None
    coefficient: float = 1
    base_si: Condition | None = None
    note: Text | None = None


class IndicateurPropre(Strict):
    """An indicator that exists only in this questionnaire (``LOG.1``…), outside the modules of the framework."""

    code: Text = Field(pattern=r"^[A-Z]+\.\d+$")
    libelle: Text
    calcul: Text = Field(description="Écrit pour le lecteur, jamais exécuté.")
    questions: tuple[QuestionCode, ...] = Field(min_length=1, description="Questions qui le renseignent.")


class QuestionEnquete(Strict):
    """One question of a questionnaire. ``code`` is permanent: it names the column in which answers come back."""

    code: QuestionCode
    libelle: Text
    type: TypeReponse
    partie: Text
    choix: tuple[ChoixReponse, ...] = ()
    unite: str | None = None
    bornes: Bornes | None = None
    entier: bool = Field(default=False, description="Le nombre n’a pas de décimales.")
    longueur_max: int | None = Field(default=None, description="Nombre de caractères au plus (texte).")
    consigne: Text | None = None
    maximum: int | None = Field(default=None, description="Nombre de réponses au plus (choix_multiple).")
    posee_si: Condition | None = Field(default=None, description="`fait` est le code d'une question précédente.")
    indicateurs: tuple[LienIndicateur, ...] = ()
    usage: Literal["indicateur", "contexte", "ventilation"]
    donnee_sensible: Sensible
    ordonnee: bool = Field(
        default=False, description="Les choix vont du plus défavorable au plus favorable ou l'inverse."
    )


class Partie(Strict):
    """A part of a questionnaire: who answers, how they were reached, and from how many answers a figure is shown."""

    code: Text = Field(pattern=r"^[a-z_]+$")
    libelle: Text
    repondants: Text
    groupe: Text | None = Field(description="Code d'acteurs.yml ; null : habitants, hors des groupes d'acteurs.")
    collecte: Collecte
    seuil: Literal["seuil_personnes", "seuil_institutions"]


class Enquete(Documented):
    """A questionnaire. ``notice``: sentences read by respondents; ``{seuil}`` stands for the threshold of the part."""

    code: Text = Field(pattern=r"^[A-Z]+-[A-Z]+$")
    titre: Text
    outil: Text
    repondants: Text
    duree: Text
    terrain: Text
    confidentialite: Text
    notice: tuple[Text, ...]
    fin: tuple[Text, ...] = Field(default=(), description="Phrases lues à la fin : remerciement, où trouver de l’aide.")
    parties: tuple[Partie, ...] = Field(min_length=1)
    questions: tuple[QuestionEnquete, ...] = Field(min_length=1)
    indicateurs_propres: tuple[IndicateurPropre, ...] = ()

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))

    @cached_property
    def questions_par_code(self) -> dict[str, QuestionEnquete]:
        """Question by code, in the order of the questionnaire."""
        return {question.code: question for question in self.questions}

    @cached_property
    def parties_par_code(self) -> dict[str, Partie]:
        """Part by code."""
        return {partie.code: partie for partie in self.parties}


def territory_choices(liste: str, territory: Territory) -> tuple[tuple[str, str], ...]:
    """(code, label) of the choices that a territory puts in place of a ``liste``; empty when it does not state them.

    A QPV has its own code in lower case; a commune, its name without accents nor capitals (``saint_omer``).
    """
    if liste == "qpv":
        return tuple((qpv.code.lower(), qpv.nom) for qpv in territory.qpv)
    if liste == "communes":
        return tuple((choice_code(name), name) for name in territory.communes)
    return ()


def choice_labels(question: QuestionEnquete, territory: Territory) -> dict[str, str]:
    """Label of every answer by its code, those of the territory's own lists included."""
    own = {
        code: label
        for choice in question.choix
        if choice.liste
        for code, label in territory_choices(choice.liste, territory)
    }
    return own | {choice.code: choice.libelle for choice in question.choix if not choice.liste}


def choice_code(label: str) -> str:
    """A choice code made from a label: ASCII, lower case, words joined by ``_``."""
    plain = (
        unicodedata.normalize("NFKD", label.replace("œ", "oe").replace("Œ", "oe")).encode("ascii", "ignore").decode()
    )
    return "_".join(re.findall(r"[a-z0-9]+", plain.lower()))


# Files of answers, by their name: those that are read, and those that the reader refuses with the cure.
EXPORT_KINDS = (".csv", ".xlsx", ".txt", ".tsv")
OLD_BOOKS = (".xls", ".ods", ".xlsm", ".xlsb")
ANY_EXPORT = (*EXPORT_KINDS, *OLD_BOOKS)

RAW_MARK = "brut/"  # how an export that answers no known questionnaire is named, to leave it out
# Its name may hold blanks and commas: it ends where its kind is followed by a separator, or by a blank and another name.
_RAW_FILE = re.compile(
    r"(?<![^\s,;])(?:enquetes[/\\])?brut[/\\]"
    rf"([^/\\]+?\.(?:{'|'.join(kind[1:] for kind in ANY_EXPORT)}))"
    r"(?=\s*(?:[,;]|$)|\s+(?:(?:enquetes[/\\])?brut[/\\]|[a-z]+-[a-z]+\s*(?:[,;\s]|$)))",
    re.IGNORECASE,
)


def left_out_names(text: str) -> list[str]:
    """What to leave out, as written in one line: codes of questionnaires, and exports as ``brut/nom.csv``.

    >>> left_out_names("enq-asso, brut/mes réponses, mai.csv ; ENQ-COM")
    ['ENQ-ASSO', 'brut/mes réponses, mai.csv', 'ENQ-COM']
    >>> left_out_names("brut/a.csv ENQ-COM"), left_out_names("brut/a.csv brut/mes réponses.CSV")
    (['brut/a.csv', 'ENQ-COM'], ['brut/a.csv', 'brut/mes réponses.CSV'])
    >>> left_out_names("Brut/Mai.csv; enquetes\\\\brut\\\\juin.xlsx")
    ['brut/Mai.csv', 'brut/juin.xlsx']
    """
    out: list[str] = []
    start = 0
    for found in _RAW_FILE.finditer(text):
        out += [code.upper() for code in re.split(r"[,;\s]+", text[start : found.start()]) if code]
        out.append(f"{RAW_MARK}{found[1]}")
        start = found.end()
    return out + [code.upper() for code in re.split(r"[,;\s]+", text[start:]) if code]


UNDECLARED_LISTS = "listes_non_declarees"  # what an import says of its questions whose only answer is « Autre »
OTHER = "autre"  # code that every questionnaire gives to « Autre »
# Columns of a cleaned table of answers (`enquetes/<enquete>.csv`), besides one column per question code. One row is one
# answer. A choix_multiple cell holds codes joined by ";". A silence is its code. Nothing identifies a person.
ANSWER_COLUMNS: dict[str, str] = {
    "ligne": "int: number of the submission in the source file (1 = first), for the import report only",
    "partie": "str: part of the questionnaire",
    "poids": "float: weight, 1 when the survey is not weighted",
}
