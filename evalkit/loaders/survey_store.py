"""``enquetes/`` of a dossier: cleaned answers (written only by the import), exports as they came (``brut/``), mappings.

``enquetes/<enquete>.csv`` and ``<enquete>.import.json`` go together: the second holds a print of the first, so that a
table changed by hand is not taken for an imported one. An export is only read, never copied.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.errors import EvalkitError, Fault, Place, only_errors
from evalkit.loaders.cells import plain_number, read_number
from evalkit.loaders.grids import is_blank, read_csv
from evalkit.loaders.persons import file_without_people
from evalkit.loaders.survey_answers import WRITTEN
from evalkit.loaders.survey_mapping import COLLECTES, SUFFIX, SurveyMapping, mapping_path, read_mapping
from evalkit.loaders.survey_report import import_report
from evalkit.loaders.survey_words import Lexicon
from evalkit.loaders.surveys import SurveyImport, read_surveys
from evalkit.model.dossier import SILENCES
from evalkit.model.survey import ANSWER_COLUMNS, ANY_EXPORT, RAW_MARK, UNDECLARED_LISTS, QuestionEnquete
from evalkit.wording import format_date, plural, typed

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "enquetes"
RAW = "brut"
_NUMBERS = ("ligne", "poids")
_UNKNOWN, _TWICE = "DON-090", "DON-095"  # titles of no questionnaire; the same file, or the same questionnaire, twice


@dataclass
class Surveys:
    """Answers of a dossier: by questionnaire, the frame and what is known of it; and every fault."""

    frames: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False)  # never in a log or a traceback
    infos: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    told_of: dict[str, list[Fault]] = field(
        default_factory=dict
    )  # faults that are of one questionnaire; also in ``faults``
    seen: set[str] = field(default_factory=set)  # questionnaires that some file answers, well or badly
    lost: dict[str, list[Fault]] = field(
        default_factory=dict
    )  # by export (« brut/nom.csv ») that cannot be read, or answers none: why
    left_out: dict[str, str] = field(default_factory=dict)  # by questionnaire or export: why (:func:`leave_out`)

    def tell(self, code: str, faults: Iterable[Fault]) -> None:
        """Keep faults of one questionnaire."""
        self.seen.add(code)
        for fault in faults:
            self.faults.append(fault)
            self.told_of.setdefault(code, []).append(fault)


def answers_path(dossier: Path, enquete: str) -> Path:
    """Where the cleaned answers of a questionnaire lie."""
    return dossier / FOLDER / f"{enquete.lower()}.csv"


def report_path(dossier: Path, enquete: str) -> Path:
    """Where the report of an import lies."""
    return answers_path(dossier, enquete).with_suffix(".import.json")


def table_print(table: bytes) -> str:
    """Print of an imported table, line ends aside. Without a key: a dossier that travels often leaves its own behind."""
    return hashlib.blake2b(table.replace(b"\r\n", b"\n"), digest_size=16, person=b"evalkit-reponses").hexdigest()


def print_of(content: bytes, key: bytes) -> str:
    """Keyed print of some bytes, line ends aside: it says that they are the same, and nothing else."""
    return hashlib.blake2b(content.replace(b"\r\n", b"\n"), key=key[:64], digest_size=16).hexdigest()


# --- write ----------------------------------------------------------------------------------------------------------


def answers_bytes(frame: pd.DataFrame) -> bytes:
    """Cleaned answers as a French CSV: ``;``, decimal comma, UTF-8 with its mark. A silence is its code, nothing is empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(frame.columns)
    for row in frame.itertuples(index=False):
        writer.writerow([_cell(value) for value in row])
    return text.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, str):
        return value.replace(".", ",") if value[:1].isdigit() and "." in value else value
    return plain_number(float(value)).replace(".", ",")


def report_bytes(imported: SurveyImport, table: bytes, key: bytes) -> bytes:
    """The report of an import, as JSON. No answer in it."""
    content = import_report(imported)
    for entry, file in zip(content["fichiers"], imported.files, strict=True):
        entry["empreinte"] = print_of(file.path.read_bytes(), key)
    content["empreinte_table"] = table_print(table)
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode("utf-8")


