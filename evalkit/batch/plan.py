"""What to render: one task per document, its notebook, its parameters, its output; and why one cannot be planned."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from evalkit.errors import EvalkitError, Fault, Place

PARAMETERS_TAG = "parameters"
SYNTHESIS_NOTEBOOK = "synthese_regionale.ipynb"


@dataclass(frozen=True)
class Task:
    """One document to render.

    ``name``: territory folder, or ``synthese``; ``parameters``: what the notebook's parameters cell receives;
    ``output``: path without extension, whole or absent after a run. ``dossier``: the territory that the document is about,
    which gives its title when ``title`` is empty. ``known``: parts of what the document on disk was made from (keyed
    digests, ``batch.parts``); when they are all the same, it is left as it is.
    """

    name: str
    notebook: Path
    parameters: Mapping[str, Any]
    output: Path
    title: str = ""
    kind: str = "rapport"  # rapport, comite, synthese
    seconds: float = 600.0  # time limit of the whole document
    memory_mb: int = 2048  # memory that its notebook may take, where the system can refuse more; 0: no limit
    dossier: Path | None = None
    known: Mapping[str, str] = field(default_factory=dict)
    key: bytes = field(default=b"", repr=False)
    formats: tuple[str, ...] = ("html",)  # what is made of the page
    model: Path | None = None  # a person's modele.docx

    @property
    def document(self) -> str:
        """What tells this document from every other of its campaign."""
        return document_id(self.name, self.kind)

    @property
    def left_out(self) -> list[str]:
        """Questionnaires, and exports that answer none, that the document leaves out on request."""
        from evalkit.model.survey import left_out_names  # heavy: a run that changes nothing must not wait for it

        return left_out_names(str(self.parameters.get("sans_enquete", "")))


def document_id(name: str, kind: str) -> str:
    """Name of a document in the state of a batch: a territory's report and a synthesis bear their own name."""
    return name if kind in ("rapport", "synthese") else f"{name} ({kind})"


@dataclass(frozen=True)
class Plan:
    """Everything a run will do, checked before anything runs. Why: ``batch.decide``."""

    tasks: tuple[Task, ...]


def notebook_parameters(notebook: Path) -> dict[str, str]:
    """Names and annotated types of a notebook's parameters (the one cell tagged ``parameters``)."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    cells = [cell for cell in content["cells"] if PARAMETERS_TAG in cell.get("metadata", {}).get("tags", [])]
    lines = "".join("".join(cell["source"]) + "\n" for cell in cells).splitlines()
    found: dict[str, str] = {}
    for line in lines:
        head, equals, _ = line.partition("=")
        name, _, annotation = head.partition(":")
        if equals and name.strip().isidentifier():
            found[name.strip()] = annotation.strip()
    return found


_PYTHON_TYPES: dict[str, tuple[type, ...]] = {"str": (str,), "bool": (bool,), "int": (int,), "float": (int, float)}
_FRENCH_TYPES = {"str": "un texte", "bool": "True ou False", "int": "un nombre entier", "float": "un nombre"}


def check_parameters(notebook: Path, parameters: Mapping[str, Any]) -> list[Fault]:
    """Unknown or ill-typed parameters: papermill would only warn, and the report would be wrong in silence."""
    known = notebook_parameters(notebook)
    faults = []
    for name, value in parameters.items():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f" ; vouliez-vous dire « {near[0]} » ?" if near else ""
            faults.append(_parameter_fault(notebook, name, "paramètre inconnu de ce carnet", ", ".join(known), hint))
            continue
        accepted = _PYTHON_TYPES.get(known[name])
        if accepted and (not isinstance(value, accepted) or (isinstance(value, bool) and known[name] != "bool")):
            faults.append(_parameter_fault(notebook, name, f"{name} = {value!r}", _FRENCH_TYPES[known[name]], ""))
    return faults


def _parameter_fault(notebook: Path, name: str, read: str, expected: str, hint: str) -> Fault:
    return Fault(
        "LOT-001",
        Place(file=notebook.name, note=f"paramètre « {name} »"),
        read=read,
        expected=expected or "aucun paramètre",
        fix=f"corrigez le nom ou la valeur du paramètre{hint}",
    )


def jobs(tasks: Iterable[Task]) -> list[tuple[Task, ...]]:
    """Tasks by territory, in their order: the documents of one territory are rendered one after the other, by one process."""
    found: dict[tuple[Any, ...], list[Task]] = {}
    for rank, task in enumerate(tasks):
        together = (task.dossier, task.memory_mb) if task.dossier else (rank,)
        found.setdefault(together, []).append(task)
    return [tuple(job) for job in found.values()]


def make_plan(tasks: Iterable[Task]) -> Plan:
    """Check every task's parameters, and that no two tasks write the same document.

    Raises
    ------
    EvalkitError
        LOT-001 (parameters), LOT-004 (two tasks, one output): all of them at once, before anything runs.
    """
    tasks = tuple(tasks)
    faults = [fault for task in tasks for fault in check_parameters(task.notebook, task.parameters)]
    seen: dict[str, str] = {}
    for task in tasks:
        key = str(task.output).casefold()  # Windows: two names that differ by case are one file
        if key in seen:
            faults.append(
                Fault(
                    "LOT-004",
                    Place(file=str(task.output)),
                    read=f"« {seen[key]} » et « {task.name} »",
                    expected="un document par territoire",
                    fix="renommez l'un des deux dossiers",
                )
            )
        seen[key] = task.name
    if faults:
        raise EvalkitError(faults)
    return Plan(tasks)
