"""Real exports of other surveys, read by our reader: every cell comes back. Data: folder ``EVALKIT_DONNEES``.

Their questions are not ours: a questionnaire is made from the tool's own form (KoboToolbox) or from the titles (LimeSurvey), and a
mapping names the columns, as a person would in ``<enquete>.correspondance.yml``.
"""

from __future__ import annotations

import csv
import os
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from evalkit.errors import only_errors
from evalkit.loaders.grids import normalise
from evalkit.loaders.survey_mapping import SurveyMapping
from evalkit.loaders.survey_words import make_lexicon
from evalkit.loaders.surveys import SurveyImport, read_surveys
from evalkit.model.survey import Enquete, choice_code
from tests.fabrique import make_enquete, survey_question

DATA = Path(os.environ.get("EVALKIT_DONNEES", "")) / "enquetes"
pytestmark = [
    pytest.mark.donnees,
    pytest.mark.skipif(
        not os.environ.get("EVALKIT_DONNEES") or not DATA.is_dir(),
        reason="enquêtes réelles absentes : donnez leur dossier dans EVALKIT_DONNEES",
    ),
]
KINDS = {"select_one": "choix_unique", "select_multiple": "choix_multiple", "integer": "nombre", "decimal": "nombre"}


def _slug(code: str) -> str:
    return choice_code(code) or "vide"


def _read(path: Path, survey: dict[str, Any], columns: dict[str, str]) -> SurveyImport:
    enquete = Enquete.model_validate(survey)
    mapping = SurveyMapping(enquete.code, {normalise(title): target for title, target in columns.items()})
    lexicons = {enquete.code: make_lexicon(enquete, None)}
    found, lost = read_surveys([(path, path.name)], lexicons, {enquete.code: mapping}, enquete.code)
    assert not lost, [str(fault) for fault in lost]
    return found[0]


# --- KoboToolbox ----------------------------------------------------------------------------------------------------

KOBO = DATA / "kobo" / "kobo_reponses_brutes_1_250.csv"


def _kobo_rows() -> list[dict[str, str]]:
    with KOBO.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if any(row.values())]


