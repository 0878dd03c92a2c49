"""Questionnaires of the framework: answers that can be given, conditions that can be met, links that hold both ways.

Like the other checks, everything is looked at on the data as read, tolerant of what is malformed (said by the models), so
that a person sees all the faults in one go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from evalkit.loaders.conditions import check_condition
from evalkit.loaders.pydantic_faults import nearest, show_value
from evalkit.loaders.referentiel_findings import Check, as_dict, as_list, items, once
from evalkit.loaders.yaml_files import KeyPath

LIKERT = ("1", "2", "3", "4", "5")
WITH_CHOICES = ("choix_unique", "choix_multiple", "likert")
_NUMBERS = ("moyenne", "mediane", "somme", "rapport")
# Way of computing -> types of question that it can start from.
_TYPES = {
    "part": (*WITH_CHOICES, "nombre", "texte"),
    "solde": WITH_CHOICES,
    "distribution": WITH_CHOICES,
    "moyenne": ("nombre", "likert"),
    "mediane": ("nombre", "likert"),
    "somme": ("nombre",),
    "rapport": ("nombre",),
    "reseau": ("choix_multiple",),
    "verbatim": ("texte",),
    "appui": (*WITH_CHOICES, "nombre", "texte"),
}
# Ways of which several questions of one part may give one indicator together.
_TOGETHER = ("moyenne", "rapport", "distribution")
_WITHOUT_VALUE = ("appui", "verbatim")


@dataclass
class _Survey:
    """One questionnaire being checked: its file, its code, and what its questions are."""

    where: str
    code: str
    data: dict[Any, Any]
    seen: dict[str, int | None] = field(default_factory=dict)

    @property
    def questions(self) -> list[tuple[int, dict[Any, Any]]]:
        return list(items(self.data.get("questions")))


def check_surveys(check: Check) -> None:
    """Every fault of the questionnaires (``enquetes/*.yml``) and of their links with the indicators."""
    surveys = []
    seen: dict[str, int | None] = {}
    for where, document in check.files.items():
        if not where.startswith("enquetes/"):
            continue
        data = as_dict(document.data)
        survey = _Survey(where, str(data.get("code", "")), data)
        _check_identity(check, survey)
        for index, question in survey.questions:
            # One code names one question in the whole framework: no column can be taken for another one.
            once(check, seen, question.get("code"), where, ("questions", index, "code"))
            _check_question(check, survey, index, question)
        surveys.append(survey)
    indicators = dict(_indicators(check))
    for survey in surveys:
        _check_links(check, survey, indicators)
    _check_fed(check, surveys, indicators)


# --- the questionnaire itself ---------------------------------------------------------------------------------------


def _check_identity(check: Check, survey: _Survey) -> None:
    """File name, tool of acteurs.yml, parts, groups, notice."""
    stem = survey.where.removeprefix("enquetes/").removesuffix(".yml")
    if survey.code and survey.code.lower() != stem:
        check.add(
            "REF-017",
            survey.where,
            ("code",),
            f"« {survey.code} » dans « {stem}.yml »",
            f"le code du questionnaire, en minuscules, pour nom de fichier : « {survey.code.lower()}.yml »",
            "corrigez le code, ou renommez le fichier",
        )
    elif survey.code:
        check.link("collectes", survey.code, survey.where, ("code",))
    parts: dict[str, int | None] = {}
    for index, part in items(survey.data.get("parties")):
        once(check, parts, part.get("code"), survey.where, ("parties", index, "code"))
        check.link("groupes", part.get("groupe"), survey.where, ("parties", index, "groupe"), str(part.get("code")))
    _check_notice(check, survey)


def _check_notice(check: Check, survey: _Survey) -> None:
    """The threshold that respondents read is the one that the computation uses: written ``{seuil}``, never a number."""
    sentences = as_list(survey.data.get("notice"))
    if not sentences:
        return
    names = [
        (index, name)
        for index, sentence in enumerate(sentences)
        if isinstance(sentence, str)
        for name in re.findall(r"\{(.*?)\}", sentence)
    ]
    expected = "« {seuil} » dans une phrase au moins, et aucun autre mot entre accolades"
    for index, name in names:
        if name != "seuil":
            fix = "écrivez « {seuil} », ou retirez les accolades"
            check.add("REF-022", survey.where, ("notice", index), f"« {{{name}}} »", expected, fix)
    if "seuil" not in {name for _, name in names}:
        fix = "dites à partir de combien de réponses un résultat est publié : « … en dessous de {seuil} réponses »"
        check.add("REF-022", survey.where, ("notice",), "aucun « {seuil} »", expected, fix)


# --- one question ---------------------------------------------------------------------------------------------------


def _check_question(check: Check, survey: _Survey, index: int, question: Mapping[Any, Any]) -> None:
    path: KeyPath = ("questions", index)
    note = str(question.get("code", ""))
    parts = [str(part.get("code")) for _, part in items(survey.data.get("parties"))]
    if parts and question.get("partie") not in parts:
        check.add(
            "REF-009",
            survey.where,
            (*path, "partie"),
            show_value(question.get("partie")),
            "une partie du questionnaire : " + ", ".join(parts),
            "corrigez la partie, ou déclarez-la sous « parties »",
            note,
        )
    for key, read, expected, fix in _wrong_answers(question):
        check.add("REF-020", survey.where, (*path, *key), read, expected, fix, note)
    facts, choices = _before(survey, index, question)
    for problem in check_condition(question.get("posee_si"), facts, choices, must_explain=False):
        here = (*path, "posee_si", *problem.path)
        read, expected = problem.read, problem.expected
        if problem.path and problem.path[-1] == "fait":
            read = read.split(", ")[0]
            expected = "une question posée avant, dans la même partie" + (f" : {', '.join(facts)}" if facts else "")
        check.add("REF-019", survey.where, here, read, expected, _advice(problem.fix), note)
    for number, link in items(question.get("indicateurs")):
        facts, choices = _before(survey, index + 1, question)
        for problem in check_condition(link.get("base_si"), facts, choices, must_explain=False):
            here = (*path, "indicateurs", number, "base_si", *problem.path)
            check.add("REF-019", survey.where, here, problem.read, problem.expected, problem.fix, note)
        for key, read, expected, fix in _wrong_link(question, link):
            check.add("REF-021", survey.where, (*path, "indicateurs", number, *key), read, expected, fix, note)


def _advice(fix: str) -> str:
    """The advice of ``check_condition`` about facts of a territory makes no sense in a questionnaire."""
    return "nommez une question déjà posée" if fix.startswith("remplacez-le") else fix


def _before(
    survey: _Survey, index: int, question: Mapping[Any, Any]
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Questions already asked to the same people, and the closed answers of each."""
    facts: dict[str, str] = {}
    choices: dict[str, tuple[str, ...]] = {}
    for position, other in survey.questions:
        if position >= index or other.get("partie") != question.get("partie"):
            continue
        code = str(other.get("code"))
        facts[code] = "nombre" if other.get("type") == "nombre" else "texte"
        if other.get("type") in WITH_CHOICES:
            choices[code] = tuple(_codes(other))
    return facts, choices


def _codes(question: Mapping[Any, Any]) -> list[str]:
    return [str(choice.get("code")) for _, choice in items(question.get("choix"))]


Wrong = Iterator[tuple[KeyPath, str, str, str]]


def _wrong_answers(question: Mapping[Any, Any]) -> Wrong:
    """What is wrong with the answers that may be given: (key, read, expected, fix)."""
    kind, codes = question.get("type"), _codes(question)
    closed = kind in WITH_CHOICES
    if closed and not codes:
        yield ("type",), f"« {kind} » sans « choix »", "la liste des réponses possibles", "ajoutez « choix »"
        return
    if codes and not closed:
        yield ("choix",), f"des choix pour une question « {kind} »", "aucun choix", "retirez-les, ou changez le type"
        return
    for code in dict.fromkeys(code for code in codes if codes.count(code) > 1):
        yield ("choix",), f"le choix « {code} » deux fois", "un code par choix", "donnez un autre code à l’un des deux"
    if kind == "likert" and tuple(code for code in codes if code in LIKERT) != LIKERT:
        read = "les positions " + (", ".join(code for code in codes if code in LIKERT) or "absentes")
        yield ("choix",), read, "les cinq positions, de 1 à 5, dans l’ordre", "complétez l’échelle"
    yield from _wrong_flags(question)
    yield from _wrong_limits(question)


def _wrong_flags(question: Mapping[Any, Any]) -> Wrong:
    """``exclusif``, ``silence`` and ``liste`` where they have no meaning."""
    several = question.get("type") == "choix_multiple"
    usual = [choice for _, choice in items(question.get("choix")) if not choice.get("silence")]
    for index, choice in items(question.get("choix")):
        here: KeyPath = ("choix", index)
        code, silence, exclusive = choice.get("code"), choice.get("silence"), choice.get("exclusif") is True
        if exclusive and not several:
            expected = "« exclusif » seulement quand plusieurs réponses sont possibles (choix_multiple)"
            yield here, f"« {code} » exclusif", expected, "retirez « exclusif »"
        if silence and several and not exclusive:
            read = f"« {code} », qui n’est pas une opinion, cochable avec d’autres réponses"
            yield here, read, "« exclusif: true » à côté de « silence »", "ajoutez « exclusif: true »"
        if silence and question.get("type") == "likert" and code in LIKERT:
            yield here, f"la position « {code} » marquée « silence »", "une position compte", "retirez « silence »"
        if silence in ("ne_sait_pas", "refus") and code != silence:
            expected = f"le code « {silence} », le même dans toutes les questions"
            yield here, f"« {code} » pour silence « {silence} »", expected, f"écrivez « code: {silence} »"
        if choice.get("liste") and (silence or exclusive):
            expected = "une liste du territoire, sans « silence » ni « exclusif »"
            yield here, f"« {code} » avec une liste", expected, "retirez l’un des deux"
    if question.get("type") in WITH_CHOICES and not usual:
        yield ("choix",), "des silences seulement", "au moins une réponse qui compte", "ajoutez les réponses"


def _wrong_limits(question: Mapping[Any, Any]) -> Wrong:
    kind, maximum = question.get("type"), question.get("maximum")
    usual = [choice for _, choice in items(question.get("choix")) if not choice.get("exclusif")]
    if isinstance(maximum, int) and (kind != "choix_multiple" or not 1 < maximum < len(usual)):
        territory = any(choice.get("liste") for choice in usual)
        if kind != "choix_multiple" or (maximum < 2 or not territory):
            expected = "dans un choix_multiple, un nombre entre 2 et le nombre de choix moins un"
            yield ("maximum",), f"maximum {maximum}", expected, "corrigez le nombre, ou retirez « maximum »"
    for key, wanted in (("bornes", "nombre"), ("unite", "nombre"), ("entier", "nombre"), ("longueur_max", "texte")):
        if question.get(key) not in (None, False) and kind != wanted:
            read = f"« {key} » pour une question « {kind} »"
            yield (key,), read, f"« {key} » avec « type: {wanted} » seulement", f"retirez « {key} »"
    bounds = as_dict(question.get("bornes"))
    low, high = bounds.get("min"), bounds.get("max")
    if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
        yield ("bornes",), f"min {low}, max {high}", "min ≤ max", "inversez les deux bornes"


# --- links with the indicators --------------------------------------------------------------------------------------


def _wrong_link(question: Mapping[Any, Any], link: Mapping[Any, Any]) -> Wrong:
    """A way of computing that this question does not allow."""
    way, kind = str(link.get("calcul")), str(question.get("type"))
    allowed = _TYPES.get(way)
    if allowed is None:  # said by the models
        return
    if kind not in allowed:
        expected = f"avec « calcul: {way} », une question de type " + " ou ".join(allowed)
        yield ("calcul",), f"« {way} » pour une question « {kind} »", expected, "changez le calcul, ou la question"
        return
    yield from _wrong_favourables(question, link)
    if (way == "rapport") != bool(link.get("role")):
        expected = "« role » (numerateur, denominateur ou les_deux) avec « calcul: rapport », et lui seul"
        yield ("calcul",), f"« {way} » {'sans' if way == 'rapport' else 'avec'} « role »", expected, "ajoutez-le"
    if link.get("coefficient") is not None and way not in _NUMBERS:
        expected = "« coefficient » quand un nombre est calculé"
        yield ("coefficient",), f"un coefficient avec « {way} »", expected, "retirez « coefficient »"
    if way == "appui" and not link.get("note"):
        expected = "une « note » qui dit pourquoi la question ne donne pas la valeur"
        yield ("calcul",), "« appui » sans note", expected, "ajoutez une ligne « note: … »"


def _wrong_favourables(question: Mapping[Any, Any], link: Mapping[Any, Any]) -> Wrong:
    way, closed = link.get("calcul"), question.get("type") in WITH_CHOICES
    silent = {str(choice.get("code")) for _, choice in items(question.get("choix")) if choice.get("silence")}
    known = [code for code in _codes(question) if code not in silent]
    for key in ("favorables", "defavorables"):
        given = as_list(link.get(key))
        needed = closed and way in (("part", "solde") if key == "favorables" else ("solde",))
        if needed != bool(given):
            read = f"« {way} » {'sans' if needed else 'avec'} « {key} »"
            expected = f"« {key} » : " + (", ".join(known) if needed else "rien ici")
            yield ("calcul",), read, expected, "ajoutez les codes des choix" if needed else f"retirez « {key} »"
        for code in (code for code in given if code not in known):
            near = nearest(str(code), known)
            fix = f"écrivez {near} ?" if near else "corrigez le code"
            expected = "un choix de la question qui exprime une réponse : " + ", ".join(known)
            yield (key,), show_value(code), expected, fix
    both = set(map(str, as_list(link.get("favorables")))) & set(map(str, as_list(link.get("defavorables"))))
    if both:
        expected = "un choix favorable ou défavorable, jamais les deux"
        yield ("defavorables",), ", ".join(sorted(both)) + " des deux côtés", expected, "gardez un seul côté"
    keys = [key for key, value in as_dict(link.get("favorable_si")).items() if value is not None]
    wanted = way == "part" and not closed
    if (len(keys) == 1) != wanted:
        expected = "« favorable_si », avec une seule clé, pour la part d’un nombre ou d’un texte"
        yield ("calcul",), f"« favorable_si » : {', '.join(map(str, keys)) or 'rien'}", expected, "corrigez-le"
    least = link.get("minimum")
    most = len(as_list(link.get("favorables"))) if question.get("type") == "choix_multiple" else 1
    if isinstance(least, int) and way == "part" and least > max(most, 1):
        expected = "un nombre de réponses favorables que l’on peut atteindre"
        yield ("minimum",), f"minimum {least}", expected, f"écrivez au plus {max(most, 1)}"


def _indicators(check: Check) -> Iterator[tuple[str, tuple[str, KeyPath, dict[Any, Any]]]]:
    """Indicator code -> file, path and data."""
    for where, document in check.files.items():
        if not where.startswith("modules/") or where.endswith("/module.yml"):
            continue
        for sub_index, sub in items(as_dict(document.data).get("sous_questions")):
            for index, item in items(sub.get("indicateurs")):
                path: KeyPath = ("sous_questions", sub_index, "indicateurs", index)
                yield str(item.get("code")), (where, path, item)


def _links(survey: _Survey) -> Iterator[tuple[KeyPath, str, Mapping[Any, Any], Mapping[Any, Any]]]:
    """(path, indicator code, question, link) of every link of a questionnaire."""
    for index, question in survey.questions:
        for number, link in items(question.get("indicateurs")):
            yield ("questions", index, "indicateurs", number, "code"), str(link.get("code")), question, link


def _check_links(check: Check, survey: _Survey, indicators: Mapping[str, tuple[str, KeyPath, dict[Any, Any]]]) -> None:
    """Each question feeds an indicator that exists and expects it; each own indicator names the questions that feed it."""
    own = {str(item.get("code")): index for index, item in items(survey.data.get("indicateurs_propres"))}
    givers: dict[tuple[str, str], tuple[str, str]] = {}
    for path, code, question, link in _links(survey):
        note = str(question.get("code", ""))
        if code in own:
            _check_own(check, survey, own[code], note, path)
        elif code not in indicators:
            near = nearest(code, [*indicators, *own])
            fix = f"écrivez {near} ?" if near else "corrigez le code, ou déclarez l’indicateur dans son module"
            check.add("REF-018", survey.where, path, f"« {code} »", "un indicateur du référentiel", fix, note)
        else:
            _check_expected(check, survey, code, indicators[code][2], path, note)
        way = str(link.get("calcul"))
        if way in _WITHOUT_VALUE:
            continue
        key = (str(question.get("partie")), code)
        first, before = givers.setdefault(key, (note, way))
        if first != note and code not in own and (way != before or way not in _TOGETHER):
            check.add(
                "REF-021",
                survey.where,
                path,
                f"« {code} » calculé par {first} ({before}) et par {note} ({way})",
                "une seule valeur de l’indicateur par partie du questionnaire",
                "gardez la question de la définition ; écrivez « calcul: appui » pour l’autre",
                note,
            )
    _check_own_questions(check, survey)


def _check_own(check: Check, survey: _Survey, index: int, question: str, path: KeyPath) -> None:
    item = dict(items(survey.data.get("indicateurs_propres")))[index]
    if question in as_list(item.get("questions")):
        return
    check.add(
        "REF-018",
        survey.where,
        path,
        f"« {item.get('code')} », qui ne nomme pas la question {question}",
        "un lien écrit des deux côtés",
        f"ajoutez « {question} » aux questions de {item.get('code')}, sous « indicateurs_propres »",
        question,
    )


def _check_own_questions(check: Check, survey: _Survey) -> None:
    linked = {(str(question.get("code")), code) for _, code, question, _ in _links(survey)}
    seen: dict[str, int | None] = {}
    for index, item in items(survey.data.get("indicateurs_propres")):
        path: KeyPath = ("indicateurs_propres", index)
        code = str(item.get("code"))
        once(check, seen, item.get("code"), survey.where, (*path, "code"))
        for question in as_list(item.get("questions")):
            if (str(question), code) not in linked:
                check.add(
                    "REF-018",
                    survey.where,
                    (*path, "questions"),
                    f"« {question} », qui n’a pas de lien vers {code}",
                    "une question du questionnaire liée à cet indicateur",
                    f"ajoutez le lien sous la question {question}, ou retirez-la d’ici",
                    code,
                )


def _check_expected(
    check: Check, survey: _Survey, code: str, item: Mapping[Any, Any], path: KeyPath, note: str
) -> None:
    """The indicator is said to come from a survey, and from this one."""
    missing = [] if survey.code in as_list(item.get("collecte")) else [f"« {survey.code} » dans « collecte »"]
    missing += [] if "enquete" in as_list(item.get("obtention")) else ["« enquete » dans « obtention »"]
    if missing:
        names = " ni ".join(missing)
        expected = "un indicateur qui attend ce questionnaire"
        fix = f"ajoutez dans {code} : {' et '.join(missing)} ; ou retirez le lien"
        check.add("REF-018", survey.where, path, f"{code} n’a pas {names}", expected, fix, note)


def _check_fed(
    check: Check, surveys: list[_Survey], indicators: Mapping[str, tuple[str, KeyPath, dict[Any, Any]]]
) -> None:
    """An indicator that counts on a questionnaire is fed by one of its questions at least."""
    fed = {(survey.code, code) for survey in surveys for _, code, _, _ in _links(survey)}
    names = [survey.code for survey in surveys if survey.questions]
    for code, (where, path, item) in indicators.items():
        if "enquete" not in as_list(item.get("obtention")):
            continue
        for name in names:
            if name in as_list(item.get("collecte")) and (name, code) not in fed:
                check.add(
                    "REF-018",
                    where,
                    (*path, "collecte"),
                    f"« {name} », dont aucune question ne renseigne {code}",
                    "une question au moins de ce questionnaire, liée à l’indicateur",
                    f"ajoutez le lien dans enquetes/{name.lower()}.yml, ou retirez « {name} »",
                    code,
                )
