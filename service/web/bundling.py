"""The page's modules as few scripts: a browser would ask for each of some fifty by itself.

Each module keeps a scope of its own, and hands what it exports to those that import it, in its own
script or in a later one of the same page. Only the forms of importing and exporting that the page
uses are understood; any other is refused.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping

_IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:(?:async )?function\*?|const|class) (\w+))", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def bundle_modules(modules: Mapping[str, str], entries: Mapping[str, str]) -> dict[str, str]:
    """Return scripts by their names, each of which does what the module that it begins with does.

    `modules` are the sources by their paths in POSIX form; `entries` names for each script the
    module that it begins with. A module stands in the first script that needs it and nowhere else:
    scripts that are no modules themselves share their constants with those that follow them.

    Raises
    ------
    ValueError
        Modules import one another in a circle, or import or export in a form not understood.
    LookupError
        A module that is imported is not there.
    """
    places: dict[str, int] = {}
    scripts: dict[str, str] = {}
    for script, entry in entries.items():
        own = [name for name in _in_order(modules, entry) if name not in places]
        places |= {name: place for place, name in enumerate(own, start=len(places))}
        parts = [_wrap(name, modules[name], places) for name in own]
        scripts[script] = "".join(['"use strict";\n', *parts])
    return scripts


def _in_order(modules: Mapping[str, str], entry: str) -> list[str]:
    """Return the modules that `entry` needs, each behind all that it imports."""
    order: list[str] = []
    under_way: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        if name in under_way:
            message = f"modules import one another: {' > '.join([*under_way, name])}"
            raise ValueError(message)
        under_way.append(name)
        for other in _imported(name, modules[name]):
            visit(other)
        under_way.pop()
        order.append(name)

    visit(entry)
    return order


def _wrap(name: str, source: str, places: Mapping[str, int]) -> str:
    """Return a module as a function that is called at once and returns what it exports."""

    def take(found: re.Match[str]) -> str:
        names = found[1].replace(" as ", ": ")
        return f"const {{{names}}} = _m{places[_resolve(name, found[2])]};"

    exported = ", ".join(found[1] for found in _EXPORT.finditer(source))
    body = _IMPORT.sub(take, _EXPORT.sub("", source))
    if left := _LEFT.search(body):
        message = f"{name}: not understood: {left[0]}"
        raise ValueError(message)
    return (
        f"// {name}\nconst _m{places[name]} = (() => {{\n{body}return {{ {exported} }};\n}})();\n"
    )


def _imported(name: str, source: str) -> Iterator[str]:
    """Yield the modules that a module imports."""
    for found in _IMPORT.finditer(source):
        yield _resolve(name, found[2])


def _resolve(name: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
