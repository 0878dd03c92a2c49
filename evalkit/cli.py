"""The command line: it reads what was typed, calls one function of ``actions``, prints, and gives the exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import Abort, TyperException

from evalkit import actions
from evalkit.errors import EvalkitError, ExitCode, Fault, Place, only_errors

# Typer écrit ses titres d'aide en anglais ; ce sont les seuls mots qui ne viennent pas de nous.
_HELP_WORDS = {
    "Usage:": "Usage :",
    "Options:": "Options :",
    "Commands:": "Commandes :",
    "Arguments:": "Arguments :",
    "[OPTIONS]": "[OPTIONS]",
    "COMMAND [ARGS]...": "COMMANDE [ARGUMENTS]…",
    "Show this message and exit.": "Affiche cette aide.",
    "[required]": "[obligatoire]",
    "[default: ": "[par défaut : ",
    "DIRECTORY": "DOSSIER",
    "INTEGER": "NOMBRE",
    "PATH": "CHEMIN",
    "TEXT": "TEXTE",
}


_OWN_COMMAND = re.compile(
    r"\bevalkit (?=(?:demo|nouveau|verifier|rapport|lot|synthese|importer|outils|atelier|COMMANDE)\b|-)"
)


def _as_typed(text: str) -> str:
    """Give the commands to type as this person types them (``python3 demarrer.py lot`` without an activated environment)."""
    command = os.environ.get("EVALKIT_COMMANDE", "evalkit")
    return text if command == "evalkit" else _OWN_COMMAND.sub(f"{command} ", text)


def _say(text: object = "", *, to_error: bool = False) -> None:
    print(_as_typed(str(text)), file=sys.stderr if to_error else sys.stdout, flush=True)


def _in_french(text: str) -> str:
    for english, french in _HELP_WORDS.items():
        text = text.replace(english, french)
    text = _as_typed(text)
    # Typer tire l'ordre de ces trois noms au hasard ; une aide doit être la même à chaque lecture.
    return re.sub(r"(?:-h|--aide|--help)(?:, (?:-h|--aide|--help)){2}", "--aide, --help, -h", text)


class _Command(TyperCommand):
    def get_help(self, ctx: Any) -> str:
        return _in_french(super().get_help(ctx))


class _Group(TyperGroup):
    def get_help(self, ctx: Any) -> str:
        return _in_french(super().get_help(ctx))


_SETTINGS = {"help_option_names": ["--help", "--aide", "-h"], "max_content_width": 100}


def _group(help_text: str) -> typer.Typer:
    return typer.Typer(
        help=help_text,
        cls=_Group,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=_SETTINGS,
        no_args_is_help=False,
    )


app = _group(
    "evalkit : un dossier de territoire entre, un rapport sort.\n\n"
    "\b\nExemples :\n  evalkit demo\n  evalkit nouveau mes-territoires/2026/valbrune\n  evalkit verifier mes-territoires/2026/valbrune\n"
    "  evalkit rapport mes-territoires/2026/valbrune"
)
importer = _group(
    "Faire entrer des réponses à un questionnaire, ou des données ouvertes.\n\n\b\nExemples :\n"
    "  evalkit importer enquete export.xlsx --vers campagnes/2026/valbrune\n"
    "  evalkit importer contexte DEMO_2021.csv REVN_2021.csv --vers campagnes/2026"
)
outils = _group(
    "Documents à part : questionnaires, réunion de consensus, modèle Word, fichier de travail.\n\n\b\nExemple :\n  evalkit outils referentiel --vers referentiel.md"
)
app.add_typer(importer, name="importer")
app.add_typer(outils, name="outils")

Vers = Annotated[Path | None, typer.Option("--vers", help="Dossier de sortie (par défaut : sorties/<campagne>).")]
Json = Annotated[bool, typer.Option("--json", help="Résultat en JSON, pour un autre programme.")]
Processus = Annotated[int | None, typer.Option("--processus", min=1, max=64, help="Rapports produits en même temps.")]
Seulement = Annotated[
    list[str] | None,
    typer.Option("--seulement", help="Nom d'un dossier à produire ; peut être répété. L'index garde les autres."),
]

SansEnquete = Annotated[
    list[str] | None,
    typer.Option(
        "--sans-enquete",
        metavar="CODE",
        help="Laisser de côté une enquête dont le fichier n'est pas sûr : ENQ-ASSO… ; ou un fichier que rien ne reconnaît : "
        "brut/nom.csv. Le document le dit.",
    ),
]

FormatsEcrits = Annotated[
    str,
    typer.Option(
        "--format",
        help="Formats, séparés par des virgules : html, docx (Word), pdf, xlsx (tableaux du rapport). html est toujours produit.",
    ),
]


def _formats(text: str) -> tuple[str, ...] | None:
    """Formats that were typed; None when nothing was."""
    from evalkit.report.formats import read_formats

    return read_formats(text) if text else None


def _tell(text: str) -> None:
    """Progress: on stderr, and only for a person in front of a terminal."""
    if sys.stderr.isatty():
        _say(text, to_error=True)


def _exit(code: ExitCode | int) -> NoReturn:
    raise typer.Exit(int(code))


@app.command(cls=_Command)
def demo(
    vers: Vers = None, processus: Processus = None, seulement: Seulement = None, formats: FormatsEcrits = ""
) -> None:
    """Produire les rapports et la synthèse des territoires d'exemple (inventés).

    \b
    Exemples :
      evalkit demo
      evalkit demo --seulement ardelle
      evalkit demo --seulement ardelle --format html,docx,pdf
    """
    asked = _formats(formats)
    _say("Rapports des territoires d'exemple : tout y est inventé, aucune ville réelle n'est évaluée.")
    _report_batch(actions.demo(vers, processus, _tell_always, tuple(seulement or ()), asked))


def _tell_always(text: str) -> None:
    _say(text, to_error=True)


@app.command(cls=_Command)
def nouveau(
    dossier: Annotated[Path, typer.Argument(help="Dossier à créer pour le territoire.")],
    nom: Annotated[str, typer.Option("--nom", help="Nom du contrat de ville.")] = "",
    departement: Annotated[str, typer.Option("--departement", help="Code du département : 59.")] = "",
) -> None:
    """Créer le dossier d'un territoire, avec le classeur à remplir.

    \b
    Exemple :
      evalkit nouveau mes-territoires/2026/valbrune --nom "Agglomération de Valbrune" --departement 59
    """
    workbook = actions.new_dossier(dossier, nom, departement)
    _say(f"Dossier créé : {dossier}")
    _say(f"À remplir    : {workbook}")
    _say("À ne pas oublier, feuille « territoire » : annee et date_reference, sauf si un campagne.yml les donne")
    _say(f"Puis         : evalkit verifier {dossier}")


@app.command(cls=_Command)
def verifier(
    chemin: Annotated[
        Path | None, typer.Argument(help="Dossier d'un territoire, classeur, ou dossier d'une campagne.")
    ] = None,
    referentiel: Annotated[
        bool, typer.Option("--referentiel", help="Vérifier le référentiel (celui d'evalkit sans CHEMIN).")
    ] = False,
    en_json: Json = False,
) -> None:
    """Dire ce qui est faux, douteux ou manquant, avant tout rapport.

    \b
    Exemples :
      evalkit verifier mes-territoires/2026/valbrune
      evalkit verifier mes-territoires/2026
      evalkit verifier --referentiel
    """
    if referentiel:
        result = actions.verify_referentiel(chemin)
    elif chemin is None:
        raise EvalkitError(
            [
                _usage(
                    "CHEMIN n'est pas donné",
                    "le dossier d'un territoire ou d'une campagne",
                    "evalkit verifier mon-dossier",
                )
            ]
        )
    else:
        result = actions.verify(chemin, _tell)
    _say(json.dumps(result.as_dict(), ensure_ascii=False, indent=2) if en_json else _readable(result, referentiel))
    first = result.first_error()
    if first:
        _exit(EvalkitError([first]).exit_code)


def _readable(result: actions.Verification, referentiel: bool) -> str:
    """The check as a readable list: by dossier, what blocks, what is doubtful, what will be missing."""
    lines: list[str] = []
    for name, faults in result.faults.items():
        errors = only_errors(faults)
        state = f"{_count(len(errors), 'anomalie')} : le rapport ne peut pas être fait" if errors else "peut être fait"
        if referentiel:
            state = _count(len(errors), "anomalie") if errors else "aucune anomalie"
        lines.append(f"=== {name} : {state}")
        lines.extend(str(fault) for fault in errors)
        doubtful = [fault for fault in faults if fault not in errors]
        if doubtful:
            lines.append(
                f"\nÀ relire ({_count(len(doubtful), 'point douteux', 'points douteux')}, le rapport reste possible) :"
            )
            lines.extend(str(fault) for fault in doubtful)
        missing = result.missing.get(name, ())
        if missing:
            lines.append("\nCe qui manquera au rapport :")
            lines.extend(f"  - {item}" for item in missing)
        lines.append("")
    blocked = [name for name, faults in result.faults.items() if only_errors(faults)]
    if len(result.faults) > 1:
        able = len(result.faults) - len(blocked)
        lines.append(f"{len(result.faults)} dossiers lus : {able} peuvent être faits, {len(blocked)} à corriger.")
        if blocked:
            lines.append("À corriger : " + ", ".join(blocked))
    if result.aside:
        lines.append(
            f"Laissés de côté, faute de fichier au nom prévu : {', '.join(result.aside)}. Si c'est un territoire, nommez son "
            "classeur « evaluation.xlsx », ou ses fichiers comme le dit docs/reference/dossier.md."
        )
    return "\n".join(lines).rstrip()


def _count(number: int, word: str, many: str = "") -> str:
    return f"{number} {word}" if number < 2 else f"{number} {many or word + 's'}"


@app.command(cls=_Command)
def rapport(
    dossier: Annotated[Path, typer.Argument(help="Dossier du territoire, ou son classeur.")],
    vers: Vers = None,
    sans_enquete: SansEnquete = None,
    formats: FormatsEcrits = "",
) -> None:
    """Produire le rapport d'un territoire et les deux pages pour son comité de pilotage, dans ce que cette machine sait faire.

    \b
    Exemples :
      evalkit rapport mes-territoires/2026/valbrune
      evalkit rapport mes-territoires/2026/valbrune --format docx
      evalkit rapport mes-territoires/2026/valbrune --sans-enquete ENQ-ASSO
    """
    _report_batch(actions.render_report(dossier, vers, _tell_always, _formats(formats), tuple(sans_enquete or ())))


@app.command(cls=_Command)
def lot(
    campagne: Annotated[Path, typer.Argument(help="Dossier de la campagne (avec campagne.yml).")],
    vers: Vers = None,
    processus: Processus = None,
    seulement: Seulement = None,
    formats: FormatsEcrits = "",
    expliquer: Annotated[
        bool, typer.Option("--expliquer", help="Dire ce qui serait refait, et pourquoi, sans rien produire.")
    ] = False,
    dask: Annotated[
        str, typer.Option("--dask", metavar="ADRESSE", help="Adresse d'une grappe Dask qui produira les rapports.")
    ] = "",
    sans_enquete: Annotated[
        list[str] | None,
        typer.Option(
            "--sans-enquete",
            metavar="TERRITOIRE=CODE",
            help="Laisser de côté une enquête d'un territoire : valbrune=ENQ-ASSO ; ou un fichier que rien ne reconnaît : "
            "valbrune=brut/nom.csv. Son rapport le dit.",
        ),
    ] = None,
) -> None:
    """Produire les rapports de tous les territoires d'une campagne ; ceux qui sont à jour sont laissés tels quels.

    \b
    Exemples :
      evalkit lot campagnes/2026
      evalkit lot campagnes/2026 --seulement valbrune --seulement montclair
      evalkit lot campagnes/2026 --expliquer
      evalkit lot campagnes/2026 --format html,docx,pdf,xlsx
      evalkit lot campagnes/2026 --sans-enquete valbrune=ENQ-ASSO
    """
    only, asked, without = tuple(seulement or ()), _formats(formats), tuple(sans_enquete or ())
    if expliquer:
        _say("\n".join(actions.explain_batch(campagne, vers, only, asked, without)))
        return
    _report_batch(actions.render_batch(campagne, vers, processus, _tell_always, only, dask, asked, without))


@app.command(cls=_Command)
def synthese(
    campagne: Annotated[Path, typer.Argument(help="Dossier de la campagne (avec campagne.yml).")],
    vers: Vers = None,
    departement: Annotated[str, typer.Option("--departement", help="Un seul département : 59.")] = "",
    nominatif: Annotated[
        bool, typer.Option("--nominatif", help="Nommer les territoires : document à diffusion restreinte.")
    ] = False,
    figer: Annotated[
        bool, typer.Option("--figer", help="Écrire la référence régionale à laquelle les rapports se comparent.")
    ] = False,
    formats: FormatsEcrits = "",
) -> None:
    """Produire la synthèse régionale ou départementale.

    \b
    Exemples :
      evalkit synthese campagnes/2026
      evalkit synthese campagnes/2026 --departement 59
      evalkit synthese campagnes/2026 --figer
    """
    if figer and (departement or nominatif):
        read, expected = (
            "--figer avec --departement ou --nominatif",
            "--figer seul : la référence est celle de toute la campagne",
        )
        raise EvalkitError([_usage(read, expected, f"evalkit synthese {campagne} --figer")])
    if figer:
        target, kept = actions.freeze_reference(campagne, _tell_always)
        _say(f"Référence régionale figée : {target}")
        _say(f'Les rapports s\'y comparent si campagne.yml porte : reference_regionale: "{target.name}"')
        if kept:
            _say(f"L'ancienne est conservée  : {kept}")
        return
    asked = _formats(formats)
    _report_batch(actions.render_synthesis(campagne, vers, departement, nominatif, _tell_always, asked))


def _report_batch(result: actions.BatchResult) -> None:
    from evalkit.batch.journal import summary

    _say(summary(result.outcomes))
    if result.excluded:
        names = ", ".join(f"{name} ({codes})" for name, codes in result.excluded)
        _say(f"La synthèse laisse de côté, faute de pouvoir les lire : {names}.")
    for line in result.late:
        _say(line)
    pages = [f"{result.folder / 'index.html'}"] if (result.folder / "index.html").is_file() else []
    alone = len({outcome.name for outcome in result.outcomes}) == 1  # one territory, or one synthesis
    if alone and result.ok:
        pages = [str(page) for page in actions.document_paths(result)]
    for page in pages:
        _say(f"{_OPENED_WITH.get(Path(page).suffix, 'À ouvrir')} : {page}")
    for reminder in result.reminders:
        _say(f"À trancher : {reminder}.")
    _report_formats(result)
    for line in result.doubtful if result.ok else ():
        _say(line)
    if not result.ok:
        failed = [outcome for outcome in result.outcomes if not outcome.ok]
        single = alone and failed[0].faults
        _exit(EvalkitError(list(failed[0].faults)).exit_code if single else ExitCode.INCOMPLETE_BATCH)
    if result.formats_asked and result.format_faults:
        _exit(EvalkitError(list(result.format_faults)).exit_code)


_OPENED_WITH = {
    ".html": "À ouvrir dans un navigateur",
    ".docx": "À ouvrir dans Word         ",
    ".pdf": "À ouvrir ou imprimer       ",
    ".xlsx": "À ouvrir dans Excel        ",
}


def _report_formats(result: actions.BatchResult) -> None:
    """Formats not made: four parts for who asked for them, one sentence for who did not."""
    from evalkit.report.formats import in_one_sentence

    for fault in dict.fromkeys(result.format_faults):
        _say(fault if result.formats_asked else in_one_sentence(fault), to_error=result.formats_asked)


@importer.command("contexte", cls=_Command)
def importer_contexte(
    fichiers: Annotated[list[Path], typer.Argument(help="Fichiers de l'Insee sur les QPV, tels que publiés.")],
    vers: Annotated[Path, typer.Option("--vers", help="Campagne (ou dossier) qui recevra contexte.parquet.")],
    en_json: Json = False,
) -> None:
    """Lire les chiffres de contexte par quartier (Insee).

    \b
    Exemple :
      evalkit importer contexte DEMO_2021.csv REVN_2021.csv IPRO_2021.csv --vers campagnes/2026
    """
    report = actions.import_context(fichiers, vers)
    _say(json.dumps(report.as_dict(), ensure_ascii=False, indent=2) if en_json else report.report())


@importer.command("territoires", cls=_Command)
def importer_territoires(
    fichiers: Annotated[
        list[Path], typer.Argument(help="Listes publiées : contrats, QPV, périmètres, communes, registre des EPCI.")
    ],
    generation: Annotated[str, typer.Option("--generation", help="2015 ou 2024.")],
    vers: Annotated[Path, typer.Option("--vers", help="Campagne qui recevra un dossier par contrat.")],
    date_reference: Annotated[str, typer.Option("--date", help="Date imprimée sur les documents : 2026-11-30.")] = "",
    en_json: Json = False,
) -> None:
    """Créer les dossiers des contrats de ville réels, à partir des listes publiées.

    \b
    Exemple :
      evalkit importer territoires contrats_ville_2024.geojson qpv2024.csv --generation 2024 --vers campagnes/2024
    """
    report = actions.import_territories(fichiers, generation, vers, date_reference)
    _say(json.dumps(report.as_dict(), ensure_ascii=False, indent=2) if en_json else report.report())


@importer.command("enquete", cls=_Command)
def importer_enquete(
    fichiers: Annotated[list[Path], typer.Argument(help="Exports de l'outil de collecte, tels quels (CSV ou Excel).")],
    vers: Annotated[Path, typer.Option("--vers", help="Dossier du territoire.")],
    enquete: Annotated[
        str, typer.Option("--enquete", help="Code du questionnaire, s'il n'est pas reconnu : ENQ-ASSO…")
    ] = "",
    sollicites: Annotated[
        list[str] | None,
        typer.Option("--sollicites", help="Combien ont été sollicités : 40, ou individuel=60 par partie."),
    ] = None,
    collecte: Annotated[
        list[str] | None,
        typer.Option("--collecte", help="Si elle diffère du questionnaire : aleatoire, recensement ou ouvert."),
    ] = None,
    population: Annotated[
        list[str] | None, typer.Option("--population", help="Taille de la population, pour un tirage au hasard.")
    ] = None,
    en_json: Json = False,
) -> None:
    """Lire les réponses à un questionnaire : KoboToolbox, ODK, LimeSurvey, Framaforms, Google ou Microsoft Forms, tableur.

    \b
    Exemples :
      evalkit importer enquete export.csv --vers mes-territoires/2026/valbrune --sollicites 42
      evalkit importer enquete collectif.xlsx individuel.xlsx --vers mes-territoires/2026/valbrune --sollicites individuel=60
    """
    options = actions.SurveyOptions(enquete, sollicites or (), collecte or (), population or ())
    result = actions.import_surveys(fichiers, vers, options, _tell)
    _say(json.dumps(result.as_dict(), ensure_ascii=False, indent=2) if en_json else result.report())
    errors = only_errors(result.faults)
    if en_json:
        _exit(EvalkitError(errors).exit_code if errors else ExitCode.DONE)
    for path in result.drafts:
        _say(f"\nRien n'a été importé. Décisions à prendre, déjà proposées dans : {path}")
    for path in result.kept:
        _say(f"L'ancien fichier est conservé : {path}")
    for path in result.written:
        _say(f"\nRéponses importées : {path}")
    if errors:
        _exit(EvalkitError(errors).exit_code)
    _say(f"Puis : evalkit rapport {vers}")


@importer.command("textes", cls=_Command)
def importer_textes(
    word: Annotated[Path, typer.Argument(help="Rapport Word où des textes ont été tapés.")],
    vers: Annotated[
        Path, typer.Option("--vers", help="Dossier du territoire, dont « textes » reçoit ce qui a changé.")
    ],
    en_json: Json = False,
) -> None:
    """Reprendre dans le dossier les textes tapés dans le rapport Word.

    \b
    Exemple :
      evalkit importer textes sorties/2026/valbrune/rapport.docx --vers mes-territoires/2026/valbrune
    """
    result = actions.import_texts(word, vers)
    _say(json.dumps(result.as_dict(), ensure_ascii=False, indent=2) if en_json else result.report())


@outils.command("modele", cls=_Command)
def outils_modele(
    vers: Annotated[
        Path, typer.Option("--vers", help="Dossier du territoire ou de la campagne qui reçoit modele.docx.")
    ],
) -> None:
    """Écrire le modèle des rapports Word, pour en changer l'apparence.

    \b
    Exemple :
      evalkit outils modele --vers mes-territoires/2026
    """
    _say(f"Modèle écrit, à modifier dans Word : {actions.write_model(vers)}")


@outils.command("referentiel", cls=_Command)
def outils_referentiel(
    vers: Annotated[Path, typer.Option("--vers", help="Fichier à écrire.")] = Path("referentiel.md"),
) -> None:
    """Écrire la page de référence du référentiel : questions, échelles, indicateurs, ce qui est sourcé ou proposé.

    \b
    Exemple :
      evalkit outils referentiel --vers referentiel.md
    """
    _say(f"Page écrite : {actions.write_reference_page(vers)}")


@outils.command("questionnaire", cls=_Command)
def outils_questionnaire(
    enquete: Annotated[str, typer.Argument(help="Code : ENQ-ASSO, ENQ-COM, CONS-PART, ENQ-CC ou ENQ-LOG.")],
    vers: Annotated[Path, typer.Option("--vers", help="Dossier qui reçoit les trois fichiers.")] = Path(),
    territoire: Annotated[
        Path | None, typer.Option("--territoire", help="Dossier du territoire : ses quartiers et communes en choix.")
    ] = None,
) -> None:
    """Écrire un questionnaire : formulaire pour KoboToolbox ou ODK, version à imprimer, classeur de saisie.

    \b
    Exemples :
      evalkit outils questionnaire ENQ-ASSO --vers questionnaires
      evalkit outils questionnaire ENQ-LOG --vers questionnaires --territoire mes-territoires/2026/valbrune
    """
    files = actions.write_questionnaire(enquete, vers, territoire)
    print(f"Formulaire KoboToolbox ou ODK : {files.xlsform}")
    print(f"Version à imprimer            : {files.imprimable}")
    print(f"Saisie des réponses papier    : {files.saisie}")
    if files.a_completer:
        print("\nÀ compléter avant de les employer (dans la page : cliquez sur les crochets, écrivez, puis imprimez) :")
        for line in files.a_completer:
            print(f"  - {line}")


@outils.command("consensus", cls=_Command)
def outils_consensus(
    dossier: Annotated[Path, typer.Argument(help="Dossier du territoire, ou son classeur.")],
    vers: Annotated[Path | None, typer.Option("--vers", help="Fichier HTML à écrire.")] = None,
    sans_enquete: SansEnquete = None,
) -> None:
    """Écrire les feuilles de la réunion de consensus : une page par sous-question à débattre.

    \b
    Exemples :
      evalkit outils consensus mes-territoires/2026/valbrune
      evalkit outils consensus mes-territoires/2026/valbrune --sans-enquete ENQ-ASSO
    """
    page = actions.write_consensus_sheets(dossier, vers, tuple(sans_enquete or ()))
    print(f"Feuilles écrites, à ouvrir et imprimer depuis un navigateur : {page}")


@outils.command("travail", cls=_Command)
def outils_travail(
    dossier: Annotated[Path, typer.Argument(help="Dossier du territoire, ou son classeur.")],
    sans_enquete: SansEnquete = None,
) -> None:
    """Écrire le fichier de travail, confidentiel : chaque niveau retracé jusqu'aux cotations, par des formules.

    \b
    Exemple :
      evalkit outils travail mes-territoires/2026/valbrune
    """
    target, kept = actions.write_working_file(dossier, _tell_always, tuple(sans_enquete or ()))
    _say(f"Fichier de travail écrit : {target}")
    if kept:
        _say(f"L'ancien avait été modifié ; il est conservé : {kept}")
    _say("CONFIDENTIEL : il montre ce que chacun a coté. Ne le diffusez pas ; evalkit ne le relit jamais.")


@app.command(cls=_Command)
def atelier(
    dossier: Annotated[
        Path | None, typer.Argument(help="Dossier du territoire ; sans lui, un territoire d'exemple.")
    ] = None,
    vers: Annotated[Path | None, typer.Option("--vers", help="Dossier qui reçoit les copies des carnets.")] = None,
    sans_ouvrir: Annotated[
        bool, typer.Option("--sans-ouvrir", help="Préparer les copies sans lancer JupyterLab.")
    ] = False,
) -> None:
    """Ouvrir JupyterLab sur des copies des carnets, prêtes pour ce dossier.

    \b
    Exemple :
      evalkit atelier mes-territoires/2026/valbrune
    """
    from evalkit.ui.launch import open_workshop

    code = open_workshop(dossier, vers, launch=not sans_ouvrir, tell=_say)
    if code:
        _exit(code)


def _usage(read: str, expected: str, fix: str) -> Fault:
    return Fault("USA-002", Place(file="ligne de commande"), read=read, expected=expected, fix=fix)


def _refuse_empty(typed: list[str]) -> None:
    """An empty value would be taken for the current folder, or for nothing asked."""
    for rank, one in enumerate(typed):
        option, given, value = one.partition("=")
        if not one.strip() or (option.startswith("--") and given and not value.strip()):
            after = option if option.strip() else typed[rank - 1] if rank else "evalkit"
            fix = "écrivez-la ; une option pour laquelle il n'y a rien à donner se retire"
            raise EvalkitError([_usage(f"une valeur vide après {after}", "une valeur", fix)])


def _translate(error: TyperException, typed: list[str]) -> Fault:
    """Typer's own errors, in French: they are the first thing a newcomer meets."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "evalkit"
    fix = f"{command} --help"
    option = getattr(error, "option_name", "")
    near = getattr(error, "possibilities", None) or ()
    if option and near:
        fix = f"vouliez-vous dire {' ou '.join(near)} ? Sinon : {fix}"
    param = getattr(error, "param", None)
    name = (param.opts[-1] if param is not None and getattr(param, "opts", None) else "") or option
    kind = type(error).__name__
    if kind == "NoSuchOption":
        return _usage(f"l'option {option}", "une option de cette commande", fix)
    if kind == "MissingParameter":
        label = name if str(name).startswith("-") else str(name).upper()
        return _usage(f"{label} n'est pas donné", f"une valeur pour {label}", fix)
    if kind == "BadParameter":
        least, most = (getattr(getattr(param, "type", None), limit, None) for limit in ("min", "max"))
        expected = "une valeur du bon genre" if least is None else f"un nombre entier de {least} à {most}"
        given = typed[typed.index(name) + 1 :][:1] if name in typed else []
        return _usage(f"{name} {given[0]}" if given else f"la valeur de {name} n'est pas acceptée", expected, fix)
    if kind == "BadOptionUsage" and "not take a value" in str(error.message):
        return _usage(f"l'option {option} avec une valeur", f"{option} seule", fix)
    if kind == "BadOptionUsage":
        return _usage(f"l'option {option} sans sa valeur", f"une valeur après {option}", fix)
    surplus = re.search(r"unexpected extra argument[^ ]* \((.+)\)$", str(getattr(error, "message", "")))
    if surplus:
        said = "retirez-le, ou mettez entre guillemets un chemin qui contient des espaces"
        return _usage(f"« {surplus[1]} » en trop", "rien de plus après cette commande", f"{said} ; sinon : {fix}")
    return _usage(
        " ".join(typed[:2]) or "aucune commande",
        "une commande : demo, nouveau, verifier, rapport, lot, synthese, importer, outils, atelier",
        fix,
    )


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and exit with its code. Our own bugs keep their traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # consoles cp1252 ou ASCII : un caractère inconnu ne doit rien arrêter
            stream.reconfigure(encoding="utf-8", errors="replace")
    typed = sys.argv[1:] if arguments is None else arguments
    try:
        _refuse_empty(typed)
        code = app(args=typed or ["--help"], prog_name="evalkit", standalone_mode=False)
    except EvalkitError as error:
        _say(error, to_error=True)
        n = len(only_errors(error.faults))
        if n > 1:
            _say(f"\n{n} anomalies ; rien n'a été calculé.", to_error=True)
        sys.exit(int(error.exit_code))
    except TyperException as error:
        _say(_translate(error, typed), to_error=True)
        sys.exit(int(ExitCode.USAGE))
    except (Abort, KeyboardInterrupt):
        code = ExitCode.INTERRUPTED
    if code == ExitCode.INTERRUPTED:  # Typer rend ce nombre lui-même quand il a vu passer Ctrl-C
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # un second Ctrl-C ne change plus rien à la fin
        _say("\nInterrompu. Ce qui était terminé est conservé.", to_error=True)
    sys.exit(int(code) if isinstance(code, int) else 0)
