"""From a query to the legs that answer it: which spaces and words, and with what votes."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from indexer.errors import QueryError
from indexer.records import TextRecord
from indexer.store.reader import IndexReader
from indexer.text.fields import CHINESE_FIELDS, is_chinese_field, main_field
from indexer.text.normalise import clean, detect_language
from indexer.text.questions import lexical_text
from service.retrieval.columns import ColumnCache
from service.retrieval.drafting import Draft, Plan
from service.retrieval.encoding import QueryEncoders, Vector
from service.retrieval.legs import Area
from service.retrieval.query import (
    ImageSource,
    Query,
    RecordSource,
    SeriesSource,
    Source,
    StudySource,
    Target,
    TextSource,
    VectorSource,
)
from service.retrieval.selection import find_record
from service.retrieval.series_planning import is_of_series, plan_series
from service.retrieval.spaces import IMAGE, Space
from service.retrieval.views import View, fields_compared, view_of_record, windows_wanted

DENSE_FIELDS: Mapping[Target, tuple[str, ...]] = MappingProxyType(
    {
        "images": ("image", "caption", CHINESE_FIELDS["caption"]),
        "questions": ("question", CHINESE_FIELDS["question"]),
    }
)
RECORD_FIELD: Mapping[Target, str] = MappingProxyType({"images": "image", "questions": "question"})


class Planner:
    """Turns queries into legs; embeds what must be embedded on the way."""

    def __init__(self, encoders: QueryEncoders, columns: ColumnCache) -> None:
        self._encoders = encoders
        self._columns = columns

    def plan(self, query: Query, area: Area, everywhere: Mapping[str, IndexReader]) -> Plan:
        """Return the legs of a query over an area; its own records may lie `everywhere`.

        Texts of a query become one; its images, records and vectors become their mean in each
        space. Words and pictures asked for together vote apart: an image lies nearer to any other
        image than to its own caption.

        Raises
        ------
        QueryError, RecordNotFoundError
            A source does not fit the target or the mode, is empty, or names no record.
        DecodeError
            The image cannot be decoded.
        EncoderError
            An encoder is missing or differs, and the query names its index, or nothing is left.
        """
        draft = Draft(query, area)
        if is_of_series(query):
            plan_series(draft, self._encoders, self._columns, everywhere)
            self._push_away(draft, query.unlike, everywhere)
            return draft.finish()
        texts = [one.text for one in query.sources if isinstance(one, TextSource)]
        examples = [one for one in query.sources if not isinstance(one, TextSource)]
        words: list[str] = []
        if examples:
            words += self._by_examples(draft, examples, everywhere)
        if texts:
            words.append(self._by_text(draft, texts, beside_examples=bool(examples)))
        if draft.wants_words and words:
            draft.add_lexical("\n".join(words))
        if draft.wants_words and draft.wants_dense and texts and draft.target == "images":
            draft.add_stated(words[-1], self._columns)
        self._push_away(draft, query.unlike, everywhere)
        return draft.finish()

    def _by_text(self, draft: Draft, texts: Sequence[str], *, beside_examples: bool) -> str:
        """Add what embeddings find for some texts; return the texts as they are searched."""
        words = clean("\n".join(texts))
        if not words:
            raise QueryError("The query is empty.", remedy="Give some words to search for.")
        if not draft.wants_dense:
            return words
        language = detect_language(words)
        wanted = windows_wanted(draft.query)
        spaces = dict(draft.spaces(DENSE_FIELDS[draft.target]))
        for space, members in spaces.items():
            if is_chinese_field(space.field) and language != "zh":
                continue
            with draft.tolerating(members):
                if language not in self._encoders.encoder(space).spec.languages:
                    draft.note_language(space, language, _without_own(space, spaces))
                    continue
                vector = self._encoders.embed_text(space, words)
                apart = beside_examples and space.field == RECORD_FIELD[draft.target]
                compared = fields_compared(space, wanted)
                draft.add_dense(space, vector, members, compared, by_words=True, apart=apart)
        return words

    def _by_examples(
        self, draft: Draft, examples: Sequence[Source], everywhere: Mapping[str, IndexReader]
    ) -> list[str]:
        """Add what lies near some images, records or vectors; return the records' words."""
        found: dict[Space, list[View]] = {}
        spaces = dict(draft.spaces(DENSE_FIELDS[draft.target]))
        words: list[str] = []
        for source in examples:
            match source:
                case ImageSource(raw):
                    self._embed_image(draft, raw, spaces, found)
                case RecordSource(record_id):
                    words += _find_like_record(draft, record_id, everywhere, spaces, found)
                case VectorSource(name, vector):
                    _find_like_vector(draft.target, name, vector, spaces, found)
                case TextSource() | SeriesSource() | StudySource():
                    continue
        if (
            not draft.wants_dense
            and not words
            and not any(isinstance(source, TextSource) for source in draft.query.sources)
        ):
            raise QueryError(
                "A search by words alone needs words.", remedy="Use mode dense or hybrid."
            )
        if not draft.wants_dense and len(words) < len(examples):
            draft.note_no_words()
        if draft.wants_dense:
            wanted = windows_wanted(draft.query)
            for space, seen in found.items():
                mean = _mean([one.vector for one in seen])
                draft.add_dense(space, mean, spaces[space], fields_compared(space, wanted, seen))
        return words

    def _embed_image(
        self,
        draft: Draft,
        raw: bytes,
        spaces: Mapping[Space, tuple[int, ...]],
        found: dict[Space, list[View]],
    ) -> None:
        if draft.target != "images":
            raise QueryError("Questions are searched by text.", remedy="Search images instead.")
        for space, members in spaces.items():
            if space.field == IMAGE:
                with draft.tolerating(members):
                    seen = self._encoders.see_image(space, raw, windows_wanted(draft.query))
                    draft.add_look(space, seen.look)
                    found.setdefault(space, []).append(View(seen.vector, seen.window))

    def _push_away(
        self, draft: Draft, unlike: Sequence[str], everywhere: Mapping[str, IndexReader]
    ) -> None:
        """Move the query away from some records, in every space that they are embedded in."""
        away: dict[Space, list[Vector]] = {}
        for record_id in unlike:
            home, row = find_record(record_id, everywhere)
            for field in home.manifest.fields:
                space = Space.of(home, field)
                vector = home.vector(field, row) if space else None
                if space is not None and vector is not None:
                    away.setdefault(space, []).append(vector)
        draft.push_away({space: _mean(vectors) for space, vectors in away.items()})


