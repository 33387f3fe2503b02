"""Windows: how real-world values (Hounsfield units for CT) become grey levels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

FloatValues: TypeAlias = npt.NDArray[np.float32]
VoiFunction: TypeAlias = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]

WHITE: Final = 255


@dataclass(frozen=True, slots=True)
class Window:
    """A window's centre and width, in Hounsfield units for CT, else in the modality's own.

    Raises
    ------
    ValueError
        The width is not positive, or a number is not finite.
    """

    centre_hu: float
    width_hu: float

    def __post_init__(self) -> None:
        """Refuse what no image could be shown with."""
        if not (np.isfinite(self.centre_hu) and np.isfinite(self.width_hu) and self.width_hu > 0):
            message = f"no window has centre {self.centre_hu} and width {self.width_hu}"
            raise ValueError(message)


PRESETS: Final[Mapping[str, Window]] = MappingProxyType(
    {
        "lung": Window(-600.0, 1500.0),
        "mediastinum": Window(50.0, 350.0),
        "soft_tissue": Window(50.0, 400.0),
        "liver": Window(30.0, 150.0),
        "bone": Window(400.0, 1800.0),
        "brain": Window(40.0, 80.0),
        "subdural": Window(75.0, 215.0),
        "stroke": Window(40.0, 40.0),
    }
)
"""CT windows by name, as (centre, width) in HU.

Source: the typical values of "Windowing (CT)", Radiopaedia, https://radiopaedia.org/articles/
windowing-ct: chest (lung, mediastinum), abdomen (soft tissue, liver), spine (bone), head (brain,
stroke; for subdural the midpoints of its ranges, centre 50-100 and width 130-300).
"""


def apply_window(
    values: FloatValues, window: Window, function: VoiFunction = "LINEAR"
) -> npt.NDArray[np.uint8]:
    """Map float32 values (any shape; HU for CT) to uint8 grey levels of the same shape.

    DICOM PS3.3 C.11.2.1.2.1 (LINEAR), C.11.2.1.3.2 (LINEAR_EXACT) and C.11.2.1.3.1 (SIGMOID),
    with y_min 0 and y_max 255, rounded half up. NaN becomes black.

    Raises
    ------
    ValueError
        LINEAR with a width below 1, or a function of another name.
    """
    try:
        curve = _CURVES[function]
    except KeyError as error:
        message = f"no VOI LUT function is named {function!r} (PS3.3 C.11.2.1.3)"
        raise ValueError(message) from error
    grey = curve(values, window.centre_hu, window.width_hu)
    np.nan_to_num(grey, copy=False, nan=0.0)
    grey += np.float32(0.5)
    return grey.astype(np.uint8)


def map_samples(
    samples: npt.NDArray[Any], show: Callable[[npt.NDArray[Any]], npt.NDArray[np.uint8]]
) -> npt.NDArray[np.uint8]:
    """Apply an elementwise function to samples of any type.

    Of 16-bit integers it is applied to each of the 65,536 that there are, and the samples are
    looked up: the same greys, several times faster on a CT slice.
    """
    if samples.dtype.kind not in "iu" or samples.dtype.itemsize != 2 or not samples.size:
        return show(samples)
    every = np.arange(1 << 16, dtype=np.uint16).view(samples.dtype.newbyteorder("="))
    words = samples.astype(every.dtype, copy=False).view(np.uint16)
    return show(every.reshape(256, 256)).reshape(-1)[words]


def window_of_range(values: FloatValues) -> Window:
    """Return the window (LINEAR_EXACT) that spans all but the outer half percent of the values.

    For images that state no window. NaN is left out; without any contrast the width is 1.
    """
    known = values[np.isfinite(values)]
    if known.size == 0:
        return Window(0.0, 1.0)
    low, high = np.percentile(known, (0.5, 99.5)).tolist()
    if high <= low:
        low, high = float(known.min()), float(known.max())
    return Window((low + high) / 2, (high - low) or 1.0)


def _linear(values: FloatValues, centre: float, width: float) -> FloatValues:
    """Return the ramp over centre - 0.5 of width - 1; a step where the width is 1."""
    if width < 1:
        message = f"LINEAR needs a width of 1 or more, not {width} (PS3.3 C.11.2.1.2.1)"
        raise ValueError(message)
    if width == 1:
        return np.where(values > np.float32(centre - 0.5), np.float32(WHITE), np.float32(0))
    return _linear_exact(values, centre - 0.5, width - 1)


def _linear_exact(values: FloatValues, centre: float, width: float) -> FloatValues:
    """Return ((x - c) / w + 0.5) * 255, clipped to 0..255."""
    grey = values - np.float32(centre)
    grey *= np.float32(WHITE / width)
    grey += np.float32(WHITE / 2)
    return np.clip(grey, 0, WHITE, out=grey)


def _sigmoid(values: FloatValues, centre: float, width: float) -> FloatValues:
    """Return 255 / (1 + exp(-4 (x - c) / w)); the exponent is clipped where exp would overflow."""
    exponent = (values - np.float32(centre)) * np.float32(-4 / width)
    np.clip(exponent, -80, 80, out=exponent)
    np.exp(exponent, out=exponent)
    exponent += np.float32(1)
    np.reciprocal(exponent, out=exponent)
    exponent *= np.float32(WHITE)
    return exponent


_CURVES: Final[Mapping[str, Callable[[FloatValues, float, float], FloatValues]]] = {
    "LINEAR": _linear,
    "LINEAR_EXACT": _linear_exact,
    "SIGMOID": _sigmoid,
}
