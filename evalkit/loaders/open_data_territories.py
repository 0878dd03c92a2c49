"""Folders of the real contracts of 2015 or 2024, made from published lists: identity, neighbourhoods, nothing evaluated."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from evalkit.errors import EvalkitError, Fault, Place, only_errors, only_warnings
from evalkit.loaders.open_data_context import ContextImport, read_context_files
from evalkit.loaders.open_data_dictionary import ContextDictionary, load_context_dictionary
from evalkit.loaders.open_data_joins import Assignment, CommuneIndex, assign_listed, assign_qpv, department_of
from evalkit.loaders.open_data_lists import (
    CommuneShape,
    Contract,
    ContractList,
    Perimeter,
    QpvEntry,
    QpvList,
    Register,
    read_communes,
    read_contracts,
    read_features,
    read_perimeters,
    read_qpv_list,
    read_register,
)
from evalkit.loaders.open_data_text import read_json, read_table, slug
from evalkit.loaders.resources import resource_dir
from evalkit.loaders.yaml_files import read_yaml
from evalkit.wording import join_french, quote

GENERATIONS = ("2015", "2024")
REFERENCE_EDITION = "2021"  # edition whose POP_MUN the list of 2015 adds up
MODULES = ("cooperations", "discriminations", "egalite_femmes_hommes")
_LABELS = {"2015": "Contrats de ville 2015-2023", "2024": "Contrats de ville 2024-2030"}


@dataclass
class Sources:
    """Published files sorted by what they are. ``unused``: given but of no use here."""

    contracts: list[ContractList] = field(default_factory=list)
    perimeters: list[Perimeter] = field(default_factory=list)
    communes: list[CommuneShape] = field(default_factory=list)
    registers: list[Register] = field(default_factory=list)
    qpv_lists: list[QpvList] = field(default_factory=list)
    context_paths: list[Path] = field(default_factory=list)
    context: ContextImport | None = None
    faults: list[Fault] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class MadeTerritory:
    """One contract: its folder, whether it was written, its neighbourhoods."""

    dossier: str
    contract: Contract
    ecrit: bool
    qpv: tuple[QpvEntry, ...]
    anciens: tuple[QpvEntry, ...] = ()
    a_rattacher: tuple[QpvEntry, ...] = ()  # touch several contracts, this one among them: counted in none
    pop_mun: int | None = None  # sum of POP_MUN (edition 2021) of its neighbourhoods of 2015


@dataclass(frozen=True)
class TerritoriesImport:
    """What ``importer territoires`` did, ready to be read or stored."""

    generation: str
    campagne: Path
    territoires: tuple[MadeTerritory, ...]
    rattachement: Assignment
    differences: tuple[dict[str, Any], ...] = ()
    anciens_sans_contrat: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def dossiers(self) -> list[Path]:
        """Folders of every contract, in the order of their names."""
        return sorted(self.campagne / item.dossier for item in self.territoires)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``--json`` and for ``import.json``."""
        return {
            "generation": self.generation,
            "n_contrats": len(self.territoires),
            "n_qpv_rattaches": len(self.rattachement.contrats),
            "rattaches_par": self.rattachement.by_method(),
            "a_rattacher": [
                {**vars(item), "communes": list(item.communes), "candidats": list(item.candidats)}
                for item in self.rattachement.a_rattacher
            ],
            "a_verifier": dict(sorted(self.rattachement.a_verifier.items())),
            "divergences": list(self.rattachement.divergences),
            "differences_population": list(self.differences),
            "anciens_sans_contrat": list(self.anciens_sans_contrat),
            "contrats": [_contract_row(item) for item in self.territoires],
            "sources": list(self.sources),
            "messages": [fault.as_dict() for fault in self.faults],
        }

    def report(self) -> str:
        """The same, to be read."""
        return "\n".join(_report_lines(self))


