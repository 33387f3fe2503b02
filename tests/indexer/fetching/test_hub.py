import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.datasets.registry import get_dataset
from indexer.errors import (
    AccessDeniedError,
    DamagedDownloadError,
    SourceFailedError,
    SourceUnreachableError,
)
from indexer.fetching.base import FetchOptions, FetchPlan
from indexer.fetching.fetch import open_fetch
from indexer.fetching.receipt import read_receipt
from indexer.records import Reject
from tests.indexer.fetching.conftest import files_below
from tests.indexer.fetching.stand_ins import (
    Answer,
    HubStandIn,
    StandIn,
    cut,
    failing,
    ranged,
    serve,
    with_body,
)

Make = Callable[..., FetchOptions]

QUESTION = {"Question": "What is it?", "Complex_CoT": "Thinking.", "Response": "A cold."}
JSON_LIST = json.dumps([QUESTION | {"Question": f"What is it {n}?"} for n in range(5000)]).encode()


@pytest.fixture
def hub() -> Iterator[HubStandIn]:
    """The repository of medical-o1: a small file in git, a large one in LFS, one not wanted."""
    files = {
        "README.md": b"# card",
        "medical_o1_sft.json": JSON_LIST,
        "medical_o1_sft_Chinese.json": json.dumps([QUESTION]).encode(),
    }
    large = frozenset({"medical_o1_sft.json"})
    repository = "FreedomIntelligence/medical-o1-reasoning-SFT"
    with serve(HubStandIn(repository, files, large)) as stand_in:
        yield stand_in


def fetch(data: Path, options: FetchOptions, name: str = "medical_o1_sft") -> FetchPlan:
    with open_fetch(name, data, options) as opened:
        plan = opened.plan
        opened.run(lambda _piece, _done: None)
    return plan


def test_the_files_that_the_loader_reads_are_fetched(
    hub: HubStandIn, options: Make, tmp_path: Path
) -> None:
    plan = fetch(tmp_path, options(base_url=hub.url))
    assert (plan.pieces, plan.pieces_there, plan.revision) == (2, 0, hub.commit)
    assert plan.missing_bytes == sum(len(hub.files[name]) for name in hub.files if "o1" in name)
    root = tmp_path / "medical_o1_sft"
    wanted = {"medical_o1_sft.json", "medical_o1_sft_Chinese.json"}
    assert files_below(root) == {".medsearch.json", *wanted}
    rows = list(get_dataset("medical_o1_sft").iter_rows(root))
    assert len(rows) == 5001
    assert not [row for row in rows if isinstance(row, Reject)]
    receipt = read_receipt(root)
    assert receipt is not None
    assert (receipt.revision, receipt.licence) == (hub.commit, "Apache-2.0")
    with open_fetch("medical_o1_sft", tmp_path, options(base_url=hub.url)) as again:
        assert again.plan.is_done


def test_a_cut_file_goes_on_in_the_next_run(hub: HubStandIn, options: Make, tmp_path: Path) -> None:
    hub.faults["/cdn/"] = [cut(300_000), *[cut(0)] * 9]
    with pytest.raises(SourceUnreachableError):
        fetch(tmp_path, options(base_url=hub.url))
    assert not (tmp_path / "medical_o1_sft").exists()
    hub.faults.clear()
    plan = fetch(tmp_path, options(base_url=hub.url))
    assert plan.missing_bytes is not None
    assert plan.missing_bytes < len(JSON_LIST)
    assert hub.asked[-1].path.startswith("/datasets") or "Range" in hub.asked[-1].headers
    resumed = [one for one in hub.asked if "Range" in one.headers]
    assert resumed
    placed = tmp_path / "medical_o1_sft" / "medical_o1_sft.json"
    assert placed.read_bytes() == JSON_LIST


def test_an_unfinished_run_keeps_its_commit(hub: HubStandIn, options: Make, tmp_path: Path) -> None:
    hub.faults["/cdn/"] = [failing(500)] * 9
    with pytest.raises(SourceFailedError):
        fetch(tmp_path, options(base_url=hub.url))
    hub.faults.clear()
    fetch(tmp_path, options(base_url=hub.url))
    asked = [one.path for one in hub.asked if one.path.startswith("/api/")]
    assert asked[0].endswith("medical-o1-reasoning-SFT")
    assert asked[1].endswith(f"/revision/{hub.commit}")


@pytest.mark.parametrize("place", ["/cdn/", "Chinese"], ids=["sha256", "git"])
def test_other_bytes_than_the_hub_vouches_for_are_never_kept(
    place: str, hub: HubStandIn, options: Make, tmp_path: Path
) -> None:
    flip = with_body(lambda body: body[:-1] + bytes([body[-1] ^ 1]))
    hub.faults[place] = [flip, flip]
    with pytest.raises(DamagedDownloadError, match="other bytes"):
        fetch(tmp_path, options(base_url=hub.url))
    assert not (tmp_path / "medical_o1_sft").exists()
    hub.faults[place] = [flip]
    fetch(tmp_path, options(base_url=hub.url))
    assert (tmp_path / "medical_o1_sft" / "medical_o1_sft.json").read_bytes() == JSON_LIST


