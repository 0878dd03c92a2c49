"""What a file of answers holds and a quick look would miss is said, with its cure: nothing is settled in silence."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import Fault
from evalkit.loaders import surveys
from evalkit.loaders.dossier import territory_of
from evalkit.loaders.grids import read_csv
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.resources import resource_dir
from evalkit.loaders.survey_mapping import SurveyMapping, read_mapping
from evalkit.loaders.survey_rows import Seen, sort_rows
from evalkit.loaders.surveys import SurveyImport, lexicons_of, read_surveys

REFERENTIEL = load_referentiel()
SAMPLES = resource_dir("sample_data") / "2022"
LEXICONS = lexicons_of(REFERENTIEL, territory_of(SAMPLES / "ardelle", REFERENTIEL))
CODES = ("A02", "A03", "A04", "A05", "A07", "A10", "A11", "A12", "A13", "A34", "A35", "A36")


def answers(n: int = 1, **more: str) -> dict[str, str]:
    """Answers to many questions, the same for the same ``n``."""
    return {**{code: str(n) for code in CODES}, "A02": "dans_un_qpv", "A36": "lien_social", **more}


def write(path: Path, rows: Sequence[Mapping[str, Any]], titles: Sequence[str] = CODES) -> Path:
    """A spreadsheet of answers whose titles are codes; cells not given are empty."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(titles)
        writer.writerows([[row.get(title, "") for title in titles] for row in rows])
    return path


def read(paths: Sequence[Path], mapping: SurveyMapping | None = None) -> SurveyImport:
    mappings = {"ENQ-ASSO": mapping} if mapping else None
    found, lost = read_surveys([(path, path.name) for path in paths], LEXICONS, mappings, "ENQ-ASSO")
    assert not lost, "\n".join(map(str, lost))
    return found[0]


def of(faults: Sequence[Fault], code: str) -> list[Fault]:
    return [fault for fault in faults if fault.code == code]


def mapping_of(tmp_path: Path, text: str) -> SurveyMapping:
    path = tmp_path / "enq-asso.correspondance.yml"
    path.write_text('enquete: "ENQ-ASSO"\n' + text, encoding="utf-8")
    mapping, faults = read_mapping(path, path.name, LEXICONS)
    assert mapping is not None, "\n".join(map(str, faults))
    return mapping


# --- what is held ----------------------------------------------------------------------------------------------------


def test_what_is_compared_is_held_as_prints(tmp_path: Path) -> None:
    """A hundred thousand rows are compared through prints of 16 bytes, never through a second copy of the answers."""
    path = write(tmp_path / "a.csv", [answers(1, _uuid="u-1"), answers(2, _uuid="u-2")], ("_uuid", *CODES))
    lexicon, seen = LEXICONS["ENQ-ASSO"], Seen()
    grid = read_csv(path)[0]
    header = surveys.recognise([grid], LEXICONS, wanted="ENQ-ASSO")[1]  # type: ignore[index]
    sort_rows(grid, header, lexicon, SurveyMapping(), seen, "a.csv")
    assert (len(seen.identities), len(seen.contents)) == (2, 2)
    assert {(type(key), len(key)) for key in (*seen.identities, *seen.contents)} == {(bytes, 16)}


def test_one_file_is_compared_with_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered of a file when no other is read; two files share what they remember."""
    given: list[Seen | None] = []

    def spy(*args: Any) -> Any:
        given.append(args[4])
        return sort_rows(*args)

    monkeypatch.setattr(surveys, "sort_rows", spy)
    paths = [write(tmp_path / name, [answers(n)]) for n, name in enumerate(("a.csv", "b.csv"), 1)]
    read(paths[:1])
    read(paths)
    assert given[0] is None
    assert given[1] is given[2] is not None


def test_a_cell_is_held_once(tmp_path: Path) -> None:
    rows = read_csv(write(tmp_path / "a.csv", [answers(1), answers(1)]))[0].rows
    assert all(first is second for first, second in zip(rows[1], rows[2], strict=True))
