from hypothesis import given
from hypothesis import strategies as st

from indexer.text.fields import CHINESE_FIELDS, is_chinese_field, main_field


def test_each_field_of_texts_has_one_for_chinese() -> None:
    for main, chinese in CHINESE_FIELDS.items():
        assert main_field(chinese) == main_field(main) == main
        assert is_chinese_field(chinese)
        assert not is_chinese_field(main)


@given(st.text().filter(lambda name: name not in CHINESE_FIELDS.values()))
def test_any_other_field_is_its_own(name: str) -> None:
    assert main_field(name) == name
    assert not is_chinese_field(name)
