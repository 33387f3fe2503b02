import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from indexer.encoders.weights import (
    INDEX_NAME,
    PickledWeightsWarning,
    choose_weights,
    read_json,
    require_all_weights,
)
from indexer.errors import EncoderError

NAMES = ("model.safetensors", INDEX_NAME, "pytorch_model.bin")


def save(path: Path, *names: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    save_file({name: torch.zeros(8, 8) for name in names}, path)
    return path


def test_the_first_file_by_name_is_read(tmp_path: Path) -> None:
    expected = save(tmp_path / "model.safetensors", "a")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    assert choose_weights(tmp_path, NAMES) == [expected]


def test_an_index_stands_for_its_shards(tmp_path: Path) -> None:
    shards = [
        save(tmp_path / f"model-0000{part}-of-00002.safetensors", str(part)) for part in (1, 2)
    ]
    index = {"weight_map": {"2": shards[1].name, "1": shards[0].name, "1b": shards[0].name}}
    (tmp_path / INDEX_NAME).write_text(json.dumps(index))
    assert choose_weights(tmp_path, NAMES) == shards


def test_a_pickle_is_read_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(b"")
    with pytest.warns(PickledWeightsWarning, match="weights_only"):
        assert choose_weights(tmp_path, NAMES) == [path]


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_a_truncated_file_is_told(tmp_path: Path, kept: int) -> None:
    path = save(tmp_path / "model" / "model.safetensors", "a")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(
        EncoderError, match=r"model/model\.safetensors: not a whole safetensors file"
    ):
        choose_weights(path.parent, NAMES)


def test_a_missing_shard_is_told(tmp_path: Path) -> None:
    (tmp_path / INDEX_NAME).write_text(json.dumps({"weight_map": {"a": "gone.safetensors"}}))
    with pytest.raises(EncoderError, match=r"gone\.safetensors"):
        choose_weights(tmp_path, NAMES)


def test_no_weights_at_all_are_told_with_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"none of the weight files model\.safetensors"):
        choose_weights(tmp_path, NAMES)


def test_weights_count_under_longer_names_and_old_ones(tmp_path: Path) -> None:
    path = save(tmp_path / "a.safetensors", "bert.layer.weight", "bert.LayerNorm.gamma")
    require_all_weights([path], ["layer.weight", "LayerNorm.weight"])
    with pytest.raises(EncoderError, match=r"1 weights are missing, 'layer\.bias'"):
        require_all_weights([path], ["layer.weight", "layer.bias"])


def test_an_ending_within_a_word_does_not_count(tmp_path: Path) -> None:
    path = save(tmp_path / "a.safetensors", "outer_layer.weight")
    with pytest.raises(EncoderError, match="missing"):
        require_all_weights([path], ["layer.weight"])


@pytest.mark.parametrize("content", ["", "[]", "{", "\xff"])
def test_a_broken_configuration_is_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "model" / "config.json"
    path.parent.mkdir()
    path.write_text(content, "latin-1")
    with pytest.raises(EncoderError, match=r"model/config\.json") as caught:
        read_json(path)
    assert str(tmp_path) not in str(caught.value)
