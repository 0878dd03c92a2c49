"""What the attacker is given: pages made by the report's own functions, without their pictures (they hold no text)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def no_pictures() -> Iterator[None]:
    """Charts keep their title, alternative text and data table; the picture itself is not drawn."""
    from evalkit.charts import theme

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(theme.Page, "render", lambda self, height: (b"", 10, 10))
        yield
