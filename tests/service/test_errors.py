import inspect

import pytest

from indexer import errors
from service.errors import NotReadyError, status_of, validation_response

EXPECTED = {
    "QueryError": 422, "RecordNotFoundError": 404, "UnknownNameError": 404,
    "IndexNotFoundError": 404, "DecodeError": 415, "NotAnImageError": 415,
    "LimitExceededError": 413, "EncoderError": 503, "EncoderUnavailableError": 503,
    "EncoderMismatchError": 503, "StoreError": 503, "CorruptBuildError": 503,
    "MapNotFoundError": 404,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_each_error_has_its_status(name: str) -> None:
    kind = getattr(errors, name)
    error = kind("index", "a", ["b"]) if name == "UnknownNameError" else kind("what")
    assert status_of(error) == EXPECTED[name]


def test_what_no_request_should_meet_is_the_servers_fault() -> None:
    assert status_of(errors.BadRecordError("rows.csv", 3, "odd")) == 500
    assert status_of(NotReadyError("soon")) == 503


def test_every_error_is_thought_of() -> None:
    leaves = {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.MedsearchError)
    }
    building = {
        "MedsearchError", "BadRecordError", "DatasetNotFoundError", "DatasetEmptyError",
        "BuildLockedError", "ReconciliationError", "ListenError", "TargetOccupiedError",
        "ReplayError", "FetchError", "AccessDeniedError", "DamagedDownloadError",
        "DownloadIncompleteError", "SourceFailedError", "SourceUnreachableError",
        "PacsError", "PacsProtocolError", "PacsUnreachableError", "PacsAccessError", "MirrorError",
        "WeakKeyError",
    }  # fmt: skip
    assert leaves == set(EXPECTED) | building


def test_only_the_first_problems_are_told() -> None:
    problem = {"type": "missing", "loc": ("body", "k"), "msg": "Field required", "input": "secret"}
    body = validation_response([problem] * 100).body
    assert body.count(b"Field required") == 20
    assert b"secret" not in body
