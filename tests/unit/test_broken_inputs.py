"""Damaged inputs, one by one: a French message at the right place, never a traceback, nothing drawn from what is wrong."""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from evalkit import actions
from evalkit.batch import apart, runner
from evalkit.batch.journal import entry_of, journal_of, read_documents, write_entries
from evalkit.batch.plan import Task
from evalkit.compute.actions import _days
from evalkit.documents.new_dossier import make_new_dossier
from evalkit.errors import EvalkitError, Fault, Place, only_errors
from evalkit.loaders.dossier import check_dossier, load_dossier
from evalkit.loaders.fingerprint import ensure_key, read_key
from evalkit.loaders.open_data_text import read_json
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.regional_reference import wrong_reference
from evalkit.loaders.resources import resource_dir
from evalkit.model.referentiel import CalculActions

SAMPLES = resource_dir("sample_data")
REFERENTIEL = load_referentiel()
WORKBOOK = "bailloncq"  # a sample that lives in a workbook
REFERENCE = "reference_regionale.json"


@pytest.fixture
def campagne(tmp_path: Path) -> Path:
    """The sample campaign with one territory in CSV files, without surveys, and the campaign before."""
    for year, names in (("2022", ("campagne.yml", "contexte.parquet", REFERENCE)), ("2019", ("campagne.yml",))):
        (tmp_path / year).mkdir()
        for name in names:
            shutil.copy(SAMPLES / year / name, tmp_path / year)
        shutil.copytree(SAMPLES / year / "ardelle", tmp_path / year / "ardelle")
    shutil.rmtree(tmp_path / "2022" / "ardelle" / "enquetes")  # its own tests are elsewhere
    return tmp_path / "2022"


def errors(dossier: Path) -> list[tuple[str, str]]:
    """(code, message) of every blocking fault."""
    return [(fault.code, str(fault)) for fault in only_errors(check_dossier(dossier, REFERENTIEL).faults)]


def codes(dossier: Path) -> list[str]:
    return [code for code, _ in errors(dossier)]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# --- cells --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "cure"),
    [("9" * 400, "de 0 à 5"), ("7,5", "de 0 à 5"), ("3,5", "choisissez 3 ou 4"), ("\u202e37", "de 0 à 5")],
)
def test_a_level_that_no_scale_has(campagne: Path, level: str, cure: str) -> None:
    file = campagne / "ardelle" / "cotations.csv"
    file.write_text(f"sous_question;repondant;groupe;niveau\nQ1.1;R01;pilote;{level}\n", encoding="utf-8")
    ((code, message),) = errors(campagne / "ardelle")
    assert code == "DON-014"
    assert cure in message
    assert "\u202e" not in message, "un signe invisible ne doit pas retourner la ligne du message"


def test_a_number_far_too_long_is_not_repeated_in_full(campagne: Path) -> None:
    file = campagne / "ardelle" / "indicateurs.csv"
    file.write_text(f"indicateur;annee;numerateur;denominateur\nQ1.1.a;2021;1{'0' * 400};5\n", encoding="utf-8")
    ((code, message),) = errors(campagne / "ardelle")
    assert code == "DON-016"
    assert "401 chiffres" in message
    assert len(message) < 500


def test_a_share_far_too_large_is_not_told_to_lose_a_minus_sign(campagne: Path) -> None:
    file = campagne / "ardelle" / "indicateurs.csv"
    file.write_text("indicateur;annee;valeur\nQ1.1.a;2021;1e99\n", encoding="utf-8")
    ((code, message),) = errors(campagne / "ardelle")
    assert code == "DON-003"
    assert "signe moins" not in message


def test_a_month_without_its_day_gives_no_delay(campagne: Path) -> None:
    delay = CalculActions(type="mediane_jours", debut="date_depot", fin="date_notification")
    assert _days({"date_depot": "2022-05-01", "date_notification": "2022-05-11"}, delay) == 10
    for start, end in (("2022-05", "2022-05-11"), ("2022-05-01", "2022-06")):
        days = _days({"date_depot": start, "date_notification": end}, delay)
        assert days != days, "ni zéro, ni premier du mois inventé"
    file = campagne / "ardelle" / "actions.csv"
    head = file.read_text(encoding="utf-8").splitlines()[0].split(";")
    row = {"action_id": "A1", "annee": "2021", "titre": "t", "date_depot": "2022-05", "date_notification": "2022-06-01"}
    file.write_text(";".join(head) + "\n" + ";".join(row.get(name, "") for name in head) + "\n", encoding="utf-8")
    actions.load_publication(campagne / "ardelle")


