"""Open data: each message is provoked by its faulty file, and says where and how to mend it."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from evalkit.errors import EvalkitError, Fault
from evalkit.loaders.open_data import (
    load_context_dictionary,
    make_territories,
    read_context_files,
    read_contracts,
    read_qpv_list,
    write_context,
)
from evalkit.loaders.open_data_dictionary import ContextDictionary, Corrections

FAULTY = Path(__file__).resolve().parents[1] / "fichiers_fautifs"


def found(code: str) -> list[Path]:
    """Files of the faulty example of a code."""
    (path,) = FAULTY.glob(f"{code}*")
    return sorted(path.rglob("*.csv")) if path.is_dir() else [path]


def folder(code: str) -> Path:
    """Folder of the faulty example of a code."""
    (path,) = FAULTY.glob(f"{code}*")
    return path


def import_region(code: str, tmp_path: Path, generation: str = "2015", date: str = "2022-06-30", **options: object):
    """Run the import of contracts on the files of a faulty folder."""
    files = [path for path in sorted(folder(code).iterdir()) if path.suffix in (".csv", ".geojson")]
    return make_territories(files, generation, tmp_path / "campagne", date_reference=date, **options)


def only(faults: list[Fault] | tuple[Fault, ...], code: str) -> list[Fault]:
    return [fault for fault in faults if fault.code == code]


@pytest.mark.parametrize(
    ("code", "count", "where", "words"),
    [
        ("DON-060", 1, "inconnu_2019.csv", "DEMO, IPRO, REVN"),
        ("DON-061", 1, "sans-annee", "DEMO_2019.csv"),
        ("DON-062", 1, "ligne 1", "CODGEO"),
        ("DON-063", 2, "ligne 3, colonne « CODGEO »", "Q099002"),
        ("DON-064", 3, "ligne 3, colonne « POP_MUN »", "12 345,6"),
        ("DON-065", 1, "DEMO_2019_b.csv, ligne 2, colonne « PERCOU »", "« 612 » dans"),
        ("DON-066", 1, "DEMO_2019_b.csv", "3 valeurs déjà lues"),
        ("DON-067", 2, "colonne « TX_NEUVE »", "sans libellé ni unité"),
        ("DON-068", 1, "DEMO_2033.csv", "l'édition 2033"),
        ("DON-069", 1, "ligne 1", "des colonnes de DEMO et REVN"),
        ("DON-070", 1, "colonne « POP_MUN »", "deux fois"),
        ("DON-071", 1, "geographies.csv", "(à partir de la ligne 3)"),
        ("DON-083", 1, "colonne « EVOL_CA_N_E »", "espace en trop"),
        ("DON-084", 1, "ligne 2 (colonne n° 8)", "« 42 » dans une colonne sans nom"),
        ("DON-086", 1, "vide.csv", "téléchargez-le de nouveau"),
    ],
)
def test_context_file_faults(code: str, count: int, where: str, words: str) -> None:
    """A faulty context file is answered with its place and its cure."""
    faults = only(read_context_files(found(code)).faults, code)
    assert len(faults) == count
    assert where in str(faults[0].place)
    assert words in str(faults[0])


def test_a_differing_repeat_gives_both_places() -> None:
    """Two values for one key: the fault names both files and both lines, and both values."""
    (fault,) = only(read_context_files(found("DON-065")).faults, "DON-065")
    assert "DEMO_2019_a.csv, ligne 2" in fault.read
    assert "« 613 » ici" in fault.read
    with pytest.raises(EvalkitError, match="DON-065"):
        read_context_files(found("DON-065")).checked()


def test_a_differing_repeat_with_what_was_imported_before_changes_nothing(tmp_path: Path) -> None:
    """A second import that contradicts the first one is refused and leaves the file as it was."""
    first, second = found("DON-065")
    write_context(read_context_files([first]).frame, tmp_path)
    before = (tmp_path / "contexte.parquet").read_bytes()
    with pytest.raises(EvalkitError) as caught:
        write_context(read_context_files([second]).frame, tmp_path)
    assert "DEMO_2019_a.csv" in str(caught.value)
    assert "DEMO_2019_b.csv" in str(caught.value)
    assert (tmp_path / "contexte.parquet").read_bytes() == before


def test_two_different_silences_are_two_different_values(tmp_path: Path) -> None:
    """Secret in one file, not significant in the other: neither is dropped in silence."""
    for name, cell in (("DEMO_2019_a.csv", "s"), ("DEMO_2019_b.csv", "ns")):
        (tmp_path / name).write_text(f"CODGEO;POP_MUN\nQP099001;{cell}\n", encoding="utf-8")
    (fault,) = read_context_files(tmp_path.glob("*.csv")).errors
    assert (fault.code, "« non_significatif » ici, « secret »" in fault.read) == ("DON-065", True)


def test_unknown_variables_are_kept_when_they_are_numbers() -> None:
    """An unknown number is kept without a meaning; an unknown text is left out; both are said."""
    imported = read_context_files(found("DON-067"))
    rows = imported.frame[imported.frame["variable"] == "TX_NEUVE"]
    assert rows["valeur"].tolist() == [7]
    assert rows["unite"].isna().all()
    assert "AVIS" not in set(imported.frame["variable"])
    assert imported.fichiers[0].inconnues == ("TX_NEUVE",)


def test_damaged_parquet_is_said(tmp_path: Path) -> None:
    """A contexte.parquet that is not one is never replaced in silence."""
    shutil.copy(found("DON-085")[0], tmp_path / "contexte.parquet")
    with pytest.raises(EvalkitError, match="DON-085"):
        write_context(read_context_files(found("DON-083")).frame, tmp_path)
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "contexte.parquet")
    with pytest.raises(EvalkitError, match="sans colonne qpv"):
        write_context(read_context_files(found("DON-083")).frame, tmp_path)


@pytest.mark.parametrize("name", ["DON-072-coupe.geojson", "DON-072-sans-liste.geojson"])
def test_broken_geojson(name: str) -> None:
    """A cut GeoJSON is said with its line."""
    with pytest.raises(EvalkitError, match="DON-072"):
        read_contracts(FAULTY / name)


def test_list_without_code_column() -> None:
    """The columns that were read are shown."""
    with pytest.raises(EvalkitError, match="lib_qp, insee_com"):
        read_qpv_list(found("DON-073")[0])


def test_lost_zeros_are_restored_and_said() -> None:
    """ANCT's layout: BOM, blank row, several communes in a cell, zeros lost by a spreadsheet."""
    listed = read_qpv_list(found("DON-076")[0])
    (entry,) = listed.quartiers
    assert entry.insee_communes == ("09001", "99002")
    assert entry.departement == "09"
    assert entry.communes == ("Ardelle", "Saint-Orgel")
    assert "« 9001 »" in listed.faults[0].read


