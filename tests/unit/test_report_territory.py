"""Sections of a territory's report: what is said, what is not, and what is refused."""

import dataclasses
import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from evalkit.compute.results import COLUMNS, Evaluation, Publication
from evalkit.loaders.referentiel import load_referentiel
from evalkit.model.territory import Qpv
from evalkit.report import sections, sentences, tables
from evalkit.report.html import STAMP_MIME, Html, render_notebook
from evalkit.report.sections_territory import _associated
from tests.fabrique import make_publication, make_territory

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SNAPSHOTS = Path(__file__).parents[1] / "rendus"
NAN = float("nan")
TERRITORY_SECTIONS = [
    name
    for name in sections.__all__
    if "synthesis" not in name and name not in ("show_limits", "show_perimeter", "show_typology", "show_named")
]


def plain(fragment):
    """Words of a fragment, every kind of space made ordinary."""
    text = BeautifulSoup(str(fragment), "html.parser").get_text(" ")
    return re.sub(r"\s+", " ", text).strip()


def call(name, publication):
    """Call a section; those of a question are asked for the first one."""
    extra = ("Q1",) if name == "show_question" else ()
    return getattr(sections, name)(publication, *extra)


def run_notebook(name, **values):
    """Evaluate the cells of a notebook here, without a kernel, as papermill would."""
    nb = nbformat.read(NOTEBOOKS / name, as_version=4)
    for cell in nb.cells:
        if cell.cell_type != "code" or "load_" in cell.source or "parameters" in cell.metadata.get("tags", []):
            continue
        shown = eval(cell.source, {"evalkit": sections, **values})
        data = {"text/html": str(shown), "text/plain": repr(shown)}
        if hasattr(shown, "stamp"):
            data[STAMP_MIME] = shown.stamp
        cell.outputs = [nbformat.v4.new_output("execute_result", data=data, execution_count=1)]
    return nb


def unfilled():
    """A real territory not yet evaluated: identity, no rating, no value, nothing settled."""
    base = make_publication()
    levels = base.niveaux.drop(columns=[]).to_dict("records")
    for row in levels:
        row.update(niveau=float("nan"), statut="non_arbitre", preuve=None, auto_evaluation=float("nan"))
    questions = base.questions.to_dict("records")
    for row in questions:
        row.update(n_arbitrees=0, couverture=0.0, mediane=float("nan"), minimum=float("nan"), borne_basse=0.0)
        row.update(borne_haute=5.0, statut="aucun_arbitrage")
    people = base.repondants.to_dict("records")
    for row in people:
        row.update(n_repondants=0, n_cotations=0, n_silences=0)
    empty = {name: [] for name in COLUMNS if name not in ("contexte",)}
    return make_publication(**{**empty, "niveaux": levels, "questions": questions, "repondants": people})


def handmade():
    """A publication whose levels and respondents are written here, whatever the computation becomes."""
    level = {"question": "Q1", "applicable": True, "auto_evaluation": NAN}
    levels = [
        {
            **level,
            "sous_question": "Q1.1",
            "niveau": 3.0,
            "statut": "arbitre",
            "preuve": "compte rendu",
            "auto_evaluation": 4.0,
        },
        {
            **level,
            "sous_question": "Q1.2",
            "niveau": 2.0,
            "statut": "arbitre",
            "date": "2022-11-01",
            "instance": "comité",
        },
        {**level, "sous_question": "Q1.3", "niveau": NAN, "statut": "non_arbitre", "silence": "ne_sait_pas"},
        {
            **level,
            "sous_question": "Q1.4",
            "applicable": False,
            "niveau": NAN,
            "statut": "non_applicable",
            "explication": "Sans objet ici.",
        },
    ]
    question = {
        "question": "Q1",
        "n_applicables": 3,
        "n_arbitrees": 2,
        "couverture": 2 / 3,
        "mediane": NAN,
        "minimum": NAN,
    }
    people = [
        {"groupe": "etat", "n_repondants": 1, "n_cotations": 1, "n_silences": 0},
        {"groupe": "commune", "n_repondants": 6, "n_cotations": 15, "n_silences": 1},
        {"groupe": "association", "n_repondants": 0, "n_cotations": 0, "n_silences": 0},
    ]
    bounds = {"borne_basse": 2.0, "borne_haute": 3.0, "statut": "couverture_insuffisante"}
    return make_publication(niveaux=levels, questions=[{**question, **bounds}], repondants=people, solidite=[])


def as_evaluation(publication):
    """The same tables, not protected."""
    return Evaluation(
        territoire=publication.territoire,
        campagne=publication.campagne,
        referentiel=publication.referentiel,
        **publication.tables(),
    )


