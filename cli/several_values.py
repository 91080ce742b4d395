"""Commands whose options take several values at once, ``-m accuracy flops``, as those of BlockProfile do."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperOption

from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof import spaces
else:
    spaces = lazy_import("blockprof.spaces")


SPACES = "{spaces}"
"""Stands in an option's help for the names of the spaces, which are looked up only where help is shown."""


class SeveralValues(TyperCommand):
    """A command whose repeatable options take several values at once, where no argument could be meant by them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the options, which is what Typer reads."""
        if all(param.param_type_name == "option" for param in self.params):
            repeatable = {name for param in self.params if getattr(param, "multiple", False) for name in param.opts}
            args = repeat_options(args, repeatable)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, with the names of the spaces that there are."""
        for param in self.params:
            if isinstance(param, TyperOption) and param.help and SPACES in param.help:
                param.help = param.help.replace(SPACES, ", ".join(spaces.space_names()))
        super().format_help(ctx, formatter)


def repeat_options(args: Sequence[str], options: Collection[str]) -> list[str]:
    """Put an option of ``options`` before each value that follows its first: ``-m a b`` becomes ``-m a -m b``."""
    repeated: list[str] = []
    option, has_value = "", False
    for arg in args:
        if arg.startswith("-"):
            option, has_value = arg.partition("=")[0], "=" in arg
        elif option in options and has_value:
            repeated.append(option)
        else:
            has_value = True
        repeated.append(arg)
    return repeated
