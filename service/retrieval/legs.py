"""The legs of a search: each ranks records by one measure, in one embedding space or by words."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from indexer.store.reader import IndexReader
from indexer.store.subset import Mask, Subset, intersect
from indexer.text.fields import CHINESE_FIELDS
from indexer.text.tokenise import weigh
from service.retrieval.chance import chance_cosine
from service.retrieval.encoding import Vector
from service.retrieval.fusion import Found, Key, Ranking, Score, merge_by_score
from service.retrieval.spaces import Space
from service.retrieval.views import records_compared

LEXICAL = "lexical"
CAPTION_FIELDS = ("caption", CHINESE_FIELDS["caption"])
STATED = "stated"
# So few texts are cut sooner than a search by common words reads all that hold one.
FEW_TEXTS = 200
# So many of a query's tokens a caption can be expected to cover; a long query has more.
_TOKENS_OF_A_CAPTION = 12


@dataclass(frozen=True, slots=True)
class Area:
    """Where a search looks: readers, and for each the records that it may return (None: all)."""

    readers: Sequence[IndexReader]
    allowed: Sequence[Subset | None]

    @property
    def masks(self) -> list[Mask | None]:
        """The records of each reader that may be returned: bool (n,), None for all."""
        return [None if subset is None else subset.mask for subset in self.allowed]

    def records(self) -> int:
        """Return how many records may be returned in all."""
        return sum(
            reader.table.num_rows if subset is None else subset.count
            for reader, subset in zip(self.readers, self.allowed, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Effort:
    """What a ranking costs: whether it is exact, and how many embeddings or postings it reads."""

    exact: bool
    scanned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DenseLeg:
    """Nearest embeddings in one space.

    `members` are the readers (by position) that share the space. `fields` are what of their
    records is compared, as far as an index has them; a record counts with its nearest. An index
    that has none of them is searched by the field of the space. `within` narrows the search in
    each of them to some records, beside what the query allows. `gives_way`: see `Ranking`.
    """

    name: str
    space: Space
    weight: float
    vector: Vector
    members: tuple[int, ...]
    within: tuple[Subset, ...] | None = None
    fields: tuple[str, ...] = ()
    gives_way: bool = False

    @property
    def field(self) -> str:
        """What of the records is compared unless there is more."""
        return self.space.field

    def fields_of(self, reader: IndexReader) -> tuple[str, ...]:
        """Return what is compared of a reader's records."""
        stated = reader.manifest.fields
        found = tuple(name for name in self.fields if name in stated and stated[name].vectors)
        return found or (self.field,)

    @property
    def is_always_exact(self) -> bool:
        """Whether a first pass already finds everything that there is."""
        return False

    def rank(self, area: Area, depth: int, *, exact: bool) -> Ranking:
        """Rank the `depth` records whose embeddings are nearest by cosine."""
        queries = self.vector[np.newaxis]
        found: list[Found] = []
        for member, allowed in self._allowed(area):
            reader = area.readers[member]
            for field in self.fields_of(reader):
                within = intersect(allowed, records_compared(reader, field, self.fields))
                if within is not None and within.count == 0:
                    continue
                [hits] = reader.search(field, queries, depth, allowed=within, exact=exact)
                found.append(Found(member, hits.rows, hits.scores, field))
        merged = merge_by_score(found, depth)
        return Ranking(
            name=self.name,
            measure="cosine",
            weight=self.weight,
            keys=merged.keys,
            scores=merged.scores,
            floor=merged.scores[-1] if merged.scores else 0.0,
            fields=merged.fields,
            found=found,
            chance=chance_cosine([area.readers[member] for member in self.members], self.field),
            of_texts=self.field in CAPTION_FIELDS,
            gives_way=self.gives_way,
        )

    def scores(self, area: Area, keys: Collection[Key]) -> dict[Key, Score]:
        """Return what records score that may stand beyond the depth of a ranking."""
        found: dict[Key, Score] = {}
        for place, member in enumerate(self.members):
            reader = area.readers[member]
            ranked = None if self.within is None else self.within[place].mask
            rows = [
                key.row for key in keys
                if key.reader == member and (ranked is None or ranked[key.row])
            ]  # fmt: skip
            for field in self.fields_of(reader) if rows else ():
                among = records_compared(reader, field, self.fields)
                scores = reader.scores_of(field, self.vector, rows).tolist()
                for row, score in zip(rows, scores, strict=True):
                    known = found.get(Key(member, row), Score(-math.inf))
                    if score > known.score and (among is None or among.mask[row]):
                        found[Key(member, row)] = Score(score, field)
        return found

    def excuse(self, area: Area, keys: Collection[Key]) -> Set[Key]:
        """Return which records this leg cannot rank, having no embedding of them.

        One that is narrowed is so to what is stated of records without captions: it excuses others.
        """
        if self.within is None:
            return _without(area, keys, self.field, frozenset(self.members))
        bare = {member: uncaptioned(area.readers[member]) for member in self.members}
        return {
            key for key in keys
            if key.reader not in bare
            or ((some := bare[key.reader]) is not None and not some.mask[key.row])
        }  # fmt: skip

    def effort(self, area: Area, *, exact: bool) -> Effort:
        """Return what `rank` compares; expected numbers where lists are searched."""
        all_exact, scanned = True, 0
        for member, allowed in self._allowed(area):
            reader = area.readers[member]
            for name in self.fields_of(reader):
                field = reader.manifest.fields[name]
                structure = field.structure
                within = intersect(allowed, records_compared(reader, name, self.fields))
                if within is not None:
                    scanned += min(within.count, field.vectors)
                elif exact or structure.is_exhaustive:
                    scanned += field.vectors
                else:
                    all_exact = False
                    scanned += field.vectors * structure.nprobe // structure.nlist
        return Effort(all_exact, scanned)

    def _allowed(self, area: Area) -> Iterator[tuple[int, Subset | None]]:
        """Yield each member with the records of it that may be ranked."""
        for place, member in enumerate(self.members):
            allowed = area.allowed[member]
            if self.within is not None:
                allowed = intersect(allowed, self.within[place])
            yield member, allowed