@pytest.mark.parametrize("name", TERRITORY_SECTIONS)
def test_no_section_accepts_an_evaluation(name):
    """What has not been protected can be neither drawn, nor printed, nor stamped."""
    with pytest.raises(TypeError, match="Publication"):
        call(name, as_evaluation(make_publication()))


@pytest.mark.parametrize("name", TERRITORY_SECTIONS)
def test_every_section_gives_a_fragment(name):
    """Each section gives HTML with French words only: no missing-value mark leaks."""
    shown = call(name, make_publication())
    assert isinstance(shown, Html)
    words = plain(shown).split()
    assert not {"nan", "None", "NaN", "NA", "<NA>", "True", "False"} & set(words)


def test_the_whole_report_keeps_every_table_and_figure():
    """The page has exactly the tables and the figures that the sections produced, and its headings make a plan."""
    nb = run_notebook("rapport_territoire.ipynb", publication=make_publication())
    made = "".join(output["data"]["text/html"] for cell in nb.cells for output in cell.get("outputs", []))
    page = render_notebook(nb, titre="Valbrune")
    assert page.count("<table") == made.count("<table") > 8
    assert page.count("<figure") == made.count("<figure") > 2
    assert page.count("<img ") == page.count(' alt="')
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", anchor) for anchor in ids)


def test_the_banner_of_invented_data_is_on_each_page():
    """« DONNÉES FICTIVES » is a mark repeated by print, and the stamp says it."""
    nb = run_notebook("rapport_territoire.ipynb", publication=make_publication())
    page = render_notebook(nb, titre="Valbrune")
    assert '<p class="marque">DONNÉES FICTIVES</p>' in page
    assert sections.show_stamp(make_publication()).stamp["fictif"] is True


def test_an_unfilled_territory_says_so_and_shows_no_zero_level():
    """Not evaluated yet: short, « non renseignée », no level, no share, no empty chart nor table."""
    publication = unfilled()
    page = render_notebook(run_notebook("rapport_territoire.ipynb", publication=publication), titre="Valbrune")
    text = plain(page)
    assert "non renseignée" in text
    assert "0 sous-question arbitrée sur 8" in text
    assert not re.search(r"[Nn]iveau 0 sur 5|médiane 0|de 0 à 5\.|\b0 %", plain(sections.show_brief(publication)))
    question = sections.show_question(publication, "Q1")
    assert "<table" not in question
    assert "<figure" not in question
    assert sections.show_example(publication) == ""
    assert sections.show_actions(publication) == ""


def test_the_first_page_gives_every_level_in_one_table_and_says_why_others_have_none():
    """A level is read in one line; a question without one keeps its sentence; nothing compared is never « 0 »."""
    publication = make_publication()
    shown = BeautifulSoup(str(sections.show_brief(publication)), "html.parser")
    lines = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in shown.select("tbody tr")]
    assert [line[0].split()[0] for line in lines] == ["Q1"]
    assert lines[0][1].startswith("2\u00a0·")
    assert lines[0][3] == "3 sur 4"
    assert "Pas de niveau d’ensemble" in shown.select_one("dl").get_text()
    alone = dataclasses.replace(publication, triangulation=publication.triangulation.iloc[:0])
    assert "groupes non comparés" in plain(sections.show_brief(alone))


def test_the_meeting_that_settled_every_level_is_said_once():
    """The same date and body on each line would be read six times; different ones stay on their lines."""
    publication = make_publication()
    levels = publication.niveaux.copy()
    levels.loc[levels["statut"] == "arbitre", ["date", "instance"]] = ["2022-10-02", "comité"]
    once = plain(tables.sub_questions(dataclasses.replace(publication, niveaux=levels), "Q1"))
    assert once.count("2 octobre 2022") == 1
    assert "Niveaux arrêtés le 2 octobre 2022, par : comité." in once
    first = levels.index[levels["statut"] == "arbitre"][0]
    levels.loc[first, "date"] = "2022-10-09"
    each = plain(tables.sub_questions(dataclasses.replace(publication, niveaux=levels), "Q1"))
    assert each.count("octobre 2022") == 3


def test_what_a_chart_shows_is_not_printed_in_two_tables():
    """The table of the indicators stands for the chart's own: it already holds every value and the region's."""
    shown = BeautifulSoup(str(sections.show_question(make_publication(), "Q1")), "html.parser")
    for figure in shown.select("figure"):
        assert len(figure.select("table")) == 1
        assert figure.find_next_sibling() is None or figure.find_next_sibling().get("class") != ["defile"]


