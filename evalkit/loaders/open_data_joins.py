"""Which contract a neighbourhood belongs to: by its communes' positions, then by the register, never by a guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from evalkit.errors import Fault, Place
from evalkit.loaders.open_data_dictionary import Corrections
from evalkit.loaders.open_data_geometry import contains, interior_point
from evalkit.loaders.open_data_lists import CommuneShape, Contract, Perimeter, QpvEntry, Register
from evalkit.loaders.open_data_text import commune_key

BY_POSITION, BY_REGISTER, BY_CORRECTION, BY_LIST = "position", "registre", "correction", "liste"


@dataclass(frozen=True)
class Pending:
    """A neighbourhood that no rule attaches: ``candidats`` are contract keys, ``raison`` a French sentence."""

    qpv: str
    nom: str
    communes: tuple[str, ...]
    candidats: tuple[str, ...]
    raison: str


@dataclass(frozen=True)
class Assignment:
    """Neighbourhood code -> contract key, how it was found, what is left to attach and what is doubtful.

    ``methodes``: ``position``, ``registre``, ``correction`` or ``liste``; ``a_verifier``: why it is not certain, by code.
    """

    contrats: dict[str, str]
    methodes: dict[str, str]
    a_rattacher: tuple[Pending, ...] = ()
    a_verifier: dict[str, str] = field(default_factory=dict)
    divergences: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()

    def by_method(self) -> dict[str, int]:
        """Number of neighbourhoods attached by each method."""
        return dict(sorted(Counter(self.methodes.values()).items()))


class CommuneIndex:
    """Finds a commune's INSEE code from a name as published and the department of the neighbourhood."""

    def __init__(
        self,
        shapes: Iterable[CommuneShape] = (),
        registers: Iterable[Register] = (),
        entries: Iterable[QpvEntry] = (),
        corrections: Corrections | None = None,
    ) -> None:
        names = [(shape.code, shape.nom) for shape in shapes]
        names += [item for register in registers for item in register.communes.items()]
        names += [p for e in entries for p in zip(e.insee_communes, e.communes, strict=False)]
        self._codes: dict[str, set[str]] = {}
        for code, name in names:
            self._codes.setdefault(commune_key(name), set()).add(code)
        renamed = corrections.communes if corrections else ()
        self._renamed = {commune_key(item.nom): commune_key(item.devient) for item in renamed}

    def code(self, name: str, department: str) -> str | None:
        """INSEE code: in the department first, elsewhere only if the name is the only one; ``None`` when not found."""
        key = commune_key(name)
        found = self._codes.get(key) or self._codes.get(self._renamed.get(key, ""), set())
        here = sorted(code for code in found if code.startswith(department))
        if len(here) == 1:
            return here[0]
        return next(iter(found)) if len(found) == 1 else None


def department_of(code: str) -> str:
    """Department in a neighbourhood's code: ``QP059021`` -> ``59``, ``QP974001`` -> ``974``, ``QN00201M`` -> ``02``."""
    number = code[2:5]
    return number[1:] if number.startswith("0") else number


def assign_qpv(
    quartiers: Sequence[QpvEntry],
    contracts: Sequence[Contract],
    communes: Sequence[CommuneShape],
    perimeters: Sequence[Perimeter],
    registers: Sequence[Register] = (),
    corrections: Corrections | None = None,
) -> Assignment:
    """Attach the neighbourhoods of 2015 to their contracts.

    A commune belongs to the contract whose perimeter holds a point far inside it; a commune without an outline, or outside
    every perimeter, goes through the registers, and only where a contract's SIREN of 2015 is in them. A neighbourhood whose
    communes give two contracts is attached by a sourced correction or not at all.

    Returns
    -------
    Assignment
        With DON-077 (to attach), DON-079 (commune not placed), DON-081 (correction refused).
    """
    rules = corrections or Corrections()
    places = _Places(contracts, communes, perimeters, registers, rules)
    wanted, faults = _checked_corrections(rules, quartiers, contracts)
    kept: dict[str, str] = {}
    methods: dict[str, str] = {}
    doubts: dict[str, str] = {}
    pending: list[Pending] = []
    for entry in sorted(quartiers, key=lambda item: item.code):
        found, method = places.contracts_of(entry)
        correction = wanted.get(entry.code)
        if len(found) == 1 and (correction is None or correction[0] in found):
            kept[entry.code], methods[entry.code] = found[0], method
        elif correction and (correction[0] in found or not found):
            kept[entry.code], methods[entry.code] = correction[0], BY_CORRECTION
            doubts[entry.code] = correction[1]
        elif correction:
            faults.append(_refused(entry.code, "un contrat que les communes du quartier ne touchent pas"))
        else:
            pending.append(_pending(entry, found, places))
    faults += [*places.faults(), *(_pending_fault(item) for item in pending)]
    return Assignment(kept, methods, tuple(pending), doubts, tuple(places.divergences), tuple(faults))


