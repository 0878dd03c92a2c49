"""What the last runs made from what, kept in ``<campagne>/.evalkit/``: confidential, keyed, never under the outputs.

``lot.json`` is the whole state, ``lot.suite.jsonl`` what happened since it was written, one line per document. A run killed at
any moment loses at most the line that it was writing: that document is then made again.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from evalkit.errors import EvalkitError, Fault, Place
from evalkit.loaders.fingerprint import STATE_FOLDER, ensure_key

FORMAT = 1
LOCK_NAME = ".lot.verrou"


class State:
    """The state of one campaign. Where nothing can be written, it remembers nothing, and says so in ``trouble``."""

    def __init__(self, campagne: Path) -> None:
        self._folder = campagne / STATE_FOLDER
        self.trouble: Fault | None = None
        try:
            self.key = ensure_key(campagne)
        except EvalkitError as error:
            self.key = b"\0" * 32
            self._give_up(error.faults[0].read)
        self.content = self._read()
        self._mine: set[str] = set()

    @property
    def entries(self) -> dict[str, dict[str, Any]]:
        """By document (``ardelle``, ``synthese-59``): what it was made from, and what came out."""
        documents: dict[str, dict[str, Any]] = self.content.setdefault("documents", {})
        return documents

    def _read(self) -> dict[str, Any]:
        content: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError, RecursionError):
            kept = json.loads((self._folder / "lot.json").read_text(encoding="utf-8"))
            if isinstance(kept, dict) and kept.get("format") == FORMAT and kept.get("cle") == self._mark():
                content = kept
        with contextlib.suppress(OSError):
            for line in (self._folder / "lot.suite.jsonl").read_bytes().splitlines():
                with contextlib.suppress(ValueError, TypeError, KeyError):  # the line that a killed run was writing
                    told = json.loads(line)
                    if told["format"] == FORMAT and told["cle"] == self._mark():
                        content.setdefault("documents", {})[told["nom"]] = told["document"]
        return content

    def _mark(self) -> str:
        """Says under which key the digests were made: under another one, they are worth nothing."""
        from evalkit.batch.inputs import digest

        return digest(self.key, b"evalkit lot")

    def record(self, name: str, document: dict[str, Any]) -> None:
        """Keep what became of one document, at once."""
        self.entries[name] = document
        self._mine.add(name)
        line = {"format": FORMAT, "cle": self._mark(), "nom": name, "document": document}
        self._write("lot.suite.jsonl", json.dumps(line, ensure_ascii=False).encode() + b"\n", append=True)

    def close(self) -> None:
        """Write the whole state, and start the list of what follows afresh."""
        with self._locked():
            since = self._read().get("documents", {})  # what another run on this campaign has told meanwhile
            self.content["documents"] = {**since, **{name: self.entries[name] for name in self._mine}}
            self.content |= {"format": FORMAT, "cle": self._mark()}
            text = json.dumps(self.content, ensure_ascii=False, sort_keys=True) + "\n"
            if self._write("lot.json", text.encode()):
                with contextlib.suppress(OSError):
                    (self._folder / "lot.suite.jsonl").unlink(missing_ok=True)

    def _write(self, name: str, content: bytes, append: bool = False) -> bool:
        from evalkit.batch.runner import write_whole

        if self.trouble:
            return False
        path = self._folder / name
        try:
            if append:
                handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                with os.fdopen(handle, "ab") as file:
                    file.write(content)
            else:
                write_whole(path, content, private=True)
        except OSError as error:
            self._give_up(error.strerror or type(error).__name__)
            return False
        return True

    def _give_up(self, read: str) -> None:
        self.trouble = Fault(
            "LOT-010",
            Place(file=str(self._folder)),
            read=read,
            expected="un dossier de campagne où evalkit peut noter ce qu'il a fait",
            fix="rien à faire pour ces rapports, qui sont bons ; la prochaine fois, tout sera refait",
        )

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Two runs on one campaign write its state one after the other."""
        try:
            file = os.fdopen(os.open(self._folder / "lot.verrou", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")
        except OSError:
            yield
            return
        with file:
            _lock(file, wait=True)
            yield


@contextlib.contextmanager
def only_run_on(folder: Path) -> Iterator[None]:
    """Hold an output folder: another run on it is refused. The system lets go when this process ends, however it ends.

    Raises
    ------
    EvalkitError
        LOT-011.
    """
    path = folder / LOCK_NAME
    with open(path, "ab") as file:
        if not _lock(file, wait=False):
            raise EvalkitError([_busy(folder)])
        yield


def _busy(folder: Path) -> Fault:
    return Fault(
        "LOT-011",
        Place(file=str(folder)),
        read="un autre lot écrit déjà dans ce dossier",
        expected="un seul lot à la fois par dossier de sortie",
        fix="attendez qu'il finisse, ou choisissez un autre dossier avec --vers",
    )


def _lock(file: BinaryIO, *, wait: bool) -> bool:
    """Lock an open file; False when another process holds it."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        import errno

        # Some network disks know no lock: better a run without one than none.
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True
