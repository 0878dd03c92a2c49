"""Messages for people: where, what was read, what was expected, how to mend it.

A fault meant for a person is a :class:`Fault`; a run that cannot go on raises an :class:`EvalkitError` holding every
fault of the file at once. Anything else that escapes is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, Literal

Severity = Literal["erreur", "avertissement"]
HELP_PAGE = "docs/erreurs.md"


class ExitCode(IntEnum):
    """Exit codes of the command line (DESIGN §9)."""

    DONE = 0
    USAGE = 2
    REFERENTIEL = 10
    DATA = 11
    COMPUTATION = 12
    INCOMPLETE_BATCH = 13
    INTERRUPTED = 130


@dataclass(frozen=True)
class Place:
    """Where a fault lies: a file, and what is known of the position inside it.

    ``sheet`` and ``cell`` (``C14``) for workbooks; ``line`` and ``column`` (a header) for text files; ``note`` for the
    row's own key, e.g. ``Q1.1.b, 2022``.
    """

    file: str = ""
    sheet: str = ""
    cell: str = ""
    line: int | None = None
    column: str = ""
    note: str = ""

    def __str__(self) -> str:
        parts = [self.file] if self.file else []
        if self.sheet:
            parts.append(f"feuille « {self.sheet} »")
        if self.cell:
            parts.append(f"cellule {self.cell}")
        if self.line is not None:
            parts.append(f"ligne {self.line}")
        if self.column:
            parts.append(f"colonne « {self.column} »")
        text = ", ".join(parts) or "(emplacement inconnu)"
        return f"{text} ({self.note})" if self.note else text


@dataclass(frozen=True)
class Entry:
    """One message of the catalogue: its title and how bad it is."""

    title: str
    severity: Severity = "erreur"


# One line per message. A code is never reused; its help stands in docs/erreurs.md and its faulty file in
# tests/fichiers_fautifs/ (a test checks both).
CATALOGUE: dict[str, Entry] = {
    # --- USA: how a command was typed -------------------------------------------------------------------------------
    "USA-001": Entry("Fichier ou dossier introuvable"),
    "USA-002": Entry("Commande ou option mal tapée"),
    "USA-003": Entry("Ce dossier n'est pas celui attendu"),
    "USA-010": Entry("Ce dossier existe déjà"),
    "USA-040": Entry("Complément « atelier » absent"),
    "USA-041": Entry("Cotation impossible à enregistrer dans ce fichier"),
    "USA-042": Entry("Cotation déjà enregistrée pour ce répondant"),
    # --- REF: the framework (referentiel/) --------------------------------------------------------------------------
    "REF-001": Entry("Fichier du référentiel absent ou illisible"),
    "REF-002": Entry("Fichier du référentiel qui n’est pas en UTF-8"),
    "REF-003": Entry("Écriture YAML incorrecte"),
    "REF-004": Entry("Clé écrite deux fois"),
    "REF-005": Entry("Clé inconnue"),
    "REF-006": Entry("Clé obligatoire absente"),
    "REF-007": Entry("Valeur d’un type ou d’une forme inattendus"),
    "REF-008": Entry("Code employé deux fois"),
    "REF-009": Entry("Code qui n’existe pas dans le référentiel"),
    "REF-010": Entry("Échelle incomplète"),
    "REF-011": Entry("Formule inconnue"),
    "REF-012": Entry("Formule incomplète"),
    "REF-013": Entry("Cible absente ou contradictoire"),
    "REF-014": Entry("Mode d’obtention sans sa déclaration"),
    "REF-015": Entry("Règle d’applicabilité impossible"),
    "REF-016": Entry("Règle de calcul absente ou inutilisable"),
    "REF-017": Entry("Code qui n’est pas à sa place"),
    "REF-018": Entry("Lien rompu entre un questionnaire et un indicateur"),
    "REF-019": Entry("Condition impossible dans un questionnaire"),
    "REF-020": Entry("Réponses possibles mal déclarées"),
    "REF-021": Entry("Calcul impossible à partir de cette question"),
    "REF-022": Entry("Mention d’information sans le seuil"),
    # --- DON: the data of a territory or a campaign (001-059 reader, 060-089 open data, 090-109 surveys) -----------------------------
    "DON-001": Entry("Fichier qui n'est pas ce que dit son nom"),
    "DON-002": Entry("Classeur protégé par un mot de passe"),
    "DON-003": Entry("Valeur hors bornes"),
    "DON-004": Entry("Fichier vide"),
    "DON-005": Entry("Fichier trop gros"),
    "DON-006": Entry("Format de classeur non lu"),
    "DON-007": Entry("Ligne des titres introuvable"),
    "DON-008": Entry("Colonne obligatoire absente"),
    "DON-009": Entry("Nom presque juste"),
    "DON-010": Entry("Deux colonnes du même nom"),
    "DON-011": Entry("La même table deux fois"),
    "DON-012": Entry("Cellule obligatoire vide"),
    "DON-013": Entry("Code inconnu"),
    "DON-014": Entry("Niveau hors de l'échelle"),
    "DON-015": Entry("Numérateur supérieur au dénominateur"),
    "DON-016": Entry("Nombre illisible"),
    "DON-017": Entry("Date illisible"),
    "DON-018": Entry("Réponse hors de la liste"),
    "DON-019": Entry("Deux lignes pour la même chose"),
    "DON-020": Entry("Un nom de personne, là où il n'en faut pas"),
    "DON-021": Entry("Cellule sans résultat ou en erreur"),
    "DON-022": Entry("Version du référentiel différente"),
    "DON-023": Entry("Clé inconnue"),
    "DON-024": Entry("Information obligatoire absente"),
    "DON-025": Entry("Quartier (QPV) mal déclaré"),
    "DON-026": Entry("Guillemet jamais refermé"),
    "DON-027": Entry("Fichier absent ou illisible"),
    "DON-028": Entry("Fichier YAML qui n'est pas en UTF-8"),
    "DON-029": Entry("Écriture YAML incorrecte"),
    "DON-030": Entry("Clé écrite deux fois"),
    "DON-031": Entry("Écriture réparée", "avertissement"),
    "DON-032": Entry("Ligne non comptée", "avertissement"),
    "DON-033": Entry("Colonne, feuille ou fichier laissé de côté", "avertissement"),
    "DON-034": Entry("Cellules fusionnées", "avertissement"),
    "DON-035": Entry("Encodage supposé", "avertissement"),
    "DON-036": Entry("Saisie qui ne comptera pas", "avertissement"),
    "DON-037": Entry("Indicateur qui ne se saisit pas", "avertissement"),
    "DON-038": Entry("Année éloignée de la campagne", "avertissement"),
    "DON-039": Entry("Dates dans le désordre", "avertissement"),
    "DON-040": Entry("Préconisation précédente introuvable", "avertissement"),
    "DON-041": Entry("Constat désigné introuvable"),
    "DON-042": Entry("Couche locale ou référence régionale inutilisable"),
    "DON-043": Entry("Ligne d'indicateur incomplète ou contradictoire"),
    "DON-044": Entry("Valeur et fraction différentes", "avertissement"),
    "DON-050": Entry("Logo inutilisable"),
    "DON-051": Entry("Un nom ou des coordonnées dans un texte publié", "avertissement"),
    "DON-052": Entry("Un répondant dans deux groupes", "avertissement"),
    "DON-060": Entry("Fichier de données ouvertes non reconnu"),
    "DON-061": Entry("Édition introuvable dans le nom du fichier"),
    "DON-062": Entry("Colonne du code de quartier absente"),
    "DON-063": Entry("Code de quartier non reconnu"),
    "DON-064": Entry("Nombre illisible dans un fichier de données ouvertes"),
    "DON-065": Entry("Deux valeurs différentes pour le même quartier, la même variable et la même édition"),
    "DON-066": Entry("Valeurs répétées à l'identique, gardées une fois", "avertissement"),
    "DON-067": Entry("Variable inconnue", "avertissement"),
    "DON-068": Entry("Édition qui n'est pas décrite", "avertissement"),
    "DON-069": Entry("Thèmes mélangés dans un même fichier"),
    "DON-070": Entry("Deux colonnes du même nom"),
    "DON-071": Entry("Deux géographies dans un même fichier"),
    "DON-072": Entry("Fichier JSON ou GeoJSON illisible"),
    "DON-073": Entry("Liste de quartiers sans colonne de code"),
    "DON-074": Entry("Génération de contrats absente ou inconnue"),
    "DON-075": Entry("Fichier nécessaire absent"),
    "DON-076": Entry("Zéro initial perdu, rétabli", "avertissement"),
    "DON-077": Entry("Quartier à rattacher", "avertissement"),
    "DON-078": Entry("Population du contrat différente de la liste", "avertissement"),
    "DON-079": Entry("Commune non située", "avertissement"),
    "DON-080": Entry("Dossier existant conservé", "avertissement"),
    "DON-081": Entry("Correction de rattachement refusée"),
    "DON-082": Entry("Fichier laissé de côté", "avertissement"),
    "DON-083": Entry("En-tête de colonne réparé", "avertissement"),
    "DON-084": Entry("Colonne sans nom qui contient des valeurs", "avertissement"),
    "DON-085": Entry("Fichier contexte.parquet illisible"),
    "DON-086": Entry("Fichier de données ouvertes vide ou illisible"),
    "DON-087": Entry("Code de contrat utilisé deux fois", "avertissement"),
    "DON-088": Entry("Dictionnaire des variables de contexte à corriger"),
    "DON-089": Entry("Date de référence absente ou mal écrite"),
    "DON-090": Entry("Questionnaire non reconnu"),
    "DON-091": Entry("Colonne de réponses incertaine"),
    "DON-092": Entry("Réponse non comprise"),
    "DON-093": Entry("Fichier de correspondance à corriger"),
    "DON-094": Entry("Réponses importées modifiées ou abîmées"),
    "DON-095": Entry("Plusieurs sources pour le même questionnaire"),
    "DON-096": Entry("Aucune réponse à garder"),
    "DON-097": Entry("Sollicités ou population moins nombreux que les réponses"),
    "DON-098": Entry("Noms et coordonnées écartés", "avertissement"),
    "DON-099": Entry("Réponses mises à part", "avertissement"),
    "DON-100": Entry("Colonne non lue, ou question absente", "avertissement"),
    "DON-101": Entry("Réponses lues autrement qu'écrites", "avertissement"),
    "DON-102": Entry("Réponses non comprises, comptées non renseignées", "avertissement"),
    "DON-103": Entry("Réponses jumelles", "avertissement"),
    "DON-104": Entry("La même question dans deux colonnes"),
    "DON-105": Entry("Nombre de sollicités inconnu", "avertissement"),
    "DON-106": Entry("Poids inutilisable"),
    "DON-107": Entry("Un même envoi, des réponses différentes", "avertissement"),
    "DON-108": Entry("Lignes ou colonnes masquées, lues aussi", "avertissement"),
    "DON-109": Entry("Structures non déclarées", "avertissement"),
    "DON-110": Entry("Rapport presque identique au précédent : une soustraction dirait qui", "avertissement"),
    "DON-120": Entry("Fichier Word sans section à reprendre"),
    "DON-121": Entry("Fichier Word d'un autre territoire, ou d'une autre campagne"),
    "DON-122": Entry("Texte changé des deux côtés", "avertissement"),
    "DON-123": Entry("Contenu de Word qui n'est pas repris", "avertissement"),
    "DON-125": Entry("Texte de Word tapé hors des zones à écrire", "avertissement"),
    # --- CAL: computation -------------------------------------------------------------------------------------------
    # --- LOT: batches -----------------------------------------------------------------------------------------------
    "LOT-001": Entry("Paramètre de carnet inconnu ou mal typé"),
    "LOT-002": Entry("Un carnet s'est arrêté en route"),
    "LOT-003": Entry("Écriture impossible"),
    "LOT-004": Entry("Deux documents au même endroit"),
    "LOT-005": Entry("Un processus s'est arrêté"),
    "LOT-006": Entry("Aucun territoire dans cette campagne"),
    "LOT-007": Entry("Référence régionale incomplète"),
    "LOT-008": Entry("Document qui n'en finit pas"),
    "LOT-009": Entry("Document qui demande trop de mémoire"),
    "LOT-010": Entry("Rien n'est retenu de ce lot", "avertissement"),
    "LOT-011": Entry("Deux lots dans le même dossier"),
    "LOT-012": Entry("Grappe Dask injoignable"),
    "LOT-013": Entry("Référence presque identique à celle qui est gardée : une soustraction dirait qui"),
    "LOT-014": Entry("Repères laissés hors de la référence", "avertissement"),
    "LOT-015": Entry("Synthèse presque identique à une précédente : une soustraction dirait qui", "avertissement"),
    # --- DOC: a document that could not be made ---------------------------------------------------------------------
    "DOC-001": Entry("Format non produit : une bibliothèque manque"),
    "DOC-002": Entry("Modèle Word inutilisable"),
    "DOC-003": Entry("Document non écrit"),
    "DOC-004": Entry("Dossier modifié pendant la production"),
}

_EXIT_BY_FAMILY = {
    "USA": ExitCode.USAGE,
    "REF": ExitCode.REFERENTIEL,
    "DON": ExitCode.DATA,
    "CAL": ExitCode.COMPUTATION,
    "LOT": ExitCode.INCOMPLETE_BATCH,
    "DOC": ExitCode.COMPUTATION,
}


@dataclass(frozen=True)
class Fault:
    """One thing wrong (or doubtful), said in four parts.

    Parameters
    ----------
    code
        Key of :data:`CATALOGUE`, e.g. ``DON-003``.
    place
        Where.
    read, expected, fix
        « Lu », « Attendu », « Corriger » : French sentences or fragments, no Python type name, never a whole row of
        answers.
    """

    code: str
    place: Place
    read: str = ""
    expected: str = ""
    fix: str = ""

    def __post_init__(self) -> None:
        if self.code not in CATALOGUE:
            raise KeyError(f"{self.code} is not in the catalogue of messages")

    @property
    def title(self) -> str:
        """Title of the message, from the catalogue."""
        return CATALOGUE[self.code].title

    @property
    def severity(self) -> Severity:
        """``erreur`` (blocks) or ``avertissement`` (said, does not block)."""
        return CATALOGUE[self.code].severity

    def __str__(self) -> str:
        head = f"[{self.code}] {self.title}"
        parts = [("Où", str(self.place)), ("Lu", self.read), ("Attendu", self.expected), ("Corriger", self.fix)]
        lines = [f"  {name:<9} {_indent(text)}" for name, text in parts if text]
        return "\n".join([head, *lines, f"  {'Aide':<9} {HELP_PAGE}#{self.code.lower()}"])

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``: keys in French, as people read them."""
        return {
            "code": self.code,
            "titre": self.title,
            "gravite": self.severity,
            "ou": str(self.place),
            "emplacement": {key: value for key, value in asdict(self.place).items() if value not in ("", None)},
            "lu": self.read,
            "attendu": self.expected,
            "corriger": self.fix,
        }


