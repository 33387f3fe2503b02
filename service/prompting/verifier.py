"""Verifies answers with what the service has: its signing key, its indexes' text encoders."""

from functools import partial

from indexer.encoders.base import TextEncoder
from indexer.errors import EncoderError
from indexer.text.normalise import detect_language
from service.prompting.prompt_receipt import PromptReceipt, Signer
from service.prompting.verifying import Embed, Verification, verify_answer
from service.retrieval.encoding import QueryEncoders
from service.retrieval.selection import Indexes
from service.retrieval.spaces import Space

_TEXT_FIELDS = ("question", "caption")


class Verifier:
    """Checks answers against receipts. Thread-safe; blocks while it encodes."""

    def __init__(self, indexes: Indexes, encoders: QueryEncoders, signer: Signer) -> None:
        self._indexes = indexes
        self._encoders = encoders
        self._signer = signer

    def verify(self, answer: str, receipt: PromptReceipt) -> Verification:
        """Check an answer to the prompt that a receipt belongs to.

        Raises
        ------
        QueryError
            The receipt was altered, or this service did not write it.
        """
        self._signer.check(receipt)
        return verify_answer(answer, receipt, self._embed(answer, receipt))

    def _embed(self, answer: str, receipt: PromptReceipt) -> Embed | None:
        """Return what embeds the answer's language as the cited indexes do; None if nothing does.

        An index may be gone since, and an encoder may be missing: words are compared all the same.
        """
        live = self._indexes.snapshot()
        language = detect_language(answer)
        for name in dict.fromkeys(passage.index for passage in receipt.passages):
            for field in _TEXT_FIELDS:
                space = Space.of(live[name], field) if name in live else None
                if space is None:
                    continue
                try:
                    encoder = self._encoders.encoder(space)
                except EncoderError:
                    continue
                if isinstance(encoder, TextEncoder) and language in encoder.spec.languages:
                    return partial(encoder.encode_texts, role="query")
        return None
