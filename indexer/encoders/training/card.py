"""The model card, written from the run itself."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.encoders.builtin.tower import CARD_NAME, WEIGHTS_NAME, replace_file

if TYPE_CHECKING:
    from indexer.encoders.builtin.config import TowerConfig
    from indexer.encoders.training.corpus import Corpus
    from indexer.encoders.training.evaluate import Measure
    from indexer.encoders.training.plan import TrainingPlan

OPEN_LICENCES = ("CC0", "CC BY 4.0", "CC BY 3.0", "NIH CC", "TCIA Data Usage (CC BY")
"""Beginnings of the licences under which weights made from the data may be passed on."""

RESEARCH_ONLY = "research use only"
REDISTRIBUTABLE = "CC BY 4.0"

_Z95 = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSummary:
    """What a finished run used, made and measured; counts are images."""

    plan: "TrainingPlan"
    config: "TowerConfig"
    sources: dict[str, int]
    licences: dict[str, int]
    undecodable: int
    trained_on: int
    parameters: int
    seconds: float
    validation: "dict[str, Measure]" = field(default_factory=dict)
    held_out: "dict[str, Measure]" = field(default_factory=dict)
    speed: dict[str, float] = field(default_factory=dict)
    notes: str = ""


def weights_licence(corpus: "Corpus") -> str:
    """Return under which terms weights trained on a corpus may be passed on."""
    licences = corpus.count("licence")
    is_open = all(licence.startswith(OPEN_LICENCES) for licence in licences)
    return REDISTRIBUTABLE if is_open else RESEARCH_ONLY


def write_card(folder: Path, summary: TrainingSummary) -> None:
    """Write the card beside the weights that it describes."""
    size = (folder / WEIGHTS_NAME).stat().st_size
    sections = (
        _heading(summary, size),
        _use(),
        _training_data(summary),
        _recipe(summary.plan, summary.seconds),
        _figures("Figures on the validation split", summary.validation),
        _figures("Figures on the held-out pool", summary.held_out),
        _speeds(summary.speed),
        summary.notes.strip(),
    )
    text = "\n\n".join(section for section in sections if section) + "\n"
    replace_file(folder / CARD_NAME, text.encode())


def _heading(summary: TrainingSummary, size_bytes: int) -> str:
    config = summary.config
    return f"""# Image tower {config.architecture}, {config.px} px, revision {config.revision}

Maps a radiological image to {config.dim} dimensions of the space of `{config.text_space}`,
whose weights stayed frozen: images, captions and questions can be compared by cosine.
Trained from random weights by `medsearch encoder train`.

- Parameters: {summary.parameters / 1e6:.2f} million; file: {size_bytes / 1e6:.1f} MB, float16
- Licence of the weights: **{config.licence}**
- Input: uint8 RGB squares of {config.px} px (`{config.resize}`, antialiased bicubic), divided by
  255, mean {config.mean[0]}, standard deviation {config.std[0]} in every channel; colour was never
  seen in training, all images were grey"""


def _use() -> str:
    return """## Use and limits

For finding images of the same modality and anatomy, and as a first guess at findings, in research.
Not a medical device; not for diagnosis. Modality and anatomy are reliable for the kinds listed
below, findings are not: trust no rank order among images of one kind. It has never seen pathology
slides, endoscopy, skin, fundus or OCT images, photographs, drawings, colour or video, and knows
children's images only from the sources below. A picture of another sort still gets a nearest
neighbour: use the calibrated threshold, not the rank, to tell that nothing fits."""


def _training_data(summary: TrainingSummary) -> str:
    sources = _table(("source", "images"), summary.sources)
    licences = _table(("licence as stated by the source", "images"), summary.licences)
    terms = (
        "All licences allow passing on weights made from the data, with attribution to the sources."
        if summary.config.licence == REDISTRIBUTABLE
        else "Some licences are unspecified: the weights are for **research use only**."
    )
    return f"""## Training data

{sum(summary.sources.values())} images, {summary.trained_on} of them trained on and the rest kept
for validation (split by case); {summary.undecodable} could not be decoded. {terms}

{sources}

{licences}"""


def _recipe(plan: "TrainingPlan", seconds: float) -> str:
    lines = [
        f"| {part.name} | {getattr(plan, part.name)} |"
        for part in fields(plan)
        if part.name != "augment"
    ]
    lines += [f"| augment.{part.name} | {getattr(plan.augment, part.name)} |" for part in
              fields(plan.augment)]  # fmt: skip
    table = "\n".join(["| setting | value |", "|---|---|", *lines])
    return f"""## Recipe

Soft-target contrastive loss against text-text similarities, a cosine term, three texts an image
(caption; modality and body part; labels), one-cycle AdamW, an exponential moving average of the
weights. {plan.steps} steps in {seconds / 60:.0f} minutes.

{table}"""


def _figures(title: str, measures: "Mapping[str, Measure]") -> str:
    if not measures:
        return ""
    lines = [
        f"| {name} | {found.value:.3f} | ± {_half_width(found):.3f} "
        f"| {found.queries} | {found.pool} |"
        for name, found in measures.items()
    ]
    head = ["| measure | value | 95 % | queries | pool |", "|---|---|---|---|---|"]
    note = (
        "The interval is the normal approximation for independent queries; "
        "`medsearch eval` gives bootstrap intervals."
    )
    return "\n".join([f"## {title}", "", *head, *lines, "", note])


def _half_width(found: "Measure") -> float:
    """Return half of a 95 % interval, at most: that of a share of yes and no."""
    return _Z95 * math.sqrt(found.value * (1 - found.value) / max(1, found.queries))


def _speeds(speed: Mapping[str, float]) -> str:
    if not speed:
        return ""
    return "## Speed\n\n" + _table(
        ("one CPU thread, batches of 32", "images a second of CPU time"),
        {name: round(value) for name, value in speed.items()},
    )


def _table(head: tuple[str, str], counts: Mapping[str, int]) -> str:
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    lines = [f"| {name} | {count} |" for name, count in rows]
    return "\n".join([f"| {head[0]} | {head[1]} |", "|---|---|", *lines])
