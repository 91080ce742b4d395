"""How the paper's predictor is trained: as the paper does, or faster."""

from dataclasses import dataclass

from blockprof.foundation.errors import InputError


@dataclass(frozen=True, slots=True)
class Recipe:
    """Adam on the squared error of latency over the greatest, gradients clipped, the epoch of least dev error kept.

    ``one_cycle`` raises the learning rate to ``learning_rate`` over the first fifth of the steps and lowers it to 0
    over the others; else it is constant. ``same_length`` makes batches of networks with equally many blocks, as the
    released code does; else they are mixed. ``spread_weights`` begins with the released code's initial weights; else
    with smaller, orthogonal ones and the mean as output. ``patience`` stops after so many epochs without a better one;
    None never does.

    Raises:
        InputError: a number that cannot be: the message says which.
    """

    epochs: int = 200
    batch_size: int = 16
    learning_rate: float = 1e-3
    max_gradient_norm: float = 5.0
    dropout: float = 0.5
    one_cycle: bool = False
    same_length: bool = True
    spread_weights: bool = True
    patience: int | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} is {value}: at least 1 is needed")


PAPER = Recipe()
"""The paper's, with the released code's dropout."""
FAST = Recipe(
    epochs=20,
    batch_size=32,
    learning_rate=6e-3,
    dropout=0.0,
    one_cycle=True,
    same_length=False,
    spread_weights=False,
)
"""The same network, no worse, in less than a tenth of the time (bench_predictors.py --paper)."""
