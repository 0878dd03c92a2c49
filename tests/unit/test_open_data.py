"""Open data: the quirks of published files, the joins, and the published figures on the real files."""

import itertools
import json
import math
import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.loaders.open_data import (
    CONTEXT_COLUMNS,
    NATIONAL_ROW,
    NOT_REPRODUCED,
    Contract,
    QpvEntry,
    assign_listed,
    assign_qpv,
    check_published_figures,
    load_context_dictionary,
    make_territories,
    read_context,
    read_context_files,
    read_qpv_list,
    territory_context,
    write_context,
)
from evalkit.loaders.open_data_dictionary import ContextDictionary
from evalkit.loaders.open_data_geometry import contains, interior_point
from evalkit.loaders.open_data_joins import CommuneIndex, department_of
from evalkit.loaders.open_data_lists import CommuneShape, Perimeter, Register
from evalkit.loaders.open_data_text import commune_key, read_number, slug
from evalkit.loaders.territory import build_territory, from_yaml, read_campagne
from evalkit.model.territory import Territory

DATA = Path(os.environ.get("EVALKIT_DONNEES", ""))
needs_data = pytest.mark.skipif(
    not os.environ.get("EVALKIT_DONNEES") or not (DATA / "insee_qpv").is_dir(),
    reason="données ouvertes absentes : donnez leur dossier dans EVALKIT_DONNEES",
)
THIN = "\u202f"  # the thousands separator of the published files
BOM = "\ufeff"


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(text.encode("utf-8"))
    return path


@pytest.fixture
def published(tmp_path: Path) -> dict[str, Path]:
    """Invented extracts with every quirk of the published layouts."""
    demo = (
        f"{BOM}CODGEO;LIBGEO;POP_MUN;POP_COM;LIB_COM;TX_TOT_0A24;A;PERCOU;NOTE_CNAF;;;\r\n"
        f"Ensemble;Ensemble des QPV;5{THIN}019{THIN}573;;;39,2;1{THIN}537{THIN}600;3{THIN}628{THIN}200;;;;\r\n"
        f"QP099001;Les Tilleuls;1{THIN}035;12{THIN}970;Ardelle;35,0;248;612;0;;;\r\n"
        f"QP099002;L'Étang;900;8{THIN}001;Œuvremont, St-Orgel;;ns;s;3;;;\r\n;;;;;;;;;;;\r\n"
    )
    other = 'CODGEO;POP_MUN;POP_COM;TX_TOT_0A24;A;PERCOU\r\n"QP099001";1035;12970;35;248;612\r\n'
    revenue = (
        "CODGEO;LIBGEO;DISP_Q2;TP60;PIMPOT;A;CCMUC;NOTE_FILO\r\nQP099001;Les Tilleuls;13 742;42,2;-8,9;248;0;0\r\n"
    )
    work = "CODGEO;TX_TOT_EMPL;TX_TOT_EPREC;ABCDE;A;EVOL_CA_N_E \r\nQP099001;50,9;26,4;208;118;-80\r\n"
    later = "CODGEO;TX_TOT_EMPL;TX_TOT_EDLIM;ABCDE;A\r\nQP099001;39,2;29,2;196;111\r\n"
    return {
        "demo": put(tmp_path, "DEMO_2019_x.csv", demo),
        "autre": put(tmp_path, "data_DEMO_2019_V1_QP.csv", other),
        "revn": put(tmp_path, "REVN_2019_x.csv", revenue),
        "ipro": put(tmp_path, "IPRO_2019_x.csv", work),
        "ipro21": put(tmp_path, "IPRO_2021_x.csv", later),
    }


def value(frame: pd.DataFrame, qpv: str, theme: str, variable: str, edition: str = "2019") -> pd.Series:
    """The one row of a key."""
    rows = frame[
        (frame["qpv"] == qpv)
        & (frame["theme"] == theme)
        & (frame["variable"] == variable)
        & (frame["edition"] == edition)
    ]
    assert len(rows) == 1
    return rows.iloc[0]