def assign_listed(quartiers: Sequence[QpvEntry], contracts: Sequence[Contract]) -> Assignment:
    """Attach neighbourhoods whose list names the contract, else by the SIREN or INSEE code that names the contract (2024)."""
    by_code: dict[str, list[str]] = {}
    for contract in contracts:
        by_code.setdefault(contract.code, []).append(contract.key)
    by_siren = {contract.siren: contract.key for contract in contracts}
    names = {contract.key: contract.nom for contract in contracts}
    kept: dict[str, str] = {}
    pending = []
    for entry in sorted(quartiers, key=lambda item: item.code):
        found = sorted({key for code in entry.contrats for key in by_code.get(code, [])})
        if not entry.contrats:
            found = sorted({by_siren[code] for code in (*entry.sirens, *entry.insee_communes) if code in by_siren})
        if len(found) == 1:
            kept[entry.code] = found[0]
            continue
        reason = (
            "la liste lui donne plusieurs contrats : " + ", ".join(names[key] for key in found)
            if found
            else "la liste ne lui donne aucun contrat connu"
        )
        pending.append(Pending(entry.code, entry.nom, entry.communes, tuple(found), reason))
    return Assignment(
        kept, dict.fromkeys(kept, BY_LIST), tuple(pending), faults=tuple(_pending_fault(item) for item in pending)
    )


class _Places:
    """Contract of each commune, computed once."""

    def __init__(
        self,
        contracts: Sequence[Contract],
        communes: Sequence[CommuneShape],
        perimeters: Sequence[Perimeter],
        registers: Sequence[Register],
        corrections: Corrections,
    ) -> None:
        self.contracts = {contract.key: contract for contract in contracts}
        self.by_siren = {contract.siren: contract.key for contract in contracts}
        self.by_code = {contract.code: contract.key for contract in contracts}
        self.shapes = {shape.code: shape for shape in communes}
        self.perimeters, self.registers = perimeters, registers
        self.index = CommuneIndex(communes, registers, (), corrections)
        self.unplaced: dict[str, tuple[str, str]] = {}
        self.divergences: list[str] = []
        self._known: dict[str, tuple[tuple[str, ...], str]] = {}

    def contracts_of(self, entry: QpvEntry) -> tuple[tuple[str, ...], str]:
        """Contract keys of a neighbourhood's communes, sorted, and the method of the last one found."""
        found: set[str] = set()
        method = BY_POSITION
        codes = entry.insee_communes or tuple(
            self.index.code(n, department_of(entry.code)) or "" for n in entry.communes
        )
        for position, code in enumerate(codes):
            name = entry.communes[position] if position < len(entry.communes) else code
            keys, how = self._commune(code, name) if code else ((), BY_POSITION)
            if not keys:
                self.unplaced.setdefault(name, (entry.code, "" if code else "son nom n'est dans aucun fichier fourni"))
            found.update(keys)
            method = how if how == BY_REGISTER else method
        return tuple(sorted(found)), method

    def _commune(self, code: str, name: str) -> tuple[tuple[str, ...], str]:
        if code not in self._known:
            self._known[code] = self._locate(code, name)
        return self._known[code]

    def _locate(self, code: str, name: str) -> tuple[tuple[str, ...], str]:
        here = self._by_position(code)
        registered = sorted({r.epci[code] for r in self.registers if code in r.epci and r.epci[code] in self.by_siren})
        listed = tuple(sorted({self.by_siren[siren] for siren in registered}))
        if here and listed and set(here) != set(listed):
            shown = [" ou ".join(self.contracts[key].nom for key in keys) for keys in (here, listed)]
            self.divergences.append(
                f"{name} ({code}) : {shown[0]} sur la carte, {shown[1]} au registre ; les deux restent possibles"
            )
            return tuple(sorted({*here, *listed})), BY_POSITION  # simplified perimeters: neither is trusted alone
        return (here, BY_POSITION) if here else (listed, BY_REGISTER)

    def _by_position(self, code: str) -> tuple[str, ...]:
        shape = self.shapes.get(code)
        point = interior_point(shape.polygons) if shape else None
        if point is None:
            return ()
        hits = {self._key_of(perimeter) for perimeter in self.perimeters if contains(perimeter.polygons, point)}
        return tuple(sorted(key for key in hits if key))

    def _key_of(self, perimeter: Perimeter) -> str:
        return self.by_siren.get(perimeter.siren) or self.by_code.get(perimeter.code, "")

    def faults(self) -> list[Fault]:
        """One warning per commune that could not be placed."""
        return [
            Fault(
                "DON-079",
                Place(note=f"{name}, commune de {qpv}"),
                why or "elle n'est dans aucun périmètre fourni ni au registre d'un contrat de 2015",
                "une commune située dans un contrat",
                "fournissez le contour de la commune, ou une ligne sourcée dans referentiel/contexte/rattachements.yml",
            )
            for name, (qpv, why) in sorted(self.unplaced.items())
        ]


