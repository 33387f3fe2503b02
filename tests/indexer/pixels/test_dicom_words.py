import pytest

from indexer.pixels.dicom_words import body_region, modality_name, organ_label


@pytest.mark.parametrize(
    ("code", "name"),
    [("CT", "CT"), ("MR", "MRI"), ("DX", "X-ray"), ("PT", "PET"), ("ES", "ES"), ("OT", None),
     (None, None)],
)  # fmt: skip
def test_modality_codes_have_plain_names(code: str | None, name: str | None) -> None:
    assert modality_name(code) == name


@pytest.mark.parametrize(
    ("body_part", "region", "organ"),
    [
        ("CHEST", "chest", None),
        ("LUNG", "chest", "lung"),
        ("CHEST ABDOMEN", "chest", "chest abdomen"),
        ("KIDNEY", "abdomen", "kidney"),
        ("KNEE", "knee", None),
        ("UPPER EXTREMITY", "upper extremity", None),
        ("WHOLEBODY", "wholebody", None),
        (None, None, None),
    ],
)
def test_body_parts_lie_in_regions(
    body_part: str | None, region: str | None, organ: str | None
) -> None:
    assert body_region(body_part) == region
    assert organ_label(body_part) == organ