def test_numbers_are_read_as_published(published: dict[str, Path]) -> None:
    """U+202F, decimal comma, minus, zero: values; nothing else."""
    frame = read_context_files(published.values()).checked().frame
    assert value(frame, "QP099001", "DEMO", "POP_MUN").valeur == 1035
    assert value(frame, NATIONAL_ROW, "DEMO", "POP_MUN").valeur == 5019573
    assert value(frame, "QP099001", "REVN", "PIMPOT").valeur == -8.9
    assert value(frame, "QP099001", "REVN", "CCMUC").valeur == 0


def test_a_silence_stays_a_silence(published: dict[str, Path]) -> None:
    """An empty cell, s and ns have no value and say which silence they are."""
    frame = read_context_files([published["demo"]]).frame
    rows = {name: value(frame, "QP099002", "DEMO", name) for name in ("TX_TOT_0A24", "A", "PERCOU")}
    assert [row.silence for row in rows.values()] == ["non_disponible", "non_significatif", "secret"]
    assert all(math.isnan(row.valeur) for row in rows.values())
    assert frame.loc[frame["silence"].isna(), "valeur"].notna().all()


def test_column_a_keeps_its_two_meanings(published: dict[str, Path]) -> None:
    """CAF recipients in DEMO and REVN, job seekers in IPRO: three rows, three themes, no indicator."""
    frame = read_context_files(published.values()).frame
    rows = frame[(frame["variable"] == "A") & (frame["qpv"] == "QP099001") & (frame["edition"] == "2019")]
    assert dict(zip(rows["theme"], rows["valeur"], strict=True)) == {"DEMO": 248, "IPRO": 118, "REVN": 248}
    known = load_context_dictionary()
    assert "CAF" in known.variable("DEMO", "A").libelle
    assert "catégorie A" in known.variable("IPRO", "A").libelle


def test_precarious_jobs_are_not_limited_term_jobs(published: dict[str, Path]) -> None:
    """CTX.5 comes from EPREC only; EDLIM, which replaced it, feeds no indicator."""
    frame = read_context_files(published.values()).frame
    assert value(frame, "QP099001", "IPRO", "TX_TOT_EPREC").indicateur == "CTX.5"
    assert pd.isna(value(frame, "QP099001", "IPRO", "TX_TOT_EDLIM", "2021").indicateur)


def test_layout_quirks(published: dict[str, Path]) -> None:
    """Unnamed columns, blank rows, a header's trailing space, release notes and names leave no false value."""
    imported = read_context_files(published.values())
    assert set(imported.frame["variable"]).isdisjoint(
        {"", "NOTE_CNAF", "NOTE_FILO", "LIB_COM", "LIBGEO", "EVOL_CA_N_E "}
    )
    assert value(imported.frame, "QP099001", "IPRO", "EVOL_CA_N_E").valeur == -80
    demo = next(item for item in imported.fichiers if item.fichier == "DEMO_2019_x.csv")
    assert (demo.n_quartiers, demo.ensemble, demo.colonnes_sans_nom, demo.notes) == (2, True, 3, ("NOTE_CNAF",))
    names = imported.quartiers.set_index(["qpv", "fichier"])
    assert names.loc[("QP099002", "DEMO_2019_x.csv"), "communes"] == "Œuvremont, St-Orgel"
    assert pd.isna(names.loc[("QP099001", "data_DEMO_2019_V1_QP.csv"), "nom"])


