"""The shapes that chat clients expect of the tools `search` and `fetch`.

They are those of OpenAI's guide to MCP servers for ChatGPT and deep research.
"""

from pydantic import BaseModel


class FoundReply(BaseModel):
    """One result of `search`; `id` is what `fetch` takes."""

    id: str
    title: str
    url: str


class SearchToolReply(BaseModel):
    """What `search` found, best first."""

    results: list[FoundReply]


class FetchToolReply(BaseModel):
    """One document."""

    id: str
    title: str
    text: str
    url: str
    metadata: dict[str, str]
