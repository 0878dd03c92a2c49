"""Small tables read by columns: the values that pandas would give row by row."""

import math

import numpy as np
import pandas as pd
import pytest

from evalkit.charts.theme import rows_of
from evalkit.compute.results import COLUMNS, as_table, table_rows

FRAMES = {
    "types": pd.DataFrame({"a": ["x", None], "b": [1, 2], "c": [1.5, math.nan], "d": [True, False]}),
    "objets": pd.DataFrame({"a": pd.Series([np.float64(1.0), "x", None, np.int64(3)], dtype=object)}),
    "vide": pd.DataFrame({"a": pd.Series([], dtype="str"), "b": pd.Series([], dtype=float)}),
}


@pytest.mark.parametrize("storage", ["python", "pyarrow"])
@pytest.mark.parametrize("name", FRAMES)
def test_rows_are_those_of_pandas(name: str, storage: str) -> None:
    """Same values, same types, whatever holds the texts."""
    with pd.option_context("mode.string_storage", storage):
        frame = FRAMES[name].copy()
        if "a" in frame and frame["a"].dtype != object:
            frame["a"] = frame["a"].astype("str")
    wanted = frame.to_dict("records")
    for found in (table_rows(frame), [row._asdict() for row in rows_of(frame)]):
        assert [[repr(value) for value in row.values()] for row in found] == [
            [repr(value) for value in row.values()] for row in wanted
        ]


def test_a_result_table_has_its_columns_and_types_even_when_empty_or_all_missing() -> None:
    """A text that nobody wrote stays missing; a row with another column is refused."""
    declared = COLUMNS["masques"]
    empty = as_table("masques", [])
    assert list(empty.columns) == list(declared)
    table = as_table("masques", [{"table": "groupes", "cle": None, "raison": "x"}])
    assert [str(dtype) for dtype in table.dtypes] == [dtype for dtype, _ in declared.values()]
    assert table["cle"].isna().all()
    with pytest.raises(KeyError):
        as_table("masques", [{"table": "groupes", "cle": "x", "raison": "x", "autre": "x"}])
