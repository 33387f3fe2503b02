"""The NBIA REST service of The Cancer Imaging Archive, as far as downloading needs it.

Routes: `getSeries`, `getSeriesSize`, `getImageWithMD5Hash`, `getImage`, as documented in
https://wiki.cancerimagingarchive.net/display/Public/NBIA+Search+REST+API+Guide; versions 1 and 4.
"""

from collections.abc import Callable
from pathlib import Path

from indexer.errors import AccessDeniedError, SourceFailedError
from indexer.fetching.nbia_series import Series, parse_count, parse_series
from indexer.fetching.web import Web

_SERVER_FAILED = 500


class NbiaService:
    """One installation of the service."""

    def __init__(self, web: Web, base_url: str) -> None:
        """Name the service, `https://host/nbia-api/services/v4`; it is not asked yet."""
        self._web = web
        self.base_url = base_url.rstrip("/")

    def list_series(self, collection: str) -> list[Series]:
        """Return a collection's series, each once.

        Raises
        ------
        FetchError
            The service does not answer as NBIA does, or has none.
        """
        query = {"Collection": collection, "format": "json"}
        rows = self._web.get_json(f"{self.base_url}/getSeries", query) or []
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise SourceFailedError(
                "The service's list of series is not a list.",
                remedy="Check that --base-url is that of an NBIA service (.../services/v4).",
            )
        if not rows:
            raise SourceFailedError(
                f"The service has no series of {collection}.",
                remedy="Check that --base-url is that of the right NBIA service.",
            )
        found = (parse_series({"Collection": collection, **row}) for row in rows)
        return list({series.uid: series for series in found}.values())

    def size_of(self, series: Series) -> int | None:
        """Return a series' size in bytes as it was listed or else as `getSeriesSize` says."""
        if series.size_bytes is not None:
            return series.size_bytes
        try:
            said = self._web.get_json(
                f"{self.base_url}/getSeriesSize",
                {"SeriesInstanceUID": series.uid, "format": "json"},
            )
        except (SourceFailedError, AccessDeniedError):
            return None
        row = said[0] if isinstance(said, list) and said else said
        return parse_count(row.get("TotalSizeInBytes")) if isinstance(row, dict) else None

    def download(
        self,
        series_uid: str,
        archive: Path,
        *,
        limit_bytes: int,
        on_bytes: Callable[[int], None],
    ) -> bool:
        """Download a series as a zip file; return whether the service gives hashes with it.

        Raises
        ------
        FetchError
            It stops answering, refuses, or sends more than `limit_bytes`.
        """

        def receive(route: str) -> None:
            self._web.download(
                f"{self.base_url}/{route}",
                archive,
                query={"SeriesInstanceUID": series_uid},
                on_bytes=on_bytes,
                limit_bytes=limit_bytes,
                resume=False,
            )

        try:
            receive("getImageWithMD5Hash")
        except SourceFailedError as error:
            if error.status is None or error.status >= _SERVER_FAILED:
                raise
        else:
            return True
        receive("getImage")  # an installation without hashes
        return False
