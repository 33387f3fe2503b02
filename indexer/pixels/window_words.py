"""CT windows that a text asks for by name: "lung window", "bone and soft tissue windows", 肺窗."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from indexer.pixels.ct_windows import CT_WINDOWS, WindowName

_ENGLISH: Final[Mapping[WindowName, str]] = MappingProxyType(
    {
        "lung": r"lung|pulmonary|parenchymal",
        "brain": r"brain|cerebral",
        "soft_tissue": r"soft[\s-]*tissue|mediastin(?:al|um)|abdom(?:inal|en)",
        "bone": r"bone|bony|osseous",
    }
)
_CHINESE: Final[Mapping[WindowName, str]] = MappingProxyType(
    {"lung": "肺窗", "brain": "脑窗", "soft_tissue": "软组织窗|纵隔窗|腹窗", "bone": "骨窗"}
)
_ANY: Final = "|".join(_ENGLISH.values())
_LISTED: Final = re.compile(
    rf"\b((?:{_ANY})(?:(?:\s*(?:,|/|&|and|or)\s*)+(?:{_ANY}))*)[\s-]*(?:windows?|windowing)\b"
)


def windows_asked(text: str) -> tuple[WindowName, ...]:
    """Return the windows that a text names, in the order of `CT_WINDOWS`; none if it names none.

    A word of the body alone ("lung nodule") asks for no window.
    """
    folded = text.casefold()
    listed = " , ".join(match[1] for match in _LISTED.finditer(folded))
    return tuple(
        name
        for name in CT_WINDOWS
        if re.search(rf"\b(?:{_ENGLISH[name]})\b", listed) or re.search(_CHINESE[name], folded)
    )
