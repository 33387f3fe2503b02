"""Judged sets of texts: questions, what is to be searched for them, and what answers them.

Three published formats, each recognised by its files: Medical Question Pairs (`mqp.csv`), Chinese
question pairs of the 2020 contest on COVID-19 (CSV with `query1`, `query2`, `label`), NFCorpus
(`*.docs`, `*.titles.queries`, `*.2-1-0.qrel`).
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import BadRecordError, DatasetNotFoundError
from indexer.records import Language

_MQP_COLUMNS = 4
_MAX_CELL_CHARS = 1 << 20
# Pairs were judged and nothing else: what comes first may be right though nobody said so. Hence how
# often it was judged at all, and which of the judged comes first (condensed lists: Sakai, SIGIR
# 2007).
_OF_PAIRS = ("RR", "Judged@1", "Success(judged_only=True)@1")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSet:
    """One judged set. A query whose id is also a document's is that document and is not sought.

    `documents` and `queries` map ids without white space to texts, `qrels` query ids to graded
    document ids. `measures` are ir_measures' names, the leading one first.
    """

    name: str
    language: Language
    documents: Mapping[str, str]
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]
    measures: tuple[str, ...]
    licence: str


def read_text_sets(folder: Path) -> list[TextSet]:
    """Read every judged set below `folder`, whichever of the three formats each has.

    Raises
    ------
    DatasetNotFoundError
        There is none.
    BadRecordError
        A file is not as its format says.
    """
    found = [
        *(_read_mqp(path) for path in sorted(folder.rglob("mqp*.csv"))),
        *(_read_pairs(path) for path in _pair_folders(folder)),
        *(_read_nfcorpus(path) for path in _nfcorpus_folders(folder)),
    ]
    if not found:
        raise DatasetNotFoundError(
            f"No judged texts were found in {folder}.",
            remedy="Expected: mqp/mqp.csv, CSV files with query1,query2,label, or NFCorpus's "
            "*.docs, *.titles.queries and *.2-1-0.qrel.",
        )
    return found


def _read_mqp(path: Path) -> TextSet:
    """Read Medical Question Pairs: doctor, question, its rewording or a near miss, 1 or 0.

    A question is sought by its other wording among all distinct questions but itself.
    """
    pairs = _Pairs()
    for line, cells in _csv_rows(path):
        if len(cells) != _MQP_COLUMNS or cells[3] not in {"0", "1"}:
            raise BadRecordError(path.name, line, "doctor,question,question,0 or 1 was expected")
        pairs.add(cells[1], cells[2], same=cells[3] == "1")
    return pairs.finish("mqp", "en", ("R@1", *_OF_PAIRS), "none stated; research")


def _read_pairs(folder: Path) -> TextSet:
    """Read all pair files of a folder as one set; a query may have several positives."""
    pairs = _Pairs()
    for path in _pair_files(folder):
        rows = _csv_rows(path)
        _, header = next(rows)
        first, second, label = (header.index(name) for name in ("query1", "query2", "label"))
        for line, cells in rows:
            if len(cells) != len(header) or cells[label] not in {"0", "1"}:
                raise BadRecordError(path.name, line, "the label is neither 0 nor 1")
            pairs.add(cells[first], cells[second], same=cells[label] == "1")
    return pairs.finish(folder.name, "zh", ("Success@1", *_OF_PAIRS), "none stated; research")


def _read_nfcorpus(folder: Path) -> TextSet:
    """Read NFCorpus: titles as queries, all documents at hand, direct links 2 and indirect 1."""
    documents: dict[str, str] = {}
    for path in sorted(folder.glob("*.docs")):
        documents |= _tab_separated(path)
    queries: dict[str, str] = {}
    for path in sorted(folder.glob("*.titles.queries")):
        if "nontopic" not in path.name and ".vid-" not in path.name:
            queries |= _tab_separated(path)
    qrels: dict[str, dict[str, int]] = {}
    for path in sorted(folder.glob("*.2-1-0.qrel")):
        for line, words in enumerate(path.read_text("utf-8").splitlines(), 1):
            cells = words.split()
            if len(cells) != _MQP_COLUMNS or not cells[3].isdigit():
                raise BadRecordError(path.name, line, "query 0 document grade was expected")
            if cells[0] in queries and cells[2] in documents:
                qrels.setdefault(cells[0], {})[cells[2]] = int(cells[3])
    return TextSet(
        name="nfcorpus",
        language="en",
        documents=documents,
        queries={name: queries[name] for name in qrels},
        qrels=qrels,
        measures=("nDCG@10", "R@100"),
        licence="academic use",
    )


class _Pairs:
    """Pairs of questions on their way to a set; texts are numbered in the order of first sight."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._qrels: dict[str, dict[str, int]] = {}

    def add(self, question: str, other: str, *, same: bool) -> None:
        asked, found = self._number(question), self._number(other)
        if asked != found:
            self._qrels.setdefault(asked, {})[found] = int(same)

    def finish(
        self, name: str, language: Language, measures: tuple[str, ...], licence: str
    ) -> TextSet:
        documents = {identity: text for text, identity in self._ids.items()}
        qrels = {asked: grades for asked, grades in self._qrels.items() if any(grades.values())}
        return TextSet(
            name=name,
            language=language,
            documents=documents,
            queries={asked: documents[asked] for asked in qrels},
            qrels=qrels,
            measures=measures,
            licence=licence,
        )

    def _number(self, text: str) -> str:
        return self._ids.setdefault(" ".join(text.split()), f"t{len(self._ids):06d}")


def _pair_folders(folder: Path) -> list[Path]:
    return sorted({path.parent for path in _pair_files(folder, "**/*.csv")})


def _pair_files(folder: Path, pattern: str = "*.csv") -> Iterator[Path]:
    """Yield the CSV files whose header names pairs of queries."""
    for path in sorted(folder.glob(pattern)):
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header = stream.readline().strip().split(",")
        if {"query1", "query2", "label"} <= set(header):
            yield path


def _nfcorpus_folders(folder: Path) -> list[Path]:
    return sorted({path.parent for path in folder.rglob("*.2-1-0.qrel")})


def _tab_separated(path: Path) -> dict[str, str]:
    rows: dict[str, str] = {}
    for line, text in enumerate(path.read_text("utf-8").splitlines(), 1):
        name, tab, content = text.partition("\t")
        if not tab or not name:
            raise BadRecordError(path.name, line, "an id, a tab and a text were expected")
        rows[name] = content.strip()
    return rows


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the cells of each row that is not empty."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        for cells in reader:
            if len("".join(cells)) > _MAX_CELL_CHARS:
                raise BadRecordError(path.name, reader.line_num, "the row is far too long")
            if cells:
                yield reader.line_num, cells
