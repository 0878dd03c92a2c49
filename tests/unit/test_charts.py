"""What charts promise: published figures only, nothing cut, nothing hidden in silence, the same bytes each time."""

from __future__ import annotations

import dataclasses
import functools
import io
import itertools
import re
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from evalkit.charts import raster, theme
from evalkit.charts.context import draw_context
from evalkit.charts.indicators import draw_indicators, read_strips
from evalkit.charts.levels import draw_question_levels
from evalkit.charts.maturity import draw_coverage, draw_ladder, draw_question_groups, read_row
from evalkit.charts.surveys import DIVERGING
from evalkit.charts.synthesis import (
    draw_synthesis_coverage,
    draw_synthesis_levels,
    draw_synthesis_nominatif,
    draw_synthesis_questions,
)
from evalkit.charts.theme import Chart, Page
from evalkit.compute.results import Evaluation, Publication, Synthese, as_table
from tests.fabrique import make_publication
from tests.unit.charts_cases import (
    ENDLESS,
    LONG,
    all_groups,
    hard_publication,
    make_synthese,
    with_context,
    with_reference,
)

TERRITORY = {
    "groupes": lambda p: draw_question_groups(p, "Q1"),
    "echelle": lambda p: draw_ladder(p, "Q1.1"),
    "indicateurs": lambda p: draw_indicators(p, "Q1"),
    "couverture": draw_coverage,
    "niveaux_questions": draw_question_levels,
    "contexte": lambda p: draw_context(p, "CTX.1"),
}
SYNTHESIS = {
    "synthese_niveaux": lambda s: draw_synthesis_levels(s, "Q1"),
    "synthese_questions": draw_synthesis_questions,
    "synthese_couverture": draw_synthesis_coverage,
    "synthese_nominatif": draw_synthesis_nominatif,
}
CASES: dict[str, Callable[[], Chart | None]] = {
    "groupes": lambda: draw_question_groups(make_publication(), "Q1"),
    "niveaux_questions": lambda: draw_question_levels(make_publication()),
    "niveaux_questions_titre_sans_fin": lambda: draw_question_levels(hard_publication(all_groups(3), title=ENDLESS)),
    "groupes_dispersés": lambda: draw_question_groups(hard_publication(all_groups(0, 1, 2.5, None, 4, 5)), "Q1"),
    "groupes_tous_égaux": lambda: draw_question_groups(hard_publication(all_groups(2)), "Q1"),
    "groupes_tous_secrets": lambda: draw_question_groups(hard_publication(all_groups(None)), "Q1"),
    "groupes_sans_arbitrage": lambda: draw_question_groups(hard_publication(all_groups(3), settled=None, n=1234), "Q1"),
    "groupes_titre_sans_fin": lambda: draw_question_groups(hard_publication(all_groups(3), title=ENDLESS), "Q1"),
    "echelle": lambda: draw_ladder(make_publication(), "Q1.1"),
    "echelle_dispersée": lambda: draw_ladder(hard_publication(all_groups(0, 0.5, 1.5, None, 4.5, 5)), "Q1.1"),
    "echelle_tous_égaux": lambda: draw_ladder(hard_publication(all_groups(2.5), n=1234, settled=None), "Q1.1"),
    "indicateurs": lambda: draw_indicators(with_reference(), "Q1"),
    "couverture": lambda: draw_coverage(hard_publication(all_groups(2))),
    "contexte_20": lambda: draw_context(with_context(20), "CTX.1"),
    "contexte_hors_échelle": lambda: draw_context(with_context(2, comparison=2_600_000.0), "CTX.1"),
    "contexte_nom_sans_fin": lambda: draw_context(with_context(3, name=ENDLESS), "CTX.1"),
    "synthese_niveaux": lambda: draw_synthesis_levels(make_synthese(), "Q1"),
    "synthese_questions": lambda: draw_synthesis_questions(make_synthese()),
    "synthese_couverture": lambda: draw_synthesis_coverage(make_synthese()),
    "synthese_nominatif": lambda: draw_synthesis_nominatif(make_synthese(nominatif=True)),
    "synthese_nominatif_nom_sans_fin": lambda: draw_synthesis_nominatif(make_synthese(6, nominatif=True, name=ENDLESS)),
    "synthese_titre_sans_fin": lambda: draw_synthesis_levels(make_synthese(title=ENDLESS), "Q1"),
}


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A chart and the page it was made from."""

    chart: Chart
    page: Page
    height: float

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.page.words).replace("\u00a0", " ")


def watch(draw: Callable[[], Chart | None]) -> Drawn:
    """Draw and keep the page."""
    seen: list[tuple[Page, float]] = []
    real = Page.render

    def render(page: Page, height: float) -> tuple[bytes, int, int]:
        seen.append((page, height))
        return real(page, height)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Page, "render", render)
        chart = draw()
    assert chart is not None
    return Drawn(chart, *seen[0])


@functools.cache
def drawn(case: str) -> Drawn:
    return watch(CASES[case])


def as_evaluation(publication: Publication) -> Evaluation:
    values = {f.name: getattr(publication, f.name) for f in dataclasses.fields(publication)}
    return Evaluation(**values)


# --- the door ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TERRITORY)
def test_an_evaluation_is_refused(name: str) -> None:
    """What has not been protected is not drawn."""
    with pytest.raises(TypeError, match="Evaluation"):
        TERRITORY[name](as_evaluation(with_reference()))


@pytest.mark.parametrize("name", SYNTHESIS)
def test_a_confidential_synthesis_is_refused(name: str) -> None:
    s = make_synthese(6)
    confidential = Synthese(s.campagne, s.referentiel, "", s.territoires, (), s.tables)
    with pytest.raises(TypeError, match="Synthese"):
        SYNTHESIS[name](confidential)


# --- the picture ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_no_word_is_cut_and_none_covers_another(case: str) -> None:
    """Every line of text stands inside the picture and clear of the others."""
    page, height = drawn(case).page, drawn(case).height
    for word in page.words:
        assert word.x >= -0.001, word.text
        assert word.x + word.width <= page.width + 0.02, word.text
        assert word.y >= 0, word.text
        assert word.y + word.height <= height + theme.MARGIN, word.text
    for one, other in itertools.combinations([w for w in page.words if w.text.strip()], 2):
        beside = one.x + one.width <= other.x + 0.005 or other.x + other.width <= one.x + 0.005
        # Lines of a paragraph may touch by their descenders' room, never by their letters.
        apart = one.y + one.height * 0.85 <= other.y or other.y + other.height * 0.85 <= one.y
        assert beside or apart, (one.text, other.text)


@pytest.mark.parametrize("case", CASES)
def test_text_is_readable_once_printed(case: str) -> None:
    """A picture is 17 cm wide at most, its text at least 8 points, dark enough on white."""
    chart, page = drawn(case).chart, drawn(case).page
    assert chart.largeur_px / theme.DPI <= 6.7
    assert chart.hauteur_px / theme.DPI <= 11, "taller than a page"
    assert min(word.size for word in page.words) >= 8
    assert min(theme.contrast(word.color) for word in page.words) >= 4.5


@pytest.mark.parametrize("case", CASES)
def test_a_picture_is_light_whole_and_the_same_twice(case: str) -> None:
    first, second = drawn(case).chart, CASES[case]()
    assert second is not None
    assert first.png == second.png
    assert b"Software" not in first.png
    assert len(first.png) < 80_000
    image = Image.open(io.BytesIO(first.png))
    assert image.size == (first.largeur_px, first.hauteur_px)
    assert len(np.unique(np.asarray(image.convert("L")))) > 3, "nothing was drawn"


def test_flat_colours_come_out_exact() -> None:
    """The palette of the PNG does not change the colours that tell groups apart, nor the white of the page."""
    chart = drawn("groupes_dispersés").chart
    pixels = np.asarray(Image.open(io.BytesIO(chart.png)).convert("RGB")).reshape(-1, 3)
    colours = {"#{:02X}{:02X}{:02X}".format(*c) for c in np.unique(pixels, axis=0)}
    style = [theme.group_style(make_publication().referentiel, code)[0].upper() for code in ("pilote", "association")]
    assert {"#FFFFFF", *style} <= colours


@pytest.mark.parametrize("case", CASES)
def test_a_chart_carries_all_that_a_reader_needs(case: str) -> None:
    chart = drawn(case).chart
    for text in (chart.identifiant, chart.titre, chart.unite, chart.base, chart.source):
        assert text.strip()
    assert 40 < len(chart.alt) <= 600
    assert not re.search(r"graphique|\bnan\b|\bNone\b|\.\.", chart.alt)
    assert not chart.donnees.empty
    assert all(isinstance(v, str) and v != "nan" for row in chart.donnees.itertuples(index=False) for v in row)
    assert "données fictives" in chart.source


# --- silences, secrets, nothing to draw ----------------------------------------------------------------------------


def test_a_secret_median_is_said_and_never_drawn() -> None:
    """A value left in a secret row by mistake does not come out either."""
    p = make_publication()
    table = p.groupes.copy()
    table.loc[table["statut"] == "secret", "mediane"] = 4.5
    p = dataclasses.replace(p, groupes=table)
    groups, ladder = watch(lambda: draw_question_groups(p, "Q1")), watch(lambda: draw_ladder(p, "Q1.1"))
    for made in (groups, ladder):
        chart = made.chart
        everything = " ".join([made.text, chart.alt, chart.note, chart.donnees.to_csv()])
        assert "4,5" not in everything
        assert "secret" in everything
        assert "n = 2" in everything
    assert "secret : Conseiller citoyen (n = 2)" in groups.text


def test_no_rating_is_not_a_zero() -> None:
    chart = drawn("groupes").chart
    assert "Q1.4 : non arbitré, aucune cotation." in chart.alt
    row = chart.donnees.iloc[3]
    assert row["Niveau arbitré"] == "non arbitré"
    assert not any("0" in str(value) for value in row.iloc[1:])
    p = make_publication()
    silent = set(p.niveaux.query("question == 'Q1'")["sous_question"]) - set(p.groupes["sous_question"])
    assert silent
    assert sum(word.text == "aucune cotation" for word in drawn("groupes").page.words) == len(silent)


def test_nothing_to_draw_gives_no_chart() -> None:
    """An evaluation that nobody filled has no picture, not an empty one."""
    empty = hard_publication({}, settled=None)
    assert draw_question_groups(empty, "Q1") is None
    assert draw_ladder(empty, "Q1.1") is None
    assert draw_coverage(empty) is None
    assert draw_indicators(make_publication(), "Q1") is None, "no regional reference"
    assert draw_indicators(with_reference(), "Q2") is None, "no value"
    bare = dataclasses.replace(make_publication(), contexte=as_table("contexte", []))
    assert draw_context(bare, "CTX.1") is None
    none = make_synthese(6, statut="aucun_arbitrage")
    assert draw_synthesis_levels(none, "Q2") is None
    assert draw_synthesis_questions(none) is None
    assert draw_synthesis_coverage(none) is None
    assert draw_synthesis_nominatif(make_synthese(6)) is None, "not asked for"


def test_a_secret_row_of_a_synthesis_is_written() -> None:
    chart = drawn("synthese_niveaux").chart
    assert "Q1.2 : secret (moins de 5 territoires)." in chart.alt
    assert set(chart.donnees.iloc[1, 1:7]) == {"secret (moins de 5 territoires)"}
    assert set(chart.donnees.iloc[2, 1:7]) == {"aucun niveau arbitré"}


def test_silences_of_the_context_are_written_and_codes_give_the_order() -> None:
    chart = drawn("contexte_20").chart
    codes = list(chart.donnees["Code"])
    assert codes[:20] == sorted(codes[:20])
    assert codes[20] == "59"
    assert chart.donnees["Valeur"].iloc[3] == "secret statistique"
    assert chart.donnees["Valeur"].iloc[7] == "non disponible"
    assert "édition 2019, année de référence 2013, géographie des quartiers de 2015" in chart.source


def test_editions_and_geographies_are_never_mixed() -> None:
    """Only the latest edition of the contract's own neighbourhoods is drawn; the note sends to the table for the rest."""
    p = with_context(4, comparison=None)
    older = p.contexte.assign(edition="2017", valeur=99.0)
    former = p.contexte.assign(ancien=True, edition="2021", valeur=77.0)
    rows = as_table("contexte", [*(r for t in (older, p.contexte, former) for r in t.to_dict("records"))])
    chart = draw_context(dataclasses.replace(p, contexte=rows), "CTX.1")
    assert chart is not None
    assert len(chart.donnees) == 4
    assert not chart.donnees["Valeur"].str.contains("99|77").any()
    assert "POP_MUN (éditions 2017 et 2021)" in chart.note


