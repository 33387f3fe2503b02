"""A language model's server on the loopback that speaks OpenAI's protocol, or fails to."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = ("Anaphylaxis is treated first ", "with adrenaline into the thigh [1].", " Wait [7].")


@dataclass
class Script:
    """How the server behaves; `asked` and `hung_up` say what it saw."""

    mode: str = "answer"
    words: tuple[str, ...] = ANSWER
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    address: str = ""


class _Handler(BaseHTTPRequestHandler):
    script: Script

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        script = self.script
        script.asked.append(body)
        script.keys.append(self.headers["authorization"])
        try:
            getattr(self, f"_{script.mode}")()
        except OSError:
            script.hung_up.set()

    def log_message(self, *_: object) -> None:
        pass

    def _start(self, status: int = 200, kind: str = "text/event-stream") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.end_headers()

    def _send(self, raw: str) -> None:
        self.wfile.write(raw.encode())
        self.wfile.flush()

    def _chunk(self, text: str | None, reason: str | None = None) -> None:
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
        chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
                 "choices": [choice]}  # fmt: skip
        self._send(f"data: {json.dumps(chunk)}\n\n")

    def _answer(self, reason: str = "stop") -> None:
        self._start()
        for word in self.script.words:
            self._chunk(word)
        self._chunk(None, reason)
        self._send("data: [DONE]\n\n")

    def _flaky(self) -> None:
        if len(self.script.asked) < 3:
            self._refuse()
        else:
            self._answer()

    def _refuse(self, status: int = 500) -> None:
        self._start(status, "application/json")
        self._send('{"error": {"message": "secretserverwords"}}')

    def _unauthorised(self) -> None:
        self._refuse(401)

    def _page(self) -> None:
        self._start(kind="text/html")
        self._send("<html>secretserverwords</html>")

    def _garbage(self) -> None:
        self._start()
        self._send("data: {not json\n\n")

    def _odd(self) -> None:
        self._start()
        self._send('data: {"choices": [{"delta": 7}]}\n\n')

    def _error_inside(self) -> None:
        self._start()
        self._chunk("Some")
        self._send('data: {"error": {"message": "secretserverwords"}}\n\n')

    def _garbage_later(self) -> None:
        self._start()
        self._chunk("Some")
        self._send("data: [[[\n\n")

    def _closed_early(self) -> None:
        self._start()
        self._chunk("Some")

    def _empty(self) -> None:
        self._start()
        self._chunk("", "stop")

    def _silent(self) -> None:
        time.sleep(3)

    def _silent_later(self) -> None:
        self._start()
        self._chunk("Some")
        time.sleep(3)

    def _endless(self) -> None:
        self._start()
        for _ in range(1000):
            self._chunk("word ")
            time.sleep(0.02)


@contextmanager
def stand_in() -> Iterator[Script]:
    """Serve on a free port until the body ends."""
    script = Script()
    handler = type("Handler", (_Handler,), {"script": script})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    script.address = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
