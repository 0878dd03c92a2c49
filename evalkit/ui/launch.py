"""Open JupyterLab on copies of the notebooks, in the user's own folder, on this machine only.

The shipped notebooks are never opened: what a person changes is theirs, and stays theirs. Nothing goes out on the
network: the server listens on 127.0.0.1, news and update checks are off, extensions cannot be installed from it.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat

from evalkit.errors import EvalkitError, Fault, Place, fail
from evalkit.loaders.files_beside import first_free, place_of, read_json_object
from evalkit.loaders.resources import resource_dir

ATELIER = "atelier.ipynb"
PARAMETERS_TAG = "parameters"
HOST = "127.0.0.1"
_WORKSHOP_PACKAGES = ("jupyterlab", "ipywidgets")
# Sent to the browser: no news, no update check, no question about either.
_OVERRIDES = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/extensionmanager-extension:plugin": {"enabled": False},
}


def prepare_workspace(dossier: str | Path, workspace: str | Path, *, say: Callable[[str], None] = print) -> Path:
    """Copy the notebooks into ``workspace``, their parameters filled in, and return the path of ``atelier.ipynb``.

    Parameters
    ----------
    dossier
        Folder of a territory inside its campaign, or a lone workbook. It is not read, only pointed to.
    workspace
        Folder of the user, made if needed. A notebook already there and made from the same model is left as it is,
        edits included; a different one is first kept beside as ``<name>.ancien-1.ipynb`` (then ``-2``…).
    say
        Called with one French sentence per notebook kept aside.

    Raises
    ------
    EvalkitError
        USA-001: no such dossier.
    """
    dossier, workspace = Path(dossier), Path(workspace)
    if not dossier.exists():
        raise fail(
            "USA-001",
            dossier,
            read="rien à cet endroit",
            expected="le dossier d'un territoire, ou un classeur evaluation.xlsx",
            fix="vérifiez le chemin, ou créez le dossier avec « evalkit nouveau »",
        )
    workspace.mkdir(parents=True, exist_ok=True)
    values = _parameter_values(dossier, workspace)
    for model in sorted(resource_dir("notebooks").glob("*.ipynb")):
        _copy_notebook(model, workspace / model.name, values, say)
    return workspace / ATELIER


def _parameter_values(dossier: Path, workspace: Path) -> dict[str, str]:
    values = {"dossier": _path_from(workspace, dossier)}
    if (dossier.parent / "campagne.yml").is_file():
        values["campagne"] = _path_from(workspace, dossier.parent)
    return values


def _path_from(start: Path, target: Path) -> str:
    """Path of ``target`` as a notebook of ``start`` writes it: relative when it can be, always with ``/``."""
    try:
        return Path(os.path.relpath(place_of(target), start.resolve())).as_posix()
    except ValueError:  # another drive, on Windows
        return place_of(target).as_posix()


def _copy_notebook(model: Path, target: Path, values: Mapping[str, str], say: Callable[[str], None]) -> None:
    notebook: Any = nbformat.read(model, as_version=4)
    cell = next((c for c in notebook.cells if PARAMETERS_TAG in c.metadata.get("tags", [])), None)
    if cell is not None:
        if "campagne" in parameter_names(cell.source) and "campagne" not in values:
            return  # a lone workbook has no campaign: nothing to synthesize
        cell.source = fill_parameters(cell.source, values)
    print_of_model = hashlib.sha256("\0".join(c.source for c in notebook.cells).encode()).hexdigest()
    notebook.metadata["evalkit"] = {"modele": print_of_model}
    if target.exists():
        if _model_of(target) == print_of_model:
            return
        kept = keep_aside(target)
        say(f"Le carnet « {target.name} » existait déjà : l'ancien est gardé sous le nom « {kept.name} ».")
    temporary = target.with_name(target.name + ".partiel")
    nbformat.write(notebook, temporary)
    temporary.replace(target)


def _model_of(path: Path) -> str:
    """Fingerprint of the model that a notebook was copied from, "" when it says nothing or cannot be read."""
    metadata = read_json_object(path).get("metadata", {})
    return str(metadata.get("evalkit", {}).get("modele", ""))


def keep_aside(path: Path) -> Path:
    """Rename a file or folder to the first free ``<stem>.ancien-N<suffix>`` and return that path."""
    return path.rename(first_free(lambda number: path.with_name(f"{path.stem}.ancien-{number}{path.suffix}")))


def parameter_names(source: str) -> list[str]:
    """Names assigned in a parameters cell, in order."""
    return [name for name, _ in _assignments(source)]


def _assignments(source: str) -> list[tuple[str, ast.expr]]:
    found: list[tuple[str, ast.expr]] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            found.append((node.target.id, node.value))
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.append((node.targets[0].id, node.value))
    return found


def fill_parameters(source: str, values: Mapping[str, str]) -> str:
    """Replace the value of each parameter named in ``values``; types and comments of the cell stay.

    Examples
    --------
    >>> fill_parameters('dossier: str = "x"  # dossier du territoire', {"dossier": "../ardelle"})
    'dossier: str = "../ardelle"  # dossier du territoire'
    """
    lines = source.encode().split(b"\n")  # the syntax tree counts bytes, not characters
    for name, node in reversed(_assignments(source)):
        if name not in values or node.end_lineno is None or node.end_col_offset is None:
            continue
        first, last = node.lineno - 1, node.end_lineno - 1
        value = json.dumps(values[name], ensure_ascii=False).encode()
        lines[first : last + 1] = [lines[first][: node.col_offset] + value + lines[last][node.end_col_offset :]]
    return b"\n".join(lines).decode()


def check_workshop_installed() -> None:
    """Refuse kindly when JupyterLab or the widgets are missing.

    Raises
    ------
    EvalkitError
        USA-040.
    """
    missing = [name for name in _WORKSHOP_PACKAGES if find_spec(name) is None]
    if missing:
        raise EvalkitError(
            [
                Fault(
                    "USA-040",
                    Place(note="commande « evalkit atelier »"),
                    read=f"absent de cette installation : {', '.join(missing)}",
                    expected="evalkit installé avec son complément « atelier »",
                    fix='tapez « python3 demarrer.py demo » dans le dossier d\'evalkit, ou « pip install "evalkit[atelier]" » ; '
                    "les autres commandes marchent sans ce complément",
                )
            ]
        )


def copy_for_session(dossier: Path, workspace: Path, *, say: Callable[[str], None] = print) -> Path:
    """Copy a territory, and its campaign's own files, into ``<workspace>/donnees/<campaign>/<territory>``.

    The other territories of the campaign stay behind. A copy that is already there is used as it is: ratings saved in
    an earlier session are in it.

    Returns
    -------
    Path
        Folder of the copied territory.
    """
    campaign = workspace / "donnees" / dossier.parent.name
    target = campaign / dossier.name
    if target.exists():
        say(f"La copie de la séance précédente est reprise telle quelle : {target}")
        return target
    campaign.mkdir(parents=True, exist_ok=True)
    for path in sorted(dossier.parent.iterdir()):
        # A workbook beside the folders is the whole dossier of another territory.
        if path.is_file() and path.suffix.lower() != ".xlsx" and not path.name.startswith(("~$", ".")):
            shutil.copyfile(path, campaign / path.name)
    shutil.copytree(dossier, target, ignore=shutil.ignore_patterns("~$*", "sauvegardes"))
    say(f"Territoire d'exemple copié dans {target} : vous pouvez tout y changer.")
    return target


def open_workshop(
    dossier: str | Path | None = None,
    vers: str | Path | None = None,
    *,
    launch: bool = True,
    tell: Callable[[str], None] = print,
) -> int:
    """Do what ``evalkit atelier [DOSSIER]`` asks: copies of the notebooks, then JupyterLab on ``atelier.ipynb``.

    Parameters
    ----------
    dossier
        Folder of a territory or lone workbook. ``None``, or one of the shipped examples: a copy of the example, so that
        the examples themselves never change.
    vers
        Folder that receives the notebooks; ``atelier/<campaign>/<territory>`` in the current folder when ``None``.
    launch
        ``False``: prepare only.
    tell
        Called with each French sentence meant for the person.

    Returns
    -------
    int
        0, or JupyterLab's exit code.

    Raises
    ------
    EvalkitError
        USA-001: no such dossier; USA-040: JupyterLab is not installed.
    """
    if launch:
        check_workshop_installed()
    source = Path(dossier) if dossier is not None else _first_example()
    if source.is_file() and (place_of(source.parent).parent / "campagne.yml").is_file():
        source = source.parent  # the workbook of a folder: the folder is the dossier
    workspace = Path(vers) if vers is not None else _default_workspace(source)
    if source.is_dir() and resource_dir("sample_data").resolve() in source.resolve().parents:
        source = copy_for_session(source.resolve(), workspace, say=tell)
    notebook = prepare_workspace(source, workspace, say=tell)
    tell(f"Carnets prêts dans {workspace}")
    return launch_jupyterlab(workspace, notebook, say=tell) if launch else 0


def _default_workspace(dossier: Path) -> Path:
    resolved = place_of(dossier)
    return Path("atelier") / resolved.parent.name / resolved.stem


def _first_example() -> Path:
    """Give the first example, by name, of the most recent campaign that has ratings in a CSV."""
    campaigns = sorted(path.parent for path in resource_dir("sample_data").glob("*/campagne.yml"))
    examples = sorted(path.parent for path in campaigns[-1].glob("*/cotations.csv")) if campaigns else []
    if not examples:
        raise fail(
            "USA-001",
            resource_dir("sample_data"),
            read="aucun territoire d'exemple",
            expected="les exemples livrés avec evalkit",
            fix="donnez le dossier d'un territoire : evalkit atelier mes-territoires/2026/valbrune",
        )
    return examples[0]


def free_port() -> int:
    """Find a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def jupyterlab_command(workspace: Path, notebook: Path, *, port: int, browser: bool) -> list[str]:
    """Give the command that starts JupyterLab on ``notebook``. The token goes through the environment, not through it."""
    settings = _write_settings(workspace)
    page = notebook.resolve().relative_to(workspace.resolve()).as_posix()
    return [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.ip={HOST}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={workspace.resolve()}",
        f"--ServerApp.open_browser={browser}",
        f"--LabApp.open_browser={browser}",
        "--ServerApp.terminals_enabled=False",
        f"--LabApp.default_url=/lab/tree/{page}",
        "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--LabApp.app_settings_dir={settings}",
        f"--LabApp.workspaces_dir={settings / 'dispositions'}",
        # In a container people are often root; the server stays local and asks for its token all the same.
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]


