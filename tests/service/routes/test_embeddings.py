"""Embeddings, asked for by OpenAI's own client over a real socket."""

import base64
from collections.abc import Iterator

import numpy as np
import openai
import pytest
from starlette.testclient import TestClient

from service.prompting.tokens import estimate_tokens
from service.reply_schemas_openai import EmbeddingsReply

GREY_5 = "data:image/png;base64," + base64.b64encode(b"grey 5").decode()


@pytest.fixture(scope="module")
def embeddings(address: str) -> Iterator[openai.resources.Embeddings]:
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        yield client.embeddings


def test_texts_and_images_are_embedded_in_their_order(embeddings, hash_encoder) -> None:  # type: ignore[no-untyped-def]
    texts = ["fever", "cough and fever"]
    reply = embeddings.create(model="hash", input=[texts[0], GREY_5, texts[1]])
    expected = hash_encoder.encode_texts([texts[0], "grey 5", texts[1]], "query")
    assert np.array_equal(np.array([one.embedding for one in reply.data], np.float32), expected)
    assert [one.index for one in reply.data] == [0, 1, 2]
    assert reply.model == "hash"
    assert reply.usage.prompt_tokens == sum(map(estimate_tokens, texts))


def test_base64_and_float_are_the_same_numbers(embeddings) -> None:  # type: ignore[no-untyped-def]
    plain = embeddings.create(model="hash", input="fever", encoding_format="float", dimensions=64)
    coded = embeddings.create(model="hash", input="fever", encoding_format="base64")
    raw = base64.b64decode(coded.data[0].embedding)
    assert np.frombuffer(raw, "<f4").tolist() == plain.data[0].embedding
    assert len(raw) == 64 * 4


def test_the_role_of_a_text_reaches_the_encoder(indexes_dir, kit, serve) -> None:  # type: ignore[no-untyped-def]
    roles = []

    class Prefixing(kit.HashEncoder):  # type: ignore[name-defined,misc]
        def encode_texts(self, texts, role):  # type: ignore[no-untyped-def]
            roles.append(role)
            return super().encode_texts(texts, role)

    with serve(indexes_dir, encoder=Prefixing()) as client:
        roles.clear()
        body = {"model": "hash", "input": "x"}
        assert client.post("/v1/embeddings", json=body).status_code == 200
        assert (
            client.post("/v1/embeddings", json=body | {"input_type": "document"}).status_code == 200
        )
    assert roles == ["query", "document"]


@pytest.mark.parametrize(
    ("wanted", "error", "said"),
    [
        ({"model": "text-embedding-3-small"}, openai.NotFoundError, "Known: hash"),
        ({"dimensions": 32}, openai.UnprocessableEntityError, "64 dimensions"),
        ({"input": []}, openai.UnprocessableEntityError, "nothing to embed"),
        ({"input": ["x", " "]}, openai.UnprocessableEntityError, "empty"),
        ({"input": [1, 2]}, openai.UnprocessableEntityError, "check_embedding_ctx_length"),
        ({"input": [[1, 2]]}, openai.UnprocessableEntityError, "Token numbers"),
        ({"input": "data:image/png;base64,?"}, openai.UnprocessableEntityError, "base64"),
        ({"input": "data:image/png;base64,AAAA"}, openai.APIStatusError, "no image"),
        ({"input": ["x"] * 1025}, openai.APIStatusError, "at most 1024"),
        ({"input": "x" * 8001}, openai.UnprocessableEntityError, "too long"),
        ({"encoding_format": "int8"}, openai.UnprocessableEntityError, "encoding_format"),
    ],
)
def test_what_cannot_be_embedded_is_refused(embeddings, wanted, error, said) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error) as refused:
        embeddings.create(**({"model": "hash", "input": "x"} | wanted))
    assert said in refused.value.body["message"]
    assert refused.value.status_code in {404, 413, 415, 422}


def test_a_model_of_text_indexes_alone_refuses_images(tmp_path, kit, serve) -> None:  # type: ignore[no-untyped-def]
    kit.publish(tmp_path, "asked", [kit.text_record("asked", 1)])
    with serve(tmp_path) as client:
        refused = client.post("/v1/embeddings", json={"model": "hash", "input": GREY_5})
        assert refused.status_code == 422
        assert "No index of images" in refused.json()["error"]["message"]


def test_images_without_captions_have_a_model_that_reads(
    tmp_path, kit, serve, hash_encoder
) -> None:  # type: ignore[no-untyped-def]
    kit.publish(tmp_path, "bare", [kit.image_record("bare", 1, caption=None)])
    with serve(tmp_path) as client:
        reply = client.post("/v1/embeddings", json={"model": "hash", "input": ["grey 5", GREY_5]})
        one, other = (row["embedding"] for row in reply.json()["data"])
        assert one == other == hash_encoder.encode_texts(["grey 5"], "query")[0].tolist()


def test_replies_have_the_documented_shape(client: TestClient) -> None:
    for encoding in ("float", "base64"):
        body = {"model": "hash", "input": ["x", "y"], "encoding_format": encoding, "user": "u"}
        reply = client.post("/v1/embeddings", json=body).json()
        EmbeddingsReply.model_validate(reply, strict=True)
