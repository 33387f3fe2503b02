"""Tokenizers without their habits: no truncation, no padding, special tokens known by position."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.errors import EncoderError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenizers import Tokenizer

    Encode = Callable[[str, bool], list[int]]

_PROBE = "chest"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """How a model's tokenizer is used: a text's own tokens, and what stands around them.

    `tokenise` gives a text's tokens without special ones and without a limit. Every sequence is
    `prefix` + tokens + `suffix`; short ones are filled with `padding`.
    """

    tokenise: "Callable[[str], list[int]]"
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    padding: int

    def sequence(self, tokens: "Sequence[int]") -> list[int]:
        """Put the special tokens around a text's tokens."""
        return [*self.prefix, *tokens, *self.suffix]


def rules_of(
    encode: "Encode", *, padding: int, clean: "Callable[[str], str] | None" = None
) -> TokenRules:
    """Return the rules of a tokenizer, given by what it makes of a text with and without specials.

    `clean` prepares a text before it is cut. The special tokens are those around a probe word.

    Raises
    ------
    EncoderError
        It puts special tokens into the middle of a text, which windows cannot imitate.
    """

    def tokenise(text: str) -> list[int]:
        return encode(clean(text) if clean else text, False)

    bare, dressed = encode(_PROBE, False), encode(_PROBE, True)
    starts = [place for place in range(len(dressed)) if dressed[place : place + len(bare)] == bare]
    if not bare or not starts:
        raise EncoderError(
            "The tokenizer cannot cut a plain English word, or changes it beside special tokens.",
            remedy="Use the tokenizer files that were published with the model.",
        )
    end = starts[0] + len(bare)
    return TokenRules(
        tokenise=tokenise,
        prefix=tuple(dressed[: starts[0]]),
        suffix=tuple(dressed[end:]),
        padding=padding,
    )


def plain_encode(tokenizer: "Tokenizer") -> "Encode":
    """Return a fast tokenizer's encoding, its truncation and padding switched off for good.

    Changing them with each call, as its wrappers do, is what makes it unsafe between threads.
    """
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text, special: list(tokenizer.encode(text, add_special_tokens=special).ids)
