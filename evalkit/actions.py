"""One function per thing a person can ask. The command line, the widgets and the notebooks call these, nothing else.

Heavy libraries are imported inside the functions: asking for help or for an unchanged run must stay instantaneous.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.errors import EvalkitError, Fault, Place, fail, only_errors, only_warnings
from evalkit.loaders.files_beside import place_of
from evalkit.loaders.resources import is_installed_copy, resource_dir
from evalkit.wording import plural, typed

if TYPE_CHECKING:
    from evalkit.batch.campaign import Survey
    from evalkit.batch.runner import Outcome
    from evalkit.compute.results import Evaluation, Publication, PublicationSynthese
    from evalkit.documents.import_texts import TextsImport
    from evalkit.loaders.open_data import ContextImport, TerritoriesImport
    from evalkit.loaders.survey_mapping import SurveyMapping
    from evalkit.loaders.surveys import SurveyImport
    from evalkit.model.dossier import Dossier
    from evalkit.model.referentiel import Referentiel
    from evalkit.model.survey import Enquete

Tell = Callable[[str], None]
CAMPAGNE_FILE = "campagne.yml"
REFERENCE_FILE = "reference_regionale.json"
MODEL_FILE = "modele.docx"
ONLY_PAGES = ("html",)  # what a batch makes unless asked for more


def _silent(_: str) -> None:
    """Progress when nobody watches."""


@contextmanager
def _small_tables() -> Iterator[None]:
    """Hold texts as Python objects meanwhile: in tables of some ten rows, Arrow's take longer to filter and to read."""
    import pandas as pd

    with pd.option_context("mode.string_storage", "python"):
        yield


# --- Reading and computing ---------------------------------------------------------------------------------------------


@_small_tables()
def load_publication(dossier: str | Path, sans_enquete: str = "") -> Publication:
    """Evaluate one territory's folder (or lone workbook) and keep only what may be shown.

    Parameters
    ----------
    dossier
        The folder, or the workbook.
    sans_enquete
        Codes of the questionnaires to leave out, ``ENQ-ASSO, ENQ-COM``, and exports that answer none, ``brut/nom.csv``; the
        report says that they were, and why.

    Raises
    ------
    EvalkitError
        Every fault of the framework or of the dossier.
    """
    from evalkit.batch.parts import note, read_once
    from evalkit.batch.published import note_report
    from evalkit.model.survey import left_out_names

    path, codes = place_of(Path(dossier)), left_out_names(sans_enquete)
    read, referentiel, publication = read_once((path, *codes), lambda: _read_publication(path, codes))
    note(read, referentiel)
    note_report(path, publication)
    return publication


def _read_publication(dossier: Path, codes: Sequence[str]) -> tuple[Dossier, Referentiel, Publication]:
    from evalkit.compute.disclosure import protect
    from evalkit.compute.evaluation import evaluate
    from evalkit.loaders.dossier import load_dossier
    from evalkit.loaders.referentiel import load_referentiel

    referentiel = load_referentiel()
    read = load_dossier(dossier, referentiel, sans_enquete=codes)
    return read, referentiel, protect(evaluate(referentiel, read), referentiel.regles)


def _evaluate(dossier: Path, referentiel: Referentiel, *, with_reference: bool = True) -> Evaluation:
    from evalkit.compute.evaluation import evaluate
    from evalkit.loaders.dossier import load_dossier

    return evaluate(referentiel, load_dossier(dossier, referentiel, with_reference=with_reference))


@_small_tables()
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
    from evalkit.batch.published import note_synthesis
    from evalkit.compute.synthesis import protect_synthesis, synthesize
    from evalkit.loaders.dossier import load_campagne
    from evalkit.loaders.referentiel import load_referentiel

    referentiel = load_referentiel()
    evaluations, excluded = evaluate_campaign(Path(campagne), referentiel, departement)
    identity = load_campagne(campagne)
    known: list[PublicationSynthese] = []
    for perimeter in _perimeters_before(departement, evaluations):
        part = synthesize(referentiel, identity, evaluations, excluded, perimetre=perimeter)
        known.append(protect_synthesis(part, referentiel.regles, known))
    synthese = synthesize(referentiel, identity, evaluations, excluded, perimetre=departement)
    publication = protect_synthesis(synthese, referentiel.regles, known, nominatif=nominatif)
    note_synthesis(publication)
    return publication


def _perimeters_before(departement: str, evaluations: Sequence[Evaluation]) -> list[str]:
    """Perimeters taken as published before a department: the region, then the departments of smaller code.

    Whatever was really published, and in whatever order, a department then hides the same cells: subtracting those of
    smaller code from the region never gives one back.
    """
    if not departement:
        return []
    codes = sorted({evaluation.territoire.departement for evaluation in evaluations})
    return ["", *(code for code in codes if code < departement)]


@_small_tables()
def evaluate_campaign(
    campagne: Path, referentiel: Referentiel, departement: str = ""
) -> tuple[list[Evaluation], list[tuple[str, str]]]:
    """Evaluate every territory; those that cannot be are returned with the reason, never dropped in silence.

    ``departement``: those of another department are not left out of its synthesis; one that does not say is.
    """
    from evalkit.batch.parts import note_excluded
    from evalkit.loaders.dossier import departement_of, list_dossiers

    evaluations: list[Evaluation] = []
    excluded: list[tuple[str, str]] = []
    codes: list[tuple[str, str]] = []
    for dossier in list_dossiers(campagne):
        try:
            evaluations.append(_evaluate(dossier, referentiel, with_reference=False))
        except EvalkitError as error:
            if departement and departement_of(dossier, referentiel) not in ("", departement):
                continue
            errors = only_errors(error.faults)
            titles = sorted({f"{fault.title.lower()} ({fault.code})" for fault in errors})
            name = _dossier_name(dossier)
            excluded.append((name, " ; ".join(titles)))
            codes.append((name, ", ".join(fault.code for fault in errors)))
    note_excluded(codes)
    return evaluations, excluded


