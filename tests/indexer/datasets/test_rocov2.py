import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.datasets.rocov2 import DATASETS
from indexer.errors import DatasetNotFoundError
from indexer.records import ImageRecord, Reject

Write = Callable[..., Path]
(ROCOV2,) = DATASETS
FIRST, SECOND = "ROCOv2_2023_train_000001", "ROCOv2_2023_train_000002"
CAPTIONS = f'ID,Caption\n{FIRST},"Head CT, axial."\n{SECOND},Chest X-ray.\n'


def read(root: Path) -> tuple[list[ImageRecord], list[Reject]]:
    rows = list(ROCOV2.iter_rows(root))
    records = [row for row in rows if isinstance(row, ImageRecord)]
    return records, [row for row in rows if isinstance(row, Reject)]


def write_shard(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema(
        [("image", image), ("image_id", pa.string()), ("caption", pa.string()),
         ("cui", pa.list_(pa.string()))]
    )  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows, schema), path)


def shard_row(image_id: str | None, caption: str | None, *cui: str) -> dict[str, Any]:
    image = {"bytes": b"no pixels", "path": f"{image_id or 'unnamed'}.jpg"}
    return {"image": image, "image_id": image_id, "caption": caption, "cui": list(cui)}


@pytest.fixture
def zenodo(tmp_path: Path, write_text: Write) -> Path:
    """The train split as Zenodo publishes it."""
    write_text("train_captions.csv", CAPTIONS)
    write_text("train_concepts.csv", f"ID,CUIs\n{FIRST},C0040405;C0006104\n{SECOND},C1306645\n")
    write_text(
        "train_concepts_manual.csv", f"ID,CUIs\n{FIRST},C0040405\n{SECOND},C1306645;C0817096\n"
    )
    for name in (FIRST, SECOND):
        write_text(f"train_images/{name}.jpg")
    return tmp_path


def test_a_row_becomes_a_record_with_caption_concepts_and_what_follows(zenodo: Path) -> None:
    (first, second), rejects = read(zenodo)
    assert rejects == []
    assert ROCOV2.detect(zenodo) == "tables"
    assert first.record_id == f"rocov2/train/{FIRST}"
    assert first.image.path == f"train_images/{FIRST}.jpg"
    assert (first.source_path, first.source_line) == ("train_captions.csv", 2)
    assert (first.caption, first.modality, first.body_part) == ("Head CT, axial.", "CT", "head")
    assert first.concepts == ("C0040405", "C0006104")
    assert (second.modality, second.body_part) == ("X-ray", "chest")
    assert second.concepts == ("C1306645", "C0817096")
    assert second.labels == ("X-ray", "chest")
    assert (first.licence, first.attribution, first.case_id) == ("CC BY-NC-SA 4.0", None, FIRST)


def test_names_licences_and_articles_are_read_where_they_are_given(
    zenodo: Path, write_text: Write
) -> None:
    write_text(
        "cui_mapping.csv",
        "CUI,Canonical name\nC0006104,Brain\nC0040405,X-Ray Computed Tomography\n",
    )
    write_text(
        "license_information.csv",
        f"ID,Attribution,Link\n{FIRST},CC BY [Roe et al. (2021)],https://pmc/articles/PMC77/\n"
        f"{SECOND},© 2020 Doe. creativecommons.org/licenses/by-nc/4.0/,\n",
    )
    (first, second), _ = read(zenodo)
    assert first.labels == ("X-Ray Computed Tomography", "Brain")
    assert (first.licence, first.case_id, first.article_id) == ("CC BY", "PMC77", "PMC77")
    assert (first.year, second.year) == (2021, None)
    assert first.attribution == "CC BY [Roe et al. (2021)] https://pmc/articles/PMC77/"
    assert (second.licence, second.case_id) == ("CC BY-NC 4.0", SECOND)
    assert second.article_id is None


@pytest.mark.parametrize(
    "folder", ["train_images/train", "train", "images", "rocov2/train_images", "."]
)
@pytest.mark.parametrize("suffix", [".jpg", ".PNG", ".jpeg"])
def test_images_are_found_where_unpacking_put_them(
    tmp_path: Path, write_text: Write, folder: str, suffix: str
) -> None:
    write_text("train_captions.csv", CAPTIONS)
    for name in (FIRST, SECOND):
        write_text(f"{folder}/{name}{suffix}")
    records, rejects = read(tmp_path)
    assert [Path(record.image.path).name for record in records] == [FIRST + suffix, SECOND + suffix]
    assert rejects == []


