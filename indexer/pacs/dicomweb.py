"""A PACS over DICOMweb (PS3.18): QIDO-RS lists what it holds, WADO-RS reads it."""

import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, TypeAlias

import requests
from dicomweb_client import DICOMwebClient

from indexer.errors import PacsError, PacsProtocolError
from indexer.pacs.address import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, PacsAddress
from indexer.pacs.instances import InstanceRef, StudyRef, is_uid, read_date
from indexer.pacs.multipart import first_part
from indexer.pacs.transport import attempt, open_session
from indexer.pixels.limits import BUILD_LIMITS

PAGE = 500
"""Rows asked for at once; a server may send fewer."""
FETCH_WALL_CLOCK_S = 600.0
"""The longest that one instance may take to arrive, however slowly its bytes drip."""

_STUDY_UID, _SERIES_UID, _INSTANCE_UID = "0020000D", "0020000E", "00080018"
_STUDY_DATE, _STUDY_INSTANCES = "00080020", "00201208"
# The file as it was stored: without this, servers send pixels in another syntax, and compress each
# reply, which costs them more than the network gains.
_AS_STORED = {
    "Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*',
    "Accept-Encoding": "identity",
}
_BLOCK_BYTES = 1 << 18
# Not 401 and 403 (the user), not 429, 502, 503, 504 (the server): these concern all instances.
_ABOUT_ONE_INSTANCE = frozenset({400, 404, 406, 409, 410, 415, 422, 500, 501})

Found: TypeAlias = dict[str, Any]


class InstanceUnreadableError(Exception):
    """One instance cannot be read though the PACS answers; its text says why."""


class InstanceGoneError(Exception):
    """The PACS no longer holds an instance that it listed."""