# --- identity -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('siren: "1"\n', "DON-018"),
        ("siren: " + "9" * 5000 + "\n", "DON-018"),
        ("siren: " + "9" * 500 + ".5\n", "DON-018"),
        ("enseigne: !inconnu {a: b}\n", "DON-018"),
        ("communes: !!set {a, b}\n", ""),
    ],
)
def test_strange_yaml_values(campagne: Path, text: str, expected: str) -> None:
    file = campagne / "ardelle" / "territoire.yml"
    lines = [
        line for line in file.read_text(encoding="utf-8").splitlines(True) if line[:8] not in ("enseigne", "communes")
    ]
    file.write_text(text + "".join(lines), encoding="utf-8")
    assert codes(campagne / "ardelle") == ([expected] if expected else [])


def test_keys_of_two_kinds_do_not_stop_the_fingerprint(campagne: Path) -> None:
    change(campagne / "ardelle" / "territoire.yml", "  npnru: oui", "  npnru: oui\n  3: trois\n  autre: oui")
    (campagne / "ardelle" / "local.yml").write_text(
        "3: x\nquestions:\n  - code: L1\n    libelle: a\n", encoding="utf-8"
    )
    assert load_dossier(campagne / "ardelle", REFERENTIEL).empreinte


def test_an_unreadable_identity_is_one_message(campagne: Path) -> None:
    """Quarters that could not be read are not also « unknown » in each line of actions."""
    change(campagne / "ardelle" / "territoire.yml", "fictif: oui", "\tfictif: oui")
    assert codes(campagne / "ardelle") == ["DON-029"]


def test_a_wrong_quarter_is_one_message(campagne: Path) -> None:
    change(campagne / "ardelle" / "territoire.yml", "QF059006", "QF06")
    assert codes(campagne / "ardelle") == ["DON-025"]


@pytest.mark.skipif(Path(__file__.upper()).exists(), reason="système qui ne distingue pas les majuscules")
def test_names_in_capitals(campagne: Path) -> None:
    folder = campagne / "ardelle"
    (folder / "territoire.yml").rename(folder / "Territoire.YML")
    ((code, message),) = errors(folder)
    assert code == "DON-009"
    assert "renommez-le « territoire.yml »" in message


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("annee: 2022", "annee: 0", "DON-003"),
        ("annee: 2022", "annee: " + "9" * 400, "DON-016"),
        ('"discriminations"', '"discrimination"', "DON-013"),
        ('campagne_precedente: "2019"', 'campagne_precedente: "' + "a" * 5000 + '"', ""),
    ],
)
def test_a_wrong_campaign(campagne: Path, old: str, new: str, code: str) -> None:
    change(campagne / "campagne.yml", old, new)
    assert codes(campagne / "ardelle") == ([code] if code else [])


def test_an_unread_campaign_does_not_blame_the_followups(campagne: Path) -> None:
    (campagne / "campagne.yml").write_text("a: [", encoding="utf-8")
    assert [fault.code for fault in check_dossier(campagne / "ardelle", REFERENTIEL).faults] == ["DON-029"]


def test_a_damaged_previous_dossier_is_named_once(campagne: Path) -> None:
    (campagne.parent / "2019" / "ardelle" / "constats.csv").write_bytes(b"\x00\x01")
    faults = check_dossier(campagne / "ardelle", REFERENTIEL).faults
    assert [fault.code for fault in faults] == ["DON-040"]
    assert "2019/ardelle" in faults[0].read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("questions:\n  - code: {a: 1}\n    libelle: b\n", "sans code"),
        ("questions:\n  - code: L1\n    libelle: a\n  - code: L1\n    libelle: b\n", "déjà donné plus haut"),
    ],
)
def test_a_wrong_local_question(campagne: Path, text: str, read: str) -> None:
    (campagne / "ardelle" / "local.yml").write_text(text, encoding="utf-8")
    ((code, message),) = errors(campagne / "ardelle")
    assert code == "DON-042"
    assert read in message


# --- workbooks ----------------------------------------------------------------------------------------------------------


