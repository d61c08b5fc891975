"""Masking: the prior is all mask, generation unmasks entry by entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor
from torch.nn import functional

from symdiff.config.recipe import build
from symdiff.processes.base import Predict, add
from symdiff.processes.discrete import Discrete, _sum, chance, draw, surprise
from symdiff.processes.revealing import Revealing
from symdiff.random import Generator
from symdiff.state import Categorical, Field, State, schema_from_plain, support


class Masked(Discrete):
    """Masked diffusion: every entry is hidden at time t with probability t, and revealed by a label that is predicted.

    A hidden entry has the noisy label ``classes``, one more than the data's. A step reveals it with probability
    (t − s)/t, by a label drawn from the prediction; what is revealed stays.

    Parameters
    ----------
    schema : Mapping
        The driven fields, all Categorical.
    marginals : Mapping of str to list of float, optional
        Not used: the prior is the mask.
    evenly : bool
        Whether exactly round(t·M) of a structure's M independent entries are hidden at time t. As many are then
        revealed in every step, chosen at random; with M steps one at a time, which is an any-order autoregressive
        model, exact for exact predictions.
    weighting : {"mean", "bound"}
        The loss: the mean over the hidden entries, or a weighted sum whose expectation over t is the variational bound,
        in nats an entry.
    focus : float
        Training times are u^focus with u uniform; with 0 everything is hidden, for predictions in one step.
    revealing : Mapping or Revealing, optional
        With ``evenly`` and one field of nodes: the order in which nodes are revealed (``Sublattices``,
        ``CoarseToFine``), which then also chooses the times. Random where left out.

    Raises
    ------
    ValueError
        For settings that do not go together.

    References
    ----------
    Sahoo et al.: Simple and Effective Masked Diffusion Language Models (NeurIPS 2024).
    Shi, Han, Wang, Doucet, Titsias: Simplified and Generalized Masked Diffusion for Discrete Data (NeurIPS 2024).
    """

    reveals = True

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        marginals: Mapping[str, list[float]] | None = None,
        evenly: bool = False,
        weighting: Literal["mean", "bound"] = "mean",
        focus: float = 1.0,
        revealing: Mapping | Revealing | None = None,
    ) -> None:
        if focus < 0 or (focus != 1 and weighting == "bound"):
            raise ValueError(
                f"focus must be at least 0, and 1 where the loss is the bound, got {focus} with weighting {weighting!r}"
            )
        fields = schema_from_plain(schema)
        masks = {
            name: [0.0] * field.classes + [1.0] for name, field in fields.items() if isinstance(field, Categorical)
        }
        self.set_priors(fields, masks)
        self.evenly, self.weighting, self.focus = evenly, weighting, focus
        self.revealing: Revealing | None = None if revealing is None else build(Revealing, revealing)
        if self.revealing is not None and (
            not evenly or focus != 1 or any(field.axes != "node" for field in fields.values()) or len(fields) != 1
        ):
            raise ValueError("revealing needs one field of nodes, evenly and focus 1")

    @property
    def renoises(self) -> bool:
        """Never: what is revealed stays."""
        return False

    def noisy_schema(self) -> Mapping[str, Categorical]:
        """Return the driven fields with one more label, the mask."""
        return {
            name: Categorical(field.axes, field.classes + 1, field.undirected) for name, field in self.labels.items()
        }

    def alpha(self, t: Tensor) -> Tensor:
        """Evaluate α(t) = 1 − t."""
        return 1 - t

    def draw_times(self, batch: int, generator: Generator | None = None, like: Tensor | None = None) -> Tensor:
        """Draw u^``focus`` with u uniform, or the times of the order of revealing."""
        times = super().draw_times(batch, generator, like)
        return times**self.focus if self.revealing is None else self.revealing.draw_times(times)

    def times(self, steps: int) -> Tensor:
        """Make an even grid, or that of the order of revealing."""
        return super().times(steps) if self.revealing is None else self.revealing.times(steps)

    def predict(self, name: str, out: State, x: State) -> Tensor:
        """Normalize the logits of hidden entries; what is shown is certain."""
        p0 = functional.pad(super().predict(name, out, x), (0, 1))
        shown = functional.one_hot(x[name], p0.shape[-1]).to(p0)
        return torch.where(self._hidden(name, x)[..., None], p0, shown)

    def bridge(self, x0: State, x1: State, t: Tensor, generator: Generator | None = None) -> State:
        """Hide every entry with probability t, or exactly round(t·M) of them where that is ``evenly``."""
        if not self.evenly:
            return super().bridge(x0, x1, t, generator)
        entries = {name: support(field, x0.mask) for name, field in self.schema.items()}
        if self.revealing is None:
            hide = self._choose(entries, self._count(x0.mask, t), x0.mask, generator)
        else:
            show = self._choose(
                entries, self._count(x0.mask, torch.ones_like(t)) - self._count(x0.mask, t), x0.mask, generator
            )
            hide = {name: entries[name] & ~show[name] for name in entries}
        values = {name: torch.where(hide[name], x1[name], x0[name]) for name in self.schema}
        return x0.with_values(self.noisy_schema(), **values)

    def step(self, x: State, out: State, t: Tensor, s: Tensor, generator: Generator | None = None) -> State:
        """Reveal hidden entries, at random or in the order of ``revealing``, by labels drawn from the prediction."""
        if not self.evenly:
            return super().step(x, out, t, s, generator)
        if self.revealing is not None:
            return self._reveal(self.revealing, x, out, s, generator)
        hidden = {name: self._hidden(name, x) & support(field, x.mask) for name, field in self.schema.items()}
        reveal = self._choose(hidden, self._hidden_count(x) - self._count(x.mask, s), x.mask, generator)
        values = {}
        for name, field in self.schema.items():
            x0 = draw(self.predict(name, out, x), field, x.mask, generator)
            values[name] = torch.where(reveal[name], x0, x[name])
        return x.with_values(**values)

    def kl(self, out: State, x0: State, x: State, t: Tensor, s: Tensor) -> Tensor:
        """Sum the surprise of the hidden entries times the probability that the step reveals each."""
        if self.evenly:
            share = (self._hidden_count(x) - self._count(x.mask, s)).clamp_min(0).to(t) / self._next_count(x).clamp_min(
                1
            )
        else:
            share = (t - s) / t
        return share * self._hidden_surprise(out, x0, x)

    def loss(self, out: State, x0: State, x: State, t: Tensor) -> Tensor:
        """Evaluate the cross-entropy of the hidden labels, in nats; zero where nothing is hidden."""
        total = self._hidden_surprise(out, x0, x)
        if self.evenly or self.weighting == "mean":  # evenly, the mean over the hidden entries is the bound's too
            return total / self._next_count(x).clamp_min(1).to(t)
        return total / (t * self._count(x.mask, torch.ones_like(t)))

    def evidence(self, predict: Predict, known: State, rounds: int, generator: Generator | None = None) -> Tensor:
        """Show the known entries part by part, in random order, and sum their log-probabilities."""
        x = self.prior(known.mask, generator)
        every = self._count(known.mask, torch.ones(len(known), device=known.device))
        left = {name: ~self._hidden(name, known) & support(field, known.mask) for name, field in self.schema.items()}
        number, total = every - self._hidden_count(known), torch.zeros(len(known), device=known.device)
        for k in range(rounds):
            before, after = (number * part // rounds for part in (k, k + 1))
            show = self._choose(left, after - before, known.mask, generator)
            out = predict(x, 1 - before / every.clamp_min(1))
            for name, field in self.labels.items():
                labels = known[name].clamp_max(field.classes - 1)
                total = total - _sum(torch.where(show[name], surprise(out[name], labels), 0.0), field, known.mask)
                left[name] = left[name] & ~show[name]
            x = x.with_values(**{name: torch.where(show[name], known[name], x[name]) for name in self.schema})
        return total

    def log_probability(self, x: State, y: State, out: State) -> Tensor:
        """Sum log p over the entries that are hidden in ``x`` and shown in ``y``."""
        total = torch.zeros(len(x), dtype=torch.float64)
        for name, field in self.labels.items():
            shown = (x[name] == field.classes) & (y[name] < field.classes)
            terms = torch.where(shown, surprise(out[name], y[name].clamp_max(field.classes - 1)), 0.0)
            total = total - _sum(terms, field, x.mask).cpu().double()
        return total

    def overwrite(self, name: str, out: State, value: Tensor, there: Tensor, x: State, t: Tensor) -> Tensor:
        """Refuse: a masked trajectory starts from the known part.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError("Masked starts from what is known, it does not generate around it")

    def _reveal(self, order: Revealing, x: State, out: State, s: Tensor, generator: Generator | None) -> State:
        """Step in an order of the nodes: labels are drawn for those alone that come next."""
        ((name, field),) = self.labels.items()
        hidden = self._hidden(name, x) & x.mask
        count = (hidden.sum(1) - self._count(x.mask, s)).clamp_min(0)
        keys = torch.where(hidden, order.keys(hidden, generator), 2.0)
        first = keys.topk(max(1, int(count.max())), largest=False).indices  # (B, m)
        logits = out[name].gather(1, first[..., None].expand(-1, -1, field.classes))
        shown = torch.arange(first.shape[1], device=first.device) < count[:, None]
        p0 = functional.pad(super().predict(name, State(shown, {name: out.schema[name]}, {name: logits}), x), (0, 1))
        labels = torch.where(shown, draw(p0, field, torch.ones_like(shown), generator), x[name].gather(1, first))
        return x.with_values(**{name: x[name].scatter(1, first, labels)})

    def _hidden(self, name: str, x: State) -> Tensor:
        return x[name] == self.labels[name].classes

    def _hidden_count(self, x: State) -> Tensor:
        """How many entries of every structure are hidden, (B,) int64."""
        return add([_sum(self._hidden(name, x), field, x.mask) for name, field in self.schema.items()]).long()

    def _next(self, name: str, x: State) -> Tensor:
        """The hidden entries of which some are revealed next: all of them, unless there is an order."""
        hidden = self._hidden(name, x)
        return hidden if self.revealing is None else self.revealing.next(hidden & x.mask)

    def _next_count(self, x: State) -> Tensor:
        """How many these are, (B,) int64."""
        return add([_sum(self._next(name, x), field, x.mask) for name, field in self.schema.items()]).long()

    def _hidden_surprise(self, out: State, x0: State, x: State) -> Tensor:
        total = torch.zeros(len(x0), device=x0.device)
        for name, field in self.schema.items():
            entries = torch.where(self._next(name, x), surprise(out[name], x0[name]), 0.0)
            total = total + _sum(entries, field, x0.mask)
        return total

    def _count(self, mask: Tensor, t: Tensor) -> Tensor:
        """How many entries are hidden at time t where that is fixed: round(t·M), (B,) int64."""
        entries = add([support(field, mask).reshape(len(mask), -1).sum(1) for field in self.schema.values()])
        return (t * entries).round().long()

    def _choose(
        self, entries: Mapping[str, Tensor], count: Tensor, mask: Tensor, generator: Generator | None
    ) -> dict[str, Tensor]:
        """Choose ``count`` (B,) of the structures' ``entries`` (bool, by field).

        At random, or those that come first.
        """

        def key(name: str, field: Field) -> Tensor:
            return (
                chance(field, mask, generator)
                if self.revealing is None
                else self.revealing.keys(entries[name], generator)
            )

        keys = [
            torch.where(entries[name], key(name, field), 2.0).reshape(len(mask), -1)
            for name, field in self.schema.items()
        ]
        order = torch.cat(keys, 1).argsort(dim=1, stable=True)  # stable: the padding decides no ties
        first = torch.arange(order.shape[1], device=order.device) < count[:, None]
        chosen = torch.zeros_like(first).scatter(1, order, first).split([key.shape[1] for key in keys], 1)
        picks = {}
        for (name, field), part in zip(self.schema.items(), chosen, strict=True):
            pick = part.view(entries[name].shape) & entries[name]
            picks[name] = pick | pick.mT if field.symmetric else pick
        return picks
