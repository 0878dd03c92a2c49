"""One content, several formats: the same numbers everywhere, none at the price of the others, nobody's work overwritten."""

from __future__ import annotations

import doctest
import json
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import docx
import pytest
from bs4 import BeautifulSoup

from evalkit import actions, cli
from evalkit.batch import formats as batch_formats
from evalkit.batch.formats import Others, write_others
from evalkit.batch.journal import summary
from evalkit.batch.plan import Task
from evalkit.batch.runner import Outcome, write_whole
from evalkit.errors import EvalkitError, Fault, Place
from evalkit.report import formats
from evalkit.report.index import render_index
from evalkit.report.numbers import numbers_of
from tests.attaque.classeur_lu import sheets_of
from tests.fabrique import make_campagne, make_publication
from tests.unit.machine import laid_out, need_pdf, need_program
from tests.unit.word_cases import make_page, p, r, typed

ROOT = Path(__file__).resolve().parents[2]
ARDELLE = ROOT / "sample_data" / "2022" / "ardelle"
NO_PDF = Fault("DOC-001", Place(note="PDF"), "la bibliothèque système Pango manque", "Pango", "installez Pango")


@pytest.fixture
def without_pango(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that cannot make PDF."""
    monkeypatch.setitem(formats.FORMATS, "pdf", replace(formats.FORMATS["pdf"], needs=lambda: NO_PDF))


def copy_ardelle(root: Path) -> Path:
    """A report leaves its bases beside the key of the dossier: never in the samples."""
    for year in ("2019", "2022"):
        shutil.copytree(ARDELLE.parents[1] / year / ARDELLE.name, root / year / ARDELLE.name)
        for path in (ARDELLE.parents[1] / year).glob("*.*"):
            if path.is_file() and path.suffix != ".xlsx":
                shutil.copy2(path, root / year)
    return root / "2022" / ARDELLE.name


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One territory of the samples, in every format that this machine can make."""
    need_pdf()
    vers = tmp_path_factory.mktemp("sorties")
    result = actions.render_report(copy_ardelle(tmp_path_factory.mktemp("campagne")), vers)
    assert result.ok
    assert result.format_faults == ()
    return vers / "ardelle"


# --- the numbers agree ----------------------------------------------------------------------------------------------------


def html_text(path: Path) -> str:
    main = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").main
    for gone in main.find_all(hidden=True):
        gone.decompose()
    return "\n".join(main.strings)


def docx_text(path: Path) -> str:
    """Every paragraph and cell, read with python-docx, table of contents and places to write left out."""
    document = docx.Document(str(path))
    lines = [paragraph.text for paragraph in document.paragraphs]
    for grid in document.tables:
        lines += [cell.text for row in grid.rows for cell in row.cells]
    for control in document.element.body.iterchildren("{*}sdt"):
        if control.find("{*}sdtPr/{*}docPartObj") is None and control.find("{*}sdtPr/{*}showingPlcHdr") is None:
            lines += ["".join(t.text or "" for t in p.iter("{*}t")) for p in control.iter("{*}p")]
    return "\n".join(lines)


def pdf_text(path: Path) -> str:
    """What another program (poppler) reads between the margins, in the order of the page."""
    box = ["-x", "0", "-y", "57", "-W", "596", "-H", "731"]
    command = [need_program("pdftotext"), "-enc", "UTF-8", "-nopgbrk", *box, str(path), "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode("utf-8")


@pytest.mark.parametrize(("document", "least"), [("rapport", 1500), ("comite", 90)])
def test_every_number_is_the_same_in_every_format(rendered: Path, document: str, least: int) -> None:
    """Read back by three programs that are not ours: no number lost, none added, none written another way."""
    source = rendered / f"{document}.html"
    page = numbers_of(html_text(source))
    assert page["1\u202f039"] >= 1, "le nombre de cotations d'Ardelle, tel qu'affiché"
    assert sum(page.values()) > least
    contents = BeautifulSoup(source.read_text(encoding="utf-8"), "html.parser").nav
    body = page - numbers_of("\n".join(contents.strings))
    assert numbers_of(docx_text(source.with_suffix(".docx"))) == body
    said = numbers_of(regrouped(pdf_text(source.with_suffix(".pdf")), page))
    printed = page if document == "rapport" else body  # two sides have no table of contents on paper
    assert printed - said == Counter()
    assert set(said - printed) <= repeated_by_the_layout(source), said - printed


def test_every_number_of_the_workbook_is_in_the_page(rendered: Path) -> None:
    """Sheet by sheet, read as the attacker reads it, with every digit that the file holds."""

    def plain(text: str) -> str:  # a cell has no group of thousands: the reader's Excel writes it
        text = re.sub(r"(?<=\d)[\u202f\u00a0](?=\d{3})", "", text).replace("−", "-")
        return re.sub(r"(?<!\d)0(?=\d(?!\d))", "", text)  # and writes 09/09/2022 for the page's 9 septembre 2022

    page = numbers_of(plain(html_text(rendered / "rapport.html")))
    sheets = sheets_of((rendered / "rapport.xlsx").read_bytes())
    compared = 0
    for name, table in sheets.items():
        if name not in ("Indicateurs définis", "Définitions", "Règles"):  # of the framework, whatever the territory
            said = numbers_of(plain("\n".join(cell for row in table.rows for cell in row)))
            compared += sum(said.values())
            assert set(said) <= set(page), (name, set(said) - set(page))
    assert compared > 5000


def test_the_committee_s_document_holds_on_two_sides(rendered: Path, tmp_path: Path) -> None:
    import pikepdf

    assert len(pikepdf.open(rendered / "comite.pdf").pages) == 2
    with pikepdf.open(laid_out(rendered / "comite.docx", tmp_path)) as pdf:
        assert len(pdf.pages) == 2


def regrouped(text: str, page: Counter[str]) -> str:
    """Poppler writes an ordinary space for a narrow no-break one; ours, in test_pdf, reads the true one."""
    for number in sorted((n for n in page if "\u202f" in n), key=len, reverse=True):
        plain = re.escape(number.replace("\u202f", " "))
        text = re.sub(rf"(?<![\d,]){plain}(?![\d,])", number, text)
    return text


def repeated_by_the_layout(path: Path) -> set[str]:
    """Numbers that a PDF prints again: headers of a table that goes on, numbers of ordered lists."""
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    heads = numbers_of("\n".join(head.get_text("\n") for head in soup.find_all("thead")))
    longest = max(len(one.find_all("li", recursive=False)) for one in soup.main.find_all("ol"))
    return set(heads) | {str(n) for n in range(1, longest + 1)}


def test_each_document_has_its_check_without_anomaly(rendered: Path) -> None:
    made = {path.name for path in rendered.iterdir() if path.suffix != ".json"}
    assert made == {f"rapport.{one}" for one in ("html", "docx", "pdf", "xlsx")} | {
        f"comite.{one}" for one in ("html", "docx", "pdf")
    }
    for name in made:
        check = json.loads((rendered / f"{name}.controle.json").read_text(encoding="utf-8"))
        assert check["anomalies"] == [], name
        assert check["verifie_par"]
        assert check["non_verifie"]
        assert check["comptes"]["octets"] == (rendered / name).stat().st_size


def test_documents_stay_small(rendered: Path) -> None:
    sizes = {path.suffix: path.stat().st_size for path in rendered.glob("rapport.*") if path.suffix != ".json"}
    assert sizes[".html"] < 2_500_000
    assert sizes[".pdf"] < 2_000_000
    assert sizes[".docx"] < 2_000_000
    assert sizes[".xlsx"] < 1_000_000


def test_the_word_report_opens_in_libreoffice(rendered: Path, tmp_path: Path) -> None:
    """LibreOffice lays it out: pages with the header, the mark and the tables."""
    printed = laid_out(rendered / "rapport.docx", tmp_path)
    text = subprocess.run(
        [need_program("pdftotext"), str(printed), "-"], capture_output=True, check=True
    ).stdout.decode("utf-8")
    assert text.count("DONNÉES FICTIVES") > 10, "sur chaque page"
    assert "Q1 : niveaux des sous-questions" in text


# --- what is asked, what is possible -------------------------------------------------------------------------------------


def test_doctests_pass() -> None:
    assert doctest.testmod(formats).failed == 0


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("html", ("html",)),
        ("pdf", ("html", "pdf")),
        ("PDF;Docx", ("html", "docx", "pdf")),
        (" html , docx ", ("html", "docx")),
        ("xlsx", ("html", "xlsx")),
    ],
)
def test_formats_are_read_as_people_type_them(typed: str, read: tuple[str, ...]) -> None:
    assert formats.read_formats(typed) == read


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("word", "--format docx"),
        ("excel", "--format xlsx"),
        ("pfd", "--format pdf"),
        ("odt", "html,docx,pdf"),
        (",", "html"),
    ],
)
def test_an_unknown_format_is_told(typed: str, words: str) -> None:
    with pytest.raises(EvalkitError) as raised:
        formats.read_formats(typed)
    assert raised.value.faults[0].code == "USA-002"
    assert words in raised.value.faults[0].fix


