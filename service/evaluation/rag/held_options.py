"""Whether a text holds the words of an answer option."""

import re
import unicodedata

from service.evaluation.rag.questions import BenchmarkQuestion


def options_held(question: BenchmarkQuestion, evidence: str) -> tuple[float, float]:
    """Return the shares of the right and of the wrong options whose text some evidence holds.

    `evidence` is folded already (`fold`): it is compared with every option.
    """
    record = question.record
    held = {one.key: float(_holds(evidence, one.text)) for one in record.options}
    keys = set(record.answer_keys)
    wrong = [value for key, value in held.items() if key not in keys]
    right = [held[key] for key in sorted(keys)]
    return sum(right) / len(right), sum(wrong) / len(wrong) if wrong else 0.0


def fold(text: str) -> str:
    """Return a text without differences of case, width, white space and a last full stop."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).rstrip(".。")


def _holds(evidence: str, option: str) -> bool:
    """Return whether a folded text holds an option's words, not as parts of longer ones."""
    words = fold(option)
    return bool(words) and bool(
        re.search(rf"(?<![a-z0-9]){re.escape(words)}(?![a-z0-9])", evidence)
    )
