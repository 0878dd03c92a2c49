"""Lists of neighbourhoods, contracts, communes and intercommunalities, as ANCT, IGN and INSEE publish them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalkit.errors import EvalkitError, Fault, Place
from evalkit.loaders.open_data_geometry import Polygon, polygons_of
from evalkit.loaders.open_data_text import PublishedTable, read_json, read_table

_QPV_CODE = re.compile(r"^Q[PN]\d{2}[0-9AB][0-9A-Z]{3}$")
_TYPES = (
    (re.compile(r"m[ée]tropole", re.I), "metropole"),
    (re.compile(r"^(CU|communaut[ée] urbaine)\b", re.I), "communaute_urbaine"),
    (re.compile(r"^(CA|communaut[ée] d['’]agglom[ée]ration)\b", re.I), "communaute_agglomeration"),
    (re.compile(r"^(CC|communaut[ée] de communes)\b", re.I), "communaute_de_communes"),
)


@dataclass(frozen=True)
class QpvEntry:
    """A neighbourhood of a published list. Codes as text, zeros restored; ``contrats``: codes of its contract(s)."""

    code: str
    nom: str
    departement: str = ""
    insee_communes: tuple[str, ...] = ()
    communes: tuple[str, ...] = ()
    sirens: tuple[str, ...] = ()
    contrats: tuple[str, ...] = ()


@dataclass(frozen=True)
class QpvList:
    """Neighbourhoods of one file, its layout (``derivee`` gives the contract, ``anct`` does not) and what was repaired."""

    fichier: str
    quartiers: tuple[QpvEntry, ...]
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Contract:
    """A contract. ``siren``: the intercommunality's, or an INSEE code of 5 characters for a commune alone.

    ``pop``: population as published: of its neighbourhoods in the list of 2015, something else in that of 2024.
    """

    code: str
    siren: str
    nom: str
    departement: str
    type: str
    generation: str
    pop: int | None = None
    libelle_publie: str = ""

    @property
    def key(self) -> str:
        """Unique key: code and SIREN, since a code may have been used twice."""
        return f"{self.code}|{self.siren}"


@dataclass(frozen=True)
class ContractList:
    """Contracts of one file, and what was found odd."""

    fichier: str
    contrats: tuple[Contract, ...]
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class CommuneShape:
    """A commune and its outline."""

    code: str
    nom: str
    polygons: tuple[Polygon, ...]


@dataclass(frozen=True)
class Perimeter:
    """Perimeter of a contract, with the number of its communes when given."""

    code: str
    siren: str
    nom: str
    n_communes: int | None
    polygons: tuple[Polygon, ...]


@dataclass(frozen=True)
class Register:
    """Commune (INSEE code) -> intercommunality (SIREN), with the names, and the edition's file."""

    fichier: str
    epci: dict[str, str]
    communes: dict[str, str]

    def members(self, siren: str) -> int:
        """Number of communes of an intercommunality; 0 when it is not in this register."""
        return sum(value == siren for value in self.epci.values())


def read_qpv_list(path: Path | str) -> QpvList:
    """Read a list of neighbourhoods, with or without contracts.

    Lost leading zeros are restored (DON-076, a warning), cells that hold several communes are split, blank rows dropped.

    Raises
    ------
    EvalkitError
        DON-073 (no code column), DON-063 (unknown code), DON-086, DON-070.
    """
    file = Path(path)
    table, faults = read_table(file)
    if table is None:
        raise EvalkitError(faults)
    if table.index("code_qp") is None:
        raise EvalkitError([_no_code_column(file, table)])
    restored: list[tuple[int, str]] = []
    entries, bad = [], []
    for line, row in table.rows:
        cells = _Cells(table, row)
        code = cells.text("code_qp").upper()
        if not _QPV_CODE.match(code):
            bad.append(_bad_code(file, line, code))
            continue
        entries.append(_entry(code, cells, line, restored))
    if bad:
        raise EvalkitError(bad)
    warnings = [*table.faults, *([_restored(file, restored)] if restored else [])]
    return QpvList(file.name, tuple(entries), tuple(warnings))


class _Cells:
    def __init__(self, table: PublishedTable, row: tuple[str, ...]) -> None:
        self.table, self.row = table, row

    def text(self, name: str) -> str:
        position = self.table.index(name)
        return self.row[position] if position is not None and position < len(self.row) else ""

    def many(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.text(name).split(";") if part.strip())


def _entry(code: str, cells: _Cells, line: int, restored: list[tuple[int, str]]) -> QpvEntry:
    insee = tuple(part.zfill(5) for part in cells.many("insee_com"))
    department = cells.text("insee_dep").zfill(2) if cells.text("insee_dep") else ""
    changed = [old for old in (*cells.many("insee_com"),) if len(old) < 5] + (
        [cells.text("insee_dep")] if cells.text("insee_dep") and len(cells.text("insee_dep")) < 2 else []
    )
    restored += [(line, old) for old in changed]
    return QpvEntry(
        code,
        cells.text("lib_qp"),
        department,
        insee,
        cells.many("lib_com"),
        cells.many("siren_epci"),
        cells.many("code_cv"),
    )


def _no_code_column(file: Path, table: PublishedTable) -> Fault:
    return Fault(
        "DON-073",
        Place(str(file), line=1),
        "les colonnes " + ", ".join(header for header in table.headers[:8] if header),
        "une colonne « code_qp »",
        "reprenez la liste publiée (listeqp2024…), sans renommer ses colonnes",
    )


