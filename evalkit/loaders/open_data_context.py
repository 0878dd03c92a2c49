"""INSEE's files by priority neighbourhood -> one long table (DESIGN §9), nothing guessed, nothing lost in silence."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from evalkit.errors import EvalkitError, Fault, Place, only_errors, only_warnings
from evalkit.loaders.open_data_dictionary import ContextDictionary, Theme, Variable, load_context_dictionary
from evalkit.loaders.open_data_text import FaultList, PublishedTable, read_number, read_table

CONTEXT_COLUMNS: dict[str, str] = {
    "qpv": "code of the neighbourhood, or « Ensemble » (the publisher's national row, rounded)",
    "theme": "DEMO, REVN, IPRO",
    "variable": "publisher's name",
    "indicateur": "CTX.n, NaN when the variable feeds no context indicator",
    "valeur": "number, NaN when silent",
    "unite": "code of unites.yml, NaN for an unknown variable",
    "silence": "secret, non_significatif, non_disponible, NaN when there is a value",
    "edition": "year of the file's name, text",
    "annee_reference": "year the value describes, NaN when not known",
    "geographie": "2015 or 2024",
    "source": "publisher, theme, edition and file",
}
KEY = ("qpv", "theme", "variable", "edition")
NATIONAL_ROW = "Ensemble"
_SILENCES = ("secret", "non_significatif", "non_disponible")
_NAME = re.compile(r"(?<![A-Z])([A-Z]{4})_(20\d\d)(?!\d)")
_YEAR = re.compile(r"(?<!\d)(20[12]\d)(?!\d)")
_QPV = {
    "2015": re.compile(r"^QP\d{2}[0-9AB]\d{3}$"),
    "2024": re.compile(r"^QN\d{2}[0-9AB]\d{2}[A-Z]$"),
    "fictif": re.compile(r"^QF[0-9A-Z]{4,8}$"),
}


@dataclass(frozen=True)
class ContextFile:
    """What one file gave."""

    fichier: str
    theme: str
    edition: str
    n_quartiers: int
    n_valeurs: int
    n_silences: int
    ensemble: bool
    inconnues: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    colonnes_sans_nom: int = 0


@dataclass(frozen=True)
class ContextImport:
    """What was read: ``frame`` (:data:`CONTEXT_COLUMNS`, sorted, one row per key), the neighbourhoods' names, the faults.

    ``quartiers``: ``qpv, nom, communes, edition, fichier`` (text, NaN when the file does not give it).
    """

    frame: pd.DataFrame
    quartiers: pd.DataFrame
    fichiers: tuple[ContextFile, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def errors(self) -> list[Fault]:
        """Faults that block."""
        return only_errors(self.faults)

    @property
    def warnings(self) -> list[Fault]:
        """Faults that are said."""
        return only_warnings(self.faults)

    def checked(self) -> ContextImport:
        """Itself, or every fault raised at once when one of them blocks."""
        if self.errors:
            raise EvalkitError(list(self.faults))
        return self

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {
            "n_lignes": len(self.frame),
            "n_quartiers": int(self.frame.loc[self.frame["qpv"] != NATIONAL_ROW, "qpv"].nunique()),
            "fichiers": [
                {**vars(item), "inconnues": list(item.inconnues), "notes": list(item.notes)} for item in self.fichiers
            ],
            "messages": [fault.as_dict() for fault in self.faults],
        }

    def report(self) -> str:
        """A few readable lines."""
        lines = [f"{len(self.frame)} lignes lues dans {len(self.fichiers)} fichier(s)."]
        for item in self.fichiers:
            lines.append(
                f"- {item.fichier} : thème {item.theme}, édition {item.edition}, {item.n_quartiers} quartiers, "
                f"{item.n_valeurs} valeurs, {item.n_silences} cellules vides ou sous secret (l'éditeur ne distingue pas)"
                + (", ligne nationale « Ensemble » gardée à part" if item.ensemble else "")
                + (f", variables inconnues : {', '.join(item.inconnues)}" if item.inconnues else "")
            )
        return "\n".join([*lines, *(str(fault) for fault in self.faults if fault.code != "DON-083")])


@dataclass
class _Rows:
    """Growing columns of the long table, with where each row comes from."""

    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in CONTEXT_COLUMNS})
    places: dict[tuple[str, ...], tuple[str, int, str, int]] = field(default_factory=dict)  # file, line, column, row

    def append(self, values: Sequence[Any]) -> None:
        for column, value in zip(self.columns.values(), values, strict=True):
            column.append(value)

    def frame(self) -> pd.DataFrame:
        return context_frame(self.columns)


def context_frame(columns: dict[str, list[Any]] | None = None) -> pd.DataFrame:
    """A context table with its declared columns, dtypes and order; empty by default."""
    data = columns or {name: [] for name in CONTEXT_COLUMNS}
    frame = pd.DataFrame(
        {name: pd.Series(data[name], dtype="float64" if name == "valeur" else "str") for name in CONTEXT_COLUMNS}
    )
    return frame.sort_values(["geographie", "qpv", "theme", "edition", "variable"], kind="stable", ignore_index=True)


def read_context_files(
    paths: Iterable[Path | str], dictionary: ContextDictionary | None = None, *, fictif: bool = False
) -> ContextImport:
    """Read INSEE's files as published, whatever the region and the edition.

    Parameters
    ----------
    paths
        CSV files; theme and edition come from the name (``DEMO_2017_hdf.csv``) and from the columns.
    dictionary
        What the variables mean (the one shipped by default).
    fictif
        Accept invented codes (``QF…``), only for an invented campaign.

    Returns
    -------
    ContextImport
        With faults DON-060 to DON-071, 083, 084, 086. Nothing is raised: call :meth:`ContextImport.checked`.
    """
    known = dictionary or load_context_dictionary()
    rows, faults, files, names = _Rows(), [], [], []
    for path in sorted(map(Path, paths), key=lambda item: (item.name, str(item))):
        table, problems = read_table(path)
        faults += problems
        if table is None:
            continue
        reader = _FileReader(path, table, known, rows, fictif)
        reader.read()
        faults += reader.found()
        files += [reader.summary] if reader.summary else []
        names += reader.names
    quartiers = pd.DataFrame(names, columns=["qpv", "nom", "communes", "edition", "fichier"]).astype("str")
    return ContextImport(rows.frame(), quartiers, tuple(files), tuple(faults))


class _FileReader:
    """Reads one file into the shared rows."""

    def __init__(self, path: Path, table: PublishedTable, known: ContextDictionary, rows: _Rows, fictif: bool) -> None:
        self.path, self.table, self.known, self.rows, self.fictif = path, table, known, rows, fictif
        self.faults = FaultList()
        self.names: list[tuple[Any, ...]] = []
        self.summary: ContextFile | None = None
        self.repeats: dict[str, int] = {}
        self.n_values = self.n_silences = 0

    def found(self) -> tuple[Fault, ...]:
        """Faults of this file, the table's own first."""
        return (*self.table.faults, *self.faults.closed(str(self.path)))

    def fault(self, code: str, read: str, expected: str, fix: str, line: int | None = None, column: str = "") -> None:
        """Add a fault at a place of this file."""
        self.faults.add(Fault(code, Place(str(self.path), line=line, column=column), read, expected, fix))

    def read(self) -> None:
        """Recognise the file, then read every cell."""
        theme, edition = self._theme(), self._edition()
        if theme is None or edition is None:
            return
        code = self.table.index(theme.code)
        if code is None:
            self.fault(
                "DON-062",
                "aucune colonne « " + theme.code + " »",
                "le code du quartier dans une colonne " + theme.code,
                "reprenez le fichier publié, sans renommer ses colonnes",
                line=1,
            )
            return
        lines = self._codes(code)
        if lines is None:
            return
        self._read_names(theme, edition, lines)
        self._read_values(theme, edition, lines)

    def _theme(self) -> Theme | None:
        named = _NAME.search(self.path.name.upper())
        headers = {header.upper() for header in self.table.headers}
        seen = [t for t in self.known.themes if any(column in headers for column in t.colonnes_distinctives)]
        asked = self.known.par_theme.get(named[1]) if named else None
        if len(seen) > 1 or (asked and seen and seen[0] is not asked):
            self.fault(
                "DON-069",
                f"des colonnes de {' et '.join(t.theme for t in seen)}"
                + (f" dans un fichier nommé {named[1]}" if named else ""),
                "un seul thème par fichier, celui de son nom",
                "rendez à chaque fichier son nom d'origine, ou séparez les thèmes",
                line=1,
            )
            return None
        if seen:
            return seen[0]
        if asked and self.table.index(asked.code) is None:
            return asked  # the code column is missing: said by read()
        self.fault(
            "DON-060",
            "ni le nom ni les colonnes ne disent quel est ce fichier",
            f"un fichier d'un thème décrit : {', '.join(sorted(self.known.par_theme))}",
            "vérifiez le fichier ; un nouveau thème se décrit dans referentiel/contexte/",
        )
        return None

    def _edition(self) -> str | None:
        named = _NAME.search(self.path.name.upper())
        years = [named[2]] if named else sorted(set(_YEAR.findall(self.path.name)))
        if len(years) == 1:
            return years[0]
        self.fault(
            "DON-061",
            f"le nom « {self.path.name} »",
            "une année dans le nom, comme DEMO_2019.csv : c'est l'édition",
            "rendez au fichier son nom d'origine, ou ajoutez THÈME_ANNÉE au début",
        )
        return None

    def _codes(self, column: int) -> list[tuple[int, str, str, tuple[str, ...]]] | None:
        """Rows with a recognised code: line, code, geography, cells. ``None`` when two geographies are mixed."""
        out: list[tuple[int, str, str, tuple[str, ...]]] = []
        geographies: dict[str, int] = {}
        for line, row in self.table.rows:
            raw = row[column] if column < len(row) else ""
            code = NATIONAL_ROW if raw.lower() == NATIONAL_ROW.lower() else raw.upper()
            geography = "" if code == NATIONAL_ROW else geography_of(code, self.fictif)
            if geography is None:
                self.fault(
                    "DON-063",
                    f"« {raw[:40]} »",
                    "un code QP et six chiffres (2015), QN et six caractères (2024), ou « Ensemble »",
                    "reprenez la ligne du fichier publié ; les codes QF… ne valent que dans une campagne fictive",
                    line,
                    self.table.headers[column],
                )
                continue
            geographies.setdefault(geography, line)
            out.append((line, code, geography, row))
        found = sorted(g for g in geographies if g)
        if len(found) > 1:
            self.fault(
                "DON-071",
                f"des quartiers de {found[0]} et de {found[1]} (à partir de la ligne {max(geographies[g] for g in found)})",
                "une seule géographie par fichier : elles ne se comparent pas",
                "séparez les quartiers de 2015 (QP) et de 2024 (QN) en deux fichiers",
            )
            return None
        default = found[0] if found else "2015"
        return [(line, code, geography or default, row) for line, code, geography, row in out]

    def _read_names(self, theme: Theme, edition: str, lines: list[tuple[int, str, str, tuple[str, ...]]]) -> None:
        name, communes = self.table.index(theme.nom), self.table.index(theme.communes)
        for _, code, _, row in lines:
            if code != NATIONAL_ROW:
                texts = [row[i] or None if i is not None and i < len(row) else None for i in (name, communes)]
                self.names.append((code, *texts, edition, self.path.name))

    def _read_values(self, theme: Theme, edition: str, lines: list[tuple[int, str, str, tuple[str, ...]]]) -> None:
        reserved = {theme.code, theme.nom, theme.communes, *theme.notes}
        columns = [(i, h.upper()) for i, h in enumerate(self.table.headers) if h and h.upper() not in reserved]
        notes = tuple(sorted({h.upper() for h in self.table.headers if h} & set(theme.notes)))
        unknown = []
        for position, name in columns:
            variable = theme.par_nom.get(name)
            if variable is None and not self._unknown(position, name, lines):
                continue
            unknown += [name] if variable is None else []
            self._read_column(position, name, theme, variable, edition, lines)
        self._say_repeats()
        self._say_edition(theme, edition, [name for _, name in columns])
        codes = {code for _, code, _, _ in lines}
        self.summary = ContextFile(
            self.path.name,
            theme.theme,
            edition,
            len(codes - {NATIONAL_ROW}),
            self.n_values,
            self.n_silences,
            NATIONAL_ROW in codes,
            tuple(unknown),
            notes,
            self.table.n_unnamed,
        )

    def _unknown(self, position: int, name: str, lines: list[tuple[int, str, str, tuple[str, ...]]]) -> bool:
        """Say that a variable is unknown; tell whether it is made of numbers and can be kept."""
        numeric = all(read_number(_cell(row, position)).readable for _, _, _, row in lines)
        self.fault(
            "DON-067",
            f"la variable « {name} »",
            "une variable décrite dans referentiel/contexte/",
            "gardée telle quelle, sans libellé ni unité : décrivez-la pour qu'elle soit montrée"
            if numeric
            else "ce n'est pas un nombre : la colonne n'a pas été importée",
            line=1,
            column=name,
        )
        return numeric

    def _read_column(
        self,
        position: int,
        name: str,
        theme: Theme,
        variable: Variable | None,
        edition: str,
        lines: list[tuple[int, str, str, tuple[str, ...]]],
    ) -> None:
        year = variable.annee_reference.get(edition) if variable else None
        source = f"{theme.editeur}, {theme.libelle[0].lower() + theme.libelle[1:]} par quartier prioritaire, édition {edition} ({self.path.name})"
        for line, code, geography, row in lines:
            raw = _cell(row, position)
            cell = read_number(raw)
            if not cell.readable:
                self._unreadable(raw, line, name)
                continue
            place = (str(self.path), line, name, len(self.rows.columns["qpv"]))
            if self._repeated((code, theme.theme, name, edition), place, cell.value, cell.silence):
                continue
            self.n_silences += bool(cell.silence)
            self.n_values += not cell.silence
            indicator, unit = (variable.indicateur, variable.unite) if variable else (None, None)
            self.rows.append(
                (
                    code,
                    theme.theme,
                    name,
                    indicator,
                    cell.value,
                    unit,
                    cell.silence or None,
                    edition,
                    year,
                    geography,
                    source,
                )
            )

    def _unreadable(self, raw: str, line: int, name: str) -> None:
        self.fault(
            "DON-064",
            f"« {raw[:40]} »",
            "un nombre (12 345,6), une cellule vide, ou s, ns, nd",
            "corrigez cette cellule d'après le fichier publié ; le point et trois chiffres se lisent de deux façons",
            line,
            name,
        )

    def _repeated(self, key: tuple[str, ...], place: tuple[str, int, str, int], value: float, silence: str) -> bool:
        """Tell whether a key was already read; a differing repeat is a fault with both places."""
        first = self.rows.places.get(key)
        if first is None:
            self.rows.places[key] = place
            return False
        seen_value = self.rows.columns["valeur"][first[3]]
        seen_silence = self.rows.columns["silence"][first[3]] or ""
        if _same(seen_value, seen_silence, value, silence):
            self.repeats[first[0]] = self.repeats.get(first[0], 0) + 1
        else:
            self.fault(
                "DON-065",
                f"{_shown(value, silence)} ici, {_shown(seen_value, seen_silence)} dans {first[0]}, ligne {first[1]}, "
                f"colonne « {first[2]} » ({key[0]})",
                "une seule valeur par quartier, variable et édition",
                "gardez le bon fichier, ou corrigez son édition dans son nom",
                place[1],
                place[2],
            )
        return True

    def _say_repeats(self) -> None:
        for other, count in sorted(self.repeats.items()):
            self.fault(
                "DON-066",
                f"{count} valeurs déjà lues dans {other}, à l'identique",
                "un seul des deux fichiers suffit",
                "rien à faire : chaque valeur n'est gardée qu'une fois",
            )

    def _say_edition(self, theme: Theme, edition: str, names: Iterable[str]) -> None:
        known = [theme.par_nom[name] for name in names if name in theme.par_nom]
        others = sorted(variable.nom for variable in known if edition not in variable.editions)
        if others:
            self.fault(
                "DON-068",
                f"{len(others)} variable(s) que l'édition {edition} n'est pas décrite comme publiant ({', '.join(others[:4])}…)",
                f"une édition décrite : {', '.join(theme.editions)}",
                "leur sens est repris des éditions décrites, sans année de référence : vérifiez-le, puis complétez "
                "referentiel/contexte/",
            )


