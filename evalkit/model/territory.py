"""A territory (contrat de ville), its neighbourhoods, and the campaign it is evaluated in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Geographie = Literal["2015", "2024"]
FactValue = bool | int | float | str

# Facts that a territory always has, for applicability rules (`applicable_si`). Others may be declared under `faits`.
KNOWN_FACTS: dict[str, str] = {
    "type": "text: commune, communaute_de_communes, communaute_agglomeration, communaute_urbaine, metropole",
    "nb_communes": "int",
    "nb_qpv": "int, counted from the list of QPV",
    "conseil_citoyen": "bool",
    "npnru": "bool",
    "cite_educative": "bool",
    "delegue_prefet": "bool",
    "generation": "text: 2015, 2024",
    "departement": "text",
}

# Marks of a document, as typed and as printed. A mark says how a document may circulate; it never changes what is masked.
MARQUES: dict[str, str] = {
    "brouillon": "BROUILLON",
    "diffusion_restreinte": "DIFFUSION RESTREINTE",
    "public": "PUBLIC",
}
# Fields of a territory that dress its documents: two documents that differ by these alone come from the same data.
PRESENTATION = ("marque", "logo", "logo_texte")


@dataclass(frozen=True)
class Qpv:
    """A priority neighbourhood. ``code``: ``QP…`` (2015), ``QN…`` (2024) or ``QF…`` (invented, only if ``fictif``)."""

    code: str
    nom: str
    geographie: Geographie
    communes: tuple[str, ...] = ()
    a_verifier: str = ""  # why its belonging to this contract is not certain ("" = certain)


@dataclass(frozen=True)
class Territory:
    """Identity and facts of one contrat de ville. ``dossier`` is the folder's name, unique in a campaign."""

    dossier: str
    nom: str
    departement: str
    generation: Geographie
    type: str = ""
    code: str = ""  # code of the contract (CV…, CN…), "" if none
    siren: str = ""
    epci: str = ""
    communes: tuple[str, ...] = ()
    qpv: tuple[Qpv, ...] = ()
    modules: tuple[str, ...] = ()
    fictif: bool = False
    faits: dict[str, FactValue] = field(default_factory=dict)
    enseigne: str = ""  # teaching case: what it shows ("" otherwise)
    qpv_anciens: tuple[Qpv, ...] = ()  # QPV 2015 of the same communes, for a 2024 contract: never joined to its QPV
    qpv_a_rattacher: tuple[Qpv, ...] = ()  # QPV that several contracts could hold: told, counted in none
    marque: str = ""  # what the documents are marked with: a key of MARQUES, "" if none; hides and shows nothing
    logo: str = field(default="", repr=False)  # `data:` address of a PNG
    logo_texte: str = ""  # what is read in the place of the logo

    def facts(self) -> dict[str, FactValue]:
        """Every fact an applicability rule may name; what the territory did not state is absent, never False."""
        return {
            **({"type": self.type} if self.type else {}),
            "nb_qpv": len(self.qpv),
            "generation": self.generation,
            "departement": self.departement,
            **({"nb_communes": len(self.communes)} if self.communes else {}),
            **self.faits,
        }


@dataclass(frozen=True)
class Campagne:
    """A campaign: one folder of territories evaluated with one framework version at one reference date."""

    code: str
    libelle: str
    referentiel_version: str
    date_reference: str  # ISO date printed on documents; never the clock
    annee: int
    modules: tuple[str, ...] = ()
    reference_regionale: str = ""  # file name, relative to the campaign
    campagne_precedente: str = ""  # sibling folder
    publication_nominative_annoncee: bool = False
    fictif: bool = False
    region: str = "Hauts-de-France"
