"""The page's modules as one script: a browser would ask for each of some fifty by itself.

Each module keeps a scope of its own, and hands what it exports to those that import it. Only the
forms of importing and exporting that the page uses are understood; any other is refused.
"""

import posixpath
import re
from collections.abc import Mapping

_IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:(?:async )?function\*?|const|class) (\w+))", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def bundle_modules(modules: Mapping[str, str], entry: str) -> str:
    """Return one script that does what the module `entry` does, with all that it imports.

    `modules` are the sources by their paths in POSIX form.

    Raises
    ------
    ValueError
        Modules import one another in a circle, or import or export in a form not understood.
    LookupError
        A module that is imported is not there.
    """
    places = {name: place for place, name in enumerate(_in_order(modules, entry))}
    return "".join(_wrap(name, modules[name], places) for name in places)


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
        for found in _IMPORT.finditer(modules[name]):
            visit(_resolve(name, found[2]))
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


def _resolve(name: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