def _indent(text: str) -> str:
    return text.replace("\n", "\n" + " " * 12)


@dataclass
class EvalkitError(Exception):
    """A run that stops with something to say to a person. Holds every fault, not only the first."""

    faults: Sequence[Fault] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n\n".join(str(fault) for fault in self.faults)

    def __reduce__(self) -> tuple[Any, ...]:  # survives the way back from a worker process
        return (type(self), (list(self.faults),))

    @property
    def exit_code(self) -> ExitCode:
        """Exit code of the first blocking fault's family."""
        errors = only_errors(self.faults) or list(self.faults)
        return _EXIT_BY_FAMILY[errors[0].code[:3]] if errors else ExitCode.COMPUTATION


def only_errors(faults: Iterable[Fault]) -> list[Fault]:
    """Keep the faults that block."""
    return [fault for fault in faults if fault.severity == "erreur"]


def only_warnings(faults: Iterable[Fault]) -> list[Fault]:
    """Keep the faults that are said but do not block."""
    return [fault for fault in faults if fault.severity == "avertissement"]


def fail(code: str, path: str | Path = "", *, read: str = "", expected: str = "", fix: str = "") -> EvalkitError:
    """Make (not raise) an :class:`EvalkitError` with one fault about one file."""
    return EvalkitError([Fault(code, Place(file=str(path)), read=read, expected=expected, fix=fix)])
