"""Finds tokenizers that lie on this machine; fetches none.

A tokenizer is named as people name it: an encoding of tiktoken or a model that tiktoken knows
(`o200k_base`, `gpt-4o`), a folder or file of the operator's (`NAME/tokenizer.json`, `NAME.json`),
or a repository of the Hugging Face hub that lies in its local cache (`Qwen/Qwen2.5-7B-Instruct`).
"""

import hashlib
import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType

from indexer.errors import QueryError
from service.prompting.tokens import Estimate, TokenCounter

# tiktoken 0.14: where its encodings come from and the sha256 of the file. tiktoken keeps a file
# under the sha1 of its address, and would fetch one that is missing or damaged.
_FILES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "cl100k_base": (
            "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken",
            "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        ),
        "o200k_base": (
            "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken",
            "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        ),
    }
)
_FILE_OF: Mapping[str, str] = MappingProxyType(
    {"cl100k_base": "cl100k_base", "o200k_base": "o200k_base", "o200k_harmony": "o200k_base"}
)
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_ESTIMATE = Estimate.name


@dataclass(frozen=True, slots=True)
class _Counter:
    """A tokenizer that counts; special tokens are counted as the plain text that they are here."""

    name: str
    _length: Callable[[str], int] = field(repr=False)

    def count(self, text: str) -> int:
        return self._length(text)


@dataclass(frozen=True, slots=True)
class Found:
    """What counts. `missing` is true where an estimate stands in for a tokenizer not at hand."""

    counter: TokenCounter
    missing: bool = False


class Tokenizers:
    """Tokenizers by name, each loaded once. `folder` holds the operator's own. Thread-safe."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._loaded: dict[str, TokenCounter] = {_ESTIMATE: Estimate()}
        self._lock = threading.Lock()

    def names(self) -> tuple[str, ...]:
        """Return the names that can be counted with now; the hub's cache is not searched."""
        local = sorted(self._local())
        encodings = [name for name in _FILE_OF if _has_tiktoken() and _cached(name)]
        return (_ESTIMATE, *encodings, *local)

    def find(self, name: str | None) -> Found:
        """Return the tokenizer of a name; the estimate if none is named.

        The estimate also stands in for an encoding of tiktoken whose file is not on this machine.

        Raises
        ------
        QueryError
            No such tokenizer is known; the remedy lists those that are.
        """
        with self._lock:
            key = name or _ESTIMATE
            if key in self._loaded:
                return Found(self._loaded[key])
            path = self._local().get(key) or _in_hub_cache(key)
            if path is not None:
                self._loaded[key] = _read_json(key, path)
                return Found(self._loaded[key])
            encoding = _encoding_of(key)
            if encoding is None:
                raise self._unknown(key)
            if not _cached(encoding):
                return Found(self._loaded[_ESTIMATE], missing=True)
            self._loaded[key] = _load_encoding(encoding)
            return Found(self._loaded[key])

    def _unknown(self, name: str) -> QueryError:
        names = self.names()
        near = get_close_matches(name, names, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        return QueryError(
            "There is no tokenizer of that name on this server.",
            remedy=f"{hint}Known: {', '.join(names)}; models that tiktoken knows.",
        )

    def _local(self) -> dict[str, Path]:
        return dict(self._files()) if self._folder is not None else {}

    def _files(self) -> Iterator[tuple[str, Path]]:
        folder = self._folder or Path()
        if not folder.is_dir():
            return
        for path in folder.iterdir():
            if path.suffix == ".json" and path.is_file():
                yield path.stem, path
            elif (path / "tokenizer.json").is_file():
                yield path.name, path / "tokenizer.json"


def _read_json(name: str, path: Path) -> TokenCounter:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:
        raise QueryError(
            f"The tokenizer {name!r} cannot be read.", remedy="Name another one."
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return _Counter(name, lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids))


def _in_hub_cache(name: str) -> Path | None:
    if not _HUB_NAME.fullmatch(name):
        return None
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        return None
    try:
        path = try_to_load_from_cache(name, "tokenizer.json")
    except HFValidationError:
        return None
    return Path(path) if isinstance(path, str) else None


def _has_tiktoken() -> bool:
    from importlib.util import find_spec

    return find_spec("tiktoken") is not None


def _encoding_of(name: str) -> str | None:
    """Return the encoding that a name means: its own, or that of a model which tiktoken knows."""
    if not _has_tiktoken():
        return None
    from tiktoken.model import encoding_name_for_model

    try:
        encoding = name if name in _FILE_OF else encoding_name_for_model(name)
    except KeyError:
        return None
    return encoding if encoding in _FILE_OF else None


def _cached(encoding: str) -> bool:
    """Return whether tiktoken will find an encoding's file, whole, where it keeps files."""
    address, digest = _FILES[_FILE_OF[encoding]]
    default = Path(tempfile.gettempdir()) / "data-gym-cache"
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if folder == "":
        return False
    name = hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()
    path = (Path(folder) if folder is not None else default) / name
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def _load_encoding(encoding: str) -> TokenCounter:
    import tiktoken

    loaded = tiktoken.get_encoding(encoding)
    return _Counter(encoding, lambda text: len(loaded.encode_ordinary(text)))
