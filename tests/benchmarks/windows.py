"""What windows gain: of the five slices of other patients nearest to a CT slice, how many fit.

A slice fits if it shows what the query shows: lung, a brain, or neither. Slices are compared as
they are shown, and by window as the service compares them. Slices of lung in the lung window find
nothing but lung by construction, as far as there is enough of it; what they show is told from
their Hounsfield units (`indexer.pixels.ct_windows`), not by the encoder.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt

from indexer.encoders.base import ImageEncoder, TextEncoder
from indexer.encoders.load import load_encoder
from indexer.errors import DecodeError
from indexer.pixels.ct_windows import WindowName
from indexer.pixels.decode import DecodeRequest
from indexer.pixels.header import read_header
from indexer.pixels.pool import DecodePool
from indexer.pixels.resize import as_rgb
from tests.benchmarks.report import Report

_NEAREST = 5
_WORDS: Mapping[str, WindowName] = {
    "lung window chest CT": "lung", "CT of the lungs, lung window": "lung",
    "brain window head CT": "brain",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Slice:
    """A slice's embeddings, as it is shown and by window, and whose it is."""

    patient: str
    shown: npt.NDArray[np.float32]
    by_window: Mapping[WindowName, npt.NDArray[np.float32]]

    @property
    def shows(self) -> str:
        """What a radiologist would say first."""
        return next((one for one in ("lung", "brain") if one in self.by_window), "neither")


def run(folder: Path) -> Report:
    """Compare all CT slices below a folder; copies of one picture count once."""
    image, text = load_encoder("builtin"), load_encoder("builtin")
    if not isinstance(image, ImageEncoder) or not isinstance(text, TextEncoder):
        message = "the built-in encoder embeds images and words"
        raise TypeError(message)
    slices = _read(folder, image)
    report = Report(
        "CT by window", {"slices": len(slices), "patients": len({one.patient for one in slices})}
    )
    kinds = ("lung", "brain", "neither")
    for name, by_window in (("as shown", False), ("by window", True)):
        fitting: dict[str, list[float]] = defaultdict(list)
        for query in slices:
            others = [one for one in slices if one.patient != query.patient]
            fitting[query.shows].append(_precision(query, others, by_window=by_window))
        for kind in kinds:
            figures = fitting[kind]
            if figures:
                label = f"{kind} ({len(figures)} slices), P@{_NEAREST} {name}"
                report.add(label, fmean(figures), "")
    for words, window in _WORDS.items():
        vector = text.encode_texts([words], "query")[0]
        shown = sorted(slices, key=lambda one: -float(one.shown @ vector))[:_NEAREST]
        share = fmean(one.shows == window for one in shown)
        report.add(f"{words!r}, P@{_NEAREST} as shown (by window: 1)", share, "")
    return report


def _read(folder: Path, image: ImageEncoder) -> list[_Slice]:
    wanted = image.image_input
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and _is_ct(path)]
    found: dict[bytes, _Slice] = {}
    with DecodePool(2) as pool:
        for path in files:
            request = DecodeRequest(
                raw=path.read_bytes(), px=wanted.px, resize=wanted.resize, by_window=True
            )
            try:
                one = pool.decode_one(request)
            except DecodeError:
                continue
            planes = [one.pixels, *map(as_rgb, one.by_window.values())]
            shown, *others = image.encode_images(np.stack(planes))
            patient = read_header(path).patient_id or path.name
            views = dict(zip(one.by_window, others, strict=True))
            found.setdefault(one.fingerprint_bits, _Slice(patient, shown, views))
    return list(found.values())


def _is_ct(path: Path) -> bool:
    try:
        header = read_header(path)
    except DecodeError:
        return False
    return header.modality == "CT" and not header.is_localizer


def _precision(query: _Slice, others: Sequence[_Slice], *, by_window: bool) -> float:
    """Return the share of fitting slices among the nearest, or among as many as are compared."""
    window = next(iter(query.by_window), None) if by_window else None
    scored = [(one, _cosine(query, one, window)) for one in others]
    compared = [(one, cosine) for one, cosine in scored if cosine is not None]
    nearest = sorted(compared, key=lambda pair: -pair[1])[:_NEAREST]
    return fmean(one.shows == query.shows for one, _ in nearest) if nearest else 0.0


def _cosine(query: _Slice, other: _Slice, window: WindowName | None) -> float | None:
    """Return the cosine of two slices, None where they are not compared."""
    if window is None:
        return float(query.shown @ other.shown)
    if not other.by_window:
        return float(query.by_window[window] @ other.shown)
    seen = other.by_window.get(window)
    return None if seen is None else float(query.by_window[window] @ seen)
