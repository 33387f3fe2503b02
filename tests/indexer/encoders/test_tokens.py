from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from indexer.encoders.hub_tokens import HubTokens
from indexer.encoders.tokens import TokenRules, plain_encode, rules_of
from indexer.errors import EncoderError


@pytest.fixture
def tokenizer(family_folder: Callable[[str], Path]) -> Tokenizer:
    return Tokenizer.from_file(str(family_folder("medcpt") / "query" / "tokenizer.json"))


def test_special_tokens_are_those_around_a_word(tokenizer: Tokenizer) -> None:
    rules = rules_of(plain_encode(tokenizer), padding=0)
    assert rules.prefix == (tokenizer.token_to_id("[CLS]"),)
    assert rules.suffix == (tokenizer.token_to_id("[SEP]"),)
    chest = tokenizer.token_to_id("chest")
    assert rules.sequence(rules.tokenise("chest")) == [2, chest, 3]


def test_truncation_and_padding_of_the_file_are_switched_off(tokenizer: Tokenizer) -> None:
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=64)
    rules = rules_of(plain_encode(tokenizer), padding=0)
    assert len(rules.tokenise("chest " * 40)) == 40
    assert len(rules.tokenise("chest")) == 1


def test_a_text_is_cleaned_before_it_is_cut(tokenizer: Tokenizer) -> None:
    rules = rules_of(plain_encode(tokenizer), padding=0, clean=lambda text: text.replace("_", " "))
    assert rules.tokenise("chest_ct") == rules.tokenise("chest ct")


def test_a_tokenizer_that_changes_a_word_beside_special_tokens_is_refused() -> None:
    def encode(text: str, special: bool) -> list[int]:
        return [1, 5, 2, 6] if special else [5, 6]

    with pytest.raises(EncoderError, match="special tokens"):
        rules_of(encode, padding=0)


def test_a_tokenizer_larger_than_the_table_is_refused() -> None:
    rules = TokenRules(tokenise=lambda text: [], prefix=(2,), suffix=(3,), padding=0)
    tokens = HubTokens(rules=rules, size=30522, sha256="")
    tokens.require_fitting(30522, Path("model"))
    with pytest.raises(EncoderError, match=r"up to 30521, but the model knows 30521"):
        tokens.require_fitting(30521, Path("model"))


def test_a_padding_token_outside_the_table_is_refused() -> None:
    rules = TokenRules(tokenise=lambda text: [], prefix=(), suffix=(), padding=99)
    with pytest.raises(EncoderError, match="do not belong together"):
        HubTokens(rules=rules, size=10, sha256="").require_fitting(50, Path("model"))
