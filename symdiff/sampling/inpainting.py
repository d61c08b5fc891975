"""A fragment that stays as it is while the rest of a structure is generated around it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace

import torch
from torch import Tensor

from symdiff.diffusion import Diffusion
from symdiff.groups.orthogonal import Orthogonal
from symdiff.processes.base import Process
from symdiff.random import Generator
from symdiff.sampling.particles import pick, resample
from symdiff.sampling.request import Request
from symdiff.sampling.sampler import Sampler, Trajectory
from symdiff.state import State, extent, pad

SHARPNESS = 6.0


@dataclass(frozen=True)
class _Around(Trajectory):
    """Trajectories around a known part.

    Parameters
    ----------
    known : State
        The known part as it is given.
    placed : State, optional
        The known part where it was last predicted.
    turn : Tensor, optional
        Its rotation there.
    fit : Tensor or float
        (B,) float64: log p(known | x_t) so far.
    """

    _: KW_ONLY
    known: State
    placed: State | None = None
    turn: Tensor | None = None
    fit: Tensor | float = 0.0


class Inpainting(Sampler):
    """Generate around what is known: the first nodes of every structure are the request's ``known``, to the last digit.

    In every step but the first the denoiser sees what is known without noise; its prediction of the rest moves up the
    gradient of log p(known | x_t), and that of the known part is replaced by the known part itself, in the pose that
    lies nearest to its prediction; then the process steps as ever. Particles are resampled where they differ much in
    log p(known | x_t), and one of them is drawn at the end.

    The result approximates the conditional distribution, whatever ``particles``. Of two normal numbers with correlation
    0.9 of which one is known, the mean of the other is off by 0.1 standard deviations with ``sharpness`` 1, where
    replacement alone is off by 0.67. Replacement alone, its steps repeated or not (RePaint), left next to no molecule
    stable: early on the rest does not see what it must fit, and later it no longer moves (numbers:
    ``benchmarks/inpainting3d.py``).

    Parameters
    ----------
    diffusion : Diffusion
        A model whose z does not say what the structure is, and whose process does not reveal.
    steps : int
        The number of evaluations of the network.
    particles : int
        Candidates for each structure.
    sharpness : float
        Guidance strength; above 1 because known entries are wrongly treated as independent. 6 gave the most stable
        molecules.

    Raises
    ------
    ValueError
        For no particles, and for ``Masked``, which can start from what is known itself.

    References
    ----------
    Chung et al., Diffusion Posterior Sampling, ICLR 2023 (the gradient).

    Wu et al., Twisted Diffusion Sampler, NeurIPS 2023 (particles with such weights; here without its correction for
    the proposal).

    Lugmayr et al., RePaint, CVPR 2022.
    """

    def __init__(self, diffusion: Diffusion, steps: int, particles: int = 1, sharpness: float = SHARPNESS) -> None:
        super().__init__(diffusion, steps)
        revealing = sorted({type(part).__name__ for _, _, part in diffusion.process.fields() if part.reveals})
        if particles < 1 or revealing:
            raise ValueError(
                f"expected at least one particle and no process that reveals, got {particles} and "
                f"{', '.join(revealing) or 'none'}"
            )
        self.particles, self.sharpness = particles, sharpness

    def init(self, request: Request, generator: Generator | None = None) -> Trajectory:
        """Draw noise and z; log weights are 0, and the known part is padded to the structures' size.

        Raises
        ------
        ValueError
            Without a known part, or where it has more nodes than a structure.
        """
        path, known = self.start(request, generator), request.expand(request.known)
        if known is None:
            raise ValueError("expected a known part, got none")
        if bool((known.num_nodes > path.x.num_nodes).any()):
            raise ValueError(
                f"expected structures as large as what is known, got {known.num_nodes.tolist()} nodes in "
                f"{path.x.num_nodes.tolist()}"
            )
        known = pad(known, path.x.mask.shape[1])
        log_weights = torch.zeros(len(path.x), dtype=torch.float64, device=path.x.device)
        return _Around(path.x, path.z, log_weights, known=known)

    def step(self, path: Trajectory, t: Tensor, s: Tensor, generator: Generator | None = None) -> Trajectory:
        """Predict with the known part in place, resample particles where their weights differ much, and step."""
        assert isinstance(path, _Around) and path.log_weights is not None
        x, z, process = path.x, path.z, self.diffusion.process
        # noise alone has no room for what is known
        seen = x if path.placed is None else reveal(process, x, path.placed, t)
        out, fit = self.predict(replace(path, x=seen), t)
        log_weights = path.log_weights + fit - path.fit
        if self.particles > 1:
            rows, log_weights = resample(log_weights.view(-1, self.particles), generator)
            x, z, out, fit = x.select(rows), z.select(rows), out.select(rows), fit[rows]
        placed, turn = align(process, path.known, out)
        x = process.step(x, insert(process, out, x, placed, t), t, s, generator)
        return replace(path, x=x, z=z, log_weights=log_weights, placed=placed, turn=turn, fit=fit)

    def finish(self, path: Trajectory, generator: Generator | None = None) -> Trajectory:
        """Move the structure so that the known part is where it was given, and draw one particle of each."""
        assert isinstance(path, _Around) and path.log_weights is not None
        x = path.x
        if path.turn is not None:
            space = Orthogonal(path.turn.shape[-1], special=True)
            x = space.act(space.inverse(path.turn), x)
        x = restore(self.diffusion.process, x, path.known)
        if self.particles > 1:
            rows = pick(path.log_weights.view(-1, self.particles), generator)
            return Trajectory(x.select(rows), path.z.select(rows))
        return Trajectory(x, path.z)

    def predict(self, path: _Around, t: Tensor) -> tuple[State, Tensor]:
        """Predict x0 from x_t, its reals moved by ``sharpness`` (b²/a) ∇ log p(known | x_t).

        With sharpness 1 the move is that of Tweedie's formula for x_t given the known part, which stands as in
        ``placed``, or before the first step as near to the prediction as it can.

        Parameters
        ----------
        path : Trajectory
            Of this sampler, at time t.
        t : Tensor
            (B,) times.

        Returns
        -------
        State
            The prediction, as the process reads it.
        Tensor
            (B,) float64, log p(known | x_t), up to a constant of t.
        """
        x, process = path.x, self.diffusion.process
        reals = [(name, part) for name, _, part in process.fields() if x[name].is_floating_point()]
        with torch.enable_grad():
            leaves = {name: x[name].detach().requires_grad_() for name, _ in reals}
            seen = x.with_values(**leaves)
            out = process.read(self.diffusion.denoiser(seen, t, path.z), seen, t)
            fit = log_likelihood(
                process, out, align(process, path.known, out)[0] if path.placed is None else path.placed, t
            )
            total = self.sharpness * fit.sum()
            gradients = [torch.zeros_like(x[name]) for name in leaves]
            if total.requires_grad and leaves:
                gradients = torch.autograd.grad(total, list(leaves.values()), allow_unused=True, materialize_grads=True)
        values = {name: value.detach() for name, value in out.values.items()}
        for (name, part), gradient in zip(reals, gradients, strict=True):
            values[name] = part.pull(
                name, values[name], torch.where(_there(process, name, path.known), 0.0, gradient), t
            )
        return State(out.mask, out.schema, values), fit.detach()


def reveal(process: Process, x: State, known: State, t: Tensor) -> State:
    """Show the denoiser the known part without noise, centered vectors moved to where they are in x.

    Parameters
    ----------
    process : Process
        Whose fields are shown.
    x : State
        x_t.
    known : State
        The known part, padded like ``x``; its mask says which nodes are known.
    t : Tensor
        (B,) times.

    Returns
    -------
    State
        ``x`` with the mean of x_t given the known values in their place.
    """
    values = {}
    for name, _, part in process.fields():
        value = part.noiseless(name, known[name].to(x[name]), t)
        values[name] = torch.where(_there(process, name, known), _move(process, name, value, x[name], known), x[name])
    return x.with_values(**values)


def insert(process: Process, out: State, x: State, known: State, t: Tensor) -> State:
    """Replace the known part of a prediction by what is known.

    Parameters
    ----------
    process : Process
        Whose fields are replaced.
    out : State
        The prediction of x0, as the process reads it.
    x : State
        x_t.
    known : State
        The known part, in the pose that it is to have.
    t : Tensor
        (B,) times.

    Returns
    -------
    State
        A prediction as ``process.step`` takes it.
    """
    values = {}
    for name, _, part in process.fields():
        value = _move(process, name, known[name], out[name], known)
        values[name] = part.overwrite(name, out, value, _there(process, name, known), x, t)
    return out.with_values(**values)


def log_likelihood(process: Process, out: State, known: State, t: Tensor) -> Tensor:
    """Evaluate log p(known | x_t), the entries treated as independent, up to a constant of t.

    Parameters
    ----------
    process : Process
        Whose fields count, those of nodes and pairs.
    out : State
        The prediction of x0, as the process reads it.
    known : State
        The known part, in the pose that it has.
    t : Tensor
        (B,) times.

    Returns
    -------
    Tensor
        (B,) float64, in nats.
    """
    total = torch.zeros(len(known), dtype=torch.float64, device=known.device)
    for name, field, part in process.fields():
        if field.axes != "whole":
            value = _move(process, name, known[name], out[name].double(), known)
            total = total + part.log_likelihood(name, out, value, _there(process, name, known), known.mask, t)
    return total


def align(process: Process, known: State, out: State) -> tuple[State, Tensor | None]:
    """Rotate the known part so that it lies nearest to its prediction.

    Parameters
    ----------
    process : Process
        Whose ``centered`` fields are rotated.
    known : State
        The known part, padded like ``out``.
    out : State
        The prediction of x0.

    Returns
    -------
    State
        ``known``, rotated.
    Tensor or None
        (B, d, d), the rotation; None without centered vectors, where nothing is rotated.

    References
    ----------
    Kabsch: A solution for the best rotation to relate two sets of vectors (Acta Crystallographica A32, 1976).
    """
    if not process.centered:
        return known, None
    present, covariance = known.mask[:, :, None, None], 0.0
    for name in sorted(process.centered):
        mine, theirs = (
            torch.where(present, value - _center(value, known), 0.0)
            for value in (known[name].double(), out[name].detach().double())
        )
        covariance = covariance + torch.einsum("bnda,bndc->bac", theirs, mine)
    u, _, v = torch.linalg.svd(covariance)
    sign = torch.ones_like(u[:, 0])
    sign[:, -1] = torch.linalg.det(u @ v)
    turn = (u * sign[:, None]) @ v
    return Orthogonal(turn.shape[-1], special=True).act(turn, known), turn


def restore(process: Process, x: State, known: State) -> State:
    """Move x as a whole so that the known part is where it was given, to the last digit.

    Parameters
    ----------
    process : Process
        Whose ``centered`` fields are moved.
    x : State
        Structures that hold the known part.
    known : State
        The known part as it was given.

    Returns
    -------
    State
        ``x``, moved.
    """
    values = {}
    for name in process.centered:
        value = _move(process, name, x[name], known[name].to(x[name]), known)
        value = torch.where(x.mask[:, :, None, None], value, 0.0)
        values[name] = torch.where(_there(process, name, known), known[name].to(value), value)
    return x.with_values(**values)


def _there(process: Process, name: str, known: State) -> Tensor:
    """The known entries of a field, with the axes of its values."""
    field = process.schema[name]
    entries = torch.zeros_like(known.mask[:, 0]) if field.axes == "whole" else extent(field, known.mask)
    return entries.view(*entries.shape, *[1] * len(field.trailing))


def _move(process: Process, name: str, value: Tensor, place: Tensor, known: State) -> Tensor:
    """``value`` moved so that its known nodes have the center that they have in ``place``.

    Only where translations are divided out.
    """
    if name not in process.centered:
        return value
    value = value.to(place)
    return value + _center(place, known) - _center(value, known)


def _center(value: Tensor, known: State) -> Tensor:
    """The mean of vectors over the known nodes, (B, 1, dim, vector)."""
    present = known.mask[:, :, None, None]
    return torch.where(present, value, 0.0).sum(1, keepdim=True) / present.sum(1, keepdim=True).clamp_min(1)
