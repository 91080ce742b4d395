"""What is kept of a training after each epoch, so that a killed one resumes (``blockprof.foundation.journal``).

The header says what is trained on and how. The one row has all that changes: the networks, the optimizer, the epochs.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from blockprof.foundation import journal, journal_lines
from blockprof.foundation.decoding import MALFORMED
from blockprof.predictors.gru.network import GruNetwork
from blockprof.predictors.kinds import Epoch

JOURNAL = journal.Kind("training", "trained", "trains", in_order=True)


@dataclass(eq=False)
class TrainingState:
    """All that changes while training. What is random is drawn again for each epoch, from the seed and its number."""

    network: GruNetwork
    optimizer: torch.optim.Adam
    best: dict[str, Tensor]
    epochs: list[Epoch] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def best_error(self) -> float:
        """The least dev error so far, in percent."""
        return min((epoch.dev_mape_percent for epoch in self.epochs), default=float("inf"))


def save(kept: journal.Journal, state: TrainingState) -> None:
    """Keep a training, instead of what was kept of it.

    Raises:
        InputError: it cannot be written.
    """
    moments = state.optimizer.state_dict()
    kept.replace(
        {
            "network": _packed(state.network.state_dict()),
            "best": _packed(state.best),
            "moments": {str(key): _packed(tensors) for key, tensors in moments["state"].items()},
            "groups": moments["param_groups"],
            "epochs": [asdict(epoch) for epoch in state.epochs],
            "seconds": state.seconds,
        }
    )


def load(kept: journal.Journal, of: Mapping[str, Any], state: TrainingState) -> None:
    """Bring a training to where it was kept; leave it as it begins where nothing was.

    Raises:
        JournalError: it is of other rows, or another way to train; the message says what differs.
        DataFileError: it is damaged.
    """
    if kept.contents.of is None:
        return
    journal.check_same(kept.path, JOURNAL, kept.contents.of, of)
    for row in kept.contents.rows:
        content = row.content
        try:
            state.network.load_state_dict(_unpacked(content["network"]))
            state.best = _unpacked(content["best"])
            moments = {int(key): _unpacked(tensors) for key, tensors in content["moments"].items()}
            state.optimizer.load_state_dict({"state": moments, "param_groups": content["groups"]})
            state.epochs = [Epoch(**epoch) for epoch in content["epochs"]]
            state.seconds = float(content["seconds"])
        except (RuntimeError, *MALFORMED):
            raise journal.damaged(kept.path, JOURNAL, row.number) from None


def _packed(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    return {name: journal_lines.pack(tensor.detach().cpu().numpy()) for name, tensor in tensors.items()}


def _unpacked(packed: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(journal_lines.unpack(one, "f").copy()) for name, one in packed.items()}