def test_table_follows_its_contract(published: dict[str, Path]) -> None:
    """Columns, order, dtypes and unique key of the design; the reference year is the edition's, not the name's."""
    frame = read_context_files(published.values()).frame
    assert list(frame.columns) == list(CONTEXT_COLUMNS)
    assert not frame.duplicated(["qpv", "theme", "variable", "edition"]).any()
    assert frame["valeur"].dtype == "float64"
    assert value(frame, "QP099001", "DEMO", "POP_MUN").annee_reference == "2013"
    assert pd.isna(value(frame, "QP099001", "REVN", "TP60").annee_reference)
    assert set(frame["geographie"]) == {"2015"}
    assert "DEMO_2019_x.csv" in value(frame, "QP099001", "DEMO", "POP_MUN").source


def test_order_of_files_changes_nothing(published: dict[str, Path], tmp_path: Path) -> None:
    """Same files in any order: same bytes; importing twice adds nothing."""
    files = list(published.values())
    write_context(read_context_files(files).frame, tmp_path / "a")
    write_context(read_context_files(reversed(files)).frame, tmp_path / "b" / "contexte.parquet")
    first = (tmp_path / "a" / "contexte.parquet").read_bytes()
    assert first == (tmp_path / "b" / "contexte.parquet").read_bytes()
    (warning,) = write_context(read_context_files(files).frame, tmp_path / "a")
    assert warning.code == "DON-066"
    assert first == (tmp_path / "a" / "contexte.parquet").read_bytes()


def test_a_later_import_completes_the_first(published: dict[str, Path], tmp_path: Path) -> None:
    """Importing in two times or at once gives the same file."""
    write_context(read_context_files([published["ipro"], published["demo"]]).frame, tmp_path / "a")
    assert write_context(read_context_files([published["revn"]]).frame, tmp_path / "a") == []
    files = [published[name] for name in ("demo", "revn", "ipro")]
    write_context(read_context_files(files).frame, tmp_path / "b")
    pd.testing.assert_frame_equal(
        read_context(tmp_path / "a" / "contexte.parquet"), read_context(tmp_path / "b" / "contexte.parquet")
    )


def test_national_row_is_a_comparison_only_where_it_compares(tmp_path: Path) -> None:
    """Kept for a rate that the file gives; never for a count, an empty cell, nor another geography."""
    text = "CODGEO;POP_MUN;IND_JEUNE\r\nEnsemble;5019573;1,9\r\nQP099001;1035;2,6\r\nQP099002;900;1,1\r\n"
    empty = "CODGEO;DISP_Q2;TP60\r\nEnsemble;13 101;\r\nQP099001;13 742;42,2\r\n"
    files = [put(tmp_path, "DEMO_2019.csv", text), put(tmp_path, "REVN_2019.csv", empty)]
    frame = read_context_files(files).checked().frame
    own = territory_context(frame, ["QP099001"], "2015")
    national = own[own["qpv"] == NATIONAL_ROW]
    assert dict(zip(national["variable"], national["valeur"], strict=True)) == {"IND_JEUNE": 1.9, "DISP_Q2": 13101}
    assert set(own["qpv"]) == {"QP099001", NATIONAL_ROW}
    assert set(territory_context(frame, ["QP099001"], "2024")["qpv"]) == {"QP099001"}
    assert territory_context(frame, ["QP099009"], "2015").empty


def test_any_region_and_invented_codes(tmp_path: Path) -> None:
    """Overseas, Corsican and 2024 codes pass; invented ones only where the campaign is invented."""
    head = "CODGEO;POP_MUN\r\n"
    old = put(tmp_path, "DEMO_2019_a.csv", head + "QP974001;10\r\nQP02A001;20\r\n")
    new = put(tmp_path, "DEMO_2021_b.csv", head + "QN97401M;30\r\nQN02A01I;30\r\n")
    frame = read_context_files([old, new]).checked().frame
    assert dict(zip(frame["qpv"], frame["geographie"], strict=True)) == {
        "QP02A001": "2015",
        "QP974001": "2015",
        "QN02A01I": "2024",
        "QN97401M": "2024",
    }
    invented = put(tmp_path, "DEMO_2019_c.csv", head + "QF001001;40\r\n")
    assert read_context_files([invented]).errors[0].code == "DON-063"
    assert read_context_files([invented], fictif=True).checked().frame["geographie"].tolist() == ["2015"]


