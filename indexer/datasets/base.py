"""What a dataset is: its metadata (`DatasetInfo`) and a lazy reader of its files (`Dataset`)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeVar, runtime_checkable

from indexer.errors import BadRecordError, DatasetNotFoundError
from indexer.records import AnyRecord, Language, Reject, Row

RawRow = TypeVar("RawRow")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInfo:
    """What is known about a dataset before a single file of it is read.

    `folders` are the names under which `--data DIR` is searched, the first being the dataset's
    own; `layout` says in words what must lie there; `access` is how to get it, step by step.
    `holds_ct` says that slices of CT may be among its DICOM files: these are embedded by window.
    """

    name: str
    title: str
    kind: Literal["image", "text"]
    description: str
    licence: str
    licence_url: str
    citation: str
    homepage: str
    size: str
    languages: tuple[Language, ...]
    access: str
    layout: str
    folders: tuple[str, ...]
    holds_ct: bool = False

    def __post_init__(self) -> None:
        """Refuse metadata that was left empty: a dataset without a licence must not slip in."""
        for name in self.__slots__:
            if getattr(self, name) in (None, "", ()):
                message = f"DatasetInfo.{name} of {self.name!r} is empty"
                raise ValueError(message)
        if self.folders[0] != self.name:
            message = f"the first folder of {self.name!r} must be its own name"
            raise ValueError(message)


@runtime_checkable
class Dataset(Protocol):
    """A reader of one dataset's genuine on-disk layouts."""

    @property
    def info(self) -> DatasetInfo:
        """The dataset's metadata."""
        ...

    def detect(self, root: Path) -> str | None:
        """Return the name of the layout found below `root`, or None if there is none."""
        ...

    def iter_rows(self, root: Path) -> Iterator[Row]:
        """Yield each row or file below `root` as a record or a reject, in a stable order.

        Lazy: memory does not grow with the dataset, and no pixels are read. The order depends on
        names and contents only, never on the file system.

        Raises
        ------
        DatasetNotFoundError
            No known layout lies below `root`.
        """
        ...


def locate(info: DatasetInfo, data_dir: Path) -> Path | None:
    """Return the first of the dataset's folders that exists below `data_dir`, or None."""
    for folder in info.folders:
        candidate = data_dir / folder
        if candidate.is_dir():
            return candidate
    return None


def how_to_get(info: DatasetInfo) -> str:
    """Return how to get a dataset: the command, then the way by hand."""
    return f"`medsearch datasets get {info.name}`, or by hand: {info.access}"


def not_found(info: DatasetInfo, root: Path) -> DatasetNotFoundError:
    """Return the error for a folder without a known layout, with how to get the dataset."""
    return DatasetNotFoundError(
        f"{info.title}: nothing readable as {info.name!r} was found in {root}.",
        remedy=f"Expected: {info.layout} How to get it: {how_to_get(info)}",
    )


def parse_rows(
    rows: Iterable[RawRow | Reject], parse: Callable[[RawRow], AnyRecord | Reject]
) -> Iterator[Row]:
    """Parse each raw row; one that cannot be read becomes a `Reject` and the stream goes on."""
    for row in rows:
        if isinstance(row, Reject):
            yield row
            continue
        try:
            yield parse(row)
        except BadRecordError as error:
            yield Reject(path=error.path, line=error.line, reason=error.reason)
