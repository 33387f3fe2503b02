from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import app
from tests.indexer.store.conftest import Build, build, vectors

__all__ = ["build", "vectors"]


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})
    return done.exit_code, done.output


@pytest.fixture
def two_builds(build: Build) -> tuple[str, str]:
    first = build((range(10),), source_digest="1")
    second = build(source_digest="2")
    return first.manifest.build_id, second.manifest.build_id


def test_builds_are_listed_and_the_live_one_is_marked(
    two_builds: tuple[str, str], tmp_path: Path
) -> None:
    status, output = run("builds", "--indexes", tmp_path)
    assert status == 0
    marked = [line for line in output.splitlines() if "live" in line]
    assert len(marked) == 1
    assert two_builds[1] in marked[0]
    assert two_builds[0] in output


def test_going_back_and_deleting(two_builds: tuple[str, str], tmp_path: Path) -> None:
    assert run("rollback", "tiny", "--indexes", tmp_path)[0] == 0
    assert (tmp_path / "tiny" / "CURRENT").read_text().strip() == two_builds[0]
    status, output = run("prune", "--keep", 1, "--indexes", tmp_path)
    # The newest is kept because it is new, the older because it is live.
    assert (status, output) == (0, "")
    assert run("rollback", "tiny", two_builds[1], "--indexes", tmp_path)[0] == 0
    assert two_builds[0] in run("prune", "--keep", 1, "--indexes", tmp_path)[1]
    assert not (tmp_path / "tiny" / two_builds[0]).exists()


def test_damage_is_told_with_a_status(two_builds: tuple[str, str], tmp_path: Path) -> None:
    assert run("verify", "--indexes", tmp_path)[0] == 0
    (tmp_path / "tiny" / two_builds[1] / "records.arrow").write_bytes(b"x")
    status, output = run("verify", "--indexes", tmp_path)
    assert status == 1
    assert "records.arrow" in output
