"""The door of the report: only what may be shown comes in."""

from __future__ import annotations

from evalkit.compute.results import Evaluation, Publication, PublicationSynthese


def require_publication(value: object) -> Publication:
    """Return the publication, or refuse anything else (an ``Evaluation`` above all).

    Raises
    ------
    TypeError
        The value is not a ``Publication``: it has not gone through ``compute.disclosure.protect``.
    """
    if not isinstance(value, Publication):
        raise TypeError(f"a report shows a Publication only, not {type(value).__name__}: call protect() first")
    return value


def require_synthesis(value: object) -> PublicationSynthese:
    """Return the published synthesis, or refuse anything else (a ``Synthese`` above all).

    Raises
    ------
    TypeError
        The value has not gone through ``compute.synthesis.protect_synthesis``.
    """
    if not isinstance(value, PublicationSynthese):
        name = type(value).__name__
        raise TypeError(f"a synthesis shows a PublicationSynthese only, not {name}: call protect_synthesis() first")
    return value


def require_evaluation(value: object) -> Evaluation:
    """Return the evaluation that the confidential working file is made from, or refuse anything else.

    Raises
    ------
    TypeError
        The value is not an ``Evaluation``: a publication holds no individual rating.
    """
    if not isinstance(value, Evaluation):
        raise TypeError(f"the working file is made from an Evaluation, not {type(value).__name__}")
    return value