def is_ours(dossier: Path, enquete: str) -> bool:
    """Whether the table of a questionnaire is the one that the last import wrote."""
    try:
        content = json.loads(report_path(dossier, enquete).read_text(encoding="utf-8"))
        return bool(content["empreinte_table"] == table_print(answers_path(dossier, enquete).read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return False


# --- read -----------------------------------------------------------------------------------------------------------


def read_dossier_surveys(dossier: Path, name: str, lexicons: Mapping[str, Lexicon], key: bytes) -> Surveys:
    """Every answer of a dossier: imported tables, and exports left in ``enquetes/brut/`` that are not imported yet.

    Parameters
    ----------
    dossier, name
        The folder, and how messages call it.
    lexicons
        By questionnaire, for this territory.
    key
        The dossier's key: it tells at once the exports that are already imported. Without it they are read, and compared.
    """
    folder = dossier / FOLDER
    out = Surveys()
    if not folder.is_dir():
        return out
    if _listing(folder) is None:
        out.faults.append(_closed(f"{name}/{FOLDER}", "les réponses"))
        return out
    mappings = _mappings(folder, name, lexicons, out)
    done: set[str] = set()
    for code, lexicon in lexicons.items():
        if answers_path(dossier, code).is_file():
            done |= _read_imported(out, dossier, name, lexicon)
    raw = [path for path in raw_files(folder) if not key or _print_of_file(path, key) not in done]
    shown = [(path, f"{name}/{FOLDER}/{RAW}/{path.name}") for path in raw]
    found, lost = read_surveys(shown, lexicons, mappings, command=lambda files: import_command(files, dossier))
    out.faults += lost
    for fault in lost:
        if fault.code != _TWICE:  # a copy: what it says is read from its twin, there is nothing to leave out
            out.lost.setdefault(f"{RAW_MARK}{fault.place.file.rpartition('/')[2]}", []).append(fault)
    for imported in found:
        _keep(out, imported, dossier, name)
    _tell_raw(out, folder, name)
    _tell_other_files(out, folder, name, lexicons)
    return out


def leave_out(surveys: Surveys, names: Sequence[str], dossier: str) -> None:
    """Leave out whole questionnaires, or exports that answer none, on request; why is kept.

    What no file answers, and an export that is read, are a fault (USA-002): what was asked would change nothing, or would
    leave half of a questionnaire. So is a file whose name is somebody's (:func:`refuse_a_name`).
    """
    known: dict[str, list[Fault]] = {**surveys.lost, **{code: surveys.told_of.get(code, []) for code in surveys.seen}}
    for one in dict.fromkeys(name if name.startswith(RAW_MARK) else name.upper() for name in names):
        named = refuse_a_name(one, f"{dossier}/{FOLDER}")
        if named is not None or one not in known:
            surveys.faults.append(named or _nothing_to_leave_out(one, surveys, dossier))
            continue
        told = known[one]
        surveys.left_out[one] = _why_left_out(one, told)
        surveys.faults[:] = [fault for fault in surveys.faults if fault not in told]
        surveys.frames.pop(one, None)
        surveys.infos.pop(one, None)


def refuse_a_name(one: str, where: str) -> Fault | None:
    """USA-002 when what is to be left out is a file whose name is somebody's: every document would print it."""
    if not one.startswith(RAW_MARK) or file_without_people(one) == one:
        return None
    read = f"--sans-enquete {RAW_MARK}… : un fichier dont le nom nomme quelqu’un"
    expected = "un nom que le document peut imprimer : il dira quel fichier est laissé de côté"
    return Fault("USA-002", Place(where), read, expected, f"renommez ce fichier, ou sortez-le de « {FOLDER}/{RAW} »")


def _why_left_out(one: str, told: Sequence[Fault]) -> str:
    """Why, as a document says it; of a file, whether it could not be opened or answers no known questionnaire."""
    errors = only_errors(told)
    said = dict.fromkeys(f"{fault.title[:1].lower()}{fault.title[1:]} ({fault.code})" for fault in errors)
    reasons = " ; ".join(said)
    if not one.startswith(RAW_MARK):
        return reasons
    unknown = all(fault.code == _UNKNOWN for fault in errors)
    why = "on ne sait pas à quel questionnaire il répond" if unknown else "il n’a pas pu être lu"
    return f"{why} ({reasons})"


def _nothing_to_leave_out(one: str, surveys: Surveys, name: str) -> Fault:
    seen, lost = sorted(surveys.seen), sorted(one for one in surveys.lost if refuse_a_name(one, "") is None)
    kinds = [f"un questionnaire dont ce dossier a un fichier : {', '.join(seen)}"] * bool(seen)
    kinds += [f"un export que rien ne reconnaît : {', '.join(lost)}"] * bool(lost)
    known = " ; ou ".join(kinds) or "un dossier avec des réponses"
    fix = f"--sans-enquete {typed([*seen, *lost][0])}" if kinds else "retirez --sans-enquete"
    read = f"--sans-enquete {one} : rien à laisser de côté"
    if one.startswith(RAW_MARK):
        read = f"--sans-enquete {one} : pas un export dont le questionnaire n’est pas reconnu"
    return Fault("USA-002", Place(f"{name}/{FOLDER}"), read, known, fix)


def _print_of_file(path: Path, key: bytes) -> str:
    """Print of a file; "" when it cannot be read, which the reader will say."""
    try:
        return print_of(path.read_bytes(), key)
    except OSError:
        return ""


def import_command(files: Sequence[Path], dossier: Path) -> str:
    """What to type to import files: paths from where the person stands, quoted when they hold a space."""
    paths = [_typed(path) for path in files] or ["FICHIER"]
    return f"evalkit importer enquete {' '.join(paths)} --vers {_typed(dossier)}"


def _typed(path: Path) -> str:
    here = Path.cwd()
    return typed(str(path.relative_to(here)) if path.is_relative_to(here) and path != here else str(path))


def raw_files(folder: Path) -> list[Path]:
    """Exports dropped in ``enquetes/brut/``, by name; nothing when the folder cannot be listed (:func:`_tell_raw` says it)."""
    return [path for path in _dropped(folder) if path.suffix.lower() in ANY_EXPORT and path.is_file()]


def _dropped(folder: Path) -> list[Path]:
    """What lies in ``enquetes/brut/``, hidden files aside."""
    return [path for path in _listing(folder / RAW) or () if not path.name.startswith((".", "~"))]


def _listing(folder: Path) -> list[Path] | None:
    """What lies in a folder, by name; None when it cannot be listed."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return None


def _closed(shown: str, what: str) -> Fault:
    fix = f"faites de « {shown} » un dossier que vous pouvez ouvrir, où mettre {what}"
    return Fault("DON-027", Place(shown), "autre chose qu’un dossier lisible", "un dossier que l’on peut lire", fix)


def _tell_raw(out: Surveys, folder: Path, name: str) -> None:
    """DON-027: ``brut/`` that cannot be listed; DON-033: what lies in it and is not read."""
    raw, shown = folder / RAW, f"{name}/{FOLDER}/{RAW}"
    if not raw.exists():
        return
    if _listing(raw) is None:
        out.faults.append(_closed(shown, "les exports"))
        return
    read = set(raw_files(folder))
    for path in _dropped(folder):
        if path not in read:
            kind = "un dossier" if path.is_dir() else "un fichier"
            place = Place(f"{shown}/{path.name}")
            out.faults.append(Fault("DON-033", place, f"{kind} qui n’est pas lu", "", _raw_cure(path)))


def _raw_cure(path: Path) -> str:
    if path.is_dir():
        return f"déposez les exports directement dans « {FOLDER}/{RAW} », sans sous-dossier"
    if path.suffix.lower() in (".zip", ".7z", ".rar", ".gz"):
        return f"décompressez-le, et déposez les exports qu’il contient dans « {FOLDER}/{RAW} »"
    return "si c’est un export de réponses, enregistrez-le en .csv ou en .xlsx ; sinon sortez-le de ce dossier"


def _mappings(folder: Path, name: str, lexicons: Mapping[str, Lexicon], out: Surveys) -> dict[str, SurveyMapping]:
    found = {}
    for path in (mapping_path(folder, code) for code in lexicons):
        if not path.is_file():
            continue
        mapping, faults = read_mapping(path, f"{name}/{FOLDER}/{path.name}", lexicons)
        code = path.name.removesuffix(SUFFIX).upper()
        if code in lexicons and faults:
            out.tell(code, faults)
        else:
            out.faults += faults
        if mapping is not None:
            found[mapping.enquete] = mapping
    return found


def _keep(out: Surveys, imported: SurveyImport, dossier: Path, name: str) -> None:
    code = imported.enquete.code
    if imported.sure and code in out.frames and _same_answers(imported.frame, out.frames[code]):
        return  # the export that was imported, in a dossier that has lost its key
    out.tell(code, imported.faults)
    if code in out.frames:
        out.tell(code, [_second_source(imported, out.infos[code], dossier, name)])
    elif imported.sure:
        out.frames[code] = imported.frame
        out.infos[code] = dict(imported.info)


def _second_source(imported: SurveyImport, kept: Mapping[str, Any], dossier: Path, name: str) -> Fault:
    """DON-095: an export beside the answers already imported. The last answer of each says which one is the newer."""
    code, files = imported.enquete.code, [file.path for file in imported.files]
    command, ours = import_command(files, dossier), f"{name}/{FOLDER}/{code.lower()}.csv"
    mine, theirs = str(imported.info["date"]), str(kept["date"])
    n = plural(int(imported.info["gardees"]), "réponse")
    said = f"{n} jusqu’au {format_date(mine)}" if mine else f"{n}, sans date lisible"
    before = plural(int(kept["gardees"]), "réponse")
    known = f"{before} jusqu’au {format_date(theirs)}" if theirs else f"{before}, sans date lisible"
    both = "si les deux se complètent, donnez les deux fichiers à la même commande"
    if mine and theirs and mine < theirs:
        read = f"un export plus ancien ({said}) que celui déjà importé ({ours}, {known})"
        fix = f"sortez-le de « {RAW} » : l’import est plus récent ; {both} ({command}, suivi de l’autre)"
    elif mine and theirs and mine > theirs:
        read = f"un export plus récent ({said}) que celui déjà importé ({ours}, {known})"
        fix = f"pour qu’il le remplace : {command} ; {both} ; sinon sortez-le de « {RAW} »"
    else:
        read = f"un export qui n’est pas celui déjà importé : {said} ; déjà importé ({ours}) : {known}"
        fix = (
            f"rien ne dit lequel est le plus récent, regardez-les ; s’il le remplace : {command} ; {both} ; "
            f"sinon sortez-le de « {RAW} »"
        )
    shown = ", ".join(file.shown for file in imported.files)
    return Fault("DON-095", Place(shown, note=code), read, "une seule source par questionnaire", fix)


def asked_before(dossier: Path, enquete: str) -> dict[str, float]:
    """How many the last import said were asked, by part; nothing when there was none."""
    try:
        return dict(_info_of(json.loads(report_path(dossier, enquete).read_text(encoding="utf-8")))["n_sollicites"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _named(report: Path) -> str:
    """Names of the files that an import came from, when its report can still tell."""
    try:
        names = [str(entry["nom"]) for entry in json.loads(report.read_text(encoding="utf-8"))["fichiers"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return f" ({', '.join(names)})" if names else ""


def _info_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """What the analysis needs of an import's report; ``ValueError`` or ``TypeError`` when it is not what was written."""
    by_part = {name: dict(content[name]) for name in ("n_sollicites", "population", "collecte")}
    for name in ("n_sollicites", "population"):
        by_part[name] = {str(part): float(n) for part, n in by_part[name].items()}
    if not all(way in COLLECTES for way in by_part["collecte"].values()):
        raise ValueError("collecte")
    if content["date"]:
        date.fromisoformat(content["date"])
    counts = {name: int(content[name]) for name in ("lues", "gardees")}
    undeclared = [str(question) for question in content.get(UNDECLARED_LISTS, ())]
    said = {UNDECLARED_LISTS: undeclared} if undeclared else {}
    return {**by_part, **counts, **said, **{name: str(content[name]) for name in ("outil", "date", "motifs")}}


def _same_answers(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    return set(first.columns) == set(second.columns) and first[second.columns].equals(second)


def _read_imported(out: Surveys, dossier: Path, name: str, lexicon: Lexicon) -> set[str]:
    """Read one imported table; prints of the exports that it comes from."""
    code = lexicon.enquete.code
    path, report = answers_path(dossier, code), report_path(dossier, code)
    shown = f"{name}/{FOLDER}/{path.name}"
    try:
        content = json.loads(report.read_text(encoding="utf-8"))
        table = path.read_bytes()
        info = _info_of(content)
        sources = {str(entry["empreinte"]) for entry in content["fichiers"]}
        if content["empreinte_table"] != table_print(table):
            raise ValueError("print")
        out.frames[code] = _read_table(path, shown, lexicon)
    except EvalkitError as error:
        out.tell(code, error.faults)
        return set()
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        read = (
            "une table qui n’est pas celle que l’import a écrite (modifiée à la main, ou sans son fichier .import.json)"
        )
        fix = f"importez de nouveau l’export d’origine{_named(report)} : {import_command([], dossier)}"
        out.tell(code, [Fault("DON-094", Place(shown), read, "la table écrite par « importer enquete »", fix)])
        return set()
    out.tell(code, [])
    out.infos[code] = info
    return sources


def _read_table(path: Path, shown: str, lexicon: Lexicon) -> pd.DataFrame:
    """The cleaned answers. A code that the questionnaire does not have any more is a fault (DON-094), with its line."""
    import pandas as pd

    grid, _ = read_csv(path, shown, frozenset(ANSWER_COLUMNS))
    titles = [str(cell) for cell in grid.rows[0]]
    questions = lexicon.enquete.questions_par_code
    unknown = [title for title in titles if title not in questions and title not in ANSWER_COLUMNS]
    if unknown or not set(ANSWER_COLUMNS) <= set(titles):
        raise ValueError("titles")
    columns: dict[str, Any] = {}
    for index, title in enumerate(titles):
        cells = [grid.at(row, index) for row in range(1, len(grid.rows))]
        if title in _NUMBERS:
            numbers = [read_number(cell).value for cell in cells]
            columns[title] = pd.Series(numbers, dtype="int64" if title == "ligne" else "float64")
        elif title == "partie":
            columns[title] = pd.Series(cells, dtype="str")
        else:
            columns[title] = pd.Series(_codes(cells, questions[title], lexicon), dtype="str")
    return pd.DataFrame(columns)


def _codes(cells: Sequence[Any], question: QuestionEnquete, lexicon: Lexicon) -> list[str | None]:
    """Codes of one column, each checked once."""
    known: dict[Any, str | None] = {}
    for cell in dict.fromkeys(cells):
        known[cell] = None if is_blank(cell) else _code(str(cell), question, lexicon)
    return [known[cell] for cell in cells]


def _code(text: str, question: QuestionEnquete, lexicon: Lexicon) -> str:
    if text in SILENCES:
        return text
    if question.type == "nombre":
        value = read_number(text).value
        if isinstance(value, float):
            return plain_number(value)
        raise ValueError(question.code)
    if question.type == "texte":
        if text == WRITTEN:
            return text
        raise ValueError(question.code)
    codes = set(lexicon.by_code[question.code].choices.values())
    changing = any(choice.liste for choice in question.choix)  # a territory's list may change after an import
    if changing or set(text.split(";")) <= codes:
        return text
    raise ValueError(question.code)


def _tell_other_files(out: Surveys, folder: Path, name: str, lexicons: Mapping[str, Lexicon]) -> None:
    """DON-033: a file of ``enquetes/`` that nothing reads, most often an export put one folder too high."""
    ours = {f"{code.lower()}{suffix}" for code in lexicons for suffix in (".csv", ".import.json", SUFFIX)}
    kept = (".modifie", ".ancien")  # what an import set aside
    for path in _listing(folder) or ():
        if (
            path.is_dir()
            or path.name == RAW
            or path.name.startswith((".", "~"))
            or path.name in ours
            or any(k in path.name for k in kept)
        ):
            continue
        fix = f"si c’est un export de réponses, déposez-le dans « {FOLDER}/{RAW} »"
        if path.name.endswith(SUFFIX):
            names = ", ".join(f"{code.lower()}{SUFFIX}" for code in lexicons)
            fix = f"donnez-lui le nom de son questionnaire : {names}"
        out.faults.append(
            Fault("DON-033", Place(f"{name}/{FOLDER}/{path.name}"), "un fichier qui n’est pas lu", "", fix)
        )
