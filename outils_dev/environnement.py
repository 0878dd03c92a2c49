"""Generate ``environment.yml`` (for conda users) from ``requirements.lock``; ``--verifier`` fails when they disagree.

``-r requirements.lock`` inside an environment file is refused by micromamba, hence pins written inline.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEAD = """\
# Pour les personnes qui utilisent conda, mamba ou micromamba.
# Fabriqué depuis requirements.lock par : python outils_dev/environnement.py — ne pas modifier à la main.
name: evalkit
channels:
  - conda-forge
dependencies:
  - python>=3.11,<3.15
  - pip
  - pip:
"""


def render_environment(lock: str) -> str:
    """Text of environment.yml for the text of a lock."""
    pins = [line.strip() for line in lock.splitlines() if line.strip() and not line.startswith(("#", "-"))]
    return HEAD + "".join(f'      - "{pin}"\n' for pin in pins) + '      - "--editable ."\n'


def main(arguments: list[str]) -> int:
    """Write the file, or compare it with what it should be; returns the exit code."""
    target = ROOT / "environment.yml"
    text = render_environment((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    if "--verifier" in arguments:
        return 0 if target.read_text(encoding="utf-8") == text else 1
    target.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
