"""Publications that are hard to draw: long titles, many rows, everybody at one level, words without an end."""

from __future__ import annotations

import dataclasses
from typing import Any

from evalkit.compute.results import COLUMNS, SYNTHESIS_COLUMNS, Publication, PublicationSynthese, as_table
from evalkit.model.referentiel import Referentiel
from evalkit.model.territory import Qpv
from tests.fabrique import (
    GROUPS,
    PROPOSED,
    make_campagne,
    make_indicator,
    make_publication,
    make_question,
    make_referentiel,
    make_sub_question,
    make_territory,
)

NAN = float("nan")
LONG = "Place des habitants et des conseils citoyens dans les instances de gouvernance, du diagnostic au bilan, commune par commune"
ENDLESS = "x" * 5000
STEPS = (
    "Inaction",
    "Prise de conscience",
    "Amorçage",
    "Structuration",
    "Déploiement",
    "Intégration et amélioration continue",
)
DESCRIPTOR = (
    "Objectifs, responsable, moyens et calendrier sont écrits et validés par le comité de pilotage ; les comptes rendus "
    "sont diffusés à tous les signataires, qui les discutent à la séance suivante. "
)


def hard_referentiel(title: str = LONG, count: int = 8, codes: tuple[str, ...] = ("Q1", "Q2")) -> Referentiel:
    """Questions of ``count`` sub-questions with long titles, and the real names of the six levels."""
    ladder = {"niveaux": {level: DESCRIPTOR * (1 + level % 2) for level in range(6)}, **PROPOSED}
    questions = []
    for code in codes:
        names = [f"{code}.{rank}" for rank in range(1, count + 1)]
        subs = [
            make_sub_question(n, [make_indicator(f"{n}.a", libelle=title)], titre=title, echelle=ladder) for n in names
        ]
        questions.append(make_question(code, subs, titre=title))
    made = make_referentiel(questions).model_dump()
    for step, name in zip(made["echelle"]["niveaux"], STEPS, strict=True):
        step["nom"] = name
    return Referentiel.model_validate(made)


