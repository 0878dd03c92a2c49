"""The page « Questionnaires »: every question, what may be answered, when it is asked and which indicator it feeds."""

from __future__ import annotations

from collections.abc import Iterator

from evalkit.documents.blocks import (
    Block,
    Bullets,
    Grid,
    Heading,
    Paragraph,
    anchor_of,
    origin,
    render_blocks_markdown,
)
from evalkit.model.base import Comparison, Condition
from evalkit.model.referentiel import Referentiel
from evalkit.model.survey import Enquete, LienIndicateur, QuestionEnquete
from evalkit.wording import format_number, join_french, plural

TYPES = {
    "choix_unique": "une réponse",
    "choix_multiple": "plusieurs réponses",
    "likert": "une position de 1 à 5",
    "nombre": "un nombre",
    "texte": "un texte",
}
COLLECTES = {
    "aleatoire": "tirage au hasard",
    "recensement": "tout le monde est sollicité",
    "ouvert": "questionnaire ouvert : ne représente que ceux qui ont répondu",
}
USAGES = {"indicateur": "renseigne un indicateur", "contexte": "décrit le répondant", "ventilation": "sert à ventiler"}
SENSIBLES = {"non": "", "indirect": "sensible par recoupement", "oui": "sensible"}
CALCULS = {
    "part": "part",
    "moyenne": "moyenne",
    "mediane": "médiane",
    "somme": "somme",
    "distribution": "répartition des réponses",
    "solde": "solde",
    "rapport": "rapport de nombres",
    "verbatim": "texte libre, lu par thème",
    "reseau": "liens cités",
    "appui": "éclaire sans donner la valeur",
}
ROLES = {"numerateur": "au numérateur", "denominateur": "au dénominateur", "les_deux": "des deux côtés"}


def render_surveys_markdown(referentiel: Referentiel) -> str:
    """Every questionnaire, question by question, in Markdown; the same at every run."""
    return render_blocks_markdown(_page(referentiel))


def notice_sentences(survey: Enquete, referentiel: Referentiel) -> list[str]:
    """The notice as respondents read it: ``{seuil}`` is the threshold of ``regles.yml`` that the computation applies.

    When the parts of a questionnaire have different thresholds, each is named with its part.
    """
    values = {part.code: format_number(referentiel.seuil(part.seuil)) for part in survey.parties}
    text = next(iter(values.values()))
    if len(set(values.values())) > 1:
        text = join_french([f"{values[part.code]} ({part.libelle.lower()})" for part in survey.parties])
    return [sentence.replace("{seuil}", text) for sentence in survey.notice]


def describe_condition(condition: Condition, survey: Enquete) -> str:
    """``si A28 : « Oui »`` — the condition in words, with the labels of the answers."""
    joint = " et " if condition.tous else " ou "
    return "si " + joint.join(_comparison(item, survey) for item in condition.tous or condition.un_de or ())


def _comparison(item: Comparison, survey: Enquete) -> str:
    question = survey.questions_par_code[item.fait]
    labels = {choice.code: choice.libelle for choice in question.choix}

    def said(value: object) -> str:
        return f"« {labels.get(str(value), str(value))} »"

    if item.renseigne is not None:
        return f"{item.fait} a une réponse" if item.renseigne else f"{item.fait} est sans réponse"
    if item.parmi is not None:
        return f"{item.fait} : {' ou '.join(said(value) for value in item.parmi)}"
    if item.egal is not None:
        return f"{item.fait} : {said(item.egal)}"
    if item.different is not None:
        return f"{item.fait} : autre réponse que {said(item.different)}"
    words = {
        "superieur_ou_egal": "au moins",
        "superieur": "plus de",
        "inferieur_ou_egal": "au plus",
        "inferieur": "moins de",
    }
    for key, word in words.items():
        if (value := getattr(item, key)) is not None:
            return f"{item.fait} : {word} {_number(value)}"
    raise ValueError(f"condition on {item.fait} without operator")  # refused by the loader


def _number(value: float) -> str:
    return format_number(value, 0 if float(value).is_integer() else 2)


def _page(referentiel: Referentiel) -> Iterator[Block]:
    yield Heading(1, "Questionnaires")
    total = sum(len(survey.questions) for survey in referentiel.enquetes)
    yield Paragraph(
        f"{plural(len(referentiel.enquetes), 'questionnaire')}, {plural(total, 'question')}. Le code d’une question est "
        "le même dans le fichier du référentiel, dans le formulaire et dans les réponses qui reviennent ; il ne change "
        "jamais."
    )
    yield Paragraph(
        "Les absences d’opinion (« ne sait pas », refus, sans objet) n’entrent dans aucun pourcentage : elles sont "
        "comptées à part."
    )
    for survey in referentiel.enquetes:
        yield from _survey(survey, referentiel)


