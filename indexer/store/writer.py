"""Writing a build: shards land one by one in a staging folder, then become a published build.

Whatever moment the process is killed at, finished shards stay and the live build is untouched.
The same plan started again goes on after the last finished shard; another plan starts afresh.
"""

import errno
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from indexer.errors import StoreError
from indexer.records import SourceFile
from indexer.store.assemble import OnStage, Queries, make_searchable, merge_shards
from indexer.store.calibration import Calibrates
from indexer.store.files import clear_folder, sync_folder, sync_tree, write_durably
from indexer.store.index_map import Projects
from indexer.store.manifest import FORMAT_VERSION, Manifest
from indexer.store.plan import BuildPlan, Published
from indexer.store.publish import STAGING_NAME, current_build, list_builds, lock, make_current
from indexer.store.reuse import EmbeddingReuse
from indexer.store.seen import Seen
from indexer.store.shards import (
    Duplicate,
    Shard,
    ShardField,
    ShardImage,
    drop_unsound_shards,
    finished_shards,
    iter_ledgers,
    read_records,
    write_shard,
)
from indexer.store.structures import FLAT_LIMIT
from indexer.store.verify import take_stamp, verify_build, write_stamp

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
# No space, quota used up, file larger than is allowed.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class BuildWriter:
    """One build of one index in the making. Use `BuildWriter.open`.

    `seen` knows the record ids and contents met so far, `reuse` the embeddings of the live build.
    `rows_consumed` rows of the dataset are covered by the finished shards, `records` came of them.
    """

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
        StoreError
            The disk is full.
        """
        folder = indexes_dir / plan.index
        with lock(folder), _explaining_a_full_disk(plan.index):
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
        ValueError
            Its parts do not belong together or do not fit the plan.
        """
        self._plan.check(shard)
        write_shard(self._staging, self._shards, shard, self._plan.kind)
        self._shards += 1
        self.rows_consumed += shard.rows_consumed
        self.records += len(shard.records)

    def publish(
        self,
        sources: Sequence[SourceFile],
        *,
        flat_limit: int = FLAT_LIMIT,
        queries: Queries | None = None,
        calibrator: Calibrates | None = None,
        projector: Projects | None = None,
        on_stage: OnStage | None = None,
    ) -> Published:
        """Make the shards a build and let readers see it.

        A build that says exactly the same and is sound is made live instead, or stays so.
        `queries` are embedded real queries of a field, on which its recall is measured as well;
        `calibrator` measures what is chance in the build, `projector` draws its map.

        Raises
        ------
        ReconciliationError
            The files do not hold what the shards settled.
        """
        tell = on_stage or (lambda _: None)
        folder = self._staging / _BUILD_NAME
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        tell("merging")
        makers = {"calibrated_by": calibrator, "projected_by": projector}
        made_by = {name: maker.digest for name, maker in makers.items() if maker is not None}
        merged = merge_shards(self._plan, finished_shards(self._staging), folder, made_by)
        published = self._build_that_says(merged.content_hash)
        if published is None:
            manifest = make_searchable(
                self._plan,
                merged,
                sources,
                flat_limit=flat_limit,
                queries=queries,
                calibrator=calibrator,
                projector=projector,
                on_stage=tell,
            )
            published = self._move_in(folder, manifest)
        if not published.unchanged:
            make_current(self._folder, published.manifest.build_id)
        clear_folder(self._staging, _PLAN_NAME)
        return published

    def _prepare_staging(self) -> None:
        """Keep the sound shards of the same plan; clear away those of another."""
        digest = self._plan.digest()
        path = self._staging / _PLAN_NAME
        if _planned(path) != digest:
            clear_folder(self._staging, _PLAN_NAME)
            self._staging.mkdir(parents=True)
            write_durably(path, json.dumps({"digest": digest}).encode())
            sync_folder(self._folder)
        drop_unsound_shards(self._staging)

    def _seen_so_far(self) -> Seen:
        """Make the set of met ids and contents again from the finished shards."""
        seen = Seen(self._staging / "seen.sqlite")
        for shard in finished_shards(self._staging):
            rows = read_records(shard).select(["record_id", "content_key"]).to_pylist()
            seen.remember((row["record_id"], row["content_key"]) for row in rows)
        return seen

    def _build_that_says(self, content: str) -> Published | None:
        """Return a sound build of that content: the live one, or one that a crash left unseen.

        One of an earlier format is made anew: it says the same, but is searched in another way.
        """
        try:
            live = current_build(self._folder).name
        except StoreError:
            live = ""
        for manifest in reversed(list_builds(self._folder)):
            folder = self._folder / manifest.build_id
            same = (manifest.content_hash, manifest.format_version) == (content, FORMAT_VERSION)
            if same and not verify_build(folder).faults:
                return Published(manifest=manifest, folder=folder, unchanged=folder.name == live)
        return None

    def _move_in(self, build: Path, manifest: Manifest) -> Published:
        """Move a complete build to its place, where nobody looks yet."""
        sync_tree(build)
        folder = self._folder / manifest.build_id
        build.replace(folder)
        sync_folder(self._folder)
        write_stamp(folder, take_stamp(folder))
        return Published(manifest=manifest, folder=folder, unchanged=False)


def _planned(path: Path) -> str | None:
    """Return the digest of the plan that a staging folder belongs to."""
    try:
        return str(json.loads(path.read_text("utf-8"))["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def _explaining_a_full_disk(index: str) -> Iterator[None]:
    """Say what to do when nothing more can be written."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise StoreError(
            f"There is no room to write the index {index!r} ({error.strerror}).",
            remedy="Free some space and run the same command again: it goes on where it stopped.",
        ) from error