@given(st.integers(-(10**9), 10**9), st.integers(0, 9), st.sampled_from(["\u202f", "\u00a0", " ", ""]))
def test_a_number_written_in_french_comes_back(whole: int, tenth: int, space: str) -> None:
    """Grouping and decimal comma are undone exactly."""
    text = f"{whole:,}".replace(",", space) + f",{tenth}"
    expected = float(f"{whole}.{tenth}")
    assert read_number(text).value == expected


@pytest.mark.parametrize("text", ["1 03 5", "1.035", "12%", "1e3", "--3", "1,2,3", "NaN", "inf", "N.C."])
def test_a_doubtful_number_is_refused(text: str) -> None:
    """Nothing is guessed."""
    assert not read_number(text).readable


def test_names_of_communes_are_compared_without_their_spelling() -> None:
    """Ligatures, accents, hyphens, case, St, and the article that some files drop."""
    assert commune_key("Mons-en-Barœul") == commune_key("MONS EN BAROEUL")
    assert commune_key("La Fère") == commune_key("Fère")
    assert commune_key("St-Orgel") == commune_key("Saint-Orgel")
    assert commune_key("Bruay-sur-l'Escaut") == commune_key("Bruay-sur-l’Escaut")
    assert slug("Communauté d'agglomération de l’Œuvre [X]") == "communaute-d-agglomeration-de-l-oeuvre-x"


def test_commune_is_sought_in_its_department_first() -> None:
    """A name found in two departments is the neighbourhood's; elsewhere only when it is the only one."""
    shapes = [
        CommuneShape(code, name, ()) for code, name in (("98001", "Ardelle"), ("99001", "Ardelle"), ("98002", "Orme"))
    ]
    index = CommuneIndex(shapes)
    assert index.code("Ardelle", "99") == "99001"
    assert index.code("Orme", "99") == "98002"
    assert index.code("Ardelle", "97") is None
    assert [department_of(code) for code in ("QP059021", "QP974001", "QN00201M", "QP02A001")] == [
        "59",
        "974",
        "02",
        "2A",
    ]


SQUARE = [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]], [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]]
CRESCENT = [[[0, 0], [10, 0], [10, 10], [9, 10], [9, 1], [1, 1], [1, 10], [0, 10], [0, 0]]]


def test_point_in_polygon_with_holes_and_parts() -> None:
    """A hole is outside; a second part is inside; a crescent's point is inside it."""
    assert contains([SQUARE], (1, 1))
    assert not contains([SQUARE], (5, 5))
    assert contains([SQUARE, [[[20, 0], [21, 0], [21, 1], [20, 1]]]], (20.5, 0.5))
    for shape in (SQUARE, CRESCENT):
        point = interior_point([shape])
        assert point is not None
        assert contains([shape], point)
    assert interior_point([]) is None
    assert interior_point([[[[0, 0], [1, 1], [2, 2]]]]) is None


def box(x: float, size: float = 4) -> list[list[list[float]]]:
    return [[[x, 0], [x + size, 0], [x + size, size], [x, size], [x, 0]]]


def contract(code: str, siren: str, name: str) -> Contract:
    return Contract(code, siren, name, "99", "", "2015")


TWO = [contract("CV901", "200000001", "Un"), contract("CV902", "200000002", "Deux")]


def test_register_serves_only_where_the_siren_of_2015_survives() -> None:
    """A commune without an outline joins by the register if its intercommunality is a contract's; otherwise not at all."""
    entries = [QpvEntry("QP099001", "A", communes=("Ardelle",)), QpvEntry("QP099002", "B", communes=("Orme",))]
    register = Register("r", {"99001": "200000002", "99002": "200009999"}, {"99001": "Ardelle", "99002": "Orme"})
    result = assign_qpv(entries, TWO, [], [], [register])
    assert result.contrats == {"QP099001": "CV902|200000002"}
    assert result.methodes == {"QP099001": "registre"}
    assert [item.qpv for item in result.a_rattacher] == ["QP099002"]


