import pytest

from indexer.encoders.chinese.pieces import LEAST_LATIN_SCORE, is_needed

RARE = LEAST_LATIN_SCORE - 1


@pytest.mark.parametrize(
    "piece",
    [
        "的",
        "▁新",
        "病毒",
        "囊腫",
        "、",
        "①",
        "≥",
        "μ",
        "α",
        "A",
        "▁B",
        "é",
        "37",
        "▁2020",
        "5°",
        "×",
        "▁",
    ],
)
def test_chinese_numbers_signs_and_single_letters_are_kept_however_rare(piece: str) -> None:
    assert is_needed(piece, RARE)


@pytest.mark.parametrize("piece", ["▁the", "hyper", "CT"])
def test_words_in_ascii_letters_are_kept_if_they_are_common(piece: str) -> None:
    assert is_needed(piece, LEAST_LATIN_SCORE)
    assert not is_needed(piece, RARE)


@pytest.mark.parametrize(
    "piece", ["▁är", "привет", "の", "電話の", "안녕", "१५", "🤗", "و", "κεφάλι", "<mask>"]
)
def test_other_scripts_are_left_out_however_common(piece: str) -> None:
    assert not is_needed(piece, -1.0)
