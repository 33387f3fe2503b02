"""What `medsearch eval` measures: built indexes, folders of images, judged texts."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import EncoderError, IndexNotFoundError, UnknownNameError
from service.cli.console import errors_console
from service.cli.evaluation_pools import build_pool, images_of_indexes, read_sides

if TYPE_CHECKING:
    from indexer.encoders.base import ImageEncoder, TextEncoder
    from indexer.encoders.selection import Encoders
    from indexer.store.reader import IndexReader
    from service.evaluation.audit import KnownImages
    from service.evaluation.evaluation import Evaluation
    from service.evaluation.image_tasks import Sampling
    from service.evaluation.measuring import OnStep
    from service.retrieval.encoding import QueryEncoders

_JOINT_POOL = "all image indexes"


def evaluate_built(
    indexes: Path, names: Sequence[str], sampling: "Sampling", device: str | None
) -> "tuple[list[Evaluation], list[EncoderError]]":
    """Evaluate built indexes with their own encoders; images of one space also all together.

    An index whose encoder cannot be used does not stop the others: its error is returned.
    """
    from indexer.encoders.load import load_encoder
    from service.evaluation.measuring import (
        ImagePool,
        evaluate_images,
        evaluate_questions,
        questions_of_index,
        shared_space,
    )
    from service.retrieval.encoding import QueryEncoders

    readers = _open(indexes, names)
    encoders = QueryEncoders(partial(load_encoder, device=device))
    images = [reader for reader in readers if reader.manifest.kind == "image"]
    pools = [ImagePool(name=reader.name, readers=(reader,)) for reader in images]
    for number, (_, members) in enumerate(shared_space(images).items()):
        if len(members) > 1:
            name = _JOINT_POOL if not number else f"{_JOINT_POOL} {number + 1}"
            pools.append(ImagePool(name=name, readers=tuple(members)))
    done: list[Evaluation] = []
    failures: list[EncoderError] = []
    for pool in pools:
        with _going_on(failures), _steps(pool.name) as on_step:
            done.append(evaluate_images(pool, encoders, sampling, on_step))
    for reader in (one for one in readers if one.manifest.kind == "text"):
        with _going_on(failures), _steps(reader.name) as on_step:
            asked = questions_of_index(reader)
            done.append(
                evaluate_questions(reader, encoders, asked, seed=sampling.seed, on_step=on_step)
            )
    if failures and not done:
        raise failures[0]
    return done, failures


def evaluate_folders(
    folders: Sequence[Path],
    place: Path,
    pair: "Encoders",
    sampling: "Sampling",
    indexes: Path,
    trained: "Sequence[tuple[KnownImages, frozenset[str]]]",
) -> "list[Evaluation]":
    """Build each folder of images into an index below `place` and evaluate it."""
    from service.evaluation.measuring import ImagePool, evaluate_images

    done = []
    for number, root in enumerate(folders):
        reader = build_pool(root, place / f"pool{number}", pair)
        pool = ImagePool(
            name=root.resolve().name,
            readers=(reader,),
            sides=read_sides(root),
            known=[*(known for known, _ in trained), *images_of_indexes(indexes)],
            trained_sources=frozenset().union(*(sources for _, sources in trained)),
        )
        with _steps(pool.name) as on_step:
            done.append(evaluate_images(pool, _encoders_of(pair), sampling, on_step))
    return done


def evaluate_texts(
    folders: Sequence[Path], place: Path, pair: "Encoders", seed: int
) -> "list[Evaluation]":
    """Build each judged set into an index below `place` and put its questions to it."""
    from service.evaluation.measuring import evaluate_questions
    from service.evaluation.question_sets import judged_questions
    from service.evaluation.text_index import build_text_index
    from service.evaluation.text_sets import read_text_sets

    done = []
    for texts in (one for folder in folders for one in read_text_sets(folder)):
        with _steps(texts.name) as on_step:
            on_step(f"embedding {len(texts.documents):,} texts")
            reader = build_text_index(texts, place / "texts", pair.text, pair.chinese)
            asked = [judged_questions(texts)]
            done.append(
                evaluate_questions(reader, _encoders_of(pair), asked, seed=seed, on_step=on_step)
            )
    return done


def _open(indexes: Path, names: Sequence[str]) -> "list[IndexReader]":
    """Open the named indexes, or all of them."""
    from indexer.store.index_set import IndexSet

    opened = IndexSet(indexes)
    readers = opened.snapshot()
    for name in names:
        if name in opened.failures:
            raise opened.failures[name]
        if name not in readers:
            raise UnknownNameError("index", name, readers)
    for name, failure in opened.failures.items():
        errors_console().print(f"[yellow]{name} is left out:[/] {failure}", highlight=False)
    if not readers:
        raise IndexNotFoundError(
            f"There is no index in {indexes}/.",
            remedy="Build one (`medsearch index`), or give --holdout DIR or --relevance DIR.",
        )
    return [readers[name] for name in sorted(names or readers)]


def _encoders_of(pair: "Encoders") -> "QueryEncoders":
    """Return the pair's own towers as the encoders of queries."""
    from service.retrieval.encoding import QueryEncoders

    towers = (pair.text, pair.image, pair.chinese)
    loaded: dict[str, TextEncoder | ImageEncoder] = {
        one.spec.key: one for one in towers if one is not None
    }
    return QueryEncoders(loaded.__getitem__)


@contextmanager
def _going_on(failures: list[EncoderError]) -> Iterator[None]:
    """Keep an encoder's error instead of stopping."""
    try:
        yield
    except EncoderError as error:
        failures.append(error)


@contextmanager
def _steps(name: str) -> "Iterator[OnStep]":
    """Show what is being measured, until it is done."""
    with errors_console().status(name) as status:
        yield lambda step: status.update(f"{name}: {step}")
