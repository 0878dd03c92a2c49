"""One function per thing a person can ask. The command line, the widgets and the notebooks call these, nothing else.

Heavy libraries are imported inside the functions: asking for help or for an unchanged run must stay instantaneous.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.errors import EvalkitError, Fault, Place, fail, only_errors, only_warnings
from evalkit.loaders.resources import is_installed_copy, resource_dir
from evalkit.wording import plural

if TYPE_CHECKING:
    from evalkit.batch.runner import Outcome
    from evalkit.compute.results import Evaluation, Publication, PublicationSynthese
    from evalkit.loaders.open_data import ContextImport, TerritoriesImport
    from evalkit.model.referentiel import Referentiel

Tell = Callable[[str], None]
CAMPAGNE_FILE = "campagne.yml"
REFERENCE_FILE = "reference_regionale.json"


def _silent(_: str) -> None:
    """Progress when nobody watches."""


# --- Reading and computing ---------------------------------------------------------------------------------------------


def load_publication(dossier: str | Path) -> Publication:
    """Evaluate one territory's folder (or lone workbook) and keep only what may be shown.

    Raises
    ------
    EvalkitError
        Every fault of the framework or of the dossier.
    """
    from evalkit.compute.disclosure import protect
    from evalkit.loaders.referentiel import load_referentiel

    referentiel = load_referentiel()
    return protect(_evaluate(Path(dossier), referentiel), referentiel.regles)


def _evaluate(dossier: Path, referentiel: Referentiel, *, with_reference: bool = True) -> Evaluation:
    from evalkit.compute.evaluation import evaluate
    from evalkit.loaders.dossier import load_dossier

    return evaluate(referentiel, load_dossier(dossier, referentiel, with_reference=with_reference))


def load_synthese(campagne: str | Path, departement: str = "", nominatif: bool = False) -> PublicationSynthese:
    """Evaluate every territory of a campaign and publish their synthesis.

    Parameters
    ----------
    campagne
        Folder with ``campagne.yml``.
    departement
        Two or three characters (``59``), empty for the whole region.
    nominatif
        Name the territories (alphabetical order, never a ranking); the document is then marked "diffusion restreinte".
    """
    from evalkit.compute.synthesis import protect_synthesis, synthesize
    from evalkit.loaders.dossier import load_campagne
    from evalkit.loaders.referentiel import load_referentiel

    referentiel = load_referentiel()
    evaluations, excluded = evaluate_campaign(Path(campagne), referentiel)
    identity = load_campagne(campagne)
    known: list[PublicationSynthese] = []
    for perimeter in _perimeters_before(departement, evaluations):
        part = synthesize(referentiel, identity, evaluations, excluded, perimetre=perimeter)
        known.append(protect_synthesis(part, referentiel.regles, known))
    synthese = synthesize(referentiel, identity, evaluations, excluded, perimetre=departement)
    return protect_synthesis(synthese, referentiel.regles, known, nominatif=nominatif)


def _perimeters_before(departement: str, evaluations: Sequence[Evaluation]) -> list[str]:
    """Perimeters taken as published before a department: the region, then the departments of smaller code.

    Whatever was really published, and in whatever order, a department then hides the same cells: subtracting those of
    smaller code from the region never gives one back.
    """
    if not departement:
        return []
    codes = sorted({evaluation.territoire.departement for evaluation in evaluations})
    return ["", *(code for code in codes if code < departement)]


def evaluate_campaign(campagne: Path, referentiel: Referentiel) -> tuple[list[Evaluation], list[tuple[str, str]]]:
    """Evaluate every territory; those that cannot be are returned with the reason, never dropped in silence."""
    from evalkit.loaders.dossier import list_dossiers

    evaluations: list[Evaluation] = []
    excluded: list[tuple[str, str]] = []
    for dossier in list_dossiers(campagne):
        try:
            evaluations.append(_evaluate(dossier, referentiel, with_reference=False))
        except EvalkitError as error:
            errors = only_errors(error.faults)
            titles = sorted({f"{fault.title.lower()} ({fault.code})" for fault in errors})
            excluded.append((dossier.stem if dossier.is_file() else dossier.name, "; ".join(titles)))
    return evaluations, excluded


# --- evalkit verifier ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verification:
    """What a check found: by dossier, its faults and what the report will lack."""

    faults: dict[str, tuple[Fault, ...]] = field(default_factory=dict)
    missing: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def n_errors(self) -> int:
        """Number of faults that block."""
        return sum(len(only_errors(faults)) for faults in self.faults.values())

    @property
    def n_warnings(self) -> int:
        """Number of doubtful points."""
        return sum(len(only_warnings(faults)) for faults in self.faults.values())

    def first_error(self) -> Fault | None:
        """The first blocking fault, which gives the exit code."""
        for faults in self.faults.values():
            for fault in only_errors(faults):
                return fault
        return None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {
            "erreurs": self.n_errors,
            "avertissements": self.n_warnings,
            "dossiers": [
                {
                    "nom": name,
                    "bloque": bool(only_errors(faults)),
                    "anomalies": [fault.as_dict() for fault in faults],
                    "manquera": list(self.missing.get(name, ())),
                }
                for name, faults in self.faults.items()
            ],
        }


def verify_referentiel(path: Path | None = None) -> Verification:
    """List every fault of a framework folder (ours by default)."""
    from evalkit.loaders.referentiel import check_referentiel

    folder = _existing(path) if path else resource_dir("referentiel")
    return Verification({folder.name: tuple(check_referentiel(folder))})


def verify(path: Path, tell: Tell = _silent) -> Verification:
    """Check one dossier, one workbook, or every dossier of a campaign, before any rendering."""
    from evalkit.loaders.dossier import check_dossier, list_dossiers, load_campagne
    from evalkit.loaders.referentiel import load_referentiel

    referentiel = load_referentiel()
    if _existing(path).is_file() and path.suffix.lower() != ".xlsx":
        raise EvalkitError([_not_a_dossier(path)])
    faults: dict[str, tuple[Fault, ...]] = {}
    missing: dict[str, tuple[str, ...]] = {}
    dossiers = [path]
    _refuse_campaign_without_identity(path)
    if is_campaign(path):
        dossiers = list_dossiers(path)
        try:
            load_campagne(path)
        except EvalkitError as error:
            faults[CAMPAGNE_FILE] = tuple(error.faults)
        if not dossiers:
            faults[path.name] = (_empty_campaign(path),)
    for dossier in dossiers:
        tell(dossier.name)
        check = check_dossier(dossier, referentiel)
        faults[dossier.name] = tuple(check.faults)
        missing[dossier.name] = tuple(check.manques)
    return Verification(faults, missing)


def _refuse_campaign_without_identity(path: Path) -> None:
    """A folder of territories without ``campagne.yml`` is a campaign half made, not a strange territory."""
    marks = ("territoire.yml", "evaluation.xlsx")
    inside = (
        sorted(child.name for child in path.iterdir() if any((child / m).is_file() for m in marks))
        if path.is_dir()
        else []
    )
    if inside and not is_campaign(path) and not any((path / mark).is_file() for mark in marks):
        raise fail(
            "USA-003",
            path,
            read=f"{plural(len(inside), 'dossier')} de territoire ({', '.join(inside[:3])}…) sans « {CAMPAGNE_FILE} »",
            expected=f"un dossier de campagne, avec son « {CAMPAGNE_FILE} »",
            fix=f"créez « {CAMPAGNE_FILE} » dans ce dossier (modèle dans docs/tutoriels/premiere-heure-analyste.md)",
        )


def is_campaign(path: Path) -> bool:
    """Tell whether a folder is a campaign (it has ``campagne.yml``)."""
    return (path / CAMPAGNE_FILE).is_file()


def _existing(path: Path) -> Path:
    if not path.exists():
        raise fail(
            "USA-001",
            path,
            read="rien à cet endroit",
            expected="un dossier de territoire, un classeur .xlsx ou un dossier de campagne",
            fix="vérifiez le chemin ; sous Windows, glissez le dossier dans la fenêtre pour l'écrire sans faute",
        )
    return path


def _empty_campaign(path: Path) -> Fault:
    return Fault(
        "LOT-006",
        Place(file=str(path)),
        read="aucun dossier de territoire",
        expected="un dossier par territoire, avec « territoire.yml » ou « evaluation.xlsx »",
        fix="créez-en un : evalkit nouveau " + str(path / "mon-territoire"),
    )


# --- evalkit nouveau ----------------------------------------------------------------------------------------------------


def new_dossier(path: Path, nom: str = "", departement: str = "", modules: Sequence[str] = ()) -> Path:
    """Make a folder for a new territory, with ``evaluation.xlsx`` to fill. Never overwrites; returns the workbook."""
    from evalkit.batch.runner import writing
    from evalkit.documents.new_dossier import make_new_dossier
    from evalkit.loaders.referentiel import load_referentiel

    with writing(path):
        return make_new_dossier(path, load_referentiel(), nom=nom, departement=departement, modules=tuple(modules))


# --- evalkit rapport, lot, synthese --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BatchResult:
    """What a batch did: where the outputs are, one outcome per document."""

    folder: Path
    outcomes: tuple[Outcome, ...]
    excluded: tuple[tuple[str, str], ...] = ()  # territories that a synthesis leaves out, and why

    @property
    def ok(self) -> bool:
        """Whether every document was produced."""
        return all(outcome.ok for outcome in self.outcomes)


def render_report(dossier: Path, vers: Path | None = None, tell: Tell = _silent) -> BatchResult:
    """Render one territory's report.

    Raises
    ------
    EvalkitError
        The dossier's faults: nothing is drawn from data that do not hold.
    """
    from evalkit.batch.plan import make_plan
    from evalkit.batch.runner import render_task

    dossier = _dossier_of(dossier)
    campagne = dossier.parent
    tell("Lecture et vérification du dossier…")
    title = _check_before_rendering(dossier)
    _ensure_keys([dossier], tell)
    folder = vers or default_output(campagne)
    plan = make_plan([_report_task(dossier, folder, title)])
    bases = _warn_of_differences(dossier, tell)
    tell("Calcul et dessin du rapport (quelques secondes)…")
    result = BatchResult(folder, tuple(render_task(task) for task in plan.tasks))
    if result.ok:
        _keep_bases(dossier, bases)
    return result


def _bases_path(dossier: Path) -> Path:
    """Numbers of answers of the last report, beside the key: ``.evalkit/publie.json``."""
    from evalkit.loaders.dossier import key_path

    key = key_path(dossier)
    return key.with_name("publie.json" if key.name == "cle" else f"{key.stem}.publie.json")


def _warn_of_differences(dossier: Path, tell: Tell) -> dict[str, int]:
    """Say what comparing this report with the last one would tell; return the bases of this one."""
    from evalkit.compute.disclosure_bases import differencing_risk, published_bases

    publication = load_publication(dossier)
    bases = published_bases(publication)
    found = differencing_risk(_kept_bases(dossier), bases, publication.referentiel.seuil("seuil_cellule"))
    for source in dict.fromkeys(difference.source for difference in found):
        mine = [difference for difference in found if difference.source == source]
        first = mine[0]
        more = f", et {len(mine) - 1} autres résultats" if len(mine) > 2 else ", et un autre résultat" * (len(mine) - 1)
        fault = Fault(
            "DON-110",
            Place(file=str(_bases_path(dossier)), note=first.key),
            read=f"{first.before} réponses dans le dernier rapport, {first.now} aujourd’hui{more}",
            expected="le même nombre de réponses, ou au moins 11 de différence",
            fix="si l’ancien rapport a circulé, retirez-le ou attendez d’autres réponses ; sinon, supprimez-le",
        )
        tell(str(fault))
    return bases


def _kept_bases(dossier: Path) -> dict[str, int]:
    """Bases of the last report; nothing when there is none, or when the file is not ours any more."""
    import json

    try:
        kept = json.loads(_bases_path(dossier).read_text(encoding="utf-8"))["bases"]
        return {str(key): int(n) for key, n in kept.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _keep_bases(dossier: Path, bases: dict[str, int]) -> None:
    """Keep the bases for next time; a dossier where nothing can be written is not a reason to lose the report."""
    import contextlib
    import json

    from evalkit.batch.runner import write_whole

    text = json.dumps({"format": 1, "bases": bases}, ensure_ascii=False, sort_keys=True) + "\n"
    with contextlib.suppress(OSError):
        write_whole(_bases_path(dossier), text.encode("utf-8"))


def _dossier_of(path: Path) -> Path:
    path = _existing(path).resolve()
    if is_campaign(path):
        raise fail(
            "USA-003",
            path,
            read="un dossier de campagne",
            expected="le dossier d'un seul territoire",
            fix=f"pour tous les territoires : evalkit lot {path.name}",
        )
    if path.is_file() and path.suffix.lower() != ".xlsx":
        raise EvalkitError([_not_a_dossier(path)])
    if path.name == "evaluation.xlsx":  # the workbook of a folder: the folder is the dossier
        return path.parent
    return path


def _not_a_dossier(path: Path) -> Fault:
    return Fault(
        "USA-003",
        Place(file=str(path)),
        read="un fichier qui n'est pas un classeur",
        expected="le dossier d'un territoire, ou son classeur .xlsx",
        fix=f"donnez le dossier qui le contient : {path.parent}",
    )


def _check_before_rendering(dossier: Path, *, with_reference: bool = True) -> str:
    """Name of the territory, once its dossier is known to be readable."""
    from evalkit.loaders.dossier import load_dossier
    from evalkit.loaders.referentiel import load_referentiel

    return load_dossier(dossier, load_referentiel(), with_reference=with_reference).territoire.nom


def _ensure_keys(dossiers: Iterable[Path], tell: Tell) -> None:
    """Make the missing keys once, before any rendering, so that every process stamps with the same one."""
    for dossier in dossiers:
        _ensure_one_key(dossier, tell)


def _ensure_one_key(dossier: Path, tell: Tell) -> None:
    from evalkit.loaders.dossier import ensure_key, key_path

    there = key_path(dossier).exists()
    ensure_key(dossier)  # refuses a damaged one: a report stamped without a key could not be told from another
    if not there:
        tell(
            f"{dossier.name} : clé d'empreinte créée dans {key_path(dossier).parent.name}/ (conservez-la avec le dossier)"
        )


def default_output(campagne: Path) -> Path:
    """``sorties/<campagne>/``, from where the person stands."""
    return Path("sorties") / campagne.name


def _report_task(dossier: Path, folder: Path, title: str) -> Any:
    from evalkit.batch.plan import Task

    name = dossier.stem if dossier.is_file() else dossier.name
    notebook = resource_dir("notebooks") / "rapport_territoire.ipynb"
    output = (folder / name / "rapport").resolve()
    return Task(name, notebook, {"dossier": str(dossier.resolve())}, output, title=title)


def render_batch(
    campagne: Path,
    vers: Path | None = None,
    processes: int | None = None,
    tell: Tell = _silent,
    only: Sequence[str] = (),
) -> BatchResult:
    """Render every territory of a campaign (or those named by ``only``); a failing one leaves the others."""
    from evalkit.batch.journal import progress_line, write_journal
    from evalkit.batch.plan import make_plan
    from evalkit.batch.runner import default_processes, local_executor, run_plan, writing

    campagne = _campaign_of(campagne)
    folder = (vers or default_output(campagne)).resolve()
    dossiers = _dossiers_to_render(campagne, only)
    tell(f"Vérification de {plural(len(dossiers), 'dossier')}…")
    titles, failed = _check_all(dossiers, tell)
    plan = make_plan(_report_task(dossier, folder, titles[dossier]) for dossier in dossiers if dossier in titles)
    with writing(folder):  # said now rather than after an hour of rendering
        folder.mkdir(parents=True, exist_ok=True)
    with local_executor(processes or default_processes()) as executor:
        done = run_plan(plan, executor, lambda outcome, n, total: tell(progress_line(outcome, n, total)))
    outcomes = tuple(sorted([*done, *failed], key=lambda outcome: outcome.name))
    write_journal(
        folder / "journal.json", campagne.name, outcomes, _earlier_documents(folder, campagne) if only else ()
    )
    refresh_index(folder, campagne)
    return BatchResult(folder, outcomes)


def _earlier_documents(folder: Path, campagne: Path) -> list[dict[str, Any]]:
    """What the last run of this campaign did, for the territories that are still there."""
    from evalkit.batch.journal import read_documents
    from evalkit.loaders.dossier import list_dossiers

    names = {dossier.stem if dossier.is_file() else dossier.name for dossier in list_dossiers(campagne)}
    return [entry for entry in read_documents(folder / "journal.json") if entry["nom"] in names]


def _campaign_of(path: Path) -> Path:
    path = _existing(path).resolve()
    if not is_campaign(path):
        raise fail(
            "USA-003",
            path,
            read=f"pas de fichier « {CAMPAGNE_FILE} »",
            expected="un dossier de campagne : campagne.yml et un dossier par territoire",
            fix=f"pour une campagne, écrivez {CAMPAGNE_FILE} dans ce dossier (modèle : docs/tutoriels/premiere-heure-analyste.md) ; "
            "pour un seul territoire : evalkit rapport, suivi de son dossier",
        )
    return path


def _dossiers_to_render(campagne: Path, only: Sequence[str]) -> list[Path]:
    from evalkit.loaders.dossier import list_dossiers

    dossiers = list_dossiers(campagne)
    if not dossiers:
        raise EvalkitError([_empty_campaign(campagne)])
    names = {name for dossier in dossiers for name in (dossier.name, dossier.stem)}
    unknown = [name for name in only if name not in names]
    if unknown:
        raise EvalkitError([_unknown_dossier(campagne, name, names) for name in unknown])
    return [dossier for dossier in dossiers if not only or dossier.name in only or dossier.stem in only]


def _unknown_dossier(campagne: Path, name: str, names: Iterable[str]) -> Fault:
    near = get_close_matches(name, sorted(names), n=1)
    return Fault(
        "USA-001",
        Place(file=str(campagne), note="--seulement"),
        read=f"aucun dossier « {name} » dans cette campagne",
        expected="le nom d'un dossier de la campagne",
        fix=f"vouliez-vous dire « {near[0]} » ?" if near else "vérifiez le nom, sans chemin ni majuscule ajoutée",
    )


def _check_all(dossiers: Sequence[Path], tell: Tell | None = None) -> tuple[dict[Path, str], list[Outcome]]:
    """Titles of the dossiers that can be rendered; failures, with their messages, of those that cannot.

    With ``tell``, their reports are about to be made: the missing keys are made, and said. Without it, a synthesis is: the
    regional reference, of which it has no use, is not read.
    """
    from evalkit.batch.runner import Outcome

    titles: dict[Path, str] = {}
    failed: list[Outcome] = []
    for dossier in dossiers:
        try:
            title = _check_before_rendering(dossier, with_reference=tell is not None)
            if tell is not None:
                _ensure_one_key(dossier, tell)
            titles[dossier] = title
        except EvalkitError as error:
            name = dossier.stem if dossier.is_file() else dossier.name
            failed.append(Outcome(name, "rapport", False, faults=tuple(only_errors(error.faults)), title=name))
    return titles, failed


def render_synthesis(
    campagne: Path,
    vers: Path | None = None,
    departement: str = "",
    nominatif: bool = False,
    tell: Tell = _silent,
) -> BatchResult:
    """Render the synthesis of a campaign: the region, or one department."""
    from evalkit.batch.plan import Task, make_plan
    from evalkit.batch.runner import render_task, writing

    campagne = _campaign_of(campagne)
    folder = (vers or default_output(campagne)).resolve()
    dossiers = _dossiers_to_render(campagne, ())
    _, failed = _check_all(dossiers)
    if departement:
        _known_departement(campagne, dossiers, departement)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    name = "-".join(part for part in ("synthese", departement, "nominatif" if nominatif else "") if part)
    tell("Synthèse : évaluation de tous les territoires…")
    task = Task(
        name,
        resource_dir("notebooks") / "synthese_regionale.ipynb",
        {"campagne": str(campagne), "departement": departement, "nominatif": nominatif},
        folder / name,
        title=f"Synthèse — {f'département {departement}' if departement else 'région'}",
        kind="synthese",
    )
    outcomes = tuple(render_task(task) for task in make_plan([task]).tasks)
    refresh_index(folder, campagne)
    return BatchResult(folder, outcomes, tuple((one.name, ", ".join(f.code for f in one.faults)) for one in failed))


def _known_departement(campagne: Path, dossiers: Sequence[Path], departement: str) -> None:
    """Refuse a department that no territory of the campaign has: the page would be empty, under a name never asked for."""
    from evalkit.loaders.dossier import departement_of
    from evalkit.loaders.referentiel import load_referentiel

    referentiel = load_referentiel()
    known = sorted({code for code in (departement_of(dossier, referentiel) for dossier in dossiers) if code})
    if departement not in known:
        padded = departement.zfill(2)
        raise fail(
            "USA-002",
            campagne,
            read=f"--departement {departement}",
            expected="un département de cette campagne : " + (", ".join(known) or "aucun n'a pu être lu"),
            fix=f"écrivez --departement {padded}" if padded in known else "choisissez dans cette liste",
        )


def freeze_reference(campagne: Path) -> tuple[Path, Path | None]:
    """Write the campaign's regional reference; the old one is kept, dated. Returns (new, kept or None).

    Raises
    ------
    EvalkitError
        LOT-007: a territory cannot be read, or no figure stands on enough territories. Forty reports will be compared with
        this file: it is whole, or it is not made. LOT-003: it cannot be written.
    """
    import json

    from evalkit.batch.runner import write_whole, writing
    from evalkit.compute.synthesis import freeze
    from evalkit.loaders.dossier import load_campagne

    campagne = _campaign_of(campagne)
    _, failed = _check_all(_dossiers_to_render(campagne, ()))
    if failed:
        raise EvalkitError([_incomplete_reference(campagne, [one.name for one in failed])])
    content = freeze(load_synthese(campagne), load_campagne(campagne).date_reference)
    target = campagne / REFERENCE_FILE
    if not any(content[name] for name in ("indicateurs", "niveaux", "questions")):
        raise EvalkitError([_nothing_to_freeze(campagne, content["n_territoires"])])
    new = (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode("utf-8")
    kept = None
    with writing(target):
        if target.is_file() and target.read_bytes().replace(b"\r\n", b"\n") != new:
            kept = _free_name(target.with_name(f"reference_regionale.{_date_of(target)}.json"))
            shutil.copy2(target, kept)
        write_whole(target, new)
    return target, kept


def _nothing_to_freeze(campagne: Path, territories: int) -> Fault:
    return Fault(
        "LOT-007",
        Place(file=str(campagne)),
        read=f"{territories} dossier(s) évalué(s) : trop peu pour un seul chiffre de référence",
        expected="au moins autant de territoires évalués que le demande referentiel/regles.yml (seuil_territoires)",
        fix="attendez d'autres dossiers ; la référence d'avant, s'il y en a une, n'a pas changé",
    )


def _date_of(reference: Path) -> str:
    """Date of a frozen reference, for the name of its copy; a damaged one is kept too, under another name."""
    import json

    try:
        date = str(json.loads(reference.read_text(encoding="utf-8"))["date"])
    except (ValueError, RecursionError, LookupError, TypeError):
        return "ancienne"
    return date if re.fullmatch(r"\d{4}-\d{2}-\d{2}", date) else "ancienne"


def _incomplete_reference(campagne: Path, names: Sequence[str]) -> Fault:
    return Fault(
        "LOT-007",
        Place(file=str(campagne)),
        read=f"{plural(len(names), 'dossier')} avec des anomalies : {', '.join(names)}",
        expected="une campagne dont chaque territoire peut être lu",
        fix=f"corrigez-les d'après « evalkit verifier {campagne.name} », ou sortez-les de la campagne, puis recommencez",
    )


def _free_name(path: Path) -> Path:
    """A name that nothing has yet: no file of a person is ever overwritten."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def refresh_index(folder: Path, campagne: Path) -> Path:
    """Write ``index.html`` from the journal: reports, failures and syntheses of an output folder."""
    from evalkit.batch.journal import read_documents
    from evalkit.batch.runner import write_whole, writing
    from evalkit.loaders.dossier import load_campagne
    from evalkit.report.index import render_index

    syntheses = sorted(path.name for path in folder.glob("synthese*.html") if "nominatif" not in path.name)
    page = folder / "index.html"
    documents = read_documents(folder / "journal.json")
    with writing(page):
        write_whole(page, render_index(load_campagne(campagne), documents, syntheses).encode("utf-8"))
    return page