INDICATOR = {
    "question": "Q1",
    "sous_question": "Q1.1",
    "indicateur": "Q1.1.a",
    "obtention": "saisie",
    "unite": "pourcent",
}


def indicator_table(**row):
    """Words of the table of the indicators of Q1, with this one value of 2021."""
    publication = make_publication(indicateurs=[{**INDICATOR, "annee": 2021.0, "statut": "ok", **row}])
    return plain(tables.indicators(publication, publication.indicateurs, "Q1"))


def test_what_limits_a_shown_value_is_said_under_it():
    """« 9 actions laissées de côté » or « base fragile » never stays in the tables of the computation."""
    limit = "9 actions laissées de côté : l’information n’y est pas renseignée."
    assert f"40 % en 2021 {limit}" in indicator_table(valeur=40.0, explication=limit)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"valeur": 12.5}, "12,5 % en 2021"),
        ({"valeur": 12.0}, "12 % en 2021"),
        ({"valeur": 33.3333, "numerateur": 1.0, "denominateur": 3.0}, "33 % en 2021"),
        ({"valeur": 12.5, "obtention": "actions"}, "13 % en 2021"),
    ],
)
def test_a_typed_decimal_is_kept_and_a_computed_share_gains_none(row, words):
    """The value as it was typed; one computed from its parts has its unit's decimals."""
    assert words in indicator_table(**row)


def test_an_indicator_without_value_is_said_once():
    """Obtainable in two ways: the reason the pilot can act on is said, not both."""
    rows = [
        {**INDICATOR, "obtention": "enquete", "statut": "non_disponible", "explication": "Aucune enquête importée."},
        {**INDICATOR, "statut": "non_repondu"},
    ]
    publication = make_publication(indicateurs=rows)
    assert sentences.without_value(publication, publication.indicateurs) == ["non renseigné : Q1.1.a"]


def test_the_first_page_says_whose_the_framework_is():
    """Sourced questions, proposed sub-questions: in the words of the framework."""
    publication = make_publication()
    assert publication.referentiel.avertissement in plain(sections.show_title(publication))


def test_proposed_questions_are_announced_as_such():
    """Questions attached to an axis: their heading says that they are proposed."""
    axis = load_referentiel().questions_par_code["LCD"]
    assert "Questions proposées, à se poser" in plain(_associated(axis))
    source = axis.questions_associees[0].model_copy(update={"statut": "source"})
    mixed = plain(_associated(axis.model_copy(update={"questions_associees": (source, axis.questions_associees[1])})))
    assert "Questions à se poser" in mixed
    assert ", sourcé)" in mixed
    assert ", proposé)" in mixed


def test_a_neighbourhood_of_two_contracts_is_told_and_not_counted():
    """It is in no list and no count; the report says so."""
    waiting = Qpv("QF590009", "Le Pont", "2024", (), "touche deux contrats (Alpe et Orme)")
    publication = dataclasses.replace(make_publication(), territoire=make_territory(qpv_a_rattacher=(waiting,)))
    shown = plain(sections.show_title(publication))
    said = "Le quartier « Le Pont » (QF590009) touche deux contrats (Alpe et Orme) ; sans source qui tranche, il n’est compté"
    assert said in shown
    assert "2 quartiers prioritaires du contrat" in shown


def test_a_module_that_is_not_evaluated_leaves_no_heading():
    """No heading over nothing."""
    assert sections.show_question(make_publication(), "EFH") == ""


def test_a_question_that_the_notebook_does_not_name_is_not_lost():
    """A question added to the framework reaches the report without touching the notebook."""
    shown = sections.show_other_questions(make_publication(), "Q1")
    assert "Q2" in shown
    assert 'id="q1"' not in shown


def test_a_level_comes_with_its_rule_and_its_coverage():
    """One sentence says which rule gave the result."""
    publication = make_publication()
    said = sentences.brief_line(publication, "Q1")
    assert said.startswith("Niveau 2 sur 5")
    assert "médiane basse des niveaux arbitrés (3 sous-questions arbitrées sur 4)" in said
    lacking = sentences.brief_line(publication, "Q2").replace("\u202f", " ")
    assert "Pas de niveau d’ensemble : 1 sous-question arbitrée sur 4, soit 25 %, sous les 75 % demandés." in lacking
    assert "Niveau " not in lacking


