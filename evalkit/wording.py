"""French typography: numbers, percentages, dates, plurals, fixed expressions.

Imports nothing of evalkit. Every function returns text; what has no value is never formatted (a missing number is a
``ValueError`` here, and a status in words: see :func:`label_status`).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

NARROW_SPACE = "\u202f"  # between thousands, before « % » and before units
NO_BREAK_SPACE = "\u00a0"  # inside quotation marks
MINUS = "\u2212"

MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)

# Every status and silence of evalkit, as a reader meets it. A code that is not here is a fault of ours.
STATUS_LABELS: dict[str, str] = {
    # the five silences
    "non_concerne": "sans objet",
    "ne_sait_pas": "ne sait pas",
    "refus": "ne souhaite pas répondre",
    "non_demande": "non demandé",
    "non_repondu": "non renseigné",
    # statuses of a value
    "ok": "publié",
    "secret": "secret statistique",
    "non_significatif": "non significatif",
    "non_disponible": "non disponible",
    "non_calculable": "non calculable",
    "non_applicable": "sans objet",
    "hors_periode": "hors période de validité",
    "aucune_cotation": "aucune cotation",
    "aucune_valeur": "aucune valeur",
    "aucune_reponse": "aucune réponse",
    "base_fragile": "base fragile",
    # statuses of a level
    "arbitre": "arbitré",
    "non_arbitre": "non arbitré",
    "calcule": "calculé",
    "couverture_insuffisante": "couverture insuffisante",
    "aucun_arbitrage": "aucun niveau arbitré",
    # triangulation
    "medianes_proches": "médianes proches",
    "ecart_a_debattre": "écart à débattre",
    "trop_peu_de_reponses": "trop peu de réponses",
    # strength of evidence
    "forte": "forte",
    "moyenne": "moyenne",
    "faible": "faible",
    "aucune": "aucune",
    # what became of a recommendation
    "realise": "réalisé",
    "en_cours": "en cours",
    "reporte": "reporté",
    "abandonne": "abandonné",
    "sans_suite": "sans suite",
    "non_renseigne": "non renseigné",
    # where a finding stands
    "propose": "proposé",
    "valide": "validé",
    "engage": "engagé",
    # where an object of the framework comes from
    "source": "sourcé",
    "adapte": "adapté",
}


def format_number(value: float, decimals: int = 0) -> str:
    """Write a number the French way; halves are rounded away from zero, and there is no « −0 ».

    >>> format_number(667970)
    '667\\u202f970'
    >>> format_number(-2.5, 1)
    '−2,5'
    >>> format_number(0.125, 2), format_number(-0.04, 1)
    ('0,13', '0,0')

    Raises
    ------
    ValueError
        The value is NaN or infinite: a missing number is said in words, never formatted.
    """
    if not math.isfinite(value):
        raise ValueError("a missing number has no figure to print: say its status in words")
    rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    text = f"{abs(rounded):,.{decimals}f}".replace(",", NARROW_SPACE).replace(".", ",")
    return f"{MINUS}{text}" if rounded < 0 else text


def format_with_unit(value: float, symbole: str, decimals: int = 0, espace: bool = True) -> str:
    """Write a number and its unit; ``espace``: whether a narrow no-break space stands between them.

    >>> format_with_unit(12.34, "€", 1)
    '12,3\\u202f€'
    >>> format_with_unit(3, "", 0)
    '3'
    """
    number = format_number(value, decimals)
    if not symbole:
        return number
    return f"{number}{NARROW_SPACE if espace else ''}{symbole}"


def typed_decimals(value: float, decimals: int) -> int:
    """Decimals of a value written as it was typed: none when it is whole, else those of the unit, or one.

    >>> typed_decimals(12.5, 0), typed_decimals(12.0, 1), typed_decimals(12.54, 2), typed_decimals(579113.3, 0)
    (1, 0, 2, 0)
    """
    if float(value).is_integer():
        return 0
    return decimals or (1 if abs(value) < 1000 else 0)  # no one reads 579 113,3 euros


def format_percent(value: float, decimals: int = 0) -> str:
    """Write a share given from 0 to 100.

    >>> format_percent(42.5, 1)
    '42,5\\u202f%'
    """
    return format_with_unit(value, "%", decimals)


def format_date(iso: str) -> str:
    """Write an ISO date, month or year in words; the first of a month is « 1er ».

    >>> format_date("2022-03-01"), format_date("2022-03"), format_date("2022")
    ('1er mars 2022', 'mars 2022', '2022')

    Raises
    ------
    ValueError
        The text is not an ISO date, or names a month or a day that does not exist.
    """
    match = re.fullmatch(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", iso.strip())
    if match is None:
        raise ValueError(f"not an ISO date: {iso!r}")
    year, month, day = match.groups()
    if month is None:
        return year
    if not 1 <= int(month) <= 12 or (day is not None and not 1 <= int(day) <= 31):
        raise ValueError(f"no such month or day: {iso!r}")
    name = MONTHS[int(month) - 1]
    if day is None:
        return f"{name} {year}"
    return f"{'1er' if int(day) == 1 else int(day)} {name} {year}"


_LINKS = {"de", "d’", "à", "au", "aux", "du", "des", "par", "en", "sur", "pour", "sans", "avec", "dans", "non"}


def _plural_word(word: str) -> str:
    if word.endswith(("s", "x", "z")):
        return word
    if word.endswith(("eau", "eu")):
        return word + "x"
    if word.endswith("al"):
        return word[:-2] + "aux"
    return word + "s"


def pluralize(expression: str) -> str:
    """Regular plural of a short expression: each word up to the first preposition.

    >>> pluralize("sous-question arbitrée"), pluralize("point de débat"), pluralize("niveau")
    ('sous-questions arbitrées', 'points de débat', 'niveaux')
    """
    words = expression.split(" ")
    stop = next((i for i, word in enumerate(words) if word in _LINKS or word.startswith("d’")), len(words))
    return " ".join([*map(_plural_word, words[:stop]), *words[stop:]])


def plural(n: float, singular: str, plural_form: str | None = None) -> str:
    """Count something: French says « 0 territoire », « 1 territoire », « 2 territoires ».

    >>> plural(0, "territoire"), plural(1, "territoire"), plural(3, "territoire")
    ('0 territoire', '1 territoire', '3 territoires')
    >>> plural(2, "avis", "avis")
    '2 avis'
    """
    return f"{format_number(n)} {agree(n, singular, plural_form)}"


def agree(n: float, singular: str, plural_form: str | None = None) -> str:
    """The word alone, in the number that ``n`` asks for (plural from 2).

    >>> agree(1, "est", "sont"), agree(4, "est", "sont")
    ('est', 'sont')
    """
    return singular if abs(n) < 2 else (plural_form or pluralize(singular))


def at_least_left(n: int, noun: str = "") -> str:
    """How many must still be settled before a level is given: always a minimum, more may well be settled.

    >>> at_least_left(2, "sous-question"), at_least_left(1)
    ('encore 2 sous-questions au moins', '1 au moins')
    """
    return f"encore {plural(n, noun)} au moins" if noun else f"{format_number(n)} au moins"


def join_french(items: Iterable[str], last: str = "et") -> str:
    """Enumerate.

    >>> join_french(["a", "b", "c"]), join_french(["a", "b"]), join_french(["a"]), join_french([])
    ('a, b et c', 'a et b', 'a', '')
    """
    parts = [item for item in items if item]
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def sort_key(text: str) -> tuple[str, str]:
    """Key of the French alphabetical order: accents and case count only between equals.

    >>> sorted(["Zèbre", "Éole", "eau", "Œuf", "oasis"], key=sort_key)
    ['eau', 'Éole', 'oasis', 'Œuf', 'Zèbre']
    """
    plain = text.replace("œ", "oe").replace("Œ", "OE").replace("æ", "ae").replace("Æ", "AE")
    decomposed = unicodedata.normalize("NFKD", plain)
    base = "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
    return re.sub(r"[^0-9a-z]+", " ", base).strip(), text


def elide(word: str, name: str) -> str:
    """Put « de », « le », « que »… before a name, elided before a vowel or a mute h.

    >>> elide("de", "Amiens"), elide("de", "Roubaix"), elide("que", "il"), elide("de", "État")
    ('d’Amiens', 'de Roubaix', 'qu’il', 'd’État')
    """
    first = sort_key(name)[0][:1]
    if first in set("aeiouyh") and word[-1:] in "ea":
        return f"{word[:-1]}’{name}"
    return f"{word} {name}"


def capitalize(text: str) -> str:
    """Put a capital on the first letter and leave the rest alone.

    >>> capitalize("état et communes")
    'État et communes'
    """
    return text[:1].upper() + text[1:]


def quote(text: str) -> str:
    """Put French quotation marks around a text.

    >>> quote("Initial")
    '«\\xa0Initial\\xa0»'
    """
    return f"«{NO_BREAK_SPACE}{text}{NO_BREAK_SPACE}»"


def typed(text: str) -> str:
    """A word of a command as it is typed: between quotation marks when a terminal would cut it, or read it otherwise.

    >>> typed("brut/sondage.csv"), typed("brut/sondage, été.csv")
    ('brut/sondage.csv', '"brut/sondage, été.csv"')
    """
    return f'"{text}"' if re.search(r"[\s,;&()'’]", text) else text


def label_status(code: str) -> str:
    """French words for a status or a silence.

    >>> label_status("secret")
    'secret statistique'

    Raises
    ------
    KeyError
        The code is unknown: every status that evalkit makes has its words here.
    """
    return STATUS_LABELS[code]


def slug(text: str) -> str:
    """ASCII identifier for anchors and file names.

    >>> slug("Méthode, règles & sources")
    'methode-regles-sources'
    """
    return sort_key(text)[0].replace(" ", "-")


_CONTRACT = re.compile(r"^contrats? de ville (?:de la |de l[’']|du |des |de |d[’'])", re.IGNORECASE)


def place_name(name: str) -> str:
    """Name of a territory without « Contrat de ville de », for lists in alphabetical order.

    >>> place_name("Contrat de ville d’Ardelle"), place_name("Contrat de ville de Wirbecque"), place_name("Ardelle")
    ('Ardelle', 'Wirbecque', 'Ardelle')
    """
    short = _CONTRACT.sub("", name.strip())
    return short[:1].upper() + short[1:]
