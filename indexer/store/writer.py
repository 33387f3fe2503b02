"""Writing a build: shards land one by one in a staging folder, then become a published build.

Whatever moment the process is killed at, finished shards stay and the live build is untouched.
The same plan started again goes on after the last finished shard; another plan starts afresh.
"""

import hashlib
import json
import platform
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Literal

from indexer.encoders.spec import Fingerprint
from indexer.errors import ReconciliationError, StoreError
from indexer.records import SourceFile
from indexer.store import merge
from indexer.store.faiss_index import FLAT_LIMIT, build_structure
from indexer.store.files import list_tree, sha256_of, sync_folder, sync_tree, write_durably
from indexer.store.lexical import build_lexical
from indexer.store.manifest import (
    MANIFEST_NAME,
    Counts,
    FieldManifest,
    FileEntry,
    Manifest,
    read_manifest,
)
from indexer.store.publish import STAGING_NAME, current_build, lock, make_current
from indexer.store.reuse import EmbeddingReuse
from indexer.store.seen import Seen
from indexer.store.shards import (
    RECORDS_NAME,
    THUMBNAILS_NAME,
    Duplicate,
    Ledger,
    Shard,
    ShardField,
    ShardImage,
    finished_shards,
    iter_ledgers,
    read_array,
    read_ledger,
    read_records,
    write_shard,
)
from indexer.store.verify import verify_build, write_stamp

__all__ = [
    "BuildPlan",
    "BuildWriter",
    "Duplicate",
    "Published",
    "Shard",
    "ShardField",
    "ShardImage",
]

_PLAN_NAME = "plan.json"
_BUILD_NAME = "build"
_VERSIONED_PACKAGES = ("medsearch", "numpy", "pyarrow", "faiss-cpu", "tantivy")

