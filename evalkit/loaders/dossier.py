"""The folder of a territory (or its lone workbook) -> :class:`~evalkit.model.dossier.Dossier`, with every fault at once."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.errors import EvalkitError, Fault, Place, only_errors, only_warnings
from evalkit.loaders import dossier_checks as checks
from evalkit.loaders.cells import TURNING, Vocabulary
from evalkit.loaders.coverage import missing_from_report
from evalkit.loaders.files_beside import place_of
from evalkit.loaders.fingerprint import ensure_key, fingerprint, key_path, read_key
from evalkit.loaders.grids import Grid, Workbook, normalise, read_csv, read_workbook
from evalkit.loaders.logo import read_logo
from evalkit.loaders.pydantic_faults import nearest
from evalkit.loaders.regional_reference import wrong_reference
from evalkit.loaders.survey_personal import reaches_somebody
from evalkit.loaders.survey_store import Surveys, leave_out, read_dossier_surveys
from evalkit.loaders.surveys import lexicons_of
from evalkit.loaders.tables import TableReading, frame_of, known_headers, read_table, vocabulary
from evalkit.loaders.territory import (
    CAMPAGNE_KEYS,
    CODES,
    DEPARTEMENT,
    WORKBOOK_CAMPAGNE,
    Facts,
    build_territory,
    from_sheet,
    from_yaml,
    quarters_from_sheet,
    read_campagne,
    read_keys,
)
from evalkit.loaders.yaml_files import read_yaml
from evalkit.model.dossier import DISPLAY_SHEETS, TABLES, Dossier
from evalkit.model.referentiel import Referentiel
from evalkit.model.territory import Campagne, Territory

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "DossierCheck",
    "check_dossier",
    "departement_of",
    "ensure_key",
    "key_path",
    "left_aside",
    "list_dossiers",
    "load_campagne",
    "load_dossier",
    "territory_of",
]
WORKBOOK_NAME = "evaluation.xlsx"
TERRITORY_FILE = "territoire.yml"
CAMPAGNE_FILE = "campagne.yml"
CONTEXT_FILE = "contexte.parquet"
VERSION_PROPERTY = "evalkit_referentiel"
NOT_DOSSIERS = frozenset({"contexte_source", "enquetes", "sorties", "textes", "__pycache__"})
_SHEETS = (*TABLES, "territoire", "qpv")
_OTHER_FILES = frozenset({TERRITORY_FILE, WORKBOOK_NAME, CONTEXT_FILE, CAMPAGNE_FILE, "local.yml", "travail.xlsx"})
_OLD_WORKBOOKS = (".xls", ".ods", ".xlsm", ".xlsb")


@dataclass(frozen=True)
class DossierCheck:
    """What a check found: faults that block, doubtful points, and what the report will lack (French lines)."""

    faults: tuple[Fault, ...]
    manques: tuple[str, ...]


@dataclass
class _Reading:
    """A dossier being read."""

    path: Path
    referentiel: Referentiel
    faults: list[Fault] = field(default_factory=list)
    workbook: Workbook | None = None
    sheets: dict[str, Grid] = field(default_factory=dict)
    csv_files: dict[str, Path] = field(default_factory=dict)
    campagne: Campagne | None = None
    territory: Territory | None = None
    words: Vocabulary = field(default_factory=Vocabulary)
    tables: dict[str, TableReading] = field(default_factory=dict)
    precedents: pd.DataFrame | None = None

    @property
    def is_folder(self) -> bool:
        return self.path.is_dir()

    @property
    def name(self) -> str:
        return self.path.name if self.is_folder else self.path.stem

    def show(self, path: Path) -> str:
        """Name of a file in messages: from the dossier's own name on."""
        return f"{self.path.name}/{path.relative_to(self.path).as_posix()}" if self.is_folder else self.path.name

    def attempt(self, action: Any, *args: Any) -> Any:
        """Run one step; its faults join the others and the reading goes on."""
        try:
            return action(*args)
        except EvalkitError as error:
            self.faults += error.faults
            return None


# --- campaigns ----------------------------------------------------------------------------------------------------------


def load_campagne(path: str | Path) -> Campagne:
    """Read ``campagne.yml`` of a campaign folder.

    Raises
    ------
    EvalkitError
        Every fault of the file (``DON-…``).
    """
    return read_campagne(Path(path))


