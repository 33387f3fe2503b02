"""When and how long both clients wait before they ask again."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from service.client import AsyncClient, Client, NotReadyError, RateLimitedError, TimedOutError
from service.client.retrying import Retries

INDEXES = {"indexes": [], "problems": []}
Answer = Callable[[httpx.Request], httpx.Response]


def scripted(*answers: tuple[int, dict[str, str]]) -> tuple[Answer, list[bytes]]:
    """Answer with each status in turn, then with success; keep the bodies that came."""
    left, bodies = list(answers), []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.read())
        status, headers = left.pop(0) if left else (200, {})
        content = INDEXES if status == 200 else {"code": "c", "message": "m", "remedy": "r"}
        return httpx.Response(status, json=content, headers=headers)

    return answer, bodies


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits that a client asked for; none is really waited."""
    asked: list[float] = []

    async def sleep(wait_s: float) -> None:
        asked.append(wait_s)

    monkeypatch.setattr("time.sleep", asked.append)
    monkeypatch.setattr("anyio.sleep", sleep)
    return asked


def ask(answer: Answer, awaited: bool, **settings: object) -> object:
    transport = httpx.MockTransport(answer)
    if not awaited:
        with Client(transport=transport, **settings) as client:  # type: ignore[arg-type]
            return client.indexes()

    async def work() -> object:
        async with AsyncClient(transport=transport, **settings) as client:  # type: ignore[arg-type]
            return await client.indexes()

    return asyncio.run(work())


@pytest.mark.parametrize("awaited", [False, True])
def test_the_stated_wait_is_waited(waits: list[float], awaited: bool) -> None:
    answer, bodies = scripted((503, {"retry-after": "2"}), (429, {"retry-after": "0.25"}))
    assert ask(answer, awaited) == ()
    assert waits == [2.0, 0.25]
    assert len(bodies) == 3


@pytest.mark.parametrize("awaited", [False, True])
def test_attempts_end_and_the_last_answer_is_raised(waits: list[float], awaited: bool) -> None:
    answer, bodies = scripted(*[(429, {})] * 9)
    with pytest.raises(RateLimitedError) as raised:
        ask(answer, awaited, retries=Retries(count=3, first_wait_s=1))
    assert waits == [1, 2, 4]
    assert len(bodies) == 4
    assert (raised.value.code, raised.value.remedy) == ("c", "r")


@pytest.mark.parametrize("status", [400, 404, 422, 500, 502])
def test_other_errors_are_raised_at_once(waits: list[float], status: int) -> None:
    answer, bodies = scripted((status, {"retry-after": "1"}))
    with pytest.raises(Exception, match="m r"):
        ask(answer, awaited=False)
    assert not waits
    assert len(bodies) == 1


def test_too_long_a_wait_is_not_waited(waits: list[float]) -> None:
    answer, _ = scripted((503, {"retry-after": "31"}))
    with pytest.raises(NotReadyError):
        ask(answer, awaited=False)
    assert not waits


def test_an_upload_is_sent_whole_again(waits: list[float]) -> None:
    answer, bodies = scripted((503, {}))
    with (
        Client(transport=httpx.MockTransport(answer)) as client,
        pytest.raises(ValueError, match="SearchReply"),  # of the wrong shape, but an answer
    ):
        client.search_image(b"picture")
    assert bodies[0] == bodies[1]
    assert b"picture" in bodies[1]
    assert waits == [0.5]


def test_dates_are_understood_and_nonsense_is_not_waited_for() -> None:
    def wait_s(header: str) -> float | None:
        response = httpx.Response(503, headers={"retry-after": header})
        return Retries(max_wait_s=100).wait_s(response, 0)

    soon = wait_s(format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True))
    assert soon is not None
    assert 30 < soon <= 40
    assert wait_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert wait_s("-5") == 0
    assert wait_s("soon") == wait_s("nan") == wait_s("inf") == 0.5


def test_silence_is_an_error_of_its_own() -> None:
    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("nothing", request=request)

    for awaited in (False, True):
        with pytest.raises(TimedOutError) as raised:
            ask(silent, awaited)
        assert isinstance(raised.value, TimeoutError)
        assert raised.value.code == "timed_out"
