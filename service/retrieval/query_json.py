"""Queries as JSON and back, for receipts. Of an image only the sha256 is kept, never its bytes.

Filters are written in the grammar that clients use, vectors as base64 of little-endian float32.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Set
from dataclasses import asdict, fields
from typing import Any, TypeAlias, get_args, get_origin, get_type_hints

import numpy as np

from indexer.errors import QueryError
from service.retrieval.filters import Combination, Comparison, Filter
from service.retrieval.query import (
    ImageSource,
    Query,
    RecordSource,
    Rerank,
    SeriesSource,
    Source,
    StudySource,
    TextSource,
    VectorSource,
)

Json: TypeAlias = dict[str, Any]

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def query_values(query: Query) -> Json:
    """Return everything that a query says as JSON-ready values, under the names of its fields."""
    return {field.name: _plain(getattr(query, field.name)) for field in fields(Query)}


def digest_of(values: object) -> str:
    """Return the sha256 (hex) of values in canonical JSON: sorted keys, no spaces, ASCII."""
    return hashlib.sha256(_CANONICAL.encode(values).encode("ascii")).hexdigest()


def query_of(values: Mapping[str, Any], images: Mapping[str, bytes]) -> Query:
    """Return the query that values describe; `images` are image files by their sha256 (hex).

    Raises
    ------
    QueryError
        An image of the query is not among `images`, or the values describe no query.
    """
    hints = get_type_hints(Query)
    if not set(values) <= set(hints):
        raise QueryError(
            "The query has options that this version of medsearch does not know.",
            remedy="Replay it with the version that its receipt names.",
        )
    try:
        parts: Json = {
            name: _revived(name, hints[name], value, images) for name, value in values.items()
        }
        return Query(**parts)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, QueryError):
            raise
        raise QueryError("The query of the receipt cannot be read.") from error


def _plain(value: object) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case (
            TextSource() | ImageSource() | RecordSource() | VectorSource()
            | SeriesSource() | StudySource()
        ):  # fmt: skip
            return _plain_source(value)
        case Comparison(key, op, compared):
            return {"type": op, "key": key, "value": _plain(compared)}
        case Combination(op, parts):
            return {"type": op, "filters": _plain(parts)}
        case Rerank():
            return asdict(value)
        case Mapping():
            return {key: _plain(one) for key, one in value.items()}
        case Set():
            return sorted(_plain(one) for one in value)
        case tuple():
            return [_plain(one) for one in value]
        case _:
            message = f"a query does not hold {type(value).__name__}"
            raise TypeError(message)


def _plain_source(source: Source) -> Json:
    match source:
        case TextSource(text):
            return {"kind": "text", "text": text}
        case ImageSource(raw):
            return {"kind": "image", "sha256": hashlib.sha256(raw).hexdigest()}
        case RecordSource(record_id):
            return {"kind": "record", "record_id": record_id}
        case SeriesSource(files):
            return {"kind": "series", "sha256": [hashlib.sha256(raw).hexdigest() for raw in files]}
        case StudySource(by, group_id):
            return {"kind": "study", "by": by, "group_id": group_id}
        case VectorSource(name, vector):
            raw = np.ascontiguousarray(vector, "<f4").tobytes()
            return {"kind": "vector", "field": name, "base64": base64.b64encode(raw).decode()}


def _revived(name: str, hint: object, value: Any, images: Mapping[str, bytes]) -> object:
    if value is None:
        return None
    if name == "source":
        return _source(value, images)
    if name == "also":
        return tuple(_source(one, images) for one in value)
    if name == "filters":
        return _filter(value)
    if name == "rerank":
        return Rerank(**value)
    kinds = {get_origin(one) for one in (hint, *get_args(hint))}
    return tuple(value) if tuple in kinds else frozenset(value) if frozenset in kinds else value


def _source(values: Json, images: Mapping[str, bytes]) -> Source:
    match values["kind"]:
        case "text":
            return TextSource(values["text"])
        case "record":
            return RecordSource(values["record_id"])
        case "vector":
            raw = base64.b64decode(values["base64"], validate=True)
            return VectorSource(values["field"], np.frombuffer(raw, "<f4").astype(np.float32))
        case "study":
            return StudySource(values["by"], values["group_id"])
        case "series":
            return SeriesSource(tuple(_image(digest, images) for digest in values["sha256"]))
    return ImageSource(_image(values["sha256"], images))


def _image(digest: str, images: Mapping[str, bytes]) -> bytes:
    if digest not in images:
        raise QueryError(
            "The query's image is not among those given: no file has its sha256, "
            f"{digest[:12]}..., and a receipt does not keep images.",
            remedy="Give the very file that was searched with: --image FILE.",
        )
    return images[digest]


def _filter(values: Json) -> Filter:
    if "filters" in values:
        return Combination(values["type"], tuple(map(_filter, values["filters"])))
    value = values["value"]
    return Comparison(
        values["key"], values["type"], tuple(value) if isinstance(value, list) else value
    )