def test_the_tables_may_lie_a_level_deeper(tmp_path: Path, write_text: Write) -> None:
    write_text("ROCOv2/train_captions.csv", CAPTIONS)
    write_text(f"ROCOv2/train_images/{FIRST}.jpg")
    records, rejects = read(tmp_path)
    assert records[0].source_path == "ROCOv2/train_captions.csv"
    assert [reject.kind for reject in rejects] == ["missing_file"]


def test_an_image_of_another_split_is_not_taken(tmp_path: Path, write_text: Write) -> None:
    write_text("valid_captions.csv", "ID,Caption\na,A.\n")
    write_text("test_captions.csv", "ID,Caption\na,B.\n")
    write_text("test_images/a.jpg")
    records, rejects = read(tmp_path)
    assert [(record.split, record.caption) for record in records] == [("test", "B.")]
    assert [(reject.path, reject.line, reject.kind) for reject in rejects] == [
        ("valid_captions.csv", 2, "missing_file")
    ]


def test_imageclef_separates_by_tabs_and_may_have_no_header(
    tmp_path: Path, write_text: Write
) -> None:
    write_text(
        "ImageCLEFmedical_Caption_2023_caption_prediction_valid_labels.csv",
        'ID\tcaption\nclef_1\tA "large", round mass.\n',
    )
    write_text(
        "ImageCLEFmedical_Caption_2023_concept_detection_valid_labels.csv",
        "ID\tcuis\nclef_1\tC0024485;C0006104\n",
    )
    write_text("caption_prediction_train.csv", "clef_2\tNo header here.\n")
    write_text("concept_detection_train.csv", "clef_2\tC0041618\n")
    write_text("valid/clef_1.jpg")
    write_text("train/clef_2.jpg")
    (second, first), rejects = read(tmp_path)
    assert rejects == []
    assert (first.split, first.caption, first.modality) == (
        "valid", 'A "large", round mass.', "MRI",
    )  # fmt: skip
    assert (second.split, second.caption, second.modality) == (
        "train", "No header here.", "ultrasound",
    )  # fmt: skip


