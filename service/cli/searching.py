"""`medsearch search`: one query from the command line, answered by the same engine as over HTTP."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar, get_args

import typer

from indexer.errors import QueryError
from service.cli.answers import show
from service.cli.console import errors_console

if TYPE_CHECKING:
    from service.retrieval.filters import Filter
    from service.retrieval.query import GroupBy, Mode, Source, Target

Chosen = TypeVar("Chosen")


def search(
    text: Annotated[str | None, typer.Argument(help="Words that describe an image.")] = None,
    image: Annotated[
        Path | None,
        typer.Option(
            help="An image, a DICOM file, or a zip of a series.", exists=True, dir_okay=False
        ),
    ] = None,
    question: Annotated[str | None, typer.Option(help="A question, English or Chinese.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many hits.")] = 10,
    index: Annotated[list[str] | None, typer.Option(help="Only this index; repeatable.")] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option("--filter", help="FIELD=VALUE (also !=, >, >=, <, <=); repeatable."),
    ] = None,
    group_by: Annotated[
        str | None,
        typer.Option(help="case (default for images), study, series, patient, article or none."),
    ] = None,
    offset: Annotated[int, typer.Option(min=0, help="Hits to skip, for the next page.")] = 0,
    mode: Annotated[str, typer.Option(help="hybrid, dense or lexical.")] = "hybrid",
    less_like: Annotated[
        list[str] | None, typer.Option(help="Id of a record to be unlike; repeatable.")
    ] = None,
    exclude_dataset: Annotated[
        list[str] | None, typer.Option(help="A dataset never to return; repeatable.")
    ] = None,
    facet: Annotated[
        list[str] | None, typer.Option(help="A field whose values are counted; repeatable.")
    ] = None,
    min_percentile: Annotated[
        float | None,
        typer.Option(min=0, max=100, help="Only hits that beat this share of unrelated pairs."),
    ] = None,
    receipt: Annotated[
        Path | None,
        typer.Option(help="Write what `medsearch replay` needs to this file.", dir_okay=False),
    ] = None,
    indexes: Annotated[Path, typer.Option(help="Where indexes live.")] = Path("indexes"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Search images by words or by an image, or questions by a question."""
    from service.retrieval.query import Query, SeriesSource

    source = _source(text, image, question)
    whole = isinstance(source, SeriesSource)
    target: Target = "questions" if question is not None else "images"
    query = Query(
        target=target,
        source=source,
        k=k,
        offset=offset,
        indexes=tuple(index) if index else None,
        filters=_filters(filters or []),
        mode=_mode(mode),
        group_by=_grouping(group_by or ("study" if whole else None), target),
        unlike=tuple(less_like or ()),
        exclude_datasets=frozenset(exclude_dataset or ()),
        facets=tuple(facet or ()),
        evidence=image is not None,
        min_percentile=min_percentile,
    )
    from service.opening import open_indexes
    from service.settings import Settings

    with ExitStack() as stack:
        with errors_console().status("Opening indexes"):
            opened = open_indexes(Settings(indexes_dir=indexes), stack)
            reply = opened.retriever.search(query)
        for name, failure in opened.indexes.failures.items():
            errors_console().print(f"[yellow]{name} is left out:[/] {failure}", highlight=False)
    if receipt is not None:
        receipt.write_text(reply.receipt.to_json(), "utf-8")
    show(reply, as_json=as_json)


def _source(text: str | None, image: Path | None, question: str | None) -> "Source":
    """Return what is searched with.

    Raises
    ------
    QueryError
        Not exactly one of text, image and question was given.
    """
    from service.retrieval.query import TextSource
    from service.retrieval.series_slices import source_of_file

    if sum(given is not None for given in (text, image, question)) != 1:
        raise QueryError(
            "One query is needed.",
            remedy='Give one of: "WORDS", --image FILE, --question "QUESTION".',
        )
    return source_of_file(image.read_bytes()) if image else TextSource(text or question or "")


def _filters(typed: list[str]) -> "Filter | None":
    from service.retrieval.filters import Combination, parse_comparison

    comparisons = tuple(parse_comparison(one) for one in typed)
    return Combination("and", comparisons) if comparisons else None


def _mode(typed: str) -> "Mode":
    from service.retrieval.query import Mode

    known: tuple[Mode, ...] = get_args(Mode)
    return _choose("mode", typed, {mode: mode for mode in known})


def _grouping(typed: str | None, target: "Target") -> "GroupBy | None":
    from service.retrieval.query import GroupBy

    if typed is None:
        return "case" if target == "images" else None
    known: tuple[GroupBy, ...] = get_args(GroupBy)
    return _choose("group-by", typed, {**{by: by for by in known}, "none": None})


def _choose(option: str, typed: str, known: Mapping[str, Chosen]) -> Chosen:
    if typed not in known:
        raise QueryError(
            f"--{option} cannot be {typed!r}.", remedy=f"Use one of: {', '.join(known)}."
        )
    return known[typed]
