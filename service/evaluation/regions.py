"""Body parts by one name where images of several sources are searched together.

Each source has its own words ("brain", "skull and contents", "Brain and Neuro"). Within one source
they are kept: there they are consistent, and finer.
"""

from collections.abc import Mapping
from types import MappingProxyType

_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "brain": ("brain", "brain and neuro", "head", "skull", "skull and contents"),
        "head and neck": ("face, sinuses, and neck", "head and neck", "neck"),
        "teeth and jaws": ("teeth/jaw", "teeth", "jaw"),
        "chest": ("chest", "chest, pulmonary", "lung", "lung, mediastinum, pleura", "thorax"),
        "heart": ("cardiac", "cardiovascular", "heart", "heart and great vessels"),
        "blood vessels": ("vascular", "vascular and lymphatic"),
        "breast": ("breast", "breast and mammography"),
        "abdomen": ("abdomen", "gastrointestinal", "kidney", "kidney/abdomen"),
        "pelvis and genitourinary system": ("genitourinary", "pelvis"),
        "spine": ("spine", "spine and contents"),
        "bones and joints": ("bone", "bone/extremity", "extremity", "musculoskeletal"),
    }
)
_REGION_OF: Mapping[str, str] = MappingProxyType(
    {name: region for region, names in _NAMES.items() for name in names}
)


def name_region(body_part: str) -> str:
    """Return the common name of a body part; one without keeps its own in lower case."""
    folded = " ".join(body_part.casefold().split())
    return _REGION_OF.get(folded, folded)
