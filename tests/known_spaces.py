"""The spaces that tests of every space run on: the paper's, and, in tests that take no time, one of other widths."""

from blockprof.spaces import load_space

SPACES = {name: load_space(name) for name in ("mbv3", "pn", "resnet50")}
WITH_NARROW = {**SPACES, "mbv3-w1.0": load_space("mbv3-w1.0")}
