"""Requests to a PACS: with a time-out each, tried again where that may help, failures explained."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import requests
from requests.adapters import HTTPAdapter

from indexer.errors import (
    PacsAccessError,
    PacsError,
    PacsProtocolError,
    PacsUnreachableError,
)
from indexer.pacs.address import (
    CONNECT_TIMEOUT_S,
    PASSWORD_VARIABLE,
    READ_TIMEOUT_S,
    PacsAddress,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

Answer = TypeVar("Answer")

PAUSES_S: "Sequence[float]" = (0.5, 2.0)
"""Waits before a request is sent again."""

# Too many requests; a gateway whose server is away or starting (RFC 9110, RFC 6585).
_PASSING_STATUSES = frozenset({429, 502, 503, 504})


def open_session(address: PacsAddress, connections: int) -> requests.Session:
    """Return a session that identifies itself to the PACS and never waits without end."""
    # It logs addresses with UIDs in them, and what the server said.
    logging.getLogger("dicomweb_client").setLevel(logging.CRITICAL)
    session = requests.Session()
    if address.user:
        session.auth = (address.user, address.password or "")
    adapter = _TimedAdapter(address, connections)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def attempt(call: Callable[[], Answer], address: PacsAddress) -> Answer:
    """Return what `call` returns, trying again after failures that pass by themselves.

    Raises
    ------
    PacsError
        It failed for good. The request's own words are not repeated: they name patients' UIDs.
    """
    for pause_s in PAUSES_S:
        try:
            return call()
        except requests.RequestException as error:
            if not _passes(error):
                raise explain(error, address) from None
        time.sleep(pause_s)
    try:
        return call()
    except requests.RequestException as error:
        raise explain(error, address) from None


def status_of(error: requests.RequestException) -> int | None:
    """Return the HTTP status that a request failed with, or None if it was not answered."""
    return None if error.response is None else error.response.status_code


def explain(error: requests.RequestException, address: PacsAddress) -> PacsError:
    """Return what went wrong and what to do about it, without a word of the request."""
    where = address.url
    status = status_of(error)
    if isinstance(error, requests.exceptions.SSLError):
        return PacsUnreachableError(
            f"No secure connection to the PACS at {where}: its certificate is not trusted, or it "
            "does not speak TLS.",
            remedy="Name the authority that signed it with --ca-file FILE; where the server "
            "speaks plain http, write http://.",
        )
    if isinstance(error, requests.Timeout):
        return PacsUnreachableError(
            f"The PACS at {where} did not answer in time ({CONNECT_TIMEOUT_S:g} s to connect, "
            f"{READ_TIMEOUT_S:g} s to reply).",
            remedy="Run the same command again: it goes on where it stopped.",
        )
    if status in {401, 403}:
        return PacsAccessError(
            f"The PACS at {where} refused the user or the password (status {status}).",
            remedy=f"Give --user NAME, and the password in {PASSWORD_VARIABLE}; the user needs "
            "the right to search and to read.",
        )
    if status == 404:
        return PacsProtocolError(
            f"There is no DICOMweb service at {where} (status 404).",
            remedy="Orthanc needs its DICOMweb plug-in (Debian: orthanc-dicomweb) with "
            '"DicomWeb": {"Enable": true, "Root": "/dicom-web/"}; the address ends in that root.',
        )
    if isinstance(error, requests.exceptions.InvalidJSONError):
        return PacsProtocolError(
            f"What answers at {where} does not speak DICOMweb: its reply is not DICOM JSON.",
            remedy="Give the root of the DICOMweb service: Orthanc's ends in /dicom-web.",
        )
    if status is not None:
        return PacsError(
            f"The PACS at {where} could not answer (status {status}).",
            remedy="Its own log says why. Then run the same command again: it goes on.",
        )
    return PacsUnreachableError(
        f"The PACS at {where} cannot be reached, or broke the connection off.",
        remedy="Is it running, and is this its address? The same command goes on where it stopped.",
    )


def _passes(error: requests.RequestException) -> bool:
    """Tell whether the same request may succeed in a moment."""
    if isinstance(error, requests.exceptions.SSLError):
        return False
    broken = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    return isinstance(error, broken) or status_of(error) in _PASSING_STATUSES


class _TimedAdapter(HTTPAdapter):
    """Gives every request a time-out, and the operator's certificates.

    Set here because `REQUESTS_CA_BUNDLE` overrides what a session is told.
    """

    def __init__(self, address: PacsAddress, connections: int) -> None:
        super().__init__(pool_maxsize=connections)
        self._ca_file = address.ca_file

    def send(
        self, request: requests.PreparedRequest, *args: Any, **options: Any
    ) -> requests.Response:
        """Send a request."""
        options["timeout"] = options.get("timeout") or (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
        if self._ca_file is not None:
            options["verify"] = str(self._ca_file)
        return super().send(request, *args, **options)
