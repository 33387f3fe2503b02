import itertools
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from indexer.datasets.raw_row import RawRow
from indexer.datasets.side_table import SideTable
from indexer.records import Reject


def rows(keys: str) -> Iterator[RawRow | Reject]:
    for index, key in enumerate(keys):
        yield RawRow(path="side.csv", line=index + 1, index=index, values={"ID": key, "v": index})


def parse(row: RawRow) -> tuple[str, object]:
    if row.text("ID") == "!":
        raise row.bad("broken")
    return row.text("ID"), row.get("v")


@given(st.permutations("abcdef"), st.permutations("abcdefg"))
def test_every_key_finds_its_value_in_any_order(stored: list[str], asked: list[str]) -> None:
    table = SideTable(rows("".join(stored)), parse)
    found = {key: table.find(key) for key in asked}
    assert found == {key: stored.index(key) if key in stored else None for key in "abcdefg"}


def test_of_two_rows_of_one_key_the_first_counts() -> None:
    table = SideTable(rows("aabb"), parse)
    assert (table.find("b"), table.find("a")) == (2, 0)


def test_a_key_may_be_asked_for_twice_in_a_row() -> None:
    table = SideTable(rows("ab"), parse)
    assert (table.find("a"), table.find("a"), table.find("b")) == (0, 0, 1)


def test_no_more_is_read_than_is_asked_for() -> None:
    read = []

    def watched() -> Iterator[RawRow | Reject]:
        for row in rows("abcdef"):
            read.append(row)
            yield row

    table = SideTable(watched(), parse)
    table.find("b")
    assert len(read) == 2


def test_rows_that_cannot_be_read_are_handed_over_once() -> None:
    broken = Reject(path="side.csv", line=9, reason="not UTF-8")
    table = SideTable(itertools.chain(rows("a!"), [broken], rows("b")), parse)
    assert table.find("b") == 0
    assert [(reject.line, reject.reason) for reject in table.take_rejects()] == [
        (2, "broken"), (9, "not UTF-8"),
    ]  # fmt: skip
    assert table.take_rejects() == []
