"""The pages of docs/ say what the program says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from blockprof.metrics import load_reference
from blockprof.profiling import profile
from blockprof.spaces import load_space

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
NUMBERS = (REPOSITORY / "docs" / "numbers.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("space_name", ["pn", "mbv3"])
@pytest.mark.parametrize("metric", ["npu", "gpu", "cpu", "accuracy"])
def test_errors_of_the_reference_tables(space_name: str, metric: str) -> None:
    cells = []
    for resolution in (192, 208, 224):
        errors = load_reference(load_space(space_name), metric, resolution).info.errors
        assert errors is not None
        assert errors.extreme_range is not None
        unit = "%" if errors.relative else "points"
        low, high = errors.extreme_range
        cells.append(f"{errors.network:.2g} {unit}; {errors.extreme:.2g} {unit} ({low:+.2g} to {high:+.2g})")
    assert f"| `{space_name}` {metric} | {' | '.join(cells)} |" in NUMBERS


def test_lower_resolution_is_not_always_faster() -> None:
    space = load_space("mbv3")
    means = [
        profile(
            space, [load_reference(space, "npu", resolution)], constraints=[], resolution=resolution
        ).random_frame()["mean"][0]
        for resolution in (192, 208, 224)
    ]
    assert "take {:.1f}, {:.1f} and {:.1f} ms on the NPU at 192, 208 and 224".format(*means) in NUMBERS


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= 130


def test_how_to_extend_it(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    search = (
        "found = blockprof.search('pn-5x5', ['flops'], ['fp16_weights'], algorithm='one-by-one', "
        "initial=5, generations=1, children=1)\n"
        "print(len(found.first.archs), 'networks')\n"
    )
    done = subprocess.run([sys.executable, "-c", code + search], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"fp16_weights +MB", done.stdout)
    assert done.stdout.endswith("6 networks\n")
