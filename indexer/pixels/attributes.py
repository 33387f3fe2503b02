"""Reads the values of a few wanted elements, each by the VR that the standard gives its tag."""

import math
import struct
from collections.abc import Container, Iterator, Mapping
from typing import Final, Self

from indexer.errors import DecodeError
from indexer.pixels.elements import UNDEFINED_LENGTH, Body, Element, walk, walk_items

MAX_VALUE_BYTES: Final = 1 << 20
"""More than any value that describes pixels needs; the longest is a palette of 128 KiB."""


class Attributes:
    """The wanted elements of one data set or sequence item; those that are absent read as empty.

    The VR stated in the file is not used, since it is often "UN" or wrong; each method reads what
    its name says.
    """

    def __init__(self, body: Body, elements: Mapping[int, Element]) -> None:
        self._body = body
        self._elements = elements

    @classmethod
    def collect(cls, body: Body, wanted: Container[int], last_tag: int) -> Self:
        """Walk a data set up to `last_tag` and remember where the wanted elements lie.

        Raises
        ------
        DecodeError
            The data set is damaged before `last_tag`.
        """
        elements = walk(body, last_tag)
        return cls(body, {element.tag: element for element in elements if element.tag in wanted})

    def __contains__(self, tag: int) -> bool:
        return tag in self._elements

    @property
    def body(self) -> Body:
        """The data set that the elements lie in."""
        return self._body

    def element(self, tag: int) -> Element | None:
        """Return where an element lies, or None if it is absent."""
        return self._elements.get(tag)

    def raw(self, tag: int) -> bytes:
        """Return the value's bytes.

        Raises
        ------
        DecodeError
            The value is cut off by the end of the file, or far too long to be what it should be.
        """
        element = self._elements.get(tag)
        if element is None or element.undefined_length:
            return b""
        if element.end > len(self._body.source):
            raise DecodeError(f"The DICOM file ends inside {_name(tag)}.")
        if element.end - element.value > MAX_VALUE_BYTES:
            raise DecodeError(f"The value of {_name(tag)} is absurdly long.")
        return self._body.source[element.value : element.end]

    def text(self, tag: int) -> str:
        """Return the value as text without its padding; any 8-bit character set is taken."""
        return self.raw(tag).decode("latin-1").strip(" \0\t\r\n")

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Return the values of a decimal or integer string (DS, IS), empty ones left out.

        Takes what vendors write beyond PS3.5 6.2: leading zeros, decimal commas, blanks.

        Raises
        ------
        DecodeError
            A value is no finite number.
        """
        try:
            parts = [part.strip(" \0") for part in self.text(tag).split("\\")]
            numbers = tuple(float(part.replace(",", ".")) for part in parts if part)
        except ValueError as error:
            raise DecodeError(f"The value of {_name(tag)} is not a number.") from error
        if not all(map(math.isfinite, numbers)):
            raise DecodeError(f"The value of {_name(tag)} is not a finite number.")
        return numbers

    def integer(self, tag: int) -> int | None:
        """Return the first value of an integer string, or None."""
        numbers = self.numbers(tag)
        return int(numbers[0]) if numbers else None

    def shorts(self, tag: int, *, signed: bool = False) -> tuple[int, ...]:
        """Return the values of a US or SS element."""
        raw = self.raw(tag)
        order = "<" if self._body.encoding.little_endian else ">"
        return struct.unpack(
            f"{order}{len(raw) // 2}{'h' if signed else 'H'}", raw[: len(raw) & ~1]
        )

    def short(self, tag: int) -> int | None:
        """Return the first value of a US element, or None."""
        values = self.shorts(tag)
        return values[0] if values else None

    def item(self, tag: int, wanted: Container[int], index: int = 0) -> "Attributes | None":
        """Return the item of that index of a sequence, or None if there is none."""
        for position, body in enumerate(self._item_bodies(tag)):
            if position == index:
                return Attributes.collect(body, wanted, last_tag=UNDEFINED_LENGTH)
        return None

    def _item_bodies(self, tag: int) -> Iterator[Body]:
        """Yield the data set of each item of a sequence."""
        element = self._elements.get(tag)
        if element is not None:
            yield from walk_items(self._body, element)


def _name(tag: int) -> str:
    """Write a tag the way the standard does."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
