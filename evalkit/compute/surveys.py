"""Answers to a questionnaire: who was asked, who answered, shares, means, and the indicators that they feed (DESIGN §6.6).

Pure: frames of answers in, rows out. A silence (« ne sait pas », refusal, nothing) never enters a percentage and is counted
apart. Counts are unweighted, since secrecy is about persons; shares, means and intervals follow the weights. The order of
the rows never matters: sums of weights are exact.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit.compute.conditions import evaluate_comparison, is_missing
from evalkit.compute.formulas import ZERO_DENOMINATOR, Entry, compute_indicator
from evalkit.compute.intervals import Interval, effective_size, interval_for
from evalkit.compute.rules import Rules
from evalkit.model.base import Comparison, Condition
from evalkit.model.dossier import SILENCES, Dossier
from evalkit.model.referentiel import Formule, Indicateur, Referentiel
from evalkit.model.survey import Enquete, LienIndicateur, Partie, QuestionEnquete, territory_choices

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAN = float("nan")
Rows = list[dict[str, Any]]
COUNTED_SILENCES = ("ne_sait_pas", "refus", "non_concerne", "non_repondu")
SEPARATOR = " · "
FRAGILE = "Base fragile : {n} réponses."
OPEN = "Questionnaire ouvert à tous : la valeur décrit ceux qui ont répondu, elle ne s’étend pas aux autres."
IF_ALIKE = "Intervalle à {level} %, si les non-répondants ressemblaient aux répondants : de {low} à {high} %."
SAMPLED = "Intervalle à {level} % : de {low} à {high} %."
EVERYBODY = "Tous les sollicités ont répondu : il n’y a pas de marge d’erreur d’échantillon."
WEIGHTED = "Réponses pondérées."
NO_ANSWER = "Aucune réponse exprimée à cette question."
ELEMENT = "Le questionnaire apporte un élément de ce calcul ; la valeur demande d’autres sources et se saisit."
NETWORK = (
    "Les liens entre structures demandent la liste des structures qui ont répondu : la part n’est pas calculée ici."
)
BALANCE = "Solde, en points : part de {good}, moins part de {bad}, de −100 à 100."
BY_THEME = "Texte libre : nombre de réponses reçues ; elles ne sont citées qu’après relecture."
# What each way of computing may feed: anything else is only an element of the indicator, its unit would not be the same.
COMPATIBLE: dict[str, tuple[Formule, ...]] = {
    "part": (Formule.PART, Formule.PART_FAVORABLE),
    "moyenne": (Formule.MOYENNE,),
    "mediane": (Formule.MEDIANE,),
    "somme": (Formule.SOMME, Formule.EFFECTIF),
    "solde": (Formule.RATIO,),
    "distribution": (Formule.CATEGORIE, Formule.PART, Formule.PART_FAVORABLE),
    "verbatim": (Formule.VERBATIM,),
    "rapport": (Formule.PART, Formule.RATIO, Formule.MOYENNE),
}


# --- one part of one questionnaire ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """Answers to one part of a questionnaire and how they were collected. Arrays of one length, one cell per answer."""

    enquete: Enquete
    partie: Partie
    frame: pd.DataFrame
    weights: NDArray[np.float64]
    collecte: str
    n_asked: float
    population: float
    n_read: float = NAN
    n_apart: float = NAN
    why_apart: str = ""

    @property
    def n(self) -> int:
        """Answers kept."""
        return len(self.frame)

    @property
    def weighted(self) -> bool:
        """Some weight differs from 1."""
        return bool((self.weights != 1).any())

    @property
    def complete(self) -> bool:
        """Everybody who was to answer did."""
        return self.collecte == "recensement" and self.n_asked <= self.n

    def status(self, base: int, rules: Rules) -> str:
        """``aucune_reponse``, ``base_fragile`` (few answers, unless they are everybody's) or ``ok``."""
        if base == 0:
            return "aucune_reponse"
        return "base_fragile" if base <= rules["base_fragile"] and not self.complete else "ok"


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return NAN


def _weights(frame: pd.DataFrame) -> NDArray[np.float64]:
    if "poids" not in frame.columns:
        return np.ones(len(frame))
    return np.where(np.isnan(given := frame["poids"].to_numpy(dtype=float, na_value=NAN)), 1.0, given)


def survey_parts(referentiel: Referentiel, dossier: Dossier) -> list[Part]:
    """Parts that have answers, in the order of the framework."""
    out = []
    for enquete in referentiel.enquetes:
        frame = dossier.enquetes.get(enquete.code)
        if frame is None:
            continue
        info = dossier.enquetes_import.get(enquete.code, {})
        for partie in enquete.parties:
            mine = frame[frame["partie"] == partie.code].reset_index(drop=True)
            if mine.empty:
                continue
            out.append(
                Part(
                    enquete,
                    partie,
                    mine,
                    _weights(mine),
                    info.get("collecte", {}).get(partie.code) or partie.collecte,
                    _number(info.get("n_sollicites", {}).get(partie.code)),
                    _number(info.get("population", {}).get(partie.code)),
                    _number(info.get("lues")),
                    _number(info.get("lues")) - _number(info.get("gardees")),
                    str(info.get("motifs") or ""),
                )
            )
    return out


# --- was the question put? ------------------------------------------------------------------------------------------

_NO, _UNKNOWN, _YES = 0, 1, 2  # all = the smallest, any = the largest


def _verdict(comparison: Comparison, question: QuestionEnquete | None, value: Any) -> int:
    if is_missing(value):
        return _UNKNOWN if comparison.renseigne is None else _as_verdict(not comparison.renseigne)
    if question is not None and question.type == "nombre":
        number = _number(value)
        return _as_verdict(evaluate_comparison(comparison, value if number != number else number))
    codes = str(value).split(";") if question is not None and question.type == "choix_multiple" else [value]
    answers = [evaluate_comparison(comparison, code) for code in codes]
    if comparison.different is not None:
        return _as_verdict(all(answers))
    return _as_verdict(True if True in answers else None if None in answers else False)


def _as_verdict(answer: bool | None) -> int:
    return _UNKNOWN if answer is None else _YES if answer else _NO


def _by_value(column: pd.Series[Any], compute: Any) -> NDArray[Any]:
    """``compute`` on each distinct cell, then spread: a questionnaire has few different answers."""
    codes, distinct = pd.factorize(column, use_na_sentinel=False)
    return np.array([compute(None if is_missing(v) else v) for v in distinct])[codes]


def asked_to(part: Part, question: QuestionEnquete) -> NDArray[np.bool_]:
    """To whom the question was put: its condition holds, or cannot be decided and an answer was given.

    A condition on a question left empty is not met; an answer given where the condition does not hold is left out, as a
    form on screen would have done.
    """
    if question.code not in part.frame.columns:
        return np.zeros(part.n, dtype=bool)
    cells = part.frame[question.code]
    put = np.asarray(cells != "non_demande") if len(cells) else np.ones(0, dtype=bool)
    if question.posee_si is None:
        return put
    verdict = _condition(part, question.posee_si)
    given = ~_by_value(cells, is_missing)
    answer: NDArray[np.bool_] = put & ((verdict == _YES) | ((verdict == _UNKNOWN) & given))
    return answer


def _condition(part: Part, condition: Condition) -> NDArray[np.int_]:
    def read(comparison: Comparison) -> NDArray[np.int_]:
        known = part.enquete.questions_par_code.get(comparison.fait)
        if comparison.fait not in part.frame.columns:
            return np.full(part.n, _UNKNOWN)
        return _by_value(part.frame[comparison.fait], lambda value: _verdict(comparison, known, value))

    verdict = np.full(part.n, _YES)
    if condition.tous:
        verdict = np.minimum(verdict, np.minimum.reduce([read(c) for c in condition.tous]))
    if condition.un_de:
        verdict = np.minimum(verdict, np.maximum.reduce([read(c) for c in condition.un_de]))
    return verdict


# --- one question ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Item:
    """One question as answered. Arrays: one cell per answer of the part."""

    part: Part
    question: QuestionEnquete
    asked: NDArray[np.bool_]
    expressed: NDArray[np.bool_]
    chosen: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)  # by choice, every choice, silences left out
    numbers: NDArray[np.float64] | None = None  # NaN when not expressed: a number, or a Likert position
    silences: Mapping[str, int] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Answers that are not a silence: the base of percentages."""
        return int(self.expressed.sum())

    def total(self, who: NDArray[np.bool_]) -> float:
        """Weight of some answers (their number when the survey is not weighted)."""
        return math.fsum(self.part.weights[who]) if self.part.weighted else float(who.sum())

    def share(self, who: NDArray[np.bool_]) -> float:
        """Share of the expressed answers, 0 to 1; NaN when there is none."""
        base = self.total(self.expressed)
        return self.total(who & self.expressed) / base if base else NAN

    def any_of(self, codes: Iterable[str]) -> NDArray[np.bool_]:
        """Who chose at least one of these."""
        out = np.zeros(self.part.n, dtype=bool)
        for code in codes:
            out |= self.chosen.get(code, False)
        return out

    @property
    def effective(self) -> float:
        """Effective number of expressed answers."""
        return effective_size(self.part.weights[self.expressed]) if self.part.weighted else float(self.n)

    def interval(self, share: float, confidence: float) -> Interval:
        """Interval of a share of this question, where one is allowed."""
        part = self.part
        return interval_for(part.collecte, share, self.effective, part.n, part.n_asked, part.population, confidence)

    def mean(self) -> float:
        """Weighted mean of the numbers; NaN when there is none."""
        if self.numbers is None or not self.n:
            return NAN
        weights, values = self.part.weights[self.expressed], self.numbers[self.expressed]
        return math.fsum(weights * values) / math.fsum(weights)

    def median(self) -> float:
        """Median of the numbers, the middle of the two central ones when half the weight lies on each side."""
        if self.numbers is None or not self.n:
            return NAN
        return weighted_median(self.numbers[self.expressed], self.part.weights[self.expressed])


def weighted_median(values: Iterable[float], weights: Iterable[float]) -> float:
    """Ordinary median when the weights are equal.

    >>> weighted_median([1, 2, 3, 10], [1, 1, 1, 1]), weighted_median([1, 2, 3], [1, 1, 5])
    (2.5, 3.0)
    """
    heaps: dict[float, list[float]] = {}
    for value, weight in zip(values, weights, strict=True):
        heaps.setdefault(float(value), []).append(float(weight))
    ordered = [(value, math.fsum(heaps[value])) for value in sorted(heaps) if math.fsum(heaps[value]) > 0]
    half = math.fsum(weight for _, weight in ordered) / 2
    reached = 0.0
    for position, (value, weight) in enumerate(ordered):
        reached += weight
        if math.isclose(reached, half, rel_tol=1e-12) and position + 1 < len(ordered):
            return (value + ordered[position + 1][0]) / 2
        if reached > half:
            return value
    return NAN


def _silence_of(question: QuestionEnquete) -> dict[str, str]:
    """Kind of silence by code: the declared silences of the question, and the names of the kinds themselves."""
    return {code: code for code in SILENCES} | {c.code: c.silence for c in question.choix if c.silence}


def read_item(part: Part, question: QuestionEnquete, listed: Sequence[str] = ()) -> Item:
    """Read the answers to one question.

    Parameters
    ----------
    listed
        Codes that stand for a choice whose list comes from the territory (its QPV), shown even when unused.

    Raises
    ------
    ValueError
        A cell holds a code that the question does not have (the import refuses it: a fault of ours).
    """
    asked = asked_to(part, question)
    if not asked.any():
        return Item(part, question, asked, asked, dict.fromkeys(_choices(question, listed), asked), None, {})
    silent = _silence_of(question)
    cells = part.frame[question.code]
    if question.type == "choix_multiple":
        kinds = _by_value(cells, lambda v: _kind(str(v).split(";") if v is not None else [], silent))
    elif question.type in ("nombre", "texte"):
        kinds = _by_value(cells, lambda v: "" if v is not None and str(v) not in silent else _kind([v], silent))
    else:
        kinds = _by_value(cells, lambda v: _kind([] if v is None else [v], silent))
    expressed = asked & (kinds == "")
    counted = Counter(kinds[asked & ~expressed].tolist())
    silences = {kind: counted.get(kind, 0) for kind in COUNTED_SILENCES}
    numbers: NDArray[np.float64] | None = None
    if question.type == "texte":
        return Item(part, question, asked, expressed, {}, None, silences)
    if question.type == "nombre":
        numbers = np.where(expressed, _by_value(cells, _number).astype(float), NAN)
        if np.isnan(numbers[expressed]).any():
            raise ValueError(f"{part.enquete.code} {question.code}: a cell is neither a number nor a silence")
        return Item(part, question, asked, expressed, {}, numbers, silences)
    chosen = _chosen(part, question, cells, expressed, listed)
    if question.type == "likert":
        position = {code: float(code) for code in chosen if code.isdigit()}
        numbers = np.where(expressed, _by_value(cells, lambda v: position.get(str(v), NAN)), NAN)
    return Item(part, question, asked, expressed, chosen, numbers, silences)


def _kind(codes: Sequence[Any], silent: Mapping[str, str]) -> str:
    """Kind of silence of a cell, "" when it holds an answer."""
    given = [str(code) for code in codes if not is_missing(code) and str(code).strip()]
    if not given:
        return "non_repondu"
    spoken = [code for code in given if code not in silent]
    return "" if spoken else silent[given[0]]


def _choices(question: QuestionEnquete, listed: Sequence[str]) -> list[str]:
    """Codes of the answers that are not silences; a list of the territory stands in place of its line."""
    out: list[str] = []
    for choice in question.choix:
        if choice.liste:
            out += [code for code in listed if code not in out]
        elif not choice.silence:
            out.append(choice.code)
    return out


def _chosen(
    part: Part, question: QuestionEnquete, cells: pd.Series[Any], expressed: NDArray[np.bool_], listed: Sequence[str]
) -> dict[str, NDArray[np.bool_]]:
    several = question.type == "choix_multiple"
    silent = _silence_of(question)
    codes, distinct = pd.factorize(cells, use_na_sentinel=False)
    sets = [
        set() if is_missing(v) else {c.strip() for c in (str(v).split(";") if several else [str(v)])} - set(silent)
        for v in distinct
    ]
    present = set(codes[expressed].tolist())
    used = {code for rank, given in enumerate(sets) if rank in present for code in given} - {""}
    declared = _choices(question, listed)
    unknown = sorted(used - set(declared))
    if unknown and not any(choice.liste for choice in question.choix):
        raise ValueError(f"{part.enquete.code} {question.code}: an answer is not among the declared choices")
    return {
        code: np.array([code in given for given in sets], dtype=bool)[codes] & expressed for code in declared + unknown
    }


def _listed(question: QuestionEnquete, dossier: Dossier) -> list[str]:
    """Codes of the territory's own list for a question."""
    lists = [choice.liste for choice in question.choix if choice.liste]
    return [code for liste in lists for code, _ in territory_choices(liste, dossier.territoire)]


