"""Groups of hits: one for each case, study, article ..., represented by its best record."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from service.retrieval.columns import BuildColumns, GroupColumn, Mask
from service.retrieval.fusion import Fused, Key
from service.retrieval.query import GroupBy

GROUP_COLUMNS: Mapping[GroupBy, str] = MappingProxyType(
    {
        "case": "case_id",
        "study": "study_id",
        "series": "series_id",
        "patient": "patient_id",
        "article": "article_id",
    }
)


class Chosen(NamedTuple):
    """A hit-to-be, the best of its group, and the group's next best, as far as they are known.

    `group_code` is the group's number in its index, -1 for a record that is a group by itself;
    `group_records` counts the group's records there, 0 without grouping.
    """

    fused: Fused
    group_code: int = -1
    group_records: int = 0
    others: tuple[Fused, ...] = ()


class Groups:
    """Groups of ranked records in the order of their best; records are added best first.

    A record that states no group (a text record has no series) is a group by itself. Groups of
    two indexes are never the same.
    """

    def __init__(self, builds: Sequence[BuildColumns], by: GroupBy, size: int) -> None:
        self._columns = [_group_column(build, GROUP_COLUMNS[by]) for build in builds]
        self._size = size
        self._places: dict[tuple[int, int], int] = {}
        self._chosen: list[Chosen] = []

    def __len__(self) -> int:
        """Return how many groups have been met."""
        return len(self._chosen)

    def add(self, ranked: Iterable[Fused]) -> None:
        """Put records that rank below all earlier ones into their groups."""
        for fused in ranked:
            column, code = self._column_and_code(fused.key)
            if column is None or code < 0:
                self._chosen.append(Chosen(fused, group_records=1))
                continue
            place = self._places.setdefault((fused.key.reader, code), len(self._chosen))
            if place == len(self._chosen):
                self._chosen.append(Chosen(fused, code, int(column.sizes[code])))
            elif len(self._chosen[place].others) < self._size - 1:
                known = self._chosen[place]
                self._chosen[place] = known._replace(others=(*known.others, fused))

    def of(self, key: Key) -> Hashable:
        """Return what tells a record's group from others."""
        _, code = self._column_and_code(key)
        return (key.reader, -1 - key.row) if code < 0 else (key.reader, code)

    def page(self, offset: int, k: int) -> list[Chosen]:
        """Return `k` groups after the first `offset`."""
        return self._chosen[offset : offset + k]

    def members(self, chosen: Chosen) -> Mask:
        """Return which records of its build belong to a chosen group: bool (n,)."""
        column = self._columns[chosen.fused.key.reader]
        if column is None or chosen.group_code < 0:
            message = "the record is in no group"
            raise ValueError(message)
        members: Mask = column.codes == chosen.group_code
        return members

    def _column_and_code(self, key: Key) -> tuple[GroupColumn | None, int]:
        column = self._columns[key.reader]
        return column, -1 if column is None else int(column.codes[key.row])


def _group_column(build: BuildColumns, name: str) -> GroupColumn | None:
    return build.groups(name) if name in build.names else None