def test_map_and_register_that_disagree_leave_both_possible() -> None:
    """A simplified perimeter may be wrong at its edge: the neighbourhood waits, and the disagreement is said."""
    register = Register("r", {"99001": "200000002"}, {"99001": "Ardelle"})
    shapes = [CommuneShape("99001", "Ardelle", (box(1, 1),))]
    perimeters = [
        Perimeter("CV901", "200000001", "Un", 3, (box(0),)),
        Perimeter("CV902", "200000002", "Deux", 3, (box(9),)),
    ]
    result = assign_qpv([QpvEntry("QP099001", "A", communes=("Ardelle",))], TWO, shapes, perimeters, [register])
    assert result.contrats == {}
    assert len(result.divergences) == 1
    assert len(result.a_rattacher[0].candidats) == 2


def test_lists_of_2024_without_contracts_join_by_siren_or_commune() -> None:
    """ANCT's layout has no contract: the intercommunality's SIREN, or the commune's code for a contract of one commune."""
    contracts = [
        Contract("CN1", "200000001", "Un", "99", "", "2024"),
        Contract("CN2", "99002", "Deux", "99", "commune", "2024"),
    ]
    entries = [
        QpvEntry("QN09901M", "A", insee_communes=("99001",), sirens=("200000001",)),
        QpvEntry("QN09902M", "B", insee_communes=("99002",), sirens=("200000009",)),
        QpvEntry("QN09903M", "C", insee_communes=("99003",), sirens=("200000009",)),
    ]
    result = assign_listed(entries, contracts)
    assert result.contrats == {"QN09901M": "CN1|200000001", "QN09902M": "CN2|99002"}
    assert [item.raison for item in result.a_rattacher] == ["la liste ne lui donne aucun contrat connu"]


def test_a_neighbourhood_of_two_contracts_of_2024_is_named_in_both(tmp_path: Path) -> None:
    """The list gives it two contracts: both folders name it and the other contract, neither counts it."""
    features = [
        {
            "type": "Feature",
            "properties": {"codgeo": siren, "code_cv": code, "lib_cv": f"99 - {name} [X]", "insee_dep": "99"},
            "geometry": {"type": "Point", "coordinates": [5, 5]},
        }
        for code, siren, name in (("CN901", "200000001", "CC du Val"), ("CN902", "200000002", "CA de la Plaine"))
    ]
    contracts, listed = tmp_path / "contrats.geojson", tmp_path / "liste.csv"
    contracts.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    listed.write_text(
        "code_qp;lib_qp;insee_dep;insee_com;lib_com;code_cv\n"
        "QN09901M;Les Ormes;99;99001;Ardelle;CN901\n"
        "QN09902M;Le Pont;99;99001;Ardelle;CN901;CN902\n".replace("CN901;CN902", '"CN901;CN902"'),
        encoding="utf-8",
    )
    made = make_territories([contracts, listed], "2024", tmp_path / "2024", date_reference="2024-06-30")
    modules = read_campagne(tmp_path / "2024").modules
    plain, val = [read_territory(folder, modules) for folder in made.dossiers]
    assert [[qpv.code for qpv in territory.qpv] for territory in (plain, val)] == [[], ["QN09901M"]]
    for territory in (plain, val):
        (waiting,) = territory.qpv_a_rattacher
        assert (waiting.code, waiting.communes) == ("QN09902M", ("Ardelle",))
        assert (
            waiting.a_verifier.replace("\u00a0", " ") == "touche deux contrats (« CC du Val » et « CA de la Plaine »)"
        )
    assert "qpv_a_rattacher" in (made.dossiers[0] / "territoire.yml").read_text(encoding="utf-8")


