"""Sentences made from published figures: plain text, no figure that the tables do not hold.

Each function takes rows of a :class:`~evalkit.compute.results.Publication` (or of a published synthesis) and returns
text; what cannot be said is left out, and the reason is said instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from evalkit.charts.theme import format_unit
from evalkit.compute.maturity import count_left_to_settle
from evalkit.compute.results import Publication, PublicationSynthese, table_rows
from evalkit.model.referentiel import Referentiel
from evalkit.model.territory import Qpv
from evalkit.wording import (
    agree,
    at_least_left,
    format_number,
    format_percent,
    join_french,
    label_status,
    plural,
    quote,
)

SUB = "sous-question"
Row = Mapping[str, Any]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a result table as plain mappings, in their order."""
    return table_rows(frame)


def is_missing(value: object) -> bool:
    """Tell whether a cell of a result table is empty."""
    return value is None or (isinstance(value, float) and value != value) or value is pd.NA


def codes(cell: object) -> list[str]:
    """Codes of a cell joined by « ; »; none for an empty cell."""
    return [] if is_missing(cell) else [code.strip() for code in str(cell).split(";") if code.strip()]


def median_text(value: float) -> str:
    """A median of levels: whole, or with its half.

    >>> median_text(2.0), median_text(2.5)
    ('2', '2,5')
    """
    return format_number(value, 0 if float(value).is_integer() else 1)


def level_text(referentiel: Referentiel, level: float) -> str:
    """A level and its name: « 3 sur 5 (« Structuration ») »."""
    names = {step.niveau: step.nom for step in referentiel.echelle.niveaux}
    return f"{int(level)} sur 5 ({quote(names[int(level)])})"


def group_names(referentiel: Referentiel, cell: object) -> str:
    """Actor groups in a sentence, in the order of acteurs.yml: « le groupe « Communes » »."""
    wanted = codes(cell)
    names = [quote(groupe.libelle) for groupe in referentiel.groupes if groupe.code in wanted]
    return f"{agree(len(names), 'le groupe', 'les groupes')} {join_french(names)}" if names else ""


def settled_text(settled: int, applicable: int) -> str:
    """How many sub-questions are settled.

    >>> settled_text(0, 24), settled_text(3, 6)
    ('0 sous-question arbitrée sur 24', '3 sous-questions arbitrées sur 6')
    """
    return f"{plural(settled, f'{SUB} arbitrée')} sur {applicable}"


def question_row(publication: Publication, code: str) -> Row | None:
    """Row of a question; ``None`` when its module is not evaluated."""
    rows = publication.questions[publication.questions["question"] == code]
    return None if rows.empty else records(rows)[0]


def question_level(publication: Publication, row: Row) -> str:
    """Level of a question and the rule that gave it, or why there is none. One or two sentences."""
    referentiel = publication.referentiel
    count = settled_text(int(row["n_arbitrees"]), int(row["n_applicables"]))
    if row["statut"] == "non_applicable":
        return "Cette question est sans objet pour ce territoire."
    if row["statut"] == "aucun_arbitrage":
        return f"Évaluation non renseignée : {count}. Aucun niveau n’est donné. {to_settle(referentiel, row)}"
    if row["statut"] == "couverture_insuffisante":
        needed = format_percent(referentiel.seuil("couverture_minimale") * 100)
        share = format_percent(row["couverture"] * 100)
        return (
            f"Pas de niveau d’ensemble : {count}, soit {share}, sous les {needed} demandés. {to_settle(referentiel, row)} "
            f"{_bounds(row, 'Selon les niveaux qui restent à arrêter, la médiane')}"
        ).strip()
    level = f"Niveau {level_text(referentiel, row['mediane'])} : c’est la médiane basse des niveaux arbitrés ({count})."
    lowest = f"Le plus bas des niveaux arbitrés est {level_text(referentiel, row['minimum'])}."
    bounds = _bounds(row, "Selon les niveaux qui restent à arrêter, la médiane") if row["couverture"] < 1 else ""
    return " ".join(part for part in (level, lowest, bounds) if part)


def to_settle(referentiel: Referentiel, row: Row) -> str:
    """What a meeting has yet to settle before a question has a level."""
    least = referentiel.seuil("couverture_minimale")
    left = count_left_to_settle(int(row["n_arbitrees"]), int(row["n_applicables"]), least)
    return f"À arrêter en réunion : {at_least_left(left, SUB)}." if left else ""


def _bounds(row: Row, subject: str) -> str:
    low, high = row["borne_basse"], row["borne_haute"]
    if is_missing(low) or is_missing(high):
        return ""
    if low == high:
        return f"{subject} resterait au niveau {median_text(low)}."
    return f"{subject} irait de {median_text(low)} à {median_text(high)}."


