"""What all processes on labels share: every entry is kept with probability α(t), else it comes from the prior."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from symdiff.processes.base import Process
from symdiff.random import Generator, uniform
from symdiff.state import Categorical, Field, Schema, State, extent, schema_from_plain, schema_to_plain, support

Prior = Literal["marginal", "uniform"]
CERTAIN = 80.0
"""The logit of a label that is known."""


class Discrete(Process, ABC):
    """A process on labels: every entry is kept with probability α(t), else drawn from the prior π over labels.

    So q(x_t | x0) = α(t) δ(x_t = x0) + (1 − α(t)) π(x_t). The reverse chain p(x_s | x_t) = Σ_x0 p(x0 | x_t) q(x_s |
    x_t, x0) and its variational bound follow from α and π alone.

    References
    ----------
    Austin, Johnson, Ho, Tarlow, van den Berg: Structured Denoising Diffusion Models in Discrete State-Spaces (NeurIPS
    2021).
    """

    labels: dict[str, Categorical]
    """The driven fields, as they are in the data: ``schema`` with its type."""
    priors: dict[str, Tensor]
    """π of every driven field over its noisy labels, (classes,) float64."""

    @abstractmethod
    def alpha(self, t: Tensor) -> Tensor:
        """Evaluate the probability that an entry is still what it was in the data.

        Parameters
        ----------
        t : Tensor
            Times in [0, 1], any shape.

        Returns
        -------
        Tensor
            α(t) in the shape of ``t``: 1 at t = 0, decreasing.
        """

    def set_priors(self, schema: Schema | Mapping, priors: Mapping[str, list[float]]) -> None:
        """Set the driven fields and the prior over the labels of each.

        Parameters
        ----------
        schema : Mapping
            The fields as they are in the data, all Categorical.
        priors : Mapping of str to list of float
            Weights of the noisy labels, which are normalized.

        Raises
        ------
        ValueError
            For a field that has no labels, no prior, or one of another length.
        """
        self.schema = schema_from_plain(schema)
        self.register_to_config(schema=schema_to_plain(self.schema))  # a config is plain JSON, whatever was passed
        self.labels = {}
        for name, field in self.schema.items():
            if not isinstance(field, Categorical):
                raise ValueError(f"field {name!r} of a process on labels must be Categorical, got {field}")
            self.labels[name] = field
        self.priors = {}
        for name, field in self.noisy_schema().items():
            if name not in priors:
                raise ValueError(f"field {name!r} has no prior; there are priors of {sorted(priors)}")
            prior = torch.tensor(priors[name], dtype=torch.float64)
            if prior.shape != (field.classes,) or not bool((prior >= 0).all() & (prior.sum() > 0)):
                raise ValueError(f"the prior of field {name!r} needs {field.classes} weights >= 0, got {priors[name]}")
            self.priors[name] = prior / prior.sum()

    def noisy_schema(self) -> Mapping[str, Categorical]:
        """Return the driven fields, all Categorical; noise has the data's labels unless a subclass adds some."""
        return self.labels

    def _prior_of(self, name: str, like: Tensor) -> Tensor:
        return self.priors[name].to(like.device, like.dtype if like.is_floating_point() else torch.float32)

    # drawing

    def prior(self, mask: Tensor, generator: Generator | None = None) -> State:
        """Draw every independent entry from the prior over the labels of its field."""
        schema, values = self.noisy_schema(), {}
        for name, field in schema.items():
            heap = self.priors[name].cumsum(0).float().to(mask.device)
            u = chance(field, mask, generator)
            labels = torch.bucketize(u * heap[-1], heap, right=True)  # as draw does, but faster for one distribution
            values[name] = torch.where(extent(field, mask), labels, 0)
        return State(mask, schema, values)

    def bridge(self, x0: State, x1: State, t: Tensor, generator: Generator | None = None) -> State:
        """Keep every entry of ``x0`` with probability α(t), else take that of ``x1``."""
        values = {}
        for name in self.schema:
            keep = chance(self.schema[name], x0.mask, generator) < _per_entry(self.alpha(t), x0[name])
            values[name] = torch.where(keep, x0[name], x1[name])
        return x0.with_values(self.noisy_schema(), **values)

    def again(self, x: State, s: Tensor, t: Tensor, generator: Generator | None = None) -> State:
        """Keep every entry with probability α(t)/α(s), else draw it from the prior."""
        x1, values = self.prior(x.mask, generator), {}
        share = torch.where(self.alpha(s) > 0, self.alpha(t) / self.alpha(s), 0.0)
        for name, field in self.noisy_schema().items():
            keep = chance(field, x.mask, generator) < _per_entry(share, x[name])
            values[name] = torch.where(keep, x[name], x1[name])
        return x.with_values(**values)

    # the reverse chain

    def predict(self, name: str, out: State, x: State) -> Tensor:
        """Normalize the prediction of a field.

        Parameters
        ----------
        name : str
            The field.
        out : State
            The denoiser's prediction from ``x``, logits (..., labels of the data).
        x : State
            x_t, which says what is known already (``Masked``).

        Returns
        -------
        Tensor
            p(x0 | x_t) of every entry over the noisy labels, (..., classes), at least float32.
        """
        logits = _precise(out[name])
        # many times as fast as torch's softmax over few labels
        weights = (logits - logits.amax(-1, keepdim=True)).exp()
        return weights / weights.sum(-1, keepdim=True)

    def posterior(self, name: str, p0: Tensor, x_t: Tensor, t: Tensor, s: Tensor) -> Tensor:
        """Evaluate p(x_s | x_t) = Σ_x0 p(x0 | x_t) q(x_s | x_t, x0) of one field.

        Parameters
        ----------
        name : str
            The field.
        p0 : Tensor
            p(x0 | x_t), (..., classes).
        x_t : Tensor
            Labels, (...).
        t, s : Tensor
            (B,) times, s < t.

        Returns
        -------
        Tensor
            (..., classes), over x_s.
        """
        prior = self._prior_of(name, p0)
        here = functional.one_hot(x_t, p0.shape[-1]).to(p0)
        a_t, a_s = (_per_entry(self.alpha(u).to(p0), here) for u in (t, s))
        a_ts = torch.where(a_s > 0, a_t / a_s, 0.0)
        at_x_t = prior[x_t][..., None]
        reach = a_ts * here + (1 - a_ts) * at_x_t  # q(x_t | x_s), over x_s
        evidence = a_t * here + (1 - a_t) * at_x_t  # q(x_t | x0), over x0
        weight = torch.where(evidence > 0, p0 / evidence, 0.0)
        return reach * (a_s * weight + (1 - a_s) * prior * weight.sum(-1, keepdim=True))

    def transition(self, name: str, p0: Tensor, x_t: Tensor, t: Tensor, s: Tensor) -> Tensor:
        """Evaluate the distribution that ``step`` draws from: the posterior, unless a subclass steps otherwise.

        Parameters
        ----------
        name : str
            The field.
        p0 : Tensor
            p(x0 | x_t), (..., classes).
        x_t : Tensor
            Labels, (...).
        t, s : Tensor
            (B,) times, s < t.

        Returns
        -------
        Tensor
            (..., classes), over x_s.
        """
        return self.posterior(name, p0, x_t, t, s)

    def step(self, x: State, out: State, t: Tensor, s: Tensor, generator: Generator | None = None) -> State:
        """Draw every independent entry from ``transition``, given the predicted distribution of its clean label."""
        values = {}
        for name, field in self.noisy_schema().items():
            p = self.transition(name, self.predict(name, out, x), x[name], t, s)
            values[name] = draw(p, field, x.mask, generator)
        return x.with_values(**values)

    def kl(self, out: State, x0: State, x: State, t: Tensor, s: Tensor) -> Tensor:
        """Sum over entries the divergence of the posterior given x0 from that under the prediction."""
        total = torch.zeros(len(x0), device=x0.device)
        for name, field in self.noisy_schema().items():
            p0 = self.predict(name, out, x)
            q = self.posterior(name, functional.one_hot(x0[name], field.classes).to(p0), x[name], t, s)
            p = self.posterior(name, p0, x[name], t, s)
            total = total + _sum(_divergence(q, p), field, x0.mask)
        return total

    def prior_kl(self, x0: State) -> Tensor:
        """Sum over entries the divergence of q(x_1 | x0) from the prior; zero where α(1) = 0."""
        total, one = torch.zeros(len(x0), device=x0.device), torch.ones(len(x0), device=x0.device)
        for name, field in self.noisy_schema().items():
            prior = self._prior_of(name, one)
            a = _per_entry(self.alpha(one), x0[name][..., None])
            q = a * functional.one_hot(x0[name], field.classes) + (1 - a) * prior
            total = total + _sum(_divergence(q, prior), field, x0.mask)
        return total

    # around what is known

    def overwrite(self, name: str, out: State, value: Tensor, there: Tensor, x: State, t: Tensor) -> Tensor:
        """Make the known labels certain: a logit of ``CERTAIN`` for the label, 0 for all others."""
        certain = CERTAIN * functional.one_hot(value, self.labels[name].classes).to(out[name])
        return torch.where(there[..., None], certain, out[name])

    def log_likelihood(self, name: str, out: State, value: Tensor, there: Tensor, mask: Tensor, t: Tensor) -> Tensor:
        """Sum the log-probabilities of the known labels as the prediction has them."""
        entries = torch.where(support(self.schema[name], mask), surprise(out[name], value), 0.0)
        return -entries.flatten(1).sum(1)

    # training

    def loss(self, out: State, x0: State, x: State, t: Tensor) -> Tensor:
        """Evaluate the cross-entropy of the clean labels: the mean over a structure's driven entries, in nats."""
        total, count = torch.zeros(len(x0), device=x0.device), torch.zeros(len(x0), device=x0.device)
        for name, field in self.schema.items():
            entries = surprise(out[name], x0[name])
            total = total + _sum(entries, field, x0.mask)
            count = count + _sum(torch.ones_like(entries), field, x0.mask)
        return total / count.clamp_min(1)


