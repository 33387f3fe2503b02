"""Walks the top-level elements of a DICOM data set without materialising any of them.

A sequence, a private element or pixel data is stepped over by its length, or by its delimiters
where the length is undefined; nothing recurses, nothing is copied. That bounds the cost of a
header by the size of what is asked for, which pydicom's own reader does not (PS3.5 chapter 7).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from indexer.errors import DecodeError, LimitExceededError
from indexer.pixels.byte_source import ByteSource, inflate
from indexer.pixels.limits import Budget, DecodeLimits

IMPLICIT_LITTLE: Final = "1.2.840.10008.1.2"
EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
DEFLATED_LITTLE: Final = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"

UNDEFINED_LENGTH: Final = 0xFFFFFFFF
ITEM: Final = 0xFFFEE000
ITEM_END: Final = 0xFFFEE00D
SEQUENCE_END: Final = 0xFFFEE0DD
TRANSFER_SYNTAX_UID: Final = 0x00020010

_DELIMITERS: Final = frozenset({ITEM, ITEM_END, SEQUENCE_END})
_LONG_VRS: Final = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
KNOWN_VRS: Final = _LONG_VRS | frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()
)
_PREAMBLE_BYTES: Final = 128
_SHORTEST_ELEMENT_BYTES: Final = 8
LONGEST_HEADER_BYTES: Final = 12

MAX_HEADER_BYTES: Final = 16 * 1024 * 1024
_FIRST_GROUPS: Final = frozenset({0x0002, 0x0008})
"""What a file without preamble may begin with: file meta, or the identifying group."""


@dataclass(frozen=True, slots=True)
class Element:
    """Where one element lies: its tag, VR (b"" if implicit) and the extent of its value.

    `value` is the offset of its value, `end` the first byte behind the element, its closing
    delimiter included.
    """

    tag: int
    vr: bytes
    value: int
    end: int
    undefined_length: bool


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the elements of a data set are written."""

    transfer_syntax_uid: str
    implicit: bool
    little_endian: bool


@dataclass(frozen=True, slots=True)
class Body:
    """A data set: the bytes it lies in (inflated if they were deflated), and where in them."""

    source: ByteSource
    start: int
    end: int
    encoding: Encoding
    budget: Budget


def open_body(source: ByteSource, limits: DecodeLimits, *, header_only: bool = False) -> Body:
    """Find the data set in a DICOM file, with or without preamble and file meta group.

    Without a stated transfer syntax, the encoding is told from the first element. With
    `header_only`, of a deflated data set no more is inflated than a header needs.

    Raises
    ------
    DecodeError
        The bytes do not begin like a DICOM file.
    LimitExceededError
        A deflated data set inflates to more than `limits.max_inflated_bytes`.
    """
    has_preamble = source[_PREAMBLE_BYTES : _PREAMBLE_BYTES + 4] == b"DICM"
    syntax, offset = _read_file_meta(source, _PREAMBLE_BYTES + 4 if has_preamble else 0)
    if syntax == DEFLATED_LITTLE:
        allowed = limits.max_inflated_bytes
        if header_only:
            allowed = min(allowed, MAX_HEADER_BYTES)
        source, offset = inflate(source, offset, allowed, whole=not header_only), 0
    encoding = _guess_encoding(source[offset : offset + 8], syntax)
    budget = Budget(limits.max_nesting, limits.max_elements)
    return Body(source, offset, len(source), encoding, budget)


def walk(body: Body, last_tag: int = UNDEFINED_LENGTH) -> Iterator[Element]:
    """Yield the top-level elements of a data set in file order, up to and including `last_tag`.

    An element that runs beyond the end of the file is yielded with its stated end, so that a
    caller who needs its value notices.

    Raises
    ------
    DecodeError
        The bytes end inside an element's header, or a sequence is never closed.
    LimitExceededError
        Sequences nest too deep, or there are too many elements.
    """
    offset = body.start
    while offset + _SHORTEST_ELEMENT_BYTES <= body.end:
        body.budget.spend()
        tag, vr, length, value = read_element_header(body.source, offset, body.encoding)
        if tag > last_tag or tag in _DELIMITERS:
            return
        undefined = length == UNDEFINED_LENGTH
        end = value + length
        if undefined:
            end = _skip_undefined(body, value, implicit=vr in (b"", b"UN"))
        yield Element(tag, vr, value, end, undefined)
        offset = end


