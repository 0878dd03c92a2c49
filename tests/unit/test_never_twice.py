"""What is made again follows from content, both ways: whatever changed a document is seen, and nothing else is."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from evalkit import actions
from evalkit.batch import apart, decide, inputs, runner
from evalkit.batch.parts import parts_of
from evalkit.batch.plan import Task
from evalkit.loaders import dossier as loaders
from evalkit.loaders import referentiel as framework
from evalkit.loaders.dossier import load_dossier
from evalkit.loaders.referentiel import load_referentiel

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("ardelle", "cambreulle", "ostrevelle")  # the last one is a lone workbook
ALL = set(NAMES)


class Region:
    """A small campaign, its output folder, and what the last run rendered. Pages are digests of what they are made from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for year in ("2019", "2022"):
            for path in (ROOT / "sample_data" / year).iterdir():
                kept = path.stem in NAMES or path.name in (
                    "campagne.yml",
                    "contexte.parquet",
                    "reference_regionale.json",
                )
                if kept:
                    copy = shutil.copytree if path.is_dir() else shutil.copy2
                    (folder / year).mkdir(exist_ok=True)
                    copy(path, folder / year / path.name)
        (folder / "2022" / ".evalkit").mkdir()
        shutil.copy2(ROOT / "sample_data/2022/.evalkit/ostrevelle.cle", folder / "2022" / ".evalkit")
        identity = folder / "2022/cambreulle/territoire.yml"  # this one evaluates the common core only
        text = re.sub(r"(?m)^modules:.*\n", "", identity.read_text(encoding="utf-8"))
        identity.write_text(text.rstrip() + '\nmodules: ["cooperations"]\n', encoding="utf-8")
        shutil.copytree(ROOT / "referentiel", folder / "referentiel")
        shutil.copytree(ROOT / "notebooks", folder / "notebooks")
        self.campagne, self.sorties = folder / "2022", folder / "sorties"
        self.rendered: list[str] = []

    def run(self, only: tuple[str, ...] = ()) -> set[str]:
        self.rendered.clear()
        self.result = actions.render_batch(self.campagne, self.sorties, 1, only=only)
        return set(self.rendered)

    def page(self, name: str) -> str:
        return (self.sorties / name / "rapport.html").read_text(encoding="utf-8")

    def read(self, name: str) -> str:
        """The page that a dossier gives today, made afresh."""
        path = self.campagne / name
        path = path if path.is_dir() else path.with_suffix(".xlsx")
        referentiel = load_referentiel()
        return json.dumps(parts_of(load_dossier(path, referentiel), referentiel), sort_keys=True)


@pytest.fixture
def region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Region:
    return make_region(tmp_path, monkeypatch)


