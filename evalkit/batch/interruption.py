"""Ctrl-C during a batch: noted at once, obeyed where nothing is half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interruption:
    """While it is entered, Ctrl-C interrupts a wait, and nothing else: elsewhere it is kept for the next one.

    Python raises ``KeyboardInterrupt`` wherever it happens to be: in the middle of an import, some libraries take it for an
    error of their own and go on. A second Ctrl-C is not kept waiting; once obeyed, another changes nothing, so that what ends
    is not ended half-way. Out of the main thread, nothing is changed.
    """

    def __init__(self) -> None:
        self._asked = self._waiting = self._obeyed = False
        self._before: Any = None

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        if kind is None:
            self.obey()  # after the last wait: what follows must not begin

    def _note(self, *_: object) -> None:
        second, self._asked = self._asked, True
        if (self._waiting or second) and not self._obeyed:
            self.obey()

    def obey(self) -> None:
        """A place where the batch may stop.

        Raises
        ------
        KeyboardInterrupt
            It was asked to. Every time: whoever took the last one for an error of its own has not stopped.
        """
        if self._asked:
            self._obeyed = True
            raise KeyboardInterrupt

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """A wait, which Ctrl-C ends (``KeyboardInterrupt``), or which does not begin when it came before."""
        self._waiting = True
        try:
            self.obey()
            yield
        finally:
            self._waiting = False
