"""The files of the page, read and compressed once."""

import base64
import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from service.web.bundling import bundle_modules

FRONT_PAGE = "index.html"
FIRST_SCRIPT = "first.js"
"""What the front page holds within itself: a request for it would cost a search more than it is."""

SCRIPTS: Mapping[str, str] = MappingProxyType(
    {FIRST_SCRIPT: "parts/first.js", "page.js": "parts/main.js"}
)
"""The scripts of the front page and the modules that they begin with. Each module is there by
itself, too."""

STYLES = ("base", "search", "results", "panels", "map")
STYLE = "page.css"
"""All styles in one, in this order."""

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
    """Return the files of the page by their path below `static/` in POSIX form, and those made."""
    contents = {
        path.relative_to(_FOLDER).as_posix(): path.read_bytes()
        for path in sorted(_FOLDER.rglob("*"))
        if path.suffix in MEDIA_TYPES
    }
    modules = {name: raw.decode() for name, raw in contents.items() if name.endswith(".js")}
    contents |= {name: text.encode() for name, text in bundle_modules(modules, SCRIPTS).items()}
    contents[STYLE] = b"".join(contents[f"styles/{name}.css"] for name in STYLES)
    contents[FRONT_PAGE] = contents[FRONT_PAGE].replace(
        f'<script src="/web/{FIRST_SCRIPT}"></script>'.encode(),
        b"<script>" + contents[FIRST_SCRIPT] + b"</script>",
    )
    return MappingProxyType({name: _pack(name, raw) for name, raw in contents.items()})


@cache
def page_policy() -> str:
    """Return the Content-Security-Policy of the page.

    Everything comes from this service. Nothing inline runs but the first script, known by its
    sha256, and no script may turn text into markup.
    """
    digest = hashlib.sha256(page_files()[FIRST_SCRIPT].content).digest()
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'sha256-{base64.b64encode(digest).decode()}'",
            "style-src 'self'",
            "img-src 'self' blob:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _pack(name: str, content: bytes) -> PageFile:
    return PageFile(
        media_type=MEDIA_TYPES[PurePosixPath(name).suffix],
        content=content,
        gzipped=gzip.compress(content, mtime=0),
        etag=f'"{hashlib.sha256(content).hexdigest()[:32]}"',
    )