def list_dossiers(campagne_path: str | Path) -> list[Path]:
    """Dossiers of a campaign, by name: its visible sub-folders, and the lone workbooks beside them."""
    found = []
    for item in sorted(Path(campagne_path).iterdir()):
        if item.name.startswith((".", "~", "_")):
            continue
        if (item.is_dir() and item.name not in NOT_DOSSIERS and _looks_like_dossier(item)) or (
            item.is_file() and item.suffix.lower() == ".xlsx" and item.name != "travail.xlsx"
        ):
            found.append(item)
    return found


def left_aside(campagne_path: str | Path) -> list[str]:
    """Visible sub-folders of a campaign that hold files and are not taken for dossiers: most often a file badly named."""
    taken = {path.name for path in list_dossiers(campagne_path)}
    return [
        item.name
        for item in sorted(Path(campagne_path).iterdir())
        if item.is_dir() and not item.name.startswith((".", "~", "_")) and item.name not in {*taken, *NOT_DOSSIERS}
    ]


def _looks_like_dossier(folder: Path) -> bool:
    """An empty folder, or one with a file that bears (nearly) the name of a table, of the workbook or of the identity."""
    names = (*TABLES, "territoire", "evaluation")
    files = [item for item in folder.iterdir() if item.is_file() and not item.name.startswith((".", "~"))]
    stems = [normalise(file.stem) for file in files]
    return not any(folder.iterdir()) or any(stem in names or bool(nearest(stem, names)) for stem in stems)


def departement_of(path: Path, referentiel: Referentiel) -> str:
    """Department of a territory, folder or workbook; "" when its identity cannot be read, or gives no department's code.

    Only the identity is read: a dossier that is faulty elsewhere has a department all the same.
    """
    try:
        stated = territory_of(path, referentiel).departement
    except EvalkitError:
        return ""
    return stated if DEPARTEMENT.match(stated) else ""


def territory_of(path: Path, referentiel: Referentiel) -> Territory:
    """Identity of a territory. Only the identity is read.

    Raises
    ------
    EvalkitError
        It cannot be read.
    """
    reading = _Reading(place_of(path), referentiel)
    _inventory(reading)
    _read_campagne(reading)
    _read_territory(reading)
    if reading.territory is None:
        raise EvalkitError(_ordered(reading.faults))
    return reading.territory


# --- a dossier ----------------------------------------------------------------------------------------------------------


def load_dossier(
    path: str | Path, referentiel: Referentiel, *, with_reference: bool = True, sans_enquete: Sequence[str] = ()
) -> Dossier:
    """Read one territory.

    Parameters
    ----------
    path
        Folder of a territory inside its campaign, or a lone ``.xlsx``.
    referentiel
        The framework that codes are checked against.
    with_reference
        Read the frozen regional reference too. A synthesis has no use of it, and must not be stopped by a damaged one:
        it is what makes the next.
    sans_enquete
        Codes of questionnaires to leave out, whatever their files hold, and exports that answer none, ``brut/nom.csv``
        (``enquetes_ecartees`` says why).

    Returns
    -------
    Dossier
        Tables as declared in ``model.dossier``; warnings in ``avertissements``; ``empreinte`` is "" without a key.

    Raises
    ------
    EvalkitError
        Every fault of every file of the dossier, warnings included.
    """
    reading = _read(Path(path), referentiel)
    dossier = _assemble(reading, with_reference=with_reference, sans_enquete=sans_enquete)
    if dossier is None or only_errors(reading.faults):
        raise EvalkitError(_ordered(reading.faults))
    return dossier


def check_dossier(path: str | Path, referentiel: Referentiel) -> DossierCheck:
    """Every fault and doubtful point of a dossier, and what its report will lack. Raises nothing about the data."""
    reading = _read(Path(path), referentiel)
    dossier = _assemble(reading)
    places = [fault.place for fault in only_errors(reading.faults)]
    refused = frozenset(name for place in places for name in TABLES if name in (place.sheet, Path(place.file).stem))
    if any("/enquetes/" in place.file for place in places):
        refused |= {"enquetes"}
    manques = missing_from_report(dossier, referentiel, checks.not_applicable, refused) if dossier else ()
    return DossierCheck(tuple(_ordered(reading.faults)), manques)


