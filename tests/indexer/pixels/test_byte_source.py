from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from indexer.pixels.byte_source import FileBytes

CONTENT = bytes(i % 251 for i in range(100_000))


@given(
    st.lists(
        st.tuples(st.integers(0, 110_000), st.integers(0, 70_000)),
        min_size=1,
        max_size=20,
    )
)
def test_slices_of_a_file_equal_slices_of_its_bytes(extents: list[tuple[int, int]]) -> None:
    path = Path(__file__).with_suffix(".py")  # any file will do
    content = path.read_bytes()
    with path.open("rb") as stream:
        source = FileBytes(stream.fileno())
        assert len(source) == len(content)
        for start, size in extents:
            assert source[start : start + size] == content[start : start + size]


def test_blocks_are_fetched_anew_when_a_slice_lies_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    with path.open("rb") as stream:
        source = FileBytes(stream.fileno())
        for start, size in ((0, 10), (90_000, 10_000), (5, 3), (30_000, 40_000), (99_999, 50)):
            assert source[start : start + size] == CONTENT[start : start + size]


def test_a_file_that_shrinks_gives_short_slices(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    with path.open("rb") as stream:
        source = FileBytes(stream.fileno())
        path.write_bytes(b"abc")
        assert source[0:10] == b"abc"
