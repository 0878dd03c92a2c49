"""The tables of a dossier, read from CSV files or from the sheets of a workbook by one reader.

A :class:`TableReading` keeps, beside the values, the address of every cell, so that a check made later on a row can still
say where to look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from evalkit.errors import Fault, Place
from evalkit.loaders.cells import Read, Value, Vocabulary, as_text, forms, read_cell, show
from evalkit.loaders.grids import Grid, Raw, is_blank, normalise
from evalkit.loaders.pydantic_faults import nearest
from evalkit.model.dossier import HELP_COLUMN_PREFIX, TABLES, Column, Table

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.model.referentiel import Referentiel
    from evalkit.model.territory import Qpv

SEARCHED_ROWS = 30  # the line of headers stands among the first non-empty lines
_LONGEST_HEADER = 40
_NUMERIC = ("nombre", "effectif", "annee")
# Columns that the entry workbook fills in advance: a row that has nothing else was left to fill, and is not an answer.
_PREFILLED = {"arbitrages": ("sous_question",), "indicateurs": ("indicateur", "annee")}


@dataclass
class Row:
    """One row: values by column, and where it lies in its grid."""

    index: int
    values: dict[str, Value] = field(default_factory=dict)
    silences: dict[str, str] = field(default_factory=dict)  # column -> silence typed in place of a value
    broken: bool = False  # a cell of this row has a fault already said

    def text(self, name: str) -> str:
        """Text of a column, "" when empty."""
        value = self.values.get(name)
        return "" if value is None else str(value)

    def number(self, name: str) -> float | None:
        """Number of a column, None when empty."""
        value = self.values.get(name)
        return value if isinstance(value, float) else None


@dataclass
class TableReading:
    """What was read of one table."""

    table: Table
    grid: Grid
    columns: dict[str, int] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    known: dict[tuple[str, str], Read] = field(default_factory=dict)

    def place(self, row: Row, column: str = "") -> Place:
        """Address of a cell of a row, with the row's own key (never a confidential column)."""
        return self.grid.place(row.index, self.columns.get(column), column, note=self._key(row))

    def say(self, code: str, row: Row, column: str, read: str, expected: str, fix: str) -> None:
        """Add a fault about one cell."""
        self.faults.append(Fault(code, self.place(row, column), read, expected, fix))

    def raw(self, row: Row, column: str) -> str:
        """A cell quoted as it was typed."""
        index = self.columns.get(column)
        return "rien" if index is None else show(self.grid.at(row.index, index))

    def _key(self, row: Row) -> str:
        names = [name for name in (self.table.key or ("question",)) if name != "source"]
        texts = [as_text(row.values.get(name)) for name in names]
        return ", ".join(text for text in texts if text)


def known_headers() -> frozenset[str]:
    """Every header a dossier's table may have, in compared form."""
    return frozenset(normalise(column.name) for table in TABLES.values() for column in table.columns)


def vocabulary(referentiel: Referentiel, qpv: Iterable[Qpv] | None = ()) -> Vocabulary:
    """Codes that the cells of a dossier may name; ``qpv`` is None when the declared ones could not be read."""
    groups = {}
    for groupe in referentiel.groupes:
        groups.update(dict.fromkeys(map(normalise, (groupe.libelle, groupe.pluriel, groupe.court)), groupe.code))
    groups.update(forms(referentiel.groupes_par_code))
    codes = {
        "code_sous_question": forms(referentiel.sous_questions),
        "code_question": forms(referentiel.questions_par_code),
        "code_indicateur": forms(referentiel.indicateurs),
        "groupe": groups,
    }
    if qpv is not None:
        codes["codes_qpv"] = forms(item.code for item in qpv)
    return Vocabulary(codes)


def read_table(grid: Grid, table: Table, words: Vocabulary) -> TableReading:
    """Read one grid as one table: headers, rows, cells. Every fault and repair is in ``faults``; nothing is raised."""
    reading = TableReading(table, grid)
    header = _find_header(reading)
    if header is None:
        return reading
    _match_headers(reading, header)
    _tell_merged(reading, header)
    if any(fault.severity == "erreur" for fault in reading.faults):
        missing = [c for c in table.columns if c.required and c.name not in reading.columns]
        if missing:
            return reading
    for index in range(header + 1, len(grid.rows)):
        _read_row(reading, index, header, words)
    return reading


