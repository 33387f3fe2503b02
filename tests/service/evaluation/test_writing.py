import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import MedsearchError
from service.evaluation.evaluation import compare
from service.evaluation.image_suite import run_image_tasks
from service.evaluation.image_tasks import Sampling
from service.evaluation.metrics import Figure
from service.evaluation.report_json import Report
from service.evaluation.report_markdown import show_figure
from service.evaluation.runs import read_qrels, read_run
from service.evaluation.worst import slug, worst_queries
from service.evaluation.writing import write_report
from tests.service.evaluation.test_evaluation import evaluation, result

JPEG = b"\xff\xd8 picture \xff\xd9"


@pytest.fixture
def report(images) -> Report:
    count = 60
    random = np.random.default_rng(5)
    pool = images(
        random.normal(size=(count, 2)),
        captions=[f"caption *{row}* | [x](y) <b>" for row in range(count)],
        modalities=np.array(["CT", "MRI"] * (count // 2)),
    )

    def encode(texts):
        return random.normal(size=(len(texts), 2)).astype(np.float32)

    results = tuple(run_image_tasks(pool, encode, Sampling()))
    one = evaluation(*results, picture=lambda name: JPEG)
    two = replace(one, encoder=replace(one.encoder, key="other"))
    differences = tuple(compare([one], [two]))
    return Report(
        command="medsearch eval", version="1", seed=0, evaluations=[one], differences=differences
    )


def test_a_report_has_a_page_figures_plots_pictures_and_trec_files(
    report: Report, tmp_path: Path
) -> None:
    page = write_report(report, tmp_path).read_text("utf-8")
    [one] = report.evaluations
    assert "## films with minilm" in page
    assert "| caption -> image | all | 60 | 60 | R@10 |" in page
    assert "## Differences" in page
    assert "caption -> image, R@10 by modality" in page
    for path in ("plots/films-minilm-recall-by-rank.png", "plots/films-minilm-by-modality.png"):
        assert f"]({path})" in page
        assert (tmp_path / path).read_bytes().startswith(b"\x89PNG")
    picture = f"pictures/films-{slug(str(worst_queries(one.results[0])[0].wanted))}.jpg"
    assert f"]({picture})" in page
    assert (tmp_path / picture).read_bytes() == JPEG
    assert "\\[x\\](y) \\<b\\>" in page
    stem = tmp_path / "trec" / "films-minilm-caption-image-all"
    first = one.results[0]
    assert read_run(stem.with_name(stem.name + ".run.gz")).keys() == set(first.ranked.query_ids)
    assert read_qrels(stem.with_name(stem.name + ".qrels.gz"))["d/all/0"]["d/all/0"] == 1


def test_the_json_holds_every_figure_and_no_nan(report: Report, tmp_path: Path) -> None:
    write_report(report, tmp_path, plots=False)
    written = json.loads((tmp_path / "results.json").read_text("utf-8"))
    [one] = written["evaluations"]
    first = one["tasks"][0]
    assert (first["task"], first["queries"], first["pool"]) == ("caption -> image", 60, 60)
    lead = first["figures"][0]
    assert lead["low"] <= lead["mean"] <= lead["high"]
    assert first["by"]["modality"]["CT"]["queries"] == 30
    assert written["differences"][0]["figure"]["mean"] == 0
    assert not (tmp_path / "plots").exists()


def test_plots_without_matplotlib_are_refused_with_a_remedy(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MedsearchError, match="need matplotlib") as caught:
        write_report(report, tmp_path)
    assert "medsearch[eval]" in caught.value.remedy


def test_the_worst_queries_come_first_one_for_each_case() -> None:
    one = result([0, 0, 0, 1], ranks=np.array([50.0, 900, 40, 1]), clusters=("p", "p", "q", "r"))
    worst = worst_queries(one)
    assert [query.query_id for query in worst] == ["b", "c"]
    assert (worst[0].rank, worst[0].wanted, worst[0].found) == (900, "x", "y")
    assert worst[0].text == "words of b"


def test_figures_are_shown_with_interval_and_chance() -> None:
    figure = Figure(name="R@1", mean=0.5, low=0.25, high=0.75, queries=9, chance=0.01)
    assert show_figure(figure) == "0.500 [0.250, 0.750] / 0.010"
    assert show_figure(replace(figure, chance=None)) == "0.500 [0.250, 0.750]"
    assert show_figure(replace(figure, queries=0)) == "-"
    rank = Figure(name="median rank", mean=12, low=3, high=40.5, queries=9, chance=50)
    assert show_figure(rank) == "12.0 [3.0, 40.5] / 50.0"


def test_names_of_files_are_plain() -> None:
    assert slug("image -> image, same body part") == "image-image-same-body-part"
