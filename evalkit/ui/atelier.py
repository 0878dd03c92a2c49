"""The workshop's widgets: they collect values, call the state, show what it gives. No rule lives here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from evalkit.errors import EvalkitError
from evalkit.loaders.write_ratings import Rating
from evalkit.model.dossier import SILENCES
from evalkit.model.referentiel import SousQuestion
from evalkit.ui import views
from evalkit.ui.state import AtelierState, open_state

_LABEL = {"description_width": "9em"}
_WIDE = {"width": "100%", "max_width": "46em"}


def open_atelier(dossier: str | Path) -> widgets.VBox:
    """Show the workshop of one territory; what a pilot or a trainer opens in front of a group.

    Raises
    ------
    EvalkitError
        Every fault of the dossier.
    """
    return Atelier(open_state(dossier)).panel


class Atelier:
    """Widgets around a :class:`AtelierState`; ``panel`` is what the notebook displays."""

    def __init__(self, state: AtelierState) -> None:
        self.state = state
        self._make_choices()
        self._make_form()
        self.ladder = widgets.HTML()
        self.groups = widgets.HTML()
        self.status = widgets.HTML()
        self.panel = widgets.VBox(
            [
                widgets.HTML(views.territory_title(state)),
                self.question,
                self.sub_question,
                self.ladder,
                *self._inputs(),
                widgets.HBox([self.add, self.save, self.forget], layout={"flex_flow": "row wrap"}),
                self.status,
                self.groups,
            ]
        )
        self._fill_sub_questions()
        self.question.observe(lambda change: self._fill_sub_questions(), "value")
        self.sub_question.observe(lambda change: self._show(), "value")
        self.add.on_click(lambda button: self._attempt(self._add))
        self.save.on_click(lambda button: self._attempt(self._save))
        self.forget.on_click(lambda button: self._attempt(self._forget))
        self._say(views.unsaved_sentence(state))

    # --- widgets ---------------------------------------------------------------------------------------------------------

    def _make_choices(self) -> None:
        questions = [(f"{question.code} – {question.titre}", question.code) for question in self.state.questions()]
        self.question = widgets.Dropdown(options=questions, description="Question", style=_LABEL, layout=_WIDE)
        self.sub_question = widgets.Dropdown(description="Sous-question", style=_LABEL, layout=_WIDE)

    def _make_form(self) -> None:
        referentiel = self.state.referentiel
        groups = [(group.libelle, group.code) for group in referentiel.groupes]
        steps = sorted(referentiel.echelle.niveaux, key=lambda step: step.niveau)
        levels: list[tuple[str, int | str]] = [(f"{step.niveau} – {step.nom}", step.niveau) for step in steps]
        silences: list[tuple[str, int | str]] = [(f"({label})", code) for code, label in SILENCES.items()]
        text: dict[str, Any] = {"style": _LABEL, "layout": _WIDE}
        self.group = widgets.Dropdown(options=groups, description="Groupe", **text)
        self.respondent = widgets.Text(description="Répondant", placeholder="R01 (un code, jamais un nom)", **text)
        self.level = widgets.Dropdown(options=[("choisir…", None), *levels, *silences], description="Niveau", **text)
        self.proof = widgets.Text(description="Preuve", placeholder="document ou fait daté", **text)
        self.comment = widgets.Textarea(description="Commentaire", placeholder="jamais imprimé", **text)
        self.add = widgets.Button(description="Ajouter", tooltip="Ajouter cette cotation et recalculer")
        self.save = widgets.Button(description="Enregistrer", tooltip="Écrire les cotations dans le dossier")
        self.forget = widgets.Button(
            description="Oublier", tooltip="Abandonner les cotations qui ne sont pas enregistrées"
        )

    def _inputs(self) -> list[Any]:
        return [self.group, self.respondent, self.level, self.proof, self.comment]

    # --- what is shown -----------------------------------------------------------------------------------------------------

    def _fill_sub_questions(self) -> None:
        question = self.state.referentiel.questions_par_code[self.question.value]
        self.sub_question.options = [(f"{sub.code} – {sub.titre}", sub.code) for sub in question.sous_questions]
        self.sub_question.value = question.sous_questions[0].code
        self._show()

    def _chosen(self) -> SousQuestion:
        return self.state.referentiel.sous_questions[self.sub_question.value]

    def _show(self) -> None:
        if self.sub_question.value is None:  # between two questions, while the list is being filled
            return
        sub = self._chosen()
        self.ladder.value = views.show_ladder(self.state.referentiel, sub)
        self.groups.value = views.show_groups(self.state.publication, sub)

    def _say(self, *sentences: str) -> None:
        self.status.value = views.show_status(*sentences)

    # --- buttons -----------------------------------------------------------------------------------------------------------

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except EvalkitError as error:
            self.status.value = views.show_fault(error)

    def _add(self) -> None:
        if self.level.value is None:
            self._say("Choisissez un niveau, ou la raison pour laquelle il n'y en a pas.")
            return
        sub = self._chosen()
        self.state = self.state.add_rating(self._rating(sub.code))
        self.respondent.value = self.proof.value = self.comment.value = ""
        self.level.value = None
        self._show()
        self._say(views.groups_sentence(self.state.publication, sub), views.unsaved_sentence(self.state))

    def _rating(self, sub_question: str) -> Rating:
        level = self.level.value
        return Rating(
            sous_question=sub_question,
            repondant=self.respondent.value.strip(),
            groupe=self.group.value,
            niveau=level if isinstance(level, int) else None,
            silence="" if isinstance(level, int) else level,
            preuve=self.proof.value.strip(),
            commentaire=self.comment.value.strip(),
        )

    def _save(self) -> None:
        before = len(self.state.a_enregistrer)
        self.state, written = self.state.save()
        self._show()
        if written is None:
            self._say("Rien à enregistrer.", views.unsaved_sentence(self.state))
            return
        saved = before - len(self.state.a_enregistrer)
        self._say(views.saved_sentence(saved, written), views.unsaved_sentence(self.state))

    def _forget(self) -> None:
        self.state = self.state.forget()
        self._show()
        self._say("Tout ce qui n'était pas enregistré est oublié.", views.unsaved_sentence(self.state))
