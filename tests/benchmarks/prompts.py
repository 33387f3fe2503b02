"""What writing a prompt takes beyond the searches that it makes.

For every question both are done in turn, so that whatever else the machine does falls on both:
the prompt, and the same searches alone. Each encodes its question anew.
"""

import csv
import random
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from indexer.build import build_index
from indexer.datasets.registry import get_dataset
from indexer.encoders.base import ImageEncoder
from indexer.encoders.load import load_encoder
from indexer.store.index_set import IndexSet
from service.opening import assemble
from service.prompting.gathering import gather
from service.prompting.request import Prompt, PromptRequest
from service.retrieval.encoding import QueryEncoders
from tests.benchmarks.machine import Timings, time_each
from tests.benchmarks.report import Report

_QUESTIONS = 1000
_QUERIES = 100
_WARM_UP = 10
_PARTS = ("chest", "knee", "wrist", "spine", "skull", "abdomen", "shoulder", "pelvis")
_FINDINGS = ("nodule", "fracture", "cyst", "mass", "abscess", "effusion", "stenosis", "thrombus")
_WORDS = (
    "rest", "doctor", "treatment", "scan", "pain", "swelling", "weeks", "tablets", "blood", "test",
    "surgery", "usually", "sometimes", "before", "after", "until", "small", "large", "follow",
    "careful", "exercise", "fever", "night", "cause", "infection", "growth", "nerve", "muscle",
)  # fmt: skip
_SIZES = ((5, 2000), (20, 8000))


def run(scratch: Path | None) -> Report:
    """Write prompts of five and of twenty passages."""
    report = Report("Prompts", {"questions": _QUESTIONS, "prompts": _QUERIES})
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        indexes = _build(Path(folder))
        encoders = QueryEncoders(partial(load_encoder), cached_texts=0)
        opened = assemble(IndexSet(indexes), encoders)
        for k, budget_tokens in _SIZES:
            request = partial(PromptRequest, k=k, budget_tokens=budget_tokens)
            snapshot = opened.retriever.snapshot()
            _measure(
                report,
                f"{k} passages, {budget_tokens} tokens",
                lambda question, ask=request: opened.prompter.write(ask(question=question)),
                lambda question, ask=request, live=snapshot: gather(
                    opened.retriever, ask(question=question), live
                ),
            )
    return report


def _measure(
    report: Report,
    name: str,
    write: Callable[[str], Prompt],
    search: Callable[[str], object],
) -> None:
    written, searched = Timings(), Timings()
    shown: list[int] = []
    for number in range(_WARM_UP + _QUERIES):
        part, finding = _PARTS[number % 8], _FINDINGS[number // 8 % 8]
        question = f"What does a {finding} of the {part} mean, seen {number} days ago?"
        once, [prompt] = time_each(write, [question])
        alone, _ = time_each(search, [question])
        if number >= _WARM_UP:
            written.extend(once)
            searched.extend(alone)
            shown.append(len(prompt.citations))
    report.add(f"{name}: passages shown, p50", median(shown), "")
    report.add(f"{name}: whole, p50", written.p50_ms, "ms")
    report.add(f"{name}: its searches alone, p50", searched.p50_ms, "ms")
    added_ms = written.p50_ms - searched.p50_ms
    report.add(f"{name}: writing adds", added_ms, "ms", "10 ms or less")
    added_cpu_ms = written.p50_cpu_ms - searched.p50_cpu_ms
    report.add(f"{name}: writing adds, processor time", added_cpu_ms, "ms")
    report.add(f"{name}: whole over searches", written.p50_ms / searched.p50_ms, "times")


def _build(folder: Path) -> Path:
    name = "ai_medical_chatbot"
    _write_dialogues(folder / name)
    text, image = load_encoder("minilm"), load_encoder("builtin")
    if not isinstance(image, ImageEncoder):
        message = "the built-in encoder embeds no images"
        raise TypeError(message)
    build_index(get_dataset(name), folder / name, folder / "indexes", text=text, image=image)
    return folder / "indexes"


def _write_dialogues(folder: Path) -> None:
    """Write questions with answers of about 1,500 characters, no two alike."""
    draw = random.Random(0)
    folder.mkdir()
    with (folder / "dialogues.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["Description", "Patient", "Doctor"])
        for number in range(_QUESTIONS):
            part, finding = _PARTS[number % 8], _FINDINGS[number // 8 % 8]
            answer = " ".join(
                f"{' '.join(draw.choices(_WORDS, k=12)).capitalize()}." for _ in range(20)
            )
            asked = f"My scan number {number} shows a {finding} of the {part}. Why?"
            rows.writerow([f"What does a {finding} of the {part} mean?", asked, answer])