def test_the_dictionary_is_honest_about_what_it_knows() -> None:
    """Every CTX but CTX.7 has a variable; nothing feeds CTX.7; each variable says its status and its references."""
    known = load_context_dictionary()
    variables = [variable for theme in known.themes for variable in theme.variables]
    assert {v.indicateur for v in variables if v.indicateur} == {f"CTX.{n}" for n in (1, 2, 3, 4, 5, 6, 8)}
    assert all(v.references for v in variables)
    assert {v.statut for v in variables} == {"source", "propose"}
    additive = {v.unite for v in variables if v.additive}
    assert additive <= {"habitants", "nombre"}
    assert known.variable("DEMO", "POP_MUN").annee_reference == {
        "2017": "2013",
        "2018": "2013",
        "2019": "2013",
        "2021": "2018",
    }


# --- On the real files -------------------------------------------------------------------------------------------------


def insee() -> list[Path]:
    return [path for path in sorted((DATA / "insee_qpv").glob("*.csv")) if not path.name.startswith("meta")]


def real(generation: str, campagne: Path, **options: object):
    names = [
        f"contrats_ville/contrats_ville_{generation}_hdf.geojson",
        "geo/communes_avec_qpv_hdf.geojson",
        "geo/contrats_ville_perimetres_2019_hdf.geojson",
        "registre/EPCI_2020_hdf.csv",
        "registre/cog2024/epci.json",
        "qpv/qpv2024_hdf_liste_derivee.csv",
        *(f"insee_qpv/DEMO_{edition}_hdf.csv" for edition in ("2017", "2019", "2021")),
    ]
    return make_territories(
        [DATA / name for name in names], generation, campagne, date_reference="2022-06-30", **options
    )


@needs_data
def test_the_region_s_own_figure_comes_out() -> None:
    """667 970 inhabitants in the 199 neighbourhoods of 2015 (editions 2017 and 2019), 653 409 in edition 2021."""
    imported = read_context_files(insee()).checked()
    frame = imported.frame
    local = frame[(frame["variable"] == "POP_MUN") & (frame["qpv"] != NATIONAL_ROW)]
    sums = local.groupby("edition")["valeur"].agg(["sum", "size"])
    assert sums["sum"].to_dict() == {"2017": 667970, "2019": 667970, "2021": 653409}
    assert set(sums["size"]) == {199}
    assert not frame.duplicated(["qpv", "theme", "variable", "edition"]).any()
    assert [fault.code for fault in imported.faults] == ["DON-083", "DON-083", "DON-066", "DON-066"]
    assert not any(item.inconnues for item in imported.fichiers)


@needs_data
def test_published_figures() -> None:
    """Seven figures are reproduced; the others say why not."""
    table = check_published_figures(DATA).set_index("id")
    assert set(table.index[table["reproduit"]]) == {"F01", "F03", "F05", "F06", "F07", "F10", "F11"}
    assert set(table.index[~table["reproduit"]]) == set(NOT_REPRODUCED)
    assert table.loc[~table["reproduit"], "raison"].str.len().min() > 10


@needs_data
def test_the_43_contracts_of_2015(tmp_path: Path) -> None:
    """Every neighbourhood is attached, ten by a correction; the 43 populations are those of the list."""
    result = real("2015", tmp_path)
    assert len(result.territoires) == 43
    assert result.rattachement.by_method() == {"correction": 10, "position": 189}
    assert result.differences == ()
    assert sum(t.pop_mun or 0 for t in result.territoires) == 653409
    assert len({t.dossier for t in result.territoires}) == 43
    assert all(t.dossier.isascii() and t.dossier == t.dossier.lower() for t in result.territoires)
    assert len(list(tmp_path.glob("*/territoire.yml"))) == 43
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.yml")}
    again = real("2015", tmp_path)
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*.yml")}
    assert not [fault for fault in again.faults if fault.code == "DON-080"]


