"""Fills replies to clients of OpenAI's API from inner types."""

import base64
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from indexer.store.reader import IndexReader
from service.prompting.context import sections_of
from service.prompting.tokens import estimate_tokens
from service.replies import record_json
from service.retrieval.hits import Hit
from service.retrieval.reply import SearchReply
from service.schemas_openai import VectorStoreSearch

# OpenAI allows 16 attributes; what filters can name comes first, then where to look and the terms.
_ATTRIBUTES = (
    "split", "language", "case_id", "labels", "modality", "body_part", "study_id", "series_id",
    "year", "slice_number", "age_years", "sex", "contrast", "abnormal", "calculator", "category",
    "url", "thumbnail_url", "licence", "synthetic",
)  # fmt: skip
_MOST_ATTRIBUTES = 16
_MOST_CHARS = 512


def vector_store_json(reader: IndexReader) -> dict[str, Any]:
    """Return an index as a vector store: its records are the files."""
    manifest = reader.manifest
    created_at = int(datetime.fromisoformat(manifest.created_at).timestamp())
    failed = sum(manifest.counts.rejects.values())
    return {
        "id": reader.name,
        "object": "vector_store",
        "created_at": created_at,
        "name": reader.name,
        "usage_bytes": sum(file.size_bytes for file in manifest.files.values()),
        "file_counts": {
            "cancelled": 0,
            "completed": manifest.counts.records,
            "failed": failed,
            "in_progress": 0,
            "total": manifest.counts.records + failed,
        },
        "status": "completed",
        "expires_after": None,
        "expires_at": None,
        "last_active_at": created_at,
        "metadata": {
            "dataset": manifest.dataset,
            "kind": manifest.kind,
            "build_id": reader.build_id,
            "licence": manifest.licence[:_MOST_CHARS],
            "synthetic": str(manifest.synthetic).lower(),
        },
    }


def results_json(asked: VectorStoreSearch, replies: Sequence[SearchReply]) -> dict[str, Any]:
    """Return the results of one or several queries of one index as one list.

    A record stands where its best query put it (ties by score). Its `score` is 0 to 1: that of its
    ranking where there is one, or its best similarity among several rankings that were fused by
    rank, because a sum of reciprocal ranks is no similarity.
    """
    best: dict[str, tuple[int, float, Hit]] = {}
    for reply in replies:
        for hit in reply.hits:
            place = (hit.rank, -_score(hit, reply), hit)
            known = best.get(hit.record.record_id)
            if known is None or place[:2] < known[:2]:
                best[hit.record.record_id] = place
    ranked = sorted(best.values(), key=lambda place: place[:2])[: asked.max_num_results]
    least = asked.ranking_options.score_threshold
    return {
        "object": "vector_store.search_results.page",
        "search_query": list(asked.texts),
        "data": [_result_json(hit, -score) for _, score, hit in ranked if -score >= least],
        "has_more": False,
        "next_page": None,
        "notes": _notes_json(asked, replies),
    }


def embeddings_json(
    model: str,
    embeddings: npt.NDArray[np.float32],
    texts: Iterable[str],
    encoding: Literal["float", "base64"],
) -> dict[str, Any]:
    """Return embeddings (n, d) in the order given; `texts` are what is counted as tokens."""
    tokens = sum(map(estimate_tokens, texts))
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": _written(row, encoding)}
            for index, row in enumerate(embeddings)
        ],
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _written(row: npt.NDArray[np.float32], encoding: Literal["float", "base64"]) -> Any:
    if encoding == "float":
        return row.tolist()
    return base64.b64encode(row.astype("<f4").tobytes()).decode()


def _score(hit: Hit, reply: SearchReply) -> float:
    if reply.score_kind == "rrf":
        score = max((place.score for place in hit.why.values()), default=0.0)
    else:
        score = hit.score
    return min(max(score, 0.0), 1.0)


def _result_json(hit: Hit, score: float) -> dict[str, Any]:
    record = hit.record
    text = "\n".join(f"{section.label}: {section.text}" for section in sections_of(record))
    return {
        "file_id": record.record_id,
        "filename": record.source_id,
        "score": score,
        "attributes": _attributes(record_json(record, hit.index)),
        "content": [{"type": "text", "text": text}],
    }


def _attributes(record: dict[str, Any]) -> dict[str, str | float | bool]:
    """Return at most 16 of a record's stated values, in the types and lengths that are allowed."""
    stated: dict[str, str | float | bool] = {}
    for name in _ATTRIBUTES:
        value = record.get(name)
        if value is None or value == ():
            continue
        if isinstance(value, bool | int | float):
            stated[name] = value
        else:
            text = value if isinstance(value, str) else ", ".join(value)
            stated[name] = text[:_MOST_CHARS]
    return dict(list(stated.items())[:_MOST_ATTRIBUTES])


def _notes_json(asked: VectorStoreSearch, replies: Sequence[SearchReply]) -> list[dict[str, str]]:
    notes = {note.code: note.message for reply in replies for note in reply.notes}
    if asked.rewrite_query:
        notes["rewrite_query"] = "Queries are not rewritten: they were searched as they stand."
    if asked.ranking_options.ranker != "auto":
        notes["ranker"] = "There is one way of ranking, whatever ranker is named."
    return [{"code": code, "message": message} for code, message in notes.items()]
