"""What the negation and side guard costs: 50 captions that all speak of what is asked for."""

import itertools

from service.retrieval.contradictions import WINDOW, Demoted, demote
from service.retrieval.fusion import Fused, Key
from tests.benchmarks.machine import time_each
from tests.benchmarks.report import Report

# About 180 characters a caption is the mean of MedPix's; 340 a caption is a long one.
_SENTENCES = (
    "Axial contrast-enhanced CT of the chest shows a {0} in the right lower lobe (arrow).",
    "There is no {0} or pericardial effusion, and the mediastinum is not enlarged.",
    "A small {0} is seen on the left with adjacent atelectasis.",
    "The patient denied fever, cough, and dyspnea; blood cultures were negative.",
    "Follow-up radiograph after ten days: the heart and the mediastinal contours are normal.",
)
_QUERIES = ("pleural effusion", "chest x-ray without effusion", "left pleural effusion", "CT scan")
_ROUNDS = 50


def run() -> Report:
    """Demote windows of short and of long captions."""
    report = Report("Negation and side guard", {"captions": WINDOW})
    for sentences in (2, 4):
        captions = _captions(sentences)
        mean = sum(map(len, captions)) / len(captions)
        for query in _QUERIES:
            _measure(report, query, captions, f"{query!r}, captions of {mean:.0f} characters")
    return report


def _measure(report: Report, query: str, captions: list[str], name: str) -> None:
    ranked = [Fused(Key(0, row), 1.0) for row in range(WINDOW)]

    def guard(text: str) -> Demoted:
        return demote(ranked, text, lambda key: captions[key.row])

    guard(query)
    timings, _ = time_each(guard, [query] * _ROUNDS)
    report.add(f"{name}: p50, processor time", timings.p50_cpu_ms, "ms", "less than 2 ms")


def _captions(sentences: int) -> list[str]:
    """Return a window of captions, each of some sentences, the first of which has the finding."""
    drawn = itertools.permutations(_SENTENCES, sentences)
    speaking = (chosen for chosen in drawn if "{0}" in chosen[0])
    texts = [" ".join(chosen).format("pleural effusion") for chosen in speaking]
    return list(itertools.islice(itertools.cycle(texts), WINDOW))