def geography_of(code: str, fictif: bool = False) -> str | None:
    """Geography of a code: ``2015``, ``2024``, ``None`` when it is not one. Invented codes (2015) only if ``fictif``."""
    if fictif and _QPV["fictif"].match(code):
        return "2015"
    return next((year for year in ("2015", "2024") if _QPV[year].match(code)), None)


def write_context(frame: pd.DataFrame, path: Path | str) -> list[Fault]:
    """Write ``contexte.parquet``, merged with what is already there.

    Parameters
    ----------
    frame
        A table of :data:`CONTEXT_COLUMNS`.
    path
        The file, or the folder that will hold ``contexte.parquet``.

    Returns
    -------
    list of Fault
        DON-066 when rows were already there, identical.

    Raises
    ------
    EvalkitError
        DON-065 (a row differs from the one there; both places), DON-085 (the file there is not a context table). The file
        is then left as it was.
    """
    target = Path(path) / "contexte.parquet" if Path(path).suffix != ".parquet" else Path(path)
    merged, warnings = _merge(read_context(target), frame, target) if target.exists() else (frame, [])
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.partiel")
    context_frame({name: list(merged[name]) for name in CONTEXT_COLUMNS}).to_parquet(temporary, index=False)
    os.replace(temporary, target)
    return warnings


