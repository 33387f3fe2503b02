"""Every number that a training run depends on, and where it comes from."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentPlan:
    """Random changes of a training image; each is drawn anew for every image and step.

    Ranges are wide enough to cover scanners and windows never seen; they were not tuned. `flip`:
    probability of a mirror image, whose text has left and right swapped. `rotation_rad`,
    `shift` (fraction of half the width), `log_zoom` and `log_aspect` span the affine map.
    `black` and `white` move the ends of the grey scale as a CT window does, `log_gamma` bends it.
    `erase` and `blur` are probabilities; `noise` is the largest standard deviation, of 1.
    """

    flip: float = 0.5
    rotation_rad: float = 0.26
    shift: float = 0.12
    log_zoom: tuple[float, float] = (-0.35, 0.15)
    log_aspect: float = 0.15
    black: tuple[float, float] = (-0.05, 0.15)
    white: tuple[float, float] = (0.75, 1.05)
    log_gamma: float = 0.5
    noise: float = 0.05
    blur: float = 0.25
    erase: float = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """The recipe of one run; two runs of equal plan, sources and machine give equal weights.

    Chosen on a validation split of the training pool; the model card lists what was tried.
    `stored_px` is the size at which images are kept during the run. `images` is the number of
    images seen in all (with repetition). `source_power`: an image is drawn with weight
    size ** -source_power of its source; `source_boosts` multiply it for the sources named, which
    are more diverse than their size tells. `target_temperature` sharpens the text-text
    similarities that serve as soft targets; `cosine_weight` weighs the pull towards the own text;
    `pair_weight` weighs the agreement of image-image with text-text similarities at
    `pair_temperature`. `validation_tenths` of the cases, by hash, are kept out: 1 while the recipe
    was chosen, 0 for the weights that are shipped. `checkpoint_steps` is the distance of
    checkpoints. `precision`: "auto" is bfloat16 autocast where the hardware has it.
    """

    architecture: str = "regnetx_004"
    image_px: int = 128
    stored_px: int = 160
    resize: Literal["letterbox", "squash"] = "squash"
    dim: int = 384
    mean: float = 0.25
    std: float = 0.25
    images: int = 300_000
    batch: int = 192
    learning_rate: float = 2e-3
    warmup_fraction: float = 0.1
    weight_decay: float = 0.05
    betas: tuple[float, float] = (0.9, 0.98)
    gradient_norm: float = 5.0
    ema_decay: float = 0.99
    initial_temperature: float = 0.07
    target_temperature: float = 0.05
    cosine_weight: float = 0.2
    pair_weight: float = 0.0
    pair_temperature: float = 0.1
    source_power: float = 0.5
    source_boosts: tuple[tuple[str, float], ...] = (("vqamed2019", 3.5),)
    excluded_sources: tuple[str, ...] = ()
    excluded_licences: tuple[str, ...] = ("per-image, see source", "see repo")
    texts_per_view: int = 4
    validation_tenths: int = 0
    augment: AugmentPlan = field(default_factory=AugmentPlan)
    checkpoint_steps: int = 200
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    seed: int = 0

    @property
    def steps(self) -> int:
        """The number of optimiser steps."""
        return max(1, self.images // self.batch)

    def digest(self) -> str:
        """Return a short digest of all fields (hex): checkpoints of another plan do not fit."""
        return _digest(asdict(self))

    def corpus_digest(self) -> str:
        """Return a short digest of the fields that the prepared corpus depends on (hex)."""
        names = [
            *("stored_px", "resize", "dim", "excluded_sources", "excluded_licences"),
            *("texts_per_view", "validation_tenths", "seed"),
        ]
        content = asdict(self)
        return _digest({name: content[name] for name in names})


def _digest(content: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
