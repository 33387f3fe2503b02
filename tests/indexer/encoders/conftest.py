"""Folders of small random models, one of each family, written once."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.indexer.encoders.tiny_models import WRITERS


@pytest.fixture(scope="session")
def family_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return what gives the folder of a family's model. It is shared: tests only read it."""
    root = tmp_path_factory.mktemp("families")

    def folder_of(family: str) -> Path:
        folder = root / family
        return folder if folder.is_dir() else WRITERS[family](folder)

    return folder_of


@pytest.fixture
def family_copy(family_folder: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """Return what gives a copy of a family's folder that a test may damage."""

    def copy(family: str) -> Path:
        return Path(shutil.copytree(family_folder(family), tmp_path / family))

    return copy
