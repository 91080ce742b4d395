"""torchvision imports beside any torch, also a CPU-only one."""

import subprocess
import sys


def test_imports_in_a_fresh_process_twice() -> None:
    code = (
        "from blockprof.foundation.torchvision_import import import_torchvision as get\n"
        "a, b = get(), get()\n"
        "assert a is b\n"
        "from torchvision.transforms import functional\n"
        "from torchvision.datasets import ImageFolder\n"
        "import torch; print(functional.resize(torch.zeros(3, 8, 8), [4, 4]).shape)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "torch.Size([3, 4, 4])" in done.stdout


def test_the_accuracy_of_a_network_in_a_fresh_process(imagenet, supernet_weights) -> None:
    """Images are decoded by a process that inherits nothing, where torchvision has to be imported once more."""
    code = (
        "import multiprocessing, sys, warnings\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from blockprof.evaluators.supernet import load_supernet_accuracy\n"
        "from blockprof.spaces.sampling import sample_architectures\n"
        "from blockprof.spaces import load_space\n"
        "multiprocessing.set_start_method('spawn')\n"
        "warnings.simplefilter('ignore')\n"
        "space, data, weights = load_space('pn'), *map(Path, sys.argv[1:])\n"
        "accuracy = load_supernet_accuracy(\n"
        "    space, data, resolution=128, checkpoint=weights, workers=1, num_recalibration=8\n"
        ")\n"
        "top1, top5 = accuracy.evaluate_both(sample_architectures(space, 1, np.random.default_rng(0)))\n"
        "print(top1.shape, 0 <= top1[0] <= top5[0] <= 100)\n"
    )
    command = [sys.executable, "-c", code, imagenet, supernet_weights("pn")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "(1,) True\n"
