"""What is asked of the model: each question twice, without passages and with them."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from indexer.records import AnyRecord
from service.evaluation.rag.questions import BenchmarkQuestion
from service.evaluation.rag.screening import Screen
from service.prompting.prompt import Message, Prompt, Prompter, PromptRequest
from service.prompting.tokens import MESSAGE_OVERHEAD_TOKENS, estimate_tokens
from service.retrieval.filters import Filter

Arm: TypeAlias = Literal["without", "with"]
ARMS: tuple[Arm, ...] = get_args(Arm)

_SYSTEM = (
    "You answer medical questions for researchers and professionals. "
    "You are not a diagnostic device. Answer in the language of the question."
)
_CHOOSE_ONE = "Exactly one option is right. End with a line of its own: Answer: LETTER"
_CHOOSE_SEVERAL = (
    "One or more options are right. End with a line of its own: Answer: LETTER, "
    "or several letters with commas between them."
)
_CALCULATE = (
    "End with a line of its own: Answer: VALUE. VALUE is a number without words, "
    "a date as MM/DD/YYYY, or a duration as N weeks, N days, whichever is asked for."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question in one arm, ready to be sent. `passages` are the ids of the records shown.

    `prompt_sha256` stands for the messages: an answer to other words is another answer.
    """

    question: BenchmarkQuestion
    arm: Arm
    messages: tuple[Message, ...] = field(repr=False)
    passages: tuple[str, ...] = ()

    @property
    def prompt_sha256(self) -> str:
        """The digest of the messages (hex, 64 digits)."""
        written = [[one.role, one.content] for one in self.messages]
        return hashlib.sha256(json.dumps(written).encode()).hexdigest()

    @property
    def tokens(self) -> int:
        """An estimate of the prompt's tokens that errs on the high side."""
        return sum(estimate_tokens(one.content) + MESSAGE_OVERHEAD_TOKENS for one in self.messages)


class AskWriter:
    """Writes both arms of a question; the arm with passages is what `POST /v1/prompts` writes.

    `budget_tokens` is for instructions and passages; what the question itself takes is added.
    """

    def __init__(
        self, prompter: Prompter, screen: Screen, *, passages: int = 5, budget_tokens: int = 2000
    ) -> None:
        self._prompter = prompter
        self._screen = screen
        self._passages = passages
        self._budget_tokens = budget_tokens

    def write(self, question: BenchmarkQuestion) -> Iterator[Ask]:
        """Yield the question without passages, then with them.

        Raises
        ------
        MedsearchError
            As `Prompter.write`.
        """
        bare = (Message("system", _SYSTEM), Message("user", f"Question: {question.stem}"))
        yield Ask(question=question, arm="without", messages=_with_task(bare, question))
        prompt = self._screen.search(
            question, lambda allowed: self._prompt(question, allowed), _records_of
        )
        yield Ask(
            question=question,
            arm="with",
            messages=_with_task(prompt.messages, question),
            passages=tuple(one.hit.record.record_id for one in prompt.citations),
        )

    def _prompt(self, question: BenchmarkQuestion, allowed: Filter | None) -> Prompt:
        request = PromptRequest(
            question=question.stem,
            k=self._passages,
            budget_tokens=self._budget_tokens + estimate_tokens(question.stem),
            indexes=self._screen.holdings.indexes,
            filters=allowed,
        )
        # A random fence would make every prompt a new one, and every answer be paid for again.
        fence = hashlib.sha256(question.question_id.encode()).hexdigest()[:16]
        return self._prompter.write(request, fence=fence)


def _with_task(messages: Sequence[Message], question: BenchmarkQuestion) -> tuple[Message, ...]:
    """Return the messages with the options and how to answer at the end, alike in both arms."""
    task = _CALCULATE if not question.choices else _CHOOSE_ONE
    if question.several:
        task = _CHOOSE_SEVERAL
    parts = [messages[-1].content, question.choices, task]
    last = Message(messages[-1].role, "\n\n".join(part for part in parts if part))
    return (*messages[:-1], last)


def _records_of(prompt: Prompt) -> list[AnyRecord]:
    return [one.hit.record for one in prompt.citations]
