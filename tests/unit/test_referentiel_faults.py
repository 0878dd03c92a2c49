"""Every message of the family REF, provoked by a small folder laid over the real framework."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import CATALOGUE, EvalkitError, ExitCode
from evalkit.loaders.referentiel import check_referentiel, load_referentiel
from evalkit.loaders.resources import resource_dir
from evalkit.loaders.yaml_files import parse_yaml, read_yaml

BROKEN = Path(__file__).parents[1] / "fichiers_fautifs"
CASES = sorted(path for path in BROKEN.glob("REF-*") if path.is_dir())
CODES = sorted(code for code in CATALOGUE if code.startswith("REF-"))


def expected(case: Path) -> dict[str, Any]:
    document, faults = read_yaml(case / "attendu.yml")
    assert document is not None
    assert faults == []
    return document.data


@pytest.fixture
def overlay(tmp_path: Path):
    """A function: one broken folder -> a copy of the framework with it on top."""

    def build(case: Path | None) -> Path:
        target = tmp_path / "referentiel"
        shutil.copytree(resource_dir("referentiel"), target)
        if case is None:
            return target
        shutil.copytree(case, target, dirs_exist_ok=True)
        (target / "attendu.yml").unlink()
        for name in expected(case).get("supprimes", []):
            (target / name).unlink()
        return target

    return build


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_broken_framework_is_explained(case, overlay):
    """The faults found are exactly the expected ones, each with its place, its words and its cure."""
    faults = check_referentiel(overlay(case))
    wanted = expected(case)["anomalies"]
    assert sorted(fault.code for fault in faults) == sorted(item["code"] for item in wanted), "\n".join(
        map(str, faults)
    )
    for item in wanted:
        matching = [f for f in faults if f.code == item["code"] and item["ou"] in str(f.place)]
        assert matching, f"{item} : {[str(f.place) for f in faults]}"
        text = "\n".join(str(fault) for fault in matching)
        assert [word for word in item["mots"] if word not in text] == [], text
        assert all(fault.read and fault.expected and fault.fix for fault in matching)


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_a_broken_folder(code):
    """A message nobody can provoke is a message nobody has read."""
    assert [case for case in CASES if case.name.startswith(code)]


def test_faults_speak_french_and_never_python(overlay):
    """No English word of pydantic, no type name, in any message."""
    for case in CASES:
        target = overlay(case)
        text = "\n".join(str(fault) for fault in check_referentiel(target))
        shutil.rmtree(target)
        found = re.search(r"\b(Input|should|valid|str|int|dict|None|tuple|\w*Error|d’une autre forme)\b", text)
        assert not found, f"{case.name} : {found}\n{text}"


def test_all_faults_of_all_files_come_at_once(overlay):
    """Five mistakes in three files: five messages, sorted by file and line, and the exit code of the framework."""
    target = overlay(None)
    units = target / "unites.yml"
    units.write_text(units.read_text("utf-8").replace("decimales: 2", "decimales: deux", 1), "utf-8")
    question = target / "modules/cooperations/q1-gouvernance.yml"
    text = question.read_text("utf-8")
    text = text.replace("formule: ratio", "formule: rapport", 1).replace("unite: jours", "unite: jour", 1)
    question.write_text(text.replace("titre: Ingénierie", "titres: Ingénierie", 1), "utf-8")
    with pytest.raises(EvalkitError) as caught:
        load_referentiel(target)
    faults = caught.value.faults
    # the broken unit is REF-007; « titres » is unknown and « titre » then missing; formula; unit code
    assert sorted(f.code for f in faults) == ["REF-005", "REF-006", "REF-007", "REF-009", "REF-011"]
    assert [f.place.file for f in faults] == sorted(f.place.file for f in faults)
    assert caught.value.exit_code == ExitCode.REFERENTIEL


def test_a_folder_that_does_not_exist_is_one_fault(tmp_path):
    assert [fault.code for fault in check_referentiel(tmp_path / "rien")] == ["REF-001"]


def test_a_question_is_never_left_out_because_of_its_name(overlay):
    """A file `.yaml` would not be read: it is said."""
    target = overlay(None)
    folder = target / "modules" / "discriminations"
    (folder / "lcd.yml").rename(folder / "lcd.yaml")
    faults = check_referentiel(target)
    assert [(fault.code, fault.fix) for fault in faults if fault.code == "REF-001"] == [
        ("REF-001", "renommez-le « lcd.yml »")
    ]


def test_a_broken_list_does_not_make_hundreds_of_messages(overlay):
    """Sources that cannot be read are one fault, not one per reference."""
    target = overlay(None)
    (target / "sources.yml").write_text("sources:\n", "utf-8")
    assert [fault.code for fault in check_referentiel(target)] == ["REF-007"]


@pytest.mark.parametrize(
    "name", ["referentiel", "acteurs", "regles", "modules/cooperations/q1-gouvernance", "enquetes/enq-com"]
)
@pytest.mark.parametrize(
    "junk",
    [
        "",
        "- a\n",
        "12\n",
        "modules: 3\ngroupes: 4\nregles: {a: 1}\nsous_questions: [[], 1, {echelle: 3, indicateurs: [1, {actions: 3}]}]\n",
        "code: [1]\nnotice: [{a: 1}]\nparties: [{code: [1]}, 3]\nindicateurs_propres: [{questions: 3}, {questions: [[]]}]\n"
        "questions: [1, {type: [a], choix: 3}, {type: likert, choix: [{code: [1], liste: 3}], maximum: x, posee_si: 3},\n"
        "  {code: {a: 1}, type: nombre, bornes: 3, indicateurs: [2, {code: [1], calcul: part, favorables: 3, minimum: a}]}]\n",
        "sous_questions: [{indicateurs: [{obtention: 2, cible: 4, applicable_si: [], modalites: [1], code: 3}]}]\n",
    ],
)
def test_a_file_of_another_shape_is_explained_not_a_crash(name, junk, overlay):
    target = overlay(None)
    (target / f"{name}.yml").write_text(junk, "utf-8")
    assert check_referentiel(target)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"fait": "nb_qpv", "egal": "trois"}, "un nombre entier"),
        ({"fait": "conseil_citoyen", "egal": "oui"}, "true ou false"),
        ({"fait": "type", "parmi": []}, "au moins une valeur"),
    ],
)
def test_values_of_conditions_fit_the_fact(change, word):
    from evalkit.loaders.conditions import check_condition
    from evalkit.model.territory import KNOWN_FACTS

    problems = list(check_condition({"tous": [change], "explication": "x"}, KNOWN_FACTS, {}, must_explain=True))
    assert word in " ".join(problem.expected for problem in problems)


@pytest.mark.parametrize(
    ("comparisons", "impossible"),
    [
        ([{"egal": True}, {"egal": False}], True),
        ([{"egal": 3}, {"superieur": 3}], False),  # strictness of a single value is not judged here
        ([{"egal": 2}, {"superieur_ou_egal": 3}], True),
        ([{"superieur": 3}, {"inferieur": 3}], True),
        ([{"superieur_ou_egal": 3}, {"inferieur_ou_egal": 3}], False),
        ([{"parmi": ["a", "b"]}, {"different": "a"}], False),
        ([{"parmi": ["a"]}, {"different": "a"}], True),
        ([{"parmi": ["a"]}, {"parmi": ["b"]}], True),
    ],
)
def test_impossible_conditions(comparisons, impossible):
    from evalkit.loaders.conditions import check_condition

    rule = {"tous": [{"fait": "x", **comparison} for comparison in comparisons]}
    assert bool(list(check_condition(rule, {"x": "text"}, {}, must_explain=False))) is impossible


def test_yaml_keeps_text_as_text():
    """Codes with a leading zero, exponents, dates and « oui » stay what was written."""
    document, faults = parse_yaml(
        "a: 02691\nb: 2E004\nc: 2026-09-03\nd: oui\ne: 3\nf: 1.5\ng: true\nh:\ni: '3'\n", Path("x")
    )
    assert faults == []
    assert document is not None
    assert document.data == {
        "a": "02691",
        "b": "2E004",
        "c": "2026-09-03",
        "d": "oui",
        "e": 3,
        "f": 1.5,
        "g": True,
        "h": None,
        "i": "3",
    }


def test_lines_of_keys_items_and_missing_paths():
    document, _ = parse_yaml("a:\n  - b: 1\n    c: 2\n  - d\n", Path("x"))
    assert document is not None
    assert document.line(("a", 0, "c")) == 3
    assert document.line(("a", 1)) == 4
    assert document.line(("a", 0, "absent")) == 2
    assert document.line(("absent",)) == 1


def test_both_parsers_read_the_framework_alike(monkeypatch):
    """libyaml (quick) and ruamel.yaml (always there) give the same data and the same lines."""
    import evalkit.loaders.yaml_files as module

    files = sorted(resource_dir("referentiel").glob("*.yml"))[:3]
    quick = [read_yaml(path)[0] for path in files]
    monkeypatch.setattr(module, "_libyaml", None)
    slow = [read_yaml(path)[0] for path in files]
    assert [(d.data, d.lines) for d in quick if d] == [(d.data, d.lines) for d in slow if d]


@pytest.mark.parametrize(
    "text", ["a: [1, 2\n", "a: b: c\n", "\ta: 1\n", "a: 'x\n", "- a\nb: 1\n", "a: @x\n", "%\n", "a: *x\n"]
)
@pytest.mark.parametrize("pure", [False, True])
def test_any_broken_syntax_gives_one_message(text, pure, monkeypatch):
    import evalkit.loaders.yaml_files as module

    if pure:
        monkeypatch.setattr(module, "_libyaml", None)
    document, faults = parse_yaml(text, Path("x.yml"))
    assert document is None
    assert [fault.code for fault in faults] == ["REF-003"]
    assert faults[0].place.line is not None


@pytest.mark.parametrize(
    ("text", "word", "line"),
    [
        ("a: &x [1, 2]\nb: *x\n", "un renvoi", 2),
        ("a: &x\n  - *x\n", "un renvoi", None),
        ("a: 1\nb: \x07\n", "caractère invisible (code 0007)", 2),
        ("[" * 1500, "", None),
        ("- " * 3000 + "a", "", None),
        ("a: 1\n---\nb: 2\n", "un second document", 2),
    ],
)
@pytest.mark.parametrize("pure", [False, True])
def test_hostile_yaml_is_refused_without_a_crash(text, word, line, pure, monkeypatch):
    """Aliases that unfold without end, invisible characters, thousands of brackets."""
    import evalkit.loaders.yaml_files as module

    if pure:
        monkeypatch.setattr(module, "_libyaml", None)
    _, faults = parse_yaml(text, Path("x.yml"))
    assert {fault.code for fault in faults} == {"REF-003"}
    assert word in faults[0].read
    assert line is None or faults[0].place.line == line


def test_empty_file_is_not_a_crash():
    document, faults = parse_yaml("# rien\n", Path("x"))
    assert faults == []
    assert document is not None
    assert document.data is None