def items_of(part: Part, dossier: Dossier) -> Iterator[Item]:
    """Questions of a part, in the order of the questionnaire."""
    for question in part.enquete.questions:
        if question.partie == part.partie.code:
            yield read_item(part, question, _listed(question, dossier))


# --- tables ---------------------------------------------------------------------------------------------------------


def _has_mean(question: QuestionEnquete) -> bool:
    """A mean has a meaning: numbers, and Likert notes that the questionnaire itself averages."""
    return question.type == "nombre" or any(
        link.calcul in ("moyenne", "mediane") for link in question.indicateurs if question.type == "likert"
    )


def _survey_row(part: Part, rules: Rules) -> dict[str, Any]:
    return {
        "enquete": part.enquete.code,
        "partie": part.partie.code,
        "groupe": part.partie.groupe,
        "collecte": part.collecte,
        "n_sollicites": part.n_asked,
        "n_reponses": part.n,
        "n_lues": part.n_read,
        "n_a_part": part.n_apart,
        "motifs_a_part": part.why_apart or None,
        "taux": part.n / part.n_asked * 100 if part.n_asked > 0 else NAN,
        "ponderee": part.weighted,
        "n_efficace": effective_size(part.weights) if part.weighted else float(part.n),
        "statut": part.status(part.n, rules),
    }


