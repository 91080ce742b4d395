"""The paper's network, in torch: what is trained."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from blockprof.predictors.gru.features import NUM_SHAPES


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """Sizes of the network; all but ``num_operators`` are the paper's. ``sigmoid`` bounds the output by 1."""

    num_operators: int
    embedding: int = 112
    shape_embedding: int = 16
    hidden: int = 512
    sigmoid: bool = False


class GruNetwork(nn.Module):
    """Embedded operators beside a linear map of the shapes, a bidirectional GRU, its last step, dropout, one output.

    At the last step the backward direction has seen the last block only, so one step of it is all that is run: the
    output is the bidirectional GRU's, in half its time. Its recurrent weights are kept, being the paper's, but meet
    nothing other than a state of 0, and do not learn.
    """

    def __init__(self, spec: NetworkSpec, dropout: float = 0.0) -> None:
        super().__init__()
        self.spec = spec
        self.operators = nn.Embedding(spec.num_operators, spec.embedding)
        self.shapes = nn.Linear(NUM_SHAPES, spec.shape_embedding)
        self.gru = nn.GRU(spec.embedding + spec.shape_embedding, spec.hidden, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(2 * spec.hidden, 1)
        for weights in self.gru.parameters():  # as the released code initialises them
            if weights.dim() == 1:
                nn.init.normal_(weights, 0.0, math.sqrt(6 / (1 + len(weights))))
            else:
                nn.init.xavier_normal_(weights, math.sqrt(3))

    def begin_small(self, output: float) -> None:
        """Set initial weights that learn sooner than the released code's: the state is kept in norm by orthogonal
        recurrent weights, shapes count as much as operators, and the output begins at ``output``.
        """
        nn.init.normal_(self.operators.weight, 0.0, 0.3)
        nn.init.uniform_(self.shapes.weight, -1.2, 1.2)
        bound = self.spec.hidden**-0.5
        for name, weights in self.gru.named_parameters():
            nn.init.uniform_(weights, -bound, bound)
            if name.startswith("weight_hh"):
                for gate in weights.detach().chunk(3):
                    nn.init.orthogonal_(gate)
        nn.init.constant_(self.output.bias, math.log(output / (1 - output)) if self.spec.sigmoid else output)

    def forward(self, operators: Tensor, shapes: Tensor, lengths: Tensor) -> Tensor:
        """Predict latencies over the greatest.

        Args:
            operators: (B, T) int64, any number behind a network's last block.
            shapes: (B, T, 6), scaled.
            lengths: (B,) int64, how many blocks each network has.

        Returns:
            (B,).
        """
        embedded = torch.cat([self.operators(operators), self.shapes(shapes)], dim=-1)
        start = embedded.new_zeros(1, len(embedded), self.spec.hidden)
        ahead, behind = self._direction(""), self._direction("_reverse")
        states, _ = torch.gru(embedded, start, ahead, True, 1, 0.0, self.training, False, True)
        row, last = torch.arange(len(embedded), device=lengths.device), lengths - 1
        backward = torch.gru_cell(embedded[row, last], start[0], *behind)
        found: Tensor = self.output(self.dropout(torch.cat([states[row, last], backward], dim=1)))[:, 0]
        return found.sigmoid() if self.spec.sigmoid else found

    def _direction(self, suffix: str) -> list[Tensor]:
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        return [self.gru.get_parameter(f"{name}{suffix}") for name in names]
