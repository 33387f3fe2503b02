"""Kill -9 at random moments: the earlier build serves on, the resumed build is the same."""

import hashlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.store.publish import current_build, list_builds
from indexer.store.reader import IndexReader
from indexer.store.verify import verify_build

KILLS = 20
ROWS, SHARD_ROWS = 96, 8
# Loads everything once and forks for each build: starting Python twenty times would take longest.
# The encoder is a random generator that is seeded with the record's number.
PROGRAM = f"""
import os, signal, sys, time
from pathlib import Path
import faiss, numpy as np, tantivy
from indexer.store.writer import BuildWriter
from tests.indexer.store.conftest import DIM, plan, shard

def encode(number):
    vector = np.random.default_rng(number).normal(size=DIM)
    return (vector / np.linalg.norm(vector)).astype(np.float32)

def build(folder, rows):
    with BuildWriter.open(Path(folder), plan(source_digest=rows)) as writer:
        print("resumed", writer.finished_shards, flush=True)
        for start in range(writer.records, int(rows), {SHARD_ROWS}):
            table = np.stack([encode(n) for n in range(int(rows))])
            numbers = range(start, start + {SHARD_ROWS})
            writer.add_shard(shard(numbers, table, rejects=start % 3, duplicates=start % 2))
        writer.publish([], flat_limit=10)

for line in sys.stdin:
    folder, rows, seconds = line.split()
    child = os.fork()
    if child == 0:
        build(folder, rows)
        os._exit(0)
    if seconds != "never":
        time.sleep(float(seconds))
        os.kill(child, signal.SIGKILL)
    print("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Builder:
    """Builds in processes that can be killed."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.resumed_at: list[int] = []

    def run(self, folder: Path, rows: int = ROWS, kill_after_s: float | None = None) -> None:
        """Build, and kill -9 the process after a while if it still runs."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        seconds = "never" if kill_after_s is None else kill_after_s
        self._server.stdin.write(f"{folder} {rows} {seconds}\n")
        self._server.stdin.flush()
        for line in self._server.stdout:
            # A child that is killed while it speaks leaves its words on the parent's line.
            for word, number in re.findall(r"(resumed|ended) (-?\d+)", line):
                if word == "ended":
                    assert int(number) in ((0,) if kill_after_s is None else (0, -signal.SIGKILL))
                    return
                self.resumed_at.append(int(number))
        pytest.fail("the builder ended")

    def stop(self) -> None:
        self._server.communicate()


@pytest.fixture
def builder() -> Iterator[Builder]:
    builder = Builder()
    yield builder
    builder.stop()


def digests(folder: Path) -> dict[str, str]:
    """Return the sha256 of all files but those that carry a time or a random name."""
    build = current_build(folder)
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in build.iterdir()
        if path.is_file() and path.name != "manifest.json"
    }


@pytest.mark.slow
def test_twenty_kills_lose_nothing_and_change_no_byte(tmp_path: Path, builder: Builder) -> None:
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    builder.run(straight, ROWS // 2)
    began = time.monotonic()
    builder.run(straight)
    took = time.monotonic() - began
    expected = digests(straight / "tiny")
    assert {"records.arrow", "image.vectors.npy", "image.faiss"} <= set(expected)

    chance = random.Random(20)
    builder.run(killed, ROWS // 2)
    earlier = IndexReader.open(killed / "tiny").build_id
    for _ in range(KILLS):
        builder.run(killed, kill_after_s=chance.uniform(0, took / 3))
        reader = IndexReader.open(killed / "tiny")
        assert reader.find("tiny/all/5") == 5
        if reader.build_id != earlier:
            # The build ended before the kill came: begin again with the earlier one.
            assert digests(killed / "tiny") == expected
            shutil.rmtree(killed)
            builder.run(killed, ROWS // 2)
            earlier = IndexReader.open(killed / "tiny").build_id
    assert max(builder.resumed_at) > 0

    builder.run(killed)
    assert digests(killed / "tiny") == expected
    readers = [IndexReader.open(folder / "tiny") for folder in (straight, killed)]
    assert len({reader.manifest.content_hash for reader in readers}) == 1
    for manifest in list_builds(killed / "tiny"):
        assert not verify_build(killed / "tiny" / manifest.build_id).faults
    assert not (killed / "tiny" / ".staging").exists()