def rewritten(part: str, content: bytes) -> bytes:
    """The sample workbook with one of its parts replaced."""
    source = zipfile.ZipFile(SAMPLES / "2022" / WORKBOOK / "evaluation.xlsx")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, content if name == part else source.read(name))
    return out.getvalue()


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "docProps/custom.xml"])
def test_a_workbook_cut_inside_is_one_message(campagne: Path, part: str) -> None:
    (campagne / WORKBOOK).mkdir()
    (campagne / WORKBOOK / "evaluation.xlsx").write_bytes(rewritten(part, b"<?xml version='1.0'?><coupe>"))
    assert codes(campagne / WORKBOOK) == ["DON-001"], "et pas aussi « pas d’identité du territoire »"


@pytest.mark.skipif(Path(__file__.upper()).exists(), reason="système qui ne distingue pas les majuscules")
def test_two_workbooks_are_refused(campagne: Path) -> None:
    """The last one read must not win in silence."""
    shutil.copytree(SAMPLES / "2022" / WORKBOOK, campagne / WORKBOOK)
    shutil.copy(campagne / WORKBOOK / "evaluation.xlsx", campagne / WORKBOOK / "EVALUATION.xlsx")
    assert codes(campagne / WORKBOOK) == ["DON-011"]


# --- context, reference, key --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "read"),
    [
        (lambda frame: frame.assign(valeur=frame["valeur"].astype(str)), "autre chose que des nombres"),
        (lambda frame: frame.assign(valeur=float("inf")), "autre chose que des nombres"),
        (lambda frame: frame.assign(edition=2021), "autre chose que du texte"),
        (lambda frame: frame.assign(silence="peut-être"), "un silence inconnu"),
        (lambda frame: frame.assign(theme=None), "sans clé"),
        (lambda frame: pd.concat([frame, frame]), "répétées"),
    ],
)
def test_a_context_that_evalkit_did_not_write(campagne: Path, spoil: Callable[[Any], Any], read: str) -> None:
    file = campagne / "contexte.parquet"
    spoil(pd.read_parquet(file)).to_parquet(file)
    ((code, message),) = errors(campagne / "ardelle")
    assert code == "DON-085"
    assert read in message


def frozen(**changes: Any) -> dict[str, Any]:
    """A small valid reference, changed."""
    content: dict[str, Any] = {
        "format": 1,
        "campagne": "2022",
        "date": "2022-11-30",
        "n_territoires": 6,
        "referentiel_version": "2022.1",
        "indicateurs": {"Q1.1.a|saisie": {"n": 6, "q1": 1.0, "mediane": 2.0, "q3": 3.0}},
        "niveaux": {"Q1.1": {"n": 6, "effectifs": [1, 1, 1, 1, 1, 1]}},
        "questions": {},
    }
    return {**content, **changes}


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (frozen(), ""),
        ([], "une autre forme"),
        (frozen(format=True), "une autre forme"),
        (frozen(indicateurs=[]), "sans « indicateurs »"),
        (frozen(date="hier"), "une date"),
        (frozen(indicateurs={"Q": {"n": 6}}), "des quartiles"),
        (frozen(indicateurs={"Q": "x"}), "nombre de territoires"),
        (frozen(indicateurs={"Q": {"n": 6, "q1": 3.0, "mediane": 2.0, "q3": 1.0}}), "ne se suivent pas"),
        (frozen(indicateurs={"Q": {"n": 6, "q1": float("nan"), "mediane": 2.0, "q3": 3.0}}), "des quartiles"),
        (frozen(indicateurs={"Q": {"n": 4, "q1": 1.0, "mediane": 2.0, "q3": 3.0}}), "moins de 5 territoires"),
        (frozen(niveaux={"Q": {"n": 2, "effectifs": [1, 1, 0, 0, 0, 0]}}), "moins de 5 territoires"),
        (frozen(niveaux={"Q": {"n": 6, "effectifs": [1, 1, 0, 0, 0, 0]}}), "dont la somme"),
    ],
)
def test_what_a_frozen_reference_is(content: Any, read: str) -> None:
    """A reference under five territories is refused whoever made it: a report would publish it."""
    found = wrong_reference(content, 5)
    assert read in found
    assert bool(found) is bool(read)


@pytest.mark.parametrize("content", ["{", "[" * 100_000, '{"format": 1}', "é"])
def test_a_damaged_reference_is_told(campagne: Path, content: str) -> None:
    (campagne / REFERENCE).write_bytes(content.encode("latin-1"))
    assert codes(campagne / "ardelle") == ["DON-042"]