def make_territories(
    paths: Iterable[Path | str],
    generation: str,
    campagne_dir: Path | str,
    *,
    date_reference: str = "",
    region: str = "Hauts-de-France",
    dictionary: ContextDictionary | None = None,
) -> TerritoriesImport:
    """Write one folder per contract in a campaign, and ``campagne.yml`` if there is none.

    Parameters
    ----------
    paths
        Published files in any order; each is recognised by its content: contracts, perimeters, communes, registers, lists of
        neighbourhoods, INSEE's DEMO files.
    generation
        ``2015`` or ``2024``.
    campagne_dir
        The campaign. Files already there are kept, and it is said (DON-080).
    date_reference
        ISO date printed on documents; needed only where ``campagne.yml`` does not exist yet.

    Raises
    ------
    EvalkitError
        DON-072 to DON-075, DON-081, DON-086, DON-089: nothing is written then.
    """
    known = dictionary or load_context_dictionary()
    campagne = Path(campagne_dir)
    sources = read_sources(paths, known)
    sources.faults += _check_request(sources, str(generation), campagne, date_reference)
    if only_errors(sources.faults):
        raise EvalkitError(only_errors(sources.faults) + only_warnings(sources.faults))
    contracts = _contracts(sources, str(generation))
    assignment = _assign(sources, contracts, str(generation), known)
    if only_errors(assignment.faults):
        raise EvalkitError(list(assignment.faults))
    plans, orphans = _plan(sources, contracts, assignment, str(generation), known)
    differences = _differences(plans, assignment) if generation == "2015" else []
    faults = [*sources.faults, *assignment.faults, *(_difference_fault(item) for item in differences)]
    made = _write_all(plans, assignment, campagne, str(generation), date_reference, region, sources, faults)
    return TerritoriesImport(
        str(generation),
        campagne,
        tuple(made),
        assignment,
        tuple(differences),
        tuple(orphans),
        tuple(sorted(sources.files)),
        tuple(faults),
    )


def read_sources(paths: Iterable[Path | str], dictionary: ContextDictionary) -> Sources:
    """Recognise and read every file; faults are collected, nothing is raised."""
    out = Sources()
    for path in sorted(map(Path, paths), key=lambda item: (item.name, str(item))):
        try:
            used = _read_json(path, out) if path.suffix.lower() in (".json", ".geojson") else _read_csv(path, out)
        except EvalkitError as error:
            out.faults += list(error.faults)
            continue
        if used:
            out.files.append(path.name)
        else:
            out.faults.append(_unused(path))
    if out.context_paths:
        out.context = read_context_files(out.context_paths, dictionary)
        out.faults += [fault for fault in out.context.faults if fault.code != "DON-066"]
    out.faults += [fault for contracts in out.contracts for fault in contracts.faults]
    out.faults += [fault for listed in out.qpv_lists for fault in listed.faults]
    return out


def _read_json(path: Path, out: Sources) -> bool:
    if path.suffix.lower() == ".json":
        document, faults = read_json(path)
        if faults:
            raise EvalkitError(faults)
        if not (isinstance(document, list) and document and "membres" in document[0]):
            return False
        out.registers.append(read_register(path))
        return True
    features = read_features(path)
    keys = set(features[0]["properties"]) if features else set()
    kind = (features[0].get("geometry") or {}).get("type") if features else None
    if {"code_cv", "lib_cv"} <= keys:
        out.contracts.append(read_contracts(path))
    elif {"id", "siren"} <= keys:
        out.perimeters += read_perimeters(path)
    elif (
        {"code", "nom"} <= keys
        and kind in ("Polygon", "MultiPolygon")
        and len(str(features[0]["properties"]["code"])) == 5
    ):
        out.communes += read_communes(path)
    else:
        return False
    return True


def _read_csv(path: Path, out: Sources) -> bool:
    table, faults = read_table(path)
    if table is None:
        raise EvalkitError(faults)
    if table.index("code_qp") is not None or (table.index("lib_qp") is not None):
        out.qpv_lists.append(read_qpv_list(path))
    elif table.index("CODGEO") is not None and table.index("EPCI") is not None:
        out.registers.append(read_register(path))
    elif table.index("CODGEO") is not None and table.index("POP_MUN") is not None:
        out.context_paths.append(path)
    else:
        return False
    return True


def _unused(path: Path) -> Fault:
    return Fault(
        "DON-082",
        Place(str(path)),
        "un fichier dont cette commande ne se sert pas",
        "contrats, périmètres, communes, registre des intercommunalités, liste de quartiers, fichiers DEMO de l'Insee",
        "rien à faire s'il est là par mégarde ; les fichiers REVN et IPRO vont à « evalkit importer contexte »",
    )


