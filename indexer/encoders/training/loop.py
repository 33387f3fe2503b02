"""The training run: from sources to a tower, its configuration and its card."""

import copy
import hashlib
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from indexer.encoders.builtin.config import TEXT_SPACE, TowerConfig
from indexer.encoders.builtin.network import ImageTower, create_network
from indexer.encoders.builtin.tower import save_image_tower
from indexer.encoders.device import choose_device, supports_bfloat16
from indexer.encoders.digests import file_sha256
from indexer.encoders.training.card import TrainingSummary, weights_licence, write_card
from indexer.encoders.training.checkpoint import (
    TrainingState,
    restore_checkpoint,
    save_checkpoint,
)
from indexer.encoders.training.corpus import Corpus, is_prepared, open_corpus, prepare_corpus
from indexer.encoders.training.evaluate import measure_held_out, measure_validation
from indexer.encoders.training.examples import Example, pool_examples
from indexer.encoders.training.progress import RunProgress
from indexer.encoders.training.sampling import Sampler
from indexer.encoders.training.speed import measure_speed
from indexer.encoders.training.steps import Stepper

if TYPE_CHECKING:
    from indexer.encoders.base import TextEncoder
    from indexer.encoders.training.plan import TrainingPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What does not change the result, or only by the machine it runs on.

    `device` as torch names it (None: the best there is); `threads` for CPU (None: torch's
    choice). `stop_after` ends the run after that many steps, with a checkpoint, as an
    interruption would. `held_out` is a folder in the pool's layout, measured at the end.
    `notes` is Markdown that goes into the card: what was tried.
    """

    device: str | None = None
    threads: int | None = None
    show_progress: bool = True
    stop_after: int | None = None
    held_out: Path | None = None
    notes: str = ""


def train(
    plan: "TrainingPlan",
    sources: Sequence[Path],
    output: Path,
    *,
    more_examples: Iterable[Example] = (),
    more_key: str = "",
    text_encoder: "TextEncoder | None" = None,
    options: RunOptions | None = None,
) -> "TrainingSummary | None":
    """Train a tower on folders in the pool's layout and on any further examples.

    `more_key` names the further examples: with another one the corpus is prepared anew.

    The corpus and the checkpoint lie in `output/work` and are used again by an equal plan; the
    tower, its configuration and its card are written to `output` at the end. Returns None if
    `options.stop_after` ended the run before its last step.

    Raises
    ------
    DatasetNotFoundError, DatasetEmptyError, BadRecordError
        The sources cannot be read or hold nothing to train on.
    EncoderError
        The checkpoint in `output/work` is damaged or of another plan.
    """
    options = options or RunOptions()
    encoder = text_encoder or _minilm(options.device)
    device = choose_device(options.device)
    with _reproducible(options.threads), RunProgress(shown=options.show_progress) as progress:
        corpus = _corpus(plan, sources, more_examples, more_key, encoder, output / "work", progress)
        state = _fresh_state(plan, device)
        restore_checkpoint(output / "work", state, plan.digest())
        finished = _run(plan, corpus, state, output / "work", options, progress)
        if not finished:
            return None
        return _publish(plan, corpus, state, output, options, encoder)


def tower_config(plan: "TrainingPlan", licence: str) -> TowerConfig:
    """Return the configuration of the tower that a plan trains; its revision is set at saving."""
    return TowerConfig(
        architecture=plan.architecture,
        px=plan.image_px,
        resize=plan.resize,
        mean=(plan.mean,) * 3,
        std=(plan.std,) * 3,
        dim=plan.dim,
        text_space=TEXT_SPACE,
        revision="",
        licence=licence,
    )


def learning_rate(plan: "TrainingPlan", step: int) -> float:
    """Return the one-cycle rate of a step: cosine up from 1/20 of the peak, cosine down to 0.

    After Smith, Super-Convergence (2018), with cosine in place of straight lines.
    """
    low = plan.learning_rate / 20
    rise = max(1.0, plan.steps * plan.warmup_fraction)
    if step < rise:
        return low + (plan.learning_rate - low) * (1 - math.cos(math.pi * step / rise)) / 2
    done = (step - rise) / max(1.0, plan.steps - rise)
    return plan.learning_rate * (1 + math.cos(math.pi * min(1.0, done))) / 2


def corpus_key(sources: Sequence[Path], encoder: "TextEncoder", more_key: str = "") -> str:
    """Return a digest of the sources' listings, further examples' key and text encoder (hex)."""
    listings = [folder / "pool.jsonl" for folder in sources]
    parts = [file_sha256(path) for path in listings if path.is_file()]
    text = "\n".join([*parts, *filter(None, [more_key]), encoder.text_fingerprint.digest()])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _corpus(
    plan: "TrainingPlan",
    sources: Sequence[Path],
    more_examples: Iterable[Example],
    more_key: str,
    encoder: "TextEncoder",
    work: Path,
    progress: RunProgress,
) -> Corpus:
    key = corpus_key(sources, encoder, more_key)
    if is_prepared(work, plan, key):
        return open_corpus(work, plan)
    examples = chain(*(pool_examples(folder) for folder in sources), more_examples)
    return prepare_corpus(examples, plan, encoder, work, progress.prepared, key=key)


def _fresh_state(plan: "TrainingPlan", device: str) -> TrainingState:
    with torch.random.fork_rng(devices=[]):  # the caller's random state stays as it was
        torch.manual_seed(plan.seed)
        tower = create_network(tower_config(plan, "")).to(device)
    log_scale = torch.nn.Parameter(torch.tensor(-math.log(plan.initial_temperature), device=device))
    matrices = [value for value in tower.parameters() if value.ndim > 1]
    vectors = [value for value in tower.parameters() if value.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": plan.weight_decay},
            {"params": [*vectors, log_scale], "weight_decay": 0.0},
        ],
        lr=plan.learning_rate,
        betas=plan.betas,
    )
    average = copy.deepcopy(tower).eval().requires_grad_(requires_grad=False)
    return TrainingState(tower, average, log_scale, optimiser)


def _run(
    plan: "TrainingPlan",
    corpus: Corpus,
    state: TrainingState,
    work: Path,
    options: RunOptions,
    progress: RunProgress,
) -> bool:
    """Take the steps that are left; False if the options stopped the run before its end."""
    device = str(next(state.tower.parameters()).device)
    wanted = plan.precision == "bfloat16" or (
        plan.precision == "auto" and supports_bfloat16(device)
    )
    stepper = Stepper(plan, corpus, state, bfloat16=wanted)
    sampler = Sampler(corpus, plan)
    begun, earlier = time.monotonic(), state.seconds
    last = plan.steps if options.stop_after is None else min(plan.steps, options.stop_after)
    while state.step < last:
        loss = stepper.take(sampler.draw(state.step), learning_rate(plan, state.step))
        state.step += 1
        state.seconds = earlier + time.monotonic() - begun
        progress.stepped(state.step, plan.steps, loss, plan.batch)
        if state.step % plan.checkpoint_steps == 0 or state.step == last:
            save_checkpoint(work, state, plan.digest())
    return state.step >= plan.steps


def _publish(
    plan: "TrainingPlan",
    corpus: Corpus,
    state: TrainingState,
    output: Path,
    options: RunOptions,
    encoder: "TextEncoder",
) -> "TrainingSummary":
    """Write the averaged tower, its configuration and its card; measure what was asked for."""
    tower: ImageTower = state.average.cpu()  # type: ignore[assignment]
    licence = weights_licence(corpus)
    config = save_image_tower(output, tower.state_dict(), tower_config(plan, licence))
    summary = TrainingSummary(
        plan=plan,
        config=config,
        sources=dict(corpus.count("source")),
        licences=dict(corpus.count("licence")),
        undecodable=corpus.undecodable,
        trained_on=int((~corpus.validation).sum()),
        parameters=sum(value.numel() for value in tower.parameters()),
        seconds=state.seconds,
        validation=measure_validation(tower, config, corpus, encoder),
        held_out=(
            measure_held_out(tower, config, plan, options.held_out, encoder, output / "work")
            if options.held_out
            else {}
        ),
        speed=measure_speed(tower, config),
        notes=options.notes,
    )
    write_card(output, summary)
    return summary


def _minilm(device: str | None) -> "TextEncoder":
    from indexer.encoders.load import load_encoder

    return load_encoder("minilm", device=device)


@contextmanager
def _reproducible(threads: int | None) -> Iterator[None]:
    """Let torch use that many CPU threads, and on CUDA only kernels that repeat exactly."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
            yield
    finally:
        torch.set_num_threads(before)
