"""From finished shards to the complete folder of a build, not yet published."""

import platform
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from indexer.errors import ReconciliationError
from indexer.records import SourceFile
from indexer.store import merge
from indexer.store.arrays import read_array
from indexer.store.calibration import Calibrates, Calibration
from indexer.store.field_manifest import FieldManifest
from indexer.store.files import list_tree, sha256_of
from indexer.store.index_map import MapFacts, Projects, draw_map
from indexer.store.lexical import LEXICAL_NAME, build_lexical, cutting_digest
from indexer.store.manifest import MANIFEST_NAME, Counts, FileEntry, Manifest
from indexer.store.plan import BuildPlan, content_hash
from indexer.store.shards import RECORDS_NAME, THUMBNAILS_NAME, Ledger, read_ledger
from indexer.store.structures import FLAT_LIMIT, build_structure

_VERSIONED_PACKAGES = ("medsearch", "numpy", "pyarrow", "faiss-cpu", "scikit-learn", "tantivy")

OnStage: TypeAlias = Callable[[str], None]
Queries: TypeAlias = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A build's folder that says everything but cannot be searched yet.

    `files` holds the sha256 of each file; with the plan's meaning they make `content_hash`.
    """

    folder: Path
    counts: Counts
    files: Mapping[str, str]
    content_hash: str


def merge_shards(
    plan: BuildPlan, shards: Sequence[Path], folder: Path, made_by: Mapping[str, str]
) -> Merged:
    """Write what the shards hold into one folder, shard by shard, and compare with their ledgers.

    `made_by` holds the digests of what will measure and draw the build.

    Raises
    ------
    ReconciliationError
        The files do not hold what the shards settled.
    """
    records = merge.merge_records(shards, folder / RECORDS_NAME, plan.kind)
    if plan.kind == "image":
        merge.merge_thumbnails(shards, folder / THUMBNAILS_NAME)
    for name, (_, fingerprint) in plan.fields.items():
        merge.merge_field(shards, folder, name, fingerprint.dim)
    merge.write_record_ids(folder / RECORDS_NAME, folder / "record_ids.npy")
    merge.write_rejects(shards, folder / "rejects.jsonl")
    merge.write_duplicates(shards, folder / "duplicates.jsonl")
    files = _digests(folder, {})
    meaning = {**plan.meaning(), "cutting": cutting_digest(), **made_by}
    return Merged(
        folder=folder,
        counts=_reconcile(plan.index, records, map(read_ledger, shards)),
        files=files,
        content_hash=content_hash(meaning, files),
    )


def make_searchable(
    plan: BuildPlan,
    merged: Merged,
    sources: Sequence[SourceFile],
    *,
    flat_limit: int = FLAT_LIMIT,
    queries: Queries | None = None,
    calibrator: Calibrates | None = None,
    projector: Projects | None = None,
    on_stage: OnStage,
) -> Manifest:
    """Add the search structures, then the manifest as the last file."""
    fields = {}
    for name, (encoder, fingerprint) in plan.fields.items():
        on_stage(f"building the search structure of {name}")
        vectors = read_array(merged.folder / f"{name}.vectors.npy")
        structure = build_structure(
            vectors,
            merged.folder,
            name,
            flat_limit=flat_limit,
            queries=(queries or {}).get(name),
        )
        fields[name] = FieldManifest(
            encoder=encoder,
            fingerprint=fingerprint,
            dim=fingerprint.dim,
            vectors=len(vectors),
            structure=structure,
        )
    on_stage("building the full-text index")
    build_lexical(merge.iter_records(merged.folder / RECORDS_NAME), merged.folder / LEXICAL_NAME)
    calibration = None
    if calibrator is not None:
        on_stage("calibrating")
        calibration = calibrator.calibrate(merged.folder, fields)
    index_map = None
    if projector is not None:
        on_stage("drawing the map")
        index_map = draw_map(merged.folder, fields, projector)
    on_stage("checksums")
    manifest = _manifest(plan, merged, fields, sources, calibration, index_map)
    (merged.folder / MANIFEST_NAME).write_bytes(manifest.to_json().encode())
    return manifest


def _manifest(
    plan: BuildPlan,
    merged: Merged,
    fields: Mapping[str, FieldManifest],
    sources: Sequence[SourceFile],
    calibration: Calibration | None,
    index_map: MapFacts | None,
) -> Manifest:
    now = datetime.now(UTC)
    files = {
        name: FileEntry(sha256=digest, size_bytes=(merged.folder / name).stat().st_size)
        for name, digest in _digests(merged.folder, merged.files).items()
    }
    packages = {name: version(name) for name in _VERSIONED_PACKAGES}
    return Manifest(
        index=plan.index,
        dataset=plan.dataset,
        kind=plan.kind,
        build_id=f"{now:%Y%m%dt%H%M%S%f}-{merged.content_hash[:8]}",
        content_hash=merged.content_hash,
        created_at=now.isoformat(timespec="microseconds"),
        counts=merged.counts,
        fields=fields,
        files=files,
        sources=tuple(sources),
        title=plan.title,
        licence=plan.licence,
        citation=plan.citation,
        homepage=plan.homepage,
        synthetic=plan.synthetic,
        versions={"python": platform.python_version(), **packages},
        calibration=calibration,
        index_map=index_map,
    )


def _digests(folder: Path, known: Mapping[str, str]) -> dict[str, str]:
    """Return the sha256 of every file by its path in the folder; the known ones are not read."""
    names = (path.relative_to(folder).as_posix() for path in list_tree(folder))
    return {name: known.get(name) or sha256_of(folder / name) for name in names}


def _reconcile(index: str, records: int, ledgers: Iterable[Ledger]) -> Counts:
    """Return the counts of a build whose rows are all accounted for."""
    rows = settled = duplicates = 0
    rejects: Counter[str] = Counter()
    for ledger in ledgers:
        rows += ledger.rows_consumed
        settled += ledger.records
        duplicates += len(ledger.duplicates)
        rejects.update(one["kind"] for one in ledger.rejects)
    if settled != records or rows != records + duplicates + rejects.total():
        raise ReconciliationError(
            f"{index!r}: {rows} rows were read, but {records} records, {duplicates} duplicates "
            f"and {rejects.total()} rejects were written.",
            remedy="This is a defect of medsearch: please report it.",
        )
    return Counts(
        rows=rows, records=records, duplicates=duplicates, rejects=dict(sorted(rejects.items()))
    )