def test_of_several_variables_the_first_named_by_the_framework_is_drawn_and_said() -> None:
    """« total et femmes »: the total is drawn, the title says which, and the note sends to the table for the other."""
    p = with_context(4, comparison=None)
    made = p.referentiel.model_dump()
    made["contexte"] = [{**made["contexte"][0], "variable_source": "POP_MUN, POP_F"}]
    women = p.contexte.assign(variable="POP_F", valeur=88.0)
    rows = as_table("contexte", [*women.to_dict("records"), *p.contexte.to_dict("records")])
    referentiel = type(p.referentiel).model_validate(made)
    chart = draw_context(dataclasses.replace(p, contexte=rows, referentiel=referentiel), "CTX.1")
    assert chart is not None
    assert chart.titre == "Population municipale – variable POP_MUN"
    assert "88" not in chart.donnees.to_csv()
    assert "POP_F" in chart.note


def test_names_stand_under_the_letter_of_the_place() -> None:
    s = make_synthese(6, nominatif=True)
    names = ["Contrat de ville de Bavelin", "Contrat de ville d’Émerange", "Contrat de ville du Val-Dru"] * 2
    frame = s.tables["nominatif"]
    renamed = dict(zip(sorted(set(frame["territoire"])), names, strict=True))
    table = frame.assign(nom=frame["territoire"].map(renamed))
    chart = draw_synthesis_nominatif(dataclasses.replace(s, tables={**s.tables, "nominatif": table}))
    assert chart is not None
    assert list(chart.donnees["Territoire"])[::2] == names[:3]


