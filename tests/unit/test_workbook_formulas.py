"""The formulas of both workbooks give what evalkit gives, computed again by a real spreadsheet, also after changes."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
import pytest

from evalkit.compute.disclosure import protect
from evalkit.compute.evaluation import evaluate
from evalkit.compute.results import Evaluation
from evalkit.loaders.dossier import list_dossiers, load_dossier
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.resources import resource_dir
from evalkit.model.dossier import SILENCES, Dossier
from evalkit.report.workbook import render_rapport_xlsx, render_travail_xlsx
from evalkit.report.workbook_sheets import FIRST
from tests.fabrique import make_evaluation, make_publication, sample_dossier
from tests.tableur import Place, formula_places, recompute, values, without_results

CAMPAGNE = resource_dir("sample_data") / "2022"
# a full territory, one where groups are split, one with small groups, one without citizens' council
NAMES = ("ardelle", "wastrelles", "houdrincq", "estrinoy")
RESULTS = ("Questions", "Niveaux", "Écarts", "Groupes")
CHANCE = 1e-12  # the probability of a false alarm alone is a sum of products: its last digit depends on their order
LEVELS, EXTREMES = list(range(6)), [0, 5]


@dataclass
class Trial:
    """A dossier, what is typed over in its working file, and the same changes made in the dossier."""

    dossier: Dossier
    cells: dict[Place, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def referentiel():
    return load_referentiel()


def same(found: Any, expected: Any, place: Place) -> bool:
    """To the last digit that a spreadsheet keeps, the fifteenth; an empty result is an empty text."""
    found, expected = ("" if value is None else value for value in (found, expected))
    if isinstance(found, str) or isinstance(expected, str):
        return found == expected
    if place[0] == "Écarts" and not float(2 * expected).is_integer():
        return abs(found - expected) < CHANCE
    return f"{found:.15g}" == f"{expected:.15g}"


def differences(found: bytes, expected: bytes, sheets: tuple[str, ...] = ()) -> list[str]:
    """Formula cells whose result is not the one that evalkit wrote."""
    got, wanted = values(found), values(expected)
    places = [p for p in formula_places(expected) if not sheets or p[0] in sheets]
    assert places
    return [f"{p}: {got.get(p)!r}, evalkit {wanted.get(p)!r}" for p in places if not same(got.get(p), wanted.get(p), p)]


def is_about_changes(line: str) -> bool:
    """Cells that say that something was changed: they differ on purpose."""
    return any(word in line for word in ("modifié", "modifiée"))


# --- nothing changed ------------------------------------------------------------------------------------------------


def test_a_spreadsheet_finds_what_evalkit_wrote(referentiel, tmp_path):
    """Both workbooks: every stored result is forgotten, computed again, and equal."""
    books = {
        "essai": render_rapport_xlsx(make_publication()),
        "essai-travail": render_travail_xlsx(make_evaluation(), sample_dossier().tables["cotations"]),
    }
    for name in ("ardelle", "morvecque"):
        dossier = load_dossier(CAMPAGNE / name, referentiel)
        evaluation = evaluate(referentiel, dossier)
        books[name] = render_rapport_xlsx(protect(evaluation, referentiel.regles))
        books[f"{name}-travail"] = render_travail_xlsx(evaluation, dossier.tables["cotations"])
    again = recompute({name: without_results(content) for name, content in books.items()}, tmp_path)
    for name, content in books.items():
        assert differences(again[name], content) == [], name


# --- changes --------------------------------------------------------------------------------------------------------


def any_level(rng: random.Random) -> int | str | None:
    """A level most often, the ends of the scale more than the rest; else a silence, or nothing."""
    kind = rng.random()
    if kind < 0.7:
        return rng.choice(LEVELS + EXTREMES * 3)
    return rng.choice(list(SILENCES)) if kind < 0.9 else None


def typed(frame: pd.DataFrame, index: int, value: int | str | None) -> None:
    frame.loc[index, "niveau"] = float(value) if isinstance(value, int) else float("nan")
    frame.loc[index, "silence"] = value if isinstance(value, str) else None


def lines_of(content: bytes, sheet: str, columns: tuple[str, ...]) -> dict[tuple[str, ...], int]:
    """Line of each row, by the values of some columns."""
    found = values(content)
    out: dict[tuple[str, ...], int] = {}
    line = FIRST
    while (sheet, f"{columns[0]}{line}") in found:
        out[tuple(str(found[sheet, f"{column}{line}"]) for column in columns)] = line
        line += 1
    return out


def change_ratings(trial: Trial, content: bytes, rng: random.Random) -> pd.DataFrame:
    """A third of the ratings of some sub-questions typed over, and one rating added under the last line."""
    ratings = trial.dossier.tables["cotations"].reset_index(drop=True).copy()
    lines = lines_of(content, "Cotations", ("A", "B"))
    if ratings.empty:
        return ratings
    subs = sorted(set(ratings["sous_question"]))
    for sub in rng.sample(subs, min(len(subs), 12)):
        mine = ratings.index[ratings["sous_question"] == sub].tolist()
        for index in rng.sample(mine, max(1, len(mine) // 3)):
            value = any_level(rng)
            typed(ratings, index, value)
            trial.cells["Cotations", f"D{lines[sub, ratings.loc[index, 'repondant']]}"] = value
    added = {"sous_question": rng.choice(subs), "repondant": "R999", "groupe": "association", "niveau": 5.0}
    line = FIRST + len(ratings)
    trial.cells |= {
        ("Cotations", f"{column}{line}"): value
        for column, value in zip("ABCD", (*list(added.values())[:3], 5), strict=True)
    }
    row = pd.DataFrame([{name: added.get(name) for name in ratings.columns}]).astype(ratings.dtypes.to_dict())
    return pd.concat([ratings, row], ignore_index=True)


def change_levels(trial: Trial, content: bytes, rng: random.Random) -> pd.DataFrame:
    """Settled levels changed, emptied, replaced by a silence, and settled where they were not."""
    settled = trial.dossier.tables["arbitrages"].reset_index(drop=True).copy()
    lines = {key[0]: line for key, line in lines_of(content, "Niveaux", ("B",)).items()}
    for sub in rng.sample(sorted(lines), min(len(lines), 10)):
        value = any_level(rng)
        trial.cells["Niveaux", f"E{lines[sub]}"] = value
        mine = settled.index[settled["sous_question"] == sub].tolist()
        if not mine:
            row = pd.DataFrame([dict.fromkeys(settled.columns) | {"sous_question": sub}]).astype(
                settled.dtypes.to_dict()
            )
            settled = pd.concat([settled, row], ignore_index=True)
            mine = [len(settled) - 1]
        typed(settled, mine[0], value)
    return settled


def changed(dossier: Dossier, content: bytes, seed: int) -> Trial:
    rng = random.Random(seed)
    trial = Trial(dossier)
    tables = dict(dossier.tables)
    tables["cotations"] = change_ratings(trial, content, rng)
    tables["arbitrages"] = change_levels(trial, content, rng)
    trial.dossier = replace(dossier, tables=tables)
    return trial


def check_changes(referentiel, names, tmp_path) -> int:
    """Change each territory at random; the spreadsheet and ``evaluate`` must agree. Returns how many cells moved."""
    before, after, typed_over = {}, {}, {}
    for seed, name in enumerate(names):
        path = next(p for p in list_dossiers(CAMPAGNE) if p.stem == name or p.name == name)
        dossier = load_dossier(path, referentiel)
        before[name] = render_travail_xlsx(evaluate(referentiel, dossier), dossier.tables["cotations"])
        trial = changed(dossier, before[name], seed)
        after[name] = (evaluate(referentiel, trial.dossier), trial.dossier)
        typed_over[name] = trial.cells
    again = recompute({n: without_results(content, typed_over[n]) for n, content in before.items()}, tmp_path)
    moved = 0
    for name, (evaluation, dossier) in after.items():
        expected = render_travail_xlsx(evaluation, dossier.tables["cotations"])
        found = [line for line in differences(again[name], expected, RESULTS) if not is_about_changes(line)]
        assert found == [], name
        check_questions(again[name], evaluation)
        check_count_of_changes(again[name], before[name], typed_over[name])
        moved += len(differences(again[name], before[name], RESULTS))
    return moved


def check_questions(content: bytes, evaluation: Evaluation) -> None:
    """The sheet « Questions » against the table ``questions`` itself, column by column."""
    found = values(content)
    for line, row in enumerate(evaluation.questions.to_dict("records"), start=FIRST):
        assert found["Questions", f"A{line}"] == row["question"]
        for column, name in zip(
            "CDGHI", ("mediane", "minimum", "couverture", "borne_basse", "borne_haute"), strict=True
        ):
            value = found["Questions", f"{column}{line}"]
            expected = row[name] if row[name] == row[name] else value
            assert same(value, expected, ("Questions", column)), (row["question"], name)
            assert isinstance(value, str) == (row[name] != row[name]), (row["question"], name)
        assert found["Questions", f"E{line}"] == row["n_arbitrees"]
        assert found["Questions", f"F{line}"] == row["n_applicables"]


def check_count_of_changes(content: bytes, before: bytes, typed_over: dict[Place, Any]) -> None:
    """The first sheet tells how many levels are no longer those of the dossier; the results say it too."""
    read = values(before)
    n = sum(value != read.get(place) for place, value in typed_over.items() if place[1][0] in "DE")
    found = values(content)
    line = next(
        cell[1:] for (sheet, cell), value in found.items() if sheet == "Lisez-moi" and value == "Cases modifiées"
    )
    assert found["Lisez-moi", f"B{line}"] == n > 0
    for sheet in RESULTS:
        assert found[sheet, "A3"].startswith(f"{n} case(s) modifiée(s)"), sheet


def test_a_changed_rating_or_level_changes_the_result_as_evalkit_would(referentiel, tmp_path):
    assert check_changes(referentiel, NAMES, tmp_path) > 500


@pytest.mark.complet
def test_the_same_on_the_forty_territories(referentiel, tmp_path):
    names = [path.stem if path.is_file() else path.name for path in list_dossiers(CAMPAGNE)]
    assert check_changes(referentiel, names, tmp_path) > 5000


# what a hand types; « 3 » as a text, as a paste from a web page gives; VRAI; what MATCH would take for any word
BAD = ("1+", "2,5", "9", "3", "oui", True, "#N/A", "*", "r*", "refu?", "~", 2.5)


def test_what_is_neither_a_level_nor_a_word_is_shown_and_never_counted_in_silence(referentiel, tmp_path):
    """In « Cotations » and « Niveaux » beside the cell, and on every sheet of results how many there are."""
    dossier = load_dossier(CAMPAGNE / "ardelle", referentiel)
    before = render_travail_xlsx(evaluate(referentiel, dossier), dossier.tables["cotations"])
    typed_over: dict[Place, Any] = {("Cotations", f"D{FIRST + rank}"): bad for rank, bad in enumerate(BAD)}
    typed_over |= {("Niveaux", f"E{FIRST + rank}"): bad for rank, bad in enumerate(BAD)}
    typed_over |= {("Cotations", f"D{FIRST + len(BAD)}"): None, ("Niveaux", f"E{FIRST + len(BAD)}"): "refus"}
    found = values(recompute({"faux": without_results(before, typed_over)}, tmp_path)["faux"])
    for rank in range(len(BAD)):
        assert "à ressaisir" in found["Cotations", f"G{FIRST + rank}"]
        assert "à ressaisir" in found["Niveaux", f"K{FIRST + rank}"]
        assert found["Niveaux", f"I{FIRST + rank}"] == "non arbitré"
    assert "à ressaisir" not in found["Cotations", f"G{FIRST + len(BAD)}"]
    assert found["Niveaux", f"K{FIRST + len(BAD)}"] == "modifié"
    for sheet in RESULTS:
        assert found[sheet, "A3"].endswith(f"ni un niveau ni un mot de la liste : {2 * len(BAD)}."), sheet
    (tmp_path / "juste").mkdir()
    untouched = values(recompute({"juste": without_results(before)}, tmp_path / "juste")["juste"])
    assert not any("ressaisir" in str(untouched[sheet, "A3"]) for sheet in RESULTS)
