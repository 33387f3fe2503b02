import pytest

from service.prompting.relevance import is_relevant
from service.retrieval.hits import Hit, Place


@pytest.mark.parametrize(
    ("why", "relevant"),
    [
        ({"question": 0.46}, True),
        ({"question": 0.44}, False),
        ({"question": 0.44, "lexical": 0.3}, False),
        ({"question": 0.44, "lexical": 0.55}, True),
        ({"lexical": 0.21}, True),
        ({"lexical": 0.19}, False),
        ({"image": 0.9}, False),
        ({"image": 0.1, "caption": 0.5}, True),
    ],
)
def test_floors(kit, why: dict[str, float], relevant: bool) -> None:  # type: ignore[no-untyped-def]
    places = {name: Place(1, score) for name, score in why.items()}
    for record in (kit.image_record("i", 1), kit.text_record("t", 1)):
        hit = Hit(rank=1, score=0.0, index="i", record=record, why=places)
        assert is_relevant(hit, by_image=False) is relevant


def test_what_an_image_found_is_evidence(kit) -> None:  # type: ignore[no-untyped-def]
    places = {"image": Place(1, 0.2)}
    image = Hit(rank=1, score=0.0, index="i", record=kit.image_record("i", 1), why=places)
    assert is_relevant(image, by_image=True)


@pytest.mark.parametrize("beats", [True, False])
def test_a_calibrated_build_knows_better_than_fixed_floors(kit, beats: bool) -> None:  # type: ignore[no-untyped-def]
    places = {"question": Place(1, 0.44 if beats else 0.46)}
    record = kit.text_record("t", 1)
    hit = Hit(rank=1, score=0.0, index="i", record=record, why=places, beats_chance=beats)
    assert is_relevant(hit, by_image=False) is beats
    picture = Hit(
        rank=1, score=0.0, index="i", record=kit.image_record("i", 1),
        why={"image": Place(1, 0.9)}, beats_chance=beats,
    )  # fmt: skip
    assert is_relevant(picture, by_image=True) is beats
