import numpy as np
import pytest

from indexer.errors import (
    DecodeError,
    EncoderMismatchError,
    EncoderUnavailableError,
    UnknownNameError,
)
from service.retrieval.encoding import QueryEncoders, QueryImage
from service.retrieval.spaces import Space, identity_of

BLACK = QueryImage(np.zeros((8, 8, 3), np.uint8), bytes(32))


def space(of, field: str = "question", **changes: object) -> Space:  # type: ignore[no-untyped-def]
    tower = of.image_fingerprint if field == "image" else of.text_fingerprint
    values = {"field": field, "encoder": of.spec.key, "dim": tower.dim}
    return Space(**(values | {"identity": identity_of(tower)} | changes))


def test_a_text_is_embedded_once(hash_encoder) -> None:  # type: ignore[no-untyped-def]
    encoders = QueryEncoders(lambda key: hash_encoder)
    first = encoders.embed_text(space(hash_encoder), "fever")
    second = encoders.embed_text(space(hash_encoder), "fever")
    assert first is second
    assert hash_encoder.encoded_texts == 1
    assert encoders.loaded == {"hash"}


def test_the_cache_forgets_what_was_not_asked_lately(hash_encoder) -> None:  # type: ignore[no-untyped-def]
    encoders = QueryEncoders(lambda key: hash_encoder, cached_texts=2)
    for text in ("a", "b", "a", "c", "a", "b"):  # c drops b, not a
        encoders.embed_text(space(hash_encoder), text)
    assert hash_encoder.encoded_texts == 4


def test_another_revision_is_a_mismatch_but_another_machine_is_not(hash_encoder) -> None:  # type: ignore[no-untyped-def]
    encoders = QueryEncoders(lambda key: hash_encoder)
    stated = hash_encoder.text_fingerprint
    elsewhere = type(stated)(**(stated.to_json() | {"dtype": "bfloat16", "versions": {"t": "9"}}))
    assert identity_of(elsewhere) == identity_of(stated)
    later = type(stated)(**(stated.to_json() | {"weights_sha256": "f" * 64}))
    with pytest.raises(EncoderMismatchError) as caught:
        encoders.embed_text(space(hash_encoder, identity=identity_of(later)), "fever")
    assert "medsearch index" in caught.value.remedy


def test_an_image_field_is_bound_to_the_image_tower(hash_encoder) -> None:  # type: ignore[no-untyped-def]
    encoders = QueryEncoders(lambda key: hash_encoder, lambda raw, wanted: BLACK)
    vector = encoders.embed_text(space(hash_encoder, "image"), "grey 0")
    assert np.allclose(vector, encoders.see_image(space(hash_encoder, "image"), b"...").vector)
    wrong = identity_of(hash_encoder.text_fingerprint)
    with pytest.raises(EncoderMismatchError):
        encoders.embed_text(space(hash_encoder, "image", identity=wrong), "grey 0")


def test_without_a_decoder_images_are_refused(hash_encoder) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DecodeError):
        QueryEncoders(lambda key: hash_encoder).see_image(space(hash_encoder, "image"), b"")


def test_a_failed_load_is_not_tried_with_every_query(hash_encoder) -> None:  # type: ignore[no-untyped-def]
    tried = []

    def load(key: str) -> object:
        tried.append(key)
        raise UnknownNameError("encoder", key, ["other"])

    encoders = QueryEncoders(load)
    for _ in range(3):
        # The client named an index, not an encoder: this is no 404.
        with pytest.raises(EncoderUnavailableError):
            encoders.encoder(space(hash_encoder))
    assert tried == ["hash"]


def test_two_entries_that_share_a_tower_share_its_encoder(hash_encoder) -> None:  # type: ignore[no-untyped-def]
    loaded = []

    def load(key: str) -> object:
        loaded.append(key)
        return hash_encoder

    encoders = QueryEncoders(load)
    image, caption = space(hash_encoder, "image"), space(hash_encoder, "caption", encoder="alias")
    assert caption == space(hash_encoder, "caption")
    first, second = encoders.embed_text(image, "fever"), encoders.embed_text(caption, "fever")
    assert first is second
    assert hash_encoder.encoded_texts == 1
    assert loaded == ["hash"]
