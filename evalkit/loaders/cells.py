"""One raw cell -> one value of the kind its column declares, or a fault that says what to type.

Nothing is guessed: a writing that can mean only one thing is repaired and the repair is told; any other is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from evalkit.loaders.grids import Raw, is_blank, normalise
from evalkit.loaders.persons import looks_like_function_holder, masked, technical_code
from evalkit.loaders.pydantic_faults import nearest
from evalkit.model.dossier import SILENCE_SYNONYMS, SILENCES, Column

YEARS = (1990, 2100)
_LONGEST_NUMBER = 15  # beyond, a slip of the hand that no message should repeat in full
TURNING = re.compile(r"[\u202a-\u202e\u2066-\u2069]")  # they make what follows on the line read from right to left
# Signs that cannot be seen, or that turn the rest of a line round: never repeated in a message.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
Value = str | float | None
_SPACES = re.compile(r"[\s\u00a0\u202f\u2007\u2009]+")
_MONTHS = {
    name: rank
    for rank, names in enumerate(
        (
            "janvier janv jan",
            "fevrier fevr fev",
            "mars mar",
            "avril avr",
            "mai",
            "juin",
            "juillet juil",
            "aout aou",
            "septembre sept sep",
            "octobre oct",
            "novembre nov",
            "decembre dec",
        ),
        start=1,
    )
    for name in names.split()
}
_SILENCE_BY_WORD = {
    **{normalise(word).replace(".", ""): code for word, code in SILENCE_SYNONYMS.items()},
    **{code: code for code in SILENCES},
    **{normalise(label): code for code, label in SILENCES.items()},
}
_DOUBTFUL_SILENCES = {"nd", "nc"}  # also read elsewhere as « non disponible », « non concerné »
_YES, _NO = {"oui", "o", "vrai", "true", "yes", "1", "x"}, {"non", "n", "faux", "false", "no", "0"}


@dataclass(frozen=True)
class Read:
    """What a cell gives: a value (None = empty), a silence, a note on a repair, or a fault (code, expected, fix)."""

    value: Value = None
    silence: str = ""
    repair: str = ""
    fault: tuple[str, str, str] | None = None
    shown: str = ""  # how the cell is quoted in messages, when not as it is


@dataclass(frozen=True)
class Vocabulary:
    """Codes that cells may name; each maps the compared form (:func:`normalise`) to the code."""

    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # column kind -> forms -> code

    def find(self, kind: str, text: str) -> str | None:
        """The code meant, None when there is none."""
        return self.codes.get(kind, {}).get(normalise(text))


def forms(codes: Iterable[str]) -> dict[str, str]:
    """Compared form -> code."""
    return {normalise(code): code for code in codes}


def show(raw: Raw) -> str:
    """A cell quoted in a message, as French people write it."""
    if raw is None:
        return "rien"
    if isinstance(raw, bool):
        return "VRAI" if raw else "FAUX"
    if isinstance(raw, float | int):
        return plain_number(float(raw)).replace(".", ",")
    if isinstance(raw, datetime | date):
        return raw.strftime("%d/%m/%Y")
    text = _UNSEEN.sub(" ", str(raw)).strip()
    return f"« {text if len(text) <= 60 else text[:57] + '…'} »"


def plain_number(value: float) -> str:
    """``12.0`` -> ``12``; ``12.5`` -> ``12.5``."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def as_text(raw: Raw) -> str:
    """Any cell as text: numbers as Excel shows them, dates in ISO form."""
    if isinstance(raw, bool):
        return "oui" if raw else "non"
    if isinstance(raw, float | int):
        return plain_number(float(raw)).replace(".", ",")
    if isinstance(raw, datetime):
        return raw.date().isoformat()
    if isinstance(raw, date):
        return raw.isoformat()
    return "" if raw is None else str(raw).strip()


