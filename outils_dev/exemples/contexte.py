"""Context files with INSEE's layout and its quirks, for invented neighbourhoods: every value here is invented."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from outils_dev.exemples.hasard import tirage
from outils_dev.exemples.territoires import PLANS, Plan, communes, qpv

_DEMO = (
    "CODGEO;LIBGEO;POP_MUN;POP_COM_QP;POP_COM;LIB_COM;TX_F;TX_TOT_0A24;TX_F_0A24;TX_TOT_60ETPLUS;TX_F_60ETPLUS;IND_JEUNE;"
    "TX_TOT_MEN1;TX_TOT_MEN6;TX_TOT_ET;TX_F_ET;NOTE_RP;A;PERCOU;AM;AI;ACSSENF;ACAVENF;AC3ENF;A_NETUD_24;A_ETUD;ENF;ENF_2;"
    "ENF_3_5;ENF_6_10;ENF_11_14;ENF_15_17;ENF_18_24;NOTE_CNAF"
)
DEMO = _DEMO.split(";")
_REVN = (
    "CODGEO;LIBGEO;PMIMP;DECUC_Q2;DECUC_Q1;DECUC_Q3;BREV;DECUC_D1;DECUC_D9;DECUC_D1D9;DISP_Q2;DISP_Q1;DISP_Q3;TP60;DISP_D1;"
    "DISP_D9;DISP_D1D9;PACT;PPEN;PPSOC;PIMPOT;PPAT;NOTE_FILO;C;CC2S;NOTE_CNAM;A;APPA;ARSAS;AAAH;NOTE_CNAF"
)
REVN = _REVN.split(";")
_IPRO = (
    "CODGEO;LIBGEO;TX_TOT_EMPL;TX_F_EMPL;TX_ET_EMPL;TX_TOT_EDLIM;TX_F_EDLIM;TX_ET_EDLIM;CA;NOTE_ASP;EVOL_CA_N_E ;NOTE_ASP_E;"
    "ABCDE;ABCDE_F;ABCDE_H;ABC;ABC_F;ABC_H;ABC_RSA;ABC_RSA_F;ABC_RSA_H;A;A_F;A_H;ABC_25;ABC_2649;ABC_50;ABC_FR;ABC_E;"
    "ABC_DUR1;ABC_DUR2;ABC_DUR3;ABC_DUR4;NOTE_PE"
)
IPRO = _IPRO.split(";")
_VIDES = {"DEMO": 24, "REVN": 40, "IPRO": 18}  # unnamed trailing columns, as published
_PROTEGEES = ("TX_TOT_MEN6", "TX_TOT_ET", "TX_F_ET", "A_NETUD_24", "A_ETUD", "CA", "TX_ET_EMPL", "TX_ET_EDLIM", "AAAH")


def _entier(valeur: float) -> str:
    return f"{round(valeur):,}".replace(",", "\u202f")


def _taux(valeur: float) -> str:
    return f"{valeur:.1f}".replace(".", ",")


def population(code: str) -> int:
    """Invented population of a neighbourhood: most are small, a few are large."""
    hasard = tirage("population", code)
    return min(14800, max(1010, round(hasard.lognormvariate(7.85, 0.6))))


def _communes(plan: Plan) -> dict[str, tuple[int, int]]:
    """Population in QPV, and whole population, of each invented town."""
    sommes = dict.fromkeys(communes(plan), 0)
    for quartier in qpv(plan):
        for ville in quartier["communes"]:
            sommes[ville] += population(quartier["code"])
    return {v: (somme, round(somme * tirage("ville", v).uniform(1.8, 7))) for v, somme in sommes.items()}


def _quartiers() -> Iterator[tuple[str, str, str, int, int]]:
    lignes = []
    for plan in PLANS:
        totaux = _communes(plan)
        for quartier in qpv(plan):
            ville = quartier["communes"][0]
            lignes.append((quartier["code"], quartier["nom"], ville, *totaux[ville]))
    yield from sorted(lignes)


def _demo(code: str, ville: str, en_qpv: int, en_tout: int, hasard: Random) -> dict[str, str]:
    pop = population(code)
    jeunes, vieux = hasard.uniform(30, 47), hasard.uniform(12, 27)
    allocataires = pop * hasard.uniform(0.26, 0.36)
    enfants = pop * hasard.uniform(0.24, 0.36)
    ages = (0.15, 0.16, 0.26, 0.19, 0.13, 0.11)
    champs = dict(zip(("ENF_2", "ENF_3_5", "ENF_6_10", "ENF_11_14", "ENF_15_17", "ENF_18_24"), ages, strict=True))
    parts = {
        "AM": 0.23,
        "AI": 0.47,
        "ACSSENF": 0.08,
        "ACAVENF": 0.21,
        "AC3ENF": 0.09,
        "A_NETUD_24": 0.06,
        "A_ETUD": 0.03,
    }
    return {
        "POP_MUN": _entier(pop),
        "POP_COM_QP": _entier(en_qpv),
        "POP_COM": _entier(en_tout),
        "LIB_COM": ville,
        "TX_F": _taux(hasard.uniform(49.5, 57.5)),
        "TX_TOT_0A24": _taux(jeunes),
        "TX_F_0A24": _taux(jeunes - hasard.uniform(1, 5)),
        "TX_TOT_60ETPLUS": _taux(vieux),
        "TX_F_60ETPLUS": _taux(vieux + hasard.uniform(1, 5)),
        "IND_JEUNE": _taux(0.82 * jeunes / vieux),
        "TX_TOT_MEN1": _taux(hasard.uniform(31, 50)),
        "TX_TOT_MEN6": _taux(hasard.uniform(1.5, 7)),
        "TX_TOT_ET": _taux(hasard.uniform(2, 19)),
        "TX_F_ET": _taux(hasard.uniform(2, 18)),
        "NOTE_RP": "0",
        "A": _entier(allocataires),
        "PERCOU": _entier(allocataires * hasard.uniform(2.0, 2.5)),
        **{nom: _entier(allocataires * part * hasard.uniform(0.8, 1.2)) for nom, part in parts.items()},
        "ENF": _entier(enfants),
        **{nom: _entier(enfants * part * hasard.uniform(0.9, 1.1)) for nom, part in champs.items()},
        "NOTE_CNAF": "0",
    }


def _revenus(prefixe: str, mediane: float, hasard: Random) -> dict[str, str]:
    rapports = {"Q2": 1.0, "Q1": 0.72, "Q3": 1.36, "D1": 0.55, "D9": 1.82}
    if prefixe == "DECUC":
        rapports = {"Q2": 1.0, "Q1": 0.38, "Q3": 1.85, "D1": 0.04, "D9": 2.7}
    valeurs = {nom: mediane * rapport * hasard.uniform(0.97, 1.03) for nom, rapport in rapports.items()}
    sortie = {f"{prefixe}_{nom}": _entier(valeur) for nom, valeur in valeurs.items()}
    return {**sortie, f"{prefixe}_D1D9": _taux(valeurs["D9"] / valeurs["D1"]) if prefixe == "DISP" else ""}


def _revn(code: str, hasard: Random) -> dict[str, str]:
    pop = population(code)
    pauvrete = min(66.0, max(21.0, hasard.gauss(44, 8)))
    disponible = 17600 - 105 * pauvrete + hasard.uniform(-300, 300)
    return {
        "PMIMP": _taux(hasard.uniform(16, 38)),
        **_revenus("DECUC", disponible * 0.7, hasard),
        "BREV": _taux(min(80.0, pauvrete + hasard.uniform(10, 18))),
        **_revenus("DISP", disponible, hasard),
        "TP60": _taux(pauvrete),
        "PACT": _taux(hasard.uniform(44, 66)),
        "PPEN": _taux(hasard.uniform(14, 34)),
        "PPSOC": _taux(hasard.uniform(15, 32)),
        "PIMPOT": _taux(-hasard.uniform(6, 11)),
        "PPAT": _taux(hasard.uniform(2, 6)),
        "NOTE_FILO": "0",
        "C": _entier(pop * hasard.uniform(0.8, 0.98)),
        "CC2S": _entier(pop * hasard.uniform(0.2, 0.42)),
        "NOTE_CNAM": "0",
        "A": _entier(pop * hasard.uniform(0.26, 0.36)),
        "APPA": _entier(pop * hasard.uniform(0.06, 0.13)),
        "ARSAS": _entier(pop * hasard.uniform(0.07, 0.16)),
        "AAAH": _entier(pop * hasard.uniform(0.02, 0.05)),
        "NOTE_CNAF": "0",
    }


def _ipro(code: str, hasard: Random) -> dict[str, str]:
    pop = population(code)
    emploi = hasard.uniform(32, 55)
    demandeurs = pop * hasard.uniform(0.11, 0.2)
    femmes = hasard.uniform(0.42, 0.52)
    sortie = {
        "TX_TOT_EMPL": _taux(emploi),
        "TX_F_EMPL": _taux(emploi - hasard.uniform(2, 9)),
        "TX_ET_EMPL": _taux(emploi - hasard.uniform(3, 14)),
        "TX_TOT_EDLIM": _taux(hasard.uniform(18, 33)),
        "TX_F_EDLIM": _taux(hasard.uniform(18, 34)),
        "TX_ET_EDLIM": _taux(hasard.uniform(20, 38)),
        "CA": _entier(pop * hasard.uniform(0.004, 0.02)),
        **dict.fromkeys(("NOTE_ASP", "NOTE_ASP_E", "NOTE_PE"), "0"),
    }
    for nom, part in {"ABCDE": 1.0, "ABC": 0.92, "ABC_RSA": 0.28, "A": 0.66}.items():
        total = round(demandeurs * part)
        partie = round(total * femmes)
        sortie |= {nom: _entier(total), f"{nom}_F": _entier(partie), f"{nom}_H": _entier(total - partie)}
    parts = {"25": 0.16, "2649": 0.6, "50": 0.24, "FR": 0.86, "E": 0.14}
    durees = {"DUR1": 0.44, "DUR2": 0.23, "DUR3": 0.15, "DUR4": 0.18}
    abc = demandeurs * 0.92
    return {**sortie, **{f"ABC_{nom}": _entier(abc * part) for nom, part in {**parts, **durees}.items()}}


def fichiers() -> dict[str, bytes]:
    """Three files with the layout of the 2021 edition: BOM, CRLF, ``;``, U+202F, decimal comma, empty columns at the end."""
    textes = {nom: [";".join(colonnes)] for nom, colonnes in (("DEMO", DEMO), ("REVN", REVN), ("IPRO", IPRO))}
    for code, nom, ville, en_qpv, en_tout in _quartiers():
        lignes = {
            "DEMO": (DEMO, _demo(code, ville, en_qpv, en_tout, tirage("demo", code))),
            "REVN": (REVN, _revn(code, tirage("revn", code))),
            "IPRO": (IPRO, _ipro(code, tirage("ipro", code))),
        }
        for theme, (colonnes, valeurs) in lignes.items():
            petit = population(code) < 1700
            for protegee in _PROTEGEES:
                if petit and protegee in valeurs and tirage("secret", code, protegee).random() < 0.5:
                    valeurs[protegee] = ""
            cellules = {**valeurs, "CODGEO": code, "LIBGEO": nom}
            textes[theme].append(";".join(cellules.get(colonne, "") for colonne in colonnes))
    return {
        f"{theme}_2021_fictif.csv": "".join(ligne + ";" * _VIDES[theme] + "\r\n" for ligne in lignes).encode(
            "utf-8-sig"
        )
        for theme, lignes in textes.items()
    }
