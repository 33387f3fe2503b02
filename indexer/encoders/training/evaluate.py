"""A quick measure for choosing and for the card; the full evaluation is `medsearch eval`'s."""

import shutil
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from indexer.encoders.builtin.network import normalise
from indexer.encoders.training.corpus import VIEWS, Corpus, prepare_corpus
from indexer.encoders.training.examples import pool_examples
from indexer.encoders.training.texts import LABEL_WORDS, name_region

if TYPE_CHECKING:
    from indexer.encoders.base import TextEncoder
    from indexer.encoders.builtin.config import TowerConfig
    from indexer.encoders.builtin.network import ImageTower
    from indexer.encoders.training.plan import TrainingPlan

Matrix = npt.NDArray[np.float32]
Relevance = npt.NDArray[np.bool_]

CUT = 10
_BATCH = 64
_SMALLEST_CLASS = 10
_SMALLEST_SOURCE = 100
_DISTINCT = 0.5  # a source whose captions are mostly templates tells nothing about retrieval
_BELOW_ALL = -2.0  # below any cosine


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure: a mean over `queries`, against `pool` images."""

    value: float
    queries: int
    pool: int


def measure_validation(
    tower: "ImageTower", config: "TowerConfig", corpus: Corpus, encoder: "TextEncoder"
) -> dict[str, Measure]:
    """Measure on the corpus's validation split; {} if it has none."""
    chosen = np.flatnonzero(corpus.validation)
    return measure(embed(tower, config, corpus, chosen), corpus, chosen, encoder)


def measure_held_out(
    tower: "ImageTower",
    config: "TowerConfig",
    plan: "TrainingPlan",
    folder: Path,
    encoder: "TextEncoder",
    work: Path,
) -> dict[str, Measure]:
    """Measure on a folder in the pool's layout, resized from the originals as at inference."""
    exact = replace(plan, stored_px=config.px, excluded_sources=(), excluded_licences=())
    place = work / "held-out"
    corpus = prepare_corpus(pool_examples(folder), exact, encoder, place)
    chosen = np.arange(len(corpus.rows))
    measures = measure(embed(tower, config, corpus, chosen), corpus, chosen, encoder)
    shutil.rmtree(place)
    return measures


def embed(
    tower: "ImageTower", config: "TowerConfig", corpus: Corpus, chosen: npt.NDArray[np.int64]
) -> Matrix:
    """Embed images of a corpus in float32 on the CPU: float32 (n, dim)."""
    rows = [np.zeros((0, config.dim), dtype=np.float32)]
    for start in range(0, len(chosen), _BATCH):
        grey = torch.from_numpy(corpus.pixels[chosen[start : start + _BATCH]])[:, None]
        if grey.shape[-1] != config.px:
            size = (config.px, config.px)
            smaller = functional.interpolate(
                grey.float(), size=size, mode="bilinear", antialias=True
            )
            grey = smaller.round().clamp(0, 255).to(torch.uint8)
        colour = grey.permute(0, 2, 3, 1).expand(-1, -1, -1, 3)
        with torch.inference_mode():
            rows.append(tower.eval()(normalise(colour, config)).numpy())
    return np.concatenate(rows)


def measure(
    images: Matrix, corpus: Corpus, chosen: npt.NDArray[np.int64], encoder: "TextEncoder"
) -> dict[str, Measure]:
    """Return the figures by name for `images` (n, dim), the embeddings of `chosen` (n,)."""
    if not len(chosen):
        return {}
    rows = [corpus.rows[image] for image in chosen]
    figures = _measure_classes(images, rows, encoder)
    sources = np.array([str(row["source"]) for row in rows])
    cases = np.array([str(row["case"]) for row in rows])
    for source in sorted(set(sources)):
        members = np.flatnonzero(sources == source)
        texts = np.array([rows[member]["caption"] for member in members], dtype=np.int64)
        if len(members) < _SMALLEST_SOURCE or len(set(texts.tolist())) < _DISTINCT * len(members):
            continue
        chosen_rows = [rows[member] for member in members]
        figures |= {
            f"{source}: {name}": figure
            for name, figure in _measure_source(
                images[members], chosen_rows, cases[members], corpus.text_embeddings[texts]
            ).items()
        }
        long = _long_texts(corpus, chosen[members])
        if long is not None:
            recall = recall_of_own(corpus.text_embeddings[long] @ images[members].T)
            name = f"{source}: details -> image, R@{CUT}"
            figures[name] = Measure(recall, len(members), len(members))
    return figures


