"""The form to print or to read aloud: headings, one group of boxes per question, no script, A4."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from evalkit.documents.surveys_page import describe_condition, notice_sentences
from evalkit.model.referentiel import Referentiel
from evalkit.model.survey import Enquete, Partie, QuestionEnquete, territory_choices
from evalkit.model.territory import Territory

TO_COMPLETE = re.compile(r"\[à compléter : ([^\]]*)\]")
_BLANK_LINES = 6  # lines left to write the names of a list that the territory does not give
_STYLE = (
    "@page{size:A4;margin:16mm 15mm}"
    "body{font:12pt/1.45 Arial,'Liberation Sans',sans-serif;color:#1b1b1b;background:#fff;margin:0}"
    "main{max-width:46rem;margin:auto;padding:1rem}h1{font-size:1.6rem;line-height:1.2;margin:0 0 .3rem}"
    "h2{font-size:1.25rem;border-bottom:2px solid #1b1b1b;padding-bottom:.2rem;margin:1.6rem 0 .8rem;break-after:avoid}"
    ".mentions{border:1px solid #595959;border-radius:4px;padding:.2rem 1rem;margin:1rem 0}"
    "fieldset{border:0;border-top:1px solid #a0a0a0;margin:0 0 1rem;padding:.5rem 0 0;break-inside:avoid}"
    "fieldset.longue{break-inside:auto}legend{font-weight:bold;padding:0;float:left;width:100%;margin-bottom:.3rem}"
    "legend+*{clear:both}.code{font-weight:normal;color:#595959;font-size:.85em;margin-right:.4em}"
    ".si{font-style:italic;margin:.1rem 0}.aide{margin:.1rem 0;color:#404040}ul{list-style:none;margin:0;padding:0}"
    ".deux{columns:2;column-gap:1.5rem}li{break-inside:avoid;padding:.12rem 0 .12rem 1.8em;text-indent:-1.8em}"
    ".echelle{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem}.echelle li{padding-left:0;text-indent:0}"
    "input[type=radio],input[type=checkbox]{width:1.05em;height:1.05em;margin:0 .55em 0 0;vertical-align:-.12em;"
    "text-indent:0;appearance:none;-webkit-appearance:none;border:1.5px solid #1b1b1b;background:#fff;"
    "print-color-adjust:exact}input[type=radio]{border-radius:50%}input:checked{box-shadow:inset 0 0 0 .18em #fff;"
    "background:#1b1b1b}input[type=text],textarea{font:inherit;border:1px solid #595959;border-radius:2px;"
    "box-sizing:border-box}input[type=text]{width:9em;padding:.2em}input.ligne{width:calc(100% - 2em);border-width:0 0 1px}"
    "textarea{width:100%;height:7em;resize:vertical}:focus-visible{outline:3px solid #0068a8;outline-offset:2px}"
    ".ecrire{border-bottom:1px dotted #595959}"
    "section.partie+section.partie{break-before:page}@media print{main{max-width:none;padding:0}}"
)


def render_printable_form(enquete: Enquete, referentiel: Referentiel, territoire: Territory | None = None) -> str:
    """The form as one HTML file, without script nor external reference; the same at every run."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'"
    body = "\n".join(_body(enquete, referentiel, territoire))
    return (
        '<!doctype html>\n<html lang="fr">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(enquete.titre)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        "</body>\n</html>\n"
    )


def _text(text: str) -> str:
    """Escaped, with the no-break spaces that French wants before ? ! : ; and inside « »."""
    for mark in ("?", "!", ";"):
        text = text.replace(f" {mark}", f"\u202f{mark}")
    text = text.replace(" :", "\u00a0:").replace("« ", "«\u00a0").replace(" »", "\u00a0»")
    return html.escape(text)


def _to_complete(sentence: str) -> str:
    """A sentence whose parts in brackets can be written over in the browser, before printing."""
    parts = TO_COMPLETE.split(sentence)
    return "".join(
        f'<span class="ecrire" contenteditable="true" role="textbox" aria-label="{_text(part)}">'
        f"{_text(f'[à compléter : {part}]')}</span>"
        if index % 2
        else _text(part)
        for index, part in enumerate(parts)
    )