# --- evalkit importer, outils --------------------------------------------------------------------------------------------


def import_context(files: Sequence[Path], vers: Path) -> ContextImport:
    """Read INSEE's files by neighbourhood as published and merge them into ``<vers>/contexte.parquet``.

    Raises
    ------
    EvalkitError
        Every fault of every file; nothing is written then.
    """
    from evalkit.batch.runner import writing
    from evalkit.loaders.open_data import read_context_files, write_context

    for path in files:
        _existing(path)
    fictif = is_campaign(vers) and _is_invented(vers)
    result = read_context_files(files, fictif=fictif).checked()
    with writing(vers):
        vers.mkdir(parents=True, exist_ok=True)
        return replace(result, faults=(*result.faults, *write_context(result.frame, vers / "contexte.parquet")))


def _is_invented(campagne: Path) -> bool:
    from evalkit.loaders.dossier import load_campagne

    return load_campagne(campagne).fictif


def import_territories(
    files: Sequence[Path], generation: str, vers: Path, date_reference: str = ""
) -> TerritoriesImport:
    """Make one folder per real contract from the published lists; no file of a person is overwritten."""
    from evalkit.batch.runner import writing
    from evalkit.loaders.open_data import make_territories

    for path in files:
        _existing(path)
    with writing(vers):
        result = make_territories(files, generation, vers, date_reference=date_reference)
    _ensure_keys(result.dossiers, _silent)
    return result


