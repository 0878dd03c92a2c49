"""The workbook a pilot fills: what it offers, what it protects, and that it says the same thing every time."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.workbook import Workbook

from evalkit.documents.entry_workbook import TERRITORY_KEYS, VERSION_PROPERTY, write_entry_workbook
from evalkit.documents.new_dossier import make_new_dossier
from evalkit.errors import EvalkitError, ExitCode
from evalkit.loaders import territory
from evalkit.loaders.dossier import load_dossier
from evalkit.loaders.referentiel import load_referentiel
from evalkit.model.dossier import DISPLAY_SHEETS, HELP_COLUMN_PREFIX, SILENCES, TABLES
from evalkit.model.referentiel import Referentiel
from evalkit.model.territory import Qpv, Territory

ROWS: dict[str, list[dict[str, object]]] = {
    "cotations": [
        {"sous_question": "Q1.1", "repondant": "R01", "groupe": "pilote", "niveau": "3", "date": "2022-05-12"},
        {"sous_question": "Q1.1", "repondant": "R02", "groupe": "etat", "niveau": "ne_sait_pas"},
    ],
    "arbitrages": [{"sous_question": "Q1.2", "niveau": "0", "preuve": "=1+1", "date": "2022-09-02"}],
    "indicateurs": [
        {"indicateur": "Q1.1.a", "annee": 2021, "numerateur": 12.5, "denominateur": 40, "source": "@bilan"},
        {"indicateur": "Q2.4.a", "annee": 2021, "valeur": 7},
        {"indicateur": "Q1.2.c", "annee": 2021, "valeur": "partiel"},
    ],
    "constats": [{"id": "Q1-F1", "question": "Q1", "type": "frein", "texte": "Réunions « trop longues » & tardives"}],
}


@pytest.fixture(scope="module")
def referentiel() -> Referentiel:
    return load_referentiel()


@pytest.fixture(scope="module")
def territoire() -> Territory:
    quartier = Qpv("QF059900", "Les Tisserands", "2015", ("Ardelle",))
    facts: dict[str, bool | int | float | str] = {"conseil_citoyen": False}
    return Territory("essai", "Contrat d’essai", "59", "2015", qpv=(quartier,), fictif=True, faits=facts)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, referentiel: Referentiel, territoire: Territory) -> Path:
    target = tmp_path_factory.mktemp("classeur") / "evaluation.xlsx"
    write_entry_workbook(target, referentiel, territoire, None, ("cooperations",), ROWS)
    return target


@pytest.fixture(scope="module")
def book(path: Path) -> Workbook:
    return openpyxl.load_workbook(path, data_only=True)


@pytest.fixture(scope="module")
def formulas(path: Path) -> Workbook:
    return openpyxl.load_workbook(path)


def _headers(sheet: Any) -> list[str]:
    return [cell.value for cell in sheet[1] if cell.value]


def _column(sheet: Any, name: str) -> int:
    return _headers(sheet).index(name) + 1


def _choices(book: Workbook, sheet: Any, row: int, name: str) -> list[object]:
    """What a drop-down offers in one cell."""
    cell = sheet.cell(row, _column(sheet, name)).coordinate
    rule = next(r for r in sheet.data_validations.dataValidation if cell in r.sqref and r.type == "list")
    area = book.defined_names[rule.formula1].attr_text.replace("$", "")
    page, cells = area.split("!")
    return [line[0].value for line in book[page][cells]]


def test_same_inputs_same_bytes(path: Path, tmp_path: Path, referentiel: Referentiel, territoire: Territory) -> None:
    again = tmp_path / "autre nom.xlsx"
    write_entry_workbook(again, referentiel, territoire, None, ("cooperations",), ROWS)
    assert again.read_bytes() == path.read_bytes()
    assert zipfile.ZipFile(again).testzip() is None


def test_one_sheet_per_table_with_its_columns_in_order(book: Workbook) -> None:
    assert set(book.sheetnames) == {*DISPLAY_SHEETS, "territoire", "qpv", *TABLES}
    for name, table in TABLES.items():
        shown = [header for header in _headers(book[name]) if not header.startswith(HELP_COLUMN_PREFIX)]
        assert shown == [column.name for column in table.columns]


def test_framework_version_and_warning_travel_with_the_file(book: Workbook, referentiel: Referentiel) -> None:
    assert {p.name: p.value for p in book.custom_doc_props.props}[VERSION_PROPERTY] == referentiel.version
    guide = " ".join(str(row[0].value) for row in book["lisez_moi"].iter_rows() if row[0].value)
    assert referentiel.avertissement in guide
    assert len(guide.split("\n")) == 1
    assert book["lisez_moi"].max_row <= 14


def test_lists_offer_codes_groups_levels_and_silences(book: Workbook, referentiel: Referentiel) -> None:
    sheet = book["cotations"]
    assert "Q1.1" in _choices(book, sheet, 2, "sous_question")
    assert "LCD.1" not in _choices(book, sheet, 2, "sous_question"), "module non évalué"
    assert _choices(book, sheet, 700, "groupe") == [groupe.code for groupe in referentiel.groupes]
    assert _choices(book, sheet, 2, "niveau") == [0, 1, 2, 3, 4, 5, *SILENCES]
    assert _choices(book, book["verbatims"], 2, "publiable") == ["oui", "non"]
    assert _choices(book, book["constats"], 2, "type") == list(TABLES["constats"].column("type").choices)


def test_an_indicator_with_categories_offers_its_own(book: Workbook, referentiel: Referentiel) -> None:
    sheet = book["indicateurs"]
    rows = {sheet.cell(row, 1).value: row for row in range(2, sheet.max_row + 1)}
    expected = [modalite.code for modalite in referentiel.indicateurs["Q1.2.c"].modalites]
    assert _choices(book, sheet, rows["Q1.2.c"], "valeur") == expected


def test_lists_are_ranges_and_no_cell_has_two_rules(book: Workbook) -> None:
    """Excel refuses inline lists over 255 characters, and repairs a file where two rules overlap."""
    for name in TABLES:
        seen: set[tuple[int, int]] = set()
        for rule in book[name].data_validations.dataValidation:
            assert rule.type != "list" or rule.formula1 in book.defined_names
            assert len(rule.prompt or "") <= 255
            assert len(rule.promptTitle or "") <= 32
            for area in rule.sqref.ranges:
                cells = {(row, column) for row, column in area.cells}
                assert not cells & seen
                seen |= cells


def test_the_descriptor_is_beside_the_level(book: Workbook, formulas: Workbook, referentiel: Referentiel) -> None:
    sheet = book["arbitrages"]
    row = next(r for r in range(2, 40) if sheet.cell(r, 1).value == "Q1.2")
    level = _column(sheet, "niveau")
    assert sheet.cell(row, 2).value == referentiel.sous_questions["Q1.2"].titre
    assert sheet.cell(row, level + 1).value == referentiel.sous_questions["Q1.2"].echelle.niveaux[0]
    formula = formulas["arbitrages"].cell(row, level + 1).value
    keys, grid = "echelles!$A$2:$A$25", "echelles!$C$2:$H$25"
    found = f"INDEX({grid},MATCH($A{row},{keys},0),$C{row}+1)"
    assert formula == f'=IF(ISNUMBER($C{row}),IFERROR({found},""),"")'
    cells = book["echelles"]["C2:H25"]
    assert [cell.value for cell in cells[1]] == list(referentiel.sous_questions["Q1.2"].echelle.niveaux.values())


def test_headers_are_protected_and_cells_are_not(book: Workbook) -> None:
    for name in TABLES:
        sheet = book[name]
        assert sheet.protection.sheet
        assert not sheet.protection.password
        for index, header in enumerate(_headers(sheet), start=1):
            assert sheet.cell(1, index).protection.locked
            assert sheet.cell(1, index).font.bold or header.startswith(HELP_COLUMN_PREFIX)
            area = next(d for d in sheet.column_dimensions.values() if d.min <= index <= d.max)
            locked = area.protection.locked
            assert bool(locked) is header.startswith(HELP_COLUMN_PREFIX), f"{name}.{header}"
        assert sheet.freeze_panes == "B2"
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.print_title_rows == "$1:$1"


def test_text_stays_text_and_dates_are_dates(book: Workbook, formulas: Workbook) -> None:
    sheet = formulas["arbitrages"]
    row = next(r for r in range(2, 40) if sheet.cell(r, 1).value == "Q1.2")
    proof = sheet.cell(row, _column(sheet, "preuve"))
    assert (proof.value, proof.data_type) == ("=1+1", "s")
    assert sheet.cell(row, _column(sheet, "date")).is_date
    assert sheet.cell(row, _column(sheet, "niveau")).value == 0
    values = book["indicateurs"]
    assert [values.cell(r, _column(values, "valeur")).value for r in (2, 3, 4)] == [None, 7, "partiel"]
    ratings = book["cotations"]
    assert [ratings.cell(r, _column(ratings, "niveau")).value for r in (2, 3)] == [3, "ne_sait_pas"]
    assert ratings.cell(4, _column(ratings, "niveau")).value is None, "une ligne vide n'a pas de niveau"


def test_keys_written_in_advance_leave_out_what_does_not_apply(book: Workbook) -> None:
    codes = [row[0].value for row in book["arbitrages"].iter_rows(min_row=2) if row[0].value]
    assert "Q3.1" in codes
    assert "Q3.2" not in codes, "le territoire n'a pas de conseil citoyen"
    sheet = book["arbitrages"]
    assert [sheet.cell(2, c).value for c in range(1, 8) if c not in (2,)] == ["Q1.1", *[None] * 5]


def test_territory_and_neighbourhoods_are_written(book: Workbook) -> None:
    values = {row[0].value: row[1].value for row in book["territoire"].iter_rows(min_row=2)}
    assert list(values) == [key for key, _ in TERRITORY_KEYS]
    assert values["conseil_citoyen"] == "non"
    assert values["fictif"] == "oui"
    assert values["npnru"] is None, "ce qui n'est pas su reste vide"
    assert [cell.value for cell in book["qpv"][2]] == ["QF059900", "Les Tisserands", "2015", "Ardelle"]


def test_the_sheet_asks_for_every_key_the_reader_knows() -> None:
    structures = {"faits", "qpv", "qpv_anciens", "qpv_a_rattacher"}
    known = {key.name for key in (*territory.TERRITORY_KEYS, *territory.FACTS)} | set(territory.WORKBOOK_CAMPAGNE)
    assert {key for key, _ in TERRITORY_KEYS} == known - structures


def test_what_was_filled_comes_back_through_the_reader(tmp_path: Path, referentiel: Referentiel) -> None:
    """Blank rows with a prefilled key are silence: not rows, not faults."""
    campagne = tmp_path / "2022"
    folder = campagne / "essai"
    folder.mkdir(parents=True)
    (campagne / "campagne.yml").write_text(
        'libelle: "Essai"\nannee: 2022\ndate_reference: "2022-11-30"\nfictif: oui\n'
        f'referentiel_version: "{referentiel.version}"\nmodules: [cooperations]\n',
        encoding="utf-8",
    )
    quartiers = (Qpv("QF059900", "Les Tisserands", "2015", ("Ardelle",)), Qpv("QF059901", "La Plaine", "2015"))
    written = Territory(
        "essai",
        "Contrat d’essai",
        "59",
        "2015",
        type="commune",
        communes=("Ardelle", "Thunelles"),
        qpv=quartiers,
        modules=("cooperations",),
        fictif=True,
        faits={"conseil_citoyen": False, "npnru": True},
    )
    write_entry_workbook(folder / "evaluation.xlsx", referentiel, written, None, (), ROWS)
    dossier = load_dossier(folder, referentiel)
    assert dossier.territoire == written
    assert not [fault for fault in dossier.avertissements if "evaluation.xlsx" in fault.place.file]
    assert {name: len(table) for name, table in dossier.tables.items() if len(table)} == {
        name: len(rows) for name, rows in ROWS.items()
    }
    ratings = dossier.tables["cotations"]
    assert ratings["niveau"].tolist()[0] == 3
    assert ratings["silence"].tolist()[1] == "ne_sait_pas"
    assert ratings["date"].tolist()[0] == "2022-05-12"
    assert dossier.tables["arbitrages"]["preuve"].tolist() == ["=1+1"]
    values = dossier.tables["indicateurs"].set_index("indicateur")
    assert values.loc["Q1.1.a", ["numerateur", "denominateur"]].tolist() == [12.5, 40]
    assert values.loc["Q2.4.a", "valeur"] == 7
    assert values.loc["Q1.2.c", "modalite"] == "partiel"


def test_new_dossier_never_overwrites(tmp_path: Path, referentiel: Referentiel) -> None:
    folder = tmp_path / "2026" / "valbrune"
    workbook = make_new_dossier(folder, referentiel, nom="Valbrune", departement="59")
    before = workbook.read_bytes()
    assert openpyxl.load_workbook(workbook)["territoire"]["B2"].value == "Valbrune"
    key = folder / ".evalkit" / "cle"
    assert len(bytes.fromhex(key.read_text(encoding="ascii").strip())) == 32
    if os.name == "posix":
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    with pytest.raises(EvalkitError, match="n'écrase jamais") as caught:
        make_new_dossier(folder, referentiel)
    assert caught.value.faults[0].code == "USA-010"
    assert caught.value.exit_code == ExitCode.USAGE
    assert workbook.read_bytes() == before
    with pytest.raises(EvalkitError, match="un fichier porte déjà ce nom"):
        make_new_dossier(workbook, referentiel)
    assert not list(folder.glob("*.partiel"))


def test_a_campaign_beside_gives_its_year_and_modules(tmp_path: Path, referentiel: Referentiel) -> None:
    (tmp_path / "campagne.yml").write_text(
        f'libelle: "Essai"\nannee: 2022\ndate_reference: "2022-11-30"\nreferentiel_version: "{referentiel.version}"\n'
        "modules: [discriminations]\n",
        encoding="utf-8",
    )
    make_new_dossier(tmp_path / "valbrune", referentiel, nom="Valbrune", departement="59")
    book = openpyxl.load_workbook(tmp_path / "valbrune" / "evaluation.xlsx")
    assert {book["arbitrages"].cell(row, 1).value for row in range(2, 12)} == {*(f"LCD.{n}" for n in range(1, 9)), None}
    assert load_dossier(tmp_path / "valbrune", referentiel).territoire.generation == "2015"


def test_a_dossier_alone_asks_for_the_year_and_the_date(tmp_path: Path, referentiel: Referentiel) -> None:
    make_new_dossier(tmp_path / "valbrune", referentiel, nom="Valbrune", departement="59")
    with pytest.raises(EvalkitError, match="date_reference") as caught:
        load_dossier(tmp_path / "valbrune", referentiel)
    assert len(caught.value.faults) == 2


def test_an_empty_folder_may_receive_the_dossier(tmp_path: Path, referentiel: Referentiel) -> None:
    folder = tmp_path / "prêt"
    folder.mkdir()
    assert make_new_dossier(folder, referentiel).is_file()
