"""OFA's own settings as a file, taken by OFA itself."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from codes import coded
from known_spaces import SPACES

from blockprof.foundation.errors import InputError
from blockprof.metrics.counting import load_count
from blockprof.networks.counting import count_macs
from blockprof.networks.modules import build_supernet, write_settings
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures


@pytest.mark.parametrize("name", SPACES)
def test_ofa_makes_the_same_network_of_the_file(name: str, tmp_path: Path) -> None:
    space, path = load_space(name), tmp_path / "new" / "settings.json"
    archs = sample_architectures(space, 2, np.random.default_rng(5))
    for index in range(len(archs)):
        write_settings(archs, index, path, resolution=224)
        settings = json.loads(path.read_text())
        assert settings.keys() == ({"d", "e", "w"} if name == "resnet50" else {"ks", "e", "d"}) | {"image_size"}
        assert settings["image_size"] == 224
        supernet = build_supernet(space)
        supernet.set_max_net()
        supernet.set_active_subnet(**settings)
        subnet = supernet.get_active_subnet(preserve_weight=False).eval()
        params = sum(parameter.numel() for parameter in subnet.parameters())
        assert params == round(load_count(space, "params", 224).evaluate(archs[index])[0])
        macs = count_macs(subnet, torch.zeros(1, 3, 224, 224))
        assert macs == round(load_count(space, "macs", 224).evaluate(archs[index])[0])


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    archs = sample_architectures(load_space("pn"), 1, np.random.default_rng(0))
    with pytest.raises(InputError, check=coded("unwritable-folder")):
        write_settings(archs, 0, tmp_path / "file" / "settings.json", resolution=224)
