"""Tout mettre en route avec Python seul : « python3 demarrer.py demo » ou « python3 demarrer.py test ».

Standard library only, and syntax that an old Python can still read, so that a too old one is told so in French instead
of failing on its first line.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time

MINIMUM = (3, 11)
ROOT = os.path.dirname(os.path.abspath(__file__))
LOCK = os.path.join(ROOT, "requirements.lock")
VENV = os.environ.get("EVALKIT_VENV") or os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, ".evalkit-verrou")
WINDOWS = os.name == "nt"
TYPED = "python" if WINDOWS else "python3"
USAGE = """Usage :
  {0} demarrer.py demo              prépare l'environnement puis produit les rapports d'exemple
  {0} demarrer.py test              prépare l'environnement puis lance toutes les vérifications
  {0} demarrer.py test --complet    les mêmes, sur les quarante territoires d'exemple
  {0} demarrer.py installer         prépare l'environnement, sans rien d'autre
  {0} demarrer.py COMMANDE …        toute commande d'evalkit : nouveau, verifier, rapport, lot, synthese,
                                         importer, outils, atelier ; « COMMANDE --help » en donne un exemple
"""


class Stop(Exception):
    """The set-up cannot go on; the text says what to do."""


def say(text):
    """Print one line for the person, also on consoles without UTF-8."""
    print(text, flush=True)


def venv_python(venv=VENV):
    """Path of the interpreter inside the environment."""
    return os.path.join(venv, "Scripts", "python.exe") if WINDOWS else os.path.join(venv, "bin", "python")


def check_python(version=None):
    """Stop at once when this Python is too old."""
    version = version or sys.version_info[:3]
    if version[:2] < MINIMUM:
        raise Stop(
            "Python {0}.{1} est trop ancien : evalkit demande Python {2}.{3} ou plus récent.\n"
            "À faire : installez-le depuis https://www.python.org/downloads/ (sous Windows, choisissez « Install for me only » : "
            "aucun droit d'administrateur n'est nécessaire), puis recommencez.".format(
                version[0], version[1], MINIMUM[0], MINIMUM[1]
            )
        )


def lock_stamp():
    """Identity of what must be installed: the lock, the package description and the Python that runs it."""
    digest = hashlib.sha256()
    for name in ("requirements.lock", "pyproject.toml"):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read().replace(b"\r\n", b"\n"))
    digest.update(repr((sys.version_info[:2], ROOT)).encode())
    return digest.hexdigest()


def is_ready():
    """Tell whether the environment already holds exactly what the lock asks for."""
    if not os.path.exists(venv_python()):
        return False
    try:
        with open(STAMP, encoding="ascii") as file:
            return file.read().strip() == lock_stamp()
    except OSError:
        return False


def run(command, quiet=False, env=None):
    """Run a command; return its exit code. ``quiet`` keeps its output for the error message only."""
    if not quiet:
        return subprocess.call(command, cwd=ROOT, env=env or clean_env())
    done = subprocess.run(command, cwd=ROOT, env=env or clean_env(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.stdout.write(done.stdout.decode("utf-8", "replace")[-4000:])
    return done.returncode


def clean_env():
    """Environment of what we start: nothing installed elsewhere by hand can help or hinder."""
    env = dict(os.environ)
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX"):
        env.pop(name, None)
    env["PYTHONUTF8"] = "1"
    env["PATH"] = os.path.dirname(venv_python()) + os.pathsep + env.get("PATH", "")
    return env


def has_venv_module():
    """Tell whether ``python -m venv`` will work: Debian ships Python without ensurepip."""
    code = "import venv, ensurepip"
    return subprocess.call([sys.executable, "-c", code], stderr=subprocess.DEVNULL) == 0


def ensure_venv_module():
    """Install python3-venv when allowed, else say what to type."""
    if has_venv_module():
        return
    package = "python{0}.{1}-venv".format(*sys.version_info[:2])
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if is_root and shutil.which("apt-get"):
        say("Le module « venv » manque : installation de {0}…".format(package))
        env = dict(clean_env(), DEBIAN_FRONTEND="noninteractive")
        run(["apt-get", "update", "-qq"], quiet=True, env=env)
        for name in (package, "python3-venv"):
            if run(["apt-get", "install", "-y", "-qq", name], quiet=True, env=env) == 0 and has_venv_module():
                return
    raise Stop(
        "Le module « venv » de Python manque sur cette machine.\n"
        "À faire : tapez   sudo apt-get install {0}   puis recommencez.".format(package)
    )


def make_venv():
    """Create an empty environment, replacing a half-made one."""
    ensure_venv_module()
    say("1/3  Création de l'environnement dans {0}".format(VENV))
    if run([sys.executable, "-m", "venv", "--clear", VENV], quiet=True):
        raise Stop(
            "L'environnement n'a pas pu être créé dans {0}. Vérifiez que ce dossier est accessible en écriture.".format(
                VENV
            )
        )


def pinned(name):
    """Exact requirement of one package in the lock, e.g. ``uv==0.9.1``."""
    with open(LOCK, encoding="utf-8") as file:
        for line in file:
            if line.lower().startswith(name + "=="):
                return line.split(";")[0].strip()
    raise Stop("« {0} » manque dans requirements.lock.".format(name))


def install():
    """Install the lock, with uv when it can be had, else with pip; then evalkit itself, in place."""
    python = venv_python()
    say("2/3  Installation des bibliothèques (une à plusieurs minutes la première fois)")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    with_uv = run([*pip, pinned("uv")], quiet=True) == 0
    done = (
        with_uv
        and run(
            [python, "-m", "uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", python, "-r", LOCK],
            quiet=True,
        )
        == 0
    )
    if not done:
        say("     (uv n'est pas utilisable ici : installation avec pip, plus lente)")
        if run([*pip, "-r", LOCK], quiet=True):
            raise Stop(
                "Les bibliothèques n'ont pas pu être installées.\n"
                "À faire : vérifiez l'accès au réseau (ou le proxy de votre collectivité, variable HTTPS_PROXY), puis recommencez."
            )
    say("3/3  Installation d'evalkit")
    if run([*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT], quiet=True):
        raise Stop("evalkit n'a pas pu être installé ; le message ci-dessus dit pourquoi.")
    with open(STAMP, "w", encoding="ascii") as file:
        file.write(lock_stamp())


def set_up():
    """Make the environment unless it is already the right one."""
    check_python()
    if is_ready():
        return
    start = time.time()
    make_venv()
    install()
    say("Environnement prêt en {0} s.\n".format(round(time.time() - start)))


def steps_of_test(full):
    """The checks, in order: (what it is, command)."""
    python = venv_python()
    notebooks = sorted(
        os.path.join("notebooks", n) for n in os.listdir(os.path.join(ROOT, "notebooks")) if n.endswith(".ipynb")
    )
    markers = [] if full else ["-m", "not complet"]
    parallel = ["-n", "2", "--dist", "loadfile"]
    return [
        ("style du code (ruff check)", [python, "-m", "ruff", "check", "."]),
        ("mise en forme (ruff format)", [python, "-m", "ruff", "format", "--check", "."]),
        ("types (mypy)", [python, "-m", "mypy"]),
        (
            "carnets sans résultats (nbstripout)",
            [python, "-m", "nbstripout", "--verify", "--extra-keys", "metadata.language_info.version", *notebooks],
        ),
        ("référentiel (evalkit verifier)", [python, "-m", "evalkit", "verifier", "--referentiel"]),
        ("tests (pytest)", [python, "-m", "pytest", *parallel, *markers, "tests"]),
        ("carnets exécutés (pytest --nbval-lax)", [python, "-m", "pytest", "--nbval-lax", *parallel, "notebooks"]),
    ]


def test(full):
    """Run every check, then say which failed; a failing one does not hide the next."""
    failed = []
    for name, command in steps_of_test(full):
        say("\n=== {0}".format(name))
        start = time.time()
        code = run(command)
        say("--- {0} : {1} ({2} s)".format(name, "ÉCHEC" if code else "réussi", round(time.time() - start)))
        if code:
            failed.append(name)
    say("\n" + ("Échec : " + " ; ".join(failed) if failed else "Toutes les vérifications ont réussi."))
    return 1 if failed else 0


def main(arguments):
    """Dispatch; exit code of what was run."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    if not arguments or arguments[0] in ("-h", "--help", "aide"):
        say(USAGE.format(TYPED))
        return 0 if arguments else 2
    try:
        set_up()
    except Stop as stop:
        say(str(stop))
        return 1
    if arguments[0] == "installer":
        say("Environnement prêt : {0}".format(VENV))
        return 0
    if arguments[0] == "test":
        return test(full="--complet" in arguments)
    # La commande part du dossier où la personne se trouve : les chemins qu'elle tape y sont relatifs.
    # Les messages d'evalkit donnent des commandes à taper : celles-ci doivent marcher telles quelles.
    env = dict(clean_env(), EVALKIT_COMMANDE="{0} {1}".format(TYPED, os.path.relpath(__file__)))
    return wait_for([venv_python(), "-m", "evalkit", *arguments], env)


def wait_for(command, env):
    """Run a command to its end; Ctrl-C is for it, and it says what was done before it stops."""
    process = subprocess.Popen(command, env=env)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # le terminal l'a dit aux deux : l'arrêter d'ici lui couperait la parole, et le journal


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
