import math

import pytest

from indexer.encoders.training.losses import cosine_loss, pair_loss, soft_contrastive_loss

torch = pytest.importorskip("torch")


def test_soft_contrastive_loss_against_a_sum_made_by_hand() -> None:
    # Texts at right angles, target temperature 1: P = [[p, q], [q, p]], p = e / (e + 1), q = 1 - p.
    # Images equal to their texts, scale 2: softmax rows [r, 1 - r], r = e^2 / (e^2 + 1).
    texts = torch.eye(2)
    p, r = math.e / (math.e + 1), math.e**2 / (math.e**2 + 1)
    by_hand = -(p * math.log(r) + (1 - p) * math.log(1 - r))
    loss = soft_contrastive_loss(texts, texts, torch.tensor(2.0), 1.0)
    assert float(loss) == pytest.approx(by_hand, abs=1e-6)


def test_equal_texts_are_not_negatives_of_each_other() -> None:
    # Both texts and both images are the same: the best possible logits, and targets of 1/2 each.
    rows = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    loss = soft_contrastive_loss(rows, rows, torch.tensor(50.0), 0.05)
    assert float(loss) == pytest.approx(math.log(2), abs=1e-6)


def test_both_directions_count() -> None:
    texts = torch.eye(2)
    images = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    # Sharp targets are the identity. Rows of Z = 3 * images texts^T are [3, 0] both.
    forward = (math.log(1 + math.exp(-3)) + math.log(1 + math.exp(3))) / 2
    backward = math.log(2)  # columns [3, 3] and [0, 0]
    loss = soft_contrastive_loss(images, texts, torch.tensor(3.0), 0.01)
    assert float(loss) == pytest.approx((forward + backward) / 2, abs=1e-5)


def test_cosine_loss_is_one_minus_the_mean_cosine() -> None:
    images = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    texts = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert float(cosine_loss(images, texts)) == pytest.approx(0.2)


def test_pair_loss_leaves_an_image_out_of_its_own_row() -> None:
    # Three images, the first two alike in text and picture: each row's choice is among two others.
    rows = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    # Rows 0 and 1: target nearly [1, 0]; logits 1/.5 against 0. Row 2: both 0, targets halves.
    alike = math.exp(1 / 0.1) / (math.exp(1 / 0.1) + 1)
    first = -(alike * -math.log(1 + math.exp(-2)) + (1 - alike) * -math.log(1 + math.exp(2)))
    expected = (2 * first + math.log(2)) / 3
    assert float(pair_loss(rows, rows, 0.5, 0.1)) == pytest.approx(expected, abs=1e-5)
