"""McNemar's test by hand-checked tails, and both arms side by side."""

import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.records import Option
from service.evaluation.rag.journal import AnswerKey
from service.evaluation.rag.model import Answer, Endpoint
from service.evaluation.rag.pairing import compare_benchmarks, mcnemar
from service.evaluation.rag.prompts import ARMS, Ask
from service.evaluation.rag.questions import BenchmarkQuestion
from service.prompting.request import Message

ENDPOINT = Endpoint(url="http://nowhere", model="m")
OPTIONS = (Option(key="A", text="one"), Option(key="B", text="two"))


def test_mcnemar_is_twice_the_smaller_binomial_tail() -> None:
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 5) == 1
    assert mcnemar(0, 5) == pytest.approx(2 / 32)
    assert mcnemar(1, 9) == pytest.approx(2 * (1 + 10) / 1024)
    assert mcnemar(4000, 4200) == pytest.approx(0.0279, abs=5e-4)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_symmetric_and_a_probability(first: int, second: int) -> None:
    p = mcnemar(first, second)
    assert 0 < p <= 1
    assert p == mcnemar(second, first)
    if first + second:
        exact = sum(math.comb(first + second, n) for n in range(min(first, second) + 1))
        assert p == pytest.approx(min(1, exact / 2 ** (first + second - 1)))


def test_arms_are_paired_and_what_lacks_one_is_left_out(kit: SimpleNamespace) -> None:
    said = {0: ("A", "A"), 1: ("A", "B"), 2: ("B", "A"), 3: ("A", "what?"), 4: ("A", None)}
    asks, answers = [], {}
    for number, pair in said.items():
        record = kit.text_record("asked", number, options=OPTIONS, answer_keys=("A",))
        for arm, text in zip(ARMS, pair, strict=True):
            ask = Ask(
                question=BenchmarkQuestion(record), arm=arm,
                messages=(Message("user", f"{number} {arm}"),),
                passages=("x/y/z",) if arm == "with" and number else (),
            )  # fmt: skip
            asks.append(ask)
            if text is not None:
                answers[AnswerKey.of(ask, ENDPOINT)] = Answer(
                    text=text, finish_reason="length" if number == 3 else "stop",
                    tokens_in=None, tokens_out=None,
                )  # fmt: skip
    [one] = compare_benchmarks(asks, answers, ENDPOINT)
    assert (one.name, len(one.outcomes), one.unanswered) == ("asked", 4, 1)
    assert (one.without.mean, one.with_passages.mean) == (0.75, 0.5)
    assert one.difference.mean == -0.25
    assert (one.helped, one.hurt, one.p_value) == (1, 2, 1.0)
    assert one.unreadable == (0, 1)
    assert (one.cut_off, one.bare) == (2, 1)
    assert [out.question.question_id for out in one.outcomes if out.hurt] == [
        "asked/train/1", "asked/train/3",
    ]  # fmt: skip