def _item_row(item: Item, rules: Rules) -> dict[str, Any]:
    meaningful = _has_mean(item.question)
    return {
        "enquete": item.part.enquete.code,
        "partie": item.part.partie.code,
        "question": item.question.code,
        "type": item.question.type,
        "n_concernes": int(item.asked.sum()),
        "n_exprimes": item.n,
        **{f"n_{kind}": float(item.silences.get(kind, 0)) for kind in COUNTED_SILENCES},
        "moyenne": item.mean() if meaningful else NAN,
        "mediane": item.median() if meaningful else NAN,
        "statut": item.part.status(item.n, rules),
    }


def _answer_rows(item: Item, rules: Rules) -> Rows:
    out = []
    for code, who in item.chosen.items():
        share = item.share(who)
        bounds = item.interval(share, rules["niveau_confiance"])
        out.append(
            {
                **{name: value for name, value in _item_row(item, rules).items() if name in _KEYS},
                "choix": code,
                "n": float((who & item.expressed).sum()),
                "part": share * 100,
                "borne_basse": bounds.low,
                "borne_haute": bounds.high,
                "statut": item.part.status(item.n, rules),
            }
        )
    return out


_KEYS = ("enquete", "partie", "question")


def _theme_rows(item: Item, dossier: Dossier, referentiel: Referentiel, rules: Rules) -> Rows:
    """An open question by theme of its quotations. No share: a quotation is not a respondent.

    A quotation names an evaluative question, not a survey question: themes are counted where one open question only of
    the questionnaire feeds that evaluative question.
    """
    mine = _evaluative(item.question, referentiel)
    others: set[str] = set()
    for question in item.part.enquete.questions:
        if question.type == "texte" and question.code != item.question.code:
            others |= _evaluative(question, referentiel)
    table = dossier.tables["verbatims"]
    rows = table[(table["enquete"] == item.part.enquete.code) & table["question"].isin(mine - others)]
    counted = Counter(theme for theme in rows["theme"].tolist() if not is_missing(theme))
    key = {"enquete": item.part.enquete.code, "partie": item.part.partie.code, "question": item.question.code}
    nothing = {"part": NAN, "borne_basse": NAN, "borne_haute": NAN, "statut": item.part.status(item.n, rules)}
    return [{**key, "choix": theme, "n": float(counted[theme]), **nothing} for theme in sorted(counted)]


