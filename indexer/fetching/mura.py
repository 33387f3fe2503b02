"""What a whole copy of MURA v1.1 holds, to tell a broken or partial one before it is indexed.

The counts are the publisher's: https://arxiv.org/abs/1712.06957, and the tables of the release.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from indexer.datasets.mura_tree import find_home, find_table
from indexer.datasets.tree import list_folders

PUBLISHED_IMAGES: Mapping[str, int] = MappingProxyType({"train": 36_808, "valid": 3_197})
REGIONS = (
    "XR_ELBOW", "XR_FINGER", "XR_FOREARM", "XR_HAND", "XR_HUMERUS", "XR_SHOULDER", "XR_WRIST",
)  # fmt: skip
TABLES = ("image_paths", "labeled_studies")


def find_faults(root: Path) -> list[str]:
    """Return what is missing of MURA's folders and tables below `root`, in words."""
    home = find_home(root)
    if home is None:
        return ["there is neither train/ nor valid/ with folders such as XR_WRIST"]
    faults = []
    for split in PUBLISHED_IMAGES:
        there = set(list_folders(home / split)) if (home / split).is_dir() else set()
        missing = [region for region in REGIONS if region not in there]
        if missing:
            faults.append(f"{split}/ lacks {', '.join(missing)}")
        faults += [
            f"{split}_{kind}.csv is missing"
            for kind in TABLES
            if find_table(home, split, kind) is None
        ]
    return faults
