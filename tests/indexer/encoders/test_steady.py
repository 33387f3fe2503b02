from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from indexer.encoders.steady import FEW_ROWS, padded_products, try_batching
from indexer.encoders.text_tower import TextTower
from indexer.encoders.tokens import TokenRules

RULES = TokenRules(
    tokenise=lambda text: [ord(letter) % 50 for letter in text], prefix=(1,), suffix=(2,), padding=0
)


def tower_of(forward: object) -> TextTower:
    return TextTower(device="cpu", max_tokens=64, rules=RULES, forward=forward)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1, 640), (3, 640), (2, 1, 640), (FEW_ROWS, 640)])
def test_products_of_few_rows_equal_those_of_many_bit_for_bit(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    matrix, bias = torch.randn(640, 512), torch.randn(512)
    rows = torch.randn(shape)
    many = torch.cat([rows.reshape(-1, 640), torch.randn(64, 640)])
    count = rows.numel() // 640
    with padded_products("cpu"):
        by_matmul, by_operator = torch.matmul(rows, matrix), rows @ matrix
        by_linear = functional.linear(rows, matrix.T.contiguous(), bias)
    assert torch.equal(by_matmul.reshape(-1, 512), (many @ matrix)[:count])
    assert torch.equal(by_operator, by_matmul)
    expected = functional.linear(many, matrix.T.contiguous(), bias)[:count]
    assert torch.equal(by_linear.reshape(-1, 512), expected)
    assert by_linear.shape == (*shape[:-1], 512)


def test_products_of_batches_of_matrices_and_empty_ones_are_left_alone() -> None:
    with padded_products("cpu"):
        stacked = torch.matmul(torch.ones(2, 3, 4), torch.ones(2, 4, 5))
        empty = torch.matmul(torch.ones(0, 4), torch.ones(4, 5))
    assert torch.equal(stacked, torch.full((2, 3, 5), 4.0))
    assert empty.shape == (0, 5)


def test_a_tower_that_ignores_its_batch_stays_batched() -> None:
    def forward(tokens: Tensor, lengths: Tensor) -> Tensor:
        return torch.stack([tokens.sum(1).float(), lengths.float()], dim=1)

    assert try_batching(tower_of(forward), 2).batched


def test_a_tower_that_sees_its_batch_is_run_one_by_one() -> None:
    def forward(tokens: Tensor, lengths: Tensor) -> Tensor:
        return torch.stack([tokens.sum(1).float() + len(tokens), lengths.float()], dim=1)

    tower = try_batching(tower_of(forward), 2)
    assert not tower.batched
    sequences = [[1, 5, 2], [1, 9, 9, 2]]
    alone = [tower.embed([sequence], 2)[0].tolist() for sequence in sequences]
    assert tower.embed(sequences, 2).tolist() == alone


@pytest.mark.parametrize("size", [2, 3, 4])
def test_a_tower_that_sees_batches_of_one_size_is_run_one_by_one(size: int) -> None:
    def forward(tokens: Tensor, lengths: Tensor) -> Tensor:
        off = float(len(tokens) == size)
        return torch.stack([tokens.sum(1).float() + off, lengths.float()], dim=1)

    assert not try_batching(tower_of(forward), 2).batched


def test_a_tower_that_sees_batches_of_longer_texts_is_run_one_by_one() -> None:
    def forward(tokens: Tensor, lengths: Tensor) -> Tensor:
        off = float(len(tokens) > 1 and tokens.shape[1] > 16)
        return torch.stack([tokens.sum(1).float() + off, lengths.float()], dim=1)

    assert not try_batching(tower_of(forward), 2).batched


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_attention_of_few_sequences_equals_that_of_many_bit_for_bit(count: int) -> None:
    torch.manual_seed(0)
    attention = torch.nn.MultiheadAttention(32, 4, batch_first=True).eval().requires_grad_(False)
    torch.nn.init.normal_(attention.in_proj_bias)
    many = torch.randn(8, 77, 32)
    with torch.inference_mode(), padded_products("cpu"):
        expected = attention(many, many, many, need_weights=False)[0]
        some = many[:count]
        found = attention(some, some, some, need_weights=False)[0]
        apart = attention(some, some.clone(), some.flip(1), need_weights=False)[0]
    assert torch.equal(found, expected[:count])
    with torch.inference_mode():
        plain = attention(some, some.clone(), some.flip(1), need_weights=False)[0]
    assert torch.allclose(apart, plain, atol=1e-5)


def test_elsewhere_than_on_cpu_nothing_is_tried() -> None:
    def forward(tokens: Tensor, lengths: Tensor) -> Tensor:
        raise NotImplementedError

    tower = replace(tower_of(forward), device="cuda")
    assert try_batching(tower, 2) is tower