def precision(scores: Matrix, relevant: Relevance) -> float:
    """Return the mean share of relevant images among each row's best `CUT`."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :CUT]
    return float(np.take_along_axis(relevant, best, axis=1).mean())


def recall_of_own(scores: Matrix) -> float:
    """Return how often image i is among the best `CUT` for text i; ties count against it."""
    own = np.diagonal(scores)[:, None]
    return float(((scores >= own).sum(axis=1) <= CUT).mean())


def _measure_classes(
    images: Matrix, rows: list[dict[str, object]], encoder: "TextEncoder"
) -> dict[str, Measure]:
    """Ask for each class of modality, body part and labels in words."""
    parts = [str(row["body_part"] or "") for row in rows]
    kinds = [
        f"{row['modality']} of the {name_region(part)}"
        for row, part in zip(rows, parts, strict=True)
    ]
    words = [_label_words(row["labels"]) for row in rows]
    classes = [f"{kind}, {word}" for kind, word in zip(kinds, words, strict=True)]
    sizes = Counter(classes)
    queries = [
        number
        for number in sorted({text: place for place, text in enumerate(classes)}.values())
        if sizes[classes[number]] >= _SMALLEST_CLASS
        and words[number]
        and rows[number]["modality"]
        and parts[number]
    ]
    if not queries:
        return {}
    asked = [
        f"{rows[number]['modality']} of the {parts[number].replace('/', ' or ')}, {words[number]}"
        for number in queries
    ]
    texts = encoder.encode_texts(asked, "query")
    scores = texts @ images.T
    count, pool = len(queries), len(rows)
    return {
        f"class text -> image, P@{CUT} {name}": Measure(
            precision(scores, _same(values, queries)), count, pool
        )
        for name, values in (("modality and body part", kinds), ("label too", classes))
    }


def _measure_source(
    images: Matrix, rows: list[dict[str, object]], cases: npt.NDArray[np.str_], texts: Matrix
) -> dict[str, Measure]:
    """Measure one source of distinct captions within itself, the own case excluded."""
    count = len(rows)
    scores = images @ images.T
    scores[cases[:, None] == cases[None, :]] = _BELOW_ALL
    modalities = [str(row["modality"]) for row in rows]
    kinds = [f"{row['modality']} {row['body_part']}" for row in rows]
    everyone = list(range(count))
    return {
        f"image -> image, P@{CUT} modality and body part": Measure(
            precision(scores, _same(kinds, everyone)), count, count
        ),
        f"image -> image, P@{CUT} modality": Measure(
            precision(scores, _same(modalities, everyone)), count, count
        ),
        f"caption -> image, R@{CUT}": Measure(recall_of_own(texts @ images.T), count, count),
    }


def _same(values: list[str], queries: list[int]) -> Relevance:
    """Tell which values equal those of the queries: bool (queries, n)."""
    array = np.array(values)
    same: Relevance = array[queries][:, None] == array[None, :]
    return same


def _label_words(labels: object) -> str:
    listed = [str(label) for label in labels] if isinstance(labels, list) else []
    return ", ".join(LABEL_WORDS.get(label.lower(), label) for label in listed)


def _long_texts(corpus: Corpus, images: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | None:
    """Return the ids of the images' second caption, (n,); None unless most have one."""
    starts, ends = corpus.starts[images * VIEWS], corpus.starts[images * VIEWS + 1]
    if (ends - starts > 1).mean() < _DISTINCT:
        return None
    return corpus.text_ids[np.minimum(starts + 1, ends - 1)]
