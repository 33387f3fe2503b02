import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.prompting.prompt_receipt import PromptReceipt, ShownPassage, Signer
from service.prompting.verifying import MOST_SENTENCES, Verification, verify_answer

TEXTS = {
    1: "Question: How is anaphylaxis treated first?\nAnswer: 0.5 mg adrenaline into the thigh.",
    2: "Question: Why?\nAnswer: Antihistamines act slowly and save no lives.",
    3: "Question: 胸痛伴出汗应首先做什么检查？\nAnswer: 心电图。",
}


@pytest.fixture
def receipt() -> PromptReceipt:
    shown = tuple(
        ShownPassage(number=number, record_id=f"t/train/{number}", index="t", text=text)
        for number, text in TEXTS.items()
    )
    return Signer(b"k").receipt(shown, "answer-3", {}, ())


def cites(found: Verification) -> list[list[int]]:
    return [[each.number for each in one.supports] + list(one.unknown) for one in found.sentences]


@pytest.mark.parametrize(
    ("answer", "cited"),
    [
        ("Give adrenaline [1]. Wait.", [[1], []]),
        ("Give adrenaline. [1] Wait [2].", [[1], [2]]),
        ("Give it [1, 2]. Or [1-3]! Or [2–3]; [1].", [[1, 2], [1, 2, 3], [2, 3, 1]]),
        ("做心电图[3]。再等。", [[3], []]),
        ("做心电图。[3]再等。", [[3], []]),
        ("做心电图【3】。", [[3]]),
        ("1. Give it [1].\n2. Wait.\n- Watch [2].", [[1], [], [2]]),
        ("[1] says so.\n[2] denies it.", [[1], [2]]),
        ("Nothing\n\n***\n", [[]]),
        ("See [9] and [0].", [[9, 0]]),
        ("See [3-1].", [[3, 1]]),
        ("", []),
    ],
)
def test_which_sentence_cites_what(receipt: PromptReceipt, answer: str, cited: list) -> None:
    assert cites(verify_answer(answer, receipt)) == cited


def test_numbers_that_were_not_shown_are_refused(receipt: PromptReceipt) -> None:
    found = verify_answer("Give adrenaline [1]. Or water [7]. Or both [2, 12].", receipt)
    assert (found.valid, found.unknown, found.cited) == (False, (7, 12), (1, 2))
    assert verify_answer("Give adrenaline [1].", receipt).valid


def test_sentences_without_a_citation_are_listed(receipt: PromptReceipt) -> None:
    assert verify_answer("Give adrenaline [1]. Now. Then wait [9].", receipt).uncited == (1,)


@pytest.mark.parametrize(
    ("answer", "supported"),
    [
        ("Adrenaline into the thigh treats anaphylaxis first [1].", True),
        ("Sourdough rises best overnight in a warm kitchen [1].", False),
        ("Adrenaline 0.5 mg into the thigh treats anaphylaxis [1].", True),
        ("Adrenaline 5 mg into the thigh treats anaphylaxis [1].", False),
        ("胸痛伴出汗首先做心电图[3]。", True),
        ("高血压吃降压药[3]。", False),
        ("Sourdough rises [1]; antihistamines act slowly, save no lives [2].", True),
    ],
)
def test_what_shares_too_little_is_unsupported(
    receipt: PromptReceipt, answer: str, supported: bool
) -> None:
    found = verify_answer(answer, receipt)
    assert (found.unsupported == ()) is supported
    assert found.sentences[0].supports[0].embedding is None


def test_other_words_are_seen_by_embeddings(receipt: PromptReceipt, hash_encoder) -> None:  # type: ignore[no-untyped-def]
    class Paraphrasing:
        def __call__(self, texts: list[str]):  # type: ignore[no-untyped-def]
            return hash_encoder.encode_texts(
                ["same" if "pinephrine" in one or "adrenaline" in one else one for one in texts],
                "query",
            )

    answer = "Epinephrine saves people [1]."
    assert verify_answer(answer, receipt).unsupported == (0,)
    found = verify_answer(answer, receipt, Paraphrasing())
    assert found.unsupported == ()
    assert found.sentences[0].supports[0].embedding == pytest.approx(1.0)


@given(st.text(alphabet="ab .。[]【】1234-–,\n!;药", max_size=80))
def test_any_text_is_read(receipt_factory, text: str) -> None:  # type: ignore[no-untyped-def]
    found = verify_answer(text, receipt_factory)
    assert found.valid == (not found.unknown)
    assert set(found.cited) <= set(TEXTS)
    assert not set(found.unknown) & set(TEXTS)


@pytest.fixture(scope="module")
def receipt_factory() -> PromptReceipt:
    shown = tuple(
        ShownPassage(number=number, record_id="r", index="t", text=text)
        for number, text in TEXTS.items()
    )
    return Signer(b"k").receipt(shown, "answer-3", {}, ())


def test_long_answers_take_bounded_time(receipt: PromptReceipt) -> None:
    began = time.process_time()
    found = verify_answer("Give adrenaline [1]. " * 5000 + "[" * 20_000 + "[1" * 20_000, receipt)
    assert len(found.sentences) == MOST_SENTENCES + 1
    assert verify_answer(f"See [{'9' * 10_000}].", receipt).unknown
    assert time.process_time() - began < 10
