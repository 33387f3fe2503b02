"""Takes the one file out of a WADO-RS reply (PS3.18 8.6.1.2, RFC 2046 5.1)."""

import re

_BOUNDARY = re.compile(r'boundary="?([^";,]{1,70})"?', re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"


def first_part(content_type: str, body: bytes) -> bytes | None:
    """Return the content of the first part of a multipart body, or None if it is not whole.

    A server that sends the file itself, as `application/dicom`, is understood too.
    """
    if content_type.lower().startswith("application/dicom"):
        return body or None
    found = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/") or found is None:
        return None
    delimiter = b"--" + found[1].strip().encode("latin-1", "replace")
    opening = body.find(delimiter)
    head_end = body.find(_HEAD_END, opening)
    if opening < 0 or head_end < 0:
        return None
    start = head_end + len(_HEAD_END)
    end = body.find(b"\r\n" + delimiter, start)
    return body[start:end] if end > start else None
