"""One step of diffusers' own schedulers at any pair of times: an oracle for ``symdiff.processes.schedules``."""

from __future__ import annotations

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EDMEulerScheduler,
    FlowMatchEulerDiscreteScheduler,
    FlowMatchHeunDiscreteScheduler,
)
from torch import Tensor

from symdiff.processes.heun import Corrected
from symdiff.processes.schedules import DDIM, DPMSolverMultistep, EDMEuler, Past, Schedule


def signal(schedule: DDIM | DPMSolverMultistep) -> Tensor:
    """a² at all levels, the first without noise."""
    names = ("beta_schedule", "beta_start", "beta_end")
    stock = DDIMScheduler(schedule.levels_count, **{name: getattr(schedule, name) for name in names})
    return torch.cat([torch.ones(1), stock.alphas_cumprod]).double()


def step(
    schedule: Schedule, x: Tensor, x0: Tensor, t: Tensor, s: Tensor, noise: Tensor | None, past: Past | None
) -> Tensor:
    """``schedule.step``, taken by a scheduler of diffusers that holds the levels of this one step."""
    if isinstance(schedule, DDIM):
        stock = DDIMScheduler(num_train_timesteps=2, clip_sample=False, prediction_type="sample")
        stock.alphas_cumprod = schedule.levels(torch.stack([s, t]))[0].square().to(x)
        stock.set_timesteps(2)
        return stock.step(x0, 1, x, eta=schedule.eta, variance_noise=noise).prev_sample
    if isinstance(schedule, DPMSolverMultistep):
        stock = DPMSolverMultistepScheduler(
            solver_order=schedule.order,
            solver_type=schedule.solver,
            prediction_type="sample",
            algorithm_type="sde-dpmsolver++" if schedule.stochastic else "dpmsolver++",
        )
        times = torch.stack(([] if past is None else [past[1].to(t)]) + [t, s])
        a, b = schedule.levels(times)
        last = int(s == 0)  # there diffusers falls back to the first order
        stock.num_inference_steps = len(times) - last
        stock.timesteps = torch.arange(len(times) - last).flip(0)
        stock.sigmas = (b / a).cpu()
        stock.set_begin_index(len(times) - 2)
        if past is not None:
            stock.model_outputs[-1] = past[0]
            stock.lower_order_nums = 1
        return stock.step(x0, times[-2], x, variance_noise=noise).prev_sample
    if isinstance(schedule, EDMEuler):
        stock = EDMEulerScheduler(schedule.sigma_min, schedule.sigma_max, schedule.sigma_data, rho=schedule.rho)
        stock.sigmas = schedule.sigma(torch.stack([t, s])).cpu()
        stock.set_begin_index(0)
        stock.is_scale_input_called = True  # the input's scale is that of the path already
        (before, _), (after, _) = schedule.levels(t), schedule.levels(s)
        return stock.step(x0, float(t), x / before.to(x), pred_original_sample=x0).prev_sample * after.to(x)
    if isinstance(schedule, Corrected):
        correction = bool(s == t)
        start = past[1].to(t) if correction else t
        sigmas, scales = schedule.noise_and_scale(torch.stack([start, s]))
        stock = FlowMatchHeunDiscreteScheduler()
        stock.sigmas, stock.dt = sigmas, None  # without dt, a step of Euler
        stock.set_begin_index(int(correction))
        z = x / scales[int(correction)].to(x)
        if correction:
            stock.dt = sigmas[1] - sigmas[0]
            stock.prev_derivative = (z - past[0]) / sigmas[1].to(x)
            stock.sample = z - stock.dt.to(x) * stock.prev_derivative
        slope = (z - x0) / sigmas[int(correction)].to(x)
        return stock.step(slope, float(t), z).prev_sample.to(x) * scales[1].to(x)
    stock = FlowMatchEulerDiscreteScheduler(shift=schedule.shift)
    stock.sigmas = schedule.levels(torch.stack([t, s]))[1].cpu()
    stock.set_begin_index(0)
    velocity = (x - x0) / stock.sigmas[0].to(x)
    return stock.step(velocity, float(t), x).prev_sample
