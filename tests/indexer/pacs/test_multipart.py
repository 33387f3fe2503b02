import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.pacs.multipart import first_part

TYPE = 'multipart/related; type="application/dicom"; boundary="{}"'


@given(content=st.binary(min_size=1).filter(lambda raw: b"\r\n--cut" not in raw))
def test_the_content_comes_out_as_it_went_in(content: bytes) -> None:
    body = b"--cut\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n--cut--\r\n"
    assert first_part(TYPE.format("cut"), body) == content


def test_of_several_parts_the_first_is_taken() -> None:
    body = b"--b\r\nA: 1\r\n\r\none\r\n--b\r\nA: 2\r\n\r\ntwo\r\n--b--"
    assert first_part(TYPE.format("b"), body) == b"one"


def test_a_bare_file_is_understood() -> None:
    assert first_part("application/dicom", b"file") == b"file"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html", b"<html>"),
        ("multipart/related", b"--b\r\n\r\nx\r\n--b--"),
        (TYPE.format("b"), b""),
        (TYPE.format("b"), b"--b\r\nA: 1\r\n\r\ncut of"),
        (TYPE.format("b"), b"--b\r\nA: 1\r\n\r\n\r\n--b--"),
        ("application/dicom", b""),
    ],
)
def test_what_is_not_whole_is_nothing(content_type: str, body: bytes) -> None:
    assert first_part(content_type, body) is None
