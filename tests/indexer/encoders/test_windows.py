from hypothesis import given
from hypothesis import strategies as st

from indexer.encoders.windows import (
    BATCH_TOKENS,
    LENGTH_STEP_TOKENS,
    TEXT_LIMIT_TOKENS,
    padded_length,
    plan_batches,
    split_windows,
)


@given(st.lists(st.integers(0, 9), max_size=600), st.integers(1, 100))
def test_windows_hold_every_token_once_and_are_equally_long(
    tokens: list[int], capacity: int
) -> None:
    windows = split_windows(tokens, capacity)
    lengths = [len(window) for window in windows]
    assert [token for window in windows for token in window] == tokens
    assert max(lengths) <= capacity
    assert max(lengths) - min(lengths) <= 1
    assert len(windows) == max(1, -(-len(tokens) // capacity))


def test_no_tokens_give_one_empty_window() -> None:
    assert split_windows([], 8) == [[]]


def test_tokens_beyond_the_limit_are_left_out() -> None:
    windows = split_windows(range(TEXT_LIMIT_TOKENS + 5), 254)
    assert windows[-1][-1] == TEXT_LIMIT_TOKENS - 1


@given(st.integers(0, 512), st.integers(1, 512))
def test_padded_length_is_the_next_step_or_the_limit(length: int, maximum: int) -> None:
    padded = padded_length(min(length, maximum), maximum)
    assert min(length, maximum) <= padded <= maximum
    assert padded == maximum or padded % LENGTH_STEP_TOKENS == 0
    assert padded < length + LENGTH_STEP_TOKENS or length == 0


@given(st.lists(st.sampled_from([16, 32, 48, 256, 5000]), max_size=200))
def test_batches_hold_every_row_once_and_only_rows_of_one_length(lengths: list[int]) -> None:
    batches = list(plan_batches(lengths))
    assert sorted(row for batch in batches for row in batch.rows) == list(range(len(lengths)))
    for batch in batches:
        assert {lengths[row] for row in batch.rows} == {batch.length}
        assert len(batch.rows) == 1 or len(batch.rows) * batch.length <= BATCH_TOKENS
