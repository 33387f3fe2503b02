import pytest

from indexer.encoders.base import Reranker
from indexer.encoders.rerankers import RERANKERS
from indexer.errors import EncoderUnavailableError, UnknownNameError
from service.retrieval.rerankers import Rerankers
from tests.service.retrieval.test_rerank import Clock, LengthReranker

KEY = "medcpt-cross"


def test_each_is_loaded_once() -> None:
    asked: list[str] = []

    def load(key: str) -> Reranker:
        asked.append(key)
        return LengthReranker()

    rerankers = Rerankers(load)
    assert rerankers.get(KEY) is rerankers.get(KEY)
    assert asked == [KEY]


def test_a_failure_is_kept_for_a_while_and_then_tried_again() -> None:
    clock = Clock()
    asked: list[str] = []

    def load(key: str) -> Reranker:
        asked.append(key)
        if len(asked) > 1:
            return LengthReranker()
        raise EncoderUnavailableError("not here")

    rerankers = Rerankers(load, clock)
    for _ in range(3):
        with pytest.raises(EncoderUnavailableError, match="not here"):
            rerankers.get(KEY)
    assert len(asked) == 1
    clock.now_s += 11
    assert rerankers.get(KEY).spec is RERANKERS[KEY]


@pytest.mark.parametrize("name", ["/etc", "local:../secret", "someone/model", "minilm", ""])
def test_a_client_cannot_name_a_folder_or_another_model(name: str) -> None:
    def refuse(_: str) -> Reranker:
        raise AssertionError("something was loaded")

    with pytest.raises(UnknownNameError, match="Known: bge-reranker-v2-m3, medcpt-cross"):
        Rerankers(refuse).get(name)
