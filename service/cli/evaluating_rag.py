"""`medsearch eval rag`: whether retrieval helps a language model."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

import typer

from indexer.errors import QueryError

if TYPE_CHECKING:
    from service.evaluation.rag.model import Endpoint

KEY_VARIABLE = "MEDSEARCH_LLM_KEY"
LevelName: TypeAlias = Literal["dataset", "split", "question", "off"]
LanguageName: TypeAlias = Literal["en", "zh"]


def evaluate_rag(
    data: Annotated[Path, typer.Option(help="Where the benchmarks' folders lie.")],
    indexes: Annotated[Path, typer.Option(help="Where indexes live.")] = Path("indexes"),
    index: Annotated[
        list[str] | None, typer.Option(help="Indexes that evidence is taken from; all by default.")
    ] = None,
    dataset: Annotated[
        list[str] | None, typer.Option(help="medqa, jmed, medcalc_bench; all three by default.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Whose questions are asked; test, else dev, by default.")
    ] = None,
    language: Annotated[LanguageName | None, typer.Option(help="Only questions in it.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most questions of a dataset, drawn.")] = 200,
    decontaminate: Annotated[
        LevelName,
        typer.Option(help="Never evidence: the question's dataset, its split, itself, or nothing."),
    ] = "split",
    passages: Annotated[int, typer.Option(min=1, max=20, help="Most passages of a prompt.")] = 5,
    budget: Annotated[
        int, typer.Option(min=200, help="Tokens of instructions and passages, question aside.")
    ] = 2000,
    retrieval_only: Annotated[
        bool, typer.Option("--retrieval-only", help="Measure the evidence; ask no model.")
    ] = False,
    paraphrases: Annotated[
        Path | None,
        typer.Option(help="With --retrieval-only: a folder of question pairs, as --relevance."),
    ] = None,
    llm_url: Annotated[
        str | None,
        typer.Option(envvar="MEDSEARCH_LLM_URL", help="Base URL of an OpenAI-compatible server."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(envvar="MEDSEARCH_LLM_MODEL", help="The model's name there.")
    ] = None,
    reasoning: Annotated[
        bool, typer.Option(help="Send max_completion_tokens and no temperature.")
    ] = False,
    max_tokens: Annotated[int, typer.Option(min=1, help="Most tokens of one answer.")] = 1024,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds that a request may take.")] = 120,
    retries: Annotated[int, typer.Option(min=0, help="Times a failed request is repeated.")] = 4,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Requests at a time.")] = 4,
    price_in: Annotated[
        float | None, typer.Option(min=0, help="Price of a million prompt tokens.")
    ] = None,
    price_out: Annotated[
        float | None, typer.Option(min=0, help="Price of a million answer tokens.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to go on.")] = False,
    output: Annotated[Path, typer.Option(help="Where answers and report are written.")] = Path(
        "reports/rag"
    ),
    seed: Annotated[int, typer.Option(help="Of drawn questions and of the bootstrap.")] = 0,
    device: Annotated[str | None, typer.Option(help="cuda, mps or cpu.")] = None,
    plots: Annotated[bool, typer.Option(help="Draw plots (needs the extra `eval`).")] = True,
) -> None:
    """Ask a language model benchmark questions with passages and without; compare the answers.

    The key is read from MEDSEARCH_LLM_KEY. Answers are kept in OUTPUT/answers.jsonl: the same
    command goes on where it stopped, and pays for nothing twice.
    """
    from service.cli.rag_evidence import measure_retrieval
    from service.cli.rag_runs import RagPlan, measure_model
    from service.evaluation.plots import require_matplotlib
    from service.evaluation.rag.questions import BENCHMARKS, Selection

    if paraphrases and not retrieval_only:
        raise QueryError(
            "Paraphrases are searched for, not asked of a model.",
            remedy="Add --retrieval-only, or leave --paraphrases out.",
        )
    if plots:
        require_matplotlib()
    plan = RagPlan(
        data=data,
        indexes=indexes,
        names=tuple(index) if index else None,
        datasets=tuple(dataset or BENCHMARKS),
        selection=Selection(split=split, language=language, limit=limit, seed=seed),
        level=decontaminate,
        passages=passages,
        budget_tokens=budget,
        output=output,
        device=device,
        plots=plots,
    )
    if retrieval_only:
        measure_retrieval(plan, paraphrases)
        return
    endpoint = _endpoint(
        llm_url, model, os.environ,
        max_tokens=max_tokens, timeout_s=timeout, retries=retries, reasoning=reasoning,
    )  # fmt: skip
    prices = _prices(price_in, price_out)
    whole = measure_model(plan, endpoint, prices=prices, concurrency=concurrency, agreed=yes)
    if not whole:
        raise typer.Exit(1)


def _prices(price_in: float | None, price_out: float | None) -> tuple[float, float] | None:
    """Return the prices of a million tokens in and out; None if none are given.

    Raises
    ------
    QueryError
        One is given without the other.
    """
    if price_in is None and price_out is None:
        return None
    if price_in is None or price_out is None:
        raise QueryError(
            "One price alone tells no cost.", remedy="Give both --price-in and --price-out."
        )
    return price_in, price_out


def _endpoint(
    url: str | None,
    model: str | None,
    environment: Mapping[str, str],
    *,
    max_tokens: int,
    timeout_s: float,
    retries: int,
    reasoning: bool,
) -> "Endpoint":
    """Return where the model is asked.

    Raises
    ------
    QueryError
        The server or the model is not named, or its address is none.
    """
    from service.evaluation.rag.model import Endpoint

    if not url or not model:
        raise QueryError(
            "Which model is to be asked?",
            remedy="Give --llm-url URL and --model NAME (or MEDSEARCH_LLM_URL, "
            f"MEDSEARCH_LLM_MODEL; a key in {KEY_VARIABLE}), or --retrieval-only.",
        )
    address = urlsplit(url)
    if address.scheme not in {"http", "https"} or not address.hostname or "@" in address.netloc:
        raise QueryError(
            "--llm-url is no address of a server.",
            remedy=f"Give http(s)://HOST[:PORT]/PATH; a key belongs into {KEY_VARIABLE}.",
        )
    return Endpoint(
        url=url,
        model=model,
        key=environment.get(KEY_VARIABLE) or "none",
        max_tokens=max_tokens,
        timeout_s=timeout_s,
        retries=retries,
        reasoning=reasoning,
    )
