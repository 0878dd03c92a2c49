"""Everything that a report notebook shows: the names that ``evalkit`` exports to notebooks."""

from __future__ import annotations

from evalkit.report.consensus import show_consensus
from evalkit.report.sections_method import (
    show_definitions,
    show_example,
    show_masks,
    show_method,
    show_rules,
    show_sources,
    show_stamp,
)
from evalkit.report.sections_surveys import show_surveys
from evalkit.report.sections_synthesis import (
    show_limits,
    show_named,
    show_other_synthesis_questions,
    show_perimeter,
    show_synthesis_brief,
    show_synthesis_context,
    show_synthesis_coverage,
    show_synthesis_findings,
    show_synthesis_gaps,
    show_synthesis_question,
    show_synthesis_respondents,
    show_synthesis_title,
    show_typology,
)
from evalkit.report.sections_territory import (
    show_actions,
    show_brief,
    show_citizens_councils,
    show_conduct,
    show_context,
    show_follow_up,
    show_local,
    show_other_questions,
    show_question,
    show_texts,
    show_title,
)

__all__ = [
    "show_actions",
    "show_brief",
    "show_citizens_councils",
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
]
