"""``evalkit importer textes``: what was typed in a Word report goes back into ``textes/``, and nothing is lost on the way."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from evalkit.errors import EvalkitError, Fault, Place, fail
from evalkit.loaders.cells import TURNING
from evalkit.loaders.word_texts import WordText, WordTexts
from evalkit.model.free_text import digest, split_title
from evalkit.wording import plural, quote

FOLDER, KEPT, TO_MERGE = "textes", "anciens", "a-reprendre"
State = Literal["inchange", "deja_repris", "repris", "efface", "conflit"]
_SAID = {
    "inchange": "inchangé dans Word",
    "deja_repris": "déjà le même dans textes/",
    "repris": "repris",
    "efface": "effacé dans Word",
    "conflit": "changé des deux côtés : les deux textes sont gardés",
}


@dataclass(frozen=True)
class ImportedText:
    """What became of one section; ``ecrit`` and ``garde``: files written, from the dossier."""

    nom: str
    titre: str
    etat: State
    ecrit: str = ""
    garde: str = ""


@dataclass(frozen=True)
class TextsImport:
    """What became of every section of a Word report."""

    dossier: Path
    textes: tuple[ImportedText, ...]
    faults: tuple[Fault, ...] = field(default=())

    def report(self) -> str:
        """The account, in French, one line per section that was touched."""
        lines = [str(fault) for fault in self.faults]
        for text in self.textes:
            if text.etat in ("inchange", "deja_repris"):
                continue
            where = f" → {text.ecrit}" if text.ecrit else ""
            kept = f" ; l’ancien texte est gardé dans {text.garde}" if text.garde else ""
            lines.append(f"{quote(text.titre)} : {_SAID[text.etat]}{where}{kept}")
        still = sum(text.etat in ("inchange", "deja_repris") for text in self.textes)
        if still:
            lines.append(f"{plural(still, 'section')} sans changement.")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, object]:
        """Plain data for ``--json``."""
        return {
            "dossier": str(self.dossier),
            "textes": [
                {"nom": t.nom, "titre": t.titre, "etat": t.etat, "ecrit": t.ecrit, "garde": t.garde}
                for t in self.textes
            ],
            "anomalies": [fault.as_dict() for fault in self.faults],
        }


def has_something_to_take(found: WordTexts, dossier: Path) -> bool:
    """Tell whether a Word report holds words that ``textes/`` does not, or that were typed where nothing is taken.

    Raises
    ------
    EvalkitError
        DON-028: a text of the dossier cannot be read.
    """
    kept = [_state(section, _current(dossier, section.nom)) for section in found.sections]
    return bool(found.faults) or any(state not in ("inchange", "deja_repris") for state in kept)


def texts_to_merge(dossier: Path) -> list[str]:
    """What still waits in ``textes/a-reprendre`` for somebody to choose, one French line each."""
    waiting = sorted((dossier / FOLDER / TO_MERGE).glob("*.md")) if dossier.is_dir() else []
    return [
        f"{_shown(dossier, file)} : un texte tapé dans Word, que le rapport ne lit pas. Gardez ce qui vaut dans {FOLDER}/, "
        "puis supprimez ce fichier"
        for file in waiting
    ]


def import_word_texts(found: WordTexts, word: Path, dossier: Path, campagne: str = "") -> TextsImport:
    """Take the texts of a Word report back into a dossier.

    A text changed in Word only is written, the old one kept in ``textes/anciens``. A text changed on both sides stays as it
    is in ``textes/``; the one of Word is written in ``textes/a-reprendre``, where no report reads it. ``campagne``: code of
    the dossier's campaign, empty when it cannot be told.

    Raises
    ------
    EvalkitError
        DON-121: the report is another territory's, or another campaign's. DON-028: a text of the dossier cannot be read. Nothing is written then.
    """
    _same_territory(found, word, dossier)
    _same_campaign(found, word, campagne)
    current = {section.nom: _current(dossier, section.nom) for section in found.sections}
    done: list[ImportedText] = []
    faults = list(found.faults)
    for section in found.sections:
        taken = {text.nom for text in done if text.etat in ("repris", "efface")}
        done.append(_take(dossier, section, current[section.nom]))
        current[section.nom] = _current(dossier, section.nom)
        if done[-1].etat == "conflit":
            faults.append(_conflict(dossier, done[-1], copied=section.nom in taken))
    return TextsImport(dossier, tuple(done), tuple(faults))


def _same_territory(found: WordTexts, word: Path, dossier: Path) -> None:
    parameters = found.stamp.get("parametres")
    name = parameters.get("territoire", "") if isinstance(parameters, dict) else ""
    if name == dossier.name:
        return
    raise fail(
        "DON-121",
        word,
        read=f"le rapport du dossier {quote(str(name))}"
        if name
        else "un document qui n’est pas un rapport de territoire",
        expected=f"un rapport du dossier {quote(dossier.name)}",
        fix="vérifiez --vers ; si le dossier a seulement changé de nom, rendez-lui l’ancien le temps de reprendre les textes",
    )


def _same_campaign(found: WordTexts, word: Path, campagne: str) -> None:
    """The words of one campaign must not comment the levels of another."""
    code = str(found.stamp["parametres"].get("campagne", ""))
    if not campagne or code == campagne:
        return
    raise fail(
        "DON-121",
        word,
        read=f"un rapport de la campagne {quote(code)}",
        expected=f"un rapport de la campagne {quote(campagne)}, celle du dossier donné par --vers",
        fix="donnez à --vers le dossier de l’autre campagne, ou copiez à la main ce qui vaut encore dans textes/",
    )


def _current(dossier: Path, name: str) -> str:
    """What ``textes/`` says now; empty when there is no file."""
    file = dossier / FOLDER / f"{name}.md"
    try:
        return (
            TURNING.sub("", file.read_bytes().decode("utf-8-sig")) if file.is_file() else ""
        )  # as the report reads it
    except UnicodeDecodeError as error:
        place = Place(f"{dossier.name}/{FOLDER}/{file.name}")
        fault = Fault("DON-028", place, "un texte illisible", "un texte en UTF-8", "enregistrez ce texte en UTF-8")
        raise EvalkitError([fault]) from error


def _state(section: WordText, current: str) -> State:
    """What is to become of one section, before anything is written."""
    typed, there = digest(section.texte), digest(split_title(current)[1])
    if typed == section.base:
        return "inchange"
    if typed == there:
        return "deja_repris"
    if there != section.base:
        return "conflit"
    return "repris" if section.texte else "efface"


def _take(dossier: Path, section: WordText, current: str) -> ImportedText:
    state = _state(section, current)
    if state in ("inchange", "deja_repris"):
        return ImportedText(section.nom, section.titre, state)
    if state == "conflit":
        target = _new_file(dossier / FOLDER / TO_MERGE, section.nom, section.texte)
        return ImportedText(section.nom, section.titre, state, _shown(dossier, target))
    title, _ = split_title(current)
    kept = _new_file(dossier / FOLDER / KEPT, section.nom, current) if current.strip() else None
    file = dossier / FOLDER / f"{section.nom}.md"
    if section.texte:
        _write(file, f"# {title}\n\n{section.texte}" if title else section.texte)
    else:
        file.unlink(missing_ok=True)
    return ImportedText(
        section.nom,
        section.titre,
        state,
        _shown(dossier, file) if section.texte else "",
        _shown(dossier, kept) if kept else "",
    )


def _shown(dossier: Path, file: Path) -> str:
    return file.relative_to(dossier).as_posix()


def _new_file(folder: Path, name: str, text: str) -> Path:
    """Write under a name that nothing has yet; a file that already says the same is taken as it is."""
    content, number = text.encode("utf-8"), 1
    while True:
        file = folder / (f"{name}.md" if number == 1 else f"{name}-{number}.md")
        if not file.exists():
            _write(file, text)
            return file
        if file.read_bytes() == content:
            return file
        number += 1


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.partiel")
    temporary.write_bytes(text.encode("utf-8"))
    os.replace(temporary, file)


def _conflict(dossier: Path, text: ImportedText, *, copied: bool) -> Fault:
    """``copied``: the document holds this section twice, with two texts; the first was taken."""
    return Fault(
        "DON-122",
        Place(f"{dossier.name}/{FOLDER}/{text.nom}.md", note=text.titre),
        read="deux fois la même section dans le Word, avec deux textes : le premier est repris"
        if copied
        else "un texte changé depuis que le rapport Word a été produit",
        expected="chaque section une seule fois" if copied else "le texte qui était dans le rapport",
        fix=f"comparez-le avec {text.ecrit}, gardez dans {FOLDER}/{text.nom}.md ce qui vaut, puis refaites le rapport",
    )
