import struct
import zlib

import pytest

from indexer.errors import DecodeError, LimitExceededError
from indexer.pixels.elements import (
    DEFLATED_LITTLE,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    MAX_HEADER_BYTES,
    Body,
    Encoding,
    open_body,
    walk,
    walk_items,
)
from indexer.pixels.limits import Budget, DecodeLimits

LIMITS = DecodeLimits()
EXPLICIT = Encoding(EXPLICIT_LITTLE, implicit=False, little_endian=True)
UNDEFINED = 0xFFFFFFFF


def _short(tag: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def _long(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr, 0, size) + value


def _implicit(tag: int, value: bytes, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, size) + value


def _item(value: bytes, *, undefined: bool = False) -> bytes:
    if undefined:
        return _implicit(0xFFFEE000, value, UNDEFINED) + _implicit(0xFFFEE00D, b"")
    return _implicit(0xFFFEE000, value)


def _body(raw: bytes, encoding: Encoding = EXPLICIT) -> Body:
    return Body(raw, 0, len(raw), encoding, Budget(16, 1000))


END = _implicit(0xFFFEE0DD, b"")
LAST = _short(0x00280010, b"US", b"\x02\0")


def test_walks_in_order_and_stops_behind_the_last_wanted_tag() -> None:
    raw = _short(0x00080060, b"CS", b"CT") + LAST + _short(0x00281050, b"DS", b"40")
    tags = [element.tag for element in walk(_body(raw), last_tag=0x00280010)]
    assert tags == [0x00080060, 0x00280010]


@pytest.mark.parametrize("undefined", [False, True])
def test_sequences_are_stepped_over_however_long_they_say_they_are(undefined: bool) -> None:
    inner = _long(0x00081140, b"SQ", _item(LAST, undefined=True) + END, UNDEFINED)
    items = _item(inner + LAST, undefined=undefined)
    length = UNDEFINED if undefined else len(items)
    raw = _long(0x00081115, b"SQ", items + (END if undefined else b""), length) + LAST
    elements = list(walk(_body(raw)))
    assert [element.tag for element in elements] == [0x00081115, 0x00280010]
    assert elements[1].end == len(raw)


def test_an_unknown_value_of_undefined_length_is_implicit_inside() -> None:
    inside = _item(_implicit(0x00080060, b"CT"), undefined=True)
    raw = _long(0x00091001, b"UN", inside + END, UNDEFINED) + LAST
    assert [element.tag for element in walk(_body(raw))] == [0x00091001, 0x00280010]


def test_deep_nesting_is_refused_without_recursion() -> None:
    opening = _long(0x00081115, b"SQ", b"", UNDEFINED) + _implicit(0xFFFEE000, b"", UNDEFINED)
    with pytest.raises(LimitExceededError, match="nest"):
        list(walk(_body(opening * 100_000)))


def test_an_unclosed_sequence_is_refused() -> None:
    raw = _long(0x00081115, b"SQ", _item(LAST), UNDEFINED)
    with pytest.raises(DecodeError, match="ends inside"):
        list(walk(_body(raw)))


def test_an_element_beyond_the_end_is_yielded_with_its_stated_end() -> None:
    raw = _long(0x7FE00010, b"OW", b"\0\0", 4_000_000_000)
    (element,) = walk(_body(raw))
    assert element.end == 12 + 4_000_000_000


def test_items_of_a_sequence() -> None:
    first = _short(0x00080060, b"CS", b"CT")
    raw = _long(0x00081115, b"SQ", _item(first) + _item(LAST, undefined=True) + END, UNDEFINED)
    body = _body(raw)
    (sequence,) = walk(body)
    tags = [[e.tag for e in walk(item)] for item in walk_items(body, sequence)]
    assert tags == [[0x00080060], [0x00280010]]


def test_a_sequence_of_something_else_is_refused() -> None:
    raw = _long(0x00081115, b"SQ", LAST)
    body = _body(raw)
    (sequence,) = walk(body)
    with pytest.raises(DecodeError, match="not an item"):
        list(walk_items(body, sequence))


@pytest.mark.parametrize(
    ("first", "syntax"),
    [
        (_short(0x00080060, b"CS", b"CT"), EXPLICIT_LITTLE),
        (_implicit(0x00080060, b"CT"), IMPLICIT_LITTLE),
        (struct.pack(">HH2sH", 8, 0x60, b"CS", 2) + b"CT", EXPLICIT_BIG),
    ],
)
def test_without_file_meta_the_encoding_is_told_from_the_first_element(
    first: bytes, syntax: str
) -> None:
    assert open_body(first, LIMITS).encoding.transfer_syntax_uid == syntax


def test_what_is_not_dicom_is_refused() -> None:
    for raw in (b"", b"short", b"<html><body>not an image</body></html>", bytes(200)):
        with pytest.raises(DecodeError):
            open_body(raw, LIMITS)


META_BYTES = 128 + 4 + 8 + 22


def _deflated(content: bytes, cut: int = 0) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    compressed = deflater.compress(content) + deflater.flush()
    syntax = DEFLATED_LITTLE.encode()
    meta = _short(0x00020010, b"UI", syntax + b"\0" * (len(syntax) % 2))
    return bytes(128) + b"DICM" + meta + compressed[: len(compressed) - cut]


def test_a_deflated_data_set_is_inflated() -> None:
    body = open_body(_deflated(LAST), LIMITS)
    assert body.source[body.start : body.end] == LAST


def test_a_deflate_bomb_is_refused_at_its_limit_or_cut_there() -> None:
    bomb = _deflated(LAST + bytes(50_000_000))
    assert len(bomb) < 60_000
    with pytest.raises(LimitExceededError, match="inflates"):
        open_body(bomb, DecodeLimits(max_inflated_bytes=1_000_000))
    header = open_body(bomb, DecodeLimits(max_inflated_bytes=1_000_000), header_only=True)
    assert len(header.source) == 1_000_000
    assert len(open_body(bomb, LIMITS, header_only=True).source) == MAX_HEADER_BYTES


def test_a_cut_or_damaged_deflate_stream_is_refused() -> None:
    raw = _deflated(bytes(range(256)) * 10, cut=20)
    with pytest.raises(DecodeError, match="cut short"):
        open_body(raw, LIMITS)
    damaged = _deflated(LAST)[:META_BYTES] + b"\x07" + bytes(20)  # a block of no known type
    with pytest.raises(DecodeError, match="damaged"):
        open_body(damaged, LIMITS)


def test_the_number_of_elements_is_limited_however_they_are_nested() -> None:
    flat = LAST * 2000
    nested = _long(0x00081115, b"SQ", _item(b"") * 2000 + END, UNDEFINED)
    for raw in (flat, nested):
        with pytest.raises(LimitExceededError, match="too many elements"):
            list(walk(_body(raw)))
    defined = _long(0x00081115, b"SQ", _item(b"") * 2000)
    body = _body(defined)
    (sequence,) = walk(body)
    with pytest.raises(LimitExceededError, match="too many elements"):
        list(walk_items(body, sequence))


def test_an_implicit_element_inside_an_explicit_file_is_stepped_over() -> None:
    stray = _implicit(0x00081030, b"no VR here")
    inside = _long(0x00081115, b"SQ", _item(stray, undefined=True) + END, UNDEFINED)
    for raw in (stray + LAST, inside + LAST):
        assert [element.tag for element in walk(_body(raw))][-1] == 0x00280010


def test_an_unknown_vr_has_a_short_length() -> None:
    raw = _short(0x00091001, b"ZZ", b"private") + LAST
    assert [element.tag for element in walk(_body(raw))] == [0x00091001, 0x00280010]
