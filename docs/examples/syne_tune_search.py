"""Syne Tune asks for networks of ProxylessNAS; blockprof says what each costs and gains.

    pip install blockprof syne-tune
    python syne_tune_search.py

Random search by Syne Tune's ask-and-tell scheduler, for the most accurate network within a limit of latency.
"""

from syne_tune.backend.trial_status import Trial
from syne_tune.config_space import choice
from syne_tune.optimizer.baselines import RandomSearch

import blockprof

SPACE = blockprof.load_space("pn")
ACCURACY, LATENCY = blockprof.load_metrics(SPACE, ["accuracy", "npu"])
BLOCKS = [block.name for block in SPACE.blocks]
LIMIT_MS = 10.0


def config_space() -> dict[str, object]:
    """A depth for each unit, and a block for each of its layers, whether they are there or not."""
    chosen: dict[str, object] = {}
    for number, unit in enumerate(SPACE.units, start=1):
        chosen[f"u{number}.depth"] = choice(list(unit.depths))
        chosen |= {f"u{number}.l{layer + 1}": choice(BLOCKS) for layer in range(max(unit.depths))}
    return chosen


def network_of(config: dict[str, object]) -> str:
    """The net string of a configuration."""
    units = []
    for number in range(1, len(SPACE.units) + 1):
        names = [str(config[f"u{number}.l{layer + 1}"]) for layer in range(int(str(config[f"u{number}.depth"])))]
        units.append("->".join(f"mbconv2_{name.replace('k', '_k')}" for name in names))
    return "|".join(units)


def search(num_trials: int = 100) -> tuple[str, float, float]:
    """The best network found within the limit: its net string, accuracy in percent, latency in ms."""
    scheduler = RandomSearch(config_space(), metrics=["loss"], random_seed=0)
    best = ("", 0.0, 0.0)
    for number in range(num_trials):
        config = scheduler.suggest().config
        network = blockprof.Architectures.from_strings(SPACE, [network_of(config)])
        accuracy, latency = (float(metric.evaluate(network)[0]) for metric in (ACCURACY, LATENCY))
        if latency <= LIMIT_MS and accuracy > best[1]:
            best = (network.to_strings()[0], accuracy, latency)
        trial = Trial(number, config, None)
        scheduler.on_trial_complete(trial, {"loss": 100 - accuracy + max(0.0, latency - LIMIT_MS)})
    return best


if __name__ == "__main__":
    net, accuracy, latency = search()
    print(f"{accuracy:.2f} %  {latency:.2f} ms  {net}")
