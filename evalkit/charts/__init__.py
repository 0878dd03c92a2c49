"""Publication to figure, each with title, unit, base, source, alternative text."""
