"""What a dataset of the sample is expected to give when it is indexed, counted as it is written."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

# The kinds of `indexer.records.Reject`; "load" rejects come from the loader, "decode" ones from
# the decoder of pixels.
RejectStage: TypeAlias = Literal["load", "decode"]
RejectKind: TypeAlias = Literal["bad_row", "missing_file", "undecodable", "not_an_image"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedReject:
    """A deliberately bad row or file; `path` relative to the dataset's folder, `line` from 1."""

    path: str
    line: int | None
    kind: RejectKind
    stage: RejectStage = "load"
    why: str


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts of one dataset; `real_files` are those that are no phantoms."""

    records: int = 0
    duplicates: int = 0
    rejects: list[ExpectedReject] = field(default_factory=list)
    real_files: list[str] = field(default_factory=list)

    def expect_reject(
        self,
        path: str,
        kind: RejectKind,
        why: str,
        *,
        line: int | None = None,
        stage: RejectStage = "load",
    ) -> None:
        """Note a row or file that must be rejected."""
        reject = ExpectedReject(path=path, line=line, kind=kind, stage=stage, why=why)
        self.rejects.append(reject)

    def marker(self, seed: int) -> dict[str, object]:
        """Return the content of the marker file of this dataset."""
        kinds = Counter(reject.kind for reject in self.rejects)
        return {
            "synthetic": True,
            "generator": "medsearch sample corpus",
            "seed": seed,
            "note": "Phantoms and invented texts; no patient stands behind any of them.",
            "real_files": self.real_files,
            "expected_counts": {
                "rows": self.records + self.duplicates + len(self.rejects),
                "records": self.records,
                "duplicates": self.duplicates,
                "rejects": dict(sorted(kinds.items())),
            },
            "expected_rejects": [asdict(reject) for reject in self.rejects],
        }


def write_csv(path: Path, rows: Iterable[Sequence[object]], *, line_end: str = "\n") -> None:
    """Write rows, the header being the first of them, as comma-separated UTF-8."""
    import csv

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator=line_end).writerows(rows)


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines of UTF-8 text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
