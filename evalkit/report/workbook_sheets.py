"""What both workbooks share: a sheet with its title, its marks and its header row, and cells that never run nor lie.

A cell is written from what a reader meets: :func:`shown` turns the text that the report prints (« 42,5 % ») into the same
number, rounded in the same way, with the same unit. Nothing more precise than the page ever enters a workbook.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from evalkit.report.html import Absent
from evalkit.wording import NARROW_SPACE, format_number

HEADER_ROW = 6  # 0-based; above it: title, marks, three lines of notes, an empty line
FIRST = HEADER_ROW + 2  # number of the first row of data, as Excel shows it
N_NOTES = 3
_FIXED_DAY = datetime(2022, 1, 1)  # for a document without a whole date: the clock never enters a document
_PAGE_WIDTH = 180  # characters that a landscape A4 page holds and that are still read with ease
_LINE, _TALLEST = 13.0, 409.0  # points
_LONGEST_TEXT = 32000  # Excel refuses more than 32 767 characters in a cell
_RULED: Mapping[str, Any] = {"bottom": 1, "bottom_color": "#D9D9D9"}  # a line under each row, to follow it
_CUT = " […] (suite dans le rapport)"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
_SHOWN = re.compile(r"(−?)(\d{1,3}(?:\u202f\d{3})+|\d+)(?:,(\d+))?(?:([\u202f\u00a0 ])([^\d].*)|(%)|)")


@dataclass(frozen=True)
class Number:
    """A number as it is displayed: rounded already, with its decimals and what follows it."""

    value: float
    decimals: int = 0
    suffix: str = ""
    plain: bool = False  # a year: no space between thousands
    percent: bool = False  # a share kept from 0 to 1
    half: bool = False  # a level or a gap: a decimal only when it has one

    @property
    def format(self) -> str:
        """Its number format; the reader's Excel writes the comma and the space between thousands."""
        if self.half:
            return "General"
        whole = "0" if self.plain or self.percent else "#,##0"
        text = f"{whole}.{'0' * self.decimals}" if self.decimals else whole
        if self.percent:
            return f'{text}" "%'
        return f'{text}"{self.suffix}"' if self.suffix else text


@dataclass(frozen=True)
class Formula:
    """A live formula, in English names and commas as the file wants, and the value that evalkit computed for it."""

    text: str
    value: float | str
    number: Number = field(default_factory=lambda: Number(0))


@dataclass(frozen=True)
class Day:
    """A whole ISO date, written as a date that can be sorted."""

    iso: str


@dataclass(frozen=True)
class Entry:
    """A cell that people may change; ``value`` may be nothing."""

    value: int | str | None


Cell = Number | Formula | Day | Entry | str | int | None


def shown(text: str) -> Number | str:
    """The number that a printed text is, with its decimals and unit; the text itself when it is not a number alone.

    >>> shown("42,5\\u202f%"), shown("1\\u202f234")
    (Number(value=42.5, decimals=1, suffix='\\u202f%', plain=False, percent=False, half=False), Number(value=1234.0, decimals=0, suffix='', plain=False, percent=False, half=False))
    >>> shown("oui"), shown("3 (n = 12)")
    ('oui', '3 (n = 12)')
    """
    found = None if isinstance(text, Absent) else _SHOWN.fullmatch(text)
    if found is None or "(" in text or '"' in text:
        return text
    sign, whole, decimals, space, unit, glued = found.groups()
    value = float(f"{'-' if sign else ''}{whole.replace(NARROW_SPACE, '')}.{decimals or 0}")
    return Number(value, len(decimals or ""), f"{space}{unit}" if unit else glued or "")


def whole_day(value: object, otherwise: str) -> Day | str:
    """An ISO date as a date that can be sorted; ``otherwise`` for a month or a year alone."""
    return Day(str(value)) if len(str(value)) == len("2022-11-10") else otherwise


def safe_text(text: str) -> str:
    """Text without control characters, short enough for a cell; what is cut says so."""
    clean = _CONTROL.sub("", text)
    return clean if len(clean) <= _LONGEST_TEXT else clean[:_LONGEST_TEXT] + _CUT


def row_height(cells: Iterable[tuple[Cell, float]]) -> float:
    """Height of a row, in points, so that no wrapped text is cut. ``cells``: cell and width of its column."""
    most = 1
    for cell, width in cells:
        said = cell.value if isinstance(cell, Formula | Entry) else cell
        if isinstance(said, str):
            room = max(4.0, width * 1.08)
            most = max(most, sum(max(1, math.ceil(len(line) / room)) for line in said.split("\n")))
    return min(_TALLEST, most * _LINE + 2)


