"""``docs/reference/dossier.md``, written from the declarations that the reader itself uses."""

from __future__ import annotations

from collections.abc import Iterable

from evalkit.loaders.logo import LARGEST
from evalkit.loaders.territory import CAMPAGNE_KEYS, FACTS, QPV_KEYS, TERRITORY_KEYS, Key
from evalkit.model.dossier import SILENCES, TABLES, Column, Table
from evalkit.model.free_text import QUESTION_HELP, QUESTION_TITLE, SECTIONS, question_name

KINDS = {
    "texte": "texte",
    "code_sous_question": "code d’une sous-question, par exemple Q1.1",
    "code_question": "code d’une question, par exemple Q1",
    "code_indicateur": "code d’un indicateur, par exemple Q1.1.a",
    "groupe": "groupe d’acteurs : pilote, etat, commune, partenaire, association, conseiller_citoyen",
    "repondant": "code technique : R01",
    "fonction": "fonction ou service",
    "niveau": "0 à 5, ou un silence",
    "date": "date, jour d’abord : jj/mm/aaaa",
    "annee": "année en quatre chiffres",
    "nombre": "nombre ; virgule ou point",
    "effectif": "nombre entier, positif ou nul",
    "silence": "un silence",
    "choix": "liste",
    "choix_multiple": "liste, plusieurs réponses séparées par ;",
    "oui_non": "oui ou non",
    "identifiant": "identifiant à vous : C1, P2…",
    "codes_qpv": "codes de quartiers déclarés, séparés par ;",
    "liste": "liste",
    "qpv": "liste de quartiers (voir plus bas)",
    "faits": "lignes « fait: valeur » (voir plus bas)",
}


_SURVEYS = (
    (
        "`enquetes/brut/*.csv`, `*.xlsx`",
        "vous",
        "exports des outils de collecte, tels quels ; lus, jamais modifiés ni recopiés",
    ),
    (
        "`enquetes/<questionnaire>.csv`",
        "`evalkit importer enquete`, et lui seul",
        "une ligne par réponse : `ligne` (numéro dans l’export), `partie`, `poids`, puis une colonne par question ; confidentiel",
    ),
    (
        "`enquetes/<questionnaire>.import.json`",
        "le même",
        "ce qui a été lu, gardé, mis à part et pourquoi ; aucune réponse",
    ),
    (
        "`enquetes/<questionnaire>.correspondance.yml`",
        "proposé par l’import, décidé par vous",
        "quelle colonne est quelle question, quelle réponse est quel choix",
    ),
)


