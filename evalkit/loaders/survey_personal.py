"""Columns that name, reach or locate a person: recognised by their title and by what they hold, never kept.

What they hold is never repeated: neither in a message, nor in a report, nor in a log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from evalkit.loaders.grids import Raw, is_blank
from evalkit.loaders.persons import looks_like_function_holder
from evalkit.loaders.survey_words import words

# What a title says the column holds.
_TITLES: dict[str, frozenset[str]] = {
    "nom": frozenset("nom noms prenom prenoms name surname lastname firstname patronyme".split()),
    "courriel": frozenset("mail email courriel messagerie mel".split()),
    "téléphone": frozenset("telephone tel portable mobile phone phonenumber fixe".split()),
    "adresse IP": frozenset("ip ipaddr ipaddress".split()),
    "adresse": frozenset("adresse rue domicile address".split()),
    "position GPS": frozenset("gps latitude longitude altitude geolocation geopoint localisation".split()),
    "appareil": frozenset("deviceid imei subscriberid simserial simid serialnumber".split()),
    "compte": frozenset("username utilisateur uid submitterid submittername submitted token login identifiant".split()),
    "naissance": frozenset("naissance birthdate".split()),
}
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\d.,])(?:(?:\+|00)\d{2}[\s.\-]?|0)[1-9](?:[\s.\-\u00a0\u202f]?\d{2}){4}(?!\d)")
_IP = re.compile(
    r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])|(?<![\w:])(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}(?![\w:])", re.I
)
_GPS = re.compile(r"^\s*-?\d{1,2}[.,]\d{3,}[\s,;]+-?\d{1,3}[.,]\d{3,}(?:[\s,;]+-?\d+(?:[.,]\d+)?){0,2}\s*$")
_STREET = re.compile(
    r"\b\d{1,4}\s*(?:bis|ter)?,?\s+(?:rue|avenue|av\.?|boulevard|bd|place|allée|allee|impasse|chemin|quai|route|square|cité)\s",
    re.I,
)
_DEVICE = re.compile(r"^(?:collect:\S{8,}|ee\.\S+:\S{8,}|\d{15}|(?:[0-9a-f]{2}:){5}[0-9a-f]{2})$", re.I)
_CONTENTS = (
    ("courriel", _MAIL),
    ("appareil", _DEVICE),
    ("position GPS", _GPS),
    ("adresse IP", _IP),
    ("téléphone", _PHONE),
    ("adresse", _STREET),
)
_CIVILITY = re.compile(r"\b(?:M\.|Mr|Mme|Mlle|Monsieur|Madame|Mademoiselle)\s+[A-ZÀ-Ý]")
_READ = 1000  # characters that are looked at: an endless cell must not take endless time
_SHARE = 0.2  # share of the cells that say so, from which the whole column is taken as personal


def personal_title(title: str) -> str:
    """What a title says the column holds of a person; "" when it says nothing of it."""
    given = set(words(title))
    return next((kind for kind, marks in _TITLES.items() if given & marks), "")


def names_somebody(title: str) -> bool:
    """Whether a title itself says who, or how to reach somebody: it is then not repeated."""
    title = title[:_READ]
    return reaches_somebody(title) or (not personal_title(title) and looks_like_function_holder(title))


def reaches_somebody(text: str) -> bool:
    """Whether a text holds a way to reach or to locate somebody, or a civility followed by a name."""
    return any(pattern.search(text) for _, pattern in _CONTENTS) or _CIVILITY.search(text) is not None


def personal_text(text: str) -> str:
    """What one cell holds of a person: a way to reach or to locate, a name; "" when nothing is seen."""
    text = text[:_READ]
    for kind, pattern in _CONTENTS:
        if pattern.search(text):
            return kind
    return "nom" if len(text) <= 80 and looks_like_function_holder(text) else ""


def personal_content(cells: Iterable[Raw]) -> str:
    """What a column holds of persons, from its cells; "" when few of them say so."""
    found: dict[str, int] = {}
    total = 0
    for cell in cells:
        if is_blank(cell):
            continue
        total += 1
        kind = personal_text(str(cell)) if isinstance(cell, str) else ""
        if kind:
            found[kind] = found.get(kind, 0) + 1
    best = max(found, key=lambda kind: found[kind], default="")
    return best if best and found[best] >= max(1, _SHARE * total) else ""
