"""The paper's predictor as a kind: its options, its training, what tells trainings apart."""

import json
from dataclasses import asdict, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from blockprof.foundation.lazy import lazy_import
from blockprof.predictors.gru.recipe import FAST, PAPER, Recipe
from blockprof.predictors.kinds import Fitted, TrainingOptions, TrainingTask

if TYPE_CHECKING:
    from blockprof.predictors.gru import features, network, training
else:
    features = lazy_import("blockprof.predictors.gru.features")
    network = lazy_import("blockprof.predictors.gru.network")
    training = lazy_import("blockprof.predictors.gru.training")


def train_gru(task: TrainingTask) -> Fitted:
    """Train on the rows that are no outliers; the dev rows tell the epoch and the interval."""
    recipe = recipe_of(task.options)
    found = training.fit_gru(
        task.sound,
        task.dev,
        task.metric,
        resolutions=task.resolutions,
        recipe=recipe,
        seed=task.seed,
        device=task.options.device or "cpu",
        checkpoint=task.checkpoint,
        listener=task.listener,
    )
    return Fitted(found.model, asdict(recipe), found.epochs, found.seconds)


def fingerprint_gru(task: TrainingTask) -> str:
    """64 hex digits that tell trainings apart."""
    spec = network.NetworkSpec(features.num_operators(task.train.space))
    facts = training.training_facts(task.train, task.dev, recipe_of(task.options), task.seed, spec)
    return sha256(json.dumps(facts).encode()).hexdigest()


def recipe_of(options: TrainingOptions) -> Recipe:
    """The paper's recipe, or the fast one, with what is given."""
    recipe = FAST if options.fast else PAPER
    return replace(recipe, epochs=options.epochs or recipe.epochs, patience=options.patience)
