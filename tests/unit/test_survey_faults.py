"""Each message DON-090 to DON-109: its faulty file provokes it, at the right place, with the right words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evalkit import actions
from evalkit.errors import CATALOGUE, Fault
from evalkit.loaders.dossier import check_dossier
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.resources import resource_dir

BROKEN = Path(__file__).parents[1] / "fichiers_fautifs"
FIRST, LAST = "DON-090", "DON-109"
# folder -> (code, words of the place, words of the rest) for each message that must be there
EXPECTED: dict[str, list[tuple[str, str, str]]] = {
    "DON-090-questionnaire-inconnu": [
        ("DON-090", "brut/sondage.csv", "--enquete CODE"),
        ("DON-090", "brut/sondage.csv", "--sans-enquete brut/sondage.csv"),
    ],
    "DON-091-titre-presque-juste": [("DON-091", "ligne 1, colonne « Où se situe votre lieu", "le plus proche : A02")],
    "DON-091-choix-inconnu": [("DON-091", "colonne « A14[SQ001] »", "un choix que le questionnaire n’a pas")],
    "DON-092-non-comprises": [
        ("DON-092", "ligne 2, colonne « A02 » (A02, n° 1)", "« dans un quartier »"),
        ("DON-092", "ligne 2, colonne « A03 »", "pas un nombre"),
        ("DON-092", "ligne 3, colonne « A10 »", "« 7 »"),
        ("DON-092", "ligne 3, colonne « A06 »", "qui n’est pas montrée"),
        ("DON-092", "ligne 4, colonne « A03 »", "un numéro ou un nom"),
    ],
    "DON-092-codes-de-l-outil": [("DON-092", "colonne « A02 » (A02, n° 1)", "refaites-le avec les réponses complètes")],
    "DON-093-correspondance": [
        ("DON-093", "ligne 2 (sollicites", "« beaucoup »"),
        ("DON-093", "ligne 3 (colonne)", "écrivez « colonnes » ?"),
        ("DON-093", "ligne 5 (colonnes.Votre avis)", "« A99 »"),
        ("DON-093", "ligne 8 (reponses.A02)", "écrivez « dans_un_qpv » ?"),
        ("DON-093", "ligne 9 (essais)", "les numéros"),
        ("DON-093", "ligne 10 (depuis)", "« octobre »"),
        ("DON-093", "ligne 11 (incomprises)", "« zero »"),
    ],
    "DON-094-modifiee-a-la-main": [("DON-094", "enquetes/enq-asso.csv", "modifiée à la main")],
    "DON-095-deux-sources": [("DON-095", "brut/second.csv", "s’il le remplace : evalkit importer enquete")],
    "DON-096-rien-a-garder": [
        ("DON-096", "brut/export.csv", "aucune réponse que l’on puisse garder"),
        ("DON-099", "brut/export.csv", "3 consentements refusés ou non donnés (n° 1, 2, 3)"),
    ],
    "DON-097-sollicites": [("DON-097", "brut/export.csv", "2 sollicités pour 3 réponses")],
    "DON-098-personnes": [
        ("DON-098", "brut/export.csv", "« Nom (nom) », « Pour vous joindre (téléphone) », « Adresse IP (adresse IP) »"),
        ("DON-098", "brut/export.csv", "dans les réponses libres à A38 (n° 1)"),
    ],
    "DON-099-mises-a-part": [
        ("DON-099", "brut/export.csv", "7 lignes lues, 1 gardée"),
        ("DON-099", "brut/export.csv", "1 envoyée deux fois (n° 2)"),
        ("DON-099", "brut/export.csv", "1 rejetée dans l’outil de collecte (n° 3)"),
        ("DON-099", "brut/export.csv", "1 consentement refusé ou non donné (n° 4)"),
        ("DON-099", "brut/export.csv", "1 essai (n° 5)"),
        ("DON-099", "brut/export.csv", "1 sans aucune réponse (n° 6)"),
        ("DON-099", "brut/export.csv", "1 en dehors de la période d’enquête (n° 7)"),
    ],
    "DON-100-non-lue": [("DON-100", "brut/export.csv", "« Humeur du jour »"), ("DON-100", "", "34 questions absentes")],
    "DON-101-lues-autrement": [
        ("DON-101", "brut/export.csv", "A36 : texte libre compté dans « Autre » (1)"),
        ("DON-101", "brut/export.csv", "A10 : lue comme la note 4 (1)"),
    ],
    "DON-102-comptees-vides": [("DON-102", "ligne 2, colonne « A02 »", "rien à faire")],
    "DON-103-jumelles": [("DON-103", "brut/export.csv", "n° 1 et 2")],
    "DON-104-deux-colonnes": [
        ("DON-104", "colonne « Où se situe", "la question A02 dans deux colonnes (colonne A et colonne E)")
    ],
    "DON-105-sollicites-inconnus": [("DON-105", "brut/export.csv (ENQ-ASSO)", "--sollicites NOMBRE")],
    "DON-106-poids": [
        ("DON-106", "ligne 3, colonne « poids »", "un nombre positif"),
        ("DON-106", "ligne 4, colonne « poids »", "un nombre positif"),
    ],
    "DON-106-un-seul-fichier": [("DON-106", "brut/a.csv", "aucun dans")],
    "DON-097-population": [("DON-097", "brut/export.csv", "une population de 2 pour 3 réponses")],
    "DON-107-envoi-change": [("DON-107", "brut/export.csv", "n° 2, mis à part ; n° 1, gardé")],
    "DON-108-masquees": [("DON-108", "brut/export.xlsx", "1 ligne et 1 colonne masquées")],
    "DON-109-structures": [
        ("DON-109", "brut/export.csv", "A20 : 2 réponses, aucune structure déclarée"),
        ("DON-101", "brut/export.csv", "A20 : structures que le fichier de correspondance ne déclare pas"),
    ],
}


@pytest.fixture
def ardelle(tmp_path: Path) -> Path:
    """A sample territory without answers."""
    samples = resource_dir("sample_data")
    shutil.copytree(samples / "2022" / "ardelle", tmp_path / "2022" / "ardelle")
    shutil.rmtree(tmp_path / "2022" / "ardelle" / "enquetes", ignore_errors=True)
    for name in ("campagne.yml", "reference_regionale.json"):
        shutil.copy(samples / "2022" / name, tmp_path / "2022" / name)
    return tmp_path / "2022" / "ardelle"


def provoke(name: str, dossier: Path) -> list[Fault]:
    """Faults of the survey part of a dossier where the files of a folder were put."""
    broken = BROKEN / name
    surveys = dossier / "enquetes"
    for path in sorted(broken.glob("importer/*")):
        result = actions.import_surveys([path], dossier, actions.SurveyOptions(sollicites=("40",)))
        assert result.written, result.report()
    if (broken / "brut").is_dir():
        shutil.copytree(broken / "brut", surveys / "brut", dirs_exist_ok=True)
    for path in broken.glob("*.yml"):
        surveys.mkdir(exist_ok=True)
        shutil.copy(path, surveys / path.name)
    if name == "DON-094-modifiee-a-la-main":
        table = surveys / "enq-asso.csv"
        table.write_bytes(table.read_bytes().replace(b"maintenu", b"nettement_ameliore", 1))
    return [f for f in check_dossier(dossier, load_referentiel()).faults if FIRST <= f.code <= LAST]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_message(name: str, ardelle: Path) -> None:
    found = provoke(name, ardelle)
    for code, place, text in EXPECTED[name]:
        assert any(f.code == code and place in str(f.place) and text in str(f) for f in found), (
            f"{code} « {place} » « {text} » manque parmi :\n" + "\n".join(map(str, found))
        )
    codes = {fault.code for fault in found} - {"DON-099", "DON-100", "DON-105"}
    assert codes <= {code for code, _, _ in EXPECTED[name]}, "autre chose est dit aussi"


def test_every_survey_message_is_provoked() -> None:
    codes = {code for code in CATALOGUE if FIRST <= code <= LAST}
    assert codes == {code for expected in EXPECTED.values() for code, _, _ in expected}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_no_message_says_who(name: str, ardelle: Path) -> None:
    """Whatever the fault: no name, number, address or free text in what is said."""
    said = "\n".join(map(str, provoke(name, ardelle)))
    for secret in ("Durand", "Morel", "06 12", "Petit", "192.168", "jp@exemple.fr", "jardin"):
        assert secret not in said
