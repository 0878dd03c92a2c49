"""The main job, end to end: a campaign in, pages out; a broken territory leaves the others; same inputs, same bytes."""

import json
import re
import shutil
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from evalkit import actions
from evalkit.batch.published import kept_bases
from evalkit.compute.disclosure_bases import published_bases
from evalkit.errors import EvalkitError
from evalkit.loaders.dossier import list_dossiers
from evalkit.report.check import check_page

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_data"
SIX = re.findall(r"^\| `2022/([a-z-]+)` \|", (SAMPLES / "LISEZMOI.md").read_text(encoding="utf-8"), re.MULTILINE)


def copy_campaign(target: Path, names: list[str]) -> Path:
    """A copy of the sample campaign with some of its territories, and the previous campaign beside it."""
    for year in ("2019", "2022"):
        (target / year).mkdir(parents=True)
        for path in (SAMPLES / year).iterdir():
            if (path.is_file() and path.suffix != ".xlsx") or path.stem in names or path.name == ".evalkit":
                copy = shutil.copytree if path.is_dir() else shutil.copy2
                copy(path, target / year / path.name)
    return target / "2022"


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, actions.BatchResult]:
    """The six teaching cases, one of them broken on purpose, and the synthesis."""
    assert len(SIX) == 6
    campagne = copy_campaign(tmp_path_factory.mktemp("campagne"), SIX)
    broken = campagne / "vermelois-casse"
    shutil.copytree(campagne / "ardelle", broken)
    with (broken / "cotations.csv").open("ab") as file:
        file.write(b"Q9.9;R01;commune;7;;;\r\n")
    vers = campagne.parent / "sorties"
    result = actions.render_batch(campagne, vers, processes=2)
    synthesis = actions.render_synthesis(campagne, vers, formats=("html",))
    return campagne, actions.BatchResult(result.folder, (*result.outcomes, *synthesis.outcomes), synthesis.excluded)


def test_a_broken_territory_leaves_the_others(rendered: tuple[Path, actions.BatchResult]) -> None:
    _, result = rendered
    state = {(outcome.name, outcome.kind): outcome.ok for outcome in result.outcomes}
    expected = {(name, kind): True for name in SIX for kind in ("rapport", "comite")}
    assert state == {
        **expected,
        ("synthese", "synthese"): True,
        **dict.fromkeys((("vermelois-casse", kind) for kind in ("rapport", "comite")), False),
    }
    journal = json.loads((result.folder / "journal.json").read_text(encoding="utf-8"))
    assert (journal["reussis"], journal["echecs"]) == (12, 2)
    failure = next(entry for entry in journal["documents"] if entry["etat"] == "echec")
    assert {anomaly["emplacement"]["line"] for anomaly in failure["anomalies"]} != {None}
    assert not (result.folder / "vermelois-casse").exists(), "rien n'est dessiné de données qui ne tiennent pas"


def test_what_was_published_is_kept_by_the_kernels(rendered: tuple[Path, actions.BatchResult]) -> None:
    """Each report leaves its numbers of answers beside its key, whichever process made it; the synthesis in the campaign."""
    campagne, _ = rendered
    dossiers = [path for path in list_dossiers(campagne) if path.stem in SIX]
    assert len(dossiers) == 6
    for dossier in dossiers:
        assert kept_bases(dossier) == published_bases(actions.load_publication(dossier)), dossier
    assert not (campagne / "vermelois-casse" / ".evalkit" / "publie.json").exists()
    synthesis = json.loads((campagne / ".evalkit" / "synthese.json").read_text(encoding="utf-8"))
    assert len(synthesis["territoires"]) == 6


def test_the_index_lists_reports_failures_and_syntheses(rendered: tuple[Path, actions.BatchResult]) -> None:
    _, result = rendered
    page = BeautifulSoup((result.folder / "index.html").read_text(encoding="utf-8"), "html.parser")
    links = [link["href"] for link in page.find_all("a") if not link["href"].startswith("#")]
    assert sorted(links) == sorted(
        [*(f"{name}/{kind}.html" for name in SIX for kind in ("rapport", "comite")), "synthese.html"]
    )
    assert all((result.folder / link).is_file() for link in links)
    assert "vermelois-casse" in page.get_text()
    assert "DONNÉES FICTIVES" in page.get_text()


def test_every_page_holds(rendered: tuple[Path, actions.BatchResult]) -> None:
    """No anomaly of structure, nothing loaded from elsewhere, the mark of invented data, a stamp, no lost figure."""
    _, result = rendered
    for path in actions.document_paths(result):
        html = path.read_text(encoding="utf-8")
        assert check_page(html)["anomalies"] == [], path
        assert json.loads(path.with_name(path.name + ".controle.json").read_text(encoding="utf-8"))["anomalies"] == []
        page = BeautifulSoup(html, "html.parser")
        assert "DONNÉES FICTIVES" in page.get_text(), path
        stamp = json.loads(page.find("meta", attrs={"name": "evalkit"})["content"])
        assert stamp["fictif"] is True
        assert page.find_all("table"), path
        assert len(html) < 2_500_000, f"{path} : {len(html)} octets"
        for word in ("Traceback", "NaN", "nan ", "None", "<Html>", "EvalkitError"):
            assert word not in page.get_text(), f"{path} : {word}"


