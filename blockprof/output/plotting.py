"""Which pictures there are of each result, as matplotlib's figures."""

from collections.abc import Callable, Mapping
from functools import partial, singledispatch
from typing import TYPE_CHECKING

from blockprof.comparing import PredictorComparison, ProfileComparison
from blockprof.evaluators.device.block_table import BlockTable
from blockprof.evaluators.device.campaign import CampaignResult
from blockprof.evaluators.precisions.plan import PrecisionPlan
from blockprof.foundation.choices import check_choice
from blockprof.output.charts import comparisons, measurements, plans, profiles, reductions, searches, targets
from blockprof.output.draw_matplotlib import draw_chart, draw_heatmap
from blockprof.output.draw_place_maps import draw_place_maps
from blockprof.profiling import Profile
from blockprof.reduction import Reduction
from blockprof.searching.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Pictures = Mapping[str, "Callable[[], Figure]"]


def plot(result: object, what: str | None = None, metric: str | None = None) -> "Figure":
    """One of the pictures of a result: ``what``, the first where None; of a profile's ``metric``, the first where None.

    Raises:
        InputError: there is no such picture.
    """
    pictures = pictures_of(result, metric)
    return pictures[check_choice(what or next(iter(pictures)), "picture", tuple(pictures))]()


@singledispatch
def pictures_of(result: object, metric: str | None) -> Pictures:
    """What draws each picture of a result, by name."""
    raise TypeError(f"there is no picture of a {type(result).__name__}")


@pictures_of.register(Profile)
def _(profile: Profile, metric: str | None) -> Pictures:
    of_name = {one.info.name: one for one in profile.metrics}
    chosen = of_name[check_choice(metric or next(iter(of_name)), "metric", tuple(of_name))]
    return {
        "responses": lambda: draw_heatmap(profiles.response_heatmap(profile, chosen)),
        "effects": lambda: draw_chart(profiles.effect_chart(profile, chosen)),
    }


@pictures_of.register(Study)
def _(study: Study, _metric: str | None) -> Pictures:
    return {
        "front": lambda: draw_chart(searches.front_chart(study)),
        "history": lambda: draw_chart(searches.history_chart(study)),
    }


@pictures_of.register(PredictorComparison)
def _(comparison: PredictorComparison, _metric: str | None) -> Pictures:
    return {"errors": lambda: draw_chart(comparisons.errors_chart(comparison))}


@pictures_of.register(ProfileComparison)
def _(comparison: ProfileComparison, _metric: str | None) -> Pictures:
    pictures: dict[str, Callable[[], Figure]] = {
        f"{pair.first}, {pair.second}": partial(lambda one: draw_chart(comparisons.effects_chart(one)), pair)
        for pair in comparison.pairs
    }
    if maps := targets.place_maps(comparison):
        pictures["places"] = lambda: draw_place_maps(maps)
    if found := comparison.targets:
        pictures["regret"] = lambda: draw_chart(targets.regret_chart(found))
    return pictures


@pictures_of.register(BlockTable)
def _(table: BlockTable, _metric: str | None) -> Pictures:
    return {"sums": lambda: draw_chart(measurements.sums_chart(table))}


@pictures_of.register(Reduction)
def _(reduction: Reduction, _metric: str | None) -> Pictures:
    return {"kept": lambda: draw_chart(reductions.kept_chart(reduction))}


@pictures_of.register(CampaignResult)
def _(result: CampaignResult, _metric: str | None) -> Pictures:
    return {"latencies": lambda: draw_chart(measurements.latencies_chart(result))}


@pictures_of.register(PrecisionPlan)
def _(plan: PrecisionPlan, _metric: str | None) -> Pictures:
    return {"plan": lambda: draw_chart(plans.plan_chart(plan))}