def walk_items(body: Body, sequence: Element) -> Iterator[Body]:
    """Yield the data set of each item of a sequence, in order.

    Raises
    ------
    DecodeError
        What lies in the sequence is not an item.
    """
    implicit = body.encoding.implicit or sequence.vr == b"UN"
    encoding = replace(body.encoding, implicit=implicit)
    offset = sequence.value
    while offset + _SHORTEST_ELEMENT_BYTES <= sequence.end:
        body.budget.spend()
        tag, _, length, value = read_element_header(body.source, offset, encoding)
        if tag == SEQUENCE_END:
            return
        if tag != ITEM:
            raise DecodeError("A DICOM sequence holds something that is not an item.")
        end = value + length
        if length == UNDEFINED_LENGTH:
            end = _skip_undefined(body, value, implicit=implicit)
        yield Body(body.source, value, min(end, sequence.end), encoding, body.budget)
        offset = end


def read_element_header(
    source: ByteSource, offset: int, encoding: Encoding
) -> tuple[int, bytes, int, int]:
    """Return tag, VR (b"" if implicit), length and the offset of the value (PS3.5 7.1).

    As pydicom does, takes an unknown VR for a short one, and something that is no VR at all for
    an implicit element that strayed into an explicit file: some writers' sequences hold those.

    Raises
    ------
    DecodeError
        The bytes end.
    """
    order = "<" if encoding.little_endian else ">"
    head = source[offset : offset + LONGEST_HEADER_BYTES]
    try:
        group, number = struct.unpack_from(f"{order}HH", head)
        tag = group << 16 | number
        vr = head[4:6]
        if encoding.implicit or group == ITEM >> 16 or not (vr.isalpha() and vr.isupper()):
            return tag, b"", struct.unpack_from(f"{order}I", head, 4)[0], offset + 8
        if vr in _LONG_VRS:
            return tag, vr, struct.unpack_from(f"{order}I", head, 8)[0], offset + 12
        return tag, vr, struct.unpack_from(f"{order}H", head, 6)[0], offset + 8
    except struct.error as error:
        raise DecodeError("The DICOM file ends inside an element.") from error


def _read_file_meta(source: ByteSource, offset: int) -> tuple[str, int]:
    """Return the transfer syntax UID ("" if none is stated) and the offset behind group 0002.

    The group is explicit little endian (PS3.10 7.1), though some write it implicitly; its stated
    length is often wrong, so it is not used.
    """
    syntax = ""
    while source[offset : offset + 2] == b"\x02\x00":
        implicit = source[offset + 4 : offset + 6] not in KNOWN_VRS
        encoding = Encoding("", implicit=implicit, little_endian=True)
        tag, _, length, value = read_element_header(source, offset, encoding)
        offset = value + length
        if tag == TRANSFER_SYNTAX_UID:
            syntax = source[value:offset].decode("ascii", "replace").strip(" \0")
    return syntax, offset


def _guess_encoding(head: bytes, syntax: str) -> Encoding:
    """Tell the encoding from the first element, since stated syntaxes are sometimes wrong."""
    if len(head) < _SHORTEST_ELEMENT_BYTES:
        raise DecodeError("The file holds no DICOM data set.")
    little_group, big_group = struct.unpack("<H", head[:2])[0], struct.unpack(">H", head[:2])[0]
    if not syntax and min(little_group, big_group) not in _FIRST_GROUPS:
        raise DecodeError("The bytes do not begin like a DICOM file.")
    explicit = head[4:6] in KNOWN_VRS
    little = syntax != EXPLICIT_BIG if syntax else little_group <= big_group
    if not syntax:
        plain = EXPLICIT_LITTLE if explicit else IMPLICIT_LITTLE
        syntax = plain if little else EXPLICIT_BIG
    return Encoding(syntax, implicit=not explicit, little_endian=little)


def _skip_undefined(body: Body, offset: int, *, implicit: bool) -> int:
    """Return the offset behind the delimiter that closes a value of undefined length.

    The stack holds, for each open sequence or item, whether its elements are written implicitly:
    those below an element of VR UN are, whatever the file is (PS3.5 6.2.2).
    """
    little = body.encoding.little_endian
    open_values = [implicit]
    while open_values:
        body.budget.spend()
        here = Encoding("", implicit=open_values[-1], little_endian=little)
        tag, vr, length, offset = read_element_header(body.source, offset, here)
        if tag in (ITEM_END, SEQUENCE_END):
            open_values.pop()
        elif length != UNDEFINED_LENGTH:
            offset += length
        else:
            open_values.append(here.implicit or vr == b"UN")
        if len(open_values) > 2 * body.budget.max_nesting:
            raise LimitExceededError(f"Sequences nest deeper than {body.budget.max_nesting}.")
    return offset
