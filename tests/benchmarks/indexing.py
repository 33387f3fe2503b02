"""The whole pipeline against its encoders: how much of their speed is left when files are indexed.

1 would mean that reading, decoding, hashing, writing and publishing cost nothing beside encoding.
Two ratios are given, of speeds by the clock and of processor time. Where every core is encoding,
the second bounds the first: decoding can overlap with encoding, but is not done for nothing.
"""

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from indexer.build import BuildOptions, build_index
from indexer.datasets.registry import get_dataset
from indexer.encoders.base import ImageEncoder, TextEncoder
from indexer.encoders.load import load_encoder
from indexer.pixels.decode import DecodeRequest, decode_image
from indexer.pixels.limits import BUILD_LIMITS
from tests.benchmarks.drawn import caption_of, encode_image, write_dialogues, write_images
from tests.benchmarks.isolation import Setting
from tests.benchmarks.machine import cost_of
from tests.benchmarks.report import Report
from tests.benchmarks.vit import write_vit_folder

_BATCH = 32
_PREPARED = 128
_QUESTIONS = 3000


@dataclass(frozen=True, slots=True)
class _Work:
    """One dataset and the encoders that index it; `shard_rows` as a build would have them."""

    name: str
    rows: int
    shard_rows: int


def run(setting: Setting) -> Report:
    """Index drawn images with two encoders and drawn questions with one."""
    report = Report("Indexing", {"threads": setting.threads, "rounds": setting.rounds})
    with tempfile.TemporaryDirectory(prefix="medsearch-indexing-", dir=setting.scratch) as name:
        folder = Path(name)
        text = load_encoder("minilm")
        builtin = load_encoder("builtin")
        vit = load_encoder(str(write_vit_folder(folder / "vit")))
        write_images(folder / "many", 1024)
        write_images(folder / "few", 256)
        write_dialogues(folder / "dialogues", _QUESTIONS)
        for image, images, work in (
            (builtin, folder / "many", _Work("built-in tower, 128 px", 1024, 256)),
            (vit, folder / "few", _Work("ViT-B/16, 224 px", 256, 64)),
        ):
            if not isinstance(image, ImageEncoder):
                message = f"{image.spec.key} embeds no images"
                raise TypeError(message)
            _measure_images(report, images, text, image, work, setting)
        _measure_questions(report, folder / "dialogues", text, setting)
    return report


def _measure_images(
    report: Report,
    root: Path,
    text: TextEncoder,
    image: ImageEncoder,
    work: _Work,
    setting: Setting,
) -> None:
    pixels = _prepared_pixels(image)
    captions = [caption_of(number) for number in range(work.rows)]

    def encode() -> None:
        batches = [pixels[start : start + _BATCH] for start in range(0, len(pixels), _BATCH)]
        wanted = [batches[number % len(batches)] for number in range(work.rows // _BATCH)]
        with ThreadPoolExecutor(setting.threads) as pool:
            done = [pool.submit(image.encode_images, batch) for batch in wanted]
            done += [
                pool.submit(text.encode_texts, some, "document") for some in _batches(captions)
            ]
            for one in done:
                one.result()

    def build() -> None:
        options = BuildOptions(workers=setting.threads, shard_rows=work.shard_rows)
        with tempfile.TemporaryDirectory(dir=root.parent) as indexes:
            build_index(
                get_dataset("own_images"), root, Path(indexes),
                text=text, image=image, options=options,
            )  # fmt: skip

    _compare(report, work, setting.rounds, encode, build)


def _measure_questions(report: Report, root: Path, text: TextEncoder, setting: Setting) -> None:
    from indexer.records import TextRecord
    from indexer.text.questions import document_text

    dataset = get_dataset("ai_medical_chatbot")
    texts = [document_text(row) for row in dataset.iter_rows(root) if isinstance(row, TextRecord)]

    def encode() -> None:
        with ThreadPoolExecutor(setting.threads) as pool:
            done = [pool.submit(text.encode_texts, some, "document") for some in _batches(texts)]
            for one in done:
                one.result()

    def build() -> None:
        with tempfile.TemporaryDirectory(dir=root.parent) as indexes:
            build_index(
                dataset,
                root,
                Path(indexes),
                text=text,
                options=BuildOptions(workers=setting.threads),
            )

    _compare(report, _Work("questions, MiniLM", len(texts), 512), setting.rounds, encode, build)


def _compare(
    report: Report,
    work: _Work,
    rounds: int,
    encode: Callable[[], object],
    build: Callable[[], object],
) -> None:
    """Take turns between both, so that the machine's other load falls on both alike."""
    encode()
    pairs = [(cost_of(encode), cost_of(build)) for _ in range(rounds)]
    name = f"{work.name} ({work.rows} records, {work.shard_rows} a shard)"
    alone = median(work.rows / encoding.seconds for encoding, _ in pairs)
    whole = median(work.rows / building.seconds for _, building in pairs)
    by_clock = median(encoding.seconds / building.seconds for encoding, building in pairs)
    by_processor = median(encoding.cpu / building.cpu for encoding, building in pairs)
    report.add(f"{name}: encoders alone", alone, "records/s")
    report.add(f"{name}: whole pipeline", whole, "records/s")
    report.add(f"{name}: ratio", by_clock, "", "0.9 or more")
    report.add(f"{name}: ratio of processor time", by_processor, "")


def _prepared_pixels(image: ImageEncoder) -> np.ndarray:
    wanted = image.image_input
    pixels = []
    for number in range(_PREPARED):
        _, raw = encode_image(number)
        request = DecodeRequest(raw=raw, px=wanted.px, resize=wanted.resize)
        pixels.append(decode_image(request, BUILD_LIMITS).pixels)
    return np.stack(pixels)


def _batches(texts: Sequence[str]) -> list[list[str]]:
    return [list(texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH)]
