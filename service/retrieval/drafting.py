"""A plan in the making: legs, their votes, and notes about what could not take part."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from indexer.errors import EncoderError, QueryError
from indexer.pixels.looks import Look
from indexer.text.fields import main_field
from service.retrieval.columns import ColumnCache
from service.retrieval.coverage import ceilings
from service.retrieval.encoding import Vector
from service.retrieval.fusion import Fusion
from service.retrieval.hits import Note
from service.retrieval.late_interaction import SeriesLeg
from service.retrieval.legs import (
    CAPTION_FIELDS,
    LEXICAL,
    STATED,
    Area,
    DenseLeg,
    LexicalLeg,
)
from service.retrieval.query import Query, Target
from service.retrieval.spaces import IMAGE, Space
from service.retrieval.stating import Stating
from service.retrieval.votes import check_vote, vote_of_pictures

Leg: TypeAlias = DenseLeg | LexicalLeg | SeriesLeg

# Pictures sought by words, and what is stated of them, have votes of their own: see `votes`.
WEIGHTS: Mapping[Target, Mapping[str, float]] = MappingProxyType(
    {
        "images": MappingProxyType({"image": 1.0, "caption": 1.0, LEXICAL: 1.0}),
        "questions": MappingProxyType({"question": 0.7, LEXICAL: 0.3}),
    }
)

AWAY = 0.5
"""How much of what a query has in common with what is not wanted is taken from it.

All of it is Widdows' negation (ACL 2003). Rocchio's formula takes a share of the unwanted itself,
which lies far nearer to other pictures than words do: it drives words away from all pictures of a
kind. Measured on 3,022 radiology images: of ten hits for a modality and a body part, without the
first one and what is like it, .31 show both (.36 untouched, .27 by Rocchio with a third), the
nearest to it has a cosine of .65 (.80, .59). For a picture as the query .21 (.21, .21), .87 (.91,
.88).
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """The legs of a query and what a reader of its hits should know.

    `looks` says how the query's own pictures look, as the tower of a space sees them. `stating`
    finds the legs named "stated" again under other filters; None where these have no vote.
    """

    legs: tuple[Leg, ...]
    fusion: Fusion
    notes: tuple[Note, ...]
    looks: Mapping[Space, tuple[Look, ...]] = dataclass_field(default_factory=dict)
    stating: Stating | None = None


