"""Make ``sample_data/`` again, byte for byte: ``python -m outils_dev.fabriquer_exemples [--vers DOSSIER]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from evalkit.loaders.referentiel import load_referentiel
from outils_dev.exemples.dossiers import ecrire_contexte, ecrire_reference, fabriquer_campagnes

RACINE = Path(__file__).resolve().parent.parent


def main() -> None:
    """Write every invented campaign under the chosen folder, its context included."""
    analyse = argparse.ArgumentParser(description="Fabrique les exemples fictifs livrés avec evalkit.")
    analyse.add_argument("--vers", type=Path, default=RACINE / "sample_data", help="dossier à remplir")
    vers = analyse.parse_args().vers
    referentiel = load_referentiel()
    nombre = fabriquer_campagnes(vers, referentiel)
    ecrire_contexte(vers / "2022")
    ecrire_reference(vers / "2022", referentiel.version)
    print(f"{nombre} dossiers écrits dans {vers}")


if __name__ == "__main__":
    main()
