"""The map of an index: what lies where, so that like lies by like."""

import gzip
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.requests import Request
from starlette.responses import Response

from indexer.errors import UnknownNameError
from indexer.store.reader import IndexReader
from service.json_response import dump_json
from service.opening import Opened
from service.reply_schemas_map import MapReply, PlacesReply
from service.retrieval.columns import BuildColumns
from service.retrieval.map_points import place_records, read_map
from service.routes.access import ERRORS, service_of
from service.routes.examples import MAP_REPLY, PLACES_EXAMPLES
from service.schemas_map import PlacesRequest

router = APIRouter(prefix="/v1/indexes", tags=["indexes"])

_SHAPE = 1
"""Raised whenever the same build is told otherwise, so that browsers ask anew."""

_GZIP_LEVEL = 5


@router.get("/{name}/map", response_model=MapReply, responses=MAP_REPLY | ERRORS)
async def show_map(request: Request, name: str) -> Response:
    """Show the map of an index: at most 5,000 of its records, near each other where alike."""
    service = service_of(request)
    opened = service.opened
    reader = _reader_of(opened, name)
    headers = {
        "Cache-Control": "private, no-cache",  # kept, but asked for anew: an index is rebuilt
        "ETag": f'"{reader.build_id}.{_SHAPE}"',
        "Vary": "Accept-Encoding",
    }
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    if zipped:
        headers["Content-Encoding"] = "gzip"

    def write() -> bytes:
        content = dump_json(_map_json(reader, opened.columns.of(reader)))
        return gzip.compress(content, _GZIP_LEVEL) if zipped else content

    return Response(await service.run(write), media_type="application/json", headers=headers)


@router.post("/{name}/map/places", response_model=PlacesReply, responses=ERRORS)
async def place_on_map(
    request: Request,
    name: str,
    body: Annotated[PlacesRequest, Body(openapi_examples=PLACES_EXAMPLES)],
) -> Response:
    """Show where records lie; those outside the map's sample lie among the points like them."""
    service = service_of(request)
    reader = _reader_of(service.opened, name)

    def write() -> bytes:
        placed = place_records(reader, body.record_ids)
        known = {one.record_id for one in placed}
        return dump_json(
            {
                "index": reader.name,
                "build_id": reader.build_id,
                "places": [asdict(one) for one in placed],
                "absent": [one for one in dict.fromkeys(body.record_ids) if one not in known],
            }
        )

    return Response(await service.run(write), media_type="application/json")


def _reader_of(opened: Opened, name: str) -> IndexReader:
    snapshot = opened.indexes.snapshot()
    if name not in snapshot:
        raise UnknownNameError("index", name, snapshot)
    return snapshot[name]


def _map_json(reader: IndexReader, columns: BuildColumns) -> dict[str, Any]:
    points = read_map(reader, columns)
    return {
        "index": reader.name,
        "build_id": reader.build_id,
        "records": reader.manifest.counts.records,
        **asdict(reader.map.facts),
        "record_ids": points.record_ids,
        "x": points.x,
        "y": points.y,
        "categories": [
            {
                "key": one.key,
                "values": [{"value": value, "points": count} for value, count in one.values],
                "codes": one.codes.tolist(),
            }
            for one in points.categories
        ],
    }
