"""Fields of embedded texts, where no one encoder reads both languages."""

from collections.abc import Mapping
from types import MappingProxyType

CHINESE_FIELDS: Mapping[str, str] = MappingProxyType(
    {"question": "question_zh", "caption": "caption_zh"}
)
"""For each field of texts, the one of its Chinese texts if an encoder of their own embeds them."""

_MAIN_FIELDS = MappingProxyType({chinese: main for main, chinese in CHINESE_FIELDS.items()})


def main_field(field: str) -> str:
    """Return the field that one of Chinese texts stands beside; any other is its own."""
    return _MAIN_FIELDS.get(field, field)


def is_chinese_field(field: str) -> bool:
    """Return whether a field holds Chinese texts alone."""
    return field in _MAIN_FIELDS