class DicomWeb:
    """One PACS. Its methods may be called from several threads."""

    def __init__(self, address: PacsAddress, *, connections: int = 4) -> None:
        self.address = address
        self.session = open_session(address, connections)
        self._client = DICOMwebClient(
            address.url, session=self.session, timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
        )
        self._client.set_http_retry_params(retry=False)

    def check(self) -> None:
        """Ask for one study, to know that address, user and password are right.

        Raises
        ------
        PacsError
            They are not, or the PACS is away.
        """
        self._ask(lambda: self._client.search_for_studies(limit=1))

    def iter_studies(self, since: date | None = None) -> Iterator[StudyRef]:
        """Yield the studies that the PACS lists, page by page; with `since`, from that day on.

        A study without a date is listed only where `since` is None (PS3.4 C.2.2.2.5).
        """
        filters = {"StudyDate": f"{since:%Y%m%d}-"} if since else None

        def search(offset: int) -> list[Found]:
            return self._client.search_for_studies(
                limit=PAGE, offset=offset, fields=[_STUDY_INSTANCES], search_filters=filters
            )

        for found in self._all(search, _STUDY_UID):
            count = _value(found, _STUDY_INSTANCES)
            yield StudyRef(
                found_uid(found, _STUDY_UID),
                read_date(_value(found, _STUDY_DATE)),
                count if isinstance(count, int) else None,
            )

    def list_instances(self, study: StudyRef) -> list[InstanceRef]:
        """Return all instances of a study; none if the PACS does not hold it."""

        def search(offset: int) -> list[Found]:
            return self._client.search_for_instances(study.study_uid, limit=PAGE, offset=offset)

        return [
            InstanceRef(
                study.study_uid,
                found_uid(found, _SERIES_UID),
                found_uid(found, _INSTANCE_UID),
                study.date or read_date(_value(found, _STUDY_DATE)),
            )
            for found in self._all(search, _INSTANCE_UID)
        ]

    def study_of_series(self, series_uid: str) -> str | None:
        """Return the UID of the study that holds a series, or None if the PACS has no such series.

        The series is asked for by its own UID, across all studies.
        """
        filters = {"SeriesInstanceUID": series_uid}
        found = self._ask(
            lambda: self._client.search_for_series(
                limit=1, fields=[_STUDY_UID], search_filters=filters
            )
        )
        return found_uid(found[0], _STUDY_UID) if found else None

    def fetch(self, ref: InstanceRef) -> bytes:
        """Return an instance's file, byte for byte as it was stored.

        `dicomweb-client` would parse it in this process, without limits, and keep no bytes.

        Raises
        ------
        InstanceGoneError
            The PACS no longer holds it.
        InstanceUnreadableError
            The PACS fails on this instance, or it is larger than is indexed.
        PacsError
            The PACS is away, or refuses.
        """
        path = f"studies/{ref.study_uid}/series/{ref.series_uid}/instances/{ref.instance_uid}"
        try:
            content_type, body = attempt(
                lambda: self._read(f"{self.address.url}/{path}"), self.address
            )
        except _StatusError as error:
            if error.status in {404, 410}:
                raise InstanceGoneError from None
            raise InstanceUnreadableError(f"the PACS answered with status {error.status}") from None
        file = first_part(content_type, body)
        if file is None:
            raise InstanceUnreadableError("what the PACS sent is no whole DICOM file")
        return file

    def _read(self, url: str) -> tuple[str, bytes]:
        """Return content type and body of one reply, within limits of size and time."""
        deadline = time.monotonic() + FETCH_WALL_CLOCK_S
        with self.session.get(url, headers=_AS_STORED, stream=True) as reply:
            try:
                reply.raise_for_status()
            except requests.HTTPError:
                if reply.status_code in _ABOUT_ONE_INSTANCE:
                    raise _StatusError(reply.status_code) from None
                raise
            body = bytearray()
            for block in reply.iter_content(_BLOCK_BYTES):
                body += block
                if len(body) > BUILD_LIMITS.max_file_bytes:
                    raise InstanceUnreadableError("it is larger than what is indexed")
                if time.monotonic() > deadline:
                    raise requests.Timeout
            return reply.headers.get("content-type", ""), bytes(body)

    def _all(self, search: Callable[[int], list[Found]], key: str) -> Iterator[Found]:
        """Yield the rows of all pages, each once; a page without a new row is the last."""
        seen: set[str] = set()
        offset = 0
        while True:
            page = self._ask(lambda: search(offset))  # noqa: B023 - called before offset changes
            fresh = {found_uid(one, key): one for one in page}
            fresh = {uid: one for uid, one in fresh.items() if uid not in seen}
            if not fresh:
                return
            yield from fresh.values()
            seen.update(fresh)
            offset += len(page)

    def _ask(self, search: Callable[[], list[Found]]) -> list[Found]:
        try:
            found = attempt(search, self.address)
        except ValueError as error:
            # dicomweb-client's own complaint about a reply that is no JSON.
            if isinstance(error, PacsError):
                raise
            found = None
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise PacsProtocolError(
                f"What answers at {self.address.url} does not speak DICOMweb.",
                remedy="Give the root of the DICOMweb service: Orthanc's ends in /dicom-web.",
            )
        return found


class _StatusError(Exception):
    """A status that is about the one instance asked for."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def found_uid(found: Found, tag: str) -> str:
    """Return a UID from a row of a QIDO reply.

    Raises
    ------
    PacsProtocolError
        The row has none.
    """
    uid = _value(found, tag)
    if not isinstance(uid, str) or not is_uid(uid):
        raise PacsProtocolError(
            "The PACS listed a study, series or instance without a valid UID.",
            remedy="Its DICOMweb service does not keep to PS3.18 10.6; report it to its vendor.",
        )
    return uid


def _value(found: Found, tag: str) -> object:
    """Return the first value of an attribute in the DICOM JSON model (PS3.18 annex F), or None."""
    attribute = found.get(tag)
    values = attribute.get("Value") if isinstance(attribute, dict) else None
    return values[0] if isinstance(values, list) and values else None
