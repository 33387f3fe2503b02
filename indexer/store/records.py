"""Records as Arrow columns and back."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Literal

import pyarrow as pa

from indexer.records import AnyRecord, ImageRecord, ImageRef, Option, TextRecord

_COMMON: "list[pa.Field[Any]]" = [
    pa.field("record_id", pa.string(), nullable=False),
    pa.field("dataset", pa.string(), nullable=False),
    pa.field("split", pa.string(), nullable=False),
    pa.field("source_id", pa.string(), nullable=False),
    pa.field("source_path", pa.string(), nullable=False),
    pa.field("source_line", pa.int64()),
    pa.field("case_id", pa.string(), nullable=False),
    pa.field("language", pa.string(), nullable=False),
    pa.field("labels", pa.list_(pa.string()), nullable=False),
    pa.field("licence", pa.string(), nullable=False),
    pa.field("attribution", pa.string()),
    pa.field("synthetic", pa.bool_(), nullable=False),
]
IMAGE_SCHEMA = pa.schema(
    [
        *_COMMON,
        pa.field("image_path", pa.string(), nullable=False),
        pa.field("image_frame", pa.int32(), nullable=False),
        pa.field("image_row", pa.int64()),
        pa.field("caption", pa.string()),
        pa.field("concepts", pa.list_(pa.string()), nullable=False),
        pa.field("modality", pa.string()),
        pa.field("body_part", pa.string()),
        pa.field("patient_id", pa.string()),
        pa.field("study_id", pa.string()),
        pa.field("series_id", pa.string()),
        pa.field("article_id", pa.string()),
        pa.field("year", pa.int32()),
        pa.field("slice_number", pa.int32()),
        pa.field("age_years", pa.float64()),
        pa.field("sex", pa.string()),
        pa.field("contrast", pa.bool_()),
        pa.field("abnormal", pa.bool_()),
        pa.field("content_key", pa.string(), nullable=False),
        pa.field("image_sha256", pa.string()),
        pa.field("image_hash", pa.binary()),
    ]
)
TEXT_SCHEMA = pa.schema(
    [
        *_COMMON,
        pa.field("question", pa.string(), nullable=False),
        pa.field("answer", pa.string(), nullable=False),
        pa.field("context", pa.string()),
        pa.field(
            "options", pa.list_(pa.struct([("key", pa.string()), ("text", pa.string())])),
            nullable=False,
        ),
        pa.field("answer_keys", pa.list_(pa.string()), nullable=False),
        pa.field("reasoning", pa.string()),
        pa.field("calculator", pa.string()),
        pa.field("category", pa.string()),
        pa.field("answer_lower", pa.string()),
        pa.field("answer_upper", pa.string()),
        pa.field("content_key", pa.string(), nullable=False),
    ]
)  # fmt: skip
_IMAGE_FIELDS = tuple(field.name for field in fields(ImageRecord) if field.name != "image")
_TEXT_FIELDS = tuple(field.name for field in fields(TextRecord) if field.name != "options")


def schema_of(kind: Literal["image", "text"]) -> pa.Schema:
    """Return the columns of an image or a text index."""
    return IMAGE_SCHEMA if kind == "image" else TEXT_SCHEMA


def to_row(record: AnyRecord, extra: Mapping[str, object]) -> dict[str, object]:
    """Return a record as one row; `extra` are the columns that the store adds to it."""
    if isinstance(record, ImageRecord):
        row = {name: _plain(getattr(record, name)) for name in _IMAGE_FIELDS}
        row |= {
            "image_path": record.image.path,
            "image_frame": record.image.frame,
            "image_row": record.image.row,
        }
    else:
        row = {name: _plain(getattr(record, name)) for name in _TEXT_FIELDS}
        row["options"] = [{"key": one.key, "text": one.text} for one in record.options]
    return {**row, **extra}


def from_row(row: Mapping[str, Any]) -> AnyRecord:
    """Return the record that a row holds."""
    if "image_path" in row:
        values = {name: row[name] for name in _IMAGE_FIELDS}
        image = ImageRef(path=row["image_path"], frame=row["image_frame"], row=row["image_row"])
        for name in ("labels", "concepts"):
            values[name] = tuple(values[name])
        return ImageRecord(image=image, **values)
    values = {name: row[name] for name in _TEXT_FIELDS}
    for name in ("labels", "answer_keys"):
        values[name] = tuple(values[name])
    options = tuple(Option(key=one["key"], text=one["text"]) for one in row["options"])
    return TextRecord(options=options, **values)


def to_table(rows: Sequence[Mapping[str, object]], kind: Literal["image", "text"]) -> pa.Table:
    """Return rows as a table of the kind's columns."""
    return pa.Table.from_pylist(list(rows), schema=schema_of(kind))


def completed(table: pa.Table, kind: Literal["image", "text"]) -> pa.Table:
    """Return a build's table with the columns that its format lacked: nothing is stated there."""
    for field in schema_of(kind):
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(len(table), field.type))
    return table


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