def _ordered(faults: list[Fault]) -> list[Fault]:
    """Errors first; in each, as read; no message twice."""
    unique = list(dict.fromkeys(faults))
    return only_errors(unique) + only_warnings(unique)


def _read(path: Path, referentiel: Referentiel) -> _Reading:
    if path.is_file() and path.name == WORKBOOK_NAME and (path.parent / TERRITORY_FILE).is_file():
        path = path.parent
    path = place_of(path)
    reading = _Reading(path, referentiel)
    if not path.exists():
        fix = "vérifiez le chemin"
        reading.faults.append(Fault("DON-027", Place(str(path)), "rien à cet endroit", "un dossier de territoire", fix))
        return reading
    _inventory(reading)
    _read_campagne(reading)
    _read_territory(reading)
    qpv = (*reading.territory.qpv, *reading.territory.qpv_anciens) if reading.territory else ()
    unread = reading.territory is None or any(fault.code == "DON-025" for fault in reading.faults)
    reading.words = vocabulary(referentiel, None if unread else qpv)
    for name in TABLES:
        reading.attempt(_read_one_table, reading, name)
    _check_together(reading)
    return reading


def _inventory(reading: _Reading) -> None:
    """List the files of the dossier: which hold a table, which bear a name nearly right, which are not read."""
    files = sorted(reading.path.iterdir()) if reading.is_folder else [reading.path]
    for file in files:
        if file.name.startswith((".", "~")):
            continue
        if file.is_dir():
            _say_folder(reading, file)
            continue
        stem, suffix = normalise(file.stem), file.suffix.lower()
        if not reading.is_folder or file.name.lower() == WORKBOOK_NAME:
            _open_workbook(reading, file)
        elif suffix == ".csv" and stem in TABLES:
            _keep_csv(reading, stem, file)
        elif suffix in _OLD_WORKBOOKS:
            if reading.attempt(read_workbook, file, reading.show(file)) is not None:
                _say_file(reading, file)
        elif not _is_expected(file) and suffix in (".csv", ".xlsx", ".yml", ".yaml"):
            _say_file(reading, file)
    if reading.workbook:
        _inventory_sheets(reading)


def _is_expected(file: Path) -> bool:
    """One of the files of a dossier; written in capitals, only where the system does not tell them apart."""
    name = file.name.lower()
    return name in _OTHER_FILES and (file.name == name or (file.parent / name).exists())


def _open_workbook(reading: _Reading, file: Path) -> None:
    if reading.workbook is not None:  # evaluation.xlsx and EVALUATION.xlsx, where the system tells them apart
        fix = "gardez le plus récent et retirez l’autre du dossier"
        place = Place(reading.show(file))
        read = f"un second classeur, à côté de {reading.workbook.file}"
        reading.faults.append(Fault("DON-011", place, read, "un seul classeur par dossier", fix))
        return
    reading.workbook = reading.attempt(read_workbook, file, reading.show(file))


def _keep_csv(reading: _Reading, name: str, file: Path) -> None:
    first = reading.csv_files.setdefault(name, file)
    if first is not file:
        _twice(reading, Place(reading.show(file)), name, first.name)


def _say_folder(reading: _Reading, folder: Path) -> None:
    """A folder that bears the name of a file of the dossier: what it stands for would be missing without a word."""
    name = folder.name.lower()
    if name in {f"{table}.csv" for table in TABLES} | {TERRITORY_FILE, WORKBOOK_NAME, "local.yml"}:
        fix = "renommez ce dossier, et mettez le fichier à sa place s’il est dedans"
        place = Place(reading.show(folder))
        reading.faults.append(
            Fault("DON-027", place, "un dossier qui porte le nom d’un fichier", f"un fichier {name}", fix)
        )


