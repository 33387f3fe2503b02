"""Sends what has no answer yet, several requests at a time, and writes each answer down at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from service.evaluation.rag.journal import AnswerKey, Journal
from service.evaluation.rag.model import ChatModel, Endpoint, ModelError, ModelRefusedError
from service.evaluation.rag.prompts import Ask

MOST_FAILURES_IN_A_ROW = 8
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run will take at most. `cost` is None where no prices were given.

    Prompt tokens are estimated on the high side; every answer is counted as long as it may be.
    """

    requests: int
    answered: int
    tokens_in: int
    tokens_out: int
    cost: float | None


def pending(asks: Sequence[Ask], journal: Journal, endpoint: Endpoint) -> list[Ask]:
    """Return what has no answer yet, each prompt once."""
    open_asks = {AnswerKey.of(ask, endpoint): ask for ask in asks}
    return [ask for key, ask in open_asks.items() if key not in journal.answers]


def estimate(
    asks: Sequence[Ask],
    journal: Journal,
    endpoint: Endpoint,
    prices: tuple[float, float] | None = None,
) -> Estimate:
    """Return what is still to be asked; `prices` are those of a million tokens in and out."""
    missing = pending(asks, journal, endpoint)
    tokens_in = sum(ask.tokens for ask in missing)
    tokens_out = endpoint.max_tokens * len(missing)
    cost = None
    if prices is not None:
        cost = (tokens_in * prices[0] + tokens_out * prices[1]) / _MILLION
    return Estimate(
        requests=len(missing),
        answered=len(asks) - len(missing),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost=cost,
    )


def ask_all(
    asks: Sequence[Ask],
    journal: Journal,
    model: ChatModel,
    *,
    concurrency: int = 4,
    on_answer: Callable[[], None] | None = None,
) -> list[ModelError]:
    """Ask what has no answer yet, `concurrency` at a time; return the failures of single requests.

    Raises
    ------
    ModelRefusedError
        The server refuses the key or the model.
    ModelError
        Several requests in a row have failed: the server is not well.
    """
    waiting = iter(pending(asks, journal, model.endpoint))
    failures: list[ModelError] = []
    in_a_row = 0
    with ThreadPoolExecutor(concurrency) as pool:
        running: set[Future[None]] = set()
        while True:
            while len(running) < concurrency and (ask := next(waiting, None)) is not None:
                running.add(pool.submit(_ask_one, ask, journal, model))
            if not running:
                return failures
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                failure = _failure_of(future)
                in_a_row = in_a_row + 1 if failure else 0
                if failure:
                    failures.append(failure)
                if on_answer:
                    on_answer()
            if in_a_row >= MOST_FAILURES_IN_A_ROW:
                raise failures[-1]


def _ask_one(ask: Ask, journal: Journal, model: ChatModel) -> None:
    answer = model.ask(ask.messages)
    journal.add(AnswerKey.of(ask, model.endpoint), answer)


def _failure_of(future: "Future[None]") -> ModelError | None:
    """Return why one request brought no answer; what would befall all of them is raised."""
    try:
        future.result()
    except ModelRefusedError:
        raise
    except ModelError as error:
        return error
    return None
