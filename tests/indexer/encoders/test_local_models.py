from pathlib import Path

import pytest

from indexer.encoders.catalogue import get_spec
from indexer.encoders.local_models import (
    find_companion,
    find_own_copy,
    find_snapshot,
    hub_cache_folder,
    unavailable,
)

COMMIT = "d83a36cc6b8e3a5c5e9d9d6ba156808c1643dcbc"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    base = tmp_path / "models--ncbi--MedCPT-Query-Encoder"
    (base / "snapshots" / COMMIT).mkdir(parents=True)
    (base / "refs").mkdir()
    (base / "refs" / "main").write_text(COMMIT)
    return tmp_path


@pytest.mark.parametrize("revision", [COMMIT, "main"])
def test_a_cached_snapshot_is_found_by_commit_and_by_branch(cache: Path, revision: str) -> None:
    found = find_snapshot("ncbi/MedCPT-Query-Encoder", revision, {"HF_HUB_CACHE": str(cache)})
    assert found is not None
    assert found.name == COMMIT


@pytest.mark.parametrize("revision", ["v2", "0" * 40])
def test_another_revision_is_not_taken_for_it(cache: Path, revision: str) -> None:
    environment = {"HF_HUB_CACHE": str(cache)}
    assert find_snapshot("ncbi/MedCPT-Query-Encoder", revision, environment) is None


def test_the_cache_lies_where_the_hub_client_keeps_it() -> None:
    assert hub_cache_folder({"HF_HOME": "/h", "HF_HUB_CACHE": "/c"}) == Path("/c")
    assert hub_cache_folder({"HF_HOME": "/h"}) == Path("/h/hub")
    assert hub_cache_folder({"XDG_CACHE_HOME": "/x"}) == Path("/x/huggingface/hub")
    assert hub_cache_folder({}) == Path("~/.cache/huggingface/hub").expanduser()


def test_an_own_copy_lies_under_its_key(tmp_path: Path) -> None:
    (tmp_path / "bge-m3").mkdir()
    environment = {"MEDSEARCH_MODELS": str(tmp_path)}
    assert find_own_copy("bge-m3", environment) == tmp_path / "bge-m3"
    assert find_own_copy("medcpt", environment) is None
    assert find_own_copy("bge-m3", {}) is None


def test_a_companion_is_looked_for_at_its_own_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    base = tmp_path / "models--ncbi--MedCPT-Article-Encoder"
    (base / "snapshots" / "abc").mkdir(parents=True)
    assert find_companion(get_spec("medcpt"), "ncbi/MedCPT-Article-Encoder") is None
    (base / "refs").mkdir()
    (base / "refs" / "main").write_text("abc\n")
    found = find_companion(get_spec("medcpt"), "ncbi/MedCPT-Article-Encoder")
    assert found == base / "snapshots" / "abc"


def test_what_is_missing_names_the_command_and_the_folder() -> None:
    message = str(unavailable(get_spec("medsiglip")))
    assert "medsearch encoders get medsiglip" in message
    assert "$MEDSEARCH_MODELS/medsiglip" in message
    assert "licence" in message
    assert "licence" not in str(unavailable(get_spec("bge-m3")))
