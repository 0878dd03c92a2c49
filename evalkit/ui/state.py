"""What the workshop knows at one moment: the dossier as read, and the ratings entered but not saved.

No widget here. A state never changes: each step gives another one, so that a session can be replayed in a test. What may
be shown comes out of :meth:`AtelierState.recompute` only, that is through the door of confidentiality: the room's screen
must not show more than a report would.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from evalkit.compute.disclosure import protect
from evalkit.compute.evaluation import evaluate
from evalkit.compute.results import Publication
from evalkit.errors import EvalkitError, Fault, Place
from evalkit.loaders.dossier import load_dossier
from evalkit.loaders.referentiel import load_referentiel
from evalkit.loaders.write_ratings import TABLE, Rating, append_ratings, check_rating
from evalkit.model.dossier import Dossier
from evalkit.model.referentiel import Question, Referentiel

KEY = ["sous_question", "repondant"]


@dataclass(frozen=True, repr=False)
class AtelierState:
    """A dossier, and the ratings entered since it was read (``a_enregistrer``, oldest first)."""

    chemin: Path
    referentiel: Referentiel
    dossier: Dossier
    a_enregistrer: tuple[Rating, ...] = ()

    def __repr__(self) -> str:
        return f"<AtelierState {self.dossier.territoire.dossier}, {len(self.a_enregistrer)} unsaved>"

    def questions(self) -> tuple[Question, ...]:
        """Questions of the modules that this territory evaluates, in the order of the framework."""
        modules = self.dossier.territoire.modules or self.dossier.campagne.modules
        return tuple(
            question
            for module in self.referentiel.modules
            if not modules or module.code in modules
            for question in module.questions
        )

    def has_saved(self, rating: Rating) -> bool:
        """Tell whether this respondent already has a saved rating on this sub-question."""
        saved = self.dossier.tables[TABLE]
        return bool(((saved[KEY[0]] == rating.sous_question) & (saved[KEY[1]] == rating.repondant)).any())

    def add_rating(self, rating: Rating) -> AtelierState:
        """Enter a rating, in memory only. The same respondent on the same sub-question replaces what is not saved yet.

        In an invented territory a saved rating may also be replaced, on screen only, to show what moves. In a real one
        that is refused: trying values one after the other would let the room work back to somebody's rating.

        Raises
        ------
        EvalkitError
            The reader's faults about one of the cells, or USA-042: this respondent's rating is already saved.
        """
        check_rating(rating, self.referentiel)
        if self.has_saved(rating) and not self.dossier.territoire.fictif:
            raise EvalkitError([self._already_saved(rating)])
        others = tuple(r for r in self.a_enregistrer if (r.sous_question, r.repondant) != _key(rating))
        return replace(self, a_enregistrer=(*others, rating))

    def _already_saved(self, rating: Rating) -> Fault:
        return Fault(
            "USA-042",
            Place(file=str(self.chemin), note=f"{rating.sous_question}, {rating.repondant}"),
            read="une cotation déjà enregistrée pour ce répondant et cette sous-question",
            expected="une seule cotation par répondant et par sous-question",
            fix="vérifiez le code du répondant ; pour corriger sa cotation, changez la ligne dans la table « cotations »",
        )

    def forget(self) -> AtelierState:
        """Drop every rating that is not saved."""
        return replace(self, a_enregistrer=())

    def on_screen_only(self) -> tuple[Rating, ...]:
        """Ratings entered that replace a saved one: shown, never written."""
        return tuple(rating for rating in self.a_enregistrer if self.has_saved(rating))

    @cached_property
    def publication(self) -> Publication:
        """What may be shown now, unsaved ratings included; computed once per state."""
        return self.recompute()

    def recompute(self) -> Publication:
        """Evaluate the dossier with the unsaved ratings, and keep only what may be shown."""
        dossier = replace(
            self.dossier, tables={**self.dossier.tables, TABLE: _merged(self.dossier, self.a_enregistrer)}
        )
        return protect(evaluate(self.referentiel, dossier), self.referentiel.regles)

    def save(self) -> tuple[AtelierState, Path | None]:
        """Write the unsaved ratings into ``cotations``, all or none, and read the dossier again.

        Returns
        -------
        tuple
            The new state, where only the ratings shown on screen remain, and the file written (None: nothing to write).

        Raises
        ------
        EvalkitError
            What the reader or the writer refuses; this state is still good, nothing was written.
        """
        shown = self.on_screen_only()
        new = [rating for rating in self.a_enregistrer if rating not in shown]
        if not new:
            return self, None
        written = append_ratings(self.chemin, new, self.referentiel)
        fresh = load_dossier(self.chemin, self.referentiel)
        return replace(self, dossier=fresh, a_enregistrer=shown), written


def open_state(dossier: str | Path) -> AtelierState:
    """Read a territory's folder (or lone workbook).

    Raises
    ------
    EvalkitError
        Every fault of the framework or of the dossier.
    """
    referentiel = load_referentiel()
    path = Path(dossier)
    return AtelierState(path, referentiel, load_dossier(path, referentiel))


def _key(rating: Rating) -> tuple[str, str]:
    return rating.sous_question, rating.repondant


def _merged(dossier: Dossier, ratings: tuple[Rating, ...]) -> pd.DataFrame:
    """Give the table ``cotations`` with these ratings: same columns, same dtypes."""
    saved = dossier.tables[TABLE]
    if not ratings:
        return saved
    rows = [{**r.cells(), "niveau": r.niveau, "silence": r.silence or None} for r in ratings]
    added = pd.DataFrame(rows).reindex(columns=saved.columns).replace("", None).astype(saved.dtypes.to_dict())
    replaced = pd.MultiIndex.from_frame(saved[KEY]).isin([_key(r) for r in ratings])
    return pd.concat([saved[~replaced], added], ignore_index=True)
