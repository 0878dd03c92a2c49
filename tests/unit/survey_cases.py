"""Small files of answers for the tests of their reading, and how they are read."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from evalkit.errors import Fault
from evalkit.loaders.dossier import territory_of
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.resources import resource_dir
from evalkit.loaders.survey_mapping import SurveyMapping, read_mapping
from evalkit.loaders.surveys import SurveyImport, lexicons_of, read_surveys

REFERENTIEL = load_referentiel()
SAMPLES = resource_dir("sample_data") / "2022"
TERRITORY = territory_of(SAMPLES / "ardelle", REFERENTIEL)
LEXICONS = lexicons_of(REFERENTIEL, TERRITORY)


def write_answers(path: Path, rows: Sequence[Mapping[str, str]], titles: Sequence[str]) -> Path:
    """A spreadsheet of answers whose titles are codes; cells not given are empty."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(titles)
        writer.writerows([[row.get(title, "") for title in titles] for row in rows])
    return path


def read(paths: Sequence[Path], mapping: SurveyMapping | None = None) -> SurveyImport:
    """What these files answer to ENQ-ASSO; none may be lost."""
    mappings = {"ENQ-ASSO": mapping} if mapping else None
    found, lost = read_surveys([(path, path.name) for path in paths], LEXICONS, mappings, "ENQ-ASSO")
    assert not lost, "\n".join(map(str, lost))
    return found[0]


def of(faults: Sequence[Fault], code: str) -> list[Fault]:
    """The faults of one code."""
    return [fault for fault in faults if fault.code == code]


def mapping_of(tmp_path: Path, text: str) -> SurveyMapping:
    """The mapping of ENQ-ASSO that says this."""
    path = tmp_path / "enq-asso.correspondance.yml"
    path.write_text('enquete: "ENQ-ASSO"\n' + text, encoding="utf-8")
    mapping, faults = read_mapping(path, path.name, LEXICONS)
    assert mapping is not None, "\n".join(map(str, faults))
    return mapping
