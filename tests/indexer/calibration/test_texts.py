import pytest

from indexer.calibration.texts import unrelated_texts
from indexer.records import Language
from indexer.text.normalise import detect_language


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_texts_are_many_distinct_and_in_their_language(language: Language) -> None:
    texts = unrelated_texts(language)
    assert len(texts) == len(set(texts)) >= 90
    assert {detect_language(text) for text in texts} == {language}
    assert texts == unrelated_texts(language)