def _evaluative(question: QuestionEnquete, referentiel: Referentiel) -> set[str]:
    return {referentiel.question_de[link.code] for link in question.indicateurs if link.code in referentiel.question_de}


def compute_surveys(referentiel: Referentiel, dossier: Dossier) -> dict[str, Rows]:
    """Rows of the tables ``enquetes``, ``items`` and ``reponses``; empty when nothing was imported.

    Parameters
    ----------
    referentiel
        Questionnaires, and the rules ``base_fragile`` and ``niveau_confiance``.
    dossier
        ``enquetes``: answers by questionnaire; ``enquetes_import``: number asked by part, ``collecte`` and (random
        draws) ``population`` by part when they differ from the questionnaire's.

    Returns
    -------
    dict
        One row per part, per question, per possible answer, in the order of the questionnaires.

    Raises
    ------
    ValueError
        A cell holds neither a declared choice, nor a number, nor a silence.
    """
    rules = Rules(referentiel.regles)
    out: dict[str, Rows] = {"enquetes": [], "items": [], "reponses": []}
    for part in survey_parts(referentiel, dossier):
        out["enquetes"].append(_survey_row(part, rules))
        for item in items_of(part, dossier):
            out["items"].append(_item_row(item, rules))
            if item.question.type == "texte":
                out["reponses"] += _theme_rows(item, dossier, referentiel, rules)
            else:
                out["reponses"] += _answer_rows(item, rules)
    return out


