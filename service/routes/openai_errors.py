"""How errors of the OpenAI-compatible routes are documented."""

from typing import Any

from service.reply_schemas_openai import OpenAiErrorReply

OPENAI_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": OpenAiErrorReply, "description": description}
    for status, description in (
        (404, "Unknown vector store or model."),
        (413, "Larger than this service accepts."),
        (415, "Not a readable image."),
        (422, "Not valid: an unknown field, value or filter included."),
        (503, "Not ready, or an index does not fit its encoder."),
    )
}
