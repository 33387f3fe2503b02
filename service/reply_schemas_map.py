"""The shapes of what is told of an index's map."""

from service.reply_schemas import Reply


class MapValueReply(Reply):
    """A value that colours points, and how many of them."""

    value: str | bool
    points: int


class MapCategoryReply(Reply):
    """What colours may stand for: values, the commonest first, and the code of each point.

    A code is a place in `values`; -1 stands for nothing stated, -2 for a value that is not listed.
    Of several labels of a record the commonest counts.
    """

    key: str
    values: list[MapValueReply]
    codes: list[int]


class MapReply(Reply):
    """A map as columns: point i is record `record_ids[i]` at (`x[i]`, `y[i]`) in the unit square.

    Near means alike to the encoder; the axes mean nothing. Of an index of many records a sample is
    drawn.
    """

    index: str
    build_id: str
    records: int
    field: str
    points: int
    trustworthiness: float | None
    record_ids: list[str]
    x: list[float]
    y: list[float]
    categories: list[MapCategoryReply]


class PlacedReply(Reply):
    """Where a record lies; `drawn` if it is one of the map's points, else placed among those."""

    record_id: str
    x: float
    y: float
    drawn: bool


class PlacesReply(Reply):
    """Where records lie; `absent` names those that this index does not hold or did not embed."""

    index: str
    build_id: str
    places: list[PlacedReply]
    absent: list[str]
