"""The two workbooks (DESIGN §7): ``rapport.xlsx``, published, and ``travail.xlsx``, the pilot's confidential working file."""

from evalkit.report.workbook_published import render_rapport_xlsx
from evalkit.report.workbook_working import render_travail_xlsx

__all__ = ["render_rapport_xlsx", "render_travail_xlsx"]
