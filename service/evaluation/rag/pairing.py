"""Both arms of each question side by side: accuracy, its difference, and whether it is chance."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from indexer.records import TextRecord
from service.evaluation.metrics import Figure, paired_difference, summarise
from service.evaluation.rag.journal import AnswerKey
from service.evaluation.rag.marking import Mark, mark
from service.evaluation.rag.model import Answer, Endpoint
from service.evaluation.rag.prompts import ARMS, Ask
from service.evaluation.rag.questions import BenchmarkQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One question with the marks of both arms. `cut_off` counts answers that hit the limit."""

    question: BenchmarkQuestion
    without: Mark
    with_passages: Mark
    passages: tuple[str, ...]
    cut_off: int

    @property
    def hurt(self) -> bool:
        """Whether passages turned a right answer into a wrong one."""
        return self.without.right and not self.with_passages.right

    @property
    def helped(self) -> bool:
        """Whether passages turned a wrong answer into a right one."""
        return self.with_passages.right and not self.without.right


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmComparison:
    """All questions of one benchmark (or of all): both accuracies and what lies between them.

    `p_value` is McNemar's, exact and two-sided. `unanswered` questions lack an answer in one arm
    and are in no figure; `unreadable` counts answers without a letter or value, taken as wrong,
    of each arm; `bare` counts questions for which no passage was found. `commonest` is the accuracy
    of always giving the answer that is right most often: in some files most right options are A.
    """

    name: str
    outcomes: Sequence[Outcome]
    unanswered: int
    without: Figure
    with_passages: Figure
    difference: Figure
    helped: int
    hurt: int
    p_value: float
    unreadable: tuple[int, int]
    cut_off: int
    bare: int
    commonest: float


def pair(
    asks: Iterable[Ask], answers: Mapping[AnswerKey, Answer], endpoint: Endpoint
) -> tuple[list[Outcome], list[BenchmarkQuestion]]:
    """Return the outcome of every question with two answers, and the questions that lack one."""
    by_question: dict[str, dict[str, Ask]] = {}
    for ask in asks:
        by_question.setdefault(ask.question.question_id, {})[ask.arm] = ask
    outcomes: list[Outcome] = []
    missing: list[BenchmarkQuestion] = []
    for arms in by_question.values():
        first, second = (answers.get(AnswerKey.of(arms[arm], endpoint)) for arm in ARMS)
        question = arms["with"].question
        if first is None or second is None:
            missing.append(question)
            continue
        outcomes.append(
            Outcome(
                question=question,
                without=mark(question, first.text),
                with_passages=mark(question, second.text),
                passages=arms["with"].passages,
                cut_off=sum(one.finish_reason == "length" for one in (first, second)),
            )
        )
    return outcomes, missing


def compare_arms(
    name: str, outcomes: Sequence[Outcome], *, unanswered: int = 0, seed: int = 0
) -> ArmComparison:
    """Return both accuracies and their paired difference, with intervals over cases.

    Several questions about one patient note are one case, drawn together by the bootstrap.
    """
    without = [float(one.without.right) for one in outcomes]
    with_passages = [float(one.with_passages.right) for one in outcomes]
    cases = [one.question.record.case_id for one in outcomes]
    helped = sum(one.helped for one in outcomes)
    hurt = sum(one.hurt for one in outcomes)
    return ArmComparison(
        name=name,
        outcomes=outcomes,
        unanswered=unanswered,
        without=summarise("accuracy without", without, clusters=cases, seed=seed),
        with_passages=summarise("accuracy with", with_passages, clusters=cases, seed=seed),
        difference=paired_difference(
            "with - without", with_passages, without, clusters=cases, seed=seed
        ),
        helped=helped,
        hurt=hurt,
        p_value=mcnemar(helped, hurt),
        unreadable=(
            sum(one.without.read is None for one in outcomes),
            sum(one.with_passages.read is None for one in outcomes),
        ),
        cut_off=sum(one.cut_off for one in outcomes),
        bare=sum(not one.passages for one in outcomes),
        commonest=_commonest([one.question.record for one in outcomes]),
    )


def _commonest(records: Sequence[TextRecord]) -> float:
    """Return the share of the commonest right letters (or value) among right answers."""
    answers = Counter(record.answer_keys or (record.answer,) for record in records)
    return max(answers.values()) / len(records) if records else math.nan


def compare_benchmarks(
    asks: Sequence[Ask],
    answers: Mapping[AnswerKey, Answer],
    endpoint: Endpoint,
    *,
    seed: int = 0,
) -> list[ArmComparison]:
    """Return the comparison of each dataset, and of all together where there are several."""
    outcomes, missing = pair(asks, answers, endpoint)
    names = tuple(dict.fromkeys(ask.question.record.dataset for ask in asks))
    compared = [
        compare_arms(
            name,
            [one for one in outcomes if one.question.record.dataset == name],
            unanswered=sum(one.record.dataset == name for one in missing),
            seed=seed,
        )
        for name in names
    ]
    if len(names) > 1:
        compared.append(compare_arms("all", outcomes, unanswered=len(missing), seed=seed))
    return compared


def mcnemar(first: int, second: int) -> float:
    """Return the two-sided p of McNemar's test, exact binomial, of two discordant counts.

    Twice the smaller tail of Binomial(first + second, 1/2), 1 at most (McNemar 1947).
    """
    total = first + second
    tail = ways = 1
    for count in range(min(first, second)):
        ways = ways * (total - count) // (count + 1)
        tail += ways
    # Integers of any size divide exactly, where floats would overflow from about 1,000 pairs on.
    return min(1.0, 2 * tail / (1 << total))