def _body(enquete: Enquete, referentiel: Referentiel, territoire: Territory | None) -> Iterator[str]:
    yield f"<h1>{_text(enquete.titre)}</h1>"
    place = f"{territoire.nom}. " if territoire else ""
    yield f"<p>{_text(place + f'Questionnaire {enquete.code}, référentiel {referentiel.version}.')}</p>"
    yield '<section class="mentions" aria-labelledby="mentions">\n<h2 id="mentions">Avant de commencer</h2>'
    yield from (f"<p>{_to_complete(sentence)}</p>" for sentence in notice_sentences(enquete, referentiel))
    yield (
        '<p><input type="checkbox" id="consentement"><label for="consentement">'
        f"<strong>{_text('J’ai lu ces informations et j’accepte de répondre.')}</strong></label></p>\n</section>"
    )
    for part in enquete.parties:
        yield from _part(part, enquete, territoire)
    if enquete.fin:
        yield '<section class="mentions" aria-labelledby="fin">\n<h2 id="fin">Pour finir</h2>'
        yield from (f"<p>{_text(sentence)}</p>" for sentence in enquete.fin)
        yield "</section>"


def _part(part: Partie, enquete: Enquete, territoire: Territory | None) -> Iterator[str]:
    title = f"{part.libelle} : {part.repondants[0].lower()}{part.repondants[1:]}"
    several = len(enquete.parties) > 1
    yield f'<section class="partie" aria-labelledby="partie-{part.code}">'
    yield f'<h2 id="partie-{part.code}">{_text(title if several else "Questions")}</h2>'
    for question in enquete.questions:
        if question.partie == part.code:
            yield from _question(question, enquete, territoire)
    yield "</section>"


def _question(question: QuestionEnquete, enquete: Enquete, territoire: Territory | None) -> Iterator[str]:
    long = ' class="longue"' if len(question.choix) > 12 else ""
    notes = list(_notes(question, enquete))
    described = f' aria-describedby="{question.code}-aide"' if notes else ""
    yield f'<fieldset id="{question.code}"{long}{described}>'
    yield f'<legend><span class="code">{question.code}</span>{_text(question.libelle)}</legend>'
    if notes:
        yield f'<div id="{question.code}-aide">' + "".join(notes) + "</div>"
    if question.choix:
        yield from _choices(question, territoire)
    elif question.type == "nombre":
        unit = f" {_text(question.unite)}" if question.unite else ""
        label = _text(f"Votre réponse à la question {question.code}, en chiffres")
        yield f'<p><input type="text" inputmode="decimal" aria-label="{label}">{unit}</p>'
    else:
        limit = f' maxlength="{question.longueur_max}"' if question.longueur_max else ""
        label = _text(f"Votre réponse à la question {question.code}")
        yield f'<p><textarea aria-label="{label}"{limit}></textarea></p>'
    yield "</fieldset>"


def _notes(question: QuestionEnquete, enquete: Enquete) -> Iterator[str]:
    """When to answer, how many answers, in which words."""
    if question.posee_si:
        yield f'<p class="si">{_text(f"Répondez {describe_condition(question.posee_si, enquete)}.")}</p>'
    if question.maximum:
        yield f'<p class="aide">{_text(f"{question.maximum} réponses au plus.")}</p>'
    elif question.type == "choix_multiple":
        yield '<p class="aide">Plusieurs réponses possibles.</p>'
    elif question.type == "likert":
        yield '<p class="aide">Cochez une case, de 1 à 5.</p>'
    if question.consigne:
        yield f'<p class="aide">{_text(question.consigne)}</p>'


def _choices(question: QuestionEnquete, territoire: Territory | None) -> Iterator[str]:
    kind = "checkbox" if question.type == "choix_multiple" else "radio"
    items: list[str] = []
    for choice in question.choix:
        if not choice.liste:
            items.append(_box(question, kind, choice.code, choice.libelle))
            continue
        known = territory_choices(choice.liste, territoire) if territoire else ()
        items += [_box(question, kind, code, label) for code, label in known]
        items += [] if known else [_blank(question, kind, number) for number in range(1, _BLANK_LINES + 1)]
    style = "echelle" if question.type == "likert" else "deux" if len(items) > 6 else ""
    yield f'<ul class="{style}">' if style else "<ul>"
    yield from items
    yield "</ul>"


def _box(question: QuestionEnquete, kind: str, code: str, label: str) -> str:
    identifier = f"{question.code}-{html.escape(code)}"
    box = f'<input type="{kind}" name="{question.code}" id="{identifier}">'
    return f'<li>{box}<label for="{identifier}">{_text(label)}</label></li>'


def _blank(question: QuestionEnquete, kind: str, number: int) -> str:
    """A box and a line to write on, when the territory's list is not known."""
    said = f'aria-label="{_text(f"Choix {number} de la question {question.code}")}"'
    name = f'<input type="text" class="ligne" aria-label="{_text(f"Nom du choix {number}, question {question.code}")}">'
    return f'<li><input type="{kind}" name="{question.code}" {said}>{name}</li>'
