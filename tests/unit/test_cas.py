"""Runs every case of ``tests/cas``: an evaluator adds a YAML file, no Python. See ``tests/cas/LISEZMOI.md``."""

from __future__ import annotations

import ast
import math
import operator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from evalkit.compute.disclosure import protect
from evalkit.compute.formulas import compute_indicator
from evalkit.compute.secondary import Cell, System, feasible_intervals, merge_levels, suppress, total_equation
from tests.fabrique import (
    make_dossier,
    make_evaluation,
    make_indicator,
    make_question,
    make_referentiel,
    make_sub_question,
    make_territory,
    ratings,
    settled,
)

CASES = Path(__file__).parent.parent / "cas"
KEYS = {
    "indicateurs": {"nom", "formule", "indicateur", "facteur", "unite", "modalites", "donnees", "attendu"},
    "maturite": {"nom", "arbitrages", "applicables", "attendu"},
    "triangulation": {"nom", "cotations", "attendu"},
    "secret": {
        "nom",
        "cotations",
        "formule",
        "indicateur",
        "donnees",
        "actions",
        "tableau",
        "niveaux",
        "acro",
        "attendu",
    },
    "enquetes": {
        "nom",
        "question",
        "formule",
        "reponses",
        "effectifs",
        "poids",
        "posee_si",
        "avant",
        "sollicites",
        "seuil",
        "annonce",
        "attendu",
    },
}
NUMBERS = {"annee", "valeur", "numerateur", "denominateur", "montant_p147"}


class CaseError(AssertionError):
    """A case badly written: said to the person who wrote it."""


def load_cases(folder: Path = CASES) -> list[tuple[str, str, dict[str, Any]]]:
    """(kind, file, case) of every case under ``folder``; a badly written one is told with its file and its name."""
    out = []
    for path in sorted(folder.glob("*/*.yml")):
        kind = path.parent.name
        cases = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        if not isinstance(cases, list):
            raise CaseError(f"{path.name} : le fichier doit être une liste de cas, chacun commençant par « - nom: ».")
        for rank, case in enumerate(cases, start=1):
            name = case.get("nom", f"cas n° {rank}") if isinstance(case, dict) else f"cas n° {rank}"
            missing = {"nom", "attendu"} - set(case)
            unknown = set(case) - KEYS.get(kind, set())
            if missing or unknown:
                raise CaseError(
                    f"{kind}/{path.name}, « {name} » : clé manquante {sorted(missing)}, clé inconnue {sorted(unknown)} ; "
                    f"clés possibles : {sorted(KEYS.get(kind, set()))}."
                )
            out.append((kind, path.name, case))
    return out


def read_table(text: str, where: str) -> list[dict[str, Any]]:
    """Rows of a small text table; a French decimal comma is read; an empty cell is absent."""
    lines = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.strip().splitlines()]
    header, *rows = lines
    for row in rows:
        if len(row) != len(header):
            raise CaseError(f"« {where} » : la ligne {row} n’a pas {len(header)} cases comme l’en-tête {header}.")
    return [
        {
            name: float(cell.replace(",", ".")) if name in NUMBERS else cell
            for name, cell in zip(header, row, strict=True)
            if cell
        }
        for row in rows
    ]


_OPERATIONS: dict[type, Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def number(value: Any) -> float | None:
    """An expected number, or a small sum the eye can check (``"17 / 20 * 100"``)."""
    if isinstance(value, str):
        return _walk(ast.parse(value, mode="eval").body)
    return None if value is None else float(value)


def _walk(node: ast.expr) -> float:
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.UnaryOp):
        return -_walk(node.operand)
    if isinstance(node, ast.Call):
        return abs(_walk(node.args[0]))
    if isinstance(node, ast.BinOp):
        return _OPERATIONS[type(node.op)](_walk(node.left), _walk(node.right))
    raise CaseError("un nombre attendu ne contient que des nombres, + − × ÷ et abs(…)")


def check(found: Any, expected: Any, what: str) -> None:
    """Compare one value; None = no value."""
    if isinstance(expected, bool) or (isinstance(expected, str) and not any(c.isdigit() for c in expected)):
        assert found == expected, f"{what} : trouvé {found}, attendu {expected}"
        return
    wanted = number(expected)
    if wanted is None:
        assert found is None or found == "" or (isinstance(found, float) and math.isnan(found)), (
            f"{what} : trouvé {found}, attendu rien"
        )
        return
    assert found == pytest.approx(wanted), f"{what} : trouvé {found}, attendu {wanted}"


