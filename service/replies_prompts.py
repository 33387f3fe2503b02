"""Fills replies about prompts from inner types, field by field."""

import base64
from typing import Any

from service.prompting.layout import image_heading
from service.prompting.request import Citation, Prompt
from service.prompting.verifying import METHOD, Verification
from service.replies import DISCLAIMER, notes_json, record_url


def prompt_json(prompt: Prompt) -> dict[str, Any]:
    """Return a prompt as JSON-ready values."""
    return {
        "messages": messages_json(prompt),
        "text": prompt.text,
        "citations": citations_json(prompt),
        "template_version": prompt.template_version,
        "tokens": prompt.tokens,
        "image_tokens": prompt.image_tokens,
        "tokens_by": prompt.tokens_by,
        "builds": prompt.builds,
        "evidence": prompt.evidence,
        "receipt": prompt.receipt.values(),
        "searches": [search.values() for search in prompt.searches],
        "notes": notes_json(prompt.notes),
        "disclaimer": DISCLAIMER,
    }


def messages_json(prompt: Prompt) -> list[dict[str, Any]]:
    """Return the messages in OpenAI's shape; with pictures, the last one is a list of parts."""
    messages: list[dict[str, Any]] = [
        {"role": one.role, "content": one.content} for one in prompt.messages
    ]
    pictures = [part for one in prompt.citations for part in _picture_parts(one)]
    if pictures:
        text = {"type": "text", "text": prompt.messages[-1].content}
        messages[-1] = messages[-1] | {"content": [text, *pictures]}
    return messages


def citations_json(prompt: Prompt) -> list[dict[str, Any]]:
    """Return what the numbers of a prompt stand for."""
    return [_citation_json(citation) for citation in prompt.citations]


def verification_json(found: Verification) -> dict[str, Any]:
    """Return what checking an answer found."""
    return {
        "valid": found.valid,
        "cited": found.cited,
        "unknown": found.unknown,
        "uncited": found.uncited,
        "unsupported": found.unsupported,
        "sentences": [
            {
                "text": one.text,
                "citations": [
                    {
                        "number": each.number,
                        "lexical": each.lexical,
                        "embedding": each.embedding,
                        "missing_numbers": each.missing_numbers,
                        "supports": each.supports,
                    }
                    for each in one.supports
                ],
                "unknown": one.unknown,
            }
            for one in found.sentences
        ],
        "method": METHOD,
    }


def _picture_parts(citation: Citation) -> list[dict[str, Any]]:
    if citation.thumbnail is None:
        return []
    encoded = base64.b64encode(citation.thumbnail).decode()
    return [
        {"type": "text", "text": image_heading(citation.number)},
        {
            "type": "image_url",
            "image_url": {"url": f"data:image/jpeg;base64,{encoded}", "detail": "low"},
        },
    ]


def _citation_json(citation: Citation) -> dict[str, Any]:
    record = citation.hit.record
    return {
        "number": citation.number,
        "record_id": record.record_id,
        "index": citation.hit.index,
        "dataset": record.dataset,
        "split": record.split,
        "source_id": record.source_id,
        "licence": record.licence,
        "attribution": record.attribution,
        "synthetic": record.synthetic,
        "url": record_url(record),
        "score": citation.hit.score,
        "text": citation.text,
        "tokens": citation.tokens,
    }
