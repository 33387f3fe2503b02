from dataclasses import replace

import pytest

from indexer.encoders.spec import Fingerprint

FINGERPRINT = Fingerprint(
    key="minilm",
    revision="r",
    dim=384,
    weights_sha256="w",
    tokenizer_sha256="t",
    preprocessing="p",
    dtype="float32",
    versions={"torch": "2.13"},
)


def test_a_fingerprint_comes_back_from_json() -> None:
    assert Fingerprint.from_json(FINGERPRINT.to_json()) == FINGERPRINT


def test_unknown_and_missing_fields_are_refused() -> None:
    values = FINGERPRINT.to_json()
    with pytest.raises(TypeError):
        Fingerprint.from_json({**values, "colour": "red"})
    with pytest.raises(TypeError):
        Fingerprint.from_json({"key": "minilm"})


@pytest.mark.parametrize(
    "change", [{"dtype": "bfloat16"}, {"versions": {"torch": "2.14"}}, {"key": "builtin"}]
)
def test_what_changes_last_digits_at_most_keeps_the_space(change: dict[str, object]) -> None:
    other = replace(FINGERPRINT, **change)  # type: ignore[arg-type]
    assert other.space_digest() == FINGERPRINT.space_digest()
    assert other.digest() != FINGERPRINT.digest()


@pytest.mark.parametrize(
    "change",
    [
        {"dim": 512},
        {"weights_sha256": "x"},
        {"tokenizer_sha256": None},
        {"preprocessing": "x"},
    ],
)
def test_what_changes_embeddings_changes_the_space(change: dict[str, object]) -> None:
    other = replace(FINGERPRINT, **change)  # type: ignore[arg-type]
    assert other.space_digest() != FINGERPRINT.space_digest()
