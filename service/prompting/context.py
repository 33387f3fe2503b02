"""What a retrieved record has to say, and how much of it a passage shows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from indexer.records import AnyRecord, ImageRecord, TextRecord
from indexer.text.questions import answer_text, options_text
from service.prompting.sanitising import as_passage
from service.prompting.tokens import cut_at_sentence
from service.retrieval.hits import Hit
from service.retrieval.reply import SearchReply

_EVIDENCE_LINES = 3


@dataclass(frozen=True, slots=True)
class Section:
    """A labelled part of a passage: one harmless line of text."""

    label: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One numbered piece of evidence. `sections` hold exactly the text that the prompt shows."""

    number: int
    hit: Hit
    sections: tuple[Section, ...]

    @property
    def text(self) -> str:
        """The passage's words as cited."""
        return "\n".join(f"{part.label}: {part.text}" for part in self.sections)


@dataclass(frozen=True, slots=True)
class Measure:
    """The tokens of a passage as the prompt will show it, and of a text alone."""

    of_passage: Callable[[Passage], float]
    of_text: Callable[[str], float]


def share_out(
    sources: Sequence[tuple[Hit, tuple[Section, ...]]], budget: float, measure: Measure
) -> tuple[Passage, ...]:
    """Return passages of hits and their sections, from the best on, within `budget` tokens.

    Each passage may use an equal share of what is left over for it and those after it, so that a
    short one leaves room for the next. A passage is cut at sentence ends; one of which not even
    what it is about fits is left out. Where nothing fits, the better half of the hits share the
    room instead, and so on.
    """
    while sources:
        chosen: list[Passage] = []
        left = budget
        for position, (hit, sections) in enumerate(sources):
            whole = Passage(number=len(chosen) + 1, hit=hit, sections=sections)
            passage = _fit(whole, left / (len(sources) - position), measure)
            if passage is not None:
                chosen.append(passage)
                left -= measure.of_passage(passage)
        if chosen:
            return tuple(chosen)
        sources = sources[: len(sources) // 2]
    return ()


def evidence_lines(replies: Iterable[SearchReply]) -> tuple[str, ...]:
    """Return what the nearest cases are labelled, three harmless sentences at most."""
    found = (one for reply in replies for one in reply.evidence or ())
    return tuple(as_passage(one.sentence) for one in islice(found, _EVIDENCE_LINES))


def sections_of(record: AnyRecord, *, formula_first: bool = False) -> tuple[Section, ...]:
    """Return what a record has to say, the most telling part first.

    With `formula_first`, a record of a calculator begins with its name and its worked explanation.
    """
    if isinstance(record, ImageRecord):
        parts = _image_parts(record)
    elif formula_first and is_formula(record):
        parts = _formula_parts(record)
    else:
        parts = _text_parts(record)
    cleaned = ((label, as_passage(text)) for label, text in parts if text)
    return tuple(Section(label, text) for label, text in cleaned if text)


def is_formula(record: AnyRecord) -> bool:
    """Return whether a record shows how something is calculated."""
    return isinstance(record, TextRecord) and bool(record.calculator and record.reasoning)


def _fit(whole: Passage, share: float, measure: Measure) -> Passage | None:
    """Return as much of a passage as fits its share, or None if that is nothing worth showing.

    Of one that does not fit whole, the first section (a question may be a whole patient note)
    takes half of the share at most, so that the answer gets the rest.
    """
    if measure.of_passage(whole) <= share:
        return whole
    kept: list[Section] = []
    for section in whole.sections:
        empty = (*kept, Section(section.label, ""))
        room = share - measure.of_passage(
            Passage(number=whole.number, hit=whole.hit, sections=empty)
        )
        text = cut_at_sentence(
            section.text, room if kept else min(room, share / 2), measure.of_text
        )
        if text:
            kept.append(Section(section.label, text))
    if not _needed(whole) <= {section.label for section in kept}:
        return None  # a question without a word of its answer is no evidence
    return Passage(number=whole.number, hit=whole.hit, sections=tuple(kept))


def _needed(passage: Passage) -> set[str]:
    if isinstance(passage.hit.record, ImageRecord):
        return {"Similar image"}
    if passage.sections and passage.sections[0].label == "Calculator":
        return {"Calculator", "Explanation"}
    return {"Question", "Answer"}


def _text_parts(record: TextRecord) -> Iterator[tuple[str, str | None]]:
    yield "Question", record.question
    yield "Answer", answer_text(record)
    yield "Options", options_text(record)
    yield "Explanation", record.reasoning
    yield "Patient note", record.context


def _formula_parts(record: TextRecord) -> Iterator[tuple[str, str | None]]:
    yield "Calculator", record.calculator
    yield "Explanation", record.reasoning
    yield "Question", record.question
    yield "Answer", answer_text(record)


def _image_parts(record: ImageRecord) -> Iterator[tuple[str, str | None]]:
    kind = ", ".join(part for part in (record.modality, record.body_part) if part)
    yield "Similar image", kind or "unspecified"
    yield "Caption", record.caption
    yield "Labels", ", ".join(record.labels)
