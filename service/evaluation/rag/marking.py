"""Marks a model's answer as right, wrong, or unreadable (which counts as wrong)."""

from dataclasses import dataclass

from service.evaluation.rag.letters import read_letters
from service.evaluation.rag.questions import BenchmarkQuestion
from service.evaluation.rag.values import is_within_limits, read_value


@dataclass(frozen=True, slots=True)
class Mark:
    """What was read out of an answer ("B", "A, C", "25.2"; None: nothing) and whether it is right.

    Of several right letters all must be named and no other.
    """

    read: str | None
    right: bool


def mark(question: BenchmarkQuestion, answer: str) -> Mark:
    """Read an answer's letters or value and hold it against the published one."""
    record = question.record
    if record.options:
        letters = read_letters(answer, record.options)
        if letters is None:
            return Mark(None, right=False)
        return Mark(", ".join(sorted(letters)), right=letters == frozenset(record.answer_keys))
    value = read_value(answer, record)
    if value is None:
        return Mark(None, right=False)
    if isinstance(value, tuple):
        shown = f"{value[0]} weeks, {value[1]} days"
    else:
        shown = f"{value:g}" if isinstance(value, float) else f"{value:%m/%d/%Y}"
    return Mark(shown, right=is_within_limits(value, record))