def _indicator(case: dict[str, Any]) -> dict[str, Any]:
    extra: dict[str, Any] = {"facteur": case.get("facteur"), "unite": case.get("unite", "pourcent")}
    if case["formule"] == "part_favorable":
        extra |= {"collecte": ["ENQ-COM"], "repondants": ["commune"]}
    categories = [{"code": code, "libelle": code} for code in case.get("modalites", [])]
    return make_indicator("Q1.1.a", case["formule"], modalites=categories, **extra)


def _framework(case: dict[str, Any]):
    if "indicateur" in case:
        loaders = pytest.importorskip("evalkit.loaders.referentiel")
        return loaders.load_referentiel(), case["indicateur"]
    units = _indicator(case)
    unit = units["unite"]
    units["unite"] = "pourcent"
    referentiel = make_referentiel([make_question("Q1", [make_sub_question("Q1.1", [units])])])
    indicator = referentiel.indicateurs["Q1.1.a"].model_copy(update={"unite": unit})
    return referentiel, indicator.code if unit == "pourcent" else indicator


def run_indicateurs(case: dict[str, Any]) -> None:
    from evalkit.compute.evaluation import _entries
    from tests.fabrique import make_table

    referentiel, found = _framework(case)
    indicator = referentiel.indicateurs[found] if isinstance(found, str) else found
    rows = [{"indicateur": indicator.code, **row} for row in read_table(case["donnees"], case["nom"])]
    entries = _entries(make_table("indicateurs", rows)).get(indicator.code, [])
    result = compute_indicator(indicator, entries)[-1]
    names = {
        "valeur": result.value,
        "statut": result.status,
        "n": result.n,
        "numerateur": result.numerator,
        "denominateur": result.denominator,
        "modalite": result.category,
    }
    for key, expected in case["attendu"].items():
        if key == "explication":
            assert expected in result.explanation
        else:
            check(names[key], expected, key)


def run_maturite(case: dict[str, Any]) -> None:
    given = case["arbitrages"]
    applicable = case.get("applicables", [True] * len(given))
    never = {"tous": [{"fait": "npnru", "egal": True}], "explication": "Sans objet ici."}
    subs = [
        make_sub_question(f"Q1.{rank}", [], **({} if applies else {"applicable_si": never}))
        for rank, applies in enumerate(applicable, start=1)
    ]
    rows = [settled(f"Q1.{rank}", level) for rank, level in enumerate(given, start=1) if level is not None]
    evaluation = make_evaluation(make_dossier({"arbitrages": rows}), make_referentiel([make_question("Q1", subs)]))
    (row,) = evaluation.questions.to_dict("records")
    low, high = case["attendu"]["bornes"]
    expected = {**case["attendu"], "borne_basse": low, "borne_haute": high, "mediane": case["attendu"]["niveau"]}
    for key in ("mediane", "minimum", "couverture", "borne_basse", "borne_haute", "statut"):
        check(row[key], expected[key], key)


def _published(cotations: dict[str, list[Any]]):
    rows = [row for group, levels in cotations.items() for row in ratings("Q1.1", group, levels)]
    referentiel = make_referentiel([make_question("Q1", 1)])
    return protect(make_evaluation(make_dossier({"cotations": rows}), referentiel), referentiel.regles)


def run_triangulation(case: dict[str, Any]) -> None:
    (row,) = _published(case["cotations"]).triangulation.to_dict("records")
    for key, expected in case["attendu"].items():
        check(row[key], expected, key)


def run_secret(case: dict[str, Any]) -> None:
    if "cotations" in case:
        _check_group(case)
    elif "actions" in case:
        _check_actions(case)
    elif "tableau" in case:
        _check_crossed(case)
    elif "niveaux" in case:
        groups = merge_levels(case["niveaux"], 11, 30)
        assert (groups and [[case["niveaux"][i] for i in group] for group in groups]) == case["attendu"]["groupes"]
    else:
        referentiel, code = _framework(case)
        rows = [{"indicateur": code, **row} for row in read_table(case["donnees"], case["nom"])]
        evaluation = make_evaluation(make_dossier({"indicateurs": rows}), referentiel)
        table = protect(evaluation, referentiel.regles).indicateurs
        row = table[table["indicateur"] == code].to_dict("records")[-1]
        for key, expected in case["attendu"].items():
            check(row[key], expected, key)


