"""`search --receipt` and `replay`, over indexes that grow and are pruned meanwhile."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from indexer.errors import IndexNotFoundError, QueryError
from indexer.store.index_set import IndexSet
from indexer.store.publish import prune
from service import opening
from service.cli import app
from service.opening import assemble
from service.retrieval.encoding import QueryEncoders
from service.retrieval.query import Query, Rerank, TextSource

Run = Callable[..., Result]


@pytest.fixture
def scans(tmp_path: Path, kit: SimpleNamespace) -> Callable[[int], None]:
    def publish(count: int) -> None:
        records = [
            kit.image_record(
                "scans", n, case_id=f"p{n}", labels=("[red]odd" if n % 2 else "even",)
            )
            for n in range(count)
        ]  # fmt: skip
        kit.publish(tmp_path / "indexes", "scans", records)

    publish(12)
    (tmp_path / "scan").write_bytes(b"grey 3")
    return publish


@pytest.fixture
def run(tmp_path: Path, kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Run:
    encoders = QueryEncoders(kit.loader(kit.HashEncoder()), kit.decode_grey)
    monkeypatch.setattr(opening, "_encoders", lambda *_: encoders)
    monkeypatch.chdir(tmp_path)

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})

    return invoke


def test_a_search_is_replayed_though_the_index_has_grown(
    scans: Callable[[int], None], run: Run, tmp_path: Path
) -> None:
    searched = run("search", "--image", "scan", "--receipt", "r.json", "--json")
    assert searched.exit_code == 0, searched.output
    before = json.loads(searched.stdout)
    assert before["receipt"] == json.loads((tmp_path / "r.json").read_text())
    scans(30)
    replayed = run("replay", "r.json", "--image", "scan", "--json")
    assert replayed.exit_code == 0, replayed.output
    assert json.loads(replayed.stdout)["hits"] == before["hits"]
    now = json.loads(run("search", "--image", "scan", "--json").stdout)
    assert now["builds"] != before["builds"]
    (tmp_path / "reply.json").write_text(searched.stdout)
    assert run("replay", "reply.json", "--image", "scan").exit_code == 0


def test_what_stands_in_the_way_is_told(
    scans: Callable[[int], None], run: Run, tmp_path: Path
) -> None:
    assert run("search", "--image", "scan", "--receipt", "r.json").exit_code == 0
    (tmp_path / "other").write_bytes(b"grey 4")
    assert isinstance(run("replay", "r.json", "--image", "other").exception, QueryError)
    assert isinstance(run("replay", "gone.json").exception, QueryError)
    assert isinstance(run("replay", "other").exception, QueryError)
    scans(30)
    prune(tmp_path / "indexes" / "scans", keep=1)
    assert isinstance(run("replay", "r.json", "--image", "scan").exception, IndexNotFoundError)


class LikesHigh:
    """A reranker that likes high numbers."""

    def score(self, query: str, texts: Sequence[str]) -> np.ndarray:
        return np.array([float(text.removeprefix("grey ")) for text in texts])


@pytest.mark.usefixtures("scans")
def test_a_reranked_search_is_replayed(
    run: Run, tmp_path: Path, kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    rerankers = SimpleNamespace(get=lambda _: LikesHigh())
    monkeypatch.setattr(opening, "open_rerankers", lambda _: rerankers)
    indexes = IndexSet(tmp_path / "indexes")
    opened = assemble(indexes, QueryEncoders(kit.loader(kit.HashEncoder())), rerankers)
    stage = Rerank(encoder="high", budget_ms=1e6)
    query = Query(target="images", source=TextSource("grey 3"), k=12, rerank=stage)
    reply = opened.retriever.search(query)
    (tmp_path / "r.json").write_text(reply.receipt.to_json())
    replayed = run("replay", "r.json", "--json")
    assert replayed.exit_code == 0, replayed.output
    found = [hit["record_id"] for hit in json.loads(replayed.stdout)["hits"]]
    assert found == [f"scans/train/{n}" for n in range(11, -1, -1)]


@pytest.mark.usefixtures("scans")
def test_facets_and_evidence_are_printed_short_and_plain(run: Run) -> None:
    output = run("search", "--image", "scan", "--facet", "labels", "--facet", "sex").output
    assert "labels: [red]odd 6, even 6" in output
    assert "sex: nothing stated" in output
    assert re.search(r"\d of the 10 nearest labelled cases: \[red\]odd \(95 % interval", output)
    assert "diagnos" not in output.split("nearest labelled")[1].split("Research use")[0]
