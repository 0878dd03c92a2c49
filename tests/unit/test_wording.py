"""French typography: numbers, dates, plurals, order."""

import doctest

import pytest

from evalkit import wording
from evalkit.model.dossier import SILENCES, STATUSES


def test_doctests_of_wording_pass():
    """The examples of the module are true."""
    result = doctest.testmod(wording)
    assert result.attempted > 15
    assert result.failed == 0


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (0, 0, "0"),
        (999, 0, "999"),
        (1000, 0, "1\u202f000"),
        (1234567.891, 2, "1\u202f234\u202f567,89"),
        (-1, 0, "−1"),
        (2.5, 0, "3"),
        (-2.5, 0, "−3"),
        (1.005, 2, "1,01"),
        (-0.001, 2, "0,00"),
        (1e15, 0, "1\u202f000\u202f000\u202f000\u202f000\u202f000"),
    ],
)
def test_numbers_are_written_the_french_way(value, decimals, expected):
    """Narrow spaces between thousands, decimal comma, true minus, halves away from zero."""
    assert wording.format_number(value, decimals) == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_missing_number_is_never_formatted(value):
    """No silence becomes a figure."""
    with pytest.raises(ValueError, match="status in words"):
        wording.format_number(value)


@pytest.mark.parametrize("text", ["", "01/03/2022", "2022-13", "2022-01-32", "mars 2022"])
def test_a_bad_date_is_refused(text):
    """Dates come as ISO text; anything else is a fault of ours."""
    with pytest.raises(ValueError, match=r"date|month"):
        wording.format_date(text)


def test_plurals_start_at_two():
    """French counts 0 and 1 in the singular, and 1,5 too."""
    counts = [wording.agree(n, "point") for n in (0, 1, 1.5, 2, 10)]
    assert counts == ["point", "point", "point", "points", "points"]


def test_every_silence_and_status_has_words():
    """The words of the model and those of the printed page are the same."""
    for code, label in {**SILENCES, **STATUSES}.items():
        assert wording.label_status(code) == label


def test_french_order_ignores_accents_and_case():
    """É stands with e, not after z."""
    assert sorted(["Zone", "été", "Eté", "abri"], key=wording.sort_key) == ["abri", "Eté", "été", "Zone"]


def test_elision_before_vowels_and_h_only():
    """« de » is elided before a vowel, whatever its accent, and kept before a consonant."""
    names = ["Ys", "Hirson", "Œuilly", "Lens", "Éole"]
    assert [wording.elide("de", name) for name in names] == ["d’Ys", "d’Hirson", "d’Œuilly", "de Lens", "d’Éole"]
