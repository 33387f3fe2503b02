"""Which encoder takes which place; nothing is loaded here."""

from types import SimpleNamespace

import pytest

from indexer.encoders import selection
from indexer.encoders.base import ImageEncoder
from indexer.encoders.catalogue import get_spec
from indexer.encoders.selection import Encoders, select_encoders
from indexer.errors import EncoderError


class Seeing(SimpleNamespace):
    image_fingerprint = image_input = None

    def encode_images(self, pixels: object) -> None: ...


@pytest.fixture(autouse=True)
def nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(key: str, device: str | None) -> SimpleNamespace:
        spec = get_spec(key)
        return (Seeing if "image" in spec.modalities else SimpleNamespace)(spec=spec)

    monkeypatch.setattr(selection, "load_encoder", load)


def keys(found: Encoders) -> tuple[str, str, str | None]:
    return (
        found.image.spec.key, found.text.spec.key, found.chinese.spec.key if found.chinese else None
    )  # fmt: skip


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ([], ("builtin", "minilm", "e5-small-zh")),
        (["biomedclip"], ("biomedclip", "minilm", "e5-small-zh")),
        (["medcpt"], ("builtin", "medcpt", "e5-small-zh")),
        (["bge-m3"], ("builtin", "bge-m3", None)),
        (["bge-base-zh"], ("builtin", "minilm", "bge-base-zh")),
        (["bge-base-zh", "medcpt", "biomedclip"], ("biomedclip", "medcpt", "bge-base-zh")),
    ],
)
def test_each_place_is_taken_by_what_was_named_or_by_the_default(
    named: list[str], expected: tuple[str, str, str | None]
) -> None:
    found = select_encoders(named)
    assert keys(found) == expected
    assert isinstance(found.image, ImageEncoder)


def test_nothing_is_loaded_for_chinese_where_there_is_none() -> None:
    assert keys(select_encoders([], languages=("en",))) == ("builtin", "minilm", None)
    named = select_encoders(["bge-base-zh"], languages=("en",))
    assert keys(named) == ("builtin", "minilm", "bge-base-zh")


@pytest.mark.parametrize(
    "named",
    [["minilm", "medcpt"], ["bge-base-zh", "e5-small-zh"], ["bge-m3", "bge-base-zh"],
     ["builtin", "biomedclip"]],
)  # fmt: skip
def test_two_encoders_cannot_take_one_place(named: list[str]) -> None:
    with pytest.raises(EncoderError, match="would embed"):
        select_encoders(named)