def read_context(path: Path) -> pd.DataFrame:
    """Read a ``contexte.parquet``; DON-085 when it is damaged or has other columns."""
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise EvalkitError([_damaged(path, "un fichier abîmé")]) from error
    missing = [name for name in CONTEXT_COLUMNS if name not in frame.columns]
    if missing:
        raise EvalkitError([_damaged(path, f"un fichier sans colonne {', '.join(missing)}")])
    frame = frame[list(CONTEXT_COLUMNS)]
    wrong = _not_as_written(frame)
    if wrong:
        raise EvalkitError([_damaged(path, wrong)])
    return frame


def _not_as_written(frame: pd.DataFrame) -> str:
    """What in a context table evalkit never writes, "" when all is as it should be."""
    texts = [name for name in CONTEXT_COLUMNS if name != "valeur"]
    not_text = [n for n in texts if pd.api.types.infer_dtype(frame[n], skipna=True) not in ("string", "empty")]
    if not_text and len(frame):
        return f"autre chose que du texte dans la colonne {', '.join(not_text)}"
    values = frame["valeur"]
    if len(frame) and (not pd.api.types.is_float_dtype(values) or values.isin([math.inf, -math.inf]).any()):
        return "autre chose que des nombres dans la colonne valeur"
    if not frame["silence"].dropna().isin(_SILENCES).all():
        return "un silence inconnu dans la colonne silence"
    if frame[list(KEY)].isna().any(axis=None) or frame.duplicated(list(KEY)).any():
        return "des lignes sans clé, ou répétées"
    return ""


