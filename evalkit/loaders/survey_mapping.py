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
from evalkit.loaders.cells import read_date
from evalkit.loaders.grids import normalise
from evalkit.loaders.pydantic_faults import nearest
from evalkit.loaders.survey_words import Lexicon, words
from evalkit.loaders.yaml_files import YamlCodes, YamlFile, read_yaml
from evalkit.model.survey import Enquete

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
    "colonnes",
    "reponses",
)
IGNORED = "ignorer"
SPECIAL = ("partie", "consentement", "poids", "identifiant")
COLLECTES = ("aleatoire", "recensement", "ouvert")
EMPTY = "non_repondu"  # what `incomprises` may say: answers that are not understood count as not given


@dataclass(frozen=True)
class SurveyMapping:
    """What a person decided. Titles (:func:`grids.normalise`) and answers (their words) are keyed so that accents and quotes do not matter.

    ``columns``: title -> ``ignorer``, a question, ``A14[choix]``, or one of :data:`SPECIAL`. ``answers``: question ->
    answer -> code. By part: ``asked``, ``population`` (numbers of people), ``collecte``.
    """

    enquete: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Mapping[tuple[str, ...], str]] = field(default_factory=dict)
    asked: Mapping[str, float] = field(default_factory=dict)
    population: Mapping[str, float] = field(default_factory=dict)
    collecte: Mapping[str, str] = field(default_factory=dict)
    partie: str = ""
    depuis: str = ""
    jusqu_au: str = ""
    essais: frozenset[int] = frozenset()
    misread_as_empty: bool = False
    place: Place = field(default_factory=Place)

    def answer(self, question: str, text: str) -> str:
        """Code decided for one answer, "" when nothing was decided."""
        known = self.answers.get(question)
        return known.get(words(text), "") if known else ""


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
            Place(self.shown),
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

    def _answers(self, given: Any, lexicon: Lexicon) -> dict[str, dict[tuple[str, ...], str]]:
        out: dict[str, dict[tuple[str, ...], str]] = {}
        for question, answers in self._table("reponses", given).items():
            code = lexicon.codes.get(str(question).lower().replace("_", ""), "")
            if not code:
                fix = "écrivez le code d’une question, entre guillemets"
                self.say(("reponses", question), f"« {question} »", f"une question de {lexicon.enquete.code}", fix)
                continue
            known = lexicon.by_code[code]
            for answer, target in self._table(("reponses", question), answers).items():
                found = known.choice(str(target or ""))
                if not found:
                    codes = [choice.code for choice in known.question.choix if not choice.liste] + [EMPTY]
                    near = nearest(str(target), codes)
                    fix = f"écrivez {near} ?" if near else "choisissez dans cette liste"
                    path = ("reponses", question, answer)
                    self.say(path, f"« {target} »", f"une réponse de {code} : " + ", ".join(codes), fix)
                out.setdefault(code, {})[words(str(answer))] = found
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

    def _trials(self, given: Any) -> frozenset[int]:
        numbers = given if isinstance(given, list) else [] if given is None else [given]
        if any(isinstance(n, bool) or not isinstance(n, int) for n in numbers):
            self.say(("essais",), "autre chose que des numéros", "les numéros des envois d’essai : [1, 2]", "corrigez")
            return frozenset()
        return frozenset(numbers)


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
    hidden: int = 0  # answers not shown because they may be personal


def draft_text(draft: Draft, command: str) -> str:
    """The draft, ready to be corrected by hand."""
    parts = draft.enquete.parties
    several = "{" + ", ".join(f"{part.code}: 0" for part in parts) + "}" if len(parts) > 1 else "0"
    lines = [
        f"# Correspondance entre « {draft.file} » et le questionnaire {draft.enquete.code}.",
        "# Une ligne qui commence par # est une proposition : elle n’est pas appliquée. Relisez-la, corrigez-la au besoin,",
        "# retirez le #, puis recommencez :",
        f"#   {command}",
        f'enquete: "{draft.enquete.code}"',
        "# Combien de personnes ou de structures ont été sollicitées (sans ce nombre : pas de taux de réponse) :",
        f"# sollicites: {several}",
    ]
    if draft.columns:
        lines += ["", "# Chaque titre de colonne : une question, ou « ignorer ».", "colonnes:"]
        for title, proposed in draft.columns:
            label = draft.enquete.questions_par_code[proposed].libelle if proposed else ""
            lines += [f"  # le plus proche : {label}"] if label else []
            lines.append(f"  # {_quoted(title)}: {_quoted(proposed or IGNORED)}")
    if draft.answers or draft.hidden:
        lines += [
            "",
            "# Chaque réponse non comprise : un code de réponse du questionnaire, ou non_repondu.",
            "reponses:",
        ]
        for question, answers in draft.answers.items():
            codes = ", ".join(choice.code for choice in draft.enquete.questions_par_code[question].choix)
            lines += [f"  # {_quoted(question)}:   # codes : {codes}"]
            lines += [f"  #   {_quoted(answer)}: {_quoted(code or EMPTY)}" for answer, code in answers]
        if draft.hidden:
            lines += [
                f"# {draft.hidden} réponse(s) non montrée(s) : elles peuvent être personnelles. Corrigez-les dans l’outil de",
                "# collecte, ou retirez le # de la ligne suivante pour les compter « non renseigné » :",
            ]
        lines.append(f"# incomprises: {EMPTY}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)