def make_region(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Region:
    made = Region(folder)

    def execute(task: Task, *_: object) -> Any:
        referentiel = load_referentiel()
        made.rendered.append(task.name)
        if task.dossier is None:
            return SimpleNamespace(metadata={}, page="synthese")
        parts = parts_of(load_dossier(task.dossier, referentiel), referentiel)
        return SimpleNamespace(metadata={"evalkit_parties": parts}, page=json.dumps(parts, sort_keys=True))

    def write(task: Task, notebook: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
        page = Path(f"{task.output}.html")
        page.parent.mkdir(exist_ok=True)
        runner.write_whole(page, notebook.page.encode())
        runner.write_whole(page.with_name(f"{page.name}.controle.json"), b"{}")
        return (page.name,), {"anomalies": []}

    def resource_dir(name: str) -> Path:
        return made.folder / name

    monkeypatch.setattr(runner, "execute_notebook", execute)
    monkeypatch.setattr(runner, "write_page", write)
    monkeypatch.setattr(apart, "local_executor", lambda _: ThreadPoolExecutor(1))
    monkeypatch.setattr(apart, "render_apart", runner.render_tasks)
    for module in (decide, framework, actions):
        monkeypatch.setattr(module, "resource_dir", resource_dir)
    return made


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_bytes().decode("utf-8-sig")
    assert re.search(old, text), f"{path} : {old}"
    path.write_bytes(re.sub(old, new, text, count=1).encode())


def draw_logo(path: Path, colour: str) -> None:
    Image.new("RGB", (60, 30), colour).save(path)


def change_context(region: Region) -> None:
    """One figure of one neighbourhood of Ardelle."""
    code = re.search(r"QF?\w{6,}", (region.campagne / "ardelle/territoire.yml").read_text(encoding="utf-8"))[0]
    file = region.campagne / "contexte.parquet"
    frame = pd.read_parquet(file)
    row = frame.index[(frame["qpv"] == code) & frame["valeur"].notna()][0]
    frame.loc[row, "valeur"] += 1
    frame.to_parquet(file)


def save_again(region: Region) -> None:
    file = region.campagne / "ostrevelle.xlsx"
    book = openpyxl.load_workbook(file)
    book.properties.creator = "quelqu'un d'autre"
    book.save(file)


def answer_in_workbook(region: Region) -> None:
    file = region.campagne / "ostrevelle.xlsx"
    book = openpyxl.load_workbook(file)
    sheet = book["cotations"]
    row, column = next(
        (c.row, c.column) for line in sheet.iter_rows() for c in line if str(c.value).strip() == "niveau"
    )
    cell = next(sheet.cell(r, column) for r in range(row + 1, row + 60) if str(sheet.cell(r, column).value) in "012345")
    cell.value = (int(cell.value) + 1) % 6
    book.save(file)


def tamper(region: Region) -> None:
    """Same size, same date: only its bytes changed."""
    page = region.sorties / "ardelle" / "rapport.html"
    before = page.stat()
    page.write_bytes(page.read_bytes()[:-1] + b" ")
    os.utime(page, ns=(before.st_atime_ns, before.st_mtime_ns))


def rename(region: Region) -> None:
    (region.campagne / "ardelle").rename(region.campagne / "ardelle-bis")


CHANGES: dict[str, tuple[Callable[[Region], object], set[str]]] = {
    "rien": (lambda r: None, set()),
    "une réponse": (lambda r: edit(r.campagne / "ardelle/cotations.csv", r";commune;[0-4]", ";commune;5"), {"ardelle"}),
    "la date d'un fichier": (lambda r: os.utime(r.campagne / "ardelle/cotations.csv"), set()),
    "un fichier enregistré autrement": (
        lambda r: (r.campagne / "ardelle/cotations.csv").write_bytes(
            b"\xef\xbb\xbf"
            + (r.campagne / "ardelle/cotations.csv").read_bytes().removeprefix(b"\xef\xbb\xbf")
            + b"\r\n"
        ),
        set(),
    ),
    "un texte libre": (lambda r: (r.campagne / "ardelle/textes/autre.md").write_text("Un mot."), {"ardelle"}),
    "le fichier de travail": (lambda r: (r.campagne / "ardelle/travail.xlsx").write_bytes(b"x"), set()),
    "un document joint": (lambda r: (r.campagne / "ardelle/compte-rendu.pdf").write_bytes(b"x"), set()),
    "une réponse d'un export brut": (
        lambda r: edit(
            r.campagne / "ardelle/enquetes/brut/enq-log-export.csv",
            "Locataire du parc social",
            "Locataire du parc privé",
        ),
        {"ardelle"},
    ),
    "un dossier d'exports vide": (
        lambda r: (r.campagne / "houdrincq/enquetes/brut").mkdir(parents=True),
        set(),
    ),
    "les sollicités d'un export brut": (
        lambda r: (r.campagne / "ardelle/enquetes/enq-log.correspondance.yml").write_text(
            'enquete: "ENQ-LOG"\nsollicites: 300\n'
        ),
        {"ardelle"},
    ),
    "une couche locale": (
        lambda r: (r.campagne / "ardelle/local.yml").write_text(
            "questions:\n  - code: L.1\n    libelle: Une question\n"
        ),
        {"ardelle"},
    ),
    "la clé": (lambda r: (r.campagne / "ardelle/.evalkit/cle").write_text("ab" * 32), {"ardelle"}),
    "un classeur enregistré sans changement": (save_again, set()),
    "une réponse dans un classeur": (answer_in_workbook, {"ostrevelle"}),
    "un commentaire dans campagne.yml": (lambda r: edit(r.campagne / "campagne.yml", r"\A", "# mot\n"), set()),
    "la date de la campagne": (lambda r: edit(r.campagne / "campagne.yml", "2022-11-30", "2022-12-01"), ALL),
    "le contexte d'un quartier": (change_context, {"ardelle"}),
    "la référence régionale": (
        lambda r: edit(r.campagne / "reference_regionale.json", '"n": (\\d+)', r'"n": 1\1'),
        ALL,
    ),
    "un constat de la campagne précédente": (
        lambda r: edit(r.folder / "2019/ardelle/constats.csv", r"[a-zé]\.", "e, autrement dit."),
        {"ardelle"},
    ),
    "un commentaire dans le référentiel": (
        lambda r: edit(r.folder / "referentiel/regles.yml", r"\A", "# mot\n"),
        set(),
    ),
    "un libellé d'un module évalué": (
        lambda r: edit(
            next((r.folder / "referentiel/modules/cooperations").glob("q1*.yml")), r"(?m)^titre: ", "titre: Autre "
        ),
        ALL,
    ),
    "un module que tous n'évaluent pas": (
        lambda r: edit(r.folder / "referentiel/modules/discriminations/lcd.yml", r"(?m)^titre: ", "titre: Autre "),
        ALL - {"cambreulle"},
    ),
    "le carnet": (lambda r: edit(r.folder / "notebooks/rapport_territoire.ipynb", "En bref", "En bref,"), ALL),
    "le carnet du comité": (
        lambda r: edit(r.folder / "notebooks/comite.ipynb", "Ce qui a été demandé", "Ce qui est demandé"),
        ALL,
    ),
    "une image qui n'est pas le logo": (lambda r: draw_logo(r.campagne / "ardelle/photo.png", "red"), set()),
    "une image à côté d'un classeur": (lambda r: draw_logo(r.campagne / "photo.PNG", "red"), set()),
    "le carnet de la synthèse": (lambda r: edit(r.folder / "notebooks/synthese_regionale.ipynb", "e", "e "), set()),
    "un rapport supprimé": (lambda r: (r.sorties / "ardelle/rapport.html").unlink(), {"ardelle"}),
    "un contrôle supprimé": (lambda r: (r.sorties / "ardelle/rapport.html.controle.json").unlink(), {"ardelle"}),
    "un rapport retouché": (tamper, {"ardelle"}),
    "un dossier renommé": (rename, {"ardelle-bis"}),
    "un nouveau territoire": (
        lambda r: shutil.copytree(r.campagne / "ardelle", r.campagne / "nouveau"),
        {"nouveau"},
    ),
    "un dossier retiré": (lambda r: shutil.rmtree(r.campagne / "ardelle"), set()),
    "une bibliothèque": (lambda r: r.patch(inputs, "library_versions", lambda: {"pandas": "9"}), ALL),
    "evalkit lui-même": (lambda r: r.patch(inputs, "code_digest", lambda key: "autre"), ALL),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_makes_again_what_it_must_and_nothing_else(
    region: Region, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    region.patch = monkeypatch.setattr
    assert region.run() == ALL
    change, expected = CHANGES[name]
    change(region)
    told = actions.explain_batch(region.campagne, region.sorties)
    assert region.run() == expected
    for one in expected:
        mine = [line for line in told if line.startswith((f"{one} : ", f"{one} (comite) : "))]
        redone = [line for line in mine if "à jour" not in line]
        assert redone, mine
        assert all(line.endswith(")") for line in redone), f"dit pourquoi : {redone}"
    assert region.run() == set(), "une seconde fois, il n'y a plus rien à faire"
    present = [one for one in (*NAMES, *expected) if (region.campagne / one).exists() or one == "ostrevelle"]
    assert all(region.page(one) == region.read(one) for one in present), "aucune page périmée"


@pytest.mark.parametrize("name", ["ardelle", "ostrevelle"])
def test_a_logo_that_changes_under_the_same_name_is_drawn_again(region: Region, name: str) -> None:
    """In a folder, and beside a workbook that is a whole dossier: the picture is content, not a name."""
    if name == "ardelle":
        identity = region.campagne / "ardelle/territoire.yml"
        said = 'logo: "logo.png"\nlogo_texte: "Logo"\n'
        identity.write_text(identity.read_text(encoding="utf-8").rstrip() + "\n" + said, encoding="utf-8")
    else:
        book = openpyxl.load_workbook(region.campagne / "ostrevelle.xlsx")
        cells = {row[0].value: row[1] for row in book["territoire"].iter_rows(max_col=2)}
        cells["logo"].value, cells["logo_texte"].value = "logo.png", "Logo"
        book.save(region.campagne / "ostrevelle.xlsx")
    logo = (region.campagne / "ardelle" if name == "ardelle" else region.campagne) / "logo.png"
    draw_logo(logo, "red")
    assert region.run() == ALL
    assert region.run() == set()
    draw_logo(logo, "blue")
    assert region.run() == {name}
    assert region.run() == set()


def test_parameters_are_part_of_what_a_document_is(region: Region) -> None:
    """A cache that ignores a parameter would serve one document for another."""
    assert region.run() == ALL
    found = actions._survey(region.campagne, region.sorties, ())
    task = found.tasks[0]
    kept = found.state.entries[task.name]
    for other in (
        Task(task.name, task.notebook, {**task.parameters, "nouveau": 1}, task.output, dossier=task.dossier),
        Task(task.name, task.notebook, task.parameters, task.output, kind="comite", dossier=task.dossier),
        Task("cambreulle", task.notebook, task.parameters, task.output, dossier=task.dossier),
    ):
        made_from = decide.made_from(other, region.campagne, found.campaign, found.photo)
        assert decide.decide(other, made_from, kept, found.state.key).action == "produire"


def test_each_territory_is_asked_for_by_name(region: Region) -> None:
    assert region.run(only=("ardelle",)) == {"ardelle"}
    assert region.run() == ALL - {"ardelle"}
    journal = json.loads((region.sorties / "journal.json").read_text(encoding="utf-8"))
    assert [entry["nom"] for entry in journal["documents"]] == sorted([*ALL, *ALL]), "le rapport et les deux pages"


def test_a_key_that_the_batch_makes_is_not_a_change(region: Region) -> None:
    """Nor for a whole workbook: the next run accuses no dossier of having changed."""
    (region.campagne / "ardelle" / ".evalkit" / "cle").unlink()
    (region.campagne / ".evalkit" / "ostrevelle.cle").unlink()
    actions.render_synthesis(region.campagne, region.sorties, formats=("html",))
    assert region.run() == ALL
    told = actions.explain_batch(region.campagne, region.sorties)
    assert len(told) == 2 * len(ALL), "ni la synthèse, faite avant la clé"
    assert all(line.endswith(" : à jour") for line in told), told


def test_a_synthesis_that_is_late_is_told(region: Region) -> None:
    """One changed answer makes one territory again, and says that the synthesis must be."""
    folder, campagne = region.sorties, region.campagne
    region.run()
    assert region.result.late == (), "personne n'a demandé de synthèse"
    actions.render_synthesis(campagne, folder, formats=("html",))
    actions.render_synthesis(campagne, folder, "59", nominatif=True, formats=("html",))
    assert region.run() == set()
    assert region.result.late == ()
    edit(campagne / "ardelle/cotations.csv", r";commune;[0-4]", ";commune;5")
    asked = f"Commande : evalkit synthese {campagne}"
    expected = [
        f"synthese.html : à refaire (un dossier de la campagne a changé). {asked} --format html --vers {folder}",
        "synthese-59-nominatif.html : à refaire (un dossier de la campagne a changé). "
        f"{asked} --departement 59 --nominatif --format html --vers {folder}",
    ]
    assert actions.explain_batch(campagne, folder)[-2:] == expected
    assert region.run() == {"ardelle"}
    assert list(region.result.late) == expected
    actions.render_synthesis(campagne, folder, formats=("html",))
    (folder / "synthese.html").write_text("retouchée")
    other = "synthese.html : à refaire (ce n'est pas la dernière qui a été produite)"
    assert actions.explain_batch(campagne, folder)[-2].startswith(other)
    actions.render_synthesis(campagne, folder, formats=("html",))
    (folder / "synthese-59-nominatif.html").unlink()
    assert region.run() == set()
    assert region.result.late == ()


def test_another_output_folder_is_another_run(region: Region) -> None:
    assert region.run() == ALL
    region.sorties = region.folder / "ailleurs"
    assert region.run() == ALL
    shutil.copytree(region.sorties, region.folder / "copie")
    region.sorties = region.folder / "copie"
    assert region.run() == set(), "une copie des mêmes documents est à jour"


def test_a_failure_is_told_again_without_being_tried_again(region: Region) -> None:
    """Unless what failed is the machine, or the dossier has changed."""
    broken = region.campagne / "ardelle" / "cotations.csv"
    good = broken.read_bytes()
    broken.write_bytes(good + b"Q9.9;R01;commune;7;;;\r\n")
    assert region.run() == ALL
    first = [fault for outcome in region.result.outcomes for fault in outcome.faults]
    assert first
    assert region.run() == set()
    assert [fault for outcome in region.result.outcomes for fault in outcome.faults] == first
    assert not region.result.ok
    told = [line for line in actions.explain_batch(region.campagne, region.sorties) if line.startswith("ardelle")]
    assert told
    assert all("pas réessayé (" in line and "à jour" not in line for line in told), told
    broken.write_bytes(good)
    assert region.run() == {"ardelle"}
    assert region.result.ok


def test_a_lost_state_only_costs_time(region: Region) -> None:
    assert region.run() == ALL
    for path in (region.campagne / ".evalkit").glob("lot*"):
        path.write_bytes(b'{"format": 1, "documents": {')
    assert region.run() == ALL
    (region.campagne / ".evalkit" / "cle").write_text("cd" * 32)
    assert region.run() == ALL, "sous une autre clé, rien de ce qui est noté ne vaut"


def test_the_state_is_for_its_owner_and_never_under_the_outputs(region: Region) -> None:
    region.run()
    folder = region.campagne / ".evalkit"
    kept = [path for path in folder.iterdir() if path.name.startswith("lot.json")]
    assert kept
    assert not [path for path in region.sorties.rglob("*") if ".evalkit" in path.parts or path.suffix == ".jsonl"]
    if os.name == "posix":
        assert all(path.stat().st_mode & 0o077 == 0 for path in kept)


def test_nothing_heavy_is_imported_for_an_unchanged_run(region: Region) -> None:
    """That is what makes it instantaneous (bench/lot.py measures it)."""
    region.run()
    region_runs = (
        "import sys\nfrom pathlib import Path\nfrom evalkit import actions\nfrom evalkit.batch import decide, state\n"
        f"actions.resource_dir = decide.resource_dir = lambda name: Path({str(region.folder)!r}) / name\n"
        f"result = actions.render_batch(Path({str(region.campagne)!r}), Path({str(region.sorties)!r}), 1)\n"
        "print([o.unchanged for o in result.outcomes])\n"
        "print([name for name in ('pandas', 'numpy', 'matplotlib', 'papermill', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", region_runs], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == [str([True] * 2 * len(NAMES)), "[]"], done.stdout


def test_the_two_lists_of_what_is_no_dossier_agree() -> None:
    assert decide.NOT_CANDIDATES == loaders.NOT_DOSSIERS


def test_a_change_made_as_soon_as_the_output_is_written_is_seen(tmp_path: Path) -> None:
    """Times are only as fine as the disk makes them: a young output is read again."""
    page = tmp_path / "a.html"
    page.write_bytes(b"un")
    stat = inputs.signature(page)
    kept = {"empreinte": inputs.digest(b"k", b"un"), "stat": stat, "vu_ns": stat[1] + 1}
    page.write_bytes(b"de")
    kept["stat"] = inputs.signature(page)  # the worst case: the times do not tell
    assert not inputs.still_the_same(page, kept, b"k")


def test_an_output_seen_again_once_settled_is_not_read_any_more(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that was just written is read again at each run; those of a long run must not be for ever."""
    monkeypatch.setattr(inputs, "_TICK_NS", 1)
    written = inputs.photograph_output
    monkeypatch.setattr(inputs, "photograph_output", lambda path, key, _: written(path, key, path.stat().st_mtime_ns))
    assert region.run() == ALL
    pages = list(region.sorties.glob("*/*.html"))
    read: list[str] = []
    before = inputs._read
    monkeypatch.setattr(inputs, "_read", lambda path: read.append(path) or before(path))
    assert region.run() == set()
    assert pages
    assert not {str(page) for page in pages} & set(read)
    tamper(region)
    assert region.run() == {"ardelle"}, "une page retouchée se voit toujours"


def test_an_output_changed_before_it_settled_is_not_seen_again(tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    page.write_bytes(b"un")
    kept = inputs.photograph_output(page, b"k", 0)
    page.write_bytes(b"de")
    assert inputs.seen_again(page, kept, b"k", time.time_ns()) == kept
    assert not inputs.still_the_same(page, kept, b"k")


# --- generated changes --------------------------------------------------------------------------------------------------

EDITS = st.lists(
    st.tuples(
        st.sampled_from(["ardelle", "cambreulle"]),
        st.sampled_from(["niveau", "espace", "texte", "date", "sortie", "contexte", "defaire", "echange"]),
        st.integers(0, 40),
    ),
    min_size=1,
    max_size=3,
)


def apply(region: Region, name: str, kind: str, rank: int, originals: dict[Path, bytes]) -> None:
    file = region.campagne / name / "cotations.csv"
    content = file.read_bytes()
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:  # as Excel saves it in French
        lines = content.decode("cp1252").splitlines()
    if kind == "niveau":
        at = 1 + rank % (len(lines) - 1)
        lines[at] = re.sub(r";([0-5]);", lambda m: f";{(int(m[1]) + 1) % 6};", lines[at])
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    elif kind == "espace":
        file.write_text("\r\n".join(lines) + "\r\n" * (1 + rank % 3), encoding="utf-8-sig")
    elif kind == "texte":
        (region.campagne / name / "textes").mkdir(exist_ok=True)
        (region.campagne / name / "textes" / f"t{rank % 3}.md").write_text(f"Texte {rank}.", encoding="utf-8")
    elif kind == "date":
        os.utime(file, (rank, rank))
    elif kind == "sortie":
        (region.sorties / name / "rapport.html").write_text(str(rank), encoding="utf-8")
    elif kind == "contexte":
        (region.campagne / name / f"note-{rank}.csv.txt").write_text("x", encoding="utf-8")
    elif kind == "defaire":
        file.write_bytes(originals[file])
    else:  # two territories exchange their answers
        other = region.campagne / ("cambreulle" if name == "ardelle" else "ardelle") / "cotations.csv"
        mine, theirs = file.read_bytes(), other.read_bytes()
        file.write_bytes(theirs)
        other.write_bytes(mine)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(EDITS, min_size=1, max_size=3))
def test_after_any_changes_no_page_is_stale_and_none_was_made_for_nothing(
    tmp_path_factory: pytest.TempPathFactory, steps: list[list[tuple[str, str, int]]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        region = make_region(tmp_path_factory.mktemp("region"), patch)
        region.run()
        originals = {path: path.read_bytes() for path in region.campagne.glob("*/cotations.csv")}
        for edits in steps:
            before = {name: region.page(name) for name in NAMES}
            for name, kind, rank in edits:
                apply(region, name, kind, rank, originals)
            spoiled = {name for name in NAMES if region.page(name) != before[name]}
            wanted = {name: region.read(name) for name in NAMES}
            assert region.run() == spoiled | {name for name in NAMES if wanted[name] != before[name]}
            assert {name: region.page(name) for name in NAMES} == wanted


# --- the parts, against real pages ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def draw_page() -> Callable[[Path], str]:
    spec = importlib.util.spec_from_file_location("fonction_nue", ROOT / "bench" / "fonction_nue.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda dossier: module.draw_page(dossier, titre="x")


@pytest.mark.parametrize(
    "name",
    [
        "un module que tous n'évaluent pas",
        "un commentaire dans le référentiel",
        "un fichier enregistré autrement",
        "un document joint",
    ],
)
def test_same_parts_same_page(region: Region, draw_page: Callable[[Path], str], name: str) -> None:
    """What is said to change nothing changes no byte of the real page."""
    territory = "cambreulle" if name.startswith("un module") else "ardelle"
    dossier = region.campagne / territory
    parts, page = region.read(territory), draw_page(dossier)
    CHANGES[name][0](region)
    assert region.read(territory) == parts
    assert draw_page(dossier) == page
