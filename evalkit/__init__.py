"""Evaluate the contrats de ville with one common framework: a folder in, a report out.

The names that notebooks use; each is imported when first asked for, so that ``import evalkit`` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from evalkit.version import __version__

_ACTIONS = ("load_publication", "load_synthese")
_SECTIONS = (
    "show_actions",
    "show_brief",
    "show_citizens_councils",
    "show_committee_agreements",
    "show_committee_asked",
    "show_committee_debates",
    "show_committee_levels",
    "show_committee_recommendations",
    "show_committee_stamp",
    "show_committee_title",
    "show_conclusions",
    "show_conduct",
    "show_consensus",
    "show_context",
    "show_definitions",
    "show_example",
    "show_follow_up",
    "show_limits",
    "show_local",
    "show_masks",
    "show_method",
    "show_named",
    "show_other_questions",
    "show_other_synthesis_questions",
    "show_perimeter",
    "show_question",
    "show_rules",
    "show_sources",
    "show_stamp",
    "show_surveys",
    "show_synthesis_brief",
    "show_synthesis_context",
    "show_synthesis_coverage",
    "show_synthesis_findings",
    "show_synthesis_gaps",
    "show_synthesis_question",
    "show_synthesis_respondents",
    "show_synthesis_title",
    "show_texts",
    "show_title",
    "show_typology",
)

__all__ = ["__version__", *_ACTIONS, *_SECTIONS]


def __getattr__(name: str) -> Any:
    if name in _ACTIONS:
        return getattr(import_module("evalkit.actions"), name)
    if name in _SECTIONS:
        return getattr(import_module("evalkit.report.sections"), name)
    raise AttributeError(f"module 'evalkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