# --- evalkit verifier ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verification:
    """What a check found: by dossier, its faults and what the report will lack; folders of the campaign that are no dossier."""

    faults: dict[str, tuple[Fault, ...]] = field(default_factory=dict)
    missing: dict[str, tuple[str, ...]] = field(default_factory=dict)
    aside: tuple[str, ...] = ()

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
            "laisses_de_cote": list(self.aside),
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


@_small_tables()
def verify(path: Path, tell: Tell = _silent) -> Verification:
    """Check one dossier, one workbook, or every dossier of a campaign, before any rendering."""
    from evalkit.documents.import_texts import texts_to_merge
    from evalkit.loaders.dossier import check_dossier, left_aside, list_dossiers, load_campagne
    from evalkit.loaders.referentiel import load_referentiel

    referentiel = load_referentiel()
    if _existing(path).is_file() and path.suffix.lower() != ".xlsx":
        raise EvalkitError([_not_a_dossier(path)])
    faults: dict[str, tuple[Fault, ...]] = {}
    missing: dict[str, tuple[str, ...]] = {}
    aside: tuple[str, ...] = ()
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
        aside = tuple(left_aside(path))
    for dossier in dossiers:
        tell(dossier.name)
        check = check_dossier(dossier, referentiel)
        faults[dossier.name] = tuple(check.faults)
        missing[dossier.name] = (*check.manques, *texts_to_merge(dossier))
    return Verification(faults, missing, aside)


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
    lacking: tuple[Fault, ...] = ()  # formats that this machine cannot make
    reminders: tuple[str, ...] = ()  # what waits for somebody in the dossier, and is in no document
    late: tuple[str, ...] = ()  # syntheses beside it that are not up to date any more, and what to type
    doubtful: tuple[str, ...] = ()  # what to read again in a dossier whose report is made
    formats_asked: bool = (
        False  # whether a person named the formats: only then does one that lacks change the exit code
    )

    @property
    def format_faults(self) -> tuple[Fault, ...]:
        """Why a format was not made, here or for one document."""
        return (*self.lacking, *(fault for outcome in self.outcomes for fault in outcome.others.faults))

    @property
    def ok(self) -> bool:
        """Whether every document was produced."""
        return all(outcome.ok for outcome in self.outcomes)


def render_report(
    dossier: Path,
    vers: Path | None = None,
    tell: Tell = _silent,
    formats: Sequence[str] | None = None,
    sans_enquete: Sequence[str] = (),
) -> BatchResult:
    """Render one territory's documents: its report, and the two pages for its steering committee.

    ``formats``: html, docx, pdf, xlsx (the report only); ``None`` for all that this machine can make.

    ``sans_enquete``: codes of questionnaires whose files are left out; the report says so, and why.

    Raises
    ------
    EvalkitError
        The dossier's faults: nothing is drawn from data that do not hold.
    """
    from evalkit.batch.apart import kernel_starting

    dossier = _dossier_of(dossier)
    tell("Lecture et vérification du dossier…")
    with kernel_starting():
        without = _known_surveys(sans_enquete)
        return _render_one(dossier, vers or default_output(dossier.parent), tell, formats, without)


def _render_one(
    dossier: Path, folder: Path, tell: Tell, formats: Sequence[str] | None, sans_enquete: Sequence[str]
) -> BatchResult:
    from evalkit.batch.plan import make_plan
    from evalkit.batch.published import keep
    from evalkit.batch.runner import render_tasks, writing
    from evalkit.documents.import_texts import texts_to_merge
    from evalkit.report.formats import possible_formats

    read = _read_before_rendering(dossier, sans_enquete=sans_enquete)
    _ensure_keys([dossier], tell)
    possible, lacking = possible_formats(formats)
    plan = make_plan(_territory_tasks(dossier, folder.resolve(), read.territoire.nom, possible, sans_enquete))
    tell("Calcul et dessin du rapport (quelques secondes)…")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    outcomes = tuple(render_tasks(plan.tasks, tell))
    for task, outcome in zip(plan.tasks, outcomes, strict=True):
        for warning in outcome.warnings:
            tell(str(warning))
        keep(task, outcome.published)
    return BatchResult(
        folder,
        outcomes,
        lacking=lacking,
        reminders=tuple(texts_to_merge(dossier)),
        doubtful=tuple(_doubtful_points(dossier, read.avertissements)),
        formats_asked=formats is not None,
    )


_OF_SOMEBODY = "DON-051"  # what names or reaches somebody is told in full: the document that prints it is made


def _doubtful_points(dossier: Path, faults: Sequence[Fault]) -> list[str]:
    """The doubtful points of a dossier whose report is made: what names somebody in full, then how many there are."""
    if not faults:
        return []
    count = plural(len(faults), "point à relire", "points à relire")
    named = [str(fault) for fault in faults if fault.code == _OF_SOMEBODY]
    return [*named, f"{count} : evalkit verifier {typed(str(dossier))}"]


def _dossier_of(path: Path) -> Path:
    path = _existing(path)
    if path.name == "evaluation.xlsx":  # the workbook of a folder: the folder is the dossier
        return place_of(path.parent)
    path = place_of(path)
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
    return path


def _not_a_dossier(path: Path) -> Fault:
    return Fault(
        "USA-003",
        Place(file=str(path)),
        read="un fichier qui n'est pas un classeur",
        expected="le dossier d'un territoire, ou son classeur .xlsx",
        fix=f"donnez le dossier qui le contient : {path.parent}",
    )


def _check_before_rendering(dossier: Path, *, with_reference: bool = True, sans_enquete: Sequence[str] = ()) -> str:
    """Name of the territory, once its dossier is known to be readable."""
    return _read_before_rendering(dossier, with_reference=with_reference, sans_enquete=sans_enquete).territoire.nom


