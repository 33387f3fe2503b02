"""What is indexed, and what may be asked of it."""

from dataclasses import asdict
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from indexer.errors import UnknownNameError
from indexer.store.reader import IndexReader
from service.json_response import JsonResponse
from service.reply_schemas import IndexesReply, IndexReply
from service.retrieval.columns import FILTER_COLUMNS, ColumnCache
from service.routes.access import ERRORS, service_of
from service.routes.examples import INDEX_REPLY, INDEXES_REPLY

router = APIRouter(prefix="/v1/indexes", tags=["indexes"])

_VALUES_LISTED = 100


@router.get("", response_model=IndexesReply, responses=INDEXES_REPLY | {503: ERRORS[503]})
async def list_indexes(request: Request) -> Response:
    """List the published indexes with their live builds."""
    opened = service_of(request).opened
    problems = [
        {"index": name, "code": failure.code, "message": failure.message}
        for name, failure in opened.indexes.failures.items()
    ]
    found = [_summary(reader) for _, reader in sorted(opened.indexes.snapshot().items())]
    return JsonResponse({"indexes": found, "problems": problems})


@router.get("/{name}", response_model=IndexReply, responses=INDEX_REPLY | ERRORS)
async def show_index(request: Request, name: str) -> Response:
    """Show one index, with the fields and values that filters may name."""
    service = service_of(request)
    opened = service.opened
    snapshot = opened.indexes.snapshot()
    if name not in snapshot:
        raise UnknownNameError("index", name, snapshot)
    reader = snapshot[name]
    described = await service.run(partial(_filter_fields, opened.columns, reader))
    return JsonResponse(_summary(reader) | {"filter_fields": described})


def _summary(reader: IndexReader) -> dict[str, Any]:
    manifest = reader.manifest
    return {
        "name": reader.name,
        "dataset": manifest.dataset,
        "kind": manifest.kind,
        "build_id": reader.build_id,
        "created_at": manifest.created_at,
        "records": manifest.counts.records,
        "duplicates": manifest.counts.duplicates,
        "rejects": sum(manifest.counts.rejects.values()),
        "licence": manifest.licence,
        "citation": manifest.citation,
        "synthetic": manifest.synthetic,
        "fields": [
            {
                "name": name,
                "encoder": field.encoder,
                "dim": field.dim,
                "metric": field.metric,
                "vectors": field.vectors,
            }
            for name, field in sorted(manifest.fields.items())
        ],
        "map": asdict(manifest.index_map) if manifest.index_map else None,
    }


def _filter_fields(columns: ColumnCache, reader: IndexReader) -> list[dict[str, Any]]:
    """Return the fields that filters may name in an index, with the values of categories."""
    build = columns.of(reader)
    described: list[dict[str, Any]] = []
    for key, kind in FILTER_COLUMNS.items():
        if key not in build.names:
            continue
        entry: dict[str, Any] = {"key": key, "kind": kind}
        if kind in {"category", "tags"}:
            column = build.coded(key) if kind == "category" else build.tags(key)
            entry["values"] = sorted(column.values)[:_VALUES_LISTED]
        described.append(entry)
    return described
