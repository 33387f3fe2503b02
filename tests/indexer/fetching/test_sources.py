import re
import subprocess
import sys
from pathlib import Path

import pytest

from indexer.datasets.registry import all_datasets
from indexer.errors import AccessDeniedError, UnknownNameError
from indexer.fetching.base import FetchOptions
from indexer.fetching.fetch import open_fetch
from indexer.fetching.sources import SOURCES, HubSource, ManualSource, get_source


def test_every_dataset_has_a_source_and_every_source_a_dataset() -> None:
    assert set(SOURCES) == set(all_datasets())


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_names_its_page(name: str) -> None:
    source = get_source(name)
    assert source.origin.startswith("https://") or name in {"own_images", "pacs"}
    if isinstance(source, HubSource):
        assert source.files
        assert source.revision is None or re.fullmatch(r"[0-9a-f]{40}", source.revision)


@pytest.mark.parametrize("name", [n for n, s in SOURCES.items() if isinstance(s, ManualSource)])
def test_what_only_a_person_can_get_comes_with_its_steps(name: str, tmp_path: Path) -> None:
    with pytest.raises(AccessDeniedError) as caught, open_fetch(name, tmp_path, FetchOptions()):
        pass
    assert caught.value.remedy.startswith("1. ")


def test_an_unknown_name_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="murra"):
        get_source("murra")


def test_the_table_loads_no_client() -> None:
    code = (
        "import sys, service.cli.fetching, indexer.fetching.fetch\n"
        "print([m for m in ('httpx', 'huggingface_hub', 'kagglehub', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
