"""What is said of studies that are taken in: numbers and codes, no identifiers."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid")


class IngestRunReply(_Reply):
    """How a run of `medsearch index pacs` ended; numbers are null where it failed before them."""

    started_at: str
    took_s: float
    error: str | None
    fetched: int | None
    deleted: int | None
    stored: int | None
    refused: int | None
    records: int | None


class IngestReply(_Reply):
    """What waits, what runs, and how the last run ended."""

    state: Literal["running", "waiting", "idle"]
    waiting: int
    running_since: str | None
    failures_in_a_row: int
    last: IngestRunReply | None
