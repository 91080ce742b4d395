"""The spaces that come with blockprof: a folder each, with a module and what is known of the space as data files."""

import json
from dataclasses import replace
from importlib.resources.abc import Traversable

from blockprof.spaces.assets import Assets, Presets
from blockprof.spaces.definition import Space
from blockprof.spaces.files import parse_space
from blockprof.spaces.registered import register_space

PAPER = "the paper, arXiv 2109.12426"


def read_presets(folder: Traversable) -> Presets:
    """The paper's reductions, in a folder's ``presets.json`` by name."""
    return Presets(PAPER, json.loads((folder / "presets.json").read_text(encoding="utf-8")))


def register_folder(folder: Traversable) -> Space:
    """Register the space of a folder's ``space.yaml``, whose facts, if it has any, are in ``facts.csv``."""
    file, facts = folder / "space.yaml", folder / "facts.csv"
    space = parse_space(file.read_text(encoding="utf-8"), str(file))
    return register_space(replace(space, assets=Assets(facts=facts if facts.is_file() else None)))
