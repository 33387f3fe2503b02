"""Tokenizers in Hugging Face's format: their rules, their size, their digest."""

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.encoders.digests import files_sha256
from indexer.encoders.reasons import reason_of
from indexer.encoders.tokens import TokenRules, plain_encode, rules_of
from indexer.errors import EncoderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FILE_NAMES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubTokens:
    """A tokenizer's rules, the size of its vocabulary, and the digest of its files."""

    rules: TokenRules
    size: int
    sha256: str

    def require_fitting(self, rows: int, folder: Path) -> None:
        """Check that the tokenizer fits a model whose table has `rows` embeddings.

        Raises
        ------
        EncoderError
            It makes tokens that the model has no embedding for.
        """
        highest = max(self.size - 1, self.rules.padding, *self.rules.prefix, *self.rules.suffix, 0)
        if highest >= rows:
            raise EncoderError(
                f"{folder.name}: the tokenizer makes tokens up to {highest}, but the model knows "
                f"{rows}: they do not belong together.",
                remedy="Use the tokenizer files that were published with the model.",
            )


def read_hub_tokens(folder: Path) -> HubTokens:
    """Read the tokenizer of a folder.

    Raises
    ------
    EncoderError
        It is missing, damaged, or of a kind that is not installed.
    """
    from transformers import AutoTokenizer

    with tokenizer_errors(folder):
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    return tokens_of(tokenizer, folder)


def tokens_of(
    tokenizer: Any, folder: Path, *, clean: "Callable[[str], str] | None" = None
) -> HubTokens:
    """Return the rules of a loaded Hugging Face tokenizer, whose files lie in `folder`.

    Raises
    ------
    EncoderError
        Its files are missing, it has no padding token, or places special tokens in an unusual way.
    """
    names = tokenizer_files(folder)
    if not names:  # transformers then makes one with an empty vocabulary, and says nothing
        raise EncoderError(
            f"{folder.name}: it holds no tokenizer.", remedy="Fetch the model again, all of it."
        )
    fast = getattr(tokenizer, "backend_tokenizer", None)

    def encode(text: str, special: bool) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=special))

    if tokenizer.pad_token_id is None:
        raise EncoderError(
            f"{folder.name}: its tokenizer has no padding token.", remedy="Use another."
        )
    return HubTokens(
        rules=rules_of(
            encode if fast is None else plain_encode(fast),
            padding=tokenizer.pad_token_id,
            clean=clean,
        ),
        size=len(tokenizer),
        sha256=files_sha256(folder, names),
    )


def tokenizer_files(folder: Path) -> list[str]:
    """Return the names of the tokenizer's files that a folder holds."""
    return [name for name in _FILE_NAMES if (folder / name).is_file()]


@contextmanager
def tokenizer_errors(folder: Path) -> "Iterator[None]":
    """Turn what a tokenizer's loader raises into an EncoderError that names the folder."""
    try:
        yield
    except (OSError, ValueError, KeyError, ImportError, TypeError, AttributeError) as error:
        raise EncoderError(
            f"{folder.name}: its tokenizer cannot be read ({reason_of(error, folder)}).",
            remedy="Fetch the model again; some need `pip install sentencepiece`.",
        ) from error
