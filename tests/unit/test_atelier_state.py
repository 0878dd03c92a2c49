"""The workshop without a browser: enter, recompute, save, forget; the screen shows no more than a report."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from evalkit.compute.results import Publication
from evalkit.errors import EvalkitError
from evalkit.loaders.write_ratings import Rating
from evalkit.ui import state as state_module
from evalkit.ui import views
from evalkit.ui.state import AtelierState
from tests.fabrique import make_dossier, make_referentiel, make_territory, ratings

FAULTY = Path(__file__).resolve().parents[1] / "fichiers_fautifs" / "USA-042-cotation-deja-saisie.csv"
TABLES = {
    "cotations": [
        *ratings("Q1.1", "pilote", [4]),
        *ratings("Q1.1", "commune", [3, 3, 2, 4]),
        *ratings("Q1.1", "association", [1, 1, 1, 2, 2]),
    ]
}


def make_state(*, fictif: bool = True) -> AtelierState:
    dossier = make_dossier(TABLES, territoire=make_territory(fictif=fictif))
    return AtelierState(Path("valbrune"), make_referentiel(), dossier)


def rate(groupe: str, niveau: int | None, repondant: str = "R90", **others: str) -> Rating:
    return Rating("Q1.1", repondant, groupe, niveau, **others)


def line(state: AtelierState, groupe: str) -> tuple[int, float, str]:
    table = state.publication.groupes
    row = table[(table["sous_question"] == "Q1.1") & (table["groupe"] == groupe)].iloc[0]
    return int(row["n"]), float(row["mediane"]), str(row["statut"])


def test_a_state_never_changes() -> None:
    start = make_state()
    after = start.add_rating(rate("association", 5))
    assert start.a_enregistrer == ()
    assert len(after.a_enregistrer) == 1
    assert len(start.dossier.tables["cotations"]) == len(after.dossier.tables["cotations"])


def test_what_is_shown_is_published() -> None:
    assert isinstance(make_state().publication, Publication)


def test_a_rating_moves_the_median_of_its_group_only() -> None:
    start = make_state()
    after = start
    for number in range(5):
        after = after.add_rating(rate("association", 5, f"R9{number}"))
    assert line(start, "association") == (5, 1.0, "ok")
    assert line(after, "association") == (10, 2.0, "ok")  # lower median under eleven ratings
    assert line(after, "pilote") == line(start, "pilote")


def test_a_small_group_stays_secret_and_its_n_is_said() -> None:
    start = make_state()
    n, median, statut = line(start, "commune")
    assert (n, statut) == (4, "secret")
    assert median != median
    sentence = views.groups_sentence(start.publication, start.referentiel.sous_questions["Q1.1"])
    assert "secret (n\u00a0=\u00a04)" in sentence
    after = start.add_rating(rate("commune", 3))
    assert line(after, "commune")[2] == "ok"


def test_a_silence_is_not_a_zero() -> None:
    start = make_state()
    after = start.add_rating(rate("association", None, silence="ne_sait_pas"))
    assert line(after, "association") == line(start, "association")


def test_zero_counts() -> None:
    after = make_state().add_rating(rate("association", 0))
    assert line(after, "association")[0] == 6


def test_the_same_respondent_corrects_what_is_not_saved() -> None:
    after = make_state().add_rating(rate("association", 5)).add_rating(rate("association", 0))
    assert [r.niveau for r in after.a_enregistrer] == [0]
    assert line(after, "association")[0] == 6


def test_forget_comes_back_to_the_start() -> None:
    start = make_state()
    assert line(start.add_rating(rate("association", 5)).forget(), "association") == line(start, "association")


def test_columns_and_types_stay_those_of_the_reader() -> None:
    start = make_state()
    after = start.add_rating(rate("association", 5)).add_rating(rate("etat", None, "R91", silence="refus"))
    merged = state_module._merged(after.dossier, after.a_enregistrer)
    saved = start.dossier.tables["cotations"]
    assert list(merged.columns) == list(saved.columns)
    assert dict(merged.dtypes) == dict(saved.dtypes)
    assert merged.iloc[-1]["silence"] == "refus"
    assert merged["niveau"].isna().sum() == 1


def test_invented_territory_a_saved_rating_changes_on_screen_only(monkeypatch: pytest.MonkeyPatch) -> None:
    start = make_state()
    changed = rate("association", 5, "ASS01")
    monkeypatch.setattr(state_module, "check_rating", lambda rating, referentiel: None)
    after = start.add_rating(changed)
    assert line(after, "association")[0] == 5
    assert after.on_screen_only() == (changed,)
    monkeypatch.setattr(state_module, "append_ratings", lambda *parts: pytest.fail("rien ne devait être écrit"))
    assert after.save() == (after, None)


def test_real_territory_a_saved_rating_is_not_played_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trying values one after the other would let the room work back to somebody's rating."""
    monkeypatch.setattr(state_module, "check_rating", lambda rating, referentiel: None)
    with FAULTY.open(encoding="utf-8", newline="") as stream:
        row = next(csv.DictReader(stream, delimiter=";"))
    again = Rating(row["sous_question"], row["repondant"], row["groupe"], int(row["niveau"]))
    with pytest.raises(EvalkitError, match="USA-042") as caught:
        make_state(fictif=False).add_rating(again)
    assert "table « cotations »" in str(caught.value)
    assert "Q1.1, ASS01" in str(caught.value)


