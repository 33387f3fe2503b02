import csv
import io
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.datasets.csv_rows import read_csv_header, read_csv_rows
from indexer.datasets.raw_row import MAX_ROW_CHARS, RawRow
from indexer.records import Reject

Outcome = tuple[int, list[object] | str]


def read(path: Path, raw: bytes, columns: list[str] | None = None) -> list[Outcome]:
    """Write a file and read it: (line, values) for each row, (line, reason) for each reject."""
    path.write_bytes(raw)
    outcomes: list[Outcome] = []
    for row in read_csv_rows(path.parent, path, columns):
        if isinstance(row, Reject):
            assert row.path == path.name
            assert row.line is not None
            outcomes.append((row.line, row.reason))
        else:
            outcomes.append((row.line, list(row.values.values())))
    return outcomes


def test_a_plain_file(tmp_path: Path) -> None:
    rows = read(tmp_path / "t.csv", b"ID,Caption\nx,one\ny,two\n")
    assert rows == [(2, ["x", "one"]), (3, ["y", "two"])]


def test_mark_crlf_blank_lines_and_multi_line_cells(tmp_path: Path) -> None:
    raw = b'\xef\xbb\xbf ID ,Caption\r\nx,"a ""b""\r\n\r\nc, d"\r\n\r\ny,e\r\n'
    rows = read(tmp_path / "t.csv", raw)
    assert rows == [(2, ["x", 'a "b"\r\n\r\nc, d']), (6, ["y", "e"])]
    assert read_csv_header(tmp_path / "t.csv") == ("ID", "Caption")


def test_indexes_count_the_rows_that_cannot_be_read_as_well(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n1,2\n3\n4,5\n")
    rows = [row for row in read_csv_rows(tmp_path, path) if isinstance(row, RawRow)]
    assert [(row.index, row.line) for row in rows] == [(0, 2), (2, 4)]


@pytest.mark.parametrize(
    ("delimiter", "header"), [("\t", "a\tb, c"), (",", "a,b; c"), (";", "a;b | c"), ("|", "a|b")]
)
def test_the_delimiter_is_told_by_the_first_line(
    tmp_path: Path, delimiter: str, header: str
) -> None:
    rows = read(tmp_path / "t.txt", f"{header}\n1{delimiter}2\n".encode())
    assert rows == [(2, ["1", "2"])]


def test_a_delimiter_within_quotes_does_not_count(tmp_path: Path) -> None:
    assert read(tmp_path / "t.csv", b'"a\tb",c\n1,2\n') == [(2, ["1", "2"])]


def test_one_column_and_old_line_ends(tmp_path: Path) -> None:
    assert read(tmp_path / "t.csv", b"Img_Path\rx/y.png\rx/z.png\r") == [
        (2, ["x/y.png"]),
        (3, ["x/z.png"]),
    ]


def test_names_for_a_file_without_header(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"study1/,1\nstudy2/,0\n")
    rows = [r for r in read_csv_rows(tmp_path, path, ["path", "label"]) if isinstance(r, RawRow)]
    assert [dict(row.values) for row in rows] == [
        {"path": "study1/", "label": "1"},
        {"path": "study2/", "label": "0"},
    ]
    assert [row.index for row in rows] == [0, 1]


def test_an_unnamed_first_column_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b",Age\n0,60\n")
    (row,) = read_csv_rows(tmp_path, path)
    assert isinstance(row, RawRow)
    assert row.values == {"": "0", "Age": "60"}


def test_wrong_numbers_of_cells_are_rejected_but_empty_ends_are_not(tmp_path: Path) -> None:
    rows = read(tmp_path / "t.csv", b"a,b\n1,2,,\n3\n4,5,6\n7,\n")
    assert rows == [
        (2, ["1", "2"]),
        (3, "1 cells, expected 2"),
        (4, "3 cells, expected 2"),
        (5, ["7", ""]),
    ]


def test_two_columns_of_one_name_make_the_file_unreadable(tmp_path: Path) -> None:
    assert read(tmp_path / "t.csv", b"a,a\n1,2\n") == [(1, "header: two columns of one name")]


