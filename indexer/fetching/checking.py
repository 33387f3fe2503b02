"""Checking a dataset that was got by hand: a folder as it is, or an archive to put in place."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from indexer.datasets.base import Dataset, not_found
from indexer.datasets.tree import is_stray
from indexer.errors import DamagedDownloadError
from indexer.fetching.archive import Bounds, unpack
from indexer.fetching.mura import PUBLISHED_IMAGES, find_faults
from indexer.fetching.receipt import make_receipt
from indexer.fetching.sources import get_source
from indexer.fetching.staging import Staging
from indexer.records import Reject
from indexer.store.files import sha256_of

# Five times the largest of the datasets as archives, so that a bomb stops before the disk does.
_BOUNDS = Bounds(files=500_000, size_bytes=100 << 30)
_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a check found: records by split, rejects by kind with examples, faults in words."""

    layout: str
    records: dict[str, int]
    rejects: dict[str, int]
    examples: tuple[str, ...]
    faults: tuple[str, ...]


def check_folder(dataset: Dataset, root: Path) -> Findings:
    """Read every row or header below `root` as indexing would, but no pixels, and count.

    Raises
    ------
    DatasetNotFoundError
        No layout of the dataset lies there.
    """
    layout = dataset.detect(root) if root.is_dir() else None
    if layout is None:
        raise not_found(dataset.info, root)
    records: Counter[str] = Counter()
    rejects: Counter[str] = Counter()
    examples: list[str] = []
    for row in dataset.iter_rows(root):
        if not isinstance(row, Reject):
            records[row.split] += 1
            continue
        rejects[row.kind] += 1
        if len(examples) < _EXAMPLES:
            line = "" if row.line is None else f":{row.line}"
            examples.append(f"{row.path}{line}: {row.reason}")
    return Findings(
        layout=layout,
        records=dict(records),
        rejects=dict(rejects),
        examples=tuple(examples),
        faults=tuple(_faults(dataset.info.name, root, records)),
    )


def adopt_archive(
    dataset: Dataset,
    archive: Path,
    data_dir: Path,
    *,
    partial: bool,
    on_bytes: Callable[[int], None],
) -> Findings:
    """Unpack a zip file safely, check it, and put it into `data_dir/NAME` if it is whole.

    With `partial` a copy that lacks folders, tables or images is put in place too.

    Raises
    ------
    DamagedDownloadError
        It is damaged, not safe to unpack, not this dataset, or not all of it.
    TargetOccupiedError
        Other files lie where it belongs.
    """
    staging = Staging(dataset.info, data_dir)
    with staging.open(needed_bytes=archive.stat().st_size):
        members = unpack(archive, staging.tree, _BOUNDS, wanted=_is_own, on_bytes=on_bytes)
        if dataset.detect(staging.tree) is None:
            raise DamagedDownloadError(
                f"{archive.name} does not hold {dataset.info.title}.",
                remedy=f"Expected: {dataset.info.layout}",
            )
        findings = check_folder(dataset, staging.tree)
        if findings.faults and not partial:
            raise DamagedDownloadError(
                f"{archive.name} is not all of {dataset.info.title}: {'; '.join(findings.faults)}.",
                remedy="Download it again; --partial takes it as it is.",
            )
        staging.publish(
            make_receipt(
                dataset.info,
                origin=f"{archive.name} of {get_source(dataset.info.name).origin}",
                revision=f"sha256:{sha256_of(archive)}",
                checked="crc32",
                pieces={member.name: member.size_bytes for member in members},
            )
        )
    return findings


def _is_own(name: str) -> bool:
    """Return whether a member is the publisher's, not left behind by an operating system."""
    return not any(is_stray(part) for part in name.split("/"))


def _faults(name: str, root: Path, records: Counter[str]) -> list[str]:
    if name != "mura":
        return []
    faults = find_faults(root)
    for split, published in PUBLISHED_IMAGES.items():
        if records[split] != published:
            faults.append(f"{split} has {records[split]:,} images of {published:,}")
    return faults
