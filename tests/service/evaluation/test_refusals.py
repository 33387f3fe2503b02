import json
from pathlib import Path

import pytest
from PIL import Image

from indexer.calibration.texts import unrelated_texts
from indexer.datasets.own_images import OwnImages
from indexer.errors import DecodeError
from indexer.records import ImageRecord
from service.evaluation.refusals import (
    Trial,
    drawn_trial,
    judged_trial,
    pictures_trial,
    pool_trials,
    run_trial,
    written_trials,
)
from service.evaluation.text_sets import TextSet
from service.retrieval.query import ImageSource, Query, TextSource


class Reply:
    def __init__(self, relevant: bool | None) -> None:
        self.relevant = relevant


class Canned:
    """Says what it is asked to say, in turn."""

    def __init__(self, *said: bool | DecodeError | None) -> None:
        self.said = list(said)

    def search(self, query: Query) -> Reply:
        next_one = self.said.pop(0)
        if isinstance(next_one, DecodeError):
            raise next_one
        return Reply(next_one)


def trial(count: int, *, related: bool) -> Trial:
    sources = [TextSource(str(number)) for number in range(count)]
    return Trial(name="a", related=related, target="images", sources=sources)


@pytest.mark.parametrize(("related", "errors"), [(True, 1), (False, 2)])
def test_refused_relatives_and_passed_strangers_are_errors(related: bool, errors: int) -> None:
    canned = Canned(True, False, None, True, DecodeError("broken"))
    outcome = run_trial(canned, trial(5, related=related))  # type: ignore[arg-type]
    assert (outcome.passed, outcome.refused, outcome.unsaid, outcome.skipped) == (2, 1, 1, 1)
    assert outcome.asked == 4
    assert outcome.errors == errors
    low, high = outcome.interval
    assert 0 < low < errors / 4 < high < 1


def test_no_question_of_the_measurement_is_known_to_the_calibration() -> None:
    trials = list(written_trials("questions"))
    asked = {one.text for each in trials for one in each.sources if isinstance(one, TextSource)}
    assert len(asked) > 90
    assert asked.isdisjoint({*unrelated_texts("en"), *unrelated_texts("zh")})
    assert not any(each.related for each in trials)


def test_empty_pictures_are_pictures() -> None:
    sources = drawn_trial().sources
    assert len(sources) > 8
    assert all(isinstance(one, ImageSource) and one.raw[:4] == b"\x89PNG" for one in sources)


def test_a_folder_of_pictures_is_asked_whole_and_nothing_else_in_it(tmp_path: Path) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "b.PNG")
    Image.new("RGB", (9, 9)).save(tmp_path / "a.jpg")
    (tmp_path / "notes.txt").write_text("no picture")
    found = pictures_trial(tmp_path)
    assert not found.related
    assert [one.raw[:2] for one in found.sources] == [b"\xff\xd8", b"\x89P"]


def test_a_pool_is_asked_by_picture_by_caption_and_by_what_is_stated(tmp_path: Path) -> None:
    rows = []
    for number in range(6):
        Image.new("L", (9, 9), number).save(tmp_path / f"{number}.png")
        rows.append({"file": f"{number}.png", "text": f"caption {number % 2}", "modality": "CT",
                     "body_part": "chest"})  # fmt: skip
    (tmp_path / "pool.jsonl").write_text("\n".join(map(json.dumps, rows)))
    records = [one for one in OwnImages().iter_rows(tmp_path) if isinstance(one, ImageRecord)]
    images, captions, stated = pool_trials(tmp_path, records, 4)
    assert len(images.sources) == 4
    assert len(captions.sources) <= 2
    assert stated.sources == [TextSource("CT chest")]
    assert all(one.related for one in (images, captions, stated))


def test_judged_queries_are_related_to_their_documents() -> None:
    texts = TextSet(
        name="set", language="en", documents={"d": "text"}, qrels={}, measures=(), licence="",
        queries={f"q{number}": f"query {number}" for number in range(9)},
    )  # fmt: skip
    asked = judged_trial(texts, 4)
    assert asked.related
    assert len(set(asked.sources)) == 4
