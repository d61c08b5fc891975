"""The weights of a module, as they are saved and put back."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from symdiff.errors import UserError


def weights(module: nn.Module) -> dict[str, Tensor]:
    """Collect parameters (tied ones once) and persistent buffers.

    Parameters
    ----------
    module : nn.Module
        Any.

    Returns
    -------
    dict of str to Tensor
        By name; they are not copied.
    """
    buffers = {
        name: tensor
        for name, tensor in module.state_dict().items()
        if name not in dict(module.named_parameters(remove_duplicate=False))
    }
    return {**dict(module.named_parameters()), **buffers}


@torch.no_grad()
def load_weights(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put back what ``weights`` returned.

    Parameters
    ----------
    module : nn.Module
        Whose tensors are overwritten in place.
    tensors : mapping of str to Tensor
        By name.

    Raises
    ------
    UserError
        Where names or shapes differ.
    """
    own = weights(module)
    if own.keys() != tensors.keys():
        raise UserError(f"the state's weights are of another model: {sorted(own.keys() ^ tensors.keys())[:3]} differ")
    for name, tensor in own.items():
        if tensor.shape != tensors[name].shape:
            raise UserError(
                f"weight {name!r} needs shape {tuple(tensor.shape)}, the state has {tuple(tensors[name].shape)}"
            )
        tensor.copy_(tensors[name])
