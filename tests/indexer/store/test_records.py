import dataclasses
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from indexer.records import ImageRecord, ImageRef, Option, TextRecord
from indexer.store.records import IMAGE_SCHEMA, TEXT_SCHEMA, from_row, to_row, to_table

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MAYBE_TEXT = st.none() | TEXT
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
COMMON = {
    "record_id": TEXT, "dataset": TEXT, "split": TEXT, "source_id": TEXT, "source_path": TEXT,
    "source_line": st.none() | st.integers(1, 2**40), "case_id": TEXT,
    "language": st.sampled_from(["en", "zh"]), "labels": TEXTS, "licence": TEXT,
    "attribution": MAYBE_TEXT, "synthetic": st.booleans(),
}  # fmt: skip
IMAGES = st.builds(
    ImageRecord, **COMMON,
    image=st.builds(ImageRef, path=TEXT, frame=st.integers(0, 2**31 - 1),
                    row=st.none() | st.integers(0, 2**40)),
    caption=MAYBE_TEXT, concepts=TEXTS, modality=MAYBE_TEXT, body_part=MAYBE_TEXT,
    patient_id=MAYBE_TEXT, study_id=MAYBE_TEXT, series_id=MAYBE_TEXT, article_id=MAYBE_TEXT,
    year=st.none() | st.integers(1000, 2999),
    slice_number=st.none() | st.integers(-(2**31), 2**31 - 1),
    age_years=st.none() | st.floats(0, 130), sex=st.none() | st.sampled_from(["F", "M", "O"]),
    contrast=st.none() | st.booleans(), abnormal=st.none() | st.booleans(),
)  # fmt: skip
QUESTIONS = st.builds(
    TextRecord, **COMMON, question=TEXT, answer=TEXT, context=MAYBE_TEXT,
    options=st.lists(st.builds(Option, key=TEXT, text=TEXT), max_size=3).map(tuple),
    answer_keys=TEXTS, reasoning=MAYBE_TEXT, calculator=MAYBE_TEXT, category=MAYBE_TEXT,
    answer_lower=MAYBE_TEXT, answer_upper=MAYBE_TEXT,
)  # fmt: skip


@given(st.lists(IMAGES, max_size=3))
def test_image_records_come_back_as_they_were(records: list[ImageRecord]) -> None:
    extra = {"content_key": "k", "image_sha256": None, "image_hash": bytes(32)}
    table = to_table([to_row(one, extra) for one in records], "image")
    assert [from_row(row) for row in table.to_pylist()] == records


@given(st.lists(QUESTIONS, max_size=3))
def test_text_records_come_back_as_they_were(records: list[TextRecord]) -> None:
    table = to_table([to_row(one, {"content_key": "k"}) for one in records], "text")
    assert [from_row(row) for row in table.to_pylist()] == records


def test_every_part_of_a_record_has_a_column_and_may_be_missing_only_where_it_may() -> None:
    for kind, schema in ((ImageRecord, IMAGE_SCHEMA), (TextRecord, TEXT_SCHEMA)):
        for part in dataclasses.fields(kind):
            name = "image_path" if part.name == "image" else part.name
            assert schema.field(name).nullable == (type(None) in get_args(part.type)), part.name
