"""Streaming reader of comma-, tab-, semicolon- and bar-separated files, also of broken ones."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from indexer.datasets.raw_row import MAX_ROW_CHARS, RawRow
from indexer.records import Reject

_SKIP_CHARS = 1 << 16
_DELIMITERS = "\t,;|"


class _UnclosedQuoteError(Exception):
    """A quoted cell goes on for longer than any row may."""


class _LineTooLongError(Exception):
    """A physical line is longer than any row may be."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One physical line; `text` is None if it was too long to keep."""

    number: int
    text: str | None


class _Lines:
    """The physical lines of a file, with the possibility to hand some back."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._number = 0
        self._returned: deque[_Line] = deque()

    def next(self) -> _Line | None:
        """Return the next line, or None at the end of the file."""
        if self._returned:
            return self._returned.popleft()
        text = self._stream.readline(MAX_ROW_CHARS + 1)
        if not text:
            return None
        self._number += 1
        if len(text) <= MAX_ROW_CHARS:
            return _Line(self._number, text)
        while text and text[-1] not in "\r\n":
            text = self._stream.readline(_SKIP_CHARS)
        return _Line(self._number, None)

    def hand_back(self, lines: Sequence[_Line]) -> None:
        """Put lines back, so that they come next and in this order."""
        self._returned.extendleft(reversed(lines))


def read_csv_rows(
    root: Path, path: Path, columns: Sequence[str] | None = None
) -> Iterator[RawRow | Reject]:
    """Yield the rows of a delimited text file under the names of its first row.

    `columns` are the names for a file that has no header. The delimiter is the first of tab,
    comma, semicolon and bar that stands in the first line. A byte order mark, CRLF and blank
    lines are taken as they come. A row is a `Reject` if it holds NUL bytes or bytes that are not
    UTF-8, a cell beyond `csv.field_size_limit()`, or more or fewer cells than there are columns.
    A quote that is opened and never closed properly costs its own row only: the lines after it
    that have the right number of cells by themselves are rows again.
    """
    name = path.relative_to(root).as_posix()
    with _open(path) as stream:
        rows = _RowReader(_Lines(stream), _sniff_delimiter(path))
        index = 0
        for line, outcome in rows.rows(len(columns) if columns else None):
            if columns is None:
                if isinstance(outcome, str) or len(set(outcome)) < len(outcome):
                    reason = outcome if isinstance(outcome, str) else "two columns of one name"
                    yield Reject(path=name, line=line, reason=f"header: {reason}")
                    return
                columns = [cell.strip() for cell in outcome]
                continue
            if isinstance(outcome, str):
                yield Reject(path=name, line=line, reason=outcome)
            else:
                values = dict(zip(columns, outcome, strict=True))
                yield RawRow(path=name, line=line, index=index, values=values)
            index += 1


def read_csv_header(path: Path) -> tuple[str, ...]:
    """Return the cells of the first row that is not blank; () if there is none to be read.

    Whether they are names or already values is for the caller to say.
    """
    with _open(path) as stream:
        for _, outcome in _RowReader(_Lines(stream), _sniff_delimiter(path)).rows(None):
            return () if isinstance(outcome, str) else tuple(cell.strip() for cell in outcome)
    return ()


def _open(path: Path) -> TextIO:
    """Open a file whose lines end in LF, CRLF or (very old) CR; bad bytes become surrogates."""
    with path.open("rb") as stream:
        head = stream.read(_SKIP_CHARS)
    newline = "\r" if b"\r" in head and b"\n" not in head else "\n"
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline=newline)


def _sniff_delimiter(path: Path) -> str:
    """Return the first of the known delimiters that stands in the first line outside quotes."""
    with _open(path) as stream:
        first = stream.readline(_SKIP_CHARS)
    unquoted = "".join(first.split('"')[::2])
    return next((mark for mark in _DELIMITERS if mark in unquoted), ",")


class _RowReader:
    """Assembles physical lines into rows of cells.

    Each row is read strictly first. Where that fails over several lines, a quote was not closed;
    where it fails on one line, the line is read leniently, as spreadsheets do.
    """

    def __init__(self, lines: _Lines, delimiter: str) -> None:
        self._lines = lines
        self._delimiter = delimiter

    def rows(self, width: int | None) -> Iterator[tuple[int, list[str] | str]]:
        """Yield (line from 1, cells or the reason why there are none) for each row.

        `width` is the number of cells that a row must have; None takes it from the first row.
        """
        while (first := self._lines.next()) is not None:
            if first.text is not None and not first.text.strip("\r\n\ufeff "):
                continue
            taken = [first]
            cells = self._read_row(taken)
            outcome = _check_cells(cells, width)
            if isinstance(outcome, str) and len(taken) > 1:
                if isinstance(cells, str) or self._stand_alone(taken[-1], width) is not None:
                    self._lines.hand_back([taken[-1]])
                yield from self._recover(taken, width, outcome)
                continue
            if isinstance(outcome, str) and first.text is not None:
                outcome = _check_cells(self._read_line(first.text), width)
            if width is None and not isinstance(outcome, str):
                width = len(outcome)
            yield first.number, outcome

    def _read_row(self, taken: list[_Line]) -> list[str] | str:
        """Read the row that starts with `taken`, to which further lines are added as needed."""
        reader = csv.reader(self._feed(taken), delimiter=self._delimiter, strict=True)
        try:
            return next(reader, [])
        except csv.Error as error:
            return str(error)
        except _UnclosedQuoteError:
            return f"a quote is not closed within {MAX_ROW_CHARS} characters"
        except _LineTooLongError:
            return f"a line is longer than {MAX_ROW_CHARS} characters"

    def _feed(self, taken: list[_Line]) -> Iterator[str]:
        """Yield the text of the lines of one row, as the csv module asks for them."""
        line: _Line | None = taken[0]
        length = 0
        while line is not None:
            if line.text is None:
                raise _LineTooLongError
            length += len(line.text)
            if length > MAX_ROW_CHARS:
                raise _UnclosedQuoteError
            yield line.text
            line = self._lines.next()
            if line is not None:
                taken.append(line)

    def _recover(
        self, taken: list[_Line], width: int | None, reason: str
    ) -> Iterator[tuple[int, list[str] | str]]:
        """Reject the row that a quote broke, keep the lines within it that are rows themselves.

        Of `taken`, the last line is the caller's affair: where reading broke off there, a row may
        start there. So no line is read more than three times, however many quotes are broken.
        """
        alone = self._stand_alone(taken[0], width)
        if self._delimiter == "\t" and alone is not None:
            yield taken[0].number, alone  # tab-separated files are often written without quoting
        else:
            yield taken[0].number, f"the row, over {len(taken)} lines, cannot be read: {reason}"
        for line in taken[1:-1]:
            cells = self._stand_alone(line, width)
            if cells is not None:
                yield line.number, cells

    def _stand_alone(self, line: _Line, width: int | None) -> list[str] | None:
        """Return the cells of a line that is a row by itself, otherwise None."""
        outcome = "" if line.text is None else _check_cells(self._read_line(line.text), width)
        return None if isinstance(outcome, str) else outcome

    def _read_line(self, text: str) -> list[str] | str:
        """Read one line by itself: strictly, or else with quotes taken as spreadsheets take them.

        In tab-separated text they may be characters like any other; elsewhere they must at least
        be closed, for a line that ends within a quote is only a part of its row.
        """
        try:
            return self._split(text, strict=True)
        except csv.Error as error:
            reason = str(error)
        try:
            if self._delimiter == "\t":
                return self._split(text, quoting=csv.QUOTE_NONE)
            return self._split(text) if text.count('"') % 2 == 0 else reason
        except csv.Error as error:
            return str(error)

    def _split(
        self, text: str, *, strict: bool = False, quoting: Literal[0, 3] = csv.QUOTE_MINIMAL
    ) -> list[str]:
        reader = csv.reader([text], delimiter=self._delimiter, strict=strict, quoting=quoting)
        return next(reader, [])


def _check_cells(outcome: list[str] | str, width: int | None) -> list[str] | str:
    """Return the cells if they can be a row of `width` cells, otherwise the reason why not."""
    if isinstance(outcome, str):
        return outcome
    if width is not None and not any(outcome[width:]):
        outcome = outcome[:width]
    if width is not None and len(outcome) != width:
        return f"{len(outcome)} cells, expected {width}"
    if any("\0" in cell for cell in outcome):
        return "holds NUL bytes"
    try:
        "".join(outcome).encode("utf-8")
    except UnicodeEncodeError:
        return "not valid UTF-8"
    return outcome
