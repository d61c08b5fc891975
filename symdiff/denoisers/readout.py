"""Predictions for nodes, pairs and whole structures from features of the nodes."""

from __future__ import annotations

from typing import Literal

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from symdiff.denoisers.base import mean_over_nodes, width_of
from symdiff.state import Categorical, Schema, State, extent

Pooling = Literal["mean", "sum"]


class Readout(nn.ModuleDict):
    """Linear for node and graph-level fields; for a pair bilinear in its two nodes.

    A pair's prediction also has a table of (label seen, label predicted) that depends on the context.

    Parameters
    ----------
    predicted, noisy : Mapping of str to Field
        The schemas of the prediction and of x.
    width, context : int
        Channels of a node and of the context.
    rank : int
        Of the bilinear form.
    pooling : {"mean", "sum"}
        Graph-level fields are read from the mean over the nodes, or are a sum over nodes of two layers' outputs, a
        quarter of it.
    """

    def __init__(
        self, predicted: Schema, noisy: Schema, width: int, context: int, rank: int, pooling: Pooling = "mean"
    ) -> None:
        super().__init__()
        self.predicted, self.rank, self.pooling = dict(predicted), rank, pooling
        for name, field in self.predicted.items():
            outputs = width_of(field)
            if field.axes == "whole" and pooling == "sum":
                self[name] = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, outputs))
                continue
            if field.axes != "pair":
                self[name] = nn.Linear(width, outputs)
                continue
            head = nn.ModuleDict({"row": nn.Linear(width, outputs * rank), "column": nn.Linear(width, outputs * rank)})
            seen = noisy.get(name)
            if isinstance(seen, Categorical):
                echo = nn.Linear(context, seen.classes * outputs)
                nn.init.zeros_(echo.weight)
                nn.init.zeros_(echo.bias)
                head["echo"] = echo
            self[name] = head

    def forward(self, h: Tensor, x: State, context: Tensor) -> dict[str, Tensor]:
        """Predict all fields.

        Parameters
        ----------
        h : Tensor
            (B, N, width), invariant features of the nodes.
        x : State
            The noisy structures.
        context : Tensor
            (B, context).

        Returns
        -------
        dict of str to Tensor
            The prediction of every field, logits or reals.
        """
        return {name: self._read(name, h, x, context) for name in self.predicted}

    def _read(self, name: str, h: Tensor, x: State, context: Tensor) -> Tensor:
        field, head = self.predicted[name], self[name]
        if field.axes == "whole" and self.pooling == "sum":
            return (head(h) * x.mask[..., None]).sum(1) / 4
        if field.axes == "whole":
            return head(mean_over_nodes(h, x.mask))
        if field.axes == "node":
            return head(h) * x.mask[..., None]
        assert isinstance(head, nn.ModuleDict)
        row, column = (rearrange(head[side](h), "b n (k r) -> b k n r", r=self.rank) for side in ("row", "column"))
        logits = rearrange(row @ column.mT, "b k i j -> b i j k") * self.rank**-0.5
        if "echo" in head:
            table = rearrange(head["echo"](context), "b (seen k) -> b seen k", k=logits.shape[-1])
            seen = functional.one_hot(x[name], table.shape[1]).to(table.dtype)
            logits = logits + torch.einsum("bijs,bsk->bijk", seen, table)
        if field.symmetric:
            logits = logits + logits.transpose(1, 2)
        return logits * extent(field, x.mask)[..., None]
