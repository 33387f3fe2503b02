import sys
from pathlib import Path

import pytest

from indexer.encoders.torchvision_shim import ensure_torchvision


@pytest.fixture
def other_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a package named torchvision before the installed one; return its __init__.py."""
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    folder = tmp_path / "torchvision"
    folder.mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    yield folder / "__init__.py"
    sys.modules.pop("torchvision", None)


def test_a_healthy_install_is_left_alone(other_torchvision: Path) -> None:
    other_torchvision.write_text("")
    assert ensure_torchvision.__wrapped__() is False


def test_another_failure_is_not_hidden(other_torchvision: Path) -> None:
    other_torchvision.write_text("raise RuntimeError('libcudart is broken')")
    with pytest.raises(RuntimeError, match="libcudart"):
        ensure_torchvision.__wrapped__()


def test_operators_that_are_missing_are_declared_before_a_second_try(
    other_torchvision: Path,
) -> None:
    other_torchvision.write_text(
        "import torch\n"
        "try:\n"
        "    torch.ops.torchvision.nms.default\n"
        "except AttributeError:\n"
        "    raise RuntimeError('operator torchvision::nms does not exist')\n"
    )
    ensure_torchvision.__wrapped__()
    assert "torchvision" in sys.modules
