"""Write an invented dossier down: YAML, CSV as people save it (three habits), or a workbook."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from evalkit.model.dossier import TABLES

Lignes = list[dict[str, object]]
ENCODAGES = {"csv": "utf-8", "csv_bom": "utf-8-sig", "csv_cp1252": "cp1252"}


def yaml(donnees: Mapping[str, object], titre: str) -> str:
    """A small readable YAML text: texts quoted, yes and no as ``oui`` and ``non``."""
    lignes = [f"# {titre}"]
    for cle, valeur in donnees.items():
        if isinstance(valeur, Mapping):
            lignes.append(f"{cle}:")
            lignes += [f"  {nom}: {_scalaire(contenu)}" for nom, contenu in valeur.items()]
        elif isinstance(valeur, list | tuple) and valeur and isinstance(valeur[0], Mapping):
            lignes.append(f"{cle}:")
            for element in valeur:
                lignes += [
                    f"  {'- ' if rang == 0 else '  '}{nom}: {_scalaire(contenu)}"
                    for rang, (nom, contenu) in enumerate(element.items())
                ]
        else:
            lignes.append(f"{cle}: {_scalaire(valeur)}")
    return "\n".join(lignes) + "\n"


def _scalaire(valeur: object) -> str:
    if isinstance(valeur, bool):
        return "oui" if valeur else "non"
    if isinstance(valeur, int | float):
        return str(valeur)
    if isinstance(valeur, list | tuple):
        return "[" + ", ".join(_scalaire(element) for element in valeur) + "]"
    return json.dumps(str(valeur), ensure_ascii=False)


def _cellule(valeur: object, francais: bool, date: bool) -> str:
    if valeur is None:
        return ""
    if isinstance(valeur, float):
        texte = f"{valeur:.2f}".rstrip("0").rstrip(".")
        return texte.replace(".", ",") if francais else texte
    texte = str(valeur)
    if date and francais and len(texte) == 10:
        annee, mois, quantieme = texte.split("-")
        return f"{quantieme}/{mois}/{annee}"
    return texte


def csv_texte(table: str, lignes: Lignes, francais: bool) -> str:
    """Text of a CSV with ``;``. ``francais``: dates as 31/12/2022; decimals always take a comma, as Excel does."""
    colonnes = TABLES[table].columns
    sortie = [";".join(colonne.name for colonne in colonnes)]
    for ligne in lignes:
        cellules = [
            _proteger(_cellule(ligne.get(c.name), francais or c.kind == "nombre", c.kind == "date" and francais))
            for c in colonnes
        ]
        sortie.append(";".join(cellules))
    return "\r\n".join(sortie) + "\r\n"


def _proteger(texte: str) -> str:
    return '"' + texte.replace('"', '""') + '"' if any(signe in texte for signe in ';"\r\n') else texte


def ecrire(chemin: Path, contenu: str | bytes, encodage: str = "utf-8") -> None:
    """Write bytes as they are: no platform line ending, parents made."""
    chemin.parent.mkdir(parents=True, exist_ok=True)
    chemin.write_bytes(contenu if isinstance(contenu, bytes) else contenu.encode(encodage, errors="strict"))


def ecrire_csv(dossier: Path, tables: Mapping[str, Lignes], forme: str) -> None:
    """Write the filled tables as CSV, in the habit of the territory."""
    for table, lignes in tables.items():
        if not lignes:
            continue
        texte = csv_texte(table, lignes, francais=forme != "csv")
        if forme == "csv_cp1252":
            texte = texte.replace("\u202f", "\u00a0")
        ecrire(dossier / f"{table}.csv", texte, ENCODAGES[forme])


def ecrire_cle(chemin: Path, nom: str) -> None:
    """The key of a sample dossier: made from its name, so that everybody gets the same stamp. Samples only."""
    ecrire(chemin, hashlib.sha256(f"evalkit sample_data {nom}".encode()).hexdigest() + "\n")


def vides(tables: Iterable[str]) -> dict[str, Lignes]:
    """Empty tables."""
    return {table: [] for table in tables}
