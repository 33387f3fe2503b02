"""Runs and qrels in TREC's formats, so that any other tool can check the figures.

A run line is `query_id Q0 record_id rank score tag`; a qrels line is `query_id 0 record_id grade`.
Ids that hold white space would break both formats and are refused. Files whose
name ends in `.gz` are compressed.
"""

import gzip
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, TextIO, TypeAlias

from indexer.errors import BadRecordError

# Runs are repetitive: the quickest level already shrinks them tenfold.
_COMPRESSION = 1

Run: TypeAlias = Mapping[str, Mapping[str, float]]
"""Query id -> record id -> score, higher is better."""

Qrels: TypeAlias = Mapping[str, Mapping[str, int]]
"""Query id -> record id -> grade, 0 for judged not relevant."""


def write_run(path: Path, run: Run, tag: str = "medsearch") -> None:
    """Write a run, each query's records by falling score, ties by record id."""
    with _open(path, "w") as stream:
        for query_id, scores in run.items():
            ranked = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
            for rank, (record_id, score) in enumerate(ranked, start=1):
                _refuse_white_space(query_id, record_id)
                stream.write(f"{query_id} Q0 {record_id} {rank} {score!r} {tag}\n")


def write_qrels(path: Path, qrels: Qrels) -> None:
    """Write qrels in the order given."""
    with _open(path, "w") as stream:
        for query_id, grades in qrels.items():
            for record_id, grade in grades.items():
                _refuse_white_space(query_id, record_id)
                stream.write(f"{query_id} 0 {record_id} {grade}\n")


def read_run(path: Path) -> dict[str, dict[str, float]]:
    """Read a run.

    Raises
    ------
    BadRecordError
        A line has not six columns, or its score is no number.

    """
    run: dict[str, dict[str, float]] = {}
    for line, words in _lines(path, columns=6):
        try:
            run.setdefault(words[0], {})[words[2]] = float(words[4])
        except ValueError:
            raise BadRecordError(path.name, line, f"no number: {words[4]!r}") from None
    return run


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Read qrels.

    Raises
    ------
    BadRecordError
        A line has not four columns, or its grade is no whole number.

    """
    qrels: dict[str, dict[str, int]] = {}
    for line, words in _lines(path, columns=4):
        try:
            qrels.setdefault(words[0], {})[words[2]] = int(words[3])
        except ValueError:
            raise BadRecordError(path.name, line, f"no whole number: {words[3]!r}") from None
    return qrels


def _open(path: Path, mode: Literal["r", "w"]) -> TextIO:
    """Open a text file, compressed if its name ends in `.gz`; equal text gives equal bytes."""
    if path.suffix != ".gz":
        return path.open(mode, encoding="utf-8")
    packed = gzip.GzipFile(path, f"{mode}b", compresslevel=_COMPRESSION, mtime=0)
    return io.TextIOWrapper(packed, encoding="utf-8")


def _lines(path: Path, columns: int) -> Iterator[tuple[int, list[str]]]:
    with _open(path, "r") as stream:
        for number, text in enumerate(stream, start=1):
            words = text.split()
            if not words:
                continue
            if len(words) != columns:
                raise BadRecordError(
                    path.name, number, f"{columns} columns were expected, {len(words)} found"
                )
            yield number, words


def _refuse_white_space(*ids: str) -> None:
    for one in ids:
        if not one or len(one.split()) != 1:
            message = f"TREC files cannot hold the id {one!r}"
            raise ValueError(message)
