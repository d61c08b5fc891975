"""The gradients of several processes become one."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.distributed
from torch import Tensor, nn


@torch.no_grad()
def sum_over_processes(parameters: Iterable[nn.Parameter], numbers: Tensor) -> Tensor:
    """Replace every gradient by its sum over all processes, and return the sum of ``numbers``.

    All go in one message of a fixed layout, the parameters in their order, so that the order of summation depends on
    nothing but the number of processes and a resumed run repeats an uninterrupted one bit for bit.
    (DistributedDataParallel arranges its buckets anew after the first step that it sees, so that with three processes
    a resumed run rounds differently.)

    Parameters
    ----------
    parameters : iterable of nn.Parameter
        The same on all processes. One that has no gradient on any of them keeps none.
    numbers : Tensor
        (K,), float32.

    Returns
    -------
    Tensor
        (K,).
    """
    parameters = list(parameters)
    present = [parameter.grad is not None for parameter in parameters]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    message = torch.cat([*(gradient.flatten() for gradient in gradients), numbers.new_tensor(present), numbers])
    torch.distributed.all_reduce(message)
    *sums, counts, numbers = message.split([*(p.numel() for p in parameters), len(parameters), len(numbers)])
    anywhere = (
        [True] * len(parameters) if all(present) else (counts > 0).tolist()
    )  # reading counts waits for the device
    for parameter, total, used in zip(parameters, sums, anywhere, strict=True):
        parameter.grad = total.view_as(parameter) if used else None
    return numbers


@torch.no_grad()
def broadcast_from_first(tensors: Iterable[Tensor]) -> None:
    """Give all processes the first one's values, in place.

    Parameters
    ----------
    tensors : iterable of Tensor
        The same shapes in the same order in every process.
    """
    for tensor in tensors:
        torch.distributed.broadcast(tensor.detach(), 0)
