"""YAML files: plain data, the line of every key and value, and every fault of the file explained in French.

YAML 1.2 (``oui`` and ``no`` are text). Nothing is guessed: a date, a number with a leading zero or in scientific notation
stays the text that was written, so that a code is never changed into another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from evalkit.errors import Fault, Place

try:  # libyaml, when the interpreter has it: about fifteen times quicker, same nodes
    import yaml as _libyaml
    from yaml import CSafeLoader as _FastLoader
except ImportError:  # pragma: no cover - depends on the installation
    _libyaml = None

Key = str | int
KeyPath = tuple[Key, ...]
# Longer writings are no number that anyone means: they stay text, which the checks of each key then refuse.
_INTEGER = re.compile(r"^(0|-?[1-9][0-9]{0,17})$")
_DECIMAL = re.compile(r"^-?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}$")
_LONGEST_QUOTE = 100
_HIDDEN = re.compile(
    r"[^\x09\x0A\x0D\x20-\x7E\x85\xA0-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]|[\u202A-\u202E\u2066-\u2069\uFEFF]"
)
_CONSTANTS: dict[str, Any] = {"": None, "null": None, "~": None, "true": True, "false": False}


@dataclass(frozen=True)
class YamlCodes:
    """Codes of the messages of one family of files (``REF`` for the framework, others for a territory's files)."""

    unreadable: str = "REF-001"
    encoding: str = "REF-002"
    syntax: str = "REF-003"
    duplicate: str = "REF-004"


REFERENTIEL_CODES = YamlCodes()


@dataclass(frozen=True)
class YamlFile:
    """One file read: ``data`` (dict, list, str, int, float, bool, None) and the line of every path in it (from 1)."""

    path: Path
    data: Any
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int | None:
        """Line of a key (or list item); of the nearest parent when the path itself is not in the file."""
        for length in range(len(path), -1, -1):
            found = self.lines.get(path[:length])
            if found is not None:
                return found
        return None


def read_yaml(path: Path, codes: YamlCodes = REFERENTIEL_CODES, shown: str = "") -> tuple[YamlFile | None, list[Fault]]:
    """Read one YAML file.

    Parameters
    ----------
    path
        The file.
    codes
        Which messages to use.
    shown
        Name printed in the messages (the path itself by default).

    Returns
    -------
    tuple
        The file (``None`` when it could not be parsed) and every fault: unreadable, not UTF-8, syntax, duplicate keys.
        With duplicate keys the first value is kept, so that the other checks can still run.
    """
    name = shown or str(path)
    try:
        raw = path.read_bytes()
    except OSError:
        return None, [
            Fault(
                codes.unreadable,
                Place(name),
                "fichier absent ou illisible",
                "un fichier que l’on peut lire",
                "vérifiez le nom et l’emplacement du fichier",
            )
        ]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return None, [_encoding_fault(name, raw, error, codes)]
    return parse_yaml(text, path, codes, name)


def parse_yaml(
    text: str, path: Path, codes: YamlCodes = REFERENTIEL_CODES, shown: str = ""
) -> tuple[YamlFile | None, list[Fault]]:
    """Parse the text of a YAML file; same results as :func:`read_yaml`."""
    name = shown or str(path)
    hidden = _HIDDEN.search(text)
    if hidden:
        return None, [_hidden_fault(name, text, hidden.start(), codes)]
    building = _Building(name, codes)
    try:
        root = _compose(text)
        data = None if root is None else building.build(root, ())
    except _SyntaxFault as error:
        return None, [_syntax_fault(name, text, error, codes)]
    except RecursionError:
        return None, [_too_deep(name, codes)]
    return YamlFile(path, data, building.lines), building.faults


class _SyntaxFault(Exception):
    """A place (line from 1, column from 1) and the parser's own words, kept for our tests only."""

    def __init__(self, line: int, column: int, problem: str) -> None:
        super().__init__(problem)
        self.line, self.column, self.problem = line, column, problem


def _compose(text: str) -> Any:
    """Tree of nodes of a text, by libyaml when it is there, else by ruamel.yaml; ``None`` for an empty file."""
    if _libyaml is None:
        return compose_pure(text)
    try:
        return _libyaml.compose(text, Loader=_FastLoader)
    except _libyaml.YAMLError as error:
        raise _located(error) from error


def compose_pure(text: str) -> Any:
    """The same tree by ruamel.yaml alone (the slow path)."""
    try:
        return YAML(typ="safe", pure=True).compose(StringIO(text))
    except (MarkedYAMLError, YAMLError) as error:
        raise _located(error) from error


def _located(error: Exception) -> _SyntaxFault:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return _SyntaxFault(line, column, str(getattr(error, "problem", None) or error))


class _Building:
    """Nodes -> plain data, noting lines and faults on the way."""

    def __init__(self, name: str, codes: YamlCodes) -> None:
        self.name, self.codes = name, codes
        self.lines: dict[KeyPath, int] = {(): 1}
        self.faults: list[Fault] = []
        self._seen: set[int] = set()

    def build(self, node: Any, path: KeyPath) -> Any:
        """Plain data of a node."""
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if id(node) in self._seen:  # an alias: a few lines of them can unfold without end
            self.faults.append(_alias_fault(self.name, self.line_above(path), self.codes))
            return None
        self._seen.add(id(node))
        if isinstance(node.value, str):
            return _scalar(node)
        if node.id == "mapping":  # whatever tag was written before it
            return self._mapping(node, path)
        return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]

    def line_above(self, path: KeyPath) -> int:
        """Line of the key that holds a value."""
        return self.lines.get(path) or self.lines.get(path[:-1]) or 1

    def _mapping(self, node: Any, path: KeyPath) -> dict[Key, Any]:
        out: dict[Key, Any] = {}
        for key_node, value_node in node.value:
            key = _scalar(key_node) if isinstance(key_node.value, str) else "(clé composée)"
            line = key_node.start_mark.line + 1
            if key in out:
                self.faults.append(_duplicate_fault(self.name, key, line, self.lines[(*path, key)], self.codes))
                continue
            self.lines[(*path, key)] = line
            out[key] = self.build(value_node, (*path, key))
        return out