@lru_cache(maxsize=1)
def shipped_dictionary() -> ContextDictionary:
    """The dictionary of variables that evalkit ships, read once."""
    return load_context_dictionary()


def territory_context(
    frame: pd.DataFrame, quarters: Iterable[str], geographie: str, dictionary: ContextDictionary | None = None
) -> pd.DataFrame:
    """Rows of a territory's neighbourhoods, and the publisher's own comparison values.

    The national row is kept only where the file gives a value, for the contract's own geography, and for figures that can
    be compared (rates, medians, indices): a national count says nothing about a neighbourhood's.
    """
    known = dictionary or shipped_dictionary()
    comparable = {(t.theme, v.nom) for t in known.themes for v in t.variables if v.indicateur and not v.additive}
    mine = frame[frame["qpv"].isin(set(quarters))]
    national = frame[(frame["qpv"] == NATIONAL_ROW) & frame["valeur"].notna() & (frame["geographie"] == geographie)]
    keys = zip(national["theme"], national["variable"], strict=True)
    kept = national[[key in comparable for key in keys]]
    return pd.concat([mine, kept], ignore_index=True) if len(mine) and len(kept) else mine.reset_index(drop=True)


def _damaged(path: Path, read: str) -> Fault:
    return Fault(
        "DON-085",
        Place(str(path)),
        read,
        "un fichier écrit par « evalkit importer contexte »",
        "mettez ce fichier de côté, puis importez de nouveau les fichiers de l'Insee",
    )