def _complete(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    blank = {"int": 0, "float": NAN, "str": NAN, "bool": False}
    defaults = {column: blank[dtype] for column, (dtype, _) in COLUMNS[name].items()}
    return [{**defaults, **row} for row in rows]


def hard_publication(
    medians: dict[str, float | None], *, n: int = 12, settled: float | None = 2.0, title: str = LONG, count: int = 8
) -> Publication:
    """Every sub-question has the same groups: ``medians`` by group, None for a secret one."""
    referentiel = hard_referentiel(title, count)
    shown = [m for m in medians.values() if m is not None]
    gap = max(shown) - min(shown) if len(shown) > 1 else NAN
    groups, levels, triangles, questions = [], [], [], []
    for question in referentiel.questions():
        for sub in question.sous_questions:
            key = {"question": question.code, "sous_question": sub.code}
            status = "non_arbitre" if settled is None else "arbitre"
            levels.append({**key, "applicable": True, "niveau": NAN if settled is None else settled, "statut": status})
            for code, median in medians.items():
                found = {"mediane": NAN, "statut": "secret"} if median is None else {"mediane": median, "statut": "ok"}
                groups.append({**key, "groupe": code, "n": 3 if median is None else n, **found})
            debate = "ecart_a_debattre" if gap > 1 else "medianes_proches"
            triangles.append({**key, "n_groupes": len(shown), "ecart": gap, "statut": debate, "ordre": 1})
        done = 0 if settled is None else count
        known = (
            {"statut": "aucun_arbitrage"}
            if settled is None
            else {"statut": "calcule", "mediane": settled, "minimum": 0.0}
        )
        questions.append({"question": question.code, "n_applicables": count, "n_arbitrees": done, **known})
    tables = {"groupes": groups, "niveaux": levels, "triangulation": triangles, "questions": questions}
    made = {name: as_table(name, _complete(name, rows)) for name, rows in tables.items()}
    return dataclasses.replace(make_publication(), referentiel=referentiel, **made)


def all_groups(*medians: float | None) -> dict[str, float | None]:
    """Medians given to the groups in their order; one value goes to all."""
    codes = [group[0] for group in GROUPS]
    return dict(zip(codes, medians * len(codes) if len(medians) == 1 else medians, strict=True))


REFERENCE = {
    "format": 1,
    "campagne": "2022",
    "date": "2022-12-15",
    "n_territoires": 31,
    "indicateurs": {
        "Q1.1.a|saisie": {"n": 31, "q1": 40.0, "mediane": 60.0, "q3": 75.0},
        "Q1.1.c|saisie": {"n": 28, "q1": 1.2, "mediane": 2.0, "q3": 2.0},
    },
}


def with_reference() -> Publication:
    """The teaching publication with a regional reference for two of its indicators."""
    return dataclasses.replace(make_publication(), reference=REFERENCE)


def with_context(count: int = 20, name: str = LONG, comparison: float | None = 3210.0) -> Publication:
    """``count`` neighbourhoods; the fourth is secret, the eighth not available."""
    codes = [f"QF59{rank:04d}" for rank in range(count)]
    base = {
        "nom": name,
        "indicateur": "CTX.1",
        "theme": "DEMO",
        "variable": "POP_MUN",
        "unite": "habitants",
        "edition": "2019",
        "annee_reference": "2013",
        "geographie": "2015",
        "source": "Insee",
    }
    silent = {3: "secret", 7: "non_disponible"}
    rows = [
        {**base, "qpv": code, "valeur": NAN if i in silent else 1000.0 + i * 317 % 4000, "silence": silent.get(i, NAN)}
        for i, code in enumerate(codes)
    ]
    if comparison is not None:
        rows.append({**base, "qpv": "59", "nom": "Ensemble du département", "valeur": comparison})
    rows.reverse()  # the chart sorts, whatever the order of the file
    territory = make_territory(qpv=tuple(Qpv(code, name, "2015") for code in codes))
    table = as_table("contexte", _complete("contexte", rows))
    return dataclasses.replace(make_publication(), contexte=table, territoire=territory)


def make_synthese(
    count: int = 40, *, nominatif: bool = False, statut: str = "ok", title: str = LONG, name: str = "Val-de-Brune"
) -> PublicationSynthese:
    """A synthesis of ``count`` territories: Q1.2 is secret, Q1.3 was never settled; the rest has ``statut``."""
    referentiel = hard_referentiel(title, 8, ("Q1", "Q2", "Q3", "Q4", "LCD", "EFH"))
    levels, questions, names = [], [], []
    for question in referentiel.questions():
        for sub in question.sous_questions:
            state = {"Q1.2": "secret", "Q1.3": "aucun_arbitrage"}.get(sub.code, statut)
            n = {"secret": 3, "aucun_arbitrage": 0}.get(state, count)
            counts = (2, 0, 1, count - 4, 1, 0) if state == "ok" else (NAN,) * 6
            key = {"question": question.code, "sous_question": sub.code, "n_territoires": n, "statut": state}
            rest = {"part": NAN, "n_non_arbitre": count - n, "n_non_applicable": 0}
            levels += [{**key, **rest, "niveau": level, "n": counts[level]} for level in range(6)]
        counts = (0, 3, 11, count - 16, 2, 0) if statut == "ok" else (NAN,) * 6
        base = {"question": question.code, "part": NAN, "n_territoires": count if statut == "ok" else 0}
        base |= {"n_couverture_insuffisante": 5, "n_aucun_arbitrage": 3, "n_non_applicable": 1, "statut": statut}
        base |= {"couverture_mediane": 0.75 if statut == "ok" else NAN}
        questions += [{**base, "niveau": level, "n": counts[level]} for level in range(6)]
        for rank in range(count):
            known = rank % 4 != 1
            row = {"territoire": f"t{rank:02d}", "nom": f"{name} {count - rank:02d}", "departement": "59"}
            row |= {"question": question.code, "mediane": rank % 6 if known else NAN, "minimum": NAN}
            names.append({**row, "couverture": 0.8, "statut": "calcule" if known else "couverture_insuffisante"})
    tables = {table: as_table(table, [], SYNTHESIS_COLUMNS) for table in SYNTHESIS_COLUMNS}
    given = {"niveaux": levels, "questions": questions, **({"nominatif": names} if nominatif else {})}
    return PublicationSynthese(
        campagne=make_campagne(),
        referentiel=referentiel,
        perimetre="",
        nominatif=nominatif,
        territoires=tuple(make_territory(f"t{rank:02d}", f"{name} {rank}") for rank in range(count)),
        exclus=(),
        tables=tables | {table: as_table(table, rows, SYNTHESIS_COLUMNS) for table, rows in given.items()},
        masques=as_table("masques", []),
    )
