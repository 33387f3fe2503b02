"""A stand-in for a language model: speaks the chat completions protocol on a loopback socket."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Conversation = list[dict[str, str]]


@dataclass
class StandIn:
    """What the server was asked, and how it behaves.

    `troubles` are used up one a request before any answer: a status (429, 500, 401 ...), "garbage"
    (200, no JSON), "odd" (JSON that is no completion), "hang up" (closes early), "silent" (never
    answers).
    """

    answer: Callable[[Conversation], str]
    troubles: list[int | str] = field(default_factory=list)
    delay_s: float = 0.0
    asked: list[dict] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    most_at_once: int = 0
    url: str = ""


def from_passages(conversation: Conversation) -> str:
    """Choose the option whose text stands most often before the question, the first of equals."""
    text = conversation[-1]["content"]
    evidence, _, question = text.rpartition("Question: ")
    options = re.findall(r"^([A-U])\. (.+)$", question, re.MULTILINE)
    chosen = max(options, key=lambda option: evidence.count(option[1]), default=("A", ""))
    return f"Considering all that, I settle.\n\n**Answer:** {chosen[0]}"


@contextmanager
def stand_in(  # noqa: C901 - the handler is a closure over what it serves
    answer: Callable[[Conversation], str] = from_passages,
) -> Iterator[StandIn]:
    """Serve a model until the body ends."""
    model = StandIn(answer)
    lock = threading.Lock()
    at_once = 0
    closing = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            nonlocal at_once
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                at_once += 1
                model.most_at_once = max(model.most_at_once, at_once)
                model.asked.append(body)
                model.keys.append(self.headers.get("Authorization", ""))
                trouble = model.troubles.pop(0) if model.troubles else None
            try:
                time.sleep(model.delay_s)
                self.reply(body, trouble)
            finally:
                with lock:
                    at_once -= 1

        def reply(self, body: dict, trouble: int | str | None) -> None:
            match trouble:
                case "hang up":
                    self.send_response(200)
                    self.send_header("Content-Length", "5000")
                    self.end_headers()
                    self.wfile.write(b'{"choices": [')
                    self.close_connection = True
                case "silent":
                    closing.wait(30)
                    self.close_connection = True
                case "garbage":
                    self.send(200, b"<html>not JSON at all")
                case "odd":
                    self.send(200, b'{"status": "fine"}')
                case int() as status:
                    self.send(status, b'{"error": {"message": "no"}}', retry_after="0.01")
                case _:
                    self.send(200, json.dumps(completion(model.answer, body)).encode())

        def send(self, status: int, raw: bytes, retry_after: str | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            if retry_after:
                self.send_header("Retry-After", retry_after)
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    model.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield model
    finally:
        closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def completion(answer: Callable[[Conversation], str], body: dict) -> dict:
    text = answer(body["messages"])
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body["model"],
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }  # fmt: skip
