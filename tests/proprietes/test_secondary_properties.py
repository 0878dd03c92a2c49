"""Secondary suppression on random linked tables: nothing hidden can be computed back."""

from __future__ import annotations

from itertools import product

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.compute.secondary import (
    Cell,
    Equation,
    System,
    exposed,
    feasible_intervals,
    lower_median_equations,
    suppress,
    total_equation,
)

few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WIDTH = 5


@st.composite
def linked_tables(draw):
    """A table with both margins, a numerator over some of its cells, and a median of its first row."""
    height, width = draw(st.integers(1, 2)), draw(st.integers(2, 4))
    counts = draw(st.lists(st.integers(0, 25), min_size=height * width, max_size=height * width))
    n = sum(counts)
    keys = [(f"l{i}", f"c{j}") for i, j in product(range(height), range(width))]
    value = dict(zip(keys, counts, strict=True))
    cells = {key: Cell(value[key], n) for key in keys}
    equations = []
    for i in range(height):
        mine = [k for k in keys if k[0] == f"l{i}"]
        equations.append(total_equation(mine, sum(value[k] for k in mine)))
    if height > 1:
        for j in range(width):
            mine = [k for k in keys if k[1] == f"c{j}"]
            equations.append(total_equation(mine, sum(value[k] for k in mine)))
    favourable = draw(st.lists(st.sampled_from(keys), min_size=1, max_size=3, unique=True))
    top = sum(value[k] for k in favourable)
    cells["part",] = Cell(top, n, derived=True)
    equations.append(Equation(dict.fromkeys(favourable, 1.0) | {("part",): -1.0}, 0, 0))
    first = [k for k in keys if k[0] == "l0"]
    size = sum(value[k] for k in first)
    if size:
        cells["mediane",] = Cell(0, n, derived=True, counted=False)
        reached, position = 0, 0
        while (reached := reached + value[first[position]]) < (size + 1) // 2:
            position += 1
        equations += lower_median_equations(first, size, position, told_by=("mediane",))
    primary = {k for k in keys if 0 < value[k] < 11}
    return System(cells, tuple(equations)), primary


@few
@given(linked_tables())
def test_nothing_hidden_can_be_computed_back(tables):
    """No hidden cell has an interval narrower than the rule, unless the fixed totals alone give it."""
    system, primary = tables
    hidden = suppress(system, primary, WIDTH)
    everything = exposed(system, set(system.cells), WIDTH)
    assert set(exposed(system, hidden, WIDTH)) <= set(everything)
    assert primary <= hidden


@few
@given(linked_tables())
def test_hiding_twice_is_hiding_once(tables):
    system, primary = tables
    hidden = suppress(system, primary, WIDTH)
    assert suppress(system, hidden, WIDTH) == hidden


@few
@given(linked_tables())
def test_the_truth_lies_in_every_interval(tables):
    system, primary = tables
    for key, (low, high) in feasible_intervals(system, suppress(system, primary, WIDTH)).items():
        assert low <= system.cells[key].value <= high


@few
@given(linked_tables(), st.randoms(use_true_random=False))
def test_the_order_of_cells_and_equations_never_matters(tables, random):
    system, primary = tables
    cells, equations = list(system.cells.items()), list(system.equations)
    random.shuffle(cells)
    random.shuffle(equations)
    assert suppress(System(dict(cells), tuple(equations)), primary, WIDTH) == suppress(system, primary, WIDTH)


@few
@given(st.lists(st.integers(0, 5), min_size=2, max_size=3), st.data())
def test_the_solver_finds_what_trying_everything_finds(counts, data):
    """Small tables: every whole solution is listed, and gives the same intervals."""
    keys = [(f"c{i}",) for i in range(len(counts))]
    n = sum(counts)
    cells = {k: Cell(v, n) for k, v in zip(keys, counts, strict=True)}
    some = data.draw(st.lists(st.sampled_from(keys), min_size=1, max_size=len(keys), unique=True))
    told = sum(cells[k].value for k in some)
    equations = (total_equation(keys, n), Equation(dict.fromkeys(some, 1.0), max(0, told - 1), told + 1))
    found = feasible_intervals(System(cells, equations), keys)
    solutions = [
        values
        for values in product(range(n + 1), repeat=len(keys))
        if sum(values) == n
        and max(0, told - 1) <= sum(v for k, v in zip(keys, values, strict=True) if k in some) <= told + 1
    ]
    for i, key in enumerate(keys):
        assert found[key] == (min(s[i] for s in solutions), max(s[i] for s in solutions))
