"""``enquetes/<enquete>.correspondance.yml``: what a person decided about a file of answers; and the first draft of it.

A draft proposes; nothing that it proposes is applied until a person takes the ``#`` away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalkit.errors import Fault, Place
from evalkit.loaders.cells import plain_number, read_date, read_number
from evalkit.loaders.grids import normalise
from evalkit.loaders.pydantic_faults import nearest
from evalkit.loaders.survey_personal import personal_text
from evalkit.loaders.survey_words import Lexicon, QuestionWords, exact
from evalkit.loaders.yaml_files import YamlCodes, YamlFile, read_yaml
from evalkit.model.survey import Enquete, choice_code

CODES = YamlCodes("DON-027", "DON-028", "DON-029", "DON-030")
SUFFIX = ".correspondance.yml"
KEYS = (
    "enquete",
    "sollicites",
    "population",
    "collecte",
    "partie",
    "depuis",
    "jusqu_au",
    "essais",
    "incomprises",
    "codes",
    "colonnes",
    "reponses",
)
_LONG_KEYS = ("enquete", "colonnes", "reponses")
IGNORED = "ignorer"
SPECIAL = ("partie", "consentement", "poids", "identifiant")
COLLECTES = ("aleatoire", "recensement", "ouvert")
BY_RANK = "par_rang"  # what `codes` may say: the tool's codes follow the order of the questionnaire's answers
EMPTY = "non_repondu"  # what `incomprises` may say: answers that are not understood count as not given


@dataclass(frozen=True)
class SurveyMapping:
    """What a person decided. Titles (:func:`grids.normalise`) are keyed so that accents and quotes do not matter; answers (:func:`survey_words.exact`) so
    that « -5 » is not « 5 ».

    ``columns``: title -> ``ignorer``, a question, ``A14[choix]``, or one of :data:`SPECIAL`. ``answers``: question ->
    answer -> code. By part: ``asked``, ``population`` (numbers of people), ``collecte``.
    """

    enquete: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    asked: Mapping[str, float] = field(default_factory=dict)
    population: Mapping[str, float] = field(default_factory=dict)
    collecte: Mapping[str, str] = field(default_factory=dict)
    partie: str = ""
    depuis: str = ""
    jusqu_au: str = ""
    essais: Mapping[str, frozenset[int]] = field(default_factory=dict)  # file ("" for the only one) -> numbers
    misread_as_empty: bool = False
    by_rank: bool = False
    place: Place = field(default_factory=Place)
    written: Mapping[str, Any] = field(default_factory=dict, repr=False)  # the file as the person wrote it

    def trials(self, file: str) -> frozenset[int]:
        """Numbers of the trials of one file, by its name."""
        return self.essais.get(file, frozenset()) | self.essais.get("", frozenset())

    def answer(self, question: str, text: str) -> str:
        """Code decided for one answer, "" when nothing was decided."""
        known = self.answers.get(question)
        return known.get(exact(text), "") if known else ""


def mapping_path(folder: Path, enquete: str) -> Path:
    """Where the mapping of a questionnaire lies, in the folder ``enquetes`` of a dossier."""
    return folder / f"{enquete.lower()}{SUFFIX}"


def read_mapping(path: Path, shown: str, lexicons: Mapping[str, Lexicon]) -> tuple[SurveyMapping | None, list[Fault]]:
    """Read a mapping; None with faults when it cannot be used. DON-027 to DON-030 (the file), DON-093 (what it says)."""
    document, faults = read_yaml(path, CODES, shown)
    if document is None:
        return None, faults
    reading = _Reading(document, shown, lexicons, list(faults))
    found = reading.read()
    return (None if reading.faults else found), reading.faults


@dataclass
class _Reading:
    document: YamlFile
    shown: str
    lexicons: Mapping[str, Lexicon]
    faults: list[Fault]

    def say(self, path: tuple[Any, ...], read: str, expected: str, fix: str) -> None:
        place = Place(self.shown, line=self.document.line(path), note=".".join(str(key) for key in path[:2]))
        self.faults.append(Fault("DON-093", place, read, expected, fix))

    def read(self) -> SurveyMapping | None:
        data = self.document.data if isinstance(self.document.data, dict) else {}
        for key in data:
            if key not in KEYS:
                near = nearest(str(key), KEYS)
                fix = f"écrivez {near} ?" if near else "retirez cette ligne"
                self.say((key,), f"« {key} », clé inconnue", "une de ces clés : " + ", ".join(KEYS), fix)
        code = str(data.get("enquete") or "").upper()
        lexicon = self.lexicons.get(code)
        if lexicon is None:
            said = f"« {code} »" if code else "pas de questionnaire"
            self.say(("enquete",), said, "un de ces codes : " + ", ".join(self.lexicons), 'écrivez enquete: "ENQ-ASSO"')
            return None
        named = next((known for known in self.lexicons if self.shown.endswith(f"{known.lower()}{SUFFIX}")), code)
        if named != code:
            fix = f"écrivez enquete: {json.dumps(named)}, ou renommez le fichier en {code.lower()}{SUFFIX}"
            self.say(
                ("enquete",),
                f"« {code} », dans le fichier de {named}",
                "le questionnaire que dit le nom du fichier",
                fix,
            )
            return None
        parts = [part.code for part in lexicon.enquete.parties]
        return SurveyMapping(
            code,
            self._columns(data.get("colonnes"), lexicon),
            self._answers(data.get("reponses"), lexicon),
            self._numbers("sollicites", data.get("sollicites"), parts),
            self._numbers("population", data.get("population"), parts),
            self._collecte(data.get("collecte"), parts),
            self._one_of("partie", data.get("partie"), parts),
            self._date("depuis", data.get("depuis")),
            self._date("jusqu_au", data.get("jusqu_au")),
            self._trials(data.get("essais")),
            self._one_of("incomprises", data.get("incomprises"), (EMPTY,)) == EMPTY,
            self._one_of("codes", data.get("codes"), (BY_RANK,)) == BY_RANK,
            Place(self.shown),
            data,
        )

    def _columns(self, given: Any, lexicon: Lexicon) -> dict[str, str]:
        out: dict[str, str] = {}
        for title, target in self._table("colonnes", given).items():
            read = self._target(str(target or "").strip(), lexicon)
            if not read:
                expected = f"une question (« A02 », « A14[aucune] »), {', '.join(SPECIAL)} ou « {IGNORED} »"
                near = nearest(str(target), [*lexicon.by_code, *SPECIAL, IGNORED])
                fix = f"écrivez {near} ?" if near else f"écrivez « {IGNORED} » si la colonne ne sert pas"
                self.say(("colonnes", title), f"« {target} »", expected, fix)
            out[normalise(title)] = read
        return out

    def _target(self, target: str, lexicon: Lexicon) -> str:
        question, _, choice = target.rstrip("]").partition("[")
        if target in (IGNORED, *SPECIAL):
            return target
        code = lexicon.codes.get(question.strip().lower().replace("_", ""), "")
        if not code or not choice:
            return code
        found = lexicon.by_code[code].choice(choice)
        return f"{code}[{found}]" if found else ""

    def _answers(self, given: Any, lexicon: Lexicon) -> dict[str, dict[str, str]]:
        out: dict[str, dict[str, str]] = {}
        for question, answers in self._table("reponses", given).items():
            code = lexicon.codes.get(str(question).lower().replace("_", ""), "")
            if not code:
                fix = "écrivez le code d’une question, entre guillemets"
                self.say(("reponses", question), f"« {question} »", f"une question de {lexicon.enquete.code}", fix)
                continue
            known = lexicon.by_code[code]
            for answer, target in self._table(("reponses", question), answers).items():
                found = known.choice(str(target or "")) or _listed(known, target)
                found = found or _number(known, target) or _declared(known, target)
                if not found:
                    codes = [choice.code for choice in known.question.choix if not choice.liste] + [EMPTY]
                    near = nearest(str(target), codes)
                    fix = f"écrivez {near} ?" if near else "choisissez dans cette liste"
                    path = ("reponses", question, answer)
                    self.say(path, f"« {target} »", f"une réponse de {code} : " + ", ".join(codes), fix)
                out.setdefault(code, {})[exact(str(answer))] = found
        return out

    def _table(self, path: Any, given: Any) -> dict[Any, Any]:
        path = path if isinstance(path, tuple) else (path,)
        if given is None or isinstance(given, dict):
            return given or {}
        self.say(
            path, "une seule valeur", "une ligne « titre: code » par décision", "laissez-la vide, ou mettez-en une"
        )
        return {}

    def _by_part(self, key: str, given: Any, parts: Sequence[str]) -> dict[str, Any]:
        """A value for the only part, or ``{part: value}``."""
        if given is None:
            return {}
        if not isinstance(given, dict):
            if len(parts) == 1:
                return {parts[0]: given}
            example = ", ".join(f"{part}: …" for part in parts)
            self.say((key,), f"« {given} »", "une valeur par partie du questionnaire", f"écrivez {key}: {{{example}}}")
            return {}
        for part in given:
            if part not in parts:
                self.say((key, part), f"« {part} »", "une de ces parties : " + ", ".join(parts), "corrigez le nom")
        return {part: value for part, value in given.items() if part in parts and value is not None}

    def _numbers(self, key: str, given: Any, parts: Sequence[str]) -> dict[str, float]:
        out = {}
        for part, value in self._by_part(key, given, parts).items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                self.say(
                    (key, part), f"« {value} »", "un nombre entier de personnes ou de structures", "tapez un nombre"
                )
                continue
            out[part] = float(value)
        return out

    def _collecte(self, given: Any, parts: Sequence[str]) -> dict[str, str]:
        found = self._by_part("collecte", given, parts)
        return {part: self._one_of("collecte", value, COLLECTES) for part, value in found.items()}

    def _one_of(self, key: str, given: Any, known: Sequence[str]) -> str:
        if given is None:
            return ""
        if str(given) not in known:
            self.say((key,), f"« {given} »", "un de ces mots : " + ", ".join(known), "choisissez dans cette liste")
        return str(given)

    def _date(self, key: str, given: Any) -> str:
        if given is None:
            return ""
        read = read_date(str(given))
        if read.fault or not isinstance(read.value, str) or len(read.value) != len("2022-09-03"):
            self.say((key,), f"« {given} »", 'une date : "2022-09-03"', "tapez le jour, le mois et l’année")
            return ""
        return read.value

    def _trials(self, given: Any) -> dict[str, frozenset[int]]:
        """``[1, 2]`` when there is one file, ``{"a.csv": [1, 2]}`` when there are several: numbers start again in each."""
        found = given if isinstance(given, dict) else {} if given is None else {"": given}
        out = {}
        for name, listed in found.items():
            numbers = listed if isinstance(listed, list) else [listed]
            if any(isinstance(n, bool) or not isinstance(n, int) for n in numbers):
                expected = (
                    'les numéros des envois d’essai : [1, 2], ou {"export.csv": [1, 2]} s’il y a plusieurs fichiers'
                )
                self.say(("essais",), "autre chose que des numéros", expected, "corrigez")
                continue
            out[str(name)] = frozenset(numbers)
        return out


# --- a first draft --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Draft:
    """What could not be told, and what is proposed for it. Proposals are written as comments."""

    enquete: Enquete
    file: str
    columns: Sequence[tuple[str, str]] = ()  # title, question proposed or ""
    answers: Mapping[str, Sequence[tuple[str, str]]] = field(
        default_factory=dict
    )  # question -> (answer, code proposed)
    coded: bool = False  # some answers or titles are codes of the tool
    hidden: int = 0  # answers not shown because they may be personal
    bodies: Sequence[str] = ()  # questions whose list of bodies nobody stated


def draft_text(draft: Draft, command: str, mapping: SurveyMapping | None = None) -> str:
    """The mapping file to correct by hand: what is already decided, and each proposal on a line of its own, after a ``#``.

    Only proposals are comments: taking a ``#`` away never breaks the lines around.
    """
    written = dict(mapping.written) if mapping else {}
    lines = [
        f"# Correspondance entre « {draft.file} » et le questionnaire {draft.enquete.code}.",
        "# Une ligne qui commence par # est une proposition : elle n’est pas appliquée. Relisez-la, corrigez-la au besoin,",
        "# retirez son # et rien d’autre, enregistrez, puis recommencez :",
        f"#   {command}",
        f'enquete: "{draft.enquete.code}"',
        *_plain_keys(draft, mapping, written),
    ]
    decided = items(written.get("colonnes"))
    if draft.columns or decided:
        lines += ["", "# Chaque titre de colonne : une question, ou « ignorer ».", "colonnes:"]
        lines += [f"  {_quoted(title)}: {_quoted(target)}" for title, target in decided.items()]
        known = {normalise(title) for title in decided}
        for title, proposed in draft.columns:
            if normalise(title) in known:
                continue
            label = draft.enquete.questions_par_code[proposed].libelle if proposed else ""
            lines += [f"  ## le plus proche : {label}"] if label else []
            lines.append(f"  #{_quoted(title)}: {_quoted(proposed or IGNORED)}")
    lines += _answer_lines(draft, items(written.get("reponses")))
    if draft.coded and not (mapping and mapping.by_rank):
        lines += [
            "",
            "## Des réponses ou des titres sont des codes de l’outil (A1, A2… SQ001…). S’ils suivent tous l’ordre des réponses du",
            "## questionnaire, retirez le # suivant plutôt que d’en décider un par un :",
            f"#codes: {BY_RANK}",
        ]
    if draft.hidden and not (mapping and mapping.misread_as_empty):
        lines += [
            "",
            f"## {draft.hidden} réponse(s) ne sont pas montrées ici : elles peuvent être personnelles. Corrigez-les dans le",
            "## classeur de saisie ou l’outil de collecte ; ou retirez le # suivant pour les compter « non renseigné » :",
            f"#incomprises: {EMPTY}",
        ]
    return "\n".join(lines) + "\n"


def _plain_keys(draft: Draft, mapping: SurveyMapping | None, written: Mapping[str, Any]) -> list[str]:
    """Keys that hold one value or one per part: what is known, and where to write how many were asked."""
    asked = dict(mapping.asked) if mapping else {}
    kept = {key: value for key, value in written.items() if key in KEYS and key not in _LONG_KEYS}
    if asked:
        kept["sollicites"] = {part: int(n) for part, n in asked.items()}
    out = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in kept.items()]
    if not asked:
        parts = [part.code for part in draft.enquete.parties]
        example = "{" + ", ".join(f"{part}: 42" for part in parts) + "}" if len(parts) > 1 else "42"
        out += ["## Combien ont été sollicités (sans ce nombre, pas de taux de réponse), par exemple :"]
        out += [f"#sollicites: {example}"]
    return out


def _answer_lines(draft: Draft, decided: Mapping[str, Any]) -> list[str]:
    questions = dict.fromkeys([*decided, *draft.answers, *draft.bodies])
    if not questions:
        return []
    out = ["", "# Chaque réponse non comprise : un code de réponse du questionnaire, ou non_repondu.", "reponses:"]
    for question in questions:
        known = draft.enquete.questions_par_code.get(question)
        codes = ", ".join(choice.code for choice in known.choix if not choice.liste) if known else ""
        out.append(f"  {_quoted(question)}:   # {'codes : ' + codes if codes else 'un nombre, ou non_repondu'}")
        if question in draft.bodies:
            out += ["    ## Les structures du contrat, chacune comme elle est écrite dans l’export, et un code court :"]
            out += ['    #"Centre social des Lilas": "centre_social"']
        mine = items(decided.get(question))
        out += [f"    {_quoted(answer)}: {_quoted(target)}" for answer, target in mine.items()]
        taken = {exact(str(answer)) for answer in mine}
        out += [
            f"    #{_quoted(answer)}: {_quoted(code or EMPTY)}"
            for answer, code in draft.answers.get(question, ())
            if exact(answer) not in taken
        ]
    return out


def items(value: Any) -> dict[str, Any]:
    """What a person wrote under a key, as text -> value; empty when it is not a table."""
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}


def _declared(known: QuestionWords, target: Any) -> str:
    """Code of a body, for a question whose list only the person knows."""
    return choice_code(str(target)) if known.open_list and target and not personal_text(str(target)) else ""


def _listed(known: QuestionWords, target: Any) -> str:
    """Several choices decided for one answer to a multiple question: ``lien_social;confiance``."""
    several = known.several(str(target)) if known.question.type == "choix_multiple" and target else None
    return ";".join(several or ())


def _number(known: QuestionWords, target: Any) -> str:
    """A number decided for a numeric question; "" when it is none."""
    if known.question.type != "nombre" or isinstance(target, bool):
        return ""
    value = read_number(target if isinstance(target, int | float | str) else None).value
    return plain_number(value) if isinstance(value, float) else ""


def _quoted(text: object) -> str:
    return json.dumps(" ".join(str(text).split()), ensure_ascii=False)
