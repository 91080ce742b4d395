"""The pages of docs/ say what the program says."""

from pathlib import Path

import pytest

from blockprof.metrics import load_reference
from blockprof.profiling import profile
from blockprof.spaces import load_space

NUMBERS = (Path(__file__).parents[1] / "docs" / "numbers.md").read_text(encoding="utf-8")


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
        profile(space, [load_reference(space, "npu", resolution)], constraints=[]).random_frame()["mean"][0]
        for resolution in (192, 208, 224)
    ]
    assert "take {:.1f}, {:.1f} and {:.1f} ms on the NPU at 192, 208 and 224".format(*means) in NUMBERS
