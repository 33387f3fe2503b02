import io

import numpy as np
import pytest

from indexer.pixels.npy import read_npy_header


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_header_says_what_follows_it(version: tuple[int, int], order: str) -> None:
    values = np.asarray(np.arange(24, dtype=np.int16).reshape(2, 3, 4), order=order)  # type: ignore[call-overload]
    stream = io.BytesIO()
    np.lib.format.write_array(stream, values, version)
    stream.seek(0)
    assert read_npy_header(stream) == ((2, 3, 4), order == "F", np.dtype(np.int16))
    assert stream.read() == values.tobytes(order="A")


def test_another_version_or_file_is_refused() -> None:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.zeros(1), (3, 0))
    with pytest.raises(ValueError, match="version"):
        read_npy_header(io.BytesIO(stream.getvalue()))
    with pytest.raises(ValueError, match="magic"):
        read_npy_header(io.BytesIO(b"PK\x03\x04 and more than that"))
