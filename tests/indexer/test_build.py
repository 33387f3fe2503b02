"""From rows to a published index, with an encoder that needs no model."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.build import BuildOptions, build_index
from indexer.datasets.base import DatasetInfo
from indexer.datasets.own_images import OwnImages
from indexer.errors import DatasetEmptyError, DatasetNotFoundError, StoreError
from indexer.records import Row, TextRecord
from indexer.store.reader import IndexReader
from tests.end_to_end.tiny_encoder import TinyEncoder

WORDS = ["alpha", "beta", None, "delta", "epsilon", "zeta", "eta"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "own_images"
    (folder / "images").mkdir(parents=True)
    rows = []
    for number, words in enumerate(WORDS):
        pixels = np.random.default_rng(number).integers(0, 255, (40, 48), np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
        rows.append({"file": f"images/{number}.png", "text": words})
    (folder / "images" / "again.png").write_bytes((folder / "images" / "1.png").read_bytes())
    (folder / "images" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    rows += [
        {"file": "images/again.png", "text": "beta"},
        {"file": "images/broken.png"},
        {"file": "images/gone.png"},
        {"text": "no file"},
    ]
    (folder / "records.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def build(root: Path, indexes: Path, **options: object):
    return build_index(
        OwnImages(), root, indexes, text=TinyEncoder(), image=TinyEncoder(),
        options=BuildOptions(**{"workers": 1, "shard_rows": 3} | options),
    )  # fmt: skip


def test_every_row_is_settled_and_every_reject_says_why(root: Path, tmp_path: Path) -> None:
    result = build(root, tmp_path / "indexes")
    counts = result.published.manifest.counts
    assert (counts.rows, counts.records, counts.duplicates) == (11, 7, 1)
    assert counts.rejects == {"bad_row": 1, "missing_file": 1, "undecodable": 1}
    folder = result.published.folder
    duplicate = json.loads((folder / "duplicates.jsonl").read_text())
    assert duplicate["of_record_id"] == "own_images/all/images:1.png"
    rejects = [json.loads(line) for line in (folder / "rejects.jsonl").read_text().splitlines()]
    assert [(one["line"], one["kind"]) for one in rejects] == [
        (9, "undecodable"), (10, "missing_file"), (11, "bad_row"),
    ]  # fmt: skip


def test_a_record_without_a_caption_has_an_image_vector_only(root: Path, tmp_path: Path) -> None:
    build(root, tmp_path / "indexes")
    reader = IndexReader.open(tmp_path / "indexes" / "own_images")
    row = reader.find("own_images/all/images:2.png")
    assert row is not None
    assert reader.vector("image", row) is not None
    assert reader.vector("caption", row) is None
    assert len(reader.vectors("caption")) == len(WORDS) - 1


def test_neither_workers_nor_shards_nor_times_change_the_content(
    root: Path, tmp_path: Path
) -> None:
    first = build(root, tmp_path / "a").published.manifest
    for path in root.rglob("*.png"):
        path.touch()
    second = build(root, tmp_path / "b", workers=3, shard_rows=100).published.manifest
    assert first.content_hash == second.content_hash


def test_building_again_keeps_the_live_build(root: Path, tmp_path: Path) -> None:
    first = build(root, tmp_path / "indexes")
    second = build(root, tmp_path / "indexes")
    assert second.published.unchanged
    assert second.encoded == 0
    assert second.published.manifest.build_id == first.published.manifest.build_id


def test_what_is_new_is_encoded_and_the_rest_is_taken_over(root: Path, tmp_path: Path) -> None:
    first = build(root, tmp_path / "indexes")
    Image.new("L", (40, 48), 90).save(root / "images" / "new.png")
    with (root / "records.jsonl").open("a") as stream:
        stream.write("\n" + json.dumps({"file": "images/new.png", "text": "theta"}))
    grown = build(root, tmp_path / "indexes")
    assert (first.encoded, grown.encoded, grown.reused) == (13, 2, 13)
    assert grown.published.manifest.counts.records == 8
    afresh = build(root, tmp_path / "afresh")
    assert afresh.published.manifest.content_hash == grown.published.manifest.content_hash


def test_a_limit_counts_rows(root: Path, tmp_path: Path) -> None:
    assert build(root, tmp_path / "indexes", limit=4).published.manifest.counts.rows == 4


def test_nothing_readable_publishes_nothing(root: Path, tmp_path: Path) -> None:
    (root / "records.jsonl").write_text('{"file": "images/gone.png"}')
    with pytest.raises(DatasetEmptyError, match=r"gone\.png"):
        build(root, tmp_path / "indexes")
    assert not (tmp_path / "indexes" / "own_images" / "CURRENT").exists()


def test_the_sample_does_not_replace_an_index_of_real_files(root: Path, tmp_path: Path) -> None:
    real = build(root, tmp_path / "indexes").published.manifest
    marker = root / "SYNTHETIC.json"
    marker.write_text('{"synthetic": true}')
    with pytest.raises(StoreError, match="real files"):
        build(root, tmp_path / "indexes")
    assert IndexReader.open(tmp_path / "indexes" / "own_images").build_id == real.build_id
    assert build(root, tmp_path / "elsewhere").published.manifest.synthetic


def test_a_folder_of_something_else_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"records\.jsonl"):
        build(tmp_path, tmp_path / "indexes")


class TwoQuestions:
    """A dataset of one question in each language."""

    info: DatasetInfo = replace(OwnImages.info, kind="text")

    def detect(self, root: Path) -> str:
        return "made up"

    def iter_rows(self, root: Path) -> Iterator[Row]:
        for language, question in (("en", "What is sepsis?"), ("zh", "什么是败血症？")):
            yield TextRecord(
                record_id=f"two/all/{language}", dataset="two", split="all", licence="CC0-1.0",
                source_id=language, source_path="none", case_id=language,
                language=language, question=question, answer="An answer.",
            )  # fmt: skip


class EnglishQuestions(TwoQuestions):
    info = replace(TwoQuestions.info, languages=("en",))


class Reading(TinyEncoder):
    """A tiny encoder of other languages, under a name of its own."""

    def __init__(self, *languages: str) -> None:
        key = "-".join(languages)
        self.spec = replace(TinyEncoder.spec, key=key, languages=languages)
        self.text_fingerprint = replace(TinyEncoder.text_fingerprint, key=key)


def test_words_that_an_encoder_cannot_read_are_left_to_the_full_text_index(
    tmp_path: Path,
) -> None:
    result = build_index(TwoQuestions(), tmp_path, tmp_path / "indexes", text=TinyEncoder())
    assert result.encoded == 1
    reader = IndexReader(result.published.folder)
    assert reader.rows_of("question").tolist() == [0]
    assert reader.search_lexical("败血症", 1).rows.tolist() == [1]


def test_chinese_words_have_a_field_of_their_own_where_another_encoder_reads_them(
    tmp_path: Path,
) -> None:
    result = build_index(
        TwoQuestions(), tmp_path, tmp_path / "indexes", text=TinyEncoder(), chinese=Reading("zh")
    )
    reader = IndexReader(result.published.folder)
    assert result.encoded == 2
    assert reader.rows_of("question").tolist() == [0]
    assert reader.rows_of("question_zh").tolist() == [1]
    fields = reader.manifest.fields
    assert (fields["question"].encoder, fields["question_zh"].encoder) == ("tiny", "zh")
    calibration = reader.manifest.calibration
    assert calibration is not None
    assert set(calibration.measured) == {
        "en>lexical", "en>question", "zh>lexical", "zh>question_zh",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("dataset", "text"),
    [(EnglishQuestions(), TinyEncoder()), (TwoQuestions(), Reading("en", "zh"))],
    ids=["nothing in Chinese", "one encoder reads both"],
)
def test_there_is_no_such_field_where_it_is_not_needed(
    tmp_path: Path, dataset: TwoQuestions, text: TinyEncoder
) -> None:
    result = build_index(dataset, tmp_path, tmp_path / "indexes", text=text, chinese=Reading("zh"))
    assert set(result.published.manifest.fields) == {"question"}


def test_chinese_captions_have_a_field_of_their_own(root: Path, tmp_path: Path) -> None:
    table = root / "records.jsonl"
    table.write_text(table.read_text().replace("delta", "胸部正位片"))
    result = build_index(
        OwnImages(), root, tmp_path / "indexes", text=TinyEncoder(), image=TinyEncoder(),
        chinese=Reading("zh"), options=BuildOptions(workers=1),
    )  # fmt: skip
    reader = IndexReader(result.published.folder)
    assert len(reader.rows_of("caption_zh")) == 1
    assert len(reader.rows_of("caption")) == len([word for word in WORDS if word]) - 1
