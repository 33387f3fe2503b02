"""Where a PACS is and how it is spoken to."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from indexer.errors import PacsAccessError, PacsProtocolError

PASSWORD_VARIABLE = "MEDSEARCH_PACS_PASSWORD"  # noqa: S105 - the name of a variable, not a secret
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PacsAddress:
    """The root of a DICOMweb service (PS3.18), without a slash at its end, and who asks.

    `ca_file` holds the certificates of the authority that signed the server's; the system's own
    are used where it is None. The password is left out of `repr`.
    """

    url: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None

    @classmethod
    def parse(
        cls, url: str, *, user: str | None, password: str | None, ca_file: Path | None = None
    ) -> Self:
        """Return the address that a user wrote.

        Raises
        ------
        PacsProtocolError
            It is no http or https address.
        PacsAccessError
            It holds a password, which every user of the machine could read in the list of
            processes; or a user is named and no password given.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise PacsProtocolError(
                "The address of the PACS must begin with http:// or https://.",
                remedy="Orthanc's is http://HOST:8042/dicom-web",
            )
        if parts.username or parts.password:
            raise PacsAccessError(
                "The address of the PACS must not hold a user or a password.",
                remedy=f"Give --user NAME, and the password in {PASSWORD_VARIABLE}.",
            )
        if user and not password:
            raise PacsAccessError(
                f"There is no password for the user {user!r} of the PACS.",
                remedy=f"Put it into the environment: export {PASSWORD_VARIABLE}=...",
            )
        bare = parts._replace(query="", fragment="").geturl()
        return cls(url=bare.rstrip("/"), user=user, password=password, ca_file=ca_file)

    @property
    def sends_password_in_clear(self) -> bool:
        """Whether others on the network could read the password."""
        parts = urlsplit(self.url)
        return bool(self.user) and parts.scheme == "http" and not _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
