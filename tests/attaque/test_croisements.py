"""Territories, syntheses, references and index taken together: the attacker finds nothing, and each reading can fail."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from evalkit.charts import surveys as survey_charts
from evalkit.compute.disclosure import protect
from evalkit.compute.disclosure_bases import without_small_differences
from evalkit.compute.results import Evaluation, Publication, PublicationSynthese
from evalkit.compute.synthesis import freeze, protect_synthesis, synthesize
from evalkit.loaders.dossier import list_dossiers, load_campagne, load_dossier
from evalkit.loaders.referentiel import load_referentiel
from evalkit.report import sections, sections_surveys
from evalkit.report.check import check_page
from evalkit.report.index import render_index
from tests.attaque.croisements import CrossAttacker, CrossLoot, Everything, determined_levels
from tests.attaque.test_attaque import CAMPAGNE, QUESTIONS, TEACHING, page_of, rules_with, with_surveys


def synthesis_page(synthesis: PublicationSynthese) -> str:
    """Everything that the notebook prints of a synthesis."""
    parts = [
        sections.show_synthesis_title(synthesis),
        sections.show_synthesis_brief(synthesis),
        sections.show_perimeter(synthesis),
        sections.show_synthesis_respondents(synthesis),
        sections.show_synthesis_coverage(synthesis),
        *(sections.show_synthesis_question(synthesis, code) for code in QUESTIONS),
        sections.show_other_synthesis_questions(synthesis, *QUESTIONS),
        sections.show_synthesis_gaps(synthesis),
        sections.show_synthesis_findings(synthesis),
        sections.show_synthesis_context(synthesis),
        sections.show_typology(synthesis),
        sections.show_named(synthesis),
        sections.show_limits(synthesis),
        sections.show_masks(synthesis),
        sections.show_stamp(synthesis),
    ]
    return "\n".join(str(part) for part in parts)


def syntheses_of(referentiel, publications: Sequence[Publication], rules=None) -> list[PublicationSynthese]:
    """Region, each department, and the nominative one, protected in the order of the command."""
    campagne, rules = load_campagne(CAMPAGNE), rules or referentiel.regles
    known: list[PublicationSynthese] = []
    for perimeter in ["", *sorted({p.territoire.departement for p in publications})]:
        known.append(
            protect_synthesis(synthesize(referentiel, campagne, publications, perimetre=perimeter), rules, known)
        )
    named = protect_synthesis(synthesize(referentiel, campagne, publications), rules, nominatif=True)
    return [*known, named]


def reference_of(region: PublicationSynthese) -> str:
    return json.dumps(freeze(region, "2022-11-30"), ensure_ascii=False)


def index_of(
    pages: dict[str, str], publications: Iterable[Publication], said: dict[str, list[str]] | None = None
) -> str:
    """The page that lists the reports, from the journal's entries; ``said``: added to the control of a territory."""
    documents = []
    for publication in publications:
        name = publication.territoire.dossier
        control = check_page(pages[name])
        control["anomalies"] += (said or {}).get(name, [])
        entry = {"nom": name, "titre": publication.territoire.nom, "genre": "rapport", "etat": "reussi"}
        documents.append({**entry, "fichiers": ["rapport.html"], "anomalies": [], "controle": control})
    return render_index(load_campagne(CAMPAGNE), documents, ["synthese.html"])


def committee_of(publication: Publication) -> str:
    """The two pages of the steering committee, without their own stamp."""
    shown = [getattr(sections, name) for name in sorted(dir(sections)) if name.startswith("show_committee")]
    assert len(shown) > 5
    return "\n".join(str(show(publication)) for show in shown)


def everything_of(referentiel, publications: Sequence[Publication]) -> Everything:
    pages = {p.territoire.dossier: page_of(p) for p in publications}
    committees = {p.territoire.dossier: committee_of(p) for p in publications}
    syntheses = syntheses_of(referentiel, publications)
    return Everything(
        {name: [page, committees[name]] for name, page in pages.items()},
        [synthesis_page(s) for s in syntheses],
        [reference_of(syntheses[0])],
        index_of(pages, publications),
    )


@pytest.fixture(scope="module")
def referentiel():
    return load_referentiel()


@pytest.fixture(scope="module")
def six(referentiel) -> list[Evaluation]:
    """The teaching cases, with answers to the five questionnaires."""
    return [with_surveys(load_dossier(CAMPAGNE / n, referentiel), referentiel, seed) for seed, n in enumerate(TEACHING)]