# --- indicators -----------------------------------------------------------------------------------------------------


def survey_source(enquete: str, questions: Sequence[str], choice: str = "") -> str:
    """Text of the column ``source`` of a survey's value.

    >>> survey_source("ENQ-ASSO", ["A21", "A22"])
    'ENQ-ASSO · A21, A22'
    """
    return SEPARATOR.join(part for part in (enquete, ", ".join(questions), choice) if part)


def read_source(source: str) -> tuple[str, tuple[str, ...]]:
    """Questionnaire and questions of a survey's value.

    >>> read_source("ENQ-ASSO · A31 · maintenu")
    ('ENQ-ASSO', ('A31',))
    """
    enquete, questions, *_ = [*source.split(SEPARATOR), ""]
    return enquete, tuple(code for code in questions.split(", ") if code)


def way_of(row: Mapping[str, Any]) -> str:
    """Way of obtaining a value that may be compared between territories: a survey's value only with the same survey's.

    Rows of the table ``indicateurs``: « saisie », « actions », « enquete ENQ-COM »…
    """
    survey = row["obtention"] == "enquete" and not is_missing(row["source"])
    return f"enquete {read_source(str(row['source']))[0]}" if survey else str(row["obtention"])


def survey_indicators(referentiel: Referentiel, dossier: Dossier) -> Rows:
    """Rows of the table ``indicateurs`` that the imported answers give, in the order of the framework.

    Each questionnaire (and part) gives its own value, never pooled with another's: ``source`` names it and its question,
    ``groupe`` who answered, ``numerateur`` over ``denominateur`` is what was divided (weighted sums when the survey is
    weighted), ``n`` the number of answers that are not silences. Several questions of one questionnaire that give a mean
    to one indicator make one battery: the mean of all their answers. ``distribution``: one row per possible answer, its
    code in ``modalite``.

    Raises
    ------
    ValueError
        As :func:`compute_surveys`.
    """
    rules = Rules(referentiel.regles)
    rank = {code: position for position, code in enumerate(referentiel.indicateurs)}
    found: dict[str, Rows] = {}
    for part in survey_parts(referentiel, dossier):
        year = _year(part, dossier)
        linked: dict[tuple[str, str], list[Pair]] = {}
        for item in items_of(part, dossier):
            for link in item.question.indicateurs:
                alone = "" if link.calcul in ("moyenne", "rapport") else item.question.code
                linked.setdefault((link.code, alone), []).append((_restricted(item, link), link))
        for (code, _), pairs in linked.items():
            indicator = referentiel.indicateurs.get(code)
            if indicator is not None:
                base = _base_row(referentiel, indicator, part, pairs, year)
                rows = [{**base, **row} for row in _values(indicator, pairs, rules, referentiel)]
                found.setdefault(code, []).extend(rows)
    return [row for code in sorted(found, key=lambda c: rank[c]) for row in _without_supports(found[code])]


