"""What to run next, which each command ends with, or why there is nothing: on stderr, for people."""

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from blockprof.cli import render
from blockprof.foundation.lazy import lazy_import
from blockprof.predictors.splitting import MIN_NETWORKS

if TYPE_CHECKING:
    from blockprof import fetching
    from blockprof import spaces as design_spaces
    from blockprof.api import measuring
    from blockprof.cli import measure_all, uses
    from blockprof.cli.delivery import Delivery
    from blockprof.fetching import published
    from blockprof.foundation import paths
else:
    paths = lazy_import("blockprof.foundation.paths")
    design_spaces = lazy_import("blockprof.spaces")
    fetching = lazy_import("blockprof.fetching")
    measure_all = lazy_import("blockprof.cli.measure_all")
    measuring = lazy_import("blockprof.api.measuring")
    published = lazy_import("blockprof.fetching.published")
    uses = lazy_import("blockprof.cli.uses")

_NOT_LOGGED = "nothing: the result was not logged, and what comes next takes it from the store (leave --no-log out)"


def print_next(command: str, result: Any, delivery: "Delivery") -> None:
    """Say what to run after a command that has ended well."""
    if not delivery.quiet and (step := _STEPS[command](result, delivery.run and shlex.quote(delivery.run))):
        render.print_aside(f"next: {step}")


def _after_fetching(result: Any, _run: str | None) -> str:
    if isinstance(result, published.Catalogue):
        source = result.sources[0].name
        more = "" if len(result.sources) == 1 else " (--list with it says what its files are for)"
        return f"blockprof fetch-data --source {source}{more}"
    folder = paths.data_folder()
    steps = []
    for file in result.files:
        inside = file.path.relative_to(folder) if file.path.is_relative_to(folder) else file.path
        spaces = [file.latencies.space.name] if file.latencies else _spaces_of(result.source, inside)
        # Only what is in the data folder itself is found by its name.
        command = uses.command_for(inside, spaces[0] if spaces else "NAME", str(file.path))
        steps.append(command if inside != file.path else f"BLOCKPROF_DATA={file.path.parent} {command}")
    several = list(dict.fromkeys(steps))
    return several[0] + (f" (and so for {len(several) - 1} others)" if len(several) > 1 else "")


def _spaces_of(source: str, inside: Any) -> list[str]:
    known = fetching.load_sources().get(source)
    found = [name for file in known.files if file.target == inside for name in file.spaces] if known else []
    return found or [space.name for space in design_spaces.registered_spaces() if space.assets.takes_lookup_folders]


def _after_measuring(result: Any, _run: str | None) -> str:
    if isinstance(result, measure_all.MeasuredAll):
        return "; ".join(_after_measuring(one, None) for one in result.results)
    if isinstance(result, measuring.MeasuredBlocks):
        table, path = result.table, result.files[0]
        where = "" if path.parent == paths.data_folder() else f"BLOCKPROF_DATA={path.parent} "
        space = table.space.name
        return f"{where}blockprof profile --space {space} --metrics {result.metric} --resolution {table.resolution}"
    data, file = result.data, result.campaign.files.latencies
    space = data.space.name
    metric = file.name.removeprefix(f"ofa_{space}_").removesuffix("_lat_data.csv")
    if data.num_networks < MIN_NETWORKS:
        return f"more networks: train-predictor takes at least {MIN_NETWORKS}, here are {data.num_networks}: give -n 50"
    given = "" if file.parent == paths.data_folder() else f" {file}"
    return f"blockprof train-predictor --space {space} --metric {metric}{given}"


def _after_training(result: Any, run: str | None) -> str:
    if result.registered is None:
        return _NOT_LOGGED
    return f"blockprof profile --space {result.data.space.name} --metrics {result.trained.model.metric}"


