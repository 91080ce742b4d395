"""The spaces that tests of every space run on."""

from blockprof.spaces import load_space

SPACES = {name: load_space(name) for name in ("mbv3", "pn", "resnet50", "mbv3-w1.0")}
