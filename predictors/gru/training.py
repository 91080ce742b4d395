"""Train the paper's network: batches, epochs, and a checkpoint from which a killed training goes on."""

import math
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.special import stdtrit
from torch import Tensor, nn

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.errors import Argument, BlockprofError, Said
from blockprof.foundation.journal import open_journal
from blockprof.foundation.listener import SILENT, Listener
from blockprof.foundation.torch_device import find_device
from blockprof.latency_data import LatencyData
from blockprof.predictors.fitting import known_resolutions
from blockprof.predictors.gru.checkpoint import JOURNAL, TrainingState, load, save
from blockprof.predictors.gru.features import network_inputs, num_operators, shape_scales
from blockprof.predictors.gru.model import GruModel
from blockprof.predictors.gru.network import GruNetwork, NetworkSpec
from blockprof.predictors.gru.recipe import PAPER, Recipe
from blockprof.predictors.kinds import Epoch
from blockprof.predictors.prediction import INTERVAL_LEVEL

WARM_UP = 0.2
FIRST_RATE = 0.04
EVALUATION_BATCH = 512


@dataclass(frozen=True, eq=False)
class GruFit:
    """The network of the epoch with the least dev error, what all epochs came to, and the seconds that they took.

    ``seconds`` counts those before a kill too, as far as the checkpoint that training went on from.
    """

    model: GruModel
    epochs: tuple[Epoch, ...]
    seconds: float


@dataclass(frozen=True, eq=False)
class _Rows:
    """N networks as the network takes them, and (N,) latencies over the greatest."""

    operators: Tensor
    shapes: Tensor
    lengths: Tensor
    shares: Tensor

    def __len__(self) -> int:
        return len(self.shares)

    def pick(self, rows: IntArray) -> "tuple[Tensor, Tensor, Tensor, Tensor]":
        index = torch.from_numpy(rows).to(self.shares.device)
        lengths = self.lengths[index]
        longest = int(lengths.max())
        return self.operators[index, :longest], self.shapes[index, :longest], lengths, self.shares[index]


def fit_gru(
    train: LatencyData,
    dev: LatencyData,
    metric: str,
    *,
    resolutions: IntArray | None = None,
    recipe: Recipe = PAPER,
    seed: int = 0,
    device: str = "cpu",
    spec: NetworkSpec | None = None,
    checkpoint: Path | None = None,
    listener: Listener = SILENT,
) -> GruFit:
    """Train on ``train``; ``dev`` tells which epoch is best, and how wide the interval is.

    On one machine, with one number of threads, the same data, recipe and seed give the same network, also where
    training was killed and went on from ``checkpoint``.

    Args:
        train: networks to learn from; the greatest latency is what the others are a share of.
        dev: other networks, at least two.
        metric: the name it will have in ``profile``.
        resolutions: further ones that the model is to know, and with several all of the space's between them.
        recipe: how to train.
        seed: of initial weights, batches and dropout.
        device: torch's, such as ``cpu`` or ``cuda:0``.
        spec: sizes of the network; the paper's where None.
        checkpoint: where to write the state after each epoch; training goes on from it where it is there. The caller
            removes it.
        listener: told how many epochs of how many are done.

    Raises:
        BlockprofError: the training diverged.
        JournalError: ``checkpoint`` is of another training.
        DataFileError: it is damaged, or of an earlier version.
        InputError: torch does not have ``device``, or ``checkpoint`` cannot be written.
    """
    find_device(device)
    start = time.perf_counter()
    space = train.space
    spec = spec or NetworkSpec(num_operators(space))
    scales, max_ms = shape_scales(space), float(train.latencies_ms.max())
    train_rows, dev_rows = (_rows(data, scales, max_ms, device) for data in (train, dev))
    state = _begin(spec, recipe, seed, float(train_rows.shares.mean()), device)
    of = training_facts(train, dev, recipe, seed, spec)
    with open_journal(checkpoint, JOURNAL, of) if checkpoint else nullcontext() as kept:
        if kept:
            load(kept, of, state)
        before = state.seconds
        while len(state.epochs) < recipe.epochs and not _is_over(state.epochs, recipe.patience):
            number = len(state.epochs) + 1
            loss = _train_epoch(state, train_rows, recipe, seed, number)
            error = 100 * float((predict_shares(state.network, dev_rows) / dev_rows.shares.cpu() - 1).abs().mean())
            if error < state.best_error:
                state.best = {name: value.detach().clone() for name, value in state.network.state_dict().items()}
            state.epochs.append(Epoch(number, loss, error))
            state.seconds = before + time.perf_counter() - start
            if kept:
                save(kept, state)
            listener.on_step("epochs", number, recipe.epochs)
    if not math.isfinite(state.best_error):
        other = Said("another {}", Argument("seed")) if recipe.one_cycle else Argument("fast", True)
        left = f", and remove {checkpoint}, which is of no use" if checkpoint else ""
        raise BlockprofError(
            "training diverged: no epoch has a finite error",
            remedy=Said("train with {}{}", other, left),
            code="diverged",
        )
    state.network.load_state_dict(state.best)
    shares = predict_shares(state.network, dev_rows).double().numpy()
    with np.errstate(divide="ignore"):
        lower, upper = interval_factors(dev.latencies_ms / (max_ms * shares))
    asked = np.concatenate([train.resolutions, dev.resolutions, *([] if resolutions is None else [resolutions])])
    model = GruModel(
        space=space,
        metric=metric,
        device=train.device,
        num_nets=train.num_networks,
        resolutions=known_resolutions(space, asked),
        weights={name: value.cpu().numpy() for name, value in state.best.items()},
        shape_scales=scales,
        max_ms=max_ms,
        sigmoid=spec.sigmoid,
        lower_factor=lower,
        upper_factor=upper,
    )
    return GruFit(model, tuple(state.epochs), before + time.perf_counter() - start)


