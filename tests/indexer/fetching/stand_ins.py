"""Small servers on 127.0.0.1 that speak the services' protocols, and fail on request."""

import csv
import hashlib
import io
import json
import re
import threading
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pydicom


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    chunked: bool = False
    cut_at: int | None = None
    wait_for: threading.Event | None = None


@dataclass
class Asked:
    path: str
    query: dict[str, str]
    headers: dict[str, str]


Fault = Callable[[Answer], Answer]


def failing(status: int, **headers: str) -> Fault:
    return lambda _answer: Answer(
        status, b"busy", {k.replace("_", "-"): v for k, v in headers.items()}
    )


def cut(at: int) -> Fault:
    """Close the connection after `at` bytes of the body."""

    def change(answer: Answer) -> Answer:
        answer.cut_at = at
        return answer

    return change


def with_body(change: Callable[[bytes], bytes]) -> Fault:
    def apply(answer: Answer) -> Answer:
        answer.body = change(answer.body)
        return answer

    return apply


class StandIn:
    """A server; `faults[text]` are applied in turn to answers of paths that hold the text."""

    def __init__(self, answer: Callable[[Asked], Answer]) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        self.url = ""

    def count(self, text: str) -> int:
        return sum(text in one.path for one in self.asked)

    def reply(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        answer = self.answer(asked)
        for text, faults in self.faults.items():
            if text in asked.path + "?" + "&".join(asked.query.values()) and faults:
                answer = faults.pop(0)(answer)
        return answer


@contextmanager
def serve(stand_in: StandIn) -> Iterator[StandIn]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *words: object) -> None:
            pass

        def handle_one(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            asked = Asked(unquote(parts.path), query, dict(self.headers))
            send(self, stand_in.reply(asked))

        do_GET = do_POST = do_HEAD = handle_one  # noqa: N815

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *words: object) -> None:
            """Say nothing of clients that hang up: some tests make them do so."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        stand_in.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield stand_in
        finally:
            server.shutdown()
            thread.join()


def send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    if answer.wait_for is not None:
        answer.wait_for.wait(20)
    handler.send_response(answer.status)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    if answer.chunked:
        handler.send_header("Transfer-Encoding", "chunked")
    else:
        handler.send_header("Content-Length", str(len(answer.body)))
    handler.end_headers()
    if handler.command == "HEAD":
        return
    body = answer.body if answer.cut_at is None else answer.body[: answer.cut_at]
    for first in range(0, len(body), 65536):
        block = body[first : first + 65536]
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(block), block) if answer.chunked else block)
    if answer.cut_at is not None:
        handler.wfile.flush()
        handler.close_connection = True
        handler.connection.shutdown(2)
    elif answer.chunked:
        handler.wfile.write(b"0\r\n\r\n")


def ranged(asked: Asked, body: bytes, **headers: str) -> Answer:
    """Answer a request for a file, or for what follows its first bytes."""
    match = re.fullmatch(r"bytes=(\d+)-", asked.headers.get("Range", ""))
    if match is None:
        return Answer(200, body, headers)
    start = int(match[1])
    if start >= len(body):
        return Answer(416, b"", {"Content-Range": f"bytes */{len(body)}"})
    said = f"bytes {start}-{len(body) - 1}/{len(body)}"
    return Answer(206, body[start:], {**headers, "Content-Range": said})


# --- NBIA ------------------------------------------------------------------------------------

V4_COLUMNS = (
    "SeriesInstanceUID", "StudyInstanceUID", "Modality", "SeriesDate", "SeriesDescription",
    "SeriesNumber", "Collection", "PatientID", "Manufacturer", "ImageCount", "LicenseName",
    "FileSize", "StudyDesc", "StudyDate",
)  # fmt: skip


@dataclass
class NbiaSeries:
    row: dict[str, object]
    files: list[bytes]


def read_series(tree: Path, collection: str) -> dict[str, NbiaSeries]:
    """Return the image series of a tree of real DICOM files as the service would list them."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(tree.rglob("*.dcm")):
        try:
            uid = pydicom.dcmread(path, stop_before_pixels=True).SeriesInstanceUID
        except pydicom.errors.InvalidDicomError:
            continue
        found[str(uid)].append(path)
    series = {}
    for uid, paths in found.items():
        head = pydicom.dcmread(paths[0], stop_before_pixels=True)
        files = [path.read_bytes() for path in paths]
        date = str(head.StudyDate)
        row = {
            "SeriesInstanceUID": uid,
            "StudyInstanceUID": str(head.StudyInstanceUID),
            "Modality": str(head.Modality),
            "SeriesDescription": str(head.get("SeriesDescription", "")),
            "SeriesNumber": int(head.get("SeriesNumber") or 1),
            "Collection": collection,
            "PatientID": str(head.PatientID),
            "Manufacturer": "STAND-IN",
            "ImageCount": len(files),
            "LicenseName": "Creative Commons Attribution 3.0 Unported License",
            "FileSize": sum(map(len, files)),
            "StudyDesc": str(head.get("StudyDescription", "")),
            "StudyDate": f"{date[:4]}-{date[4:6]}-{date[6:]} 00:00:00.0",
        }
        series[uid] = NbiaSeries({key: row[key] for key in V4_COLUMNS if key in row}, files)
    return series