def _check_group(case: dict[str, Any]) -> None:
    publication = _published(case["cotations"])
    (row,) = publication.groupes.to_dict("records")
    kinds = "secret" if math.isnan(row["n_refus"]) else "ok"
    found = {
        **row,
        "distribution": set(publication.distributions["statut"]).pop(),
        "silences": row["n_silences"],
        "nature_des_silences": kinds,
    }
    for key, expected in case["attendu"].items():
        check(found[key], expected, key)
    if found["distribution"] == "secret":
        assert publication.distributions[["n", "part"]].isna().all().all()


def _check_crossed(case: dict[str, Any]) -> None:
    """A table with its totals: cells of 1 to 10 are hidden, then those that would give them back."""
    rows = read_table(case["tableau"], case["nom"])
    first, *columns = rows[0]
    counts = {(row[first], column): int(row[column]) for row in rows for column in columns}
    n = sum(counts.values())
    lines = [[key for key in counts if key[0] == row[first]] for row in rows]
    lines += [[key for key in counts if key[1] == column] for column in columns] if len(rows) > 1 else []
    totals = tuple(total_equation(line, sum(counts[key] for key in line)) for line in lines)
    system = System({key: Cell(value, n) for key, value in counts.items()}, totals)
    primary = {key for key, value in counts.items() if 0 < value < 11}
    hidden = suppress(system, primary, 5)
    if "acro" in case:  # what another program hid, zeros apart: a small cell that it hides is one of ours, and no other
        assert {key for key in counts if " ".join(key) in case["acro"] and counts[key]} == primary, case["nom"]
        assert set(case["acro"]) <= {" ".join(key) for key in counts}, case["nom"]
    assert sorted(" ".join(key) for key in hidden) == sorted(case["attendu"]["masquees"])
    known = feasible_intervals(system, hidden)
    for name, (low, high) in case["attendu"].get("intervalles", {}).items():
        assert known[tuple(name.split(" "))] == (low, high), name


def _check_actions(case: dict[str, Any]) -> None:
    rows = [
        {"action_id": f"A{rank}", "annee": 2022, "titre": "Action", **row}
        for rank, row in enumerate(read_table(case["actions"], case["nom"]))
    ]
    referentiel = make_referentiel([make_question("Q1", 1)])
    publication = protect(make_evaluation(make_dossier({"actions": rows}), referentiel), referentiel.regles)
    table = {row["thematique"]: row for row in publication.actions.to_dict("records")}
    assert sorted(t for t, row in table.items() if row["statut"] == "secret") == sorted(case["attendu"]["secrets"])
    for theme, amount in case["attendu"]["montres"].items():
        assert table[theme]["montant_total"] == amount
    for theme in case["attendu"]["secrets"]:
        assert math.isnan(table[theme]["montant_total"])
        assert math.isnan(table[theme]["montant_p147"])


RUNNERS = {
    "indicateurs": run_indicateurs,
    "maturite": run_maturite,
    "triangulation": run_triangulation,
    "secret": run_secret,
}


# Those of `enquetes` are run by test_surveys_analysis.py.
CHECKED_HERE = [case for case in load_cases() if case[0] in RUNNERS]


@pytest.mark.parametrize(("kind", "file", "case"), CHECKED_HERE, ids=lambda v: v["nom"] if isinstance(v, dict) else v)
def test_case(kind, file, case):
    """The rule said by the case holds."""
    RUNNERS[kind](case)


def test_badly_written_case_is_told_with_its_file_and_name(tmp_path):
    """An evaluator who mistypes a key is told which, and what is possible."""
    folder = tmp_path / "maturite"
    folder.mkdir()
    (folder / "essai.yml").write_text("- nom: essai\n  arbitrage: [1]\n  attendu: {}\n", encoding="utf-8")
    with pytest.raises(CaseError, match=r"essai\.yml.*« essai ».*arbitrage.*arbitrages"):
        load_cases(tmp_path)


def test_table_with_a_missing_cell_is_told():
    """A row with too few cells is refused with the header."""
    with pytest.raises(CaseError, match="en-tête"):
        read_table("| annee | valeur |\n| 2022 |", "essai")


def test_territory_of_cases_is_invented():
    """Cases never name a real town."""
    assert make_territory().fictif
