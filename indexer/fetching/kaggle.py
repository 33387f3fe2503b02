"""Fetching a dataset of Kaggle by its own client, kagglehub, which resumes in its cache."""

import shutil
from contextlib import suppress
from pathlib import Path

from indexer.datasets.base import Dataset
from indexer.encoders.reasons import reason_of
from indexer.errors import (
    AccessDeniedError,
    DamagedDownloadError,
    FetchError,
    SourceFailedError,
    SourceUnreachableError,
)
from indexer.fetching.base import FetchPlan, OnProgress
from indexer.fetching.receipt import make_receipt
from indexer.fetching.sources import KaggleSource
from indexer.fetching.staging import Staging
from indexer.fetching.web import Web

_DENIED = frozenset({401, 403})


class KaggleFetch:
    """One dataset of Kaggle; the client tells no size beforehand."""

    def __init__(self, dataset: Dataset, source: KaggleSource, staging: Staging, web: Web) -> None:
        """Check that the client is installed and that Kaggle answers.

        kagglehub sets no limit to its first wait, so the connection is tried here beforehand.

        Raises
        ------
        FetchError
            The client is not installed, or Kaggle does not answer.
        """
        try:
            import kagglehub  # noqa: F401
            from kagglesdk.kaggle_env import get_endpoint, get_env
        except ImportError as error:
            raise FetchError(
                "Fetching from Kaggle needs the package kagglehub.",
                remedy=f"pip install 'medsearch[kaggle]'. Or {_by_hand(dataset, source)}",
            ) from error
        self._dataset = dataset
        self._source = source
        self._staging = staging
        if staging.receipt is None:
            self._try_connection(web, get_endpoint(get_env()))

    @property
    def plan(self) -> FetchPlan:
        """One archive, of a size that only the dataset's page tells."""
        return FetchPlan(
            origin=self._source.origin,
            revision=None,
            piece="archives",
            pieces=1,
            pieces_there=0 if self._staging.receipt is None else 1,
            missing_bytes=None,
            in_place=self._staging.is_in_place,
            shows_progress=True,
        )

    def run(self, on_progress: OnProgress) -> None:
        """Let the client download and unpack the archive, check it, and copy it into place.

        Raises
        ------
        FetchError
            Kaggle does not give it, or it does not hold what the loader reads.
        """
        if self.plan.is_done:
            return
        with self._staging.open():
            on_progress(self._source.handle, 0)
            cached = self._download()
            if self._dataset.detect(cached) is None:
                raise DamagedDownloadError(
                    "The archive does not hold what the loader reads.",
                    remedy=f"Look into {self._source.origin}: its layout may have changed.",
                )
            shutil.copytree(cached, self._staging.tree, dirs_exist_ok=True)
            self._staging.publish(
                make_receipt(
                    self._dataset.info,
                    origin=self._source.origin,
                    revision=cached.name,
                    checked="crc32",
                    pieces=_list_pieces(self._staging.tree),
                )
            )

    def _try_connection(self, web: Web, url: str) -> None:
        try:
            # Any answer will do: what Kaggle thinks of the question itself, the client will hear.
            with suppress(SourceFailedError, AccessDeniedError):
                web.get(url)
        except SourceUnreachableError as error:
            by_hand = _by_hand(self._dataset, self._source)
            raise SourceUnreachableError(
                error.message,
                remedy=f"Check the connection and the proxy (HTTPS_PROXY). Or {by_hand}",
            ) from error

    def _download(self) -> Path:
        """Return the folder in the client's cache; its name is the dataset's version."""
        import kagglehub
        from kagglehub.exceptions import KaggleApiHTTPError

        by_hand = _by_hand(self._dataset, self._source)
        try:
            return Path(kagglehub.dataset_download(self._source.handle))
        except KaggleApiHTTPError as error:
            status = None if error.response is None else error.response.status_code
            if status not in _DENIED:
                raise SourceFailedError(
                    f"Kaggle does not give {self._source.handle}: {reason_of(error)}",
                    remedy=f"Try again later. Or {by_hand}",
                    status=status,
                ) from error
            raise AccessDeniedError(
                f"Kaggle does not give {self._source.handle}: {reason_of(error)}",
                remedy="Create a token at https://www.kaggle.com/settings (API) and set "
                f"KAGGLE_API_TOKEN, or put kaggle.json into ~/.kaggle/. Or {by_hand}",
            ) from error
        except Exception as error:  # the client's other errors share no base
            raise SourceUnreachableError(
                f"{self._source.handle} cannot be fetched from Kaggle: {reason_of(error)}",
                remedy=f"Check the connection and run the same command again. Or {by_hand}",
            ) from error


def _by_hand(dataset: Dataset, source: KaggleSource) -> str:
    return (
        f"download the archive in a browser from {source.origin} and run "
        f"`medsearch datasets check {dataset.info.name} ARCHIVE.zip`."
    )


def _list_pieces(folder: Path) -> dict[str, int]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
