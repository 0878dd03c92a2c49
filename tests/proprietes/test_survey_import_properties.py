"""Whatever the file of answers: nothing is lost in silence, no order matters, what was put in comes back."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.errors import only_errors
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.survey_report import import_report
from evalkit.loaders.survey_words import make_lexicon
from evalkit.loaders.surveys import SurveyImport, lexicons_of, read_surveys
from tests import exports_enquete as exports

REFERENTIEL = load_referentiel()
LEXICONS = lexicons_of(REFERENTIEL, None)
TITLES = ["_uuid", "_submission_time", "_validation_status", "consentement", "A02", "A03", "A10", "A14", "A38"]
few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CELLS = {
    "_uuid": st.sampled_from(["a", "b", "c", "d", ""]),
    "_submission_time": st.sampled_from(["2022-10-03T09:00:00", "2022-10-03T09:04:00", "", "hier", "03/10/2022 10:00"]),
    "_validation_status": st.sampled_from(["", "", "validation_status_not_approved", "Approved"]),
    "consentement": st.sampled_from(["oui", "oui", "Oui", "non", ""]),
    "A02": st.sampled_from(["dans_un_qpv", "Dans un QPV", "hors_commune", "ailleurs", "", "NSP", "A2"]),
    "A03": st.sampled_from(["12", "1 200", "3,5", "env. 30", "-4", "", "nr"]),
    "A10": st.sampled_from(["1", "5", "5 – tout à fait d’accord", "7", "ne_sait_pas", ""]),
    "A14": st.sampled_from(
        ["aucune", "aucune differer_salaires_factures", "Aucune de ces situations", "autre chose", ""]
    ),
    "A38": st.sampled_from(["", "test", "un texte", "Mme Durand, 06 12 34 56 78"]),
}
ROW = st.tuples(*(CELLS[title] for title in TITLES)).map(list)
BLANK = st.just([""] * len(TITLES))
ROWS = st.lists(st.one_of(ROW, ROW, ROW, BLANK, st.just(TITLES)), min_size=1, max_size=25)


def read(rows: exports.Rows, name: str = "export.csv") -> SurveyImport | None:
    with tempfile.TemporaryDirectory() as folder:
        path = exports.write_csv(Path(folder) / name, rows)
        found, lost = read_surveys([(path, path.name)], LEXICONS)
        assert not lost
        return found[0]


@few
@given(ROWS)
def test_kept_and_set_apart_make_what_was_read(rows: exports.Rows) -> None:
    """Every row that is not blank is kept or set apart, once, and listed by its number."""
    imported = read([TITLES, *rows])
    report = import_report(imported)
    (entry,) = report["fichiers"]
    apart = [number for reason in entry["mises_a_part"].values() for number in reason["numeros"]]
    filled = [row for row in rows if any(row)]
    assert entry["lues"] == len(filled) == entry["gardees"] + len(apart)
    assert sorted([*imported.frame["ligne"], *apart]) == list(range(1, len(filled) + 1))
    assert len(imported.frame) == report["gardees"]


@few
@given(ROWS)
def test_every_answer_is_read_or_told(rows: exports.Rows) -> None:
    """A cell of a row that is kept is an answer, a silence, or is among the writings not understood: never lost."""
    imported = read([TITLES, *rows])
    filled = [row for row in rows if any(row)]
    told = {
        (m.question, imported.files[0].sorting.numbers[r]) for m in imported.files[0].reading.misread for r in m.rows
    }
    for rank, number in enumerate(imported.frame["ligne"]):
        for position, title in enumerate(TITLES[4:], start=4):
            ours = imported.frame[title].iloc[rank]
            assert (ours == ours) == (bool(filled[number - 1][position]) and (title, number) not in told)
    assert bool(told) == any(fault.code == "DON-092" for fault in only_errors(imported.faults))


@few
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_columns_does_not_matter(rows: exports.Rows, draw) -> None:
    order = list(range(len(TITLES)))
    draw.shuffle(order)
    first = read([TITLES, *rows])
    second = read([[row[i] for i in order] for row in [TITLES, *rows]])
    assert first.frame.equals(second.frame[first.frame.columns])


@few
@given(st.data())
def test_any_set_of_labels_comes_back_however_joined(data: st.DataObject) -> None:
    """Labels that hold commas, or that are the end of another: one cell is read back in one way only."""
    enquete = data.draw(st.sampled_from(REFERENTIEL.enquetes))
    several = [q for q in enquete.questions if q.type == "choix_multiple"]
    question = data.draw(st.sampled_from(several))
    choices = [c for c in question.choix if not c.liste]
    chosen = data.draw(st.lists(st.sampled_from(choices), min_size=1, max_size=4, unique_by=lambda c: c.code))
    mark = data.draw(st.sampled_from([", ", ";", " ; ", " ", "\n", "|"]))
    text = mark.join(data.draw(st.sampled_from([c.libelle, c.libelle.upper(), c.code])) for c in chosen)
    known = make_lexicon(enquete, None).by_code[question.code]
    assert known.several(text) is not None
    assert set(known.several(text)) == {c.code for c in chosen}
