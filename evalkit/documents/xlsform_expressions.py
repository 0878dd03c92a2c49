"""Expressions of an XLSForm: written from our conditions and limits, and checked by us before anyone opens the form.

The converters let a broken reference or a lost parenthesis through; the person holding the tablet finds it. Every
expression is therefore parsed here: known functions, known questions, choices that exist, nothing left over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from evalkit.model.base import Comparison, Condition
from evalkit.model.survey import QuestionEnquete

_TOKEN = re.compile(
    r"\s*(?:(?P<ref>\$\{[A-Za-z_][A-Za-z0-9_]*\})|(?P<text>'[^']*')|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[a-z][a-z-]*)|(?P<op><=|>=|!=|=|<|>)|(?P<mark>[(),.]))"
)
# Function -> number of arguments.
_FUNCTIONS = {"selected": 2, "count-selected": 1, "not": 1, "string-length": 1}
_SIGNS = {"superieur_ou_egal": ">=", "inferieur_ou_egal": "<=", "superieur": ">", "inferieur": "<"}


def relevance(condition: Condition | None, questions: Mapping[str, QuestionEnquete]) -> str:
    """``posee_si`` as an XLSForm expression; empty when the question is always asked."""
    if condition is None:
        return ""
    parts = [_comparison(item, questions[item.fait]) for item in condition.tous or condition.un_de or ()]
    joint = " and " if condition.tous else " or "
    return parts[0] if len(parts) == 1 else joint.join(f"({part})" for part in parts)


def _comparison(item: Comparison, question: QuestionEnquete) -> str:
    name = f"${{{item.fait}}}"
    if item.renseigne is not None:
        return f"{name} {'!=' if item.renseigne else '='} ''"
    if item.egal is not None:
        return _is(name, item.egal, question)
    if item.different is not None:
        return f"{name} != '' and not({_is(name, item.different, question)})"
    if item.parmi is not None:
        parts = [_is(name, value, question) for value in item.parmi]
        return parts[0] if len(parts) == 1 else " or ".join(parts)
    for key, sign in _SIGNS.items():
        if (value := getattr(item, key)) is not None:
            return f"{name} {sign} {_number(value)}"
    raise ValueError(f"condition on {item.fait} without operator")  # refused by the loader


def _is(name: str, value: object, question: QuestionEnquete) -> str:
    if question.type == "nombre" and isinstance(value, int | float):
        return f"{name} = {_number(value)}"
    if "'" in str(value):
        raise ValueError(f"{question.code}: a quote cannot be written in an expression")
    return f"selected({name}, '{value}')" if question.type == "choix_multiple" else f"{name} = '{value}'"


def _number(value: float) -> str:
    return f"{value:.10f}".rstrip("0").rstrip(".")


def constraint(question: QuestionEnquete) -> str:
    """Limits of a number, of a number of choices, of a text; choices that stand alone. Empty when there is none."""
    parts = []
    if question.bornes and question.bornes.min is not None:
        parts.append(f". >= {_number(question.bornes.min)}")
    if question.bornes and question.bornes.max is not None:
        parts.append(f". <= {_number(question.bornes.max)}")
    if question.maximum:
        parts.append(f"count-selected(.) <= {question.maximum}")
    for choice in question.choix:
        if choice.exclusif:
            parts.append(f"not(selected(., '{choice.code}') and count-selected(.) > 1)")
    if question.longueur_max:
        parts.append(f"string-length(.) <= {question.longueur_max}")
    return " and ".join(parts)


def check_expression(expression: str, choices: Mapping[str, Sequence[str]], own: str = "") -> list[str]:
    """What is wrong with one expression; empty when it can be trusted.

    Parameters
    ----------
    expression
        As written in ``relevant`` or ``constraint``.
    choices
        Questions that may be named -> their choices (empty for a number or a text).
    own
        The question that ``.`` stands for; empty when ``.`` has no meaning (``relevant``).
    """
    parser = _Parser(expression, choices, own)
    parser.run()
    return parser.faults


class _Parser:
    """Recursive descent over the few forms that we write."""

    def __init__(self, expression: str, choices: Mapping[str, Sequence[str]], own: str) -> None:
        self.choices, self.own = choices, own
        self.faults: list[str] = []
        self.tokens = self._split(expression)
        self.at = 0

    def _split(self, text: str) -> list[tuple[str, str]]:
        tokens, position = [], 0
        while position < len(text.rstrip()):
            match = _TOKEN.match(text, position)
            if match is None:
                self.faults.append(f"illisible à partir de « {text[position:].strip()} »")
                break
            tokens.append((str(match.lastgroup), match.group().strip()))
            position = match.end()
        return tokens

    def run(self) -> None:
        if self.faults:
            return
        self._any()
        if self.at < len(self.tokens) and not self.faults:
            self.faults.append(f"« {self.tokens[self.at][1]} » en trop")

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("", "")

    def _take(self, wanted: str = "") -> tuple[str, str]:
        token = self._peek()
        if not token[1] or (wanted and token[1] != wanted):
            self.faults.append(f"« {wanted or 'une valeur'} » manque" + (f" avant « {token[1]} »" if token[1] else ""))
        self.at += 1
        return token

    def _any(self) -> None:
        self._one()
        while not self.faults and self._peek()[1] in ("and", "or"):
            self._take()
            self._one()

    def _one(self) -> None:
        left, value = self._value()
        if not self.faults and self._peek()[0] == "op":
            self._take()
            right, literal = self._value()
            if left in ("ref", "mark") and right == "text":
                self._choice(value, literal)

    def _value(self) -> tuple[str, str]:
        """One value; (kind, name of the question or text)."""
        kind, text = self._take()
        if kind == "ref":
            return kind, self._known(text[2:-1])
        if kind == "mark" and text == ".":
            if not self.own:
                self.faults.append("« . » hors d’une contrainte")
            return kind, self.own
        if kind == "mark" and text == "(":
            self._any()
            self._take(")")
            return "group", ""
        if kind == "word":
            self._function(text)
            return "call", ""
        if kind not in ("text", "number") and not self.faults:
            self.faults.append(f"« {text} » là où il faut une valeur")
        return kind, text.strip("'")

    def _known(self, name: str) -> str:
        if name not in self.choices:
            self.faults.append(f"la question « {name} » n’existe pas, ou vient après")
        return name

    def _function(self, name: str) -> None:
        if name not in _FUNCTIONS:
            self.faults.append(f"la fonction « {name} » est inconnue")
            return
        self._take("(")
        if name == "not":
            self._any()
        else:
            _, question = self._value()
            if _FUNCTIONS[name] == 2 and not self.faults:
                self._take(",")
                _, literal = self._value()
                self._choice(question, literal)
        if not self.faults:
            self._take(")")

    def _choice(self, question: str, literal: str) -> None:
        known = self.choices.get(question, ())
        if known and literal and literal not in known:
            self.faults.append(f"« {literal} » n’est pas un choix de {question}")