@pytest.mark.parametrize("raw", [b"", b"\n\r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_rows(tmp_path: Path, raw: bytes) -> None:
    assert read(tmp_path / "t.csv", raw) == []
    assert read_csv_header(tmp_path / "t.csv") == ()


def test_bytes_that_are_not_text_cost_their_row_only(tmp_path: Path) -> None:
    rows = read(tmp_path / "t.csv", b'a,b\n1,x\0y\n2,caf\xe9\n3,"two\nl\xffnes"\n4,ok\n')
    assert rows == [
        (2, "holds NUL bytes"),
        (3, "not valid UTF-8"),
        (4, "the row, over 2 lines, cannot be read: not valid UTF-8"),
        (6, ["4", "ok"]),
    ]


def test_a_quote_that_is_never_closed_costs_its_row_only(tmp_path: Path) -> None:
    raw = b'a,b\n1,"open\n2,x\n3,"fine, \nhere"\n4,y\n'
    rows = read(tmp_path / "t.csv", raw)
    assert [row for row in rows if isinstance(row[1], list)] == [
        (3, ["2", "x"]),
        (4, ["3", "fine, \nhere"]),
        (6, ["4", "y"]),
    ]
    ((line, reason),) = [row for row in rows if isinstance(row[1], str)]
    assert line == 2
    assert "cannot be read" in str(reason)


def test_a_quote_open_at_the_end_of_the_file_is_a_reject_not_half_a_record(tmp_path: Path) -> None:
    rows = read(tmp_path / "t.csv", b'a,b\n1,x\n2,"cut off he')
    assert rows == [(2, ["1", "x"]), (3, "unexpected end of data")]


def test_a_broken_quote_that_swallows_a_large_file(tmp_path: Path) -> None:
    lines = b"".join(b"%d,text number %d\n" % (n, n) for n in range(50_000))
    rows = read(tmp_path / "t.csv", b'a,b\n0,"open\n' + lines)
    assert sum(isinstance(values, list) for _, values in rows) == 50_000
    assert [line for line, values in rows if isinstance(values, str)] == [2]


def test_many_broken_quotes_do_not_take_quadratic_work(tmp_path: Path) -> None:
    rows = read(tmp_path / "t.csv", b"a,b\n" + b'1,"open\n' * 20_000)
    assert len(rows) == 20_000
    assert all(isinstance(reason, str) for _, reason in rows)


def test_sloppy_quotes_on_one_line_are_read_as_spreadsheets_do(tmp_path: Path) -> None:
    rows = read(tmp_path / "t.csv", b'a,b\n1,5" wide\n2,"so" called\n')
    assert rows == [(2, ["1", '5" wide']), (3, ["2", "so called"])]


def test_quotes_are_mere_characters_in_tab_separated_text_that_does_not_quote(
    tmp_path: Path,
) -> None:
    rows = read(tmp_path / "t.tsv", b'a\tb\n1\t"open\n2\tx "y" z\n3\tend\n')
    assert rows == [(2, ["1", '"open']), (3, ["2", 'x "y" z']), (4, ["3", "end"])]


def test_a_gigantic_line_is_passed_over(tmp_path: Path) -> None:
    raw = b"a,b\n1," + b"x" * (20 * MAX_ROW_CHARS) + b"\n2,y\n"
    rows = read(tmp_path / "t.csv", raw)
    assert rows == [(2, f"a line is longer than {MAX_ROW_CHARS} characters"), (3, ["2", "y"])]


def test_a_gigantic_line_within_quotes_is_passed_over(tmp_path: Path) -> None:
    raw = b'a,b\n1,"two\n' + b"x" * (3 * MAX_ROW_CHARS) + b'"\n2,y\n'
    rows = read(tmp_path / "t.csv", raw)
    assert [row for row in rows if isinstance(row[1], list)] == [(4, ["2", "y"])]


def test_a_cell_beyond_the_limit_of_the_csv_module_is_rejected(tmp_path: Path) -> None:
    raw = b'a,b\n1,"' + b"x" * (csv.field_size_limit() + 1) + b'"\n2,y\n'
    rows = read(tmp_path / "t.csv", raw)
    assert [line for line, values in rows if isinstance(values, str)] == [2]
    assert rows[-1] == (3, ["2", "y"])


def test_rows_come_before_the_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 100_000)
    rows = read_csv_rows(tmp_path, path)
    assert len(list(islice(rows, 3))) == 3
    path.write_bytes(b"")  # what was not read yet is gone
    assert len(list(rows)) < 99_997


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=8),
    st.sampled_from("\t,;|"),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_the_csv_module_wrote_is_read_back(
    tmp_path: Path, cells: list[tuple[str, str, str]], delimiter: str, line_end: str
) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([("a", "b", "c"), *cells])
    rows = read(tmp_path / "t.csv", buffer.getvalue().encode())
    assert [values for _, values in rows] == [list(row) for row in cells]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_no_bytes_are_too_strange_to_be_read(tmp_path: Path, raw: bytes) -> None:
    for line, values in read(tmp_path / "t.csv", b'a,b\n1,"2' + raw):
        assert line >= 2
        assert isinstance(values, str) or len(values) == 2