def test_a_sub_question_that_does_not_apply_is_not_drawn_and_is_named() -> None:
    """Neither a row nor « aucune cotation »: it is not asked."""
    p = make_publication()
    levels = p.niveaux.copy()
    mine = levels["sous_question"] == "Q1.2"
    levels.loc[mine, ["applicable", "statut", "niveau"]] = [False, "non_applicable", float("nan")]
    chart = draw_question_groups(dataclasses.replace(p, niveaux=levels), "Q1")
    assert chart is not None
    assert not chart.donnees.iloc[:, 0].str.contains("Q1.2", regex=False).any()
    assert "Q1.2" in chart.note


def test_what_limits_a_gap_is_said_of_a_gap_only() -> None:
    """« effectifs faibles » belongs to a gap to debate, not to medians that are close."""
    p = make_publication()
    sub = p.referentiel.sous_questions["Q1.1"]
    (level,) = [row for row in p.niveaux.itertuples() if row.sous_question == "Q1.1"]
    for status, said in (("medianes_proches", ()), ("ecart_a_debattre", ("effectifs faibles",))):
        table = p.triangulation.copy()
        mine = table["sous_question"] == "Q1.1"
        table.loc[mine, ["statut", "effectifs_faibles", "position_institution"]] = [status, True, False]
        assert read_row(dataclasses.replace(p, triangulation=table), level, sub).caveats == said


