"""``evalkit nouveau``: the folder of a new territory, with its workbook to fill and its key."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from evalkit.documents.entry_workbook import FILE_NAME, write_entry_workbook
from evalkit.errors import fail
from evalkit.loaders.dossier import CAMPAGNE_FILE, load_campagne
from evalkit.loaders.fingerprint import ensure_key
from evalkit.model.referentiel import Referentiel
from evalkit.model.territory import Geographie, Territory

_TEXTS_GUIDE = """Textes libres

Chaque fichier `.md` de ce dossier devient une section du rapport :

presentation.md    ce que le lecteur doit savoir avant les résultats
q1.md, q2.md…      votre commentaire sur une question
enseignements.md   ce que vous retenez
suites.md          ce que vous comptez faire
tout autre nom     une section de plus, sous ce nom

Écrivez du texte simple ; `**gras**`, `*italique*`, listes (`- `) et intertitres (`# `) sont compris.
Vous pouvez aussi écrire ces textes dans le rapport Word, puis les reprendre ici : evalkit importer textes.
"""


def make_new_dossier(
    path: Path,
    referentiel: Referentiel,
    *,
    nom: str = "",
    departement: str = "",
    modules: Sequence[str] = (),
) -> Path:
    """Make the folder of a territory; return the workbook to fill.

    The folder may exist when it is empty: a person may have made it by hand. Nothing is ever overwritten. A
    ``campagne.yml`` beside it gives the modules, the generation and the year to write in advance.

    Raises
    ------
    EvalkitError
        USA-010: something is already there. Faults of ``campagne.yml``, when there is one.
    """
    _refuse_what_exists(path)
    beside = path.resolve().parent
    campagne = load_campagne(beside) if (beside / CAMPAGNE_FILE).is_file() else None
    generation: Geographie = "2015" if campagne and campagne.annee < 2024 else "2024"
    workbook = path / FILE_NAME
    (path / "textes").mkdir(parents=True)
    (path / "textes" / "LISEZMOI.txt").write_text(_TEXTS_GUIDE, encoding="utf-8", newline="\n")
    ensure_key(path)
    territoire = Territory(
        dossier=path.name, nom=nom, departement=departement, generation=generation, modules=tuple(modules)
    )
    partial = workbook.with_name(f".{FILE_NAME}.partiel")
    write_entry_workbook(partial, referentiel, territoire, campagne, modules)
    os.replace(partial, workbook)
    return workbook


def _refuse_what_exists(path: Path) -> None:
    if path.is_file():
        raise fail(
            "USA-010",
            path,
            read="un fichier porte déjà ce nom",
            expected="un dossier à créer",
            fix="choisissez un autre nom, ou déplacez ce fichier",
        )
    if path.is_dir() and any(path.iterdir()):
        names = sorted(item.name for item in path.iterdir())
        raise fail(
            "USA-010",
            path,
            read=f"un dossier qui contient déjà {names[0]}" + (f" et {len(names) - 1} autre(s)" if names[1:] else ""),
            expected="un dossier qui n'existe pas encore, ou vide : evalkit n'écrase jamais ce que vous avez rempli",
            fix="choisissez un autre nom de dossier, ou continuez avec celui-ci : evalkit verifier " + str(path),
        )