def write_reference_page(vers: Path) -> Path:
    """Write the framework's reference page: Markdown, or HTML when the name ends in ``.html``."""
    from evalkit.batch.runner import write_whole, writing
    from evalkit.documents.reference_page import render_reference_html, render_reference_markdown
    from evalkit.loaders.referentiel import load_referentiel

    render = render_reference_html if vers.suffix.lower() in (".html", ".htm") else render_reference_markdown
    with writing(vers):
        vers.parent.mkdir(parents=True, exist_ok=True)
        write_whole(vers, render(load_referentiel()).encode("utf-8"))
    return vers


@dataclass(frozen=True)
class QuestionnaireFiles:
    """Files of one questionnaire, and what is still to be written in them before they are used."""

    xlsform: Path
    imprimable: Path
    a_completer: tuple[str, ...]


def write_questionnaire(code: str, vers: Path, dossier: Path | None = None) -> QuestionnaireFiles:
    """Write the XLSForm (KoboToolbox, ODK) and the printable form of one questionnaire.

    Parameters
    ----------
    code
        ``ENQ-ASSO``, ``ENQ-COM``… in any case.
    vers
        Folder that receives ``enq-asso.xlsx`` and ``enq-asso.html``.
    dossier
        Territory whose QPV and communes become choices; without it, their place is left to fill.
    """
    from evalkit.documents.questionnaire import write_printable_form, write_xlsform
    from evalkit.loaders.dossier import load_dossier
    from evalkit.loaders.referentiel import load_referentiel

    referentiel = load_referentiel()
    surveys = {survey.code: survey for survey in referentiel.enquetes}
    survey = surveys.get(code.upper())
    if survey is None:
        raise fail(
            "USA-002",
            "ligne de commande",
            read=f"le questionnaire « {code} »",
            expected=f"un de ces codes : {', '.join(surveys)}",
            fix=f"evalkit outils questionnaire {next(iter(surveys), 'ENQ-ASSO')}",
        )
    territory = load_dossier(_existing(dossier), referentiel).territoire if dossier else None
    vers.mkdir(parents=True, exist_ok=True)
    form = vers / f"{survey.code.lower()}.xlsx"
    missing = write_xlsform(form, survey, referentiel, territory)
    page = write_printable_form(form.with_suffix(".html"), survey, referentiel, territory)
    return QuestionnaireFiles(form, page, tuple(missing))


