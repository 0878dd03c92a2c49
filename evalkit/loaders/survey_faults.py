"""What is said of a file of answers: what is not sure (blocks), what was set apart, dropped or read otherwise (warns).

No answer and no free text is repeated, but a writing near a known choice, a short number, or one that several gave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evalkit.errors import Fault, Place
from evalkit.loaders.grids import Grid, column_letters, is_blank, normalise
from evalkit.loaders.persons import file_without_people
from evalkit.loaders.survey_answers import Misread, shown_text
from evalkit.loaders.survey_columns import Column
from evalkit.loaders.survey_mapping import EMPTY, IGNORED, SUFFIX, SurveyMapping, items
from evalkit.loaders.survey_personal import names_somebody
from evalkit.loaders.survey_rows import reason_text
from evalkit.loaders.survey_words import Lexicon, tool_codes
from evalkit.model.dossier import SILENCES
from evalkit.model.survey import OTHER, RAW_MARK, Enquete, QuestionEnquete
from evalkit.wording import agree, plural, typed

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.loaders.surveys import AnswersFile

_MOST_LISTED = 12  # numbers or titles that one message lists
_MOST_ASKED = 20  # titles of one file, or answers to one question, that are asked about one by one
_UNWEIGHTED = (
    f"ou mettez la colonne à « {IGNORED} » dans le fichier de correspondance : toutes les réponses compteront autant"
)
_ABBREVIATED = "export en codes : refaites-le avec les réponses complètes, ou "


def unknown_survey(grid: Grid | None, shown: str, lexicons: Mapping[str, Lexicon], command: str) -> Fault:
    """DON-090: the titles name no questionnaire surely."""
    n = max((sum(not is_blank(cell) for cell in row) for row in (grid.rows[:5] if grid else [])), default=0)
    read = f"{plural(n, 'colonne')}, dont trop peu de titres sont ceux d’un questionnaire" if n else "rien"
    known = ", ".join(lexicons)
    named = f"nommez le questionnaire : {command} --enquete CODE" if command else "ajoutez --enquete CODE à la commande"
    folder, _, name = shown.rpartition("/")
    fix = f"{named} ; si ce ne sont pas des réponses, laissez ce fichier de côté"
    if folder.endswith("/brut"):
        raw = f"{RAW_MARK}{name}"
        said = f"--sans-enquete {typed(raw)}"
        fix += f" ({said if file_without_people(raw) == raw else 'renommez-le d’abord : son nom nomme quelqu’un'})"
    return Fault("DON-090", Place(shown), read, f"les réponses à l’un de ces questionnaires : {known}", fix)


def column_faults(
    file: AnswersFile, near: Mapping[int, str], doubles: Mapping[str, Sequence[Column]], command: str
) -> list[Fault]:
    """DON-091 (a title that is almost a question), DON-104 (a question twice)."""
    out = []
    codes = file.lexicon.enquete.questions_par_code
    asked = {c: c.question if c.kind == "incertaine" else near.get(c.index, "") for c in file.header.columns}
    doubtful = [(column, proposed) for column, proposed in asked.items() if proposed]
    for column, proposed in doubtful[:_MOST_ASKED]:
        read = f"« {_short(column.title)} »" + (f" : {column.note}" if column.kind == "incertaine" else "")
        expected = f"le titre d’une question ; le plus proche : {proposed}, « {_short(codes[proposed].libelle)} »"
        fix = f"décidez, « {proposed} » ou « {IGNORED} », dans le fichier de correspondance{_typed(command)}"
        out.append(Fault("DON-091", _title_place(file, column), read, expected, fix))
    if len(doubtful) > _MOST_ASKED:
        read = f"{len(doubtful) - _MOST_ASKED} autres titres qui ne sont pas exactement ceux du questionnaire"
        fix = f"décidez-en dans le fichier de correspondance{_typed(command)}"
        out.append(
            Fault("DON-091", _title_place(file, doubtful[_MOST_ASKED][0]), read, "les titres du questionnaire", fix)
        )
    if file.sorting.doubtful_consent:
        column = file.header.of("consentement")[0]
        read = f"« {_short(file.sorting.doubtful_consent)} » : cette phrase dit-elle oui ?"
        expected = "« oui », ou la phrase de consentement du questionnaire"
        fix = (
            f"si elle vaut accord, mettez la colonne à « {IGNORED} » dans le fichier de correspondance{_typed(command)}"
        )
        out.append(Fault("DON-091", _title_place(file, column), read, expected, fix))
    for question, rows in file.reading.torn.items():
        one, split = _single_and_first_split(file, question)
        read = (
            f"la question {question} dite deux fois, et pas de la même façon "
            f"({_column_name(one)}, et une colonne par réponse : {_numbers([file.sorting.numbers[r] for r in rows])})"
        )
        fix = f"gardez celle qui dit vrai : mettez l’autre à « {IGNORED} » dans le fichier de correspondance{_typed(command)}"
        out.append(Fault("DON-104", _title_place(file, split), read, "deux colonnes qui disent la même chose", fix))
    for question, columns in doubles.items():
        places = " et ".join(_column_name(column) for column in columns)
        fix = f"gardez-en une : mettez l’autre à « {IGNORED} » dans le fichier de correspondance{_typed(command)}"
        read = f"la question {question} dans deux colonnes ({places})"
        out.append(Fault("DON-104", _title_place(file, columns[1]), read, "une colonne par question", fix))
    return out


def _single_and_first_split(file: AnswersFile, question: str) -> tuple[Column, Column]:
    mine = [c for c in file.header.columns if c.question == question]
    return next(c for c in mine if c.kind == "question"), next(c for c in mine if c.kind == "choix")


def weight_faults(grid: Grid, column: Column, rows: Sequence[int]) -> list[Fault]:
    """DON-106: weights that cannot be used; the first ones by their place, the others by their number."""
    out = []
    fix = f"corrigez le poids, {_UNWEIGHTED}"
    for rank, row in enumerate(rows[:_MOST_LISTED]):
        more = len(rows) - _MOST_LISTED if rank == _MOST_LISTED - 1 else 0
        read = "un poids absent, nul ou illisible" + (f", ici et sur {more} autres lignes" if more > 0 else "")
        out.append(Fault("DON-106", grid.place(row, column.index, column.title), read, "un nombre positif", fix))
    return out


def unweighted_faults(files: Sequence[AnswersFile]) -> list[Fault]:
    """DON-106: weights in one file and none in another, whose answers would weigh 1 whatever the unit of the others."""
    weighted = [file for file in files if file.weights]
    others = [file for file in files if not file.weights and file.sorting.kept]
    if not weighted or not others:
        return []
    column = weighted[0].header.of("poids")[0]
    names = ", ".join(file.shown for file in others)
    read = f"des poids dans ce fichier, aucun dans {names}"
    fix = f"donnez un poids à chaque réponse de chaque fichier (une colonne « poids »), {_UNWEIGHTED}"
    return [
        Fault("DON-106", _title_place(weighted[0], column), read, "un poids par réponse, dans tous les fichiers", fix)
    ]


def misread_faults(file: AnswersFile, mapping: SurveyMapping, command: str) -> list[Fault]:
    """DON-092: writings that are no answer of their question; DON-102 when a person said to count them as not given."""
    out = []
    codes = file.lexicon.enquete.questions_par_code
    met: Counter[str] = Counter()
    for wrong in file.reading.misread:
        question = codes[wrong.question]
        met[question.code] += 1
        if met[question.code] > _MOST_ASKED:
            continue
        place = file.grid.place(wrong.rows[0], wrong.column.index, wrong.column.title, note=_where(file, wrong))
        read = f"{shown_text(wrong)} : {wrong.why}"
        if mapping.misread_as_empty:
            fix = "rien à faire si c’est bien ce que vous voulez"
            out.append(Fault("DON-102", place, read, f"une réponse à {question.code}", fix))
            continue
        out.append(Fault("DON-092", place, read, _expected(question), _misread_fix(wrong, command)))
    for code, n in met.items():
        if n > _MOST_ASKED:
            message = "DON-102" if mapping.misread_as_empty else "DON-092"
            read = f"{n - _MOST_ASKED} autres réponses différentes, qui ne sont pas comprises non plus"
            fix = f"décidez-en dans le fichier de correspondance{_typed(command)}"
            place = Place(file.shown, file.grid.sheet, note=code)
            out.append(Fault(message, place, read, _expected(codes[code]), fix))
    return out


def _misread_fix(wrong: Misread, command: str) -> str:
    if not wrong.text:
        return (
            "corrigez la cellule (classeur de saisie), ou la réponse dans l’outil de collecte, puis refaites l’export ; ou "
            f"écrivez « incomprises: non_repondu », pour ne pas la compter, dans le fichier de correspondance{_typed(command)}"
        )
    decide = (
        f"décidez (« {EMPTY} » pour ne pas compter cette réponse) dans le fichier de correspondance{_typed(command)}"
    )
    if wrong.near:
        return f"vouliez-vous dire « {wrong.near} » ? {decide}"
    one = any(c.isdigit() for c in wrong.text) and " " not in wrong.text and not wrong.text.isdigit()
    codes = one or tool_codes(wrong.text)
    return (_ABBREVIATED if codes else "") + decide


def _expected(question: QuestionEnquete) -> str:
    if question.type == "nombre":
        return f"un nombre pour {question.code}" + (f", en {question.unite}" if question.unite else "")
    labels = [choice.libelle for choice in question.choix if not choice.liste]
    return f"une réponse de {question.code} : " + " ; ".join(_short(label, 40) for label in labels[:_MOST_LISTED])


def _where(file: AnswersFile, wrong: Misread) -> str:
    """How many people wrote it, and the numbers of their answers."""
    numbers = [file.sorting.numbers[row] for row in wrong.rows]
    return f"{wrong.question}, {_numbers(numbers)}"


def row_faults(file: AnswersFile) -> list[Fault]:
    """DON-098 (personal columns dropped), DON-099 (set apart), DON-101 (read otherwise), DON-103 (twins), DON-107 (changed), DON-108 (hidden)."""
    out = [*_changed(file), *_hidden(file)]
    sorting, place = file.sorting, Place(file.shown, file.grid.sheet)
    personal = file.header.of("personnel")
    if personal or file.reading.contacts:
        said = (
            [f"{plural(len(personal), 'colonne')} : " + _listed(f"{_short(c.title)} ({c.note})" for c in personal)]
            if personal
            else []
        )
        for question, rows in file.reading.contacts.items():
            numbers = _numbers([sorting.numbers[row] for row in rows])
            said.append(f"un nom ou des coordonnées dans les réponses libres à {question} ({numbers})")
        fix = "rien à faire : elles ne sont ni gardées ni montrées ; une fois l’export importé (« importer enquete »), supprimez-le"
        out.append(Fault("DON-098", place, " ; ".join(said), "des réponses sans identité", fix))
    if sorting.apart:
        said = [
            f"{reason_text(reason, len(rows))} ({_numbers([sorting.numbers[r] for r in rows])})"
            for reason, rows in sorting.apart.items()
        ]
        read = (
            f"{plural(sorting.n_read, 'ligne lue', 'lignes lues')}, {plural(len(sorting.kept), 'gardée')} ; mises à part : "
            + " ; ".join(said)
        )
        fix = "vérifiez que c’est bien cela ; une ligne mise à part ne compte dans aucun chiffre"
        out.append(Fault("DON-099", place, read, "des réponses terminées, une par personne", fix))
    if file.reading.repaired:
        said = [f"{question} : {how} ({n})" for (question, how), n in sorted(file.reading.repaired.items())]
        fix = "vérifiez que c’est bien cela ; sinon décidez dans le fichier de correspondance"
        out.append(Fault("DON-101", place, " ; ".join(said), "les réponses telles que les dit le questionnaire", fix))
    if sorting.twins or sorting.elsewhere:
        pairs = [f"n° {sorting.numbers[first]} et {sorting.numbers[second]}" for first, second in sorting.twins]
        pairs += [f"n° {sorting.numbers[row]} et {other}" for row, other in sorting.elsewhere]
        said = pairs[:_MOST_LISTED]
        said += [f"et {len(pairs) - _MOST_LISTED} autres fois"] if len(pairs) > _MOST_LISTED else []
        fix = "si c’est la même personne, donnez le second numéro dans « essais » du fichier de correspondance"
        out.append(Fault("DON-103", place, "les mêmes réponses à toutes les questions : " + " ; ".join(said), "", fix))
    return out


def _changed(file: AnswersFile) -> list[Fault]:
    """DON-107: submissions set apart for their identifier, whose answers are not those of the one that is kept."""
    pairs = [f"n° {file.sorting.numbers[row]}, mis à part ; {kept}, gardé" for row, kept in file.sorting.changed]
    if not pairs:
        return []
    said = pairs[:_MOST_LISTED]
    said += [f"et {len(pairs) - _MOST_LISTED} autres fois"] if len(pairs) > _MOST_LISTED else []
    fix = (
        "comparez-les dans l’outil de collecte ; pour garder l’autre, donnez le numéro de celui qui est gardé dans « essais » du "
        "fichier de correspondance"
    )
    read = "le même identifiant d’envoi, et d’autres réponses : " + " / ".join(said)
    return [Fault("DON-107", Place(file.shown, file.grid.sheet), read, "un envoi, une seule suite de réponses", fix)]


def _hidden(file: AnswersFile) -> list[Fault]:
    """DON-108: rows and columns that Excel does not show, and that are read: a filter left on must not lose answers."""
    grid, sorting = file.grid, file.sorting
    rows = [row for row in sorting.numbers if row in grid.hidden_rows]
    numbers = [sorting.numbers[row] for row in rows]
    columns = [column for column in file.header.columns if column.title and column.index in grid.hidden_columns]
    said = [plural(len(numbers), "ligne")] * bool(numbers) + [plural(len(columns), "colonne")] * bool(columns)
    if not said:
        return []
    names = ", ".join(column_letters(column.index) for column in columns[:_MOST_LISTED])
    lines = f"{_numbers(numbers)}, soit {agree(len(rows), 'ligne')} {_first([row + 1 for row in rows])} de la feuille"
    where = [lines] * bool(numbers) + [f"{agree(len(columns), 'colonne')} {names}"] * bool(columns)
    masked = "masquées" if len(numbers) + len(columns) > 1 else "masquée"
    read = (
        f"{' et '.join(said)} {masked} dans la feuille (par un filtre, ou à la main), lues aussi : {' ; '.join(where)}"
    )
    fix = "rien si elles doivent compter ; sinon supprimez-les de la feuille (masquer ne suffit pas)"
    if numbers:
        fix += ", ou donnez les numéros d’envoi ci-dessus (n°) dans « essais » du fichier de correspondance"
    return [Fault("DON-108", Place(file.shown, grid.sheet), read, "une feuille dont on voit toutes les lignes", fix)]


def silent_faults(enquete: Enquete, files: Sequence[AnswersFile], mapping: SurveyMapping) -> list[Fault]:
    """DON-100: columns that are not read, questions that no column holds, decisions that meet nothing."""
    out = []
    held = {c.question for file in files for c in file.header.columns if c.kind in ("question", "choix")}
    parts = {part for file in files for part in file.sorting.parts.values()}
    absent = [q.code for q in enquete.questions if q.code not in held and q.partie in parts]
    for file in files:
        ignored = [c.title for c in file.header.columns if c.kind in ("inconnue", "autre_texte") and c.title]
        said = (
            [f"{plural(len(ignored), 'colonne non lue', 'colonnes non lues')} : {_listed(ignored)}"] if ignored else []
        )
        said += _untitled(file)
        if absent and file is files[0]:
            said.append(f"{plural(len(absent), 'question absente', 'questions absentes')} : {', '.join(absent)}")
        if said:
            fix = "rien à faire si c’est voulu ; sinon nommez la question dans le fichier de correspondance"
            expected = f"les questions de {enquete.code}"
            out.append(Fault("DON-100", Place(file.shown, file.grid.sheet), " ; ".join(said), expected, fix))
    return out


def mapping_faults(files: Sequence[AnswersFile], mapping: SurveyMapping) -> list[Fault]:
    """DON-100: decisions that meet nothing. DON-093: trials by number, when several files each start at 1."""
    out = []
    met = {normalise(c.title) for file in files for c in file.header.columns}
    idle = [title for title in items(mapping.written.get("colonnes")) if normalise(title) not in met]
    if idle:
        unmet = f"{plural(len(idle), 'titre', 'titres')} qu’aucune colonne ne porte : {_listed(idle)}"
        fix = "vérifiez l’écriture du titre, ou retirez la ligne"
        out.append(Fault("DON-100", mapping.place, unmet, "les titres des colonnes de l’export", fix))
    names = [file.path.name for file in files]
    if len(files) > 1 and mapping.essais.get(""):
        fix = f'écrivez par exemple essais: {{"{names[0]}": [1, 2]}}'
        read = "« essais » : des numéros, sans le fichier"
        out.append(Fault("DON-093", mapping.place, read, "le fichier de chaque numéro, quand il y en a plusieurs", fix))
    for name in sorted({name for name in names if names.count(name) > 1 and name in mapping.essais}):
        read = (
            f"« essais » : « {name} », le nom de {names.count(name)} fichiers : on ne sait pas duquel sont ces numéros"
        )
        fix = "renommez l’un des fichiers, et écrivez ses numéros sous son nouveau nom"
        out.append(Fault("DON-093", mapping.place, read, "un nom par fichier", fix))
    lost = [name for name in mapping.essais if name and name not in names]
    if lost:
        fix = "vérifiez le nom du fichier, ou retirez la ligne"
        out.append(
            Fault("DON-100", mapping.place, f"« essais » : {_listed(lost)}, fichier absent", ", ".join(names), fix)
        )
    return out + _undated(files, mapping)


def _undated(files: Sequence[AnswersFile], mapping: SurveyMapping) -> list[Fault]:
    """DON-100: answers that ``depuis`` or ``jusqu_au`` could not sort, since nothing says when they were sent."""
    if not (mapping.depuis or mapping.jusqu_au):
        return []
    out = []
    for file in files:
        rows = file.sorting.undated
        if rows:
            read = f"{plural(len(rows), 'réponse')} sans date lisible, gardées malgré « depuis » ou « jusqu_au »"
            fix = f"vérifiez-les ({_numbers([file.sorting.numbers[row] for row in rows])}), ou donnez leurs numéros dans « essais »"
            out.append(Fault("DON-100", Place(file.shown, file.grid.sheet), read, "la date de chaque réponse", fix))
    return out


def _untitled(file: AnswersFile) -> list[str]:
    """Cells that stand under no title, most often those of a row whose cells have shifted."""
    titled = {column.index for column in file.header.columns if column.title}
    rows = [
        r
        for r in file.sorting.numbers
        if any(i not in titled and not is_blank(c) for i, c in enumerate(file.grid.rows[r]))
    ]
    if not rows:
        return []
    numbers = _numbers([file.sorting.numbers[row] for row in rows])
    return [f"des cellules sous aucun titre, sans doute décalées ({numbers})"]


def undeclared_faults(
    lexicon: Lexicon, frame: pd.DataFrame, files: Sequence[AnswersFile], undeclared: Sequence[str]
) -> list[Fault]:
    """DON-109: a list that only the territory can state, and that nobody stated: every answer is « Autre »."""
    code = lexicon.enquete.code
    place = Place(", ".join(file.shown for file in files), note=code)
    out = []
    for question in undeclared:
        n = int((frame[question] == OTHER).sum())
        read = f"{question} : {plural(n, 'réponse')}, aucune structure déclarée ; toutes comptées dans « Autre »"
        fix = (
            f"dans enquetes/{code.lower()}{SUFFIX}, sous « reponses: » : "
            f'"{question}": {{"Nom tel qu’il est écrit": "code_court"}}, une par structure, puis importez de nouveau ; sinon le '
            "rapport dit que la liste n’est pas déclarée"
        )
        out.append(Fault("DON-109", place, read, "les structures du contrat, déclarées", fix))
    return out


def undeclared_questions(lexicon: Lexicon, frame: pd.DataFrame, mapping: SurveyMapping) -> list[str]:
    """Questions whose list nobody stated, and to which « Autre » is the only answer."""
    return [
        code
        for code, known in lexicon.by_code.items()
        if known.open_list
        and known.has_other
        and not mapping.answers.get(code)
        and code in frame
        and OTHER in (given := set(frame[code].dropna()))
        and given <= {OTHER, *SILENCES}
    ]


def part_faults(
    enquete: Enquete, frame: pd.DataFrame, info: Mapping[str, Any], files: Sequence[str], command: str
) -> list[Fault]:
    """DON-096 (nothing left), DON-097 (fewer asked, or fewer people, than answers), DON-105 (nobody says how many were asked)."""
    place = Place(", ".join(files), note=enquete.code)
    if frame.empty:
        fix = "vérifiez que le fichier contient les réponses ; les lignes mises à part sont dites ci-dessous"
        return [Fault("DON-096", place, "aucune réponse que l’on puisse garder", "au moins une réponse", fix)]
    out = []
    counted = frame["partie"].value_counts().to_dict()
    for part in enquete.parties:
        n, asked = int(counted.get(part.code, 0)), info["n_sollicites"].get(part.code)
        random = (info["collecte"].get(part.code) or part.collecte) != "ouvert"
        if not n:
            continue
        if asked is not None and asked < n:
            fix = "corrigez « sollicites » : c’est le nombre de personnes ou de structures à qui le questionnaire a été envoyé"
            read = f"{plural(asked, 'sollicité')} pour {plural(n, 'réponse')} ({part.libelle})"
            out.append(Fault("DON-097", place, read, f"au moins {n}", fix))
        out += _small_population(place, part.libelle, info["population"].get(part.code), n, asked)
        if asked is None and random:
            how = "--sollicites NOMBRE" if len(enquete.parties) == 1 else f"--sollicites {part.code}=NOMBRE"
            asking = f"{command} {how}" if command else f"ajoutez {how} à la commande"
            fix = f"{asking} ; ou écrivez « sollicites » dans le fichier de correspondance"
            read = f"on ne sait pas combien ont été sollicités ({part.libelle.lower()})"
            out.append(Fault("DON-105", place, read, "un nombre : sans lui, ni taux de réponse ni intervalle", fix))
    return out


def _small_population(place: Place, part: str, people: float | None, n: int, asked: float | None) -> list[Fault]:
    """DON-097: a population smaller than those who answered, or than those who were asked."""
    if people is None or people >= max(n, asked or 0):
        return []
    more = plural(n, "réponse") if people < n else plural(asked or 0, "sollicité")
    fix = "corrigez « population » : c’est le nombre de toutes les personnes ou structures qui pouvaient être tirées au sort"
    expected = f"au moins {max(n, asked or 0):.0f}"
    return [Fault("DON-097", place, f"une population de {people:.0f} pour {more} ({part})", expected, fix)]


def _title_place(file: AnswersFile, column: Column) -> Place:
    return file.grid.place(file.header.last, column.index, _short(column.title))


def _column_name(column: Column) -> str:
    return f"colonne {column_letters(column.index)}"


def _typed(command: str) -> str:
    """The command comes first: it is what writes the file where decisions are proposed."""
    return f" que propose cette commande : {command}" if command else ""


def _short(text: str, longest: int = 70) -> str:
    text = " ".join(text.split())
    if names_somebody(text):
        return "(titre qui nomme quelqu’un)"
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _listed(texts: Iterable[str]) -> str:
    every = [_short(text, 50) for text in texts]
    more = f" et {len(every) - _MOST_LISTED} autres" if len(every) > _MOST_LISTED else ""
    return ", ".join(f"« {text} »" for text in every[:_MOST_LISTED]) + more


def _numbers(numbers: Sequence[int]) -> str:
    return "n° " + _first(numbers)


def _first(numbers: Sequence[int]) -> str:
    """The first ones of some numbers, and how many more."""
    more = f" et {len(numbers) - _MOST_LISTED} autres" if len(numbers) > _MOST_LISTED else ""
    return ", ".join(str(n) for n in numbers[:_MOST_LISTED]) + more
