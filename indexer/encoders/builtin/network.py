"""The tower's network. The only module of this package that needs torch and timm to be imported."""

from typing import TYPE_CHECKING, cast

from indexer.encoders.torchvision_shim import ensure_torchvision

ensure_torchvision()  # timm imports torchvision

import timm  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

if TYPE_CHECKING:
    from indexer.encoders.builtin.config import TowerConfig


class ImageTower(nn.Module):
    """A timm backbone, global average pooling and one linear projection to unit rows.

    Takes normalised pixels float32 or bfloat16 (n, 3, px, px), gives float32 (n, dim), unit norm.
    """

    def __init__(self, architecture: str, px: int, dim: int) -> None:
        super().__init__()
        self.backbone = timm.create_model(architecture, pretrained=False, num_classes=0)
        self.projection = nn.Linear(_feature_width(self.backbone, px), dim)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Embed pixels: the projection and the norm in float32 whatever the backbone runs in."""
        features = self.backbone(pixels)
        with torch.autocast(features.device.type, enabled=False):
            weight, bias = self.projection.weight.float(), self.projection.bias.float()
            rows = functional.linear(features.float(), weight, bias)
            return functional.normalize(rows, dim=-1)


def create_network(config: "TowerConfig") -> ImageTower:
    """Return a tower with random weights, in the memory layout that convolutions prefer.

    Raises
    ------
    RuntimeError
        timm knows no architecture of that name.
    """
    tower = ImageTower(config.architecture, config.px, config.dim)
    return cast("ImageTower", tower.to(memory_format=torch.channels_last))  # type: ignore[call-overload]


def normalise(pixels: torch.Tensor, config: "TowerConfig") -> torch.Tensor:
    """Turn uint8 (n, px, px, 3) into the tower's float32 (n, 3, px, px), on the same device."""
    mean = torch.tensor(config.mean, device=pixels.device)
    std = torch.tensor(config.std, device=pixels.device)
    scaled = (pixels.float() / 255 - mean) / std
    return scaled.permute(0, 3, 1, 2)  # a view: already channels last in memory


def _feature_width(backbone: nn.Module, px: int) -> int:
    """Return the width of the pooled features, measured: timm's figure leaves out some heads."""
    training = backbone.training
    backbone.eval()
    with torch.no_grad():
        width = int(backbone(torch.zeros(1, 3, px, px)).shape[1])
    backbone.train(training)
    return width