def brief_line(publication: Publication, code: str) -> str:
    """One line of « En bref »: the level and its rule, or why there is none."""
    row = question_row(publication, code)
    return "" if row is None else question_level(publication, row)


def coverage_lines(publication: Publication) -> list[str]:
    """Per evaluated module, how many sub-questions are settled."""
    lines = []
    for module in publication.referentiel.modules:
        wanted = [question.code for question in module.questions]
        rows = publication.questions[publication.questions["question"].isin(wanted)]
        if rows.empty:
            continue
        settled, applicable = int(rows["n_arbitrees"].sum()), int(rows["n_applicables"].sum())
        unset = "évaluation non renseignée, " if settled == 0 else ""
        lines.append(f"{module.libelle} : {unset}{settled_text(settled, applicable)}.")
    return lines


def is_unfilled(publication: Publication) -> bool:
    """Tell whether nothing of the evaluation was filled in: no rating, no settled level, no indicator, no finding."""
    return (
        int(publication.questions["n_arbitrees"].sum()) == 0
        and publication.groupes.empty
        and not bool(((publication.indicateurs["statut"] == "ok") & _typed(publication)).any())
        and publication.constats.empty
        and publication.actions.empty
    )


def _typed(publication: Publication) -> pd.Series:
    return publication.indicateurs["obtention"] != "contexte"


def respondents(publication: Publication) -> str:
    """Who answered: respondents by group, ratings, groups that did not answer."""
    frame = publication.repondants
    total = int(frame["n_repondants"].sum())
    if total == 0:
        return "Aucune cotation n’a été recueillie."
    names = publication.referentiel.groupes_par_code
    present = [
        f"{int(row['n_repondants'])} pour le groupe {quote(names[str(row['groupe'])].libelle)}"
        for row in records(frame)
        if row["n_repondants"] > 0
    ]
    absent = [quote(names[str(row["groupe"])].libelle) for row in records(frame) if row["n_repondants"] == 0]
    ratings, silences = int(frame["n_cotations"].sum()), int(frame["n_silences"].sum())
    said = (
        f"{plural(total, 'répondant')} {agree(total, 'a', 'ont')} donné {plural(ratings, 'cotation')} : "
        f"{join_french(present)}."
    )
    if silences:
        said += f" {plural(silences, 'réponse')} sans niveau (ne sait pas, sans objet, refus…) {agree(silences, 'n’est jamais comptée', 'ne sont jamais comptées')} comme un zéro."
    if absent:
        said += f" {agree(len(absent), 'Le groupe', 'Les groupes')} {join_french(absent)} {agree(len(absent), 'n’a pas donné de cotation', 'n’ont pas donné de cotation')}."
    return said


def discussion_point(publication: Publication, row: Row) -> str:
    """What groups see differently in one sub-question: « partagé » first, then the gap and what limits it."""
    referentiel = publication.referentiel
    parts = []
    split = group_names(referentiel, row["partages"])
    if split:
        share = format_percent(referentiel.seuil("partage_part") * 100)
        low, high = int(referentiel.seuil("partage_bas")), int(referentiel.seuil("partage_haut"))
        parts.append(
            f"partagé : {split} (au moins {share} des cotations à {low} ou moins, et au moins {share} à {high} ou plus)"
        )
    if row["statut"] == "ecart_a_debattre":
        parts.append(_gap(publication, row))
    elif row["statut"] == "medianes_proches":
        parts.append("les médianes des groupes sont proches")
    else:
        parts.append("trop peu de réponses pour comparer les groupes")
    return " ; ".join(parts) + "."


def _gap(publication: Publication, row: Row) -> str:
    low, high = (_with_median(publication, row, row[column]) for column in ("groupe_bas", "groupe_haut"))
    points = agree(row["ecart"], "point")
    limits = [
        "position de l’institution" if row["position_institution"] else "",
        "effectifs faibles : un tel écart peut venir du hasard" if row["effectifs_faibles"] else "",
    ]
    said = [limit for limit in limits if limit]
    tail = f" ({' ; '.join(said)})" if said else ""
    return f"écart à débattre de {median_text(row['ecart'])} {points} entre {low} et {high}{tail}"


def _with_median(publication: Publication, row: Row, cell: object) -> str:
    groups = publication.groupes
    here = groups[(groups["sous_question"] == row["sous_question"]) & groups["groupe"].isin(codes(cell))]
    medians = here["mediane"].dropna()
    names = group_names(publication.referentiel, cell)
    return f"{names} (médiane {median_text(medians.iloc[0])})" if len(medians) else names


