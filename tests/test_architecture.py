"""Who may import whom. The rooms of the house, checked from the imports themselves."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# room -> the rooms of this project that it may import from (itself always included).
MAY_IMPORT = {
    "indexer.errors": set(),
    "indexer.records": set(),
    "indexer.pixels": {"indexer.errors", "indexer.records", "indexer.encoders"},
    "indexer.text": {"indexer.errors", "indexer.records"},
    "indexer.datasets": {"indexer.errors", "indexer.records", "indexer.pixels", "indexer.text"},
    "indexer.encoders": {"indexer.errors", "indexer.records", "indexer.pixels"},
    "indexer.store": {"indexer.errors", "indexer.records", "indexer.text", "indexer.encoders"},
    "indexer.calibration": {
        "indexer.records", "indexer.pixels", "indexer.text", "indexer.encoders", "indexer.store",
    },
    "indexer.projection": {"indexer.store"},
    "indexer.pacs": {"indexer.errors", "indexer.datasets", "indexer.pixels", "indexer.store"},
    "indexer.sample": {"indexer.errors", "indexer.pixels"},
    "service.retrieval": {
        "indexer.errors", "indexer.records", "indexer.pixels", "indexer.text",
        "indexer.encoders", "indexer.store",
    },
}  # fmt: skip
# The command line starts everything, so it alone reaches across.
SERVICE_MAY_IMPORT = {
    "indexer.errors", "indexer.records", "indexer.pixels", "indexer.text",
    "indexer.encoders", "indexer.store", "indexer.pacs",
    "indexer.embedding", "indexer.calibration",  # evaluations build as all indexes are built
}  # fmt: skip


def modules(package: str) -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {name for name in found if name.split(".")[0] in {"indexer", "service"}}


def room(name: str) -> str:
    return ".".join(name.split(".")[:2])


@pytest.mark.parametrize(("name", "path"), list(modules("indexer")), ids=lambda v: str(v)[-60:])
def test_the_indexer_never_imports_the_service(name: str, path: Path) -> None:
    assert not [found for found in imports(path) if found.startswith("service")]


@pytest.mark.parametrize("owner", sorted(MAY_IMPORT))
def test_a_room_imports_only_from_the_rooms_it_may(owner: str) -> None:
    allowed = MAY_IMPORT[owner] | {owner}
    strays = {
        f"{name} -> {found}"
        for name, path in modules(owner.split(".")[0])
        if room(name) == owner
        for found in imports(path)
        if room(found) not in allowed
    }
    assert not strays


def test_the_service_reaches_only_the_open_rooms_of_the_indexer() -> None:
    strays = {
        f"{name} -> {found}"
        for name, path in modules("service")
        if room(name) != "service.cli"
        for found in imports(path)
        if found.startswith("indexer.") and room(found) not in SERVICE_MAY_IMPORT
    }
    assert not strays


def test_no_modules_import_each_other_not_even_for_types() -> None:
    paths = {name: path for package in ("indexer", "service") for name, path in modules(package)}
    graph = {
        name: {
            found if found in paths else found.rpartition(".")[0] for found in imports(path)
        } - {name}
        for name, path in paths.items()
    }  # fmt: skip
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))
    assert set(paths) <= set(order)


@pytest.mark.parametrize("module", ["service.app", "service.cli"])
def test_importing_the_front_doors_loads_no_model_library(module: str) -> None:
    heavy = [
        "torch",
        "faiss",
        "transformers",
        "sentence_transformers",
        "open_clip",
        "tantivy",
        "jieba",
        "mcp",
    ]
    program = f"import sys, {module}; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_no_package_stands_at_the_top_beside_the_ones_agreed() -> None:
    tops = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert tops == {"indexer", "service"}