def test_hub_shards_are_read_in_order_without_their_pixels(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_shard(data / "train-00001-of-00027.parquet", [shard_row("c", "C.", "C0024485")])
    write_shard(
        data / "train-00000-of-00027.parquet",
        [shard_row("a", "A.", "C0040405", "C0817096"), shard_row("b", None)],
    )
    write_shard(data / "validation-00000-of-00005.parquet", [shard_row("v", "V.")])
    write_shard(data / "test-00000-of-00005.parquet", [shard_row(None, "T.")])
    records, rejects = read(tmp_path)
    assert rejects == []
    assert ROCOV2.detect(tmp_path) == "parquet"
    assert [record.record_id for record in records] == [
        "rocov2/train/a", "rocov2/train/b", "rocov2/train/c", "rocov2/valid/v",
        "rocov2/test/unnamed",
    ]  # fmt: skip
    assert records[1].image.path == "data/train-00000-of-00027.parquet"
    assert [record.image.row for record in records] == [0, 1, 0, 0, 0]
    assert (records[0].modality, records[0].body_part) == ("CT", "chest")
    assert records[1].caption is None


def test_a_broken_shard_is_a_reject(tmp_path: Path, write_text: Write) -> None:
    write_shard(tmp_path / "train-00000-of-00002.parquet", [shard_row("a", "A.")])
    write_text("train-00001-of-00002.parquet", "PAR1 cut off")
    records, (reject,) = read(tmp_path)
    assert len(records) == 1
    assert reject.path == "train-00001-of-00002.parquet"


def test_tables_without_images_give_way_to_shards(tmp_path: Path, write_text: Write) -> None:
    write_text("train_captions.csv", CAPTIONS)
    write_shard(tmp_path / "train-00000-of-00001.parquet", [shard_row(FIRST, "A.")])
    assert ROCOV2.detect(tmp_path) == "parquet"
    write_text(f"train_images/{FIRST}.jpg")
    assert ROCOV2.detect(tmp_path) == "tables"


def test_an_image_that_no_row_names_is_a_record_without_caption(
    zenodo: Path, write_text: Write
) -> None:
    write_text("train_images/extra10.jpg")
    write_text("train_images/extra9.jpg")
    write_text("train_images/._extra9.jpg")
    write_text("logo.png")
    records, rejects = read(zenodo)
    assert rejects == []
    assert [record.source_id for record in records] == [FIRST, SECOND, "extra9", "extra10"]
    assert records[2].caption is None
    assert (records[2].split, records[2].source_path) == ("train", "train_images/extra9.jpg")


@pytest.mark.parametrize("bad", ["../../etc/passwd", "a/b", "a\\b", "..", " "])
def test_an_id_that_is_no_name_is_a_bad_row(tmp_path: Path, write_text: Write, bad: str) -> None:
    write_text("train_captions.csv", f"ID,Caption\n{bad},Text.\n{FIRST},Text.\n")
    write_text(f"train_images/{FIRST}.jpg")
    records, (reject,) = read(tmp_path)
    assert len(records) == 1
    assert (reject.path, reject.line, reject.kind) == ("train_captions.csv", 2, "bad_row")


def test_a_bad_row_of_a_side_table_is_a_reject_and_its_image_a_record(
    zenodo: Path, write_text: Write
) -> None:
    write_text("train_concepts.csv", f"ID,CUIs\n{FIRST}\n{SECOND},C1306645\n")
    records, (reject,) = read(zenodo)
    assert len(records) == 2
    assert (reject.path, reject.line) == ("train_concepts.csv", 2)


def test_a_table_without_its_columns_is_named(zenodo: Path, write_text: Write) -> None:
    write_text("valid_captions.csv", "number,id of figure,words\n1,a,A.\n")
    records, (reject,) = read(zenodo)
    assert len(records) == 2
    assert (reject.path, reject.kind) == ("valid_captions.csv", "bad_row")


def test_concepts_in_another_order_still_find_their_image(zenodo: Path, write_text: Write) -> None:
    write_text(
        "train_concepts_manual.csv", f"ID,CUIs\n{SECOND},C1306645;C0817096\n{FIRST},C0040405\n"
    )
    (first, second), _ = read(zenodo)
    assert (first.modality, second.modality, second.body_part) == ("CT", "X-ray", "chest")


def test_combined_modalities_that_the_authors_left_open_come_from_the_caption(
    zenodo: Path, write_text: Write
) -> None:
    write_text("train_concepts_manual.csv", f"ID,CUIs\n{FIRST},\n{SECOND},C1306645\n")
    write_text("train_concepts.csv", f"ID,CUIs\n{FIRST},C0040405;C1699633\n{SECOND},C1306645\n")
    (first, _), _ = read(zenodo)
    assert first.modality == "PET/CT"


def test_a_folder_without_captions_is_not_found(tmp_path: Path, write_text: Write) -> None:
    write_text("train_concepts.csv", f"ID,CUIs\n{FIRST},C0040405\n")
    write_text(f"train_images/{FIRST}.jpg")
    with pytest.raises(DatasetNotFoundError, match=r"zenodo\.org"):
        ROCOV2.iter_rows(tmp_path)


@pytest.mark.realdata
def test_the_genuine_files_give_two_records_and_a_reject_for_each_missing_image(
    realdata_dir: Path,
) -> None:
    records, rejects = read(realdata_dir / "genuine/rocov2")
    assert len(rejects) == 9904
    assert {(reject.path, reject.kind) for reject in rejects} == {
        ("valid_captions.csv", "missing_file")
    }
    assert [record.record_id for record in records] == [
        "rocov2/test/ROCOv2_2023_test_000001", "rocov2/test/ROCOv2_2023_test_000002",
    ]  # fmt: skip
    assert records[0].image.path == "test_images/test/ROCOv2_2023_test_000001.jpg"
    assert records[0].concepts == ("C0040405", "C0856747")


@pytest.mark.realdata
def test_the_genuine_captions_join_to_their_concepts(realdata_dir: Path, tmp_path: Path) -> None:
    folder = realdata_dir / "genuine/rocov2"
    for name in ("captions", "concepts", "concepts_manual"):
        (tmp_path / f"valid_{name}.csv").write_bytes((folder / f"valid_{name}.csv").read_bytes())
    (tmp_path / "valid_images").mkdir()
    with (folder / "valid_captions.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            (tmp_path / f"valid_images/{row['ID']}.jpg").touch()
    records, rejects = read(tmp_path)
    assert rejects == []
    assert len(records) == 9904
    modalities = Counter(record.modality for record in records)
    assert modalities["CT"] == 3673 + 6  # set by hand, and left open by the authors
    assert modalities["X-ray"] == 2670
    assert modalities["ultrasound"] == 1528
    assert modalities["angiography"] == 421
    assert sum(record.modality is None for record in records) < 60
    xrays = [record for record in records if record.modality == "X-ray"]
    assert Counter(record.body_part for record in xrays)["chest"] == 948 + 28  # by hand, by caption
    assert sum(record.caption is None for record in records) == 1