def render_dossier_reference() -> str:
    """Markdown of the reference of a dossier: keys of the YAML files, tables, columns, silences."""
    parts = [
        "# Référence : un dossier de territoire",
        "Cette page est écrite par evalkit à partir de ce que le lecteur vérifie : ne la modifiez pas à la main.",
        "Un dossier est le sous-dossier d’une campagne, ou un classeur seul. Une table est une feuille de "
        "`evaluation.xlsx` **ou** un fichier CSV du même nom, jamais les deux.",
        "## `campagne.yml`",
        _keys(CAMPAGNE_KEYS),
        "## `territoire.yml`, ou la feuille `territoire` (colonnes `cle` et `valeur`)",
        "Dans la feuille, une liste s’écrit avec des points-virgules et les faits se mettent à la suite des autres clés. "
        "Un classeur seul, hors d’une campagne, y ajoute `annee` et `date_reference`.",
        _keys(TERRITORY_KEYS),
        "### La marque et le logo",
        "La marque dit comment le document peut circuler : `brouillon`, `diffusion restreinte` ou `public`. Elle est imprimée sur "
        "chaque page, avec le nom et le logo, et ne change rien à ce qui est masqué : un document `diffusion restreinte` cache "
        "les mêmes valeurs qu’un document `public`.",
        "Le logo est une image PNG ou JPEG de 1 Mo au plus, dans le dossier du territoire (à côté du classeur, si le dossier est un "
        f"classeur seul). Elle est redessinée, {LARGEST[0]} × {LARGEST[1]} pixels au plus : ce qu’un appareil photo ou un logiciel cache "
        "dans le fichier (lieu, auteur, date) ne sort pas du dossier. `logo_texte` est ce qu’entend, à sa place, une personne "
        "qui ne le voit pas : « Logo de l’agglomération d’Ardelle ».",
        "### Faits",
        _keys(FACTS),
        "### Quartiers : la clé `qpv`, ou la feuille `qpv`",
        _keys(QPV_KEYS),
        "## Les silences",
        "Une absence de réponse n’est jamais un zéro. Elle s’écrit par l’un de ces mots :",
        "\n".join(f"- `{code}` : {label}" for code, label in SILENCES.items()),
        *(_table(table) for table in TABLES.values()),
        "## `enquetes/` : réponses aux questionnaires",
        "\n".join(
            ["| fichier | qui l’écrit | contenu |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in _SURVEYS)]
        ),
        "La table et son compte rendu ne sont lisibles que par leur propriétaire, sous Linux et macOS. Ces droits ne voyagent pas : "
        "un dossier transmis transmet les réponses.",
        "Voir [Rapporter les réponses](../guides/rapporter-les-reponses.md).",
        _texts(),
    ]
    return "\n\n".join(parts) + "\n"


def _texts() -> str:
    """Free sections: their names, what each is for, the signs they may hold."""
    rows = [f"| `{section.nom}.md` | {section.titre} | {section.consigne} |" for section in SECTIONS]
    rows.append(f"| `{question_name('Q1')}.md`, `{question_name('LCD')}.md`… | {QUESTION_TITLE} | {QUESTION_HELP} |")
    rows.append("| tout autre nom | celui du fichier | une section de plus, dans « Le mot du territoire » |")
    said = (
        "Chaque fichier devient une section du rapport, sous le titre donné ici ou sous le sien : une première ligne "
        "« # Mon titre ». Un fichier absent ou vide ne paraît ni dans la page ni dans le PDF ; dans le Word, c’est une zone où "
        "écrire, que `evalkit importer textes` reprend (docs/guides/word-et-pdf.md). Un classeur seul n’a pas de textes."
    )
    signs = (
        "Une ligne vide sépare deux paragraphes ; `- ` ouvre une puce, `1. ` un numéro, `# ` un intertitre ; `**gras**`, "
        "`*italique*`. Rien d’autre n’est interprété : une balise ou une adresse s’imprime telle quelle."
    )
    table = "\n".join(["| fichier | titre | ce qu’on y met |", "|---|---|---|", *rows])
    return "\n\n".join(["## Textes libres : `textes/*.md`", said, table, signs])


def _keys(keys: Iterable[Key]) -> str:
    lines = ["| clé | contenu | obligatoire | sens |", "|---|---|---|---|"]
    for key in keys:
        content = ", ".join(key.choices) or KINDS.get(key.kind, key.kind)
        lines.append(f"| `{key.name}` | {content} | {'oui' if key.required else ''} | {key.help} |")
    return "\n".join(lines)


def _table(table: Table) -> str:
    key = ", ".join(f"`{name}`" for name in table.key)
    intro = f"Une ligne est {table.row}." + (f" Ne se répète pas : {key}." if key else "")
    lines = ["| colonne | contenu | obligatoire | remarque |", "|---|---|---|---|"]
    return "\n\n".join((f"## `{table.name}` : {table.label}", intro, "\n".join([*lines, *map(_column, table.columns)])))


def _column(column: Column) -> str:
    content = ", ".join(column.choices) or KINDS[column.kind]
    note = " ; ".join(part for part in (column.help, "jamais publié" if column.confidential else "") if part)
    return f"| `{column.name}` | {content} | {'oui' if column.required else ''} | {note} |"
