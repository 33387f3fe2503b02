"""Requests as the tests of routes send them."""

from starlette.testclient import TestClient

JSON = {"content-type": "application/json"}


def post(client: TestClient, path: str, **body: object) -> dict:
    reply = client.post(path, json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


def refused(client: TestClient, path: str, status: int, **body: object) -> dict:
    reply = client.post(path, json=body)
    assert reply.status_code == status, reply.text
    error = reply.json()
    assert set(error) <= {"code", "message", "remedy", "details"}
    return error
