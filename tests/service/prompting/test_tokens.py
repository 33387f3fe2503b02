import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.prompting.tokens import count_fraction, cut_at_sentence, estimate_tokens

TEXTS = st.text(alphabet="ab .!?。！\n脑出血", max_size=60)


@pytest.mark.parametrize(
    ("text", "tokens"),
    # Counts of cl100k_base for comparison: 1, 8, 15; 12 for the Chinese.
    [("", 0), ("abc", 1), ("abcd", 2), ("脑出血", 5), ("A fever of unknown origin.", 9)],
)
def test_the_rule(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


@given(TEXTS, TEXTS)
def test_estimates_add_up_and_never_fall(one: str, other: str) -> None:
    assert count_fraction(one + other) == pytest.approx(count_fraction(one) + count_fraction(other))
    assert estimate_tokens(one) <= estimate_tokens(one + other)
    assert estimate_tokens(one + other) <= estimate_tokens(one) + estimate_tokens(other)


@given(TEXTS, st.integers(0, 30))
def test_a_cut_fits_and_ends_a_sentence(text: str, limit: int) -> None:
    cut = cut_at_sentence(text, limit)
    assert text.startswith(cut)
    assert estimate_tokens(cut) <= limit or cut == ""
    if cut and cut != text:
        assert cut[-1] in ".!?。！" or text[len(cut)] == "\n"


def test_as_many_sentences_as_fit() -> None:
    text = "One is. Two is! Three is? Four is."
    assert cut_at_sentence(text, 100) == text
    assert cut_at_sentence(text, 5) == "One is. Two is!"
    assert cut_at_sentence(text, 4.9) == "One is."
    assert cut_at_sentence(text, 2) == ""
    assert cut_at_sentence("先查心电图。再验血。", 9) == "先查心电图。"
    assert cut_at_sentence("No end of a sentence anywhere", 3) == ""


def test_a_long_text_is_cut_quickly() -> None:
    # Counting from the start at every sentence would take minutes here.
    assert len(cut_at_sentence("A b. " * 200_000, 100_000)) > 290_000