# --- headers ------------------------------------------------------------------------------------------------------------


def _find_header(reading: TableReading) -> int | None:
    """The line that names most columns, among the first ones."""
    names = {normalise(column.name) for column in reading.table.columns}
    required = {normalise(column.name) for column in reading.table.columns if column.required}
    best, best_score, seen = None, 0, 0
    for index, cells in enumerate(reading.grid.rows):
        texts = [normalise(cell) for cell in cells if isinstance(cell, str) and not is_blank(cell)]
        if not texts:
            continue
        exact = sum(text in names for text in texts)
        likely = (text for text in texts if len(text) <= _LONGEST_HEADER)
        score = 2 * exact + sum(text in names or bool(nearest(text, names)) for text in likely)
        if score > best_score:
            best, best_score = index, score
        if exact >= max(2, len(required)) and required <= set(texts):
            break  # every column that must be there is named: this is the line
        seen += 1
        if seen >= SEARCHED_ROWS:
            break
    if not any(not is_blank(cell) for cells in reading.grid.rows for cell in cells):
        return None  # an empty sheet: nothing was typed, nothing is wrong
    if best is None or best_score < 3:
        wanted = ", ".join(column.name for column in reading.table.columns)
        reading.faults.append(
            Fault(
                "DON-007",
                reading.grid.place(0),
                "aucune ligne qui ressemble à des titres de colonnes",
                f"une ligne de titres : {wanted}",
                "remettez la ligne de titres du classeur fourni par evalkit",
            )
        )
        return None
    above = [i for i in range(best) if any(not is_blank(cell) for cell in reading.grid.rows[i])]
    if above:
        reading.faults.append(
            Fault(
                "DON-031",
                reading.grid.place(above[0]),
                f"{len(above)} ligne{'s' if len(above) > 1 else ''} au-dessus des titres de colonnes",
                "les titres de colonnes sur la première ligne",
                "rien à faire : ces lignes sont laissées de côté",
            )
        )
    return best


def _match_headers(reading: TableReading, header: int) -> None:
    by_form = {normalise(column.name): column.name for column in reading.table.columns}
    missing = set(by_form.values())
    unknown: list[tuple[int, str]] = []
    for index, cell in enumerate(reading.grid.rows[header]):
        if is_blank(cell):
            _tell_unnamed(reading, header, index)
            continue
        text = str(cell).strip()
        if text.lower().replace("\u00a0", " ").startswith(HELP_COLUMN_PREFIX):
            continue
        name = by_form.get(normalise(text))
        if name is None:
            unknown.append((index, text))
        elif name in reading.columns:
            place = reading.grid.place(header, index, text)
            first = reading.grid.place(header, reading.columns[name], name)
            read = f"deux colonnes « {name} » (l’autre : {first.cell or 'même ligne'})"
            fix = "supprimez l’une des deux, ou donnez-lui un autre titre"
            reading.faults.append(Fault("DON-010", place, read, "une colonne de chaque nom", fix))
        else:
            reading.columns[name] = index
            missing.discard(name)
            if text != name:
                read, fix = f"« {text} », lu comme « {name} »", "rien à faire ; pour l’éviter, gardez le titre fourni"
                place = reading.grid.place(header, index, text)
                reading.faults.append(Fault("DON-031", place, read, f"le titre « {name} »", fix))
    _tell_unknown(reading, header, unknown, missing)
    _tell_missing(reading, header)


def _tell_unnamed(reading: TableReading, header: int, index: int) -> None:
    """A column without title: empty, nothing to say; otherwise its values are not read, and it is said."""
    first = next(
        (i for i in range(header + 1, len(reading.grid.rows)) if not is_blank(reading.grid.at(i, index))), None
    )
    if first is not None:
        read, fix = (
            "une colonne sans titre qui contient des valeurs",
            "donnez-lui un titre de la liste, ou supprimez-la",
        )
        place = reading.grid.place(first, index, f"n° {index + 1}")
        reading.faults.append(Fault("DON-033", place, read, "un titre au-dessus de chaque colonne", fix))


