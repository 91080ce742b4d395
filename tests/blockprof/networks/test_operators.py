"""Networks of spaces by operators against whole networks of modules written here by hand, and published counts."""

import csv
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from known_spaces import BUILD, OWN, write_own
from torch import nn

from blockprof.foundation.errors import InputError
from blockprof.metrics.counting import load_count
from blockprof.networks.chains import check_modules
from blockprof.networks.counting import count_macs
from blockprof.networks.modules import build_subnet
from blockprof.networks.onnx import FragmentStore, write_network
from blockprof.spaces import Architectures, from_settings, load_space
from blockprof.spaces.expectation import network_counts
from blockprof.spaces.files import parse_space
from blockprof.spaces.sampling import sample_architectures

pytestmark = pytest.mark.usefixtures("own_spaces")

NUM_NETWORKS = int(os.environ.get("BLOCKPROF_WHOLE_NETWORKS", "3"))
RESOLUTION = 128


def conv(given: int, made: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(given, made, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False),
        nn.BatchNorm2d(made),
    ]


class Add(nn.Module):
    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.parts = nn.Sequential(*parts)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.parts(x)


class Excite(nn.Module):
    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.maps = nn.ModuleList([nn.Conv2d(channels, inner, 1), nn.Conv2d(inner, channels, 1)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        down, up = self.maps
        return x * torch.sigmoid(up(torch.relu(down(self.pool(x)))))


class Tokens(nn.Module):
    """A transformer block on tokens in a row, by torch's own attention."""

    def __init__(self, channels: int, heads: int, ratio: int) -> None:
        super().__init__()
        self.heads, self.width, self.first, self.second = heads, channels // heads, *map(nn.LayerNorm, [channels] * 2)
        self.query, self.key, self.value, self.out = (nn.Linear(channels, channels) for _ in range(4))
        self.up, self.down = nn.Linear(channels, ratio * channels), nn.Linear(ratio * channels, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = x.shape
        tokens = x.flatten(2).transpose(1, 2)
        normed = self.first(tokens)
        split = [
            part(normed).reshape(batch, -1, self.heads, self.width).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        ]
        scores = torch.softmax(split[0] @ split[1].transpose(-1, -2) / self.width**0.5, -1)
        tokens = tokens + self.out((scores @ split[2]).transpose(1, 2).reshape(batch, -1, channels))
        tokens = tokens + self.down(torch.nn.functional.gelu(self.up(self.second(tokens))))
        return tokens.transpose(1, 2).reshape(batch, channels, height, width)


def fbnet_layer(token: str, given: int, made: int, stride: int) -> nn.Module:
    same = stride == 1 and given == made
    if token == "skip":
        return nn.Identity() if same else nn.Sequential(*conv(given, made, 1, stride), nn.ReLU())
    kernel, expand = int(token[1]), int(token[4])
    groups, middle = 2 if token.endswith("g2") else 1, given * int(token[4])
    assert token.startswith(f"k{kernel}_e{expand}")
    parts = [
        *conv(given, middle, 1, groups=groups),
        nn.ReLU(),
        *conv(middle, middle, kernel, stride, middle),
        nn.ReLU(),
    ]
    parts += conv(middle, made, 1, groups=groups)
    return Add(*parts) if same else nn.Sequential(*parts)


def mnasnet_layer(token: str, given: int, made: int, stride: int) -> nn.Module:
    _, expand, kernel, excited = token.split("_")
    middle = given * int(expand[1:])
    parts = [*conv(given, middle, 1), nn.SiLU()] if middle > given else []
    parts += [*conv(middle, middle, int(kernel[1:]), stride, middle), nn.SiLU()]
    parts += [Excite(middle, given // 4)] if excited == "se1" else []
    parts += conv(middle, made, 1)
    return Add(*parts) if stride == 1 and given == made else nn.Sequential(*parts)


def universal_layer(token: str, given: int, made: int, stride: int) -> nn.Module:
    _, start, middle, expand = token.split("_")
    first, second, inner = int(start[1:]), int(middle[1:]), given * int(expand[1:])
    if stride == 2 and not first and not second:
        first = 3
    parts = conv(given, given, first, stride if not second else 1, given) if first else []
    parts += [*conv(given, inner, 1), nn.ReLU()]
    parts += [*conv(inner, inner, second, stride, inner), nn.ReLU()] if second else []
    parts += conv(inner, made, 1)
    return Add(*parts) if stride == 1 and given == made else nn.Sequential(*parts)


def vit_layer(token: str, given: int, made: int, stride: int) -> nn.Module:
    _, heads, ratio = token.split("_")
    block = Tokens(made, int(heads[1:]), int(ratio[1:]))
    return block if given == made and stride == 1 else nn.Sequential(nn.Conv2d(given, made, 3, stride, 1), block)


def by_hand(name: str, net: str) -> nn.Module:
    """A whole network from its net string and the published facts."""
    layer: Callable[[str, int, int, int], nn.Module]
    pool = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    if name == "fbnet":
        layer, widths, strides = fbnet_layer, (16, 24, 32, 64, 112, 184, 352), (1, 2, 2, 2, 1, 2, 1)
        stem, given = [*conv(3, 16, 3, 2), nn.ReLU()], 16
        head = [*conv(352, 1984, 1), nn.ReLU(), *pool, nn.Linear(1984, 1000)]
    elif name == "mnasnet":
        layer, widths, strides = mnasnet_layer, (16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 2, 1, 2, 1)
        stem, given = [*conv(3, 32, 3, 2), nn.SiLU()], 32
        head = [*conv(320, 1280, 1), nn.SiLU(), *pool, nn.Linear(1280, 1000)]
    elif name == "mobilenetv4":
        layer, widths, strides = universal_layer, (64, 96, 128), (2, 2, 2)
        stem = [*conv(3, 32, 3, 2), nn.ReLU(), *conv(32, 32, 3, 2), nn.SiLU(), *conv(32, 32, 1)]
        given, head = 32, [*conv(128, 960, 1), nn.ReLU(), *pool, nn.Linear(960, 1000)]
    else:
        layer, widths, strides = vit_layer, (96, 192, 384), (1, 2, 2)
        stem, given, head = [nn.Conv2d(3, 96, 8, 8)], 96, [*pool, nn.Linear(384, 1000)]
    parts: list[nn.Module] = []
    for unit, made, stride in zip(net.split("|"), widths, strides, strict=True):
        for number, token in enumerate(unit.split("->")):
            parts.append(layer(token, given, made, 1 if number else stride))
            given = made
    return nn.Sequential(*stem, *parts, *head).eval()


@pytest.mark.parametrize("name", ["fbnet", "mnasnet", "mobilenetv4", "vit"])
def test_macs_and_parameters_equal_those_of_whole_networks_by_hand(name: str) -> None:
    space = load_space(name)
    archs = sample_architectures(space, NUM_NETWORKS, np.random.default_rng(11))
    image = torch.zeros(1, 3, RESOLUTION, RESOLUTION)
    macs, params = (load_count(space, count, RESOLUTION).evaluate(archs) for count in ("macs", "params"))
    for index, net in enumerate(archs.to_strings()):
        network = by_hand(name, net)
        assert macs[index] == count_macs(network, image) == count_macs(build_subnet(archs, index), image)
        assert params[index] == sum(parameter.numel() for parameter in network.parameters())


def test_parameters_and_macs_of_mnasnet_are_those_that_were_published(shared_data: Path) -> None:
    space = load_space("mnasnet")
    with (shared_data / "accel_nasbench" / "networks.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    archs, _ = from_settings(space, rows)
    params = load_count(space, "params", 224).evaluate(archs)
    published = 1e6 * np.array([float(row["mparams"]) for row in rows])
    np.testing.assert_allclose(params, published, atol=0.5)
    plain = np.array([all(row[f"se{unit}"] == "0" for unit in range(1, 8)) for row in rows])
    macs, matrices = (load_count(space, name, 224).evaluate(archs[plain]) for name in ("macs", "conv_macs"))
    # They count 4 for each output of a batch normalisation, torchprofile 1.
    theirs = 1e6 * np.array([float(row["mmacs"]) for row in rows])[plain]
    np.testing.assert_allclose(np.ptp(theirs - matrices - 4 * (macs - matrices)), 0, atol=1)


def test_fbnets_index_lists_explain_a_table_of_latencies_exactly(shared_data: Path) -> None:
    """HELP's pixel3 is a sum of what it measured of each operator at each place."""
    space, folder = load_space("fbnet"), shared_data / "fbnet"
    lists = [list(map(int, net)) for net in torch.load(folder / "networks.pt")[:1500]]
    archs, _ = from_settings(space, lists)
    latencies = np.array(torch.load(folder / "latency" / "pixel3.pt")[:1500], dtype=float)
    counts = network_counts(archs)
    costs, *_ = np.linalg.lstsq(counts[:1000], latencies[:1000], rcond=None)
    np.testing.assert_allclose(counts[1000:] @ costs, latencies[1000:], rtol=1e-4)


def test_a_function_of_ones_own_builds_counts_and_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPROF_CACHE", str(tmp_path / "cache"))
    space = load_space(write_own(tmp_path))
    check_modules(space)
    archs = Architectures.from_strings(space, ["mine_k3->mine_k5|mine_k5->mine_k3"])
    (macs,) = load_count(space, "conv_macs", 32).evaluate(archs)
    assert macs == (27 * 8 + 9 * 64 + 25 * 64) * 256 + (25 * 8 * 16 + 9 * 256) * 64 + 16_000
    written = write_network(FragmentStore(space), archs, 0, tmp_path / "own.onnx", resolution=64, batch=2, check=True)
    assert written.error is not None
    assert written.error < 1e-5


def test_other_code_is_another_space(tmp_path: Path) -> None:
    first = parse_space(OWN, "own", Path(write_own(tmp_path / "a")).parent)
    changed = BUILD.replace("nn.ReLU()", "nn.ReLU6()")
    assert first.digest != parse_space(OWN, "own", Path(write_own(tmp_path / "b", changed)).parent).digest


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kernel = block", "kernel = block_", r"the operator mine does not build: NameError"),
        ('block["kernel"]', 'block["kernal"]', r"the operator mine needs the setting 'kernal'"),
        ("stride, kernel // 2", "1, kernel // 2", r"u2\.first\.k3 gives 16 x 16 x 16, but its place has 16 x 8 x 8"),
        ("    return nn.Seq", "    return 3\n    nn.Seq", r"the operator mine gives a int, no torch module"),
        ("nn.Conv2d(in_channels", "nn.Conv2d(7", r"does not run on 8 x 16 x 16: RuntimeError"),
        ("def build", "def other", r"my_operators\.py:build does not load: AttributeError"),
        ("from torch", "from torc", r"my_operators\.py:build does not load: ModuleNotFoundError"),
    ],
)
def test_operators_that_do_not_build(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in BUILD
    space = load_space(write_own(tmp_path, BUILD.replace(old, new)))
    with pytest.raises(InputError, match=message) as caught:
        check_modules(space)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["fbnet", "mnasnet", "mobilenetv4", "vit"])
def test_every_built_in_block_fits_its_place(name: str) -> None:
    check_modules(load_space(name))
