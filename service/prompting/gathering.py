"""The searches behind a prompt: questions by the question, images by the image or the question."""

from collections.abc import Mapping
from dataclasses import replace

from indexer.errors import IndexNotFoundError, QueryError
from indexer.records import TextRecord
from service.prompting.choosing import grams_of, is_same_text
from service.prompting.request import PromptRequest
from service.prompting.sanitising import as_passage
from service.retrieval.hits import Hit
from service.retrieval.query import Query, Source, Target, TextSource
from service.retrieval.reply import SearchReply
from service.retrieval.retriever import Retriever
from service.retrieval.selection import Snapshot

# Hits are looked for beyond the passages wanted, so that there is something to choose from.
_CHOICE = 3
_MOST_CHOICE = 60


def gather(
    retriever: Retriever, request: PromptRequest, snapshot: Snapshot
) -> tuple[SearchReply, ...]:
    """Search as a prompt needs it; of questions that are the asked one, none where so wanted.

    Raises
    ------
    QueryError
        What `exclude_same` names is the same as an image, and there is none.
    IndexNotFoundError
        There is an image, and none of the chosen indexes holds images.
    MedsearchError
        As `Retriever.search`.
    """
    if request.image is None and request.exclusions.same - {"near_duplicate"}:
        raise QueryError(
            "exclude_same names what only an image has.",
            remedy="Without an image or a record_id, near_duplicate is the one that counts.",
        )
    chosen = retriever.selector.targets(request.indexes, snapshot)
    words = TextSource(request.question)
    queries: list[Query] = []
    if "questions" in chosen:
        queries.append(_query(request, "questions", words, chosen))
    if "images" in chosen and (request.image or request.indexes or not queries):
        queries.append(_query(request, "images", request.image or words, chosen))
    elif request.image is not None:
        raise IndexNotFoundError(
            "None of the chosen indexes holds images.",
            remedy="Name an image index, or leave the image out.",
        )
    if request.exclusions.splits:
        queries = _with_known_splits(retriever, queries, snapshot)
    replies = tuple(retriever.search(query, snapshot) for query in queries)
    if "near_duplicate" in request.exclusions.same:
        return tuple(_without_same_question(reply, request) for reply in replies)
    return replies


def _query(
    request: PromptRequest,
    target: Target,
    source: Source,
    chosen: Mapping[Target, tuple[str, ...] | None],
) -> Query:
    by_image = target == "images" and source is request.image
    excluded = request.exclusions
    return Query(
        target=target,
        source=source,
        k=max(request.k, min(_CHOICE * request.k, _MOST_CHOICE)),
        indexes=chosen[target],
        filters=request.filters,
        group_by="case",
        evidence=by_image,
        exclude_records=excluded.records,
        exclude_datasets=excluded.datasets,
        exclude_splits=excluded.splits,
        exclude_same=excluded.same if by_image else frozenset(),
    )


def _with_known_splits(
    retriever: Retriever, queries: list[Query], snapshot: Snapshot
) -> list[Query]:
    """Let each search exclude the splits that its own indexes have; one that none has is refused.

    Questions and images are split differently, and a search refuses a split that it does not know.
    """
    known = [retriever.splits(query, snapshot) for query in queries]
    strangers = queries[0].exclude_splits - frozenset().union(*known)
    return [
        replace(query, exclude_splits=(query.exclude_splits & splits) | strangers)
        for query, splits in zip(queries, known, strict=True)
    ]


def _without_same_question(reply: SearchReply, request: PromptRequest) -> SearchReply:
    asked = [grams_of(as_passage(request.question))]
    if request.patient_note:
        asked.append(grams_of(as_passage(request.patient_note)))
        asked.append(grams_of(as_passage(f"{request.patient_note}\n{request.question}")))

    def differs(hit: Hit) -> bool:
        record = hit.record
        if not isinstance(record, TextRecord):
            return True
        told = [record.question, record.context or "", f"{record.context}\n{record.question}"]
        said = [grams_of(as_passage(text)) for text in told if text]
        return not any(is_same_text(one, other) for one in asked for other in said)

    return replace(reply, hits=tuple(hit for hit in reply.hits if differs(hit)))