def test_broken_dictionary_gives_lines() -> None:
    """Unknown key, missing key and wrong value of the dictionary: all at once, with lines."""
    with pytest.raises(EvalkitError) as caught:
        load_context_dictionary(folder("DON-088"))
    assert {fault.place.line for fault in caught.value.faults} >= {12, 13}
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("generation", ["", "2019"])
def test_generation_is_asked(generation: str, tmp_path: Path) -> None:
    """Nothing is guessed: 2015 or 2024."""
    with pytest.raises(EvalkitError, match="--generation 2015") as caught:
        import_region("DON-074", tmp_path, generation)
    assert caught.value.faults[0].code == "DON-074"
    assert not (tmp_path / "campagne").exists()


def test_missing_file_is_named(tmp_path: Path) -> None:
    """Without the list of contracts nothing is written."""
    with pytest.raises(EvalkitError, match="la liste des contrats de 2015"):
        import_region("DON-075", tmp_path)
    with pytest.raises(EvalkitError, match="une liste des quartiers de 2024"):
        import_region("DON-075", tmp_path, "2024")
    assert not (tmp_path / "campagne").exists()


@pytest.mark.parametrize("date", ["", "30/06/2022", "2022-02-30"])
def test_reference_date_is_asked(date: str, tmp_path: Path) -> None:
    """The date printed on documents never comes from the clock."""
    with pytest.raises(EvalkitError, match="DON-089"):
        import_region("DON-089", tmp_path, date=date)