def write_consensus_sheets(dossier: Path, vers: Path | None = None) -> Path:
    """Write the sheets of a territory's consensus meeting: HTML, one printed page per sub-question to discuss.

    Raises
    ------
    EvalkitError
        Every fault of the framework or of the dossier.
    """
    from evalkit.batch.runner import write_whole
    from evalkit.report.consensus import render_consensus

    target = vers or Path(f"consensus-{dossier.resolve().stem}.html")
    page = render_consensus(load_publication(dossier))
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, page.encode("utf-8"))
    return target


def write_working_file(dossier: Path, tell: Tell = _silent) -> tuple[Path, Path | None]:
    """Write the confidential working file of a territory: individual ratings, settled levels, live formulas.

    Returns
    -------
    tuple of Path and (Path or None)
        The file, and the copy of the old one when someone had changed it.

    Raises
    ------
    EvalkitError
        Every fault of the framework or of the dossier; LOT-003: it cannot be written (it is open in Excel).
    """
    from evalkit.batch.runner import writing
    from evalkit.batch.working_file import replace_working_file, working_path
    from evalkit.compute.evaluation import evaluate
    from evalkit.loaders.dossier import load_dossier
    from evalkit.loaders.referentiel import load_referentiel
    from evalkit.report.workbook import render_travail_xlsx

    dossier = _dossier_of(dossier)
    referentiel = load_referentiel()
    _check_before_rendering(dossier, with_reference=False)  # no key is made for a dossier that cannot be read
    _ensure_keys([dossier], tell)
    read = load_dossier(dossier, referentiel, with_reference=False)
    content = render_travail_xlsx(evaluate(referentiel, read), read.tables["cotations"])
    with writing(working_path(dossier)):
        return replace_working_file(dossier, content)


