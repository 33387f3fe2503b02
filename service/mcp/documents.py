"""Records as language models read them: an id, a title, harmless text, an address to cite."""

from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

from indexer.records import AnyRecord, ImageRecord
from service.prompting.context import sections_of
from service.prompting.sanitising import as_passage, defuse
from service.replies import DISCLAIMER, record_json, record_url
from service.retrieval.hits import Hit
from service.retrieval.reply import SearchReply

RECORD_SCHEME = "medsearch://record/"
_TITLE_CHARS = 100
# What a hit says beside its text: enough to judge, filter and cite it.
_STATED = (
    "index", "split", "case_id", "language", "modality", "body_part", "year", "age_years", "sex",
    "calculator", "category", "licence", "attribution", "synthetic",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Links:
    """How records are addressed: below the service's `base_url`, or as MCP resources if empty."""

    base_url: str = ""

    def of(self, record: AnyRecord) -> str:
        """Return the address of a record."""
        if not self.base_url:
            return f"{RECORD_SCHEME}{record.record_id}"
        return f"{self.base_url.rstrip('/')}{record_url(record)}"


def title_of(record: AnyRecord) -> str:
    """Return one short line that tells a record apart."""
    if isinstance(record, ImageRecord):
        stated = [", ".join(part for part in (record.modality, record.body_part) if part)]
        stated += [record.caption or ", ".join(record.labels)]
        words = ": ".join(part for part in stated if part) or record.record_id
    else:
        words = record.question
    line = as_passage(words)
    return line if len(line) <= _TITLE_CHARS else f"{line[: _TITLE_CHARS - 1]}…"


def text_of(record: AnyRecord) -> str:
    """Return what a record says, a labelled line a part, made harmless as in prompts."""
    return "\n".join(f"{section.label}: {section.text}" for section in sections_of(record))


def hits_json(reply: SearchReply, links: Links) -> dict[str, Any]:
    """Return the hits of a search, with what a reader of them should know."""
    return {
        "hits": [_hit_json(hit, links) for hit in reply.hits],
        "relevant": reply.relevant,
        "relevance_reason": reply.relevance_reason,
        "score_kind": reply.score_kind,
        "notes": [note.message for note in reply.notes],
        "disclaimer": DISCLAIMER,
    }


def found_json(replies: list[SearchReply], links: Links) -> dict[str, Any]:
    """Return the hits of several searches in turn, as the tool `search` lists them."""
    in_turn = chain.from_iterable(zip_longest(*(reply.hits for reply in replies)))
    records = [hit.record for hit in in_turn if hit is not None]
    return {
        "results": [
            {"id": record.record_id, "title": title_of(record), "url": links.of(record)}
            for record in records
        ]
    }


def document_json(record: AnyRecord, index: str, links: Links) -> dict[str, Any]:
    """Return a record as the tool `fetch` shows it."""
    stated = _stated(record, index)
    return {
        "id": record.record_id,
        "title": title_of(record),
        "text": text_of(record),
        "url": links.of(record),
        "metadata": {name: str(value) for name, value in stated.items()}
        | {"disclaimer": DISCLAIMER},
    }


def stated_json(record: AnyRecord, index: str) -> dict[str, Any]:
    """Return everything that is stated of a record, as over HTTP, but with its words defused."""
    everything = record_json(record, index)
    return {
        name: _defused(value) for name, value in everything.items() if value not in (None, (), [])
    }


def _defused(value: Any) -> Any:
    match value:
        case str():
            return defuse(value)
        case dict():
            return {name: _defused(part) for name, part in value.items()}
        case list() | tuple():
            return [_defused(part) for part in value]
        case _:
            return value


def _hit_json(hit: Hit, links: Links) -> dict[str, Any]:
    record = hit.record
    return {
        "rank": hit.rank,
        "score": round(hit.score, 4),
        "id": record.record_id,
        "title": title_of(record),
        "text": text_of(record),
        "url": links.of(record),
        **({"contradicts_the_query": True} if hit.contradicts else {}),
    } | _stated(record, hit.index)


def _stated(record: AnyRecord, index: str) -> dict[str, Any]:
    stated = stated_json(record, index)
    return {name: stated[name] for name in _STATED if name in stated}
