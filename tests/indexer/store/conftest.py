"""A tiny index, made by hand: words, vectors and thumbnails that a test can reason about."""

import hashlib
import os
import resource
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from indexer.encoders.spec import Fingerprint
from indexer.records import ImageRecord, ImageRef, Reject
from indexer.store.writer import (
    BuildPlan,
    BuildWriter,
    Duplicate,
    Published,
    Shard,
    ShardField,
    ShardImage,
)

DIM = 16
PRINT = Fingerprint(
    key="fake", revision="1", dim=DIM, weights_sha256="0" * 64, tokenizer_sha256=None,
    preprocessing="none", dtype="float32",
)  # fmt: skip


def unit(rng: np.random.Generator, count: int) -> np.ndarray:
    vectors = rng.normal(size=(count, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def plan(**changes: object) -> BuildPlan:
    values = {
        "index": "tiny", "dataset": "tiny", "kind": "image", "title": "Tiny", "licence": "CC0-1.0",
        "citation": "none", "homepage": "https://example.org", "synthetic": True,
        "fields": {"image": ("fake", PRINT), "caption": ("fake", PRINT)},
        "source_digest": "a", "options": {},
    }  # fmt: skip
    return BuildPlan(**(values | changes))


def record(number: int) -> ImageRecord:
    return ImageRecord(
        record_id=f"tiny/all/{number}", dataset="tiny", split="all", source_id=str(number),
        source_path="rows.csv", source_line=number + 1, case_id=f"case {number // 2}",
        licence="CC0-1.0", image=ImageRef(path=f"{number}.png"), labels=("odd",) * (number % 2),
        caption=None if number % 3 == 0 else f"caption number {number}", modality="CT",
        age_years=40.5, contrast=bool(number % 2),
    )  # fmt: skip


def shard(
    numbers: Sequence[int], vectors: np.ndarray, rejects: int = 0, duplicates: int = 1
) -> Shard:
    records = [record(number) for number in numbers]
    captioned = [place for place, one in enumerate(records) if one.caption]
    keys = [hashlib.blake2b(str(n).encode(), digest_size=16).digest() for n in numbers]
    return Shard(
        rows_consumed=len(records) + duplicates + rejects,
        records=records,
        content_keys=[f"{number:032d}" for number in numbers],
        images=[
            ShardImage(sha256=f"{n:064d}", perceptual_hash=bytes(32), thumbnail=b"jpeg %d" % n)
            for n in numbers
        ],
        fields={
            "image": ShardField(
                positions=np.arange(len(records)), vectors=vectors[list(numbers)], keys=keys
            ),
            "caption": ShardField(
                positions=np.array(captioned, np.int64),
                vectors=-vectors[[numbers[place] for place in captioned]].reshape(-1, DIM),
                keys=[keys[place] for place in captioned],
            ),
        },
        duplicates=[
            Duplicate(record_id=f"tiny/all/again{n}", of_record_id="tiny/all/0",
                      source_path="rows.csv", source_line=99)
            for n in range(duplicates)
        ],
        rejects=[Reject(path="rows.csv", line=n, reason="broken") for n in range(rejects)],
    )  # fmt: skip


@contextmanager
def no_file_larger_than(size_bytes: int) -> Iterator[None]:
    """Let the kernel refuse to write beyond a size, as it does on a full disk or quota."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out fsync: a test cannot see what it is for, and it takes most of the time."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


Build = Callable[..., Published]


@pytest.fixture
def vectors() -> np.ndarray:
    return unit(np.random.default_rng(5), 40)


@pytest.fixture
def build(tmp_path: Path, vectors: np.ndarray) -> Build:
    """Build and publish the tiny index; `shards` says which records go into which shard."""

    def run(
        shards: Sequence[Sequence[int]] = (range(25), range(25, 40)),
        *,
        rejects: int = 2,
        duplicates: int = 1,
        flat_limit: int = 1000,
        **changes: object,
    ) -> Published:
        with BuildWriter.open(tmp_path, plan(**changes)) as writer:
            for number, numbers in enumerate(shards):
                if number >= writer.finished_shards:
                    extra = (rejects, duplicates) if number == 0 else (0, 0)
                    writer.add_shard(shard(list(numbers), vectors, *extra))
            return writer.publish([], flat_limit=flat_limit)

    return run
