"""What every way of fetching has in common: its options, its plan, the protocol."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

OnProgress = Callable[[str, int], None]
"""Hears which piece is being fetched and how many bytes of all pieces have come in this run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait, and how often to try again.

    `connect_s` and `answer_s` bound every wait for a connection and for the next bytes; after a
    failure that may pass, waits double from `first_wait_s` to `longest_wait_s`.
    """

    connect_s: float = 10.0
    answer_s: float = 30.0
    attempts: int = 5
    first_wait_s: float = 1.0
    longest_wait_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOptions:
    """What is asked for.

    `base_url` replaces the service's own address. `limit` and `modalities` choose series of a
    TCIA collection (no modalities: all); `only` are patterns that narrow the files of a hub
    repository. `at_once` series are fetched at the same time, because the archive packs each while
    it sends it. With `allow_missing` what could be had is placed even if some pieces could not.
    """

    base_url: str | None = None
    limit: int | None = None
    modalities: tuple[str, ...] = ("CT",)
    only: tuple[str, ...] = ()
    at_once: int = 4
    allow_missing: bool = False
    patience: Patience = Patience()


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPlan:
    """What would be fetched: pieces are files or series; sizes are the source's own words.

    `missing_bytes` is None where the source does not tell sizes beforehand. `in_place` is False
    while pieces wait to be put where indexing finds them; `shows_progress` is True where the
    source's own client draws a bar.
    """

    origin: str
    revision: str | None
    piece: str
    pieces: int
    pieces_there: int
    missing_bytes: int | None
    in_place: bool
    shows_progress: bool = False

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to do."""
        return self.in_place and self.pieces_there >= self.pieces


class Fetch(Protocol):
    """One dataset about to be fetched; making it asks the source what there is."""

    @property
    def plan(self) -> FetchPlan:
        """What is there, and what is missing."""
        ...

    def run(self, on_progress: OnProgress) -> None:
        """Fetch what is missing and put it in place; stopped, the next run goes on.

        Raises
        ------
        FetchError
            It could not be fetched, or is not what the source says it is.
        """
        ...