def _read_before_rendering(dossier: Path, *, with_reference: bool = True, sans_enquete: Sequence[str] = ()) -> Dossier:
    """The dossier, read with its doubtful points; its faults stop everything."""
    from evalkit.loaders.dossier import load_dossier
    from evalkit.loaders.referentiel import load_referentiel

    return load_dossier(dossier, load_referentiel(), with_reference=with_reference, sans_enquete=sans_enquete)


def _known_surveys(names: Sequence[str]) -> list[str]:
    """What to leave out, as typed: codes in capitals, exports as ``brut/nom.csv``; what cannot be one is refused (USA-002)."""
    from evalkit.loaders.referentiel import load_referentiel

    if not names:
        return []
    known = [survey.code for survey in load_referentiel().enquetes]
    return sorted({_left_out_name(name, known) for name in names})


def _left_out_name(typed: str, known: Sequence[str]) -> str:
    from evalkit.loaders.survey_store import refuse_a_name
    from evalkit.model.survey import RAW_MARK, left_out_names

    if typed.upper() in known:
        return typed.upper()
    name = f"{RAW_MARK}{typed.replace(chr(92), '/').rpartition('/')[2]}"  # a path as Windows writes it, too
    if left_out_names(name) != [name]:
        raise _bad_option(
            "--sans-enquete", typed, f"un de ces codes : {', '.join(known)}", f"{known[0]}, ou brut/nom.csv"
        )
    named = refuse_a_name(name, "ligne de commande")
    if named is not None:  # now: a batch would keep its options before it reads any answer
        raise EvalkitError([named])
    return name


def _surveys_by_territory(codes: Sequence[str], names: Iterable[str]) -> dict[str, list[str]]:
    """``ardelle=ENQ-ASSO``: what a batch leaves out, by territory. A code alone is refused: it would be for all of them."""
    known, found = set(names), dict[str, list[str]]()
    for text in codes:
        name, mark, code = text.partition("=")
        if not mark or name not in known:
            expected = "un territoire de ce lot, le signe =, et le code de l’enquête à laisser de côté pour lui"
            raise _bad_option("--sans-enquete", text, expected, f"{min(known, default='ardelle')}=ENQ-ASSO")
        found.setdefault(name, []).extend(_known_surveys([code]))
    return found


def _ensure_keys(dossiers: Iterable[Path], tell: Tell) -> None:
    """Make the missing keys once, before any rendering, so that every process stamps with the same one."""
    for dossier in dossiers:
        _ensure_one_key(dossier, tell)


def _ensure_one_key(dossier: Path, tell: Tell) -> bool:
    """Make the key of a dossier that has none; whether it had to."""
    from evalkit.loaders.dossier import ensure_key, key_path

    there = key_path(dossier).exists()
    ensure_key(dossier)  # refuses a damaged one: a report stamped without a key could not be told from another
    if not there:
        tell(
            f"{dossier.name} : clé d'empreinte créée dans {key_path(dossier).parent.name}/ (conservez-la avec le dossier)"
        )
    return not there


def _dossier_name(dossier: Path) -> str:
    """What a territory is called in a campaign: its folder, or its workbook without extension."""
    return dossier.stem if dossier.is_file() else dossier.name


def default_output(campagne: Path) -> Path:
    """``sorties/<campagne>/``, from where the person stands."""
    return Path("sorties") / campagne.name


def _output_folder(campagne: Path, vers: Path | None) -> Path:
    """Where the documents of a campaign go: never among what they are made from.

    Raises
    ------
    EvalkitError
        USA-003: the campaign itself was given.
    """
    folder = (vers or default_output(campagne)).resolve()
    if folder == campagne:
        raise fail(
            "USA-003",
            folder,
            read="la campagne elle-même comme dossier de sortie",
            expected="un dossier à part : les pages ne se mêlent pas aux données",
            fix=f"donnez un autre dossier après --vers, par exemple {typed(str(folder / 'sorties'))}",
        )
    return folder


def find_model(folder: Path) -> Path | None:
    """A person's ``modele.docx``: the territory's own, else the campaign's; None for evalkit's."""
    folders = [folder, folder.parent] if folder.is_dir() else [folder.parent]
    return next((path for one in folders if (path := one / MODEL_FILE).is_file()), None)


# Documents of a territory: kind of task -> notebook. The report first: it is the one to open.
TERRITORY_NOTEBOOKS = {"rapport": "rapport_territoire.ipynb", "comite": "comite.ipynb"}


def _territory_tasks(
    dossier: Path,
    folder: Path,
    title: str = "",
    formats: Sequence[str] = ("html",),
    sans_enquete: Sequence[str] = (),
) -> list[Any]:
    """One task per document of a territory: its report, and the two pages for its steering committee.

    ``dossier`` and ``folder`` are whole paths: what renders them may stand elsewhere.
    """
    from evalkit.batch.plan import Task
    from evalkit.report.formats import formats_of

    name = _dossier_name(dossier)
    notebooks = resource_dir("notebooks")
    model = find_model(dossier) if set(formats) - {"html"} else None
    parameters = {"dossier": str(dossier)}
    if sans_enquete:  # a notebook that does not know this parameter is still good for the others
        parameters["sans_enquete"] = ", ".join(sorted(set(sans_enquete)))
    return [
        Task(
            name,
            notebooks / notebook,
            parameters,
            folder / name / kind,
            title=title,
            kind=kind,
            dossier=dossier,
            formats=formats_of(kind, formats),
            model=model,
        )
        for kind, notebook in TERRITORY_NOTEBOOKS.items()
    ]


