"""Is it a design space that all commands can use? What a package that registers one calls from its own tests."""

from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.lazy import lazy_import
from blockprof.metrics import AdditiveMetric, MetricInfo
from blockprof.metrics.brought import metrics_of
from blockprof.metrics.counting import load_count
from blockprof.metrics.reference import FITTED_RESOLUTIONS, load_reference, reference_names
from blockprof.networks.counting import count_macs
from blockprof.networks.modules import build_subnet, subnet_settings, take_apart
from blockprof.networks.onnx.pieces import pieces_of
from blockprof.profiling import profile
from blockprof.reduction import Reduction, load_preset, preset_names, sample_reduced
from blockprof.reduction.files import format_reduction, parse_reduction
from blockprof.spaces import Architectures, Space, all_constraints, from_settings, load_space, network_holding
from blockprof.spaces.sampling import holds, sample_architectures, sample_fixed

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_import("torch")


NUM_NETWORKS = 40
NUM_WHOLE = 3
"""Networks that are built and counted whole."""
NUM_SAMPLED = 400
MOST_DEVIATIONS = 6.0
"""Standard errors that a sampled mean may be away from the exact one, of some hundred placements."""


def check_space(space: Space) -> None:
    """Check a registered space: its catalogue, networks, net strings, sampling, counts, reductions and profiles.

    It takes some ten seconds, most of them for counting the MACs of its block instances, which are then kept.

    Raises:
        AssertionError: it is not what commands take it for; the message says what is wrong.
    """
    assert load_space(space.name) == space, f"another space is registered as {space.name}: register it by its own name"
    assert space.assets.default_metric in metrics_of(space), f"{space.name} has no {space.assets.default_metric}"
    archs = sample_architectures(space, NUM_NETWORKS, np.random.default_rng(0))
    check_catalogue(space)
    check_codec(archs)
    check_sampling(space)
    check_modules(archs[:NUM_WHOLE])
    check_assets(space)
    check_profiles(space)
    check_counts(archs[:NUM_WHOLE])


def check_catalogue(space: Space) -> None:
    """Check that each block instance has a name of its own, and is where the catalogue says.

    Raises:
        AssertionError: as :func:`check_space`.
    """
    names = [instance.name for instance in space.instances]
    assert len(set(names)) == len(names), f"{space.name} has two block instances of one name"
    catalogue = space.catalogue()
    for index, name in enumerate(names):
        assert index in network_holding(space, index).ids, f"{space.name} has no network with {name}"
    known = {*catalogue.layers.ravel().tolist(), *catalogue.stems.tolist(), *catalogue.heads.tolist()}
    assert known - {catalogue.absent} == set(range(len(names))), f"{space.name} has block instances at no place"


def check_codec(archs: Architectures) -> None:
    """Check that networks survive being written: as net strings, and as OFA's settings.

    Raises:
        AssertionError: as :func:`check_space`.
    """
    space, nets = archs.space, archs.to_strings()
    assert len(set(nets)) == len(np.unique(archs.genes, axis=0)), f"two networks of {space.name} have one net string"
    read = {
        "net strings": Architectures.from_strings(space, nets),
        "settings": from_settings(space, [subnet_settings(archs, index) for index in range(len(archs))])[0],
    }
    for what, found in read.items():
        assert np.array_equal(found.genes, archs.genes), f"{what} of {space.name} are read as other networks"


def check_sampling(space: Space) -> None:
    """Check that all networks that are drawn for a placement hold it.

    Raises:
        AssertionError: as :func:`check_space`.
    """
    for constraint in all_constraints(space):
        drawn = sample_fixed(space, constraint, NUM_NETWORKS, np.random.default_rng(1))
        assert holds(drawn, constraint).all(), f"networks of {space.name} are drawn without {constraint.name}"


def check_modules(archs: Architectures) -> None:
    """Check that channels and sizes of block instances are those of the modules that networks are built of.

    Raises:
        AssertionError: as :func:`check_space`.
    """
    space, resolution = archs.space, archs.space.resolutions[0]
    for index in range(len(archs)):
        tensor = torch.zeros(1, 3, resolution, resolution)
        for piece, module in zip(pieces_of(archs, index), take_apart(build_subnet(archs, index)), strict=True):
            if not isinstance(piece, str):
                described = space.instances[piece]
                expected = (described.in_channels, described.in_size(resolution))
                found = (tensor.shape[1], tensor.shape[2])
                assert expected == found, (
                    f"{described.name} of {space.name} takes {found}, but is described as {expected}"
                )
            with torch.no_grad():
                tensor = module(tensor)


def check_counts(archs: Architectures) -> None:
    """Check multiply-adds and parameters, which are sums over blocks, against whole networks, and the classes.

    Raises:
        AssertionError: as :func:`check_space`.
    """
    space, resolution = archs.space, archs.space.resolutions[0]
    macs, params = (load_count(space, name, resolution).evaluate(archs) for name in ("macs", "params"))
    image = torch.zeros(1, 3, resolution, resolution)
    for index, net in enumerate(archs.to_strings()):
        network = build_subnet(archs, index)
        assert macs[index] == count_macs(network, image), f"the MACs of {net} are not the sum of its blocks'"
        counted = sum(parameter.numel() for parameter in network.parameters())
        assert params[index] == counted, f"the parameters of {net} are not the sum of its blocks'"


def check_assets(space: Space) -> None:
    """Check what the space brings along: its reductions leave out something, and survive a file; its tables load.

    Raises:
        AssertionError: as :func:`check_space`.
    """
    whole = Reduction.whole(space)
    for name in preset_names(space):
        reduction = load_preset(space, name)
        assert reduction.num_networks < whole.num_networks, f"the reduction {name} of {space.name} leaves out nothing"
        drawn = sample_reduced(reduction, NUM_NETWORKS, np.random.default_rng(2))
        assert reduction.contains(drawn).all(), f"networks of {name} are drawn outside of it"
        read = parse_reduction(format_reduction(reduction), name)
        assert read.num_networks == reduction.num_networks, f"the reduction {name} is another once written"
        assert read.contains(drawn).all(), f"the reduction {name} is another once written"
    for name in reference_names(space):
        for resolution in FITTED_RESOLUTIONS:
            load_reference(space, name, resolution)


def check_profiles(space: Space) -> None:
    """Check that exact profiles of a metric that is a sum over blocks are what networks that are drawn come to.

    Raises:
        AssertionError: as :func:`check_space`.
    """
    costs = np.random.default_rng(3).gamma(2.0, size=len(space.instances))
    metric = AdditiveMetric(MetricInfo("made-up", "ms", False, "table", "made up"), space, 1.0, costs)
    exact, sampled = (profile(space, [metric], num_archs=n).metrics[0].statistics for n in (None, NUM_SAMPLED))
    errors = sampled.column("std") / np.sqrt(NUM_SAMPLED)
    away = np.abs(sampled.column("mean") - exact.column("mean"))
    assert (away <= MOST_DEVIATIONS * errors + 1e-9).all(), (
        f"exact profiles of {space.name} are not its networks' means"
    )
    within = (exact.column("min") <= sampled.column("min")) & (sampled.column("max") <= exact.column("max"))
    assert within.all(), f"networks of {space.name} lie beyond the least and greatest of exact profiles"
