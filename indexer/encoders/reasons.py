"""Wording of errors about model files, which may reach a client: no path of the machine in them."""

from pathlib import Path

_LONGEST = 200


def shown(path: Path) -> str:
    """Return a path as messages show it: its last two parts."""
    return f"{path.parent.name}/{path.name}"


def reason_of(error: BaseException, place: Path | None = None) -> str:
    """Return the first line of what an error says, without the whole path of `place`."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = str(error) if place is None else str(error).replace(str(place), place.name)
    lines = text.strip().splitlines()
    return lines[0][:_LONGEST] if lines else type(error).__name__
