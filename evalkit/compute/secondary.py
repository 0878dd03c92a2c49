"""Secondary suppression: what else to hide so that nothing hidden can be computed back (DESIGN §6.7).

Pure and about numbers only. A :class:`System` is a set of non-negative whole numbers (cells) and what everybody knows
about them: linear equations whose ends are shown (totals, shares with their base as displayed), order constraints given by
a median, upper bounds. Some cells are hidden at first (primary masking). Whoever reads what is left can bound each
hidden cell: the **feasible interval** is found here by integer programming (``scipy.optimize.milp``), or in closed form
when one total only ties the hidden cells. It must be at least ``min(width, base)`` wide, else another cell is hidden:
the smallest count that is not zero, or a figure derived from the same answers, whichever hides fewer in the end.

The method, interval included, is the one INSEE teaches (code ``INSEE-FORM`` of ``sources.yml``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

Key = tuple[str, ...]
Interval = tuple[int, int]


@dataclass(frozen=True)
class Cell:
    """One number that could be shown.

    Parameters
    ----------
    value
        The true count, a non-negative whole number.
    base
        How many respondents it is counted among: known, and never exceeded.
    derived
        It restates other cells (a numerator, a mean, a number of people asked): hidden instead of counts where that is enough.
    counted
        False for a figure that is not itself a secret (a mean): hidden when it tells too much, its interval is not asked.
    """

    value: int
    base: int
    derived: bool = False
    counted: bool = True


@dataclass(frozen=True)
class Equation:
    """``low ≤ Σ coefficient × cell ≤ high``, known to everybody; with ``told_by``, only while that cell is shown."""

    terms: Mapping[Key, float]
    low: float
    high: float
    told_by: Key | None = None


@dataclass(frozen=True)
class System:
    """Cells tied by what is known of them. Equations may only name cells of the system."""

    cells: Mapping[Key, Cell]
    equations: Sequence[Equation] = ()
    _about: dict[Key, list[int]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for rank, equation in enumerate(self.equations):
            for key in equation.terms:
                if key not in self.cells:
                    raise KeyError(f"an equation names an unknown cell: {key}")
                self._about.setdefault(key, []).append(rank)

    def about(self, keys: Iterable[Key], hidden: Collection[Key]) -> list[int]:
        """Ranks of the equations that a reader may use and that name one of these cells."""
        ranks = {rank for key in keys for rank in self._about.get(key, ())}
        return sorted(rank for rank in ranks if self.equations[rank].told_by not in hidden)


# --- equations that tables imply ------------------------------------------------------------------------------------


def total_equation(keys: Iterable[Key], total: float) -> Equation:
    """The cells add up to a number that is shown."""
    return Equation(dict.fromkeys(keys, 1.0), total, total)


def share_equation(keys: Iterable[Key], share: float, base: float, decimals: int) -> Equation:
    """The cells over ``base`` make a share (0 to 100) shown with so many decimals: a count, to within the rounding."""
    half = 0.5 * 10**-decimals
    return Equation(dict.fromkeys(keys, 1.0), (share - half) * base / 100, (share + half) * base / 100)


def lower_median_equations(keys: Sequence[Key], n: int, position: int, told_by: Key | None = None) -> list[Equation]:
    """``n`` answers on ordered levels (``keys``, lowest first) have their lower median at ``keys[position]``.

    The lower median is the answer of rank ⌈n/2⌉: fewer than that rank lie below it, at least that many up to it.
    """
    rank = (n + 1) // 2
    below = dict.fromkeys(keys[:position], 1.0)
    up_to = dict.fromkeys(keys[: position + 1], 1.0)
    out = [Equation(up_to, rank, n, told_by)]
    return [Equation(below, 0, rank - 1, told_by), *out] if below else out


# --- what a reader can deduce ---------------------------------------------------------------------------------------


def _components(system: System, hidden: Collection[Key]) -> list[tuple[list[Key], list[int]]]:
    """Hidden cells tied together by equations: (cells, ranks of the equations), in order."""
    out: list[tuple[list[Key], list[int]]] = []
    left = {key for key in hidden if system.cells[key].counted}
    while left:
        found, ranks, waiting = set[Key](), set[int](), [min(left)]
        while waiting:
            key = waiting.pop()
            if key in found:
                continue
            found.add(key)
            for rank in system.about([key], hidden):
                ranks.add(rank)
                waiting += [k for k in system.equations[rank].terms if k in left and k not in found]
        left -= found
        out.append((sorted(found), sorted(ranks)))
    return out


def _reduced(
    system: System, keys: Sequence[Key], ranks: Sequence[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(coefficients, low, high, upper bounds) of the hidden cells once the shown ones are taken away."""
    position = {key: i for i, key in enumerate(keys)}
    rows = np.zeros((len(ranks), len(keys)))
    low, high = np.zeros(len(ranks)), np.zeros(len(ranks))
    for i, rank in enumerate(ranks):
        equation = system.equations[rank]
        shown = 0.0
        for key, coefficient in equation.terms.items():
            if key in position:
                rows[i, position[key]] = coefficient
            else:
                shown += coefficient * system.cells[key].value
        low[i], high[i] = equation.low - shown, equation.high - shown
    return rows, low, high, np.array([float(system.cells[key].base) for key in keys])


