"""The torch modules behind the pieces of a network, all of them ``ofa``'s own."""

from collections.abc import Collection
from hashlib import sha256

import torch
from torch import nn

from blockprof.networks.modules import build_subnet, put_together, take_apart
from blockprof.networks.onnx.pieces import Piece, piece_name, pieces_of
from blockprof.spaces import Architectures, Space

CALIBRATION_SHAPE = (4, 8, 8)
"""Images, height and width of the random batch whose statistics a piece's batch normalisations take."""


def build_network(archs: Architectures, index: int = 0, seed: int = 0) -> nn.Module:
    """Build one network as a torch module, in evaluation mode, with the weights that its ONNX pieces have."""
    with torch.random.fork_rng(devices=[]):
        modules = take_apart(build_subnet(archs, index))
        for piece, module in zip(pieces_of(archs, index), modules, strict=True):
            _initialise(module, archs.space, piece, seed)
    return put_together(modules)


def build_pieces(archs: Architectures, index: int, wanted: Collection[Piece], seed: int) -> dict[Piece, nn.Module]:
    """Build those pieces of one network that are ``wanted``, in evaluation mode.

    Weights follow from ``seed`` and the piece alone: two networks that have an instance have it with the same weights.
    The global state of torch's random numbers is left as it was.
    """
    pieces = pieces_of(archs, index)
    with torch.random.fork_rng(devices=[]):
        modules = dict(zip(pieces, take_apart(build_subnet(archs, index)), strict=True))
        for piece in wanted:
            _initialise(modules[piece], archs.space, piece, seed)
    return {piece: modules[piece] for piece in wanted}


def input_channels(module: nn.Module) -> int:
    """Channels of the tensor that a piece takes: those of its first convolution or linear map."""
    kinds = nn.Conv2d | nn.Linear | nn.LayerNorm
    first = next(part for part in module.modules() if isinstance(part, kinds))
    if isinstance(first, nn.LayerNorm):
        return first.normalized_shape[-1]
    return first.in_channels if isinstance(first, nn.Conv2d) else first.in_features


def _initialise(module: nn.Module, space: Space, piece: Piece, seed: int) -> None:
    """Draw new weights, and statistics and scales of batch normalisation that are far from trivial.

    Means and variances are those of a random batch, not drawn themselves: signals that fade through many layers end as
    denormal numbers, which processors compute slowly.
    """
    identity = f"{space.name} {piece_name(space, piece)} {seed}"
    torch.manual_seed(int.from_bytes(sha256(identity.encode()).digest()[:8], "big", signed=True))
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear | nn.BatchNorm2d):
            part.reset_parameters()
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.2, 1.0)
            nn.init.normal_(part.bias, std=0.2)
            part.momentum = None  # the running statistics become those of the one batch
    batch, height, width = CALIBRATION_SHAPE
    with torch.no_grad():
        module.train()(torch.randn(batch, input_channels(module), height, width))
    module.eval()
