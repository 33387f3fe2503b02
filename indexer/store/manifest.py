"""The manifest: what a build holds, what it was made from, and the sha256 of its every file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from indexer.encoders.spec import Fingerprint
from indexer.errors import CorruptBuildError
from indexer.records import SourceFile

FORMAT_VERSION = 1
MANIFEST_NAME = "manifest.json"
_MAX_MANIFEST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How the rows of a dataset were settled; `rejects` counts them by kind."""

    rows: int
    records: int
    duplicates: int
    rejects: Mapping[str, int]

    @property
    def rejected(self) -> int:
        """The number of rejects of all kinds."""
        return sum(self.rejects.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchStructure:
    """The FAISS type of a field, with the recall@10 against exact search measured when built.

    `depth` is how many candidates FAISS proposes for exact rescoring, as a multiple of k.
    """

    kind: Literal["flat", "ivf_sq8"]
    nlist: int = 0
    nprobe: int = 0
    depth: int = 1
    recall_at_10: float = 1.0
    recall_queries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldManifest:
    """One embedded field: its encoder, size and search structure. The metric is the cosine."""

    encoder: str
    fingerprint: Fingerprint
    dim: int
    vectors: int
    structure: SearchStructure
    metric: Literal["cosine"] = "cosine"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """What the manifest vouches for of one file."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything about one build.

    `content_hash` covers records, embeddings and encoder fingerprints: equal input through equal
    encoders gives an equal hash, whatever the thread count or the order of files on disk. The
    structures derived from them (FAISS, full text) are vouched for by `files` alone.
    """

    index: str
    dataset: str
    kind: Literal["image", "text"]
    build_id: str
    content_hash: str
    created_at: str
    counts: Counts
    fields: Mapping[str, FieldManifest]
    files: Mapping[str, FileEntry]
    sources: tuple[SourceFile, ...]
    title: str
    licence: str
    citation: str
    homepage: str
    synthetic: bool
    versions: Mapping[str, str] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    def to_json(self) -> str:
        """Return the manifest as indented JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a build.

    Raises
    ------
    CorruptBuildError
        There is none, it cannot be read, or a later format wrote it.
    """
    try:
        values = _load(folder / MANIFEST_NAME)
        version = values["format_version"]
        manifest = _parse(values) if version == FORMAT_VERSION else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptBuildError(
            f"The manifest of build {folder.name} cannot be read ({type(error).__name__}).",
            remedy="Roll back with `medsearch rollback`, or rebuild with `medsearch index`.",
        ) from error
    if manifest is None:
        raise CorruptBuildError(
            f"Build {folder.name} has format {version}; this program reads {FORMAT_VERSION}.",
            remedy="Rebuild it with `medsearch index`, or use the program that wrote it.",
        )
    return manifest


def _load(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _MAX_MANIFEST_BYTES:
        message = "too large for a manifest"
        raise ValueError(message)
    return dict(json.loads(path.read_text("utf-8")))


def _parse(values: dict[str, Any]) -> Manifest:
    fields = {
        name: FieldManifest(
            **{
                **one,
                "fingerprint": Fingerprint(**one["fingerprint"]),
                "structure": SearchStructure(**one["structure"]),
            }
        )
        for name, one in values["fields"].items()
    }
    files = {name: FileEntry(**one) for name, one in values["files"].items()}
    sources = tuple(SourceFile(**one) for one in values["sources"])
    rest = {**values, "fields": fields, "files": files, "sources": sources}
    return Manifest(**{**rest, "counts": Counts(**values["counts"])})
