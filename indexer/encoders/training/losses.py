"""What training minimises."""

import torch
from torch.nn import functional

_NEVER = -1e9


def soft_contrastive_loss(
    images: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor, target_temperature: float
) -> torch.Tensor:
    """Return the mean cross-entropy of image-text similarities with text-text ones as targets.

    `images`, `texts`: (n, d), unit rows, row i of one belonging to row i of the other. With
    P = softmax(texts texts^T / target_temperature) over rows and Z = scale * images texts^T the
    loss is the mean of H(P, softmax(Z)) and H(P, softmax(Z^T)): CLIP's loss (Radford et al.,
    2021) with P in place of the identity, so that equal templates are not each other's negatives.
    """
    targets = functional.softmax(texts @ texts.T / target_temperature, dim=1)
    logits = scale * images @ texts.T
    return (_cross_entropy(targets, logits) + _cross_entropy(targets, logits.T)) / 2


def cosine_loss(images: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
    """Return the mean of 1 - cosine of unit rows (n, d) with their own texts."""
    return (1 - (images * texts).sum(dim=1)).mean()


def pair_loss(
    images: torch.Tensor, texts: torch.Tensor, temperature: float, target_temperature: float
) -> torch.Tensor:
    """Return the cross-entropy of image-image similarities with text-text ones as targets.

    Unit rows (n, d), n > 1; an image is left out of its own row. A supervised contrastive loss
    (Khosla et al., 2020) with graded positives.
    """
    own = torch.eye(len(images), dtype=torch.bool, device=images.device)
    alike = (texts @ texts.T / target_temperature).masked_fill(own, _NEVER)
    logits = (images @ images.T / temperature).masked_fill(own, _NEVER)
    targets = functional.softmax(alike, dim=1)
    return _cross_entropy(targets, logits.clamp_min(-1e4))


def _cross_entropy(targets: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    return -(targets * functional.log_softmax(logits, dim=1)).sum(dim=1).mean()