def test_a_file_that_is_too_long_is_refused(hub: HubStandIn, options: Make, tmp_path: Path) -> None:
    hub.faults["/cdn/"] = [with_body(lambda body: body + b"more")]
    with pytest.raises(DamagedDownloadError, match="more than"):
        fetch(tmp_path, options(base_url=hub.url))


def test_only_some_files_can_be_asked_for_and_the_rest_later(
    hub: HubStandIn, options: Make, tmp_path: Path
) -> None:
    assert fetch(tmp_path, options(base_url=hub.url, only=("*Chinese*",))).pieces == 1
    plan = fetch(tmp_path, options(base_url=hub.url))
    assert (plan.pieces, plan.pieces_there) == (2, 1)
    receipt = read_receipt(tmp_path / "medical_o1_sft")
    assert receipt is not None
    assert set(receipt.pieces) == {"medical_o1_sft.json", "medical_o1_sft_Chinese.json"}


def test_medqa_is_unpacked_without_its_textbooks(options: Make, tmp_path: Path) -> None:
    row = {"question": "Which?", "options": {"A": "a", "B": "b"}, "answer": "a", "answer_idx": "A"}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("data_clean/questions/US/dev.jsonl", json.dumps(row))
        archive.writestr("data_clean/textbooks/en/Anatomy.txt", "long")
    files = {"data_clean.zip": buffer.getvalue(), "med_qa.py": b"code"}
    stand_in = HubStandIn("bigbio/med_qa", files, frozenset({"data_clean.zip"}))
    stand_in.commit = "ddef95d268cdad413693d634279a9a679d468469"
    with serve(stand_in) as hub:
        fetch(tmp_path, options(base_url=hub.url), "medqa")
        with open_fetch("medqa", tmp_path, options(base_url=hub.url)) as again:
            assert again.plan.is_done
    root = tmp_path / "medqa"
    assert files_below(root) == {".medsearch.json", "data_clean/questions/US/dev.jsonl"}
    assert len(list(get_dataset("medqa").iter_rows(root))) == 1
    assert stand_in.asked[0].path.endswith(f"/revision/{stand_in.commit}")


@pytest.mark.parametrize(
    ("status", "headers", "error", "words"),
    [
        (401, {"X_Error_Code": "GatedRepo"}, AccessDeniedError, "accepted its licence"),
        (404, {"X_Error_Code": "RepoNotFound"}, SourceFailedError, "does not give"),
        (503, {}, SourceFailedError, "does not give"),
    ],
)
def test_a_hub_that_refuses_is_told(
    status: int, headers: dict[str, str], error: type[Exception], words: str,
    hub: HubStandIn, options: Make, tmp_path: Path,
) -> None:  # fmt: skip
    hub.faults["/api/"] = [failing(status, **headers)] * 9
    with pytest.raises(error, match=words):
        fetch(tmp_path, options(base_url=hub.url))


def test_a_repository_without_the_files_says_what_it_has(
    hub: HubStandIn, options: Make, tmp_path: Path
) -> None:
    with pytest.raises(SourceFailedError, match="no file nothing") as caught:
        fetch(tmp_path, options(base_url=hub.url, only=("nothing",)))
    assert "README.md" in caught.value.remedy


def test_a_name_outside_the_folder_is_refused(
    hub: HubStandIn, options: Make, tmp_path: Path
) -> None:
    hub.files = {"medical_o1_sft/../../evil.json": b"[]"}
    with pytest.raises(SourceFailedError, match="outside its folder"):
        fetch(tmp_path, options(base_url=hub.url))


def test_offline_is_told_at_once(options: Make, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachableError, match="No answer from the hub") as caught:
        fetch(tmp_path, options(base_url="http://127.0.0.1:9"))
    assert "HF_ENDPOINT" in caught.value.remedy


def test_the_token_is_shown_to_the_hub_and_to_nobody_else(
    hub: HubStandIn, options: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with serve(StandIn(lambda asked: ranged(asked, JSON_LIST))) as elsewhere:
        moved = Answer(302, b"", {"Location": f"{elsewhere.url}/cdn"})
        hub.faults[f"{hub.commit}/medical_o1_sft.json"] = [lambda _answer: moved]
        fetch(tmp_path, options(base_url=hub.url))
    shown = [one.headers.get("Authorization") for one in hub.asked if "/resolve/" in one.path]
    assert set(shown) == {"Bearer hf_secret"}
    assert "authorization" not in {name.lower() for name in elsewhere.asked[0].headers}
