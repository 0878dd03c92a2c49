"""What the report of a dossier will lack, said before it is made."""

from __future__ import annotations

from collections.abc import Callable

from evalkit.model.dossier import Dossier
from evalkit.model.referentiel import Referentiel


def missing_from_report(
    dossier: Dossier, referentiel: Referentiel, why_not: Callable[..., str], refused: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """French lines, in the order of the report.

    ``why_not(referentiel, territory, code)`` gives the reason why a code does not apply, "" when it does. ``refused``: tables
    with a fault that blocks; a refused table is not an empty one, so nothing is said to be missing from it.
    """
    territory = dossier.territoire
    wanted = territory.modules or dossier.campagne.modules
    subs = [
        sub.code
        for module in referentiel.modules
        if not wanted or module.code in wanted
        for question in module.questions
        for sub in question.sous_questions
        if not why_not(referentiel, territory, sub.code)
    ]
    lines = [] if territory.qpv else ["aucun quartier (QPV) déclaré : le rapport ne les nommera pas"]
    lines += _context_lines(dossier)
    by_table = {
        "cotations": lambda: _ratings_lines(dossier, referentiel),
        "arbitrages": lambda: _levels_lines(dossier, referentiel, subs),
        "indicateurs": lambda: _indicators_lines(dossier, referentiel, subs),
    }
    for name, said in by_table.items():
        lines += [f"« {name} » : à corriger d’abord ; ce qui y manque sera dit ensuite"] if name in refused else said()
    if dossier.tables["constats"].empty and "constats" not in refused:
        lines.append("aucun constat : ni réussites, ni freins, ni préconisations")
    if dossier.tables["actions"].empty and "actions" not in refused:
        lines.append("aucune action : les indicateurs tirés du programme d’actions seront « non renseignés »")
    lines += [] if "enquetes" in refused else _survey_lines(dossier, referentiel)
    if not dossier.campagne.campagne_precedente:
        lines.append("pas de campagne précédente : pas de suivi des préconisations")
    elif dossier.precedents.empty:
        lines.append(f"rien pour ce territoire dans la campagne {dossier.campagne.campagne_precedente} : pas de suivi")
    if dossier.reference is None:
        lines.append("pas de référence régionale : les indicateurs seront montrés sans comparaison")
    return tuple(lines)


def _context_lines(dossier: Dossier) -> list[str]:
    return ["pas de données de contexte pour ces quartiers (contexte.parquet)"] if dossier.contexte.empty else []


def _survey_lines(dossier: Dossier, referentiel: Referentiel) -> list[str]:
    if not dossier.enquetes:
        return ["aucune réponse aux questionnaires : déposez les exports dans enquetes/brut/ quand vous les aurez"]
    absent = [survey.code for survey in referentiel.enquetes if survey.code not in dossier.enquetes]
    unknown = [
        code
        for code, frame in dossier.enquetes.items()
        if not dossier.enquetes_import[code]["n_sollicites"]
        and not (frame["partie"].isin(_open_parts(referentiel))).all()
    ]
    lines = [f"taux de réponse : nombre de sollicités inconnu pour {', '.join(unknown)}"] if unknown else []
    return [*lines, *(["questionnaires sans réponse : " + ", ".join(absent)] if absent else [])]


def _open_parts(referentiel: Referentiel) -> set[str]:
    """Parts open to everybody: nobody was asked, and there is no rate."""
    return {part.code for survey in referentiel.enquetes for part in survey.parties if part.collecte == "ouvert"} - {
        part.code for survey in referentiel.enquetes for part in survey.parties if part.collecte != "ouvert"
    }


def _ratings_lines(dossier: Dossier, referentiel: Referentiel) -> list[str]:
    ratings = dossier.tables["cotations"]
    if ratings.empty:
        return ["aucune cotation : pas de comparaison entre groupes d’acteurs"]
    expressed = ratings[ratings["niveau"].notna()]
    people = expressed.groupby("groupe")["repondant"].nunique().to_dict()
    absent = [group.libelle for code, group in referentiel.groupes_par_code.items() if not people.get(code)]
    threshold = int(referentiel.seuil("seuil_mediane_atelier"))
    small = [
        f"{group.libelle} ({people[code]})"
        for code, group in referentiel.groupes_par_code.items()
        if people.get(code) and not group.institution and people[code] < threshold
    ]
    lines = ["groupes sans cotation : " + ", ".join(absent)] if absent else []
    if small:
        lines.append(
            f"groupes de moins de {threshold} répondants, dont la médiane ne sera pas publiée : " + ", ".join(small)
        )
    return lines


def _levels_lines(dossier: Dossier, referentiel: Referentiel, subs: list[str]) -> list[str]:
    settled = set(dossier.tables["arbitrages"].dropna(subset=["niveau"])["sous_question"])
    done = [code for code in subs if code in settled]
    lines = []
    if len(done) < len(subs):
        lines.append(f"niveaux arrêtés : {len(done)} sur {len(subs)} sous-questions applicables")
    minimum = referentiel.seuil("couverture_minimale")
    low = []
    for question in referentiel.questions_par_code:
        own = [code for code in subs if referentiel.question_de.get(code) == question]
        if own and sum(code in settled for code in own) < minimum * len(own):
            low.append(question)
    if low:
        lines.append(
            f"questions sans niveau d’ensemble (moins de {minimum:.0%} arrêtés) : ".replace("%", " %") + ", ".join(low)
        )
    return lines


def _indicators_lines(dossier: Dossier, referentiel: Referentiel, subs: list[str]) -> list[str]:
    applicable = set(subs)
    typed = [
        indicator.code
        for code, sub in referentiel.sous_questions.items()
        if code in applicable
        for indicator in sub.indicateurs
        if "saisie" in indicator.obtention
    ]
    given = set(dossier.tables["indicateurs"]["indicateur"])
    lacking = [code for code in typed if code not in given]
    return [f"indicateurs à saisir non donnés : {len(lacking)} sur {len(typed)}"] if lacking else []