def render_batch(
    campagne: Path,
    vers: Path | None = None,
    processes: int | None = None,
    tell: Tell = _silent,
    only: Sequence[str] = (),
    dask: str = "",
    formats: Sequence[str] | None = None,
    sans_enquete: Sequence[str] = (),
) -> BatchResult:
    """Render what must be of a campaign (or of the territories named by ``only``); a failing one leaves the others.

    ``dask``: address of a Dask cluster that renders instead of this machine. ``formats``: pages only unless asked.
    ``sans_enquete``: questionnaires left out of one territory's documents, ``ardelle=ENQ-ASSO``.
    """
    from evalkit.batch import campaign
    from evalkit.report.formats import possible_formats

    campagne = _campaign_of(campagne)
    folder = _output_folder(campagne, vers)
    possible, lacking = possible_formats(formats or ONLY_PAGES)
    found = _survey(campagne, folder, only, possible, sans_enquete)
    run = _run(campagne, folder, processes, tell, dask)
    outcomes = campaign.render(run, found, _earlier_documents(folder, found.campaign.dossiers) if only else ())
    ordered = tuple(sorted(outcomes, key=lambda outcome: outcome.name))
    late = _late_syntheses(found, campagne, folder, asked=vers is not None)
    return BatchResult(folder, ordered, lacking=lacking, late=tuple(late), formats_asked=formats is not None)


def _late_syntheses(found: Survey, campagne: Path, folder: Path, *, asked: bool) -> list[str]:
    """The syntheses of an output folder that do not tell the campaign as it is, why, and the command for each.

    ``asked``: whether a person named this folder.
    """
    lines = []
    for name, late in found.late_syntheses(campagne, folder).items():
        departement, nominatif = _perimeter_of(name)
        options = f" --departement {departement}" * bool(departement) + " --nominatif" * nominatif
        options += " --format html" * (late.pages == (f"{name}.html",)) + f" --vers {typed(str(folder))}" * asked
        command = f"evalkit synthese {typed(str(campagne))}{options}"
        lines.append(f"{name}.html : à refaire ({' ; '.join(late.reasons)}). Commande : {command}")
    return lines


def explain_batch(
    campagne: Path,
    vers: Path | None = None,
    only: Sequence[str] = (),
    formats: Sequence[str] | None = None,
    sans_enquete: Sequence[str] = (),
) -> list[str]:
    """What ``render_batch`` would make again, and why: one line per document; and which synthesis is late. Nothing is made."""
    from evalkit.batch.decide import explain
    from evalkit.report.formats import possible_formats

    campagne = _campaign_of(campagne)
    possible, _ = possible_formats(formats or ONLY_PAGES)
    folder = _output_folder(campagne, vers)
    found = _survey(campagne, folder, only, possible, sans_enquete)
    return [*explain(found.decisions), *_late_syntheses(found, campagne, folder, asked=vers is not None)]


def _survey(
    campagne: Path,
    folder: Path,
    only: Sequence[str],
    formats: Sequence[str] = ("html",),
    sans_enquete: Sequence[str] = (),
) -> Survey:
    """What there is to do for the reports of a campaign, without any heavy import when nothing has changed."""
    from evalkit.batch import campaign

    found = campaign.survey(campagne)
    chosen = _chosen(campagne, found.campaign.dossiers, only)
    names = {path: _dossier_name(path) for path in chosen}
    without = _surveys_by_territory(sans_enquete, names.values()) if sans_enquete else {}
    tasks = [
        task
        for path in chosen
        for task in _territory_tasks(path, folder, formats=formats, sans_enquete=without.get(names[path], ()))
    ]
    found.choose(campagne, tasks)
    return found


def _run(
    campagne: Path, folder: Path, processes: int | None, tell: Tell, dask: str = "", *, synthesis: bool = False
) -> Any:
    """How a campaign's documents are rendered and told: the reports, or one synthesis."""
    from evalkit.batch.apart import dask_executor, local_executor, render_apart
    from evalkit.batch.campaign import Run
    from evalkit.batch.journal import journal_of, write_entries
    from evalkit.batch.runner import default_processes

    def publish(entries: Sequence[Any]) -> None:
        if not synthesis:
            write_entries(folder / "journal.json", journal_of(campagne.name, entries))
        refresh_index(folder, campagne)

    def executor() -> Any:
        return dask_executor(dask) if dask else local_executor(processes or default_processes())

    def prepare(dossier: Path) -> bool:
        return _has_identity(dossier) and _ensure_one_key(dossier, tell)

    pages = ("index.html",) if synthesis else ("journal.json", "index.html")
    return Run(campagne, folder, publish, executor, render_apart, pages, prepare, tell)


def _has_identity(dossier: Path) -> bool:
    """Whether there is something to stamp: a key is not left in a folder where nothing has been put yet."""
    return dossier.is_file() or any(
        path.name.lower() in ("territoire.yml", "evaluation.xlsx") for path in dossier.iterdir()
    )


def _earlier_documents(folder: Path, dossiers: Iterable[Path]) -> list[dict[str, Any]]:
    """What the last run of this campaign did, for the territories that are still there."""
    from evalkit.batch.journal import read_documents

    names = {_dossier_name(dossier) for dossier in dossiers}
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

    return _chosen(campagne, list_dossiers(campagne), only)


def _chosen(campagne: Path, dossiers: Sequence[Path], only: Sequence[str]) -> list[Path]:
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


def _check_all(dossiers: Sequence[Path]) -> list[Outcome]:
    """Failures, with their messages, of the dossiers that a synthesis cannot read; the regional reference is not read."""
    from evalkit.batch.runner import Outcome

    failed: list[Outcome] = []
    for dossier in dossiers:
        try:
            _check_before_rendering(dossier, with_reference=False)
        except EvalkitError as error:
            name = _dossier_name(dossier)
            failed.append(Outcome(name, "rapport", False, faults=tuple(only_errors(error.faults)), title=name))
    return failed


