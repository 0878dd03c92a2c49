"""What people rely on in both workbooks: marks on every sheet, masked cells, nothing that runs, nothing invented, files kept."""

from __future__ import annotations

import os
import re
import shutil
import stat
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest

from evalkit import actions
from evalkit.loaders.dossier import list_dossiers, load_dossier
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.resources import resource_dir
from evalkit.report import tables
from evalkit.report.html import Absent
from evalkit.report.workbook import render_rapport_xlsx, render_travail_xlsx
from evalkit.report.workbook_sheets import Number, shown
from tests.attaque.attaquant import read_tables
from tests.attaque.classeur_lu import sheets_of
from tests.attaque.test_attaque import page_of
from tests.fabrique import make_campagne, make_evaluation, make_publication, make_territory, sample_dossier

SAMPLES = resource_dir("sample_data")
DANGEROUS = ("=1+1", "+33 6", "-2", "@SOMME(A1)", '=HYPERLINK("http://x.test";"ici")', "\t=1")


def working(dossier=None) -> bytes:
    dossier = dossier or sample_dossier()
    return render_travail_xlsx(make_evaluation(dossier), dossier.tables["cotations"])


def books() -> dict[str, bytes]:
    return {"rapport": render_rapport_xlsx(make_publication()), "travail": working()}


def cells(content: bytes, *, results: bool = False):
    book = openpyxl.load_workbook(BytesIO(content), data_only=results)
    return [(sheet, cell) for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]


# --- marks, header rows, print ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rapport", "travail"])
def test_every_sheet_carries_the_marks_a_title_and_a_marked_header_row(name):
    book = openpyxl.load_workbook(BytesIO(books()[name]))
    for sheet in book.worksheets:
        for said in (sheet["A2"].value, sheet.oddHeader.center.text):
            assert "DONNÉES FICTIVES" in said, sheet.title
            assert ("CONFIDENTIEL – ne pas diffuser" in said) == (name == "travail"), sheet.title
        assert sheet["A1"].value
        assert sheet.sheet_state == "visible"
        assert not sheet.merged_cells.ranges
        assert sheet.page_setup.orientation == "landscape"
        if sheet.title == "Lisez-moi":
            continue
        (table,) = sheet.tables.values()
        assert table.headerRowCount is None or table.headerRowCount == 1
        top = int(re.findall(r"\d+", table.ref)[0])
        assert sheet.print_title_rows.replace("$", "") == f"{top}:{top}"
        assert sheet.freeze_panes.endswith(str(top + 1))
        assert all(column.width for column in sheet.column_dimensions.values())
    assert book.properties.title
    assert {p.name: p.value for p in book.custom_doc_props.props}["langue"] == "fr-FR"


def test_a_real_territory_is_not_said_to_be_invented():
    territory, campaign = make_territory(fictif=False), make_campagne(fictif=False)
    publication = replace(make_publication(), territoire=territory, campagne=campaign)
    evaluation = replace(make_evaluation(), territoire=territory, campagne=campaign)
    made = (render_rapport_xlsx(publication), render_travail_xlsx(evaluation, sample_dossier().tables["cotations"]))
    for content in made:
        assert not any("FICTIVES" in str(cell.value) for _, cell in cells(content))


def test_marks_of_the_territory_are_on_every_sheet():
    book = openpyxl.load_workbook(BytesIO(render_rapport_xlsx(make_publication(), ["BROUILLON"])))
    assert all("BROUILLON" in sheet["A2"].value for sheet in book.worksheets)


def test_same_inputs_same_bytes_whatever_the_order_of_the_rows():
    dossier = sample_dossier()
    evaluation, ratings = make_evaluation(dossier), dossier.tables["cotations"]
    assert render_travail_xlsx(evaluation, ratings) == render_travail_xlsx(evaluation, ratings.iloc[::-1])
    assert render_rapport_xlsx(make_publication()) == render_rapport_xlsx(make_publication())


# --- who may be in which ----------------------------------------------------------------------------------------------


def test_each_workbook_refuses_what_the_other_is_made_from():
    with pytest.raises(TypeError):
        render_rapport_xlsx(make_evaluation())  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        render_travail_xlsx(make_publication(), sample_dossier().tables["cotations"])  # type: ignore[arg-type]