class NbiaStandIn(StandIn):
    """NBIA's REST service, version 4; `version = 1` lists no sizes, `hashes = False` gives none."""

    def __init__(self, series: dict[str, NbiaSeries]) -> None:
        super().__init__(self._answer)
        self.series = series
        self.lists_sizes = True
        self.gives_hashes = True

    @property
    def base_url(self) -> str:
        return f"{self.url}/nbia-api/services/v4"

    def _answer(self, asked: Asked) -> Answer:
        route = asked.path.rsplit("/", 1)[-1]
        if route == "getSeries":
            rows = [
                one.row
                for one in self.series.values()
                if one.row["Collection"] == asked.query["Collection"]
            ]
            hidden = () if self.lists_sizes else ("FileSize",)
            listed = [{k: v for k, v in row.items() if k not in hidden} for row in rows]
            return Answer(body=json.dumps(listed).encode() if listed else b"")
        series = self.series.get(asked.query.get("SeriesInstanceUID", ""))
        if series is None:
            return Answer(400, b"unknown series")
        if route == "getSeriesSize":
            size = f"{series.row['FileSize']}.000000"
            said = [{"TotalSizeInBytes": size, "ObjectCount": len(series.files)}]
            return Answer(body=json.dumps(said).encode())
        if route == "getImageWithMD5Hash" and self.gives_hashes:
            return Answer(body=zip_series(series.files, hashed=True), chunked=True)
        if route == "getImage":
            return Answer(body=zip_series(series.files, hashed=False), chunked=True)
        return Answer(404, b"no such route")


def zip_series(
    files: list[bytes], *, hashed: bool, names: list[str] | None = None, wrong_hash: bool = False
) -> bytes:
    names = names or [f"{number:08d}.dcm" for number in range(1, len(files) + 1)]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        table = io.StringIO()
        writer = csv.writer(table)
        writer.writerow(("Filename", "MD5Hash"))
        for name, content in zip(names, files, strict=True):
            archive.writestr(name, content)
            digest = hashlib.md5(content).hexdigest()
            writer.writerow((name, "0" * 32 if wrong_hash else digest))
        if hashed:
            archive.writestr("md5hashes.csv", table.getvalue())
    return buffer.getvalue()


# --- the Hugging Face Hub --------------------------------------------------------------------


class HubStandIn(StandIn):
    """The hub's API and its resolve route; files of `large` are LFS files behind a redirect."""

    def __init__(self, repository: str, files: dict[str, bytes], large: frozenset[str]) -> None:
        super().__init__(self._answer)
        self.repository = repository
        self.files = files
        self.large = large
        self.commit = "c0ffee" * 6 + "beef"

    def _answer(self, asked: Asked) -> Answer:
        api = f"/api/datasets/{self.repository}"
        if asked.path == api or asked.path.startswith(f"{api}/revision/"):
            return self._info()
        resolve = f"/datasets/{self.repository}/resolve/{self.commit}/"
        if asked.path.startswith(resolve):
            name = asked.path.removeprefix(resolve)
            if name in self.large:
                return Answer(302, b"", {"Location": f"/cdn/{name}"})
            return ranged(asked, self.files[name])
        if asked.path.startswith("/cdn/"):
            return ranged(asked, self.files[asked.path.removeprefix("/cdn/")])
        return Answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def _info(self) -> Answer:
        siblings = []
        for name, content in self.files.items():
            header = f"blob {len(content)}\0".encode()
            blob = hashlib.sha1(header + content).hexdigest()
            sibling: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": blob}
            if name in self.large:
                digest = hashlib.sha256(content).hexdigest()
                sibling["lfs"] = {"size": len(content), "sha256": digest, "pointerSize": 130}
            siblings.append(sibling)
        said = {"id": self.repository, "sha": self.commit, "private": False, "gated": False,
                "disabled": False, "downloads": 0, "likes": 0, "tags": [],
                "siblings": siblings}  # fmt: skip
        return Answer(body=json.dumps(said).encode(), headers={"Content-Type": "application/json"})
