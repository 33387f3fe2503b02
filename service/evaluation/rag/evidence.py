"""What retrieval brings by itself: right options in the evidence, right calculators, steadiness."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from indexer.records import AnyRecord, TextRecord
from service.evaluation.metrics import Figure, paired_difference, summarise
from service.evaluation.rag.held_options import fold, options_held
from service.evaluation.rag.paraphrasing import paraphrase
from service.evaluation.rag.questions import BenchmarkQuestion
from service.evaluation.rag.screening import Screen
from service.retrieval.filters import Filter
from service.retrieval.query import Mode, Query, TextSource
from service.retrieval.reply import SearchReply
from service.retrieval.retriever import Retriever

Found = TypeVar("Found")

CALCULATOR_RANKS = (1, 5)
STEADY_DEPTH = 10
MODES: tuple[Mode, ...] = ("hybrid", "dense", "lexical")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Figures of one measure on one set of questions; `note` says what else must be known."""

    measure: str
    questions: str
    figures: tuple[Figure, ...]
    note: str = ""


class EvidenceMeasurer:
    """Asks the engine as prompts do, every search screened as the questions' level wants it."""

    def __init__(self, retriever: Retriever, screen: Screen, *, depth: int = 5, seed: int = 0):
        self._retriever = retriever
        self._screen = screen
        self._depth = depth
        self._seed = seed
        self._snapshot = retriever.snapshot()

    def options(self, name: str, questions: Sequence[BenchmarkQuestion]) -> Measurement:
        """Measure how often the evidence holds the text of the right option, and of wrong ones.

        Searched is with the question alone. Evidence is the question, note, answer and explanation
        of the first `depth` hits, not their options. Chance is the evidence of another question.
        """
        folded = [fold(" \n ".join(self._evidence(question))) for question in questions]
        held = [options_held(*both) for both in zip(questions, folded, strict=True)]
        # Some answers are right again and again, whatever is asked: so another question's evidence
        # holds them, too.
        others = _others(folded)
        by_chance = [options_held(*both) for both in zip(questions, others, strict=True)]
        right, wrong = ([one[place] for one in held] for place in (0, 1))
        return Measurement(
            measure=f"option's text in the first {self._depth} hits",
            questions=name,
            figures=(
                summarise(
                    "right option", right, chance=_mean([one[0] for one in by_chance]),
                    seed=self._seed,
                ),
                summarise(
                    "wrong option", wrong, chance=_mean([one[1] for one in by_chance]),
                    seed=self._seed,
                ),
                paired_difference("right - wrong", right, wrong, seed=self._seed),
            ),
        )  # fmt: skip

    def calculators(
        self,
        name: str,
        questions: Sequence[BenchmarkQuestion],
        words_of: Callable[[TextRecord], str],
    ) -> list[Measurement]:
        """Measure how often a record of the right calculator is among the first 1 and 5 hits.

        All indexes are searched, once in each mode. Chance is a random order of the records that
        the question may find. Questions whose calculator none of these has count as missed.
        """
        found: dict[Mode, list[list[str | None]]] = {mode: [] for mode in MODES}
        chances: dict[int, list[float]] = {rank: [] for rank in CALCULATOR_RANKS}
        for question in questions:
            for mode in MODES:
                reply = self._search(
                    question, words_of(question.record), max(CALCULATOR_RANKS), mode
                )
                found[mode].append([_calculator(hit.record) for hit in reply.hits])
                if mode == "hybrid":
                    counts = {one.value: one.records for one in reply.facets["calculator"]}
                    own = counts.get(question.record.calculator, 0)
                    for rank in CALCULATOR_RANKS:
                        chances[rank].append(_chance(own, reply.records_allowed, rank))
        wanted = [question.record.calculator for question in questions]
        cases = [question.record.case_id for question in questions]
        impossible = sum(chance == 0 for chance in chances[CALCULATOR_RANKS[0]])
        return [
            Measurement(
                measure=f"right calculator, {mode}",
                questions=name,
                figures=tuple(
                    summarise(
                        f"top {rank}",
                        [float(one in hits[:rank]) for one, hits in zip(wanted, rows, strict=True)],
                        clusters=cases,
                        chance=_mean(chances[rank]),
                        seed=self._seed,
                    )
                    for rank in CALCULATOR_RANKS
                ),
                note=f"{impossible} ask for calculators that no allowed record has",
            )
            for mode, rows in found.items()
        ]

    def steadiness(self, name: str, questions: Sequence[BenchmarkQuestion]) -> Measurement | None:
        """Measure how much of the context stays when a question is reworded by rules.

        None if no rule changes any of the questions.
        """
        pairs: list[tuple[frozenset[str], frozenset[str]]] = []
        for question in questions:
            text = question.record.question
            reworded = paraphrase(text, question.record.language)
            if reworded is not None:
                pairs.append((self._ids(question, text), self._ids(question, reworded)))
        left_out = len(questions) - len(pairs)
        note = f"reworded by rules; {left_out} that no rule changes are left out"
        return _steadiness(name, pairs, note, self._seed) if pairs else None

    def steadiness_of_pairs(
        self, name: str, pairs: Iterable[tuple[str, str]], note: str
    ) -> Measurement:
        """Measure the same with given pairs of questions that mean the same."""
        found = [(self._found(first), self._found(second)) for first, second in pairs]
        return _steadiness(name, found, note, self._seed)

    def _evidence(self, question: BenchmarkQuestion) -> list[str]:
        reply = self._search(question, question.record.question, self._depth)
        records = [hit.record for hit in reply.hits]
        return [
            part
            for one in records
            if isinstance(one, TextRecord)
            for part in (one.question, one.context, one.answer, one.reasoning)
            if part
        ]

    def _ids(self, question: BenchmarkQuestion, words: str) -> frozenset[str]:
        reply = self._search(question, words, STEADY_DEPTH)
        return frozenset(hit.record.record_id for hit in reply.hits)

    def _found(self, words: str) -> frozenset[str]:
        reply = self._ask(words, STEADY_DEPTH, "hybrid", None)
        return frozenset(hit.record.record_id for hit in reply.hits)

    def _search(
        self, question: BenchmarkQuestion, words: str, k: int, mode: Mode = "hybrid"
    ) -> SearchReply:
        return self._screen.search(
            question,
            lambda allowed: self._ask(words, k, mode, allowed),
            lambda reply: [hit.record for hit in reply.hits],
        )

    def _ask(self, words: str, k: int, mode: Mode, allowed: Filter | None) -> SearchReply:
        query = Query(
            target="questions",
            source=TextSource(words),
            k=k,
            indexes=self._screen.holdings.indexes,
            filters=allowed,
            mode=mode,
            group_by="case",
            facets=("calculator",) if mode == "hybrid" else (),
        )
        return self._retriever.search(query, self._snapshot)


