"""Make ``sample_data/`` again, byte for byte: ``python -m outils_dev.fabriquer_exemples [--vers DOSSIER]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from evalkit.loaders.resources import resource_dir
from outils_dev.exemples import ecriture
from outils_dev.exemples.dossiers import fabriquer_campagnes

RACINE = Path(__file__).resolve().parent.parent


def main() -> None:
    """Write every invented campaign under the chosen folder."""
    analyse = argparse.ArgumentParser(description="Fabrique les exemples fictifs livrés avec evalkit.")
    analyse.add_argument("--vers", type=Path, default=RACINE / "sample_data", help="dossier à remplir")
    analyse.add_argument("--seulement", nargs="*", default=None, help="dossiers à écrire (tous par défaut)")
    choix = analyse.parse_args()
    fichiers = fabriquer_campagnes(choix.vers, resource_dir("referentiel"), choix.seulement)
    print(f"{fichiers} dossiers écrits dans {choix.vers}")


if __name__ == "__main__":
    main()
    _ = ecriture
