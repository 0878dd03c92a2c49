"""``travail.xlsx``: the pilot's confidential working file, where every level is retraced and may be tried out.

The only document made from an :class:`Evaluation`: individual ratings (respondent codes), settled levels, and live
formulas for all that follows from them. It stays in the dossier and is never read back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from xlsxwriter.worksheet import Worksheet

from evalkit.compute.results import Evaluation
from evalkit.compute.rules import Rules
from evalkit.compute.triangulation import STEPS, median_law
from evalkit.model.dossier import SILENCES
from evalkit.model.referentiel import Groupe, Referentiel
from evalkit.report import workbook_formulas as formulas
from evalkit.report.guard import require_evaluation
from evalkit.report.html import Absent
from evalkit.report.sections_surveys import left_out_texts
from evalkit.report.sentences import codes, is_missing, records
from evalkit.report.workbook_formulas import NO, YES
from evalkit.report.workbook_levels import (
    COUNTED,
    LEVEL,
    LEVEL_COLUMNS,
    LEVELS,
    QUESTION_COLUMNS,
    QUESTION_NOTE,
    QUESTIONS,
    RULE_COLUMNS,
    RULES,
    applicable_word,
    coverage_note,
    level_formulas,
    question_rows,
    rule_rows,
)
from evalkit.report.workbook_sheets import (
    FIRST,
    HEADER_ROW,
    Book,
    Cell,
    Column,
    Entry,
    Formula,
    Number,
    Sheet,
    letter,
    row_height,
    whole_day,
)
from evalkit.wording import NO_BREAK_SPACE, format_date, label_status

Row = Mapping[str, Any]
CONFIDENTIAL = "CONFIDENTIEL – ne pas diffuser"
INVENTED = "DONNÉES FICTIVES"
RATINGS, GROUPS, GAPS, LAWS, LADDERS, LISTS = "Cotations", "Groupes", "Écarts", "Loi du hasard", "Échelles", "Listes"
SPARE_ROWS = 200  # rows ready for ratings added by hand
_SAMPLES_MINIMUM, _SAMPLES_MORE = 60, 20  # largest group whose law is in the file
TOO_FEW_RATINGS = "trop peu de cotations"

# columns of the sheet « Groupes »
_COUNTS = [letter(i) for i in range(3, 9)]
_N, _SILENT = letter(9), letter(10)
_KINDS = [letter(i) for i in range(11, 16)]
_LOW_RANK, _HIGH_RANK, _LOW, _MEDIAN, _COMPARED, _SPLIT, _SAMPLE = (letter(i) for i in range(16, 23))


def render_travail_xlsx(evaluation: Evaluation, cotations: pd.DataFrame) -> bytes:
    """Make the confidential working file of a territory.

    Parameters
    ----------
    evaluation
        Everything computed: confidential, as is the file.
    cotations
        The dossier's ratings, as read (``dossier.tables["cotations"]``). Comments and proofs are left out.

    Returns
    -------
    bytes
        A whole ``.xlsx``, the same bytes for the same inputs, whatever the order of the rows that were read.

    Raises
    ------
    TypeError
        Not an ``Evaluation``.
    """
    return _Working(require_evaluation(evaluation), cotations).render()


def _by_hand(note: str) -> Formula:
    """« Aucune case modifiée », or how many: a file in which someone typed no longer says what the report says."""
    none = formulas.text(note)
    some = formulas.text(" case(s) modifiée(s) : ces résultats ne sont plus ceux du dossier.")
    bad = formulas.text(
        " À ressaisir avant de lire ces résultats, cases qui ne sont ni un niveau ni un mot de la liste : "
    )
    retype = f'IF(a_ressaisir=0,"",{bad}&a_ressaisir&".")'
    return Formula(f"=IF(modifications=0,{none},modifications&{some})&{retype}", note)


def _changed(now: str, before: str, bad: str = "") -> Formula:
    """« modifié » beside a cell that was typed over; compared as texts: to a spreadsheet an empty cell equals 0.

    ``bad``: what to say instead of an entry that is neither a level nor a word of the list.
    """
    said = f'IF({_is_same(now, before)},"","modifié")'
    return Formula(f"=IF({_is_unknown(now)}>0,{formulas.text(bad)},{said})" if bad else f"={said}", "")


def _is_same(now: str, before: str) -> str:
    """True where both say the same text; False, never an error, where one of them is an error such as #N/A."""
    return f'ISNUMBER(1/({now}&""={before}&""))'