def _say_file(reading: _Reading, file: Path) -> None:
    expected_names = [f"{name}.csv" for name in TABLES] + [TERRITORY_FILE, WORKBOOK_NAME, "local.yml"]
    same_kind = [name for name in expected_names if Path(name).suffix[:4] == file.suffix.lower()[:4]]
    near = nearest(file.name.lower(), same_kind)
    if near and not (reading.path / near[2:-2]).exists():
        place, expected = Place(reading.show(file)), "un fichier au nom prévu : " + ", ".join(same_kind)
        reading.faults.append(Fault("DON-009", place, f"« {file.name} »", expected, f"renommez-le {near} ?"))
        return
    fix = "rien à faire si ce fichier n’est pas une table du dossier"
    reading.faults.append(Fault("DON-033", Place(reading.show(file)), "un fichier qui n’est pas lu", "", fix))


def _inventory_sheets(reading: _Reading) -> None:
    assert reading.workbook is not None
    for grid in reading.workbook.grids:
        name = normalise(grid.sheet)
        if name in DISPLAY_SHEETS:
            continue
        place = Place(grid.file, grid.sheet)
        if name in _SHEETS:
            if name in reading.sheets:
                _twice(reading, place, name, f"feuille « {reading.sheets[name].sheet} »")
            reading.sheets.setdefault(name, grid)
            continue
        if not any(cell is not None for row in grid.rows for cell in row):
            continue
        missing = [sheet for sheet in _SHEETS if sheet not in {normalise(g.sheet) for g in reading.workbook.grids}]
        near = nearest(name, missing)
        if near:
            reading.faults.append(
                Fault("DON-009", place, f"« {grid.sheet} »", f"une feuille nommée {near}", f"renommez-la {near} ?")
            )
        else:
            expected = "l’une de ces feuilles : " + ", ".join(_SHEETS)
            reading.faults.append(
                Fault("DON-033", place, "une feuille inconnue, non lue", expected, "rien à faire si elle est à vous")
            )


def _twice(reading: _Reading, place: Place, name: str, other: str) -> None:
    fix = "gardez la plus récente et retirez l’autre du dossier"
    reading.faults.append(
        Fault("DON-011", place, f"la table « {name} », déjà dans {other}", "chaque table une seule fois", fix)
    )


# --- identity -----------------------------------------------------------------------------------------------------------


def _read_campagne(reading: _Reading) -> None:
    parent = reading.path.parent
    if (parent / CAMPAGNE_FILE).is_file():
        reading.campagne = reading.attempt(read_campagne, parent)
        if reading.campagne:
            place = Place(f"{parent.name}/{CAMPAGNE_FILE}", note="referentiel_version")
            reading.faults += checks.check_version(reading.campagne.referentiel_version, reading.referentiel, place)
            place = Place(f"{parent.name}/{CAMPAGNE_FILE}", note="modules")
            reading.faults += checks.check_modules(reading.campagne.modules, reading.referentiel, place)
    elif reading.is_folder and "territoire" not in reading.sheets:
        place = Place(f"{parent.name}/{CAMPAGNE_FILE}")
        expected = "un fichier campagne.yml dans le dossier de la campagne"
        fix = "créez-le avec libelle, annee, date_reference et referentiel_version, ou copiez celui de sample_data, sans sa ligne « fictif »"
        reading.faults.append(Fault("DON-027", place, "fichier absent", expected, fix))
    if reading.workbook:
        place = Place(reading.workbook.file, note="propriété du classeur")
        stated = reading.workbook.properties.get(VERSION_PROPERTY, "")
        reading.faults += checks.check_version(stated, reading.referentiel, place)


def _read_territory(reading: _Reading) -> None:
    file = reading.path / TERRITORY_FILE if reading.is_folder else None
    sheet = reading.sheets.get("territoire")
    has_file = file is not None and file.is_file()
    if sheet is not None and _is_filled(sheet) and has_file and file is not None:
        _twice(reading, Place(sheet.file, sheet.sheet), "territoire", file.name)
    facts: Facts | None = None
    extra: dict[str, Any] = {}
    if has_file and file is not None:
        facts, faults = from_yaml(file, reading.show(file))
        reading.faults += faults
    elif sheet is not None:
        facts, extra = from_sheet(sheet)
    elif reading.workbook is not None or reading.is_folder:
        _no_territory(reading)
    if facts is None:
        return
    if reading.campagne is None and not (reading.path.parent / CAMPAGNE_FILE).is_file() and not has_file:
        _default_campagne(reading, facts, extra)
    fictif = str(facts.data.get("fictif", "")).strip().lower() in ("oui", "true")
    quarters = None
    if "qpv" in reading.sheets and "qpv" not in facts.data:
        generation = str(facts.data.get("generation", "2015"))
        quarters, faults = quarters_from_sheet(reading.sheets["qpv"], generation, fictif)
        reading.faults += faults
    modules = [module.code for module in reading.referentiel.modules]
    reading.territory = build_territory(facts, reading.name, reading.campagne, modules, quarters)
    reading.faults += facts.faults
    if reading.territory is not None and reading.territory.logo:
        folder = reading.path if reading.is_folder else reading.path.parent
        logo, faults = read_logo(folder, reading.territory.logo, facts.place(("logo",)))
        reading.territory = replace(reading.territory, logo=logo)
        reading.faults += faults


