"""`medsearch eval rag` from end to end: published formats, real indexes, a stand-in model."""

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import Result
from typer.testing import CliRunner

from indexer.datasets.registry import get_dataset
from indexer.errors import DatasetNotFoundError, QueryError
from indexer.records import TextRecord
from service import opening
from service.cli import app
from service.evaluation.rag.model import ModelRefusedError
from service.retrieval.encoding import QueryEncoders
from tests.service.stand_in_model import StandIn, stand_in

Run = Callable[..., Result]
README = Path(__file__).resolve().parents[3] / "README.md"
DRUGS = ["Aspirin", "Heparin", "Insulin", "Digoxin", "Morphine", "Lithium"]


def medqa_row(drug: str, number: int, right: str) -> dict:
    others = [one for one in DRUGS if one != drug][:2]
    options = dict(zip("ABCD", ["Placebo", *others, drug], strict=True))
    text = (
        f"Patient {number} suffers from a deficiency of {drug[:3]}. Which drug helps him {number}?"
    )
    return {"question": text, "options": options, "answer": options[right], "answer_idx": right}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """MedQA: six test questions, a training copy of the first, related training questions."""
    folder = tmp_path / "data" / "medqa" / "data_clean" / "questions" / "US"
    folder.mkdir(parents=True)
    test = [medqa_row(drug, number, "D") for number, drug in enumerate(DRUGS)]
    test.append(medqa_row("Aspirin", 99, "A"))
    train = [
        medqa_row(drug, number, "D") | {"question": f"Deficiency of {drug[:3]}: which drug?"}
        for number, drug in enumerate(DRUGS)
    ]
    train.append(test[0] | {"question": test[0]["question"].upper()})
    for name, rows in (("test", test), ("train", train)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return tmp_path / "data"


def add_calculations(data: Path) -> None:
    columns = ["Row Number", "Calculator Name", "Category", "Note Type", "Patient Note", "Question",
               "Relevant Entities", "Ground Truth Answer", "Lower Limit", "Upper Limit",
               "Ground Truth Explanation"]  # fmt: skip
    (data / "medcalc_bench").mkdir()
    for split, count in (("test", 2), ("train", 3)):
        with (data / "medcalc_bench" / f"{split}_data.csv").open("w", newline="") as stream:
            rows = csv.DictWriter(stream, columns)
            rows.writeheader()
            for number in range(count):
                rows.writerow(
                    dict.fromkeys(columns, "{}") | {
                        "Row Number": number + 1, "Calculator Name": "Body Mass Index (BMI)",
                        "Category": "physical", "Question": "What is the BMI?",
                        "Patient Note": f"{split} case {number * 7919} weighs {70 + number} kg.",
                        "Ground Truth Answer": "22.0", "Lower Limit": "20.9",
                        "Upper Limit": "23.1", "Ground Truth Explanation": "Weight by height.",
                    }
                )  # fmt: skip


@pytest.fixture
def run(tmp_path: Path, data: Path, kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Run:
    encoders = QueryEncoders(kit.loader(kit.HashEncoder()), kit.decode_grey)
    monkeypatch.setattr(opening, "_encoders", lambda *_: encoders)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDSEARCH_LLM_KEY", "a-secret-key")
    rows = get_dataset("medqa").iter_rows(data / "medqa")
    kit.publish(tmp_path / "indexes", "medqa", [one for one in rows if isinstance(one, TextRecord)])

    def invoke(*words: object, typed: str | None = None) -> Result:
        return CliRunner().invoke(
            app,
            ["eval", "rag", "--data", "data", *map(str, words)],
            env={"COLUMNS": "200"},
            input=typed,
        )

    return invoke


@pytest.fixture
def model() -> Iterator[StandIn]:
    with stand_in() as served:
        yield served


def medqa(run: Run, model: StandIn, *words: object, **typed: str) -> Result:
    where = ("--llm-url", model.url, "--model", "small", "--dataset", "medqa", "--no-plots")
    return run(*where, *words, **typed)


def results(folder: str = "reports/rag") -> dict:
    return json.loads((Path(folder) / "results.json").read_text("utf-8"))


def test_passages_help_a_model_that_reads_them(run: Run, model: StandIn) -> None:
    done = medqa(run, model, "--yes", "--passages", "1")
    assert done.exit_code == 0, done.output
    assert len(model.asked) == 14
    found = results()
    [one] = found["comparisons"]
    assert (one["questions"], one["without"]["mean"]) == (7, pytest.approx(1 / 7))
    assert one["helped"] >= 4
    assert one["difference"]["mean"] == pytest.approx((one["helped"] - one["hurt"]) / 7)
    assert found["decontamination"] == "split"
    assert found["tokens"] == [140, 70]
    shown = {name for out in one["outcomes"] for name in out["passages"]}
    assert shown
    assert all(name.startswith("medqa/train/") for name in shown)
    first = one["outcomes"][0]
    assert "medqa/train/us:7" not in first["passages"]  # the copy of the first question
    page = Path("reports/rag/report.md").read_text("utf-8")
    assert "| medqa | 7 |" in page
    assert "a-secret-key" not in page + done.output + Path("reports/rag/answers.jsonl").read_text()


def test_where_retrieval_hurt_is_told(run: Run, model: StandIn) -> None:
    assert medqa(run, model, "--yes", "--passages", "1").exit_code == 0
    [one] = results()["comparisons"]
    [hurt] = one["hurt_questions"]
    assert hurt["question_id"] == "medqa/test/us:7"  # its right answer is what the model guesses
    assert (hurt["without"]["right"], hurt["with"]["right"]) == (True, False)
    assert hurt["passages"]
    page = Path("reports/rag/report.md").read_text("utf-8")
    assert "where retrieval hurt" in page
    assert "`medqa/test/us:7`" in page


def test_a_second_run_asks_nothing_and_finds_the_same(run: Run, model: StandIn) -> None:
    assert medqa(run, model, "--yes").exit_code == 0
    before, asked = results(), len(model.asked)
    again = medqa(run, model)  # nothing to pay for, so nothing to agree to
    assert again.exit_code == 0, again.output
    assert "are at hand" in again.output
    assert len(model.asked) == asked
    assert results()["comparisons"] == before["comparisons"]


def test_the_cost_is_shown_and_asked_for(run: Run, model: StandIn) -> None:
    prices = ("--price-in", "2", "--price-out", "10", "--max-tokens", "1000")
    refused = medqa(run, model, *prices, typed="n\n")
    assert refused.exit_code == 1
    assert "14 requests to small" in refused.output
    assert "14,000 of answers, which cost 0." in refused.output
    assert model.asked == []
    agreed = medqa(run, model, *prices, typed="y\n")
    assert agreed.exit_code == 0, agreed.output
    assert len(model.asked) == 14


def test_failed_requests_are_told_and_repeated_by_the_next_run(run: Run, model: StandIn) -> None:
    model.troubles[:] = [400, 400]
    done = medqa(run, model, "--yes", "--concurrency", "1")
    assert done.exit_code == 1
    assert "2 without an answer" in done.output
    [one] = results()["comparisons"]
    assert (one["questions"], one["unanswered"]) == (6, 1)
    assert medqa(run, model, "--yes").exit_code == 0
    [one] = results()["comparisons"]
    assert (one["questions"], one["unanswered"]) == (7, 0)


def test_calculations_are_asked_too_and_a_plot_is_drawn(
    run: Run, model: StandIn, data: Path
) -> None:
    add_calculations(data)
    model.answer = lambda said: "Answer: 22.5 kg/m2" if "Weight by" in said[-1]["content"] else "?"
    done = run(
        "--llm-url", model.url, "--model", "m", "--yes", "--dataset", "medcalc_bench",
        "--dataset", "medqa", "--limit", "2", "--output", "out",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    names = [one["name"] for one in results("out")["comparisons"]]
    assert names == ["medcalc_bench", "medqa", "all"]
    assert results("out")["comparisons"][0]["unreadable"] == {"without": 2, "with": 2}
    assert (Path("out") / "accuracy.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_missing_is_said(run: Run, model: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEDSEARCH_LLM_URL", raising=False)
    assert isinstance(run("--no-plots").exception, QueryError)
    absent = medqa(run, model, "--yes", "--dataset", "jmed")
    assert isinstance(absent.exception, DatasetNotFoundError)
    assert isinstance(medqa(run, model, "--split", "validation").exception, QueryError)
    model.troubles[:] = [401] * 9
    assert isinstance(medqa(run, model, "--yes").exception, ModelRefusedError)


@pytest.mark.parametrize(
    "words",
    [
        ("--price-in", "1"),
        ("--price-out", "1"),
        ("--paraphrases", "."),
        ("--llm-url", "http://user:word@127.0.0.1/v1"),
        ("--llm-url", "127.0.0.1:11434"),
    ],
)
def test_options_that_would_be_ignored_are_refused(
    run: Run, model: StandIn, words: tuple[str, ...]
) -> None:
    done = medqa(run, model, "--yes", *words)
    assert isinstance(done.exception, QueryError)
    assert done.exception.remedy
    assert model.asked == []


def test_eval_without_a_name_still_measures_indexes(run: Run, tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["eval", "--help"], env={"COLUMNS": "200"})
    assert "--holdout" in shown.output
    assert "eval rag --help" in shown.output
    named = CliRunner().invoke(app, ["eval", "--indexes", str(tmp_path), "--no-plots", "--", "rag"])
    assert "rag" in str(named.exception)


def test_the_command_of_the_readme(
    run: Run, model: StandIn, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_calculations(data)
    section = README.read_text("utf-8").split("## Does it help your model?")[1].split("\n## ")[0]
    [line] = re.findall(r"^medsearch eval rag (.*--price-out.*)$", section, re.MULTILINE)
    assert "MEDSEARCH_LLM_URL=" in section
    monkeypatch.setenv("MEDSEARCH_LLM_URL", model.url)
    monkeypatch.setenv("MEDSEARCH_LLM_MODEL", "small")
    words = line.replace("--data DATA ", "").split()
    done = run(*words, "--dataset", "medqa", "--dataset", "medcalc_bench", typed="y\n")
    assert done.exit_code == 0, done.output
    assert Path("reports/rag/answers.jsonl").exists()


def test_the_evidence_is_measured_without_a_model(run: Run, data: Path, tmp_path: Path) -> None:
    add_calculations(data)
    pairs = tmp_path / "mqp.csv"
    pairs.write_text(
        '1,"Which drug helps?","What drug is of help?",1\n1,"Which drug helps?","Is it Hep?",0\n'
        '2,"Deficiency of Dig?","Is there too little Dig?",1\n',
        "utf-8",
    )
    done = run(
        "--retrieval-only", "--dataset", "medqa", "--dataset", "medcalc_bench",
        "--passages", "1", "--paraphrases", tmp_path, "--output", "out",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    found = {(one["questions"], one["measure"]): one for one in results("out")["measurements"]}
    options = found["medqa", "option's text in the first 1 hits"]["figures"]
    assert [figure["name"] for figure in options] == [
        "right option", "wrong option", "right - wrong",
    ]  # fmt: skip
    assert options[2]["mean"] == pytest.approx(options[0]["mean"] - options[1]["mean"])
    assert options[0]["mean"] > 0.5
    by_note = found["medcalc_bench, by the note", "right calculator, lexical"]
    assert "2 ask for calculators that no allowed record has" in by_note["note"]
    people = found["mqp", "first 10 hits of a question and of its paraphrase"]
    assert people["figures"][0]["queries"] == 2
    assert (Path("out") / "evidence.png").read_bytes().startswith(b"\x89PNG")
    assert "right calculator, dense" in (Path("out") / "report.md").read_text("utf-8")
    assert "right option" in done.output