Pair = tuple[Item, LienIndicateur]


def _without_supports(rows: Rows) -> Rows:
    """Values; where there is none, one row that says what the questionnaire brings instead."""
    values = [row for row in rows if row["statut"] != "non_disponible"]
    return values or rows[:1]


def _restricted(item: Item, link: LienIndicateur) -> Item:
    """The answers that count for a link (``base_si``)."""
    if link.base_si is None:
        return item
    kept = _condition(item.part, link.base_si) == _YES
    expressed = item.expressed & kept
    chosen = {code: who & kept for code, who in item.chosen.items()}
    return replace(item, asked=item.asked & kept, expressed=expressed, chosen=chosen)


def _year(part: Part, dossier: Dossier) -> float:
    date = str(dossier.enquetes_import.get(part.enquete.code, {}).get("date") or "")
    return float(date[:4]) if date[:4].isdigit() else float(dossier.campagne.annee)


def _base_row(
    referentiel: Referentiel,
    indicator: Indicateur,
    part: Part,
    pairs: Sequence[Pair],
    year: float,
) -> dict[str, Any]:
    return {
        "question": referentiel.question_de[indicator.code],
        "sous_question": referentiel.sous_question_de[indicator.code],
        "indicateur": indicator.code,
        "obtention": "enquete",
        "source": survey_source(part.enquete.code, [item.question.code for item, _ in pairs]),
        "groupe": part.partie.groupe,
        "annee": year,
        "valeur": NAN,
        "modalite": None,
        "numerateur": NAN,
        "denominateur": NAN,
        "n": float(min(item.n for item, _ in pairs)),
        "unite": indicator.unite,
        "statut": "ok",
        "explication": None,
    }


