"""Answers from any server that speaks OpenAI's chat completions, piece by piece."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from indexer.errors import MedsearchError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_PUTTING_DOWN_S = 1.0
_REMEDY = "Try again; if it stays so, whoever runs the service should look at the model's server."


class LlmNotConfiguredError(MedsearchError):
    """Answers were asked for, and no language model is configured, or its client is missing."""

    code = "llm_not_configured"


class LlmFailedError(MedsearchError, RuntimeError):
    """The language model's server cannot be reached, refuses, breaks off or talks nonsense."""

    code = "llm_failed"


class LlmTimeoutError(MedsearchError, TimeoutError):
    """The language model's server said nothing for too long, or did not come to an end."""

    code = "llm_timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a model answers. Times in seconds: the longest silence, and the longest answer."""

    url: str
    model: str
    key: str | None = field(default=None, repr=False)
    silence_s: float = 60.0
    total_s: float = 300.0
    retries: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """What is asked of the model beside the messages; what is None is left to its server."""

    max_tokens: int | None = None
    temperature: float | None = None

    def values(self) -> dict[str, Any]:
        """Return what is set, by OpenAI's names."""
        given = {"max_tokens": self.max_tokens, "temperature": self.temperature}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of an answer; the last piece says why it ended (`stop`, `length` ...)."""

    text: str
    finish_reason: str | None = None


class Llm:
    """One model's endpoint. To be used on one event loop."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._client: AsyncOpenAI | None = None

    async def stream(
        self, messages: Sequence[dict[str, Any]], sampling: Sampling
    ) -> AsyncGenerator[Piece, None]:
        """Yield an answer's pieces as they come; closing the iterator ends the request.

        Until the first piece, what fails in passing (connection, 408, 409, 429, 5xx) is tried
        again with growing pauses; after it, nothing is.

        Raises
        ------
        LlmNotConfiguredError
            The extra `llm` is not installed.
        LlmTimeoutError
            Nothing came for `silence_s`, or no end within `total_s`.
        LlmFailedError
            The server cannot be reached, refuses, sends what is no completion, breaks off, or
            ends without a word.
        """
        client = self._open()
        ends_at = asyncio.get_running_loop().time() + self.endpoint.total_s
        completion = await _told(self._begin(client, messages, sampling), self.endpoint.total_s)
        said = finished = False
        try:
            while not finished:
                left = ends_at - asyncio.get_running_loop().time()
                chunk = await _told(anext(completion, None), min(left, self.endpoint.silence_s))
                if chunk is None:
                    break
                piece = _read(chunk)
                said = said or bool(piece.text.strip())
                finished = piece.finish_reason is not None
                if finished and not said:
                    raise LlmFailedError("The language model ended without a word.", remedy=_REMEDY)
                if finished or piece.text:
                    yield piece
        finally:
            await _put_down(completion)
        if not finished:
            raise LlmFailedError(
                "The language model's server broke off before the end of the answer.",
                remedy=_REMEDY,
            )

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.close()

    def _open(self) -> "AsyncOpenAI":
        if self._client is None:
            try:
                from openai import AsyncOpenAI
            except ImportError:
                raise LlmNotConfiguredError(
                    "The packages of the extra 'llm' are not installed.",
                    remedy="pip install 'medsearch[llm]'",
                ) from None
            # At DEBUG it would log whole prompts.
            logging.getLogger("openai").setLevel(logging.WARNING)
            self._client = AsyncOpenAI(
                base_url=self.endpoint.url,
                api_key=self.endpoint.key or "none",
                timeout=self.endpoint.silence_s,
                max_retries=self.endpoint.retries,
            )
        return self._client

    async def _begin(
        self, client: "AsyncOpenAI", messages: Sequence[dict[str, Any]], sampling: Sampling
    ) -> Any:
        return await client.chat.completions.create(
            model=self.endpoint.model,
            messages=list(messages),  # type: ignore[arg-type]  # as their type says, unchecked
            stream=True,
            **sampling.values(),
        )


async def _put_down(completion: Any) -> None:
    """Close a stream and what reads it.

    The client's stream and its reader hold each other. One that was not read to its end would
    stay, half read, until the garbage collector comes by, on whatever thread that is.
    """
    await completion.close()
    with suppress(Exception):  # nothing can be read any more, and nobody wants it
        async with asyncio.timeout(_PUTTING_DOWN_S):
            async for _ in completion:
                pass


async def _told(waiting: Any, longest_s: float) -> Any:
    """Return what is waited for; failures of the server become ours, without its words."""
    import openai

    try:
        async with asyncio.timeout(max(longest_s, 0.0)):
            return await waiting
    except (
        TimeoutError, openai.OpenAIError, ValueError, TypeError, AttributeError, LookupError
    ) as error:  # fmt: skip
        failure = _failure(error)
    # Raised here, it does not remember the client's error, whose frames hold a half-read stream.
    raise failure


def _failure(error: Exception) -> LlmFailedError | LlmTimeoutError:
    """Return what an error of the client means to whoever asked."""
    import openai

    if isinstance(error, TimeoutError | openai.APITimeoutError):
        return LlmTimeoutError(
            "The language model's server did not answer in time.", remedy=_REMEDY
        )
    if isinstance(error, openai.APIStatusError):
        return LlmFailedError(
            f"The language model's server refused with status {error.status_code}.", remedy=_REMEDY
        )
    if isinstance(error, openai.APIConnectionError):
        return LlmFailedError(
            "The connection to the language model's server failed.", remedy=_REMEDY
        )
    return _nonsense()


def _read(chunk: Any) -> Piece:
    """Return what a chunk says; the client does not check what servers send."""
    choices = getattr(chunk, "choices", None)
    if choices == []:
        return Piece("")  # counts of tokens come so
    try:
        choice = choices[0]  # type: ignore[index]
        text, reason = choice.delta.content, choice.finish_reason
    except (AttributeError, LookupError, TypeError):
        raise _nonsense() from None
    if not isinstance(text, str | None) or not isinstance(reason, str | None):
        raise _nonsense()
    return Piece(text or "", reason)


def _nonsense() -> LlmFailedError:
    return LlmFailedError(
        "What the language model's server sent is no chat completion.", remedy=_REMEDY
    )
