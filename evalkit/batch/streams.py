"""What a kernel prints, without the waiting: a report's cells show pages and pictures, and print nothing."""

from __future__ import annotations

from ipykernel.iostream import OutStream


class QuietStream(OutStream):
    """An output stream of a kernel that has nothing to do when nothing was written.

    ipykernel flushes its two streams some six times per cell, and waits each time for its other thread: two hundred exchanges
    per territory, for nothing. What was written before is already in that thread's queue, so that the order of what is shown stays the same.
    """

    def flush(self) -> None:
        """Send what was written since the last time."""
        if self._buffers or self.echo is not None:
            super().flush()
