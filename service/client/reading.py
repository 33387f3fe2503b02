"""JSON to dataclasses by their annotations: strict about what is known, lenient otherwise."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from .errors import ReplyError

Reply = TypeVar("Reply")
_EXTRA = "extra"


def read(kind: type[Reply], values: object) -> Reply:
    """Return `values` (parsed JSON) as a dataclass.

    Fields that the dataclass does not know go into its `extra`, if it has one. A null for a field
    with a default is that default: the service writes what is not stated as null.

    Raises
    ------
    ReplyError
        A field is missing or of another type than annotated.
    """
    result: Reply = _read(kind, values, kind.__name__)
    return result


def _read(kind: Any, value: object, where: str) -> Any:
    origin = get_origin(kind)
    if kind is Any:
        return value
    if is_dataclass(kind):
        return _read_dataclass(kind, value, where)
    if origin in {Union, types.UnionType}:
        kinds = get_args(kind)
        if value is None and types.NoneType in kinds:
            return None
        fitting = next((one for one in kinds if (get_origin(one) or one) is type(value)), kinds[0])
        return _read(fitting, value, where)
    if origin is list and isinstance(value, list):
        return [_read(get_args(kind)[0], one, where) for one in value]
    if origin is tuple and isinstance(value, list):
        return tuple(_read(get_args(kind)[0], one, where) for one in value)
    if origin is Mapping and isinstance(value, dict):
        return {name: _read(get_args(kind)[1], one, where) for name, one in value.items()}
    if kind is float and type(value) in {int, float}:
        return float(value)  # type: ignore[arg-type]  # a number, as just seen
    if type(value) is kind:
        return value
    raise _unexpected(where)


def _read_dataclass(kind: Any, values: object, where: str) -> Any:
    if not isinstance(values, dict):
        raise _unexpected(where)
    hints = _hints(kind)
    known: dict[str, Any] = {}
    for one in fields(kind):
        if one.name == _EXTRA:
            continue
        optional = one.default is not MISSING or one.default_factory is not MISSING
        value = values.get(one.name)
        if value is None and optional:
            continue
        if one.name not in values:
            raise _unexpected(f"{where}.{one.name}")
        known[one.name] = _read(hints[one.name], value, f"{where}.{one.name}")
    if _EXTRA in hints:
        known[_EXTRA] = {name: value for name, value in values.items() if name not in hints}
    return kind(**known)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _unexpected(where: str) -> ReplyError:
    return ReplyError(
        f"The answer has not the expected shape at {where}.",
        code="unexpected_reply",
        remedy="Check that the address is that of a medsearch service of this version.",
    )
