"""The windows in which a CT slice is looked at: those that fit its region and what it shows.

Which presets a region is read in follows the same source as the presets themselves
(`indexer.pixels.window.PRESETS`): lungs and soft tissue in the chest, soft tissue in the abdomen,
brain in the head; bone wherever there is bone to be judged, and that is everywhere. Many files
state no region, and a scan of the abdomen begins in the lungs: so lung and brain are looked for in
the slice itself.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from indexer.pixels.dicom_words import body_region
from indexer.pixels.header import DicomHeader
from indexer.pixels.window import PRESETS, FloatValues, Window

WindowName: TypeAlias = Literal["lung", "brain", "soft_tissue", "bone"]

CT_WINDOWS: Final[Mapping[WindowName, Window]] = MappingProxyType(
    {
        "lung": PRESETS["lung"],
        "brain": PRESETS["brain"],
        "soft_tissue": PRESETS["soft_tissue"],
        "bone": PRESETS["bone"],
    }
)
"""The windows that slices are embedded in. Of those that fit, the first is the leading one.

`soft_tissue` stands for the mediastinum as well: the two presets differ by 50 HU of width.
"""

WINDOW_FIELDS: Mapping[str, WindowName] = MappingProxyType(
    {f"{name}_window": name for name in CT_WINDOWS}
)
"""The fields of CT slices by window: names of fields and of windows, the leading one first."""

LEAST_TISSUE: Final = 0.05
"""The share of a slice that must be denser than air; with less, nothing of a body is in it."""

LEAST_LUNG: Final = 0.01
"""The share of a body's area that must be lung for the lung window to fit.

Of 27 genuine CT slices, the 15 with lungs in them have .013 (the very bases) to .27, the other 12
at most .002. A slice that cuts the chest off on both sides encloses no lung.
"""

LEAST_BRAIN: Final = 0.2
"""The share of a body's tissue that must lie in a skull to be a brain, where no region is stated.

Of the same slices, heads have .40 to .63, all others .06 at most.
"""

_AIR_HU: Final = -500.0
_LUNG_HU: Final = (-900.0, -500.0)
_BRAIN_HU: Final = (0.0, 100.0)
_BONE_HU: Final = 250.0
# Pixels are sampled to about so many each way: shares of areas, many times quicker, and the wall of
# a chest stays some pixels thick while the table below it becomes a line.
_SAMPLED_PX: Final = 128
_HEAD: Final[tuple[WindowName, ...]] = ("brain", "bone")
_TRUNK: Final[tuple[WindowName, ...]] = ("lung", "soft_tissue", "bone")
_ELSEWHERE: Final[tuple[WindowName, ...]] = ("soft_tissue", "bone")
_OF_REGION: Final[Mapping[str | None, tuple[WindowName, ...]]] = MappingProxyType(
    {"head": _HEAD, "chest": _TRUNK, "abdomen": _TRUNK, "neck": _TRUNK, None: tuple(CT_WINDOWS)}
)

_Mask: TypeAlias = npt.NDArray[np.bool_]


def windows_of(header: DicomHeader) -> tuple[WindowName, ...]:
    """Return the windows that an instance's region may be read in; none unless it is a CT slice.

    A scan of the abdomen begins in the lungs and one of the neck ends there, so the lung window is
    possible in each; `visible_windows` decides slice by slice.
    """
    if header.modality != "CT" or header.is_localizer:
        return ()
    return _OF_REGION.get(body_region(header.body_part), _ELSEWHERE)


def visible_windows(
    values_hu: FloatValues, candidates: Sequence[WindowName]
) -> tuple[WindowName, ...]:
    """Return those of some windows in which a slice shows something, the leading one first.

    `values_hu` float32 (H, W), NaN for padding. A slice of which less than `LEAST_TISSUE` is
    denser than -500 HU shows nothing. The lung window needs lung, the brain window a brain, unless
    the head is what is stated to be scanned.
    """
    stride = max(1, min(values_hu.shape) // _SAMPLED_PX)
    sampled = values_hu[::stride, ::stride]
    tissue = sampled > _AIR_HU
    if not sampled.size or np.count_nonzero(tissue) < LEAST_TISSUE * sampled.size:
        return ()
    hidden: set[WindowName] = set()
    if "lung" in candidates and not _shows_lung(sampled, tissue):
        hidden.add("lung")
    if "brain" in candidates and "lung" in candidates and not _shows_brain(sampled, tissue):
        hidden.add("brain")
    return tuple(name for name in CT_WINDOWS if name in candidates and name not in hidden)


def _shows_lung(sampled: FloatValues, tissue: _Mask) -> bool:
    """Tell whether normally aerated lung lies inside of a body.

    That is -900 to -500 HU (Gattinoni et al., Am J Respir Crit Care Med 164 (2001) 1701-1711). So
    are the rims of all tissue, hence the erosion, and the foam of the table, which is not inside.
    """
    body = _enclosed(_erode(tissue))
    lung = _erode((sampled >= _LUNG_HU[0]) & (sampled <= _LUNG_HU[1])) & body
    return bool(np.count_nonzero(lung) >= max(1, LEAST_LUNG * np.count_nonzero(body)))


def _shows_brain(sampled: FloatValues, tissue: _Mask) -> bool:
    """Tell whether much of the tissue is soft and lies between bones, as only a brain does."""
    inside = _enclosed(sampled > _BONE_HU)
    brain = (sampled > _BRAIN_HU[0]) & (sampled < _BRAIN_HU[1]) & inside
    return bool(np.count_nonzero(brain) >= LEAST_BRAIN * np.count_nonzero(tissue))


def _erode(mask: _Mask) -> _Mask:
    """Keep what has its four neighbours."""
    kept = mask.copy()
    kept[1:] &= mask[:-1]
    kept[:-1] &= mask[1:]
    kept[:, 1:] &= mask[:, :-1]
    kept[:, :-1] &= mask[:, 1:]
    return kept


def _enclosed(mask: _Mask) -> _Mask:
    """Return what has some of the mask on each of its four sides, or belongs to it."""
    seen = np.logical_or.accumulate
    down, up = seen(mask, axis=0), seen(mask[::-1], axis=0)[::-1]
    right, left = seen(mask, axis=1), seen(mask[:, ::-1], axis=1)[:, ::-1]
    enclosed: _Mask = down & up & right & left
    return enclosed


def window_named(name: str) -> WindowName:
    """Return a window's name if it is one.

    Raises
    ------
    ValueError
        There is no such window.
    """
    for known in CT_WINDOWS:
        if known == name:
            return known
    message = f"there is no window {name!r}"
    raise ValueError(message)