def test_the_ordinary_case_shows_its_figures(rendered: tuple[Path, actions.BatchResult]) -> None:
    """Figures never vanish in silence (a kernel that cannot draw would still make a page)."""
    _, result = rendered
    page = BeautifulSoup((result.folder / "ardelle" / "rapport.html").read_text(encoding="utf-8"), "html.parser")
    assert len(page.find_all("img")) >= 6
    assert all(image.find_parent("figure").find("table") for image in page.find_all("img")), "une figure, son tableau"


def test_same_inputs_same_bytes(rendered: tuple[Path, actions.BatchResult], tmp_path: Path) -> None:
    campagne, result = rendered
    again = actions.render_report(campagne / "ardelle", tmp_path, formats=("html",))
    assert again.ok
    for name in ("rapport.html", "comite.html"):
        assert (tmp_path / "ardelle" / name).read_bytes() == (result.folder / "ardelle" / name).read_bytes()


def test_doing_one_territory_again_keeps_the_others_listed(rendered: tuple[Path, actions.BatchResult]) -> None:
    campagne, result = rendered
    actions.render_batch(campagne, result.folder, 1, only=["ardelle"])
    journal = json.loads((result.folder / "journal.json").read_text(encoding="utf-8"))
    assert (journal["reussis"], journal["echecs"]) == (12, 2)
    page = (result.folder / "index.html").read_text(encoding="utf-8")
    assert all(f"{name}/rapport.html" in page for name in SIX)
    assert "synthese.html" in page


def test_the_synthesis_says_who_is_left_out(rendered: tuple[Path, actions.BatchResult]) -> None:
    _, result = rendered
    assert [name for name, _ in result.excluded] == ["vermelois-casse"]
    text = BeautifulSoup((result.folder / "synthese.html").read_text(encoding="utf-8"), "html.parser").get_text()
    assert "vermelois-casse" in text
    assert "6 territoires" in text


def test_a_single_broken_dossier_says_everything_at_once(
    rendered: tuple[Path, actions.BatchResult], tmp_path: Path
) -> None:
    campagne, _ = rendered
    with pytest.raises(EvalkitError) as refused:
        actions.render_report(campagne / "vermelois-casse", tmp_path)
    text = str(refused.value)
    assert "cotations.csv" in text
    assert "Q9.9" in text
    assert "0 à 5" in text or "0 et 5" in text, "les deux fautes de la même ligne"
    assert not list(tmp_path.iterdir())


def test_verify_a_whole_campaign(rendered: tuple[Path, actions.BatchResult]) -> None:
    campagne, _ = rendered
    check = actions.verify(campagne)
    blocked = [entry["nom"] for entry in check.as_dict()["dossiers"] if entry["bloque"]]
    assert blocked == ["vermelois-casse"]
    assert all(check.missing[dossier.name] is not None for dossier in list_dossiers(campagne))


def test_freezing_the_reference_keeps_the_old_one(rendered: tuple[Path, actions.BatchResult], tmp_path: Path) -> None:
    with pytest.raises(EvalkitError, match="LOT-007"):
        actions.freeze_reference(rendered[0])
    campagne = copy_campaign(tmp_path / "c", SIX)
    shutil.rmtree(campagne / SIX[-1]) if (campagne / SIX[-1]).is_dir() else (campagne / f"{SIX[-1]}.xlsx").unlink()
    before = (campagne / "reference_regionale.json").read_text(encoding="utf-8")
    target, kept = actions.freeze_reference(campagne)
    assert kept is not None
    assert kept.read_text(encoding="utf-8") == before
    assert json.loads(target.read_text(encoding="utf-8"))["n_territoires"] == 5
    assert actions.freeze_reference(campagne)[1] is None, "rien de changé : rien à garder"


@pytest.mark.complet
def test_the_forty_territories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sample territory is rendered, without a fault and without an anomaly of structure."""
    monkeypatch.setattr(actions, "is_installed_copy", lambda _: True)  # a copy beside the outputs
    result = actions.demo(tmp_path, processes=2)
    assert [outcome.name for outcome in result.outcomes if not outcome.ok] == []
    assert len(result.outcomes) == 81, "un rapport et deux pages par territoire, une synthèse"
    assert {
        (outcome.name, outcome.kind): outcome.check["anomalies"]
        for outcome in result.outcomes
        if outcome.check["anomalies"]
    } == {}
