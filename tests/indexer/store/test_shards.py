from pathlib import Path

import numpy as np
import pytest

from indexer.store.shards import (
    LEDGER_NAME,
    drop_unsound_shards,
    finished_shards,
    read_ledger,
    write_shard,
)
from tests.indexer.store.conftest import shard


@pytest.fixture
def staging(tmp_path: Path, vectors: np.ndarray) -> Path:
    for number, numbers in enumerate((range(5), range(5, 8), range(8, 9))):
        write_shard(tmp_path, number, shard(list(numbers), vectors, rejects=number), "image")
    return tmp_path


def test_a_ledger_accounts_for_every_row(staging: Path) -> None:
    ledgers = [read_ledger(folder) for folder in finished_shards(staging)]
    assert [one.rows_consumed for one in ledgers] == [6, 5, 4]
    assert [one.records for one in ledgers] == [5, 3, 1]
    assert [len(one.rejects) for one in ledgers] == [0, 1, 2]
    assert ledgers[2].rejects[1] == {
        "path": "rows.csv", "line": 1, "reason": "broken", "kind": "bad_row",
        "of_scan": False,
    }  # fmt: skip
    drop_unsound_shards(staging)
    assert len(finished_shards(staging)) == 3


@pytest.mark.parametrize(
    "name", ["records.arrow", "thumbnails.arrow", "image.vectors.npy", "image.keys.npy"]
)
def test_a_shard_with_a_flipped_bit_goes_and_all_after_it(staging: Path, name: str) -> None:
    path = finished_shards(staging)[1] / name
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    drop_unsound_shards(staging)
    assert [folder.name for folder in finished_shards(staging)] == ["shard-000000"]


def test_a_shard_whose_ledger_is_damaged_goes(staging: Path) -> None:
    (finished_shards(staging)[0] / LEDGER_NAME).write_bytes(b"{")
    drop_unsound_shards(staging)
    assert finished_shards(staging) == []


def test_what_an_interrupted_deletion_left_is_no_shard_and_is_in_nobodys_way(
    staging: Path, vectors: np.ndarray
) -> None:
    last = finished_shards(staging)[2]
    (last / LEDGER_NAME).unlink()
    assert len(finished_shards(staging)) == 2
    write_shard(staging, 2, shard([30], vectors), "image")
    drop_unsound_shards(staging)
    assert read_ledger(finished_shards(staging)[2]).records == 1


def test_a_shard_of_nothing_but_rejects_is_a_shard(tmp_path: Path, vectors: np.ndarray) -> None:
    write_shard(tmp_path, 0, shard([], vectors, rejects=3, duplicates=0), "image")
    [folder] = finished_shards(tmp_path)
    assert (read_ledger(folder).records, read_ledger(folder).rows_consumed) == (0, 3)
