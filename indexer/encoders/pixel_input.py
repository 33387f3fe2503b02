"""What image towers expect of pixels, read from their own configurations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from indexer.encoders.spec import ImageInput, Resize
from indexer.errors import EncoderError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

# open_clip's PreprocessCfg.resize_mode, in the words used here.
_RESIZES: dict[str, Resize] = {
    "shortest": "shortest_crop",
    "squash": "squash",
    "longest": "letterbox",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelInput:
    """Size, manner of resizing, and the mean and standard deviation (of values 0 to 1, RGB)."""

    image_input: ImageInput
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def describe(self) -> str:
        """Return all of it in one line, for the fingerprint."""
        numbers = ",".join(f"{value:.8g}" for value in (*self.mean, *self.std))
        return f"rgb {self.image_input.px}px {self.image_input.resize}; mean,std {numbers}"

    def normaliser(self, device: str, dtype: "torch.dtype") -> "Callable[[Tensor], Tensor]":
        """Return what turns uint8 (n, px, px, 3) into the tower's (n, 3, px, px)."""
        import torch

        mean = torch.tensor(self.mean, device=device)
        std = torch.tensor(self.std, device=device)

        def normalise(pixels: "Tensor") -> "Tensor":
            scaled = (pixels.float() / 255 - mean) / std
            return scaled.permute(0, 3, 1, 2).to(dtype)  # channels last in memory

        return normalise


def read_open_clip_input(config: Mapping[str, Any]) -> PixelInput:
    """Read open_clip's preprocessing configuration of a model (its `PreprocessCfg` as a mapping).

    Raises
    ------
    EncoderError
        It asks for what is not supported: no square, or an unknown manner of resizing.
    """
    size = config["size"]
    resize = _RESIZES.get(config["resize_mode"])
    if resize is None:
        raise EncoderError(
            f"The model resizes images by {config['resize_mode']!r}, which is not supported.",
            remedy=f"Supported: {', '.join(_RESIZES)}.",
        )
    sides = (size, size) if isinstance(size, int) else size
    return _pixel_input(sides, resize, config["mean"], config["std"])


def read_transformers_input(config: Mapping[str, Any]) -> PixelInput:
    """Read a Hugging Face `preprocessor_config.json`: CLIP's (crop) or SigLIP's (squash).

    Raises
    ------
    EncoderError
        It asks for no square, or lacks its size.
    """
    size = config.get("crop_size") if config.get("do_center_crop") else config.get("size")
    resize: Resize = "shortest_crop" if config.get("do_center_crop") else "squash"
    if isinstance(size, Mapping):
        size = (size.get("height"), size.get("width"))
    sides = size if isinstance(size, tuple) else (size, size)
    return _pixel_input(sides, resize, config.get("image_mean", ()), config.get("image_std", ()))


def _pixel_input(sides: Any, resize: Resize, mean: Any, std: Any) -> PixelInput:
    height, width = sides
    channels = 3
    if not isinstance(height, int) or height != width or not len(mean) == len(std) == channels:
        raise EncoderError(
            f"The model asks for images of {height} x {width} pixels with mean {mean} and "
            f"deviation {std}; a square and three channels are supported.",
            remedy="Use another encoder.",
        )
    return PixelInput(
        image_input=ImageInput(px=height, resize=resize), mean=tuple(mean), std=tuple(std)
    )
