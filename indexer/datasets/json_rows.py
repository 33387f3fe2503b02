"""Streaming reader of JSON lines and of JSON lists: memory holds one entry, never the file."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from indexer.datasets.raw_row import MAX_ROW_CHARS, RawRow
from indexer.records import Reject

_CHUNK_CHARS = 1 << 16
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_ENTRY_MARKS = re.compile(r'["{}\[\],]')
_STRING_MARKS = re.compile(r'["\\\n]')


def read_json_rows(root: Path, path: Path) -> Iterator[RawRow | Reject]:
    """Yield the objects of a JSON list, or of a file with one object a line, whatever its name.

    An entry that is malformed, no object, not UTF-8 or longer than `MAX_ROW_CHARS` is a `Reject`;
    so is the end of a list that was cut off. The rest is still read.
    """
    name = path.relative_to(root).as_posix()
    is_list = is_json_list(path)
    with _open(path) as stream:
        entries = _ListSplitter(stream).entries() if is_list else _split_lines(stream)
        for index, (line, text) in enumerate(entries):
            yield _parse_entry(name, line, index, text)


def is_json_list(path: Path) -> bool:
    """Return whether the first character of a file that is no white space opens a list."""
    with _open(path) as stream:
        while chunk := stream.read(_CHUNK_CHARS):
            if chunk.strip():
                return chunk.lstrip()[0] == "["
    return False


def _open(path: Path) -> TextIO:
    """Open a text file; bytes that are not UTF-8 become lone surrogates."""
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n")


def _split_lines(stream: TextIO) -> Iterator[tuple[int, str | None]]:
    """Yield (line from 1, text) of each line that is not blank; None for one that is too long."""
    number = 0
    while line := stream.readline(MAX_ROW_CHARS + 1):
        number += 1
        if len(line) > MAX_ROW_CHARS and not line.endswith("\n"):
            while line and not line.endswith("\n"):
                line = stream.readline(_CHUNK_CHARS)
            yield number, None
        elif line.strip():
            yield number, line


class _ListSplitter:
    """Cuts the text of a JSON list into the texts of its entries, reading each character once.

    Only strings and brackets are understood here: enough to find where an entry ends, also when
    the entry itself is malformed. JSON allows no bare line feed in a string: one that goes on to
    the end of its line was never closed. It ends there, and its entry, which may have lost its
    bracket with it, ends before the next `,{`: so it spoils one entry, not the rest of the file.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._line = 1
        self._entry_line = 1
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._unclosed = False
        self._parts: list[str] = []
        self._length = 0
        self._closed = False

    def entries(self) -> Iterator[tuple[int, str | None]]:
        """Yield (line on which it starts, text) of each entry; None for one that is too long."""
        while not self._closed and (chunk := self._stream.read(_CHUNK_CHARS)):
            yield from self._feed(chunk)
        if not self._closed:
            # What is left is an entry that was cut, or the place where the next was to stand.
            yield self._entry_line, "".join(self._parts) if self._length else ""

    def _feed(self, chunk: str) -> Iterator[tuple[int, str | None]]:
        position = 0
        while position < len(chunk) and not self._closed:
            if self._in_string:
                position = self._pass_string(chunk, position)
                continue
            mark = _ENTRY_MARKS.search(chunk, position)
            end = mark.start() if mark else len(chunk)
            self._keep(chunk[position:end])
            position = end + 1
            if mark:
                yield from self._meet(mark.group())

    def _pass_string(self, chunk: str, position: int) -> int:
        """Keep the text of a string up to its closing quote; return where to go on."""
        if self._escaped:
            self._escaped = False
            self._keep(chunk[position])
            return position + 1
        mark = _STRING_MARKS.search(chunk, position)
        end = mark.end() if mark else len(chunk)
        self._keep(chunk[position:end])
        if mark:
            self._in_string = self._escaped = mark.group() == "\\"
            self._unclosed |= mark.group() == "\n"
        return end

    def _meet(self, mark: str) -> Iterator[tuple[int, str | None]]:
        """Follow one structural character; at the end of an entry, yield it."""
        if mark == "," and self._depth == 1:
            yield from self._finish()
            return
        if self._unclosed and mark == "{" and "".join(self._parts[-2:]).rstrip().endswith(","):
            self._depth = 1
            yield from self._finish()
        if mark in "[{":
            self._depth += 1
            if self._depth == 1:  # the bracket that opens the list
                self._restart()
                return
        elif mark in "]}":
            self._depth -= 1
            if self._depth <= 0:
                self._closed = True
                yield from self._finish()
                return
        elif mark == '"':
            self._in_string = True
        self._keep(mark)

    def _keep(self, text: str) -> None:
        """Add text to the entry, unless it has grown too long to be one."""
        if not self._length:
            leading = len(text) - len(text.lstrip())
            self._line += text.count("\n", 0, leading)
            text = text[leading:]
            self._entry_line = self._line
        self._line += text.count("\n")
        self._length += len(text)
        if self._length <= MAX_ROW_CHARS:
            self._parts.append(text)

    def _finish(self) -> Iterator[tuple[int, str | None]]:
        """Yield the entry that ends here, if there is one, and make room for the next."""
        if self._length:
            too_long = self._length > MAX_ROW_CHARS
            yield self._entry_line, None if too_long else "".join(self._parts)
        self._restart()

    def _restart(self) -> None:
        self._parts = []
        self._length = 0
        self._unclosed = False


def _parse_entry(name: str, line: int, index: int, text: str | None) -> RawRow | Reject:
    """Parse the text of one entry, which must be an object of valid Unicode."""
    reason = None
    value: object = None
    if text is None:
        reason = f"longer than {MAX_ROW_CHARS} characters"
    elif "\0" in text:
        reason = "holds NUL bytes"
    else:
        try:
            text.encode("utf-8")  # fails for the bytes that were none
            value = json.loads(text)
            if _ESCAPED_SURROGATE.search(text):
                json.dumps(value, ensure_ascii=False).encode("utf-8")  # fails for half a pair
        except RecursionError:
            reason = "nested too deeply"
        except UnicodeError:
            reason = "not valid UTF-8"
        except ValueError as error:
            reason = f"not valid JSON ({error})" if text.strip() else "the list is cut off here"
    if reason is None and not isinstance(value, dict):
        reason = f"a {type(value).__name__}, expected an object"
    if reason is not None:
        return Reject(path=name, line=line, reason=f"entry {index + 1}: {reason}")
    return RawRow(path=name, line=line, index=index, values=value)  # type: ignore[arg-type]
