"""What runs log: metrics by their names, with the numbers of the result."""

import pytest

from blockprof.metrics import load_reference
from blockprof.output.runs.profiles import profile_metrics
from blockprof.profiling import profile
from blockprof.spaces import load_space, parse_blocks

PN = load_space("pn")


def test_a_profile_logs_random_networks_responses_and_effects() -> None:
    metrics = [load_reference(PN, name) for name in ("npu", "accuracy")]
    result = profile(PN, metrics, constraints=parse_blocks(PN, ["u2.l1.e6k7", "u2.l1.e6k7+u3.l1.e3k3"], 224))
    values = profile_metrics(result, effects=True)
    random, placements, responses = result.random_frame(), result.placement_frame(), result.response_frame()
    assert len(values) == 1 + len(random) + len(placements) + len(responses)
    for metric in metrics:
        name = metric.info.name
        (mean,) = random["mean"][random["metric"] == name]
        assert values[f"{name}.random"] == pytest.approx(mean)
        (response,) = responses["response"][responses["metric"] == name]
        assert values[f"{name}.response/e6k7"] == pytest.approx(response)
        effects = placements[placements["metric"] == name].set_index("placement")["effect"]
        assert values[f"{name}.effect/u2.l1.e6k7"] == pytest.approx(effects["u2.l1.e6k7"])
        assert values[f"{name}.effect/u2.l1.e6k7 u3.l1.e3k3"] == pytest.approx(effects["u2.l1.e6k7+u3.l1.e3k3"])


def test_effects_are_metrics_only_where_they_are_asked_for() -> None:
    result = profile(PN, [load_reference(PN, "npu")], constraints=parse_blocks(PN, ["u2.l1.e6k7"], 224))
    assert set(profile_metrics(result)) == {"profile_seconds", "npu.random", "npu.response/e6k7"}