def _find_like_record(
    draft: Draft,
    record_id: str,
    everywhere: Mapping[str, IndexReader],
    spaces: Mapping[Space, tuple[int, ...]],
    found: dict[Space, list[View]],
) -> list[str]:
    """Add a record's own embedding to those found; return its words if it is a question."""
    home, row = find_record(record_id, everywhere)
    record = home.record(row)
    if isinstance(record, TextRecord) != (draft.target == "questions"):
        raise QueryError(
            "The record is of the other kind.",
            remedy="Search images like an image record, questions like a question.",
        )
    own, seen = _own_view(draft, home, row)
    if seen is not None:
        for space, members in spaces.items():
            if space == own:
                found.setdefault(space, []).append(seen)
            elif main_field(space.field) == RECORD_FIELD[draft.target]:
                compared = spaces.get(own, ()) if own else ()
                others = [member for member in members if member not in compared]
                draft.note_other_space(space, tuple(others))
    return [lexical_text(record)] if isinstance(record, TextRecord) else []


def _own_view(draft: Draft, home: IndexReader, row: int) -> tuple[Space | None, View | None]:
    """Return the embedding by which a record is searched for others, and its space, if any."""
    if draft.target == "images":
        return Space.of(home, IMAGE), view_of_record(home, row, windows_wanted(draft.query))
    for field in DENSE_FIELDS[draft.target]:
        space = Space.of(home, field)
        vector = home.vector(field, row) if space else None
        if vector is not None:
            return space, View(vector, None)
    return None, None


def _without_own(space: Space, spaces: Mapping[Space, tuple[int, ...]]) -> tuple[int, ...]:
    """Return those of a space's indexes that have no field of Chinese texts beside it."""
    own = CHINESE_FIELDS.get(space.field)
    served = {one for other, members in spaces.items() if other.field == own for one in members}
    return tuple(member for member in spaces[space] if member not in served)


def _find_like_vector(
    target: Target,
    field: str,
    vector: Vector,
    spaces: Mapping[Space, tuple[int, ...]],
    found: dict[Space, list[View]],
) -> None:
    """Add a ready embedding to those found, in every space of its field and length."""
    if field not in DENSE_FIELDS[target]:
        raise QueryError(
            "There is no such field.", remedy=f"Fields: {', '.join(DENSE_FIELDS[target])}."
        )
    # The squares of what float32 holds may be too large for it, or too small.
    exact = vector.astype(np.float64)
    length = float(np.linalg.norm(exact))
    if vector.ndim != 1 or not math.isfinite(length) or length == 0:
        raise QueryError(
            "The vector is not one row of finite numbers, or has no length.",
            remedy="Give an embedding as its encoder returns it; its length does not matter.",
        )
    dims = {space.dim for space in spaces if space.field == field}
    if dims and len(vector) not in dims:
        raise QueryError(
            f"The vector has {len(vector)} dimensions.", remedy=f"Searched are {sorted(dims)}."
        )
    unit = (exact / length).astype(np.float32)
    for space in spaces:
        if space.field == field and space.dim == len(vector):
            found.setdefault(space, []).append(View(unit, None))


def _mean(vectors: Sequence[Vector]) -> Vector:
    """Return the direction between some unit vectors float32 (d,); of one, that one untouched."""
    if len(vectors) == 1:
        return vectors[0]
    total = np.stack(vectors).sum(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(total))
    if length == 0:
        raise QueryError("The examples cancel each other out.", remedy="Leave one of them out.")
    return np.asarray(total / length, np.float32)
