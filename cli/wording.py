"""The library's errors and notes in the words of the command line: arguments as options."""

from blockprof.foundation.errors import Argument, BlockprofError, Said

_OPTIONS = {
    "compares": "compare",
    "folder": "out",
    "latencies": "out",
    "limits": "limit",
    "max_ms": "max-latency",
    "num_seeds": "seeds",
    "number": "pick",
}
"""Options that are not called as their argument is."""


def worded(text: BlockprofError | Said | str) -> str:
    """An error's message, or a note, with the options that stand for the arguments it speaks of."""
    return text if isinstance(text, str) else text.worded(_as_option)


def _as_option(argument: Argument) -> str:
    option = f"--{_OPTIONS.get(argument.name, argument.name.replace('_', '-'))}"
    if argument.value is None or argument.value is True:
        return option
    value = f"{argument.value:g}" if isinstance(argument.value, float) else argument.value
    return f"{option} {value}"
