"""What a network allocates is checked while it is built, parameter by parameter, before any of them is filled."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from symdiff.errors import UserError

_SHARE = 0.5
"""Of the machine's memory, at most this much for parameters: gradients and moments need as much again, or more."""


@contextmanager
def limit_memory(most: int | None = None) -> Iterator[None]:
    """Refuse networks whose parameters need too much memory, while they are built within this context.

    Parameters
    ----------
    most : int, optional
        The greatest number of bytes; by default half of the machine's memory.

    Raises
    ------
    UserError
        While the network is built, before the parameter that is too much is filled.
    """
    most = int(_SHARE * _memory()) if most is None else most
    used = 0

    def check(module: nn.Module, name: str, parameter: nn.Parameter) -> None:
        nonlocal used
        used += parameter.numel() * parameter.element_size()
        if used > most:
            raise UserError(f"the parameters need more than {most / 2**30:.3g} GiB, half of this machine's memory")

    with _watch(check):
        yield


@contextmanager
def limit_shapes(shapes: Collection[tuple[int, ...]]) -> Iterator[None]:
    """Refuse networks with a parameter of a shape that a file of weights does not have.

    Parameters
    ----------
    shapes : collection of tuple of int
        The shapes in the file.

    Raises
    ------
    UserError
        While the network is built, before the first parameter that does not fit is filled.
    """
    known = set(shapes)

    def check(module: nn.Module, name: str, parameter: nn.Parameter) -> None:
        shape = tuple(parameter.shape)
        if parameter.numel() and shape not in known:
            raise UserError(f"a {type(module).__name__} needs a {name} of shape {shape}, which the weights do not have")

    with _watch(check):
        yield


@contextmanager
def _watch(check: Callable[[nn.Module, str, nn.Parameter], None]) -> Iterator[None]:
    def hook(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        if parameter is not None:
            check(module, name, parameter)

    handle = register_module_parameter_registration_hook(hook)
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "allocate" not in str(error):
            raise
        raise UserError("a parameter needs more memory than there is") from error
    finally:
        handle.remove()


def _memory() -> int:
    """Bytes of this machine's memory."""
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" not in names:
        return 1 << 35
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
