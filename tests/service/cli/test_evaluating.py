"""`medsearch eval` from end to end, with an encoder made of hashes."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from service.cli import app, evaluation_pools

COUNT = 24


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """A folder in the pool's layout: grey squares, two to a case, of two sources."""
    folder = tmp_path / "held-out"
    (folder / "images").mkdir(parents=True)
    rows = []
    for number in range(COUNT):
        noise = np.random.default_rng(number).integers(0, 255, (32, 32), np.uint8)
        noise[0] = number
        Image.fromarray(noise).save(folder / "images" / f"{number}.png")
        rows.append(
            {
                "file": f"images/{number}.png", "text": f"grey {number}",
                "text_long": f"a longer text about grey {number}", "text_kind": "caption",
                "modality": "CT" if number % 2 else "MRI", "body_part": "brain",
                "labels": ["tumour"], "patient_id": f"p{number // 2}",
                "source": "first" if number < COUNT // 2 else "second",
            }
        )  # fmt: skip
    (folder / "pool.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return folder


@pytest.fixture
def encoders(monkeypatch: pytest.MonkeyPatch, kit) -> None:
    loaded = {name: kit.HashEncoder(name) for name in ("builtin", "minilm", "other")}
    loaded["e5-small-zh"] = kit.HashEncoder("e5-small-zh", languages=("zh",))

    def load(name: str, device: str | None = None):
        return loaded[name]

    monkeypatch.setattr("indexer.encoders.selection.load_encoder", load)
    monkeypatch.setattr("indexer.encoders.load.load_encoder", lambda name, **_: kit.HashEncoder())


def run(*arguments: object) -> tuple[int, str, BaseException | None]:
    result = CliRunner().invoke(app, ["eval", *map(str, arguments)])
    return result.exit_code, result.output, result.exception


def figures(folder: Path) -> dict[tuple[str, str, str, str], dict]:
    written = json.loads((folder / "results.json").read_text("utf-8"))
    return {
        (one["pool"], task["subset"], task["task"], figure["name"]): figure
        for one in written["evaluations"]
        for task in one["tasks"]
        for figure in task["figures"]
    }


@pytest.mark.usefixtures("encoders")
def test_a_held_out_folder_is_built_measured_and_audited(pool: Path, tmp_path: Path) -> None:
    output = tmp_path / "report"
    code, printed, error = run(
        "--holdout", pool, "--indexes", tmp_path / "none", "--output", output,
        "--trained-on", pool, "--no-plots",
    )  # fmt: skip
    assert code == 0, error
    assert "caption -> image" in printed
    found = figures(output)
    assert found["held-out", "all", "caption -> image", "R@10"]["queries"] == COUNT
    assert ("held-out", "all", "long text -> image", "R@10") in found
    alike = found["held-out", "all", "image -> image, same source", "P@10"]
    assert alike["chance"] == pytest.approx(10 / 22)
    [one] = json.loads((output / "results.json").read_text("utf-8"))["evaluations"]
    assert (one["records"], one["cases"], one["encoder"]) == (COUNT, COUNT // 2, "builtin")
    [audit] = [audit for audit in one["audits"] if audit["kind"] == "training"]
    assert (audit["exact"], audit["shared_cases"]) == (COUNT, COUNT // 2)
    assert one["contaminated"]
    assert sorted(path.name for path in output.iterdir()) == [
        "pictures", "report.md", "results.json", "trec",
    ]  # fmt: skip


@pytest.mark.usefixtures("encoders")
def test_two_encoders_are_compared_on_one_pool(pool: Path, tmp_path: Path) -> None:
    code, printed, error = run(
        "--holdout", pool, "--compare", "builtin", "other", "--output", tmp_path / "report",
        "--indexes", tmp_path / "none", "--no-plots",
    )  # fmt: skip
    assert code == 0, error
    assert "builtin - other" in printed
    written = json.loads((tmp_path / "report" / "results.json").read_text("utf-8"))
    assert {one["encoder"] for one in written["evaluations"]} == {"builtin", "other"}
    between = [one for one in written["differences"] if one["first"] == "builtin"]
    assert between
    assert all(one["figure"]["mean"] == 0 for one in between)


@pytest.mark.usefixtures("encoders")
def test_judged_texts_are_asked_in_every_manner(tmp_path: Path) -> None:
    judged = tmp_path / "judged"
    judged.mkdir()
    lines = [f"1,What is disease {n}?,Explain disease {n},1" for n in range(6)]
    (judged / "mqp.csv").write_text("\n".join(lines), "utf-8")
    code, printed, error = run("--relevance", judged, "--output", tmp_path / "report", "--no-plots")
    assert code == 0, error
    found = figures(tmp_path / "report")
    for manner in ("dense", "lexical", "hybrid"):
        assert ("mqp", "mqp", f"question -> question, {manner}", "R@1") in found
    assert "hybrid - dense" in printed


@pytest.mark.usefixtures("encoders")
def test_built_indexes_are_measured_alone_and_together(indexes_dir: Path, tmp_path: Path) -> None:
    code, _, error = run("--indexes", indexes_dir, "--output", tmp_path / "report", "--no-plots")
    assert code == 0, error
    pools = {pool for pool, *_ in figures(tmp_path / "report")}
    assert {"scans", "asked"} <= pools
    written = json.loads((tmp_path / "report" / "results.json").read_text("utf-8"))
    assert "all image indexes" in {one["pool"] for one in written["evaluations"]}


def test_an_index_without_its_encoder_is_left_out_and_told(
    indexes_dir: Path, tmp_path: Path, kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit.publish(tmp_path, "fine", [kit.text_record("fine", number) for number in range(8)])
    stranger = kit.HashEncoder("stranger")
    kit.publish(tmp_path, "odd", [kit.text_record("odd", number) for number in range(8)], stranger)
    known = kit.loader(kit.HashEncoder())
    monkeypatch.setattr("indexer.encoders.load.load_encoder", lambda name, **_: known(name))
    code, printed, _ = run("--indexes", tmp_path, "--output", tmp_path / "report", "--no-plots")
    assert code == 1
    assert "No weights of 'stranger'" in printed
    assert {pool for pool, *_ in figures(tmp_path / "report")} == {"fine"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--compare", "a", "b"], "measured with the encoder that it was built with"),
        (["nobody"], "no index named 'nobody'"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    arguments: list[str], message: str, indexes_dir: Path
) -> None:
    code, _, error = run(*arguments, "--indexes", indexes_dir, "--no-plots")
    assert code == 1
    assert message in str(error)


def test_plots_that_cannot_be_drawn_are_told_before_anything_is_measured(
    indexes_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    code, _, error = run("--indexes", indexes_dir)
    assert code == 1
    assert "Plots need matplotlib" in str(error)


def test_an_empty_folder_of_indexes_is_named(tmp_path: Path) -> None:
    code, _, error = run("--indexes", tmp_path, "--no-plots")
    assert code == 1
    assert "There is no index" in str(error)


def test_side_columns_are_read_by_file(pool: Path) -> None:
    sides = evaluation_pools.read_sides(pool)
    assert len(sides) == COUNT
    assert sides["images/3.png"].source == "first"
    assert sides["images/3.png"].long_text == "a longer text about grey 3"