def _kobo_form() -> tuple[dict[str, tuple[str, list[str]]], list[dict[str, Any]], dict[str, str]]:
    """By question of the form: its code here and its choices; the questions; columns named for the mapping."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        form = pd.read_excel(DATA / "kobo" / "kobo_formulaire_xlsform.xlsx", sheet_name=None, dtype=str)
    choices = form["choices"].dropna(subset=["list_name", "name"])
    header = set(_kobo_rows()[0])
    names, questions, columns = {}, [], {}
    for kind, name in zip(form["survey"]["type"], form["survey"]["name"], strict=True):
        sort, _, listed = str(kind).partition(" ")
        if sort not in KINDS or name not in header:
            continue
        code = f"A{len(names) // 100 + 1:02d}_q{len(names)}"
        codes = list(dict.fromkeys(choices[choices["list_name"] == listed]["name"]))
        questions.append(survey_question(code, KINDS[sort], " ".join(map(_slug, codes))))
        names[name] = (code, codes)
        columns[name] = code
    return names, questions, columns


def test_every_kobo_cell_comes_back() -> None:
    """Single choices, multiple choices in one column and numbers, cell for cell; what is not in the form is told."""
    names, questions, columns = _kobo_form()
    imported = _read(KOBO, make_enquete(questions), columns)
    rows = _kobo_rows()
    kept = [rows[number - 1] for number in imported.frame["ligne"]]
    wrong = {(m.question, row) for m in imported.files[0].reading.misread for row in m.rows}
    compared = matched = told = 0
    for name, (code, codes) in names.items():
        for rank, row in enumerate(kept):
            raw, ours = row[name].strip(), imported.frame[code].iloc[rank]
            compared += 1
            if (code, imported.files[0].sorting.kept[rank]) in wrong:
                told += 1
                assert ours != ours
            elif codes:
                expected = {_slug(part) for part in raw.split()}
                matched += (set() if ours != ours else set(ours.split(";"))) == expected
            else:
                matched += (ours != ours) if not raw else float(ours) == float(raw)
    apart = {reason: len(lines) for reason, lines in imported.files[0].sorting.apart.items()}
    outside = Counter(m.question for m in imported.files[0].reading.misread)
    print(
        f"KoboToolbox : {matched} cellules sur {compared}, {told} dites non comprises ({dict(outside)}) ; à part : {apart}"
    )
    assert imported.info["outil"] == "KoboToolbox"
    assert imported.files[0].sorting.n_read == len(rows) == 250
    assert compared >= 250 * 100
    assert matched + told == compared
    assert told < 0.01 * compared


def test_kobo_split_columns_say_what_the_single_one_says() -> None:
    names, questions, columns = _kobo_form()
    header = list(_kobo_rows()[0])
    several = [q for q in questions if q["type"] == "choix_multiple"]
    single = _read(KOBO, make_enquete(several), {n: c for n, c in columns.items() if c in {q["code"] for q in several}})
    ticks = {}
    for name, (code, codes) in names.items():
        mine = {f"{name}.{choice}": f"{code}[{_slug(choice)}]" for choice in codes if f"{name}.{choice}" in header}
        if code in {q["code"] for q in several} and mine:
            ticks |= {name: "ignorer", **mine}
    split = _read(KOBO, make_enquete(several), ticks)
    assert not only_errors(split.faults)
    same = 0
    first, second = single.frame.set_index("ligne"), split.frame.set_index("ligne")
    rows = first.index.intersection(second.index)
    for question in [q for q in several if q["code"] in second]:
        for one, other in zip(first.loc[rows, question["code"]], second.loc[rows, question["code"]], strict=True):
            left = set() if one != one else set(one.split(";"))
            right = set() if other != other else set(other.split(";"))
            assert left == right, question["code"]
            same += 1
    print(f"KoboToolbox, colonnes séparées : {same} cellules")
    assert same > 1000


def test_kobo_people_are_dropped() -> None:
    """Device, account and every text are left out; only the questions are kept."""
    names, questions, columns = _kobo_form()
    imported = _read(KOBO, make_enquete(questions), columns)
    dropped = {column.title for column in imported.files[0].header.of("personnel")}
    assert {"deviceid", "X_submitted_by"} <= dropped | {"X" + title for title in dropped}
    assert set(imported.frame.columns) == {"ligne", "partie", "poids", *(code for code, _ in names.values())}


# --- LimeSurvey -----------------------------------------------------------------------------------------------------

LIME = DATA / "limesurvey" / "rse2017_nl_public_data.csv"


def test_every_limesurvey_cell_comes_back() -> None:
    """Lists, batteries and multiple choices of a real export with codes and texts in its titles."""
    raw = pd.read_csv(LIME, dtype=str, keep_default_na=False)
    questions, columns, lists = [], {}, {}
    ticked: dict[str, list[tuple[str, str]]] = {}
    for title in raw.columns[1:]:
        values = [value for value in dict.fromkeys(raw[title]) if value]
        stem = title.split("[")[0]
        if set(values) <= {"Yes", "No"} and "[" in title.split(". ")[0]:
            ticked.setdefault(stem, []).append((title, title.rsplit("[", 1)[1].rstrip("]")))
            continue
        if len(values) > 12 or not values or any(len(value) > 60 for value in values):
            continue
        code = f"A01_q{len(questions)}"
        lists[title] = (code, {value: f"c{rank}" for rank, value in enumerate(values)})
        questions.append(_labelled(code, "choix_unique", lists[title][1]))
        columns[title] = code
    several = {}
    for stem, options in ticked.items():
        code = f"A01_q{len(questions)}"
        labels = {label or "rien": f"c{rank}" for rank, (_, label) in enumerate(options)}
        if len(labels) < len(options) or len(options) < 2:
            continue
        questions.append(_labelled(code, "choix_multiple", labels))
        several[stem] = (code, {title: f"c{rank}" for rank, (title, _) in enumerate(options)})
        columns |= {title: f"{code}[{choice}]" for title, choice in several[stem][1].items()}
    imported = _read(LIME, make_enquete(questions), columns)
    assert not only_errors(imported.faults), "\n".join(map(str, only_errors(imported.faults)))[:2000]
    matched = 0
    kept = imported.frame["ligne"] - 1
    for title, (code, codes) in lists.items():
        for ours, theirs in zip(imported.frame[code], raw[title].iloc[kept], strict=True):
            assert (ours if ours == ours else "") == codes.get(theirs, ""), title
            matched += 1
    for code, titles in several.values():
        for rank, row in enumerate(kept):
            given = {choice for title, choice in titles.items() if raw[title].iloc[row] == "Yes"}
            ours = imported.frame[code].iloc[rank]
            assert (set() if ours != ours else set(ours.split(";"))) == given
            matched += len(titles)
    print(
        f"LimeSurvey : {matched} cellules, {len(lists)} listes, {len(several)} choix multiples, {len(kept)} réponses sur {len(raw)}"
    )
    assert len(kept) + sum(map(len, imported.files[0].sorting.apart.values())) == len(raw) == 77
    assert matched > 5000


def _labelled(code: str, kind: str, labels: dict[str, str]) -> dict[str, Any]:
    question = survey_question(code, kind, " ".join(labels.values()))
    return {**question, "choix": [{"code": c, "libelle": text} for text, c in labels.items()]}