@pytest.fixture(scope="module")
def publications(referentiel, six) -> list[Publication]:
    return [protect(e, referentiel.regles) for e in six]


@pytest.fixture(scope="module")
def published(referentiel, publications, no_pictures) -> Everything:
    return everything_of(referentiel, publications)


def of_one(published: Everything, name: str, *more: str, index: str = "") -> Everything:
    """One territory alone, with other pages about it."""
    return Everything({name: [*published.pages[name], *more]}, index=index)


def test_nothing_is_found_in_everything_together(referentiel, published):
    loot = CrossAttacker(referentiel).attack_together(published)
    assert loot.n_hidden > 1000
    assert loot.n_statements > 300, "the attacker did not read the texts"
    assert loot.n_compared > 100, "the attacker did not read the syntheses and the reference"
    assert loot.n_blocks > 500, "the attacker did not read the distributions over territories"
    assert loot.n_small_groups > 50
    assert loot.narrowest is not None
    assert loot.narrowest >= 5
    assert loot.nothing(), loot


# --- one weakened rule per source -----------------------------------------------------------------------------------


def small_hidden(evaluation: Evaluation, publication: Publication):
    """A hidden cell of a question whose other cells are shown: its question, label and true count."""
    questions = {q.code: q for e in evaluation.referentiel.enquetes for q in e.questions}
    true = evaluation.reponses.set_index(["question", "choix"])["n"]
    shown = publication.reponses
    for row in shown[shown["statut"] == "secret"].to_dict("records"):
        question = questions[row["question"]]
        labels = {c.code: c.libelle for c in question.choix if not c.silence and not c.liste}
        mine = shown[shown["question"] == row["question"]]
        if question.type == "choix_unique" and row["choix"] in labels and (mine["statut"] == "ok").any():
            return question, labels[row["choix"]], int(true[row["question"], row["choix"]])
    raise AssertionError("no hidden cell in this territory")


def test_an_alternative_text_made_before_masking_is_found_out(
    referentiel, six, publications, published, monkeypatch, no_pictures
):
    true = {(r["question"], r["choix"]): r["part"] for r in six[0].reponses.to_dict("records")}

    def unmasked(titre, item):
        said = [f"{label}, {true.get((item.question.code, code), 0):.0f} %." for code, label, *_ in item.choices]
        return " ".join([f"{titre} {item.group}, n = {item.n}.", *said])

    monkeypatch.setattr(survey_charts, "_choices_alt", unmasked)
    page = str(sections.show_surveys(publications[0]))
    loot = CrossAttacker(referentiel).attack_together(of_one(published, TEACHING[0], page))
    assert loot.exposed


@pytest.mark.parametrize("where", ["sentence", "caption"])
def test_a_sentence_made_before_masking_is_found_out(
    referentiel, six, publications, published, monkeypatch, no_pictures, where
):
    question, label, n = small_hidden(six[0], publications[0])
    leak = f"{question.code} « {label} » : {n} réponses"
    if where == "sentence":
        monkeypatch.setattr(sections_surveys, "conclusions", lambda *_: [leak])
    else:
        monkeypatch.setattr(survey_charts, "describe_source", lambda *_, **__: leak)
    page = str(sections.show_surveys(publications[0]))
    loot = CrossAttacker(referentiel).attack_together(of_one(published, TEACHING[0], page))
    assert any(text.startswith(question.code) for text in loot.exposed)


def test_an_index_that_says_an_answer_is_found_out(referentiel, six, publications, published):
    question, label, n = small_hidden(six[0], publications[0])
    pages = {TEACHING[0]: published.pages[TEACHING[0]][0]}
    index = index_of(pages, publications[:1], {TEACHING[0]: [f"{question.code} « {label} » : {n} réponses"]})
    loot = CrossAttacker(referentiel).attack_together(of_one(published, TEACHING[0], index=index))
    assert any(text.startswith(question.code) for text in loot.exposed)


@pytest.fixture(scope="module")
def one_unmasked(referentiel, six, publications) -> PublicationSynthese:
    """A regional synthesis where one territory came in with nothing hidden."""
    open_rules = rules_with(
        referentiel, seuil_personnes=1, seuil_institutions=1, seuil_cellule=1, seuil_extremes=0, largeur_minimale=0
    )
    mixed = [*publications[:3], protect(six[3], open_rules), *publications[4:]]
    return syntheses_of(referentiel, mixed)[0]


