"""What clients may ask of prompts, and of answers to them."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from indexer.records import Language, Option
from service.filter_schemas import AnyFilter, Request
from service.prompting.llm import Sampling
from service.prompting.prompt_receipt import PROMPT_RECEIPT_VERSION, PromptReceipt, ShownPassage
from service.prompting.request import Exclusions, PromptRequest
from service.retrieval.query import ImageSource, RecordSource, SameAs
from service.schemas import IndexName, RecordId, image_source

_Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=192)]
_LONGEST_TEXT = 200_000


class OptionBody(Request):
    """One option of a multiple-choice question."""

    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,3}$", examples=["A"])]
    text: Annotated[str, Field(min_length=1, max_length=4000)]


class PromptBody(Request):
    """What a prompt is wanted for."""

    question: Annotated[
        str, Field(min_length=1, examples=["What is the first-line treatment of anaphylaxis?"])
    ]
    image_base64: Annotated[str | None, Field(description="An image file as base64.")] = None
    record_id: Annotated[
        RecordId | None, Field(description="An indexed image, instead of an upload.")
    ] = None
    patient_note: Annotated[
        str | None,
        Field(max_length=32_000, description="Shown to the model, fenced; not searched for."),
    ] = None
    options: Annotated[
        tuple[OptionBody, ...],
        Field(max_length=26, description="Options of a multiple-choice question."),
    ] = ()
    template: Annotated[
        _Name | None,
        Field(
            description="answer, choice, calculation, image_report, or the operator's own; with a "
            "version (answer-3) or the newest. If left out: choice if there are options, else "
            "answer."
        ),
    ] = None
    language: Annotated[
        Language | None,
        Field(description="Language of the answer; that of the question if left out."),
    ] = None
    budget_tokens: Annotated[
        int, Field(ge=1, strict=True, description="Most tokens of the whole prompt.")
    ] = 2000
    tokenizer: Annotated[
        _Name | None,
        Field(
            description="What counts them: an encoding or a model of tiktoken, or a tokenizer of "
            "the server's; estimated if left out.",
            examples=["o200k_base", "gpt-4o"],
        ),
    ] = None
    k: Annotated[int, Field(ge=1, strict=True, description="Passages of each kind.")] = 5
    images: Annotated[
        bool,
        Field(strict=True, description="Pictures of similar cases as parts, for vision models."),
    ] = False
    indexes: Annotated[list[IndexName] | None, Field(min_length=1, max_length=64)] = None
    filters: AnyFilter | None = None
    exclude_records: Annotated[
        tuple[RecordId, ...],
        Field(
            max_length=1000,
            description="Ids of records never to show; a note counts those that no index holds.",
        ),
    ] = ()
    exclude_datasets: Annotated[
        tuple[IndexName, ...], Field(max_length=64, description="Datasets never to show.")
    ] = ()
    exclude_splits: Annotated[
        tuple[Annotated[str, Field(max_length=64)], ...],
        Field(max_length=64, description="Splits never to show, e.g. test."),
    ] = ()
    exclude_same: Annotated[
        tuple[SameAs, ...],
        Field(
            max_length=3,
            description="Leave out what is the same as the image; near_duplicate also leaves out "
            "records that ask nearly the same question.",
        ),
    ] = ()

    def request(self, tokenizer: str | None = None) -> PromptRequest:
        """Return the inner request, counted by `tokenizer` where none is named."""
        image: ImageSource | RecordSource | None = None
        if self.image_base64 is not None or self.record_id is not None:
            image = image_source(self.record_id, self.image_base64)
        return PromptRequest(
            question=self.question,
            image=image,
            patient_note=self.patient_note,
            options=tuple(Option(key=one.key, text=one.text) for one in self.options),
            k=self.k,
            budget_tokens=self.budget_tokens,
            tokenizer=self.tokenizer or tokenizer,
            template=self.template,
            language=self.language,
            images=self.images,
            indexes=None if self.indexes is None else tuple(self.indexes),
            filters=None if self.filters is None else self.filters.inner(),
            exclusions=Exclusions(
                records=frozenset(self.exclude_records),
                datasets=frozenset(self.exclude_datasets),
                splits=frozenset(self.exclude_splits),
                same=frozenset(self.exclude_same),
            ),
        )


class AnswerBody(PromptBody):
    """What is to be answered by the configured language model."""

    stream: Annotated[
        bool, Field(strict=True, description="Send the answer as it comes (server-sent events).")
    ] = False
    max_tokens: Annotated[
        int | None, Field(ge=1, le=100_000, strict=True, description="Most tokens of the answer.")
    ] = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None

    def sampling(self) -> Sampling:
        """Return what is asked of the model beside the prompt."""
        return Sampling(max_tokens=self.max_tokens, temperature=self.temperature)


class ShownPassageBody(Request):
    """A passage of a receipt."""

    number: Annotated[int, Field(ge=1, strict=True)]
    record_id: RecordId
    index: IndexName
    text: Annotated[str, Field(max_length=_LONGEST_TEXT)]


class PromptReceiptBody(Request):
    """A receipt as /v1/prompts gave it."""

    passages: Annotated[list[ShownPassageBody], Field(max_length=500)]
    template_version: _Name
    builds: Annotated[dict[IndexName, Annotated[str, Field(max_length=128)]], Field(max_length=512)]
    searches: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=8)]
    created_at: Annotated[str, Field(max_length=64)]
    signature: Annotated[str, Field(max_length=128)]
    receipt_version: Literal[1]

    def receipt(self) -> PromptReceipt:
        """Return the inner receipt, not yet checked."""
        return PromptReceipt(
            passages=tuple(ShownPassage(**one.model_dump()) for one in self.passages),
            template_version=self.template_version,
            builds=dict(self.builds),
            searches=tuple(self.searches),
            created_at=self.created_at,
            signature=self.signature,
            receipt_version=PROMPT_RECEIPT_VERSION,
        )


class VerifyBody(Request):
    """An answer, and the receipt of the prompt that it answers."""

    answer: Annotated[str, Field(max_length=_LONGEST_TEXT, examples=["Adrenaline [1]."])]
    receipt: PromptReceiptBody