def _tell_unknown(reading: TableReading, header: int, unknown: list[tuple[int, str]], missing: set[str]) -> None:
    for index, text in unknown:
        near = nearest(normalise(text), missing)
        place = reading.grid.place(header, index, text)
        if near:
            fix = f"écrivez {near} ?"
            reading.faults.append(Fault("DON-009", place, f"« {text} »", f"un titre de colonne : {near}", fix))
            continue
        expected = "l’une de ces colonnes : " + ", ".join(column.name for column in reading.table.columns)
        fix = "rien à faire si cette colonne est à vous : elle n’est pas lue"
        reading.faults.append(Fault("DON-033", place, f"« {text} », colonne inconnue", expected, fix))


def _tell_missing(reading: TableReading, header: int) -> None:
    near_faults = {fault.fix for fault in reading.faults if fault.code == "DON-009"}
    for column in reading.table.columns:
        if column.required and column.name not in reading.columns:
            if f"écrivez « {column.name} » ?" in near_faults:
                continue  # said once, with the cure
            place = reading.grid.place(header)
            fix = f"ajoutez une colonne « {column.name} »"
            reading.faults.append(Fault("DON-008", place, "une colonne absente", f"une colonne « {column.name} »", fix))


def _tell_merged(reading: TableReading, header: int) -> None:
    for (top, left), (bottom, right) in reading.grid.merged:
        if bottom > header and any(left <= index <= right for index in reading.columns.values()):
            read = f"des cellules fusionnées ({bottom - top + 1} ligne(s) sur {right - left + 1} colonne(s))"
            fix = "dissociez-les et recopiez la valeur dans chaque cellule"
            place = reading.grid.place(top, left)
            expected = "une valeur par cellule : seule la première de ces cellules est lue"
            reading.faults.append(Fault("DON-034", place, read, expected, fix))


# --- rows and cells -----------------------------------------------------------------------------------------------------


def _read_row(reading: TableReading, index: int, header: int, words: Vocabulary) -> None:
    grid, row = reading.grid, Row(index)
    cells = {name: grid.at(index, position) for name, position in reading.columns.items()}
    errors = {name for name, position in reading.columns.items() if (index, position) in grid.broken}
    if not errors and all(is_blank(cell) for cell in cells.values()):
        return
    if _repeats_header(reading, index, header):
        fix = "rien à faire ; supprimez cette ligne pour ne plus voir ce message"
        place = grid.place(index)
        reading.faults.append(Fault("DON-032", place, "la ligne de titres répétée", "une ligne de valeurs", fix))
        return
    if not errors and _left_to_fill(reading, row, cells):
        return
    for column in reading.table.columns:
        if column.name not in cells:
            continue
        if column.name in errors:
            _tell_broken(reading, row, column)
            continue
        if not is_blank(cells[column.name]):
            _store(reading, row, column, _read_once(reading, column, cells[column.name], words))
    _tell_empty(reading, row)
    reading.rows.append(row)


def _read_once(reading: TableReading, column: Column, raw: Raw, words: Vocabulary) -> Read:
    """Read one cell; a text that the column holds already is not read again."""
    if not isinstance(raw, str):
        return read_cell(raw, column, words, not reading.grid.is_csv)
    key = (column.name, raw)
    if key not in reading.known:
        reading.known[key] = read_cell(raw, column, words, not reading.grid.is_csv)
    return reading.known[key]


def _repeats_header(reading: TableReading, index: int, header: int) -> bool:
    same = 0
    for position in reading.columns.values():
        cell = reading.grid.at(index, position)
        if is_blank(cell):
            continue
        if normalise(cell) != normalise(reading.grid.at(header, position)):
            return False
        same += 1
    return same >= 2


