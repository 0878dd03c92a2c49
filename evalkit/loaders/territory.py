"""``territoire.yml`` (or the sheets ``territoire`` and ``qpv``) and ``campagne.yml`` -> :mod:`evalkit.model.territory`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from evalkit.errors import EvalkitError, Fault, Place, only_errors
from evalkit.loaders.cells import YEARS, as_text, read_date, show
from evalkit.loaders.grids import Grid, is_blank, normalise
from evalkit.loaders.pydantic_faults import nearest
from evalkit.loaders.yaml_files import YamlCodes, YamlFile, read_yaml
from evalkit.model.dossier import HELP_COLUMN_PREFIX
from evalkit.model.territory import MARQUES, Campagne, FactValue, Qpv, Territory

CODES = YamlCodes("DON-027", "DON-028", "DON-029", "DON-030")
TYPES = ("commune", "communaute_de_communes", "communaute_agglomeration", "communaute_urbaine", "metropole")
DEPARTEMENT = re.compile(r"^(?:\d{2}|2[AB]|97\d)$")
QPV_CODE = {"2015": re.compile(r"^QP[0-9AB]{6}$"), "2024": re.compile(r"^QN[0-9A-Z]{5,7}$")}
INVENTED_CODE = re.compile(r"^QF[0-9A-Z]{4,8}$")


@dataclass(frozen=True)
class Key:
    """One key of a YAML file: what it holds, whether it must be there, its closed list."""

    name: str
    kind: Literal["texte", "liste", "oui_non", "nombre", "date", "qpv", "faits"]
    help: str
    required: bool = False
    choices: tuple[str, ...] = ()


TERRITORY_KEYS = (
    Key("nom", "texte", "nom du contrat de ville, tel qu’il sera imprimé", required=True),
    Key("departement", "texte", 'code du département, entre guillemets : "02"', required=True),
    Key("generation", "texte", "génération du contrat", required=True, choices=("2015", "2024")),
    Key("type", "texte", "forme de la collectivité qui porte le contrat", choices=TYPES),
    Key("code", "texte", "code du contrat (CV… ou CN…), s’il est connu"),
    Key("siren", "texte", "numéro SIREN de l’intercommunalité (neuf chiffres)"),
    Key("epci", "texte", "nom de l’intercommunalité"),
    Key("communes", "liste", "communes du contrat"),
    Key("modules", "liste", "modules évalués ; sans cette clé, ceux de la campagne"),
    Key("fictif", "oui_non", "oui seulement pour un exemple inventé"),
    Key("faits", "faits", "faits qui décident des sous-questions applicables"),
    Key("marque", "texte", "imprimée sur chaque page ; ne change rien à ce qui est masqué", choices=tuple(MARQUES)),
    Key("logo", "texte", "image PNG ou JPEG posée dans le dossier, imprimée sur chaque page"),
    Key("logo_texte", "texte", "ce qui est lu à la place du logo ; obligatoire avec lui"),
    Key("enseigne", "texte", "réservé aux exemples de formation : ce que le cas montre"),
    Key("qpv", "qpv", "quartiers prioritaires : code, nom, geographie, communes"),
    Key(
        "qpv_anciens",
        "qpv",
        "pour un contrat de 2024 : quartiers de 2015 des mêmes communes, jamais joints aux nouveaux",
    ),
    Key(
        "qpv_a_rattacher",
        "qpv",
        "quartiers qui touchent plusieurs contrats, sans source qui tranche : dits dans le rapport, comptés dans aucun",
    ),
)
FACTS = (
    Key("conseil_citoyen", "oui_non", "y a-t-il un conseil citoyen ?"),
    Key("npnru", "oui_non", "un quartier relève-t-il du renouvellement urbain national ?"),
    Key("cite_educative", "oui_non", "y a-t-il une cité éducative ?"),
    Key("delegue_prefet", "oui_non", "y a-t-il un délégué du préfet ?"),
    Key("nb_communes", "nombre", "nombre de communes, si la liste n’est pas donnée"),
)
QPV_KEYS = (
    Key("code", "texte", "QP… (2015), QN… (2024), ou QF… pour un exemple inventé", required=True),
    Key("nom", "texte", "nom du quartier", required=True),
    Key("geographie", "texte", "liste dont vient le quartier", choices=("2015", "2024")),
    Key("communes", "liste", "communes du quartier"),
    Key("a_verifier", "texte", "pourquoi le rattachement n’est pas certain"),
)
CAMPAGNE_KEYS = (
    Key("libelle", "texte", "nom de la campagne, tel qu’il sera imprimé", required=True),
    Key("annee", "nombre", "année de la campagne", required=True),
    Key(
        "date_reference",
        "date",
        'date que portent les documents ; écrivez jj/mm/aaaa, ou "aaaa-mm-jj" entre guillemets',
        required=True,
    ),
    Key("referentiel_version", "texte", "version du référentiel employé", required=True),
    Key("code", "texte", "code de la campagne ; sans cette clé, le nom du dossier"),
    Key("modules", "liste", "modules évalués dans la campagne"),
    Key("reference_regionale", "texte", "fichier de la référence régionale figée, dans le dossier de la campagne"),
    Key("campagne_precedente", "texte", "nom du dossier voisin de la campagne précédente"),
    Key("publication_nominative_annoncee", "oui_non", "oui si la publication par institution a été annoncée"),
    Key("fictif", "oui_non", "oui seulement pour une campagne inventée"),
    Key("region", "texte", "nom de la région"),
)
WORKBOOK_CAMPAGNE = ("annee", "date_reference")  # keys a lone workbook states in its sheet `territoire`


@dataclass
class Facts:
    """Keys and values being read, and where each one is. ``places``: path -> place."""

    data: Mapping[str, Any]
    place: Any  # callable: path -> Place
    faults: list[Fault] = field(default_factory=list)

    def say(self, code: str, path: tuple[Any, ...], read: str, expected: str, fix: str) -> None:
        """Add a fault about one key."""
        self.faults.append(Fault(code, self.place(path), read, expected, fix))


def from_yaml(path: Path, shown: str) -> tuple[Facts | None, list[Fault]]:
    """Read a YAML file of keys; None when it could not be read at all."""
    document, faults = read_yaml(path, CODES, shown)
    if document is None:
        return None, faults
    if not isinstance(document.data, dict):
        fix = 'écrivez une clé par ligne, par exemple nom: "Contrat de ville de…"'
        faults.append(Fault("DON-029", Place(shown, line=1), "un fichier sans clé", "des lignes « clé: valeur »", fix))
        return None, faults
    facts = Facts(document.data, lambda where: _yaml_place(document, shown, where))
    return facts, faults


def _yaml_place(document: YamlFile, shown: str, path: tuple[Any, ...]) -> Place:
    return Place(shown, line=document.line(path), note=".".join(str(p) for p in path if isinstance(p, str)))


# --- values -------------------------------------------------------------------------------------------------------------


def read_keys(facts: Facts, keys: Iterable[Key], data: Mapping[str, Any] | None = None, root: tuple = ()) -> dict:
    """Value of each key, of the declared kind; faults for unknown, missing and ill-formed ones."""
    data = facts.data if data is None else data
    keys = tuple(keys)
    known = {key.name: key for key in keys}
    for name in data:
        if name not in known:
            near = nearest(normalise(name), known)
            fix = f"écrivez {near} ?" if near else "supprimez cette ligne, ou vérifiez son nom"
            facts.say("DON-023", (*root, name), f"« {name} »", "l’une de ces clés : " + ", ".join(known), fix)
    out = {}
    for key in keys:
        value = data.get(key.name)
        if value is None or (isinstance(value, str) and not value.strip()):
            if key.required:
                fix = f"écrivez la valeur en face de « {key.name} » ; ajoutez la ligne si elle manque"
                facts.say("DON-024", (*root, key.name), f"pas de « {key.name} »", f"« {key.name} » : {key.help}", fix)
            continue
        read = _value(facts, key, value, (*root, key.name))
        if read is not None:
            out[key.name] = read
    return out


def _value(facts: Facts, key: Key, value: Any, path: tuple[Any, ...]) -> Any:
    if key.kind in ("qpv", "faits"):
        return value
    if key.kind == "liste":
        parts = value if isinstance(value, list) else re.split(r"\s*;\s*", str(value))
        return tuple(str(part).strip() for part in parts if str(part).strip())
    if isinstance(value, list | dict):
        facts.say("DON-018", path, "une liste", f"une seule valeur : {key.help}", "écrivez une seule valeur")
        return None
    if key.kind == "oui_non":
        return _yes_no(facts, value, path)
    if key.kind == "nombre":
        if not re.fullmatch(r"[0-9]{1,12}([.,]0+)?", str(value)):
            facts.say("DON-016", path, show(value), "un nombre entier", "tapez le nombre en chiffres")
            return None
        number = int(re.split(r"[.,]", str(value))[0])
        if key.name == "annee" and not YEARS[0] <= number <= YEARS[1]:
            facts.say("DON-003", path, show(value), f"une année entre {YEARS[0]} et {YEARS[1]}", "corrigez l’année")
            return None
        return number
    if key.kind == "date":
        read = read_date(value)
        if read.fault or len(str(read.value)) != 10:
            fix = read.fault[2] if read.fault else "ajoutez le jour"
            facts.say("DON-017", path, show(value), 'une date complète : "AAAA-MM-JJ" ou jj/mm/aaaa', fix)
            return None
        return read.value
    text = as_text(value)
    if key.choices and normalise(text) not in key.choices:
        near = nearest(normalise(text), key.choices)
        fix = f"écrivez {near} ?" if near else "choisissez dans cette liste"
        facts.say("DON-018", path, show(value), "l’une de ces valeurs : " + ", ".join(key.choices), fix)
        return None
    return normalise(text) if key.choices else text


def _yes_no(facts: Facts, value: Any, path: tuple[Any, ...]) -> bool | None:
    if isinstance(value, bool):
        return value
    answer = {"oui": True, "non": False, "vrai": True, "faux": False, "o": True, "n": False}.get(normalise(value))
    if answer is None:
        facts.say("DON-018", path, show(value), "oui ou non", "écrivez oui ou non")
    return answer


# --- campaign -----------------------------------------------------------------------------------------------------------


def read_campagne(path: Path) -> Campagne:
    """Read ``campagne.yml`` of a campaign folder.

    Raises
    ------
    EvalkitError
        Every fault of the file.
    """
    facts, faults = from_yaml(path / "campagne.yml", f"{path.name}/campagne.yml")
    values: dict[str, Any] = {}
    if facts is not None:
        values = read_keys(facts, CAMPAGNE_KEYS)
        faults += facts.faults
    if only_errors(faults):
        raise EvalkitError(faults)
    return Campagne(**{"code": path.name, **values})


# --- territory ----------------------------------------------------------------------------------------------------------


def build_territory(
    facts: Facts,
    folder: str,
    campagne: Campagne | None,
    modules: Iterable[str],
    quarters: tuple[Qpv, ...] | None = None,
) -> Territory | None:
    """Territory of the keys read; None when a required one is missing or wrong (faults say which).

    Parameters
    ----------
    facts
        Keys read; receives the faults.
    folder
        Name of the dossier.
    campagne
        Gives the modules when the territory states none.
    modules
        Codes of the framework's modules.
    quarters
        QPV read elsewhere (sheet ``qpv``); None: they are in the key ``qpv``.
    """
    values = read_keys(facts, TERRITORY_KEYS)
    stated = values.pop("faits", {})
    if not isinstance(stated, dict):
        facts.say("DON-018", ("faits",), show(stated), "des lignes « fait: valeur »", "écrivez un fait par ligne")
        stated = {}
    fictif = bool(values.get("fictif", False))
    values["faits"] = _read_facts(facts, stated)
    current = _quarters(facts, values.pop("qpv", []), "qpv", values, fictif)
    values["qpv"] = quarters if quarters is not None else current
    values["qpv_anciens"] = _quarters(
        facts, values.pop("qpv_anciens", []), "qpv_anciens", {"generation": "2015"}, fictif
    )
    values["qpv_a_rattacher"] = _quarters(facts, values.pop("qpv_a_rattacher", []), "qpv_a_rattacher", values, fictif)
    _check_values(facts, values, tuple(modules))
    values.setdefault("modules", (campagne.modules if campagne else ()) or tuple(modules))
    if any(values.get(key.name) is None for key in TERRITORY_KEYS if key.required):
        return None
    return Territory(dossier=folder, **values)


def _read_facts(facts: Facts, stated: Mapping[str, Any]) -> dict[str, FactValue]:
    out = {}
    for name, value in stated.items():
        key = next((key for key in FACTS if key.name == name), None)
        if key is None:
            known = [item.name for item in FACTS]
            near = nearest(name, known)
            if near:
                facts.say(
                    "DON-023",
                    ("faits", name),
                    f"« {name} »",
                    "l’un de ces faits : " + ", ".join(known),
                    f"écrivez {near} ?",
                )
                continue
            words = {"oui": True, "non": False}
            out[name] = words.get(value, value) if isinstance(value, str) else value
            continue
        read = None if value in (None, "") else _value(facts, key, value, ("faits", name))
        if read is not None:
            out[name] = read
    return out


def _check_values(facts: Facts, values: Mapping[str, Any], modules: tuple[str, ...]) -> None:
    departement = values.get("departement")
    if departement is not None and not DEPARTEMENT.match(departement):
        fix = f'écrivez "0{departement}"' if re.fullmatch(r"\d", departement) else "corrigez le code"
        facts.say("DON-018", ("departement",), show(departement), 'un code de département : "02", "59"', fix)
    siren = values.get("siren")
    if siren and not re.fullmatch(r"\d{9}", siren.replace(" ", "")):
        facts.say("DON-018", ("siren",), show(siren), "un numéro de neuf chiffres", "corrigez-le, ou laissez vide")
    if values.get("logo") and not values.get("logo_texte"):
        fix = 'ajoutez une ligne, par exemple logo_texte: "Logo de l’agglomération"'
        expected = "« logo_texte » : ce qu’entend, à la place du logo, une personne qui ne le voit pas"
        facts.say("DON-024", ("logo_texte",), "un logo sans « logo_texte »", expected, fix)
    for code in values.get("modules", ()):
        if modules and code not in modules:
            near = nearest(normalise(code), modules)
            fix = f"écrivez {near} ?" if near else "retirez ce module"
            facts.say("DON-013", ("modules",), f"« {code} »", "l’un de ces modules : " + ", ".join(modules), fix)


def _quarters(facts: Facts, items: Any, key: str, values: Mapping[str, Any], fictif: bool) -> tuple[Qpv, ...]:
    if not isinstance(items, list):
        fix = 'écrivez un quartier par tiret : - code: "QP059001"'
        facts.say("DON-025", (key,), show(items), "une liste de quartiers", fix)
        return ()
    out: list[Qpv] = []
    for rank, item in enumerate(items):
        if not isinstance(item, dict):
            fix = "sous le tiret, écrivez code:, nom: et geographie:"
            facts.say("DON-025", (key, rank), show(item), "un quartier avec son code et son nom", fix)
            continue
        read = read_keys(facts, QPV_KEYS, item, (key, rank))
        qpv = make_qpv(facts, read, (key, rank), str(values.get("generation", "2015")), fictif, {q.code for q in out})
        if qpv is not None:
            out.append(qpv)
    return tuple(out)


def make_qpv(
    facts: Facts, read: Mapping[str, Any], path: tuple[Any, ...], generation: str, fictif: bool, seen: set[str]
) -> Qpv | None:
    """One QPV, its code checked against its geography; None with a fault otherwise."""
    if "code" not in read or "nom" not in read:
        return None
    code = re.sub(r"\s+", "", str(read["code"])).upper()
    guessed = {"QP": "2015", "QN": "2024"}.get(code[:2], generation)
    geographie = str(read.get("geographie", guessed))
    where = (*path, "code")
    if code.startswith("QF") and not fictif:
        fix = "mettez le vrai code, ou « fictif: oui » si tout le territoire est inventé"
        facts.say("DON-025", where, f"« {code} », un code inventé", "un code officiel : QP… ou QN…", fix)
        return None
    pattern = INVENTED_CODE if code.startswith("QF") else QPV_CODE.get(geographie, INVENTED_CODE)
    if not pattern.match(code):
        example = (
            "QP suivi de six chiffres (liste de 2015)"
            if geographie == "2015"
            else "QN, des chiffres et une lettre (liste de 2024)"
        )
        padded = f"{code[:2]}{code[2:].zfill(6)}"
        lost = re.fullmatch(r"QP\d{1,5}", code) and geographie == "2015"
        fix = f"écrivez {padded} si un zéro a été perdu" if lost else "vérifiez le code et la géographie"
        facts.say("DON-025", where, f"« {code} », géographie {geographie}", example, fix)
        return None
    if code in seen:
        facts.say("DON-025", where, f"« {code} » déjà déclaré", "chaque quartier une fois", "supprimez la répétition")
        return None
    return Qpv(code, str(read["nom"]), geographie, tuple(read.get("communes", ())), str(read.get("a_verifier", "")))  # type: ignore[arg-type]


# --- sheets of a workbook -----------------------------------------------------------------------------------------------


def from_sheet(grid: Grid) -> tuple[Facts, dict[str, Any]]:
    """Keys of the sheet ``territoire`` (columns ``cle`` and ``valeur``); facts are gathered under ``faits``.

    Also returns the keys of the campaign that a lone workbook states (:data:`WORKBOOK_CAMPAGNE`).
    """
    cells: dict[str, int] = {}  # key -> row
    data: dict[str, Any] = {}
    extra: dict[str, Any] = {}

    def place(path: tuple[Any, ...]) -> Place:
        name = next((str(part) for part in path if part != "faits"), "")
        return grid.place(cells.get(name, 0), 1, note=".".join(map(str, path)))

    facts = Facts(data, place)
    names = {key.name for key in FACTS}
    for index, row in enumerate(grid.rows):
        name = "" if not row or is_blank(row[0]) else normalise(row[0])
        value = grid.at(index, 1)
        if not name or name in ("cle", normalise(HELP_COLUMN_PREFIX)):
            continue
        if name in cells and not is_blank(value):
            facts.say(
                "DON-030",
                (name,),
                f"« {name} », déjà en {grid.place(cells[name], 0).cell}",
                "une ligne par clé",
                "supprimez l’une des deux",
            )
            continue
        cells[name] = index
        if (index, 1) in grid.broken:
            facts.say("DON-021", (name,), "une formule ou une erreur Excel", "une valeur", "tapez la valeur")
        elif is_blank(value):
            continue
        elif name in names:
            data.setdefault("faits", {})[name] = value
        elif name in WORKBOOK_CAMPAGNE:
            extra[name] = value
        else:
            data[name] = _sheet_text(name, value)
    return facts, extra


def _sheet_text(name: str, value: Any) -> Any:
    text = as_text(value)
    return text.zfill(2) if name == "departement" and text.isdigit() else text


def quarters_from_sheet(grid: Grid, generation: str, fictif: bool) -> tuple[tuple[Qpv, ...], list[Fault]]:
    """QPV of the sheet ``qpv``: columns ``code``, ``nom``, ``geographie``, ``communes``."""
    header = next((i for i, row in enumerate(grid.rows) if "code" in {normalise(c or "") for c in row}), None)
    if header is None:
        filled = any(not is_blank(cell) for row in grid.rows for cell in row)
        fault = Fault(
            "DON-007",
            grid.place(0),
            "aucune colonne « code »",
            "les colonnes code, nom, geographie, communes",
            "remettez la ligne de titres",
        )
        return (), [fault] if filled else []
    columns = {normalise(cell): position for position, cell in enumerate(grid.rows[header]) if not is_blank(cell)}
    out: list[Qpv] = []
    faults: list[Fault] = []
    for index in range(header + 1, len(grid.rows)):
        item = {
            key.name: as_text(grid.at(index, columns[key.name]))
            for key in QPV_KEYS
            if key.name in columns and not is_blank(grid.at(index, columns[key.name]))
        }
        if not item:
            continue
        facts = Facts(item, lambda path, row=index: grid.place(row, columns.get(str(path[-1]), 0) if path else 0))
        qpv = make_qpv(facts, read_keys(facts, QPV_KEYS), (), generation, fictif, {q.code for q in out})
        faults += facts.faults
        out += [qpv] if qpv else []
    return tuple(out), faults
