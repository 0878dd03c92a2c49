"""``evaluation.xlsx``: the workbook a pilot fills, made from the framework, read back by the ordinary reader.

One sheet per table of :data:`evalkit.model.dossier.TABLES`, with drop-down lists, the ladder's descriptor beside the
level, and help in cell comments. Columns that only help start with ``(aide)`` and are skipped on reading. Same inputs,
same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from evalkit.compute.conditions import evaluate_condition
from evalkit.documents.entry_lists import Lists, add_lists
from evalkit.model.dossier import HELP_COLUMN_PREFIX, TABLES, Column, Table
from evalkit.model.referentiel import Indicateur, Referentiel, SousQuestion
from evalkit.model.territory import KNOWN_FACTS, Campagne, Territory
from evalkit.wording import label_status

Rows = Sequence[Mapping[str, object]]
VERSION_PROPERTY = "evalkit_referentiel"
FILE_NAME = "evaluation.xlsx"
_CREATED = datetime(2022, 1, 1)  # fixed: the clock never enters a document
_SPARE_ROWS = {"cotations": 1500, "actions": 600}  # rows ready to fill, the written ones included
_FEW_ROWS = 300
_WIDTHS = {"texte": 42, "fonction": 26, "niveau": 16, "date": 12, "annee": 9, "nombre": 13, "effectif": 13}
_NUMERIC = ("niveau", "nombre", "effectif", "annee")

TERRITORY_KEYS: tuple[tuple[str, str], ...] = (
    ("nom", "nom du contrat de ville, tel qu'il sera imprimé"),
    ("departement", "code à deux chiffres, par exemple 02"),
    ("generation", "2015 (contrats 2015-2023) ou 2024 (contrats 2024-2030)"),
    ("type", "commune, communaute_de_communes, communaute_agglomeration, communaute_urbaine ou metropole"),
    ("code", "code du contrat (CV… ou CN…), s'il est connu"),
    ("siren", "numéro SIREN de l'intercommunalité, s'il est connu"),
    ("epci", "nom de l'intercommunalité"),
    ("communes", "communes du contrat, séparées par ;"),
    ("modules", "modules évalués, séparés par ;"),
    ("fictif", "oui seulement pour un exemple inventé"),
    ("conseil_citoyen", "oui ou non : y a-t-il un conseil citoyen ?"),
    ("npnru", "oui ou non : un quartier relève-t-il du renouvellement urbain national ?"),
    ("cite_educative", "oui ou non : y a-t-il une cité éducative ?"),
    ("delegue_prefet", "oui ou non : y a-t-il un délégué du préfet ?"),
    ("nb_communes", "nombre de communes, si la liste n'est pas donnée"),
    ("annee", "année de la campagne, par exemple 2026 ; vide seulement si un fichier campagne.yml la donne"),
    (
        "date_reference",
        "date imprimée sur les documents, par exemple 30/11/2026 ; vide seulement si campagne.yml la donne",
    ),
    ("marque", "brouillon, diffusion restreinte ou public : imprimé sur chaque page ; vide, rien n'est imprimé"),
    ("logo", "nom d'une image PNG ou JPEG posée dans le dossier, imprimée sur chaque page"),
    ("logo_texte", "ce qui est lu à la place du logo ; obligatoire avec lui"),
    ("enseigne", "laissez vide (réservé aux exemples de formation)"),
)
_QPV_COLUMNS = (
    Column("code", "texte", required=True, help="QP…, QN… (ou QF… pour un exemple inventé)"),
    Column("nom", "texte", required=True, help="nom du quartier"),
    Column("geographie", "choix", choices=("2015", "2024"), help="liste des quartiers de 2015 ou de 2024"),
    Column("communes", "texte", help="communes du quartier, séparées par ;"),
)
_GUIDE = (
    "Ce classeur recueille l'évaluation de votre contrat de ville. Remplissez-le à votre rythme : ce qui manque sera dit.",
    "1. Feuille « territoire » : l'identité du contrat, sans oublier l'année et la date de référence. Feuille « qpv » : ses quartiers.",
    "2. Feuille « cotations » : une ligne par personne (ou instance) et par sous-question, avec un niveau de 0 à 5.",
    "3. Feuille « arbitrages » : le niveau arrêté en réunion, une ligne par sous-question, et la preuve qui le justifie.",
    "4. Feuille « indicateurs » : une valeur, ou un numérateur et un dénominateur. Ils éclairent le débat, ils ne notent pas.",
    "5. Feuilles « constats », « suivis », « verbatims », « actions » : selon ce que vous avez. Une feuille vide ne gêne pas.",
    "6. Ne sait pas, refus, non demandé… se choisissent dans la liste : une absence de réponse n'est jamais un zéro.",
    "7. Le répondant est un code (R01, R02…), jamais un nom. Le responsable est une fonction, jamais une personne.",
    "8. Les colonnes « (aide) » se remplissent seules. Les titres sont protégés, sans mot de passe : laissez-les tels quels.",
    "9. Pour vérifier : python demarrer.py verifier, suivi du nom de votre dossier. Chaque remarque donne la cellule à corriger.",
    "10. La feuille « referentiel » donne les échelles complètes, du niveau 0 au niveau 5.",
)


@dataclass
class _Book:
    """The workbook being written, its formats and its lists."""

    book: Workbook
    lists: Lists
    referentiel: Referentiel
    rows: Mapping[str, Rows]
    formats: dict[str, Any] = field(default_factory=dict)


def write_entry_workbook(
    path: Path,
    referentiel: Referentiel,
    territoire: Territory | None,
    campagne: Campagne | None,
    modules: Sequence[str] = (),
    rows: Mapping[str, Rows] | None = None,
    territory_values: Mapping[str, object] | None = None,
) -> None:
    """Write the workbook to fill.

    Parameters
    ----------
    path
        File to write; the caller answers for not overwriting a person's file.
    referentiel
        The framework: lists, ladders, and the version kept in the custom property ``evalkit_referentiel``.
    territoire, campagne
        What is known already, written in the sheets ``territoire`` and ``qpv``; ``None`` leaves them to fill.
    modules
        Codes of the evaluated modules; empty means those of the territory, else of the campaign, else all.
    rows
        Rows already known, by table (column name -> value; ISO dates; levels as ``"3"`` or a silence).
    territory_values
        Values of the sheet ``territoire`` that :class:`Territory` does not carry.
    """
    codes = tuple(modules) or _known_modules(territoire, campagne) or tuple(m.code for m in referentiel.modules)
    subs = [s for m in referentiel.modules if m.code in codes for q in m.questions for s in q.sous_questions]
    asked = [i for sub in subs for i in sub.indicateurs if "saisie" in i.obtention]
    book = xlsxwriter.Workbook(
        str(path),
        {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True},
    )
    _set_properties(book, referentiel, territoire)
    writer = _Book(book, Lists(), referentiel, _with_known_rows(rows or {}, subs, campagne, territoire))
    writer.formats = _formats(book)
    _guide(writer)
    _territory(writer, territoire, codes, territory_values or {})
    _neighbourhoods(writer, territoire)
    sheets = {name: book.add_worksheet(name) for name in TABLES}
    _ladders_to_read(writer, subs)
    writer.lists = add_lists(book, referentiel, subs, asked)
    for name, sheet in sheets.items():
        _table(writer, sheet, TABLES[name])
    book.get_worksheet_by_name("lisez_moi").activate()
    book.close()


def _known_modules(territoire: Territory | None, campagne: Campagne | None) -> tuple[str, ...]:
    return (territoire.modules if territoire else ()) or (campagne.modules if campagne else ())


def _set_properties(book: Workbook, referentiel: Referentiel, territoire: Territory | None) -> None:
    book.set_properties(
        {
            "title": f"Évaluation – {territoire.nom}" if territoire else "Évaluation d'un contrat de ville",
            "subject": referentiel.libelle,
            "comments": "DONNÉES FICTIVES" if territoire and territoire.fictif else "",
            "created": _CREATED,
        }
    )
    book.set_custom_property(VERSION_PROPERTY, referentiel.version, "text")
    book.set_custom_property("langue", "fr-FR", "text")


def _formats(book: Workbook) -> dict[str, Any]:
    wrap = {"text_wrap": True, "valign": "top"}
    return {
        "titre": book.add_format({"bold": True, "font_size": 14}),
        "entete": book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1, **wrap}),
        "entete_obligatoire": book.add_format({"bold": True, "bg_color": "#B8CCE4", "border": 1, **wrap}),
        "entete_aide": book.add_format({"italic": True, "bg_color": "#EFEFEF", "border": 1, **wrap}),
        "aide": book.add_format({"italic": True, "font_color": "#404040", "bg_color": "#F7F7F7", **wrap}),
        "texte": book.add_format({"locked": False, "num_format": "@", **wrap}),
        "nombre": book.add_format({"locked": False, **wrap}),
        "date": book.add_format({"locked": False, "num_format": "dd/mm/yyyy", **wrap}),
        "fixe": book.add_format(wrap),
    }


def _with_known_rows(
    rows: Mapping[str, Rows],
    subs: Sequence[SousQuestion],
    campagne: Campagne | None,
    territoire: Territory | None,
) -> dict[str, Rows]:
    """Rows given, plus the ones whose key is written in advance: a settled level each, an indicator each."""
    facts = territoire.facts() if territoire else {}
    out = dict(rows)
    settled = {row["sous_question"]: row for row in rows.get("arbitrages", ())}
    kept = {s.code for s in subs if s.code in settled or _may_apply(s, facts)}
    out["arbitrages"] = [settled.get(s.code, {"sous_question": s.code}) for s in subs if s.code in kept]
    typed = list(rows.get("indicateurs", ()))
    present = {row["indicateur"] for row in typed}
    year: dict[str, object] = {"annee": campagne.annee} if campagne else {}
    due = [i for s in subs if s.code in kept for i in s.indicateurs if "saisie" in i.obtention and _may_apply(i, facts)]
    out["indicateurs"] = [*typed, *({"indicateur": i.code, **year} for i in due if i.code not in present)]
    return out


def _may_apply(item: SousQuestion | Indicateur, facts: Mapping[str, object]) -> bool:
    """False only when the facts known exclude it: what is not known is left to the pilot."""
    return evaluate_condition(item.applicable_si, facts).value is not False


def _page(sheet: Worksheet, header: bool = True) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&RPage &P sur &N")
    if header:
        sheet.repeat_rows(0)
        sheet.freeze_panes(1, 1)
    sheet.protect(
        "", {"format_columns": True, "format_rows": True, "sort": True, "autofilter": True, "insert_rows": True}
    )


def _guide(writer: _Book) -> None:
    sheet = writer.book.add_worksheet("lisez_moi")
    sheet.set_column(0, 0, 120)
    sheet.write_string(0, 0, "Évaluer un contrat de ville : mode d'emploi", writer.formats["titre"])
    for line, text in enumerate((*_GUIDE, writer.referentiel.avertissement), start=1):
        sheet.write_string(line, 0, text, writer.formats["fixe"])
    _page(sheet, header=False)


def territory_values(territoire: Territory | None, modules: Sequence[str]) -> dict[str, str]:
    """Values of the sheet ``territoire``, as text; facts beside the rest; what is not known is empty."""
    if territoire is None:
        return {"modules": ";".join(modules)}
    # The picture itself is not a value to type: its file's name is not known here.
    values = {
        name: getattr(territoire, name) for name, _ in TERRITORY_KEYS if hasattr(territoire, name) and name != "logo"
    }
    facts = {name: territoire.faits[name] for name in sorted(territoire.faits)}
    merged = {**values, **facts, "modules": tuple(modules)}
    return {key: _as_text(value) for key, value in merged.items()}


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, list | tuple):
        return ";".join(str(item) for item in value)
    return str(value)


def _territory(
    writer: _Book, territoire: Territory | None, modules: Sequence[str], extra: Mapping[str, object]
) -> None:
    sheet = writer.book.add_worksheet("territoire")
    sheet.set_column(0, 0, 20)
    sheet.set_column(1, 1, 60, writer.formats["texte"])
    sheet.set_column(2, 2, 80)
    for column, name in enumerate(("cle", "valeur", f"{HELP_COLUMN_PREFIX} ce qui est attendu")):
        sheet.write_string(0, column, name, writer.formats["entete"])
    values = {**territory_values(territoire, modules), **{key: _as_text(value) for key, value in extra.items()}}
    known = dict(TERRITORY_KEYS)
    others = [key for key in values if key not in known]
    for line, key in enumerate((*known, *others), start=1):
        sheet.write_string(line, 0, key, writer.formats["fixe"])
        if values.get(key):
            sheet.write_string(line, 1, values[key], writer.formats["texte"])
        else:
            sheet.write_blank(line, 1, None, writer.formats["texte"])
        sheet.write_string(line, 2, known.get(key, KNOWN_FACTS.get(key, "")), writer.formats["aide"])
    _page(sheet)


def _neighbourhoods(writer: _Book, territoire: Territory | None) -> None:
    sheet = writer.book.add_worksheet("qpv")
    for index, column in enumerate(_QPV_COLUMNS):
        sheet.set_column(index, index, 32, writer.formats["texte"])
        _header(writer, sheet, index, column)
    for line, qpv in enumerate(territoire.qpv if territoire else (), start=1):
        for index, value in enumerate((qpv.code, qpv.nom, qpv.geographie, ";".join(qpv.communes))):
            sheet.write_string(line, index, value, writer.formats["texte"])
    _page(sheet)


def _header(writer: _Book, sheet: Worksheet, index: int, column: Column) -> None:
    kind = "entete_obligatoire" if column.required else "entete"
    sheet.write_string(0, index, column.name, writer.formats[kind])
    help_text = (column.help or "").strip()
    if column.required:
        help_text = f"À remplir. {help_text}".strip()
    if column.confidential:
        help_text = f"{help_text} Jamais publié.".strip()
    if help_text:
        sheet.write_comment(0, index, help_text, {"author": "evalkit", "x_scale": 1.6})


def _ladders_to_read(writer: _Book, subs: Sequence[SousQuestion]) -> None:
    """The sheet ``referentiel``: the ladders as a pilot reads them, with their status."""
    sheet = writer.book.add_worksheet("referentiel")
    sheet.set_column(0, 0, 9)
    sheet.set_column(1, 7, 34)
    sheet.set_column(8, 8, 12)
    headers = ["code", "sous-question", *(f"niveau {n}" for n in range(6)), "statut"]
    for column, name in enumerate(headers):
        sheet.write_string(0, column, name, writer.formats["entete"])
    for line, sub in enumerate(subs, start=1):
        ladder = [sub.echelle.niveaux.get(n, "") for n in range(6)]
        for column, text in enumerate((sub.code, sub.libelle, *ladder, label_status(sub.echelle.statut))):
            sheet.write_string(line, column, text, writer.formats["fixe"])
    _page(sheet)


# ------------------------------------------------------------------------------------------------ one table per sheet


def _layout(table: Table) -> list[Column | str]:
    """Columns of a sheet in order; a text is the header of a display column."""
    out: list[Column | str] = []
    for column in table.columns:
        out.append(column)
        if column.kind == "code_sous_question":
            out.append(f"{HELP_COLUMN_PREFIX} sous-question")
        elif column.kind == "niveau":
            out.append(f"{HELP_COLUMN_PREFIX} ce que dit ce niveau")
        elif column.kind == "code_indicateur":
            out += [f"{HELP_COLUMN_PREFIX} {name}" for name in ("intitulé", "ce qu'il faut saisir", "unité")]
    return out


def _table(writer: _Book, sheet: Worksheet, table: Table) -> None:
    layout = _layout(table)
    rows = list(writer.rows.get(table.name, ()))
    last = max(len(rows) + 60, _SPARE_ROWS.get(table.name, _FEW_ROWS))
    letters = {c.name: xl_col_to_name(i) for i, c in enumerate(layout) if isinstance(c, Column)}
    for index, column in enumerate(layout):
        if isinstance(column, str):
            sheet.set_column(index, index, 46, writer.formats["aide"])
            sheet.write_string(0, index, column, writer.formats["entete_aide"])
            for line in range(1, last + 1):
                row = rows[line - 1] if line <= len(rows) else {}
                formula, value = writer.lists.display(column, letters, line + 1, row)
                sheet.write_formula(line, index, formula, writer.formats["aide"], value)
            continue
        sheet.set_column(index, index, _width(column), writer.formats[_format_name(column)])
        _header(writer, sheet, index, column)
        if table.name == "indicateurs" and column.name == "valeur":
            _category_lists(writer, sheet, index, rows, last)
        else:
            _validation(writer, sheet, index, column, last)
        for line, row in enumerate(rows, start=1):
            _cell(writer, sheet, line, index, column, row.get(column.name, ""))
    _page(sheet)


def _width(column: Column) -> int:
    return max(_WIDTHS.get(column.kind, 16), min(len(column.name) + 2, 24))


def _format_name(column: Column) -> str:
    if column.kind == "date":
        return "date"
    return "nombre" if _may_be_number(column) else "texte"


def _may_be_number(column: Column) -> bool:
    """``valeur`` holds a number or a category code: as a text cell it would turn typed numbers into text."""
    return column.kind in _NUMERIC or column.name == "valeur"


def _cell(writer: _Book, sheet: Worksheet, line: int, index: int, column: Column, value: object) -> None:
    text = "" if value is None else str(value)
    style = writer.formats[_format_name(column)]
    if text == "":
        return
    if column.kind == "date" and len(text) == 10:
        sheet.write_datetime(line, index, datetime.combine(date.fromisoformat(text), datetime.min.time()), style)
    elif _may_be_number(column) and _is_number(text):
        sheet.write_number(line, index, float(text), style)
    else:
        sheet.write_string(line, index, text, style)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "", 1).isdigit()


def _validation(writer: _Book, sheet: Worksheet, index: int, column: Column, last: int) -> None:
    options: dict[str, Any] = {}
    source = writer.lists.source(column)
    if source:
        options = {"validate": "list", "source": source, "error_message": "Choisissez dans la liste."}
    elif column.kind == "date":
        options = {
            "validate": "date",
            "criteria": "between",
            "minimum": date(2000, 1, 1),
            "maximum": date(2100, 12, 31),
            "error_message": "Une date est attendue : jj/mm/aaaa.",
        }
    elif column.kind == "annee":
        options = {
            "validate": "integer",
            "criteria": "between",
            "minimum": 2000,
            "maximum": 2100,
            "error_message": "Une année est attendue, en quatre chiffres.",
        }
    elif column.kind in ("nombre", "effectif"):
        options = {
            "validate": "decimal" if column.kind == "nombre" else "integer",
            "criteria": ">=",
            "value": -1e12 if column.kind == "nombre" else 0,
            "error_message": "Un nombre est attendu. Laissez vide si vous ne savez pas : vide n'est pas zéro.",
        }
    else:
        options = {"validate": "any"}
    if column.help:
        options |= {"input_title": column.name[:32], "input_message": column.help[:255]}
    if options["validate"] != "any" or column.help:
        options |= {"ignore_blank": True, "error_title": "Valeur inattendue"[:32], "error_type": "warning"}
        sheet.data_validation(1, index, last, index, options)


def _category_lists(writer: _Book, sheet: Worksheet, index: int, rows: Rows, last: int) -> None:
    """A drop-down of its own categories for each row of an indicator with categories, a reminder for the others.

    Row by row: two rules on one cell are not allowed in a workbook.
    """
    for line in range(1, last + 1):
        row = rows[line - 1] if line <= len(rows) else {}
        source = writer.lists.categories.get(str(row.get("indicateur", "")))
        if source:
            rule = {"validate": "list", "source": source, "error_message": "Choisissez dans la liste."}
            sheet.data_validation(line, index, line, index, {**rule, "error_type": "warning"})
