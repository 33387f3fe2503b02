"""A PACS: the files that a mirror of it holds (`indexer.pacs` makes and keeps one)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.datasets.base import DatasetInfo, not_found
from indexer.datasets.instances import InstanceContext
from indexer.datasets.mirror_layout import JOURNAL, REFUSED_TABLE
from indexer.datasets.rows import read_rows
from indexer.datasets.tcia import read_files
from indexer.datasets.tree import NameSet, list_files, walk_folders
from indexer.errors import BadRecordError
from indexer.pixels.pseudonyms import Pseudonymiser
from indexer.records import Reject, Row

INFO = DatasetInfo(
    name="pacs",
    title="PACS",
    kind="image",
    description=(
        "What a hospital's archive holds, mirrored over DICOMweb and kept up with: one record an "
        "image, under pseudonyms."
    ),
    licence="not public; the archive's owner decides",
    licence_url="https://spdx.org/licenses/",
    citation="Your own archive.",
    homepage="https://www.dicomstandard.org/using/dicomweb",
    size="any",
    languages=("en",),
    access="medsearch index pacs --dicomweb URL",
    layout="the folder that `medsearch index pacs --dicomweb URL` made; it is not made by hand.",
    folders=("pacs",),
    holds_ct=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PacsMirror:
    """The reader of a mirror: STUDY/SERIES/INSTANCE.dcm, all three by pseudonym."""

    info: DatasetInfo = INFO

    def named(self, name: str) -> "PacsMirror":
        """Return the same under another name: that of its index, records and folder."""
        return replace(self, info=replace(self.info, name=name, folders=(name,)))

    def detect(self, root: Path) -> str | None:
        """Return `mirror` if `root` is one, or None."""
        return "mirror" if (root / JOURNAL).is_file() else None

    def iter_rows(self, root: Path) -> Iterator[Row]:
        """Yield a record for each frame, series by series in slice order.

        What the PACS could not give follows as rejects.

        Raises
        ------
        DatasetNotFoundError
            `root` is no mirror.
        """
        if self.detect(root) is None:
            raise not_found(self.info, root)
        pseudonyms = Pseudonymiser.from_environment()
        return _iter_rows(root, InstanceContext(info=self.info, pseudonyms=pseudonyms))


def _iter_rows(root: Path, context: InstanceContext) -> Iterator[Row]:
    for folder in walk_folders(root):
        yield from read_files(root, folder, list_files(folder, {".dcm"}), context, NameSet())
    if not (root / REFUSED_TABLE).is_file():
        return
    for row in read_rows(root, root / REFUSED_TABLE):
        if isinstance(row, Reject):
            yield row
            continue
        try:
            reason = f"{row.text('file')}: {row.text('reason')}"
        except BadRecordError as error:
            yield Reject(path=error.path, line=error.line, reason=error.reason)
            continue
        yield Reject(path=row.path, line=row.line, reason=reason, kind="missing_file")


DATASETS = (PacsMirror(),)