def _check_request(sources: Sources, generation: str, campagne: Path, date_reference: str) -> list[Fault]:
    faults = []
    if generation not in GENERATIONS:
        faults.append(
            Fault(
                "DON-074",
                Place("--generation"),
                f"« {generation} »" if generation else "rien",
                "2015 ou 2024",
                "ajoutez --generation 2015 (contrats 2015-2023) ou --generation 2024 (contrats 2024-2030)",
            )
        )
        return faults
    faults += [
        Fault(
            "DON-075",
            Place(str(campagne)),
            "fichiers reçus : " + (", ".join(sources.files) or "aucun utile"),
            wanted,
            fix,
        )
        for missing, wanted, fix in _needs(sources, generation)
        if missing
    ]
    if not (campagne / "campagne.yml").exists() and not _is_date(date_reference):
        faults.append(
            Fault(
                "DON-089",
                Place("--date"),
                f"« {date_reference} »" if date_reference else "rien",
                "une date comme 2022-06-30 : elle est imprimée sur les documents",
                "ajoutez --date 2022-06-30 à la commande, ou écrivez campagne.yml d'abord",
            )
        )
    return faults


def _needs(sources: Sources, generation: str) -> list[tuple[bool, str, str]]:
    contracts = any(c.generation == generation for item in sources.contracts for c in item.contrats)
    common = [
        (
            not contracts,
            f"la liste des contrats de {generation} (contrats_ville_{generation}….geojson)",
            "ajoutez ce fichier à la commande, et vérifiez la génération demandée",
        )
    ]
    if generation == "2024":
        return [
            *common,
            (
                not sources.qpv_lists,
                "une liste des quartiers de 2024 (colonne code_qp)",
                "ajoutez ce fichier à la commande",
            ),
        ]
    located = bool(sources.communes and sources.perimeters) or bool(sources.registers)
    return [
        *common,
        (
            not sources.context_paths,
            "un fichier DEMO de l'Insee : il donne les quartiers de 2015",
            "ajoutez DEMO_2021…csv",
        ),
        (
            not located,
            "le contour des communes et les périmètres des contrats, ou à défaut un registre des intercommunalités",
            "ajoutez ces fichiers à la commande",
        ),
    ]


