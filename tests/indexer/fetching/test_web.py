import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.errors import (
    AccessDeniedError,
    DamagedDownloadError,
    SourceFailedError,
    SourceUnreachableError,
)
from indexer.fetching.base import Patience
from indexer.fetching.web import Web
from tests.indexer.fetching.conftest import QUICK
from tests.indexer.fetching.stand_ins import Answer, Asked, StandIn, cut, failing, ranged, serve

BODY = bytes(range(256)) * 4096


@pytest.fixture
def server() -> Iterator[StandIn]:
    with serve(StandIn(lambda asked: ranged(asked, BODY))) as stand_in:
        yield stand_in


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def web(waits: list[float]) -> Iterator[Web]:
    with Web(QUICK, sleep=waits.append) as opened:
        yield opened


def download(web: Web, url: str, target: Path, *, resume: bool = True, limit: int = 1 << 30) -> int:
    seen = [0]
    web.download(url, target, on_bytes=seen.append, limit_bytes=limit, resume=resume)
    assert seen == sorted(seen)
    return seen[-1]


def test_a_file_comes_whole_and_is_counted(server: StandIn, web: Web, tmp_path: Path) -> None:
    assert download(web, f"{server.url}/file", tmp_path / "file.part") == len(BODY)
    assert (tmp_path / "file.part").read_bytes() == BODY


def test_a_cut_download_goes_on_where_it_stopped(server: StandIn, web: Web, tmp_path: Path) -> None:
    server.faults["file"] = [cut(300_000)]
    download(web, f"{server.url}/file", tmp_path / "file.part")
    assert (tmp_path / "file.part").read_bytes() == BODY
    first, second = server.asked
    assert "Range" not in first.headers
    start = int(second.headers["Range"].removeprefix("bytes=").rstrip("-"))
    assert 0 < start <= 300_000


def test_an_attempt_that_brought_bytes_does_not_count(
    server: StandIn, web: Web, tmp_path: Path
) -> None:
    server.faults["file"] = [cut(400_000), cut(300_000), cut(200_000), cut(100_000), cut(40_000)]
    download(web, f"{server.url}/file", tmp_path / "file.part")
    assert (tmp_path / "file.part").read_bytes() == BODY


def test_a_later_run_goes_on_too(server: StandIn, web: Web, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(BODY[:1000])
    download(web, f"{server.url}/file", tmp_path / "file.part")
    assert (tmp_path / "file.part").read_bytes() == BODY
    assert server.asked[0].headers["Range"] == "bytes=1000-"


def test_a_server_that_ignores_ranges_is_read_from_the_start(web: Web, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(b"old")
    with serve(StandIn(lambda _asked: Answer(200, BODY))) as server:
        download(web, f"{server.url}/file", tmp_path / "file.part")
    assert (tmp_path / "file.part").read_bytes() == BODY


def test_a_server_that_goes_on_elsewhere_is_asked_from_the_start(
    server: StandIn, web: Web, tmp_path: Path
) -> None:
    (tmp_path / "file.part").write_bytes(BODY[:1000])
    elsewhere = Answer(206, BODY[5:], {"Content-Range": f"bytes 5-{len(BODY) - 1}/{len(BODY)}"})
    server.faults["file"] = [lambda _answer: elsewhere]
    download(web, f"{server.url}/file", tmp_path / "file.part")
    assert (tmp_path / "file.part").read_bytes() == BODY


def test_a_part_that_is_too_long_is_fetched_anew(server: StandIn, web: Web, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(BODY + b"more")
    download(web, f"{server.url}/file", tmp_path / "file.part")
    assert (tmp_path / "file.part").read_bytes() == BODY


def test_failures_that_pass_are_waited_out(
    server: StandIn, web: Web, waits: list[float], tmp_path: Path
) -> None:
    server.faults["file"] = [failing(500), failing(503)]
    download(web, f"{server.url}/file", tmp_path / "file.part")
    assert waits == [QUICK.first_wait_s, 2 * QUICK.first_wait_s]


def test_the_wait_a_server_asks_for_is_kept_within_bounds(server: StandIn, tmp_path: Path) -> None:
    waits: list[float] = []
    server.faults["file"] = [failing(429, Retry_After="7"), failing(429, Retry_After="9999")]
    with Web(Patience(attempts=3, longest_wait_s=30), sleep=waits.append) as web:
        assert web.get(f"{server.url}/file").content == BODY
    assert waits == [7, 30]


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, SourceFailedError), (404, SourceFailedError), (401, AccessDeniedError)],
)
def test_failures_that_stay_are_told(
    status: int, error: type[Exception], server: StandIn, web: Web, tmp_path: Path
) -> None:
    server.faults["file"] = [failing(status)] * 9
    with pytest.raises(error, match=f"HTTP {status}"):
        web.get(f"{server.url}/file")
    with pytest.raises(error, match=f"HTTP {status}"):
        download(web, f"{server.url}/file", tmp_path / "file.part")
    assert not (tmp_path / "file.part").exists()


def test_more_than_allowed_is_not_received(server: StandIn, web: Web, tmp_path: Path) -> None:
    with pytest.raises(DamagedDownloadError, match="more than the 1,000 bytes"):
        download(web, f"{server.url}/file", tmp_path / "file.part", limit=1000)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "http://nowhere.invalid/x", "nonsense"])
def test_no_connection_is_told_at_once(
    url: str, web: Web, waits: list[float], tmp_path: Path
) -> None:
    with pytest.raises(SourceUnreachableError, match="No answer") as caught:
        web.get(url)
    assert "connection" in caught.value.remedy
    assert waits == []


@pytest.mark.parametrize("url", ["http://[::1", "http://\x00", "ftp://x/y", "http://" + "a" * 300])
def test_an_address_that_is_none_is_told(url: str, web: Web, tmp_path: Path) -> None:
    for ask in asks(web, url, tmp_path):
        with pytest.raises(SourceUnreachableError):
            ask()


def test_a_circle_of_redirects_is_told(web: Web, tmp_path: Path) -> None:
    with serve(StandIn(lambda asked: Answer(302, headers={"Location": asked.path}))) as server:
        for ask in asks(web, f"{server.url}/round", tmp_path):
            with pytest.raises(SourceUnreachableError, match="redirects"):
                ask()


def test_a_silent_server_is_not_waited_for_without_end(tmp_path: Path) -> None:
    released = threading.Event()

    def never(_asked: Asked) -> Answer:
        return Answer(wait_for=released)

    patience = Patience(answer_s=0.2, attempts=2, first_wait_s=0.01)
    with serve(StandIn(never)) as server, Web(patience) as web:
        for ask in asks(web, server.url, tmp_path):
            started = time.monotonic()
            with pytest.raises(SourceUnreachableError, match="timed out"):
                ask()
            assert time.monotonic() - started < 5
        released.set()


def asks(web: Web, url: str, folder: Path) -> list[Callable[[], object]]:
    return [lambda: web.get(url), lambda: download(web, url, folder / "file.part")]


def test_what_is_not_json_is_told(server: StandIn, web: Web) -> None:
    with pytest.raises(SourceFailedError, match="not JSON"):
        web.get_json(f"{server.url}/file")


def test_an_empty_answer_is_nothing(web: Web) -> None:
    with serve(StandIn(lambda _asked: Answer(200, b" "))) as server:
        assert web.get_json(server.url) is None
