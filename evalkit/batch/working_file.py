"""Where the confidential working file lies, and how it is replaced without losing what someone typed in it.

``travail.xlsx`` is ours and is made again at will; but people try things out in it. What evalkit wrote last is known by its
digest, kept beside the dossier's key: a file that differs from it was changed by someone, and is kept.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from evalkit.batch.runner import write_whole
from evalkit.loaders.files_beside import first_free
from evalkit.loaders.fingerprint import STATE_FOLDER

FILE_NAME = "travail.xlsx"
BACKUPS = "sauvegardes"


def working_path(dossier: Path) -> Path:
    """``<dossier>/travail.xlsx``, or ``.evalkit/<nom>.travail.xlsx`` beside a lone workbook.

    A lone workbook lies among others in its campaign, where a second one would be taken for a territory.
    """
    if dossier.is_dir():
        return dossier / FILE_NAME
    return dossier.parent / STATE_FOLDER / f"{dossier.stem}.{FILE_NAME}"


def replace_working_file(dossier: Path, content: bytes) -> tuple[Path, Path | None]:
    """Write the working file, readable by its owner only where the system allows it.

    Returns
    -------
    tuple of Path and (Path or None)
        The file, and the copy of the old one when someone had changed it: ``.evalkit/sauvegardes/travail.1.xlsx``…
    """
    target = working_path(dossier)
    state = target.parent if target.parent.name == STATE_FOLDER else target.parent / STATE_FOLDER
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = state / f"{target.stem}.empreinte"
    kept = None
    if target.exists() and _changed(old := target.read_bytes(), digest) and old != content:
        kept = _free_copy(state / BACKUPS, target)
        write_whole(kept, old, private=True)
    write_whole(target, content, private=True)
    write_whole(digest, (_digest(content) + "\n").encode("ascii"), private=True)
    return target, kept


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _changed(content: bytes, digest: Path) -> bool:
    """Whether a working file is not the one that was written last; unknown counts as changed."""
    try:
        return digest.read_text(encoding="ascii").strip() != _digest(content)
    except (OSError, ValueError):
        return True


def _free_copy(folder: Path, target: Path) -> Path:
    """The first free number; no date, so that two machines agree."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return first_free(lambda number: folder / f"{target.stem}.{number}{target.suffix}")