def render_workbook(dossier: Path) -> bytes:
    """The published workbook of a territory, ``rapport.xlsx``, as bytes.

    Raises
    ------
    EvalkitError
        Every fault of the framework or of the dossier.
    """
    from evalkit.report.workbook import render_rapport_xlsx

    return render_rapport_xlsx(load_publication(dossier))


# --- evalkit demo -------------------------------------------------------------------------------------------------------


def demo(
    vers: Path | None = None, processes: int | None = None, tell: Tell = _silent, only: Sequence[str] = ()
) -> BatchResult:
    """Render the sample campaign: reports, regional synthesis, and the page that lists them."""
    campagne = _sample_campaign(vers)
    result = render_batch(campagne, vers, processes, tell, only)
    synthesis = render_synthesis(campagne, result.folder, tell=tell)
    return BatchResult(result.folder, (*result.outcomes, *synthesis.outcomes), synthesis.excluded)


def _sample_campaign(vers: Path | None) -> Path:
    """The sample campaign; a copy beside the outputs when the package is installed, where nothing may be written."""
    samples = resource_dir("sample_data")
    if not is_installed_copy(samples):
        return samples / "2022"
    target = (vers or Path("sorties")) / "exemples"
    shutil.copytree(samples, target, dirs_exist_ok=True)
    return target / "2022"


def document_paths(result: BatchResult) -> list[Path]:
    """Paths of the pages that a run produced."""
    return [
        (result.folder / outcome.name / name) if outcome.kind == "rapport" else (result.folder / name)
        for outcome in result.outcomes
        for name in outcome.documents
    ]
