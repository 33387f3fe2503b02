"""The sample's words: captions, questions, answers and patient notes, written for it."""

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def read_texts(name: str) -> Any:
    """Return the contents of `name`.json of this package."""
    return json.loads(files(__package__).joinpath(f"{name}.json").read_text(encoding="utf-8"))
