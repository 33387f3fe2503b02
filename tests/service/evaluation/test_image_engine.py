from pathlib import Path

import numpy as np
import pytest

from indexer.store.reader import IndexReader
from service.evaluation.gathering import SideColumns, gather_images
from service.evaluation.image_engine import run_engine_tasks
from service.evaluation.image_tasks import Sampling
from service.evaluation.manners import OpenIndexes
from service.evaluation.results import TaskResult
from service.retrieval.encoding import QueryEncoders
from service.retrieval.query import Query, TextSource
from service.retrieval.retriever import Retriever

MANNERS = ("dense", "lexical", "hybrid")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory, kit) -> IndexReader:
    """Half CT, half MR; captions name what they show, and each says one thing of its own."""
    folder = tmp_path_factory.mktemp("films")
    records = [
        kit.image_record(
            "films", number, modality="CT" if number % 2 else "MR", body_part="chest",
            caption=f"{'CT' if number % 2 else 'MR'} of the chest, sign{number}", labels=(),
        )
        for number in range(40)
    ]  # fmt: skip
    kit.publish(folder, "films", records)
    return IndexReader.open(folder / "films")


@pytest.fixture(scope="module")
def encoders(kit) -> QueryEncoders:
    return QueryEncoders(kit.loader(kit.HashEncoder()))


def run(films: IndexReader, encoders: QueryEncoders, **sides: SideColumns) -> dict[str, TaskResult]:
    images = gather_images(films, sides)
    return {one.task: one for one in run_engine_tasks(images, [films], encoders, Sampling())}


def test_classes_are_asked_for_in_three_manners(
    films: IndexReader, encoders: QueryEncoders
) -> None:
    results = run(films, encoders)
    assert set(results) == {f"class text -> image, body part, {manner}" for manner in MANNERS}
    words = results["class text -> image, body part, lexical"]
    assert words.query_texts == ("CT of the chest", "MR of the chest")
    assert words.values["P@10"].tolist() == [1, 1]
    assert words.chances["P@10"] == 0.5
    assert set(words.values) == {"P@10", "nDCG@10"}  # of the whole ranking nothing is known


@pytest.mark.parametrize("manner", MANNERS)
def test_what_is_measured_is_what_the_engine_answers(
    films: IndexReader, encoders: QueryEncoders, manner: str
) -> None:
    result = run(films, encoders)[f"class text -> image, body part, {manner}"]
    retriever = Retriever(OpenIndexes([films]), encoders)
    for text, value, found in zip(
        result.query_texts, result.values["P@10"], result.ranked.run().values(), strict=True
    ):
        query = Query(target="images", source=TextSource(text), mode=manner, k=20)  # type: ignore[arg-type]
        hits = retriever.search(query).hits
        ids = [one.record.record_id for one in hits]
        assert sorted(found, key=lambda name: -found[name]) == ids
        wanted = text.split()[0]
        shown = [hit.record.modality == wanted for hit in hits[:10]]
        assert value == pytest.approx(np.mean(shown))


def test_long_texts_are_to_find_their_image(films: IndexReader, encoders: QueryEncoders) -> None:
    sides = {
        str(number): SideColumns(long_text=f"A story of sign{number} in a patient.")
        for number in range(20)
    }
    results = run(films, encoders, **sides)
    words = results["long text -> image, lexical"]
    assert words.queries == 20
    assert words.values["R@1"].tolist() == [1] * 20
    assert words.ranks is None
    # What was not found is not in the run, however many the pool holds.
    assert all(len(found) == 1 for found in words.ranked.run().values())


def test_indexes_are_open(films: IndexReader, tmp_path: Path) -> None:
    indexes = OpenIndexes([films])
    assert indexes.failures == {}
    assert list(indexes.snapshot()) == ["films"]
