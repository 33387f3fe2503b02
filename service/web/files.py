"""The files of the page, read and compressed once."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType

FRONT_PAGE = "index.html"
MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)
_FOLDER = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file as it is sent: plain or gzipped, with a tag that changes when its bytes do."""

    media_type: str
    content: bytes = field(repr=False)
    gzipped: bytes = field(repr=False)
    etag: str


@cache
def page_files() -> Mapping[str, PageFile]:
    """Return all files of the page by their path below `static/`, in POSIX form."""
    return MappingProxyType(
        {
            path.relative_to(_FOLDER).as_posix(): _read(path)
            for path in sorted(_FOLDER.rglob("*"))
            if path.suffix in MEDIA_TYPES
        }
    )


def _read(path: Path) -> PageFile:
    content = path.read_bytes()
    return PageFile(
        media_type=MEDIA_TYPES[path.suffix],
        content=content,
        gzipped=gzip.compress(content, mtime=0),
        etag=f'"{hashlib.sha256(content).hexdigest()[:32]}"',
    )