def training_facts(
    train: LatencyData, dev: LatencyData, recipe: Recipe, seed: int, spec: NetworkSpec
) -> dict[str, str | float | None]:
    """What tells trainings apart, by name: the rows, the recipe, the seed and the sizes of the network."""
    rows = {"training rows": train.digest, "development rows": dev.digest}
    return {"space": train.space.name, **rows, "seed": seed, **asdict(recipe), **asdict(spec)}


def interval_factors(ratios: FloatArray) -> tuple[float, float]:
    """Between which 90 % of measured over predicted latencies lie, told by the (N,) ratios of networks not trained on.

    From 19 rows on these are the ratios' own order statistics, so that of exchangeable networks 90 % or a little more
    lie between (split conformal prediction, 5 % at either side). Fewer have no such order statistics: then a Student-t
    interval about their mean. Either is made to hold 1, the prediction itself. The epoch was chosen on these rows, of
    which neither takes account: with hundreds of epochs and few rows the interval is a little too narrow.

    Raises:
        BlockprofError: a ratio that is not positive, or infinite: the network predicts nonsense.
    """
    if not (np.isfinite(ratios) & (ratios > 0)).all():
        raise BlockprofError(
            "the predictor gives some networks no positive latency", remedy="train it longer, or on more"
        )
    tail, number = (1 - INTERVAL_LEVEL) / 2, len(ratios)
    rank = math.floor(tail * (number + 1))
    if rank >= 1:
        ordered = np.sort(ratios)
        lower, upper = float(ordered[rank - 1]), float(ordered[number - rank])
    else:
        mean, spread = float(ratios.mean()), float(ratios.std(ddof=1)) * math.sqrt(1 + 1 / number)
        half = float(stdtrit(number - 1, 1 - tail)) * spread
        lower, upper = max(mean - half, 0.0), mean + half
    return min(lower, 1.0), max(upper, 1.0)


def predict_shares(network: GruNetwork, rows: _Rows) -> Tensor:
    """(N,), on the CPU: what the network says of each row."""
    network.eval()
    found = torch.empty(len(rows))
    order = np.argsort(rows.lengths.cpu().numpy(), kind="stable")
    with torch.no_grad():
        for batch in _parts(order, EVALUATION_BATCH):
            operators, shapes, lengths, _ = rows.pick(batch)
            found[torch.from_numpy(batch)] = network(operators, shapes, lengths).cpu()
    return found


def _rows(data: LatencyData, scales: FloatArray, max_ms: float, device: str) -> _Rows:
    operators, shapes, lengths = network_inputs(data.archs, data.resolutions, scales)
    shares = (data.latencies_ms / max_ms).astype(np.float32)
    return _Rows(*(torch.from_numpy(array).to(device) for array in (operators, shapes, lengths, shares)))


def _begin(spec: NetworkSpec, recipe: Recipe, seed: int, mean_share: float, device: str) -> TrainingState:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_seed_of(seed, 0))
        network = GruNetwork(spec, recipe.dropout)
        if not recipe.spread_weights:
            network.begin_small(mean_share)
    network.to(device)
    return TrainingState(network, torch.optim.Adam(network.parameters(), lr=recipe.learning_rate), {})


def _train_epoch(state: TrainingState, rows: _Rows, recipe: Recipe, seed: int, number: int) -> float:
    lengths = rows.lengths.cpu().numpy()
    batches = list(make_batches(lengths, recipe, np.random.default_rng([seed, number])))
    losses = []
    state.network.train()
    with torch.random.fork_rng(devices=_cuda_devices(rows)):
        torch.manual_seed(_seed_of(seed, number))
        for index, batch in enumerate(batches):
            done = (number - 1 + index / len(batches)) / recipe.epochs
            for group in state.optimizer.param_groups:
                group["lr"] = learning_rate(recipe, done)
            operators, shapes, batch_lengths, shares = rows.pick(batch)
            state.optimizer.zero_grad()
            loss = nn.functional.mse_loss(state.network(operators, shapes, batch_lengths), shares)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(state.network.parameters(), recipe.max_gradient_norm)
            state.optimizer.step()
            losses.append(float(loss.detach()))
    return float(np.mean(losses))


def make_batches(lengths: IntArray, recipe: Recipe, rng: np.random.Generator) -> Iterator[IntArray]:
    """Share (N,) rows out into batches, in random order: mixed, or each of networks with equally many blocks."""
    rows = rng.permutation(len(lengths))
    if not recipe.same_length:
        yield from _parts(rows, recipe.batch_size)
        return
    batches = [
        batch for length in np.unique(lengths) for batch in _parts(rows[lengths[rows] == length], recipe.batch_size)
    ]
    yield from (batches[index] for index in rng.permutation(len(batches)))


def learning_rate(recipe: Recipe, done: float) -> float:
    """The learning rate when the share ``done`` of all steps is behind."""
    if not recipe.one_cycle:
        return recipe.learning_rate
    if done < WARM_UP:
        return recipe.learning_rate * (FIRST_RATE + (1 - FIRST_RATE) * (1 - math.cos(math.pi * done / WARM_UP)) / 2)
    return recipe.learning_rate * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP))) / 2


def _is_over(epochs: list[Epoch], patience: int | None) -> bool:
    if patience is None or len(epochs) <= patience:
        return False
    errors = [epoch.dev_mape_percent for epoch in epochs]
    return min(errors[-patience:]) >= min(errors[:-patience])


def _parts(rows: IntArray, size: int) -> Iterator[IntArray]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _seed_of(seed: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def _cuda_devices(rows: _Rows) -> list[torch.device]:
    return [rows.shares.device] if rows.shares.device.type == "cuda" else []