def test_save_writes_the_new_ratings_only_and_reads_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "check_rating", lambda rating, referentiel: None)
    start = make_state()
    state = start.add_rating(rate("association", 5)).add_rating(rate("association", 5, "ASS01"))
    written: list[Rating] = []
    fresh = replace(start.dossier, empreinte="ff" * 32)
    monkeypatch.setattr(
        state_module, "append_ratings", lambda path, new, referentiel: written.extend(new) or Path("cotations.csv")
    )
    monkeypatch.setattr(state_module, "load_dossier", lambda path, referentiel: fresh)
    after, path = state.save()
    assert [r.repondant for r in written] == ["R90"]
    assert path == Path("cotations.csv")
    assert after.dossier is fresh
    assert [r.repondant for r in after.a_enregistrer] == ["ASS01"]


def test_a_refused_save_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    state = make_state().add_rating(rate("association", 5))

    def refuse(*parts: object) -> Path:
        raise EvalkitError([])

    monkeypatch.setattr(state_module, "append_ratings", refuse)
    with pytest.raises(EvalkitError):
        state.save()
    assert len(state.a_enregistrer) == 1


def test_nothing_of_a_person_in_a_traceback() -> None:
    state = make_state().add_rating(rate("association", 5, commentaire="confidence"))
    assert "confidence" not in repr(state)
    assert "R90" not in repr(state)


# --- views --------------------------------------------------------------------------------------------------------------


def test_the_ladder_says_that_it_is_proposed() -> None:
    state = make_state()
    html = views.show_ladder(state.referentiel, state.referentiel.sous_questions["Q1.1"])
    assert "proposé" in html
    assert html.count("<li>") == 6


def test_the_screen_has_texts_for_those_who_do_not_see_it() -> None:
    state = make_state()
    html = views.show_groups(state.publication, state.referentiel.sous_questions["Q1.1"])
    assert html.count("<img") == html.count('alt="') == 2
    assert 'alt=""' not in html
    assert '<th scope="row">' in html or 'scope="row"' in html
    assert 'role="status"' in views.show_status("fait")


def test_the_screen_refuses_what_is_not_protected() -> None:
    from evalkit.compute.evaluation import evaluate

    state = make_state()
    confidential = evaluate(state.referentiel, state.dossier)
    with pytest.raises(TypeError):
        views.show_groups(confidential, state.referentiel.sous_questions["Q1.1"])  # type: ignore[arg-type]


def test_words_typed_by_people_are_harmless() -> None:
    assert "<script>" not in views.show_status("<script>alert(1)</script>")
