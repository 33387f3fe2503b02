"""The questions that are put to an index of texts: judged ones, and ones made from its records."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from indexer.records import Language
from indexer.store.reader import IndexReader
from indexer.text.normalise import clean
from service.evaluation.text_index import document_ids
from service.evaluation.text_sets import TextSet
from service.evaluation.text_tasks import Questions

LEAST_QUESTIONS = 5
_LEAST_WORDS = 4


def judged_questions(texts: TextSet) -> Questions:
    """Return the questions of a judged set, its documents by the ids of their records.

    Documents that say the same share a record and its highest grade. A question whose every
    relevant document says the same as itself asks nothing and is left out.
    """
    record_of = document_ids(texts)
    own = {name: record_of[name] for name in texts.queries if name in record_of}
    qrels: dict[str, dict[str, int]] = {}
    for query_id, grades in texts.qrels.items():
        mine: dict[str, int] = {}
        for document, grade in grades.items():
            record_id = record_of[document]
            if record_id != own.get(query_id):
                mine[record_id] = max(grade, mine.get(record_id, 0))
        if any(mine.values()):
            qrels[query_id] = mine
    return Questions(
        task="question -> question" if own else "query -> document",
        subset=texts.name,
        texts={name: texts.queries[name] for name in qrels},
        qrels=qrels,
        own=own,
        measures=texts.measures,
    )


def fragment_questions(reader: IndexReader, limit: int) -> Questions:
    """Return the middle halves of questions, evenly chosen: each is to find its record."""
    rows = _evenly(reader.table.num_rows, limit)
    chosen = reader.table.select(["record_id", "question", "language"]).take(rows).to_pylist()
    texts = {
        row["record_id"]: fragment
        for row in chosen
        if (fragment := _middle_half(row["question"], row["language"]))
    }
    return Questions(
        task="fragment -> question",
        subset=reader.name,
        texts=texts,
        qrels={record_id: {record_id: 1} for record_id in texts},
        own={},
        measures=("R@1", "RR"),
    )


def translated_questions(reader: IndexReader, limit: int) -> Iterator[Questions]:
    """Yield, for each direction, questions that the index also holds in the other language."""
    columns = ["record_id", "question", "language", "case_id"]
    cases: defaultdict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in reader.table.select(columns).to_pylist():
        cases[row["case_id"]].setdefault(row["language"], row)
    directions: tuple[tuple[Language, Language], ...] = (("zh", "en"), ("en", "zh"))
    for asked, wanted in directions:
        pairs = [case for case in cases.values() if asked in case and wanted in case]
        pairs = [pairs[place] for place in _evenly(len(pairs), limit)]
        if len(pairs) >= LEAST_QUESTIONS:
            yield Questions(
                task=f"{asked} question -> its {wanted} translation",
                subset=reader.name,
                texts={case[asked]["record_id"]: case[asked]["question"] for case in pairs},
                qrels={case[asked]["record_id"]: {case[wanted]["record_id"]: 1} for case in pairs},
                own={case[asked]["record_id"]: case[asked]["record_id"] for case in pairs},
                measures=("R@1", "RR"),
            )


def _evenly(size: int, limit: int) -> list[int]:
    """Return at most `limit` of the numbers below `size`, evenly spread."""
    count = min(size, limit)
    return [place * size // count for place in range(count)]


def _middle_half(text: str, language: Language) -> str:
    """Return the middle half of a text's words (characters in Chinese), "" if there are too few."""
    words = list(clean(text)) if language == "zh" else clean(text).split()
    if len(words) < _LEAST_WORDS:
        return ""
    quarter = len(words) // 4
    return ("" if language == "zh" else " ").join(words[quarter : len(words) - quarter])