def _one_total(low: np.ndarray, high: np.ndarray, upper: np.ndarray) -> list[Interval]:
    """Intervals of cells that one total only ties: no solver needed."""
    least, most = np.ceil(low[0] - 1e-9), np.floor(high[0] + 1e-9)
    return [(round(max(0.0, least - (upper.sum() - u))), round(min(u, most))) for u in upper]


class _Solver:
    """Smallest and largest whole values of the hidden cells of one component."""

    def __init__(self, rows: np.ndarray, low: np.ndarray, high: np.ndarray, upper: np.ndarray):
        self._constraint = LinearConstraint(rows, low - 1e-7, high + 1e-7)
        self._bounds, self._whole = Bounds(0, upper), np.ones(len(upper))

    def extreme(self, i: int, *, largest: bool) -> np.ndarray:
        """A whole solution where cell ``i`` is as large (or as small) as can be."""
        goal = np.zeros(len(self._whole))
        goal[i] = -1.0 if largest else 1.0
        found = milp(goal, constraints=self._constraint, bounds=self._bounds, integrality=self._whole)
        if not found.success:
            raise ValueError("the equations of the hidden cells have no whole solution: they do not hold together")
        return np.round(found.x)


def _intervals(rows: np.ndarray, low: np.ndarray, high: np.ndarray, upper: np.ndarray) -> list[Interval]:
    if len(rows) == 0:
        return [(0, round(u)) for u in upper]
    if len(rows) == 1 and (rows == 1).all():
        return _one_total(low, high, upper)
    solver = _Solver(rows, low, high, upper)
    ends = [(solver.extreme(i, largest=False)[i], solver.extreme(i, largest=True)[i]) for i in range(len(upper))]
    return [(round(least), round(most)) for least, most in ends]


def _narrow(system: System, keys: Sequence[Key], ranks: Sequence[int], width: float) -> dict[Key, Interval]:
    """Cells of one component whose interval is too narrow; every solution met on the way spares later ones."""
    needed = np.array([min(width, system.cells[key].base) for key in keys])
    rows, low, high, upper = _reduced(system, keys, ranks)
    if len(rows) == 0 or (len(rows) == 1 and (rows == 1).all()):
        found = _intervals(rows, low, high, upper)
        return {k: ends for k, ends, need in zip(keys, found, needed, strict=True) if ends[1] - ends[0] < need}
    solver = _Solver(rows, low, high, upper)
    least = np.array([float(system.cells[key].value) for key in keys])
    most = least.copy()
    out = {}
    for i, key in enumerate(keys):
        for largest in (True, False):
            if most[i] - least[i] >= needed[i]:
                break
            solution = solver.extreme(i, largest=largest)
            least, most = np.minimum(least, solution), np.maximum(most, solution)
        if most[i] - least[i] < needed[i]:
            out[key] = (round(least[i]), round(most[i]))
    return out


def feasible_intervals(system: System, hidden: Collection[Key]) -> dict[Key, Interval]:
    """Smallest and largest value that each hidden cell may have, for whoever reads everything else.

    Raises
    ------
    ValueError
        The equations contradict the cells: they do not describe these tables.
    """
    out: dict[Key, Interval] = {}
    for keys, ranks in _components(system, set(hidden)):
        out |= dict(zip(keys, _intervals(*_reduced(system, keys, ranks)), strict=True))
    return out


def exposed(system: System, hidden: Collection[Key], width: float) -> dict[Key, Interval]:
    """Hidden cells whose feasible interval is narrower than ``min(width, base)``."""
    out: dict[Key, Interval] = {}
    for keys, ranks in _components(system, set(hidden)):
        out |= _narrow(system, keys, ranks, width)
    return out


