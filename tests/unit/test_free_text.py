"""Free sections: a few signs, everything else is text; writing and reading say the same words."""

import doctest

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.model import free_text
from evalkit.model.free_text import Block, Run, digest, is_portable, parse, serialise, split_title

ALPHABET = "a b*\\-#1.)•é\n\u202f"
RUNS = st.builds(Run, st.text(alphabet=ALPHABET, min_size=1, max_size=6), st.booleans(), st.booleans())
BLOCKS = st.builds(
    Block,
    st.sampled_from(["paragraphe", "puce", "numero", "intertitre"]),
    st.lists(RUNS, min_size=1, max_size=4).map(tuple),
)


def test_doctests_pass():
    assert doctest.testmod(free_text).failed == 0


def test_each_sign_is_read():
    text = "Un **gras**, un *penché*.\nLigne gardée.\n\n# Titre\n- un\n* deux\n\n1. premier\n2. second"
    assert [(block.kind, block.text) for block in parse(text)] == [
        ("paragraphe", "Un gras, un penché.\nLigne gardée."),
        ("intertitre", "Titre"),
        ("puce", "un"),
        ("puce", "deux"),
        ("numero", "premier"),
        ("numero", "second"),
    ]
    assert [(run.text, run.bold, run.italic) for run in parse(text)[0].runs[:4]] == [
        ("Un ", False, False),
        ("gras", True, False),
        (", un ", False, False),
        ("penché", False, True),
    ]


@pytest.mark.parametrize(
    "text", ["5 * 3 * 2", "a_b_c", "<b>x</b>", "[l](http://a.test)", "2022. une année", "C# et F#"]
)
def test_what_is_not_a_sign_stays_text(text):
    """A multiplication, a link, a tag, a year at the start of a line: printed as typed."""
    assert "".join(block.text for block in parse(text)) == text


@settings(deadline=None)
@given(st.text(alphabet=ALPHABET, max_size=40))
def test_canonical_writing_is_stable_and_loses_no_word(text):
    blocks = parse(text)
    written = serialise(blocks)
    assert serialise(parse(written)) == written
    assert " ".join(b.text for b in parse(written)).split() == " ".join(b.text for b in blocks).split()


@settings(deadline=None)
@given(st.lists(BLOCKS, max_size=4))
def test_what_comes_from_word_is_read_back_word_for_word(blocks):
    """Whatever was typed, signs included, the file says it; what cannot be written loses its look, never its words."""
    written = serialise(blocks)
    assert " ".join(b.text for b in parse(written)).split() == " ".join(b.text for b in blocks).split()
    assert serialise(parse(written)) == written


def test_the_print_ignores_how_a_text_was_typed():
    assert digest("* a\r\n* b\r\n") == digest("- a\n- b") != digest("- a\n- c")
    assert split_title("# Titre\n\nCorps") == ("Titre", "Corps")


@pytest.mark.parametrize("name", ["../q1", "a/b", "..", ".cache", "c:d", 'a"b', "", "x" * 60])
def test_a_name_from_word_never_leads_out_of_the_folder(name):
    assert not is_portable(name)
    assert is_portable("01_mot")
