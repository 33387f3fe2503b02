import numpy as np
import pytest
import torch

from indexer.encoders import device as device_module
from indexer.encoders.base import Embeddings
from indexer.encoders.device import (
    choose_device,
    settle_precision,
    supports_bfloat16,
    use_one_thread,
)
from indexer.errors import EncoderError


class FakeModel:
    """Embeds one probe at an angle (degrees) to its float32 self once it is lowered."""

    def __init__(self, angle: float = 0.0) -> None:
        self.angle = angle

    def embed(self) -> Embeddings:
        radians = np.deg2rad(self.angle)
        return np.array([[np.cos(radians), np.sin(radians)]], np.float32)


def settle(angle: float, requested: device_module.Precision | None) -> tuple[FakeModel, str]:
    return settle_precision(
        FakeModel,
        lambda model: FakeModel(angle),
        FakeModel.embed,
        device="cpu",
        requested=requested,
    )


@pytest.fixture
def with_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_module, "supports_bfloat16", lambda device: True)


def test_the_device_asked_for_is_taken() -> None:
    assert choose_device("cpu") == "cpu"


@pytest.mark.parametrize("name", ["abacus", "cuda:99", "cpu:x"])
def test_an_unusable_device_is_refused_with_what_can_be_asked_for(name: str) -> None:
    with pytest.raises(EncoderError, match="cannot be used") as caught:
        choose_device(name)
    assert "cuda, cuda:N or mps" in caught.value.remedy


def test_without_a_request_an_accelerator_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device() == "cpu"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device() == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device() == "cuda"


@pytest.mark.parametrize(
    ("instructions", "expected"),
    [({"avx512_bf16": True}, True), ({"amx_bf16": True}, True), ({"avx512_f": True}, False)],
)
def test_bfloat16_on_cpu_needs_its_instructions(
    monkeypatch: pytest.MonkeyPatch, instructions: dict[str, bool], expected: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions)
    assert supports_bfloat16("cpu") is expected


def test_bfloat16_is_not_used_on_mps() -> None:
    assert not supports_bfloat16("mps")


@pytest.mark.usefixtures("with_bfloat16")
def test_bfloat16_is_taken_where_it_stays_close() -> None:
    assert settle(2.0, None)[1] == "bfloat16"  # cosine .9994


@pytest.mark.usefixtures("with_bfloat16")
def test_float32_is_kept_where_bfloat16_drifts() -> None:
    model, precision = settle(3.0, None)  # cosine .9986
    assert precision == "float32"
    assert model.angle == 0


def test_float32_is_kept_where_the_hardware_has_no_bfloat16(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device_module, "supports_bfloat16", lambda device: False)
    assert settle(0.0, None)[1] == "float32"
    assert settle(0.0, "bfloat16")[1] == "bfloat16"


@pytest.mark.usefixtures("with_bfloat16")
def test_a_request_is_obeyed_or_refused_with_the_reason() -> None:
    assert settle(0.0, "float32")[1] == "float32"
    with pytest.raises(EncoderError, match=r"cosine 0\.9986"):
        settle(3.0, "bfloat16")


def test_cpu_work_is_done_on_one_thread() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        use_one_thread("cuda:0")
        assert torch.get_num_threads() == 2
        use_one_thread("cpu")
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
