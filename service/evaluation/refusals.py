"""How often a service finds something where there is nothing to find, and the other way round."""

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.errors import DecodeError
from indexer.records import ImageRecord
from service.evaluation.text_sets import TextSet
from service.retrieval.evidence import wilson_interval
from service.retrieval.query import ImageSource, Query, Source, Target, TextSource
from service.retrieval.retriever import Retriever

_DRAWN_PX = 256
_SEED = 5
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".dcm"})
_NAMES = {
    "en": "English",
    "zh": "Chinese",
    "gibberish": "gibberish",
    "photographs": "of photographs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Queries of one kind, all of them `related` to what is indexed or none."""

    name: str
    related: bool
    target: Target
    sources: Sequence[Source]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a trial: how many queries passed as relevant, were refused, or neither.

    `skipped` counts pictures that could not be decoded.
    """

    trial: Trial
    passed: int
    refused: int
    unsaid: int
    skipped: int

    @property
    def asked(self) -> int:
        """How many queries were answered."""
        return self.passed + self.refused + self.unsaid

    @property
    def errors(self) -> int:
        """How many were judged wrongly: related ones refused, unrelated ones passed."""
        return self.refused if self.trial.related else self.passed

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the share of errors."""
        return wilson_interval(self.errors, self.asked)


def run_trial(retriever: Retriever, trial: Trial) -> Outcome:
    """Put the queries of a trial to a retriever."""
    said: list[bool | None] = []
    skipped = 0
    for source in trial.sources:
        query = Query(target=trial.target, source=source, k=1)
        try:
            said.append(retriever.search(query).relevant)
        except DecodeError:
            skipped += 1
    return Outcome(
        trial=trial,
        passed=said.count(True),
        refused=said.count(False),
        unsaid=said.count(None),
        skipped=skipped,
    )


def written_trials(target: Target) -> Iterator[Trial]:
    """Yield everyday questions in English and Chinese, gibberish, and photographs asked for.

    Written for this measurement; none of them is known to the calibration of builds.
    """
    source = resources.files("service.evaluation").joinpath("unrelated_queries.json")
    for kind, texts in json.loads(source.read_text("utf-8")).items():
        yield Trial(
            name=f"unrelated words, {_NAMES[kind]}",
            related=False,
            target=target,
            sources=[TextSource(text) for text in texts],
        )


def drawn_trial() -> Trial:
    """Return pictures that are empty: black, white, grey, noise of several kinds, a gradient."""
    draws = np.random.default_rng(_SEED)
    square = (_DRAWN_PX, _DRAWN_PX)
    ramp = np.broadcast_to(np.arange(_DRAWN_PX), square)
    planes = [
        *(np.full(square, level) for level in (0, 7, 128, 255)),
        draws.integers(0, 256, square),
        draws.integers(0, 256, (*square, 3)),
        draws.normal(128, 20, square).clip(0, 255),
        draws.normal(40, 10, (*square, 3)).clip(0, 255),
        np.where(draws.random(square) < 0.05, 255, 0),
        ramp,
        ramp.T,
    ]
    raws = [_png(plane.astype(np.uint8)) for plane in planes]
    return Trial(
        name="empty pictures", related=False, target="images", sources=[*map(ImageSource, raws)]
    )


def pictures_trial(folder: Path) -> Trial:
    """Return the pictures in a folder, none of which shows anything medical."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    return Trial(
        name=f"pictures of {folder.name}",
        related=False,
        target="images",
        sources=[ImageSource(path.read_bytes()) for path in paths],
    )


def pool_trials(folder: Path, records: Iterable[ImageRecord], most: int) -> Iterator[Trial]:
    """Yield images in a folder, their captions, and what else is stated of them."""
    rows = list(records)
    drawn = np.random.default_rng(_SEED).choice(len(rows), min(most, len(rows)), replace=False)
    chosen = [rows[place] for place in sorted(drawn.tolist())]
    captions = dict.fromkeys(row.caption for row in chosen if row.caption)
    named = dict.fromkeys(f"{row.modality} {row.body_part}" for row in chosen if row.body_part)
    for name, sources in (
        ("images", [ImageSource((folder / row.image.path).read_bytes()) for row in chosen]),
        ("captions", [TextSource(text) for text in captions]),
        ("modality and body part", [TextSource(text) for text in named]),
    ):
        yield Trial(name=f"{name} of {folder.name}", related=True, target="images", sources=sources)


def judged_trial(texts: TextSet, most: int) -> Trial:
    """Return queries of a judged set, which are related to its documents."""
    words = list(texts.queries.values())
    drawn = np.random.default_rng(_SEED).choice(len(words), min(most, len(words)), replace=False)
    return Trial(
        name=f"queries of {texts.name}",
        related=True,
        target="questions",
        sources=[TextSource(words[place]) for place in sorted(drawn.tolist())],
    )


def _png(plane: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(plane).save(buffer, "PNG")
    return buffer.getvalue()
