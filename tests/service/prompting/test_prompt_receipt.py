import json
from dataclasses import replace

import pytest

from indexer.errors import QueryError
from service.prompting.prompt_receipt import PromptReceipt, ShownPassage, Signer
from service.schemas_prompts import PromptReceiptBody

PASSAGE = ShownPassage(number=1, record_id="t/train/1", index="t", text="Answer: 心电图。 \u00e9")


def receipt(signer: Signer) -> PromptReceipt:
    return signer.receipt((PASSAGE,), "answer-3", {"t": "b"}, ("aa",))


def test_a_receipt_survives_json_and_is_recognised() -> None:
    signer = Signer(b"key")
    sent = json.loads(json.dumps(receipt(signer).values()))
    signer.check(PromptReceiptBody.model_validate(sent).receipt())
    Signer(b"key").check(PromptReceiptBody.model_validate(sent).receipt())


@pytest.mark.parametrize(
    "change",
    [
        {"passages": (replace(PASSAGE, text="Answer: anything."),)},
        {"passages": (replace(PASSAGE, record_id="t/train/2"),)},
        {"passages": (replace(PASSAGE, number=2),)},
        {"passages": ()},
        {"template_version": "answer-4"},
        {"builds": {"t": "c"}},
        {"searches": ()},
        {"created_at": "2026-01-01T00:00:00+00:00"},
        {"signature": ""},
        {"signature": "ü" * 64},
    ],
)
def test_an_altered_one_is_refused(change: dict[str, object]) -> None:
    signer = Signer(b"key")
    with pytest.raises(QueryError):
        signer.check(replace(receipt(signer), **change))


def test_another_services_is_refused() -> None:
    for other in (Signer(b"other"), Signer()):
        with pytest.raises(QueryError, match="not one that this service wrote"):
            other.check(receipt(Signer(b"key")))