def render_synthesis(
    campagne: Path,
    vers: Path | None = None,
    departement: str = "",
    nominatif: bool = False,
    tell: Tell = _silent,
    formats: Sequence[str] | None = None,
) -> BatchResult:
    """Render the synthesis of a campaign: the region, or one department. ``formats``: as :func:`render_report`."""
    from evalkit.batch import campaign
    from evalkit.batch.plan import SYNTHESIS_NOTEBOOK, Task
    from evalkit.report.formats import possible_formats

    campagne = _campaign_of(campagne)
    folder = _output_folder(campagne, vers)
    found = campaign.survey(campagne)
    dossiers = _chosen(campagne, found.campaign.dossiers, ())
    name = _synthesis_name(departement, nominatif)
    possible, lacking = possible_formats(formats, "synthese")
    task = Task(
        name,
        resource_dir("notebooks") / SYNTHESIS_NOTEBOOK,
        {"campagne": str(campagne), "departement": departement, "nominatif": nominatif},
        folder / name,
        title=f"Synthèse — {f'département {departement}' if departement else 'région'}",
        kind="synthese",
        seconds=600 + 10 * len(dossiers),
        memory_mb=0,  # a whole country is held at once
        formats=possible,
        model=find_model(campagne) if set(possible) - {"html"} else None,
    )
    found.choose(campagne, [task])
    if found.decisions[0].action != "garder":
        if departement:
            _known_departement(campagne, dossiers, departement)
        tell("Synthèse : évaluation de tous les territoires…")
    outcomes = tuple(campaign.render(_run(campagne, folder, 1, tell, synthesis=True), found))
    excluded = tuple(pair for outcome in outcomes for pair in outcome.excluded)
    return BatchResult(folder, outcomes, excluded, lacking, formats_asked=formats is not None)


def _synthesis_name(departement: str, nominatif: bool) -> str:
    return "-".join(part for part in ("synthese", departement, "nominatif" if nominatif else "") if part)


def _perimeter_of(name: str) -> tuple[str, bool]:
    """Department and diffusion of the synthesis of this name (:func:`_synthesis_name`)."""
    _, *parts = name.split("-")
    return next((part for part in parts if part != "nominatif"), ""), "nominatif" in parts


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


def freeze_reference(campagne: Path, tell: Tell = _silent) -> tuple[Path, Path | None]:
    """Write the campaign's regional reference; the old one is kept, dated. Returns (new, kept or None).

    Raises
    ------
    EvalkitError
        LOT-007: a territory cannot be read, or no figure stands on enough territories. Forty reports will be compared with
        this file: it is whole, or it is not made. LOT-013: subtracting a kept reference from it would give a few
        territories. LOT-003: it cannot be written.
    """
    import json

    from evalkit.batch.runner import write_whole, writing

    campagne = _campaign_of(campagne)
    failed = _check_all(_dossiers_to_render(campagne, ()))
    if failed:
        raise EvalkitError([_incomplete_reference(campagne, [one.name for one in failed])])
    content = _reference_content(campagne, tell)
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


def _reference_content(campagne: Path, tell: Tell) -> dict[str, Any]:
    """What may be frozen, the references kept beside it taken as known."""
    from evalkit.compute.disclosure_bases import territories_apart, without_small_differences
    from evalkit.compute.synthesis import freeze
    from evalkit.loaders.dossier import load_campagne
    from evalkit.loaders.regional_reference import kept_references

    synthesis = load_synthese(campagne)
    content = freeze(synthesis, load_campagne(campagne).date_reference)
    minimum = synthesis.referentiel.seuil("seuil_territoires")
    kept = kept_references(campagne)
    for path, old in kept.items():
        apart = territories_apart(old, content)
        if 0 < apart < minimum:
            raise EvalkitError([_almost_the_same(path, apart, content["n_territoires"], int(minimum))])
    content, gone = without_small_differences(content, kept.values(), minimum)
    if gone:
        tell(str(_left_out(campagne, gone, int(minimum))))
    return content


def _almost_the_same(kept: Path, apart: int, territories: int, minimum: int) -> Fault:
    return Fault(
        "LOT-013",
        Place(file=str(kept)),
        read=f"{plural(territories, 'territoire')} aujourd’hui, {plural(apart, 'territoire')} de différence avec ce fichier",
        expected=f"les mêmes territoires que dans ce fichier, ou au moins {minimum} de différence",
        fix=f"attendez d’autres territoires ; si {kept.name} n’a jamais circulé, supprimez-le et recommencez",
    )


def _left_out(campagne: Path, gone: Sequence[str], minimum: int) -> Fault:
    return Fault(
        "LOT-014",
        Place(file=str(campagne / REFERENCE_FILE)),
        read=f"{plural(len(gone), 'repère')} : {', '.join(gone[:3])}{'…' if len(gone) > 3 else ''}",
        expected=f"un nombre de territoires égal à celui d’une référence gardée, ou au moins {minimum} de différence",
        fix="rien à faire : les rapports seront sans repère régional pour ceux-là, jusqu’à une prochaine référence",
    )


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
    from evalkit.loaders.files_beside import first_free

    return first_free(lambda number: path.with_name(f"{path.stem}-{number}{path.suffix}") if number > 1 else path)


def refresh_index(folder: Path, campagne: Path) -> Path:
    """Write ``index.html`` from the journal: reports, failures and syntheses of an output folder."""
    from evalkit.batch.journal import read_documents
    from evalkit.batch.runner import write_whole, writing
    from evalkit.loaders.dossier import list_dossiers, load_campagne
    from evalkit.report.index import render_index

    syntheses = sorted(path.name for path in folder.glob("synthese*.html") if "nominatif" not in path.name)
    page = folder / "index.html"
    documents = read_documents(folder / "journal.json")
    with writing(page):
        names = [_dossier_name(dossier) for dossier in list_dossiers(campagne)]
        index = render_index(load_campagne(campagne), documents, syntheses, _checks_beside(folder, syntheses), names)
        write_whole(page, index.encode("utf-8"))
    return page


