"""ROCOv2 as on Zenodo: folders of JPEG figures, tables of captions, concepts and sources."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from indexer.sample.captions import Description, describe
from indexer.sample.figures import Article, draw_subject, plan_articles
from indexer.sample.tally import Tally, write_csv
from indexer.sample.texts import read_texts

_JPEG_QUALITY = 88
_FIRST_YEAR, _YEARS = 2012, 10
# Of seven articles, the first five are training, then one each for validation and test.
_SPLITS = ("train", "train", "train", "train", "train", "valid", "test")


@dataclass(slots=True)
class _Tables:
    """The rows of one split's tables, header first."""

    captions: list[tuple[str, str]] = field(default_factory=lambda: [("ID", "Caption")])
    concepts: list[tuple[str, str]] = field(default_factory=lambda: [("ID", "CUIs")])
    manual: list[tuple[str, str]] = field(default_factory=lambda: [("ID", "CUIs")])

    def add(self, image_id: str, description: Description) -> None:
        """Add the rows of one figure."""
        self.captions.append((image_id, description.caption))
        self.concepts.append((image_id, ";".join(description.concepts)))
        self.manual.append((image_id, ";".join(description.manual)))


def write_rocov2(root: Path, seed: int) -> Tally:
    """Write the figures of all articles; one caption of the validation split has no image."""
    rng = np.random.default_rng([seed, 103])
    tables = {split: _Tables() for split in ("train", "valid", "test")}
    sources = [("ID", "PMCID", "Attribution", "Link")]
    tally = Tally()
    for number, article in enumerate(plan_articles(seed)):
        split = _SPLITS[number % len(_SPLITS)]
        for image_id in _write_article(root, split, article, tables[split], rng):
            sources.append(_source(image_id, number))
            tally.records += 1
    _add_caption_without_image(tables["valid"], tally)
    for split, table in tables.items():
        write_csv(root / f"{split}_captions.csv", table.captions)
        write_csv(root / f"{split}_concepts.csv", table.concepts)
        write_csv(root / f"{split}_concepts_manual.csv", table.manual)
    write_csv(root / "license_information.csv", sources)
    names = read_texts("concepts")
    write_csv(root / "cui_mapping.csv", [("CUI", "Canonical name"), *sorted(names.items())])
    return tally


def _write_article(
    root: Path, split: str, article: Article, table: _Tables, rng: np.random.Generator
) -> list[str]:
    """Draw and describe the figures of an article; return their ids."""
    from PIL import Image

    folder = root / f"{split}_images"
    if split == "test":
        folder = folder / "test"  # as the archive of the test images unpacks
    folder.mkdir(parents=True, exist_ok=True)
    ids = []
    for subject in article:
        image_id = f"ROCOv2_2023_{split}_{len(table.captions):06d}"
        picture = Image.fromarray(draw_subject(subject))
        picture.save(folder / f"{image_id}.jpg", quality=_JPEG_QUALITY)
        table.add(image_id, describe(subject, rng))
        ids.append(image_id)
    return ids


def _source(image_id: str, number: int) -> tuple[str, str, str, str]:
    """Return the row that says where a figure comes from: an article that does not exist."""
    article = f"PMC{900_000_000 + number}"
    year = _FIRST_YEAR + number % _YEARS
    attribution = f"CC BY 4.0 [synthetic phantom, medsearch sample corpus ({year})]"
    return image_id, article, attribution, f"https://example.org/synthetic/{article}"


def _add_caption_without_image(table: _Tables, tally: Tally) -> None:
    image_id = f"ROCOv2_2023_valid_{len(table.captions):06d}"
    table.captions.append((image_id, "Chest X-ray whose image was left out on purpose."))
    table.concepts.append((image_id, "C1306645;C0817096"))
    table.manual.append((image_id, "C1306645;C0817096"))
    tally.expect_reject(
        "valid_captions.csv",
        "missing_file",
        "a caption without an image",
        line=len(table.captions),
    )
