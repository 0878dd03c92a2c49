"""Free sections of a report: their names, and the few signs of Markdown they may hold.

A text is read into :class:`Block` and written back in one way only, so that what was typed in Word and what lies in
``textes/`` can be compared. Nothing here is HTML: what is not one of the signs below is text, and stays text.

- a blank line ends a paragraph, a line end inside one is kept;
- ``- `` or ``* `` starts a bullet, ``1. `` a numbered item, ``# `` a subheading;
- ``**gras**``, ``*italique*``, ``***les deux***``; a backslash before a sign makes it an ordinary character.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["paragraphe", "puce", "numero", "intertitre"]


@dataclass(frozen=True)
class FreeSection:
    """A named free section: file ``textes/<nom>.md``, its heading, what to write there."""

    nom: str
    titre: str
    consigne: str


SECTIONS: tuple[FreeSection, ...] = (
    FreeSection(
        "presentation",
        "Présentation",
        "le territoire, le contrat et la démarche, en quelques lignes : ce que le lecteur doit savoir avant les résultats",
    ),
    FreeSection("enseignements", "Ce que le territoire en retient", "ce que l’évaluation vous a appris, dans vos mots"),
    FreeSection("suites", "Les suites", "ce que le territoire compte faire, qui en a la charge et pour quand"),
)
CONTROL_PREFIX = "evalkit"  # in Word: tag of a content control, « evalkit:<nom>:<empreinte> »
STAMP_PROPERTY = "evalkit"  # in Word: property of the file that holds its stamp
TEXTS_PROPERTY = "evalkit_textes"  # in Word: the free sections in order, for programs that drop content controls
REST_PROPERTY = "evalkit_reste"  # in Word: prints of the paragraphs outside the free sections, as evalkit wrote them
BOOKMARK_PREFIX = "_evalkit_texte_"  # in Word: what marks them then
LONGEST_NAME = 40  # such a tag holds 64 characters
PROMPT = "Cliquez ici pour écrire :"  # what an empty one says
SECTIONS_BY_NAME = {section.nom: section for section in SECTIONS}
QUESTION_TITLE = "Le commentaire du territoire"
QUESTION_HELP = "ce que le territoire veut dire de cette question : explication, désaccord, contexte"


def is_portable(name: str) -> bool:
    """Tell whether a name may come back from Word as a file's: no folder in it, nothing that Windows refuses."""
    return 0 < len(name) <= LONGEST_NAME and name[0] != "." and not re.search(r'[\\/:*?"<>|\x00-\x1f]', name)


def question_name(code: str) -> str:
    """Name of the free section of a question.

    >>> question_name("Q1"), question_name("LCD")
    ('q1', 'lcd')
    """
    return re.sub(r"[^a-z0-9]+", "-", code.lower()).strip("-")


def words_print(text: str) -> str:
    """Short print of a paragraph's words, blanks aside; empty for a paragraph without a word.

    >>> words_print("Q1 — Gouvernance") == words_print("Q1\u00a0— Gouvernance ")
    True
    """
    words = "".join(text.split())
    return hashlib.blake2b(words.encode("utf-8"), digest_size=4).hexdigest() if words else ""


@dataclass(frozen=True)
class Run:
    """Words in one appearance; ``\\n`` is a line end inside the paragraph."""

    text: str
    bold: bool = False
    italic: bool = False


@dataclass(frozen=True)
class Block:
    """A paragraph, a list item or a subheading."""

    kind: Kind
    runs: tuple[Run, ...]

    @property
    def text(self) -> str:
        """The words alone."""
        return "".join(run.text for run in self.runs)


_STARTS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("puce", re.compile(r"[-*•]\s+")),
    ("numero", re.compile(r"\d{1,3}[.)]\s+")),
    ("intertitre", re.compile(r"#{1,6}\s+")),
)
_EMPHASIS = re.compile(r"(?<!\\)(\*{1,3})(?=[^\s*])((?:\\.|[^\\*])*?[^\s\\*]|(?:\\.))\1(?!\*)", re.DOTALL)
_ESCAPED = re.compile(r"\\([\\*#\-•.)])")


def parse(text: str) -> list[Block]:
    """Read a free text.

    >>> [(block.kind, block.text) for block in parse("Un **mot**\\n\\n- a\\n- b")]
    [('paragraphe', 'Un mot'), ('puce', 'a'), ('puce', 'b')]
    """
    blocks: list[Block] = []
    pending: list[str] = []

    def close() -> None:
        if pending:
            blocks.append(Block("paragraphe", _runs("\n".join(pending))))
            pending.clear()

    for line in (raw.strip() for raw in re.split(r"\r\n|\r|\n", text)):
        kind, start = next(((k, m) for k, pattern in _STARTS if (m := pattern.match(line))), (None, None))
        if kind and start:
            close()
            blocks.append(Block(kind, _runs(line[start.end() :])))
        elif line:
            pending.append(line)
        else:
            close()
    close()
    return [block for block in blocks if block.text.strip()]