@pytest.mark.parametrize("source", ["synthesis", "reference"])
def test_a_synthesis_made_before_masking_is_found_out(referentiel, published, one_unmasked, source, no_pictures):
    weak = replace(published, syntheses=[], references=[])
    if source == "synthesis":
        weak = replace(weak, syntheses=[synthesis_page(one_unmasked)])
    else:
        weak = replace(weak, references=[reference_of(one_unmasked)])
    loot = CrossAttacker(referentiel).attack_together(weak, only=[TEACHING[3]])
    assert loot.unprinted
    assert loot.exposed


def blocks_found(referentiel, published: Everything, syntheses=(), references=()) -> list[str]:
    """Small distributions in syntheses and references; of the territories only names are needed."""
    pages = {name: [pages[0].partition("</h1>")[0] + "</h1>"] for name, pages in published.pages.items()}
    weak = Everything(pages, [synthesis_page(s) for s in syntheses], list(references))
    return CrossAttacker(referentiel).attack_together(weak).blocks


def test_a_distribution_over_few_territories_is_found_out(referentiel, publications, published, no_pictures):
    lower = rules_with(referentiel, seuil_territoires=1)
    assert blocks_found(referentiel, published, syntheses_of(referentiel, publications, lower))


def test_a_department_published_as_if_alone_is_found_out(referentiel, publications, published, no_pictures):
    """Five territories of the six in one department: the sixth is what is left, unless the region is taken as known."""
    moved = [
        replace(p, territoire=replace(p.territoire, departement="62" if i == 5 else "59"))
        for i, p in enumerate(publications)
    ]
    assert not blocks_found(referentiel, published, syntheses_of(referentiel, moved))
    campagne = load_campagne(CAMPAGNE)
    alone = [
        protect_synthesis(synthesize(referentiel, campagne, moved, perimetre=where), referentiel.regles)
        for where in ("", "59", "62")
    ]
    found = blocks_found(referentiel, published, alone)
    assert any("sans les départements montrés" in text for text in found)


def test_a_reference_frozen_again_with_one_more_is_found_out(referentiel, publications, published):
    """Five territories, then six: what LOT-013 and LOT-014 refuse; what they let through gives nothing."""
    five, six = (syntheses_of(referentiel, publications[:n])[0] for n in (5, 6))
    old, new = freeze(five, "2022-11-30"), freeze(six, "2022-12-31")
    assert blocks_found(referentiel, published, references=[json.dumps(old), json.dumps(new)])
    kept, gone = without_small_differences(new, [old], 5)
    assert gone
    assert not blocks_found(referentiel, published, references=[json.dumps(old), json.dumps(kept)])


def test_ordinary_medians_of_small_groups_are_found_out(referentiel, six, publications, published, no_pictures):
    """With the lower median and the ordinary one, some counts are known."""
    for evaluation, publication in zip(six, publications, strict=True):
        groups = publication.groupes.copy()
        shown = groups["mediane"].notna()
        groups.loc[shown, "mediane"] = evaluation.groupes.loc[shown, "mediane"]
        weak = replace(publication, groupes=groups)
        page = "\n".join(str(sections.show_question(weak, code)) for code in QUESTIONS)
        name = publication.territoire.dossier
        if CrossAttacker(referentiel).attack_together(of_one(published, name, page)).ratings:
            return
    raise AssertionError("the attacker cannot fail")


def test_what_medians_determine_by_hand():
    """Five ratings, lower median 3: nothing. Six, lower 0 and ordinary 2.5: the middle is 0 and 5, levels 1 to 4 empty."""
    assert determined_levels(5, frozenset({3.0}), False) == []
    assert determined_levels(6, frozenset({0.0, 2.5}), False) == [
        (0, 3),
        (1, 0),
        (2, 0),
        (3, 0),
        (4, 0),
        (5, 3),
    ]


@pytest.mark.complet
def test_nothing_is_found_in_the_forty_territories_together(referentiel, no_pictures):
    """The forty with answers to the five questionnaires, region, departments, nominative, reference, index."""
    dossiers = [load_dossier(path, referentiel) for path in list_dossiers(CAMPAGNE)]
    publications = [
        protect(with_surveys(dossier, referentiel, seed), referentiel.regles) for seed, dossier in enumerate(dossiers)
    ]
    loot = CrossAttacker(referentiel).attack_together(everything_of(referentiel, publications))
    told = {name: getattr(loot, name) for name in CrossLoot.__dataclass_fields__ if name.startswith("n")}
    assert loot.n_hidden > 4000, told
    assert loot.narrowest is not None
    assert loot.narrowest >= 5, told
    assert loot.nothing(), loot
    print(told)
