import pytest

from indexer.datasets.mura_tree import parse_place


@pytest.mark.parametrize(
    "path",
    [
        "MURA-v1.1/valid/XR_WRIST/patient11185/study1_positive/image1.png",
        "valid/XR_WRIST/patient11185/study1_positive/image1.png",
        "C:\\data\\valid\\XR_WRIST\\patient11185\\study1_positive\\image1.png",
        " /mnt/train/MURA/valid/XR_WRIST/patient11185/study1_positive/image1.png ",
    ],
)
def test_a_path_says_split_region_study_and_label(path: str) -> None:
    place = parse_place(path)
    assert place is not None
    assert (place.split, place.region, place.is_positive) == ("valid", "wrist", True)
    assert place.study == "XR_WRIST/patient11185/study1"
    assert place.folder == "valid/XR_WRIST/patient11185/study1_positive"
    assert place.file == "image1.png"


def test_a_study_of_the_test_split_says_nothing_of_its_label() -> None:
    place = parse_place("test/XR_HAND/patient1/study2/image1.png")
    assert place is not None
    assert place.is_positive is None


@pytest.mark.parametrize(
    "path",
    ["", "image1.png", "valid/XR_WRIST/patient1/image1.png", "valid/XR_WRIST/../study1/image1.png",
     "other/XR_WRIST/patient1/study1_positive/image1.png"],
)  # fmt: skip
def test_other_paths_are_no_place(path: str) -> None:
    assert parse_place(path) is None
