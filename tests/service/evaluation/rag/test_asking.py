"""A real openai client against a real server that is slow, strange, broken, or killed meanwhile."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from indexer.errors import MedsearchError
from service.evaluation.rag.asking import MOST_FAILURES_IN_A_ROW, ask_all, estimate
from service.evaluation.rag.journal import AnswerKey, Journal, tokens_of
from service.evaluation.rag.model import ChatModel, Endpoint, ModelError, ModelRefusedError
from service.evaluation.rag.prompts import Ask
from service.evaluation.rag.questions import BenchmarkQuestion
from service.prompting.request import Message
from tests.service.stand_in_model import StandIn, stand_in


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in() as model:
        yield model


@pytest.fixture
def fresh(server: StandIn) -> StandIn:
    server.asked.clear()
    server.keys.clear()
    server.troubles.clear()
    server.delay_s, server.most_at_once = 0.0, 0
    return server


@pytest.fixture
def asks(kit: SimpleNamespace) -> list[Ask]:
    return [
        Ask(
            question=BenchmarkQuestion(kit.text_record("asked", number)), arm="without",
            messages=(Message("user", f"Question: {number}\n\nA. yes\nB. no"),),
        )
        for number in range(12)
    ]  # fmt: skip


def endpoint(server: StandIn, **changes: object) -> Endpoint:
    values = {"url": server.url, "model": "small", "key": "secret", "timeout_s": 5.0, "retries": 3}
    return Endpoint(**(values | changes))


def ask_here(asks: list[Ask], where: Endpoint, path: Path, **options: int) -> list[ModelError]:
    model = ChatModel(where)
    try:
        with Journal(path) as journal:
            return ask_all(asks, journal, model, **options)
    finally:
        model.close()


def test_each_prompt_is_asked_once_and_for_ever(
    fresh: StandIn, asks: list[Ask], tmp_path: Path
) -> None:
    where, path = endpoint(fresh), tmp_path / "answers.jsonl"
    fresh.delay_s = 0.02
    assert ask_here([*asks, asks[0]], where, path, concurrency=3) == []
    assert len(fresh.asked) == 12
    assert 1 < fresh.most_at_once <= 3
    assert set(fresh.keys) == {"Bearer secret"}
    assert fresh.asked[0]["temperature"] == 0
    assert fresh.asked[0]["max_tokens"] == 1024
    assert ask_here(asks, where, path) == []
    assert len(fresh.asked) == 12
    with Journal(path) as journal:
        assert tokens_of(asks, journal.answers, where) == (120, 60)
        answer = journal.answers[AnswerKey.of(asks[3], where)]
        assert answer.text.endswith("**Answer:** A")
        assert estimate(asks, journal, where).requests == 0
        other = endpoint(fresh, model="large")
        assert estimate(asks, journal, other).requests == 12
        longer = endpoint(fresh, max_tokens=2048)
        assert estimate(asks, journal, longer).requests == 12
    assert "secret" not in path.read_text()
    assert "secret" not in repr(where)


def test_reasoning_models_get_no_temperature(
    fresh: StandIn, asks: list[Ask], tmp_path: Path
) -> None:
    ask_here(asks[:1], endpoint(fresh, reasoning=True), tmp_path / "answers.jsonl")
    assert fresh.asked[0]["max_completion_tokens"] == 1024
    assert not {"temperature", "max_tokens"} & set(fresh.asked[0])


def test_passing_troubles_are_overcome(fresh: StandIn, asks: list[Ask], tmp_path: Path) -> None:
    fresh.troubles[:] = [429, 500, 503]
    where = endpoint(fresh, retries=3)
    assert ask_here(asks[:2], where, tmp_path / "answers.jsonl", concurrency=1) == []
    assert len(fresh.asked) == 5


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (500, "answers 500"),
        (429, "answers 429"),
        (400, "does not take the request"),
        ("garbage", "no chat completion"),
        ("odd", "no chat completion"),
        ("hang up", "broke off"),
        ("silent", "did not answer in time"),
    ],
)
def test_a_request_that_fails_is_counted_and_the_rest_go_on(
    fresh: StandIn, asks: list[Ask], tmp_path: Path, trouble: int | str, says: str
) -> None:
    fresh.troubles[:] = [trouble]
    where, path = endpoint(fresh, retries=0, timeout_s=0.5), tmp_path / "answers.jsonl"
    [failure] = ask_here(asks[:3], where, path, concurrency=1)
    assert says in failure.message
    assert failure.remedy
    assert len(path.read_text().splitlines()) == 2
    assert ask_here(asks[:3], where, path) == []
    assert len(path.read_text().splitlines()) == 3


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_stops_the_run(
    fresh: StandIn, asks: list[Ask], tmp_path: Path, status: int
) -> None:
    fresh.troubles[:] = [status] * 12
    with pytest.raises(ModelRefusedError, match=str(status)):
        ask_here(asks, endpoint(fresh), tmp_path / "answers.jsonl", concurrency=2)
    assert len(fresh.asked) <= 3


def test_a_sick_server_is_not_asked_for_ever(
    fresh: StandIn, asks: list[Ask], tmp_path: Path
) -> None:
    fresh.troubles[:] = [500] * 12
    with pytest.raises(ModelError, match="500"):
        ask_here(asks, endpoint(fresh, retries=0), tmp_path / "answers.jsonl", concurrency=1)
    assert len(fresh.asked) == MOST_FAILURES_IN_A_ROW


def test_the_cost_is_told_beforehand(asks: list[Ask], tmp_path: Path) -> None:
    where = Endpoint(url="http://nowhere", model="m", max_tokens=100)
    with Journal(tmp_path / "answers.jsonl") as journal:
        expected = estimate(asks, journal, where, (2.0, 10.0))
    assert (expected.requests, expected.answered) == (12, 0)
    assert expected.tokens_in == sum(ask.tokens for ask in asks)
    assert expected.tokens_out == 1200
    assert expected.cost == pytest.approx((expected.tokens_in * 2 + 1200 * 10) / 1e6)


def test_a_torn_line_is_passed_over(fresh: StandIn, asks: list[Ask], tmp_path: Path) -> None:
    where, path = endpoint(fresh), tmp_path / "answers.jsonl"
    ask_here(asks[:3], where, path, concurrency=1)
    path.write_bytes(path.read_bytes()[:-40])
    with Journal(path) as journal:
        assert journal.torn == 1
        assert len(journal.answers) == 2
    assert ask_here(asks[:3], where, path) == []
    assert len(fresh.asked) == 4
    with Journal(path) as journal:
        assert len(journal.answers) == 3


def test_two_runs_do_not_share_a_journal(tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "answers.jsonl"),
        pytest.raises(MedsearchError, match="Another run"),
        Journal(tmp_path / "answers.jsonl"),
    ):
        pass


_PROGRAM = textwrap.dedent("""
    import sys
    from pathlib import Path
    from indexer.records import TextRecord
    from service.evaluation.rag.asking import ask_all
    from service.evaluation.rag.journal import Journal
    from service.evaluation.rag.model import ChatModel, Endpoint
    from service.evaluation.rag.prompts import Ask
    from service.evaluation.rag.questions import BenchmarkQuestion
    from service.prompting.request import Message

    def ask(number):
        record = TextRecord(
            record_id=f"d/s/{number}", dataset="d", split="s", source_id=str(number),
            source_path="x", case_id=str(number), licence="none", question="?", answer="!",
        )
        messages = (Message("user", f"Question: {number}"),)
        return Ask(question=BenchmarkQuestion(record), arm="without", messages=messages)

    with Journal(Path(sys.argv[1])) as journal:
        model = ChatModel(Endpoint(url=sys.argv[2], model="m", retries=0))
        assert ask_all([ask(n) for n in range(20)], journal, model, concurrency=1) == []
""")


def test_a_killed_run_loses_one_answer_at_most(fresh: StandIn, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    command = [sys.executable, "-c", _PROGRAM, str(path), fresh.url]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    fresh.delay_s = 0.03
    first = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 60
    while len(fresh.asked) < 8:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    first.send_signal(signal.SIGKILL)
    first.wait()
    time.sleep(0.1)
    asked = len(fresh.asked)
    kept = 0
    for line in path.read_text().splitlines():
        try:
            kept += "text" in json.loads(line)
        except ValueError:
            continue
    assert asked - 1 <= kept <= asked < 20
    fresh.delay_s = 0.0
    subprocess.run(command, env=environment, check=True)
    assert len(fresh.asked) - asked == 20 - kept