def _is_filled(sheet: Grid) -> bool:
    return any(len(row) > 1 and row[1] is not None and normalise(row[1]) != "valeur" for row in sheet.rows)


def _no_territory(reading: _Reading) -> None:
    where = reading.show(reading.path / TERRITORY_FILE) if reading.is_folder else reading.path.name
    expected = "un fichier territoire.yml, ou une feuille « territoire » dans evaluation.xlsx"
    if any(fault.code == "DON-009" and "territoire" in fault.fix for fault in reading.faults):
        return
    if any(fault.code == "DON-027" and fault.place.file.lower() == where.lower() for fault in reading.faults):
        return  # said: a folder bears that name
    workbooks = (".xlsx", *_OLD_WORKBOOKS)
    files = [fault.place.file.lower() for fault in only_errors(reading.faults) if not fault.place.cell]
    if any(name.endswith(workbooks) for name in files):
        return  # the identity may well be in the workbook that could not be opened: that is what must be mended
    fix = "créez le dossier avec « evalkit nouveau », ou copiez un territoire.yml de sample_data, sans sa ligne « fictif »"
    reading.faults.append(Fault("DON-024", Place(where), "pas d’identité du territoire", expected, fix))


def _default_campagne(reading: _Reading, facts: Facts, extra: Mapping[str, Any]) -> None:
    """Campaign of a lone workbook: the framework's version, and the year and date stated in its sheet."""
    keys = [key for key in CAMPAGNE_KEYS if key.name in WORKBOOK_CAMPAGNE]
    values = read_keys(facts, keys, extra)
    if len(values) < len(keys):
        return
    libelle = f"Évaluation {values['annee']}"
    reading.campagne = Campagne(
        code=str(values["annee"]), libelle=libelle, referentiel_version=reading.referentiel.version, **values
    )


# --- tables -------------------------------------------------------------------------------------------------------------


def _read_one_table(reading: _Reading, name: str) -> None:
    file, grid = reading.csv_files.get(name), reading.sheets.get(name)
    if file is not None:
        csv_grid, warnings = read_csv(file, reading.show(file), known_headers())
        reading.faults += warnings
        if grid is not None and _has_rows(read_table(grid, TABLES[name], reading.words)):
            _twice(reading, Place(grid.file, grid.sheet), name, file.name)
        grid = csv_grid
    if grid is None:
        return
    table = read_table(grid, TABLES[name], reading.words)
    checks.settle_levels(table)
    if name == "indicateurs":
        checks.settle_indicators(table, reading.referentiel)
    reading.tables[name] = table


def _has_rows(table: TableReading) -> bool:
    return bool(table.rows) or bool(only_errors(table.faults))


def _check_together(reading: _Reading) -> None:
    for name, table in reading.tables.items():
        checks.check_duplicates(table)
        if name == "cotations":
            checks.check_respondents(table)
        if reading.territory is not None:
            checks.check_use(table, reading.referentiel, reading.territory)
        if reading.campagne is not None and name in ("indicateurs", "actions"):
            checks.check_years(table, reading.campagne)
    if "constats" in reading.tables:
        checks.check_findings(reading.tables["constats"])
    if "actions" in reading.tables:
        checks.check_actions(reading.tables["actions"])
    _read_previous(reading)
    for table in reading.tables.values():
        reading.faults += table.faults