@pytest.mark.parametrize(
    ("settled", "low", "high", "said"),
    [
        (8, 2.0, 2.0, None),
        (7, 2.0, 2.0, "la médiane resterait au niveau 2."),
        (7, 1.0, 2.0, "la médiane irait de 1 à 2."),
    ],
)
def test_bounds_are_said_as_soon_as_one_level_is_missing(settled, low, high, said):
    """Everything settled: no bounds. One level missing: what it could change, or that it changes nothing."""
    row = {"question": "Q1", "n_applicables": 8, "n_arbitrees": settled, "couverture": settled / 8, "statut": "calcule"}
    row |= {"mediane": 2.0, "minimum": 1.0, "borne_basse": low, "borne_haute": high}
    level = sentences.brief_line(make_publication(questions=[row]), "Q1")
    assert level.startswith("Niveau 2 sur 5")
    assert "Selon les niveaux qui restent à arrêter" not in level if said is None else level.endswith(said)


def test_a_split_group_is_a_point_to_discuss_without_any_gap():
    """Only one group could be shown, and it is split: that is worth a discussion."""
    base = {"question": "Q1", "n_groupes": 1, "statut": "trop_peu_de_reponses"}
    rows = [
        {**base, "sous_question": "Q1.1", "ordre": 2},
        {**base, "sous_question": "Q1.2", "ordre": 1, "partages": "association"},
        {**base, "sous_question": "Q1.3", "ordre": 3, "statut": "medianes_proches", "ecart": 1.0},
    ]
    found = sentences.points_to_discuss(make_publication(triangulation=rows), "Q1")
    assert found["sous_question"].tolist() == ["Q1.2"]


def test_a_settled_level_without_proof_is_printed_as_such():
    """Declared without proof: counted, and said."""
    text = plain(tables.sub_questions(handmade(), "Q1"))
    assert text.count("déclaré sans preuve (arrêté le 1er novembre 2022, par : comité)") == 1
    assert "non arbitré (ne sait pas)" in text
    assert "Sans objet ici." in text


def test_split_groups_are_said_first():
    """« partagé » comes before the gap."""
    publication = make_publication()
    row = publication.triangulation.iloc[0].to_dict() | {"statut": "ecart_a_debattre", "ecart": 2.0}
    row |= {"groupe_bas": "commune", "groupe_haut": "pilote", "position_institution": True, "effectifs_faibles": True}
    said = sentences.discussion_point(publication, row).replace("\xa0", " ")
    assert said.startswith("partagé : le groupe « Association »")
    assert (
        "écart à débattre de 2 points entre le groupe « Commune » (médiane 3) et le groupe « Pilote » (médiane 4)"
        in said
    )
    assert "position de l’institution" in said
    assert "effectifs faibles" in said


def test_a_hidden_median_is_words_and_its_n_is_shown():
    """Secret is written out; the number of answers stays."""
    cell = plain(tables.group_medians(make_publication(), "Q1"))
    assert "secret statistique (n = 2)" in cell


def test_findings_and_quotations_are_text():
    """Words of people are escaped, whatever they typed."""
    publication = make_publication()
    rows = publication.constats.to_dict("records")
    rows[0]["texte"] = "<script>alert('x')</script> & $x$ **gras** 🙂"
    rows = [{k: (None if pd.isna(v) else v) for k, v in row.items()} for row in rows]
    shown = sections.show_question(make_publication(constats=rows), "Q1")
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "$x$ **gras** 🙂" in shown


def test_a_quotation_is_given_to_a_group_only_when_it_may_be():
    """One person's words never come with a source or a count."""
    rows = [
        {"question": "Q1", "texte": "Seul.", "enquete": "Atelier Nord", "nb_personnes": 1.0, "publiable": True},
        {"question": "Q1", "texte": "Gardé.", "enquete": "Atelier Sud", "nb_personnes": 9.0, "publiable": False},
    ]
    shown = plain(sections.show_question(make_publication(verbatims=rows), "Q1"))
    assert "Seul." in shown
    assert "Atelier Nord" not in shown
    assert "Gardé." not in shown


def test_the_example_walks_from_answers_to_level():
    """A real sub-question of the territory, with published figures only."""
    text = plain(sections.show_example(make_publication()))
    assert "Association : 12 cotations, médiane 3" in text
    assert "Conseiller citoyen : 2 cotations, médiane non publiée" in text
    assert "du plus petit au plus grand : 2, 2, 3." in text
    assert "La médiane basse est le 2e de ces 3 niveaux : 2." in text


def test_no_survey_is_said_once():
    """The surveys' place is ready, and says that it is empty."""
    assert plain(sections.show_conduct(make_publication())).count("Aucune enquête importée.") == 1


