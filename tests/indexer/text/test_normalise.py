import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.text.normalise import clean, detect_language, drop_arrows, split_thoughts


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\u00a0b\u2009c\u3000d\te", "a b c d e"),
        ("  two \r\n lines \r\n", "two\nlines"),
        ("a\rb\u2028c\x85d", "a\nb\nc\nd"),
        ("one\n\n\n\n\ntwo", "one\n\ntwo"),
        ("e\u0301", "é"),
        ("\ufeffzero\u200bwidth\u00ad", "zerowidth"),
        ("\u202eevil\u202c \u2066text\u2069", "evil text"),
        ("nul\0l\x1b[31m", "null[31m"),
        ("a\U000e0041\U000e0042\ufe0fb", "ab"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("\uf92d\uf9e1", "\u4f86\u674e"),
        ("H₂O, 10⁹/L, （　　）", "H₂O, 10⁹/L, （ ）"),
        ("\u200b", ""),
    ],
)
def test_what_cannot_be_seen_is_gone(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text())
def test_cleaning_twice_changes_nothing_and_the_result_can_be_encoded(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    cleaned.encode("utf-8")
    assert cleaned == cleaned.strip()


@pytest.mark.parametrize(
    ("text", "thoughts", "rest"),
    [
        ("just an answer", "", "just an answer"),
        ("<think>hm</think>so", "hm", "so"),
        ("<think>\nhm\n</think>\n\nso", "hm", "so"),
        ("hm</think>so", "hm", "so"),
        ("so<think>hm", "hm", "so"),
        ("<THINK>hm</Think >so", "hm", "so"),
        ("<thinking>hm</thinking>so", "hm", "so"),
        ("a<think>b</think>c<think>d</think>e", "b\nd", "a\nc\ne"),
        ("<think></think>so", "", "so"),
        ("p < 0.05 <thinker>", "", "p < 0.05 <thinker>"),
        ("", "", ""),
    ],
)
def test_thoughts_are_told_from_the_rest(text: str, thoughts: str, rest: str) -> None:
    assert split_thoughts(text) == (thoughts, rest)


@given(st.text())
def test_no_tag_is_left(text: str) -> None:
    thoughts, rest = split_thoughts(f"<think>{text}</think> {text}")
    assert "<think>" not in thoughts + rest


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("see a doctor online -->", "see a doctor online"),
        ("see a doctor online.--->", "see a doctor online."),
        ("one --> two", "one two"),
        ("A -> B and x-y", "A -> B and x-y"),
        ("-->", ""),
    ],
)
def test_arrows_of_links_are_dropped(text: str, without: str) -> None:
    assert drop_arrows(text) == without


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is gout?", "en"),
        ("痛风是什么？", "zh"),
        ("COVID-19 ARDS 患者使用 ECMO 的指征", "zh"),
        ("下列何種藥物最不適當：metformin、insulin", "zh"),
        ("The pulse was described as 弦脉 (wiry) by the acupuncturist.", "en"),
        ("52", "en"),
        ("", "en"),
    ],
)
def test_the_language_is_that_of_most_of_the_text(text: str, language: str) -> None:
    assert detect_language(text) == language
