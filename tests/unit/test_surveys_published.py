"""Tables that others published from the same answers, found again by our computation. Data: folder ``EVALKIT_DONNEES``.

LimeSurvey (Software Sustainability Institute, Netherlands 2017): every cell. Montpellier's satisfaction surveys: shares × n.
« Histoire de vie » 2003: weighted and unweighted, against pandas. KoboToolbox: every multiple choice, against its form.
"""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalkit.compute.surveys import compute_surveys
from tests.fabrique import make_answers, make_dossier, make_enquete, make_referentiel, survey_question

DATA = Path(os.environ.get("EVALKIT_DONNEES", "")) / "enquetes"
pytestmark = pytest.mark.skipif(
    not os.environ.get("EVALKIT_DONNEES") or not DATA.is_dir(),
    reason="enquêtes réelles absentes : donnez leur dossier dans EVALKIT_DONNEES",
)


def analyse(columns: dict[str, list[Any]], kinds: dict[str, str], weights: list[float] | None = None):
    """Shares by (column, answer) and items by column; answers and columns keep their own names here."""
    names = {name: f"A{rank:02d}" for rank, name in enumerate(columns, start=1)}
    codes: dict[str, dict[str, str]] = {}
    cells: dict[str, list[Any]] = {}
    questions = []
    for name, values in columns.items():
        if kinds[name] == "nombre":
            cells[names[name]] = values
            questions.append(survey_question(names[name], "nombre"))
            continue
        seen = dict.fromkeys(part for value in values if value for part in value.split("\x1f"))
        codes[name] = {answer: f"c{rank}" for rank, answer in enumerate(seen)}
        cells[names[name]] = [
            ";".join(codes[name][part] for part in value.split("\x1f")) if value else None for value in values
        ]
        questions.append(survey_question(names[name], kinds[name], " ".join(codes[name].values())))
    frame = make_answers(cells, **({"poids": weights} if weights else {}))
    dossier = make_dossier(enquetes={"ENQ-ASSO": frame})
    found = compute_surveys(make_referentiel(enquetes=[make_enquete(questions)]), dossier)
    back = {code: name for name, code in names.items()}
    labels = {(name, code): answer for name, known in codes.items() for answer, code in known.items()}
    answers = {(back[row["question"]], labels[back[row["question"]], row["choix"]]): row for row in found["reponses"]}
    return answers, {back[row["question"]]: row for row in found["items"]}


LIMESURVEY_CELLS = 201  # of the eleven tables whose answers were published


# --- LimeSurvey -----------------------------------------------------------------------------------------------------


def _limesurvey() -> pd.DataFrame:
    return pd.read_csv(DATA / "limesurvey/rse2017_nl_public_data.csv", dtype=str, keep_default_na=False)


def _published(path: Path) -> list[list[str]]:
    table = pd.read_csv(path, dtype=str, keep_default_na=False, header=None)
    return [[str(cell).strip() for cell in row] for row in table.to_numpy().tolist()]


def _expected(cell: str) -> float:
    return float(cell) if cell else 0.0  # an unused level is printed empty


def test_limesurvey_tables_cell_for_cell() -> None:
    raw = _limesurvey()
    matched = total = 0
    withheld = []
    for path in sorted((DATA / "limesurvey/resultats_publies_nl").glob("*.csv")):
        header, *rows = _published(path)
        if header[-1] == "Count":
            found, items = _multiple(raw, path.stem)
            pairs = [(found[path.stem, label]["n"] if (path.stem, label) in found else 0.0, n) for label, n in rows]
        else:
            if path.stem in ("socio2", "socio3"):  # gender and age: their answers were not published
                assert not any(path.stem in column for column in raw.columns)
                withheld.append((path.stem, len(rows)))
                continue
            names = _columns(raw, path.stem)
            assert len(names) == len(header) - 1, path.name
            found, items = analyse({n: raw[n].tolist() for n in names}, dict.fromkeys(names, "choix_unique"))
            pairs = [
                (_count(found, items, name, row[0]), row[position])
                for row in rows
                for position, name in enumerate(names, start=1)
            ]
        total += len(pairs)
        matched += sum(ours == _expected(theirs) for ours, theirs in pairs)
    print(f"LimeSurvey : {matched} cases retrouvées sur {total} ; réponses non publiées : {withheld}")
    assert matched == total
    assert total == LIMESURVEY_CELLS


def _count(found: dict[Any, Any], items: dict[str, Any], name: str, label: str) -> float:
    if not label:
        return float(items[name]["n_non_repondu"])
    return float(found[name, label]["n"]) if (name, label) in found else 0.0


def _columns(raw: pd.DataFrame, stem: str) -> list[str]:
    """Columns of a table named ``affRec1_3`` (items 1 and 3 of affRec) or ``socio2``."""
    prefix, first, *others = re.match(r"([a-zA-Z]+)(\d+)((?:_\d+)*)$", stem).groups()  # type: ignore[union-attr]
    numbers = [first, *(n for n in others[0].split("_") if n)]
    return [next(c for c in raw.columns if re.search(rf"(^|\[){prefix}{n}\]?\. ", c)) for n in numbers]


