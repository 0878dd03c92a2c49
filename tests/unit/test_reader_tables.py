"""The reader of tables: same content whatever the way it was saved, whatever the order of rows; cells one by one."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.loaders.cells import read_cell, read_date, read_number
from evalkit.loaders.dossier_reference import render_dossier_reference
from evalkit.loaders.grids import read_csv, read_workbook
from evalkit.loaders.persons import looks_like_function_holder, technical_code
from evalkit.loaders.tables import empty_tables, frame_of, known_headers, read_table, vocabulary
from evalkit.model.dossier import TABLES, Column
from tests.fabrique import make_referentiel

REFERENTIEL = make_referentiel()
WORDS = vocabulary(REFERENTIEL)
HEADER = [column.name for column in TABLES["cotations"].columns]
TEXT = st.text(alphabet="abcdeéèàçÉ’œ ;,\"'()=+-0123456789", max_size=20).map(str.strip)
ROW = st.fixed_dictionaries(
    {
        "sous_question": st.sampled_from(sorted(REFERENTIEL.sous_questions)),
        "repondant": st.integers(1, 99).map(lambda n: f"R{n:02d}"),
        "groupe": st.sampled_from(["pilote", "etat", "association"]),
        "niveau": st.sampled_from(["0", "3", "5", "non_repondu", "refus"]),
        "preuve": TEXT.filter(lambda text: not text.startswith(("'", "="))),
        "commentaire": st.just(""),
        "date": st.dates(datetime(2000, 1, 1).date(), datetime(2050, 1, 1).date()),
    }
)


def to_csv(rows: list[dict], separator: str = ";", encoding: str = "utf-8") -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows([[f"{r[h]:%d/%m/%Y}" if h == "date" else r[h] for h in HEADER] for r in rows])
    return out.getvalue().encode(encoding)


def frame_from_csv(path: Path, data: bytes) -> pd.DataFrame:
    path.write_bytes(data)
    grid, _ = read_csv(path, headers=known_headers())
    reading = read_table(grid, TABLES["cotations"], WORDS)
    assert not [fault for fault in reading.faults if fault.severity == "erreur"], reading.faults
    return frame_of(reading.table, reading.rows)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def _is_utf8_too(data: bytes) -> bool:
    try:
        return not data.decode("utf-8").isascii()
    except UnicodeDecodeError:
        return False


@given(st.lists(ROW, min_size=1, max_size=6))
def test_csv_and_sheet_give_the_same_frame(rows: list[dict]) -> None:
    """The encoding, the separator and the kind of file change nothing."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cotations.csv"
        first = frame_from_csv(path, to_csv(rows))
        for separator, encoding in ((";", "utf-8-sig"), (";", "cp1252"), ("\t", "utf-16"), (",", "utf-8")):
            data = to_csv(rows, separator, encoding)
            if encoding == "cp1252" and _is_utf8_too(data):
                continue  # « Éœ » en cp1252 est aussi un « ɜ » en UTF-8 : aucun lecteur ne peut trancher
            pd.testing.assert_frame_equal(first, frame_from_csv(path, data))
        book = openpyxl.Workbook()
        sheet = book.active
        sheet.title = "cotations"
        sheet.append(HEADER)
        for row in rows:
            sheet.append([int(v) if h == "niveau" and v.isdigit() else v for h in HEADER for v in [row[h] or None]])
            if row["preuve"]:
                sheet.cell(sheet.max_row, 5).data_type = "s"
        book.save(Path(folder) / "a.xlsx")
        grid = read_workbook(Path(folder) / "a.xlsx").grids[0]
        reading = read_table(grid, TABLES["cotations"], WORDS)
        pd.testing.assert_frame_equal(first, frame_of(reading.table, reading.rows))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ROW, min_size=1, max_size=6), st.randoms())
def test_row_order_does_not_change_the_content(rows: list[dict], random) -> None:
    """The same rows in another order give the same rows."""
    shuffled = list(rows)
    random.shuffle(shuffled)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cotations.csv"
        one, two = frame_from_csv(path, to_csv(rows)), frame_from_csv(path, to_csv(shuffled))
    by = list(one.columns)
    pd.testing.assert_frame_equal(
        one.sort_values(by, ignore_index=True), two.sort_values(by, ignore_index=True), check_dtype=True
    )


