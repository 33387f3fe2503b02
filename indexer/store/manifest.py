"""The manifest: what a build holds, what it was made from, and the sha256 of its every file."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from indexer.encoders.spec import Fingerprint
from indexer.errors import CorruptBuildError
from indexer.records import SourceFile
from indexer.store.calibration import Calibration, parse_calibration
from indexer.store.field_manifest import FieldManifest, SearchStructure
from indexer.store.index_map import MapFacts, parse_map

FORMAT_VERSION = 4
"""What this program writes.

2 added the columns `patient_id` and `article_id` of images; 3 searches by `code_lists`
instead of FAISS's own lists; 4 added the column `year` of images.
"""

READABLE_FORMATS = (1, 2, 3, 4)
"""What it reads; in a column that a build lacks, nothing is stated."""

MANIFEST_NAME = "manifest.json"
_CHECKSUM = "checksum"
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
class FileEntry:
    """What the manifest vouches for of one file."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything about one build.

    `content_hash` covers what a build says: records, embeddings, encoder fingerprints, thumbnails,
    duplicates, rejects, and how words are cut. Equal input through equal encoders gives an equal
    hash, whatever the thread count, the order of files on disk or the cutting into shards. The
    structures derived from these (FAISS, full text) are vouched for by `files` alone.
    `calibration` and `index_map` are None where the build was not calibrated or drawn, as no early
    build is.
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
    calibration: Calibration | None = None
    index_map: MapFacts | None = None
    format_version: int = FORMAT_VERSION

    def to_json(self) -> str:
        """Return the manifest as indented JSON that carries a checksum of itself."""
        return _seal(asdict(self))


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a build.

    Raises
    ------
    CorruptBuildError
        There is none, it is not as it was written, or another format wrote it.
    """
    try:
        text = _read(folder / MANIFEST_NAME)
        values = dict(json.loads(text))
        version = values["format_version"]
        if version in READABLE_FORMATS:
            del values[_CHECKSUM]
            return _parse(values, text)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptBuildError(
            f"The manifest of build {folder.name} is damaged ({type(error).__name__}).",
            remedy="Roll back with `medsearch rollback`, or rebuild with `medsearch index`.",
        ) from error
    raise CorruptBuildError(
        f"Build {folder.name} has format {version}; this program reads "
        f"{', '.join(map(str, READABLE_FORMATS))}.",
        remedy="Rebuild it with `medsearch index`, or use the program that wrote it.",
    )


def _read(path: Path) -> str:
    if path.stat().st_size > _MAX_MANIFEST_BYTES:
        message = "too large for a manifest"
        raise ValueError(message)
    return path.read_bytes().decode("utf-8")


def _seal(values: dict[str, Any]) -> str:
    """Return values as JSON with the sha256 of themselves as the last entry.

    The same values always give the same text, so that a reader can compare every byte.
    """
    plain = json.dumps(values, indent=2, ensure_ascii=False)
    sealed = {**values, _CHECKSUM: hashlib.sha256(plain.encode()).hexdigest()}
    return json.dumps(sealed, indent=2, ensure_ascii=False) + "\n"


def _parse(values: dict[str, Any], text: str) -> Manifest:
    """Return the manifest that `values` spell out, if `text` is just as it was sealed."""
    if _seal(values) != text:
        message = "the checksum differs"
        raise ValueError(message)
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
    rest["calibration"] = parse_calibration(values.get("calibration"))
    rest["index_map"] = parse_map(values.get("index_map"))
    return Manifest(**{**rest, "counts": Counts(**values["counts"])})