def test_the_reference_of_another_version_is_refused(campagne: Path) -> None:
    content = json.loads((campagne / REFERENCE).read_text(encoding="utf-8"))
    (campagne / REFERENCE).write_text(json.dumps({**content, "referentiel_version": "1999.1"}), encoding="utf-8")
    ((code, message),) = errors(campagne / "ardelle")
    assert code == "DON-022"
    assert "--figer" in message


def test_a_damaged_reference_does_not_stop_the_one_that_replaces_it(campagne: Path) -> None:
    (campagne / REFERENCE).write_text("{", encoding="utf-8")
    evaluations, excluded = actions.evaluate_campaign(campagne, REFERENTIEL)
    assert [evaluation.territoire.dossier for evaluation in evaluations] == ["ardelle"]
    assert excluded == []


def test_a_department_leaves_out_its_own_broken_dossiers_only(campagne: Path) -> None:
    """One of another department would be named in a page that says nothing of it; one that does not say is named."""
    own = load_dossier(campagne / "ardelle", REFERENTIEL).territoire.departement
    for name, code in (("ailleurs", "99"), ("ici", own), ("nulle-part", "")):
        shutil.copytree(campagne / "ardelle", campagne / name)
        (campagne / name / "cotations.csv").write_text("n’importe quoi", encoding="utf-8")
        file = campagne / name / "territoire.yml"
        lines = file.read_text(encoding="utf-8").splitlines()
        kept = [f'departement: "{code}"' if line.startswith("departement:") else line for line in lines]
        file.write_text("\n".join(line for line in kept if line != 'departement: ""') + "\n", encoding="utf-8")
    _, excluded = actions.evaluate_campaign(campagne, REFERENTIEL, own)
    assert [name for name, _ in excluded] == ["ici", "nulle-part"]
    _, region = actions.evaluate_campaign(campagne, REFERENTIEL)
    assert [name for name, _ in region] == ["ailleurs", "ici", "nulle-part"]


def test_a_workbook_says_its_department_too_and_a_wrong_code_hides_no_dossier(campagne: Path) -> None:
    """Known to be elsewhere: not named. « Nord », or 1 in YAML, is no department's code: named everywhere, never lost."""
    own = load_dossier(campagne / "ardelle", REFERENTIEL).territoire.departement
    for name, code in (("ailleurs", "99"), ("ici", own), ("mal-dit", "Nord")):
        workbook = make_new_dossier(campagne / name, REFERENTIEL, nom=name)
        book = openpyxl.load_workbook(workbook)
        territory = book["territoire"]
        row = next(cell.row for cell in territory["A"] if cell.value == "departement")
        territory.cell(row, 2).value = code
        level = next(cell.column for cell in book["arbitrages"][1] if cell.value == "niveau")
        book["arbitrages"].cell(2, level).value = 9
        book.save(workbook)
    for name, code in (("nord", "Nord"), ("sans-zero", "1")):
        shutil.copytree(campagne / "ardelle", campagne / name)
        file = campagne / name / "territoire.yml"
        text = file.read_text(encoding="utf-8")
        file.write_text(re.sub(r"(?m)^departement:.*$", f"departement: {code}", text), encoding="utf-8")
    _, excluded = actions.evaluate_campaign(campagne, REFERENTIEL, own)
    assert [name for name, _ in excluded] == ["ici", "mal-dit", "nord", "sans-zero"]


@pytest.mark.parametrize("key", ["", "zz", "ab", "ab" * 15])
def test_a_key_that_could_be_guessed_is_no_key(campagne: Path, key: str) -> None:
    file = campagne / "ardelle" / ".evalkit" / "cle"
    file.parent.mkdir(exist_ok=True)
    file.write_text(key, encoding="ascii")
    assert read_key(campagne / "ardelle") == b""
    with pytest.raises(EvalkitError, match="DON-027"):
        ensure_key(campagne / "ardelle")
    assert file.read_text(encoding="ascii") == key, "rien n’est écrasé"


def test_a_geojson_without_end_is_told(tmp_path: Path) -> None:
    (tmp_path / "contours.geojson").write_text("[" * 100_000, encoding="utf-8")
    content, faults = read_json(tmp_path / "contours.geojson")
    assert content is None
    assert [fault.code for fault in faults] == ["DON-072"]