def choose_prior(marginals: Mapping[str, list[float]], prior: Prior) -> Mapping[str, list[float]]:
    """Choose the weights of the labels of every field: their frequencies in the data, or all the same.

    Parameters
    ----------
    marginals : Mapping of str to list of float
        Frequencies of the labels in the data, by field.
    prior : {"marginal", "uniform"}
        Which of the two.

    Returns
    -------
    Mapping of str to list of float
        Weights of the labels, by field, as long as the frequencies.
    """
    return marginals if prior == "marginal" else {name: [1.0] * len(shares) for name, shares in marginals.items()}


def draw(p: Tensor, field: Field, mask: Tensor, generator: Generator | None = None) -> Tensor:
    """Draw a label for every independent entry of a field.

    Parameters
    ----------
    p : Tensor
        Weights of the labels of every entry, (..., classes), which need not be normalized; a label of weight zero is
        never drawn.
    field : Field
        The field, whose axes say what an entry belongs to.
    mask : Tensor
        (B, N) bool, the real nodes.
    generator : Generator, optional

    Returns
    -------
    Tensor
        Labels, (...) int64, zero in the padding.
    """
    heap = torch.where(p > 0, p.cumsum(-1), 0.0)  # zero is never above the threshold, however sums are rounded
    threshold = chance(field, mask, generator)[..., None] * heap.amax(-1, keepdim=True)
    labels = (heap > threshold).to(torch.int32).argmax(-1)  # the first that is
    return torch.where(extent(field, mask), labels, 0)


