import re

import pytest

from indexer.encoders.catalogue import CATALOGUE, get_spec
from indexer.encoders.spec import EncoderSpec
from indexer.errors import UnknownNameError

ENTRIES = pytest.mark.parametrize("spec", CATALOGUE.values(), ids=CATALOGUE.keys())


@ENTRIES
def test_every_entry_says_what_it_is_and_under_which_licence(spec: EncoderSpec) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]+", spec.key)
    assert spec.dim > 0
    assert spec.languages
    assert set(spec.languages) <= {"en", "zh"}
    assert spec.modalities <= {"image", "text"}
    assert "text" in spec.modalities
    assert all((spec.licence, spec.source, spec.description, spec.contamination, spec.revision))
    assert spec.max_tokens is not None
    assert spec.max_tokens > 0
    assert spec.source.startswith("https://huggingface.co/") or spec.family == "builtin"


@ENTRIES
def test_image_sizes_are_stated_where_there_are_images(spec: EncoderSpec) -> None:
    expected = "image" in spec.modalities and spec.key != "builtin"  # its file states its size
    assert (spec.image_px is not None) == expected


@ENTRIES
def test_what_is_unverified_names_fields(spec: EncoderSpec) -> None:
    for name in spec.unverified:
        assert hasattr(spec, name)


@ENTRIES
def test_companions_are_repositories_at_a_revision(spec: EncoderSpec) -> None:
    for companion in spec.companions:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[\w.-]+", companion)


def test_the_issue_asks_for_these() -> None:
    assert {
        "builtin", "minilm", "biomedclip", "roco-vit-l", "medsiglip", "pubmedclip", "bge-m3",
        "qwen3-embedding-0.6b", "medcpt",
    } <= CATALOGUE.keys()  # fmt: skip
    assert any(spec.languages == ("zh",) for spec in CATALOGUE.values())


def test_models_trained_on_roco_say_so() -> None:
    for key in ("roco-vit-l", "pubmedclip"):
        assert "ROCO" in get_spec(key).contamination


def test_a_gated_model_says_how_to_get_it() -> None:
    gated = [spec for spec in CATALOGUE.values() if spec.gated]
    assert [spec.key for spec in gated] == ["medsiglip"]
    assert "Accept its terms" in gated[0].description


def test_a_misspelt_key_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'biomedclip'"):
        get_spec("biomedclib")
