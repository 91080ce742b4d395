"""The built-in operators: functions that build a block's torch module, by name.

``build(block, in_channels, out_channels, stride, size)`` gives a module that takes (N, in_channels, H, W) and gives
(N, out_channels, ceil(H / stride), ceil(W / stride)), in a head (N, 1000), for any H and W. ``block["kernel"]`` reads a
setting of the block, ``block.get("groups", 1)`` one that may be left out; ``size`` is H, which is W, at the space's
largest resolution.
"""

import importlib.util
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path

import torch
from torch import nn

from blockprof.foundation.errors import InputError
from blockprof.spaces.instances import NUM_CLASSES, divisible_channels
from blockprof.spaces.layers import Operation

Build = Callable[[Operation, int, int, int, int], nn.Module]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "h_swish": nn.Hardswish,
    "swish": nn.SiLU,
    "gelu": nn.GELU,
    "none": nn.Identity,
}


class Residual(nn.Module):
    """A block and its input, added where the shapes are the same."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        changed: torch.Tensor = self.body(x)
        return x + changed


class SqueezeExcite(nn.Module):
    """Channels scaled by what two 1x1 convolutions make of their means."""

    def __init__(self, channels: int, inner: int, *, is_hard: bool) -> None:
        super().__init__()
        self.bounded = nn.Hardsigmoid() if is_hard else nn.Sigmoid()
        self.reduce, self.expand = nn.Conv2d(channels, inner, 1), nn.Conv2d(inner, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scale = self.expand(torch.relu(self.reduce(x.mean((2, 3), keepdim=True))))
        bounded: torch.Tensor = self.bounded(scale)
        return x * bounded


class ShuffleGroups(nn.Module):
    """The channels of groups, interleaved, so that the next convolution of groups sees all of them."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.shape = (groups, channels // groups, -1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(x.shape[0], *self.shape).transpose(1, 2).reshape(x.shape)


class Attention(nn.Module):
    """Self-attention of all places of an image, (N, H, W, C)."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        width = x.shape[-1] // self.heads
        qkv = self.qkv(x).reshape(x.shape[0], -1, 3 * self.heads, width).transpose(1, 2)
        query, key, value = qkv.split(self.heads, dim=1)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value)
        joined: torch.Tensor = self.out(mixed.transpose(1, 2).reshape(x.shape))
        return joined


class Transformer(nn.Module):
    """A pre-norm transformer block over the places of an image."""

    def __init__(self, channels: int, heads: int, inner: int) -> None:
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(channels), Attention(channels, heads)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(nn.Linear(channels, inner), nn.GELU(), nn.Linear(inner, channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = x.permute(0, 2, 3, 1)
        tokens = tokens + self.attention(self.norm1(tokens))
        mapped: torch.Tensor = tokens + self.mlp(self.norm2(tokens))
        return mapped.permute(0, 3, 1, 2)


def _integer(block: Operation, key: str, default: int | None = None) -> int:
    given = block[key] if default is None else block.get(key, default)
    if not isinstance(given, int | float):
        raise InputError(f"'{key}' of {block.operator} must be a number, not '{given}'", code="not-a-number")
    return int(given)


def _act(block: Operation, default: str = "relu") -> nn.Module:
    name = str(block.get("activation", default))
    if name not in ACTIVATIONS:
        raise InputError(
            f"unknown activation '{name}'", remedy=f"there are {', '.join(ACTIVATIONS)}", code="unknown-name"
        )
    return ACTIVATIONS[name]()


def _conv(channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(channels_out)]


def _residual(body: nn.Module, channels_in: int, channels_out: int, stride: int) -> nn.Module:
    return Residual(body) if stride == 1 and channels_in == channels_out else body


def conv(block: Operation, channels_in: int, channels_out: int, stride: int, size: int) -> nn.Module:
    """A convolution of ``kernel`` and ``groups``, batch normalisation, ``activation``."""
    groups = _integer(block, "groups", 1)
    return nn.Sequential(*_conv(channels_in, channels_out, _integer(block, "kernel", 3), stride, groups), _act(block))


def skip(block: Operation, channels_in: int, channels_out: int, stride: int, size: int) -> nn.Module:
    """Nothing; where stride or channels change, a 1x1 convolution, batch normalisation and ReLU."""
    if stride == 1 and channels_in == channels_out:
        return nn.Identity()
    return nn.Sequential(*_conv(channels_in, channels_out, 1, stride), nn.ReLU())


def _inverted(
    block: Operation,
    channels_in: int,
    channels_out: int,
    stride: int,
    activation: str,
    has_expanding: bool,
    is_version_3: bool = False,
) -> nn.Module:
    """1x1, depthwise and 1x1 convolutions of ``expand`` and ``kernel``; ``groups`` are of the 1x1 ones."""
    middle, kernel = round(channels_in * float(block["expand"])), _integer(block, "kernel")
    groups = _integer(block, "groups", 1)
    parts: list[nn.Module] = []
    if has_expanding:
        parts += [*_conv(channels_in, middle, 1, groups=groups), _act(block, activation)]
    if groups > 1:
        parts.append(ShuffleGroups(middle, groups))
    parts += [*_conv(middle, middle, kernel, stride, middle), _act(block, activation)]
    if block.get("se", False):
        inner = divisible_channels(middle // 4) if is_version_3 else channels_in // 4
        parts.append(SqueezeExcite(middle, inner, is_hard=is_version_3))
    parts += _conv(middle, channels_out, 1, groups=groups)
    return _residual(nn.Sequential(*parts), channels_in, channels_out, stride)


def mbconv2(block: Operation, channels_in: int, channels_out: int, stride: int, size: int) -> nn.Module:
    """MobileNetV2's inverted bottleneck, without an expanding convolution where ``expand`` is 1.

    Squeeze-and-excite, where ``se`` is set, has a quarter of the input's channels, as in MnasNet and EfficientNet.
    """
    return _inverted(block, channels_in, channels_out, stride, "relu6", block["expand"] != 1)


def mbconv3(block: Operation, channels_in: int, channels_out: int, stride: int, size: int) -> nn.Module:
    """MobileNetV3's: as ``mbconv2`` with h-swish and -sigmoid, and a quarter of the expanded channels to squeeze."""
    return _inverted(
        block,
        channels_in,
        channels_out,
        stride,
        "h_swish",
        block["expand"] != 1,
        is_version_3=True,
    )