def _multiple(raw: pd.DataFrame, stem: str):
    """« Yes » columns of a multiple choice, put back into one answer per respondent."""
    mine = {c: re.search(r"\[([^\[\]]*)\]$", c).group(1).strip() for c in raw.columns if c.startswith(f"{stem}[")}  # type: ignore[union-attr]
    cells = ["\x1f".join(mine[c] for c in mine if row[c] == "Yes") for _, row in raw.iterrows()]
    return analyse({stem: cells}, {stem: "choix_multiple"})


# --- Montpellier ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "impossible"), [("VilleMTP_MTP_QVEnquete_2012.xlsx", 12), ("VilleMTP_MTP_QVEnquete_2009.xls", None)]
)
def test_montpellier_shares(name: str, impossible: int | None) -> None:
    """A share × n is a number of people: found again to the published rounding, or the published pair is impossible."""
    pytest.importorskip("openpyxl" if name.endswith("x") else "xlrd")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = pd.read_excel(DATA / "qualiville" / name, header=None, dtype=object)
    matched, wrong = 0, []
    for rank in range(2, len(table) - 1):
        label, below = str(table.iat[rank, 0]), str(table.iat[rank + 1, 0])
        if not below.startswith("Total ayant donné") or label.startswith("Total"):
            continue
        for column in range(1, table.shape[1]):
            share, n = table.iat[rank, column], table.iat[rank + 1, column]
            if not isinstance(share, int | float) or not isinstance(n, int | float) or share != share or not n >= 1:
                continue
            unhappy = round(share * n)
            cells = ["insatisfait"] * unhappy + ["satisfait"] * (int(n) - unhappy)
            found, items = analyse({"avis": cells}, {"avis": "choix_unique"})
            ours = found["avis", "insatisfait"]["part"] / 100 if unhappy else 0.0
            assert items["avis"]["n_exprimes"] == n
            if abs(ours - share) <= 0.005 + 1e-9:
                matched += 1
            else:
                wrong.append((label, column))
    print(f"{name} : {matched} parts retrouvées sur {matched + len(wrong)} ; impossibles : {wrong}")
    assert matched >= 100
    if impossible is not None:
        assert len(wrong) == impossible


# --- Histoire de vie ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
def test_hdv2003_against_pandas(weighted: bool) -> None:
    frame = pd.read_csv(DATA / "hdv2003/hdv2003_ids_1_1000.csv", sep=";", dtype=str, keep_default_na=False)
    numbers = {name: frame[name].str.replace(",", ".") for name in ("age", "freres.soeurs", "heures.tv", "poids")}
    weight = pd.to_numeric(numbers.pop("poids")) if weighted else pd.Series(1.0, index=frame.index)
    names = [c for c in frame.columns if c not in ("id", "poids", *numbers)]
    columns = {name: frame[name].tolist() for name in names}
    columns |= {name: [float(v) if v else None for v in values] for name, values in numbers.items()}
    kinds = {name: "nombre" if name in numbers else "choix_unique" for name in columns}
    answers, items = analyse(columns, kinds, weight.tolist() if weighted else None)
    checked = 0
    for (name, label), row in answers.items():
        spoken = frame[name] != ""
        assert row["n"] == (frame[name] == label).sum()
        expected = weight[frame[name] == label].sum() / weight[spoken].sum() * 100
        assert row["part"] == pytest.approx(expected)
        checked += 1
    for name, values in numbers.items():
        given = pd.to_numeric(values[values != ""])
        assert items[name]["moyenne"] == pytest.approx(np.average(given, weights=weight[given.index]))
        if not weighted:
            assert items[name]["mediane"] == given.median()
    print(f"hdv2003 {'pondéré' if weighted else 'non pondéré'} : {checked} parts")
    assert checked == 54


# --- KoboToolbox ----------------------------------------------------------------------------------------------------


def test_kobo_multiple_choices_against_form() -> None:
    """The list of codes and the 0/1 columns of the tool say the same; every code is in the form."""
    raw = pd.read_csv(DATA / "kobo/kobo_reponses_brutes_1_250.csv", dtype=str, keep_default_na=False, na_values=[])
    raw = raw.replace("NA", "")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        form = pd.read_excel(DATA / "kobo/kobo_formulaire_xlsform.xlsx", sheet_name=None, dtype=str)
    lists = form["choices"].groupby("list_name")["name"].agg(set).to_dict()
    matched = total = unknown = 0
    for kind, name in zip(form["survey"]["type"], form["survey"]["name"], strict=True):
        if not str(kind).startswith("select_multiple ") or name not in raw.columns:
            continue
        cells = ["\x1f".join(value.split()) for value in raw[name]]
        answers, items = analyse({name: cells}, {name: "choix_multiple"})
        assert items[name]["n_exprimes"] == (raw[name] != "").sum()
        declared = lists[str(kind).split()[1]]
        unknown += sum(code not in declared for _, code in answers)
        for (_, code), row in answers.items():
            column = f"{name}.{code}"
            if column in raw.columns:
                total += 1
                matched += row["n"] == raw[column].isin(["1", "TRUE", "True"]).sum()
    print(f"KoboToolbox : {matched} cases retrouvées sur {total} ; réponses hors du formulaire : {unknown}")
    assert total >= 50
    assert matched == total
