"""JSON replies written by orjson: NaN becomes null, tuples are understood."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response


class JsonResponse(Response):
    """A JSON body."""

    media_type = "application/json"

    def __init__(
        self,
        content: Mapping[str, Any],
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(dump_json(content), status_code, headers)


def dump_json(content: object) -> bytes:
    """Return JSON bytes."""
    return orjson.dumps(content)
