"""Tell a technical code from a name, a function from a person. What looks like a person is never repeated in a message."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from itertools import pairwise

from evalkit.errors import Fault, Place
from evalkit.model.survey import ANY_EXPORT

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


# --- what is stored or published --------------------------------------------------------------------------------------

# Before a name, they make it that of a place: « salle Jean Moulin ».
_PLACES = frozenset(
    """
    allee association avenue bibliotheque boulevard centre cite club college creche ecole espace esplanade foyer gymnase
    hopital impasse lycee maison mediatheque parc piscine place pont quai quartier residence rue salle secteur social square
    stade theatre tour ville
    """.split()
)
# Words with a capital that are nobody's: what files and sheets are called, and small words at the head of a sentence.
_NOBODY = frozenset(
    """
    adresse annee autre autres avis aucun aucune classeur completed completion commentaire commentaires copie copy courriel csv data date donnees end enq enquete enquetes
    excel export feuille feuil fichier final finale forms form formulaire framaforms google gps heure hlm id ip kobo kobotoolbox limesurvey
    last mail microsoft modified nom non notes odk organisme oui page prenom questionnaire questionnaires question reponse reponses response responses resultat
    resultats saint sainte saisie sheet sondage start status submission telephone test texte time total
    validation version xlsx le la les un une des du de et en au aux mon
    ma mes votre vos notre nos quel quelle quels quelles que qui si je vous nous avez etes est sont dans pour par sur lundi
    mardi mercredi jeudi vendredi samedi dimanche janvier fevrier mars avril mai juin juillet aout septembre octobre novembre
    decembre nord sud est ouest insee qpv anct irev dom
    """.split()
)
_COMMON = _NOBODY | _PLACES | _FUNCTION_WORDS
_WORD = re.compile(r"[^\W\d_]\.|[^\W\d_]+")
_GAP = re.compile(r"[\s_’'\-\u00a0]+")
_NAME_OF_A_FILE = rf"[^/\\«»\"\n]*\.(?:{'|'.join(kind[1:] for kind in ANY_EXPORT)})\b"
_NAMED_FILE = re.compile(_NAME_OF_A_FILE, re.IGNORECASE)
_EXPORTS_FOLDER = re.compile(r"(?:^|/)enquetes(?:/|$)")  # where the exports of a dossier lie
_NAMED_EXPORT = re.compile(rf"((?:enquetes|brut)[/\\])({_NAME_OF_A_FILE})", re.IGNORECASE)
_QUOTED = re.compile(r"«[^«»]*»")
_FEWEST_LETTERS = 3  # of the longest word of a name: two initials are nobody
CONTACT = "(coordonnées)"


def without_people(text: str, *, joined: bool = False) -> str:
    """A title, a sheet's or a file's name as it may be stored or published: no way to reach somebody, names as initials.

    ``joined``: words may be joined by hyphens only, as in the name of a file; elsewhere « Aulnoye-Aymeries » is a place.

    >>> without_people("Avis de Fatima Bouzid sur le local"), without_people("reponses_Fatima_Bouzid 06 12 34 56 78.csv")
    ('Avis de F… B… sur le local', 'reponses_F…_B… (coordonnées).csv')
    >>> without_people("Salle Jean Moulin, réponses Google Forms")
    'Salle Jean Moulin, réponses Google Forms'
    """
    text = _MAIL_OR_PHONE.sub(CONTACT, text.replace("_", "\0")).replace("\0", "_")  # « _ » would be taken for a letter
    for start, end in reversed(_names_in(text, joined)):
        text = text[:start] + _WORD.sub(lambda found: f"{found[0][0]}…", text[start:end]) + text[end:]
    return text


def _names_in(text: str, joined: bool) -> list[tuple[int, int]]:
    """Where names of persons stand: two to four words with a capital, one after the other, that no common word holds."""
    runs: list[list[re.Match[str]]] = [[]]
    before = ""
    owner = [""]  # the word before each run
    for word in _WORD.finditer(text):
        capital = bool(_NAME_PART.match(word[0])) and _plain(word[0]) not in _COMMON
        near = bool(runs[-1]) and bool(_GAP.fullmatch(text[runs[-1][-1].end() : word.start()]))
        if capital and near:
            runs[-1].append(word)
        elif capital:
            runs.append([word])
            owner.append(before)
        elif runs[-1]:
            runs.append([])
            owner.append("")
        before = _plain(word[0])
    return [
        (run[0].start(), run[-1].end())
        for run, place in zip(runs, owner, strict=True)
        if _is_name(text, run, place, joined)
    ]


def _is_name(text: str, run: list[re.Match[str]], before: str, joined: bool) -> bool:
    if not 2 <= len(run) <= 4 or before in _PLACES or max(len(word[0]) for word in run) < _FEWEST_LETTERS:
        return False
    if all(word[0].isupper() and len(word[0]) <= 4 for word in run):  # initials of bodies: CAF DDETS
        return False
    gaps = (text[first.end() : second.start()] for first, second in pairwise(run))
    return joined or any(gap.strip("-’'") for gap in gaps)


def file_without_people(name: str) -> str:
    """The name of a file, or a path of which only the last name may be somebody's.

    >>> file_without_people("valbrune/enquetes/brut/reponses-Fatima-Bouzid.csv")
    'valbrune/enquetes/brut/reponses-F…-B….csv'
    """
    folder, mark, last = name.rpartition("/")
    return f"{folder}{mark}{without_people(last, joined=True)}"


def place_without_people(place: Place) -> Place:
    """A place as it may be stored: its file, sheet and column name nobody."""
    return replace(
        place,
        file=file_without_people(place.file),
        sheet=without_people(place.sheet, joined=True),
        column=without_people(place.column),
    )


def fault_without_people(fault: Fault) -> Fault:
    """A message of a dossier as it may be stored or published: an export, its sheets and titles name nobody.

    A message about the dossier's own files keeps its words, save contacts and names of exports: their columns refuse names of
    persons by themselves, and « Bois Blancs » or « Noyelles-Godault.xlsx » are what has to be found again.
    """
    if _EXPORTS_FOLDER.search(fault.place.file):
        return export_fault_without_people(fault)
    read, expected, fix = (_said_without_exports(text) for text in (fault.read, fault.expected, fault.fix))
    return replace(fault, read=read, expected=expected, fix=fix)


def _said_without_exports(text: str) -> str:
    text = _NAMED_EXPORT.sub(lambda found: found[1] + without_people(found[2], joined=True), text)
    return _MAIL_OR_PHONE.sub(CONTACT, text)


def export_fault_without_people(fault: Fault) -> Fault:
    """A message about an export, wherever it lies: files, sheets and titles that it repeats name nobody."""
    read, expected, fix = (_said_without_people(text) for text in (fault.read, fault.expected, fault.fix))
    return replace(fault, place=place_without_people(fault.place), read=read, expected=expected, fix=fix)


def _said_without_people(text: str) -> str:
    text = _NAMED_FILE.sub(lambda found: without_people(found[0], joined=True), text)
    text = _QUOTED.sub(lambda found: without_people(found[0]), text)
    return _MAIL_OR_PHONE.sub(CONTACT, text)
