"""What the text datasets share: finding their tables, naming them, reading them in order."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.datasets.base import DatasetInfo, not_found, parse_rows
from indexer.datasets.raw_row import RawRow
from indexer.datasets.rows import find_tables, read_columns, read_rows
from indexer.records import Row, TextRecord

_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet"})
# The hub's own `train-00000-of-00027`, and the `0000` of its converted copies.
_SHARD = re.compile(r"-(?P<of_many>\d{5})-of-\d{5}$|^(?P<converted>\d{4})$")
_SPLITS = re.compile(r"(?<![a-z])(train|dev|valid(?:ation)?|val|test)(?![a-z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a table belongs: its split, the variant that its ids name, when it is read.

    Tables of lower `rank` are read first: of equal questions the first becomes the record.
    """

    split: str
    variant: str = ""
    rank: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One file with rows of a dataset.

    `name` is POSIX, relative to the root. `prefix` is what ids of its rows begin with, unique
    within the split; `shard` the number of a file that is one of several.
    """

    path: Path
    name: str
    place: Place
    prefix: str
    shard: str

    def native_id(self, row: RawRow, own: str | None = None) -> str:
        """Return the id of a row within the split: its own if it has one, else its position."""
        parts = (self.prefix, own) if own else (self.prefix, self.shard, str(row.index + 1))
        return ":".join(part for part in parts if part)


class QuestionTables:
    """A dataset of questions in tables, wherever below the root they lie and however named.

    A table takes part if its columns include one of the sets in `columns`; the names are compared
    as they are spelt. One that cannot be read at all takes part too, for its rejects to be seen.
    """

    def __init__(
        self,
        info: DatasetInfo,
        *,
        columns: Sequence[Collection[str]],
        place: Callable[[str], Place],
        parse: Callable[[Table, RawRow], TextRecord],
    ) -> None:
        self._info = info
        self._columns = [frozenset(names) for names in columns]
        self._place = place
        self._parse = parse

    @property
    def info(self) -> DatasetInfo:
        """The dataset's metadata."""
        return self._info

    def detect(self, root: Path) -> str | None:
        """Return the kinds of the tables found, such as "jsonl" or "csv+parquet", or None."""
        kinds = {table.path.suffix.lower().lstrip(".") for table in self.find(root)}
        return "+".join(sorted(kinds)) or None

    def iter_rows(self, root: Path) -> Iterator[Row]:
        """Yield the rows of all tables, table by table, as records or rejects.

        Raises
        ------
        DatasetNotFoundError
            No table of the dataset lies below `root`.
        """
        tables = self.find(root)
        if not tables:
            raise not_found(self._info, root)
        for table in tables:
            parse = self._parser_of(table)
            yield from parse_rows(read_rows(root, table.path), parse)

    def _parser_of(self, table: Table) -> Callable[[RawRow], TextRecord]:
        return lambda row: self._parse(table, row)

    def find(self, root: Path) -> list[Table]:
        """Return the dataset's tables in the order in which they are read."""
        paths = [path for path in find_tables(root) if path.suffix.lower() in _SUFFIXES]
        placed = [
            (self._place(path.relative_to(root).as_posix()), path)
            for path in paths
            if self._takes_part(path)
        ]
        placed.sort(key=lambda pair: (pair[0].rank, pair[1].relative_to(root).parts))
        claims: dict[tuple[str, str], str] = {}
        return [_name_table(root, path, place, claims) for place, path in placed]

    def _takes_part(self, path: Path) -> bool:
        columns = read_columns(path)
        return columns is None or any(wanted <= columns for wanted in self._columns)


def _name_table(root: Path, path: Path, place: Place, claims: dict[tuple[str, str], str]) -> Table:
    """Give a table a prefix that no other family of files uses in its split.

    The first family of a split and variant gets the bare variant; a second copy of the same (a
    newer release beside an older, csv beside parquet) is told apart by its path. The shards of
    one table are a family.
    """
    name = path.relative_to(root).as_posix()
    stem = name.removesuffix(path.suffix)
    shard = _SHARD.search(path.stem)
    family = stem[: -len(shard.group())].rstrip("/") if shard else name
    owner = claims.setdefault((place.split, place.variant), family)
    prefix = place.variant if owner == family else f"{place.variant}@{family}".lstrip("@")
    return Table(
        path=path,
        name=name,
        place=place,
        prefix=prefix,
        shard=(shard["of_many"] or shard["converted"]) if shard else "",
    )


def find_split(name: str, default: str) -> str:
    """Return the split that a file's path names, the nearest to its end; `valid` and `val` are dev.

    `name` is a POSIX path: `questions/US/dev.jsonl`, `data/train-00000-of-00001.parquet`,
    `phrases_no_exclude_test.jsonl`, `default/train/0000.parquet`.
    """
    found = _SPLITS.findall(name.rsplit(".", 1)[0].lower())
    if not found:
        return default
    return found[-1] if found[-1] in {"train", "test"} else "dev"
