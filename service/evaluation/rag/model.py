"""The language model that is measured: any server that speaks OpenAI's chat completions."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, cast

from indexer.errors import MedsearchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai import OpenAIError

    from service.prompting.request import Message

_REFUSALS = frozenset({401, 403, 404})
_TRIED_AGAIN = frozenset({408, 409, 429})


class ModelError(MedsearchError, RuntimeError):
    """One request brought no answer; another may."""

    code = "model_failed"


class ModelRefusedError(ModelError):
    """The server refuses the key or the model: no request will bring an answer."""

    code = "model_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a model is asked, and how. Neither `url` nor `key` shows in a representation.

    `reasoning` is for models that take `max_completion_tokens` and no temperature (OpenAI's o and
    GPT-5 series); all others are asked with `max_tokens` and temperature 0.
    """

    url: str = field(repr=False)
    model: str
    key: str = field(default="none", repr=False)
    max_tokens: int = 1024
    timeout_s: float = 120.0
    retries: int = 4
    reasoning: bool = False

    @property
    def sampling(self) -> dict[str, float]:
        """What is sent beside model and messages; other values may bring another answer."""
        if self.reasoning:
            return {"max_completion_tokens": self.max_tokens}
        return {"max_tokens": self.max_tokens, "temperature": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model said. Tokens are as the server counted them, None where it does not count."""

    text: str = field(repr=False)
    finish_reason: str
    tokens_in: int | None
    tokens_out: int | None


class ChatModel:
    """Asks an endpoint. Thread-safe; blocks until the answer is whole or all retries are spent.

    Failures of the network, 408, 409, 429 and 5xx are tried again by the `openai` client, with
    growing pauses or as long as the server's Retry-After says.

    Raises
    ------
    ModelError
        The `openai` package is not installed.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        try:
            from openai import OpenAI
        except ImportError as error:
            raise ModelError(
                "Asking a model needs the openai client, which is not installed.",
                remedy="pip install 'medsearch[llm]'.",
            ) from error
        self.endpoint = endpoint
        self._client: OpenAI = OpenAI(
            base_url=endpoint.url,
            api_key=endpoint.key,
            timeout=endpoint.timeout_s,
            max_retries=endpoint.retries,
        )

    def ask(self, messages: "Sequence[Message]") -> Answer:
        """Return the model's answer to a conversation.

        Raises
        ------
        ModelRefusedError
            The server refuses the key or the model.
        ModelError
            No answer after all retries, a refused request, or a reply that is no completion.
        """
        from openai import OpenAIError

        written = [{"role": one.role, "content": one.content} for one in messages]
        try:
            reply = self._client.chat.completions.create(
                model=self.endpoint.model,
                messages=cast("Any", written),
                **cast("Any", self.endpoint.sampling),
            )
        except OpenAIError as error:
            _explain(error)
        except ValueError as error:  # a body that is no JSON
            raise _not_understood() from error
        return _read(reply)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _explain(error: "OpenAIError") -> NoReturn:
    """Raise a typed error without the server's own words, which may repeat the prompt."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        raise ModelError(
            "The model did not answer in time.", remedy="Raise --timeout, or lower --concurrency."
        ) from None
    if isinstance(error, openai.APIResponseValidationError):
        raise _not_understood() from None
    if not isinstance(error, openai.APIStatusError):
        raise ModelError(
            "The model's server cannot be reached, or broke off.", remedy="Check --llm-url."
        ) from None
    status = error.status_code
    if status in _REFUSALS:
        raise ModelRefusedError(
            f"The model's server refuses the request ({status}).",
            remedy="Check --llm-url, --model, and the key in MEDSEARCH_LLM_KEY.",
        ) from None
    if status in _TRIED_AGAIN or status >= 500:
        raise ModelError(
            f"The model's server answers {status} after all retries.",
            remedy="Lower --concurrency, raise --retries, or run the command again later.",
        ) from None
    raise ModelError(
        f"The model's server does not take the request ({status}).",
        remedy="Check --max-tokens, --budget and --reasoning against what the model takes.",
    ) from None


def _read(reply: Any) -> Answer:
    """Check that a reply is a chat completion: servers of all kinds answer at such addresses."""
    try:
        choice = reply.choices[0]
        usage = getattr(reply, "usage", None)
        return Answer(
            text=choice.message.content or "",
            finish_reason=choice.finish_reason or "",
            tokens_in=getattr(usage, "prompt_tokens", None),
            tokens_out=getattr(usage, "completion_tokens", None),
        )
    except (AttributeError, IndexError, TypeError) as error:
        raise _not_understood() from error


def _not_understood() -> ModelError:
    return ModelError(
        "The server's answer is no chat completion.",
        remedy="--llm-url is the base of an OpenAI-compatible server, often ending in /v1.",
    )
