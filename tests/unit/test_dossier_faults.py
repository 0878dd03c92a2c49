"""Each message DON-001 to DON-044: its faulty file provokes it, at the right place, with the right words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evalkit.errors import CATALOGUE, EvalkitError, Fault
from evalkit.loaders import grids
from evalkit.loaders.dossier import check_dossier, load_dossier
from tests.fabrique import make_question, make_referentiel

BROKEN = Path(__file__).parents[1] / "fichiers_fautifs"
CAMPAGNE = 'libelle: "Campagne d’essai"\nannee: 2022\ndate_reference: "2022-11-30"\nreferentiel_version: "0.0.1"\n'
TERRITOIRE = 'nom: "Contrat de ville de Valtest"\nfictif: oui\ndepartement: "59"\ngeneration: "2015"\n'
COUNCIL = {
    "tous": [{"fait": "conseil_citoyen", "egal": True}],
    "explication": "Le territoire n’a pas de conseil citoyen.",
}
REFERENTIEL = make_referentiel(
    [make_question("Q1"), make_question("Q2"), make_question("Q3", 2, applicable_si=COUNCIL)]
)

# folder -> (code, words of the place, words of the rest) for each fault that must be there
EXPECTED: dict[str, list[tuple[str, str, str]]] = {
    "DON-001-page-web": [("DON-001", "evaluation.xlsx", "une page web")],
    "DON-001-archive": [("DON-001", "evaluation.xlsx", "une archive qui n’est pas un classeur")],
    "DON-001-csv-binaire": [("DON-001", "cotations.csv", "un fichier CSV")],
    "DON-002-mot-de-passe": [("DON-002", "evaluation.xlsx", "effacez le mot de passe")],
    "DON-003-part-hors-bornes": [
        ("DON-003", "ligne 2, colonne « valeur » (Q1.1.a, 2022)", "saisissez 14,25"),
        ("DON-003", "ligne 3, colonne « valeur »", "saisissez 14,25"),
    ],
    "DON-004-fichier-vide": [("DON-004", "cotations.csv", "un fichier vide")],
    "DON-005-trop-gros": [("DON-005", "cotations.csv", "Mo au plus")],
    "DON-005-se-deplie": [("DON-005", "evaluation.xlsx", "se déplie")],
    "DON-005-cellule-tres-loin": [("DON-005", "feuille « cotations »", "Ctrl+Fin")],
    "DON-006-ancien-format": [("DON-006", "evaluation.xls", "Enregistrer sous")],
    "DON-007-sans-titres": [("DON-007", "cotations.csv, ligne 1", "sous_question, repondant")],
    "DON-008-colonne-absente": [("DON-008", "cotations.csv, ligne 1", "« groupe »")],
    "DON-009-colonne-presque-juste": [("DON-009", "ligne 1, colonne « repondants »", "écrivez « repondant » ?")],
    "DON-009-feuille-presque-juste": [("DON-009", "feuille « cotation »", "« cotations »")],
    "DON-010-deux-colonnes": [("DON-010", "colonne « Niveau »", "supprimez l’une des deux")],
    "DON-011-csv-et-feuille": [("DON-011", "feuille « cotations »", "cotations.csv")],
    "DON-012-cellule-vide": [("DON-012", "ligne 2, colonne « publiable »", "dans le doute, non")],
    "DON-013-codes-inconnus": [
        ("DON-013", "ligne 2, colonne « sous_question »", "écrivez « Q1.1 » ?"),
        ("DON-013", "ligne 3, colonne « groupe »", "écrivez « association » ?"),
        ("DON-013", "indicateurs.csv, ligne 2, colonne « indicateur »", "« Q1.1.z »"),
        ("DON-013", "actions.csv, ligne 2, colonne « qpv_codes »", "QF059009"),
    ],
    "DON-014-niveau-hors-echelle": [
        ("DON-014", "feuille « cotations », cellule D3 (Q1.2, R01)", "de 0 à 5"),
        ("DON-014", "feuille « cotations », cellule D4", "choisissez 2 ou 3"),
    ],
    "DON-015-fraction-inversee": [("DON-015", "ligne 2, colonne « numerateur »", "31 sur 18")],
    "DON-016-nombres-illisibles": [
        ("DON-016", "ligne 2, colonne « numerateur »", "videz numérateur et dénominateur, et écrivez non_repondu"),
        (
            "DON-016",
            "ligne 3, colonne « valeur »",
            "tapez 3 seul si c’est le nombre exact ; sinon videz la case et écrivez non_repondu",
        ),
        ("DON-016", "ligne 4, colonne « valeur »", "un seul nombre"),
    ],
    "DON-017-dates-illisibles": [
        ("DON-017", "ligne 2, colonne « date »", "ajoutez l’année"),
        ("DON-017", "ligne 3, colonne « date »", "25/03/2022"),
        ("DON-017", "ligne 4, colonne « date »", "n’existe pas"),
    ],
    "DON-018-hors-de-la-liste": [
        ("DON-018", "constats.csv, ligne 2, colonne « type »", "écrivez « reussite » ?"),
        ("DON-018", "indicateurs.csv, ligne 2, colonne « valeur »", "écrivez « complet » ?"),
    ],
    "DON-052-deux-groupes": [("DON-052", "cotations.csv, ligne 3, colonne « groupe »", "« etat » ligne 2")],
    "DON-019-deux-lignes": [
        ("DON-019", "cotations.csv, ligne 3", "la première : ligne 2"),
        ("DON-019", "arbitrages.csv, ligne 3", "un seul niveau arrêté"),
    ],
    "DON-020-nom-de-personne": [
        ("DON-020", "cotations.csv, ligne 2, colonne « repondant »", "« Z… M… » (masqué)"),
        ("DON-020", "constats.csv, ligne 2, colonne « responsable »", "une fonction"),
    ],
    "DON-021-formules": [
        ("DON-021", "feuille « indicateurs », cellule D2", "#DIV/0!"),
        ("DON-021", "feuille « indicateurs », cellule D3", "n’est pas enregistré"),
    ],
    "DON-022-autre-version": [("DON-022", "evaluation.xlsx", "version 2031.4")],
    "DON-023-cle-inconnue": [("DON-023", "territoire.yml, ligne 5", "écrivez « departement » ?")],
    "DON-024-sans-nom": [("DON-024", "territoire.yml", "pas de « nom »")],
    "DON-025-quartiers": [
        ("DON-025", "territoire.yml, ligne 6", "un code inventé"),
        ("DON-025", "territoire.yml, ligne 8", "QP005901"),
    ],
    "DON-026-guillemet": [("DON-026", "cotations.csv, ligne 2", "guillemet")],
    "DON-027-sans-campagne": [("DON-027", "2022/campagne.yml", "fichier absent")],
    "DON-028-pas-utf8": [("DON-028", "territoire.yml, ligne 1", "UTF-8")],
    "DON-029-deux-points": [("DON-029", "territoire.yml, ligne 5", "guillemets")],
    "DON-030-cle-repetee": [("DON-030", "territoire.yml, ligne 5", "deux fois")],
    "DON-031-reparations": [
        ("DON-031", "indicateurs.csv, ligne 2, colonne « valeur »", "12,5 %"),
        ("DON-031", "indicateurs.csv, ligne 3, colonne « numerateur »", "espaces des milliers"),
        ("DON-031", "indicateurs.csv, ligne 4, colonne « valeur »", "jamais comme un zéro"),
        ("DON-031", "cotations.csv, ligne 1", "au-dessus des titres"),
        ("DON-031", "cotations.csv, ligne 2, colonne « Répondant »", "lu comme « repondant »"),
        ("DON-031", "cotations.csv, ligne 3, colonne « repondant »", "lu comme R01"),
        ("DON-031", "cotations.csv, ligne 3, colonne « niveau »", "niveau 3"),
        ("DON-031", "cotations.csv, ligne 3, colonne « date »", "03/09/2022"),
    ],
    "DON-032-sans-niveau": [
        ("DON-032", "ligne 3, colonne « niveau » (Q1.2)", "« nr »"),
        ("DON-032", "cotations.csv, ligne 4", "titres répétée"),
    ],
    "DON-033-colonne-inconnue": [
        ("DON-033", "colonne « couleur préférée »", "colonne inconnue"),
        ("DON-033", "ligne 2, colonne « n° 6 »", "sans titre"),
    ],
    "DON-034-fusion": [
        ("DON-034", "feuille « cotations », cellule A2", "dissociez"),
        ("DON-012", "feuille « cotations », cellule A3", "une cellule vide"),
    ],
    "DON-035-encodage": [("DON-035", "cotations.csv", "cp1252")],
    "DON-036-ne-comptera-pas": [("DON-036", "ligne 2, colonne « sous_question »", "pas de conseil citoyen")],
    "DON-037-ne-se-saisit-pas": [("DON-037", "ligne 2, colonne « indicateur »", "Q1.3.a")],
    "DON-038-annee-eloignee": [("DON-038", "ligne 2, colonne « annee »", "2012")],
    "DON-039-dates-en-desordre": [("DON-039", "ligne 2, colonne « date_notification »", "« date_depot »")],
    "DON-040-suivi-sans-campagne": [("DON-040", "suivis.csv, ligne 2", "campagne_precedente")],
    "DON-041-constat-absent": [("DON-041", "ligne 3, colonne « repond_a »", "« C11 »")],
    "DON-042-couche-locale": [
        ("DON-042", "local.yml, ligne 2", "déjà dans le référentiel"),
        ("DON-042", "local.yml, ligne 4", "sans code"),
    ],
    "DON-043-incomplete": [
        ("DON-043", "ligne 2, colonne « denominateur »", "sans dénominateur"),
        ("DON-043", "ligne 3, colonne « silence »", "une valeur, ou un silence"),
    ],
    "DON-018-marque": [("DON-018", "territoire.yml, ligne 5 (marque)", "brouillon, diffusion_restreinte, public")],
    "DON-018-marque-presque": [("DON-018", "territoire.yml, ligne 5", "écrivez « brouillon » ?")],
    "DON-024-logo-sans-texte": [("DON-024", "territoire.yml", "« logo_texte »")],
    "DON-050-logo-absent": [("DON-050", "territoire.yml, ligne 5 (logo)", "écrivez « blasson.png » ?")],
    "DON-050-logo-ailleurs": [("DON-050", "territoire.yml, ligne 5", "copiez l’image dans le dossier")],
    "DON-050-logo-faux": [("DON-050", "territoire.yml, ligne 5", "ni PNG ni JPEG")],
    "DON-050-logo-abime": [("DON-050", "territoire.yml, ligne 5", "une image abîmée")],
    "DON-051-texte-qui-nomme": [("DON-051", "textes/q1.md, ligne 3", "remplacez le nom par la fonction")],
    "DON-044-valeur-et-fraction": [("DON-044", "ligne 2, colonne « valeur »", "50 %")],
}
LIMITS = {"DON-005-trop-gros": ("MAX_FILE_BYTES", 50), "DON-005-se-deplie": ("MAX_UNZIPPED_BYTES", 500)}


def lay(tmp_path: Path, folder: str) -> Path:
    """A sound dossier in a campaign, with the files of a faulty folder laid over it."""
    dossier = tmp_path / "2022" / "valtest"
    dossier.mkdir(parents=True)
    (dossier / "territoire.yml").write_text(TERRITOIRE, encoding="utf-8")
    shutil.copytree(BROKEN / folder, dossier, dirs_exist_ok=True)
    if (dossier / "SANS-CAMPAGNE").exists():
        (dossier / "SANS-CAMPAGNE").unlink()
    else:
        (tmp_path / "2022" / "campagne.yml").write_text(CAMPAGNE, encoding="utf-8")
    return dossier


def all_words(fault: Fault) -> str:
    return " | ".join((fault.read, fault.expected, fault.fix))


@pytest.mark.parametrize("folder", EXPECTED)
def test_faulty_file_is_answered_with_place_and_cure(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every expected fault of the folder is there, with its place; an error blocks, a warning does not."""
    if folder in LIMITS:
        monkeypatch.setattr(grids, *LIMITS[folder])
    dossier = lay(tmp_path, folder)
    faults = check_dossier(dossier, REFERENTIEL).faults
    for code, place, words in EXPECTED[folder]:
        found = [fault for fault in faults if fault.code == code and place in str(fault.place)]
        assert found, "\n".join(map(str, faults))
        assert any(words in all_words(fault) for fault in found), "\n".join(map(str, found))
    codes = {code for code, _, _ in EXPECTED[folder]}
    unexpected = [fault for fault in faults if fault.code not in codes and fault.severity == "erreur"]
    assert not unexpected, "\n".join(map(str, unexpected))
    errors = {fault.code for fault in faults if fault.severity == "erreur"}
    if errors:
        with pytest.raises(EvalkitError) as raised:
            load_dossier(dossier, REFERENTIEL)
        assert errors <= {fault.code for fault in raised.value.faults}
    else:
        assert codes <= {fault.code for fault in load_dossier(dossier, REFERENTIEL).avertissements}


def test_every_reader_message_has_a_faulty_file() -> None:
    """DON-001 to DON-059 each have a folder here, and each folder is in the table above."""
    mine = {code for code in CATALOGUE if code.startswith("DON-") and code < "DON-060"}
    folders = {path.name for path in BROKEN.glob("DON-0[0-5]*")}
    assert folders == set(EXPECTED)
    assert mine == {name[:7] for name in folders}


def test_messages_never_repeat_a_name(tmp_path: Path) -> None:
    """What looks like a person is masked everywhere, in the text and in the data for programs."""
    faults = check_dossier(lay(tmp_path, "DON-020-nom-de-personne"), REFERENTIEL).faults
    told = "\n".join([*map(str, faults), *(str(fault.as_dict()) for fault in faults)])
    assert "Zélie" not in told
    assert "Montfauve" not in told
