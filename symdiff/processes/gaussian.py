"""Gaussian noise on real fields, undone by the solvers of ``symdiff.processes.schedules``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from symdiff.config.recipe import build
from symdiff.groups.orthogonal import turn
from symdiff.processes.base import Process, add, finest
from symdiff.processes.coupling import nearest
from symdiff.processes.heun import insert_corrections
from symdiff.processes.schedules import Past, Schedule
from symdiff.random import Generator, normal
from symdiff.state import Field, Real, State, extent, schema_from_plain, schema_to_plain

REACH = 4.0
"""The farthest that an entry is pulled in a step, in standard deviations of the noise."""
NEAR = 0.05
"""The error of a prediction without noise, in standard deviations of the data."""
FINE = 1e8
"""The ratio a²/b² beyond which the error of x0 = x_t − t·output is float32's rounding, and counts no more than here."""


class Gaussian(Process):
    """x_t = a(t) x0 + b(t) ε on Real fields, in the data's unit; the denoiser predicts x0.

    Deterministic schedules transport x_t; with ``eta`` or ``stochastic`` the process renoises. A solver with memory
    keeps its last prediction in x, as the fields ``<name>.past`` and ``<name>.past_time``.

    ``kl`` is that of the ancestral chain (DDPM) along the same path, whichever solver samples; at s = 0 it is −log of a
    density, in the data's unit: p(x0 | x_t) is normal around the prediction with the standard deviation b/a of x_t's
    noise. Its sum is a bound on any grid, but close only where a/b changes little from one time to the next.

    **Preconditioning.** With ``edm`` the network's output o, which denoisers of vectors put into x0 = x_t − t·o, is
    read as x0 = c_skip x_t − c_out o instead: c_skip x_t is the best linear guess for data of standard deviation S,
    c_skip = a S²/(a² S² + b²), and c_out = b S/(a² S² + b²)^½ its error, so that the best o has the standard deviation
    S at all times. EDM's c_in is in the path already: x_t of DDIM, DPM-Solver and EDM has the standard deviation S at
    all times, that of a straight path at least S/√2. On a straight path x_t − t·o is nearly the same by itself: o is
    then the velocity, of constant standard deviation √(1 + S²); on EDM's path, whose noise is not t, it is not.

    **Coupling.** With ``optimal``, for one field of vectors over nodes, the noise's nodes are numbered and its vectors
    rotated so that it lies near x0 (``coupling.nearest``), which makes paths straight and few steps enough. The noise
    still has the prior's distribution where the data's is invariant, for a network that is equivariant under
    permutations and sees no more of the structure, or a frame that is drawn unrelated to it. Given x0 the noise is no
    longer normal, so neither fresh noise in sampling nor a bound is offered.

    Parameters
    ----------
    schema : Mapping
        The driven fields, all Real.
    marginals : Mapping, optional
        Not used.
    schedule : Schedule or Mapping
        The path and the solver: DDIM, DPMSolverMultistep, EDMEuler, EDMHeun, FlowMatchEulerDiscrete or
        FlowMatchHeunDiscrete. Those of Heun need two evaluations a step, and make half as many steps.
    centered : list of str, optional
        Vector fields over nodes whose noise, like their values, has mean zero over a structure's nodes (translations
        are divided out); data are moved to mean zero.
    weighting : {"uniform", "min-snr", "edm"}
        Of the squared error of x0: 1; a²/b² up to 5; a²/b² + 1/S², S the standard deviation of the data.
    preconditioning : {"none", "edm"}
        Whether the prediction is taken for x0, or as above.
    coupling : {"independent", "optimal"}
        Which noise a structure is paired with in training.

    Raises
    ------
    ValueError
        For fields that are not Real, centered fields that are not vectors over nodes, or an optimal coupling where it
        has no meaning.

    References
    ----------
    Hang et al.: Efficient Diffusion Training via Min-SNR Weighting Strategy (ICCV 2023).
    Karras, Aittala, Aila, Laine: Elucidating the Design Space of Diffusion-Based Generative Models (NeurIPS 2022).
    """

    @register_to_config
    def __init__(
        self,
        schema: Mapping,
        marginals: Mapping[str, list[float]] | None = None,
        schedule: Schedule | Mapping = {"kind": "DDIM"},  # noqa: B006 (never changed)
        centered: list[str] | None = None,
        weighting: Literal["uniform", "min-snr", "edm"] = "min-snr",
        preconditioning: Literal["none", "edm"] = "none",
        coupling: Literal["independent", "optimal"] = "independent",
    ) -> None:
        self.schema = schema_from_plain(schema)
        self.schedule = build(Schedule, schedule)
        self._centered = tuple(centered or ())
        self.weighting, self.preconditioning, self.coupling = weighting, preconditioning, coupling
        self.register_to_config(
            schema=schema_to_plain(self.schema), schedule=self.schedule.spec, centered=list(self.centered)
        )
        self.reals: dict[str, Real] = {}
        for name, field in self.schema.items():
            if not isinstance(field, Real):
                raise ValueError(f"field {name!r} of a Gaussian process must be Real, got {field}")
            self.reals[name] = field
        for name in self.centered:
            field = self.reals.get(name)
            if field is None or field.axes != "node" or not field.vector:
                raise ValueError(f"only vector fields over nodes can be centered, got {name!r}: {field}")
        if self.couples and list(self.schema) != list(self.centered):
            raise ValueError(f"coupling: optimal needs one field, of centered vectors over nodes, got {self.schema}")
        if self.couples and self.renoises:
            raise ValueError(
                "coupling: optimal needs a deterministic schedule: fresh noise would not be the structure's own; set "
                "eta or stochastic to none"
            )

    @property
    def centered(self) -> tuple[str, ...]:
        """The fields given as ``centered``."""
        return self._centered

    @property
    def renoises(self) -> bool:
        """Whether the schedule's steps add fresh noise."""
        return self.schedule.renoises

    @property
    def couples(self) -> bool:
        """Whether the coupling is optimal."""
        return self.coupling == "optimal"

    def couple(self, x0: State, x1: State) -> State:
        """Number the noise's nodes and rotate its vectors so that it lies near ``x0``, if coupling is optimal."""
        if not self.couples:
            return x1
        (name,) = self.schema
        order, rotation = nearest(self._project(name, x0[name], x0.mask), x1[name], x0.mask)
        matched = x1[name].gather(1, order[:, :, None, None].expand_as(x1[name]))
        return x1.with_values(**{name: turn(rotation.to(matched), matched)})

    @property
    def corrects(self) -> bool:
        """Whether the schedule is one of Heun's."""
        return self.schedule.corrects

    def times(self, steps: int) -> Tensor:
        """Make an even grid, whose inner times come twice for schedules of Heun."""
        grid = super().times(steps // 2 + 1 if self.corrects and steps > 0 else steps)
        return insert_corrections(grid, steps) if self.corrects and steps > 0 else grid

    def draw_times(self, batch: int, generator: Generator | None = None, like: Tensor | None = None) -> Tensor:
        """Draw times as the schedule has them."""
        return self.schedule.draw_times(super().draw_times(batch, generator, like))

    def prior(self, mask: Tensor, generator: Generator | None = None) -> State:
        """Draw normal noise with the schedule's standard deviation, of mean zero over nodes for centered fields."""
        values = {name: self.schedule.spread * self._noise(name, mask, generator) for name in self.schema}
        return State(mask, self.schema, values)

    def bridge(self, x0: State, x1: State, t: Tensor, generator: Generator | None = None) -> State:
        """Mix a(t) x0 + b(t) ε, after ``x0`` was centered; ε is ``x1`` at standard deviation 1."""
        values = {}
        for name in self.schema:
            a, b = self._levels(t, x0[name])
            values[name] = a * self._project(name, x0[name], x0.mask) + b * x1[name] / self.schedule.spread
        return x0.with_values(**values)

    def step(self, x: State, out: State, t: Tensor, s: Tensor, generator: Generator | None = None) -> State:
        """Take the schedule's step, and note the prediction for schedules that remember it."""
        schema, values = {}, {}
        for name, field in self.schema.items():
            x0 = self._project(name, self._clean(name, out, x, t), x.mask)
            noise = self._noise(name, x.mask, generator, x[name]) if self.renoises else None
            past = None
            if self.schedule.remembers and f"{name}.past" in x.schema:
                past = (x[f"{name}.past"], x[f"{name}.past_time"][:, 0])
            values[name] = self._advance(x[name], x0, t, s, noise, past)
            if self.schedule.remembers:
                schema[f"{name}.past"], schema[f"{name}.past_time"] = field, Real("whole", 1)
                values[f"{name}.past"], values[f"{name}.past_time"] = x0, t[:, None].to(x0)
        return x.with_values(schema, **values)

    def again(self, x: State, s: Tensor, t: Tensor, generator: Generator | None = None) -> State:
        """Add the noise that x_t has beyond x_s: x_t = (a_t/a_s) x_s + (b_t² − (a_t b_s/a_s)²)^½ ε."""
        values = {}
        for name in self.schema:
            (a_s, b_s), (a_t, b_t) = self._levels(s, x[name]), self._levels(t, x[name])
            ratio = a_t / a_s
            std = (b_t.square() - (ratio * b_s).square()).clamp_min(0).sqrt()
            values[name] = ratio * x[name] + std * self._noise(name, x.mask, generator, x[name])
        return x.with_values(**values)

    def loss(self, out: State, x0: State, x: State, t: Tensor) -> Tensor:
        """Evaluate the weighted squared error of x0: the mean over the components of all driven fields."""
        a, b = self.schedule.levels(t)
        snr = (a / b).square().to(t)
        weight = {
            "uniform": torch.ones_like(snr),
            "min-snr": snr.clamp_max(5.0),
            "edm": snr.clamp_max(FINE) + self.schedule.spread**-2,
        }[self.weighting]
        count = add(self._dimension(name, x0.mask) for name in self.schema)
        return weight * add(self._errors(name, out, x0, x, t) for name in self.schema) / count.clamp_min(1)

    def kl(self, out: State, x0: State, x: State, t: Tensor, s: Tensor) -> Tensor:
        """Sum ½ (SNR(s) − SNR(t)) times the squared error of x0; at s = 0 a normal density.

        Raises
        ------
        ValueError
            With an optimal coupling.
        """
        if self.couples:
            raise ValueError("no likelihood bound with coupling: optimal; x_t given x0 is not normal")
        (a_t, b_t), (a_s, b_s) = self.schedule.levels(t), self.schedule.levels(s)
        last = s == 0
        snr_t, snr_s = (a_t / b_t).square(), torch.where(last, 0.0, a_s / torch.where(last, 1.0, b_s)).square()
        total = torch.zeros(len(x0), device=x0.device, dtype=finest(x0.device))
        for name in self.schema:
            error, dimension = self._errors(name, out, x0, x, t).to(total), self._dimension(name, x0.mask)
            density = 0.5 * snr_t * error + dimension * 0.5 * (math.log(2 * math.pi) - snr_t.log())
            total = total + torch.where(last, density, 0.5 * (snr_s - snr_t) * error)
        return total.to(_floating(x0))

    def prior_kl(self, x0: State) -> Tensor:
        """Evaluate the divergence of two normal distributions, whose means are a(1) x0 and 0."""
        a, b = self.schedule.levels(torch.ones((), device=x0.device))
        ratio = (b / self.schedule.spread).square()
        total = torch.zeros(len(x0), device=x0.device, dtype=finest(x0.device))
        for name in self.schema:
            square = self._project(name, x0[name], x0.mask).to(total).square().reshape(len(x0), -1).sum(1)
            total = total + 0.5 * (a / self.schedule.spread).square() * square
            total = total + 0.5 * self._dimension(name, x0.mask) * (ratio - 1 - ratio.log())
        return total.to(_floating(x0))

    def _advance(self, x: Tensor, x0: Tensor, t: Tensor, s: Tensor, noise: Tensor | None, past: Past | None) -> Tensor:
        """Take the schedule's step, once for every distinct set of times among the rows."""
        times = torch.stack([t, s] if past is None else [t, s, past[1].to(t)], 1)
        if bool((times == times[:1]).all()):  # the usual case, in sampling
            groups, member = times[:1], torch.zeros(len(x), dtype=torch.long, device=x.device)
        else:
            groups, member = times.unique(dim=0, return_inverse=True)
        moved = torch.empty_like(x)
        for place, moments in enumerate(groups.to(finest(x.device))):
            rows = member == place
            before = None if past is None else (past[0][rows], moments[2])
            fresh = None if noise is None else noise[rows]
            moved[rows] = self.schedule.step(x[rows], x0[rows], moments[0], moments[1], fresh, before).to(x)
        return moved

    def _levels(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        shape = (-1, *[1] * (like.ndim - 1))
        a, b = self.schedule.levels(t)
        return a.to(like).view(shape), b.to(like).view(shape)

    def _noise(self, name: str, mask: Tensor, generator: Generator | None, like: Tensor | None = None) -> Tensor:
        field = self.schema[name]
        noise = normal(field.shape(*mask.shape), generator, mask if like is None else like)
        return self._project(name, noise, mask)

    def _project(self, name: str, value: Tensor, mask: Tensor) -> Tensor:
        """Zero in the padding and, where the field is centered, of mean zero."""
        present = _present(self.schema[name], mask)
        value = torch.where(present, value, 0.0)
        if name not in self.centered:
            return value
        mean = value.sum(1, keepdim=True) / mask.sum(1).clamp_min(1).view(-1, 1, 1, 1)
        return torch.where(present, value - mean, 0.0)

    def read(self, out: State, x: State, t: Tensor) -> State:
        """Apply the preconditioning, zero the padding and center what is centered."""
        return out.with_values(**{name: self._clean(name, out, x, t) for name in self.schema})

    def noiseless(self, name: str, value: Tensor, t: Tensor) -> Tensor:
        """Return a(t) times ``value``."""
        return self._levels(t, value)[0] * value

    def overwrite(self, name: str, out: State, value: Tensor, there: Tensor, x: State, t: Tensor) -> Tensor:
        """Put the known values into x0, and undo the preconditioning, which ``step`` applies."""
        x0 = torch.where(there, value.to(out[name]), out[name])
        if self.preconditioning == "none":
            return x0
        skip, scale = self._preconditioning(t, x0)
        return x[name] - t.to(x0).view(scale.shape) * (skip * x[name] - x0) / scale

    def log_likelihood(self, name: str, out: State, value: Tensor, there: Tensor, mask: Tensor, t: Tensor) -> Tensor:
        """Evaluate a normal log-density around the prediction, with the standard deviation of an entry's own noise."""
        a, b = self.schedule.levels(t)
        std = self.schedule.spread
        variance = (b * std).square() / ((a * std).square() + b.square()) + (NEAR * std) ** 2
        guess = out[name].double()
        gap = torch.where(there, guess - value.to(guess), 0.0)
        return -(0.5 * gap.square().flatten(1).sum(1) / variance)

    def pull(self, name: str, value: Tensor, gradient: Tensor, t: Tensor) -> Tensor:
        """Move the prediction by (b²/a) times the gradient, at most ``REACH`` standard deviations of the noise."""
        field, (a, b) = self.schema[name], self._levels(t, gradient)
        move = b.square() / a.clamp_min(0.1) * gradient
        length = (
            move.flatten(-len(field.trailing))
            .norm(dim=-1)
            .view(*move.shape[: -len(field.trailing)], *[1] * len(field.trailing))
        )
        return value.to(gradient) + move * (REACH * b / length.clamp_min(1e-12)).clamp_max(1)

    def _clean(self, name: str, out: State, x: State, t: Tensor) -> Tensor:
        """x0 as the prediction gives it: see ``preconditioning``."""
        x0 = out[name].to(x[name])
        if self.preconditioning == "none":
            return x0
        skip, scale = self._preconditioning(t, x0)
        return skip * x[name] - scale * (x[name] - x0) / t.to(x0).view(scale.shape)

    def _preconditioning(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """c_skip and c_out."""
        (a, b), std = self._levels(t, like), self.schedule.spread
        total = (a * std).square() + b.square()
        return a * std**2 / total, b * std * total.rsqrt()

    def _errors(self, name: str, out: State, x0: State, x: State, t: Tensor) -> Tensor:
        """The squared error of x0, summed over the field, (B,)."""
        guess, truth = (
            self._project(name, value.to(x0[name]), x0.mask) for value in (self._clean(name, out, x, t), x0[name])
        )
        return (guess - truth).square().reshape(len(x0), -1).sum(1)

    def _dimension(self, name: str, mask: Tensor) -> Tensor:
        """The number of free components of a field, (B,)."""
        field = self.schema[name]
        entries = extent(field, mask).reshape(len(mask), -1).sum(1) - int(name in self.centered)
        return entries * math.prod(field.trailing)


def _present(field: Field, mask: Tensor) -> Tensor:
    entries = extent(field, mask)
    return entries.view(*entries.shape, *[1] * len(field.trailing))


def _floating(x0: State) -> torch.dtype:
    return next(value.dtype for value in x0.values.values() if value.is_floating_point())
