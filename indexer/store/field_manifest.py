"""What the manifest says of one embedded field, and of how it is searched."""

from dataclasses import dataclass
from typing import Literal

from indexer.encoders.spec import Fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchStructure:
    """How a field is searched, with the recall@10 against exact search measured when built.

    "flat" compares every vector. "code_lists" visits `nprobe` of `nlist` lists of 8-bit codes and
    takes `depth` times k candidates from them for exact scoring; with `nprobe` = `nlist` it is
    exact. `code_error` is the largest distance between what is encoded of a vector and what its
    code stands for. "ivf_sq8" is the same by FAISS's own lists, up to format 2.
    """

    kind: Literal["flat", "ivf_sq8", "code_lists"]
    nlist: int = 0
    nprobe: int = 0
    depth: int = 1
    code_error: float = 0.0
    recall_at_10: float = 1.0
    recall_queries: int = 0

    @property
    def is_exhaustive(self) -> bool:
        """Whether a plain search has to compare every vector anyway."""
        return self.nprobe >= self.nlist


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldManifest:
    """One embedded field: its encoder, size and search structure. The metric is the cosine."""

    encoder: str
    fingerprint: Fingerprint
    dim: int
    vectors: int
    structure: SearchStructure
    metric: Literal["cosine"] = "cosine"
