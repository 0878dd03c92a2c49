"""Many territories: the same tables concatenated, then distributions over territories. Never a ranking (DESIGN §6.8).

What a synthesis is made of. Every territory is protected first, alone: a synthesis is a function of published figures
only, so nothing that a territory hides can come back through it.

What it shows. A distribution over territories needs five of them; under that it is ``secret``, its number of territories
stays. Subtraction: when the region and departments are both published, what is left of the region once the published
departments are taken away must be nothing or five territories; otherwise the last one asked for is hidden. ``known`` holds
the syntheses already published; pass them all, in any order.

A territory that does not evaluate a module is not counted in it: the counts of each block add up to the territories
concerned, not to those of the perimeter.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from evalkit.compute.disclosure import protect
from evalkit.compute.maturity import LEVELS, NAN
from evalkit.compute.results import (
    COLUMNS,
    SYNTHESIS_COLUMNS,
    SYNTHESIS_TABLES,
    Evaluation,
    Publication,
    PublicationSynthese,
    Synthese,
    as_table,
    table_rows,
)
from evalkit.compute.rules import Rules
from evalkit.compute.surveys import way_of
from evalkit.model.referentiel import Formule, Referentiel, Regle
from evalkit.model.territory import Campagne, Territory

Rows = list[dict[str, Any]]
ADDITIVE_UNITS = ("habitants",)  # the only context figures that may be summed over neighbourhoods


def _alphabetical(territory: Territory) -> tuple[str, str]:
    plain = unicodedata.normalize("NFKD", territory.nom.replace("œ", "oe").replace("Œ", "Oe"))
    return ("".join(c for c in plain if not unicodedata.combining(c)).casefold(), territory.dossier)


def synthesize(
    referentiel: Referentiel,
    campagne: Campagne,
    evaluations: Iterable[Evaluation | Publication],
    exclus: Sequence[tuple[str, str]] = (),
    perimetre: str = "",
) -> Synthese:
    """Put territories together, in alphabetical order.

    Parameters
    ----------
    evaluations
        One per territory, in any order; those outside the perimeter are left out. An evaluation is protected first.
    exclus
        (folder, reason) of the territories that could not be counted.
    perimetre
        Department code, "" for the region.

    Raises
    ------
    ValueError
        The same folder twice: two territories would be mixed up.
    """
    wanted = [e for e in evaluations if perimetre in ("", e.territoire.departement)]
    ordered = sorted(wanted, key=lambda e: _alphabetical(e.territoire))
    folders = [e.territoire.dossier for e in ordered]
    if len(set(folders)) != len(folders):
        raise ValueError("the same territory appears twice in a synthesis")
    published = [protect(e, referentiel.regles) if isinstance(e, Evaluation) else e for e in ordered]
    return Synthese(
        campagne=campagne,
        referentiel=referentiel,
        perimetre=perimetre,
        territoires=tuple(p.territoire for p in published),
        exclus=tuple(sorted(exclus)),
        tables={name: _concatenate(name, published) for name in SYNTHESIS_TABLES},
    )


def _concatenate(name: str, published: Sequence[Publication]) -> pd.DataFrame:
    frames = []
    for publication in published:
        frame = publication.tables()[name]
        frames.append(frame.assign(territoire=publication.territoire.dossier)[["territoire", *frame.columns]])
    if not frames:
        dtypes = {"territoire": "str", **{column: dtype for column, (dtype, _) in COLUMNS[name].items()}}
        return pd.DataFrame(columns=list(dtypes)).astype(dtypes)
    return pd.concat(frames, ignore_index=True)


# --- blocks: what is counted together -------------------------------------------------------------------------------


def _by(rows: Iterable[dict[str, Any]], *names: str) -> dict[Any, Rows]:
    out: dict[Any, Rows] = defaultdict(list)
    for row in rows:
        out[tuple(row[name] for name in names) if len(names) > 1 else row[names[0]]].append(row)
    return out


class _Blocks:
    """Rows of the published tables of one synthesis, from its concatenated tables."""

    def __init__(self, synthese: Synthese):
        self.referentiel = synthese.referentiel
        self.territories = synthese.territoires
        self.rows = {name: table_rows(synthese.tables[name]) for name in SYNTHESIS_TABLES}

    def every(self, minimum: float, minimal_coverage: float) -> dict[str, Rows]:
        """Rows of every table of :data:`SYNTHESIS_COLUMNS`, nothing hidden yet."""
        return {
            "territoires": self.territoires(),
            "niveaux": self.niveaux(),
            "questions": self.questions(minimum),
            "indicateurs": self.indicateurs(),
            "modalites": self.modalites(),
            "ecarts": self.ecarts(),
            "constats": self.constats(),
            "repondants": self.repondants(),
            "contexte": self.contexte(),
            "typologie": self.typologie(minimal_coverage),
            "nominatif": self.nominatif(),
        }

    def territoires(self) -> Rows:
        questions = _by(self.rows["questions"], "territoire")
        people = _by(self.rows["repondants"], "territoire")
        return [
            {
                "territoire": t.dossier,
                "nom": t.nom,
                "departement": t.departement,
                "n_qpv": len(t.qpv),
                "n_applicables": sum(r["n_applicables"] for r in questions[t.dossier]),
                "n_arbitrees": sum(r["n_arbitrees"] for r in questions[t.dossier]),
                "n_repondants": sum(r["n_repondants"] for r in people[t.dossier]),
            }
            for t in self.territories
        ]

    def niveaux(self) -> Rows:
        found = _by(self.rows["niveaux"], "sous_question")
        out: Rows = []
        for sub in self.referentiel.sous_questions:
            rows = found.get(sub, [])
            statuses = Counter(r["statut"] for r in rows)
            common = {
                "question": self.referentiel.question_de[sub],
                "sous_question": sub,
                "n_non_arbitre": statuses["non_arbitre"],
                "n_non_applicable": statuses["non_applicable"],
            }
            out += _six_levels([r["niveau"] for r in rows if r["statut"] == "arbitre"], common)
        return out

    def questions(self, minimum: float) -> Rows:
        found = _by(self.rows["questions"], "question")
        out: Rows = []
        for question in self.referentiel.questions_par_code:
            rows = found.get(question, [])
            statuses = Counter(r["statut"] for r in rows)
            coverage = [r["couverture"] for r in rows if r["couverture"] == r["couverture"]]
            common = {
                "question": question,
                "n_couverture_insuffisante": statuses["couverture_insuffisante"],
                "n_aucun_arbitrage": statuses["aucun_arbitrage"],
                "n_non_applicable": statuses["non_applicable"],
                "couverture_mediane": float(np.median(coverage)) if len(coverage) >= minimum else NAN,
            }
            out += _six_levels([r["mediane"] for r in rows if r["statut"] == "calcule"], common)
        return out

    def _last_values(self) -> dict[tuple[str, str], dict[str, dict[str, Any]]]:
        """(indicator, way) -> territory -> its row: last year with a value; the first source when there are several."""
        out: dict[tuple[str, str], dict[str, dict[str, Any]]] = defaultdict(dict)
        for row in self.rows["indicateurs"]:
            if row["statut"] in ("non_applicable", "hors_periode"):
                continue
            if row["obtention"] == "enquete" and isinstance(row["modalite"], str):
                continue  # one answer among others: no figure of the indicator by itself
            chosen = out[(row["indicateur"], way_of(row))]
            before = chosen.get(row["territoire"])
            if before is None or _preference(row) < _preference(before):
                chosen[row["territoire"]] = row
        return out

    def indicateurs(self) -> Rows:
        values = self._last_values()
        out: Rows = []
        for code, indicator in self.referentiel.indicateurs.items():
            if indicator.formule is Formule.CATEGORIE:
                continue
            surveys = sorted(way for known, way in values if known == code and way.startswith("enquete "))
            for way in (*indicator.obtention, *surveys):
                rows = list(values.get((code, way), {}).values())
                known = [r["valeur"] for r in rows if r["statut"] == "ok"]
                low, middle, high = np.quantile(known, [0.25, 0.5, 0.75]).tolist() if known else (NAN, NAN, NAN)
                out.append(
                    {
                        "question": self.referentiel.question_de[code],
                        "sous_question": self.referentiel.sous_question_de[code],
                        "indicateur": code,
                        "obtention": way,
                        "unite": indicator.unite,
                        "n_territoires": len(known),
                        "n_sans_valeur": len(rows) - len(known),
                        "q1": low,
                        "mediane": middle,
                        "q3": high,
                        "statut": "ok" if known else "aucune_valeur",
                    }
                )
        return out

    def modalites(self) -> Rows:
        values = self._last_values()
        out: Rows = []
        for code, indicator in self.referentiel.indicateurs.items():
            if indicator.formule is not Formule.CATEGORIE or "saisie" not in indicator.obtention:
                continue
            rows = values.get((code, "saisie"), {}).values()
            counted = Counter(r["modalite"] for r in rows if r["statut"] == "ok")
            out += [
                {
                    "indicateur": code,
                    "modalite": modality.code,
                    "n": float(counted[modality.code]) if counted else NAN,
                    "n_territoires": counted.total(),
                    "statut": "ok" if counted else "aucune_valeur",
                }
                for modality in indicator.modalites
            ]
        return out

    def ecarts(self) -> Rows:
        found = _by(self.rows["triangulation"], "sous_question")
        out: Rows = []
        for sub in self.referentiel.sous_questions:
            rows = [r for r in found.get(sub, []) if r["n_groupes"] >= 2]
            out.append(
                {
                    "question": self.referentiel.question_de[sub],
                    "sous_question": sub,
                    "n_territoires": len(rows),
                    "n_debat": float(sum(r["statut"] == "ecart_a_debattre" for r in rows)) if rows else NAN,
                    "n_partage": float(sum(isinstance(r["partages"], str) for r in rows)) if rows else NAN,
                    "statut": "ok" if rows else "aucune_valeur",
                }
            )
        return out

    def constats(self) -> Rows:
        order = {code: rank for rank, code in enumerate(self.referentiel.questions_par_code)}
        found = _by(self.rows["constats"], "question", "type")
        return [
            {
                "question": question,
                "type": kind,
                "n_constats": len(found[(question, kind)]),
                "n_territoires": len({r["territoire"] for r in found[(question, kind)]}),
            }
            for question, kind in sorted(found, key=lambda k: (order.get(k[0], len(order)), k))
        ]

    def repondants(self) -> Rows:
        found = _by(self.rows["repondants"], "groupe")
        return [
            {
                "groupe": group,
                "n_territoires": sum(r["n_repondants"] > 0 for r in found.get(group, [])),
                "n_repondants": sum(r["n_repondants"] for r in found.get(group, [])),
            }
            for group in self.referentiel.groupes_par_code
        ]

    def contexte(self) -> Rows:
        """Open data over neighbourhoods, each counted once, geographies and editions always apart."""
        sizes: Counter[str] = Counter(
            q.geographie for q in {q.code: q for t in self.territories for q in t.qpv}.values()
        )
        mine = {q.code for t in self.territories for q in t.qpv}
        keys = ("indicateur", "variable", "edition", "annee_reference", "geographie", "unite", "source")
        found: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
        for row in self.rows["contexte"]:
            # A variable that no CTX figure names has no label and no declared unit: it is kept, not summarised.
            if row["qpv"] in mine and not row["ancien"] and row["indicateur"] == row["indicateur"]:
                found[tuple("" if row[k] != row[k] else row[k] for k in keys)][row["qpv"]] = row["valeur"]
        out: Rows = []
        for key in sorted(found):
            values = [v for _, v in sorted(found[key].items()) if v == v]
            low, middle, high = np.quantile(values, [0.25, 0.5, 0.75]).tolist() if values else (NAN, NAN, NAN)
            named = {name: value or None for name, value in zip(keys, key, strict=True)}
            additive = bool(values) and named["unite"] in ADDITIVE_UNITS
            out.append(
                {
                    **named,
                    "n_qpv": sizes[named["geographie"] or ""],
                    "n_valeurs": len(values),
                    "somme": float(np.sum(values)) if additive else NAN,
                    "q1": low,
                    "mediane": middle,
                    "q3": high,
                }
            )
        return out

    def typologie(self, minimal_coverage: float) -> Rows:
        """Territories counted by class, from what is settled; every class is listed, none is a judgement."""
        classes = Counter(_coverage_class(t, minimal_coverage) for t in self.territoires())
        with_level = Counter(r["territoire"] for r in self.rows["questions"] if r["statut"] == "calcule")
        levels = Counter(with_level[t.dossier] for t in self.territories)
        highest = max(levels, default=0)
        rows = [(name, classes[name]) for name in _classes(minimal_coverage)]
        rows += [(_level_class(count), levels[count]) for count in range(highest + 1)]
        return [{"classe": name, "n": float(n), "statut": "ok"} for name, n in rows]

    def nominatif(self) -> Rows:
        found = _by(self.rows["questions"], "territoire")
        return [
            {
                "territoire": t.dossier,
                "nom": t.nom,
                "departement": t.departement,
                **{name: r[name] for name in ("question", "mediane", "minimum", "couverture", "statut")},
            }
            for t in self.territories
            for r in found[t.dossier]
        ]


def _preference(row: Mapping[str, Any]) -> tuple[bool, float, str]:
    year = row["annee"] if row["annee"] == row["annee"] else -1.0
    return (row["statut"] != "ok", -year, row["source"] if isinstance(row["source"], str) else "")


def _six_levels(levels: Sequence[float], common: Mapping[str, Any]) -> Rows:
    counted = Counter(int(level) for level in levels)
    n = len(levels)
    return [
        {
            **common,
            "niveau": level,
            "n": float(counted[level]) if n else NAN,
            "part": counted[level] / n * 100 if n else NAN,
            "n_territoires": n,
            "statut": "ok" if n else "aucun_arbitrage",
        }
        for level in LEVELS
    ]


def _classes(minimal_coverage: float) -> tuple[str, str, str]:
    share = f"{minimal_coverage * 100:.0f}"
    return (
        "Aucune sous-question arbitrée",
        f"Moins de {share} % des sous-questions arbitrées",
        f"Au moins {share} % des sous-questions arbitrées",
    )


def _coverage_class(row: Mapping[str, Any], minimal_coverage: float) -> str:
    none, some, enough = _classes(minimal_coverage)
    if not row["n_arbitrees"]:
        return none
    return enough if row["n_arbitrees"] >= minimal_coverage * row["n_applicables"] - 1e-9 else some


def _level_class(count: int) -> str:
    if count == 0:
        return "Aucune question avec un niveau"
    return "1 question avec un niveau" if count == 1 else f"{count} questions avec un niveau"


# --- protection -----------------------------------------------------------------------------------------------------

# table -> (columns that name a block, columns hidden with it)
_PROTECTED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "niveaux": (("sous_question",), ("n", "part")),
    "questions": (("question",), ("n", "part", "couverture_mediane")),
    "indicateurs": (("indicateur", "obtention"), ("q1", "mediane", "q3")),
    "modalites": (("indicateur",), ("n",)),
    "ecarts": (("sous_question",), ("n_debat", "n_partage")),
}


def _shown_sizes(publication: PublicationSynthese, table: str, keys: Sequence[str]) -> dict[tuple[str, ...], int]:
    return {
        tuple(row[k] for k in keys): row["n_territoires"]
        for row in table_rows(publication.tables[table])
        if row["statut"] == "ok"
    }


def _exposes(n: int, sizes: Iterable[int], minimum: float) -> bool:
    """Taking ``sizes`` away from ``n`` leaves a few territories only."""
    return 0 < n - sum(sizes) < minimum


def _hidden_blocks(
    synthese: Synthese,
    table: str,
    sizes: Mapping[tuple[str, ...], int],
    known: Sequence[PublicationSynthese],
    minimum: float,
) -> set[tuple[str, ...]]:
    """Blocks under the minimal number of territories, or that give back a few territories with what is published."""
    keys = _PROTECTED[table][0]
    shown = {p.perimetre: _shown_sizes(p, table, keys) for p in known}
    hidden = set()
    for block, n in sizes.items():
        others = {
            perimeter: found[block]
            for perimeter, found in shown.items()
            if perimeter not in ("", synthese.perimetre) and block in found
        }
        region = n if synthese.perimetre == "" else shown.get("", {}).get(block)
        departments = list(others.values()) if synthese.perimetre == "" else [*others.values(), n]
        if n < minimum or (region is not None and _exposes(region, departments, minimum)):
            hidden.add(block)
    return hidden


def mask_synthesis_table(table: str, rows: Rows, hidden: set[tuple[str, ...]]) -> tuple[Rows, list[dict[str, str]]]:
    """Hide blocks of one table; what has no territory at all stays ``aucun_arbitrage`` or ``aucune_valeur``."""
    keys, columns = _PROTECTED[table]
    masks: dict[tuple[str, ...], dict[str, str]] = {}
    out: Rows = []
    for row in rows:
        block = tuple(row[k] for k in keys)
        if block in hidden and row["n_territoires"]:
            row = {**row, **dict.fromkeys(columns, NAN), "statut": "secret"}
            masks[block] = {"table": table, "cle": " · ".join(block), "raison": "seuil_territoires"}
        out.append(row)
    return out, list(masks.values())


def protect_synthesis(
    synthese: Synthese,
    rules: Sequence[Regle],
    known: Iterable[PublicationSynthese] = (),
    nominatif: bool = False,
) -> PublicationSynthese:
    """Make what may be shown of a synthesis.

    Parameters
    ----------
    synthese
        Territories put together by :func:`synthesize`.
    rules
        ``referentiel.regles``.
    known
        Syntheses already published (region, departments): nothing may be found by subtracting one from another. Anything
        else in it is ignored: territories were protected first, and a synthesis only holds what they publish.
    nominatif
        Add the table that names territories, in alphabetical order (« diffusion restreinte »).

    Raises
    ------
    TypeError
        ``synthese`` is not a :class:`Synthese`.
    """
    if not isinstance(synthese, Synthese):
        raise TypeError(f"protect_synthesis needs a Synthese, not {type(synthese).__name__}")
    values = Rules(rules)
    published = [p for p in known if isinstance(p, PublicationSynthese)]
    minimum = values["seuil_territoires"]
    rows = _Blocks(synthese).every(minimum, values["couverture_minimale"])
    if not nominatif:
        rows["nominatif"] = []
    masks: list[dict[str, str]] = []
    for table, (keys, _) in _PROTECTED.items():
        sizes = {tuple(row[k] for k in keys): row["n_territoires"] for row in rows[table]}
        hidden = _hidden_blocks(synthese, table, sizes, published, minimum)
        rows[table], found = mask_synthesis_table(table, rows[table], hidden)
        masks += found
    masks += _protect_typology(synthese, rows, published, minimum)
    return PublicationSynthese(
        campagne=synthese.campagne,
        referentiel=synthese.referentiel,
        perimetre=synthese.perimetre,
        nominatif=nominatif,
        territoires=synthese.territoires,
        exclus=synthese.exclus,
        tables={name: as_table(name, rows[name], SYNTHESIS_COLUMNS) for name in SYNTHESIS_COLUMNS},
        masques=as_table("masques", masks),
    )


def _protect_typology(
    synthese: Synthese, rows: dict[str, Rows], known: Sequence[PublicationSynthese], minimum: float
) -> list[dict[str, str]]:
    """The typology counts every territory: it is hidden whole, or shown whole."""
    sizes = {p.perimetre: len(p.territoires) for p in known if (p.tables["typologie"]["statut"] == "ok").any()}
    n = len(synthese.territoires)
    others = [size for perimeter, size in sizes.items() if perimeter not in ("", synthese.perimetre)]
    region = n if synthese.perimetre == "" else sizes.get("")
    departments = others if synthese.perimetre == "" else [*others, n]
    if n >= minimum and not (region is not None and _exposes(region, departments, minimum)):
        return []
    rows["typologie"] = [{**row, "n": NAN, "statut": "secret"} for row in rows["typologie"]]
    return [{"table": "typologie", "cle": "typologie", "raison": "seuil_territoires"}]


def freeze(publication: PublicationSynthese, date: str) -> dict[str, Any]:
    """Content of ``reference_regionale.json``: what reports compare with, dated, and replaced on purpose only.

    Parameters
    ----------
    publication
        The published regional synthesis.
    date
        ISO date to print; never the clock.

    Returns
    -------
    dict
        Plain data. What is secret, or has no value, is absent. Territories are named, as the synthesis names them, so
        that the next reference can be compared with this one (``compute.disclosure_bases``).
    """
    if not isinstance(publication, PublicationSynthese):
        raise TypeError(f"freeze needs a PublicationSynthese, not {type(publication).__name__}")
    tables = publication.tables
    return {
        "format": 1,
        "campagne": publication.campagne.code,
        "date": date,
        "n_territoires": len(publication.territoires),
        "territoires": sorted(territory.dossier for territory in publication.territoires),
        "referentiel_version": publication.referentiel.version,
        "indicateurs": {
            f"{row['indicateur']}|{row['obtention']}": {
                "n": int(row["n_territoires"]),
                "q1": float(row["q1"]),
                "mediane": float(row["mediane"]),
                "q3": float(row["q3"]),
            }
            for row in table_rows(tables["indicateurs"])
            if row["statut"] == "ok"
        },
        "niveaux": _frozen_levels(tables["niveaux"], "sous_question"),
        "questions": _frozen_levels(tables["questions"], "question"),
    }


def _frozen_levels(table: pd.DataFrame, key: str) -> dict[str, Any]:
    found = _by((row for row in table_rows(table) if row["statut"] == "ok"), key)
    return {
        code: {"n": int(rows[0]["n_territoires"]), "effectifs": [int(row["n"]) for row in rows]}
        for code, rows in found.items()
    }
