"""Options of searches and prompts, by the names that the service's API gives them."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class SearchOptions(TypedDict, total=False):
    """Options that every search takes; what is left out has the service's default."""

    k: int
    offset: int
    indexes: Sequence[str]
    filters: Mapping[str, Any]
    group_by: str
    group_size: int
    mode: str
    weights: Mapping[str, float]
    positive_records: Sequence[str]
    negative_records: Sequence[str]
    exclude_records: Sequence[str]
    exclude_same: Sequence[str]
    exclude_datasets: Sequence[str]
    exclude_splits: Sequence[str]
    facets: Sequence[str]
    evidence: bool
    windows: Sequence[str]
    explain: bool
    rerank: Mapping[str, Any]


class PromptOptions(TypedDict, total=False):
    """Options of prompts."""

    k: int
    budget_tokens: int
    tokenizer: str
    template: str
    language: str
    patient_note: str
    options: Sequence[Mapping[str, str]]
    images: bool
    indexes: Sequence[str]
    filters: Mapping[str, Any]
    exclude_records: Sequence[str]
    exclude_same: Sequence[str]
    exclude_datasets: Sequence[str]
    exclude_splits: Sequence[str]
