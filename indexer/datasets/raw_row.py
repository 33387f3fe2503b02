"""One row of a table as it stands in a file, before a dataset makes sense of it."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from indexer.errors import BadRecordError

# A cell beyond this is no question, caption or note, but a broken file. Python's csv module draws
# the line for its cells at 131,072 characters by itself.
MAX_ROW_CHARS = 1 << 20

_SEPARATORS = re.compile(r"[\s_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRow:
    """One row: where it stands and its values under the column names of its file.

    `path` is POSIX, relative to the dataset's root. `line` counts from 1: the physical line on
    which the row starts (csv, jsonl, json), or the row of a parquet file. `index` counts the
    rows of the file from 0, those that could not be read included.
    """

    path: str
    line: int
    index: int
    values: Mapping[str, object]

    def bad(self, reason: str) -> BadRecordError:
        """Return the error that says why this row cannot become a record."""
        return BadRecordError(self.path, self.line, reason)

    def get(self, *names: str) -> object:
        """Return the value under the first of `names` that the row has, or None.

        Names are compared exactly first, then without regard to case, spaces, `_` and `-`:
        `Patient Note`, `patient_note` and `PatientNote` are one column.
        """
        for name in names:
            if name in self.values:
                return self.values[name]
        folded = {_fold_name(name): value for name, value in self.values.items()}
        for name in names:
            if _fold_name(name) in folded:
                return folded[_fold_name(name)]
        return None

    def optional_text(self, *names: str) -> str | None:
        """Return the first of `names` that the row has as text; None if it is null or blank.

        Numbers are written out; a NaN is a null (so does pandas store an empty cell).

        Raises
        ------
        BadRecordError
            The value is neither text nor a number.
        """
        value = self.get(*names)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.bad(f"{names[0]} is a {type(value).__name__}, expected text")
        text = value if isinstance(value, str) else str(value)
        return text if text.strip() else None

    def text(self, *names: str) -> str:
        """Return the first of `names` that the row has as text that is not blank.

        Raises
        ------
        BadRecordError
            There is no such column, or it is null, blank or not text.
        """
        text = self.optional_text(*names)
        if text is None:
            raise self.bad(f"{names[0]} is missing or empty")
        return text


def _fold_name(name: str) -> str:
    """Fold a column name, so that spellings of one name compare equal."""
    return _SEPARATORS.sub("", name).casefold()
