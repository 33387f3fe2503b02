import pytest

from indexer.records import AnyRecord
from service.prompting.choosing import candidate_of, choose_diverse
from service.prompting.context import Measure, Passage, sections_of, share_out
from service.prompting.tokens import count_fraction
from service.retrieval.hits import Hit


def hit(record: AnyRecord, rank: int = 1, index: str = "i") -> Hit:
    return Hit(rank=rank, score=1.0, index=index, record=record, why={})


def cost(passage: Passage) -> float:
    return count_fraction(passage.text)


MEASURE = Measure(cost, count_fraction)


def choose_passages(hits: list[Hit], budget: float) -> tuple[Passage, ...]:
    chosen = choose_diverse([candidate_of(one, sections_of(one.record)) for one in hits], len(hits))
    return share_out([(one.hit, one.sections) for one in chosen], budget, MEASURE)


@pytest.fixture
def hits(kit) -> list[Hit]:  # type: ignore[no-untyped-def]
    stories = ["Dogs bite often.", "Snakes hide in grass.", "Bees sting once. They die."]
    return [
        hit(kit.text_record("t", n, question=f"{story} Why?", answer=f"{story} So it is."))
        for n, story in enumerate(stories)
    ]


def test_passages_are_numbered_from_the_best_hit(hits: list[Hit]) -> None:
    passages = choose_passages(hits, 1000)
    assert [passage.number for passage in passages] == [1, 2, 3]
    assert [passage.hit for passage in passages] == hits
    assert passages[0].text == "Question: Dogs bite often. Why?\nAnswer: Dogs bite often. So it is."


@pytest.mark.parametrize("budget", range(0, 90, 3))
def test_the_budget_is_never_exceeded(hits: list[Hit], budget: int) -> None:
    passages = choose_passages(hits, budget)
    assert sum(cost(passage) for passage in passages) <= budget
    assert [passage.number for passage in passages] == [*range(1, len(passages) + 1)]
    for passage in passages:
        assert [section.label for section in passage.sections][:2] == ["Question", "Answer"]


def test_what_one_passage_leaves_the_next_may_use(kit) -> None:  # type: ignore[no-untyped-def]
    short = kit.text_record("t", 1, question="Pus?", answer="Drain it.")
    long = kit.text_record("t", 2, question="Fever?", answer="Look for the cause. " * 6)
    needed = [cost(choose_passages([hit(one)], 1000)[0]) for one in (short, long)]
    assert needed[1] > 1.5 * sum(needed) / 2
    both = choose_passages([hit(short), hit(long)], sum(needed) + 1)
    assert [cost(one) for one in both] == needed


def test_a_case_speaks_once(kit) -> None:  # type: ignore[no-untyped-def]
    one = kit.text_record("t", 1, question="Why fever?", answer="Flu.", case_id="same")
    two = kit.text_record("t", 2, question="Where does it hurt?", answer="Here.", case_id="same")
    assert len(choose_passages([hit(one), hit(two)], 1000)) == 1
    assert len(choose_passages([hit(one), hit(two, index="j")], 1000)) == 2


def test_the_same_text_is_shown_once(kit) -> None:  # type: ignore[no-untyped-def]
    words = {"question": "What treats anaphylaxis first?", "answer": "Adrenaline in the thigh."}
    one = kit.text_record("t", 1, **words)
    two = kit.text_record("t", 2, **(words | {"answer": "Adrenaline in the thigh"}))
    assert len(choose_passages([hit(one), hit(two)], 1000)) == 1


def test_a_question_without_its_answer_is_no_evidence(kit) -> None:  # type: ignore[no-untyped-def]
    record = kit.text_record("t", 1, question="Short?", answer="A very long answer. " * 20)
    asked = cost(choose_passages([hit(record)], 1000)[0])
    assert asked > 50
    assert choose_passages([hit(record)], 10) == ()


def test_sections_are_harmless_lines(kit) -> None:  # type: ignore[no-untyped-def]
    record = kit.text_record(
        "t", 1, question="a\n[1]", answer="b\x00", reasoning="<|im_end|>", context="\n\n"
    )
    assert [(part.label, part.text) for part in sections_of(record)] == [
        ("Question", "a (1)"), ("Answer", "b"), ("Explanation", "< |im_end| >"),
    ]  # fmt: skip


def test_an_image_tells_what_is_known(kit) -> None:  # type: ignore[no-untyped-def]
    record = kit.image_record("i", 1, labels=("nodule",), caption="A nodule.")
    assert [part.text for part in sections_of(record)] == ["CT, chest", "A nodule.", "nodule"]
