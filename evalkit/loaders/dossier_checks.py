"""Checks that need more than one cell: rows of a table together, tables together, the framework and the territory."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from evalkit.errors import Fault, Place
from evalkit.loaders.cells import LEAVE, LEAVE_THERE, read_number, show
from evalkit.loaders.grids import normalise
from evalkit.loaders.pydantic_faults import nearest
from evalkit.loaders.tables import Row, TableReading
from evalkit.model.base import Comparison, Condition
from evalkit.model.dossier import SILENCES
from evalkit.model.referentiel import Formule, Indicateur, Referentiel
from evalkit.model.territory import Campagne, Territory

FAR_YEARS = 6  # a contract lasts six years: beyond, the year is probably a slip
_SHARES = (Formule.PART, Formule.PART_FAVORABLE)
_FRACTIONS = (*_SHARES, Formule.RATIO)
_AMOUNT = "montant_"


# --- indicators ---------------------------------------------------------------------------------------------------------


def settle_levels(reading: TableReading) -> None:
    """A silence typed in the column ``niveau`` goes to ``silence``."""
    for row in reading.rows:
        if "niveau" in row.silences:
            row.values["silence"] = row.silences["niveau"]


def settle_indicators(reading: TableReading, referentiel: Referentiel) -> None:
    """Turn ``valeur`` into a number or a category code, then check the row against the definition of its indicator."""
    for row in reading.rows:
        indicator = referentiel.indicateurs.get(row.text("indicateur"))
        typed = row.values.pop("valeur", None)
        if indicator is None:
            continue
        if typed is not None:
            _settle_value(reading, row, indicator)
        for name, silence in row.silences.items():
            stated = row.text("silence")
            if stated and stated != silence:
                read = f"« {SILENCES[silence]} » ici et « {SILENCES[stated]} » dans la colonne « silence »"
                reading.say("DON-043", row, name, read, "un seul silence par ligne", "gardez celui qui est juste")
            row.values.setdefault("silence", silence)
        if not row.broken:
            _check_indicator(reading, row, indicator)
    reading.rows[:] = [row for row in reading.rows if row.broken or _says_something(reading, row)]


def _settle_value(reading: TableReading, row: Row, indicator: Indicateur) -> None:
    position = reading.columns["valeur"]
    raw = reading.grid.at(row.index, position)
    if indicator.formule == Formule.VERBATIM:
        row.values["modalite"] = str(raw).strip()
        return
    if indicator.formule == Formule.CATEGORIE:
        _settle_category(reading, row, indicator, raw)
        return
    percent = indicator.unite == "pourcent"
    read = read_number(raw, percent=percent)  # the column is text in the workbook too: no repair to tell
    if read.fault is not None:
        row.broken = True
        code, expected, fix = read.fault
        reading.say(code, row, "valeur", show(raw), expected, fix.replace(LEAVE, LEAVE_THERE["valeur"]))
        return
    if read.silence:
        row.silences["valeur"] = read.silence
    value, repair = read.value, read.repair
    if (row.index, position) in reading.grid.percent and isinstance(raw, float | int) and percent:
        value = round(float(raw) * 100, 10)
        repair = f"cellule au format pourcentage, lue {show(value)}"
    if value is not None:
        row.values["valeur"] = value
    if repair:
        fix = "vérifiez que c’est bien cela ; sinon corrigez la cellule"
        reading.say("DON-031", row, "valeur", f"{show(raw)} : {repair}", "un nombre", fix)


def _settle_category(reading: TableReading, row: Row, indicator: Indicateur, raw: Any) -> None:
    from evalkit.loaders.cells import as_text, silence_of

    text = as_text(raw)
    accepted = {normalise(item.code): item.code for item in indicator.modalites}
    accepted |= {normalise(item.libelle): item.code for item in indicator.modalites}
    found = accepted.get(normalise(text))
    if found:
        row.values["modalite"] = found
        return
    silence = silence_of(text)
    if silence:
        row.silences["valeur"] = silence
        return
    row.broken = True
    codes = [item.code for item in indicator.modalites]
    near = nearest(normalise(text), accepted)
    near = f"« {accepted[near[2:-2]]} »" if near else ""
    fix = f"écrivez {near} ?" if near else "choisissez dans cette liste"
    reading.say("DON-018", row, "valeur", show(raw), "l’une de ces réponses : " + ", ".join(codes), fix)


def _says_something(reading: TableReading, row: Row) -> bool:
    if any(name in row.values for name in ("valeur", "modalite", "numerateur", "denominateur", "silence")):
        return True
    read, fix = (
        "ni valeur, ni numérateur, ni silence",
        "complétez la ligne, ou écrivez un silence (non_repondu, non_concerne…)",
    )
    reading.say("DON-032", row, "valeur", read, "une valeur, une fraction ou un silence", fix)
    return False


def _check_indicator(reading: TableReading, row: Row, indicator: Indicateur) -> None:
    value, top, bottom = (row.number(name) for name in ("valeur", "numerateur", "denominateur"))
    filled = [name for name in ("valeur", "modalite", "numerateur", "denominateur") if name in row.values]
    if filled and row.text("silence"):
        read = f"une valeur et le silence « {SILENCES[row.text('silence')]} »"
        reading.say("DON-043", row, "silence", read, "une valeur, ou un silence", "gardez l’un des deux")
    if indicator.formule in _FRACTIONS and (top is None) != (bottom is None):
        lacking = "denominateur" if bottom is None else "numerateur"
        read = "un numérateur sans dénominateur" if bottom is None else "un dénominateur sans numérateur"
        reading.say("DON-043", row, lacking, read, "les deux, ou la valeur seule", f"remplissez « {lacking} »")
    if indicator.formule in _SHARES:
        _check_share(reading, row, indicator, value, top, bottom)


def _check_share(
    reading: TableReading, row: Row, indicator: Indicateur, value: float | None, top: float | None, bottom: float | None
) -> None:
    if top is not None and bottom is not None and top > bottom:
        read = f"{show(top)} sur {show(bottom)}"
        expected = f"une partie d’un tout : {indicator.numerateur or 'numérateur'} parmi {indicator.denominateur or 'dénominateur'}"
        reading.say("DON-015", row, "numerateur", read, expected, "vérifiez que les deux nombres ne sont pas inversés")
    if value is not None and not 0 <= value <= 100:
        slipped = next((value / ten for ten in (10, 100, 1000) if 0 <= value / ten <= 100), None)
        fix = f"si la virgule a glissé, saisissez {show(round(slipped, 10))}" if slipped else ""
        fix = fix or ("retirez le signe moins" if value < 0 else "vérifiez la saisie : une part ne dépasse pas 100")
        fix += " ; si la donnée manque, laissez vide et écrivez « nr » dans la colonne « silence »"
        reading.say("DON-003", row, "valeur", show(value), "une part entre 0 et 100", fix)
    elif value is not None and top is not None and bottom and abs(value - 100 * top / bottom) > 0.6:
        read = f"{show(value)} %, mais {show(top)} sur {show(bottom)} font {show(round(100 * top / bottom, 1))} %"
        fix = "corrigez ce qui est faux ; la fraction sert au calcul"
        reading.say("DON-044", row, "valeur", read, "la même chose deux fois, ou une seule", fix)


# --- rows together ------------------------------------------------------------------------------------------------------


def check_respondents(reading: TableReading) -> None:
    """DON-052: one code under two groups, told once per code: one person would count in both."""
    seen: dict[str, Row] = {}
    told: set[str] = set()
    for row in reading.rows:
        who, group = row.text("repondant"), row.text("groupe")
        if not who or not group or who in told:
            continue
        first = seen.setdefault(who, row)
        if first.text("groupe") == group:
            continue
        told.add(who)
        place = reading.place(first, "groupe")
        where = place.cell or f"ligne {place.line}"
        read = f"le répondant {who} dans le groupe « {group} » (« {first.text('groupe')} » {where})"
        fix = "corrigez le groupe ; si ce sont deux personnes, donnez-leur deux codes"
        reading.say("DON-052", row, "groupe", read, "un seul groupe par répondant", fix)


def check_duplicates(reading: TableReading) -> None:
    """Two rows with the same key: both places are given."""
    seen: dict[tuple[str, ...], Row] = {}
    required = [name for name in reading.table.key if reading.table.column(name).required]
    for row in reading.rows:
        key = tuple(str(row.values.get(name, "")) for name in reading.table.key)
        if not reading.table.key or any(not row.text(name) for name in required):
            continue
        first = seen.setdefault(key, row)
        if first is row:
            continue
        place = reading.place(first, reading.table.key[0])
        where = place.cell or f"ligne {place.line}"
        what = {
            "cotations": ("une deuxième cotation du même répondant", "une cotation par répondant et par sous-question"),
            "arbitrages": ("un deuxième niveau arrêté", "un seul niveau arrêté par sous-question"),
        }.get(
            reading.table.name,
            ("une deuxième ligne pour la même chose", "une ligne pour chaque : " + ", ".join(reading.table.key)),
        )
        reading.say(
            "DON-019",
            row,
            reading.table.key[0],
            f"{what[0]} (la première : {where})",
            what[1],
            "gardez la bonne ligne et supprimez l’autre",
        )


def check_findings(reading: TableReading) -> None:
    """``repond_a`` names findings of the same table."""
    known = {row.text("id") for row in reading.rows if row.text("id")}
    for row in reading.rows:
        for code in re.split(r"\s*[;,]\s*", row.text("repond_a")):
            if code and (code not in known or code == row.text("id")):
                near = nearest(code, known - {row.text("id")})
                fix = f"écrivez {near} ?" if near else "corrigez l’identifiant, ou laissez vide"
                reading.say("DON-041", row, "repond_a", f"« {code} »", "l’identifiant d’un autre constat", fix)


def check_followups(reading: TableReading, known: Iterable[str] | None, campaign: str) -> None:
    """Recommendations of the previous campaign; ``known`` is None when that campaign is not there."""
    if not reading.rows:
        return
    if known is None:
        read = "des suivis, sans les constats de la campagne précédente"
        fix = "renseignez « campagne_precedente » dans campagne.yml et gardez le dossier précédent à côté"
        place = reading.place(reading.rows[0], "constat_precedent")
        reading.faults.append(Fault("DON-040", place, read, "le dossier du même nom, dans la campagne précédente", fix))
        return
    codes = set(known)
    for row in reading.rows:
        code = row.text("constat_precedent")
        if code and code not in codes:
            near = nearest(code, codes)
            fix = (
                f"écrivez {near} ?" if near else "vérifiez l’identifiant ; le suivi est imprimé sans le texte d’origine"
            )
            reading.say(
                "DON-040", row, "constat_precedent", f"« {code} »", f"un constat de la campagne {campaign}", fix
            )


def tell_unread_findings(reading: TableReading, previous: str) -> None:
    """The previous dossier is there and its findings could not be read: said once, with where to look."""
    if reading.rows:
        read, expected = f"les constats de {previous} ne se lisent pas", "un dossier précédent sans anomalie"
        fix = f"lancez « evalkit verifier » sur {previous} et corrigez-le ; les suivis sont imprimés sans le texte d’origine"
        reading.say("DON-040", reading.rows[0], "constat_precedent", read, expected, fix)


def check_actions(reading: TableReading) -> None:
    """Dates of one action in their order; the part not larger than the whole."""
    for row in reading.rows:
        dates = [
            (name, row.text(name)) for name in ("date_depot", "date_notification", "date_versement") if row.text(name)
        ]
        for (before, first), (after, second) in itertools.pairwise(dates):
            length = min(len(first), len(second))
            if first[:length] > second[:length]:
                read = f"« {after} » avant « {before} »"
                reading.say(
                    "DON-039", row, after, read, "dépôt, puis notification, puis versement", "vérifiez les deux dates"
                )
        total = row.number("beneficiaires_total")
        for name in ("beneficiaires_qpv", "beneficiaires_femmes"):
            part = row.number(name)
            if total is not None and part is not None and part > total:
                read = f"{show(part)} sur {show(total)} bénéficiaires"
                reading.say(
                    "DON-015", row, name, read, "une partie de « beneficiaires_total »", "vérifiez les deux nombres"
                )


def check_years(reading: TableReading, campagne: Campagne) -> None:
    """A year far from the campaign is probably a slip of the hand."""
    for row in reading.rows:
        year = row.number("annee")
        if year is not None and (year > campagne.annee + 1 or year < campagne.annee - FAR_YEARS):
            read = f"{show(year)}, pour une campagne de {campagne.annee}"
            expected = f"une année entre {campagne.annee - FAR_YEARS} et {campagne.annee + 1}"
            reading.say("DON-038", row, "annee", read, expected, "rien à faire si l’année est juste")


# --- the framework and the territory ------------------------------------------------------------------------------------


def check_use(reading: TableReading, referentiel: Referentiel, territory: Territory) -> None:
    """What is typed but will not count: another module, not applicable; or is not typed by hand at all."""
    column = next((c for c in ("sous_question", "indicateur", "question") if c in reading.columns), "")
    module_of = {q.code: m.code for m in referentiel.modules for q in m.questions}
    told: set[str] = set()
    for row in reading.rows:
        code = row.text(column) if column else ""
        if not code or code in told:
            continue
        question = referentiel.question_de.get(code, code)
        module = module_of.get(question, "")
        if territory.modules and module and module not in territory.modules:
            told.add(code)
            read, expected = f"{code}, du module « {module} »", "un module évalué : " + ", ".join(territory.modules)
            reading.say("DON-036", row, column, read, expected, "ajoutez ce module au territoire, ou retirez la ligne")
            continue
        why = not_applicable(referentiel, territory, code)
        if why:
            told.add(code)
            fix = "corrigez les faits du territoire, ou retirez la ligne"
            reading.say(
                "DON-036", row, column, f"{code}, sans objet ici : {why}", "une sous-question qui s’applique", fix
            )
        indicator = referentiel.indicateurs.get(code)
        if indicator and "saisie" not in indicator.obtention:
            told.add(code)
            expected = "un indicateur qui se saisit ; celui-ci vient de : " + ", ".join(indicator.obtention)
            reading.say(
                "DON-037",
                row,
                column,
                f"{code}, saisi à la main",
                expected,
                "rien à faire : la valeur est gardée et montrée à part",
            )


def not_applicable(referentiel: Referentiel, territory: Territory, code: str) -> str:
    """Why a question, sub-question or indicator does not apply to a territory; "" when it does."""
    facts = territory.facts()
    question = referentiel.questions_par_code.get(referentiel.question_de.get(code, code))
    sub = referentiel.sous_questions.get(referentiel.sous_question_de.get(code, code))
    for item in (question, sub, referentiel.indicateurs.get(code)):
        condition = item.applicable_si if item is not None else None
        if condition is not None and not _holds(condition, facts):
            return condition.explication or "la règle d’applicabilité l’exclut"
    return ""


def _holds(condition: Condition, facts: Mapping[str, Any]) -> bool:
    """A fact that is not stated excludes nothing: what is unknown stays to be evaluated."""
    if condition.tous is not None:
        return all(_compare(item, facts) for item in condition.tous)
    return any(_compare(item, facts) for item in condition.un_de or ()) or not condition.un_de


def _compare(item: Comparison, facts: Mapping[str, Any]) -> bool:
    value = facts.get(item.fait)
    if item.renseigne is not None:
        return (value is not None) is item.renseigne
    if value is None:
        return True
    tests = {
        "egal": lambda wanted: value == wanted,
        "different": lambda wanted: value != wanted,
        "parmi": lambda wanted: value in wanted,
        "superieur_ou_egal": lambda wanted: not _number(value) or value >= wanted,
        "inferieur_ou_egal": lambda wanted: not _number(value) or value <= wanted,
        "superieur": lambda wanted: not _number(value) or value > wanted,
        "inferieur": lambda wanted: not _number(value) or value < wanted,
    }
    return all(test(getattr(item, name)) for name, test in tests.items() if getattr(item, name) is not None)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_version(stated: str, referentiel: Referentiel, place: Place) -> list[Fault]:
    """A dossier made for another version of the framework is refused: codes may have changed."""
    if not stated or stated == referentiel.version:
        return []
    read, expected = f"version {stated}", f"version {referentiel.version}, celle de cet evalkit"
    fix = (
        "reprenez le classeur de cette version (evalkit nouveau), ou corrigez « referentiel_version » dans campagne.yml"
    )
    return [Fault("DON-022", place, read, expected, fix)]


def check_modules(stated: Iterable[str], referentiel: Referentiel, place: Place) -> list[Fault]:
    """Modules of a campaign that the framework does not have: left alone, a module would drop out in silence."""
    known = [module.code for module in referentiel.modules]
    faults = []
    for code in stated:
        if code not in known:
            near = nearest(normalise(code), known)
            fix = f"écrivez {near} ?" if near else "retirez ce module"
            faults.append(Fault("DON-013", place, f"« {code} »", "l’un de ces modules : " + ", ".join(known), fix))
    return faults
