"""The sampler that a model is trained for: one step of its process after the other."""

from __future__ import annotations

from torch import Tensor

from symdiff.random import Generator
from symdiff.sampling.posterior import draw_posterior
from symdiff.sampling.request import Request
from symdiff.sampling.sampler import Sampler, Trajectory


class Ancestral(Sampler):
    """x_s from x_t and the prediction of x0, as the process steps.

    A known part is where the trajectory begins, for processes that reveal (``Masked``); z is then drawn given what is
    known.
    """

    def init(self, request: Request, generator: Generator | None = None) -> Trajectory:
        """Draw noise and z; with a known part, begin there, with z drawn given what is known.

        Raises
        ------
        ValueError
            For a known part and a process that does not reveal.
        """
        if request.known is None:
            return self.start(request, generator)
        process, condition, known = self.diffusion.process, self.condition(request), request.expand(request.known)
        if not process.reveals:
            raise ValueError(
                f"{type(process).__name__} cannot start from a structure that is partly known; Masked can, and "
                "Inpainting needs no start"
            )
        process.prior(request.mask, generator)  # the random numbers behind it stay where they were
        z = draw_posterior(self.diffusion, known, condition, generator)
        return Trajectory(known if condition is None else known.with_values(condition.schema, **condition.values), z)

    def step(self, path: Trajectory, t: Tensor, s: Tensor, generator: Generator | None = None) -> Trajectory:
        """Predict x0 and take the process's step."""
        out = self.diffusion.denoiser(path.x, t, path.z)
        return Trajectory(self.diffusion.process.step(path.x, out, t, s, generator), path.z)