def test_a_share_keeps_its_whole_axis_and_a_quartile_is_in_the_middle_half() -> None:
    """Shares are read from 0 to 100; a value equal to a quartile is neither under nor above."""
    (share, ratio), _ = read_strips(with_reference(), "Q1")
    assert share.bounds == (0.0, 100.0)
    assert ratio.bounds[1] < 100
    for quartile in ("q1", "q3"):
        bounds = {"n": 31, "q1": 40.0, "mediane": 85.0, "q3": 99.0, quartile: 85.0}
        p = dataclasses.replace(make_publication(), reference={"indicateurs": {"Q1.1.a|saisie": bounds}})
        chart = draw_indicators(p, "Q1")
        assert chart is not None
        assert "Q1.1.a : 85\u202f%, dans la moitié centrale" in chart.alt


# --- what alternative texts say ------------------------------------------------------------------------------------


def test_alternative_texts_state_the_figures() -> None:
    alts = {case: drawn(case).chart.alt for case in CASES}
    assert "Q1.1 : arbitré 3, groupes de 3 à 4 (n = 19)." in alts["groupes"]
    assert "Médiane d’un groupe ou plus sous secret : Q1.1." in alts["groupes"]
    assert "Q1.8 : arbitré 2, groupes de 0 à 5, à débattre (n = 60)." in alts["groupes_dispersés"]
    assert "Niveau arbitré 3 sur 5" in alts["echelle"]
    assert "Pilote 4 (n = 1), État 3 (n = 1), Commune 3 (n = 5) et Association 3 (n = 12)" in alts["echelle"]
    assert "Q1.1.a : 85\u202f%, au-dessus du troisième quartile" in alts["indicateurs"]
    assert alts["couverture"].startswith("16 sous-questions arbitrées sur 16 applicables.")
    assert "18 quartiers sur 20" in alts["contexte_20"]
    assert "Q1.1 (n = 40) : 2 au niveau 0, 1 au niveau 2, 36 au niveau 3, 1 au niveau 4." in alts["synthese_niveaux"]