def points_to_discuss(publication: Publication, code: str) -> pd.DataFrame:
    """Rows of the triangulation worth a discussion, in its order."""
    frame = publication.triangulation
    mine = frame[frame["question"] == code]
    kept = mine[(mine["statut"] == "ecart_a_debattre") | mine["partages"].notna()]
    return kept.sort_values(["ordre", "sous_question"], kind="stable")


def triangulation_summary(publication: Publication, code: str) -> str:
    """How many sub-questions of a question can be compared between groups, and how many divide them."""
    mine = publication.triangulation[publication.triangulation["question"] == code]
    counts = mine["statut"].value_counts()
    debate = int(counts.get("ecart_a_debattre", 0))
    close = int(counts.get("medianes_proches", 0))
    few = int(counts.get("trop_peu_de_reponses", 0))
    if debate + close == 0:
        return (
            "Les réponses publiables sont trop peu nombreuses pour comparer les groupes entre eux." if len(mine) else ""
        )
    parts = [
        f"écart à débattre pour {plural(debate, SUB)}" if debate else "",
        f"médianes proches pour {plural(close, SUB)}" if close else "",
        f"trop peu de réponses pour {plural(few, SUB)}" if few else "",
    ]
    return f"Entre les groupes : {join_french(parts)}."


def value_text(referentiel: Referentiel, unit: str, value: float, *, typed: bool = False) -> str:
    """A value with its unit's symbol and decimals; ``typed``: with the decimals it was typed with."""
    return format_unit(referentiel, value, unit, typed=typed)


def number_text(value: float) -> str:
    """A count or an amount, with a decimal only when it has one and is under a thousand (no one reads 579 113,3 euros).

    >>> number_text(10.9), number_text(579113.3).replace("\u202f", " ")
    ('10,9', '579 113')
    """
    return format_number(value, 0 if float(value).is_integer() or abs(value) >= 1000 else 1)


def without_value(publication: Publication, rows: pd.DataFrame) -> list[str]:
    """Indicators that have no value, gathered by reason, one line each; an indicator is said once, by its main reason."""
    lines = []
    reasons: dict[str, list[str]] = {}
    for row in _main_reasons(rows):
        label = label_status(str(row["statut"]))
        reason = label if is_missing(row["explication"]) else f"{label} ({str(row['explication']).rstrip('.')})"
        reasons.setdefault(reason, []).append(str(row["indicateur"]))
    for reason in sorted(reasons):
        found = sorted(set(reasons[reason]))
        lines.append(f"{reason} : {join_french(found)}")
    return lines


# Among the ways of obtaining one indicator, the reason that is said: what is hidden, what the pilot can act on, the rest.
_REASON_ORDER = {"secret": 0, "non_calculable": 1, "non_applicable": 3, "non_disponible": 4}


