"""Fetching a dataset repository of the Hugging Face Hub, file by file.

The hub's client lists and signs; the bytes are received here, because the client keeps nothing of
a file that was cut off.
"""

from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

from indexer.datasets.base import DatasetInfo
from indexer.errors import DamagedDownloadError
from indexer.fetching.archive import Bounds, unpack
from indexer.fetching.base import FetchOptions, FetchPlan, OnProgress
from indexer.fetching.hub_files import RepoFile, is_intact, list_files, open_hub, sign_request
from indexer.fetching.receipt import make_receipt
from indexer.fetching.sources import HubSource
from indexer.fetching.staging import Staging
from indexer.fetching.web import Web

_ARCHIVE_BOUNDS = Bounds(files=10_000, size_bytes=4 << 30)


class HubFetch:
    """The files of one repository that the loader reads and that are not there yet."""

    def __init__(
        self,
        info: DatasetInfo,
        source: HubSource,
        staging: Staging,
        options: FetchOptions,
        web: Web,
    ) -> None:
        """Ask the hub for the revision, and its files with their sizes.

        Raises
        ------
        FetchError
            It does not answer, or has no such files.
        """
        self._info = info
        self._source = source
        self._staging = staging
        self._options = options
        self._web = web
        self._api = open_hub(options.base_url)
        # An unfinished or finished earlier run decides the commit, so that no two are mixed.
        earlier = staging.recall().get("revision") or (
            staging.receipt.revision if staging.receipt else None
        )
        self._revision, self._files = list_files(
            self._api, source, options, revision=earlier or source.revision
        )
        self._missing = [one for one in self._files if not self._is_there(one)]

    @property
    def plan(self) -> FetchPlan:
        """The files chosen, and the sizes of those that are missing."""
        half = sum(
            part.stat().st_size for one in self._missing if (part := self._part(one)).is_file()
        )
        return FetchPlan(
            origin=f"{self._api.endpoint}/datasets/{self._source.repository}",
            revision=self._revision,
            piece="files",
            pieces=len(self._files),
            pieces_there=len(self._files) - len(self._missing),
            missing_bytes=sum(one.size_bytes for one in self._missing) - half,
            in_place=self._staging.is_in_place,
        )

    def run(self, on_progress: OnProgress) -> None:
        """Fetch the missing files one by one, then put all in place.

        Raises
        ------
        FetchError
            The hub stopped answering, or a file differs from its hash.
        """
        with self._staging.open(needed_bytes=self.plan.missing_bytes or 0):
            self._staging.remember({"revision": self._revision})
            done = 0
            for file in self._missing:
                part = self._part(file)
                start = part.stat().st_size if part.is_file() else 0

                def report(size: int, name: str = file.name, before: int = done - start) -> None:
                    on_progress(name, max(0, before + size))

                self._fetch_file(file, part, report)
                done += file.size_bytes - start
            self._publish()

    def _fetch_file(self, file: RepoFile, part: Path, report: Callable[[int], None]) -> None:
        """Fetch one file; what comes with the wrong bytes is fetched anew once."""
        from huggingface_hub import hf_hub_url

        url = hf_hub_url(
            self._source.repository,
            file.name,
            repo_type="dataset",
            revision=self._revision,
            endpoint=self._api.endpoint,
        )
        part.parent.mkdir(parents=True, exist_ok=True)
        for last in (False, True):
            if not part.is_file() or part.stat().st_size != file.size_bytes:
                self._web.download(
                    url,
                    part,
                    headers=sign_request(),
                    on_bytes=report,
                    limit_bytes=file.size_bytes,
                    resume=True,
                )
            if is_intact(part, file):
                break
            part.unlink()
            if last:
                raise DamagedDownloadError(
                    f"{file.name} came twice with other bytes than the hub vouches for.",
                    remedy="Try again later, or without the proxy or mirror in between.",
                )
        whole = self._whole(file)
        whole.parent.mkdir(parents=True, exist_ok=True)
        part.rename(whole)

    def _publish(self) -> None:
        """Unpack the archive, if it is one, and put the tree in place."""
        members = self._source.members
        archives = self._files if members is not None else []
        for archive in filter(Path.is_file, map(self._whole, archives)):
            unpack(
                archive,
                self._staging.tree,
                _ARCHIVE_BOUNDS,
                wanted=lambda name: fnmatchcase(name, str(members)),
            )
        pieces = dict(self._staging.receipt.pieces) if self._staging.receipt else {}
        pieces |= {file.name: file.size_bytes for file in self._files}
        self._staging.publish(
            make_receipt(
                self._info,
                origin=f"{self._api.endpoint}/datasets/{self._source.repository}",
                revision=self._revision,
                checked="sha256" if all(one.sha256 for one in self._files) else "git-sha1",
                pieces=pieces,
            )
        )

    def _is_there(self, file: RepoFile) -> bool:
        """Return whether a file is there, whole: by the receipt and its size, or waiting."""
        if self._whole(file).is_file():
            return True
        receipt = self._staging.receipt
        if receipt is None or receipt.pieces.get(file.name) != file.size_bytes:
            return False
        if self._source.members is not None:
            return True
        placed = self._staging.final / file.name
        return placed.is_file() and placed.stat().st_size == file.size_bytes

    def _part(self, file: RepoFile) -> Path:
        return self._staging.downloads / f"{file.name}.part"

    def _whole(self, file: RepoFile) -> Path:
        """Return where a file waits: in the tree, or beside it if it is to be unpacked."""
        packed = self._source.members is not None
        return (self._staging.downloads if packed else self._staging.tree) / file.name