def read_cell(raw: Raw, column: Column, words: Vocabulary, from_sheet: bool = False) -> Read:
    """Read one cell as its column declares.

    Parameters
    ----------
    raw
        The cell.
    column
        Its column: kind, choices.
    words
        Codes of the framework and of the territory.
    from_sheet
        The cell comes from a workbook, where a number kept as text is a repair worth saying.
    """
    if is_blank(raw):
        return Read()
    if isinstance(raw, str) and TURNING.search(raw):
        read = read_cell(TURNING.sub("", raw), column, words, from_sheet)
        return replace(read, repair=read.repair or "un signe invisible, qui retourne le texte, a été retiré")
    if isinstance(raw, time | timedelta):
        return Read(
            fault=("DON-016", "une valeur, pas une durée ni une heure", "mettez la cellule au format « Texte »")
        )
    if column.kind in ("code_sous_question", "code_question", "code_indicateur"):
        return _code(raw, column.kind, words)
    reader = _READERS.get(column.kind)
    if reader is not None:
        return reader(raw, column, words, from_sheet)
    return Read(as_text(raw))


# --- numbers ------------------------------------------------------------------------------------------------------------


def read_number(raw: Raw, from_sheet: bool = False, percent: bool = False) -> Read:
    """Read a number.

    Accepts a French or an English decimal; with a repair said, groups of three, a unit sign (``€``; ``%`` if ``percent``)
    and, from a sheet, a number kept as text. An approximation (``env. 30``, ``3+``) is a fault.
    """
    if isinstance(raw, bool):
        return _bad_number("tapez un nombre")
    if isinstance(raw, float | int):
        number = float(raw)
        return Read(number) if math.isfinite(number) else _bad_number("tapez un nombre")
    if isinstance(raw, datetime | date):
        return _bad_number("Excel a changé ce nombre en date : mettez la cellule au format « Nombre » et retapez-le")
    silence = silence_of(str(raw))
    if silence:
        return Read(silence=silence, repair=f"lu comme « {SILENCES[silence]} », jamais comme un zéro")
    return _number_text(str(raw), from_sheet, percent)


def _number_text(raw: str, from_sheet: bool, percent: bool) -> Read:
    text = _SPACES.sub(" ", raw.strip()).replace("−", "-")
    text = re.sub(r"^([+-]) (?=\d)", r"\1", text)
    repair = "nombre enregistré comme texte, lu comme un nombre" if from_sheet else ""
    unit = re.search(r" ?(%|€|euros?|eur)$", text, re.IGNORECASE)
    if unit:
        if unit[1] == "%" and not percent:
            return _bad_number(
                "tapez le nombre compté, sans « % » (un pourcentage va dans la colonne « valeur » d’une part)"
            )
        text, repair = text[: unit.start()], f"« {unit[1]} » retiré"
    if " " in text and re.fullmatch(r"[+-]?\d{1,3}( \d{3})+([.,]\d+)?", text):
        text, repair = text.replace(" ", ""), repair or "espaces des milliers retirées"
    elif re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+,\d+", text):
        text, repair = text.replace(".", ""), "points des milliers retirés"
    elif re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+\.\d+", text):
        text, repair = text.replace(",", ""), "virgules des milliers retirées"
    elif re.fullmatch(r"[+-]?[1-9]\d{0,2}(\.\d{3})+", text):
        return _bad_number(
            f"tapez {text.replace('.', '')} si le point sépare les milliers, ou "
            f"{text.replace('.', ',', 1)} si c’est une décimale"
        )
    if re.fullmatch(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d{1,2})?", text):
        number = float(text.replace(",", "."))
        if math.isfinite(number):
            return Read(number, repair=repair)
    return _bad_number(_number_cure(text))


LEAVE = "laissez vide"
# What « leave it empty » means in the table « indicateurs »: an empty cell alone would be refused in its turn (DON-032, DON-043).
LEAVE_THERE = {
    "valeur": "videz la case et écrivez non_repondu dans « silence »",
    "numerateur": "videz numérateur et dénominateur, et écrivez non_repondu dans « silence »",
    "denominateur": "videz numérateur et dénominateur, et écrivez non_repondu dans « silence »",
}


def _number_cure(text: str) -> str:
    digits = re.findall(r"\d+(?:[.,]\d+)?", text)
    if len(digits) == 1 and len(digits[0]) > _LONGEST_NUMBER:
        return f"vérifiez la saisie : ce nombre a {len(digits[0])} chiffres"
    if len(digits) == 1:
        return f"tapez {digits[0]} seul si c’est le nombre exact ; sinon {LEAVE}"
    if len(digits) > 1:
        return "tapez un seul nombre, sans intervalle ni calcul"
    return f"tapez un nombre ; s’il manque, {LEAVE}"


