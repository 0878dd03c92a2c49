"""Check the exact probabilities of the triangulation by drawing ratings: how far apart are the two?

    python bench/triangulation.py --tirages 200000

Prints, for each number and size of groups and each real difference, the exact probability of « écart à débattre », the one
observed, and their distance in standard errors (rarely above 3, never above 5).
"""

from __future__ import annotations

import argparse
import math
from itertools import product

import numpy as np

from evalkit.compute.rules import Rules
from evalkit.compute.triangulation import TriangulationRules, detection, shift_distribution
from evalkit.documents.triangulation_page import GROUPS, SHIFTS, SIZES
from evalkit.loaders.referentiel import load_referentiel


def simulate(
    size: int, groups: int, shift: float, rules: TriangulationRules, draws: int, seed: int = 20221215
) -> float:
    """Share of draws with a gap of medians above the rule, by drawing every rating."""
    random = np.random.default_rng(seed)
    medians = []
    for rank in range(groups):
        law = np.array(rules.distribution if rank else shift_distribution(rules.distribution, shift))
        levels = np.sort(random.choice(6, size=(draws, size), p=law / law.sum()), axis=1)
        lower, upper = levels[:, (size - 1) // 2], levels[:, size // 2]
        medians.append(lower.astype(float) if size < rules.low_median_under else (lower + upper) / 2)
    gaps = np.max(medians, axis=0) - np.min(medians, axis=0)
    return float((gaps > rules.gap).mean())


def main() -> None:
    """Print the comparison and fail when one pair is too far apart."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tirages", type=int, default=50_000)
    draws = parser.parse_args().tirages
    rules = Rules(load_referentiel().regles).triangulation(published=True)
    worst = 0.0
    print(f"{draws} tirages\ngroupes  cotations  différence  exact    tirages  erreurs types")
    for groups, size, shift in product(GROUPS, SIZES, (0.0, *SHIFTS)):
        exact = detection((size,) * groups, rules.distribution, shift, rules.gap, rules.low_median_under)
        seen = simulate(size, groups, shift, rules, draws)
        error = math.sqrt(max(exact * (1 - exact), 1 / draws) / draws)
        worst = max(worst, abs(seen - exact) / error)
        print(f"{groups:7d}  {size:9d}  {shift:10.1f}  {exact:.4f}   {seen:.4f}   {(seen - exact) / error:+.1f}")
    print(f"Distance la plus grande : {worst:.1f} erreurs types")
    if worst > 5:
        raise SystemExit("Le calcul exact et les tirages ne concordent pas.")


if __name__ == "__main__":
    main()
