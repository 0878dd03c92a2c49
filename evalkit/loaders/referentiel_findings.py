"""What the checks of the framework share: files read, codes that exist, faults found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from evalkit.errors import Fault, Place
from evalkit.loaders.pydantic_faults import nearest
from evalkit.loaders.yaml_files import KeyPath, YamlFile


@dataclass
class Check:
    """Files by relative path, what codes exist, faults found."""

    files: Mapping[str, YamlFile]
    root: str
    known: dict[str, list[str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def add(self, code: str, where: str, path: KeyPath, read: str, expected: str, fix: str, note: str = "") -> None:
        """Record one fault at a path of a file."""
        document = self.files[where]
        place = Place(f"{self.root}/{where}", line=document.line(path), note=note)
        self.faults.append(Fault(code, place, read, expected, fix))

    def link(self, kind: str, value: Any, where: str, path: KeyPath, note: str = "") -> None:
        """Check that a code exists; nothing is said when its own file could not be read."""
        known = self.known.get(kind)
        if known is None or not isinstance(value, str) or value in known:
            return
        near = nearest(value, known)
        self.add(
            "REF-009",
            where,
            path,
            f"« {value} »",
            f"un code de {DECLARED_IN[kind]}",
            f"écrivez {near} ? Sinon, déclarez « {value} » dans {DECLARED_IN[kind]}"
            if near
            else f"corrigez le code, ou déclarez-le dans {DECLARED_IN[kind]}",
            note,
        )

    def links(self, kind: str, owner: Mapping[str, Any], key: str, where: str, path: KeyPath, note: str = "") -> None:
        """Check every code of a list."""
        for index, value in enumerate(as_list(owner.get(key))):
            self.link(kind, value, where, (*path, key, index), note)


DECLARED_IN = {
    "sources": "sources.yml",
    "unites": "unites.yml",
    "groupes": "acteurs.yml (groupes)",
    "collectes": "acteurs.yml (collectes)",
    "contexte": "contexte.yml",
}


def as_dict(value: Any) -> dict[Any, Any]:
    """The value, or nothing when it has another shape (said elsewhere)."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The value, or nothing when it has another shape (said elsewhere)."""
    return value if isinstance(value, list) else []


def items(value: Any) -> Iterator[tuple[int, dict[Any, Any]]]:
    """Objects of a list with their positions; what is not an object is said by the models."""
    return ((index, item) for index, item in enumerate(as_list(value)) if isinstance(item, dict))


def once(check: Check, seen: dict[str, int | None], code: Any, where: str, path: KeyPath) -> None:
    """Refuse a code already met in ``seen`` (code -> line), then remember it."""
    if not isinstance(code, str):
        return
    line = check.files[where].line(path)
    if code in seen:
        check.add(
            "REF-008",
            where,
            path,
            f"le code « {code} », déjà employé ligne {seen[code]}"
            if seen[code]
            else f"le code « {code} », déjà employé",
            "un code employé une seule fois",
            "donnez un nouveau code : un code n’est jamais réutilisé",
        )
    seen.setdefault(code, line)
