import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.text.tokenise import tokenise
from indexer.text.traditional import TO_SIMPLIFIED
from indexer.text.wordings import FOLDED, STANDING, fold_wordings

wordings = st.sampled_from(sorted(FOLDED))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("肺炎怎么样医治", ["肺炎", "如何", "治疗"]),  # the longest wording wins
        ("咳嗽吃什么药", ["咳嗽", "服用", "哪些", "药"]),
        ("能走路吗", ["能走路", "是否"]),
        ("肺炎", ["肺炎"]),
        ("how is gout treated", ["how", "is", "gout", "treated"]),
        ("", []),
    ],
)
def test_folding(text: str, folded: list[str]) -> None:
    assert fold_wordings(text).split() == folded


@given(st.lists(st.one_of(wordings, st.text("肺炎的不 aé"))).map("".join))
def test_folding_twice_changes_nothing_but_spaces(text: str) -> None:
    once = fold_wordings(text)
    assert fold_wordings(once).split() == once.split()


@given(wordings, st.sampled_from(["肺炎", "咳血", "gout"]))
def test_a_wording_is_one_token_whatever_it_stands_beside(wording: str, subject: str) -> None:
    beside = tokenise(subject)
    assert tokenise(subject + wording) == [*beside, FOLDED[wording]]
    assert tokenise(wording + subject) == [FOLDED[wording], *beside]


def test_the_table_is_sound() -> None:
    assert all(FOLDED[wording] == wording for wording in STANDING)
    assert not set(map(ord, "".join(FOLDED))) & set(TO_SIMPLIFIED)
