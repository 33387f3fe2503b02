"""Answers as they come in, on disk: what was paid for once is never paid for again."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import IO, Self

from filelock import FileLock, Timeout

from indexer.errors import MedsearchError
from service.evaluation.rag.model import Answer, Endpoint
from service.evaluation.rag.prompts import Ask

JOURNAL_NAME = "answers.jsonl"


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """What makes an answer that answer: the question, the words of the prompt, the model."""

    question_id: str
    prompt_sha256: str
    model: str

    @classmethod
    def of(cls, ask: Ask, endpoint: Endpoint) -> "AnswerKey":
        """Return the key; what else is sent with the prompt counts as part of it."""
        sampling = json.dumps(endpoint.sampling, sort_keys=True)
        digest = hashlib.sha256(f"{ask.prompt_sha256}\n{sampling}".encode()).hexdigest()
        return cls(ask.question.question_id, digest, endpoint.model)


class Journal:
    """An append-only file of answers, one JSON object a line. Thread-safe.

    Each answer is on disk before `add` returns; a process killed while it writes loses that one.
    A line that cannot be read (what such a process left) is passed over and counted in `torn`.

    Raises
    ------
    MedsearchError
        Another process writes the same file.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._process_lock = FileLock(f"{path}.lock", timeout=0)
        self._lock = Lock()
        self._path = path
        self._answers: dict[AnswerKey, Answer] = {}
        self.torn = 0
        self._stream: IO[bytes]

    def __enter__(self) -> Self:
        """Take the file for this process and read what it holds."""
        try:
            self._process_lock.acquire()
        except Timeout:
            raise MedsearchError(
                "Another run writes its answers into the same folder.",
                remedy="Wait for it, or choose another folder with --output.",
            ) from None
        self._read()
        self._stream = self._path.open("ab")
        if self._is_torn_at_end():
            self._stream.write(b"\n")
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file and leave it to others."""
        self._stream.close()
        self._process_lock.release()

    @property
    def answers(self) -> Mapping[AnswerKey, Answer]:
        """Every answer so far; of two under one key the later."""
        return self._answers

    def add(self, key: AnswerKey, answer: Answer) -> None:
        """Write an answer down."""
        line = json.dumps(asdict(key) | asdict(answer), ensure_ascii=False).encode()
        with self._lock:
            self._stream.write(line + b"\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._answers[key] = answer

    def _read(self) -> None:
        if not self._path.exists():
            return
        for line in self._path.read_bytes().splitlines():
            if not line.strip():
                continue
            try:
                values = json.loads(line)
                key = AnswerKey(*(str(values[name]) for name in AnswerKey.__slots__))
                answer = Answer(**{name: values[name] for name in Answer.__slots__})
            except (ValueError, KeyError, TypeError):
                self.torn += 1
            else:
                self._answers[key] = answer

    def _is_torn_at_end(self) -> bool:
        with self._path.open("rb") as stream:
            if stream.seek(0, os.SEEK_END) == 0:
                return False
            stream.seek(-1, os.SEEK_END)
            return stream.read(1) != b"\n"


def tokens_of(
    asks: Sequence[Ask], answers: Mapping[AnswerKey, Answer], endpoint: Endpoint
) -> tuple[int, int] | None:
    """Return the tokens of prompts and of answers as the server counted them; None if it did not.

    The answers are counted whenever they were given, in this run or an earlier one.
    """
    given = [answers.get(key) for key in {AnswerKey.of(ask, endpoint) for ask in asks}]
    counts = [
        (one.tokens_in, one.tokens_out)
        for one in given
        if one is not None and one.tokens_in is not None and one.tokens_out is not None
    ]
    if not counts:
        return None
    return sum(count[0] for count in counts), sum(count[1] for count in counts)
