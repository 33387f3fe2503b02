"""Random geometry and grey scale for training images, many at once on the device."""

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from indexer.encoders.training.plan import AugmentPlan

_ERASED = (0.08, 0.43)  # sides of an erased rectangle, fractions of the image's side
_BLURRED = (0.3, 0.8)  # size to which a blurred image is shrunk, fraction of its side


class _Draws:
    """Uniform draws of one value an image, made on the CPU so that every device gets the same."""

    def __init__(self, count: int, seed: int, device: torch.device) -> None:
        self._generator = torch.Generator().manual_seed(seed)
        self._count = count
        self._device = device

    def between(self, low: float, high: float) -> torch.Tensor:
        """Return float32 (n,), uniform in [low, high)."""
        values = torch.rand(self._count, generator=self._generator)
        return (values * (high - low) + low).to(self._device)

    def normal(self, px: int) -> torch.Tensor:
        """Return float32 (n, 1, px, px), standard normal."""
        shape = (self._count, 1, px, px)
        return torch.randn(shape, generator=self._generator).to(self._device)


def augment(
    pixels: torch.Tensor, px: int, plan: "AugmentPlan", seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Change grey images uint8 (n, s, s) at random: float32 (n, 1, px, px) in about [0, 1].

    The second value, bool (n,), tells which were mirrored. Equal seeds give equal changes.
    """
    draws = _Draws(len(pixels), seed, pixels.device)
    flipped = draws.between(0, 1) < plan.flip
    grid = functional.affine_grid(
        _affine(draws, flipped, plan), [len(pixels), 1, px, px], align_corners=False
    )
    images = functional.grid_sample(
        pixels[:, None].float() / 255, grid, mode="bilinear", align_corners=False
    )
    images = _blur(_bend_grey_scale(images, draws, plan), draws, plan)
    amount = draws.between(-plan.noise, plan.noise).clamp_min(0)  # half of the images stay clean
    images = images + draws.normal(px) * amount[:, None, None, None]
    return _erase(images, draws, plan), flipped.cpu()


def _affine(draws: _Draws, flipped: torch.Tensor, plan: "AugmentPlan") -> torch.Tensor:
    """Return float32 (n, 2, 3): rotation, zoom, aspect ratio, mirroring, shift."""
    angle = draws.between(-plan.rotation_rad, plan.rotation_rad)
    zoom = torch.exp(draws.between(*plan.log_zoom))
    aspect = torch.exp(draws.between(-plan.log_aspect, plan.log_aspect))
    across, down = zoom * aspect, zoom / aspect
    across = torch.where(flipped, -across, across)
    shift_x = draws.between(-plan.shift, plan.shift)
    shift_y = draws.between(-plan.shift, plan.shift)
    cosine, sine = angle.cos(), angle.sin()
    upper = torch.stack([cosine * across, -sine * down, shift_x], dim=1)
    lower = torch.stack([sine * across, cosine * down, shift_y], dim=1)
    return torch.stack([upper, lower], dim=1)


def _bend_grey_scale(images: torch.Tensor, draws: _Draws, plan: "AugmentPlan") -> torch.Tensor:
    """Move the black and the white point, as a CT window does, then apply a gamma curve."""
    black = draws.between(*plan.black)[:, None, None, None]
    white = draws.between(*plan.white)[:, None, None, None]
    gamma = torch.exp(draws.between(-plan.log_gamma, plan.log_gamma))[:, None, None, None]
    windowed = ((images - black) / (white - black)).clamp(1e-4, 1)
    return windowed**gamma


def _blur(images: torch.Tensor, draws: _Draws, plan: "AugmentPlan") -> torch.Tensor:
    """Shrink and enlarge some images, each batch's to one size: lower resolution."""
    chosen = draws.between(0, 1) < plan.blur
    side = images.shape[-1]
    small = max(1, int(side * float(draws.between(*_BLURRED)[0])))
    if not bool(chosen.any()):
        return images
    shrunk = functional.interpolate(images[chosen], size=(small, small), mode="area")
    images = images.clone()
    images[chosen] = functional.interpolate(shrunk, size=(side, side), mode="bilinear")
    return images


def _erase(images: torch.Tensor, draws: _Draws, plan: "AugmentPlan") -> torch.Tensor:
    """Paint a rectangle of one grey over some images (Zhong et al., Random Erasing, 2020)."""
    chosen = draws.between(0, 1) < plan.erase
    grey = draws.between(0, 1)[:, None, None, None]
    place = torch.arange(images.shape[-1], device=images.device) / images.shape[-1]
    inside = []
    for _ in range(2):
        start, length = draws.between(0, 1), draws.between(*_ERASED)
        inside.append((place >= start[:, None]) & (place < (start + length)[:, None]))
    region = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return torch.where(region & chosen[:, None, None, None], grey, images)
