"""Versioned templates of prompts: those that ship, and those of the operator's own folder.

A template `NAME` of version `N` is two files, `NAME-N.system.j2` and `NAME-N.user.j2`; what they
share stands in `*.part.j2`. Both get the variables that `service.prompting.layout.Layout` names.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from indexer.errors import MedsearchError, QueryError

if TYPE_CHECKING:
    from jinja2 import Environment

_FILE = re.compile(r"(?P<name>[a-z][a-z0-9_]{0,63})-(?P<version>[1-9]\d{0,5})\.system\.j2")


class TemplateBrokenError(MedsearchError):
    """A template of the operator's own folder does not give a prompt."""

    code = "template_broken"


class Templates:
    """Templates by name. Those that ship stand first: a folder adds to them, it replaces none.

    Operators' templates run in Jinja2's sandbox, and are read anew when their files change.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._own = dict(_versions(path.name for path in _packaged()))

    def find(self, name: str) -> str:
        """Return the version that a name means: itself (`answer-3`), or the newest (`answer`).

        Raises
        ------
        QueryError
            There is no such template; the remedy lists those that there are.
        """
        known = self._known()
        named = [version for version, base in known.items() if name in (version, base)]
        if not named:
            raise QueryError(
                "There is no template of that name.",
                remedy=f"Known: {', '.join(sorted({*known, *known.values()}))}.",
            )
        return max(named, key=_number)

    def render(self, version: str, part: Literal["system", "user"], values: object) -> str:
        """Return one message of a template, filled.

        Raises
        ------
        TemplateBrokenError
            The template is missing a part, has a mistake, or asks for a value that is not there.
        """
        from jinja2 import TemplateError

        try:
            template = self._environment.get_template(f"{version}.{part}.j2")
            return template.render(values).strip()
        except (
            TemplateError,
            ArithmeticError,
            LookupError,
            TypeError,
            ValueError,
            OSError,
        ) as error:
            if version in self._own:
                raise
            raise self.broken(version, type(error).__name__) from error

    @staticmethod
    def broken(version: str, reason: str) -> TemplateBrokenError:
        """Return the error of a template that gives no prompt."""
        return TemplateBrokenError(
            f"The template {version!r} cannot be filled: {reason}.",
            remedy="Whoever runs the service has to mend it; name another template meanwhile.",
        )

    def _known(self) -> dict[str, str]:
        """Return the name of each version."""
        if self._folder is None or not self._folder.is_dir():
            return self._own
        return dict(_versions(path.name for path in self._folder.iterdir())) | self._own

    @cached_property
    def _environment(self) -> "Environment":
        """Return the template environment: plain text, and a missing value is an error."""
        from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader, StrictUndefined
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        loaders = [PackageLoader("service.prompting")]
        own = [] if self._folder is None else [FileSystemLoader(self._folder)]
        return ImmutableSandboxedEnvironment(
            loader=ChoiceLoader([*loaders, *own]), undefined=StrictUndefined
        )


def _packaged() -> Iterator[Path]:
    folder = resources.files("service.prompting") / "templates"
    return (Path(entry.name) for entry in folder.iterdir())


def _versions(names: Iterator[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        if found := _FILE.fullmatch(name):
            yield f"{found['name']}-{found['version']}", found["name"]


def _number(version: str) -> int:
    return int(version.rpartition("-")[2])