def test_neighbourhood_of_two_contracts_waits(tmp_path: Path) -> None:
    """It is listed, attached nowhere, and named beside the difference of population that it explains."""
    result = import_region("DON-077", tmp_path)
    (pending,) = result.rattachement.a_rattacher
    assert (pending.qpv, len(pending.candidats)) == ("QP099001", 2)
    assert "QP099001" not in result.rattachement.contrats
    assert "CC du Val, CA de la Plaine" in only(result.faults, "DON-077")[0].read
    (difference,) = result.differences
    assert difference["quartiers_a_rattacher"] == ["QP099001"]
    assert difference["somme_pop_mun"] is None
    assert "quartiers: []" not in (tmp_path / "campagne" / "cc-du-val" / "territoire.yml").read_text(encoding="utf-8")


def test_population_difference_is_said(tmp_path: Path) -> None:
    """One inhabitant too few is said, and the import goes on."""
    result = import_region("DON-078", tmp_path)
    assert [(d["code"], d["ecart"]) for d in result.differences] == [("CV902", -1)]
    assert "900 habitants" in only(result.faults, "DON-078")[0].read


def test_commune_that_cannot_be_placed(tmp_path: Path) -> None:
    """A commune that no file knows leaves its neighbourhood to attach."""
    result = import_region("DON-079", tmp_path)
    assert "Introuvable" in str(only(result.faults, "DON-079")[0].place)
    assert [item.qpv for item in result.rattachement.a_rattacher] == ["QP099001"]


def test_existing_folder_is_kept(tmp_path: Path) -> None:
    """What a person wrote is never overwritten."""
    shutil.copytree(folder("DON-080") / "campagne", tmp_path / "campagne")
    result = import_region("DON-080", tmp_path)
    kept = tmp_path / "campagne" / "cc-du-val" / "territoire.yml"
    assert "Corrigé à la main" in kept.read_text(encoding="utf-8")
    assert str(kept) in str(only(result.faults, "DON-080")[0].place)
    assert [item.ecrit for item in result.territoires] == [False, True, True]


def test_wrong_correction_is_refused(tmp_path: Path) -> None:
    """A correction towards a contract that is not in the list blocks the import."""
    base = load_context_dictionary()
    wrong = load_context_dictionary_corrections(folder("DON-081"), base)
    with pytest.raises(EvalkitError, match="CV999"):
        import_region("DON-081", tmp_path, dictionary=wrong)


def load_context_dictionary_corrections(path: Path, base: ContextDictionary) -> ContextDictionary:
    """The shipped themes with the corrections of another folder."""
    from ruamel.yaml import YAML

    data = YAML(typ="safe").load((path / "rattachements.yml").read_text(encoding="utf-8"))
    return ContextDictionary(themes=base.themes, corrections=Corrections.model_validate(data))


def test_useless_file_is_said(tmp_path: Path) -> None:
    """A file of no use is named, and does not block."""
    assert "autre.csv" in str(only(import_region("DON-082", tmp_path).faults, "DON-082")[0].place)


def test_code_used_twice_is_told_apart_by_siren(tmp_path: Path) -> None:
    """Two contracts with one code keep their own neighbourhoods, folders and SIREN."""
    result = import_region("DON-087", tmp_path)
    assert only(result.faults, "DON-087")
    assert [(t.contract.siren, [q.code for q in t.qpv]) for t in result.territoires] == [
        ("200000001", ["QP099001"]),
        ("200000002", ["QP099002"]),
        ("200000003", ["QP099003"]),
    ]