def _left_to_fill(reading: TableReading, row: Row, cells: Mapping[str, object]) -> bool:
    """A row with its key and nothing to count: silent where evalkit wrote the key, said elsewhere."""
    filled = {name for name, cell in cells.items() if not is_blank(cell)}  # type: ignore[arg-type]
    name = reading.table.name
    if name in _PREFILLED and filled <= set(_PREFILLED[name]):
        return True
    empty_level = name in ("cotations", "arbitrages") and "niveau" not in filled and "sous_question" in filled
    if not empty_level:
        return False
    row.values["sous_question"] = as_text(cells["sous_question"])  # type: ignore[arg-type]
    reading.say(
        "DON-032",
        row,
        "niveau",
        "ni niveau ni silence",
        "un niveau de 0 à 5, ou un silence",
        "tapez un niveau, ou « nr » si la personne n’a pas répondu ; la ligne n’est pas comptée",
    )
    return True


def _tell_broken(reading: TableReading, row: Row, column: Column) -> None:
    row.broken = True
    shown = reading.grid.broken[row.index, reading.columns[column.name]]
    if shown:
        read, fix = f"l’erreur Excel {shown}", "corrigez la formule, ou tapez la valeur"
    else:
        read = "une formule dont le résultat n’est pas enregistré"
        fix = "ouvrez le classeur dans Excel ou LibreOffice, enregistrez-le ; ou tapez la valeur"
    reading.say("DON-021", row, column.name, read, "une valeur", fix)


def _store(reading: TableReading, row: Row, column: Column, read: Read) -> None:
    if read.fault is not None:
        row.broken = True
        code, expected, fix = read.fault
        reading.say(code, row, column.name, read.shown or reading.raw(row, column.name), expected, fix)
        return
    if read.value is not None:
        row.values[column.name] = read.value
    if read.silence:
        row.silences[column.name] = read.silence
    if read.repair:
        shown = f"{reading.raw(row, column.name)} : {read.repair}"
        fix = "vérifiez que c’est bien cela ; sinon corrigez la cellule"
        reading.say("DON-031", row, column.name, shown, _expected(column), fix)


def _expected(column: Column) -> str:
    kinds = {
        "nombre": "un nombre",
        "effectif": "un nombre entier",
        "date": "une date : jj/mm/aaaa",
        "niveau": "un niveau de 0 à 5, ou un silence",
        "oui_non": "oui ou non",
        "repondant": "un code : R01",
        "silence": "un silence de la liste",
    }
    return kinds.get(column.kind, column.help or "la valeur telle qu’elle figure dans la liste")


def _tell_empty(reading: TableReading, row: Row) -> None:
    for column in reading.table.columns:
        if not column.required or column.name in row.values or column.name in row.silences or row.broken:
            continue
        fix = f"remplissez « {column.name} », ou videz toute la ligne"
        if column.name == "publiable":
            fix = "écrivez oui si la parole peut être imprimée, non sinon ; dans le doute, non"
        reading.say("DON-012", row, column.name, "une cellule vide", _expected(column), fix)
        row.broken = True


# --- frames -------------------------------------------------------------------------------------------------------------


def dtypes_of(table: Table) -> dict[str, str]:
    """Column -> dtype of the frame of a table, in order (docstring of :class:`~evalkit.model.dossier.Dossier`)."""
    out = {column.name: "float" if column.kind in (*_NUMERIC, "niveau") else "str" for column in table.columns}
    if any(column.kind == "niveau" for column in table.columns):
        out["silence"] = "str"
    if table.name == "indicateurs":
        out |= {"valeur": "float", "modalite": "str"}
    return out


def frame_of(table: Table, rows: Sequence[Row]) -> pd.DataFrame:
    """Frame of the rows read, in file order, with every declared column and dtype."""
    import pandas as pd

    columns = {}
    for name, dtype in dtypes_of(table).items():
        cells = [row.values.get(name) for row in rows]
        if dtype == "float":
            columns[name] = pd.Series([float("nan") if c is None else float(c) for c in cells], dtype="float64")
        else:
            columns[name] = pd.Series(cells, dtype="str")
    return pd.DataFrame(columns)


def empty_tables() -> dict[str, pd.DataFrame]:
    """Every table of a dossier, without a row."""
    return {name: frame_of(table, ()) for name, table in TABLES.items()}