def test_territories_are_named_only_when_asked_in_alphabetical_order() -> None:
    chart = drawn("synthese_nominatif").chart
    assert "diffusion restreinte" in chart.titre
    names = list(chart.donnees["Territoire"])
    assert names == sorted(names)
    for case in ("synthese_niveaux", "synthese_questions", "synthese_couverture"):
        other = drawn(case).chart
        assert "Val-de-Brune" not in f"{other.alt}{other.donnees.to_csv()}{other.source}"


# --- the theme -----------------------------------------------------------------------------------------------------


def test_marks_stand_out_on_white_and_differ_in_shape() -> None:
    for colour in (*theme.PALETTE, theme.INK, theme.QUIET, theme.ACCENT):
        assert theme.contrast(colour) >= 3, colour
    assert theme.contrast("#000000") == pytest.approx(21)
    assert len(set(theme.SHAPES)) == len(theme.SHAPES) >= len(theme.PALETTE)
    referentiel = make_publication().referentiel
    styles = [theme.group_style(referentiel, code) for code in referentiel.groupes_par_code]
    assert len({shape for _, shape in styles}) == len(styles)
    assert all(theme.contrast(colour) >= 3 for colour, _ in styles)


def lightness(colour: str) -> float:
    """Lightness L* of a colour, 0 to 100: what is left of it once printed in grey."""
    luminance = 1.05 / theme.contrast(colour) - 0.05
    return 116 * max(luminance, 0.008856) ** (1 / 3) - 16


BACKGROUNDS = {"none", "white", "#FFFFFF", theme.PALE}
GUIDES = {theme.GRID, theme.BAND}


@pytest.mark.parametrize("case", CASES)
def test_every_mark_stands_out_on_white(case: str) -> None:
    """3:1 at least for whatever carries a figure (WCAG 1.4.11): marks, bars or their outline, lines that are not guides."""
    for kind, style in drawn(case).page._shapes:
        guide = kind == "line" and style["color"] in GUIDES and style["lw"] <= 1
        if kind in ("marker", "line") and not guide:
            assert theme.contrast(style["color"]) >= 3, style
        if kind == "rect" and style["face"] not in BACKGROUNDS:
            outline = style["edge"]
            best = max(theme.contrast(colour) for colour in (style["face"], outline) if colour.startswith("#"))
            assert best >= 3, style


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_said_by_colour_alone(case: str) -> None:
    """Two marks of one shape are of one colour, two bars of one pattern too: printed in grey, nothing is lost."""
    marks: dict[object, set[str]] = {}
    for kind, style in drawn(case).page._shapes:
        if kind == "marker":
            marks.setdefault((kind, style["shape"], style["hollow"]), set()).add(style["color"])
        elif kind == "rect" and style["face"] not in BACKGROUNDS | GUIDES:
            marks.setdefault((kind, style["hatch"]), set()).add(style["face"])
    assert {key: colours for key, colours in marks.items() if len(colours) > 1} == {}