def test_without_asking_what_is_missing_is_one_sentence(without_pango: None) -> None:
    possible, faults = formats.possible_formats(None)
    assert possible == ("html", "docx", "xlsx")
    said = formats.in_one_sentence(faults[0])
    assert said == "[DOC-001] Pas de PDF : la bibliothèque système Pango manque ; installez Pango."


def test_only_the_report_has_a_workbook() -> None:
    """Asked for a synthesis: told, with what there is. Asked for a territory: its two pages go without."""
    assert formats.possible_formats(None, "synthese")[0][-1] != "xlsx"
    with pytest.raises(EvalkitError) as raised:
        formats.possible_formats(("html", "xlsx"), "synthese")
    assert raised.value.faults[0].code == "USA-002"
    assert "xlsx" not in raised.value.faults[0].expected
    assert formats.formats_of("comite", ("html", "docx", "xlsx")) == ("html", "docx")
    assert formats.formats_of("rapport", ("html", "docx", "xlsx")) == ("html", "docx", "xlsx")


def test_a_library_that_does_not_load_is_a_french_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra that is not installed, the system library that is not there: two messages, never a traceback."""
    import builtins

    real = builtins.__import__

    def failing(kind: type[Exception]):
        def load(name: str, *others: object, **more: object) -> object:
            if name == "weasyprint":
                raise kind("cannot load library 'libgobject-2.0-0'")
            return real(name, *others, **more)

        return load

    monkeypatch.setattr(builtins, "__import__", failing(ImportError))
    assert "complément « pdf »" in formats.FORMATS["pdf"].needs().read
    monkeypatch.setattr(builtins, "__import__", failing(OSError))
    fault = formats.FORMATS["pdf"].needs()
    assert "Pango" in fault.read
    assert fault.fix


@pytest.mark.parametrize(("asked", "code"), [([], 0), (["--format", "pdf,docx"], 12)])
def test_only_a_format_that_was_asked_for_changes_the_exit_code(
    without_pango: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: list[str], code: int
) -> None:
    """On a machine without Pango: the page and the Word file come out, the PDF is told; 12 only for who asked."""
    with pytest.raises(SystemExit) as stopped:
        cli.main(["rapport", str(copy_ardelle(tmp_path / "campagne")), "--vers", str(tmp_path / "sorties"), *asked])
    assert stopped.value.code == code
    assert sorted(p.name for p in (tmp_path / "sorties" / "ardelle").glob("rapport.*") if p.suffix != ".json") == [
        "rapport.docx",
        "rapport.html",
        *(() if asked else ("rapport.xlsx",)),
    ]
    told = capsys.readouterr()
    assert "[DOC-001]" in (told.err if asked else told.out)
    assert ("Corriger" in told.err) == bool(asked)


# --- beside a page --------------------------------------------------------------------------------------------------------


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """A page that is there, and what is asked of it."""
    (tmp_path / "rapport.html").write_text(make_page(), encoding="utf-8")
    return Task("essai", Path("x.ipynb"), {}, tmp_path / "rapport", formats=("html", "docx"))


def test_a_corrected_word_file_is_kept(task: Task) -> None:
    """Made again over our own file: replaced. Over one that a person changed: kept aside, and said, each time."""
    path = Path(f"{task.output}.docx")
    assert write_others(task, write_whole).notes == ()
    assert write_others(task, write_whole).notes == ()
    path.write_bytes(path.read_bytes() + b"corrections")
    first = write_others(task, write_whole)
    assert "rapport-corrige-1.docx" in first.notes[0]
    assert path.with_name("rapport-corrige-1.docx").read_bytes().endswith(b"corrections")
    path.write_bytes(b"autre")
    assert "rapport-corrige-2.docx" in write_others(task, write_whole).notes[0]
    assert path.with_name("rapport-corrige-1.docx").read_bytes().endswith(b"corrections")


@pytest.mark.parametrize(("kind", "told"), [("rapport", True), ("comite", False), ("synthese", False)])
def test_what_cannot_be_taken_back_is_not_promised(task: Task, kind: str, told: bool) -> None:
    """Only a report has places to write: for the others, the command that would end in DON-120 is not said."""
    dossier = task.output.parent / "mes dossiers" / "essai"
    dossier.mkdir(parents=True)
    other = replace(task, kind=kind, dossier=dossier)
    write_others(other, write_whole)
    path = Path(f"{task.output}.docx")
    path.write_bytes(typed(path.read_bytes(), "q1", [p(r("Un mot."))]))
    (note,) = write_others(other, write_whole).notes
    assert "rapport-corrige-1.docx" in note
    assert ("importer textes" in note) is told
    assert (f'--vers "{dossier}"' in note) is told


def test_a_document_whose_check_is_lost_is_not_said_changed(task: Task) -> None:
    """The same bytes as we would write: ours. Others: kept, and said for what it is, nobody knows."""
    path = Path(f"{task.output}.docx")
    write_others(task, write_whole)
    check = Path(f"{path}.controle.json")
    check.unlink()
    assert write_others(task, write_whole).notes == ()
    check.unlink()
    Path(f"{task.output}.html").write_text(make_page("<p>Autre chose.</p>"), encoding="utf-8")
    (note,) = write_others(task, write_whole).notes
    assert "avait été modifié" not in note
    assert "rapport.docx.controle.json manque" in note
    assert path.with_name("rapport-corrige-1.docx").is_file()


def test_what_was_taken_back_is_not_proposed_again(task: Task) -> None:
    """The command can be copied as it is, and goes once the texts are in the dossier; a lone workbook has none."""
    dossier = task.output.parent / "essai"
    dossier.mkdir()
    path, task = Path(f"{task.output}.docx"), replace(task, dossier=dossier)
    write_others(task, write_whole)
    changed = typed(path.read_bytes(), "q1", [p(r("Un mot."))])
    path.write_bytes(changed)
    kept = path.with_name("rapport-corrige-1.docx")
    (note,) = write_others(task, write_whole).notes
    assert f"evalkit importer textes {kept} --vers {dossier}" in note
    actions.import_texts(kept, dossier)
    path.write_bytes(changed)
    (note,) = write_others(task, write_whole).notes
    assert "importer textes" not in note
    assert "Rien n’y reste à reprendre." in note
    path.write_bytes(typed(changed, "q1", [p(r("Un autre."))]))
    (note,) = write_others(replace(task, dossier=dossier.with_suffix(".xlsx")), write_whole).notes
    assert "importer textes" not in note


def test_a_document_open_in_word_leaves_the_others(task: Task) -> None:
    need_pdf()

    def write(path: Path, content: bytes) -> None:
        if path.suffix == ".docx":
            raise PermissionError(13, "ouvert dans Word")
        write_whole(path, content)

    others = write_others(replace(task, formats=("html", "docx", "pdf")), write)
    assert [fault.code for fault in others.faults] == ["DOC-003"]
    assert others.documents == ("rapport.pdf",)


def test_a_bug_in_one_format_leaves_the_others_and_keeps_its_traceback(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_pdf()

    def wrong(source: object) -> bytes:
        raise ZeroDivisionError("un défaut de nos formats")

    monkeypatch.setitem(formats.FORMATS, "docx", replace(formats.FORMATS["docx"], make=wrong))
    with pytest.raises(ZeroDivisionError):
        write_others(replace(task, formats=("html", "docx", "pdf")), write_whole)
    assert Path(f"{task.output}.pdf").is_file()


def test_a_dossier_saved_meanwhile_gives_no_workbook() -> None:
    """The workbook is read from the dossier a second time: other data, no workbook."""
    publication = make_publication()
    with pytest.raises(EvalkitError, match="DOC-004"):
        formats.FORMATS["xlsx"].make(
            formats.Source(make_page(), publication=lambda: replace(publication, empreinte="autre"))
        )


def test_an_anomaly_found_in_a_document_is_said() -> None:
    """A document that was made is not always one to send: the command says what its check found."""
    others = Others(("rapport.docx",), {"rapport.docx": {"anomalies": ["3 nombre(s) de la page absent(s) d'ici", "x"]}})
    outcome = Outcome("essai", "rapport", True, documents=("rapport.html",), title="Essai", others=others)
    assert "Essai, rapport.docx, à relire : 3 nombre(s) de la page absent(s) d'ici (et 1 autres)" in summary([outcome])


def test_a_model_that_cannot_be_used_leaves_the_others(task: Task, tmp_path: Path) -> None:
    need_pdf()
    model = tmp_path / "modele.docx"
    model.write_bytes(b"pas un docx")
    others = write_others(replace(task, formats=("html", "docx", "pdf"), model=model), write_whole)
    assert [(fault.code, fault.place.file) for fault in others.faults] == [("DOC-002", str(model))]
    assert others.documents == ("rapport.pdf",)


def test_a_document_of_an_earlier_page_is_told(task: Task) -> None:
    """A Word file that stays beside a newer page may say another figure."""
    write_others(task, write_whole)
    only_page = replace(task, formats=("html",))
    assert write_others(only_page, write_whole).notes == (), "la page n'a pas changé : il dit la même chose"
    Path(f"{task.output}.html").write_text(make_page("<p>12</p>"), encoding="utf-8")
    assert "rapport.docx" in write_others(only_page, write_whole).notes[0]


def test_the_model_is_found_in_the_dossier_then_in_the_campaign(tmp_path: Path) -> None:
    dossier = tmp_path / "2026" / "valbrune"
    dossier.mkdir(parents=True)
    assert actions.find_model(dossier) is None
    campaign = actions.write_model(dossier.parent)
    assert actions.find_model(dossier) == campaign
    own = actions.write_model(dossier)
    assert actions.find_model(dossier) == own
    assert actions.find_model(dossier.parent) == campaign
    with pytest.raises(EvalkitError) as raised:
        actions.write_model(dossier)
    assert raised.value.faults[0].code == "USA-010"


# --- the index ------------------------------------------------------------------------------------------------------------


def entry(**changes: object) -> dict[str, object]:
    base = {
        "nom": "essai", "titre": "Essai", "genre": "rapport", "etat": "reussi", "anomalies": [], "controle": {"anomalies": []},
        "fichiers": ["rapport.html", "rapport.docx", "rapport.pdf"], "formats_manquants": [],
        "controles": {"rapport.docx": {"anomalies": []}, "rapport.pdf": {"anomalies": ["figure 2 sans texte"]}},
    }  # fmt: skip
    return {**base, **changes}


def test_the_index_gives_each_format_and_its_check() -> None:
    controls = {"synthese.html": {"anomalies": []}, "synthese.pdf": {"anomalies": ["pas de signets"]}}
    page = BeautifulSoup(render_index(make_campagne(), [entry()], ["synthese.html"], controls), "html.parser")
    links = {link["href"]: link.get_text() for link in page.find_all("a")}
    assert (links["essai/rapport.html"], links["essai/rapport.docx"], links["essai/rapport.pdf"]) == (
        "Essai",
        "Word",
        "PDF",
    )
    assert links["synthese.pdf"] == "PDF"
    text = page.get_text(" ")
    assert "PDF\u00a0: figure 2 sans texte" in text
    assert "PDF\u00a0: pas de signets" in text
    assert page.find("a", href="essai/rapport.pdf")["aria-label"] == "PDF : Essai"


def test_the_index_says_what_was_not_made() -> None:
    fault = Fault("DOC-003", Place(), "un fichier ouvert ailleurs").as_dict()
    documents = [entry(fichiers=["rapport.html"], controles={}, formats_manquants=[fault])]
    text = BeautifulSoup(render_index(make_campagne(), documents, []), "html.parser").get_text(" ")
    assert "non produit\u00a0: un fichier ouvert ailleurs" in text
    assert not re.search(r"rien à signaler", text)


def test_the_index_counts_the_territories_that_have_no_report_yet() -> None:
    """An interrupted batch, or one territory asked for alone: « 1 rapport sur 1 territoire » could not be defended."""
    documents = [entry(fichiers=["rapport.html"])]
    name = documents[0]["nom"]
    page = render_index(make_campagne(), documents, [], territoires=[name, "valbrune", "Écaillon"])
    text = " ".join(BeautifulSoup(page, "html.parser").get_text(" ").split())
    assert "1 rapport sur 3 territoires" in text
    assert "Pas encore produits ici, par dossier : Écaillon, valbrune." in text.replace("\u202f", " ")
    assert "Pas encore" not in render_index(make_campagne(), documents, [], territoires=[name])


def test_a_journal_of_before_is_still_read() -> None:
    """A journal written by an earlier evalkit has no other format in it."""
    old = {
        key: value
        for key, value in entry(fichiers=["rapport.html"]).items()
        if key not in ("controles", "formats_manquants")
    }
    assert "rien à signaler" in render_index(make_campagne(), [old], [])


def test_the_batch_module_only_knows_formats_by_their_table() -> None:
    """A new format is one entry: nothing else names them."""
    source = Path(batch_formats.__file__).read_text(encoding="utf-8")
    assert not re.search(r"\"(pdf|docx|xlsx)\"", source)
