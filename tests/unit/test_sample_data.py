"""The invented territories shipped with evalkit: remade byte for byte, plausible, invented, and what they teach."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from evalkit.loaders.dossier import list_dossiers, load_dossier
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.yaml_files import read_yaml
from evalkit.model.dossier import HELP_COLUMN_PREFIX, SILENCES, TABLES
from outils_dev.exemples import phrases
from outils_dev.exemples.territoires import PLANS, communes, qpv

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_data"
Row = dict[str, str]


@pytest.fixture(scope="module")
def remade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("exemples")
    command = [sys.executable, "-m", "outils_dev.fabriquer_exemples", "--vers", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "PYTHONHASHSEED": "7"}, timeout=900)
    return target


def _files(root: Path) -> list[str]:
    """Files that are delivered; what a run leaves in the stores (``.evalkit/``) is not, and git ignores it."""
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if not _left_by_a_run(path))


def _left_by_a_run(path: Path) -> bool:
    of_a_campaign = path.parent.name == ".evalkit" and len(path.parts) == 3
    state = path.name == "cle" or path.name.startswith(("lot.", "synthese"))
    return path.name.endswith("publie.json") or (of_a_campaign and state)


def _filled(path: Path) -> dict[str, list[list[object]]]:
    """What a workbook holds, help columns and rows left to fill set aside (the framework may gain an indicator)."""
    book = openpyxl.load_workbook(path, data_only=True, read_only=True)
    out: dict[str, list[list[object]]] = {}
    for name in ("territoire", "qpv", *TABLES):
        rows = [list(row) for row in book[name].iter_rows(values_only=True)]
        kept = [i for i, head in enumerate(rows[0]) if head and not str(head).startswith(HELP_COLUMN_PREFIX)]
        cells = [[row[i] if i < len(row) else None for i in kept] for row in rows]
        least = {"arbitrages": 2, "indicateurs": 3}.get(name, 1)
        out[name] = [row for row in cells if sum(cell is not None for cell in row) >= least]
    book.close()
    return out


def test_the_generator_gives_the_files_that_are_checked_in(remade: Path) -> None:
    expected = _files(SAMPLES)
    assert _files(remade) == expected, "relancez : python -m outils_dev.fabriquer_exemples"
    for name in expected:
        if name.endswith(".parquet"):
            pd.testing.assert_frame_equal(pd.read_parquet(remade / name), pd.read_parquet(SAMPLES / name))
        elif not name.endswith(
            (".xlsx", "reference_regionale.json")
        ):  # the rest depends on the framework's text and rules
            assert (remade / name).read_bytes() == (SAMPLES / name).read_bytes(), name


@pytest.mark.parametrize("name", [name for name in _files(SAMPLES) if name.endswith(".xlsx")])
def test_the_workbooks_hold_the_same_answers(remade: Path, name: str) -> None:
    assert _filled(remade / name) == _filled(SAMPLES / name)


@pytest.mark.parametrize("year", ["2019", "2022"])
def test_every_dossier_is_read_without_a_remark(year: str) -> None:
    """Among them: CSV in cp1252, with a BOM, French dates, workbooks in a folder and alone."""
    referentiel = load_referentiel()
    dossiers = list_dossiers(SAMPLES / year)
    assert len(dossiers) == (40 if year == "2022" else 10)
    for path in dossiers:
        dossier = load_dossier(path, referentiel)
        raw = (path / "enquetes" / "brut").is_dir()  # as a tool gives it: its e-mails are dropped, and it is said
        assert {fault.code for fault in dossier.avertissements} <= ({"DON-098"} if raw else set()), path
        assert dossier.territoire.fictif
        if year == "2022":
            assert len(dossier.contexte["qpv"].unique()) == len(dossier.territoire.qpv), path


def test_size_and_proportions_of_the_region() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 6_000_000
    assert len(PLANS) == 40
    counted = Counter[str]()
    for plan in PLANS:
        counted[plan.departement] += plan.nb_qpv
    assert counted == {"02": 17, "59": 91, "60": 18, "62": 64, "80": 9}
    codes = [quartier["code"] for plan in PLANS for quartier in qpv(plan)]
    assert len(set(codes)) == 199
    assert all(re.fullmatch(r"QF0\d{5}", code) for code in codes)
    assert {plan.nb_qpv for plan in PLANS} >= {1, 2, 20}
    assert sum(plan.suivi for plan in PLANS) == 10
    assert sorted(path.name for path in (SAMPLES / "2019").iterdir() if path.is_dir()) == sorted(
        plan.dossier for plan in PLANS if plan.suivi
    )


def test_everything_says_it_is_invented() -> None:
    for path in SAMPLES.rglob("*.yml"):
        if path.name.endswith(".correspondance.yml"):  # a mapping has no such key: its first line says it
            assert path.read_text(encoding="utf-8").startswith("# DONNÉES FICTIVES")
            continue
        content = read_yaml(path)[0]
        assert content is not None
        assert content.data["fictif"] == "oui", path
    for path in SAMPLES.rglob("*.xlsx"):
        values = {row[0].value: row[1].value for row in openpyxl.load_workbook(path)["territoire"].iter_rows()}
        assert values["fictif"] == "oui", path
    assert "DONNÉES FICTIVES" in (SAMPLES / "LISEZMOI.md").read_text(encoding="utf-8")
    assert "Licence Ouverte 2.0" in (SAMPLES / "LISEZMOI.md").read_text(encoding="utf-8")


def test_six_teaching_cases_are_listed() -> None:
    page = (SAMPLES / "LISEZMOI.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `2022/(\w+)` \|", page, re.MULTILINE)
    assert listed == [plan.dossier for plan in PLANS if plan.enseigne]
    assert len(listed) == 6
    for dossier in listed:
        assert (SAMPLES / "2022" / dossier).is_dir()


def _rows(table: str, year: str = "2022") -> dict[str, list[Row]]:
    """Rows of a table in every dossier kept as CSV."""
    out = {}
    for path in sorted((SAMPLES / year).glob(f"*/{table}.csv")):
        data = path.read_bytes()
        plan = next(plan for plan in PLANS if plan.dossier == path.parent.name)
        encoding = "cp1252" if plan.forme == "csv_cp1252" and year == "2022" else "utf-8-sig"
        out[path.parent.name] = list(csv.DictReader(io.StringIO(data.decode(encoding)), delimiter=";"))
    return out


def test_teaching_cases_show_what_they_say() -> None:
    ratings, settled = _rows("cotations"), _rows("arbitrages")
    assert len([r for r in settled["ardelle"] if r["niveau"].isdigit()]) == 40
    sizes = Counter({(r["groupe"], r["repondant"]) for r in ratings["morvecque"]})
    assert Counter(group for group, _ in sizes) == {
        "pilote": 1,
        "etat": 1,
        "commune": 11,
        "partenaire": 10,
        "association": 3,
        "conseiller_citoyen": 5,
    }
    split = [int(r["niveau"]) for r in ratings["houdrincq"] if r["sous_question"] == "Q4.2" and r["niveau"].isdigit()]
    split_group = [
        int(r["niveau"])
        for r in ratings["houdrincq"]
        if (r["sous_question"], r["groupe"]) == ("Q4.2", "association") and r["niveau"].isdigit()
    ]
    assert len(split) > len(split_group) >= 11
    assert sum(level <= 1 for level in split_group) / len(split_group) >= 0.25
    assert sum(level >= 4 for level in split_group) / len(split_group) >= 0.25
    assert len([r for r in settled["wastrelles"] if r["niveau"].isdigit()]) / 40 < 0.5
    assert not [r for r in ratings["estrinoy"] if r["sous_question"] in ("Q3.2", "Q3.3", "Q3.4", "Q3.5", "Q3.6")]
    assert (SAMPLES / "2022" / "vaudremies" / "evaluation.xlsx").is_file()


def test_a_gap_to_debate_exists_in_houdrincq() -> None:
    rows = [r for r in _rows("cotations")["houdrincq"] if r["niveau"].isdigit()]
    wide = 0
    for sub in {r["sous_question"] for r in rows if r["sous_question"].startswith("Q3")}:
        medians = pd.DataFrame([r for r in rows if r["sous_question"] == sub]).astype({"niveau": float})
        by_group = medians.groupby("groupe")["niveau"].median()
        wide += by_group.max() - by_group.min() > 1
    assert wide >= 4


def test_the_five_silences_are_met_and_no_level_is_empty() -> None:
    levels = Counter(row["niveau"] for rows in _rows("cotations").values() for row in rows)
    assert set(levels) == {*"012345", *SILENCES}


def test_parts_never_exceed_their_base() -> None:
    referentiel = load_referentiel()
    checked = 0
    for rows in _rows("indicateurs").values():
        for row in rows:
            indicator = referentiel.indicateurs[row["indicateur"]]
            assert "saisie" in indicator.obtention, row["indicateur"]
            if indicator.formule == "part" and row["numerateur"]:
                checked += 1
                assert float(row["numerateur"]) <= float(row["denominateur"]), row
            if indicator.modalites and row["valeur"]:
                assert row["valeur"] in {modalite.code for modalite in indicator.modalites}
    assert checked > 500


def test_recommendations_answer_findings_and_follow_up_finds_them() -> None:
    for rows in (*_rows("constats").values(), *_rows("constats", "2019").values()):
        known = {row["id"] for row in rows}
        assert len(known) == len(rows)
        assert {row["repond_a"] for row in rows if row["repond_a"]} <= known
    previous = _rows("constats", "2019")
    followed = _rows("suivis")
    assert followed
    for dossier, rows in followed.items():
        asked = {row["id"] for row in previous[dossier] if row["type"] == "preconisation"}
        assert {row["constat_precedent"] for row in rows} <= asked


def test_the_text_is_varied() -> None:
    bank = {text for texts in phrases.REUSSITES.values() for text in texts}
    bank |= {text for trios in phrases.FREINS.values() for trio in trios for text in trio[:2]}
    bank |= {text for texts in phrases.ACTIONS.values() for text in texts}
    assert len(bank) >= 120
    printed = Counter(row["texte"] for rows in _rows("constats").values() for row in rows)
    assert len(printed) >= 120
    for rows in (*_rows("constats").values(), *_rows("verbatims").values()):
        assert not any("{" in row["texte"] for row in rows)


def test_a_territory_without_council_never_speaks_of_it() -> None:
    for plan in PLANS:
        if not plan.conseil_citoyen:
            for row in _rows("constats").get(plan.dossier, []):
                assert "conseil citoyen" not in row["texte"]
                assert row["question"] != "Q3"


def _plain(name: str) -> str:
    text = unicodedata.normalize("NFKD", name.lower().replace("œ", "oe"))
    return re.sub("[^a-z]", "", text.encode("ascii", "ignore").decode())


def test_invented_towns_are_all_different() -> None:
    names = [name for plan in PLANS for name in communes(plan)]
    assert len({_plain(name) for name in names}) == len(names)


@pytest.mark.donnees
def test_no_invented_town_is_a_real_one() -> None:
    folder = os.environ.get("EVALKIT_DONNEES", "")
    register = Path(folder) / "registre" / "cog2024" / "communes.json"
    if not folder or not register.is_file():
        pytest.skip("EVALKIT_DONNEES ne désigne pas le registre des communes")
    real = {_plain(item["nom"]) for item in json.loads(register.read_text(encoding="utf-8"))}
    assert not [name for plan in PLANS for name in communes(plan) if _plain(name) in real]
    assert not [quartier["nom"] for plan in PLANS for quartier in qpv(plan) if _plain(quartier["nom"]) in real]
