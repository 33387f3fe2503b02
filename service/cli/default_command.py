"""A group of commands of which one may go without its name."""

from typing import ClassVar

import typer
from typer.core import TyperGroup


class DefaultCommandGroup(TyperGroup):
    """Runs `default` unless the first word is the name of another command of the group.

    So `eval --holdout DIR`, `eval INDEX` and a bare `eval` go on meaning what they did.
    `eval -- rag` is the default command with an argument `rag`.
    """

    default: ClassVar[str] = "indexes"

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put the default command's name before arguments that name none."""
        if not args or args[0] not in self.commands:
            args = [self.default, *args]
        return super().parse_args(ctx, args)