def test_the_comparison_that_no_file_gives_is_said_to_be_missing():
    """A comparison value is shown only where a file gives it."""
    assert "non disponible, aucun fichier importé ne la donne" in plain(sections.show_context(make_publication()))


def test_a_contract_of_2024_shows_former_neighbourhoods_apart():
    """Figures of 2015 stand in their own table and are never tied to a QPV of 2024."""
    from dataclasses import replace

    rows = make_publication().contexte.to_dict("records")
    rows = [{k: (None if v != v else v) for k, v in row.items()} | {"ancien": True} for row in rows]
    rows = [row | {"valeur": float("nan") if row["valeur"] is None else row["valeur"]} for row in rows]
    base = make_publication(contexte=rows)
    publication = replace(base, territoire=replace(base.territoire, generation="2024"))
    text = plain(sections.show_context(publication))
    assert "Aucun chiffre de l’Insee par quartier prioritaire de 2024 n’est fourni" in text
    assert "Quartiers 2015 des mêmes communes (ancienne géographie)" in text


def test_no_citizens_council_is_explained():
    """The absence of a council is a fact, not a zero."""
    from dataclasses import replace

    base = make_publication()
    without = replace(base, territoire=replace(base.territoire, faits={"conseil_citoyen": False}))
    assert "ne pas avoir de conseil citoyen" in plain(sections.show_citizens_councils(without))
    unknown = replace(base, territoire=replace(base.territoire, faits={}))
    assert "ne dit pas" in plain(sections.show_citizens_councils(unknown))


def test_the_register_counts_masks_and_never_gives_their_keys():
    """How many are hidden and by which rule; which cell would already say too much."""
    publication = make_publication()
    text = plain(sections.show_masks(publication))
    assert f"{len(publication.masques)} valeurs sont masquées" in text
    assert "Q1.1" not in text


def test_the_stamp_holds_what_the_document_stands_on():
    """Framework version, fingerprint, evalkit version, parameters, date, masks, invented or not; no path."""
    publication = make_publication()
    stamp = sections.show_stamp(publication).stamp
    assert set(stamp) == {
        "referentiel", "empreinte", "evalkit", "parametres", "identite", "date_reference", "n_masques", "fictif", "marques",
    }  # fmt: skip
    assert stamp["n_masques"] == len(publication.masques) > 0
    assert stamp["parametres"] == {"campagne": "2022", "territoire": "valbrune"}


@pytest.mark.parametrize("name", ["rapport_territoire.ipynb", "synthese_regionale.ipynb"])
def test_notebooks_are_thin(name):
    """One parameters cell, no stored output, no logic, cells of one to five lines, only names that evalkit exports."""
    nb = nbformat.read(NOTEBOOKS / name, as_version=4)
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in code) == 1
    for cell in code:
        assert not cell.outputs
        assert len(cell.source.splitlines()) <= 5
        assert not re.search(r"^\s*(def|class|for|while)\b", cell.source, re.MULTILINE)
        for called in re.findall(r"evalkit\.(\w+)", cell.source):
            assert called in [*sections.__all__, "load_publication", "load_synthese"]
    assert nb.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("name", ["sous_questions", "a_discuter", "comment"])
def test_snapshots_of_small_fragments(name):
    """A change in these words or this markup is seen, and wanted."""
    publication: Publication = handmade()
    gap = {"question": "Q1", "sous_question": "Q1.1", "groupe_bas": "etat", "groupe_haut": "pilote", "ecart": 1.5}
    limits = {"partages": "association", "position_institution": True, "effectifs_faibles": True}
    made = {
        "sous_questions": str(tables.sub_questions(publication, "Q1")),
        "a_discuter": sentences.discussion_point(publication, {**gap, **limits, "statut": "ecart_a_debattre"}),
        "comment": sentences.brief_line(publication, "Q1") + "\n" + sentences.respondents(publication),
    }[name]
    expected = (SNAPSHOTS / f"{name}.html").read_text(encoding="utf-8")
    assert made + "\n" == expected


def test_free_sections_keep_bold_and_lists_and_nothing_else():
    """A free section reads as written; HTML and links typed in it stay text."""
    from dataclasses import replace

    text = "# Notre contrat\n\nUn **vrai** début <b>x</b> [l](http://a.test)\n\n- un\n- deux"
    shown = sections.show_texts(replace(make_publication(), textes={"01_mot": text}))
    assert "<strong>vrai</strong>" in shown
    assert shown.count("<li>") == 2
    assert "&lt;b&gt;x&lt;/b&gt; [l](http://a.test)" in shown
    assert "Notre contrat</h3>" in shown
