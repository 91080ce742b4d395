"""Networks of a space by operators: stem, layers and head, each built by its operator."""

import torch
from torch import nn

from blockprof.foundation.errors import BlockprofError, InputError
from blockprof.networks.operators import find_operator
from blockprof.spaces import Architectures, OperatorInstance, Space
from blockprof.spaces.instances import IMAGE_CHANNELS
from blockprof.spaces.layers import Operation, Part


def build_chain(archs: Architectures, index: int = 0) -> list[nn.Module]:
    """Build the modules of one network in order: its stem, the layers that are there, its head."""
    space = archs.space
    absent = len(space.instances)
    layers = [build_layer(space, one) for one in archs[index].ids[0, 1:-1].tolist() if one != absent]
    return [build_stem(space), *layers, build_head(space, int(archs.widths[index, -1]))]


def build_layer(space: Space, index: int) -> nn.Module:
    """Build the module of the instance of that index in ``space.instances``."""
    instance = space.instances[index]
    assert isinstance(instance, OperatorInstance)
    size = instance.in_size(space.resolutions[-1])
    return _build(
        space, instance.operation, instance.in_channels, instance.out_channels, instance.stride, size, instance.name
    )


def build_stem(space: Space) -> nn.Module:
    """Build what lies before the first unit."""
    assert space.layers is not None
    return _build_parts(space, space.layers.stem, IMAGE_CHANNELS, space.resolutions[-1], "stem")


def build_head(space: Space, width: int) -> nn.Module:
    """Build what lies behind the last unit, by the index of its width."""
    assert space.layers is not None
    last = space.instances[-1]
    channels = space.units[-1].widths[width]
    return _build_parts(space, space.layers.head, channels, last.out_size(space.resolutions[-1]), "head")


def check_modules(space: Space) -> None:
    """Build every block, the stem and the heads once, and pass a tensor of the smallest resolution through each.

    Raises:
        InputError: an operator that does not build, or gives another shape than its place has.
    """
    size, last = space.resolutions[0], space.layers
    assert last is not None
    stem = build_stem(space)
    first = space.stem.out_channels[0]
    after = -(-size // (1 << space.stem.halvings))
    _check(stem, (IMAGE_CHANNELS, size), (first, after, after), "stem")
    for index, instance in enumerate(space.instances):
        if isinstance(instance, OperatorInstance):
            given, made = instance.in_size(size), instance.out_size(size)
            expected = (instance.out_channels, made, made)
            _check(build_layer(space, index), (instance.in_channels, given), expected, instance.name)
    for width, channels in enumerate(space.units[-1].widths):
        _check(build_head(space, width), (channels, space.instances[-1].out_size(size)), (1000,), "head")


def _check(module: nn.Module, given: tuple[int, int], expected: tuple[int, ...], name: str) -> None:
    channels, size = given
    try:
        with torch.no_grad():
            found = tuple(module.eval()(torch.zeros(1, channels, size, size)).shape[1:])
    except Exception as error:
        raise InputError(
            f"{name} does not run on {channels} x {size} x {size}: {_short(error)}", code="operator-does-not-run"
        ) from error
    if found != expected:
        raise InputError(
            f"{name} gives {' x '.join(map(str, found))}, but its place has {' x '.join(map(str, expected))}",
            remedy="correct its operator, channels or stride",
            code="shapes-do-not-fit",
        )


def _build_parts(space: Space, parts: tuple[Part, ...], channels: int, size: int, name: str) -> nn.Module:
    modules = []
    for part in parts:
        modules.append(_build(space, part.operation, channels, part.channels or channels, part.stride, size, name))
        channels, size = part.channels or channels, -(-size // part.stride)
    return nn.Sequential(*modules)


def _build(
    space: Space, operation: Operation, channels_in: int, channels_out: int, stride: int, size: int, name: str
) -> nn.Module:
    assert space.layers is not None
    build = find_operator(operation.operator, space.layers.functions.get(operation.operator))
    try:
        module = build(operation, channels_in, channels_out, stride, size)
    except BlockprofError:
        raise
    except KeyError as error:
        raise InputError(
            f"{name}: the operator {operation.operator} needs the setting {error}", code="missing-setting"
        ) from error
    except Exception as error:
        raise InputError(
            f"{name}: the operator {operation.operator} does not build: {_short(error)}", code="operator-does-not-build"
        ) from error
    if not isinstance(module, nn.Module):
        raise InputError(
            f"{name}: the operator {operation.operator} gives a {type(module).__name__}, no torch module",
            code="operator-does-not-build",
        )
    return module


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