def _checks_beside(folder: Path, syntheses: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Automatic checks of the syntheses of a folder and of their other formats, by file name; those that are there."""
    from evalkit.loaders.files_beside import read_json_object

    stems = {name.removesuffix(".html") for name in syntheses}
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("synthese*.controle.json")):
        name = path.name.removesuffix(".controle.json")
        if name.rpartition(".")[0] in stems and (folder / name).is_file():
            content = read_json_object(path)
            found |= {name: content} if content else {}
    return found


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


def import_texts(word: Path, dossier: Path) -> TextsImport:
    """Take back into ``textes/`` what was typed in the free sections of a Word report.

    Raises
    ------
    EvalkitError
        The file is not such a report, or not this territory's; nothing is written then. LOT-003: nothing can be written.
    """
    from evalkit.batch.runner import writing
    from evalkit.documents.import_texts import import_word_texts
    from evalkit.loaders.word_texts import read_word_texts

    dossier = _dossier_of(dossier)
    if dossier.is_file():
        raise fail(
            "USA-003",
            dossier,
            read="un classeur seul",
            expected="le dossier d'un territoire : les textes vont dans son sous-dossier « textes »",
            fix="créez un dossier, mettez-y ce classeur sous le nom evaluation.xlsx, puis donnez ce dossier",
        )
    found = read_word_texts(_existing(word))
    campagne = _campaign_code(dossier)
    with writing(dossier):
        taken = import_word_texts(found, word, dossier, campagne)
    return replace(taken, faults=(*taken.faults, *_persons_in_texts(taken)))


def _persons_in_texts(taken: TextsImport) -> list[Fault]:
    """DON-051 in what was just written: the next report prints it."""
    from evalkit.loaders.dossier import persons_in

    written = {text.ecrit for text in taken.textes if text.ecrit}
    return [
        fault
        for shown in sorted(written)
        for fault in persons_in((taken.dossier / shown).read_text(encoding="utf-8"), f"{taken.dossier.name}/{shown}")
    ]


def _campaign_code(dossier: Path) -> str:
    """Code of a dossier's campaign; empty when what is faulty there does not let it be told."""
    from evalkit.loaders.dossier import load_campagne, load_dossier
    from evalkit.loaders.referentiel import load_referentiel

    try:
        if is_campaign(dossier.parent):
            return load_campagne(dossier.parent).code
        return load_dossier(dossier, load_referentiel()).campagne.code
    except EvalkitError:
        return ""


def write_model(folder: Path) -> Path:
    """Write ``modele.docx``, to restyle in Word, into a territory's or a campaign's folder; never over another."""
    from evalkit.batch.runner import write_whole, writing
    from evalkit.report.word_package import shipped_model

    target = folder / MODEL_FILE
    if target.exists():
        raise fail(
            "USA-010",
            target,
            read="un fichier porte déjà ce nom",
            expected="un dossier qui n'a pas encore de modèle",
            fix="modifiez celui-ci dans Word, ou déplacez-le pour repartir de celui d'evalkit",
        )
    with writing(target):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(target, shipped_model())
    return target


@dataclass(frozen=True)
class SurveyFiles:
    """What an import of answers did: by questionnaire its report, the tables written, the drafts to correct, copies kept."""

    imports: tuple[SurveyImport, ...]
    written: tuple[Path, ...] = ()
    drafts: tuple[Path, ...] = ()
    kept: tuple[Path, ...] = ()
    lost: tuple[Fault, ...] = ()  # files that could not be read at all

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Everything that is said, over all files."""
        return (*self.lost, *(fault for imported in self.imports for fault in imported.faults))

    def report(self) -> str:
        """The report as a person reads it."""
        from evalkit.loaders.survey_report import readable_report

        return "\n\n".join([*map(readable_report, self.imports), *map(str, self.lost)])

    def as_dict(self) -> list[dict[str, Any]]:
        """The report, for ``--json``."""
        from evalkit.loaders.survey_report import import_report

        return [*map(import_report, self.imports), *({"anomalies": [fault.as_dict()]} for fault in self.lost)]


@dataclass(frozen=True)
class SurveyOptions:
    """What a person says of a survey, beside its files. By part when the questionnaire has several: ``individuel=60``."""

    enquete: str = ""
    sollicites: Sequence[str] = ()
    collecte: Sequence[str] = ()
    population: Sequence[str] = ()


def import_surveys(
    files: Sequence[Path], vers: Path, options: SurveyOptions | None = None, tell: Tell = _silent
) -> SurveyFiles:
    """Read files of answers into a dossier: ``enquetes/<enquete>.csv`` and its report. The files are only read.

    When something is not sure, nothing is written but a draft of the mapping file, where decisions are proposed.

    Raises
    ------
    EvalkitError
        USA-001, USA-002, USA-003: what was typed; DON-…: the territory, or a mapping that cannot be used.
    """
    from evalkit.loaders.dossier import territory_of
    from evalkit.loaders.referentiel import load_referentiel
    from evalkit.loaders.survey_store import FOLDER, import_command
    from evalkit.loaders.surveys import lexicons_of, read_surveys

    options = options or SurveyOptions()
    dossier = _folder_of(vers)
    for path in files:
        if _existing(path).resolve().parent == (dossier / FOLDER).resolve():
            raise _misplaced_export(path)
    referentiel = load_referentiel()
    lexicons = lexicons_of(referentiel, territory_of(dossier, referentiel))
    wanted = _known_survey(options.enquete, lexicons)
    mappings = _survey_mappings(dossier, lexicons, options, wanted)
    command = import_command(files, dossier)
    tell("Lecture des réponses…")
    imports, lost = read_surveys(_shown_apart(files), lexicons, mappings, wanted)
    _refuse_unused_options(options, [imported.enquete for imported in imports])
    result = SurveyFiles(tuple(imports), lost=tuple(lost))
    if only_errors(result.faults):
        drafts, kept = _write_drafts(dossier, imports, _with_typed(command, options))
        return replace(result, drafts=tuple(drafts), kept=tuple(kept))
    _ensure_one_key(dossier, tell)
    return _write_answers(dossier, result)


def _shown_apart(files: Sequence[Path]) -> list[tuple[Path, str]]:
    """Each file and its name in messages: with its folder when another has the same name."""
    names = [path.name for path in files]
    return [
        (path, path.name if names.count(path.name) == 1 else f"{path.resolve().parent.name}/{path.name}")
        for path in files
    ]


def _misplaced_export(path: Path) -> EvalkitError:
    """An export put where the import writes: it would be written over."""
    return fail(
        "USA-003",
        path,
        read="un export rangé dans « enquetes », où l'import écrit ses tables",
        expected="un export dans « enquetes/brut », ou hors du dossier",
        fix="déplacez-le dans « enquetes/brut », puis recommencez",
    )


def _with_typed(command: str, options: SurveyOptions) -> str:
    """The command as it was typed: what a person said of the survey must not be lost when it is typed again."""
    said = [f"--enquete {options.enquete}"] if options.enquete else []
    for name in ("sollicites", "population", "collecte"):
        said += [f"--{name} {value}" for value in getattr(options, name)]
    return " ".join([command, *said])


def _folder_of(vers: Path) -> Path:
    """The folder of a territory: answers are kept beside its other tables."""
    folder = _dossier_of(vers)
    if folder.is_dir():
        return folder
    raise fail(
        "USA-003",
        vers,
        read="un classeur seul",
        expected="le dossier d'un territoire, où les réponses seront rangées",
        fix="mettez ce classeur dans un dossier, sous le nom evaluation.xlsx, puis donnez ce dossier",
    )


def _known_survey(code: str, lexicons: Mapping[str, Any]) -> str:
    if not code or code.upper() in lexicons:
        return code.upper()
    raise fail(
        "USA-002",
        "ligne de commande",
        read=f"--enquete {code}",
        expected=f"un de ces codes : {', '.join(lexicons)}",
        fix=f"--enquete {next(iter(lexicons), 'ENQ-ASSO')}",
    )


def _survey_mappings(
    dossier: Path, lexicons: Mapping[str, Any], options: SurveyOptions, wanted: str
) -> dict[str, SurveyMapping]:
    """Decisions kept in the dossier, and what was typed over them."""
    from evalkit.loaders.survey_mapping import SurveyMapping, mapping_path, read_mapping
    from evalkit.loaders.survey_store import FOLDER, asked_before

    out = {}
    for code, lexicon in lexicons.items():
        if wanted and code != wanted:
            continue
        path = mapping_path(dossier / FOLDER, code)
        mapping: SurveyMapping | None = SurveyMapping(enquete=code)
        if path.is_file():
            mapping, faults = read_mapping(path, f"{dossier.name}/{FOLDER}/{path.name}", lexicons)
            if mapping is None:
                raise EvalkitError(faults)
        out[code] = _with_options(mapping, options, lexicon.enquete, asked_before(dossier, code))
    return out


def _with_options(
    mapping: SurveyMapping | None, options: SurveyOptions, enquete: Enquete, before: Mapping[str, float]
) -> SurveyMapping:
    """What was typed, over what the mapping says, over what the last import knew."""
    from evalkit.loaders.survey_mapping import SurveyMapping

    mapping = mapping or SurveyMapping()
    parts = [part.code for part in enquete.parties]
    asked = _by_part("--sollicites", options.sollicites, parts)
    people = _by_part("--population", options.population, parts)
    ways = _by_part("--collecte", options.collecte, parts)
    return replace(
        mapping,
        asked={**before, **mapping.asked, **{part: _whole("--sollicites", value) for part, value in asked.items()}},
        population={**mapping.population, **{part: _whole("--population", value) for part, value in people.items()}},
        collecte={**mapping.collecte, **{part: _way(value) for part, value in ways.items()}},
    )


def _by_part(option: str, given: Sequence[str], parts: Sequence[str]) -> dict[str, str]:
    """``40`` for the only part, or ``individuel=60``; what names a part of another questionnaire is not for this one."""
    out = {}
    for text in given:
        part, mark, value = text.rpartition("=")
        if not mark and len(parts) == 1:
            out[parts[0]] = value
        elif part.strip() in parts:
            out[part.strip()] = value.strip()
    return out


def _refuse_unused_options(options: SurveyOptions, surveys: Sequence[Enquete]) -> None:
    """An option that no questionnaire of these files could take: said, with what to type."""
    parts = {survey.code: [part.code for part in survey.parties] for survey in surveys}
    typed = (
        ("--sollicites", options.sollicites),
        ("--population", options.population),
        ("--collecte", options.collecte),
    )
    for option, given in typed:
        for text in given:
            if "=" not in text and len(surveys) > 1:
                codes = ", ".join(survey.code for survey in surveys)
                raise _bad_option(
                    option, text, f"un questionnaire à la fois : {codes}", "42, un import par questionnaire"
                )
            if parts and not any(_by_part(option, [text], known) for known in parts.values()):
                names = [name for known in parts.values() for name in known]
                raise _bad_option(option, text, f"une partie du questionnaire : {', '.join(names)}", f"{names[0]}=…")


def _whole(option: str, value: str) -> float:
    if not value.isdigit() or not int(value):
        raise _bad_option(option, value, "un nombre entier, au moins 1", "40")
    return float(value)


def _way(value: str) -> str:
    from evalkit.loaders.survey_mapping import COLLECTES

    if value not in COLLECTES:
        raise _bad_option("--collecte", value, f"un de ces mots : {', '.join(COLLECTES)}", COLLECTES[-1])
    return value


def _bad_option(option: str, value: str, expected: str, example: str) -> EvalkitError:
    return fail(
        "USA-002",
        "ligne de commande",
        read=f"{option} {value}",
        expected=expected,
        fix=f"par exemple {option} {example}",
    )


def _written(command: str) -> str:
    """The command as a file may repeat it: not when the name of an export is somebody's."""
    from evalkit.loaders.persons import without_people

    clean = without_people(command, joined=True) == command
    return command if clean else "la commande que vous venez de taper (le nom d’un fichier nomme quelqu’un)"


def _write_drafts(dossier: Path, imports: Sequence[SurveyImport], command: str) -> tuple[list[Path], list[Path]]:
    """Mapping files to correct, with what is already decided in them; the older ones are kept. Returns (written, kept)."""
    from evalkit.batch.runner import write_whole, writing
    from evalkit.loaders.survey_mapping import draft_text, mapping_path
    from evalkit.loaders.survey_store import FOLDER

    written, kept = [], []
    for imported in imports:
        if imported.draft is None:
            continue
        target = mapping_path(dossier / FOLDER, imported.enquete.code)
        new = draft_text(imported.draft, _written(command), imported.mapping).encode("utf-8")
        with writing(target):
            target.parent.mkdir(exist_ok=True)
            if target.exists() and target.read_bytes() != new:
                kept.append(_free_name(target.with_suffix(".ancien.yml")))
                shutil.copy2(target, kept[-1])
            write_whole(target, new, private=True)  # it may repeat answers
        written.append(target)
    return written, kept


def _write_answers(dossier: Path, result: SurveyFiles) -> SurveyFiles:
    """Write the tables and their reports; a table that somebody changed by hand is kept under another name."""
    from evalkit.batch.runner import write_whole, writing
    from evalkit.loaders.fingerprint import read_key
    from evalkit.loaders.survey_store import answers_bytes, answers_path, is_ours, report_bytes, report_path

    key, written, kept = read_key(dossier), [], []
    for imported in result.imports:
        code = imported.enquete.code
        target, report = answers_path(dossier, code), report_path(dossier, code)
        table = answers_bytes(imported.frame)
        with writing(target):
            target.parent.mkdir(exist_ok=True)
            if target.is_file() and not is_ours(dossier, code):
                kept.append(_free_name(target.with_name(f"{target.stem}.modifie.csv")))
                shutil.copy2(target, kept[-1])
            write_whole(target, table, private=True)  # one row is one person's answers
            write_whole(report, report_bytes(imported, table, key), private=True)
        written.append(target)
    return replace(result, written=tuple(written), kept=tuple(kept))


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
    saisie: Path
    a_completer: tuple[str, ...]


def write_questionnaire(code: str, vers: Path, dossier: Path | None = None) -> QuestionnaireFiles:
    """Write the XLSForm (KoboToolbox, ODK), the printable form and the workbook to type paper answers in.

    Parameters
    ----------
    code
        ``ENQ-ASSO``, ``ENQ-COM``… in any case.
    vers
        Folder that receives ``enq-asso.xlsx``, ``enq-asso.html`` and ``enq-asso-saisie.xlsx``.
    dossier
        Territory whose QPV and communes become choices; without it, their place is left to fill.
    """
    from evalkit.documents.answers_workbook import write_answers_workbook
    from evalkit.documents.questionnaire import write_printable_form, write_xlsform
    from evalkit.loaders.dossier import territory_of
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
    territory = territory_of(_existing(dossier), referentiel) if dossier else None
    vers.mkdir(parents=True, exist_ok=True)
    form = vers / f"{survey.code.lower()}.xlsx"
    missing = write_xlsform(form, survey, referentiel, territory)
    page = write_printable_form(form.with_suffix(".html"), survey, referentiel, territory)
    entry = write_answers_workbook(form.with_name(f"{form.stem}-saisie.xlsx"), survey, referentiel, territory)
    return QuestionnaireFiles(form, page, entry, tuple(missing))


def write_consensus_sheets(dossier: Path, vers: Path | None = None, sans_enquete: Sequence[str] = ()) -> Path:
    """Write the sheets of a territory's consensus meeting: HTML, one printed page per sub-question to discuss.

    ``sans_enquete``: as :func:`render_report`; the page says what was left out.

    Raises
    ------
    EvalkitError
        Every fault of the framework or of the dossier.
    """
    from evalkit.batch.runner import write_whole
    from evalkit.report.consensus import render_consensus

    target = vers or Path(f"consensus-{dossier.resolve().stem}.html")
    page = render_consensus(load_publication(dossier, ", ".join(_known_surveys(sans_enquete))))
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, page.encode("utf-8"))
    return target