def _values(indicator: Indicateur, pairs: Sequence[Pair], rules: Rules, referentiel: Referentiel) -> Rows:
    """What changes from the base row: one row, or one per possible answer of a distribution."""
    item, link = pairs[0]
    if link.calcul == "reseau":
        return [{"statut": "non_disponible", "explication": _sentence(NETWORK, link.note)}]
    if link.calcul not in COMPATIBLE or indicator.formule not in COMPATIBLE[link.calcul]:
        return [{"statut": "non_disponible", "explication": _sentence(link.note or ELEMENT)}]
    if link.calcul == "verbatim":
        n = float(item.n)
        return [{"valeur": n, "numerateur": n, "explication": _sentence(BY_THEME, link.note)}]
    if link.calcul == "rapport":
        return [_ratio(indicator, pairs, rules)]
    asked = bool(item.asked.any()) and link.favorable_si is not None and bool(link.favorable_si.renseigne)
    if not any(each.n for each, _ in pairs) and not asked:
        return [{"statut": "non_calculable", "explication": _sentence(NO_ANSWER, link.note)}]
    if link.calcul == "distribution":
        return _distribution(item, link, rules, referentiel)
    if link.calcul == "moyenne":
        return [_mean(pairs, rules)]
    if link.calcul in ("mediane", "somme"):
        return [_of_numbers(item, link, rules)]
    return [_share(item, link, rules)]


def _sentence(*texts: str | None) -> str | None:
    return " ".join(text for text in texts if text) or None


def _said(item: Item, rules: Rules, note: str | None, share: float = NAN) -> str | None:
    """What limits a value: few answers, the way they were collected, weights."""
    part = item.part
    fragile = FRAGILE.format(n=item.n) if part.status(item.n, rules) == "base_fragile" else ""
    bounds = item.interval(share, rules["niveau_confiance"])
    how = OPEN if part.collecte == "ouvert" else EVERYBODY if part.complete else ""
    if bounds.low == bounds.low:
        text = IF_ALIKE if part.collecte == "recensement" else SAMPLED
        how = text.format(
            level=f"{rules['niveau_confiance'] * 100:.0f}", low=f"{bounds.low:.0f}", high=f"{bounds.high:.0f}"
        )
    return _sentence(fragile, how, WEIGHTED if part.weighted else "", note)


def _favourable(item: Item, link: LienIndicateur) -> tuple[Item, NDArray[np.bool_]] | None:
    """The base of a share and who is favourable; None when the link does not say what is."""
    rule = link.favorable_si
    if rule is not None and rule.renseigne:
        return replace(item, expressed=item.asked), item.expressed
    if rule is not None and item.numbers is not None:
        limit = rule.superieur_ou_egal if rule.inferieur is None else rule.inferieur
        at_least = item.numbers >= (NAN if limit is None else limit)
        return item, item.expressed & (at_least if rule.inferieur is None else ~at_least)
    if not link.favorables:
        return None
    number = np.zeros(item.part.n, dtype=int)
    for code in link.favorables:
        number += item.chosen.get(code, np.zeros(item.part.n, dtype=bool))
    return item, number >= link.minimum


def _share(item: Item, link: LienIndicateur, rules: Rules) -> dict[str, Any]:
    """``part``: 0 to 100; ``solde``: points, from −100 to 100."""
    found = _favourable(item, link)
    if found is None:
        return {"statut": "non_disponible", "explication": _sentence(link.note or ELEMENT)}
    item, favourable = found
    top, bottom = item.total(favourable & item.expressed), item.total(item.expressed)
    if link.calcul == "solde":
        top -= item.total(item.any_of(link.defavorables) & item.expressed)
    return {
        "valeur": top / bottom * 100,
        "numerateur": top,
        "denominateur": bottom,
        "n": float(item.n),
        "explication": _said(
            item, rules, _balance_note(item, link), item.share(favourable) if link.calcul == "part" else NAN
        ),
    }