@needs_data
def test_the_corrections_are_the_only_ones_that_fit(tmp_path: Path) -> None:
    """Of every way to share out the neighbourhoods of two contracts, one gives the published populations: ours."""
    known = load_context_dictionary()
    renamed = known.corrections.model_copy(update={"quartiers": ()})
    bare = real("2015", tmp_path, dictionary=ContextDictionary(themes=known.themes, corrections=renamed))
    waiting = bare.rattachement.a_rattacher
    assert len(waiting) == len(known.corrections.quartiers) == 10
    frame = read_context_files([DATA / "insee_qpv" / "DEMO_2021_hdf.csv"]).frame
    people = frame[frame["variable"] == "POP_MUN"].set_index("qpv")["valeur"]
    wanted = {t.contract.key: t.contract.pop for t in bare.territoires}
    base = dict.fromkeys(wanted, 0)
    for qpv, key in bare.rattachement.contrats.items():
        base[key] += people[qpv]
    fits = []
    for choice in itertools.product(*(item.candidats for item in waiting)):
        total = dict(base)
        for item, key in zip(waiting, choice, strict=True):
            total[key] += people[item.qpv]
        fits += [dict(zip((item.qpv for item in waiting), choice, strict=True))] if total == wanted else []
    ours = {item.qpv: f"{item.contrat}|{item.siren}" for item in known.corrections.quartiers}
    assert fits == [ours]


@needs_data
def test_the_39_contracts_of_2024(tmp_path: Path) -> None:
    """Eight neighbourhoods wait; old ones are listed apart and never among those of 2024."""
    result = real("2024", tmp_path)
    assert len(result.territoires) == 39
    assert len(result.rattachement.contrats) == 196
    assert len(result.rattachement.a_rattacher) == 8
    for item in result.territoires:
        assert all(entry.code.startswith("QN") for entry in item.qpv)
        assert all(entry.code.startswith("QP") for entry in item.anciens)
        assert item.pop_mun is None
    assert result.differences == ()
    assert {t.contract.nom for t in result.territoires if t.contract.type == "commune"} == {
        "Caudry",
        "Fourmies",
        "Le Quesnoy",
        "Ostricourt",
    }


@needs_data
@pytest.mark.parametrize(("generation", "count", "attached"), [("2015", 43, 199), ("2024", 39, 196)])
def test_what_is_written_is_what_the_reader_reads(generation: str, count: int, attached: int, tmp_path: Path) -> None:
    """The folders come back through the ordinary reader, without one message."""
    result = real(generation, tmp_path / generation)
    campagne = read_campagne(tmp_path / generation)
    assert (campagne.annee, campagne.fictif, campagne.date_reference) == (2022, False, "2022-06-30")
    territories = [read_territory(folder, campagne.modules) for folder in result.dossiers]
    assert len(territories) == count
    assert sum(len(territory.qpv) for territory in territories) == attached
    assert all(territory.facts()["nb_communes"] >= 1 for territory in territories)
    assert any(territory.qpv_anciens for territory in territories) == (generation == "2024")
    waiting = {qpv.code for territory in territories for qpv in territory.qpv_a_rattacher}
    assert len(waiting) == (8 if generation == "2024" else 0)
    assert not waiting & {qpv.code for territory in territories for qpv in territory.qpv}


def read_territory(folder: Path, modules: tuple[str, ...]) -> Territory:
    facts, faults = from_yaml(folder / "territoire.yml", folder.name)
    assert facts is not None
    territory = build_territory(facts, folder.name, None, modules)
    assert [*faults, *facts.faults] == []
    assert territory is not None
    return territory


@needs_data
def test_anct_layout_is_read() -> None:
    """The sample of ANCT's own layout."""
    listed = read_qpv_list(DATA / "qpv" / "listeqp2024_echantillon_format.csv")
    assert [entry.departement for entry in listed.quartiers] == ["01", "01", "01", "02"]
    assert listed.quartiers[0].insee_communes == ("01053",)