def _read_previous(reading: _Reading) -> None:
    """Findings of the same territory in the previous campaign; its own faults are not this dossier's."""
    campaign = reading.campagne.campagne_precedente if reading.campagne else ""
    if reading.campagne is None:
        return  # which campaign came before is not known: campagne.yml is to be mended first
    folder = reading.path.parent.parent / campaign / reading.path.name
    known = None
    if campaign and os.path.exists(folder):  # not Path.exists: a name far too long is only a folder that is not there
        previous = _Reading(folder, reading.referentiel, words=vocabulary(reading.referentiel))
        _inventory(previous)
        previous.attempt(_read_one_table, previous, "constats")
        table = previous.tables.get("constats")
        if table is not None:
            reading.precedents = frame_of(table.table, [row for row in table.rows if not row.broken])
        known = [] if reading.precedents is None else reading.precedents["id"].dropna().tolist()
        unread = only_errors([*previous.faults, *(table.faults if table else ())])
        if unread and not known and "suivis" in reading.tables:
            checks.tell_unread_findings(reading.tables["suivis"], f"{campaign}/{reading.path.name}")
            return
    if "suivis" in reading.tables:
        checks.check_followups(reading.tables["suivis"], known, campaign)


# --- the rest of the folder ---------------------------------------------------------------------------------------------


def _assemble(reading: _Reading, *, with_reference: bool = True, sans_enquete: Sequence[str] = ()) -> Dossier | None:
    """The dossier as far as it could be read; None without its identity or its campaign."""
    contexte = reading.attempt(_context, reading)
    reference = reading.attempt(_reference, reading) if with_reference else None
    textes = _texts(reading)
    local = _local(reading)
    surveys = _surveys(reading, sans_enquete)
    if reading.territory is None or reading.campagne is None:
        return None
    frames = {
        name: frame_of(table, reading.tables[name].rows if name in reading.tables else ())
        for name, table in TABLES.items()
        if not (name in reading.tables and only_errors(reading.tables[name].faults))
    }
    frames |= {name: frame_of(table, ()) for name, table in TABLES.items() if name not in frames}
    dossier = Dossier(
        territoire=reading.territory,
        campagne=reading.campagne,
        tables=frames,
        contexte=_empty_context() if contexte is None else contexte,
        precedents=frame_of(TABLES["constats"], ()) if reading.precedents is None else reading.precedents,
        reference=reference,
        textes=textes,
        local=local,
        avertissements=tuple(only_warnings(_ordered(reading.faults))),
        enquetes=surveys.frames,
        enquetes_import=surveys.infos,
        enquetes_ecartees=surveys.left_out,
    )
    key = read_key(reading.path)
    print_ = fingerprint(key, reading.territory, frames, textes, local, surveys.frames, surveys.infos)
    return replace(dossier, empreinte=print_)


def _surveys(reading: _Reading, sans_enquete: Sequence[str] = ()) -> Surveys:
    """Answers to the questionnaires: imported ones, and exports left in ``enquetes/brut/``; none of those left out."""
    if not (reading.path / "enquetes").is_dir() and not sans_enquete:
        return Surveys()
    lexicons = lexicons_of(reading.referentiel, reading.territory)
    found = read_dossier_surveys(reading.path, reading.name, lexicons, read_key(reading.path))
    leave_out(found, sans_enquete, reading.name)
    reading.faults += found.faults
    return found


def _empty_context() -> pd.DataFrame:
    from evalkit.loaders.open_data_context import CONTEXT_COLUMNS, context_frame

    return context_frame({name: [] for name in CONTEXT_COLUMNS})


def _context(reading: _Reading) -> pd.DataFrame:
    """Rows of the territory's QPV, from the dossier's own file else from the campaign's."""
    from evalkit.loaders.open_data_context import read_context, territory_context

    folders = [reading.path, reading.path.parent] if reading.is_folder else [reading.path.parent]
    file = next((folder / CONTEXT_FILE for folder in folders if (folder / CONTEXT_FILE).is_file()), None)
    if file is None or reading.territory is None:
        return _empty_context()
    codes = {qpv.code for qpv in (*reading.territory.qpv, *reading.territory.qpv_anciens)}
    return territory_context(read_context(file), codes, reading.territory.generation)


