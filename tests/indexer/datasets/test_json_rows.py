import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.datasets.json_rows import is_json_list, read_json_rows
from indexer.datasets.raw_row import MAX_ROW_CHARS, RawRow
from indexer.records import Reject

Outcome = tuple[int | None, object]


def read(path: Path, raw: bytes) -> list[Outcome]:
    """Write a file and read it: (line, values) for each row, (line, reason) for each reject."""
    path.write_bytes(raw)
    return [
        (row.line, row.reason if isinstance(row, Reject) else dict(row.values))
        for row in read_json_rows(path.parent, path)
    ]


def test_one_object_a_line(tmp_path: Path) -> None:
    rows = read(tmp_path / "t.jsonl", '\ufeff{"a": "é"}\r\n\n  \n{"a": 2}'.encode())
    assert rows == [(1, {"a": "é"}), (4, {"a": 2})]


def test_a_list_over_many_lines_says_on_which_line_an_entry_starts(tmp_path: Path) -> None:
    entries = [{"a": "x\n]},[{", "b": [1, {"c": '"'}]}, {"a": "\\"}, {}]
    rows = read(tmp_path / "t.json", json.dumps(entries, indent=2).encode())
    assert [values for _, values in rows] == entries
    assert [line for line, _ in rows] == [2, 11, 14]


def test_lines_and_lists_are_told_apart_by_their_first_character_not_by_name(
    tmp_path: Path,
) -> None:
    assert read(tmp_path / "t.json", b'{"a": 1}\n{"a": 2}\n') == [(1, {"a": 1}), (2, {"a": 2})]
    assert read(tmp_path / "t.jsonl", b'\n [{"a": 1},\n {"a": 2}]') == [
        (2, {"a": 1}),
        (3, {"a": 2}),
    ]
    assert is_json_list(tmp_path / "t.jsonl")


def test_indexes_count_the_entries_that_cannot_be_read_as_well(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b'{"a": 1}\nnonsense\n{"a": 3}\n')
    rows = list(read_json_rows(tmp_path, path))
    assert [row.index for row in rows if isinstance(row, RawRow)] == [0, 2]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (b"null", "a NoneType, expected an object"),
        (b'["x"]', "a list, expected an object"),
        (b'{"a": 1', "not valid JSON"),
        (b'{"a": "\xff"}', "not valid UTF-8"),
        (b'{"a": "\\ud800"}', "not valid UTF-8"),
        (b'{"a": "\0"}', "holds NUL bytes"),
        (b'{"a":' + b"[" * 100_000, "nested too deeply"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "not valid JSON"),
        (b'{"a": "' + b"x" * (3 * MAX_ROW_CHARS) + b'"}', f"longer than {MAX_ROW_CHARS}"),
    ],
)
def test_a_bad_line_is_rejected_and_the_next_is_read(
    tmp_path: Path, entry: bytes, reason: str
) -> None:
    rows = read(tmp_path / "t.jsonl", b'{"n": 1}\n' + entry + b'\n{"n": 2}\n')
    assert [rows[0], rows[2]] == [(1, {"n": 1}), (3, {"n": 2})]
    assert rows[1][0] == 2
    assert str(rows[1][1]).startswith(f"entry 2: {reason}")


def test_a_whole_pair_of_surrogates_is_text(tmp_path: Path) -> None:
    assert read(tmp_path / "t.jsonl", b'{"a": "\\ud83d\\ude00"}') == [(1, {"a": "\U0001f600"})]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (b"5", "a int, expected an object"),
        (b'{"a": 1,}', "not valid JSON"),
        (b'{"a": "\xff"}', "not valid UTF-8"),
        (b'{"a": "' + b"x" * (3 * MAX_ROW_CHARS) + b'"}', f"longer than {MAX_ROW_CHARS}"),
    ],
)
def test_a_bad_entry_of_a_list_is_rejected_and_the_next_is_read(
    tmp_path: Path, entry: bytes, reason: str
) -> None:
    rows = read(tmp_path / "t.json", b'[{"n": 1},\n' + entry + b',\n{"n": 2}]')
    assert [rows[0], rows[2]] == [(1, {"n": 1}), (3, {"n": 2})]
    assert rows[1][0] == 2
    assert str(rows[1][1]).startswith(f"entry 2: {reason}")


def test_a_string_that_is_never_closed_costs_its_entry_only(tmp_path: Path) -> None:
    raw = b'[\n{"a": "one"},\n{"a": "two},\n{"a": "three"},\n{"a": "four"}\n]'
    rows = read(tmp_path / "t.json", raw)
    assert [row for row in rows if isinstance(row[1], dict)] == [
        (2, {"a": "one"}),
        (4, {"a": "three"}),
        (5, {"a": "four"}),
    ]
    assert [line for line, reason in rows if isinstance(reason, str)] == [3]


@pytest.mark.parametrize(
    ("raw", "read_before", "reason"),
    [
        (b'[{"a": 1}, {"a": "cut off he', 1, "entry 2: not valid JSON"),
        (b'[{"a": 1},', 1, "entry 2: the list is cut off here"),
        (b"[", 0, "entry 1: the list is cut off here"),
        (b"[" * 100_000, 0, "entry 1: nested too deeply"),
    ],
)
def test_a_list_that_is_cut_off_says_so(
    tmp_path: Path, raw: bytes, read_before: int, reason: str
) -> None:
    rows = read(tmp_path / "t.json", raw)
    assert len(rows) == read_before + 1
    assert str(rows[-1][1]).startswith(reason)


def test_a_list_that_lacks_only_its_end_has_all_its_entries(tmp_path: Path) -> None:
    assert read(tmp_path / "t.json", b'[{"a": 1}, {"a": 2}') == [(1, {"a": 1}), (1, {"a": 2})]


@pytest.mark.parametrize("raw", [b"", b"\n \n", b"[]", b" [ ] trailing"])
def test_nothing_is_in_an_empty_file_or_list(tmp_path: Path, raw: bytes) -> None:
    assert read(tmp_path / "t.json", raw) == []


def test_entries_come_before_the_list_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_bytes(b"[" + b'{"a": 1},' * 50_000 + b'{"a": 1}]')
    rows = read_json_rows(tmp_path, path)
    assert len(list(islice(rows, 3))) == 3
    path.write_bytes(b"")  # what was not read yet is gone
    assert len(list(rows)) < 49_998


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
ENTRIES = st.lists(
    st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), VALUES, max_size=4),
    max_size=6,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ENTRIES, st.sampled_from([None, 0, 2]), st.booleans())
def test_a_streamed_list_equals_a_loaded_one(
    tmp_path: Path, entries: list[dict[str, Any]], indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(entries, indent=indent, ensure_ascii=ascii_only)
    rows = read(tmp_path / "t.json", text.encode())
    assert [values for _, values in rows] == entries


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.sampled_from([b"[", b'[{"a": "', b'{"a": ']))
def test_no_bytes_are_too_strange_to_be_read(tmp_path: Path, raw: bytes, start: bytes) -> None:
    for line, _ in read(tmp_path / "t.json", start + raw):
        assert line is not None
        assert line >= 1
