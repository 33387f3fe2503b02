"""What clients may ask of a map."""

from typing import Annotated

from pydantic import Field

from service.filter_schemas import Request

MOST_PLACED = 2000


class PlacesRequest(Request):
    """Records whose places on the map are wanted."""

    record_ids: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=1536)], ...],
        Field(min_length=1, max_length=MOST_PLACED),
    ]
