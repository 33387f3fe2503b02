"""The prepared corpus: pixels at training size and embedded texts, memory-mapped from disk.

Every image is decoded and every text is embedded once, whatever the number of epochs; memory
holds one image and one block of texts at a time.
"""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from indexer.encoders.builtin.tower import replace_file
from indexer.encoders.training.examples import Example, Pixels
from indexer.encoders.training.plan import TrainingPlan
from indexer.encoders.training.texts import Views, swap_sides, write_views
from indexer.errors import DatasetEmptyError, DecodeError, UnknownNameError
from indexer.pixels.resize import make_square

if TYPE_CHECKING:
    from indexer.encoders.base import TextEncoder

VIEWS = 3
_TEXT_BLOCK = 1024
_TENTHS = 10

Report = Callable[[str, int], None]
"""Called with what is being done and how many are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A prepared corpus of n images and m distinct texts.

    `pixels` uint8 (n, px, px); `text_embeddings` float32 (m, dim), unit rows; `mirrored` int64
    (m,): the text with left and right swapped. The texts of image i in view v are
    `text_ids[starts[i * VIEWS + v] : starts[i * VIEWS + v + 1]]`. `rows` holds for each image its
    source, modality, body part, labels, case and caption's text id; `validation` bool (n,).
    """

    pixels: npt.NDArray[np.uint8]
    text_embeddings: npt.NDArray[np.float32]
    mirrored: npt.NDArray[np.int64]
    text_ids: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    rows: list[dict[str, object]]
    validation: npt.NDArray[np.bool_]
    undecodable: int

    def count(self, name: str) -> Counter[str]:
        """Count the images by one field of `rows`."""
        return Counter(str(row[name]) for row in self.rows)


@dataclass(slots=True)
class _TextTable:
    """Numbers distinct texts in the order in which they are met."""

    ids: dict[str, int] = field(default_factory=dict)
    lists: list[list[int]] = field(default_factory=list)

    def add(self, text: str) -> int:
        return self.ids.setdefault(text, len(self.ids))

    def add_views(self, views: Views) -> None:
        for texts in views:
            self.lists.append([self.add(text) for text in texts])