def _bad_number(fix: str) -> Read:
    return Read(fault=("DON-016", "un nombre, par exemple 12 ou 12,5", fix))


def _nombre(raw: Raw, column: Column, words: Vocabulary, from_sheet: bool) -> Read:
    read = read_number(raw, from_sheet)
    if isinstance(read.value, float) and read.value < 0:
        read = Read(fault=("DON-003", "un nombre positif ou nul", f"retirez le signe moins, ou {LEAVE}"))
    if read.fault and column.name in LEAVE_THERE:
        code, expected, fix = read.fault
        return Read(fault=(code, expected, fix.replace(LEAVE, LEAVE_THERE[column.name])))
    return read


def _effectif(raw: Raw, column: Column, words: Vocabulary, from_sheet: bool) -> Read:
    read = _nombre(raw, column, words, from_sheet)
    if isinstance(read.value, float) and not read.value.is_integer():
        return Read(fault=("DON-016", "un nombre entier : on compte des personnes", "tapez un nombre sans virgule"))
    return read


def _annee(raw: Raw, column: Column, words: Vocabulary, from_sheet: bool) -> Read:
    fault = ("DON-017", "une année en quatre chiffres", "tapez l’année seule")
    if isinstance(raw, bool | date | datetime):
        return Read(fault=fault)
    text = as_text(raw)
    if not re.fullmatch(r"\d{4}([.,]0+)?", text):
        return Read(fault=fault)
    year = float(text[:4])
    if not YEARS[0] <= year <= YEARS[1]:
        return Read(fault=("DON-003", f"une année entre {YEARS[0]} et {YEARS[1]}", "corrigez l’année"))
    return Read(year)


# --- silences, levels ---------------------------------------------------------------------------------------------------


def silence_of(text: str) -> str:
    """The silence that a text names (code, label or usual abbreviation), "" if none."""
    return _SILENCE_BY_WORD.get(normalise(text).replace(".", ""), "")


def _silence(raw: Raw, column: Column, words: Vocabulary, from_sheet: bool) -> Read:
    found = silence_of(as_text(raw))
    if found:
        return Read(found, repair=_doubt(as_text(raw), found))
    expected = "un silence : " + ", ".join(SILENCES)
    near = nearest(as_text(raw), SILENCES)
    fix = f"écrivez {near} ?" if near else "choisissez dans la liste, ou laissez vide"
    return Read(fault=("DON-018", expected, fix))


def _doubt(text: str, silence: str) -> str:
    short = normalise(text).replace(".", "") in _DOUBTFUL_SILENCES
    return f"lu comme « {SILENCES[silence]} »" if short else ""


def _niveau(raw: Raw, column: Column, words: Vocabulary, from_sheet: bool) -> Read:
    expected = "un niveau entier de 0 à 5, ou un silence (non_repondu, ne_sait_pas, non_concerne…)"
    if isinstance(raw, bool | date | datetime):
        fix = (
            "Excel a changé la saisie en date : retapez le niveau seul" if not isinstance(raw, bool) else "tapez 0 à 5"
        )
        return Read(fault=("DON-014", expected, fix))
    text, repair = as_text(raw), ""
    silence = silence_of(text)
    if silence:
        return Read(silence=silence, repair=_doubt(text, silence))
    wordy = re.fullmatch(r"(?:niveau|niv\.?|n)\s*(\d)|(\d)\s*/\s*5", _SPACES.sub(" ", text), re.IGNORECASE)
    if wordy:
        text = wordy[1] or wordy[2]
        repair = f"lu comme le niveau {text}"
    if not re.fullmatch(r"[+-]?\d+([.,]\d+)?", text):
        digits = re.findall(r"\d", text)
        fix = f"tapez {digits[0]} seul, ou un silence" if len(digits) == 1 else "tapez un seul chiffre de 0 à 5"
        return Read(fault=("DON-014", expected, fix))
    level = float(text.replace(",", "."))
    if not 0 <= level <= 5:
        return Read(fault=("DON-014", expected, "choisissez un niveau de l’échelle, de 0 à 5"))
    if not level.is_integer():
        return Read(fault=("DON-014", expected, f"choisissez {math.floor(level)} ou {math.ceil(level)}"))
    return Read(level, repair=repair)


# --- dates --------------------------------------------------------------------------------------------------------------


