"""Fills replies from inner types, field by field.

Nothing leaves that is not listed here: no path of the server, no line of a source file.
"""

from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from indexer.records import AnyRecord, ImageRecord
from service.retrieval.cases import Case
from service.retrieval.hits import Hit, Note
from service.retrieval.reply import SearchReply
from service.viewer import Viewer

DISCLAIMER = "For research. Not a diagnostic device; similarity is not evidence of a diagnosis."


def record_url(record: AnyRecord) -> str:
    """Return where a record is served, relative to the service's root."""
    return _url_of(record.record_id)


def record_json(record: AnyRecord, index: str, viewer: Viewer | None = None) -> dict[str, Any]:
    """Return a record as JSON-ready values: everything that may leave, nothing else.

    With `viewer`, a record whose study it knows says where that is shown.
    """
    url = record_url(record)
    common: dict[str, Any] = {
        "record_id": record.record_id,
        "index": index,
        "dataset": record.dataset,
        "split": record.split,
        "source_id": record.source_id,
        "case_id": record.case_id,
        "language": record.language,
        "labels": record.labels,
        "licence": record.licence,
        "attribution": record.attribution,
        "synthetic": record.synthetic,
        "url": url,
    }
    if isinstance(record, ImageRecord):
        viewer_url = viewer.url(record) if viewer else None
        if viewer_url is not None:
            common["viewer_url"] = viewer_url
        return common | {
            "kind": "image",
            "caption": record.caption,
            "concepts": record.concepts,
            "modality": record.modality,
            "body_part": record.body_part,
            "patient_id": record.patient_id,
            "study_id": record.study_id,
            "series_id": record.series_id,
            "article_id": record.article_id,
            "year": record.year,
            "slice_number": record.slice_number,
            "age_years": record.age_years,
            "sex": record.sex,
            "contrast": record.contrast,
            "abnormal": record.abnormal,
            "thumbnail_url": f"{url}/thumbnail",
        }
    return common | {
        "kind": "text",
        "question": record.question,
        "answer": record.answer,
        "context": record.context,
        "options": [{"key": option.key, "text": option.text} for option in record.options],
        "answer_keys": record.answer_keys,
        "reasoning": record.reasoning,
        "calculator": record.calculator,
        "category": record.category,
        "answer_lower": record.answer_lower,
        "answer_upper": record.answer_upper,
    }


def case_json(case: Case, index: str) -> dict[str, Any]:
    """Return a case as JSON-ready values."""
    return {
        "index": index,
        "case_id": case.case_id,
        "records": case.records,
        "members": [
            {
                "record_id": member.record_id,
                "series_id": member.series_id,
                "slice_number": member.slice_number,
                "windows": member.windows,
                "url": _url_of(member.record_id),
            }
            for member in case.members
        ],
    }


def hit_json(hit: Hit, viewer: Viewer | None = None) -> dict[str, Any]:
    """Return a hit as JSON-ready values, as `record_json` its record."""
    placed: dict[str, Any] = {
        "rank": hit.rank,
        "score": hit.score,
        "percentile": hit.percentile,
        "why": {
            name: {"rank": place.rank, "score": place.score, "field": place.field}
            for name, place in hit.why.items()
        },
        "window": hit.window,
    }
    placed["contradicts"] = hit.contradicts
    if hit.matched_words is not None:
        placed["matched_words"] = hit.matched_words
    if hit.group is not None:
        group = hit.group
        placed["group"] = {
            "by": group.by,
            "id": group.group_id,
            "records": group.records,
            "hits": [hit_json(one, viewer) for one in group.best],
        }
    return placed | record_json(hit.record, hit.index, viewer)


def search_json(reply: SearchReply, viewer: Viewer | None = None) -> dict[str, Any]:
    """Return the answer to a search as JSON-ready values; only the receipt repeats the query."""
    query = reply.query
    return {
        "query": {
            "kind": query.kind,
            "target": query.target,
            "k": query.k,
            "offset": query.offset,
            "mode": query.mode,
            "group_by": query.group_by,
        },
        "relevant": reply.relevant,
        "relevance_reason": reply.relevance_reason,
        "records_allowed": reply.records_allowed,
        "score_kind": reply.score_kind,
        "hits": [hit_json(hit, viewer) for hit in reply.hits],
        "builds": reply.builds,
        "explain": {"rankings": [asdict(leg) for leg in reply.legs]} if query.explain else None,
        "facets": {
            name: [asdict(count) for count in counts] for name, counts in reply.facets.items()
        },
        "evidence": None if reply.evidence is None else [asdict(one) for one in reply.evidence],
        "receipt": reply.receipt.values(),
        "notes": notes_json(reply.notes),
        "stages_ms": reply.stages_ms,
        "took_ms": reply.took_ms,
        "disclaimer": DISCLAIMER,
    }


def notes_json(notes: tuple[Note, ...]) -> list[dict[str, str]]:
    """Return notes as JSON-ready values."""
    return [{"code": note.code, "message": note.message} for note in notes]


def _url_of(record_id: str) -> str:
    return f"/v1/records/{quote(record_id, safe='/:@=+')}"
