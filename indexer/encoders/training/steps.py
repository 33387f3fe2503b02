"""One optimiser step."""

from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from indexer.encoders.training.augment import augment
from indexer.encoders.training.losses import cosine_loss, pair_loss, soft_contrastive_loss

if TYPE_CHECKING:
    from indexer.encoders.training.checkpoint import TrainingState
    from indexer.encoders.training.corpus import Corpus
    from indexer.encoders.training.plan import TrainingPlan
    from indexer.encoders.training.sampling import Batch

_LARGEST_SCALE = 100.0  # as CLIP (Radford et al., 2021) clips its temperature
_SEED_STRIDE = 1_000_003  # keeps the augmentation's seeds of neighbouring runs apart


class Stepper:
    """Takes optimiser steps on a state; holds no state of its own."""

    def __init__(
        self, plan: "TrainingPlan", corpus: "Corpus", state: "TrainingState", *, bfloat16: bool
    ) -> None:
        self._plan = plan
        self._corpus = corpus
        self._state = state
        self._bfloat16 = bfloat16
        self._device = next(state.tower.parameters()).device

    def take(self, batch: "Batch", rate: float) -> float:
        """Take one step at a learning rate; returns the loss."""
        state, plan = self._state, self._plan
        state.tower.train()
        for group in state.optimiser.param_groups:
            group["lr"] = rate
        loss = self._loss(batch)
        state.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(state.tower.parameters(), plan.gradient_norm)
        state.optimiser.step()
        follow_average(state, plan.ema_decay)
        return float(loss.detach())

    def _loss(self, batch: "Batch") -> torch.Tensor:
        plan = self._plan
        images, texts = self._embed(batch)
        scale = self._state.log_scale.exp().clamp(max=_LARGEST_SCALE)
        loss = torch.zeros((), device=self._device)
        for view in texts:
            loss = loss + soft_contrastive_loss(images, view, scale, plan.target_temperature)
            loss = loss + plan.cosine_weight * cosine_loss(images, view)
        loss = loss / len(texts)
        if plan.pair_weight:
            loss = loss + plan.pair_weight * pair_loss(
                images, texts[-1], plan.pair_temperature, plan.target_temperature
            )
        return loss

    def _embed(self, batch: "Batch") -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the images' rows (n, d) and, by view, those of their texts (n, d)."""
        plan = self._plan
        stored = torch.from_numpy(self._corpus.pixels[batch.images]).to(self._device)
        seed = plan.seed * _SEED_STRIDE + self._state.step
        pixels, mirrored = augment(stored, plan.image_px, plan.augment, seed)
        normalised = ((pixels - plan.mean) / plan.std).expand(-1, 3, -1, -1)
        normalised = normalised.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bfloat16):
            rows = cast("torch.Tensor", self._state.tower(normalised))
        flipped = mirrored.numpy()
        ids = [
            torch.from_numpy(
                self._corpus.text_embeddings[
                    np.where(flipped, other, view)  # the mirror image has the mirrored text
                ]
            ).to(self._device)
            for view, other in zip(batch.text_ids, batch.mirrored_ids, strict=True)
        ]
        return rows, ids


def follow_average(state: "TrainingState", decay: float) -> None:
    """Move the averaged tower towards the trained one; early on it follows more closely."""
    kept = min(decay, (1 + state.step) / (10 + state.step))
    pairs = zip(state.average.state_dict().values(), state.tower.state_dict().values(), strict=True)
    with torch.no_grad():
        for average, value in pairs:
            if average.is_floating_point():
                average.lerp_(value, 1 - kept)
            else:
                average.copy_(value)