def read_date(raw: Raw) -> Read:
    """Read a date, day first: ``03/09/2022``, ``3-9-2022``, ``3.9.2022``, ``1er mars 2022``, ``3 sept. 2022``, ISO, an
    Excel date; ``mars 2022`` or ``2022-03`` for a month. A two-digit year is repaired; a date without year is a fault."""
    if isinstance(raw, bool):
        return _bad_date("tapez une date")
    if isinstance(raw, datetime):
        raw = raw.date()
    if isinstance(raw, date):
        return _checked(raw.year, raw.month, raw.day)
    text = _SPACES.sub(" ", as_text(raw))
    if re.fullmatch(r"\d{5}([.,]\d+)?", text) and 32874 <= int(text[:5]) <= 73415:
        found = date(1899, 12, 30) + timedelta(days=int(text[:5]))
        return _checked(found.year, found.month, found.day, f"numéro de jour d’Excel, lu {found:%d/%m/%Y}")
    iso = re.fullmatch(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?:[T ]00:00(?::00(?:\.0+)?)?)?", text)
    if iso:
        return _checked(int(iso[1]), int(iso[2]), int(iso[3]) if iso[3] else None)
    figures = re.fullmatch(r"(\d{1,2}) ?[/.\-] ?(\d{1,2}) ?[/.\-] ?(\d{4}|\d{2})(?: 00:00(?::00)?)?", text)
    if figures:
        return _day_month_year(int(figures[1]), int(figures[2]), figures[3])
    return _words(normalise(text).replace("_", " "))


def _words(text: str) -> Read:
    found = re.fullmatch(
        r"(?:(?:lun|mar|mercre|jeu|vendre|same)di |dimanche |le )*(?:(\d{1,2})(?:er)? )?([a-z]+)\.? (\d{4}|\d{2})", text
    )
    if found and found[2] in _MONTHS:
        if found[1]:
            return _day_month_year(int(found[1]), _MONTHS[found[2]], found[3])
        return _checked(int(found[3]), _MONTHS[found[2]], None) if len(found[3]) == 4 else _bad_date("ajoutez l’année")
    if re.fullmatch(r"\d{1,2}(?:er)? [a-z]+\.?|\d{1,2} ?[/.] ?\d{1,2}", text):
        return _bad_date("ajoutez l’année : jj/mm/aaaa")
    if re.fullmatch(r"\d{4}", text):
        return _bad_date("ajoutez le jour et le mois, par exemple 31/12/" + text)
    return _bad_date("tapez la date comme ceci : jj/mm/aaaa")


def _day_month_year(day: int, month: int, year: str) -> Read:
    full = int(year) if len(year) == 4 else 2000 + int(year)
    if month > 12 >= day:
        return _bad_date(f"le jour se tape avant le mois : {month:02d}/{day:02d}/{full} ?")
    return _checked(full, month, day, "" if len(year) == 4 else f"année complétée : {day:02d}/{month:02d}/{full}")


def _checked(year: int, month: int, day: int | None, repair: str = "") -> Read:
    try:
        found = date(year, month, day or 1)
    except ValueError:
        return _bad_date("ce jour n’existe pas dans le calendrier : corrigez le jour ou le mois")
    if not YEARS[0] <= year <= YEARS[1]:
        return _bad_date(f"l’année doit être comprise entre {YEARS[0]} et {YEARS[1]}")
    return Read(found.isoformat() if day else found.isoformat()[:7], repair=repair)


def _bad_date(fix: str) -> Read:
    return Read(fault=("DON-017", "une date, jour puis mois puis année : jj/mm/aaaa", fix))


def _date(raw: Raw, column: Column, words: Vocabulary, from_sheet: bool) -> Read:
    text = as_text(raw)
    silence = silence_of(text)
    return Read(repair="lu comme une date non renseignée") if silence else read_date(raw)


# --- codes and lists ----------------------------------------------------------------------------------------------------


def _code(raw: Raw, kind: str, words: Vocabulary) -> Read:
    text = as_text(raw)
    found = words.find(kind, text) or words.find(kind, text.replace(" ", "").replace(",", "."))
    if found is None:
        return unknown_code(text, words.codes.get(kind, {}).values(), "un code du référentiel")
    return Read(found, repair="" if found == text else f"lu comme {found}")


