"""Formulas of the workbooks: the rules of DESIGN §6.1 to 6.4 said to a spreadsheet.

Each function gives the text of one formula, without ``=``, from references to cells. English names and commas, as the
file format wants: Excel shows them in its reader's language. Only functions that Excel 2010 and LibreOffice share; no
array formula. ``compute`` remains the reference: a test recomputes every cell and compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.wording import NO_BREAK_SPACE, label_status

YES, NO = "oui", "non"
NOT_APPLICABLE = label_status("non_applicable")
NO_LEVEL = label_status("aucun_arbitrage")
LOW_COVERAGE = label_status("couverture_insuffisante")
CALCULATED = label_status("calcule")
SETTLED, UNSETTLED = label_status("arbitre"), label_status("non_arbitre")
NO_RATING = label_status("aucune_cotation")
TOO_FEW = label_status("trop_peu_de_reponses")
DEBATED, CLOSE = label_status("ecart_a_debattre"), label_status("medianes_proches")
# names given to cells of the sheet « Règles » are the codes of regles.yml
COVERAGE, GAP, SPLIT_SHARE, SPLIT_LOW, SPLIT_HIGH = (
    "couverture_minimale",
    "ecart_debat",
    "partage_part",
    "partage_bas",
    "partage_haut",
)
MEDIAN_MINIMUM, DISTRIBUTION_MINIMUM, ALARM = (
    "seuil_mediane_atelier",
    "seuil_distribution_atelier",
    "fausses_alertes_max",
)
RULES = (COVERAGE, GAP, SPLIT_SHARE, SPLIT_LOW, SPLIT_HIGH, MEDIAN_MINIMUM, DISTRIBUTION_MINIMUM, ALARM)
_TOLERANCE = "0.000000001"


def text(said: str) -> str:
    """A text inside a formula.

    >>> print(text('dit "oui" !'))
    "dit ""oui"" !"
    """
    return '"' + said.replace('"', '""') + '"'


# --- levels ---------------------------------------------------------------------------------------------------------


def is_level(cell: str) -> str:
    """Whether a cell holds a level from 0 to 5; an empty cell, a silence, 2.5, 7 and VRAI (1 for LibreOffice) do not."""
    return f"AND(ISNUMBER({cell}),NOT(ISLOGICAL({cell})),ISNUMBER(MATCH({cell},{{0,1,2,3,4,5}},0)))"


def counted(applicable: str, level: str) -> str:
    """The settled level where it counts, nothing elsewhere."""
    return f'IF(AND({applicable}="{YES}",{is_level(level)}),{level},"")'


def supposed(applicable: str, level: str, instead: int) -> str:
    """The settled level, or the one supposed when there is none; nothing where the sub-question does not apply."""
    return f'IF({applicable}<>"{YES}","",IF({is_level(level)},{level},{instead}))'


def level_status(applicable: str, level: str) -> str:
    """« arbitré », « non arbitré », « sans objet »."""
    known = f"IF({is_level(level)},{text(SETTLED)},{text(UNSETTLED)})"
    return f'IF({applicable}<>"{YES}",{text(NOT_APPLICABLE)},{known})'


@dataclass(frozen=True)
class QuestionCells:
    """Where one question finds what it needs: ranges of its sub-questions, cells of its own row."""

    applicable: str
    counted: str
    lowest: str
    highest: str
    n_settled: str
    n_applicable: str
    coverage: str

    def number_applicable(self) -> str:
        """How many sub-questions apply."""
        return f'COUNTIF({self.applicable},"{YES}")'

    def number_settled(self) -> str:
        """How many of them have a settled level."""
        return f"COUNT({self.counted})"

    def share(self) -> str:
        """Coverage, from 0 to 1."""
        return f"IF({self.n_applicable}=0,{text(NOT_APPLICABLE)},{self.n_settled}/{self.n_applicable})"

    def _if_given(self, given: str) -> str:
        """``given`` when there is an aggregate; else the reason why there is none."""
        covered = f"IF({self.coverage}<{COVERAGE}-{_TOLERANCE},{text(LOW_COVERAGE)},{given})"
        return f"IF({self.n_applicable}=0,{text(NOT_APPLICABLE)},IF({self.n_settled}=0,{text(NO_LEVEL)},{covered}))"

    def level(self) -> str:
        """Lower median of the settled levels."""
        return self._if_given(f"SMALL({self.counted},INT(({self.n_settled}+1)/2))")

    def minimum(self) -> str:
        """Lowest settled level."""
        return self._if_given(f"MIN({self.counted})")

    def bound(self, levels: str) -> str:
        """Lower median once every unsettled sub-question is supposed at one end of the scale."""
        median = f"SMALL({levels},INT(({self.n_applicable}+1)/2))"
        return f"IF({self.n_applicable}=0,{text(NOT_APPLICABLE)},{median})"

    def status(self) -> str:
        """« calculé », or why there is no aggregate."""
        return self._if_given(text(CALCULATED))


# --- groups ---------------------------------------------------------------------------------------------------------


def value_of_rank(counts: Sequence[str], rank: str) -> str:
    """Level of that rank (1 = smallest): as many levels as there are sums of counts, from 0, that stay under the rank."""
    first = counts[0]
    return "(" + "+".join(f"(SUM({first}:{last})<{rank})" for last in counts[:-1]) + ")"


def median(n: str, counts: Sequence[str], low: str, high: str) -> str:
    """Ordinary median from the counts and the two middle ranks; the same rank twice gives the lower median."""
    both = value_of_rank(counts, low)
    if low != high:
        both = f"({both}+{value_of_rank(counts, high)})/2"
    return f"IF({n}=0,{text(NO_RATING)},{both})"


def compared(n: str, value: str, institution: bool) -> str:
    """The median where the group may be compared, else why not."""
    least = "1" if institution else MEDIAN_MINIMUM
    few = f"IF({n}=0,{text(NO_RATING)},{text('trop peu de cotations')})"
    return f"IF({n}<{least},{few},{value})"


def split(n: str, first: str, last: str) -> str:
    """« oui » when a good part of the group rates very low and a good part very high."""
    cells = f"{first}:{last}"
    levels = "{0,1,2,3,4,5}"
    low = f"SUMPRODUCT(({levels}<={SPLIT_LOW})*{cells})"
    high = f"SUMPRODUCT(({levels}>={SPLIT_HIGH})*{cells})"
    both = f"MIN({low},{high})>={SPLIT_SHARE}*{n}-{_TOLERANCE}"
    return f'IF({n}<{DISTRIBUTION_MINIMUM},"{NO}",IF({both},"{YES}","{NO}"))'


# --- gaps -----------------------------------------------------------------------------------------------------------


def number_compared(medians: Sequence[str]) -> str:
    """How many groups have a median that may be compared; texts are not counted."""
    return f"COUNT({','.join(medians)})"


def gap(medians: Sequence[str]) -> str:
    """Largest minus smallest median."""
    cells = ",".join(medians)
    return f"IF(COUNT({cells})<2,{text(TOO_FEW)},MAX({cells})-MIN({cells}))"


def gap_status(gap_cell: str) -> str:
    """« médianes proches », « écart à débattre », « trop peu de réponses »."""
    given = f"IF({gap_cell}>{GAP},{text(DEBATED)},{text(CLOSE)})"
    return f"IF(ISNUMBER({gap_cell}),{given},{text(TOO_FEW)})"


def joined(tests: Sequence[tuple[str, str]]) -> str:
    """Names of those whose test is true, joined by « ; ». Spaces inside a name are made unbreakable first."""
    parts = "&".join(f'IF({test},{text(name.replace(" ", NO_BREAK_SPACE) + " ")},"")' for test, name in tests)
    return f'SUBSTITUTE(TRIM({parts})," "," ; ")'


def at_end(medians: Sequence[str], names: Sequence[str], function: str) -> str:
    """Groups whose median is the smallest (``MIN``) or the largest (``MAX``)."""
    cells = ",".join(medians)
    who = joined([(f"{cell}={function}({cells})", name) for cell, name in zip(medians, names, strict=True)])
    return f'IF(COUNT({cells})<2,"",{who})'


def position_of_institution(status: str, sampled: Sequence[str]) -> str:
    """« oui » when the gap to debate would vanish without the institutions."""
    cells = ",".join(sampled)
    alone = f'IF(COUNT({cells})<2,"{YES}",IF(MAX({cells})-MIN({cells})>{GAP},"{NO}","{YES}"))'
    return f'IF({status}={text(DEBATED)},{alone},"{NO}")'


def false_alarm(sampled: Sequence[str], sizes: Sequence[str], most: int) -> str:
    """Probability that chance alone gives a gap to debate, from the sheet of laws (one row per number of ratings)."""
    inside = "*".join(f"INDEX(loi_fenetre,{n}+1,0)" for n in sizes)
    after = "*".join(f"INDEX(loi_suite,{n}+1,0)" for n in sizes)
    chance = f"MAX(0,MIN(1,1-SUMPRODUCT({inside}-{after})))"
    known = f"IF(MAX({','.join(sizes)})>{most},{text(f'plus de {most} cotations : non calculé ici')},{chance})"
    return f"IF(COUNT({','.join(sampled)})<2,{text('sans objet')},{known})"


def weak(alarm: str) -> str:
    """« oui » when chance gives such a gap too often."""
    return f'IF(ISNUMBER({alarm}),IF({alarm}>{ALARM},"{YES}","{NO}"),"{NO}")'


def score(split_cell: str, gap_cell: str) -> str:
    """What the order of discussion sorts: split groups first, then the size of the gap, then no gap."""
    return f'IF({split_cell}="",0,1000)+IF(ISNUMBER({gap_cell}),{gap_cell},-1)'


def order(score_cell: str, scores: str, first_score: str) -> str:
    """Rank of a row among all; ties in the order of the sheet."""
    return f"RANK({score_cell},{scores})+COUNTIF({first_score}:{score_cell},{score_cell})-1"