def _checked_corrections(
    rules: Corrections, quartiers: Sequence[QpvEntry], contracts: Sequence[Contract]
) -> tuple[dict[str, tuple[str, str]], list[Fault]]:
    """Corrections of the neighbourhoods at hand -> contract key and the reason printed; those of other regions are ignored."""
    keys = {(contract.code, contract.siren): contract.key for contract in contracts}
    here = {entry.code for entry in quartiers}
    seen: dict[str, tuple[str, str]] = {}
    faults = []
    for item in rules.quartiers:
        if item.qpv not in here:
            continue
        key = keys.get((item.contrat, item.siren))
        if key is None:
            faults.append(
                _refused(item.qpv, f"le contrat {item.contrat} (SIREN {item.siren}), qui n'est pas dans la liste")
            )
        elif item.qpv in seen:
            faults.append(_refused(item.qpv, "deux corrections pour le même quartier"))
        else:
            seen[item.qpv] = (key, f"rattaché par correction ({item.source}) : {item.motif}")
    return seen, faults


def _refused(qpv: str, read: str) -> Fault:
    return Fault(
        "DON-081",
        Place("referentiel/contexte/rattachements.yml", note=qpv),
        read,
        "un contrat de la liste, touché par les communes du quartier, une seule fois",
        "corrigez le contrat ou le SIREN de cette ligne, ou supprimez-la",
    )


def _pending(entry: QpvEntry, found: tuple[str, ...], places: _Places) -> Pending:
    if found:
        reason = "ses communes sont dans plusieurs contrats : " + ", ".join(places.contracts[key].nom for key in found)
    elif entry.communes or entry.insee_communes:
        reason = "aucune de ses communes n'est dans un contrat"
    else:
        reason = "le fichier ne donne pas ses communes : ajoutez une édition qui a la colonne LIB_COM"
    return Pending(entry.code, entry.nom, entry.communes, found, reason)


def _pending_fault(item: Pending) -> Fault:
    return Fault(
        "DON-077",
        Place(note=f"{item.qpv}, {item.nom}"),
        item.raison,
        "un seul contrat par quartier",
        "ajoutez une ligne avec sa source dans referentiel/contexte/rattachements.yml ; d'ici là il n'est compté nulle part",
    )