def surprise(logits: Tensor, labels: Tensor) -> Tensor:
    """Evaluate −log softmax(logits)[label] of every entry, in nats and at least float32.

    Parameters
    ----------
    logits : Tensor
        (..., classes).
    labels : Tensor
        (...) int64.

    Returns
    -------
    Tensor
        (...), in nats.
    """
    logits = _precise(logits)  # three times as fast as torch's cross_entropy
    return logits.logsumexp(-1) - logits.gather(-1, labels[..., None])[..., 0]


def chance(field: Field, mask: Tensor, generator: Generator | None = None) -> Tensor:
    """Draw uniform numbers for the entries of a field.

    Parameters
    ----------
    field : Field
        The field, whose axes say what an entry belongs to: the structure, a node or a pair.
    mask : Tensor
        (B, N) bool, the real nodes.
    generator : Generator, optional
        The source of randomness.

    Returns
    -------
    Tensor
        (B,), (B, N) or (B, N, N) in [0, 1); those of (i, j) and (j, i) are the same for a symmetric field.
    """
    u = uniform(_entries(field, mask), generator, mask)
    return torch.where(support(field, mask), u, u.mT) if field.symmetric else u


def _precise(logits: Tensor) -> Tensor:
    return logits if logits.dtype == torch.float64 else logits.float()


def _divergence(q: Tensor, p: Tensor) -> Tensor:
    """KL(q || p) over the last axis; infinite where p excludes what q allows."""
    return (torch.xlogy(q, q) - torch.xlogy(q, p)).sum(-1)


def _entries(field: Field, mask: Tensor) -> tuple[int, ...]:
    return field.shape(*mask.shape)[: {"whole": 1, "node": 2, "pair": 3}[field.axes]]


def _per_entry(value: Tensor, like: Tensor) -> Tensor:
    return value.view(-1, *[1] * (like.ndim - 1))


def _sum(entries: Tensor, field: Field, mask: Tensor) -> Tensor:
    return torch.where(support(field, mask), entries, 0.0).reshape(len(mask), -1).sum(1)