@dataclass(frozen=True)
class Column:
    """One column of a sheet: header and width, in characters."""

    header: str
    width: float = 14


@dataclass(frozen=True)
class Sheet:
    """One sheet to write. ``rows``: one cell per column; ``notes``: three lines at most between title and header."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str | Formula] = ()
    frozen: int = 1  # columns that stay when the sheet is scrolled
    protected: bool = False


class Book:
    """A workbook being written in memory: same inputs, same bytes."""

    def __init__(self, marks: Sequence[str], running_title: str, day: str):
        self._stream = BytesIO()
        options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self.book = xlsxwriter.Workbook(self._stream, {**options, "in_memory": True})
        self.marks = tuple(marks)
        self.running_title = running_title
        self.created = datetime.fromisoformat(day) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", day) else _FIXED_DAY
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}
        self._n_tables = 0

    def set_properties(self, title: str, subject: str, custom: Mapping[str, str]) -> None:
        """Title, language and stamp of the file."""
        self.book.set_properties(
            {
                "title": safe_text(title),
                "subject": safe_text(subject),
                "comments": " – ".join(self.marks),
                "created": self.created,
            }
        )
        for name, value in {"langue": "fr-FR", **custom}.items():
            self.book.set_custom_property(name, safe_text(value)[:250], "text")

    def style(self, **properties: Any) -> Any:
        """A cell format, made once."""
        wanted = {"valign": "top", "text_wrap": True, "font_name": "Arial", "font_size": 10, **properties}
        key = tuple(sorted(wanted.items()))
        if key not in self._formats:
            self._formats[key] = self.book.add_format(dict(wanted))
        return self._formats[key]

    def close(self) -> bytes:
        """The bytes of the finished workbook."""
        self.book.close()
        return self._stream.getvalue()

    # sheets

    def open_sheet(self, name: str, title: str, notes: Sequence[str | Formula] = ()) -> Worksheet:
        """A new sheet with its title, its marks and its notes, ready to print."""
        sheet = self.book.add_worksheet(name)
        line = {"text_wrap": False}
        sheet.write_string(0, 0, safe_text(title), self.style(bold=True, font_size=14, **line))
        sheet.write_string(1, 0, " – ".join(self.marks), self.style(bold=True, font_color="#9C0006", **line))
        for row, note in enumerate(notes, start=2):
            self._write_note(sheet, row, note)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.8, bottom=0.6)
        sheet.set_header("&C&B" + _printed(" – ".join(self.marks)))
        sheet.set_footer(f"&L{_printed(self.running_title)}&C&A&RPage &P sur &N")
        return sheet

    def _write_note(self, sheet: Worksheet, row: int, note: str | Formula) -> None:
        style = self.style(italic=True, text_wrap=False)
        if isinstance(note, Formula):
            sheet.write_formula(row, 0, note.text, style, note.value)
        elif note:
            sheet.write_string(row, 0, safe_text(note), style)

    def add_sheet(self, sheet: Sheet) -> Worksheet:
        """Write one sheet: a header row marked as such, repeated in print and kept in sight, then the rows."""
        if len(sheet.notes) > N_NOTES:
            raise ValueError(f"sheet {sheet.name}: {len(sheet.notes)} notes")
        out = self.open_sheet(sheet.name, sheet.title, sheet.notes)
        widths = [_wide_enough(c.width, (row[i] for row in sheet.rows)) for i, c in enumerate(sheet.columns)]
        for index, width in enumerate(widths):
            out.set_column(index, index, width)
        self._header(out, sheet)
        for line, row in enumerate(sheet.rows, start=HEADER_ROW + 1):
            for index, (cell, _) in enumerate(zip(row, sheet.columns, strict=True)):
                self.write(out, line, index, cell)
            out.set_row(line, row_height(zip(row, widths, strict=True)))
        self._print_setup(out, sheet, widths)
        out.freeze_panes(HEADER_ROW + 1, sheet.frozen)
        if sheet.protected:
            allowed = {"format_columns": True, "format_rows": True, "autofilter": True, "sort": True}
            out.protect("", allowed)
        return out

    def _print_setup(self, out: Worksheet, sheet: Sheet, widths: Sequence[float]) -> None:
        """Header row and first columns on every page; a wide sheet takes several pages rather than tiny letters."""
        out.repeat_rows(HEADER_ROW)
        fixed = sum(widths[: sheet.frozen])
        pages = math.ceil((sum(widths) - fixed) / max(40.0, _PAGE_WIDTH - fixed))
        out.fit_to_pages(max(1, pages), 0)
        if pages > 1:
            out.repeat_columns(0, sheet.frozen - 1)

    def _header(self, out: Worksheet, sheet: Sheet) -> None:
        style = self.style(bold=True, bg_color="#DCE6F1", border=1, align="left")
        columns = [{"header": column.header, "header_format": style} for column in sheet.columns]
        if len({column.header for column in sheet.columns}) < len(columns):
            raise ValueError(f"sheet {sheet.name}: two columns with one header")
        out.set_row(HEADER_ROW, row_height((column.header, column.width * 0.85) for column in sheet.columns))
        self._n_tables += 1
        last = HEADER_ROW + max(1, len(sheet.rows))
        options = {"columns": columns, "name": f"tableau_{self._n_tables}", "style": "Table Style Light 1"}
        out.add_table(HEADER_ROW, 0, last, len(columns) - 1, options)

    # cells

    def write(self, sheet: Worksheet, row: int, column: int, cell: Cell) -> None:
        """Write one cell; nothing that a person typed can run."""
        if cell is None or cell == "":
            sheet.write_blank(row, column, None, self.style(**_RULED))
        elif isinstance(cell, Entry):
            self._write_entry(sheet, row, column, cell)
        elif isinstance(cell, Formula):
            side = "left" if isinstance(cell.value, str) else "right"
            style = self.style(num_format=cell.number.format, align=side, indent=1, **_RULED)
            sheet.write_formula(row, column, cell.text, style, cell.value)
        elif isinstance(cell, Number):
            sheet.write_number(
                row, column, cell.value, self.style(num_format=cell.format, align="right", indent=1, **_RULED)
            )
        elif isinstance(cell, int):
            sheet.write_number(row, column, cell, self.style(num_format="#,##0", align="right", indent=1, **_RULED))
        elif isinstance(cell, Day):
            day = datetime.combine(date.fromisoformat(cell.iso), datetime.min.time())
            sheet.write_datetime(row, column, day, self.style(num_format="dd/mm/yyyy", align="left", **_RULED))
        else:
            self._write_text(sheet, row, column, cell)

    def _write_text(self, sheet: Worksheet, row: int, column: int, text: str) -> None:
        looks: dict[str, Any] = {}
        if isinstance(text, Absent):
            looks = {"italic": True, "font_color": "#404040", "align": "left", "indent": 1}
        looks |= _RULED
        if text.lstrip().startswith(_DANGEROUS):  # stays text even when someone edits the cell and presses Enter
            looks |= {"num_format": "@", "quote_prefix": True}
        sheet.write_string(row, column, safe_text(text), self.style(**looks))

    def _write_entry(self, sheet: Worksheet, row: int, column: int, cell: Entry) -> None:
        style = self.style(bg_color="#FFF8DC", border=1, locked=False, align="center", text_wrap=False)
        if cell.value is None:
            sheet.write_blank(row, column, None, style)
        elif isinstance(cell.value, int):
            sheet.write_number(row, column, cell.value, style)
        else:
            sheet.write_string(row, column, safe_text(cell.value), style)

    def define_name(self, name: str, sheet: str, first: tuple[int, int], last: tuple[int, int] | None = None) -> None:
        """Name a cell or a range (row and column from 0), so that formulas read like sentences."""
        cells = [xl_rowcol_to_cell(*place, row_abs=True, col_abs=True) for place in (first, last) if place]
        self.book.define_name(name, f"='{sheet}'!{':'.join(cells)}")


def _wide_enough(width: float, cells: Iterable[Cell]) -> float:
    """A number wider than its column shows as « ### »."""
    numbers = (cell for cell in cells if isinstance(cell, Number))
    return max([width, *(len(format_number(n.value, n.decimals) + n.suffix) + 3.0 for n in numbers)])


def _printed(text: str) -> str:
    """Text of a printed header or footer, where « & » is a command; Excel allows 255 characters."""
    return safe_text(text).replace("\n", " ")[:100].replace("&", "&&")


def letter(index: int) -> str:
    """Letter of a column counted from 0."""
    return str(xl_col_to_name(index))