def _bad_code(file: Path, line: int, code: str) -> Fault:
    return Fault(
        "DON-063",
        Place(str(file), line=line, column="code_qp"),
        f"« {code[:40]} »",
        "un code QP et six chiffres (2015), ou QN et six caractères (2024)",
        "reprenez la ligne du fichier publié",
    )


def _restored(file: Path, restored: list[tuple[int, str]]) -> Fault:
    line, first = restored[0]
    return Fault(
        "DON-076",
        Place(str(file), line=line),
        f"{len(restored)} code(s) sans leur zéro initial, comme « {first} »",
        "des codes Insee de cinq caractères, des départements de deux",
        "rien à faire : les zéros ont été remis ; pour l'éviter, importez ces colonnes comme du texte dans le tableur",
    )


def read_features(path: Path | str) -> list[dict[str, Any]]:
    """Features of a GeoJSON file; DON-072 when it is broken or is not a collection of features."""
    document, faults = read_json(Path(path))
    if faults:
        raise EvalkitError(faults)
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or not all(isinstance(f, dict) and "properties" in f for f in features):
        raise EvalkitError(
            [
                Fault(
                    "DON-072",
                    Place(str(path)),
                    "un document sans liste « features »",
                    "un fichier GeoJSON de type FeatureCollection",
                    "reprenez le fichier publié",
                )
            ]
        )
    return features


def read_contracts(path: Path | str) -> ContractList:
    """Read the list of contracts of 2015 (codes ``CV…``) or 2024 (``CN…``).

    A code used twice is told apart by its SIREN (DON-087, a warning).

    Raises
    ------
    EvalkitError
        DON-072.
    """
    file = Path(path)
    contracts = [_contract(feature["properties"]) for feature in read_features(file)]
    contracts.sort(key=lambda item: (item.departement, item.code, item.siren))
    faults = []
    for code in sorted({item.code for item in contracts}):
        same = [item for item in contracts if item.code == code]
        if len(same) > 1:
            faults.append(
                Fault(
                    "DON-087",
                    Place(str(file), note=code),
                    f"« {code} » pour " + " et ".join(f"{item.nom} (SIREN {item.siren})" for item in same),
                    "un code par contrat",
                    "rien à faire : les deux sont distingués par leur SIREN ; signalez l'erreur à l'éditeur",
                )
            )
    return ContractList(file.name, tuple(contracts), tuple(faults))


def _contract(properties: dict[str, Any]) -> Contract:
    label = str(properties.get("lib_cv") or "").strip()
    code = str(properties.get("code_cv") or "").strip()
    siren = str(properties.get("codgeo") or "").strip()
    pop = properties.get("pop")
    name = re.sub(r"\s*\[.*?\]\s*$", "", re.sub(r"^\d[0-9AB]\d?\s*-\s*", "", label)).strip()
    return Contract(
        code,
        siren,
        name or code,
        str(properties.get("insee_dep") or "").zfill(2),
        _type_of(name, siren),
        "2024" if code.startswith("CN") else "2015",
        None if pop is None else round(float(pop)),
        label,
    )


def _type_of(name: str, siren: str) -> str:
    if len(siren) == 5:
        return "commune"
    return next((kind for pattern, kind in reversed(_TYPES) if pattern.search(name)), "")


def read_communes(path: Path | str) -> list[CommuneShape]:
    """Read the outlines of communes (``code``, ``nom``)."""
    return [
        CommuneShape(
            str(f["properties"]["code"]).zfill(5),
            str(f["properties"]["nom"]),
            tuple(polygons_of(f.get("geometry") or {})),
        )
        for f in read_features(path)
    ]


def read_perimeters(path: Path | str) -> list[Perimeter]:
    """Read the perimeters of the contracts of 2015 (``id``, ``siren``, ``nbcom``)."""
    return [
        Perimeter(
            str(f["properties"].get("id") or ""),
            str(f["properties"].get("siren") or ""),
            str(f["properties"].get("lib") or ""),
            f["properties"].get("nbcom"),
            tuple(polygons_of(f.get("geometry") or {})),
        )
        for f in read_features(path)
    ]


def read_register(path: Path | str) -> Register:
    """Read a register of intercommunalities: INSEE's CSV (``CODGEO;LIBGEO;EPCI…``) or a list with members (JSON).

    Raises
    ------
    EvalkitError
        DON-072, DON-086, DON-062 (columns ``CODGEO`` and ``EPCI`` not found).
    """
    file = Path(path)
    if file.suffix.lower() == ".json":
        return _register_of(file, _json_members(file))
    table, faults = read_table(file)
    if table is None:
        raise EvalkitError(faults)
    if table.index("CODGEO") is None or table.index("EPCI") is None:
        raise EvalkitError(
            [
                Fault(
                    "DON-062",
                    Place(str(file), line=1),
                    "un fichier sans colonnes CODGEO et EPCI",
                    "le registre des intercommunalités de l'Insee",
                    "reprenez le fichier publié, sans renommer ses colonnes",
                )
            ]
        )
    cells = (_Cells(table, row) for _, row in table.rows)
    return _register_of(file, ((c.text("CODGEO").zfill(5), c.text("LIBGEO"), c.text("EPCI")) for c in cells))


def _json_members(file: Path) -> Iterable[tuple[str, str, str]]:
    document, faults = read_json(file)
    if faults:
        raise EvalkitError(faults)
    return ((m["code"], m["nom"], epci["code"]) for epci in document for m in epci.get("membres", []))


def _register_of(file: Path, rows: Iterable[tuple[str, str, str]]) -> Register:
    listed = list(rows)
    return Register(
        file.name, {code: epci for code, _, epci in listed if epci}, {code: name for code, name, _ in listed}
    )
