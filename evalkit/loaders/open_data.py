"""Open data: INSEE's figures by neighbourhood, ANCT's lists, and the folders of the real contracts (the public names)."""

from evalkit.loaders.open_data_context import (
    CONTEXT_COLUMNS,
    NATIONAL_ROW,
    ContextFile,
    ContextImport,
    context_frame,
    read_context,
    read_context_files,
    territory_context,
    write_context,
)
from evalkit.loaders.open_data_dictionary import ContextDictionary, Theme, Variable, load_context_dictionary
from evalkit.loaders.open_data_figures import NOT_REPRODUCED, check_published_figures
from evalkit.loaders.open_data_joins import Assignment, Pending, assign_listed, assign_qpv
from evalkit.loaders.open_data_lists import (
    Contract,
    ContractList,
    QpvEntry,
    QpvList,
    read_contracts,
    read_qpv_list,
    read_register,
)
from evalkit.loaders.open_data_territories import TerritoriesImport, make_territories

__all__ = [
    "CONTEXT_COLUMNS",
    "NATIONAL_ROW",
    "NOT_REPRODUCED",
    "Assignment",
    "ContextDictionary",
    "ContextFile",
    "ContextImport",
    "Contract",
    "ContractList",
    "Pending",
    "QpvEntry",
    "QpvList",
    "TerritoriesImport",
    "Theme",
    "Variable",
    "assign_listed",
    "assign_qpv",
    "check_published_figures",
    "context_frame",
    "load_context_dictionary",
    "make_territories",
    "read_context",
    "read_context_files",
    "read_contracts",
    "read_qpv_list",
    "read_register",
    "territory_context",
    "write_context",
]