def unknown_code(text: str, known: Iterable[str], expected: str) -> Read:
    """The fault of a code that nothing bears, with the nearest one."""
    known = sorted(known)
    near = nearest(text, known)
    listed = expected + (" : " + ", ".join(known) if 0 < len(known) <= 12 else "")
    return Read(fault=("DON-013", listed, f"écrivez {near} ?" if near else "corrigez le code"))


def _groupe(raw: Raw, column: Column, words: Vocabulary, from_sheet: bool) -> Read:
    found = words.find("groupe", as_text(raw))
    known = set(words.codes.get("groupe", {}).values())
    return Read(found) if found else unknown_code(as_text(raw), known, "un groupe d’acteurs")


def _choix(raw: Raw, column: Column, words: Vocabulary, from_sheet: bool) -> Read:
    text = as_text(raw)
    found = forms(column.choices).get(normalise(text))
    if found:
        return Read(found)
    near = nearest(normalise(text), column.choices)
    fix = f"écrivez {near} ?" if near else "choisissez dans la liste, ou laissez vide"
    return Read(fault=("DON-018", "l’une de ces réponses : " + ", ".join(column.choices), fix))


def _oui_non(raw: Raw, column: Column, words: Vocabulary, from_sheet: bool) -> Read:
    text = normalise(as_text(raw))
    if silence_of(text):
        return Read(repair="lu comme non renseigné")
    for answer, accepted in (("oui", _YES), ("non", _NO)):
        if text in accepted:
            exact = text == answer or isinstance(raw, bool)
            return Read(answer, repair="" if exact else f"lu comme « {answer} »")
    return Read(fault=("DON-018", "oui ou non", "écrivez oui ou non"))


def _identifiant(raw: Raw, column: Column, words: Vocabulary, from_sheet: bool) -> Read:
    return Read(_SPACES.sub(" ", as_text(raw)))


def _repondant(raw: Raw, column: Column, words: Vocabulary, from_sheet: bool) -> Read:
    code = technical_code(as_text(raw))
    if code is None:
        return Read(
            fault=(
                "DON-020",
                "un code technique : R01, R02, P3…",
                "remplacez par un code ; gardez la correspondance entre codes et personnes hors de ce dossier",
            ),
            shown=f"« {masked(as_text(raw))} » (masqué)",
        )
    return Read(code, repair="" if code == as_text(raw) else f"lu comme {code}")


def _fonction(raw: Raw, column: Column, words: Vocabulary, from_sheet: bool) -> Read:
    text = as_text(raw)
    if looks_like_function_holder(text):
        return Read(
            fault=(
                "DON-020",
                "une fonction ou un service, jamais une personne",
                "écrivez la fonction, par exemple « chef de projet politique de la ville »",
            ),
            shown=f"« {masked(text)} » (masqué)",
        )
    return Read(text)


def _qpv(raw: Raw, column: Column, words: Vocabulary, from_sheet: bool) -> Read:
    known = words.codes.get("codes_qpv", {})
    codes, repairs = [], []
    for part in re.split(r"[;,\s]+", as_text(raw)):
        if not part:
            continue
        code = known.get(normalise(part)) or _padded(part, known.values())
        if code is None and "codes_qpv" not in words.codes:
            code = part  # the quarters themselves could not be read: that is said once, where they are declared
        if code is None:
            return unknown_code(part.upper(), known.values(), "un quartier déclaré dans le territoire")
        codes.append(code)
        repairs += [f"{part} lu comme {code}"] if code != part else []
    return Read(";".join(sorted(set(codes))), repair=" ; ".join(repairs))


def _padded(text: str, known: Iterable[str]) -> str | None:
    """The only known code that a text gives back once its lost zeros are put back."""
    found = re.fullmatch(r"([A-Za-z]{2})0*(\d+)", text)
    if not found:
        return None
    same = [code for code in known if re.fullmatch(found[1].upper() + "0*" + found[2], code)]
    return same[0] if len(same) == 1 else None


_READERS = {
    "nombre": _nombre,
    "effectif": _effectif,
    "annee": _annee,
    "silence": _silence,
    "niveau": _niveau,
    "date": _date,
    "groupe": _groupe,
    "choix": _choix,
    "oui_non": _oui_non,
    "identifiant": _identifiant,
    "repondant": _repondant,
    "fonction": _fonction,
    "codes_qpv": _qpv,
}
