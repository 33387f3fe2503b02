"""What is chance in a build: how high unrelated things score, kept in the manifest.

A nearest neighbour always exists. Whether it says anything follows from two samples taken when the
index was built: cosines of pairs that have nothing to do with each other (a hit's percentile is
read from them), and the best scores of queries that have nothing to do with the index (what a
query must exceed to have found anything).
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from indexer.store.field_manifest import FieldManifest

Asked: TypeAlias = Literal["en", "zh", "image"]
"""What a query consists of: words in a language, or a picture."""

PAIR_SHARES = (
    0.0, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999, 1.0,
)  # fmt: skip
"""The shares of unrelated pairs at which their scores are kept, rising from none to all."""

KNOWN_ABOVE = 99.0
"""The percentile of unrelated pairs above which a record counts as found by its own words."""

CHANCE = 0.015
"""The share of unrelated queries that may pass in one ranking of one index."""

_NORMAL = NormalDist()

LOOKS_NAME = "image.looks.npy"
"""The looks of a sample of an index's pictures (`indexer.pixels.looks`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How often a verdict errs, each half of the sample judged by what the other half taught.

    `false_alarms` is the share of `unrelated` queries that pass as relevant, `misses` the share of
    `related` ones that do not; None where there were none of the kind.
    """

    false_alarms: float | None
    misses: float | None
    unrelated: int
    related: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One ranking for one kind of query: what chance reaches in it.

    `pairs` holds the scores of unrelated pairs at `PAIR_SHARES`, rising; None where too few pairs
    could be made. A query whose best score is `least` or more has found something. `spread` is the
    standard deviation of what unrelated queries find; 0 where more indexes need no higher limit.
    `known` is the share of captions that find their own record: its embedding scores above
    `KNOWN_ABOVE` of the unrelated pairs; None where fewer than 20 could be asked.
    """

    pairs: tuple[float, ...] | None
    least: float
    spread: float = 0.0
    known: float | None = None

    def least_among(self, indexes: int) -> float:
        """Return what must be reached where that many indexes are searched at once.

        More indexes are more chances. The share of unrelated queries that pass any is kept at what
        it is for one by Bonferroni's inequality, the tail being taken for a normal one.
        """
        return self.least + self.spread * _rise_among(max(indexes, 1))

    @property
    def median(self) -> float | None:
        """The median score of unrelated pairs, or None if unknown."""
        return None if self.pairs is None else self.pairs[PAIR_SHARES.index(0.5)]

    def percentile(self, score: float) -> float | None:
        """Return the share of unrelated pairs that score lower, 0 to 100, or None if unknown."""
        if self.pairs is None:
            return None
        if not self.pairs[0] <= score < self.pairs[-1]:
            return 0.0 if score < self.pairs[0] else 100.0
        place = bisect_right(self.pairs, score) - 1
        (low, high), (less, more) = self.pairs[place : place + 2], PAIR_SHARES[place : place + 2]
        return 100 * (less + (more - less) / (high - low) * (score - low))


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The calibration of a build.

    `measured` is keyed by what is asked and by the field, or "lexical", that answers: ("en",
    "caption") as "en>caption". A picture that differs by more than `farthest_look` from the looks
    of the index's own is none of their kind. `rates` is keyed by what is asked.
    """

    measured: Mapping[str, Measured] = field(default_factory=dict)
    farthest_look: float | None = None
    rates: Mapping[str, Rates] = field(default_factory=dict)

    def of(self, asked: Asked, field: str) -> Measured | None:
        """Return what is known of one field, or of the words, for one kind of query."""
        return self.measured.get(f"{asked}>{field}")


@cache
def _rise_among(indexes: int) -> float:
    """Return by how many standard deviations a limit rises among so many indexes."""
    return _NORMAL.inv_cdf(1 - CHANCE / indexes) - _NORMAL.inv_cdf(1 - CHANCE)


class Calibrates(Protocol):
    """Measures what is chance in a build whose every file but the manifest is written."""

    @property
    def digest(self) -> str:
        """What the calibration depends on beside the build: another digest, another calibration."""
        ...

    def calibrate(self, build: Path, fields: "Mapping[str, FieldManifest]") -> Calibration:
        """Return the calibration of the build in a folder, given its fields' manifests."""
        ...


def parse_calibration(values: Mapping[str, Any] | None) -> Calibration | None:
    """Return the calibration that a manifest's JSON spells out; None where it holds none.

    Raises
    ------
    KeyError, TypeError
        These are no values of a calibration.
    """
    if values is None:
        return None
    measured = {
        name: Measured(**{**one, "pairs": _numbers(one["pairs"])})
        for name, one in values["measured"].items()
    }
    rates = {name: Rates(**one) for name, one in values["rates"].items()}
    return Calibration(measured=measured, farthest_look=values["farthest_look"], rates=rates)


def _numbers(values: Sequence[float] | None) -> tuple[float, ...] | None:
    return None if values is None else tuple(values)
