"""Links between the framework's files: codes that do not exist, incomplete ladders and formulas, impossible rules.

Everything is checked on the data as read, tolerant of what is malformed (said elsewhere), so that a person sees all the
faults in one go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from evalkit.errors import Fault
from evalkit.loaders.conditions import check_condition
from evalkit.loaders.pydantic_faults import nearest, show_value
from evalkit.loaders.referentiel_findings import Check, as_dict, as_list, items, once
from evalkit.loaders.referentiel_surveys import check_surveys
from evalkit.loaders.yaml_files import KeyPath, YamlFile
from evalkit.model.dossier import TABLES
from evalkit.model.territory import KNOWN_FACTS

NUMERIC_RULES = (
    "couverture_minimale",
    "ecart_debat",
    "partage_part",
    "partage_bas",
    "partage_haut",
    "fausses_alertes_max",
    "seuil_personnes",
    "base_fragile",
    "seuil_institutions",
    "seuil_institutions_nominatif",
    "seuil_mediane_atelier",
    "seuil_distribution_atelier",
    "seuil_cellule",
    "seuil_extremes",
    "seuil_territoires",
    "seuil_verbatim_groupe",
    "seuil_dominance",
    "seuil_unites_montant",
    "largeur_minimale",
    "niveau_confiance",
    "solidite_forte",
    "solidite_moyenne",
)
DISTRIBUTION_RULE = "fausses_alertes_distribution"
LEVELS = range(6)
# Formula -> keys it cannot do without.
NEEDED = {
    "part": ("numerateur", "denominateur"),
    "part_favorable": ("numerateur", "denominateur"),
    "ratio": ("numerateur", "denominateur", "facteur"),
    "categorie": ("modalites",),
    "difference_moyennes": ("calcul",),
    "double_difference": ("calcul",),
    "distance_distributions": ("calcul",),
}
# Type of computation over the programme of actions -> keys it cannot do without.
NEEDED_ACTIONS = {
    "part": (),
    "ratio": ("somme", "rapporte_a"),
    "effectif": (),
    "somme": ("somme",),
    "mediane_jours": ("debut", "fin"),
    "concentration": ("somme", "distinct", "part_superieure"),
}
_NUMBER_KINDS = ("nombre", "effectif", "annee")


_LISTS = {
    "sources.yml": ("sources",),
    "unites.yml": ("unites",),
    "acteurs.yml": ("groupes", "collectes"),
    "contexte.yml": ("contexte",),
    "regles.yml": ("regles",),
}


def check_links(files: Mapping[str, YamlFile], root: str) -> list[Fault]:
    """Every fault of the links between files.

    Parameters
    ----------
    files
        Files that could be parsed, by path relative to the framework's folder.
    root
        Name of that folder, printed in messages.
    """
    check = Check(files, root)
    for name, keys in _LISTS.items():
        for key in keys:
            _check_list(check, name, key)
    _check_modules(check)
    _check_scale(check)
    _check_rules(check)
    _check_references(check)
    _check_questions(check)
    check_surveys(check)
    return check.faults


def _check_list(check: Check, name: str, key: str) -> None:
    """Codes of one declared list: remember them, refuse a repeated one."""
    document = check.files.get(name)
    declared = as_dict(document.data).get(key) if document else None
    if not isinstance(declared, list):  # said once by the models; every link to it would only repeat it
        return
    seen: dict[str, int | None] = {}
    for index, item in items(declared):
        once(check, seen, item.get("code"), name, (key, index, "code"))
        if key == "contexte":
            check.link("unites", item.get("unite"), name, (key, index, "unite"), str(item.get("code", "")))
    check.known[key] = list(seen)


def _check_modules(check: Check) -> None:
    """Declared modules have a folder with ``module.yml``, whose code is the folder's name, and a question."""
    document = check.files.get("referentiel.yml")
    for index, name in enumerate(as_list(as_dict(document.data if document else None).get("modules"))):
        folder = document.path.parent / "modules" if document else None
        if folder is None or not isinstance(name, str):
            continue
        if not (folder / name).is_dir():
            present = [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
            near = nearest(name, present)
            fix = f"écrivez {near} ?" if near else "créez le dossier, ou retirez le module de la liste"
            check.add("REF-009", "referentiel.yml", ("modules", index), f"« {name} »", "un dossier de modules/", fix)
            continue
        header = check.files.get(f"modules/{name}/module.yml")
        code = as_dict(header.data).get("code") if header else name
        if code != name:
            check.add(
                "REF-017",
                f"modules/{name}/module.yml",
                ("code",),
                show_value(code),
                f"« {name} », le nom du dossier",
                f"écrivez « code: {name} », ou renommez le dossier",
            )
        if not any(path.startswith(f"modules/{name}/") and not path.endswith("/module.yml") for path in check.files):
            check.add(
                "REF-006",
                "referentiel.yml",
                ("modules", index),
                f"le module « {name} » n’a aucune question lisible",
                "au moins un fichier de question dans son dossier",
                "ajoutez un fichier de question, ou retirez le module de la liste",
            )


def _check_scale(check: Check) -> None:
    document = check.files.get("echelles.yml")
    if document is None:
        return
    found = [item.get("niveau") for _, item in items(as_dict(document.data).get("niveaux"))]
    _levels(check, found, "echelles.yml", ("niveaux",), "")


def _levels(check: Check, found: Iterable[Any], where: str, path: KeyPath, note: str) -> None:
    """Six levels, 0 to 5, each once."""
    levels = list(found)
    missing = [str(level) for level in LEVELS if level not in levels]
    extra = [str(level) for level in dict.fromkeys(levels) if level not in LEVELS or levels.count(level) > 1]
    if not missing and not extra:
        return
    read = [f"niveau manquant : {', '.join(missing)}"] if missing else []
    read += [f"niveau en trop ou répété : {', '.join(extra)}"] if extra else []
    check.add(
        "REF-010",
        where,
        path,
        " ; ".join(read),
        "six niveaux, de 0 à 5, chacun une fois",
        "écrivez un descripteur pour chaque niveau",
        note,
    )


def _check_rules(check: Check) -> None:
    """Every rule that evalkit applies exists and has a usable value."""
    document = check.files.get("regles.yml")
    if document is None or not isinstance(as_dict(document.data).get("regles"), list):
        return
    rules = {
        item.get("code"): (index, item.get("valeur")) for index, item in items(as_dict(document.data).get("regles"))
    }
    for code in (*NUMERIC_RULES, DISTRIBUTION_RULE):
        expected = "six probabilités de somme 1" if code == DISTRIBUTION_RULE else "un nombre positif"
        if code not in rules:
            near = nearest(code, [str(known) for known in rules if known not in (*NUMERIC_RULES, DISTRIBUTION_RULE)])
            fix = f"renommez {near} en « {code} » ?" if near else "ajoutez cette règle"
            check.add("REF-016", "regles.yml", (), f"la règle « {code} » manque", f"{code} : {expected}", fix)
            continue
        index, value = rules[code]
        if not (_is_distribution(value) if code == DISTRIBUTION_RULE else _is_positive(value)):
            check.add(
                "REF-016",
                "regles.yml",
                ("regles", index, "valeur"),
                f"{code} : {show_value(value)}",
                expected,
                "corrigez la valeur",
            )


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _is_distribution(value: Any) -> bool:
    numbers = [number for number in as_list(value) if isinstance(number, int | float) and 0 <= number <= 1]
    return len(numbers) == len(LEVELS) == len(as_list(value)) and abs(sum(numbers) - 1) < 1e-9


def _check_references(check: Check) -> None:
    """Every ``references`` of every file names declared sources."""
    for where, document in check.files.items():
        for path, owner, note in _walk(document.data, (), ""):
            check.links("sources", owner, "references", where, path, note)


def _walk(data: Any, path: KeyPath, note: str) -> Iterator[tuple[KeyPath, dict[Any, Any], str]]:
    if isinstance(data, dict):
        note = data["code"] if isinstance(data.get("code"), str) else note
        yield path, data, note
        for key, value in data.items():
            yield from _walk(value, (*path, key), note)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _walk(value, (*path, index), note)


def _check_questions(check: Check) -> None:
    seen: dict[str, int | None] = {}
    for where, document in check.files.items():
        if not where.startswith("modules/") or where.endswith("/module.yml"):
            continue
        question = as_dict(document.data)
        once(check, seen, question.get("code"), where, ("code",))
        _condition(check, question, where, (), "")
        for index, sub in items(question.get("sous_questions")):
            _check_sub(check, seen, question, sub, where, ("sous_questions", index))
        for index, item in items(question.get("questions_associees")):
            once(check, seen, item.get("code"), where, ("questions_associees", index, "code"))


def _check_sub(
    check: Check,
    seen: dict[str, int | None],
    question: Mapping[Any, Any],
    sub: Mapping[Any, Any],
    where: str,
    path: KeyPath,
) -> None:
    code = sub.get("code")
    once(check, seen, code, where, (*path, "code"))
    _prefixed(check, question.get("code"), code, r"\.[0-9]+", where, (*path, "code"))
    _condition(check, sub, where, path, str(code))
    ladder = as_dict(sub.get("echelle"))
    if isinstance(ladder.get("niveaux"), dict):
        _levels(check, ladder["niveaux"], where, (*path, "echelle", "niveaux"), str(code))
    for index, item in items(sub.get("indicateurs")):
        here = (*path, "indicateurs", index)
        once(check, seen, item.get("code"), where, (*here, "code"))
        _prefixed(check, code, item.get("code"), r"\.[a-z]", where, (*here, "code"))
        _check_indicator(check, item, where, here)


def _prefixed(check: Check, parent: Any, code: Any, rest: str, where: str, path: KeyPath) -> None:
    """A code begins with its parent's: it says where it stands."""
    if not isinstance(parent, str) or not isinstance(code, str) or re.fullmatch(re.escape(parent) + rest, code):
        return
    example = f"« {parent}{'.a' if 'a' in rest else '.1'} »"
    check.add("REF-017", where, path, f"« {code} »", f"un code comme {example}", f"le code commence par « {parent}. »")


def _check_indicator(check: Check, item: Mapping[Any, Any], where: str, path: KeyPath) -> None:
    note = str(item.get("code", ""))
    check.link("unites", item.get("unite"), where, (*path, "unite"), note)
    check.links("groupes", item, "repondants", where, path, note)
    check.links("collectes", item, "collecte", where, path, note)
    check.links("contexte", item, "contexte", where, path, note)
    _condition(check, item, where, path, note)
    _check_formula(check, item, where, path, note)
    _check_target(check, item, where, path, note)
    _check_ways(check, item, where, path, note)


def _check_formula(check: Check, item: Mapping[Any, Any], where: str, path: KeyPath, note: str) -> None:
    formula = item.get("formule")
    missing = [key for key in NEEDED.get(str(formula), ()) if item.get(key) in (None, "", [])]
    if missing:
        names = ", ".join(f"« {key} »" for key in missing)
        check.add(
            "REF-012",
            where,
            (*path, "formule"),
            f"formule « {formula} » sans {names}",
            f"avec la formule « {formula} » : {', '.join(NEEDED[str(formula)])}",
            "ajoutez ce qui manque, ou changez de formule",
            note,
        )
    codes = [modality.get("code") for _, modality in items(item.get("modalites"))]
    for code in dict.fromkeys(code for code in codes if codes.count(code) > 1):
        check.add(
            "REF-008",
            where,
            (*path, "modalites"),
            f"le code de modalité « {code} » deux fois",
            "un code par modalité",
            "donnez un autre code à l’une des deux",
            note,
        )


def _check_target(check: Check, item: Mapping[Any, Any], where: str, path: KeyPath, note: str) -> None:
    target, wanted = item.get("cible"), item.get("sens_favorable") == "cible"
    bounds = [as_dict(target).get(key) for key in ("min", "max")]
    numbers = [bound for bound in bounds if isinstance(bound, int | float) and not isinstance(bound, bool)]
    if wanted and not numbers:
        read, fix = "aucune borne", "ajoutez « cible: {min: 50} », par exemple"
    elif target is not None and not wanted:
        read, fix = f"une cible et sens_favorable « {item.get('sens_favorable')} »", "écrivez « sens_favorable: cible »"
    elif len(numbers) == 2 and numbers[0] > numbers[1]:
        read, fix = f"min {numbers[0]}, max {numbers[1]}", "inversez les deux bornes"
    else:
        return
    where_key = "cible" if target is not None else "sens_favorable"
    expected = "avec « sens_favorable: cible », une borne min, max, ou les deux (min ≤ max) ; sinon aucune cible"
    check.add("REF-013", where, (*path, where_key), read, expected, fix, note)


def _check_ways(check: Check, item: Mapping[Any, Any], where: str, path: KeyPath, note: str) -> None:
    """``actions`` and ``contexte`` are declared exactly when ``obtention`` names them."""
    ways = as_list(item.get("obtention"))
    for way in ("actions", "contexte"):
        declared = item.get(way) not in (None, [], {})
        if (way in ways) == declared:
            continue
        check.add(
            "REF-014",
            where,
            (*path, way if declared else "obtention"),
            f"« {way} » déclaré sans figurer dans obtention"
            if declared
            else f"obtention « {way} » sans la clé « {way} »",
            f"les deux ensemble : « {way} » dans obtention et la clé « {way} »",
            f"ajoutez « {way} » à obtention, ou supprimez la clé" if declared else f"ajoutez la clé « {way} »",
            note,
        )
    if isinstance(item.get("actions"), dict):
        _check_actions(check, item["actions"], where, (*path, "actions"), note)


def _check_actions(check: Check, actions: Mapping[Any, Any], where: str, path: KeyPath, note: str) -> None:
    """Columns of the programme of actions exist, with the kind of cell that the computation needs."""
    columns = {column.name: column.kind for column in TABLES["actions"].columns}
    kind = str(actions.get("type"))
    missing = [key for key in NEEDED_ACTIONS.get(kind, ()) if not actions.get(key)]
    if kind == "part" and not actions.get("numerateur_si") and not actions.get("financeurs_min"):
        missing = ["numerateur_si"]
    if bool(actions.get("financeurs_min")) != bool(actions.get("financeurs")):
        missing += [key for key in ("financeurs_min", "financeurs") if not actions.get(key)]
    if missing:
        names = ", ".join(f"« {key} »" for key in missing)
        read = f"calcul « {kind} » sans {names}"
        check.add("REF-014", where, path, read, f"{names} dans la déclaration", "complétez la déclaration", note)
    wanted: tuple[str, ...]
    for key, wanted in (("somme", _NUMBER_KINDS), ("rapporte_a", _NUMBER_KINDS), ("financeurs", _NUMBER_KINDS)):
        for index, name in enumerate(as_list(actions.get(key))):
            _column(check, name, columns, wanted, where, (*path, key, index), note)
    for key, wanted in (("debut", ("date",)), ("fin", ("date",)), ("distinct", tuple(columns.values()))):
        if actions.get(key) is not None:
            _column(check, actions[key], columns, wanted, where, (*path, key), note)
    choices = {column.name: column.choices for column in TABLES["actions"].columns if column.choices}
    for key in ("numerateur_si", "denominateur_si"):
        for problem in check_condition(actions.get(key), columns, choices, must_explain=False):
            check.add("REF-014", where, (*path, key, *problem.path), problem.read, problem.expected, problem.fix, note)


def _column(
    check: Check,
    name: Any,
    columns: Mapping[str, str],
    kinds: tuple[str, ...],
    where: str,
    path: KeyPath,
    note: str,
) -> None:
    if columns.get(str(name)) in kinds:
        return
    allowed = [column for column, kind in columns.items() if kind in kinds]
    near = nearest(str(name), allowed)
    check.add(
        "REF-014",
        where,
        path,
        f"la colonne {show_value(name)}",
        "une colonne de la table « actions » : " + ", ".join(allowed),
        f"écrivez {near} ?" if near else "corrigez le nom de la colonne",
        note,
    )


def _condition(check: Check, owner: Mapping[Any, Any], where: str, path: KeyPath, note: str) -> None:
    for problem in check_condition(owner.get("applicable_si"), KNOWN_FACTS, {}, must_explain=True):
        here = (*path, "applicable_si", *problem.path)
        check.add("REF-015", where, here, problem.read, problem.expected, problem.fix, note)