# --- what else to hide ----------------------------------------------------------------------------------------------


def suppress(system: System, primary: Iterable[Key], width: float) -> frozenset[Key]:
    """Every cell to hide: the primary ones, and as few others as found, so that none is exposed.

    Candidates are the shown cells tied to an exposed one: counts from the smallest that is not zero, zeros last, ties by
    key. Derived figures are tried first, then after the counts, and the answer that hides fewer figures is kept (the first
    of equals). What turns out not to be needed is shown again. Same input, same answer; hiding again what is hidden
    changes nothing.

    A cell that the fixed totals alone determine stays exposed (:func:`exposed` tells): only its own total could hide it.
    """
    hidden = frozenset(primary)
    # Until nothing more is asked for: an answer that a second pass would widen was not a whole answer.
    while (wider := _suppress_once(system, hidden, width)) != hidden:
        hidden = wider
    return hidden


def _suppress_once(system: System, start: frozenset[Key], width: float) -> frozenset[Key]:
    first = _grow(system, start, width, derived_first=True)
    if not any(system.cells[key].derived for key in first - start):
        return first
    second = _grow(system, start, width, derived_first=False)
    return min((first, second), key=lambda hidden: (len(exposed(system, hidden, width)), len(hidden)))


def _grow(system: System, start: frozenset[Key], width: float, *, derived_first: bool) -> frozenset[Key]:
    hidden = set(start)
    added: list[Key] = []
    hopeless: set[Key] = set()
    while True:
        waiting = sorted(set(exposed(system, hidden, width)) - hopeless)
        if not waiting:
            break
        chosen = _companion(system, waiting[0], hidden, derived_first)
        if chosen is None:
            hopeless.add(waiting[0])
            continue
        hidden.add(chosen)
        added.append(chosen)
    return frozenset(_without_needless(system, hidden, added, width))


def _companion(system: System, key: Key, hidden: set[Key], derived_first: bool) -> Key | None:
    """The next cell to hide for the sake of ``key``."""
    keys, ranks = next(part for part in _components(system, hidden) if key in part[0])
    near = {k for rank in ranks for k in system.equations[rank].terms}
    near |= {told for rank in ranks if (told := system.equations[rank].told_by) is not None}
    candidates = near - hidden - set(keys)
    return min(candidates, key=lambda k: _cost(system.cells[k], k, derived_first), default=None)


def _cost(cell: Cell, key: Key, derived_first: bool) -> tuple[bool, bool, int, Key]:
    return (cell.derived != derived_first, cell.value == 0, cell.value, key)


def _without_needless(system: System, hidden: set[Key], added: Sequence[Key], width: float) -> set[Key]:
    """Show again the largest of the added cells that protect nothing, derived figures last."""
    if len(added) < 2:
        return hidden
    still = set(exposed(system, hidden, width))
    for key in sorted(added, key=lambda k: _cost(system.cells[k], k, True), reverse=True):
        fewer = hidden - {key}
        if set(exposed(system, fewer, width)) <= still:
            hidden = fewer
    return hidden


# --- groupings, before any suppression ------------------------------------------------------------------------------


def merge_levels(counts: Sequence[int], cell: float, extremes: float) -> list[tuple[int, ...]] | None:
    """Adjacent levels to put together so that no group has to be hidden; None when no grouping is enough.

    Parameters
    ----------
    counts
        Answers at each level, in order.
    cell
        Smallest count that is shown (``seuil_cellule``).
    extremes
        Base from which a count of zero, or of everybody, is shown (``seuil_extremes``).

    Returns
    -------
    list of tuples of positions
        The finest grouping of at least two groups; among equals the most even one, then the first.
    """
    base, size = sum(counts), len(counts)
    best: tuple[int, int, list[tuple[int, ...]]] | None = None
    for groups in range(size, 1, -1):
        for cuts in combinations(range(1, size), groups - 1):
            ends = (0, *cuts, size)
            parts = [tuple(range(a, b)) for a, b in pairwise(ends)]
            totals = [sum(counts[i] for i in part) for part in parts]
            if any(0 < t < cell or (t in (0, base) and base < extremes) for t in totals):
                continue
            spread = sum(t * t for t in totals)
            if best is None or spread < best[1]:
                best = (groups, spread, parts)
        if best is not None:
            return best[2]
    return None