def _is_unknown(cell: str) -> str:
    """1 where a cell that is not empty holds neither a level nor a word of the list, else 0, never an error.

    « 3 » typed as a text is neither; nor are VRAI, #N/A, nor « * », which MATCH would take for any word.
    """
    word = cell
    for wild in "~*?":
        word = f'SUBSTITUTE({word},"{wild}","~{wild}")'
    silence = f"ISTEXT({cell})*ISNUMBER(MATCH({word},liste_silences,0))"
    level = f"ISNUMBER({cell})*(1-ISLOGICAL({cell}))*ISNUMBER(MATCH({cell},liste_niveaux,0))"
    return f"((1-ISBLANK({cell}))*(1-{silence}-{level}))"


UNCHANGED = _by_hand("Aucune case modifiée : les résultats sont ceux d’evalkit pour ce dossier.")


class _Working:
    """One working file being made: where everything lies, so that formulas find it."""

    def __init__(self, evaluation: Evaluation, cotations: pd.DataFrame):
        self.evaluation = evaluation
        self.referentiel: Referentiel = evaluation.referentiel
        self.groups: tuple[Groupe, ...] = tuple(evaluation.referentiel.groupes)
        self.applicable = [str(row["sous_question"]) for row in records(evaluation.niveaux) if row["applicable"]]
        self.ratings = self._sorted(cotations)
        self.found = {(row["sous_question"], row["groupe"]): row for row in records(evaluation.groupes)}
        self.split = {row["sous_question"]: codes(row["partages"]) for row in records(evaluation.triangulation)}
        self.lines = {sub: FIRST + rank * len(self.groups) for rank, sub in enumerate(self.applicable)}
        self.last_rating = HEADER_ROW + max(1, len(self.ratings)) + SPARE_ROWS  # row from 0
        largest = max([0, *evaluation.groupes["n"].tolist()])
        self.largest = max(_SAMPLES_MINIMUM, int(largest) + _SAMPLES_MORE)

    def _sorted(self, cotations: pd.DataFrame) -> list[dict[str, Any]]:
        subs = {code: rank for rank, code in enumerate(self.referentiel.sous_questions)}
        groups = {group.code: rank for rank, group in enumerate(self.groups)}

        def key(row: Row) -> tuple[int, int, str]:
            places = subs.get(row["sous_question"], len(subs)), groups.get(row["groupe"], len(groups))
            return (*places, str(row["repondant"]))

        return sorted(records(cotations), key=key)

    def render(self) -> bytes:
        """Write every sheet."""
        territory, campaign = self.evaluation.territoire, self.evaluation.campagne
        invented = territory.fictif or campaign.fictif
        marks = [CONFIDENTIAL, *([INVENTED] if invented else [])]
        book = Book(marks, f"{territory.nom} – {format_date(campaign.date_reference)}", campaign.date_reference)
        title = f"Fichier de travail – {territory.nom}"
        book.set_properties(
            title, self.referentiel.libelle, {"evalkit_empreinte": self.evaluation.empreinte or "non calculée"}
        )
        self._read_me(book, title)
        book.add_sheet(
            Sheet(
                QUESTIONS,
                "Niveau de chaque question",
                QUESTION_COLUMNS,
                question_rows(self.evaluation),
                self._notes(QUESTION_NOTE, coverage_note(self.referentiel)),
                2,
                True,
            )
        )
        self._validate(book.add_sheet(self._levels()), LEVEL, len(self.evaluation.niveaux))
        book.add_sheet(self._gaps())
        book.add_sheet(self._groups())
        self._ratings_sheet(book)
        self._method(book)
        self._define_names(book)
        return book.close()

    def _notes(self, *notes: str) -> tuple[str | Formula, ...]:
        return (UNCHANGED, *notes)

    # the first sheet

    def _read_me(self, book: Book, title: str) -> None:
        out = book.open_sheet("Lisez-moi", title)
        out.set_column(0, 0, 30)
        out.set_column(1, 1, 110)
        bold, plain = book.style(bold=True), book.style()
        line = HEADER_ROW
        for term, said in self._guide():
            out.write_string(line, 0, term, bold)
            out.write_string(line, 1, said, plain)
            out.set_row(line, row_height([(said, 110)]))
            line += 1
        out.write_string(line, 0, "Cases modifiées", bold)
        out.write_formula(line, 1, f"={self._changes()}", book.style(align="left"), 0)
        book.define_name("modifications", "Lisez-moi", (line, 1))
        line += 1
        out.write_string(line, 0, "Cases à ressaisir", bold)
        out.write_formula(line, 1, f"={self._to_retype()}", book.style(align="left"), 0)
        book.define_name("a_ressaisir", "Lisez-moi", (line, 1))
        out.write_string(line + 2, 0, "Feuilles", bold)
        link = book.style(font_color="#0000EE", underline=1)
        for position, (name, said) in enumerate(_SHEETS, start=line + 3):
            out.write_url(position, 0, f"internal:'{name}'!A1", link, name)
            out.write_string(position, 1, said, plain)

    def _changes(self) -> str:
        return "+".join(
            f"SUMPRODUCT(1-{_is_same(now, before)})"  # as texts: to a spreadsheet an empty cell equals 0
            for now, before in (("cot_niveau", "cot_lu"), ("niv_arbitre", "niv_lu"))
        )

    def _to_retype(self) -> str:
        """Lines that say so beside their cell: over a whole column, a spreadsheet no longer tells VRAI from 1."""
        return "+".join(f"COUNTIF({cells},{formulas.text(_RETYPE)})" for cells in ("cot_a_revoir", "niv_modifie"))

    def _guide(self) -> list[tuple[str, str]]:
        return [
            (
                "Confidentiel",
                "Ce fichier montre ce que chacun a coté. Il reste dans le dossier : ne l’envoyez pas, ne l’imprimez pas pour une réunion.",
            ),
            (
                "À quoi il sert",
                "Retracer un niveau jusqu’aux cotations, et voir ce que changerait une cotation ou un niveau arbitré.",
            ),
            (
                "Ce qui se change",
                "Les cases encadrées, à fond pâle, des colonnes « Niveau (à changer) » : 0 à 5, ou un mot de la feuille « Listes ».",
            ),
            (
                "Ce qui ne revient pas",
                "evalkit ne relit jamais ce fichier. Pour que le rapport change, reportez le changement dans evaluation.xlsx (ou les CSV).",
            ),
            (
                "Retracer un niveau",
                "Questions → Niveaux → (Écarts) → Groupes → Cotations : cliquez sur un résultat, sa formule montre d’où il vient.",
            ),
            (
                "Feuilles protégées",
                "Sans mot de passe, contre les fautes de frappe : menu Révision, « Ôter la protection », si vous en avez besoin.",
            ),
            *(
                ("Enquête laissée de côté", said)
                for said in left_out_texts(self.referentiel, self.evaluation.enquetes_ecartees)
            ),
            ("Empreinte des données", self.evaluation.empreinte or "non calculée"),
            ("Référentiel", f"{self.referentiel.libelle}, version {self.referentiel.version}"),
        ]

    # ratings

    def _ratings_sheet(self, book: Book) -> None:
        rows = [self._rating_row(row, line) for line, row in enumerate(self.ratings, start=FIRST)]
        columns = (
            Column("sous_question", 14),
            Column("repondant", 12),
            Column("groupe", 20),
            Column("Niveau (à changer)", 18),
            Column("Lu dans le dossier", 16),
            Column("Modifié", 10),
            Column("À revoir", 44),
            Column("date", 12),
        )
        notes = self._notes(
            "Une ligne par personne et par sous-question. repondant : un code, jamais un nom. Les mots (ne_sait_pas, refus…) sont des silences.",
            f"Pour ajouter une cotation, écrivez sous la dernière ligne ({SPARE_ROWS} lignes sont prêtes). Commentaires et preuves n’y sont pas.",
        )
        out = book.add_sheet(Sheet(RATINGS, "Cotations individuelles", columns, rows, notes, 3))
        for row in range(HEADER_ROW + 1 + len(rows), self.last_rating + 1):
            book.write(out, row, 3, Entry(None))
            for column, cell in enumerate(self._checks(row + 1, ""), start=5):
                book.write(out, row, column, cell)
        self._validate(out, letter(3), self.last_rating - HEADER_ROW)

    def _rating_row(self, row: Row, line: int) -> list[Cell]:
        level: int | str | None = None if is_missing(row["silence"]) else str(row["silence"])
        if not is_missing(row["niveau"]):
            level = int(row["niveau"])
        ignored = str(row["sous_question"]) not in self.applicable
        said = _IGNORED if ignored else _EMPTY if level is None else ""
        day = row.get("date")
        return [
            str(row["sous_question"]),
            str(row["repondant"]),
            str(row["groupe"]),
            Entry(level),
            level,
            *self._checks(line, said),
            None if is_missing(day) else whole_day(day, str(day)),
        ]

    def _checks(self, line: int, said: str) -> list[Cell]:
        """« Modifié » and « À revoir » of one line of ratings."""
        changed = _changed(f"D{line}", f"E{line}")
        empty = f'IF(D{line}="",{formulas.text(_EMPTY)},"")'
        level = f"IF({_is_unknown(f'D{line}')}>0,{formulas.text(_RETYPE)},{empty})"
        group = f"IF(ISNA(MATCH(C{line},liste_groupes,0)),{formulas.text(_NO_GROUP)},{level})"
        sub = f"IF(ISNA(MATCH(A{line},liste_sous_questions,0)),{formulas.text(_IGNORED)},{group})"
        return [changed, Formula(f'=IF(A{line}="","",{sub})', said)]

    def _validate(self, sheet: Worksheet, column: str, n: int) -> None:
        if n < 1:
            return
        options = {
            "validate": "list",
            "source": "=liste_niveaux",
            "error_title": "Niveau inattendu",
            "error_message": "Écrivez 0, 1, 2, 3, 4 ou 5, ou un mot de la feuille « Listes ».",
        }
        sheet.data_validation(f"{column}{FIRST}:{column}{FIRST + n - 1}", options)

    # groups

    def _groups(self) -> Sheet:
        cells = {
            key: part.sort_values("niveau")["n"].tolist()
            for key, part in self.evaluation.distributions.groupby(["sous_question", "groupe"])
        }
        keys = [(sub, group) for sub in self.applicable for group in self.groups]
        rows = [
            self._group_row(
                line, sub, group, self.found.get((sub, group.code)), cells.get((sub, group.code), [0.0] * 6)
            )
            for line, (sub, group) in enumerate(keys, start=FIRST)
        ]
        columns = (
            Column("Sous-question", 12),
            Column("Code du groupe", 18),
            Column("Groupe", 24),
            *(Column(f"Niveau {k}", 8) for k in range(6)),
            Column("n (cotations exprimées)", 12),
            Column("Silences", 9),
            *(Column(label_status(code).capitalize(), 12) for code in SILENCES),
            Column("Rang du milieu, bas", 10),
            Column("Rang du milieu, haut", 10),
            Column("Médiane basse", 14),
            Column("Médiane", 14),
            Column("Médiane comparée", 18),
            Column("Partagé", 9),
            Column("n pris pour le hasard", 10),
        )
        notes = self._notes(
            "Médiane : valeur du rang du milieu ; moyenne des deux rangs du milieu si n est pair. Médiane basse : le plus bas des deux.",
            "Médiane comparée : celle d’une institution qui a coté, ou d’un groupe d’au moins cinq cotations (feuille « Règles »).",
        )
        return Sheet(GROUPS, "Cotations de chaque groupe, comptées", columns, rows, notes, 3, True)

    def _group_row(self, line: int, sub: str, group: Groupe, row: Row | None, counts: Sequence[float]) -> list[Cell]:
        at = {name: f"{name}{line}" for name in (*_COUNTS, _N, _SILENT, *_KINDS, _LOW_RANK, _HIGH_RANK, _LOW, _MEDIAN)}
        own = [at[name] for name in _COUNTS]
        same = f"cot_sous_question,$A{line},cot_groupe,$B{line}"
        n = int(row["n"]) if row else 0
        silent = float(row["n_silences"]) if row else 0.0
        kinds = list(SILENCES)
        given = {code: float(row[f"n_{code}"]) if row else 0.0 for code in kinds}
        others = [at[name] for name, code in zip(_KINDS, kinds, strict=True) if code != "non_repondu"]
        middle = (
            formulas.median(at[_N], own, at[_LOW_RANK], at[_LOW_RANK]),
            formulas.median(at[_N], own, at[_LOW_RANK], at[_HIGH_RANK]),
        )
        medians = [self._median(row, name) for name in ("mediane_basse", "mediane")]
        return [
            sub,
            group.code,
            group.libelle,
            *(Formula(f"=COUNTIFS({same},cot_niveau,{level})", float(counts[level])) for level in range(6)),
            Formula(f"=SUM({own[0]}:{own[-1]})", float(n)),
            Formula(f"=COUNTIFS({same})-{at[_N]}", silent),
            *(
                Formula(
                    f"={at[_SILENT]}-{'-'.join(others)}"
                    if code == "non_repondu"
                    else f"=COUNTIFS({same},cot_niveau,{formulas.text(code)})",
                    given[code],
                )
                for code in kinds
            ),
            Formula(f"=INT(({at[_N]}+1)/2)", float((n + 1) // 2)),
            Formula(f"=INT({at[_N]}/2)+1", float(n // 2 + 1)),
            Formula(f"={middle[0]}", medians[0]),
            Formula(f"={middle[1]}", medians[1], Number(0, half=True)),
            *self._compared(line, group, row),
        ]

    def _median(self, row: Row | None, name: str) -> float | str:
        return formulas.NO_RATING if row is None or is_missing(row[name]) else float(row[name])

    def _minimum(self, group: Groupe) -> float:
        return 1 if group.institution else self.referentiel.seuil("seuil_mediane_atelier")

    def _compared(self, line: int, group: Groupe, row: Row | None) -> list[Cell]:
        """Median that may be compared, whether the group is split, its size for the law of chance."""
        n = int(row["n"]) if row else 0
        sub = str(row["sous_question"]) if row else ""
        shown = n >= self._minimum(group)
        value: float | str = self._median(row, "mediane") if shown else TOO_FEW_RATINGS if n else formulas.NO_RATING
        split = group.code in self.split.get(sub, ())
        sample = f"IF(ISNUMBER({_COMPARED}{line}),{_N}{line},0)" if not group.institution else "0"
        return [
            Formula(
                f"={formulas.compared(f'{_N}{line}', f'{_MEDIAN}{line}', group.institution)}",
                value,
                Number(0, half=True),
            ),
            Formula(
                f"={formulas.split(f'{_N}{line}', f'{_COUNTS[0]}{line}', f'{_COUNTS[-1]}{line}')}", YES if split else NO
            ),
            Formula(f"={sample}", float(n) if shown and not group.institution else 0.0),
        ]

    def group_line(self, sub: str, group: Groupe) -> int:
        """Line of the sheet « Groupes » that holds a group of a sub-question."""
        return self.lines[sub] + self.groups.index(group)

    # levels

    def _levels(self) -> Sheet:
        rows = [self._level_row(line, row) for line, row in enumerate(records(self.evaluation.niveaux), start=FIRST)]
        common = [Column("Niveau (à changer)", 18) if c.header == "Niveau arbitré" else c for c in LEVEL_COLUMNS]
        columns = (
            *common,
            Column("Lu dans le dossier", 16),
            Column("Modifié", 14),
            Column("Ce que dit ce niveau", 50),
            Column("Auto-évaluation du pilote", 14),
            Column("Preuve nommée", 40),
            Column("Arrêté le", 12),
            Column("Instance", 24),
            Column("Pourquoi sans objet, ou à vérifier", 40),
        )
        notes = self._notes(
            "Niveau (à changer) : le niveau arrêté en réunion, 0 à 5, ou vide. Niveau compté : celui d’une sous-question qui concerne le territoire.",
            "Les deux colonnes « Supposé » mettent 0, puis 5, là où rien n’est arbitré : elles donnent les bornes de la question.",
        )
        return Sheet(LEVELS, "Niveau arbitré de chaque sous-question", columns, rows, notes, 3, True)

    def _level_row(self, line: int, row: Row) -> list[Cell]:
        sub = self.referentiel.sous_questions[row["sous_question"]]
        settled = row["statut"] == "arbitre"
        level: int | str | None = None if is_missing(row["silence"]) else str(row["silence"])
        if settled:
            level = int(row["niveau"])
        ladder = f"INDEX('{LADDERS}'!$C${line}:$H${line},1,{COUNTED}{line}+1)"
        day = row["date"]
        return [
            row["question"],
            sub.code,
            sub.titre,
            applicable_word(row),
            Entry(level),
            *level_formulas(line, row),
            level,
            _changed(f"{LEVEL}{line}", f"{letter(9)}{line}", _RETYPE),
            Formula(
                f'=IF(ISNUMBER({COUNTED}{line}),{ladder},"")',
                sub.echelle.niveaux[int(row["niveau"])] if settled else "",
            ),
            self._own_rating(row),
            "" if is_missing(row["preuve"]) else str(row["preuve"]),
            None if is_missing(day) else whole_day(day, str(day)),
            "" if is_missing(row["instance"]) else str(row["instance"]),
            "" if is_missing(row["explication"]) else str(row["explication"]),
        ]

    def _own_rating(self, row: Row) -> Cell:
        """Lower median of the pilot's ratings."""
        pilot = next((group for group in self.groups if group.code == "pilote"), None)
        if pilot is None or not row["applicable"]:
            return Absent(label_status("non_applicable"))
        own = row["auto_evaluation"]
        value: float | str = formulas.NO_RATING if is_missing(own) else float(own)
        return Formula(f"={GROUPS}!{_LOW}{self.group_line(str(row['sous_question']), pilot)}", value)

    # gaps

    def _gaps(self) -> Sheet:
        rows = [
            self._gap_row(line, row) for line, row in enumerate(records(self.evaluation.triangulation), start=FIRST)
        ]
        columns = (
            Column("Question", 10),
            Column("Sous-question", 14),
            Column("Intitulé", 36),
            *(Column(f"{group.libelle} : médiane comparée", 14) for group in self.groups),
            Column("Groupes comparés", 10),
            Column("Écart", 12),
            Column("Constat", 18),
            Column("Groupes au plus bas", 22),
            Column("Groupes au plus haut", 22),
            Column("Groupes partagés", 22),
            Column("Position de l’institution", 12),
            Column("Hasard : probabilité d’un tel écart", 14),
            Column("Effectifs faibles", 11),
            Column("Clé de l’ordre", 9),
            Column("Ordre de discussion", 11),
        )
        notes = self._notes(
            "Écart : la plus grande médiane comparée moins la plus petite. Aucune moyenne n’est faite entre les groupes.",
            "Ici, médianes ordinaires (avec des demis), tous groupes visibles ; le rapport publié masque et arrondit : il peut donner un autre écart.",
        )
        return Sheet(GAPS, "Écarts entre groupes", columns, rows, notes, 3, True)

    def _gap_row(self, line: int, row: Row) -> list[Cell]:
        sub, n = str(row["sous_question"]), len(self.groups)
        cells = {group.code: f"{letter(3 + rank)}{line}" for rank, group in enumerate(self.groups)}
        at = [f"{letter(3 + n + rank)}{line}" for rank in range(11)]
        names = [group.libelle for group in self.groups]
        sampled = [group for group in self.groups if not group.institution]
        own, few = list(cells.values()), is_missing(row["ecart"])
        sizes = [f"{GROUPS}!{_SAMPLE}{self.group_line(sub, group)}" for group in sampled]
        splits = [(f'{GROUPS}!{_SPLIT}{self.group_line(sub, group)}="{YES}"', group.libelle) for group in self.groups]
        alarm = Absent(formulas.NOT_APPLICABLE) if is_missing(row["fausse_alerte"]) else float(row["fausse_alerte"])
        key = f"${letter(3 + n + 9)}"
        scores = f"{key}${FIRST}:{key}${FIRST + len(self.applicable) - 1}"
        return [
            row["question"],
            sub,
            self.referentiel.sous_questions[sub].titre,
            *(self._compared_again(sub, group) for group in self.groups),
            Formula(f"={formulas.number_compared(own)}", float(row["n_groupes"])),
            Formula(f"={formulas.gap(own)}", formulas.TOO_FEW if few else float(row["ecart"]), Number(0, half=True)),
            Formula(f"={formulas.gap_status(at[1])}", label_status(row["statut"])),
            Formula(f"={formulas.at_end(own, names, 'MIN')}", self._named(row["groupe_bas"])),
            Formula(f"={formulas.at_end(own, names, 'MAX')}", self._named(row["groupe_haut"])),
            Formula(f"={formulas.joined(splits)}", self._named(row["partages"])),
            Formula(
                f"={formulas.position_of_institution(at[2], [cells[g.code] for g in sampled])}",
                YES if row["position_institution"] else NO,
            ),
            Formula(
                f"={formulas.false_alarm([cells[g.code] for g in sampled], sizes, self.largest)}",
                alarm,
                Number(0, 1, percent=True),
            ),
            Formula(f"={formulas.weak(at[7])}", YES if row["effectifs_faibles"] else NO),
            Formula(f"={formulas.score(at[5], at[1])}", self._score(row), Number(0, half=True)),
            Formula(f"={formulas.order(at[9], scores, f'{key}${FIRST}')}", float(row["ordre"])),
        ]

    def _compared_again(self, sub: str, group: Groupe) -> Formula:
        """The compared median of a group, read in the sheet « Groupes »."""
        cell = self._compared(0, group, self.found.get((sub, group.code)))[0]
        value = cell.value if isinstance(cell, Formula) else ""
        return Formula(f"={GROUPS}!{_COMPARED}{self.group_line(sub, group)}", value, Number(0, half=True))

    def _named(self, cell: object) -> str:
        wanted = codes(cell)
        return " ; ".join(g.libelle.replace(" ", NO_BREAK_SPACE) for g in self.groups if g.code in wanted)

    def _score(self, row: Row) -> float:
        gap = -1.0 if is_missing(row["ecart"]) else float(row["ecart"])
        return gap + (0.0 if is_missing(row["partages"]) else 1000.0)

    # rules, laws, lists, names

    def _method(self, book: Book) -> None:
        rules = [row for _, row in rule_rows(self.referentiel)]
        book.add_sheet(Sheet(RULES, "Seuils et règles lus par les formules", RULE_COLUMNS, rows=rules, protected=True))
        book.add_sheet(self._laws())
        book.add_sheet(self._ladders())
        book.add_sheet(self._lists())

    def _laws(self) -> Sheet:
        """For each number of ratings, the chance that a median lies in a window of the width of a gap that is no gap."""
        rules = Rules(self.referentiel.regles).triangulation(published=False)
        width = int(2 * rules.gap + 1e-9)
        steps = [f"{step / 2:.1f}".replace(".0", "").replace(".", ",") for step in STEPS]
        rows: list[list[Cell]] = [[0, *([Number(1.0, 6)] * (2 * len(STEPS)))]]  # a group that is not compared: neutral
        for n in range(1, self.largest + 1):
            law = median_law(n, rules.distribution, low=False)
            inside = [math.fsum(law[m : m + width + 1]) for m in STEPS]
            after = [math.fsum(law[m + 1 : m + width + 1]) for m in STEPS]
            rows.append([n, *(Number(value, 6) for value in (*inside, *after))])
        columns = (Column("n", 6), *(Column(f"dès {s}", 10) for s in steps), *(Column(f"après {s}", 10) for s in steps))
        notes = (
            "Constantes calculées par evalkit : probabilité que la médiane de n cotations tirées de la répartition de la feuille « Règles »",
            f"soit entre un niveau et ce niveau plus {width / 2:g} (« dès » : bornes comprises ; « après » : sans la borne basse).",
            "Deux groupes ou plus sont dans une même fenêtre avec le produit de leurs probabilités ; le reste est le risque de fausse alerte.",
        )
        return Sheet(LAWS, "Loi de la médiane quand tous pensent pareil", columns, rows, notes, 1, True)

    def _ladders(self) -> Sheet:
        """The six steps of each sub-question, line for line with the sheet « Niveaux »."""
        subs = [self.referentiel.sous_questions[row["sous_question"]] for row in records(self.evaluation.niveaux)]
        rows: list[list[Cell]] = [[s.code, s.titre, *(s.echelle.niveaux.get(k, "") for k in range(6))] for s in subs]
        columns = (Column("Sous-question", 14), Column("Intitulé", 36), *(Column(f"Niveau {k}", 34) for k in range(6)))
        return Sheet(LADDERS, "Ce que dit chaque niveau", columns, rows, frozen=2, protected=True)

    def _lists(self) -> Sheet:
        levels: list[tuple[Cell, Cell]] = [(level, "niveau") for level in range(6)]
        levels += [(code, label_status(code)) for code in SILENCES]
        size = max(len(levels), len(self.groups), len(self.applicable))
        blank: tuple[Cell, Cell] = (None, None)
        rows: list[list[Cell]] = []
        for rank in range(size):
            group = self.groups[rank] if rank < len(self.groups) else None
            sub = self.applicable[rank] if rank < len(self.applicable) else None
            rows.append(
                [
                    *(levels[rank] if rank < len(levels) else blank),
                    group.code if group else None,
                    group.libelle if group else None,
                    sub,
                ]
            )
        columns = (
            Column("Niveau ou silence", 18),
            Column("Ce que c’est", 26),
            Column("Groupe", 22),
            Column("Nom du groupe", 30),
            Column("Sous-question applicable", 24),
        )
        return Sheet(LISTS, "Ce qui peut être écrit dans les cases à changer", columns, rows, protected=True)

    def _define_names(self, book: Book) -> None:
        start = HEADER_ROW + 1
        last = self.last_rating
        for name, column in (
            ("cot_sous_question", 0),
            ("cot_groupe", 2),
            ("cot_niveau", 3),
            ("cot_lu", 4),
            ("cot_a_revoir", 6),
        ):
            book.define_name(name, RATINGS, (start, column), (last, column))
        end = HEADER_ROW + max(1, len(self.evaluation.niveaux))
        book.define_name("niv_arbitre", LEVELS, (start, 4), (end, 4))
        book.define_name("niv_lu", LEVELS, (start, 9), (end, 9))
        book.define_name("niv_modifie", LEVELS, (start, 10), (end, 10))
        for position, (code, _) in enumerate(rule_rows(self.referentiel)):
            if code in formulas.RULES:
                book.define_name(code, RULES, (start + position, 1))
        book.define_name("loi_fenetre", LAWS, (start, 1), (start + self.largest, len(STEPS)))
        book.define_name("loi_suite", LAWS, (start, 1 + len(STEPS)), (start + self.largest, 2 * len(STEPS)))
        for name, column, n in (
            ("liste_niveaux", 0, 6 + len(SILENCES)),
            ("liste_groupes", 2, len(self.groups)),
            ("liste_sous_questions", 4, max(1, len(self.applicable))),
        ):
            book.define_name(name, LISTS, (start, column), (start + n - 1, column))
        book.define_name("liste_silences", LISTS, (start + 6, 0), (start + 5 + len(SILENCES), 0))


_EMPTY = "vide : compté comme non renseigné"
_RETYPE = "niveau à ressaisir : 0 à 5, ou un mot de la feuille « Listes »"
_NO_GROUP = "groupe inconnu : cette ligne ne compte pas"
_IGNORED = "sous-question sans objet ou hors des modules évalués : ne compte pas"
_SHEETS = (
    (QUESTIONS, "Niveau, minimum, couverture et bornes de chaque question"),
    (LEVELS, "Niveau arbitré de chaque sous-question (à changer pour essayer)"),
    (GAPS, "Médianes des groupes côte à côte, écart, hasard, ordre de discussion"),
    (GROUPS, "Cotations de chaque groupe comptées par niveau, médianes"),
    (RATINGS, "Cotations individuelles (à changer pour essayer)"),
    (RULES, "Seuils que lisent les formules"),
    (LAWS, "Probabilités dont sort le risque de fausse alerte"),
    (LADDERS, "Ce que dit chaque niveau de chaque sous-question"),
    (LISTS, "Mots acceptés, codes des groupes, sous-questions applicables"),
)
