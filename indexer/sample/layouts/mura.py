"""MURA v1.1: radiographs by region, patient and study, with tables that have no header."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer.sample.phantoms.limb_xray import (
    SITES,
    LimbFinding,
    LimbRegion,
    LimbStudy,
    LimbView,
    draw_limb,
)
from indexer.sample.tally import Tally, write_csv

_HOME = "MURA-v1.1"
_PNG_LEVEL = 3
_FINDINGS: dict[str, tuple[LimbFinding, ...]] = {
    "train": ("none", "fracture", "plate", "none"),
    "valid": ("fracture", "none"),
}
_VIEWS: tuple[LimbView, ...] = ("frontal", "lateral", "oblique")


@dataclass(frozen=True, slots=True)
class _StudyPlan:
    """Where a study lies below MURA-v1.1, what it shows, in how many views."""

    folder: str
    study: LimbStudy
    views: int


def write_mura(root: Path, seed: int) -> Tally:
    """Write both splits; one image is cut off and one that is listed is not there."""
    rng = np.random.default_rng([seed, 107])
    tally = Tally()
    patient = 1
    for split, findings in _FINDINGS.items():
        plans: list[_StudyPlan] = []
        for region in SITES:
            for position, finding in enumerate(findings):
                # The last training patient of a region is seen twice: two studies, one patient.
                again = split == "train" and position == len(findings) - 1
                plans.extend(_plan_patient(split, region, finding, patient, 1 + again, rng))
                patient += 1
        paths = [path for plan in plans for path in _write_study(root, plan)]
        tally.records += len(paths)
        if split == "train":
            _cut_off(root, paths[-1], tally)
            paths.append(_list_missing_image(paths[0], len(paths) + 1, tally))
        labels = [(f"{plan.folder}/", int(plan.study.finding != "none")) for plan in plans]
        write_csv(root / _HOME / f"{split}_image_paths.csv", [(path,) for path in paths])
        write_csv(root / _HOME / f"{split}_labeled_studies.csv", labels)
    return tally


def _plan_patient(
    split: str,
    region: LimbRegion,
    finding: LimbFinding,
    patient: int,
    studies: int,
    rng: np.random.Generator,
) -> list[_StudyPlan]:
    """Return the studies of one patient, all of the same side."""
    label = "negative" if finding == "none" else "positive"
    side = "left" if rng.random() < 0.5 else "right"
    plans = []
    for number in range(1, studies + 1):
        folder = f"{_HOME}/{split}/XR_{region.upper()}/patient{patient:05d}/study{number}_{label}"
        study = LimbStudy(
            region=region,
            side="left" if side == "left" else "right",
            seed=int(rng.integers(1, 2**31)),
            finding=finding,
        )
        plans.append(_StudyPlan(folder, study, 2 + (patient + number) % 2))
    return plans


def _write_study(root: Path, plan: _StudyPlan) -> list[str]:
    """Draw the views of a study; return their paths as the tables name them."""
    from PIL import Image

    folder = root / plan.folder
    folder.mkdir(parents=True)
    paths = []
    for number, view in enumerate(_VIEWS[: plan.views], start=1):
        name = f"image{number}.png"
        Image.fromarray(draw_limb(plan.study, view)).save(folder / name, compress_level=_PNG_LEVEL)
        paths.append(f"{plan.folder}/{name}")
    return paths


def _cut_off(root: Path, path: str, tally: Tally) -> None:
    """Keep only the first half of an image's bytes."""
    file = root / path
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    tally.records -= 1
    tally.expect_reject(path, "undecodable", "a PNG that was cut off half-way", stage="decode")


def _list_missing_image(first_path: str, line: int, tally: Tally) -> str:
    """Return the path of an image that the table lists although it does not exist."""
    tally.expect_reject(
        f"{_HOME}/train_image_paths.csv",
        "missing_file",
        "an image that is listed and not there",
        line=line,
    )
    return first_path.rsplit("/", 1)[0] + "/image9.png"