def test_signs_that_turn_the_text_round_are_taken_away(campagne: Path) -> None:
    file = campagne / "ardelle" / "cotations.csv"
    file.write_text(
        "sous_question;repondant;groupe;niveau;preuve\nQ1.1;R01;pilote;\u202e3;a\u202eb\n", encoding="utf-8"
    )
    (campagne / "ardelle" / "textes" / "presentation.md").write_text("a\u202eb", encoding="utf-8")
    dossier = load_dossier(campagne / "ardelle", REFERENTIEL)
    assert [fault.code for fault in dossier.avertissements] == ["DON-031", "DON-031"]
    assert dossier.tables["cotations"]["preuve"].tolist() == ["ab"]
    assert dossier.textes["presentation"] == "ab"
    change(campagne / "ardelle" / "territoire.yml", "Contrat", "\u202eContrat")
    assert codes(campagne / "ardelle") == ["DON-029"]


def test_a_long_line_is_not_quoted_in_full(campagne: Path) -> None:
    change(campagne / "ardelle" / "territoire.yml", "fictif: oui", f"epci: a: {'b' * 5000}")
    ((code, message),) = errors(campagne / "ardelle")
    assert code == "DON-029"
    assert len(message) < 800


# --- commands -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def without_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports are one line long, and made in this process."""

    def write_page(task: Task, _: object) -> tuple[tuple[str, ...], dict[str, Any]]:
        page = Path(f"{task.output}.html")
        page.parent.mkdir(parents=True, exist_ok=True)
        runner.write_whole(page, b"page")
        return (page.name,), {"anomalies": []}

    def execute_notebook(task: Task, *_: object) -> str:
        if task.dossier:  # what the first cell of the notebook does
            load_dossier(task.dossier, load_referentiel())
        return task.name

    monkeypatch.setattr(runner, "execute_notebook", execute_notebook)
    monkeypatch.setattr(runner, "write_page", write_page)
    monkeypatch.setattr(apart, "local_executor", lambda _: ThreadPoolExecutor(1))
    monkeypatch.setattr(apart, "render_apart", runner.render_tasks)


def refused(action: Callable[[], object], code: str) -> str:
    with pytest.raises(EvalkitError) as caught:
        action()
    assert [fault.code for fault in caught.value.faults] == [code]
    return str(caught.value)


def test_one_dossier_failing_in_each_way_leaves_the_others(campagne: Path, without_rendering: None) -> None:
    spoiled = {
        "cotations.csv": "DON-001",
        "territoire.yml": "DON-029",
        ".evalkit/cle": "DON-027",
        "contexte.parquet": "DON-085",
        "local.yml": "DON-029",
    }
    for rank, name in enumerate(spoiled):
        shutil.copytree(campagne / "ardelle", campagne / f"t{rank}")
        (campagne / f"t{rank}" / name).parent.mkdir(exist_ok=True)
        (campagne / f"t{rank}" / name).write_bytes(b"\tx: \x00" if name.endswith("csv") else b"\tx")
    result = actions.render_batch(campagne, campagne.parent / "out", 1)
    assert {o.name: o.ok for o in result.outcomes} == {"ardelle": True, **{f"t{rank}": False for rank in range(5)}}
    found = {o.name: {fault.code for fault in o.faults} for o in result.outcomes if not o.ok}
    assert found == {f"t{rank}": {code} for rank, code in enumerate(spoiled.values())}
    assert (campagne.parent / "out" / "index.html").is_file()


@pytest.mark.parametrize("name", ["constats.csv", "territoire.yml", "evaluation.xlsx"])
def test_a_folder_that_bears_the_name_of_a_file_is_told(campagne: Path, name: str) -> None:
    """Taken for an absent file, it would leave the report without what it stands for, and say nothing."""
    (campagne / "ardelle" / name).unlink(missing_ok=True)
    (campagne / "ardelle" / name).mkdir()
    found = check_dossier(campagne / "ardelle", load_referentiel()).faults
    told = [fault for fault in found if fault.code == "DON-027"]
    assert [(fault.place.file, fault.read) for fault in told] == [
        (f"ardelle/{name}", "un dossier qui porte le nom d’un fichier")
    ]
    assert "DON-024" not in {fault.code for fault in found}


