"""A small PACS in this process, for the faults that a real one shows too rarely."""

import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Uids = tuple[str, str, str]
_RETRIEVE = re.compile(r"/dicom-web/studies/([0-9.]+)/series/([0-9.]+)/instances/([0-9.]+)")
_STUDY_INSTANCES = re.compile(r"/dicom-web/studies/([0-9.]+)/instances")


@dataclass
class StandIn:
    """What the server holds, and how it fails.

    `failures` maps a path's beginning to statuses that are answered, one a request, before it
    works; `page` is the most rows that it gives at once.
    """

    files: dict[Uids, bytes] = field(default_factory=dict)
    failures: dict[str, list[int]] = field(default_factory=dict)
    page: int = 3
    counts: bool = True
    changes: list[Uids] | None = None
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, str, bytes]:
        for prefix, statuses in self.failures.items():
            if path.startswith(prefix) and statuses:
                return statuses.pop(0), "text/plain", b"no"
        if path == "/dicom-web/studies":
            return self._page([self._study(uid) for uid in self._studies()], query)
        if found := _STUDY_INSTANCES.fullmatch(path):
            rows = [_row(*uids) for uids in self.files if uids[0] == found[1]]
            return self._page(rows, query)
        if path == "/dicom-web/series":
            wanted = query["SeriesInstanceUID"][0]
            return self._page([_row(*uids) for uids in self.files if uids[1] == wanted], query)
        if found := _RETRIEVE.fullmatch(path):
            file = self.files.get((found[1], found[2], found[3]))
            return (404, "text/plain", b"") if file is None else (200, *_multipart(file))
        if self.changes is not None:
            return self._orthanc(path, query)
        return 404, "text/plain", b""

    def _studies(self) -> list[str]:
        return list(dict.fromkeys(uids[0] for uids in self.files))

    def _study(self, uid: str) -> dict:
        row = {"0020000D": {"vr": "UI", "Value": [uid]}}
        if self.counts:
            count = sum(uids[0] == uid for uids in self.files)
            row["00201208"] = {"vr": "IS", "Value": [count]}
        return row

    def _page(self, rows: list[dict], query: dict[str, list[str]]) -> tuple[int, str, bytes]:
        offset = int(query.get("offset", ["0"])[0])
        rows = rows[offset : offset + self.page]
        return 200, "application/dicom+json", json.dumps(rows).encode()

    def _orthanc(self, path: str, query: dict[str, list[str]]) -> tuple[int, str, bytes]:
        known = self.changes or []
        found: object = None
        if path == "/system":
            found = {"ApiVersion": 16, "DicomAet": "ORTHANC"}
        elif path == "/changes" and "since" not in query:
            found = {"Changes": [], "Done": True, "Last": len(known)}
        elif path == "/changes":
            since = int(query["since"][0])
            rows = [
                {"ChangeType": "NewInstance", "ID": str(number)}
                for number in range(since, min(since + self.page, len(known)))
            ]
            last = since + len(rows)
            found = {"Changes": rows, "Done": last == len(known), "Last": last}
        else:
            kind, _, number = path.strip("/").partition("/")
            uids = known[int(number)]
            tags = {
                "instances": {"SOPInstanceUID": uids[2]},
                "series": {"SeriesInstanceUID": uids[1]},
                "studies": {"StudyInstanceUID": uids[0]},
            }[kind]
            found = {"MainDicomTags": tags, "ParentSeries": number, "ParentStudy": number}
            if uids not in self.files:
                return 404, "text/plain", b""
        return 200, "application/json", json.dumps(found).encode()


@contextmanager
def serving(pacs: StandIn, tls: ssl.SSLContext | None = None) -> Iterator[StandIn]:
    """Serve it on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or each reply waits 40 ms for an acknowledgement

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            pacs.asked.append(parts.path)
            status, content_type, body = pacs.answer(parts.path, parse_qs(parts.query))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        scheme = "https" if tls else "http"
        pacs.url = f"{scheme}://127.0.0.1:{server.server_port}/dicom-web"
        try:
            yield pacs
        finally:
            server.shutdown()
            thread.join()


def _row(study: str, series: str, instance: str) -> dict:
    tags = {"0020000D": study, "0020000E": series, "00080018": instance}
    return {tag: {"vr": "UI", "Value": [uid]} for tag, uid in tags.items()}


def _multipart(file: bytes) -> tuple[str, bytes]:
    head = b"--cut\r\nContent-Type: application/dicom\r\n\r\n"
    content_type = 'multipart/related; type="application/dicom"; boundary=cut'
    return content_type, head + file + b"\r\n--cut--\r\n"
