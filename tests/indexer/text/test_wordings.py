import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.text.tokenise import tokenise
from indexer.text.traditional import TO_SIMPLIFIED
from indexer.text.wordings import FOLDED, fold_wordings

wordings = st.sampled_from(sorted(FOLDED))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("肺炎怎么样医治", "肺炎 如何  治疗 "),  # the longest wording wins
        ("咳嗽吃什么药", "咳嗽 服用  哪些 药"),
        ("能走路吗", " 走路 是否 "),
        ("肺炎", "肺炎"),
        ("how is gout treated", "how is gout treated"),
        ("", ""),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold_wordings(text).replace("  ", " ") == folded.replace("  ", " ")


@given(st.lists(st.one_of(wordings, st.text("肺炎的不 aé"))).map("".join))
def test_folding_twice_changes_nothing_but_spaces(text: str) -> None:
    once = fold_wordings(text)
    assert fold_wordings(once).split() == once.split()


@given(wordings, st.sampled_from(["肺炎", "咳血", "gout"]))
def test_a_wording_is_indexed_as_what_stands_for_it(wording: str, subject: str) -> None:
    assert tokenise(f"{subject}{wording}") == tokenise(f"{subject} {FOLDED[wording]}")


def test_the_table_is_sound() -> None:
    standing = set(FOLDED.values()) - {""}
    assert all(FOLDED[wording] == wording for wording in standing)
    assert all(not set(map(ord, wording)) & set(TO_SIMPLIFIED) for wording in FOLDED)
    # What stands for a wording is one token or more: not lost among the function characters.
    assert all(any(token in wording for token in tokenise(wording)) for wording in standing)