def _merge(there: pd.DataFrame, new: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, list[Fault]]:
    old = {
        tuple(row[:4]): tuple(row[4:]) for row in there[[*KEY, "valeur", "silence", "source"]].itertuples(index=False)
    }
    conflicts, same, keep = FaultList(), 0, []
    for position, row in enumerate(new[[*KEY, "valeur", "silence", "source"]].itertuples(index=False)):
        found = old.get(tuple(row[:4]))
        keep += [position] if found is None else []
        if found is None:
            continue
        a, b = ("" if pd.isna(found[1]) else found[1]), ("" if pd.isna(row[5]) else row[5])
        if _same(found[0], a, row[4], b):
            same += 1
            continue
        conflicts.add(
            Fault(
                "DON-065",
                Place(str(path), note=f"{row[0]}, {row[2]}, édition {row[3]}"),
                f"{_shown(found[0], a)} ({found[2]}) et {_shown(row[4], b)} ({row[6]})",
                "une seule valeur par quartier, variable et édition",
                "gardez la bonne source ; pour repartir de zéro, mettez contexte.parquet de côté",
            )
        )
    if conflicts.faults:
        raise EvalkitError(list(conflicts.closed(str(path))))
    warnings = [_already_there(path, same)] if same else []
    added = new.iloc[keep]
    return (pd.concat([there, added], ignore_index=True) if len(added) else there), warnings


def _already_there(path: Path, count: int) -> Fault:
    return Fault(
        "DON-066",
        Place(str(path)),
        f"{count} valeurs déjà importées, à l'identique",
        "des valeurs nouvelles",
        "rien à faire : chaque valeur n'est gardée qu'une fois",
    )


def _cell(row: tuple[str, ...], position: int) -> str:
    return row[position] if position < len(row) else ""


def _same(value: float, silence: str, other: float, other_silence: str) -> bool:
    return silence == other_silence and (value == other or (math.isnan(value) and math.isnan(other)))


def _shown(value: float, silence: str) -> str:
    return f"« {silence or str(value).removesuffix('.0').replace('.', ',')} »"
