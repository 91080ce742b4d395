"""torchvision imports beside any torch, also a CPU-only one."""

import subprocess
import sys


def test_imports_in_a_fresh_process_twice() -> None:
    code = (
        "from blockprof.torchvision_import import import_torchvision as get\n"
        "a, b = get(), get()\n"
        "assert a is b\n"
        "from torchvision.transforms import functional\n"
        "from torchvision.datasets import ImageFolder\n"
        "import torch; print(functional.resize(torch.zeros(3, 8, 8), [4, 4]).shape)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "torch.Size([3, 4, 4])" in done.stdout
