"""Fold batch normalisation into the convolutions before it: the same network, fewer passes."""

from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_TOLERANCE = 1e-3


def fold_batch_norms(network: Any, example: "torch.Tensor") -> Any:
    """Return a copy of a network in evaluation mode, its batch norms folded where they can be.

    After training, a batch norm is one scale and one shift a channel, which the convolution that
    feeds it can apply by its own weights. Which one feeds it is seen by running `example` (float32,
    the network's input). A network that then computes something else (a convolution read twice) is
    returned as it came.
    """
    import torch

    folded = deepcopy(network)
    with torch.no_grad():
        expected = network(example)
        for convolution, norm in _pairs(folded, example):
            _fold(convolution, norm)
            _replace(folded, norm)
        close = torch.allclose(folded(example), expected, rtol=_TOLERANCE, atol=_TOLERANCE)
    return folded if close else network


def _pairs(network: Any, example: "torch.Tensor") -> list[tuple[Any, Any]]:
    """Run the network once and return each batch norm behind the convolution that feeds it."""
    from torch import nn

    made: dict[int, tuple[Any, torch.Tensor]] = {}  # holds the tensors, so that ids stay unique
    pairs: list[tuple[Any, Any]] = []

    def remember(module: Any, _: object, output: "torch.Tensor") -> None:
        made[id(output)] = (module, output)

    def look_up(module: Any, inputs: "tuple[torch.Tensor, ...]") -> None:
        if id(inputs[0]) in made:
            pairs.append((made[id(inputs[0])][0], module))

    hooks = [
        module.register_forward_hook(remember)
        for module in network.modules()
        if isinstance(module, nn.Conv2d)
    ]
    hooks += [
        module.register_forward_pre_hook(look_up)
        for module in network.modules()
        if isinstance(module, nn.BatchNorm2d)
    ]
    network(example)
    for hook in hooks:
        hook.remove()
    return pairs


def _fold(convolution: Any, norm: Any) -> None:
    from torch.nn.utils.fusion import fuse_conv_bn_weights

    convolution.weight, convolution.bias = fuse_conv_bn_weights(
        convolution.weight,
        convolution.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
    )


def _replace(network: Any, norm: Any) -> None:
    """Put what a batch norm does besides normalising (timm's carry an activation) in its place."""
    from torch import nn

    rest = getattr(norm, "act", None) or nn.Identity()
    for parent in network.modules():
        for name, child in parent.named_children():
            if child is norm:
                setattr(parent, name, rest)
                return
