"""FAISS files: written whole or not at all, opened by mapping, and what lies in them."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer.errors import CorruptBuildError

Vectors = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]


def write_faiss(index: Any, path: Path) -> None:
    """Write FAISS bytes through Python: its own writer can report success on a full disk.

    The file is synced with the folder that it is staged in; a failure shows there at the latest.
    """
    faiss: Any = import_module("faiss")
    with path.open("wb") as stream:
        faiss.write_index(index, faiss.PyCallbackIOWriter(stream.write))


def open_faiss(path: Path, count: int) -> Any:
    """Memory-map a file of `count` vectors: several processes share one copy.

    Raises
    ------
    CorruptBuildError
        FAISS cannot make sense of the file, or it holds another number of vectors.
    """
    faiss: Any = import_module("faiss")
    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        raise unusable(path) from error
    if index.ntotal != count:
        raise unusable(path)
    return index


def codes_of(index: Any) -> Codes:
    """Return the codes of an index without lists, where they lie: uint8 (n, bytes a code).

    They are there for as long as the index is.
    """
    faiss: Any = import_module("faiss")
    if index.ntotal == 0:
        return np.empty((0, index.code_size), np.uint8)
    flat = faiss.rev_swig_ptr(index.codes.data(), index.ntotal * index.code_size)
    return np.asarray(flat).reshape(index.ntotal, index.code_size)


def unusable(path: Path) -> CorruptBuildError:
    """Return the error of a file that does not fit its build."""
    return CorruptBuildError(
        f"FAISS cannot use {path.name} of build {path.parent.name}.",
        remedy="Rebuild the index with `medsearch index`.",
    )