def _write_settings(workspace: Path) -> Path:
    settings = workspace.resolve() / ".evalkit" / "jupyterlab"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "overrides.json").write_text(json.dumps(_OVERRIDES, indent=2) + "\n", encoding="utf-8")
    return settings


def start_jupyterlab(
    workspace: str | Path, notebook: str | Path, *, port: int, token: str, browser: bool = False, **streams: Any
) -> subprocess.Popen[bytes]:
    """Start JupyterLab without waiting for it; ``streams`` go to :class:`subprocess.Popen`.

    The token is handed over in ``JUPYTER_TOKEN`` (the default of ``IdentityProvider.token``): on the command line any
    other user of the machine could read it.

    Raises
    ------
    EvalkitError
        USA-040: JupyterLab is not installed.
    """
    check_workshop_installed()
    command = jupyterlab_command(Path(workspace), Path(notebook), port=port, browser=browser)
    environment = {**os.environ, "JUPYTER_TOKEN": token}
    return subprocess.Popen(command, env=environment, cwd=Path(workspace), **streams)


def launch_jupyterlab(
    workspace: str | Path,
    notebook: str | Path,
    *,
    browser: bool = True,
    port: int | None = None,
    say: Callable[[str], None] = print,
) -> int:
    """Open JupyterLab on ``notebook`` and wait until it is closed (Ctrl+C). Returns its exit code.

    Parameters
    ----------
    workspace, notebook
        What :func:`prepare_workspace` made.
    browser
        ``False``: do not open a browser, only say the address.
    port
        ``None``: any free one.

    Raises
    ------
    EvalkitError
        USA-040: JupyterLab is not installed.
    """
    check_workshop_installed()
    port = port or free_port()
    token = secrets.token_urlsafe(24)
    page = Path(notebook).resolve().relative_to(Path(workspace).resolve()).as_posix()
    say(f"JupyterLab s'ouvre sur cette machine seulement : http://{HOST}:{port}/lab/tree/{page}?token={token}")
    say("Pour fermer : enregistrez, fermez la page, puis Ctrl+C dans cette fenêtre.")
    process = start_jupyterlab(workspace, notebook, port=port, token=token, browser=browser)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        return 0
