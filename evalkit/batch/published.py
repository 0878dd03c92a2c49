"""What was published last, and what comparing it with what is published now would tell (``compute.disclosure_bases``).

The kernel that made a document writes down its bases (:func:`note_report`, :func:`note_synthesis`); the process that wrote
the page compares them with those kept (:func:`compare`), and they are kept once that is told (:func:`keep`): a run that is
lost in between compares again. One document, one file: none waits for another. Bases are numbers of answers, or of territories: no answer, no level.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.batch.parts import note_published
from evalkit.batch.plan import Task
from evalkit.errors import Fault, Place
from evalkit.loaders.files_beside import place_of, read_json_object
from evalkit.loaders.fingerprint import STATE_FOLDER, key_path
from evalkit.wording import plural

if TYPE_CHECKING:
    from evalkit.compute.disclosure_bases import Difference
    from evalkit.compute.results import Publication, PublicationSynthese

SYNTHESIS = "synthese"
_FORMAT = 1


def note_report(dossier: Path, publication: Publication) -> None:
    """Write down the bases of a territory's publication, where a batch runs this kernel."""
    from evalkit.compute.disclosure_bases import published_bases

    note_published(_name(dossier), published_bases(publication), publication.referentiel.seuil("seuil_cellule"))


def note_synthesis(publication: PublicationSynthese) -> None:
    """Write down the territories and the bases of a synthesis, where a batch runs this kernel."""
    from evalkit.compute.disclosure_bases import synthesis_bases

    note_published(SYNTHESIS, synthesis_bases(publication), publication.referentiel.seuil("seuil_territoires"))


def _name(dossier: Path) -> str:
    return str(place_of(dossier))


def compare(task: Task, noted: Mapping[str, Any]) -> tuple[Fault, ...]:
    """What comparing a document that was just written with the one published before it tells. Nothing is kept yet.

    A document whose notebook noted nothing (it did not read this dossier) is not compared.
    """
    found = _noted_of(task, noted)
    if not found:
        return ()
    bases, minimum = found["bases"], float(found["minimum"])
    if task.dossier is None:
        return _compare_synthesis(*_perimeter(task), bases, minimum)
    return _compare_report(task.dossier, bases, minimum)


def keep(task: Task, noted: Mapping[str, Any]) -> None:
    """Keep the bases of a document whose warnings were told; those that it does not show are kept as they were."""
    found = _noted_of(task, noted)
    if not found:
        return
    if task.dossier is None:
        _keep(synthesis_path(*_perimeter(task)), found["bases"])
    else:  # a figure that this report does not show may come back
        _keep(bases_path(task.dossier), {"bases": {**kept_bases(task.dossier), **found["bases"]}})


def _noted_of(task: Task, noted: Mapping[str, Any]) -> Mapping[str, Any]:
    if task.kind == "comite":
        return {}  # the two pages say less than the report of the same territory, which tells and keeps
    return noted.get(SYNTHESIS if task.dossier is None else _name(task.dossier)) or {}


def _perimeter(task: Task) -> tuple[Path, str]:
    return Path(task.parameters["campagne"]), str(task.parameters["departement"])


# --- a territory's report -------------------------------------------------------------------------------------------


def bases_path(dossier: Path) -> Path:
    """Numbers of answers of the last report, beside the key: ``.evalkit/publie.json``."""
    key = key_path(dossier)
    return key.with_name("publie.json" if key.name == "cle" else f"{key.stem}.publie.json")


def kept_bases(dossier: Path) -> dict[str, int]:
    """Bases of the last report; nothing when there is none, or when the file is not ours any more."""
    kept = read_json_object(bases_path(dossier)).get("bases")
    try:
        return {str(key): int(n) for key, n in kept.items()}  # type: ignore[union-attr]
    except (ValueError, TypeError, AttributeError):
        return {}


def _compare_report(dossier: Path, bases: Mapping[str, int], minimum: float) -> tuple[Fault, ...]:
    from evalkit.compute.disclosure_bases import differencing_risk

    found = differencing_risk(kept_bases(dossier), bases, minimum)
    by_source: dict[str, list[Difference]] = {}
    for difference in found:
        by_source.setdefault(difference.source, []).append(difference)
    return tuple(_report_fault(bases_path(dossier), mine, minimum) for mine in by_source.values())


def _report_fault(path: Path, mine: Sequence[Difference], minimum: float) -> Fault:
    first = mine[0]
    return Fault(
        "DON-110",
        Place(file=_shown(path), note=first.key),
        read=f"{first.before} réponses dans le dernier rapport, {first.now} aujourd’hui{_more(len(mine) - 1, 'résultat')}",
        expected=f"le même nombre de réponses, ou au moins {minimum:.0f} de différence",
        fix="si l’ancien rapport a circulé, retirez-le ou attendez d’autres réponses ; sinon, supprimez-le",
    )


def _more(n: int, word: str) -> str:
    return f", et {n} autres {word}s" if n > 1 else f", et un autre {word}" * n


# --- a synthesis ----------------------------------------------------------------------------------------------------


def synthesis_path(campagne: Path, departement: str) -> Path:
    """Territories and bases of the last synthesis of a perimeter: ``<campagne>/.evalkit/synthese.json``, ``synthese-59.json``."""
    return campagne / STATE_FOLDER / ("-".join(part for part in (SYNTHESIS, departement) if part) + ".json")


def _compare_synthesis(campagne: Path, departement: str, bases: Mapping[str, Any], minimum: float) -> tuple[Fault, ...]:
    from evalkit.loaders.regional_reference import kept_references

    path = synthesis_path(campagne, departement)
    known = {path: read_json_object(path)} | ({} if departement else kept_references(campagne))
    return tuple(_synthesis_faults(known.items(), bases, minimum))


def _synthesis_faults(
    known: Iterable[tuple[Path, Mapping[str, Any]]], bases: Mapping[str, Any], minimum: float
) -> Iterable[Fault]:
    """One per earlier publication that a subtraction would undo."""
    from evalkit.compute.disclosure_bases import moved_by_few, territories_apart

    for path, other in known:
        if not other:
            continue
        apart, moved = territories_apart(other, bases), moved_by_few(bases, other, minimum)
        if not moved and not 0 < apart < minimum:
            continue
        figures = f", {plural(len(moved), 'résultat')} que moins de {minimum:.0f} territoires font bouger" * bool(moved)
        yield Fault(
            "LOT-015",
            Place(file=_shown(path) if path.parent.name == STATE_FOLDER else f"{path.parent.name}/{path.name}"),
            read=f"{plural(apart, 'territoire')} de différence avec ce qui est gardé là{figures}",
            expected=f"les mêmes territoires, ou au moins {minimum:.0f} de différence pour chaque résultat",
            fix="si l’ancien document a circulé, retirez-le ou attendez d’autres territoires ; sinon, supprimez-le",
        )


def _shown(path: Path) -> str:
    """A file of the store, from the folder that holds the store: a journal may travel, where things are does not."""
    return "/".join(path.parts[-3:])


# --- files ----------------------------------------------------------------------------------------------------------


def _keep(path: Path, content: Mapping[str, Any]) -> None:
    """Keep bases for next time; a place where nothing can be written is not a reason to lose the document."""
    from evalkit.batch.runner import write_whole

    text = json.dumps({"format": _FORMAT, **content}, ensure_ascii=False, sort_keys=True) + "\n"
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_whole(path, text.encode("utf-8"), private=True)
