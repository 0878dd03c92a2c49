"""Hidden sheets of the entry workbook: drop-down lists, ladders and indicator cards, and the formulas that read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from evalkit.model.dossier import SILENCES, TABLES, Column
from evalkit.model.referentiel import Formule, Indicateur, Referentiel, SousQuestion


@dataclass
class Lists:
    """Where each list lies, and what the display columns show."""

    names: dict[str, str] = field(default_factory=dict)  # kind, or « table.colonne » choices -> « =nom »
    categories: dict[str, str] = field(default_factory=dict)  # indicator -> « =nom »
    ladders: dict[str, SousQuestion] = field(default_factory=dict)
    cards: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # indicator -> title, what to type, unit

    def source(self, column: Column) -> str:
        """Range of the drop-down list of a column, "" if it is free."""
        if column.kind == "choix":
            return self.names["|".join(column.choices)]
        return self.names.get(column.kind, "")

    def display(self, header: str, letters: Mapping[str, str], line: int, row: Mapping[str, object]) -> tuple[str, str]:
        """Formula of a display column on a line (1-based), and the value it gives now."""
        if "sous_question" in letters:
            code = str(row.get("sous_question", "") or "")
            sub = self.ladders.get(code)
            if header.endswith("sous-question"):
                return _lookup(
                    "echelles", len(self.ladders), letters["sous_question"], line, 2
                ), sub.titre if sub else ""
            level = str(row.get("niveau", "") or "")
            text = sub.echelle.niveaux.get(int(level), "") if sub and level.isdigit() else ""
            return _ladder(len(self.ladders), letters["sous_question"], letters["niveau"], line), text
        rank = {"intitulé": 0, "saisir": 1, "unité": 2}[header.split()[-1]]
        card = self.cards.get(str(row.get("indicateur", "") or ""), ("", "", ""))
        return _lookup("fiches", len(self.cards), letters["indicateur"], line, rank + 2), card[rank]


def _lookup(sheet: str, height: int, letter: str, line: int, column: int) -> str:
    col = xl_col_to_name(column - 1)
    keys, values = f"{sheet}!$A$2:$A${height + 1}", f"{sheet}!${col}$2:${col}${height + 1}"
    cell = f"${letter}{line}"
    return f'=IF({cell}="","",IFERROR(INDEX({values},MATCH({cell},{keys},0)),""))'


def _ladder(height: int, code: str, level: str, line: int) -> str:
    keys, grid = f"echelles!$A$2:$A${height + 1}", f"echelles!$C$2:$H${height + 1}"
    return f'=IF(ISNUMBER(${level}{line}),IFERROR(INDEX({grid},MATCH(${code}{line},{keys},0),${level}{line}+1),""),"")'


def add_lists(
    book: Workbook, referentiel: Referentiel, subs: Sequence[SousQuestion], asked: Sequence[Indicateur]
) -> Lists:
    """Write the hidden sheets ``listes``, ``echelles`` and ``fiches``; return what the tables need of them."""
    lists = Lists(ladders={sub.code: sub for sub in subs}, cards={i.code: _card(referentiel, i) for i in asked})
    sheet = book.add_worksheet("listes")
    codes = {sub.code for sub in subs}
    questions = [q.code for q in referentiel.questions() if any(s.code in codes for s in q.sous_questions)]
    columns: dict[str, Sequence[str | int]] = {
        "code_sous_question": [sub.code for sub in subs],
        "code_question": questions,
        "code_indicateur": [indicator.code for indicator in asked],
        "groupe": [groupe.code for groupe in referentiel.groupes],
        "niveau": [*range(6), *SILENCES],
        "silence": list(SILENCES),
        "oui_non": ["oui", "non"],
    }
    columns |= {"|".join(c.choices): c.choices for t in TABLES.values() for c in t.columns if c.kind == "choix"}
    for index, (key, values) in enumerate(columns.items()):
        name = f"liste_{index + 1:02d}"
        _write_list(book, sheet, index, name, values)
        lists.names[key] = f"={name}"
    for indicator in asked:
        if indicator.modalites:
            index += 1
            name = f"liste_{index + 1:02d}"
            _write_list(book, sheet, index, name, [modalite.code for modalite in indicator.modalites])
            lists.categories[indicator.code] = f"={name}"
    sheet.hide()
    _write_rows(book, "echelles", ([s.code, s.titre, *(s.echelle.niveaux.get(n, "") for n in range(6))] for s in subs))
    _write_rows(book, "fiches", ([code, *card] for code, card in lists.cards.items()))
    return lists


def _write_list(book: Workbook, sheet: Worksheet, index: int, name: str, values: Sequence[str | int]) -> None:
    column = xl_col_to_name(index)
    for line, value in enumerate((name, *values)):
        sheet.write(line, index, value)
    book.define_name(name, f"=listes!${column}$2:${column}${max(2, len(values) + 1)}")


def _write_rows(book: Workbook, name: str, rows: Iterable[Sequence[str]]) -> None:
    sheet = book.add_worksheet(name)
    sheet.write_string(0, 0, "code")
    for line, row in enumerate(rows, start=1):
        for column, text in enumerate(row):
            sheet.write_string(line, column, text)
    sheet.hide()


def _card(referentiel: Referentiel, indicator: Indicateur) -> tuple[str, str, str]:
    unit = referentiel.unites_par_code.get(indicator.unite)
    if indicator.formule == Formule.CATEGORIE and indicator.modalites:
        todo = "valeur : " + " ; ".join(f"{m.code} = {m.libelle}" for m in indicator.modalites)
    elif indicator.numerateur and indicator.denominateur:
        todo = f"numérateur : {indicator.numerateur} ; dénominateur : {indicator.denominateur}"
    else:
        todo = f"valeur : {indicator.numerateur or indicator.definition}"
    return indicator.libelle, todo, unit.libelle if unit else indicator.unite