def _after_profiling(result: Any, run: str | None) -> str:
    space = result.space.name
    infos = [metric.info for metric in result.metrics]
    gains = [info.name for info in infos if info.higher_is_better]
    costs = [info.name for info in infos if not info.higher_is_better]
    if not gains or not costs:
        other = "accuracy" if costs else "npu" if result.space.assets.reference else "flops"
        named = ",".join([*(info.name for info in infos), other])
        return f"blockprof profile --space {space} --metrics {named} (a gain and a cost: reduce and search weigh them)"
    if run is None:
        return f"blockprof search --space {space} --maximize {gains[0]} --minimize {costs[0]}"
    return f"blockprof reduce --from {run}" + (f" --cost {costs[0]}" if len(costs) > 1 else "")


def _after_predicting(result: Any, _run: str | None) -> str:
    first = result.infos[0]
    direction = "maximize" if first.higher_is_better else "minimize"
    return f"blockprof search --space {result.space.name} --{direction} {first.name} (finds networks that are better)"


def _after_planning(result: Any, run: str | None) -> str:
    if result.verified is None:
        return "the same command with --verify, which measures the plan, all fp32 and all int8"
    return f"nothing: this is the answer{f'; `blockprof export run {run}` writes its tables' if run else ''}"


def _after_comparing(_result: Any, run: str | None) -> str:
    return f"nothing: this is the answer{f'; `blockprof export run {run}` writes its tables' if run else ''}"


def _after_reducing(result: Any, _run: str | None) -> str:
    gain, cost = result.profile.gain, result.profile.costs[0]
    asked = f"--maximize {gain} --minimize {cost} --reduction {result.path} --compare"
    return f"blockprof search --space {result.reduction.space.name} {asked}"


def _after_searching(result: Any, run: str | None) -> str:
    space = result.problem.reduction.space.name
    if not len(result.best):
        return "nothing: no network is within the limits"
    if run is None:
        return f"blockprof export network NET --space {space} --out network.onnx (NET: one of the above, in quotes)"
    return f"blockprof export network --run {run} --pick 1 --out network.onnx"


def _after_runs(result: Any, _run: str | None) -> str:
    if not len(result):
        return "blockprof fetch-data --space pn (the first of the commands that log one)"
    newest = next((run for run in result.records if run.status == "FINISHED"), None)
    if newest is None:
        return "nothing: no run has finished"
    if newest.command == "profile":
        return f"blockprof reduce --from {newest.name}"
    return f"blockprof export run {shlex.quote(newest.name)}"


def _after_predictors(result: Any, _run: str | None) -> str:
    if not len(result):
        return "blockprof train-predictor --space pn --metric NAME measured.csv (registers one)"
    first = result.versions[0]
    return f"blockprof profile --space {first.tags.get('space')} --metrics {first.tags.get('metric')}"


def _after_examining(result: Any, _run: str | None) -> str:
    works = [each for each in result.runtimes if any(not problem for problem in each.problems.values())]
    return f"blockprof measure --space pn --runtime {works[0].runtime.name}" if works else "install a run-time"


_STEPS: dict[str, Callable[[Any, str | None], str]] = {
    "fetch-data": _after_fetching,
    "cache-imagenet": lambda _result, _run: "blockprof profile --space mbv3 --metrics accuracy --fast",
    "measure": _after_measuring,
    "measure-phone": lambda _result, _run: "blockprof train-predictor FOLDER/times.csv --space NAME --metric my-phone",
    "train-predictor": _after_training,
    "import-predictor": _after_training,
    "profile": _after_profiling,
    "predict": _after_predicting,
    "plan": _after_planning,
    "compare": _after_comparing,
    "reduce": _after_reducing,
    "search": _after_searching,
    "runs": _after_runs,
    "predictors": _after_predictors,
    "doctor": _after_examining,
    "check": lambda _result, _run: "blockprof profile --space FILE --metrics flops,macs",
    "resume": lambda _result, _run: "blockprof runs",
    "repair": lambda _result, _run: "blockprof runs",
    "run": lambda _result, _run: "nothing: these are the run's tables",
    "predictor": lambda _result, _run: "nothing: any run-time that reads ONNX takes the file",
    "network": lambda _result, _run: "nothing: run the file on your device",
    "networks": lambda _result, _run: "",  # the result itself says what to do on the device, and then
}
