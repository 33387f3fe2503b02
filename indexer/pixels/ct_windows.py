"""The windows in which a CT slice is looked at: those that fit its region and what it shows.

Which presets a region is read in follows the same source as the presets themselves
(`indexer.pixels.window.PRESETS`): lungs and soft tissue in the chest, soft tissue in the abdomen,
brain in the head; bone wherever there is bone to be judged, and that is everywhere.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import numpy as np

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

LEAST_LUNG: Final = 0.05
"""The share of lung in a body from which the lung window shows more than bowel gas and skin."""

_AIR_HU: Final = -500.0
_LUNG_HU: Final = (-900.0, -500.0)
# Every fourth pixel each way: shares of areas, 16 times quicker.
_STRIDE: Final = 4
_HEAD: Final[tuple[WindowName, ...]] = ("brain", "bone")
_TRUNK: Final[tuple[WindowName, ...]] = ("lung", "soft_tissue", "bone")
_ELSEWHERE: Final[tuple[WindowName, ...]] = ("soft_tissue", "bone")
_OF_REGION: Final[Mapping[str | None, tuple[WindowName, ...]]] = MappingProxyType(
    {"head": _HEAD, "chest": _TRUNK, "abdomen": _TRUNK, "neck": _TRUNK, None: _TRUNK}
)


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
    denser than -500 HU shows nothing. The lung window needs `LEAST_LUNG` of the body between -900
    and -500 HU: normally aerated lung, Gattinoni et al., Am J Respir Crit Care Med 164 (2001)
    1701-1711.
    """
    sampled = values_hu[::_STRIDE, ::_STRIDE]
    tissue = np.count_nonzero(sampled > _AIR_HU)
    lung = np.count_nonzero((sampled >= _LUNG_HU[0]) & (sampled <= _LUNG_HU[1]))
    if not sampled.size or tissue < LEAST_TISSUE * sampled.size:
        return ()
    has_lung = lung >= LEAST_LUNG * (lung + tissue)
    return tuple(name for name in CT_WINDOWS if name in candidates and (name != "lung" or has_lung))


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
