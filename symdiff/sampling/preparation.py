"""From a request to one that a model can answer: its fields are checked, and the sizes that follow from them found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from symdiff.breaking.base import SymmetryBreaker
from symdiff.domains.base import Domain
from symdiff.errors import UserError
from symdiff.guidance import may_hide
from symdiff.processes.base import Process
from symdiff.random import Streams
from symdiff.sampling.request import Request, Sizes
from symdiff.sampling.scaffolding import OPEN
from symdiff.state import State


def prepare(
    request: Request,
    domain: Domain,
    process: Process,
    breaker: SymmetryBreaker,
    histogram: list[float],
    device: torch.device,
) -> tuple[Request, list[float]]:
    """Check a request, and find the sizes that its condition or its known part has.

    Parameters
    ----------
    request : Request
        What is wanted.
    domain : Domain
        What the model's structures are.
    process : Process
        The model's process, which says whether it reveals.
    breaker : SymmetryBreaker
        The model's breaker.
    histogram : list of float
        The share of the training structures with 0, 1, 2, ... nodes.
    device : torch.device
        Where the model is.

    Returns
    -------
    request, histogram
        The request, and the distribution of the numbers of nodes of structures that it leaves undecided.

    Raises
    ------
    UserError
        For a condition or a known part that the model does not have, and for sizes that it cannot have.
    """
    condition, known, sizes = request.condition, request.known, request.sizes
    if condition is None and domain.conditions and may_hide(domain.schema):
        condition = domain.options.read_condition({})
    if condition is None:
        if domain.conditions:
            raise UserError(f"condition: expected the fields {', '.join(domain.conditions)}, got no condition")
    else:
        _check_condition(condition, domain)
        if len(condition) == 1 and not condition.mask.shape[1]:
            histogram = domain.sizes(histogram, condition)
        if condition.mask.shape[1]:
            sizes = _sizes(condition)
    if known is not None:
        _check_known(known, process)
        if OPEN in known.schema:
            histogram = _beside(known, sizes, histogram)
        elif not process.reveals:
            histogram = _around(known, sizes, histogram, breaker)
        elif condition is not None and int(known.num_nodes[0]) != int(condition.num_nodes[0]):
            raise UserError(
                f"known: expected {int(condition.num_nodes[0])} nodes as the condition has, got "
                f"{int(known.num_nodes[0])}"
            )
        else:
            sizes = _sizes(known)
    if (
        condition is not None
        and len(condition) > 1
        and not condition.mask.shape[1]
        and (sizes is None or isinstance(sizes, tuple))
    ):
        sizes = _sizes_by_condition(replace(request, condition=condition), domain, histogram)
    if sizes is not None and not isinstance(sizes, tuple):
        given = condition if condition is not None and condition.mask.shape[1] else None
        _check_size(int(torch.as_tensor(sizes).max()), domain, breaker, device, given)
    return replace(request, condition=condition, sizes=sizes), histogram


def _sizes_by_condition(request: Request, domain: Domain, histogram: list[float]) -> Tensor:
    """The size of every structure, drawn by its own condition: (count,) int64."""
    condition = request.condition
    assert condition is not None
    rows = torch.cat([condition[name].reshape(len(condition), -1).double() for name in condition.schema], 1)
    _, owner = rows.unique(dim=0, return_inverse=True)
    order, counts = owner.argsort(stable=True), owner.bincount().tolist()
    sizes = torch.zeros(len(condition), dtype=torch.int64)
    for index in order.split(counts):
        part = request.part(index)
        sizes[index] = part.draw_sizes(domain.sizes(histogram, condition.select(index[:1])))
    return sizes


def _check_condition(condition: State, domain: Domain) -> None:
    names = domain.conditions
    if set(condition.schema) != set(names):
        expected = ", ".join(names) or "(none)"
        raise UserError(f"condition: expected the fields {expected}, got {', '.join(condition.schema)}")
    for name in names:
        if condition.schema[name] != domain.schema[name]:
            raise UserError(f"condition: {name}: expected {domain.schema[name]}, got {condition.schema[name]}")


def _check_known(known: State, process: Process) -> None:
    expected = process.schema if OPEN in known.schema else process.noisy_schema()
    if {name: field for name, field in known.schema.items() if name != OPEN} != dict(expected):
        how = " with a label for what is hidden" if process.reveals else ""
        raise UserError(f"known: expected the fields {', '.join(expected)}{how}, got {', '.join(known.schema)}")


def _check_size(
    nodes: int, domain: Domain, breaker: SymmetryBreaker, device: torch.device, condition: State | None
) -> None:
    """Refuse what neither the domain nor the symmetry breaker has, before a batch of it is made."""
    largest = domain.spec.get("max_nodes", nodes)
    if nodes > largest:
        raise UserError(f"num_nodes: expected at most {largest}, got {nodes}")
    streams = Streams(0, torch.arange(1))
    try:
        if condition is not None and breaker.anchor == "data":
            breaker.sample(condition.select(condition.num_nodes.argmax()[None]).to(device), streams)
        else:
            breaker.prior(torch.ones(1, nodes, dtype=torch.bool, device=device), streams)
    except ValueError as error:
        raise UserError(f"cannot sample structures of up to {nodes} nodes: {error}") from error


def _beside(known: State, sizes: Sizes, histogram: Sequence[float]) -> list[float]:
    """The distribution of the sizes of structures that hold a scaffold, and more where something may be attached."""
    least = int(known.num_nodes.max())
    needed = least + int(known[OPEN].any())
    smallest = None if sizes is None else int(torch.as_tensor(sizes).min())
    if smallest is not None and smallest < needed:
        raise UserError(f"num_nodes: {smallest}: the scaffold has {least} nodes and needs {needed}")
    if not bool(known[OPEN].any()) and (smallest is not None and int(torch.as_tensor(sizes).max()) > least):
        raise UserError("num_nodes: nothing may be attached to the scaffold, which has no [*]")
    if smallest is None and sum(histogram[needed:]) == 0:
        raise UserError(
            f"known: the scaffold needs {needed} nodes, the training data have at most {len(histogram) - 1}"
        )
    if not bool(known[OPEN].any()):
        return [float(size == least) for size in range(max(len(histogram), least + 1))]
    return [0.0 if size < needed else share for size, share in enumerate(histogram)]


def _around(known: State, sizes: Sizes, histogram: Sequence[float], breaker: SymmetryBreaker) -> list[float]:
    """The distribution of the sizes of structures that hold a fragment."""
    if breaker.anchor != "none" and any(field.axes == "node" for field in breaker.schema.values()):
        raise UserError(
            "known: z names the nodes by what the structure is, which a fragment does not tell; take a model whose z "
            "does not"
        )
    least = int(known.num_nodes.max())
    smallest = None if sizes is None else int(torch.as_tensor(sizes).min())
    if smallest is not None and smallest < least:
        raise UserError(f"num_nodes: {smallest}: the fragment has {least} nodes")
    if smallest is None and sum(histogram[least:]) == 0:
        raise UserError(f"known: the fragment has {least} nodes, the training data at most {len(histogram) - 1}")
    return [0.0 if size < least else share for size, share in enumerate(histogram)]


def _sizes(state: State) -> Sizes:
    """The sizes of structures: one number where there is one structure."""
    return int(state.num_nodes[0]) if len(state) == 1 else state.num_nodes
