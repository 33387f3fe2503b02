"""The service on a real socket of the loopback, for clients that want an address."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from fastapi import FastAPI

from service.cli.serving import listen, server_config


@contextmanager
def running(app: FastAPI, *, wait: bool = True) -> Iterator[str]:
    """Serve an application on a free port until the body ends; yield its address once ready."""
    listener = listen("127.0.0.1", 0)  # as `medsearch serve` does: no reply waits 40 ms
    server = uvicorn.Server(server_config(app, "127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        deadline = time.monotonic() + 30
        while wait and httpx.get(f"{address}/readyz").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield address
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