def _scalar(node: Any) -> Any:
    """A quoted or block scalar is text; a plain one is a number, true, false or nothing only when it is written so."""
    text: str = node.value
    if node.style in ("'", '"', "|", ">"):
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.match(text):
        return int(text)
    if _DECIMAL.match(text):
        return float(text)
    return text


def _hidden_fault(name: str, text: str, position: int, codes: YamlCodes) -> Fault:
    return Fault(
        codes.syntax,
        Place(name, line=text.count("\n", 0, position) + 1),
        f"un caractère invisible (code {ord(text[position]):04X})",
        "du texte, des espaces et des retours à la ligne",
        "effacez la ligne et tapez-la de nouveau : ce caractère vient souvent d’un copier-coller",
    )


def _alias_fault(name: str, line: int, codes: YamlCodes) -> Fault:
    return Fault(
        codes.syntax,
        Place(name, line=line),
        "un renvoi à une autre partie du fichier (« *nom »)",
        "le texte lui-même, écrit à sa place",
        "recopiez le texte, ou mettez entre guillemets un texte qui commence par « * »",
    )


def _too_deep(name: str, codes: YamlCodes) -> Fault:
    return Fault(
        codes.syntax,
        Place(name),
        "des listes ou des clés imbriquées sur des centaines de niveaux",
        "quelques niveaux",
        "vérifiez les crochets et l’alignement",
    )


def _encoding_fault(name: str, raw: bytes, error: UnicodeDecodeError, codes: YamlCodes) -> Fault:
    line = raw[: error.start].count(b"\n") + 1
    guess = raw[max(0, error.start - 12) : error.start + 12].decode("cp1252", errors="replace")
    return Fault(
        codes.encoding,
        Place(name, line=line),
        f"un caractère qui n’est pas en UTF-8, près de « {' '.join(guess.split())} »",
        "un fichier enregistré en UTF-8",
        "dans l’éditeur : « Enregistrer sous », puis codage « UTF-8 »",
    )


def _duplicate_fault(name: str, key: Key, line: int, first: int, codes: YamlCodes) -> Fault:
    return Fault(
        codes.duplicate,
        Place(name, line=line),
        f"la clé « {key} » est écrite deux fois (déjà ligne {first})",
        "une clé une seule fois au même endroit",
        "gardez la bonne ligne et supprimez l’autre",
    )


def _syntax_fault(name: str, text: str, error: _SyntaxFault, codes: YamlCodes) -> Fault:
    rows = text.splitlines()
    read, expected, fix, line = _explain(rows, error)
    return Fault(codes.syntax, Place(name, line=line), read, expected, fix)


def _explain(rows: list[str], error: _SyntaxFault) -> tuple[str, str, str, int]:
    """What was read, expected, how to mend it, and the line to look at, in that order of likelihood."""
    for line in _suspects(error.line, len(rows)):
        row = rows[line - 1]
        if row.startswith(("---", "...")) and line > 1:
            return "un second document dans le fichier", "un seul document", "supprimez cette ligne", line
        if "\t" in row[: len(row) - len(row.lstrip())]:
            return "une tabulation en début de ligne", "des espaces", "remplacez la tabulation par deux espaces", line
        if _has_bare_colon(row):
            return (
                f"« {_short(row)} » : un deux-points suivi d’une espace dans un texte sans guillemets",
                "un texte entre guillemets quand il contient « : »",
                "entourez tout le texte de guillemets doubles",
                line,
            )
        if row.count('"') % 2:
            return _open_quote(row, line)
        if re.match(r"^[^#\"']*:\s+[@`%&*!|>\[{]", row) and ("scann" in error.problem or "found" in error.problem):
            return (
                f"« {_short(row)} » : un texte qui commence par un signe réservé",
                "un texte entre guillemets",
                "entourez le texte de guillemets doubles et refermez les crochets",
                line,
            )
    # A quote left open is only noticed at the next one, many lines below.
    for number, row in enumerate(rows[: error.line], start=1):
        if row.count('"') % 2:
            return _open_quote(row, number)
    line = min(max(error.line, 1), max(len(rows), 1))
    row = _short(rows[line - 1]) if rows else ""
    return (
        f"« {row} »" if row else "une ligne que l’on ne sait pas lire",
        "« clé: valeur », ou un tiret pour un élément de liste, bien aligné avec ses voisins",
        "vérifiez l’alignement (deux espaces par niveau) et le deux-points après la clé",
        line,
    )


def _short(row: str) -> str:
    """A line quoted in a message, cut when it is a paragraph."""
    text = row.strip()
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"


def _open_quote(row: str, line: int) -> tuple[str, str, str, int]:
    return (
        f"« {_short(row)} » : un guillemet ouvert et jamais refermé",
        "deux guillemets, avant et après le texte",
        "ajoutez le guillemet qui manque",
        line,
    )


def _suspects(line: int, count: int) -> Iterator[int]:
    """The line of the fault, then the one before: the parser often stops one line too late."""
    return (number for number in (line, line - 1) if 1 <= number <= count)


def _has_bare_colon(row: str) -> bool:
    found = re.match(r"^\s*(?:- )*[^\s:#\"'][^:]*:\s+(?P<value>[^\"'#|>\[{].*)$", row)
    return bool(found and re.search(r":(\s|$)", found["value"]))