def test_no_respondent_nor_comment_in_the_published_file_and_no_comment_in_the_working_one():
    """Searched in every part of the files, not in their cells only."""
    dossier = sample_dossier()
    ratings = dossier.tables["cotations"].copy()
    ratings["commentaire"] = "phrase-temoin-commentaire"
    ratings["preuve"] = "phrase-temoin-preuve"
    ratings["repondant"] = [f"Z{rank:03d}Q" for rank in range(len(ratings))]
    marked = replace(dossier, tables={**dossier.tables, "cotations": ratings})
    parts = {}
    for name, content in (("rapport", render_rapport_xlsx(make_publication(marked))), ("travail", working(marked))):
        with zipfile.ZipFile(BytesIO(content)) as archive:
            parts[name] = "".join(archive.read(item).decode("utf-8", "replace") for item in archive.namelist())
        assert "phrase-temoin" not in parts[name], name
    assert not re.search(r"Z\d{3}Q", parts["rapport"])
    assert "Z000Q" in parts["travail"]


# --- figures ----------------------------------------------------------------------------------------------------------


def test_masked_values_are_said_never_zero_never_empty():
    publication = make_publication()
    sheets = sheets_of(render_rapport_xlsx(publication))
    hidden = publication.groupes[publication.groupes["statut"] == "secret"]
    assert len(hidden)
    names = {g.code: g.libelle for g in publication.referentiel.groupes}
    groups = {row[0]: dict(zip(sheets["Groupes"].headers, row, strict=True)) for row in sheets["Groupes"].rows}
    for row in hidden.to_dict("records"):
        found = groups[row["sous_question"]]
        assert found[f"{names[row['groupe']]} : médiane"] == "secret statistique"
        assert found[f"{names[row['groupe']]} : n"] == str(row["n"])
    amounts = sheets["Programme d’actions"]
    at = amounts.headers.index("Tous financeurs")
    for row, cell in zip(publication.actions.to_dict("records"), amounts.rows, strict=True):
        assert (cell[at] == "secret statistique") == (row["statut"] == "secret")
    for name in ("Groupes", "Indicateurs", "Programme d’actions", "Niveaux"):
        computed = {"Niveau compté", "Supposé au plus bas (0)", "Supposé au plus haut (5)"}
        for row in sheets[name].rows:
            said = dict(zip(sheets[name].headers, row, strict=True))
            assert all(text for header, text in said.items() if header not in computed), (name, row)


def test_the_programme_says_the_same_as_the_page_amount_by_amount():
    """An amount hidden alone (ordinary-law credits) is « secret » in both, not « non renseigné »."""
    publication = actions.load_publication(SAMPLES / "2022" / "morvecque")
    (page,) = read_tables(str(tables.actions(publication)))
    workbook = sheets_of(render_rapport_xlsx(publication))["Programme d’actions"]
    mine = [re.sub(r"(\d)(?=(\d{3})+$)", r"\1 ", text) for row in workbook.rows for text in row[4:7]]
    assert mine == [text for row in page.rows for text in row[3:6]]
    alone = (publication.actions["statut_droit_commun"] == "secret") & (publication.actions["statut"] == "ok")
    assert alone.any()
    assert "non renseigné" not in mine


def test_no_number_is_more_precise_than_it_is_displayed():
    """Nothing hides behind a rounding: what is stored is what is shown."""
    for sheet, cell in cells(render_rapport_xlsx(actions.load_publication(SAMPLES / "2022" / "ardelle")), results=True):
        if isinstance(cell.value, float) and cell.number_format != "General" and "%" not in _bare(cell.number_format):
            decimals = len(_bare(cell.number_format).partition(".")[2])
            assert cell.value == round(cell.value, decimals), (sheet.title, cell.coordinate, cell.value)


def _bare(number_format: str) -> str:
    return re.sub(r'"[^"]*"', "", number_format)


def test_every_figure_of_the_indicators_is_printed_in_the_page(no_pictures):
    publication = actions.load_publication(SAMPLES / "2022" / "ardelle")
    page = re.sub(r"[\u202f\xa0]", " ", re.sub(r"<[^>]+>", " ", page_of(publication)))
    table = sheets_of(render_rapport_xlsx(publication))["Indicateurs"]
    values = [row[4] for row in table.rows if re.search(r"\d", row[4])]
    assert len(values) > 50
    for value in values:  # the page says once per line, beside n, that shares are of the respondents
        assert value.replace(" des répondants", "").replace("-", "−") in page, value


@pytest.fixture
def no_pictures(monkeypatch):
    from evalkit.charts import theme

    monkeypatch.setattr(theme.Page, "render", lambda self, height: (b"", 10, 10))