class Draft:
    """Collects the legs of one query over the readers of an area."""

    def __init__(self, query: Query, area: Area) -> None:
        self.query = query
        self.target: Target = query.target
        self.readers = area.readers
        self._area = area
        self.legs: list[Leg] = []
        self._named = query.indexes is not None
        self._looks: dict[Space, tuple[Look, ...]] = {}
        self._notes: list[Note] = []
        self._failures: list[EncoderError] = []
        self._stating: Stating | None = None

    @property
    def wants_dense(self) -> bool:
        """Whether embeddings vote."""
        return self.query.mode != "lexical"

    @property
    def wants_words(self) -> bool:
        """Whether words vote."""
        return self.query.mode != "dense"

    def spaces(self, fields: Sequence[str]) -> Iterator[tuple[Space, tuple[int, ...]]]:
        """Yield each embedding space of some fields with the positions of its readers."""
        for field in fields:
            members: dict[Space, list[int]] = {}
            for position, reader in enumerate(self.readers):
                space = Space.of(reader, field)
                if space is not None:
                    members.setdefault(space, []).append(position)
            yield from ((space, tuple(positions)) for space, positions in members.items())

    def add_dense(
        self,
        space: Space,
        vector: Vector,
        members: tuple[int, ...],
        fields: tuple[str, ...] = (),
        *,
        by_words: bool = False,
        apart: bool = False,
    ) -> None:
        """Add a search for the nearest embeddings in one space, among `fields` where there are any.

        `by_words` says that the query is words, `apart` that another leg asks the space by example.
        """
        ranking = main_field(space.field)
        weight = WEIGHTS[self.target][ranking]
        gives_way = by_words and space.field == IMAGE
        if gives_way:
            weight = vote_of_pictures([self.readers[member] for member in members])
        self.legs.append(
            DenseLeg(
                name=f"{ranking}_by_words" if apart else ranking,
                space=space,
                weight=weight,
                vector=vector,
                members=members,
                fields=fields,
                gives_way=gives_way,
            )
        )

    def push_away(self, away: Mapping[Space, Vector]) -> None:
        """Turn the embeddings searched for away from unit vectors in the same space."""
        for place, leg in enumerate(self.legs):
            if isinstance(leg, DenseLeg) and leg.space in away:
                common = max(float(leg.vector @ away[leg.space]), 0.0)
                turned = leg.vector - AWAY * common * away[leg.space]
                unit = turned / max(float(np.linalg.norm(turned)), np.finfo(np.float32).tiny)
                self.legs[place] = replace(leg, vector=unit.astype(np.float32))
        if away and not any(isinstance(leg, DenseLeg) and leg.space in away for leg in self.legs):
            series = any(isinstance(leg, SeriesLeg) for leg in self.legs)
            self._note(
                "unlike",
                "A whole series is compared as it is, so the records of `unlike` are only left out "
                "of the hits."
                if series
                else "Nothing is searched that the records of `unlike` are embedded in, so they "
                "are only left out of the hits.",
            )

    def add_look(self, space: Space, look: Look) -> None:
        """Keep how a picture of the query looks."""
        self._looks[space] = (*self._looks.get(space, ()), look)

    def add_lexical(self, words: str) -> None:
        """Add a search by words: over captions and questions, or over all if only words speak."""
        weight = WEIGHTS[self.target][LEXICAL]
        members = tuple(range(len(self.readers)))
        if self.target == "images" and self.legs:
            members = tuple(m for m in members if self._is_captioned(m))
        if members:
            most = ceilings([self.readers[member] for member in members], words)
            self.legs.append(LexicalLeg(words, weight, members, most))

    def add_stated(self, words: str, columns: ColumnCache) -> None:
        """Let images without captions be found by what is stated of them, nearest first."""
        pictures = [leg for leg in self.legs if isinstance(leg, DenseLeg) and leg.name == "image"]
        self._stating = Stating(pictures, words, columns)
        self.legs += self._stating.legs(self._area)

    def _is_captioned(self, member: int) -> bool:
        reader = self.readers[member]
        return any(Space.of(reader, field) is not None for field in CAPTION_FIELDS)

    @contextmanager
    def tolerating(self, members: tuple[int, ...]) -> Iterator[None]:
        """Leave a space out, with a note, if its encoder fails and its index was not asked for."""
        try:
            yield
        except EncoderError as error:
            if self._named:
                raise
            self._failures.append(error)
            self._note("encoder", f"{error.message} Not searched in: {self._names(members)}.")

    def note_language(self, space: Space, language: str, members: tuple[int, ...]) -> None:
        """Say where an encoder had no vote because it does not read the query's language."""
        if members:
            self._note(
                "language",
                f"The encoder {space.encoder!r} does not read {language!r}, so the field "
                f"{space.field!r} had no vote in: {self._names(members)}.",
            )

    def note_other_space(self, space: Space, members: tuple[int, ...]) -> None:
        """Say that indexes of another encoder cannot be compared with a record's embedding."""
        if members:
            self._note(
                "other_encoder",
                f"Embedded by another encoder ({space.encoder!r}) than the record, so not "
                f"searched: {self._names(members)}.",
            )

    def note_no_words(self) -> None:
        """Say that examples have no vote where words alone rank."""
        self._note(
            "mode", "Mode lexical ranks by words alone, so pictures and embeddings have no vote."
        )

    def finish(self) -> Plan:
        """Return the plan; where no embedding can be searched, raise what stood in the way.

        Words alone would still find something, but not what the index was built to find.

        Raises
        ------
        EncoderError
            As above.
        QueryError
            Weights that no ranking can have.
        """
        if self._failures and not any(isinstance(leg, DenseLeg | SeriesLeg) for leg in self.legs):
            raise self._failures[0]
        self._reweigh(self.query.weights)
        return Plan(
            tuple(self.legs), self._fusion(), tuple(self._notes), self._looks, self._stating
        )

    def _reweigh(self, weights: Mapping[str, float] | None) -> None:
        """Give legs the votes that the query asks for; none at all leaves a leg out."""
        if not weights:
            return
        known = {*WEIGHTS[self.target], *(leg.name for leg in self.legs)}
        if self.target == "images":
            known.add(STATED)  # may be named, whether or not this query has it
        for name, weight in weights.items():
            if name not in known:
                raise QueryError(
                    "weights names a ranking that there is not.",
                    remedy=f"Rankings: {', '.join(sorted(known))}.",
                )
            check_vote(weight)
        if weights.get(STATED) == 0:
            self._stating = None
        legs = [_with_vote(leg, weights[leg.name]) if leg.name in weights else leg
                for leg in self.legs]  # fmt: skip
        self.legs = [leg for leg in legs if leg.weight > 0]
        if legs and not self.legs:
            raise QueryError(
                "weights leaves no ranking that could vote.", remedy="Give one more than 0."
            )

    def _fusion(self) -> Fusion:
        """Blend one embedding space with words; several spaces have no score in common.

        Text encoders only: between a text and an image even a perfect match has a low cosine.
        """
        dense = [leg for leg in self.legs if isinstance(leg, DenseLeg)]
        return "blend" if self.target == "questions" and len(dense) == 1 else "rrf"

    def _note(self, code: str, message: str) -> None:
        self._notes.append(Note(code, message))

    def _names(self, members: tuple[int, ...]) -> str:
        return ", ".join(self.readers[member].name for member in members)


def _with_vote(leg: Leg, weight: float) -> Leg:
    """Return a leg whose vote was asked for, so that it gives way to none."""
    if isinstance(leg, DenseLeg):
        return replace(leg, weight=weight, gives_way=False)
    return replace(leg, weight=weight)