def fbnet(block: Operation, channels_in: int, channels_out: int, stride: int, size: int) -> nn.Module:
    """FBNet's: always with an expanding convolution; between those of ``groups`` channels are shuffled."""
    return _inverted(block, channels_in, channels_out, stride, "relu", has_expanding=True)


def fused_mbconv(block: Operation, channels_in: int, channels_out: int, stride: int, size: int) -> nn.Module:
    """EfficientNetV2's fused inverted bottleneck: a ``kernel`` convolution that expands, and a 1x1 one."""
    middle = round(channels_in * float(block["expand"]))
    parts = [*_conv(channels_in, middle, _integer(block, "kernel"), stride), _act(block, "swish")]
    if block.get("se", False):
        parts.append(SqueezeExcite(middle, channels_in // 4, is_hard=False))
    parts += _conv(middle, channels_out, 1)
    return _residual(nn.Sequential(*parts), channels_in, channels_out, stride)


def res(block: Operation, channels_in: int, channels_out: int, stride: int, size: int) -> nn.Module:
    """A ResNet bottleneck: 1x1, ``kernel`` and 1x1 convolutions, the inner ``expand`` times as wide as the output."""
    middle = divisible_channels(channels_out * float(block["expand"]))
    parts = [*_conv(channels_in, middle, 1), nn.ReLU(), *_conv(middle, middle, _integer(block, "kernel", 3), stride)]
    body = nn.Sequential(*parts, nn.ReLU(), *_conv(middle, channels_out, 1))
    if stride == 1 and channels_in == channels_out:
        return nn.Sequential(Residual(body), nn.ReLU())
    return nn.Sequential(_Shortcut(body, nn.Sequential(*_conv(channels_in, channels_out, 1, stride))), nn.ReLU())


class _Shortcut(nn.Module):
    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        changed: torch.Tensor = self.body(x)
        joined: torch.Tensor = changed + self.shortcut(x)
        return joined


def universal(block: Operation, channels_in: int, channels_out: int, stride: int, size: int) -> nn.Module:
    """MobileNetV4's universal inverted bottleneck: depthwise convolutions of ``start`` and ``middle``, 0 for none.

    Those strides that first there is; without either it is a feed-forward block, and where it strides ``start`` is 3.
    """
    inner, start, middle = (
        round(channels_in * float(block["expand"])),
        *(_integer(block, key) for key in ("start", "middle")),
    )
    start = 3 if stride > 1 and not start and not middle else start
    parts: list[nn.Module] = []
    if start:
        parts += _conv(channels_in, channels_in, start, 1 if middle else stride, channels_in)
    parts += [*_conv(channels_in, inner, 1), nn.ReLU()]
    if middle:
        parts += [*_conv(inner, inner, middle, stride, inner), nn.ReLU()]
    parts += _conv(inner, channels_out, 1)
    return _residual(nn.Sequential(*parts), channels_in, channels_out, stride)


def transformer(block: Operation, channels_in: int, channels_out: int, stride: int, size: int) -> nn.Module:
    """A vision transformer block of ``heads`` and ``mlp`` ratio; a convolution before it changes stride or channels."""
    body = Transformer(channels_out, _integer(block, "heads"), round(channels_out * float(block["mlp"])))
    if stride == 1 and channels_in == channels_out:
        return body
    return nn.Sequential(nn.Conv2d(channels_in, channels_out, 3, stride, 1), body)


def patches(block: Operation, channels_in: int, channels_out: int, stride: int, size: int) -> nn.Module:
    """A stem's convolution of patches that do not overlap, as large as the stride."""
    return nn.Conv2d(channels_in, channels_out, stride, stride)


def classifier(block: Operation, channels_in: int, channels_out: int, stride: int, size: int) -> nn.Module:
    """A head: means over height and width, and a linear map to the classes."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels_in, NUM_CLASSES))


OPERATORS: dict[str, Build] = {
    build.__name__: build
    for build in (
        conv,
        skip,
        mbconv2,
        mbconv3,
        fbnet,
        fused_mbconv,
        res,
        universal,
        transformer,
        patches,
        classifier,
    )
}


@cache
def find_operator(name: str, function: str | None = None) -> Build:
    """The function that builds an operator: a built-in one, or the user's at ``file.py:name`` or ``module:name``.

    Raises:
        InputError: there is none of that name, or its module does not load.
    """
    if function is None:
        if name not in OPERATORS:
            raise InputError(
                f"unknown operator '{name}'", remedy=f"there are {', '.join(OPERATORS)}", code="unknown-operator"
            )
        return OPERATORS[name]
    where, _, called = function.rpartition(":")
    try:
        module = _load_file(Path(where)) if where.endswith(".py") else import_module(where)
        build = getattr(module, called)
    except Exception as error:
        raise InputError(
            f"operator '{name}': {function} does not load: {type(error).__name__}: {error}", code="operator-not-loaded"
        ) from error
    if not callable(build):
        raise InputError(f"operator '{name}': {function} is no function", code="operator-not-loaded")
    found: Build = build
    return found


def _load_file(path: Path) -> object:
    name = f"blockprof_operators_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
