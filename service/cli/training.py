"""`medsearch encoder train`: an image tower aligned with MiniLM, on a pool or on any dataset."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.datasets.base import Dataset, locate
from indexer.datasets.registry import all_datasets, get_dataset
from indexer.errors import DatasetNotFoundError
from indexer.records import ImageRecord
from service.cli.console import answers_console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.encoders.training.examples import Example
    from indexer.encoders.training.plan import TrainingPlan
    from indexer.pixels.colour import Pixels
    from indexer.pixels.pool import DecodePool


def train_encoder(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="FOLDER | NAME | NAME=FOLDER ...",
            help="Folders with pool.jsonl and images, or datasets with images and captions.",
        ),
    ],
    output: Annotated[Path, typer.Option(help="Where the tower and its card are written.")],
    data: Annotated[Path, typer.Option(help="Folder with one folder per dataset.")] = Path("data"),
    held_out: Annotated[
        Path | None,
        typer.Option(help="A folder with pool.jsonl and images to measure on at the end."),
    ] = None,
    images: Annotated[
        int | None, typer.Option(min=1, help="Images to train on, repetitions included.")
    ] = None,
    exclude_source: Annotated[
        list[str] | None,
        typer.Option(help="Leave out a source (a dataset, or `source` in pool.jsonl); repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives another tower.")] = 0,
    device: Annotated[str | None, typer.Option(help="cuda, mps or cpu.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.")] = None,
) -> None:
    """Train an image tower into the space of MiniLM; stopped, the same command goes on."""
    from indexer.encoders.training.loop import RunOptions, train
    from indexer.encoders.training.plan import TrainingPlan
    from indexer.pixels.pool import DecodePool

    plan = TrainingPlan(seed=seed, excluded_sources=tuple(sorted(set(exclude_source or ()))))
    if images is not None:
        plan = replace(plan, images=images)
    folders, datasets = _read_sources(sources, data)
    with DecodePool(1) as pool:
        train(
            plan,
            folders,
            output,
            more_examples=_examples(datasets, plan, pool),
            more_key="\n".join(f"{one.info.name}={root.resolve()}" for one, root in datasets),
            options=RunOptions(device=device, threads=threads, held_out=held_out),
        )
    answers_console().print(f"The tower and its model card are in {output}.", highlight=False)


def _read_sources(sources: list[str], data: Path) -> tuple[list[Path], list[tuple[Dataset, Path]]]:
    """Return the folders in the pool's layout, and the datasets with their folders."""
    folders: list[Path] = []
    datasets: list[tuple[Dataset, Path]] = []
    for source in sources:
        name, _, folder = source.partition("=")
        if name not in all_datasets():
            folders.append(Path(source))
            continue
        dataset = get_dataset(name)
        root = Path(folder) if folder else locate(dataset.info, data)
        if root is None or not root.is_dir():
            raise DatasetNotFoundError(
                f"{dataset.info.title}: there is no folder {folder or data / name}.",
                remedy=f"How to get it: {dataset.info.access}",
            )
        datasets.append((dataset, root))
    return folders, datasets


def _examples(
    datasets: list[tuple[Dataset, Path]], plan: "TrainingPlan", pool: "DecodePool"
) -> "Iterator[Example]":
    """Yield the images of datasets with their words; decoded where decoding may be killed."""
    from indexer.encoders.training.examples import record_examples
    from indexer.pixels.decode import DecodeRequest

    for dataset, root in datasets:

        def decode(record: ImageRecord, root: Path = root) -> "Pixels":
            request = DecodeRequest(
                root=root, ref=record.image, px=plan.stored_px, resize=plan.resize
            )
            return pool.decode_one(request).pixels

        records = (row for row in dataset.iter_rows(root) if isinstance(row, ImageRecord))
        yield from record_examples(records, decode)
