"""Groups of hits: one for each case, study, article ..., represented by its best record."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from service.retrieval.columns import BuildColumns, GroupColumn
from service.retrieval.fusion import Fused
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
    """One hit-to-be and how many records of its index share its group; 0 without grouping."""

    fused: Fused
    group_records: int


def first_of_groups(
    ranked: Sequence[Fused], builds: Sequence[BuildColumns], by: GroupBy, k: int
) -> list[Chosen]:
    """Return the best record of each of the first `k` groups, in rank order.

    A record that states no group (a text record has no series) is a group by itself. Groups of
    two indexes are never the same.
    """
    columns = [_group_column(build, GROUP_COLUMNS[by]) for build in builds]
    seen: set[tuple[int, int]] = set()
    chosen: list[Chosen] = []
    for fused in ranked:
        if len(chosen) == k:
            break
        column = columns[fused.key.reader]
        code = -1 if column is None else int(column.codes[fused.key.row])
        if code >= 0:
            group = (fused.key.reader, code)
            if group in seen:
                continue
            seen.add(group)
        chosen.append(Chosen(fused, int(column.sizes[code]) if column and code >= 0 else 1))
    return chosen


def _group_column(build: BuildColumns, name: str) -> GroupColumn | None:
    return build.groups(name) if name in build.names else None