def _steadiness(
    name: str, pairs: Sequence[tuple[frozenset[str], frozenset[str]]], note: str, seed: int
) -> Measurement:
    """Return Jaccard and overlap of both contexts; chance is the context of another question."""
    others = _others([second for _, second in pairs])
    firsts = [first for first, _ in pairs]
    measures: Mapping[str, Callable[[frozenset[str], frozenset[str]], float]] = {
        "Jaccard": _jaccard,
        "overlap": _overlap,
    }
    return Measurement(
        measure=f"first {STEADY_DEPTH} hits of a question and of its paraphrase",
        questions=name,
        figures=tuple(
            summarise(
                label,
                [measure(first, second) for first, second in pairs],
                chance=_mean([measure(*two) for two in zip(firsts, others, strict=True)]),
                seed=seed,
            )
            for label, measure in measures.items()
        ),
        note=note,
    )


def _others(values: Sequence[Found]) -> list[Found]:
    """Return for each question the value of another, half a file away: neighbours are alike."""
    away = max(1, len(values) // 2)
    return [values[(place + away) % len(values)] for place in range(len(values))]


def _jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    """Return shared over all; two empty contexts are the same."""
    return len(first & second) / len(first | second) if first | second else 1.0


def _overlap(first: frozenset[str], second: frozenset[str]) -> float:
    """Return shared over the size of the larger context."""
    return len(first & second) / max(len(first), len(second)) if first | second else 1.0


def _chance(relevant: int, pool: int, rank: int) -> float:
    """Return the probability that a random order has a relevant record by that rank."""
    return 1.0 - math.comb(pool - relevant, rank) / math.comb(pool, rank) if relevant else 0.0


def _calculator(record: AnyRecord) -> str | None:
    return record.calculator if isinstance(record, TextRecord) else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
