"""From a query to the legs that answer it: which spaces and words, and with what votes."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from indexer.errors import QueryError, RecordNotFoundError
from indexer.records import TextRecord
from indexer.store.reader import IndexReader
from indexer.text.normalise import clean, detect_language
from indexer.text.questions import lexical_text
from service.retrieval.columns import ColumnCache
from service.retrieval.drafting import Draft, Plan
from service.retrieval.encoding import QueryEncoders, Space, Vector
from service.retrieval.query import (
    ImageSource,
    Query,
    RecordSource,
    Target,
    TextSource,
    VectorSource,
)

DENSE_FIELDS: Mapping[Target, tuple[str, ...]] = MappingProxyType(
    {"images": ("image", "caption"), "questions": ("question",)}
)
RECORD_FIELD: Mapping[Target, str] = MappingProxyType({"images": "image", "questions": "question"})


class Planner:
    """Turns queries into legs; embeds what must be embedded on the way."""

    def __init__(self, encoders: QueryEncoders, columns: ColumnCache) -> None:
        self._encoders = encoders
        self._columns = columns

    def plan(
        self, query: Query, readers: Sequence[IndexReader], everywhere: Mapping[str, IndexReader]
    ) -> Plan:
        """Return the legs of a query over `readers`; its own record may lie `everywhere`.

        Raises
        ------
        QueryError, RecordNotFoundError
            The source does not fit the target, is empty, or names no record.
        DecodeError
            The image cannot be decoded.
        EncoderError
            An encoder is missing or differs, and the query names its index, or nothing is left.
        """
        draft = Draft(query, readers)
        match query.source:
            case TextSource(text):
                self._by_text(draft, text)
            case ImageSource(raw):
                self._by_image(draft, raw)
            case RecordSource(record_id):
                self._by_record(draft, record_id, everywhere)
            case VectorSource(name, vector):
                _by_vector(draft, name, vector)
        return draft.finish()

    def _by_text(self, draft: Draft, text: str) -> None:
        words = clean(text)
        if not words:
            raise QueryError("The query is empty.", remedy="Give some words to search for.")
        language = detect_language(words)
        for space, members in draft.spaces(DENSE_FIELDS[draft.target]):
            with draft.tolerating(members):
                if language in self._encoders.encoder(space).spec.languages:
                    draft.add_dense(space, self._encoders.embed_text(space, words), members)
                else:
                    draft.note_language(space, language, members)
        draft.add_lexical(words)
        if draft.target == "images":
            draft.add_stated(words, self._columns)

    def _by_image(self, draft: Draft, raw: bytes) -> None:
        if draft.target != "images":
            raise QueryError("Questions are searched by text.", remedy="Search images instead.")
        for space, members in draft.spaces(("image",)):
            with draft.tolerating(members):
                draft.add_dense(space, self._encoders.embed_image(space, raw), members)

    def _by_record(
        self, draft: Draft, record_id: str, everywhere: Mapping[str, IndexReader]
    ) -> None:
        home, row = find_record(record_id, everywhere)
        record = home.record(row)
        if isinstance(record, TextRecord) != (draft.target == "questions"):
            raise QueryError(
                "The record is of the other kind.",
                remedy="Search images like an image record, questions like a question.",
            )
        field = RECORD_FIELD[draft.target]
        own = Space.of(home, field)
        vector = home.vector(field, row) if own else None
        if own is not None and vector is not None:
            for space, members in draft.spaces((field,)):
                if space.identity == own.identity:
                    draft.add_dense(space, vector, members)
                else:
                    draft.note_other_space(space, members)
        if isinstance(record, TextRecord):
            draft.add_lexical(lexical_text(record))


def _by_vector(draft: Draft, field: str, vector: Vector) -> None:
    if field not in DENSE_FIELDS[draft.target]:
        raise QueryError(
            "There is no such field.", remedy=f"Fields: {', '.join(DENSE_FIELDS[draft.target])}."
        )
    length = float(np.linalg.norm(vector))
    if vector.ndim != 1 or not math.isfinite(length) or length == 0:
        raise QueryError("The vector is not one row of finite numbers, or has no length.")
    unit = (vector / length).astype(np.float32)
    spaces = list(draft.spaces((field,)))
    for space, members in spaces:
        if space.dim == len(vector):
            draft.add_dense(space, unit, members)
    if spaces and not draft.legs:
        dims = sorted({space.dim for space, _ in spaces})
        raise QueryError(
            f"The vector has {len(vector)} dimensions.", remedy=f"Searched are {dims}."
        )


def find_record(record_id: str, readers: Mapping[str, IndexReader]) -> tuple[IndexReader, int]:
    """Return the reader that holds a record, and its row there.

    Raises
    ------
    RecordNotFoundError
        No index holds it.
    """
    for reader in readers.values():
        row = reader.find(record_id)
        if row is not None:
            return reader, row
    raise RecordNotFoundError(
        "No indexed record has that id.",
        remedy="Ids look like dataset/split/native_id; every hit carries its own.",
    )
