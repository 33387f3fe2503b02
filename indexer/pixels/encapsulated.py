"""Cuts one frame's codestream out of encapsulated pixel data (PS3.5 annex A.4)."""

import struct
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from indexer.errors import DecodeError
from indexer.pixels.attributes import Attributes
from indexer.pixels.codestream import begins_codestream
from indexer.pixels.elements import ITEM, SEQUENCE_END, Body, Element, read_element_header
from indexer.pixels.layout import PixelLayout
from indexer.pixels.tags import PixelTag

_BEGINNING_BYTES: Final = 16

Extent: TypeAlias = tuple[int, int]


def read_codestream(attributes: Attributes, layout: PixelLayout, frame: int) -> bytes:
    """Return the compressed bytes of a frame, its fragments joined.

    Frames are told apart by the offset tables where these fit, else by one fragment a frame,
    else by where codestreams begin.

    Raises
    ------
    DecodeError
        The fragments do not fit the stated number of frames, or run beyond the file.
    """
    element = attributes.element(layout.pixels_tag)
    if element is None or not element.undefined_length:
        raise DecodeError("Compressed pixel data must be encapsulated, and this is not.")
    body = attributes.body
    table, fragments = _walk_fragments(body, element)
    for starts in _candidate_starts(attributes, table, fragments, layout.frames):
        frames = _group(fragments, starts)
        if len(frames) == layout.frames:
            return b"".join(body.source[start:end] for start, end in frames[frame])
    raise DecodeError(
        f"{len(fragments)} fragments of pixel data cannot be shared among {layout.frames} frames."
    )


def _walk_fragments(body: Body, element: Element) -> tuple[Extent, list[Extent]]:
    """Return where the basic offset table and the fragments lie."""
    extents: list[Extent] = []
    offset = element.value
    while True:
        body.budget.spend()
        tag, _, length, value = read_element_header(body.source, offset, body.encoding)
        if tag == SEQUENCE_END:
            break
        offset = value + length
        if tag != ITEM or offset > len(body.source):
            raise DecodeError("The encapsulated pixel data is damaged or cut short.")
        extents.append((value, offset))
    if len(extents) < 2:
        raise DecodeError("The encapsulated pixel data is empty.")
    return extents[0], extents[1:]


def _candidate_starts(
    attributes: Attributes, table: Extent, fragments: Sequence[Extent], frames: int
) -> Iterator[frozenset[int]]:
    """Yield, best first, the sets of fragments (by where they start) that may begin a frame."""
    source = attributes.body.source
    first = fragments[0][0]
    if frames == 1:
        yield frozenset({first})
        return
    every = frozenset(start for start, _ in fragments)
    extended = _unpack("Q", attributes.raw(PixelTag.OFFSET_TABLE))
    basic = _unpack("I", source[table[0] : min(table[1], table[0] + 4 * frames)])
    for offsets in (extended, basic):
        starts = frozenset(first + offset for offset in offsets)
        if starts and starts <= every:
            yield starts
    yield every
    yield frozenset(
        start for start in every if begins_codestream(source[start : start + _BEGINNING_BYTES])
    )


def _unpack(kind: str, raw: bytes) -> tuple[int, ...]:
    """Read little-endian integers, leaving out an incomplete last one."""
    count = len(raw) // struct.calcsize(kind)
    return struct.unpack_from(f"<{count}{kind}", raw)


def _group(fragments: Sequence[Extent], starts: frozenset[int]) -> list[list[Extent]]:
    """Group fragments into frames, a new frame at each start; none before the first start."""
    frames: list[list[Extent]] = []
    for extent in fragments:
        if extent[0] in starts:
            frames.append([])
        if frames:
            frames[-1].append(extent)
    return frames
