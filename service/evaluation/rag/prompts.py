"""What is asked of the model: each question twice, without passages and with them."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from indexer.records import AnyRecord
from service.evaluation.rag.questions import BenchmarkQuestion
from service.evaluation.rag.screening import Screen
from service.prompting.prompt import Prompter
from service.prompting.request import Message, Prompt, PromptRequest
from service.prompting.tokens import MESSAGE_OVERHEAD_TOKENS, estimate_tokens
from service.retrieval.filters import Filter

Arm: TypeAlias = Literal["without", "with"]
ARMS: tuple[Arm, ...] = get_args(Arm)

# Worded as the service's templates are, without what concerns passages: an instruction to reason in
# one arm alone would be measured as if it came from retrieval.
_CHOOSING = (
    "You answer multiple-choice questions on medicine for researchers and professionals. You are "
    "not a diagnostic device. Answer in the language of the question. Weigh the options against "
    "each other, briefly."
)
_CALCULATING = (
    "You carry out medical calculations for researchers and professionals. You are not a "
    "diagnostic device. Answer in the language of the question. State the formula, list each value "
    "with its unit and the criteria that are met, name what is missing, calculate step by step."
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
        yield Ask(question=question, arm="without", messages=_bare(question))
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
        record = question.record
        request = PromptRequest(
            question=record.question,
            patient_note=record.context,
            options=record.options,
            template="choice" if record.options else "calculation",
            k=self._passages,
            budget_tokens=self._budget_tokens + estimate_tokens(question.whole),
            indexes=self._screen.holdings.indexes,
            filters=allowed,
        )
        # A random fence would make every prompt a new one, and every answer be paid for again.
        fence = hashlib.sha256(question.question_id.encode()).hexdigest()[:16]
        return self._prompter.write(request, fence=fence)


def _bare(question: BenchmarkQuestion) -> tuple[Message, ...]:
    """Return the question as it is asked without passages."""
    system = _CHOOSING if question.record.options else _CALCULATING
    asked = (Message("system", system), Message("user", question.whole))
    return _with_task(asked, question)


def _with_task(messages: Sequence[Message], question: BenchmarkQuestion) -> tuple[Message, ...]:
    """Return the messages with how to answer at the end, alike in both arms."""
    task = _CHOOSE_ONE if question.record.options else _CALCULATE
    if question.several:
        task = _CHOOSE_SEVERAL
    last = Message(messages[-1].role, f"{messages[-1].content}\n\n{task}")
    return (*messages[:-1], last)


def _records_of(prompt: Prompt) -> list[AnyRecord]:
    return [one.hit.record for one in prompt.citations]
