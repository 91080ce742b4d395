"""OFA's own accuracy predictor of ``mbv3``: a network's ImageNet top-1, as a multilayer perceptron says it.

Input and layers are those of ``ofa.tutorial.accuracy_predictor``: 128 numbers, three hidden layers of 400, one output.
It was trained on accuracies of the supernet's networks on 10,000 images kept from the training set, so its level is a
few points above that on the validation set. It is no sum of costs: its profile is sampled.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import Argument, Command, DataFileError, MetricError, Said
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.paths import data_folder
from blockprof.metrics.accuracy_source import OFA_PREDICTOR
from blockprof.metrics.metric import MetricInfo
from blockprof.spaces import Architectures, MBConv, Space, registered_spaces

if TYPE_CHECKING:
    from blockprof.foundation import torch_files
else:
    torch_files = lazy_import("blockprof.foundation.torch_files")


OFA_PREDICTOR_FILE = "ofa/acc_predictor.pth"
OFA_PREDICTOR_RESOLUTIONS = range(160, 225, 16)
"""Those it was trained on. Its input has room for 112, 128 and 144, of which it says that they beat 160."""

_ENCODED_RESOLUTIONS = range(112, 225, 16)
_LAYERS = ("0", "2", "4", "6")
_SIZES = (128, 400, 400, 400, 1)
_AT_ONCE = 20_000
"""Networks evaluated at once: 64 MB a hidden layer."""


@dataclass(frozen=True, eq=False)
class OfaPredictor:
    """OFA's accuracy predictor at one resolution. ``weights`` are (out, in) and ``biases`` (out,), a pair a layer."""

    info: MetricInfo
    space: Space
    resolution: int
    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]

    def evaluate(self, archs: Architectures) -> FloatArray:
        """Return (N,) values, in percent."""
        if not len(archs):
            return np.empty(0)
        starts = range(0, len(archs), _AT_ONCE)
        return np.concatenate([self._evaluate(archs[slice(start, start + _AT_ONCE)]) for start in starts])

    def _evaluate(self, archs: Architectures) -> FloatArray:
        values = encode_for_ofa(archs, self.resolution)
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = values @ weight.T + bias
            if index < len(self.weights) - 1:
                np.maximum(values, 0.0, out=values)
        return 100 * values[:, 0]


def encode_for_ofa(archs: Architectures, resolution: int) -> FloatArray:
    """(N, 128): what the predictor reads: each slot's kernel, then expansion, one-hot; then the resolution, one-hot."""
    space = archs.space
    blocks = [block for block in space.blocks if isinstance(block, MBConv)]
    kernels = np.array([[block.kernel == kernel for kernel in space.kernels] for block in blocks])
    expands = np.array([[block.expand == expand for expand in space.expands] for block in blocks])
    present = (archs.blocks >= 0)[..., None]
    resolutions = np.zeros((len(archs), len(_ENCODED_RESOLUTIONS)))
    resolutions[:, _ENCODED_RESOLUTIONS.index(resolution)] = 1
    parts = [(each[archs.blocks] & present).reshape(len(archs), -1) for each in (kernels, expands)]
    return np.hstack([*parts, resolutions])


def load_ofa_predictor(space: Space, resolution: int = 224, path: Path | None = None) -> OfaPredictor:
    """Load the predictor from ``path``, or from where ``fetch-data`` leaves it in the data folder.

    Raises:
        MetricError: another space, a resolution that it does not know, or it was not fetched.
        DataFileError: the file holds something else.
    """
    if OFA_PREDICTOR not in space.assets.accuracy_sources:
        known_by = [one.name for one in registered_spaces() if OFA_PREDICTOR in one.assets.accuracy_sources]
        raise MetricError(
            f"OFA's accuracy predictor is of {', '.join(known_by)}, not of {space.name}",
            remedy=Said("choose another {}", Argument("accuracy_source")),
            code="not-of-space",
        )
    known = OFA_PREDICTOR_RESOLUTIONS
    if resolution not in known:
        raise MetricError(
            f"OFA's accuracy predictor knows resolutions {known[0]} to {known[-1]} in steps of {known.step}, not "
            f"{resolution}",
            remedy=Said("choose another {}", Argument("resolution")),
            code="no-such-resolution",
        )
    path = data_folder() / OFA_PREDICTOR_FILE if path is None else path
    weights, biases = _read_layers(path)
    return OfaPredictor(
        info=MetricInfo(
            name="accuracy",
            unit="%",
            higher_is_better=True,
            origin="predicted",
            source=f"predicted by OFA's accuracy predictor at {resolution}, ImageNet top-1",
        ),
        space=space,
        resolution=resolution,
        weights=weights,
        biases=biases,
    )


def _read_layers(path: Path) -> tuple[tuple[FloatArray, ...], tuple[FloatArray, ...]]:
    if not path.is_file():
        raise MetricError(
            f"OFA's accuracy predictor is not at {path}",
            remedy=Command("blockprof fetch-data", source="ofa-accuracy-predictor"),
            code="predictor-not-fetched",
        )
    state = torch_files.read_torch_file(path, "fetch it again")
    expected = {
        f"{layer}.{part}": shape
        for layer, inputs, outputs in zip(_LAYERS, _SIZES, _SIZES[1:], strict=False)
        for part, shape in (("weight", (outputs, inputs)), ("bias", (outputs,)))
    }
    found = {name: tuple(value.shape) for name, value in state.items()} if isinstance(state, dict) else {}
    for name, shape in expected.items():
        if found.get(name) != shape:
            there = f"of shape {found[name]}" if name in found else "not there"
            raise DataFileError(
                f"is not OFA's accuracy predictor: {name}, of shape {shape}, is {there}: fetch it again", where=path
            )
    arrays = {name: state[name].double().numpy() for name in expected}
    return tuple(arrays[f"{layer}.weight"] for layer in _LAYERS), tuple(arrays[f"{layer}.bias"] for layer in _LAYERS)
