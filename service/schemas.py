"""What clients may send: checked here, unknown fields refused, then turned into inner types."""

import base64
from dataclasses import replace
from typing import Annotated, Literal, TypeAlias

import numpy as np
from pydantic import Field

from indexer.errors import QueryError
from indexer.pixels.ct_windows import WindowName
from service.filter_schemas import FILTER_EXAMPLE, AnyFilter, Request
from service.retrieval.query import (
    GroupBy,
    ImageSource,
    Match,
    Mode,
    Query,
    RecordSource,
    Rerank,
    SameAs,
    SeriesSource,
    Source,
    StudySource,
    Target,
    TextSource,
    VectorSource,
)
from service.schemas_counts import CountOptions

IndexName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")]
RecordId: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=512, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["mura/valid/1"]),
]


class RerankBody(Request):
    """Which reranker, how many texts it reads, and how long it may take."""

    encoder: Annotated[str, Field(max_length=64, examples=["bge-reranker-v2-m3"])]
    depth: Annotated[int, Field(ge=1, le=200, strict=True)] = 50
    budget_ms: Annotated[float, Field(gt=0, le=30_000)] = 2000.0

    def inner(self) -> Rerank:
        """Return the inner stage."""
        return Rerank(encoder=self.encoder, depth=self.depth, budget_ms=self.budget_ms)


class SearchOptions(CountOptions):
    """Options that every search has."""

    k: Annotated[int, Field(ge=1, description="How many hits (or groups).", strict=True)] = 10
    indexes: Annotated[
        list[IndexName] | None,
        Field(min_length=1, max_length=64, description="Which indexes; all that fit if left out."),
    ] = None
    filters: Annotated[AnyFilter | None, Field(examples=[FILTER_EXAMPLE])] = None
    offset: Annotated[
        int, Field(ge=0, strict=True, description="Hits (or groups) to skip: pages of equal k.")
    ] = 0
    group_by: Annotated[
        GroupBy | Literal["none"] | None,
        Field(description="One hit for each; images by case and questions by none if left out."),
    ] = None
    group_size: Annotated[
        int, Field(ge=1, le=20, strict=True, description="Hits listed within each group.")
    ] = 1
    mode: Annotated[
        Mode, Field(description="Who votes: embeddings (dense), words (lexical), or both.")
    ] = "hybrid"
    weights: Annotated[
        dict[Annotated[str, Field(max_length=64)], Annotated[float, Field(ge=0)]] | None,
        Field(
            max_length=16,
            description="Votes of single rankings, by their names in `why`: 0, or 1e-6 to 1e6.",
        ),
    ] = None
    positive_records: Annotated[
        tuple[RecordId, ...], Field(max_length=32, description="Indexed records to be like, too.")
    ] = ()
    negative_records: Annotated[
        tuple[RecordId, ...], Field(max_length=32, description="Indexed records to be unlike.")
    ] = ()
    exclude_records: Annotated[
        tuple[RecordId, ...],
        Field(
            max_length=1000,
            description="Ids of records never to return; a note counts those that no index holds.",
        ),
    ] = ()
    exclude_same: Annotated[
        tuple[SameAs, ...],
        Field(max_length=3, description="Leave out what is the same as the query's own image."),
    ] = ()
    exclude_datasets: Annotated[
        tuple[IndexName, ...], Field(max_length=64, description="Datasets never to return.")
    ] = ()
    exclude_splits: Annotated[
        tuple[Annotated[str, Field(max_length=64)], ...],
        Field(max_length=64, description="Splits never to return, e.g. test."),
    ] = ()
    rerank: Annotated[
        RerankBody | None, Field(description="Let a cross-encoder order the first hits.")
    ] = None
    windows: Annotated[
        tuple[WindowName, ...],
        Field(max_length=4, description="Compare CT slices in these windows only."),
    ] = ()
    explain: Annotated[
        bool, Field(strict=True, description="Say how each ranking was made, and shared words.")
    ] = False

    min_percentile: Annotated[
        float | None,
        Field(ge=0, le=100, description="Only hits that beat this share of unrelated pairs."),
    ] = None

    def query(self, target: Target, *sources: Source) -> Query:
        """Return the inner query of these options."""
        grouped = self.group_by or ("case" if target == "images" else "none")
        return Query(
            target=target,
            source=sources[0],
            also=(*sources[1:], *map(RecordSource, self.positive_records)),
            unlike=tuple(self.negative_records),
            k=self.k,
            offset=self.offset,
            indexes=None if self.indexes is None else tuple(self.indexes),
            filters=None if self.filters is None else self.filters.inner(),
            mode=self.mode,
            weights=self.weights,
            group_by=None if grouped == "none" else grouped,
            group_size=self.group_size,
            exclude_records=frozenset(self.exclude_records),
            exclude_same=frozenset(self.exclude_same),
            exclude_datasets=frozenset(self.exclude_datasets),
            exclude_splits=frozenset(self.exclude_splits),
            rerank=None if self.rerank is None else self.rerank.inner(),
            explain=self.explain,
            facets=self.facets,
            evidence=self.evidence,
            min_percentile=self.min_percentile,
            windows=self.windows,
        )


