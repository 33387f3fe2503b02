"""The patients whose CT slices are drawn: build, finding, its side and level."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from indexer.sample.phantoms.ct_body import Build, Side

ChestFinding: TypeAlias = Literal[
    "none", "nodule", "effusion", "consolidation", "emphysema", "oesophageal tumour"
]
AbdomenFinding: TypeAlias = Literal[
    "none", "renal mass", "renal cyst", "kidney stone", "liver cyst"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChestPatient:
    """A chest to be sliced: build, finding, the finding's side and the level where it is largest.

    Levels run from 0 (apex) to 1 (lung bases); `size` is the finding's radius in grid units.
    """

    build: Build
    seed: int
    finding: ChestFinding = "none"
    side: Side = "right"
    level: float = 0.5
    size: float = 0.07

    def shows_finding(self, level: float) -> bool:
        """Return whether the finding is seen on the slice at that level."""
        if self.finding == "none":
            return False
        if self.finding == "effusion":
            return level > 0.45
        reach = 0.4 if self.finding in {"emphysema", "consolidation"} else 0.16
        return abs(level - self.level) < reach


@dataclass(frozen=True, slots=True, kw_only=True)
class AbdomenPatient:
    """An abdomen to be sliced, from level 0 (under the diaphragm) to 1 (lower kidney poles)."""

    build: Build
    seed: int
    finding: AbdomenFinding = "none"
    side: Side = "right"
    level: float = 0.6
    size: float = 0.13

    def shows_finding(self, level: float) -> bool:
        """Return whether the finding is seen on the slice at that level."""
        reach = 0.1 if self.finding == "kidney stone" else 0.28
        return self.finding != "none" and abs(level - self.level) < reach
