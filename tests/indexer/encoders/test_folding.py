import pytest
import torch
from torch import Tensor, nn

from indexer.encoders.folding import fold_batch_norms
from indexer.encoders.torchvision_shim import ensure_torchvision


def stir(network: nn.Module) -> nn.Module:
    """Give every batch norm statistics and weights that do something."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.running_mean, module.bias):
                nn.init.uniform_(tensor, -0.2, 0.2)
            for tensor in (module.running_var, module.weight):
                nn.init.uniform_(tensor, 0.5, 1.5)
    return network.eval().requires_grad_(requires_grad=False)


class SharedConvolution(nn.Module):
    """One convolution whose output is read by a batch norm and once more without it."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, pixels: Tensor) -> Tensor:
        states = self.convolution(pixels)
        return self.norm(states) + states


def count_norms(network: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet", "test_byobnet"])
def test_a_folded_network_computes_the_same(name: str) -> None:
    ensure_torchvision()
    import timm

    network = stir(timm.create_model(name, num_classes=0))
    pixels = torch.randn(2, 3, 64, 64)
    folded = fold_batch_norms(network, pixels[:1])
    assert count_norms(folded) == 0 < count_norms(network)
    torch.testing.assert_close(folded(pixels), network(pixels), atol=1e-4, rtol=1e-4)


def test_a_convolution_that_is_read_twice_is_left_as_it_was() -> None:
    network = stir(SharedConvolution())
    assert fold_batch_norms(network, torch.randn(1, 3, 8, 8)) is network


def test_a_norm_without_a_convolution_before_it_stays() -> None:
    network = stir(nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)))
    folded = fold_batch_norms(network, torch.randn(1, 3, 8, 8))
    assert count_norms(folded) == 1