def prepare_corpus(
    examples: Iterable[Example],
    plan: TrainingPlan,
    encoder: "TextEncoder",
    folder: Path,
    report: Report = lambda _what, _done: None,
    *,
    key: str = "",
) -> Corpus:
    """Write the corpus of these examples into `folder` and open it.

    `key` tells corpora of different examples or text encoders apart (see `is_prepared`). Images
    that cannot be decoded are counted and left out; examples of sources or licences that the plan
    excludes are left out.

    Raises
    ------
    DatasetEmptyError
        Not one example is left.
    UnknownNameError
        No example is of a source that the plan excludes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "corpus.json").unlink(missing_ok=True)
    table, rows, undecodable = _TextTable(), [], 0
    with (folder / "pixels.u8").open("wb") as stream:
        for example in _admitted(examples, plan):
            try:
                square = to_square(example.read(), plan)
            except DecodeError:
                undecodable += 1
                continue
            stream.write(square.tobytes())
            rows.append(_describe(example, plan, table))
            report("images", len(rows))
    if not rows:
        raise DatasetEmptyError(f"No image to train on ({undecodable} could not be decoded).")
    texts = list(table.ids)
    mirrored = np.array([table.add(swap_sides(text)) for text in texts], dtype=np.int64)
    _write_texts(table, mirrored, encoder, folder, report)
    content = {
        "rows": rows,
        "undecodable": undecodable,
        "plan": plan.corpus_digest(),
        "key": key,
    }
    replace_file(folder / "corpus.json", json.dumps(content).encode())
    return open_corpus(folder, plan)


def open_corpus(folder: Path, plan: TrainingPlan) -> Corpus:
    """Memory-map a prepared corpus."""
    content = json.loads((folder / "corpus.json").read_text("utf-8"))
    rows = content["rows"]
    shape = (len(rows), plan.stored_px, plan.stored_px)
    with np.load(folder / "texts.npz", allow_pickle=False) as ids:
        mirrored, text_ids, starts = ids["mirrored"], ids["text_ids"], ids["starts"]
    return Corpus(
        pixels=np.memmap(folder / "pixels.u8", dtype=np.uint8, mode="r", shape=shape),
        text_embeddings=np.load(folder / "texts.npy", mmap_mode="r", allow_pickle=False),
        mirrored=mirrored,
        text_ids=text_ids,
        starts=starts,
        rows=rows,
        validation=np.array([bool(row["validation"]) for row in rows]),
        undecodable=content["undecodable"],
    )


def is_prepared(folder: Path, plan: TrainingPlan, key: str) -> bool:
    """Tell whether `folder` holds a finished corpus of an equal plan and an equal key."""
    path = folder / "corpus.json"
    if not path.is_file():
        return False
    content = json.loads(path.read_text("utf-8"))
    return (content.get("plan"), content.get("key")) == (plan.corpus_digest(), key)


def to_square(pixels: Pixels, plan: TrainingPlan) -> Pixels:
    """Resize a raster (H, W) or (H, W, 3) as at inference, to grey uint8 (stored_px, stored_px)."""
    from PIL import Image

    grey = Image.fromarray(pixels).convert("L")
    return make_square(grey, plan.stored_px, plan.resize)[:, :, 0]


def _admitted(examples: Iterable[Example], plan: TrainingPlan) -> Iterator[Example]:
    """Yield what the plan admits; a source that it excludes and that never comes is a mistake."""
    met = set()
    for example in examples:
        met.add(example.source)
        if (
            example.licence not in plan.excluded_licences
            and example.source not in plan.excluded_sources
        ):
            yield example
    for source in plan.excluded_sources:
        if source not in met:
            raise UnknownNameError("source", source, met)


def _describe(example: Example, plan: TrainingPlan, table: _TextTable) -> dict[str, object]:
    """Return the example's row, once its texts are numbered."""
    draw = random.Random(f"{plan.seed} {example.source} {example.origin}")  # noqa: S311
    views = write_views(example, plan.texts_per_view, draw)
    table.add_views(views)
    return {
        "source": example.source,
        "case": example.case,
        "licence": example.licence,
        "modality": example.modality,
        "body_part": example.body_part,
        "labels": list(example.labels),
        "caption": table.add(views.captions[0]),
        "validation": falls_into_validation(example.case, plan.validation_tenths),
    }


def falls_into_validation(case: str, tenths: int) -> bool:
    """Tell by the hash of its case whether an example is kept out of training."""
    return int(hashlib.sha256(case.encode()).hexdigest(), 16) % _TENTHS < tenths


def _write_texts(
    table: _TextTable,
    mirrored: npt.NDArray[np.int64],
    encoder: "TextEncoder",
    folder: Path,
    report: Report,
) -> None:
    texts = list(table.ids)
    own = np.arange(len(mirrored), len(texts), dtype=np.int64)  # only met as a mirrored text
    lengths = [len(ids) for ids in table.lists]
    np.savez(
        folder / "texts.npz",
        mirrored=np.concatenate([mirrored, own]),
        text_ids=np.array([number for ids in table.lists for number in ids], dtype=np.int64),
        starts=np.cumsum([0, *lengths], dtype=np.int64),
    )
    shape = (len(texts), encoder.spec.dim)
    embeddings = np.lib.format.open_memmap(
        folder / "texts.npy", mode="w+", dtype=np.float32, shape=shape
    )
    for start in range(0, len(texts), _TEXT_BLOCK):
        block = texts[start : start + _TEXT_BLOCK]
        embeddings[start : start + len(block)] = encoder.encode_texts(block, "document")
        report("texts", start + len(block))
    embeddings.flush()
