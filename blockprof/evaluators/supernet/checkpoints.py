"""The trained weights of OFA's supernets, from the files that OFA publishes."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from blockprof.foundation.errors import Command, DataFileError
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.paths import data_folder
from blockprof.foundation.torch_files import read_torch_file
from blockprof.networks.modules import new_supernet
from blockprof.spaces import Space

if TYPE_CHECKING:
    from blockprof import fetching
    from blockprof.fetching import Source
else:
    fetching = lazy_import("blockprof.fetching")

SOURCE = "ofa-supernets"
UNUSED = "num_batches_tracked"
"""What older torch did not save, and no network in evaluation mode reads."""

SHOWN = 3
"""Of the tensors that differ, as many are named."""

_REPEATED = re.compile(r"\b(conv|bn|linear)(\.\1)+\b")


def checkpoint_path(space: Space) -> Path:
    """Where ``fetch-data --source ofa-supernets`` puts a space's weights: ``ofa/<name>`` in the data folder.

    Those of a space of which OFA publishes none are ``ofa/<name of the space>``.
    """
    source = _published(space)
    if source is None:
        return data_folder() / "ofa" / space.name
    (file,) = source.select(space=space.name)
    return data_folder() / file.target


def load_supernet(space: Space, path: Path | None = None) -> Any:
    """Build a supernet of the space with trained weights, in evaluation mode, on the CPU.

    torch reads weights only: a file that holds code is refused, and the code does not run. OFA's own
    ``load_state_dict`` keeps random weights for what a file lacks; here every weight must be there, with its shape.

    Args:
        space: the design space.
        path: a file as OFA saves it, ``{"state_dict": ...}``; :func:`checkpoint_path` where None.

    Raises:
        DataFileError: there is no such file, or it is damaged, holds other things than weights, or weights of another
            network.
    """
    path, is_fetched = (checkpoint_path(space), True) if path is None else (path, False)
    remedy = "put a supernet's weights there, as OFA saves them"
    if _published(space):
        remedy = f"get the weights with {Command('blockprof fetch-data', source=SOURCE, space=space.name)}"
    if not path.exists():
        raise DataFileError(
            f"there is no such file: {remedy if is_fetched else f'check the path, or {remedy}'}", where=path
        )
    content = read_torch_file(path, remedy)
    weights = content.get("state_dict") if isinstance(content, Mapping) else None
    if not isinstance(weights, Mapping) or not all(isinstance(weight, Tensor) for weight in weights.values()):
        raise DataFileError("holds no weights under 'state_dict', as OFA saves them", where=path, remedy=remedy)
    supernet = new_supernet(space)
    own = supernet.state_dict()
    _fill(own, weights, path, f"is not of {space.name}'s supernet", remedy)
    for name, weight in own.items():
        if not torch.isfinite(weight).all():
            raise DataFileError(f"holds weights that are not finite, in {name}", where=path, remedy=remedy)
    # OFA's renames what old files call otherwise; these names are the module's own.
    torch.nn.Module.load_state_dict(supernet, own)
    return supernet


def _published(space: Space) -> "Source | None":
    """Where OFA publishes weights of the space; None where it does not."""
    source = fetching.load_sources()[SOURCE]
    return source if space.name in source.spaces else None


def _fill(own: dict[str, Tensor], weights: Mapping[str, Tensor], path: Path, problem: str, remedy: str) -> None:
    """Put the weights of a file in their places among the supernet's own.

    Raises:
        DataFileError: some are missing, have no place, or another shape.
    """
    place_of = {_plain(name): name for name in own}
    unknown, misshapen = [], []
    missing = {name for name in own if not name.endswith(UNUSED)}
    for name, weight in weights.items():
        place = place_of.get(_plain(name))
        if place is None:
            unknown.append(name)
            continue
        missing.discard(place)
        if own[place].shape != weight.shape:
            misshapen.append(f"{place} {tuple(weight.shape)}, not {tuple(own[place].shape)}")
        own[place] = weight
    parts = [
        f"{label} {_some(names)}"
        for label, names in (("has no", sorted(missing)), ("has besides", unknown), ("differs in", misshapen))
        if names
    ]
    if parts:
        raise DataFileError(f"{problem}: it {'; '.join(parts)}", where=path, remedy=remedy, code="weights-misfit")


def _plain(name: str) -> str:
    """A weight's name as all versions of OFA agree on it: some wrap a module in another of the same name."""
    return _REPEATED.sub(r"\1", name.replace(".mobile_inverted_conv.", ".conv."))


def _some(names: list[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest:,} more" if rest > 0 else "")
