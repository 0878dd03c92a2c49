"""The values of regles.yml, ready for the computations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from evalkit.compute.actions import SecrecyRules
from evalkit.compute.triangulation import TriangulationRules
from evalkit.model.referentiel import Regle


class Rules(Mapping[str, float]):
    """Numeric rules by code.

    Raises
    ------
    KeyError
        A rule that the computations need is not declared (a fault of the framework, checked when it is loaded).
    """

    def __init__(self, rules: Sequence[Regle]):
        self._values = {rule.code: rule.valeur for rule in rules}

    def __getitem__(self, code: str) -> float:
        value = self._values[code]
        if not isinstance(value, int | float):
            raise TypeError(f"rule {code} is not a number")
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def distribution(self) -> tuple[float, ...]:
        """The six probabilities from which the rate of false alarms is computed."""
        value = self._values["fausses_alertes_distribution"]
        if not isinstance(value, tuple):
            raise TypeError("rule fausses_alertes_distribution is not a list")
        return value

    def triangulation(self, *, published: bool) -> TriangulationRules:
        """Rules of the triangulation; ``published``: small groups are compared by their lower median."""
        return TriangulationRules(
            gap=self["ecart_debat"],
            split_share=self["partage_part"],
            split_low=self["partage_bas"],
            split_high=self["partage_haut"],
            false_alarm_limit=self["fausses_alertes_max"],
            distribution=self.distribution(),
            sample_minimum=self["seuil_mediane_atelier"],
            distribution_minimum=self["seuil_distribution_atelier"],
            low_median_under=self["seuil_distribution_atelier"] if published else 0,
        )

    def secrecy(self) -> SecrecyRules:
        """Rules for amounts and counts of the programme of actions."""
        return SecrecyRules(
            units=self["seuil_unites_montant"], dominance=self["seuil_dominance"], cell=self["seuil_cellule"]
        )