def test_a_name_of_spaces_is_no_name(campagne: Path) -> None:
    path = campagne / "ardelle" / "territoire.yml"
    text = re.sub(r"(?m)^nom:.*$", "nom: '  '", path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    found = check_dossier(campagne / "ardelle", load_referentiel()).faults
    assert [(fault.code, fault.read) for fault in only_errors(found)] == [("DON-024", "pas de « nom »")]


@pytest.mark.skipif(sys.platform == "win32", reason="un lien y demande des droits")
def test_a_linked_territory_belongs_to_the_campaign_where_the_link_is(campagne: Path, tmp_path: Path) -> None:
    shortcut = tmp_path / "raccourci"  # where there is no campaign: what it leads to
    shortcut.symlink_to(campagne / "ardelle")
    expected = load_dossier(shortcut, load_referentiel()).campagne
    elsewhere = tmp_path / "ailleurs" / "ardelle"
    elsewhere.parent.mkdir()
    (campagne / "ardelle").rename(elsewhere)
    (campagne / "lié").symlink_to(elsewhere)
    assert load_dossier(campagne / "lié", load_referentiel()).campagne == expected
    with pytest.raises(EvalkitError, match="DON-027"):
        load_dossier(elsewhere, load_referentiel())  # beside it, no campaign


@pytest.mark.parametrize("taken", ["", "journal.json", "index.html"])
def test_an_output_that_cannot_be_written_is_told(campagne: Path, without_rendering: None, taken: str) -> None:
    out = campagne.parent / "out"
    if taken:
        (out / taken).mkdir(parents=True)
    else:
        out.write_text("un fichier", encoding="utf-8")
    message = refused(lambda: actions.render_batch(campagne, out, 1), "LOT-003")
    assert str(out / taken) in message
    assert "là où il faut un" in message
    assert not list(out.rglob("*.tmp")), "aucun reste"


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"documents": 3}', '{"documents": [{}]}', '{"documents": [{"nom": "../x", "fichiers": []}]}']
)
def test_a_damaged_journal_does_not_stop_the_index(tmp_path: Path, text: str) -> None:
    (tmp_path / "journal.json").write_text(text, encoding="utf-8")
    assert read_documents(tmp_path / "journal.json") == []


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    fault = Fault("LOT-002", Place(file="rapport.ipynb"), "x", "y", "z")
    outcomes = [
        runner.Outcome("a", "rapport", True, ("rapport.html",)),
        runner.Outcome("b", "rapport", False, faults=(fault,)),
    ]
    write_entries(tmp_path / "journal.json", journal_of("2022", [entry_of(one) for one in outcomes]))
    assert [entry["nom"] for entry in read_documents(tmp_path / "journal.json")] == ["a", "b"]


@pytest.mark.parametrize("departement", ["99", "5", "../../x"])
def test_a_department_that_nobody_has_is_refused(campagne: Path, departement: str) -> None:
    """A name of a file is never made of what was typed before it is known."""
    message = refused(
        lambda: actions.render_synthesis(campagne, campagne.parent / "out", departement=departement), "USA-002"
    )
    assert "59" in message
    assert not (campagne.parent / "out").exists()


def test_an_unknown_name_is_not_left_out_in_silence(campagne: Path) -> None:
    message = refused(
        lambda: actions.render_batch(campagne, campagne.parent / "out", 1, only=("ardele", "ardelle")), "USA-001"
    )
    assert "« ardelle »" in message


@pytest.mark.parametrize("name", ["ardelle/cotations.csv", "campagne.yml"])
def test_a_file_given_as_a_dossier_is_told(campagne: Path, name: str) -> None:
    refused(lambda: actions.verify(campagne / name), "USA-003")
    refused(lambda: actions.render_report(campagne / name), "USA-003")


def test_a_reference_is_never_replaced_by_nothing(campagne: Path) -> None:
    before = (campagne / REFERENCE).read_bytes()
    refused(lambda: actions.freeze_reference(campagne), "LOT-007")
    assert (campagne / REFERENCE).read_bytes() == before


@pytest.mark.parametrize("old", [b"{", b"\xff\xfe", b"[]", b"", b'{"date": "../../x"}', b"[" * 100_000])
def test_a_damaged_reference_is_kept_aside_when_it_is_replaced(
    campagne: Path, monkeypatch: pytest.MonkeyPatch, old: bytes
) -> None:
    (campagne / REFERENCE).write_bytes(old)
    monkeypatch.setattr("evalkit.compute.synthesis.freeze", lambda *_: frozen())
    target, kept = actions.freeze_reference(campagne)
    assert kept == campagne / "reference_regionale.ancienne.json"
    assert kept.read_bytes() == old
    assert json.loads(target.read_text(encoding="utf-8")) == frozen()


@pytest.mark.parametrize("write", [actions.new_dossier, actions.write_reference_page])
def test_a_place_inside_a_file_is_told(campagne: Path, write: Callable[[Path], object]) -> None:
    refused(lambda: write(campagne / "campagne.yml" / "x"), "LOT-003")
