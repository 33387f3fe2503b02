import json
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.datasets.base import DatasetInfo
from indexer.datasets.question_tables import Place, QuestionTables, Table, find_split
from indexer.datasets.raw_row import RawRow
from indexer.errors import DatasetNotFoundError
from indexer.records import Reject, TextRecord, make_record_id

INFO = DatasetInfo(
    name="toy", title="Toy", kind="text", description="d", licence="l", licence_url="u",
    citation="c", homepage="h", size="s", languages=("en",), access="a", layout="l",
    folders=("toy",),
)  # fmt: skip


def parse(table: Table, row: RawRow) -> TextRecord:
    native_id = table.native_id(row, row.optional_text("id"))
    return TextRecord(
        record_id=make_record_id("toy", table.place.split, native_id), dataset="toy",
        split=table.place.split, source_id=native_id, source_path=row.path,
        source_line=row.line, case_id="x", licence="l", question=row.text("q"), answer="a",
    )  # fmt: skip


def place(name: str) -> Place:
    return Place(split=find_split(name, default="all"), rank=int("late" in name))


TOY = QuestionTables(INFO, columns=[("q", "id"), ("q", "extra")], place=place, parse=parse)


def write_rows(path: Path, *questions: str | None, own_ids: bool = False) -> None:
    rows = [{"q": q, "id": f"n{i}" if own_ids else None} for i, q in enumerate(questions)]
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("\n".join(map(json.dumps, rows)))


def ids(root: Path) -> list[str]:
    return [row.record_id for row in TOY.iter_rows(root) if isinstance(row, TextRecord)]


def test_ids_are_positions_or_own_ids_and_copies_are_told_apart(tmp_path: Path) -> None:
    write_rows(tmp_path / "a" / "train.jsonl", "one", None, "three")
    write_rows(tmp_path / "b" / "train.jsonl", "one", own_ids=True)
    assert ids(tmp_path) == ["toy/train/1", "toy/train/3", "toy/train/b:train.jsonl:n0"]


def test_shards_are_one_table_and_a_further_shard_changes_no_id(tmp_path: Path) -> None:
    for shard in range(2):
        write_rows(tmp_path / f"data/test-0000{shard}-of-00002.parquet", "x", "y")
    before = ids(tmp_path)
    assert before == [f"toy/test/0000{shard}:{row}" for shard in (0, 1) for row in (1, 2)]
    write_rows(tmp_path / "data/test-00002-of-00003.parquet", "z")
    assert ids(tmp_path)[: len(before)] == before


def test_tables_of_lower_rank_come_first(tmp_path: Path) -> None:
    write_rows(tmp_path / "a_late.jsonl", "late")
    write_rows(tmp_path / "b.jsonl", "early")
    rows = [row for row in TOY.iter_rows(tmp_path) if isinstance(row, TextRecord)]
    assert [row.question for row in rows] == ["early", "late"]


def test_a_file_takes_part_by_its_columns(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", "x")
    (tmp_path / "other.csv").write_text("q,else\n1,2\n")
    (tmp_path / "SYNTHETIC.json").write_text('{\n "synthetic": true\n}')
    (tmp_path / "notes.txt").write_text("q\tid\n1\t2\n")
    assert TOY.detect(tmp_path) == "jsonl"
    assert [table.name for table in TOY.find(tmp_path)] == ["rows.jsonl"]


def test_a_file_that_cannot_be_read_takes_part_with_its_rejects(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", "x")
    (tmp_path / "rows.parquet").write_bytes(b"PAR1 and no more")
    rejects = [row for row in TOY.iter_rows(tmp_path) if isinstance(row, Reject)]
    assert [reject.path for reject in rejects] == ["rows.parquet"]
    assert TOY.detect(tmp_path) == "jsonl+parquet"


def test_no_table_is_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "readme.csv").write_text("a,b\n")
    assert TOY.detect(tmp_path) is None
    with pytest.raises(DatasetNotFoundError):
        next(TOY.iter_rows(tmp_path))


def test_memory_does_not_grow_with_the_dataset(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with path.open("w") as stream:
        for number in range(8_000):
            stream.write(json.dumps({"q": f"{number} " + "words " * 100, "id": number}) + "\n")
    tracemalloc.start()
    try:
        count = sum(isinstance(row, TextRecord) for row in TOY.iter_rows(tmp_path))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 8_000
    assert peak_bytes < path.stat().st_size / 5


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("questions/US/dev.jsonl", "dev"),
        ("Taiwan/tw_translated_jsonl/en/test-2en.jsonl", "test"),
        ("US/4_options/phrases_no_exclude_train.jsonl", "train"),
        ("data/validation-00000-of-00001.parquet", "dev"),
        ("default/train/0000.parquet", "train"),
        ("test_data_11_18_final.csv", "test"),
        ("train_copies/valid.csv", "dev"),
        ("latest/contest.json", "default"),
        ("JMED.jsonl", "default"),
    ],
)
def test_the_split_is_the_last_one_named(name: str, split: str) -> None:
    assert find_split(name, default="default") == split