def _main_reasons(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """One row per indicator, whatever the number of ways of obtaining it."""

    def rank(row: Row) -> tuple[int, bool]:
        return _REASON_ORDER.get(str(row["statut"]), 2), row["obtention"] != "saisie"

    kept: dict[str, dict[str, Any]] = {}
    for row in records(rows):
        code = str(row["indicateur"])
        if code not in kept or rank(row) < rank(kept[code]):
            kept[code] = row
    return list(kept.values())


def follow_up(publication: Publication) -> str:
    """What became of the previous recommendations, counted."""
    frame = publication.suivis
    total = len(frame)
    order = ["realise", "en_cours", "reporte", "abandonne", "sans_suite", "non_renseigne"]
    words = {
        "realise": ("réalisée", "réalisées"),
        "en_cours": ("en cours", "en cours"),
        "reporte": ("reportée", "reportées"),
        "abandonne": ("abandonnée", "abandonnées"),
        "sans_suite": ("sans suite", "sans suite"),
        "non_renseigne": ("dont la suite n’est pas renseignée", "dont la suite n’est pas renseignée"),
    }
    counts = frame["statut"].value_counts()
    parts = [f"{int(counts[code])} {agree(int(counts[code]), *words[code])}" for code in order if code in counts]
    return f"La campagne précédente avait émis {plural(total, 'préconisation')} : {join_french(parts)}."


def actions_year(publication: Publication, row: Row) -> str:
    """One year of the programme of actions."""
    n, holders = int(row["n_actions"]), int(row["n_porteurs"])
    said = f"En {int(row['annee'])}, {plural(n, 'action')}"
    if holders:
        said += f" {agree(n, 'portée', 'portées')} par {plural(holders, 'structure')}"
    if not is_missing(row["montant_total"]):
        known = int(row["n_montants"])
        said += (
            f", pour {number_text(row['montant_total'])}\u202f€ de financements connus ({plural(known, 'action')} sur {n} "
            f"{agree(known, 'a', 'ont')} un montant renseigné)"
        )
    return said + "."


def citizens_council(publication: Publication) -> str:
    """Whether the territory says it has a citizens' council."""
    fact = publication.territoire.faits.get("conseil_citoyen")
    if fact is True:
        return "Le territoire déclare au moins un conseil citoyen."
    if fact is False:
        return (
            "Le territoire déclare ne pas avoir de conseil citoyen. Les questions qui supposent un "
            "conseil sont sans objet : elles ne comptent ni dans la couverture, ni dans les niveaux."
        )
    return "Le dossier ne dit pas s’il existe un conseil citoyen."


def masked(masks: pd.DataFrame) -> str:
    """How many published cells are hidden."""
    n = len(masks)
    if n == 0:
        return "Aucune valeur n’est masquée dans ce document."
    return f"{plural(n, 'valeur')} {agree(n, 'est masquée', 'sont masquées')} dans ce document."


def to_attach(qpv: Qpv) -> str:
    """A neighbourhood that several contracts could hold, counted in none of them."""
    why = qpv.a_verifier or "touche plusieurs contrats"
    return f"Le quartier {quote(qpv.nom)} ({qpv.code}) {why} ; sans source qui tranche, il n’est compté dans aucun."


# --- syntheses --------------------------------------------------------------------------------------------------------


def perimeter(synthesis: PublicationSynthese) -> str:
    """Territories counted and left out."""
    n, out = len(synthesis.territoires), len(synthesis.exclus)
    qpv = sum(len(territory.qpv) for territory in synthesis.territoires)
    where = (
        f"du département {synthesis.perimetre}" if synthesis.perimetre else f"de la région {synthesis.campagne.region}"
    )
    said = f"Cette synthèse porte sur {plural(n, 'contrat de ville', 'contrats de ville')} {where}"
    said += f" et {plural(qpv, 'quartier prioritaire', 'quartiers prioritaires')}." if qpv else "."
    waiting = len({qpv.code for territory in synthesis.territoires for qpv in territory.qpv_a_rattacher})
    if waiting:
        said += (
            f" {plural(waiting, 'quartier')} qui {agree(waiting, 'touche', 'touchent')} plusieurs contrats, sans source "
            f"qui tranche, {agree(waiting, 'n’est compté', 'ne sont comptés')} dans aucun."
        )
    if out:
        said += f" {plural(out, 'territoire')} {agree(out, 'est laissé', 'sont laissés')} de côté, avec la raison."
    else:
        said += " Aucun territoire n’est laissé de côté."
    return said


def synthesis_question(synthesis: PublicationSynthese, rows: pd.DataFrame) -> str:
    """Levels of one question over the territories."""
    first = records(rows)[0]
    n = int(first["n_territoires"])
    others = [
        (int(first["n_couverture_insuffisante"]), "avec une couverture insuffisante"),
        (int(first["n_aucun_arbitrage"]), "sans aucun niveau arbitré"),
        (int(first["n_non_applicable"]), "où la question est sans objet"),
    ]
    left = join_french([f"{plural(count, 'territoire')} {why}" for count, why in others if count])
    tail = f" Hors du compte : {left}." if left else ""
    if n == 0:
        return f"Aucun territoire n’a de niveau d’ensemble pour cette question.{tail}"
    if first["statut"] != "ok":
        least = int(synthesis.referentiel.seuil("seuil_territoires"))
        return (
            f"{plural(n, 'territoire')} {agree(n, 'a', 'ont')} un niveau d’ensemble : la répartition n’est donnée qu’à "
            f"partir de {least} territoires.{tail}"
        )
    parts = [
        f"{int(row['n'])} au niveau {int(row['niveau'])}"
        for row in records(rows.sort_values("niveau"))
        if not is_missing(row["n"]) and row["n"] > 0
    ]
    return f"Sur {plural(n, 'territoire')} ayant un niveau d’ensemble : {join_french(parts)}.{tail}"


def synthesis_gaps(frame: pd.DataFrame) -> str:
    """Where groups disagree, counted."""
    shown = frame[(frame["statut"] == "ok") & (frame["n_debat"] > 0)]
    if shown.empty:
        return "Aucun écart à débattre ne peut être compté sur un nombre suffisant de territoires."
    n = len(shown)
    return f"{plural(n, SUB)} {agree(n, 'donne', 'donnent')} lieu à un écart à débattre dans au moins un territoire."


def synthesis_findings(frame: pd.DataFrame) -> str:
    """Findings counted by type."""
    labels = (
        ("reussite", "réussite"),
        ("frein", "frein"),
        ("preconisation", "préconisation"),
        ("action", "action proposée"),
    )
    totals = frame.groupby("type", observed=True)["n_constats"].sum()
    parts = [plural(int(totals[code]), word) for code, word in labels if code in totals]
    return f"Les territoires ont consigné {join_french(parts)}." if parts else "Aucun constat n’a été consigné."