def test_what_is_printed_becomes_the_same_number():
    assert shown("1\u202f234,50\u202f€") == Number(1234.5, 2, "\u202f€")
    assert shown("−0,5") == Number(-0.5, 1)
    for text in ("3 (n = 12)", "2021-2022", "secret", "1.5", "oui", "12 345 678 9"):
        assert isinstance(shown(text), str) or shown(text).suffix, text
    assert isinstance(shown(Absent("3")), Absent)


def test_formulas_of_the_published_file_read_published_sheets_only():
    for sheet, cell in cells(render_rapport_xlsx(make_publication())):
        if cell.data_type == "f":
            read = set(re.findall(r"'?([A-Za-zÀ-ÿ’ ]+)'?!", str(cell.value)))
            assert read <= {"Niveaux"}, (sheet.title, cell.coordinate, cell.value)


# --- text that people typed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", DANGEROUS)
def test_text_that_looks_like_a_formula_cannot_run(text):
    finding = {"id": "C1", "question": "Q1", "type": "frein", "texte": text, "origine": text, "statut": "propose"}
    publication = make_publication(constats=[finding])
    evaluation = make_evaluation()
    levels = evaluation.niveaux.assign(preuve=text, instance=text)
    made = (
        render_rapport_xlsx(publication),
        render_travail_xlsx(replace(evaluation, niveaux=levels), sample_dossier().tables["cotations"]),
    )
    for content in made:
        found = [cell for _, cell in cells(content) if str(cell.value).strip() == text.strip()]
        assert found
        for cell in found:
            assert cell.data_type == "s"
            assert cell.quotePrefix
            assert cell.number_format == "@"


def test_control_characters_and_endless_text_are_borne():
    finding = {"id": "C1", "question": "Q1", "type": "frein", "texte": "a\x07b" + "é" * 40000, "statut": "propose"}
    content = render_rapport_xlsx(make_publication(constats=[finding]))
    (text,) = [str(c.value) for s, c in cells(content) if s.title == "Constats" and str(c.value).startswith("ab")]
    assert text.endswith("(suite dans le rapport)")


# --- the working file on disk -----------------------------------------------------------------------------------------


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    target = tmp_path / "2022"
    target.mkdir()
    for name in ("campagne.yml", "reference_regionale.json", "crespelieu.xlsx"):
        shutil.copy(SAMPLES / "2022" / name, target / name)
    shutil.copytree(SAMPLES / "2022" / "estrinoy", target / "estrinoy")
    (target / ".evalkit").mkdir()
    shutil.copy(SAMPLES / "2022" / ".evalkit" / "crespelieu.cle", target / ".evalkit")
    return target


def test_the_working_file_is_for_its_owner_and_keeps_what_people_typed(campaign):
    dossier = campaign / "estrinoy"
    target, kept = actions.write_working_file(dossier)
    assert (target, kept) == (dossier / "travail.xlsx", None)
    if os.name == "posix":
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
    first = target.read_bytes()
    assert actions.write_working_file(dossier) == (target, None), "untouched: nothing to keep"
    assert target.read_bytes() == first
    target.write_bytes(first + b"a person was here")
    again, kept = actions.write_working_file(dossier)
    assert again.read_bytes() == first
    assert kept == dossier / ".evalkit" / "sauvegardes" / "travail.1.xlsx"
    assert kept.read_bytes() == first + b"a person was here"
    target.write_bytes(b"another")
    assert actions.write_working_file(dossier)[1].name == "travail.2.xlsx"
    assert kept.read_bytes() == first + b"a person was here"


def test_a_working_file_of_unknown_origin_is_kept(campaign):
    dossier = campaign / "estrinoy"
    (dossier / "travail.xlsx").write_bytes(b"from elsewhere")
    _, kept = actions.write_working_file(dossier)
    assert kept.read_bytes() == b"from elsewhere"


def test_the_working_file_is_an_input_of_nothing(campaign):
    referentiel = load_referentiel()
    names = [path.name for path in list_dossiers(campaign)]
    before = {p.name: load_dossier(p, referentiel) for p in list_dossiers(campaign)}
    made = [actions.write_working_file(path)[0] for path in list_dossiers(campaign)]
    assert campaign / ".evalkit" / "crespelieu.travail.xlsx" in made
    for path in made:
        path.write_bytes(path.read_bytes() + b"changed")
        actions.write_working_file(campaign / "estrinoy")
    assert [path.name for path in list_dossiers(campaign)] == names
    for path in list_dossiers(campaign):
        after = load_dossier(path, referentiel)
        assert after.empreinte == before[path.name].empreinte
        assert len(after.avertissements) == len(before[path.name].avertissements)