def _is_date(text: str) -> bool:
    try:
        return bool(re.match(r"^\d{4}-\d{2}-\d{2}$", text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _contracts(sources: Sources, generation: str) -> list[Contract]:
    unique = {c.key: c for item in sources.contracts for c in item.contrats if c.generation == generation}
    return sorted(unique.values(), key=lambda c: (c.departement, c.code, c.siren))


def _assign(sources: Sources, contracts: Sequence[Contract], generation: str, known: ContextDictionary) -> Assignment:
    if generation == "2024":
        return assign_listed([e for item in sources.qpv_lists for e in item.quartiers], contracts)
    return assign_qpv(
        old_quarters(sources.context, known),
        contracts,
        sources.communes,
        sources.perimeters,
        sources.registers,
        known.corrections,
    )


def old_quarters(context: ContextImport | None, known: ContextDictionary) -> list[QpvEntry]:
    """Neighbourhoods of 2015 with the name and the communes of the latest edition that gives them."""
    names: dict[str, str] = {}
    communes: dict[str, tuple[str, ...]] = {}
    if context is None:
        return []
    table = context.quartiers.sort_values(["edition", "fichier"], kind="stable")
    for code, name, listed in table[["qpv", "nom", "communes"]].itertuples(index=False):
        names.setdefault(code, code)
        if isinstance(name, str):
            names[code] = name
        if isinstance(listed, str):
            communes[code] = tuple(part.strip() for part in listed.split(",") if part.strip())
    return [
        QpvEntry(c, names[c], department_of(c), (), communes.get(c, ())) for c in sorted(names) if c.startswith("QP")
    ]


def _plan(
    sources: Sources, contracts: Sequence[Contract], assignment: Assignment, generation: str, known: ContextDictionary
) -> tuple[list[MadeTerritory], list[str]]:
    """What each folder will hold, and the old neighbourhoods that no 2024 contract's commune holds."""
    old = old_quarters(sources.context, known)
    listed = [e for item in sources.qpv_lists for e in item.quartiers]
    entries = {e.code: e for e in (old if generation == "2015" else listed)}
    by_contract: dict[str, list[QpvEntry]] = {}
    for code, key in sorted(assignment.contrats.items()):
        by_contract.setdefault(key, []).append(entries[code])
    communes = _communes_of(contracts, by_contract, entries, assignment, sources)
    ancient = _ancient(old, communes, list(entries.values()), sources, known) if generation == "2024" else {}
    population = _population(sources.context)
    folders = _folder_names(contracts)
    plans = [
        MadeTerritory(
            folders[c.key],
            c,
            False,
            tuple(by_contract.get(c.key, ())),
            tuple(ancient.get(c.key, ())),
            tuple(entries[item.qpv] for item in assignment.a_rattacher if c.key in item.candidats),
            _sum(by_contract.get(c.key, ()), population) if generation == "2015" else None,
        )
        for c in contracts
    ]
    placed = {e.code for found in ancient.values() for e in found}
    return plans, [e.code for e in old if generation == "2024" and e.code not in placed]


def _communes_of(
    contracts: Sequence[Contract],
    by_contract: dict[str, list[QpvEntry]],
    entries: dict[str, QpvEntry],
    assignment: Assignment,
    sources: Sources,
) -> dict[str, set[str]]:
    """INSEE codes of each contract's communes with a neighbourhood; those of a neighbourhood still to attach, by the register."""
    out = {key: {code for e in found for code in e.insee_communes} for key, found in by_contract.items()}
    sirens = {c.siren: c.key for c in contracts}
    for item in assignment.a_rattacher:
        for code in entries[item.qpv].insee_communes:
            keys = {sirens[r.epci[code]] for r in sources.registers if r.epci.get(code) in sirens}
            for key in keys & set(item.candidats):
                out.setdefault(key, set()).add(code)
    return out


def _ancient(
    old: Sequence[QpvEntry],
    communes: dict[str, set[str]],
    entries: Sequence[QpvEntry],
    sources: Sources,
    known: ContextDictionary,
) -> dict[str, list[QpvEntry]]:
    """Old neighbourhoods of the communes of each contract; one that touches two contracts' communes is shown in both."""
    index = CommuneIndex(sources.communes, sources.registers, entries, known.corrections)
    out: dict[str, list[QpvEntry]] = {}
    for entry in old:
        codes = {index.code(name, entry.departement) for name in entry.communes}
        for key in sorted(key for key, held in communes.items() if codes & held):
            out.setdefault(key, []).append(entry)
    return out


def _population(context: ContextImport | None) -> dict[str, float]:
    if context is None:
        return {}
    frame = context.frame
    rows = frame[(frame["variable"] == "POP_MUN") & (frame["edition"] == REFERENCE_EDITION) & frame["valeur"].notna()]
    return dict(zip(rows["qpv"], rows["valeur"], strict=True))


def _sum(entries: Sequence[QpvEntry], population: dict[str, float]) -> int | None:
    """Sum over the neighbourhoods; ``None`` when one of them has no value (a silence is never a zero)."""
    if not entries or any(e.code not in population for e in entries):
        return None
    return round(sum(population[e.code] for e in entries))


def _folder_names(contracts: Sequence[Contract]) -> dict[str, str]:
    """Folder of each contract: from its name; its code, then its SIREN, are added only to tell two of them apart."""
    names = {c.key: slug(c.nom) or slug(c.code) for c in contracts}
    for extra in ("code", "siren"):
        doubled = {name for name in names.values() if list(names.values()).count(name) > 1}
        names = {
            c.key: f"{names[c.key]}-{slug(getattr(c, extra))}" if names[c.key] in doubled else names[c.key]
            for c in contracts
        }
    return names


def _differences(plans: Sequence[MadeTerritory], assignment: Assignment) -> list[dict[str, Any]]:
    """Contracts whose neighbourhoods do not add up to the published population, with what may explain it."""
    out = []
    for plan in plans:
        if plan.contract.pop is None or plan.pop_mun == plan.contract.pop:
            continue
        candidates = [item.qpv for item in assignment.a_rattacher if plan.contract.key in item.candidats]
        out.append(
            {
                "dossier": plan.dossier,
                "contrat": plan.contract.nom,
                "code": plan.contract.code,
                "siren": plan.contract.siren,
                "pop_liste": plan.contract.pop,
                "somme_pop_mun": plan.pop_mun,
                "ecart": None if plan.pop_mun is None else plan.pop_mun - plan.contract.pop,
                "quartiers_a_rattacher": candidates,
            }
        )
    return out


def _difference_fault(item: dict[str, Any]) -> Fault:
    total = "aucun total possible" if item["somme_pop_mun"] is None else f"{item['somme_pop_mun']} habitants"
    waiting = ", ".join(item["quartiers_a_rattacher"])
    return Fault(
        "DON-078",
        Place(note=f"{item['contrat']}, {item['code']}"),
        f"{total} dans les quartiers rattachés (POP_MUN, édition {REFERENCE_EDITION}), {item['pop_liste']} dans la liste",
        "le même total",
        (f"quartiers encore à rattacher qui touchent ce contrat : {waiting}" if waiting else "vérifiez ses quartiers"),
    )


def _write_all(
    plans: Sequence[MadeTerritory],
    assignment: Assignment,
    campagne: Path,
    generation: str,
    date_reference: str,
    region: str,
    sources: Sources,
    faults: list[Fault],
) -> list[MadeTerritory]:
    campagne.mkdir(parents=True, exist_ok=True)
    if not (campagne / "campagne.yml").exists():
        _write(campagne / "campagne.yml", _campaign_text(campagne.resolve().name, generation, date_reference, region))
    made = []
    for plan in plans:
        target = campagne / plan.dossier / "territoire.yml"
        text = _territory_text(plan, generation, assignment, sources)
        kept = target.exists() and target.read_text(encoding="utf-8") != text
        if kept:
            faults.append(_kept_fault(target))
        elif not target.exists():
            target.parent.mkdir(exist_ok=True)
            _write(target, text)
        made.append(replace(plan, ecrit=not kept))
    return made


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.partiel")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    temporary.replace(path)


def _kept_fault(path: Path) -> Fault:
    return Fault(
        "DON-080",
        Place(str(path)),
        "un fichier déjà là, différent de celui que l'import écrirait",
        "un dossier nouveau",
        "rien à faire s'il a été corrigé à la main ; pour le refaire, mettez-le d'abord de côté",
    )


def _campaign_text(code: str, generation: str, date_reference: str, region: str) -> str:
    return "\n".join(
        [
            "# Écrit par « evalkit importer territoires ». À relire.",
            f"code: {_quoted(code)}",
            f"libelle: {_quoted(_LABELS[generation])}",
            f"referentiel_version: {_quoted(_framework_version())}",
            f"date_reference: {_quoted(date_reference)}",
            f"annee: {date_reference[:4]}",
            f"modules: {_list(MODULES)}",
            f"region: {_quoted(region)}",
            "fictif: non",
            "",
        ]
    )


def _framework_version() -> str:
    file, faults = read_yaml(resource_dir("referentiel") / "referentiel.yml")
    if file is None:
        raise EvalkitError(faults)
    return str(file.data.get("version", ""))


def _territory_text(plan: MadeTerritory, generation: str, assignment: Assignment, sources: Sources) -> str:
    contract = plan.contract
    count = _n_communes(contract, sources)
    communes = sorted({name for e in plan.qpv for name in e.communes}) if count else []
    lines = [
        "# Écrit par « evalkit importer territoires » à partir de données ouvertes (ANCT, Insee, IGN). À relire et compléter.",
        "# Les communes citées sont celles qui ont un quartier prioritaire ; faits.nb_communes compte tout le contrat.",
        f"nom: {_quoted(contract.nom)}",
        f"departement: {_quoted(contract.departement)}",
        f"generation: {_quoted(generation)}",
        *([f"type: {_quoted(contract.type)}"] if contract.type else []),
        f"code: {_quoted(contract.code)}",
        f"siren: {_quoted(contract.siren if len(contract.siren) == 9 else '')}",
        f"epci: {_quoted('' if contract.type == 'commune' else contract.nom)}",
        f"communes: {_list(communes)}",
        f"modules: {_list(MODULES)}",
        "fictif: non",
        *(["faits:", f"  nb_communes: {count}"] if count else []),
        *_qpv_lines("qpv", plan.qpv, generation, assignment.a_verifier),
    ]
    if plan.a_rattacher:
        names = {c.key: c.nom for item in sources.contracts for c in item.contrats if c.generation == generation}
        doubts = {item.qpv: _between([names[key] for key in item.candidats]) for item in assignment.a_rattacher}
        lines += ["# Quartiers qui touchent plusieurs contrats : sans source qui tranche, comptés dans aucun."]
        lines += _qpv_lines("qpv_a_rattacher", plan.a_rattacher, generation, doubts)
    if generation == "2024":
        lines += ["# Quartiers de 2015 des mêmes communes : ancienne géographie, jamais rapprochée de celle de 2024."]
        lines += _qpv_lines("qpv_anciens", plan.anciens, "2015", {})
    return "\n".join([*lines, ""])


def _between(names: Sequence[str]) -> str:
    r"""What is said of a neighbourhood that several contracts could hold.

    >>> _between(["Alpe", "Orme"]).replace("\u00a0", " ")
    'touche deux contrats (« Alpe » et « Orme »)'
    """
    count = {2: "deux", 3: "trois", 4: "quatre"}.get(len(names), str(len(names)))
    return f"touche {count} contrats ({join_french(map(quote, names))})"


def _n_communes(contract: Contract, sources: Sources) -> int:
    """Communes of the whole contract, 0 when no file says so."""
    if contract.type == "commune":
        return 1
    if contract.generation == "2015":
        same = [p.n_communes for p in sources.perimeters if p.siren == contract.siren]
        return next((int(n) for n in same if n), 0)
    return next((n for r in sources.registers if (n := r.members(contract.siren))), 0)


def _qpv_lines(key: str, entries: Sequence[QpvEntry], geography: str, doubts: dict[str, str]) -> list[str]:
    if not entries:
        return [f"{key}: []"]
    lines = [f"{key}:"]
    for entry in entries:
        lines += [
            f"  - code: {_quoted(entry.code)}",
            f"    nom: {_quoted(entry.nom)}",
            f"    geographie: {_quoted(geography)}",
            f"    communes: {_list(entry.communes)}",
            *([f"    a_verifier: {_quoted(doubts[entry.code])}"] if entry.code in doubts else []),
        ]
    return lines


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _list(items: Iterable[str]) -> str:
    return "[" + ", ".join(_quoted(item) for item in items) + "]"


def _contract_row(item: MadeTerritory) -> dict[str, Any]:
    return {
        "dossier": item.dossier,
        "nom": item.contract.nom,
        "code": item.contract.code,
        "siren": item.contract.siren,
        "departement": item.contract.departement,
        "n_qpv": len(item.qpv),
        "n_qpv_anciens": len(item.anciens),
        "somme_pop_mun": item.pop_mun,
        "ecrit": item.ecrit,
    }


def _report_lines(result: TerritoriesImport) -> list[str]:
    assignment = result.rattachement
    methods = ", ".join(f"{count} par {name}" for name, count in assignment.by_method().items())
    lines = [
        f"Contrats de {result.generation} : {len(result.territoires)} dossiers dans {result.campagne}.",
        f"Quartiers rattachés : {len(assignment.contrats)}" + (f" ({methods})." if methods else "."),
        f"Quartiers à rattacher : {len(assignment.a_rattacher)}.",
        *(f"- {item.qpv} {item.nom} ({', '.join(item.communes)}) : {item.raison}." for item in assignment.a_rattacher),
    ]
    if assignment.a_verifier:
        lines += [f"Rattachements à confirmer : {len(assignment.a_verifier)}."]
        lines += [f"- {code} : {reason}." for code, reason in sorted(assignment.a_verifier.items())]
    lines += [f"Carte et registre différents : {text}." for text in assignment.divergences]
    if result.generation == "2015":
        compared = sum(1 for item in result.territoires if item.contract.pop is not None)
        lines.append(
            f"Population des quartiers (POP_MUN, édition {REFERENCE_EDITION}) comparée à la liste : "
            f"{compared - len(result.differences)} contrats identiques sur {compared}."
        )
    if result.anciens_sans_contrat:
        lines.append(
            "Quartiers de 2015 dont aucune commune n'a de quartier de 2024 rattaché : "
            + ", ".join(result.anciens_sans_contrat)
            + "."
        )
    lines += [str(fault) for fault in result.faults if fault.code not in ("DON-077", "DON-083")]
    return [*lines, "Sources : " + ", ".join(result.sources) + "."]
