import json
from pathlib import Path

import pytest

from indexer.encoders.builtin.config import (
    CONFIG_NAME,
    TowerConfig,
    read_tower_config,
    weights_folder,
)
from indexer.encoders.builtin.tower import WEIGHTS_NAME, load_image_tower, save_image_tower
from indexer.errors import EncoderError, EncoderUnavailableError

torch = pytest.importorskip("torch")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    from indexer.encoders.builtin.network import create_network

    config = TowerConfig(
        architecture="test_byobnet",
        px=32,
        resize="squash",
        mean=(0.25, 0.25, 0.25),
        std=(0.25, 0.25, 0.25),
        dim=16,
        text_space="a space",
        revision="",
        licence="CC0 1.0",
    )
    save_image_tower(tmp_path, create_network(config).state_dict(), config)
    return tmp_path


def change(folder: Path, **changes: object) -> None:
    path = folder / CONFIG_NAME
    content = {**json.loads(path.read_text("utf-8")), **changes}
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_saved_tower_loads_frozen_and_gives_unit_rows(folder: Path) -> None:
    tower, config = load_image_tower(folder)
    assert len(config.revision) == 16
    assert not tower.training
    assert not any(value.requires_grad for value in tower.parameters())
    rows = tower(torch.rand(3, 3, 32, 32))
    assert rows.dtype == torch.float32
    assert rows.norm(dim=1).tolist() == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("name", [CONFIG_NAME, WEIGHTS_NAME])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(EncoderUnavailableError, match=name):
        load_image_tower(folder)


@pytest.mark.parametrize("kept", [0, 5, 400, -1])
def test_truncated_weights_are_refused(folder: Path, kept: int) -> None:
    path = folder / WEIGHTS_NAME
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(EncoderError, match="not a readable safetensors file"):
        load_image_tower(folder)


@pytest.mark.parametrize(
    "changes", [{"dim": 17}, {"architecture": "test_vit"}, {"architecture": "?"}]
)
def test_weights_of_another_tower_are_refused(folder: Path, changes: dict[str, object]) -> None:
    change(folder, **changes)
    with pytest.raises(EncoderError, match="the weights are not those of"):
        load_image_tower(folder)


@pytest.mark.parametrize(
    "changes",
    [{"px": "32"}, {"px": 0}, {"resize": "crop"}, {"mean": [0.5]}, {"std": None}, {"dim": True}],
)
def test_a_value_of_the_wrong_type_is_refused(folder: Path, changes: dict[str, object]) -> None:
    change(folder, **changes)
    with pytest.raises(EncoderError, match="wrong type"):
        read_tower_config(folder)


def test_unknown_and_missing_fields_are_named(folder: Path) -> None:
    change(folder, colour="grey")
    with pytest.raises(EncoderError, match=r"unknown \['colour'\]"):
        read_tower_config(folder)
    (folder / CONFIG_NAME).write_text("{}", encoding="utf-8")
    with pytest.raises(EncoderError, match=r"missing \['architecture'"):
        read_tower_config(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "3"])
def test_a_configuration_that_is_not_an_object_is_refused(folder: Path, text: str) -> None:
    (folder / CONFIG_NAME).write_text(text, encoding="utf-8")
    with pytest.raises(EncoderError, match=CONFIG_NAME):
        read_tower_config(folder)


def test_the_tower_that_is_shipped_loads_and_is_small() -> None:
    folder = weights_folder()
    tower, config = load_image_tower(folder)
    assert (folder / WEIGHTS_NAME).stat().st_size <= 15_000_000
    assert config.dim == 384
    rows = tower(torch.zeros(1, 3, config.px, config.px))
    assert rows.shape == (1, 384)
    assert float(rows.norm()) == pytest.approx(1)
    assert config.revision in (folder / "MODEL_CARD.md").read_text("utf-8")
