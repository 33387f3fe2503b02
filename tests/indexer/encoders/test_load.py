"""Finding models by every kind of name, offline, and saying clearly what is wrong with them."""

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from indexer.encoders.base import ImageEncoder
from indexer.encoders.catalogue import CATALOGUE
from indexer.encoders.load import load_encoder
from indexer.encoders.weights import PickledWeightsWarning
from indexer.errors import EncoderError, EncoderUnavailableError, UnknownNameError
from tests.indexer.encoders.tiny_models import bert_config, write_wordpiece

Folders = Callable[[str], Path]

WEIGHTS = {
    "biomedclip": "open_clip_model.safetensors",
    "clip": "open_clip_model.safetensors",
    "bge": "model.safetensors",
    "medcpt": "article/model.safetensors",
    "pubmedclip": "model.safetensors",
    "builtin": "image_tower.safetensors",
}
EVERY_FAMILY = pytest.mark.parametrize("family", WEIGHTS)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No network, an empty hub cache, no models of one's own; returns the cache's folder."""

    def refuse(*_: object) -> None:
        raise AssertionError("the network was reached for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    cache = tmp_path / "cache"
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    monkeypatch.delenv("MEDSEARCH_MODELS", raising=False)
    return cache


def put_into_cache(cache: Path, repository: str, folder: Path, commit: str = "c0ffee") -> Path:
    base = cache / ("models--" + repository.replace("/", "--"))
    (base / "refs").mkdir(parents=True)
    (base / "refs" / "main").write_text(commit)
    return Path(shutil.copytree(folder, base / "snapshots" / commit))


@pytest.mark.parametrize("key", [key for key in CATALOGUE if CATALOGUE[key].family != "builtin"])
def test_a_model_that_is_not_here_names_the_command(key: str) -> None:
    with pytest.raises(EncoderUnavailableError, match=f"medsearch encoders get {key}") as caught:
        load_encoder(key, device="cpu")
    assert "--encoder FOLDER" in caught.value.remedy


def test_an_own_copy_is_loaded_under_its_key(
    family_folder: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDSEARCH_MODELS", str(tmp_path))
    shutil.copytree(family_folder("bge"), tmp_path / "mine")
    encoder = load_encoder("local:mine", device="cpu")
    assert encoder.spec.key == encoder.text_fingerprint.key == "local:mine"
    again = load_encoder(str(tmp_path / "mine"), device="cpu")
    assert again.spec.key == "local:mine"
    assert again.text_fingerprint == encoder.text_fingerprint


def test_a_copy_of_another_model_is_not_taken_for_the_catalogues(
    family_folder: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDSEARCH_MODELS", str(tmp_path))
    shutil.copytree(family_folder("bge"), tmp_path / "bge-m3")
    with pytest.raises(EncoderError, match="gives 32 dimensions, 1024 are expected"):
        load_encoder("bge-m3", device="cpu")


@pytest.mark.parametrize("name", ["hf-hub:someone/model", "someone/model"])
def test_a_hub_name_is_loaded_from_the_cache(
    family_folder: Folders, offline: Path, name: str
) -> None:
    put_into_cache(offline, "someone/model", family_folder("clip"))
    encoder = load_encoder(name, device="cpu")
    assert isinstance(encoder, ImageEncoder)
    assert (encoder.spec.key, encoder.spec.model) == (name, "someone/model")
    assert encoder.spec.revision == "c0ffee"


def test_medcpts_towers_are_two_repositories_in_the_cache(
    family_folder: Folders, offline: Path
) -> None:
    folder = family_folder("medcpt")
    revision = CATALOGUE["medcpt"].revision
    put_into_cache(offline, "ncbi/MedCPT-Query-Encoder", folder / "query", revision)
    with pytest.raises(EncoderUnavailableError, match="medsearch encoders get medcpt"):
        load_encoder("medcpt", device="cpu")
    put_into_cache(offline, "ncbi/MedCPT-Article-Encoder", folder / "article")
    with pytest.raises(EncoderError, match="gives 32 dimensions, 768 are expected"):
        load_encoder("medcpt", device="cpu")


def test_a_pretrained_name_of_open_clip_is_loaded_from_the_cache(
    family_folder: Folders, offline: Path
) -> None:
    put_into_cache(offline, "timm/vit_base_patch32_clip_224.openai", family_folder("clip"))
    assert isinstance(load_encoder("ViT-B-32:openai", device="cpu"), ImageEncoder)


def test_biomedclips_second_repository_may_lie_in_the_cache(
    family_copy: Folders, offline: Path
) -> None:
    folder = family_copy("biomedclip")
    text = folder / "text_tower"
    put_into_cache(offline, "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract", text)
    shutil.rmtree(text)
    assert isinstance(load_encoder(str(folder), device="cpu"), ImageEncoder)


def test_without_the_second_repository_the_error_says_what_to_put_where(
    family_copy: Folders,
) -> None:
    folder = family_copy("biomedclip")
    shutil.rmtree(folder / "text_tower")
    with pytest.raises(EncoderUnavailableError, match="configuration of its text tower") as caught:
        load_encoder(str(folder), device="cpu")
    assert "config.json into text_tower/" in caught.value.remedy


def test_code_of_a_text_towers_own_is_refused(family_copy: Folders) -> None:
    path = family_copy("biomedclip") / "text_tower" / "config.json"
    config = {**json.loads(path.read_text()), "auto_map": {"AutoModel": "evil.Model"}}
    path.write_text(json.dumps(config))
    with pytest.raises(EncoderError, match="code of its own"):
        load_encoder(str(path.parents[1]), device="cpu")


@pytest.mark.parametrize("name", ["biomedclop", "hf_hub_model", "NO-SUCH:tag"])
def test_an_unknown_name_is_told_with_the_known_ones(name: str) -> None:
    with pytest.raises(UnknownNameError, match="Known: bge-base-zh, bge-m3"):
        load_encoder(name, device="cpu")


@pytest.mark.parametrize("name", ["/no/such/folder", "./gone", "local-dir:gone", "local:gone"])
def test_a_folder_that_is_not_there_is_told(name: str) -> None:
    with pytest.raises(EncoderUnavailableError, match="no model folder"):
        load_encoder(name, device="cpu")


def test_a_folder_of_something_else_is_told_with_the_known_formats(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    with pytest.raises(EncoderError, match="photos: no model of a known format") as caught:
        load_encoder(str(folder), device="cpu")
    assert "open_clip_config.json" in caught.value.remedy


def test_a_plain_transformer_is_told_what_it_lacks(tmp_path: Path) -> None:
    bert_config(100).save_pretrained(tmp_path)
    with pytest.raises(EncoderError, match=r"'bert' model, and there is no modules\.json"):
        load_encoder(str(tmp_path), device="cpu")


@EVERY_FAMILY
def test_truncated_weights_are_told(family_copy: Folders, family: str) -> None:
    path = family_copy(family) / WEIGHTS[family]
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(EncoderError, match="safetensors"):
        load_encoder(str(family_copy_root(path, family)), device="cpu")


@EVERY_FAMILY
def test_missing_weights_are_told(family_copy: Folders, family: str) -> None:
    path = family_copy(family) / WEIGHTS[family]
    path.unlink()
    with pytest.raises(EncoderError, match=r"fetch|Fetch|no such file|Restore"):
        load_encoder(str(family_copy_root(path, family)), device="cpu")


@EVERY_FAMILY
def test_a_weight_that_is_missing_is_not_left_random(family_copy: Folders, family: str) -> None:
    path = family_copy(family) / WEIGHTS[family]
    state = load_file(path)
    name = next(name for name in sorted(state) if name.endswith("weight") and "pooler" not in name)
    del state[name]
    save_file(state, path, metadata={"format": "pt"})
    with pytest.raises(EncoderError):
        load_encoder(str(family_copy_root(path, family)), device="cpu")


@EVERY_FAMILY
def test_weights_of_another_shape_are_told(family_copy: Folders, family: str) -> None:
    path = family_copy(family) / WEIGHTS[family]
    state = load_file(path)
    name = next(name for name in sorted(state) if name.endswith("weight") and "pooler" not in name)
    state[name] = torch.zeros(7, 7)
    save_file(state, path, metadata={"format": "pt"})
    with pytest.raises(EncoderError):
        load_encoder(str(family_copy_root(path, family)), device="cpu")


@pytest.mark.parametrize("family", ["biomedclip", "bge", "medcpt", "pubmedclip"])
def test_a_missing_tokenizer_is_told(family_copy: Folders, family: str) -> None:
    root = family_copy(family)
    folder = root / "query" if family == "medcpt" else root
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    with pytest.raises(EncoderError, match="tokenizer"):
        load_encoder(str(root), device="cpu")


@pytest.mark.parametrize("family", ["biomedclip", "bge", "pubmedclip"])
def test_the_tokenizer_of_another_model_is_told(family_copy: Folders, family: str) -> None:
    from tokenizers import Tokenizer

    folder = family_copy(family)
    path = folder / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.add_tokens([f"extra{number}" for number in range(500)])
    tokenizer.save(str(path))
    with pytest.raises(EncoderError, match="do not belong together"):
        load_encoder(str(folder), device="cpu")


def test_a_tokenizer_that_pads_otherwise_is_told(family_copy: Folders) -> None:
    folder = family_copy("biomedclip")
    config = json.loads((folder / "text_tower" / "config.json").read_text())
    (folder / "text_tower" / "config.json").write_text(json.dumps({**config, "pad_token_id": 1}))
    with pytest.raises(EncoderError, match="pads with token 0, the text tower with 1"):
        load_encoder(str(folder), device="cpu")


def test_pickled_weights_load_with_a_warning_and_give_the_same(family_copy: Folders) -> None:
    folder = family_copy("clip")
    expected = load_encoder(str(folder), device="cpu", precision="float32")
    path = folder / "open_clip_model.safetensors"
    torch.save(load_file(path), folder / "open_clip_pytorch_model.bin")
    path.unlink()
    with pytest.warns(PickledWeightsWarning):
        encoder = load_encoder(str(folder), device="cpu", precision="float32")
    texts = ["chest", "liver"]
    assert (encoder.encode_texts(texts, "query") == expected.encode_texts(texts, "query")).all()


def test_a_pickle_that_would_run_code_is_refused(family_copy: Folders) -> None:
    folder = family_copy("clip")
    (folder / "open_clip_model.safetensors").unlink()
    torch.save({"state_dict": Path}, folder / "open_clip_pytorch_model.bin")
    with (
        pytest.warns(PickledWeightsWarning),
        pytest.raises(EncoderError, match="open_clip cannot load"),
    ):
        load_encoder(str(folder), device="cpu")


def test_an_image_tower_of_another_text_space_is_refused(family_copy: Folders) -> None:
    path = family_copy("builtin") / "image_tower.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "text_space": "another"}))
    with pytest.raises(EncoderError, match="space of another"):
        load_encoder(str(path.parent), device="cpu")


def test_no_error_shows_where_the_folder_lies(family_copy: Folders, tmp_path: Path) -> None:
    folder = family_copy("bge")
    (folder / "model.safetensors").unlink()
    with pytest.raises(EncoderError) as caught:
        load_encoder(str(folder), device="cpu")
    assert str(tmp_path) not in str(caught.value)


def test_a_model_of_another_kind_of_tokenizer_size_still_fits(tmp_path: Path) -> None:
    """A table larger than the vocabulary is usual: published tables are rounded up."""
    from transformers import BertModel

    for name in ("query", "article"):
        size = write_wordpiece(tmp_path / name)
        BertModel(bert_config(size + 40)).save_pretrained(tmp_path / name)
    assert load_encoder(str(tmp_path), device="cpu").spec.family == "medcpt"


def family_copy_root(path: Path, family: str) -> Path:
    """Return the model's folder of one of its files."""
    return path.parents[1] if family == "medcpt" else path.parent
