"""Small builds whose calibration is written by hand."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from indexer.records import ImageRecord
from indexer.store.calibration import PAIR_SHARES, Calibration, Measured
from indexer.store.index_set import IndexSet
from service.opening import Opened, assemble
from service.retrieval.encoding import QueryEncoders


def calibrated(opened: Opened, calibration: Calibration | None) -> Opened:
    """Let every open build carry a calibration."""
    for reader in opened.indexes.snapshot().values():
        reader.manifest = dataclasses.replace(reader.manifest, calibration=calibration)
    return opened


def spread(low: float, high: float) -> tuple[float, ...]:
    """Return scores of unrelated pairs, evenly from low to high."""
    return tuple(np.linspace(low, high, len(PAIR_SHARES)).tolist())


def films(
    folder: Path,
    kit: SimpleNamespace,
    records: Sequence[ImageRecord],
    measured: Mapping[str, Measured],
    step: int = 7,
) -> Opened:
    """Publish images whose greys have nothing to do with their captions, and open them."""
    greys = [number * step % 250 for number in range(len(records))]
    kit.publish(folder, "films", records, greys=greys)
    opened = assemble(IndexSet(folder), QueryEncoders(kit.loader(kit.HashEncoder())))
    return calibrated(opened, Calibration(measured=measured))
