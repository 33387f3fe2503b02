"""Which retrieved records become passages of a prompt, and how much of each."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from indexer.records import AnyRecord, ImageRecord, TextRecord
from indexer.text.questions import answer_text, options_text
from service.prompting.sanitising import as_passage
from service.prompting.tokens import cut_at_sentence
from service.retrieval.query import Hit, SearchReply

# Two passages that share this much of their character 4-grams (Jaccard) say the same.
_SAME_TEXT = 0.8
_GRAM = 4
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


def choose_passages(
    hits: Sequence[Hit], budget: float, cost: Callable[[Passage], float]
) -> tuple[Passage, ...]:
    """Return passages from the best hits on, each case and each text once, within `budget` tokens.

    Each passage may use an equal share of what is left over for it and those after it, so that a
    short one leaves room for the next. A passage is cut at sentence ends; one of which neither
    question nor answer fits is left out. Where nothing fits, the better half of the hits share
    the room instead, and so on. `cost` gives the tokens of a passage as the prompt will show it.
    """
    distinct = list(_distinct(hits))
    while distinct:
        chosen = _share_out(distinct, budget, cost)
        if chosen:
            return chosen
        distinct = distinct[: len(distinct) // 2]
    return ()


def evidence_lines(replies: Iterable[SearchReply]) -> tuple[str, ...]:
    """Return what the nearest cases are labelled, three harmless sentences at most."""
    found = (one for reply in replies for one in reply.evidence or ())
    return tuple(as_passage(one.sentence) for one in islice(found, _EVIDENCE_LINES))


def sections_of(record: AnyRecord) -> tuple[Section, ...]:
    """Return what a record has to say, the most telling part first."""
    parts = _image_parts(record) if isinstance(record, ImageRecord) else _text_parts(record)
    cleaned = ((label, as_passage(text)) for label, text in parts if text)
    return tuple(Section(label, text) for label, text in cleaned if text)


def _share_out(
    hits: Sequence[Hit], budget: float, cost: Callable[[Passage], float]
) -> tuple[Passage, ...]:
    chosen: list[Passage] = []
    left = budget
    for position, hit in enumerate(hits):
        passage = _fit(len(chosen) + 1, hit, left / (len(hits) - position), cost)
        if passage is not None:
            chosen.append(passage)
            left -= cost(passage)
    return tuple(chosen)


def _fit(number: int, hit: Hit, share: float, cost: Callable[[Passage], float]) -> Passage | None:
    """Return as much of a hit as fits its share, or None if that is nothing worth showing.

    Of a record that does not fit whole, the first section (a question may be a whole patient
    note) takes half of the share at most, so that the answer gets the rest.
    """
    sections = sections_of(hit.record)
    whole = Passage(number=number, hit=hit, sections=sections)
    if cost(whole) <= share:
        return whole
    kept: list[Section] = []
    for section in sections:
        empty = Passage(number=number, hit=hit, sections=(*kept, Section(section.label, "")))
        room = share - cost(empty)
        text = cut_at_sentence(section.text, room if kept else min(room, share / 2))
        if text:
            kept.append(Section(section.label, text))
    needed = {"Question", "Answer"} if isinstance(hit.record, TextRecord) else {"Similar image"}
    if not needed <= {section.label for section in kept}:
        return None  # a question without a word of its answer is no evidence
    return Passage(number=number, hit=hit, sections=tuple(kept))


def _distinct(hits: Sequence[Hit]) -> Iterator[Hit]:
    """Yield hits whose case and whose text have not been there before."""
    cases: set[tuple[str, str]] = set()
    texts: list[frozenset[str]] = []
    for hit in hits:
        case = (hit.index, hit.record.case_id)
        grams = _grams(sections_of(hit.record))
        if not grams or case in cases or any(_alike(grams, other) for other in texts):
            continue
        cases.add(case)
        texts.append(grams)
        yield hit


def _grams(sections: Iterable[Section]) -> frozenset[str]:
    text = " ".join(section.text for section in sections).casefold()
    return frozenset(text[at : at + _GRAM] for at in range(max(len(text) - _GRAM + 1, 1)) if text)


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= _SAME_TEXT * len(one | other)


def _text_parts(record: TextRecord) -> Iterator[tuple[str, str | None]]:
    yield "Question", record.question
    yield "Answer", answer_text(record)
    yield "Options", options_text(record)
    yield "Explanation", record.reasoning
    yield "Patient note", record.context


def _image_parts(record: ImageRecord) -> Iterator[tuple[str, str | None]]:
    kind = ", ".join(part for part in (record.modality, record.body_part) if part)
    yield "Similar image", kind or "unspecified"
    yield "Caption", record.caption
    yield "Labels", ", ".join(record.labels)