def write_working_file(
    dossier: Path, tell: Tell = _silent, sans_enquete: Sequence[str] = ()
) -> tuple[Path, Path | None]:
    """Write the confidential working file of a territory: individual ratings, settled levels, live formulas.

    ``sans_enquete``: as :func:`render_report`; the file says what was left out.

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
    without = _known_surveys(sans_enquete)
    _check_before_rendering(dossier, with_reference=False, sans_enquete=without)  # no key for what cannot be read
    _ensure_keys([dossier], tell)
    read = load_dossier(dossier, referentiel, with_reference=False, sans_enquete=without)
    content = render_travail_xlsx(evaluate(referentiel, read), read.tables["cotations"])
    with writing(working_path(dossier)):
        return replace_working_file(dossier, content)


# --- evalkit demo -------------------------------------------------------------------------------------------------------


def demo(
    vers: Path | None = None,
    processes: int | None = None,
    tell: Tell = _silent,
    only: Sequence[str] = (),
    formats: Sequence[str] | None = None,
) -> BatchResult:
    """Render the sample campaign: reports, regional synthesis, and the page that lists them."""
    from evalkit.report.formats import formats_of

    campagne = _sample_campaign(vers)
    result = render_batch(campagne, vers, processes, tell, only, formats=formats)
    wanted = formats_of("synthese", formats or ONLY_PAGES)
    synthesis = render_synthesis(campagne, result.folder, tell=tell, formats=wanted)
    late = tuple(line for line in result.late if not line.startswith("synthese.html"))  # it has just been made again
    return replace(result, outcomes=(*result.outcomes, *synthesis.outcomes), excluded=synthesis.excluded, late=late)


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
        (result.folder / outcome.name / name) if outcome.kind in TERRITORY_NOTEBOOKS else (result.folder / name)
        for outcome in result.outcomes
        for name in outcome.documents
    ]