OnStage = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPlan:
    """What decides a build's content; the same plan may go on where an earlier run stopped.

    `source_digest` covers the dataset's files (names, sizes, times), `options` whatever else
    changes the result (a limit on rows, rows a shard).
    """

    index: str
    dataset: str
    kind: Literal["image", "text"]
    title: str
    licence: str
    citation: str
    homepage: str
    synthetic: bool
    fields: Mapping[str, tuple[str, Fingerprint]]
    source_digest: str
    options: Mapping[str, str | int | None]

    def digest(self) -> str:
        """Return a digest of the whole plan (hex)."""
        values = asdict(self)
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A live build; `unchanged` if an identical one was live already and was kept."""

    manifest: Manifest
    folder: Path
    unchanged: bool


class BuildWriter:
    """One build of one index in the making. Use `BuildWriter.open`."""

    def __init__(self, index_folder: Path, plan: BuildPlan) -> None:
        self._folder = index_folder
        self._staging = index_folder / STAGING_NAME
        self._plan = plan
        self._prepare_staging()
        ledgers = list(iter_ledgers(self._staging))
        self._shards = len(ledgers)
        self.rows_consumed = sum(ledger.rows_consumed for ledger in ledgers)
        self.records = sum(ledger.records for ledger in ledgers)
        self.seen = self._seen_so_far()
        self.reuse = EmbeddingReuse(index_folder)

    @classmethod
    @contextmanager
    def open(cls, indexes_dir: Path, plan: BuildPlan) -> "Iterator[BuildWriter]":
        """Take the index's lock and open its staging folder, going on where the same plan stopped.

        Raises
        ------
        BuildLockedError
            Another process is building or changing this index.
        """
        folder = indexes_dir / plan.index
        with lock(folder):
            writer = cls(folder, plan)
            try:
                yield writer
            finally:
                writer.seen.close()

    @property
    def finished_shards(self) -> int:
        """The number of shards that are on disk."""
        return self._shards

    def first_rejects(self, count: int = 3) -> list[str]:
        """Return the first rejects so far, as "path:line: reason"."""
        rejects = (one for ledger in iter_ledgers(self._staging) for one in ledger.rejects)
        return [f"{one['path']}:{one['line']}: {one['reason']}" for one in islice(rejects, count)]

    def add_shard(self, shard: Shard) -> None:
        """Write the next shard; once this returns, a crash no longer costs its work.

        Raises
        ------
        ReconciliationError
            Its rows are not its records, duplicates and rejects together.
        """
        settled = len(shard.records) + len(shard.duplicates) + len(shard.rejects)
        if settled != shard.rows_consumed:
            raise ReconciliationError(
                f"A shard of {self._plan.index!r} covers {shard.rows_consumed} rows, "
                f"but settles {settled}.",
                remedy="This is a defect of medsearch: please report it.",
            )
        write_shard(self._staging, self._shards, shard, self._plan.kind)
        self._shards += 1
        self.rows_consumed += shard.rows_consumed
        self.records += len(shard.records)

    def publish(
        self,
        sources: Sequence[SourceFile],
        *,
        flat_limit: int = FLAT_LIMIT,
        on_stage: OnStage | None = None,
    ) -> Published:
        """Make the shards a build, check it, and let readers see it.

        Returns the live build instead, if that says exactly the same.

        Raises
        ------
        ReconciliationError
            The files do not hold what the shards settled.
        """
        tell = on_stage or (lambda _: None)
        shards = finished_shards(self._staging)
        build = self._staging / _BUILD_NAME
        shutil.rmtree(build, ignore_errors=True)
        build.mkdir()
        tell("merging")
        counts = self._merge(shards, build)
        tell("fingerprinting")
        fingerprints = {name: one for name, (_, one) in self._plan.fields.items()}
        content = merge.content_hash(build, build / RECORDS_NAME, fingerprints, self._plan.kind)
        live = self._live_with(content)
        if live is not None:
            shutil.rmtree(self._staging)
            return live
        tell("building search structures")
        fields = self._build_structures(build, flat_limit)
        tell("building the full-text index")
        build_lexical(merge.iter_records(build / RECORDS_NAME), build / "lexical")
        tell("checksums")
        manifest = self._manifest(build, content, counts, fields, sources)
        write_durably(build / MANIFEST_NAME, manifest.to_json().encode())
        return self._swap_in(build, manifest)

    def _prepare_staging(self) -> None:
        """Keep the staging folder of the same plan; clear away that of another."""
        digest = self._plan.digest()
        path = self._staging / _PLAN_NAME
        if path.is_file() and json.loads(path.read_text("utf-8")).get("digest") == digest:
            return
        shutil.rmtree(self._staging, ignore_errors=True)
        self._staging.mkdir(parents=True)
        write_durably(path, json.dumps({"digest": digest}).encode())

    def _seen_so_far(self) -> Seen:
        """Make the set of met ids and contents again from the finished shards."""
        seen = Seen(self._staging / "seen.sqlite")
        for shard in finished_shards(self._staging):
            rows = read_records(shard).select(["record_id", "content_key"]).to_pylist()
            seen.remember((row["record_id"], row["content_key"]) for row in rows)
        return seen

    def _merge(self, shards: Sequence[Path], build: Path) -> Counts:
        """Write the build's own files and hold them against the shards' accounts."""
        records = merge.merge_records(shards, build / RECORDS_NAME, self._plan.kind)
        if self._plan.kind == "image":
            merge.merge_thumbnails(shards, build / THUMBNAILS_NAME)
        for name, (_, fingerprint) in self._plan.fields.items():
            merge.merge_field(shards, build, name, fingerprint.dim)
        merge.write_record_ids(build / RECORDS_NAME, build / "record_ids.npy")
        merge.write_rejects(shards, build / "rejects.jsonl")
        merge.write_duplicates(shards, build / "duplicates.jsonl")
        return _reconcile(self._plan.index, records, (read_ledger(shard) for shard in shards))

    def _live_with(self, content: str) -> Published | None:
        """Return the live build if it has that content and every byte of it is sound."""
        try:
            folder = current_build(self._folder)
            manifest = read_manifest(folder)
            if manifest.content_hash != content or verify_build(folder).faults:
                return None
        except StoreError:
            return None
        return Published(manifest=manifest, folder=folder, unchanged=True)

    def _build_structures(self, build: Path, flat_limit: int) -> dict[str, FieldManifest]:
        fields = {}
        for name, (encoder, fingerprint) in self._plan.fields.items():
            vectors = read_array(build / f"{name}.vectors.npy")
            structure = build_structure(vectors, build / f"{name}.faiss", flat_limit=flat_limit)
            fields[name] = FieldManifest(
                encoder=encoder,
                fingerprint=fingerprint,
                dim=fingerprint.dim,
                vectors=len(vectors),
                structure=structure,
            )
        return fields

    def _manifest(
        self,
        build: Path,
        content: str,
        counts: Counts,
        fields: Mapping[str, FieldManifest],
        sources: Sequence[SourceFile],
    ) -> Manifest:
        now = datetime.now(UTC)
        plan = self._plan
        files = {
            path.relative_to(build).as_posix(): FileEntry(
                sha256=sha256_of(path), size_bytes=path.stat().st_size
            )
            for path in list_tree(build)
        }
        return Manifest(
            index=plan.index,
            dataset=plan.dataset,
            kind=plan.kind,
            build_id=f"{now:%Y%m%dt%H%M%S%f}-{content[:8]}",
            content_hash=content,
            created_at=now.isoformat(timespec="microseconds"),
            counts=counts,
            fields=fields,
            files=files,
            sources=tuple(sources),
            title=plan.title,
            licence=plan.licence,
            citation=plan.citation,
            homepage=plan.homepage,
            synthetic=plan.synthetic,
            versions={
                "python": platform.python_version(),
                **{name: version(name) for name in _VERSIONED_PACKAGES},
            },
        )

    def _swap_in(self, build: Path, manifest: Manifest) -> Published:
        """Move a complete build to its place and make it the live one."""
        sync_tree(build)
        folder = self._folder / manifest.build_id
        build.replace(folder)
        sync_folder(self._folder)
        write_stamp(folder)
        make_current(self._folder, manifest.build_id)
        shutil.rmtree(self._staging)
        return Published(manifest=manifest, folder=folder, unchanged=False)


def _reconcile(index: str, records: int, ledgers: Iterator[Ledger]) -> Counts:
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