def _survey(survey: Enquete, referentiel: Referentiel) -> Iterator[Block]:
    yield Heading(2, f"{survey.code} — {survey.titre}", anchor_of(survey.code))
    yield Bullets(
        [
            ("Outil", survey.outil),
            ("Qui répond", survey.repondants),
            ("Durée", survey.duree),
            ("Terrain", survey.terrain),
            ("Confidentialité", survey.confidentialite),
        ]
    )
    yield origin(survey)
    yield Paragraph("les phrases lues en tête du questionnaire, par les personnes interrogées.", strong="Mentions :")
    yield Bullets([("", sentence) for sentence in notice_sentences(survey, referentiel)])
    yield Grid(
        f"Parties de {survey.code}",
        ("Partie", "Qui répond", "Groupe d’acteurs", "Collecte", "Publié à partir de"),
        [
            (
                part.libelle,
                part.repondants,
                referentiel.groupes_par_code[part.groupe].libelle if part.groupe else "aucun",
                COLLECTES[part.collecte],
                f"{format_number(referentiel.seuil(part.seuil))} réponses",
            )
            for part in survey.parties
        ],
    )
    for part in survey.parties:
        asked = [question for question in survey.questions if question.partie == part.code]
        yield Grid(
            f"Questions de {survey.code}" + (f" — {part.libelle}" if len(survey.parties) > 1 else ""),
            ("Code", "Question", "Réponses (code)", "Posée", "Ce qu’on en fait"),
            [_row(question, survey) for question in asked],
        )
    if survey.indicateurs_propres:
        yield Grid(
            f"Indicateurs propres à {survey.code}",
            ("Code", "Indicateur", "Calcul", "Questions"),
            [(i.code, i.libelle, i.calcul, ", ".join(i.questions)) for i in survey.indicateurs_propres],
        )


def _row(question: QuestionEnquete, survey: Enquete) -> tuple[str, ...]:
    label = f"{question.libelle} ({question.consigne})" if question.consigne else question.libelle
    asked = describe_condition(question.posee_si, survey) if question.posee_si else "toujours"
    uses = [USAGES[question.usage], SENSIBLES[question.donnee_sensible]]
    uses = [use for use in uses if use] if question.usage != "indicateur" else [use for use in uses[1:] if use]
    return (
        question.code,
        label,
        _answers(question),
        asked,
        " ; ".join([*(_link(link, question) for link in question.indicateurs), *uses]) or USAGES["contexte"],
    )


def _answers(question: QuestionEnquete) -> str:
    text = TYPES[question.type]
    if question.maximum:
        text += f", {question.maximum} au plus"
    if question.choix:
        return f"{text} : " + " ; ".join(
            f"{choice.libelle} ({'liste du territoire' if choice.liste else choice.code})" for choice in question.choix
        )
    if question.bornes:
        low, high = question.bornes.min, question.bornes.max
        text += f", au moins {_number(low)}" if low is not None else ""
        text += f", au plus {_number(high)}" if high is not None else ""
    if question.longueur_max:
        text += f", {question.longueur_max} caractères au plus"
    return f"{text} ({question.unite})" if question.unite else text


def _link(link: LienIndicateur, question: QuestionEnquete) -> str:
    labels = {choice.code: choice.libelle for choice in question.choix}
    text = f"{link.code} : {CALCULS[link.calcul]}"
    if link.calcul == "part" and link.favorables:
        least = f", {link.minimum} au moins" if link.minimum > 1 else ""
        text += f" de {' ou '.join(f'« {labels[code]} »' for code in link.favorables)}{least}"
    if link.favorable_si:
        text += f" ({_favourable(link)})"
    if link.role:
        text += f", {ROLES[link.role]}"
    if link.coefficient != 1:
        text += f", × {_number(link.coefficient)}"
    return f"{text} ({link.note.rstrip('.')})" if link.note else text


def _favourable(link: LienIndicateur) -> str:
    rule = link.favorable_si
    assert rule is not None
    if rule.inferieur is not None:
        return f"moins de {_number(rule.inferieur)}"
    if rule.superieur_ou_egal is not None:
        return f"au moins {_number(rule.superieur_ou_egal)}"
    return "réponse donnée"