def _runs(text: str) -> tuple[Run, ...]:
    found: list[Run] = []
    position = 0
    for match in _EMPHASIS.finditer(text):
        found.append(Run(_ESCAPED.sub(r"\1", text[position : match.start()])))
        signs = len(match[1])
        found.append(Run(_ESCAPED.sub(r"\1", match[2]), bold=signs >= 2, italic=signs != 2))
        position = match.end()
    found.append(Run(_ESCAPED.sub(r"\1", text[position:])))
    return tidy_runs(found)


def tidy_runs(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Join what looks the same, keep spaces out of emphasis, trim the ends: one way to say one thing."""
    out: list[Run] = []
    for run in runs:
        before, core, after = _trim(run) if run.bold or run.italic else ("", run, "")
        for piece in (Run(before), core, Run(after)):
            if not piece.text:
                continue
            if out and (out[-1].bold, out[-1].italic) == (piece.bold, piece.italic):
                out[-1] = Run(out[-1].text + piece.text, piece.bold, piece.italic)
            else:
                out.append(piece)
    if out:
        out[0] = Run(out[0].text.lstrip(), out[0].bold, out[0].italic)
        out[-1] = Run(out[-1].text.rstrip(), out[-1].bold, out[-1].italic)
    plain = [Run(re.sub(r"\s*\n\s*", "\n", run.text), run.bold, run.italic) for run in out]
    return tuple(run for run in plain if run.text)


def _trim(run: Run) -> tuple[str, Run, str]:
    core = run.text.strip()
    if not core:
        return run.text, Run(""), ""
    start = run.text.index(core[0])
    return run.text[:start], Run(core, run.bold, run.italic), run.text[start + len(core) :]


def serialise(blocks: Sequence[Block]) -> str:
    """Write blocks as canonical Markdown; reading it back gives the same words.

    >>> serialise(parse("* a\\n* b\\n\\nfin"))
    '- a\\n- b\\n\\nfin\\n'
    """
    lines: list[str] = []
    number = 0
    previous: Kind | None = None
    for block in (block for block in blocks if block.text.strip()):
        number = number + 1 if block.kind == "numero" and previous == "numero" else 1
        if lines and not (block.kind == previous and block.kind in ("puce", "numero")):
            lines.append("")
        sign = {"puce": "- ", "numero": f"{number}. ", "intertitre": "# ", "paragraphe": ""}[block.kind]
        lines.append(sign + _words(block))
        previous = block.kind
    return "\n".join(lines) + "\n" if lines else ""


def _words(block: Block) -> str:
    runs = tidy_runs(block.runs)
    if block.kind != "paragraphe":  # an item or a subheading holds in one line
        runs = tidy_runs(Run(run.text.replace("\n", " "), run.bold, run.italic) for run in runs)
    said = "".join(_marked(run) for run in runs)
    if _runs(said) != runs:  # emphasis that touches emphasis cannot be written: the words matter more than their look
        said = _escape("".join(run.text for run in runs))
    return "\n".join(_escape_start(line.strip()) for line in said.split("\n") if line.strip())


def _marked(run: Run) -> str:
    signs = "*" * (2 * run.bold + run.italic)
    return f"{signs}{_escape(run.text)}{signs}"


def _escape(text: str) -> str:
    return re.sub(r"([\\*])", r"\\\1", text)


def _escape_start(line: str) -> str:
    """A line that would start a list or a subheading is made an ordinary one."""
    if re.match(r"[-•]\s|#{1,6}\s", line):
        return "\\" + line
    return re.sub(r"^(\d{1,3})([.)]\s)", r"\1\\\2", line)


def split_title(text: str) -> tuple[str, str]:
    """A text that starts with a subheading gives its own title; return it (or "") and the rest.

    >>> split_title("# Notre mot\\n\\nBonjour")
    ('Notre mot', 'Bonjour')
    """
    first, _, rest = text.lstrip("\ufeff \n\r\t").partition("\n")
    if re.match(r"#{1,6}\s+\S", first):
        return first.lstrip("#").strip(), rest.strip()
    return "", text.strip()


def digest(text: str) -> str:
    """Short print of what a text says, whatever the way it was typed."""
    return hashlib.blake2b(serialise(parse(text)).encode(), digest_size=5).hexdigest()
