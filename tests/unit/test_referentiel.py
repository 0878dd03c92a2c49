"""The framework shipped with evalkit: complete, sourced, readable in black and white, quick to load."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter

import pytest

from evalkit.loaders.referentiel import check_referentiel, load_referentiel
from evalkit.loaders.referentiel_checks import DISTRIBUTION_RULE, NUMERIC_RULES
from evalkit.loaders.referentiel_files import SCHEMA_FOLDER, render_schemas
from evalkit.loaders.resources import resource_dir
from evalkit.loaders.yaml_files import read_yaml
from evalkit.model.base import Documented
from evalkit.model.dossier import TABLES
from evalkit.model.referentiel import Referentiel

ROOT = resource_dir("referentiel")


@pytest.fixture(scope="module")
def referentiel() -> Referentiel:
    return load_referentiel()


def test_the_shipped_framework_has_no_fault():
    assert check_referentiel() == []


def test_counts(referentiel):
    """4 questions and 2 axes; 24 + 8 + 8 ladders; 106 indicators; 8 context indicators."""
    by_module = {m.code: [len(q.sous_questions) for q in m.questions] for m in referentiel.modules}
    assert by_module == {"cooperations": [6, 6, 6, 6], "discriminations": [8], "egalite_femmes_hommes": [8]}
    by_question = Counter(referentiel.question_de[code] for code in referentiel.indicateurs)
    assert sum(by_question.values()) == 106
    assert set(by_question) == {"Q1", "Q2", "Q3", "Q4"}
    assert len(referentiel.sous_questions) == 40
    assert all(sorted(sub.echelle.niveaux) == [0, 1, 2, 3, 4, 5] for sub in referentiel.sous_questions.values())
    assert [item.code for item in referentiel.contexte] == [f"CTX.{n}" for n in range(1, 9)]
    assert [item.code for item in referentiel.contexte if not item.disponible] == ["CTX.7"]
    assert [groupe.code for groupe in referentiel.groupes if groupe.institution] == ["pilote", "etat"]


def test_every_object_says_where_it_comes_from(referentiel):
    """`statut` everywhere; nothing called sourced without a source; the IREV is lent nothing."""
    objects: list[Documented] = [*referentiel.modules, referentiel.echelle, *referentiel.regles, *referentiel.contexte]
    objects += [*referentiel.questions(), *referentiel.indicateurs.values(), *referentiel.sous_questions.values()]
    objects += [sub.echelle for sub in referentiel.sous_questions.values()]
    assert len(objects) == 3 + 1 + len(referentiel.regles) + 8 + 6 + 106 + 40 + 40
    assert all(item.references for item in objects if item.statut == "source")
    assert all(item.references for item in [*referentiel.indicateurs.values(), *referentiel.sous_questions.values()])
    assert all(
        sub.echelle.statut == "propose" and sub.echelle.statut_note for sub in referentiel.sous_questions.values()
    )
    assert {code for code, item in referentiel.indicateurs.items() if item.statut == "source"} == {"Q3.1.c", "Q4.3.a"}
    assert "ce n’est pas le texte de l’IREV" in referentiel.avertissement


def test_only_the_fiscal_threshold_is_claimed_from_a_text(referentiel):
    """No rule is presented as the law's; the ones taken from INSEE's rules name them."""
    assert all(rule.statut in ("propose", "adapte") for rule in referentiel.regles)
    assert all("INSEE-REGLES" in rule.references for rule in referentiel.regles if rule.statut == "adapte")
    assert "données fiscales" in (referentiel.regle("seuil_personnes").statut_note or "")


def test_rules_have_the_values_that_the_method_states(referentiel):
    values = {rule.code: rule.valeur for rule in referentiel.regles}
    distribution = values.pop(DISTRIBUTION_RULE)
    assert sum(distribution) == pytest.approx(1)
    assert sorted(values) == sorted(NUMERIC_RULES)
    assert (values["couverture_minimale"], values["seuil_personnes"], values["base_fragile"]) == (0.75, 11, 29)
    assert (values["seuil_mediane_atelier"], values["seuil_distribution_atelier"]) == (5, 11)
    assert (values["seuil_extremes"], values["seuil_territoires"], values["ecart_debat"]) == (30, 5, 1)


def test_formulas_follow_the_modes_of_the_source(referentiel):
    """Shares are bounded; ratios that may pass 100 % are not shares; no category is a number."""
    formulas = {code: item.formule.value for code, item in referentiel.indicateurs.items()}
    ratios = {code: referentiel.indicateurs[code].facteur for code, name in formulas.items() if name == "ratio"}
    assert ratios == {
        "Q1.1.c": 100,
        "Q1.3.a": 10000,
        "Q2.3.c": 1,
        "Q2.3.d": 100,
        "Q2.3.e": 100,
        "Q3.6.b": 100,
        "Q4.6.c": 100,
    }
    medians = {code for code, name in formulas.items() if name == "mediane"}
    assert medians == {"Q1.2.d", "Q3.3.c", "Q4.2.e", "Q4.3.c", "Q4.6.b"}
    assert {formulas[code] for code in ("Q2.6.b", "Q3.4.c", "Q3.5.d")} == {
        "double_difference",
        "distance_distributions",
        "difference_moyennes",
    }
    codes = [m.code for item in referentiel.indicateurs.values() for m in item.modalites]
    assert codes
    assert not [code for code in codes if code.isdigit()]
    targets = {code: (i.cible.min, i.cible.max) for code, i in referentiel.indicateurs.items() if i.cible}
    assert targets == {"Q3.1.c": (50, None), "Q3.1.d": (40, 60), "Q4.3.a": (50, None)}


def test_ways_of_obtaining_follow_the_tools(referentiel):
    """Surveys give `enquete`; the programme of actions gives `actions` where its table really can."""
    computed = {code for code, item in referentiel.indicateurs.items() if "actions" in item.obtention}
    assert computed == {
        *("Q1.2.d", "Q1.4.b", "Q1.5.c", "Q2.3.b", "Q2.3.c", "Q2.6.a", "Q4.2.a", "Q4.2.d"),
        *("Q4.3.a", "Q4.3.b", "Q4.3.c", "Q4.3.e", "Q4.6.d"),
    }
    surveys = {collecte.code for collecte in referentiel.collectes if collecte.nature == "enquete"}
    for code, item in referentiel.indicateurs.items():
        assert ("enquete" in item.obtention) == bool(surveys & set(item.collecte)), code
        if "BASE-ACT" in item.collecte and "actions" not in item.obtention:
            assert item.statut_note, f"{code} : dire pourquoi le programme d’actions ne le donne pas"


def test_dates_and_applicability(referentiel):
    """Councils: the question of their creation is asked everywhere, the others only where there is one."""
    rules = {code: sub.applicable_si for code, sub in referentiel.sous_questions.items() if sub.applicable_si}
    assert sorted(rules) == ["Q3.2", "Q3.3", "Q3.4", "Q3.5", "Q3.6"]
    assert "Aucun conseil" in referentiel.sous_questions["Q3.1"].echelle.niveaux[0]
    assert referentiel.indicateurs["Q3.1.e"].valide_au == "2024-11-17"
    rule = referentiel.indicateurs["Q2.5.d"].applicable_si
    assert rule is not None
    assert rule.tous is not None
    assert (rule.tous[0].fait, rule.tous[0].egal) == ("delegue_prefet", True)


def test_sources_are_all_declared_and_public_addresses_look_like_ones(referentiel):
    for source in referentiel.sources:
        assert source.adresse is None or re.match(r"https?://\S+$", source.adresse), source.code
    assert [source.code for source in referentiel.sources if source.adresse is None] == ["IREV-RA2022"]


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_group_colours_are_told_apart_in_grey_and_on_white(referentiel):
    """Contrast on white at least 3:1; lightness apart by 4 points at least; a marker of its own for each group."""
    light = {g.code: 116 * max(_luminance(g.couleur), 0.008856) ** (1 / 3) - 16 for g in referentiel.groupes}
    assert all(1.05 / (_luminance(g.couleur) + 0.05) >= 3 for g in referentiel.groupes)
    closest = min(abs(light[a] - light[b]) for a, b in itertools.combinations(light, 2))
    assert closest >= 4, light
    assert len({g.marqueur for g in referentiel.groupes}) == len(referentiel.groupes)


def test_columns_named_by_computations_exist(referentiel):
    columns = {column.name for column in TABLES["actions"].columns}
    for item in referentiel.indicateurs.values():
        if item.actions:
            assert set(item.actions.somme + item.actions.rapporte_a + item.actions.financeurs) <= columns


def test_checked_in_schemas_are_the_generated_ones():
    schemas = render_schemas()
    assert {path.name for path in (ROOT / SCHEMA_FOLDER).glob("*.json")} == set(schemas)
    for name, text in schemas.items():
        assert (ROOT / SCHEMA_FOLDER / name).read_text("utf-8") == text, "python -m evalkit.documents.reference_page"


def test_every_file_names_its_schema_and_obeys_it():
    """The first line lets an editor complete and underline; the schema accepts what evalkit accepts."""
    jsonschema = pytest.importorskip("jsonschema")
    files = [*ROOT.glob("*.yml"), *(ROOT / "modules").rglob("*.yml")]
    assert len(files) == 16
    for path in files:
        first = path.read_text("utf-8").splitlines()[0]
        found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
        assert found, path
        schema = json.loads((path.parent / found[1]).read_text("utf-8"))
        document, _ = read_yaml(path)
        assert document is not None
        # JSON keys are text: levels 0 to 5 become "0" to "5".
        jsonschema.validate(json.loads(json.dumps(document.data)), schema)


def test_codes_are_written_between_quotes():
    """An unquoted code may change value when another tool reads it."""
    for path in ROOT.rglob("*.yml"):
        if "contexte" in path.parts or "enquetes" in path.parts:
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            if re.match(r"\s*(- )?(code|valide_du|valide_au|depuis|verifie_le): [A-Z0-9]", line):
                pytest.fail(f"{path.name}, ligne {number} : {line.strip()}")
