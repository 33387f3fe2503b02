import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from indexer.errors import AccessDeniedError, FetchError, MedsearchError
from indexer.fetching.sources import SOURCES, ManualSource
from service.cli import app, main
from tests.indexer.fetching.conftest import esca_series, nbia
from tests.indexer.fetching.stand_ins import HubStandIn, NbiaStandIn, failing, serve

__all__ = ["esca_series", "nbia"]

JMED = b'{"id": 1, "question": "\\u95ee", "options": {"A": "a", "B": "b"}, "answer": ["A"]}\n'


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "300"})


def failure(result: Result) -> MedsearchError:
    assert isinstance(result.exception, MedsearchError), result.output
    return result.exception


@pytest.fixture
def hub() -> Iterator[HubStandIn]:
    with serve(HubStandIn("jdh-algo/JMED", {"JMED.jsonl": JMED}, frozenset())) as stand_in:
        yield stand_in


def test_terms_and_size_are_shown_before_it_starts(hub: HubStandIn, tmp_path: Path) -> None:
    result = run("datasets", "get", "jmed", "--data", tmp_path, "--base-url", hub.url)
    assert "not stated by the publisher" in result.output
    assert "arXiv:2502.18274" in result.output
    assert f"commit {hub.commit[:12]}: 1 files, 0 of them there, 0.0 MB to fetch" in result.output
    assert isinstance(failure(result), FetchError)
    assert "--yes" in failure(result).remedy
    assert hub.count("/resolve/") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_is_fetched_found_and_not_fetched_again(hub: HubStandIn, tmp_path: Path) -> None:
    words = ("datasets", "get", "jmed", "--data", tmp_path, "--base-url", hub.url, "--yes")
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert f"medsearch index jmed --data {tmp_path}" in result.output
    listed = run("datasets", "--data", tmp_path)
    assert "jsonl" in listed.output
    again = run(*words)
    assert (again.exit_code, hub.count("/resolve/")) == (0, 1)
    assert "already" in again.output


def test_the_options_for_series_reach_the_service(nbia: NbiaStandIn, tmp_path: Path) -> None:
    words = ("datasets", "get", "tcga_esca", "--data", tmp_path, "--base-url", nbia.base_url)
    result = run(*words, "--limit", 2, "--modality", "CT", "--yes")
    assert result.exit_code == 0, result.output
    assert "2 series" in result.output
    every = run(*words, "--modality", "all")
    assert f"{len(nbia.series)} series, 2 of them there" in every.output


def test_a_service_that_fails_ends_in_an_error(nbia: NbiaStandIn, tmp_path: Path) -> None:
    nbia.faults["getSeries"] = [failing(500)]
    result = run(
        "datasets", "get", "tcga_esca", "--data", tmp_path, "--base-url", nbia.base_url,
        "--yes", "--attempts", 1,
    )  # fmt: skip
    assert result.exit_code == 1
    assert "HTTP 500" in failure(result).message


def test_what_needs_a_registration_comes_with_its_steps(tmp_path: Path) -> None:
    result = run("datasets", "get", "mura", "--data", tmp_path)
    assert "no redistribution" in result.output
    error = failure(result)
    assert isinstance(error, AccessDeniedError)
    assert "https://aimi.stanford.edu/datasets/mura-msk-xrays" in error.remedy
    assert "medsearch datasets check mura" in error.remedy


def test_an_archive_got_by_hand_is_checked_and_put_in_place(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "jmed.zip", "w") as packed:
        packed.writestr("JMED.jsonl", JMED + b"{}\n")
    result = run("datasets", "check", "jmed", tmp_path / "jmed.zip", "--data", tmp_path / "data")
    assert result.exit_code == 0, result.output
    assert "Layout: jsonl. Records: 1 test." in result.output
    assert "Cannot be read (bad_row): 1" in result.output
    assert "JMED.jsonl:2" in result.output
    assert (tmp_path / "data" / "jmed" / "JMED.jsonl").is_file()


def test_a_folder_that_lacks_parts_is_named_and_fails(tmp_path: Path) -> None:
    study = tmp_path / "valid" / "XR_WRIST" / "patient1" / "study1_positive"
    study.mkdir(parents=True)
    (study / "image1.png").touch()
    result = run("datasets", "check", "mura", tmp_path)
    assert result.exit_code == 1
    assert "valid has 1 images of 3,197" in result.output
    assert run("datasets", "check", "mura", tmp_path, "--partial").exit_code == 0


@pytest.mark.parametrize("name", SOURCES)
def test_show_names_the_source_and_the_command(name: str) -> None:
    output = run("datasets", "show", name).output
    assert SOURCES[name].origin in output
    expected = not isinstance(SOURCES[name], ManualSource)
    assert (f"medsearch datasets get {name}" in output) is expected


@pytest.mark.parametrize(
    ("name", "option"),
    [("jmed", "--limit=3"), ("tcga_esca", "--only=x"), ("cancer_ct", "--base-url=http://x")],
)
def test_an_option_that_would_be_ignored_is_refused(name: str, option: str, tmp_path: Path) -> None:
    result = run("datasets", "get", name, option, "--data", tmp_path)
    assert result.exit_code == 2
    assert f"knows no {option.partition('=')[0]}" in result.output


def test_an_unfinished_download_is_listed(nbia: NbiaStandIn, tmp_path: Path) -> None:
    nbia.faults["getImage"] = [failing(404)] * 2
    words = ("datasets", "get", "tcga_esca", "--data", tmp_path, "--base-url", nbia.base_url)
    assert run(*words, "--limit", 1, "--yes").exit_code == 1
    assert "a download waits to go on" in run("datasets", "--data", tmp_path).output


def test_what_others_wrote_is_shown_as_it_is(
    nbia: NbiaStandIn, hub: HubStandIn, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for one in nbia.series.values():
        one.row["SeriesDescription"] = "[/bold] \x1b[2J CHEST"
    words = ["datasets", "get", "tcga_esca", "--data", tmp_path, "--base-url", nbia.base_url, "-y"]
    assert run(*words).exit_code == 0
    hub.files = {"[/red]": b""}
    words = ["datasets", "get", "jmed", "--data", tmp_path, "--base-url", hub.url]
    monkeypatch.setattr(sys, "argv", ["medsearch", *map(str, words)])
    with pytest.raises(SystemExit, match="1"):
        main()
    assert "What it holds: [/red]." in capsys.readouterr().err


def test_the_name_of_an_extra_survives_the_console(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    monkeypatch.setattr(
        sys, "argv", ["medsearch", "datasets", "get", "cancer_ct", "--data", str(tmp_path)]
    )
    with pytest.raises(SystemExit, match="1"):
        main()
    assert "medsearch[kaggle]" in "".join(capsys.readouterr().err.split())
