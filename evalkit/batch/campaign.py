"""A whole run over one campaign: decide, render what must be, keep what happened at once, tell it.

Killed at any moment, it leaves whole documents and a state that says which; the next run makes the rest.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evalkit.batch import decide, inputs, journal
from evalkit.batch.interruption import Interruption
from evalkit.batch.plan import Plan, Task, document_id, make_plan
from evalkit.batch.runner import Outcome, Render, run_plan, writing
from evalkit.batch.state import State, only_run_on
from evalkit.errors import EvalkitError
from evalkit.wording import plural

Tell = Callable[[str], None]
_LEFTOVER = re.compile(r"\..+\.\d+\.tmp")
_JOURNAL_EVERY_S = 2.0


@dataclass(frozen=True)
class Run:
    """What a run needs to know.

    ``publish`` writes the journal and the index from the journal's entries; ``prepare`` makes a dossier ready to be rendered (its
    key), and says whether it had to; or raises its faults.
    """

    campagne: Path
    folder: Path
    publish: Callable[[Sequence[Mapping[str, Any]]], None]
    executor: Callable[[], AbstractContextManager[Executor]]
    render: Render
    pages: tuple[str, ...]  # what ``publish`` writes
    prepare: Callable[[Path], bool]
    tell: Tell


@dataclass(frozen=True)
class Late:
    """A synthesis that is not up to date: what was made of it, and why it must be made again."""

    pages: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass
class Survey:
    """What there is to do: one decision per task, in the order of the tasks."""

    state: State
    photo: decide.Photo
    campaign: decide.Campaign
    tasks: list[Task] = field(default_factory=list)
    decisions: list[decide.Decision] = field(default_factory=list)

    def choose(self, campagne: Path, tasks: Iterable[Task]) -> None:
        """Decide for each task."""
        key = self.state.key
        for task in tasks:
            found = decide.made_from(task, campagne, self.campaign, self.photo)
            kept = self.state.entries.get(task.document) or {}
            decision = decide.decide(task, found, kept, key)
            if decision.action != "garder":
                known = kept["parties"] if decision.action == "comparer" else {}
                task = replace(task, known=known, key=key)
            self.tasks.append(task)
            self.decisions.append(decision)

    def late_syntheses(self, campagne: Path, folder: Path) -> dict[str, Late]:
        """By name, the syntheses of an output folder that were made from something else than the campaign as it is."""
        found = {}
        for name, kept in sorted(self.state.entries.items()):
            page, photo = f"{name}.html", kept["sorties"].get(f"{name}.html")
            if not photo or not (folder / page).is_file():
                continue
            reasons = decide.late_synthesis(kept, campagne, self.campaign, self.photo)
            if decide.is_synthesis(kept) and (
                reasons or not inputs.still_the_same(folder / page, photo, self.state.key)
            ):
                pages = tuple(one for one in kept["sorties"] if not one.endswith(".controle.json"))
                found[name] = Late(pages, tuple(reasons) or ("ce n'est pas la dernière qui a été produite",))
        return found


def survey(campagne: Path) -> Survey:
    """Photograph a campaign and read its state. Nothing heavy is imported when nothing has changed.

    Raises
    ------
    EvalkitError
        Every fault of ``campagne.yml``.
    """
    state = State(campagne)
    photo = decide.take_photo(campagne, state)
    return Survey(state, photo, decide.know_campaign(campagne, photo, state))


def render(run: Run, found: Survey, keep: Sequence[Mapping[str, Any]] = ()) -> list[Outcome]:
    """Render what must be; outcomes of every task, in their order.

    ``keep``: entries of the journal about documents that this run is not about.

    Raises
    ------
    EvalkitError
        LOT-003 (the output folder), LOT-011 (another run is on it).
    """
    todo = [(task, one) for task, one in zip(found.tasks, found.decisions, strict=True) if one.action != "garder"]
    done = {one.name: _kept(found.state, one.name) for one in found.decisions if one.action == "garder"}
    if not todo and _published(run, found.state):
        return [done[task.document] for task in found.tasks]
    with writing(run.folder):  # said now rather than after an hour of rendering
        run.folder.mkdir(parents=True, exist_ok=True)
    with writing(run.folder), only_run_on(run.folder), Interruption() as interruption:
        record = _Record(run, found.state, keep, done)
        try:
            if todo:
                _render(run, todo, record, interruption)
        except KeyboardInterrupt:
            run.tell(f"{plural(record.finished, 'document terminé', 'documents terminés')} sur {len(todo)} à produire.")
            raise
        finally:
            record.close()
    return [record.outcomes[task.document] for task in found.tasks]


def _render(
    run: Run, todo: Sequence[tuple[Task, decide.Decision]], record: _Record, interruption: Interruption
) -> None:
    record.todo = {task.document: (task, dict(one.made_from)) for task, one in todo}
    make_plan(task for task, _ in todo)  # refuses two documents at one place before anything runs
    _sweep({run.folder, *(task.output.parent for task, _ in todo)})
    with run.executor() as executor:  # it gets ready while the dossiers are prepared
        ready, refused = _prepared(run, record, interruption)
        for done, outcome in enumerate(refused, start=1):
            record.note(outcome, done, len(todo))
        run_plan(
            Plan(tuple(ready)),
            executor,
            lambda one, done, _: record.note(one, done + len(refused), len(todo)),
            run.render,
            interruption,
        )
    interruption.obey()  # after the last wait: what follows must not begin


def _prepared(run: Run, record: _Record, interruption: Interruption) -> tuple[list[Task], list[Outcome]]:
    """Tasks whose dossier could be made ready; outcomes of the others."""
    ready, refused = [], []
    keyed: set[Path] = set()
    for task, made_from in record.todo.values():
        interruption.obey()
        try:
            if task.dossier and run.prepare(task.dossier):
                keyed.add(task.dossier)
            if task.dossier in keyed:  # photographed without its key: the next run would find that it has changed
                made_from["dossier"] = inputs.dossier_digest(task.key, task.dossier)
            ready.append(task)
        except EvalkitError as error:
            title = task.dossier.stem if task.dossier else task.title
            refused.append(Outcome(task.name, task.kind, False, faults=tuple(error.faults), title=title))
    return ready, refused


def _sweep(folders: Iterable[Path]) -> None:
    """Remove the unfinished files of a killed run."""
    for folder in folders:
        if folder.is_dir():
            for path in folder.iterdir():
                if _LEFTOVER.fullmatch(path.name):
                    with suppress(OSError):
                        path.unlink()


def _kept(state: State, name: str) -> Outcome:
    """A document left as it is, told as it was when it was made."""
    document = state.entries[name]
    excluded = tuple((one, codes) for one, codes in document["exclus"])
    return replace(journal.outcome_of(document["journal"]), unchanged=True, excluded=excluded)


def _published(run: Run, state: State) -> bool:
    """Whether the journal and the index of this folder are those that were written last."""
    kept = state.content.get("pages", {}).get(str(run.folder), {})
    return all(name in kept and inputs.still_the_same(run.folder / name, kept[name], state.key) for name in run.pages)


class _Record:
    """What is kept as documents come out: the state at once, the journal every other second."""

    def __init__(self, run: Run, state: State, keep: Sequence[Mapping[str, Any]], done: Mapping[str, Outcome]) -> None:
        self._run, self._state, self._keep = run, state, keep
        self.outcomes: dict[str, Outcome] = dict(done)
        self.todo: dict[str, tuple[Task, dict[str, str]]] = {}
        self.finished = 0
        self._published_at = time.monotonic()

    def note(self, outcome: Outcome, done: int, total: int) -> None:
        """One document came out, or did not."""
        from evalkit.batch.published import keep  # heavy: a run that changes nothing must not wait for it

        name = document_id(outcome.name, outcome.kind)
        task, made_from = self.todo[name]
        if outcome.unchanged:  # compared, and found to be made from the same parts
            self._state.record(name, {**self._state.entries[name], "faits_de": dict(made_from)})
            outcome = _kept(self._state, name)
        else:
            self._state.record(name, self._document(outcome, task, made_from))
        self.outcomes[name] = outcome
        self.finished += 1
        self._run.tell(journal.progress_line(outcome, done, total))
        if outcome.warnings and not outcome.unchanged:
            self._run.tell(journal.warning_line(outcome))
        keep(task, outcome.published)
        if time.monotonic() - self._published_at > _JOURNAL_EVERY_S:
            with suppress(EvalkitError):  # said at the end, if it still cannot be written
                self._publish()

    def _document(self, outcome: Outcome, task: Task, made_from: Mapping[str, str]) -> dict[str, Any]:
        folder = task.output.parent
        now = time.time_ns()
        names = [name for page in outcome.documents for name in (page, f"{page}.controle.json")]
        lacking = bool(outcome.others.faults)  # a format that could not be made: the next run tries again
        return {
            "faits_de": {} if lacking else dict(made_from),
            "parties": {} if lacking else outcome.parts,
            "sorties": {name: inputs.photograph_output(folder / name, self._state.key, now) for name in names},
            "journal": journal.entry_of(outcome),
            "exclus": outcome.excluded,
        }

    def _publish(self) -> None:
        entries = [journal.entry_of(outcome) for outcome in self.outcomes.values()]
        others = [entry for entry in self._keep if document_id(entry["nom"], entry["genre"]) not in self.outcomes]
        self._run.publish([*others, *entries])
        self._published_at = time.monotonic()

    def _see_again(self) -> None:
        """Photograph again what was written too recently to be trusted on its times alone."""
        now = time.time_ns()
        for name, (task, _) in self.todo.items():
            kept = self._state.entries.get(name, {}).get("sorties", {})
            for page in kept:
                kept[page] = inputs.seen_again(task.output.parent / page, kept[page], self._state.key, now)

    def close(self) -> None:
        """Write the journal, the index and the whole state."""
        try:
            self._publish()
            self._see_again()
            now = time.time_ns()
            pages = self._state.content.setdefault("pages", {}).setdefault(str(self._run.folder), {})
            for name in self._run.pages:
                pages[name] = inputs.photograph_output(self._run.folder / name, self._state.key, now)
        finally:
            self._state.close()
        if self._state.trouble:
            self._run.tell(str(self._state.trouble))
