import json
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.encoders.sentence_files import (
    read_dim,
    read_max_tokens,
    read_prompts,
    read_sentence_files,
)
from indexer.errors import EncoderError

Copy = Callable[[str], Path]


def change_modules(folder: Path, *, kind: str, place: int) -> None:
    path = folder / "modules.json"
    modules = json.loads(path.read_text())
    modules[place]["type"] = kind
    path.write_text(json.dumps(modules))


def test_a_folder_as_published_is_understood(family_folder: Copy) -> None:
    folder = family_folder("bge")
    files = read_sentence_files(folder)
    assert files.transformer == folder
    assert files.weights == (folder / "model.safetensors",)
    assert read_dim(folder) == 32
    assert read_max_tokens(folder) == 128
    assert read_prompts(folder) == ("", "")
    assert read_prompts(family_folder("qwen")) == ("Instruct: find\nQuery:", "")


@pytest.mark.parametrize(
    "kind", ["os.system", "custom_code.Pooling", "sentence_transformers.models.WordEmbeddings"]
)
def test_a_folder_does_not_choose_what_is_imported(family_copy: Copy, kind: str) -> None:
    folder = family_copy("bge")
    change_modules(folder, kind=kind, place=1)
    with pytest.raises(EncoderError, match="are not a transformer followed by"):
        read_sentence_files(folder)


def test_the_first_module_must_be_a_transformer(family_copy: Copy) -> None:
    folder = family_copy("bge")
    change_modules(folder, kind="sentence_transformers.models.Pooling", place=0)
    with pytest.raises(EncoderError, match="are not a transformer"):
        read_sentence_files(folder)


@pytest.mark.parametrize("content", ["{", "{}", "[]"])
def test_a_broken_list_of_modules_is_told(family_copy: Copy, content: str) -> None:
    folder = family_copy("bge")
    (folder / "modules.json").write_text(content)
    with pytest.raises(EncoderError, match=r"bge/modules\.json"):
        read_sentence_files(folder)


def test_another_pooling_is_another_shape_of_the_same_weights(family_copy: Copy) -> None:
    folder = family_copy("bge")
    before = read_sentence_files(folder)
    path = folder / "1_Pooling" / "config.json"
    path.write_text(path.read_text().replace("true", "false"))
    after = read_sentence_files(folder)
    assert after.shape_sha256 != before.shape_sha256
    assert after.weights_sha256 == before.weights_sha256


def test_a_dense_layer_sets_the_dimension_and_its_weights_count(family_copy: Copy) -> None:
    import torch
    from safetensors.torch import save_file

    folder = family_copy("bge")
    before = read_sentence_files(folder).weights_sha256
    change_modules(folder, kind="sentence_transformers.models.Dense", place=2)
    dense = folder / "2_Normalize"
    dense.mkdir()
    (dense / "config.json").write_text(json.dumps({"in_features": 32, "out_features": 16}))
    with pytest.raises(EncoderError, match="weight files"):
        read_sentence_files(folder)
    save_file({"linear.weight": torch.zeros(16, 32)}, dense / "model.safetensors")
    assert read_dim(folder) == 16
    assert read_sentence_files(folder).weights_sha256 != before