@dataclass(frozen=True)
class LexicalLeg:
    """Records that share words with the query.

    BM25 is divided by the most that any text of the index could reach for the query: the share of
    its words that a text covers, rare words counting more. Unlike BM25 itself this means the same
    in every index and is at most 1, so it can be merged across indexes and blended with cosines.
    `ceilings` holds that most for each of `members`.
    """

    text: str
    weight: float
    members: tuple[int, ...]
    ceilings: tuple[float, ...]

    @property
    def name(self) -> str:
        """What this ranking is called in `why`."""
        return LEXICAL

    @cached_property
    def tokens(self) -> Mapping[str, float]:
        """The tokens of the words, and what each counts."""
        return weigh(self.text)

    @property
    def is_always_exact(self) -> bool:
        """Whether a first pass already finds everything that there is."""
        return True

    def rank(self, area: Area, depth: int, *, exact: bool) -> Ranking:  # noqa: ARG002 - is exact
        """Rank the `depth` records that cover most of the words."""
        found: list[Found] = []
        for member, ceiling in zip(self.members, self.ceilings, strict=True):
            reader, allowed = area.readers[member], area.allowed[member]
            hits = reader.search_lexical(self.tokens, depth, allowed=allowed)
            if len(hits.rows):
                found.append(Found(member, hits.rows, hits.scores / np.float32(ceiling)))
        merged = merge_by_score(found, depth)
        return Ranking(
            name=self.name,
            measure="coverage",
            weight=self.weight,
            keys=merged.keys,
            scores=merged.scores,
            floor=merged.scores[-1] if len(merged.scores) == depth else 0.0,
            found=found,
            of_texts=True,
            covered=self._covered(merged.scores),
        )

    def _covered(self, scores: Sequence[float]) -> float:
        """Return how much of the words the best text covers; of many, no caption holds all."""
        best = scores[0] if scores else 0.0
        return min(1.0, best * max(1.0, len(self.tokens) / _TOKENS_OF_A_CAPTION))

    def scores(self, area: Area, keys: Collection[Key]) -> dict[Key, Score]:
        """Return what records score that may stand beyond the depth of a ranking."""
        scores: dict[Key, Score] = {}
        for member, ceiling in zip(self.members, self.ceilings, strict=True):
            rows = [key.row for key in keys if key.reader == member]
            if not rows:
                continue
            reader = area.readers[member]
            mask = np.zeros(reader.table.num_rows, np.bool_)
            mask[rows] = True
            hits = reader.search_lexical(self.tokens, len(rows), allowed=Subset(mask))
            shares = (hits.scores / np.float32(ceiling)).tolist()
            for row, share in zip(hits.rows.tolist(), shares, strict=True):
                scores[Key(member, row)] = Score(share)
        return scores

    def most(self, area: Area, keys: Collection[Key]) -> dict[Key, float]:
        """Return what records cannot score more than: the shares of the words that they hold.

        Their texts are cut for it; what exactly they score, words have to be looked up for.
        """
        most: dict[Key, float] = {}
        for member, ceiling in zip(self.members, self.ceilings, strict=True):
            reader = area.readers[member]
            rows = [key.row for key in keys if key.reader == member]
            for row, shared in zip(rows, reader.shared_words(rows, self.tokens), strict=True):
                most[Key(member, row)] = reader.lexical_ceiling(shared) / ceiling if shared else 0.0
        return most

    def excuse(self, area: Area, keys: Collection[Key]) -> Set[Key]:
        """Return which records this leg cannot fairly rank: images without a caption."""
        captioned = {
            field: [m for m in self.members if field in area.readers[m].manifest.fields]
            for field in CAPTION_FIELDS
        }
        texts = set(self.members).difference(*captioned.values())
        excused: Set[Key] = {key for key in keys if key.reader not in texts}
        for field, members in captioned.items():
            excused = _without(area, excused, field, members)
        return excused

    def effort(self, area: Area, *, exact: bool) -> Effort:  # noqa: ARG002 - is exact
        """Return how many postings of the query's words there are to read."""
        readers = [area.readers[member] for member in self.members]
        return Effort(True, sum(reader.records_with(token) for reader in readers
                                for token in self.tokens))  # fmt: skip


def uncaptioned(reader: IndexReader) -> Subset | None:
    """Return which records have no caption in any language; None where none has one."""
    captions = frozenset(CAPTION_FIELDS).intersection(reader.manifest.fields)
    return reader.rows_without(captions) if captions else None


def _without(area: Area, keys: Collection[Key], field: str, members: Collection[int]) -> Set[Key]:
    """Return those of `keys` that have no embedding of a field in one of the member indexes."""
    lacking = {member: area.readers[member].rows_without(frozenset({field})) for member in members}
    return {key for key in keys if key.reader not in lacking or lacking[key.reader].mask[key.row]}