@pytest.mark.parametrize(
    ("typed", "value", "repaired"),
    [
        ("12,5", 12.5, False),
        ("12.5", 12.5, False),
        ("1 234,50", 1234.5, True),
        ("1\u202f234", 1234.0, True),
        ("1.234,50", 1234.5, True),
        ("12,5 %", 12.5, True),
        ("1 200 €", 1200.0, True),
        ("0,125", 0.125, False),
    ],
)
def test_numbers_are_read(typed: str, value: float, repaired: bool) -> None:
    read = read_number(typed, percent=True)
    assert read.value == value
    assert bool(read.repair) is repaired


@pytest.mark.parametrize("typed", ["env. 30", "3+", "10-12", "1.234", "~3", "deux", "1,2,3", "5k€"])
def test_doubtful_numbers_are_faults(typed: str) -> None:
    read = read_number(typed)
    assert read.value is None
    assert read.fault is not None
    assert read.fault[2]


@pytest.mark.parametrize("typed", ["NC", "n.c.", "nsp", "NR", "Sans objet", "non communiqué"])
def test_a_silence_is_never_a_number(typed: str) -> None:
    read = read_number(typed)
    assert read.value is None
    assert read.silence
    assert read.repair


@pytest.mark.parametrize(
    ("typed", "iso"),
    [
        ("1er mars 2022", "2022-03-01"),
        ("3 sept. 2022", "2022-09-03"),
        ("03/09/2022", "2022-09-03"),
        ("3-9-2022", "2022-09-03"),
        ("3.9.2022", "2022-09-03"),
        ("2022-09-03", "2022-09-03"),
        (datetime(2022, 9, 3), "2022-09-03"),
        ("3/9/22", "2022-09-03"),
        ("44807", "2022-09-03"),
        ("mars 2022", "2022-03"),
    ],
)
def test_dates_are_read_day_first(typed: object, iso: str) -> None:
    assert read_date(typed).value == iso  # type: ignore[arg-type]


@pytest.mark.parametrize("typed", ["3 mars", "3/9", "2022", "31/02/2022", "03/25/2022", "bientôt"])
def test_doubtful_dates_are_faults(typed: str) -> None:
    assert read_date(typed).fault is not None


@pytest.mark.parametrize(("typed", "level"), [("0", 0.0), (5.0, 5.0), ("3/5", 3.0), ("niveau 2", 2.0)])
def test_levels_are_read(typed: object, level: float) -> None:
    assert read_cell(typed, Column("niveau", "niveau"), WORDS).value == level  # type: ignore[arg-type]


@pytest.mark.parametrize("typed", ["6", "-1", "2,5", "3+", datetime(2022, 5, 3), True, "élevé"])
def test_other_levels_are_refused(typed: object) -> None:
    assert read_cell(typed, Column("niveau", "niveau"), WORDS).fault is not None  # type: ignore[arg-type]


def test_persons_and_codes_are_told_apart() -> None:
    assert [technical_code(text) for text in ("R01", "r 01", "P3")] == ["R01", "R01", "P3"]
    assert not any(technical_code(text) for text in ("Zélie", "Zélie Montfauve", "Montfauve1"))
    persons = ("Zélie Montfauve", "Mme Montfauve", "z.m@exemple.fr", "06 12 34 56 78")
    assert all(looks_like_function_holder(text) for text in persons)
    functions = ("chef de projet", "Centre Social", "Préfecture du Nord", "Mission Locale", "CAF")
    assert not any(looks_like_function_holder(text) for text in functions)


def test_sep_line_is_understood_and_lines_stay_true(tmp_path: Path) -> None:
    path = tmp_path / "cotations.csv"
    path.write_bytes(
        b'sep=;\r\nsous_question;repondant;groupe;niveau;preuve\r\nQ1.1;R01;pilote;3;"a\nb"\r\n\r\nQ1.2;R01;pilote;9\r\n'
    )
    grid, _ = read_csv(path, headers=known_headers())
    reading = read_table(grid, TABLES["cotations"], WORDS)
    assert [str(fault.place.line) for fault in reading.faults] == ["6"]


def test_empty_tables_have_every_column() -> None:
    tables = empty_tables()
    assert set(tables) == set(TABLES)
    assert {"silence"} <= set(tables["cotations"].columns)
    assert str(tables["indicateurs"]["valeur"].dtype) == "float64"
    assert "modalite" in tables["indicateurs"].columns


def test_reference_page_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "dossier.md"
    text = page.read_text(encoding="utf-8")
    assert text == render_dossier_reference()
    assert "jj/mm/aaaa" in text
    assert not re.search(r"\d\d/\d\d/\d{4}|AAAA-MM-JJ", text), "une date d’exemple est jj/mm/aaaa, partout"
