"""How many images a tower embeds on one CPU thread."""

import time
from typing import TYPE_CHECKING

import torch

from indexer.encoders.device import supports_bfloat16

if TYPE_CHECKING:
    from indexer.encoders.builtin.config import TowerConfig
    from indexer.encoders.builtin.network import ImageTower

_BATCH = 32
_WARM_UP = 2


def measure_speed(
    tower: "ImageTower", config: "TowerConfig", batches: int = 12
) -> dict[str, float]:
    """Return images a second of CPU time, by arithmetic: "float32" and, where fast, "bfloat16".

    CPU time, not the clock's: what else the machine does matters little then.
    """
    pixels = torch.zeros(_BATCH, 3, config.px, config.px)
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    kinds = [torch.float32, *([torch.bfloat16] if supports_bfloat16("cpu") else [])]
    try:
        return {str(kind).removeprefix("torch."): _rate(tower, pixels, kind, batches)
                for kind in kinds}  # fmt: skip
    finally:
        torch.set_num_threads(threads)


def _rate(tower: "ImageTower", pixels: torch.Tensor, kind: torch.dtype, batches: int) -> float:
    with (
        torch.inference_mode(),
        torch.autocast("cpu", torch.bfloat16, enabled=kind == torch.bfloat16),
    ):
        for _ in range(_WARM_UP):
            tower(pixels)
        begun = time.thread_time()
        for _ in range(batches):
            tower(pixels)
        return batches * len(pixels) / max(time.thread_time() - begun, 1e-9)
