"""Tell a technical code from a name, a function from a person. What looks like a person is never repeated in a message."""

from __future__ import annotations

import re
import unicodedata

_CODE = re.compile(r"^(?:[A-Z]{1,5}[-_.]?)?\d{1,5}(?:[-_.][A-Z0-9]{1,4}){0,2}$")
_MAIL_OR_PHONE = re.compile(
    r"[\w.+-]+@[\w-]+\.\w+|(?:(?:\+|00)33|0)[\s.\-]?[1-9](?:[\s.\-\u00a0\u202f]?\d{2}){4}(?!\d)"
)
_CIVILITY = re.compile(r"(?:^|[\s,;(])(?:M\.|MM\.|Mr\.?|Mme|Mlle|Monsieur|Madame|Mademoiselle|Me)\s+[A-ZÀ-ÝŒ]")
_NAME_PART = re.compile(r"^(?:[A-ZÀ-ÝŒ][a-zà-ÿœ]+|[A-ZÀ-ÝŒ]{2,}|[A-ZÀ-ÝŒ]\.)(?:[-’'][A-ZÀ-ÝŒa-zà-ÿœ]+)*$")
# Words of functions and bodies: two capitals with one of them are a service, not a person.
_FUNCTION_WORDS = frozenset(
    """
    accueil action adjoint adjointe agence agent agglomeration animateur animatrice associatif association
    associations atelier bailleur bailleurs bureau cabinet cadre caf caisse ccas centre charge chargee chef cheffe
    cite citoyen citoyens cohesion collectif college comite commission communaute commune communes conseil
    conseiller conseillere contrat coordinateur coordination coordinatrice coordonnateur coordonnatrice cpam
    culture ddets delegation delegue deleguee departement departemental developpement dgs directeur directeurs
    direction directrice dreets ecole economie educatif education egalite elu elue elus emploi enfance epci equipe
    etablissement etat famille federation femmes financeurs foyer france gestionnaire gouvernance groupe habitants
    habitat insertion institut intercommunalite jeunesse justice local locale logement lycee maire mairie maison
    mediateur mediation mediatrice metropole mission missions mpt observatoire office opca parents partenaires
    pilote pilotes plie pole police politique pompiers prefecture prefet prefete president presidente prevention
    programme projet proximite publics publique quartier quartiers referent referente region regional
    renouvellement renovation reseau responsable reussite sante secretaire secretariat securite service services
    social sociale sociaux sous-prefecture sous-prefet sous-prefete sport sports syndicat technique travail urbain
    urbaine urbanisme vice-president vice-presidente vie ville
    """.split()
)


def technical_code(text: str) -> str | None:
    """``r01`` -> ``R01``; None for what is not a code (a name, a body, a sentence)."""
    compact = re.sub(r"\s+", "", text)
    letters = re.match(r"[^\W\d_]*", compact)
    mixed = letters is not None and len(letters[0]) > 2 and not letters[0].isupper()
    return compact.upper() if not mixed and _CODE.match(compact.upper()) else None


def looks_like_function_holder(text: str) -> bool:
    """Whether a text that should be a function names a person: address, number, civility, or « Prénom Nom »."""
    if _MAIL_OR_PHONE.search(text) or _CIVILITY.search(text):
        return True
    return any(_is_person(part) for part in re.split(r"[,;/()]|\s[-–—]\s|\bet\b", text))


def _is_person(text: str) -> bool:
    parts = text.split()
    if not 2 <= len(parts) <= 4 or not all(_NAME_PART.match(part) for part in parts):
        return False
    if all(len(part) <= 4 and part.isupper() for part in parts):  # initials of bodies: CAF DDETS
        return False
    return not any(_plain(part) in _FUNCTION_WORDS for part in parts)


def _plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))


def masked(text: str) -> str:
    """First letter of each word: enough to find the cell again, not to name the person."""
    return " ".join(f"{word[0]}…" for word in text.split()[:4] if word)
