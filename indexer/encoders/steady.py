"""What makes an embedding independent, bit for bit, of the batch in which it was computed.

A matrix library chooses its kernel by the number of rows, and kernels add in different orders. With
sixteen rows or more (every padded sequence has that many) its choice no longer shows; below, in the
heads that act on one pooled vector a text, it does (measured with MKL: 1 to 3 rows). So those few
rows are padded; torch's attention, which multiplies row by row where its input is a transposed
view, is given copies; and each tower is tried out when it is loaded: one that still depends on its
batch computes its sequences one by one. On other devices than the CPU nothing of this is promised.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.encoders.text_tower import TEXT_PROBES, TextTower

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.overrides import TorchFunctionMode

FEW_ROWS = 16
# How many tokens and in what batches a tower is tried out: padded to 16 and to 48 tokens.
_TRIALS = ((10, (2, 3, 4, 5)), (40, (3, 5)))


def padded_products(device: str) -> AbstractContextManager[object]:
    """Return a context in which products of few rows are computed with `FEW_ROWS` rows, on CPU."""
    return _padding_mode()() if device.startswith("cpu") else nullcontext()


def try_batching(tower: TextTower, dim: int) -> TextTower:
    """Return the tower, `batched` only if its results do not depend on the batch, bit for bit."""
    if not tower.device.startswith("cpu"):
        return tower
    one_by_one = replace(tower, batched=False)
    for tokens, sizes in _TRIALS:
        sequences = _probes_of(tower, tokens)
        alone = one_by_one.embed(sequences, dim)
        for size in sizes:
            if not np.array_equal(tower.embed(sequences[:size], dim), alone[:size]):
                return one_by_one
    return tower


def _probes_of(tower: TextTower, tokens: int) -> list[list[int]]:
    """Return sequences of so many tokens beside the special ones, or as many as the tower takes.

    Of equal length, or they would not stand in one batch.
    """
    capacity = tower.max_tokens - len(tower.rules.prefix) - len(tower.rules.suffix)
    length = min(tokens, capacity)
    texts = (tower.rules.tokenise(text) for text in TEXT_PROBES)
    return [tower.rules.sequence((text * length)[:length]) for text in texts]


@cache
def _padding_mode() -> "Callable[[], TorchFunctionMode]":
    """Define the mode: a class of torch's, so it can be made only once torch is imported."""
    import torch
    from torch.nn import functional
    from torch.overrides import TorchFunctionMode

    products = {
        functional.linear,
        torch.matmul,
        torch.mm,
        torch.Tensor.matmul,
        torch.Tensor.mm,
        torch.Tensor.__matmul__,
    }

    class PaddedProducts(TorchFunctionMode):
        """Pads the left side of matrix products that have few rows with rows of zeros.

        It does not see what happens within attention, which it hands what is contiguous.
        """

        def __torch_function__(
            self,
            func: "Callable[..., Any]",
            types: object,
            args: tuple[Any, ...] = (),
            kwargs: dict[str, Any] | None = None,
        ) -> Any:
            if func in products and _has_few_rows(args[0], args[1]):
                return _multiply_padded(func, args, kwargs or {})
            if func is functional.multi_head_attention_forward:
                args = (*_contiguous(args[:3]), *args[3:])
            return func(*args, **(kwargs or {}))

    return PaddedProducts


def _has_few_rows(left: Any, right: Any) -> bool:
    """Tell whether this is a product of fewer rows than `FEW_ROWS` with one matrix."""
    matrix_rank = 2
    return bool(right.ndim == matrix_rank and 0 < left.numel() < FEW_ROWS * left.shape[-1])


def _contiguous(tensors: tuple[Any, ...]) -> list[Any]:
    """Return contiguous copies; what was one tensor stays one, by which attention knows itself."""
    copies = {id(tensor): tensor.contiguous() for tensor in tensors}
    return [copies[id(tensor)] for tensor in tensors]


def _multiply_padded(
    func: "Callable[..., Any]", args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    from torch.nn import functional

    left = args[0]
    rows = left.reshape(-1, left.shape[-1])
    padded = functional.pad(rows, (0, 0, 0, FEW_ROWS - rows.shape[0]))
    product = func(padded, *args[1:], **kwargs)[: rows.shape[0]]
    return product.reshape(*left.shape[:-1], product.shape[-1])
