"""What an operator may set, by environment variables that begin with `MEDSEARCH_`."""

import os
from datetime import date
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

MEBIBYTE = 1024 * 1024


class Settings(BaseSettings):
    """Settings of the service; every one has a default that is safe on a laptop."""

    model_config = SettingsConfigDict(env_prefix="MEDSEARCH_", extra="forbid", frozen=True)

    indexes_dir: Path = Field(default=Path("indexes"), description="Where published indexes live.")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    api_keys: tuple[SecretStr, ...] = Field(
        default=(),
        description='JSON list of keys; without any, everybody may ask. Example: ["k1", "k2"].',
    )
    device: str | None = Field(default=None, description="cuda, mps or cpu; the best if left out.")
    max_body_bytes: int = Field(default=32 * MEBIBYTE, ge=1024, description="Largest request body.")
    max_k: int = Field(default=200, ge=1, le=10_000, description="Most hits of one query.")
    max_offset: int = Field(default=10_000, ge=0, description="Most hits that a page may skip.")
    max_query_chars: int = Field(default=8_000, ge=1, description="Longest query text.")
    max_embeddings: int = Field(default=1024, ge=1, description="Most inputs of one embedding.")
    max_prompt_tokens: int = Field(default=32_000, ge=256, description="Largest prompt budget.")
    templates_dir: Path | None = Field(
        default=None, description="Folder of your own prompt templates (NAME-1.system.j2 ...)."
    )
    tokenizers_dir: Path | None = Field(
        default=None, description="Folder of tokenizers: NAME.json or NAME/tokenizer.json."
    )
    receipt_key: SecretStr | None = Field(
        default=None,
        description="Signs receipts of prompts; one for each start of the service if left out.",
    )
    llm_url: str | None = Field(
        default=None,
        description="Base URL of an OpenAI-compatible server; with llm_model, opens /v1/answers. "
        "Example: http://127.0.0.1:11434/v1",
    )
    llm_key: SecretStr | None = Field(default=None, description="Its API key.")
    llm_model: str | None = Field(default=None, description="Which model of it answers.")
    llm_tokenizer: str | None = Field(
        default=None, description="What counts prompts for it; an estimate if left out."
    )
    llm_silence_s: float = Field(default=60.0, gt=0, description="Longest wait for its next words.")
    llm_total_s: float = Field(default=300.0, gt=0, description="Longest answer in seconds.")
    llm_retries: int = Field(default=2, ge=0, le=10, description="New tries before its first word.")
    decode_workers: int = Field(
        default_factory=lambda: min(os.cpu_count() or 1, 4),
        ge=1,
        description="Processes that decode uploaded images.",
    )
    search_threads: int = Field(
        default_factory=lambda: min(os.cpu_count() or 1, 8),
        ge=1,
        description="Threads that encode and search; more only help where encoding waits.",
    )
    cached_texts: int = Field(default=4096, ge=0, description="Query embeddings kept in memory.")
    mcp: bool = Field(
        default=True, description="Serve the MCP tools at /mcp where the extra `mcp` is installed."
    )
    mcp_hosts: tuple[str, ...] = Field(
        default=(),
        description="JSON list of Host names under which /mcp answers, beside the loopback's; "
        'a trailing :* takes any port. Example: ["search.example.org", "10.0.0.5:*"].',
    )
    public_url: str | None = Field(
        default=None,
        description="Address of this service for links in MCP replies; the caller's if left out.",
    )
    refresh_s: float = Field(default=1.0, gt=0, description="How often new builds are looked for.")
    pacs_url: str | None = Field(
        default=None, description="Root of the PACS's DICOMweb service; opens /v1/ingest."
    )
    pacs_user: str | None = Field(
        default=None, description="Who asks it; the password stands in MEDSEARCH_PACS_PASSWORD."
    )
    pacs_ca_file: Path | None = Field(default=None, description="Certificates to trust there.")
    pacs_mirror: Path | None = Field(
        default=None, description="Folder of its mirror, which also resolves pseudonyms."
    )
    pacs_since: date | None = Field(
        default=None, description="Leave out studies of earlier days. Example: 2024-01-01"
    )
    pacs_name: str = Field(default="pacs", description="Name of its index.")
    pacs_encoders: tuple[str, ...] = Field(
        default=(), description="JSON list of encoders, as `medsearch index --encoder` takes them."
    )
    viewer_template: str | None = Field(
        default=None,
        description="Links from hits of the PACS to a viewer, with original UIDs; needs "
        "pacs_mirror and api_keys. Example: /ohif/viewer?StudyInstanceUIDs={study_uid}",
    )
