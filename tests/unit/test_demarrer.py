"""The entry command: told in French what is missing, set up once, again only when the lock changes."""

import ast
import os
import signal
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load_script(path: Path) -> ModuleType:
    """Load a script that belongs to no package."""
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


demarrer = load_script(ROOT / "demarrer.py")


def test_an_old_python_is_told_at_once() -> None:
    with pytest.raises(demarrer.Stop, match=r"Python 3\.9 est trop ancien"):
        demarrer.check_python((3, 9, 1))


def test_the_script_is_readable_by_an_old_python() -> None:
    """It must parse on 3.6 to be able to say that 3.6 is too old."""
    ast.parse((ROOT / "demarrer.py").read_text(encoding="utf-8"), feature_version=(3, 6))


def test_the_script_uses_the_standard_library_only() -> None:
    tree = ast.parse((ROOT / "demarrer.py").read_text(encoding="utf-8"))
    roots = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    assert roots <= set(sys.stdlib_module_names)


def test_nothing_is_set_up_again_until_the_lock_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venv = tmp_path / "venv"
    monkeypatch.setattr(demarrer, "VENV", str(venv))
    monkeypatch.setattr(demarrer, "STAMP", str(venv / "stamp"))
    monkeypatch.setattr(demarrer, "venv_python", lambda: sys.executable)
    assert not demarrer.is_ready()
    venv.mkdir()
    (venv / "stamp").write_text(demarrer.lock_stamp(), encoding="ascii")
    assert demarrer.is_ready()
    (tmp_path / "requirements.lock").write_text("pandas==1\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    monkeypatch.setattr(demarrer, "ROOT", str(tmp_path))
    assert not demarrer.is_ready()


def test_without_venv_and_without_rights_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demarrer, "has_venv_module", lambda: False)
    monkeypatch.setattr(demarrer.shutil, "which", lambda name: None)
    with pytest.raises(demarrer.Stop, match="sudo apt-get install python3"):
        demarrer.ensure_venv_module()


def test_what_was_installed_elsewhere_cannot_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/ailleurs")
    monkeypatch.setenv("VIRTUAL_ENV", "/ailleurs")
    env = demarrer.clean_env()
    assert "PYTHONPATH" not in env
    assert "VIRTUAL_ENV" not in env


def test_environment_yml_agrees_with_the_lock() -> None:
    environnement = load_script(ROOT / "outils_dev" / "environnement.py")
    assert environnement.main(["--verifier"]) == 0, "lancez : python outils_dev/environnement.py"


def test_the_lock_names_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert "pandas==3" in text


@pytest.mark.skipif(sys.platform == "win32", reason="un groupe de processus reçoit Ctrl-C autrement sous Windows")
def test_ctrl_c_lets_the_command_say_its_last_words(tmp_path: Path) -> None:
    """A terminal says it to both: the command that is stopping must not be killed by the one that started it."""
    # Started in the background, a process ignores Ctrl-C, and so do those that it starts.
    obeys = "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    command = (
        f"{obeys}import time\n"
        "try:\n    print('prêt', flush=True)\n    time.sleep(30)\nexcept KeyboardInterrupt:\n    time.sleep(1)\n    print('4 documents terminés')\n    sys.exit(130)"
    )
    script = (
        f"{obeys}sys.path.insert(0, {str(ROOT)!r})\nimport demarrer\n"
        f"sys.exit(demarrer.wait_for([sys.executable, '-c', {command!r}], None))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "prêt\n"
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (out, err, process.returncode) == ("4 documents terminés\n", "", 130)
