"""Options of multiple-choice questions, in the shapes in which data sets publish them."""

from collections.abc import Iterable, Mapping
from string import ascii_uppercase

from indexer.datasets.literals import read_literal
from indexer.datasets.raw_row import RawRow
from indexer.records import Option
from indexer.text.normalise import clean

_KEY_NAMES = ("key", "option", "label")
_TEXT_NAMES = ("value", "text", "content")


def parse_options(row: RawRow, value: object) -> tuple[Option, ...]:
    """Return the options in the order of their letters.

    Understood are {letter: text}; a list of {key, value}, of (letter, text) or of bare texts, which
    are lettered from A; and any of these written out as a Python literal. A letter without a
    text is no option: parquet gives every row all the letters that any row has.

    Raises
    ------
    BadRecordError
        None of these shapes, or one letter twice.
    """
    if isinstance(value, str):
        value = read_literal(value)
    options: dict[str, str] = {}
    for key, text in _pairs(row, value):
        if not isinstance(key, str) or not (letter := key.strip().strip(".:)(").upper()):
            raise row.bad(f"an option is lettered {str(key)[:20]!r}")
        if text is None or not clean(str(text)):
            continue
        if letter in options:
            raise row.bad(f"two options are lettered {letter!r}")
        options[letter] = clean(str(text))
    return tuple(Option(key=key, text=options[key]) for key in sorted(options))


def _pairs(row: RawRow, value: object) -> Iterable[tuple[object, object]]:
    """Return pairs of letter and text, whatever the shape."""
    if isinstance(value, Mapping):
        return value.items()
    if isinstance(value, list) and len(value) <= len(ascii_uppercase):
        if all(isinstance(entry, Mapping) for entry in value):
            return [(_first(entry, _KEY_NAMES), _first(entry, _TEXT_NAMES)) for entry in value]
        if all(isinstance(entry, tuple | list) and len(entry) == 2 for entry in value):
            return [(entry[0], entry[1]) for entry in value]
        if all(isinstance(entry, str) for entry in value):
            return zip(ascii_uppercase, value, strict=False)
    raise row.bad("options are neither letters with texts nor a list of them")


def _first(entry: Mapping[str, object], names: Iterable[str]) -> object:
    """Return the first of the named values that an entry has."""
    return next((entry[name] for name in names if name in entry), None)


def find_keys(
    row: RawRow, options: tuple[Option, ...], letters: Iterable[object]
) -> tuple[str, ...]:
    """Return the letters of the right options, sorted, each of which must be among the options.

    Raises
    ------
    BadRecordError
        There is no letter, or one of them has no option.
    """
    keys = sorted({str(letter).strip().upper() for letter in letters})
    known = [option.key for option in options]
    strange = [key for key in keys if key not in known]
    if strange or not keys:
        named = ", ".join(strange)[:40] or "none"
        raise row.bad(f"the answer is {named}, the options are {', '.join(known) or 'none'}")
    return tuple(keys)
