"""The process that decodes foreign bytes, and may die of them: `python -m indexer.pixels.worker`.

Reads requests from standard input and answers on standard output until the input ends, which it
does when the parent does. What it may use is limited before the first byte is read.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Final

from indexer.errors import DecodeError
from indexer.pixels.archives import ArchiveRequest, read_images
from indexer.pixels.decode import DecodedImage, DecodeRequest, decode_image
from indexer.pixels.frames import Part, pack_error, pack_files, pack_image, read_request
from indexer.pixels.limits import DecodeLimits

MAX_OPEN_FILES: Final = 32
_STATUS: Final = Path("/proc/self/statm")


def main() -> int:
    """Serve requests; the limits are the first argument, as JSON."""
    limits = DecodeLimits(**json.loads(sys.argv[1]))
    requests, answers = _take_pipes()
    confine(limits)
    while True:
        try:
            request, within_s = read_request(lambda view: _read_into(requests, view))
        except EOFError:
            return 0
        _write_all(answers, _answer(request, limits, within_s))


def confine(limits: DecodeLimits) -> None:
    """Limit this process: memory beyond what it has now, no files written, no core dumps.

    An interrupt at the terminal is the parent's affair.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _set_limit(resource.RLIMIT_AS, _address_space_bytes() + limits.memory_bytes)
    _set_limit(resource.RLIMIT_FSIZE, 0)
    _set_limit(resource.RLIMIT_CORE, 0)
    _set_limit(resource.RLIMIT_NOFILE, MAX_OPEN_FILES)


def _set_limit(kind: int, value: int) -> None:
    """Lower a limit for good, if it is not lower already.

    Some systems (macOS) refuse some limits; there the wall clock alone protects.
    """
    _, hard = resource.getrlimit(kind)
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(kind, (allowed, allowed))
    except (OSError, ValueError):
        if sys.platform == "linux":
            raise


def _address_space_bytes() -> int:
    """Return what this process has mapped so far; 1 GiB where the system does not tell."""
    try:
        pages = int(_STATUS.read_text("ascii").split()[0])
    except OSError:
        return 1 << 30
    return pages * resource.getpagesize()


def _answer(
    request: DecodeRequest | ArchiveRequest, limits: DecodeLimits, within_s: float
) -> list[Part]:
    """Decode or unpack, and turn every outcome into an answer.

    The alarm's default action ends the process, whatever a codec is doing, even when no parent is
    left to do it.
    """
    signal.setitimer(signal.ITIMER_REAL, within_s)
    try:
        if isinstance(request, ArchiveRequest):
            return pack_files(read_images(request, limits))
        decoded: DecodedImage = decode_image(request, limits)
    except DecodeError as error:
        return pack_error(error)
    except Exception as error:  # noqa: BLE001 - codecs raise what they like; each request is answered
        return pack_error(DecodeError(f"The image is damaged ({type(error).__name__})."))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return pack_image(decoded)


def _take_pipes() -> tuple[int, int]:
    """Return descriptors of the pipes, out of reach of anything that prints."""
    requests, answers = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    return requests, answers


def _read_into(descriptor: int, view: memoryview) -> None:
    """Fill a buffer, or raise EOFError."""
    filled = 0
    while filled < len(view):
        count = os.readv(descriptor, [view[filled:]])
        if count == 0:
            raise EOFError
        filled += count


def _write_all(descriptor: int, parts: list[Part]) -> None:
    """Write all parts, without joining them."""
    views = [memoryview(part) for part in parts if len(part)]
    while views:
        written = os.writev(descriptor, views)
        while views and written >= len(views[0]):
            written -= len(views.pop(0))
        if views:
            views[0] = views[0][written:]


if __name__ == "__main__":
    sys.exit(main())
