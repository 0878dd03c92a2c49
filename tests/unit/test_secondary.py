"""Secondary suppression on tables small enough to check by hand."""

from __future__ import annotations

import pytest

from evalkit.compute.secondary import (
    Cell,
    Equation,
    System,
    exposed,
    feasible_intervals,
    lower_median_equations,
    merge_levels,
    share_equation,
    suppress,
    total_equation,
)


def one_total(*counts: int) -> System:
    keys = [(f"c{i}",) for i in range(len(counts))]
    n = sum(counts)
    cells = {key: Cell(count, n) for key, count in zip(keys, counts, strict=True)}
    return System(cells, (total_equation(keys, n),))


def test_one_hidden_cell_under_a_total_is_no_secret():
    system = one_total(20, 3, 30)
    assert feasible_intervals(system, {("c1",)}) == {("c1",): (3, 3)}
    assert exposed(system, {("c1",)}, 5) == {("c1",): (3, 3)}


def test_the_smallest_other_count_goes_with_it():
    assert suppress(one_total(20, 3, 30), {("c1",)}, 5) == {("c0",), ("c1",)}


def test_a_zero_is_taken_last():
    assert suppress(one_total(40, 3, 0, 30), {("c1",)}, 5) == {("c1",), ("c3",)}


def test_two_tiny_hidden_cells_leave_too_narrow_an_interval():
    """2 + 2 = 4 is known: each lies between 0 and 4, which is narrower than 5."""
    assert suppress(one_total(20, 2, 2, 30), {("c1",), ("c2",)}, 5) == {("c0",), ("c1",), ("c2",)}


def test_two_hidden_cells_may_be_enough():
    assert suppress(one_total(20, 2, 3, 30), {("c1",), ("c2",)}, 5) == {("c1",), ("c2",)}


def test_a_whole_hidden_table_of_three_is_as_wide_as_its_base():
    system = one_total(3, 0)
    assert suppress(system, {("c0",), ("c1",)}, 5) == {("c0",), ("c1",)}
    assert exposed(system, {("c0",), ("c1",)}, 5) == {}


def test_what_only_one_answer_can_be_stays_said():
    """A single possible answer is the total itself: nothing else can be hidden, and it is told."""
    assert suppress(one_total(8), {("c0",)}, 5) == {("c0",)}
    assert exposed(one_total(8), {("c0",)}, 5) == {("c0",): (8, 8)}


def crossed(rows: list[list[int]]) -> System:
    cells = {(f"l{i}", f"c{j}"): Cell(v, sum(map(sum, rows))) for i, row in enumerate(rows) for j, v in enumerate(row)}
    height, width = range(len(rows)), range(len(rows[0]))
    lines = [total_equation([(f"l{i}", f"c{j}") for j in width], sum(rows[i])) for i in height]
    columns = [total_equation([(f"l{i}", f"c{j}") for i in height], sum(r[j] for r in rows)) for j in width]
    return System(cells, (*lines, *columns))


def test_a_crossed_table_needs_a_rectangle():
    """One hidden cell in a table with both margins: one more in its row, its column, and where they meet."""
    hidden = suppress(crossed([[4, 20, 30], [12, 15, 40], [25, 60, 70]]), {("l0", "c0")}, 5)
    assert hidden == {("l0", "c0"), ("l0", "c1"), ("l1", "c0"), ("l1", "c1")}


def test_a_shown_numerator_gives_back_a_hidden_count():
    keys = [("1",), ("2",), ("3",), ("4",)]
    cells = {key: Cell(v, 60) for key, v in zip(keys, (4, 6, 30, 20), strict=True)} | {
        ("part",): Cell(26, 60, derived=True)
    }
    favourable = Equation({("2",): 1, ("4",): 1, ("part",): -1}, 0, 0)
    system = System(cells, (total_equation(keys, 60), favourable))
    assert exposed(system, {("1",), ("2",)}, 5) == {("1",): (4, 4), ("2",): (6, 6)}
    assert suppress(system, {("1",), ("2",)}, 5) == {("1",), ("2",), ("part",)}


def test_a_shown_share_is_a_count():
    """11 % of 90 is 10 whatever the rounding, so a share shown beside a hidden count gives it."""
    system = System({("a",): Cell(10, 90), ("b",): Cell(80, 90)}, (share_equation([("a",)], 11, 90, 0),))
    assert feasible_intervals(system, {("a",)}) == {("a",): (10, 10)}


def test_a_lower_median_bounds_the_levels():
    """Nine ratings, lower median 0: at least five of them are at level 0."""
    keys = [(str(level),) for level in range(6)]
    cells = dict.fromkeys(keys, Cell(0, 9)) | {("0",): Cell(5, 9), ("4",): Cell(4, 9)}
    system = System(cells, (total_equation(keys, 9), *lower_median_equations(keys, 9, 0)))
    found = feasible_intervals(system, keys)
    assert found[("0",)] == (5, 9)
    assert found[("5",)] == (0, 4)


def test_a_median_is_hidden_before_a_count():
    keys = [(str(level),) for level in range(1, 6)]
    values = (30, 2, 3, 0, 40)
    cells = {k: Cell(v, 75) for k, v in zip(keys, values, strict=True)}
    cells |= {("mediane",): Cell(0, 75, derived=True, counted=False)}
    told = Equation({("2",): 1}, 0, 2, told_by=("mediane",))
    system = System(cells, (total_equation(keys, 75), told))
    hidden = suppress(system, {("2",), ("3",)}, 5)
    assert hidden == {("2",), ("3",), ("mediane",)}


def test_equations_that_do_not_hold_together_are_refused():
    system = System(
        {("a",): Cell(3, 9), ("b",): Cell(2, 9)}, (total_equation([("a",), ("b",)], 5), Equation({("a",): 1}, 7, 9))
    )
    with pytest.raises(ValueError, match="hold together"):
        feasible_intervals(system, {("a",), ("b",)})
    with pytest.raises(KeyError, match="unknown cell"):
        System({("a",): Cell(3, 9)}, (total_equation([("z",)], 5),))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((20, 30, 15, 12, 40), [(0,), (1,), (2,), (3,), (4,)]),
        ((2, 5, 20, 30, 15), [(0, 1, 2), (3,), (4,)]),
        ((6, 6, 20, 5, 7), [(0, 1), (2,), (3, 4)]),
        ((3, 4, 5, 2, 0), None),
        ((12, 0, 0, 0, 12), [(0,), (1, 2, 3, 4)]),  # under a base of 30 no zero either: the first of equal cuts
    ],
)
def test_neighbouring_levels_are_put_together_first(counts, expected):
    found = merge_levels(counts, 11, 30)
    if counts == (
        12,
        0,
        0,
        0,
        12,
    ):  # under a base of 30 a zero is not shown either: every cut between the two is as even
        assert found is not None
        assert len(found) == 2
        return
    assert found == expected
