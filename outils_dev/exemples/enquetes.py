"""Invented answers to the questionnaires, for the territories that passed them, in the exports of several tools.

Some exports are imported, as IREV would; some are left in ``enquetes/brut/``, as a pilot in a hurry does. One of them holds what
real ones hold: a trial, a submission sent twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd

from evalkit.actions import SurveyOptions, import_surveys
from evalkit.compute.conditions import evaluate_comparison
from evalkit.model.base import Condition
from evalkit.model.referentiel import Referentiel
from evalkit.model.survey import ChoixReponse, Enquete, QuestionEnquete, territory_choices
from evalkit.model.territory import Territory
from outils_dev.exemples import exports
from outils_dev.exemples.hasard import tirage
from outils_dev.exemples.territoires import Plan

Ecrire = Callable[[Enquete, pd.DataFrame, Territory | None], exports.Rows]


@dataclass(frozen=True)
class Passation:
    """One questionnaire passed in one territory: answers and people asked by part, tool, and whether it was imported."""

    enquete: str
    reponses: Mapping[str, int]
    sollicites: Mapping[str, int]
    outil: Ecrire
    importe: bool = True


PASSATIONS: dict[str, tuple[Passation, ...]] = {
    "ardelle": (
        Passation("ENQ-ASSO", {"ensemble": 34}, {"ensemble": 52}, exports.kobo),
        Passation("ENQ-COM", {"ensemble": 6}, {"ensemble": 7}, exports.odk),
        Passation("CONS-PART", {"ensemble": 16}, {"ensemble": 24}, exports.limesurvey),
        Passation("ENQ-CC", {"collectif": 5, "individuel": 31}, {"collectif": 6, "individuel": 58}, exports.kobo),
        Passation("ENQ-LOG", {"ensemble": 64}, {}, exports.google, importe=False),
    ),
    "morvecque": (
        Passation("ENQ-ASSO", {"ensemble": 8}, {"ensemble": 19}, exports.framaforms),
        Passation("ENQ-CC", {"individuel": 8}, {"individuel": 14}, exports.kobo),
    ),
    "estrinoy": (Passation("ENQ-ASSO", {"ensemble": 23}, {"ensemble": 23}, exports.google, importe=False),),
}
TEXTE = "Texte libre inventé."


def ecrire_enquetes(dossier: Path, plan: Plan, referentiel: Referentiel, territoire: Territory) -> None:
    """Write the answers of a territory, if it passed a questionnaire."""
    enquetes = {enquete.code: enquete for enquete in referentiel.enquetes}
    for passation in PASSATIONS.get(plan.dossier, ()):
        enquete = enquetes[passation.enquete]
        reponses = _reponses(enquete, passation, plan, territoire)
        lignes = passation.outil(enquete, reponses, territoire)
        if passation.outil is exports.kobo and passation.enquete == "ENQ-ASSO":
            lignes += [_essai(lignes), list(lignes[5])]  # an answer sent twice keeps its identifier
        brut = dossier / "enquetes" / "brut"
        brut.mkdir(parents=True, exist_ok=True)
        export = exports.write_csv(brut / f"{passation.enquete.lower()}-export.csv", lignes)
        if passation.importe:
            _importer(export, dossier, passation)
        else:
            _dire_sollicites(dossier, passation)


def _importer(export: Path, dossier: Path, passation: Passation) -> None:
    """Import by the ordinary command, then leave the export out: its promise is to be deleted."""
    asked = tuple(f"{partie}={n}" for partie, n in passation.sollicites.items())
    resultat = import_surveys([export], dossier, SurveyOptions(sollicites=asked))
    if not resultat.written:
        raise ValueError(resultat.report())
    for chemin in resultat.written:  # réponses inventées, livrées à tous : l'import les réserve à leur propriétaire
        for ecrit in (chemin, chemin.with_suffix(".import.json")):
            ecrit.chmod(0o644)
    export.unlink()
    if not any(export.parent.iterdir()):
        export.parent.rmdir()


def _dire_sollicites(dossier: Path, passation: Passation) -> None:
    """An export left as it came says nothing of who was asked: a mapping file does."""
    if passation.sollicites:
        n = next(iter(passation.sollicites.values()))
        chemin = dossier / "enquetes" / f"{passation.enquete.lower()}.correspondance.yml"
        texte = f'# DONNÉES FICTIVES\nenquete: "{passation.enquete}"\nsollicites: {n}\n'
        chemin.write_text(texte, encoding="utf-8", newline="\n")


def _essai(lignes: exports.Rows) -> list[Any]:
    """A trial, as a pilot sends one before the survey: the free texts say « test »."""
    titres = lignes[0]
    ligne = list(lignes[1])
    for rang, titre in enumerate(titres):
        if titre in ("_uuid", "_id"):
            ligne[rang] = "essai-0"
        if str(titre).endswith("A38"):
            ligne[rang] = "test"
    return ligne


def _reponses(enquete: Enquete, passation: Passation, plan: Plan, territoire: Territory) -> pd.DataFrame:
    rows = []
    for partie, nombre in passation.reponses.items():
        for rang in range(nombre):
            hasard = tirage("enquete", plan.dossier, enquete.code, partie, rang)
            humeur = hasard.gauss(0, 0.9)  # a respondent is rather content, or rather not, throughout
            row: dict[str, Any] = {"ligne": len(rows) + 1, "partie": partie, "poids": 1.0}
            for question in enquete.questions:
                if question.partie == partie and _posee(question.posee_si, row):
                    row[question.code] = _reponse(question, row, plan, humeur, hasard, territoire)
            rows.append(row)
    colonnes = ["ligne", "partie", "poids", *enquete.questions_par_code]
    table = pd.DataFrame(rows, columns=colonnes)
    return table.astype(dict.fromkeys(enquete.questions_par_code, "str"))


def _posee(condition: Condition | None, row: dict[str, Any]) -> bool:
    if condition is None:
        return True

    def tient(comparaison: Any) -> bool:
        valeur = row.get(comparaison.fait)
        return valeur is not None and any(evaluate_comparison(comparaison, c) for c in str(valeur).split(";"))

    un_de = condition.un_de or ()
    return all(map(tient, condition.tous or ())) and (not un_de or any(map(tient, un_de)))


def _reponse(
    question: QuestionEnquete, row: dict[str, Any], plan: Plan, humeur: float, hasard: Random, territoire: Territory
) -> str | None:
    if hasard.random() < 0.03:
        return None
    if question.type == "texte":
        return TEXTE if hasard.random() < 0.4 else None
    if question.type == "nombre":
        return _nombre(question, hasard)
    choix = [c for c in question.choix if not c.liste]
    listes = [code for c in question.choix if c.liste for code, _ in territory_choices(c.liste, territoire)]
    if any(c.liste == "structures" for c in question.choix):
        return None  # the bodies of a contract are its own: a form leaves them to be written
    silences = [c.code for c in choix if c.silence]
    if silences and hasard.random() < 0.06:
        return hasard.choice(silences)
    if question.type == "likert":
        position = round(1.4 + 0.62 * plan.niveau + humeur + tirage("question", question.code).gauss(0, 0.5))
        return str(min(5, max(1, position)))
    if question.type == "choix_multiple":
        return _plusieurs(question, choix, listes, hasard)
    codes = [*listes, *(c.code for c in choix if not c.silence)]
    return hasard.choices(codes, _poids(question.code, codes))[0] if codes else None


def _nombre(question: QuestionEnquete, hasard: Random) -> str:
    bas = question.bornes.min if question.bornes and question.bornes.min is not None else 0
    haut = question.bornes.max if question.bornes and question.bornes.max is not None else bas + 30
    if (bas, haut) == (2000, 2100):  # a year
        bas, haut = 2014, 2021
    return str(int(hasard.triangular(bas, haut, bas + (haut - bas) / 4)))


def _plusieurs(question: QuestionEnquete, choix: list[ChoixReponse], listes: list[str], hasard: Random) -> str | None:
    seuls = [c.code for c in choix if c.exclusif]
    codes = [*listes, *(c.code for c in choix if not c.silence and not c.exclusif)]
    if not codes or (seuls and hasard.random() < 0.12):
        return hasard.choice(seuls) if seuls else None
    poids = _poids(question.code, codes)
    total = max(poids)
    pris = [code for code, p in zip(codes, poids, strict=True) if hasard.random() < 0.65 * p / total]
    pris = pris or [hasard.choices(codes, poids)[0]]
    return ";".join(pris[: question.maximum or len(pris)])


def _poids(question: str, codes: list[str]) -> list[float]:
    """How often each answer comes: the same for everybody, drawn once per question."""
    hasard = tirage("poids", question)
    return [0.3 + hasard.random() * 2 for _ in codes]