def _reference(reading: _Reading) -> Mapping[str, Any] | None:
    """The frozen regional reference that the campaign names."""
    name = reading.campagne.reference_regionale if reading.campagne else ""
    if not name:
        return None
    file = reading.path.parent / name
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise EvalkitError([_bad_reference(file, "un fichier absent ou abîmé")]) from error
    minimum = next((r.valeur for r in reading.referentiel.regles if r.code == "seuil_territoires"), 0)
    wrong = wrong_reference(content, minimum)  # type: ignore[arg-type]
    if wrong:
        raise EvalkitError([_bad_reference(file, wrong)])
    place = Place(f"{file.parent.name}/{file.name}", note="referentiel_version")
    faults = checks.check_version(content["referentiel_version"], reading.referentiel, place)
    if faults:
        fix = "figez la référence de nouveau (evalkit synthese --figer), ou retirez « reference_regionale » de campagne.yml"
        raise EvalkitError([replace(fault, fix=fix) for fault in faults])
    return content


def _bad_reference(file: Path, read: str) -> Fault:
    expected = "la référence écrite par « evalkit synthese --figer »"
    fix = "reprenez le fichier transmis, ou retirez « reference_regionale » de campagne.yml"
    return Fault("DON-042", Place(f"{file.parent.name}/{file.name}"), read, expected, fix)


def _texts(reading: _Reading) -> dict[str, str]:
    folder = reading.path / "textes"
    out = {}
    for file in sorted(folder.glob("*.md")) if reading.is_folder else []:
        try:
            out[file.stem] = TURNING.sub("", file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n"))
        except (OSError, UnicodeDecodeError):
            fix = "enregistrez ce texte en UTF-8"
            reading.faults.append(
                Fault("DON-028", Place(reading.show(file)), "un texte illisible", "un texte en UTF-8", fix)
            )
            continue
        reading.faults += persons_in(out[file.stem], reading.show(file))
    return out


def persons_in(text: str, shown: str) -> list[Fault]:
    """DON-051: a free text is published as it is; what it holds of a person is told by its line, never repeated."""
    fix = "remplacez le nom par la fonction, et retirez les coordonnées, sauf accord de la personne"
    return [
        Fault(
            "DON-051",
            Place(shown, line=number),
            "un nom de personne ou des coordonnées",
            "un texte que tous liront",
            fix,
        )
        for number, line in enumerate(text.splitlines(), start=1)
        if reaches_somebody(line)
    ]


def _local(reading: _Reading) -> Mapping[str, Any] | None:
    """``local.yml``: a list ``questions``, each with a code and a label, none of them a code of the framework."""
    file = reading.path / "local.yml"
    if not reading.is_folder or not file.is_file():
        return None
    shown = reading.show(file)
    document, faults = read_yaml(file, CODES, shown)
    reading.faults += faults
    if document is None:
        return None
    data = document.data if isinstance(document.data, dict) else {}
    questions = data.get("questions")
    if not isinstance(questions, list):
        fix = "écrivez questions:, puis un tiret par question avec code: et libelle:"
        place = Place(shown, line=1)
        reading.faults.append(
            Fault("DON-042", place, "pas de liste « questions »", "une liste de questions locales", fix)
        )
        return None
    known = {*reading.referentiel.questions_par_code, *reading.referentiel.sous_questions}
    own: set[str] = set()
    for rank, item in enumerate(questions):
        place = Place(shown, line=document.line(("questions", rank)))
        if not isinstance(item, dict) or not all(_is_label(item.get(name)) for name in ("code", "libelle")):
            fix = "ajoutez « code » et « libelle », chacun avec un texte"
            reading.faults.append(
                Fault("DON-042", place, "une question sans code ou sans libellé", "un code et un libellé", fix)
            )
        elif str(item["code"]) in known:
            fix = "choisissez un autre code, par exemple « LOCAL.1 »"
            reading.faults.append(
                Fault("DON-042", place, f"« {item['code']} », déjà dans le référentiel", "un code à vous", fix)
            )
        elif str(item["code"]) in own:
            fix = "donnez un code différent à chaque question"
            reading.faults.append(
                Fault("DON-042", place, f"« {item['code']} », déjà donné plus haut", "un code par question", fix)
            )
        else:
            own.add(str(item["code"]))
    return data


def _is_label(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip() != ""