def test_the_steps_of_an_opinion_scale_are_told_apart_in_grey() -> None:
    """Five shades, each ten points of lightness away from any other; the words in them at 4.5:1 at least."""
    shades = [lightness(colour) for colour in DIVERGING]
    assert min(abs(one - other) for one, other in itertools.combinations(shades, 2)) >= 10, shades
    for colour in DIVERGING:
        assert max(theme.contrast(colour, theme.INK), theme.contrast(colour)) >= 4.5, colour
    assert theme.contrast(theme.QUIET) >= 3, "le contour de chaque part"


def test_a_pale_or_unknown_style_of_the_framework_is_replaced() -> None:
    made = make_publication().referentiel.model_dump()
    made["groupes"] = [made["groupes"][0] | {"couleur": "#FFFF99", "marqueur": "inconnu"}, *made["groupes"][1:]]
    referentiel = type(make_publication().referentiel).model_validate(made)
    assert theme.group_style(referentiel, "pilote") == (theme.PALETTE[0], theme.SHAPES[0])


@pytest.mark.parametrize("text", [ENDLESS, LONG * 20, "$x_1$ \\frac{", "a\nb\tc", "é" * 300, "", "🙂 <script>"])
def test_wrapping_holds_any_text(text: str) -> None:
    for limit in (1, 3):
        lines = theme.wrap(text, 1.5, max_lines=limit)
        assert 1 <= len(lines) <= limit
        assert all(theme.text_width(line) <= 1.5 for line in lines)
    whole = theme.wrap(text, 1.5)
    assert "".join(whole).replace(" ", "") == theme.clean(text).replace(" ", "")


def test_formulas_stay_text() -> None:
    """A dollar is a dollar: nothing a person types is read as a formula."""
    made = watch(lambda: draw_question_groups(hard_publication(all_groups(3), title="Budget $a_1$ & $b$"), "Q1"))
    assert "$a_1$" in made.text


