"""The spaces that come with blockprof: a folder each, with a module and what is known of the space as data files."""

import json
from importlib.resources.abc import Traversable

from blockprof.spaces.assets import Presets

PAPER = "the paper, arXiv 2109.12426"


def read_presets(folder: Traversable) -> Presets:
    """The paper's reductions, in a folder's ``presets.json`` by name."""
    return Presets(PAPER, json.loads((folder / "presets.json").read_text(encoding="utf-8")))
