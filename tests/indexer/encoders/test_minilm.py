import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

from indexer.encoders import minilm
from indexer.encoders.catalogue import get_spec
from indexer.encoders.minilm import PACKAGE, find_minilm, load_minilm
from indexer.encoders.text_tower import WindowedTextEncoder
from indexer.errors import EncoderError, EncoderUnavailableError

TEXTS = (
    "A child with pneumonia in the right lower lobe.",
    "Right lower lobe pneumonia in a paediatric patient.",
    "The stock market fell sharply on Monday.",
)


@pytest.fixture(autouse=True)
def no_other_copies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MEDSEARCH_MODELS", raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "no-cache"))


@pytest.fixture(scope="module")
def encoder() -> WindowedTextEncoder:
    return load_minilm(get_spec("minilm"), device="cpu", precision="float32")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the model whose files a test may change; the weights are linked."""
    source, folder = find_minilm(), tmp_path / "minilm"
    folder.mkdir()
    for name in ("tokenizer.json", "config.json"):
        (folder / name).write_bytes((source / name).read_bytes())
    (folder / "model.safetensors").symlink_to(source / "model.safetensors")
    return folder


def test_the_package_is_found_without_being_run() -> None:
    assert (find_minilm() / "model.safetensors").is_file()
    assert PACKAGE not in sys.modules


def test_it_embeds_as_sentence_transformers_does(encoder: WindowedTextEncoder) -> None:
    from indexer.encoders.torchvision_shim import ensure_torchvision

    ensure_torchvision()
    from sentence_transformers import SentenceTransformer

    reference = SentenceTransformer(str(find_minilm()), device="cpu", local_files_only=True)
    expected = reference.encode(list(TEXTS), normalize_embeddings=True)
    np.testing.assert_allclose(encoder.encode_texts(TEXTS, "document"), expected, atol=2e-6)


def test_texts_of_one_meaning_are_close(encoder: WindowedTextEncoder) -> None:
    first, second, other = encoder.encode_texts(TEXTS, "query")
    assert first @ second > 0.8
    assert first @ other < 0.1


def test_the_end_of_a_long_text_counts(encoder: WindowedTextEncoder) -> None:
    filler = "The patient was seen in the clinic and felt well. " * 60
    plain, marked = encoder.encode_texts(
        [filler, filler + "Biopsy confirmed adenocarcinoma of the lung. " * 20], "document"
    )
    query = encoder.encode_texts(["lung cancer"], "query")[0]
    assert query @ marked > query @ plain + 0.1


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json"])
def test_a_changed_file_is_not_used(copy: Path, name: str) -> None:
    (copy / name).write_bytes((copy / name).read_bytes() + b"\n")
    with pytest.raises(EncoderError, match=f"minilm/{name}: SHA-256"):
        load_minilm(get_spec("minilm"), device="cpu", folder=copy)


def test_other_weights_are_not_used(copy: Path) -> None:
    (copy / "model.safetensors").unlink()
    (copy / "model.safetensors").write_bytes(b"\x08" + bytes(7) + b'{"a":{}}')
    with pytest.raises(EncoderError, match=r"model\.safetensors: SHA-256"):
        load_minilm(get_spec("minilm"), device="cpu", folder=copy)


def test_an_own_copy_comes_before_the_package(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDSEARCH_MODELS", str(copy.parent))
    assert find_minilm() == copy


def test_a_cached_snapshot_of_the_same_revision_comes_before_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "models--sentence-transformers--all-MiniLM-L6-v2"
    folder = tmp_path / name / "snapshots" / get_spec("minilm").revision
    folder.mkdir(parents=True)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert find_minilm() == folder


@pytest.mark.parametrize("found", [None, ModuleSpec(PACKAGE, None)])
def test_without_the_package_the_error_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, found: ModuleSpec | None
) -> None:
    monkeypatch.setattr(minilm, "find_spec", lambda name: found)
    with pytest.raises(EncoderUnavailableError, match="medsearch encoders get minilm"):
        find_minilm()


def test_the_fingerprint_is_the_original_models(encoder: WindowedTextEncoder) -> None:
    fingerprint = encoder.text_fingerprint
    assert fingerprint.key == "minilm"
    assert fingerprint.revision == get_spec("minilm").revision
    assert fingerprint.weights_sha256.startswith("53aa51172d142c89")
    assert fingerprint.tokenizer_sha256 is not None
    assert fingerprint.dtype == "float32"
    assert json.loads(json.dumps(fingerprint.to_json()))["versions"].keys() == {"torch"}