class VectorBody(Request):
    """A ready embedding of one field."""

    field: Literal["image", "caption", "caption_zh", "question", "question_zh"]
    values: Annotated[list[float], Field(min_length=1, max_length=8192)]

    def source(self) -> VectorSource:
        """Return the inner source."""
        return VectorSource(self.field, np.array(self.values, np.float32))


class TextSearch(SearchOptions):
    """Images for words."""

    query_text: Annotated[
        str, Field(alias="query", min_length=1, examples=["chest CT with contrast"])
    ]


class QuestionSearch(SearchOptions):
    """Questions and answers like a question, or like an indexed one."""

    query_text: Annotated[
        str | None,
        Field(alias="query", min_length=1, examples=["How is anaphylaxis treated first?"]),
    ] = None
    record_id: RecordId | None = None
    vector: VectorBody | None = None

    def source(self) -> Source:
        """Return the one thing that is asked.

        Raises
        ------
        QueryError
            Nothing is, or more than one.
        """
        given: list[Source] = []
        if self.query_text is not None:
            given.append(TextSource(self.query_text))
        if self.record_id is not None:
            given.append(RecordSource(self.record_id))
        if self.vector is not None:
            given.append(self.vector.source())
        if len(given) != 1:
            raise QueryError(
                "Give either query, record_id or vector.", remedy="Exactly one of them."
            )
        return given[0]


class ImageOptions(SearchOptions):
    """Options of a search by image: words beside the picture."""

    query_text: Annotated[
        str | None,
        Field(alias="query", min_length=1, description="Words that hits are to fit, too."),
    ] = None

    match: Annotated[
        Match, Field(description="How a whole series or study is compared with groups of images.")
    ] = "late_interaction"

    def sources(self, image: Source) -> tuple[Source, ...]:
        """Return the image and the words beside it."""
        return (image,) if self.query_text is None else (image, TextSource(self.query_text))

    def query(self, target: Target, *sources: Source) -> Query:
        """Return the inner query; a whole series is compared with studies unless told otherwise."""
        query = replace(super().query(target, *sources), match=self.match)
        whole = isinstance(sources[0], SeriesSource | StudySource)
        return replace(query, group_by="study") if whole and self.group_by is None else query


class ImageSearch(ImageOptions):
    """Images like an indexed one, study or series, an image sent as base64, or an embedding."""

    record_id: RecordId | None = None
    study_id: RecordId | None = None
    series_id: RecordId | None = None
    image_base64: Annotated[
        str | None, Field(description="An image file (PNG, JPEG, TIFF, WebP, DICOM) as base64.")
    ] = None
    vector: VectorBody | None = None

    def source(self) -> Source:
        """Return the one image that is named.

        Raises
        ------
        QueryError
            Nothing is, or more than one thing; or the base64 is broken.
        """
        given: list[Source] = []
        if self.vector is not None:
            given.append(self.vector.source())
        if self.study_id is not None:
            given.append(StudySource("study", self.study_id))
        if self.series_id is not None:
            given.append(StudySource("series", self.series_id))
        if not given:
            return image_source(self.record_id, self.image_base64)
        if len(given) > 1 or self.record_id is not None or self.image_base64 is not None:
            raise QueryError("More than one thing to search like is given.", remedy="Give one.")
        return given[0]


class PreviewOptions(Request):
    """How an upload is to be shown."""

    window: Annotated[
        WindowName | None,
        Field(description="Show CT in this window instead of the one that the file states."),
    ] = None


class PreviewBody(PreviewOptions):
    """An image to be looked at."""

    image_base64: Annotated[
        str,
        Field(description="A file (PNG, JPEG, TIFF, WebP, DICOM, zip of a series) as base64."),
    ]


def image_source(record_id: str | None, image_base64: str | None) -> ImageSource | RecordSource:
    """Return the one image that a request names.

    Raises
    ------
    QueryError
        None or two are named, or the base64 is broken.
    """
    if (record_id is None) == (image_base64 is None):
        raise QueryError("Give either record_id or image_base64.", remedy="Exactly one of them.")
    if image_base64 is None:
        return RecordSource(str(record_id))
    return ImageSource(decode_file(image_base64, "image_base64"))


def decode_file(encoded: str, name: str) -> bytes:
    """Return the bytes of a file that was sent as base64, or as a data URL, in the field `name`.

    Raises
    ------
    QueryError
        It is neither.
    """
    _, comma, rest = encoded.partition(",")  # data:image/png;base64,....
    try:
        return base64.b64decode(rest if comma else encoded, validate=True)
    except ValueError:
        raise QueryError(f"{name} is not valid base64.", remedy="Encode the file.") from None