def _balance_note(item: Item, link: LienIndicateur) -> str | None:
    """What a balance takes from what, and its ends: points alone mean nothing to who did not write the framework."""
    if link.calcul != "solde":
        return link.note
    labels = {choice.code: choice.libelle for choice in item.question.choix}
    good, bad = (
        " ou ".join(f"« {labels.get(code, code)} »" for code in codes) for codes in (link.favorables, link.defavorables)
    )
    return _sentence(BALANCE.format(good=good, bad=bad), link.note)


def _mean(pairs: Sequence[Pair], rules: Rules) -> dict[str, Any]:
    given = [(item, item.numbers, link.coefficient) for item, link in pairs if item.n and item.numbers is not None]
    if not given:
        return {"statut": "non_calculable", "explication": NO_ANSWER}
    top = math.fsum(
        factor * math.fsum(item.part.weights[item.expressed] * numbers[item.expressed])
        for item, numbers, factor in given
    )
    bottom = math.fsum(item.total(item.expressed) for item, _, _ in given)
    smallest = min((item for item, _, _ in given), key=lambda item: item.n)
    return {
        "valeur": top / bottom,
        "numerateur": top,
        "denominateur": bottom,
        "n": float(smallest.n),
        "explication": _said(smallest, rules, pairs[0][1].note),
    }


def _of_numbers(item: Item, link: LienIndicateur, rules: Rules) -> dict[str, Any]:
    if item.numbers is None:
        return {"statut": "non_disponible", "explication": _sentence(link.note or ELEMENT)}
    said = _said(item, rules, link.note)
    if link.calcul == "mediane":
        value = item.median() * link.coefficient
        return {"valeur": value, "denominateur": item.total(item.expressed), "explication": said}
    total = link.coefficient * math.fsum(item.part.weights[item.expressed] * item.numbers[item.expressed])
    return {"valeur": total, "numerateur": total, "explication": said}


def _ratio(indicator: Indicateur, pairs: Sequence[Pair], rules: Rules) -> dict[str, Any]:
    """``rapport``: sums over the respondents who gave every number, then the indicator's own formula."""
    part = pairs[0][0].part
    complete = np.logical_and.reduce([item.expressed for item, _ in pairs])
    sums = {"numerateur": 0.0, "denominateur": 0.0}
    for side in sums:
        sums[side] = math.fsum(
            link.coefficient * math.fsum(part.weights[complete] * item.numbers[complete])
            for item, link in pairs
            if item.numbers is not None and link.role in (side, "les_deux")
        )
    n = int(complete.sum())
    if not n or not sums["denominateur"]:
        return {"statut": "non_calculable", "n": float(n), "explication": NO_ANSWER if not n else ZERO_DENOMINATOR}
    entry = Entry(year=NAN, numerator=sums["numerateur"], denominator=sums["denominateur"])
    result = compute_indicator(indicator, [entry])[0]
    said = _said(replace(pairs[0][0], expressed=complete), rules, pairs[0][1].note)
    return {
        "valeur": result.value,
        "numerateur": result.numerator,
        "denominateur": result.denominator,
        "n": float(n),
        "statut": result.status,
        "explication": _sentence(result.explanation, said),
    }


def _distribution(item: Item, link: LienIndicateur, rules: Rules, referentiel: Referentiel) -> Rows:
    labels = {choice.code: choice.libelle for choice in item.question.choix}
    citations = item.question.type == "choix_multiple" and "pourcent_citations" in referentiel.unites_par_code
    bottom = item.total(item.expressed)
    out = []
    for code, who in item.chosen.items():
        top = item.total(who & item.expressed)
        out.append(
            {
                "source": survey_source(item.part.enquete.code, [item.question.code], labels.get(code, code)),
                "valeur": top / bottom * 100,
                "modalite": code,
                "numerateur": top,
                "denominateur": bottom,
                "unite": "pourcent_citations" if citations else "pourcent",
                "explication": _said(item, rules, link.note),  # intervals are in the table of answers
            }
        )
    return out
