from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import huggingface_hub
import pytest
from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError

from indexer.encoders.fetch import fetch_encoder
from indexer.errors import EncoderUnavailableError, UnknownNameError

Calls = list[tuple[str, str, tuple[str, ...]]]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Calls]:
    """Return what puts a hub in place that gives `files`; it records what is asked of it."""

    def install(*files: str) -> Calls:
        calls: Calls = []

        def download(
            repository: str, *, revision: str, allow_patterns: list[str], ignore_patterns: list[str]
        ) -> str:
            calls.append((repository, revision, tuple(allow_patterns)))
            for name in files:
                if any(Path(name).match(pattern) for pattern in allow_patterns):
                    (tmp_path / name).touch()
            return str(tmp_path)

        monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
        return calls

    return install


def test_safetensors_are_preferred_to_pickles(hub: Callable[..., Calls], tmp_path: Path) -> None:
    calls = hub("model.safetensors", "pytorch_model.bin", "config.json")
    assert fetch_encoder("bge-m3") == [tmp_path]
    assert [call[0] for call in calls] == ["BAAI/bge-m3"]
    assert not (tmp_path / "pytorch_model.bin").exists()
    assert (tmp_path / "config.json").exists()


def test_pickles_are_fetched_where_there_is_nothing_else(
    hub: Callable[..., Calls], tmp_path: Path
) -> None:
    hub("pytorch_model.bin")
    fetch_encoder("bge-base-zh")
    assert (tmp_path / "pytorch_model.bin").exists()


def test_a_reranker_is_fetched_like_an_encoder(hub: Callable[..., Calls], tmp_path: Path) -> None:
    calls = hub("pytorch_model.bin", "config.json")
    assert fetch_encoder("medcpt-cross") == [tmp_path]
    assert calls[0][:2] == ("ncbi/MedCPT-Cross-Encoder", "71caf65d4927987813984f54c284405a13fcca49")
    assert (tmp_path / "pytorch_model.bin").exists()


def test_the_pinned_revision_is_asked_for(hub: Callable[..., Calls]) -> None:
    calls = hub("model.safetensors")
    fetch_encoder("bge-m3")
    assert calls[0][1] == "5617a9f61b028005a4858fdac845db406aefb181"


def test_of_a_text_tower_only_the_configuration_is_fetched(hub: Callable[..., Calls]) -> None:
    calls = hub("open_clip_pytorch_model.bin")
    fetch_encoder("biomedclip")
    own, companion = calls[0], calls[-1]
    assert own[0].startswith("microsoft/BiomedCLIP")
    assert "*.safetensors" in own[2]
    assert companion[0] == "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract"
    assert not any("safetensors" in name or ".bin" in name for name in companion[2])


def test_both_towers_of_medcpt_are_fetched(hub: Callable[..., Calls]) -> None:
    calls = hub("model.safetensors")
    heard: list[str] = []
    fetch_encoder("medcpt", report=heard.append)
    assert [call[0] for call in calls] == [
        "ncbi/MedCPT-Query-Encoder",
        "ncbi/MedCPT-Article-Encoder",
    ]
    assert heard == [
        "ncbi/MedCPT-Query-Encoder (d83a36cc6b8e)",
        "ncbi/MedCPT-Article-Encoder (main)",
    ]


def test_the_built_in_encoder_needs_its_text_tower_only(hub: Callable[..., Calls]) -> None:
    calls = hub("model.safetensors")
    fetch_encoder("builtin")
    assert [call[0] for call in calls] == ["sentence-transformers/all-MiniLM-L6-v2"]


@pytest.mark.parametrize(
    "failure", [LocalEntryNotFoundError("no connection"), TimeoutError("slow"), RuntimeError("x")]
)
def test_an_unreachable_hub_names_the_other_ways(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", Mock(side_effect=failure))
    with pytest.raises(EncoderUnavailableError, match="cannot be fetched") as caught:
        fetch_encoder("bge-m3")
    assert "HF_ENDPOINT" in caught.value.remedy
    assert "$MEDSEARCH_MODELS/bge-m3" in caught.value.remedy


def test_a_gated_model_says_where_its_licence_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = GatedRepoError("403", response=Mock(headers={}, request=Mock()))
    monkeypatch.setattr(huggingface_hub, "snapshot_download", Mock(side_effect=failure))
    with pytest.raises(EncoderUnavailableError, match="accepted its licence") as caught:
        fetch_encoder("medsiglip")
    assert "https://huggingface.co/google/medsiglip-448" in caught.value.remedy


def test_a_repository_without_weights_is_told(hub: Callable[..., Calls]) -> None:
    hub("config.json")
    with pytest.raises(EncoderUnavailableError, match="no weights"):
        fetch_encoder("bge-m3")


def test_an_unknown_key_is_told() -> None:
    with pytest.raises(UnknownNameError):
        fetch_encoder("bge-m4")


def test_what_ships_with_medsearch_is_not_fetched(hub: Callable[..., Calls]) -> None:
    calls = hub()
    [folder] = fetch_encoder("e5-small-zh")
    assert (folder / "text_tower.safetensors").is_file()
    assert calls == []
