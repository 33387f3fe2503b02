import csv
import re
from pathlib import Path

import pytest

from indexer.datasets.umls import ORGAN_REGIONS, modality_of, parse_cuis, plain_name, region_of

CT, XRAY, PET, CHEST, PELVIS, BRAIN = (
    "C0040405", "C1306645", "C0032743", "C0817096", "C0030797", "C0006104",
)  # fmt: skip


@pytest.mark.parametrize(
    "cell",
    ["C0040405;C0817096", ["C0040405", "C0817096"], "['C0040405' 'C0817096']",
     "C0040405; C0817096;C0040405;", ("C0040405", "", "C0817096")],
)  # fmt: skip
def test_concepts_are_read_in_any_notation_once_and_in_order(cell: object) -> None:
    assert parse_cuis(cell) == (CT, CHEST)


@pytest.mark.parametrize("cell", [None, "", [], "nan", float("nan")])
def test_a_blank_cell_holds_no_concept(cell: object) -> None:
    assert parse_cuis(cell) == ()


def test_what_was_set_by_hand_wins_over_what_was_found() -> None:
    assert modality_of((XRAY,), (CT,)) == "X-ray"
    assert modality_of((), (CT,)) == "CT"
    assert modality_of((CHEST,), ()) is None
    assert region_of((XRAY, PELVIS), (CHEST,)) == "pelvis"


def test_pet_and_ct_together_are_pet_ct() -> None:
    assert modality_of((CT, PET)) == "PET/CT"
    assert modality_of((), ("C1699633", CT)) == "PET/CT"


def test_a_region_wins_over_an_organ_that_stands_before_it() -> None:
    assert region_of((), (BRAIN, CHEST)) == "chest"
    assert region_of((), (CT, BRAIN)) == "head"
    assert region_of((), (CT,)) is None


def test_concepts_that_are_listed_have_a_name() -> None:
    assert (plain_name(CT), plain_name(CHEST), plain_name("C1999039")) == (
        "CT", "chest", "anterior-posterior",
    )  # fmt: skip
    assert plain_name("C0856747") is None


@pytest.mark.realdata
def test_each_organ_is_spoken_of_by_the_captions_that_carry_its_concept(realdata_dir: Path) -> None:
    words = {
        "head": "brain|maxill|mandib", "neck": "neck|thyroid",
        "chest": "heart|cardi|ventric|atri|lung|mediast",
        "abdomen": "liver|hepat|kidney|renal|pancrea|gall|colon|small",
        "pelvis": "bladder|vesic|uter|prostat|ovar", "lower extremity": "femur|femor|hip",
        "upper extremity": "shoulder|elbow|wrist",
    }  # fmt: skip
    folder = realdata_dir / "genuine/rocov2"
    with (folder / "valid_captions.csv").open(encoding="utf-8", newline="") as stream:
        captions = {row["ID"]: row["Caption"] for row in csv.DictReader(stream)}
    carriers: dict[str, list[str]] = {cui: [] for cui in ORGAN_REGIONS}
    with (folder / "valid_concepts.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            for cui in parse_cuis(row["CUIs"]):
                if cui in carriers:
                    carriers[cui].append(captions[row["ID"]])
    for cui, texts in carriers.items():
        spoken = [bool(re.search(words[ORGAN_REGIONS[cui]], text, re.I)) for text in texts]
        assert len(spoken) > 10, cui
        assert sum(spoken) > 0.85 * len(spoken), cui
