"""The files of a dataset repository of the Hugging Face Hub, as the hub's own client lists them.

Honours `HF_ENDPOINT`, `HF_TOKEN` and the login of `hf auth login`.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from indexer.encoders.reasons import reason_of
from indexer.errors import (
    AccessDeniedError,
    FetchError,
    SourceFailedError,
    SourceUnreachableError,
)
from indexer.fetching.base import FetchOptions
from indexer.fetching.sources import HubSource

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoSibling

_BLOCK_BYTES = 1 << 20
_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RepoFile:
    """A file of a repository; `sha256` of large files (LFS), `blob_id` (git's SHA-1) of others."""

    name: str
    size_bytes: int
    sha256: str | None
    blob_id: str | None


def open_hub(base_url: str | None) -> "HfApi":
    """Return the hub's client, for the hub itself or a mirror.

    Raises
    ------
    FetchError
        It is not installed.
    """
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise FetchError(
            "Fetching from the hub needs the package huggingface_hub.",
            remedy="pip install 'medsearch[hub]'",
        ) from error
    return HfApi(endpoint=base_url, library_name="medsearch")


def sign_request() -> dict[str, str]:
    """Return the headers that show who asks, if a token was given."""
    from huggingface_hub import get_token

    token = get_token()
    return {"Authorization": f"Bearer {token}"} if token else {}


def list_files(
    api: "HfApi", source: HubSource, options: FetchOptions, *, revision: str | None
) -> tuple[str, list[RepoFile]]:
    """Return the commit that `revision` is now, and the wanted files, by name.

    Raises
    ------
    FetchError
        The hub does not answer, or has no such files.
    """
    with _hub_errors(source.repository):
        info = api.dataset_info(
            source.repository,
            revision=revision,
            files_metadata=True,
            timeout=options.patience.answer_s,
        )
    offered = info.siblings or []
    only = options.only or ("*",)
    wanted = [
        one
        for one in offered
        if _matches(one.rfilename, source.files) and _matches(one.rfilename, only)
    ]
    if not wanted or info.sha is None:
        names = ", ".join(one.rfilename for one in offered[:_MOST_SHOWN])
        raise SourceFailedError(
            f"{source.repository} holds no file {', '.join(options.only or source.files)}.",
            remedy=f"What it holds: {names or 'nothing'}.",
        )
    return info.sha, sorted(map(_parse_file, wanted), key=lambda one: one.name)


def is_intact(path: Path, file: RepoFile) -> bool:
    """Return whether a file's bytes are those that the hub vouches for."""
    if path.stat().st_size != file.size_bytes:
        return False
    if file.sha256 is not None:
        return _digest(path, hashlib.sha256()) == file.sha256
    if file.blob_id is not None:
        # git hashes a header before the bytes: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
        header = f"blob {file.size_bytes}\0".encode()
        return _digest(path, hashlib.sha1(header, usedforsecurity=False)) == file.blob_id
    return True


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _digest(path: Path, digest: "hashlib._Hash") -> str:
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _parse_file(sibling: "RepoSibling") -> RepoFile:
    path = PurePosixPath(sibling.rfilename)
    if sibling.size is None or path.is_absolute() or ".." in path.parts:
        raise SourceFailedError(
            f"The hub lists {sibling.rfilename[:80]!r} without a size or outside its folder.",
            remedy="Check --base-url or HF_ENDPOINT.",
        )
    return RepoFile(
        name=sibling.rfilename,
        size_bytes=sibling.size,
        sha256=sibling.lfs.sha256 if sibling.lfs else None,
        blob_id=None if sibling.lfs else sibling.blob_id,
    )


@contextmanager
def _hub_errors(repository: str) -> Iterator[None]:
    """Say in our words what the hub's client raises."""
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError

    try:
        yield
    except GatedRepoError as error:
        raise AccessDeniedError(
            f"{repository} is given only to those who accepted its licence.",
            remedy=f"Accept it at https://huggingface.co/datasets/{repository}, run "
            "`hf auth login`, then try again.",
        ) from error
    except HfHubHTTPError as error:
        raise SourceFailedError(
            f"The hub does not give {repository}: {reason_of(error)}",
            remedy="Try again later; if it stays so, check HF_ENDPOINT and HF_TOKEN.",
        ) from error
    except Exception as error:  # the client's transport errors share no stable base
        raise SourceUnreachableError(
            f"No answer from the hub about {repository}: {reason_of(error)}",
            remedy="Check the connection, or name a mirror by HF_ENDPOINT or --base-url. What was "
            "finished is kept; the same command goes on.",
        ) from error
