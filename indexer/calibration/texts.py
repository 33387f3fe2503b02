"""Texts that have nothing to do with medicine: everyday questions, and gibberish."""

import json
from importlib import resources
from typing import Final

import numpy as np

from indexer.records import Language

_GIBBERISH: Final = 30
_SEED: Final = 20
_LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))
# The block of common Han characters; most of them are rare, as in characters typed at random.
_HAN_FIRST, _HAN_LAST = 0x4E00, 0x9FA5


def unrelated_texts(language: Language) -> tuple[str, ...]:
    """Return questions about cooking, travel, law ..., then strings of letters that say nothing.

    Written for this purpose; always the same.
    """
    source = resources.files("indexer.calibration").joinpath("unrelated.json")
    written: list[str] = json.loads(source.read_text("utf-8"))[language]
    draws = np.random.default_rng([_SEED, _GIBBERISH])
    return (*written, *(_gibberish(language, draws) for _ in range(_GIBBERISH)))


def _gibberish(language: Language, draws: np.random.Generator) -> str:
    if language == "zh":
        codes = draws.integers(_HAN_FIRST, _HAN_LAST + 1, draws.integers(4, 13))
        return "".join(map(chr, codes.tolist()))
    lengths = draws.integers(3, 11, draws.integers(1, 7))
    return " ".join("".join(draws.choice(_LETTERS, length)) for length in lengths)
