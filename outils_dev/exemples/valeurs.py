"""Plausible figures for the indicators a pilot types: what is counted, out of how many, around which share."""

from __future__ import annotations

from collections.abc import Mapping

from outils_dev.exemples.hasard import tirage

# code -> (smallest denominator, largest, usual share); the share follows the territory's maturity.
PARTS: dict[str, tuple[int, int, float]] = {
    "Q1.1.a": (16, 66, 0.68),
    "Q1.1.b": (12, 48, 0.55),
    "Q1.1.c": (2, 4, 0.75),
    "Q1.1.e": (2, 12, 0.60),
    "Q1.2.a": (4, 9, 0.72),
    "Q1.2.e": (3, 7, 0.45),
    "Q1.3.b": (24, 120, 0.14),
    "Q1.4.d": (8, 19, 0.50),
    "Q1.5.b": (9, 32, 0.42),
    "Q1.5.d": (4, 16, 0.48),
    "Q1.5.e": (6, 24, 0.35),
    "Q2.1.a": (8, 19, 0.38),
    "Q2.1.b": (5, 12, 0.52),
    "Q2.2.a": (9, 32, 0.33),
    "Q2.2.b": (8, 19, 0.56),
    "Q2.2.c": (10, 45, 0.30),
    "Q2.3.a": (8, 40, 0.51),
    "Q2.4.c": (5, 14, 0.58),
    "Q2.5.c": (8, 19, 0.47),
    "Q3.1.a": (1, 20, 0.66),
    "Q3.1.c": (14, 40, 0.55),
    "Q3.1.d": (8, 24, 0.54),
    "Q3.1.e": (8, 24, 0.37),
    "Q3.3.a": (2, 4, 0.62),
    "Q3.3.b": (3, 8, 0.50),
    "Q3.3.d": (1, 8, 0.45),
    "Q3.4.a": (14, 40, 0.52),
    "Q3.4.b": (14, 40, 0.21),
    "Q3.5.a": (3, 22, 0.40),
    "Q3.5.b": (3, 22, 0.34),
    "Q4.4.a": (2, 24, 0.84),
}
NOMBRES: dict[str, tuple[int, int]] = {
    "Q2.4.a": (1, 14),
    "Q3.3.c": (3, 16),
    "Q3.5.c": (0, 9),
    "Q3.6.c": (1, 12),
    "Q4.4.b": (0, 9),
}
CATEGORIES: tuple[str, ...] = ("Q1.2.c", "Q1.5.a", "Q2.2.d", "Q3.2.b", "Q4.1.a", "Q4.1.d")
# code -> (smallest numerator, largest, decimals, smallest denominator, largest): a ratio that may exceed its base.
RATIOS: dict[str, tuple[float, float, int, int, int]] = {
    "Q1.3.a": (0.8, 14.5, 1, 1500, 42000),
    "Q3.2.a": (900, 9500, 0, 1, 6),
    "Q3.2.d": (0.2, 2.6, 1, 1, 6),
}
# Indicators counted out of the same thing share their denominator, year after year.
BASES: dict[str, tuple[str, ...]] = {
    "signataires": ("Q1.4.d", "Q2.1.a", "Q2.2.b", "Q2.5.c"),
    "objectifs": ("Q1.5.b", "Q2.2.a"),
    "membres": ("Q3.1.c", "Q3.4.a", "Q3.4.b"),
    "college": ("Q3.1.d", "Q3.1.e"),
    "avis": ("Q3.5.a", "Q3.5.b"),
}
_BASE_DE = {code: nom for nom, codes in BASES.items() for code in codes}
SOURCES = (
    "comptes rendus du comité de pilotage",
    "tableau de suivi du contrat",
    "rapport annuel politique de la ville",
    "contrat et ses avenants",
    "bilan de la programmation",
    "recensement de l’équipe projet",
)
BAISSE = ("Q1.3.b", "Q3.4.b")


def ligne(
    dossier: str, niveau: float, code: str, annee: int, modalites: tuple[str, ...], connus: Mapping[str, int]
) -> dict[str, object]:
    """One row of ``indicateurs``, or a silence now and then; ``{}`` when the territory left the row empty.

    ``connus``: denominators that the territory's identity gives (its neighbourhoods, their inhabitants).
    """
    hasard = tirage("indicateur", dossier, code, annee)
    fait = {"indicateur": code, "annee": annee, "source": tirage("source", dossier, code).choice(SOURCES)}
    chance = hasard.random()
    if chance < 0.07:
        return {}
    if chance < 0.12:
        silence = hasard.choice(("ne_sait_pas", "non_repondu", "non_demande", "non_concerne"))
        return {**fait, "source": "", "silence": silence}
    if code in PARTS:
        bas, haut, usuel = PARTS[code]
        sens = -1 if code in BAISSE else 1
        part = min(0.98, max(0.03, usuel + sens * 0.09 * (niveau - 2.5) + hasard.uniform(-0.18, 0.18)))
        base = connus.get(code) or tirage("base", dossier, _BASE_DE.get(code, code)).randint(bas, haut)
        return {**fait, "numerateur": round(part * base), "denominateur": base}
    if code in RATIOS:
        bas_n, haut_n, decimales, bas_d, haut_d = RATIOS[code]
        base = connus.get(code) or hasard.randint(bas_d, haut_d)
        numerateur = round(base / 10000 * hasard.uniform(2, 7), 1) if code in connus else hasard.uniform(bas_n, haut_n)
        return {**fait, "numerateur": round(numerateur, decimales), "denominateur": base}
    if code in NOMBRES:
        return {**fait, "valeur": hasard.randint(*NOMBRES[code])}
    if not modalites:
        return {}
    rang = min(len(modalites) - 1, max(0, round(niveau / 5 * (len(modalites) - 1) + hasard.uniform(-1, 1))))
    return {**fait, "valeur": modalites[rang]}
