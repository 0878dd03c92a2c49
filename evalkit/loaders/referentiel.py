"""The framework's files -> one checked :class:`Referentiel`, or every fault of every file at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from evalkit.errors import EvalkitError, Fault, Place, only_errors
from evalkit.loaders.pydantic_faults import faults_of
from evalkit.loaders.referentiel_checks import check_links
from evalkit.loaders.referentiel_files import FILE_MODELS, ROOT_FILES
from evalkit.loaders.resources import resource_dir
from evalkit.loaders.yaml_files import YamlFile, read_yaml
from evalkit.model.referentiel import Module, Question, Referentiel
from evalkit.model.survey import Enquete


@dataclass
class _Reading:
    """What was read so far: files by displayed name, validated objects, faults."""

    root: Path
    files: dict[str, YamlFile] = field(default_factory=dict)
    objects: dict[str, BaseModel] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def show(self, path: Path) -> str:
        """Name printed in messages: from the framework's own folder on."""
        return f"{self.root.name}/{path.relative_to(self.root).as_posix()}"

    def read(self, relative: str, kind: str) -> None:
        """Read one file and validate it against the model of its kind."""
        path = self.root / relative
        shown = self.show(path)
        document, faults = read_yaml(path, shown=shown)
        self.faults += faults
        if document is None:
            return
        self.files[relative] = document
        try:
            self.objects[relative] = FILE_MODELS[kind].model_validate(document.data)
        except ValidationError as error:
            self.faults += faults_of(error, FILE_MODELS[kind], document, shown)


def load_referentiel(path: Path | None = None) -> Referentiel:
    """Read and check the framework.

    Parameters
    ----------
    path
        Folder ``referentiel/``; by default the one of the checkout or of the installed package.

    Raises
    ------
    EvalkitError
        Every fault (``REF-…``) of every file, with file and line.
    """
    root = (path or resource_dir("referentiel")).resolve()
    return _load_once(root, _state_of(root))


def _state_of(root: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Name, size and times of every file of a framework: unchanged, there is nothing to read again."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    stats = [(path, path.stat()) for path in files]
    return tuple((str(path), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for path, stat in stats)


@lru_cache(maxsize=2)
def _load_once(root: Path, state: tuple[tuple[str, int, int, int], ...]) -> Referentiel:
    """The framework of a folder, kept as long as its files stay as they are (``state``). It is frozen: sharing it is safe."""
    reading = _read(root)
    if only_errors(reading.faults):
        raise EvalkitError(_sorted(reading.faults))
    return _assemble(reading)


def check_referentiel(path: Path | None = None) -> list[Fault]:
    """Every fault of the framework, in the order of files and lines; empty when it is sound."""
    return _sorted(_read(path).faults)


def _read(path: Path | None) -> _Reading:
    root = (path or resource_dir("referentiel")).resolve()
    reading = _Reading(root)
    if not root.is_dir():
        reading.faults.append(
            Fault(
                "REF-001",
                Place(str(path)),
                "dossier absent",
                "le dossier du référentiel, qui contient « referentiel.yml »",
                "vérifiez le chemin donné",
            )
        )
        return reading
    for name in ROOT_FILES:
        reading.read(f"{name}.yml", name)
    for module in _module_folders(reading):
        _read_module(reading, module)
    _read_surveys(reading)
    reading.faults += check_links(reading.files, root.name)
    return reading


def _module_folders(reading: _Reading) -> list[str]:
    identity = reading.files.get("referentiel.yml")
    data = identity.data if identity else None
    names = data.get("modules") if isinstance(data, dict) else None
    return list(dict.fromkeys(name for name in names if isinstance(name, str))) if isinstance(names, list) else []


def _read_module(reading: _Reading, module: str) -> None:
    folder = reading.root / "modules" / module
    if not folder.is_dir():  # said by check_links, with the line of referentiel.yml
        return
    reading.read(f"modules/{module}/module.yml", "module")
    _refuse_yaml(reading, folder)
    for path in _question_files(folder):
        reading.read(f"modules/{module}/{path.name}", "question")


def _read_surveys(reading: _Reading) -> None:
    """Questionnaires, in the order of their file names; a framework may have none."""
    folder = reading.root / "enquetes"
    _refuse_yaml(reading, folder)
    for path in sorted(folder.glob("*.yml")):
        reading.read(f"enquetes/{path.name}", "enquete")


def _refuse_yaml(reading: _Reading, folder: Path) -> None:
    """A file with the other ending is said, never left out in silence."""
    for path in sorted(folder.glob("*.yaml")):
        place = Place(reading.show(path))
        expected = "un fichier dont le nom finit par « .yml »"
        reading.faults.append(Fault("REF-001", place, f"« {path.name} »", expected, f"renommez-le « {path.stem}.yml »"))


def _question_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.yml") if path.name != "module.yml")


def _sorted(faults: list[Fault]) -> list[Fault]:
    unique = {(fault.code, str(fault.place), fault.read): fault for fault in faults}
    return sorted(unique.values(), key=lambda fault: (fault.place.file, fault.place.line or 0, fault.code, fault.read))


def _assemble(reading: _Reading) -> Referentiel:
    """The whole framework from validated files (nothing is read nor checked again)."""
    root: dict[str, Any] = {name: reading.objects[f"{name}.yml"] for name in ROOT_FILES}
    identity = root["referentiel"]
    return Referentiel(
        **{name: getattr(identity, name) for name in type(identity).model_fields if name != "modules"},
        modules=tuple(_module(reading, name) for name in identity.modules),
        echelle=root["echelles"],
        groupes=root["acteurs"].groupes,
        collectes=root["acteurs"].collectes,
        unites=root["unites"].unites,
        sources=root["sources"].sources,
        regles=root["regles"].regles,
        contexte=root["contexte"].contexte,
        enquetes=tuple(document for document in reading.objects.values() if isinstance(document, Enquete)),
    )


def _module(reading: _Reading, name: str) -> Module:
    prefix = f"modules/{name}/"
    header = reading.objects[f"{prefix}module.yml"]
    questions = [
        document
        for relative, document in reading.objects.items()
        if relative.startswith(prefix) and isinstance(document, Question)
    ]
    return Module(**{key: getattr(header, key) for key in type(header).model_fields}, questions=tuple(questions))