def test_every_letter_of_the_pages_has_a_shape() -> None:
    """No empty box where a letter is due: the font has every character that the charts write themselves."""
    import matplotlib
    from matplotlib.font_manager import get_font

    font = get_font(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    letters = {letter for case in CASES for word in drawn(case).page.words for letter in word.text}
    assert [letter for letter in sorted(letters) if not font.get_char_index(ord(letter))] == []


def test_importing_charts_is_light() -> None:
    """The libraries that draw are loaded when something is drawn, and pyplot never."""
    code = (
        "import sys, evalkit.charts.maturity, evalkit.charts.indicators, evalkit.charts.context, evalkit.charts.synthesis;"
        "print([m for m in ('pandas', 'matplotlib', 'PIL', 'numpy', 'seaborn') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_no_global_state_is_touched() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    assert CASES["groupes"]() is not None
    assert dict(matplotlib.rcParams) == before


def test_a_personal_style_changes_nothing() -> None:
    import matplotlib

    plain = drawn("contexte_20").chart
    style = {
        "font.size": 30,
        "figure.facecolor": "red",
        "text.usetex": False,
        "lines.linewidth": 9,
        "hatch.linewidth": 5,
    }
    with matplotlib.rc_context({**style, "figure.autolayout": True, "savefig.dpi": 50}):
        styled = CASES["contexte_20"]()
    assert styled is not None
    assert plain.png == styled.png


def artists_of_matplotlib(page: theme.Page, height: float) -> np.ndarray:
    """The same shapes drawn by matplotlib's own figure and artists, words left out."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle
    from matplotlib.transforms import Affine2D

    margin, sizes = theme.MARGIN, raster._MARKER_SIZES
    with matplotlib.rc_context({"hatch.linewidth": raster._HATCH_WIDTH}):
        figure = Figure((page.width + 2 * margin, height + 2 * margin), dpi=theme.DPI, facecolor="white")
        canvas = FigureCanvasAgg(figure)
        placed = Affine2D().scale(1, -1).translate(margin, height + margin) + figure.dpi_scale_trans
        for rank, (kind, o) in enumerate(page._shapes):
            if kind == "line":
                style = {"linestyle": (0, (2, 2))} if o["dash"] else {"solid_capstyle": "butt"}
                artist = Line2D(o["xs"], o["ys"], color=o["color"], lw=o["lw"], **style)
            elif kind == "rect":
                look = {"facecolor": o["face"], "edgecolor": o["edge"], "lw": o["lw"], "hatch": o["hatch"] or None}
                artist = Rectangle((o["x"], o["y"]), o["width"], o["height"], **look)
            else:
                inside, edge = ("white", o["color"]) if o["hollow"] else (o["color"], "white")
                look = {
                    "markerfacecolor": inside,
                    "markeredgecolor": edge,
                    "markeredgewidth": 1.4 if o["hollow"] else 0.8,
                }
                size = o["size"] * sizes.get(o["shape"], 1)
                artist = Line2D(o["xs"], o["ys"], linestyle="none", marker=o["shape"], markersize=size, **look)
            artist.set(transform=placed, zorder=rank)
            figure.add_artist(artist)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[:, :, :3].astype(int)


def test_shapes_asked_of_agg_are_those_that_matplotlib_would_draw() -> None:
    """Artists are left out for speed, not for another picture: same strokes, to the pixel."""
    page = theme.Page()
    page.rect(0.3, 0.2, 2.1, 0.37, face="#00558C", edge="#FFFFFF", lw=0.6)
    page.rect(2.7, 0.2, 1.3, 0.31, face="white", edge=theme.INK, hatch="////")
    page.rect(4.2, 0.2, 0, 0.3, edge="#B3440A")
    page.line([0, 3.3, 6.1], [0.8, 0.93, 0.7], color=theme.ACCENT, lw=1.4)
    page.line([0, 6.5], [1.1, 1.1], dash=True)
    for rank, shape in enumerate((*theme.SHAPES, "h", "*")):
        page.marker(
            [0.2 + 0.6 * rank, 0.5 + 0.6 * rank], [1.37, 1.61], shape=shape, color="#8C3F7D", hollow=rank % 2 == 1
        )
    sheet = raster.Sheet(page.width + 2 * theme.MARGIN, 2 + 2 * theme.MARGIN, theme.DPI, theme.MARGIN)
    for kind, options in page._shapes:
        sheet.draw(kind, options)
    ours = sheet._pixels[:, :, :3].astype(int)
    assert ours.min() < 100, "rien n'est dessiné"
    assert abs(ours - artists_of_matplotlib(page, 2)).max() == 0


def test_words_are_mixed_with_what_is_under_as_pillow_does() -> None:
    """On white, on a colour, and cut by an edge of the picture."""
    from PIL import ImageDraw

    font = theme._font(8.5, True)
    sheet = raster.Sheet(2, 0.5, theme.DPI, 0)
    sheet.draw(
        "rect", {"x": 0, "y": 0, "width": 1, "height": 0.5, "face": "#00558C", "edge": "none", "lw": 0, "hatch": ""}
    )
    wanted = Image.fromarray(sheet._pixels[:, :, :3].copy())
    for at, text in (
        ((10, 20), "Économie – ÇA œuvre"),
        ((-9, -4), "Bord"),
        ((250, 60), "Bord de droite"),
        ((5, 5), "  "),
    ):
        sheet.write(*at, text, "#B3440A", font)
        ImageDraw.Draw(wanted).text(at, text, fill="#B3440A", font=font)
    assert (sheet._pixels[:, :, :3] == np.asarray(wanted)).all()
