"""Net strings, read: ``->`` joins the layers of a unit, ``|`` joins units, and before them stands the stem, if any.

A registered predictor carries this file to where blockprof is not installed, so it needs nothing but Python.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

LAYER_SEPARATOR = "->"
UNIT_SEPARATOR = "|"
ABSENT = -1
GRAMMAR = ("space", "stem_tokens", "block_tokens", "blocks_per_width", "unit_depths")
"""What a saved predictor says of its space's grammar, in order."""


@dataclass(frozen=True, eq=False)
class NetGrammar:
    """How the networks of a space are spelled.

    ``stem_tokens`` are its stems, none where there is only one. ``block_tokens`` are, by unit, its blocks, those of one
    width after the other, ``blocks_per_width`` each. ``unit_depths`` are, by unit, how many layers it may have.
    """

    space: str
    stem_tokens: Sequence[str]
    block_tokens: Sequence[Sequence[str]]
    blocks_per_width: int
    unit_depths: Sequence[Sequence[int]]

    @cached_property
    def _stem_of(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.stem_tokens)}

    @cached_property
    def _block_of(self) -> list[dict[str, int]]:
        return [{token: index for index, token in enumerate(tokens)} for tokens in self.block_tokens]

    def parse(self, net: str) -> list[int]:
        """The index of the stem, then, for each slot, that of its block, ``ABSENT`` where the layer is absent.

        Raises:
            ValueError: it is no network of the space; the message says what is wrong first, units and layers counted
                from 1.
        """
        units = net.strip().split(UNIT_SEPARATOR)
        row = [0]
        if self._stem_of:
            stem, *units = units
            if stem not in self._stem_of:
                raise ValueError(f"unknown stem '{stem}': {self.space} has {', '.join(self._stem_of)}")
            row = [self._stem_of[stem]]
        if len(units) != len(self.unit_depths):
            raise ValueError(f"{len(units)} units, but {self.space} has {len(self.unit_depths)}")
        for number, text in enumerate(units, start=1):
            row += self._parse_unit(number, text.split(LAYER_SEPARATOR))
        return row

    def _parse_unit(self, number: int, tokens: Sequence[str]) -> list[int]:
        index_of, depths = self._block_of[number - 1], self.unit_depths[number - 1]
        for layer, token in enumerate(tokens, start=1):
            if token not in index_of:
                raise ValueError(
                    f"unknown block '{token}' at unit {number}, layer {layer}: {self.space} has {', '.join(index_of)}"
                )
        if len(tokens) not in depths:
            allowed = " or ".join(map(str, depths))
            raise ValueError(f"unit {number} has {len(tokens)} layers, but {self.space} allows {allowed}")
        blocks = [index_of[token] for token in tokens]
        if len({block // self.blocks_per_width for block in blocks}) > 1:
            raise ValueError(f"unit {number} has layers of several widths, but a unit of {self.space} has one")
        return [*blocks, *[ABSENT] * (max(depths) - len(blocks))]
