"""Optuna chooses networks of ProxylessNAS; blockprof says what each costs and gains.

    pip install blockprof optuna
    python optuna_search.py

Accuracy and latency are those of the built-in reference tables, or of your own predictor where one is registered.
"""

import optuna

import blockprof

SPACE = blockprof.load_space("pn")
ACCURACY, LATENCY = blockprof.load_metrics(SPACE, ["accuracy", "npu"])
BLOCKS = [block.name for block in SPACE.blocks]


def network_of(trial: optuna.Trial) -> str:
    """The net string of what a trial chose: the depth of each unit, and a block for each of its layers."""
    units = []
    for number, unit in enumerate(SPACE.units, start=1):
        depth = trial.suggest_categorical(f"u{number}.depth", unit.depths)
        chosen = [trial.suggest_categorical(f"u{number}.l{layer + 1}", BLOCKS) for layer in range(depth)]
        units.append("->".join(f"mbconv2_{name.replace('k', '_k')}" for name in chosen))
    return "|".join(units)


def objective(trial: optuna.Trial) -> tuple[float, float]:
    """Accuracy in percent, and latency in ms."""
    network = blockprof.Architectures.from_strings(SPACE, [network_of(trial)])
    return float(ACCURACY.evaluate(network)[0]), float(LATENCY.evaluate(network)[0])


def search(num_trials: int = 200) -> optuna.Study:
    """A front of accuracy and latency by Optuna's NSGA-II."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.NSGAIISampler(seed=0)
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    study.optimize(objective, n_trials=num_trials)
    return study


if __name__ == "__main__":
    for found in sorted(search().best_trials, key=lambda one: one.values[1]):
        print(f"{found.values[0]:.2f} %  {found.values[1]:.2f} ms  {network_of(optuna.trial.FixedTrial(found.params))}")
