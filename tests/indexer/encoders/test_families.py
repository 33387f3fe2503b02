"""Each family's loader gives what the family's own library gives, on short texts and on images."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from indexer.encoders.base import ImageEncoder
from indexer.encoders.load import load_encoder
from tests.indexer.encoders.tiny_models import PX

Folders = Callable[[str], Path]

TEXTS = ["chest x ray of a child", "axial ct image of the liver with a lesion", "mri"]
IMAGES = np.random.default_rng(3).integers(0, 256, (3, PX, PX, 3), dtype=np.uint8)


def load(folder: Path) -> Any:
    return load_encoder(str(folder), device="cpu", precision="float32")


def unit(vectors: Any) -> npt.NDArray[np.float32]:
    rows = np.asarray(vectors, dtype=np.float64)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("family", ["bge", "qwen"])
def test_sentence_transformers(family_folder: Folders, family: str) -> None:
    folder = family_folder(family)
    encoder = load(folder)
    from sentence_transformers import SentenceTransformer

    reference = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    prompt = encoder.spec.query_prefix
    expected = unit(reference.encode(TEXTS, prompt=prompt))
    np.testing.assert_allclose(encoder.encode_texts(TEXTS, "query"), expected, atol=1e-5)
    plain = unit(reference.encode(TEXTS))
    np.testing.assert_allclose(encoder.encode_texts(TEXTS, "document"), plain, atol=1e-5)


def test_the_prompts_of_a_folder_are_used(family_folder: Folders) -> None:
    encoder = load(family_folder("qwen"))
    assert encoder.spec.query_prefix == "Instruct: find\nQuery:"
    query, document = (encoder.encode_texts(["liver"], role) for role in ("query", "document"))
    assert not np.allclose(query, document)
    prompted = encoder.encode_texts(["Instruct: find\nQuery:liver"], "document")
    np.testing.assert_array_equal(query, prompted)


def test_medcpt_uses_a_tower_for_each_role(family_folder: Folders) -> None:
    folder = family_folder("medcpt")
    encoder = load(folder)
    from transformers import AutoTokenizer, BertModel

    for role, name in (("query", "query"), ("document", "article")):
        tokenizer = AutoTokenizer.from_pretrained(folder / name)
        model = BertModel.from_pretrained(folder / name).eval()
        with torch.inference_mode():
            tokens = tokenizer(TEXTS, padding=True, return_tensors="pt")
            expected = unit(model(**tokens).last_hidden_state[:, 0])
        np.testing.assert_allclose(encoder.encode_texts(TEXTS, role), expected, atol=1e-5)
    assert encoder.towers["query"].max_tokens == 64
    assert encoder.towers["document"].max_tokens == 512


@pytest.mark.parametrize("family", ["biomedclip", "clip"])
def test_open_clip(family_folder: Folders, family: str) -> None:
    folder = family_folder(family)
    encoder = load(folder)
    import open_clip

    overrides: dict[str, Any] = {}
    if family == "biomedclip":
        config = open_clip.get_model_config(f"local-dir:{folder}")["text_cfg"]
        text = {"hf_model_name": str(folder / "text_tower"), "hf_model_pretrained": False}
        overrides = {"text_cfg": {**config, **text}}
    name = f"local-dir:{folder}"
    model, _, preprocess = open_clip.create_model_and_transforms(name, **overrides)
    tokens = open_clip.get_tokenizer(name)(TEXTS)
    pictures = torch.stack([preprocess(Image.fromarray(image)) for image in IMAGES])
    with torch.inference_mode():
        texts, images = model.eval().encode_text(tokens), model.encode_image(pictures)
    assert isinstance(encoder, ImageEncoder)
    np.testing.assert_allclose(encoder.encode_texts(TEXTS, "query"), unit(texts), atol=1e-5)
    np.testing.assert_allclose(encoder.encode_images(IMAGES), unit(images), atol=1e-5)


@pytest.mark.parametrize("family", ["pubmedclip", "medsiglip"])
def test_transformers(family_folder: Folders, family: str) -> None:
    folder = family_folder(family)
    encoder = load(folder)
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    length = model.config.text_config.max_position_embeddings
    tokens = tokenizer(TEXTS, padding="max_length", max_length=length, return_tensors="pt")
    mask = {"attention_mask": tokens.attention_mask} if family == "pubmedclip" else {}
    mean, std = (0.5, 0.5) if family == "medsiglip" else (
        np.array([0.48145466, 0.4578275, 0.40821073]),
        np.array([0.26862954, 0.26130258, 0.27577711]),
    )  # fmt: skip
    pictures = torch.from_numpy((IMAGES / 255 - mean) / std).float().permute(0, 3, 1, 2)
    with torch.inference_mode():
        texts = model.get_text_features(input_ids=tokens.input_ids, **mask).pooler_output
        images = model.get_image_features(pixel_values=pictures).pooler_output
    assert isinstance(encoder, ImageEncoder)
    np.testing.assert_allclose(encoder.encode_texts(TEXTS, "query"), unit(texts), atol=1e-5)
    np.testing.assert_allclose(encoder.encode_images(IMAGES), unit(images), atol=1e-5)


def test_the_built_in_tower(family_folder: Folders) -> None:
    from indexer.encoders.builtin.network import normalise
    from indexer.encoders.builtin.tower import load_image_tower

    folder = family_folder("builtin")
    encoder = load(folder)
    network, config = load_image_tower(folder)
    with torch.inference_mode():
        expected = network(normalise(torch.from_numpy(IMAGES), config))
    np.testing.assert_allclose(encoder.encode_images(IMAGES), expected.numpy(), atol=1e-5)
    assert encoder.image_input.resize == "letterbox"


def test_the_built_in_encoder_shares_minilms_text_space(family_folder: Folders) -> None:
    minilm = load_encoder("minilm", device="cpu", precision="float32")
    builtin = load(family_folder("builtin"))
    assert builtin.text_fingerprint == minilm.text_fingerprint
    np.testing.assert_array_equal(
        builtin.encode_texts(TEXTS, "query"), minilm.encode_texts(TEXTS, "query")
    )
    assert builtin.image_fingerprint.space_digest() != minilm.text_fingerprint.space_digest()
