"""What clients may ask to have counted beside the hits."""

from typing import Annotated

from pydantic import Field

from service.filter_schemas import Request
from service.retrieval.facets import MAX_FACETS


class CountOptions(Request):
    """Options that every search has: facets and neighbour evidence."""

    facets: Annotated[
        tuple[Annotated[str, Field(max_length=64)], ...],
        Field(
            max_length=MAX_FACETS,
            description="Fields whose values are counted over all records that may be hits; "
            "min_percentile takes none off.",
            examples=[["modality", "body_part"]],
        ),
    ] = ()
    evidence: Annotated[
        bool,
        Field(
            strict=True,
            description="Count labels among the nearest cases of an image against their base rate.",
        ),
    ] = False
