"""The shapes of what replies say beside their hits: facets, evidence, the receipt."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FacetCountReply(_Reply):
    """How many records hold a value; null stands for all values beyond those listed."""

    value: str | bool | int | None
    records: int


class EvidenceReply(_Reply):
    """How common a label is among the nearest cases, against how common it is anyway.

    `of` counts the nearest cases that state labels, `low` to `high` is the 95 % Wilson interval
    of `share`, `base_rate` the share to be expected of any cases of the same indexes.
    """

    label: str
    cases: int
    of: int
    share: float
    low: float
    high: float
    base_rate: float
    sentence: str


class EncoderStampReply(_Reply):
    """Which weights wrote a field that took part, and in which indexes."""

    field: str
    encoder: str
    revision: str
    weights_sha256: str
    indexes: list[str]


class ReceiptReply(_Reply):
    """What it takes to run the search again: save it to a file for `medsearch replay FILE`.

    It holds the query itself; of an image, the sha256. `reranked` is there only if reranking was
    asked for: whether it ended in its time.
    """

    receipt_version: int
    query_sha256: str
    query: dict[str, Any]
    builds: dict[str, str]
    encoders: list[EncoderStampReply]
    hits_sha256: str
    software: str
    created_at: str
    reranked: bool | None = None
